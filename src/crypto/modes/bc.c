/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Block chaining, GB/T 17964-2021: F_1 = IV, C_i = E(P_i ^ F_i), F_{i+1} = F_i ^ C_i. Unlike
 * CBC, encryption is no single chain: the CBC kernel does block by block, each from its F_i.
 * Decryption, P_i = D(C_i) ^ F_i, goes through the parallel kernel.
 */
#include <string.h>

#include "base/wipe.h"
#include "crypto/modes/modes.h"
#include "crypto/module.h"
#include "crypto/sm4/sm4_kernel.h"

enum {
	BLOCK = HF_SM4_BLOCK_LEN,
	GROUP = HF_MODES_GROUP,
};

hf_err hf_modes_bc_encrypt(const struct hf_sm4_key *k, uint8_t chain[HF_SM4_BLOCK_LEN],
	uint8_t *out, const uint8_t *in, size_t n)
{
	const struct hf_sm4_kernel *sm4 = hf_module()->sm4;
	uint8_t iv[BLOCK];

	for (; n > 0; n--) {
		memcpy(iv, chain, BLOCK);
		sm4->cbc(k->rk, iv, out, in, 1);
		hf_modes_xor(chain, chain, iv, BLOCK);
		in += BLOCK;
		out += BLOCK;
	}
	return HF_OK;
}

hf_err hf_modes_bc_decrypt(const struct hf_sm4_key *k, uint8_t chain[HF_SM4_BLOCK_LEN],
	uint8_t *out, const uint8_t *in, size_t n)
{
	const struct hf_sm4_kernel *sm4 = hf_module()->sm4;
	uint32_t rk[HF_SM4_ROUNDS];
	uint8_t d[GROUP * BLOCK];
	uint8_t c[BLOCK];

	for (size_t i = 0; i < HF_SM4_ROUNDS; i++)
		rk[i] = k->rk[HF_SM4_ROUNDS - 1 - i];
	while (n > 0) {
		size_t g = n < GROUP ? n : GROUP;

		sm4->ecb(rk, d, in, g);
		for (size_t at = 0; at < g * BLOCK; at += BLOCK) {
			memcpy(c, in + at, BLOCK);
			hf_modes_xor(out + at, d + at, chain, BLOCK);
			hf_modes_xor(chain, chain, c, BLOCK);
		}
		in += g * BLOCK;
		out += g * BLOCK;
		n -= g;
	}
	hf_wipe(rk, sizeof(rk));
	hf_wipe(d, sizeof(d));
	return HF_OK;
}
