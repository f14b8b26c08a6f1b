/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM4 CTR_DRBG with derivation function, GM/T 0105-2021 and SP 800-90A 10.2.1: the mechanism, with
 * every input handed in. The generator that the house draws from is the one of drbg.h; this one is
 * for products that must show it, and for their known answers. Not thread-safe.
 */
#ifndef HF_CRYPTO_CTR_DRBG_H
#define HF_CRYPTO_CTR_DRBG_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "crypto/sm4.h"

enum {
	HF_CTR_DRBG_OUT_MAX = HF_SM4_BLOCK_LEN, /* bytes of one generate call in GM/T 0105 */
	HF_CTR_DRBG_ENTROPY_MIN = 32,           /* bytes, in GM/T 0105 */
	HF_CTR_DRBG_NONCE_MIN = 16,             /* bytes */
	HF_CTR_DRBG_INPUT_MAX = 1024,           /* bytes of any single input */
	HF_CTR_DRBG_REQUESTS_MAX = 1 << 20,     /* generate calls between reseeds, level 1 */
};

struct hf_ctr_drbg {
	uint8_t key[HF_SM4_KEY_LEN];
	uint8_t v[HF_SM4_BLOCK_LEN];
	uint32_t n_requests; /* since the last seed, from 1; 0: never seeded */
};

/* HF_ERR_ARG: an input shorter or longer than allowed; d is then as before. */
HF_MUST_USE hf_err hf_ctr_drbg_instantiate(struct hf_ctr_drbg *d, struct hf_bytes entropy,
	struct hf_bytes nonce, struct hf_bytes personal);
HF_MUST_USE hf_err hf_ctr_drbg_reseed(
	struct hf_ctr_drbg *d, struct hf_bytes entropy, struct hf_bytes additional);

/* At most HF_CTR_DRBG_OUT_MAX bytes. HF_ERR_STATE: a reseed is due. */
HF_MUST_USE hf_err hf_ctr_drbg_generate(
	struct hf_ctr_drbg *d, uint8_t *out, size_t out_len, struct hf_bytes additional);

/* Wipes it. Accepts { 0 }. */
void hf_ctr_drbg_clear(struct hf_ctr_drbg *d);

#endif
