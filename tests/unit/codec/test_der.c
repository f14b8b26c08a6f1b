/* SPDX-License-Identifier: Apache-2.0 */
/* DER: one form is accepted for each value, every other one is refused. */
#include "test.h"

#include "base/hex.h"
#include "codec/der.h"

/* The reader over a fresh allocation of exactly the bytes. */
struct input {
	uint8_t *p;
	struct hf_der d;
};

static struct input over(const char *hex)
{
	struct input in;
	size_t len;

	in.p = test_hex(hex, &len);
	in.d = hf_der_over(in.p, len);
	return in;
}

static hf_err done(struct input *in)
{
	hf_err e = hf_der_done(&in->d);

	free(in->p);
	return e;
}

#define REFUSES(hex, expected, read) \
	do { \
		struct input in_ = over(hex); \
		(void)read(&in_.d); \
		assert_err(done(&in_), expected); \
	} while (0)

static struct hf_bytes any_element(struct hf_der *d)
{
	uint8_t tag;

	return hf_der_any(d, &tag);
}

static void refuses_lengths_that_are_not_minimal_definite_or_there(void **state)
{
	(void)state;
	REFUSES("", HF_ERR_TRUNCATED, any_element);
	REFUSES("04", HF_ERR_TRUNCATED, any_element);
	REFUSES("0401", HF_ERR_TRUNCATED, any_element);
	REFUSES("0480", HF_ERR_FORMAT, any_element);
	REFUSES("048100", HF_ERR_FORMAT, any_element);
	REFUSES("04810161", HF_ERR_FORMAT, any_element);
	REFUSES("0482007f", HF_ERR_FORMAT, any_element);
	REFUSES("048500000000010000", HF_ERR_FORMAT, any_element);
	REFUSES("0484ffffffff", HF_ERR_TRUNCATED, any_element);
	REFUSES("0482", HF_ERR_TRUNCATED, any_element);
	REFUSES("1f0100", HF_ERR_FORMAT, any_element);
	REFUSES("040161ff", HF_ERR_FORMAT, any_element);
}

static void refuses_integers_that_are_empty_negative_padded_or_too_long(void **state)
{
	(void)state;
	REFUSES("0200", HF_ERR_FORMAT, hf_der_u64);
	REFUSES("020180", HF_ERR_FORMAT, hf_der_u64);
	REFUSES("0201ff", HF_ERR_FORMAT, hf_der_u64);
	REFUSES("02020001", HF_ERR_FORMAT, hf_der_u64);
	REFUSES("0209010000000000000000", HF_ERR_FORMAT, hf_der_u64);
	REFUSES("020a00010000000000000000", HF_ERR_FORMAT, hf_der_u64);
	REFUSES("030100", HF_ERR_FORMAT, hf_der_u64);
}

static void refuses_other_forms_of_simple_values(void **state)
{
	(void)state;
	REFUSES("010101", HF_ERR_FORMAT, hf_der_bool);
	REFUSES("0100", HF_ERR_FORMAT, hf_der_bool);
	REFUSES("01020000", HF_ERR_FORMAT, hf_der_bool);
	REFUSES("0600", HF_ERR_FORMAT, hf_der_oid);
	REFUSES("06022a80", HF_ERR_FORMAT, hf_der_oid);
	REFUSES("06032a8001", HF_ERR_FORMAT, hf_der_oid);
	REFUSES("0300", HF_ERR_FORMAT, hf_der_bits);
	REFUSES("030201f0", HF_ERR_FORMAT, hf_der_bits);
	REFUSES("030108", HF_ERR_FORMAT, hf_der_named_bits);
	REFUSES("030107", HF_ERR_FORMAT, hf_der_named_bits);
	REFUSES("03020780ff", HF_ERR_FORMAT, hf_der_named_bits);
	REFUSES("03020700", HF_ERR_FORMAT, hf_der_named_bits);
	REFUSES("03020680", HF_ERR_FORMAT, hf_der_named_bits);
	REFUSES("030207c0", HF_ERR_FORMAT, hf_der_named_bits);
	REFUSES("0c01ff", HF_ERR_FORMAT, hf_der_utf8);
	REFUSES("0c0100", HF_ERR_FORMAT, hf_der_utf8);
	REFUSES("0c03eda080", HF_ERR_FORMAT, hf_der_utf8);
}

static void named_bits_count_from_the_first_bit(void **state)
{
	struct input in = over("0302078003020106030207800303078080");

	(void)state;
	assert_int_equal(hf_der_named_bits(&in.d), 1);
	assert_int_equal(hf_der_named_bits(&in.d), 1 << 5 | 1 << 6);
	assert_int_equal(hf_der_named_bits(&in.d), 1);
	assert_int_equal(hf_der_named_bits(&in.d), 1 | 1 << 8);
	assert_ok(done(&in));
}

static void put_and_read_u64(uint64_t v)
{
	uint8_t out[16];
	struct hf_writer w = { .p = out, .cap = sizeof(out) };
	struct hf_der d;

	hf_der_put_u64(&w, v);
	assert_ok(hf_wr_done(&w));
	d = hf_der_over(out, w.len);
	assert_true(hf_der_u64(&d) == v);
	assert_ok(hf_der_done(&d));
}

static void integers_come_back(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 64; i++) {
		put_and_read_u64(UINT64_C(1) << i);
		put_and_read_u64((UINT64_C(1) << i) - 1);
	}
	put_and_read_u64(UINT64_MAX);
}

static uint64_t read_time(const char *text, uint8_t tag, hf_err expected)
{
	uint8_t out[32];
	struct hf_writer w = { .p = out, .cap = sizeof(out) };
	struct hf_der d;
	uint64_t t;

	hf_der_put(&w, tag, text, strlen(text));
	d = hf_der_over(out, w.len);
	t = hf_der_time(&d);
	assert_err(hf_der_done(&d), expected);
	return t;
}

static void reads_times_as_rfc_5280_writes_them(void **state)
{
	(void)state;
	assert_true(read_time("700101000000Z", HF_DER_UTC_TIME, HF_OK) == 0);
	assert_true(read_time("000229120000Z", HF_DER_UTC_TIME, HF_OK) == 951825600);
	assert_true(read_time("491231235959Z", HF_DER_UTC_TIME, HF_OK) == 2524607999);
	assert_true(read_time("20500101000000Z", HF_DER_TIME, HF_OK) == 2524608000);
	assert_true(read_time("20240229000000Z", HF_DER_TIME, HF_OK) == 1709164800);
	assert_true(read_time("99991231235959Z", HF_DER_TIME, HF_OK) == 253402300799);
}

static void refuses_times_that_are_none(void **state)
{
	static const char *const bad[] = { "19691231235959Z", "20230229000000Z", "20241301000000Z",
		"20240001000000Z", "20240100000000Z", "20240101240000Z", "20240101006000Z",
		"20240101000060Z", "20240101000000", "202401010000Z", "20240101000000+",
		"20240101000000.5Z", "2024010100000aZ", "21000229000000Z" };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(bad); i++)
		(void)read_time(bad[i], HF_DER_TIME, HF_ERR_FORMAT);
	(void)read_time("500101000000Z", HF_DER_UTC_TIME, HF_ERR_FORMAT);
	(void)read_time("7001010000Z", HF_DER_UTC_TIME, HF_ERR_FORMAT);
	(void)read_time("700101000000Z", HF_DER_TIME, HF_ERR_FORMAT);
}

static void times_come_back(void **state)
{
	struct test_rng r;

	(void)state;
	(void)test_rng(&r, 7);
	for (int i = 0; i < 2000; i++) {
		uint64_t t = test_rng_below(&r, UINT64_C(253402300800));
		uint8_t out[20];
		struct hf_writer w = { .p = out, .cap = sizeof(out) };
		struct hf_der d;

		if (i % 2 == 0)
			t %= UINT64_C(4102444800);
		hf_der_put_time(&w, t);
		assert_ok(hf_wr_done(&w));
		d = hf_der_over(out, w.len);
		assert_true(hf_der_time(&d) == t);
		assert_ok(hf_der_done(&d));
	}
}

static void the_year_10000_does_not_fit(void **state)
{
	uint8_t out[20];
	struct hf_writer w = { .p = out, .cap = sizeof(out) };

	(void)state;
	hf_der_put_time(&w, UINT64_C(253402300800));
	assert_err(hf_wr_done(&w), HF_ERR_LIMIT);
}

static void writes_every_length_in_its_shortest_form(void **state)
{
	static const struct {
		size_t len;
		const char *head;
	} cases[] = { { 0, "0400" }, { 127, "047f" }, { 128, "048180" }, { 255, "0481ff" },
		{ 256, "04820100" }, { 65535, "0482ffff" }, { 65536, "0483010000" } };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(cases); i++) {
		size_t head_len = strlen(cases[i].head) / 2;
		size_t cap = head_len + cases[i].len;
		uint8_t *out = malloc(cap);
		uint8_t *content = calloc(1, cases[i].len + 1);
		struct hf_writer w = { .p = out, .cap = cap };
		char hex[16];

		hf_der_put_octets(&w, content, cases[i].len);
		assert_ok(hf_wr_done(&w));
		assert_int_equal(w.len, cap);
		hf_hex_emit(hex, out, head_len);
		assert_string_equal(hex, cases[i].head);
		w = (struct hf_writer){ .p = out, .cap = cap - 1 };
		hf_der_put_octets(&w, content, cases[i].len);
		assert_err(hf_wr_done(&w), HF_ERR_LIMIT);
		free(content);
		free(out);
	}
}

static void a_set_of_is_sorted(void **state)
{
	uint8_t out[32];
	struct hf_writer w = { .p = out, .cap = sizeof(out) };
	size_t mark = hf_der_open(&w, HF_DER_SET);
	char hex[65];

	(void)state;
	hf_der_put_octets(&w, "\x05\x01", 2);
	hf_der_put_u64(&w, 9);
	hf_der_put_octets(&w, "\x07", 1);
	hf_der_put_u64(&w, 3);
	hf_der_close_set_of(&w, mark);
	assert_ok(hf_wr_done(&w));
	hf_hex_emit(hex, out, w.len);
	assert_string_equal(hex, "310d02010302010904010704020501");
}

static void what_an_inner_reader_leaves_over_is_refused(void **state)
{
	struct input in = over("3006020101020102");
	struct hf_der seq = hf_der_enter(&in.d, HF_DER_SEQUENCE);

	(void)state;
	assert_int_equal(hf_der_u64(&seq), 1);
	hf_der_leave(&in.d, &seq);
	assert_err(done(&in), HF_ERR_FORMAT);
}

static void an_inner_element_cannot_reach_over_the_outer_one(void **state)
{
	struct input in = over("300404030102020101");
	struct hf_der seq = hf_der_enter(&in.d, HF_DER_SEQUENCE);

	(void)state;
	assert_int_equal(hf_der_octets(&seq).len, 0);
	hf_der_leave(&in.d, &seq);
	assert_int_equal(hf_der_u64(&in.d), 0);
	assert_err(done(&in), HF_ERR_TRUNCATED);
}

static void a_failed_reader_gives_nothing_more(void **state)
{
	struct input in = over("0201ff0201010c0161");

	(void)state;
	assert_int_equal(hf_der_u64(&in.d), 0);
	assert_false(hf_der_more(&in.d));
	assert_false(hf_der_is(&in.d, HF_DER_INTEGER));
	assert_int_equal(hf_der_u64(&in.d), 0);
	assert_int_equal(hf_der_raw(&in.d).len, 0);
	assert_err(done(&in), HF_ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_lengths_that_are_not_minimal_definite_or_there),
		cmocka_unit_test(refuses_integers_that_are_empty_negative_padded_or_too_long),
		cmocka_unit_test(refuses_other_forms_of_simple_values),
		cmocka_unit_test(named_bits_count_from_the_first_bit),
		cmocka_unit_test(integers_come_back),
		cmocka_unit_test(reads_times_as_rfc_5280_writes_them),
		cmocka_unit_test(refuses_times_that_are_none),
		cmocka_unit_test(times_come_back),
		cmocka_unit_test(the_year_10000_does_not_fit),
		cmocka_unit_test(writes_every_length_in_its_shortest_form),
		cmocka_unit_test(a_set_of_is_sorted),
		cmocka_unit_test(what_an_inner_reader_leaves_over_is_refused),
		cmocka_unit_test(an_inner_element_cannot_reach_over_the_outer_one),
		cmocka_unit_test(a_failed_reader_gives_nothing_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
