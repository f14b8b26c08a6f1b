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

/* The tensor that comes next; NULL: none is left. Empty ones occupy nothing and are passed over. */
static const struct hf_tensor *next_tensor(struct hf_planner *p)
{
	if (p->map == NULL)
		return NULL;
	while (p->tensor < p->map->n_tensors && p->map->tensors[p->tensor].len == 0)
		p->tensor++;
	return p->tensor < p->map->n_tensors ? &p->map->tensors[p->tensor] : NULL;
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
	const struct hf_tensor *t = p->map->tensors;
	uint64_t len = 0;

	*out = (struct hf_cut){ .offset = p->at, .tensor = (uint32_t)p->tensor };
	while (p->tensor < p->map->n_tensors && t[p->tensor].len < HF_CUT_MIN &&
		t[p->tensor].offset == p->at + len && len + t[p->tensor].len <= p->cut) {
		len += t[p->tensor].len;
		p->tensor++;
	}
	out->len = (uint32_t)len;
	p->at += len;
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
	} else if (t->len >= HF_CUT_MIN) {
		p->long_end = t->offset + t->len;
		p->long_tensor = (uint32_t)p->tensor;
		p->tensor++;
		take_piece(p, out);
	} else {
		take_neighbours(p, out);
	}
	return true;
}
