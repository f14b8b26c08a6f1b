/* SPDX-License-Identifier: Apache-2.0 */
/* Error codes: every one has its own name, text and exit code; the first cause is the cause. */
#include "test.h"

#include <stdbool.h>

#include "base/attr.h"

static const hf_err codes[] = {
#define CODE(name, code, word, text) (hf_err)(code),
	HF_ERR_LIST(CODE)
#undef CODE
};

static void every_code_has_a_name_and_a_text_of_its_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_COUNT(codes); i++) {
		const char *name = hf_err_name(codes[i]);

		assert_string_not_equal(name, "unknown");
		assert_string_not_equal(hf_err_text(codes[i]), "unknown error");
		for (const char *c = name; *c != '\0'; c++)
			assert_true((*c >= 'a' && *c <= 'z') || *c == '_');
		for (size_t k = 0; k < i; k++) {
			assert_int_not_equal(codes[k], codes[i]);
			assert_string_not_equal(hf_err_name(codes[k]), name);
			assert_string_not_equal(hf_err_text(codes[k]), hf_err_text(codes[i]));
		}
	}
}

static void numbers_that_are_no_code_are_said_to_be_unknown(void **state)
{
	static const int none[] = { -1, 1, 0x100, 0x103, 0x300, 0x1101, 0x7fffffff };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(none); i++) {
		assert_string_equal(hf_err_name((hf_err)none[i]), "unknown");
		assert_string_equal(hf_err_text((hf_err)none[i]), "unknown error");
	}
}

static void the_class_alone_decides_the_exit_code(void **state)
{
	(void)state;
	assert_int_equal(hf_err_exit(HF_OK), 0);
	for (size_t i = 0; i < HF_COUNT(codes); i++) {
		int class = (int)codes[i] >> 8;

		if (codes[i] != HF_OK)
			assert_int_equal(hf_err_exit(codes[i]), class + 1);
	}
	assert_int_equal(hf_err_exit(HF_ERR_ARG), 2);
	assert_int_equal(hf_err_exit(HF_ERR_FORMAT), 4);
	assert_int_equal(hf_err_exit(HF_ERR_AUTH), 5);
	assert_int_equal(hf_err_exit(HF_ERR_ENTROPY), 8);
}

static void the_first_cause_is_kept(void **state)
{
	struct hf_errinfo ei = { .code = HF_OK };

	(void)state;
	assert_err(hf_fail_sys(&ei, HF_ERR_IO, 5, "file %d: %s", 3, "cannot be read"), HF_ERR_IO);
	assert_err(hf_fail(&ei, HF_ERR_AUTH, "something else"), HF_ERR_AUTH);
	assert_int_equal(ei.code, HF_ERR_IO);
	assert_int_equal(ei.sys, 5);
	assert_string_equal(ei.text, "file 3: cannot be read");
	assert_err(hf_fail(NULL, HF_ERR_LIMIT, "nobody asks"), HF_ERR_LIMIT);
	assert_err(hf_fail_sys(NULL, HF_ERR_FULL, 28, "nobody asks"), HF_ERR_FULL);
}

static void a_long_text_is_cut_and_terminated(void **state)
{
	struct hf_errinfo ei = { .code = HF_OK };

	(void)state;
	assert_err(hf_fail(&ei, HF_ERR_FORMAT, "%0*d", 3 * HF_ERRINFO_TEXT, 1), HF_ERR_FORMAT);
	assert_int_equal(strlen(ei.text), HF_ERRINFO_TEXT - 1);
}

static hf_err tries(hf_err e, bool *went_on)
{
	HF_TRY(e);
	*went_on = true;
	return HF_OK;
}

static void trying_returns_at_the_first_failure(void **state)
{
	bool went_on = false;

	(void)state;
	assert_err(tries(HF_ERR_STATE, &went_on), HF_ERR_STATE);
	assert_false(went_on);
	assert_ok(tries(HF_OK, &went_on));
	assert_true(went_on);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_a_name_and_a_text_of_its_own),
		cmocka_unit_test(numbers_that_are_no_code_are_said_to_be_unknown),
		cmocka_unit_test(the_class_alone_decides_the_exit_code),
		cmocka_unit_test(the_first_cause_is_kept),
		cmocka_unit_test(a_long_text_is_cut_and_terminated),
		cmocka_unit_test(trying_returns_at_the_first_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
