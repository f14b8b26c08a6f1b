/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module's life. Until it is started no service answers; started without any processor feature
 * it runs the C reference everywhere; a second start changes nothing.
 */
#include "refusals.h"
#include "test.h"

#include <sys/wait.h>
#include <unistd.h>

#include "crypto/health.h"
#include "crypto/modes/ghash_kernel.h"
#include "crypto/module.h"
#include "crypto/sm2/sm2_batch.h"
#include "crypto/sm3/sm3_kernel.h"
#include "crypto/sm4/sm4_kernel.h"

/* The tests run in this order: the first one before the module is started. */

static void there_is_no_service_before_the_start(void **state)
{
	(void)state;
	assert_int_equal(hf_module()->state, HF_MODULE_OFF);
	assert_true(test_all_refuse());
}

/* In a process of its own: there is no way back. True: the failure ended all service for good. */
static bool a_failure_is_kept(enum hf_module_state before)
{
	static const uint8_t stuck[HF_HEALTH_REPETITIONS];
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct hf_health h = { .n_run = 0 };
		bool is_kept = hf_module()->state == before;

		is_kept &= hf_health_feed(&h, stuck, sizeof(stuck)) == HF_ERR_ENTROPY;
		is_kept &= hf_module()->state == HF_MODULE_ERROR;
		is_kept &= strcmp(hf_module()->failed, "entropy repetition") == 0;
		is_kept &= hf_module_start(0) == HF_ERR_SELF_TEST && test_all_refuse();
		hf_module_zeroize();
		is_kept &= hf_module()->state == HF_MODULE_ERROR;
		_exit(is_kept ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void a_failure_before_the_start_forbids_the_start(void **state)
{
	(void)state;
	assert_true(a_failure_is_kept(HF_MODULE_OFF));
}

static void without_processor_features_everything_is_the_reference(void **state)
{
	const struct hf_module *m = hf_module();

	(void)state;
	assert_ok(hf_module_start(0));
	assert_int_equal(m->state, HF_MODULE_READY);
	assert_ok(hf_module_check());
	assert_int_equal(m->cpu, 0);
	assert_string_equal(m->sm3->name, "c");
	assert_string_equal(m->sm4->name, "c");
	assert_string_equal(m->ghash->name, "c");
	assert_string_equal(m->sm2_batch->name, "c");
	assert_string_equal(m->failed, "");
	assert_false(m->is_approved); /* a test has no integrity record */
}

static void a_second_start_changes_nothing(void **state)
{
	const struct hf_module before = *hf_module();

	(void)state;
	assert_ok(hf_module_start(UINT32_MAX));
	assert_memory_equal(&before, hf_module(), sizeof(before));
}

static void the_self_tests_pass_again_on_demand(void **state)
{
	uint8_t out[HF_SM3_LEN];
	static const uint8_t abc[4] = { 0x66, 0xc7, 0xf0, 0xf4 };

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_ok(hf_module_selftest(NULL));
	assert_int_equal(hf_module()->state, HF_MODULE_READY);
	hf_sm3(out, "abc", 3);
	assert_memory_equal(out, abc, sizeof(abc));
}

struct heard {
	unsigned n_tests;
	unsigned n_kernels; /* other than the chosen ones */
	unsigned n_bad;
};

static void hear(void *ctx, const char *test, const struct hf_kernel_info *kernel, bool passed)
{
	struct heard *h = ctx;

	if (kernel == NULL) {
		assert_string_equal(test, hf_module_test_at(h->n_tests));
		h->n_tests++;
	} else if (strstr(test, " kernel") != NULL) {
		h->n_kernels++;
	}
	h->n_bad += passed ? 0 : 1;
}

static void on_demand_every_test_is_heard_of(void **state)
{
	struct heard h = { .n_tests = 0 };
	const struct hf_selftest_watch watch = { hear, &h };

	(void)state;
	assert_ok(hf_module_selftest(&watch));
	assert_null(hf_module_test_at(h.n_tests));
	assert_true(h.n_tests >= 10);
	assert_int_equal(h.n_kernels, 0); /* no features, no other kernel */
	assert_int_equal(h.n_bad, 0);
}

static void every_primitive_has_kernels_and_the_reference_is_chosen(void **state)
{
	struct hf_kernel_info k;
	unsigned n_chosen = 0;

	(void)state;
	for (size_t i = 0; hf_module_kernel_at(&k, i); i++) {
		assert_true(k.is_chosen == (k.needs == 0));
		n_chosen += k.is_chosen ? 1 : 0;
	}
	assert_true(n_chosen >= 3);
}

/* GB/T 37092-2018 7.11.4: the whole table, against the figure of module.h. */
static void only_the_transitions_of_the_figure_are_there(void **state)
{
	static const struct {
		enum hf_module_state from;
		enum hf_module_event event;
		enum hf_module_state to;
	} figure[] = {
		{ HF_MODULE_OFF, HF_MODULE_EV_START, HF_MODULE_SELF_TEST },
		{ HF_MODULE_OFF, HF_MODULE_EV_FAILED, HF_MODULE_ERROR },
		{ HF_MODULE_OFF, HF_MODULE_EV_ZEROIZE, HF_MODULE_ZEROIZED },
		{ HF_MODULE_SELF_TEST, HF_MODULE_EV_PASSED, HF_MODULE_READY },
		{ HF_MODULE_SELF_TEST, HF_MODULE_EV_FAILED, HF_MODULE_ERROR },
		{ HF_MODULE_READY, HF_MODULE_EV_TEST, HF_MODULE_SELF_TEST },
		{ HF_MODULE_READY, HF_MODULE_EV_FAILED, HF_MODULE_ERROR },
		{ HF_MODULE_READY, HF_MODULE_EV_ZEROIZE, HF_MODULE_ZEROIZED },
		{ HF_MODULE_ERROR, HF_MODULE_EV_FAILED, HF_MODULE_ERROR },
		{ HF_MODULE_ZEROIZED, HF_MODULE_EV_START, HF_MODULE_SELF_TEST },
		{ HF_MODULE_ZEROIZED, HF_MODULE_EV_FAILED, HF_MODULE_ERROR },
		{ HF_MODULE_ZEROIZED, HF_MODULE_EV_ZEROIZE, HF_MODULE_ZEROIZED },
	};

	(void)state;
	for (int s = 0; s < HF_MODULE_STATES; s++) {
		assert_true(strlen(hf_module_state_name((enum hf_module_state)s)) > 0);
		for (int ev = 0; ev < HF_MODULE_EVENTS; ev++) {
			int want = -1;

			for (size_t i = 0; i < HF_COUNT(figure); i++)
				if ((int)figure[i].from == s && (int)figure[i].event == ev)
					want = (int)figure[i].to;
			assert_int_equal(
				hf_module_next((enum hf_module_state)s, (enum hf_module_event)ev),
				want);
		}
	}
	for (int ev = 0; ev < HF_MODULE_EVENTS; ev++)
		assert_true(strlen(hf_module_event_name((enum hf_module_event)ev)) > 0);
}

static void after_zeroization_there_is_no_service_until_the_next_start(void **state)
{
	(void)state;
	hf_module_zeroize();
	assert_int_equal(hf_module()->state, HF_MODULE_ZEROIZED);
	assert_true(test_all_refuse());
	hf_module_zeroize();
	assert_true(a_failure_is_kept(HF_MODULE_ZEROIZED));
	assert_ok(hf_module_start(0));
	assert_int_equal(hf_module()->state, HF_MODULE_READY);
	the_self_tests_pass_again_on_demand(state);
}

/* The last one: there is no way back. */
static void a_failure_ends_all_service_and_keeps_its_name(void **state)
{
	(void)state;
	assert_err(hf_module_fail("a pair"), HF_ERR_SELF_TEST);
	assert_int_equal(hf_module()->state, HF_MODULE_ERROR);
	assert_err(hf_module_fail("another"), HF_ERR_SELF_TEST);
	assert_string_equal(hf_module()->failed, "a pair");
	assert_true(test_all_refuse());
	assert_err(hf_module_start(0), HF_ERR_SELF_TEST);
	assert_err(hf_module_selftest(NULL), HF_ERR_SELF_TEST);
	hf_module_zeroize();
	assert_int_equal(hf_module()->state, HF_MODULE_ERROR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_is_no_service_before_the_start),
		cmocka_unit_test(a_failure_before_the_start_forbids_the_start),
		cmocka_unit_test(without_processor_features_everything_is_the_reference),
		cmocka_unit_test(a_second_start_changes_nothing),
		cmocka_unit_test(the_self_tests_pass_again_on_demand),
		cmocka_unit_test(on_demand_every_test_is_heard_of),
		cmocka_unit_test(every_primitive_has_kernels_and_the_reference_is_chosen),
		cmocka_unit_test(only_the_transitions_of_the_figure_are_there),
		cmocka_unit_test(after_zeroization_there_is_no_service_until_the_next_start),
		cmocka_unit_test(a_failure_ends_all_service_and_keeps_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
