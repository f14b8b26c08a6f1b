/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transfer machine against simulated sources in simulated time: honest, slow, lying, endless,
 * silent and dying ones. A model of what was asked and given watches every promise of xfer.h.
 */
#include "test.h"

#include "crypto/module.h"
#include "crypto/tree.h"
#include "xfer/xfer.h"

enum {
	CHUNKS_MAX = 160,
	CHUNK_MAX = 3000,
	PACK_CHUNKS = 40, /* chunks a pack */
	SOURCES = 4,
	ASKS_MAX = 16,
	HOUR_MS = 3600 * 1000,
};

enum manner { HONEST, LIAR, ENDLESS, SILENT, SHORT, REFUSES };

struct sim_source {
	enum manner manner;
	bool is_up;
	bool lacks[CHUNKS_MAX];
	uint16_t cost;
	uint32_t step_ms; /* between two pieces */
	uint32_t piece;   /* bytes of a piece, about */
	uint64_t dies_at; /* 0: never */
	uint64_t back_at; /* 0: never */
	uint32_t n_asked;
	bool was_wrong;
};

struct ask {
	bool is_used;
	bool is_gone; /* given up by the machine; its cancel is on the way */
	struct hf_xfer_request q;
	uint64_t sent;
	uint64_t next_ms;
};

struct sim {
	struct test_rng r;
	struct hf_xfer_config config;
	struct hf_xfer *x;
	uint64_t now;
	uint32_t n_chunks;
	uint32_t len[CHUNKS_MAX];
	uint64_t offset[CHUNKS_MAX];
	uint8_t cid[CHUNKS_MAX][HF_SM3_LEN];
	uint8_t bytes[CHUNKS_MAX][CHUNK_MAX];
	unsigned n_done[CHUNKS_MAX];
	uint8_t have[CHUNKS_MAX / 8];
	struct sim_source sources[SOURCES];
	struct ask asks[ASKS_MAX];
	hf_err done_gives; /* what chunk_done answers */
	uint64_t asked_bytes;
	uint64_t last_done_ms;
};

static hf_err chunk_get(void *ctx, struct hf_xfer_chunk *out, uint32_t index)
{
	const struct sim *m = ctx;

	assert_true(index < m->n_chunks);
	memcpy(out->cid, m->cid[index], HF_SM3_LEN);
	out->pack = index / PACK_CHUNKS;
	out->offset = m->offset[index];
	out->len = m->len[index];
	return HF_OK;
}

static hf_err chunk_done(void *ctx, uint32_t index, const uint8_t *bytes, size_t len)
{
	struct sim *m = ctx;

	if (m->done_gives != HF_OK)
		return m->done_gives;
	assert_int_equal(len, m->len[index]);
	assert_memory_equal(bytes, m->bytes[index], len);
	assert_int_equal(m->n_done[index], 0); /* once, and not what was there */
	assert_int_equal(m->have[index / 8] >> (index % 8) & 1, 0);
	m->n_done[index]++;
	m->last_done_ms = m->now;
	return HF_OK;
}

static void sim_init(struct sim *m, uint64_t seed, uint32_t n_chunks)
{
	static struct hf_rng rng;

	memset(m, 0, sizeof(*m));
	rng = test_rng(&m->r, seed);
	m->n_chunks = n_chunks;
	for (uint32_t i = 0; i < n_chunks; i++) {
		m->len[i] = 1 + (uint32_t)test_rng_below(&m->r, CHUNK_MAX);
		m->offset[i] = i % PACK_CHUNKS == 0 ? 16 : m->offset[i - 1] + m->len[i - 1];
		assert_ok(hf_rng_fill(&rng, m->bytes[i], m->len[i]));
		hf_tree_sm3(m->cid[i], m->bytes[i], m->len[i]);
	}
	for (uint32_t i = 0; i < SOURCES; i++)
		m->sources[i] = (struct sim_source){ .step_ms = 20, .piece = 1000 };
	m->config = (struct hf_xfer_config){
		.mem = &test_mem,
		.rng = &rng,
		.calls = { chunk_get, chunk_done, m },
		.n_chunks = n_chunks,
		.have = m->have,
		.chunk_max = CHUNK_MAX,
		.run_max = 2 * CHUNK_MAX,
		.max_requests = 8,
		.max_per_source = 4,
		.max_sources = SOURCES,
		.max_hedges = 2,
		.stall_ms = 5000,
		.late_ms = 3000,
		.miss_ms = 10000,
	};
	m->now = 1000;
}

static void sim_add(struct sim *m, uint32_t id)
{
	m->sources[id].is_up = true;
	assert_ok(hf_xfer_source_add(m->x, id, HF_SOURCE_LAN, m->sources[id].cost, m->now));
}

static void sim_start(struct sim *m, uint32_t n_sources)
{
	assert_ok(hf_xfer_new(&m->x, &m->config, m->now));
	for (uint32_t i = 0; i < n_sources; i++)
		sim_add(m, i);
}

static void sim_lose(struct sim *m, uint32_t id)
{
	m->sources[id].is_up = false;
	for (size_t i = 0; i < ASKS_MAX; i++)
		if (m->asks[i].q.source == id)
			m->asks[i].is_used = false;
	hf_xfer_source_lost(m->x, id, m->now);
}

static struct ask *ask_find(struct sim *m, uint64_t id)
{
	for (size_t i = 0; i < ASKS_MAX; i++)
		if (m->asks[i].is_used && m->asks[i].q.id == id)
			return &m->asks[i];
	return NULL;
}

static void check_limits(const struct sim *m)
{
	uint32_t n = 0;
	uint32_t per[SOURCES] = { 0 };

	for (size_t i = 0; i < ASKS_MAX; i++) {
		if (!m->asks[i].is_used)
			continue;
		n++;
		per[m->asks[i].q.source]++;
	}
	assert_true(n <= m->config.max_requests);
	for (size_t i = 0; i < SOURCES; i++)
		assert_true(per[i] <= m->config.max_per_source);
}

static void ask_new(struct sim *m, const struct hf_xfer_request *q)
{
	uint64_t len = 0;

	assert_true(m->sources[q->source].is_up);
	assert_false(m->sources[q->source].was_wrong); /* never again */
	assert_int_equal(q->pack, q->first / PACK_CHUNKS);
	assert_int_equal(q->offset, m->offset[q->first]);
	for (uint32_t i = q->first; i < q->first + q->n_chunks; i++) {
		assert_int_equal(i / PACK_CHUNKS, q->pack);
		assert_int_equal(m->n_done[i], 0);
		len += m->len[i];
	}
	assert_int_equal(q->len, len);
	assert_true(q->n_chunks == 1 || len <= m->config.run_max);
	m->asked_bytes += len;
	m->sources[q->source].n_asked++;
	for (size_t i = 0; i < ASKS_MAX; i++) {
		if (m->asks[i].is_used)
			continue;
		m->asks[i] =
			(struct ask){ true, false, *q, 0, m->now + m->sources[q->source].step_ms };
		check_limits(m);
		return;
	}
	fail_msg("more requests than the limit");
}

/* Does what the machine asks for; false: the job is over. */
static bool sim_obey(struct sim *m)
{
	struct hf_xfer_request q;
	hf_err e;

	while ((e = hf_xfer_next(m->x, &q, m->now)) == HF_OK) {
		struct ask *a = ask_find(m, q.id);

		if (q.what == HF_XFER_GET) {
			assert_null(a);
			ask_new(m, &q);
			continue;
		}
		assert_non_null(a);
		a->is_used = false;
	}
	for (size_t i = 0; i < ASKS_MAX && m->done_gives == HF_OK; i++)
		assert_false(m->asks[i].is_used && m->asks[i].is_gone);
	if (e != HF_ERR_AGAIN)
		assert_int_equal(e, m->done_gives != HF_OK ? m->done_gives : HF_ERR_CLOSED);
	return e == HF_ERR_AGAIN;
}

/* Byte number at of an answer: that of the chunk it falls into. */
static uint8_t byte_at(const struct sim *m, const struct ask *a, uint64_t at)
{
	uint32_t i = a->q.first;

	if (at >= a->q.len)
		return 0x55;
	while (at >= m->len[i])
		at -= m->len[i++];
	return m->bytes[i][at];
}

/* The chunk that byte number at of the answer falls into. */
static uint32_t chunk_at(const struct sim *m, const struct ask *a, uint64_t at)
{
	uint32_t i = a->q.first;

	while (at >= m->len[i])
		at -= m->len[i++];
	return i;
}

static void ask_end(struct sim *m, struct ask *a)
{
	hf_err e = hf_xfer_end(m->x, a->q.id, m->now);

	if (e != HF_ERR_NOT_FOUND)
		assert_int_equal(e, a->sent < a->q.len ? HF_ERR_TRUNCATED : HF_OK);
	a->is_used = false;
}

/* The next piece of one answer. */
static void ask_step(struct sim *m, struct ask *a)
{
	struct sim_source *s = &m->sources[a->q.source];
	uint64_t left = a->q.len - a->sent;
	uint64_t n = 1 + test_rng_below(&m->r, 2 * s->piece);
	uint8_t *piece;
	hf_err e;

	a->next_ms = m->now + 1 + test_rng_below(&m->r, 2 * s->step_ms);
	if (a->sent < a->q.len && s->lacks[chunk_at(m, a, a->sent)]) {
		hf_xfer_fail(m->x, a->q.id, HF_ERR_NOT_FOUND, m->now);
		a->is_used = false;
		return;
	}
	if (s->manner == REFUSES) {
		hf_xfer_fail(m->x, a->q.id, HF_ERR_NET, m->now);
		a->is_used = false;
		return;
	}
	if (s->manner == SILENT) {
		a->next_ms = UINT64_MAX;
		return;
	}
	if (s->manner == SHORT && a->sent > 0) {
		ask_end(m, a);
		return;
	}
	if (s->manner != ENDLESS && n > left)
		n = left;
	piece = malloc(n);
	assert_non_null(piece);
	for (uint64_t i = 0; i < n; i++)
		piece[i] = byte_at(m, a, a->sent + i);
	if (s->manner == LIAR)
		piece[test_rng_below(&m->r, n)] ^= (uint8_t)(1 + test_rng_below(&m->r, 255));
	e = hf_xfer_data(m->x, a->q.id, piece, n, m->now);
	free(piece);
	if (e == HF_ERR_NOT_FOUND) {
		a->is_gone = true;
		a->next_ms = UINT64_MAX;
		return;
	}
	if (e != HF_OK) {
		assert_true((e == HF_ERR_AUTH && s->manner == LIAR) ||
			    (e == HF_ERR_LIMIT && s->manner == ENDLESS) ||
			    (e != HF_OK && e == m->done_gives));
		s->was_wrong = s->was_wrong || e == HF_ERR_AUTH;
		a->is_used = false;
		return;
	}
	a->sent += n;
	if (a->sent == a->q.len && s->manner != ENDLESS)
		ask_end(m, a);
}

static uint64_t sim_next_event(const struct sim *m)
{
	uint64_t at = hf_xfer_deadline(m->x);

	for (size_t i = 0; i < ASKS_MAX; i++)
		if (m->asks[i].is_used && m->asks[i].next_ms < at)
			at = m->asks[i].next_ms;
	for (size_t i = 0; i < SOURCES; i++) {
		const struct sim_source *s = &m->sources[i];

		if (s->is_up && s->dies_at > m->now && s->dies_at < at)
			at = s->dies_at;
		if (!s->is_up && s->back_at > m->now && s->back_at < at)
			at = s->back_at;
	}
	return at;
}

/* Runs until the job is over or the time is; true if it is over. */
static bool sim_run(struct sim *m, uint64_t until)
{
	while (m->now <= until) {
		uint64_t at;

		if (!sim_obey(m))
			return true;
		at = sim_next_event(m);
		if (at > until)
			break;
		m->now = at > m->now ? at : m->now + 1;
		for (uint32_t i = 0; i < SOURCES; i++) {
			struct sim_source *s = &m->sources[i];

			if (s->is_up && s->dies_at != 0 && m->now >= s->dies_at) {
				s->dies_at = 0;
				sim_lose(m, i);
			}
			if (!s->is_up && s->back_at != 0 && m->now >= s->back_at) {
				s->back_at = 0;
				sim_add(m, i);
			}
		}
		for (size_t i = 0; i < ASKS_MAX; i++)
			if (m->asks[i].is_used && m->asks[i].next_ms <= m->now)
				ask_step(m, &m->asks[i]);
	}
	m->now = until;
	return false;
}

static struct hf_xfer_progress sim_progress(const struct sim *m)
{
	struct hf_xfer_progress p;

	hf_xfer_progress_get(m->x, &p, m->now);
	/* What was thrown away is at most the chunk each lost request was in. */
	assert_true(p.bytes_twice <= p.n_lost * CHUNK_MAX);
	return p;
}

static void sim_is_whole(const struct sim *m)
{
	struct hf_xfer_progress p = sim_progress(m);

	assert_int_equal(p.state, HF_XFER_DONE);
	assert_true(hf_xfer_is_done(m->x));
	assert_int_equal(p.bytes_done, p.bytes_all);
	for (uint32_t i = 0; i < m->n_chunks; i++) {
		assert_true(hf_xfer_has(m->x, i));
		assert_int_equal(m->n_done[i] + (m->have[i / 8] >> (i % 8) & 1u), 1);
	}
}

static struct hf_source_stats stats_of(const struct sim *m, uint32_t n)
{
	struct hf_source_stats s;

	assert_true(hf_xfer_source_get(m->x, &s, n));
	return s;
}

static struct sim sim;

static void refuses_limits_out_of_range(void **state)
{
	struct sim *m = &sim;
	struct hf_xfer_config good;

	(void)state;
	sim_init(m, 1, 10);
	good = m->config;
#define REFUSED(field, value) \
	do { \
		struct hf_xfer_config c = good; \
		c.field = (value); \
		assert_err(hf_xfer_new(&m->x, &c, 0), HF_ERR_ARG); \
		assert_null(m->x); \
	} while (0)
	REFUSED(mem, NULL);
	REFUSED(rng, NULL);
	REFUSED(calls.chunk_get, NULL);
	REFUSED(calls.chunk_done, NULL);
	REFUSED(n_chunks, 0);
	REFUSED(chunk_max, 0);
	REFUSED(chunk_max, HF_XFER_CHUNK_MAX + 1);
	REFUSED(max_requests, 0);
	REFUSED(max_requests, HF_XFER_REQUESTS_MAX + 1);
	REFUSED(max_per_source, 0);
	REFUSED(max_per_source, 9);
	REFUSED(max_sources, 0);
	REFUSED(max_sources, HF_XFER_SOURCES_MAX + 1);
	REFUSED(stall_ms, 0);
	REFUSED(late_ms, 0);
	REFUSED(miss_ms, 0);
	REFUSED(rate, UINT64_MAX);
#undef REFUSED
}

static void refuses_a_list_with_an_empty_or_a_long_chunk(void **state)
{
	struct sim *m = &sim;

	(void)state;
	sim_init(m, 1, 10);
	m->len[9] = 0;
	assert_err(hf_xfer_new(&m->x, &m->config, 0), HF_ERR_FORMAT);
	m->len[9] = CHUNK_MAX + 1;
	assert_err(hf_xfer_new(&m->x, &m->config, 0), HF_ERR_FORMAT);
	m->len[9] = 1;
	m->offset[9] = UINT64_MAX;
	assert_err(hf_xfer_new(&m->x, &m->config, 0), HF_ERR_FORMAT);
	assert_null(m->x);
}

static void every_allocation_may_fail(void **state)
{
	struct sim *m = &sim;
	unsigned n = 1;

	(void)state;
	sim_init(m, 1, 10);
	for (;; n++) {
		hf_err e;

		test_mem_fail_at(n);
		e = hf_xfer_new(&m->x, &m->config, 0);
		test_mem_fail_at(0);
		if (e == HF_OK)
			break;
		assert_int_equal(e, HF_ERR_NO_MEMORY);
		assert_null(m->x);
	}
	assert_int_equal(n, 6 + SOURCES + 1);
	hf_xfer_free(m->x);
	hf_xfer_free(NULL);
}

/* Room for a chunk is taken with the first request that needs it, not before. */
static void room_that_is_missing_ends_the_job(void **state)
{
	struct sim *m = &sim;
	struct hf_xfer_request q;

	(void)state;
	sim_init(m, 1, 10);
	sim_start(m, 1);
	test_mem_fail_at(1);
	assert_err(hf_xfer_next(m->x, &q, m->now), HF_ERR_NO_MEMORY);
	test_mem_fail_at(0);
	assert_err(hf_xfer_next(m->x, &q, m->now), HF_ERR_NO_MEMORY);
	hf_xfer_free(m->x);
}

static void one_honest_source_gives_everything_once(void **state)
{
	struct sim *m = &sim;

	(void)state;
	sim_init(m, 2, CHUNKS_MAX);
	sim_start(m, 1);
	assert_true(sim_run(m, HOUR_MS));
	sim_is_whole(m);
	assert_int_equal(sim_progress(m).bytes_twice, 0);
	assert_int_equal(m->asked_bytes, sim_progress(m).bytes_all);
	/* Small neighbours are asked for together. */
	assert_true(m->sources[0].n_asked < CHUNKS_MAX * 2 / 3);
	hf_xfer_free(m->x);
}

static void a_wish_is_asked_for_first_and_the_rest_still_comes(void **state)
{
	struct sim *m = &sim;
	struct hf_xfer_request q;

	(void)state;
	for (uint32_t wish = 0; wish < 100; wish += 7) {
		sim_init(m, wish, 100);
		m->have[0] = 0x80; /* chunk 7 is there */
		assert_ok(hf_xfer_new(&m->x, &m->config, m->now));
		hf_xfer_prefer(m->x, 100); /* no such chunk */
		hf_xfer_prefer(m->x, wish);
		sim_add(m, 0);
		assert_ok(hf_xfer_next(m->x, &q, m->now));
		assert_int_equal(q.first, wish == 7 ? 0 : wish);
		hf_xfer_prefer(m->x, wish); /* under way: no wish any more */
		ask_new(m, &q);
		assert_true(sim_run(m, HOUR_MS));
		sim_is_whole(m);
		assert_int_equal(sim_progress(m).bytes_twice, 0);
		hf_xfer_free(m->x);
	}
}

static void resumes_from_any_bitmap(void **state)
{
	struct sim *m = &sim;

	(void)state;
	for (uint64_t seed = 0; seed < 60; seed++) {
		uint64_t share = seed % 5;

		sim_init(m, seed, CHUNKS_MAX - (uint32_t)seed);
		for (uint32_t i = 0; i < m->n_chunks; i++)
			if (test_rng_below(&m->r, 4) < share)
				m->have[i / 8] |= (uint8_t)(1 << i % 8);
		sim_start(m, 2);
		assert_true(sim_run(m, HOUR_MS));
		sim_is_whole(m);
		assert_int_equal(sim_progress(m).bytes_twice, 0);
		hf_xfer_free(m->x);
	}
}

static void a_source_that_dies_half_way_costs_at_most_a_chunk_a_request(void **state)
{
	struct sim *m = &sim;

	(void)state;
	for (uint64_t seed = 0; seed < 40; seed++) {
		struct hf_xfer_progress p;

		sim_init(m, seed, CHUNKS_MAX);
		m->config.max_hedges = 0;
		m->sources[0].dies_at = m->now + 10 + 10 * seed;
		sim_start(m, 2);
		assert_true(sim_run(m, HOUR_MS));
		sim_is_whole(m);
		p = sim_progress(m);
		assert_true(p.n_lost <= m->config.max_per_source);
		assert_true(p.bytes_twice <= (uint64_t)m->config.max_per_source * CHUNK_MAX);
		hf_xfer_free(m->x);
	}
}

static void one_request_at_a_time_loses_at_most_one_chunk_a_death(void **state)
{
	struct sim *m = &sim;

	(void)state;
	for (uint64_t seed = 0; seed < 40; seed++) {
		sim_init(m, seed, 100);
		m->config.max_requests = 1;
		m->config.max_per_source = 1;
		m->sources[0].dies_at = m->now + 50 + 33 * seed;
		m->sources[0].back_at = m->sources[0].dies_at + 100;
		sim_start(m, 1);
		assert_true(sim_run(m, HOUR_MS));
		sim_is_whole(m);
		assert_true(sim_progress(m).n_lost <= 1);
		assert_true(sim_progress(m).bytes_twice < CHUNK_MAX);
		hf_xfer_free(m->x);
	}
}

static void a_lying_source_is_banned_and_the_honest_one_finishes(void **state)
{
	struct sim *m = &sim;

	(void)state;
	for (uint64_t seed = 0; seed < 40; seed++) {
		sim_init(m, seed, CHUNKS_MAX);
		m->sources[0].manner = LIAR;
		sim_start(m, 2);
		assert_true(sim_run(m, HOUR_MS));
		sim_is_whole(m);
		assert_true(stats_of(m, 0).is_banned);
		/* One altered byte a piece: a chunk that escaped it was right, and kept. */
		assert_true(stats_of(m, 0).n_chunks <= m->config.max_per_source);
		assert_int_equal(stats_of(m, 0).n_chunks + stats_of(m, 1).n_chunks, CHUNKS_MAX);
		assert_false(stats_of(m, 1).is_banned);
		hf_xfer_free(m->x);
	}
}

static void a_liar_stays_banned_when_it_comes_back(void **state)
{
	struct sim *m = &sim;

	(void)state;
	sim_init(m, 5, 20);
	m->sources[0].manner = LIAR;
	sim_start(m, 1);
	assert_false(sim_run(m, HOUR_MS));
	assert_int_equal(sim_progress(m).state, HF_XFER_PARKED_SOURCE);
	sim_lose(m, 0);
	m->sources[0].manner = HONEST;
	sim_add(m, 0);
	assert_false(sim_run(m, 100 * (uint64_t)HOUR_MS));
	assert_int_equal(sim_progress(m).n_done, 0);
	assert_int_equal(hf_xfer_deadline(m->x), UINT64_MAX);
	sim_add(m, 1);
	assert_true(sim_run(m, 101 * (uint64_t)HOUR_MS));
	sim_is_whole(m);
	hf_xfer_free(m->x);
}

static void endless_data_is_cut_at_the_last_byte_asked_for(void **state)
{
	struct sim *m = &sim;

	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		sim_init(m, seed, CHUNKS_MAX);
		m->sources[0].manner = ENDLESS;
		sim_start(m, 2);
		assert_true(sim_run(m, HOUR_MS));
		sim_is_whole(m);
		assert_false(stats_of(m, 0).is_banned); /* its bytes were right */
		assert_true(stats_of(m, 0).n_fails > 0);
		assert_true(stats_of(m, 0).n_chunks < stats_of(m, 1).n_chunks);
		hf_xfer_free(m->x);
	}
}

static void a_silent_source_holds_nothing_up_for_long(void **state)
{
	struct sim *m = &sim;

	(void)state;
	sim_init(m, 3, CHUNKS_MAX);
	m->sources[0].manner = SILENT;
	sim_start(m, 2);
	assert_true(sim_run(m, HOUR_MS));
	sim_is_whole(m);
	/* Late after 3 s, hedged at once; without that it would take the stall and a retry. */
	assert_in_range(m->last_done_ms, m->now - 100, m->now);
	assert_true(m->last_done_ms < 10 * 1000);
	assert_true(sim_progress(m).n_hedges > 0);
	hf_xfer_free(m->x);
}

static void a_slow_source_does_not_make_a_slow_end(void **state)
{
	struct sim *m = &sim;
	uint64_t with;

	(void)state;
	sim_init(m, 4, CHUNKS_MAX);
	m->sources[0].step_ms = 900;
	m->sources[0].piece = 200;
	sim_start(m, 2);
	assert_true(sim_run(m, HOUR_MS));
	sim_is_whole(m);
	assert_true(stats_of(m, 0).n_chunks < CHUNKS_MAX / 8);
	with = m->last_done_ms;
	hf_xfer_free(m->x);

	sim_init(m, 4, CHUNKS_MAX);
	m->config.max_hedges = 0;
	m->sources[0].step_ms = 900;
	m->sources[0].piece = 200;
	sim_start(m, 2);
	assert_true(sim_run(m, HOUR_MS));
	sim_is_whole(m);
	assert_true(with * 2 < m->last_done_ms);
	hf_xfer_free(m->x);
}

static void a_slow_source_alone_is_let_finish(void **state)
{
	struct sim *m = &sim;

	(void)state;
	sim_init(m, 4, 20);
	m->sources[0].step_ms = 2000;
	m->sources[0].piece = 40;
	sim_start(m, 1);
	assert_true(sim_run(m, HOUR_MS));
	sim_is_whole(m);
	assert_int_equal(sim_progress(m).bytes_twice, 0);
	hf_xfer_free(m->x);
}

static void without_any_source_the_job_is_parked_until_one_returns(void **state)
{
	struct sim *m = &sim;
	uint32_t n;

	(void)state;
	sim_init(m, 6, CHUNKS_MAX);
	for (uint32_t i = 0; i < 3; i++)
		m->sources[i].dies_at = m->now + 100 + i * 50;
	sim_start(m, 3);
	assert_false(sim_run(m, HOUR_MS));
	assert_int_equal(sim_progress(m).state, HF_XFER_PARKED_SOURCE);
	assert_int_equal(sim_progress(m).eta_ms, UINT64_MAX);
	assert_int_equal(hf_xfer_deadline(m->x), UINT64_MAX);
	n = sim_progress(m).n_done;
	assert_true(n > 0 && n < CHUNKS_MAX);
	m->sources[1].back_at = 72 * (uint64_t)HOUR_MS;
	assert_true(sim_run(m, 73 * (uint64_t)HOUR_MS));
	sim_is_whole(m);
	hf_xfer_free(m->x);
}

static void work_returns_to_the_cheap_source_when_it_is_back(void **state)
{
	struct sim *m = &sim;
	uint32_t dear;

	(void)state;
	sim_init(m, 7, CHUNKS_MAX);
	m->sources[1].cost = 10;
	m->sources[0].dies_at = m->now + 100;
	m->sources[0].back_at = m->now + 400;
	sim_start(m, 2);
	assert_false(sim_run(m, m->now + 99));
	assert_int_equal(m->sources[1].n_asked, 0); /* not while the cheap one is there */
	assert_false(sim_run(m, m->now + 300));
	assert_true(m->sources[1].n_asked > 0);
	assert_false(sim_run(m, m->now + 300)); /* back-off of the cheap one is over by now */
	dear = m->sources[1].n_asked;
	assert_true(sim_run(m, HOUR_MS));
	assert_int_equal(m->sources[1].n_asked, dear);
	sim_is_whole(m);
	hf_xfer_free(m->x);
}

static void a_dear_source_gives_only_what_the_cheap_one_lacks(void **state)
{
	struct sim *m = &sim;

	(void)state;
	sim_init(m, 8, CHUNKS_MAX);
	m->sources[1].cost = 10;
	for (uint32_t i = PACK_CHUNKS; i < 2 * PACK_CHUNKS; i++)
		m->sources[0].lacks[i] = true;
	sim_start(m, 2);
	assert_true(sim_run(m, HOUR_MS));
	sim_is_whole(m);
	assert_int_equal(stats_of(m, 1).n_chunks, PACK_CHUNKS);
	assert_int_equal(stats_of(m, 0).n_chunks, CHUNKS_MAX - PACK_CHUNKS);
	hf_xfer_free(m->x);
}

static void a_chunk_nobody_has_parks_the_job_until_somebody_has_it(void **state)
{
	struct sim *m = &sim;

	(void)state;
	sim_init(m, 9, 50);
	m->sources[0].lacks[17] = true;
	m->sources[1].lacks[17] = true;
	sim_start(m, 2);
	assert_false(sim_run(m, HOUR_MS));
	assert_int_equal(sim_progress(m).n_done, 49);
	assert_int_equal(sim_progress(m).state, HF_XFER_PARKED_MISSING);
	assert_false(hf_xfer_has(m->x, 17));
	m->sources[1].lacks[17] = false;
	assert_true(sim_run(m, m->now + m->config.miss_ms + 1000));
	sim_is_whole(m);
	hf_xfer_free(m->x);
}

static void a_source_that_only_fails_is_asked_ever_more_rarely(void **state)
{
	struct sim *m = &sim;
	uint32_t first;

	(void)state;
	sim_init(m, 10, 20);
	m->sources[0].manner = REFUSES;
	sim_start(m, 1);
	assert_false(sim_run(m, HOUR_MS));
	first = m->sources[0].n_asked;
	assert_in_range(first, 10, 60);
	assert_int_equal(sim_progress(m).state, HF_XFER_WAITING);
	assert_false(sim_run(m, 2 * HOUR_MS));
	assert_true(m->sources[0].n_asked - first <= 13); /* every 5 to 10 minutes */
	m->sources[0].manner = HONEST;
	assert_true(sim_run(m, 3 * HOUR_MS));
	sim_is_whole(m);
	hf_xfer_free(m->x);
}

static void the_rate_limit_holds_and_the_eta_tells_the_truth(void **state)
{
	struct sim *m = &sim;
	struct hf_xfer_progress p;
	uint64_t eta;

	(void)state;
	sim_init(m, 11, CHUNKS_MAX);
	m->config.rate = 4000;
	sim_start(m, 2);
	assert_false(sim_run(m, m->now + 20000));
	p = sim_progress(m);
	assert_in_range(p.bytes_done, 60000, 4000 * 20 + 2 * CHUNK_MAX);
	assert_in_range(p.rate, 2500, 5500);
	eta = m->now + p.eta_ms;
	assert_true(sim_run(m, HOUR_MS));
	assert_in_range(m->last_done_ms, eta - eta / 4, eta + eta / 4);
	sim_is_whole(m);
	hf_xfer_free(m->x);
}

static void outside_its_window_the_job_is_parked(void **state)
{
	const struct hf_pace_window night = { 60, 120, 0 };
	struct sim *m = &sim;

	(void)state;
	sim_init(m, 12, 50);
	m->config.windows = &night;
	m->config.n_windows = 1;
	sim_start(m, 1);
	assert_false(sim_run(m, HOUR_MS - 1));
	assert_int_equal(sim_progress(m).state, HF_XFER_PARKED_WINDOW);
	assert_int_equal(m->sources[0].n_asked, 0);
	assert_int_equal(hf_xfer_deadline(m->x), HOUR_MS);
	assert_true(sim_run(m, HOUR_MS + HOUR_MS / 2));
	sim_is_whole(m);
	hf_xfer_free(m->x);
}

static void a_full_disk_ends_the_job_and_every_later_call_says_so(void **state)
{
	struct sim *m = &sim;
	struct hf_xfer_request q;
	const uint8_t b = 0;

	(void)state;
	sim_init(m, 13, 50);
	sim_start(m, 2);
	assert_false(sim_run(m, m->now + 60));
	m->done_gives = HF_ERR_FULL;
	assert_true(sim_run(m, HOUR_MS));
	assert_int_equal(sim_progress(m).state, HF_XFER_FAILED);
	assert_err(hf_xfer_next(m->x, &q, m->now), HF_ERR_FULL);
	assert_err(hf_xfer_data(m->x, 1, &b, 1, m->now), HF_ERR_FULL);
	assert_err(hf_xfer_end(m->x, 1, m->now), HF_ERR_FULL);
	hf_xfer_free(m->x);
}

static void bytes_of_an_unknown_request_are_dropped(void **state)
{
	struct sim *m = &sim;
	const uint8_t b = 0;

	(void)state;
	sim_init(m, 14, 50);
	sim_start(m, 1);
	assert_err(hf_xfer_data(m->x, 1, &b, 1, m->now), HF_ERR_NOT_FOUND);
	assert_err(hf_xfer_end(m->x, 1, m->now), HF_ERR_NOT_FOUND);
	hf_xfer_fail(m->x, 1, HF_ERR_NET, m->now);
	assert_true(sim_run(m, HOUR_MS));
	assert_err(hf_xfer_data(m->x, 1, &b, 1, m->now), HF_ERR_NOT_FOUND);
	sim_is_whole(m);
	hf_xfer_free(m->x);
}

static void refuses_more_sources_than_its_limit(void **state)
{
	struct sim *m = &sim;

	(void)state;
	sim_init(m, 15, 50);
	sim_start(m, SOURCES);
	assert_err(hf_xfer_source_add(m->x, 99, HF_SOURCE_HUB, 0, m->now), HF_ERR_LIMIT);
	sim_lose(m, 2);
	sim_add(m, 2); /* a known one may come back */
	hf_xfer_source_lost(m->x, 99, m->now);
	hf_xfer_free(m->x);
}

/* Any mixture of sources in any order of events; what can be had at an honest one, is had. */
static void a_random_schedule_ends_whole(uint64_t seed)
{
	struct sim *m = &sim;
	uint32_t honest;

	sim_init(m, seed, 1 + (uint32_t)(seed * 7 % 60));
	for (uint32_t i = 0; i < m->n_chunks; i++)
		if (test_rng_below(&m->r, 3) == 0)
			m->have[i / 8] |= (uint8_t)(1 << i % 8);
	m->config.max_requests = 1 + (uint32_t)test_rng_below(&m->r, 8);
	m->config.max_per_source = 1 + (uint32_t)test_rng_below(&m->r, m->config.max_requests);
	m->config.max_hedges = (uint32_t)test_rng_below(&m->r, 4);
	m->config.run_max = (uint32_t)test_rng_below(&m->r, 4 * CHUNK_MAX);
	m->config.rate = test_rng_below(&m->r, 4) == 0 ? 20000 : 0;
	honest = (uint32_t)test_rng_below(&m->r, SOURCES);
	for (uint32_t i = 0; i < SOURCES; i++) {
		struct sim_source *s = &m->sources[i];

		s->cost = (uint16_t)test_rng_below(&m->r, 3);
		s->step_ms = 1 + (uint32_t)test_rng_below(&m->r, 400);
		s->piece = 1 + (uint32_t)test_rng_below(&m->r, CHUNK_MAX);
		if (test_rng_below(&m->r, 2) == 0) {
			s->dies_at = m->now + 1 + test_rng_below(&m->r, 5000);
			s->back_at = s->dies_at + 1 + test_rng_below(&m->r, 20000);
		}
		if (i == honest)
			continue;
		s->manner = (enum manner)test_rng_below(&m->r, REFUSES + 1);
		for (uint32_t k = 0; k < m->n_chunks; k++)
			s->lacks[k] = test_rng_below(&m->r, 4) == 0;
	}
	sim_start(m, SOURCES);
	if (!sim_run(m, 10 * (uint64_t)HOUR_MS))
		fail_msg("seed %llu did not end", (unsigned long long)seed);
	sim_is_whole(m);
	hf_xfer_free(m->x);
}

static void thousands_of_random_schedules_end_whole(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 3000; seed++)
		a_random_schedule_ends_whole(seed);
}

static int start(void **state)
{
	(void)state;
	return hf_module_start(0) == HF_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_limits_out_of_range),
		cmocka_unit_test(refuses_a_list_with_an_empty_or_a_long_chunk),
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(room_that_is_missing_ends_the_job),
		cmocka_unit_test(one_honest_source_gives_everything_once),
		cmocka_unit_test(a_wish_is_asked_for_first_and_the_rest_still_comes),
		cmocka_unit_test(resumes_from_any_bitmap),
		cmocka_unit_test(a_source_that_dies_half_way_costs_at_most_a_chunk_a_request),
		cmocka_unit_test(one_request_at_a_time_loses_at_most_one_chunk_a_death),
		cmocka_unit_test(a_lying_source_is_banned_and_the_honest_one_finishes),
		cmocka_unit_test(a_liar_stays_banned_when_it_comes_back),
		cmocka_unit_test(endless_data_is_cut_at_the_last_byte_asked_for),
		cmocka_unit_test(a_silent_source_holds_nothing_up_for_long),
		cmocka_unit_test(a_slow_source_does_not_make_a_slow_end),
		cmocka_unit_test(a_slow_source_alone_is_let_finish),
		cmocka_unit_test(without_any_source_the_job_is_parked_until_one_returns),
		cmocka_unit_test(work_returns_to_the_cheap_source_when_it_is_back),
		cmocka_unit_test(a_dear_source_gives_only_what_the_cheap_one_lacks),
		cmocka_unit_test(a_chunk_nobody_has_parks_the_job_until_somebody_has_it),
		cmocka_unit_test(a_source_that_only_fails_is_asked_ever_more_rarely),
		cmocka_unit_test(the_rate_limit_holds_and_the_eta_tells_the_truth),
		cmocka_unit_test(outside_its_window_the_job_is_parked),
		cmocka_unit_test(a_full_disk_ends_the_job_and_every_later_call_says_so),
		cmocka_unit_test(bytes_of_an_unknown_request_are_dropped),
		cmocka_unit_test(refuses_more_sources_than_its_limit),
		cmocka_unit_test(thousands_of_random_schedules_end_whole),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
