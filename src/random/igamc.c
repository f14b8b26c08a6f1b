/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Left of x = a + 1 the power series of P = 1 - Q converges, right of it the continued fraction of
 * Q (Abramowitz and Stegun 6.5.29 and 6.5.31), each in a multiple of sqrt(a) steps.
 */
#include "random/igamc.h"

#include <math.h>

enum { STEPS_MAX = 1000000 };

#define TINY     1e-300
#define ACCURACY 1e-16

/* Stirling's series from 16 up (A&S 6.1.41); below, Gamma(a + 1) = a Gamma(a) leads there. */
double hf_ln_gamma(double a)
{
	double product = 1;
	double r;

	while (a < 16)
		product *= a++;
	r = 1 / (a * a);
	r = (1.0 / 12 - r * (1.0 / 360 - r * (1.0 / 1260 - r * (1.0 / 1680 - r / 1188)))) / a;
	return (a - 0.5) * log(a) - a + 0.91893853320467274178 + r - log(product);
}

/* P(a, x) without its factor: sum of x^k / (a (a+1) ... (a+k)). */
static double series(double a, double x)
{
	double term = 1 / a;
	double sum = term;

	for (unsigned k = 1; k < STEPS_MAX && term > sum * ACCURACY; k++) {
		term *= x / (a + k);
		sum += term;
	}
	return sum;
}

/* Q(a, x) without its factor, by Lentz's way: numerator and denominator as running ratios. */
static double fraction(double a, double x)
{
	double b = x + 1 - a;
	double c = 1 / TINY;
	double d = 1 / b;
	double value = d;

	for (unsigned k = 1; k < STEPS_MAX; k++) {
		double n = -(double)k * (k - a);
		double step;

		b += 2;
		d = n * d + b;
		d = 1 / (fabs(d) < TINY ? TINY : d);
		c = b + n / c;
		c = fabs(c) < TINY ? TINY : c;
		step = c * d;
		value *= step;
		if (fabs(step - 1) < 4 * ACCURACY)
			break;
	}
	return value;
}

double hf_igamc(double a, double x)
{
	double factor;

	if (x <= 0)
		return 1;
	factor = exp(a * log(x) - x - hf_ln_gamma(a));
	if (x < a + 1)
		return 1 - factor * series(a, x);
	return factor * fraction(a, x);
}
