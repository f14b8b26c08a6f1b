/* SPDX-License-Identifier: Apache-2.0 */
/* What a process that serves may ask of the system, and what it may not. */
/* native: an emulator passes no filter on to the kernel */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/attr.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/sandbox.h"
#include "os/sock.h"
#include "os/unixsock.h"
#include "tmp.h"

enum { NO_FILTER = 77, ARGS_MAX = 4 };

/* A call, and the errno it must fail with. */
struct call {
	const char *name;
	long nr;
	long arg[ARGS_MAX];
	int sys;
};

/* NO_FILTER where there is none, or 0. */
static int enter(unsigned more)
{
	hf_err e = hf_sandbox_serve(more, NULL);

	return e == HF_ERR_UNSUPPORTED ? NO_FILTER : e == HF_OK ? 0 : 1;
}

static void check(int code)
{
	if (code == NO_FILTER)
		skip();
	assert_int_equal(code, 0);
}

static void *lock_and_unlock(void *ctx)
{
	(void)pthread_mutex_lock(ctx);
	(void)pthread_mutex_unlock(ctx);
	return ctx;
}

static int starts_threads(void)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_t thread;

	return pthread_create(&thread, NULL, lock_and_unlock, &lock) == 0 &&
			       pthread_join(thread, NULL) == 0
		       ? 0
		       : 20;
}

static int talks(const char *dir)
{
	struct hf_sock_addr at;
	struct hf_sock_addr from;
	int listener = -1;
	int near = -1;
	int far = -1;

	if (hf_sock_addr_ip(&at, "127.0.0.1", 0) != HF_OK ||
		hf_sock_listen(&listener, &at, true, 1, NULL) != HF_OK ||
		hf_sock_name(&at, listener) != HF_OK || hf_sock_connect(&near, &at, NULL) != HF_OK)
		return 30;
	while (hf_sock_accept(&far, &from, listener) == HF_ERR_AGAIN)
		(void)sched_yield();
	if (send(near, "x", 1, 0) != 1 || shutdown(near, SHUT_WR) != 0)
		return 31;
	hf_file_close(&listener);
	return hf_unixsock_listen(&listener, test_path(dir, "new"), 0640, 1, NULL) == HF_OK ? 0
											    : 32;
}

static int looks_up(void)
{
	struct addrinfo *found = NULL;

	if (getaddrinfo("localhost", NULL, NULL, &found) != 0)
		return 40;
	freeaddrinfo(found);
	return 0;
}

static int work(void *ctx)
{
	struct hf_buf text;
	int code;

	hf_sock_names_load();
	code = enter(0);
	if (code != 0)
		return code;
	hf_buf_init(&text, &test_mem, 100);
	if (hf_file_load(&text, test_path(ctx, "file"), NULL) != HF_OK || text.len != 5)
		return 10;
	hf_buf_clear(&text);
	code = starts_threads();
	if (code == 0)
		code = talks(ctx);
	return code != 0 ? code : looks_up();
}

static void what_serving_takes_goes_on(void **state)
{
	char dir[TEST_PATH_MAX];
	int code;

	(void)state;
	test_tmp_make(dir);
	test_file_put(test_path(dir, "file"), "bytes", 5);
	code = test_child(work, dir);
	test_tmp_delete(dir);
	check(code);
}

/* Addresses as arguments: what they point to is never looked at, since the call is not made. */
static int refused(void *ctx)
{
	const long file = (long)(uintptr_t)(const char *)ctx;
	const struct rlimit none = { 0, 0 };
	const long page = sysconf(_SC_PAGESIZE);
	const struct call calls[] = {
		{ "write", SYS_openat, { AT_FDCWD, file, O_WRONLY }, EPERM },
		{ "both", SYS_openat, { AT_FDCWD, file, O_RDWR }, EPERM },
		{ "make", SYS_openat, { AT_FDCWD, file, O_RDONLY | O_CREAT }, EPERM },
		{ "cut", SYS_openat, { AT_FDCWD, file, O_RDONLY | O_TRUNC }, EPERM },
		{ "unnamed", SYS_openat, { AT_FDCWD, file, O_WRONLY | O_TMPFILE }, EPERM },
		{ "delete", SYS_unlinkat, { AT_FDCWD, file, 0 }, EPERM },
		{ "rename", SYS_renameat2, { AT_FDCWD, file, AT_FDCWD, file }, ENOSYS },
		{ "link", SYS_linkat, { AT_FDCWD, file, AT_FDCWD, file }, ENOSYS },
		{ "mode", SYS_fchmodat, { AT_FDCWD, file, 0777 }, EPERM },
		{ "owner", SYS_fchownat, { AT_FDCWD, file, 0, 0 }, ENOSYS },
		{ "folder", SYS_mkdirat, { AT_FDCWD, file, 0777 }, EPERM },
		{ "open anew", SYS_openat2, { AT_FDCWD, file, file, 24 }, ENOSYS },
		{ "raw", SYS_socket, { AF_INET, SOCK_RAW | SOCK_CLOEXEC, 1 }, EPERM },
		{ "packet", SYS_socket, { AF_PACKET, SOCK_DGRAM, 0 }, EPERM },
		{ "netlink", SYS_socket, { AF_NETLINK, SOCK_RAW, 4 }, EPERM },
		{ "alg", SYS_socket, { AF_ALG, SOCK_STREAM, 0 }, EPERM },
		{ "pair", SYS_socketpair, { AF_UNIX, SOCK_STREAM, 0, file }, ENOSYS },
		{ "code", SYS_mmap, { 0, page, PROT_READ | PROT_EXEC, MAP_PRIVATE }, EPERM },
		{ "to code", SYS_mprotect, { file & ~(page - 1), page, PROT_EXEC }, EPERM },
		{ "process", SYS_clone, { SIGCHLD, 0, 0, 0 }, EPERM },
		{ "clone3", SYS_clone3, { file, 88 }, ENOSYS },
		{ "kill", SYS_kill, { 1, 0 }, ENOSYS },
		{ "another's thread", SYS_tgkill, { 1, 1, 0 }, ENOSYS },
		{ "limit", SYS_prlimit64, { 0, RLIMIT_NOFILE, (long)(uintptr_t)&none }, EPERM },
		{ "their limit", SYS_prlimit64, { 1, RLIMIT_NOFILE, 0 }, EPERM },
		{ "terminal", SYS_ioctl, { 0, TIOCSTI, file }, EPERM },
		{ "owner of signals", SYS_fcntl, { 0, F_SETOWN, 1 }, EPERM },
		{ "dump", SYS_prctl, { PR_SET_DUMPABLE, 1 }, ENOSYS },
		{ "user", SYS_setresuid, { 0, 0, 0 }, ENOSYS },
		{ "root", SYS_chroot, { file }, ENOSYS },
		{ "mount", SYS_mount, { file, file, file, 0 }, ENOSYS },
		{ "own names", SYS_unshare, { CLONE_NEWUSER }, ENOSYS },
		{ "rings", SYS_io_uring_setup, { 1, file }, ENOSYS },
		{ "bpf", SYS_bpf, { 0, file, 8 }, ENOSYS },
		{ "keys", SYS_keyctl, { 0, 0 }, ENOSYS },
		{ "memory file", SYS_memfd_create, { file, 0 }, ENOSYS },
		{ "descriptor of others", SYS_pidfd_getfd, { 0, 0, 0 }, ENOSYS },
		{ "handles", SYS_open_by_handle_at, { 0, file, 0 }, ENOSYS },
	};
	int code = enter(0);

	if (code != 0)
		return code;
	for (size_t i = 0; i < HF_COUNT(calls); i++) {
		const struct call *c = &calls[i];
		long r = syscall(c->nr, c->arg[0], c->arg[1], c->arg[2], c->arg[3]);

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
		if (c->nr == SYS_tgkill || c->nr == SYS_prctl) /* they need these themselves */
			continue;
#endif
		if (r != -1 || errno != c->sys) {
			print_error("%s: %ld, errno %d\n", c->name, r, errno);
			return 1;
		}
	}
	return 0;
}

static void whatever_else_is_refused(void **state)
{
	char dir[TEST_PATH_MAX];
	char path[TEST_PATH_MAX];
	int code;

	(void)state;
	test_tmp_make(dir);
	(void)snprintf(path, sizeof(path), "%s", test_path(dir, "file"));
	test_file_put(path, "bytes", 5);
	code = test_child(refused, path);
	test_tmp_delete(dir);
	check(code);
}

/* In its own child, since it ends it. */
static int forbidden(void *ctx)
{
	const long *nr = ctx;
	int code = enter(~0U);

	if (code != 0)
		return code;
	(void)syscall(*nr, 0, 0, 0, 0, 0, 0);
	return 1;
}

static void looking_into_others_and_new_programs_end_the_process(void **state)
{
	static long calls[] = {
		SYS_execve,
		SYS_execveat,
		SYS_process_vm_readv,
		SYS_process_vm_writev,
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
		SYS_ptrace,
#endif
#ifdef __x86_64__
		SYS_fork,
		SYS_vfork,
		0x40000000 + SYS_getpid /* x32 */
#endif
	};

	(void)state;
	for (size_t i = 0; i < HF_COUNT(calls); i++) {
		int code = test_child(forbidden, &calls[i]);

		if (code == NO_FILTER)
			skip();
		assert_int_equal(code, 0x100 + SIGSYS);
	}
}

static int deletes(void *ctx)
{
	int code = enter(HF_SANDBOX_UNLINK);

	return code != 0 ? code : unlink(ctx) == 0 ? 0 : 1;
}

static void names_go_where_that_was_asked_for(void **state)
{
	char dir[TEST_PATH_MAX];
	char path[TEST_PATH_MAX];
	int code;

	(void)state;
	test_tmp_make(dir);
	(void)snprintf(path, sizeof(path), "%s", test_path(dir, "file"));
	test_file_put(path, "bytes", 5);
	code = test_child(deletes, path);
	test_tmp_delete(dir);
	check(code);
}

static int stores(void *ctx)
{
	char dir[TEST_PATH_MAX];
	char path[TEST_PATH_MAX + 8];
	int code = enter(HF_SANDBOX_UNLINK | HF_SANDBOX_STORE);

	(void)snprintf(dir, sizeof(dir), "%s", (const char *)ctx);
	(void)snprintf(path, sizeof(path), "%s/file", dir);
	if (code != 0)
		return code;
	for (int i = 0; i < 2; i++) /* it is made, and then there */
		if (hf_dir_make(dir, 0700, NULL) != HF_OK ||
			hf_file_replace(path, 0600, "bytes", 5, NULL) != HF_OK)
			return 1;
	return 0;
}

static void files_are_kept_where_that_was_asked_for(void **state)
{
	char dir[TEST_PATH_MAX];
	char path[TEST_PATH_MAX];
	int code;

	(void)state;
	test_tmp_make(dir);
	(void)snprintf(path, sizeof(path), "%s", test_path(dir, "lists"));
	code = test_child(stores, path);
	test_tmp_delete(dir);
	check(code);
}

struct early {
	pthread_mutex_t lock;
	int r;
	int sys;
};

static void *write_late(void *ctx)
{
	struct early *e = ctx;

	(void)pthread_mutex_lock(&e->lock);
	e->r = open("/dev/null", O_WRONLY);
	e->sys = errno;
	(void)pthread_mutex_unlock(&e->lock);
	return NULL;
}

static int with_a_thread(void *ctx)
{
	struct early e = { PTHREAD_MUTEX_INITIALIZER, 0, 0 };
	pthread_t thread;
	int code;

	(void)ctx;
	(void)pthread_mutex_lock(&e.lock);
	if (pthread_create(&thread, NULL, write_late, &e) != 0)
		return 2;
	code = enter(0);
	(void)pthread_mutex_unlock(&e.lock);
	(void)pthread_join(thread, NULL);
	return code != 0 ? code : e.r < 0 && e.sys == EPERM ? 0 : 1;
}

static void threads_that_were_there_are_in_it_too(void **state)
{
	(void)state;
	check(test_child(with_a_thread, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_serving_takes_goes_on),
		cmocka_unit_test(whatever_else_is_refused),
		cmocka_unit_test(looking_into_others_and_new_programs_end_the_process),
		cmocka_unit_test(names_go_where_that_was_asked_for),
		cmocka_unit_test(files_are_kept_where_that_was_asked_for),
		cmocka_unit_test(threads_that_were_there_are_in_it_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
