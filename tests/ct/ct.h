/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Constant-time checks. Each program here does what services do with secrets, twice over:
 *
 *   - under valgrind's memcheck, with its secrets marked as undefined memory. Memcheck reports
 * every branch and every address that depends on them, in the compiled code, optimised as shipped.
 *   - for kernels whose instructions valgrind does not know, one step at a time in several
 * processes with different secrets (trace.c): places and addresses must be the same in all of them.
 *
 * tests/ct/run.py does either for every processor that the tables of kernels distinguish. The
 * module is built for this with HUFU_CT_CHECK, which makes hf_ct_declassify() and HF_PUBLISH() tell
 * memcheck what has become public. A program draws all secrets from ct_fill() with the state of
 * ct_seed().
 */
#ifndef HF_TEST_CT_H
#define HF_TEST_CT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <valgrind/memcheck.h>

#include "base/err.h"
#include "base/rng.h"
#include "crypto/module.h"
#include "step.h"

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

/* First line of main: without valgrind or tracer there is nothing to see. */
#define CT_NEEDS_VALGRIND() \
	do { \
		if (!RUNNING_ON_VALGRIND && getenv("CT_TRACE") == NULL) { \
			(void)puts("skipped: not under valgrind"); \
			return CT_SKIPPED; \
		} \
	} while (0)

/* Where the secrets of a program start; CT_SEED gives others. */
static inline uint64_t ct_seed(uint64_t program)
{
	const char *text = getenv("CT_SEED");

	return program + (text == NULL ? 0 : strtoull(text, NULL, 16) << 32);
}

/* Starts the module for the processor that CT_CPU names, HF_CPU_* bits, and then the tracer. */
HF_MUST_USE static inline hf_err ct_start(void)
{
	const char *text = getenv("CT_CPU");

	HF_TRY(hf_module_start(text == NULL ? 0 : (uint32_t)strtoul(text, NULL, 16)));
#if HF_X86
	if (getenv("CT_TRACE") != NULL)
		ct_trace_begin(getenv("CT_TRACE"), getenv("CT_LOG"));
#endif
	return HF_OK;
}

#endif
