/* SPDX-License-Identifier: Apache-2.0 */
/* Children get what they were handed and nothing else; signals are read, not caught. */
/* native: it starts itself again, which the kernel cannot do with a program of another machine */
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "os/process.h"
#include "os/signals.h"
#include "os/unixsock.h"
#include "tmp.h"

/* What the child does when this program is started again with a role. */
static int role(const char *name)
{
	uint8_t byte = 0;

	if (strcmp(name, "echo") == 0) { /* 3 in, 4 out, nothing above */
		if (read(3, &byte, 1) != 1 || write(4, &byte, 1) != 1)
			return 1;
		for (int fd = 5; fd < 200; fd++)
			if (fcntl(fd, F_GETFD) != -1)
				return 2;
		return 42;
	}
	if (strcmp(name, "wait") == 0)
		for (;;)
			(void)pause();
	return 99;
}

static void a_child_has_its_descriptors_and_no_other(void **state)
{
	const char *argv[] = { "test", "echo", NULL };
	struct hf_process p = HF_PROCESS_EMPTY;
	struct hf_process_end end;
	uint8_t byte = 7;
	int a[2];
	int b[2];
	int fds[2];
	int leak = fcntl(0, F_DUPFD, 100); /* open and without close-on-exec */

	(void)state;
	assert_true(leak >= 100);
	assert_ok(hf_unixsock_pair(a, NULL));
	assert_ok(hf_unixsock_pair(b, NULL));
	/* Sources that stand where targets go, in the wrong order. */
	fds[0] = a[0] > b[0] ? a[0] : b[0];
	fds[1] = a[0] > b[0] ? b[0] : a[0];
	assert_ok(hf_process_start(
		&p, &(struct hf_process_start){ .argv = argv, .fds = fds, .n_fds = 2 }, NULL));
	assert_int_equal(write(a[0] > b[0] ? a[1] : b[1], &byte, 1), 1);
	byte = 0;
	assert_int_equal(read(a[0] > b[0] ? b[1] : a[1], &byte, 1), 1);
	assert_int_equal(byte, 7);
	assert_ok(hf_process_wait(&p, &end));
	assert_false(end.is_signal);
	assert_int_equal(end.number, 42);
	assert_err(hf_process_wait(&p, &end), HF_ERR_STATE);
	assert_err(hf_process_signal(&p, SIGTERM), HF_ERR_STATE);
	for (int i = 0; i < 2; i++) {
		(void)close(a[i]);
		(void)close(b[i]);
	}
	(void)close(leak);
}

static void a_program_that_cannot_start_is_told_at_once(void **state)
{
	const char *argv[] = { "x", NULL };
	const char *none[] = { NULL };
	struct hf_errinfo ei = { 0 };
	struct hf_process p;

	(void)state;
	assert_err(hf_process_start(&p,
			   &(struct hf_process_start){ .path = "/nowhere/x", .argv = argv }, &ei),
		HF_ERR_NOT_FOUND);
	assert_non_null(strstr(ei.text, "/nowhere/x"));
	assert_err(hf_process_start(&p,
			   &(struct hf_process_start){ .path = "/etc/passwd", .argv = argv }, NULL),
		HF_ERR_PERMISSION);
	assert_err(
		hf_process_start(&p, &(struct hf_process_start){ .argv = none }, NULL), HF_ERR_ARG);
	assert_int_equal(p.pid, 0);
}

static void a_killed_child_shows_its_signal(void **state)
{
	const char *argv[] = { "test", "wait", NULL };
	struct hf_process p;
	struct hf_process_end end;

	(void)state;
	assert_ok(hf_process_start(
		&p, &(struct hf_process_start){ .argv = argv, .dies_with_parent = true }, NULL));
	assert_err(hf_process_poll(&p, &end), HF_ERR_AGAIN);
	assert_ok(hf_process_signal(&p, SIGKILL));
	assert_ok(hf_process_wait(&p, &end));
	assert_true(end.is_signal);
	assert_int_equal(end.number, SIGKILL);
}

static int start_and_leave(void *ctx)
{
	const char *argv[] = { "test", "wait", NULL };
	struct hf_process p;

	if (hf_process_start(&p,
		    &(struct hf_process_start){
			    .argv = argv, .fds = ctx, .n_fds = 1, .dies_with_parent = true },
		    NULL) != HF_OK)
		return 1;
	return 0;
}

static void a_child_dies_with_its_parent(void **state)
{
	int pipes[2];
	uint8_t byte;

	(void)state;
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(test_child(start_and_leave, &pipes[1]), 0);
	(void)close(pipes[1]);
	assert_int_equal(read(pipes[0], &byte, 1), 0); /* ends when the last writer has died */
	(void)close(pipes[0]);
}

static int harden(void *ctx)
{
	struct rlimit core = { 1, 1 };

	(void)ctx;
	if (hf_process_harden(NULL) != HF_OK || getrlimit(RLIMIT_CORE, &core) != 0)
		return 1;
	if (prctl(PR_GET_DUMPABLE) != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 2;
	return core.rlim_max == 0 ? 0 : 3;
}

static int raise_files(void *ctx)
{
	struct rlimit r;

	(void)ctx;
	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return 1;
	r.rlim_cur = 32;
	if (setrlimit(RLIMIT_NOFILE, &r) != 0 || hf_process_raise_files() != r.rlim_max)
		return 2;
	return getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur == r.rlim_max ? 0 : 3;
}

static void files_are_raised_to_what_is_allowed(void **state)
{
	(void)state;
	assert_int_equal(test_child(raise_files, NULL), 0);
}

static void a_hardened_process_leaves_no_core(void **state)
{
	(void)state;
	assert_int_equal(test_child(harden, NULL), 0);
}

static int take_signals(void *ctx)
{
	const int sigs[] = { SIGTERM, SIGHUP };
	const int bad[] = { 4000 };
	int sig = 0;
	int fd = -1;

	(void)ctx;
	if (hf_signals_open(&fd, bad, 1, NULL) != HF_ERR_ARG)
		return 1;
	if (hf_signals_open(&fd, sigs, 2, NULL) != HF_OK)
		return 2;
	if (hf_signals_next(fd, &sig) != HF_ERR_AGAIN ||
		hf_signals_wait(fd, &sig, 1) != HF_ERR_TIMEOUT)
		return 3;
	(void)raise(SIGHUP);
	(void)raise(SIGPIPE);
	if (hf_signals_wait(fd, &sig, 1000) != HF_OK || sig != SIGHUP)
		return 4;
	return hf_signals_next(fd, &sig) == HF_ERR_AGAIN ? 0 : 5;
}

static void signals_are_read_in_turn(void **state)
{
	(void)state;
	assert_int_equal(test_child(take_signals, NULL), 0);
}

static unsigned deep(unsigned n)
{
	volatile uint8_t room[4096];

	for (size_t i = 0; i < sizeof(room); i++)
		room[i] = (uint8_t)(i + n);
	return n == 0 ? room[1] : room[n % sizeof(room)] + deep(n - 1);
}

static void a_trimmed_process_runs_on(void **state)
{
	unsigned before = deep(40);

	(void)state;
	hf_process_trim();
	assert_int_equal(deep(40), before);
	hf_process_trim();
}

/* Opens a file with the standard descriptors closed: it must not get one of their numbers. */
static int begin_without_descriptors(void *ctx)
{
	char byte = 0;
	int fd;

	(void)ctx;
	for (int i = 0; i <= 2; i++)
		(void)close(i);
	hf_process_begin();
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (fd <= 2)
		return 1;
	if (read(0, &byte, 1) != -1 || write(1, "x", 1) != -1 || write(2, "x", 1) != -1)
		return 2;
	return raise(SIGXFSZ) == 0 ? 42 : 3; /* not ended by it */
}

static int begin_with_descriptors(void *ctx)
{
	int ends[2];

	(void)ctx;
	if (pipe(ends) != 0 || dup2(ends[1], 1) != 1)
		return 1;
	hf_process_begin();
	return write(1, "x", 1) == 1 ? 42 : 2;
}

static void no_file_gets_the_number_of_a_closed_descriptor(void **state)
{
	(void)state;
	assert_int_equal(test_child(begin_without_descriptors, NULL), 42);
	assert_int_equal(test_child(begin_with_descriptors, NULL), 42);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_has_its_descriptors_and_no_other),
		cmocka_unit_test(a_program_that_cannot_start_is_told_at_once),
		cmocka_unit_test(a_killed_child_shows_its_signal),
		cmocka_unit_test(a_child_dies_with_its_parent),
		cmocka_unit_test(files_are_raised_to_what_is_allowed),
		cmocka_unit_test(a_hardened_process_leaves_no_core),
		cmocka_unit_test(signals_are_read_in_turn),
		cmocka_unit_test(a_trimmed_process_runs_on),
		cmocka_unit_test(no_file_gets_the_number_of_a_closed_descriptor),
	};

	if (argc > 1)
		return role(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
