/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the header of a safetensors file: u64 LE length N, N bytes of JSON, data. Two passes over
 * the JSON: the first counts, so that the map is allocated once; the second fills it. What is
 * accepted is what the format's own library accepts: names differ, and the tensors' data lie behind
 * each other without overlap, hole or rest.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/checked.h"
#include "base/endian.h"
#include "codec/json.h"
#include "model/formats.h"

enum {
	LENGTH_LEN = 8,
	JSON_DEPTH = 16, /* the format needs 3; unknown members may have a little more */
};

enum hf_model_format hf_model_sniff(
	uint64_t *head_len, const uint8_t *first, size_t first_len, uint64_t file_len)
{
	uint64_t n;

	*head_len = 0;
	if (first_len < LENGTH_LEN + 1 || file_len < LENGTH_LEN + 2)
		return HF_MODEL_UNKNOWN;
	n = hf_get_le64(first);
	if (n < 2 || n > HF_MODEL_HEAD_MAX || n > file_len - LENGTH_LEN || first[LENGTH_LEN] != '{')
		return HF_MODEL_UNKNOWN;
	*head_len = LENGTH_LEN + n;
	return HF_MODEL_SAFETENSORS;
}

/* A pass over the header. In the first one map->tensors is NULL and things are only counted. */
struct pass {
	struct hf_model_map *map;
	struct hf_json json;
	size_t n;         /* tensors so far */
	size_t names_len; /* bytes of names so far, terminators included */
	size_t names_cap;
	struct hf_errinfo *ei;
};

static hf_err fail(struct pass *p, hf_err code, const char *what)
{
	return hf_fail(
		p->ei, code, "safetensors header: %s (at byte %zu)", what, LENGTH_LEN + p->json.at);
}

static hf_err next(struct pass *p, struct hf_json_token *t)
{
	hf_err e = hf_json_next(&p->json, t);

	return e == HF_OK ? HF_OK : fail(p, e, "no valid JSON");
}

static hf_err want(struct pass *p, struct hf_json_token *t, enum hf_json_kind kind)
{
	hf_err e = hf_json_want(&p->json, t, kind);

	return e == HF_OK ? HF_OK : fail(p, e, "not what the format has here");
}

/* Reads numbers up to the end of the array that has just begun. */
static hf_err take_numbers(struct pass *p, uint64_t *out, unsigned cap, unsigned *n)
{
	struct hf_json_token t;

	*n = 0;
	for (;;) {
		HF_TRY(next(p, &t));
		if (t.kind == HF_JSON_ARRAY_END)
			return HF_OK;
		if (*n == cap)
			return fail(p, HF_ERR_LIMIT, "too many numbers in a list");
		if (hf_json_u64(&out[*n], &t) != HF_OK)
			return fail(p, HF_ERR_FORMAT, "not a whole number");
		(*n)++;
	}
}

static hf_err take_dtype(struct pass *p, enum hf_dtype *out)
{
	struct hf_json_token t;

	HF_TRY(want(p, &t, HF_JSON_STRING));
	for (unsigned i = 0; i < HF_DTYPE_N_SAFETENSORS; i++) {
		if (hf_json_is(&t, hf_dtype_name((enum hf_dtype)i))) {
			*out = (enum hf_dtype)i;
			return HF_OK;
		}
	}
	return fail(p, HF_ERR_UNSUPPORTED, "an element type that this version does not know");
}

/* Length in bytes of shape times type; no part of a byte may be left. */
static hf_err tensor_len(uint64_t *out, const struct hf_tensor *t)
{
	uint64_t n = hf_dtype_bits(t->dtype);

	for (unsigned i = 0; i < t->n_dims; i++)
		HF_TRY(hf_mul_u64(&n, n, t->shape[i]));
	if (n % 8 != 0)
		return HF_ERR_FORMAT;
	*out = n / 8;
	return HF_OK;
}

enum { HAS_DTYPE = 1, HAS_SHAPE = 2, HAS_OFFSETS = 4, HAS_ALL = 7 };

/* One member of a tensor's object; its key has been read. */
static hf_err take_member(struct pass *p, const struct hf_json_token *key, struct hf_tensor *t,
	uint64_t ends[2], unsigned *seen)
{
	struct hf_json_token v;
	unsigned bit = 0;
	unsigned n = 0;

	if (hf_json_is(key, "dtype"))
		bit = HAS_DTYPE;
	else if (hf_json_is(key, "shape"))
		bit = HAS_SHAPE;
	else if (hf_json_is(key, "data_offsets"))
		bit = HAS_OFFSETS;
	if ((*seen & bit) != 0)
		return fail(p, HF_ERR_FORMAT, "a member stands twice");
	*seen |= bit;
	if (bit == HAS_DTYPE)
		return take_dtype(p, &t->dtype);
	if (bit == 0) {
		HF_TRY(next(p, &v));
		return hf_json_skip(&p->json, &v) == HF_OK
			       ? HF_OK
			       : fail(p, HF_ERR_FORMAT, "no valid JSON");
	}
	HF_TRY(want(p, &v, HF_JSON_ARRAY));
	if (bit == HAS_SHAPE)
		return take_numbers(p, t->shape, HF_MODEL_DIMS_MAX, &t->n_dims);
	HF_TRY(take_numbers(p, ends, 2, &n));
	return n == 2 ? HF_OK : fail(p, HF_ERR_FORMAT, "data_offsets is not a pair");
}

/* The object of one tensor. */
static hf_err take_tensor(struct pass *p, struct hf_tensor *t)
{
	uint64_t data_len = p->map->file_len - p->map->data_at;
	uint64_t ends[2] = { 0 };
	uint64_t len = 0;
	unsigned seen = 0;
	struct hf_json_token key;

	HF_TRY(want(p, &key, HF_JSON_OBJECT));
	for (;;) {
		HF_TRY(next(p, &key));
		if (key.kind == HF_JSON_OBJECT_END)
			break;
		HF_TRY(take_member(p, &key, t, ends, &seen));
	}
	if (seen != HAS_ALL)
		return fail(p, HF_ERR_FORMAT, "a tensor lacks dtype, shape or data_offsets");
	if (ends[0] > ends[1] || ends[1] > data_len)
		return fail(p, HF_ERR_FORMAT, "a tensor's data leaves the file");
	if (tensor_len(&len, t) != HF_OK || len != ends[1] - ends[0])
		return fail(p, HF_ERR_FORMAT, "a tensor's length is not shape times type");
	t->offset = p->map->data_at + ends[0];
	t->len = len;
	t->is_plain = true;
	return HF_OK;
}

/* "__metadata__": strings only, which say nothing about where the data lie. */
static hf_err skip_metadata(struct pass *p)
{
	struct hf_json_token t;

	HF_TRY(want(p, &t, HF_JSON_OBJECT));
	for (;;) {
		HF_TRY(next(p, &t));
		if (t.kind == HF_JSON_OBJECT_END)
			return HF_OK;
		HF_TRY(want(p, &t, HF_JSON_STRING));
	}
}

/* Name of the next tensor; in the second pass it is kept. */
static hf_err take_name(struct pass *p, const struct hf_json_token *key, struct hf_tensor *t)
{
	char name[HF_MODEL_NAME_MAX + 1];
	size_t len = 0;
	hf_err e = hf_json_text(name, sizeof(name), &len, key);

	if (e != HF_OK)
		return fail(p, e, "a name that is too long or no text");
	if (p->n == HF_MODEL_TENSORS_MAX)
		return fail(p, HF_ERR_LIMIT, "too many tensors");
	if (p->map->names != NULL) {
		if (len + 1 > p->names_cap - p->names_len)
			return fail(p, HF_ERR_INTERNAL, "changed while it was read");
		memcpy(p->map->names + p->names_len, name, len + 1);
		t->name = p->map->names + p->names_len;
	}
	p->names_len += len + 1;
	return HF_OK;
}

static hf_err run_pass(struct pass *p, const uint8_t *head, size_t head_len)
{
	struct hf_json_token key;

	p->n = 0;
	p->names_len = 0;
	hf_json_init(&p->json, head + LENGTH_LEN, head_len - LENGTH_LEN, JSON_DEPTH);
	HF_TRY(want(p, &key, HF_JSON_OBJECT));
	for (;;) {
		struct hf_tensor t = { 0 };

		HF_TRY(next(p, &key));
		if (key.kind == HF_JSON_OBJECT_END)
			break;
		if (hf_json_is(&key, "__metadata__")) {
			HF_TRY(skip_metadata(p));
			continue;
		}
		HF_TRY(take_name(p, &key, &t));
		HF_TRY(take_tensor(p, &t));
		if (p->map->tensors != NULL)
			p->map->tensors[p->n] = t;
		p->n++;
	}
	return want(p, &key, HF_JSON_END);
}

/* Names differ, and the data are covered exactly once; leaves the tensors in file order. */
static hf_err check_cover(struct pass *p)
{
	struct hf_model_map *m = p->map;
	uint64_t at = m->data_at;

	hf_map_sort(m->tensors, m->n_tensors, hf_map_by_name);
	for (size_t i = 1; i < m->n_tensors; i++)
		if (strcmp(m->tensors[i - 1].name, m->tensors[i].name) == 0)
			return hf_fail(p->ei, HF_ERR_FORMAT,
				"safetensors header: a tensor is named twice");
	hf_map_sort(m->tensors, m->n_tensors, hf_map_by_place);
	for (size_t i = 0; i < m->n_tensors; i++) {
		if (m->tensors[i].offset != at)
			return hf_fail(p->ei, HF_ERR_FORMAT,
				"safetensors data: tensors overlap or leave a hole at byte "
				"%" PRIu64,
				at);
		at += m->tensors[i].len;
	}
	if (at != m->file_len)
		return hf_fail(p->ei, HF_ERR_FORMAT,
			"safetensors data: bytes from %" PRIu64 " on belong to no tensor", at);
	return HF_OK;
}

hf_err hf_safetensors_parse(
	struct hf_model_map *map, const uint8_t *head, size_t head_len, struct hf_errinfo *ei)
{
	struct pass p = { .map = map, .ei = ei };
	uint64_t want_len = 0;

	if (hf_model_sniff(&want_len, head, head_len, map->file_len) != HF_MODEL_SAFETENSORS)
		return hf_fail(ei, HF_ERR_FORMAT, "safetensors header: no valid length");
	if (want_len > head_len)
		return hf_fail(ei, HF_ERR_TRUNCATED, "safetensors header: ends too early");
	head_len = (size_t)want_len;
	map->data_at = want_len;
	HF_TRY(run_pass(&p, head, head_len));
	map->n_tensors = p.n;
	p.names_cap = p.names_len;
	map->tensors = hf_mem_array(map->mem, p.n + 1, sizeof(*map->tensors));
	map->names = hf_mem_new(map->mem, p.names_len + 1);
	if (map->tensors == NULL || map->names == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "safetensors header: %zu tensors", p.n);
	HF_TRY(run_pass(&p, head, head_len));
	return check_cover(&p);
}
