/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of plain HTTP: the ways of saying how long a body is, and everything that is refused. */
#include "test.h"

#include <stdio.h>

#include "http/get.h"

enum { BODY_MAX = 64 };

#define OK_LINE "HTTP/1.1 200 OK\r\n"

/* Feeds an answer in pieces of n bytes; at_end: the connection ends then. */
static hf_err feed(struct hf_get *g, const char *text, size_t piece, bool at_end)
{
	size_t len = strlen(text);
	hf_err e = HF_OK;

	hf_get_init(g, &test_mem, BODY_MAX);
	for (size_t at = 0; e == HF_OK && at < len; at += piece) {
		size_t n = len - at < piece ? len - at : piece;
		uint8_t *exact = malloc(n);

		assert_non_null(exact);
		memcpy(exact, text + at, n);
		e = hf_get_feed(g, exact, n, NULL);
		free(exact);
	}
	if (e == HF_OK && at_end)
		e = hf_get_eof(g, NULL);
	return e;
}

static void takes_every_form_of_body(void **state)
{
	static const char *const good[] = {
		OK_LINE "Content-Length: 5\r\n\r\nhello",
		OK_LINE "content-length:5 \r\nX: y\r\n\r\nhello and more",
		OK_LINE "\r\nhello",
		"HTTP/1.0 200\n\nhello",
		"HTTP/1.1 100 Continue\r\nContent-Length: 9\r\n\r\n" OK_LINE "\r\nhello",
		OK_LINE "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
		OK_LINE "transfer-encoding: CHUNKED\r\n\r\n005 \r\nhello\r\n0\r\nT: u\r\n\r\nmore",
		OK_LINE "Content-Encoding: identity\r\nContent-Length: 05\r\n\r\nhello",
	};
	struct hf_get g;

	(void)state;
	for (size_t i = 0; i < HF_COUNT(good); i++)
		for (size_t piece = 1; piece < 9; piece++) {
			assert_ok(feed(&g, good[i], piece, true));
			assert_true(hf_get_is_over(&g));
			assert_int_equal(g.body.len, 5);
			assert_memory_equal(g.body.p, "hello", 5);
			hf_get_clear(&g);
		}
}

static void an_end_that_comes_too_early_is_told(void **state)
{
	static const char *const forms[] = {
		OK_LINE "Content-Length: 5\r\n\r\nhello",
		OK_LINE "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
	};
	struct hf_get g;
	char text[128];

	(void)state;
	for (size_t i = 0; i < HF_COUNT(forms); i++)
		for (size_t cut = 0; cut < strlen(forms[i]); cut++) {
			(void)snprintf(text, sizeof(text), "%.*s", (int)cut, forms[i]);
			assert_err(feed(&g, text, 64, true), HF_ERR_TRUNCATED);
			assert_false(hf_get_is_over(&g));
			hf_get_clear(&g);
		}
}

static void refuses_other_answers(void **state)
{
	static const struct {
		const char *text;
		hf_err e;
	} bad[] = {
		{ "HTTP/2 200\r\n\r\n", HF_ERR_FORMAT },
		{ "HTTP/1.1  200\r\n\r\n", HF_ERR_FORMAT },
		{ "HTTP/1.1 2000\r\n\r\n", HF_ERR_FORMAT },
		{ "\r\n" OK_LINE "\r\n", HF_ERR_FORMAT },
		{ "220 smtp.example\r\n", HF_ERR_FORMAT },
		{ "HTTP/1.1 101 Switching\r\n", HF_ERR_FORMAT },
		{ "HTTP/1.1 301 Moved\r\nLocation: http://x/\r\n\r\n", HF_ERR_NOT_FOUND },
		{ "HTTP/1.1 204 No Content\r\n\r\n", HF_ERR_NOT_FOUND },
		{ "HTTP/1.1 404 Not Found\r\n\r\n", HF_ERR_NOT_FOUND },
		{ "HTTP/1.1 500\r\n\r\n", HF_ERR_NOT_FOUND },
		{ OK_LINE "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", HF_ERR_FORMAT },
		{ OK_LINE "Content-Length: 5, 5\r\n\r\n", HF_ERR_FORMAT },
		{ OK_LINE "Content-Length: -1\r\n\r\n", HF_ERR_FORMAT },
		{ OK_LINE "Content-Length: 0x5\r\n\r\n", HF_ERR_FORMAT },
		{ OK_LINE "Content-Length:\r\n\r\n", HF_ERR_FORMAT },
		{ OK_LINE "Content-Length: 1111111111111111111\r\n\r\n", HF_ERR_FORMAT },
		{ OK_LINE "Content-Length: 65\r\n\r\n", HF_ERR_LIMIT },
		{ OK_LINE "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
			HF_ERR_UNSUPPORTED },
		{ OK_LINE "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
			HF_ERR_FORMAT },
		{ OK_LINE "Transfer-Encoding: gzip, chunked\r\n\r\n", HF_ERR_UNSUPPORTED },
		{ OK_LINE "Content-Encoding: gzip\r\n\r\n", HF_ERR_UNSUPPORTED },
		{ OK_LINE "X y: z\r\n\r\n", HF_ERR_FORMAT },
		{ OK_LINE ": z\r\n\r\n", HF_ERR_FORMAT },
		{ OK_LINE " folded\r\n\r\n", HF_ERR_FORMAT },
		{ OK_LINE "X: a\rb\r\n\r\n", HF_ERR_FORMAT },
		{ OK_LINE "X: \x01\r\n\r\n", HF_ERR_FORMAT },
		{ OK_LINE "Transfer-Encoding: chunked\r\n\r\n\r\n", HF_ERR_FORMAT },
		{ OK_LINE "Transfer-Encoding: chunked\r\n\r\n-1\r\n", HF_ERR_FORMAT },
		{ OK_LINE "Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", HF_ERR_FORMAT },
		{ OK_LINE "Transfer-Encoding: chunked\r\n\r\n41\r\n", HF_ERR_LIMIT },
		{ OK_LINE "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\n",
			HF_ERR_LIMIT },
	};
	struct hf_get g;

	(void)state;
	for (size_t i = 0; i < HF_COUNT(bad); i++)
		for (size_t piece = 1; piece < 4; piece++) {
			assert_err(feed(&g, bad[i].text, piece, false), bad[i].e);
			assert_err(hf_get_feed(&g, (const uint8_t *)"x", 1, NULL), bad[i].e);
			assert_err(hf_get_eof(&g, NULL), bad[i].e);
			hf_get_clear(&g);
		}
}

/* Feeds one byte sequence again and again until it is refused; how many bytes that took. */
static size_t feed_for_ever(struct hf_get *g, const char *begin, const char *again, hf_err want)
{
	size_t n = 0;
	hf_err e = HF_OK;

	assert_ok(feed(g, begin, 64, false));
	while (e == HF_OK && n < 1 << 20) {
		e = hf_get_feed(g, (const uint8_t *)again, strlen(again), NULL);
		n += strlen(again);
	}
	assert_err(e, want);
	hf_get_clear(g);
	return n;
}

static void nothing_goes_on_for_ever(void **state)
{
	struct hf_get g;

	(void)state;
	assert_in_range(feed_for_ever(&g, OK_LINE "\r\n", "x", HF_ERR_LIMIT), 1, BODY_MAX + 1);
	assert_in_range(feed_for_ever(&g, "", "HTTP/1.1 100 \r\n\r\n", HF_ERR_LIMIT), 1,
		HF_GET_HEAD_MAX + 32);
	assert_in_range(
		feed_for_ever(&g, OK_LINE, "X: y\r\n", HF_ERR_LIMIT), 1, HF_GET_HEAD_MAX + 32);
	assert_in_range(feed_for_ever(&g, OK_LINE "X: ", "y", HF_ERR_LIMIT), 1, HF_GET_LINE_MAX);
	assert_in_range(feed_for_ever(&g, OK_LINE "Transfer-Encoding: chunked\r\n\r\n0\r\n",
				"X: y\r\n", HF_ERR_LIMIT),
		1, HF_GET_HEAD_MAX + 32);
}

static void asks_for_the_path_of_the_host(void **state)
{
	char text[HF_GET_REQUEST_MAX];
	char url_text[HF_URL_MAX + 1];
	struct hf_url url;
	size_t len;

	(void)state;
	assert_ok(hf_url_parse(&url, "http://[::1]:81/a?b", 19));
	len = hf_get_request(text, &url, "application/pkix-crl");
	assert_int_equal(len, strlen(text));
	assert_memory_equal(text, "GET /a?b HTTP/1.1\r\nHost: [::1]:81\r\n", 35);
	assert_string_equal(text + len - 4, "\r\n\r\n");
	memset(url_text, 'h', sizeof(url_text)); /* the longest of all */
	memcpy(url_text, "http://", 7);
	url_text[7 + HF_URL_HOST_MAX] = ':';
	memcpy(url_text + 8 + HF_URL_HOST_MAX, "65535/", 6);
	assert_ok(hf_url_parse(&url, url_text, HF_URL_MAX));
	len = hf_get_request(text, &url, "application/pkix-crl");
	assert_int_equal(len, strlen(text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_every_form_of_body),
		cmocka_unit_test(an_end_that_comes_too_early_is_told),
		cmocka_unit_test(refuses_other_answers),
		cmocka_unit_test(nothing_goes_on_for_ever),
		cmocka_unit_test(asks_for_the_path_of_the_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
