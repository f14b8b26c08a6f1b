/* SPDX-License-Identifier: Apache-2.0 */
/* Inverses modulo an odd number below 2^256, in the same time for all values. */
#ifndef HF_CRYPTO_SM2_SM2_INV_H
#define HF_CRYPTO_SM2_SM2_INV_H

#include <stdint.h>

struct hf_inv_modulus {
	uint64_t m[4];
	uint64_t m0; /* -1 / m modulo 2^64 */
};

/*
 * r = 1 / (2^50 a) modulo m, fully reduced, for a < m that has no factor in common with m; 0 gives
 * 0. r may be a.
 */
void hf_inv(uint64_t r[4], const uint64_t a[4], const struct hf_inv_modulus *m);

#endif
