/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The channel from a coalition to what is read of a site. A coalition of c of whom k hold a one
 * leaves one of the levels 2i/c - 1 (or 0, the original), with probabilities theta[k]; where all
 * hold the same, that one (marking assumption); read with Gaussian noise and a gain. Expectation
 * and maximisation fit it to the leak. A wrong fit costs power, never soundness (mark_bound.h).
 */
#ifndef HF_WMARK_MARK_EM_H
#define HF_WMARK_MARK_EM_H

#include <stddef.h>
#include <stdint.h>

#include "wmark/mark_keys.h"

enum {
	HF_MARK_BINS = 65,          /* of what is read, over [-limit, limit] */
	HF_MARK_NO_BIN = 255,       /* a site that cannot be read */
	HF_MARK_COALITION_MAX = 20, /* assumed coalitions */
	HF_MARK_LEVELS_MAX = HF_MARK_COALITION_MAX + 2,
};

/* How many sites there are of a kind: class, named recipients who hold a one, bin. */
struct hf_mark_cells {
	unsigned n_named; /* recipients already named; below the assumed coalition */
	uint32_t n[HF_MARK_CLASSES][HF_MARK_COALITION_MAX][HF_MARK_BINS];
};

struct hf_mark_channel {
	unsigned c; /* assumed coalition */
	unsigned n_levels;
	double limit;
	double noise; /* of a site, as the reader estimates it */
	double level[HF_MARK_LEVELS_MAX];
	double sigma[2]; /* at the ends, between them */
	double gain;
	double theta[HF_MARK_COALITION_MAX + 1][HF_MARK_LEVELS_MAX];
	double w[HF_MARK_COALITION_MAX + 1][HF_MARK_BINS]; /* P(bin | k) */
	double log_likelihood;
};

/* Bound of what is read, for a noise. */
double hf_mark_limit(double noise);

/* Bin of a value; HF_MARK_NO_BIN for NaN. */
uint8_t hf_mark_bin(double y, double limit);

/*
 * Fits the channel of a coalition of c, 1 to HF_MARK_COALITION_MAX and above cells->n_named.
 * noise > 0, the same that gave the limit of the bins.
 */
void hf_mark_channel_fit(
	struct hf_mark_channel *ch, const struct hf_mark_cells *cells, unsigned c, double noise);

/*
 * What a one in such a site counts for one more colluder: log-likelihood ratio, within +-8. n_one
 * of the n_named already known hold a one.
 */
double hf_mark_channel_ratio(const struct hf_mark_channel *ch, unsigned cls, unsigned n_named,
	unsigned n_one, unsigned bin);

#endif
