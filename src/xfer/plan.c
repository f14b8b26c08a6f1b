/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which source to ask for which chunks. Cheap sources first; among equals the one that should
 * answer soonest. When every chunk is being fetched, or one is late, a second source is asked for
 * what the slow one still has.
 */
#include "xfer/job.h"

/*
 * Bits of the chunks of one word that this source should be asked for: nobody has or fetches them,
 * the source does not lack them, and every cheaper source that could be asked does.
 */
static uint64_t word_wanted(
	const struct hf_xfer *x, const struct hf_source *s, size_t word, uint64_t now_ms)
{
	uint64_t bits = ~(x->done[word] | x->busy[word]);

	if (s->n_misses > 0)
		bits &= ~s->misses[word];
	for (uint32_t i = 0; i < x->n_sources && bits != 0; i++) {
		const struct hf_source *t = &x->sources[i];

		/* One on probation does not hold work back from others: it may be dead still. */
		if (t->stats.cost >= s->stats.cost || t->is_probation ||
			!hf_source_is_usable(t, now_ms))
			continue;
		bits &= t->n_misses > 0 ? t->misses[word] : 0;
	}
	return bits;
}

static uint32_t lowest_bit(uint64_t bits)
{
	uint32_t n = 0;

	while ((bits & 1) == 0) {
		bits >>= 1;
		n++;
	}
	return n;
}

/* The first chunk at or after from that the source should be asked for; false: none. */
static bool wanted_from(const struct hf_xfer *x, const struct hf_source *s, uint32_t from,
	uint32_t *index, uint64_t now_ms)
{
	size_t word = from / 64;
	uint64_t mask = UINT64_MAX << (from % 64);

	for (; word < x->n_words; word++, mask = UINT64_MAX) {
		uint64_t bits = word_wanted(x, s, word, now_ms) & mask;

		if (bits == 0)
			continue;
		*index = (uint32_t)(word * 64) + lowest_bit(bits);
		return *index < x->config.n_chunks;
	}
	return false;
}

/* The first chunk the source should be asked for; false: none. */
static bool first_wanted(
	const struct hf_xfer *x, const struct hf_source *s, uint32_t *index, uint64_t now_ms)
{
	if (x->n_wanted == 0)
		return false;
	if (x->prefer > x->hint && wanted_from(x, s, x->prefer, index, now_ms))
		return true;
	return wanted_from(x, s, x->hint, index, now_ms);
}

/* Neighbours that lie behind the first chunk in the same pack join it, up to run_max bytes. */
static hf_err plan_extend(const struct hf_xfer *x, struct plan *p, uint64_t now_ms)
{
	while (p->end < x->config.n_chunks && !bit_has(x->alone, p->first)) {
		uint64_t bits = word_wanted(x, p->source, p->end / 64, now_ms);
		struct hf_xfer_chunk next;

		if ((bits >> (p->end % 64) & 1) == 0 || bit_has(x->alone, p->end))
			break;
		HF_TRY(x->config.calls.chunk_get(x->config.calls.ctx, &next, p->end));
		if (next.pack != p->chunk.pack || next.offset != p->chunk.offset + p->len ||
			p->len + next.len > x->config.run_max)
			break;
		p->len += next.len;
		p->end++;
	}
	return HF_OK;
}

/* How soon a chunk of usual size should come from this source, its requests at work counted in. */
static uint64_t source_rank(const struct hf_xfer *x, const struct hf_source *s)
{
	uint64_t ms = hf_source_expects_ms(s, x->config.chunk_max);

	/* An unknown source counts as fast: how fast it is, is learned by asking. */
	return (ms + 1) * (s->stats.n_in_flight + 1) * 1024 / (s->stats.health + 64);
}

static bool is_better(
	const struct hf_xfer *x, const struct hf_source *s, const struct hf_source *best)
{
	if (best == NULL || s->stats.cost != best->stats.cost)
		return best == NULL || s->stats.cost < best->stats.cost;
	return source_rank(x, s) < source_rank(x, best);
}

static hf_err plan_fresh(const struct hf_xfer *x, struct plan *p, uint64_t now_ms)
{
	for (uint32_t i = 0; i < x->n_sources; i++) {
		struct hf_source *s = &x->sources[i];
		uint32_t first;

		if (!hf_source_is_usable(s, now_ms) ||
			!hf_source_has_room(s, x->config.max_per_source) ||
			!is_better(x, s, p->source) || !first_wanted(x, s, &first, now_ms))
			continue;
		p->source = s;
		p->first = first;
	}
	if (p->source == NULL)
		return HF_ERR_AGAIN;
	HF_TRY(x->config.calls.chunk_get(x->config.calls.ctx, &p->chunk, p->first));
	p->end = p->first + 1;
	p->len = p->chunk.len;
	return plan_extend(x, p, now_ms);
}

/* Milliseconds until a request at work should be through. */
static uint64_t slot_left_ms(const struct slot *s, uint64_t now_ms)
{
	uint64_t all = hf_source_expects_ms(s->source, s->len);
	uint64_t end = s->begun_ms + all;

	/* Past its time: what is left takes as long as it would from the start. */
	return end > now_ms ? end - now_ms : hf_source_expects_ms(s->source, s->left);
}

/* True if source s should be asked for what v still has to bring. */
static bool is_worth_hedging(
	const struct hf_xfer *x, const struct slot *v, const struct hf_source *s, uint64_t now_ms)
{
	if (v->source == s || (s->n_misses > 0 && bit_has(s->misses, v->cur)))
		return false;
	if (v->is_late)
		return true;
	/* The last chunks: only from a source as cheap, and only if it should be much sooner. */
	return x->n_wanted == 0 && s->stats.rate != 0 && v->source->stats.rate != 0 &&
	       s->stats.cost <= v->source->stats.cost &&
	       slot_left_ms(v, now_ms) > 2 * hf_source_expects_ms(s, v->left) + 50;
}

static struct hf_source *hedge_source(
	const struct hf_xfer *x, const struct slot *v, uint64_t now_ms)
{
	struct hf_source *best = NULL;

	for (uint32_t i = 0; i < x->n_sources; i++) {
		struct hf_source *s = &x->sources[i];

		if (!s->is_probation && hf_source_is_usable(s, now_ms) &&
			hf_source_has_room(s, x->config.max_per_source) &&
			is_worth_hedging(x, v, s, now_ms) && is_better(x, s, best))
			best = s;
	}
	return best;
}

/*
 * The whole rest of a slow request, from the chunk it is in: the loser is then of no more use.
 * is_late: only requests that are late by their source's own measure.
 */
static hf_err plan_hedge(const struct hf_xfer *x, struct plan *p, bool is_late, uint64_t now_ms)
{
	uint32_t n_hedges = 0;

	for (uint32_t i = 0; i < x->config.max_requests; i++)
		n_hedges += x->slots[i].state == SLOT_LIVE && x->slots[i].is_hedge;
	if (n_hedges >= x->config.max_hedges)
		return HF_ERR_AGAIN;
	for (uint32_t i = 0; i < x->config.max_requests; i++) {
		struct slot *v = &x->slots[i];

		if (v->state != SLOT_LIVE || v->is_hedge || v->is_hedged ||
			(is_late && !v->is_late))
			continue;
		p->source = hedge_source(x, v, now_ms);
		if (p->source == NULL)
			continue;
		p->hedged = v;
		p->first = v->cur;
		p->end = v->end;
		p->chunk = v->chunk;
		p->len = v->left + v->got;
		return HF_OK;
	}
	return HF_ERR_AGAIN;
}

hf_err hf_plan_make(const struct hf_xfer *x, struct plan *out, uint64_t now_ms)
{
	struct plan late = { 0 };
	struct plan fresh = { 0 };
	struct plan last = { 0 };
	hf_err e;

	e = plan_hedge(x, &late, true, now_ms);
	if (e == HF_OK)
		*out = late;
	if (e != HF_ERR_AGAIN)
		return e;
	e = plan_fresh(x, &fresh, now_ms);
	if (e == HF_OK)
		*out = fresh;
	if (e != HF_ERR_AGAIN)
		return e;
	e = plan_hedge(x, &last, false, now_ms);
	if (e == HF_OK)
		*out = last;
	return e;
}
