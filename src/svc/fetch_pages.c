/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of a release: a few at a time, each from the cheapest source that may have it. A source
 * that answers "not found" is passed over for that page; one whose bytes have another digest is
 * never asked again.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "http/api.h"
#include "svc/fetch_inner.h"

enum {
	PAGE_TIMEOUT_MS = 30 * 1000,
	PAGE_MISS_MS = 2000, /* nobody has it: they are asked again after this */
	PAGE_BACKOFF_MS = 250,
	PAGE_BACKOFF_MAX_MS = 60 * 1000,
	PAGE_LOOKS_MAX = 64,       /* pages of the store that are read in one tick */
	PAGE_FLOOD_MS = 10 * 1000, /* a source that sent too much is left alone so long */
	PATH_MAX_LEN = sizeof("/v1/objects/") + HF_OBJECT_PATH_MAX,
};

static uint64_t n_pages_all(const struct hf_fetch *f)
{
	const struct hf_pkg_body *body = &f->manifest.body;

	return body->bases.n_pages + (uint64_t)body->n_pages * (f->config.has_index ? 2 : 1);
}

/* Page number n of the release: all tables, those of earlier releases, all index pages. */
static enum hf_object page_of(const struct hf_fetch *f, uint64_t n, const uint8_t **name)
{
	const struct hf_pkg_body *body = &f->manifest.body;

	if (n < body->n_pages) {
		*name = body->table_pages.p + n * HF_SM3_LEN;
		return HF_OBJECT_TABLE;
	}
	n -= body->n_pages;
	if (n < body->bases.n_pages) {
		*name = body->bases.pages.p + n * HF_SM3_LEN;
		return HF_OBJECT_TABLE;
	}
	*name = body->index_pages.p + (n - body->bases.n_pages) * HF_SM3_LEN;
	return HF_OBJECT_INDEX;
}

/* True if the store has it. One that is not what it was is deleted: it is brought anew. */
static bool page_is_there(struct hf_fetch *f, enum hf_object kind, const uint8_t *name)
{
	struct hf_blobs *blobs = &f->config.node->blobs;
	struct hf_objects objects = hf_folder_objects(blobs->dir);
	char id[2 * HF_SM3_LEN + 1];
	struct hf_buf page;
	hf_err e;

	hf_buf_init(&page, f->config.node->env->mem, hf_object_max(kind));
	e = hf_objects_load(&page, &objects, kind, name, NULL);
	hf_buf_clear(&page);
	hf_hex_emit(id, name, HF_SM3_LEN);
	if (e == HF_ERR_AUTH || e == HF_ERR_LIMIT)
		(void)!hf_blob_delete(blobs, hf_object_kind(kind), id, NULL);
	return e == HF_OK;
}

static hf_err page_store(struct hf_fetch *f, const struct fetch_page *p, struct hf_bytes bytes)
{
	struct hf_blobs *blobs = &f->config.node->blobs;
	char id[2 * HF_SM3_LEN + 1];
	struct hf_blob_put put;
	hf_err e;

	hf_hex_emit(id, p->name, HF_SM3_LEN);
	e = hf_blob_begin(&put, blobs, hf_object_kind(p->kind), id, NULL);
	if (e == HF_ERR_EXISTS)
		return HF_OK; /* another fetch was faster */
	if (e == HF_OK)
		e = hf_blob_write(&put, bytes.p, bytes.len, &f->why);
	if (e == HF_OK)
		return hf_blob_commit(&put, &f->why);
	hf_blob_drop(&put);
	return hf_fail(&f->why, e, "%s: a page of release %" PRIu64 " of %s cannot be stored: %s",
		blobs->dir, f->manifest.release, f->manifest.lineage, hf_err_text(e));
}

static uint32_t source_bit(const struct hf_fetch *f, const struct fetch_source *s)
{
	return UINT32_C(1) << (s - f->sources);
}

static void source_fails(struct hf_fetch *f, struct fetch_source *s, hf_err e)
{
	uint64_t ms = (uint64_t)PAGE_BACKOFF_MS << (s->page_fails < 10 ? s->page_fails : 10);

	if (ms > PAGE_BACKOFF_MAX_MS)
		ms = PAGE_BACKOFF_MAX_MS;
	if (e == HF_ERR_LIMIT) {
		ms = PAGE_FLOOD_MS;
		s->tell = e;
	}
	s->page_fails++;
	s->page_at = f->now_ms + hf_fetch_jitter(f, ms);
	s->err = e;
}

/* What an answer was worth. HF_OK: the page. */
static hf_err page_judge(const struct fetch_page *p, const struct hf_http_head *head,
	struct hf_bytes body, bool *is_wrong)
{
	uint8_t digest[HF_SM3_LEN];
	hf_err e;

	if (head->status != 200) {
		e = hf_api_err(head->status);
		return e == HF_OK ? HF_ERR_FORMAT : e;
	}
	hf_object_name(digest, body.p, body.len);
	*is_wrong = memcmp(digest, p->name, HF_SM3_LEN) != 0;
	return *is_wrong ? HF_ERR_AUTH : HF_OK;
}

static void on_done(void *ctx, int32_t stream, hf_err e, const struct hf_http_head *head,
	const uint8_t *body, size_t body_len)
{
	struct fetch_page *p = ctx;
	struct hf_fetch *f = p->f;
	struct fetch_source *s = p->source;
	struct hf_bytes bytes = { body, body_len };
	bool is_wrong = false;

	(void)stream;
	hf_fetch_see(f, hf_h2_now(s->h));
	p->is_asked = false;
	p->source = NULL;
	s->n_pages--;
	f->is_due = true;
	if (e == HF_OK)
		e = page_judge(p, head, bytes, &is_wrong);
	if (e == HF_OK) {
		s->page_fails = 0;
		p->is_used = false;
		f->has_news = true;
		if (f->failed == HF_OK)
			f->failed = page_store(f, p, bytes);
	} else if (is_wrong) {
		s->tell = s->is_banned ? s->tell : e;
		s->is_banned = true;
	} else if (e == HF_ERR_NOT_FOUND || e == HF_ERR_AGAIN) {
		p->tried |= source_bit(f, s);
	} else {
		source_fails(f, s, e);
	}
}

/* Whom to ask now; if it is nobody, *at becomes the time to look again, where one is known. */
static struct fetch_source *page_source(
	struct hf_fetch *f, const struct fetch_page *p, uint64_t *at)
{
	struct fetch_source *best = NULL;

	for (uint32_t i = 0; i < f->n_sources; i++) {
		struct fetch_source *s = &f->sources[i];

		if (s->h == NULL || s->is_banned || (p->tried & source_bit(f, s)) != 0)
			continue;
		if (s->page_at > f->now_ms) {
			if (s->page_at < *at)
				*at = s->page_at;
			continue;
		}
		if (best == NULL || s->cost < best->cost ||
			(s->cost == best->cost && s->n_pages < best->n_pages))
			best = s;
	}
	return best;
}

static void page_ask(struct hf_fetch *f, struct fetch_page *p)
{
	struct hf_http_call call = { .method = HF_HTTP_GET,
		.body_max = hf_object_max(p->kind),
		.timeout_ms = PAGE_TIMEOUT_MS,
		.on_done = on_done,
		.ctx = p };
	char object[HF_OBJECT_PATH_MAX];
	char path[PATH_MAX_LEN];
	uint64_t at = UINT64_MAX;
	struct fetch_source *s = page_source(f, p, &at);
	hf_err e;

	if (s == NULL) {
		if (at == UINT64_MAX && p->tried != 0) {
			p->tried = 0;
			at = f->now_ms + PAGE_MISS_MS;
		}
		p->at = at;
		return;
	}
	p->at = 0;
	hf_object_path(object, p->kind, p->name);
	(void)snprintf(path, sizeof(path), "/v1/objects/%s", object);
	call.path = path;
	e = hf_h2_call(s->h, &p->stream, &call, f->now_ms);
	if (e != HF_OK) {
		source_fails(f, s, HF_ERR_NET);
		f->is_due = true;
		return;
	}
	p->is_asked = true;
	p->source = s;
	s->n_pages++;
	s->is_dirty = true;
}

/* The next page that has to be brought; false: there is none. */
static bool page_next(struct hf_fetch *f, struct fetch_page *p, unsigned *looks)
{
	while (f->next_page < n_pages_all(f) && *looks < PAGE_LOOKS_MAX) {
		const uint8_t *name = NULL;
		enum hf_object kind = page_of(f, f->next_page++, &name);

		*looks += 1;
		if (page_is_there(f, kind, name))
			continue;
		*p = (struct fetch_page){ .is_used = true, .f = f, .kind = kind };
		memcpy(p->name, name, HF_SM3_LEN);
		return true;
	}
	return false;
}

hf_err hf_fetch_pages_run(struct hf_fetch *f)
{
	bool is_over = true;
	unsigned looks = 0;

	for (size_t i = 0; i < FETCH_PAGES_AT_ONCE; i++) {
		struct fetch_page *p = &f->pages[i];

		if (!p->is_used && !page_next(f, p, &looks))
			continue;
		is_over = false;
		if (!p->is_asked && f->now_ms >= p->at)
			page_ask(f, p);
	}
	f->is_due = f->is_due || looks == PAGE_LOOKS_MAX;
	return is_over && f->next_page == n_pages_all(f) ? HF_OK : HF_ERR_AGAIN;
}

void hf_fetch_pages_stop(struct hf_fetch *f, const struct fetch_source *s)
{
	for (size_t i = 0; i < FETCH_PAGES_AT_ONCE; i++) {
		struct fetch_page *p = &f->pages[i];

		if (!p->is_used || !p->is_asked || (s != NULL && p->source != s))
			continue;
		hf_h2_cancel(p->source->h, p->stream);
		p->source->is_dirty = true;
		p->source->n_pages--;
		p->is_asked = false;
		p->source = NULL;
		p->at = 0;
	}
}

void hf_fetch_pages_look(struct hf_fetch *f, const struct fetch_source *s)
{
	for (size_t i = 0; i < FETCH_PAGES_AT_ONCE; i++) {
		f->pages[i].tried &= ~source_bit(f, s);
		f->pages[i].at = 0;
	}
}

uint64_t hf_fetch_pages_deadline(const struct hf_fetch *f)
{
	uint64_t at = UINT64_MAX;

	for (size_t i = 0; i < FETCH_PAGES_AT_ONCE; i++)
		if (f->pages[i].is_used && !f->pages[i].is_asked && f->pages[i].at < at)
			at = f->pages[i].at;
	return at;
}

hf_err hf_fetch_page_want(struct hf_fetch *f, const struct hf_wanted *w)
{
	for (uint64_t i = 0; i < n_pages_all(f); i++) {
		const uint8_t *name = NULL;
		enum hf_object kind = page_of(f, i, &name);

		if (kind != w->kind || memcmp(name, w->name, HF_SM3_LEN) != 0)
			continue;
		return page_is_there(f, kind, name) ? HF_OK : HF_ERR_AGAIN;
	}
	return HF_ERR_NOT_FOUND;
}
