/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "audit/event.h"
#include "audit/record.h"
#include "base/buf.h"
#include "base/endian.h"

static struct hf_audit_record sample(uint8_t *attrs, size_t cap)
{
	struct hf_audit_record r = {
		.class_id = 'A',
		.event = HF_EV_MODEL_OPEN,
		.severity = 9,
		.seq = 918273,
		.time_ns = 1763885702123456789u,
		.boot_ns = 81234567890123u,
		.clock_error_us = 420,
		.boot_no = 3,
		.level = 2,
		.tier = 3,
		.hlc = 0x0193000000000001u,
		.session_id = 7,
		.actor = 1,
		.subject = 2,
		.reason = HF_ERR_ROLLBACK,
	};
	uint8_t bytes[8];
	struct hf_audit_attr model = { HF_ATTR_MODEL, (const uint8_t *)"di\"gits", 7 };
	struct hf_audit_attr count = { HF_ATTR_BYTES, bytes, 8 };

	hf_put_be64(bytes, 1u << 20);
	assert_ok(hf_audit_attr_put(attrs, cap, &r.attrs_len, &model));
	assert_ok(hf_audit_attr_put(attrs, cap, &r.attrs_len, &count));
	r.attrs = attrs;
	return r;
}

static void reads_back_what_it_wrote(void **state)
{
	uint8_t attrs[64];
	uint8_t bytes[256];
	uint8_t again[256];
	size_t len = 0;
	size_t again_len = 0;
	struct hf_audit_record r = sample(attrs, sizeof(attrs));
	struct hf_audit_record got = { 0 };

	(void)state;
	assert_ok(hf_audit_record_emit(bytes, sizeof(bytes), &len, &r));
	assert_int_equal(len, HF_RECORD_FIXED_LEN + r.attrs_len);
	assert_ok(hf_audit_record_parse(&got, bytes, len));
	assert_int_equal(got.seq, r.seq);
	assert_int_equal(got.reason, HF_ERR_ROLLBACK);
	assert_ok(hf_audit_record_emit(again, sizeof(again), &again_len, &got));
	assert_int_equal(again_len, len);
	assert_memory_equal(again, bytes, len);
}

static void refuses_every_truncation_and_trailing_bytes(void **state)
{
	uint8_t attrs[64];
	uint8_t bytes[256];
	size_t len = 0;
	struct hf_audit_record r = sample(attrs, sizeof(attrs));
	struct hf_audit_record got = { .seq = 42 };

	(void)state;
	assert_ok(hf_audit_record_emit(bytes, sizeof(bytes), &len, &r));
	for (size_t n = 0; n < len; n++) {
		uint8_t *cut = malloc(n + (n == 0));

		memcpy(cut, bytes, n);
		assert_int_not_equal(hf_audit_record_parse(&got, cut, n), HF_OK);
		free(cut);
	}
	bytes[len] = 0;
	assert_err(hf_audit_record_parse(&got, bytes, len + 1), HF_ERR_FORMAT);
	assert_int_equal(got.seq, 42);
}

static void refuses_an_attribute_longer_than_the_record(void **state)
{
	uint8_t attrs[64];
	uint8_t bytes[256];
	size_t len = 0;
	struct hf_audit_record r = sample(attrs, sizeof(attrs));

	(void)state;
	assert_ok(hf_audit_record_emit(bytes, sizeof(bytes), &len, &r));
	bytes[HF_RECORD_FIXED_LEN + 3]++;
	assert_int_not_equal(hf_audit_record_parse(&r, bytes, len), HF_OK);
}

static void refuses_another_version(void **state)
{
	uint8_t attrs[64];
	uint8_t bytes[256];
	size_t len = 0;
	struct hf_audit_record r = sample(attrs, sizeof(attrs));

	(void)state;
	assert_ok(hf_audit_record_emit(bytes, sizeof(bytes), &len, &r));
	bytes[2] = 2;
	assert_err(hf_audit_record_parse(&r, bytes, len), HF_ERR_UNSUPPORTED);
}

static void refuses_more_attributes_than_there_may_be(void **state)
{
	uint8_t attrs[4 * (HF_RECORD_ATTRS_MAX + 1)];
	uint8_t bytes[512];
	size_t len = 0;
	struct hf_audit_attr a = { .type = 99 };
	struct hf_audit_record r = { .class_id = 'A', .attrs = attrs };

	(void)state;
	for (unsigned i = 0; i < HF_RECORD_ATTRS_MAX; i++)
		assert_ok(hf_audit_attr_put(attrs, sizeof(attrs), &r.attrs_len, &a));
	assert_ok(hf_audit_record_emit(bytes, sizeof(bytes), &len, &r));
	assert_ok(hf_audit_record_parse(&r, bytes, len));
	r.attrs = attrs;
	assert_ok(hf_audit_attr_put(attrs, sizeof(attrs), &r.attrs_len, &a));
	assert_err(hf_audit_attr_put(attrs, sizeof(attrs), &r.attrs_len, &a), HF_ERR_LIMIT);
	assert_ok(hf_audit_record_emit(bytes, sizeof(bytes), &len, &r));
	assert_err(hf_audit_record_parse(&r, bytes, len), HF_ERR_LIMIT);
}

static void writes_one_escaped_line_of_json(void **state)
{
	uint8_t attrs[64];
	struct hf_audit_record r = sample(attrs, sizeof(attrs));
	struct hf_buf out;

	(void)state;
	hf_buf_init(&out, &test_mem, 4096);
	assert_ok(hf_audit_record_json(&out, &r, "edge-07", "dev\n1", NULL));
	assert_ok(hf_buf_put(&out, "", 1));
	assert_string_equal((const char *)out.p,
		"{\"v\":1,\"log\":\"edge-07\",\"seq\":918273,"
		"\"time\":\"2025-11-23T08:15:02.123456789Z\",\"clk_err_us\":420,"
		"\"observed_boot_ns\":81234567890123,\"hlc\":\"0193000000000001\","
		"\"event\":\"model.open\",\"event_id\":2312,\"class\":\"A\",\"result\":\"ok\","
		"\"severity\":9,\"level\":2,\"tier\":3,"
		"\"trace_id\":\"00000000000000000000000000000000\","
		"\"session\":\"0000000000000007\",\"actor\":\"dev\\u000a1\",\"subject\":2,"
		"\"reason\":\"rollback\",\"attr\":{\"model\":\"di\\u0022gits\",\"bytes\":1048576}}"
		"\n");
	hf_buf_clear(&out);
}

static void event_numbers_are_unique_and_known(void **state)
{
	static const uint16_t numbers[] = {
#define NUMBER(name, number, class_, severity, text) (number),
		HF_AUDIT_EVENTS(NUMBER)
#undef NUMBER
	};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		assert_non_null(hf_audit_event(numbers[i]));
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(numbers[i], numbers[j]);
	}
	assert_null(hf_audit_event(0));
	assert_null(hf_audit_event(0xffff));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_back_what_it_wrote),
		cmocka_unit_test(refuses_every_truncation_and_trailing_bytes),
		cmocka_unit_test(refuses_an_attribute_longer_than_the_record),
		cmocka_unit_test(refuses_another_version),
		cmocka_unit_test(refuses_more_attributes_than_there_may_be),
		cmocka_unit_test(writes_one_escaped_line_of_json),
		cmocka_unit_test(event_numbers_are_unique_and_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
