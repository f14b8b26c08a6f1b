/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PEM text (RFC 7468, lax about text between blocks, strict inside): BEGIN, base64 lines, END.
 * Headers inside a block (RFC 1421, "Proc-Type") are refused.
 */
#ifndef HF_CODEC_PEM_H
#define HF_CODEC_PEM_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/wr.h"

enum { HF_PEM_LABEL_MAX = 63 };

struct hf_pem_block {
	char label[HF_PEM_LABEL_MAX + 1]; /* "CERTIFICATE" */
	struct hf_bytes body;             /* base64 lines, borrowed from the text */
};

/*
 * The next block of the text, which moves on behind it. HF_ERR_NOT_FOUND: no further BEGIN line.
 * HF_ERR_FORMAT, HF_ERR_TRUNCATED: a block that does not end as it began.
 */
HF_MUST_USE hf_err hf_pem_next(struct hf_pem_block *b, struct hf_bytes *text);

/* Bytes of a block. HF_ERR_LIMIT: more than cap. HF_ERR_FORMAT: no base64. *len unchanged then. */
HF_MUST_USE hf_err hf_pem_decode(
	uint8_t *out, size_t cap, size_t *len, const struct hf_pem_block *b);

/* The first block with this label, decoded. Errors as both above. */
HF_MUST_USE hf_err hf_pem_parse(
	uint8_t *out, size_t cap, size_t *len, const char *label, struct hf_bytes text);

/* Room that hf_pem_emit() needs for len bytes and a label. */
size_t hf_pem_len(const char *label, size_t len);

/* One block with lines of 64 characters. */
void hf_pem_emit(struct hf_writer *w, const char *label, const uint8_t *in, size_t len);

#endif
