/* SPDX-License-Identifier: Apache-2.0 */
/* The bounded reader refuses what is short and what is left over. */
#include "test.h"

#include "base/rd.h"

static void takes_fields_in_order(void **state)
{
	const uint8_t in[] = { 1, 0, 2, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 5 };
	struct hf_reader r = { .p = in, .left = sizeof(in) };

	(void)state;
	assert_int_equal(hf_rd_u8(&r), 1);
	assert_int_equal(hf_rd_u16(&r), 2);
	assert_int_equal(hf_rd_u24(&r), 3);
	assert_int_equal(hf_rd_u32(&r), 4);
	assert_int_equal(hf_rd_u64(&r), 5);
	assert_ok(hf_rd_done(&r));
}

static void refuses_every_shorter_input(void **state)
{
	const uint8_t in[] = { 1, 0, 2, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 5 };

	(void)state;
	for (size_t len = 0; len < sizeof(in); len++) {
		struct hf_reader r = { .p = in, .left = len };

		(void)hf_rd_u8(&r);
		(void)hf_rd_u16(&r);
		(void)hf_rd_u24(&r);
		(void)hf_rd_u32(&r);
		(void)hf_rd_u64(&r);
		assert_err(hf_rd_done(&r), HF_ERR_TRUNCATED);
	}
}

static void refuses_trailing_bytes(void **state)
{
	const uint8_t in[] = { 1, 2 };
	struct hf_reader r = { .p = in, .left = sizeof(in) };

	(void)state;
	(void)hf_rd_u8(&r);
	assert_err(hf_rd_done(&r), HF_ERR_FORMAT);
}

static void gives_zeros_after_a_shortage(void **state)
{
	const uint8_t in[] = { 9, 9, 9 };
	struct hf_reader r = { .p = in, .left = sizeof(in) };
	uint8_t copy[2] = { 7, 7 };

	(void)state;
	assert_int_equal(hf_rd_u32(&r), 0);
	assert_int_equal(hf_rd_u8(&r), 0);
	hf_rd_copy(&r, copy, sizeof(copy));
	assert_int_equal(copy[0] | copy[1], 0);
	assert_null(hf_rd_take(&r, 1));
}

static void an_inner_reader_that_is_short_makes_the_outer_one_short(void **state)
{
	const uint8_t in[] = { 1, 2, 3 };
	struct hf_reader r = { .p = in, .left = sizeof(in) };
	struct hf_reader sub = hf_rd_sub(&r, 4);

	(void)state;
	assert_err(hf_rd_done(&sub), HF_ERR_TRUNCATED);
	assert_err(hf_rd_done(&r), HF_ERR_TRUNCATED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_fields_in_order),
		cmocka_unit_test(refuses_every_shorter_input),
		cmocka_unit_test(refuses_trailing_bytes),
		cmocka_unit_test(gives_zeros_after_a_shortage),
		cmocka_unit_test(an_inner_reader_that_is_short_makes_the_outer_one_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
