/* SPDX-License-Identifier: Apache-2.0 */
/* Names that are one file where case and composition do not count, and names that are not. */
#include "test.h"

#include "codec/fold.h"
#include "codec/utf8.h"

enum { ROOM = 64 };

static bool is_one(const char *a, const char *b)
{
	uint32_t x[ROOM];
	uint32_t y[ROOM];
	size_t n = 0;
	size_t m = 0;

	assert_ok(hf_fold(x, ROOM, &n, (const uint8_t *)a, strlen(a)));
	assert_ok(hf_fold(y, ROOM, &m, (const uint8_t *)b, strlen(b)));
	return n == m && memcmp(x, y, n * sizeof(*x)) == 0;
}

static void case_and_composition_do_not_count(void **state)
{
	(void)state;
	assert_true(is_one("Config.JSON", "config.json"));
	assert_true(is_one("\xc3\xa9", "e\xcc\x81")); /* e with acute */
	assert_true(is_one("\xc3\x89", "e\xcc\x81")); /* its upper case */
	assert_true(is_one("\xed\x95\x9c", "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab")); /* han */
	assert_true(is_one("\xea\xb0\x80", "\xe1\x84\x80\xe1\x85\xa1"));             /* ga */
	assert_true(is_one("stra\xc3\x9f"
			   "e",
		"STRASSE"));
	assert_true(is_one("\xe2\x84\xaa", "k"));                 /* the sign of Kelvin */
	assert_true(is_one("\xcf\x83", "\xcf\x82"));              /* sigma, inside and at the end */
	assert_true(is_one("\xe1\xba\xad", "a\xcc\x82\xcc\xa3")); /* two marks in either order */
	assert_true(is_one("a\xcc\xa3\xcc\x82", "a\xcc\x82\xcc\xa3"));
	assert_true(is_one("\xf0\x90\x90\x80", "\xf0\x90\x90\xa8")); /* beyond 16 bits */
}

static void other_names_stay_apart(void **state)
{
	(void)state;
	assert_false(is_one("a", "b"));
	assert_false(is_one("a", "a "));
	assert_false(is_one("e", "\xc3\xa9"));
	assert_false(is_one("\xe8\x99\x8e", "\xe7\xac\xa6"));
	assert_false(is_one("a\xcc\x81o", "ao\xcc\x81"));
	assert_false(is_one("", "a"));
}

static void refuses_what_is_no_text_or_does_not_fit(void **state)
{
	uint32_t x[4];
	size_t n = 42;

	(void)state;
	assert_err(hf_fold(x, 4, &n, (const uint8_t *)"a\xff", 2), HF_ERR_FORMAT);
	assert_err(hf_fold(x, 4, &n, (const uint8_t *)"\xe8\x99", 2), HF_ERR_FORMAT);
	assert_err(hf_fold(x, 4, &n, (const uint8_t *)"abcde", 5), HF_ERR_LIMIT);
	assert_int_equal(n, 42);
	assert_ok(hf_fold(x, 4, &n, (const uint8_t *)"abcd", 4));
	assert_int_equal(n, 4);
}

/* No code point has a longer key than the header says. */
static void no_key_is_longer_than_said(void **state)
{
	(void)state;
	for (uint32_t code = 1; code <= 0x10ffff; code++) {
		uint32_t key[HF_FOLD_MAX];
		uint8_t name[4];
		size_t len = 0;
		size_t n = 0;

		if (code >= 0xd800 && code <= 0xdfff)
			continue;
		len = hf_utf8_emit(name, code);
		assert_ok(hf_fold(key, HF_FOLD_MAX, &n, name, len));
		assert_true(n > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(case_and_composition_do_not_count),
		cmocka_unit_test(other_names_stay_apart),
		cmocka_unit_test(refuses_what_is_no_text_or_does_not_fit),
		cmocka_unit_test(no_key_is_longer_than_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
