/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealing and opening of one chunk.
 *
 *  1. A chunk's key depends on all that it encrypts: encoded bytes, lengths, codec, suite, base. So
 *     one (key, nonce) never meets two messages, and equal chunks of a lineage are equal sealed.
 *  2. Opening checks length, cid and tag before a byte is decoded, and zeroes what it wrote on any
 *     failure: not one byte of a chunk leaves before its checks.
 */
#include "pkg/chunk.h"

#include <string.h>

#include "base/wipe.h"
#include "base/wr.h"
#include "crypto/gcm.h"
#include "crypto/kdf.h"
#include "crypto/tree.h"
#include "pkg/label.h"

enum {
	AAD_LEN = HF_LABEL_LEN + 2 + 1 + 1 + 4 + 4 + HF_SM3_LEN,
	PID_LEN = HF_LABEL_LEN + 2 + 1 + 1 + HF_SM3_LEN + 4 + 4 + HF_SM3_LEN,
	CK_INFO_MAX = HF_LABEL_LEN + HF_SM3_LEN + HF_PKG_SALT_LEN,
	CK_LEN = HF_SM4_KEY_LEN + HF_CHUNK_NONCE_LEN,
};

hf_err hf_chunk_keys_init(struct hf_chunk_keys *k, const uint8_t k_dom[HF_KDOM_LEN],
	const struct hf_pkg_scope *scope, const uint8_t *salt)
{
	struct hf_chunk_keys v = { .suite = scope->suite, .has_salt = salt != NULL };
	uint8_t id_key[HF_SM3_LEN];
	hf_err e;

	if (scope->suite != HF_SUITE_SM4_GCM)
		return HF_ERR_UNSUPPORTED;
	memcpy(v.domain_id, scope->domain_id, HF_SM3_LEN);
	if (salt != NULL)
		memcpy(v.salt, salt, HF_PKG_SALT_LEN);
	hf_hkdf_extract(v.prk, NULL, 0, k_dom, HF_KDOM_LEN);
	e = hf_hkdf_expand(id_key, sizeof(id_key), v.prk, HF_LABEL_PID_KEY, HF_LABEL_LEN);
	if (e == HF_OK) {
		hf_hmac_init(&v.id, id_key, sizeof(id_key));
		*k = v;
	}
	hf_wipe(id_key, sizeof(id_key));
	hf_wipe(&v, sizeof(v));
	return e;
}

void hf_chunk_keys_clear(struct hf_chunk_keys *k)
{
	hf_wipe(k, sizeof(*k));
}

static void emit_aad(uint8_t aad[AAD_LEN], uint16_t suite, const uint8_t domain_id[HF_SM3_LEN],
	const struct hf_chunk *c)
{
	struct hf_writer w = { .p = aad, .cap = AAD_LEN };

	hf_wr_put(&w, HF_LABEL_AAD, HF_LABEL_LEN);
	hf_wr_u16(&w, suite);
	hf_wr_u8(&w, c->coding.id);
	hf_wr_u8(&w, c->coding.width);
	hf_wr_u32(&w, c->plain_len);
	hf_wr_u32(&w, c->encoded_len);
	hf_wr_put(&w, domain_id, HF_SM3_LEN);
}

/* Over the encoded bytes, not the plain ones: one plaintext under two codecs gets two keys. */
static void derive_pid(uint8_t pid[HF_SM3_LEN], const struct hf_chunk_keys *k,
	const struct hf_chunk *c, const uint8_t *base_id, const uint8_t *encoded)
{
	struct hf_hmac mac = k->id;
	uint8_t in[PID_LEN];
	uint8_t digest[HF_SM3_LEN];
	struct hf_writer w = { .p = in, .cap = sizeof(in) };

	hf_tree_sm3(digest, encoded, c->encoded_len);
	hf_wr_put(&w, HF_LABEL_PID, HF_LABEL_LEN);
	hf_wr_u16(&w, k->suite);
	hf_wr_u8(&w, c->coding.id);
	hf_wr_u8(&w, c->coding.width);
	hf_wr_put(&w, base_id, HF_SM3_LEN);
	hf_wr_u32(&w, c->plain_len);
	hf_wr_u32(&w, c->encoded_len);
	hf_wr_put(&w, digest, sizeof(digest));
	hf_hmac_feed(&mac, in, w.len);
	hf_hmac_done(&mac, pid);
	hf_wipe(digest, sizeof(digest));
	hf_wipe(in, sizeof(in));
}

static hf_err derive_key(struct hf_chunk *c, const struct hf_chunk_keys *k, const uint8_t *base_id,
	const uint8_t *encoded)
{
	uint8_t info[CK_INFO_MAX];
	uint8_t okm[CK_LEN];
	uint8_t pid[HF_SM3_LEN];
	struct hf_writer w = { .p = info, .cap = sizeof(info) };
	hf_err e;

	derive_pid(pid, k, c, base_id, encoded);
	hf_wr_put(&w, HF_LABEL_CHUNK, HF_LABEL_LEN);
	hf_wr_put(&w, pid, sizeof(pid));
	if (k->has_salt)
		hf_wr_put(&w, k->salt, sizeof(k->salt));
	e = hf_hkdf_expand(okm, sizeof(okm), k->prk, info, w.len);
	if (e == HF_OK) {
		memcpy(c->key, okm, HF_SM4_KEY_LEN);
		memcpy(c->nonce, okm + HF_SM4_KEY_LEN, HF_CHUNK_NONCE_LEN);
	}
	hf_wipe(okm, sizeof(okm));
	hf_wipe(info, sizeof(info));
	hf_wipe(pid, sizeof(pid));
	return e;
}

hf_err hf_chunk_seal(struct hf_sealed *s, const struct hf_chunk_keys *k, struct hf_codec *codec,
	const uint8_t *plain, size_t plain_len)
{
	static const uint8_t no_base[HF_SM3_LEN] = { 0 };
	const struct hf_chunk_base *base = s->base;
	struct hf_chunk c = s->chunk;
	struct hf_gcm_key gcm = { 0 };
	uint8_t aad[AAD_LEN];
	struct hf_encoded encoded = { .len = 0 };
	struct hf_aead a = { 0 };
	hf_err e;

	HF_TRY(hf_codec_encode(
		codec, &encoded, plain, plain_len, base == NULL ? NULL : base->plain));
	if (s->ct_cap < HF_CHUNK_TAG_LEN || encoded.len > s->ct_cap - HF_CHUNK_TAG_LEN)
		return HF_ERR_LIMIT;
	if (encoded.how.id != HF_CODEC_XOR_PLANES_ZSTD)
		base = NULL;
	c.coding = encoded.how;
	c.plain_len = (uint32_t)plain_len;
	c.encoded_len = (uint32_t)encoded.len;
	c.n_sites = 0;
	c.base = base != NULL;
	c.base_chunk = base == NULL ? 0 : base->chunk;
	e = derive_key(&c, k, base == NULL ? no_base : base->cid, encoded.p);
	if (e != HF_OK)
		goto out;
	e = hf_gcm_init(&gcm, c.key);
	if (e != HF_OK)
		goto out;
	emit_aad(aad, k->suite, k->domain_id, &c);
	a = (struct hf_aead){ .nonce = c.nonce,
		.nonce_len = sizeof(c.nonce),
		.aad = aad,
		.aad_len = sizeof(aad),
		.in = encoded.p,
		.in_len = encoded.len,
		.out = s->ct,
		.tag = s->ct + encoded.len,
		.tag_len = HF_CHUNK_TAG_LEN };
	e = hf_gcm_seal(&gcm, &a);
	if (e != HF_OK)
		goto out;
	hf_tree_sm3(s->cid, s->ct, encoded.len + HF_CHUNK_TAG_LEN);
	s->ct_len = encoded.len + HF_CHUNK_TAG_LEN;
	s->chunk = c;
out:
	hf_gcm_clear(&gcm);
	hf_wipe(&c, sizeof(c));
	return e;
}

hf_err hf_chunk_check(const struct hf_place *place, const uint8_t *ct, size_t ct_len)
{
	uint8_t cid[HF_SM3_LEN];

	if (ct_len != place->len)
		return HF_ERR_AUTH;
	hf_tree_sm3(cid, ct, ct_len);
	return memcmp(cid, place->cid, HF_SM3_LEN) == 0 ? HF_OK : HF_ERR_AUTH;
}

/* Decrypts into to, which is encoded_len bytes long. */
static hf_err decrypt(const struct hf_opening *o, uint8_t *to)
{
	const struct hf_chunk *c = o->chunk;
	struct hf_gcm_key gcm = { 0 };
	uint8_t tag[HF_CHUNK_TAG_LEN];
	uint8_t aad[AAD_LEN];
	struct hf_aead a = { .nonce = c->nonce,
		.nonce_len = sizeof(c->nonce),
		.aad = aad,
		.aad_len = sizeof(aad),
		.in = o->ct,
		.in_len = c->encoded_len,
		.out = to,
		.tag = tag,
		.tag_len = sizeof(tag) };
	hf_err e = hf_gcm_init(&gcm, c->key);

	if (e == HF_OK) {
		memcpy(tag, o->ct + c->encoded_len, sizeof(tag));
		emit_aad(aad, o->scope->suite, o->scope->domain_id, c);
		e = hf_gcm_open(&gcm, &a);
	}
	hf_gcm_clear(&gcm);
	return e;
}

/*
 * Decrypts and decodes what has been checked. Planes are decrypted to where the plaintext goes and
 * sorted back out of the codec's scratch: opening needs no third buffer.
 */
static hf_err decode(const struct hf_opening *o, struct hf_codec *codec)
{
	const struct hf_chunk *c = o->chunk;
	struct hf_decoding d = { .how = c->coding,
		.plain = o->out,
		.plain_len = c->plain_len,
		.in_len = c->encoded_len,
		.base = o->base };
	uint8_t *to = c->coding.id == HF_CODEC_ZSTD ? codec->scratch : o->out;

	if (c->coding.id == HF_CODEC_NONE)
		return c->encoded_len == c->plain_len ? decrypt(o, o->out) : HF_ERR_AUTH;
	if (to == NULL || codec->use != HF_CODEC_DECODE)
		return HF_ERR_ARG;
	HF_TRY(decrypt(o, to));
	d.in = to;
	return hf_codec_decode(codec, &d);
}

hf_err hf_chunk_open(const struct hf_opening *o, struct hf_codec *codec)
{
	const struct hf_chunk *c = o->chunk;
	hf_err e;

	if (c->plain_len > o->out_cap || c->plain_len > codec->chunk_max)
		return HF_ERR_LIMIT;
	if (c->n_sites != 0 || !hf_coding_is_valid(c->coding))
		e = HF_ERR_UNSUPPORTED;
	else if (c->base != 0 && o->base == NULL)
		e = HF_ERR_ARG;
	else if (o->ct_len != (size_t)c->encoded_len + HF_CHUNK_TAG_LEN ||
		 c->encoded_len > c->plain_len || c->plain_len == 0)
		e = HF_ERR_AUTH;
	else
		e = hf_chunk_check(o->place, o->ct, o->ct_len);
	if (e == HF_OK)
		e = decode(o, codec);
	if (e != HF_OK)
		hf_wipe(o->out, c->plain_len);
	return e;
}
