/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Coalitions are named and nobody else, wrong recipients exceed the bound no more often than it
 * says, and what is refused. Readings are simulated site by site; that numbers agree with a model
 * is tests/e2e/test_marks.py.
 */
#include "test.h"

#include <math.h>

#include "wmark/mark_bound.h"
#include "wmark/mark_keys.h"
#include "wmark/mark_trace.h"

enum {
	SITES_MAX = 2048,
	COALITION_MAX = 8,
	INNOCENTS = 100,
	LOOKS = HF_MARK_VIEWS * HF_MARK_ASSUMED * HF_MARK_ROUNDS,
	MILLION = 1000000,
};

struct scene {
	size_t n_sites;
	size_t n;
	uint8_t cls[SITES_MAX];
	double y[SITES_MAX];
	uint8_t *words; /* n of SITES_MAX / 8 bytes */
	struct test_rng rng;
};

static double uniform(struct scene *s)
{
	return ((double)test_rng_below(&s->rng, 1u << 30) + 0.5) / (1u << 30);
}

/* A sum of twelve: normal enough for noise. */
static double noise(struct scene *s)
{
	double sum = -6;

	for (unsigned i = 0; i < 12; i++)
		sum += uniform(s);
	return sum;
}

static void scene_init(struct scene *s, uint64_t seed, size_t n_sites, size_t n)
{
	(void)test_rng(&s->rng, seed);
	s->n_sites = n_sites;
	s->n = n;
	s->words = calloc(n, SITES_MAX / 8);
	assert_non_null(s->words);
	for (size_t j = 0; j < n_sites; j++)
		s->cls[j] = (uint8_t)test_rng_below(&s->rng, HF_MARK_CLASSES);
	for (size_t u = 0; u < n; u++)
		for (size_t j = 0; j < n_sites; j++)
			if (test_rng_below(&s->rng, 256) < hf_mark_threshold[s->cls[j]])
				s->words[u * (SITES_MAX / 8) + j / 8] |= (uint8_t)(1u << j % 8);
}

static bool holds_one(const struct scene *s, size_t u, size_t j)
{
	return (s->words[u * (SITES_MAX / 8) + j / 8] >> j % 8 & 1) != 0;
}

enum attack { AVERAGE, MINIMUM, MAXIMUM, RANDOM, MAJORITY, NOTHING };

/* What the first c leave in a site. */
static double collude(struct scene *s, enum attack a, size_t c, size_t j)
{
	double k = 0;

	for (size_t u = 0; u < c; u++)
		k += holds_one(s, u, j);
	switch (a) {
	case AVERAGE: return 2 * k / (double)c - 1;
	case MINIMUM: return k < (double)c ? -1 : 1;
	case MAXIMUM: return k > 0 ? 1 : -1;
	case RANDOM: return holds_one(s, test_rng_below(&s->rng, c), j) ? 1 : -1;
	case MAJORITY: return 2 * k >= (double)c ? 1 : -1;
	default: return 0;
	}
}

static void attack(struct scene *s, enum attack a, size_t c)
{
	for (size_t j = 0; j < s->n_sites; j++)
		s->y[j] = collude(s, a, c, j) + 0.1 * noise(s);
}

static hf_err trace(struct hf_mark_trace *t, double *best, const struct scene *s)
{
	struct hf_mark_leak leak = { s->y, s->cls, s->n_sites, 0.1 };
	struct hf_mark_words words = { s->words, s->n, SITES_MAX / 8 };

	return hf_mark_trace(t, best, &leak, &words, MILLION, LOOKS, &test_mem);
}

static void coalitions_are_named_and_nobody_else(void **state)
{
	static const struct {
		enum attack attack;
		size_t n_sites;
		size_t c;
		size_t least; /* named */
	} rows[] = {
		{ AVERAGE, 512, 1, 1 },
		{ AVERAGE, 1024, 2, 2 },
		{ AVERAGE, 1024, 5, 5 },
		{ AVERAGE, 1024, 8, 8 },
		{ MINIMUM, 1024, 3, 1 },
		{ MINIMUM, 2048, 4, 1 },
		{ MAXIMUM, 1024, 3, 1 },
		{ MAXIMUM, 2048, 4, 1 },
		{ RANDOM, 1024, 2, 2 },
		{ RANDOM, 2048, 4, 1 },
		{ MAJORITY, 1024, 3, 3 },
		{ MAJORITY, 2048, 6, 1 },
		{ RANDOM, 256, 8, 0 }, /* too many for so few sites: nobody, and no innocent */
		{ NOTHING, 1024, 1, 0 },
	};
	static struct scene s;

	(void)state;
	for (size_t i = 0; i < HF_COUNT(rows); i++) {
		struct hf_mark_trace t;

		memset(&s, 0, sizeof(s));
		scene_init(&s, 100 + i, rows[i].n_sites, rows[i].c + INNOCENTS);
		attack(&s, rows[i].attack, rows[i].c);
		assert_ok(trace(&t, NULL, &s));
		print_message("attack %d, %zu of %zu named, %u rounds, c = %u\n", rows[i].attack,
			t.n_named, rows[i].c, t.n_rounds, t.coalition);
		assert_true(t.n_named >= rows[i].least);
		assert_int_equal(t.n_read, s.n_sites);
		for (size_t k = 0; k < t.n_named; k++) {
			assert_true(t.named[k].who < rows[i].c);
			assert_true(t.named[k].log10_p_family <= HF_MARK_FAMILY_LOG10);
			assert_int_equal(t.named[k].verdict,
				t.named[k].log10_p <= HF_MARK_EVIDENCE_LOG10 ? HF_MARK_EVIDENCE
									     : HF_MARK_ACCUSED);
		}
		free(s.words);
	}
}

/* Among n who had nothing to do with it, at level 10^-k at most so many per assumption. */
static void wrong_recipients_stay_within_the_bound(void **state)
{
	enum { N = 100000, SITES = 256 };
	static struct scene s;
	static double best[N];
	static const enum attack attacks[] = { AVERAGE, RANDOM, MINIMUM };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(attacks); i++) {
		struct hf_mark_trace t;
		unsigned over[5] = { 0 };

		memset(&s, 0, sizeof(s));
		scene_init(&s, 7 + i, SITES, 2);
		attack(&s, attacks[i], 2);
		free(s.words);
		s.n = N;
		s.words = calloc(N, SITES_MAX / 8);
		assert_non_null(s.words);
		for (size_t u = 0; u < N; u++)
			for (size_t j = 0; j < SITES; j++)
				if (test_rng_below(&s.rng, 256) < hf_mark_threshold[s.cls[j]])
					s.words[u * (SITES_MAX / 8) + j / 8] |=
						(uint8_t)(1u << j % 8);
		assert_ok(trace(&t, best, &s));
		assert_int_equal(t.n_named, 0);
		for (size_t u = 0; u < N; u++)
			for (unsigned k = 1; k < 5; k++)
				over[k] += best[u] <= -(double)k;
		print_message("attack %d: %u %u %u %u of %d\n", attacks[i], over[1], over[2],
			over[3], over[4], N);
		/* The best of eight assumptions stays below the bound of a single one. */
		for (unsigned k = 1; k < 5; k++)
			assert_true(over[k] <= N * pow(10, -(double)k));
		free(s.words);
	}
}

static void the_bound_is_never_below_the_truth(void **state)
{
	static const struct hf_mark_term one = { 20, 0.25, 1 };
	struct hf_mark_bound b;
	double tail = 0;
	double choose = 1;

	(void)state;
	hf_mark_bound_init(&b, &one, 1);
	assert_true(fabs(b.mean - 5) < 1e-12);
	assert_true(hf_mark_bound_log10(&b, 5) == 0 && hf_mark_bound_log10(&b, -100) == 0);
	for (unsigned k = 20; k > 5; k--) { /* P(Bin(20, 1/4) >= k), from the top */
		tail += choose * pow(.25, k) * pow(.75, 20 - k);
		choose = choose * k / (20 - k + 1);
		assert_true(hf_mark_bound_log10(&b, k) >= log10(tail));
		assert_true(hf_mark_bound_log10(&b, k) <= log10(tail) + 1);
	}
	for (int p = -1; p > -12; p--)
		assert_true(fabs(hf_mark_bound_log10(&b, hf_mark_bound_score(&b, p)) - p) < 1e-9);
}

static void nothing_readable_tells_nothing(void **state)
{
	static struct scene s;
	struct hf_mark_trace t;
	double best[3];

	(void)state;
	scene_init(&s, 1, 64, 3);
	for (size_t j = 0; j < s.n_sites; j++)
		s.y[j] = NAN;
	assert_ok(trace(&t, best, &s));
	assert_int_equal(t.n_read, 0);
	assert_int_equal(t.n_named, 0);
	assert_true(best[0] == 0 && best[1] == 0 && best[2] == 0);
	free(s.words);
}

static void fast_scores_are_the_slow_ones(void **state)
{
	static struct scene s;
	static float fast[INNOCENTS];
	double d[1003];
	struct hf_mark_scorer scorer;
	struct hf_mark_words words;

	(void)state;
	memset(&s, 0, sizeof(s));
	scene_init(&s, 3, 1003, INNOCENTS);
	for (size_t j = 0; j < HF_COUNT(d); j++)
		d[j] = noise(&s);
	words = (struct hf_mark_words){ s.words, s.n, SITES_MAX / 8 };
	for (size_t n_sites = 1; n_sites <= 1003; n_sites += 167) {
		assert_ok(hf_mark_scorer_init(&scorer, d, n_sites, &test_mem));
		hf_mark_scorer_run(&scorer, fast, &words, 1, INNOCENTS - 1);
		for (size_t u = 1; u < INNOCENTS; u++)
			assert_true(
				fabs(fast[u - 1] - hf_mark_score(d, n_sites,
							   s.words + u * SITES_MAX / 8)) < 1e-3);
		hf_mark_scorer_clear(&scorer);
	}
	free(s.words);
}

static void broken_contracts_are_refused(void **state)
{
	static struct scene s;
	struct hf_mark_trace t = { .coalition = 77 };
	struct hf_mark_leak leak = { s.y, s.cls, 64, 0.1 };
	struct hf_mark_words words;

	(void)state;
	memset(&s, 0, sizeof(s));
	scene_init(&s, 1, 64, 3);
	words = (struct hf_mark_words){ s.words, 3, SITES_MAX / 8 };
#define REFUSED(change, back) \
	do { \
		change; \
		assert_err( \
			hf_mark_trace(&t, NULL, &leak, &words, 3, LOOKS, &test_mem), HF_ERR_ARG); \
		back; \
	} while (0)
	REFUSED(leak.n_sites = 0, leak.n_sites = 64);
	REFUSED(leak.n_sites = HF_MARK_SITES_MAX + 1, leak.n_sites = 64);
	REFUSED(leak.noise = 0, leak.noise = 0.1);
	REFUSED(leak.noise = NAN, leak.noise = 0.1);
	REFUSED(leak.noise = INFINITY, leak.noise = 0.1);
	REFUSED(words.n = 0, words.n = 3);
	REFUSED(words.n = 4, words.n = 3); /* more than are registered */
	REFUSED(words.word_len = 7, words.word_len = SITES_MAX / 8);
	REFUSED(s.cls[63] = HF_MARK_CLASSES, s.cls[63] = 0);
#undef REFUSED
	assert_err(hf_mark_trace(&t, NULL, &leak, &words, 3, 31, &test_mem), HF_ERR_ARG);
	assert_int_equal(t.coalition, 77);
	free(s.words);
}

static void more_named_than_there_is_room_for_is_an_error(void **state)
{
	static struct scene s;
	struct hf_mark_trace t = { .coalition = 77 };

	(void)state;
	memset(&s, 0, sizeof(s));
	scene_init(&s, 9, 512, HF_MARK_NAMED_MAX + 1);
	for (size_t u = 1; u < s.n; u++) /* one word for all of them */
		memcpy(s.words + u * (SITES_MAX / 8), s.words, SITES_MAX / 8);
	attack(&s, AVERAGE, 1);
	assert_err(trace(&t, NULL, &s), HF_ERR_LIMIT);
	assert_int_equal(t.coalition, 77);
	s.n--;
	assert_ok(trace(&t, NULL, &s));
	assert_int_equal(t.n_named, HF_MARK_NAMED_MAX);
	free(s.words);
}

static void every_allocation_may_fail(void **state)
{
	static struct scene s;
	struct hf_mark_trace t = { .coalition = 77 };
	unsigned n = 1;
	hf_err e;

	(void)state;
	memset(&s, 0, sizeof(s));
	scene_init(&s, 5, 256, 4);
	attack(&s, AVERAGE, 1);
	for (;; n++) {
		test_mem_fail_at(n);
		e = trace(&t, NULL, &s);
		if (e == HF_OK)
			break;
		assert_int_equal(e, HF_ERR_NO_MEMORY);
		assert_int_equal(t.coalition, 77);
	}
	test_mem_fail_at(0);
	assert_true(n > 6);
	free(s.words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(coalitions_are_named_and_nobody_else),
		cmocka_unit_test(wrong_recipients_stay_within_the_bound),
		cmocka_unit_test(the_bound_is_never_below_the_truth),
		cmocka_unit_test(nothing_readable_tells_nothing),
		cmocka_unit_test(fast_scores_are_the_slow_ones),
		cmocka_unit_test(broken_contracts_are_refused),
		cmocka_unit_test(more_named_than_there_is_room_for_is_an_error),
		cmocka_unit_test(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
