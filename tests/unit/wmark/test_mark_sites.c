/* SPDX-License-Identifier: Apache-2.0 */
/* Types, positions, variants. That they agree with a model is tests/e2e/test_marks.py. */
#include "test.h"

#include <math.h>

#include "wmark/mark_keys.h"
#include "wmark/mark_sites.h"

static void every_half_and_bfloat_comes_back(void **state)
{
	(void)state;
	for (unsigned type = HF_MARK_F16; type <= HF_MARK_BF16; type++) {
		for (unsigned u = 0; u < 65536; u++) {
			uint8_t in[2] = { (uint8_t)u, (uint8_t)(u >> 8) };
			uint8_t out[2];
			float f = hf_mark_load((enum hf_mark_type)type, in);

			hf_mark_store((enum hf_mark_type)type, out, f);
			if (isnan(f))
				assert_true(isnan(hf_mark_load((enum hf_mark_type)type, out)));
			else
				assert_memory_equal(in, out, 2);
		}
	}
}

static void stores(enum hf_mark_type type, float x, unsigned expected)
{
	uint8_t out[2];

	hf_mark_store(type, out, x);
	assert_int_equal(out[0] | out[1] << 8, expected);
}

static void ties_go_to_even_and_too_much_to_infinity(void **state)
{
	(void)state;
	stores(HF_MARK_F16, 1 + 0x1p-11f, 0x3c00);
	stores(HF_MARK_F16, 1 + 3 * 0x1p-11f, 0x3c02);
	stores(HF_MARK_F16, 0x1p-25f, 0);
	stores(HF_MARK_F16, 3 * 0x1p-25f, 2);
	stores(HF_MARK_F16, 0x1.ffep-15f, 0x0400); /* the largest subnormal and a half */
	stores(HF_MARK_F16, 65519, 0x7bff);
	stores(HF_MARK_F16, -65520, 0xfc00);
	stores(HF_MARK_BF16, 1 + 0x1p-8f, 0x3f80);
	stores(HF_MARK_BF16, 1 + 3 * 0x1p-8f, 0x3f82);
	stores(HF_MARK_BF16, -0x1.fffffep127f, 0xff80);
}

static void sites_do_not_meet_and_fill_the_tensor(void **state)
{
	enum { N = 100 };
	uint8_t bytes[4 * N];
	uint64_t first[N];
	static const uint8_t fill[] = { 0, 0x7f, 0xff };

	(void)state;
	for (size_t i = 0; i < sizeof(fill); i++) {
		memset(bytes, fill[i], sizeof(bytes));
		assert_ok(hf_mark_positions(first, bytes, N, 24 * 1003 + 23, 24));
		for (size_t j = 0; j < N; j++) {
			assert_int_equal(first[j] % 24, 0);
			assert_true(first[j] + 24 <= 24 * 1003);
			assert_true(first[j] / 24 >= j * 1003 / N);
			assert_true(first[j] / 24 < (j + 1) * 1003 / N);
		}
	}
	assert_ok(hf_mark_positions(first, bytes, N, 2 * N, 2)); /* every block */
	assert_int_equal(first[N - 1], 2 * (N - 1));
	assert_err(hf_mark_positions(first, bytes, N, 2 * N - 1, 2), HF_ERR_ARG);
	assert_err(hf_mark_positions(first, bytes, N, 2 * N, 0), HF_ERR_ARG);
	assert_err(hf_mark_positions(first, bytes, N, 1ull << 33, 1), HF_ERR_ARG);
}

static void parameters_follow_the_table(void **state)
{
	static const struct {
		uint64_t n;
		uint32_t n_sites;
		uint32_t n_s;
		uint32_t alpha;
	} rows[] = {
		{ 4800, 2048, 2, 65536 / 24 },
		{ 100000, 2048, 4, 4096 },
		{ 1830000, 4096, 44, 4096 },
		{ 2090000, 8192, 25, 4096 },
		{ 1000000000, 8192, 12207, 4096 },
	};
	struct hf_mark_params p = { 0 };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(rows); i++) {
		assert_ok(hf_mark_params_choose(&p, rows[i].n));
		assert_int_equal(p.n_sites, rows[i].n_sites);
		assert_int_equal(p.n_s, rows[i].n_s);
		assert_int_equal(p.alpha, rows[i].alpha);
	}
	p.n_s = 7;
	assert_err(hf_mark_params_choose(&p, 4799), HF_ERR_LIMIT);
	assert_int_equal(p.n_s, 7);
}

static void tensors_share_the_sites_by_their_own_keys(void **state)
{
	static const uint8_t low[4] = { 0 };
	static const uint8_t high[4] = { 255, 255, 255, 255 };
	struct hf_mark_params p;

	(void)state;
	assert_ok(hf_mark_params_choose(&p, 2090000));
	assert_int_equal(hf_mark_n_sites(&p, 2090000, low), 8191);
	assert_int_equal(hf_mark_n_sites(&p, 2090000, high), 8192);
	assert_int_equal(hf_mark_n_sites(&p, HF_MARK_WEIGHTS_MIN - 1, high), 0);
	assert_int_equal(hf_mark_n_sites(&p, 256, low), 0);
	assert_int_equal(hf_mark_n_sites(&p, 256, high), 1);
	p.rate = 1ull << 32;
	assert_int_equal(hf_mark_n_sites(&p, 25 * 1000, high), 1000); /* never more than blocks */
}

static void zeros_and_what_is_not_finite_stay(void **state)
{
	static const float w[] = { 0, -0.0f, NAN, INFINITY, -INFINITY, 0x1.fffffep127f, 1 };
	static const float rms[] = { 2 };
	static const uint8_t chips[] = { 0 };
	uint8_t in[sizeof(w)];
	uint8_t out[sizeof(w)];
	struct hf_mark_site s = { .alpha = 4096,
		.weights = in,
		.n = HF_COUNT(w),
		.cols = HF_COUNT(w),
		.row_rms = rms,
		.chips = chips };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(w); i++)
		hf_mark_store(HF_MARK_F32, in + 4 * i, w[i]);
	hf_mark_variant(out, &s, 1);
	assert_memory_equal(in, out, 4 * 6);
	assert_true(hf_mark_load(HF_MARK_F32, out + 24) == 1 + 1.5f / 16);
	hf_mark_variant(out, &s, 0);
	assert_memory_equal(in, out, 4 * 5);
	assert_true(hf_mark_load(HF_MARK_F32, out + 24) == 1 - 1.5f / 16);
	hf_mark_variant(in, &s, 0); /* in place */
	assert_memory_equal(in, out, sizeof(in));
}

static void a_row_that_is_not_finite_has_no_marks(void **state)
{
	static const float rms[] = { INFINITY, NAN };
	static const uint8_t chips[] = { 0xff };
	uint8_t in[8];
	uint8_t out[8];
	struct hf_mark_site s = {
		.alpha = 4096, .weights = in, .n = 2, .cols = 1, .row_rms = rms, .chips = chips
	};

	(void)state;
	hf_mark_store(HF_MARK_F32, in, 1);
	hf_mark_store(HF_MARK_F32, in + 4, 1);
	hf_mark_variant(out, &s, 1);
	assert_memory_equal(in, out, sizeof(in));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_half_and_bfloat_comes_back),
		cmocka_unit_test(ties_go_to_even_and_too_much_to_infinity),
		cmocka_unit_test(sites_do_not_meet_and_fill_the_tensor),
		cmocka_unit_test(parameters_follow_the_table),
		cmocka_unit_test(tensors_share_the_sites_by_their_own_keys),
		cmocka_unit_test(zeros_and_what_is_not_finite_stay),
		cmocka_unit_test(a_row_that_is_not_finite_has_no_marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
