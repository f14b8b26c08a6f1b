/* SPDX-License-Identifier: Apache-2.0 */
#include "wmark/mark_em.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum {
	STEPS = 25,
	END = 0,   /* index of sigma for the levels -1 and +1 */
	INNER = 1, /* and for those between them */
};

#define TAIL        2e-3 /* share of readings that may be anything */
#define RATIO_MAX   8.0
#define NOISE_MIN   0.1
#define ROOT_TWO_PI 2.50662827463100050242

/* What one step works with. */
struct step {
	double density[HF_MARK_LEVELS_MAX][HF_MARK_BINS];
	double g[HF_MARK_COALITION_MAX + 1][HF_MARK_BINS]; /* expected sites with k ones in a bin */
	double n_kl[HF_MARK_COALITION_MAX + 1][HF_MARK_LEVELS_MAX];
	double n_ly[HF_MARK_LEVELS_MAX][HF_MARK_BINS];
};

double hf_mark_limit(double noise)
{
	return noise <= 0.3 ? 1.6 : 1 + 2.5 * fmin(noise, 12);
}

uint8_t hf_mark_bin(double y, double limit)
{
	if (isnan(y))
		return HF_MARK_NO_BIN;
	y = fmin(fmax(y, -limit), limit);
	return (uint8_t)fmin(
		rint((y + limit) * (HF_MARK_BINS - 1) / (2 * limit)), HF_MARK_BINS - 1);
}

static double bin_width(const struct hf_mark_channel *ch)
{
	return 2 * ch->limit / (HF_MARK_BINS - 1);
}

static double bin_value(const struct hf_mark_channel *ch, unsigned y)
{
	return y * bin_width(ch) - ch->limit;
}

static bool is_end(const struct hf_mark_channel *ch, unsigned l)
{
	return l == 0 || l == ch->n_levels - 1;
}

/* P(k of n hold a one). */
static void binomial(double *b, unsigned n, double p)
{
	double ways = 1;

	for (unsigned k = 0; k <= n; k++) {
		b[k] = ways * pow(p, k) * pow(1 - p, n - k);
		ways = ways * (n - k) / (k + 1);
	}
}

static double bias(unsigned cls)
{
	return hf_mark_threshold[cls] / 256.0;
}

/* The mean levels of k = 0 ... c, and 0 where it is none of them; rising. */
static void set_levels(struct hf_mark_channel *ch)
{
	unsigned n = 0;

	for (unsigned k = 0; k <= ch->c; k++) {
		if (2 * k > ch->c && 2 * (k - 1) < ch->c && k > 0)
			ch->level[n++] = 0;
		ch->level[n++] = 2.0 * k / ch->c - 1;
	}
	ch->n_levels = n;
}

/* The level nearest to x. */
static unsigned nearest(const struct hf_mark_channel *ch, double x)
{
	unsigned best = 0;

	for (unsigned l = 1; l < ch->n_levels; l++)
		if (fabs(ch->level[l] - x) < fabs(ch->level[best] - x) - 1e-9)
			best = l;
	return best;
}

/* Mostly its own average or one colluder's symbol, seldom the original; both ends are sure. */
static void set_prior(struct hf_mark_channel *ch)
{
	unsigned last = ch->n_levels - 1;

	memset(ch->theta, 0, sizeof(ch->theta));
	for (unsigned k = 1; k < ch->c; k++) {
		double share = (double)k / ch->c;

		ch->theta[k][nearest(ch, 2 * share - 1)] += .45;
		ch->theta[k][last] += .45 * share;
		ch->theta[k][0] += .45 * (1 - share);
		ch->theta[k][nearest(ch, 0)] += .1;
	}
	ch->theta[0][0] = 1;
	ch->theta[ch->c][last] = 1;
}

static void set_density(struct hf_mark_channel *ch, struct step *st)
{
	double width = bin_width(ch);

	for (unsigned l = 0; l < ch->n_levels; l++) {
		double s = ch->sigma[is_end(ch, l) ? END : INNER];

		for (unsigned y = 0; y < HF_MARK_BINS; y++) {
			double x = (bin_value(ch, y) - ch->gain * ch->level[l]) / s;

			st->density[l][y] =
				(1 - TAIL) * exp(-.5 * x * x) / s * width / ROOT_TWO_PI +
				TAIL / HF_MARK_BINS;
		}
	}
	for (unsigned k = 0; k <= ch->c; k++) {
		for (unsigned y = 0; y < HF_MARK_BINS; y++) {
			double sum = 0;

			for (unsigned l = 0; l < ch->n_levels; l++)
				sum += ch->theta[k][l] * st->density[l][y];
			ch->w[k][y] = sum;
		}
	}
}

/* Of the sites of one class with n_one ones among the named, how many have k ones in all. */
static void expect_row(struct hf_mark_channel *ch, struct step *st, const uint32_t *n,
	const double *b, unsigned n_one, unsigned free)
{
	for (unsigned y = 0; y < HF_MARK_BINS; y++) {
		double f = 0;

		if (n[y] == 0)
			continue;
		for (unsigned i = 0; i <= free; i++)
			f += b[i] * ch->w[n_one + i][y];
		ch->log_likelihood += n[y] * log(f);
		for (unsigned i = 0; i <= free; i++)
			st->g[n_one + i][y] += n[y] / f * b[i];
	}
}

static void expect(struct hf_mark_channel *ch, struct step *st, const struct hf_mark_cells *cells)
{
	unsigned free = ch->c - cells->n_named;
	double b[HF_MARK_COALITION_MAX + 1];

	memset(st->g, 0, sizeof(st->g));
	memset(st->n_kl, 0, sizeof(st->n_kl));
	memset(st->n_ly, 0, sizeof(st->n_ly));
	ch->log_likelihood = 0;
	for (unsigned cls = 0; cls < HF_MARK_CLASSES; cls++) {
		binomial(b, free, bias(cls));
		for (unsigned one = 0; one <= cells->n_named; one++)
			expect_row(ch, st, cells->n[cls][one], b, one, free);
	}
	for (unsigned k = 0; k <= ch->c; k++) {
		for (unsigned l = 0; l < ch->n_levels; l++) {
			for (unsigned y = 0; y < HF_MARK_BINS; y++) {
				double n = ch->theta[k][l] * st->density[l][y] * st->g[k][y];

				st->n_kl[k][l] += n;
				st->n_ly[l][y] += n;
			}
		}
	}
}

static void fit_theta(struct hf_mark_channel *ch, const struct step *st,
	double prior[HF_MARK_COALITION_MAX + 1][HF_MARK_LEVELS_MAX])
{
	for (unsigned k = 1; k < ch->c; k++) {
		double sum = 0;

		for (unsigned l = 0; l < ch->n_levels; l++)
			sum += st->n_kl[k][l] + 2 * prior[k][l];
		for (unsigned l = 0; l < ch->n_levels; l++)
			ch->theta[k][l] = (st->n_kl[k][l] + 2 * prior[k][l]) / sum;
	}
}

static void fit_gain(struct hf_mark_channel *ch, const struct step *st)
{
	double n = 0;
	double sum = 0;

	for (unsigned l = 0; l < ch->n_levels; l++) {
		for (unsigned y = 0; is_end(ch, l) && y < HF_MARK_BINS; y++) {
			n += st->n_ly[l][y];
			sum += st->n_ly[l][y] * bin_value(ch, y) * ch->level[l];
		}
	}
	if (n > 5)
		ch->gain = fmin(fmax((sum + 20) / (n + 20), .1), 1.5);
}

static void fit_sigma(struct hf_mark_channel *ch, const struct step *st, unsigned group)
{
	double s0 = ch->noise;
	double cut = (1 + 3 * s0) * (1 + 3 * s0);
	double n = 0;
	double sum = 0;

	for (unsigned l = 0; l < ch->n_levels; l++) {
		if (is_end(ch, l) != (group == END))
			continue;
		for (unsigned y = 0; y < HF_MARK_BINS; y++) {
			double d = bin_value(ch, y) - ch->gain * ch->level[l];

			n += st->n_ly[l][y];
			sum += st->n_ly[l][y] * fmin(d * d, cut);
		}
	}
	if (n > 5)
		ch->sigma[group] = sqrt(fmin(fmax((sum + 2 * s0 * s0) / (n + 2), .03 * .03),
			(2 * s0 + 1) * (2 * s0 + 1)));
}

void hf_mark_channel_fit(
	struct hf_mark_channel *ch, const struct hf_mark_cells *cells, unsigned c, double noise)
{
	double prior[HF_MARK_COALITION_MAX + 1][HF_MARK_LEVELS_MAX];
	struct step st;

	memset(ch, 0, sizeof(*ch));
	ch->c = c;
	ch->limit = hf_mark_limit(noise);
	ch->noise = fmax(noise, NOISE_MIN);
	ch->gain = 1;
	ch->sigma[END] = ch->noise;
	ch->sigma[INNER] = 1.3 * ch->noise;
	set_levels(ch);
	set_prior(ch);
	memcpy(prior, ch->theta, sizeof(prior));
	for (unsigned i = 0; i < STEPS; i++) {
		set_density(ch, &st);
		expect(ch, &st, cells);
		if (i == STEPS - 1)
			break; /* what the likelihood was measured of stays */
		fit_theta(ch, &st, prior);
		fit_gain(ch, &st);
		fit_sigma(ch, &st, END);
		fit_sigma(ch, &st, INNER);
	}
}

double hf_mark_channel_ratio(const struct hf_mark_channel *ch, unsigned cls, unsigned n_named,
	unsigned n_one, unsigned bin)
{
	unsigned free = ch->c - n_named - 1;
	double b[HF_MARK_COALITION_MAX + 1];
	double with = 0;
	double without = 0;

	binomial(b, free, bias(cls));
	for (unsigned k = 0; k <= free; k++) {
		with += b[k] * ch->w[n_one + k + 1][bin];
		without += b[k] * ch->w[n_one + k][bin];
	}
	return fmin(fmax(log(with / without), -RATIO_MAX), RATIO_MAX);
}
