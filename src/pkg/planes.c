/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One loop for each plane: its index advances by one, that of the elements by a constant, which
 * compilers turn into shuffles where there are some.
 */
#include "pkg/planes.h"

#include <string.h>

static void gather(uint8_t *restrict out, const uint8_t *restrict in, size_t n, unsigned width)
{
	if (width == 2) {
		for (size_t i = 0; i < n; i++)
			out[i] = in[2 * i];
	} else {
		for (size_t i = 0; i < n; i++)
			out[i] = in[4 * i];
	}
}

static void scatter(uint8_t *restrict out, const uint8_t *restrict in, size_t n, unsigned width)
{
	if (width == 2) {
		for (size_t i = 0; i < n; i++)
			out[2 * i] = in[i];
	} else {
		for (size_t i = 0; i < n; i++)
			out[4 * i] = in[i];
	}
}

static void gather_xor(uint8_t *restrict out, const uint8_t *restrict in,
	const uint8_t *restrict base, size_t n, unsigned width)
{
	for (size_t i = 0; i < n; i++)
		out[i] = in[width * i] ^ base[width * i];
}

static void xor_onto(uint8_t *restrict out, const uint8_t *restrict base, size_t len)
{
	for (size_t i = 0; base != NULL && i < len; i++)
		out[i] ^= base[i];
}

void hf_planes_split(
	uint8_t *out, const uint8_t *in, const uint8_t *base, size_t len, unsigned width)
{
	size_t n = len / width;
	size_t done = n * width;

	for (unsigned k = 0; k < width; k++) {
		if (base != NULL)
			gather_xor(out + k * n, in + k, base + k, n, width);
		else if (width == 1)
			memcpy(out, in, n);
		else
			gather(out + k * n, in + k, n, width);
	}
	if (done < len) {
		memcpy(out + done, in + done, len - done);
		xor_onto(out + done, base == NULL ? NULL : base + done, len - done);
	}
}

void hf_planes_merge(
	uint8_t *out, const uint8_t *in, const uint8_t *base, size_t len, unsigned width)
{
	size_t n = len / width;
	size_t done = n * width;

	for (unsigned k = 0; k < width; k++) {
		if (width == 1)
			memcpy(out, in, n);
		else
			scatter(out + k, in + k * n, n, width);
	}
	if (done < len)
		memcpy(out + done, in + done, len - done);
	xor_onto(out, base, len);
}
