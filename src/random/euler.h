/* SPDX-License-Identifier: Apache-2.0 */
/* The bits of e = 10.1011011111100001..., the sequence of the examples in Annex C of GM/T 0005. */
#ifndef HF_RANDOM_EULER_H
#define HF_RANDOM_EULER_H

#include "random/bits.h"

enum { HF_EULER_MAX = 1 << 22 }; /* bits */

/* Fills w, of HF_BITS_WORDS(n) words, n <= HF_EULER_MAX. A million bits take about a second. */
struct hf_bits hf_euler_bits(uint64_t *w, size_t n);

#endif
