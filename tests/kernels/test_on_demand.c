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

static void the_chosen_kernels_are_chosen_again(void **state)
{
	const struct hf_module *m = hf_module();
	const struct hf_sm3_kernel *sm3 = m->sm3;
	const struct hf_sm4_kernel *sm4 = m->sm4;
	const struct hf_ghash_kernel *ghash = m->ghash;

	(void)state;
	assert_ok(hf_module_selftest(NULL));
	assert_ptr_equal(m->sm3, sm3);
	assert_ptr_equal(m->sm4, sm4);
	assert_ptr_equal(m->ghash, ghash);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kernel_of_this_processor_is_tested),
		cmocka_unit_test(the_chosen_kernels_are_chosen_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
