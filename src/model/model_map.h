/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the tensors of a model file lie. The sealer cuts at their borders, so that an unchanged
 * tensor stays an unchanged chunk. Reading a map executes nothing and believes nothing: a file
 * whose header says of a byte that it belongs to two tensors, or to none where its format leaves no
 * room for that, is refused. docs/formats/models.md says what is read of each format.
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
	HF_MODEL_UNKNOWN = 0,     /* no map: cut every so many bytes */
	HF_MODEL_SAFETENSORS = 1, /* u64 LE header length, JSON, data */
	HF_MODEL_GGUF = 2,        /* "GGUF", version 2 or 3, little-endian */
	HF_MODEL_ONNX = 3,        /* a ModelProto (protobuf) */
	HF_MODEL_TFLITE = 4,      /* a FlatBuffer "TFL3" */
	HF_MODEL_ONNX_DATA = 5,   /* what an ONNX file keeps beside itself */
	HF_MODEL_PICKLE = 6,      /* no map: a program for Python that is never run here */
	HF_MODEL_FORMATS,
};

/* "gguf" and the like, "plain" for HF_MODEL_UNKNOWN; NULL: a number this version does not know. */
const char *hf_model_format_name(unsigned format);

/* Element types of safetensors, with their bits. */
/* clang-format off */
#define HF_DTYPE_LIST(X) \
	X(BOOL, 8) X(U8, 8) X(I8, 8) X(F8_E5M2, 8) X(F8_E4M3, 8) X(F8_E8M0, 8) X(F8_E4M3FNUZ, 8) \
	X(F8_E5M2FNUZ, 8) X(F4, 4) X(F6_E2M3, 6) X(F6_E3M2, 6) X(I16, 16) X(U16, 16) X(F16, 16) X(BF16, 16) \
	X(I32, 32) X(U32, 32) X(F32, 32) X(F64, 64) X(I64, 64) X(U64, 64) X(C64, 64)
/* What other formats have besides; 0 bits: elements without one length. */
#define HF_DTYPE_MORE_LIST(X) X(I2, 2) X(U2, 2) X(I4, 4) X(U4, 4) X(C128, 128) X(STRING, 0) X(OPAQUE, 0)

/* Quantised types of GGUF: elements and bytes of a block. */
#define HF_DTYPE_BLOCK_LIST(X) \
	X(Q4_0, 32, 18) X(Q4_1, 32, 20) X(Q5_0, 32, 22) X(Q5_1, 32, 24) X(Q8_0, 32, 34) X(Q2_K, 256, 84) \
	X(Q3_K, 256, 110) X(Q4_K, 256, 144) X(Q5_K, 256, 176) X(Q6_K, 256, 210) X(Q8_K, 256, 292) \
	X(IQ1_S, 256, 50) X(IQ1_M, 256, 56) X(IQ2_XXS, 256, 66) X(IQ2_XS, 256, 74) X(IQ2_S, 256, 82) \
	X(IQ3_XXS, 256, 98) X(IQ3_S, 256, 110) X(IQ4_NL, 32, 18) X(IQ4_XS, 256, 136) X(TQ1_0, 256, 54) \
	X(TQ2_0, 256, 66) X(MXFP4, 32, 17)

enum hf_dtype {
#define HF_DTYPE_ENUM(name, bits) HF_DTYPE_##name,
#define HF_DTYPE_ENUM_BLOCK(name, n, len) HF_DTYPE_##name,
	HF_DTYPE_LIST(HF_DTYPE_ENUM) HF_DTYPE_MORE_LIST(HF_DTYPE_ENUM) HF_DTYPE_BLOCK_LIST(HF_DTYPE_ENUM_BLOCK)
#undef HF_DTYPE_ENUM
#undef HF_DTYPE_ENUM_BLOCK
	HF_DTYPE_COUNT,
	HF_DTYPE_N_SAFETENSORS = HF_DTYPE_I2, /* types before this one are those of safetensors */
};
/* clang-format on */

/* "BF16" and the like; NULL for none. */
const char *hf_dtype_name(enum hf_dtype t);
unsigned hf_dtype_bits(enum hf_dtype t); /* 0: blocks, or no one length */
bool hf_dtype_has_len(enum hf_dtype t);

struct hf_tensor {
	const char *name; /* UTF-8 with terminator; owned by the map */
	uint64_t offset;  /* in the file, or in the one of location */
	uint64_t len;     /* bytes */
	const char *
		location; /* NULL: in this file; else the file beside it (ONNX), owned by the map */
	bool is_plain; /* len is shape times type, little-endian; else the format packs it its own
			  way */
	enum hf_dtype dtype;
	unsigned n_dims;
	uint64_t shape[HF_MODEL_DIMS_MAX]; /* as the file says it: GGUF begins with the fastest */
};

/*
 * Bytes in memory of a tensor of this shape and type. HF_ERR_ARG: !hf_dtype_has_len().
 * HF_ERR_LIMIT: more than 64 bits. HF_ERR_FORMAT: a row is not whole blocks.
 */
HF_MUST_USE hf_err hf_dtype_len(uint64_t *len, const struct hf_tensor *t);

/*
 * Tensors in file order; none leaves the file and no two overlap, but in ONNX and TFLite two may be
 * the very same bytes. Of safetensors each byte from data_at on belongs to exactly one; of GGUF,
 * but for padding; the others have bytes of their own between tensors.
 */
struct hf_model_map {
	enum hf_model_format format;
	uint64_t file_len;
	uint64_t data_at; /* first byte of tensor data; what lies before is the header */
	struct hf_tensor *tensors;
	size_t n_tensors;   /* in this file */
	size_t n_elsewhere; /* tensors behind those: in other files */
	char *names;        /* storage of the names */
	const struct hf_mem *mem;
};

/* Where the bytes of a file come from. */
struct hf_model_source {
	hf_err (*read)(
		void *ctx, uint8_t *out, size_t len, uint64_t at); /* all of len, or a failure */
	void *ctx;
	uint64_t file_len;
};

/*
 * Finds out the format by content and reads the map, whatever the format is. Memory: the map, and
 * head_max for the header of a safetensors file; the other formats are looked at piece by piece.
 * Errors as hf_model_map_parse(), and those of the source. HF_ERR_UNSUPPORTED: the format is known,
 * something in it is not; the caller may treat the file as one without a map.
 */
HF_MUST_USE hf_err hf_model_map_read(struct hf_model_map *map, const struct hf_model_source *src,
	size_t head_max, const struct hf_mem *mem, struct hf_errinfo *ei);

/*
 * The map of a file that an ONNX model keeps beside itself under this name: the tensors that lie in
 * it. Of a file that the model does not name the map has none, and format HF_MODEL_UNKNOWN. Errors
 * as hf_model_map_read().
 */
HF_MUST_USE hf_err hf_model_map_beside(struct hf_model_map *map, const struct hf_model_map *model,
	const char *name, uint64_t file_len, struct hf_errinfo *ei);

/*
 * For safetensors, whose header comes first. Looks at the first bytes (up to HF_MODEL_SNIFF_LEN,
 * fewer if the file is shorter) and gives the format, and in *head_len how many bytes from the
 * start of the file hf_model_map_parse() wants; 0 for an unknown format.
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
