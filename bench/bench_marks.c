/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: bench_marks
 *
 * What tracing costs on one core: a million recipients against 8192 sites, for one assumed
 * coalition and for all of a trace, code words at hand; and what making the code words costs. Exits
 * 1 if one assumption takes more than five seconds.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench.h"
#include "os/heap.h"
#include "wmark/mark_keys.h"
#include "wmark/mark_trace.h"

enum {
	SITES = 8192,
	WORD = SITES / 8,
	RECIPIENTS = 1000000,
	MADE = 20000, /* code words that are made with the module, for its pace */
	PIECE = 4096,
	LIMIT_S = 5,
};

static double now_s(void)
{
	struct timespec t;

	bench_need(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0, "reading the clock");
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* splitmix64 */
static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static void bench_words(const uint8_t *cls)
{
	static const uint8_t key[HF_MARK_KEY_LEN] = { 1 };
	static const struct hf_mark_content content = { 0 };
	struct hf_mark_keys k;
	struct hf_mark_tensor_keys t;
	uint8_t word[WORD];
	double start = now_s();

	bench_need(hf_mark_keys_init(&k, key) == HF_OK, "the mark key");
	bench_need(hf_mark_tensor_keys_init(&t, &k, &content) == HF_OK, "a tensor's keys");
	for (uint32_t u = 0; u < MADE; u++) {
		struct hf_bytes name = { (const uint8_t *)&u, sizeof(u) };
		struct hf_sm4_key r;

		bench_need(hf_mark_word_key(&r, &k, name) == HF_OK, "a recipient's key");
		bench_need(hf_mark_word_put(word, 0, &r, &t, cls, SITES) == HF_OK, "a word");
	}
	printf("code words: %.1f s for %d recipients, %d sites\n",
		(now_s() - start) * RECIPIENTS / MADE, RECIPIENTS, SITES);
}

/* One assumption is a sum for each recipient. */
static bool bench_score(const struct hf_mark_words *words, const double *d)
{
	static float score[PIECE];
	struct hf_mark_scorer s;
	double start = now_s();
	double s_taken;
	float best = 0;

	bench_need(hf_mark_scorer_init(&s, d, SITES, hf_os_mem()) == HF_OK, "tables");
	for (size_t at = 0; at < words->n; at += PIECE) {
		size_t n = words->n - at < PIECE ? words->n - at : PIECE;

		hf_mark_scorer_run(&s, score, words, at, n);
		for (size_t i = 0; i < n; i++)
			best = fmaxf(best, score[i]);
	}
	hf_mark_scorer_clear(&s);
	s_taken = now_s() - start;
	printf("one assumption: %.2f s (limit %d s); best score %.1f\n", s_taken, LIMIT_S,
		(double)best);
	return s_taken <= LIMIT_S;
}

int main(void)
{
	static uint8_t cls[SITES];
	static double y[SITES];
	uint64_t state = 42;
	uint8_t *bits = malloc((size_t)RECIPIENTS * WORD);
	struct hf_mark_words words = { bits, RECIPIENTS, WORD };
	struct hf_mark_leak leak = { y, cls, SITES, 0.1 };
	struct hf_mark_trace t;
	double start;
	bool is_fast;

	bench_need(bits != NULL, "a gigabyte of memory");
	bench_start(bench_cpu());
	/* Fair coins for everybody: what a sum costs does not depend on the bits. */
	for (size_t i = 0; i < (size_t)RECIPIENTS * WORD; i += 8) {
		uint64_t x = next(&state);

		for (size_t j = 0; j < 8; j++)
			bits[i + j] = (uint8_t)(x >> (8 * j));
	}
	for (size_t j = 0; j < SITES; j++) {
		cls[j] = HF_MARK_CLASSES / 2;
		y[j] = (bits[j / 8] >> j % 8 & 1) != 0 ? 1 : -1;
	}
	bench_words(cls);
	is_fast = bench_score(&words, y);
	start = now_s();
	bench_need(hf_mark_trace(&t, NULL, &leak, &words, RECIPIENTS,
			   HF_MARK_VIEWS * HF_MARK_ASSUMED * HF_MARK_ROUNDS, hf_os_mem()) == HF_OK,
		"the trace");
	printf("a trace: %.1f s, %u rounds of %d assumptions, %zu named, log10 p %.0f\n",
		now_s() - start, t.n_rounds, HF_MARK_ASSUMED, t.n_named,
		t.n_named > 0 ? t.named[0].log10_p : 0);
	free(bits);
	return is_fast ? 0 : 1;
}
