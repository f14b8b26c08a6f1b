/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fork(2) and execve(2). Between the two only async-signal-safe calls are made, because other
 * threads may have held any lock. The child reports a failure through a pipe that exec closes.
 */
#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/sys.h"

extern char **environ;

/* Moves the descriptors to 3, 4, … in two steps, since a source may stand where a target goes. */
static int place_fds(const struct hf_process_start *how, int *report)
{
	int moved[HF_PROCESS_FDS_MAX];
	int above = HF_PROCESS_FD_FIRST + (int)how->n_fds;

	*report = fcntl(*report, F_DUPFD_CLOEXEC, above);
	if (*report < 0)
		return -1;
	for (size_t i = 0; i < how->n_fds; i++) {
		moved[i] = fcntl(how->fds[i], F_DUPFD_CLOEXEC, above);
		if (moved[i] < 0)
			return -1;
	}
	for (size_t i = 0; i < how->n_fds; i++)
		if (dup2(moved[i], HF_PROCESS_FD_FIRST + (int)i) < 0)
			return -1;
	return close_range((unsigned)above, UINT_MAX, CLOSE_RANGE_CLOEXEC);
}

static void reset_signals(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		(void)sigaction(sig, &sa, NULL); /* KILL and STOP refuse; that is fine */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Runs in the child; never returns. */
static void child(const struct hf_process_start *how, int report, pid_t parent)
{
	const char *path = how->path != NULL ? how->path : "/proc/self/exe";
	char *const *argv = (char *const *)(uintptr_t)how->argv;
	char *const *env = how->env != NULL ? (char *const *)(uintptr_t)how->env : environ;
	int sys = 0;

	reset_signals();
	if (how->dies_with_parent) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
			sys = errno;
		else if (getppid() != parent) /* it died before we asked */
			_exit(127);
	}
	if (sys == 0 && place_fds(how, &report) != 0)
		sys = errno;
	if (sys == 0) {
		(void)execve(path, argv, env);
		sys = errno;
	}
	(void)!write(report, &sys, sizeof(sys));
	_exit(127);
}

/* 0 if the child got through exec, else the errno it met. */
static int read_report(int fd)
{
	int sys = 0;
	ssize_t n;

	do
		n = read(fd, &sys, sizeof(sys));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(sys) ? sys : 0;
}

hf_err hf_process_start(
	struct hf_process *p, const struct hf_process_start *how, struct hf_errinfo *ei)
{
	const char *name = how->path != NULL ? how->path : "this program again";
	pid_t parent = getpid();
	int report[2];
	pid_t pid;
	int sys;

	*p = HF_PROCESS_EMPTY;
	if (how->n_fds > HF_PROCESS_FDS_MAX || how->argv == NULL || how->argv[0] == NULL)
		return hf_fail(ei, HF_ERR_ARG, "cannot start %s so", name);
	if (pipe2(report, O_CLOEXEC) != 0)
		return hf_sys_fail(ei, errno, "cannot start %s", name);
	pid = fork();
	if (pid == 0)
		child(how, report[1], parent);
	sys = pid < 0 ? errno : 0;
	(void)close(report[1]);
	if (pid > 0)
		sys = read_report(report[0]);
	(void)close(report[0]);
	if (sys != 0) {
		if (pid > 0)
			(void)waitpid(pid, NULL, 0);
		return hf_sys_fail(ei, sys, "cannot start %s", name);
	}
	p->pid = pid;
	p->fd = pidfd_open(pid, 0); /* closes on exec by itself */
	return HF_OK;
}

static hf_err wait_how(struct hf_process *p, struct hf_process_end *end, int flags)
{
	int status = 0;
	pid_t r;

	if (p->pid <= 0)
		return HF_ERR_STATE;
	do
		r = waitpid(p->pid, &status, flags);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return HF_ERR_AGAIN;
	if (r < 0)
		return hf_sys_err(errno);
	end->is_signal = WIFSIGNALED(status);
	end->number = end->is_signal ? WTERMSIG(status) : WEXITSTATUS(status);
	if (p->fd >= 0)
		(void)close(p->fd);
	*p = HF_PROCESS_EMPTY;
	return HF_OK;
}

hf_err hf_process_wait(struct hf_process *p, struct hf_process_end *end)
{
	return wait_how(p, end, 0);
}

hf_err hf_process_poll(struct hf_process *p, struct hf_process_end *end)
{
	return wait_how(p, end, WNOHANG);
}

hf_err hf_process_signal(const struct hf_process *p, int sig)
{
	if (p->pid <= 0)
		return HF_ERR_STATE;
	return kill(p->pid, sig) == 0 ? HF_OK : hf_sys_err(errno);
}

uint32_t hf_process_uid(void)
{
	return (uint32_t)geteuid();
}

uint64_t hf_process_raise_files(void)
{
	struct rlimit r = { 0, 0 };

	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return 0;
	if (r.rlim_cur != r.rlim_max) {
		const struct rlimit most = { r.rlim_max, r.rlim_max };

		if (setrlimit(RLIMIT_NOFILE, &most) == 0)
			r = most;
	}
	return r.rlim_cur;
}

void hf_process_begin(void)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	(void)sigaction(SIGXFSZ, &ignore, NULL);
	/* The lowest free number is given out: the closed one that is looked at. */
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)!open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY); /* NOLINT */
}

hf_err hf_process_harden(struct hf_errinfo *ei)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) != 0)
		return hf_sys_fail(ei, errno, "cannot forbid core dumps");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return hf_sys_fail(ei, errno, "cannot forbid tracing");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return hf_sys_fail(ei, errno, "cannot forbid new privileges");
	return HF_OK;
}
