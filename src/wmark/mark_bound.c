/* SPDX-License-Identifier: Apache-2.0 */
/* The grid is geometric, 0.3 to 150 in units of 1 / sd: z from below 1 to beyond every verdict. */
#include "wmark/mark_bound.h"

#include <math.h>

#define LN_10     2.30258509299404568402
#define NO_WEIGHT 1e-12 /* a site that counts no more than this tells nothing */

static double cumulant(double lambda, const struct hf_mark_term *terms, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++) {
		const struct hf_mark_term *t = &terms[i];
		double one = lambda * t->d * (1 - t->p);
		double zero = -lambda * t->d * t->p;
		double top = fmax(one, zero);

		if (t->n > 0 && fabs(t->d) > NO_WEIGHT)
			sum += t->n *
			       (top + log(t->p * exp(one - top) + (1 - t->p) * exp(zero - top)));
	}
	return sum;
}

void hf_mark_bound_init(struct hf_mark_bound *b, const struct hf_mark_term *terms, size_t n)
{
	double variance = 0;

	b->mean = 0;
	for (size_t i = 0; i < n; i++) {
		const struct hf_mark_term *t = &terms[i];

		b->mean += t->n * t->p * t->d;
		if (fabs(t->d) > NO_WEIGHT)
			variance += t->n * t->p * (1 - t->p) * t->d * t->d;
	}
	b->sd = sqrt(variance);
	for (unsigned i = 0; i < HF_MARK_LAMBDAS && b->sd > 0; i++) {
		b->lambda[i] = 0.3 * pow(150 / 0.3, i / (HF_MARK_LAMBDAS - 1.0)) / b->sd;
		b->k[i] = cumulant(b->lambda[i], terms, n);
	}
}

/*
 * K is convex, so the best lambda rises with the score, and the next one is better as long as the
 * slope between them is below the score: found by halving, with a neighbour on each side for
 * rounding.
 */
double hf_mark_bound_log10(const struct hf_mark_bound *b, double score)
{
	double s = score - b->mean;
	unsigned low = 0;
	unsigned high = HF_MARK_LAMBDAS - 1;
	double best = 0;

	if (!(b->sd > 0) || !(s > 0))
		return 0;
	while (low < high) {
		unsigned mid = (low + high) / 2;

		if (b->k[mid + 1] - b->k[mid] < s * (b->lambda[mid + 1] - b->lambda[mid]))
			low = mid + 1;
		else
			high = mid;
	}
	for (unsigned i = low > 0 ? low - 1 : 0; i <= low + 1 && i < HF_MARK_LAMBDAS; i++)
		best = fmin(best, b->k[i] - b->lambda[i] * s);
	return best / LN_10;
}

double hf_mark_bound_score(const struct hf_mark_bound *b, double log10_p)
{
	double least = INFINITY;

	for (unsigned i = 0; i < HF_MARK_LAMBDAS && b->sd > 0; i++)
		least = fmin(least, (b->k[i] - log10_p * LN_10) / b->lambda[i]);
	return b->mean + least;
}
