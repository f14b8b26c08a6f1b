/* SPDX-License-Identifier: Apache-2.0 */
/* Every job runs once, whatever the number of workers; the lowest failure wins. */
#include "test.h"

#include <stdatomic.h>

#include "os/thread.h"

enum { JOBS = 1000 };

struct work {
	atomic_uint runs[JOBS];
	size_t fails_from;
};

static void count_one(void *arg)
{
	atomic_fetch_add((atomic_uint *)arg, 1);
}

static hf_err count_index(void *ctx, size_t i)
{
	struct work *w = ctx;

	atomic_fetch_add(&w->runs[i], 1);
	return i >= w->fails_from ? HF_ERR_AUTH : HF_OK;
}

static void every_job_runs_once(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 5; n++) {
		struct hf_pool *pool = NULL;
		struct work *w = calloc(1, sizeof(*w));

		assert_non_null(w);
		w->fails_from = JOBS;
		assert_ok(hf_pool_new(&pool, &test_mem, n, 3, NULL));
		assert_int_equal(hf_pool_workers(pool), n);
		for (size_t i = 0; i < JOBS; i++)
			hf_pool_submit(pool, count_one, &w->runs[i]);
		hf_pool_wait(pool);
		assert_ok(hf_pool_for(pool, JOBS, count_index, w));
		assert_ok(hf_pool_for(pool, 0, count_index, w));
		for (size_t i = 0; i < JOBS; i++)
			assert_int_equal(w->runs[i], 2);
		hf_pool_free(pool);
		free(w);
	}
}

static void a_failure_stops_the_loop(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 5; n += 2) {
		struct hf_pool *pool = NULL;
		struct work *w = calloc(1, sizeof(*w));
		size_t ran = 0;

		assert_non_null(w);
		w->fails_from = 10;
		assert_ok(hf_pool_new(&pool, &test_mem, n, 8, NULL));
		assert_err(hf_pool_for(pool, JOBS, count_index, w), HF_ERR_AUTH);
		for (size_t i = 0; i < JOBS; i++)
			ran += w->runs[i];
		assert_true(ran > 10 && ran <= 10 + (n == 0 ? 1 : n));
		hf_pool_free(pool);
		free(w);
	}
}

static void refuses_a_pool_it_cannot_have(void **state)
{
	struct hf_pool *pool = NULL;

	(void)state;
	assert_err(hf_pool_new(&pool, &test_mem, HF_POOL_WORKERS_MAX + 1, 1, NULL), HF_ERR_ARG);
	assert_err(hf_pool_new(&pool, &test_mem, 1, 0, NULL), HF_ERR_ARG);
	for (unsigned i = 1; i <= 2; i++) {
		test_mem_fail_at(i);
		assert_err(hf_pool_new(&pool, &test_mem, 1, 1, NULL), HF_ERR_NO_MEMORY);
	}
	test_mem_fail_at(0);
	assert_null(pool);
	hf_pool_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_job_runs_once),
		cmocka_unit_test(a_failure_stops_the_loop),
		cmocka_unit_test(refuses_a_pool_it_cannot_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
