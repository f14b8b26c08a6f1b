/* SPDX-License-Identifier: Apache-2.0 */
/* A token is good for the hub that made it, until it ends, unaltered. */
#include "test.h"

#include "crypto/module.h"
#include "keys/token.h"

static const uint8_t token_key[HF_KEY_SEED_LEN] = { 3, 1, 4 };

static int start(void **state)
{
	(void)state;
	return hf_module_start(0) == HF_OK ? 0 : -1;
}

static void make(char text[HF_TOKEN_TEXT_MAX])
{
	struct hf_token t = {
		.id = { 1 }, .device = "press-7", .role = "device", .level = 2, .not_after = 1000
	};

	t.root_ca[5] = 5;
	assert_ok(hf_token_emit(text, &t, token_key));
}

static void a_device_reads_it_and_the_hub_checks_it(void **state)
{
	char text[HF_TOKEN_TEXT_MAX];
	struct hf_token t = { 0 };

	(void)state;
	make(text);
	assert_ok(hf_token_parse(&t, text, strlen(text)));
	assert_string_equal(t.device, "press-7");
	assert_int_equal(t.root_ca[5], 5);
	assert_ok(hf_token_check(&t, text, strlen(text), token_key, 1000));
	assert_int_equal(t.level, 2);
}

static void refuses_an_expired_one_and_one_of_another_hub(void **state)
{
	char text[HF_TOKEN_TEXT_MAX];
	uint8_t other[HF_KEY_SEED_LEN] = { 3, 1, 5 };
	struct hf_token t = { .level = 42 };

	(void)state;
	make(text);
	assert_err(hf_token_check(&t, text, strlen(text), token_key, 1001), HF_ERR_EXPIRED);
	assert_err(hf_token_check(&t, text, strlen(text), other, 1), HF_ERR_AUTH);
	assert_int_equal(t.level, 42);
}

static void refuses_every_altered_character_and_every_cut(void **state)
{
	char text[HF_TOKEN_TEXT_MAX];
	struct hf_token t = { 0 };
	size_t len;

	(void)state;
	make(text);
	len = strlen(text);
	for (size_t i = 0; i < len; i++) {
		char was = text[i];

		text[i] = was == '1' ? '2' : '1';
		assert_int_not_equal(hf_token_check(&t, text, len, token_key, 1), HF_OK);
		text[i] = was;
		assert_int_not_equal(hf_token_check(&t, text, i, token_key, 1), HF_OK);
	}
}

static void refuses_names_that_could_be_mistaken(void **state)
{
	(void)state;
	assert_true(hf_device_name_is_valid("edge-1.site-2"));
	assert_false(hf_device_name_is_valid(""));
	assert_false(hf_device_name_is_valid("-edge"));
	assert_false(hf_device_name_is_valid("Edge"));
	assert_false(hf_device_name_is_valid("a/b"));
	assert_false(hf_device_name_is_valid("a b"));
	assert_false(hf_device_name_is_valid(
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_reads_it_and_the_hub_checks_it),
		cmocka_unit_test(refuses_an_expired_one_and_one_of_another_hub),
		cmocka_unit_test(refuses_every_altered_character_and_every_cut),
		cmocka_unit_test(refuses_names_that_could_be_mistaken),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
