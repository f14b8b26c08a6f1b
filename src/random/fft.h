/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Discrete Fourier transform of any length: X_k = sum of x_j e^(-2 pi i jk / n). Lengths without
 * other prime factors than 2, 3 and 5 take n log n steps of their own, all others go through a
 * convolution of a length that has none.
 */
#ifndef HF_RANDOM_FFT_H
#define HF_RANDOM_FFT_H

#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"

enum { HF_FFT_MAX = 1 << 28 }; /* points */

struct hf_complex {
	double re;
	double im;
};

struct hf_fft;

/*
 * Plans transforms of n points, 1 <= n <= HF_FFT_MAX. One thread at a time may use a plan; it takes
 * 32 bytes a point, five times that for the lengths with other factors.
 */
HF_MUST_USE hf_err hf_fft_new(struct hf_fft **f, const struct hf_mem *mem, size_t n);

/* Accepts NULL. */
void hf_fft_free(struct hf_fft *f);

/* Where the n points are put before hf_fft_run(), which destroys them. */
struct hf_complex *hf_fft_in(struct hf_fft *f);

/* Transforms. The n points of the result stay until the next call on the plan. */
const struct hf_complex *hf_fft_run(struct hf_fft *f);

#endif
