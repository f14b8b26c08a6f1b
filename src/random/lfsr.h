/* SPDX-License-Identifier: Apache-2.0 */
/* Linear complexity: the length of the shortest shift register with feedback that gives a block. */
#ifndef HF_RANDOM_LFSR_H
#define HF_RANDOM_LFSR_H

#include <stddef.h>
#include <stdint.h>

#include "random/bits.h"

/* Words of work for blocks of m bits. */
#define HF_LFSR_WORDS(m) (4 * HF_BITS_WORDS(m))

/* Of the m bits from the i-th on; i + m <= n. Takes about m * m / 256 operations on words. */
size_t hf_lfsr_len(const struct hf_bits *b, size_t i, size_t m, uint64_t *work);

#endif
