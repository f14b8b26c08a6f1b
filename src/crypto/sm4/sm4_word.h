/* SPDX-License-Identifier: Apache-2.0 */
/* SM4 on one 32-bit word, constant time: for the key schedule and for one block alone. */
#ifndef HF_CRYPTO_SM4_SM4_WORD_H
#define HF_CRYPTO_SM4_SM4_WORD_H

#include <stdint.h>

#include "crypto/sm4/sm4_sbox.h"

static inline uint32_t hf_sm4_rotl(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

/* tau, GB/T 32907-2016 6.2.1: the S-box on each of the four bytes. */
static inline uint32_t hf_sm4_word_tau(uint32_t x)
{
	uint64_t b[8];
	uint32_t y = 0;

	for (unsigned j = 0; j < 8; j++)
		b[j] = x >> j;
	hf_sm4_sbox_planes(b);
	for (unsigned j = 0; j < 8; j++)
		y |= ((uint32_t)b[j] & 0x01010101) << j;
	return y;
}

/* T, 6.2: L(tau(x)). */
static inline uint32_t hf_sm4_word_t(uint32_t x)
{
	uint32_t b = hf_sm4_word_tau(x);

	return b ^ hf_sm4_rotl(b, 2) ^ hf_sm4_rotl(b, 10) ^ hf_sm4_rotl(b, 18) ^ hf_sm4_rotl(b, 24);
}

/* T', 7.3 (key expansion): L'(tau(x)). */
static inline uint32_t hf_sm4_word_t_key(uint32_t x)
{
	uint32_t b = hf_sm4_word_tau(x);

	return b ^ hf_sm4_rotl(b, 13) ^ hf_sm4_rotl(b, 23);
}

#endif
