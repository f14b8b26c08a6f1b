/* SPDX-License-Identifier: Apache-2.0 */
/* What both ends of an HTTP/2 connection share: limits, streams, bodies, time. */
#include "http/h2.h"

#include <string.h>

#include "http/h2_session.h"

enum {
	WINDOW_MIN = 16 * 1024,
	WINDOW_MAX = 16 * 1024 * 1024,
	WINDOW_STREAMS = 4,  /* the connection's window holds this many streams' */
	OUTBOUND_ACKS = 64,  /* answers to PING and SETTINGS that wait to be sent */
	BAD_STREAM_COST = 8, /* control frames that a refused head counts as */
	EARNED_PER_BYTE = 1, /* data earns back what the frames around it cost, in 1/1000 */
};

const struct hf_h2_limits hf_h2_limits_default = {
	.max_streams = 64,
	.header_max = 8 * 1024,
	.window = 1024 * 1024,
	.message_ms = 30 * 1000,
	.stall_ms = 60 * 1000,
	.quiet_ms = 10 * 1000,
	.control_burst = 500,
	.control_rate = 100,
};

static hf_err check_limits(const struct hf_h2_limits *l)
{
	bool is_good = l->max_streams > 0 && l->max_streams <= HF_H2_STREAMS_MAX;

	is_good = is_good && l->header_max > 0 && l->message_ms > 0 && l->stall_ms > 0;
	is_good = is_good && l->window >= WINDOW_MIN && l->window <= WINDOW_MAX;
	is_good = is_good && l->control_burst > 0 && l->control_rate > 0;
	return is_good ? HF_OK : HF_ERR_ARG;
}

struct stream *hf_h2_find(const struct hf_h2 *h, int32_t id)
{
	struct stream *s = h->streams;

	while (s != NULL && s->id != id)
		s = s->next;
	return s;
}

struct stream *hf_h2_stream_new(struct hf_h2 *h)
{
	struct stream *s;

	if (h->n_streams == h->limits.max_streams)
		return NULL;
	s = hf_mem_new(h->mem, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->deadline_ms = h->now_ms + h->limits.message_ms;
	s->hard_ms = UINT64_MAX;
	hf_buf_init(&s->body, h->mem, 0);
	hf_buf_init(&s->out, h->mem, SIZE_MAX);
	s->next = h->streams;
	h->streams = s;
	h->n_streams++;
	return s;
}

static void source_close(struct stream *s)
{
	if (s->has_source && s->source.close != NULL)
		s->source.close(s->source.ctx);
	s->source.close = NULL;
}

void hf_h2_body_drop(struct hf_h2 *h, struct stream *s)
{
	size_t before = s->body.cap;

	hf_buf_clear(&s->body);
	if (before > 0 && h->server.on_keep != NULL)
		(void)h->server.on_keep(h->server.ctx, before, 0);
}

void hf_h2_stream_free(struct hf_h2 *h, struct stream *s)
{
	struct stream **at = &h->streams;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	h->n_streams--;
	source_close(s);
	hf_h2_body_drop(h, s);
	hf_buf_clear(&s->out);
	hf_mem_free(h->mem, s);
}

void hf_h2_reset(struct hf_h2 *h, struct stream *s, hf_err e)
{
	if (s->why != HF_OK)
		return;
	s->why = e;
	s->deadline_ms = UINT64_MAX;
	s->hard_ms = UINT64_MAX;
	if (nghttp2_submit_rst_stream(h->ng, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_CANCEL) != 0)
		h->err = HF_ERR_NO_MEMORY;
}

hf_err hf_h2_body_set(
	struct stream *s, const uint8_t *body, size_t body_len, const struct hf_http_source *source)
{
	if (source != NULL) {
		s->source = *source;
		s->has_source = true;
		return HF_OK;
	}
	return hf_buf_put(&s->out, body, body_len);
}

/* The reader took bytes: the peer may send as many more. */
static void consume(struct hf_h2 *h, int32_t id, size_t len)
{
	if (len > 0 && nghttp2_session_consume(h->ng, id, len) != 0)
		h->err = HF_ERR_NO_MEMORY;
}

/* Nobody reads them: the connection goes on, the stream's own window stays shut. */
static void consume_lost(struct hf_h2 *h, size_t len)
{
	if (len > 0 && nghttp2_session_consume_connection(h->ng, len) != 0)
		h->err = HF_ERR_NO_MEMORY;
}

static uint64_t control_full(const struct hf_h2 *h)
{
	return (uint64_t)h->limits.control_burst * 1000;
}

static void control_earn(struct hf_h2 *h, uint64_t milli)
{
	uint64_t room = control_full(h) - h->tokens_milli;

	h->tokens_milli += milli < room ? milli : room;
}

/* Counts frames that carry no data; false: that is a flood. */
static bool control_spend(struct hf_h2 *h, uint64_t n)
{
	uint64_t passed = h->now_ms - h->tokens_ms;

	/* A rate of one a second fills any bucket in control_full milliseconds. */
	control_earn(
		h, passed > control_full(h) ? control_full(h) : passed * h->limits.control_rate);
	h->tokens_ms = h->now_ms;
	if (h->tokens_milli < n * 1000)
		return false;
	h->tokens_milli -= n * 1000;
	return true;
}

static int flooded(struct hf_h2 *h)
{
	h->err = HF_ERR_LIMIT;
	(void)nghttp2_session_terminate_session(h->ng, NGHTTP2_ENHANCE_YOUR_CALM);
	return NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_begin_headers(nghttp2_session *ng, const nghttp2_frame *frame, void *ctx)
{
	struct hf_h2 *h = ctx;
	struct stream *s;

	if (frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	s = hf_h2_stream_new(h);
	if (s == NULL)
		return control_spend(h, BAD_STREAM_COST) ? NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE
							 : flooded(h);
	s->id = frame->hd.stream_id;
	(void)nghttp2_session_set_stream_user_data(ng, s->id, s);
	return 0;
}

static int on_header(nghttp2_session *ng, const nghttp2_frame *frame, const uint8_t *name,
	size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *ctx)
{
	struct stream *s = nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);
	struct hf_h2 *h = ctx;

	(void)flags;
	if (s == NULL)
		return 0;
	hf_h2_head_field(
		h, s, (struct hf_bytes){ name, name_len }, (struct hf_bytes){ value, value_len });
	if (s->head_len <= 2 * (uint64_t)h->limits.header_max)
		return 0;
	/* Far beyond the limit: a bomb. What is left of it is not even looked at. */
	if (!control_spend(h, BAD_STREAM_COST))
		return flooded(h);
	s->why = HF_ERR_LIMIT;
	return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/* Informational answers (1xx) come before the head that counts. */
static bool is_informational(const struct hf_h2 *h, const struct stream *s)
{
	return !h->is_server && s->head_err == HF_OK && s->head.status < 200;
}

static void stream_frame(struct hf_h2 *h, struct stream *s, const nghttp2_frame *frame)
{
	bool is_end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;

	if (frame->hd.type == NGHTTP2_HEADERS && !s->has_head) {
		if (is_informational(h, s)) {
			s->head = (struct hf_http_head){ .status = 0 };
			return;
		}
		s->has_head = true;
		s->is_ended = is_end;
		h->side->on_head(h, s);
	} else if (!is_end || s->is_ended) {
		return;
	}
	s->is_ended = s->is_ended || is_end;
	if (s->is_ended && s->why == HF_OK)
		h->side->on_end(h, s);
}

static int on_frame_recv(nghttp2_session *ng, const nghttp2_frame *frame, void *ctx)
{
	struct hf_h2 *h = ctx;
	struct stream *s;

	if ((frame->hd.type != NGHTTP2_DATA || frame->hd.length == 0) && !control_spend(h, 1))
		return flooded(h);
	if (frame->hd.type == NGHTTP2_GOAWAY)
		h->is_goaway = true;
	if (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS)
		return 0;
	s = nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);
	if (s != NULL)
		stream_frame(h, s, frame);
	return 0;
}

static int on_data(
	nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *bytes, size_t len, void *ctx)
{
	struct stream *s = nghttp2_session_get_stream_user_data(ng, id);
	struct hf_h2 *h = ctx;
	hf_err e;

	(void)flags;
	control_earn(h, len * EARNED_PER_BYTE);
	if (s == NULL || s->why != HF_OK || s->is_replied) {
		consume_lost(h, len);
		return 0;
	}
	s->body_len += len;
	e = h->side->on_body(h, s, bytes, len);
	if (e == HF_ERR_AGAIN) {
		s->held += len;
		s->deadline_ms = UINT64_MAX; /* it is our side that is slow */
		return 0;
	}
	consume(h, id, len);
	return 0;
}

static hf_err why_closed(const struct stream *s, uint32_t code)
{
	if (s->why != HF_OK)
		return s->why;
	if (code == NGHTTP2_NO_ERROR && s->is_ended)
		return HF_OK;
	if (code == NGHTTP2_REFUSED_STREAM)
		return HF_ERR_AGAIN;
	return code == NGHTTP2_PROTOCOL_ERROR ? HF_ERR_FORMAT : HF_ERR_NET;
}

static int on_stream_close(nghttp2_session *ng, int32_t id, uint32_t code, void *ctx)
{
	struct stream *s = nghttp2_session_get_stream_user_data(ng, id);
	struct hf_h2 *h = ctx;

	if (s == NULL)
		return 0;
	consume_lost(h, s->held);
	s->held = 0;
	(void)nghttp2_session_set_stream_user_data(ng, id, NULL);
	h->side->on_close(h, s, why_closed(s, code));
	hf_h2_stream_free(h, s);
	return 0;
}

static int on_frame_send(nghttp2_session *ng, const nghttp2_frame *frame, void *ctx)
{
	struct hf_h2 *h = ctx;
	struct stream *s;

	if (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS)
		return 0;
	control_earn(h, 1000); /* a receiver answers data with window updates */
	s = nghttp2_session_get_stream_user_data(ng, frame->hd.stream_id);
	if (s == NULL)
		return 0;
	if (s->deadline_ms != UINT64_MAX)
		s->deadline_ms = h->now_ms + h->limits.stall_ms;
	/* RFC 9113 8.1: an answer that needs no more of the request ends it with NO_ERROR. */
	if (h->is_server && !s->is_ended && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 &&
		nghttp2_submit_rst_stream(ng, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_NO_ERROR) != 0)
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	return 0;
}

static ssize_t read_bytes(struct stream *s, uint8_t *buf, size_t cap, uint32_t *flags)
{
	size_t len = s->out.len - s->out_at;

	if (len > cap)
		len = cap;
	if (len > 0)
		memcpy(buf, s->out.p + s->out_at, len);
	s->out_at += len;
	if (s->out_at == s->out.len)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)len;
}

/* A length that was promised is kept, or the stream ends as what it is: broken. */
static hf_err source_read(struct stream *s, uint8_t *buf, size_t cap, size_t *len, bool *is_end)
{
	uint64_t left = s->source.len;

	HF_TRY(s->source.read(s->source.ctx, buf, cap, len, is_end));
	if (*len > cap || (*len == 0 && !*is_end))
		return HF_ERR_INTERNAL;
	if (left == UINT64_MAX)
		return HF_OK;
	if (*len > left || (*is_end && *len < left))
		return HF_ERR_IO;
	s->source.len -= *len;
	return HF_OK;
}

static ssize_t on_read(nghttp2_session *ng, int32_t id, uint8_t *buf, size_t cap, uint32_t *flags,
	nghttp2_data_source *source, void *ctx)
{
	struct stream *s = source->ptr;
	struct hf_h2 *h = ctx;
	bool is_end = false;
	size_t len = 0;
	hf_err e;

	(void)ng;
	(void)id;
	if (!s->has_source)
		return read_bytes(s, buf, cap, flags);
	e = source_read(s, buf, cap, &len, &is_end);
	if (e == HF_ERR_AGAIN) {
		s->deadline_ms = UINT64_MAX; /* it is our side that has nothing */
		return NGHTTP2_ERR_DEFERRED;
	}
	if (e != HF_OK) {
		s->why = e;
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	}
	s->deadline_ms = h->now_ms + h->limits.stall_ms;
	if (is_end) {
		*flags |= NGHTTP2_DATA_FLAG_EOF;
		source_close(s);
	}
	return (ssize_t)len;
}

const nghttp2_data_provider *hf_h2_provider(struct stream *s, nghttp2_data_provider *storage)
{
	if (!s->has_source && s->out.len == 0)
		return NULL;
	storage->source.ptr = s;
	storage->read_callback = on_read;
	return storage;
}

static hf_err session_make(struct hf_h2 *h)
{
	nghttp2_session_callbacks *calls = NULL;
	nghttp2_option *option = NULL;
	int rc = NGHTTP2_ERR_NOMEM;

	if (nghttp2_session_callbacks_new(&calls) != 0 || nghttp2_option_new(&option) != 0)
		goto out;
	nghttp2_session_callbacks_set_on_begin_headers_callback(calls, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(calls, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(calls, on_frame_recv);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(calls, on_stream_close);
	nghttp2_session_callbacks_set_on_frame_send_callback(calls, on_frame_send);
	nghttp2_option_set_no_auto_window_update(option, 1);
	nghttp2_option_set_no_closed_streams(option, 1);
	nghttp2_option_set_max_outbound_ack(option, OUTBOUND_ACKS);
	nghttp2_option_set_peer_max_concurrent_streams(option, h->limits.max_streams);
	hf_h2_mem_init(&h->ng_mem, h->mem);
	if (h->is_server)
		rc = nghttp2_session_server_new3(&h->ng, calls, h, option, &h->ng_mem);
	else
		rc = nghttp2_session_client_new3(&h->ng, calls, h, option, &h->ng_mem);
out:
	nghttp2_session_callbacks_del(calls);
	nghttp2_option_del(option);
	return rc == 0 ? HF_OK : HF_ERR_NO_MEMORY;
}

static hf_err session_greet(struct hf_h2 *h)
{
	const struct hf_h2_limits *l = &h->limits;
	const nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, h->is_server ? l->max_streams : 0 },
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, l->window },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, l->header_max },
		/* RFC 9113 8.4: only a client may speak of push, and it wants none. */
		{ NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
	};
	size_t n = HF_COUNT(settings) - (h->is_server ? 1 : 0);
	int32_t window = (int32_t)(l->window * WINDOW_STREAMS);

	if (nghttp2_submit_settings(h->ng, NGHTTP2_FLAG_NONE, settings, n) != 0 ||
		nghttp2_session_set_local_window_size(h->ng, NGHTTP2_FLAG_NONE, 0, window) != 0)
		return HF_ERR_NO_MEMORY;
	return HF_OK;
}

hf_err hf_h2_new(struct hf_h2 **out, const struct hf_mem *mem, const struct hf_h2_limits *limits,
	const struct h2_side *side, bool is_server, uint64_t now_ms)
{
	struct hf_h2 *h;
	hf_err e;

	HF_TRY(check_limits(limits));
	h = hf_mem_new(mem, sizeof(*h));
	if (h == NULL)
		return HF_ERR_NO_MEMORY;
	h->mem = mem;
	h->limits = *limits;
	h->side = side;
	h->is_server = is_server;
	h->now_ms = now_ms;
	h->tokens_ms = now_ms;
	h->tokens_milli = control_full(h);
	h->pinged_ms = UINT64_MAX;
	e = session_make(h);
	if (e == HF_OK)
		e = session_greet(h);
	if (e != HF_OK) {
		hf_h2_free(h);
		return e;
	}
	*out = h;
	return HF_OK;
}

void hf_h2_free(struct hf_h2 *h)
{
	if (h == NULL)
		return;
	h->is_closing = true; /* nobody begins anything any more */
	while (h->streams != NULL) {
		struct stream *s = h->streams;

		h->side->on_close(h, s, s->why != HF_OK ? s->why : HF_ERR_CLOSED);
		hf_h2_stream_free(h, s);
	}
	nghttp2_session_del(h->ng);
	hf_mem_free(h->mem, h);
}

static void see_time(struct hf_h2 *h, uint64_t now_ms)
{
	if (now_ms > h->now_ms)
		h->now_ms = now_ms;
}

static hf_err err_of(ssize_t rc)
{
	if (rc == NGHTTP2_ERR_NOMEM)
		return HF_ERR_NO_MEMORY;
	return rc == NGHTTP2_ERR_FLOODED ? HF_ERR_LIMIT : HF_ERR_FORMAT;
}

hf_err hf_h2_feed(struct hf_h2 *h, size_t *used, const uint8_t *in, size_t in_len, uint64_t now_ms)
{
	ssize_t n;

	see_time(h, now_ms);
	if (h->err != HF_OK)
		return h->err;
	h->heard_ms = h->now_ms;
	h->pinged_ms = UINT64_MAX;
	n = nghttp2_session_mem_recv(h->ng, in, in_len);
	if (n < 0 && h->err == HF_OK)
		h->err = err_of(n);
	/* nghttp2 answers broken protocol with GOAWAY by itself, and then reads no more. */
	if (h->err == HF_OK && nghttp2_session_want_read(h->ng) == 0 && !h->is_closing &&
		!h->is_goaway)
		h->err = HF_ERR_FORMAT;
	if (h->err != HF_OK)
		return h->err;
	*used = in_len;
	return HF_OK;
}

size_t hf_h2_out(struct hf_h2 *h, const uint8_t **bytes)
{
	if (h->out_len == 0) {
		ssize_t n = nghttp2_session_mem_send(h->ng, &h->out);

		if (n < 0 && h->err == HF_OK)
			h->err = err_of(n);
		h->out_len = n > 0 ? (size_t)n : 0;
	}
	*bytes = h->out;
	return h->out_len;
}

void hf_h2_sent(struct hf_h2 *h, size_t n)
{
	h->out += n;
	h->out_len -= n;
}

void hf_h2_expect(struct hf_h2 *h)
{
	if (h->n_streams == 1 && h->pinged_ms == UINT64_MAX)
		h->heard_ms = h->now_ms;
}

/* A body of ours may fill all queues on the way, and the question then waits behind it. */
static bool is_sending(const struct hf_h2 *h)
{
	for (const struct stream *s = h->streams; s != NULL; s = s->next)
		if (s->has_source || s->out_at < s->out.len)
			return true;
	return false;
}

/* When to ask a silent peer whether it is there, or to take it for gone. */
static uint64_t quiet_end(const struct hf_h2 *h)
{
	if (h->is_server || h->n_streams == 0 || h->limits.quiet_ms == 0 || h->err != HF_OK)
		return UINT64_MAX;
	if (h->pinged_ms == UINT64_MAX)
		return h->heard_ms + h->limits.quiet_ms;
	return h->pinged_ms + (is_sending(h) ? h->limits.stall_ms : h->limits.quiet_ms);
}

static void quiet_tick(struct hf_h2 *h)
{
	if (h->now_ms < quiet_end(h))
		return;
	if (h->pinged_ms != UINT64_MAX)
		h->err = HF_ERR_TIMEOUT;
	else if (nghttp2_submit_ping(h->ng, NGHTTP2_FLAG_NONE, NULL) != 0)
		h->err = HF_ERR_NO_MEMORY;
	h->pinged_ms = h->now_ms;
}

uint64_t hf_h2_deadline(const struct hf_h2 *h)
{
	uint64_t at = quiet_end(h);

	for (const struct stream *s = h->streams; s != NULL; s = s->next) {
		if (s->deadline_ms < at)
			at = s->deadline_ms;
		if (s->hard_ms < at)
			at = s->hard_ms;
	}
	return at;
}

void hf_h2_tick(struct hf_h2 *h, uint64_t now_ms)
{
	see_time(h, now_ms);
	quiet_tick(h);
	/* No stream is freed here: that comes when nghttp2 sends or reads. */
	for (struct stream *s = h->streams; s != NULL; s = s->next) {
		if (h->now_ms < s->deadline_ms && h->now_ms < s->hard_ms)
			continue;
		hf_h2_reset(h, s, HF_ERR_TIMEOUT);
		/* A server that lets no stream begin, or reads nothing, must not delay the news. */
		if (!h->is_server)
			h->side->on_close(h, s, HF_ERR_TIMEOUT);
		else
			hf_h2_body_drop(h, s); /* the peer may not let the news out for long */
	}
}

void hf_h2_shutdown(struct hf_h2 *h)
{
	int32_t last = nghttp2_session_get_last_proc_stream_id(h->ng);

	if (h->is_closing)
		return;
	h->is_closing = true;
	if (nghttp2_submit_goaway(h->ng, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, NULL, 0) != 0)
		h->err = HF_ERR_NO_MEMORY;
}

hf_err hf_h2_error(const struct hf_h2 *h)
{
	return h->err;
}

bool hf_h2_is_over(const struct hf_h2 *h)
{
	bool is_quiet = h->out_len == 0 && nghttp2_session_want_write(h->ng) == 0;

	return is_quiet && (h->err != HF_OK || nghttp2_session_want_read(h->ng) == 0);
}

size_t hf_h2_n_streams(const struct hf_h2 *h)
{
	return h->n_streams;
}

uint64_t hf_h2_now(const struct hf_h2 *h)
{
	return h->now_ms;
}

void hf_h2_resume(struct hf_h2 *h, int32_t stream)
{
	struct stream *s = hf_h2_find(h, stream);

	if (s == NULL || s->why != HF_OK)
		return;
	s->deadline_ms = h->now_ms + h->limits.stall_ms;
	/* Fails where nothing is put off: then it will be asked anyway. */
	(void)nghttp2_session_resume_data(h->ng, stream);
}

void hf_h2_credit(struct hf_h2 *h, int32_t stream)
{
	struct stream *s = hf_h2_find(h, stream);
	size_t held;

	if (s == NULL || s->held == 0)
		return;
	held = s->held;
	s->held = 0;
	if (!s->is_ended)
		s->deadline_ms = h->now_ms + h->limits.stall_ms;
	consume(h, stream, held);
}
