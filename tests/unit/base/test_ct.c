/* SPDX-License-Identifier: Apache-2.0 */
/* Masks are all ones or all zeros, for every pair of values where a carry or a sign could matter.
 */
#include "test.h"

#include "base/attr.h"
#include "base/ct.h"

static const uint64_t edges[] = { 0, 1, 2, 0x7f, 0x80, 0xff, 0x7fffffff, 0x80000000, 0xffffffff,
	UINT64_C(0x100000000), INT64_MAX - 1, INT64_MAX, (uint64_t)INT64_MAX + 1,
	(uint64_t)INT64_MAX + 2, UINT64_MAX - 1, UINT64_MAX };

static hf_ct_mask mask(bool b)
{
	return b ? UINT64_MAX : 0;
}

static void masks_of_one_value_are_right(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_COUNT(edges); i++) {
		uint64_t x = edges[i];

		assert_true(hf_ct_zero(x) == mask(x == 0));
		assert_true(hf_ct_nonzero(x) == mask(x != 0));
		assert_true(hf_ct_bit(x) == mask((x & 1) != 0));
		assert_true(hf_ct_barrier(x) == x);
	}
	for (unsigned bit = 0; bit < 64; bit++) {
		assert_true(hf_ct_nonzero(UINT64_C(1) << bit) == UINT64_MAX);
		assert_true(hf_ct_zero(UINT64_C(1) << bit) == 0);
		assert_true(hf_ct_bit(UINT64_C(1) << bit) == mask(bit == 0));
		assert_true(hf_ct_negative(UINT64_C(1) << bit) == mask(bit == 63));
		assert_true(hf_ct_negative(~(UINT64_C(1) << bit)) == mask(bit != 63));
	}
}

static void masks_of_two_values_are_right(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_COUNT(edges); i++) {
		for (size_t k = 0; k < HF_COUNT(edges); k++) {
			uint64_t a = edges[i];
			uint64_t b = edges[k];

			assert_true(hf_ct_same(a, b) == mask(a == b));
			assert_true(hf_ct_less(a, b) == mask(a < b));
			assert_true(hf_ct_pick(UINT64_MAX, a, b) == a);
			assert_true(hf_ct_pick(0, a, b) == b);
		}
	}
	assert_true(hf_ct_declassify(UINT64_MAX));
	assert_false(hf_ct_declassify(0));
}

static void one_altered_bit_anywhere_is_seen(void **state)
{
	uint8_t a[33];
	uint8_t b[33];

	(void)state;
	memset(a, 0x5a, sizeof(a));
	memcpy(b, a, sizeof(a));
	for (size_t len = 0; len <= sizeof(a); len++) {
		assert_true(hf_ct_eq(a, b, len));
		assert_true(hf_ct_eq_mask(a, b, len) == UINT64_MAX);
		for (size_t bit = 0; bit < 8 * sizeof(a); bit++) {
			b[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_int_equal(hf_ct_eq(a, b, len), bit / 8 >= len);
			b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
	assert_true(hf_ct_eq(NULL, NULL, 0));
}

static void bytes_are_picked_whole_also_in_place(void **state)
{
	uint8_t a[5] = { 1, 2, 3, 4, 5 };
	uint8_t b[5] = { 6, 7, 8, 9, 10 };
	uint8_t out[5];

	(void)state;
	hf_ct_pick_bytes(UINT64_MAX, out, a, b, 5);
	assert_memory_equal(out, a, 5);
	hf_ct_pick_bytes(0, out, a, b, 5);
	assert_memory_equal(out, b, 5);
	hf_ct_pick_bytes(0, a, a, b, 2);
	assert_memory_equal(a, ((uint8_t[]){ 6, 7, 3, 4, 5 }), 5);
	hf_ct_pick_bytes(UINT64_MAX, b, a, b, 5);
	assert_memory_equal(b, a, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(masks_of_one_value_are_right),
		cmocka_unit_test(masks_of_two_values_are_right),
		cmocka_unit_test(one_altered_bit_anywhere_is_seen),
		cmocka_unit_test(bytes_are_picked_whole_also_in_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
