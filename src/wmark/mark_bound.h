/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How improbable a score is for somebody innocent. Given the classes, his symbols are independent
 * of the leak, whatever was done to it; so Chernoff's bound over the sum of p_j-biased symbols
 * times any weights that were computed without them holds without an assumption on the attack:
 *
 *   ln P(S) <= min over lambda of K(lambda) - lambda (S - mean)
 *
 * over a fixed grid of lambda, which can only loosen it.
 */
#ifndef HF_WMARK_MARK_BOUND_H
#define HF_WMARK_MARK_BOUND_H

#include <stddef.h>

enum { HF_MARK_LAMBDAS = 140 };

struct hf_mark_bound {
	double mean; /* of an innocent's score */
	double sd;
	double lambda[HF_MARK_LAMBDAS]; /* rising */
	double k[HF_MARK_LAMBDAS];      /* cumulant function, convex in lambda */
};

/* So many sites whose symbol is 1 with probability p and then counts d. */
struct hf_mark_term {
	double n;
	double p;
	double d;
};

void hf_mark_bound_init(struct hf_mark_bound *b, const struct hf_mark_term *terms, size_t n);

/* log10 of the bound for a score; never above 0. 0 where no site tells anything. */
double hf_mark_bound_log10(const struct hf_mark_bound *b, double score);

/* The least score whose bound is 10^log10_p; infinite where no site tells anything. log10_p < 0. */
double hf_mark_bound_score(const struct hf_mark_bound *b, double log10_p);

#endif
