/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of SM4: the block cipher, XTS, GCM and CCM. */
#include <string.h>

#include "base/endian.h"
#include "crypto/ccm.h"
#include "crypto/gcm.h"
#include "crypto/sm4.h"
#include "crypto/xts.h"
#include "vec_run.h"

enum { ROUNDS_MAX = 100000000 }; /* encryptions of one block in a row */

/* The key; false: the case is settled. SM4 has one length of keys, so others are not ours. */
bool vec_sm4_key(struct vec_run *r, const char *name, uint8_t key[HF_SM4_KEY_LEN])
{
	struct hf_bytes b = vec_need(r, name);

	if (!vec_is_open(r))
		return false;
	if (b.len != HF_SM4_KEY_LEN && vec_must_accept(r))
		vec_fail(r, "%s is of %zu bytes; SM4 has %d", name, b.len, HF_SM4_KEY_LEN);
	if (!vec_has_len(r, name, b, HF_SM4_KEY_LEN))
		return false;
	memcpy(key, b.p, HF_SM4_KEY_LEN);
	return true;
}

static void check_round_keys(struct vec_run *r, const struct hf_sm4_key *k)
{
	uint8_t rk[4 * HF_SM4_ROUNDS];

	for (size_t i = 0; i < HF_SM4_ROUNDS; i++)
		hf_put_be32(rk + 4 * i, k->rk[i]);
	vec_expect(r, "RoundKeys", rk, sizeof(rk));
}

/* GB/T 32907-2016 A.2: one block, encrypted RoundsCount times in a row. */
static void check_rounds(struct vec_run *r, const struct hf_sm4_key *k, uint64_t n)
{
	struct hf_bytes plain = vec_need(r, "Plaintext");
	struct hf_bytes cipher = vec_need(r, "Ciphertext");
	uint8_t b[HF_SM4_BLOCK_LEN];

	if (!vec_is_open(r) || !vec_has_len(r, "Plaintext", plain, sizeof(b)) ||
		!vec_has_len(r, "Ciphertext", cipher, sizeof(b)))
		return;
	memcpy(b, plain.p, sizeof(b));
	for (uint64_t i = 0; i < n; i++)
		if (!vec_ok(r, "encrypt", hf_sm4_ecb_encrypt(k, b, b, 1)))
			return;
	vec_expect(r, "Ciphertext", b, sizeof(b));
	for (uint64_t i = 0; i < n; i++)
		if (!vec_ok(r, "decrypt", hf_sm4_ecb_decrypt(k, b, b, 1)))
			return;
	vec_expect(r, "Plaintext", b, sizeof(b));
}

void vec_run_sm4_ecb(struct vec_run *r)
{
	uint64_t n = vec_number(r, "RoundsCount", 1, ROUNDS_MAX);
	uint8_t key[HF_SM4_KEY_LEN];
	struct hf_sm4_key k;

	if (!vec_sm4_key(r, "Key", key))
		return;
	if (!vec_has(r, "RoundsCount"))
		vec_run_sm4_mode(r);
	hf_sm4_init(&k, key);
	check_round_keys(r, &k);
	if (vec_has(r, "RoundsCount"))
		check_rounds(r, &k, n);
	hf_sm4_clear(&k);
}

/* One way of one data unit. */
static void check_unit(
	struct vec_run *r, const struct hf_xts_key *k, const uint8_t *tweak, bool encrypt)
{
	struct hf_bytes in = vec_need(r, encrypt ? "Plaintext" : "Ciphertext");
	uint8_t *out = vec_room(r, in.len);
	hf_err e;

	if (!vec_is_open(r) || out == NULL)
		return;
	e = (encrypt ? hf_xts_encrypt : hf_xts_decrypt)(k, tweak, out, in.p, in.len);
	vec_verdict(r, encrypt ? "encrypt" : "decrypt", e == HF_OK);
	if (e == HF_OK)
		vec_expect(r, encrypt ? "Ciphertext" : "Plaintext", out, in.len);
}

void vec_run_sm4_xts(struct vec_run *r)
{
	struct hf_bytes key = vec_need(r, "Key");
	struct hf_bytes tweak = vec_need(r, "Tweak");
	struct hf_xts_key k;

	if (!vec_has(r, "ConventionText"))
		vec_fail(r, "which order of bits the tweak has is not said; add ConventionText");
	else if (!vec_text_is(r, "ConventionText", "GB") &&
		 !vec_text_is(r, "ConventionText", "IEEE"))
		vec_fail(r, "ConventionText is neither GB nor IEEE");
	if (!vec_is_open(r) || !vec_has_len(r, "Key", key, HF_XTS_KEY_LEN) ||
		!vec_has_len(r, "Tweak", tweak, HF_XTS_TWEAK_LEN))
		return;
	hf_xts_init(&k, key.p, vec_text_is(r, "ConventionText", "GB") ? HF_XTS_GB : HF_XTS_IEEE);
	check_unit(r, &k, tweak.p, true);
	check_unit(r, &k, tweak.p, false);
	hf_xts_clear(&k);
}

/* Either AEAD; key is the hf_gcm_key or the hf_sm4_key. */
struct aead {
	hf_err (*seal)(const void *key, const struct hf_aead *a);
	hf_err (*open)(const void *key, const struct hf_aead *a);
};

static hf_err gcm_seal(const void *key, const struct hf_aead *a)
{
	return hf_gcm_seal(key, a);
}

static hf_err gcm_open(const void *key, const struct hf_aead *a)
{
	return hf_gcm_open(key, a);
}

static hf_err ccm_seal(const void *key, const struct hf_aead *a)
{
	return hf_ccm_seal(key, a);
}

static hf_err ccm_open(const void *key, const struct hf_aead *a)
{
	return hf_ccm_open(key, a);
}

/* Opening must end as ResultText says; what may be opened must also come out of sealing. */
static void check_aead(struct vec_run *r, const struct aead *how, const void *key)
{
	struct hf_bytes nonce = vec_need(r, vec_has(r, "Iv") ? "Iv" : "Nonce");
	struct hf_bytes aad = vec_want(r, "Aad");
	struct hf_bytes plain = vec_want(r, "Plaintext");
	struct hf_bytes cipher = vec_want(r, "Ciphertext");
	struct hf_bytes tag = vec_need(r, "Tag");
	uint8_t *out = vec_room(r, cipher.len > plain.len ? cipher.len : plain.len);
	uint8_t *made = vec_room(r, tag.len);
	uint8_t *given = vec_room(r, tag.len);
	struct hf_aead a = { nonce.p, nonce.len, aad.p, aad.len, cipher.p, cipher.len, out, given,
		tag.len };
	bool accepted;

	if (!vec_is_open(r))
		return;
	if (tag.len > 0)
		memcpy(given, tag.p, tag.len);
	accepted = how->open(key, &a) == HF_OK;
	vec_verdict(r, "open", accepted);
	if (!accepted || !vec_must_accept(r))
		return;
	vec_expect(r, "Plaintext", out, cipher.len);
	a.in = plain.p;
	a.in_len = plain.len;
	a.tag = made;
	if (!vec_ok(r, "seal", how->seal(key, &a)))
		return;
	vec_expect(r, "Ciphertext", out, plain.len);
	vec_expect(r, "Tag", made, tag.len);
}

void vec_run_sm4_gcm(struct vec_run *r)
{
	static const struct aead gcm = { gcm_seal, gcm_open };
	uint8_t key[HF_SM4_KEY_LEN];
	struct hf_gcm_key k;

	if (!vec_sm4_key(r, "Key", key))
		return;
	if (vec_ok(r, "key", hf_gcm_init(&k, key)))
		check_aead(r, &gcm, &k);
	hf_gcm_clear(&k);
}

void vec_run_sm4_ccm(struct vec_run *r)
{
	static const struct aead ccm = { ccm_seal, ccm_open };
	uint8_t key[HF_SM4_KEY_LEN];
	struct hf_sm4_key k;

	if (!vec_sm4_key(r, "Key", key))
		return;
	hf_sm4_init(&k, key);
	check_aead(r, &ccm, &k);
	hf_sm4_clear(&k);
}
