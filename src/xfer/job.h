/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of a transfer job, shared by xfer.c (life of a request) and plan.c (what to ask).
 *
 *  1. done: chunk was handed over. busy: a live request still has to bring it. Never both.
 *  2. n_wanted counts chunks that are neither; none of them lies below hint.
 *  3. A slot that is not free belongs to a source and counts in its n_in_flight until it is
 * dropped.
 */
#ifndef HF_XFER_JOB_H
#define HF_XFER_JOB_H

#include "xfer/xfer.h"

enum slot_state {
	SLOT_FREE,
	SLOT_LIVE,    /* bytes are still to come */
	SLOT_TAIL,    /* all bytes came; the end is still to come */
	SLOT_DROPPED, /* given up; the caller has not been told yet */
};

/* One request. */
struct slot {
	enum slot_state state;
	uint64_t id;
	struct hf_source *source; /* NULL once dropped */
	uint32_t source_id;
	uint32_t first;
	uint32_t end;               /* chunk after the last */
	uint32_t cur;               /* chunk whose bytes come now */
	struct hf_xfer_chunk chunk; /* that chunk */
	uint32_t got;               /* bytes of it in buf */
	uint64_t len;               /* bytes asked for */
	uint64_t left;              /* bytes that did not come yet */
	uint64_t begun_ms;
	uint64_t chunk_ms; /* when the current chunk began to come */
	uint64_t last_ms;  /* when a byte came */
	uint64_t late_at;
	bool is_late;
	bool is_hedge;  /* a second request for chunks that another one still has */
	bool is_hedged; /* such a second request was made */
	uint8_t *buf;   /* chunk_max bytes */
};

struct hf_xfer {
	struct hf_xfer_config config;
	struct hf_pace pace;
	uint64_t jitter; /* state of the generator that spreads retries */
	uint64_t next_id;
	uint64_t now_ms;  /* latest time seen */
	uint64_t pace_at; /* when the rate limit lets the next request through */
	hf_err failed;    /* a callback failed with this */
	uint64_t *done;
	uint64_t *busy;
	uint64_t *alone; /* chunks some source lacked: asked for one by one, not in a run */
	size_t n_words;
	uint32_t n_wanted;
	uint32_t hint;
	uint32_t prefer; /* chunks from here on come first; 0: no wish */
	uint32_t n_done;
	uint32_t n_none; /* of them: chunks without bytes */
	struct slot *slots;
	struct hf_source *sources;
	uint32_t n_sources;
	uint64_t bytes_all;
	uint64_t bytes_done;
	uint64_t bytes_twice;
	uint64_t n_lost;
	uint64_t n_hedges;
	uint64_t rate;       /* bytes a second, smoothed */
	uint64_t rate_bytes; /* came since rate_ms */
	uint64_t rate_ms;
};

static inline bool bit_has(const uint64_t *map, uint32_t i)
{
	return (map[i / 64] >> (i % 64) & 1) != 0;
}

static inline void bit_set(uint64_t *map, uint32_t i)
{
	map[i / 64] |= UINT64_C(1) << (i % 64);
}

static inline void bit_unset(uint64_t *map, uint32_t i)
{
	map[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

/* A run of chunks that a source should be asked for. */
struct plan {
	struct hf_source *source;
	uint32_t first;
	uint32_t end;
	struct hf_xfer_chunk chunk; /* the first one */
	uint64_t len;
	struct slot *hedged; /* the request that is late; NULL: chunks nobody is fetching */
};

/* HF_ERR_AGAIN: nothing can be asked now. Other failures are those of chunk_get. */
HF_MUST_USE hf_err hf_plan_make(const struct hf_xfer *x, struct plan *out, uint64_t now_ms);

#endif
