/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of one request. At most two requests carry the same chunk (the second one is a hedge),
 * and whichever finishes it first drops the other; so no chunk is handed over twice.
 */
#include "xfer/slot.h"

#include <string.h>

#include "crypto/tree.h"

enum {
	LATE_FACTOR = 4, /* times the expected time: late */
	LATE_MIN_MS = 500,
	RATE_STEP_MS = 500, /* the job's rate is measured over this long */
};

uint32_t hf_job_jitter(struct hf_xfer *x)
{
	/* A linear generator is enough to spread retries; its high bits are the good ones. */
	x->jitter = x->jitter * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(x->jitter >> 32);
}

struct slot *hf_slot_find(struct hf_xfer *x, uint64_t id)
{
	for (uint32_t i = 0; i < x->config.max_requests; i++) {
		struct slot *s = &x->slots[i];

		if (s->id == id && (s->state == SLOT_LIVE || s->state == SLOT_TAIL))
			return s;
	}
	return NULL;
}

void hf_slot_forget(struct hf_xfer *x, uint64_t id)
{
	for (uint32_t i = 0; i < x->config.max_requests; i++)
		if (x->slots[i].id == id && x->slots[i].state == SLOT_DROPPED)
			x->slots[i].state = SLOT_FREE;
}

struct slot *hf_slot_free_one(struct hf_xfer *x)
{
	for (uint32_t i = 0; i < x->config.max_requests; i++)
		if (x->slots[i].state == SLOT_FREE)
			return &x->slots[i];
	return NULL;
}

static void arm_late(const struct hf_xfer *x, struct slot *s, uint64_t now_ms)
{
	uint64_t expects = hf_source_expects_ms(s->source, s->left);
	uint64_t ms = x->config.late_ms;

	if (expects != 0 && expects * LATE_FACTOR < ms)
		ms = expects * LATE_FACTOR;
	if (expects != 0 && ms < LATE_MIN_MS)
		ms = LATE_MIN_MS;
	s->is_late = false;
	s->late_at = now_ms + ms;
}

void hf_slot_begin(struct hf_xfer *x, struct slot *s, const struct plan *p, uint64_t now_ms)
{
	uint8_t *buf = s->buf;

	*s = (struct slot){ .state = SLOT_LIVE, .buf = buf };
	s->id = x->next_id++;
	s->source = p->source;
	s->source_id = p->source->stats.id;
	s->first = p->first;
	s->cur = p->first;
	s->end = p->end;
	s->chunk = p->chunk;
	s->len = p->len;
	s->left = p->len;
	s->begun_ms = now_ms;
	s->last_ms = now_ms;
	arm_late(x, s, now_ms);
	s->source->stats.n_in_flight++;
	hf_pace_spend(&x->pace, s->len);
	if (p->hedged != NULL) {
		p->hedged->is_hedged = true;
		s->is_hedge = true;
		x->n_hedges++;
		return;
	}
	for (uint32_t i = s->first; i < s->end; i++)
		bit_set(x->busy, i);
	x->n_wanted -= s->end - s->first;
	if (x->hint == s->first)
		x->hint = s->end;
}

static bool is_carried(const struct hf_xfer *x, uint32_t index)
{
	for (uint32_t i = 0; i < x->config.max_requests; i++) {
		const struct slot *s = &x->slots[i];

		if (s->state == SLOT_LIVE && s->cur <= index && index < s->end)
			return true;
	}
	return false;
}

static void want_again(struct hf_xfer *x, uint32_t index)
{
	if (!bit_has(x->busy, index) || is_carried(x, index))
		return;
	bit_unset(x->busy, index);
	x->n_wanted++;
	if (index < x->hint)
		x->hint = index;
}

void hf_slot_lose(struct hf_xfer *x, struct slot *s, bool is_known)
{
	bool was_live = s->state == SLOT_LIVE;

	x->bytes_twice += s->got;
	s->source->stats.bytes_twice += s->got;
	s->source->stats.n_in_flight--;
	hf_pace_refund(&x->pace, s->left);
	s->source = NULL;
	s->state = is_known ? SLOT_FREE : SLOT_DROPPED;
	if (!was_live)
		return;
	x->n_lost++;
	for (uint32_t i = s->cur; i < s->end; i++)
		want_again(x, i);
}

void hf_slot_finish(struct hf_xfer *x, struct slot *s)
{
	(void)x;
	s->source->stats.n_in_flight--;
	s->source = NULL;
	s->state = SLOT_FREE;
}

void hf_slot_lose_source(struct hf_xfer *x, const struct hf_source *source, bool is_known)
{
	for (uint32_t i = 0; i < x->config.max_requests; i++) {
		struct slot *s = &x->slots[i];

		if (s->source == source && (s->state == SLOT_LIVE || s->state == SLOT_TAIL))
			hf_slot_lose(x, s, is_known);
	}
}

static void too_slow(struct hf_xfer *x, struct slot *s, uint64_t now_ms)
{
	s->source->stats.n_slow++;
	hf_source_failed(s->source, s->begun_ms, hf_job_jitter(x), now_ms);
}

/* The slot has just handed over its current chunk: who else fetches it has lost the race. */
static void drop_losers(struct hf_xfer *x, const struct slot *winner, uint64_t now_ms)
{
	for (uint32_t i = 0; i < x->config.max_requests; i++) {
		struct slot *s = &x->slots[i];

		if (s == winner || s->state != SLOT_LIVE || s->cur > winner->cur ||
			s->end <= winner->cur)
			continue;
		if (s->is_late)
			too_slow(x, s, now_ms);
		hf_slot_lose(x, s, false);
	}
}

static void count_kept(struct hf_xfer *x, struct slot *s, uint64_t now_ms)
{
	struct hf_source_sample sample = { .first_ms = UINT64_MAX, .len = s->chunk.len };
	uint64_t passed;

	sample.took_ms = now_ms - s->chunk_ms;
	if (s->cur == s->first)
		sample.first_ms = s->chunk_ms - s->begun_ms;
	hf_source_good(s->source, &sample);
	s->source->stats.n_chunks++;
	s->source->stats.bytes_kept += s->chunk.len;

	x->n_done++;
	x->bytes_done += s->chunk.len;
	x->rate_bytes += s->chunk.len;
	passed = now_ms - x->rate_ms;
	if (passed < RATE_STEP_MS)
		return;
	passed = x->rate_bytes * 1000 / passed;
	x->rate = x->rate == 0 ? passed : x->rate - x->rate / 4 + passed / 4;
	x->rate_bytes = 0;
	x->rate_ms = now_ms;
}

/* The current chunk is whole: checks it, hands it over and goes to the next one. */
static hf_err chunk_full(struct hf_xfer *x, struct slot *s, const uint8_t *bytes, uint64_t now_ms)
{
	uint8_t cid[HF_SM3_LEN];

	hf_tree_sm3(cid, bytes, s->chunk.len);
	if (memcmp(cid, s->chunk.cid, sizeof(cid)) != 0)
		return HF_ERR_AUTH;
	HF_TRY(x->config.calls.chunk_done(x->config.calls.ctx, s->cur, bytes, s->chunk.len));

	bit_set(x->done, s->cur);
	bit_unset(x->busy, s->cur);
	s->got = 0;
	count_kept(x, s, now_ms);
	drop_losers(x, s, now_ms);
	/* A slow request that still finished its chunk first may be hedged once more. */
	s->is_hedged = false;
	s->cur++;
	s->chunk_ms = now_ms;
	if (s->cur < s->end) {
		arm_late(x, s, now_ms);
		return x->config.calls.chunk_get(x->config.calls.ctx, &s->chunk, s->cur);
	}
	s->state = SLOT_TAIL;
	hf_source_answered(s->source, s->len, now_ms - s->begun_ms, x->config.max_per_source);
	return HF_OK;
}

/* Wrong bytes: the source is out for good, and whatever else it is bringing with it. */
static void ban(struct hf_xfer *x, struct slot *s)
{
	struct hf_source *source = s->source;

	hf_source_ban(source);
	hf_slot_lose(x, s, true);
	hf_slot_lose_source(x, source, false);
}

/* Takes bytes up to the end of the current chunk. */
static hf_err feed_chunk(
	struct hf_xfer *x, struct slot *s, const uint8_t *bytes, size_t len, uint64_t now_ms)
{
	const uint8_t *whole = s->buf;
	hf_err e;

	if (s->left == s->len)
		s->chunk_ms = now_ms;
	/* A chunk that comes in one piece is checked where it lies. */
	if (len == s->chunk.len)
		whole = bytes;
	else
		memcpy(s->buf + s->got, bytes, len);
	s->got += (uint32_t)len;
	s->left -= len;
	if (s->got < s->chunk.len)
		return HF_OK;
	e = chunk_full(x, s, whole, now_ms);
	if (e != HF_OK && e != HF_ERR_AUTH)
		x->failed = e;
	return e;
}

hf_err hf_slot_feed(
	struct hf_xfer *x, struct slot *s, const uint8_t *bytes, size_t len, uint64_t now_ms)
{
	while (len > 0) {
		size_t n = len;
		hf_err e;

		if (s->state == SLOT_TAIL) {
			/* More than was asked for: it does not do ranges, or has no end. */
			hf_source_quarantine(s->source, hf_job_jitter(x), now_ms);
			s->source->stats.n_fails++;
			hf_slot_lose(x, s, true);
			return HF_ERR_LIMIT;
		}
		if (n > s->chunk.len - s->got)
			n = s->chunk.len - s->got;
		s->last_ms = now_ms;
		e = feed_chunk(x, s, bytes, n, now_ms);
		if (e == HF_ERR_AUTH)
			ban(x, s);
		if (e != HF_OK)
			return e;
		bytes += n;
		len -= n;
	}
	return HF_OK;
}

void hf_slot_tick(struct hf_xfer *x, uint64_t now_ms)
{
	for (uint32_t i = 0; i < x->config.max_requests; i++) {
		struct slot *s = &x->slots[i];

		if (s->state != SLOT_LIVE && s->state != SLOT_TAIL)
			continue;
		if (now_ms - s->last_ms >= x->config.stall_ms) {
			too_slow(x, s, now_ms);
			hf_slot_lose(x, s, false);
			continue;
		}
		if (s->state == SLOT_LIVE && !s->is_late && now_ms >= s->late_at) {
			hf_source_late(s->source, s->begun_ms, now_ms);
			s->is_late = true;
		}
	}
}
