/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output feedback, GB/T 17964-2021, and with a non-linear function (OFBNLF). In both Y_i =
 * E_K(Y_{i-1}) with Y_0 the IV, which is a CBC chain over zeros, so the CBC kernel does it.
 * OFB: C_i = P_i ^ Y_i. OFBNLF: C_i = E_{Y_i}(P_i): each block has a key of its own, and they go
 * through the kernel of many chains, one block a chain, side by side.
 */
#include <stdbool.h>
#include <string.h>

#include "base/wipe.h"
#include "crypto/modes/modes.h"
#include "crypto/module.h"
#include "crypto/sm4/sm4_kernel.h"

enum {
	BLOCK = HF_SM4_BLOCK_LEN,
	GROUP = HF_MODES_GROUP,
	LANES = HF_SM4_LANES,
};

static const uint8_t zeros[GROUP * BLOCK];

hf_err hf_modes_ofb(const struct hf_sm4_key *k, uint8_t chain[HF_SM4_BLOCK_LEN], uint8_t *out,
	const uint8_t *in, size_t n)
{
	const struct hf_sm4_kernel *sm4 = hf_module()->sm4;
	uint8_t y[GROUP * BLOCK];

	while (n > 0) {
		size_t g = n < GROUP ? n : GROUP;

		sm4->cbc(k->rk, chain, y, zeros, g);
		hf_modes_xor(out, in, y, g * BLOCK);
		in += g * BLOCK;
		out += g * BLOCK;
		n -= g;
	}
	hf_wipe(y, sizeof(y));
	return HF_OK;
}

/* The keys of the next blocks and what else their lanes need. */
struct many {
	struct hf_sm4_key key[LANES];
	struct hf_sm4_lane lane[LANES];
	uint8_t iv[LANES * BLOCK]; /* zeros: a chain of one block is the block's encryption */
	uint8_t y[LANES * BLOCK];
};

static void reverse(struct hf_sm4_key *k)
{
	for (size_t i = 0; i < HF_SM4_ROUNDS / 2; i++) {
		uint32_t rk = k->rk[i];

		k->rk[i] = k->rk[HF_SM4_ROUNDS - 1 - i];
		k->rk[HF_SM4_ROUNDS - 1 - i] = rk;
	}
}

static void ofbnlf(const struct hf_sm4_key *k, uint8_t chain[BLOCK], uint8_t *out,
	const uint8_t *in, size_t n, bool encrypt)
{
	const struct hf_sm4_kernel *sm4 = hf_module()->sm4;
	struct many m;

	while (n > 0) {
		size_t g = n < LANES ? n : LANES;

		sm4->cbc(k->rk, chain, m.y, zeros, g);
		memset(m.iv, 0, sizeof(m.iv));
		for (size_t i = 0; i < g; i++) {
			hf_sm4_init(&m.key[i], m.y + i * BLOCK);
			if (!encrypt)
				reverse(&m.key[i]);
			m.lane[i] = (struct hf_sm4_lane){ m.key[i].rk, m.iv + i * BLOCK,
				out + i * BLOCK, in + i * BLOCK };
		}
		sm4->cbc_lanes(m.lane, g, 1);
		in += g * BLOCK;
		out += g * BLOCK;
		n -= g;
	}
	hf_wipe(&m, sizeof(m));
}

hf_err hf_modes_ofbnlf_encrypt(const struct hf_sm4_key *k, uint8_t chain[HF_SM4_BLOCK_LEN],
	uint8_t *out, const uint8_t *in, size_t n)
{
	ofbnlf(k, chain, out, in, n, true);
	return HF_OK;
}

hf_err hf_modes_ofbnlf_decrypt(const struct hf_sm4_key *k, uint8_t chain[HF_SM4_BLOCK_LEN],
	uint8_t *out, const uint8_t *in, size_t n)
{
	ofbnlf(k, chain, out, in, n, false);
	return HF_OK;
}
