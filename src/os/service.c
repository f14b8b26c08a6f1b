/* SPDX-License-Identifier: Apache-2.0 */
/* The environment that a service manager gives, and users. */
#include "os/service.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "os/sys.h"

/* Only the first thread is there, or the environment does not change: as the header says. */
static const char *variable(const char *name)
{
	return getenv(name); /* NOLINT(concurrency-mt-unsafe) */
}

static void take_names(struct hf_service_fds *out, const char *names)
{
	for (size_t i = 0; i < out->n; i++) {
		size_t len = names == NULL ? 0 : strcspn(names, ":");

		if (len >= HF_SERVICE_NAME)
			len = HF_SERVICE_NAME - 1;
		if (len > 0)
			memcpy(out->name[i], names, len);
		out->name[i][len] = '\0';
		if (names != NULL)
			names += strcspn(names, ":") + (strchr(names, ':') != NULL);
	}
}

hf_err hf_service_fds(struct hf_service_fds *out, struct hf_errinfo *ei)
{
	const char *pid = variable("LISTEN_PID");
	const char *fds = variable("LISTEN_FDS");
	char *end = NULL;
	unsigned long n;

	*out = (struct hf_service_fds){ 0 };
	if (pid == NULL || fds == NULL || strtoul(pid, &end, 10) != (unsigned long)getpid() ||
		*end != '\0')
		return HF_OK;
	n = strtoul(fds, &end, 10);
	if (*end != '\0' || n > HF_SERVICE_FDS_MAX)
		return hf_fail(ei, HF_ERR_LIMIT,
			"LISTEN_FDS=%.32s: at most %d sockets can be "
			"handed over",
			fds, HF_SERVICE_FDS_MAX);
	out->n = n;
	take_names(out, variable("LISTEN_FDNAMES"));
	return HF_OK;
}

void hf_service_tell(const char *state)
{
	const char *path = variable("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	char text[160];
	struct timespec now;
	socklen_t len;
	int n;
	int fd;

	if (path == NULL || path[0] == '\0' || strlen(path) >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, strlen(path));
	if (path[0] == '@') /* an abstract name */
		to.sun_path[0] = '\0';
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	n = snprintf(text, sizeof(text), "%s\nMONOTONIC_USEC=%lld\n", state,
		(long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || n < 0)
		return;
	/* Nothing can be done about a manager that does not listen. */
	(void)!sendto(fd, text, (size_t)n, MSG_NOSIGNAL, (const struct sockaddr *)&to, len);
	(void)close(fd);
}

static bool number_of(unsigned *out, const char *text)
{
	if (strspn(text, "0123456789") != strlen(text) || strlen(text) > 9 || text[0] == '\0')
		return false;
	*out = (unsigned)strtoul(text, NULL, 10);
	return true;
}

hf_err hf_service_become(const char *user, const char *group, struct hf_errinfo *ei)
{
	const struct passwd *pw = getpwnam(user); /* NOLINT(concurrency-mt-unsafe) */
	const struct group *gr = NULL;
	unsigned uid = 0;
	unsigned gid = 0;
	bool has_gid = false;

	if (pw != NULL) {
		uid = pw->pw_uid;
		gid = pw->pw_gid;
		has_gid = true;
	} else if (!number_of(&uid, user)) {
		return hf_fail(ei, HF_ERR_NOT_FOUND, "there is no user '%.64s'", user);
	}
	if (group != NULL) {
		gr = getgrnam(group); /* NOLINT(concurrency-mt-unsafe) */
		if (gr != NULL)
			gid = gr->gr_gid;
		else if (!number_of(&gid, group))
			return hf_fail(ei, HF_ERR_NOT_FOUND, "there is no group '%.64s'", group);
		has_gid = true;
	}
	if (!has_gid)
		return hf_fail(
			ei, HF_ERR_ARG, "user %.64s has no name: say which group, too", user);
	if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 ||
		setresuid(uid, uid, uid) != 0)
		return hf_sys_fail(ei, errno, "cannot become user %.64s", user);
	if (uid != 0 && setuid(0) == 0)
		return hf_fail(ei, HF_ERR_INTERNAL, "user %.64s can become root again", user);
	return HF_OK;
}
