/* SPDX-License-Identifier: Apache-2.0 */
/*
 * front.sock: questions of local users (svc/local.h). Who may open models may ask; a pull that is
 * waited for is told about until its release is there, or until it failed in a way that trying
 * again does not mend.
 */
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "codec/json.h"
#include "codec/json_wr.h"
#include "front.h"
#include "os/process.h"
#include "svc/local.h"

enum {
	ASKERS_MAX = 32,
	ASKER_SLOW_MS = 10 * 1000,
	QUESTION_MAX = 4096,
	DEPTH_MAX = 4,
	LOOK_MS = 200,  /* between two looks at a pull that is waited for */
	TELL_MS = 1000, /* a waiter hears something at least this often */
};

struct question {
	char what[16];
	char lineage[HF_ID_MAX + 1];
	bool is_waiting;
};

static bool may_ask(const struct front *f, uint32_t uid)
{
	const struct hufud_config *c = &f->child.config;

	if (uid == 0 || uid == hf_process_uid())
		return true;
	for (size_t i = 0; i < c->n_open_uids; i++)
		if (c->open_uids[i] == uid)
			return true;
	return false;
}

static size_t on_knock(void *ctx, uint32_t uid)
{
	(void)ctx;
	(void)uid;
	return QUESTION_MAX; /* strangers are told that they are */
}

static void tell(struct hufud_asker *a, struct hf_buf *text, hf_err e)
{
	if (e == HF_OK)
		hufud_asker_send(a, text->p, text->len);
	else
		hufud_asker_close(a);
	hf_buf_clear(text);
}

static void tell_error(struct front *f, struct hufud_asker *a, hf_err e, const char *why)
{
	struct hf_buf text;
	struct hf_json_wr j;

	hf_buf_init(&text, f->env.mem, HF_LOCAL_MESSAGE_MAX);
	j = hf_json_wr(&text);
	hf_json_wr_object(&j);
	hf_json_wr_key(&j, "error");
	hf_json_wr_str(&j, hf_err_name(e));
	hf_json_wr_key(&j, "code");
	hf_json_wr_u64(&j, (uint64_t)e);
	hf_json_wr_key(&j, "text");
	hf_json_wr_str(&j, why);
	hf_json_wr_end(&j);
	tell(a, &text, hf_json_wr_done(&j));
	hufud_asker_close(a);
}

static void on_busy(void *ctx, struct hufud_asker *a)
{
	tell_error(ctx, a, HF_ERR_LIMIT, "the node is busy: too many ask it now; try again");
}

static void tell_lineage(
	struct front *f, struct hufud_asker *a, const char *what, const struct hf_agent_lineage *l)
{
	struct hf_buf text;

	hf_buf_init(&text, f->env.mem, HF_LOCAL_MESSAGE_MAX);
	tell(a, &text, front_progress_emit(&text, what, l));
}

static void answer_status(struct front *f, struct hufud_asker *a)
{
	struct hf_buf text;

	hf_buf_init(&text, f->env.mem, HF_LOCAL_MESSAGE_MAX);
	tell(a, &text, front_status_emit(f, &text));
	hufud_asker_close(a);
}

static bool find_lineage(const struct front *f, struct hf_agent_lineage *out, const char *name)
{
	for (size_t i = 0; hf_agent_lineage_get(f->agent, i, out); i++)
		if (strcmp(out->lineage, name) == 0)
			return true;
	return false;
}

static void answer_pull(struct front *f, struct hufud_asker *a, const struct question *q)
{
	struct hf_errinfo ei = { 0 };
	struct hf_agent_stats stats;
	struct front_waiter *w = NULL;
	hf_err e;

	if (f->agent == NULL) {
		tell_error(f, a, HF_ERR_STATE, "a hub pulls nothing; ask an edge or a device");
		return;
	}
	if (!hf_id_is_valid(q->lineage)) {
		tell_error(f, a, HF_ERR_ARG, "pull: not the name of a lineage");
		return;
	}
	for (size_t i = 0; i < HF_COUNT(f->waiters) && q->is_waiting && w == NULL; i++)
		if (f->waiters[i].asker == NULL)
			w = &f->waiters[i];
	if (q->is_waiting && w == NULL) {
		tell_error(f, a, HF_ERR_LIMIT, "pull: too many wait already");
		return;
	}
	hf_agent_stats_get(f->agent, &stats, front_now(f));
	e = hf_agent_pull(f->agent, q->lineage, front_now(f), &ei);
	if (e != HF_OK) {
		tell_error(f, a, e, ei.text[0] != '\0' ? ei.text : hf_err_text(e));
		return;
	}
	if (w == NULL) {
		tell_lineage(f, a, "done", NULL);
		hufud_asker_close(a);
		return;
	}
	/* A look that is under way began before the question. */
	*w = (struct front_waiter){ .asker = a,
		.told_ms = front_now(f),
		.n_looks = stats.n_looks + (stats.is_looking ? 2 : 1) };
	memcpy(w->lineage, q->lineage, sizeof(w->lineage));
	hufud_asker_wait(a);
	hufud_asker_ctx_set(a, w);
	f->look_ms = front_now(f);
}

static void answer_push(struct front *f, struct hufud_asker *a)
{
	if (f->agent == NULL) {
		tell_error(f, a, HF_ERR_STATE, "a hub sends nothing up; ask an edge or a device");
		return;
	}
	hf_agent_push(f->agent, front_now(f));
	tell_lineage(f, a, "done", NULL);
	hufud_asker_close(a);
}

/* One member of the question. */
static hf_err take_member(struct hf_json *j, struct question *q, const struct hf_json_token *key)
{
	struct hf_json_token t;

	HF_TRY(hf_json_next(j, &t));
	if (hf_json_is(key, "do"))
		return hf_json_text(q->what, sizeof(q->what), NULL, &t);
	if (hf_json_is(key, "lineage"))
		return hf_json_text(q->lineage, sizeof(q->lineage), NULL, &t);
	if (!hf_json_is(key, "wait"))
		return hf_json_skip(j, &t);
	q->is_waiting = t.kind == HF_JSON_TRUE;
	return t.kind == HF_JSON_TRUE || t.kind == HF_JSON_FALSE ? HF_OK : HF_ERR_FORMAT;
}

static hf_err question_parse(struct question *q, const uint8_t *bytes, size_t len)
{
	struct hf_json_token t;
	struct hf_json j;

	hf_json_init(&j, bytes, len, DEPTH_MAX);
	HF_TRY(hf_json_want(&j, &t, HF_JSON_OBJECT));
	for (;;) {
		HF_TRY(hf_json_next(&j, &t));
		if (t.kind == HF_JSON_OBJECT_END)
			break;
		HF_TRY(take_member(&j, q, &t));
	}
	return hf_json_want(&j, &t, HF_JSON_END);
}

static void on_message(void *ctx, struct hufud_asker *a, const uint8_t *bytes, size_t len)
{
	struct front *f = ctx;
	struct question q = { .what = "" };

	if (hufud_asker_ctx(a) != NULL)
		return; /* it waits for its answer already */
	if (!may_ask(f, hufud_asker_uid(a)))
		tell_error(f, a, HF_ERR_DENIED,
			"this user may not ask; open-users of hufud.yaml says who may");
	else if (question_parse(&q, bytes, len) != HF_OK)
		tell_error(f, a, HF_ERR_FORMAT, "the question is malformed");
	else if (strcmp(q.what, "status") == 0)
		answer_status(f, a);
	else if (strcmp(q.what, "pull") == 0)
		answer_pull(f, a, &q);
	else if (strcmp(q.what, "push") == 0)
		answer_push(f, a);
	else
		tell_error(f, a, HF_ERR_UNSUPPORTED, "there is no such question");
}

static void on_gone(void *ctx, struct hufud_asker *a)
{
	struct front_waiter *w = hufud_asker_ctx(a);

	(void)ctx;
	if (w != NULL)
		w->asker = NULL;
}

/* Trying again may mend it: the waiter goes on waiting. */
static bool is_passing(hf_err e)
{
	switch (e) {
	case HF_OK:
	case HF_ERR_NET:
	case HF_ERR_TIMEOUT:
	case HF_ERR_CLOSED:
	case HF_ERR_AGAIN:
	case HF_ERR_TRUNCATED:
	case HF_ERR_STATE: return true;
	default: return false;
	}
}

/*
 * A pull is over when what the channel says since it was asked for runs here, or cannot, or when
 * the channel itself is refused. A failure of before that is about to be tried again does not
 * count.
 */
static bool is_over(const struct hf_agent_stats *stats, const struct front_waiter *w,
	const struct hf_agent_lineage *l)
{
	if (stats->n_looks < w->n_looks)
		return false;
	if (stats->err != HF_OK)
		return !is_passing(stats->err);
	if (l->err == HF_OK)
		return l->step == HF_AGENT_ACTIVE;
	return !is_passing(l->err) && (l->n_tries > 0 || l->step == HF_AGENT_IDLE);
}

/* Why no source is there to ask, if that is so. */
static void take_source_error(const struct front *f, struct hf_agent_lineage *l)
{
	const struct hf_errinfo *first = NULL;

	for (size_t i = 0; i < f->child.config.n_upstreams; i++) {
		const struct front_source *s = &f->sources[i];

		if (s->is_up)
			return;
		if (first == NULL && s->why.code != HF_OK)
			first = &s->why;
	}
	if (first == NULL)
		return;
	l->err = first->code;
	(void)snprintf(l->why, sizeof(l->why), "%s", first->text);
}

static void look(struct front *f, struct front_waiter *w, uint64_t now_ms)
{
	struct hf_agent_stats stats;
	struct hf_agent_lineage l;

	if (!find_lineage(f, &l, w->lineage)) {
		tell_error(f, w->asker, HF_ERR_NOT_FOUND, "the lineage is not followed any more");
		return;
	}
	hf_agent_stats_get(f->agent, &stats, now_ms);
	if (stats.err != HF_OK) { /* that comes first, and is what it waits for */
		l.err = stats.err;
		memcpy(l.why, stats.why, sizeof(l.why));
	}
	if (is_over(&stats, w, &l) && l.err != HF_OK) {
		tell_error(f, w->asker, l.err, l.why);
		return;
	}
	if (is_over(&stats, w, &l)) {
		tell_lineage(f, w->asker, "done", &l);
		hufud_asker_close(w->asker);
		return;
	}
	if (l.progress.bytes_done == w->told_bytes && now_ms - w->told_ms < TELL_MS)
		return;
	w->told_bytes = l.progress.bytes_done;
	w->told_ms = now_ms;
	if (l.err == HF_OK)
		take_source_error(f, &l);
	tell_lineage(f, w->asker, "progress", &l);
}

void front_local_tick(struct front *f, uint64_t now_ms)
{
	if (now_ms < f->look_ms)
		return;
	f->look_ms = UINT64_MAX;
	for (size_t i = 0; i < HF_COUNT(f->waiters); i++) {
		if (f->waiters[i].asker == NULL)
			continue;
		look(f, &f->waiters[i], now_ms);
		f->look_ms = now_ms + LOOK_MS;
	}
}

uint64_t front_local_deadline(const struct front *f)
{
	return f->look_ms;
}

hf_err front_local_open(struct front *f, struct hf_errinfo *ei)
{
	char path[HF_PATH_MAX];
	const struct hufud_door_config config = {
		.loop = f->loop,
		.mem = f->env.mem,
		.path = path,
		.max_askers = ASKERS_MAX,
		.slow_ms = ASKER_SLOW_MS,
		.open_uids = f->child.config.open_uids,
		.n_open_uids = f->child.config.n_open_uids,
		.on_knock = on_knock,
		.on_busy = on_busy,
		.on_message = on_message,
		.on_gone = on_gone,
		.ctx = f,
	};

	f->look_ms = UINT64_MAX;
	HF_TRY(hf_path_join(path, f->child.config.data, HF_LOCAL_FRONT, ei));
	return hufud_door_open(&f->door, &config, ei);
}

void front_local_close(struct front *f)
{
	hufud_door_close(f->door);
	f->door = NULL;
}
