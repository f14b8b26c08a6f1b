/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TFLite: a FlatBuffer whose bytes 4 to 7 are "TFL3". Walked by position: root table, sub-graphs,
 * their tensors, the buffer that each one names. A table begins with the distance back to its list
 * of fields (vtable); all other distances lead forwards. Data lie in the FlatBuffer, or behind it
 * in the same file, where a buffer says offset and size. Invariants: whatever is read of the
 * FlatBuffer lies in the first FLAT_MAX bytes; the walk is four tables deep, whatever leads where,
 * and looks at no more than HF_MODEL_TENSORS_MAX tensors, however often a list names the same one.
 */
#include <string.h>

#include "base/attr.h"
#include "model/formats.h"

enum {
	VERSION = 3,
	SUBGRAPHS_MAX = 1 << 16,
	VTABLE_HEAD = 4, /* its own length and that of the table */
	OFFSET_NONE = 1, /* up to here an offset says nothing: writers fill it in later */
};

#define FLAT_MAX ((uint64_t)1 << 31)

/* Fields by their place in the table. */
enum { MODEL_VERSION = 0, MODEL_SUBGRAPHS = 2, MODEL_BUFFERS = 4 };
enum { SUBGRAPH_TENSORS = 0 };
enum { TENSOR_SHAPE, TENSOR_TYPE, TENSOR_BUFFER, TENSOR_NAME, TENSOR_SPARSITY = 6 };
enum { BUFFER_DATA, BUFFER_OFFSET, BUFFER_SIZE };

/* Element types by their number in the file. */
static const uint8_t types[] = {
	[0] = HF_DTYPE_F32,
	[1] = HF_DTYPE_F16,
	[2] = HF_DTYPE_I32,
	[3] = HF_DTYPE_U8,
	[4] = HF_DTYPE_I64,
	[5] = HF_DTYPE_STRING,
	[6] = HF_DTYPE_BOOL,
	[7] = HF_DTYPE_I16,
	[8] = HF_DTYPE_C64,
	[9] = HF_DTYPE_I8,
	[10] = HF_DTYPE_F64,
	[11] = HF_DTYPE_C128,
	[12] = HF_DTYPE_U64,
	[13] = HF_DTYPE_OPAQUE,
	[14] = HF_DTYPE_OPAQUE,
	[15] = HF_DTYPE_U32,
	[16] = HF_DTYPE_U16,
	[17] = HF_DTYPE_I4,
	[18] = HF_DTYPE_BF16,
	[19] = HF_DTYPE_I2,
	[20] = HF_DTYPE_U4,
	[21] = HF_DTYPE_F8_E4M3,
	[22] = HF_DTYPE_F8_E5M2,
};

struct tflite {
	struct hf_window *w;
	struct hf_errinfo *ei;
	uint64_t end;     /* of all that was read of the FlatBuffer */
	uint64_t outside; /* where the data begin that lie behind it */
	size_t n_seen;    /* tensors, with and without data */
};

struct table {
	uint64_t at;
	uint64_t vtable;
	uint64_t vtable_len;
	uint64_t len;
};

struct vector {
	uint64_t at; /* of the first element */
	uint64_t n;
};

struct buffer {
	uint64_t at;
	uint64_t len;
	bool is_outside;
};

static hf_err fail(const struct tflite *f, hf_err code, const char *what, uint64_t at)
{
	return hf_fail(f->ei, code, "tflite: %s (at byte %llu)", what, (unsigned long long)at);
}

/* len bytes from at on are part of the FlatBuffer. */
static hf_err claim(struct tflite *f, uint64_t at, uint64_t len)
{
	uint64_t most = f->w->src->file_len < FLAT_MAX ? f->w->src->file_len : FLAT_MAX;

	if (at > most || len > most - at)
		return fail(f, HF_ERR_TRUNCATED, "something that leaves the file", at);
	if (at + len > f->end)
		f->end = at + len;
	return HF_OK;
}

static hf_err read_u32(struct tflite *f, uint32_t *out, uint64_t at)
{
	HF_TRY(claim(f, at, sizeof(*out)));
	*out = hf_window_le32(f->w, at);
	return f->w->e;
}

/* The table that the distance at `at` leads to. */
static hf_err enter(struct tflite *f, struct table *out, uint64_t at)
{
	struct table t = { .len = 0 };
	uint32_t distance = 0;
	uint32_t back = 0;

	HF_TRY(read_u32(f, &distance, at));
	t.at = at + distance;
	HF_TRY(read_u32(f, &back, t.at));
	t.vtable = t.at - (uint64_t)(int64_t)(int32_t)back;
	if (distance == 0 || t.vtable > FLAT_MAX)
		return fail(f, HF_ERR_FORMAT, "a table that leads nowhere", at);
	HF_TRY(claim(f, t.vtable, VTABLE_HEAD));
	t.vtable_len = hf_window_le16(f->w, t.vtable);
	t.len = hf_window_le16(f->w, t.vtable + 2);
	HF_TRY(f->w->e);
	if (t.vtable_len < VTABLE_HEAD || t.vtable_len % 2 != 0 || t.len < sizeof(back))
		return fail(f, HF_ERR_FORMAT, "a table of impossible length", t.vtable);
	HF_TRY(claim(f, t.vtable, t.vtable_len));
	HF_TRY(claim(f, t.at, t.len));
	*out = t;
	return HF_OK;
}

/* Where a field of len bytes stands; 0: the table does not have it. */
static hf_err find(
	const struct tflite *f, uint64_t *at, const struct table *t, unsigned field, unsigned len)
{
	uint64_t slot = VTABLE_HEAD + 2 * (uint64_t)field;
	uint64_t where = 0;

	if (slot + 2 <= t->vtable_len)
		where = hf_window_le16(f->w, t->vtable + slot);
	HF_TRY(f->w->e);
	if (where != 0 && (where < 4 || where + len > t->len))
		return fail(f, HF_ERR_FORMAT, "a field outside of its table", t->at);
	*at = where == 0 ? 0 : t->at + where;
	return HF_OK;
}

static hf_err find_u32(const struct tflite *f, uint32_t *out, const struct table *t, unsigned field)
{
	uint64_t at = 0;

	HF_TRY(find(f, &at, t, field, sizeof(*out)));
	*out = at == 0 ? 0 : hf_window_le32(f->w, at);
	return f->w->e;
}

static hf_err find_u64(const struct tflite *f, uint64_t *out, const struct table *t, unsigned field)
{
	uint64_t at = 0;

	HF_TRY(find(f, &at, t, field, sizeof(*out)));
	*out = at == 0 ? 0 : hf_window_le64(f->w, at);
	return f->w->e;
}

/* A list of elements of len bytes; one that is not there has none. */
static hf_err find_vector(
	struct tflite *f, struct vector *out, const struct table *t, unsigned field, unsigned len)
{
	uint32_t distance = 0;
	uint32_t n = 0;
	uint64_t at = 0;

	*out = (struct vector){ .n = 0 };
	HF_TRY(find(f, &at, t, field, sizeof(distance)));
	if (at == 0)
		return HF_OK;
	distance = hf_window_le32(f->w, at);
	HF_TRY(f->w->e);
	if (distance == 0)
		return fail(f, HF_ERR_FORMAT, "a list that leads nowhere", at);
	HF_TRY(read_u32(f, &n, at + distance));
	*out = (struct vector){ .at = at + distance + sizeof(n), .n = n };
	return claim(f, out->at, out->n * len);
}

/* The data of a buffer; none: its length is 0. */
static hf_err read_buffer(
	struct tflite *f, struct buffer *out, const struct vector *buffers, uint32_t number)
{
	struct table t = { .len = 0 };
	struct vector data;
	uint64_t offset = 0;
	uint64_t size = 0;

	*out = (struct buffer){ .len = 0 };
	if (number >= buffers->n)
		return number == 0 ? HF_OK
				   : fail(f, HF_ERR_FORMAT, "no buffer of that number", number);
	HF_TRY(enter(f, &t, buffers->at + 4 * (uint64_t)number));
	HF_TRY(find_vector(f, &data, &t, BUFFER_DATA, 1));
	HF_TRY(find_u64(f, &offset, &t, BUFFER_OFFSET));
	HF_TRY(find_u64(f, &size, &t, BUFFER_SIZE));
	if (offset <= OFFSET_NONE || size == 0) {
		*out = (struct buffer){ .at = data.at, .len = data.n };
		return HF_OK;
	}
	if (data.n > 0)
		return fail(f, HF_ERR_FORMAT, "a buffer with data in two places", t.at);
	*out = (struct buffer){ .at = offset, .len = size, .is_outside = true };
	if (offset < f->outside)
		f->outside = offset;
	return HF_OK;
}

static hf_err read_shape(struct tflite *f, struct hf_tensor *out, const struct table *t)
{
	struct vector shape;

	HF_TRY(find_vector(f, &shape, t, TENSOR_SHAPE, 4));
	if (shape.n > HF_MODEL_DIMS_MAX)
		return fail(f, HF_ERR_UNSUPPORTED, "a tensor of too many dimensions", t->at);
	for (out->n_dims = 0; out->n_dims < shape.n; out->n_dims++) {
		uint32_t v = hf_window_le32(f->w, shape.at + 4 * (uint64_t)out->n_dims);

		if (v > INT32_MAX)
			return fail(f, HF_ERR_FORMAT, "data of a shape that is not fixed", t->at);
		out->shape[out->n_dims] = v;
	}
	return f->w->e;
}

/* Writers join the names of what they fused: of what is too long the beginning is kept. */
static hf_err read_name(
	struct tflite *f, char out[HF_MODEL_NAME_MAX], size_t *len, const struct table *t)
{
	const uint8_t *p = (const uint8_t *)out;
	struct vector name;
	size_t n;

	HF_TRY(find_vector(f, &name, t, TENSOR_NAME, 1));
	n = name.n < HF_MODEL_NAME_MAX ? (size_t)name.n : HF_MODEL_NAME_MAX;
	(void)hf_window_get(f->w, out, n, name.at);
	if (n < name.n) {
		while (n > 0 && (p[n - 1] & 0xc0) == 0x80)
			n--;
		n -= n > 0 && p[n - 1] >= 0xc0 ? 1 : 0; /* the character that may have been cut */
	}
	*len = n;
	return f->w->e;
}

/* What shape and type say against what the buffer holds. */
static hf_err check_len(const struct tflite *f, const struct hf_tensor *t, uint64_t at)
{
	uint64_t len = 0;

	if (!t->is_plain)
		return HF_OK;
	if (hf_dtype_len(&len, t) != HF_OK)
		return fail(f, HF_ERR_LIMIT, "a shape that is too long", at);
	return len == t->len
		       ? HF_OK
		       : fail(f, HF_ERR_FORMAT, "a tensor's length is not shape times type", at);
}

static hf_err take_tensor(
	struct tflite *f, struct hf_map_build *b, const struct vector *buffers, uint64_t at)
{
	struct hf_tensor v = { .len = 0 };
	struct table t = { .len = 0 };
	struct buffer data;
	char name[HF_MODEL_NAME_MAX];
	size_t name_len = 0;
	uint32_t number = 0;
	uint64_t where = 0;
	uint8_t type;

	if (f->n_seen++ == HF_MODEL_TENSORS_MAX)
		return fail(f, HF_ERR_LIMIT, "too many tensors", at);
	HF_TRY(enter(f, &t, at));
	HF_TRY(find_u32(f, &number, &t, TENSOR_BUFFER));
	HF_TRY(read_buffer(f, &data, buffers, number));
	if (data.len == 0)
		return HF_OK; /* computed when the model runs */
	HF_TRY(find(f, &where, &t, TENSOR_TYPE, 1));
	type = where == 0 ? 0 : hf_window_u8(f->w, where);
	if (type >= HF_COUNT(types))
		return fail(f, HF_ERR_UNSUPPORTED, "an element type not known here", t.at);
	v.dtype = (enum hf_dtype)types[type];
	v.offset = data.at;
	v.len = data.len;
	HF_TRY(read_shape(f, &v, &t));
	HF_TRY(find(f, &where, &t, TENSOR_SPARSITY, 4));
	v.is_plain = hf_dtype_has_len(v.dtype) && where == 0;
	HF_TRY(check_len(f, &v, t.at));
	HF_TRY(read_name(f, name, &name_len, &t));
	return hf_map_add(b, &v, (struct hf_bytes){ (const uint8_t *)name, name_len }, NULL);
}

static hf_err pass(struct hf_map_build *b, void *ctx)
{
	struct tflite *f = ctx;
	struct table model = { .len = 0 };
	struct vector subgraphs;
	struct vector buffers;
	uint32_t version = 0;

	f->n_seen = 0;
	HF_TRY(enter(f, &model, 0));
	HF_TRY(find_u32(f, &version, &model, MODEL_VERSION));
	if (version != VERSION)
		return fail(f, HF_ERR_UNSUPPORTED, "not version 3", model.at);
	HF_TRY(find_vector(f, &subgraphs, &model, MODEL_SUBGRAPHS, 4));
	HF_TRY(find_vector(f, &buffers, &model, MODEL_BUFFERS, 4));
	if (subgraphs.n > SUBGRAPHS_MAX)
		return fail(f, HF_ERR_LIMIT, "too many sub-graphs", model.at);
	for (uint64_t i = 0; i < subgraphs.n; i++) {
		struct table g = { .len = 0 };
		struct vector tensors;

		HF_TRY(enter(f, &g, subgraphs.at + 4 * i));
		HF_TRY(find_vector(f, &tensors, &g, SUBGRAPH_TENSORS, 4));
		for (uint64_t k = 0; k < tensors.n; k++)
			HF_TRY(take_tensor(f, b, &buffers, tensors.at + 4 * k));
	}
	if (f->outside < f->end)
		return fail(
			f, HF_ERR_FORMAT, "data in the middle of what describes them", f->outside);
	return HF_OK;
}

bool hf_tflite_is(const uint8_t first[8])
{
	return memcmp(first + 4, "TFL3", 4) == 0;
}

hf_err hf_tflite_read(struct hf_model_map *map, struct hf_window *w, struct hf_errinfo *ei)
{
	struct tflite f = { .w = w, .ei = ei, .outside = UINT64_MAX };
	struct hf_map_build b = { .map = map, .ei = ei };

	HF_TRY(hf_map_build(&b, pass, &f));
	HF_TRY(hf_map_check_apart(&b, true));
	map->data_at = map->n_tensors == 0 ? map->file_len : map->tensors[0].offset;
	return HF_OK;
}
