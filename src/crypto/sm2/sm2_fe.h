/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The field as sm2_mul_body.h wants it, in plain C. A kernel that brings a field of its own defines
 * HF_SM2_OWN_FIELD and functions of these names and contracts before it includes the body.
 */
#ifndef HF_CRYPTO_SM2_SM2_FE_H
#define HF_CRYPTO_SM2_SM2_FE_H

#include <stddef.h>

#include "crypto/sm2/sm2_fp.h"

static inline void fe_mul(struct hf_fp *r, const struct hf_fp *a, const struct hf_fp *b)
{
	hf_fp_mul(r, a, b);
}

static inline void fe_sqr(struct hf_fp *r, const struct hf_fp *a)
{
	hf_fp_sqr(r, a);
}

static inline void fe_add(struct hf_fp *r, const struct hf_fp *a, const struct hf_fp *b)
{
	hf_fp_add(r, a, b);
}

static inline void fe_sub(struct hf_fp *r, const struct hf_fp *a, const struct hf_fp *b)
{
	hf_fp_sub(r, a, b);
}

static inline void fe_half(struct hf_fp *r, const struct hf_fp *a)
{
	hf_fp_half(r, a);
}

/* r = a b - c d and r = a b - c^2. */
static inline void fe_mul_less_mul(struct hf_fp *r, const struct hf_fp *a, const struct hf_fp *b,
	const struct hf_fp *c, const struct hf_fp *d)
{
	struct hf_fp t;
	struct hf_fp u;

	hf_fp_mul(&t, c, d);
	hf_fp_mul(&u, a, b);
	hf_fp_sub(r, &u, &t);
}

static inline void fe_mul_less_sqr(
	struct hf_fp *r, const struct hf_fp *a, const struct hf_fp *b, const struct hf_fp *c)
{
	struct hf_fp t;
	struct hf_fp u;

	hf_fp_sqr(&t, c);
	hf_fp_mul(&u, a, b);
	hf_fp_sub(r, &u, &t);
}

/* r = a - 2 b. */
static inline void fe_sub_twice(struct hf_fp *r, const struct hf_fp *a, const struct hf_fp *b)
{
	struct hf_fp t;

	hf_fp_sub(&t, a, b);
	hf_fp_sub(r, &t, b);
}

/* r = a where m is set, else b. */
static inline void fe_pick(
	struct hf_fp *r, hf_ct_mask m, const struct hf_fp *a, const struct hf_fp *b)
{
	hf_fp_pick(r, m, a, b);
}

/* The next value of r: itself where stay is set, else first where is_first is, else sum. */
static inline void fe_next(struct hf_fp *r, hf_ct_mask stay, hf_ct_mask is_first,
	const struct hf_fp *first, const struct hf_fp *sum)
{
	struct hf_fp t;

	hf_fp_pick(&t, is_first, first, sum);
	hf_fp_pick(r, stay, r, &t);
}

/*
 * r = entry digit - 1 of n entries of size elements each; zeros if there is none, as for digit 0.
 * All entries are read, whatever the digit.
 */
static inline void fe_scan(
	struct hf_fp *r, const struct hf_fp *row, unsigned n, unsigned size, unsigned digit)
{
	for (unsigned i = 0; i < size; i++)
		r[i] = (struct hf_fp){ { 0 } };
	for (unsigned j = 0; j < n; j++) {
		hf_ct_mask m = hf_ct_same(digit, j + 1);

		for (unsigned i = 0; i < size; i++)
			for (unsigned l = 0; l < 4; l++)
				r[i].v[l] |= row[j * size + i].v[l] & m;
	}
}

#endif
