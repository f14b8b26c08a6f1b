/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Randomness is handed in. In programs it is the module's generator (crypto/drbg.h); a test hands
 * in fixed bytes; the operating system's source (os/entropy.h) seeds the generator.
 */
#ifndef HF_BASE_RNG_H
#define HF_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct hf_rng {
	/* Fills len bytes. On failure the bytes are zero and must not be used. */
	hf_err (*fill)(void *ctx, uint8_t *out, size_t len);
	void *ctx;
};

HF_MUST_USE static inline hf_err hf_rng_fill(const struct hf_rng *r, uint8_t *out, size_t len)
{
	return r->fill(r->ctx, out, len);
}

#endif
