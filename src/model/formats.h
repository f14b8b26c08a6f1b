/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of the formats share: a window onto the file, and the building of the map. */
#ifndef HF_MODEL_FORMATS_H
#define HF_MODEL_FORMATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/mem.h"
#include "model/model_map.h"

enum {
	HF_WINDOW_BLOCK = 4096,
	HF_WINDOW_WAYS = 8, /* slots that a block may be in */
	HF_WINDOW_SETS = 8,
	HF_WINDOW_SLOTS = HF_WINDOW_WAYS * HF_WINDOW_SETS,
	NAMES_MAX = 64 << 20, /* bytes of all names of a file */
};

/*
 * Bytes of a file by position, through a small cache. The first failure stays in e; from then on
 * everything reads as zero. So a reader asks for its fields and looks at e where it decides.
 */
struct hf_window {
	const struct hf_model_source *src; /* borrowed */
	const struct hf_mem *mem;
	uint8_t *room;
	uint64_t tag[HF_WINDOW_SLOTS]; /* number of the block in the slot, plus 1 */
	uint8_t next[HF_WINDOW_SETS];  /* the way whose turn it is */
	uint64_t loads_left;           /* a file that makes its reader jump about ends here */
	hf_err e;
};

HF_MUST_USE hf_err hf_window_init(
	struct hf_window *w, const struct hf_model_source *src, const struct hf_mem *mem);
void hf_window_clear(struct hf_window *w);

/* False, and zeros: beyond the end (HF_ERR_TRUNCATED), or the source failed. */
bool hf_window_get(struct hf_window *w, void *out, size_t len, uint64_t at);
uint8_t hf_window_u8(struct hf_window *w, uint64_t at);
uint16_t hf_window_le16(struct hf_window *w, uint64_t at);
uint32_t hf_window_le32(struct hf_window *w, uint64_t at);
uint64_t hf_window_le64(struct hf_window *w, uint64_t at);

/* A map that is being made. */
struct hf_map_build {
	struct hf_model_map *map;
	size_t n; /* tensors so far */
	size_t cap;
	size_t names_len; /* terminators included */
	size_t names_cap;
	struct hf_errinfo *ei;
};

/* One pass over the file: hf_map_add() for each tensor. Runs twice and must do the same twice. */
typedef hf_err hf_map_pass(struct hf_map_build *b, void *ctx);

/* Both passes; leaves the tensors in file order, those of other files last. */
HF_MUST_USE hf_err hf_map_build(struct hf_map_build *b, hf_map_pass *pass, void *ctx);

/* location: NULL, or the file beside this one. */
HF_MUST_USE hf_err hf_map_add(struct hf_map_build *b, const struct hf_tensor *t,
	struct hf_bytes name, const struct hf_bytes *location);

/* HF_ERR_FORMAT: two tensors of this file overlap; may_share: the very same range may be twice. */
HF_MUST_USE hf_err hf_map_check_apart(struct hf_map_build *b, bool may_share);

typedef int hf_map_compare(const struct hf_tensor *a, const struct hf_tensor *b);
hf_map_compare hf_map_by_name;
hf_map_compare hf_map_by_place;

/* Heapsort: no memory of its own, n log n whatever the order was. */
void hf_map_sort(struct hf_tensor *t, size_t n, hf_map_compare *cmp);

HF_MUST_USE hf_err hf_safetensors_parse(
	struct hf_model_map *map, const uint8_t *head, size_t head_len, struct hf_errinfo *ei);
HF_MUST_USE hf_err hf_gguf_read(
	struct hf_model_map *map, struct hf_window *w, struct hf_errinfo *ei);

/* True when the whole file is made like an ONNX model. */
bool hf_onnx_is(struct hf_window *w);
HF_MUST_USE hf_err hf_onnx_read(
	struct hf_model_map *map, struct hf_window *w, struct hf_errinfo *ei);

/* By the first bytes of a file. */
bool hf_tflite_is(const uint8_t first[8]);
HF_MUST_USE hf_err hf_tflite_read(
	struct hf_model_map *map, struct hf_window *w, struct hf_errinfo *ei);

/* True for a Python pickle, alone or in the zip file of PyTorch. */
bool hf_pickle_is(struct hf_window *w);

#endif
