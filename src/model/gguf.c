/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GGUF, versions 2 and 3, little-endian: magic, u32 version, u64 tensors, u64 pairs; the pairs
 * (name, type, value); per tensor name, u32 dimensions, u64 each, u32 type, u64 offset; padding;
 * the data, each tensor at a multiple of general.alignment. All lengths come from outside.
 * Invariant: at never passes HEAD_MAX while the header is read, and every loop moves it on.
 */
#include <stdbool.h>
#include <string.h>

#include "base/attr.h"
#include "base/checked.h"
#include "model/formats.h"

enum {
	PAIRS_MAX = 1 << 16,
	KEY_MAX = 65535,
	ARRAY_DEPTH = 4, /* arrays in arrays */
	DIMS_MAX = 4,
	ALIGN_DEFAULT = 32,
	ALIGN_MAX = 1 << 20,
	TYPE_UINT32 = 4,
	TYPE_STRING = 8,
	TYPE_ARRAY = 9,
	TYPES = 13,
};

/* Bytes of a value; 0: has a length of its own. */
static const uint8_t value_len[TYPES] = { 1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8 };

/* Types of tensors by their number in the file, plus 1; 0: gone, never in files, or not known. */
static const uint8_t types[] = {
#define T(number, name) [number] = HF_DTYPE_##name + 1,
	T(0, F32) T(1, F16) T(2, Q4_0) T(3, Q4_1) T(6, Q5_0) T(7, Q5_1) T(8, Q8_0) T(10, Q2_K) T(
		11, Q3_K) T(12, Q4_K) T(13, Q5_K) T(14, Q6_K) T(15, Q8_K) T(16, IQ2_XXS)
		T(17, IQ2_XS) T(18, IQ3_XXS) T(19, IQ1_S) T(20, IQ4_NL) T(21, IQ3_S) T(22, IQ2_S)
			T(23, IQ4_XS) T(24, I8) T(25, I16) T(26, I32) T(27, I64) T(28, F64)
				T(29, IQ1_M) T(30, BF16) T(34, TQ1_0) T(35, TQ2_0) T(39, MXFP4)
#undef T
};

struct gguf {
	struct hf_window *w;
	struct hf_errinfo *ei;
	uint64_t at;
	uint64_t n_tensors;
	uint64_t n_pairs;
	uint64_t infos_at; /* where the list of tensors begins */
	uint64_t align;
	uint64_t data_at;
};

static hf_err fail(struct gguf *g, hf_err code, const char *what)
{
	return hf_fail(g->ei, code, "gguf: %s (at byte %llu)", what, (unsigned long long)g->at);
}

static uint32_t take_u32(struct gguf *g)
{
	uint32_t v = hf_window_le32(g->w, g->at);

	g->at += 4;
	return v;
}

static uint64_t take_u64(struct gguf *g)
{
	uint64_t v = hf_window_le64(g->w, g->at);

	g->at += 8;
	return v;
}

/* Moves on over n elements of len bytes. */
static hf_err skip(struct gguf *g, uint64_t n, uint64_t len)
{
	if (g->w->e != HF_OK)
		return fail(g, g->w->e, "the header ends too early or cannot be read");
	if (hf_mul_u64(&n, n, len) != HF_OK || n > g->w->src->file_len ||
		g->at > g->w->src->file_len - n)
		return fail(g, HF_ERR_TRUNCATED, "a length that leaves the file");
	g->at += n;
	if (g->at > HF_MODEL_HEAD_MAX)
		return fail(g, HF_ERR_LIMIT, "a header above 100 MB");
	return HF_OK;
}

/* An array whose element type and count were read; arrays in it wait on a stack of fixed height. */
static hf_err skip_array(struct gguf *g)
{
	uint64_t left[ARRAY_DEPTH]; /* arrays still to come on this level */
	unsigned depth = 0;

	left[0] = 1;
	for (;;) {
		uint32_t type;
		uint64_t n;

		while (left[depth] == 0) {
			if (depth == 0)
				return HF_OK;
			depth--;
		}
		left[depth]--;
		type = take_u32(g);
		n = take_u64(g);
		HF_TRY(skip(g, 0, 0));
		if (type >= TYPES)
			return fail(g, HF_ERR_FORMAT, "a value of no known type");
		if (type == TYPE_ARRAY) {
			if (depth + 1 == ARRAY_DEPTH)
				return fail(g, HF_ERR_LIMIT, "arrays too deep in each other");
			left[++depth] = n;
		} else if (type == TYPE_STRING) {
			for (uint64_t i = 0; i < n; i++)
				HF_TRY(skip(g, take_u64(g), 1));
		} else {
			HF_TRY(skip(g, n, value_len[type]));
		}
	}
}

/* A name with its length before it. HF_ERR_LIMIT: does not fit. */
static hf_err take_text(struct gguf *g, char *out, size_t cap, size_t *len)
{
	uint64_t n = take_u64(g);
	uint64_t at = g->at;

	HF_TRY(skip(g, n, 1));
	if (n > cap)
		return fail(g, HF_ERR_LIMIT, "a name that is too long");
	(void)hf_window_get(g->w, out, (size_t)n, at);
	*len = (size_t)n;
	return skip(g, 0, 0);
}

static hf_err take_pair(struct gguf *g)
{
	static const char alignment[] = "general.alignment";
	char key[sizeof(alignment) - 1];
	uint64_t key_len = take_u64(g);
	uint64_t key_at = g->at;
	uint32_t type;
	bool is_align;

	if (key_len > KEY_MAX)
		return fail(g, HF_ERR_LIMIT, "a key above 65535 bytes");
	HF_TRY(skip(g, key_len, 1));
	is_align = key_len == sizeof(key) && hf_window_get(g->w, key, sizeof(key), key_at) &&
		   memcmp(key, alignment, sizeof(key)) == 0;
	type = take_u32(g);
	HF_TRY(skip(g, 0, 0));
	if (type >= TYPES)
		return fail(g, HF_ERR_FORMAT, "a value of no known type");
	if (is_align) {
		if (type != TYPE_UINT32)
			return fail(g, HF_ERR_FORMAT, "general.alignment is no uint32");
		g->align = take_u32(g);
		HF_TRY(skip(g, 0, 0));
		if (g->align < 8 || g->align > ALIGN_MAX || (g->align & (g->align - 1)) != 0)
			return fail(g, HF_ERR_FORMAT, "general.alignment is no power of two");
		return HF_OK;
	}
	if (type == TYPE_ARRAY)
		return skip_array(g);
	if (type == TYPE_STRING)
		return skip(g, take_u64(g), 1);
	return skip(g, 1, value_len[type]);
}

static hf_err take_tensor(struct gguf *g, struct hf_map_build *b)
{
	struct hf_tensor t = { .is_plain = true };
	char name[HF_MODEL_NAME_MAX];
	size_t name_len = 0;
	uint64_t offset;
	uint32_t type;
	hf_err e;

	HF_TRY(take_text(g, name, sizeof(name), &name_len));
	t.n_dims = take_u32(g);
	if (t.n_dims > DIMS_MAX)
		return fail(g, HF_ERR_LIMIT, "a tensor of more than four dimensions");
	for (unsigned i = 0; i < t.n_dims; i++)
		t.shape[i] = take_u64(g);
	type = take_u32(g);
	offset = take_u64(g);
	HF_TRY(skip(g, 0, 0));
	if (type >= HF_COUNT(types) || types[type] == 0)
		return fail(
			g, HF_ERR_UNSUPPORTED, "an element type that this version does not know");
	t.dtype = (enum hf_dtype)(types[type] - 1);
	e = hf_dtype_len(&t.len, &t);
	if (e != HF_OK)
		return fail(g, e, "a shape that is not whole blocks, or too long");
	if (b == NULL)
		return HF_OK;
	if (offset % g->align != 0)
		return fail(g, HF_ERR_FORMAT, "a tensor's data are not aligned");
	if (hf_add_u64(&t.offset, g->data_at, offset) != HF_OK)
		return fail(g, HF_ERR_TRUNCATED, "a tensor's data leave the file");
	return hf_map_add(b, &t, (struct hf_bytes){ (const uint8_t *)name, name_len }, NULL);
}

static hf_err pass(struct hf_map_build *b, void *ctx)
{
	struct gguf *g = ctx;

	g->at = g->infos_at;
	for (uint64_t i = 0; i < g->n_tensors; i++)
		HF_TRY(take_tensor(g, b));
	return HF_OK;
}

/* Up to the list of tensors, and over it once: the data begin behind it. */
static hf_err read_head(struct gguf *g)
{
	uint32_t version;

	g->at = 4;
	version = take_u32(g);
	if (version != 2 && version != 3)
		return fail(g, HF_ERR_UNSUPPORTED, "neither version 2 nor 3, or big-endian");
	g->n_tensors = take_u64(g);
	g->n_pairs = take_u64(g);
	HF_TRY(skip(g, 0, 0));
	if (g->n_tensors > HF_MODEL_TENSORS_MAX)
		return fail(g, HF_ERR_LIMIT, "too many tensors");
	if (g->n_pairs > PAIRS_MAX)
		return fail(g, HF_ERR_LIMIT, "too many pairs of metadata");
	for (uint64_t i = 0; i < g->n_pairs; i++)
		HF_TRY(take_pair(g));
	g->infos_at = g->at;
	for (uint64_t i = 0; i < g->n_tensors; i++)
		HF_TRY(take_tensor(g, NULL));
	g->data_at = (g->at + g->align - 1) / g->align * g->align;
	if (g->data_at > g->w->src->file_len)
		g->data_at = g->w->src->file_len; /* no tensors, and no padding behind the header */
	return HF_OK;
}

/* Names differ; between tensors, and behind the last, there is only padding. */
static hf_err check(struct gguf *g, struct hf_map_build *b)
{
	struct hf_model_map *m = b->map;
	uint64_t at = m->data_at;

	hf_map_sort(m->tensors, m->n_tensors, hf_map_by_name);
	for (size_t i = 1; i < m->n_tensors; i++)
		if (strcmp(m->tensors[i - 1].name, m->tensors[i].name) == 0)
			return hf_fail(g->ei, HF_ERR_FORMAT, "gguf: a tensor is named twice");
	hf_map_sort(m->tensors, m->n_tensors, hf_map_by_place);
	HF_TRY(hf_map_check_apart(b, false));
	for (size_t i = 0; i < m->n_tensors; i++) {
		const struct hf_tensor *t = &m->tensors[i];

		if (t->offset > at && t->offset - at >= g->align)
			return hf_fail(g->ei, HF_ERR_FORMAT,
				"gguf: bytes from %llu on belong to no tensor",
				(unsigned long long)at);
		if (t->offset + t->len > at)
			at = t->offset + t->len;
	}
	if (m->file_len - at >= g->align)
		return hf_fail(g->ei, HF_ERR_FORMAT, "gguf: bytes from %llu on belong to no tensor",
			(unsigned long long)at);
	return HF_OK;
}

hf_err hf_gguf_read(struct hf_model_map *map, struct hf_window *w, struct hf_errinfo *ei)
{
	struct gguf g = { .w = w, .ei = ei, .align = ALIGN_DEFAULT };
	struct hf_map_build b = { .map = map, .ei = ei };

	HF_TRY(read_head(&g));
	map->data_at = g.data_at;
	HF_TRY(hf_map_build(&b, pass, &g));
	return check(&g, &b);
}
