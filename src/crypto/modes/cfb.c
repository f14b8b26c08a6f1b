/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cipher feedback, GB/T 17964-2021, with feedback of 128, 8 and 1 bits. With Y_i = E(C_{i-1}) and
 * C_i = P_i ^ Y_i (C_0 the IV):
 *   - encryption is serial, but Y_{i+1} = E(P_i ^ Y_i) is a CBC chain over the plaintext that
 *     starts from Y_1, so the CBC kernel does it;
 *   - decryption is not: all C_i are there, so all Y_i are computed at once.
 * With less feedback the input of each encryption is a window of 128 bits over IV || C that moves
 * on by 8 bits or 1; the highest bits of its encryption are the key stream.
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

hf_err hf_modes_cfb_encrypt(const struct hf_sm4_key *k, uint8_t chain[HF_SM4_BLOCK_LEN],
	uint8_t *out, const uint8_t *in, size_t n)
{
	const struct hf_sm4_kernel *sm4 = hf_module()->sm4;
	uint8_t y[GROUP * BLOCK];

	while (n > 0) {
		size_t g = n < GROUP ? n : GROUP;
		size_t len = g * BLOCK;

		sm4->ecb(k->rk, y, chain, 1);
		memcpy(chain, y, BLOCK);
		sm4->cbc(k->rk, chain, y + BLOCK, in, g - 1);
		hf_modes_xor(out, in, y, len);
		memcpy(chain, out + len - BLOCK, BLOCK);
		in += len;
		out += len;
		n -= g;
	}
	hf_wipe(y, sizeof(y));
	return HF_OK;
}

hf_err hf_modes_cfb_decrypt(const struct hf_sm4_key *k, uint8_t chain[HF_SM4_BLOCK_LEN],
	uint8_t *out, const uint8_t *in, size_t n)
{
	const struct hf_sm4_kernel *sm4 = hf_module()->sm4;
	uint8_t y[GROUP * BLOCK];

	while (n > 0) {
		size_t g = n < GROUP ? n : GROUP;
		size_t len = g * BLOCK;

		memcpy(y, chain, BLOCK);
		memcpy(y + BLOCK, in, len - BLOCK);
		memcpy(chain, in + len - BLOCK, BLOCK);
		sm4->ecb(k->rk, y, y, g);
		hf_modes_xor(out, in, y, len);
		in += len;
		out += len;
		n -= g;
	}
	hf_wipe(y, sizeof(y));
	return HF_OK;
}

hf_err hf_modes_cfb8_encrypt(const struct hf_sm4_key *k, uint8_t chain[HF_SM4_BLOCK_LEN],
	uint8_t *out, const uint8_t *in, size_t n)
{
	const struct hf_sm4_kernel *sm4 = hf_module()->sm4;
	uint8_t y[BLOCK];

	for (size_t i = 0; i < n; i++) {
		sm4->ecb(k->rk, y, chain, 1);
		out[i] = (uint8_t)(in[i] ^ y[0]);
		memmove(chain, chain + 1, BLOCK - 1);
		chain[BLOCK - 1] = out[i];
	}
	hf_wipe(y, sizeof(y));
	return HF_OK;
}

hf_err hf_modes_cfb8_decrypt(const struct hf_sm4_key *k, uint8_t chain[HF_SM4_BLOCK_LEN],
	uint8_t *out, const uint8_t *in, size_t n)
{
	const struct hf_sm4_kernel *sm4 = hf_module()->sm4;
	uint8_t y[GROUP * BLOCK];
	uint8_t line[BLOCK + GROUP]; /* the last 16 bytes of ciphertext, and what follows */

	while (n > 0) {
		size_t g = n < GROUP ? n : GROUP;

		memcpy(line, chain, BLOCK);
		memcpy(line + BLOCK, in, g);
		for (size_t i = 0; i < g; i++)
			memcpy(y + i * BLOCK, line + i, BLOCK);
		sm4->ecb(k->rk, y, y, g);
		for (size_t i = 0; i < g; i++)
			out[i] = (uint8_t)(in[i] ^ y[i * BLOCK]);
		memcpy(chain, line + g, BLOCK);
		in += g;
		out += g;
		n -= g;
	}
	hf_wipe(y, sizeof(y));
	return HF_OK;
}

/* The window moves on by the lowest bit of bit. */
static void shift_in(uint8_t window[BLOCK], unsigned bit)
{
	for (size_t i = 0; i < BLOCK - 1; i++)
		window[i] = (uint8_t)(window[i] << 1 | window[i + 1] >> 7);
	window[BLOCK - 1] = (uint8_t)(window[BLOCK - 1] << 1 | (bit & 1));
}

hf_err hf_modes_cfb1_encrypt(const struct hf_sm4_key *k, uint8_t chain[HF_SM4_BLOCK_LEN],
	uint8_t *out, const uint8_t *in, size_t n)
{
	const struct hf_sm4_kernel *sm4 = hf_module()->sm4;
	uint8_t y[BLOCK];

	for (size_t i = 0; i < n; i++) {
		unsigned c = 0;

		for (unsigned j = 8; j-- > 0;) {
			sm4->ecb(k->rk, y, chain, 1);
			c = c << 1 | ((in[i] >> j ^ y[0] >> 7) & 1);
			shift_in(chain, c);
		}
		out[i] = (uint8_t)c;
	}
	hf_wipe(y, sizeof(y));
	return HF_OK;
}

hf_err hf_modes_cfb1_decrypt(const struct hf_sm4_key *k, uint8_t chain[HF_SM4_BLOCK_LEN],
	uint8_t *out, const uint8_t *in, size_t n)
{
	const struct hf_sm4_kernel *sm4 = hf_module()->sm4;
	uint8_t y[GROUP * BLOCK];

	while (n > 0) {
		size_t g = n < GROUP / 8 ? n : GROUP / 8;

		for (size_t i = 0; i < 8 * g; i++) {
			memcpy(y + i * BLOCK, chain, BLOCK);
			shift_in(chain, in[i / 8] >> (7 - i % 8));
		}
		sm4->ecb(k->rk, y, y, 8 * g);
		for (size_t i = 0; i < g; i++) {
			unsigned stream = 0;

			for (size_t j = 0; j < 8; j++)
				stream = stream << 1 | y[(8 * i + j) * BLOCK] >> 7;
			out[i] = (uint8_t)(in[i] ^ stream);
		}
		in += g;
		out += g;
		n -= g;
	}
	hf_wipe(y, sizeof(y));
	return HF_OK;
}
