/* SPDX-License-Identifier: Apache-2.0 */
#include "random_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "os/file.h"
#include "os/heap.h"

enum { LINE_LEN = 160 };

#define MEMORY_MAX (UINT64_C(2) << 30) /* bytes of all slots, unless one alone takes more */

static size_t sample_len(const struct hufu_random *c)
{
	return (c->plan.n_bits + 7) / 8;
}

/* Two samples a worker, so that none waits for the next one to be read. */
static hf_err make_slots(struct hufu_random *c, struct hf_errinfo *ei)
{
	size_t workers = c->env->pool == NULL ? 1 : hf_pool_workers(c->env->pool);
	uint64_t fit = MEMORY_MAX / hf_random_memory(c->plan.n_bits);
	hf_err e = HF_OK;

	c->n_slots = workers == 1 ? 1 : 2 * workers;
	c->n_slots = c->n_slots < HUFU_RANDOM_SLOTS_MAX ? c->n_slots : HUFU_RANDOM_SLOTS_MAX;
	c->n_slots = c->n_slots < fit ? c->n_slots : fit == 0 ? 1 : (size_t)fit;
	c->n_slots = c->n_slots < c->n_samples ? c->n_slots : c->n_samples;
	for (size_t i = 0; e == HF_OK && i < c->n_slots; i++) {
		struct hufu_random_slot *s = &c->slot[i];

		s->bytes = hf_mem_new(c->env->mem, sample_len(c));
		s->words =
			hf_mem_array(c->env->mem, HF_BITS_WORDS(c->plan.n_bits), sizeof(*s->words));
		e = hf_random_init(&s->work, c->env->mem);
		if (s->bytes == NULL || s->words == NULL)
			e = HF_ERR_NO_MEMORY;
	}
	return e == HF_OK ? e : hf_fail(ei, e, "no memory for samples of %zu bits", c->plan.n_bits);
}

void hufu_random_end(struct hufu_random *c)
{
	for (size_t i = 0; i < c->n_slots; i++) {
		struct hufu_random_slot *s = &c->slot[i];

		hf_mem_free(c->env->mem, s->bytes);
		hf_mem_free(c->env->mem, s->words);
		hf_random_clear(&s->work);
		s->bytes = NULL;
		s->words = NULL;
	}
	c->n_slots = 0;
}

/* One sample. HF_ERR_TRUNCATED: the file ends within it, or before. */
static hf_err take_sample(struct hufu_random *c, uint8_t *out, struct hf_errinfo *ei)
{
	size_t len = sample_len(c);
	size_t at = 0;
	size_t got = 1;
	hf_err e = HF_OK;

	if (c->fd < 0) {
		e = hf_rng_fill(&c->rng, out, len);
		return e == HF_OK ? e : hf_fail(ei, e, "the generator: %s", hf_err_text(e));
	}
	for (; e == HF_OK && got > 0 && at < len; at += got)
		e = hf_file_read(c->fd, out + at, len - at, &got, ei);
	return e == HF_OK && at < len ? HF_ERR_TRUNCATED : e;
}

static hf_err test_sample(void *ctx, size_t i)
{
	struct hufu_random *c = ctx;
	struct hufu_random_slot *s = &c->slot[i];
	struct hf_bits b = hf_bits_load(s->words, s->bytes, c->plan.n_bits);

	for (size_t k = 0; k < c->plan.n_items; k++)
		if (!c->is_off[k])
			HF_TRY(hf_random_run(&s->work, &c->plan.item[k], &b, s->values[k]));
	return HF_OK;
}

static hf_err write_value(struct hufu_random *c, const struct hf_random_item *item, unsigned part,
	struct hf_random_value v, struct hf_errinfo *ei)
{
	char params[32];
	char line[LINE_LEN];
	int len;

	hf_random_params(params, item);
	len = snprintf(line, sizeof(line), "%" PRIu32 ",%s,%s,%s,%.6f,%.6f\n", c->n_done + 1,
		hf_random_name(item->test), params, hf_random_part(item->test, part), v.p, v.q);
	return hf_file_write(c->values_fd, line, (size_t)len, ei);
}

static hf_err count_sample(
	struct hufu_random *c, const struct hufu_random_slot *s, struct hf_errinfo *ei)
{
	for (size_t k = 0; k < c->plan.n_items; k++) {
		const struct hf_random_item *item = &c->plan.item[k];

		for (unsigned i = 0; !c->is_off[k] && i < hf_random_n_values(item->test); i++) {
			hf_random_count(&c->row[k][i].tally, s->values[k][i]);
			c->row[k][i].last = s->values[k][i];
			if (c->values_fd >= 0)
				HF_TRY(write_value(c, item, i, s->values[k][i], ei));
		}
	}
	c->n_done++;
	return HF_OK;
}

/* Fills as many slots as there are samples left, tests them side by side, counts them in order. */
static hf_err run_batch(struct hufu_random *c, bool *is_last, struct hf_errinfo *ei)
{
	size_t n = 0;
	hf_err e = HF_OK;

	while (e == HF_OK && n < c->n_slots && c->n_done + n < c->n_samples) {
		e = take_sample(c, c->slot[n].bytes, ei);
		n += e == HF_OK;
	}
	if (e == HF_ERR_TRUNCATED && c->n_done + n == 0)
		return hf_fail(ei, e, "there is not one whole sample of %zu bits", c->plan.n_bits);
	if (e == HF_ERR_TRUNCATED && !c->is_short_ok)
		return hf_fail(ei, e, "only %zu of the %" PRIu32 " samples are there",
			c->n_done + n, c->n_samples);
	if (e != HF_OK && e != HF_ERR_TRUNCATED)
		return e;
	*is_last = e == HF_ERR_TRUNCATED || c->n_done + n == c->n_samples;
	e = HF_OK;
	if (c->env->pool != NULL)
		e = hf_pool_for(c->env->pool, n, test_sample, c);
	for (size_t i = 0; c->env->pool == NULL && e == HF_OK && i < n; i++)
		e = test_sample(c, i);
	if (e != HF_OK)
		return hf_fail(ei, e, "samples of %zu bits: %s", c->plan.n_bits, hf_err_text(e));
	for (size_t i = 0; i < n; i++)
		HF_TRY(count_sample(c, &c->slot[i], ei));
	return HF_OK;
}

static hf_err run_round(struct hufu_random *c, struct hf_errinfo *ei)
{
	uint64_t total = (uint64_t)c->n_samples * sample_len(c);
	bool is_last = false;
	hf_err e = HF_OK;

	c->n_done = 0;
	hufu_progress_init(&c->progress, "testing", c->is_quiet);
	while (e == HF_OK && !is_last) {
		e = run_batch(c, &is_last, ei);
		hufu_progress_show(&c->progress, (uint64_t)c->n_done * sample_len(c), total);
	}
	hufu_progress_end(&c->progress);
	return e;
}

hf_err hufu_random_run(struct hufu_random *c, struct hf_errinfo *ei)
{
	HF_TRY(make_slots(c, ei));
	return run_round(c, ei);
}

hf_err hufu_random_repeat(struct hufu_random *c, struct hf_errinfo *ei)
{
	for (size_t k = 0; k < c->plan.n_items; k++) {
		c->is_off[k] = hufu_random_item_passed(c, k);
		if (c->is_off[k])
			continue;
		c->is_repeated[k] = true;
		memset(c->row[k], 0, sizeof(c->row[k]));
	}
	return run_round(c, ei);
}

bool hufu_random_item_passed(const struct hufu_random *c, size_t item)
{
	for (unsigned i = 0; i < hf_random_n_values(c->plan.item[item].test); i++)
		if (!hf_random_is_passed(&c->row[item][i].tally))
			return false;
	return true;
}

unsigned hufu_random_n_failed(const struct hufu_random *c)
{
	unsigned n = 0;

	for (size_t k = 0; k < c->plan.n_items; k++)
		n += !hufu_random_item_passed(c, k);
	return n;
}
