/* SPDX-License-Identifier: Apache-2.0 */
/* SM4, its modes and GHASH, with keys and texts that memcheck takes for undefined. */
#include "crypto/ccm.h"
#include "crypto/gcm.h"
#include "crypto/seq.h"
#include "crypto/sm4.h"
#include "crypto/xts.h"
#include "ct.h"

enum { LEN = 112 };

static uint8_t m[LEN];
static uint8_t out[LEN];
static uint8_t iv[HF_SM4_BLOCK_LEN];

static int run_blocks(const struct hf_sm4_key *k)
{
	CT_EXPECT(hf_sm4_ecb_encrypt(k, out, m, 7), HF_OK);
	CT_EXPECT(hf_sm4_ecb_decrypt(k, out, m, 7), HF_OK);
	CT_EXPECT(hf_sm4_cbc_encrypt(k, iv, out, m, 7), HF_OK);
	CT_EXPECT(hf_sm4_cbc_decrypt(k, iv, out, m, 7), HF_OK);
	ct_public(iv, sizeof(iv));
	CT_EXPECT(hf_sm4_ctr(k, iv, out, m, 100), HF_OK);
	return 0;
}

static int run_xts(uint64_t *seed)
{
	uint8_t key[HF_XTS_KEY_LEN];
	struct hf_xts_key x;

	for (int order = HF_XTS_GB; order <= HF_XTS_IEEE; order++) {
		(void)ct_fill(seed, key, sizeof(key));
		hf_xts_init(&x, key, (enum hf_xts_order)order);
		CT_EXPECT(hf_xts_encrypt(&x, iv, out, m, 101), HF_OK);
		CT_EXPECT(hf_xts_decrypt(&x, iv, out, m, 101), HF_OK);
	}
	return 0;
}

static int run_aead(const struct hf_gcm_key *g, const struct hf_sm4_key *k, uint64_t *seed)
{
	uint8_t nonce[HF_GCM_NONCE_LEN] = { 0 };
	uint8_t tag[HF_GCM_TAG_LEN];
	struct hf_aead a = { nonce, sizeof(nonce), iv, sizeof(iv), m, 100, out, tag, sizeof(tag) };

	CT_EXPECT(hf_gcm_seal(g, &a), HF_OK);
	ct_public(out, sizeof(out));
	ct_public(tag, sizeof(tag));
	a.in = out;
	a.out = m;
	CT_EXPECT(hf_gcm_open(g, &a), HF_OK);
	tag[3] ^= 1;
	CT_EXPECT(hf_gcm_open(g, &a), HF_ERR_AUTH);

	(void)ct_fill(seed, m, sizeof(m));
	a.in = m;
	a.out = out;
	CT_EXPECT(hf_ccm_seal(k, &a), HF_OK);
	ct_public(out, sizeof(out));
	ct_public(tag, sizeof(tag));
	a.in = out;
	a.out = m;
	CT_EXPECT(hf_ccm_open(k, &a), HF_OK);
	return 0;
}

static int run_seq(const uint8_t key[HF_SM4_KEY_LEN], uint64_t *seed)
{
	uint8_t tag[HF_GCM_TAG_LEN];
	const struct hf_aead a = { NULL, 0, iv, sizeof(iv), m, 100, out, tag, sizeof(tag) };
	const struct hf_aead b = { NULL, 0, iv, sizeof(iv), out, 100, m, tag, sizeof(tag) };
	struct hf_gcm_seq g;
	struct hf_ccm_seq c;

	(void)ct_fill(seed, m, sizeof(m));
	CT_EXPECT(hf_gcm_seq_init(&g, key, iv, 2), HF_OK);
	CT_EXPECT(hf_gcm_seq_seal(&g, &a), HF_OK);
	ct_public(out, sizeof(out));
	ct_public(tag, sizeof(tag));
	g.count.n = 0;
	CT_EXPECT(hf_gcm_seq_open(&g, &b), HF_OK);
	(void)ct_fill(seed, m, sizeof(m));
	CT_EXPECT(hf_ccm_seq_init(&c, key, iv, 2), HF_OK);
	CT_EXPECT(hf_ccm_seq_seal(&c, &a), HF_OK);
	ct_public(out, sizeof(out));
	ct_public(tag, sizeof(tag));
	c.count.n = 0;
	CT_EXPECT(hf_ccm_seq_open(&c, &b), HF_OK);
	hf_gcm_seq_clear(&g);
	hf_ccm_seq_clear(&c);
	return 0;
}

int main(void)
{
	uint64_t seed = ct_seed(4);
	uint8_t key[HF_SM4_KEY_LEN];
	struct hf_sm4_key k;
	struct hf_gcm_key g;

	CT_NEEDS_VALGRIND();
	CT_EXPECT(ct_start(), HF_OK);
	(void)ct_fill(&seed, key, sizeof(key));
	(void)ct_fill(&seed, m, sizeof(m));
	hf_sm4_init(&k, key);
	CT_EXPECT(hf_gcm_init(&g, key), HF_OK);
	return run_blocks(&k) != 0 || run_xts(&seed) != 0 || run_aead(&g, &k, &seed) != 0 ||
	       run_seq(key, &seed) != 0;
}
