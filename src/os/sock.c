/* SPDX-License-Identifier: Apache-2.0 */
/* socket(2) and what goes with it, never waiting. */
#include "os/sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/sys.h"

hf_err hf_sock_addr_ip(struct hf_sock_addr *out, const char *ip, uint16_t port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	if (inet_pton(AF_INET, ip, &v4.sin_addr) == 1) {
		*out = (struct hf_sock_addr){ .len = sizeof(v4) };
		memcpy(&out->addr, &v4, sizeof(v4));
	} else if (inet_pton(AF_INET6, ip, &v6.sin6_addr) == 1) {
		*out = (struct hf_sock_addr){ .len = sizeof(v6) };
		memcpy(&out->addr, &v6, sizeof(v6));
	} else {
		return HF_ERR_ARG;
	}
	return HF_OK;
}

void hf_sock_names_load(void)
{
	enum { LABEL_LEN = 64 }; /* one more than a label may have: no query can carry it */
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	char name[LABEL_LEN + 1];

	memset(name, 'x', LABEL_LEN);
	name[LABEL_LEN] = '\0';
	if (getaddrinfo(name, NULL, &hints, &found) == 0) /* /etc/hosts may say anything */
		freeaddrinfo(found);
}

hf_err hf_sock_addr_unix(struct hf_sock_addr *out, const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof(un.sun_path))
		return HF_ERR_LIMIT;
	memcpy(un.sun_path, path, len);
	*out = (struct hf_sock_addr){ .len = sizeof(un) };
	memcpy(&out->addr, &un, sizeof(un));
	return HF_OK;
}

void hf_sock_addr_text(char out[HF_SOCK_TEXT], const struct hf_sock_addr *a)
{
	char ip[INET6_ADDRSTRLEN] = "?";
	const void *any = &a->addr;
	const struct sockaddr_in *v4 = any;
	const struct sockaddr_in6 *v6 = any;
	const struct sockaddr_un *un = any;
	int n;

	if (a->addr.ss_family == AF_INET) {
		(void)inet_ntop(AF_INET, &v4->sin_addr, ip, sizeof(ip));
		n = snprintf(out, HF_SOCK_TEXT, "%s:%u", ip, (unsigned)ntohs(v4->sin_port));
	} else if (a->addr.ss_family == AF_INET6) {
		(void)inet_ntop(AF_INET6, &v6->sin6_addr, ip, sizeof(ip));
		n = snprintf(out, HF_SOCK_TEXT, "[%s]:%u", ip, (unsigned)ntohs(v6->sin6_port));
	} else if (a->addr.ss_family == AF_UNIX) {
		/* Who connects has no name; what listens has a path with its end. */
		n = snprintf(out, HF_SOCK_TEXT, "unix:%s", a->len > 2 ? un->sun_path : "");
	} else {
		n = snprintf(out, HF_SOCK_TEXT, "unknown");
	}
	(void)n;
}

static hf_err listen_fail(struct hf_errinfo *ei, int sys, const struct hf_sock_addr *a)
{
	char text[HF_SOCK_TEXT];
	hf_err e = sys == EADDRINUSE ? HF_ERR_EXISTS : hf_sys_err(sys);

	hf_sock_addr_text(text, a);
	return hf_fail_sys(ei, e, sys, "cannot listen on %s: %s", text, strerrordesc_np(sys));
}

hf_err hf_sock_listen(int *fd, const struct hf_sock_addr *a, bool is_shared, unsigned backlog,
	struct hf_errinfo *ei)
{
	int f = socket(a->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const int one = 1;
	hf_err e;

	if (f < 0)
		return hf_sys_fail(ei, errno, "cannot make a socket");
	if (setsockopt(f, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
		(!is_shared || setsockopt(f, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) == 0) &&
		bind(f, (const struct sockaddr *)&a->addr, a->len) == 0 &&
		listen(f, backlog > INT_MAX ? INT_MAX : (int)backlog) == 0) {
		*fd = f;
		return HF_OK;
	}
	e = listen_fail(ei, errno, a);
	(void)close(f);
	return e;
}

uint16_t hf_sock_port(const struct hf_sock_addr *a)
{
	const void *any = &a->addr;

	if (a->addr.ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)any)->sin_port);
	return a->addr.ss_family == AF_INET6 ? ntohs(((const struct sockaddr_in6 *)any)->sin6_port)
					     : 0;
}

hf_err hf_sock_dup(int *fd, int of, struct hf_errinfo *ei)
{
	int f = fcntl(of, F_DUPFD_CLOEXEC, 3);

	if (f < 0)
		return hf_sys_fail(ei, errno, "cannot duplicate a socket");
	*fd = f;
	return HF_OK;
}

hf_err hf_sock_adopt(int fd, struct hf_errinfo *ei)
{
	int flags = fcntl(fd, F_GETFL);
	int listens = 0;
	socklen_t len = sizeof(listens);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) != 0 || listens == 0)
		return hf_fail(ei, HF_ERR_ARG, "descriptor %d is no socket that listens", fd);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
		fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		return hf_sys_fail(ei, errno, "descriptor %d", fd);
	return HF_OK;
}

hf_err hf_sock_name(struct hf_sock_addr *out, int fd)
{
	*out = (struct hf_sock_addr){ .len = sizeof(out->addr) };
	if (getsockname(fd, (struct sockaddr *)&out->addr, &out->len) != 0)
		return hf_sys_err(errno);
	return HF_OK;
}

static void no_delay(int fd, int family)
{
	const int one = 1;

	if (family != AF_UNIX)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static bool is_shortage(int sys)
{
	return sys == EMFILE || sys == ENFILE || sys == ENOBUFS || sys == ENOMEM;
}

hf_err hf_sock_accept(int *fd, struct hf_sock_addr *from, int listener)
{
	int f;

	do {
		*from = (struct hf_sock_addr){ .len = sizeof(from->addr) };
		f = accept4(listener, (struct sockaddr *)&from->addr, &from->len,
			SOCK_CLOEXEC | SOCK_NONBLOCK);
	} while (f < 0 && (errno == EINTR || errno == ECONNABORTED || errno == EPROTO));
	if (f < 0) {
		if (is_shortage(errno))
			return HF_ERR_LIMIT;
		return errno == EAGAIN ? HF_ERR_AGAIN : HF_ERR_NET;
	}
	no_delay(f, from->addr.ss_family);
	*fd = f;
	return HF_OK;
}

static hf_err connect_fail(struct hf_errinfo *ei, int sys)
{
	return hf_fail_sys(ei, HF_ERR_NET, sys, "%s", strerrordesc_np(sys));
}

hf_err hf_sock_connect(int *fd, const struct hf_sock_addr *to, struct hf_errinfo *ei)
{
	int f = socket(to->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int sys;

	if (f < 0)
		return hf_sys_fail(ei, errno, "cannot make a socket");
	no_delay(f, to->addr.ss_family);
	if (connect(f, (const struct sockaddr *)&to->addr, to->len) != 0 && errno != EINPROGRESS) {
		sys = errno;
		(void)close(f);
		return sys == EAGAIN ? hf_fail_sys(ei, HF_ERR_AGAIN, sys, "its queue is full")
				     : connect_fail(ei, sys);
	}
	*fd = f;
	return HF_OK;
}

hf_err hf_sock_connected(int fd, struct hf_errinfo *ei)
{
	int sys = 0;
	socklen_t len = sizeof(sys);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &sys, &len) != 0)
		sys = errno;
	return sys == 0 ? HF_OK : connect_fail(ei, sys);
}

static hf_err broken(int *sys, int number)
{
	if (sys != NULL)
		*sys = number;
	return HF_ERR_NET;
}

hf_err hf_sock_read(int fd, uint8_t *out, size_t cap, size_t *got, int *sys)
{
	ssize_t n;

	*got = 0;
	do
		n = recv(fd, out, cap, 0);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return HF_ERR_CLOSED;
	if (n < 0)
		return errno == EAGAIN ? HF_ERR_AGAIN : broken(sys, errno);
	*got = (size_t)n;
	return HF_OK;
}

hf_err hf_sock_write(int fd, const uint8_t *in, size_t len, size_t *put, int *sys)
{
	ssize_t n;

	*put = 0;
	do
		n = send(fd, in, len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? HF_ERR_AGAIN : broken(sys, errno);
	*put = (size_t)n;
	return HF_OK;
}

void hf_sock_shut(int fd)
{
	(void)shutdown(fd, SHUT_WR);
}

void hf_sock_reset(int *fd)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	if (*fd < 0)
		return;
	(void)setsockopt(*fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	(void)close(*fd);
	*fd = -1;
}
