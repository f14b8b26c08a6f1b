/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of SM3 and of what is made from it: HMAC, the key derivations, the generator. */
#include <string.h>

#include "base/ct.h"
#include "crypto/drbg.h"
#include "crypto/hmac.h"
#include "crypto/kdf.h"
#include "crypto/sm3.h"
#include "vec_run.h"

enum {
	REPEAT_MAX = 1 << 30,      /* repetitions of a message that is not spelled out */
	ITERATIONS_MAX = 10000000, /* of PBKDF2, over all blocks of its output */
	OUT_MAX = 1 << 24,         /* bytes of a derived key */
	STEP = 61,                 /* a piece that never fills a block evenly */
};

static void check_repeated(struct vec_run *r)
{
	struct hf_bytes unit = vec_need(r, "RepeatByte");
	uint64_t n = vec_number(r, "RepeatCount", 1, REPEAT_MAX);
	uint8_t digest[HF_SM3_LEN];
	struct hf_sm3 s;

	if (!vec_is_open(r))
		return;
	hf_sm3_init(&s);
	for (uint64_t i = 0; i < n; i++)
		hf_sm3_feed(&s, unit.p, unit.len);
	hf_sm3_done(&s, digest);
	vec_expect(r, "Digest", digest, sizeof(digest));
}

void vec_run_sm3(struct vec_run *r)
{
	struct hf_bytes m = vec_want(r, "Msg");
	uint8_t whole[HF_SM3_LEN];
	uint8_t pieces[HF_SM3_LEN];
	struct hf_sm3 s;

	if (!vec_has(r, "Msg")) {
		check_repeated(r);
		return;
	}
	hf_sm3(whole, m.p, m.len);
	hf_sm3_init(&s);
	for (size_t at = 0; at < m.len; at += STEP)
		hf_sm3_feed(&s, m.p + at, m.len - at < STEP ? m.len - at : STEP);
	hf_sm3_done(&s, pieces);
	vec_expect(r, "Digest", whole, sizeof(whole));
	vec_expect(r, "Digest", pieces, sizeof(pieces));
}

/* A tag may be cut short, as HMAC allows (GM/T 0042-2015; RFC 2104 5). */
void vec_run_hmac(struct vec_run *r)
{
	struct hf_bytes key = vec_need(r, "Key");
	struct hf_bytes m = vec_need(r, "Msg");
	struct hf_bytes mac = vec_need(r, "Mac");
	uint8_t tag[HF_SM3_LEN];

	if (!vec_is_open(r))
		return;
	hf_hmac_sm3(tag, key.p, key.len, m.p, m.len);
	if (vec_must_accept(r) && mac.len == sizeof(tag))
		vec_expect(r, "Mac", tag, sizeof(tag));
	vec_verdict(
		r, "Mac", mac.len > 0 && mac.len <= sizeof(tag) && hf_ct_eq(tag, mac.p, mac.len));
}

/* Room for LenCount bytes, or as many as Out has; NULL: the case is settled. */
static uint8_t *out_room(struct vec_run *r, size_t *len)
{
	struct hf_bytes out = vec_need(r, "Out");

	*len = (size_t)vec_number(r, "LenCount", out.len, OUT_MAX);
	if (vec_has(r, "Out"))
		vec_check(r, *len > 0, "Out: no bytes are asked for");
	return vec_is_open(r) ? vec_room(r, *len) : NULL;
}

void vec_run_sm2_kdf(struct vec_run *r)
{
	struct hf_bytes z = vec_need(r, "Z");
	size_t len = 0;
	uint8_t *out = out_room(r, &len);

	if (out != NULL && vec_ok(r, "KDF", hf_sm2_kdf(out, len, z.p, z.len)))
		vec_expect(r, "Out", out, len);
}

void vec_run_hkdf(struct vec_run *r)
{
	struct hf_bytes ikm = vec_need(r, "Ikm");
	struct hf_bytes salt = vec_want(r, "Salt");
	struct hf_bytes info = vec_want(r, "Info");
	uint8_t prk[HF_SM3_LEN];
	size_t len = 0;
	uint8_t *out;

	if (!vec_is_open(r))
		return;
	hf_hkdf_extract(prk, salt.p, salt.len, ikm.p, ikm.len);
	vec_expect(r, "Prk", prk, sizeof(prk));
	if (!vec_has(r, "Out"))
		return;
	out = out_room(r, &len);
	if (out == NULL || !vec_ok(r, "HKDF", hf_hkdf_expand(out, len, prk, info.p, info.len)))
		return;
	vec_expect(r, "Out", out, len);
	if (vec_ok(r, "HKDF",
		    hf_hkdf(out, len, salt.p, salt.len, ikm.p, ikm.len, info.p, info.len)))
		vec_expect(r, "Out", out, len);
}

void vec_run_expand_label(struct vec_run *r)
{
	struct hf_bytes secret = vec_need(r, "Secret");
	struct hf_bytes context = vec_want(r, "Context");
	const char *label = vec_text(r, "LabelText");
	size_t len = 0;
	uint8_t *out = out_room(r, &len);

	if (label == NULL)
		vec_fail(r, "no field LabelText");
	if (secret.len != HF_SM3_LEN)
		vec_fail(r, "Secret is not of 32 bytes");
	if (out == NULL || !vec_is_open(r))
		return;
	if (vec_ok(r, "Expand-Label",
		    hf_hkdf_expand_label(out, len, secret.p, label, context.p, context.len)))
		vec_expect(r, "Out", out, len);
}

void vec_run_pbkdf2(struct vec_run *r)
{
	struct hf_bytes password = vec_need(r, "Password");
	struct hf_bytes salt = vec_need(r, "Salt");
	uint64_t iterations = vec_number(r, "IterCount", 0, ITERATIONS_MAX);
	size_t len = 0;
	uint8_t *out = out_room(r, &len);

	if (!vec_has(r, "IterCount"))
		vec_fail(r, "no field IterCount");
	if (out == NULL || !vec_is_open(r))
		return;
	if (iterations * (len / HF_SM3_LEN + 1) > ITERATIONS_MAX) {
		vec_skip(r, "IterCount for so many bytes is more than %d in all", ITERATIONS_MAX);
		return;
	}
	if (vec_ok(r, "PBKDF2",
		    hf_pbkdf2(out, len, password.p, password.len, salt.p, salt.len,
			    (uint32_t)iterations)))
		vec_expect(r, "Out", out, len);
}

void vec_run_tlcp_prf(struct vec_run *r)
{
	struct hf_bytes secret = vec_need(r, "Secret");
	struct hf_bytes seed = vec_need(r, "Seed");
	const char *label = vec_text(r, "LabelText");
	size_t len = 0;
	uint8_t *out = out_room(r, &len);

	if (label == NULL)
		vec_fail(r, "no field LabelText");
	if (out == NULL || !vec_is_open(r))
		return;
	hf_tlcp_prf(out, len, secret.p, secret.len, label, seed.p, seed.len);
	vec_expect(r, "Out", out, len);
}

/* V and C after a step, if the vector tells them. */
static void expect_state(
	struct vec_run *r, const struct hf_drbg *d, const char *v_name, const char *c_name)
{
	vec_expect(r, v_name, d->v, sizeof(d->v));
	if (c_name != NULL)
		vec_expect(r, c_name, d->c, sizeof(d->c));
}

static void reseed(struct vec_run *r, struct hf_drbg *d, const char *entropy, const char *more)
{
	struct hf_bytes e = vec_want(r, entropy);
	struct hf_bytes a = { NULL, 0 };

	if (more != NULL)
		a = vec_want(r, more);
	if (vec_has(r, entropy))
		(void)vec_ok(r, entropy, hf_drbg_reseed(d, e.p, e.len, a.p, a.len));
}

/*
 * One call of the i-th (from 0) of at most two; the output of the last one is Out. A vector that
 * does not tell the first output has asked for as many bytes as in the last call.
 */
static void generate(struct vec_run *r, struct hf_drbg *d, size_t i)
{
	static const char *const more[] = { "Additional1", "Additional2" };
	static const char *const outs[] = { "Out1", "Out2" };
	static const char *const states[] = { "V2", "V3" };
	struct hf_bytes a = vec_want(r, more[i]);
	bool is_last = i == 1 || !vec_has(r, more[1]);
	size_t len = vec_has(r, outs[i]) ? vec_want(r, outs[i]).len : vec_want(r, "Out").len;
	uint8_t out[HF_DRBG_OUT_MAX];

	if (len > sizeof(out)) {
		vec_skip(r, "more than %d bytes of one call", HF_DRBG_OUT_MAX);
		return;
	}
	if (!vec_ok(r, "generate", hf_drbg_generate(d, out, len, a.p, a.len)))
		return;
	vec_expect(r, outs[i], out, len);
	if (is_last)
		vec_expect(r, "Out", out, len);
	expect_state(r, d, states[i], NULL);
}

/* Instantiate, reseed (once or twice), generate (not at all, once or twice). */
void vec_run_drbg(struct vec_run *r)
{
	struct hf_bytes entropy = vec_need(r, "Entropy");
	struct hf_bytes nonce = vec_want(r, "Nonce");
	struct hf_bytes personal = vec_want(r, "Personalization");
	struct hf_drbg d = { .n_requests = 0 };
	hf_err e;

	if (!vec_is_open(r))
		return;
	e = hf_drbg_instantiate(
		&d, entropy.p, entropy.len, nonce.p, nonce.len, personal.p, personal.len);
	if (e == HF_ERR_ARG)
		vec_fail(r, "entropy or nonce shorter than GM/T 0105 allows, or an input too long");
	if (vec_is_open(r) && vec_ok(r, "instantiate", e)) {
		expect_state(r, &d, "V0", "C0");
		reseed(r, &d, "EntropyReseed", "AdditionalReseed");
		reseed(r, &d, "EntropyReseedB", "AdditionalReseedB");
		expect_state(r, &d, "V1", "C1");
	}
	if (vec_is_open(r) && (vec_has(r, "Additional1") || vec_has(r, "Out")))
		generate(r, &d, 0);
	if (vec_is_open(r) && vec_has(r, "Additional2"))
		generate(r, &d, 1);
	hf_drbg_clear(&d);
}
