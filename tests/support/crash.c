/* SPDX-License-Identifier: Apache-2.0 */
/* ptrace(2) over one child. */
#include "test.h"

#include "crash.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FILES_MAX = 64 };

/* A file the child has written, and what of it a power cut leaves. */
struct tracked {
	dev_t dev;
	ino_t inode;
	uint8_t *safe;
	size_t safe_len;
	bool is_dirty;
};

static struct tracked tracked[FILES_MAX];
static size_t n_tracked;

enum call_kind { CALL_NONE, CALL_WRITE, CALL_SYNC, CALL_OTHER };

/* What a call does to files; open counts only if it may make one. */
static enum call_kind kind_of(uint64_t nr, const uint64_t *args)
{
	switch (nr) {
	case SYS_write:
	case SYS_pwrite64:
	case SYS_ftruncate: return CALL_WRITE;
	case SYS_fsync:
	case SYS_fdatasync: return CALL_SYNC;
	case SYS_openat: return (args[2] & O_CREAT) != 0 ? CALL_OTHER : CALL_NONE;
#ifdef SYS_rename
	case SYS_rename:
	case SYS_unlink:
	case SYS_mkdir:
#endif
#ifdef SYS_renameat
	case SYS_renameat:
#endif
	case SYS_renameat2:
	case SYS_unlinkat:
	case SYS_mkdirat: return CALL_OTHER;
	default: return CALL_NONE;
	}
}

static void read_safe(struct tracked *t, const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	free(t->safe);
	t->safe_len = (size_t)st.st_size;
	t->safe = malloc(t->safe_len + 1);
	assert_non_null(t->safe);
	assert_int_equal(pread(fd, t->safe, t->safe_len, 0), t->safe_len);
	(void)close(fd);
}

/* The record of a descriptor of the child, made at its first write; NULL if it is no file. */
static struct tracked *track(pid_t pid, uint64_t fd, char path[64])
{
	struct stat st;
	struct tracked *t;

	(void)snprintf(path, 64, "/proc/%d/fd/%d", (int)pid, (int)fd);
	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return NULL;
	for (size_t i = 0; i < n_tracked; i++)
		if (tracked[i].dev == st.st_dev && tracked[i].inode == st.st_ino)
			return &tracked[i];
	assert_true(n_tracked < FILES_MAX);
	t = &tracked[n_tracked++];
	*t = (struct tracked){ .dev = st.st_dev, .inode = st.st_ino };
	read_safe(t, path);
	return t;
}

static void before_call(pid_t pid, enum call_kind kind, uint64_t fd)
{
	char path[64];
	struct tracked *t;

	if (kind != CALL_WRITE)
		return;
	t = track(pid, fd, path);
	if (t != NULL)
		t->is_dirty = true;
}

static void after_call(pid_t pid, enum call_kind kind, uint64_t fd)
{
	char path[64];
	struct tracked *t;

	if (kind != CALL_SYNC)
		return;
	t = track(pid, fd, path);
	if (t == NULL)
		return;
	read_safe(t, path);
	t->is_dirty = false;
}

static int fall_back(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)flag;
	(void)ftw;
	for (size_t i = 0; i < n_tracked; i++) {
		const struct tracked *t = &tracked[i];
		int fd;

		if (t->dev != st->st_dev || t->inode != st->st_ino || !t->is_dirty)
			continue;
		fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
		assert_true(fd >= 0);
		assert_int_equal(write(fd, t->safe, t->safe_len), t->safe_len);
		(void)close(fd);
	}
	return 0;
}

static void forget(void)
{
	for (size_t i = 0; i < n_tracked; i++)
		free(tracked[i].safe);
	n_tracked = 0;
}

static void child(int (*body)(void *ctx), void *ctx)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		_exit(77);
	(void)raise(SIGSTOP);
	_exit(body(ctx));
}

/* Lets the child run to its n-th changing call. True if it stands before it. */
static bool run_to(pid_t pid, unsigned n, int *status, unsigned *made)
{
	enum call_kind kind = CALL_NONE;
	uint64_t fd = 0;
	int pass = 0; /* a signal to hand on */

	for (;;) {
		struct __ptrace_syscall_info info;

		assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(intptr_t)pass), 0);
		assert_int_equal(waitpid(pid, status, 0), pid);
		if (!WIFSTOPPED(*status))
			return false;
		pass = WSTOPSIG(*status) == (SIGTRAP | 0x80) ? 0 : WSTOPSIG(*status);
		if (pass != 0)
			continue;
		assert_true(ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info) > 0);
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
			kind = kind_of(info.entry.nr, info.entry.args);
			fd = info.entry.args[0];
			if (kind != CALL_NONE && ++*made == n)
				return true;
			before_call(pid, kind, fd);
		} else {
			after_call(pid, kind, fd);
			kind = CALL_NONE;
		}
	}
}

int test_crash_at(
	unsigned n, enum test_crash_how how, const char *dir, int (*body)(void *ctx), void *ctx)
{
	unsigned made = 0;
	int status = 0;
	bool is_stopped;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		child(body, ctx);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		return TEST_CRASH_UNABLE;
	assert_true(WIFSTOPPED(status));
	(void)ptrace(PTRACE_SETOPTIONS, pid, NULL,
		(void *)(intptr_t)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL));
	is_stopped = run_to(pid, n, &status, &made);
	if (is_stopped) {
		(void)kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (how == TEST_POWER_CUT)
			(void)nftw(dir, fall_back, 16, FTW_PHYS);
	}
	forget();
	if (is_stopped)
		return (int)made - 1;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	return TEST_CRASH_DONE;
}
