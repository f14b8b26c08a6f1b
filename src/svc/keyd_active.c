/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Active releases. active/<lineage>.<manifest> holds channel, manifest and grant, each with a u32
 * length. The memory of the node says which of them counts: a new file is written whole, then the
 * memory changes, then the old file goes; killed anywhere, the node runs the old release or the
 * new one. Who puts an older file there is refused: its manifest or its serial is not remembered.
 *
 * A release goes on being opened while the channel already speaks of the next one: then with the
 * last channel that named it, as long as that is fresh enough and no floor has passed it.
 */
#include "svc/keyd_inner.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "os/dir.h"
#include "os/file.h"
#include "pkg/receipt.h"

enum {
	NAME_MAX_LEN = HF_ID_MAX + 1 + 2 * HF_SM3_LEN + 1,
	KEPT_MAX = 3 * 4 + (4 << 20) + (4 << 20) + (256 << 10), /* limits of the three objects */
	FILES_MAX = 4 * HF_KEYD_LINEAGES_MAX,
};

static void file_name(char name[NAME_MAX_LEN], const struct hf_keyd_lineage *l)
{
	char hex[2 * HF_SM3_LEN + 1];

	hf_hex_emit(hex, l->manifest, HF_SM3_LEN);
	(void)snprintf(name, NAME_MAX_LEN, "%s.%s", l->name, hex);
}

static hf_err file_path(char path[HF_PATH_MAX], const struct hf_keyd *k,
	const struct hf_keyd_lineage *l, struct hf_errinfo *ei)
{
	char dir[HF_PATH_MAX];
	char name[NAME_MAX_LEN];

	file_name(name, l);
	HF_TRY(hf_path_join(dir, k->dir, "active", ei));
	return hf_path_join(path, dir, name, ei);
}

/* What is kept of one release. */
struct kept {
	struct hf_buf file;
	struct hf_bytes channel;
	struct hf_bytes manifest;
	struct hf_bytes grant;
};

static hf_err kept_load(struct kept *f, const struct hf_keyd *k, const struct hf_keyd_lineage *l,
	struct hf_errinfo *ei)
{
	uint8_t name[HF_SM3_LEN];
	char path[HF_PATH_MAX];
	struct hf_reader r;
	hf_err e;

	HF_TRY(file_path(path, k, l, ei));
	e = hf_file_load(&f->file, path, NULL);
	if (e == HF_ERR_NOT_FOUND || e == HF_ERR_LIMIT)
		return hf_fail(ei, HF_ERR_AUTH,
			"%s: the active release of %s is gone or altered; pull it again", path,
			l->name);
	if (e != HF_OK)
		return hf_file_load(&f->file, path, ei);
	r = (struct hf_reader){ .p = f->file.p, .left = f->file.len };
	f->channel = hf_key_take_object(&r);
	f->manifest = hf_key_take_object(&r);
	f->grant = hf_key_take_object(&r);
	e = hf_rd_done(&r);
	if (e == HF_OK)
		hf_object_name(name, f->manifest.p, f->manifest.len);
	if (e != HF_OK || memcmp(name, l->manifest, sizeof(name)) != 0)
		return hf_fail(ei, HF_ERR_AUTH,
			"%s: altered: not the release of %s that was activated; pull it again",
			path, l->name);
	return HF_OK;
}

static hf_err kept_save(const struct hf_keyd *k, const struct hf_keyd_lineage *l,
	const struct hf_trust_query *q, struct hf_errinfo *ei)
{
	char dir[HF_PATH_MAX];
	char path[HF_PATH_MAX];
	struct hf_buf file;
	struct hf_key_out o = { .buf = &file };
	hf_err e;

	HF_TRY(hf_path_join(dir, k->dir, "active", ei));
	HF_TRY(hf_dir_make(dir, 0700, ei));
	HF_TRY(file_path(path, k, l, ei));
	hf_buf_init(&file, k->env->mem, KEPT_MAX);
	hf_key_put_object(&o, q->channel);
	hf_key_put_object(&o, q->manifest);
	hf_key_put_object(&o, q->grant);
	e = o.e;
	if (e == HF_OK)
		e = hf_file_replace(path, 0600, file.p, file.len, ei);
	else
		(void)hf_fail(ei, e, "%s: the release is too long to be kept", path);
	hf_buf_clear(&file);
	return e;
}

/* A file that no lineage needs: of a release before, or of an activation that was cut short. */
static hf_err tidy_one(void *ctx, const char *name)
{
	const struct hf_keyd *k = ctx;
	char dir[HF_PATH_MAX];
	char path[HF_PATH_MAX];
	char wanted[NAME_MAX_LEN];

	for (size_t i = 0; i < k->memory.n; i++) {
		const struct hf_keyd_lineage *l = &k->memory.lineage[i];

		file_name(wanted, l);
		if (l->is_active && strcmp(wanted, name) == 0)
			return HF_OK;
	}
	HF_TRY(hf_path_join(dir, k->dir, "active", NULL));
	HF_TRY(hf_path_join(path, dir, name, NULL));
	(void)!hf_file_delete(path, NULL);
	return HF_OK;
}

void hf_keyd_active_tidy(struct hf_keyd *k)
{
	char dir[HF_PATH_MAX];

	/* What cannot be deleted now does no harm; whoever opens a release finds what is wrong. */
	if (hf_path_join(dir, k->dir, "active", NULL) == HF_OK)
		(void)!hf_dir_list(k->env->mem, dir, FILES_MAX, tidy_one, k, NULL);
}

static hf_err emit_receipt(struct hf_buf *content, struct hf_keyd_trust *t, uint64_t counter)
{
	const struct hf_keyd *k = t->k;
	const struct hf_manifest *m = &t->result.manifest;
	struct hf_receipt r = { .counter = counter,
		.action = HF_RECEIPT_ACTIVATED,
		.release = m->release,
		.has_grant = true,
		.time_s = t->ask->now_s };
	hf_err e = hf_rng_fill(&k->env->rng, r.nonce, sizeof(r.nonce));

	if (e != HF_OK)
		return hf_fail(t->ask->ei, e, "random generator: %s", hf_err_text(e));
	memcpy(r.domain, k->identity.domain, sizeof(r.domain));
	memcpy(r.device, k->identity.id, sizeof(r.device));
	memcpy(r.lineage, m->lineage, sizeof(r.lineage));
	memcpy(r.manifest, t->result.manifest_name, sizeof(r.manifest));
	hf_object_name(r.grant, t->query.grant.p, t->query.grant.len);
	return hf_receipt_emit(content, &r, t->ask->ei);
}

/* The signed receipt as the result. */
static hf_err put_receipt(struct hf_keyd_trust *t, uint64_t counter)
{
	struct hf_keyd *k = t->k;
	struct hf_key_ask *a = t->ask;
	struct hf_buf content;
	struct hf_buf object;
	hf_err e;

	hf_buf_init(&content, k->env->mem, hf_object_max(HF_OBJECT_RECEIPT));
	hf_buf_init(&object, k->env->mem, hf_object_max(HF_OBJECT_RECEIPT));
	e = emit_receipt(&content, t, counter);
	if (e == HF_OK)
		e = hf_keyd_sign_object(k, a, HF_OBJECT_RECEIPT, &k->sign,
			(struct hf_bytes){ content.p, content.len }, &object);
	if (e == HF_OK)
		hf_key_put_object(&a->out, (struct hf_bytes){ object.p, object.len });
	hf_buf_clear(&object);
	hf_buf_clear(&content);
	return e;
}

static hf_err note_activation(struct hf_keyd_trust *t, enum hf_record_result result, hf_err reason)
{
	const struct hf_manifest *m = &t->result.manifest;
	const struct hf_keyd_note note = { .event = HF_EV_MODEL_ACTIVATE,
		.result = result,
		.reason = reason,
		.level = (uint8_t)t->result.level,
		.lineage = m->lineage,
		.release = m->release,
		.manifest = t->result.manifest_name };

	return hf_keyd_note(t->k, t->ask, &note, reason == HF_OK ? t->ask->ei : NULL);
}

/* Everything has been checked. The record comes before the effect, the effect before the reply. */
static hf_err become_active(struct hf_keyd_trust *t)
{
	const struct hf_trust_result *r = &t->result;
	struct hf_keyd *k = t->k;
	struct hf_errinfo *ei = t->ask->ei;
	struct hf_keyd_memory *m = hf_keyd_draft(k);
	struct hf_keyd_lineage *l = NULL;
	hf_err e;

	HF_TRY(hf_keyd_draft_lineage(&l, k, r->manifest.lineage, ei));
	l->is_active = true;
	l->release = r->manifest.release;
	l->serial = r->channel.serial;
	memcpy(l->manifest, r->manifest_name, sizeof(l->manifest));
	if (r->floor > l->floor)
		l->floor = r->floor;
	m->n_receipts++;
	HF_TRY(kept_save(k, l, &t->query, ei));
	HF_TRY(put_receipt(t, m->n_receipts));
	HF_TRY(hf_keyd_note_unwrap(k, t->ask, &r->manifest, r->manifest_name));
	HF_TRY(note_activation(t, HF_RESULT_OK, HF_OK));
	e = hf_keyd_save(k, ei);
	if (e != HF_OK) {
		(void)!note_activation(t, HF_RESULT_ERROR, e); /* it was said too early */
		return e;
	}
	hf_keyd_active_tidy(k);
	return HF_OK;
}

hf_err hf_keyd_activate(struct hf_keyd *k, struct hf_key_ask *a)
{
	struct hf_keyd_trust *t;
	struct hf_bytes object[3];
	hf_err e;

	HF_TRY(hf_keyd_take_lineage(a));
	for (size_t i = 0; i < 3; i++)
		object[i] = hf_key_take_object(&a->in);
	HF_TRY(hf_key_ask_done(a));
	t = hf_mem_new(k->env->mem, sizeof(*t));
	if (t == NULL)
		return hf_fail(a->ei, HF_ERR_NO_MEMORY, "out of memory");
	hf_keyd_trust_init(t, k, a);
	t->query.channel = object[0];
	t->query.manifest = object[1];
	t->query.grant = object[2];
	t->query.persist = hf_keyd_persist;
	e = hf_keyd_trust_run(t, HF_TRUST_COMMITMENT);
	if (e == HF_OK)
		e = become_active(t);
	hf_trust_clear(&t->result);
	hf_mem_free(k->env->mem, t);
	return e;
}

/*
 * Which channel to open with: the newest one, if it speaks of this release; the one that was kept
 * with the release if the newest has moved on. The newest one's floor does not count for what runs
 * until the release that it comes with is active; but no longer than the kept channel is good.
 */
static hf_err choose_channel(struct hf_keyd_trust *t, const struct kept *f,
	const struct hf_keyd_lineage *l, struct hf_bytes newest)
{
	struct hf_channel_release *entry = &t->result.entry;
	hf_err e;

	t->query.channel = newest;
	HF_TRY(hf_keyd_trust_run(t, HF_TRUST_FRESH));
	e = hf_channel_find(entry, &t->result.channel, l->name);
	if (e != HF_OK)
		return hf_fail(t->ask->ei, e, "channel: no longer says anything about %s", l->name);
	if (memcmp(entry->manifest, l->manifest, sizeof(l->manifest)) == 0)
		return HF_OK;
	t->query.channel = f->channel;
	t->query.state.channel_serial = l->serial;
	return HF_OK;
}

static hf_err note_opened(struct hf_keyd_trust *t)
{
	const struct hf_manifest *m = &t->result.manifest;
	const struct hf_keyd_note note = { .event = HF_EV_MODEL_OPEN,
		.level = (uint8_t)t->result.level,
		.lineage = m->lineage,
		.release = m->release,
		.manifest = t->result.manifest_name };

	HF_TRY(hf_keyd_note_unwrap(t->k, t->ask, m, t->result.manifest_name));
	return hf_keyd_note(t->k, t->ask, &note, t->ask->ei);
}

/* Every step up to last, with what was kept. */
static hf_err trust_kept(struct hf_keyd_trust *t, struct kept *f, const struct hf_keyd_lineage *l,
	struct hf_buf *newest, enum hf_trust_step last)
{
	const struct hf_key_ask *a = t->ask;
	char path[HF_PATH_MAX];

	HF_TRY(kept_load(f, t->k, l, a->ei));
	HF_TRY(hf_keyd_channel_path(path, t->k, a->ei));
	HF_TRY(hf_file_load(newest, path, a->ei));
	t->query.manifest = f->manifest;
	t->query.grant = f->grant;
	HF_TRY(choose_channel(t, f, l, (struct hf_bytes){ newest->p, newest->len }));
	return hf_keyd_trust_run(t, last);
}

/* The record comes before the key. */
static hf_err give_key(struct hf_keyd_trust *t, const struct kept *f)
{
	HF_TRY(note_opened(t));
	hf_key_put_object(&t->ask->out, f->manifest);
	hf_key_put_raw(&t->ask->out, t->result.keys.cek, HF_CEK_LEN);
	return HF_OK;
}

/* The release that is active for the asker's lineage: opened, or only looked at. */
static hf_err use_kept(struct hf_keyd *k, struct hf_key_ask *a, bool is_opened)
{
	const struct hf_keyd_lineage *l = hf_keyd_find(k, a->lineage);
	struct hf_keyd_trust *t;
	struct hf_buf newest;
	struct kept f;
	hf_err e;

	if (l == NULL || !l->is_active)
		return hf_fail(a->ei, HF_ERR_NOT_FOUND,
			"%s: no release is active on this node; pull one first", a->lineage);
	t = hf_mem_new(k->env->mem, sizeof(*t));
	if (t == NULL)
		return hf_fail(a->ei, HF_ERR_NO_MEMORY, "out of memory");
	f = (struct kept){ .channel = { 0 } };
	hf_buf_init(&f.file, k->env->mem, KEPT_MAX);
	hf_buf_init(&newest, k->env->mem, hf_object_max(HF_OBJECT_CHANNEL));
	hf_keyd_trust_init(t, k, a);
	e = trust_kept(t, &f, l, &newest, is_opened ? HF_TRUST_COMMITMENT : HF_TRUST_GRANT);
	if (e == HF_OK && is_opened)
		e = give_key(t, &f);
	hf_trust_clear(&t->result);
	hf_buf_clear(&newest);
	hf_buf_clear(&f.file);
	hf_mem_free(k->env->mem, t);
	return e;
}

hf_err hf_keyd_open(struct hf_keyd *k, struct hf_key_ask *a)
{
	HF_TRY(hf_keyd_take_lineage(a));
	HF_TRY(hf_key_ask_done(a));
	HF_TRY(hf_keyd_allow_uid(k, a, true));
	return use_kept(k, a, true);
}

hf_err hf_keyd_check_active(struct hf_keyd *k, struct hf_key_ask *a)
{
	HF_TRY(hf_keyd_take_lineage(a));
	HF_TRY(hf_key_ask_done(a));
	return use_kept(k, a, false);
}

/* Ends as a refusal does, so it is recorded as one and a flood of them is counted, not kept. */
hf_err hf_keyd_report(struct hf_keyd *k, struct hf_key_ask *a)
{
	hf_err why;

	HF_TRY(hf_keyd_take_lineage(a));
	why = (hf_err)hf_rd_u32(&a->in);
	HF_TRY(hf_key_ask_done(a));
	HF_TRY(hf_keyd_allow_uid(k, a, true));
	if (why != HF_ERR_AUTH && why != HF_ERR_FORMAT && why != HF_ERR_TRUNCATED &&
		why != HF_ERR_NOT_FOUND)
		return hf_fail(a->ei, HF_ERR_ARG, "report: nothing that an object can be");
	a->step = "object";
	return hf_fail(a->ei, why, "%s: an object is not whole", a->lineage);
}
