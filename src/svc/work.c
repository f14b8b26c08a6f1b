/* SPDX-License-Identifier: Apache-2.0 */
#include "svc/work.h"

#include <string.h>

#include "base/wipe.h"
#include "pkg/body.h"

enum { CODEC_ROOM = 1536 << 10 }; /* bytes of a compressor's tables */

hf_err hf_work_show(const struct hf_work_progress *progress, uint64_t done, uint64_t total,
	struct hf_errinfo *ei)
{
	if (progress == NULL)
		return HF_OK;
	if (progress->show != NULL)
		progress->show(progress->ctx, done, total);
	if (progress->is_stopped != NULL && progress->is_stopped(progress->ctx))
		return hf_fail(ei, HF_ERR_CLOSED, "stopped; nothing is left behind");
	return HF_OK;
}

/* A slot takes plain, sealed and encoded bytes, what zstd works in, and planes when sealing. */
static size_t slots_for(
	const struct hf_env *env, size_t chunk_max, enum hf_codec_use use, bool has_bases)
{
	size_t n = env->pool == NULL ? 1 : 2 * (size_t)hf_pool_workers(env->pool) + 2;
	bool seals = use != HF_CODEC_DECODE;
	size_t buffers = (seals ? 4 : 3) + (!has_bases ? 0 : seals ? 3 : 1);
	size_t fits = HF_WORK_MEMORY / (buffers * chunk_max + CODEC_ROOM);

	n = n < HF_WORK_SLOTS_MAX ? n : HF_WORK_SLOTS_MAX;
	n = n < fits ? n : fits;
	return n == 0 ? 1 : n;
}

static hf_err add_bases(
	struct hf_work_slot *s, const struct hf_env *env, size_t chunk_max, enum hf_codec_use use)
{
	s->base = hf_mem_new(env->mem, chunk_max);
	if (s->base == NULL)
		return HF_ERR_NO_MEMORY;
	if (use == HF_CODEC_DECODE)
		return HF_OK;
	s->other = hf_mem_new(env->mem, chunk_max);
	if (s->other == NULL)
		return HF_ERR_NO_MEMORY;
	return hf_codec_init(&s->opener, env->mem, HF_CODEC_DECODE, chunk_max);
}

hf_err hf_work_init(struct hf_work *w, const struct hf_env *env, size_t chunk_max,
	enum hf_codec_use use, bool has_bases, struct hf_errinfo *ei)
{
	hf_err e = HF_OK;

	memset(w, 0, sizeof(*w));
	w->env = env;
	w->plain_cap = chunk_max;
	w->n_slots = slots_for(env, chunk_max, use, has_bases);
	for (size_t i = 0; e == HF_OK && i < w->n_slots; i++) {
		struct hf_work_slot *s = &w->slot[i];

		s->plain = hf_mem_new(env->mem, chunk_max);
		s->sealed = hf_mem_new(env->mem, chunk_max + HF_CHUNK_TAG_LEN);
		e = s->plain == NULL || s->sealed == NULL
			    ? HF_ERR_NO_MEMORY
			    : hf_codec_init(&s->codec, env->mem, use, chunk_max);
		if (e == HF_OK && has_bases)
			e = add_bases(s, env, chunk_max, use);
	}
	if (e != HF_OK) {
		hf_work_clear(w);
		return hf_fail(
			ei, e, "buffers for chunks of %zu bytes: %s", chunk_max, hf_err_text(e));
	}
	return HF_OK;
}

void hf_work_clear(struct hf_work *w)
{
	for (size_t i = 0; i < w->n_slots; i++) {
		struct hf_work_slot *s = &w->slot[i];

		if (s->plain != NULL)
			hf_wipe(s->plain, w->plain_cap);
		if (s->base != NULL)
			hf_wipe(s->base, w->plain_cap);
		if (s->other != NULL)
			hf_wipe(s->other, w->plain_cap);
		hf_mem_free(w->env->mem, s->base);
		hf_mem_free(w->env->mem, s->other);
		hf_codec_clear(&s->opener);
		hf_mem_free(w->env->mem, s->plain);
		hf_mem_free(w->env->mem, s->sealed);
		hf_codec_clear(&s->codec);
	}
	memset(w, 0, sizeof(*w));
}

hf_err hf_work_run(struct hf_work *w, size_t n, hf_err (*job)(void *ctx, size_t i), void *ctx)
{
	if (w->env->pool != NULL)
		return hf_pool_for(w->env->pool, n, job, ctx);
	for (size_t i = 0; i < n; i++)
		HF_TRY(job(ctx, i));
	return HF_OK;
}
