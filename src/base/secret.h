/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A short secret: a key, a seed, a shared value. It has its own type so that it cannot be logged or
 * compared by accident. Storage is the caller's; end every one with hf_secret_clear().
 */
#ifndef HF_BASE_SECRET_H
#define HF_BASE_SECRET_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { HF_SECRET_MAX = 64 }; /* bytes; the longest secret the house derives in one piece */

struct hf_secret {
	uint8_t b[HF_SECRET_MAX];
	size_t len; /* bytes in use; 0: empty */
};

/* A secret of len zero bytes, to be filled in. HF_ERR_LIMIT: longer than a secret can be. */
HF_MUST_USE hf_err hf_secret_init(struct hf_secret *s, size_t len);

/* A copy of len bytes. HF_ERR_LIMIT: longer than a secret can be. */
HF_MUST_USE hf_err hf_secret_copy(struct hf_secret *s, const void *bytes, size_t len);

/* Wipes it. Accepts an empty one. */
void hf_secret_clear(struct hf_secret *s);

#endif
