/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folders are walked by path; what they hold is opened from the folder down without following a
 * link (os/file.h), so nobody who changes a folder meanwhile makes the sealer read outside of it.
 */
#include "svc/input_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/fold.h"
#include "crypto/sm3.h"
#include "os/dir.h"
#include "os/file.h"

enum { KEY_MAX = HF_PKG_PATH_MAX * HF_FOLD_MAX };

struct hf_list_node {
	struct hf_list_node *next;
	struct hf_listed file;
	char text[]; /* shown, and behind it below */
};

struct walk {
	struct hf_input_list *list;
	const struct hf_input_list_spec *spec;
	const char *dir;   /* that was named */
	const char *below; /* the folder in it that is being read; "" itself */
	unsigned depth;
	struct hf_errinfo *ei;
};

/* below: NULL for a file that was named itself; name: in the package. */
static hf_err add(struct walk *w, const char *shown, const char *below, const char *name)
{
	struct hf_input_list *list = w->list;
	size_t shown_len = strlen(shown) + 1;
	size_t below_len = below == NULL ? 0 : strlen(below) + 1;
	size_t name_len = strlen(name) + 1;
	struct hf_list_node *node;

	if (!hf_pkg_path_is_valid(hf_bytes_str(name)))
		return hf_fail(w->ei, HF_ERR_ARG,
			"%s: no name for a file of a package: UTF-8 without control characters, "
			"'\\' and ':', at most %d bytes",
			shown, HF_PKG_PATH_MAX);
	if (list->n_files == HF_INPUT_FILES_MAX)
		return hf_fail(w->ei, HF_ERR_LIMIT, "%s: more than %d files in all", shown,
			HF_INPUT_FILES_MAX);
	node = hf_mem_new(list->mem, sizeof(*node) + shown_len + below_len + name_len);
	if (node == NULL)
		return hf_fail(w->ei, HF_ERR_NO_MEMORY, "out of memory");
	memcpy(node->text, shown, shown_len);
	memcpy(node->text + shown_len, name, name_len);
	if (below != NULL)
		memcpy(node->text + shown_len + name_len, below, below_len);
	node->file = (struct hf_listed){ .shown = node->text,
		.dir = below == NULL ? NULL : w->dir,
		.below = below == NULL ? NULL : node->text + shown_len + name_len,
		.name = node->text + shown_len };
	node->next = list->nodes;
	list->nodes = node;
	list->n_files++;
	return HF_OK;
}

static hf_err walk_folder(struct walk *w, const char *path);

/* Joins what is not empty. */
static hf_err join(char out[HF_FILE_PATH_MAX], const char *a, const char *b, struct hf_errinfo *ei)
{
	size_t len = strlen(a);
	const char *slash = len == 0 || a[len - 1] == '/' ? "" : "/";

	if (snprintf(out, HF_FILE_PATH_MAX, "%s%s%s", a, slash, b) >= HF_FILE_PATH_MAX)
		return hf_fail(ei, HF_ERR_LIMIT, "%.80s...: the path is too long", b);
	return HF_OK;
}

/* A link stands for the file that it leads to; that one may lie in no folder but this. */
static hf_err take_link(struct walk *w, const char *shown, const char *name)
{
	char below[HF_FILE_PATH_MAX];
	char target[HF_FILE_PATH_MAX];
	struct hf_file_stat st;

	HF_TRY(hf_file_link_below(below, w->dir, name, w->ei));
	HF_TRY(join(target, w->dir, below, w->ei));
	HF_TRY(hf_file_stat(&st, target, w->ei));
	if (!st.is_file)
		return hf_fail(w->ei, HF_ERR_ARG,
			"%s: a symbolic link to something that is no file", shown);
	return add(w, shown, below, name);
}

static hf_err take_entry(void *ctx, const char *name)
{
	struct walk *w = ctx;
	char below[HF_FILE_PATH_MAX];
	char shown[HF_FILE_PATH_MAX];
	struct walk inner = *w;
	struct hf_file_stat st;

	HF_TRY(join(below, w->below, name, w->ei));
	HF_TRY(join(shown, w->dir, below, w->ei));
	HF_TRY(hf_file_stat(&st, shown, w->ei));
	if (st.is_file)
		return add(w, shown, below, below);
	if (st.is_link)
		return take_link(w, shown, below);
	if (!st.is_dir)
		return hf_fail(w->ei, HF_ERR_ARG, "%s: neither file nor folder", shown);
	if (w->depth == HF_INPUT_DEPTH_MAX)
		return hf_fail(w->ei, HF_ERR_LIMIT, "%s: deeper than %d folders", shown,
			HF_INPUT_DEPTH_MAX);
	inner.below = below;
	inner.depth++;
	return walk_folder(&inner, shown);
}

/* Depth is bounded by HF_INPUT_DEPTH_MAX. */
static hf_err walk_folder(struct walk *w, const char *path)
{
	for (size_t i = 0; i < w->spec->n_keys; i++)
		if (hf_file_is_same(path, w->spec->keys[i]))
			return hf_fail(w->ei, HF_ERR_DENIED,
				"%s: holds private keys; a package must not have them in it", path);
	return hf_dir_list(w->list->mem, path, HF_INPUT_FILES_MAX, take_entry, w, w->ei);
}

bool hf_input_is_folder(const char *path)
{
	char real[HF_FILE_PATH_MAX];
	struct hf_file_stat st;

	return path[0] != '\0' && join(real, path, "", NULL) == HF_OK &&
	       hf_file_stat(&st, real, NULL) == HF_OK && st.is_dir;
}

static hf_err take_operand(struct walk *w, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t before = w->list->n_files;

	if (!hf_input_is_folder(path))
		return add(w, path, NULL, slash == NULL ? path : slash + 1);
	w->dir = path;
	w->below = "";
	w->depth = 1;
	HF_TRY(walk_folder(w, path));
	if (w->list->n_files == before)
		return hf_fail(w->ei, HF_ERR_ARG, "%s: there is no file in this folder", path);
	return HF_OK;
}

static int listed_order(const void *a, const void *b)
{
	const struct hf_listed *x = a;
	const struct hf_listed *y = b;

	return strcmp(x->name, y->name);
}

static hf_err sort_files(struct hf_input_list *list, struct hf_errinfo *ei)
{
	size_t n = 0;

	list->files = hf_mem_array(list->mem, list->n_files, sizeof(*list->files));
	if (list->files == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "out of memory");
	for (const struct hf_list_node *node = list->nodes; node != NULL; node = node->next)
		list->files[n++] = node->file;
	qsort(list->files, n, sizeof(*list->files), listed_order);
	for (size_t i = 1; i < n; i++)
		if (strcmp(list->files[i - 1].name, list->files[i].name) == 0)
			return hf_fail(
				ei, HF_ERR_ARG, "two files are called '%s'", list->files[i].name);
	return HF_OK;
}

/* A file or a folder above one, by the name under which a careless file system knows it. */
struct place {
	uint8_t key[HF_SM3_LEN];
	const char *name;
	size_t len;
	bool is_file;
};

static int place_order(const void *a, const void *b)
{
	const struct place *x = a;
	const struct place *y = b;

	return memcmp(x->key, y->key, sizeof(x->key));
}

static hf_err make_key(struct place *p)
{
	uint32_t folded[KEY_MAX];
	size_t n = 0;

	HF_TRY(hf_fold(folded, KEY_MAX, &n, (const uint8_t *)p->name, p->len));
	hf_sm3(p->key, folded, n * sizeof(folded[0]));
	return HF_OK;
}

static bool is_clash(const struct place *a, const struct place *b)
{
	if (memcmp(a->key, b->key, sizeof(a->key)) != 0)
		return false;
	return a->is_file || b->is_file || a->len != b->len ||
	       memcmp(a->name, b->name, a->len) != 0;
}

/* The folders above a file, and the file; out NULL: they are only counted. */
static hf_err put_places(struct place *out, size_t *n, const char *name)
{
	for (size_t len = 1; len <= strlen(name); len++) {
		struct place p = { .name = name, .len = len, .is_file = name[len] == '\0' };

		if (name[len] != '/' && !p.is_file)
			continue;
		if (out != NULL) {
			HF_TRY(make_key(&p));
			out[*n] = p;
		}
		++*n;
	}
	return HF_OK;
}

static hf_err put_all(struct place *out, size_t *n, const struct hf_input_list *list)
{
	*n = 0;
	for (size_t i = 0; i < list->n_files; i++)
		HF_TRY(put_places(out, n, list->files[i].name));
	return HF_OK;
}

static hf_err check_clashes(const struct hf_input_list *list, struct hf_errinfo *ei)
{
	struct place *places;
	size_t n = 0;
	hf_err e;

	HF_TRY(put_all(NULL, &n, list));
	places = hf_mem_array(list->mem, n, sizeof(*places));
	if (places == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "out of memory");
	e = put_all(places, &n, list);
	if (e == HF_OK)
		qsort(places, n, sizeof(*places), place_order);
	for (size_t i = 1; e == HF_OK && i < n; i++)
		if (is_clash(&places[i - 1], &places[i]))
			e = hf_fail(ei, HF_ERR_ARG,
				"'%.*s' and '%.*s' are one name where case or composition of "
				"characters do not count; rename one",
				(int)places[i - 1].len, places[i - 1].name, (int)places[i].len,
				places[i].name);
	hf_mem_free(list->mem, places);
	return e;
}

hf_err hf_input_list_make(struct hf_input_list *out, const struct hf_mem *mem,
	const struct hf_input_list_spec *spec, struct hf_errinfo *ei)
{
	struct hf_input_list list = { .mem = mem };
	struct walk w = { .list = &list, .spec = spec, .ei = ei };
	hf_err e = HF_OK;

	if (spec->n_paths == 0 || spec->n_paths > HF_INPUTS_MAX)
		return hf_fail(ei, HF_ERR_ARG, "files: 1 to %d", HF_INPUTS_MAX);
	for (size_t i = 0; e == HF_OK && i < spec->n_paths; i++)
		e = take_operand(&w, spec->paths[i]);
	if (e == HF_OK)
		e = sort_files(&list, ei);
	if (e == HF_OK)
		e = check_clashes(&list, ei);
	if (e != HF_OK) {
		hf_input_list_clear(&list);
		return e;
	}
	*out = list;
	return HF_OK;
}

void hf_input_list_clear(struct hf_input_list *list)
{
	while (list->nodes != NULL) {
		struct hf_list_node *next = list->nodes->next;

		hf_mem_free(list->mem, list->nodes);
		list->nodes = next;
	}
	if (list->mem != NULL)
		hf_mem_free(list->mem, list->files);
	*list = (struct hf_input_list){ .n_files = 0 };
}

hf_err hf_listed_open(int *fd, const struct hf_listed *f, struct hf_errinfo *ei)
{
	struct hf_file_stat st;
	hf_err e;

	if (f->dir != NULL)
		return hf_file_open_below(fd, f->dir, f->below, ei);
	HF_TRY(hf_file_open(fd, f->shown, HF_FILE_READ | HF_FILE_FOLLOW, 0, ei));
	e = hf_file_fstat(&st, *fd, ei);
	if (e == HF_OK && !st.is_file)
		e = hf_fail(ei, HF_ERR_ARG, "%s: not a regular file", f->shown);
	if (e != HF_OK)
		hf_file_close(fd);
	return e;
}
