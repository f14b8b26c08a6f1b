/* SPDX-License-Identifier: Apache-2.0 */
/* Hexadecimal text: whole bytes of hexadecimal digits and nothing else. */
#include "test.h"

#include <stdbool.h>

#include "base/hex.h"

static void refuses_odd_lengths_foreign_characters_and_too_much(void **state)
{
	uint8_t out[4] = { 9, 9, 9, 9 };
	size_t len = 77;

	(void)state;
	assert_err(hf_hex_parse(out, 4, &len, "0", 1), HF_ERR_FORMAT);
	assert_err(hf_hex_parse(out, 4, &len, "000", 3), HF_ERR_FORMAT);
	assert_err(hf_hex_parse(out, 4, &len, "0001020304", 10), HF_ERR_LIMIT);
	assert_err(hf_hex_parse(out, 0, &len, "00", 2), HF_ERR_LIMIT);
	assert_int_equal(len, 77);
	for (unsigned c = 0; c < 256; c++) {
		char text[2] = { '0', (char)c };
		bool is_digit =
			(c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');

		assert_err(hf_hex_parse(out, 4, &len, text, 2), is_digit ? HF_OK : HF_ERR_FORMAT);
		text[1] = text[0];
		text[0] = (char)c;
		assert_err(hf_hex_parse(out, 4, &len, text, 2), is_digit ? HF_OK : HF_ERR_FORMAT);
	}
}

static void every_byte_comes_back_in_either_case(void **state)
{
	(void)state;
	for (unsigned v = 0; v < 256; v++) {
		uint8_t in = (uint8_t)v;
		uint8_t out = 0;
		size_t len = 0;
		char text[3];

		memset(text, 'x', sizeof(text));
		hf_hex_emit(text, &in, 1);
		assert_int_equal(text[2], '\0');
		assert_ok(hf_hex_parse(&out, 1, &len, text, 2));
		assert_true(len == 1 && out == in);
		for (int i = 0; i < 2; i++)
			if (text[i] >= 'a')
				text[i] = (char)(text[i] - 'a' + 'A');
		assert_ok(hf_hex_parse(&out, 1, &len, text, 2));
		assert_int_equal(out, in);
	}
}

static void nothing_is_nothing(void **state)
{
	char text[1] = { 'x' };
	size_t len = 5;

	(void)state;
	hf_hex_emit(text, NULL, 0);
	assert_int_equal(text[0], '\0');
	assert_ok(hf_hex_parse(NULL, 0, &len, "", 0));
	assert_int_equal(len, 0);
}

static void text_may_be_read_over_itself(void **state)
{
	char text[] = "00fF10aB";
	size_t len = 0;

	(void)state;
	assert_ok(hf_hex_parse((uint8_t *)text, 4, &len, text, 8));
	assert_memory_equal(text, "\x00\xff\x10\xab", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_odd_lengths_foreign_characters_and_too_much),
		cmocka_unit_test(every_byte_comes_back_in_either_case),
		cmocka_unit_test(nothing_is_nothing),
		cmocka_unit_test(text_may_be_read_over_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
