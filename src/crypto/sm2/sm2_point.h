/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Points of the curve y^2 = x^3 - 3 x + b. All formulas here are complete: they hold for every pair
 * of points, equal, opposite or infinite, without a special case and in the same time. Where the
 * time goes, in multiples, sm2_mul_body.h has some that are cheaper and hold less; small ends have
 * these.
 */
#ifndef HF_CRYPTO_SM2_SM2_POINT_H
#define HF_CRYPTO_SM2_SM2_POINT_H

#include <stdint.h>

#include "base/ct.h"
#include "base/err.h"
#include "crypto/sm2.h"
#include "crypto/sm2/sm2_fp.h"

/* (x / z, y / z); infinity is (0, y, 0) with y not 0. */
struct hf_pt {
	struct hf_fp x;
	struct hf_fp y;
	struct hf_fp z;
};

/* A point that is not infinity. */
struct hf_pt_affine {
	struct hf_fp x;
	struct hf_fp y;
};

extern const struct hf_pt hf_pt_infinity;

/* r = a + b. r may be a or b, here and below. */
void hf_pt_add(struct hf_pt *r, const struct hf_pt *a, const struct hf_pt *b);

/* r = a + b with b affine: cheaper. */
void hf_pt_add_affine(struct hf_pt *r, const struct hf_pt *a, const struct hf_pt_affine *b);

/* r = 2^n * a. */
void hf_pt_double(struct hf_pt *r, const struct hf_pt *a, unsigned n);

/* r = -a where m is set, else a. */
void hf_pt_neg_if(struct hf_pt *r, hf_ct_mask m, const struct hf_pt *a);

static inline hf_ct_mask hf_pt_is_infinite(const struct hf_pt *a)
{
	return hf_fp_zero(&a->z);
}

/* The coordinates; infinity gives (0, 0). */
void hf_pt_affine(struct hf_pt_affine *r, const struct hf_pt *a);

/* Set if y^2 = x^3 - 3 x + b. */
hf_ct_mask hf_pt_on_curve(const struct hf_pt_affine *a);

/* The y with the lowest bit given. The mask is clear if no point has this x. */
hf_ct_mask hf_pt_find_y(struct hf_pt_affine *a, const struct hf_fp *x, unsigned y_bit);

/*
 * From a public key, checked: GB/T 32918.1-2016 6.2.1 (the cofactor is 1, so that every point of
 * the curve but infinity has order n). HF_ERR_FORMAT: a coordinate is p or more, or not on the
 * curve. *r is unchanged then.
 */
HF_MUST_USE hf_err hf_pt_from_pub(struct hf_pt *r, const struct hf_sm2_pub *pub);
void hf_pt_to_pub(struct hf_sm2_pub *pub, const struct hf_pt_affine *a);

#endif
