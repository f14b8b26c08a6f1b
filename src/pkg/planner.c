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

static size_t n_tensors(const struct hf_planner *p)
{
	return p->map == NULL ? 0 : p->map->n_tensors;
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
	while (p->tensor < n_tensors(p) && t[p->tensor].len < HF_CUT_MIN &&
		t[p->tensor].offset == p->at + len && len + t[p->tensor].len <= p->cut) {
		len += t[p->tensor].len;
		p->tensor++;
	}
	out->len = (uint32_t)len;
	p->at += len;
}

bool hf_planner_next(struct hf_planner *p, struct hf_cut *out)
{
	const struct hf_tensor *t = p->map == NULL ? NULL : p->map->tensors;

	if (p->at >= p->file_len)
		return false;
	if (p->long_end != 0) {
		take_piece(p, out);
		return true;
	}
	/* Empty tensors occupy nothing. */
	while (p->tensor < n_tensors(p) && t[p->tensor].len == 0)
		p->tensor++;
	if (p->tensor == n_tensors(p) || t[p->tensor].offset > p->at) {
		/* Nothing describes this: up to the next tensor, like one long one. */
		p->long_end = p->tensor == n_tensors(p) ? p->file_len : t[p->tensor].offset;
		p->long_tensor = HF_CHUNK_NO_TENSOR;
		take_piece(p, out);
	} else if (t[p->tensor].len >= HF_CUT_MIN) {
		p->long_end = t[p->tensor].offset + t[p->tensor].len;
		p->long_tensor = (uint32_t)p->tensor;
		p->tensor++;
		take_piece(p, out);
	} else {
		take_neighbours(p, out);
	}
	return true;
}
