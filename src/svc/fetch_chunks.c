/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chunks of a release: xfer/ says what to ask of whom, each such run is a GET with a range on the
 * session of that source. A run that xfer gave up is cancelled; one whose session ended has failed.
 */
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "http/api.h"
#include "os/process.h"
#include "svc/fetch_inner.h"

enum {
	RUN_MAX = 4 << 20, /* bytes asked for at once, where chunks are shorter */
	HEDGES_MAX = 2,
	STALL_MS = 30 * 1000,
	LATE_MS = 3000,
	MISS_MS = 10 * 1000,
	PATH_MAX_LEN = sizeof("/v1/objects/") + HF_OBJECT_PATH_MAX,
};

static hf_err chunk_get(void *ctx, struct hf_xfer_chunk *out, uint32_t index)
{
	struct hf_fetch *f = ctx;
	struct hf_place place;
	hf_err e;

	*out = (struct hf_xfer_chunk){ .len = 0 };
	if (!hf_fetch_place_counts(f, index, &place, &e))
		return e;
	memcpy(out->cid, place.cid, sizeof(out->cid));
	out->pack = place.pack;
	out->offset = place.offset;
	out->len = place.len;
	return HF_OK;
}

static hf_err chunk_done(void *ctx, uint32_t index, const uint8_t *bytes, size_t len)
{
	struct hf_fetch *f = ctx;

	f->is_due = true; /* room for a next request */
	return hf_fetch_chunk_put(f, index, bytes, len);
}

hf_err hf_fetch_source_join(struct hf_fetch *f, const struct fetch_source *s)
{
	if (s->h == NULL || s->is_banned)
		return HF_OK;
	return hf_xfer_source_add(f->xfer, s->no, s->kind, s->cost, f->now_ms);
}

static hf_err chunks_begin(struct hf_fetch *f)
{
	const struct hf_env *env = f->config.node->env;
	uint32_t chunk_max = f->manifest.body.chunk_max + HF_CHUNK_TAG_LEN;
	struct hf_xfer_config config = {
		.mem = env->mem,
		.rng = &env->rng,
		.calls = { chunk_get, chunk_done, f },
		.n_chunks = f->n_all,
		.have = f->have,
		.chunk_max = chunk_max,
		.run_max = chunk_max > RUN_MAX ? chunk_max : RUN_MAX,
		.max_requests = f->config.max_requests,
		.max_per_source = f->config.max_per_source,
		.max_sources = HF_FETCH_SOURCES_MAX,
		.max_hedges = HEDGES_MAX,
		.stall_ms = STALL_MS,
		.late_ms = LATE_MS,
		.miss_ms = MISS_MS,
		.rate = f->config.rate,
	};

	hf_process_trim(); /* from here on little code runs, and the room is for chunks */
	/* A request that xfer forgot lives until its session says so: twice as many may exist. */
	f->n_requests = 2 * f->config.max_requests;
	f->requests = hf_mem_array(env->mem, f->n_requests, sizeof(*f->requests));
	if (f->requests == NULL)
		return HF_ERR_NO_MEMORY;
	HF_TRY(hf_xfer_new(&f->xfer, &config, f->now_ms));
	hf_mem_free(env->mem, f->have);
	f->have = NULL;
	for (uint32_t i = 0; i < f->n_sources; i++)
		HF_TRY(hf_fetch_source_join(f, &f->sources[i]));
	return HF_OK;
}

/* The answer is about this pack, or there is none. */
static hf_err on_head(void *ctx, int32_t stream, const struct hf_http_head *head)
{
	const struct fetch_request *q = ctx;
	hf_err e;

	(void)stream;
	if (head->status != 206) {
		e = hf_api_err(head->status);
		return e == HF_OK ? HF_ERR_FORMAT : e;
	}
	return head->range.total == q->f->packs[q->pack].len ? HF_OK : HF_ERR_FORMAT;
}

/* What data had to say about the source, beyond the failure of one request. */
static void judge_data(struct hf_fetch *f, struct fetch_request *q, hf_err e)
{
	q->id = 0;
	f->is_due = true;
	if (e == HF_ERR_NOT_FOUND)
		return; /* xfer gave it up */
	if (e == HF_ERR_AUTH || e == HF_ERR_LIMIT)
		q->source->err = e;
	if (e == HF_ERR_AUTH) {
		q->source->is_banned = true;
		q->source->tell = e;
	} else if (e != HF_ERR_LIMIT && f->failed == HF_OK) {
		f->failed = e; /* not the source's fault: the disk's */
	}
}

static hf_err on_body(void *ctx, int32_t stream, const uint8_t *bytes, size_t len)
{
	struct fetch_request *q = ctx;
	struct hf_fetch *f = q->f;
	hf_err e;

	(void)stream;
	if (q->id == 0 || f->failed != HF_OK)
		return HF_ERR_CLOSED;
	hf_fetch_see(f, hf_h2_now(q->source->h));
	e = hf_xfer_data(f->xfer, q->id, bytes, len, f->now_ms);
	if (e != HF_OK)
		judge_data(f, q, e);
	return e == HF_OK ? HF_OK : HF_ERR_CLOSED;
}

static void on_done(void *ctx, int32_t stream, hf_err e, const struct hf_http_head *head,
	const uint8_t *body, size_t body_len)
{
	struct fetch_request *q = ctx;
	struct hf_fetch *f = q->f;

	(void)stream;
	(void)head;
	(void)body;
	(void)body_len;
	hf_fetch_see(f, hf_h2_now(q->source->h));
	q->is_used = false;
	f->is_due = true;
	if (q->id == 0)
		return;
	if (e == HF_OK)
		e = hf_xfer_end(f->xfer, q->id, f->now_ms);
	else
		/* A session that ends in order has still not given what was asked of it. */
		hf_xfer_fail(f->xfer, q->id, e == HF_ERR_CLOSED ? HF_ERR_NET : e, f->now_ms);
	if (e != HF_OK && e != HF_ERR_NOT_FOUND)
		q->source->err = e;
}

static struct fetch_source *source_of(struct hf_fetch *f, uint32_t no)
{
	for (uint32_t i = 0; i < f->n_sources; i++)
		if (f->sources[i].no == no)
			return &f->sources[i];
	return NULL;
}

static struct fetch_request *request_free(struct hf_fetch *f)
{
	for (uint32_t i = 0; i < f->n_requests; i++)
		if (!f->requests[i].is_used)
			return &f->requests[i];
	return NULL;
}

static void request_begin(struct hf_fetch *f, const struct hf_xfer_request *x)
{
	const struct hf_range range = { x->offset, x->offset + x->len - 1, 0 };
	struct hf_http_call call = { .method = HF_HTTP_GET,
		.range = &range,
		.body_max = UINT64_MAX, /* xfer counts: who sends more is left alone */
		.on_head = on_head,
		.on_body = on_body,
		.on_done = on_done };
	struct fetch_source *s = source_of(f, x->source);
	struct fetch_request *q = request_free(f);
	char object[HF_OBJECT_PATH_MAX];
	char path[PATH_MAX_LEN];
	hf_err e = HF_ERR_LIMIT;

	if (s != NULL && s->h != NULL && q != NULL) {
		*q = (struct fetch_request){ .f = f, .id = x->id, .source = s, .pack = x->pack };
		hf_object_path(object, HF_OBJECT_PACK, f->packs[x->pack].id);
		(void)snprintf(path, sizeof(path), "/v1/objects/%s", object);
		call.path = path;
		call.ctx = q;
		e = hf_h2_call(s->h, &q->stream, &call, f->now_ms);
	}
	if (e != HF_OK) {
		hf_xfer_fail(f->xfer, x->id, HF_ERR_NET, f->now_ms);
		return;
	}
	q->is_used = true;
	s->is_dirty = true;
}

static void request_cancel(struct fetch_request *q)
{
	hf_h2_cancel(q->source->h, q->stream);
	q->source->is_dirty = true;
	q->is_used = false;
}

hf_err hf_fetch_chunks_run(struct hf_fetch *f)
{
	struct hf_xfer_request x;
	hf_err e;

	if (f->n_coming == 0 && f->xfer == NULL)
		return HF_OK; /* all was there */
	if (f->xfer == NULL)
		HF_TRY(chunks_begin(f));
	while ((e = hf_xfer_next(f->xfer, &x, f->now_ms)) == HF_OK) {
		if (x.what == HF_XFER_GET)
			request_begin(f, &x);
		for (uint32_t i = 0; x.what == HF_XFER_CANCEL && i < f->n_requests; i++)
			if (f->requests[i].is_used && f->requests[i].id == x.id)
				request_cancel(&f->requests[i]);
	}
	if (e == HF_ERR_AGAIN && f->now_ms >= f->commit_at)
		HF_TRY(hf_fetch_marks_commit(f, &f->why));
	if (e == HF_ERR_CLOSED)
		return f->n_coming == 0 ? HF_OK : HF_ERR_INTERNAL;
	return e;
}

void hf_fetch_requests_stop(struct hf_fetch *f, const struct fetch_source *s)
{
	for (uint32_t i = 0; i < f->n_requests; i++)
		if (f->requests[i].is_used && (s == NULL || f->requests[i].source == s))
			request_cancel(&f->requests[i]);
}

uint64_t hf_fetch_chunks_deadline(const struct hf_fetch *f)
{
	uint64_t at = f->xfer != NULL ? hf_xfer_deadline(f->xfer) : 0;

	return f->commit_at < at ? f->commit_at : at;
}
