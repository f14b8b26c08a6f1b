/* SPDX-License-Identifier: Apache-2.0 */
/* Names as text are harmless and cut; names as DER have one form. */
#include "test.h"

#include "pki/name.h"

static struct hf_bytes emit(uint8_t out[1024], const char *c, const char *o, const char *cn)
{
	struct hf_writer w = { .p = out, .cap = 1024 };

	hf_name_emit(&w, c, o, cn);
	assert_ok(hf_wr_done(&w));
	return (struct hf_bytes){ out, w.len };
}

static void text_is_printable_and_cut(void **state)
{
	char text[HF_NAME_TEXT];
	char long_cn[301];
	uint8_t der[1024];

	(void)state;
	hf_name_text(text, emit(der, "CN", "a\nb\x1b[1m", "\xe8\x99\x8e"));
	assert_string_equal(text, "C=CN, O=a?b?[1m, CN=???");
	memset(long_cn, 'x', 300);
	long_cn[300] = '\0';
	hf_name_text(text, emit(der, NULL, NULL, long_cn));
	assert_int_equal(strlen(text), HF_NAME_TEXT - 1);
	hf_name_text(text, (struct hf_bytes){ (const uint8_t *)"\x30\x05xx", 4 });
	assert_string_equal(text, "(no name)");
}

static void refuses_names_that_are_none(void **state)
{
	uint8_t der[1024];
	char long_cn[600];
	struct hf_bytes name = emit(der, "CN", "Example", "x");

	(void)state;
	assert_true(hf_name_is_valid(name));
	for (size_t len = 0; len < name.len; len++)
		assert_false(hf_name_is_valid((struct hf_bytes){ der, len }));
	der[0] = 0x31;
	assert_false(hf_name_is_valid(name));
	der[0] = 0x30;
	der[2] = 0x30;
	assert_false(hf_name_is_valid(name));
	memset(long_cn, 'x', sizeof(long_cn) - 1);
	long_cn[sizeof(long_cn) - 1] = '\0';
	assert_false(hf_name_is_valid(emit(der, NULL, NULL, long_cn)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_printable_and_cut),
		cmocka_unit_test(refuses_names_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
