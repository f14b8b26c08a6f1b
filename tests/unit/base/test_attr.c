/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arithmetic of attr.h on two 64-bit words, against the same bit by bit: compilers give it in
 * ways of their own, and machines of 32 bits do it by halves.
 */
#include "test.h"

#include "base/attr.h"

/* Numbers that carry at every place, and some without any order. */
static uint64_t number(struct test_rng *r, uint64_t i)
{
	static const uint64_t edges[] = { 0, 1, 2, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
		0xffffffff00000000, 0x7fffffffffffffff, 0x8000000000000000, 0xfffffffffffffffe,
		0xffffffffffffffff };

	return i < HF_COUNT(edges) ? edges[i] : test_rng_below(r, UINT64_MAX) ^ edges[i % 12];
}

/* high:low += x */
static void add_slowly(uint64_t *high, uint64_t *low, uint64_t x)
{
	*low += x;
	if (*low < x)
		(*high)++;
}

static void multiply_slowly(uint64_t *high, uint64_t *low, uint64_t a, uint64_t b)
{
	*high = *low = 0;
	for (int i = 63; i >= 0; i--) {
		*high = *high << 1 | *low >> 63;
		*low <<= 1;
		if ((b >> i & 1) != 0)
			add_slowly(high, low, a);
	}
}

static void sums_carry_and_differences_borrow(void **state)
{
	struct test_rng r = { 1 };

	(void)state;
	for (uint64_t i = 0; i < 40 * 40 * 2; i++) {
		uint64_t a = number(&r, i % 40);
		uint64_t b = number(&r, i / 40 % 40);
		uint64_t in = i / 1600;
		uint64_t carry = in;
		uint64_t borrow = in;
		uint64_t sum;
		uint64_t difference;
		uint64_t high = 0;
		uint64_t low = a;

		HF_ADD_CARRY(carry, sum, a, b);
		add_slowly(&high, &low, b);
		add_slowly(&high, &low, in);
		assert_true(sum == low && carry == high);
		HF_SUB_BORROW(borrow, difference, a, b);
		assert_true(difference == a - b - in);
		assert_true(borrow == (a < b || (a == b && in == 1)));
	}
}

static void products_are_whole(void **state)
{
	struct test_rng r = { 2 };

	(void)state;
	for (uint64_t i = 0; i < 30 * 30 * 30; i++) {
		uint64_t a = number(&r, i % 30);
		uint64_t b = number(&r, i / 30 % 30);
		uint64_t c = number(&r, i / 900);
		uint64_t d = number(&r, (i + 11) % 30);
		uint64_t high;
		uint64_t low;
		uint64_t want[2];

		HF_MUL_ADD(high, low, a, b, c, d);
		multiply_slowly(&want[1], &want[0], a, b);
		add_slowly(&want[1], &want[0], c);
		add_slowly(&want[1], &want[0], d);
		assert_true(low == want[0] && high == want[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_carry_and_differences_borrow),
		cmocka_unit_test(products_are_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
