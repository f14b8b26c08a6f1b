/* SPDX-License-Identifier: Apache-2.0 */
/* The level table: a higher level never demands less, and a refusal names its row. */
#include "test.h"

#include "policy/policy.h"

/* Rows in which a larger number is the stronger demand. In all others it is the weaker one. */
static bool more_is_stronger(enum hf_policy_row row)
{
	switch (row) {
	case HF_ROW_FORWARD_SECRECY:
	case HF_ROW_MUTUAL:
	case HF_ROW_TICKET_SINGLE_USE:
	case HF_ROW_PACKAGE_SIGNATURES:
	case HF_ROW_PACKAGE_MARKS:
	case HF_ROW_PACKAGE_MEMORY_ONLY:
	case HF_ROW_FLOOR_HUB:
	case HF_ROW_FLOOR_TPM:
	case HF_ROW_TIME_SIGNED: return true;
	default: return false;
	}
}

static void a_higher_level_never_demands_less(void **state)
{
	(void)state;
	for (enum hf_policy_row row = 0; row < HF_ROW_COUNT; row++) {
		const uint64_t *v = hf_policy_entry(row)->value;

		if (more_is_stronger(row))
			assert_true(v[0] <= v[1] && v[1] <= v[2]);
		else
			assert_true(v[0] >= v[1] && v[1] >= v[2]);
	}
}

static void every_row_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (enum hf_policy_row a = 0; a < HF_ROW_COUNT; a++)
		for (enum hf_policy_row b = 0; b < a; b++)
			assert_string_not_equal(hf_policy_entry(a)->name, hf_policy_entry(b)->name);
}

static void a_refusal_names_row_level_and_demand(void **state)
{
	struct hf_errinfo ei = { 0 };

	(void)state;
	assert_err(hf_policy_refuse(&ei, HF_ROW_PACKAGE_SIGNATURES, HF_L3, "%d key signed", 1),
		HF_ERR_DENIED);
	assert_string_equal(ei.text, "policy package.signatures at L3 (2): 1 key signed");
}

static void the_words_of_a_demand_carry_its_unit(void **state)
{
	char text[24];

	(void)state;
	hf_policy_text(text, sizeof(text), HF_ROW_GRANT_CACHE, HF_L2);
	assert_string_equal(text, "72 h");
	hf_policy_text(text, sizeof(text), HF_ROW_DEVICE_CERT_LIFE, HF_L2);
	assert_string_equal(text, "90 d");
	hf_policy_text(text, sizeof(text), HF_ROW_REKEY_BYTES, HF_L1);
	assert_string_equal(text, "no limit");
	hf_policy_text(text, sizeof(text), HF_ROW_HARDWARE_CLASS, HF_L3);
	assert_string_equal(text, "A..C");
}

static void refuses_numbers_that_are_no_level(void **state)
{
	(void)state;
	assert_false(hf_level_is(0));
	assert_false(hf_level_is(4));
	assert_false(hf_level_is(UINT64_MAX));
	assert_true(hf_level_is(1) && hf_level_is(3));
	assert_int_equal(hf_level_max(HF_L1, HF_L3), HF_L3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_higher_level_never_demands_less),
		cmocka_unit_test(every_row_has_a_name_of_its_own),
		cmocka_unit_test(a_refusal_names_row_level_and_demand),
		cmocka_unit_test(the_words_of_a_demand_carry_its_unit),
		cmocka_unit_test(refuses_numbers_that_are_no_level),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
