/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file, its version and its statements.
 *
 * Invariants:
 *   1. user_version is the number of migrations applied; each is applied in one transaction with
 * it. A migration that was released never changes; a new one is added behind.
 *   2. WAL with synchronous=FULL: a commit that returned is durable.
 *   3. Every statement is reset before its function returns, so no read lock stays behind.
 */
#include "store/meta.h"

#include <stdio.h>
#include <string.h>

#include "os/file.h"
#include "os/sys.h"
#include "store/meta_db.h"

/* clang-format off */
static const char *const migrations[] = {
	"CREATE TABLE objects(kind TEXT NOT NULL, id TEXT NOT NULL, size INTEGER NOT NULL,"
	" created INTEGER NOT NULL, PRIMARY KEY(kind, id)) STRICT, WITHOUT ROWID;"
	"CREATE INDEX objects_age ON objects(kind, created);"
	"CREATE TABLE releases(lineage TEXT NOT NULL, release INTEGER NOT NULL, manifest TEXT NOT NULL,"
	" level INTEGER NOT NULL, created INTEGER NOT NULL, floor INTEGER NOT NULL,"
	" deposit TEXT NOT NULL, PRIMARY KEY(lineage, release)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE devices(id TEXT PRIMARY KEY NOT NULL, level INTEGER NOT NULL,"
	" state INTEGER NOT NULL, enrolled INTEGER NOT NULL, sign_cert BLOB NOT NULL,"
	" enc_cert BLOB NOT NULL) STRICT;"
	"CREATE TABLE tokens(id TEXT PRIMARY KEY NOT NULL, key BLOB, expires INTEGER NOT NULL,"
	" uses INTEGER NOT NULL) STRICT;"
	"CREATE TABLE grants(id TEXT PRIMARY KEY NOT NULL, device TEXT NOT NULL, manifest TEXT NOT NULL,"
	" not_after INTEGER NOT NULL, der BLOB NOT NULL) STRICT;"
	"CREATE INDEX grants_for ON grants(device, manifest, not_after);"
	"CREATE TABLE receipts(id TEXT PRIMARY KEY NOT NULL, device TEXT NOT NULL,"
	" manifest TEXT NOT NULL, received INTEGER NOT NULL, der BLOB NOT NULL) STRICT;"
	"CREATE INDEX receipts_of ON receipts(device, received);"
	"CREATE TABLE channels(name TEXT PRIMARY KEY NOT NULL, serial INTEGER NOT NULL,"
	" der BLOB NOT NULL) STRICT;"
	"CREATE TABLE inventory(device TEXT PRIMARY KEY NOT NULL, serial INTEGER NOT NULL,"
	" der BLOB NOT NULL) STRICT;"
	"CREATE TABLE uploads(id TEXT PRIMARY KEY NOT NULL, device TEXT NOT NULL, size INTEGER NOT NULL,"
	" state INTEGER NOT NULL, received INTEGER NOT NULL) STRICT;"
	"CREATE INDEX uploads_of ON uploads(device, received);"
	"CREATE TABLE counters(name TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL) STRICT;",
};
/* clang-format on */

static hf_err code_of(sqlite3 *db, int rc)
{
	if (rc == SQLITE_CONSTRAINT_NOTNULL)
		return HF_ERR_ARG;
	if (rc == SQLITE_CONSTRAINT_DATATYPE) /* an integer that ran over became a fraction */
		return HF_ERR_LIMIT;
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE: return HF_OK;
	case SQLITE_FULL: return HF_ERR_FULL;
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return HF_ERR_AGAIN;
	case SQLITE_PERM:
	case SQLITE_AUTH:
	case SQLITE_READONLY: return HF_ERR_PERMISSION;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB: return HF_ERR_FORMAT;
	case SQLITE_NOMEM: return HF_ERR_NO_MEMORY;
	case SQLITE_TOOBIG: return HF_ERR_LIMIT;
	case SQLITE_CONSTRAINT: return HF_ERR_EXISTS;
	case SQLITE_CANTOPEN:
	case SQLITE_IOERR:
		return db != NULL && sqlite3_system_errno(db) != 0
			       ? hf_sys_err(sqlite3_system_errno(db))
			       : HF_ERR_IO;
	default: return HF_ERR_INTERNAL;
	}
}

hf_err hf_meta_fail(struct hf_meta *m, int rc, struct hf_errinfo *ei)
{
	const char *file = sqlite3_db_filename(m->db, "main");

	return hf_fail_sys(ei, code_of(m->db, rc), sqlite3_system_errno(m->db), "%.150s: %.80s",
		file != NULL ? file : "database", sqlite3_errmsg(m->db));
}

struct meta_use hf_meta_start(struct hf_meta *m, enum meta_stmt which, struct hf_errinfo *ei)
{
	struct meta_use u = { .m = m, .ei = ei, .next = 1 };
	int rc = SQLITE_OK;

	if (m->stmts[which] == NULL)
		rc = sqlite3_prepare_v3(m->db, hf_meta_sql[which], -1, SQLITE_PREPARE_PERSISTENT,
			&m->stmts[which], NULL);
	if (rc != SQLITE_OK)
		u.e = hf_meta_fail(m, rc, ei);
	else if (sqlite3_stmt_busy(m->stmts[which]) != 0)
		u.e = hf_fail(ei, HF_ERR_STATE, "a walk over this table is under way");
	else
		u.s = m->stmts[which];
	return u;
}

static void bound(struct meta_use *u, int rc)
{
	if (rc != SQLITE_OK && u->e == HF_OK)
		u->e = hf_meta_fail(u->m, rc, u->ei);
}

void hf_meta_text(struct meta_use *u, const char *text)
{
	int at = u->next++;

	if (u->e != HF_OK)
		return;
	if (text == NULL)
		bound(u, sqlite3_bind_null(u->s, at));
	else if (strnlen(text, HF_META_NAME_MAX + 1) > HF_META_NAME_MAX)
		u->e = hf_fail(u->ei, HF_ERR_LIMIT, "name is too long: %.64s", text);
	else
		bound(u, sqlite3_bind_text(u->s, at, text, -1, SQLITE_TRANSIENT));
}

void hf_meta_u64(struct meta_use *u, uint64_t v)
{
	int at = u->next++;

	if (u->e != HF_OK)
		return;
	if (v > INT64_MAX)
		u->e = hf_fail(u->ei, HF_ERR_LIMIT, "number is too large to be kept");
	else
		bound(u, sqlite3_bind_int64(u->s, at, (sqlite3_int64)v));
}

void hf_meta_bytes(struct meta_use *u, struct hf_bytes b)
{
	int at = u->next++;

	if (u->e != HF_OK)
		return;
	if (b.len > HF_META_BYTES_MAX)
		u->e = hf_fail(u->ei, HF_ERR_LIMIT, "object of %zu bytes is too long", b.len);
	else if (b.len == 0) /* a NULL pointer would bind NULL */
		bound(u, sqlite3_bind_zeroblob(u->s, at, 0));
	else
		bound(u, sqlite3_bind_blob(u->s, at, b.p, (int)b.len, SQLITE_TRANSIENT));
}

bool hf_meta_row(struct meta_use *u)
{
	int rc;

	if (u->e != HF_OK)
		return false;
	rc = sqlite3_step(u->s);
	if (rc == SQLITE_ROW)
		return true;
	if (rc != SQLITE_DONE)
		u->e = hf_meta_fail(u->m, rc, u->ei);
	return false;
}

hf_err hf_meta_end(struct meta_use *u)
{
	if (u->s != NULL) {
		(void)sqlite3_reset(u->s); /* repeats the error of the step, which is known */
		(void)sqlite3_clear_bindings(u->s);
		u->s = NULL;
	}
	return u->e;
}

hf_err hf_meta_run(struct meta_use *u)
{
	while (hf_meta_row(u))
		;
	return hf_meta_end(u);
}

hf_err hf_meta_run_changing(struct meta_use *u)
{
	HF_TRY(hf_meta_run(u));
	return sqlite3_changes(u->m->db) == 0 ? HF_ERR_NOT_FOUND : HF_OK;
}

const char *hf_meta_col_text(const struct meta_use *u, int col)
{
	const char *text = (const char *)sqlite3_column_text(u->s, col);

	return text != NULL ? text : "";
}

uint64_t hf_meta_col_u64(const struct meta_use *u, int col)
{
	sqlite3_int64 v = sqlite3_column_int64(u->s, col);

	return v < 0 ? 0 : (uint64_t)v;
}

struct hf_bytes hf_meta_col_bytes(const struct meta_use *u, int col)
{
	const uint8_t *p = sqlite3_column_blob(u->s, col); /* before the length: SQLite manual */

	return (struct hf_bytes){ p, (size_t)sqlite3_column_bytes(u->s, col) };
}

static hf_err exec(struct hf_meta *m, const char *sql, struct hf_errinfo *ei)
{
	int rc = sqlite3_exec(m->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? HF_OK : hf_meta_fail(m, rc, ei);
}

static hf_err version_of(struct hf_meta *m, uint64_t *version, struct hf_errinfo *ei)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(m->db, "PRAGMA user_version", -1, &s, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc == SQLITE_ROW)
		*version = (uint64_t)sqlite3_column_int64(s, 0);
	(void)sqlite3_finalize(s);
	return rc == SQLITE_ROW ? HF_OK : hf_meta_fail(m, rc, ei);
}

/* One migration, whole or not at all; the version is looked at again under the write lock. */
static hf_err migrate_one(struct hf_meta *m, uint64_t to, struct hf_errinfo *ei)
{
	char set[48];
	uint64_t now = 0;
	hf_err e;

	HF_TRY(exec(m, "BEGIN IMMEDIATE", ei));
	e = version_of(m, &now, ei);
	if (e == HF_OK && now < to) {
		(void)snprintf(set, sizeof(set), "PRAGMA user_version = %u", (unsigned)to);
		e = exec(m, migrations[to - 1], ei);
		if (e == HF_OK)
			e = exec(m, set, ei);
	}
	if (e == HF_OK)
		e = exec(m, "COMMIT", ei);
	if (e != HF_OK)
		(void)sqlite3_exec(m->db, "ROLLBACK", NULL, NULL, NULL);
	return e;
}

static hf_err migrate(struct hf_meta *m, struct hf_errinfo *ei)
{
	uint64_t version = 0;

	HF_TRY(version_of(m, &version, ei));
	if (version > HF_COUNT(migrations))
		return hf_fail(ei, HF_ERR_UNSUPPORTED,
			"the database has version %u, this program knows %u", (unsigned)version,
			(unsigned)HF_COUNT(migrations));
	for (uint64_t to = version + 1; to <= HF_COUNT(migrations); to++)
		HF_TRY(migrate_one(m, to, ei));
	return HF_OK;
}

hf_err hf_meta_new(
	struct hf_meta **out, const struct hf_mem *mem, const char *path, struct hf_errinfo *ei)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
			  SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
	struct hf_meta *m = hf_mem_new(mem, sizeof(*m));
	int fd = -1;
	hf_err e;
	int rc;

	if (m == NULL)
		return HF_ERR_NO_MEMORY;
	m->mem = mem;
	/* Made here only for its mode. Never opened when it is there: closing it again would drop
	 * the locks that another connection of this process holds. */
	if (hf_file_open(&fd, path, HF_FILE_WRITE | HF_FILE_NEW, 0600, NULL) == HF_OK)
		hf_file_close(&fd);
	rc = sqlite3_open_v2(path, &m->db, flags, NULL);
	if (rc != SQLITE_OK) {
		e = hf_fail_sys(ei, code_of(m->db, rc),
			m->db != NULL ? sqlite3_system_errno(m->db) : 0, "cannot open %s: %s", path,
			sqlite3_errstr(rc));
		goto out;
	}
	(void)sqlite3_busy_timeout(m->db, HF_META_BUSY_MS);
	(void)sqlite3_db_config(m->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(m->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	e = exec(m, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", ei);
	if (e == HF_OK)
		e = migrate(m, ei);
	if (e != HF_OK)
		goto out;
	*out = m;
	return HF_OK;
out:
	hf_meta_free(m);
	return e;
}

void hf_meta_free(struct hf_meta *m)
{
	if (m == NULL)
		return;
	hf_meta_rollback(m);
	for (size_t i = 0; i < META_STMTS; i++)
		(void)sqlite3_finalize(m->stmts[i]);
	(void)sqlite3_close(m->db);
	hf_mem_free(m->mem, m);
}

hf_err hf_meta_begin(struct hf_meta *m, struct hf_errinfo *ei)
{
	struct meta_use u;

	if (m->in_transaction)
		return HF_ERR_STATE;
	u = hf_meta_start(m, META_BEGIN, ei);
	HF_TRY(hf_meta_run(&u));
	m->in_transaction = true;
	return HF_OK;
}

hf_err hf_meta_commit(struct hf_meta *m, struct hf_errinfo *ei)
{
	struct meta_use u;
	hf_err e;

	if (!m->in_transaction)
		return HF_ERR_STATE;
	u = hf_meta_start(m, META_COMMIT, ei);
	e = hf_meta_run(&u);
	if (e != HF_OK)
		hf_meta_rollback(m);
	m->in_transaction = false;
	return e;
}

void hf_meta_rollback(struct hf_meta *m)
{
	struct meta_use u;

	if (!m->in_transaction)
		return;
	/* SQLite may have rolled back by itself (disk full); then this says so and nothing is lost.
	 */
	u = hf_meta_start(m, META_ROLLBACK, NULL);
	(void)!hf_meta_run(&u);
	m->in_transaction = false;
}
