/* SPDX-License-Identifier: Apache-2.0 */
/* Tests by linear algebra: rank, linear complexity, spectrum. GM/T 0005-2021 5.10, 5.13, 5.15. */
#include <math.h>

#include "base/attr.h"
#include "random/fft.h"
#include "random/lfsr.h"
#include "random/random_tests.h"

enum { ROWS = 32 }; /* of a matrix, and columns */

/* Gauss: each column that has a row with a one uses that row up. */
static unsigned rank(uint32_t row[ROWS])
{
	unsigned n = 0;

	for (uint32_t column = UINT32_C(1) << 31; column != 0 && n < ROWS; column >>= 1) {
		unsigned i = n;
		uint32_t pivot;

		while (i < ROWS && (row[i] & column) == 0)
			i++;
		if (i == ROWS)
			continue;
		pivot = row[i];
		row[i] = row[n];
		row[n++] = pivot;
		for (i = n; i < ROWS; i++)
			row[i] ^= row[i] & column ? pivot : 0;
	}
	return n;
}

/* 5.10: of random matrices 0.2888 have full rank, 0.5776 one less, 0.1336 less than that. */
hf_err hf_random_rank(struct hf_random *r, const struct hf_random_item *item,
	const struct hf_bits *b, struct hf_random_value *values)
{
	static const double pi[] = { 0.2888, 0.5776, 0.1336 };
	size_t n = b->n / (ROWS * ROWS);
	size_t n_of[3] = { 0 };
	double v = 0;

	(void)r;
	(void)item;
	if (n == 0)
		return HF_ERR_ARG;
	for (size_t i = 0; i < n; i++) {
		uint32_t row[ROWS];
		unsigned missing;

		for (size_t j = 0; j < ROWS; j++)
			row[j] = (uint32_t)(hf_bits_from(b, (i * ROWS + j) * ROWS) >> 32);
		missing = ROWS - rank(row);
		n_of[missing < 2 ? missing : 2]++;
	}
	for (size_t i = 0; i < HF_COUNT(pi); i++)
		v += hf_random_off((double)n_of[i], pi[i] * (double)n);
	values[0] = hf_random_chi(1, v);
	return HF_OK;
}

/* 5.13: where T = (-1)^m (L - mean) + 2/9 lies among -2.5, -1.5, ... 2.5, with these chances. */
hf_err hf_random_complexity(struct hf_random *r, const struct hf_random_item *item,
	const struct hf_bits *b, struct hf_random_value *values)
{
	static const double pi[] = { 0.010417, 0.03125, 0.125, 0.5, 0.25, 0.0625, 0.020833 };
	size_t m = item->m;
	size_t n = b->n / m;
	size_t n_of[HF_COUNT(pi)] = { 0 };
	double sign = m % 2 == 0 ? 1 : -1;
	double mean = (double)m / 2 + (9 - sign) / 36 - ldexp((double)m / 3 + 2.0 / 9, -(int)m);
	double v = 0;
	uint64_t *work;

	if (n == 0)
		return HF_ERR_ARG;
	work = hf_mem_array(r->mem, HF_LFSR_WORDS(m), sizeof(*work));
	if (work == NULL)
		return HF_ERR_NO_MEMORY;
	for (size_t i = 0; i < n; i++) {
		double t = sign * ((double)hf_lfsr_len(b, i * m, m, work) - mean) + 2.0 / 9;

		n_of[(size_t)fmax(0, fmin(6, ceil(t + 2.5)))]++;
	}
	hf_mem_free(r->mem, work);
	for (size_t i = 0; i < HF_COUNT(pi); i++)
		v += hf_random_off((double)n_of[i], pi[i] * (double)n);
	values[0] = hf_random_chi(3, v);
	return HF_OK;
}

static double square(double x)
{
	return x * x;
}

/*
 * The first n / 2 points X_k of the transform of the sequence of +1 and -1 that are below the
 * threshold. An even n takes a transform of n / 2 points z_j = x_2j + i x_(2j+1): with Z of it,
 *
 *	X_k = (Z_k + Z*_(n/2-k)) / 2 - i e^(-2 pi i k / n) (Z_k - Z*_(n/2-k)) / 2
 */
static size_t count_low(struct hf_random *r, const struct hf_bits *b, double limit)
{
	bool is_even = b->n % 2 == 0;
	size_t len = is_even ? b->n / 2 : b->n;
	struct hf_complex *in = hf_fft_in(r->fft);
	const struct hf_complex *z;
	size_t n = 0;

	for (size_t j = 0; j < len; j++) {
		in[j].re = 2.0 * hf_bits_at(b, is_even ? 2 * j : j) - 1;
		in[j].im = is_even ? 2.0 * hf_bits_at(b, 2 * j + 1) - 1 : 0;
	}
	z = hf_fft_run(r->fft);
	for (size_t k = 0; k < b->n / 2; k++) {
		struct hf_complex other = z[k == 0 ? 0 : len - k];
		double turn = 6.28318530717958647693 * (double)k / (double)b->n;
		double re = z[k].re;
		double im = z[k].im;

		if (is_even) {
			double odd_re = (z[k].im + other.im) / 2;
			double odd_im = (other.re - z[k].re) / 2;

			re = (z[k].re + other.re) / 2 + odd_re * cos(turn) + odd_im * sin(turn);
			im = (z[k].im - other.im) / 2 + odd_im * cos(turn) - odd_re * sin(turn);
		}
		n += square(re) + square(im) < limit;
	}
	return n;
}

/* 5.15: 0.95 of the n / 2 points are expected below sqrt(n ln 20), with variance 0.95 0.05 n / 3.8.
 */
hf_err hf_random_fourier(struct hf_random *r, const struct hf_random_item *item,
	const struct hf_bits *b, struct hf_random_value *values)
{
	double n = (double)b->n;
	double low;

	(void)item;
	if (b->n < 2)
		return HF_ERR_ARG;
	if (r->n_fft != b->n) {
		hf_fft_free(r->fft);
		r->fft = NULL;
		r->n_fft = 0;
		HF_TRY(hf_fft_new(&r->fft, r->mem, b->n % 2 == 0 ? b->n / 2 : b->n));
		r->n_fft = b->n;
	}
	low = (double)count_low(r, b, 2.995732274 * n);
	values[0] = hf_random_normal((low - 0.95 * n / 2) / sqrt(0.95 * 0.05 * n / 3.8));
	return HF_OK;
}
