/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a file is cut into chunks (docs/formats/package.md). Tensors in file order; a tensor of 64
 * KiB or more starts a chunk and is cut every `cut` bytes; smaller neighbours share a chunk up to
 * `cut`; a last piece under 64 KiB joins its predecessor. Less than 64 KiB between two tensors
 * (padding, fields of the format) counts as the end of the first one. What else no tensor covers (a
 * header, what follows the last tensor) is cut like a tensor and shares with none: a header that
 * grows never moves the rest. Without a map the whole file is one such stretch. The planner needs
 * no memory of its own.
 */
#ifndef HF_PKG_PLANNER_H
#define HF_PKG_PLANNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/model_map.h"
#include "pkg/body.h"

enum {
	HF_CUT_MIN = 64 << 10, /* bytes; also what makes a tensor long */
	HF_CUT_DEFAULT = 1 << 20,
	HF_CUT_MAX =
		15 << 20, /* with a joined last piece and the tag a chunk stays within 16 MiB */
};

/* One stretch of plaintext. */
struct hf_cut {
	uint64_t offset; /* in the file */
	uint32_t len;    /* 1 .. cut + 64 KiB - 1 */
	uint32_t tensor; /* first tensor in it, or HF_CHUNK_NO_TENSOR */
};

struct hf_planner {
	const struct hf_model_map *map; /* borrowed */
	uint64_t file_len;
	uint32_t cut;
	uint64_t at;       /* next byte to be planned */
	size_t tensor;     /* next tensor that begins at or behind at */
	uint64_t long_end; /* end of the stretch that is being cut; 0: none */
	uint32_t long_tensor;
};

/* HF_ERR_ARG: cut is not HF_CUT_MIN .. HF_CUT_MAX. map may be NULL: no tensors. */
HF_MUST_USE hf_err hf_planner_init(
	struct hf_planner *p, const struct hf_model_map *map, uint64_t file_len, uint32_t cut);

/* The next stretch; false at the end of the file. Stretches follow each other without a gap. */
bool hf_planner_next(struct hf_planner *p, struct hf_cut *out);

/* Longest plaintext of a chunk with this cut. */
uint32_t hf_planner_chunk_max(uint32_t cut);

#endif
