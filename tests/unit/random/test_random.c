/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The examples of Annex C of GM/T 0005-2021 to the digits given; what the tests refuse; the plans
 * of the standards; the judgement over many samples.
 */
#include "test.h"

#include <math.h>

#include "random/euler.h"
#include "random/random.h"

static const char short_1[] = "cc156c4ce0024d5113d680d7cce6d8b2"; /* 128 bits */
static const char short_2[] = "c90fdaa22168c234c4c6628b80";       /* 100 bits */

static const struct example {
	const char *hex; /* NULL: a million bits of e */
	struct hf_random_item item;
	double p[2];
	double q[2];
} examples[] = {
	{ short_1, { HF_RANDOM_MONOBIT, 0, 0 }, { 0.215925 }, { 0.892038 } },
	{ short_2, { HF_RANDOM_BLOCK_FREQUENCY, 10, 0 }, { 0.706438 }, { 0.706438 } },
	{ short_1, { HF_RANDOM_POKER, 4, 0 }, { 0.213734 }, { 0.213734 } },
	{ short_1, { HF_RANDOM_POKER, 8, 0 }, { 0.221829 }, { 0.221829 } },
	{ short_1, { HF_RANDOM_SERIAL, 2, 0 }, { 0.436868, 0.723674 }, { 0.436868, 0.723674 } },
	{ short_1, { HF_RANDOM_RUNS, 0, 0 }, { 0.620729 }, { 0.310364 } },
	{ short_1, { HF_RANDOM_RUN_LENGTHS, 0, 0 }, { 0.970152 }, { 0.970152 } },
	{ short_1, { HF_RANDOM_LONGEST_RUN, 8, 0 }, { 0.180598, 0.839299 },
		{ 0.180598, 0.839299 } },
	{ short_1, { HF_RANDOM_DERIVATIVE, 3, 0 }, { 0.039669 }, { 0.980166 } },
	{ short_1, { HF_RANDOM_AUTOCORRELATION, 1, 0 }, { 0.790080 }, { 0.395040 } },
	{ NULL, { HF_RANDOM_RANK, 0, 0 }, { 0.307543 }, { 0.307543 } },
	{ short_2, { HF_RANDOM_CUSUM, 0, 0 }, { 0.219194, 0.114866 }, { 0.219194, 0.114866 } },
	{ short_2, { HF_RANDOM_ENTROPY, 2, 0 }, { 0.235301 }, { 0.235301 } },
	{ NULL, { HF_RANDOM_COMPLEXITY, 1000, 0 }, { 0.844721 }, { 0.844721 } },
	{ NULL, { HF_RANDOM_UNIVERSAL, 7, 1280 }, { 0.282568 }, { 0.141284 } },
	{ short_2, { HF_RANDOM_FOURIER, 0, 0 }, { 0.654721 }, { 0.327360 } },
};

static void the_examples_of_the_standard_come_out(void **state)
{
	uint64_t *of_e = calloc(HF_BITS_WORDS(1000000), sizeof(*of_e));
	struct hf_bits e = hf_euler_bits(of_e, 1000000);
	uint64_t w[HF_BITS_WORDS(128)];
	struct hf_random r;

	(void)state;
	assert_ok(hf_random_init(&r, &test_mem));
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		const struct example *x = &examples[i];
		struct hf_random_value v[HF_RANDOM_VALUES_MAX];
		struct hf_bits b = e;

		if (x->hex != NULL) {
			size_t len;
			uint8_t *bytes = test_hex(x->hex, &len);

			b = hf_bits_load(w, bytes, x->hex == short_2 ? 100 : 128);
			free(bytes);
		}
		assert_ok(hf_random_run(&r, &x->item, &b, v));
		for (unsigned k = 0; k < hf_random_n_values(x->item.test); k++) {
			assert_true(fabs(v[k].p - x->p[k]) < 0.6e-6);
			assert_true(fabs(v[k].q - x->q[k]) < 0.6e-6);
		}
	}
	hf_random_clear(&r);
	free(of_e);
}

static void refuses_parameters_and_samples_that_give_no_value(void **state)
{
	static const struct hf_random_item wrong[] = {
		{ HF_RANDOM_BLOCK_FREQUENCY, 0, 0 },
		{ HF_RANDOM_BLOCK_FREQUENCY, 101, 0 },
		{ HF_RANDOM_POKER, 0, 0 },
		{ HF_RANDOM_POKER, 17, 0 },
		{ HF_RANDOM_SERIAL, 1, 0 },
		{ HF_RANDOM_SERIAL, 17, 0 },
		{ HF_RANDOM_LONGEST_RUN, 9, 0 },
		{ HF_RANDOM_LONGEST_RUN, 128, 0 },
		{ HF_RANDOM_DERIVATIVE, 64, 0 },
		{ HF_RANDOM_AUTOCORRELATION, 0, 0 },
		{ HF_RANDOM_AUTOCORRELATION, 100, 0 },
		{ HF_RANDOM_RANK, 0, 0 },
		{ HF_RANDOM_ENTROPY, 16, 0 },
		{ HF_RANDOM_COMPLEXITY, 1, 0 },
		{ HF_RANDOM_COMPLEXITY, 101, 0 },
		{ HF_RANDOM_UNIVERSAL, 7, 14 },
		{ HF_RANDOM_UNIVERSAL, 5, 0 },
	};
	uint64_t w[HF_BITS_WORDS(100)];
	uint8_t bytes[13] = { 0x5a };
	struct hf_bits b = hf_bits_load(w, bytes, 100);
	struct hf_bits none = { w, 0 };
	struct hf_random_value v[HF_RANDOM_VALUES_MAX];
	struct hf_random r;

	(void)state;
	assert_ok(hf_random_init(&r, &test_mem));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_err(hf_random_run(&r, &wrong[i], &b, v), HF_ERR_ARG);
	for (unsigned t = 0; t < HF_RANDOM_TESTS; t++) {
		struct hf_random_item item = { (enum hf_random_test)t, 8, 0 };

		assert_err(hf_random_run(&r, &item, &none, v), HF_ERR_ARG);
	}
	hf_random_clear(&r);
}

/* The worst there is must give P-values, and bad ones, not a division by nothing. */
static void constant_samples_fail(void **state)
{
	static uint64_t w[HF_BITS_WORDS(1000000)];
	static uint8_t bytes[125000];
	struct hf_random_plan plan;
	struct hf_random r;

	(void)state;
	assert_ok(hf_random_plan(&plan, HF_RANDOM_FULL, 0, 0));
	assert_ok(hf_random_init(&r, &test_mem));
	for (unsigned value = 0; value < 2; value++) {
		struct hf_bits b;

		memset(bytes, value == 0 ? 0 : 0xff, sizeof(bytes));
		b = hf_bits_load(w, bytes, 8 * sizeof(bytes));
		for (size_t i = 0; i < plan.n_items; i++) {
			struct hf_random_value v[HF_RANDOM_VALUES_MAX];

			assert_ok(hf_random_run(&r, &plan.item[i], &b, v));
			for (unsigned k = 0; k < hf_random_n_values(plan.item[i].test); k++) {
				assert_true(v[k].p >= 0 && v[k].p < HF_RANDOM_ALPHA);
				assert_true(v[k].q >= 0 && v[k].q <= 1);
			}
		}
	}
	hf_random_clear(&r);
}

static unsigned n_tests(const struct hf_random_plan *p)
{
	unsigned seen = 0;
	unsigned n = 0;

	for (size_t i = 0; i < p->n_items; i++)
		seen |= 1u << p->item[i].test;
	for (; seen != 0; seen &= seen - 1)
		n++;
	return n;
}

static void plans_are_those_of_the_standards(void **state)
{
	struct hf_random_plan p;

	(void)state;
	assert_ok(hf_random_plan(&p, HF_RANDOM_FULL, 0, 0));
	assert_int_equal(p.n_bits, 1000000);
	assert_int_equal(p.n_samples, 1000);
	assert_int_equal(n_tests(&p), 15);
	assert_ok(hf_random_plan(&p, HF_RANDOM_FULL, 100000000, 1));
	assert_int_equal(n_tests(&p), 15);
	assert_ok(hf_random_plan(&p, HF_RANDOM_FULL, 20000, 1));
	assert_int_equal(n_tests(&p), 12);
	assert_ok(hf_random_plan(&p, HF_RANDOM_FACTORY, 0, 0));
	assert_int_equal(p.n_samples, 50);
	assert_int_equal(n_tests(&p), 15);
	assert_ok(hf_random_plan(&p, HF_RANDOM_POWER_ON, 0, 0));
	assert_int_equal(p.n_samples, 20);
	assert_int_equal(n_tests(&p), 15);
	assert_ok(hf_random_plan(&p, HF_RANDOM_PERIODIC, 0, 0));
	assert_int_equal(p.n_samples, 20);
	assert_int_equal(p.n_bits, 20000);
	assert_int_equal(n_tests(&p), 12);
	assert_ok(hf_random_plan(&p, HF_RANDOM_SINGLE, 128, 0));
	assert_int_equal(p.item[0].m, 2);
	assert_ok(hf_random_plan(&p, HF_RANDOM_SINGLE, 320, 0));
	assert_int_equal(p.item[0].m, 4);
	assert_ok(hf_random_plan(&p, HF_RANDOM_SINGLE, 10240, 0));
	assert_int_equal(p.item[0].m, 8);
	assert_int_equal(n_tests(&p), 1);
	assert_err(hf_random_plan(&p, HF_RANDOM_SINGLE, 127, 0), HF_ERR_ARG);
	assert_err(hf_random_plan(&p, HF_RANDOM_FULL, 19999, 0), HF_ERR_ARG);
	assert_err(
		hf_random_plan(&p, HF_RANDOM_FULL, (size_t)HF_RANDOM_BITS_MAX + 1, 0), HF_ERR_ARG);
	assert_err(hf_random_plan(&p, HF_RANDOM_FULL, 0, 1000001), HF_ERR_ARG);
}

static void as_many_must_pass_as_the_standard_says(void **state)
{
	(void)state;
	assert_int_equal(hf_random_need(1000), 981);
	assert_int_equal(hf_random_need(50), 48);
	assert_int_equal(hf_random_need(20), 19);
	assert_int_equal(hf_random_need(1), 1);
	assert_int_equal(hf_random_need(0), 0);
}

static void samples_are_judged_by_number_and_by_distribution(void **state)
{
	struct hf_random_tally t = { 0 };
	struct hf_random_tally bent = { 0 };

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		hf_random_count(&t, (struct hf_random_value){ i < 19 ? 0.009 : 0.01, i / 1000.0 });
		hf_random_count(
			&bent, (struct hf_random_value){ 0.5, i < 200 ? 0.05 : i / 1000.0 });
	}
	assert_int_equal(t.passed, 981);
	assert_true(hf_random_uniformity(&t) > 0.999);
	assert_true(hf_random_is_passed(&t));
	hf_random_count(&t, (struct hf_random_value){ 0.0099, 1 });
	assert_false(hf_random_is_passed(&t));
	assert_int_equal(t.bin[HF_RANDOM_BINS - 1], 101);
	assert_true(t.p_min == 0.009);
	assert_true(hf_random_uniformity(&bent) < HF_RANDOM_ALPHA_T);
	assert_false(hf_random_is_passed(&bent));
}

static void survives_each_failed_allocation(void **state)
{
	static uint64_t w[HF_BITS_WORDS(20000)];
	static uint8_t bytes[2500];
	static const struct hf_random_item items[] = { { HF_RANDOM_FOURIER, 0, 0 },
		{ HF_RANDOM_COMPLEXITY, 500, 0 } };
	struct hf_bits b = hf_bits_load(w, bytes, 20000);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		hf_err e = HF_ERR_NO_MEMORY;

		for (unsigned at = 1; e != HF_OK; at++) {
			struct hf_random_value v[HF_RANDOM_VALUES_MAX];
			struct hf_random r;

			test_mem_fail_at(at);
			e = hf_random_init(&r, &test_mem);
			if (e == HF_OK)
				e = hf_random_run(&r, &items[i], &b, v);
			test_mem_fail_at(0);
			assert_true(e == HF_OK || e == HF_ERR_NO_MEMORY);
			hf_random_clear(&r);
			assert_true(at < 20);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples_of_the_standard_come_out),
		cmocka_unit_test(refuses_parameters_and_samples_that_give_no_value),
		cmocka_unit_test(constant_samples_fail),
		cmocka_unit_test(plans_are_those_of_the_standards),
		cmocka_unit_test(as_many_must_pass_as_the_standard_says),
		cmocka_unit_test(samples_are_judged_by_number_and_by_distribution),
		cmocka_unit_test(survives_each_failed_allocation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
