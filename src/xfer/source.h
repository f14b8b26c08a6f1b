/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a job knows of one source: whether it may be asked now, for how much at a time, and how long
 * an answer should take. Life of a source:
 *
 *   up --failure--> backing off --5 in a row--> quarantine --time--> probation --answer--> up
 *   any --wrong bytes--> banned, for the rest of the job
 *
 * The number of requests at a time is AIMD: one more a window of answers, half at a failure.
 */
#ifndef HF_XFER_SOURCE_H
#define HF_XFER_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hf_source_kind {
	HF_SOURCE_LAN,
	HF_SOURCE_EDGE,
	HF_SOURCE_HUB,
};

struct hf_source_stats {
	uint32_t id;
	enum hf_source_kind kind;
	uint16_t cost;
	bool is_up;
	bool is_banned;       /* it sent wrong bytes */
	uint64_t not_before;  /* not asked before this time */
	uint32_t window;      /* requests it may have at a time */
	uint32_t n_in_flight; /* requests it has */
	uint32_t health;      /* 0 .. 1024, smoothed share of good answers */
	uint64_t rate;        /* bytes a second of one request, smoothed; 0: unknown */
	uint64_t n_chunks;    /* chunks it gave that were kept */
	uint64_t bytes_kept;
	uint64_t bytes_twice; /* bytes it gave that were thrown away */
	uint64_t n_fails;
	uint64_t n_late;
	uint64_t n_slow;        /* requests given up because they took too long */
	uint64_t n_quarantines; /* ever; a ban is none */
};

struct hf_source {
	struct hf_source_stats stats;
	uint32_t window_q8;     /* the AIMD window in 1/256 request */
	uint32_t fails_in_row;  /* since the last good chunk */
	uint32_t oks_in_row;    /* since the last failure */
	uint32_t quarantines;   /* how often, forgiven after many good chunks */
	bool is_probation;      /* out of quarantine: one request until it answers well */
	uint64_t failed_ms;     /* requests begun before this do not count as failures again */
	uint64_t late_ms;       /* the same for requests that are late */
	uint64_t first_ms;      /* smoothed time to the first byte */
	uint64_t best_first_ms; /* shortest seen */
	uint64_t best_rate;     /* highest seen */
	uint64_t misses_end;    /* when what it lacks is asked for again */
	uint64_t *misses;       /* bitmap: chunks it said it lacks; storage of the job */
	uint32_t n_misses;
};

/* How one chunk came. */
struct hf_source_sample {
	uint64_t first_ms; /* from the request to its first byte; UINT64_MAX: not measured */
	uint64_t took_ms;  /* from the first byte of the chunk to its last */
	uint64_t len;
};

/* Starts a source that was never seen. misses stays as it is. */
void hf_source_init(struct hf_source *s, uint32_t id, enum hf_source_kind kind, uint16_t cost);

/* True if requests may go to it at this time, were there room. */
bool hf_source_is_usable(const struct hf_source *s, uint64_t now_ms);

/* True if it may get one request more. window_max: the job's limit for one source. */
bool hf_source_has_room(const struct hf_source *s, uint32_t window_max);

/* Milliseconds that len bytes should take, from its own history; 0: no history. */
uint64_t hf_source_expects_ms(const struct hf_source *s, uint64_t len);

/* A chunk came and was right. */
void hf_source_good(struct hf_source *s, const struct hf_source_sample *sample);

/* A whole request is answered; it took took_ms for len bytes. The window may grow. */
void hf_source_answered(struct hf_source *s, uint64_t len, uint64_t took_ms, uint32_t window_max);

/*
 * A request begun at begun_ms failed. Backs off, or goes into quarantine after too many.
 * jitter is random; it spreads the return over the second half of the time.
 */
void hf_source_failed(struct hf_source *s, uint64_t begun_ms, uint32_t jitter, uint64_t now_ms);

/* A request begun at begun_ms is late by the source's own measure. */
void hf_source_late(struct hf_source *s, uint64_t begun_ms, uint64_t now_ms);

/* Not asked for a time that doubles with each quarantine. */
void hf_source_quarantine(struct hf_source *s, uint32_t jitter, uint64_t now_ms);

/* Never asked again. */
void hf_source_ban(struct hf_source *s);

#endif
