/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Index pages, sealed under the content key (CEK): how to open each chunk. Page i describes the
 * chunks of table page i.
 *
 *	prk = HKDF-Extract(salt of this sealing, CEK)
 *	index key || base nonce = HKDF-Expand(prk, "hufu-index-v1" || domain id || u64 release)
 *	commitment = HKDF-Expand(prk, "hufu-commit-v1" || domain id || u64 release)
 *
 * The commitment is in the signed manifest and is compared before anything is decrypted: no second
 * key can open the same bytes to something else.
 *
 *	page  = "HFINDEX1" | u32 page | u32 n_entries | sealed entries | tag 16
 *	nonce = base nonce XOR page number (in its last 4 bytes)
 *	AAD   = "hufu-page-v1" || domain id || u64 release || u32 page || u32 n_entries
 *	entry = key 16 | nonce 12 | u32 plain | u32 encoded | u8 codec | u8 width | u16 sites |
 *	        u32 base | u64 base chunk | u32 file | u32 tensor | u64 offset
 */
#ifndef HF_PKG_INDEX_H
#define HF_PKG_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/gcm.h"
#include "pkg/body.h"
#include "pkg/chunk.h"

#define HF_INDEX_MAGIC "HFINDEX1"

enum {
	HF_INDEX_MAGIC_LEN = 8,
	HF_INDEX_HEAD_LEN = 16,
	HF_INDEX_ENTRY_LEN = 68,
	HF_INDEX_PAGE_MAX =
		HF_INDEX_HEAD_LEN + HF_PAGE_ENTRIES * HF_INDEX_ENTRY_LEN + HF_GCM_TAG_LEN,
};

/* What the content key gives for one sealing. Secret. */
struct hf_index_keys {
	struct hf_gcm_key gcm;
	uint8_t nonce[HF_GCM_NONCE_LEN]; /* base */
	struct hf_pkg_scope scope;
};

/* Derives; commitment (32 bytes) goes into the manifest. */
HF_MUST_USE hf_err hf_index_keys_init(struct hf_index_keys *k, uint8_t commitment[HF_SM3_LEN],
	const uint8_t cek[HF_CEK_LEN], const uint8_t salt[HF_PKG_SALT_LEN],
	const struct hf_pkg_scope *scope);

/*
 * Derives and compares with the body's commitment, in constant time. HF_ERR_AUTH: another content
 * key than the one that was committed to; *k is zero.
 */
HF_MUST_USE hf_err hf_index_keys_open(struct hf_index_keys *k, const struct hf_pkg_body *body,
	const uint8_t cek[HF_CEK_LEN], const struct hf_pkg_scope *scope);
void hf_index_keys_clear(struct hf_index_keys *k);

/* Entries as they are sealed. */
void hf_index_entry_put(uint8_t out[HF_INDEX_ENTRY_LEN], const struct hf_chunk *c);

/* HF_ERR_FORMAT: lengths that contradict each other or the limits, a codec and a width
 * or a base that do not go together. */
HF_MUST_USE hf_err hf_index_entry_get(struct hf_chunk *c, const uint8_t in[HF_INDEX_ENTRY_LEN]);

/*
 * Seals n entries (68 bytes each) into out, HF_INDEX_HEAD_LEN + n * 68 + 16 bytes. entries may be
 * out + HF_INDEX_HEAD_LEN.
 */
HF_MUST_USE hf_err hf_index_page_seal(uint8_t *out, const struct hf_index_keys *k, uint32_t page,
	const uint8_t *entries, uint32_t n);

/*
 * Opens a page into entries (room for HF_PAGE_ENTRIES * 68 bytes) and gives their number.
 * HF_ERR_AUTH: altered, another page, another package. On failure entries has been zeroed.
 */
HF_MUST_USE hf_err hf_index_page_open(uint8_t *entries, uint32_t *n, const struct hf_index_keys *k,
	uint32_t page, const uint8_t *in, size_t in_len);

#endif
