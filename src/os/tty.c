/* SPDX-License-Identifier: Apache-2.0 */
/*
 * termios(3). The line is read key by key with the kernel's own editing off, so that Ctrl-C comes
 * as a byte and the terminal can be put back before giving up. Signals that would end the process
 * are read meanwhile, too, for the same reason.
 */
#include "os/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/wipe.h"
#include "os/file.h"
#include "os/sys.h"

enum {
	TTY_WIDTH_DEFAULT = 80,
	KEY_CTRL_C = 0x03,
	KEY_CTRL_D = 0x04,
	KEY_BACKSPACE = 0x08,
	KEY_CTRL_U = 0x15,
	KEY_DELETE = 0x7f,
};

bool hf_tty_is(int fd)
{
	return isatty(fd) == 1;
}

unsigned hf_tty_width(int fd)
{
	struct winsize w = { 0 };

	if (ioctl(fd, TIOCGWINSZ, &w) != 0 || w.ws_col == 0)
		return TTY_WIDTH_DEFAULT;
	return w.ws_col;
}

static void cut(struct hf_buf *out, size_t len)
{
	hf_wipe(out->p + len, out->len - len);
	out->len = len;
}

/* Takes back the last character, all bytes of it (UTF-8: continuation bytes are 10xxxxxx). */
static void take_back(struct hf_buf *out, size_t start)
{
	size_t len = out->len;

	while (len > start + 1 && (out->p[len - 1] & 0xc0) == 0x80)
		len--;
	if (len > start)
		cut(out, len - 1);
}

/* Signals that end a process become readable at *fd; those that are ignored stay so. */
static hf_err hold_signals(sigset_t *before, int *fd, struct hf_errinfo *ei)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction is;
	sigset_t set;
	int sys;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < HF_COUNT(sigs); i++)
		if (sigaction(sigs[i], NULL, &is) == 0 && is.sa_handler != SIG_IGN)
			(void)sigaddset(&set, sigs[i]);
	*fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (*fd < 0)
		return hf_sys_fail(ei, errno, "cannot read signals");
	sys = pthread_sigmask(SIG_BLOCK, &set, before);
	if (sys == 0)
		return HF_OK;
	hf_file_close(fd);
	return hf_sys_fail(ei, sys, "cannot block signals");
}

static hf_err give_up(struct hf_errinfo *ei)
{
	return hf_fail(ei, HF_ERR_CLOSED, "stopped at the question for the passphrase");
}

/* A signal that came is taken: it has done what it was sent for. */
static hf_err signalled(int signal_fd, struct hf_errinfo *ei)
{
	struct signalfd_siginfo info;

	(void)!read(signal_fd, &info, sizeof(info));
	return give_up(ei);
}

static hf_err read_line(struct hf_buf *out, int fd, int signal_fd, struct hf_errinfo *ei)
{
	size_t start = out->len;

	for (;;) {
		uint8_t key = 0;
		ssize_t n;

		if (hf_file_await(fd, signal_fd) == HF_ERR_AGAIN)
			return signalled(signal_fd, ei);
		n = read(fd, &key, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return hf_sys_fail(ei, errno, "cannot read from the terminal");
		if (n == 0 || key == KEY_CTRL_C || key == KEY_CTRL_D)
			return give_up(ei);
		if (key == '\n' || key == '\r')
			return HF_OK;
		if (key == KEY_BACKSPACE || key == KEY_DELETE)
			take_back(out, start);
		else if (key == KEY_CTRL_U && out->len > start)
			cut(out, start);
		else if (key >= ' ' && hf_buf_put(out, &key, 1) != HF_OK)
			return hf_fail(ei, HF_ERR_LIMIT, "the passphrase is too long");
	}
}

hf_err hf_tty_passphrase_at(struct hf_buf *out, int fd, const char *prompt, struct hf_errinfo *ei)
{
	struct termios before;
	struct termios quiet;
	size_t start = out->len;
	sigset_t mask;
	int signal_fd = -1;
	hf_err e;

	if (tcgetattr(fd, &before) != 0)
		return hf_fail_sys(ei, HF_ERR_NOT_FOUND, errno, "not a terminal");
	HF_TRY(hold_signals(&mask, &signal_fd, ei));
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG | IEXTEN);
	quiet.c_cc[VMIN] = 1;
	quiet.c_cc[VTIME] = 0;
	if (tcsetattr(fd, TCSAFLUSH, &quiet) != 0) {
		e = hf_sys_fail(ei, errno, "cannot turn the echo off");
		goto out;
	}
	(void)!write(fd, prompt, strlen(prompt));
	e = read_line(out, fd, signal_fd, ei);
	if (e != HF_OK && out->len > start)
		cut(out, start);
	(void)tcsetattr(fd, TCSAFLUSH, &before);
	(void)!write(fd, "\n", 1);
out:
	hf_file_close(&signal_fd);
	(void)pthread_sigmask(SIG_SETMASK, &mask, NULL);
	return e;
}

hf_err hf_tty_passphrase(struct hf_buf *out, const char *prompt, struct hf_errinfo *ei)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	hf_err e;

	if (fd < 0)
		return hf_fail_sys(ei, HF_ERR_NOT_FOUND, errno, "no terminal to ask on");
	e = hf_tty_passphrase_at(out, fd, prompt, ei);
	(void)close(fd);
	return e;
}
