/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of what SM4 authenticates and generates with: the MACs and CTR_DRBG. */
#include <string.h>

#include "base/attr.h"
#include "base/ct.h"
#include "base/wipe.h"
#include "crypto/ctr_drbg.h"
#include "crypto/sm4_mac.h"
#include "vec_run.h"

/* The tag as far as the vector has it, which may be cut short. */
static void check_tag(struct vec_run *r, hf_err e, const uint8_t *tag, struct hf_bytes mac)
{
	if (e == HF_OK && vec_must_accept(r))
		vec_expect(r, "Mac", tag, mac.len);
	vec_verdict(r, "Mac", e == HF_OK && hf_ct_eq(tag, mac.p, mac.len));
}

/* PadText: the number of the standard's method. CMAC, TRCBC and CBCR have one of their own. */
static enum hf_sm4_mac_pad get_pad(struct vec_run *r, enum hf_sm4_mac_kind kind)
{
	const char *text = vec_text(r, "PadText");

	if (kind == HF_SM4_CMAC || kind == HF_SM4_TRCBC || kind == HF_SM4_CBCR)
		return HF_SM4_PAD_OWN;
	if (kind == HF_SM4_LMAC && (text == NULL || strcmp(text, "-") == 0))
		return HF_SM4_PAD_BIT;
	if (text != NULL && text[0] >= '1' && text[0] <= '3' && text[1] == '\0')
		return (enum hf_sm4_mac_pad)(text[0] - '0');
	if (text == NULL)
		vec_fail(r, "no field PadText");
	else
		vec_skip(r, "PadText is none of 1, 2 and 3");
	return HF_SM4_PAD_OWN;
}

static enum hf_sm4_mac_kind get_kind(const struct vec_run *r)
{
	static const char *const names[] = { [HF_SM4_CBC_MAC] = "SM4-CBC-MAC",
		[HF_SM4_EMAC] = "SM4-EMAC",
		[HF_SM4_RETAIL] = "SM4-RETAIL-MAC",
		[HF_SM4_MACDES] = "SM4-MACDES",
		[HF_SM4_CMAC] = "SM4-CMAC",
		[HF_SM4_LMAC] = "SM4-LMAC",
		[HF_SM4_TRCBC] = "SM4-TRCBC",
		[HF_SM4_CBCR] = "SM4-CBCR" };
	int kind = HF_SM4_CBCR;

	while (kind > HF_SM4_CBC_MAC && strcmp(r->alg->name, names[kind]) != 0)
		kind--;
	return (enum hf_sm4_mac_kind)kind;
}

/* The message byte by byte and whole. */
static hf_err compute(const struct hf_sm4_mac_key *k, uint8_t *tag, size_t len, struct hf_bytes m)
{
	uint8_t whole[HF_SM4_MAC_LEN];
	struct hf_sm4_mac s;
	hf_err e = hf_sm4_mac(k, whole, len, m);

	if (e == HF_OK)
		e = hf_sm4_mac_start(&s, k, m.len);
	for (size_t i = 0; e == HF_OK && i < m.len; i++)
		e = hf_sm4_mac_feed(&s, m.p + i, 1);
	if (e == HF_OK)
		e = hf_sm4_mac_done(&s, tag, len);
	return e == HF_OK && memcmp(whole, tag, len) != 0 ? HF_ERR_INTERNAL : e;
}

void vec_run_sm4_mac(struct vec_run *r)
{
	enum hf_sm4_mac_kind kind = get_kind(r);
	enum hf_sm4_mac_pad pad = get_pad(r, kind);
	struct hf_bytes m = vec_need(r, "Msg");
	struct hf_bytes mac = vec_need(r, "Mac");
	uint8_t key[HF_SM4_MAC_KEY_MAX];
	uint8_t tag[HF_SM4_MAC_LEN];
	struct hf_sm4_mac_key k;

	if (!vec_sm4_key(r, "Key", key))
		return;
	if (hf_sm4_mac_key_len(kind) > HF_SM4_KEY_LEN &&
		!vec_sm4_key(r, "Key2", key + HF_SM4_KEY_LEN))
		return;
	if (vec_ok(r, "key", hf_sm4_mac_key_init(&k, kind, pad, key, hf_sm4_mac_key_len(kind))))
		check_tag(r, compute(&k, tag, mac.len, m), tag, mac);
	hf_sm4_mac_key_clear(&k);
	hf_wipe(key, sizeof(key));
}

void vec_run_sm4_gmac(struct vec_run *r)
{
	struct hf_bytes nonce = vec_need(r, vec_has(r, "Iv") ? "Iv" : "Nonce");
	struct hf_bytes m = vec_want(r, vec_has(r, "Msg") ? "Msg" : "Aad");
	struct hf_bytes mac = vec_need(r, "Mac");
	uint8_t key[HF_SM4_KEY_LEN];
	uint8_t tag[HF_GCM_TAG_LEN];
	struct hf_gcm_key k;

	if (!vec_sm4_key(r, "Key", key))
		return;
	if (vec_ok(r, "key", hf_gcm_init(&k, key)))
		check_tag(r, hf_sm4_gmac(&k, nonce, tag, mac.len, m), tag, mac);
	hf_gcm_clear(&k);
}

static void expect_state(struct vec_run *r, const struct hf_ctr_drbg *d, size_t i)
{
	static const char *const v[] = { "V0", "V1", "V2", "V3" };
	static const char *const key[] = { "Key0", "Key1", "Key2", "Key3" };

	vec_expect(r, v[i], d->v, sizeof(d->v));
	vec_expect(r, key[i], d->key, sizeof(d->key));
}

/* The i-th call, from 0, of at most two; the output of the last one is Out. */
static void generate(struct vec_run *r, struct hf_ctr_drbg *d, size_t i)
{
	static const char *const more[] = { "Additional1", "Additional2" };
	static const char *const outs[] = { "Out1", "Out2" };
	bool is_last = i == 1 || !vec_has(r, more[1]);
	size_t len = vec_want(r, vec_has(r, outs[i]) ? outs[i] : "Out").len;
	uint8_t out[HF_CTR_DRBG_OUT_MAX];

	if (len > sizeof(out)) {
		vec_skip(r, "more than %d bytes of one call", HF_CTR_DRBG_OUT_MAX);
		return;
	}
	if (!vec_ok(r, "generate", hf_ctr_drbg_generate(d, out, len, vec_want(r, more[i]))))
		return;
	vec_expect(r, outs[i], out, len);
	if (is_last)
		vec_expect(r, "Out", out, len);
	expect_state(r, d, 2 + i);
}

/* Instantiate, perhaps reseed, generate once or twice. */
void vec_run_sm4_drbg(struct vec_run *r)
{
	struct hf_bytes again = vec_want(r, "EntropyReseed");
	struct hf_ctr_drbg d = { .n_requests = 0 };
	hf_err e;

	e = hf_ctr_drbg_instantiate(
		&d, vec_need(r, "Entropy"), vec_want(r, "Nonce"), vec_want(r, "Personalization"));
	if (e == HF_ERR_ARG)
		vec_fail(r, "entropy or nonce shorter than GM/T 0105 allows, or an input too long");
	if (!vec_is_open(r) || !vec_ok(r, "instantiate", e))
		return;
	expect_state(r, &d, 0);
	if (vec_has(r, "EntropyReseed"))
		(void)vec_ok(r, "EntropyReseed",
			hf_ctr_drbg_reseed(&d, again, vec_want(r, "AdditionalReseed")));
	if (vec_is_open(r))
		expect_state(r, &d, 1);
	if (vec_is_open(r) && vec_has(r, "Out"))
		generate(r, &d, 0);
	if (vec_is_open(r) && vec_has(r, "Additional2"))
		generate(r, &d, 1);
	hf_ctr_drbg_clear(&d);
}
