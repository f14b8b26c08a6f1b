/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drafts over O_TMPFILE and linkat(2). A name that must not be taken yet is given by the call that
 * finds out whether it is: linkat, or for a temporary file renameat2 with RENAME_NOREPLACE.
 */
#include "os/draft.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/dir.h"
#include "os/sys.h"

enum { LINK_TRIES = 100 };

/* The way from a descriptor to a name: through /proc, which a sandbox may lack. */
static void proc_path(char text[32], int fd)
{
	(void)snprintf(text, 32, "/proc/self/fd/%d", fd);
}

/* A file without a name; -1: not here. */
static int open_nameless(const char *path, unsigned mode)
{
	const char *slash = strrchr(path, '/');
	char above[HF_FILE_PATH_MAX];
	char proc[32];
	int n = snprintf(above, sizeof(above), "%.*s", slash == NULL ? 1 : (int)(slash - path) + 1,
		slash == NULL ? "." : path);
	int fd;

	if (n >= (int)sizeof(above))
		return -1;
	fd = open(above, O_TMPFILE | O_RDWR | O_CLOEXEC, (mode_t)mode & 0700);
	if (fd < 0)
		return -1;
	proc_path(proc, fd);
	if (fchmod(fd, (mode_t)mode) == 0 && faccessat(AT_FDCWD, proc, F_OK, 0) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

hf_err hf_draft_open(struct hf_draft *d, const char *path, unsigned mode, struct hf_errinfo *ei)
{
	*d = HF_DRAFT_EMPTY;
	d->fd = open_nameless(path, mode);
	return d->fd >= 0 ? HF_OK : hf_draft_open_named(d, path, mode, ei);
}

hf_err hf_draft_open_named(
	struct hf_draft *d, const char *path, unsigned mode, struct hf_errinfo *ei)
{
	hf_err e;

	*d = HF_DRAFT_EMPTY;
	e = hf_file_temp(&d->fd, d->temp, path, mode, ei);
	if (e != HF_OK)
		d->temp[0] = '\0';
	return e;
}

/* Gives a file without a name this one, if it is free. 0, or what went wrong. */
static int name_it(const struct hf_draft *d, const char *path)
{
	char proc[32];

	proc_path(proc, d->fd);
	return linkat(AT_FDCWD, proc, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
}

/* linkat replaces nothing, so a name of its own comes first. */
static int name_temp(struct hf_draft *d, const char *path)
{
	const char *slash = strrchr(path, '/');
	int above_len = slash == NULL ? 0 : (int)(slash - path) + 1;
	int sys = EEXIST;

	if (strlen(path) > HF_FILE_PATH_MAX - 64)
		return ENAMETOOLONG;
	for (unsigned i = 0; sys == EEXIST && i < LINK_TRIES; i++) {
		(void)snprintf(d->temp, sizeof(d->temp), "%.*s.%.200s.tmp-%ld-%u", above_len, path,
			path + above_len, (long)getpid(), i);
		sys = name_it(d, d->temp);
	}
	if (sys != 0)
		d->temp[0] = '\0';
	return sys;
}

/* Moves the temporary file to a name that nobody has. */
static int move_new(const struct hf_draft *d, const char *path)
{
	if (renameat2(AT_FDCWD, d->temp, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return errno;
	/* The file system does not know the flag; a second name cannot take one either. */
	return link(d->temp, path) == 0 && unlink(d->temp) == 0 ? 0 : errno;
}

static int give_name(struct hf_draft *d, const char *path, bool may_replace)
{
	int sys = 0;

	if (d->temp[0] == '\0') {
		sys = name_it(d, path);
		if (sys != EEXIST || !may_replace)
			return sys;
		sys = name_temp(d, path);
	}
	if (sys == 0 && !may_replace)
		sys = move_new(d, path);
	else if (sys == 0 && rename(d->temp, path) != 0)
		sys = errno;
	if (sys == 0)
		d->temp[0] = '\0';
	return sys;
}

hf_err hf_draft_commit(
	struct hf_draft *d, const char *path, bool may_replace, struct hf_errinfo *ei)
{
	int sys;

	HF_TRY(hf_file_sync(d->fd, ei));
	sys = give_name(d, path, may_replace);
	if (sys == EEXIST)
		return hf_fail_sys(ei, HF_ERR_EXISTS, sys, "%s is there already", path);
	if (sys != 0)
		return hf_sys_fail(ei, sys, "cannot give %s its name", path);
	return hf_dir_sync_above(path, ei);
}

hf_err hf_draft_close(struct hf_draft *d, struct hf_errinfo *ei)
{
	hf_err e = HF_OK;

	hf_file_close(&d->fd);
	if (d->temp[0] != '\0')
		e = hf_file_delete(d->temp, ei);
	d->temp[0] = '\0';
	return e;
}
