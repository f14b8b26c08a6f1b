/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a chunk's bytes are written before they are sealed. One struct hf_codec serves one thread; it
 * gets its memory when it is made and none afterwards.
 */
#ifndef HF_PKG_CODEC_H
#define HF_PKG_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

/* Stable numbers of the format. */
enum hf_codec_id {
	HF_CODEC_NONE = 0,
	HF_CODEC_ZSTD = 1,
	HF_CODEC_PLANES_ZSTD = 2,     /* byte planes; not in this version */
	HF_CODEC_XOR_PLANES_ZSTD = 3, /* against a base release; not in this version */
};

enum hf_codec_use {
	HF_CODEC_DECODE,      /* opening only: about 100 KiB and one chunk */
	HF_CODEC_ENCODE,      /* sealing, choosing by sample */
	HF_CODEC_ENCODE_NONE, /* sealing, never compressing */
};

struct hf_codec {
	const struct hf_mem *mem;
	enum hf_codec_use use;
	size_t chunk_max; /* longest plaintext */
	void *work;       /* zstd's workspace */
	size_t work_len;
	void *zstd;       /* context inside work */
	uint8_t *scratch; /* chunk_max bytes: encoded form */
};

/* HF_ERR_NO_MEMORY. chunk_max: 1 .. HF_CHUNK_PLAIN_MAX (HF_ERR_ARG). */
HF_MUST_USE hf_err hf_codec_init(
	struct hf_codec *c, const struct hf_mem *mem, enum hf_codec_use use, size_t chunk_max);

/* Wipes and frees. Accepts { 0 }. */
void hf_codec_clear(struct hf_codec *c);

/*
 * Chooses a codec and encodes. *out points to plain itself (HF_CODEC_NONE) or into the codec's
 * scratch, valid until the next call. Compression is taken only if it saves 5 % or more.
 */
HF_MUST_USE hf_err hf_codec_encode(struct hf_codec *c, const uint8_t **out, size_t *out_len,
	enum hf_codec_id *id, const uint8_t *plain, size_t plain_len);

/*
 * Decodes to exactly plain_len bytes. HF_ERR_FORMAT: does not decode, or not to this length.
 * HF_ERR_UNSUPPORTED: a codec that this version does not have. Never writes beyond plain_len.
 */
HF_MUST_USE hf_err hf_codec_decode(struct hf_codec *c, enum hf_codec_id id, uint8_t *plain,
	size_t plain_len, const uint8_t *in, size_t in_len);

#endif
