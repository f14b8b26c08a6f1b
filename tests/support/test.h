/* SPDX-License-Identifier: Apache-2.0 */
/* What every test program includes first: cmocka with the headers it forgets, and small helpers. */
#ifndef HF_TEST_H
#define HF_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"

#define assert_ok(call)            assert_int_equal((call), HF_OK)
#define assert_err(call, expected) assert_int_equal((call), (expected))

/* Whether mlock(2) locks: the sanitizers replace it by a call that does nothing. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TEST_HAS_MLOCK false
#else
#define TEST_HAS_MLOCK true
#endif

/* Bytes of a hex literal into a fresh allocation of exactly that length; free() it. */
uint8_t *test_hex(const char *hex, size_t *len);

/* An allocator over malloc that fails its n-th call from now (0: never); see test_mem_fail_at. */
extern const struct hf_mem test_mem;
void test_mem_fail_at(unsigned n);

/* Deterministic bytes from a seed: the same on every machine. Never for real keys. */
struct test_rng {
	uint64_t state;
};
struct hf_rng test_rng(struct test_rng *r, uint64_t seed);

/* A random number below n (n > 0) of the same generator. */
uint64_t test_rng_below(struct test_rng *r, uint64_t n);

#endif
