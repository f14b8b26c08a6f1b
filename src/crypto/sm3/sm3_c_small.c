/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM3 compression in plain C for small ends, GB/T 32905-2016 5.3: stands in for sm3_c.c where
 * HUFU_SMALL is set. A loop of 64 rounds: a fifth of the code, 1.4 times slower.
 */
#include <string.h>

#include "base/endian.h"
#include "base/wipe.h"
#include "crypto/sm3/sm3_kernel.h"
#include "crypto/sm3/sm3_word.h"

const uint32_t hf_sm3_t[HF_SM3_ROUNDS] = HF_SM3_T;

/* Round j; v is A to H. 5.3.3 */
static void one_round(uint32_t v[8], uint32_t wj, uint32_t wj4, unsigned j)
{
	uint32_t a12 = rotl(v[0], 12);
	uint32_t ss1 = rotl(a12 + v[4] + hf_sm3_t[j], 7);
	uint32_t ff = j < 16 ? parity(v[0], v[1], v[2]) : majority(v[0], v[1], v[2]);
	uint32_t gg = j < 16 ? parity(v[4], v[5], v[6]) : choose(v[4], v[5], v[6]);
	uint32_t tt1 = ff + v[3] + (ss1 ^ a12) + (wj ^ wj4);
	uint32_t tt2 = gg + v[7] + ss1 + wj;

	v[3] = v[2];
	v[2] = rotl(v[1], 9);
	v[1] = v[0];
	v[0] = tt1;
	v[7] = v[6];
	v[6] = rotl(v[5], 19);
	v[5] = v[4];
	v[4] = p0(tt2);
}

static void compress(uint32_t state[8], const uint8_t *in, size_t n_blocks)
{
	uint32_t w[16];
	uint32_t v[8];

	for (; n_blocks > 0; n_blocks--, in += HF_SM3_BLOCK_LEN) {
		memcpy(v, state, sizeof(v));
		for (unsigned i = 0; i < 16; i++)
			w[i] = hf_get_be32(in + 4 * i);
		for (unsigned j = 0; j < HF_SM3_ROUNDS; j++) {
			uint32_t wj = w[j % 16];

			one_round(v, wj, w[(j + 4) % 16], j);
			expand(w, j + 16);
		}
		for (unsigned i = 0; i < 8; i++)
			state[i] ^= v[i];
	}
	hf_wipe(w, sizeof(w));
	hf_wipe(v, sizeof(v));
}

static void lanes(uint32_t *h, const uint8_t *const in[], size_t n, size_t n_blocks)
{
	for (size_t i = 0; i < n; i++)
		compress(h + 8 * i, in[i], n_blocks);
}

const struct hf_sm3_kernel hf_sm3_kernel_c = {
	.name = "c",
	.needs = 0,
	.compress = compress,
	.lanes = lanes,
};
