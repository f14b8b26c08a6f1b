/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invariants:
 *   1. Nothing is written before everything that lies there has been verified.
 *   2. A record of class S that could not be made durable for lack of space leaves no trace: the
 *      writer goes back to before it. Records of class A wait, cut into a batch, for space.
 *   3. A head covers whole, synced batches only.
 *   4. Heads are appended and synced one by one; only the last one can be torn, and a torn one has
 *      fewer than the five lines of a note. Anything else that is wrong was altered.
 *   5. When the file of heads is full every second head goes. The last one covers everything.
 */
#include "svc/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/endian.h"
#include "os/clock.h"
#include "os/dir.h"
#include "os/file.h"
#include "svc/journal_read.h"

enum { RETRY_MS = 1000 };

static void now_of(struct hf_audit_now *now)
{
	now->time_ns = hf_clock_wall_ms() * 1000000u;
	now->boot_ns = hf_clock_mono_ns();
	now->clock_error_us = HF_RECORD_CLOCK_UNKNOWN;
}

/* Puts the batch that is cut into the file. Lack of space leaves it pending. */
static hf_err put_pending(struct hf_journal *j, struct hf_errinfo *ei)
{
	uint64_t number = 0;
	hf_err e;

	if (j->pending == NULL)
		return HF_OK;
	e = hf_seglog_append(j->log, &number, j->pending, j->pending_len, ei);
	if (e == HF_ERR_FULL || e == HF_ERR_NO_MEMORY) {
		j->retry_ms = hf_clock_mono_ms() + RETRY_MS;
		return e;
	}
	if (e != HF_OK)
		j->failed = e;
	else
		j->pending = NULL;
	return e;
}

/* Cuts the open batch, if there is one, and puts it into the file; not synced. */
static hf_err put_open(struct hf_journal *j, uint16_t flags, struct hf_errinfo *ei)
{
	struct hf_audit_now now;
	hf_err e;

	HF_TRY(put_pending(j, ei));
	if (!j->writer.has_open)
		return HF_OK;
	now_of(&now);
	e = hf_audit_log_cut(&j->writer, &now, flags, &j->pending, &j->pending_len);
	if (e != HF_OK)
		return hf_fail(ei, e, "audit log %s: %s", j->writer.id, hf_err_text(e));
	return put_pending(j, ei);
}

/* Nothing is open or pending at this moment. */
static hf_err sync_log(struct hf_journal *j, struct hf_errinfo *ei)
{
	hf_err e = hf_seglog_sync(j->log, ei);

	if (e != HF_OK)
		j->failed = e;
	else
		j->durable_size = j->writer.next_seq;
	return e;
}

static hf_err commit(struct hf_journal *j, uint16_t flags, struct hf_errinfo *ei)
{
	HF_TRY(put_open(j, flags, ei));
	return sync_log(j, ei);
}

static hf_err check_usable(const struct hf_journal *j, struct hf_errinfo *ei)
{
	if (j->log == NULL)
		return hf_fail(ei, HF_ERR_STATE, "audit log: not open; start hufud again");
	if (j->failed != HF_OK)
		return hf_fail(ei, j->failed,
			"audit log %s: could not be written before and stays closed until the next "
			"start",
			j->dir);
	return HF_OK;
}

/* The reserve lets what is under way be finished and recorded when a disk runs full. */
static hf_err check_space(const struct hf_journal *j, struct hf_errinfo *ei)
{
	uint64_t bytes = 0;

	HF_TRY(hf_dir_free_bytes(&bytes, j->dir, ei));
	if (bytes < HF_JOURNAL_RESERVE)
		return hf_fail(ei, HF_ERR_FULL,
			"audit log %s: the disk is full; free some space, then try again", j->dir);
	return HF_OK;
}

static hf_err add_open(
	struct hf_journal *j, const struct hf_audit_event_in *in, uint64_t *seq, bool *is_full)
{
	struct hf_audit_now now;
	hf_err e;

	now_of(&now);
	e = hf_audit_log_add(&j->writer, &now, in, seq);
	*is_full = e == HF_ERR_LIMIT && j->writer.has_open;
	return e;
}

/* Forgets a record that could not be written, and the names that came with it. */
static void undo(struct hf_journal *j, const struct hf_audit_log *before)
{
	struct hf_audit_log *l = &j->writer;

	j->pending = NULL;
	l->next_seq = before->next_seq;
	l->hlc = before->hlc;
	memcpy(l->prev, before->prev, sizeof(l->prev));
	l->tree = before->tree;
	hf_merkle_init(&l->batch_tree);
	l->has_open = false;
	l->is_urgent = false;
	l->is_cut = true; /* the frame starts over */
	hf_audit_log_forget_names(l);
}

static hf_err fail_add(const struct hf_journal *j, hf_err e, struct hf_errinfo *ei)
{
	return hf_fail(ei, e, "audit log %s: a record was refused: %s", j->dir, hf_err_text(e));
}

/* Class S: what is open goes first, so that this record stands or falls alone. */
static hf_err add_durable(struct hf_journal *j, const struct hf_audit_event_in *in, uint64_t *seq,
	uint16_t flags, struct hf_errinfo *ei)
{
	struct hf_audit_log before;
	bool is_full = false;
	hf_err e;

	HF_TRY(put_open(j, 0, ei));
	before = j->writer;
	e = add_open(j, in, seq, &is_full);
	if (e != HF_OK) {
		undo(j, &before);
		return fail_add(j, e, ei);
	}
	e = put_open(j, flags, ei);
	if (e == HF_ERR_FULL || e == HF_ERR_NO_MEMORY) {
		undo(j, &before);
		return e;
	}
	HF_TRY(e);
	return sync_log(j, ei);
}

static hf_err add_soon(struct hf_journal *j, const struct hf_audit_event_in *in, uint64_t *seq,
	struct hf_errinfo *ei)
{
	bool is_full = false;
	hf_err e;

	HF_TRY(put_pending(j, ei)); /* the writer lends one batch at a time */
	e = add_open(j, in, seq, &is_full);
	if (is_full) {
		HF_TRY(commit(j, 0, ei));
		e = add_open(j, in, seq, &is_full);
	}
	return e == HF_OK ? HF_OK : fail_add(j, e, ei);
}

static hf_err record(struct hf_journal *j, const struct hf_audit_event_in *in, uint64_t *seq,
	uint16_t flags, struct hf_errinfo *ei)
{
	const struct hf_audit_event_entry *event = hf_audit_event((uint16_t)in->event);

	if (event == NULL)
		return hf_fail(ei, HF_ERR_ARG, "audit: %u is no event", (unsigned)in->event);
	HF_TRY(check_usable(j, ei));
	HF_TRY(check_space(j, ei));
	return event->class_id == 'S' ? add_durable(j, in, seq, flags, ei)
				      : add_soon(j, in, seq, ei);
}

hf_err hf_journal_add(struct hf_journal *j, const struct hf_audit_event_in *in, uint64_t *seq,
	struct hf_errinfo *ei)
{
	return record(j, in, seq, 0, ei);
}

/* Leaves every second note, and always the last one. */
static hf_err thin_out(const struct hf_journal *j, const char *path, struct hf_errinfo *ei)
{
	struct hf_buf old;
	struct hf_buf thin;
	size_t at = 0;
	bool is_kept = false;
	hf_err e;

	hf_buf_init(&old, j->env->mem, HF_JOURNAL_HEADS_MAX);
	hf_buf_init(&thin, j->env->mem, HF_JOURNAL_HEADS_MAX);
	e = hf_file_load(&old, path, ei);
	while (e == HF_OK && at < old.len) {
		size_t len = hf_journal_note_len(old.p + at, old.len - at);

		if (len == 0)
			break;
		if (is_kept || at + len == old.len)
			e = hf_buf_put(&thin, old.p + at, len);
		is_kept = !is_kept;
		at += len;
	}
	if (e == HF_OK)
		e = hf_file_replace(path, 0600, thin.p, thin.len, ei);
	hf_buf_clear(&thin);
	hf_buf_clear(&old);
	return e;
}

static hf_err append_note(int fd, const uint8_t *note, size_t len, uint64_t size, const char *dir,
	struct hf_errinfo *ei)
{
	hf_err e = hf_file_pwrite(fd, note, len, size, ei);

	if (e == HF_OK)
		e = hf_file_sync(fd, ei);
	if (e == HF_OK && size == 0)
		e = hf_dir_sync(dir, ei);
	if (e != HF_OK)
		(void)!hf_file_resize(fd, size, NULL);
	return e;
}

static hf_err put_head(
	const struct hf_journal *j, const uint8_t *note, size_t len, struct hf_errinfo *ei)
{
	char path[HF_JOURNAL_PATH_ROOM];
	struct hf_file_stat st = { 0 };
	int fd = -1;
	hf_err e;

	hf_journal_path(path, j->dir, "heads");
	e = hf_file_stat(&st, path, NULL);
	if (e == HF_OK && st.size + len > HF_JOURNAL_HEADS_MAX)
		HF_TRY(thin_out(j, path, ei));
	HF_TRY(hf_file_open(&fd, path, HF_FILE_WRITE | HF_FILE_CREATE, 0600, ei));
	e = hf_file_fstat(&st, fd, ei);
	if (e == HF_OK)
		e = append_note(fd, note, len, st.size, j->dir, ei);
	hf_file_close(&fd);
	return e;
}

hf_err hf_journal_seal(struct hf_journal *j, struct hf_errinfo *ei)
{
	struct hf_audit_head head = { .size = 0 };
	uint8_t note[HF_AUDIT_HEAD_MAX];
	size_t len = 0;
	hf_err e;

	HF_TRY(check_usable(j, ei));
	j->head_ms = hf_clock_mono_ms();
	HF_TRY(commit(j, 0, ei));
	if (j->writer.next_seq == j->head_size)
		return HF_OK;
	memcpy(head.id, j->writer.id, sizeof(head.id));
	head.size = j->writer.next_seq;
	hf_merkle_root(&j->writer.tree, head.root);
	e = hf_audit_head_emit(note, &len, &head, j->signer);
	if (e != HF_OK)
		return hf_fail(ei, e, "audit log %s: its head cannot be signed: %s", j->dir,
			hf_err_text(e));
	HF_TRY(put_head(j, note, len, ei));
	j->head_size = head.size;
	memcpy(j->head_root, head.root, sizeof(j->head_root));
	return HF_OK;
}

static bool wants_head(const struct hf_journal *j)
{
	return j->writer.next_seq != j->head_size;
}

/* Monotonic ms when the open batch, or the one that waits for space, is due. */
static uint64_t commit_ms(const struct hf_journal *j)
{
	uint64_t ns;

	if (j->pending != NULL)
		return j->retry_ms;
	ns = hf_audit_log_deadline(&j->writer);
	return ns == UINT64_MAX ? UINT64_MAX : ns / 1000000u;
}

uint64_t hf_journal_deadline(const struct hf_journal *j)
{
	uint64_t due;

	if (j->log == NULL || j->failed != HF_OK)
		return UINT64_MAX;
	due = commit_ms(j);
	if (wants_head(j) && j->head_ms + HF_JOURNAL_HEAD_MS < due)
		due = j->head_ms + HF_JOURNAL_HEAD_MS;
	return due;
}

hf_err hf_journal_tick(struct hf_journal *j, struct hf_errinfo *ei)
{
	uint64_t now_ms = hf_clock_mono_ms();
	hf_err e = HF_OK;

	HF_TRY(check_usable(j, ei));
	if (wants_head(j) && now_ms >= j->head_ms + HF_JOURNAL_HEAD_MS)
		e = hf_journal_seal(j, ei);
	else if (now_ms >= commit_ms(j))
		e = commit(j, 0, ei);
	/* What waits is whole: in the batch, or in the tree that the next head covers. */
	if ((e == HF_ERR_FULL || e == HF_ERR_NO_MEMORY) && j->failed == HF_OK)
		return HF_ERR_AGAIN;
	return e;
}

static hf_err remember_boot(
	void *ctx, const struct hf_audit_record *r, const char *actor, const char *subject)
{
	(void)actor;
	(void)subject;
	*(uint16_t *)ctx = r->boot_no;
	return HF_OK;
}

/* Segments and the writer go on where the reading ended. */
static hf_err go_on(struct hf_journal *j, struct hf_journal_reading *r, const char *log_id,
	uint16_t boot_no, struct hf_errinfo *ei)
{
	hf_err e;

	hf_seglog_free(r->log);
	r->log = NULL;
	HF_TRY(hf_journal_segments(&j->log, &r->torn, j->env, j->dir, false, ei));
	if (hf_seglog_next(j->log) != r->n_batches)
		return hf_fail(ei, HF_ERR_AGAIN,
			"audit log %s: another process writes it at this moment", j->dir);
	e = hf_audit_log_init(&j->writer, j->env->mem, log_id, boot_no);
	if (e != HF_OK)
		return hf_fail(ei, e, "audit log %s: its name is too long", log_id);
	hf_audit_log_resume(&j->writer, &r->verify.tree, r->verify.prev, r->verify.last_hlc);
	j->found_size = r->verify.tree.size;
	j->durable_size = j->found_size;
	if (r->heads.n > 0) {
		const struct hf_audit_head *last = &r->heads.list[r->heads.n - 1];

		j->head_size = last->size;
		memcpy(j->head_root, last->root, sizeof(j->head_root));
	}
	return HF_OK;
}

/* A torn last head is dropped; the next one covers what it would have. */
static hf_err cut_heads(
	const struct hf_journal *j, const struct hf_journal_heads *h, struct hf_errinfo *ei)
{
	char path[HF_JOURNAL_PATH_ROOM];
	int fd = -1;
	hf_err e;

	if (h->good_len == h->file.len)
		return HF_OK;
	hf_journal_path(path, j->dir, "heads");
	HF_TRY(hf_file_open(&fd, path, HF_FILE_WRITE, 0, ei));
	e = hf_file_resize(fd, h->good_len, ei);
	if (e == HF_OK)
		e = hf_file_sync(fd, ei);
	hf_file_close(&fd);
	return e;
}

static hf_err record_opening(
	struct hf_journal *j, const struct hf_journal_reading *r, struct hf_errinfo *ei)
{
	struct hf_audit_event_in in = { .event = HF_EV_AUDIT_RECOVERED,
		.result = HF_RESULT_PARTIAL };
	uint8_t attrs[128];
	uint8_t n_bytes[8];
	struct hf_audit_attr bytes = { HF_ATTR_BYTES, n_bytes, sizeof(n_bytes) };
	struct hf_audit_attr kept = { HF_ATTR_CODE, (const uint8_t *)r->torn.kept,
		strlen(r->torn.kept) };
	size_t torn_head = r->heads.file.len - r->heads.good_len;

	hf_put_be64(n_bytes, r->torn.n_bytes + torn_head);
	in.attrs = attrs;
	if (r->torn.n_bytes + torn_head > 0) {
		HF_TRY(hf_audit_attr_put(attrs, sizeof(attrs), &in.attrs_len, &bytes));
		if (kept.value_len > 0)
			HF_TRY(hf_audit_attr_put(attrs, sizeof(attrs), &in.attrs_len, &kept));
		HF_TRY(record(j, &in, NULL, HF_BATCH_RECOVERED, ei));
	}
	in = (struct hf_audit_event_in){ .event = HF_EV_AUDIT_OPEN };
	return record(j, &in, NULL, 0, ei);
}

static hf_err open_all(struct hf_journal *j, struct hf_journal_reading *r, const char *log_id,
	struct hf_errinfo *ei)
{
	struct hf_errinfo why = { 0 };
	uint16_t boot_no = 0;
	hf_err e = hf_journal_read(
		r, j->env, j->dir, log_id, &j->signer->pub, remember_boot, &boot_no, &why);
	bool is_new = e == HF_ERR_NOT_FOUND && r->heads.file.len == 0;

	if (is_new && r->known != NULL && r->known->size + r->known->head_size > 0)
		return hf_fail(ei, HF_ERR_AUTH,
			"audit log %s: cut: it had %" PRIu64 " records, none is there", j->dir,
			r->known->size);
	if (is_new)
		e = hf_audit_verify_init(&r->verify, j->env->mem, log_id, NULL, 0);
	else if (e == HF_ERR_NOT_FOUND)
		return hf_fail(
			ei, HF_ERR_AUTH, "audit log %s: heads are there, records are gone", j->dir);
	if (e != HF_OK)
		return hf_fail_sys(
			ei, e, why.sys, "%s", why.code != HF_OK ? why.text : hf_err_text(e));
	if (is_new)
		HF_TRY(hf_dir_make(j->dir, 0700, ei));
	HF_TRY(go_on(j, r, log_id, (uint16_t)(boot_no + 1), ei));
	HF_TRY(cut_heads(j, &r->heads, ei));
	j->head_ms = hf_clock_mono_ms();
	return record_opening(j, r, ei);
}

hf_err hf_journal_open(struct hf_journal *j, const struct hf_env *env, const char *dir,
	const char *log_id, const struct hf_signer *signer, struct hf_errinfo *ei)
{
	return hf_journal_reopen(j, env, dir, log_id, signer, NULL, ei);
}

hf_err hf_journal_reopen(struct hf_journal *j, const struct hf_env *env, const char *dir,
	const char *log_id, const struct hf_signer *signer, const struct hf_journal_known *known,
	struct hf_errinfo *ei)
{
	struct hf_journal_reading r = { .known = known };
	hf_err e;

	*j = (struct hf_journal){ .env = env, .signer = signer };
	if (strlen(dir) >= sizeof(j->dir) - 8)
		return hf_fail(ei, HF_ERR_LIMIT, "%s: the path is too long", dir);
	memcpy(j->dir, dir, strlen(dir));
	e = open_all(j, &r, log_id, ei);
	hf_journal_reading_clear(&r);
	if (e != HF_OK) {
		hf_seglog_free(j->log);
		hf_audit_log_clear(&j->writer);
		*j = (struct hf_journal){ 0 };
	}
	return e;
}

void hf_journal_finish(struct hf_journal *j)
{
	const struct hf_audit_event_in in = { .event = HF_EV_AUDIT_CLOSE };

	if (j->log == NULL || j->is_finished)
		return;
	/* Nobody is left to be told; a start finds and records what is missing. */
	if (record(j, &in, NULL, HF_BATCH_LAST, NULL) != HF_OK)
		(void)!commit(j, 0, NULL);
	(void)!hf_journal_seal(j, NULL);
	j->is_finished = true;
}

void hf_journal_close(struct hf_journal *j)
{
	if (j->log == NULL)
		return;
	hf_journal_finish(j);
	hf_seglog_free(j->log);
	hf_audit_log_clear(&j->writer);
	*j = (struct hf_journal){ 0 };
}
