/* SPDX-License-Identifier: Apache-2.0 */
/* The tensors of a model file, or of all files of a folder, as the sealer sees them. */
#include <inttypes.h>
#include <stdio.h>

#include "model/model_map.h"
#include "os/file.h"
#include "os/heap.h"
#include "show.h"
#include "svc/inputs.h"

enum { SHAPE_TEXT = HF_MODEL_DIMS_MAX * 24 };

static const char pickle_warning[] = "a pickle is a program: whoever loads it runs it. It is "
				     "sealed as opaque bytes; convert it to "
				     "safetensors";

/* "[1000,30]" */
static void shape_text(char text[SHAPE_TEXT], const struct hf_tensor *t)
{
	int n = snprintf(text, SHAPE_TEXT, "[");

	for (unsigned i = 0; i < t->n_dims && n > 0 && n < SHAPE_TEXT; i++)
		n += snprintf(text + n, (size_t)(SHAPE_TEXT - n), "%s%" PRIu64, i == 0 ? "" : ",",
			t->shape[i]);
	if (n > 0 && n < SHAPE_TEXT)
		(void)snprintf(text + n, (size_t)(SHAPE_TEXT - n), "]");
}

static void show_shape(struct hufu_view *v, const struct hf_tensor *t)
{
	char text[SHAPE_TEXT];

	if (!v->is_json) {
		shape_text(text, t);
		hufu_view_str(v, "shape", text);
		return;
	}
	hufu_view_list(v, "shape");
	for (unsigned i = 0; i < t->n_dims; i++)
		hufu_view_u64(v, NULL, t->shape[i]);
	hufu_view_end(v);
}

static void show_tensors(struct hufu_view *v, const struct hf_model_map *map)
{
	hufu_view_u64(v, "n_tensors", map->n_tensors + map->n_elsewhere);
	hufu_view_list(v, "tensors");
	for (size_t i = 0; i < map->n_tensors + map->n_elsewhere; i++) {
		const struct hf_tensor *t = &map->tensors[i];

		hufu_view_row(v);
		hufu_view_str(v, "name", t->name);
		hufu_view_str(v, "dtype", hf_dtype_name(t->dtype));
		show_shape(v, t);
		hufu_view_u64(v, "offset", t->offset);
		hufu_view_u64(v, "len", t->len);
		if (t->location != NULL)
			hufu_view_str(v, "in", t->location);
		hufu_view_end(v);
	}
	hufu_view_end(v);
}

static void show_map(struct hufu_view *v, const struct hf_model_map *map)
{
	hufu_view_str(v, "format", hf_model_format_name(map->format));
	if (map->format == HF_MODEL_PICKLE)
		hufu_view_str(v, "warning", pickle_warning);
	hufu_view_len(v, "len", map->file_len);
	if (map->format == HF_MODEL_UNKNOWN)
		return;
	hufu_view_len(v, "header_len", map->data_at);
	show_tensors(v, map);
}

struct file {
	int fd;
	struct hf_errinfo *ei;
};

static hf_err read_file(void *ctx, uint8_t *out, size_t len, uint64_t at)
{
	const struct file *f = ctx;

	return hf_file_pread(f->fd, out, len, at, f->ei);
}

hf_err hufu_show_model(struct hufu_view *v, int fd, const char *path, uint64_t file_len,
	bool *is_model, struct hf_errinfo *ei)
{
	struct hf_model_map map = { .n_tensors = 0 };
	struct hf_errinfo why = { .code = HF_OK };
	struct file f = { fd, &why };
	const struct hf_model_source src = { read_file, &f, file_len };
	hf_err e = hf_model_map_read(&map, &src, (size_t)HF_MODEL_HEAD_MAX + 8, hf_os_mem(), &why);

	*is_model = e != HF_OK || map.format != HF_MODEL_UNKNOWN;
	if (e != HF_OK)
		(void)hf_fail(ei, e, "%s: %s", path, why.code == HF_OK ? hf_err_text(e) : why.text);
	if (e == HF_OK && *is_model) {
		hufu_view_str(v, "kind", "model");
		show_map(v, &map);
	}
	hf_model_map_clear(&map);
	return e;
}

hf_err hufu_show_folder(struct hufu_view *v, const char *path, struct hf_errinfo *ei)
{
	const struct hf_env env = { .mem = hf_os_mem() };
	const struct hf_inputs_spec spec = { .files = &path, .n_files = 1, .is_look = true };
	const struct hf_model_map *map = NULL;
	struct hf_inputs *in = NULL;
	struct hf_inputs_notes notes;

	HF_TRY(hf_inputs_new(&in, &env, &spec, ei));
	hf_inputs_notes(&notes, in);
	hufu_view_str(v, "kind", "folder");
	hufu_view_u64(v, "n_files", notes.n_files);
	if (notes.n_missing > 0)
		hufu_view_str(v, "first_missing_file", notes.missing);
	hufu_view_list(v, "files");
	for (size_t i = 0; i < hf_inputs_count(in); i++) {
		hufu_view_object(v, NULL);
		hufu_view_str(v, "path", hf_inputs_get(&map, in, i));
		show_map(v, map);
		hufu_view_end(v);
	}
	hufu_view_end(v);
	hf_inputs_free(in);
	return HF_OK;
}
