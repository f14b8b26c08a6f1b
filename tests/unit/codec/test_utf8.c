/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8: every code point comes back, and nothing else is a character. */
#include "test.h"

#include "codec/utf8.h"

static void every_code_point_comes_back(void **state)
{
	(void)state;
	for (uint32_t code = 0; code <= 0x10ffff; code++) {
		uint8_t out[4];
		size_t n;

		if (code >= 0xd800 && code <= 0xdfff)
			continue;
		n = hf_utf8_emit(out, code);
		assert_int_equal(hf_utf8_len(out, n), n);
		assert_int_equal(hf_utf8_len(out, n - 1), 0);
	}
}

static void refuses_overlong_surrogate_and_too_large_forms(void **state)
{
	static const char *const bad[] = { "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf",
		"\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80", "\xff", "\xc3\x28", "\xe2\x82\x28", "\xf0\x90\x80\x28" };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(bad); i++) {
		assert_int_equal(hf_utf8_len((const uint8_t *)bad[i], strlen(bad[i])), 0);
		assert_false(hf_utf8_is_valid((const uint8_t *)bad[i], strlen(bad[i])));
	}
	assert_true(hf_utf8_is_valid((const uint8_t *)"a\xe8\x99\x8e", 4));
	assert_false(hf_utf8_is_valid((const uint8_t *)"a\xe8\x99\x8e", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_point_comes_back),
		cmocka_unit_test(refuses_overlong_surrogate_and_too_large_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
