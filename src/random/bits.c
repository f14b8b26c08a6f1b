/* SPDX-License-Identifier: Apache-2.0 */
#include "random/bits.h"

#include <string.h>

#include "base/endian.h"

struct hf_bits hf_bits_load(uint64_t *w, const uint8_t *bytes, size_t n)
{
	uint8_t last[8] = { 0 };
	size_t whole = n / HF_BITS_WORD;
	size_t rest = (n % HF_BITS_WORD + 7) / 8;

	for (size_t i = 0; i < whole; i++)
		w[i] = hf_get_be64(bytes + 8 * i);
	if (rest > 0)
		memcpy(last, bytes + 8 * whole, rest);
	w[whole] = hf_bits_head(hf_get_be64(last), n % HF_BITS_WORD);
	w[whole + 1] = 0;
	return (struct hf_bits){ w, n };
}

size_t hf_bits_count(const struct hf_bits *b, size_t i, size_t len)
{
	size_t ones = 0;

	for (; len >= HF_BITS_WORD; i += HF_BITS_WORD, len -= HF_BITS_WORD)
		ones += hf_bits_ones(hf_bits_from(b, i));
	return ones + hf_bits_ones(hf_bits_head(hf_bits_from(b, i), len));
}
