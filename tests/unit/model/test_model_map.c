/* SPDX-License-Identifier: Apache-2.0 */
/* Maps of safetensors files: what does not describe each byte exactly once is refused. */
#include "test.h"

#include <stdio.h>

#include "base/endian.h"
#include "model/model_map.h"

/* A file head: length and JSON; the data are never looked at. */
static uint8_t *head_of(const char *json, size_t *len)
{
	size_t n = strlen(json);
	uint8_t *head = malloc(8 + n);

	assert_non_null(head);
	hf_put_le64(head, n);
	memcpy(head + 8, json, n);
	*len = 8 + n;
	return head;
}

static hf_err parse(struct hf_model_map *map, const char *json, uint64_t data_len)
{
	size_t len = 0;
	uint8_t *head = head_of(json, &len);
	hf_err e = hf_model_map_parse(
		map, HF_MODEL_SAFETENSORS, head, len, len, len + data_len, &test_mem, NULL);

	free(head);
	return e;
}

static void refuses(const char *json, uint64_t data_len, hf_err expected)
{
	struct hf_model_map map = { .n_tensors = 42 };

	assert_err(parse(&map, json, data_len), expected);
	assert_int_equal(map.n_tensors, 42);
}

#define A(b, e) "\"a\":{\"dtype\":\"U8\",\"shape\":[" #e "],\"data_offsets\":[" #b "," #e "]}"

static void gives_tensors_in_file_order(void **state)
{
	struct hf_model_map map = { 0 };

	(void)state;
	assert_ok(parse(&map,
		"{\"__metadata__\":{\"format\":\"pt\"},"
		"\"z\":{\"dtype\":\"BF16\",\"shape\":[2,3],\"data_offsets\":[0,12]},"
		"\"\\u0061\":{\"shape\":[],\"data_offsets\":[12,16],\"dtype\":\"F32\"},"
		"\"empty\":{\"dtype\":\"I64\",\"shape\":[0,5],\"data_offsets\":[12,12]}}   ",
		16));
	assert_int_equal(map.n_tensors, 3);
	assert_string_equal(map.tensors[0].name, "z");
	assert_string_equal(map.tensors[1].name, "empty");
	assert_string_equal(map.tensors[2].name, "a");
	assert_int_equal(map.tensors[0].offset, map.data_at);
	assert_int_equal(map.tensors[0].n_dims, 2);
	assert_int_equal(map.tensors[0].shape[1], 3);
	assert_int_equal(map.tensors[0].dtype, HF_DTYPE_BF16);
	assert_int_equal(map.tensors[2].offset, map.data_at + 12);
	assert_int_equal(map.tensors[2].len, 4);
	hf_model_map_clear(&map);
	assert_null(map.tensors);
}

static void reads_offsets_beyond_4_gib(void **state)
{
	struct hf_model_map map = { 0 };

	(void)state;
	assert_ok(parse(&map,
		"{\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[8589934592,8589934593]},"
		"\"a\":{\"dtype\":\"F64\",\"shape\":[1073741824],\"data_offsets\":[0,8589934592]}}",
		8589934593));
	assert_true(map.tensors[1].offset == map.data_at + 8589934592);
	hf_model_map_clear(&map);
}

static void refuses_data_that_are_not_covered_exactly_once(void **state)
{
	(void)state;
	refuses("{" A(0, 4) "}", 5, HF_ERR_FORMAT); /* rest */
	refuses("{" A(0, 4) "}", 3, HF_ERR_FORMAT); /* beyond the end */
	refuses("{}", 1, HF_ERR_FORMAT);            /* nothing covers it */
	refuses("{" A(0, 4) ",\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[3,5]}}", 5,
		HF_ERR_FORMAT); /* overlap */
	refuses("{" A(0, 4) ",\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[5,7]}}", 7,
		HF_ERR_FORMAT); /* hole */
	refuses("{" A(0, 4) ",\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4,
		HF_ERR_FORMAT); /* the same twice */
}

static void refuses_a_length_that_is_not_shape_times_type(void **state)
{
	(void)state;
	refuses("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4,
		HF_ERR_FORMAT);
	refuses("{\"a\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,2]}}", 2,
		HF_ERR_FORMAT);
	refuses("{\"a\":{\"dtype\":\"U8\",\"shape\":[4294967296,4294967296],"
		"\"data_offsets\":[0,0]}}",
		0, HF_ERR_FORMAT);
	refuses("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,0]}}", 4,
		HF_ERR_FORMAT);
	refuses("{\"a\":{\"dtype\":\"U8\",\"shape\":[-4],\"data_offsets\":[0,4]}}", 4,
		HF_ERR_FORMAT);
	refuses("{\"a\":{\"dtype\":\"U8\",\"shape\":[4.0],\"data_offsets\":[0,4]}}", 4,
		HF_ERR_FORMAT);
	refuses("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4,4]}}", 4,
		HF_ERR_LIMIT);
	refuses("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4]}}", 4, HF_ERR_FORMAT);
}

static void refuses_names_and_members_that_stand_twice(void **state)
{
	(void)state;
	refuses("{" A(0, 4) ",\"\\u0061\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[4,5]}}",
		5, HF_ERR_FORMAT);
	refuses("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}",
		4, HF_ERR_FORMAT);
}

static void refuses_what_is_missing_or_unknown(void **state)
{
	(void)state;
	refuses("{\"a\":{\"shape\":[4],\"data_offsets\":[0,4]}}", 4, HF_ERR_FORMAT);
	refuses("{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,4]}}", 4, HF_ERR_FORMAT);
	refuses("{\"a\":{\"dtype\":\"U8\",\"shape\":[4]}}", 4, HF_ERR_FORMAT);
	refuses("{\"a\":{\"dtype\":\"U9\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4,
		HF_ERR_UNSUPPORTED);
	refuses("{\"a\":[]}", 0, HF_ERR_FORMAT);
	refuses("{\"__metadata__\":{\"a\":1}}", 0, HF_ERR_FORMAT);
	refuses("{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,1]}}",
		1, HF_ERR_LIMIT);
}

static void refuses_a_header_cut_at_every_byte(void **state)
{
	size_t len = 0;
	uint8_t *head = head_of("{" A(0, 4) "}", &len);

	(void)state;
	for (size_t cut = 0; cut < len; cut++) {
		struct hf_model_map map = { 0 };
		uint8_t *exact = malloc(cut == 0 ? 1 : cut);
		hf_err e;

		assert_non_null(exact);
		memcpy(exact, head, cut);
		e = hf_model_map_parse(
			&map, HF_MODEL_SAFETENSORS, exact, cut, len, len + 4, &test_mem, NULL);
		assert_true(e == HF_ERR_TRUNCATED || e == HF_ERR_FORMAT);
		free(exact);
	}
	free(head);
}

static void refuses_a_header_above_its_bound(void **state)
{
	struct hf_model_map map = { 0 };
	struct hf_errinfo ei = { 0 };
	size_t len = 0;
	uint8_t *head = head_of("{" A(0, 4) "}", &len);

	(void)state;
	assert_err(hf_model_map_parse(
			   &map, HF_MODEL_SAFETENSORS, head, len, len - 1, len + 4, &test_mem, &ei),
		HF_ERR_LIMIT);
	assert_int_equal(ei.code, HF_ERR_LIMIT);
	free(head);
}

static void frees_everything_when_memory_runs_out(void **state)
{
	struct hf_model_map map = { 0 };

	(void)state;
	for (unsigned n = 1; n <= 2; n++) {
		test_mem_fail_at(n);
		assert_err(parse(&map, "{" A(0, 4) "}", 4), HF_ERR_NO_MEMORY);
	}
	test_mem_fail_at(0);
}

static void sniffs_only_what_can_be_safetensors(void **state)
{
	uint8_t first[16] = { 2, 0, 0, 0, 0, 0, 0, 0, '{', '}' };
	uint64_t head_len = 7;

	(void)state;
	assert_int_equal(hf_model_sniff(&head_len, first, 10, 10), HF_MODEL_SAFETENSORS);
	assert_int_equal(head_len, 10);
	assert_int_equal(hf_model_sniff(&head_len, first, 8, 10), HF_MODEL_UNKNOWN);
	assert_int_equal(head_len, 0);
	assert_int_equal(hf_model_sniff(&head_len, first, 9, 9), HF_MODEL_UNKNOWN);
	first[8] = '[';
	assert_int_equal(hf_model_sniff(&head_len, first, 10, 10), HF_MODEL_UNKNOWN);
	first[8] = '{';
	first[7] = 0x80; /* a length that no file has */
	assert_int_equal(hf_model_sniff(&head_len, first, 10, UINT64_MAX), HF_MODEL_UNKNOWN);
}

static void gives_no_tensors_for_an_unknown_format(void **state)
{
	struct hf_model_map map = { 0 };

	(void)state;
	assert_ok(hf_model_map_parse(&map, HF_MODEL_UNKNOWN, NULL, 0, 0, 1234567, &test_mem, NULL));
	assert_int_equal(map.n_tensors, 0);
	assert_int_equal(map.file_len, 1234567);
	hf_model_map_clear(&map);
}

static void sorts_many_tensors(void **state)
{
	enum { N = 500 };
	struct hf_model_map map = { 0 };
	struct test_rng r;
	unsigned order[N];
	char *json = malloc(N * 100);
	size_t at = 0;

	(void)state;
	(void)test_rng(&r, 7);
	for (unsigned i = 0; i < N; i++)
		order[i] = i;
	for (unsigned i = N - 1; i > 0; i--) {
		unsigned j = (unsigned)test_rng_below(&r, i + 1);
		unsigned swap = order[i];

		order[i] = order[j];
		order[j] = swap;
	}
	for (unsigned i = 0; i < N; i++)
		at += (size_t)sprintf(json + at,
			"%c\"t%u\":{\"dtype\":\"U16\",\"shape\":[1],\"data_offsets\":[%u,%u]}",
			i == 0 ? '{' : ',', order[i], 2 * order[i], 2 * order[i] + 2);
	(void)sprintf(json + at, "}");
	assert_ok(parse(&map, json, 2 * N));
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(atoi(map.tensors[i].name + 1), i);
	hf_model_map_clear(&map);
	free(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_tensors_in_file_order),
		cmocka_unit_test(reads_offsets_beyond_4_gib),
		cmocka_unit_test(refuses_data_that_are_not_covered_exactly_once),
		cmocka_unit_test(refuses_a_length_that_is_not_shape_times_type),
		cmocka_unit_test(refuses_names_and_members_that_stand_twice),
		cmocka_unit_test(refuses_what_is_missing_or_unknown),
		cmocka_unit_test(refuses_a_header_cut_at_every_byte),
		cmocka_unit_test(refuses_a_header_above_its_bound),
		cmocka_unit_test(frees_everything_when_memory_runs_out),
		cmocka_unit_test(sniffs_only_what_can_be_safetensors),
		cmocka_unit_test(gives_no_tensors_for_an_unknown_format),
		cmocka_unit_test(sorts_many_tensors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
