/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content keys on their way: the deposit (publisher to key service) and the grant (director to one
 * device). Both are signed, and carry the keys in an SM2 digital envelope whose context is
 * everything the object says, so an envelope cannot be lifted into another grant.
 */
#ifndef HF_PKG_GRANT_H
#define HF_PKG_GRANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/rng.h"
#include "pkg/body.h"
#include "pkg/object.h"
#include "pki/cms.h"
#include "policy/policy.h"

enum {
	HF_GRANT_SITES_MAX = 4096, /* site keys of 16 bytes */
	HF_SITE_KEY_LEN = 16,
	HF_DEPOSIT_MARKS_MAX = 1024, /* bytes of mark keys */
};

/* What both say: which release, for whom. */
struct hf_grant_context {
	char domain[HF_ID_MAX + 1];
	char lineage[HF_ID_MAX + 1];
	uint64_t epoch;
	uint64_t release;
	uint8_t manifest[HF_SM3_LEN];  /* name of the manifest object */
	char recipient[HF_ID_MAX + 1]; /* id of the device or of the key service */
	uint8_t cert[HF_SM3_LEN];      /* fingerprint of its encryption certificate */
	uint64_t issued_s;
	uint64_t not_after_s;
	enum hf_level level; /* grant: at which it was given */
	bool may_travel;     /* grant: may lie beside the package (L1) */
};

struct hf_grant {
	struct hf_grant_context context;
	struct hf_bytes bound;    /* DER of the context: additional data of the envelope */
	struct hf_bytes envelope; /* CMS EnvelopedData */
};

/* Secret; end it with hf_grant_keys_clear(). */
struct hf_grant_keys {
	uint8_t cek[HF_CEK_LEN];
	struct hf_buf sites; /* n * 16 bytes; empty without marks */
};

struct hf_deposit_keys {
	uint8_t cek[HF_CEK_LEN];
	uint8_t k_dom[HF_KDOM_LEN];
	bool has_salt;
	uint8_t salt[HF_PKG_SALT_LEN]; /* --no-dedupe */
	struct hf_buf marks;           /* mark keys, as they are; empty without marks */
};

/* Start with these: they name the allocator of the lists. clear accepts { 0 }. */
void hf_grant_keys_init(struct hf_grant_keys *k, const struct hf_mem *mem);
void hf_grant_keys_clear(struct hf_grant_keys *k);
void hf_deposit_keys_init(struct hf_deposit_keys *k, const struct hf_mem *mem);
void hf_deposit_keys_clear(struct hf_deposit_keys *k);

/*
 * Appends the DER content, not signed, with the keys sealed to `to`; out names the allocator that
 * is used. HF_ERR_ARG: the context contradicts itself. HF_ERR_LIMIT, HF_ERR_ENTROPY.
 */
HF_MUST_USE hf_err hf_grant_emit(struct hf_buf *out, const struct hf_grant_context *context,
	const struct hf_grant_keys *keys, const struct hf_cms_party *to, const struct hf_rng *rng,
	struct hf_errinfo *ei);
HF_MUST_USE hf_err hf_deposit_emit(struct hf_buf *out, const struct hf_grant_context *context,
	const struct hf_deposit_keys *keys, const struct hf_cms_party *to, const struct hf_rng *rng,
	struct hf_errinfo *ei);

/* Read DER content, of which *g borrows. kind: HF_OBJECT_GRANT or HF_OBJECT_DEPOSIT. */
HF_MUST_USE hf_err hf_grant_parse(
	struct hf_grant *g, enum hf_object kind, struct hf_bytes content, struct hf_errinfo *ei);

/*
 * Opens the envelope with the private key of `self`. keys has been init'ed. HF_ERR_NOT_FOUND: for
 * another recipient. HF_ERR_AUTH: altered, other key. On failure keys is empty.
 */
HF_MUST_USE hf_err hf_grant_unwrap(struct hf_grant_keys *keys, const struct hf_grant *g,
	const struct hf_cms_party *self, const struct hf_decrypter *key, struct hf_errinfo *ei);
HF_MUST_USE hf_err hf_deposit_unwrap(struct hf_deposit_keys *keys, const struct hf_grant *g,
	const struct hf_cms_party *self, const struct hf_decrypter *key, struct hf_errinfo *ei);

#endif
