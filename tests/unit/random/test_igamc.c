/* SPDX-License-Identifier: Apache-2.0 */
/* The incomplete gamma function where closed forms exist. */
#include "test.h"

#include <math.h>

#include "random/igamc.h"

#define NEAR(got, expected) assert_true(fabs((got) - (expected)) <= 1e-11 * fabs(expected) + 1e-300)

static void ln_gamma_knows_factorials_and_halves(void **state)
{
	double ln = 0;

	(void)state;
	for (unsigned n = 1; n < 300; n++) {
		assert_true(fabs(hf_ln_gamma(n) - ln) < 1e-11 * (ln + 1));
		ln += log(n);
	}
	assert_true(fabs(hf_ln_gamma(0.5) - log(3.14159265358979323846) / 2) < 1e-13);
}

/* Q(a, x) = e^-x sum of x^k / k!, k < a, for whole a; erfc and its companions for halves. */
static void igamc_is_right_where_it_can_be_summed(void **state)
{
	static const double xs[] = { 1e-9, 0.1, 0.9, 1, 2.5, 7, 30, 64, 100, 300, 700 };

	(void)state;
	for (size_t i = 0; i < sizeof(xs) / sizeof(xs[0]); i++) {
		double x = xs[i];
		double term = exp(-x);
		double sum = 0;
		double half = erfc(sqrt(x));

		for (unsigned a = 1; a <= 400; a++) {
			sum += term;
			term *= x / a;
			if (sum > 1e-250)
				NEAR(hf_igamc(a, x), sum);
		}
		term = exp(-x) * sqrt(x / 3.14159265358979323846) * 2;
		for (unsigned a = 0; a < 100; a++) {
			if (half > 1e-250)
				NEAR(hf_igamc(a + 0.5, x), half);
			half += term;
			term *= x / (a + 1.5);
		}
	}
}

static void igamc_stays_between_none_and_one(void **state)
{
	(void)state;
	assert_true(hf_igamc(3, 0) == 1);
	assert_true(hf_igamc(3, -5) == 1);
	assert_true(hf_igamc(3, 1e6) == 0);
	assert_true(fabs(hf_igamc(500000, 500000) - 0.5) < 1e-3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ln_gamma_knows_factorials_and_halves),
		cmocka_unit_test(igamc_is_right_where_it_can_be_summed),
		cmocka_unit_test(igamc_stays_between_none_and_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
