/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One lineage on its way from the channel to a release that runs (device) or is here (edge). The
 * states are a constant table; each state that has work to do has a function for it, which says
 * done, wait, or why not.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "http/api.h"
#include "svc/agent_inner.h"
#include "svc/api_json.h"

enum { NO = -1, STEPS = HF_AGENT_ACTIVE + 1 };

/* clang-format off */
static const int8_t device_next[STEPS][EV_COUNT] = {
	/*                         NEW                SAME             NONE             DONE                 FAILED */
	[HF_AGENT_IDLE]       = { HF_AGENT_MANIFEST, HF_AGENT_ACTIVE, HF_AGENT_IDLE,   NO,                  NO },
	[HF_AGENT_MANIFEST]   = { HF_AGENT_MANIFEST, HF_AGENT_ACTIVE, HF_AGENT_IDLE,   HF_AGENT_GRANT,      HF_AGENT_MANIFEST },
	[HF_AGENT_GRANT]      = { HF_AGENT_MANIFEST, HF_AGENT_ACTIVE, HF_AGENT_IDLE,   HF_AGENT_FETCHING,   HF_AGENT_GRANT },
	[HF_AGENT_FETCHING]   = { HF_AGENT_MANIFEST, HF_AGENT_ACTIVE, HF_AGENT_IDLE,   HF_AGENT_ACTIVATING, HF_AGENT_FETCHING },
	[HF_AGENT_ACTIVATING] = { HF_AGENT_MANIFEST, HF_AGENT_ACTIVE, HF_AGENT_IDLE,   HF_AGENT_ACTIVE,     HF_AGENT_GRANT },
	[HF_AGENT_ACTIVE]     = { HF_AGENT_MANIFEST, HF_AGENT_ACTIVE, HF_AGENT_ACTIVE, NO,                  NO },
};

/* An edge does the public part: it has no content key, and runs nothing. */
static const int8_t edge_next[STEPS][EV_COUNT] = {
	/*                         NEW                SAME             NONE             DONE                 FAILED */
	[HF_AGENT_IDLE]       = { HF_AGENT_MANIFEST, HF_AGENT_ACTIVE, HF_AGENT_IDLE,   NO,                  NO },
	[HF_AGENT_MANIFEST]   = { HF_AGENT_MANIFEST, HF_AGENT_ACTIVE, HF_AGENT_IDLE,   HF_AGENT_FETCHING,   HF_AGENT_MANIFEST },
	[HF_AGENT_GRANT]      = { NO,                NO,              NO,              NO,                  NO },
	[HF_AGENT_FETCHING]   = { HF_AGENT_MANIFEST, HF_AGENT_ACTIVE, HF_AGENT_IDLE,   HF_AGENT_ACTIVE,     HF_AGENT_FETCHING },
	[HF_AGENT_ACTIVATING] = { NO,                NO,              NO,              NO,                  NO },
	[HF_AGENT_ACTIVE]     = { HF_AGENT_MANIFEST, HF_AGENT_ACTIVE, HF_AGENT_ACTIVE, NO,                  NO },
};
/* clang-format on */

int hf_agent_step_next(bool is_edge, enum hf_agent_step step, enum agent_event event)
{
	return is_edge ? edge_next[step][event] : device_next[step][event];
}

/* Leaves a step in any way: what was under way for it ends. */
static void step_stop(struct agent_lineage *l)
{
	hf_agent_ask_clear(&l->ask);
	hf_agent_fetch_end(l);
	hf_agent_heal_end(l);
}

static void happens(struct agent_lineage *l, enum agent_event event)
{
	int next = hf_agent_step_next(hf_agent_is_edge(l->a), l->step, event);

	if (next == NO)
		return;
	step_stop(l);
	if (event != EV_FAILED)
		l->retry = (struct agent_retry){ 0 };
	if (event == EV_DONE && next == HF_AGENT_ACTIVE)
		l->is_spoilt = false;
	l->step = (enum hf_agent_step)next;
	l->a->is_due = true;
	l->a->has_news = true; /* who waits for this lineage looks again */
}

struct agent_lineage *hf_agent_lineage_find(const struct hf_agent *a, const char *name)
{
	for (size_t i = 0; i < a->n_lineages; i++)
		if (strcmp(a->lineages[i]->name, name) == 0)
			return a->lineages[i];
	return NULL;
}

/* Makes room by forgetting one that is whole and was not asked for by name. */
static bool make_room(struct hf_agent *a)
{
	for (size_t i = 0; i < a->n_lineages; i++) {
		if (a->lineages[i]->is_followed || a->lineages[i]->step != HF_AGENT_ACTIVE)
			continue;
		hf_agent_lineage_drop(a, i);
		return true;
	}
	return false;
}

hf_err hf_agent_lineage_add(struct hf_agent *a, const char *name, bool is_followed,
	struct agent_lineage **out, struct hf_errinfo *ei)
{
	struct agent_lineage *l = hf_agent_lineage_find(a, name);

	if (l != NULL) {
		l->is_followed = l->is_followed || is_followed;
		*out = l;
		return HF_OK;
	}
	if (!hf_id_is_valid(name))
		return hf_fail(ei, HF_ERR_ARG,
			"lineage '%.64s': letters, digits, '.', '_' and '-', at most %d", name,
			HF_ID_MAX);
	if (a->n_lineages == HF_AGENT_LINEAGES_MAX && !make_room(a))
		return hf_fail(ei, HF_ERR_LIMIT, "lineage %s: %d are followed already", name,
			HF_AGENT_LINEAGES_MAX);
	l = hf_mem_new(a->mem, sizeof(*l));
	if (l == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "out of memory");
	l->a = a;
	(void)snprintf(l->name, sizeof(l->name), "%s", name);
	l->is_followed = is_followed;
	hf_buf_init(&l->manifest, a->mem, hf_object_max(HF_OBJECT_MANIFEST));
	hf_buf_init(&l->grant, a->mem, hf_object_max(HF_OBJECT_GRANT));
	hf_agent_ask_init(a, &l->ask);
	hf_agent_active_get(a, name, &l->active);
	a->lineages[a->n_lineages++] = l;
	a->is_due = true;
	*out = l;
	return HF_OK;
}

void hf_agent_lineage_drop(struct hf_agent *a, size_t n)
{
	struct agent_lineage *l = a->lineages[n];

	step_stop(l);
	hf_agent_ask_end(&l->ask);
	hf_buf_clear(&l->manifest);
	hf_buf_clear(&l->grant);
	hf_mem_free(a->mem, l);
	a->n_lineages--;
	for (size_t i = n; i < a->n_lineages; i++)
		a->lineages[i] = a->lineages[i + 1];
}

static void fail(struct agent_lineage *l, hf_err e, const struct hf_errinfo *ei)
{
	l->err = e;
	hf_agent_why(l->why, ei, e);
}

static void succeed(struct agent_lineage *l)
{
	l->err = HF_OK;
	l->why[0] = '\0';
}

void hf_agent_lineage_look(struct agent_lineage *l)
{
	struct hf_agent *a = l->a;
	struct hf_channel_release entry;
	bool is_same;

	if (!a->has_channel)
		return;
	if (hf_channel_find(&entry, &a->view, l->name) != HF_OK) {
		const struct hf_errinfo ei = { .code = HF_OK };

		l->has_target = false;
		happens(l, EV_NONE);
		if (l->step == HF_AGENT_IDLE) {
			fail(l, HF_ERR_NOT_FOUND, &ei);
			(void)snprintf(l->why, sizeof(l->why), "channel: says nothing about %.100s",
				l->name);
		}
		return;
	}
	is_same = l->has_target && memcmp(l->target.manifest, entry.manifest, HF_SM3_LEN) == 0;
	l->target = entry;
	l->has_target = true;
	if (l->active.has && !l->is_spoilt &&
		memcmp(l->active.manifest, entry.manifest, HF_SM3_LEN) == 0 &&
		hf_agent_has(a, HF_OBJECT_MANIFEST, entry.manifest)) {
		succeed(l);
		if (l->step != HF_AGENT_ACTIVE)
			happens(l, EV_SAME);
	} else if (!is_same || l->step == HF_AGENT_ACTIVE) {
		succeed(l);
		hf_buf_reset(&l->manifest);
		hf_buf_reset(&l->grant);
		happens(l, EV_NEW);
	}
}

static struct hf_bytes bytes_of(const struct hf_buf *b)
{
	return (struct hf_bytes){ b->p, b->len };
}

bool hf_agent_has(struct hf_agent *a, enum hf_object kind, const uint8_t name[HF_SM3_LEN])
{
	char id[2 * HF_SM3_LEN + 1];
	uint64_t size = 0;

	hf_hex_emit(id, name, HF_SM3_LEN);
	return hf_blob_size(&a->node->blobs, &size, hf_object_kind(kind), id, NULL) == HF_OK;
}

/* The bytes that came are those of the name, or who sent them is not asked for a while. */
static hf_err manifest_judge(struct agent_lineage *l, struct hf_errinfo *ei)
{
	struct hf_agent *a = l->a;
	const struct agent_note note = { .event = HF_EV_SOURCE_QUARANTINED,
		.reason = HF_ERR_AUTH,
		.source = a->config.sources[l->ask.source].name,
		.lineage = l->name,
		.release = l->target.release,
		.manifest = l->target.manifest,
		.code = "manifest",
		.trace = l->ask.trace };
	uint8_t name[HF_SM3_LEN];
	unsigned source = l->ask.source;

	hf_object_name(name, l->ask.body.p, l->ask.body.len);
	if (memcmp(name, l->target.manifest, sizeof(name)) == 0)
		return hf_buf_put(&l->manifest, l->ask.body.p, l->ask.body.len);
	hf_agent_ask_clear(&l->ask);
	(void)!hf_agent_record(a, &note, NULL);
	if (hf_agent_avoid(a, source, AGENT_LIAR_MS)) {
		a->is_due = true; /* the next one is asked at once */
		return HF_ERR_AGAIN;
	}
	return hf_fail(ei, HF_ERR_AUTH, "%s: gave a manifest that is not the channel's",
		a->config.sources[source].name);
}

static hf_err manifest_get(struct agent_lineage *l, struct hf_errinfo *ei)
{
	struct hf_agent *a = l->a;
	struct hf_objects objects = hf_folder_objects(a->node->blobs.dir);
	char path[HF_OBJECT_PATH_MAX + 16];
	char object[HF_OBJECT_PATH_MAX];
	const struct agent_call call = { .what = "manifest",
		.method = HF_HTTP_GET,
		.path = path,
		.answer_max = hf_object_max(HF_OBJECT_MANIFEST) };
	hf_err e;

	if (hf_objects_load(&l->manifest, &objects, HF_OBJECT_MANIFEST, l->target.manifest, NULL) ==
		HF_OK)
		return HF_OK;
	hf_object_path(object, HF_OBJECT_MANIFEST, l->target.manifest);
	(void)snprintf(path, sizeof(path), "/v1/objects/%s", object);
	e = hf_agent_ask_run(&l->ask, &call, ei);
	if (e == HF_OK)
		return manifest_judge(l, ei);
	return e != HF_ERR_AGAIN && hf_agent_ask_elsewhere(&l->ask) ? HF_ERR_AGAIN : e;
}

static hf_err manifest_store(struct agent_lineage *l, struct hf_errinfo *ei)
{
	const char *kind = hf_object_kind(HF_OBJECT_MANIFEST);
	struct hf_blob_put put;
	char id[2 * HF_SM3_LEN + 1];
	hf_err e;

	if (hf_agent_has(l->a, HF_OBJECT_MANIFEST, l->target.manifest))
		return HF_OK;
	hf_hex_emit(id, l->target.manifest, HF_SM3_LEN);
	HF_TRY(hf_blob_begin(&put, &l->a->node->blobs, kind, id, ei));
	e = hf_blob_write(&put, l->manifest.p, l->manifest.len, ei);
	if (e == HF_OK)
		return hf_blob_commit(&put, ei);
	hf_blob_drop(&put);
	return e;
}

static hf_err manifest_run(struct agent_lineage *l, struct hf_errinfo *ei)
{
	hf_err e = HF_OK;

	if (l->manifest.len == 0)
		e = manifest_get(l, ei);
	if (e == HF_OK)
		e = hf_key_check_release(l->a->node->keys, l->name, bytes_of(&l->a->channel),
			bytes_of(&l->manifest), ei);
	if (e == HF_OK)
		e = manifest_store(l, ei);
	if (e != HF_OK)
		hf_buf_reset(&l->manifest);
	return e;
}

static hf_err grant_ask(struct agent_lineage *l, struct hf_errinfo *ei)
{
	struct hf_agent *a = l->a;
	struct agent_call call = { .what = "grant",
		.method = HF_HTTP_POST,
		.path = HF_API_GRANTS,
		.type = HF_TYPE_JSON,
		.answer_max = hf_object_max(HF_OBJECT_GRANT) };
	struct hf_buf body;
	hf_err e;

	hf_buf_init(&body, a->mem, HF_API_GRANT_MAX);
	e = hf_api_grant_emit(&body, l->target.manifest, a->node->party.enc.der);
	call.body = bytes_of(&body);
	if (e == HF_OK)
		e = hf_agent_ask_run(&l->ask, &call, ei);
	hf_buf_clear(&body);
	if (e == HF_OK)
		e = hf_buf_put(&l->grant, l->ask.body.p, l->ask.body.len);
	return e;
}

/* The hub's word: what the key process refuses, it records itself. */
static void grant_refused(struct agent_lineage *l, hf_err e)
{
	const struct agent_note note = { .event = HF_EV_MODEL_REFUSED,
		.reason = e,
		.source = l->a->config.sources[l->ask.source].name,
		.lineage = l->name,
		.release = l->target.release,
		.manifest = l->target.manifest,
		.code = "grant",
		.trace = l->ask.trace };

	if (hf_agent_is_refusal(e))
		(void)!hf_agent_record(l->a, &note, NULL);
}

static hf_err grant_run(struct agent_lineage *l, struct hf_errinfo *ei)
{
	hf_err e;

	hf_buf_reset(&l->grant);
	e = grant_ask(l, ei);
	if (e == HF_ERR_AGAIN)
		return e;
	if (e != HF_OK) {
		grant_refused(l, e);
	} else {
		e = hf_key_check_grant(l->a->node->keys, l->name, bytes_of(&l->a->channel),
			bytes_of(&l->manifest), bytes_of(&l->grant), ei);
		if (hf_agent_is_bad(e))
			hf_agent_ask_blame(&l->ask, e, l);
	}
	if (e == HF_OK)
		return e;
	hf_buf_reset(&l->grant);
	return hf_agent_ask_elsewhere(&l->ask) ? HF_ERR_AGAIN : e;
}

/*
 * The receipt is durable before the release counts as active here: killed in between, the node
 * activates the same release once more, and there is one receipt too many, not one too few.
 */
static hf_err activating_run(struct agent_lineage *l, struct hf_errinfo *ei)
{
	struct hf_agent *a = l->a;
	struct hf_buf receipt;
	hf_err e;

	hf_buf_init(&receipt, a->mem, hf_object_max(HF_OBJECT_RECEIPT));
	e = hf_key_activate(a->node->keys, l->name, bytes_of(&a->channel), bytes_of(&l->manifest),
		bytes_of(&l->grant), &receipt, ei);
	if (e == HF_OK)
		e = hf_agent_receipt_put(a, bytes_of(&receipt), ei);
	if (e == HF_OK)
		e = hf_agent_active_put(l, ei);
	hf_buf_clear(&receipt);
	if (e == HF_OK)
		a->send.inventory_at = a->now_ms;
	return e;
}

static hf_err (*const runs[STEPS])(struct agent_lineage *l, struct hf_errinfo *ei) = {
	[HF_AGENT_MANIFEST] = manifest_run,
	[HF_AGENT_GRANT] = grant_run,
	[HF_AGENT_FETCHING] = hf_agent_fetch_run,
	[HF_AGENT_ACTIVATING] = activating_run,
};

void hf_agent_lineage_run(struct agent_lineage *l)
{
	struct hf_errinfo ei;
	hf_err e;

	/* Every round goes a step on, waits, or puts the next try into the future. */
	while (runs[l->step] != NULL && l->a->now_ms >= l->retry.at) {
		ei = (struct hf_errinfo){ .code = HF_OK };
		e = runs[l->step](l, &ei);
		if (e == HF_ERR_AGAIN)
			return;
		if (e == HF_OK) {
			succeed(l);
			happens(l, EV_DONE);
			continue;
		}
		fail(l, e, &ei);
		hf_agent_retry_fail(l->a, &l->retry, e);
		happens(l, EV_FAILED);
	}
}

uint64_t hf_agent_lineage_deadline(const struct agent_lineage *l)
{
	uint64_t at = l->fetch != NULL ? hf_fetch_deadline(l->fetch) : UINT64_MAX;

	if (runs[l->step] != NULL && l->retry.at > l->a->now_ms && l->retry.at < at)
		at = l->retry.at;
	return at;
}
