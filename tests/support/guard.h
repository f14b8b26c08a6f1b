/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers between pages that cannot be touched: a byte too far ends the test at once. */
#ifndef HF_TEST_GUARD_H
#define HF_TEST_GUARD_H

#include <stddef.h>
#include <stdint.h>

struct test_guard {
	uint8_t *page; /* first byte after the lower guard */
	size_t room;   /* bytes between the guards */
};

/* Room for at least len bytes. End it with test_guard_free(). */
void test_guard_new(struct test_guard *g, size_t len);
void test_guard_free(struct test_guard *g);

/* len bytes that begin right behind the lower guard, or end right before the upper one. */
uint8_t *test_guard_low(const struct test_guard *g, size_t len);
uint8_t *test_guard_high(const struct test_guard *g, size_t len);

#endif
