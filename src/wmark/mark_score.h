/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scores of many recipients: the sum of what the sites count in which they hold a one. A table of
 * 256 sums for every eight sites makes a score of as many additions as a code word has bytes; the
 * tables of a tile of sites stay in the cache while all recipients of a block pass.
 */
#ifndef HF_WMARK_MARK_SCORE_H
#define HF_WMARK_MARK_SCORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

/* Code words, one after another: bit j & 7 of byte j >> 3 is symbol j. Borrowed. */
struct hf_mark_words {
	const uint8_t *bits;
	size_t n;        /* recipients */
	size_t word_len; /* bytes from one word to the next: of n_sites symbols, rounded up */
};

/* Bytes of a word of so many symbols. */
static inline size_t hf_mark_word_len(size_t n_sites)
{
	return (n_sites + 7) / 8;
}

struct hf_mark_scorer {
	float *table; /* 256 a byte of a word */
	size_t n_bytes;
	const struct hf_mem *mem;
};

/* For n_sites that count d[j]. HF_ERR_NO_MEMORY. End it with hf_mark_scorer_clear(). */
HF_MUST_USE hf_err hf_mark_scorer_init(
	struct hf_mark_scorer *s, const double *d, size_t n_sites, const struct hf_mem *mem);
void hf_mark_scorer_clear(struct hf_mark_scorer *s); /* accepts { 0 } */

/*
 * Scores of the recipients first to first + n - 1, to the accuracy of float. Bits of a last byte
 * behind the last site count nothing.
 */
void hf_mark_scorer_run(const struct hf_mark_scorer *s, float *score,
	const struct hf_mark_words *words, size_t first, size_t n);

/* The score of one, exactly rounded sums apart: in site order, in double. */
double hf_mark_score(const double *d, size_t n_sites, const uint8_t *word);

#endif
