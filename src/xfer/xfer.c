/* SPDX-License-Identifier: Apache-2.0 */
/* The public face of a transfer job: making it, sources, what to do next, how far it is. */
#include "xfer/xfer.h"

#include <string.h>

#include "base/endian.h"
#include "crypto/module.h"
#include "xfer/job.h"
#include "xfer/slot.h"

enum { RATE_OLD_MS = 2000 }; /* a rate is no longer true after this long without a chunk */

static hf_err check_config(const struct hf_xfer_config *c)
{
	bool is_good = c->mem != NULL && c->rng != NULL && c->calls.chunk_get != NULL &&
		       c->calls.chunk_done != NULL && c->n_chunks > 0;

	is_good = is_good && c->chunk_max > 0 && c->chunk_max <= HF_XFER_CHUNK_MAX;
	is_good = is_good && c->max_requests > 0 && c->max_requests <= HF_XFER_REQUESTS_MAX;
	is_good = is_good && c->max_per_source > 0 && c->max_per_source <= c->max_requests;
	is_good = is_good && c->max_sources > 0 && c->max_sources <= HF_XFER_SOURCES_MAX;
	is_good = is_good && c->stall_ms > 0 && c->late_ms > 0 && c->miss_ms > 0;
	return is_good ? HF_OK : HF_ERR_ARG;
}

static hf_err job_alloc(struct hf_xfer *x)
{
	const struct hf_xfer_config *c = &x->config;

	x->n_words = (size_t)c->n_chunks / 64 + (c->n_chunks % 64 != 0);
	x->done = hf_mem_array(c->mem, x->n_words, sizeof(*x->done));
	x->busy = hf_mem_array(c->mem, x->n_words, sizeof(*x->busy));
	x->alone = hf_mem_array(c->mem, x->n_words, sizeof(*x->alone));
	x->slots = hf_mem_array(c->mem, c->max_requests, sizeof(*x->slots));
	x->sources = hf_mem_array(c->mem, c->max_sources, sizeof(*x->sources));
	if (x->done == NULL || x->busy == NULL || x->alone == NULL || x->slots == NULL ||
		x->sources == NULL)
		return HF_ERR_NO_MEMORY;
	for (uint32_t i = 0; i < c->max_sources; i++) {
		x->sources[i].misses =
			hf_mem_array(c->mem, x->n_words, sizeof(*x->sources[i].misses));
		if (x->sources[i].misses == NULL)
			return HF_ERR_NO_MEMORY;
	}
	return HF_OK;
}

/* Looks at every chunk of the list once: lengths are right, and what is there already. */
static hf_err job_fill(struct hf_xfer *x)
{
	const struct hf_xfer_config *c = &x->config;

	for (uint32_t i = 0; i < c->n_chunks; i++) {
		struct hf_xfer_chunk chunk;

		bool is_there = c->have != NULL && (c->have[i / 8] >> (i % 8) & 1) != 0;

		HF_TRY(c->calls.chunk_get(c->calls.ctx, &chunk, i));
		if ((chunk.len == 0 && !is_there) || chunk.len > c->chunk_max ||
			chunk.offset > UINT64_MAX - chunk.len ||
			x->bytes_all > UINT64_MAX - chunk.len)
			return HF_ERR_FORMAT;
		x->bytes_all += chunk.len;
		if (!is_there)
			continue;
		bit_set(x->done, i);
		x->n_none += chunk.len == 0;
		x->bytes_done += chunk.len;
		x->n_done++;
	}
	x->n_wanted = c->n_chunks - x->n_done;
	x->config.have = NULL;
	x->config.windows = NULL;
	return HF_OK;
}

hf_err hf_xfer_new(struct hf_xfer **out, const struct hf_xfer_config *config, uint64_t now_ms)
{
	uint8_t seed[8] = { 0 };
	uint64_t burst;
	struct hf_xfer *x;
	hf_err e;

	HF_TRY(check_config(config));
	HF_TRY(hf_module_check());
	x = hf_mem_new(config->mem, sizeof(*x));
	if (x == NULL)
		return HF_ERR_NO_MEMORY;
	x->config = *config;
	x->now_ms = now_ms;
	x->rate_ms = now_ms;
	x->next_id = 1;

	burst = config->run_max > config->chunk_max ? config->run_max : config->chunk_max;
	e = hf_pace_init(&x->pace, config->rate, burst, config->windows, config->n_windows);
	if (e != HF_OK)
		goto out;
	e = hf_rng_fill(config->rng, seed, sizeof(seed));
	if (e != HF_OK)
		goto out;
	x->jitter = hf_get_be64(seed);
	e = job_alloc(x);
	if (e != HF_OK)
		goto out;
	e = job_fill(x);
	if (e != HF_OK)
		goto out;

	*out = x;
	x = NULL;
out:
	hf_xfer_free(x);
	return e;
}

void hf_xfer_free(struct hf_xfer *x)
{
	const struct hf_mem *mem;

	if (x == NULL)
		return;
	mem = x->config.mem;
	for (uint32_t i = 0; x->slots != NULL && i < x->config.max_requests; i++)
		hf_mem_free(mem, x->slots[i].buf);
	for (uint32_t i = 0; x->sources != NULL && i < x->config.max_sources; i++)
		hf_mem_free(mem, x->sources[i].misses);
	hf_mem_free(mem, x->slots);
	hf_mem_free(mem, x->sources);
	hf_mem_free(mem, x->done);
	hf_mem_free(mem, x->busy);
	hf_mem_free(mem, x->alone);
	hf_mem_free(mem, x);
}

static void see_time(struct hf_xfer *x, uint64_t now_ms)
{
	if (now_ms > x->now_ms)
		x->now_ms = now_ms;
}

static struct hf_source *source_find(struct hf_xfer *x, uint32_t id)
{
	for (uint32_t i = 0; i < x->n_sources; i++)
		if (x->sources[i].stats.id == id)
			return &x->sources[i];
	return NULL;
}

static void forget_misses(struct hf_xfer *x, struct hf_source *s)
{
	memset(s->misses, 0, x->n_words * sizeof(*s->misses));
	s->n_misses = 0;
}

hf_err hf_xfer_source_add(
	struct hf_xfer *x, uint32_t id, enum hf_source_kind kind, uint16_t cost, uint64_t now_ms)
{
	struct hf_source *s = source_find(x, id);

	see_time(x, now_ms);
	if (s == NULL) {
		if (x->n_sources == x->config.max_sources)
			return HF_ERR_LIMIT;
		s = &x->sources[x->n_sources++];
		hf_source_init(s, id, kind, cost);
	}
	s->stats.kind = kind;
	s->stats.cost = cost;
	s->stats.is_up = true;
	forget_misses(x, s);
	return HF_OK;
}

void hf_xfer_source_lost(struct hf_xfer *x, uint32_t id, uint64_t now_ms)
{
	struct hf_source *s = source_find(x, id);
	uint64_t oldest = UINT64_MAX;

	see_time(x, now_ms);
	if (s == NULL || !s->stats.is_up)
		return;
	s->stats.is_up = false;
	for (uint32_t i = 0; i < x->config.max_requests; i++)
		if (x->slots[i].source == s && x->slots[i].begun_ms < oldest)
			oldest = x->slots[i].begun_ms;
	/* One that dies with work in hand has failed; one that leaves idle has not. */
	if (oldest != UINT64_MAX)
		hf_source_failed(s, oldest, hf_job_jitter(x), x->now_ms);
	hf_slot_lose_source(x, s, true);
	/* Its cancelled requests went with the connection; the caller need not be told. */
	for (uint32_t i = 0; i < x->config.max_requests; i++)
		if (x->slots[i].state == SLOT_DROPPED && x->slots[i].source_id == id)
			x->slots[i].state = SLOT_FREE;
}

void hf_xfer_day_set(struct hf_xfer *x, uint64_t day_ms)
{
	hf_pace_day_set(&x->pace, day_ms);
}

hf_err hf_xfer_rate_set(struct hf_xfer *x, uint64_t rate)
{
	return hf_pace_rate_set(&x->pace, rate);
}

static bool next_cancel(struct hf_xfer *x, struct hf_xfer_request *out)
{
	for (uint32_t i = 0; i < x->config.max_requests; i++) {
		struct slot *s = &x->slots[i];

		if (s->state != SLOT_DROPPED)
			continue;
		*out = (struct hf_xfer_request){
			.what = HF_XFER_CANCEL, .id = s->id, .source = s->source_id
		};
		s->state = SLOT_FREE;
		return true;
	}
	return false;
}

static void tick(struct hf_xfer *x)
{
	hf_slot_tick(x, x->now_ms);
	for (uint32_t i = 0; i < x->n_sources; i++) {
		struct hf_source *s = &x->sources[i];

		if (s->n_misses > 0 && x->now_ms >= s->misses_end)
			forget_misses(x, s);
	}
	while (x->hint < x->config.n_chunks &&
		(bit_has(x->done, x->hint) || bit_has(x->busy, x->hint)))
		x->hint++;
}

/* Room for a chunk, which a slot keeps from its first request to the end of the job. */
static hf_err room_get(struct hf_xfer *x, struct slot *s)
{
	if (s->buf == NULL)
		s->buf = hf_mem_room(x->config.mem, x->config.chunk_max);
	return s->buf == NULL ? HF_ERR_NO_MEMORY : HF_OK;
}

static void rooms_put(struct hf_xfer *x)
{
	for (uint32_t i = 0; i < x->config.max_requests; i++) {
		struct slot *s = &x->slots[i];

		if (s->state != SLOT_FREE)
			continue;
		hf_mem_free(x->config.mem, s->buf);
		s->buf = NULL;
	}
}

hf_err hf_xfer_next(struct hf_xfer *x, struct hf_xfer_request *out, uint64_t now_ms)
{
	struct plan p;
	struct slot *s;
	hf_err e;

	see_time(x, now_ms);
	x->pace_at = UINT64_MAX;
	if (x->failed != HF_OK)
		return x->failed;
	tick(x);
	if (next_cancel(x, out))
		return HF_OK;
	if (hf_xfer_is_done(x)) {
		rooms_put(x);
		return HF_ERR_CLOSED;
	}
	s = hf_slot_free_one(x);
	if (s == NULL)
		return HF_ERR_AGAIN;
	e = hf_plan_make(x, &p, x->now_ms);
	if (e != HF_OK && e != HF_ERR_AGAIN)
		x->failed = e;
	if (e != HF_OK)
		return e;
	x->pace_at = hf_pace_when(&x->pace, p.len, x->now_ms);
	if (x->pace_at > x->now_ms)
		return HF_ERR_AGAIN;
	x->failed = room_get(x, s);
	if (x->failed != HF_OK)
		return x->failed;

	hf_slot_begin(x, s, &p, x->now_ms);
	*out = (struct hf_xfer_request){
		.what = HF_XFER_GET,
		.id = s->id,
		.source = s->source_id,
		.first = s->first,
		.n_chunks = s->end - s->first,
		.pack = s->chunk.pack,
		.offset = s->chunk.offset,
		.len = s->len,
	};
	return HF_OK;
}

hf_err hf_xfer_data(
	struct hf_xfer *x, uint64_t id, const uint8_t *bytes, size_t len, uint64_t now_ms)
{
	struct slot *s = hf_slot_find(x, id);

	see_time(x, now_ms);
	if (x->failed != HF_OK)
		return x->failed;
	if (s == NULL)
		return HF_ERR_NOT_FOUND;
	return hf_slot_feed(x, s, bytes, len, x->now_ms);
}

hf_err hf_xfer_end(struct hf_xfer *x, uint64_t id, uint64_t now_ms)
{
	struct slot *s = hf_slot_find(x, id);

	see_time(x, now_ms);
	if (x->failed != HF_OK)
		return x->failed;
	if (s == NULL) {
		hf_slot_forget(x, id);
		return HF_ERR_NOT_FOUND;
	}
	if (s->state == SLOT_LIVE) {
		hf_source_failed(s->source, s->begun_ms, hf_job_jitter(x), x->now_ms);
		hf_slot_lose(x, s, true);
		return HF_ERR_TRUNCATED;
	}
	hf_slot_finish(x, s);
	return HF_OK;
}

/* The source said that it has not got what it still had to bring. */
static void note_misses(struct hf_xfer *x, const struct slot *s)
{
	struct hf_source *source = s->source;

	for (uint32_t i = s->cur; i < s->end; i++) {
		bit_set(x->alone, i);
		if (bit_has(source->misses, i))
			continue;
		bit_set(source->misses, i);
		source->n_misses++;
	}
	source->misses_end = x->now_ms + x->config.miss_ms;
}

void hf_xfer_fail(struct hf_xfer *x, uint64_t id, hf_err why, uint64_t now_ms)
{
	struct slot *s = hf_slot_find(x, id);

	see_time(x, now_ms);
	if (s == NULL) {
		hf_slot_forget(x, id);
		return;
	}
	if (why == HF_ERR_NOT_FOUND)
		note_misses(x, s);
	else if (why != HF_ERR_CLOSED)
		hf_source_failed(s->source, s->begun_ms, hf_job_jitter(x), x->now_ms);
	hf_slot_lose(x, s, true);
}

static void sooner(uint64_t *at, uint64_t other)
{
	if (other < *at)
		*at = other;
}

uint64_t hf_xfer_deadline(const struct hf_xfer *x)
{
	uint64_t at = x->pace_at;

	if (x->failed != HF_OK)
		return UINT64_MAX;
	for (uint32_t i = 0; i < x->config.max_requests; i++) {
		const struct slot *s = &x->slots[i];

		if (s->state == SLOT_DROPPED)
			return x->now_ms;
		if (s->state == SLOT_FREE)
			continue;
		sooner(&at, s->last_ms + x->config.stall_ms);
		if (s->state == SLOT_LIVE && !s->is_late)
			sooner(&at, s->late_at);
	}
	for (uint32_t i = 0; i < x->n_sources && !hf_xfer_is_done(x); i++) {
		const struct hf_source *s = &x->sources[i];

		if (!s->stats.is_up || s->stats.is_banned)
			continue;
		if (s->stats.not_before > x->now_ms)
			sooner(&at, s->stats.not_before);
		if (s->n_misses > 0)
			sooner(&at, s->misses_end);
	}
	return at;
}

bool hf_xfer_is_done(const struct hf_xfer *x)
{
	return x->n_done == x->config.n_chunks;
}

void hf_xfer_prefer(struct hf_xfer *x, uint32_t index)
{
	if (index < x->config.n_chunks && !bit_has(x->done, index) && !bit_has(x->busy, index))
		x->prefer = index;
}

bool hf_xfer_has(const struct hf_xfer *x, uint32_t index)
{
	return index < x->config.n_chunks && bit_has(x->done, index);
}

/* Why nothing is under way. */
static enum hf_xfer_state idle_state(const struct hf_xfer *x, uint64_t now_ms)
{
	bool is_there = false;
	bool is_waiting = false;

	for (uint32_t i = 0; i < x->n_sources; i++) {
		const struct hf_source *s = &x->sources[i];

		if (!s->stats.is_up || s->stats.is_banned)
			continue;
		is_there = true;
		is_waiting = is_waiting || s->stats.not_before > now_ms || s->n_misses == 0;
	}
	if (!is_there)
		return HF_XFER_PARKED_SOURCE;
	if (hf_pace_is_shut(&x->pace, now_ms))
		return HF_XFER_PARKED_WINDOW;
	if (is_waiting || x->pace_at != UINT64_MAX)
		return HF_XFER_WAITING;
	return HF_XFER_PARKED_MISSING;
}

void hf_xfer_progress_get(const struct hf_xfer *x, struct hf_xfer_progress *out, uint64_t now_ms)
{
	struct hf_xfer_progress p = { .n_chunks = x->config.n_chunks - x->n_none,
		.n_done = x->n_done - x->n_none };
	uint64_t passed = now_ms > x->rate_ms ? now_ms - x->rate_ms : 0;

	for (uint32_t i = 0; i < x->config.max_requests; i++)
		p.n_in_flight += x->slots[i].state != SLOT_FREE;
	p.bytes_all = x->bytes_all;
	p.bytes_done = x->bytes_done;
	p.bytes_twice = x->bytes_twice;
	p.n_lost = x->n_lost;
	p.n_hedges = x->n_hedges;
	p.rate = passed > RATE_OLD_MS ? x->rate_bytes * 1000 / passed : x->rate;
	if (x->failed != HF_OK)
		p.state = HF_XFER_FAILED;
	else if (hf_xfer_is_done(x))
		p.state = HF_XFER_DONE;
	else if (p.n_in_flight > 0)
		p.state = HF_XFER_RUNNING;
	else
		p.state = idle_state(x, now_ms);
	p.eta_ms = UINT64_MAX;
	if (p.rate > 0 && (p.state == HF_XFER_RUNNING || p.state == HF_XFER_WAITING))
		p.eta_ms = (x->bytes_all - x->bytes_done) / p.rate * 1000 +
			   (x->bytes_all - x->bytes_done) % p.rate * 1000 / p.rate;
	*out = p;
}

bool hf_xfer_source_get(const struct hf_xfer *x, struct hf_source_stats *out, uint32_t n)
{
	if (n >= x->n_sources)
		return false;
	*out = x->sources[n].stats;
	return true;
}
