/* SPDX-License-Identifier: Apache-2.0 */
/* The tables: one statement a verb, one struct a row. */
#include "store/meta.h"

#include "store/meta_db.h"

/* clang-format off */
const char *const hf_meta_sql[META_STMTS] = {
	[META_BEGIN] = "BEGIN IMMEDIATE",
	[META_COMMIT] = "COMMIT",
	[META_ROLLBACK] = "ROLLBACK",
	[META_OBJECT_PUT] =
		"INSERT INTO objects(kind, id, size, created) VALUES(?, ?, ?, ?) ON CONFLICT DO NOTHING",
	[META_OBJECT_DELETE] = "DELETE FROM objects WHERE kind = ? AND id = ?",
	[META_OBJECT_LIST] =
		"SELECT kind, id, size, created FROM objects WHERE kind = ? ORDER BY created, id LIMIT ?",
	[META_RELEASE_PUT] =
		"INSERT INTO releases(lineage, release, manifest, level, created, floor, deposit)"
		" VALUES(?, ?, ?, ?, ?, ?, ?)",
	[META_RELEASE_LIST] =
		"SELECT lineage, release, manifest, level, created, floor, deposit FROM releases"
		" WHERE ?1 IS NULL OR lineage = ?1 ORDER BY lineage, release DESC LIMIT ?2",
	[META_DEVICE_PUT] =
		"INSERT OR REPLACE INTO devices(id, level, state, enrolled, sign_cert, enc_cert)"
		" VALUES(?, ?, ?, ?, ?, ?)",
	[META_DEVICE_STATE] = "UPDATE devices SET state = ? WHERE id = ?",
	[META_DEVICE_GET] =
		"SELECT id, level, state, enrolled, sign_cert, enc_cert FROM devices WHERE id = ?",
	[META_DEVICE_LIST] =
		"SELECT id, level, state, enrolled, sign_cert, enc_cert FROM devices ORDER BY id LIMIT ?",
	[META_TOKEN_PUT] = "INSERT INTO tokens(id, key, expires, uses) VALUES(?, NULL, ?, ?)",
	[META_TOKEN_GET] = "SELECT key, expires, uses FROM tokens WHERE id = ?",
	[META_TOKEN_USE] = "UPDATE tokens SET key = ?, uses = uses - 1 WHERE id = ? AND uses > 0",
	[META_GRANT_PUT] =
		"INSERT INTO grants(id, device, manifest, not_after, der) VALUES(?, ?, ?, ?, ?)",
	[META_GRANT_GET] =
		"SELECT id, device, manifest, not_after, der FROM grants"
		" WHERE device = ? AND manifest = ? ORDER BY not_after DESC LIMIT 1",
	[META_RECEIPT_PUT] =
		"INSERT INTO receipts(id, device, manifest, received, der) VALUES(?, ?, ?, ?, ?)",
	[META_RECEIPT_LIST] =
		"SELECT id, device, manifest, received, der FROM receipts"
		" WHERE device = ? ORDER BY received DESC, id LIMIT ?",
	[META_CHANNEL_PUT] =
		"INSERT INTO channels(name, serial, der) VALUES(?, ?, ?) ON CONFLICT(name) DO UPDATE"
		" SET serial = excluded.serial, der = excluded.der WHERE excluded.serial > serial"
		" OR (excluded.serial = serial AND excluded.der = der)",
	[META_CHANNEL_GET] = "SELECT name, serial, der FROM channels WHERE name = ?",
	[META_INVENTORY_PUT] =
		"INSERT INTO inventory(device, serial, der) VALUES(?, ?, ?) ON CONFLICT(device) DO UPDATE"
		" SET serial = excluded.serial, der = excluded.der WHERE excluded.serial > serial"
		" OR (excluded.serial = serial AND excluded.der = der)",
	[META_INVENTORY_GET] = "SELECT device, serial, der FROM inventory WHERE device = ?",
	[META_UPLOAD_PUT] =
		"INSERT OR REPLACE INTO uploads(id, device, size, state, received) VALUES(?, ?, ?, ?, ?)",
	[META_UPLOAD_GET] = "SELECT id, device, size, state, received FROM uploads WHERE id = ?",
	[META_UPLOAD_LIST] =
		"SELECT id, device, size, state, received FROM uploads"
		" WHERE ?1 IS NULL OR device = ?1 ORDER BY received, id LIMIT ?2",
	[META_COUNTER_GET] = "SELECT value FROM counters WHERE name = ?",
	[META_COUNTER_RAISE] =
		"INSERT INTO counters(name, value) VALUES(?, ?) ON CONFLICT(name) DO UPDATE"
		" SET value = excluded.value WHERE excluded.value >= value",
	[META_COUNTER_NEXT] =
		"INSERT INTO counters(name, value) VALUES(?, 1) ON CONFLICT(name) DO UPDATE"
		" SET value = value + 1 RETURNING value",
};
/* clang-format on */

static uint64_t row_limit(size_t limit)
{
	return limit > INT64_MAX ? INT64_MAX : limit;
}

hf_err hf_meta_object_put(
	struct hf_meta *m, const struct hf_meta_object *row, struct hf_errinfo *ei)
{
	struct meta_use u = hf_meta_start(m, META_OBJECT_PUT, ei);

	hf_meta_text(&u, row->kind);
	hf_meta_text(&u, row->id);
	hf_meta_u64(&u, row->size);
	hf_meta_u64(&u, row->created_s);
	return hf_meta_run(&u);
}

hf_err hf_meta_object_delete(
	struct hf_meta *m, const char *kind, const char *id, struct hf_errinfo *ei)
{
	struct meta_use u = hf_meta_start(m, META_OBJECT_DELETE, ei);

	hf_meta_text(&u, kind);
	hf_meta_text(&u, id);
	return hf_meta_run_changing(&u);
}

hf_err hf_meta_object_list(struct hf_meta *m, const char *kind, size_t limit,
	hf_meta_object_fn *each, void *ctx, struct hf_errinfo *ei)
{
	struct meta_use u = hf_meta_start(m, META_OBJECT_LIST, ei);

	hf_meta_text(&u, kind);
	hf_meta_u64(&u, row_limit(limit));
	while (hf_meta_row(&u))
		u.e = each(ctx,
			&(struct hf_meta_object){ hf_meta_col_text(&u, 0), hf_meta_col_text(&u, 1),
				hf_meta_col_u64(&u, 2), hf_meta_col_u64(&u, 3) });
	return hf_meta_end(&u);
}

hf_err hf_meta_release_put(
	struct hf_meta *m, const struct hf_meta_release *row, struct hf_errinfo *ei)
{
	struct meta_use u = hf_meta_start(m, META_RELEASE_PUT, ei);

	hf_meta_text(&u, row->lineage);
	hf_meta_u64(&u, row->release);
	hf_meta_text(&u, row->manifest);
	hf_meta_u64(&u, row->level);
	hf_meta_u64(&u, row->created_s);
	hf_meta_u64(&u, row->floor);
	hf_meta_text(&u, row->deposit != NULL ? row->deposit : "");
	return hf_meta_run(&u);
}

hf_err hf_meta_release_list(struct hf_meta *m, const char *lineage, size_t limit,
	hf_meta_release_fn *each, void *ctx, struct hf_errinfo *ei)
{
	struct meta_use u = hf_meta_start(m, META_RELEASE_LIST, ei);

	hf_meta_text(&u, lineage);
	hf_meta_u64(&u, row_limit(limit));
	while (hf_meta_row(&u))
		u.e = each(ctx, &(struct hf_meta_release){ hf_meta_col_text(&u, 0),
					hf_meta_col_u64(&u, 1), hf_meta_col_text(&u, 2),
					hf_meta_col_u64(&u, 3), hf_meta_col_u64(&u, 4),
					hf_meta_col_u64(&u, 5), hf_meta_col_text(&u, 6) });
	return hf_meta_end(&u);
}

hf_err hf_meta_device_put(
	struct hf_meta *m, const struct hf_meta_device *row, struct hf_errinfo *ei)
{
	struct meta_use u = hf_meta_start(m, META_DEVICE_PUT, ei);

	hf_meta_text(&u, row->id);
	hf_meta_u64(&u, row->level);
	hf_meta_u64(&u, row->state);
	hf_meta_u64(&u, row->enrolled_s);
	hf_meta_bytes(&u, row->sign_cert);
	hf_meta_bytes(&u, row->enc_cert);
	return hf_meta_run(&u);
}

hf_err hf_meta_device_state(
	struct hf_meta *m, const char *id, uint64_t state, struct hf_errinfo *ei)
{
	struct meta_use u = hf_meta_start(m, META_DEVICE_STATE, ei);

	hf_meta_u64(&u, state);
	hf_meta_text(&u, id);
	return hf_meta_run_changing(&u);
}

/* Shows the rows of devices; *n counts them. */
static hf_err show_devices(struct meta_use *u, size_t *n, hf_meta_device_fn *each, void *ctx)
{
	for (; hf_meta_row(u); *n += 1)
		u->e = each(ctx, &(struct hf_meta_device){ .id = hf_meta_col_text(u, 0),
					 .level = hf_meta_col_u64(u, 1),
					 .state = hf_meta_col_u64(u, 2),
					 .enrolled_s = hf_meta_col_u64(u, 3),
					 .sign_cert = hf_meta_col_bytes(u, 4),
					 .enc_cert = hf_meta_col_bytes(u, 5) });
	return hf_meta_end(u);
}

hf_err hf_meta_device_get(struct hf_meta *m, const char *id, hf_meta_device_fn *each, void *ctx,
	struct hf_errinfo *ei)
{
	struct meta_use u = hf_meta_start(m, META_DEVICE_GET, ei);
	size_t n = 0;

	hf_meta_text(&u, id);
	HF_TRY(show_devices(&u, &n, each, ctx));
	return n == 0 ? HF_ERR_NOT_FOUND : HF_OK;
}

hf_err hf_meta_device_list(
	struct hf_meta *m, size_t limit, hf_meta_device_fn *each, void *ctx, struct hf_errinfo *ei)
{
	struct meta_use u = hf_meta_start(m, META_DEVICE_LIST, ei);
	size_t n = 0;

	hf_meta_u64(&u, row_limit(limit));
	return show_devices(&u, &n, each, ctx);
}

hf_err hf_meta_token_put(
	struct hf_meta *m, const char *id, uint64_t expires_s, uint64_t uses, struct hf_errinfo *ei)
{
	struct meta_use u = hf_meta_start(m, META_TOKEN_PUT, ei);

	hf_meta_text(&u, id);
	hf_meta_u64(&u, expires_s);
	hf_meta_u64(&u, uses);
	return hf_meta_run(&u);
}

/* What the token says about this key; *is_bound: to this very key already. */
static hf_err token_check(struct hf_meta *m, const char *id, struct hf_bytes key, uint64_t now_s,
	bool *is_bound, struct hf_errinfo *ei)
{
	struct meta_use u = hf_meta_start(m, META_TOKEN_GET, ei);

	hf_meta_text(&u, id);
	if (!hf_meta_row(&u)) {
		HF_TRY(hf_meta_end(&u));
		return HF_ERR_NOT_FOUND;
	}
	*is_bound = hf_bytes_eq(hf_meta_col_bytes(&u, 0), key);
	if (now_s > hf_meta_col_u64(&u, 1))
		u.e = hf_fail(ei, HF_ERR_EXPIRED, "the token has expired");
	else if (!*is_bound && hf_meta_col_bytes(&u, 0).len > 0)
		u.e = hf_fail(ei, HF_ERR_DENIED, "the token is bound to another key");
	else if (!*is_bound && hf_meta_col_u64(&u, 2) == 0)
		u.e = hf_fail(ei, HF_ERR_DENIED, "the token has no use left");
	return hf_meta_end(&u);
}

static hf_err token_bind(struct hf_meta *m, const char *id, struct hf_bytes key, uint64_t now_s,
	struct hf_errinfo *ei)
{
	struct meta_use u;
	bool is_bound = false;

	HF_TRY(token_check(m, id, key, now_s, &is_bound, ei));
	if (is_bound)
		return HF_OK;
	u = hf_meta_start(m, META_TOKEN_USE, ei);
	hf_meta_bytes(&u, key);
	hf_meta_text(&u, id);
	return hf_meta_run_changing(&u);
}

hf_err hf_meta_token_use(struct hf_meta *m, const char *id, struct hf_bytes key_digest,
	uint64_t now_s, struct hf_errinfo *ei)
{
	hf_err e;

	if (key_digest.len == 0)
		return HF_ERR_ARG;
	if (m->in_transaction)
		return token_bind(m, id, key_digest, now_s, ei);
	HF_TRY(hf_meta_begin(m, ei)); /* looking and binding are one: two keys may race */
	e = token_bind(m, id, key_digest, now_s, ei);
	if (e != HF_OK) {
		hf_meta_rollback(m);
		return e;
	}
	return hf_meta_commit(m, ei);
}

static hf_err signed_put(struct hf_meta *m, enum meta_stmt which, const struct hf_meta_signed *row,
	struct hf_errinfo *ei)
{
	struct meta_use u = hf_meta_start(m, which, ei);

	hf_meta_text(&u, row->id);
	hf_meta_text(&u, row->device);
	hf_meta_text(&u, row->manifest);
	hf_meta_u64(&u, row->time_s);
	hf_meta_bytes(&u, row->der);
	return hf_meta_run(&u);
}

static hf_err show_signed(struct meta_use *u, size_t *n, hf_meta_signed_fn *each, void *ctx)
{
	for (; hf_meta_row(u); *n += 1)
		u->e = each(ctx, &(struct hf_meta_signed){ hf_meta_col_text(u, 0),
					 hf_meta_col_text(u, 1), hf_meta_col_text(u, 2),
					 hf_meta_col_u64(u, 3), hf_meta_col_bytes(u, 4) });
	return hf_meta_end(u);
}

hf_err hf_meta_grant_put(struct hf_meta *m, const struct hf_meta_signed *row, struct hf_errinfo *ei)
{
	return signed_put(m, META_GRANT_PUT, row, ei);
}

hf_err hf_meta_grant_get(struct hf_meta *m, const char *device, const char *manifest,
	hf_meta_signed_fn *each, void *ctx, struct hf_errinfo *ei)
{
	struct meta_use u = hf_meta_start(m, META_GRANT_GET, ei);
	size_t n = 0;

	hf_meta_text(&u, device);
	hf_meta_text(&u, manifest);
	HF_TRY(show_signed(&u, &n, each, ctx));
	return n == 0 ? HF_ERR_NOT_FOUND : HF_OK;
}

hf_err hf_meta_receipt_put(
	struct hf_meta *m, const struct hf_meta_signed *row, struct hf_errinfo *ei)
{
	return signed_put(m, META_RECEIPT_PUT, row, ei);
}

hf_err hf_meta_receipt_list(struct hf_meta *m, const char *device, size_t limit,
	hf_meta_signed_fn *each, void *ctx, struct hf_errinfo *ei)
{
	struct meta_use u = hf_meta_start(m, META_RECEIPT_LIST, ei);
	size_t n = 0;

	hf_meta_text(&u, device);
	hf_meta_u64(&u, row_limit(limit));
	return show_signed(&u, &n, each, ctx);
}

static hf_err serial_put(struct hf_meta *m, enum meta_stmt which, const struct hf_meta_serial *row,
	struct hf_errinfo *ei)
{
	struct meta_use u = hf_meta_start(m, which, ei);
	hf_err e;

	hf_meta_text(&u, row->name);
	hf_meta_u64(&u, row->serial);
	hf_meta_bytes(&u, row->der);
	e = hf_meta_run_changing(&u);
	if (e == HF_ERR_NOT_FOUND)
		return hf_fail(
			ei, HF_ERR_ROLLBACK, "%.64s: an older number than the one kept", row->name);
	return e;
}

static hf_err serial_get(struct hf_meta *m, enum meta_stmt which, const char *name,
	hf_meta_serial_fn *each, void *ctx, struct hf_errinfo *ei)
{
	struct meta_use u = hf_meta_start(m, which, ei);
	size_t n = 0;

	hf_meta_text(&u, name);
	for (; hf_meta_row(&u); n++)
		u.e = each(ctx, &(struct hf_meta_serial){ hf_meta_col_text(&u, 0),
					hf_meta_col_u64(&u, 1), hf_meta_col_bytes(&u, 2) });
	HF_TRY(hf_meta_end(&u));
	return n == 0 ? HF_ERR_NOT_FOUND : HF_OK;
}

hf_err hf_meta_channel_put(
	struct hf_meta *m, const struct hf_meta_serial *row, struct hf_errinfo *ei)
{
	return serial_put(m, META_CHANNEL_PUT, row, ei);
}

hf_err hf_meta_channel_get(struct hf_meta *m, const char *name, hf_meta_serial_fn *each, void *ctx,
	struct hf_errinfo *ei)
{
	return serial_get(m, META_CHANNEL_GET, name, each, ctx, ei);
}

hf_err hf_meta_inventory_put(
	struct hf_meta *m, const struct hf_meta_serial *row, struct hf_errinfo *ei)
{
	return serial_put(m, META_INVENTORY_PUT, row, ei);
}

hf_err hf_meta_inventory_get(struct hf_meta *m, const char *device, hf_meta_serial_fn *each,
	void *ctx, struct hf_errinfo *ei)
{
	return serial_get(m, META_INVENTORY_GET, device, each, ctx, ei);
}

hf_err hf_meta_upload_put(
	struct hf_meta *m, const struct hf_meta_upload *row, struct hf_errinfo *ei)
{
	struct meta_use u = hf_meta_start(m, META_UPLOAD_PUT, ei);

	hf_meta_text(&u, row->id);
	hf_meta_text(&u, row->device);
	hf_meta_u64(&u, row->size);
	hf_meta_u64(&u, row->state);
	hf_meta_u64(&u, row->received_s);
	return hf_meta_run(&u);
}

static hf_err show_uploads(struct meta_use *u, size_t *n, hf_meta_upload_fn *each, void *ctx)
{
	for (; hf_meta_row(u); *n += 1)
		u->e = each(ctx, &(struct hf_meta_upload){ hf_meta_col_text(u, 0),
					 hf_meta_col_text(u, 1), hf_meta_col_u64(u, 2),
					 hf_meta_col_u64(u, 3), hf_meta_col_u64(u, 4) });
	return hf_meta_end(u);
}

hf_err hf_meta_upload_get(struct hf_meta *m, const char *id, hf_meta_upload_fn *each, void *ctx,
	struct hf_errinfo *ei)
{
	struct meta_use u = hf_meta_start(m, META_UPLOAD_GET, ei);
	size_t n = 0;

	hf_meta_text(&u, id);
	HF_TRY(show_uploads(&u, &n, each, ctx));
	return n == 0 ? HF_ERR_NOT_FOUND : HF_OK;
}

hf_err hf_meta_upload_list(struct hf_meta *m, const char *device, size_t limit,
	hf_meta_upload_fn *each, void *ctx, struct hf_errinfo *ei)
{
	struct meta_use u = hf_meta_start(m, META_UPLOAD_LIST, ei);
	size_t n = 0;

	hf_meta_text(&u, device);
	hf_meta_u64(&u, row_limit(limit));
	return show_uploads(&u, &n, each, ctx);
}

hf_err hf_meta_counter_get(
	struct hf_meta *m, uint64_t *value, const char *name, struct hf_errinfo *ei)
{
	struct meta_use u = hf_meta_start(m, META_COUNTER_GET, ei);
	uint64_t v = 0;

	hf_meta_text(&u, name);
	while (hf_meta_row(&u))
		v = hf_meta_col_u64(&u, 0);
	HF_TRY(hf_meta_end(&u));
	*value = v;
	return HF_OK;
}

hf_err hf_meta_counter_raise(
	struct hf_meta *m, const char *name, uint64_t value, struct hf_errinfo *ei)
{
	struct meta_use u = hf_meta_start(m, META_COUNTER_RAISE, ei);
	hf_err e;

	hf_meta_text(&u, name);
	hf_meta_u64(&u, value);
	e = hf_meta_run_changing(&u);
	if (e == HF_ERR_NOT_FOUND)
		return hf_fail(ei, HF_ERR_ROLLBACK, "counter %.64s does not go back", name);
	return e;
}

hf_err hf_meta_counter_next(
	struct hf_meta *m, uint64_t *value, const char *name, struct hf_errinfo *ei)
{
	struct meta_use u = hf_meta_start(m, META_COUNTER_NEXT, ei);
	uint64_t v = 0;

	hf_meta_text(&u, name);
	while (hf_meta_row(&u))
		v = hf_meta_col_u64(&u, 0);
	HF_TRY(hf_meta_end(&u));
	*value = v;
	return HF_OK;
}
