/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a fetch: sources, stages, what others are told. */
#include "svc/fetch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "os/file.h"
#include "svc/fetch_inner.h"

void hf_fetch_see(struct hf_fetch *f, uint64_t now_ms)
{
	if (now_ms > f->now_ms)
		f->now_ms = now_ms;
}

uint64_t hf_fetch_jitter(const struct hf_fetch *f, uint64_t ms)
{
	uint8_t random = 0;

	/* Without randomness retries are only less spread. */
	(void)!hf_rng_fill(&f->config.node->env->rng, &random, sizeof(random));
	return ms / 2 + ms / 2 * random / UINT8_MAX;
}

static hf_err check_config(const struct hf_fetch_config *c, struct hf_errinfo *ei)
{
	bool is_good = c->node != NULL && c->pump != NULL && c->on_end != NULL;

	is_good = is_good && c->max_requests > 0 && c->max_requests <= HF_XFER_REQUESTS_MAX;
	is_good = is_good && c->max_per_source > 0 && c->max_per_source <= c->max_requests;
	return is_good ? HF_OK : hf_fail(ei, HF_ERR_ARG, "fetch: a limit is out of its range");
}

static hf_err read_manifest(struct hf_fetch *f, struct hf_bytes object, struct hf_errinfo *ei)
{
	struct hf_bytes content;

	HF_TRY(hf_buf_put(&f->object, object.p, object.len));
	object.p = f->object.p;
	HF_TRY(hf_object_peek(&content, HF_OBJECT_MANIFEST, object, ei));
	HF_TRY(hf_manifest_parse(&f->manifest, content, ei));
	hf_object_name(f->name, object.p, object.len);
	if (f->manifest.body.sealed_len > f->config.node->blobs.quota)
		return hf_fail(ei, HF_ERR_FULL,
			"%s: release %" PRIu64 " of %s is %" PRIu64
			" bytes, more than the quota of %" PRIu64,
			f->config.node->blobs.dir, f->manifest.release, f->manifest.lineage,
			f->manifest.body.sealed_len, f->config.node->blobs.quota);
	return HF_OK;
}

static hf_err resume_path(struct hf_fetch *f, struct hf_errinfo *ei)
{
	char dir[HF_PATH_MAX];
	char id[2 * HF_SM3_LEN + 1];

	hf_hex_emit(id, f->name, HF_SM3_LEN);
	HF_TRY(hf_path_join(dir, f->config.node->dir, "resume", ei));
	return hf_path_join(f->resume_path, dir, id, ei);
}

hf_err hf_fetch_new(struct hf_fetch **out, const struct hf_fetch_config *config, uint64_t now_ms,
	struct hf_errinfo *ei)
{
	struct hf_fetch *f;
	hf_err e;

	HF_TRY(check_config(config, ei));
	f = hf_mem_new(config->node->env->mem, sizeof(*f));
	if (f == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "out of memory");
	f->config = *config;
	f->now_ms = now_ms;
	f->is_due = true;
	f->commit_at = UINT64_MAX;
	f->objects = hf_folder_objects(config->node->blobs.dir);
	hf_buf_init(&f->object, config->node->env->mem, hf_object_max(HF_OBJECT_MANIFEST));
	e = read_manifest(f, config->manifest, ei);
	if (e == HF_OK)
		e = resume_path(f, ei);
	if (e != HF_OK) {
		(void)hf_fail(ei, e, "fetch: %s", hf_err_text(e));
		hf_fetch_free(f);
		return e;
	}
	f->config.manifest = (struct hf_bytes){ f->object.p, f->object.len };
	*out = f;
	return HF_OK;
}

void hf_fetch_free(struct hf_fetch *f)
{
	const struct hf_mem *mem;

	if (f == NULL)
		return;
	mem = f->config.node->env->mem;
	hf_fetch_pages_stop(f, NULL);
	hf_fetch_requests_stop(f, NULL);
	hf_fetch_packs_clear(f);
	hf_xfer_free(f->xfer);
	hf_mem_free(mem, f->requests);
	hf_buf_clear(&f->object);
	hf_mem_free(mem, f);
}

static struct fetch_source *source_find(struct hf_fetch *f, unsigned no)
{
	for (uint32_t i = 0; i < f->n_sources; i++)
		if (f->sources[i].no == no)
			return &f->sources[i];
	return NULL;
}

hf_err hf_fetch_source_up(struct hf_fetch *f, unsigned no, struct hf_h2 *h,
	enum hf_source_kind kind, uint16_t cost, uint64_t now_ms)
{
	struct fetch_source *s = source_find(f, no);

	hf_fetch_see(f, now_ms);
	if (s == NULL) {
		if (f->n_sources == HF_FETCH_SOURCES_MAX)
			return HF_ERR_LIMIT;
		s = &f->sources[f->n_sources++];
		s->no = no;
	}
	s->h = h;
	s->kind = kind;
	s->cost = cost;
	f->is_due = true;
	hf_fetch_pages_look(f, s);
	return f->stage == FETCH_CHUNKS && f->xfer != NULL ? hf_fetch_source_join(f, s) : HF_OK;
}

void hf_fetch_source_down(struct hf_fetch *f, unsigned no, uint64_t now_ms)
{
	struct fetch_source *s = source_find(f, no);

	hf_fetch_see(f, now_ms);
	if (s == NULL || s->h == NULL)
		return;
	hf_fetch_pages_stop(f, s);
	if (f->xfer != NULL)
		hf_xfer_source_lost(f->xfer, no, f->now_ms);
	hf_fetch_requests_stop(f, s);
	s->h = NULL;
	s->is_dirty = false;
	f->is_due = true;
}

/* One stage after the other, until one waits or fails. */
static hf_err run_stages(struct hf_fetch *f)
{
	static hf_err (*const stages[])(struct hf_fetch * f) = {
		[FETCH_PAGES] = hf_fetch_pages_run,
		[FETCH_LAYOUT] = hf_fetch_layout_run,
		[FETCH_CHECK] = hf_fetch_check_run,
		[FETCH_CHUNKS] = hf_fetch_chunks_run,
	};

	while (f->stage != FETCH_OVER) {
		if (f->failed != HF_OK)
			return f->failed;
		HF_TRY(stages[f->stage](f));
		f->stage++;
	}
	return HF_OK;
}

/* Every source that is known gave wrong bytes: waiting for one of them is waiting for ever. */
static bool is_forsaken(const struct hf_fetch *f)
{
	for (uint32_t i = 0; i < f->n_sources; i++)
		if (!f->sources[i].is_banned)
			return false;
	return f->n_sources > 0;
}

static void tell_source(struct hf_fetch *f, struct fetch_source *s, bool is_out, hf_err why)
{
	s->has_failed = true;
	if (f->config.on_source != NULL)
		f->config.on_source(f->config.ctx, f, s->no, is_out, why);
}

/* Told once: it may happen often. */
static void note_failure(struct hf_fetch *f, struct fetch_source *s, hf_err why)
{
	if (!s->has_failed)
		tell_source(f, s, false, why);
}

/* True where the link is there and the answer is wrong, not just missing. */
static bool is_fault(hf_err e)
{
	switch (e) {
	case HF_OK:
	case HF_ERR_NET:
	case HF_ERR_CLOSED:
	case HF_ERR_AGAIN:
	case HF_ERR_NOT_FOUND: return false;
	default: return true;
	}
}

/* What xfer decided about a source since the last time. */
static void note_sources(struct hf_fetch *f)
{
	struct hf_source_stats stats;

	for (uint32_t i = 0; f->xfer != NULL && hf_xfer_source_get(f->xfer, &stats, i); i++) {
		struct fetch_source *s = source_find(f, stats.id);

		if (s == NULL)
			continue;
		if (stats.n_slow > 0)
			note_failure(f, s, HF_ERR_TIMEOUT);
		if (stats.n_quarantines == s->n_quarantines)
			continue;
		s->n_quarantines = stats.n_quarantines;
		if (s->tell == HF_OK)
			s->tell = s->err != HF_OK ? s->err : HF_ERR_TIMEOUT;
	}
}

static void tell(struct hf_fetch *f)
{
	bool has_news = f->has_news;

	note_sources(f);
	for (uint32_t i = 0; i < f->n_sources; i++) {
		struct fetch_source *s = &f->sources[i];
		hf_err why = s->tell;

		s->tell = HF_OK;
		if (why != HF_OK)
			tell_source(f, s, true, why);
		else if (is_fault(s->err))
			note_failure(f, s, s->err);
	}
	f->has_news = false;
	if (has_news && f->config.on_chunks != NULL)
		f->config.on_chunks(f->config.ctx, f);
}

static void pump(struct hf_fetch *f)
{
	for (uint32_t i = 0; i < f->n_sources; i++) {
		struct fetch_source *s = &f->sources[i];
		bool is_dirty = s->is_dirty;

		s->is_dirty = false;
		if (is_dirty && s->h != NULL)
			f->config.pump(f->config.ctx, s->no);
	}
}

/* Nothing is asked any more; what came stays on the disk. */
static void end(struct hf_fetch *f, hf_err e)
{
	hf_fetch_pages_stop(f, NULL);
	hf_fetch_requests_stop(f, NULL);
	hf_fetch_packs_clear(f);
	f->stage = FETCH_OVER;
	f->failed = e;
	if (e == HF_OK)
		e = f->failed = hf_resume_delete(f->resume_path, &f->why);
	if (e != HF_OK)
		(void)hf_fail(&f->why, e, "release %" PRIu64 " of %s: %s", f->manifest.release,
			f->manifest.lineage, hf_err_text(e));
}

void hf_fetch_tick(struct hf_fetch *f, uint64_t now_ms)
{
	bool was_over = f->stage == FETCH_OVER;
	hf_err e;

	hf_fetch_see(f, now_ms);
	f->is_due = false;
	if (was_over)
		return;
	e = run_stages(f);
	if (e == HF_ERR_AGAIN && is_forsaken(f))
		e = hf_fail(&f->why, HF_ERR_AUTH,
			"release %" PRIu64 " of %s: every source gave other bytes than were signed",
			f->manifest.release, f->manifest.lineage);
	if (e != HF_ERR_AGAIN)
		end(f, e);
	tell(f);
	pump(f);
	if (f->stage == FETCH_OVER)
		f->config.on_end(f->config.ctx, f, f->failed, &f->why);
}

uint64_t hf_fetch_deadline(const struct hf_fetch *f)
{
	if (f->stage == FETCH_OVER)
		return UINT64_MAX;
	if (f->is_due)
		return 0;
	if (f->stage == FETCH_PAGES)
		return hf_fetch_pages_deadline(f);
	return f->stage == FETCH_CHUNKS ? hf_fetch_chunks_deadline(f) : 0;
}

static bool has_session(const struct hf_fetch *f)
{
	for (uint32_t i = 0; i < f->n_sources; i++)
		if (f->sources[i].h != NULL && !f->sources[i].is_banned)
			return true;
	return false;
}

void hf_fetch_progress(const struct hf_fetch *f, struct hf_xfer_progress *out, uint64_t now_ms)
{
	const struct hf_pkg_body *body = &f->manifest.body;

	if (f->xfer != NULL) {
		hf_xfer_progress_get(f->xfer, out, now_ms);
	} else {
		*out = (struct hf_xfer_progress){
			.state = has_session(f) ? HF_XFER_RUNNING : HF_XFER_PARKED_SOURCE,
			.n_chunks = (uint32_t)body->n_chunks,
			.bytes_all = body->sealed_len,
			.eta_ms = UINT64_MAX,
		};
	}
	if (f->stage != FETCH_OVER)
		return;
	out->state = f->failed == HF_OK ? HF_XFER_DONE : HF_XFER_FAILED;
	if (f->failed == HF_OK) {
		out->n_done = out->n_chunks;
		out->bytes_done = out->bytes_all;
	}
}

bool hf_fetch_source_get(const struct hf_fetch *f, struct hf_source_stats *out, uint32_t n)
{
	return f->xfer != NULL && hf_xfer_source_get(f->xfer, out, n);
}

/* True if every chunk in the range is there; else *missing is the first one that is not. */
static hf_err range_is_there(struct hf_fetch *f, uint32_t n, const struct hf_wanted *w,
	bool *is_there, uint32_t *missing)
{
	const struct fetch_pack *p = &f->packs[n];
	struct hf_place place;
	uint32_t i = p->first;

	*is_there = true;
	if (p->state == PACK_THERE)
		return HF_OK;
	for (uint32_t k = 0; k < p->n_chunks; k++, i++) {
		HF_TRY(hf_fetch_pack_next(f, n, &i, &place));
		if ((uint64_t)place.offset + place.len <= w->offset)
			continue;
		if (place.offset >= w->offset + w->len)
			break;
		if (hf_xfer_has(f->xfer, i))
			continue;
		*is_there = false;
		*missing = i;
		break;
	}
	return HF_OK;
}

static hf_err pack_of(struct hf_fetch *f, const struct hf_wanted *w, uint32_t *n)
{
	if (w->kind != HF_OBJECT_PACK || !hf_fetch_pack_find(f, w->name, n))
		return HF_ERR_NOT_FOUND;
	if (w->offset > f->packs[*n].len || w->len > f->packs[*n].len - w->offset)
		return HF_ERR_NOT_FOUND;
	return f->xfer == NULL && f->packs[*n].state != PACK_THERE ? HF_ERR_AGAIN : HF_OK;
}

hf_err hf_fetch_want(struct hf_fetch *f, const struct hf_wanted *w)
{
	bool is_there = false;
	uint32_t missing = 0;
	uint32_t n = 0;

	if (f->stage == FETCH_OVER)
		return HF_ERR_NOT_FOUND;
	if (w->kind == HF_OBJECT_TABLE || w->kind == HF_OBJECT_INDEX)
		return hf_fetch_page_want(f, w);
	if (w->kind == HF_OBJECT_PACK && f->stage != FETCH_CHUNKS)
		return HF_ERR_AGAIN;
	HF_TRY(pack_of(f, w, &n));
	HF_TRY(range_is_there(f, n, w, &is_there, &missing));
	if (is_there)
		return HF_OK;
	hf_xfer_prefer(f->xfer, missing);
	f->is_due = true;
	return HF_ERR_AGAIN;
}

hf_err hf_fetch_read(struct hf_fetch *f, const struct hf_wanted *w, uint8_t *out)
{
	struct fetch_open *o = NULL;
	bool is_there = false;
	uint32_t missing = 0;
	uint32_t n = 0;

	HF_TRY(pack_of(f, w, &n));
	HF_TRY(range_is_there(f, n, w, &is_there, &missing));
	if (!is_there)
		return HF_ERR_AGAIN;
	if (f->packs[n].state == PACK_THERE)
		return f->objects.read_at(f->objects.ctx, w->name, out, w->len, w->offset, NULL);
	HF_TRY(hf_fetch_part_open(f, n, &o, NULL));
	return hf_file_pread(o->put.fd, out, w->len, w->offset, NULL);
}

hf_err hf_fetch_pack_len(const struct hf_fetch *f, const uint8_t pack[HF_SM3_LEN], uint64_t *len)
{
	uint32_t n = 0;

	if (!hf_fetch_pack_find(f, pack, &n))
		return HF_ERR_NOT_FOUND;
	*len = f->packs[n].len;
	return HF_OK;
}
