/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Health tests of an entropy source: repetition count and adaptive proportion, SP 800-90B 4.4.1 and
 * 4.4.2, which GM/T 0105-2021 asks for, too. A sample is a byte.
 *
 * The source is claimed to give 4 bits of min-entropy a byte. Linux's getrandom(2) gives 8: what it
 * hands out was conditioned, so the tests see no raw noise. They find a source that is stuck, that
 * repeats itself or that somebody replaced; the noise behind it is tested by the kernel. A false
 * alarm has a chance of 2^-40 a sample. For programs the tests are part of the generator (drbg.h).
 */
#ifndef HF_CRYPTO_HEALTH_H
#define HF_CRYPTO_HEALTH_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	HF_HEALTH_REPETITIONS = 11, /* equal samples in a row: 1 + 40 / 4 */
	HF_HEALTH_WINDOW = 512,     /* samples */
	HF_HEALTH_PROPORTION = 78,  /* samples equal to the window's first one, with it */
	HF_HEALTH_STARTUP = 1024,   /* samples before the first is used, SP 800-90B 4.3 */
};

/* What the tests remember. It holds two samples: wipe it with what they were used for. */
struct hf_health {
	uint64_t last;     /* sample */
	uint64_t n_run;    /* how many of it in a row; 0: none was there yet */
	uint64_t first;    /* sample of the window */
	uint64_t n_same;   /* of the window */
	uint64_t n_window; /* samples of it that were there */
};

/*
 * Tests len samples that follow those before. Start with { 0 }. HF_ERR_ENTROPY: the source is not
 * what it has to be, and the module is in its error state.
 */
HF_MUST_USE hf_err hf_health_feed(struct hf_health *h, const uint8_t *in, size_t len);

#endif
