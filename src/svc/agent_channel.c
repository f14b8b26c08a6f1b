/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Following the channel. Whether one may be believed the key process says (signature, serial,
 * freshness); a refused one changes nothing here. The last one that was believed is kept, so that a
 * node that starts without its hub knows what was current; it is asked about again first.
 */
#include <string.h>

#include "http/api.h"
#include "svc/agent_inner.h"

static const char channel_name[] = "current"; /* its row in meta.db */

/* The channel is the one to go by from here on. */
static hf_err channel_use(struct hf_agent *a, struct hf_bytes object, struct hf_errinfo *ei)
{
	struct hf_bytes content;
	struct hf_channel view;
	struct hf_buf copy;
	hf_err e;

	hf_buf_init(&copy, a->mem, hf_object_max(HF_OBJECT_CHANNEL));
	e = hf_buf_put(&copy, object.p, object.len);
	if (e == HF_OK)
		e = hf_object_peek(
			&content, HF_OBJECT_CHANNEL, (struct hf_bytes){ copy.p, copy.len }, ei);
	if (e == HF_OK)
		e = hf_channel_parse(&view, content, ei);
	if (e != HF_OK) {
		hf_buf_clear(&copy);
		return e;
	}
	hf_buf_clear(&a->channel);
	a->channel = copy;
	a->view = view;
	a->has_channel = true;
	a->was_released = true;
	return HF_OK;
}

/* What no device asked for again is forgotten when it is no longer current. */
static void drop_stale(struct hf_agent *a)
{
	for (size_t i = a->n_lineages; i > 0; i--) {
		struct agent_lineage *l = a->lineages[i - 1];
		struct hf_channel_release entry;

		if (l->is_followed ||
			(hf_channel_find(&entry, &a->view, l->name) == HF_OK && l->has_target &&
				memcmp(entry.manifest, l->target.manifest, HF_SM3_LEN) == 0))
			continue;
		hf_agent_lineage_drop(a, i - 1);
	}
}

/* An edge goes on with what its devices wanted before it was stopped. */
static void take_up(struct hf_agent *a)
{
	struct hf_bytes rest = a->view.releases;
	struct hf_channel_release entry;
	struct agent_active active;
	struct agent_lineage *l;

	while (hf_agent_is_edge(a) && hf_channel_release_take(&entry, &rest) == HF_OK) {
		if (hf_agent_lineage_find(a, entry.lineage) != NULL ||
			!hf_agent_has(a, HF_OBJECT_MANIFEST, entry.manifest))
			continue;
		hf_agent_active_get(a, entry.lineage, &active);
		if (active.has && memcmp(active.manifest, entry.manifest, HF_SM3_LEN) == 0)
			continue; /* it is whole */
		if (hf_agent_lineage_add(a, entry.lineage, false, &l, NULL) != HF_OK)
			return;
	}
}

static void channel_tell(struct hf_agent *a)
{
	drop_stale(a);
	take_up(a);
	for (size_t i = 0; i < a->n_lineages; i++)
		hf_agent_lineage_look(a->lineages[i]);
}

static hf_err look_at_kept(void *ctx, const struct hf_meta_serial *row)
{
	struct hf_agent *a = ctx;

	a->was_released = true; /* whether or not it is still good */
	HF_TRY(hf_key_check_channel(a->node->keys, row->der, NULL));
	return channel_use(a, row->der, NULL);
}

/* From the time before the last stop; too old, and the hub has to be asked. */
static void use_kept(struct hf_agent *a)
{
	a->has_looked = true;
	if (hf_meta_channel_get(a->node->meta, channel_name, look_at_kept, a, NULL) == HF_OK)
		channel_tell(a);
}

static hf_err channel_take(struct hf_agent *a, struct hf_errinfo *ei)
{
	const struct hf_bytes object = { a->look.body.p, a->look.body.len };
	struct hf_meta_serial row = { .name = channel_name, .der = object };
	uint64_t before = a->has_channel ? a->view.serial : 0;
	hf_err e = hf_key_check_channel(a->node->keys, object, ei);

	/* What is wrong with it the key process has recorded; who gave it is known here. */
	if (hf_agent_is_bad(e))
		hf_agent_ask_blame(&a->look, e, NULL);
	if (e != HF_OK)
		return e;
	HF_TRY(channel_use(a, object, ei));
	a->channel_ms = a->now_ms;
	row.serial = a->view.serial;
	/* A copy for the next start. Where it cannot be kept, the next start asks the hub. */
	(void)!hf_meta_channel_put(a->node->meta, &row, NULL);
	/* What was refused under the last one may hold under this one. */
	for (size_t i = 0; row.serial != before && i < a->n_lineages; i++)
		a->lineages[i]->retry = (struct agent_retry){ 0 };
	channel_tell(a);
	return HF_OK;
}

/*
 * A source says that nothing was released yet. Nobody signs that: where a channel was seen it is
 * not so, and where none was, it is believed when no other source knows better.
 */
static hf_err channel_none(struct hf_agent *a, struct hf_errinfo *ei)
{
	const char *source = a->config.sources[a->look.source].name;
	const struct agent_note note = { .event = HF_EV_MODEL_REFUSED,
		.reason = HF_ERR_ROLLBACK,
		.source = source,
		.code = "channel",
		.trace = a->look.trace };

	if (!a->was_released)
		return HF_ERR_NOT_FOUND;
	(void)!hf_agent_record(a, &note, NULL);
	return hf_fail(ei, HF_ERR_ROLLBACK,
		"%s: says that nothing was ever released, but a channel was seen", source);
}

/* A look has ended. What one control source cannot give, another one may have. */
static void look_over(struct hf_agent *a, hf_err e, const struct hf_errinfo *ei)
{
	hf_agent_ask_clear(&a->look);
	if (e != HF_OK && hf_agent_avoid(a, a->look.source, AGENT_RETRY_MAX_MS)) {
		hf_agent_channel_look(a);
		return;
	}
	if (e == HF_ERR_NOT_FOUND)
		e = HF_OK; /* nothing was released yet */
	a->n_looks++;
	a->looked_ms = a->now_ms;
	a->has_news = true;
	a->err = e;
	if (e == HF_OK) {
		a->why[0] = '\0';
		a->look_retry = (struct agent_retry){ 0 };
		a->look_at = a->now_ms + a->config.poll_ms;
		/* Who asked meanwhile wants to know what is current now, not what was. */
		if (a->look_again)
			hf_agent_channel_look(a);
		return;
	}
	hf_agent_why(a->why, ei, e);
	hf_agent_retry_fail(a, &a->look_retry, e);
	a->look_at = a->look_retry.at;
}

void hf_agent_channel_run(struct hf_agent *a)
{
	const struct agent_call call = { .what = "channel",
		.method = HF_HTTP_GET,
		.path = "/v1/channels/current",
		.answer_max = hf_object_max(HF_OBJECT_CHANNEL) };
	struct hf_errinfo ei = { .code = HF_OK };
	hf_err e;

	if (!a->has_looked)
		use_kept(a);
	if (a->look.state == ASK_FREE && a->now_ms < a->look_at)
		return;
	e = hf_agent_ask_run(&a->look, &call, &ei);
	if (e == HF_ERR_AGAIN)
		return;
	if (e == HF_OK) {
		e = channel_take(a, &ei);
	} else if (e == HF_ERR_NOT_FOUND) {
		ei.code = HF_OK; /* an answer, and what is wrong with it comes now */
		e = channel_none(a, &ei);
	}
	look_over(a, e, &ei);
}

void hf_agent_channel_look(struct hf_agent *a)
{
	a->look_at = a->now_ms;
	a->look_again = a->look.state != ASK_FREE;
	a->is_due = true;
}

uint64_t hf_agent_channel_deadline(const struct hf_agent *a)
{
	/* Due and not asked: no source is up, and one that comes is heard of. */
	return a->look.state == ASK_FREE && a->look_at > a->now_ms ? a->look_at : UINT64_MAX;
}
