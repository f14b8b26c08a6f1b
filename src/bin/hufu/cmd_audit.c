/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hufu audit: the log of a node, read from its data folder and checked against the signed heads;
 * nothing is changed, and the node may be running. A node has two logs: one from before it was a
 * member of its domain, audit-new, and the one since then, audit.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/endian.h"
#include "cmd.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/heap.h"
#include "svc/journal.h"
#include "svc/party.h"
#include "view.h"

enum {
	LINE_MAX_LEN = 64 << 10,
	UNSIGNED_MS_MAX = 3 * HF_JOURNAL_HEAD_MS, /* a record is under a head by then */
};

static const char *const folders[] = { "audit-new", "audit" };

/* One log. */
struct log {
	char dir[HF_PATH_MAX];
	char id[HF_AUDIT_LOG_ID_MAX];
	struct hf_buf line;
	struct hf_journal_report report;
};

/* Shows one record: JSON as it is exported, or one line for people. */
static hf_err show_json(
	void *ctx, const struct hf_audit_record *r, const char *actor, const char *subject)
{
	struct log *l = ctx;

	hf_buf_reset(&l->line);
	HF_TRY(hf_audit_record_json(&l->line, r, l->id, actor, subject));
	return fwrite(l->line.p, 1, l->line.len, stdout) == l->line.len ? HF_OK : HF_ERR_IO;
}

/* Which release of which model a record speaks of; where no model is named the number is another.
 */
static void show_model(struct hufu_view *v, const struct hf_audit_record *r)
{
	struct hf_audit_attr a = { 0 };
	bool has_model = false;
	size_t at = 0;

	while (hf_audit_attr_next(&a, r, &at) == HF_OK) {
		if (a.type == HF_ATTR_MODEL) {
			hufu_view_text(v, "model", (struct hf_bytes){ a.value, a.value_len });
			has_model = true;
		} else if (a.type == HF_ATTR_RELEASE && has_model &&
			   a.value_len == sizeof(uint64_t))
			hufu_view_u64(v, "release", hf_get_be64(a.value));
	}
}

static hf_err show_text(
	void *ctx, const struct hf_audit_record *r, const char *actor, const char *subject)
{
	static const char *const results[] = { "ok", "fail", "denied", "error", "partial" };
	const struct hf_audit_event_entry *event = hf_audit_event(r->event);
	struct hufu_view v;
	char reason[32] = "";

	(void)ctx;
	if (r->reason != 0)
		(void)snprintf(reason, sizeof(reason), "%s", hf_err_name((hf_err)r->reason));
	hufu_view_begin(&v, false);
	hufu_view_row(&v);
	hufu_view_u64(&v, "seq", r->seq);
	hufu_view_time(&v, "time", r->time_ns / 1000000000u);
	hufu_view_str(&v, "event", event == NULL ? "unknown" : event->name);
	hufu_view_str(&v, "result",
		r->result < sizeof(results) / sizeof(results[0]) ? results[r->result] : "unknown");
	if (actor != NULL)
		hufu_view_str(&v, "actor", actor);
	if (subject != NULL)
		hufu_view_str(&v, "subject", subject);
	show_model(&v, r);
	if (reason[0] != '\0')
		hufu_view_str(&v, "reason", reason);
	hufu_view_end(&v);
	hufu_view_drop(&v);
	return ferror(stdout) == 0 ? HF_OK : HF_ERR_IO;
}

/* The key that signs heads: of a hub its audit key, of others their signing key. */
static hf_err load_key(struct hf_party *p, struct hf_sm2_pub *key, const struct hf_env *env,
	const char *dir, struct hf_errinfo *ei)
{
	struct hf_cert cert = { .is_ca = false };
	char path[HF_PATH_MAX];
	hf_err e;

	HF_TRY(hf_party_open(p, env, dir, ei));
	*key = p->sign.key;
	if (p->identity.role != HF_ROLE_HUB)
		return HF_OK;
	e = hf_path_join(path, dir, "certs/audit.crt", ei);
	if (e == HF_OK)
		e = hf_cert_load(&cert, env, path, ei);
	if (e == HF_OK)
		*key = cert.key;
	else
		hf_party_clear(p);
	hf_cert_clear(&cert);
	return e;
}

/* Folder and name of the log; HF_ERR_NOT_FOUND: the node has none of this kind. */
static hf_err find_log(struct log *l, const struct hf_party *p, size_t which, struct hf_errinfo *ei)
{
	struct hf_file_stat st;
	int n = which == 0 ? snprintf(l->id, sizeof(l->id), "new/%s", p->identity.id)
			   : snprintf(l->id, sizeof(l->id), "%s/%s/audit", p->identity.domain,
				     p->identity.id);

	if (n < 0 || n >= (int)sizeof(l->id))
		return hf_fail(ei, HF_ERR_LIMIT, "%s: domain and id are too long", p->dir);
	HF_TRY(hf_path_join(l->dir, p->dir, folders[which], ei));
	return hf_file_stat(&st, l->dir, NULL);
}

static void print_report(struct hufu_view *v, const struct log *l)
{
	hufu_view_object(v, NULL);
	hufu_view_str(v, "log", l->id);
	hufu_view_str(v, "folder", l->dir);
	hufu_view_u64(v, "records", l->report.n_records);
	hufu_view_u64(v, "batches", l->report.n_batches);
	hufu_view_u64(v, "heads", l->report.n_heads);
	hufu_view_u64(v, "signed_records", l->report.head_size);
	hufu_view_u64(v, "unsigned_records", l->report.n_records - l->report.head_size);
	hufu_view_hex(v, "root", l->report.root, HF_SM3_LEN);
	hufu_view_end(v);
}

/*
 * What no head covers could have been written by anybody who can write the file. Of a log that is
 * being written those are the records of some seconds.
 */
static hf_err check_signed(const struct log *l, struct hf_errinfo *ei)
{
	const struct hf_journal_report *r = &l->report;
	uint64_t late_ns = r->unsigned_ns + (uint64_t)UNSIGNED_MS_MAX * 1000000u;

	if (r->n_records == 0 || r->unsigned_ns == 0)
		return HF_OK;
	if (r->n_heads == 0)
		return hf_fail(ei, HF_ERR_STATE,
			"audit log %s: no signed head yet: nothing shows who wrote its %" PRIu64
			" records",
			l->id, r->n_records);
	if (hf_clock_wall_ms() * 1000000u <= late_ns)
		return HF_OK;
	return hf_fail(ei, HF_ERR_STATE,
		"audit log %s: no signed head over the last %" PRIu64
		" records: the node ended without one and signs when it starts, or heads were "
		"removed",
		l->id, r->n_records - r->head_size);
}

/*
 * Both logs of the node in dir, each shown by visit and told about in v (either may be NULL). late
 * (may be NULL): what check_signed says first.
 */
static hf_err read_logs(const struct hf_env *env, const char *dir, hf_audit_visit visit,
	struct hufu_view *v, struct hf_errinfo *late, struct hf_errinfo *ei)
{
	struct hf_sm2_pub key;
	struct hf_party p;
	struct log l;
	size_t n_found = 0;
	hf_err e = load_key(&p, &key, env, dir, ei);

	if (e != HF_OK)
		return e;
	if (v != NULL)
		hufu_view_list(v, "logs");
	memset(&l, 0, sizeof(l));
	hf_buf_init(&l.line, env->mem, LINE_MAX_LEN);
	for (size_t i = 0; e == HF_OK && i < sizeof(folders) / sizeof(folders[0]); i++) {
		e = find_log(&l, &p, i, ei);
		if (e == HF_ERR_NOT_FOUND) {
			e = HF_OK;
			continue;
		}
		if (e == HF_OK)
			e = hf_journal_verify(env, l.dir, l.id, &key, visit, &l, &l.report, ei);
		if (e == HF_OK && v != NULL)
			print_report(v, &l);
		if (e == HF_OK && late != NULL)
			(void)!check_signed(&l, late);
		n_found++;
	}
	if (e == HF_OK && n_found == 0)
		e = hf_fail(ei, HF_ERR_NOT_FOUND,
			"%s: holds no audit log; this node has not been started yet", dir);
	if (v != NULL)
		hufu_view_end(v);
	hf_buf_clear(&l.line);
	hf_party_clear(&p);
	return e;
}

int hufu_run_audit_show(const struct hufu_args *a, struct hf_errinfo *ei)
{
	const struct hf_env env = { .mem = hf_os_mem() };

	return hufu_exit(read_logs(&env, a->arg[0], hufu_has(a, "json") ? show_json : show_text,
				 NULL, NULL, ei),
		ei);
}

int hufu_run_audit_verify(const struct hufu_args *a, struct hf_errinfo *ei)
{
	const struct hf_env env = { .mem = hf_os_mem() };
	struct hf_errinfo late = { 0 };
	struct hufu_view v;
	hf_err e;

	hufu_view_begin(&v, hufu_has(a, "json"));
	e = read_logs(&env, a->arg[0], NULL, &v, &late, ei);
	if (e == HF_OK)
		e = hufu_view_done(&v, ei);
	else
		hufu_view_drop(&v);
	if (e == HF_OK && late.code != HF_OK)
		e = hf_fail(ei, late.code, "%s", late.text);
	return hufu_exit(e, ei);
}
