/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects in files.
 *
 *   <dir>/lock              held while the store is open
 *   <dir>/<kind>/<id>       committed objects, mode 0444
 *   <dir>/part/<kind>-<id>  being filled, survives a restart
 *   <dir>/temp/<kind>-<id>  being written front to back, deleted at the next start
 *
 * Invariants:
 *   1. What has a name below <kind>/ is complete and durable: data is synced before the rename, the
 *      directory after it.
 *   2. A committed object never changes.
 *   3. Only names that passed hf_blob_is_kind and hf_blob_is_id become part of a path.
 *   4. A path leads through real directories only; a link in the place of one is refused.
 *   5. used is the sum of the sizes of all files below <kind>/, part/ and of what is in temp/.
 *   6. Who may look into <dir> may read every committed object: they are sealed or public. What is
 *      on its way in, not checked yet, is nobody else's.
 */
#include "store/blob.h"

#include <stdio.h>
#include <string.h>

#include "os/dir.h"
#include "os/file.h"

enum { BLOB_PATH_MAX = HF_BLOB_DIR_MAX + 128 };

static const char part_dir[] = "part";
static const char temp_dir[] = "temp";

bool hf_blob_is_kind(const char *kind)
{
	size_t len = strspn(kind, "abcdefghijklmnopqrstuvwxyz");

	return len > 0 && len <= HF_BLOB_KIND_MAX && kind[len] == '\0' &&
	       strcmp(kind, part_dir) != 0 && strcmp(kind, temp_dir) != 0 &&
	       strcmp(kind, "lock") != 0;
}

bool hf_blob_is_id(const char *id)
{
	return strspn(id, "0123456789abcdef") == HF_BLOB_ID_LEN && id[HF_BLOB_ID_LEN] == '\0';
}

static hf_err check_name(const char *kind, const char *id, struct hf_errinfo *ei)
{
	if (!hf_blob_is_kind(kind) || !hf_blob_is_id(id))
		return hf_fail(ei, HF_ERR_ARG, "not the name of an object: %.32s/%.80s", kind, id);
	return HF_OK;
}

/* A directory of the store; with make it is there afterwards. */
static hf_err dir_of(char path[BLOB_PATH_MAX], const struct hf_blobs *b, const char *name,
	bool make, struct hf_errinfo *ei)
{
	struct hf_file_stat st;
	hf_err e;

	(void)snprintf(path, BLOB_PATH_MAX, "%s/%s", b->dir, name);
	e = hf_file_stat(&st, path, make ? NULL : ei);
	if (e == HF_ERR_NOT_FOUND && make)
		return hf_dir_make(path, hf_blob_is_kind(name) ? 0755 : 0700, ei);
	if (e == HF_OK && !st.is_dir)
		return hf_fail(ei, HF_ERR_PERMISSION, "%s is not a directory", path);
	return e;
}

static hf_err object_path(char path[BLOB_PATH_MAX], const struct hf_blobs *b, const char *kind,
	const char *id, bool make, struct hf_errinfo *ei)
{
	size_t len;

	HF_TRY(check_name(kind, id, ei));
	HF_TRY(dir_of(path, b, kind, make, ei));
	len = strlen(path);
	(void)snprintf(path + len, BLOB_PATH_MAX - len, "/%s", id);
	return HF_OK;
}

/* Where an object on its way in stands. */
static void put_path(char path[BLOB_PATH_MAX], const struct hf_blob_put *put)
{
	(void)snprintf(path, BLOB_PATH_MAX, "%s/%s/%s-%s", put->blobs->dir,
		put->is_fill ? part_dir : temp_dir, put->kind, put->id);
}

/* Files and their bytes in one directory. */
struct scan {
	const char *dir;
	bool is_temp; /* delete instead of counting */
	uint64_t bytes;
	struct hf_errinfo *ei;
};

static hf_err scan_one(void *ctx, const char *name)
{
	char path[BLOB_PATH_MAX + 256];
	struct scan *s = ctx;
	struct hf_file_stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", s->dir, name);
	if (s->is_temp)
		return hf_file_delete(path, s->ei);
	HF_TRY(hf_file_stat(&st, path, s->ei));
	if (st.is_file)
		s->bytes += st.size;
	return HF_OK;
}

static hf_err scan_dir(struct hf_blobs *b, const char *name, struct hf_errinfo *ei)
{
	char path[BLOB_PATH_MAX];
	struct scan s = { .dir = path, .is_temp = strcmp(name, temp_dir) == 0, .ei = ei };

	HF_TRY(dir_of(path, b, name, false, ei));
	HF_TRY(hf_dir_list(b->mem, path, HF_BLOB_LIST_MAX, scan_one, &s, ei));
	b->used += s.bytes;
	return HF_OK;
}

struct scan_all {
	struct hf_blobs *b;
	struct hf_errinfo *ei;
};

static hf_err scan_kind(void *ctx, const char *name)
{
	struct scan_all *all = ctx;

	if (!hf_blob_is_kind(name) && strcmp(name, part_dir) != 0 && strcmp(name, temp_dir) != 0)
		return HF_OK; /* not ours: leave it alone */
	return scan_dir(all->b, name, all->ei);
}

hf_err hf_blobs_init(struct hf_blobs *b, const struct hf_mem *mem, const char *dir, uint64_t quota,
	struct hf_errinfo *ei)
{
	struct hf_blobs out = { .mem = mem, .quota = quota, .lock = -1 };
	struct scan_all all = { &out, ei };
	char path[BLOB_PATH_MAX];
	hf_err e;

	b->lock = -1;
	if (strlen(dir) >= sizeof(out.dir))
		return hf_fail(ei, HF_ERR_LIMIT, "path of the store is too long");
	(void)snprintf(out.dir, sizeof(out.dir), "%s", dir);
	HF_TRY(hf_dir_make(dir, 0755, ei));
	(void)snprintf(path, sizeof(path), "%s/lock", dir);
	HF_TRY(hf_file_lock(&out.lock, path, ei));
	e = dir_of(path, &out, part_dir, true, ei);
	if (e == HF_OK)
		e = dir_of(path, &out, temp_dir, true, ei);
	if (e == HF_OK)
		e = hf_dir_list(mem, dir, 1024, scan_kind, &all, ei);
	if (e != HF_OK)
		hf_file_close(&out.lock);
	else
		*b = out;
	return e;
}

void hf_blobs_clear(struct hf_blobs *b)
{
	hf_file_close(&b->lock);
}

hf_err hf_blob_size(
	struct hf_blobs *b, uint64_t *size, const char *kind, const char *id, struct hf_errinfo *ei)
{
	char path[BLOB_PATH_MAX];
	struct hf_file_stat st;

	HF_TRY(object_path(path, b, kind, id, false, ei));
	HF_TRY(hf_file_stat(&st, path, ei));
	if (!st.is_file)
		return hf_fail(ei, HF_ERR_PERMISSION, "%s is not a file", path);
	*size = st.size;
	return HF_OK;
}

hf_err hf_blob_open(struct hf_blobs *b, int *fd, uint64_t *size, const char *kind, const char *id,
	struct hf_errinfo *ei)
{
	char path[BLOB_PATH_MAX];
	struct hf_file_stat st;
	int f = -1;
	hf_err e;

	HF_TRY(object_path(path, b, kind, id, false, ei));
	HF_TRY(hf_file_open(&f, path, HF_FILE_READ, 0, ei));
	e = hf_file_fstat(&st, f, ei);
	if (e != HF_OK) {
		hf_file_close(&f);
		return e;
	}
	*fd = f;
	*size = st.size;
	return HF_OK;
}

/* Who altered a file behind our back may have made it longer than what was counted. */
static void discharge(struct hf_blobs *b, uint64_t size)
{
	b->used -= size < b->used ? size : b->used;
}

hf_err hf_blob_delete(struct hf_blobs *b, const char *kind, const char *id, struct hf_errinfo *ei)
{
	char path[BLOB_PATH_MAX];
	uint64_t size = 0;

	HF_TRY(hf_blob_size(b, &size, kind, id, ei));
	HF_TRY(object_path(path, b, kind, id, false, ei));
	HF_TRY(hf_file_delete(path, ei));
	discharge(b, size);
	return hf_dir_sync_above(path, ei);
}

struct lister {
	struct hf_blobs *b;
	const char *kind;
	hf_err (*each)(void *ctx, const char *id, uint64_t size);
	void *ctx;
	struct hf_errinfo *ei;
};

static hf_err list_one(void *ctx, const char *name)
{
	struct lister *l = ctx;
	uint64_t size = 0;

	if (!hf_blob_is_id(name))
		return HF_OK;
	HF_TRY(hf_blob_size(l->b, &size, l->kind, name, l->ei));
	return l->each(l->ctx, name, size);
}

hf_err hf_blob_list(struct hf_blobs *b, const char *kind,
	hf_err (*each)(void *ctx, const char *id, uint64_t size), void *ctx, struct hf_errinfo *ei)
{
	struct lister l = { b, kind, each, ctx, ei };
	char path[BLOB_PATH_MAX];
	hf_err e;

	if (!hf_blob_is_kind(kind))
		return hf_fail(ei, HF_ERR_ARG, "not a kind of object: %.32s", kind);
	e = dir_of(path, b, kind, false, NULL);
	if (e == HF_ERR_NOT_FOUND)
		return HF_OK; /* nothing of this kind has ever come */
	HF_TRY(dir_of(path, b, kind, false, ei));
	return hf_dir_list(b->mem, path, HF_BLOB_LIST_MAX, list_one, &l, ei);
}

static hf_err charge(struct hf_blobs *b, uint64_t len, struct hf_errinfo *ei)
{
	if (b->used > b->quota || len > b->quota - b->used)
		return hf_fail(ei, HF_ERR_FULL, "the quota of %s is reached", b->dir);
	b->used += len;
	return HF_OK;
}

static hf_err put_init(struct hf_blob_put *put, struct hf_blobs *b, const char *kind,
	const char *id, bool is_fill, struct hf_errinfo *ei)
{
	char path[BLOB_PATH_MAX];
	struct hf_file_stat st;

	*put = (struct hf_blob_put){ .fd = -1 };
	HF_TRY(object_path(path, b, kind, id, true, ei));
	if (hf_file_stat(&st, path, NULL) != HF_ERR_NOT_FOUND)
		return hf_fail(ei, HF_ERR_EXISTS, "%s is there already", path);
	put->blobs = b;
	put->is_fill = is_fill;
	(void)snprintf(put->kind, sizeof(put->kind), "%s", kind);
	(void)snprintf(put->id, sizeof(put->id), "%s", id);
	return HF_OK;
}

static void put_clear(struct hf_blob_put *put)
{
	hf_file_close(&put->fd);
	*put = (struct hf_blob_put){ .fd = -1 };
}

hf_err hf_blob_begin(struct hf_blob_put *put, struct hf_blobs *b, const char *kind, const char *id,
	struct hf_errinfo *ei)
{
	char path[BLOB_PATH_MAX];
	hf_err e;

	HF_TRY(put_init(put, b, kind, id, false, ei));
	put_path(path, put);
	e = hf_file_open(&put->fd, path, HF_FILE_WRITE | HF_FILE_NEW, 0600, ei);
	if (e != HF_OK)
		put_clear(put);
	return e;
}

hf_err hf_blob_write(struct hf_blob_put *put, const void *bytes, size_t len, struct hf_errinfo *ei)
{
	if (put->blobs == NULL || put->is_fill)
		return HF_ERR_STATE;
	HF_TRY(charge(put->blobs, len, ei));
	put->size += len;
	return hf_file_write(put->fd, bytes, len, ei);
}

/* Opens the part and gives it its size; its name is durable before any bit about it can be. */
static hf_err open_part(
	struct hf_blob_put *put, uint64_t size, bool *is_resumed, struct hf_errinfo *ei)
{
	char path[BLOB_PATH_MAX];
	struct hf_file_stat st;

	put_path(path, put);
	HF_TRY(hf_file_open(&put->fd, path, HF_FILE_WRITE | HF_FILE_CREATE, 0600, ei));
	HF_TRY(hf_file_fstat(&st, put->fd, ei));
	*is_resumed = st.size == size && size > 0;
	put->blobs->used -= st.size;
	if (!*is_resumed)
		HF_TRY(hf_file_resize(put->fd, 0, ei));
	HF_TRY(charge(put->blobs, size, ei));
	put->size = size;
	if (*is_resumed)
		return HF_OK;
	HF_TRY(hf_file_resize(put->fd, size, ei));
	HF_TRY(hf_file_sync(put->fd, ei));
	return hf_dir_sync_above(path, ei);
}

hf_err hf_blob_fill(struct hf_blob_put *put, struct hf_blobs *b, const char *kind, const char *id,
	uint64_t size, bool *is_resumed, struct hf_errinfo *ei)
{
	bool resumed = false;
	hf_err e;

	HF_TRY(put_init(put, b, kind, id, true, ei));
	e = open_part(put, size, &resumed, ei);
	if (e != HF_OK) {
		hf_blob_drop(put);
		return e;
	}
	*is_resumed = resumed;
	return HF_OK;
}

static hf_err part_path(char path[BLOB_PATH_MAX], struct hf_blobs *b, const char *kind,
	const char *id, struct hf_errinfo *ei)
{
	struct hf_blob_put put = { .blobs = b, .is_fill = true };

	HF_TRY(check_name(kind, id, ei));
	(void)snprintf(put.kind, sizeof(put.kind), "%s", kind);
	(void)snprintf(put.id, sizeof(put.id), "%s", id);
	put_path(path, &put);
	return HF_OK;
}

hf_err hf_blob_part_size(struct hf_blobs *b, uint64_t *size, uint64_t *disk_size, const char *kind,
	const char *id, struct hf_errinfo *ei)
{
	char path[BLOB_PATH_MAX];
	struct hf_file_stat st;

	HF_TRY(part_path(path, b, kind, id, ei));
	HF_TRY(hf_file_stat(&st, path, ei));
	if (!st.is_file)
		return hf_fail(ei, HF_ERR_PERMISSION, "%s is not a file", path);
	*size = st.size;
	*disk_size = st.disk_size;
	return HF_OK;
}

hf_err hf_blob_part_delete(
	struct hf_blobs *b, const char *kind, const char *id, struct hf_errinfo *ei)
{
	char path[BLOB_PATH_MAX];
	uint64_t size = 0;
	uint64_t disk_size = 0;

	HF_TRY(hf_blob_part_size(b, &size, &disk_size, kind, id, ei));
	HF_TRY(part_path(path, b, kind, id, ei));
	HF_TRY(hf_file_delete(path, ei));
	discharge(b, size);
	return hf_dir_sync_above(path, ei);
}

hf_err hf_blob_commit(struct hf_blob_put *put, struct hf_errinfo *ei)
{
	char from[BLOB_PATH_MAX];
	char to[BLOB_PATH_MAX];
	hf_err e;

	if (put->blobs == NULL)
		return HF_ERR_STATE;
	put_path(from, put);
	e = object_path(to, put->blobs, put->kind, put->id, true, ei);
	if (e == HF_OK)
		e = hf_file_set_mode(put->fd, 0444, ei);
	if (e == HF_OK)
		e = hf_file_sync(put->fd, ei);
	if (e == HF_OK)
		e = hf_file_rename(from, to, ei);
	if (e != HF_OK) {
		hf_blob_drop(put);
		return e;
	}
	put_clear(put);
	return hf_dir_sync_above(to, ei);
}

void hf_blob_pause(struct hf_blob_put *put)
{
	put_clear(put);
}

void hf_blob_drop(struct hf_blob_put *put)
{
	char path[BLOB_PATH_MAX];

	if (put->blobs == NULL)
		return;
	put_path(path, put);
	if (hf_file_delete(path, NULL) == HF_OK)
		put->blobs->used -= put->size;
	put_clear(put);
}
