/* SPDX-License-Identifier: Apache-2.0 */
/* A fetch by plain HTTP: what comes, what does not, and one that is given up at every moment. */
#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>

#include "net/fetch.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/sock.h"

enum { BODY_MAX = 1000, PATIENCE_MS = 60000 };

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

static struct hf_loop *loop;
static int listener = -1;
static int peer = -1;
static uint16_t port;
static uint64_t end_ms;

static struct {
	unsigned n;
	hf_err e;
	size_t len;
	char body[BODY_MAX];
	char text[HF_ERRINFO_TEXT];
} done;

static int begin(void **state)
{
	struct hf_sock_addr at;

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	memset(&done, 0, sizeof(done));
	end_ms = hf_clock_mono_ms() + PATIENCE_MS;
	assert_ok(hf_loop_new(&loop, &test_mem, NULL));
	assert_ok(hf_sock_addr_ip(&at, "127.0.0.1", 0));
	assert_ok(hf_sock_listen(&listener, &at, false, 16, NULL));
	assert_ok(hf_sock_name(&at, listener));
	port = ntohs(((struct sockaddr_in *)&at.addr)->sin_port);
	return 0;
}

static int end(void **state)
{
	(void)state;
	hf_loop_free(loop);
	hf_file_close(&listener);
	hf_file_close(&peer);
	return 0;
}

static void on_done(
	void *ctx, hf_err e, const uint8_t *body, size_t body_len, const struct hf_errinfo *why)
{
	assert_ptr_equal(ctx, &done);
	done.n++;
	done.e = e;
	done.len = body_len;
	if (body_len > 0)
		memcpy(done.body, body, body_len);
	memcpy(done.text, why->text, sizeof(done.text));
}

static struct hf_fetch *fetch(const char *host, uint32_t timeout_ms)
{
	struct hf_fetch_config config = { .loop = loop,
		.mem = &test_mem,
		.url = { .port = port, .path = "/list" },
		.accept = "x/y",
		.body_max = BODY_MAX,
		.timeout_ms = timeout_ms,
		.on_done = on_done,
		.ctx = &done };
	struct hf_fetch *f = NULL;

	memcpy(config.url.host, host, strlen(host));
	assert_ok(hf_fetch_begin(&f, &config, NULL));
	assert_int_equal(done.n, 0);
	return f;
}

/* The other end, a little: accepts, reads, and after the request sends what it has. */
static void serve(const char *text, bool is_last)
{
	struct hf_sock_addr from;
	uint8_t in[2048];
	size_t n = 0;

	if (peer < 0 && hf_sock_accept(&peer, &from, listener) != HF_OK)
		return;
	if (hf_sock_read(peer, in, sizeof(in), &n, NULL) != HF_OK || n == 0)
		return;
	assert_memory_equal(in, "GET /list HTTP/1.1\r\n", 20);
	if (text[0] != '\0')
		assert_ok(hf_sock_write(peer, (const uint8_t *)text, strlen(text), &n, NULL));
	if (is_last)
		hf_file_close(&peer);
}

static bool is_waiting(void)
{
	return done.n == 0 && hf_clock_mono_ms() < end_ms;
}

static void run(const char *text, bool is_last)
{
	while (is_waiting()) {
		serve(text, is_last);
		(void)uv_run(hf_loop_uv(loop), UV_RUN_NOWAIT);
	}
	for (unsigned i = 0; i < 5; i++) /* nothing is told twice */
		(void)uv_run(hf_loop_uv(loop), UV_RUN_NOWAIT);
	assert_int_equal(done.n, 1);
}

static void a_whole_answer_is_given(void **state)
{
	(void)state;
	(void)fetch("127.0.0.1", UINT32_MAX);
	run(answer, false);
	assert_ok(done.e);
	assert_int_equal(done.len, 5);
	assert_memory_equal(done.body, "hello", 5);
}

static void a_name_is_looked_up(void **state)
{
	(void)state;
	(void)fetch("localhost", UINT32_MAX);
	while (is_waiting()) {
		serve(answer, false);
		(void)uv_run(hf_loop_uv(loop), peer < 0 ? UV_RUN_ONCE : UV_RUN_NOWAIT);
	}
	assert_int_equal(done.n, 1);
	assert_ok(done.e);
}

static void a_cut_answer_is_told(void **state)
{
	(void)state;
	(void)fetch("127.0.0.1", UINT32_MAX);
	run("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", true);
	assert_err(done.e, HF_ERR_TRUNCATED);
	assert_int_equal(done.len, 0);
	assert_non_null(strstr(done.text, "too early"));
}

static void nobody_there_is_told(void **state)
{
	(void)state;
	hf_file_close(&listener);
	(void)fetch("127.0.0.1", UINT32_MAX);
	hf_loop_run(loop); /* until it is over */
	assert_int_equal(done.n, 1);
	assert_err(done.e, HF_ERR_NET);
	assert_int_not_equal(done.text[0], 0);
}

static void silence_is_ended_by_the_clock(void **state)
{
	(void)state;
	(void)fetch("127.0.0.1", 1);
	hf_loop_run(loop);
	assert_int_equal(done.n, 1);
	assert_err(done.e, HF_ERR_TIMEOUT);
}

static void one_that_is_given_up_says_nothing(void **state)
{
	(void)state;
	for (unsigned steps = 0; steps < 6; steps++) {
		struct hf_fetch *f = fetch(steps % 2 == 0 ? "127.0.0.1" : "localhost", UINT32_MAX);

		for (unsigned i = 0; done.n == 0 && i < steps; i++) {
			serve("HTTP/1.1 200 OK\r\n", false);
			(void)uv_run(hf_loop_uv(loop), UV_RUN_NOWAIT);
		}
		assert_int_equal(done.n, 0);
		hf_fetch_cancel(f);
		hf_loop_run(loop);
		assert_int_equal(done.n, 0);
		hf_file_close(&peer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_whole_answer_is_given, begin, end),
		cmocka_unit_test_setup_teardown(a_name_is_looked_up, begin, end),
		cmocka_unit_test_setup_teardown(a_cut_answer_is_told, begin, end),
		cmocka_unit_test_setup_teardown(nobody_there_is_told, begin, end),
		cmocka_unit_test_setup_teardown(silence_is_ended_by_the_clock, begin, end),
		cmocka_unit_test_setup_teardown(one_that_is_given_up_says_nothing, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
