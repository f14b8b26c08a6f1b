/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files are written under their numbers in a folder of their own inside the target, which nobody
 * else can enter. Only when every byte of every file has passed its checks and is durable do they
 * get their names; if one cannot, those that had got theirs are deleted again.
 */
#include "svc/unpack.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/hex.h"
#include "os/dir.h"
#include "os/file.h"

enum {
	ZERO_LEN = 4096, /* a hole is looked for in steps of this */
	DIR_MODE = 0755,
	STAGE_MODE = 0700,
	FILE_MODE = 0600,
	FILE_MODE_EXECUTABLE = 0700,
	MADE_MAX = 16 << 20, /* bytes of the paths of folders that are made */
};

struct unpack {
	const struct hf_env *env;
	const struct hf_release *r;
	const char *dir;
	bool has_made_dir;
	char stage[HF_PATH_MAX];
	int fd; /* of the file that is being written */
	size_t n_moved;
	struct hf_buf
		made; /* folders in it that were not there: paths below it, with terminators */
	/* Why writing failed: by the first thread that had to say so. */
	atomic_flag has_failed;
	struct hf_errinfo failed;
};

static hf_err stage_path(
	char path[HF_PATH_MAX], const struct unpack *u, size_t number, struct hf_errinfo *ei)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "%zu", number);
	return hf_path_join(path, u->stage, name, ei);
}

/* The next file; the one before is complete and is made durable. */
static hf_err begin_file(struct unpack *u, size_t number, const struct hf_pkg_file *f)
{
	char path[HF_PATH_MAX];

	if (u->fd >= 0)
		HF_TRY(hf_file_sync(u->fd, &u->failed));
	hf_file_close(&u->fd);
	HF_TRY(stage_path(path, u, number, &u->failed));
	HF_TRY(hf_file_open(&u->fd, path, HF_FILE_WRITE | HF_FILE_NEW,
		f->is_executable ? FILE_MODE_EXECUTABLE : FILE_MODE, &u->failed));
	return hf_file_resize(u->fd, f->len, &u->failed);
}

static hf_err on_file(void *ctx, size_t number, const struct hf_pkg_file *f)
{
	return begin_file(ctx, number, f);
}

static bool is_zero(const uint8_t *p, size_t len)
{
	static const uint8_t zero[ZERO_LEN];

	return memcmp(p, zero, len) == 0;
}

/* Writes what is not zero: the file was made of zeros that take no space. */
static hf_err write_sparse(
	int fd, const uint8_t *bytes, size_t len, uint64_t offset, struct hf_errinfo *ei)
{
	size_t start = 0; /* of what is to be written */
	size_t at = 0;

	while (at < len) {
		size_t n = len - at < ZERO_LEN ? len - at : ZERO_LEN;

		if (is_zero(bytes + at, n)) {
			if (at > start)
				HF_TRY(hf_file_pwrite(
					fd, bytes + start, at - start, offset + start, ei));
			start = at + n;
		}
		at += n;
	}
	return at > start ? hf_file_pwrite(fd, bytes + start, at - start, offset + start, ei)
			  : HF_OK;
}

static hf_err on_bytes(void *ctx, size_t number, const uint8_t *bytes, size_t len, uint64_t offset)
{
	struct unpack *u = ctx;
	struct hf_errinfo why = { .code = HF_OK };
	hf_err e = write_sparse(u->fd, bytes, len, offset, &why);

	(void)number;
	if (e != HF_OK && !atomic_flag_test_and_set(&u->has_failed))
		u->failed = why;
	return e;
}

/* Refuses a folder in which one of the files is already, before anything is opened. */
static hf_err check_names(const struct unpack *u, struct hf_errinfo *ei)
{
	struct hf_bytes rest = u->r->manifest.body.files;
	struct hf_file_stat st;
	struct hf_pkg_file f;
	char path[HF_PATH_MAX];

	while (hf_pkg_file_take(&f, &rest) == HF_OK) {
		HF_TRY(hf_path_join(path, u->dir, f.path, ei));
		if (hf_file_stat(&st, path, NULL) == HF_OK)
			return hf_fail(ei, HF_ERR_EXISTS,
				"%s: already there; choose another folder", path);
	}
	return HF_OK;
}

static hf_err make_stage(struct unpack *u, struct hf_errinfo *ei)
{
	uint8_t random[4];
	char name[32] = ".hufu-open-";
	struct hf_file_stat st;

	HF_TRY(hf_rng_fill(&u->env->rng, random, sizeof(random)));
	hf_hex_emit(name + strlen(name), random, sizeof(random));
	u->has_made_dir = hf_file_stat(&st, u->dir, NULL) == HF_ERR_NOT_FOUND;
	HF_TRY(hf_dir_make(u->dir, DIR_MODE, ei));
	HF_TRY(hf_path_join(u->stage, u->dir, name, ei));
	return hf_dir_make(u->stage, STAGE_MODE, ei);
}

/*
 * Makes the folders above a file that are missing, and remembers them. One that is there must be a
 * folder and no link to one: everything stays in the folder that was named.
 */
static hf_err make_above(struct unpack *u, const char *below, struct hf_errinfo *ei)
{
	char part[HF_PKG_PATH_MAX + 1];
	char path[HF_PATH_MAX];
	struct hf_file_stat st;

	for (const char *slash = strchr(below, '/'); slash != NULL;
		slash = strchr(slash + 1, '/')) {
		size_t len = (size_t)(slash - below);

		memcpy(part, below, len);
		part[len] = '\0';
		HF_TRY(hf_path_join(path, u->dir, part, ei));
		if (hf_file_stat(&st, path, NULL) == HF_OK) {
			if (!st.is_dir)
				return hf_fail(ei, HF_ERR_EXISTS,
					"%s: already there, and no folder; choose another folder",
					path);
			continue;
		}
		HF_TRY(hf_buf_put(&u->made, part, len + 1));
		HF_TRY(hf_dir_make(path, DIR_MODE, ei));
	}
	return HF_OK;
}

static hf_err move_one(
	struct unpack *u, size_t number, const struct hf_pkg_file *f, struct hf_errinfo *ei)
{
	struct hf_file_stat st;
	char from[HF_PATH_MAX];
	char to[HF_PATH_MAX];

	HF_TRY(stage_path(from, u, number, ei));
	HF_TRY(hf_path_join(to, u->dir, f->path, ei));
	HF_TRY(make_above(u, f->path, ei));
	if (hf_file_stat(&st, to, NULL) == HF_OK)
		return hf_fail(ei, HF_ERR_EXISTS, "%s: somebody put it there meanwhile", to);
	HF_TRY(hf_file_rename(from, to, ei));
	u->n_moved++;
	return hf_dir_sync_above(to, ei);
}

/* Gives all files their names. */
static hf_err move_all(struct unpack *u, struct hf_errinfo *ei)
{
	struct hf_bytes rest = u->r->manifest.body.files;
	struct hf_pkg_file f;

	if (u->fd >= 0)
		HF_TRY(hf_file_sync(u->fd, ei));
	hf_file_close(&u->fd);
	for (size_t i = 0; hf_pkg_file_take(&f, &rest) == HF_OK; i++)
		HF_TRY(move_one(u, i, &f, ei));
	return HF_OK;
}

static void undo(struct unpack *u)
{
	struct hf_bytes rest = u->r->manifest.body.files;
	struct hf_pkg_file f;
	char path[HF_PATH_MAX];

	for (; u->n_moved > 0 && hf_pkg_file_take(&f, &rest) == HF_OK; u->n_moved--)
		if (hf_path_join(path, u->dir, f.path, NULL) == HF_OK)
			(void)!hf_file_delete(path, NULL);
	/* Folders, the last made first. */
	while (u->made.len > 0) {
		size_t at = u->made.len - 1;

		while (at > 0 && u->made.p[at - 1] != '\0')
			at--;
		if (hf_path_join(path, u->dir, (const char *)u->made.p + at, NULL) == HF_OK)
			(void)!hf_dir_delete(path, NULL);
		u->made.len = at;
	}
}

static hf_err run(struct unpack *u, const struct hf_index_keys *keys,
	const struct hf_work_progress *progress, struct hf_errinfo *ei)
{
	struct hf_release_target target = { .file = on_file, .write = on_bytes, .ctx = u };
	struct hf_errinfo why = { .code = HF_OK };
	hf_err e;

	HF_TRY(make_stage(u, ei));
	e = hf_release_open(u->env, u->r, keys, &target, progress, &why);
	if (e != HF_OK) {
		const struct hf_errinfo *first = u->failed.code == e ? &u->failed : &why;

		return hf_fail_sys(ei, e, first->sys, "%s", first->text);
	}
	return move_all(u, ei);
}

hf_err hf_unpack(const struct hf_env *env, const struct hf_release *r,
	const struct hf_index_keys *keys, const char *dir, const struct hf_work_progress *progress,
	struct hf_errinfo *ei)
{
	const struct hf_manifest *m = &r->manifest;
	struct unpack u = {
		.env = env, .r = r, .dir = dir, .fd = -1, .has_failed = ATOMIC_FLAG_INIT
	};
	hf_err e;

	hf_buf_init(&u.made, env->mem, MADE_MAX);
	if (hf_policy(HF_ROW_PACKAGE_MEMORY_ONLY, m->level) != 0)
		return hf_policy_refuse(ei, HF_ROW_PACKAGE_MEMORY_ONLY, m->level,
			"%s would be written to a disk", m->lineage);
	HF_TRY(check_names(&u, ei));
	e = run(&u, keys, progress, ei);
	hf_file_close(&u.fd);
	if (e != HF_OK)
		undo(&u);
	if (u.stage[0] != '\0')
		(void)!hf_dir_delete_all(env->mem, u.stage, NULL);
	hf_buf_clear(&u.made);
	if (e != HF_OK && u.has_made_dir)
		(void)!hf_dir_delete(dir, NULL);
	return e;
}
