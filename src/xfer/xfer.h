/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetching a list of sealed chunks from many sources, as a machine without I/O and without a clock.
 * It says what to ask of whom (hf_xfer_next), takes the bytes as they come (hf_xfer_data), checks
 * each chunk against its id (tree-SM3) and hands it over once, whole and right (chunk_done).
 *
 * The caller's loop: after every call that changes something, and when hf_xfer_deadline() is
 * reached, call hf_xfer_next() until it returns HF_ERR_AGAIN and do what each request says.
 *
 * What holds, whatever the sources do:
 *  1. chunk_done sees each chunk at most once, and only bytes whose digest is the chunk's id.
 *  2. No more than max_requests requests exist at a time, and no more bytes are kept than
 *     max_requests * chunk_max. Room for a chunk is taken when it is first needed.
 *  3. A request that ends early costs at most the bytes of the chunk it was in.
 *  4. A source that sent a wrong byte is never asked again. Every other fault is forgiven after a
 *     time that doubles, so the job ends as soon as each chunk can be had somewhere.
 *  5. The job never fails because of the network: without a source it is parked.
 *
 * Equal costs share the work. A dearer source is asked only for chunks that no cheaper usable one
 * has, and for chunks that are late; so work returns to the cheaper one by itself when it is back.
 *
 * Time is any clock in milliseconds that does not go back. Nothing is allocated after
 * hf_xfer_new(). One thread at a time; callbacks must not call into the same job.
 */
#ifndef HF_XFER_XFER_H
#define HF_XFER_XFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "crypto/sm3.h"
#include "xfer/pace.h"
#include "xfer/source.h"

enum {
	HF_XFER_REQUESTS_MAX = 256,
	HF_XFER_SOURCES_MAX = 64,
	HF_XFER_CHUNK_MAX = 16 * 1024 * 1024, /* the longest chunk a package may have */
};

/* One chunk as the package's table has it. */
struct hf_xfer_chunk {
	uint8_t cid[HF_SM3_LEN]; /* tree-SM3 of the bytes */
	uint32_t pack;           /* number of the pack it lies in */
	uint64_t offset;         /* in the pack */
	uint32_t len;            /* 1 .. chunk_max; 0 of one that is there and none of the job's */
};

/* What the job asks of its caller. Both get ctx. */
struct hf_xfer_calls {
	/* Gives chunk index of the list; the same answer each time. A failure ends the job. */
	hf_err (*chunk_get)(void *ctx, struct hf_xfer_chunk *out, uint32_t index);
	/* Takes a checked chunk; the bytes are borrowed. A failure (disk full) ends the job. */
	hf_err (*chunk_done)(void *ctx, uint32_t index, const uint8_t *bytes, size_t len);
	void *ctx;
};

struct hf_xfer_config {
	const struct hf_mem *mem;
	const struct hf_rng *rng; /* used once, to seed the spreading of retries */
	struct hf_xfer_calls calls;
	uint32_t n_chunks;
	const uint8_t *have; /* bitmap, bit 0 of byte 0 is chunk 0: already there; NULL: nothing */
	uint32_t chunk_max;  /* longest chunk; one buffer of this size a request */
	uint32_t run_max;    /* neighbouring chunks up to this many bytes make one request */
	uint32_t max_requests;   /* at a time, over all sources: 1 .. HF_XFER_REQUESTS_MAX */
	uint32_t max_per_source; /* at a time: 1 .. max_requests */
	uint32_t max_sources;    /* ever: 1 .. HF_XFER_SOURCES_MAX */
	uint32_t max_hedges;     /* second requests for late chunks at a time; 0: never */
	uint32_t stall_ms;       /* a request without a byte for so long is given up; not 0 */
	uint32_t late_ms;        /* a source without history is late after this; not 0 */
	uint32_t miss_ms;        /* a source that lacked a chunk is asked again after this; not 0 */
	uint64_t rate;           /* bytes a second without windows; 0: no limit */
	const struct hf_pace_window *windows; /* copied */
	size_t n_windows;
};

enum hf_xfer_what {
	HF_XFER_GET,    /* ask the source for len bytes of the pack at offset */
	HF_XFER_CANCEL, /* give the request up; its id is gone, further bytes of it are refused */
};

struct hf_xfer_request {
	enum hf_xfer_what what;
	uint64_t id; /* never given twice by one job */
	uint32_t source;
	uint32_t first; /* chunk index */
	uint32_t n_chunks;
	uint32_t pack;
	uint64_t offset;
	uint64_t len;
};

enum hf_xfer_state {
	HF_XFER_RUNNING,
	HF_XFER_DONE,
	HF_XFER_WAITING,       /* for a source to come out of its back-off, or for the rate limit */
	HF_XFER_PARKED_SOURCE, /* no source is there */
	HF_XFER_PARKED_MISSING, /* sources are there, but none has what is still needed */
	HF_XFER_PARKED_WINDOW,  /* outside the windows of the day */
	HF_XFER_FAILED,         /* a callback failed; see hf_xfer_next */
};

struct hf_xfer_progress {
	enum hf_xfer_state state;
	uint32_t n_chunks;
	uint32_t n_done;
	uint64_t bytes_all;
	uint64_t bytes_done;  /* checked and handed over; never goes back */
	uint64_t bytes_twice; /* thrown away: unfinished chunks, lost races, wrong bytes */
	uint64_t n_lost;      /* requests that ended before their last byte */
	uint64_t n_hedges;
	uint64_t rate;   /* bytes a second, smoothed */
	uint64_t eta_ms; /* UINT64_MAX: unknown */
	uint32_t n_in_flight;
};

struct hf_xfer;

/*
 * A job; end it with hf_xfer_free(). Reads every chunk of the list once. HF_ERR_ARG: a limit is out
 * of its range. HF_ERR_FORMAT: the list has an empty chunk or one above chunk_max.
 * HF_ERR_SELF_TEST: the cryptographic module is not ready.
 */
HF_MUST_USE hf_err hf_xfer_new(
	struct hf_xfer **out, const struct hf_xfer_config *config, uint64_t now_ms);

/* NULL is accepted. */
void hf_xfer_free(struct hf_xfer *x);

/*
 * A source is there, for the first time or again; the caller chose id. What was learned of it
 * before holds on, a ban too. HF_ERR_LIMIT: max_sources.
 */
HF_MUST_USE hf_err hf_xfer_source_add(
	struct hf_xfer *x, uint32_t id, enum hf_source_kind kind, uint16_t cost, uint64_t now_ms);

/* The source is gone, and all its requests with it; they are not cancelled one by one. */
void hf_xfer_source_lost(struct hf_xfer *x, uint32_t id, uint64_t now_ms);

/* Where now_ms lies in the local day, for the windows: now_ms + day_ms is time since a midnight. */
void hf_xfer_day_set(struct hf_xfer *x, uint64_t day_ms);

/* New rate outside windows, in bytes a second; 0: no limit. HF_ERR_ARG: absurdly high. */
HF_MUST_USE hf_err hf_xfer_rate_set(struct hf_xfer *x, uint64_t rate);

/*
 * What should be done now. HF_ERR_AGAIN: nothing; call again at hf_xfer_deadline() or after an
 * event. HF_ERR_CLOSED: every chunk is there and nothing is left to cancel. Any other code is that
 * of a callback that failed: the job is over, and what it handed over stays good.
 */
HF_MUST_USE hf_err hf_xfer_next(struct hf_xfer *x, struct hf_xfer_request *out, uint64_t now_ms);

/*
 * The next bytes of an answer, split in any way. HF_ERR_NOT_FOUND: no such request (any more); drop
 * the bytes, a HF_XFER_CANCEL is on its way. HF_ERR_AUTH: a chunk was wrong; HF_ERR_LIMIT: more
 * bytes than asked for; in both cases the request is gone and the caller ends it. Any other code:
 * chunk_done failed, the job is over.
 */
HF_MUST_USE hf_err hf_xfer_data(
	struct hf_xfer *x, uint64_t id, const uint8_t *bytes, size_t len, uint64_t now_ms);

/*
 * The answer ended in an orderly way; every request must end with this, hf_xfer_fail() or a
 * HF_XFER_CANCEL. HF_ERR_TRUNCATED: it was too short, which counts as a failure of the source.
 * HF_ERR_NOT_FOUND: no such request; no HF_XFER_CANCEL follows for it.
 */
HF_MUST_USE hf_err hf_xfer_end(struct hf_xfer *x, uint64_t id, uint64_t now_ms);

/*
 * The request failed, and is gone. why: HF_ERR_NOT_FOUND: the source lacks the bytes;
 * HF_ERR_CLOSED: not the source's fault; anything else: it failed. An unknown id is ignored.
 */
void hf_xfer_fail(struct hf_xfer *x, uint64_t id, hf_err why, uint64_t now_ms);

/* When to call hf_xfer_next() at the latest; UINT64_MAX: only after an event. */
uint64_t hf_xfer_deadline(const struct hf_xfer *x);

bool hf_xfer_is_done(const struct hf_xfer *x);

/*
 * Chunks from index on are asked for before others, until another wish; one that is there or under
 * way is no wish. For a cache whose own reader waits in the middle.
 */
void hf_xfer_prefer(struct hf_xfer *x, uint32_t index);

/* True if chunk index was there from the start or has been handed over. */
bool hf_xfer_has(const struct hf_xfer *x, uint32_t index);

void hf_xfer_progress_get(const struct hf_xfer *x, struct hf_xfer_progress *out, uint64_t now_ms);

/* What is known of the n-th source in order of arrival; false beyond the last. */
bool hf_xfer_source_get(const struct hf_xfer *x, struct hf_source_stats *out, uint32_t n);

#endif
