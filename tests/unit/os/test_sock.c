/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets that never wait: addresses, ends, resets, and places that are taken. */
#include "test.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "os/file.h"
#include "os/sock.h"

enum { PATIENCE_MS = 60000 };

static void wait_for(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
}

struct pair {
	int listener;
	int near;
	int far;
};

static struct pair pair_make(struct hf_sock_addr at)
{
	struct pair p = { -1, -1, -1 };
	struct hf_sock_addr from;

	assert_ok(hf_sock_listen(&p.listener, &at, false, 8, NULL));
	assert_ok(hf_sock_name(&at, p.listener));
	assert_err(hf_sock_accept(&p.far, &from, p.listener), HF_ERR_AGAIN);
	assert_ok(hf_sock_connect(&p.near, &at, NULL));
	wait_for(p.near, POLLOUT);
	assert_ok(hf_sock_connected(p.near, NULL));
	wait_for(p.listener, POLLIN);
	assert_ok(hf_sock_accept(&p.far, &from, p.listener));
	assert_int_equal(from.addr.ss_family, at.addr.ss_family);
	return p;
}

static void pair_close(struct pair *p)
{
	hf_file_close(&p->listener);
	hf_file_close(&p->near);
	hf_file_close(&p->far);
}

static struct hf_sock_addr any_port(void)
{
	struct hf_sock_addr a;

	assert_ok(hf_sock_addr_ip(&a, "127.0.0.1", 0));
	return a;
}

static void addresses_have_a_text(void **state)
{
	static const char *const bad[] = { "", "localhost", "1.2.3", "1.2.3.4.5", "::g",
		"1.2.3.4 " };
	struct hf_sock_addr a;
	char text[HF_SOCK_TEXT];
	char path[109];

	(void)state;
	assert_ok(hf_sock_addr_ip(&a, "10.1.2.3", 80));
	hf_sock_addr_text(text, &a);
	assert_string_equal(text, "10.1.2.3:80");
	assert_ok(hf_sock_addr_ip(&a, "2001:db8::1", 65535));
	hf_sock_addr_text(text, &a);
	assert_string_equal(text, "[2001:db8::1]:65535");
	assert_ok(hf_sock_addr_unix(&a, "/run/x.sock"));
	hf_sock_addr_text(text, &a);
	assert_string_equal(text, "unix:/run/x.sock");
	for (size_t i = 0; i < HF_COUNT(bad); i++)
		assert_err(hf_sock_addr_ip(&a, bad[i], 1), HF_ERR_ARG);
	memset(path, 'x', 108);
	path[108] = '\0';
	assert_err(hf_sock_addr_unix(&a, path), HF_ERR_LIMIT);
	assert_err(hf_sock_addr_unix(&a, ""), HF_ERR_LIMIT);
	assert_ok(hf_sock_addr_unix(&a, path + 1));
}

static void an_end_is_an_end_and_the_other_direction_goes_on(void **state)
{
	struct pair p = pair_make(any_port());
	uint8_t in[8];
	size_t n = 0;

	(void)state;
	assert_err(hf_sock_read(p.far, in, sizeof(in), &n, NULL), HF_ERR_AGAIN);
	assert_ok(hf_sock_write(p.near, (const uint8_t *)"abc", 3, &n, NULL));
	assert_int_equal(n, 3);
	hf_sock_shut(p.near);
	wait_for(p.far, POLLIN);
	assert_ok(hf_sock_read(p.far, in, sizeof(in), &n, NULL));
	assert_int_equal(n, 3);
	wait_for(p.far, POLLIN);
	assert_err(hf_sock_read(p.far, in, sizeof(in), &n, NULL), HF_ERR_CLOSED);
	assert_ok(hf_sock_write(p.far, (const uint8_t *)"d", 1, &n, NULL));
	wait_for(p.near, POLLIN);
	assert_ok(hf_sock_read(p.near, in, sizeof(in), &n, NULL));
	assert_int_equal(n, 1);
	pair_close(&p);
}

static void a_reset_is_no_end(void **state)
{
	struct pair p = pair_make(any_port());
	uint8_t in[8];
	size_t n = 0;
	int sys = 0;

	(void)state;
	hf_sock_reset(&p.far);
	assert_int_equal(p.far, -1);
	hf_sock_reset(&p.far); /* twice is once */
	wait_for(p.near, POLLIN);
	assert_err(hf_sock_read(p.near, in, sizeof(in), &n, &sys), HF_ERR_NET);
	assert_int_equal(sys, ECONNRESET);
	pair_close(&p);
}

static void a_full_socket_says_so(void **state)
{
	static uint8_t bytes[65536];
	struct pair p = pair_make(any_port());
	size_t n = 0;
	hf_err e;

	(void)state;
	do
		e = hf_sock_write(p.near, bytes, sizeof(bytes), &n, NULL);
	while (e == HF_OK);
	assert_err(e, HF_ERR_AGAIN);
	assert_int_equal(n, 0);
	pair_close(&p);
}

static void a_place_that_is_taken_is_told(void **state)
{
	struct pair p = pair_make(any_port());
	struct hf_errinfo ei = { 0 };
	struct hf_sock_addr at;
	int fd = -1;

	(void)state;
	assert_ok(hf_sock_name(&at, p.listener));
	assert_err(hf_sock_listen(&fd, &at, false, 1, &ei), HF_ERR_EXISTS);
	assert_non_null(strstr(ei.text, "127.0.0.1:"));
	assert_err(hf_sock_listen(&fd, &at, true, 1, NULL),
		HF_ERR_EXISTS); /* who shares must both want */
	assert_int_equal(fd, -1);
	pair_close(&p);
}

static void those_who_share_a_place_all_listen(void **state)
{
	struct hf_sock_addr at = any_port();
	int a = -1;
	int b = -1;

	(void)state;
	assert_ok(hf_sock_listen(&a, &at, true, 1, NULL));
	assert_ok(hf_sock_name(&at, a));
	assert_ok(hf_sock_listen(&b, &at, true, 1, NULL));
	hf_file_close(&a);
	hf_file_close(&b);
}

static void nobody_there_is_told(void **state)
{
	struct pair p = pair_make(any_port());
	struct hf_sock_addr at;
	int fd = -1;
	hf_err e;

	(void)state;
	assert_ok(hf_sock_name(&at, p.listener));
	pair_close(&p);
	e = hf_sock_connect(&fd, &at, NULL);
	if (e == HF_OK) {
		wait_for(fd, POLLOUT);
		e = hf_sock_connected(fd, NULL);
		hf_file_close(&fd);
	}
	assert_err(e, HF_ERR_NET);
}

static void only_what_listens_is_adopted(void **state)
{
	struct pair p = pair_make(any_port());
	int pipes[2];
	int twin = -1;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	assert_ok(hf_sock_adopt(p.listener, NULL));
	assert_ok(hf_sock_dup(&twin, p.listener, NULL));
	assert_ok(hf_sock_adopt(twin, NULL));
	assert_err(hf_sock_adopt(p.near, NULL), HF_ERR_ARG);
	assert_err(hf_sock_adopt(pipes[0], NULL), HF_ERR_ARG);
	assert_err(hf_sock_adopt(-1, NULL), HF_ERR_ARG);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
	hf_file_close(&twin);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_have_a_text),
		cmocka_unit_test(an_end_is_an_end_and_the_other_direction_goes_on),
		cmocka_unit_test(a_reset_is_no_end),
		cmocka_unit_test(a_full_socket_says_so),
		cmocka_unit_test(a_place_that_is_taken_is_told),
		cmocka_unit_test(those_who_share_a_place_all_listen),
		cmocka_unit_test(nobody_there_is_told),
		cmocka_unit_test(only_what_listens_is_adopted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
