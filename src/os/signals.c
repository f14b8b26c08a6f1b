/* SPDX-License-Identifier: Apache-2.0 */
/* signalfd(2). */
#include "os/signals.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "os/sys.h"

hf_err hf_signals_open(int *fd, const int *sigs, size_t n, struct hf_errinfo *ei)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t set;
	int sys;
	int f;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < n; i++)
		if (sigaddset(&set, sigs[i]) != 0)
			return hf_fail(ei, HF_ERR_ARG, "%d is no signal", sigs[i]);
	if (sigaction(SIGPIPE, &ignore, NULL) != 0)
		return hf_sys_fail(ei, errno, "cannot ignore SIGPIPE");
	sys = pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (sys != 0)
		return hf_sys_fail(ei, sys, "cannot block signals");
	f = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (f < 0)
		return hf_sys_fail(ei, errno, "cannot read signals");
	*fd = f;
	return HF_OK;
}

hf_err hf_signals_next(int fd, int *sig)
{
	struct signalfd_siginfo info;
	ssize_t n;

	do
		n = read(fd, &info, sizeof(info));
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(info))
		return n < 0 ? hf_sys_err(errno) : HF_ERR_IO;
	*sig = (int)info.ssi_signo;
	return HF_OK;
}

hf_err hf_signals_wait(int fd, int *sig, unsigned timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n;

	do
		n = poll(&p, 1, timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return hf_sys_err(errno);
	return n == 0 ? HF_ERR_TIMEOUT : hf_signals_next(fd, sig);
}
