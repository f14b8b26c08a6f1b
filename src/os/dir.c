/* SPDX-License-Identifier: Apache-2.0 */
/* Making, listing and syncing directories. */
#include "os/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "os/sys.h"

enum { DIR_PATH_MAX = 4096 };

/* One directory; the umask is undone by fchmodat, without touching one that was there. */
static hf_err make_one(const char *path, unsigned mode, struct hf_errinfo *ei)
{
	struct stat st;
	int sys;

	if (mkdir(path, (mode_t)mode) == 0) {
		if (chmod(path, (mode_t)mode) != 0)
			return hf_sys_fail(ei, errno, "mode of %s", path);
		return hf_dir_sync_above(path, ei);
	}
	sys = errno;
	if (sys == EEXIST && stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		sys = ENOTDIR;
	if (sys == EEXIST)
		return HF_OK;
	return hf_sys_fail(ei, sys, "cannot make directory %s", path);
}

hf_err hf_dir_make(const char *path, unsigned mode, struct hf_errinfo *ei)
{
	char part[DIR_PATH_MAX];
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof(part))
		return hf_fail(ei, HF_ERR_ARG, "path of a directory is empty or too long");
	memcpy(part, path, len + 1);
	for (size_t i = 1; i < len; i++) {
		if (part[i] != '/' || part[i - 1] == '/')
			continue;
		part[i] = '\0';
		HF_TRY(make_one(part, mode, ei));
		part[i] = '/';
	}
	return make_one(path, mode, ei);
}

hf_err hf_dir_check_own(const char *path, struct hf_errinfo *ei)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return hf_sys_fail(ei, errno, "cannot stat %s", path);
	if (!S_ISDIR(st.st_mode))
		return hf_fail(ei, HF_ERR_PERMISSION, "%s is no directory", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return hf_fail(ei, HF_ERR_PERMISSION,
			"%s belongs to user %u; give it to the user that this runs as, or to root",
			path, (unsigned)st.st_uid);
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return hf_fail(ei, HF_ERR_PERMISSION,
			"others may write to %s (mode %04o): chmod go-w", path,
			(unsigned)(st.st_mode & 07777));
	return HF_OK;
}

hf_err hf_dir_delete(const char *path, struct hf_errinfo *ei)
{
	if (rmdir(path) != 0)
		return hf_sys_fail(ei, errno, "cannot delete directory %s", path);
	return HF_OK;
}

hf_err hf_dir_sync(const char *path, struct hf_errinfo *ei)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	hf_err e = HF_OK;

	if (fd < 0)
		return hf_sys_fail(ei, errno, "cannot open directory %s", path);
	if (fsync(fd) != 0)
		e = hf_sys_fail(ei, errno, "cannot sync directory %s", path);
	(void)close(fd);
	return e;
}

hf_err hf_dir_sync_above(const char *path, struct hf_errinfo *ei)
{
	char above[DIR_PATH_MAX];
	size_t len = strlen(path);

	if (len >= sizeof(above))
		return hf_fail(ei, HF_ERR_ARG, "path is too long");
	memcpy(above, path, len + 1);
	while (len > 1 && above[len - 1] == '/')
		len--;
	while (len > 0 && above[len - 1] != '/')
		len--;
	while (len > 1 && above[len - 1] == '/')
		len--;
	above[len] = '\0';
	return hf_dir_sync(len == 0 ? "." : above, ei);
}

static int name_order(const void *a, const void *b)
{
	const char *const *x = a;
	const char *const *y = b;

	return strcmp(*x, *y);
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* All names into one buffer, each with its terminator. */
static hf_err read_names(
	struct hf_buf *names, size_t *n, size_t max, const char *path, struct hf_errinfo *ei)
{
	DIR *d = opendir(path);
	hf_err e = HF_OK;

	if (d == NULL)
		return hf_sys_fail(ei, errno, "cannot list %s", path);
	while (e == HF_OK) {
		struct dirent *entry;

		errno = 0;
		entry = readdir(d);
		if (entry == NULL && errno != 0)
			e = hf_sys_fail(ei, errno, "cannot list %s", path);
		if (entry == NULL)
			break;
		if (is_dots(entry->d_name))
			continue;
		if (*n >= max)
			e = hf_fail(ei, HF_ERR_LIMIT, "%s has more than %zu names", path, max);
		else
			e = hf_buf_put(names, entry->d_name, strlen(entry->d_name) + 1);
		*n += 1;
	}
	(void)closedir(d);
	return e;
}

hf_err hf_dir_list(const struct hf_mem *mem, const char *path, size_t max,
	hf_err (*each)(void *ctx, const char *name), void *ctx, struct hf_errinfo *ei)
{
	struct hf_buf names = { 0 };
	const char **order = NULL;
	const char *next;
	size_t n = 0;
	hf_err e;

	hf_buf_init(&names, mem, max > SIZE_MAX / 256 ? SIZE_MAX : max * 256);
	e = read_names(&names, &n, max, path, ei);
	if (e != HF_OK || n == 0)
		goto out;
	order = hf_mem_array(mem, n, sizeof(*order));
	if (order == NULL) {
		e = HF_ERR_NO_MEMORY;
		goto out;
	}
	next = (const char *)names.p;
	for (size_t i = 0; i < n; i++) {
		order[i] = next;
		next += strlen(next) + 1;
	}
	qsort(order, n, sizeof(*order), name_order);
	for (size_t i = 0; i < n && e == HF_OK; i++)
		e = each(ctx, order[i]);
out:
	hf_mem_free(mem, order);
	hf_buf_clear(&names);
	return e;
}

enum { TREE_DEPTH_MAX = 8, TREE_NAMES_MAX = 65536 };

/* One folder that is being emptied. */
struct tree {
	const struct hf_mem *mem;
	const char *path;
	unsigned depth;
	struct hf_errinfo *ei;
};

static hf_err delete_tree(const struct tree *t);

static hf_err delete_entry(void *ctx, const char *name)
{
	const struct tree *t = ctx;
	char path[DIR_PATH_MAX];
	struct tree below = { t->mem, path, t->depth + 1, t->ei };
	struct stat st;

	if (snprintf(path, sizeof(path), "%s/%s", t->path, name) >= (int)sizeof(path))
		return hf_fail(t->ei, HF_ERR_LIMIT, "%s: path is too long", t->path);
	if (lstat(path, &st) != 0)
		return hf_sys_fail(t->ei, errno, "cannot look at %s", path);
	if (S_ISDIR(st.st_mode))
		return delete_tree(&below);
	if (unlink(path) != 0)
		return hf_sys_fail(t->ei, errno, "cannot delete %s", path);
	return HF_OK;
}

/* Never through a symbolic link: links are deleted as what they are. */
static hf_err delete_tree(const struct tree *t)
{
	struct tree copy = *t;

	if (t->depth > TREE_DEPTH_MAX)
		return hf_fail(
			t->ei, HF_ERR_LIMIT, "%s: deeper than %d folders", t->path, TREE_DEPTH_MAX);
	HF_TRY(hf_dir_list(t->mem, t->path, TREE_NAMES_MAX, delete_entry, &copy, t->ei));
	return hf_dir_delete(t->path, t->ei);
}

hf_err hf_dir_delete_all(const struct hf_mem *mem, const char *path, struct hf_errinfo *ei)
{
	struct tree t = { mem, path, 0, ei };

	return delete_tree(&t);
}

hf_err hf_dir_free_bytes(uint64_t *bytes, const char *path, struct hf_errinfo *ei)
{
	struct statvfs v;

	if (statvfs(path, &v) != 0)
		return hf_sys_fail(ei, errno, "cannot ask for the free space of %s", path);
	*bytes = (uint64_t)v.f_bavail * v.f_frsize;
	return HF_OK;
}
