/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zstd in a workspace that is allocated once. Level 3; a chunk is compressed as one frame with its
 * content size and without a checksum (the AEAD is one).
 */
#define ZSTD_STATIC_LINKING_ONLY /* contexts in memory of ours */

#include "pkg/codec.h"

#include <string.h>
#include <zstd.h>

#include "base/wipe.h"
#include "pkg/body.h"

enum {
	LEVEL = 3,
	SAVING = 20,            /* taken only if it saves one part in so many: 5 % */
	SAMPLE_LEN = 16 << 10,  /* of each of three samples */
	SAMPLE_FROM = 64 << 10, /* shorter chunks are tried as a whole */
};

hf_err hf_codec_init(
	struct hf_codec *c, const struct hf_mem *mem, enum hf_codec_use use, size_t chunk_max)
{
	struct hf_codec v = { .mem = mem, .use = use, .chunk_max = chunk_max };

	if (chunk_max == 0 || chunk_max > HF_CHUNK_PLAIN_MAX)
		return HF_ERR_ARG;
	v.work_len = use == HF_CODEC_DECODE   ? ZSTD_estimateDCtxSize()
		     : use == HF_CODEC_ENCODE ? ZSTD_estimateCCtxSize(LEVEL)
					      : 0;
	if (v.work_len > 0) {
		v.work = hf_mem_new(mem, v.work_len);
		v.scratch = hf_mem_new(mem, chunk_max);
		if (v.work == NULL || v.scratch == NULL) {
			hf_codec_clear(&v);
			return HF_ERR_NO_MEMORY;
		}
		v.zstd = use == HF_CODEC_DECODE ? (void *)ZSTD_initStaticDCtx(v.work, v.work_len)
						: (void *)ZSTD_initStaticCCtx(v.work, v.work_len);
		if (v.zstd == NULL) {
			hf_codec_clear(&v);
			return HF_ERR_INTERNAL;
		}
	}
	*c = v;
	return HF_OK;
}

void hf_codec_clear(struct hf_codec *c)
{
	if (c->work != NULL)
		hf_wipe(c->work, c->work_len);
	if (c->scratch != NULL)
		hf_wipe(c->scratch, c->chunk_max);
	if (c->mem != NULL) {
		hf_mem_free(c->mem, c->work);
		hf_mem_free(c->mem, c->scratch);
	}
	*c = (struct hf_codec){ 0 };
}

/* Compressed length of a stretch, or its own length when it does not become that much shorter. */
static size_t try_zstd(struct hf_codec *c, const uint8_t *in, size_t len)
{
	size_t room = len - len / SAVING - (len % SAVING != 0);
	size_t n = ZSTD_compressCCtx(c->zstd, c->scratch, room, in, len, LEVEL);

	return ZSTD_isError(n) ? len : n;
}

/* Three samples decide for the rest: most weights do not compress, and trying costs time. */
static bool sample_saves(struct hf_codec *c, const uint8_t *plain, size_t len)
{
	size_t step = (len - SAMPLE_LEN) / 2;
	size_t sum = 0;

	if (len < SAMPLE_FROM)
		return true;
	for (size_t i = 0; i < 3; i++)
		sum += try_zstd(c, plain + i * step, SAMPLE_LEN);
	return sum <= 3 * SAMPLE_LEN - 3 * SAMPLE_LEN / SAVING;
}

hf_err hf_codec_encode(struct hf_codec *c, const uint8_t **out, size_t *out_len,
	enum hf_codec_id *id, const uint8_t *plain, size_t plain_len)
{
	size_t n = plain_len;

	if (c->use == HF_CODEC_DECODE)
		return HF_ERR_ARG;
	if (plain_len == 0 || plain_len > c->chunk_max)
		return HF_ERR_LIMIT;
	if (c->use == HF_CODEC_ENCODE && plain_len > SAVING && sample_saves(c, plain, plain_len))
		n = try_zstd(c, plain, plain_len);
	*id = n < plain_len ? HF_CODEC_ZSTD : HF_CODEC_NONE;
	*out = n < plain_len ? c->scratch : plain;
	*out_len = n;
	return HF_OK;
}

static hf_err decode_zstd(
	struct hf_codec *c, uint8_t *plain, size_t plain_len, const uint8_t *in, size_t in_len)
{
	size_t n;

	if (c->use != HF_CODEC_DECODE)
		return HF_ERR_ARG;
	/* One frame that says its length, and nothing behind it. */
	if (ZSTD_getFrameContentSize(in, in_len) != plain_len ||
		ZSTD_findFrameCompressedSize(in, in_len) != in_len)
		return HF_ERR_FORMAT;
	n = ZSTD_decompressDCtx(c->zstd, plain, plain_len, in, in_len);
	return n == plain_len ? HF_OK : HF_ERR_FORMAT;
}

hf_err hf_codec_decode(struct hf_codec *c, enum hf_codec_id id, uint8_t *plain, size_t plain_len,
	const uint8_t *in, size_t in_len)
{
	hf_err e = HF_ERR_UNSUPPORTED;

	if (id == HF_CODEC_ZSTD) {
		e = decode_zstd(c, plain, plain_len, in, in_len);
	} else if (id == HF_CODEC_NONE) {
		e = in_len == plain_len ? HF_OK : HF_ERR_FORMAT;
		if (e == HF_OK && plain != in)
			memmove(plain, in, plain_len);
	}
	if (e != HF_OK)
		hf_wipe(plain, plain_len);
	return e;
}
