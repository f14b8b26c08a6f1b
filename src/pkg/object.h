/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The objects of a sealed package and their names. All are immutable and named by their SM3, so any
 * cache, peer or disk may carry them: `<kind>/<64 hex digits>` is the path in a bundle, in a store
 * and on the wire. Only a pack's name is not the SM3 of its bytes (pkg/table.h).
 *
 * Signed objects are CMS SignedData (GM/T 0010) over DER whose first field is the object's kind, so
 * that no object can be presented as another one.
 */
#ifndef HF_PKG_OBJECT_H
#define HF_PKG_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "crypto/sm2.h"
#include "crypto/sm3.h"
#include "pki/name.h"
#include "pki/signer.h"

/* clang-format off */
#define HF_OBJECT_LIST(X) /* kind, number, name, bytes at most */ \
	X(PACK,      1,  "pack",      64 << 20) \
	X(TABLE,     2,  "table",     128 << 10) \
	X(INDEX,     3,  "index",     128 << 10) \
	X(MANIFEST,  4,  "manifest",  4 << 20) \
	X(ROOT,      5,  "root",      64 << 10) \
	X(CHANNEL,   6,  "channel",   4 << 20) \
	X(DEPOSIT,   7,  "deposit",   64 << 10) \
	X(GRANT,     8,  "grant",     256 << 10) \
	X(RECEIPT,   9,  "receipt",   16 << 10) \
	X(INVENTORY, 10, "inventory", 256 << 10) \
	X(UPLOAD,    11, "upload",    4 << 20)
/* clang-format on */

enum hf_object {
#define HF_OBJECT_ENUM(kind, number, name, max) HF_OBJECT_##kind = (number),
	HF_OBJECT_LIST(HF_OBJECT_ENUM)
#undef HF_OBJECT_ENUM
};

enum {
	HF_OBJECT_KINDS = 11,    /* numbers are 1 .. this */
	HF_OBJECT_PATH_MAX = 80, /* room of "inventory/<hex>" with its terminator */
	HF_LABEL_LEN = 16,       /* bytes of the label that starts every hash, KDF and AAD input */
	HF_ROLE_KEYS_MAX = 16,   /* keys of one role of the trust root */
};

/* Name of a kind; NULL for a number that is none. */
const char *hf_object_kind(enum hf_object kind);

/* The longest object of a kind that is read, in bytes. */
size_t hf_object_max(enum hf_object kind);

/* SM3 over the whole object: its name, for every kind but the pack. */
void hf_object_name(uint8_t name[HF_SM3_LEN], const uint8_t *object, size_t len);

/* "table/<hex>", with terminator. */
void hf_object_path(
	char out[HF_OBJECT_PATH_MAX], enum hf_object kind, const uint8_t name[HF_SM3_LEN]);

/* HF_ERR_FORMAT: not exactly such a path, in lower case. On failure nothing is changed. */
HF_MUST_USE hf_err hf_object_path_parse(
	enum hf_object *kind, uint8_t name[HF_SM3_LEN], const char *path, size_t path_len);

/* Keys of which a threshold must have signed. Keys differ from each other; 1 <= threshold <= n. */
struct hf_key_set {
	struct hf_sm2_pub keys[HF_ROLE_KEYS_MAX];
	unsigned n;
	unsigned threshold;
};

/* A set of one key, threshold 1. */
struct hf_key_set hf_key_set_one(const struct hf_sm2_pub *key);

/*
 * Appends content signed by n signers to out. HF_ERR_LIMIT: longer than the kind may be.
 * Errors of the signers.
 */
HF_MUST_USE hf_err hf_object_sign(struct hf_buf *out, enum hf_object kind, struct hf_bytes content,
	const struct hf_signer *const *signers, size_t n, struct hf_errinfo *ei);

/*
 * Checks that at least a threshold of distinct keys of the set have signed and gives the content
 * (borrowed from in) and how many did (n_signed may be NULL). HF_ERR_LIMIT: longer than the kind
 * may be. HF_ERR_AUTH: too few signatures. HF_ERR_FORMAT, HF_ERR_TRUNCATED: no such object.
 */
HF_MUST_USE hf_err hf_object_open(struct hf_bytes *content, unsigned *n_signed, enum hf_object kind,
	struct hf_bytes in, const struct hf_key_set *set, struct hf_errinfo *ei);

/*
 * The content of a signed object without any check of who signed: for tools that show, and to learn
 * who claims to have signed. Errors as hf_object_open, but never HF_ERR_AUTH.
 */
HF_MUST_USE hf_err hf_object_peek(
	struct hf_bytes *content, enum hf_object kind, struct hf_bytes in, struct hf_errinfo *ei);

#endif
