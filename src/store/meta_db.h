/* SPDX-License-Identifier: Apache-2.0 */
/* Between meta.c (the file, its version, statements) and meta_rows.c (tables). Not for others. */
#ifndef HF_STORE_META_DB_H
#define HF_STORE_META_DB_H

#include <sqlite3.h>
#include <stdbool.h>

#include "store/meta.h"

/* Statements, prepared at their first use. */
enum meta_stmt {
	META_BEGIN,
	META_COMMIT,
	META_ROLLBACK,
	META_OBJECT_PUT,
	META_OBJECT_DELETE,
	META_OBJECT_LIST,
	META_RELEASE_PUT,
	META_RELEASE_LIST,
	META_DEVICE_PUT,
	META_DEVICE_STATE,
	META_DEVICE_GET,
	META_DEVICE_LIST,
	META_TOKEN_PUT,
	META_TOKEN_GET,
	META_TOKEN_USE,
	META_GRANT_PUT,
	META_GRANT_GET,
	META_RECEIPT_PUT,
	META_RECEIPT_LIST,
	META_CHANNEL_PUT,
	META_CHANNEL_GET,
	META_INVENTORY_PUT,
	META_INVENTORY_GET,
	META_UPLOAD_PUT,
	META_UPLOAD_GET,
	META_UPLOAD_LIST,
	META_COUNTER_GET,
	META_COUNTER_RAISE,
	META_COUNTER_NEXT,
	META_STMTS
};

extern const char *const hf_meta_sql[META_STMTS];

struct hf_meta {
	const struct hf_mem *mem;
	sqlite3 *db;
	bool in_transaction;
	sqlite3_stmt *stmts[META_STMTS];
};

/* One use of a statement: start, bind in order, step, end. The first failure sticks in e. */
struct meta_use {
	struct hf_meta *m;
	sqlite3_stmt *s; /* NULL after a failed start */
	struct hf_errinfo *ei;
	int next; /* parameter */
	hf_err e;
};

struct meta_use hf_meta_start(struct hf_meta *m, enum meta_stmt which, struct hf_errinfo *ei);
void hf_meta_text(struct meta_use *u, const char *text); /* NULL binds NULL */
void hf_meta_u64(struct meta_use *u, uint64_t v);
void hf_meta_bytes(struct meta_use *u, struct hf_bytes b);

/* True while there is a row; false at the end or after a failure (u->e). */
bool hf_meta_row(struct meta_use *u);

/* Ends the use: u->e, or HF_ERR_NOT_FOUND where a change was wanted and none happened. */
hf_err hf_meta_end(struct meta_use *u);
hf_err hf_meta_run(struct meta_use *u);
hf_err hf_meta_run_changing(struct meta_use *u);

const char *hf_meta_col_text(const struct meta_use *u, int col);
uint64_t hf_meta_col_u64(const struct meta_use *u, int col);
struct hf_bytes hf_meta_col_bytes(const struct meta_use *u, int col);

/* The code of an SQLite result, with text. */
hf_err hf_meta_fail(struct hf_meta *m, int rc, struct hf_errinfo *ei);

#endif
