/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A party of a domain as it lies on a disk: hub, publisher, edge, device. One folder:
 *
 *	certs/sign.crt enc.crt issuing-ca.crt root-ca.crt   PEM
 *	keys/sign.key enc.key …                             key blobs, mode 0600
 *	keys/storage.secret                                 not on a hub: its seed comes from the
 *root trust/root.der                                      the trust root object the party started
 *from
 */
#ifndef HF_SVC_PARTY_H
#define HF_SVC_PARTY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "keys/blob.h"
#include "pkg/root.h"
#include "pki/cert.h"
#include "svc/env.h"

enum {
	HF_PATH_MAX = 1024, /* bytes of a path of ours, with its terminator */
};

/* Joins folder and name. HF_ERR_LIMIT: longer than HF_PATH_MAX. */
HF_MUST_USE hf_err hf_path_join(
	char out[HF_PATH_MAX], const char *dir, const char *name, struct hf_errinfo *ei);

/* What is public about a party. End it with hf_party_clear(). */
struct hf_party {
	char dir[HF_PATH_MAX];
	struct hf_identity identity; /* of the signing certificate */
	struct hf_cert sign;
	struct hf_cert enc;
	struct hf_cert issuing_ca;
	struct hf_cert root_ca;
	struct hf_buf root_object; /* as it lies in trust/root.der */
	struct hf_root root;       /* the same, read and checked against its own keys */
};

/* HF_ERR_NOT_FOUND: no party lies there. HF_ERR_FORMAT: its files contradict each other. */
HF_MUST_USE hf_err hf_party_open(
	struct hf_party *p, const struct hf_env *env, const char *dir, struct hf_errinfo *ei);
void hf_party_clear(struct hf_party *p);

/* Makes the folders certs, keys and trust. */
HF_MUST_USE hf_err hf_party_make(const char *dir, struct hf_errinfo *ei);

/* Writes one certificate as certs/<name>.crt. */
HF_MUST_USE hf_err hf_party_put_cert(const struct hf_env *env, const char *dir, const char *name,
	struct hf_bytes der, struct hf_errinfo *ei);

/* Reads a certificate file in PEM; the certificate owns its bytes. */
HF_MUST_USE hf_err hf_cert_load(
	struct hf_cert *cert, const struct hf_env *env, const char *path, struct hf_errinfo *ei);

/*
 * The seed that wraps the keys of a party that is no hub: from keys/storage.secret, which is made
 * if make is set, and a fingerprint of this machine (hardware class D).
 */
HF_MUST_USE hf_err hf_party_seed(const struct hf_env *env, const char *dir, bool make,
	uint8_t seed[HF_KEY_SEED_LEN], struct hf_errinfo *ei);

/* Reads keys/<purpose>.key of the party. */
HF_MUST_USE hf_err hf_party_key(const struct hf_env *env, const struct hf_party *p,
	const char *purpose, const uint8_t seed[HF_KEY_SEED_LEN], struct hf_sm2_key *key,
	struct hf_errinfo *ei);

/* Writes keys/<purpose>.key of the party with that name in that folder. */
HF_MUST_USE hf_err hf_party_put_key(const struct hf_env *env, const char *dir, const char *owner,
	const char *purpose, const uint8_t seed[HF_KEY_SEED_LEN], const struct hf_sm2_key *key,
	struct hf_errinfo *ei);

#endif
