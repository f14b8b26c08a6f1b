/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Points of SM2, eight at once; numbers and preconditions as in sm2_x86_ifma.h.
 *
 * A point is (x / z^2, y / z^3), x and y of F(2), z of F(3), times R; z = 0 modulo p is infinity.
 */
#ifndef HF_CRYPTO_SM2_SM2_X86_IFMA_POINT_H
#define HF_CRYPTO_SM2_SM2_X86_IFMA_POINT_H

#include "crypto/sm2/sm2_x86_ifma.h"

struct hf_pt8 {
	struct hf_x8 x;
	struct hf_x8 y;
	struct hf_x8 z;
};

/* r = [k] G for odd k of 1 .. n - 1. */
void hf_pt8_mul_base(struct hf_pt8 *r, const struct hf_x8 *k);

/* r = [k] (x, y) for odd k of 1 .. n - 1 and points of the curve, x and y of F(2). */
void hf_pt8_mul(
	struct hf_pt8 *r, const struct hf_x8 *k, const struct hf_x8 *x, const struct hf_x8 *y);

/* r = a + b for any two points that are not infinity, equal and opposite ones too. */
void hf_pt8_add_any(struct hf_pt8 *r, const struct hf_pt8 *a, const struct hf_pt8 *b);

/* Where numbers of F(16) are 0 modulo p. */
__mmask8 hf_fp8_zero(struct hf_x8 a);

#endif
