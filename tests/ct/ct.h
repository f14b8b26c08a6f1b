/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Constant-time checks: the program runs under valgrind's memcheck with its secrets marked as
 * undefined memory. Memcheck reports every branch and every address that depends on them, in the
 * compiled code, optimised as shipped. The module is built for this with HUFU_CT_CHECK, which makes
 * hf_ct_declassify() and HF_PUBLISH() tell memcheck what has become public.
 */
#ifndef HF_TEST_CT_H
#define HF_TEST_CT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <valgrind/memcheck.h>

#include "base/err.h"
#include "base/rng.h"

enum { CT_SKIPPED = 77 };

static inline void ct_secret(void *p, size_t len)
{
	(void)VALGRIND_MAKE_MEM_UNDEFINED(p, len);
}

static inline void ct_public(void *p, size_t len)
{
	(void)VALGRIND_MAKE_MEM_DEFINED(p, len);
}

/* Deterministic bytes (splitmix64) that count as secret. */
static inline hf_err ct_fill(void *ctx, uint8_t *out, size_t len)
{
	uint64_t *state = ctx;

	for (size_t i = 0; i < len; i++) {
		uint64_t z = *state += 0x9e3779b97f4a7c15u;

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
		out[i] = (uint8_t)(z >> 24);
	}
	ct_secret(out, len);
	return HF_OK;
}

/* Ends the program if a call did not give what it had to. */
#define CT_EXPECT(call, expected) \
	do { \
		hf_err ct_got_ = (call); \
		if (ct_got_ != (expected)) { \
			(void)fprintf(stderr, "%s:%d: %s gave %s\n", __FILE__, __LINE__, #call, \
				hf_err_name(ct_got_)); \
			return 1; \
		} \
	} while (0)

/* First line of main: without valgrind there is nothing to see. */
#define CT_NEEDS_VALGRIND() \
	do { \
		if (!RUNNING_ON_VALGRIND) { \
			(void)puts("skipped: not under valgrind"); \
			return CT_SKIPPED; \
		} \
	} while (0)

#endif
