/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Health tests of entropy, at their limits: one sample less is accepted. An alarm puts the module
 * into its error state; the tests themselves go on, so that each limit can be tried here.
 */
#include "test.h"

#include "crypto/health.h"
#include "crypto/module.h"

enum { OTHERS = 251 }; /* a prime number of other samples, so that none comes too often */

/* Samples that are all different from 0 and never twice the same in a row. */
static void put_others(uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(1 + i % OTHERS);
}

static void good_samples_pass_without_end(void **state)
{
	struct hf_health h = { .n_run = 0 };
	uint8_t in[1000];
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 5);

	(void)state;
	for (int i = 0; i < 1000; i++) {
		assert_ok(hf_rng_fill(&rng, in, sizeof(in)));
		assert_ok(hf_health_feed(&h, in, sizeof(in)));
	}
	assert_ok(hf_health_feed(&h, in, 0));
	assert_ok(hf_module_check());
}

static void eleven_equal_samples_in_a_row_are_too_many(void **state)
{
	uint8_t in[64];

	(void)state;
	for (size_t at = 0; at + HF_HEALTH_REPETITIONS <= sizeof(in); at++) {
		struct hf_health h = { .n_run = 0 };

		put_others(in, sizeof(in));
		memset(in + at, 0, HF_HEALTH_REPETITIONS - 1);
		assert_ok(hf_health_feed(&h, in, sizeof(in)));
		h = (struct hf_health){ .n_run = 0 };
		in[at + HF_HEALTH_REPETITIONS - 1] = 0;
		assert_err(hf_health_feed(&h, in, sizeof(in)), HF_ERR_ENTROPY);
	}
	assert_int_equal(hf_module()->state, HF_MODULE_ERROR);
	assert_string_equal(hf_module()->failed, "entropy repetition");
}

static void a_run_is_counted_over_calls(void **state)
{
	static const uint8_t zero;
	struct hf_health h = { .n_run = 0 };

	(void)state;
	for (int i = 1; i < HF_HEALTH_REPETITIONS; i++)
		assert_ok(hf_health_feed(&h, &zero, 1));
	assert_err(hf_health_feed(&h, &zero, 1), HF_ERR_ENTROPY);
}

/* The first sample of the window, and that often in it altogether. */
static void put_window(uint8_t in[HF_HEALTH_WINDOW], size_t n_same)
{
	put_others(in, HF_HEALTH_WINDOW);
	for (size_t i = 0; i < n_same; i++)
		in[i * 6] = 0;
}

static void seventy_eight_of_a_kind_in_a_window_are_too_many(void **state)
{
	struct hf_health h = { .n_run = 0 };
	uint8_t in[HF_HEALTH_WINDOW];

	(void)state;
	put_window(in, HF_HEALTH_PROPORTION - 1);
	assert_ok(hf_health_feed(&h, in, sizeof(in)));
	assert_ok(hf_health_feed(&h, in, sizeof(in))); /* each window starts anew */
	put_window(in, HF_HEALTH_PROPORTION);
	for (size_t i = 0; i + 1 < sizeof(in) && i < 6 * (HF_HEALTH_PROPORTION - 1); i++)
		assert_ok(hf_health_feed(&h, in + i, 1));
	assert_err(hf_health_feed(&h, in + 6 * (HF_HEALTH_PROPORTION - 1), 1), HF_ERR_ENTROPY);
}

static void only_the_first_sample_of_a_window_is_counted(void **state)
{
	struct hf_health h = { .n_run = 0 };
	uint8_t in[HF_HEALTH_WINDOW];

	(void)state;
	put_window(in, HF_HEALTH_PROPORTION + 1);
	in[0] = 1;
	assert_ok(hf_health_feed(&h, in, sizeof(in)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_samples_pass_without_end),
		cmocka_unit_test(eleven_equal_samples_in_a_row_are_too_many),
		cmocka_unit_test(a_run_is_counted_over_calls),
		cmocka_unit_test(seventy_eight_of_a_kind_in_a_window_are_too_many),
		cmocka_unit_test(only_the_first_sample_of_a_window_is_counted),
	};

	if (hf_module_start(0) != HF_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
