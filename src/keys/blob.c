/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HFKB v1, all integers big-endian:
 *
 *   0 'HFKB'   4 version 1   5 alg 1   6 u16 flags   8 wrap key id (16)   24 u32 wrap key version
 *   28 key id (16)   44 u32 key version   48 tier   49 level   50 u16 usage   52 u64 not before
 *   60 u64 not after   68 u16 context length   70 context   salt (32)   commitment (32)
 *   u16 ciphertext length   ciphertext   tag (16)
 *
 * Invariants: 1. header and context are the additional data, so nothing in a blob can be altered.
 * 2. The key is derived from the salt and from a hash of header and context, so it is used once and
 * the nonce may be zero. 3. The commitment is compared before the tag is.
 */
#include "keys/blob.h"

#include <string.h>

#include "base/ct.h"
#include "base/rd.h"
#include "base/wipe.h"
#include "base/wr.h"
#include "crypto/gcm.h"
#include "crypto/hmac.h"
#include "crypto/kdf.h"

enum {
	BLOB_VERSION = 1,
	BLOB_ALG_SM4_GCM = 1, /* HKDF-SM3 + SM4-GCM */
	BLOB_SALT_LEN = 32,
	BLOB_COMMIT_LEN = 32,
};

static const uint8_t blob_magic[4] = { 'H', 'F', 'K', 'B' };

/* A blob taken apart; slices borrow from the input. */
struct blob {
	struct hf_blob_info info;
	const uint8_t *head; /* header and context */
	size_t head_len;
	const uint8_t *salt;
	const uint8_t *commit;
	const uint8_t *ct;
	size_t ct_len;
	const uint8_t *tag;
};

/* The single-use key and what proves that it is the right one. */
struct blob_keys {
	uint8_t wrap[HF_SM4_KEY_LEN];
	uint8_t commit[BLOB_COMMIT_LEN];
};

static hf_err derive(struct blob_keys *out, const uint8_t seed[HF_KEY_SEED_LEN],
	const uint8_t *salt, const uint8_t *head, size_t head_len)
{
	static const char label[] = "hufu/keyblob/1";
	uint8_t info[sizeof(label) - 1 + HF_SM3_LEN];
	uint8_t okm[HF_SM4_KEY_LEN + 32];
	hf_err e;

	memcpy(info, label, sizeof(label) - 1);
	hf_sm3(info + sizeof(label) - 1, head, head_len);
	e = hf_hkdf(
		okm, sizeof(okm), salt, BLOB_SALT_LEN, seed, HF_KEY_SEED_LEN, info, sizeof(info));
	if (e == HF_OK) {
		memcpy(out->wrap, okm, sizeof(out->wrap));
		hf_hmac_sm3(out->commit, okm + HF_SM4_KEY_LEN, 32, "commit", 6);
	}
	hf_wipe(okm, sizeof(okm));
	return e;
}

static void emit_head(struct hf_writer *w, const struct hf_blob_info *info)
{
	hf_wr_put(w, blob_magic, sizeof(blob_magic));
	hf_wr_u8(w, BLOB_VERSION);
	hf_wr_u8(w, BLOB_ALG_SM4_GCM);
	hf_wr_u16(w, info->flags);
	hf_wr_put(w, info->wrap_key_id, HF_KEY_ID_LEN);
	hf_wr_u32(w, info->wrap_key_version);
	hf_wr_put(w, info->key_id, HF_KEY_ID_LEN);
	hf_wr_u32(w, info->key_version);
	hf_wr_u8(w, info->tier);
	hf_wr_u8(w, info->level);
	hf_wr_u16(w, info->usage);
	hf_wr_u64(w, info->not_before);
	hf_wr_u64(w, info->not_after);
	hf_wr_u16(w, (uint16_t)info->context_len);
	hf_wr_put(w, info->context, info->context_len);
}

static hf_err seal(const struct blob_keys *keys, uint8_t *out, uint8_t *tag, const uint8_t *plain,
	size_t plain_len, const uint8_t *head, size_t head_len)
{
	static const uint8_t nonce[HF_GCM_NONCE_LEN] = { 0 };
	struct hf_gcm_key gcm = { 0 };
	struct hf_aead a = {
		.nonce = nonce,
		.nonce_len = sizeof(nonce),
		.aad = head,
		.aad_len = head_len,
		.in = plain,
		.in_len = plain_len,
		.out = out,
		.tag = tag,
		.tag_len = HF_GCM_TAG_LEN,
	};
	hf_err e = hf_gcm_init(&gcm, keys->wrap);

	if (e == HF_OK)
		e = hf_gcm_seal(&gcm, &a);
	hf_gcm_clear(&gcm);
	return e;
}

hf_err hf_blob_wrap(uint8_t *out, size_t *out_len, const struct hf_blob_info *info,
	const uint8_t seed[HF_KEY_SEED_LEN], const uint8_t *plain, size_t plain_len,
	const struct hf_rng *rng)
{
	struct hf_writer w = { .p = out, .cap = *out_len };
	struct blob_keys keys = { 0 };
	uint8_t *salt;
	uint8_t *commit;
	uint8_t *ct;
	uint8_t *tag;
	size_t head_len;
	hf_err e;

	if (info->context_len > HF_BLOB_CONTEXT_MAX || plain_len > HF_BLOB_PLAIN_MAX)
		return HF_ERR_LIMIT;
	emit_head(&w, info);
	head_len = w.len;
	salt = hf_wr_room(&w, BLOB_SALT_LEN);
	commit = hf_wr_room(&w, BLOB_COMMIT_LEN);
	hf_wr_u16(&w, (uint16_t)plain_len);
	ct = hf_wr_room(&w, plain_len);
	tag = hf_wr_room(&w, HF_GCM_TAG_LEN);
	HF_TRY(hf_wr_done(&w));

	e = hf_rng_fill(rng, salt, BLOB_SALT_LEN);
	if (e != HF_OK)
		goto out;
	e = derive(&keys, seed, salt, out, head_len);
	if (e != HF_OK)
		goto out;
	memcpy(commit, keys.commit, BLOB_COMMIT_LEN);
	e = seal(&keys, ct, tag, plain, plain_len, out, head_len);
	if (e == HF_OK)
		*out_len = w.len;
out:
	if (e != HF_OK)
		hf_wipe(out, w.len);
	hf_wipe(&keys, sizeof(keys));
	return e;
}

static hf_err blob_parse(struct blob *out, const uint8_t *in, size_t in_len)
{
	struct hf_reader r = { .p = in, .left = in_len };
	struct blob b = { .head = in };
	const uint8_t *magic = hf_rd_take(&r, sizeof(blob_magic));
	uint8_t version = hf_rd_u8(&r);
	uint8_t alg = hf_rd_u8(&r);

	b.info.flags = hf_rd_u16(&r);
	hf_rd_copy(&r, b.info.wrap_key_id, HF_KEY_ID_LEN);
	b.info.wrap_key_version = hf_rd_u32(&r);
	hf_rd_copy(&r, b.info.key_id, HF_KEY_ID_LEN);
	b.info.key_version = hf_rd_u32(&r);
	b.info.tier = hf_rd_u8(&r);
	b.info.level = hf_rd_u8(&r);
	b.info.usage = hf_rd_u16(&r);
	b.info.not_before = hf_rd_u64(&r);
	b.info.not_after = hf_rd_u64(&r);
	b.info.context_len = hf_rd_u16(&r);
	b.info.context = (const char *)hf_rd_take(&r, b.info.context_len);
	b.head_len = in_len - r.left;
	b.salt = hf_rd_take(&r, BLOB_SALT_LEN);
	b.commit = hf_rd_take(&r, BLOB_COMMIT_LEN);
	b.ct_len = hf_rd_u16(&r);
	b.ct = hf_rd_take(&r, b.ct_len);
	b.tag = hf_rd_take(&r, HF_GCM_TAG_LEN);
	HF_TRY(hf_rd_done(&r));
	if (memcmp(magic, blob_magic, sizeof(blob_magic)) != 0)
		return HF_ERR_FORMAT;
	if (version != BLOB_VERSION || alg != BLOB_ALG_SM4_GCM)
		return HF_ERR_UNSUPPORTED;
	if (b.info.flags != 0) /* of a later version: what they ask for is not known here */
		return HF_ERR_UNSUPPORTED;
	if (b.info.context_len > HF_BLOB_CONTEXT_MAX || b.ct_len > HF_BLOB_PLAIN_MAX)
		return HF_ERR_LIMIT;
	*out = b;
	return HF_OK;
}

hf_err hf_blob_parse(struct hf_blob_info *info, const uint8_t *in, size_t in_len)
{
	struct blob b = { 0 };

	HF_TRY(blob_parse(&b, in, in_len));
	*info = b.info;
	return HF_OK;
}

static hf_err open_blob(const struct blob_keys *keys, uint8_t *plain, const struct blob *b)
{
	static const uint8_t nonce[HF_GCM_NONCE_LEN] = { 0 };
	uint8_t tag[HF_GCM_TAG_LEN];
	struct hf_gcm_key gcm = { 0 };
	struct hf_aead a = {
		.nonce = nonce,
		.nonce_len = sizeof(nonce),
		.aad = b->head,
		.aad_len = b->head_len,
		.in = b->ct,
		.in_len = b->ct_len,
		.out = plain,
		.tag = tag,
		.tag_len = sizeof(tag),
	};
	hf_err e;

	memcpy(tag, b->tag, sizeof(tag));
	e = hf_gcm_init(&gcm, keys->wrap);
	if (e == HF_OK)
		e = hf_gcm_open(&gcm, &a);
	hf_gcm_clear(&gcm);
	return e;
}

hf_err hf_blob_unwrap(uint8_t *plain, size_t *plain_len, const uint8_t seed[HF_KEY_SEED_LEN],
	const char *context, const uint8_t *in, size_t in_len)
{
	struct blob_keys keys = { 0 };
	struct blob b = { 0 };
	size_t room = *plain_len;
	hf_err e = blob_parse(&b, in, in_len);

	if (e != HF_OK)
		goto out;
	e = HF_ERR_LIMIT;
	if (b.ct_len > room)
		goto out;
	e = HF_ERR_AUTH;
	if (strlen(context) != b.info.context_len ||
		memcmp(context, b.info.context, b.info.context_len) != 0)
		goto out;
	e = derive(&keys, seed, b.salt, b.head, b.head_len);
	if (e != HF_OK)
		goto out;
	e = HF_ERR_AUTH;
	if (!hf_ct_eq(keys.commit, b.commit, BLOB_COMMIT_LEN))
		goto out;
	e = open_blob(&keys, plain, &b);
	if (e == HF_OK)
		*plain_len = b.ct_len;
out:
	if (e != HF_OK)
		hf_wipe(plain, room);
	hf_wipe(&keys, sizeof(keys));
	return e;
}
