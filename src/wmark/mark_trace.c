/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sites of one cell (class, bin, how many of the named hold a one) count the same, so the channel
 * and the bound are computed over cells. Rounds are sound because an innocent's history before he
 * would be named is the one without him; the union over rounds is among the looks.
 */
#include "wmark/mark_trace.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "wmark/mark_bound.h"
#include "wmark/mark_em.h"

enum {
	BLOCK = 4096, /* recipients scored at a time */
	TERMS_MAX = HF_MARK_CLASSES * HF_MARK_COALITION_MAX * HF_MARK_BINS,
};

#define EXACT_LOG10 (-3.0) /* scores at least as good are summed again in double */

static const unsigned assumed[HF_MARK_ASSUMED] = { 1, 2, 3, 4, 6, 8, 12, 20 };

struct work {
	const struct hf_mark_leak *leak;
	const struct hf_mark_words *words;
	const struct hf_mem *mem;
	struct hf_mark_trace out;
	double log10_family; /* of recipients times looks */
	double *best;        /* least log10 p of this round, a recipient */
	uint8_t *under;      /* the assumption of that one */
	double *d;           /* what a site counts */
	uint8_t *bin;        /* of a site */
	uint8_t *n_one;      /* of a site: named recipients who hold a one */
	struct hf_mark_cells cells;
	struct hf_mark_channel channel;
	struct hf_mark_term terms[TERMS_MAX];
	double ratio[HF_MARK_CLASSES][HF_MARK_COALITION_MAX][HF_MARK_BINS];
	float score[BLOCK];
};

const char *hf_mark_verdict_text(enum hf_mark_verdict v)
{
	return v == HF_MARK_EVIDENCE  ? "evidence"
	       : v == HF_MARK_ACCUSED ? "accused"
				      : "not established";
}

static void count_cells(struct work *w)
{
	memset(&w->cells, 0, sizeof(w->cells));
	memset(w->n_one, 0, w->leak->n_sites);
	w->cells.n_named = (unsigned)w->out.n_named;
	for (size_t j = 0; j < w->leak->n_sites; j++) {
		for (size_t i = 0; i < w->out.n_named; i++) {
			const uint8_t *word =
				w->words->bits + w->out.named[i].who * w->words->word_len;

			w->n_one[j] = (uint8_t)(w->n_one[j] + (word[j >> 3] >> (j & 7) & 1));
		}
		if (w->bin[j] != HF_MARK_NO_BIN)
			w->cells.n[w->leak->cls[j]][w->n_one[j]][w->bin[j]]++;
	}
}

/* What each site counts under the fitted channel, and the bound of the sums. */
static void weigh(struct work *w, struct hf_mark_bound *bound)
{
	size_t n = 0;

	for (unsigned cls = 0; cls < HF_MARK_CLASSES; cls++) {
		for (unsigned one = 0; one <= w->cells.n_named; one++) {
			for (unsigned y = 0; y < HF_MARK_BINS; y++) {
				double r;

				if (w->cells.n[cls][one][y] == 0)
					continue;
				r = hf_mark_channel_ratio(
					&w->channel, cls, w->cells.n_named, one, y);
				w->ratio[cls][one][y] = r;
				w->terms[n++] = (struct hf_mark_term){ w->cells.n[cls][one][y],
					hf_mark_threshold[cls] / 256.0, r };
			}
		}
	}
	hf_mark_bound_init(bound, w->terms, n);
	for (size_t j = 0; j < w->leak->n_sites; j++)
		w->d[j] = w->bin[j] == HF_MARK_NO_BIN
				  ? 0
				  : w->ratio[w->leak->cls[j]][w->n_one[j]][w->bin[j]];
}

static hf_err score_all(struct work *w, unsigned c)
{
	struct hf_mark_scorer scorer = { 0 };
	struct hf_mark_bound bound;
	hf_err e;

	weigh(w, &bound);
	e = hf_mark_scorer_init(&scorer, w->d, w->leak->n_sites, w->mem);
	if (e != HF_OK)
		return e;
	for (size_t at = 0; at < w->words->n; at += BLOCK) {
		size_t n = w->words->n - at < BLOCK ? w->words->n - at : BLOCK;

		hf_mark_scorer_run(&scorer, w->score, w->words, at, n);
		for (size_t i = 0; i < n; i++) {
			const uint8_t *word = w->words->bits + (at + i) * w->words->word_len;
			double p = hf_mark_bound_log10(&bound, w->score[i]);

			if (p <= EXACT_LOG10)
				p = hf_mark_bound_log10(
					&bound, hf_mark_score(w->d, w->leak->n_sites, word));
			if (p < w->best[at + i]) {
				w->best[at + i] = p;
				w->under[at + i] = (uint8_t)c;
			}
		}
	}
	hf_mark_scorer_clear(&scorer);
	return HF_OK;
}

static bool is_named(const struct hf_mark_trace *t, size_t who)
{
	for (size_t i = 0; i < t->n_named; i++)
		if (t->named[i].who == who)
			return true;
	return false;
}

/* Puts one into the list of this round, which begins at from, by its p. */
static void insert(struct hf_mark_trace *t, size_t from, struct hf_mark_named named)
{
	size_t i = t->n_named++;

	for (; i > from && t->named[i - 1].log10_p > named.log10_p; i--)
		t->named[i] = t->named[i - 1];
	t->named[i] = named;
}

static hf_err name_hits(struct work *w, unsigned round)
{
	struct hf_mark_trace *t = &w->out;
	size_t from = t->n_named;

	for (size_t u = 0; u < w->words->n; u++) {
		double p = w->best[u];
		bool is_evidence = p <= HF_MARK_EVIDENCE_LOG10;

		if (p > t->log10_p_limit || is_named(t, u))
			continue;
		if (t->n_named == HF_MARK_NAMED_MAX)
			return HF_ERR_LIMIT;
		insert(t, from,
			(struct hf_mark_named){ u, round, w->under[u], p, p + w->log10_family,
				is_evidence ? HF_MARK_EVIDENCE : HF_MARK_ACCUSED });
	}
	return HF_OK;
}

/* One round; *is_over: nobody was named, or nothing can be assumed any more. */
static hf_err run_round(struct work *w, unsigned round, double *best_log10, bool *is_over)
{
	size_t before = w->out.n_named;
	double fit = -INFINITY;
	bool is_run = false;

	*is_over = true;
	if (before >= HF_MARK_COALITION_MAX)
		return HF_OK;
	count_cells(w);
	for (size_t u = 0; u < w->words->n; u++)
		w->best[u] = 0;
	for (size_t i = 0; i < HF_MARK_ASSUMED; i++) {
		unsigned c = assumed[i];

		if (c <= before)
			continue;
		is_run = true;
		hf_mark_channel_fit(&w->channel, &w->cells, c, w->leak->noise);
		if (round == 0 && w->channel.log_likelihood - (2.0 * c - 1) > fit) {
			fit = w->channel.log_likelihood - (2.0 * c - 1);
			w->out.coalition = c;
		}
		HF_TRY(score_all(w, c));
	}
	w->out.n_rounds += is_run;
	for (size_t u = 0; best_log10 != NULL && u < w->words->n; u++)
		if (!is_named(&w->out, u))
			best_log10[u] = fmin(best_log10[u], w->best[u]);
	HF_TRY(name_hits(w, round));
	*is_over = w->out.n_named == before;
	return HF_OK;
}

static hf_err check(const struct hf_mark_leak *leak, const struct hf_mark_words *words,
	uint64_t n_registered, uint64_t n_looks)
{
	if (leak->n_sites == 0 || leak->n_sites > HF_MARK_SITES_MAX || !(leak->noise > 0) ||
		!isfinite(leak->noise) || words->word_len < hf_mark_word_len(leak->n_sites) ||
		words->n == 0 || n_registered < words->n ||
		n_looks < HF_MARK_ASSUMED * HF_MARK_ROUNDS)
		return HF_ERR_ARG;
	for (size_t j = 0; j < leak->n_sites; j++)
		if (leak->cls[j] >= HF_MARK_CLASSES)
			return HF_ERR_ARG;
	return HF_OK;
}

static hf_err work_init(struct work *w, const struct hf_mark_leak *leak,
	const struct hf_mark_words *words, const struct hf_mem *mem)
{
	w->leak = leak;
	w->words = words;
	w->mem = mem;
	w->best = hf_mem_array(mem, words->n, sizeof(*w->best));
	w->under = hf_mem_array(mem, words->n, sizeof(*w->under));
	w->d = hf_mem_array(mem, leak->n_sites, sizeof(*w->d));
	w->bin = hf_mem_array(mem, leak->n_sites, sizeof(*w->bin));
	w->n_one = hf_mem_array(mem, leak->n_sites, sizeof(*w->n_one));
	if (w->best == NULL || w->under == NULL || w->d == NULL || w->bin == NULL ||
		w->n_one == NULL)
		return HF_ERR_NO_MEMORY;
	for (size_t j = 0; j < leak->n_sites; j++) {
		w->bin[j] = hf_mark_bin(leak->y[j], hf_mark_limit(leak->noise));
		w->out.n_read += w->bin[j] != HF_MARK_NO_BIN;
	}
	return HF_OK;
}

static void work_free(struct work *w, const struct hf_mem *mem)
{
	if (w == NULL)
		return;
	hf_mem_free(mem, w->best);
	hf_mem_free(mem, w->under);
	hf_mem_free(mem, w->d);
	hf_mem_free(mem, w->bin);
	hf_mem_free(mem, w->n_one);
	hf_mem_free(mem, w);
}

hf_err hf_mark_trace(struct hf_mark_trace *out, double *best_log10, const struct hf_mark_leak *leak,
	const struct hf_mark_words *words, uint64_t n_registered, uint64_t n_looks,
	const struct hf_mem *mem)
{
	struct work *w = NULL;
	bool is_over = false;
	hf_err e = check(leak, words, n_registered, n_looks);

	if (e != HF_OK)
		return e;
	w = hf_mem_new(mem, sizeof(*w));
	e = w == NULL ? HF_ERR_NO_MEMORY : work_init(w, leak, words, mem);
	if (e != HF_OK)
		goto out;

	w->log10_family = log10((double)n_registered) + log10((double)n_looks);
	w->out.log10_p_limit = HF_MARK_FAMILY_LOG10 - w->log10_family;
	for (size_t u = 0; best_log10 != NULL && u < words->n; u++)
		best_log10[u] = 0;
	for (unsigned round = 0; round < HF_MARK_ROUNDS && !is_over && e == HF_OK; round++)
		e = run_round(w, round, best_log10, &is_over);
	if (w->out.coalition < w->out.n_named)
		w->out.coalition = (unsigned)w->out.n_named;
	if (e == HF_OK)
		*out = w->out;
out:
	work_free(w, mem);
	return e;
}
