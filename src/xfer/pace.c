/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Token bucket in thousandths of a byte, so that rate * milliseconds is exact. Invariant:
 * milli_bytes <= burst * 1000, and burst is so small that nothing here overflows.
 */
#include "xfer/pace.h"

enum {
	MINUTE_MS = 60 * 1000,
	DAY_MS = HF_PACE_DAY_MIN * MINUTE_MS,
};

static const uint64_t PACE_MAX = UINT64_C(1) << 50; /* bytes, and bytes a second */

hf_err hf_pace_init(struct hf_pace *p, uint64_t rate, uint64_t burst,
	const struct hf_pace_window *windows, size_t n_windows)
{
	if (n_windows > HF_PACE_WINDOWS_MAX || burst == 0 || burst > PACE_MAX || rate > PACE_MAX)
		return HF_ERR_ARG;
	for (size_t i = 0; i < n_windows; i++)
		if (windows[i].from_min >= HF_PACE_DAY_MIN ||
			windows[i].to_min >= HF_PACE_DAY_MIN || windows[i].rate > PACE_MAX)
			return HF_ERR_ARG;

	*p = (struct hf_pace){ .rate = rate, .burst = burst, .milli_bytes = burst * 1000 };
	for (size_t i = 0; i < n_windows; i++)
		p->windows[i] = windows[i];
	p->n_windows = n_windows;
	return HF_OK;
}

void hf_pace_day_set(struct hf_pace *p, uint64_t day_ms)
{
	p->day_ms = day_ms % DAY_MS;
}

hf_err hf_pace_rate_set(struct hf_pace *p, uint64_t rate)
{
	if (rate > PACE_MAX)
		return HF_ERR_ARG;
	p->rate = rate;
	return HF_OK;
}

static uint64_t day_time(const struct hf_pace *p, uint64_t now_ms)
{
	return (now_ms % DAY_MS + p->day_ms) % DAY_MS;
}

/* The window that now lies in, or NULL. */
static const struct hf_pace_window *window_at(const struct hf_pace *p, uint64_t now_ms)
{
	uint64_t minute = day_time(p, now_ms) / MINUTE_MS;

	for (size_t i = 0; i < p->n_windows; i++) {
		const struct hf_pace_window *w = &p->windows[i];
		bool from = minute >= w->from_min;
		bool to = minute < w->to_min;

		if (w->from_min == w->to_min || (w->from_min < w->to_min ? from && to : from || to))
			return w;
	}
	return NULL;
}

bool hf_pace_is_shut(const struct hf_pace *p, uint64_t now_ms)
{
	return p->n_windows > 0 && window_at(p, now_ms) == NULL;
}

/* When the next window opens, for a time that lies in none. */
static uint64_t opens_at(const struct hf_pace *p, uint64_t now_ms)
{
	uint64_t at = day_time(p, now_ms);
	uint64_t soonest = UINT64_MAX;

	for (size_t i = 0; i < p->n_windows; i++) {
		uint64_t from = (uint64_t)p->windows[i].from_min * MINUTE_MS;
		uint64_t wait = (from + DAY_MS - at) % DAY_MS;

		if (wait < soonest)
			soonest = wait;
	}
	return soonest > UINT64_MAX - now_ms ? UINT64_MAX : now_ms + soonest;
}

static void fill_up(struct hf_pace *p, uint64_t rate, uint64_t now_ms)
{
	uint64_t room = p->burst * 1000 - p->milli_bytes;
	uint64_t passed = now_ms > p->filled_ms ? now_ms - p->filled_ms : 0;

	if (passed > room / rate)
		p->milli_bytes += room;
	else
		p->milli_bytes += passed * rate;
	p->filled_ms = now_ms;
}

uint64_t hf_pace_when(struct hf_pace *p, uint64_t len, uint64_t now_ms)
{
	const struct hf_pace_window *w = window_at(p, now_ms);
	uint64_t rate = w != NULL ? w->rate : p->rate;
	uint64_t need;

	if (p->n_windows > 0 && w == NULL)
		return opens_at(p, now_ms);
	if (rate == 0) {
		p->filled_ms = now_ms;
		return now_ms;
	}
	fill_up(p, rate, now_ms);
	need = (len > p->burst ? p->burst : len) * 1000;
	if (need <= p->milli_bytes)
		return now_ms;
	return now_ms + (need - p->milli_bytes + rate - 1) / rate;
}

void hf_pace_spend(struct hf_pace *p, uint64_t len)
{
	p->milli_bytes = len >= p->milli_bytes / 1000 ? 0 : p->milli_bytes - len * 1000;
}

void hf_pace_refund(struct hf_pace *p, uint64_t len)
{
	uint64_t room = p->burst * 1000 - p->milli_bytes;

	p->milli_bytes += len > room / 1000 ? room : len * 1000;
}
