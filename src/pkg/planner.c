/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cutting files. Invariant: every byte before `at` has been given out exactly once; `tensor` is the
 * first tensor that does not lie wholly before `at`.
 */
#include "pkg/planner.h"

#include "pkg/chunk.h"

hf_err hf_planner_init(
	struct hf_planner *p, const struct hf_model_map *map, uint64_t file_len, uint32_t cut)
{
	if (cut < HF_CUT_MIN || cut > HF_CUT_MAX)
		return HF_ERR_ARG;
	*p = (struct hf_planner){ .map = map, .file_len = file_len, .cut = cut };
	return HF_OK;
}

uint32_t hf_planner_chunk_max(uint32_t cut)
{
	return cut + HF_CUT_MIN - 1;
}

/*
 * The tensor that comes next; NULL: none is left. Empty ones occupy nothing, and one that is the
 * same bytes as another has been given out with it: both are passed over.
 */
static const struct hf_tensor *next_tensor(struct hf_planner *p)
{
	if (p->map == NULL)
		return NULL;
	while (p->tensor < p->map->n_tensors &&
		(p->map->tensors[p->tensor].len == 0 || p->map->tensors[p->tensor].offset < p->at))
		p->tensor++;
	return p->tensor < p->map->n_tensors ? &p->map->tensors[p->tensor] : NULL;
}

/*
 * Where the stretch of the tensor with this number ends: with it, or, if the format has less than
 * HF_CUT_MIN bytes of its own between it and the next one, where that one begins.
 */
static uint64_t stretch_end(const struct hf_planner *p, size_t number)
{
	const struct hf_tensor *t = p->map->tensors;
	uint64_t end = t[number].offset + t[number].len;

	for (size_t i = number + 1; i < p->map->n_tensors; i++)
		if (t[i].len != 0 && t[i].offset >= end)
			return t[i].offset - end < HF_CUT_MIN ? t[i].offset : end;
	return end;
}

/* The next piece of a long stretch; a rest under HF_CUT_MIN joins it. */
static void take_piece(struct hf_planner *p, struct hf_cut *out)
{
	uint64_t left = p->long_end - p->at;
	uint64_t len = left < (uint64_t)p->cut + HF_CUT_MIN ? left : p->cut;

	*out = (struct hf_cut){ .offset = p->at, .len = (uint32_t)len, .tensor = p->long_tensor };
	p->at += len;
	if (p->at == p->long_end)
		p->long_end = 0;
}

/* Small neighbours, from the tensor at `at` on, as many as fit. */
static void take_neighbours(struct hf_planner *p, struct hf_cut *out)
{
	uint64_t start = p->at;
	const struct hf_tensor *t;

	*out = (struct hf_cut){ .offset = start, .tensor = (uint32_t)p->tensor };
	while ((t = next_tensor(p)) != NULL && t->offset == p->at) {
		uint64_t end = stretch_end(p, p->tensor);

		if (end - p->at >= HF_CUT_MIN || end - start > p->cut)
			break;
		p->at = end;
		p->tensor++;
	}
	out->len = (uint32_t)(p->at - start);
}

bool hf_planner_next(struct hf_planner *p, struct hf_cut *out)
{
	const struct hf_tensor *t;

	if (p->at >= p->file_len)
		return false;
	if (p->long_end != 0) {
		take_piece(p, out);
		return true;
	}
	t = next_tensor(p);
	if (t == NULL || t->offset > p->at) {
		/* Nothing describes this: up to the next tensor, like one long one. */
		p->long_end = t == NULL ? p->file_len : t->offset;
		p->long_tensor = HF_CHUNK_NO_TENSOR;
		take_piece(p, out);
	} else if (stretch_end(p, p->tensor) - p->at >= HF_CUT_MIN) {
		p->long_end = stretch_end(p, p->tensor);
		p->long_tensor = (uint32_t)p->tensor;
		p->tensor++;
		take_piece(p, out);
	} else {
		take_neighbours(p, out);
	}
	return true;
}
