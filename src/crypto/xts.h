/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM4-XTS: encryption of storage by data units (sectors), GB/T 17964-2021 clause 10 and IEEE Std
 * 1619-2018. The two differ in the order of the bits of the tweak. A unit is 16 bytes to 2^20
 * blocks; its length stays (ciphertext stealing). XTS does not authenticate: an altered unit
 * decrypts to something else.
 */
#ifndef HF_CRYPTO_XTS_H
#define HF_CRYPTO_XTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/sm4.h"

enum {
	HF_XTS_KEY_LEN = 32, /* key of the data, then key of the tweak */
	HF_XTS_TWEAK_LEN = 16,
	HF_XTS_UNIT_MIN = 16,      /* bytes */
	HF_XTS_UNIT_MAX = 1 << 24, /* bytes: 2^20 blocks, IEEE 1619 5.1 */
};

/* How a block is read as a polynomial when the tweak is multiplied by x. */
enum hf_xts_order {
	HF_XTS_GB,   /* the first bit of the first byte is the coefficient of x^0, as in GHASH */
	HF_XTS_IEEE, /* the last bit of the first byte is */
};

/* Read-only after init; may be shared by threads. */
struct hf_xts_key {
	struct hf_sm4_key data;
	struct hf_sm4_key tweak;
	enum hf_xts_order order;
};

/* End it with hf_xts_clear(). Whoever makes keys sees to it that the two halves differ. */
void hf_xts_init(struct hf_xts_key *k, const uint8_t key[HF_XTS_KEY_LEN], enum hf_xts_order order);
void hf_xts_clear(struct hf_xts_key *k);

/* The tweak of a data unit that has a number: little-endian (IEEE 1619 5.1). */
void hf_xts_unit(uint8_t tweak[HF_XTS_TWEAK_LEN], uint64_t number);

/*
 * One data unit. out may be exactly in. HF_ERR_ARG: shorter than a block. HF_ERR_LIMIT: longer than
 * HF_XTS_UNIT_MAX.
 */
HF_MUST_USE hf_err hf_xts_encrypt(const struct hf_xts_key *k, const uint8_t tweak[HF_XTS_TWEAK_LEN],
	uint8_t *out, const uint8_t *in, size_t len);
HF_MUST_USE hf_err hf_xts_decrypt(const struct hf_xts_key *k, const uint8_t tweak[HF_XTS_TWEAK_LEN],
	uint8_t *out, const uint8_t *in, size_t len);

#endif
