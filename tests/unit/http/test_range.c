/* SPDX-License-Identifier: Apache-2.0 */
/* Byte ranges: one closed range is read, everything else is refused. */
#include "test.h"

#include "http/range.h"

static hf_err parse(struct hf_range *r, const char *text)
{
	size_t len = strlen(text);
	char *exact = malloc(len + (len == 0));
	hf_err e;

	assert_non_null(exact);
	memcpy(exact, text, len);
	e = hf_range_parse(r, exact, len);
	free(exact);
	return e;
}

static hf_err parse_answer(struct hf_range *r, const char *text)
{
	size_t len = strlen(text);
	char *exact = malloc(len + (len == 0));
	hf_err e;

	assert_non_null(exact);
	memcpy(exact, text, len);
	e = hf_range_answer_parse(r, exact, len);
	free(exact);
	return e;
}

static void refuses_what_is_no_single_closed_range(void **state)
{
	static const char *const bad[] = { "", "bytes", "bytes=", "bytes=x-1", "bytes=1",
		"bytes=2-1", "bytes= 1-2", "bytes=1 -2", "bytes=1-2 ", "bytes=+1-2", "bytes=01-2",
		"bytes=1-02", "bytes=1-18446744073709551616", "bytes=99999999999999999999-1",
		"Bytes=1-2", "items=1-2", "bytes=1-2x", "bytes:1-2", "bytes=0x1-2" };
	static const char *const other[] = { "bytes=1-", "bytes=-5", "bytes=1-2,4-5" };
	struct hf_range r = { .first = 42 };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(bad); i++)
		assert_err(parse(&r, bad[i]), HF_ERR_FORMAT);
	for (size_t i = 0; i < HF_COUNT(other); i++)
		assert_err(parse(&r, other[i]), HF_ERR_UNSUPPORTED);
	assert_int_equal(r.first, 42);
}

static void refuses_an_answer_that_does_not_add_up(void **state)
{
	static const char *const bad[] = { "", "bytes", "bytes 0-1", "bytes 0-1/", "bytes 0-1/*",
		"bytes */5", "bytes 0-1/1", "bytes 2-1/5", "bytes=0-1/5", "bytes 0-1/5 ",
		"bytes 0-1/05", "bytes  0-1/5",
		"bytes 0-18446744073709551615/18446744073709551615" };
	struct hf_range r = { .first = 42 };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(bad); i++)
		assert_err(parse_answer(&r, bad[i]), HF_ERR_FORMAT);
	assert_int_equal(r.first, 42);
}

static void reads_back_what_it_writes(void **state)
{
	static const uint64_t ends[] = { 0, 1, 9, 10, 4294967295, 4294967296, UINT64_MAX - 1 };
	char text[HF_RANGE_TEXT];

	(void)state;
	for (size_t i = 0; i < HF_COUNT(ends); i++)
		for (size_t k = i; k < HF_COUNT(ends); k++) {
			const struct hf_range in = { ends[i], ends[k], ends[k] + 1 };
			struct hf_range out = { 0 };

			hf_range_emit(text, &in);
			assert_ok(parse(&out, text));
			assert_int_equal(out.first, in.first);
			assert_int_equal(out.last, in.last);
			assert_int_equal(out.total, 0);
			hf_range_answer_emit(text, &in);
			assert_ok(parse_answer(&out, text));
			assert_int_equal(out.first, in.first);
			assert_int_equal(out.last, in.last);
			assert_int_equal(out.total, in.total);
		}
}

static void refuses_every_shorter_text_but_a_shorter_number(void **state)
{
	const char *text = "bytes=12-345";
	struct hf_range r = { 0 };

	(void)state;
	for (size_t len = 0; len < strlen(text) - 1; len++) {
		hf_err e = hf_range_parse(&r, text, len);

		if (e == HF_OK)
			assert_true(len > strlen("bytes=12-") && r.last < 345);
	}
	assert_ok(hf_range_parse(&r, text, strlen(text)));
	assert_int_equal(r.last, 345);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_is_no_single_closed_range),
		cmocka_unit_test(refuses_an_answer_that_does_not_add_up),
		cmocka_unit_test(reads_back_what_it_writes),
		cmocka_unit_test(refuses_every_shorter_text_but_a_shorter_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
