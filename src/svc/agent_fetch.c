/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fetch of a lineage: begun, told of sources, ended, recorded. And the row that says which
 * release is active: "active/<lineage>" among the numbered rows of meta.db, with name and number of
 * that release and the name of the one before it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/endian.h"
#include "svc/agent_inner.h"

enum {
	REQUESTS_DEVICE = 2, /* a chunk in memory for each; one a source, so that a link that
			      * breaks costs one chunk at most */
	REQUESTS_EDGE = 8,
	ROW_LEN = HF_SM3_LEN + 8,
	ROW_LONG_LEN = ROW_LEN + HF_SM3_LEN,
	ROW_NAME_MAX = HF_ID_MAX + 16,
};

static void on_chunks(void *ctx, struct hf_fetch *f)
{
	struct agent_lineage *l = ctx;

	(void)f;
	l->a->has_news = true;
}

/* On the record; and who waits for the release is told why it takes longer. */
static void on_source(void *ctx, struct hf_fetch *f, unsigned source, bool is_out, hf_err why)
{
	struct agent_lineage *l = ctx;
	const char *name = l->a->config.sources[source].name;
	const struct agent_note note = { .event = is_out ? HF_EV_SOURCE_QUARANTINED
							 : HF_EV_SOURCE_FAILED,
		.reason = why,
		.source = name,
		.lineage = l->name,
		.release = l->target.release,
		.manifest = l->target.manifest };

	(void)f;
	(void)!hf_agent_record(l->a, &note, NULL);
	l->err = HF_ERR_AGAIN;
	(void)snprintf(l->why, sizeof(l->why), "%.64s: %s; %s", name,
		why == HF_ERR_AUTH      ? "gave other bytes than were signed"
		: why == HF_ERR_LIMIT   ? "sent more than was asked for"
		: why == HF_ERR_TIMEOUT ? "is slow"
					: hf_err_text(why),
		is_out ? "it is left alone" : "others are asked too");
}

static void on_end(void *ctx, struct hf_fetch *f, hf_err e, const struct hf_errinfo *why)
{
	struct agent_lineage *l = ctx;

	(void)f;
	l->is_fetched = true;
	l->fetch_err = e;
	l->fetch_why = *why;
	l->a->is_due = true;
}

static void pump(void *ctx, unsigned source)
{
	struct agent_lineage *l = ctx;

	l->a->sources[source].is_dirty = true;
}

void hf_agent_fetch_join(struct agent_lineage *l, unsigned source)
{
	const struct hf_agent *a = l->a;
	const struct hf_agent_source *c = &a->config.sources[source];
	const struct agent_source *s = &a->sources[source];

	/* No more sources than a fetch can have: the number of both is fixed. */
	if (l->fetch != NULL && s->h != NULL && !s->is_stale)
		(void)!hf_fetch_source_up(l->fetch, source, s->h, c->kind, c->cost, a->now_ms);
}

static hf_err fetch_begin(struct agent_lineage *l, struct hf_errinfo *ei)
{
	struct hf_agent *a = l->a;
	bool is_edge = hf_agent_is_edge(a);
	/* A device asks a source for one chunk at a time: more buffers than sources are no use. */
	uint32_t n = is_edge                                 ? REQUESTS_EDGE
		     : a->config.n_sources < REQUESTS_DEVICE ? (uint32_t)a->config.n_sources
							     : REQUESTS_DEVICE;
	uint64_t share = is_edge ? AGENT_FETCHES_EDGE : AGENT_FETCHES_DEVICE;
	const struct hf_fetch_config config = { .node = a->node,
		.manifest = { l->manifest.p, l->manifest.len },
		.has_index = true, /* a device needs them, and so do those behind an edge */
		.rate = (a->config.rate + share - 1) / share, /* whoever else fetches */
		.max_requests = n,
		.max_per_source = is_edge ? n : 1,
		.on_chunks = on_chunks,
		.on_source = on_source,
		.on_end = on_end,
		.pump = pump,
		.ctx = l };

	l->is_fetched = false;
	HF_TRY(hf_fetch_new(&l->fetch, &config, a->now_ms, ei));
	a->n_fetches++;
	for (unsigned i = 0; i < a->config.n_sources; i++)
		hf_agent_fetch_join(l, i);
	a->is_due = true;
	return HF_OK;
}

/* Bytes that came over links in this fetch. */
static uint64_t fetch_bytes(const struct hf_fetch *f, uint64_t *twice)
{
	struct hf_source_stats s;
	uint64_t bytes = 0;

	*twice = 0;
	for (uint32_t i = 0; hf_fetch_source_get(f, &s, i); i++) {
		bytes += s.bytes_kept;
		*twice += s.bytes_twice;
	}
	return bytes;
}

void hf_agent_fetch_count(const struct agent_lineage *l, uint64_t *bytes, uint64_t *twice)
{
	uint64_t n = 0;

	if (l->fetch == NULL)
		return;
	*bytes += fetch_bytes(l->fetch, &n);
	*twice += n;
}

void hf_agent_fetch_end(struct agent_lineage *l)
{
	struct hf_agent *a = l->a;
	uint64_t twice = 0;

	if (l->fetch == NULL)
		return;
	hf_fetch_progress(l->fetch, &l->progress, a->now_ms);
	a->bytes_fetched += fetch_bytes(l->fetch, &twice);
	a->bytes_twice += twice;
	hf_fetch_free(l->fetch);
	l->fetch = NULL;
	a->n_fetches--;
	a->is_due = true; /* another one may begin */
}

/* No record, no release: what came must be on the record before it may run. */
static hf_err fetch_record(struct agent_lineage *l, struct hf_errinfo *ei)
{
	uint64_t twice = 0;
	const struct agent_note note = { .event = HF_EV_MODEL_FETCH,
		.reason = l->fetch_err,
		.lineage = l->name,
		.release = l->target.release,
		.manifest = l->target.manifest,
		.bytes = l->fetch == NULL ? 0 : fetch_bytes(l->fetch, &twice) + twice };

	return hf_agent_record(l->a, &note, ei);
}

hf_err hf_agent_fetch_run(struct agent_lineage *l, struct hf_errinfo *ei)
{
	struct hf_agent *a = l->a;
	size_t max = hf_agent_is_edge(a) ? AGENT_FETCHES_EDGE : AGENT_FETCHES_DEVICE;

	if (l->fetch == NULL && (hf_agent_tidy_is_due(a) || a->n_fetches == max))
		return HF_ERR_AGAIN;
	if (l->fetch == NULL) {
		hf_err e = fetch_begin(l, ei);

		a->tidy.is_wanted = a->tidy.is_wanted || e == HF_ERR_FULL;
		l->fetch_err = e;
		if (e != HF_OK) {
			(void)!fetch_record(l, NULL);
			return e;
		}
	}
	if (!l->is_fetched)
		return HF_ERR_AGAIN;
	if (l->fetch_err != HF_OK) {
		(void)!fetch_record(l, NULL);
		a->tidy.is_wanted = a->tidy.is_wanted || l->fetch_err == HF_ERR_FULL;
		return hf_fail(ei, l->fetch_err, "%s", l->fetch_why.text);
	}
	HF_TRY(fetch_record(l, ei));
	return hf_agent_is_edge(a) ? hf_agent_active_put(l, ei) : HF_OK;
}

static void row_name(char name[ROW_NAME_MAX], const char *lineage)
{
	(void)snprintf(name, ROW_NAME_MAX, "active/%s", lineage);
}

static hf_err read_row(void *ctx, const struct hf_meta_serial *row)
{
	struct agent_active *out = ctx;

	if (row->der.len != ROW_LEN && row->der.len != ROW_LONG_LEN)
		return HF_ERR_FORMAT;
	out->has = true;
	memcpy(out->manifest, row->der.p, HF_SM3_LEN);
	out->release = hf_get_be64(row->der.p + HF_SM3_LEN);
	out->has_before = row->der.len == ROW_LONG_LEN;
	if (out->has_before)
		memcpy(out->before, row->der.p + ROW_LEN, HF_SM3_LEN);
	return HF_OK;
}

void hf_agent_active_get(struct hf_agent *a, const char *lineage, struct agent_active *out)
{
	struct agent_active found = { .has = false };
	char name[ROW_NAME_MAX];

	row_name(name, lineage);
	/* What cannot be read counts as nothing: then the release is brought and activated again.
	 */
	if (hf_meta_channel_get(a->node->meta, name, read_row, &found, NULL) != HF_OK)
		found = (struct agent_active){ .has = false };
	*out = found;
}

hf_err hf_agent_active_put(struct agent_lineage *l, struct hf_errinfo *ei)
{
	struct agent_active now = { .has = true, .release = l->target.release };
	const struct agent_active *old = &l->active;
	uint8_t der[ROW_LONG_LEN];
	char name[ROW_NAME_MAX];
	struct hf_meta_serial row = { .name = name, .der = { der, ROW_LEN } };

	memcpy(now.manifest, l->target.manifest, HF_SM3_LEN);
	if (old->has && memcmp(old->manifest, now.manifest, HF_SM3_LEN) != 0) {
		now.has_before = true;
		memcpy(now.before, old->manifest, HF_SM3_LEN);
	} else if (old->has_before) {
		now.has_before = true;
		memcpy(now.before, old->before, HF_SM3_LEN);
	}
	memcpy(der, now.manifest, HF_SM3_LEN);
	hf_put_be64(der + HF_SM3_LEN, now.release);
	if (now.has_before) {
		memcpy(der + ROW_LEN, now.before, HF_SM3_LEN);
		row.der.len = ROW_LONG_LEN;
	}
	row_name(name, l->name);
	HF_TRY(hf_meta_counter_next(l->a->node->meta, &row.serial, "activations", ei));
	HF_TRY(hf_meta_channel_put(l->a->node->meta, &row, ei));
	l->active = now;
	l->a->tidy.is_wanted = true;
	return HF_OK;
}
