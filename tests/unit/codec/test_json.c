/* SPDX-License-Identifier: Apache-2.0 */
/* JSON reader: RFC 8259 and nothing beside it. */
#include "test.h"

#include "codec/json.h"

/* Reads all tokens of a copy of exactly that length; the first failure, or HF_OK at the end. */
static hf_err read_all(const char *text, size_t len, unsigned depth)
{
	uint8_t *copy = malloc(len + (len == 0));
	struct hf_json_token t = { .kind = HF_JSON_NULL };
	struct hf_json j;
	hf_err e;

	memcpy(copy, text, len);
	hf_json_init(&j, copy, len, depth);
	do {
		e = hf_json_next(&j, &t);
	} while (e == HF_OK && t.kind != HF_JSON_END);
	if (e != HF_OK)
		assert_err(hf_json_next(&j, &t), e);
	free(copy);
	return e;
}

static void refuses_what_is_no_json(void **state)
{
	static const char *const bad[] = { "{]", "[}", "[1,]", "{\"a\":1,}", "[,1]", "{,}", "{1:2}",
		"{\"a\" 1}", "{\"a\":}", "[1 2]", "1 2", "01", "-x", "1.x", ".5", "+1", "1ex",
		"nulx", "True", "'a'", "\"\\x\"", "\"\n\"", "\"\\u12g4\"", "\"\\ud800\"",
		"\"\\ud800x\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\xff\"", "\"\xc0\x80\"",
		"\"\xed\xa0\x80\"", "[]]", "{}}", "1,", ",", ":", "/**/1", "[1]x", "\xef\xbb\xbf{}",
		"NaN", "]" };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(bad); i++)
		assert_err(read_all(bad[i], strlen(bad[i]), 8), HF_ERR_FORMAT);
	assert_err(read_all("[\0]", 3, 8), HF_ERR_FORMAT);
}

static void refuses_every_shorter_text(void **state)
{
	const char *text =
		"{\"a\\n\\ud83d\\ude00\":[1.5e-3,true,false,null,\"\xe8\x99\x8e\"],\"b\":{}}";

	(void)state;
	assert_ok(read_all(text, strlen(text), 2));
	for (size_t len = 0; len < strlen(text); len++)
		assert_int_not_equal(read_all(text, len, 2), HF_OK);
	assert_err(read_all("", 0, 2), HF_ERR_TRUNCATED);
	assert_err(read_all("{\"a\"", 4, 2), HF_ERR_TRUNCATED);
	assert_err(read_all("tru", 3, 2), HF_ERR_TRUNCATED);
}

static void refuses_what_is_too_deep(void **state)
{
	char deep[HF_JSON_DEPTH_MAX * 2 + 4];

	(void)state;
	assert_ok(read_all("[[]]", 4, 2));
	assert_err(read_all("[[]]", 4, 1), HF_ERR_LIMIT);
	memset(deep, '[', sizeof(deep));
	assert_err(read_all(deep, sizeof(deep), 1000), HF_ERR_LIMIT);
	memset(deep + HF_JSON_DEPTH_MAX, ']', HF_JSON_DEPTH_MAX);
	assert_ok(read_all(deep, HF_JSON_DEPTH_MAX * 2, HF_JSON_DEPTH_MAX));
}

static struct hf_json_token first(const char *text)
{
	struct hf_json_token t = { .kind = HF_JSON_END };
	struct hf_json j;

	hf_json_init(&j, text, strlen(text), 4);
	assert_ok(hf_json_next(&j, &t));
	return t;
}

static void reads_tokens_in_order(void **state)
{
	static const enum hf_json_kind expected[] = { HF_JSON_OBJECT, HF_JSON_KEY, HF_JSON_ARRAY,
		HF_JSON_NUMBER, HF_JSON_OBJECT, HF_JSON_OBJECT_END, HF_JSON_ARRAY_END, HF_JSON_KEY,
		HF_JSON_STRING, HF_JSON_OBJECT_END, HF_JSON_END, HF_JSON_END };
	const char *text = " { \"a\" : [ 1 , { } ] , \"b\" : \"x\" } ";
	struct hf_json_token t;
	struct hf_json j;

	(void)state;
	hf_json_init(&j, text, strlen(text), 4);
	for (size_t i = 0; i < HF_COUNT(expected); i++) {
		assert_ok(hf_json_next(&j, &t));
		assert_int_equal(t.kind, expected[i]);
	}
}

static void skips_whole_values(void **state)
{
	const char *text = "{\"a\":[1,{\"x\":[]}],\"b\":7}";
	struct hf_json_token t;
	struct hf_json j;

	(void)state;
	hf_json_init(&j, text, strlen(text), 4);
	assert_ok(hf_json_want(&j, &t, HF_JSON_OBJECT));
	assert_ok(hf_json_want(&j, &t, HF_JSON_KEY));
	assert_ok(hf_json_next(&j, &t));
	assert_ok(hf_json_skip(&j, &t));
	assert_ok(hf_json_want(&j, &t, HF_JSON_KEY));
	assert_true(hf_json_is(&t, "b"));
	assert_err(hf_json_want(&j, &t, HF_JSON_STRING), HF_ERR_FORMAT);
	assert_err(hf_json_next(&j, &t), HF_ERR_FORMAT);
}

static void resolves_escapes(void **state)
{
	struct hf_json_token t = first("\"a\\u0041\\n\\\\\\/\\ud83d\\udc2f\"");
	char out[16];
	size_t len = 0;

	(void)state;
	assert_ok(hf_json_text(out, sizeof(out), &len, &t));
	assert_string_equal(out, "aA\n\\/\xf0\x9f\x90\xaf");
	assert_int_equal(len, 9);
	assert_true(hf_json_is(&t, "aA\n\\/\xf0\x9f\x90\xaf"));
	assert_false(hf_json_is(&t, "aA\n\\/"));
	assert_false(hf_json_is(&t, "aA\n\\/\xf0\x9f\x90\xafx"));
	assert_err(hf_json_text(out, 9, NULL, &t), HF_ERR_LIMIT);
	assert_string_equal(out, "");
	assert_ok(hf_json_text(out, 10, NULL, &t));
	t = first("\"a\\u0000\"");
	assert_err(hf_json_text(out, sizeof(out), NULL, &t), HF_ERR_FORMAT);
	t = first("1");
	assert_err(hf_json_text(out, sizeof(out), NULL, &t), HF_ERR_FORMAT);
}

static void numbers_keep_their_range(void **state)
{
	struct hf_json_token t = first("18446744073709551615");
	uint64_t u = 0;
	int64_t i = 0;

	(void)state;
	assert_ok(hf_json_u64(&u, &t));
	assert_true(u == UINT64_MAX);
	assert_err(hf_json_i64(&i, &t), HF_ERR_LIMIT);
	t = first("18446744073709551616");
	assert_err(hf_json_u64(&u, &t), HF_ERR_LIMIT);
	t = first("-9223372036854775808");
	assert_ok(hf_json_i64(&i, &t));
	assert_true(i == INT64_MIN);
	assert_err(hf_json_u64(&u, &t), HF_ERR_LIMIT);
	t = first("-9223372036854775809");
	assert_err(hf_json_i64(&i, &t), HF_ERR_LIMIT);
	t = first("1.0");
	assert_err(hf_json_u64(&u, &t), HF_ERR_FORMAT);
	t = first("1e3");
	assert_err(hf_json_u64(&u, &t), HF_ERR_FORMAT);
	t = first("\"1\"");
	assert_err(hf_json_u64(&u, &t), HF_ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_is_no_json),
		cmocka_unit_test(refuses_every_shorter_text),
		cmocka_unit_test(refuses_what_is_too_deep),
		cmocka_unit_test(reads_tokens_in_order),
		cmocka_unit_test(skips_whole_values),
		cmocka_unit_test(resolves_escapes),
		cmocka_unit_test(numbers_keep_their_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
