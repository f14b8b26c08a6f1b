/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packs of a release on the disk: which there are, what an earlier run left of them, and how chunks
 * get into them. Each pack that comes is a part of its full size (store/blob.h); one bitmap over
 * all chunks of the release says what is in the parts (store/resume.h, <data>/resume/<manifest>).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "os/dir.h"
#include "os/file.h"
#include "pkg/table.h"
#include "svc/fetch_inner.h"

static const char pack_kind[] = "pack";

/* The page of an earlier release with this number, which the first stage brought. */
static hf_err base_load(struct hf_fetch *f, uint32_t no)
{
	const uint8_t *name = f->manifest.body.bases.pages.p + (size_t)no * HF_SM3_LEN;
	hf_err e;

	if (f->base_no == no)
		return HF_OK;
	f->base_no = UINT32_MAX;
	hf_buf_reset(&f->base_bytes);
	HF_TRY(hf_objects_load(&f->base_bytes, &f->objects, HF_OBJECT_TABLE, name, &f->why));
	e = hf_table_page_parse(&f->base_page, f->base_bytes.p, f->base_bytes.len);
	if (e != HF_OK)
		return hf_fail(&f->why, e, "table of an earlier release: %s", hf_err_text(e));
	f->base_no = no;
	return HF_OK;
}

/* The first in order of the packs with this id; n_packs: none. */
static uint32_t rank_of(const struct hf_fetch *f, const uint8_t id[HF_SM3_LEN])
{
	uint32_t low = 0;
	uint32_t high = f->n_packs;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (memcmp(f->order[mid].pack->id, id, HF_SM3_LEN) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < f->n_packs && memcmp(f->order[low].pack->id, id, HF_SM3_LEN) == 0)
		return low;
	return f->n_packs;
}

hf_err hf_fetch_place(struct hf_fetch *f, uint32_t i, struct hf_place *place)
{
	uint32_t entry = i - f->n_own;
	uint32_t rank;

	if (i < f->n_own)
		return hf_pkg_reader_place(f->reader, i, place, &f->why);
	if (i >= f->n_all)
		return HF_ERR_NOT_FOUND;
	HF_TRY(base_load(f, entry / HF_PAGE_ENTRIES));
	entry %= HF_PAGE_ENTRIES;
	if (entry >= f->base_page.n_entries)
		return HF_ERR_NOT_FOUND;
	hf_table_page_get(&f->base_page, entry, place);
	rank = rank_of(f, place->pack_id);
	if (rank == f->n_packs)
		return HF_ERR_NOT_FOUND;
	place->pack = (uint32_t)(f->order[rank].pack - f->packs);
	return HF_OK;
}

/* Number of the page on which chunk i stands: of ours, then of earlier releases. */
static uint32_t page_of(const struct hf_fetch *f, uint32_t i)
{
	if (i < f->n_own)
		return i / HF_PAGE_ENTRIES;
	return f->manifest.body.n_pages + (i - f->n_own) / HF_PAGE_ENTRIES;
}

hf_err hf_fetch_pack_next(struct hf_fetch *f, uint32_t n, uint32_t *i, struct hf_place *place)
{
	uint32_t page = page_of(f, *i);
	uint32_t end = *i < f->n_own ? f->n_own : f->n_all;

	for (; *i < end && page_of(f, *i) == page; *i += 1) {
		hf_err e = hf_fetch_place(f, *i, place);

		if (e == HF_OK && place->pack == n)
			return HF_OK;
		if (e != HF_OK && e != HF_ERR_NOT_FOUND)
			return e;
	}
	return HF_ERR_NOT_FOUND;
}

/* True if the chunks of the release fill the pack, in order, and make its id. */
static hf_err pack_is_whole(struct hf_fetch *f, uint32_t n, bool *is_whole)
{
	const struct fetch_pack *p = &f->packs[n];
	struct hf_place place;
	struct hf_pack_id id;
	uint8_t digest[HF_SM3_LEN];
	uint32_t i = p->first;
	uint64_t at = 0;

	*is_whole = false;
	hf_pack_id_init(&id);
	for (uint32_t k = 0; k < p->n_chunks; k++, i++) {
		HF_TRY(hf_fetch_pack_next(f, n, &i, &place));
		if (place.offset != at)
			return HF_OK;
		hf_pack_id_add(&id, place.cid, place.len);
		at += place.len;
	}
	hf_pack_id_done(&id, digest);
	*is_whole = at == p->len && memcmp(digest, p->id, sizeof(digest)) == 0;
	return HF_OK;
}

static hf_err packs_read(struct hf_fetch *f)
{
	struct hf_place place;

	for (uint32_t i = 0; i < f->manifest.body.n_chunks; i++) {
		struct fetch_pack *p;

		HF_TRY(hf_pkg_reader_place(f->reader, i, &place, &f->why));
		if (place.pack >= f->n_packs)
			return hf_fail(&f->why, HF_ERR_FORMAT,
				"table: pack %" PRIu32 " of %" PRIu32, place.pack, f->n_packs);
		if (place.len > f->manifest.body.chunk_max + HF_CHUNK_TAG_LEN)
			return hf_fail(&f->why, HF_ERR_FORMAT,
				"table: chunk %" PRIu32 " is longer than the manifest allows", i);
		p = &f->packs[place.pack];
		if (p->n_chunks++ > 0)
			continue;
		memcpy(p->id, place.pack_id, sizeof(p->id));
		p->len = place.pack_len;
		p->first = i;
	}
	return HF_OK;
}

/* Notes of each of our packs which page of an earlier release lists it whole. */
static hf_err bases_read(struct hf_fetch *f)
{
	for (uint32_t no = 0; no < f->manifest.body.bases.n_pages; no++) {
		const struct hf_table_page *t = &f->base_page;

		HF_TRY(base_load(f, no));
		for (uint32_t k = 0; k < t->n_packs; k++) {
			uint32_t rank = rank_of(f, t->packs + (size_t)k * HF_TABLE_PACK_LEN);

			if (rank < f->n_packs && f->order[rank].pack->base == 0 &&
				hf_table_pack_is_whole(t, k))
				f->order[rank].pack->base = no + 1;
		}
	}
	return HF_OK;
}

/* That page is how the pack comes. */
static hf_err pack_from_base(struct hf_fetch *f, struct fetch_pack *p)
{
	struct hf_place place;

	HF_TRY(base_load(f, p->base - 1));
	p->n_chunks = 0;
	for (uint32_t i = 0; i < f->base_page.n_entries; i++) {
		hf_table_page_get(&f->base_page, i, &place);
		if (memcmp(place.pack_id, p->id, HF_SM3_LEN) != 0)
			continue;
		if (place.len > f->manifest.body.chunk_max + HF_CHUNK_TAG_LEN)
			return hf_fail(&f->why, HF_ERR_FORMAT,
				"table of an earlier release: a chunk is longer than the manifest "
				"allows");
		if (p->n_chunks++ == 0)
			p->first = f->n_own + (p->base - 1) * HF_PAGE_ENTRIES + i;
	}
	p->n_left = p->n_chunks;
	return HF_OK;
}

/*
 * The packs order[at] to order[end - 1], all of this id, have to come: as one of them that the
 * release has all of, or else as a page of an earlier release says. That one becomes the first of
 * them. What has its name in the store is not what it was, and goes: the id is over the lengths
 * too, so where all of a pack is listed that word counts.
 */
static hf_err pack_bring(struct hf_fetch *f, uint32_t at, uint32_t end)
{
	struct fetch_pack *p = f->order[at].pack;
	char id[2 * HF_SM3_LEN + 1];
	bool is_whole = false;
	uint32_t i = at;
	hf_err e;

	hf_hex_emit(id, p->id, sizeof(p->id));
	for (; i < end && !is_whole; i++)
		HF_TRY(pack_is_whole(f, (uint32_t)(f->order[i].pack - f->packs), &is_whole));
	if (is_whole) {
		f->order[at].pack = f->order[i - 1].pack;
		f->order[i - 1].pack = p;
		p = f->order[at].pack;
	} else if (p->base != 0) {
		HF_TRY(pack_from_base(f, p));
	} else {
		return hf_fail(&f->why, HF_ERR_UNSUPPORTED,
			"pack/%s: release %" PRIu64 " of %s has a part of it only; bring the "
			"release it came with first",
			id, f->manifest.release, f->manifest.lineage);
	}
	e = hf_blob_delete(&f->config.node->blobs, pack_kind, id, NULL);
	if (e != HF_OK && e != HF_ERR_NOT_FOUND)
		return hf_fail(&f->why, e, "%s/pack/%s: altered, and cannot be deleted",
			f->config.node->blobs.dir, id);
	p->state = PACK_COMING;
	f->n_coming++;
	return HF_OK;
}

/* Where the packs of one id stand before anything is fetched. They are the same bytes: one comes.
 */
static hf_err pack_settle(struct hf_fetch *f, uint32_t at, uint32_t end)
{
	const struct fetch_pack *first = f->order[at].pack;
	char id[2 * HF_SM3_LEN + 1];
	uint64_t size = 0;
	bool is_there;
	bool is_used = false;

	hf_hex_emit(id, first->id, sizeof(first->id));
	is_there = hf_blob_size(&f->config.node->blobs, &size, pack_kind, id, NULL) == HF_OK &&
		   size == first->len;
	for (uint32_t i = at; i < end; i++) {
		struct fetch_pack *p = f->order[i].pack;

		p->state = is_there && p->n_chunks > 0 ? PACK_THERE : PACK_SAME;
		p->n_left = p->n_chunks;
		is_used = is_used || p->n_chunks > 0;
	}
	return is_there || !is_used ? HF_OK : pack_bring(f, at, end);
}

static int pack_order(const void *a, const void *b)
{
	const struct fetch_pack *x = ((const struct fetch_ranked *)a)->pack;
	const struct fetch_pack *y = ((const struct fetch_ranked *)b)->pack;
	int order = memcmp(x->id, y->id, sizeof(x->id));

	if (order != 0)
		return order;
	/* Those that are named and not used last: their first chunk says nothing. */
	if ((x->n_chunks == 0) != (y->n_chunks == 0))
		return x->n_chunks == 0 ? 1 : -1;
	return x < y ? -1 : x > y;
}

static hf_err packs_settle(struct hf_fetch *f)
{
	uint32_t end;

	for (uint32_t i = 0; i < f->n_packs; i++)
		f->order[i].pack = &f->packs[i];
	qsort(f->order, f->n_packs, sizeof(*f->order), pack_order);
	HF_TRY(bases_read(f));
	for (uint32_t at = 0; at < f->n_packs; at = end) {
		for (end = at + 1; end < f->n_packs; end++)
			if (memcmp(f->order[at].pack->id, f->order[end].pack->id, HF_SM3_LEN) != 0)
				break;
		HF_TRY(pack_settle(f, at, end));
	}
	return HF_OK;
}

/* Bytes that the packs still take: of the quota, and of the disk. */
static void room_needed(struct hf_fetch *f, uint64_t *quota, uint64_t *disk)
{
	*quota = 0;
	*disk = 0;
	for (uint32_t n = 0; n < f->n_packs; n++) {
		const struct fetch_pack *p = &f->packs[n];
		char id[2 * HF_SM3_LEN + 1];
		uint64_t size = 0;
		uint64_t disk_size = 0;

		if (p->state != PACK_COMING)
			continue;
		hf_hex_emit(id, p->id, sizeof(p->id));
		(void)!hf_blob_part_size(
			&f->config.node->blobs, &size, &disk_size, pack_kind, id, NULL);
		*quota += size == p->len ? 0 : p->len;
		*disk += disk_size < p->len ? p->len - disk_size : 0;
	}
}

static hf_err no_room(struct hf_fetch *f, const char *what, uint64_t need, uint64_t left)
{
	return hf_fail(&f->why, HF_ERR_FULL,
		"%s: release %" PRIu64 " of %s needs %" PRIu64 " bytes more, %s leaves %" PRIu64,
		f->config.node->blobs.dir, f->manifest.release, f->manifest.lineage, need, what,
		left);
}

hf_err hf_fetch_room_check(struct hf_fetch *f)
{
	const struct hf_blobs *b = &f->config.node->blobs;
	uint64_t left = b->used < b->quota ? b->quota - b->used : 0;
	uint64_t quota = 0;
	uint64_t disk = 0;

	room_needed(f, &quota, &disk);
	if (quota > left)
		return no_room(f, "the quota", quota, left);
	HF_TRY(hf_dir_free_bytes(&left, b->dir, &f->why));
	left -= left < FETCH_SPARE ? left : FETCH_SPARE;
	return disk > left ? no_room(f, "the disk", disk, left) : HF_OK;
}

static hf_err layout_make(struct hf_fetch *f)
{
	const struct hf_mem *mem = f->config.node->env->mem;
	const struct hf_pkg_body *body = &f->manifest.body;
	struct hf_pkg_source pages = hf_objects_pages(&f->objects);
	uint64_t n_all = body->n_chunks + (uint64_t)body->bases.n_pages * HF_PAGE_ENTRIES;
	struct hf_pkg_totals totals;

	HF_TRY(hf_pkg_reader_new(&f->reader, body, NULL, &pages, mem));
	HF_TRY(hf_pkg_reader_verify(f->reader, &totals, &f->why));
	if (totals.n_packs > FETCH_PACKS_MAX || n_all > HF_RESUME_BITS_MAX || n_all > UINT32_MAX)
		return hf_fail(
			&f->why, HF_ERR_LIMIT, "a release of %" PRIu64 " packs", totals.n_packs);
	f->n_own = (uint32_t)body->n_chunks;
	f->n_all = (uint32_t)n_all;
	f->base_no = UINT32_MAX;
	hf_buf_init(&f->base_bytes, mem, hf_object_max(HF_OBJECT_TABLE));
	f->n_packs = (uint32_t)totals.n_packs;
	f->packs = hf_mem_array(mem, f->n_packs, sizeof(*f->packs));
	f->order = hf_mem_array(mem, f->n_packs, sizeof(*f->order));
	f->have = hf_mem_new(mem, (size_t)(n_all / 8 + 1));
	if (f->packs == NULL || f->order == NULL || f->have == NULL)
		return HF_ERR_NO_MEMORY;
	HF_TRY(packs_read(f));
	return packs_settle(f);
}

hf_err hf_fetch_layout_run(struct hf_fetch *f)
{
	HF_TRY(layout_make(f));
	if (f->n_coming == 0)
		return HF_OK;
	HF_TRY(hf_fetch_room_check(f));
	return hf_resume_new(&f->resume, f->config.node->env->mem, f->resume_path, f->name,
		f->n_all, false, &f->why);
}

/* Its bytes are in the part; the next commit makes them, then the bit, durable. */
static hf_err chunk_mark(struct hf_fetch *f, struct fetch_open *o, uint32_t i, uint32_t len)
{
	HF_TRY(hf_resume_mark(f->resume, i));
	o->is_dirty = true;
	f->marked += len;
	if (f->commit_at == UINT64_MAX)
		f->commit_at = f->now_ms + HF_FETCH_COMMIT_MS;
	return HF_OK;
}

/* A hole of the part, that is: nothing sealed begins with so many zeros. */
static bool is_unwritten(const uint8_t *chunk, size_t len)
{
	uint8_t any = 0;

	for (size_t i = 0; i < len && i < HF_SM3_LEN; i++)
		any |= chunk[i];
	return any == 0;
}

/*
 * Reads one chunk of a part again: right bytes count, whether or not the bitmap came to say so
 * before the process was killed; wrong ones do not, whatever it says.
 */
static hf_err check_chunk(struct hf_fetch *f, struct fetch_open *o, uint32_t i,
	const struct hf_place *place, uint8_t *buf)
{
	if (hf_file_pread(o->put.fd, buf, place->len, place->offset, NULL) != HF_OK ||
		is_unwritten(buf, place->len) || hf_chunk_check(place, buf, place->len) != HF_OK)
		return HF_OK;
	f->have[i / 8] |= (uint8_t)(1u << (i % 8));
	f->packs[place->pack].n_left--;
	return hf_resume_has(f->resume, i) ? HF_OK : chunk_mark(f, o, i, place->len);
}

/* Gives a whole pack its name. The bitmap goes first: it fails where nothing is lost yet. */
static hf_err pack_commit(struct hf_fetch *f, struct fetch_open *o, struct hf_errinfo *ei)
{
	HF_TRY(hf_fetch_marks_commit(f, ei));
	HF_TRY(hf_blob_commit(&o->put, ei));
	f->packs[o->pack].state = PACK_THERE;
	f->n_coming--;
	f->has_news = true;
	return HF_OK;
}

static hf_err check_pack(struct hf_fetch *f, uint32_t n)
{
	const struct hf_mem *mem = f->config.node->env->mem;
	const struct fetch_pack *p = &f->packs[n];
	struct hf_place place;
	struct fetch_open *o = NULL;
	uint8_t *buf = NULL;
	uint32_t i = p->first;
	hf_err e;

	buf = hf_mem_new(mem, (size_t)f->manifest.body.chunk_max + HF_CHUNK_TAG_LEN);
	e = buf == NULL ? HF_ERR_NO_MEMORY : hf_fetch_part_open(f, n, &o, &f->why);
	for (uint32_t k = 0; e == HF_OK && k < p->n_chunks; k++, i++) {
		e = hf_fetch_pack_next(f, n, &i, &place);
		if (e == HF_OK)
			e = check_chunk(f, o, i, &place, buf);
	}
	if (e == HF_OK && p->n_left == 0)
		e = pack_commit(f, o, &f->why);
	hf_mem_free(mem, buf);
	return e;
}

bool hf_fetch_place_counts(struct hf_fetch *f, uint32_t i, struct hf_place *place, hf_err *e)
{
	const struct fetch_pack *p;

	*e = hf_fetch_place(f, i, place);
	if (*e == HF_ERR_NOT_FOUND)
		*e = HF_OK;
	else if (*e == HF_OK) {
		p = &f->packs[place->pack];
		/* Not by its state, which changes under requests that are on their way. */
		return (i < f->n_own && p->first < f->n_own) ||
		       page_of(f, p->first) == page_of(f, i);
	}
	return false;
}

/* What has not to be fetched: its pack is there, or comes under another number or by another page.
 */
static hf_err have_others(struct hf_fetch *f)
{
	struct hf_place place;
	hf_err e;

	for (uint32_t i = 0; i < f->n_all; i++) {
		bool counts = hf_fetch_place_counts(f, i, &place, &e);

		HF_TRY(e);
		if (!counts || f->packs[place.pack].state != PACK_COMING)
			f->have[i / 8] |= (uint8_t)(1u << (i % 8));
	}
	return HF_OK;
}

hf_err hf_fetch_check_run(struct hf_fetch *f)
{
	/* A pack a tick: the loop is not held up for longer than a pack takes to read. */
	while (f->n_coming > 0 && f->check_pack < f->n_packs) {
		uint32_t n = f->check_pack++;
		uint64_t size = 0;
		uint64_t disk_size = 0;
		char id[2 * HF_SM3_LEN + 1];

		if (f->packs[n].state != PACK_COMING)
			continue;
		hf_hex_emit(id, f->packs[n].id, HF_SM3_LEN);
		if (hf_blob_part_size(&f->config.node->blobs, &size, &disk_size, pack_kind, id,
			    NULL) != HF_OK ||
			size != f->packs[n].len)
			continue;
		HF_TRY(check_pack(f, n));
		f->is_due = true;
		return HF_ERR_AGAIN;
	}
	return f->n_coming > 0 ? have_others(f) : HF_OK;
}

bool hf_fetch_pack_find(const struct hf_fetch *f, const uint8_t id[HF_SM3_LEN], uint32_t *number)
{
	uint32_t rank = f->stage == FETCH_CHUNKS ? rank_of(f, id) : f->n_packs;

	if (rank == f->n_packs)
		return false;
	*number = (uint32_t)(f->order[rank].pack - f->packs);
	return true;
}

/* A free place for an open part; the one not used for longest goes, its marks durable before. */
static hf_err open_place(struct hf_fetch *f, struct fetch_open **out, struct hf_errinfo *ei)
{
	struct fetch_open *oldest = &f->open[0];

	for (size_t i = 0; i < FETCH_PACKS_OPEN; i++) {
		struct fetch_open *o = &f->open[i];

		if (o->put.blobs == NULL) {
			*out = o;
			return HF_OK;
		}
		if (o->used < oldest->used)
			oldest = o;
	}
	if (oldest->is_dirty)
		HF_TRY(hf_fetch_marks_commit(f, ei));
	hf_blob_pause(&oldest->put);
	*out = oldest;
	return HF_OK;
}

hf_err hf_fetch_part_open(
	struct hf_fetch *f, uint32_t pack, struct fetch_open **out, struct hf_errinfo *ei)
{
	const struct fetch_pack *p = &f->packs[pack];
	struct fetch_open *o = NULL;
	char id[2 * HF_SM3_LEN + 1];
	bool is_resumed = false;

	for (size_t i = 0; i < FETCH_PACKS_OPEN && o == NULL; i++)
		if (f->open[i].put.blobs != NULL && f->open[i].pack == pack)
			o = &f->open[i];
	if (o == NULL) {
		HF_TRY(open_place(f, &o, ei));
		hf_hex_emit(id, p->id, sizeof(p->id));
		HF_TRY(hf_blob_fill(
			&o->put, &f->config.node->blobs, pack_kind, id, p->len, &is_resumed, ei));
		o->pack = pack;
		o->is_dirty = false;
		if (!is_resumed && p->n_left < p->n_chunks)
			return hf_fail(ei, HF_ERR_IO,
				"%s/part/pack-%s: what was written is gone; the release is "
				"fetched anew",
				f->config.node->blobs.dir, id);
	}
	o->used = ++f->uses;
	*out = o;
	return HF_OK;
}

static hf_err chunk_write(struct hf_fetch *f, uint32_t index, const struct hf_place *place,
	const uint8_t *bytes, struct hf_errinfo *ei)
{
	struct fetch_pack *p = &f->packs[place->pack];
	struct fetch_open *o = NULL;
	uint64_t left = 0;

	HF_TRY(hf_fetch_part_open(f, place->pack, &o, ei));
	HF_TRY(hf_dir_free_bytes(&left, f->config.node->blobs.dir, ei));
	if (left < FETCH_SPARE + place->len)
		return hf_fail(ei, HF_ERR_FULL, "the disk is full");
	HF_TRY(hf_file_pwrite(o->put.fd, bytes, place->len, place->offset, ei));
	HF_TRY(chunk_mark(f, o, index, place->len));
	p->n_left--;
	if (p->n_left == 0)
		return pack_commit(f, o, ei);
	return f->marked >= HF_FETCH_COMMIT_LEN ? hf_fetch_marks_commit(f, ei) : HF_OK;
}

hf_err hf_fetch_chunk_put(struct hf_fetch *f, uint32_t index, const uint8_t *bytes, size_t len)
{
	struct hf_errinfo ei = { .code = HF_OK };
	struct hf_place place;
	hf_err e;

	HF_TRY(hf_fetch_place(f, index, &place));
	if (len != place.len)
		return HF_ERR_INTERNAL;
	e = chunk_write(f, index, &place, bytes, &ei);
	f->has_news = true;
	if (e == HF_ERR_FULL)
		(void)!hf_fetch_room_check(f); /* says how much is missing, if the disk knows */
	if (e != HF_OK)
		return hf_fail(&f->why, e, "%s: release %" PRIu64 " of %s: %s",
			f->config.node->blobs.dir, f->manifest.release, f->manifest.lineage,
			ei.code != HF_OK ? ei.text : hf_err_text(e));
	return HF_OK;
}

hf_err hf_fetch_marks_commit(struct hf_fetch *f, struct hf_errinfo *ei)
{
	int fds[FETCH_PACKS_OPEN];
	size_t n = 0;

	if (f->commit_at == UINT64_MAX)
		return HF_OK;
	for (size_t i = 0; i < FETCH_PACKS_OPEN; i++)
		if (f->open[i].put.blobs != NULL && f->open[i].is_dirty)
			fds[n++] = f->open[i].put.fd;
	f->marked = 0;
	f->commit_at = UINT64_MAX;
	HF_TRY(hf_resume_commit(f->resume, fds, n, ei));
	for (size_t i = 0; i < FETCH_PACKS_OPEN; i++)
		f->open[i].is_dirty = false;
	return HF_OK;
}

void hf_fetch_packs_clear(struct hf_fetch *f)
{
	const struct hf_mem *mem = f->config.node->env->mem;

	if (f->resume != NULL)
		(void)!hf_fetch_marks_commit(f, NULL);
	for (size_t i = 0; i < FETCH_PACKS_OPEN; i++)
		if (f->open[i].put.blobs != NULL)
			hf_blob_pause(&f->open[i].put);
	hf_resume_free(f->resume);
	f->resume = NULL;
	hf_pkg_reader_free(f->reader);
	f->reader = NULL;
	hf_buf_clear(&f->base_bytes);
	f->base_no = UINT32_MAX;
	hf_mem_free(mem, f->packs);
	hf_mem_free(mem, f->order);
	hf_mem_free(mem, f->have);
	f->packs = NULL;
	f->order = NULL;
	f->have = NULL;
	f->n_packs = 0;
}
