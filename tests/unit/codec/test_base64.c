/* SPDX-License-Identifier: Apache-2.0 */
/* Base64: the vectors of RFC 4648 10, and everything that is not the one form refused. */
#include "test.h"

#include "codec/base64.h"

static hf_err parse(const char *text, enum hf_base64 alphabet)
{
	uint8_t out[32] = { 0 };
	size_t len = 77;
	hf_err e = hf_base64_parse(out, sizeof(out), &len, text, strlen(text), alphabet);

	if (e != HF_OK) {
		assert_int_equal(len, 77);
		for (size_t i = 0; i < sizeof(out); i++)
			assert_int_equal(out[i], 0);
	}
	return e;
}

static void refuses_every_other_form(void **state)
{
	static const char *const bad[] = { "Z", "Zg",
		"Zg=", "Zg===", "=Zg=", "Zh==", "Zm9=", "Zm 9", "Zm9v\n", "Zm9-", "Zm9_",
		"====", "Zg==Zg==", "Zm9v=", "Zm9\x80", "Zm9," };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(bad); i++)
		assert_err(parse(bad[i], HF_BASE64_STD), HF_ERR_FORMAT);
	assert_err(parse("Zg==", HF_BASE64_URL), HF_ERR_FORMAT);
	assert_err(parse("Zh", HF_BASE64_URL), HF_ERR_FORMAT);
	assert_err(parse("Zm9v+", HF_BASE64_URL), HF_ERR_FORMAT);
	assert_err(parse("Z/9v", HF_BASE64_URL), HF_ERR_FORMAT);
}

static void refuses_more_than_the_room(void **state)
{
	uint8_t out[5];
	size_t len = 0;

	(void)state;
	assert_err(hf_base64_parse(out, 5, &len, "Zm9vYmFy", 8, HF_BASE64_STD), HF_ERR_LIMIT);
	assert_ok(hf_base64_parse(out, 5, &len, "Zm9vYmE=", 8, HF_BASE64_STD));
	assert_int_equal(len, 5);
}

static void agrees_with_rfc_4648(void **state)
{
	static const char *const texts[] = { "", "Zg==", "Zm8=", "Zm9v",
		"Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy" };

	(void)state;
	for (size_t n = 0; n < HF_COUNT(texts); n++) {
		uint8_t out[8];
		char text[8];
		size_t len = 0;

		assert_int_equal(hf_base64_emit(text, (const uint8_t *)"foobar", n, HF_BASE64_STD),
			strlen(texts[n]));
		assert_memory_equal(text, texts[n], strlen(texts[n]));
		assert_ok(hf_base64_parse(out, n, &len, texts[n], strlen(texts[n]), HF_BASE64_STD));
		assert_int_equal(len, n);
		assert_memory_equal(out, "foobar", n);
	}
}

static void bytes_come_back_in_both_alphabets(void **state)
{
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 3);

	(void)state;
	for (size_t len = 0; len < 200; len++) {
		uint8_t in[200];
		uint8_t out[200];
		char text[HF_BASE64_LEN(200)];
		size_t back = 0;

		assert_ok(hf_rng_fill(&rng, in, len));
		for (int a = HF_BASE64_STD; a <= HF_BASE64_URL; a++) {
			size_t n = hf_base64_emit(text, in, len, (enum hf_base64)a);

			assert_ok(hf_base64_parse(out, len, &back, text, n, (enum hf_base64)a));
			assert_int_equal(back, len);
			assert_memory_equal(in, out, len);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_every_other_form),
		cmocka_unit_test(refuses_more_than_the_room),
		cmocka_unit_test(agrees_with_rfc_4648),
		cmocka_unit_test(bytes_come_back_in_both_alphabets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
