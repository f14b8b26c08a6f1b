/* SPDX-License-Identifier: Apache-2.0 */
#include "svc/journal_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/ct.h"
#include "os/file.h"

enum {
	NOTE_LINES = 5,
	NOTE_LEN_MIN = 128, /* root and signature alone are longer */
	BATCH_MAX = HF_BATCH_HEADER_LEN + HF_BATCH_PAYLOAD_MAX + HF_BATCH_TAIL_LEN,
};

void hf_journal_path(char path[HF_JOURNAL_PATH_ROOM], const char *dir, const char *name)
{
	(void)snprintf(path, HF_JOURNAL_PATH_ROOM, "%s/%s", dir, name);
}

static void heads_clear(struct hf_journal_heads *h)
{
	hf_buf_clear(&h->file);
	hf_mem_free(h->mem, h->list);
}

size_t hf_journal_note_len(const uint8_t *p, size_t left)
{
	unsigned lines = 0;

	for (size_t i = 0; i < left && i < HF_AUDIT_HEAD_MAX; i++)
		if (p[i] == '\n' && ++lines == NOTE_LINES)
			return i + 1;
	return 0;
}

static hf_err heads_parse(struct hf_journal_heads *h, const char *log_id,
	const struct hf_sm2_pub *pub, struct hf_errinfo *ei)
{
	size_t cap = h->file.len / NOTE_LEN_MIN + 2; /* one more may be put between */

	h->list = hf_mem_array(h->mem, cap, sizeof(*h->list));
	if (h->list == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "audit log %s: out of memory", log_id);
	while (h->good_len < h->file.len) {
		const uint8_t *p = h->file.p + h->good_len;
		size_t left = h->file.len - h->good_len;
		size_t len = hf_journal_note_len(p, left);
		hf_err e;

		if (len == 0 && left < HF_AUDIT_HEAD_MAX)
			return HF_OK; /* torn */
		e = len == 0 || h->n + 1 == cap ? HF_ERR_FORMAT
						: hf_audit_head_parse(&h->list[h->n], p, len, pub);
		if (e != HF_OK || strcmp(h->list[h->n].id, log_id) != 0)
			return hf_fail(ei, HF_ERR_AUTH,
				"audit log %s: head %zu is altered, or of another key or log",
				log_id, h->n + 1);
		h->good_len += len;
		h->n++;
	}
	return HF_OK;
}

/* A log without heads yet is no failure. */
static hf_err heads_load(struct hf_journal_heads *h, const struct hf_env *env, const char *dir,
	const char *log_id, const struct hf_sm2_pub *pub, struct hf_errinfo *ei)
{
	struct hf_errinfo why = { 0 };
	char path[HF_JOURNAL_PATH_ROOM];
	hf_err e;

	*h = (struct hf_journal_heads){ .mem = env->mem };
	hf_buf_init(&h->file, env->mem, HF_JOURNAL_HEADS_MAX);
	hf_journal_path(path, dir, "heads");
	e = hf_file_load(&h->file, path, &why);
	if (e == HF_ERR_NOT_FOUND)
		return HF_OK;
	if (e != HF_OK)
		return hf_fail_sys(ei, e, why.sys, "%s", why.text);
	return heads_parse(h, log_id, pub, ei);
}

void hf_journal_reading_clear(struct hf_journal_reading *r)
{
	hf_seglog_free(r->log);
	hf_audit_verify_clear(&r->verify);
	heads_clear(&r->heads);
}

/* What a log of records says about itself is evidence: whatever is wrong there is HF_ERR_AUTH. */
static hf_err as_auth(hf_err e, const struct hf_errinfo *why, struct hf_errinfo *ei)
{
	if (e == HF_ERR_FORMAT)
		e = HF_ERR_AUTH;
	if (e != HF_OK)
		(void)hf_fail_sys(ei, e, why->sys, "%s", why->text);
	return e;
}

hf_err hf_journal_segments(struct hf_seglog **log, struct hf_seglog_torn *torn,
	const struct hf_env *env, const char *dir, bool is_read_only, struct hf_errinfo *ei)
{
	struct hf_errinfo why = { 0 };
	char path[HF_JOURNAL_PATH_ROOM];
	const struct hf_seglog_config config = { path, HF_JOURNAL_SEGMENT_LEN, is_read_only };

	hf_journal_path(path, dir, "seg");
	return as_auth(hf_seglog_new(log, env->mem, &config, torn, &why), &why, ei);
}

static hf_err read_batches(
	struct hf_journal_reading *r, const struct hf_env *env, struct hf_errinfo *ei)
{
	struct hf_errinfo why = { 0 };
	struct hf_seglog_reader reader = { .fd = -1 };
	struct hf_buf batch;
	hf_err e;

	hf_buf_init(&batch, env->mem, BATCH_MAX);
	e = hf_seglog_seek(&reader, r->log, hf_seglog_first(r->log), ei);
	while (e == HF_OK) {
		hf_buf_reset(&batch);
		e = hf_seglog_read(&reader, &batch, &why);
		if (e == HF_ERR_AGAIN)
			break;
		e = as_auth(e == HF_ERR_LIMIT ? HF_ERR_FORMAT : e, &why, ei);
		if (e == HF_OK)
			e = hf_audit_verify_batch(&r->verify, batch.p, batch.len, ei);
		r->n_batches++;
	}
	hf_seglog_reader_clear(&reader);
	hf_buf_clear(&batch);
	return e == HF_ERR_AGAIN ? HF_OK : e;
}

/*
 * The head that is known is checked like one of the file, which may have lost it when it was
 * thinned out; but never those after it.
 */
static hf_err add_known(struct hf_journal_reading *r, const char *log_id, struct hf_errinfo *ei)
{
	struct hf_journal_heads *h = &r->heads;
	const struct hf_journal_known *known = r->known;
	size_t at = h->n;

	if (known == NULL || known->head_size == 0)
		return HF_OK;
	if (h->n == 0 || h->list[h->n - 1].size < known->head_size)
		return hf_fail(ei, HF_ERR_AUTH,
			"audit log %s: heads were removed: one over %" PRIu64
			" records was signed, the last one there covers %" PRIu64,
			log_id, known->head_size, h->n == 0 ? 0 : h->list[h->n - 1].size);
	while (at > 0 && h->list[at - 1].size >= known->head_size)
		at--;
	if (h->list[at].size != known->head_size) {
		memmove(&h->list[at + 1], &h->list[at], (h->n - at) * sizeof(h->list[0]));
		h->n++;
		h->list[at].size = known->head_size;
	} else if (!hf_ct_eq(h->list[at].root, known->head_root, HF_SM3_LEN)) {
		return hf_fail(ei, HF_ERR_AUTH,
			"audit log %s: the head over %" PRIu64
			" records is not the one that was signed: the log was rewritten",
			log_id, known->head_size);
	}
	memcpy(h->list[at].root, known->head_root, HF_SM3_LEN);
	return HF_OK;
}

static hf_err check_size(
	const struct hf_journal_reading *r, const char *log_id, struct hf_errinfo *ei)
{
	if (r->known == NULL || r->verify.tree.size >= r->known->size)
		return HF_OK;
	return hf_fail(ei, HF_ERR_AUTH,
		"audit log %s: cut: it had %" PRIu64 " records, %" PRIu64 " are there", log_id,
		r->known->size, r->verify.tree.size);
}

/* Heads first: a node that writes meanwhile only makes the log longer than they say. */
hf_err hf_journal_read(struct hf_journal_reading *r, const struct hf_env *env, const char *dir,
	const char *log_id, const struct hf_sm2_pub *pub, hf_audit_visit visit, void *ctx,
	struct hf_errinfo *ei)
{
	hf_err e = heads_load(&r->heads, env, dir, log_id, pub, ei);

	if (e == HF_OK)
		e = hf_journal_segments(&r->log, &r->torn, env, dir, true, ei);
	if (e == HF_OK)
		e = add_known(r, log_id, ei);
	if (e != HF_OK)
		return e;
	e = hf_audit_verify_init(&r->verify, env->mem, log_id, r->heads.list, r->heads.n);
	if (e == HF_ERR_FORMAT)
		return hf_fail(ei, HF_ERR_AUTH, "audit log %s: its heads go back", log_id);
	if (e != HF_OK)
		return hf_fail(ei, e, "audit log %s: %s", log_id, hf_err_text(e));
	hf_audit_verify_visit(&r->verify, visit, ctx);
	HF_TRY(read_batches(r, env, ei));
	HF_TRY(hf_audit_verify_done(&r->verify, ei));
	return check_size(r, log_id, ei);
}

/* Passes records on and keeps the time of the first one that no head covers. */
struct watch {
	const struct hf_journal_heads *heads;
	uint64_t unsigned_ns;
	hf_audit_visit visit;
	void *ctx;
};

static uint64_t head_size(const struct hf_journal_heads *h)
{
	return h->n == 0 ? 0 : h->list[h->n - 1].size;
}

static hf_err watch(
	void *ctx, const struct hf_audit_record *r, const char *actor, const char *subject)
{
	struct watch *w = ctx;

	if (w->unsigned_ns == 0 && r->seq >= head_size(w->heads))
		w->unsigned_ns = r->time_ns;
	return w->visit == NULL ? HF_OK : w->visit(w->ctx, r, actor, subject);
}

static hf_err read_and_report(struct hf_journal_reading *r, const struct hf_env *env,
	const char *dir, const char *log_id, const struct hf_sm2_pub *pub, struct watch *w,
	struct hf_journal_report *report, struct hf_errinfo *ei)
{
	hf_err e;

	w->heads = &r->heads;
	e = hf_journal_read(r, env, dir, log_id, pub, watch, w, ei);
	if (e == HF_OK) {
		*report = (struct hf_journal_report){ .n_records = r->verify.tree.size,
			.n_batches = r->n_batches,
			.n_heads = r->heads.n,
			.head_size = head_size(&r->heads),
			.unsigned_ns = w->unsigned_ns };
		hf_merkle_root(&r->verify.tree, report->root);
	}
	hf_journal_reading_clear(r);
	return e;
}

hf_err hf_journal_verify(const struct hf_env *env, const char *dir, const char *log_id,
	const struct hf_sm2_pub *pub, hf_audit_visit visit, void *ctx,
	struct hf_journal_report *report, struct hf_errinfo *ei)
{
	struct hf_journal_reading r = { .n_batches = 0 };
	struct watch w = { .visit = visit, .ctx = ctx };

	return read_and_report(&r, env, dir, log_id, pub, &w, report, ei);
}

hf_err hf_journal_verify_known(const struct hf_env *env, const char *dir, const char *log_id,
	const struct hf_sm2_pub *pub, const struct hf_journal_known *known,
	struct hf_journal_report *report, struct hf_errinfo *ei)
{
	struct hf_journal_reading r = { .known = known };
	struct watch w = { .visit = NULL };

	return read_and_report(&r, env, dir, log_id, pub, &w, report, ei);
}
