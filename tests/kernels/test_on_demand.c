/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The self-test on demand reaches every kernel that this processor can run, and leaves the module
 * with those it chose at the start.
 */
#include "test.h"

#include "crypto/module.h"
#include "os/cpu.h"

struct heard {
	unsigned n_kernels; /* besides the chosen ones */
	unsigned n_answers; /* known answers with one of them */
	unsigned n_bad;
};

static void hear(void *ctx, const char *test, const struct hf_kernel_info *kernel, bool passed)
{
	struct heard *h = ctx;

	h->n_bad += passed ? 0 : 1;
	if (kernel == NULL)
		return;
	if (strstr(test, " kernel") != NULL)
		h->n_kernels++;
	else
		h->n_answers++;
}

static void every_kernel_of_this_processor_is_tested(void **state)
{
	struct heard h = { .n_kernels = 0 };
	const struct hf_selftest_watch watch = { hear, &h };
	struct hf_kernel_info k;
	unsigned n_others = 0;
	unsigned n_tests = 0;

	(void)state;
	assert_ok(hf_module_start(hf_os_cpu()));
	for (size_t i = 0; hf_module_kernel_at(&k, i); i++)
		n_others += !k.is_chosen && (k.needs & ~hf_os_cpu()) == 0 ? 1 : 0;
	while (hf_module_test_at(n_tests) != NULL)
		n_tests++;
	assert_ok(hf_module_selftest(&watch));
	assert_int_equal(h.n_kernels, n_others);
	assert_int_equal(h.n_answers, n_others * n_tests);
	assert_int_equal(h.n_bad, 0);
}

/* As a set of bits: a module has fewer kernels. */
static uint64_t chosen_kernels(void)
{
	struct hf_kernel_info k;
	uint64_t chosen = 0;

	for (size_t i = 0; hf_module_kernel_at(&k, i); i++) {
		assert_true(i < 64);
		chosen |= (uint64_t)k.is_chosen << i;
	}
	return chosen;
}

static void the_chosen_kernels_are_chosen_again(void **state)
{
	uint64_t before = chosen_kernels();

	(void)state;
	assert_true(before != 0);
	assert_ok(hf_module_selftest(NULL));
	assert_true(chosen_kernels() == before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kernel_of_this_processor_is_tested),
		cmocka_unit_test(the_chosen_kernels_are_chosen_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
