/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM4 block cipher, GB/T 32907-2016 (GM/T 0002-2012), and its plain modes, GB/T 17964-2021.
 * 16-byte key, 16-byte blocks. A key schedule is read-only after init and may be shared by threads.
 * In every mode out may be exactly in; any other overlap is a broken contract.
 */
#ifndef HF_CRYPTO_SM4_H
#define HF_CRYPTO_SM4_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	HF_SM4_KEY_LEN = 16,
	HF_SM4_BLOCK_LEN = 16,
	HF_SM4_ROUNDS = 32,
};

struct hf_sm4_key {
	uint32_t rk[HF_SM4_ROUNDS]; /* encryption order; decryption reads it backwards */
};

/* Expands a key. End it with hf_sm4_clear(). */
void hf_sm4_init(struct hf_sm4_key *k, const uint8_t key[HF_SM4_KEY_LEN]);
void hf_sm4_clear(struct hf_sm4_key *k);

/* ECB over n_blocks whole blocks. HF_ERR_SELF_TEST only. */
HF_MUST_USE hf_err hf_sm4_ecb_encrypt(
	const struct hf_sm4_key *k, uint8_t *out, const uint8_t *in, size_t n_blocks);
HF_MUST_USE hf_err hf_sm4_ecb_decrypt(
	const struct hf_sm4_key *k, uint8_t *out, const uint8_t *in, size_t n_blocks);

/*
 * CBC over whole blocks, no padding; iv is replaced by the last ciphertext block, so that calls can
 * be chained.
 */
HF_MUST_USE hf_err hf_sm4_cbc_encrypt(const struct hf_sm4_key *k, uint8_t iv[HF_SM4_BLOCK_LEN],
	uint8_t *out, const uint8_t *in, size_t n_blocks);
HF_MUST_USE hf_err hf_sm4_cbc_decrypt(const struct hf_sm4_key *k, uint8_t iv[HF_SM4_BLOCK_LEN],
	uint8_t *out, const uint8_t *in, size_t n_blocks);

/*
 * CTR with a 128-bit big-endian counter block; len in bytes. The counter is left at the next unused
 * block: calls can be chained when each but the last is a multiple of 16 bytes.
 */
HF_MUST_USE hf_err hf_sm4_ctr(const struct hf_sm4_key *k, uint8_t counter[HF_SM4_BLOCK_LEN],
	uint8_t *out, const uint8_t *in, size_t len);

/* One of many independent CBC encryptions (batch interface). */
struct hf_sm4_cbc_job {
	const struct hf_sm4_key *key;
	uint8_t *iv; /* 16 bytes, updated */
	uint8_t *out;
	const uint8_t *in;
	size_t n_blocks;
};

/* Encrypts n independent messages; kernels with lanes work on many at once. */
HF_MUST_USE hf_err hf_sm4_cbc_encrypt_batch(const struct hf_sm4_cbc_job *jobs, size_t n);

#endif
