/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two passes over a model file. Invariant of the first: map->tensors is NULL, tensors and bytes
 * of names are only counted; of the second: never more of either than the first one has counted.
 */
#include <string.h>

#include "base/checked.h"
#include "codec/utf8.h"
#include "model/formats.h"

static hf_err fail(struct hf_map_build *b, hf_err code, const char *what)
{
	return hf_fail(b->ei, code, "%s: %s", hf_model_format_name(b->map->format), what);
}

/* Order of names, and order in the file: an empty tensor stands before the one that begins there.
 */
int hf_map_by_name(const struct hf_tensor *a, const struct hf_tensor *b)
{
	return strcmp(a->name, b->name);
}

int hf_map_by_place(const struct hf_tensor *a, const struct hf_tensor *b)
{
	if ((a->location == NULL) != (b->location == NULL))
		return a->location == NULL ? -1 : 1;
	if (a->offset != b->offset)
		return a->offset < b->offset ? -1 : 1;
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return strcmp(a->name, b->name);
}

static void sift_down(struct hf_tensor *t, size_t at, size_t n, hf_map_compare *cmp)
{
	for (;;) {
		size_t child = 2 * at + 1;
		struct hf_tensor swap;

		if (child >= n)
			return;
		if (child + 1 < n && cmp(&t[child], &t[child + 1]) < 0)
			child++;
		if (cmp(&t[at], &t[child]) >= 0)
			return;
		swap = t[at];
		t[at] = t[child];
		t[child] = swap;
		at = child;
	}
}

/* Heapsort: no memory of its own, n log n whatever the order was. */
void hf_map_sort(struct hf_tensor *t, size_t n, hf_map_compare *cmp)
{
	for (size_t i = n / 2; i > 0; i--)
		sift_down(t, i - 1, n, cmp);
	for (size_t end = n; end > 1; end--) {
		struct hf_tensor swap = t[0];

		t[0] = t[end - 1];
		t[end - 1] = swap;
		sift_down(t, 0, end - 1, cmp);
	}
}

/* A text of the file with its terminator; *out stays NULL while things are counted. */
static hf_err keep_text(struct hf_map_build *b, const char **out, const char *text, size_t len)
{
	if (len > HF_MODEL_NAME_MAX || len + 1 > NAMES_MAX - b->names_len)
		return fail(b, HF_ERR_LIMIT, "names that are too long");
	if (memchr(text, '\0', len) != NULL || !hf_utf8_is_valid((const uint8_t *)text, len))
		return fail(b, HF_ERR_FORMAT, "a name that is no text");
	if (b->map->names != NULL) {
		if (len + 1 > b->names_cap - b->names_len)
			return fail(b, HF_ERR_INTERNAL, "changed while it was read");
		memcpy(b->map->names + b->names_len, text, len);
		b->map->names[b->names_len + len] = '\0';
		*out = b->map->names + b->names_len;
	}
	b->names_len += len + 1;
	return HF_OK;
}

hf_err hf_map_add(struct hf_map_build *b, const struct hf_tensor *t, struct hf_bytes name,
	const struct hf_bytes *location)
{
	struct hf_tensor v = *t;

	if (b->n == HF_MODEL_TENSORS_MAX)
		return fail(b, HF_ERR_LIMIT, "too many tensors");
	if (location == NULL &&
		(v.offset > b->map->file_len || v.len > b->map->file_len - v.offset))
		return fail(b, HF_ERR_TRUNCATED, "a tensor's data leave the file");
	HF_TRY(keep_text(b, &v.name, (const char *)name.p, name.len));
	if (location != NULL)
		HF_TRY(keep_text(b, &v.location, (const char *)location->p, location->len));
	if (b->map->tensors != NULL) {
		if (b->n == b->cap)
			return fail(b, HF_ERR_INTERNAL, "changed while it was read");
		b->map->tensors[b->n] = v;
	}
	b->n++;
	return HF_OK;
}

hf_err hf_map_build(struct hf_map_build *b, hf_map_pass *pass, void *ctx)
{
	struct hf_model_map *m = b->map;

	b->n = 0;
	b->names_len = 0;
	HF_TRY(pass(b, ctx));
	b->cap = b->n;
	b->names_cap = b->names_len;
	m->tensors = hf_mem_array(m->mem, b->cap + 1, sizeof(*m->tensors));
	m->names = hf_mem_new(m->mem, b->names_cap + 1);
	if (m->tensors == NULL || m->names == NULL)
		return fail(b, HF_ERR_NO_MEMORY, "out of memory");
	b->n = 0;
	b->names_len = 0;
	HF_TRY(pass(b, ctx));
	if (b->n != b->cap)
		return fail(b, HF_ERR_INTERNAL, "changed while it was read");
	hf_map_sort(m->tensors, b->n, hf_map_by_place);
	while (m->n_tensors < b->n && m->tensors[m->n_tensors].location == NULL)
		m->n_tensors++;
	m->n_elsewhere = b->n - m->n_tensors;
	return HF_OK;
}

hf_err hf_map_check_apart(struct hf_map_build *b, bool may_share)
{
	const struct hf_tensor *last = NULL;

	for (size_t i = 0; i < b->map->n_tensors; i++) {
		const struct hf_tensor *t = &b->map->tensors[i];

		if (t->len == 0)
			continue;
		if (last != NULL && t->offset < last->offset + last->len &&
			!(may_share && t->offset == last->offset && t->len == last->len))
			return fail(b, HF_ERR_FORMAT, "tensors overlap");
		last = t;
	}
	return HF_OK;
}
