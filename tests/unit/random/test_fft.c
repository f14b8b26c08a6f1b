/* SPDX-License-Identifier: Apache-2.0 */
/* The transform against its definition, for lengths of all kinds. */
#include "test.h"

#include <math.h>

#include "random/fft.h"

#define TAU 6.28318530717958647693

static struct hf_complex *noise(size_t n, uint64_t seed)
{
	struct hf_complex *x = malloc(n * sizeof(*x));
	struct test_rng r;

	(void)test_rng(&r, seed);
	for (size_t i = 0; i < n; i++) {
		x[i].re = (double)test_rng_below(&r, 2001) / 1000 - 1;
		x[i].im = (double)test_rng_below(&r, 2001) / 1000 - 1;
	}
	return x;
}

static struct hf_complex by_definition(const struct hf_complex *x, size_t n, size_t k)
{
	struct hf_complex sum = { 0, 0 };

	for (size_t j = 0; j < n; j++) {
		double turn = TAU * (double)(j * k % n) / (double)n;

		sum.re += x[j].re * cos(turn) + x[j].im * sin(turn);
		sum.im += x[j].im * cos(turn) - x[j].re * sin(turn);
	}
	return sum;
}

static void check_length(size_t n, size_t step)
{
	struct hf_complex *x = noise(n, n);
	struct hf_fft *f = NULL;

	assert_ok(hf_fft_new(&f, &test_mem, n));
	for (unsigned round = 0; round < 2; round++) {
		const struct hf_complex *y;

		memcpy(hf_fft_in(f), x, n * sizeof(*x));
		y = hf_fft_run(f);
		for (size_t k = 0; k < n; k += step) {
			struct hf_complex expected = by_definition(x, n, k);

			assert_true(fabs(y[k].re - expected.re) < 1e-8);
			assert_true(fabs(y[k].im - expected.im) < 1e-8);
		}
	}
	hf_fft_free(f);
	free(x);
}

static void every_short_length_is_right(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 130; n++)
		check_length(n, 1);
}

static void long_lengths_are_right(void **state)
{
	static const size_t lengths[] = { 1000, 1024, 1009, 2 * 3 * 5 * 7 * 11, 4096, 15625,
		20011 };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		check_length(lengths[i], lengths[i] / 7);
}

static void refuses_no_points_and_too_many(void **state)
{
	struct hf_fft *f = NULL;

	(void)state;
	assert_err(hf_fft_new(&f, &test_mem, 0), HF_ERR_ARG);
	assert_err(hf_fft_new(&f, &test_mem, (size_t)HF_FFT_MAX + 1), HF_ERR_ARG);
	assert_null(f);
	hf_fft_free(NULL);
}

static void survives_each_failed_allocation(void **state)
{
	static const size_t lengths[] = { 60, 61 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct hf_fft *f = NULL;
		hf_err e = HF_ERR_NO_MEMORY;

		for (unsigned at = 1; e != HF_OK; at++) {
			test_mem_fail_at(at);
			e = hf_fft_new(&f, &test_mem, lengths[i]);
			test_mem_fail_at(0);
			assert_true(e == HF_OK || (e == HF_ERR_NO_MEMORY && f == NULL));
			assert_true(at < 20);
		}
		hf_fft_free(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_short_length_is_right),
		cmocka_unit_test(long_lengths_are_right),
		cmocka_unit_test(refuses_no_points_and_too_many),
		cmocka_unit_test(survives_each_failed_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
