/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all formats share: element types, finding out the format, and the choice of its reader. Each
 * format has a file of its own (formats.h).
 */
#include "model/model_map.h"

#include <string.h>

#include "base/buf.h"
#include "base/checked.h"
#include "model/formats.h"

/* A block is what a quantised type packs together: n elements in len bytes. */
static const struct {
	const char *name;
	uint16_t bits;
	uint16_t block_n;
	uint16_t block_len;
} dtypes[HF_DTYPE_COUNT] = {
#define PLAIN(name, bits)   [HF_DTYPE_##name] = { #name, (bits), 0, 0 },
#define BLOCK(name, n, len) [HF_DTYPE_##name] = { #name, 0, (n), (len) },
	HF_DTYPE_LIST(PLAIN) HF_DTYPE_MORE_LIST(PLAIN) HF_DTYPE_BLOCK_LIST(BLOCK)
#undef PLAIN
#undef BLOCK
};

static const char *const format_names[] = {
	[HF_MODEL_UNKNOWN] = "plain",
	[HF_MODEL_SAFETENSORS] = "safetensors",
	[HF_MODEL_GGUF] = "gguf",
	[HF_MODEL_ONNX] = "onnx",
	[HF_MODEL_TFLITE] = "tflite",
	[HF_MODEL_ONNX_DATA] = "onnx-data",
	[HF_MODEL_PICKLE] = "pickle",
};

const char *hf_model_format_name(unsigned format)
{
	return format < HF_MODEL_FORMATS ? format_names[format] : NULL;
}

const char *hf_dtype_name(enum hf_dtype t)
{
	return (unsigned)t < HF_DTYPE_COUNT ? dtypes[t].name : NULL;
}

unsigned hf_dtype_bits(enum hf_dtype t)
{
	return (unsigned)t < HF_DTYPE_COUNT ? dtypes[t].bits : 0;
}

bool hf_dtype_has_len(enum hf_dtype t)
{
	return (unsigned)t < HF_DTYPE_COUNT && (dtypes[t].bits != 0 || dtypes[t].block_n != 0);
}

hf_err hf_dtype_len(uint64_t *len, const struct hf_tensor *t)
{
	uint64_t n = 1;

	if (!hf_dtype_has_len(t->dtype))
		return HF_ERR_ARG;
	for (unsigned i = 0; i < t->n_dims; i++)
		HF_TRY(hf_mul_u64(&n, n, t->shape[i]));
	if (dtypes[t->dtype].block_n == 0) {
		HF_TRY(hf_mul_u64(&n, n, dtypes[t->dtype].bits));
		*len = n / 8 + (n % 8 != 0 ? 1 : 0);
		return HF_OK;
	}
	if (n != 0 && (t->n_dims == 0 || t->shape[0] % dtypes[t->dtype].block_n != 0))
		return HF_ERR_FORMAT; /* a row is whole blocks */
	return hf_mul_u64(len, n / dtypes[t->dtype].block_n, dtypes[t->dtype].block_len);
}

hf_err hf_model_map_parse(struct hf_model_map *map, enum hf_model_format format,
	const uint8_t *head, size_t head_len, size_t head_max, uint64_t file_len,
	const struct hf_mem *mem, struct hf_errinfo *ei)
{
	struct hf_model_map m = { .format = format, .file_len = file_len, .mem = mem };
	hf_err e;

	if (format == HF_MODEL_UNKNOWN) {
		*map = m;
		return HF_OK;
	}
	if (format != HF_MODEL_SAFETENSORS)
		return HF_ERR_ARG;
	if (head_len > head_max || head_len > (size_t)HF_MODEL_HEAD_MAX + 8)
		return hf_fail(ei, HF_ERR_LIMIT, "model header of %zu bytes is too long", head_len);
	e = hf_safetensors_parse(&m, head, head_len, ei);
	if (e != HF_OK) {
		hf_model_map_clear(&m);
		return e;
	}
	*map = m;
	return HF_OK;
}

/* The header of a safetensors file, in memory as a whole. */
static hf_err read_safetensors(struct hf_model_map *map, const struct hf_model_source *src,
	uint64_t head_len, size_t head_max, struct hf_errinfo *ei)
{
	struct hf_buf head;
	uint8_t *room = NULL;
	hf_err e;

	if (head_len > head_max)
		return hf_fail(ei, HF_ERR_LIMIT,
			"a header of %llu bytes, at most %zu are read into memory",
			(unsigned long long)head_len, head_max);
	hf_buf_init(&head, map->mem, head_max);
	e = hf_buf_room(&head, &room, (size_t)head_len);
	if (e == HF_OK)
		e = src->read(src->ctx, room, (size_t)head_len, 0);
	if (e == HF_OK)
		e = hf_safetensors_parse(map, room, (size_t)head_len, ei);
	hf_buf_clear(&head);
	return e;
}

/* Everything else: by magic, and what has none by its structure. */
static hf_err read_windowed(
	struct hf_model_map *map, const struct hf_model_source *src, struct hf_errinfo *ei)
{
	struct hf_window w = { .src = NULL };
	hf_err e = hf_window_init(&w, src, map->mem);
	uint8_t first[8] = { 0 };

	if (e == HF_OK && src->file_len >= sizeof(first))
		(void)hf_window_get(&w, first, sizeof(first), 0);
	if (e == HF_OK && w.e == HF_OK) {
		if (memcmp(first, "GGUF", 4) == 0) {
			map->format = HF_MODEL_GGUF;
			e = hf_gguf_read(map, &w, ei);
		} else if (hf_pickle_is(&w)) {
			map->format = HF_MODEL_PICKLE;
		} else if (hf_tflite_is(first)) {
			map->format = HF_MODEL_TFLITE;
			e = hf_tflite_read(map, &w, ei);
		} else if (hf_onnx_is(&w)) {
			map->format = HF_MODEL_ONNX;
			e = hf_onnx_read(map, &w, ei);
		}
	}
	if (e == HF_OK)
		e = w.e;
	hf_window_clear(&w);
	return e;
}

hf_err hf_model_map_read(struct hf_model_map *map, const struct hf_model_source *src,
	size_t head_max, const struct hf_mem *mem, struct hf_errinfo *ei)
{
	struct hf_model_map m = { .file_len = src->file_len, .mem = mem };
	uint8_t first[HF_MODEL_SNIFF_LEN] = { 0 };
	size_t n = src->file_len < sizeof(first) ? (size_t)src->file_len : sizeof(first);
	uint64_t head_len = 0;
	hf_err e = n == 0 ? HF_OK : src->read(src->ctx, first, n, 0);

	if (e != HF_OK)
		return e;
	m.format = hf_model_sniff(&head_len, first, n, src->file_len);
	if (m.format == HF_MODEL_SAFETENSORS)
		e = read_safetensors(&m, src, head_len, head_max, ei);
	else if (n > 0)
		e = read_windowed(&m, src, ei);
	if (e != HF_OK) {
		hf_model_map_clear(&m);
		return e;
	}
	*map = m;
	return HF_OK;
}

void hf_model_map_clear(struct hf_model_map *map)
{
	if (map->mem != NULL) {
		hf_mem_free(map->mem, map->tensors);
		hf_mem_free(map->mem, map->names);
	}
	*map = (struct hf_model_map){ 0 };
}
