/* SPDX-License-Identifier: Apache-2.0 */
/* layer: http */
/*
 * Any bytes as an answer of plain HTTP, whole and in pieces: the same comes out; and as a URL,
 * whose request has no line that was not meant.
 */
#include "test.h"

#include "http/get.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { BODY_MAX = 4096 };

static hf_err run(struct hf_get *g, const uint8_t *data, size_t len, size_t piece)
{
	hf_err e = HF_OK;

	hf_get_init(g, &test_mem, BODY_MAX);
	for (size_t at = 0; e == HF_OK && at < len; at += piece)
		e = hf_get_feed(g, data + at, len - at < piece ? len - at : piece, NULL);
	return e == HF_OK ? hf_get_eof(g, NULL) : e;
}

static void check_url(const uint8_t *data, size_t len)
{
	char request[HF_GET_REQUEST_MAX];
	struct hf_url url;
	size_t lines = 0;

	if (hf_url_parse(&url, (const char *)data, len) != HF_OK)
		return;
	len = hf_get_request(request, &url, "x");
	if (len >= sizeof(request) || url.path[0] != '/' || url.port == 0)
		abort();
	for (size_t i = 0; i < len; i++)
		lines += request[i] == '\n';
	if (lines != 6)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_get whole;
	struct hf_get pieces;
	hf_err e;

	check_url(data, len);
	e = run(&whole, data, len, len > 0 ? len : 1);
	if (run(&pieces, data, len, len > 0 ? 1 + data[len - 1] % 7 : 1) != e)
		abort();
	/* A body that is given up has as much as came before. */
	if (e == HF_OK && (whole.body.len != pieces.body.len ||
				  (whole.body.len > 0 && memcmp(whole.body.p, pieces.body.p,
								 whole.body.len) != 0)))
		abort();
	if (whole.body.len > BODY_MAX || hf_get_is_over(&whole) != (e == HF_OK))
		abort();
	hf_get_clear(&whole);
	hf_get_clear(&pieces);
	return 0;
}
