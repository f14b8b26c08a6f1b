/* SPDX-License-Identifier: Apache-2.0 */
/* Health, window and back-off of one source. All arithmetic saturates far below overflow. */
#include "xfer/source.h"

enum {
	WINDOW_START = 4 << 8, /* 1/256 requests: a start that finds a fast LAN at once */
	WINDOW_MIN = 1 << 8,
	HEALTH_MAX = 1024,
	BACKOFF_MS = 250, /* after the first failure; doubles */
	BACKOFF_MAX_MS = 60 * 1000,
	FAILS_MAX = 5, /* in a row: quarantine */
	QUARANTINE_MS = 10 * 1000,
	QUARANTINE_MAX_MS = 10 * 60 * 1000,
	FORGIVE_CHUNKS = 64, /* good chunks in a row that wipe out old quarantines */
	QUEUE_FACTOR = 3,    /* slower than this times its best: more requests only queue up */
	QUEUE_SLACK_MS = 20,
};

void hf_source_init(struct hf_source *s, uint32_t id, enum hf_source_kind kind, uint16_t cost)
{
	uint64_t *misses = s->misses;

	*s = (struct hf_source){ .misses = misses, .window_q8 = WINDOW_START };
	s->stats.id = id;
	s->stats.kind = kind;
	s->stats.cost = cost;
	s->stats.is_up = true;
	s->stats.health = HEALTH_MAX / 2;
	s->stats.window = WINDOW_START >> 8;
}

bool hf_source_is_usable(const struct hf_source *s, uint64_t now_ms)
{
	return s->stats.is_up && !s->stats.is_banned && now_ms >= s->stats.not_before;
}

bool hf_source_has_room(const struct hf_source *s, uint32_t window_max)
{
	uint32_t window = s->is_probation ? 1 : s->window_q8 >> 8;

	return s->stats.n_in_flight < (window < window_max ? window : window_max);
}

uint64_t hf_source_expects_ms(const struct hf_source *s, uint64_t len)
{
	if (s->stats.rate == 0)
		return 0;
	return s->first_ms + len * 1000 / s->stats.rate + 1;
}

/* An eighth of the way towards the new value; the first value is taken as it is. */
static uint64_t smooth(uint64_t old, uint64_t now, bool is_first)
{
	return is_first ? now : old - old / 8 + now / 8;
}

void hf_source_good(struct hf_source *s, const struct hf_source_sample *sample)
{
	uint64_t rate = sample->len * 1000 / (sample->took_ms + 1) + 1;

	if (sample->first_ms != UINT64_MAX) {
		bool is_first = s->stats.rate == 0;

		if (is_first || sample->first_ms < s->best_first_ms)
			s->best_first_ms = sample->first_ms;
		s->first_ms = smooth(s->first_ms, sample->first_ms, is_first);
	}
	s->stats.rate = smooth(s->stats.rate, rate, s->stats.rate == 0);
	if (s->stats.rate == 0)
		s->stats.rate = 1;
	if (rate > s->best_rate)
		s->best_rate = rate;
	s->stats.health += (HEALTH_MAX - s->stats.health + 7) / 8;
	s->fails_in_row = 0;
	s->is_probation = false;
	if (++s->oks_in_row >= FORGIVE_CHUNKS) {
		s->oks_in_row = 0;
		s->quarantines = 0;
	}
}

void hf_source_answered(struct hf_source *s, uint64_t len, uint64_t took_ms, uint32_t window_max)
{
	uint64_t best_ms = s->best_first_ms + len * 1000 / (s->best_rate + 1);
	bool was_full = (s->stats.n_in_flight + 1) << 8 >= s->window_q8;

	/* More requests at a time only while they come as fast as single ones: goodput, not queue.
	 */
	if (!was_full || took_ms > QUEUE_FACTOR * best_ms + QUEUE_SLACK_MS)
		return;
	s->window_q8 += (256 * 256) / s->window_q8;
	if (s->window_q8 > window_max << 8)
		s->window_q8 = window_max << 8;
	s->stats.window = s->window_q8 >> 8;
}

static void shrink(struct hf_source *s)
{
	s->window_q8 /= 2;
	if (s->window_q8 < WINDOW_MIN)
		s->window_q8 = WINDOW_MIN;
	s->stats.window = s->window_q8 >> 8;
	s->stats.health -= s->stats.health / 4;
	s->oks_in_row = 0;
}

/* first_ms doubled steps times, at most max_ms; then the second half of it by chance. */
static uint64_t backoff(uint64_t first_ms, uint32_t steps, uint64_t max_ms, uint32_t jitter)
{
	uint64_t ms = first_ms << (steps < 16 ? steps : 16);

	if (ms > max_ms)
		ms = max_ms;
	return ms / 2 + jitter % (ms / 2 + 1);
}

void hf_source_failed(struct hf_source *s, uint64_t begun_ms, uint32_t jitter, uint64_t now_ms)
{
	s->stats.n_fails++;
	/* A dying connection takes all its requests along; that is one failure, not many. */
	if (s->failed_ms != 0 && begun_ms <= s->failed_ms)
		return;
	s->failed_ms = now_ms;
	shrink(s);
	s->fails_in_row++;
	if (s->fails_in_row >= FAILS_MAX || s->is_probation) {
		hf_source_quarantine(s, jitter, now_ms);
		return;
	}
	s->stats.not_before =
		now_ms + backoff(BACKOFF_MS, s->fails_in_row - 1, BACKOFF_MAX_MS, jitter);
}

void hf_source_late(struct hf_source *s, uint64_t begun_ms, uint64_t now_ms)
{
	s->stats.n_late++;
	if (s->late_ms != 0 && begun_ms <= s->late_ms)
		return;
	s->late_ms = now_ms;
	shrink(s);
}

void hf_source_quarantine(struct hf_source *s, uint32_t jitter, uint64_t now_ms)
{
	s->stats.not_before =
		now_ms + backoff(QUARANTINE_MS, s->quarantines, QUARANTINE_MAX_MS, jitter);
	s->quarantines++;
	s->stats.n_quarantines++;
	s->fails_in_row = 0;
	s->oks_in_row = 0;
	s->is_probation = true;
}

void hf_source_ban(struct hf_source *s)
{
	s->stats.is_banned = true;
	s->stats.health = 0;
}
