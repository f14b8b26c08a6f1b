/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast a job may ask for bytes: a token bucket and windows of the day. Bytes are paid for when
 * they are asked for and given back when they do not come.
 */
#ifndef HF_XFER_PACE_H
#define HF_XFER_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	HF_PACE_WINDOWS_MAX = 8,
	HF_PACE_DAY_MIN = 24 * 60,
};

/* A part of the day, in minutes after local midnight. from == to: all day; from > to: over
 * midnight. */
struct hf_pace_window {
	uint16_t from_min; /* below HF_PACE_DAY_MIN */
	uint16_t to_min;   /* below HF_PACE_DAY_MIN; not part of the window */
	uint64_t rate;     /* bytes a second; 0: no limit */
};

struct hf_pace {
	struct hf_pace_window windows[HF_PACE_WINDOWS_MAX];
	size_t n_windows;
	uint64_t rate;        /* where there are no windows; 0: no limit */
	uint64_t day_ms;      /* now_ms + day_ms is a time since some local midnight */
	uint64_t burst;       /* bytes the bucket holds */
	uint64_t milli_bytes; /* what is in the bucket, in 1/1000 byte */
	uint64_t filled_ms;   /* when it was last filled up */
};

/*
 * A full bucket. Without windows, rate holds all day; with windows, outside them nothing goes.
 * burst is the most that is asked for at once. HF_ERR_ARG: too many windows, or no minute of a day.
 */
HF_MUST_USE hf_err hf_pace_init(struct hf_pace *p, uint64_t rate, uint64_t burst,
	const struct hf_pace_window *windows, size_t n_windows);

/* Says where now_ms lies in the local day: now_ms + day_ms is the time since a midnight. */
void hf_pace_day_set(struct hf_pace *p, uint64_t day_ms);

/* New rate where there are no windows. HF_ERR_ARG: absurdly high. */
HF_MUST_USE hf_err hf_pace_rate_set(struct hf_pace *p, uint64_t rate);

/* True if now lies in no window. */
bool hf_pace_is_shut(const struct hf_pace *p, uint64_t now_ms);

/*
 * When len bytes may be asked for: now_ms for at once, a later time, or UINT64_MAX for never.
 * len above the burst counts as the burst.
 */
uint64_t hf_pace_when(struct hf_pace *p, uint64_t len, uint64_t now_ms);

/* Takes len bytes out of the bucket (what is there, if less). */
void hf_pace_spend(struct hf_pace *p, uint64_t len);

/* Puts back len bytes that were paid for and did not come. */
void hf_pace_refund(struct hf_pace *p, uint64_t len);

#endif
