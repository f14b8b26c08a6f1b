/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM2, SM3 and SM4-GCM as a textbook writes them: tables, loops over one block, one bit of a scalar
 * at a time. Plain, portable, neither constant in time nor fast: what bench_light.c measures the
 * product against. It stays as it is, or the figures mean something else; nothing else may use it.
 */
#ifndef HF_BENCH_BASE_H
#define HF_BENCH_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void base_sm3(uint8_t out[32], const uint8_t *in, size_t len);

struct base_sm4 {
	uint32_t rk[32];
};

void base_sm4_init(struct base_sm4 *k, const uint8_t key[16]);
void base_sm4_block(const struct base_sm4 *k, uint8_t out[16], const uint8_t in[16]);

/* SM4-GCM with a nonce of 12 bytes and no additional data; out may be in. */
void base_gcm_seal(const uint8_t key[16], const uint8_t nonce[12], uint8_t *out, uint8_t tag[16],
	const uint8_t *in, size_t len);

/* Numbers of 32 bytes, the most significant first. */
struct base_sm2_pub {
	uint8_t x[32];
	uint8_t y[32];
};

/* Signs the digest e with the private key d and the number k; false: take another k. */
bool base_sm2_sign(uint8_t r[32], uint8_t s[32], const uint8_t d[32], const uint8_t e[32],
	const uint8_t k[32]);
bool base_sm2_verify(const struct base_sm2_pub *pub, const uint8_t e[32], const uint8_t r[32],
	const uint8_t s[32]);

/* Opens C1 (x and y) || C3 || C2 of len bytes. */
bool base_sm2_decrypt(uint8_t *out, const uint8_t d[32], const struct base_sm2_pub *c1,
	const uint8_t c3[32], const uint8_t *c2, size_t len);

#endif
