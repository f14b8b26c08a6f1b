/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of an HTTP/2 connection: h2.c has what both ends share, h2_server.c and h2_client.c
 * what differs, behind struct h2_side.
 *
 *  1. A struct stream lives from its first HEADERS frame to on_stream_close and no longer.
 *  2. No more than limits.max_streams of them exist.
 *  3. Bytes of a body count against the peer's window until their reader took them.
 */
#ifndef HF_HTTP_H2_SESSION_H
#define HF_HTTP_H2_SESSION_H

#include <nghttp2/nghttp2.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "http/h2.h"

/* One request and its answer. */
struct stream {
	struct stream *next;
	int32_t id;
	struct hf_http_head head; /* of what comes in */
	size_t head_len;
	hf_err head_err; /* first thing wrong with the head */
	bool has_head;   /* it is complete */
	bool is_ended;   /* the other side sent its last byte */
	bool is_replied; /* server: an answer was begun */
	bool is_told;    /* the user knows of it and has to hear of its end */
	hf_err why;      /* why we end it; HF_OK: we do not */
	uint64_t deadline_ms;
	uint64_t hard_ms; /* client: end of timeout_ms */
	uint64_t body_len;
	size_t held;        /* bytes the reader holds back */
	struct hf_buf body; /* what is collected of the incoming body */
	struct hf_http_source source;
	bool has_source;
	struct hf_buf out; /* a body given as bytes */
	size_t out_at;
	const struct hf_http_route *route; /* server */
	struct hf_http_call call;          /* client */
	struct hf_range range;             /* client: what was asked for */
};

struct h2_side {
	/* The head is complete; s->head_err says whether it is right. */
	void (*on_head)(struct hf_h2 *h, struct stream *s);
	/* Bytes of the body. HF_ERR_AGAIN: taken, the peer is held back. */
	hf_err (*on_body)(struct hf_h2 *h, struct stream *s, const uint8_t *bytes, size_t len);
	/* The last byte came. */
	void (*on_end)(struct hf_h2 *h, struct stream *s);
	void (*on_close)(struct hf_h2 *h, struct stream *s, hf_err why);
};

struct hf_h2 {
	const struct hf_mem *mem;
	nghttp2_mem ng_mem;
	nghttp2_session *ng;
	struct hf_h2_limits limits;
	const struct h2_side *side;
	bool is_server;
	struct hf_h2_server server;
	char authority[HF_HTTP_VALUE_MAX];
	struct stream *streams; /* newest first */
	size_t n_streams;
	uint64_t now_ms;
	uint64_t tokens_milli; /* control frames still allowed, in 1/1000 */
	uint64_t tokens_ms;    /* when they were last filled up */
	bool is_closing;       /* we said so */
	bool is_goaway;        /* the peer said so */
	uint64_t heard_ms;     /* client: from the peer, or we had not asked for anything before */
	uint64_t pinged_ms;    /* client: nothing was heard since; UINT64_MAX: it was not asked */
	hf_err err;
	const uint8_t *out;
	size_t out_len;
};

/* The allocator of nghttp2 over ours. */
void hf_h2_mem_init(nghttp2_mem *out, const struct hf_mem *mem);

/* What both constructors begin with. On failure nothing is left behind. */
HF_MUST_USE hf_err hf_h2_new(struct hf_h2 **out, const struct hf_mem *mem,
	const struct hf_h2_limits *limits, const struct h2_side *side, bool is_server,
	uint64_t now_ms);

struct stream *hf_h2_find(const struct hf_h2 *h, int32_t id);

/* Client: something is asked of the peer from now on. */
void hf_h2_expect(struct hf_h2 *h);

/* A new stream, counted; NULL: the limit or no memory. */
struct stream *hf_h2_stream_new(struct hf_h2 *h);
void hf_h2_stream_free(struct hf_h2 *h, struct stream *s);

/* What was collected of its body goes. */
void hf_h2_body_drop(struct hf_h2 *h, struct stream *s);

/* Ends a stream because of e: RST_STREAM now, on_close soon. */
void hf_h2_reset(struct hf_h2 *h, struct stream *s, hf_err e);

/* Gives the stream its outgoing body: bytes are copied, a source is taken over. */
HF_MUST_USE hf_err hf_h2_body_set(struct stream *s, const uint8_t *body, size_t body_len,
	const struct hf_http_source *source);

/* The body as nghttp2 wants it; NULL if there is none. */
const nghttp2_data_provider *hf_h2_provider(struct stream *s, nghttp2_data_provider *storage);

/* The head, field by field. Wrong ones are remembered in s->head_err. */
void hf_h2_head_field(
	struct hf_h2 *h, struct stream *s, struct hf_bytes name, struct hf_bytes value);

/* Cuts the path into its segments. HF_ERR_FORMAT: not a path of the node API. */
HF_MUST_USE hf_err hf_h2_head_path(struct hf_http_head *head, const char *path, size_t path_len);

const char *hf_h2_method_name(enum hf_http_method m);

enum { H2_FIELDS_MAX = 8 + HF_HTTP_FIELDS_MAX };

/* Fields of an outgoing message; everything is borrowed. */
struct fields {
	nghttp2_nv nv[H2_FIELDS_MAX];
	size_t n;
	bool is_bad;
};

void hf_h2_fields_add(struct fields *f, const char *name, const char *value);

/* Those of the caller: names of ours, printable values. */
void hf_h2_fields_add_ours(struct fields *f, const struct hf_http_field *fields, size_t n_fields);

#endif
