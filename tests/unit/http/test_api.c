/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "http/api.h"

static hf_err answer(unsigned status, const char *body, struct hf_errinfo *ei)
{
	*ei = (struct hf_errinfo){ .code = HF_OK };
	return hf_api_answer(status, (const uint8_t *)body, strlen(body), ei);
}

static void success_says_nothing(void **state)
{
	struct hf_errinfo ei;

	(void)state;
	assert_ok(answer(200, "{\"code\":1025,\"text\":\"no\"}", &ei));
	assert_ok(answer(201, "", &ei));
	assert_ok(answer(204, "x", &ei));
	assert_ok(ei.code);
}

static void a_failure_has_its_exact_code_and_text(void **state)
{
	struct hf_errinfo ei;

	(void)state;
	assert_err(answer(409,
			   "{\"error\":\"rollback\",\"more\":[1,{\"a\":2}],\"code\":1027,"
			   "\"text\":\"release 3 is below 5\"}",
			   &ei),
		HF_ERR_ROLLBACK);
	assert_int_equal(ei.code, HF_ERR_ROLLBACK);
	assert_string_equal(ei.text, "release 3 is below 5");
	assert_err(
		hf_api_answer(409, (const uint8_t *)"{\"code\":1027}", 13, NULL), HF_ERR_ROLLBACK);
}

static void a_body_that_is_no_error_leaves_the_status(void **state)
{
	static const char *const bodies[] = { "", "{", "[]", "{}", "{\"code\":0}", "{\"code\":1}",
		"{\"code\":\"x\"}", "{\"code\":1027", "{\"code\":1027} x", "<html>",
		"{\"code\":99999999999999999999}" };
	struct hf_errinfo ei;

	(void)state;
	for (size_t i = 0; i < HF_COUNT(bodies); i++)
		assert_err(answer(403, bodies[i], &ei), HF_ERR_DENIED);
	assert_err(answer(200 + 400, "", &ei), HF_ERR_NET);
	assert_non_null(strstr(ei.text, "600"));
}

static void words_of_the_peer_are_printable_and_cut(void **state)
{
	char body[1200] = "{\"text\":\"";
	struct hf_errinfo ei;

	(void)state;
	assert_err(answer(403, "{\"text\":\"a\\n\\u001b[31mb\\u007f\"}", &ei), HF_ERR_DENIED);
	assert_string_equal(ei.text, "a  [31mb ");
	memset(body + 9, 'x', 400);
	memcpy(body + 409, "\"}", 3);
	assert_err(answer(403, body, &ei), HF_ERR_DENIED);
	assert_int_equal(strlen(ei.text), HF_ERRINFO_TEXT - 1);
	memset(body + 9, 'x', 1100);
	memcpy(body + 1109, "\"}", 3);
	assert_err(answer(403, body, &ei), HF_ERR_DENIED);
	assert_string_equal(ei.text, hf_err_text(HF_ERR_DENIED));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(success_says_nothing),
		cmocka_unit_test(a_failure_has_its_exact_code_and_text),
		cmocka_unit_test(a_body_that_is_no_error_leaves_the_status),
		cmocka_unit_test(words_of_the_peer_are_printable_and_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
