/* SPDX-License-Identifier: Apache-2.0 */
/*
 * termios(3). The line is read key by key with the kernel's own editing off, so that Ctrl-C comes
 * as a byte and the terminal can be put back before giving up.
 */
#include "os/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/wipe.h"
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

static hf_err read_line(struct hf_buf *out, int fd, struct hf_errinfo *ei)
{
	size_t start = out->len;

	for (;;) {
		uint8_t key = 0;
		ssize_t n = read(fd, &key, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return hf_sys_fail(ei, errno, "cannot read from the terminal");
		if (n == 0 || key == KEY_CTRL_C || key == KEY_CTRL_D)
			return HF_ERR_CLOSED;
		if (key == '\n' || key == '\r')
			return HF_OK;
		if (key == KEY_BACKSPACE || key == KEY_DELETE)
			take_back(out, start);
		else if (key == KEY_CTRL_U && out->len > start)
			cut(out, start);
		else if (key >= ' ')
			HF_TRY(hf_buf_put(out, &key, 1));
	}
}

hf_err hf_tty_passphrase_at(struct hf_buf *out, int fd, const char *prompt, struct hf_errinfo *ei)
{
	struct termios before;
	struct termios quiet;
	size_t start = out->len;
	hf_err e;

	if (tcgetattr(fd, &before) != 0)
		return hf_fail_sys(ei, HF_ERR_NOT_FOUND, errno, "not a terminal");
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG | IEXTEN);
	quiet.c_cc[VMIN] = 1;
	quiet.c_cc[VTIME] = 0;
	if (tcsetattr(fd, TCSAFLUSH, &quiet) != 0)
		return hf_sys_fail(ei, errno, "cannot turn the echo off");
	(void)!write(fd, prompt, strlen(prompt));
	e = read_line(out, fd, ei);
	if (e != HF_OK && out->len > start)
		cut(out, start);
	(void)tcsetattr(fd, TCSAFLUSH, &before);
	(void)!write(fd, "\n", 1);
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
