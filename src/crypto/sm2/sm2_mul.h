/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Multiples of points. Scalars are plain limbs of any 256-bit value. The first two functions keep
 * the scalar secret; those named _public branch on it and are for verification alone.
 */
#ifndef HF_CRYPTO_SM2_SM2_MUL_H
#define HF_CRYPTO_SM2_SM2_MUL_H

#include <stdint.h>

#include "crypto/sm2/sm2_point.h"

enum {
	HF_G_WINDOW = 6,                      /* bits */
	HF_G_WINDOWS = 256 / HF_G_WINDOW + 1, /* the topmost takes the carry of the signs */
	HF_G_ENTRIES = 1 << (HF_G_WINDOW - 1),
};

/* Entry j of window i is [(j + 1) * 2^(6 i)] G. Generated: see sm2_table.c. */
extern const struct hf_pt_affine hf_g_table[HF_G_WINDOWS][HF_G_ENTRIES];

/* r = [k] G. */
void hf_pt_mul_base(struct hf_pt *r, const uint64_t k[4]);

/* r = [k] p. r may be p. */
void hf_pt_mul(struct hf_pt *r, const uint64_t k[4], const struct hf_pt *p);

/* r = [k] p with public k. r may be p. */
void hf_pt_mul_public(struct hf_pt *r, const uint64_t k[4], const struct hf_pt *p);

/* r = [s] G + [t] p with public s and t, as verification needs it. r may be p. */
void hf_pt_mul_two_public(
	struct hf_pt *r, const uint64_t s[4], const uint64_t t[4], const struct hf_pt *p);

#endif
