/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to a node that is a thread of this test and answers what it is told to. */
#include "test.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/unixsock.h"
#include "svc/local.h"
#include "svc/local_client.h"
#include "tmp.h"

enum { ANSWERS_MAX = 4 };

struct node {
	char dir[TEST_PATH_MAX];
	int listener;
	pthread_t thread;
	const char *answers[ANSWERS_MAX];
	size_t n_answers;
	const uint8_t *raw; /* bytes instead of answers, with their length prefix or without */
	size_t raw_len;
	char question[256];
};

static void *serve(void *ctx)
{
	struct node *n = ctx;
	struct hf_buf in;
	size_t n_fds = 0;
	int fd = -1;

	hf_buf_init(&in, &test_mem, sizeof(n->question) - 1);
	if (hf_unixsock_accept(&fd, n->listener, NULL) != HF_OK)
		return NULL;
	if (hf_msg_receive(fd, &in, NULL, 0, &n_fds, NULL) == HF_OK && in.len > 0)
		memcpy(n->question, in.p, in.len);
	if (n->raw_len > 0)
		(void)!write(fd, n->raw, n->raw_len);
	for (size_t i = 0; i < n->n_answers; i++)
		(void)!hf_msg_send(fd, n->answers[i], strlen(n->answers[i]), NULL, 0, NULL);
	(void)close(fd);
	hf_buf_clear(&in);
	return NULL;
}

static void node_start(struct node *n)
{
	test_tmp_make(n->dir);
	assert_ok(
		hf_unixsock_listen(&n->listener, test_path(n->dir, HF_LOCAL_FRONT), 0600, 4, NULL));
	assert_int_equal(pthread_create(&n->thread, NULL, serve, n), 0);
}

static void node_stop(struct node *n)
{
	(void)shutdown(n->listener, SHUT_RDWR); /* accept ends, if nobody came */
	assert_int_equal(pthread_join(n->thread, NULL), 0);
	(void)close(n->listener);
	test_tmp_delete(n->dir);
}

struct seen {
	unsigned n;
	struct hf_local_progress last;
};

static void on_progress(void *ctx, const struct hf_local_progress *p)
{
	struct seen *s = ctx;

	s->n++;
	s->last = *p;
}

/* Asks a node that gives these answers; text gets the answer. */
static hf_err ask(
	struct node *n, const struct hf_local_question *q, char text[128], struct hf_errinfo *ei)
{
	struct hf_buf answer;
	hf_err e;

	node_start(n);
	hf_buf_init(&answer, &test_mem, 127);
	e = hf_local_ask(&answer, &test_mem, n->dir, q, ei);
	if (answer.len > 0)
		memcpy(text, answer.p, answer.len);
	text[answer.len] = '\0';
	hf_buf_clear(&answer);
	node_stop(n);
	return e;
}

static hf_err ask_one(const char *reply, struct hf_errinfo *ei)
{
	struct hf_local_question q = { .what = "status" };
	struct node n = { .answers = { reply }, .n_answers = 1 };
	char text[128];
	hf_err e = ask(&n, &q, text, ei);

	assert_string_equal(n.question, "{\"do\":\"status\"}");
	if (e != HF_OK)
		assert_string_equal(text, "");
	return e;
}

static void a_status_comes_back_as_it_was_written(void **state)
{
	struct hf_local_question q = { .what = "status" };
	struct node n = { .answers = { "{ \"status\" : {\"id\":\"dev-1\",\"x\":[{}, 1.5]} }" },
		.n_answers = 1 };
	struct hf_errinfo ei = { .code = HF_OK };
	char text[128];

	(void)state;
	assert_ok(ask(&n, &q, text, &ei));
	assert_string_equal(text, "{\"id\":\"dev-1\",\"x\":[{}, 1.5]}");
}

static void a_pull_shows_its_progress_and_then_its_end(void **state)
{
	struct seen seen = { .n = 0 };
	struct hf_local_question q = { .what = "pull",
		.lineage = "dig\"its",
		.wait = true,
		.on_progress = on_progress,
		.ctx = &seen };
	struct node n = { .answers = { "{\"progress\":{\"step\":\"manifest\",\"new\":{\"a\":[]},"
				       "\"eta_ms\":null,\"text\":null}}",
				  "{\"progress\":{\"step\":\"fetching\",\"release\":7,"
				  "\"chunks\":100,\"chunks_done\":9,\"bytes\":1000,"
				  "\"bytes_done\":90,\"bytes_twice\":1,\"rate\":50,"
				  "\"eta_ms\":18200,\"text\":\"no source\"}}",
				  "{\"done\":{\"release\":7}}" },
		.n_answers = 3 };
	struct hf_errinfo ei = { .code = HF_OK };
	char text[128];

	(void)state;
	assert_ok(ask(&n, &q, text, &ei));
	assert_string_equal(
		n.question, "{\"do\":\"pull\",\"lineage\":\"dig\\\"its\",\"wait\":true}");
	assert_string_equal(text, "{\"release\":7}");
	assert_int_equal(seen.n, 2);
	assert_string_equal(seen.last.step, "fetching");
	assert_int_equal(seen.last.release, 7);
	assert_int_equal(seen.last.chunks, 100);
	assert_int_equal(seen.last.chunks_done, 9);
	assert_int_equal(seen.last.bytes, 1000);
	assert_int_equal(seen.last.bytes_done, 90);
	assert_int_equal(seen.last.bytes_twice, 1);
	assert_int_equal(seen.last.rate, 50);
	assert_int_equal(seen.last.eta_ms, 18200);
	assert_string_equal(seen.last.why, "no source");
}

static void the_end_of_a_pull_is_read_like_its_progress(void **state)
{
	static const char *const wrong[] = { "", "{", "[]", "{}{}", "{\"release\":\"1\"}",
		"{\"bytes\":1.5}", "{\"step\":\"\\u0000\"}" };
	struct hf_local_progress p = { .release = 77 };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(wrong); i++) {
		assert_int_not_equal(
			hf_local_progress_parse(&p, hf_bytes_str(wrong[i]), NULL), HF_OK);
		assert_int_equal(p.release, 77);
	}
	assert_ok(hf_local_progress_parse(
		&p, hf_bytes_str("{\"name\":\"digits\",\"step\":\"active\",\"release\":7}"), NULL));
	assert_int_equal(p.release, 7);
	assert_string_equal(p.step, "active");
	assert_ok(hf_local_progress_parse(&p, hf_bytes_str("{}"), NULL));
	assert_int_equal(p.release, 0);
}

static void a_failure_has_the_code_and_the_words_of_the_node(void **state)
{
	struct hf_errinfo ei = { .code = HF_OK };

	(void)state;
	assert_err(
		ask_one("{\"error\":\"rollback\",\"code\":1027,\"text\":\"release 3 is below the "
			"floor 5\"}",
			&ei),
		HF_ERR_ROLLBACK);
	assert_string_equal(ei.text, "release 3 is below the floor 5");
	ei = (struct hf_errinfo){ .code = HF_OK };
	assert_err(
		ask_one("{\"error\":\"new\",\"code\":65535,\"text\":\"words\"}", &ei), HF_ERR_NET);
	assert_string_equal(ei.text, "words");
}

static void refuses_what_is_no_answer(void **state)
{
	static const char *const wrong[] = { "", "{", "[]", "{}", "{\"done\":1}", "{\"done\":{}",
		"{\"done\":{}} x", "{\"done\":{},\"status\":{}}{", "{\"ok\":{}}",
		"{\"error\":\"x\",\"done\":{}}", "{\"progress\":{},\"done\":{}}",
		"{\"progress\":{\"release\":\"7\"}}", "{\"progress\":{\"release\":-7}}",
		"{\"progress\":{\"step\":\"a name that is longer than any step of ours is\"}}" };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(wrong); i++) {
		struct hf_errinfo ei = { .code = HF_OK };
		hf_err e = ask_one(wrong[i], &ei);

		assert_true(e == HF_ERR_FORMAT || e == HF_ERR_TRUNCATED || e == HF_ERR_LIMIT);
		assert_int_equal(ei.code, e);
		assert_non_null(strstr(ei.text, "no node of this version"));
	}
}

static void a_node_that_goes_away_is_told(void **state)
{
	static const uint8_t cut[] = { 0, 0, 0, 20, '{', '"' };
	struct hf_local_question q = { .what = "push" };
	struct hf_errinfo ei = { .code = HF_OK };
	struct node n = { .n_answers = 0 };
	char text[128];

	(void)state;
	assert_err(ask(&n, &q, text, &ei), HF_ERR_CLOSED);
	assert_non_null(strstr(ei.text, "ended before"));
	n = (struct node){ .raw = cut, .raw_len = sizeof(cut) };
	assert_err(ask(&n, &q, text, NULL), HF_ERR_CLOSED);
	n = (struct node){ .answers = { "{\"progress\":{}}" }, .n_answers = 1 };
	assert_err(ask(&n, &q, text, NULL), HF_ERR_CLOSED);
}

static void an_answer_that_is_too_long_is_refused(void **state)
{
	static const uint8_t head[] = { 0, 0x10, 0, 1 };
	struct hf_local_question q = { .what = "status" };
	struct node n = { .raw = head, .raw_len = sizeof(head) };
	struct hf_errinfo ei = { .code = HF_OK };
	char text[128];

	(void)state;
	assert_err(ask(&n, &q, text, &ei), HF_ERR_LIMIT);
	/* Longer than the caller's room, too. */
	n = (struct node){ .answers = { "{\"status\":{\"a\":\"0123456789012345678901234567890123456"
					"78901234567890123456789012345678901234567890123456789"
					"01234567890123456789012345678901234567890\"}}" },
		.n_answers = 1 };
	assert_err(ask(&n, &q, text, NULL), HF_ERR_LIMIT);
}

static void a_node_that_does_not_run_is_named(void **state)
{
	struct hf_local_question q = { .what = "status" };
	struct hf_errinfo ei = { .code = HF_OK };
	char dir[TEST_PATH_MAX];
	struct hf_buf answer;
	int listener = -1;

	(void)state;
	hf_buf_init(&answer, &test_mem, 100);
	test_tmp_make(dir);
	assert_err(hf_local_ask(&answer, &test_mem, test_path(dir, "none"), &q, &ei),
		HF_ERR_NOT_FOUND);
	assert_non_null(strstr(ei.text, "no such folder"));
	ei = (struct hf_errinfo){ .code = HF_OK };
	assert_err(hf_local_ask(&answer, &test_mem, dir, &q, &ei), HF_ERR_NET);
	assert_non_null(strstr(ei.text, "/front.sock: nobody listens"));
	assert_non_null(strstr(ei.text, "start hufud"));
	/* The socket of a node that died. */
	assert_ok(hf_unixsock_listen(&listener, test_path(dir, HF_LOCAL_FRONT), 0600, 4, NULL));
	(void)close(listener);
	ei = (struct hf_errinfo){ .code = HF_OK };
	assert_err(hf_local_ask(&answer, &test_mem, dir, &q, &ei), HF_ERR_NET);
	assert_non_null(strstr(ei.text, "nobody listens"));
	assert_int_equal(answer.len, 0);
	test_tmp_delete(dir);
}

static int stranger(void *ctx)
{
	const char *dir = ctx;
	struct hf_errinfo ei = { .code = HF_OK };
	int fd = -1;

	if (!test_drop_root())
		return 77;
	if (hf_local_connect(&fd, dir, HF_LOCAL_KEYD, &ei) != HF_ERR_PERMISSION)
		return 1;
	return strstr(ei.text, "keyd.sock: this user may not") == NULL;
}

static void a_user_who_may_not_is_told_so(void **state)
{
	char dir[TEST_PATH_MAX];
	int listener = -1;
	int rc;

	(void)state;
	test_tmp_make(dir);
	assert_ok(hf_unixsock_listen(&listener, test_path(dir, HF_LOCAL_KEYD), 0600, 4, NULL));
	rc = test_child(stranger, dir);
	if (rc != 77)
		assert_int_equal(rc, 0);
	(void)close(listener);
	test_tmp_delete(dir);
}

static void the_data_folder_comes_from_the_caller_or_the_environment(void **state)
{
	(void)state;
	assert_int_equal(unsetenv("HUFU_NODE"), 0);
	assert_string_equal(hf_local_dir(NULL), "/var/lib/hufu");
	assert_int_equal(setenv("HUFU_NODE", "", 1), 0);
	assert_string_equal(hf_local_dir(NULL), "/var/lib/hufu");
	assert_int_equal(setenv("HUFU_NODE", "/srv/node", 1), 0);
	assert_string_equal(hf_local_dir(NULL), "/srv/node");
	assert_string_equal(hf_local_dir("/other"), "/other");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_status_comes_back_as_it_was_written),
		cmocka_unit_test(a_pull_shows_its_progress_and_then_its_end),
		cmocka_unit_test(the_end_of_a_pull_is_read_like_its_progress),
		cmocka_unit_test(a_failure_has_the_code_and_the_words_of_the_node),
		cmocka_unit_test(refuses_what_is_no_answer),
		cmocka_unit_test(a_node_that_goes_away_is_told),
		cmocka_unit_test(an_answer_that_is_too_long_is_refused),
		cmocka_unit_test(a_node_that_does_not_run_is_named),
		cmocka_unit_test(a_user_who_may_not_is_told_so),
		cmocka_unit_test(the_data_folder_comes_from_the_caller_or_the_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
