/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Berlekamp and Massey, 64 coefficients at once. Polynomials keep coefficient j in bit j. The block
 * is kept backwards, so that the discrepancy of step i,
 *
 *	d = c_0 s_i + c_1 s_(i-1) + ... + c_L s_(i-L),
 *
 * is the parity of c AND the bits of the backward block from place m - 1 - i on. When d is 1, c
 * becomes c + x^gap b, where b is what c was before the length last grew, gap steps ago.
 */
#include "random/lfsr.h"

#include <stdbool.h>
#include <string.h>

enum { W = HF_BITS_WORD };

/* 64 bits of w from bit i on, lowest first; the word behind them exists. */
static uint64_t window(const uint64_t *w, size_t i)
{
	size_t shift = i % W;

	w += i / W;
	return shift == 0 ? w[0] : w[0] >> shift | w[1] << (W - shift);
}

static unsigned discrepancy(const uint64_t *c, const uint64_t *back, size_t at, size_t len)
{
	uint64_t sum = 0;

	for (size_t j = 0; j <= len; j += W)
		sum ^= c[j / W] & window(back, at + j);
	return hf_bits_ones(sum) & 1;
}

/* c += x^gap b, where b has n words. */
static void add_shifted(uint64_t *c, const uint64_t *b, size_t n, size_t gap)
{
	size_t shift = gap % W;

	c += gap / W;
	for (size_t j = 0; j < n; j++) {
		c[j] ^= b[j] << shift;
		if (shift > 0)
			c[j + 1] ^= b[j] >> (W - shift);
	}
}

size_t hf_lfsr_len(const struct hf_bits *b, size_t at, size_t m, uint64_t *work)
{
	size_t words = HF_BITS_WORDS(m);
	uint64_t *back = work;
	uint64_t *c = work + words;
	uint64_t *before = c + words;
	uint64_t *kept = before + words;
	size_t n_before = 1; /* words of it that are not zero */
	size_t gap = 1;
	size_t len = 0;

	memset(work, 0, HF_LFSR_WORDS(m) * sizeof(*work));
	for (size_t j = 0; j < m; j++)
		back[(m - 1 - j) / W] |= (uint64_t)hf_bits_at(b, at + j) << (m - 1 - j) % W;
	c[0] = 1;
	before[0] = 1;
	for (size_t i = 0; i < m; i++, gap++) {
		bool grows = 2 * len <= i;
		size_t n_c = len / W + 1;

		if (discrepancy(c, back, m - 1 - i, len) == 0)
			continue;
		if (grows)
			memcpy(kept, c, n_c * sizeof(*c));
		add_shifted(c, before, n_before, gap);
		if (grows) {
			memcpy(before, kept, n_c * sizeof(*c));
			n_before = n_c;
			len = i + 1 - len;
			gap = 0;
		}
	}
	return len;
}
