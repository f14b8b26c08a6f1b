/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files over POSIX calls.
 *
 * Replacing a file (hf_file_replace), in this order, so that a crash leaves old or new, whole:
 *   1. a temporary in the same directory, made with O_EXCL and the final mode
 *   2. all bytes written, then fdatasync: nothing may carry the name before its bytes are durable
 *   3. rename over the name
 *   4. fsync of the directory: only now is the new name durable
 */
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/wipe.h"
#include "os/dir.h"
#include "os/sys.h"

enum {
	FILE_IO_MAX = 1 << 30, /* one call never moves more (Linux stops a little below 2 GiB) */
	FILE_TEMP_TRIES = 100,
};

/* Says what failed on a descriptor, with the path the kernel knows it by. */
static hf_err fd_fail(struct hf_errinfo *ei, int sys, const char *verb, int fd)
{
	char link[32];
	char path[160];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0) /* no /proc in a sandbox: the number has to do */
		n = snprintf(path, sizeof(path), "descriptor %d", fd);
	path[n] = '\0';
	return hf_sys_fail(ei, sys, "%s %s", verb, path);
}

static int open_flags(unsigned how)
{
	int flags = O_CLOEXEC | O_NOCTTY;

	if ((how & HF_FILE_PUT) != 0)
		flags |= O_WRONLY;
	else
		flags |= (how & (HF_FILE_WRITE | HF_FILE_APPEND)) != 0 ? O_RDWR : O_RDONLY;
	flags |= (how & HF_FILE_WAIT) == 0 ? O_NONBLOCK : 0;
	flags |= (how & HF_FILE_APPEND) != 0 ? O_APPEND : 0;
	flags |= (how & HF_FILE_CREATE) != 0 ? O_CREAT : 0;
	flags |= (how & HF_FILE_NEW) != 0 ? O_CREAT | O_EXCL : 0;
	flags |= (how & HF_FILE_FOLLOW) == 0 ? O_NOFOLLOW : 0;
	return flags;
}

/* An existing file keeps its mode, so the file is tried without O_CREAT first. */
static int open_or_create(const char *path, unsigned how, unsigned mode, bool *made)
{
	int flags = open_flags(how);
	int fd;

	*made = false;
	if ((how & HF_FILE_NEW) == 0) {
		fd = open(path, flags & ~O_CREAT);
		if (fd >= 0 || errno != ENOENT || (how & HF_FILE_CREATE) == 0)
			return fd;
	}
	fd = open(path, flags | O_EXCL, (mode_t)mode & 0700);
	if (fd < 0 && errno == EEXIST && (how & HF_FILE_NEW) == 0)
		return open(path, flags & ~O_CREAT); /* somebody made it in between */
	*made = fd >= 0;
	return fd;
}

hf_err hf_file_open(int *fd, const char *path, unsigned how, unsigned mode, struct hf_errinfo *ei)
{
	struct stat st;
	bool made;
	int f;
	hf_err e = HF_OK;

	f = open_or_create(path, how, mode, &made);
	if (f < 0)
		return hf_sys_fail(ei, errno, "cannot open %s", path);
	if (fstat(f, &st) != 0)
		e = hf_sys_fail(ei, errno, "cannot stat %s", path);
	else if (S_ISDIR(st.st_mode))
		e = hf_fail(ei, HF_ERR_ARG, "%s is a directory, not a file", path);
	else if (made && fchmod(f, (mode_t)mode) != 0)
		e = hf_sys_fail(ei, errno, "mode of %s", path);
	if (e != HF_OK) {
		(void)close(f);
		return e;
	}
	/* O_NONBLOCK was for the open alone; reads of a pipe or terminal shall wait. */
	(void)fcntl(f, F_SETFL, fcntl(f, F_GETFL) & ~O_NONBLOCK);
	if ((how & HF_FILE_SEQUENTIAL) != 0)
		(void)posix_fadvise(f, 0, 0, POSIX_FADV_SEQUENTIAL);
	*fd = f;
	return HF_OK;
}

/* The last part of path, opened in the folder at fd, whatever it is, if it is no link. */
static hf_err open_last(int *out, int at, const char *name, const char *path, struct hf_errinfo *ei)
{
	struct stat st;

	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return hf_sys_fail(ei, errno, "cannot stat %s", path);
	if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
		return hf_fail(ei, HF_ERR_ARG, "%s: not a regular file", path);
	*out = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (*out < 0)
		return hf_sys_fail(ei, errno, "cannot open %s", path);
	if (fstat(*out, &st) == 0 && S_ISREG(st.st_mode))
		return HF_OK;
	hf_file_close(out);
	return hf_fail(ei, HF_ERR_ARG, "%s: not a regular file", path);
}

hf_err hf_file_open_below(int *fd, const char *dir, const char *path, struct hf_errinfo *ei)
{
	char part[NAME_MAX + 1];
	int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *rest = path;
	hf_err e = at < 0 ? hf_sys_fail(ei, errno, "cannot open folder %s", dir) : HF_OK;

	while (e == HF_OK) {
		size_t len = strcspn(rest, "/");
		int next;

		if (len == 0 || len > NAME_MAX) {
			e = hf_fail(ei, HF_ERR_ARG, "%s: no path below a folder", path);
			break;
		}
		memcpy(part, rest, len);
		part[len] = '\0';
		if (strcmp(part, "..") == 0) {
			e = hf_fail(ei, HF_ERR_ARG, "%s: no path below a folder", path);
			break;
		}
		if (rest[len] == '\0') {
			e = open_last(fd, at, part, path, ei);
			break;
		}
		next = openat(at, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			e = hf_sys_fail(ei, errno == ENOTDIR ? ELOOP : errno,
				"cannot open folder %s of %s", part, path);
		(void)close(at);
		at = next;
		rest += len + 1;
	}
	hf_file_close(&at);
	return e;
}

void hf_file_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

hf_err hf_file_read(int fd, uint8_t *out, size_t cap, size_t *got, struct hf_errinfo *ei)
{
	ssize_t n;

	do
		n = read(fd, out, cap < FILE_IO_MAX ? cap : FILE_IO_MAX);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return fd_fail(ei, errno, "cannot read", fd);
	*got = (size_t)n;
	return HF_OK;
}

/* Reads to the end; asking for one byte more than fits tells a full buffer from a longer file. */
static hf_err load_rest(struct hf_buf *out, int fd, const char *path, struct hf_errinfo *ei)
{
	uint8_t block[16384];
	hf_err e = HF_OK;

	for (;;) {
		size_t n = 0;

		e = hf_file_read(fd, block, sizeof(block), &n, ei);
		if (e != HF_OK || n == 0)
			break;
		e = hf_buf_put(out, block, n);
		if (e == HF_ERR_LIMIT)
			(void)hf_fail(
				ei, e, "%s is longer than the %zu bytes allowed", path, out->max);
		if (e != HF_OK)
			break;
	}
	hf_wipe(block, sizeof(block)); /* key files pass through here */
	return e;
}

static hf_err load(struct hf_buf *out, const char *path, unsigned how, struct hf_errinfo *ei)
{
	size_t before = out->len;
	int fd = -1;
	hf_err e;

	HF_TRY(hf_file_open(
		&fd, path, how | HF_FILE_READ | HF_FILE_FOLLOW | HF_FILE_SEQUENTIAL, 0, ei));
	e = load_rest(out, fd, path, ei);
	if (e != HF_OK && out->len > before) {
		hf_wipe(out->p + before, out->len - before);
		out->len = before;
	}
	hf_file_close(&fd);
	return e;
}

hf_err hf_file_load(struct hf_buf *out, const char *path, struct hf_errinfo *ei)
{
	return load(out, path, 0, ei);
}

hf_err hf_file_load_input(struct hf_buf *out, const char *path, struct hf_errinfo *ei)
{
	return load(out, path, HF_FILE_WAIT, ei);
}

hf_err hf_file_await(int fd, int stop_fd)
{
	struct pollfd p[2] = { { .fd = stop_fd, .events = POLLIN },
		{ .fd = fd, .events = POLLIN } };
	int n;

	do
		n = poll(p, 2, -1);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return hf_sys_err(errno);
	return p[0].revents != 0 ? HF_ERR_AGAIN : HF_OK;
}

hf_err hf_file_write(int fd, const void *bytes, size_t len, struct hf_errinfo *ei)
{
	const uint8_t *p = bytes;

	while (len > 0) {
		ssize_t n = write(fd, p, len < FILE_IO_MAX ? len : FILE_IO_MAX);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fd_fail(ei, n < 0 ? errno : EIO, "cannot write", fd);
		p += n;
		len -= (size_t)n;
	}
	return HF_OK;
}

/* The offset as off_t, with all len bytes below the largest one. */
static hf_err check_range(uint64_t offset, uint64_t len, struct hf_errinfo *ei)
{
	if (offset > INT64_MAX || len > INT64_MAX - offset)
		return hf_fail(ei, HF_ERR_LIMIT, "file offset %" PRIu64 " is too large", offset);
	return HF_OK;
}

hf_err hf_file_pread(int fd, uint8_t *out, size_t len, uint64_t offset, struct hf_errinfo *ei)
{
	HF_TRY(check_range(offset, len, ei));
	while (len > 0) {
		ssize_t n = pread(fd, out, len < FILE_IO_MAX ? len : FILE_IO_MAX, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fd_fail(ei, errno, "cannot read", fd);
		if (n == 0)
			return HF_ERR_TRUNCATED;
		out += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return HF_OK;
}

hf_err hf_file_pwrite(int fd, const void *bytes, size_t len, uint64_t offset, struct hf_errinfo *ei)
{
	const uint8_t *p = bytes;

	HF_TRY(check_range(offset, len, ei));
	while (len > 0) {
		ssize_t n = pwrite(fd, p, len < FILE_IO_MAX ? len : FILE_IO_MAX, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fd_fail(ei, n < 0 ? errno : EIO, "cannot write", fd);
		p += n;
		offset += (uint64_t)n;
		len -= (size_t)n;
	}
	return HF_OK;
}

hf_err hf_file_resize(int fd, uint64_t size, struct hf_errinfo *ei)
{
	HF_TRY(check_range(size, 0, ei));
	if (ftruncate(fd, (off_t)size) != 0)
		return fd_fail(ei, errno, "cannot set the size of", fd);
	return HF_OK;
}

hf_err hf_file_reserve(int fd, uint64_t size, struct hf_errinfo *ei)
{
	int r;

	HF_TRY(check_range(size, 0, ei));
	if (size == 0)
		return HF_OK;
	do /* not posix_fallocate: where the call is missing that one writes every block */
		r = fallocate(fd, 0, 0, (off_t)size);
	while (r != 0 && errno == EINTR);
	return r == 0 ? HF_OK : fd_fail(ei, errno, "cannot reserve space for", fd);
}

hf_err hf_file_set_mode(int fd, unsigned mode, struct hf_errinfo *ei)
{
	if (fchmod(fd, (mode_t)mode) != 0)
		return fd_fail(ei, errno, "cannot set the mode of", fd);
	return HF_OK;
}

hf_err hf_file_sync(int fd, struct hf_errinfo *ei)
{
	if (fdatasync(fd) != 0)
		return fd_fail(ei, errno, "cannot sync", fd);
	return HF_OK;
}

static void stat_of(struct hf_file_stat *out, const struct stat *st)
{
	*out = (struct hf_file_stat){
		.size = (uint64_t)st->st_size,
		.disk_size = (uint64_t)st->st_blocks * 512,
		.mtime_s = st->st_mtime < 0 ? 0 : (uint64_t)st->st_mtime,
		.inode = st->st_ino,
		.uid = st->st_uid,
		.mode = st->st_mode & 07777,
		.n_links = (unsigned)st->st_nlink,
		.is_file = S_ISREG(st->st_mode),
		.is_dir = S_ISDIR(st->st_mode),
		.is_link = S_ISLNK(st->st_mode),
	};
}

hf_err hf_file_stat(struct hf_file_stat *out, const char *path, struct hf_errinfo *ei)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return hf_sys_fail(ei, errno, "cannot stat %s", path);
	stat_of(out, &st);
	return HF_OK;
}

hf_err hf_file_fstat(struct hf_file_stat *out, int fd, struct hf_errinfo *ei)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return fd_fail(ei, errno, "cannot stat", fd);
	stat_of(out, &st);
	return HF_OK;
}

hf_err hf_file_rename(const char *from, const char *to, struct hf_errinfo *ei)
{
	if (rename(from, to) != 0)
		return hf_sys_fail(ei, errno, "cannot rename %.80s to %.80s", from, to);
	return HF_OK;
}

hf_err hf_file_delete(const char *path, struct hf_errinfo *ei)
{
	if (unlink(path) != 0)
		return hf_sys_fail(ei, errno, "cannot delete %s", path);
	return HF_OK;
}

/* The directory that the last part of a path lies in; false: it cannot be looked at. */
static bool stat_above(struct stat *st, const char *path)
{
	const char *slash = strrchr(path, '/');
	char above[HF_FILE_PATH_MAX];
	int n = snprintf(above, sizeof(above), "%.*s", slash == NULL ? 1 : (int)(slash - path) + 1,
		slash == NULL ? "." : path);

	return n < (int)sizeof(above) && stat(above, st) == 0;
}

hf_err hf_file_link_below(char *out, const char *dir, const char *path, struct hf_errinfo *ei)
{
	char whole[HF_FILE_PATH_MAX];
	char *real_dir = realpath(dir, NULL);
	char *real = NULL;
	size_t len = real_dir == NULL ? 0 : strlen(real_dir);
	hf_err e = HF_OK;

	if (snprintf(whole, sizeof(whole), "%s/%s", dir, path) < (int)sizeof(whole))
		real = realpath(whole, NULL);
	if (real_dir == NULL || real == NULL)
		e = hf_sys_fail(ei, errno, "%s: the symbolic link leads nowhere", path);
	else if (strncmp(real, real_dir, len) != 0 || (len > 1 && real[len] != '/'))
		e = hf_fail(ei, HF_ERR_PERMISSION,
			"%s: a symbolic link that leads out of the folder; put what it names in "
			"its "
			"place (cp -rL copies a folder so)",
			path);
	else if (strlen(real + len) >= HF_FILE_PATH_MAX)
		e = hf_fail(ei, HF_ERR_LIMIT, "%s: the symbolic link leads too far", path);
	else
		memcpy(out, real + len + (len > 1), strlen(real + len) + (len <= 1));
	free(real);
	free(real_dir);
	return e;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

bool hf_file_is_same(const char *a, const char *b)
{
	struct stat of_a;
	struct stat of_b;
	bool has_a = stat(a, &of_a) == 0;
	bool has_b = stat(b, &of_b) == 0;

	if (!has_a && !has_b) {
		if (strcmp(last_part(a), last_part(b)) != 0)
			return false;
		has_a = stat_above(&of_a, a);
		has_b = stat_above(&of_b, b);
	}
	return has_a && has_b && of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
}

unsigned hf_file_umask(void)
{
	mode_t mask =
		umask(077); /* there is no other way to ask; what is made meanwhile is private */

	(void)umask(mask);
	return (unsigned)mask;
}

hf_err hf_file_temp(int *fd, char temp[HF_FILE_PATH_MAX], const char *path, unsigned mode,
	struct hf_errinfo *ei)
{
	const char *slash = strrchr(path, '/');
	int above_len = slash == NULL ? 0 : (int)(slash - path) + 1;
	hf_err e = HF_ERR_EXISTS;

	if (strlen(path) > HF_FILE_PATH_MAX - 64)
		return hf_fail(ei, HF_ERR_LIMIT, "path is too long: %.100s", path);
	for (unsigned i = 0; i < FILE_TEMP_TRIES && e == HF_ERR_EXISTS; i++) {
		struct hf_errinfo why = { 0 };

		(void)snprintf(temp, HF_FILE_PATH_MAX, "%.*s.%.200s.tmp-%ld-%u", above_len, path,
			path + above_len, (long)getpid(), i);
		e = hf_file_open(fd, temp, HF_FILE_WRITE | HF_FILE_NEW, mode, &why);
		if (e != HF_OK && e != HF_ERR_EXISTS)
			return hf_fail_sys(ei, e, why.sys, "%s", why.text);
	}
	if (e == HF_ERR_EXISTS)
		return hf_fail(ei, e, "too many temporary files beside %s", path);
	return e;
}

hf_err hf_file_replace(
	const char *path, unsigned mode, const void *bytes, size_t len, struct hf_errinfo *ei)
{
	char temp[HF_FILE_PATH_MAX];
	int fd = -1;
	hf_err e;

	HF_TRY(hf_file_temp(&fd, temp, path, mode, ei));
	e = hf_file_write(fd, bytes, len, ei);
	if (e != HF_OK)
		goto out;
	e = hf_file_sync(fd, ei);
	if (e != HF_OK)
		goto out;
	e = hf_file_rename(temp, path, ei);
	if (e != HF_OK)
		goto out;
	hf_file_close(&fd);
	return hf_dir_sync_above(path, ei);
out:
	hf_file_close(&fd);
	(void)unlink(temp);
	return e;
}

/* Who holds a lock, as the holder wrote it; empty if it cannot be told. */
static void lock_holder(char text[32], int fd)
{
	char pid[16] = { 0 };
	ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);

	text[0] = '\0';
	if (n > 0 && strspn(pid, "0123456789") > 0)
		(void)snprintf(text, 32, " (process %.*s)", (int)strspn(pid, "0123456789"), pid);
}

hf_err hf_file_lock(int *fd, const char *path, struct hf_errinfo *ei)
{
	char text[32];
	int f = -1;
	int n;
	hf_err e;

	HF_TRY(hf_file_open(&f, path, HF_FILE_WRITE | HF_FILE_CREATE, 0600, ei));
	if (flock(f, LOCK_EX | LOCK_NB) != 0) {
		int sys = errno;

		if (sys == EWOULDBLOCK) {
			lock_holder(text, f);
			e = hf_fail_sys(ei, HF_ERR_AGAIN, sys, "%.150s is in use%s", path, text);
		} else {
			e = hf_sys_fail(ei, sys, "cannot lock %s", path);
		}
		hf_file_close(&f);
		return e;
	}
	/* The number helps the operator; the lock holds without it, also on a full disk. */
	n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(f, 0) == 0 && hf_file_pwrite(f, text, (size_t)n, 0, NULL) != HF_OK)
		(void)!ftruncate(f, 0);
	*fd = f;
	return HF_OK;
}
