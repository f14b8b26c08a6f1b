/* SPDX-License-Identifier: Apache-2.0 */
/* JSON bodies: each member there, once, in its one form. */
#include "test.h"

#include <stdio.h>

#include "codec/base64.h"
#include "os/heap.h"
#include "svc/api_json.h"

#define DIGEST "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static struct hf_errinfo ei;

static hf_err name_of(uint8_t out[HF_SM3_LEN], const char *json)
{
	size_t len = strlen(json);
	uint8_t *exact = malloc(len == 0 ? 1 : len);
	hf_err e;

	assert_non_null(exact);
	memcpy(exact, json, len);
	ei = (struct hf_errinfo){ .code = HF_OK };
	e = hf_api_name_parse(out, "manifest", (struct hf_bytes){ exact, len }, &ei);
	if (e != HF_OK)
		assert_true(ei.code == e && ei.text[0] != '\0');
	free(exact);
	return e;
}

static void a_name_is_64_lower_case_digits(void **state)
{
	static const char *const good[] = {
		"{\"manifest\":\"" DIGEST "\"}",
		" {\n\"manifest\" : \"" DIGEST "\" } ",
		"{\"other\":{\"manifest\":[1,2]},\"manifest\":\"" DIGEST "\",\"x\":null}",
		"{\"m\\u0061nifest\":\"" DIGEST "\"}",
	};
	static const char *const bad[] = { "", "{", "[]", "null", "\"" DIGEST "\"", "{}",
		"{\"manifest\":\"\"}", "{\"manifest\":null}", "{\"manifest\":1}",
		"{\"manifest\":[\"" DIGEST "\"]}", "{\"manifest\":{\"manifest\":\"" DIGEST "\"}}",
		"{\"manifest\":\"" DIGEST "0\"}", "{\"manifest\":\"" DIGEST "\"}}",
		"{\"manifest\":\"" DIGEST "\"} {}", "{\"manifest\":\"" DIGEST "\",}",
		"{\"manifest\":\"" DIGEST "\",\"manifest\":\"" DIGEST "\"}",
		"{\"manifest\":"
		"\"AA112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"}",
		"{\"manifest\":"
		"\"0011223344\\u0000566778899aabbccddeeff00112233445566778899aabbccddee\"}",
		"{\"Manifest\":\"" DIGEST "\"}",
		"{\"a\":[[[[[[1]]]]]],\"manifest\":\"" DIGEST "\"}" };
	uint8_t name[HF_SM3_LEN];

	(void)state;
	for (size_t i = 0; i < HF_COUNT(good); i++) {
		memset(name, 0x55, sizeof(name));
		assert_ok(name_of(name, good[i]));
		assert_int_equal(name[0], 0);
		assert_int_equal(name[1], 0x11);
		assert_int_equal(name[31], 0xff);
	}
	for (size_t i = 0; i < HF_COUNT(bad); i++)
		assert_true(name_of(name, bad[i]) != HF_OK);
}

static void every_cut_is_refused(void **state)
{
	static const char json[] = "{\"manifest\":\"" DIGEST "\",\"enc_cert\":\"MAA=\"}";
	struct hf_api_grant g;

	(void)state;
	for (size_t len = 0; len < sizeof(json) - 1; len++) {
		uint8_t *exact = malloc(len == 0 ? 1 : len);
		hf_err e;

		assert_non_null(exact);
		memcpy(exact, json, len);
		e = hf_api_grant_parse(&g, (struct hf_bytes){ exact, len }, NULL);
		assert_true(e == HF_ERR_TRUNCATED || e == HF_ERR_FORMAT);
		free(exact);
	}
	assert_ok(hf_api_grant_parse(
		&g, (struct hf_bytes){ (const uint8_t *)json, sizeof(json) - 1 }, NULL));
	assert_int_equal(g.enc_cert_len, 2);
	assert_int_equal(g.enc_cert[0], 0x30);
}

static hf_err grant_with(struct hf_api_grant *g, const char *cert)
{
	size_t room = strlen(cert) + 200;
	char *json = malloc(room);
	hf_err e;

	assert_non_null(json);
	(void)snprintf(json, room, "{\"manifest\":\"" DIGEST "\",\"enc_cert\":\"%s\"}", cert);
	e = hf_api_grant_parse(g, (struct hf_bytes){ (uint8_t *)json, strlen(json) }, NULL);
	free(json);
	return e;
}

static void der_is_strict_base64_of_a_bounded_length(void **state)
{
	static const char *const bad[] = { "MAA", "MAA==", "MAB=", "MA\\nA=", "MA A=", "M-A=" };
	size_t len = HF_BASE64_LEN(HF_CERT_DER_MAX + 3);
	char *text = calloc(1, len + 8);
	struct hf_api_grant g;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < HF_COUNT(bad); i++)
		assert_err(grant_with(&g, bad[i]), HF_ERR_FORMAT);
	memset(text, 'A', HF_BASE64_LEN(HF_CERT_DER_MAX) - 1);
	text[HF_BASE64_LEN(HF_CERT_DER_MAX) - 1] = '='; /* 8192 bytes are 2 more than 3 n */
	assert_ok(grant_with(&g, text));
	assert_int_equal(g.enc_cert_len, HF_CERT_DER_MAX);
	memset(text, 'A', len);
	assert_err(grant_with(&g, text), HF_ERR_LIMIT);
	free(text);
}

static void a_token_longer_than_any_is_refused(void **state)
{
	char json[HF_TOKEN_TEXT_MAX + 100];
	char token[HF_TOKEN_TEXT_MAX + 1];
	struct hf_api_enroll in;

	(void)state;
	memset(token, 't', sizeof(token));
	token[HF_TOKEN_TEXT_MAX - 1] = '\0';
	(void)snprintf(json, sizeof(json),
		"{\"enc_csr\":\"MAA=\",\"token\":\"%s\",\"sign_csr\":\"MAAA\"}", token);
	assert_ok(
		hf_api_enroll_parse(&in, (struct hf_bytes){ (uint8_t *)json, strlen(json) }, NULL));
	assert_string_equal(in.token, token);
	assert_int_equal(in.sign_csr_len, 3);
	assert_int_equal(in.enc_csr_len, 2);
	token[HF_TOKEN_TEXT_MAX - 1] = 't';
	token[HF_TOKEN_TEXT_MAX] = '\0';
	(void)snprintf(json, sizeof(json),
		"{\"enc_csr\":\"MAA=\",\"token\":\"%s\",\"sign_csr\":\"MAAA\"}", token);
	assert_err(
		hf_api_enroll_parse(&in, (struct hf_bytes){ (uint8_t *)json, strlen(json) }, NULL),
		HF_ERR_LIMIT);
}

static void what_is_written_runs_out_of_memory_in_an_orderly_way(void **state)
{
	const uint8_t der[] = { 0x30, 0 };
	struct hf_json_wr j;
	struct hf_buf body;

	(void)state;
	hf_buf_init(&body, hf_os_mem(), 1000);
	j = hf_json_wr(&body);
	hf_json_wr_object(&j);
	test_mem_fail_at(1);
	hf_api_der_put(&j, "x", (struct hf_bytes){ der, sizeof(der) }, &test_mem);
	test_mem_fail_at(0);
	hf_json_wr_end(&j);
	assert_err(hf_json_wr_done(&j), HF_ERR_NO_MEMORY);
	hf_buf_clear(&body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_64_lower_case_digits),
		cmocka_unit_test(every_cut_is_refused),
		cmocka_unit_test(der_is_strict_base64_of_a_bounded_length),
		cmocka_unit_test(a_token_longer_than_any_is_refused),
		cmocka_unit_test(what_is_written_runs_out_of_memory_in_an_orderly_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
