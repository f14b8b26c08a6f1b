/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Channels, manifests and grants against what this node remembers. A channel that is newer than
 * what was seen is kept in trust/channel.der first and remembered second: a file that is newer than
 * the memory passes the same checks again, one that is older is refused as a rollback.
 */
#include "svc/keyd_inner.h"

#include <string.h>

#include "os/file.h"

hf_err hf_keyd_channel_path(char path[HF_PATH_MAX], const struct hf_keyd *k, struct hf_errinfo *ei)
{
	return hf_path_join(path, k->dir, "trust/channel.der", ei);
}

hf_err hf_keyd_take_lineage(struct hf_key_ask *a)
{
	hf_key_take_text(&a->in, a->lineage, sizeof(a->lineage));
	if (!a->in.is_short && !hf_id_is_valid(a->lineage)) {
		a->lineage[0] = '\0';
		return hf_fail(a->ei, HF_ERR_FORMAT,
			"lineage: letters, digits, '.', '_' and '-', at most %d", HF_ID_MAX);
	}
	return HF_OK;
}

static size_t active_releases(struct hf_dependency *have, const struct hf_keyd_memory *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++) {
		if (!m->lineage[i].is_active)
			continue;
		memcpy(have[n].lineage, m->lineage[i].name, sizeof(have[n].lineage));
		memcpy(have[n].manifest, m->lineage[i].manifest, sizeof(have[n].manifest));
		have[n].release = m->lineage[i].release;
		n++;
	}
	return n;
}

void hf_keyd_trust_init(struct hf_keyd_trust *t, struct hf_keyd *k, struct hf_key_ask *a)
{
	const struct hf_keyd_memory *m = &k->memory;
	const struct hf_keyd_lineage *l = hf_keyd_find(k, a->lineage);

	memset(t, 0, sizeof(*t));
	t->k = k;
	t->ask = a;
	t->device = (struct hf_trust_device){ .id = k->identity.id,
		.level = k->identity.level,
		.hardware_class = HF_KEYD_HARDWARE_CLASS,
		.hardware = k->tags,
		.n_hardware = k->n_tags,
		.enc = { .pub = k->enc.pub, .cert = &k->party.enc },
		.key = &k->enc };
	memcpy(t->device.enc_cert, k->enc_cert, sizeof(t->device.enc_cert));
	t->query = (struct hf_trust_query){ .domain = k->identity.domain,
		.lineage = a->lineage,
		.now_s = a->now_s,
		.is_grant_online = true, /* the network process has grants over links only */
		.state = { .root_version = m->root_version,
			.channel_serial = m->channel_serial,
			.time_s = m->time_s,
			.floor = l == NULL ? 0 : l->floor },
		.root = k->party.root,
		.have = t->have,
		.n_have = active_releases(t->have, m),
		.device = &t->device,
		.persist_ctx = t };
}

/* True if the file holds exactly this channel. */
static bool is_kept(const struct hf_keyd *k, const char *path, struct hf_bytes channel)
{
	struct hf_buf file;
	bool is_same;

	hf_buf_init(&file, k->env->mem, hf_object_max(HF_OBJECT_CHANNEL));
	is_same = hf_file_load(&file, path, NULL) == HF_OK && file.len == channel.len &&
		  memcmp(file.p, channel.p, channel.len) == 0;
	hf_buf_clear(&file);
	return is_same;
}

hf_err hf_keyd_persist(void *ctx, const struct hf_trust_state *state, const struct hf_root *root)
{
	struct hf_keyd_trust *t = ctx;
	struct hf_keyd *k = t->k;
	struct hf_errinfo *ei = t->ask->ei;
	struct hf_keyd_memory *m;
	char path[HF_PATH_MAX];

	/* A file that was damaged or deleted is written anew. */
	HF_TRY(hf_keyd_channel_path(path, k, ei));
	if (!is_kept(k, path, t->query.channel))
		HF_TRY(hf_file_replace(path, 0644, t->query.channel.p, t->query.channel.len, ei));
	if (state->channel_serial == k->memory.channel_serial &&
		root->version == k->memory.root_version && state->time_s == k->memory.time_s)
		return HF_OK;
	m = hf_keyd_draft(k);
	m->root_version = root->version;
	m->channel_serial = state->channel_serial;
	m->time_s = state->time_s;
	HF_TRY(hf_keyd_save(k, ei));
	t->is_newer = true;
	return HF_OK;
}

hf_err hf_keyd_trust_run(struct hf_keyd_trust *t, enum hf_trust_step last)
{
	hf_err e = hf_trust_run(&t->result, &t->query, last, t->k->env->mem, t->ask->ei);

	if (e != HF_OK)
		t->ask->step = hf_trust_step_name(t->result.failed);
	return e;
}

hf_err hf_keyd_note_unwrap(struct hf_keyd *k, const struct hf_key_ask *a,
	const struct hf_manifest *m, const uint8_t *manifest)
{
	const struct hf_keyd_note note = { .event = HF_EV_KEY_UNWRAP,
		.tier = 3,
		.subject = "key:content",
		.lineage = m->lineage,
		.release = m->release,
		.manifest = manifest };

	return hf_keyd_note(k, a, &note, a->ei);
}

/* Class S where something new is believed from here on; else there is nothing to record. */
static hf_err note_channel(struct hf_keyd_trust *t)
{
	const struct hf_keyd_note note = { .event = HF_EV_MODEL_CHANNEL,
		.subject = "channel",
		.release = t->result.channel.serial };

	return t->is_newer ? hf_keyd_note(t->k, t->ask, &note, t->ask->ei) : HF_OK;
}

static hf_err note_verified(struct hf_keyd_trust *t)
{
	const struct hf_manifest *m = &t->result.manifest;
	const struct hf_keyd_note note = { .event = HF_EV_MODEL_VERIFY,
		.level = (uint8_t)t->result.level,
		.lineage = m->lineage,
		.release = m->release,
		.manifest = t->result.manifest_name };

	return hf_keyd_note(t->k, t->ask, &note, t->ask->ei);
}

/* The steps up to last, with what was learned made durable and recorded. */
static hf_err check(struct hf_keyd *k, struct hf_key_ask *a, enum hf_trust_step last,
	const struct hf_bytes object[3])
{
	struct hf_keyd_trust *t = hf_mem_new(k->env->mem, sizeof(*t));
	hf_err e;

	if (t == NULL)
		return hf_fail(a->ei, HF_ERR_NO_MEMORY, "out of memory");
	hf_keyd_trust_init(t, k, a);
	t->query.channel = object[0];
	t->query.manifest = object[1];
	t->query.grant = object[2];
	t->query.persist = hf_keyd_persist;
	e = hf_keyd_trust_run(t, last);
	/* What was persisted stays known even if a later step refused. */
	if (t->is_newer && e != HF_OK)
		(void)!note_channel(t);
	if (e == HF_OK)
		e = note_channel(t);
	if (e == HF_OK && last >= HF_TRUST_UNWRAP)
		e = hf_keyd_note_unwrap(k, a, &t->result.manifest, t->result.manifest_name);
	if (e == HF_OK && last >= HF_TRUST_MANIFEST)
		e = note_verified(t);
	hf_trust_clear(&t->result);
	hf_mem_free(k->env->mem, t);
	return e;
}

hf_err hf_keyd_check_channel(struct hf_keyd *k, struct hf_key_ask *a)
{
	struct hf_bytes object[3] = { { 0 } };

	object[0] = hf_key_take_object(&a->in);
	HF_TRY(hf_key_ask_done(a));
	return check(k, a, HF_TRUST_PERSIST, object);
}

hf_err hf_keyd_check_release(struct hf_keyd *k, struct hf_key_ask *a)
{
	struct hf_bytes object[3] = { { 0 } };

	HF_TRY(hf_keyd_take_lineage(a));
	object[0] = hf_key_take_object(&a->in);
	object[1] = hf_key_take_object(&a->in);
	HF_TRY(hf_key_ask_done(a));
	return check(k, a, HF_TRUST_LEVEL, object);
}

hf_err hf_keyd_check_grant(struct hf_keyd *k, struct hf_key_ask *a)
{
	struct hf_bytes object[3] = { { 0 } };

	HF_TRY(hf_keyd_take_lineage(a));
	for (size_t i = 0; i < 3; i++)
		object[i] = hf_key_take_object(&a->in);
	HF_TRY(hf_key_ask_done(a));
	return check(k, a, HF_TRUST_COMMITMENT, object);
}
