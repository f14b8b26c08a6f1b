/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Healing of what is here: when somebody pulls a release that is active, or at an edge there, its
 * pages and packs are read again, little by little. What is missing or not what was signed is
 * deleted, and the lineage goes the way of a new release once more: only what is not there is
 * fetched, and it is activated again. So it does where the key process would not open what it kept:
 * that was altered or lost, or its grant has expired.
 */
#include <string.h>

#include "base/hex.h"
#include "pkg/chunk.h"
#include "svc/agent_inner.h"

enum { CHUNKS_AT_ONCE = 32 }; /* in a tick: the loop waits for no more */

void hf_agent_heal_end(struct agent_lineage *l)
{
	struct agent_heal *h = l->heal;

	if (h == NULL)
		return;
	hf_pkg_reader_free(h->reader);
	hf_buf_clear(&h->manifest);
	hf_mem_free(l->a->mem, h->chunk);
	hf_mem_free(l->a->mem, h);
	l->heal = NULL;
}

static void discard(struct agent_lineage *l, enum hf_object kind, const uint8_t name[HF_SM3_LEN])
{
	char id[2 * HF_SM3_LEN + 1];

	hf_hex_emit(id, name, HF_SM3_LEN);
	(void)!hf_blob_delete(&l->a->node->blobs, hf_object_kind(kind), id, NULL);
	l->heal->is_spoilt = true;
}

static hf_err begin(struct agent_lineage *l, struct agent_heal *h)
{
	const struct hf_mem *mem = l->a->mem;
	struct hf_pkg_source pages;
	struct hf_bytes content;

	h->objects = hf_folder_objects(l->a->node->blobs.dir);
	pages = hf_objects_pages(&h->objects);
	HF_TRY(hf_objects_load(
		&h->manifest, &h->objects, HF_OBJECT_MANIFEST, l->active.manifest, NULL));
	HF_TRY(hf_object_peek(&content, HF_OBJECT_MANIFEST,
		(struct hf_bytes){ h->manifest.p, h->manifest.len }, NULL));
	HF_TRY(hf_manifest_parse(&h->m, content, NULL));
	h->chunk = hf_mem_room(mem, (size_t)h->m.body.chunk_max + HF_CHUNK_TAG_LEN);
	if (h->chunk == NULL)
		return HF_ERR_NO_MEMORY;
	return hf_pkg_reader_new(&h->reader, &h->m.body, NULL, &pages, mem);
}

void hf_agent_heal_begin(struct agent_lineage *l)
{
	hf_err e;

	if (l->heal != NULL || l->step != HF_AGENT_ACTIVE || !l->active.has)
		return;
	l->heal = hf_mem_new(l->a->mem, sizeof(*l->heal));
	if (l->heal == NULL)
		return;
	hf_buf_init(&l->heal->manifest, l->a->mem, hf_object_max(HF_OBJECT_MANIFEST));
	e = begin(l, l->heal);
	l->a->is_due = true;
	if (e == HF_ERR_NO_MEMORY) {
		hf_agent_heal_end(l);
		return;
	}
	if (e != HF_OK) /* then nothing else can be looked at: run() ends it */
		discard(l, HF_OBJECT_MANIFEST, l->active.manifest);
	/* The key process records what it refuses. */
	l->heal->is_shut = !hf_agent_is_edge(l->a) &&
			   hf_agent_is_bad(hf_key_check_active(l->a->node->keys, l->name, NULL));
}

/* The pages of the chunks that come next. */
static bool check_pages(struct agent_lineage *l)
{
	struct agent_heal *h = l->heal;
	const struct hf_pkg_body *body = &h->m.body;
	size_t at = h->next / HF_PAGE_ENTRIES * HF_SM3_LEN;
	struct hf_buf page;
	struct hf_place place;

	hf_buf_init(&page, l->a->mem, hf_object_max(HF_OBJECT_INDEX));
	if (hf_objects_load(&page, &h->objects, HF_OBJECT_INDEX, body->index_pages.p + at, NULL) !=
		HF_OK)
		discard(l, HF_OBJECT_INDEX, body->index_pages.p + at);
	hf_buf_clear(&page);
	if (hf_pkg_reader_place(h->reader, h->next, &place, NULL) == HF_OK)
		return true;
	discard(l, HF_OBJECT_TABLE, body->table_pages.p + at);
	return false;
}

/* 0: it is not there. */
static uint64_t pack_len(struct agent_lineage *l, const uint8_t name[HF_SM3_LEN])
{
	char id[2 * HF_SM3_LEN + 1];
	uint64_t size = 0;

	hf_hex_emit(id, name, HF_SM3_LEN);
	return hf_blob_size(&l->a->node->blobs, &size, hf_object_kind(HF_OBJECT_PACK), id, NULL) ==
			       HF_OK
		       ? size
		       : 0;
}

static void check_chunk(struct agent_lineage *l)
{
	struct agent_heal *h = l->heal;
	struct hf_place place;

	if (h->next % HF_PAGE_ENTRIES == 0 && !check_pages(l)) {
		h->next += HF_PAGE_ENTRIES; /* where its chunks lie is not known without it */
		return;
	}
	if (hf_pkg_reader_place(h->reader, h->next++, &place, NULL) != HF_OK)
		return;
	if (place.offset == 0 && pack_len(l, place.pack_id) != place.pack_len)
		discard(l, HF_OBJECT_PACK, place.pack_id);
	if (place.len > h->m.body.chunk_max + HF_CHUNK_TAG_LEN ||
		h->objects.read_at(h->objects.ctx, place.pack_id, h->chunk, place.len, place.offset,
			NULL) != HF_OK ||
		hf_chunk_check(&place, h->chunk, place.len) != HF_OK)
		discard(l, HF_OBJECT_PACK, place.pack_id);
}

static void finish(struct agent_lineage *l)
{
	const struct agent_note note = { .event = HF_EV_MODEL_REFUSED,
		.reason = HF_ERR_AUTH,
		.lineage = l->name,
		.release = l->active.release,
		.manifest = l->active.manifest,
		.code = "store" };

	if (l->heal->is_spoilt)
		(void)!hf_agent_record(l->a, &note, NULL);
	l->is_spoilt = l->heal->is_spoilt || l->heal->is_shut;
	hf_agent_heal_end(l);
	if (l->is_spoilt)
		hf_agent_lineage_look(l);
	l->a->has_news = true;
}

void hf_agent_heal_run(struct agent_lineage *l)
{
	struct agent_heal *h = l->heal;

	if (h == NULL)
		return;
	for (unsigned i = 0; i < CHUNKS_AT_ONCE; i++) {
		if (h->reader == NULL || h->next >= h->m.body.n_chunks) {
			finish(l);
			return;
		}
		check_chunk(l);
	}
}
