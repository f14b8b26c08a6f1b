/* SPDX-License-Identifier: Apache-2.0 */
/* The token bucket and the windows of the day. */
#include "test.h"

#include "xfer/pace.h"

enum { MINUTE = 60 * 1000 };

static void refuses_what_is_no_minute_of_a_day(void **state)
{
	const struct hf_pace_window bad_from = { HF_PACE_DAY_MIN, 0, 0 };
	const struct hf_pace_window bad_to = { 0, HF_PACE_DAY_MIN, 0 };
	const struct hf_pace_window bad_rate = { 0, 1, UINT64_MAX };
	const struct hf_pace_window many[HF_PACE_WINDOWS_MAX + 1] = { { 0, 1, 0 } };
	struct hf_pace p = { .rate = 77 };

	(void)state;
	assert_err(hf_pace_init(&p, 0, 1, &bad_from, 1), HF_ERR_ARG);
	assert_err(hf_pace_init(&p, 0, 1, &bad_to, 1), HF_ERR_ARG);
	assert_err(hf_pace_init(&p, 0, 1, &bad_rate, 1), HF_ERR_ARG);
	assert_err(hf_pace_init(&p, 0, 1, many, HF_PACE_WINDOWS_MAX + 1), HF_ERR_ARG);
	assert_err(hf_pace_init(&p, UINT64_MAX, 1, NULL, 0), HF_ERR_ARG);
	assert_err(hf_pace_init(&p, 0, 0, NULL, 0), HF_ERR_ARG);
	assert_err(hf_pace_init(&p, 0, UINT64_MAX, NULL, 0), HF_ERR_ARG);
	assert_int_equal(p.rate, 77);
	assert_ok(hf_pace_init(&p, 5, 1, NULL, 0));
	assert_err(hf_pace_rate_set(&p, UINT64_MAX), HF_ERR_ARG);
	assert_int_equal(p.rate, 5);
}

static void without_a_limit_everything_goes_at_once(void **state)
{
	struct hf_pace p;

	(void)state;
	assert_ok(hf_pace_init(&p, 0, 10, NULL, 0));
	for (uint64_t t = 0; t < 100; t++) {
		assert_int_equal(hf_pace_when(&p, 1u << 30, t), t);
		hf_pace_spend(&p, 1u << 30);
	}
}

static void over_an_hour_no_more_goes_than_the_rate_allows(void **state)
{
	struct test_rng r;
	struct hf_pace p;
	uint64_t now = 1000;
	uint64_t sent = 0;

	(void)state;
	(void)test_rng(&r, 7);
	assert_ok(hf_pace_init(&p, 1000, 5000, NULL, 0));
	while (now < 3601000) {
		uint64_t len = 1 + test_rng_below(&r, 5000);
		uint64_t at = hf_pace_when(&p, len, now);

		assert_true(at >= now);
		if (at == now) {
			hf_pace_spend(&p, len);
			sent += len;
			continue;
		}
		/* Not a moment too early: just before, it is still refused. */
		assert_true(hf_pace_when(&p, len, at - 1) >= at);
		now = at;
	}
	assert_in_range(sent, 3600u * 1000, 3600u * 1000 + 5000 + 5000);
}

static void bytes_given_back_can_be_asked_for_again(void **state)
{
	struct hf_pace p;

	(void)state;
	assert_ok(hf_pace_init(&p, 10, 100, NULL, 0));
	assert_int_equal(hf_pace_when(&p, 100, 0), 0);
	hf_pace_spend(&p, 100);
	assert_int_equal(hf_pace_when(&p, 100, 0), 10000);
	hf_pace_refund(&p, 60);
	assert_int_equal(hf_pace_when(&p, 60, 0), 0);
	hf_pace_refund(&p, UINT64_MAX); /* never more than the bucket holds */
	hf_pace_spend(&p, 100);
	assert_int_equal(hf_pace_when(&p, 10, 0), 1000);
}

static void a_window_holds_from_its_first_minute_to_before_its_last(void **state)
{
	const struct hf_pace_window night = { 22 * 60, 6 * 60, 0 };
	struct hf_pace p;

	(void)state;
	assert_ok(hf_pace_init(&p, 0, 100, &night, 1));
	for (uint64_t minute = 0; minute < 2 * HF_PACE_DAY_MIN; minute++) {
		uint64_t at = minute % HF_PACE_DAY_MIN;
		bool is_open = at >= 22 * 60 || at < 6 * 60;

		assert_int_equal(hf_pace_is_shut(&p, minute * MINUTE), !is_open);
		if (is_open)
			assert_int_equal(hf_pace_when(&p, 1, minute * MINUTE), minute * MINUTE);
		else
			assert_int_equal(hf_pace_when(&p, 1, minute * MINUTE),
				(minute - at + 22 * 60) * MINUTE);
	}
}

static void windows_follow_the_local_day(void **state)
{
	const struct hf_pace_window noon = { 12 * 60, 13 * 60, 8 };
	struct hf_pace p;

	(void)state;
	assert_ok(hf_pace_init(&p, 0, 8, &noon, 1));
	assert_true(hf_pace_is_shut(&p, 0));
	hf_pace_day_set(&p, 12 * 60 * MINUTE);
	assert_false(hf_pace_is_shut(&p, 0));
	assert_int_equal(hf_pace_when(&p, 8, 5), 5);
	hf_pace_spend(&p, 8);
	assert_int_equal(hf_pace_when(&p, 8, 5), 1005); /* the window's own rate */
	hf_pace_day_set(&p, 13 * 60 * MINUTE);
	assert_int_equal(hf_pace_when(&p, 8, 5), (uint64_t)23 * 60 * MINUTE);
}

static void a_window_with_equal_ends_is_the_whole_day(void **state)
{
	const struct hf_pace_window all = { 600, 600, 0 };
	struct hf_pace p;

	(void)state;
	assert_ok(hf_pace_init(&p, 1, 8, &all, 1));
	for (uint64_t minute = 0; minute < HF_PACE_DAY_MIN; minute++)
		assert_int_equal(hf_pace_when(&p, 8, minute * MINUTE), minute * MINUTE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_is_no_minute_of_a_day),
		cmocka_unit_test(without_a_limit_everything_goes_at_once),
		cmocka_unit_test(over_an_hour_no_more_goes_than_the_rate_allows),
		cmocka_unit_test(bytes_given_back_can_be_asked_for_again),
		cmocka_unit_test(a_window_holds_from_its_first_minute_to_before_its_last),
		cmocka_unit_test(windows_follow_the_local_day),
		cmocka_unit_test(a_window_with_equal_ends_is_the_whole_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
