/* SPDX-License-Identifier: Apache-2.0 */
/* Tests that count ones: in all, by blocks, by hands, on the way. GM/T 0005-2021 5.1 to 5.3, 5.11.
 */
#include <math.h>
#include <string.h>

#include "random/random_tests.h"

/* 5.1: V = (ones - zeros) / sqrt(n). */
hf_err hf_random_monobit(struct hf_random *r, const struct hf_random_item *item,
	const struct hf_bits *b, struct hf_random_value *values)
{
	double ones = (double)hf_bits_count(b, 0, b->n);

	(void)r;
	(void)item;
	values[0] = hf_random_normal((2 * ones - (double)b->n) / sqrt((double)b->n));
	return HF_OK;
}

/* 5.2: V = 4 m sum of (share of ones in a block - 1/2)^2, with N blocks: chi-square of N. */
hf_err hf_random_block_frequency(struct hf_random *r, const struct hf_random_item *item,
	const struct hf_bits *b, struct hf_random_value *values)
{
	size_t n_blocks = b->n / item->m;
	double v = 0;

	(void)r;
	if (n_blocks == 0)
		return HF_ERR_ARG;
	for (size_t i = 0; i < n_blocks; i++) {
		double share = (double)hf_bits_count(b, i * item->m, item->m) / item->m;

		v += (share - 0.5) * (share - 0.5);
	}
	values[0] = hf_random_chi((double)n_blocks / 2, 4 * (double)item->m * v);
	return HF_OK;
}

/* 5.3: V = 2^m / N sum of n_i^2 - N over the 2^m values of a hand of m bits. */
hf_err hf_random_poker(struct hf_random *r, const struct hf_random_item *item,
	const struct hf_bits *b, struct hf_random_value *values)
{
	size_t n_hands = b->n / item->m;
	size_t n_kinds = (size_t)1 << item->m;
	double sum = 0;

	if (n_hands == 0)
		return HF_ERR_ARG;
	memset(r->counts, 0, n_kinds * sizeof(*r->counts));
	for (size_t i = 0; i < n_hands; i++)
		r->counts[hf_bits_from(b, i * item->m) >> (HF_BITS_WORD - item->m)]++;
	for (size_t i = 0; i < n_kinds; i++)
		sum += (double)r->counts[i] * r->counts[i];
	values[0] = hf_random_chi((double)(n_kinds - 1) / 2,
		sum * (double)n_kinds / (double)n_hands - (double)n_hands);
	return HF_OK;
}

static double phi(double x)
{
	return erfc(-x / sqrt(2)) / 2;
}

/* Chance that the largest excursion of a random walk of n steps is z or more; limits cut to zero.
 */
static double excursion(double n, double z)
{
	int64_t last = (int64_t)((n / z - 1) / 4);
	double step = z / sqrt(n);
	double p = 1;

	for (int64_t i = (int64_t)((-n / z + 1) / 4); i <= last; i++)
		p -= phi((double)(4 * i + 1) * step) - phi((double)(4 * i - 1) * step);
	for (int64_t i = (int64_t)((-n / z - 3) / 4); i <= last; i++)
		p += phi((double)(4 * i + 3) * step) - phi((double)(4 * i + 1) * step);
	return fmax(0, fmin(1, p));
}

/*
 * 5.11: the largest |S_k|, where S_k is ones less zeros of the first k bits, or of the last k: that
 * is S_n - S_(n-k), so the least and greatest S_k on the way serve for both.
 */
hf_err hf_random_cusum(struct hf_random *r, const struct hf_random_item *item,
	const struct hf_bits *b, struct hf_random_value *values)
{
	double n = (double)b->n;
	int64_t s = 0;
	int64_t least = 0;
	int64_t most = 0;
	double z;

	(void)r;
	(void)item;
	for (size_t i = 0; i < b->n; i++) {
		s += (int64_t)(2 * hf_bits_at(b, i)) - 1;
		least = s < least ? s : least;
		most = s > most ? s : most;
	}
	z = (double)(-least > most ? -least : most);
	values[0].p = values[0].q = excursion(n, z);
	z = (double)(most - s > s - least ? most - s : s - least);
	values[1].p = values[1].q = excursion(n, z);
	return HF_OK;
}
