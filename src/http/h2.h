/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP/2 connection, as server or as client, without I/O and without a clock: bytes of the link
 * go in (hf_h2_feed), bytes for the link come out (hf_h2_out). nghttp2 does the framing; this is
 * the part that bounds it.
 *
 * Bodies are pulled: a frame of a body is made when hf_h2_out() wants bytes and the peer's window
 * has room, so what is under way is bounded by the windows. Incoming bodies are given on at once;
 * the peer may send more when its reader took them.
 *
 * Callbacks run inside hf_h2_feed(), hf_h2_out() and hf_h2_tick(). They may begin, answer and
 * cancel requests, and must not free the session or feed it.
 */
#ifndef HF_HTTP_H2_H
#define HF_HTTP_H2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "http/range.h"

enum {
	HF_H2_STREAMS_MAX = 256,
	HF_HTTP_PATH_MAX = 512,   /* path and query, with terminator */
	HF_HTTP_SEGMENTS_MAX = 8, /* of a path */
	HF_HTTP_TYPE_MAX = 64,    /* a content type, with terminator */
	HF_HTTP_FIELDS_MAX = 4,   /* x-hufu-* fields of a message */
	HF_HTTP_NAME_MAX = 32,
	HF_HTTP_VALUE_MAX = 128,
	HF_H2_SMALL_BODY = 16 * 1024, /* collected bodies above it are counted */
};

enum hf_http_method {
	HF_HTTP_GET,
	HF_HTTP_HEAD,
	HF_HTTP_PUT,
	HF_HTTP_POST,
	HF_HTTP_DELETE,
};

/* A field of ours: the name begins with "x-hufu-". */
struct hf_http_field {
	char name[HF_HTTP_NAME_MAX];
	char value[HF_HTTP_VALUE_MAX]; /* printable ASCII */
};

/* The head of a request or of an answer, parsed. */
struct hf_http_head {
	enum hf_http_method method;                 /* of a request */
	char path[HF_HTTP_PATH_MAX];                /* as it came, without query */
	char query[HF_HTTP_PATH_MAX];               /* behind the '?', or empty */
	char segments_text[HF_HTTP_PATH_MAX];       /* what segments point into */
	const char *segments[HF_HTTP_SEGMENTS_MAX]; /* of the path; "/v1/time" has two */
	size_t n_segments;
	unsigned status; /* of an answer */
	char content_type[HF_HTTP_TYPE_MAX];
	bool has_range; /* range of a request, content-range of an answer */
	struct hf_range range;
	struct hf_http_field fields[HF_HTTP_FIELDS_MAX];
	size_t n_fields;
};

/* A body that is read while it is sent. */
struct hf_http_source {
	/*
	 * Gives the next 1 .. cap bytes, or none with *is_end. HF_ERR_AGAIN: none yet; call
	 * hf_h2_resume() when there are. Any other failure resets the stream.
	 */
	hf_err (*read)(void *ctx, uint8_t *out, size_t cap, size_t *len, bool *is_end);
	void (*close)(void *ctx); /* called once, at the end or at a failure; may be NULL */
	void *ctx;
	uint64_t len; /* UINT64_MAX: not known before */
};

struct hf_h2;

struct hf_h2_limits {
	uint32_t max_streams; /* at a time: 1 .. HF_H2_STREAMS_MAX */
	uint32_t header_max;  /* all fields of a message, 32 bytes added for each */
	uint32_t window;      /* bytes the peer may send ahead on a stream: 16 KiB .. 16 MiB */
	uint32_t message_ms;  /* a head and a buffered body must be in by then; not 0 */
	uint32_t stall_ms;    /* a streamed body must move in this time; not 0 */
	/*
	 * Client: who has asked and hears nothing for this long asks whether the peer is there
	 * (PING), and ends the session with HF_ERR_TIMEOUT if it hears nothing for as long again,
	 * or, while a body of its own is on its way, for stall_ms. 0: never.
	 */
	uint32_t quiet_ms;
	uint32_t control_burst; /* frames that carry no data: at once … */
	uint32_t control_rate;  /* … and a second. Beyond: the connection ends */
};

extern const struct hf_h2_limits hf_h2_limits_default;

/* What a server's handler gets. Everything is borrowed and good until the handler returns. */
struct hf_http_request {
	struct hf_h2 *h;
	int32_t stream; /* to answer it, now or later */
	uint32_t peer;  /* HF_PEER_* of who asks */
	const struct hf_http_head *head;
	const uint8_t *body; /* whole, unless the route streams it */
	size_t body_len;
};

/* One row of a server's table. */
struct hf_http_route {
	enum hf_http_method method;
	const char *pattern; /* segments; "*" stands for any one */
	uint32_t who;        /* HF_PEER_* bits; one of them is enough */
	uint64_t body_max;   /* bytes; 0: no body */
	/* Called once: with the whole body, or, if on_body is there, before the body. */
	void (*on_request)(void *ctx, const struct hf_http_request *q);
	/*
	 * Streams the body: bytes as they come, the last call with is_end. HF_ERR_AGAIN: taken, but
	 * hold the peer back until hf_h2_credit(). Other failures are answered as such.
	 */
	hf_err (*on_body)(void *ctx, int32_t stream, const uint8_t *bytes, size_t len, bool is_end);
};

struct hf_h2_server {
	const struct hf_mem *mem;
	struct hf_h2_limits limits;
	const struct hf_http_route *routes; /* borrowed for the life of the session */
	size_t n_routes;
	uint32_t peer; /* HF_PEER_* */
	void *ctx;
	/* A stream whose on_request was called is over. HF_OK: answered to the end. May be NULL. */
	void (*on_close)(void *ctx, int32_t stream, hf_err why);
	/*
	 * A request was refused before its handler: no such route, not for this peer, a wrong head,
	 * a body that is too long. head is what came of it. May be NULL.
	 */
	void (*on_refused)(void *ctx, const struct hf_http_head *head, hf_err why);
	/*
	 * The memory of a collected body is to grow or shrink. Only growth may fail: then the
	 * request is answered with that, HF_ERR_AGAIN for "later". May be NULL.
	 */
	hf_err (*on_keep)(void *ctx, size_t before, size_t after);
	/* Collected bodies above HF_H2_SMALL_BODY at a time; one more is answered with
	 * HF_ERR_AGAIN. 0: no bound but max_streams. */
	uint32_t max_large;
};

struct hf_http_reply {
	unsigned status;
	const char *content_type;     /* NULL: none */
	const struct hf_range *range; /* content-range; NULL: none */
	const struct hf_http_field *fields;
	size_t n_fields;
	const uint8_t *body; /* copied */
	size_t body_len;
	const struct hf_http_source *source; /* instead of body; taken over in every case */
};

/* A request of a client. Everything is copied but the source's and the caller's ctx. */
struct hf_http_call {
	enum hf_http_method method;
	const char *path; /* with query */
	const char *content_type;
	const struct hf_range *range; /* asks for these bytes; NULL: all */
	const struct hf_http_field *fields;
	size_t n_fields;
	const uint8_t *body;
	size_t body_len;
	const struct hf_http_source *source; /* instead of body; taken over in every case */
	uint64_t body_max;                   /* of the answer; more ends it with HF_ERR_LIMIT */
	uint32_t timeout_ms;                 /* for the whole answer; 0: only stall_ms holds */
	/* Gets the head of the answer; a failure cancels the call and is given to on_done. */
	hf_err (*on_head)(void *ctx, int32_t stream, const struct hf_http_head *head);
	/* Gets the body; NULL: it is collected for on_done. HF_ERR_AGAIN as in a route. */
	hf_err (*on_body)(void *ctx, int32_t stream, const uint8_t *bytes, size_t len);
	/*
	 * Called once, unless the call is cancelled. HF_OK: the answer is whole, whatever its
	 * status; then head is there. body is what was collected. A range that was asked for and
	 * not given exactly is HF_ERR_FORMAT.
	 */
	void (*on_done)(void *ctx, int32_t stream, hf_err e, const struct hf_http_head *head,
		const uint8_t *body, size_t body_len);
	void *ctx;
};

struct hf_h2_client {
	const struct hf_mem *mem;
	struct hf_h2_limits limits;
	const char *authority; /* copied; below HF_HTTP_VALUE_MAX */
};

/* Sessions; end them with hf_h2_free(). HF_ERR_ARG: a limit out of its range. HF_ERR_NO_MEMORY. */
HF_MUST_USE hf_err hf_h2_server_new(
	struct hf_h2 **out, const struct hf_h2_server *config, uint64_t now_ms);
HF_MUST_USE hf_err hf_h2_client_new(
	struct hf_h2 **out, const struct hf_h2_client *config, uint64_t now_ms);

/* Ends what is open (on_close, on_done with HF_ERR_CLOSED) and frees. NULL is accepted. */
void hf_h2_free(struct hf_h2 *h);

/*
 * Takes bytes of the link; *used says how many (all of them, unless it fails). Sticky.
 * HF_ERR_FORMAT: no HTTP/2. HF_ERR_LIMIT: a flood. After a failure send what hf_h2_out() still
 * gives (it tells the peer), then close.
 */
HF_MUST_USE hf_err hf_h2_feed(
	struct hf_h2 *h, size_t *used, const uint8_t *in, size_t in_len, uint64_t now_ms);

/* Bytes to send, borrowed until hf_h2_sent(); 0: none now. */
size_t hf_h2_out(struct hf_h2 *h, const uint8_t **bytes);
void hf_h2_sent(struct hf_h2 *h, size_t n);

/* Call hf_h2_tick() no later than this; UINT64_MAX: no need. */
uint64_t hf_h2_deadline(const struct hf_h2 *h);

/* Ends streams whose time is up, and lets hf_h2_out() know the time. */
void hf_h2_tick(struct hf_h2 *h, uint64_t now_ms);

/* Begins to close: no new streams; those that are open go on to their end. */
void hf_h2_shutdown(struct hf_h2 *h);

/*
 * The failure that sticks (HF_OK: none); also one that no call returned: out of memory in out.
 * HF_ERR_TIMEOUT: the peer is not there any more (quiet_ms), so it need not be told.
 */
hf_err hf_h2_error(const struct hf_h2 *h);

/* True when nothing is to be read or sent any more: close the link. */
bool hf_h2_is_over(const struct hf_h2 *h);

size_t hf_h2_n_streams(const struct hf_h2 *h);

/* The latest time that the session was told: what time it is, in a callback. */
uint64_t hf_h2_now(const struct hf_h2 *h);

/* A source that had nothing has something now. */
void hf_h2_resume(struct hf_h2 *h, int32_t stream);

/* The bytes of a body that were held back by HF_ERR_AGAIN are used: the peer may send more. */
void hf_h2_credit(struct hf_h2 *h, int32_t stream);

/*
 * Answers a request, once. HF_ERR_NOT_FOUND: the stream is gone. HF_ERR_STATE: answered before.
 * HF_ERR_ARG: a field no message may have. HF_ERR_NO_MEMORY: the stream was reset.
 */
HF_MUST_USE hf_err hf_h2_reply(struct hf_h2 *h, int32_t stream, const struct hf_http_reply *reply);

/* Answers with the status of e and {"error":name,"code":number,"text":text}. Failing is harmless.
 */
void hf_h2_reply_error(struct hf_h2 *h, int32_t stream, hf_err e, const char *text);

/*
 * Begins a call. HF_ERR_LIMIT: max_streams. HF_ERR_CLOSED: the session is closing. HF_ERR_ARG: no
 * path, or a field no message may have. on_done is called only if this returned HF_OK.
 */
HF_MUST_USE hf_err hf_h2_call(
	struct hf_h2 *h, int32_t *stream, const struct hf_http_call *call, uint64_t now_ms);

/* Ends a call without on_done. A stream that is gone is ignored. */
void hf_h2_cancel(struct hf_h2 *h, int32_t stream);

#endif
