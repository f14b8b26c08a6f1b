/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Long messages and many at once, so that kernels get to their widest steps and back: SM4 and its
 * modes, GCM and CCM, SM3 in lanes and as a tree.
 */
#include "crypto/ccm.h"
#include "crypto/gcm.h"
#include "crypto/sm3.h"
#include "crypto/sm4.h"
#include "crypto/tree.h"
#include "crypto/xts.h"
#include "ct.h"

enum {
	LEN = 2300, /* bytes: more than any kernel takes in one step, and a rest */
	JOBS = 37,  /* more than any kernel takes at once, and a rest */
	SHORT = 100,
};

static uint8_t text[LEN];
static uint8_t out[LEN];
static uint8_t many[JOBS][SHORT];
static uint8_t tags[JOBS][HF_GCM_TAG_LEN];

static int run_blocks(const struct hf_sm4_key *k)
{
	uint8_t iv[HF_SM4_BLOCK_LEN] = { 0 };
	size_t n_blocks = LEN / HF_SM4_BLOCK_LEN;

	CT_EXPECT(hf_sm4_ecb_encrypt(k, out, text, n_blocks), HF_OK);
	CT_EXPECT(hf_sm4_ecb_decrypt(k, out, text, n_blocks), HF_OK);
	CT_EXPECT(hf_sm4_cbc_decrypt(k, iv, out, text, n_blocks), HF_OK);
	ct_public(iv, sizeof(iv));
	CT_EXPECT(hf_sm4_ctr(k, iv, out, text, LEN), HF_OK);
	return 0;
}

static int run_lanes(const struct hf_sm4_key *k)
{
	struct hf_sm4_cbc_job jobs[JOBS];
	uint8_t ivs[JOBS][HF_SM4_BLOCK_LEN] = { { 0 } };

	for (size_t i = 0; i < JOBS; i++)
		jobs[i] = (struct hf_sm4_cbc_job){ k, ivs[i], many[i], many[i], 1 + i % 6 };
	CT_EXPECT(hf_sm4_cbc_encrypt_batch(jobs, JOBS), HF_OK);
	return 0;
}

static int run_xts(uint64_t *seed)
{
	uint8_t key[HF_XTS_KEY_LEN];
	uint8_t tweak[HF_XTS_TWEAK_LEN] = { 1 };
	struct hf_xts_key x;

	(void)ct_fill(seed, key, sizeof(key));
	for (int order = HF_XTS_GB; order <= HF_XTS_IEEE; order++) {
		hf_xts_init(&x, key, (enum hf_xts_order)order);
		CT_EXPECT(hf_xts_encrypt(&x, tweak, out, text, LEN - 3), HF_OK);
		CT_EXPECT(hf_xts_decrypt(&x, tweak, out, text, LEN - 3), HF_OK);
		hf_xts_clear(&x);
	}
	return 0;
}

static int run_aead(const struct hf_gcm_key *g, const struct hf_sm4_key *k)
{
	static uint8_t nonces[JOBS][HF_GCM_NONCE_LEN];
	struct hf_aead a = { nonces[0], HF_GCM_NONCE_LEN, text, 300, text, LEN, out, tags[0], 16 };
	struct hf_gcm_job jobs[JOBS];
	struct hf_ccm_job ccm[JOBS];

	CT_EXPECT(hf_gcm_seal(g, &a), HF_OK);
	a.in = out;
	ct_public(tags[0], sizeof(tags[0]));
	CT_EXPECT(hf_gcm_open(g, &a), HF_OK);
	tags[0][15] ^= 1;
	CT_EXPECT(hf_gcm_open(g, &a), HF_ERR_AUTH);
	a.in = text;
	CT_EXPECT(hf_ccm_seal(k, &a), HF_OK);
	a.in = out;
	CT_EXPECT(hf_ccm_open(k, &a), HF_OK);

	for (size_t i = 0; i < JOBS; i++)
		jobs[i] = (struct hf_gcm_job){ g,
			{ nonces[i], HF_GCM_NONCE_LEN, text, i, many[i], SHORT - i, many[i],
				tags[i], 16 },
			HF_OK };
	CT_EXPECT(hf_gcm_seal_batch(jobs, JOBS), HF_OK);
	CT_EXPECT(hf_gcm_open_batch(jobs, JOBS), HF_OK);
	for (size_t i = 0; i < JOBS; i++)
		ccm[i] = (struct hf_ccm_job){ k, jobs[i].a, HF_OK };
	CT_EXPECT(hf_ccm_seal_batch(ccm, JOBS), HF_OK);
	CT_EXPECT(hf_ccm_open_batch(ccm, JOBS), HF_OK);
	return 0;
}

static int run_pieces(const struct hf_gcm_key *g)
{
	uint8_t nonce[HF_GCM_NONCE_LEN] = { 0 };
	struct hf_gcm s;

	CT_EXPECT(hf_gcm_start(&s, g, nonce, sizeof(nonce)), HF_OK);
	CT_EXPECT(hf_gcm_aad(&s, text, 21), HF_OK);
	CT_EXPECT(hf_gcm_encrypt(&s, out, text, 5), HF_OK);
	CT_EXPECT(hf_gcm_encrypt(&s, out + 5, text + 5, LEN - 5), HF_OK);
	CT_EXPECT(hf_gcm_tag(&s, tags[0], 16), HF_OK);
	CT_EXPECT(hf_gcm_start(&s, g, nonce, sizeof(nonce)), HF_OK);
	CT_EXPECT(hf_gcm_aad(&s, text, 21), HF_OK);
	CT_EXPECT(hf_gcm_decrypt(&s, out, out, LEN), HF_OK);
	CT_EXPECT(hf_gcm_verify(&s, tags[0], 16), HF_OK);
	hf_gcm_end(&s);
	return 0;
}

static void run_hashes(void)
{
	static uint8_t digests[HF_SM3_LANES_MAX][HF_SM3_LEN];
	const uint8_t *in[HF_SM3_LANES_MAX];
	const uint8_t *prefix[HF_SM3_LANES_MAX];
	static struct hf_tree tree;
	struct hf_sm3 s;

	for (size_t i = 0; i < HF_SM3_LANES_MAX; i++) {
		in[i] = text + i;
		prefix[i] = text + 2 * i;
	}
	for (size_t n = 1; n <= HF_SM3_LANES_MAX; n = 2 * n + 1)
		hf_sm3_lanes(digests[0], prefix, 9, in, 150, n);
	hf_sm3_lanes(digests[0], prefix, 9, in, 150, HF_SM3_LANES_MAX);
	hf_tree_sm3(digests[0], text, LEN);
	hf_tree_init(&tree);
	hf_tree_feed(&tree, text, LEN);
	hf_tree_done(&tree, digests[0]);
	hf_sm3(digests[0], text, LEN);
	hf_sm3_init(&s);
	hf_sm3_feed(&s, text, 5);
	hf_sm3_feed(&s, text + 5, LEN - 5);
	hf_sm3_done(&s, digests[0]);
}

int main(void)
{
	uint64_t seed = ct_seed(7);
	uint8_t key[HF_SM4_KEY_LEN];
	struct hf_sm4_key k;
	struct hf_gcm_key g;

	CT_NEEDS_VALGRIND();
	CT_EXPECT(ct_start(), HF_OK);
	(void)ct_fill(&seed, key, sizeof(key));
	(void)ct_fill(&seed, text, sizeof(text));
	(void)ct_fill(&seed, many[0], sizeof(many));
	hf_sm4_init(&k, key);
	CT_EXPECT(hf_gcm_init(&g, key), HF_OK);
	if (run_blocks(&k) != 0 || run_lanes(&k) != 0 || run_xts(&seed) != 0 ||
		run_aead(&g, &k) != 0 || run_pieces(&g) != 0)
		return 1;
	run_hashes();
	hf_gcm_clear(&g);
	hf_sm4_clear(&k);
	return 0;
}
