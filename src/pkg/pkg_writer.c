/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer.
 *
 *  1. A page is complete with 1024 entries, or at the end. When it goes out, the open pack ends:
 * all chunks of a pack stand on one page, in order, so its id can be checked from that page alone.
 *  2. pack_at is the number of the open pack in the page; while a pack is open its id and length in
 *     the page are not yet filled in.
 *  3. The first failure is the answer of every later call.
 */
#include "pkg/pkg_writer.h"

#include <string.h>

#include "base/buf.h"
#include "base/endian.h"
#include "base/wipe.h"
#include "pkg/index.h"
#include "pkg/table.h"

enum { FILES_MAX = HF_PKG_FILES_MAX * (HF_PKG_PATH_MAX + 64) };

struct hf_pkg_writer {
	const struct hf_mem *mem;
	struct hf_pkg_sink sink;
	struct hf_index_keys keys;
	struct hf_pkg_body body; /* counts so far */
	uint32_t pack_max;
	hf_err err;
	bool is_done;

	bool has_file;
	bool has_bases; /* all files are complete */
	struct hf_pkg_file file;
	uint64_t file_at; /* plaintext bytes of it so far */
	size_t n_files;
	struct hf_buf files;

	uint32_t page;
	uint32_t first_pack;
	uint32_t n_packs; /* of the page */
	uint32_t n_entries;
	struct hf_buf table_digests;
	struct hf_buf index_digests;

	bool has_pack;
	uint32_t pack_at;
	uint32_t pack_len;
	struct hf_pack_id pack_id;

	uint8_t packs[HF_TABLE_PACKS_MAX * HF_TABLE_PACK_LEN];
	uint8_t entries[HF_PAGE_ENTRIES * HF_TABLE_ENTRY_LEN];
	uint8_t table[HF_TABLE_PAGE_MAX];
	uint8_t index[HF_INDEX_PAGE_MAX]; /* entries from HF_INDEX_HEAD_LEN on */
};

hf_err hf_pkg_writer_new(struct hf_pkg_writer **out, const struct hf_pkg_writer_config *config)
{
	struct hf_pkg_writer *w;
	hf_err e;

	if (config->pack_max > HF_PACK_MAX)
		return HF_ERR_ARG;
	w = hf_mem_new(config->mem, sizeof(*w));
	if (w == NULL)
		return HF_ERR_NO_MEMORY;
	w->mem = config->mem;
	w->sink = config->sink;
	w->pack_max = config->pack_max == 0 ? HF_PACK_MAX : config->pack_max;
	w->body.suite = config->scope.suite;
	memcpy(w->body.salt, config->salt, HF_PKG_SALT_LEN);
	hf_buf_init(&w->files, w->mem, FILES_MAX);
	hf_buf_init(&w->table_digests, w->mem, HF_PKG_PAGES_MAX * HF_SM3_LEN);
	hf_buf_init(&w->index_digests, w->mem, HF_PKG_PAGES_MAX * HF_SM3_LEN);
	e = hf_index_keys_init(
		&w->keys, w->body.commitment, config->cek, config->salt, &config->scope);
	if (e != HF_OK) {
		hf_pkg_writer_free(w);
		return e;
	}
	*out = w;
	return HF_OK;
}

void hf_pkg_writer_free(struct hf_pkg_writer *w)
{
	const struct hf_mem *mem;

	if (w == NULL)
		return;
	mem = w->mem;
	hf_buf_clear(&w->files);
	hf_buf_clear(&w->table_digests);
	hf_buf_clear(&w->index_digests);
	hf_wipe(w, sizeof(*w));
	hf_mem_free(mem, w);
}

static uint8_t *pack_entry(struct hf_pkg_writer *w, uint32_t pack)
{
	return w->packs + (size_t)pack * HF_TABLE_PACK_LEN;
}

static hf_err end_pack(struct hf_pkg_writer *w)
{
	uint8_t *p = pack_entry(w, w->pack_at);

	if (!w->has_pack)
		return HF_OK;
	w->has_pack = false;
	hf_pack_id_done(&w->pack_id, p);
	hf_put_be32(p + HF_SM3_LEN, w->pack_len);
	return w->sink.pack_done(w->sink.ctx, p, w->pack_len);
}

static void begin_pack(struct hf_pkg_writer *w)
{
	w->has_pack = true;
	w->pack_at = w->n_packs++;
	w->pack_len = 0;
	hf_pack_id_init(&w->pack_id);
}

/* Hands a whole page over and notes its digest. */
static hf_err put_page(struct hf_pkg_writer *w, enum hf_object kind, struct hf_buf *digests,
	const uint8_t *bytes, size_t len)
{
	uint8_t name[HF_SM3_LEN];

	hf_object_name(name, bytes, len);
	HF_TRY(hf_buf_put(digests, name, sizeof(name)));
	return w->sink.page(w->sink.ctx, kind, name, bytes, len);
}

static size_t emit_table(struct hf_pkg_writer *w)
{
	struct hf_writer t = { .p = w->table, .cap = sizeof(w->table) };

	hf_wr_put(&t, HF_TABLE_MAGIC, HF_TABLE_MAGIC_LEN);
	hf_wr_u32(&t, w->page);
	hf_wr_u32(&t, w->first_pack);
	hf_wr_u32(&t, w->n_packs);
	hf_wr_u32(&t, w->n_entries);
	hf_wr_put(&t, w->packs, (size_t)w->n_packs * HF_TABLE_PACK_LEN);
	hf_wr_put(&t, w->entries, (size_t)w->n_entries * HF_TABLE_ENTRY_LEN);
	return t.len;
}

static hf_err end_page(struct hf_pkg_writer *w)
{
	size_t index_len =
		HF_INDEX_HEAD_LEN + (size_t)w->n_entries * HF_INDEX_ENTRY_LEN + HF_GCM_TAG_LEN;

	if (w->n_entries == 0)
		return HF_OK;
	HF_TRY(end_pack(w));
	HF_TRY(put_page(w, HF_OBJECT_TABLE, &w->table_digests, w->table, emit_table(w)));
	HF_TRY(hf_index_page_seal(
		w->index, &w->keys, w->page, w->index + HF_INDEX_HEAD_LEN, w->n_entries));
	HF_TRY(put_page(w, HF_OBJECT_INDEX, &w->index_digests, w->index, index_len));
	w->page++;
	w->first_pack += w->n_packs;
	w->n_packs = 0;
	w->n_entries = 0;
	return HF_OK;
}

/* The File element is written when all its chunks are known. */
static hf_err end_file(struct hf_pkg_writer *w)
{
	if (!w->has_file)
		return HF_OK;
	if (w->file_at != w->file.len)
		return HF_ERR_STATE;
	w->file.n_chunks = w->body.n_chunks - w->file.first_chunk;
	HF_TRY(hf_pkg_file_put(&w->files, &w->file));
	w->has_file = false;
	w->n_files++;
	return HF_OK;
}

static hf_err begin_file(struct hf_pkg_writer *w, const struct hf_pkg_file *f)
{
	bool is_first = w->n_files == 0 && !w->has_file;

	if (!is_first && strcmp(w->file.path, f->path) >= 0)
		return HF_ERR_STATE;
	HF_TRY(end_file(w));
	if (w->has_bases)
		return HF_ERR_STATE;
	if (w->n_files == HF_PKG_FILES_MAX)
		return HF_ERR_LIMIT;
	if (!hf_pkg_path_is_valid(hf_bytes_str(f->path)))
		return HF_ERR_ARG;
	w->file = *f;
	w->file.first_chunk = w->body.n_chunks;
	w->file_at = 0;
	w->has_file = true;
	return HF_OK;
}

static hf_err stick(struct hf_pkg_writer *w, hf_err e)
{
	w->err = e;
	return e;
}

hf_err hf_pkg_writer_file(struct hf_pkg_writer *w, const struct hf_pkg_file *f)
{
	if (w->err != HF_OK || w->is_done)
		return w->err != HF_OK ? w->err : HF_ERR_STATE;
	return stick(w, begin_file(w, f));
}

/* Notes where chunk and key are; place is in terms of this page. */
static hf_err put_entry(
	struct hf_pkg_writer *w, const struct hf_sealed *s, uint32_t pack, uint32_t offset)
{
	struct hf_writer t = { .p = w->entries + (size_t)w->n_entries * HF_TABLE_ENTRY_LEN,
		.cap = HF_TABLE_ENTRY_LEN };
	struct hf_chunk c = s->chunk;

	c.file = w->has_bases ? HF_CHUNK_NO_FILE : (uint32_t)w->n_files;
	hf_wr_put(&t, s->cid, HF_SM3_LEN);
	hf_wr_u32(&t, w->first_pack + pack);
	hf_wr_u32(&t, offset);
	hf_wr_u32(&t, (uint32_t)s->ct_len);
	hf_index_entry_put(
		w->index + HF_INDEX_HEAD_LEN + (size_t)w->n_entries * HF_INDEX_ENTRY_LEN, &c);
	hf_wipe(&c, sizeof(c));
	w->n_entries++;
	w->body.n_chunks++;
	if (w->has_bases) {
		w->body.bases.n_chunks++;
	} else {
		w->file_at += s->chunk.plain_len;
		w->body.plain_len += s->chunk.plain_len;
	}
	w->body.sealed_len += s->ct_len;
	if (s->chunk.plain_len > w->body.chunk_max)
		w->body.chunk_max = s->chunk.plain_len;
	return w->n_entries == HF_PAGE_ENTRIES ? end_page(w) : HF_OK;
}

/* What both ways of adding a chunk ask first. */
static hf_err check_chunk(const struct hf_pkg_writer *w, const struct hf_sealed *s)
{
	if (w->err != HF_OK)
		return w->err;
	if (w->is_done || s->chunk.plain_len == 0 ||
		s->ct_len != (size_t)s->chunk.encoded_len + HF_CHUNK_TAG_LEN)
		return HF_ERR_STATE;
	if (w->has_bases ? s->chunk.base != 0
			 : !w->has_file || s->chunk.offset != w->file_at ||
				   s->chunk.plain_len > w->file.len - w->file_at)
		return HF_ERR_STATE;
	return w->page == HF_PKG_PAGES_MAX ? HF_ERR_LIMIT : HF_OK;
}

static hf_err add_chunk(struct hf_pkg_writer *w, const struct hf_sealed *s)
{
	uint32_t offset;

	HF_TRY(check_chunk(w, s));
	if (w->has_bases)
		return HF_ERR_STATE;
	if (s->ct_len > w->pack_max)
		return HF_ERR_LIMIT;
	if (w->has_pack && s->ct_len > w->pack_max - w->pack_len)
		HF_TRY(end_pack(w));
	if (!w->has_pack)
		begin_pack(w);
	HF_TRY(w->sink.pack_data(w->sink.ctx, s->ct, s->ct_len));
	hf_pack_id_add(&w->pack_id, s->cid, (uint32_t)s->ct_len);
	offset = w->pack_len;
	w->pack_len += (uint32_t)s->ct_len;
	return put_entry(w, s, w->pack_at, offset);
}

hf_err hf_pkg_writer_chunk(struct hf_pkg_writer *w, const struct hf_sealed *s)
{
	return stick(w, add_chunk(w, s));
}

static hf_err add_known(
	struct hf_pkg_writer *w, const struct hf_sealed *s, const struct hf_place *place)
{
	uint32_t pack;

	HF_TRY(check_chunk(w, s));
	if (memcmp(place->cid, s->cid, HF_SM3_LEN) != 0 || place->len != s->ct_len ||
		place->pack_len > HF_PACK_MAX || place->offset > place->pack_len ||
		place->len > place->pack_len - place->offset)
		return HF_ERR_ARG;
	for (pack = w->n_packs; pack > 0; pack--) {
		bool is_open = w->has_pack && pack - 1 == w->pack_at;

		if (!is_open && memcmp(pack_entry(w, pack - 1), place->pack_id, HF_SM3_LEN) == 0)
			break;
	}
	if (pack == 0) {
		memcpy(pack_entry(w, w->n_packs), place->pack_id, HF_SM3_LEN);
		hf_put_be32(pack_entry(w, w->n_packs) + HF_SM3_LEN, place->pack_len);
		pack = ++w->n_packs;
	}
	return put_entry(w, s, pack - 1, place->offset);
}

hf_err hf_pkg_writer_known(
	struct hf_pkg_writer *w, const struct hf_sealed *s, const struct hf_place *place)
{
	return stick(w, add_known(w, s, place));
}

static hf_err add_base(
	struct hf_pkg_writer *w, const struct hf_sealed *s, const struct hf_place *place)
{
	if (!w->has_bases && !w->is_done) {
		HF_TRY(end_file(w));
		w->has_bases = true;
	}
	return add_known(w, s, place);
}

hf_err hf_pkg_writer_base(
	struct hf_pkg_writer *w, const struct hf_sealed *s, const struct hf_place *place)
{
	if (w->err != HF_OK)
		return w->err;
	return stick(w, add_base(w, s, place));
}

hf_err hf_pkg_writer_lean(
	struct hf_pkg_writer *w, struct hf_bytes pages, struct hf_bytes steps, uint32_t chunk_max)
{
	if (w->err != HF_OK || w->is_done)
		return w->err != HF_OK ? w->err : HF_ERR_STATE;
	if (pages.len % HF_SM3_LEN != 0)
		return HF_ERR_ARG;
	w->body.bases.has = true;
	w->body.bases.pages = pages;
	w->body.bases.n_pages = (uint32_t)(pages.len / HF_SM3_LEN);
	w->body.bases.steps = steps;
	if (chunk_max > w->body.chunk_max)
		w->body.chunk_max = chunk_max;
	return HF_OK;
}

static hf_err finish(struct hf_pkg_writer *w)
{
	HF_TRY(end_file(w));
	HF_TRY(end_page(w));
	if (w->n_files == 0 || (w->body.bases.n_chunks > 0 && !w->body.bases.has))
		return HF_ERR_STATE;
	w->body.files = (struct hf_bytes){ w->files.p, w->files.len };
	w->body.n_files = w->n_files;
	w->body.table_pages = (struct hf_bytes){ w->table_digests.p, w->table_digests.len };
	w->body.index_pages = (struct hf_bytes){ w->index_digests.p, w->index_digests.len };
	w->body.n_pages = w->page;
	hf_pkg_table_root(w->body.table_root, &w->body);
	w->is_done = true;
	return HF_OK;
}

hf_err hf_pkg_writer_finish(struct hf_pkg_writer *w, struct hf_pkg_body *body)
{
	if (w->err != HF_OK || w->is_done)
		return w->err != HF_OK ? w->err : HF_ERR_STATE;
	HF_TRY(stick(w, finish(w)));
	*body = w->body;
	return HF_OK;
}
