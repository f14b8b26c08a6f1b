/* SPDX-License-Identifier: Apache-2.0 */
/* The tensors of a model file, as the sealer sees them. */
#include <inttypes.h>
#include <stdio.h>

#include "model/model_map.h"
#include "os/file.h"
#include "os/heap.h"
#include "show.h"

enum { SHAPE_TEXT = HF_MODEL_DIMS_MAX * 24 };

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

static void show_map(struct hufu_view *v, const struct hf_model_map *map)
{
	hufu_view_str(v, "kind", "model");
	hufu_view_str(v, "format", "safetensors");
	hufu_view_len(v, "len", map->file_len);
	hufu_view_len(v, "header_len", map->data_at);
	hufu_view_u64(v, "n_tensors", map->n_tensors);
	hufu_view_list(v, "tensors");
	for (size_t i = 0; i < map->n_tensors; i++) {
		const struct hf_tensor *t = &map->tensors[i];

		hufu_view_row(v);
		hufu_view_str(v, "name", t->name);
		hufu_view_str(v, "dtype", hf_dtype_name(t->dtype));
		show_shape(v, t);
		hufu_view_u64(v, "offset", t->offset);
		hufu_view_u64(v, "len", t->len);
		hufu_view_end(v);
	}
	hufu_view_end(v);
}

hf_err hufu_show_model(struct hufu_view *v, int fd, const char *path, uint64_t head_len,
	uint64_t file_len, struct hf_errinfo *ei)
{
	const struct hf_mem *mem = hf_os_mem();
	struct hf_model_map map = { .n_tensors = 0 };
	struct hf_buf head;
	uint8_t *room = NULL;
	hf_err e;

	hf_buf_init(&head, mem, HF_MODEL_HEAD_MAX + 8);
	e = hf_buf_room(&head, &room, (size_t)head_len);
	if (e == HF_OK)
		e = hf_file_pread(fd, room, (size_t)head_len, 0, ei);
	if (e == HF_OK)
		e = hf_model_map_parse(&map, HF_MODEL_SAFETENSORS, room, (size_t)head_len,
			HF_MODEL_HEAD_MAX, file_len, mem, ei);
	if (e == HF_OK)
		show_map(v, &map);
	else
		(void)hf_fail(ei, e, "%s: %s", path, hf_err_text(e));
	hf_model_map_clear(&map);
	hf_buf_clear(&head);
	return e;
}
