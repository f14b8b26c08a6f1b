/* SPDX-License-Identifier: Apache-2.0 */
/* Messages over unix sockets: cut anywhere, too long, with too many descriptors. */
#include "test.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/unixsock.h"
#include "tmp.h"

struct link {
	int end[2];
	struct hf_buf in;
	int fds[HF_MSG_FDS_MAX];
	size_t n_fds;
};

static void open_link(struct link *l, size_t max)
{
	memset(l, 0, sizeof(*l));
	assert_ok(hf_unixsock_pair(l->end, NULL));
	hf_buf_init(&l->in, &test_mem, max);
}

static void close_link(struct link *l)
{
	(void)close(l->end[0]);
	(void)close(l->end[1]);
	hf_buf_clear(&l->in);
}

static hf_err receive(struct link *l, size_t cap)
{
	return hf_msg_receive(l->end[1], &l->in, l->fds, cap, &l->n_fds, NULL);
}

static int next_fd(void)
{
	int fd = dup(0);

	(void)close(fd);
	return fd;
}

static void a_message_cut_at_every_byte_is_refused(void **state)
{
	const uint8_t bytes[] = { 0, 0, 0, 5, 'h', 'e', 'l', 'l', 'o' };

	(void)state;
	for (size_t len = 0; len < sizeof(bytes); len++) {
		struct link l;

		open_link(&l, 100);
		assert_int_equal(write(l.end[0], bytes, len), len);
		(void)shutdown(l.end[0], SHUT_WR);
		assert_err(receive(&l, 0), len == 0 ? HF_ERR_CLOSED : HF_ERR_TRUNCATED);
		assert_int_equal(l.in.len, 0);
		close_link(&l);
	}
}

static void a_message_longer_than_allowed_is_refused(void **state)
{
	struct link l;

	(void)state;
	open_link(&l, 4);
	assert_ok(hf_msg_send(l.end[0], "1234", 4, NULL, 0, NULL));
	assert_ok(hf_msg_send(l.end[0], "12345", 5, NULL, 0, NULL));
	assert_ok(receive(&l, 0));
	hf_buf_reset(&l.in);
	assert_err(receive(&l, 0), HF_ERR_LIMIT);
	assert_int_equal(l.in.len, 0);
	close_link(&l);
}

static void descriptors_travel_and_surplus_ones_are_closed(void **state)
{
	const int out[3] = { 0, 0, 0 };
	struct link l;
	int before;

	(void)state;
	open_link(&l, 100);
	before = next_fd();
	assert_ok(hf_msg_send(l.end[0], "ab", 2, out, 3, NULL));
	assert_ok(hf_msg_send(l.end[0], "", 0, out, 3, NULL));
	assert_ok(hf_msg_send(l.end[0], "cd", 2, NULL, 0, NULL));
	assert_err(receive(&l, 2), HF_ERR_LIMIT);
	assert_int_equal(next_fd(), before);
	assert_ok(receive(&l, 3));
	assert_int_equal(l.n_fds, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_true((fcntl(l.fds[i], F_GETFD) & FD_CLOEXEC) != 0);
		(void)close(l.fds[i]);
	}
	assert_ok(receive(&l, 3));
	assert_int_equal(l.n_fds, 0);
	assert_int_equal(l.in.len, 2);
	close_link(&l);
}

static void a_peer_that_has_gone_is_an_error_not_a_signal(void **state)
{
	struct link l;

	(void)state;
	open_link(&l, 100);
	(void)close(l.end[1]);
	assert_err(hf_msg_send(l.end[0], "ab", 2, NULL, 0, NULL), HF_ERR_CLOSED);
	l.end[1] = -1;
	close_link(&l);
}

static void a_silent_peer_runs_into_the_timeout(void **state)
{
	static const uint8_t big[4 << 20];
	struct link l;

	(void)state;
	open_link(&l, 100);
	assert_ok(hf_unixsock_timeout(l.end[1], 10));
	assert_err(receive(&l, 0), HF_ERR_AGAIN);
	assert_ok(hf_unixsock_timeout(l.end[0], 10));
	assert_err(hf_msg_send(l.end[0], big, sizeof(big), NULL, 0, NULL), HF_ERR_AGAIN);
	close_link(&l);
}

static void listens_once_with_the_mode_and_tells_the_peer(void **state)
{
	char dir[TEST_PATH_MAX];
	struct hf_unixsock_peer peer = { 0 };
	struct stat st;
	int l = -1;
	int other = -1;
	int c = -1;
	int s = -1;

	(void)state;
	test_tmp_make(dir);
	assert_err(hf_unixsock_connect(&c, test_path(dir, "s"), NULL), HF_ERR_NOT_FOUND);
	assert_ok(hf_unixsock_listen(&l, test_path(dir, "s"), 0666, 4, NULL));
	assert_int_equal(stat(test_path(dir, "s"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0666);
	assert_err(hf_unixsock_listen(&other, test_path(dir, "s"), 0666, 4, NULL), HF_ERR_EXISTS);
	assert_ok(hf_unixsock_connect(&c, test_path(dir, "s"), NULL));
	assert_ok(hf_unixsock_accept(&s, l, NULL)); /* the probe of the second listener */
	(void)close(s);
	assert_ok(hf_unixsock_accept(&s, l, NULL));
	assert_ok(hf_unixsock_peer(&peer, s, NULL));
	assert_int_equal(peer.uid, getuid());
	assert_int_equal(peer.pid, getpid());
	(void)close(c);
	(void)close(s);
	(void)close(l);
	assert_err(hf_unixsock_connect(&c, test_path(dir, "s"), NULL), HF_ERR_NET);
	assert_ok(hf_unixsock_listen(&l, test_path(dir, "s"), 0600, 4, NULL)); /* stale: replaced */
	(void)close(l);
	test_file_put(test_path(dir, "f"), "x", 1);
	assert_err(hf_unixsock_listen(&l, test_path(dir, "f"), 0600, 4, NULL), HF_ERR_EXISTS);
	test_tmp_delete(dir);
}

static void a_path_too_long_for_a_socket_is_refused(void **state)
{
	char path[120];
	int fd = -1;

	(void)state;
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[108] = '\0';
	assert_err(hf_unixsock_listen(&fd, path, 0600, 1, NULL), HF_ERR_LIMIT);
	assert_err(hf_unixsock_connect(&fd, path, NULL), HF_ERR_LIMIT);
	assert_err(hf_unixsock_connect(&fd, "", NULL), HF_ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_cut_at_every_byte_is_refused),
		cmocka_unit_test(a_message_longer_than_allowed_is_refused),
		cmocka_unit_test(descriptors_travel_and_surplus_ones_are_closed),
		cmocka_unit_test(a_peer_that_has_gone_is_an_error_not_a_signal),
		cmocka_unit_test(a_silent_peer_runs_into_the_timeout),
		cmocka_unit_test(listens_once_with_the_mode_and_tells_the_peer),
		cmocka_unit_test(a_path_too_long_for_a_socket_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
