/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader.
 *
 *  1. A page is looked at only after its SM3 was found equal to the one in the signed body.
 *  2. table_no and index_no name the pages that are held; NONE while nothing valid is held.
 *  3. Whatever table and index say twice (lengths) must agree.
 */
#include "pkg/pkg_reader.h"

#include <inttypes.h>
#include <string.h>

#include "base/wipe.h"
#include "pkg/table.h"

#define NONE UINT32_MAX

struct hf_pkg_reader {
	const struct hf_mem *mem;
	struct hf_pkg_body body;
	struct hf_pkg_source source;
	bool is_public;
	struct hf_index_keys keys;
	uint64_t hint; /* chunk that was found last */
	uint32_t table_no;
	uint32_t index_no;
	struct hf_table_page table; /* points into table_bytes */
	uint8_t table_bytes[HF_TABLE_PAGE_MAX];
	uint8_t index[HF_INDEX_PAGE_MAX]; /* open entries from HF_INDEX_HEAD_LEN on */
};

hf_err hf_pkg_reader_new(struct hf_pkg_reader **out, const struct hf_pkg_body *body,
	const struct hf_index_keys *keys, const struct hf_pkg_source *source,
	const struct hf_mem *mem)
{
	struct hf_pkg_reader *r = hf_mem_new(mem, sizeof(*r));

	if (r == NULL)
		return HF_ERR_NO_MEMORY;
	r->mem = mem;
	r->body = *body;
	r->source = *source;
	r->is_public = keys == NULL;
	if (keys != NULL)
		r->keys = *keys;
	r->table_no = NONE;
	r->index_no = NONE;
	*out = r;
	return HF_OK;
}

void hf_pkg_reader_free(struct hf_pkg_reader *r)
{
	const struct hf_mem *mem;

	if (r == NULL)
		return;
	mem = r->mem;
	hf_wipe(r, sizeof(*r));
	hf_mem_free(mem, r);
}

/* Entries that page no must have. */
static uint32_t page_entries(const struct hf_pkg_reader *r, uint32_t no)
{
	uint64_t left = r->body.n_chunks - (uint64_t)no * HF_PAGE_ENTRIES;

	return left < HF_PAGE_ENTRIES ? (uint32_t)left : HF_PAGE_ENTRIES;
}

/* Fetches page no into out and compares it with the signed digest. */
static hf_err fetch(struct hf_pkg_reader *r, enum hf_object kind, uint32_t no, uint8_t *out,
	size_t *len, struct hf_errinfo *ei)
{
	struct hf_bytes digests =
		kind == HF_OBJECT_TABLE ? r->body.table_pages : r->body.index_pages;
	const uint8_t *name = digests.p + (size_t)no * HF_SM3_LEN;
	size_t room = *len;
	uint8_t digest[HF_SM3_LEN];
	hf_err e = r->source.page(r->source.ctx, kind, name, out, len);

	if (e != HF_OK)
		return hf_fail(
			ei, e, "%s page %" PRIu32 ": %s", hf_object_kind(kind), no, hf_err_text(e));
	if (*len > room)
		return hf_fail(ei, HF_ERR_INTERNAL, "%s page %" PRIu32 ": source overran",
			hf_object_kind(kind), no);
	hf_object_name(digest, out, *len);
	if (memcmp(digest, name, HF_SM3_LEN) != 0)
		return hf_fail(ei, HF_ERR_AUTH, "%s page %" PRIu32 ": not the one that was signed",
			hf_object_kind(kind), no);
	return HF_OK;
}

static hf_err load_table(struct hf_pkg_reader *r, uint32_t no, struct hf_errinfo *ei)
{
	size_t len = sizeof(r->table_bytes);
	hf_err e;

	if (r->table_no == no)
		return HF_OK;
	r->table_no = NONE;
	HF_TRY(fetch(r, HF_OBJECT_TABLE, no, r->table_bytes, &len, ei));
	e = hf_table_page_parse(&r->table, r->table_bytes, len);
	if (e == HF_OK && (r->table.page != no || r->table.n_entries != page_entries(r, no)))
		e = HF_ERR_FORMAT;
	if (e != HF_OK)
		return hf_fail(ei, e, "table page %" PRIu32 ": %s", no, hf_err_text(e));
	r->table_no = no;
	return HF_OK;
}

static hf_err load_index(struct hf_pkg_reader *r, uint32_t no, struct hf_errinfo *ei)
{
	size_t len = sizeof(r->index);
	uint32_t n = 0;
	hf_err e;

	if (r->index_no == no)
		return HF_OK;
	r->index_no = NONE;
	HF_TRY(fetch(r, HF_OBJECT_INDEX, no, r->index, &len, ei));
	/* In place: entries come to lie where their ciphertext was. */
	e = hf_index_page_open(r->index + HF_INDEX_HEAD_LEN, &n, &r->keys, no, r->index, len);
	if (e == HF_OK && n != page_entries(r, no))
		e = HF_ERR_FORMAT;
	if (e != HF_OK) {
		hf_wipe(r->index, sizeof(r->index));
		return hf_fail(ei, e, "index page %" PRIu32 ": %s", no, hf_err_text(e));
	}
	r->index_no = no;
	return HF_OK;
}

hf_err hf_pkg_reader_place(
	struct hf_pkg_reader *r, uint64_t i, struct hf_place *place, struct hf_errinfo *ei)
{
	if (i >= r->body.n_chunks)
		return hf_fail(ei, HF_ERR_ARG, "no chunk %" PRIu64, i);
	HF_TRY(load_table(r, (uint32_t)(i / HF_PAGE_ENTRIES), ei));
	hf_table_page_get(&r->table, (uint32_t)(i % HF_PAGE_ENTRIES), place);
	return HF_OK;
}

/* Chunks of files come first and may need a base chunk; those come last, and need none. */
static bool belongs(const struct hf_pkg_body *body, uint64_t i, const struct hf_chunk *c)
{
	if (i >= body->n_chunks - body->bases.n_chunks)
		return c->file == HF_CHUNK_NO_FILE && c->base == 0;
	return c->file < body->n_files && (c->base == 0 || c->base_chunk < body->bases.n_chunks);
}

/* The index entry of chunk i alone. */
static hf_err get_entry(
	struct hf_pkg_reader *r, uint64_t i, struct hf_chunk *chunk, struct hf_errinfo *ei)
{
	size_t at = HF_INDEX_HEAD_LEN + (size_t)(i % HF_PAGE_ENTRIES) * HF_INDEX_ENTRY_LEN;
	hf_err e;

	HF_TRY(load_index(r, (uint32_t)(i / HF_PAGE_ENTRIES), ei));
	e = hf_index_entry_get(chunk, r->index + at);
	if (e == HF_OK && (chunk->plain_len > r->body.chunk_max || !belongs(&r->body, i, chunk))) {
		hf_wipe(chunk, sizeof(*chunk));
		e = HF_ERR_FORMAT;
	}
	if (e != HF_OK)
		return hf_fail(ei, e, "chunk %" PRIu64 ": its index entry is malformed", i);
	return HF_OK;
}

hf_err hf_pkg_reader_chunk(struct hf_pkg_reader *r, uint64_t i, struct hf_chunk *chunk,
	struct hf_place *place, struct hf_errinfo *ei)
{
	struct hf_chunk c = { 0 };

	if (r->is_public)
		return hf_fail(ei, HF_ERR_STATE, "no content key for chunk %" PRIu64, i);
	HF_TRY(hf_pkg_reader_place(r, i, place, ei));
	HF_TRY(get_entry(r, i, &c, ei));
	if (place->len != c.encoded_len + HF_CHUNK_TAG_LEN) {
		hf_wipe(&c, sizeof(c));
		return hf_fail(ei, HF_ERR_FORMAT, "chunk %" PRIu64 ": table and index disagree", i);
	}
	*chunk = c;
	hf_wipe(&c, sizeof(c));
	return HF_OK;
}

hf_err hf_pkg_reader_base(struct hf_pkg_reader *r, const struct hf_chunk *c, struct hf_chunk *base,
	struct hf_place *place, struct hf_errinfo *ei)
{
	const struct hf_pkg_bases *bases = &r->body.bases;
	struct hf_chunk b = { 0 };

	if (c->base == 0 || c->base_chunk >= bases->n_chunks)
		return hf_fail(ei, HF_ERR_FORMAT, "no base chunk %" PRIu64, c->base_chunk);
	HF_TRY(hf_pkg_reader_chunk(
		r, r->body.n_chunks - bases->n_chunks + c->base_chunk, &b, place, ei));
	if (b.plain_len != c->plain_len) {
		hf_wipe(&b, sizeof(b));
		return hf_fail(ei, HF_ERR_FORMAT, "base chunk %" PRIu64 ": of another length",
			c->base_chunk);
	}
	*base = b;
	hf_wipe(&b, sizeof(b));
	return HF_OK;
}

/* Whether chunk i holds the byte: -1 it lies before the chunk, 1 behind, 0 in it. */
static hf_err compare(
	struct hf_pkg_reader *r, uint64_t i, uint64_t offset, int *order, struct hf_errinfo *ei)
{
	struct hf_chunk c;

	HF_TRY(get_entry(r, i, &c, ei));
	*order = offset < c.offset ? -1 : offset - c.offset < c.plain_len ? 0 : 1;
	hf_wipe(&c, sizeof(c));
	return HF_OK;
}

/* Looks at the last one found and the next (reading on), then halves. */
static hf_err search(struct hf_pkg_reader *r, const struct hf_pkg_file *f, uint64_t offset,
	uint64_t *found, struct hf_errinfo *ei)
{
	uint64_t low = f->first_chunk;
	uint64_t high = f->first_chunk + f->n_chunks;
	uint64_t try = r->hint;
	int order = 0;

	for (unsigned i = 0; i < 2; i++, try++) {
		if (try < low || try >= high)
			continue;
		HF_TRY(compare(r, try, offset, &order, ei));
		if (order == 0) {
			*found = try;
			return HF_OK;
		}
	}
	while (low < high) {
		try = low + (high - low) / 2;
		HF_TRY(compare(r, try, offset, &order, ei));
		if (order == 0) {
			*found = try;
			return HF_OK;
		}
		if (order < 0)
			high = try;
		else
			low = try + 1;
	}
	return hf_fail(ei, HF_ERR_FORMAT, "no chunk holds byte %" PRIu64 " of %s", offset, f->path);
}

hf_err hf_pkg_reader_find(struct hf_pkg_reader *r, struct hf_pkg_part *part, uint32_t file,
	const struct hf_pkg_file *f, uint64_t offset, uint64_t len, struct hf_errinfo *ei)
{
	struct hf_pkg_part p = { 0 };
	uint64_t in_chunk;

	if (r->is_public)
		return hf_fail(ei, HF_ERR_STATE, "no content key for %s", f->path);
	if (len == 0 || len > f->len || offset > f->len - len || f->n_chunks == 0 ||
		f->first_chunk > r->body.n_chunks ||
		f->n_chunks > r->body.n_chunks - f->first_chunk)
		return hf_fail(ei, HF_ERR_ARG, "%s has no such range", f->path);
	HF_TRY(search(r, f, offset, &p.chunk_no, ei));
	HF_TRY(hf_pkg_reader_chunk(r, p.chunk_no, &p.chunk, &p.place, ei));
	if (p.chunk.file != file) {
		hf_wipe(&p, sizeof(p));
		return hf_fail(ei, HF_ERR_FORMAT, "a chunk of %s belongs to another file", f->path);
	}
	in_chunk = p.chunk.offset + p.chunk.plain_len - offset;
	p.skip = (uint32_t)(offset - p.chunk.offset);
	p.take = (uint32_t)(in_chunk < len ? in_chunk : len);
	r->hint = p.chunk_no;
	*part = p;
	hf_wipe(&p, sizeof(p));
	return HF_OK;
}

/* What a walk over all chunks keeps. */
struct walk {
	struct hf_pkg_totals totals;
	struct hf_bytes files; /* not yet begun */
	struct hf_pkg_file file;
	uint32_t file_no;
	uint64_t file_at;
	uint32_t next_pack; /* number that the next page must begin with */
	struct hf_pack_id id;
	uint64_t pack_at; /* end of the last chunk, if all of the pack stood on this page so far */
	uint32_t pack;
};

/* A pack whose chunks all stand here must bear the id that they make. */
static hf_err check_pack(struct walk *w, const struct hf_place *p, struct hf_errinfo *ei)
{
	uint8_t id[HF_SM3_LEN];

	if (p->offset == 0) {
		hf_pack_id_init(&w->id);
		w->pack = p->pack;
		w->pack_at = 0;
	}
	if (w->pack != p->pack || w->pack_at != p->offset) {
		w->pack = NONE; /* shared with an earlier release: its chunks are not all here */
		return HF_OK;
	}
	hf_pack_id_add(&w->id, p->cid, p->len);
	w->pack_at += p->len;
	if (w->pack_at != p->pack_len)
		return HF_OK;
	hf_pack_id_done(&w->id, id);
	w->pack = NONE;
	if (memcmp(id, p->pack_id, HF_SM3_LEN) != 0)
		return hf_fail(
			ei, HF_ERR_FORMAT, "pack %" PRIu32 ": its id is not its chunks'", p->pack);
	return HF_OK;
}

/* Chunks cover the files one after the other, without gap. */
static hf_err check_order(struct walk *w, const struct hf_chunk *c, struct hf_errinfo *ei)
{
	while (w->file_at == w->file.len) {
		if (hf_pkg_file_take(&w->file, &w->files) != HF_OK)
			return hf_fail(ei, HF_ERR_FORMAT, "chunks beyond the last file");
		w->file_no++;
		w->file_at = 0;
		if (w->file.len > 0 && w->file.first_chunk != w->totals.n_chunks)
			return hf_fail(
				ei, HF_ERR_FORMAT, "%s: begins at another chunk", w->file.path);
	}
	if (c->file != w->file_no || c->offset != w->file_at ||
		c->plain_len > w->file.len - w->file_at)
		return hf_fail(ei, HF_ERR_FORMAT, "%s: chunk %" PRIu64 " is out of order",
			w->file.path, w->totals.n_chunks);
	w->file_at += c->plain_len;
	w->totals.plain_len += c->plain_len;
	return HF_OK;
}

static hf_err walk_one(struct hf_pkg_reader *r, struct walk *w, struct hf_errinfo *ei)
{
	uint64_t i = w->totals.n_chunks;
	struct hf_place place = { 0 };
	struct hf_chunk chunk = { 0 };
	hf_err e = r->is_public ? hf_pkg_reader_place(r, i, &place, ei)
				: hf_pkg_reader_chunk(r, i, &chunk, &place, ei);

	if (e == HF_OK && i % HF_PAGE_ENTRIES == 0) {
		if (r->table.first_pack != w->next_pack)
			e = hf_fail(ei, HF_ERR_FORMAT, "table page: packs are misnumbered");
		w->next_pack = r->table.first_pack + r->table.n_packs;
		w->totals.n_packs += r->table.n_packs;
		w->pack = NONE;
	}
	if (e == HF_OK)
		e = check_pack(w, &place, ei);
	if (e == HF_OK && !r->is_public && i < r->body.n_chunks - r->body.bases.n_chunks)
		e = check_order(w, &chunk, ei);
	w->totals.sealed_len += place.len;
	w->totals.n_chunks++;
	hf_wipe(&chunk, sizeof(chunk));
	return e;
}

hf_err hf_pkg_reader_verify(
	struct hf_pkg_reader *r, struct hf_pkg_totals *totals, struct hf_errinfo *ei)
{
	struct walk w = { .files = r->body.files, .file_no = NONE, .pack = NONE };

	while (w.totals.n_chunks < r->body.n_chunks)
		HF_TRY(walk_one(r, &w, ei));
	if (w.totals.sealed_len != r->body.sealed_len ||
		(!r->is_public && w.totals.plain_len != r->body.plain_len))
		return hf_fail(ei, HF_ERR_FORMAT, "pages and manifest disagree about lengths");
	*totals = w.totals;
	return HF_OK;
}
