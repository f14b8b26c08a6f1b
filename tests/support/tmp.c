/* SPDX-License-Identifier: Apache-2.0 */
/* Directories and children of tests. */
#include "test.h"

#include "tmp.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

void test_tmp_make(char dir[TEST_PATH_MAX])
{
	const char *base = getenv("TMPDIR");

	(void)snprintf(dir, TEST_PATH_MAX, "%.200s/hufu-test-XXXXXX", base != NULL ? base : "/tmp");
	assert_non_null(mkdtemp(dir));
}

static int delete_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

void test_tmp_delete(const char *dir)
{
	(void)nftw(dir, delete_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *test_path(const char *dir, const char *name)
{
	static char paths[4][2 * TEST_PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % 4];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

void test_file_put(const char *path, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(close(fd), 0);
}

size_t test_dir_count(const char *dir)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n - 2;
}

int test_child(int (*body)(void *ctx), void *ctx)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(body(ctx));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 0x100 + WTERMSIG(status) : WEXITSTATUS(status);
}

void *test_shared(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	return p;
}

bool test_drop_root(void)
{
	return geteuid() != 0 || (setgid(65534) == 0 && setuid(65534) == 0);
}

void test_limit_files(size_t len)
{
	const struct rlimit limit = { len, len };

	(void)signal(SIGXFSZ, SIG_IGN);
	(void)setrlimit(RLIMIT_FSIZE, &limit);
}

bool test_small_disk(const char *dir, unsigned kib)
{
	char size[32];

	(void)snprintf(size, sizeof(size), "size=%uk", kib);
	return unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", dir, "tmpfs", 0, size) == 0;
}
