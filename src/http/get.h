/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One GET of HTTP/1.1 in the plain (RFC 9112), for what proves itself: a signed list. Bytes come in
 * as they come; the same whatever way they are split.
 *
 *	hf_get_request -> send -> [ feed ... ] -> is_over, or eof -> body
 *
 * Only a status of 200 brings a body: redirects are not followed, and codings other than "chunked"
 * are not decoded. A body has the length that was said, or is all up to the end of the connection.
 */
#ifndef HF_HTTP_GET_H
#define HF_HTTP_GET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "http/url.h"

enum {
	HF_GET_LINE_MAX = 2048,  /* bytes of a line of the head, or of a chunk's */
	HF_GET_HEAD_MAX = 16384, /* of the head, and of all chunk lines and trailers */
	HF_GET_REQUEST_MAX = 1536,
};

/* The request, whole. Returns its length. */
size_t hf_get_request(char out[HF_GET_REQUEST_MAX], const struct hf_url *url, const char *accept);

/* The fields are the reader's own. */
struct hf_get {
	uint8_t state;
	bool has_length;
	bool is_chunked;
	unsigned status; /* 0: not known yet */
	uint64_t left;   /* of the body or of a chunk; UINT64_MAX: up to the end */
	size_t n_head;   /* bytes of heads, chunk lines and trailers so far */
	size_t line_len;
	char line[HF_GET_LINE_MAX];
	struct hf_buf body;
	hf_err err;
};

/* An answer with at most body_max bytes of body; end it with hf_get_clear(). */
void hf_get_init(struct hf_get *g, const struct hf_mem *mem, size_t body_max);
void hf_get_clear(struct hf_get *g);

/*
 * Takes bytes of the answer; those behind its end are not looked at. The first failure stays.
 * HF_ERR_FORMAT: not HTTP/1, or at odds with itself. HF_ERR_UNSUPPORTED: a coding that is not read.
 * HF_ERR_LIMIT: the body is longer than allowed, or the head. HF_ERR_NOT_FOUND: a status that is
 * not 200, see hf_get.status. HF_ERR_NO_MEMORY.
 */
HF_MUST_USE hf_err hf_get_feed(
	struct hf_get *g, const uint8_t *in, size_t in_len, struct hf_errinfo *ei);

/* The connection ended. HF_OK: the body is whole. HF_ERR_TRUNCATED: it is not. */
HF_MUST_USE hf_err hf_get_eof(struct hf_get *g, struct hf_errinfo *ei);

/* The body is whole, and nothing more need be read. */
bool hf_get_is_over(const struct hf_get *g);

#endif
