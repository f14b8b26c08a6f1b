/* SPDX-License-Identifier: Apache-2.0 */
/* The passphrase prompt, typed into a pseudo terminal. */
#include "test.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/tty.h"

struct pty {
	int master;
	int slave;
	const char *keys;
};

static void open_pty(struct pty *p)
{
	p->master = posix_openpt(O_RDWR | O_NOCTTY);
	if (p->master < 0)
		skip();
	assert_int_equal(grantpt(p->master), 0);
	assert_int_equal(unlockpt(p->master), 0);
	p->slave = open(ptsname(p->master), O_RDWR | O_NOCTTY);
	assert_true(p->slave >= 0);
}

/* Types once the prompt stands there: what came before it is flushed on purpose. */
static void *type_keys(void *arg)
{
	struct pty *p = arg;
	char prompt[64];

	(void)!read(p->master, prompt, sizeof(prompt));
	(void)!write(p->master, p->keys, strlen(p->keys));
	return NULL;
}

static hf_err ask(struct hf_buf *out, const char *keys)
{
	struct pty p = { .keys = keys };
	struct hf_errinfo ei = { 0 };
	struct termios before;
	struct termios after;
	char shown[64] = { 0 };
	pthread_t typist;
	sigset_t mask;
	hf_err e;

	open_pty(&p);
	assert_int_equal(tcgetattr(p.slave, &before), 0);
	assert_int_equal(pthread_create(&typist, NULL, type_keys, &p), 0);
	e = hf_tty_passphrase_at(out, p.slave, "Passphrase: ", &ei);
	assert_int_equal(pthread_join(typist, NULL), 0);
	assert_int_equal(tcgetattr(p.slave, &after), 0);
	assert_int_equal(before.c_lflag, after.c_lflag);
	assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
	assert_false(sigismember(&mask, SIGINT) || sigismember(&mask, SIGTERM));
	assert_int_equal(e, ei.code); /* no failure without words */
	assert_true(e == HF_OK || ei.text[0] != '\0');
	assert_true(read(p.master, shown, sizeof(shown) - 1) > 0);
	assert_null(strstr(shown, "s3"));
	(void)close(p.slave);
	(void)close(p.master);
	return e;
}

static void the_line_is_read_unseen(void **state)
{
	struct hf_buf b;

	(void)state;
	hf_buf_init(&b, &test_mem, 20);
	assert_ok(ask(&b, "wrong\x15s3cx\x7fr\xc3\xa9\x7ft\n"));
	assert_int_equal(b.len, 5);
	assert_memory_equal(b.p, "s3crt", 5);
	hf_buf_clear(&b);
}

static void giving_up_leaves_nothing(void **state)
{
	struct hf_buf b;

	(void)state;
	hf_buf_init(&b, &test_mem, 5);
	assert_err(ask(&b, "s3\x03"), HF_ERR_CLOSED);
	assert_err(ask(&b, "s3\x04"), HF_ERR_CLOSED);
	assert_err(ask(&b, "s3cret\n"), HF_ERR_LIMIT);
	assert_int_equal(b.len, 0);
	hf_buf_clear(&b);
}

static void what_is_no_terminal_is_told(void **state)
{
	struct winsize w = { .ws_col = 132 };
	struct hf_buf b;
	struct pty p;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)state;
	hf_buf_init(&b, &test_mem, 5);
	assert_false(hf_tty_is(null));
	assert_int_equal(hf_tty_width(null), 80);
	assert_err(hf_tty_passphrase_at(&b, null, "?", NULL), HF_ERR_NOT_FOUND);
	(void)close(null);
	open_pty(&p);
	assert_true(hf_tty_is(p.slave));
	assert_int_equal(ioctl(p.master, TIOCSWINSZ, &w), 0);
	assert_int_equal(hf_tty_width(p.slave), 132);
	(void)close(p.slave);
	(void)close(p.master);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_line_is_read_unseen),
		cmocka_unit_test(giving_up_leaves_nothing),
		cmocka_unit_test(what_is_no_terminal_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
