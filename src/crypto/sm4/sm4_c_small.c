/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM4 in plain C for small ends: stands in for sm4_c.c where HUFU_SMALL is set. One block after
 * another in ordinary words, the S-box still a circuit: half the code, 300 bytes of stack instead
 * of 4700, and many blocks at once 13 times slower.
 */
#include "crypto/sm4/sm4_kernel.h"

#include <string.h>

#include "base/endian.h"
#include "base/wipe.h"
#include "crypto/sm4/sm4_word.h"

/* Encrypts one block. out may be in. GB/T 32907-2016 6.1 */
static void encrypt_one(const uint32_t rk[HF_SM4_ROUNDS], uint8_t out[HF_SM4_BLOCK_LEN],
	const uint8_t in[HF_SM4_BLOCK_LEN])
{
	uint32_t x[4];

	for (size_t w = 0; w < 4; w++)
		x[w] = hf_get_be32(in + 4 * w);
	for (size_t r = 0; r < HF_SM4_ROUNDS; r++) {
		uint32_t next = x[0] ^ hf_sm4_word_t(x[1] ^ x[2] ^ x[3] ^ rk[r]);

		x[0] = x[1];
		x[1] = x[2];
		x[2] = x[3];
		x[3] = next;
	}
	for (size_t w = 0; w < 4; w++)
		hf_put_be32(out + 4 * w, x[3 - w]);
}

static void ecb_c(
	const uint32_t rk[HF_SM4_ROUNDS], uint8_t *out, const uint8_t *in, size_t n_blocks)
{
	for (; n_blocks > 0; n_blocks--) {
		encrypt_one(rk, out, in);
		out += HF_SM4_BLOCK_LEN;
		in += HF_SM4_BLOCK_LEN;
	}
}

static void ctr32_c(const uint32_t rk[HF_SM4_ROUNDS], uint8_t counter[HF_SM4_BLOCK_LEN],
	uint8_t *out, const uint8_t *in, size_t n_blocks)
{
	uint8_t stream[HF_SM4_BLOCK_LEN];

	for (; n_blocks > 0; n_blocks--) {
		encrypt_one(rk, stream, counter);
		hf_put_be32(counter + 12, hf_get_be32(counter + 12) + 1);
		for (size_t i = 0; i < HF_SM4_BLOCK_LEN; i++)
			out[i] = (uint8_t)(in[i] ^ stream[i]);
		out += HF_SM4_BLOCK_LEN;
		in += HF_SM4_BLOCK_LEN;
	}
	hf_wipe(stream, sizeof(stream));
}

static void cbc_c(const uint32_t rk[HF_SM4_ROUNDS], uint8_t iv[HF_SM4_BLOCK_LEN], uint8_t *out,
	const uint8_t *in, size_t n_blocks)
{
	for (; n_blocks > 0; n_blocks--) {
		for (size_t i = 0; i < HF_SM4_BLOCK_LEN; i++)
			iv[i] ^= in[i];
		encrypt_one(rk, iv, iv);
		in += HF_SM4_BLOCK_LEN;
		if (out != NULL) {
			memcpy(out, iv, HF_SM4_BLOCK_LEN);
			out += HF_SM4_BLOCK_LEN;
		}
	}
}

static void cbc_lanes_c(const struct hf_sm4_lane *lanes, size_t n, size_t n_blocks)
{
	for (size_t i = 0; i < n; i++)
		cbc_c(lanes[i].rk, lanes[i].iv, lanes[i].out, lanes[i].in, n_blocks);
}

const struct hf_sm4_kernel hf_sm4_kernel_c = {
	.name = "c",
	.needs = 0,
	.ecb = ecb_c,
	.ctr32 = ctr32_c,
	.cbc = cbc_c,
	.cbc_lanes = cbc_lanes_c,
};
