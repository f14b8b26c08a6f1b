/* SPDX-License-Identifier: Apache-2.0 */
/* layer: http */
/*
 * Any bytes behind the client's preface, in pieces, into a server with one route of each kind. The
 * first byte says how long the pieces are.
 */
#include <stdlib.h>
#include <string.h>

#include "http/api.h"
#include "http/h2.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { STREAMS = 4, PIECES_MS = 10 };

/* Plain memory; an end of it is not the subject here. */
static void *mem_get(void *ctx, size_t len)
{
	(void)ctx;
	return malloc(len == 0 ? 1 : len);
}

static void mem_put(void *ctx, void *p)
{
	(void)ctx;
	free(p);
}

static const struct hf_mem mem = { mem_get, mem_put, NULL };

static hf_err source_read(void *ctx, uint8_t *out, size_t cap, size_t *len, bool *is_end)
{
	(void)ctx;
	memset(out, 'x', cap);
	*len = cap;
	*is_end = false;
	return HF_OK;
}

static void on_get(void *ctx, const struct hf_http_request *q)
{
	const struct hf_http_source source = { source_read, NULL, ctx, 100 * 1000 };
	const struct hf_http_reply reply = { .status = 200, .source = &source };

	if (hf_h2_reply(q->h, q->stream, &reply) != HF_OK)
		abort();
}

static void on_post(void *ctx, const struct hf_http_request *q)
{
	(void)ctx;
	hf_h2_reply_error(q->h, q->stream, HF_ERR_DENIED, q->head->path);
}

static void on_put(void *ctx, const struct hf_http_request *q)
{
	(void)ctx;
	(void)q;
}

static hf_err on_put_body(void *ctx, int32_t stream, const uint8_t *bytes, size_t len, bool is_end)
{
	(void)ctx;
	(void)stream;
	(void)is_end;
	return len > 0 && bytes[0] == '!' ? HF_ERR_AGAIN : HF_OK;
}

static const struct hf_http_route routes[] = {
	{ HF_HTTP_GET, HF_API_OBJECT, HF_PEER_DEVICE, 0, on_get, NULL },
	{ HF_HTTP_POST, HF_API_GRANTS, HF_PEER_DEVICE, 1000, on_post, NULL },
	{ HF_HTTP_PUT, HF_API_OBJECT, HF_PEER_DEVICE, 5000, on_put, on_put_body },
};

static void drain(struct hf_h2 *h)
{
	const uint8_t *out;
	size_t n;

	while ((n = hf_h2_out(h, &out)) > 0)
		hf_h2_sent(h, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0";
	struct hf_h2_server c = { .mem = &mem, .limits = hf_h2_limits_default };
	struct hf_h2 *h = NULL;
	uint64_t now = 1;
	size_t step;
	size_t used;

	if (len < 1)
		return 0;
	step = data[0] == 0 ? len : data[0];
	c.limits.max_streams = STREAMS;
	c.routes = routes;
	c.n_routes = HF_COUNT(routes);
	c.peer = HF_PEER_DEVICE;
	if (hf_h2_server_new(&h, &c, now) != HF_OK)
		abort();
	/* The literal's terminator is the last zero of the empty SETTINGS frame. */
	if (hf_h2_feed(h, &used, preface, sizeof(preface), now) != HF_OK)
		abort();
	for (size_t at = 1; at < len; at += step) {
		size_t n = len - at < step ? len - at : step;

		if (hf_h2_feed(h, &used, data + at, n, now) != HF_OK)
			break;
		if (hf_h2_n_streams(h) > STREAMS)
			abort();
		drain(h);
		now += PIECES_MS;
		hf_h2_tick(h, now);
	}
	drain(h);
	hf_h2_free(h);
	return 0;
}
