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
	HF_CODEC_PLANES_ZSTD = 2,     /* byte planes (planes.h), then zstd */
	HF_CODEC_XOR_PLANES_ZSTD = 3, /* XOR a chunk of an earlier release, then so */
};

/* "none", "zstd", "planes", "xor"; NULL: a number this version does not know. */
const char *hf_codec_name(unsigned id);

/* What has to be known to decode. */
struct hf_coding {
	uint8_t id;    /* enum hf_codec_id */
	uint8_t width; /* bytes of an element: 2 or 4 of planes, 1 too with xor; else 0 */
};

/* Does the codec go with this width? False too for a codec that this version does not know. */
bool hf_coding_is_valid(struct hf_coding how);

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
	uint8_t *scratch; /* chunk_max bytes: encoded form, or planes when decoding */
	uint8_t *planes;  /* chunk_max bytes, for encoding only */
};

/* HF_ERR_NO_MEMORY. chunk_max: 1 .. HF_CHUNK_PLAIN_MAX (HF_ERR_ARG). */
HF_MUST_USE hf_err hf_codec_init(
	struct hf_codec *c, const struct hf_mem *mem, enum hf_codec_use use, size_t chunk_max);

/* Wipes and frees. Accepts { 0 }. */
void hf_codec_clear(struct hf_codec *c);

/* What encoding gave: p is the plaintext itself, or lies in the codec until its next use. */
struct hf_encoded {
	struct hf_coding how;
	const uint8_t *p;
	size_t len;
};

/*
 * Chooses a codec by sample and encodes. base: plain_len bytes of the base's chunk, or NULL without
 * one. Anything but HF_CODEC_NONE is taken only if it saves 5 % or more, and xor only if it saves 5
 * % more than what does without a base. HF_ERR_LIMIT: empty, or longer than the codec was made for.
 */
HF_MUST_USE hf_err hf_codec_encode(struct hf_codec *c, struct hf_encoded *out, const uint8_t *plain,
	size_t plain_len, const uint8_t *base);

struct hf_decoding {
	struct hf_coding how;
	uint8_t *plain; /* plain_len bytes, no more than the codec was made for */
	size_t plain_len;
	const uint8_t
		*in; /* with planes and xor it may begin where plain does, with zstd in scratch */
	size_t in_len;
	const uint8_t *base; /* with xor: plain_len bytes of the base's chunk; else not looked at */
};

/*
 * Decodes to exactly plain_len bytes and never writes beyond them; whatever fails leaves them zero.
 * HF_ERR_FORMAT: does not decode, or not to this length. HF_ERR_UNSUPPORTED: a codec that this
 * version does not have. HF_ERR_ARG: not made for decoding, xor without base.
 */
HF_MUST_USE hf_err hf_codec_decode(struct hf_codec *c, const struct hf_decoding *d);

#endif
