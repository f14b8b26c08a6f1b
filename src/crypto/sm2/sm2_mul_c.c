/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel of SM2 in plain C: the reference, and the oracle of the other kernels. The mathematics
 * is in sm2_mul_body.h and sm2_fp.c.
 */
#include "crypto/sm2/sm2_kernel.h"
#include "crypto/sm2/sm2_mul_body.h"

static void mul_base(struct hf_pt *r, const uint64_t k[4])
{
	body_mul_base(r, k);
}

static void mul(struct hf_pt *r, const uint64_t k[4], const struct hf_pt_affine *p)
{
	body_mul(r, k, p);
}

static void mul_two(
	struct hf_pt *r, const uint64_t s[4], const uint64_t t[4], const struct hf_pt_affine *p)
{
	body_mul_two(r, s, t, p);
}

static void add(struct hf_fp *r, const struct hf_fp *a, const struct hf_fp *b)
{
	fe_add(r, a, b);
}

static void sub(struct hf_fp *r, const struct hf_fp *a, const struct hf_fp *b)
{
	fe_sub(r, a, b);
}

static void half(struct hf_fp *r, const struct hf_fp *a)
{
	fe_half(r, a);
}

static void mul_less_mul(struct hf_fp *r, const struct hf_fp *a, const struct hf_fp *b,
	const struct hf_fp *c, const struct hf_fp *d)
{
	fe_mul_less_mul(r, a, b, c, d);
}

static void mul_less_sqr(
	struct hf_fp *r, const struct hf_fp *a, const struct hf_fp *b, const struct hf_fp *c)
{
	fe_mul_less_sqr(r, a, b, c);
}

static void sub_twice(struct hf_fp *r, const struct hf_fp *a, const struct hf_fp *b)
{
	fe_sub_twice(r, a, b);
}

const struct hf_sm2_kernel hf_sm2_kernel_c = {
	.name = "c",
	.needs = 0,
	.mul_base = mul_base,
	.mul = mul,
	.mul_two = mul_two,
	.fp_mul = hf_fp_mul,
	.fp_sqr = hf_fp_sqr,
	.fp_add = add,
	.fp_sub = sub,
	.fp_half = half,
	.fp_mul_less_mul = mul_less_mul,
	.fp_mul_less_sqr = mul_less_sqr,
	.fp_sub_twice = sub_twice,
};
