/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The revocation lists that a node has: of each issuer the newest complete one and the newest
 *delta, in a folder and in memory. A list is verified before it is kept, and never replaced by an
 *older one. Links look at a view, which stays as it is for as long as it is held. One thread, but
 * a view may be used and given back by any.
 *
 *	<dir>/<first 32 hex digits of the issuer's fingerprint>.crl, .delta     DER
 *
 * Not guaranteed: who can write to the folder can put an older list back for the next start. The
 * age that the level allows (link.revocation-age) is what bounds that.
 */
#ifndef HF_SVC_CRLS_H
#define HF_SVC_CRLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "pki/cert.h"
#include "pki/crl.h"
#include "policy/policy.h"
#include "svc/env.h"

enum {
	HF_CRLS_ISSUERS_MAX = 16,
	HF_CRLS_FILES_MAX = 256, /* of a folder that lists are taken from */
};

struct hf_crls;

/* What links look at: for hf_tls_config and hf_chain_query. */
struct hf_crls_view {
	const struct hf_crl *crls;
	size_t n_crls;
};

/* Makes the folder where it is missing. */
HF_MUST_USE hf_err hf_crls_new(
	struct hf_crls **out, const struct hf_env *env, const char *dir, struct hf_errinfo *ei);

/* Views that are still held live on. NULL is accepted. */
void hf_crls_free(struct hf_crls *c);

/*
 * Lists of this CA count from here on; those that lie in the folder are loaded. A file that is no
 * list of it any more is passed over: a new one will come. HF_ERR_LIMIT: too many issuers.
 */
HF_MUST_USE hf_err hf_crls_trust(
	struct hf_crls *c, const struct hf_cert *issuer, struct hf_errinfo *ei);

/*
 * Takes a list, complete or delta, if an issuer of ours signed it and it is newer than what is
 * here: kept on the disk, then in a new view. HF_ERR_EXISTS: it is here already. HF_ERR_ROLLBACK:
 * an older one, or one from the future. HF_ERR_AUTH: of no issuer of ours, or not signed by it.
 */
HF_MUST_USE hf_err hf_crls_take(
	struct hf_crls *c, struct hf_bytes der, uint64_t now_s, struct hf_errinfo *ei);

/*
 * Takes every list of a folder, DER or PEM ("X509 CRL"); those that are not for us or not newer are
 * passed over. *n_taken: new ones.
 */
HF_MUST_USE hf_err hf_crls_take_dir(
	struct hf_crls *c, const char *dir, uint64_t now_s, size_t *n_taken, struct hf_errinfo *ei);

/* The present view; give it back with hf_crls_unhold(). Never NULL. */
const struct hf_crls_view *hf_crls_hold(const struct hf_crls *c);
void hf_crls_unhold(const struct hf_crls_view *view);

/* The complete list of an issuer, borrowed until the next take; NULL: there is none. */
const struct hf_crl *hf_crls_get(const struct hf_crls *c, const struct hf_cert *issuer);

/*
 * Has its issuer revoked the certificate (HF_ERR_REVOKED), and, with a level that needs it, is what
 * says that it has not fresh enough (HF_ERR_STALE)? A certificate of no issuer of ours: HF_OK.
 * level 0: only whether it is revoked.
 */
HF_MUST_USE hf_err hf_crls_check(const struct hf_crls *c, const struct hf_cert *cert,
	unsigned level, uint64_t now_s, struct hf_errinfo *ei);

#endif
