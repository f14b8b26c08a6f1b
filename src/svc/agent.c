/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an agent: sources come and go, every part gets its turn, others are told. */
#include "svc/agent.h"

#include <stdio.h>
#include <string.h>

#include "base/wipe.h"
#include "svc/agent_inner.h"

enum { ROUNDS_MAX = 16 }; /* of one tick; what is left is for the next one */

static hf_err check_config(const struct hf_agent_config *c, struct hf_errinfo *ei)
{
	bool is_good = c->node != NULL && c->pump != NULL && c->on_member != NULL;

	is_good = is_good && c->n_sources <= HF_AGENT_SOURCES_MAX;
	is_good = is_good && c->n_follow <= HF_AGENT_LINEAGES_MAX && c->poll_ms > 0;
	if (!is_good)
		return hf_fail(ei, HF_ERR_ARG, "agent: a limit is out of its range");
	if (c->node->config.role != HF_ROLE_EDGE && c->node->config.role != HF_ROLE_DEVICE)
		return hf_fail(ei, HF_ERR_ARG, "agent: for edges and devices only");
	return HF_OK;
}

static hf_err start(struct hf_agent *a, struct hf_errinfo *ei)
{
	struct agent_lineage *l;

	HF_TRY(hf_agent_enrol_init(a, ei));
	HF_TRY(hf_agent_send_init(a, ei));
	for (size_t i = 0; i < a->config.n_follow; i++)
		HF_TRY(hf_agent_lineage_add(a, a->config.follow[i], true, &l, ei));
	return HF_OK;
}

hf_err hf_agent_new(struct hf_agent **out, const struct hf_agent_config *config, uint64_t now_ms,
	struct hf_errinfo *ei)
{
	struct hf_agent *a;
	hf_err e;

	HF_TRY(check_config(config, ei));
	a = hf_mem_new(config->node->env->mem, sizeof(*a));
	if (a == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "out of memory");
	a->config = *config;
	a->config.follow = NULL; /* what of it counts has been copied when this returns */
	a->node = config->node;
	a->mem = config->node->env->mem;
	a->now_ms = now_ms;
	a->is_due = true;
	a->tidy.is_wanted = true;
	a->send.bundle = HF_BUNDLE_FILE_EMPTY;
	(void)snprintf(a->actor, sizeof(a->actor), "%s:%s", hf_role_name(a->node->config.role),
		a->node->config.id);
	hf_buf_init(&a->channel, a->mem, hf_object_max(HF_OBJECT_CHANNEL));
	hf_agent_ask_init(a, &a->enrol);
	hf_agent_ask_init(a, &a->look);
	a->config.follow = config->follow;
	e = start(a, ei);
	a->config.follow = NULL;
	a->config.token = NULL;
	if (e != HF_OK) {
		hf_agent_free(a);
		return e;
	}
	*out = a;
	return HF_OK;
}

void hf_agent_free(struct hf_agent *a)
{
	const struct hf_mem *mem;

	if (a == NULL)
		return;
	mem = a->mem;
	while (a->n_lineages > 0)
		hf_agent_lineage_drop(a, a->n_lineages - 1);
	hf_agent_send_clear(a);
	hf_agent_tidy_clear(a);
	hf_agent_ask_end(&a->enrol);
	hf_agent_ask_end(&a->look);
	hf_buf_clear(&a->channel);
	hf_wipe(a, sizeof(*a)); /* the token */
	hf_mem_free(mem, a);
}

static void see(struct hf_agent *a, uint64_t now_ms)
{
	if (now_ms > a->now_ms)
		a->now_ms = now_ms;
}

void hf_agent_source_up(struct hf_agent *a, unsigned source, struct hf_h2 *h, uint64_t now_ms)
{
	see(a, now_ms);
	if (source >= a->config.n_sources)
		return;
	hf_agent_source_down(a, source, now_ms);
	a->sources[source].h = h;
	a->sources[source].is_stale = false;
	/* What failed for want of a source need not wait any longer. */
	if (a->err != HF_OK && a->config.sources[source].is_control) {
		a->look_retry = (struct agent_retry){ 0 };
		hf_agent_channel_look(a);
	}
	a->is_due = true;
	a->has_news = true;
	for (size_t i = 0; i < a->n_lineages; i++)
		hf_agent_fetch_join(a->lineages[i], source);
}

/* Work in hand went with it: that is on the record. */
static void lost_record(struct hf_agent *a, unsigned source)
{
	const struct agent_note note = { .event = HF_EV_SOURCE_FAILED,
		.reason = HF_ERR_NET,
		.source = a->config.sources[source].name };

	if (a->n_fetches > 0)
		(void)!hf_agent_record(a, &note, NULL);
}

void hf_agent_source_down(struct hf_agent *a, unsigned source, uint64_t now_ms)
{
	see(a, now_ms);
	if (source >= a->config.n_sources || a->sources[source].h == NULL)
		return;
	lost_record(a, source);
	hf_agent_asks_lost(a, source);
	hf_agent_push_lost(a, source);
	for (size_t i = 0; i < a->n_lineages; i++)
		if (a->lineages[i]->fetch != NULL)
			hf_fetch_source_down(a->lineages[i]->fetch, source, now_ms);
	a->sources[source].h = NULL;
	a->sources[source].is_stale = false;
	a->sources[source].is_dirty = false;
	a->is_due = true;
	a->has_news = true;
}

/* Every part once. */
static void run(struct hf_agent *a)
{
	if (!a->node->is_member) {
		hf_agent_enrol_run(a);
		return;
	}
	hf_agent_channel_run(a);
	hf_agent_tidy_run(a);
	for (size_t i = 0; i < a->n_lineages; i++) {
		struct agent_lineage *l = a->lineages[i];

		if (l->fetch != NULL && hf_fetch_deadline(l->fetch) <= a->now_ms)
			hf_fetch_tick(l->fetch, a->now_ms);
		hf_agent_heal_run(l);
		hf_agent_lineage_run(l);
	}
	hf_agent_send_run(a);
}

/* Callbacks last: they may do anything but free us. */
static void tell(struct hf_agent *a)
{
	bool is_joining = a->is_joining;
	bool has_news = a->has_news;

	a->is_joining = false;
	a->has_news = false;
	for (unsigned i = 0; i < a->config.n_sources; i++) {
		bool is_dirty = a->sources[i].is_dirty;

		a->sources[i].is_dirty = false;
		if (is_dirty && a->sources[i].h != NULL)
			a->config.pump(a->config.ctx, i);
	}
	if (has_news && a->config.on_bytes != NULL)
		a->config.on_bytes(a->config.ctx);
	if (is_joining)
		a->config.on_member(a->config.ctx);
}

void hf_agent_tick(struct hf_agent *a, uint64_t now_ms)
{
	see(a, now_ms);
	for (unsigned i = 0; i < ROUNDS_MAX; i++) {
		a->is_due = false;
		run(a);
		if (!a->is_due)
			break;
	}
	tell(a);
}

static void sooner(uint64_t *at, uint64_t other)
{
	if (other < *at)
		*at = other;
}

uint64_t hf_agent_deadline(const struct hf_agent *a)
{
	uint64_t at = UINT64_MAX;

	if (a->is_due)
		return 0;
	if (!a->node->is_member)
		return hf_agent_enrol_deadline(a);
	if (hf_agent_tidy_is_due(a))
		return 0;
	sooner(&at, hf_agent_channel_deadline(a));
	sooner(&at, hf_agent_send_deadline(a));
	for (size_t i = 0; i < a->n_lineages; i++) {
		if (a->lineages[i]->heal != NULL)
			return 0;
		sooner(&at, hf_agent_lineage_deadline(a->lineages[i]));
	}
	return at;
}

hf_err hf_agent_pull(
	struct hf_agent *a, const char *lineage, uint64_t now_ms, struct hf_errinfo *ei)
{
	struct agent_lineage *l = NULL;

	see(a, now_ms);
	HF_TRY(hf_agent_lineage_add(a, lineage, true, &l, ei));
	l->retry = (struct agent_retry){ 0 };
	hf_agent_channel_look(a);
	hf_agent_lineage_look(l);
	hf_agent_heal_begin(l);
	return HF_OK;
}

void hf_agent_push(struct hf_agent *a, uint64_t now_ms)
{
	see(a, now_ms);
	a->send.look_at = a->now_ms;
	a->send.push_retry = (struct agent_retry){ 0 };
	a->is_due = true;
}

bool hf_agent_lineage_get(const struct hf_agent *a, size_t n, struct hf_agent_lineage *out)
{
	const struct agent_lineage *l;

	if (n >= a->n_lineages)
		return false;
	l = a->lineages[n];
	*out = (struct hf_agent_lineage){
		.step = l->step, .n_tries = l->retry.n, .err = l->err, .progress = l->progress
	};
	if (l->heal != NULL) /* it may turn out to be one that has to be brought again */
		out->step = HF_AGENT_MANIFEST;
	memcpy(out->lineage, l->name, sizeof(out->lineage));
	memcpy(out->why, l->why, sizeof(out->why));
	if (l->has_target && l->step != HF_AGENT_IDLE && l->step != HF_AGENT_ACTIVE)
		out->release = l->target.release;
	else if (l->active.has)
		out->release = l->active.release;
	if (l->fetch != NULL)
		hf_fetch_progress(l->fetch, &out->progress, a->now_ms);
	return true;
}

void hf_agent_stats_get(const struct hf_agent *a, struct hf_agent_stats *out, uint64_t now_ms)
{
	uint64_t age = now_ms > a->channel_ms ? now_ms - a->channel_ms : 0;

	*out = (struct hf_agent_stats){ .is_member = a->node->is_member,
		.channel_serial = a->has_channel ? a->view.serial : 0,
		.channel_age_ms = a->channel_ms != 0 ? age : 0,
		.n_looks = a->n_looks,
		.is_looking = a->look.state != ASK_FREE,
		.n_uploads_waiting = a->send.n_uploads,
		.n_uploads_done = a->send.n_uploads_done,
		.n_receipts_waiting = a->send.n_receipts,
		.bytes_fetched = a->bytes_fetched,
		.bytes_twice = a->bytes_twice,
		.err = a->err };
	memcpy(out->why, a->why, sizeof(out->why));
	for (size_t i = 0; i < a->n_lineages; i++)
		hf_agent_fetch_count(a->lineages[i], &out->bytes_fetched, &out->bytes_twice);
}
