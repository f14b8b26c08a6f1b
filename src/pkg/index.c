/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealed index pages and the key commitment.
 *
 * A base nonce meets each page number once per sealing: the salt is fresh, so key and base nonce
 * are too, and the writer numbers its pages.
 */
#include "pkg/index.h"

#include <string.h>

#include "base/ct.h"
#include "base/endian.h"
#include "base/rd.h"
#include "base/wipe.h"
#include "base/wr.h"
#include "crypto/kdf.h"
#include "pkg/label.h"

enum {
	INFO_LEN = HF_LABEL_LEN + HF_SM3_LEN + 8,
	AAD_LEN = HF_LABEL_LEN + HF_SM3_LEN + 8 + 4 + 4,
	OKM_LEN = HF_SM4_KEY_LEN + HF_GCM_NONCE_LEN,
};

static void emit_info(uint8_t info[INFO_LEN], const char *label, const struct hf_pkg_scope *scope)
{
	struct hf_writer w = { .p = info, .cap = INFO_LEN };

	hf_wr_put(&w, label, HF_LABEL_LEN);
	hf_wr_put(&w, scope->domain_id, HF_SM3_LEN);
	hf_wr_u64(&w, scope->release);
}

hf_err hf_index_keys_init(struct hf_index_keys *k, uint8_t commitment[HF_SM3_LEN],
	const uint8_t cek[HF_CEK_LEN], const uint8_t salt[HF_PKG_SALT_LEN],
	const struct hf_pkg_scope *scope)
{
	struct hf_index_keys v = { .scope = *scope };
	uint8_t prk[HF_SM3_LEN];
	uint8_t okm[OKM_LEN];
	uint8_t info[INFO_LEN];
	hf_err e;

	hf_hkdf_extract(prk, salt, HF_PKG_SALT_LEN, cek, HF_CEK_LEN);
	emit_info(info, HF_LABEL_INDEX, scope);
	e = hf_hkdf_expand(okm, sizeof(okm), prk, info, sizeof(info));
	if (e != HF_OK)
		goto out;
	/* One block of HMAC-SM3 under a key that is one: two content keys with one commitment would
	 * be a collision of SM3. */
	emit_info(info, HF_LABEL_COMMIT, scope);
	e = hf_hkdf_expand(commitment, HF_SM3_LEN, prk, info, sizeof(info));
	if (e != HF_OK)
		goto out;
	e = hf_gcm_init(&v.gcm, okm);
	if (e != HF_OK)
		goto out;
	memcpy(v.nonce, okm + HF_SM4_KEY_LEN, sizeof(v.nonce));
	*k = v;
out:
	hf_index_keys_clear(&v);
	hf_wipe(okm, sizeof(okm));
	hf_wipe(prk, sizeof(prk));
	return e;
}

hf_err hf_index_keys_open(struct hf_index_keys *k, const struct hf_pkg_body *body,
	const uint8_t cek[HF_CEK_LEN], const struct hf_pkg_scope *scope)
{
	uint8_t commitment[HF_SM3_LEN];
	hf_err e = hf_index_keys_init(k, commitment, cek, body->salt, scope);

	if (e == HF_OK && !hf_ct_eq(commitment, body->commitment, HF_SM3_LEN))
		e = HF_ERR_AUTH;
	if (e != HF_OK)
		hf_index_keys_clear(k);
	hf_wipe(commitment, sizeof(commitment));
	return e;
}

void hf_index_keys_clear(struct hf_index_keys *k)
{
	hf_wipe(k, sizeof(*k));
}

void hf_index_entry_put(uint8_t out[HF_INDEX_ENTRY_LEN], const struct hf_chunk *c)
{
	struct hf_writer w = { .p = out, .cap = HF_INDEX_ENTRY_LEN };

	hf_wr_put(&w, c->key, sizeof(c->key));
	hf_wr_put(&w, c->nonce, sizeof(c->nonce));
	hf_wr_u32(&w, c->plain_len);
	hf_wr_u32(&w, c->encoded_len);
	hf_wr_u8(&w, c->coding.id);
	hf_wr_u8(&w, c->coding.width);
	hf_wr_u16(&w, c->n_sites);
	hf_wr_u32(&w, c->base);
	hf_wr_u64(&w, c->base_chunk);
	hf_wr_u32(&w, c->file);
	hf_wr_u32(&w, c->tensor);
	hf_wr_u64(&w, c->offset);
}

/* Codecs of later versions are let through: opening their chunks is what is refused. */
static bool coding_fits(const struct hf_chunk *c)
{
	if (hf_codec_name(c->coding.id) == NULL)
		return true;
	if (!hf_coding_is_valid(c->coding) || c->base > 1 || (c->base == 0 && c->base_chunk != 0) ||
		(c->base == 1) != (c->coding.id == HF_CODEC_XOR_PLANES_ZSTD))
		return false;
	return c->coding.id != HF_CODEC_NONE || c->encoded_len == c->plain_len;
}

hf_err hf_index_entry_get(struct hf_chunk *c, const uint8_t in[HF_INDEX_ENTRY_LEN])
{
	struct hf_reader r = { .p = in, .left = HF_INDEX_ENTRY_LEN };
	struct hf_chunk v = { 0 };

	hf_rd_copy(&r, v.key, sizeof(v.key));
	hf_rd_copy(&r, v.nonce, sizeof(v.nonce));
	v.plain_len = hf_rd_u32(&r);
	v.encoded_len = hf_rd_u32(&r);
	v.coding.id = hf_rd_u8(&r);
	v.coding.width = hf_rd_u8(&r);
	v.n_sites = hf_rd_u16(&r);
	v.base = hf_rd_u32(&r);
	v.base_chunk = hf_rd_u64(&r);
	v.file = hf_rd_u32(&r);
	v.tensor = hf_rd_u32(&r);
	v.offset = hf_rd_u64(&r);
	HF_TRY(hf_rd_done(&r));
	if (!coding_fits(&v) || v.plain_len == 0 || v.plain_len > HF_CHUNK_PLAIN_MAX ||
		v.encoded_len == 0 || v.encoded_len > v.plain_len) {
		hf_wipe(&v, sizeof(v));
		return HF_ERR_FORMAT;
	}
	*c = v;
	hf_wipe(&v, sizeof(v));
	return HF_OK;
}

/* Nonce and additional data of a page. */
static void page_inputs(uint8_t nonce[HF_GCM_NONCE_LEN], uint8_t aad[AAD_LEN],
	const struct hf_index_keys *k, uint32_t page, uint32_t n)
{
	struct hf_writer w = { .p = aad, .cap = AAD_LEN };
	uint8_t *last = nonce + (HF_GCM_NONCE_LEN - 4);

	memcpy(nonce, k->nonce, HF_GCM_NONCE_LEN);
	hf_put_be32(last, hf_get_be32(last) ^ page);
	hf_wr_put(&w, HF_LABEL_PAGE, HF_LABEL_LEN);
	hf_wr_put(&w, k->scope.domain_id, HF_SM3_LEN);
	hf_wr_u64(&w, k->scope.release);
	hf_wr_u32(&w, page);
	hf_wr_u32(&w, n);
}

hf_err hf_index_page_seal(uint8_t *out, const struct hf_index_keys *k, uint32_t page,
	const uint8_t *entries, uint32_t n)
{
	size_t len = (size_t)n * HF_INDEX_ENTRY_LEN;
	uint8_t nonce[HF_GCM_NONCE_LEN];
	uint8_t aad[AAD_LEN];
	struct hf_aead a = { .nonce = nonce,
		.nonce_len = sizeof(nonce),
		.aad = aad,
		.aad_len = sizeof(aad),
		.in = entries,
		.in_len = len,
		.out = out + HF_INDEX_HEAD_LEN,
		.tag = out + HF_INDEX_HEAD_LEN + len,
		.tag_len = HF_GCM_TAG_LEN };

	if (n == 0 || n > HF_PAGE_ENTRIES)
		return HF_ERR_ARG;
	memcpy(out, HF_INDEX_MAGIC, HF_INDEX_MAGIC_LEN);
	hf_put_be32(out + HF_INDEX_MAGIC_LEN, page);
	hf_put_be32(out + HF_INDEX_MAGIC_LEN + 4, n);
	page_inputs(nonce, aad, k, page, n);
	return hf_gcm_seal(&k->gcm, &a);
}

hf_err hf_index_page_open(uint8_t *entries, uint32_t *n, const struct hf_index_keys *k,
	uint32_t page, const uint8_t *in, size_t in_len)
{
	struct hf_reader r = { .p = in, .left = in_len };
	const uint8_t *magic = hf_rd_take(&r, HF_INDEX_MAGIC_LEN);
	uint32_t found_page = hf_rd_u32(&r);
	uint32_t found_n = hf_rd_u32(&r);
	size_t len = (size_t)found_n * HF_INDEX_ENTRY_LEN;
	uint8_t nonce[HF_GCM_NONCE_LEN];
	uint8_t aad[AAD_LEN];
	uint8_t tag[HF_GCM_TAG_LEN];
	struct hf_aead a = { .nonce = nonce,
		.nonce_len = sizeof(nonce),
		.aad = aad,
		.aad_len = sizeof(aad),
		.out = entries,
		.tag = tag,
		.tag_len = sizeof(tag) };

	if (found_n > HF_PAGE_ENTRIES)
		return HF_ERR_FORMAT;
	a.in_len = len;
	a.in = hf_rd_take(&r, len);
	hf_rd_copy(&r, tag, sizeof(tag));
	HF_TRY(hf_rd_done(&r));
	if (found_n == 0 || memcmp(magic, HF_INDEX_MAGIC, HF_INDEX_MAGIC_LEN) != 0)
		return HF_ERR_FORMAT;
	if (found_page != page)
		return HF_ERR_AUTH;
	page_inputs(nonce, aad, k, page, found_n);
	HF_TRY(hf_gcm_open(&k->gcm, &a)); /* zeroes entries when it fails */
	*n = found_n;
	return HF_OK;
}
