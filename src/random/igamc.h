/* SPDX-License-Identifier: Apache-2.0 */
/* The incomplete gamma function, which turns a sum of squares into a probability. */
#ifndef HF_RANDOM_IGAMC_H
#define HF_RANDOM_IGAMC_H

/* ln Gamma(a) for a > 0. */
double hf_ln_gamma(double a);

/*
 * Q(a, x) = Gamma(a, x) / Gamma(a) for a > 0: the chance that a chi-square sum of 2a degrees of
 * freedom is 2x or more. 1 for x <= 0. Good to 12 digits for a up to 10^4, to 9 for a up to 10^6.
 */
double hf_igamc(double a, double x);

#endif
