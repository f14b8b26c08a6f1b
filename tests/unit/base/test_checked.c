/* SPDX-License-Identifier: Apache-2.0 */
/* Checked arithmetic and arrays: what does not fit is refused and changes nothing. */
#include "test.h"

#include "base/checked.h"

static void sums_that_do_not_fit_are_refused(void **state)
{
	uint64_t v = 7;
	size_t n = 7;

	(void)state;
	assert_err(hf_add_u64(&v, UINT64_MAX, 1), HF_ERR_LIMIT);
	assert_err(hf_add_u64(&v, 1, UINT64_MAX), HF_ERR_LIMIT);
	assert_err(hf_add_u64(&v, UINT64_MAX, UINT64_MAX), HF_ERR_LIMIT);
	assert_err(hf_add_size(&n, SIZE_MAX, 1), HF_ERR_LIMIT);
	assert_err(hf_add_size(&n, SIZE_MAX / 2 + 1, SIZE_MAX / 2 + 1), HF_ERR_LIMIT);
	assert_true(v == 7 && n == 7);
	assert_ok(hf_add_u64(&v, UINT64_MAX, 0));
	assert_true(v == UINT64_MAX);
	assert_ok(hf_add_u64(&v, UINT64_MAX - 5, 5));
	assert_true(v == UINT64_MAX);
	assert_ok(hf_add_size(&n, SIZE_MAX - 1, 1));
	assert_true(n == SIZE_MAX);
}

static void products_that_do_not_fit_are_refused(void **state)
{
	uint64_t v = 7;
	size_t n = 7;

	(void)state;
	assert_err(hf_mul_u64(&v, UINT64_MAX, 2), HF_ERR_LIMIT);
	assert_err(hf_mul_u64(&v, 2, UINT64_MAX), HF_ERR_LIMIT);
	assert_err(hf_mul_u64(&v, UINT64_C(1) << 32, UINT64_C(1) << 32), HF_ERR_LIMIT);
	assert_err(hf_mul_size(&n, SIZE_MAX / 3 + 1, 3), HF_ERR_LIMIT);
	assert_true(v == 7 && n == 7);
	assert_ok(hf_mul_u64(&v, UINT64_MAX, 1));
	assert_true(v == UINT64_MAX);
	assert_ok(hf_mul_u64(&v, UINT64_C(0xffffffff), UINT64_C(0x100000001)));
	assert_true(v == UINT64_MAX);
	assert_ok(hf_mul_u64(&v, 0, UINT64_MAX));
	assert_true(v == 0);
	assert_ok(hf_mul_size(&n, UINT64_MAX % 5, 0));
	assert_true(n == 0);
}

static void a_u64_becomes_a_size_or_is_refused(void **state)
{
	uint64_t most = SIZE_MAX;
	size_t n = 7;

	(void)state;
	assert_ok(hf_size_of_u64(&n, most));
	assert_true(n == SIZE_MAX);
	if (most < UINT64_MAX) /* machines of 32 bits */
		assert_err(hf_size_of_u64(&n, most + 1), HF_ERR_LIMIT);
	assert_ok(hf_size_of_u64(&n, 0));
	assert_true(n == 0);
}

static void arrays_that_do_not_fit_are_no_memory(void **state)
{
	uint8_t *p;

	(void)state;
	assert_null(hf_mem_array(&test_mem, SIZE_MAX, 2));
	assert_null(hf_mem_array(&test_mem, SIZE_MAX / 16 + 1, 16));
	test_mem_fail_at(1);
	assert_null(hf_mem_array(&test_mem, 3, 5));
	p = hf_mem_array(&test_mem, 3, 5);
	assert_non_null(p);
	for (size_t i = 0; i < 15; i++)
		assert_int_equal(p[i], 0);
	hf_mem_free(&test_mem, p);
	hf_mem_free(&test_mem, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_that_do_not_fit_are_refused),
		cmocka_unit_test(products_that_do_not_fit_are_refused),
		cmocka_unit_test(a_u64_becomes_a_size_or_is_refused),
		cmocka_unit_test(arrays_that_do_not_fit_are_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
