/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an edge passes on: a request of a device becomes a call over the edge's own session to the
 * hub, and the answer goes back as it came. Both bodies go through a pipe:
 *
 *	device -> request pipe -> hub         device <- answer pipe <- hub
 *
 *  1. Bytes in a pipe are not credited to their sender, so a pipe never holds more than the window
 *     of the session that they came from.
 *  2. When a pipe has been emptied, its sender is credited and pumped.
 *  3. A relay lives until nobody holds it: device's stream, hub's call, and the source of either.
 */
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "os/clock.h"
#include "svc/serve_inner.h"

enum {
	PIPE_MAX = 64 << 20,     /* bytes; windows are what bounds it */
	ANSWER_MAX = 8 << 20,    /* bytes of an answer: no channel and no grant is longer */
	CALL_MS = 5 * 60 * 1000, /* for a whole answer of the hub to a small request */
};

/* Bytes between two sessions. */
struct pipe {
	struct hf_buf buf;
	size_t at; /* bytes that have been taken */
	bool is_end;
};

struct serve_relay {
	struct serve_task task;
	struct serve_relay *next; /* of the server */
	const struct hf_mem *mem;
	struct hf_serve *serve; /* NULL: it is gone, only a source of the hub's session is left */
	unsigned n_holders;
	bool is_over;    /* the device's stream is gone */
	struct hf_h2 *h; /* session to the hub, while the call is under way */
	int32_t call;
	bool is_answered; /* the device has the head of the answer */
	hf_err failed;    /* the hub's answer ended so */
	struct pipe request;
	struct pipe answer;
};

static size_t pipe_len(const struct pipe *p)
{
	return p->buf.len - p->at;
}

static hf_err pipe_put(struct pipe *p, const uint8_t *bytes, size_t len)
{
	/* What was taken goes when it is the larger part: each byte is moved once at most. */
	if (p->at > 0 && p->at >= p->buf.len / 2) {
		hf_buf_drop(&p->buf, p->at);
		p->at = 0;
	}
	return hf_buf_put(&p->buf, bytes, len);
}

/* HF_ERR_AGAIN: empty, and not at its end. */
static hf_err pipe_take(struct pipe *p, uint8_t *out, size_t cap, size_t *len, bool *is_end)
{
	size_t n = pipe_len(p) < cap ? pipe_len(p) : cap;

	if (n == 0 && !p->is_end)
		return HF_ERR_AGAIN;
	if (n > 0)
		memcpy(out, p->buf.p + p->at, n);
	p->at += n;
	if (p->at == p->buf.len) {
		hf_buf_reset(&p->buf);
		p->at = 0;
	}
	*len = n;
	*is_end = p->is_end && pipe_len(p) == 0;
	return HF_OK;
}

static void relay_unhold(struct serve_relay *y)
{
	struct serve_relay **at;

	if (--y->n_holders > 0)
		return;
	if (y->serve != NULL) {
		at = &y->serve->relays;
		while (*at != y)
			at = &(*at)->next;
		*at = y->next;
		y->serve->n_relays--;
	}
	hf_buf_clear(&y->request.buf);
	hf_buf_clear(&y->answer.buf);
	hf_mem_free(y->mem, y);
}

void hf_serve_relays_orphan(struct hf_serve *s)
{
	for (struct serve_relay *y = s->relays; y != NULL; y = y->next)
		y->serve = NULL;
	s->relays = NULL;
}

static void pump_up(const struct serve_relay *y, const struct hf_h2 *h)
{
	const struct hf_upstream *up = y->serve->config.up;

	up->pump(up->ctx, h);
}

static void pump_down(struct serve_relay *y)
{
	hf_serve_touch(y->task.req.session);
	hf_serve_pump(y->serve);
}

/* The device's stream is gone: the hub need not go on. */
static void relay_over(struct serve_task *t)
{
	struct serve_relay *y = (struct serve_relay *)t;
	struct hf_h2 *h = y->h;

	y->is_over = true;
	y->h = NULL;
	if (h != NULL) {
		hf_h2_cancel(h, y->call);
		pump_up(y, h);
		relay_unhold(y); /* the call's part: it will not be done any more */
	}
	relay_unhold(y);
}

/* The hub takes the next bytes of the request. */
static hf_err request_read(void *ctx, uint8_t *out, size_t cap, size_t *len, bool *is_end)
{
	struct serve_relay *y = ctx;

	if (y->is_over)
		return HF_ERR_CLOSED;
	HF_TRY(pipe_take(&y->request, out, cap, len, is_end));
	y->serve->stats.bytes_in += *len;
	if (pipe_len(&y->request) == 0 && !*is_end) {
		hf_h2_credit(y->task.req.session->h, y->task.req.stream);
		pump_down(y);
	}
	return HF_OK;
}

/* The device takes the next bytes of the answer. */
static hf_err answer_read(void *ctx, uint8_t *out, size_t cap, size_t *len, bool *is_end)
{
	struct serve_relay *y = ctx;

	if (pipe_len(&y->answer) == 0 && y->failed != HF_OK)
		return y->failed;
	HF_TRY(pipe_take(&y->answer, out, cap, len, is_end));
	y->serve->stats.bytes_out += *len;
	if (pipe_len(&y->answer) == 0 && y->h != NULL) {
		hf_h2_credit(y->h, y->call);
		pump_up(y, y->h);
	}
	return HF_OK;
}

static void source_close(void *ctx)
{
	relay_unhold(ctx);
}

/* Why there is no answer of the hub, to the device. */
static void refuse(struct serve_relay *y, hf_err e)
{
	struct hf_errinfo ei = { .code = HF_OK };

	y->is_answered = true;
	(void)hf_fail(
		&ei, e, "%s", e == HF_ERR_NET ? "the hub cannot be reached now" : hf_err_text(e));
	hf_serve_refuse(&y->task.req, HF_EV_REQUEST_REFUSED, e, &ei);
}

static hf_err on_head(void *ctx, int32_t stream, const struct hf_http_head *head)
{
	struct serve_relay *y = ctx;
	struct hf_http_source source = {
		.read = answer_read, .close = source_close, .ctx = y, .len = UINT64_MAX
	};
	struct hf_http_reply reply = {
		.status = head->status,
		.content_type = head->content_type[0] != '\0' ? head->content_type : NULL,
		.fields = head->fields,
		.n_fields = head->n_fields,
		.source = &source,
	};
	hf_err e;

	(void)stream;
	if (y->is_over)
		return HF_ERR_CLOSED;
	y->n_holders++;
	e = hf_h2_reply(y->task.req.session->h, y->task.req.stream, &reply);
	y->is_answered = e != HF_ERR_NO_MEMORY; /* else it still hears of that */
	pump_down(y);
	return e;
}

static hf_err on_body(void *ctx, int32_t stream, const uint8_t *bytes, size_t len)
{
	struct serve_relay *y = ctx;

	(void)stream;
	if (y->is_over)
		return HF_ERR_CLOSED;
	HF_TRY(pipe_put(&y->answer, bytes, len));
	hf_h2_resume(y->task.req.session->h, y->task.req.stream);
	pump_down(y);
	/* Taken at once: there is nothing to hold back for. */
	return pipe_len(&y->answer) == 0 ? HF_OK : HF_ERR_AGAIN;
}

static void on_done(void *ctx, int32_t stream, hf_err e, const struct hf_http_head *head,
	const uint8_t *body, size_t body_len)
{
	struct serve_relay *y = ctx;

	(void)stream;
	(void)head;
	(void)body;
	(void)body_len;
	y->h = NULL;
	if (!y->is_over) {
		y->answer.is_end = e == HF_OK;
		/* Whatever ended it on that side, on this side it is the way to the hub. */
		y->failed = e == HF_OK || e == HF_ERR_TIMEOUT ? e : HF_ERR_NET;
		if (!y->is_answered)
			refuse(y, e == HF_OK ? HF_ERR_NET : y->failed);
		else
			hf_h2_resume(y->task.req.session->h, y->task.req.stream);
		pump_down(y);
	}
	relay_unhold(y);
}

static struct serve_relay *relay_new(const struct serve_req *r)
{
	struct hf_serve *s = r->session->serve;
	struct serve_relay *y = hf_mem_new(s->mem, sizeof(*y));

	if (y == NULL)
		return NULL;
	s->n_relays++;
	y->next = s->relays;
	s->relays = y;
	y->mem = s->mem;
	y->serve = s;
	y->n_holders = 1;
	y->task.over = relay_over;
	hf_buf_init(&y->request.buf, s->mem, PIPE_MAX);
	hf_buf_init(&y->answer.buf, s->mem, PIPE_MAX);
	hf_serve_task_add(&y->task, r);
	return y;
}

/* Fields that go on: what they name is the hub's business; the correlation id always. */
static size_t make_fields(struct hf_http_field out[HF_HTTP_FIELDS_MAX], const struct serve_req *r,
	const struct hf_http_head *head)
{
	static const char *const names[] = { HF_FIELD_FOR, HF_FIELD_CHUNK };
	size_t n = 1;

	(void)snprintf(out[0].name, sizeof(out[0].name), "%s", HF_FIELD_REQUEST);
	hf_hex_emit(out[0].value, r->trace, sizeof(r->trace));
	for (size_t i = 0; i < HF_COUNT(names); i++) {
		const char *value = hf_serve_field(head, names[i]);

		if (value == NULL)
			continue;
		(void)snprintf(out[n].name, sizeof(out[n].name), "%s", names[i]);
		(void)snprintf(out[n].value, sizeof(out[n].value), "%s", value);
		n++;
	}
	return n;
}

/* Begins the call; its body is q's, or comes through the request pipe. */
static hf_err call_hub(struct serve_relay *y, const struct hf_http_request *q, bool is_streamed)
{
	const struct hf_upstream *up = y->serve->config.up;
	struct hf_http_field fields[HF_HTTP_FIELDS_MAX];
	struct hf_http_source source = {
		.read = request_read, .close = source_close, .ctx = y, .len = UINT64_MAX
	};
	const struct hf_http_call call = {
		.method = q->head->method,
		.path = q->head->path,
		.content_type = q->head->content_type[0] != '\0' ? q->head->content_type : NULL,
		.fields = fields,
		.n_fields = make_fields(fields, &y->task.req, q->head),
		.body = is_streamed ? NULL : q->body,
		.body_len = is_streamed ? 0 : q->body_len,
		.source = is_streamed ? &source : NULL,
		.body_max = ANSWER_MAX,
		.timeout_ms = is_streamed ? 0 : CALL_MS,
		.on_head = on_head,
		.on_body = on_body,
		.on_done = on_done,
		.ctx = y,
	};
	struct hf_h2 *h = up->session(up->ctx);
	hf_err e;

	if (h == NULL)
		return HF_ERR_NET;
	y->n_holders += is_streamed ? 2 : 1; /* the call, and its source */
	e = hf_h2_call(h, &y->call, &call, hf_clock_mono_ms());
	if (e != HF_OK) {
		y->n_holders--; /* the source, if any, was closed */
		return e == HF_ERR_LIMIT ? HF_ERR_AGAIN : e == HF_ERR_CLOSED ? HF_ERR_NET : e;
	}
	y->h = h;
	pump_up(y, y->h);
	return HF_OK;
}

static void pass_on(const struct serve_req *r, const struct hf_http_request *q, bool is_streamed)
{
	struct hf_errinfo ei = { .code = HF_OK };
	struct serve_relay *y = NULL;
	hf_err e = hf_serve_task_room(r->session, relay_over, SERVE_RELAYS_MAX, &ei);

	if (e == HF_OK && r->session->serve->n_relays == SERVE_RELAYS_MAX)
		e = hf_fail(&ei, HF_ERR_AGAIN, "too many requests are being passed on, try again");
	if (e == HF_OK)
		y = relay_new(r);
	if (y == NULL) {
		e = e == HF_OK ? HF_ERR_NO_MEMORY : e;
		hf_serve_refuse(r, HF_EV_REQUEST_REFUSED, e, &ei);
		return;
	}
	/* The session to the hub has a copy of it until it is sent. */
	e = hf_serve_task_keep(&y->task, q->body_len, NULL);
	if (e == HF_OK)
		e = call_hub(y, q, is_streamed);
	if (e != HF_OK)
		refuse(y, e);
}

void hf_serve_on_relay(void *ctx, const struct hf_http_request *q)
{
	struct serve_req r;

	hf_serve_req_init(&r, ctx, q);
	pass_on(&r, q, false);
}

/* The hub sees this edge's link, not the newcomer's: that its key is the link's is checked here. */
void hf_serve_on_relay_enroll(void *ctx, const struct hf_http_request *q)
{
	struct hf_errinfo ei = { .code = HF_OK };
	struct hf_api_enroll in;
	struct serve_req r;
	hf_err e;

	hf_serve_req_init(&r, ctx, q);
	e = hf_serve_enroll_read(&in, ctx, q, &ei);
	if (e == HF_OK)
		pass_on(&r, q, false);
	else
		hf_serve_refuse(&r, HF_EV_ENROL_REFUSED, e, &ei);
}

/* Likewise: a device asks for itself. */
void hf_serve_on_relay_grant(void *ctx, const struct hf_http_request *q)
{
	struct hf_errinfo ei = { .code = HF_OK };
	struct hf_api_grant in;
	struct hf_cert cert;
	struct serve_req r;
	hf_err e;

	hf_serve_req_init(&r, ctx, q);
	e = hf_serve_grant_read(&in, &cert, ctx, q, &ei);
	if (e == HF_OK)
		pass_on(&r, q, false);
	else
		hf_serve_refuse(&r, HF_EV_REQUEST_REFUSED, e, &ei);
}

void hf_serve_on_relay_put(void *ctx, const struct hf_http_request *q)
{
	struct serve_req r;

	hf_serve_req_init(&r, ctx, q);
	pass_on(&r, q, true);
}

/* There is no room for more of the request: the hub need not go on, nobody waits for its answer. */
static void give_up(struct serve_relay *y)
{
	struct hf_h2 *h = y->h;

	y->h = NULL;
	hf_buf_clear(&y->request.buf);
	y->request.at = 0;
	hf_serve_task_unkeep(&y->task);
	refuse(y, HF_ERR_AGAIN);
	hf_h2_cancel(h, y->call);
	pump_up(y, h);
	relay_unhold(y); /* the call's part */
}

hf_err hf_serve_on_relay_body(
	void *ctx, int32_t stream, const uint8_t *bytes, size_t len, bool is_end)
{
	struct serve_relay *y = (struct serve_relay *)hf_serve_task_find(ctx, stream);

	if (y == NULL || y->is_answered || y->h == NULL)
		return HF_OK; /* the hub has answered, and wants no more of it */
	HF_TRY(pipe_put(&y->request, bytes, len));
	if (hf_serve_task_keep(&y->task, y->request.buf.cap, NULL) != HF_OK) {
		give_up(y);
		return HF_OK;
	}
	y->request.is_end = is_end;
	hf_h2_resume(y->h, y->call);
	pump_up(y, y->h);
	return pipe_len(&y->request) == 0 || is_end ? HF_OK : HF_ERR_AGAIN;
}
