/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Variants read as -1 and +1, what is missing reads as nothing, and what is refused. That the views
 * agree with a model is tests/e2e/test_marks.py.
 */
#include "test.h"

#include <math.h>

#include "wmark/mark_keys.h"
#include "wmark/mark_read.h"

enum { N_S = 4, SITES = 6, N = N_S * SITES };

static float zero[N];
static float one[N];
static float leak[N];
static float step[N];

static struct hf_mark_suspect suspect(void)
{
	for (size_t i = 0; i < N; i++) {
		float w = i % 3 == 0 ? -1.25f : 1.5f;
		float a = i % 2 == 0 ? 0.125f : -0.125f;

		zero[i] = w - a;
		one[i] = w + a;
		leak[i] = i / N_S % 2 != 0 ? one[i] : zero[i];
		step[i] = 0.5f;
	}
	return (struct hf_mark_suspect){ { zero, one }, leak, NULL, N_S, 0, SITES };
}

static void variants_read_as_ends(void **state)
{
	struct hf_mark_suspect s = suspect();
	struct hf_mark_reading r;
	double y[SITES];
	double noise;

	(void)state;
	assert_ok(hf_mark_reading_init(&r, HF_MARK_ERASE, SITES, &test_mem));
	assert_ok(hf_mark_reading_add(&r, &s));
	assert_ok(hf_mark_reading_done(&r, y, &noise));
	for (size_t j = 0; j < SITES; j++)
		assert_true(fabs(y[j] - (j % 2 != 0 ? 1 : -1)) < 1e-12);
	assert_true(noise >= 0.1 && noise <= 0.5);
	hf_mark_reading_clear(&r);
}

static void tensors_add_up_in_any_order(void **state)
{
	struct hf_mark_suspect all = suspect();
	struct hf_mark_suspect part = all;
	struct hf_mark_reading r;
	double y[SITES];
	double noise;

	(void)state;
	assert_ok(hf_mark_reading_init(&r, HF_MARK_GAIN, SITES, &test_mem));
	part.first_site = 2;
	part.n_sites = 4;
	part.variant[0] += 2 * N_S;
	part.variant[1] += 2 * N_S;
	part.w += 2 * N_S;
	assert_ok(hf_mark_reading_add(&r, &part));
	all.n_sites = 2;
	assert_ok(hf_mark_reading_add(&r, &all));
	assert_ok(hf_mark_reading_done(&r, y, &noise));
	for (size_t j = 0; j < SITES; j++)
		assert_true((y[j] > 0) == (j % 2 != 0));
	hf_mark_reading_clear(&r);
}

static void what_is_not_there_reads_as_nothing(void **state)
{
	static const float missing[] = { NAN, 0, INFINITY, -INFINITY };
	struct hf_mark_suspect s = suspect();
	struct hf_mark_reading r;
	double y[SITES];
	double noise;

	(void)state;
	for (size_t i = 0; i < N_S; i++)
		leak[N_S + i] = missing[i];
	for (unsigned view = HF_MARK_GAIN; view <= HF_MARK_ERASE; view++) {
		assert_ok(hf_mark_reading_init(&r, (enum hf_mark_view)view, SITES, &test_mem));
		assert_ok(hf_mark_reading_add(&r, &s));
		assert_ok(hf_mark_reading_done(&r, y, &noise));
		assert_true(isnan(y[1]) && !isnan(y[0]) && !isnan(y[2]));
		hf_mark_reading_clear(&r);
	}
}

static void a_view_that_sees_nothing_says_so(void **state)
{
	static const enum hf_mark_view views[] = { HF_MARK_SIGN, HF_MARK_GRID };
	struct hf_mark_suspect s = suspect();

	(void)state;
	for (size_t i = 0; i < 2; i++) { /* no weight near 0; no steps */
		struct hf_mark_reading r;
		double y[SITES] = { 0 };
		double noise = 7;

		assert_ok(hf_mark_reading_init(&r, views[i], SITES, &test_mem));
		assert_ok(hf_mark_reading_add(&r, &s));
		assert_err(hf_mark_reading_done(&r, y, &noise), HF_ERR_NOT_FOUND);
		assert_true(isnan(y[0]) && isnan(y[SITES - 1]) && noise == 7);
		hf_mark_reading_clear(&r);
	}
}

static void steps_that_are_none_are_not_read(void **state)
{
	static const float wrong[] = { 0, NAN, INFINITY };
	struct hf_mark_suspect s = suspect();

	(void)state;
	s.step = step;
	for (size_t i = 0; i < HF_COUNT(wrong); i++) {
		struct hf_mark_reading r;
		double y[SITES];
		double noise;

		for (size_t k = 0; k < N; k++)
			step[k] = wrong[i];
		assert_ok(hf_mark_reading_init(&r, HF_MARK_GRID, SITES, &test_mem));
		assert_ok(hf_mark_reading_add(&r, &s));
		assert_err(hf_mark_reading_done(&r, y, &noise), HF_ERR_NOT_FOUND);
		hf_mark_reading_clear(&r);
	}
}

static void sites_outside_are_refused(void **state)
{
	struct hf_mark_suspect s = suspect();
	struct hf_mark_reading r = { 0 };

	(void)state;
	assert_err(hf_mark_reading_init(&r, HF_MARK_GAIN, 0, &test_mem), HF_ERR_ARG);
	assert_err(hf_mark_reading_init(&r, HF_MARK_GAIN, HF_MARK_SITES_MAX + 1, &test_mem),
		HF_ERR_ARG);
	assert_null(r.sum);
	assert_ok(hf_mark_reading_init(&r, HF_MARK_GAIN, SITES, &test_mem));
	s.first_site = 1;
	assert_err(hf_mark_reading_add(&r, &s), HF_ERR_ARG);
	s.first_site = SITES + 1;
	s.n_sites = 0;
	assert_err(hf_mark_reading_add(&r, &s), HF_ERR_ARG);
	s = suspect();
	s.n_s = 0;
	assert_err(hf_mark_reading_add(&r, &s), HF_ERR_ARG);
	hf_mark_reading_clear(&r);
	hf_mark_reading_clear(&r);
}

static void every_allocation_may_fail(void **state)
{
	struct hf_mark_suspect s = suspect();
	struct hf_mark_reading r = { 0 };

	(void)state;
	for (unsigned n = 1; n <= 2; n++) {
		test_mem_fail_at(n);
		assert_err(
			hf_mark_reading_init(&r, HF_MARK_GAIN, SITES, &test_mem), HF_ERR_NO_MEMORY);
	}
	test_mem_fail_at(0);
	assert_ok(hf_mark_reading_init(&r, HF_MARK_GAIN, SITES, &test_mem));
	for (unsigned n = 1; n <= 2; n++) {
		test_mem_fail_at(n);
		assert_err(hf_mark_reading_add(&r, &s), HF_ERR_NO_MEMORY);
	}
	test_mem_fail_at(0);
	for (size_t j = 0; j < SITES; j++)
		assert_true(r.weight[j] == 0);
	hf_mark_reading_clear(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(variants_read_as_ends),
		cmocka_unit_test(tensors_add_up_in_any_order),
		cmocka_unit_test(what_is_not_there_reads_as_nothing),
		cmocka_unit_test(a_view_that_sees_nothing_says_so),
		cmocka_unit_test(steps_that_are_none_are_not_read),
		cmocka_unit_test(sites_outside_are_refused),
		cmocka_unit_test(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
