/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Choosing and comparing without a branch or an index that depends on the data. All masks in the
 * house are made here. The barriers, before and behind, keep the compiler from turning a mask back
 * into a branch.
 */
#ifndef HF_BASE_CT_H
#define HF_BASE_CT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

typedef uint64_t hf_ct_mask; /* all ones or all zeros, nothing else */

/* Hides the value from the optimiser: it comes back unchanged, by an unknown way. */
static inline uint64_t hf_ct_barrier(uint64_t x)
{
	HF_FORGET(x);
	return x;
}

/* All ones if x is not 0. */
static inline hf_ct_mask hf_ct_nonzero(uint64_t x)
{
	x = hf_ct_barrier(x);
	return hf_ct_barrier(0 - ((x | (0 - x)) >> 63));
}

static inline hf_ct_mask hf_ct_zero(uint64_t x)
{
	return ~hf_ct_nonzero(x);
}

static inline hf_ct_mask hf_ct_same(uint64_t a, uint64_t b)
{
	return hf_ct_zero(a ^ b);
}

/* All ones if the lowest bit of x is set; the other bits do not count. */
static inline hf_ct_mask hf_ct_bit(uint64_t x)
{
	return hf_ct_barrier(0 - (hf_ct_barrier(x) & 1));
}

/* All ones if the highest bit of x is set: if x, in two's complement, is negative. */
static inline hf_ct_mask hf_ct_negative(uint64_t x)
{
	return 0 - (hf_ct_barrier(x) >> 63);
}

/* All ones if a < b, both unsigned. */
static inline hf_ct_mask hf_ct_less(uint64_t a, uint64_t b)
{
	a = hf_ct_barrier(a);
	return hf_ct_barrier(0 - (((~a & b) | ((~a | b) & (a - b))) >> 63));
}

/* a where m is set, else b. */
static inline uint64_t hf_ct_pick(hf_ct_mask m, uint64_t a, uint64_t b)
{
	return (a & m) | (b & ~m);
}

/* The one place where a mask may become a decision: the result is about to be told anyway. */
static inline bool hf_ct_declassify(hf_ct_mask m)
{
	HF_PUBLISH(m);
	return m != 0;
}

/* True if the len bytes are equal. Time depends on len alone. */
bool hf_ct_eq(const void *a, const void *b, size_t len);

/* Mask form of hf_ct_eq, for results that must stay secret a little longer. */
hf_ct_mask hf_ct_eq_mask(const void *a, const void *b, size_t len);

/* dst becomes a where m is set, else b. dst may be a or b. */
void hf_ct_pick_bytes(hf_ct_mask m, void *dst, const void *a, const void *b, size_t len);

#endif
