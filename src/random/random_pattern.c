/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of patterns and how they come back. GM/T 0005-2021 5.4, 5.12, 5.14. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "random/random_tests.h"

enum { UNIVERSAL_FIRST = 6 }; /* block length of the first row of the table below */

/* How often each pattern of m bits begins somewhere in the sequence closed to a ring. */
static void count_patterns(uint32_t *counts, const struct hf_bits *b, unsigned m)
{
	uint64_t mask = ((uint64_t)1 << m) - 1;
	uint64_t x = 0;
	size_t i = 0;

	memset(counts, 0, ((size_t)1 << m) * sizeof(*counts));
	for (size_t j = 0; j + 1 < m; j++)
		x = x << 1 | hf_bits_at(b, j % b->n);
	/* A word at a time, then what is left with the bits around the end. */
	for (i = m - 1; i + HF_BITS_WORD <= b->n; i += HF_BITS_WORD) {
		uint64_t w = hf_bits_from(b, i);

		for (unsigned j = 0; j < HF_BITS_WORD; j++) {
			x = x << 1 | (w >> (HF_BITS_WORD - 1 - j) & 1);
			counts[x & mask]++;
		}
	}
	for (; i < b->n + m - 1; i++) {
		x = x << 1 | hf_bits_at(b, i % b->n);
		counts[x & mask]++;
	}
}

/* A pattern of m - 1 bits begins where one of m bits with either last bit does. */
static void shorten(uint32_t *counts, unsigned m)
{
	for (size_t i = 0; i < (size_t)1 << (m - 1); i++)
		counts[i] = counts[2 * i] + counts[2 * i + 1];
}

/* 2^m / n sum of n_i^2 - n, from patterns of m bits; 0 for m = 0. */
static double psi(const uint32_t *counts, unsigned m, double n)
{
	double sum = 0;

	if (m == 0)
		return 0;
	for (size_t i = 0; i < (size_t)1 << m; i++)
		sum += (double)counts[i] * counts[i];
	return ldexp(sum, (int)m) / n - n;
}

/* 5.4: first and second difference of psi over the length of the patterns. */
hf_err hf_random_serial(struct hf_random *r, const struct hf_random_item *item,
	const struct hf_bits *b, struct hf_random_value *values)
{
	unsigned m = item->m;
	double n = (double)b->n;
	double of[3];

	assert(m >= 2 && m <= 16); /* by the table in random.c */
	count_patterns(r->counts, b, m);
	of[0] = psi(r->counts, m, n);
	shorten(r->counts, m);
	of[1] = psi(r->counts, m - 1, n);
	if (m > 2)
		shorten(r->counts, m - 1);
	of[2] = psi(r->counts, m - 2, n);
	values[0] = hf_random_chi(ldexp(1, (int)m - 2), of[0] - of[1]);
	values[1] = hf_random_chi(ldexp(1, (int)m - 3), of[0] - 2 * of[1] + of[2]);
	return HF_OK;
}

/* Sum of C ln C over the shares C of the patterns of m bits. */
static double information(const uint32_t *counts, unsigned m, double n)
{
	double sum = 0;

	for (size_t i = 0; i < (size_t)1 << m; i++)
		if (counts[i] > 0)
			sum += counts[i] / n * log(counts[i] / n);
	return sum;
}

/* 5.12: V = 2 n (ln 2 - ApEn), ApEn = information of m less that of m + 1 bits. */
hf_err hf_random_entropy(struct hf_random *r, const struct hf_random_item *item,
	const struct hf_bits *b, struct hf_random_value *values)
{
	double n = (double)b->n;
	double longer;
	double shorter;

	assert(item->m >= 1 && item->m <= 15);
	count_patterns(r->counts, b, item->m + 1);
	longer = information(r->counts, item->m + 1, n);
	shorten(r->counts, item->m + 1);
	shorter = information(r->counts, item->m, n);
	values[0] =
		hf_random_chi(ldexp(1, (int)item->m - 1), 2 * n * (log(2) - (shorter - longer)));
	return HF_OK;
}

/*
 * 5.14: f is the mean of log2 of the distance to the last block of the same value, over the K
 * blocks behind the first q; V = (f - E) / (c sqrt(variance / K)), c = 0.7 - 0.8/L + (4 + 32/L)
 * K^(-3/L) / 15.
 */
static const struct {
	double mean;
	double variance;
} universals[] = {
	{ 5.2177052, 2.954 },
	{ 6.1962507, 3.125 },
	{ 7.1836656, 3.238 },
	{ 8.1764248, 3.311 },
	{ 9.1723243, 3.356 },
	{ 10.170032, 3.384 },
	{ 11.168765, 3.401 },
	{ 12.168070, 3.410 },
	{ 13.167693, 3.416 },
	{ 14.167488, 3.419 },
	{ 15.167379, 3.421 },
};

hf_err hf_random_universal(struct hf_random *r, const struct hf_random_item *item,
	const struct hf_bits *b, struct hf_random_value *values)
{
	unsigned len = item->m;
	size_t n_blocks = b->n / len;
	size_t at = len - UNIVERSAL_FIRST;
	double k = (double)n_blocks - item->q;
	double sum = 0;
	double c;

	if (at >= HF_COUNT(universals) || n_blocks <= item->q)
		return HF_ERR_ARG;
	memset(r->counts, 0, ((size_t)1 << len) * sizeof(*r->counts));
	for (size_t i = 0; i < n_blocks; i++) {
		size_t value = hf_bits_from(b, i * len) >> (HF_BITS_WORD - len);

		if (i >= item->q)
			sum += log2((double)(i + 1 - r->counts[value]));
		r->counts[value] = (uint32_t)(i + 1);
	}
	c = 0.7 - 0.8 / len + (4 + 32.0 / len) * pow(k, -3.0 / len) / 15;
	values[0] = hf_random_normal(
		(sum / k - universals[at].mean) / (c * sqrt(universals[at].variance / k)));
	return HF_OK;
}
