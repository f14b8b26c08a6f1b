/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tests, one function each, for random.c, which has checked m and q against the table there.
 * Each returns HF_ERR_ARG for a sample that is too short to give a value.
 */
#ifndef HF_RANDOM_RANDOM_TESTS_H
#define HF_RANDOM_RANDOM_TESTS_H

#include "random/random.h"

typedef hf_err hf_random_fn(struct hf_random *r, const struct hf_random_item *item,
	const struct hf_bits *b, struct hf_random_value *values);

hf_random_fn hf_random_monobit, hf_random_block_frequency, hf_random_poker, hf_random_cusum;
hf_random_fn hf_random_serial, hf_random_entropy, hf_random_universal;
hf_random_fn hf_random_runs, hf_random_run_lengths, hf_random_longest_run;
hf_random_fn hf_random_derivative, hf_random_autocorrelation;
hf_random_fn hf_random_rank, hf_random_complexity, hf_random_fourier;

/* Two-sided: v is standard normal. P from |v|, Q from v itself (5.1 and others). */
struct hf_random_value hf_random_normal(double v);

/* One-sided: v is a chi-square sum of 2a degrees of freedom; Q is P. */
struct hf_random_value hf_random_chi(double a, double v);

/* (got - expected)^2 / expected */
double hf_random_off(double got, double expected);

#endif
