/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of runs, which are bits of the same value in a row. GM/T 0005-2021 5.5 to 5.9. */
#include <math.h>

#include "base/attr.h"
#include "random/random_tests.h"

enum {
	RUN_MAX = 64,    /* classes of run lengths; e is below 5 long before */
	CLASSES_MAX = 7, /* of longest runs */
};

/* Ones in the sequence of b_i xor b_(i+d), i < n - d. */
static size_t changes(const struct hf_bits *b, size_t d)
{
	size_t len = b->n - d;
	size_t ones = 0;

	for (size_t i = 0; i < len; i += HF_BITS_WORD)
		ones += hf_bits_ones(
			hf_bits_head(hf_bits_from(b, i) ^ hf_bits_from(b, i + d), len - i));
	return ones;
}

/* 5.5: with pi the share of ones, V = (runs - 2 n pi (1 - pi)) / (2 sqrt(n) pi (1 - pi)). */
hf_err hf_random_runs(struct hf_random *r, const struct hf_random_item *item,
	const struct hf_bits *b, struct hf_random_value *values)
{
	double n = (double)b->n;
	double pi = (double)hf_bits_count(b, 0, b->n) / n;
	double n_runs = 1 + (double)changes(b, 1);
	double spread = pi * (1 - pi);

	(void)r;
	(void)item;
	values[0] = spread == 0
			    ? (struct hf_random_value){ 0, 0 }
			    : hf_random_normal((n_runs - 2 * n * spread) / (2 * sqrt(n) * spread));
	return HF_OK;
}

/* Runs of ones and of zeros by their length; those of k and more count as k. */
static void count_runs(const struct hf_bits *b, unsigned k, uint64_t n_runs[2][RUN_MAX + 1])
{
	unsigned value = hf_bits_at(b, 0);
	unsigned len = 1;

	for (size_t i = 1; i < b->n; i++) {
		unsigned next = hf_bits_at(b, i);

		if (next == value) {
			len += len < k;
			continue;
		}
		n_runs[value][len]++;
		value = next;
		len = 1;
	}
	n_runs[value][len]++;
}

/*
 * 5.6: k is the longest length with (n - k + 3) / 2^(k+2) >= 5. Of T runs, T / 2^(i+1) of ones and
 * as many of zeros are expected to have length i, and T / 2^k length k or more.
 */
hf_err hf_random_run_lengths(struct hf_random *r, const struct hf_random_item *item,
	const struct hf_bits *b, struct hf_random_value *values)
{
	uint64_t n_runs[2][RUN_MAX + 1] = { { 0 } };
	double total = 1 + (double)changes(b, 1);
	unsigned k = 0;
	double v = 0;

	(void)r;
	(void)item;
	while (k + 1 < RUN_MAX && k + 1 < b->n &&
		((double)b->n - (k + 1) + 3) / ldexp(1, (int)k + 3) >= 5)
		k++;
	if (k < 2)
		return HF_ERR_ARG;
	count_runs(b, k, n_runs);
	for (unsigned i = 1; i <= k; i++) {
		double expected = total / ldexp(1, (int)(i < k ? i + 1 : k));

		v += hf_random_off((double)n_runs[0][i], expected);
		v += hf_random_off((double)n_runs[1][i], expected);
	}
	values[0] = hf_random_chi(k - 1, v);
	return HF_OK;
}

/* 5.7: chances that the longest run of a block of m bits is first or less, first + 1, ... */
static const struct longest {
	uint32_t m;
	unsigned first;
	unsigned n;
	double pi[CLASSES_MAX];
} longests[] = {
	{ 8, 1, 4, { 0.2148, 0.3672, 0.2305, 0.1875 } },
	{ 128, 4, 6, { 0.1174, 0.2430, 0.2494, 0.1752, 0.1027, 0.1124 } },
	{ 10000, 10, 7, { 0.086632, 0.208201, 0.248419, 0.193913, 0.121458, 0.068011, 0.073366 } },
};

static void count_longest(const struct hf_bits *b, size_t from, const struct longest *c,
	uint64_t n_blocks[2][CLASSES_MAX])
{
	unsigned longest[2] = { 0, 0 };
	unsigned value = hf_bits_at(b, from);
	unsigned len = 0;

	for (size_t i = from; i < from + c->m; i++) {
		unsigned next = hf_bits_at(b, i);

		len = next == value ? len + 1 : 1;
		value = next;
		longest[value] = len > longest[value] ? len : longest[value];
	}
	for (unsigned i = 0; i < 2; i++) {
		unsigned class = longest[i] <= c->first ? 0 : longest[i] - c->first;

		n_blocks[i][class < c->n ? class : c->n - 1]++;
	}
}

hf_err hf_random_longest_run(struct hf_random *r, const struct hf_random_item *item,
	const struct hf_bits *b, struct hf_random_value *values)
{
	uint64_t n_blocks[2][CLASSES_MAX] = { { 0 } };
	const struct longest *c = longests;
	size_t total = b->n / item->m;

	(void)r;
	while (c < longests + HF_COUNT(longests) && c->m != item->m)
		c++;
	if (c == longests + HF_COUNT(longests) || b->n < c->m)
		return HF_ERR_ARG;
	for (size_t i = 0; i + c->m <= b->n; i += c->m)
		count_longest(b, i, c, n_blocks);
	for (unsigned value = 0; value < 2; value++) {
		double v = 0;

		for (unsigned i = 0; i < c->n; i++)
			v += hf_random_off((double)n_blocks[value][i], (double)total * c->pi[i]);
		values[1 - value] = hf_random_chi((double)(c->n - 1) / 2, v);
	}
	return HF_OK;
}

/*
 * 5.8: each derivation turns b_i into b_i xor b_(i+1), so one bit less is left. Bit i of the k-th
 * is the sum of C(k, j) b_(i+j) modulo 2, and C(k, j) is odd when j has no bit that k has not
 * (Lucas).
 */
hf_err hf_random_derivative(struct hf_random *r, const struct hf_random_item *item,
	const struct hf_bits *b, struct hf_random_value *values)
{
	size_t len = b->n - item->m;
	size_t ones = 0;

	(void)r;
	if (b->n <= item->m)
		return HF_ERR_ARG;
	for (size_t i = 0; i < len; i += HF_BITS_WORD) {
		uint64_t sum = 0;

		for (uint32_t j = 0; j <= item->m; j++)
			if ((j & ~item->m) == 0 && i + j <= b->n)
				sum ^= hf_bits_from(b, i + j);
		ones += hf_bits_ones(hf_bits_head(sum, len - i));
	}
	values[0] = hf_random_normal((2 * (double)ones - (double)len) / sqrt((double)len));
	return HF_OK;
}

/* 5.9: V = 2 (A - (n - d) / 2) / sqrt(n - d), where A bits differ from the one d places on. */
hf_err hf_random_autocorrelation(struct hf_random *r, const struct hf_random_item *item,
	const struct hf_bits *b, struct hf_random_value *values)
{
	double len = (double)b->n - item->m;

	(void)r;
	if (b->n <= item->m)
		return HF_ERR_ARG;
	values[0] = hf_random_normal(2 * ((double)changes(b, item->m) - len / 2) / sqrt(len));
	return HF_OK;
}
