/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the sites of a tensor lie and what their two variants are. A tensor is cut into blocks of
 * so many weights in a row; each site is one block of its own stratum of blocks. In variant v,
 * weight i is w + (2 v - 1) a c with the chip c = +-1 and a = alpha (rms(row) / 2 + |w| / 2),
 * rounded to the tensor's type. Zeros, and what is not finite or would not be, stay as they are.
 *
 * All arithmetic is in single precision, one rounding an operation: the same bits everywhere. Bytes
 * of a tensor are little-endian, as in safetensors.
 */
#ifndef HF_WMARK_MARK_SITES_H
#define HF_WMARK_MARK_SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum hf_mark_type {
	HF_MARK_F32,
	HF_MARK_F16,
	HF_MARK_BF16,
	HF_MARK_TYPES,
};

/* Bytes of a weight. */
size_t hf_mark_type_len(enum hf_mark_type type);

/* The weight at p. */
float hf_mark_load(enum hf_mark_type type, const uint8_t *p);

/* Stores x at p, rounded to the nearest, ties to even; what is too large becomes infinite. */
void hf_mark_store(enum hf_mark_type type, uint8_t *p, float x);

enum {
	HF_MARK_WEIGHTS_MIN = 256, /* a tensor with fewer, or of fewer than 2 axes, has no sites */
	HF_MARK_BLOCK_MAX = 1 << 20, /* weights of a site */
	HF_MARK_ALPHA_ONE = 65536,
};

/*
 * Chosen once for a lineage, from the weights of its first release, and kept: they decide together
 * with a tensor's content where its sites are.
 */
struct hf_mark_params {
	uint32_t n_sites; /* that are meant in all; tensors round theirs by their own keys */
	uint32_t n_s;     /* weights of a site */
	uint32_t alpha;   /* amplitude in 1 / HF_MARK_ALPHA_ONE */
	uint64_t rate;    /* sites in 2^32 blocks */
};

/* For so many eligible weights. HF_ERR_LIMIT: too few to tell recipients apart (below 4800). */
HF_MUST_USE hf_err hf_mark_params_choose(struct hf_mark_params *p, uint64_t n_weights);

/* Sites of a tensor: rate times blocks, rounded by four bytes of its key stream. */
uint64_t hf_mark_n_sites(
	const struct hf_mark_params *p, uint64_t n_weights, const uint8_t bytes[4]);

/*
 * First weights of n_sites sites, rising, from 4 bytes each. HF_ERR_ARG: fewer blocks than sites,
 * more than 2^32 blocks, n_s 0.
 */
HF_MUST_USE hf_err hf_mark_positions(
	uint64_t *first, const uint8_t *bytes, size_t n_sites, uint64_t n_weights, uint32_t n_s);

/* Root of the mean square of the n weights of a row. */
float hf_mark_rms(enum hf_mark_type type, const uint8_t *row, size_t n);

/* One site. */
struct hf_mark_site {
	enum hf_mark_type type;
	uint32_t alpha;         /* in 1 / HF_MARK_ALPHA_ONE */
	const uint8_t *weights; /* n of them */
	uint32_t n;
	uint64_t first;       /* index of the first in the tensor */
	uint64_t cols;        /* weights of a row, above 0 */
	const float *row_rms; /* of every row of the tensor */
	const uint8_t *chips; /* bit i & 7 of byte i >> 3 is chip i: 0 adds in variant 1 */
	uint64_t first_chip;
};

/* Writes variant v, 0 or 1, of the site: n weights of its type. out may be exactly weights. */
void hf_mark_variant(uint8_t *out, const struct hf_mark_site *s, unsigned v);

#endif
