/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET and HEAD of objects. What is in the store is sent from there. An edge asks its fetching side
 * for the rest and answers when the first bytes are there:
 *
 *	waiting -> answered -> (dry <-> sending) -> over
 *
 * A body lives until its stream is over and its source is closed, in whatever order these come.
 * Who waits stands in the server's list, and only there: waiting for the first bytes, or dry.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "os/clock.h"
#include "os/file.h"
#include "svc/serve_inner.h"

enum {
	PIECE_MAX = 16 << 10, /* bytes that are asked for at a time before an answer begins */
	WAKE_ROUNDS_MAX = 16, /* looks at all who wait, for news that came while looking */
};

struct serve_get {
	struct serve_task task;
	struct hf_serve *serve;
	struct serve_get *next; /* who waits */
	bool is_waiting;
	bool is_head;
	bool is_answered;
	unsigned n_holders; /* stream, source */
	enum hf_object kind;
	uint8_t name[HF_SM3_LEN];
	char id[SERVE_ID_TEXT];
	bool has_range;
	uint64_t at;    /* next byte of the object */
	uint64_t last;  /* of a range: as asked */
	uint64_t end;   /* first byte that is not sent */
	uint64_t total; /* bytes of the object; 0: not known yet */
	int fd;
	uint64_t since_ms; /* waiting began */
	uint64_t moved_ms; /* something came from upstream */
	uint64_t look_no;  /* wake-up in which it was looked at last */
	hf_err failed;     /* while dry: the source ends with it */
};

static bool is_public(enum hf_object kind)
{
	return kind == HF_OBJECT_PACK || kind == HF_OBJECT_TABLE || kind == HF_OBJECT_INDEX ||
	       kind == HF_OBJECT_MANIFEST || kind == HF_OBJECT_ROOT;
}

hf_err hf_serve_object_of(enum hf_object *kind, uint8_t name[HF_SM3_LEN],
	const struct hf_http_head *head, struct hf_errinfo *ei)
{
	char path[HF_OBJECT_PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s", head->segments[2], head->segments[3]);

	if (n < 0 || n >= (int)sizeof(path) ||
		hf_object_path_parse(kind, name, path, (size_t)n) != HF_OK)
		return hf_fail(ei, HF_ERR_FORMAT, "%.20s/%.80s: no object has such a name",
			head->segments[2], head->segments[3]);
	return HF_OK;
}

static void wait_begin(struct serve_get *g)
{
	if (g->is_waiting)
		return;
	g->is_waiting = true;
	g->since_ms = hf_clock_mono_ms();
	g->moved_ms = g->since_ms;
	g->next = g->serve->waits;
	g->serve->waits = g;
}

static void wait_end(struct serve_get *g)
{
	struct serve_get **at = &g->serve->waits;

	if (!g->is_waiting)
		return;
	g->is_waiting = false;
	while (*at != g)
		at = &(*at)->next;
	*at = g->next;
}

static void get_unhold(struct serve_get *g)
{
	if (--g->n_holders > 0)
		return;
	wait_end(g);
	hf_file_close(&g->fd);
	g->serve->n_gets--;
	hf_mem_free(g->serve->mem, g);
}

/* The stream is gone. */
static void get_over(struct serve_task *t)
{
	struct serve_get *g = (struct serve_get *)t;

	wait_end(g);
	get_unhold(g);
}

static void get_close(void *ctx)
{
	get_unhold(ctx);
}

/* What is wanted next; at least one byte, so that something begins to move. */
static struct hf_wanted wanted(const struct serve_get *g, size_t max)
{
	struct hf_wanted w = { .kind = g->kind };
	uint64_t end = g->total != 0 ? g->end : g->has_range ? g->last + 1 : g->at + 1;

	memcpy(w.name, g->name, sizeof(w.name));
	if (g->kind != HF_OBJECT_PACK)
		return w;
	w.offset = g->at;
	w.len = end - g->at < max ? (size_t)(end - g->at) : max;
	return w;
}

/* Opens the object if it is whole; then fd and total are there. */
static hf_err open_whole(struct serve_get *g)
{
	struct hf_blobs *blobs = &g->serve->node->blobs;

	if (g->fd >= 0)
		return HF_OK;
	return hf_blob_open(blobs, &g->fd, &g->total, hf_object_kind(g->kind), g->id, NULL);
}

/* Bytes of a pack that is not whole yet. HF_ERR_AGAIN: now waiting for them. */
static hf_err read_partial(struct serve_get *g, uint8_t *out, size_t len)
{
	const struct hf_upstream *up = g->serve->config.up;
	struct hf_wanted w = wanted(g, len);
	hf_err e = up->read(up->ctx, &w, out);

	if (e != HF_ERR_AGAIN)
		return e;
	e = up->want(up->ctx, &w);
	if (e == HF_OK)
		e = open_whole(g) == HF_OK ? hf_file_pread(g->fd, out, len, g->at, NULL)
					   : up->read(up->ctx, &w, out);
	if (e == HF_ERR_AGAIN)
		wait_begin(g);
	return e;
}

static hf_err get_read(void *ctx, uint8_t *out, size_t cap, size_t *len, bool *is_end)
{
	struct serve_get *g = ctx;
	size_t n = g->end - g->at < cap ? (size_t)(g->end - g->at) : cap;
	hf_err e = g->failed != HF_OK ? g->failed : open_whole(g);

	if (e == HF_OK)
		e = hf_file_pread(g->fd, out, n, g->at, NULL);
	else if (e == HF_ERR_NOT_FOUND && g->serve->config.up != NULL)
		e = read_partial(g, out, n);
	if (e == HF_ERR_LIMIT)
		(void)!hf_serve_open_err(g->serve, e); /* too late for "later" */
	if (e != HF_OK)
		return e;
	g->at += n;
	g->serve->stats.bytes_out += n;
	*len = n;
	*is_end = g->at == g->end;
	return HF_OK;
}

/* Who fetched which release: the manifest stands for all of its objects. */
static void record_fetch(const struct serve_get *g)
{
	const struct serve_note note = { .event = HF_EV_MODEL_FETCH, .manifest = g->name };

	if (g->kind == HF_OBJECT_MANIFEST && !g->is_head)
		(void)!hf_serve_record(&g->task.req, &note, NULL);
}

static void refuse(struct serve_get *g, hf_err e, const char *text)
{
	struct hf_errinfo ei = { .code = HF_OK };

	wait_end(g);
	g->is_answered = true;
	(void)hf_fail(&ei, e, "%s/%s: %s", hf_object_kind(g->kind), g->id, text);
	hf_serve_refuse(&g->task.req, HF_EV_REQUEST_REFUSED, e, &ei);
}

/* total is known: which bytes are sent. */
static hf_err fix_range(struct serve_get *g)
{
	if (g->has_range && g->last >= g->total)
		return HF_ERR_FORMAT;
	g->end = g->has_range ? g->last + 1 : g->total;
	return HF_OK;
}

/* The head of the answer, and the body as its source. */
static void answer(struct serve_get *g)
{
	struct hf_range range = { g->at, g->end - 1, g->total };
	struct hf_http_field field = { .name = HF_FIELD_LENGTH };
	struct hf_http_source source = { .len = g->end - g->at };
	struct hf_http_reply reply = {
		.status = g->has_range ? 206 : 200,
		.content_type = g->kind == HF_OBJECT_MANIFEST || g->kind == HF_OBJECT_ROOT
					? HF_TYPE_DER
					: HF_TYPE_BYTES,
		.range = g->has_range ? &range : NULL,
		.fields = &field,
		.n_fields = 1,
		.source = &source,
	};

	(void)snprintf(field.value, sizeof(field.value), "%" PRIu64, g->total);
	wait_end(g);
	g->is_answered = true;
	record_fetch(g);
	if (!g->is_head) {
		source.read = get_read;
		source.close = get_close;
		source.ctx = g;
		g->n_holders++;
	}
	if (hf_h2_reply(g->task.req.session->h, g->task.req.stream, &reply) == HF_ERR_NO_MEMORY)
		hf_h2_reply_error(
			g->task.req.session->h, g->task.req.stream, HF_ERR_NO_MEMORY, NULL);
}

/*
 * The object is not whole here. HF_OK: it can be answered. HF_ERR_AGAIN: wait. A pack's length is
 * enough for HEAD; a body begins when its first bytes can be read.
 */
static hf_err look_upstream(struct serve_get *g)
{
	const struct hf_upstream *up = g->serve->config.up;
	struct hf_wanted w;
	hf_err e;

	if (g->kind == HF_OBJECT_PACK && g->total == 0 &&
		up->pack_len(up->ctx, g->name, &g->total) != HF_OK)
		g->total = 0;
	if (g->total != 0) {
		HF_TRY(fix_range(g));
		if (g->is_head)
			return HF_OK;
	}
	w = wanted(g, PIECE_MAX);
	e = up->want(up->ctx, &w);
	if (e != HF_OK)
		return e;
	if (open_whole(g) == HF_OK)
		return fix_range(g);
	/* Bytes of a pack whose table is not known would be nobody's. */
	if (g->kind != HF_OBJECT_PACK ||
		(g->total == 0 && up->pack_len(up->ctx, g->name, &g->total) != HF_OK))
		return HF_ERR_INTERNAL;
	return fix_range(g);
}

/* Answers if that is possible now; else it waits, or is refused. */
static void advance(struct serve_get *g)
{
	hf_err e = open_whole(g);

	if (e == HF_OK)
		e = fix_range(g);
	else if (e == HF_ERR_NOT_FOUND && g->serve->config.up != NULL)
		e = look_upstream(g);
	if (e == HF_ERR_AGAIN)
		wait_begin(g);
	else if (e == HF_OK)
		answer(g);
	else if (e == HF_ERR_LIMIT)
		refuse(g, hf_serve_open_err(g->serve, e), "cannot be opened now, try again");
	else
		refuse(g, e, e == HF_ERR_FORMAT ? "the range lies beyond the end" : hf_err_text(e));
}

static hf_err check_get(enum hf_object *kind, uint8_t name[HF_SM3_LEN],
	const struct hf_serve_session *session, const struct hf_http_head *head,
	struct hf_errinfo *ei)
{
	HF_TRY(hf_serve_object_of(kind, name, head, ei));
	if (!is_public(*kind))
		return hf_fail(ei, HF_ERR_DENIED, "a %s is not given out", hf_object_kind(*kind));
	if (head->has_range && *kind != HF_OBJECT_PACK)
		return hf_fail(ei, HF_ERR_FORMAT, "only packs are given out in ranges");
	if (head->has_range && head->range.last >= HF_PACK_MAX)
		return hf_fail(ei, HF_ERR_FORMAT, "no pack is as long as the range");
	if (session->serve->n_gets >= session->serve->max_gets)
		return hf_fail(ei, hf_serve_open_err(session->serve, HF_ERR_LIMIT),
			"too many objects are being sent, try again");
	return hf_serve_task_room(session, get_over, session->serve->max_gets, ei);
}

static struct serve_get *get_new(struct hf_serve *s, enum hf_object kind,
	const uint8_t name[HF_SM3_LEN], const struct hf_http_head *head)
{
	struct serve_get *g = hf_mem_new(s->mem, sizeof(*g));

	if (g == NULL)
		return NULL;
	s->n_gets++;
	g->serve = s;
	g->task.over = get_over;
	g->n_holders = 1;
	g->fd = -1;
	g->kind = kind;
	memcpy(g->name, name, sizeof(g->name));
	hf_hex_emit(g->id, name, HF_SM3_LEN);
	g->has_range = head->has_range;
	g->at = head->has_range ? head->range.first : 0;
	g->last = head->range.last;
	return g;
}

static void begin(struct hf_serve_session *session, const struct hf_http_request *q, bool is_head)
{
	struct hf_serve *s = session->serve;
	struct hf_errinfo ei = { .code = HF_OK };
	enum hf_object kind = HF_OBJECT_PACK;
	uint8_t name[HF_SM3_LEN] = { 0 };
	struct serve_get *g = NULL;
	struct serve_req r;
	hf_err e;

	hf_serve_req_init(&r, session, q);
	e = check_get(&kind, name, session, q->head, &ei);
	if (e == HF_OK)
		g = get_new(s, kind, name, q->head);
	if (g == NULL) {
		e = e == HF_OK ? HF_ERR_NO_MEMORY : e;
		hf_serve_refuse(&r, HF_EV_REQUEST_REFUSED, e, &ei);
		return;
	}
	g->is_head = is_head;
	hf_serve_task_add(&g->task, &r);
	advance(g);
	if (s->config.up == NULL)
		return;
	if (g->is_waiting)
		s->stats.n_misses++;
	else if (g->fd >= 0)
		s->stats.n_hits++;
}

void hf_serve_on_get(void *ctx, const struct hf_http_request *q)
{
	begin(ctx, q, false);
}

void hf_serve_on_head(void *ctx, const struct hf_http_request *q)
{
	begin(ctx, q, true);
}

/* Looks at one that waits again, and takes it from the list if it need not. */
static void look_again(struct serve_get *g)
{
	struct hf_serve_session *session = g->task.req.session;

	if (g->is_answered) {
		wait_end(g);
		hf_h2_resume(session->h, g->task.req.stream); /* dry: its source is read again */
	} else {
		advance(g);
	}
	hf_serve_touch(session);
}

/* One that was not looked at in this wake-up; NULL: all were. */
static struct serve_get *next_to_look_at(struct hf_serve *s)
{
	struct serve_get *g = s->waits;

	while (g != NULL && g->look_no == s->wake_no)
		g = g->next;
	return g;
}

void hf_serve_wake(struct hf_serve *s)
{
	struct serve_get *g;

	s->wake_again = true;
	if (s->is_waking)
		return;
	s->is_waking = true;
	for (unsigned round = 0; s->wake_again && round < WAKE_ROUNDS_MAX; round++) {
		uint64_t now_ms = hf_clock_mono_ms();

		s->wake_again = false;
		s->wake_no++;
		while ((g = next_to_look_at(s)) != NULL) {
			g->look_no = s->wake_no;
			g->moved_ms = now_ms;
			look_again(g);
		}
		hf_serve_pump(s);
	}
	s->is_waking = false;
}

static uint64_t wait_deadline(const struct serve_get *g)
{
	uint64_t stall = g->moved_ms + SERVE_STALL_MS;
	uint64_t all = g->since_ms + SERVE_WAIT_MS;

	return stall < all ? stall : all;
}

uint64_t hf_serve_waits_deadline(const struct hf_serve *s)
{
	uint64_t at = UINT64_MAX;

	for (const struct serve_get *g = s->waits; g != NULL; g = g->next)
		if (wait_deadline(g) < at)
			at = wait_deadline(g);
	return at;
}

/* Who waited too long hears of it: as an answer, or as the end of the body. */
static void time_out(struct serve_get *g)
{
	if (!g->is_answered) {
		refuse(g, HF_ERR_TIMEOUT, "did not come from upstream in time");
		hf_serve_touch(g->task.req.session);
		return;
	}
	g->failed = HF_ERR_TIMEOUT;
	look_again(g);
}

void hf_serve_waits_tick(struct hf_serve *s, uint64_t now_ms)
{
	struct serve_get *g = s->waits;

	while (g != NULL) {
		struct serve_get *next = g->next;

		if (now_ms >= wait_deadline(g))
			time_out(g);
		g = next;
	}
}
