/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room in the store. A release is kept while it is the active one of its lineage or the one before,
 * while it is being brought, and while the channel names it. Of every other manifest in the store
 * the packs and pages go that no kept release has, parts of packs and the bitmap of a fetch that
 * was given up too, and then the manifest itself; so a kill in between leaves a manifest to go on
 * from.
 *
 * Without a channel nothing goes: a release that is half here might be the one it names. Little
 * by little, a few pages in a tick, and never beside a fetch: it might count on a pack that is
 * about to go.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "os/dir.h"
#include "os/file.h"
#include "pkg/table.h"
#include "store/resume.h"
#include "svc/agent_inner.h"

enum {
	MANIFESTS_MAX = 1024, /* that are looked at in one go */
	NAMES_MAX = 64 << 20, /* bytes of names of kept objects: two millions */
	PAGES_AT_ONCE = 8,
	STALE_MAX = 4096, /* bitmaps of fetches */
};

struct name {
	uint8_t b[HF_SM3_LEN];
};

static const struct name *name_at(const struct hf_buf *names, size_t i)
{
	return (const struct name *)(const void *)(names->p + i * sizeof(struct name));
}

void hf_agent_tidy_clear(struct hf_agent *a)
{
	hf_buf_clear(&a->tidy.manifests);
	hf_buf_clear(&a->tidy.names);
	a->tidy = (struct agent_tidy){ .is_wanted = a->tidy.is_wanted };
}

static bool is_target(const struct hf_agent *a, const uint8_t name[HF_SM3_LEN])
{
	struct hf_bytes rest = a->has_channel ? a->view.releases : (struct hf_bytes){ NULL, 0 };
	struct hf_channel_release entry;

	for (size_t i = 0; i < a->n_lineages; i++)
		if (a->lineages[i]->has_target &&
			memcmp(a->lineages[i]->target.manifest, name, HF_SM3_LEN) == 0)
			return true;
	while (hf_channel_release_take(&entry, &rest) == HF_OK)
		if (memcmp(entry.manifest, name, HF_SM3_LEN) == 0)
			return true;
	return false;
}

/* Loads a manifest of the store; m borrows from object. */
static hf_err load(struct hf_agent *a, const uint8_t name[HF_SM3_LEN], struct hf_buf *object,
	struct hf_manifest *m)
{
	struct hf_objects objects = hf_folder_objects(a->node->blobs.dir);
	struct hf_bytes content;

	hf_buf_init(object, a->mem, hf_object_max(HF_OBJECT_MANIFEST));
	HF_TRY(hf_objects_load(object, &objects, HF_OBJECT_MANIFEST, name, NULL));
	HF_TRY(hf_object_peek(
		&content, HF_OBJECT_MANIFEST, (struct hf_bytes){ object->p, object->len }, NULL));
	return hf_manifest_parse(m, content, NULL);
}

/* HF_ERR_NOT_FOUND: nobody needs it any more. */
static hf_err is_kept(struct hf_agent *a, const uint8_t name[HF_SM3_LEN])
{
	struct agent_active active;
	struct hf_manifest m;
	struct hf_buf object;
	hf_err e;

	if (is_target(a, name))
		return HF_OK;
	e = load(a, name, &object, &m);
	if (e == HF_OK) {
		hf_agent_active_get(a, m.lineage, &active);
		if (!(active.has && memcmp(active.manifest, name, HF_SM3_LEN) == 0) &&
			!(active.has_before && memcmp(active.before, name, HF_SM3_LEN) == 0))
			e = HF_ERR_NOT_FOUND;
	}
	hf_buf_clear(&object);
	/* What cannot be read names nothing that could be deleted with it. */
	return e == HF_ERR_NOT_FOUND ? e : HF_OK;
}

/* Two rounds over the store: first the kept ones, then the others. */
struct sorting {
	struct hf_agent *a;
	bool wants_kept;
};

static hf_err sort_one(void *ctx, const char *id, uint64_t size)
{
	struct sorting *s = ctx;
	struct agent_tidy *t = &s->a->tidy;
	struct name name;
	size_t len = 0;
	bool kept;

	(void)size;
	HF_TRY(hf_hex_parse(name.b, sizeof(name.b), &len, id, strlen(id)));
	kept = is_kept(s->a, name.b) == HF_OK;
	if (kept != s->wants_kept)
		return HF_OK;
	t->n_all++;
	t->n_kept += kept ? 1 : 0;
	return hf_buf_put(&t->manifests, &name, sizeof(name));
}

/* HF_ERR_NOT_FOUND: there is nothing to delete. */
static hf_err begin(struct hf_agent *a)
{
	struct sorting s = { a, true };
	struct agent_tidy *t = &a->tidy;
	const char *kind = hf_object_kind(HF_OBJECT_MANIFEST);

	hf_agent_tidy_clear(a);
	hf_buf_init(&t->manifests, a->mem, MANIFESTS_MAX * sizeof(struct name));
	hf_buf_init(&t->names, a->mem, NAMES_MAX);
	HF_TRY(hf_blob_list(&a->node->blobs, kind, sort_one, &s, NULL));
	s.wants_kept = false;
	HF_TRY(hf_blob_list(&a->node->blobs, kind, sort_one, &s, NULL));
	if (t->n_all == t->n_kept)
		return HF_ERR_NOT_FOUND;
	t->is_running = true;
	return HF_OK;
}

static int name_order(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct name));
}

static bool is_needed(const struct agent_tidy *t, const uint8_t name[HF_SM3_LEN])
{
	size_t n = t->names.len / sizeof(struct name);

	return n > 0 && bsearch(name, t->names.p, n, sizeof(struct name), name_order) != NULL;
}

/* What is done with the objects that a page is about. */
typedef hf_err page_fn(struct hf_agent *a, enum hf_object kind, const uint8_t name[HF_SM3_LEN]);

static hf_err keep(struct hf_agent *a, enum hf_object kind, const uint8_t name[HF_SM3_LEN])
{
	(void)kind;
	return hf_buf_put(&a->tidy.names, name, HF_SM3_LEN);
}

static hf_err discard(struct hf_agent *a, enum hf_object kind, const uint8_t name[HF_SM3_LEN])
{
	struct hf_blobs *blobs = &a->node->blobs;
	char id[2 * HF_SM3_LEN + 1];
	hf_err e;

	if (is_needed(&a->tidy, name))
		return HF_OK;
	hf_hex_emit(id, name, HF_SM3_LEN);
	e = hf_blob_delete(blobs, hf_object_kind(kind), id, NULL);
	if (e == HF_ERR_NOT_FOUND && kind == HF_OBJECT_PACK)
		e = hf_blob_part_delete(blobs, hf_object_kind(kind), id, NULL);
	return e == HF_ERR_NOT_FOUND ? HF_OK : e;
}

static hf_err page_packs(struct hf_agent *a, const uint8_t name[HF_SM3_LEN], page_fn *each)
{
	struct hf_objects objects = hf_folder_objects(a->node->blobs.dir);
	struct hf_table_page t;
	struct hf_buf page;
	hf_err e;

	hf_buf_init(&page, a->mem, hf_object_max(HF_OBJECT_TABLE));
	e = hf_objects_load(&page, &objects, HF_OBJECT_TABLE, name, NULL);
	if (e == HF_OK)
		e = hf_table_page_parse(&t, page.p, page.len);
	for (uint32_t i = 0; e == HF_OK && i < t.n_packs; i++)
		e = each(a, HF_OBJECT_PACK, t.packs + (size_t)i * HF_TABLE_PACK_LEN);
	hf_buf_clear(&page);
	return e;
}

/* Of earlier releases only the pages that list the packs whole; those packs stand on ours too. */
static hf_err base_page(struct hf_agent *a, const struct hf_pkg_bases *bases, page_fn *each)
{
	struct agent_tidy *t = &a->tidy;
	uint32_t no = t->base_page;

	if (no == bases->n_pages)
		return HF_ERR_NOT_FOUND;
	HF_TRY(each(a, HF_OBJECT_TABLE, bases->pages.p + (size_t)no * HF_SM3_LEN));
	t->base_page++;
	return HF_OK;
}

/* The next page of the manifest that is being looked at. HF_ERR_NOT_FOUND: that was all. */
static hf_err next_page(struct hf_agent *a, const struct hf_pkg_body *body, page_fn *each)
{
	struct agent_tidy *t = &a->tidy;
	const uint8_t *table;
	hf_err e;

	if (t->page >= body->n_pages)
		return base_page(a, &body->bases, each);
	table = body->table_pages.p + (size_t)t->page * HF_SM3_LEN;
	e = page_packs(a, table, each);
	/* A page that never came: its packs did not come either. */
	if (e != HF_OK && e != HF_ERR_NOT_FOUND && e != HF_ERR_AUTH)
		return e;
	/* Packs first: without its table nobody knows them. */
	HF_TRY(each(a, HF_OBJECT_TABLE, table));
	HF_TRY(each(a, HF_OBJECT_INDEX, body->index_pages.p + (size_t)t->page * HF_SM3_LEN));
	t->page++;
	return HF_OK;
}

static hf_err manifest_delete(struct hf_agent *a, const uint8_t name[HF_SM3_LEN])
{
	char dir[HF_PATH_MAX];
	char path[HF_PATH_MAX];
	char id[2 * HF_SM3_LEN + 1];

	hf_hex_emit(id, name, HF_SM3_LEN);
	HF_TRY(hf_path_join(dir, a->node->dir, "resume", NULL));
	HF_TRY(hf_path_join(path, dir, id, NULL));
	HF_TRY(hf_resume_delete(path, NULL));
	return hf_blob_delete(&a->node->blobs, hf_object_kind(HF_OBJECT_MANIFEST), id, NULL);
}

/* A few pages of the manifest at t->at. */
static hf_err step(struct hf_agent *a)
{
	struct agent_tidy *t = &a->tidy;
	const struct name *name = name_at(&t->manifests, t->at);
	bool kept = t->at < t->n_kept;
	struct hf_manifest m;
	struct hf_buf object;
	hf_err e;

	if (!kept && !t->is_sorted && t->names.len > 0)
		qsort(t->names.p, t->names.len / sizeof(struct name), sizeof(struct name),
			name_order);
	t->is_sorted = !kept;
	e = load(a, name->b, &object, &m);
	for (unsigned i = 0; e == HF_OK && i < PAGES_AT_ONCE; i++)
		e = next_page(a, &m.body, kept ? keep : discard);
	hf_buf_clear(&object);
	if (e != HF_ERR_NOT_FOUND)
		return e;
	if (!kept)
		HF_TRY(manifest_delete(a, name->b));
	t->page = 0;
	t->base_page = 0;
	t->at++;
	return HF_OK;
}

/* Temporary files of a kill, and bitmaps whose manifest is gone. */
static hf_err resume_one(void *ctx, const char *file)
{
	struct hf_agent *a = ctx;
	char dir[HF_PATH_MAX];
	char path[HF_PATH_MAX];
	uint64_t size = 0;

	if (hf_blob_is_id(file) && hf_blob_size(&a->node->blobs, &size,
					   hf_object_kind(HF_OBJECT_MANIFEST), file, NULL) == HF_OK)
		return HF_OK;
	HF_TRY(hf_path_join(dir, a->node->dir, "resume", NULL));
	HF_TRY(hf_path_join(path, dir, file, NULL));
	(void)!hf_file_delete(path, NULL);
	return HF_OK;
}

static void resume_tidy(struct hf_agent *a)
{
	char dir[HF_PATH_MAX];

	if (hf_path_join(dir, a->node->dir, "resume", NULL) == HF_OK)
		(void)!hf_dir_list(a->mem, dir, STALE_MAX, resume_one, a, NULL);
}

static void over(struct hf_agent *a)
{
	hf_agent_tidy_clear(a);
	a->is_due = true; /* fetches waited for this */
}

bool hf_agent_tidy_is_due(const struct hf_agent *a)
{
	return a->tidy.is_running || (a->tidy.is_wanted && a->has_channel && a->n_fetches == 0);
}

void hf_agent_tidy_run(struct hf_agent *a)
{
	struct agent_tidy *t = &a->tidy;

	if (!t->is_running && !hf_agent_tidy_is_due(a))
		return;
	if (!t->is_running) {
		t->is_wanted = false;
		resume_tidy(a);
		if (begin(a) != HF_OK) {
			over(a);
			return;
		}
	}
	/* A failure ends it; the next activation begins it anew. */
	if (step(a) != HF_OK || t->at == t->n_all)
		over(a);
}
