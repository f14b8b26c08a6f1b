/* SPDX-License-Identifier: Apache-2.0 */
/* layer: http */
/*
 * Any bytes as a server's answers to three calls. Whatever comes, each call ends exactly once. The
 * first byte says how long the pieces are.
 */
#include <stdlib.h>
#include <string.h>

#include "http/api.h"
#include "http/h2.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { CALLS = 3, BODY_MAX = 5000 };

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

struct calls {
	unsigned n_done;
	size_t len;
};

static hf_err on_body(void *ctx, int32_t stream, const uint8_t *bytes, size_t len)
{
	struct calls *c = ctx;

	(void)stream;
	(void)bytes;
	c->len += len;
	if (c->len > BODY_MAX)
		abort();
	return HF_OK;
}

static void on_done(void *ctx, int32_t stream, hf_err e, const struct hf_http_head *head,
	const uint8_t *body, size_t body_len)
{
	struct calls *c = ctx;

	(void)stream;
	(void)body;
	if (body_len > BODY_MAX || (e == HF_OK && (head == NULL || head->status < 200)))
		abort();
	c->n_done++;
}

static void drain(struct hf_h2 *h)
{
	const uint8_t *out;
	size_t n;

	while ((n = hf_h2_out(h, &out)) > 0)
		hf_h2_sent(h, n);
}

static void begin(struct hf_h2 *h, struct calls *calls)
{
	static const struct hf_range range = { 0, 99, 0 };
	struct hf_http_call call = { .method = HF_HTTP_GET, .body_max = BODY_MAX };
	int32_t stream;

	call.ctx = calls;
	call.on_done = on_done;
	call.path = "/v1/peers";
	if (hf_h2_call(h, &stream, &call, 1) != HF_OK)
		abort();
	call.path = "/v1/objects/pack/00";
	call.range = &range;
	if (hf_h2_call(h, &stream, &call, 1) != HF_OK)
		abort();
	call.range = NULL;
	call.on_body = on_body;
	if (hf_h2_call(h, &stream, &call, 1) != HF_OK)
		abort();
	drain(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct hf_h2_client c = { &mem, hf_h2_limits_default, "hub.example" };
	struct calls calls = { 0 };
	struct hf_h2 *h = NULL;
	size_t step;
	size_t used;

	if (len < 1)
		return 0;
	step = data[0] == 0 ? len : data[0];
	if (hf_h2_client_new(&h, &c, 1) != HF_OK)
		abort();
	begin(h, &calls);
	for (size_t at = 1; at < len; at += step) {
		size_t n = len - at < step ? len - at : step;

		if (hf_h2_feed(h, &used, data + at, n, 1 + at) != HF_OK)
			break;
		drain(h);
	}
	hf_h2_free(h);
	if (calls.n_done != CALLS)
		abort();
	return 0;
}
