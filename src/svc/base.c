/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An earlier release, read for the sake of the next one.
 *
 *  1. Nothing of it is believed that its publishers did not sign: manifest and pages as everywhere,
 *     chunks by their ids and tags.
 *  2. A chunk that is XORed has a base chunk that is not: chains have two links, whatever the
 * number of releases. So of an XORed chunk it is the anchor that others are XORed with.
 *  3. Of a pack that is pointed to there is a page that lists it whole: one of the base's own, or
 * one that the base names itself.
 */
#include "svc/base.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/endian.h"
#include "base/hex.h"
#include "base/wipe.h"
#include "os/dir.h"
#include "os/file.h"
#include "pkg/table.h"
#include "svc/bundle_file.h"
#include "svc/keyfile.h"
#include "svc/release.h"

enum {
	HEADS_MAX = 64,                    /* chunks before the first tensor of a file */
	PACKS_MAX = HF_PKG_PAGES_MAX * 64, /* that the pages of a base list */
};

/* Where a chunk of this id stands. */
struct known {
	uint64_t cid; /* its first eight bytes */
	uint32_t no;
};

/* A pack of the base, and the page that lists it whole. */
struct base_pack {
	uint8_t id[HF_SM3_LEN];
	uint8_t page[HF_SM3_LEN];
	uint32_t len;
	bool is_listed; /* page is that page */
	bool is_used;
};

struct base_file {
	struct hf_pkg_file f;
	uint64_t data_at; /* first byte of its first tensor; 0: none */
};

/* One of the releases that were given. */
struct base_release {
	uint64_t release;
	uint8_t name[HF_SM3_LEN];
};

struct hf_base {
	const struct hf_env *env;
	const struct hf_base_spec *spec;
	struct hf_bundle_file bundle[HF_BASE_BUNDLES_MAX];
	struct hf_objects objects[HF_BASE_BUNDLES_MAX];
	struct hf_objects_set set;
	struct hf_objects all;
	struct base_release releases[HF_BASE_BUNDLES_MAX]; /* the newest first */
	size_t n_releases;
	struct hf_release release;
	struct hf_index_keys keys;
	struct hf_pkg_reader *reader;
	struct hf_pkg_reader *anchors;
	struct base_file *files;
	struct known *known;     /* by cid */
	struct base_pack *packs; /* by id */
	size_t n_packs;
};

static hf_err key_path(char path[HF_PATH_MAX], char dir[HF_PATH_MAX], char hex[2 * HF_SM3_LEN + 1],
	const char *publisher, const uint8_t manifest[HF_SM3_LEN], struct hf_errinfo *ei)
{
	char name[2 * HF_SM3_LEN + 8];

	hf_hex_emit(hex, manifest, HF_SM3_LEN);
	(void)snprintf(name, sizeof(name), "%s.key", hex);
	HF_TRY(hf_path_join(dir, publisher, "releases", ei));
	return hf_path_join(path, dir, name, ei);
}

hf_err hf_base_key_put(const struct hf_env *env, const char *publisher, const uint8_t *seed,
	const uint8_t manifest[HF_SM3_LEN], const uint8_t cek[HF_CEK_LEN], struct hf_errinfo *ei)
{
	char path[HF_PATH_MAX];
	char dir[HF_PATH_MAX];
	char owner[2 * HF_SM3_LEN + 1];
	const struct hf_keyfile f = { .path = path,
		.purpose = "cek",
		.owner = owner,
		.seed = seed,
		.usage = HF_KEY_DERIVE,
		.tier = 3 };

	HF_TRY(key_path(path, dir, owner, publisher, manifest, ei));
	HF_TRY(hf_dir_make(dir, 0700, ei));
	return hf_keyfile_write(env, &f, cek, HF_CEK_LEN, ei);
}

void hf_base_key_drop(const char *publisher, const uint8_t manifest[HF_SM3_LEN])
{
	char path[HF_PATH_MAX];
	char dir[HF_PATH_MAX];
	char owner[2 * HF_SM3_LEN + 1];

	if (key_path(path, dir, owner, publisher, manifest, NULL) == HF_OK)
		(void)!hf_file_delete(path, NULL);
}

static hf_err load_key(struct hf_base *b, struct hf_errinfo *ei)
{
	char path[HF_PATH_MAX];
	char dir[HF_PATH_MAX];
	char owner[2 * HF_SM3_LEN + 1];
	const struct hf_keyfile f = {
		.path = path, .purpose = "cek", .owner = owner, .seed = b->spec->seed
	};
	uint8_t cek[HF_CEK_LEN];
	hf_err e;

	HF_TRY(key_path(path, dir, owner, b->spec->publisher->dir, b->release.name, ei));
	e = hf_keyfile_read(b->env, &f, cek, sizeof(cek), NULL);
	if (e == HF_ERR_NOT_FOUND)
		return hf_fail(ei, e,
			"release %" PRIu64 " of %s cannot be the base: %s has no content key of it "
			"(sealed by another publisher, or before keys were kept)",
			b->release.manifest.release, b->spec->lineage, b->spec->publisher->dir);
	if (e == HF_OK)
		e = hf_index_keys_open(&b->keys, &b->release.manifest.body, cek, &b->release.scope);
	hf_wipe(cek, sizeof(cek));
	return e == HF_OK ? HF_OK : hf_fail(ei, e, "%s: %s", path, hf_err_text(e));
}

/* Which releases the bundles are of. They are looked at through the publisher's root. */
static hf_err list_releases(struct hf_base *b, struct hf_errinfo *ei)
{
	const struct hf_base_spec *spec = b->spec;

	for (size_t i = 0; i < spec->n_bundles; i++) {
		struct hf_release r;
		size_t at = b->n_releases;

		HF_TRY(hf_bundle_file_open(&b->bundle[i], b->env, spec->bundles[i], ei));
		b->objects[i] = hf_bundle_file_objects(&b->bundle[i]);
		b->set.n = i + 1;
		HF_TRY(hf_release_load(
			&r, b->env, &b->objects[i], NULL, &spec->publisher->root, ei));
		if (strcmp(r.manifest.lineage, spec->lineage) != 0 ||
			r.manifest.epoch != spec->epoch || r.manifest.release >= spec->release) {
			(void)hf_fail(ei, HF_ERR_ARG,
				"%s: release %" PRIu64 " of %s, epoch %" PRIu64
				", is no base of release %" PRIu64 " of %s, epoch %" PRIu64,
				spec->bundles[i], r.manifest.release, r.manifest.lineage,
				r.manifest.epoch, spec->release, spec->lineage, spec->epoch);
			hf_release_clear(&r);
			return HF_ERR_ARG;
		}
		for (; at > 0 && b->releases[at - 1].release < r.manifest.release; at--)
			b->releases[at] = b->releases[at - 1];
		b->releases[at].release = r.manifest.release;
		memcpy(b->releases[at].name, r.name, HF_SM3_LEN);
		b->n_releases++;
		hf_release_clear(&r);
	}
	return HF_OK;
}

static int known_order(const void *x, const void *y)
{
	const struct known *a = x;
	const struct known *b = y;

	if (a->cid != b->cid)
		return a->cid < b->cid ? -1 : 1;
	return a->no < b->no ? -1 : a->no > b->no;
}

static int pack_order(const void *x, const void *y)
{
	return memcmp(x, y, HF_SM3_LEN); /* the id comes first */
}

static struct base_pack *find_pack(const struct hf_base *b, const uint8_t id[HF_SM3_LEN])
{
	return b->n_packs == 0 ? NULL
			       : bsearch(id, b->packs, b->n_packs, sizeof(*b->packs), pack_order);
}

/* Loads a table page; t borrows from page. */
static hf_err load_table(struct hf_base *b, const uint8_t name[HF_SM3_LEN], struct hf_buf *page,
	struct hf_table_page *t, struct hf_errinfo *ei)
{
	hf_buf_reset(page);
	HF_TRY(hf_objects_load(page, &b->all, HF_OBJECT_TABLE, name, ei));
	return hf_table_page_parse(t, page->p, page->len);
}

static void list_pack(struct hf_base *b, const struct hf_table_page *t, uint32_t i,
	const uint8_t name[HF_SM3_LEN])
{
	struct base_pack *p = find_pack(b, t->packs + (size_t)i * HF_TABLE_PACK_LEN);

	if (p == NULL || p->is_listed || !hf_table_pack_is_whole(t, i))
		return;
	p->is_listed = true;
	memcpy(p->page, name, HF_SM3_LEN);
}

/* Names of packs of the base's own pages, once each. */
static hf_err gather_packs(struct hf_base *b, struct hf_buf *page, struct hf_errinfo *ei)
{
	const struct hf_pkg_body *body = &b->release.manifest.body;
	struct hf_table_page t;
	struct hf_buf all;
	size_t n;
	hf_err e = HF_OK;

	hf_buf_init(&all, b->env->mem, (size_t)PACKS_MAX * sizeof(struct base_pack));
	for (uint32_t i = 0; e == HF_OK && i < body->n_pages; i++) {
		e = load_table(b, body->table_pages.p + (size_t)i * HF_SM3_LEN, page, &t, ei);
		for (uint32_t k = 0; e == HF_OK && k < t.n_packs; k++) {
			const uint8_t *at = t.packs + (size_t)k * HF_TABLE_PACK_LEN;
			struct base_pack p = { .len = hf_get_be32(at + HF_SM3_LEN) };

			memcpy(p.id, at, HF_SM3_LEN);
			e = hf_buf_put(&all, &p, sizeof(p));
		}
	}
	n = all.len / sizeof(struct base_pack);
	if (e == HF_OK && n > 0)
		b->packs = hf_mem_array(b->env->mem, n, sizeof(*b->packs));
	if (e == HF_OK && n > 0 && b->packs == NULL)
		e = HF_ERR_NO_MEMORY;
	if (e == HF_OK && n > 0) {
		memcpy(b->packs, all.p, n * sizeof(*b->packs));
		qsort(b->packs, n, sizeof(*b->packs), pack_order);
		for (size_t i = 0; i < n; i++)
			if (i == 0 || memcmp(b->packs[i].id, b->packs[i - 1].id, HF_SM3_LEN) != 0)
				b->packs[b->n_packs++] = b->packs[i];
	}
	hf_buf_clear(&all);
	return e;
}

static hf_err find_pages(
	struct hf_base *b, struct hf_bytes names, struct hf_buf *page, struct hf_errinfo *ei)
{
	struct hf_table_page t;

	for (size_t at = 0; at < names.len; at += HF_SM3_LEN) {
		HF_TRY(load_table(b, names.p + at, page, &t, ei));
		for (uint32_t i = 0; i < t.n_packs; i++)
			list_pack(b, &t, i, names.p + at);
	}
	return HF_OK;
}

static hf_err no_earlier(const struct hf_base *b, struct hf_errinfo *ei)
{
	return hf_fail(ei, HF_ERR_NOT_FOUND,
		"release %" PRIu64 " of %s cannot be the base: a part of it is in none of the "
		"bundles; give the one of the release before it too",
		b->release.manifest.release, b->spec->lineage);
}

static hf_err load_packs(struct hf_base *b, struct hf_errinfo *ei)
{
	const struct hf_pkg_body *body = &b->release.manifest.body;
	struct hf_buf page;
	hf_err e;

	hf_buf_init(&page, b->env->mem, hf_object_max(HF_OBJECT_TABLE));
	e = gather_packs(b, &page, ei);
	if (e == HF_OK)
		e = find_pages(b, body->table_pages, &page, ei);
	if (e == HF_OK)
		e = find_pages(b, body->bases.pages, &page, NULL);
	hf_buf_clear(&page);
	if (e == HF_ERR_NOT_FOUND)
		return no_earlier(b, ei);
	for (size_t i = 0; e == HF_OK && i < b->n_packs; i++)
		if (!b->packs[i].is_listed)
			e = hf_fail(ei, HF_ERR_FORMAT, "a pack of the base is listed nowhere");
	return e;
}

static hf_err load_known(struct hf_base *b, struct hf_errinfo *ei)
{
	const struct hf_pkg_body *body = &b->release.manifest.body;
	size_t n = (size_t)(body->n_chunks - body->bases.n_chunks);
	struct hf_place place;

	b->known = n == 0 ? NULL : hf_mem_array(b->env->mem, n, sizeof(*b->known));
	if (n > 0 && b->known == NULL)
		return HF_ERR_NO_MEMORY;
	for (size_t i = 0; i < n; i++) {
		HF_TRY(hf_pkg_reader_place(b->reader, i, &place, ei));
		b->known[i] = (struct known){ hf_get_be64(place.cid), (uint32_t)i };
	}
	if (n > 0)
		qsort(b->known, n, sizeof(*b->known), known_order);
	return HF_OK;
}

static hf_err load_files(struct hf_base *b, struct hf_errinfo *ei)
{
	const struct hf_pkg_body *body = &b->release.manifest.body;
	struct hf_bytes rest = body->files;
	struct hf_chunk c = { 0 };
	struct hf_place place;

	b->files = hf_mem_array(b->env->mem, body->n_files, sizeof(*b->files));
	if (b->files == NULL)
		return HF_ERR_NO_MEMORY;
	for (size_t i = 0; i < body->n_files; i++) {
		struct base_file *f = &b->files[i];

		HF_TRY(hf_pkg_file_take(&f->f, &rest));
		for (uint64_t k = 0; k < f->f.n_chunks && k < HEADS_MAX; k++) {
			HF_TRY(hf_pkg_reader_chunk(
				b->reader, f->f.first_chunk + k, &c, &place, ei));
			if (c.tensor == HF_CHUNK_NO_TENSOR)
				continue;
			f->data_at = c.offset;
			break;
		}
	}
	hf_wipe(&c, sizeof(c));
	return HF_OK;
}

/* Packs of the base lie in the bundles that were given, or somebody forgot one. */
static hf_err check_there(const struct hf_base *b, struct hf_errinfo *ei)
{
	uint8_t byte;

	for (size_t i = 0; i < b->n_packs; i++)
		if (b->all.read_at(b->all.ctx, b->packs[i].id, &byte, 1, 0, NULL) != HF_OK)
			return no_earlier(b, ei);
	return HF_OK;
}

static hf_err load(struct hf_base *b, struct hf_errinfo *ei)
{
	const struct hf_pkg_body *body = &b->release.manifest.body;
	struct hf_pkg_source pages = hf_objects_pages(&b->all);
	struct hf_pkg_totals totals;

	HF_TRY(list_releases(b, ei));
	HF_TRY(hf_release_load(
		&b->release, b->env, &b->all, b->releases[0].name, &b->spec->publisher->root, ei));
	HF_TRY(load_key(b, ei));
	HF_TRY(hf_pkg_reader_new(&b->reader, body, &b->keys, &pages, b->env->mem));
	HF_TRY(hf_pkg_reader_new(&b->anchors, body, &b->keys, &pages, b->env->mem));
	HF_TRY(hf_pkg_reader_verify(b->reader, &totals, ei));
	HF_TRY(load_packs(b, ei));
	HF_TRY(check_there(b, ei));
	HF_TRY(load_known(b, ei));
	return load_files(b, ei);
}

hf_err hf_base_open(struct hf_base **out, const struct hf_env *env, const struct hf_base_spec *spec,
	struct hf_errinfo *ei)
{
	struct hf_base *b;
	hf_err e;

	if (spec->n_bundles == 0 || spec->n_bundles > HF_BASE_BUNDLES_MAX)
		return hf_fail(ei, HF_ERR_ARG, "bundles of a base: 1 to %d", HF_BASE_BUNDLES_MAX);
	b = hf_mem_new(env->mem, sizeof(*b));
	if (b == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "out of memory");
	b->env = env;
	b->spec = spec;
	for (size_t i = 0; i < HF_BASE_BUNDLES_MAX; i++)
		b->bundle[i] = HF_BUNDLE_FILE_EMPTY;
	b->set.of = b->objects;
	b->all = hf_objects_joined(&b->set);
	e = load(b, ei);
	if (e != HF_OK) {
		(void)hf_fail(ei, e, "base: %s", hf_err_text(e));
		hf_base_free(b);
		return e;
	}
	*out = b;
	return HF_OK;
}

void hf_base_free(struct hf_base *b)
{
	const struct hf_mem *mem;

	if (b == NULL)
		return;
	mem = b->env->mem;
	hf_pkg_reader_free(b->reader);
	hf_pkg_reader_free(b->anchors);
	hf_mem_free(mem, b->files);
	hf_mem_free(mem, b->known);
	hf_mem_free(mem, b->packs);
	hf_release_clear(&b->release);
	for (size_t i = 0; i < HF_BASE_BUNDLES_MAX; i++)
		hf_bundle_file_close(&b->bundle[i]);
	hf_wipe(b, sizeof(*b));
	hf_mem_free(mem, b);
}

void hf_base_sizes(const struct hf_base *b, uint64_t *packs_len, uint64_t *chunks_len)
{
	*packs_len = 0;
	*chunks_len = b->release.manifest.body.sealed_len;
	for (size_t i = 0; i < b->n_packs; i++)
		*packs_len += b->packs[i].len;
}

uint32_t hf_base_chunk_max(const struct hf_base *b)
{
	return b->release.manifest.body.chunk_max;
}

/* Fills in a match out of its chunk. */
static hf_err match(struct hf_base *b, struct hf_base_match *m, uint64_t no, struct hf_errinfo *ei)
{
	const struct hf_pkg_body *body = &b->release.manifest.body;

	m->no = no;
	if (m->chunk.base != 0) {
		HF_TRY(hf_pkg_reader_base(b->anchors, &m->chunk, &m->anchor, &m->anchor_place, ei));
		m->has_anchor = true;
		m->no = body->n_chunks - body->bases.n_chunks + m->chunk.base_chunk;
	}
	m->has = true;
	return HF_OK;
}

static const struct base_file *find_file(const struct hf_base *b, const char *path)
{
	size_t low = 0;
	size_t high = b->release.manifest.body.n_files;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(path, b->files[mid].f.path);

		if (order == 0)
			return &b->files[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

hf_err hf_base_find(struct hf_base *b, struct hf_base_match *m, const char *path, uint64_t offset,
	uint32_t len, uint64_t data_at, struct hf_errinfo *ei)
{
	const struct base_file *f = find_file(b, path);
	struct hf_pkg_part part;
	uint64_t at = offset;

	memset(m, 0, sizeof(*m));
	if (f == NULL)
		return HF_OK;
	/* A header that grew has moved the tensors behind it, and not itself. */
	if (data_at != 0 && f->data_at != 0 && offset >= data_at)
		at = f->data_at + (offset - data_at);
	if (at > f->f.len || len > f->f.len - at)
		return HF_OK;
	HF_TRY(hf_pkg_reader_find(b->reader, &part, (uint32_t)(f - b->files), &f->f, at, len, ei));
	if (part.skip != 0 || part.chunk.plain_len != len) {
		hf_wipe(&part, sizeof(part));
		return HF_OK;
	}
	m->chunk = part.chunk;
	m->place = part.place;
	hf_wipe(&part.chunk, sizeof(part.chunk));
	return match(b, m, part.chunk_no, ei);
}

hf_err hf_base_same(struct hf_base *b, struct hf_base_match *m, const uint8_t cid[HF_SM3_LEN],
	struct hf_errinfo *ei)
{
	const struct hf_pkg_body *body = &b->release.manifest.body;
	size_t n = (size_t)(body->n_chunks - body->bases.n_chunks);
	uint64_t want = hf_get_be64(cid);
	size_t low = 0;
	size_t high = n;

	memset(m, 0, sizeof(*m));
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (b->known[mid].cid < want)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < n && b->known[low].cid == want; low++) {
		HF_TRY(hf_pkg_reader_chunk(b->anchors, b->known[low].no, &m->chunk, &m->place, ei));
		if (memcmp(m->place.cid, cid, HF_SM3_LEN) == 0 && m->chunk.base == 0)
			return match(b, m, b->known[low].no, ei);
	}
	memset(m, 0, sizeof(*m));
	return HF_OK;
}

hf_err hf_base_chunk(struct hf_base *b, uint64_t no, struct hf_chunk *chunk, struct hf_place *place,
	struct hf_errinfo *ei)
{
	return hf_pkg_reader_chunk(b->anchors, no, chunk, place, ei);
}

static hf_err unseal(const struct hf_base *b, const struct hf_chunk *c, const struct hf_place *p,
	struct hf_work_slot *slot, uint8_t *out, const uint8_t *base)
{
	const struct hf_opening o = { .scope = &b->release.scope,
		.place = p,
		.chunk = c,
		.ct = slot->sealed,
		.ct_len = p->len,
		.base = base,
		.out = out,
		.out_cap = slot->opener.chunk_max };

	if (p->len > slot->opener.chunk_max + HF_CHUNK_TAG_LEN)
		return HF_ERR_LIMIT;
	HF_TRY(b->all.read_at(b->all.ctx, p->pack_id, slot->sealed, p->len, p->offset, NULL));
	return hf_chunk_open(&o, &slot->opener);
}

hf_err hf_base_read(
	const struct hf_base *b, const struct hf_base_match *m, struct hf_work_slot *slot)
{
	if (!m->has_anchor) {
		HF_TRY(unseal(b, &m->chunk, &m->place, slot, slot->base, NULL));
		memcpy(slot->other, slot->base, m->chunk.plain_len);
		return HF_OK;
	}
	HF_TRY(unseal(b, &m->anchor, &m->anchor_place, slot, slot->base, NULL));
	return unseal(b, &m->chunk, &m->place, slot, slot->other, slot->base);
}

hf_err hf_base_use(struct hf_base *b, const uint8_t pack[HF_SM3_LEN])
{
	struct base_pack *p = find_pack(b, pack);

	if (p == NULL)
		return HF_ERR_INTERNAL;
	p->is_used = true;
	return HF_OK;
}

/* Of the packs that are used: bytes that one who has this release lacks. */
static hf_err lacks(struct hf_base *b, const uint8_t name[HF_SM3_LEN], uint64_t used_len,
	uint64_t *out, struct hf_errinfo *ei)
{
	struct hf_release r;
	struct hf_table_page t;
	struct hf_buf page;
	uint64_t has_len = 0;
	uint8_t *seen = hf_mem_new(b->env->mem, b->n_packs + 1);
	hf_err e;

	if (seen == NULL)
		return HF_ERR_NO_MEMORY;
	hf_buf_init(&page, b->env->mem, hf_object_max(HF_OBJECT_TABLE));
	e = hf_release_load(&r, b->env, &b->all, name, &b->spec->publisher->root, ei);
	for (uint32_t i = 0; e == HF_OK && i < r.manifest.body.n_pages; i++) {
		e = load_table(
			b, r.manifest.body.table_pages.p + (size_t)i * HF_SM3_LEN, &page, &t, ei);
		for (uint32_t k = 0; e == HF_OK && k < t.n_packs; k++) {
			const struct base_pack *p =
				find_pack(b, t.packs + (size_t)k * HF_TABLE_PACK_LEN);

			if (p == NULL || !p->is_used || seen[p - b->packs] != 0)
				continue;
			seen[p - b->packs] = 1;
			has_len += p->len;
		}
	}
	hf_release_clear(&r);
	hf_buf_clear(&page);
	hf_mem_free(b->env->mem, seen);
	*out = used_len - has_len;
	return e;
}

/* Digests of pages ascend: each once, and in one order only. */
static int digest_order(const void *x, const void *y)
{
	return memcmp(x, y, HF_SM3_LEN);
}

static hf_err say_pages(struct hf_base *b, struct hf_buf *pages)
{
	struct hf_buf all;
	hf_err e = HF_OK;

	hf_buf_init(&all, b->env->mem, (size_t)PACKS_MAX * HF_SM3_LEN);
	for (size_t i = 0; e == HF_OK && i < b->n_packs; i++)
		if (b->packs[i].is_used)
			e = hf_buf_put(&all, b->packs[i].page, HF_SM3_LEN);
	if (e == HF_OK && all.len > 0)
		qsort(all.p, all.len / HF_SM3_LEN, HF_SM3_LEN, digest_order);
	for (size_t at = 0; e == HF_OK && at < all.len; at += HF_SM3_LEN)
		if (at == 0 || memcmp(all.p + at, all.p + at - HF_SM3_LEN, HF_SM3_LEN) != 0)
			e = hf_buf_put(pages, all.p + at, HF_SM3_LEN);
	hf_buf_clear(&all);
	return e;
}

hf_err hf_base_say(struct hf_base *b, struct hf_buf *pages, struct hf_buf *steps, uint64_t new_len,
	uint64_t *used_len, struct hf_errinfo *ei)
{
	struct hf_pkg_step step;

	*used_len = 0;
	for (size_t i = 0; i < b->n_packs; i++)
		*used_len += b->packs[i].is_used ? b->packs[i].len : 0;
	HF_TRY(say_pages(b, pages));
	for (size_t i = 0; i < b->n_releases; i++) {
		if (i > 0 && b->releases[i].release == b->releases[i - 1].release)
			continue; /* two bundles of one release */
		step.release = b->releases[i].release;
		memcpy(step.manifest, b->releases[i].name, HF_SM3_LEN);
		HF_TRY(lacks(b, b->releases[i].name, *used_len, &step.bytes, ei));
		step.bytes += new_len;
		HF_TRY(hf_pkg_step_put(steps, &step));
	}
	return HF_OK;
}
