/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel of SM2 in plain C for small ends: stands in for sm2_mul_c.c where HUFU_SMALL is set.
 * The complete formulas of sm2_point.c, which hold for any two points, and small tables: 3840 bytes
 * of multiples of G in place of 86 KiB, and the double of another point on the stack.
 *
 * G: a comb. The scalar is cut into 4 parts of 64 bits, and each part into 4 of 16; a look-up takes
 * one bit of each of the 4 large parts, and with the 4 rows of sm2_comb_small.h there are 16
 * doublings and 64 additions. Other points: 129 windows of two bits, signed digits after Booth,
 * -2 .. 2. Every table is read whole, and digit 0 adds infinity.
 */
#include "base/wipe.h"
#include "crypto/sm2/sm2_comb_small.h"
#include "crypto/sm2/sm2_fe.h"
#include "crypto/sm2/sm2_kernel.h"

enum {
	WINDOW = 2,
	WINDOWS = 256 / WINDOW + 1, /* the topmost takes the carry */
};

/* One bit of each part of k. */
static unsigned comb_digit(const uint64_t k[4], unsigned at)
{
	unsigned digit = 0;

	for (unsigned b = 0; b < HF_COMB_TEETH; b++)
		digit |= hf_w256_bits(k, at + HF_COMB_APART * b, 1) << b;
	return digit;
}

/* r = 2^n r. The formula of addition is complete: it doubles too. */
static void pt_double(struct hf_pt *r, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		hf_pt_add(r, r, r);
}

/* q = entry digit - 1; infinity if there is none. */
static void comb_scan(
	struct hf_pt *q, const struct hf_pt_affine row[HF_COMB_ENTRIES], unsigned digit)
{
	*q = hf_pt_infinity;
	for (unsigned j = 0; j < HF_COMB_ENTRIES; j++) {
		hf_ct_mask m = hf_ct_same(digit, j + 1);

		hf_fp_pick(&q->x, m, &row[j].x, &q->x);
		hf_fp_pick(&q->y, m, &row[j].y, &q->y);
		hf_fp_pick(&q->z, m, &hf_fp_one, &q->z);
	}
}

static void mul_base(struct hf_pt *r, const uint64_t k[4])
{
	struct hf_pt q;

	*r = hf_pt_infinity;
	for (unsigned i = HF_COMB_STEPS; i-- > 0;) {
		pt_double(r, 1);
		for (unsigned t = 0; t < HF_COMB_ROWS; t++) {
			comb_scan(&q, hf_g_comb[t], comb_digit(k, i + HF_COMB_STEPS * t));
			hf_pt_add(r, r, &q);
		}
	}
	hf_wipe(&q, sizeof(q));
}

/* The absolute value of digit i; *neg tells its sign. */
static unsigned booth(hf_ct_mask *neg, const uint64_t k[4], unsigned i)
{
	unsigned v = i == 0 ? hf_w256_bits(k, 0, WINDOW) << 1
			    : hf_w256_bits(k, i * WINDOW - 1, WINDOW + 1);
	uint64_t d;

	*neg = hf_ct_bit(v >> WINDOW);
	d = hf_ct_pick(*neg, (2u << WINDOW) - 1 - v, v);
	return (unsigned)((d >> 1) + (d & 1));
}

/* q = [digit] p; all is read, whatever the digit. */
static void window_scan(
	struct hf_pt *q, const struct hf_pt_affine *p, const struct hf_pt *twice, unsigned digit)
{
	hf_ct_mask is_one = hf_ct_same(digit, 1);
	hf_ct_mask is_two = hf_ct_same(digit, 2);

	*q = hf_pt_infinity;
	hf_fp_pick(&q->x, is_one, &p->x, &q->x);
	hf_fp_pick(&q->y, is_one, &p->y, &q->y);
	hf_fp_pick(&q->z, is_one, &hf_fp_one, &q->z);
	hf_fp_pick(&q->x, is_two, &twice->x, &q->x);
	hf_fp_pick(&q->y, is_two, &twice->y, &q->y);
	hf_fp_pick(&q->z, is_two, &twice->z, &q->z);
}

static void mul(struct hf_pt *r, const uint64_t k[4], const struct hf_pt_affine *p)
{
	struct hf_pt q = { p->x, p->y, hf_fp_one };
	struct hf_pt twice;
	hf_ct_mask neg;

	hf_pt_add(&twice, &q, &q);
	*r = hf_pt_infinity;
	for (unsigned i = WINDOWS; i-- > 0;) {
		unsigned digit = booth(&neg, k, i);

		pt_double(r, WINDOW);
		window_scan(&q, p, &twice, digit);
		hf_pt_neg_if(&q, neg, &q);
		hf_pt_add(r, r, &q);
	}
	hf_wipe(&q, sizeof(q));
}

static void mul_two(
	struct hf_pt *r, const uint64_t s[4], const uint64_t t[4], const struct hf_pt_affine *p)
{
	struct hf_pt of_g;

	mul_base(&of_g, s);
	mul(r, t, p);
	hf_pt_add(r, r, &of_g);
}

const struct hf_sm2_kernel hf_sm2_kernel_c = {
	.name = "c",
	.needs = 0,
	.mul_base = mul_base,
	.mul = mul,
	.mul_two = mul_two,
	.fp_mul = fe_mul,
	.fp_sqr = fe_sqr,
	.fp_add = fe_add,
	.fp_sub = fe_sub,
	.fp_half = fe_half,
	.fp_mul_less_mul = fe_mul_less_mul,
	.fp_mul_less_sqr = fe_mul_less_sqr,
	.fp_sub_twice = fe_sub_twice,
};
