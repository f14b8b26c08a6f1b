/* SPDX-License-Identifier: Apache-2.0 */
#include "wmark/mark_score.h"

enum {
	TILE = 256,       /* bytes of a word whose tables, 256 KiB, stay in a second-level cache */
	RECIPIENTS = 512, /* that pass a tile before the next one is fetched */
};

hf_err hf_mark_scorer_init(
	struct hf_mark_scorer *s, const double *d, size_t n_sites, const struct hf_mem *mem)
{
	struct hf_mark_scorer v = { .n_bytes = hf_mark_word_len(n_sites), .mem = mem };

	v.table = hf_mem_array(mem, v.n_bytes, 256 * sizeof(*v.table));
	if (v.table == NULL && v.n_bytes > 0)
		return HF_ERR_NO_MEMORY;
	for (size_t b = 0; b < v.n_bytes; b++) {
		float *t = v.table + 256 * b;

		for (unsigned i = 0; i < 8; i++) {
			float one = 8 * b + i < n_sites ? (float)d[8 * b + i] : 0;

			for (unsigned x = 0; x < 1u << i; x++)
				t[x | 1u << i] = t[x] + one;
		}
	}
	*s = v;
	return HF_OK;
}

void hf_mark_scorer_clear(struct hf_mark_scorer *s)
{
	if (s->mem != NULL)
		hf_mem_free(s->mem, s->table);
	*s = (struct hf_mark_scorer){ 0 };
}

/* Four sums at once: an addition need not wait for the one before. */
static float tile_sum(const float *t, const uint8_t *word, size_t n)
{
	float sum[4] = { 0 };
	size_t b = 0;

	for (; b + 4 <= n; b += 4)
		for (size_t i = 0; i < 4; i++)
			sum[i] += t[256 * (b + i) + word[b + i]];
	for (; b < n; b++)
		sum[0] += t[256 * b + word[b]];
	return sum[0] + sum[1] + (sum[2] + sum[3]);
}

void hf_mark_scorer_run(const struct hf_mark_scorer *s, float *score,
	const struct hf_mark_words *words, size_t first, size_t n)
{
	const uint8_t *bits = words->bits + first * words->word_len;

	for (size_t u = 0; u < n; u++)
		score[u] = 0;
	for (size_t block = 0; block < n; block += RECIPIENTS) {
		size_t end = n - block < RECIPIENTS ? n : block + RECIPIENTS;

		for (size_t at = 0; at < s->n_bytes; at += TILE) {
			size_t len = s->n_bytes - at < TILE ? s->n_bytes - at : TILE;

			for (size_t u = block; u < end; u++)
				score[u] += tile_sum(
					s->table + 256 * at, bits + u * words->word_len + at, len);
		}
	}
}

double hf_mark_score(const double *d, size_t n_sites, const uint8_t *word)
{
	double sum = 0;

	for (size_t j = 0; j < n_sites; j++)
		if ((word[j >> 3] >> (j & 7) & 1) != 0)
			sum += d[j];
	return sum;
}
