/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic on lengths that came from outside: overflow is HF_ERR_LIMIT, never a wrapped value. */
#ifndef HF_BASE_CHECKED_H
#define HF_BASE_CHECKED_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* *out = a + b. On failure *out is unchanged. */
HF_MUST_USE static inline hf_err hf_add_u64(uint64_t *out, uint64_t a, uint64_t b)
{
	if (b > UINT64_MAX - a)
		return HF_ERR_LIMIT;
	*out = a + b;
	return HF_OK;
}

HF_MUST_USE static inline hf_err hf_mul_u64(uint64_t *out, uint64_t a, uint64_t b)
{
	if (a != 0 && b > UINT64_MAX / a)
		return HF_ERR_LIMIT;
	*out = a * b;
	return HF_OK;
}

HF_MUST_USE static inline hf_err hf_add_size(size_t *out, size_t a, size_t b)
{
	if (b > SIZE_MAX - a)
		return HF_ERR_LIMIT;
	*out = a + b;
	return HF_OK;
}

HF_MUST_USE static inline hf_err hf_mul_size(size_t *out, size_t a, size_t b)
{
	if (a != 0 && b > SIZE_MAX / a)
		return HF_ERR_LIMIT;
	*out = a * b;
	return HF_OK;
}

/* *out = v as a size_t, refused where the machine's size_t cannot hold it. */
HF_MUST_USE static inline hf_err hf_size_of_u64(size_t *out, uint64_t v)
{
	if (v > SIZE_MAX)
		return HF_ERR_LIMIT;
	*out = (size_t)v;
	return HF_OK;
}

#endif
