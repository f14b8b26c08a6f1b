/* SPDX-License-Identifier: Apache-2.0 */
#include "svc/journal_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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
	size_t cap = h->file.len / NOTE_LEN_MIN + 1;

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
		e = len == 0 || h->n == cap ? HF_ERR_FORMAT
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

/* Heads first: a node that writes meanwhile only makes the log longer than they say. */
hf_err hf_journal_read(struct hf_journal_reading *r, const struct hf_env *env, const char *dir,
	const char *log_id, const struct hf_sm2_pub *pub, hf_audit_visit visit, void *ctx,
	struct hf_errinfo *ei)
{
	hf_err e = heads_load(&r->heads, env, dir, log_id, pub, ei);

	if (e == HF_OK)
		e = hf_journal_segments(&r->log, &r->torn, env, dir, true, ei);
	if (e != HF_OK)
		return e;
	e = hf_audit_verify_init(&r->verify, env->mem, log_id, r->heads.list, r->heads.n);
	if (e == HF_ERR_FORMAT)
		return hf_fail(ei, HF_ERR_AUTH, "audit log %s: its heads go back", log_id);
	if (e != HF_OK)
		return hf_fail(ei, e, "audit log %s: %s", log_id, hf_err_text(e));
	hf_audit_verify_visit(&r->verify, visit, ctx);
	HF_TRY(read_batches(r, env, ei));
	return hf_audit_verify_done(&r->verify, ei);
}

hf_err hf_journal_verify(const struct hf_env *env, const char *dir, const char *log_id,
	const struct hf_sm2_pub *pub, hf_audit_visit visit, void *ctx,
	struct hf_journal_report *report, struct hf_errinfo *ei)
{
	struct hf_journal_reading r = { .n_batches = 0 };
	hf_err e = hf_journal_read(&r, env, dir, log_id, pub, visit, ctx, ei);

	if (e == HF_OK) {
		*report = (struct hf_journal_report){ .n_records = r.verify.tree.size,
			.n_batches = r.n_batches,
			.n_heads = r.heads.n,
			.head_size = r.heads.n == 0 ? 0 : r.heads.list[r.heads.n - 1].size };
		hf_merkle_root(&r.verify.tree, report->root);
	}
	hf_journal_reading_clear(&r);
	return e;
}
