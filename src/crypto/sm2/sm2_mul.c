/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scalars are read in windows of signed digits after Booth: window i sees its own bits and the top
 * bit of the window below, and its digit is -2^(w-1) .. 2^(w-1). So the tables hold positive
 * multiples only, and the number of additions is the same for every scalar.
 */
#include "crypto/sm2/sm2_mul.h"

#include <stdbool.h>

#include "base/wipe.h"

enum {
	P_WINDOW = 5,                   /* bits, for points that are not G */
	P_WINDOWS = 256 / P_WINDOW + 1, /* 51.2 and the carry: 52 */
	P_ENTRIES = 1 << (P_WINDOW - 1),
	NAF_WIDTH = 5, /* odd digits -15 .. 15 */
	NAF_ENTRIES = 1 << (NAF_WIDTH - 2),
	NAF_LEN = 257,
};

/* The absolute value of digit i; *neg tells its sign. */
static inline unsigned booth(hf_ct_mask *neg, const uint64_t k[4], unsigned i, unsigned w)
{
	unsigned v = i == 0 ? hf_w256_bits(k, 0, w) << 1 : hf_w256_bits(k, i * w - 1, w + 1);
	uint64_t d;

	*neg = hf_ct_bit(v >> w);
	d = hf_ct_pick(*neg, (2u << w) - 1 - v, v);
	return (unsigned)((d >> 1) + (d & 1));
}

/* r = entry digit - 1; digit 0 gives zeros. The whole row is read, whatever the digit. */
static void row_scan(struct hf_pt_affine *r, const struct hf_pt_affine *row, unsigned digit)
{
	struct hf_pt_affine t = { 0 };

	for (unsigned j = 0; j < HF_G_ENTRIES; j++) {
		hf_ct_mask m = hf_ct_same(digit, j + 1);

		for (int l = 0; l < 4; l++) {
			t.x.v[l] |= row[j].x.v[l] & m;
			t.y.v[l] |= row[j].y.v[l] & m;
		}
	}
	*r = t;
}

void hf_pt_mul_base(struct hf_pt *r, const uint64_t k[4])
{
	struct hf_pt acc = hf_pt_infinity;
	struct hf_pt sum;
	struct hf_pt_affine q;
	struct hf_fp y;

	for (unsigned i = 0; i < HF_G_WINDOWS; i++) {
		hf_ct_mask neg;
		unsigned digit = booth(&neg, k, i, HF_G_WINDOW);
		hf_ct_mask none = hf_ct_zero(digit);

		row_scan(&q, hf_g_table[i], digit);
		hf_fp_neg(&y, &q.y);
		hf_fp_pick(&q.y, neg, &y, &q.y);
		/* An affine point cannot be infinity: for digit 0 the sum is thrown away. */
		hf_pt_add_affine(&sum, &acc, &q);
		hf_fp_pick(&acc.x, none, &acc.x, &sum.x);
		hf_fp_pick(&acc.y, none, &acc.y, &sum.y);
		hf_fp_pick(&acc.z, none, &acc.z, &sum.z);
	}

	*r = acc;
	hf_wipe(&acc, sizeof(acc));
	hf_wipe(&sum, sizeof(sum));
	hf_wipe(&q, sizeof(q));
	hf_wipe(&y, sizeof(y));
}

/* r = [digit] p out of table[j] = [j + 1] p; digit 0 gives infinity. */
static void table_scan(struct hf_pt *r, const struct hf_pt table[P_ENTRIES], unsigned digit)
{
	struct hf_pt t = { 0 };

	for (unsigned j = 0; j < P_ENTRIES; j++) {
		hf_ct_mask m = hf_ct_same(digit, j + 1);

		for (int l = 0; l < 4; l++) {
			t.x.v[l] |= table[j].x.v[l] & m;
			t.y.v[l] |= table[j].y.v[l] & m;
			t.z.v[l] |= table[j].z.v[l] & m;
		}
	}
	hf_fp_pick(&t.y, hf_ct_zero(digit), &hf_fp_one, &t.y);
	*r = t;
}

void hf_pt_mul(struct hf_pt *r, const uint64_t k[4], const struct hf_pt *p)
{
	struct hf_pt table[P_ENTRIES];
	struct hf_pt acc = hf_pt_infinity;
	struct hf_pt q;

	table[0] = *p;
	for (unsigned j = 1; j < P_ENTRIES; j++)
		hf_pt_add(&table[j], &table[j - 1], p);

	for (unsigned i = P_WINDOWS; i-- > 0;) {
		hf_ct_mask neg;
		unsigned digit = booth(&neg, k, i, P_WINDOW);

		if (i != P_WINDOWS - 1)
			hf_pt_double(&acc, &acc, P_WINDOW);
		table_scan(&q, table, digit);
		hf_pt_neg_if(&q, neg, &q);
		hf_pt_add(&acc, &acc, &q);
	}

	*r = acc;
	hf_wipe(table, sizeof(table));
	hf_wipe(&acc, sizeof(acc));
	hf_wipe(&q, sizeof(q));
}

/* Digits of k, odd or 0, at most one of any NAF_WIDTH neighbours not 0. Returns how many. */
static unsigned naf(int digits[NAF_LEN], const uint64_t k[4])
{
	unsigned carry = 0;
	unsigned len = 0;

	for (unsigned i = 0; i < NAF_LEN;) {
		int v;

		digits[i] = 0;
		if (((i < 256 ? hf_w256_bits(k, i, 1) : 0) ^ carry) == 0) {
			i++;
			continue;
		}
		v = (int)(hf_w256_bits(k, i, NAF_WIDTH) + carry);
		carry = v >= 1 << (NAF_WIDTH - 1);
		digits[i] = v - (int)(carry << NAF_WIDTH);
		len = i + 1;
		for (unsigned j = 1; j < NAF_WIDTH && i + j < NAF_LEN; j++)
			digits[i + j] = 0;
		i += NAF_WIDTH;
	}
	return len;
}

void hf_pt_mul_public(struct hf_pt *r, const uint64_t k[4], const struct hf_pt *p)
{
	struct hf_pt table[NAF_ENTRIES]; /* [1] p, [3] p, ... [15] p */
	struct hf_pt acc = hf_pt_infinity;
	struct hf_pt q;
	int digits[NAF_LEN];
	unsigned n = naf(digits, k);
	unsigned run = 0;

	table[0] = *p;
	hf_pt_double(&q, p, 1);
	for (unsigned j = 1; j < NAF_ENTRIES; j++)
		hf_pt_add(&table[j], &table[j - 1], &q);

	/* Doublings are collected until an addition needs them. */
	for (unsigned i = n; i-- > 0;) {
		int d = digits[i];

		run++;
		if (d == 0)
			continue;
		hf_pt_double(&acc, &acc, run);
		run = 0;
		hf_pt_neg_if(&q, hf_ct_bit(d < 0), &table[(d < 0 ? -d : d) >> 1]);
		hf_pt_add(&acc, &acc, &q);
	}
	hf_pt_double(r, &acc, run);
}

void hf_pt_mul_two_public(
	struct hf_pt *r, const uint64_t s[4], const uint64_t t[4], const struct hf_pt *p)
{
	struct hf_pt acc;
	struct hf_pt_affine q;

	hf_pt_mul_public(&acc, t, p);
	for (unsigned i = 0; i < HF_G_WINDOWS; i++) {
		hf_ct_mask neg;
		unsigned digit = booth(&neg, s, i, HF_G_WINDOW);

		if (digit == 0)
			continue;
		q = hf_g_table[i][digit - 1];
		if (neg != 0)
			hf_fp_neg(&q.y, &q.y);
		hf_pt_add_affine(&acc, &acc, &q);
	}
	*r = acc;
}
