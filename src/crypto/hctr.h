/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM4-HCTR, GB/T 17964-2021: a tweakable cipher as wide as the message. Every bit of the ciphertext
 * depends on every bit of message and tweak, its length is the message's; it does not authenticate.
 * It needs two passes, so there is no form in pieces. Equal messages under one tweak are seen to be
 * equal, and nothing else is seen.
 */
#ifndef HF_CRYPTO_HCTR_H
#define HF_CRYPTO_HCTR_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/gcm.h"
#include "crypto/sm4.h"

enum {
	HF_HCTR_TWEAK_LEN = 16,
	HF_HCTR_MESSAGE_MIN = HF_SM4_BLOCK_LEN, /* bytes */
};

#define HF_HCTR_MESSAGE_MAX (UINT64_C(1) << 36) /* bytes */

/* Key schedule, and powers of the hash key. Read-only after init; may be shared by threads. */
struct hf_hctr_key {
	struct hf_gcm_key k;
};

/* The two keys must be independent. End it with hf_hctr_clear(). */
HF_MUST_USE hf_err hf_hctr_init(struct hf_hctr_key *k, const uint8_t key[HF_SM4_KEY_LEN],
	const uint8_t hash_key[HF_SM4_KEY_LEN]);
void hf_hctr_clear(struct hf_hctr_key *k);

/*
 * len bytes from in to out, which may be exactly in. HF_ERR_ARG: shorter than MIN. HF_ERR_LIMIT:
 * longer than MAX.
 */
HF_MUST_USE hf_err hf_hctr_encrypt(const struct hf_hctr_key *k,
	const uint8_t tweak[HF_HCTR_TWEAK_LEN], uint8_t *out, const uint8_t *in, size_t len);
HF_MUST_USE hf_err hf_hctr_decrypt(const struct hf_hctr_key *k,
	const uint8_t tweak[HF_HCTR_TWEAK_LEN], uint8_t *out, const uint8_t *in, size_t len);

#endif
