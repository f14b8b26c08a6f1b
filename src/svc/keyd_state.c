/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory of a node (docs/formats/node-state.md): u8 version, u8 whose log, u64 records of the
 * log, u64 records of its last head and their root (32; not in version 1), u64 root version, u64
 * channel serial, u64 time, u64 receipts, u16 number of lineages, then of each u16 length and name,
 * u64 floor, u8 active, u64 release, u64 serial, manifest (32).
 *
 * A node without this file starts anew only if nothing else says that it was at work before.
 */
#include "svc/keyd_inner.h"

#include <stdio.h>
#include <string.h>

#include "crypto/hmac.h"
#include "os/file.h"

enum { MEMORY_VERSION = 2, MEMORY_WITHOUT_HEAD = 1 };

static hf_err compute_mac(
	void *ctx, uint8_t out[HF_STATE_DIGEST_LEN], const uint8_t *bytes, size_t len)
{
	const struct hf_keyd *k = ctx;

	hf_hmac_sm3(out, k->secrets->state_key, sizeof(k->secrets->state_key), bytes, len);
	return HF_OK;
}

static void emit(struct hf_key_out *o, const struct hf_keyd_memory *m)
{
	hf_key_put_u8(o, MEMORY_VERSION);
	hf_key_put_u8(o, m->is_member ? 1 : 0);
	hf_key_put_u64(o, m->log.size);
	hf_key_put_u64(o, m->log.head_size);
	hf_key_put_raw(o, m->log.head_root, sizeof(m->log.head_root));
	hf_key_put_u64(o, m->root_version);
	hf_key_put_u64(o, m->channel_serial);
	hf_key_put_u64(o, m->time_s);
	hf_key_put_u64(o, m->n_receipts);
	hf_key_put_u16(o, (uint16_t)m->n);
	for (size_t i = 0; i < m->n; i++) {
		const struct hf_keyd_lineage *l = &m->lineage[i];

		hf_key_put_text(o, l->name);
		hf_key_put_u64(o, l->floor);
		hf_key_put_u8(o, l->is_active ? 1 : 0);
		hf_key_put_u64(o, l->release);
		hf_key_put_u64(o, l->serial);
		hf_key_put_raw(o, l->manifest, sizeof(l->manifest));
	}
}

/* What was sealed is ours; if it does not read, another version wrote it. */
static hf_err parse(struct hf_keyd_memory *m, const uint8_t *in, size_t in_len)
{
	struct hf_reader r = { .p = in, .left = in_len };
	uint8_t version = hf_rd_u8(&r);

	m->is_member = hf_rd_u8(&r) != 0;
	m->log.size = hf_rd_u64(&r);
	if (version >= MEMORY_VERSION) {
		m->log.head_size = hf_rd_u64(&r);
		hf_rd_copy(&r, m->log.head_root, sizeof(m->log.head_root));
	}
	m->root_version = hf_rd_u64(&r);
	m->channel_serial = hf_rd_u64(&r);
	m->time_s = hf_rd_u64(&r);
	m->n_receipts = hf_rd_u64(&r);
	m->n = hf_rd_u16(&r);
	if (version != MEMORY_VERSION && version != MEMORY_WITHOUT_HEAD)
		return HF_ERR_UNSUPPORTED;
	if (m->n > HF_KEYD_LINEAGES_MAX)
		return HF_ERR_LIMIT;
	for (size_t i = 0; i < m->n; i++) {
		struct hf_keyd_lineage *l = &m->lineage[i];

		hf_key_take_text(&r, l->name, sizeof(l->name));
		l->floor = hf_rd_u64(&r);
		l->is_active = hf_rd_u8(&r) != 0;
		l->release = hf_rd_u64(&r);
		l->serial = hf_rd_u64(&r);
		hf_rd_copy(&r, l->manifest, sizeof(l->manifest));
	}
	return hf_rd_done(&r);
}

/* The first thing that says that this node has been at work; NULL: nothing. */
static const char *trace_of_work(const struct hf_keyd *k)
{
	static const char *const traces[] = { "audit", "audit-new", "active", "trust/channel.der",
		"keys.db" };
	char path[HF_PATH_MAX];
	struct hf_file_stat st;

	for (size_t i = 0; i < HF_COUNT(traces); i++)
		if (hf_path_join(path, k->dir, traces[i], NULL) == HF_OK &&
			hf_file_stat(&st, path, NULL) == HF_OK)
			return traces[i];
	return NULL;
}

static hf_err start_anew(struct hf_keyd *k, struct hf_errinfo *ei)
{
	const char *trace = trace_of_work(k);

	if (trace != NULL)
		return hf_fail(ei, HF_ERR_AUTH,
			"%s: state.a and state.b are gone, but %s is there: this node was at work "
			"before; restore them, or enrol it anew in an empty folder",
			k->dir, trace);
	hf_keyd_draft(k)->is_member = k->state != HF_KEY_STATE_NEWCOMER;
	return hf_keyd_save(k, ei);
}

hf_err hf_keyd_memory_load(struct hf_keyd *k, struct hf_errinfo *ei)
{
	const struct hf_state_mac mac = { compute_mac, k };
	struct hf_errinfo why = { 0 };
	char path[HF_PATH_MAX];
	struct hf_buf content;
	hf_err e;

	HF_TRY(hf_path_join(path, k->dir, "state", ei));
	hf_buf_init(&content, k->env->mem, HF_STATE_LEN_MAX);
	e = hf_state_init(&k->store, k->env->mem, path, &mac, &content, &why);
	if (e == HF_OK) {
		e = parse(&k->memory, content.p, content.len);
		if (e != HF_OK)
			(void)hf_fail(ei, e, "%s: state of another version of hufud", k->dir);
	} else if (e == HF_ERR_NOT_FOUND) {
		e = start_anew(k, ei);
	} else if (e == HF_ERR_AUTH) {
		(void)hf_fail(ei, e, "%s: %s: altered, or of another machine", k->dir, why.text);
	} else {
		(void)hf_fail_sys(ei, e, why.sys, "%s", why.text);
	}
	hf_buf_clear(&content);
	return e;
}

struct hf_keyd_memory *hf_keyd_draft(struct hf_keyd *k)
{
	k->draft = k->memory;
	return &k->draft;
}

hf_err hf_keyd_save(struct hf_keyd *k, struct hf_errinfo *ei)
{
	struct hf_buf content;
	struct hf_key_out o = { .buf = &content };
	hf_err e;

	if (k->journal.log != NULL) {
		k->draft.log.size = k->journal.durable_size;
		k->draft.log.head_size = k->journal.head_size;
		memcpy(k->draft.log.head_root, k->journal.head_root,
			sizeof(k->draft.log.head_root));
	}
	hf_buf_init(&content, k->env->mem, HF_STATE_LEN_MAX);
	emit(&o, &k->draft);
	e = o.e;
	if (e == HF_OK)
		e = hf_state_save(&k->store, content.p, content.len, ei);
	hf_buf_clear(&content);
	if (e != HF_OK)
		return hf_fail(ei, e, "%s: the state cannot be kept; start hufud again", k->dir);
	k->memory = k->draft;
	return HF_OK;
}

/* Where the name is or would be. */
static size_t place_of(const struct hf_keyd_memory *m, const char *name)
{
	size_t i = 0;

	while (i < m->n && strcmp(m->lineage[i].name, name) < 0)
		i++;
	return i;
}

const struct hf_keyd_lineage *hf_keyd_find(const struct hf_keyd *k, const char *name)
{
	size_t i = place_of(&k->memory, name);

	if (i == k->memory.n || strcmp(k->memory.lineage[i].name, name) != 0)
		return NULL;
	return &k->memory.lineage[i];
}

hf_err hf_keyd_draft_lineage(
	struct hf_keyd_lineage **out, struct hf_keyd *k, const char *name, struct hf_errinfo *ei)
{
	struct hf_keyd_memory *m = &k->draft;
	size_t i = place_of(m, name);

	if (i == m->n || strcmp(m->lineage[i].name, name) != 0) {
		if (m->n == HF_KEYD_LINEAGES_MAX)
			return hf_fail(ei, HF_ERR_LIMIT, "this node keeps %d lineages at most",
				HF_KEYD_LINEAGES_MAX);
		memmove(&m->lineage[i + 1], &m->lineage[i], (m->n - i) * sizeof(m->lineage[0]));
		m->lineage[i] = (struct hf_keyd_lineage){ .floor = 0 };
		(void)snprintf(m->lineage[i].name, sizeof(m->lineage[i].name), "%s", name);
		m->n++;
	}
	*out = &m->lineage[i];
	return HF_OK;
}
