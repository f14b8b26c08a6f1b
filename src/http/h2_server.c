/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's end: finds the route of a request, asks whether this peer may use it, bounds its
 * body, and answers. Who may not is told before anything of the body is looked at.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codec/json_wr.h"
#include "http/api.h"
#include "http/h2_session.h"

enum { ERROR_BODY_MAX = 2048 };

/* One segment of a pattern ("*" or the very text) against one of the path. */
static bool segment_matches(const char *pattern, size_t len, const char *segment)
{
	if (len == 1 && pattern[0] == '*')
		return true;
	return strlen(segment) == len && memcmp(pattern, segment, len) == 0;
}

static bool pattern_matches(const char *pattern, const struct hf_http_head *head)
{
	for (size_t i = 0; i < head->n_segments; i++) {
		size_t len;

		if (*pattern++ != '/')
			return false;
		len = strcspn(pattern, "/");
		if (!segment_matches(pattern, len, head->segments[i]))
			return false;
		pattern += len;
	}
	return *pattern == '\0';
}

/*
 * The route of a request. HF_ERR_NOT_FOUND: no such path. HF_ERR_UNSUPPORTED: not with this method.
 * HF_ERR_DENIED: not for this peer.
 */
static hf_err route_find(
	const struct hf_h2 *h, const struct hf_http_head *head, const struct hf_http_route **out)
{
	hf_err e = HF_ERR_NOT_FOUND;

	for (size_t i = 0; i < h->server.n_routes; i++) {
		const struct hf_http_route *r = &h->server.routes[i];

		if (!pattern_matches(r->pattern, head))
			continue;
		if (r->method == head->method && (r->who & h->server.peer) != 0) {
			*out = r;
			return HF_OK;
		}
		if (r->method == head->method)
			e = HF_ERR_DENIED;
		else if (e == HF_ERR_NOT_FOUND)
			e = HF_ERR_UNSUPPORTED;
	}
	/* A newcomer learns of no path but the one it may use. */
	return (h->server.peer & HF_PEER_MEMBER) == 0 ? HF_ERR_DENIED : e;
}

static void refuse(struct hf_h2 *h, struct stream *s, hf_err e, const char *text)
{
	hf_h2_reply_error(h, s->id, e, text);
	if (h->server.on_refused != NULL)
		h->server.on_refused(h->server.ctx, &s->head, e);
}

static void give_request(struct hf_h2 *h, struct stream *s)
{
	const struct hf_http_request q = {
		.h = h,
		.stream = s->id,
		.peer = h->server.peer,
		.head = &s->head,
		.body = s->body.p,
		.body_len = s->body.len,
	};

	s->is_told = true;
	s->route->on_request(h->server.ctx, &q);
}

static void server_on_head(struct hf_h2 *h, struct stream *s)
{
	hf_err e = s->head_err;

	if (e == HF_OK)
		e = h->is_closing ? HF_ERR_AGAIN : route_find(h, &s->head, &s->route);
	if (e != HF_OK) {
		refuse(h, s, e, NULL);
		return;
	}
	hf_buf_init(&s->body, h->mem, (size_t)s->route->body_max);
	if (s->route->on_body != NULL) {
		s->deadline_ms = h->now_ms + h->limits.stall_ms;
		give_request(h, s);
	}
}

static uint32_t n_large(const struct hf_h2 *h)
{
	uint32_t n = 0;

	for (const struct stream *s = h->streams; s != NULL; s = s->next)
		n += s->body.cap > HF_H2_SMALL_BODY;
	return n;
}

/* Adds to what is collected. HF_ERR_AGAIN: there is no room for it now. */
static hf_err collect(struct hf_h2 *h, struct stream *s, const uint8_t *bytes, size_t len)
{
	size_t before = s->body.cap;
	hf_err e;

	if (before <= HF_H2_SMALL_BODY && s->body.len + len > HF_H2_SMALL_BODY &&
		h->server.max_large > 0 && n_large(h) >= h->server.max_large)
		return HF_ERR_AGAIN;
	HF_TRY(hf_buf_put(&s->body, bytes, len));
	if (s->body.cap == before || h->server.on_keep == NULL)
		return HF_OK;
	e = h->server.on_keep(h->server.ctx, before, s->body.cap);
	if (e == HF_OK)
		return HF_OK;
	hf_buf_clear(&s->body); /* its growth was not counted */
	(void)h->server.on_keep(h->server.ctx, before, 0);
	return e;
}

static void collect_failed(struct hf_h2 *h, struct stream *s, hf_err e)
{
	hf_h2_body_drop(h, s);
	if (e == HF_ERR_AGAIN)
		refuse(h, s, e, "too much is coming in, try again");
	else
		hf_h2_reply_error(h, s->id, e, NULL);
}

static hf_err server_on_body(struct hf_h2 *h, struct stream *s, const uint8_t *bytes, size_t len)
{
	hf_err e;

	if (s->route == NULL)
		return HF_OK; /* refused already */
	if (s->body_len > s->route->body_max) {
		hf_h2_body_drop(h, s);
		refuse(h, s, HF_ERR_LIMIT, "the body is longer than allowed here");
		return HF_OK;
	}
	if (s->route->on_body == NULL) {
		e = collect(h, s, bytes, len);
		if (e != HF_OK)
			collect_failed(h, s, e);
		return HF_OK;
	}
	s->deadline_ms = h->now_ms + h->limits.stall_ms;
	e = s->route->on_body(h->server.ctx, s->id, bytes, len, false);
	if (e == HF_OK || e == HF_ERR_AGAIN)
		return e;
	hf_h2_reply_error(h, s->id, e, NULL);
	return HF_OK;
}

static void server_on_end(struct hf_h2 *h, struct stream *s)
{
	hf_err e;

	if (s->route == NULL || s->is_replied)
		return;
	s->deadline_ms = UINT64_MAX; /* now it is up to the handler */
	if (s->route->on_body == NULL) {
		give_request(h, s);
		hf_h2_body_drop(h, s); /* the answer may take long */
		return;
	}
	e = s->route->on_body(h->server.ctx, s->id, NULL, 0, true);
	if (e != HF_OK && e != HF_ERR_AGAIN)
		hf_h2_reply_error(h, s->id, e, NULL);
}

static void server_on_close(struct hf_h2 *h, struct stream *s, hf_err why)
{
	if (s->is_told && h->server.on_close != NULL)
		h->server.on_close(h->server.ctx, s->id, why);
	s->is_told = false;
}

static const struct h2_side server_side = {
	server_on_head,
	server_on_body,
	server_on_end,
	server_on_close,
};

hf_err hf_h2_server_new(struct hf_h2 **out, const struct hf_h2_server *config, uint64_t now_ms)
{
	struct hf_h2 *h = NULL;

	HF_TRY(hf_h2_new(&h, config->mem, &config->limits, &server_side, true, now_ms));
	h->server = *config;
	*out = h;
	return HF_OK;
}

static void reply_fields(struct fields *f, const struct hf_http_reply *r, char status[16],
	char length[24], char range[HF_RANGE_TEXT])
{
	uint64_t len = r->source != NULL ? r->source->len : r->body_len;

	(void)snprintf(status, 16, "%u", r->status);
	hf_h2_fields_add(f, ":status", status);
	if (r->content_type != NULL)
		hf_h2_fields_add(f, "content-type", r->content_type);
	if (len != UINT64_MAX) {
		(void)snprintf(length, 24, "%" PRIu64, len);
		hf_h2_fields_add(f, "content-length", length);
	}
	if (r->range != NULL) {
		hf_range_answer_emit(range, r->range);
		hf_h2_fields_add(f, "content-range", range);
	}
	hf_h2_fields_add_ours(f, r->fields, r->n_fields);
	if (r->status < 200 || r->status > 599)
		f->is_bad = true;
}

/* *is_taken: the source belongs to the stream now. */
static hf_err reply_submit(
	struct hf_h2 *h, struct stream *s, const struct hf_http_reply *r, bool *is_taken)
{
	nghttp2_data_provider storage;
	struct fields f = { .n = 0 };
	char range[HF_RANGE_TEXT];
	char status[16];
	char length[24];

	reply_fields(&f, r, status, length, range);
	if (f.is_bad)
		return HF_ERR_ARG;
	if (s->head.method != HF_HTTP_HEAD) {
		HF_TRY(hf_h2_body_set(s, r->body, r->body_len, r->source));
		*is_taken = r->source != NULL;
	}
	if (nghttp2_submit_response(h->ng, s->id, f.nv, f.n, hf_h2_provider(s, &storage)) != 0)
		return HF_ERR_NO_MEMORY;
	s->is_replied = true;
	s->deadline_ms = h->now_ms + h->limits.stall_ms;
	return HF_OK;
}

hf_err hf_h2_reply(struct hf_h2 *h, int32_t stream, const struct hf_http_reply *reply)
{
	struct stream *s = hf_h2_find(h, stream);
	bool is_taken = false;
	hf_err e;

	if (s == NULL || s->why != HF_OK || !h->is_server)
		e = HF_ERR_NOT_FOUND;
	else if (s->is_replied)
		e = HF_ERR_STATE;
	else
		e = reply_submit(h, s, reply, &is_taken);
	/* Nobody asks a second time: the peer must not wait for an answer that cannot be made. */
	if (e == HF_ERR_NO_MEMORY)
		hf_h2_reset(h, s, e);
	/* A source that found no stream to live in ends here. */
	if (reply->source != NULL && !is_taken && reply->source->close != NULL)
		reply->source->close(reply->source->ctx);
	return e;
}

void hf_h2_reply_error(struct hf_h2 *h, int32_t stream, hf_err e, const char *text)
{
	struct hf_http_reply reply = { .content_type = HF_TYPE_JSON };
	struct hf_buf body;
	struct hf_json_wr j;

	if (e == HF_OK)
		e = HF_ERR_INTERNAL;
	reply.status = hf_api_status(e);
	hf_buf_init(&body, h->mem, ERROR_BODY_MAX);
	j = hf_json_wr(&body);
	hf_json_wr_object(&j);
	hf_json_wr_key(&j, "error");
	hf_json_wr_str(&j, hf_err_name(e));
	hf_json_wr_key(&j, "code");
	hf_json_wr_u64(&j, (uint64_t)e);
	hf_json_wr_key(&j, "text");
	hf_json_wr_str(&j, text != NULL ? text : hf_err_text(e));
	hf_json_wr_end(&j);
	if (hf_json_wr_done(&j) == HF_OK) {
		reply.body = body.p;
		reply.body_len = body.len;
	}
	/* Gone or answered before: there is nobody left to tell. */
	if (hf_h2_reply(h, stream, &reply) == HF_ERR_NO_MEMORY)
		h->err = HF_ERR_NO_MEMORY;
	hf_buf_clear(&body);
}
