/* SPDX-License-Identifier: Apache-2.0 */
#include "kept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "os/dir.h"
#include "os/file.h"
#include "pkg/table.h"
#include "svc/bundle_file.h"

enum {
	DIGITS = 16,
	FILES_MAX = 1 << 16,
	PACKS_MAX = 1 << 21, /* of one release */
};

static const char folder[] = "bases";
static const char ending[] = ".hufu";

/* A walk over the folder. */
struct walk {
	const struct hf_env *env;
	const char *dir;
	const char *lineage;
	struct hufu_kept *k;
	struct hf_buf packs; /* names, in order, that the release needs */
	char keep[HF_PATH_MAX];
};

static bool is_of(const char *name, const char *lineage)
{
	size_t len = strlen(lineage);
	const char *at = name + len + 1;

	return strlen(name) == len + 1 + DIGITS + sizeof(ending) - 1 &&
	       memcmp(name, lineage, len) == 0 && name[len] == '.' &&
	       strspn(at, "0123456789abcdef") == DIGITS && strcmp(at + DIGITS, ending) == 0;
}

static hf_err list_one(void *ctx, const char *name)
{
	struct walk *w = ctx;

	if (!is_of(name, w->lineage))
		return HF_OK;
	if (w->k->n == HF_BASE_BUNDLES_MAX) {
		w->k->is_full = true;
		return HF_OK;
	}
	HF_TRY(hf_path_join(w->k->path[w->k->n], w->dir, name, NULL));
	w->k->list[w->k->n] = w->k->path[w->k->n];
	w->k->n++;
	return HF_OK;
}

static hf_err walk(struct walk *w, const char *dir, hf_err (*each)(void *ctx, const char *name),
	struct hf_errinfo *ei)
{
	struct hf_file_stat st;

	if (hf_file_stat(&st, dir, NULL) == HF_ERR_NOT_FOUND)
		return HF_OK;
	w->dir = dir;
	return hf_dir_list(w->env->mem, dir, FILES_MAX, each, w, ei);
}

hf_err hufu_kept_list(struct hufu_kept *k, const struct hf_env *env, const char *publisher,
	const char *lineage, struct hf_errinfo *ei)
{
	struct walk w = { .env = env, .lineage = lineage, .k = k };
	char dir[HF_PATH_MAX];

	memset(k, 0, sizeof(*k));
	HF_TRY(hf_path_join(dir, publisher, folder, ei));
	return walk(&w, dir, list_one, ei);
}

static int name_order(const void *a, const void *b)
{
	return memcmp(a, b, HF_SM3_LEN);
}

static hf_err gather_packs(struct walk *w, const struct hf_release *r, struct hf_errinfo *ei)
{
	const struct hf_pkg_body *body = &r->manifest.body;
	struct hf_table_page t;
	struct hf_buf page;
	hf_err e = HF_OK;

	hf_buf_init(&page, w->env->mem, hf_object_max(HF_OBJECT_TABLE));
	for (uint32_t i = 0; e == HF_OK && i < body->n_pages; i++) {
		hf_buf_reset(&page);
		e = hf_objects_load(&page, r->objects, HF_OBJECT_TABLE,
			body->table_pages.p + (size_t)i * HF_SM3_LEN, ei);
		if (e == HF_OK)
			e = hf_table_page_parse(&t, page.p, page.len);
		for (uint32_t k = 0; e == HF_OK && k < t.n_packs; k++)
			e = hf_buf_put(
				&w->packs, t.packs + (size_t)k * HF_TABLE_PACK_LEN, HF_SM3_LEN);
	}
	hf_buf_clear(&page);
	if (e == HF_OK && w->packs.len > 0)
		qsort(w->packs.p, w->packs.len / HF_SM3_LEN, HF_SM3_LEN, name_order);
	return e;
}

static bool is_needed(const struct walk *w, const char *path)
{
	struct hf_bundle_file b;
	bool is = false;

	if (hf_bundle_file_open(&b, w->env, path, NULL) != HF_OK)
		return false;
	for (size_t i = 0; i < b.n_members && !is; i++)
		is = b.members[i].kind == HF_OBJECT_PACK && w->packs.len > 0 &&
		     bsearch(b.members[i].name, w->packs.p, w->packs.len / HF_SM3_LEN, HF_SM3_LEN,
			     name_order) != NULL;
	hf_bundle_file_close(&b);
	return is;
}

static hf_err delete_one(void *ctx, const char *name)
{
	const struct walk *w = ctx;
	char path[HF_PATH_MAX];

	if (!is_of(name, w->lineage) || hf_path_join(path, w->dir, name, NULL) != HF_OK ||
		strcmp(path, w->keep) == 0 || is_needed(w, path))
		return HF_OK;
	(void)!hf_file_delete(path, NULL); /* tried again next time */
	return HF_OK;
}

hf_err hufu_kept_put(const struct hf_env *env, const char *publisher, const char *path,
	const struct hf_release *r, struct hf_errinfo *ei)
{
	struct walk w = { .env = env, .lineage = r->manifest.lineage };
	char dir[HF_PATH_MAX];
	char hex[2 * HF_SM3_LEN + 1];
	char name[HF_ID_MAX + DIGITS + sizeof(ending) + 2];
	hf_err e;

	HF_TRY(hf_path_join(dir, publisher, folder, ei));
	HF_TRY(hf_dir_make(dir, 0700, ei));
	hf_hex_emit(hex, r->name, HF_SM3_LEN);
	(void)snprintf(name, sizeof(name), "%s.%.*s%s", r->manifest.lineage, DIGITS, hex, ending);
	HF_TRY(hf_path_join(w.keep, dir, name, ei));
	HF_TRY(hf_file_rename(path, w.keep, ei));
	hf_buf_init(&w.packs, env->mem, (size_t)PACKS_MAX * HF_SM3_LEN);
	e = gather_packs(&w, r, ei);
	if (e == HF_OK)
		e = walk(&w, dir, delete_one, ei);
	hf_buf_clear(&w.packs);
	return e;
}
