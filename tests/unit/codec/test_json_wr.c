/* SPDX-License-Identifier: Apache-2.0 */
/* JSON writer: what it writes is JSON, and calls in no order are refused. */
#include "test.h"

#include "codec/json_wr.h"

static void refuses_calls_in_no_order(void **state)
{
	struct hf_buf b;
	struct hf_json_wr j;

	(void)state;
	hf_buf_init(&b, &test_mem, 1000);
	j = hf_json_wr(&b);
	assert_err(hf_json_wr_done(&j), HF_ERR_STATE);
	hf_json_wr_key(&j, "a");
	assert_err(hf_json_wr_done(&j), HF_ERR_STATE);
	j = hf_json_wr(&b);
	hf_json_wr_object(&j);
	assert_err(hf_json_wr_done(&j), HF_ERR_STATE);
	hf_json_wr_u64(&j, 1);
	assert_err(j.err, HF_ERR_STATE);
	j = hf_json_wr(&b);
	hf_json_wr_object(&j);
	hf_json_wr_key(&j, "a");
	hf_json_wr_end(&j);
	assert_err(j.err, HF_ERR_STATE);
	j = hf_json_wr(&b);
	hf_json_wr_null(&j);
	assert_ok(hf_json_wr_done(&j));
	hf_json_wr_null(&j);
	assert_err(hf_json_wr_done(&j), HF_ERR_STATE);
	hf_buf_clear(&b);
}

static void stops_at_the_limit_of_the_buffer(void **state)
{
	struct hf_buf b;
	struct hf_json_wr j;

	(void)state;
	hf_buf_init(&b, &test_mem, 4);
	j = hf_json_wr(&b);
	hf_json_wr_str(&j, "abc");
	assert_err(hf_json_wr_done(&j), HF_ERR_LIMIT);
	hf_buf_clear(&b);
}

static void writes_json(void **state)
{
	static const char expected[] =
		"{\"a\":[1,-2,true,null,\"q\\\"\\\\\\u000a\xe8\x99\x8e\xef\xbf\xbd\"],\"b\":{},"
		"\"c\":"
		"\"00ff\",\"d\":[]}";
	const uint8_t bytes[2] = { 0, 0xff };
	struct hf_buf b;
	struct hf_json_wr j;

	(void)state;
	hf_buf_init(&b, &test_mem, 1000);
	j = hf_json_wr(&b);
	hf_json_wr_object(&j);
	hf_json_wr_key(&j, "a");
	hf_json_wr_array(&j);
	hf_json_wr_u64(&j, 1);
	hf_json_wr_i64(&j, -2);
	hf_json_wr_bool(&j, true);
	hf_json_wr_str(&j, NULL);
	hf_json_wr_str(&j, "q\"\\\n\xe8\x99\x8e\xff");
	hf_json_wr_end(&j);
	hf_json_wr_key(&j, "b");
	hf_json_wr_object(&j);
	hf_json_wr_end(&j);
	hf_json_wr_key(&j, "c");
	hf_json_wr_hex(&j, bytes, sizeof(bytes));
	hf_json_wr_key(&j, "d");
	hf_json_wr_array(&j);
	hf_json_wr_end(&j);
	hf_json_wr_end(&j);
	assert_ok(hf_json_wr_done(&j));
	assert_int_equal(b.len, sizeof(expected) - 1);
	assert_memory_equal(b.p, expected, b.len);
	hf_buf_clear(&b);
}

static void writes_numbers_with_decimals(void **state)
{
	struct hf_buf b;
	struct hf_json_wr j;

	(void)state;
	hf_buf_init(&b, &test_mem, 1000);
	j = hf_json_wr(&b);
	hf_json_wr_array(&j);
	hf_json_wr_fixed(&j, 1000042, 6);
	hf_json_wr_fixed(&j, 7, 1);
	hf_json_wr_fixed(&j, 7, 0);
	hf_json_wr_fixed(&j, UINT64_MAX, 18);
	hf_json_wr_end(&j);
	assert_ok(hf_json_wr_done(&j));
	assert_int_equal(b.len, strlen("[1.000042,0.7,7,18.446744073709551615]"));
	assert_memory_equal(b.p, "[1.000042,0.7,7,18.446744073709551615]", b.len);
	hf_buf_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_calls_in_no_order),
		cmocka_unit_test(stops_at_the_limit_of_the_buffer),
		cmocka_unit_test(writes_json),
		cmocka_unit_test(writes_numbers_with_decimals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
