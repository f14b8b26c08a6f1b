/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes of elements sorted by their place: of n elements of `width` bytes first all first bytes,
 * then all second ones, and so on; what is shorter than an element at the end follows as it is.
 * Signs and exponents of weights resemble each other, mantissas do not: apart, the former compress.
 */
#ifndef HF_PKG_PLANES_H
#define HF_PKG_PLANES_H

#include <stddef.h>
#include <stdint.h>

enum { HF_PLANES_WIDTH_MAX = 4 };

/* width: 1, 2 or 4. out and in are len bytes and must not overlap. base: len bytes that are XORed
 * onto in before, or NULL. */
void hf_planes_split(
	uint8_t *out, const uint8_t *in, const uint8_t *base, size_t len, unsigned width);

/* The other way round; base is XORed onto what comes out. */
void hf_planes_merge(
	uint8_t *out, const uint8_t *in, const uint8_t *base, size_t len, unsigned width);

#endif
