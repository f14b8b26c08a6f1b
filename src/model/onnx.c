/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ONNX: a ModelProto in protobuf, read by position and never as a whole. Only messages in which
 * tensors can lie are entered: graph, nodes' attributes, graphs in them, functions, training;
 * `steps` is that map. Messages wait on a stack of fixed height. Invariant: a message ends within
 * the one around it.
 */
#include <string.h>

#include "base/attr.h"
#include "base/checked.h"
#include "model/formats.h"

enum {
	DEPTH = 64,      /* messages in each other: a graph in a graph needs three */
	FIELDS_MAX = 32, /* numbers in a model or graph that may still be given out */
	IR_VERSION_MAX = 127,
	LOCATION_MAX = 1024,
	KEY_MAX = 16,
	VARINT_MAX = 10,
};

enum wire { VARINT = 0, FIXED64 = 1, LENGTH = 2, FIXED32 = 5 };

enum message { MODEL, GRAPH, NODE, ATTRIBUTE, SPARSE, FUNCTION, TRAINING, TENSOR };

static const struct {
	uint8_t in, field, to;
} steps[] = {
	{ MODEL, 7, GRAPH },
	{ MODEL, 20, TRAINING },
	{ MODEL, 25, FUNCTION },
	{ GRAPH, 1, NODE },
	{ GRAPH, 5, TENSOR },
	{ GRAPH, 15, SPARSE },
	{ NODE, 5, ATTRIBUTE },
	{ ATTRIBUTE, 5, TENSOR },
	{ ATTRIBUTE, 6, GRAPH },
	{ ATTRIBUTE, 10, TENSOR },
	{ ATTRIBUTE, 11, GRAPH },
	{ ATTRIBUTE, 22, SPARSE },
	{ ATTRIBUTE, 23, SPARSE },
	{ SPARSE, 1, TENSOR },
	{ SPARSE, 2, TENSOR },
	{ FUNCTION, 7, NODE },
	{ FUNCTION, 11, ATTRIBUTE },
	{ TRAINING, 1, GRAPH },
	{ TRAINING, 2, GRAPH },
};

/* Element types by their number in the file. */
static const uint8_t types[] = {
	[1] = HF_DTYPE_F32,
	[2] = HF_DTYPE_U8,
	[3] = HF_DTYPE_I8,
	[4] = HF_DTYPE_U16,
	[5] = HF_DTYPE_I16,
	[6] = HF_DTYPE_I32,
	[7] = HF_DTYPE_I64,
	[8] = HF_DTYPE_STRING,
	[9] = HF_DTYPE_BOOL,
	[10] = HF_DTYPE_F16,
	[11] = HF_DTYPE_F64,
	[12] = HF_DTYPE_U32,
	[13] = HF_DTYPE_U64,
	[14] = HF_DTYPE_C64,
	[15] = HF_DTYPE_C128,
	[16] = HF_DTYPE_BF16,
	[17] = HF_DTYPE_F8_E4M3,
	[18] = HF_DTYPE_F8_E4M3FNUZ,
	[19] = HF_DTYPE_F8_E5M2,
	[20] = HF_DTYPE_F8_E5M2FNUZ,
	[21] = HF_DTYPE_U4,
	[22] = HF_DTYPE_I4,
	[23] = HF_DTYPE_F4,
	[24] = HF_DTYPE_F8_E8M0,
	[25] = HF_DTYPE_U2,
	[26] = HF_DTYPE_I2,
};

struct field {
	uint64_t number;
	unsigned wire;
	uint64_t value; /* of a varint */
	uint64_t at;    /* where the payload begins */
	uint64_t len;
};

struct onnx {
	struct hf_window *w;
	struct hf_errinfo *ei;
};

struct message_end {
	uint64_t end;
	enum message kind;
};

/* What has been read of one tensor. */
struct tensor {
	struct hf_tensor t;
	uint64_t type;
	uint64_t name_at, name_len;
	uint64_t raw_at, raw_len;
	uint64_t values_at, values_end; /* typed fields, from the first to the last */
	uint64_t location_at, location_len;
	uint64_t offset, len; /* of external data */
	bool has_raw, has_values, is_outside, has_location, has_offset, has_len;
};

static hf_err fail(struct onnx *o, hf_err code, const char *what, uint64_t at)
{
	return hf_fail(o->ei, code, "onnx: %s (at byte %llu)", what, (unsigned long long)at);
}

static bool take_varint(struct hf_window *w, uint64_t *at, uint64_t end, uint64_t *out)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < VARINT_MAX && *at < end; i++) {
		uint8_t b = hf_window_u8(w, (*at)++);

		if (i == VARINT_MAX - 1 && b > 1)
			return false;
		v |= (uint64_t)(b & 0x7f) << 7 * i;
		if (b < 0x80) {
			*out = v;
			return w->e == HF_OK;
		}
	}
	return false;
}

/* The field at *at of a message that ends at end; *at moves behind it. */
static bool take_field(struct hf_window *w, uint64_t *at, uint64_t end, struct field *f)
{
	uint64_t tag = 0;

	if (!take_varint(w, at, end, &tag))
		return false;
	*f = (struct field){ .number = tag >> 3, .wire = (unsigned)(tag & 7) };
	if (f->number == 0)
		return false;
	f->at = *at;
	if (f->wire == VARINT) {
		if (!take_varint(w, at, end, &f->value))
			return false;
		f->len = *at - f->at;
		return true;
	}
	if (f->wire == LENGTH) {
		if (!take_varint(w, at, end, &f->len))
			return false;
		f->at = *at;
	} else if (f->wire == FIXED64 || f->wire == FIXED32) {
		f->len = f->wire == FIXED64 ? 8 : 4;
	} else {
		return false;
	}
	if (f->len > end - *at)
		return false;
	*at += f->len;
	return true;
}

static hf_err take_dims(struct onnx *o, struct hf_tensor *t, const struct field *f)
{
	uint64_t at = f->at;

	if (f->wire != VARINT && f->wire != LENGTH)
		return fail(o, HF_ERR_FORMAT, "dimensions that are no numbers", f->at);
	while (at < f->at + f->len) {
		if (t->n_dims == HF_MODEL_DIMS_MAX)
			return fail(o, HF_ERR_UNSUPPORTED, "a tensor of too many dimensions", at);
		if (!take_varint(o->w, &at, f->at + f->len, &t->shape[t->n_dims++]))
			return fail(o, HF_ERR_FORMAT, "dimensions that are no numbers", at);
	}
	return HF_OK;
}

/* A decimal number, as external data has it. */
static bool take_decimal(struct hf_window *w, const struct field *f, uint64_t *out)
{
	uint64_t v = 0;

	for (uint64_t i = 0; i < f->len; i++) {
		uint8_t c = hf_window_u8(w, f->at + i);

		if (c < '0' || c > '9' || v > (UINT64_MAX - 9) / 10)
			return false;
		v = v * 10 + (c - '0');
	}
	*out = v;
	return f->len > 0;
}

/* One pair of external_data: key 1, value 2. */
static hf_err take_outside(struct onnx *o, struct tensor *x, const struct field *pair)
{
	struct field value = { .number = 0 };
	char key[KEY_MAX] = { 0 };
	struct field f;
	uint64_t at = pair->at;
	bool is_fine = pair->wire == LENGTH;

	while (is_fine && at < pair->at + pair->len) {
		is_fine = take_field(o->w, &at, pair->at + pair->len, &f) && f.wire == LENGTH;
		if (is_fine && f.number == 1 && f.len < sizeof(key))
			is_fine = hf_window_get(o->w, key, (size_t)f.len, f.at);
		else if (is_fine && f.number == 2)
			value = f;
	}
	if (is_fine && strcmp(key, "location") == 0) {
		is_fine = !x->has_location;
		x->has_location = true;
		x->location_at = value.at;
		x->location_len = value.len;
	} else if (is_fine && strcmp(key, "offset") == 0) {
		is_fine = !x->has_offset && take_decimal(o->w, &value, &x->offset);
		x->has_offset = true;
	} else if (is_fine && strcmp(key, "length") == 0) {
		is_fine = !x->has_len && take_decimal(o->w, &value, &x->len);
		x->has_len = true;
	}
	return is_fine ? HF_OK
		       : fail(o, HF_ERR_FORMAT, "external data not as it must be", pair->at);
}

static hf_err take_member(struct onnx *o, struct tensor *x, const struct field *f)
{
	bool is_fine = true;

	switch (f->number) {
	case 1: return take_dims(o, &x->t, f);
	case 2:
		x->type = f->value;
		is_fine = f->wire == VARINT;
		break;
	case 4:
	case 5:
	case 6:
	case 7:
	case 10:
	case 11: /* values of one type each */
		if (!x->has_values)
			x->values_at = f->at;
		x->has_values = true;
		x->values_end = f->at + f->len;
		break;
	case 8:
		x->name_at = f->at;
		x->name_len = f->len;
		is_fine = f->wire == LENGTH;
		break;
	case 9:
		is_fine = f->wire == LENGTH && !x->has_raw;
		x->has_raw = true;
		x->raw_at = f->at;
		x->raw_len = f->len;
		break;
	case 13: return take_outside(o, x, f);
	case 14:
		x->is_outside = f->value == 1;
		is_fine = f->wire == VARINT && f->value <= 1;
		break;
	default: break;
	}
	return is_fine ? HF_OK
		       : fail(o, HF_ERR_FORMAT, "a tensor's field of the wrong kind", f->at);
}

/* A path below the folder of the model: no way up or out. */
static bool is_safe(const char *p, size_t len)
{
	size_t start = 0;

	if (len == 0 || memchr(p, '\\', len) != NULL || memchr(p, ':', len) != NULL)
		return false;
	for (size_t i = 0; i <= len; i++) {
		if (i < len && p[i] != '/')
			continue;
		if (i == start || (i - start == 2 && memcmp(p + start, "..", 2) == 0))
			return false;
		start = i + 1;
	}
	return true;
}

static hf_err add(struct onnx *o, struct hf_map_build *b, struct tensor *x, uint64_t at)
{
	char name[HF_MODEL_NAME_MAX];
	char location[LOCATION_MAX];
	struct hf_bytes where = { (const uint8_t *)location, (size_t)x->location_len };
	uint64_t len = 0;

	if (x->type == 0 || (x->has_raw && x->has_values))
		return fail(o, HF_ERR_FORMAT, "a tensor without type or with values twice", at);
	if (x->type >= HF_COUNT(types))
		return fail(o, HF_ERR_UNSUPPORTED, "an element type not known here", at);
	x->t.dtype = (enum hf_dtype)types[x->type];
	if (x->name_len > sizeof(name) || x->location_len > sizeof(location))
		return fail(o, HF_ERR_LIMIT, "a name that is too long", at);
	if (hf_dtype_has_len(x->t.dtype) && hf_dtype_len(&len, &x->t) != HF_OK)
		return fail(o, HF_ERR_LIMIT, "a shape that is too long", at);
	x->t.is_plain = hf_dtype_has_len(x->t.dtype) && (x->has_raw || x->is_outside);
	(void)hf_window_get(o->w, name, (size_t)x->name_len, x->name_at);
	(void)hf_window_get(o->w, location, (size_t)x->location_len, x->location_at);
	if (o->w->e != HF_OK)
		return o->w->e;
	if (x->is_outside) {
		x->t.offset = x->offset;
		x->t.len = x->has_len ? x->len : len;
		if (!is_safe(location, where.len) || x->t.offset > UINT64_MAX - x->t.len)
			return fail(
				o, HF_ERR_FORMAT, "external data in no file beside this one", at);
	} else {
		x->t.offset = x->has_raw ? x->raw_at : x->has_values ? x->values_at : at;
		x->t.len = x->has_raw ? x->raw_len : x->values_end - x->values_at;
	}
	if (x->t.is_plain && x->t.len != len)
		return fail(o, HF_ERR_FORMAT, "a tensor's length is not shape times type", at);
	return hf_map_add(b, &x->t, (struct hf_bytes){ (const uint8_t *)name, (size_t)x->name_len },
		x->is_outside ? &where : NULL);
}

static hf_err take_tensor(struct onnx *o, struct hf_map_build *b, const struct field *in)
{
	struct tensor x = { .type = 0 };
	uint64_t at = in->at;
	struct field f;

	while (at < in->at + in->len) {
		if (!take_field(o->w, &at, in->at + in->len, &f))
			return fail(o, HF_ERR_FORMAT, "a tensor that is no message", at);
		HF_TRY(take_member(o, &x, &f));
	}
	return add(o, b, &x, in->at);
}

/* Where a field of a message leads: -1: nowhere, it is passed over. */
static int step_to(enum message in, const struct field *f)
{
	for (size_t i = 0; i < HF_COUNT(steps); i++)
		if (steps[i].in == in && steps[i].field == f->number)
			return steps[i].to;
	return -1;
}

static hf_err pass(struct hf_map_build *b, void *ctx)
{
	struct onnx *o = ctx;
	struct message_end open[DEPTH] = { { b->map->file_len, MODEL } };
	unsigned depth = 1;
	uint64_t at = 0;

	while (depth > 0) {
		const struct message_end *m = &open[depth - 1];
		struct field f;
		int to;

		if (at == m->end) {
			depth--;
			continue;
		}
		if (!take_field(o->w, &at, m->end, &f))
			return fail(o, HF_ERR_FORMAT, "no message of protobuf", at);
		to = step_to(m->kind, &f);
		if (to < 0)
			continue;
		if (f.wire != LENGTH)
			return fail(o, HF_ERR_FORMAT, "a field that is no message", f.at);
		if (to == TENSOR) {
			HF_TRY(take_tensor(o, b, &f));
			continue;
		}
		if (depth == DEPTH)
			return fail(o, HF_ERR_LIMIT, "graphs too deep in each other", f.at);
		open[depth++] = (struct message_end){ f.at + f.len, (enum message)to };
		at = f.at;
	}
	return HF_OK;
}

/* A graph's fields are all messages or texts. */
static bool is_graph(struct hf_window *w, const struct field *g)
{
	uint64_t at = g->at;
	struct field f;

	while (at < g->at + g->len)
		if (!take_field(w, &at, g->at + g->len, &f) || f.wire != LENGTH ||
			f.number > FIELDS_MAX)
			return false;
	return g->wire == LENGTH;
}

/*
 * There is no magic, so a file is ONNX when all of it is fields of a model, with a plausible
 * version, operator sets and one graph, and all of that is fields of a graph.
 */
bool hf_onnx_is(struct hf_window *w)
{
	uint64_t end = w->src->file_len;
	uint64_t at = 0;
	struct field graph = { .number = 0 };
	bool has_version = false;
	bool has_opset = false;
	struct field f;

	while (at < end) {
		if (!take_field(w, &at, end, &f) || f.number > FIELDS_MAX)
			return false;
		if (f.number == 1) {
			if (f.wire != VARINT || f.value < 1 || f.value > IR_VERSION_MAX)
				return false;
			has_version = true;
		} else if (f.number == 7) {
			if (graph.number != 0)
				return false;
			graph = f;
		} else if (f.number == 8) {
			has_opset = f.wire == LENGTH;
		}
	}
	return has_version && has_opset && graph.number != 0 && is_graph(w, &graph);
}

hf_err hf_onnx_read(struct hf_model_map *map, struct hf_window *w, struct hf_errinfo *ei)
{
	struct onnx o = { w, ei };
	struct hf_map_build b = { .map = map, .ei = ei };

	HF_TRY(hf_map_build(&b, pass, &o));
	HF_TRY(hf_map_check_apart(&b, false));
	map->data_at = map->n_tensors == 0 ? map->file_len : map->tensors[0].offset;
	return HF_OK;
}

struct beside {
	const struct hf_model_map *model;
	const char *name;
};

static hf_err pass_beside(struct hf_map_build *b, void *ctx)
{
	const struct beside *s = ctx;
	const struct hf_model_map *m = s->model;

	for (size_t i = m->n_tensors; i < m->n_tensors + m->n_elsewhere; i++) {
		struct hf_tensor t = m->tensors[i];
		const char *in = strncmp(t.location, "./", 2) == 0 ? t.location + 2 : t.location;

		if (strcmp(in, s->name) != 0)
			continue;
		t.location = NULL;
		HF_TRY(hf_map_add(b, &t, hf_bytes_str(t.name), NULL));
	}
	return HF_OK;
}

hf_err hf_model_map_beside(struct hf_model_map *map, const struct hf_model_map *model,
	const char *name, uint64_t file_len, struct hf_errinfo *ei)
{
	struct hf_model_map m = { HF_MODEL_ONNX_DATA, .file_len = file_len, .mem = model->mem };
	struct hf_map_build b = { .map = &m, .ei = ei };
	struct beside s = { model, name };
	hf_err e = hf_map_build(&b, pass_beside, &s);

	if (e == HF_OK)
		e = hf_map_check_apart(&b, true);
	if (e != HF_OK) {
		hf_model_map_clear(&m);
		return e;
	}
	m.data_at = m.n_tensors == 0 ? file_len : m.tensors[0].offset;
	if (m.n_tensors == 0)
		m.format = HF_MODEL_UNKNOWN;
	*map = m;
	return HF_OK;
}
