/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of the modes of SM4 that encrypt and do not authenticate. */
#include <inttypes.h>
#include <string.h>

#include "base/attr.h"
#include "base/wipe.h"
#include "crypto/hctr.h"
#include "crypto/sm4_modes.h"
#include "vec_run.h"

enum { STEP = 7 }; /* a piece that never fills a block evenly */

/* The same in pieces that never fill a block evenly. */
static hf_err run_pieces(const struct hf_sm4_key *k, enum hf_sm4_mode mode, unsigned how,
	const uint8_t *iv, uint8_t *out, size_t *out_len, struct hf_bytes in)
{
	struct hf_sm4_stream s;
	uint8_t last[HF_SM4_BLOCK_LEN];
	size_t at = 0;
	size_t n = 0;
	hf_err e = hf_sm4_stream_start(&s, k, mode, how, iv);

	while (e == HF_OK && in.len > 0) {
		size_t piece = in.len < STEP ? in.len : STEP;

		n = *out_len - at;
		e = hf_sm4_stream_feed(&s, out + at, &n, in.p, piece);
		at += e == HF_OK ? n : 0;
		in.p += piece;
		in.len -= piece;
	}
	n = 0;
	if (e == HF_OK)
		e = hf_sm4_stream_done(&s, last, &n);
	if (e == HF_OK && n > 0)
		memcpy(out + at, last, n);
	*out_len = at + n;
	hf_sm4_stream_end(&s);
	return e;
}

/* One direction, whole and in pieces, against the field of the other side. */
static void check_way(
	struct vec_run *r, enum hf_sm4_mode mode, const struct hf_sm4_key *k, unsigned how)
{
	bool decrypts = (how & HF_SM4_DECRYPT) != 0;
	struct hf_bytes in = vec_want(r, decrypts ? "Ciphertext" : "Plaintext");
	const char *want = decrypts ? "Plaintext" : "Ciphertext";
	const uint8_t *iv = vec_want(r, "Iv").p;
	size_t room = in.len + HF_SM4_BLOCK_LEN;
	uint8_t *out = vec_room(r, room);
	size_t n = room;
	hf_err e;

	if (out == NULL)
		return;
	e = hf_sm4_crypt(k, mode, how, iv, out, &n, in);
	vec_verdict(r, decrypts ? "decrypt" : "encrypt", e == HF_OK);
	if (e != HF_OK || !vec_must_accept(r))
		return;
	vec_expect(r, want, out, n);
	n = room;
	if (vec_ok(r, "in pieces", run_pieces(k, mode, how, iv, out, &n, in)))
		vec_expect(r, want, out, n);
}

/* A ciphertext that is as much longer as PKCS#7 makes it. */
static bool looks_padded(const struct vec_run *r, enum hf_sm4_mode mode)
{
	size_t plain = vec_want(r, "Plaintext").len;
	size_t cipher = vec_want(r, "Ciphertext").len;

	return mode <= HF_SM4_OFBNLF &&
	       cipher == plain - plain % HF_SM4_BLOCK_LEN + HF_SM4_BLOCK_LEN;
}

/*
 * PadText of a mode: none or PKCS#7; if it says nothing, what the lengths say. False: another one,
 * skipped.
 */
static bool get_padding(struct vec_run *r, enum hf_sm4_mode mode, unsigned *how)
{
	static const char *const none[] = { "-", "0", "none", "NONE", "NoPadding" };
	static const char *const pkcs7[] = { "PKCS7", "pkcs7", "PKCS#7", "PKCS7Padding" };
	const char *text = vec_text(r, "PadText");

	*how = text == NULL && looks_padded(r, mode) ? HF_SM4_PADDED : 0;
	for (size_t i = 0; text != NULL && i < HF_COUNT(none); i++)
		if (strcmp(text, none[i]) == 0)
			return true;
	for (size_t i = 0; text != NULL && i < HF_COUNT(pkcs7); i++)
		if (strcmp(text, pkcs7[i]) == 0)
			*how = HF_SM4_PADDED;
	if (text != NULL && *how == 0)
		vec_skip(r, "padding '%.40s': this version has PKCS7 or none", text);
	return vec_is_open(r);
}

/* The mode of the table's row. CFB may have fewer bits of feedback than a block. */
static enum hf_sm4_mode get_mode(struct vec_run *r)
{
	static const char *const names[HF_SM4_N_MODES] = {
		[HF_SM4_ECB] = "SM4-ECB",
		[HF_SM4_CBC] = "SM4-CBC",
		[HF_SM4_BC] = "SM4-BC",
		[HF_SM4_OFBNLF] = "SM4-OFBNLF",
		[HF_SM4_CFB] = "SM4-CFB",
		[HF_SM4_CFB8] = "SM4-CFB8",
		[HF_SM4_CFB1] = "SM4-CFB1",
		[HF_SM4_OFB] = "SM4-OFB",
		[HF_SM4_CTR] = "SM4-CTR",
	};
	uint64_t bits = vec_number(r, "SegmentBits", 0, UINT64_MAX);
	int mode = HF_SM4_N_MODES - 1;

	while (mode > 0 && strcmp(r->alg->name, names[mode]) != 0)
		mode--;
	if (mode == HF_SM4_CFB && bits == 8)
		mode = HF_SM4_CFB8;
	else if (mode == HF_SM4_CFB && bits == 1)
		mode = HF_SM4_CFB1;
	else if (mode == HF_SM4_CFB && bits != 0 && bits != 128)
		vec_skip(r, "feedback of %" PRIu64 " bits; this version has 1, 8 and 128", bits);
	return (enum hf_sm4_mode)mode;
}

void vec_run_sm4_mode(struct vec_run *r)
{
	enum hf_sm4_mode mode = get_mode(r);
	uint8_t key[HF_SM4_KEY_LEN];
	unsigned how = 0;
	struct hf_sm4_key k;

	(void)vec_need(r, "Plaintext");
	(void)vec_need(r, "Ciphertext");
	if (mode != HF_SM4_ECB)
		(void)vec_need(r, "Iv");
	if (!vec_sm4_key(r, "Key", key) || !get_padding(r, mode, &how))
		return;
	if (mode != HF_SM4_ECB && !vec_has_len(r, "Iv", vec_want(r, "Iv"), HF_SM4_BLOCK_LEN))
		return;
	hf_sm4_init(&k, key);
	if (vec_must_accept(r))
		check_way(r, mode, &k, how | HF_SM4_ENCRYPT);
	check_way(r, mode, &k, how | HF_SM4_DECRYPT);
	hf_sm4_clear(&k);
	hf_wipe(key, sizeof(key));
}

void vec_run_sm4_hctr(struct vec_run *r)
{
	struct hf_bytes tweak = vec_need(r, "Tweak");
	struct hf_bytes in[2] = { vec_need(r, "Plaintext"), vec_need(r, "Ciphertext") };
	uint8_t *out = vec_room(r, in[0].len > in[1].len ? in[0].len : in[1].len);
	uint8_t key[HF_SM4_KEY_LEN];
	uint8_t hash_key[HF_SM4_KEY_LEN];
	struct hf_hctr_key k;
	hf_err e;

	if (out == NULL || !vec_sm4_key(r, "Key", key) || !vec_sm4_key(r, "HashKey", hash_key) ||
		!vec_has_len(r, "Tweak", tweak, HF_HCTR_TWEAK_LEN) ||
		!vec_ok(r, "key", hf_hctr_init(&k, key, hash_key)))
		return;
	e = hf_hctr_encrypt(&k, tweak.p, out, in[0].p, in[0].len);
	vec_verdict(r, "encrypt", e == HF_OK);
	if (e == HF_OK)
		vec_expect(r, "Ciphertext", out, in[0].len);
	e = hf_hctr_decrypt(&k, tweak.p, out, in[1].p, in[1].len);
	vec_verdict(r, "decrypt", e == HF_OK);
	if (e == HF_OK)
		vec_expect(r, "Plaintext", out, in[1].len);
	hf_hctr_clear(&k);
}
