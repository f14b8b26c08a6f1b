/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting at tensors that have bytes of their format between them. */
#include "test.h"

#include "pkg/chunk.h"
#include "pkg/planner.h"

enum { KIB = 1024 };

struct want {
	uint64_t offset;
	uint32_t len;
	uint32_t tensor;
};

static void cuts(
	struct hf_tensor *t, size_t n, uint64_t file_len, const struct want *want, size_t n_want)
{
	const struct hf_model_map map = { .tensors = t, .n_tensors = n, .file_len = file_len };
	struct hf_planner p;
	struct hf_cut c;
	uint64_t at = 0;

	assert_ok(hf_planner_init(&p, &map, file_len, HF_CUT_DEFAULT));
	for (size_t i = 0; i < n_want; i++) {
		assert_true(hf_planner_next(&p, &c));
		assert_int_equal(c.offset, at);
		assert_int_equal(c.offset, want[i].offset);
		assert_int_equal(c.len, want[i].len);
		assert_int_equal(c.tensor, want[i].tensor);
		at += c.len;
	}
	assert_int_equal(at, file_len);
	assert_false(hf_planner_next(&p, &c));
}

#define CUTS(t, len, w) cuts(t, sizeof(t) / sizeof((t)[0]), len, w, sizeof(w) / sizeof((w)[0]))

static void a_short_gap_goes_with_the_tensor_before_it(void **state)
{
	struct hf_tensor t[] = {
		{ .offset = 100, .len = 1024 * KIB },
		{ .offset = 100 + 1024 * KIB + 20, .len = 70 * KIB },
		{ .offset = 100 + 1094 * KIB + 40, .len = 10 },
		{ .offset = 100 + 1094 * KIB + 60, .len = 10 },
		{ .offset = 100 + 1094 * KIB + 80, .len = 80 * KIB },
	};
	const struct want w[] = {
		{ 0, 100, HF_CHUNK_NO_TENSOR },
		{ 100, 1024 * KIB + 20, 0 },
		{ 100 + 1024 * KIB + 20, 70 * KIB + 20, 1 },
		{ 100 + 1094 * KIB + 40, 40, 2 },
		{ 100 + 1094 * KIB + 80, 80 * KIB, 4 },
		{ 100 + 1174 * KIB + 80, 7, HF_CHUNK_NO_TENSOR },
	};

	(void)state;
	CUTS(t, 100 + 1174 * KIB + 80 + 7, w);
}

static void a_long_gap_stands_alone(void **state)
{
	struct hf_tensor t[] = {
		{ .offset = 0, .len = 10 },
		{ .offset = 10 + 64 * KIB, .len = 10 },
	};
	const struct want w[] = {
		{ 0, 10, 0 },
		{ 10, 64 * KIB, HF_CHUNK_NO_TENSOR },
		{ 10 + 64 * KIB, 10, 1 },
	};

	(void)state;
	CUTS(t, 20 + 64 * KIB, w);
}

static void the_same_bytes_twice_are_cut_once(void **state)
{
	struct hf_tensor t[] = {
		{ .offset = 0, .len = 100 * KIB },
		{ .offset = 0, .len = 100 * KIB },
		{ .offset = 100 * KIB, .len = 0 },
		{ .offset = 100 * KIB + 8, .len = 5 },
		{ .offset = 100 * KIB + 8, .len = 5 },
		{ .offset = 100 * KIB + 13, .len = 5 },
	};
	const struct want w[] = {
		{ 0, 100 * KIB + 8, 0 },
		{ 100 * KIB + 8, 10, 3 },
	};

	(void)state;
	CUTS(t, 100 * KIB + 18, w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_short_gap_goes_with_the_tensor_before_it),
		cmocka_unit_test(a_long_gap_stands_alone),
		cmocka_unit_test(the_same_bytes_twice_are_cut_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
