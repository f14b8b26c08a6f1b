/* SPDX-License-Identifier: Apache-2.0 */
/*
 * e - 2 = z_2, where z_k = (1 + z_(k+1)) / k, from a k on whose factorial is beyond the last bit.
 * As many steps as fit into 64 bits are one division: if what lies above k gives (a + z) / d, the
 * step makes (a + d + z) / (d k) of it. z is a fraction of words, first word highest, and needs
 * only the bits that the divisions to come will leave.
 */
#include "random/euler.h"

#include <math.h>
#include <string.h>

#include "base/attr.h"
#include "random/igamc.h"

/* Bits by which all divisions from k down to 2 will shift. */
static double shift_below(uint64_t k)
{
	return k < 2 ? 0 : hf_ln_gamma((double)k + 1) / log(2);
}

/* z = (a + z) / d, over n words; a < d. */
static void divide(uint64_t *z, size_t n, uint64_t a, uint64_t d)
{
	for (size_t i = 0; i < n; i++) {
		hf_u128 dividend = (hf_u128)a << 64 | z[i];

		z[i] = (uint64_t)(dividend / d);
		a = (uint64_t)dividend - z[i] * d;
	}
}

struct hf_bits hf_euler_bits(uint64_t *w, size_t n)
{
	size_t words = HF_BITS_WORDS(n);
	double bits = (double)words * HF_BITS_WORD;
	uint64_t k = 2;

	while (shift_below(k) < bits)
		k += 1 + k / 64;
	memset(w, 0, words * sizeof(*w));
	while (k >= 2) {
		uint64_t a = 1;
		uint64_t d = k--;
		size_t needed;

		for (; k >= 2 && d <= UINT64_MAX / k; k--) {
			a += d;
			d *= k;
		}
		needed = (size_t)((bits - fmin(bits, shift_below(k))) / HF_BITS_WORD) + 1;
		divide(w, needed < words ? needed : words, a, d);
	}
	/* The last bits are rounded down many times, but the word behind the n bits has them. */
	for (size_t i = words; i-- > 0;)
		w[i] = w[i] >> 2 | (i == 0 ? UINT64_C(2) : w[i - 1] & 3) << 62;
	w[n / HF_BITS_WORD] = hf_bits_head(w[n / HF_BITS_WORD], n % HF_BITS_WORD);
	w[words - 1] = 0;
	return (struct hf_bits){ w, n };
}
