/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the serving side of an edge asks (svc/upstream.h): bytes of what is being fetched, and
 * releases that nobody follows here but a device wants. Only what the channel names is brought: of
 * other names the channel is looked at first, once, and then they are refused.
 */
#include <string.h>

#include "base/hex.h"
#include "svc/agent_inner.h"

enum { LOOK_AGAIN_MS = 1000 }; /* not sooner, however many names are asked for */

static struct hf_h2 *up_session(void *ctx)
{
	const struct hf_agent *a = ctx;
	unsigned source;

	if (!a->node->is_member || !hf_agent_control(a, &source))
		return NULL;
	return a->sources[source].h;
}

/* What began over a source goes on over it, also while another one is preferred. */
static void up_pump(void *ctx, const struct hf_h2 *h)
{
	const struct hf_agent *a = ctx;

	for (unsigned i = 0; i < a->config.n_sources; i++)
		if (a->sources[i].h == h)
			a->config.pump(a->config.ctx, i);
}

static bool has_source(const struct hf_agent *a)
{
	for (size_t i = 0; i < a->config.n_sources; i++)
		if (a->sources[i].h != NULL && !a->sources[i].is_stale)
			return true;
	return false;
}

/* On its way, if there is a way. */
static hf_err coming(const struct hf_agent *a)
{
	return has_source(a) ? HF_ERR_AGAIN : HF_ERR_NET;
}

static hf_err want_of(const struct hf_agent *a, const struct agent_lineage *l)
{
	/* A release that was refused here is none for those behind us. */
	if (l->step == HF_AGENT_MANIFEST && l->err != HF_OK)
		return hf_agent_is_refusal(l->err) ? HF_ERR_NOT_FOUND : HF_ERR_NET;
	return coming(a);
}

static bool is_named(
	const struct hf_agent *a, const uint8_t name[HF_SM3_LEN], struct hf_channel_release *entry)
{
	struct hf_bytes rest = a->has_channel ? a->view.releases : (struct hf_bytes){ NULL, 0 };

	while (hf_channel_release_take(entry, &rest) == HF_OK)
		if (memcmp(entry->manifest, name, HF_SM3_LEN) == 0)
			return true;
	return false;
}

/* A name that the channel does not have: HF_ERR_AGAIN until it was looked at since. */
static hf_err want_unknown(struct hf_agent *a, const uint8_t name[HF_SM3_LEN])
{
	struct agent_want *w = NULL;

	for (size_t i = 0; i < AGENT_WANTS_MAX; i++) {
		struct agent_want *t = &a->wants[i];

		if (t->is_used && memcmp(t->name, name, HF_SM3_LEN) == 0) {
			if (t->look == a->n_looks)
				return coming(a);
			t->is_used = false;
			return a->err == HF_OK ? HF_ERR_NOT_FOUND : HF_ERR_NET;
		}
		/* Nobody came back for those of an older look. */
		if (!t->is_used || t->look < a->n_looks)
			w = t;
	}
	if (w == NULL || a->err != HF_OK || !has_source(a))
		return HF_ERR_NET;
	*w = (struct agent_want){ .is_used = true, .look = a->n_looks };
	memcpy(w->name, name, HF_SM3_LEN);
	if (a->n_looks > 0 && a->look_at > a->looked_ms + LOOK_AGAIN_MS)
		a->look_at = a->looked_ms + LOOK_AGAIN_MS;
	return HF_ERR_AGAIN;
}

static hf_err want_manifest(struct hf_agent *a, const uint8_t name[HF_SM3_LEN])
{
	struct hf_channel_release entry;
	struct agent_lineage *l = NULL;

	for (size_t i = 0; i < a->n_lineages; i++) {
		l = a->lineages[i];
		if (l->has_target && memcmp(l->target.manifest, name, HF_SM3_LEN) == 0)
			return want_of(a, l);
	}
	if (!is_named(a, name, &entry))
		return want_unknown(a, name);
	if (hf_agent_lineage_add(a, entry.lineage, false, &l, NULL) != HF_OK)
		return HF_ERR_NET;
	hf_agent_lineage_look(l);
	return coming(a);
}

/* The trust root a node starts from is one of its own papers. */
static hf_err want_root(struct hf_agent *a, const uint8_t name[HF_SM3_LEN])
{
	const struct hf_buf *root = &a->node->party.root_object;
	uint8_t own[HF_SM3_LEN];
	char id[2 * HF_SM3_LEN + 1];
	struct hf_blob_put put;
	hf_err e;

	hf_object_name(own, root->p, root->len);
	if (memcmp(own, name, sizeof(own)) != 0)
		return HF_ERR_NOT_FOUND;
	hf_hex_emit(id, name, HF_SM3_LEN);
	HF_TRY(hf_blob_begin(&put, &a->node->blobs, hf_object_kind(HF_OBJECT_ROOT), id, NULL));
	e = hf_blob_write(&put, root->p, root->len, NULL);
	if (e == HF_OK)
		return hf_blob_commit(&put, NULL);
	hf_blob_drop(&put);
	return e;
}

/* A page or a pack: of a fetch that runs, or of one that is about to. */
static hf_err want_part(struct hf_agent *a, const struct hf_wanted *w)
{
	bool is_coming = !a->has_channel;

	for (size_t i = 0; i < a->n_lineages; i++) {
		struct agent_lineage *l = a->lineages[i];
		hf_err e = HF_ERR_NOT_FOUND;

		if (l->fetch != NULL)
			e = hf_fetch_want(l->fetch, w);
		else
			is_coming = is_coming || l->step == HF_AGENT_FETCHING ||
				    (l->step == HF_AGENT_MANIFEST && l->err == HF_OK);
		if (e == HF_OK)
			return HF_OK;
		is_coming = is_coming || e == HF_ERR_AGAIN;
	}
	return is_coming ? coming(a) : HF_ERR_NOT_FOUND;
}

static hf_err up_want(void *ctx, const struct hf_wanted *w)
{
	struct hf_agent *a = ctx;

	if (hf_agent_has(a, w->kind, w->name))
		return HF_OK;
	if (!a->node->is_member)
		return HF_ERR_NET;
	a->is_due = true;
	switch (w->kind) {
	case HF_OBJECT_MANIFEST: return want_manifest(a, w->name);
	case HF_OBJECT_PACK:
	case HF_OBJECT_TABLE:
	case HF_OBJECT_INDEX: return want_part(a, w);
	case HF_OBJECT_ROOT: return want_root(a, w->name);
	default: return HF_ERR_NOT_FOUND;
	}
}

static hf_err up_read(void *ctx, const struct hf_wanted *w, uint8_t *out)
{
	const struct hf_agent *a = ctx;
	hf_err e = HF_ERR_NOT_FOUND;

	for (size_t i = 0; i < a->n_lineages && e == HF_ERR_NOT_FOUND; i++)
		if (a->lineages[i]->fetch != NULL)
			e = hf_fetch_read(a->lineages[i]->fetch, w, out);
	/* A fetch that is about to begin has them perhaps; want says. */
	return e == HF_ERR_NOT_FOUND ? HF_ERR_AGAIN : e;
}

static hf_err up_pack_len(void *ctx, const uint8_t name[HF_SM3_LEN], uint64_t *len)
{
	const struct hf_agent *a = ctx;

	for (size_t i = 0; i < a->n_lineages; i++)
		if (a->lineages[i]->fetch != NULL &&
			hf_fetch_pack_len(a->lineages[i]->fetch, name, len) == HF_OK)
			return HF_OK;
	return HF_ERR_NOT_FOUND;
}

struct hf_upstream hf_agent_upstream(struct hf_agent *a)
{
	return (struct hf_upstream){ .session = up_session,
		.pump = up_pump,
		.want = up_want,
		.read = up_read,
		.pack_len = up_pack_len,
		.ctx = a };
}
