/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sequence of bits as the randomness tests read it: the first bit is the highest of the first
 * byte. Kept in 64-bit words, first bit highest, with a word of zeros behind the last one, so that
 * 64 bits can be taken from any place.
 */
#ifndef HF_RANDOM_BITS_H
#define HF_RANDOM_BITS_H

#include <stddef.h>
#include <stdint.h>

struct hf_bits {
	const uint64_t *w; /* HF_BITS_WORDS(n) words; bits from n on are zero */
	size_t n;          /* bits */
};

enum { HF_BITS_WORD = 64 };

#define HF_BITS_WORDS(n) ((size_t)(n) / HF_BITS_WORD + 2)

/* Fills w, of HF_BITS_WORDS(n) words, from the first n bits of bytes. */
struct hf_bits hf_bits_load(uint64_t *w, const uint8_t *bytes, size_t n);

/* 64 bits from the i-th on, i <= n; zeros beyond the end. */
static inline uint64_t hf_bits_from(const struct hf_bits *b, size_t i)
{
	const uint64_t *w = b->w + i / HF_BITS_WORD;
	unsigned shift = i % HF_BITS_WORD;

	return shift == 0 ? w[0] : w[0] << shift | w[1] >> (HF_BITS_WORD - shift);
}

static inline unsigned hf_bits_at(const struct hf_bits *b, size_t i)
{
	return (unsigned)(b->w[i / HF_BITS_WORD] >> (HF_BITS_WORD - 1 - i % HF_BITS_WORD)) & 1;
}

/* The first len (at most 64) bits of x; the rest zero. */
static inline uint64_t hf_bits_head(uint64_t x, size_t len)
{
	return len >= HF_BITS_WORD ? x : len == 0 ? 0 : x & ~UINT64_C(0) << (HF_BITS_WORD - len);
}

/* Ones in a word: sums of 2, 4 and 8 bits side by side, then all bytes by one multiplication. */
static inline unsigned hf_bits_ones(uint64_t x)
{
	x -= x >> 1 & UINT64_C(0x5555555555555555);
	x = (x & UINT64_C(0x3333333333333333)) + (x >> 2 & UINT64_C(0x3333333333333333));
	x = (x + (x >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	return (unsigned)(x * UINT64_C(0x0101010101010101) >> 56);
}

/* Ones among the len bits from the i-th on; i + len <= n. */
size_t hf_bits_count(const struct hf_bits *b, size_t i, size_t len);

#endif
