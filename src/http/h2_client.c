/* SPDX-License-Identifier: Apache-2.0 */
/* The client's end: begins calls, checks that the answer is the one asked for, bounds it. */
#include <string.h>

#include "http/h2_session.h"

/* RFC 9110 15.3.7: a range that was asked for comes as 206 with that range, or it did not come. */
static hf_err check_head(const struct stream *s)
{
	const struct hf_http_head *head = &s->head;

	if (s->call.range == NULL)
		return head->has_range || head->status == 206 ? HF_ERR_FORMAT : HF_OK;
	if (head->status < 200 || head->status > 299)
		return HF_OK;
	if (head->status != 206 || !head->has_range || head->range.first != s->range.first ||
		head->range.last != s->range.last)
		return HF_ERR_FORMAT;
	return HF_OK;
}

static void client_on_head(struct hf_h2 *h, struct stream *s)
{
	hf_err e = s->head_err;

	s->deadline_ms = h->now_ms + h->limits.stall_ms;
	if (e == HF_OK)
		e = check_head(s);
	if (e == HF_OK && s->is_told && s->call.on_head != NULL)
		e = s->call.on_head(s->call.ctx, s->id, &s->head);
	if (e != HF_OK)
		hf_h2_reset(h, s, e);
}

static hf_err client_on_body(struct hf_h2 *h, struct stream *s, const uint8_t *bytes, size_t len)
{
	hf_err e;

	s->deadline_ms = h->now_ms + h->limits.stall_ms;
	if (s->body_len > s->call.body_max)
		e = HF_ERR_LIMIT;
	else if (s->call.on_body != NULL)
		e = s->call.on_body(s->call.ctx, s->id, bytes, len);
	else
		e = hf_buf_put(&s->body, bytes, len);
	if (e == HF_OK || e == HF_ERR_AGAIN)
		return e;
	hf_h2_reset(h, s, e);
	return HF_OK;
}

static void client_on_end(struct hf_h2 *h, struct stream *s)
{
	(void)h;
	s->deadline_ms = UINT64_MAX;
}

static void client_on_close(struct hf_h2 *h, struct stream *s, hf_err why)
{
	(void)h;
	/* A whole answer is whole, even if the server had no use for the rest of the request. */
	if (s->why == HF_OK && s->is_ended && s->has_head)
		why = HF_OK;
	if (s->is_told && s->call.on_done != NULL)
		s->call.on_done(s->call.ctx, s->id, why, s->has_head ? &s->head : NULL, s->body.p,
			s->body.len);
	s->is_told = false;
}

static const struct h2_side client_side = {
	client_on_head,
	client_on_body,
	client_on_end,
	client_on_close,
};

hf_err hf_h2_client_new(struct hf_h2 **out, const struct hf_h2_client *config, uint64_t now_ms)
{
	struct hf_h2 *h = NULL;
	size_t len = strlen(config->authority);

	if (len == 0 || len >= HF_HTTP_VALUE_MAX)
		return HF_ERR_ARG;
	HF_TRY(hf_h2_new(&h, config->mem, &config->limits, &client_side, false, now_ms));
	memcpy(h->authority, config->authority, len + 1);
	*out = h;
	return HF_OK;
}

static hf_err call_submit(struct hf_h2 *h, struct stream *s)
{
	const struct hf_http_call *c = &s->call;
	nghttp2_data_provider storage;
	struct hf_http_head head = { 0 };
	struct fields f = { .n = 0 };
	char range[HF_RANGE_TEXT];
	int32_t id;

	HF_TRY(hf_h2_head_path(&head, c->path, strlen(c->path)));
	hf_h2_fields_add(&f, ":method", hf_h2_method_name(c->method));
	hf_h2_fields_add(&f, ":scheme", "https");
	hf_h2_fields_add(&f, ":authority", h->authority);
	hf_h2_fields_add(&f, ":path", c->path);
	if (c->content_type != NULL)
		hf_h2_fields_add(&f, "content-type", c->content_type);
	if (c->range != NULL) {
		hf_range_emit(range, &s->range);
		hf_h2_fields_add(&f, "range", range);
	}
	hf_h2_fields_add_ours(&f, c->fields, c->n_fields);
	if (f.is_bad)
		return HF_ERR_ARG;
	id = nghttp2_submit_request(h->ng, NULL, f.nv, f.n, hf_h2_provider(s, &storage), s);
	if (id < 0)
		return id == NGHTTP2_ERR_NOMEM ? HF_ERR_NO_MEMORY : HF_ERR_CLOSED;
	s->id = id;
	return HF_OK;
}

static hf_err call_begin(struct hf_h2 *h, struct stream *s, const struct hf_http_call *call)
{
	size_t max = call->body_max < SIZE_MAX ? (size_t)call->body_max : SIZE_MAX;

	s->call = *call;
	s->call.source = NULL;
	if (call->range != NULL)
		s->range = *call->range;
	if (call->timeout_ms > 0)
		s->hard_ms = h->now_ms + call->timeout_ms;
	s->deadline_ms = h->now_ms + h->limits.stall_ms;
	hf_buf_init(&s->body, h->mem, max);
	HF_TRY(hf_h2_body_set(s, call->body, call->body_len, call->source));
	return call_submit(h, s);
}

static hf_err call_room(struct hf_h2 *h, const struct hf_http_call *call, struct stream **s)
{
	if (h->is_server || call->path == NULL)
		return HF_ERR_ARG;
	if (h->err != HF_OK || h->is_closing || h->is_goaway)
		return HF_ERR_CLOSED;
	if (h->n_streams == h->limits.max_streams)
		return HF_ERR_LIMIT;
	*s = hf_h2_stream_new(h);
	return *s == NULL ? HF_ERR_NO_MEMORY : HF_OK;
}

hf_err hf_h2_call(
	struct hf_h2 *h, int32_t *stream, const struct hf_http_call *call, uint64_t now_ms)
{
	struct stream *s = NULL;
	hf_err e;

	if (now_ms > h->now_ms)
		h->now_ms = now_ms;
	e = call_room(h, call, &s);
	if (e != HF_OK) {
		if (call->source != NULL && call->source->close != NULL)
			call->source->close(call->source->ctx);
		return e;
	}
	e = call_begin(h, s, call);
	if (e != HF_OK) {
		hf_h2_stream_free(h, s);
		return e == HF_ERR_FORMAT ? HF_ERR_ARG : e;
	}
	s->is_told = true;
	hf_h2_expect(h);
	*stream = s->id;
	return HF_OK;
}

void hf_h2_cancel(struct hf_h2 *h, int32_t stream)
{
	struct stream *s = hf_h2_find(h, stream);

	if (s == NULL || h->is_server)
		return;
	s->is_told = false;
	hf_h2_reset(h, s, HF_ERR_CLOSED);
}
