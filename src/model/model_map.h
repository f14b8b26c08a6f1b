/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the tensors of a model file lie. The sealer cuts at their borders, so that an unchanged
 * tensor stays an unchanged chunk. Reading a map executes nothing and believes nothing: a file
 * whose header does not describe every byte of it exactly once is refused.
 */
#ifndef HF_MODEL_MODEL_MAP_H
#define HF_MODEL_MODEL_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

enum {
	HF_MODEL_HEAD_MAX = 100 * 1000 * 1000, /* longest header of a safetensors file, bytes */
	HF_MODEL_SNIFF_LEN = 16,               /* first bytes that tell the format */
	HF_MODEL_TENSORS_MAX = 1 << 20,        /* tensors of one file */
	HF_MODEL_NAME_MAX = 1024,              /* bytes of a tensor's name */
	HF_MODEL_DIMS_MAX = 8,
};

enum hf_model_format {
	HF_MODEL_UNKNOWN,     /* no map: cut every so many bytes */
	HF_MODEL_SAFETENSORS, /* u64 LE header length, JSON, data */
};

/* Element types of safetensors, with their bits. */
/* clang-format off */
#define HF_DTYPE_LIST(X) \
	X(BOOL, 8) X(U8, 8) X(I8, 8) X(F8_E5M2, 8) X(F8_E4M3, 8) X(F8_E8M0, 8) X(F8_E4M3FNUZ, 8) \
	X(F8_E5M2FNUZ, 8) X(F4, 4) X(F6_E2M3, 6) X(F6_E3M2, 6) X(I16, 16) X(U16, 16) X(F16, 16) X(BF16, 16) \
	X(I32, 32) X(U32, 32) X(F32, 32) X(F64, 64) X(I64, 64) X(U64, 64) X(C64, 64)
/* clang-format on */

enum hf_dtype {
#define HF_DTYPE_ENUM(name, bits) HF_DTYPE_##name,
	HF_DTYPE_LIST(HF_DTYPE_ENUM)
#undef HF_DTYPE_ENUM
		HF_DTYPE_COUNT,
};

/* "BF16" and the like; NULL for none. */
const char *hf_dtype_name(enum hf_dtype t);
unsigned hf_dtype_bits(enum hf_dtype t);

struct hf_tensor {
	const char *name; /* UTF-8 with terminator; owned by the map */
	uint64_t offset;  /* in the file */
	uint64_t len;     /* bytes */
	enum hf_dtype dtype;
	unsigned n_dims;
	uint64_t shape[HF_MODEL_DIMS_MAX];
};

/* Tensors in file order; each byte from data_at to the end of the file belongs to exactly one. */
struct hf_model_map {
	enum hf_model_format format;
	uint64_t file_len;
	uint64_t data_at; /* first byte of tensor data; what lies before is the header */
	struct hf_tensor *tensors;
	size_t n_tensors;
	char *names; /* storage of the names */
	const struct hf_mem *mem;
};

/*
 * Looks at the first bytes (up to HF_MODEL_SNIFF_LEN, fewer if the file is shorter) and gives the
 * format, and in *head_len how many bytes from the start of the file hf_model_map_parse() wants; 0
 * for an unknown format.
 */
enum hf_model_format hf_model_sniff(
	uint64_t *head_len, const uint8_t *first, size_t first_len, uint64_t file_len);

/*
 * Reads the map out of the first head_len bytes of a file of file_len bytes. Of an unknown format
 * the map has no tensors and nothing is looked at. head_max bounds what this machine is ready to
 * read (at most HF_MODEL_HEAD_MAX). End the map with hf_model_map_clear().
 * HF_ERR_LIMIT: header, tensors, names or dimensions above their bounds. HF_ERR_TRUNCATED: head or
 * file shorter than said. HF_ERR_FORMAT: no valid header, data that overlaps or is not covered,
 * a length that is not shape times type. HF_ERR_UNSUPPORTED: an element type we do not know.
 */
HF_MUST_USE hf_err hf_model_map_parse(struct hf_model_map *map, enum hf_model_format format,
	const uint8_t *head, size_t head_len, size_t head_max, uint64_t file_len,
	const struct hf_mem *mem, struct hf_errinfo *ei);

/* Accepts { 0 }. */
void hf_model_map_clear(struct hf_model_map *map);

#endif
