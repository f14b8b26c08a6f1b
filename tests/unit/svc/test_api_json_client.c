/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of the node API as a client reads and writes them. */
#include "test.h"

#include <stdio.h>

#include "svc/api_json.h"

static const char papers[] =
	"{\"sign_cert\":\"AQ==\",\"enc_cert\":\"AgI=\",\"issuing_ca\":\"AwMD\",\"x\":[1,{}],"
	"\"root_ca\":\"BAQEBA==\",\"hub_enc\":\"BQUFBQU=\",\"root\":\"BgYGBgYG\"}";

static struct hf_bytes exact(const char *text, size_t len)
{
	uint8_t *copy = malloc(len == 0 ? 1 : len);

	assert_non_null(copy);
	memcpy(copy, text, len);
	return (struct hf_bytes){ copy, len };
}

static void drop(struct hf_bytes b)
{
	union {
		const uint8_t *in;
		void *out;
	} u = { .in = b.p };

	free(u.out);
}

static hf_err read_papers(const char *text, size_t len)
{
	struct hf_bytes body = exact(text, len);
	struct hf_api_enrolled in;
	hf_err e;

	hf_api_enrolled_init(&in, &test_mem);
	e = hf_api_enrolled_parse(&in, body, NULL);
	if (e == HF_OK) {
		assert_int_equal(in.sign_cert.len, 1);
		assert_int_equal(in.enc_cert.len, 2);
		assert_int_equal(in.issuing_ca.len, 3);
		assert_int_equal(in.root_ca.len, 4);
		assert_int_equal(in.hub_enc.len, 5);
		assert_int_equal(in.root.len, 6);
		assert_memory_equal(in.root.p, "\6\6\6\6\6\6", 6);
	}
	hf_api_enrolled_clear(&in);
	drop(body);
	return e;
}

static void papers_are_read_whole_or_not_at_all(void **state)
{
	char text[sizeof(papers) + 8];

	(void)state;
	assert_ok(read_papers(papers, sizeof(papers) - 1));
	for (size_t len = 0; len < sizeof(papers) - 1; len++)
		assert_true(read_papers(papers, len) != HF_OK);
	(void)snprintf(text, sizeof(text), "%s ,", papers);
	assert_true(read_papers(text, strlen(text)) != HF_OK);
	/* A member that is missing, there twice, or no base64. */
	for (const char *p = strstr(papers, "_c"); p != NULL; p = strstr(p + 1, "_c")) {
		memcpy(text, papers, sizeof(papers));
		text[p - papers] = '-';
		assert_err(read_papers(text, strlen(text)), HF_ERR_FORMAT);
	}
	memcpy(text, papers, sizeof(papers));
	memcpy(strstr(text, "enc_cert") - 1, "\"root\":\"BgYGBgYG\",   ", 21);
	assert_true(read_papers(text, strlen(text)) != HF_OK);
	memcpy(text, papers, sizeof(papers));
	*strstr(text, "AwMD") = '*';
	assert_err(read_papers(text, strlen(text)), HF_ERR_FORMAT);
}

static void every_allocation_may_fail(void **state)
{
	unsigned n = 1;

	(void)state;
	for (;; n++) {
		hf_err e;

		test_mem_fail_at(n);
		e = read_papers(papers, sizeof(papers) - 1);
		test_mem_fail_at(0);
		if (e == HF_OK)
			break;
		assert_int_equal(e, HF_ERR_NO_MEMORY);
	}
	assert_true(n > 6);
}

static hf_err read_nonce(const char *text)
{
	uint8_t nonce[HF_API_NONCE_LEN] = { 0 };
	struct hf_bytes body = exact(text, strlen(text));
	hf_err e = hf_api_nonce_parse(nonce, body, NULL);

	if (e == HF_OK)
		assert_memory_equal(nonce, "\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17", 16);
	drop(body);
	return e;
}

static void a_nonce_is_sixteen_bytes_in_lower_case(void **state)
{
	(void)state;
	assert_ok(read_nonce("{\"nonce\":\"000102030405060708090a0b0c0d0e0f\"}"));
	assert_err(read_nonce("{\"nonce\":\"000102030405060708090a0b0c0d0e\"}"), HF_ERR_FORMAT);
	assert_err(read_nonce("{\"nonce\":\"000102030405060708090a0b0c0d0e0f10\"}"), HF_ERR_FORMAT);
	assert_err(read_nonce("{\"nonce\":\"000102030405060708090A0B0C0D0E0F\"}"), HF_ERR_FORMAT);
	assert_err(read_nonce("{\"nonce\":16}"), HF_ERR_FORMAT);
	assert_err(read_nonce("{}"), HF_ERR_FORMAT);
	assert_true(read_nonce("") != HF_OK);
}

static void what_a_client_writes_a_server_reads(void **state)
{
	const struct hf_bytes sign = { (const uint8_t *)"sign", 4 };
	const struct hf_bytes enc = { (const uint8_t *)"enc", 3 };
	struct hf_api_enroll *enroll = malloc(sizeof(*enroll));
	struct hf_api_grant *grant = malloc(sizeof(*grant));
	uint8_t manifest[HF_SM3_LEN] = { 7, 8, 9 };
	struct hf_buf body;

	(void)state;
	assert_non_null(enroll);
	assert_non_null(grant);
	hf_buf_init(&body, &test_mem, HF_API_ENROLL_MAX);
	assert_ok(hf_api_enroll_emit(&body, "hufu1-\"x", sign, enc));
	assert_ok(hf_api_enroll_parse(enroll, (struct hf_bytes){ body.p, body.len }, NULL));
	assert_string_equal(enroll->token, "hufu1-\"x");
	assert_int_equal(enroll->sign_csr_len, 4);
	assert_memory_equal(enroll->enc_csr, "enc", 3);
	hf_buf_reset(&body);
	assert_ok(hf_api_grant_emit(&body, manifest, enc));
	assert_ok(hf_api_grant_parse(grant, (struct hf_bytes){ body.p, body.len }, NULL));
	assert_memory_equal(grant->manifest, manifest, sizeof(manifest));
	assert_int_equal(grant->enc_cert_len, 3);
	hf_buf_clear(&body);
	hf_buf_init(&body, &test_mem, 10);
	assert_err(hf_api_grant_emit(&body, manifest, enc), HF_ERR_LIMIT);
	hf_buf_clear(&body);
	free(enroll);
	free(grant);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(papers_are_read_whole_or_not_at_all),
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(a_nonce_is_sixteen_bytes_in_lower_case),
		cmocka_unit_test(what_a_client_writes_a_server_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
