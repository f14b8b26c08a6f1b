/* SPDX-License-Identifier: Apache-2.0 */
/* What a service manager hands over and is told. */
#include "test.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/service.h"

static void hand_over(const char *pid, const char *fds, const char *names)
{
	char own[16];

	(void)snprintf(own, sizeof(own), "%d", (int)getpid());
	assert_int_equal(setenv("LISTEN_PID", pid != NULL ? pid : own, 1), 0);
	assert_int_equal(setenv("LISTEN_FDS", fds, 1), 0);
	if (names != NULL)
		assert_int_equal(setenv("LISTEN_FDNAMES", names, 1), 0);
	else
		assert_int_equal(unsetenv("LISTEN_FDNAMES"), 0);
}

static void sockets_have_names(void **state)
{
	struct hf_service_fds f;

	(void)state;
	hand_over(NULL, "3", "a:b:");
	assert_ok(hf_service_fds(&f, NULL));
	assert_int_equal(f.n, 3);
	assert_string_equal(f.name[0], "a");
	assert_string_equal(f.name[1], "b");
	assert_string_equal(f.name[2], "");
	hand_over(NULL, "2", NULL);
	assert_ok(hf_service_fds(&f, NULL));
	assert_int_equal(f.n, 2);
	assert_string_equal(f.name[1], "");
}

static void what_is_for_another_process_is_not_ours(void **state)
{
	static const char *const others[] = { "1", "", "x", "1x" };
	struct hf_service_fds f;

	(void)state;
	for (size_t i = 0; i < HF_COUNT(others); i++) {
		hand_over(others[i], "3", "a:b:c");
		assert_ok(hf_service_fds(&f, NULL));
		assert_int_equal(f.n, 0);
	}
	assert_int_equal(unsetenv("LISTEN_PID"), 0);
	assert_ok(hf_service_fds(&f, NULL));
	assert_int_equal(f.n, 0);
}

static void refuses_more_than_can_be(void **state)
{
	static const char *const wrong[] = { "65", "1000000000000000000000", "-1", "2x" };
	struct hf_service_fds f;

	(void)state;
	for (size_t i = 0; i < HF_COUNT(wrong); i++) {
		hand_over(NULL, wrong[i], NULL);
		assert_err(hf_service_fds(&f, NULL), HF_ERR_LIMIT);
		assert_int_equal(f.n, 0);
	}
}

static void who_asked_is_told(void **state)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char name[64];
	char said[200] = "";
	socklen_t len;

	(void)state;
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	hf_service_tell("READY=1"); /* to nobody */
	(void)snprintf(name, sizeof(name), "@hufu-test-%d", (int)getpid());
	memcpy(at.sun_path, name, strlen(name));
	at.sun_path[0] = '\0';
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, len), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	hf_service_tell("READY=1");
	assert_true(recv(fd, said, sizeof(said) - 1, 0) > 0);
	assert_int_equal(strncmp(said, "READY=1\nMONOTONIC_USEC=", 23), 0);
	(void)close(fd);
}

static void nobody_becomes_who_is_not_there(void **state)
{
	(void)state;
	assert_err(hf_service_become("no-such-user-here", NULL, NULL), HF_ERR_NOT_FOUND);
	assert_err(hf_service_become("root", "no-such-group-here", NULL), HF_ERR_NOT_FOUND);
	assert_err(hf_service_become("987654321", NULL, NULL), HF_ERR_ARG); /* which group? */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sockets_have_names),
		cmocka_unit_test(what_is_for_another_process_is_not_ours),
		cmocka_unit_test(refuses_more_than_can_be),
		cmocka_unit_test(who_asked_is_told),
		cmocka_unit_test(nobody_becomes_who_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
