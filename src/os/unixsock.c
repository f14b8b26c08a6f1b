/* SPDX-License-Identifier: Apache-2.0 */
/* AF_UNIX stream sockets, SO_PEERCRED and SCM_RIGHTS. */
#include "os/unixsock.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/endian.h"
#include "base/wipe.h"
#include "os/sys.h"

enum { MSG_HEAD = 4 };

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * HF_MSG_FDS_MAX)];
};

static hf_err address_of(struct sockaddr_un *a, const char *path, struct hf_errinfo *ei)
{
	size_t len = strlen(path);

	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (len == 0 || len >= sizeof(a->sun_path))
		return hf_fail(ei, HF_ERR_LIMIT, "socket path is empty or too long: %.120s", path);
	memcpy(a->sun_path, path, len);
	return HF_OK;
}

static int stream_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

hf_err hf_unixsock_pair(int fds[2], struct hf_errinfo *ei)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		return hf_sys_fail(ei, errno, "cannot make a socket pair");
	return HF_OK;
}

/* Removes a socket that a dead process left; whatever else is there stays. */
static hf_err remove_stale(const char *path, struct hf_errinfo *ei)
{
	struct stat st;
	int fd = -1;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? HF_OK : hf_sys_fail(ei, errno, "cannot stat %s", path);
	if (!S_ISSOCK(st.st_mode))
		return hf_fail(ei, HF_ERR_EXISTS, "%s is there and is no socket", path);
	if (hf_unixsock_connect(&fd, path, NULL) != HF_ERR_NET) {
		if (fd >= 0)
			(void)close(fd);
		return hf_fail(ei, HF_ERR_EXISTS, "somebody listens on %s already", path);
	}
	if (unlink(path) != 0 && errno != ENOENT)
		return hf_sys_fail(ei, errno, "cannot delete %s", path);
	return HF_OK;
}

hf_err hf_unixsock_listen(
	int *fd, const char *path, unsigned mode, unsigned backlog, struct hf_errinfo *ei)
{
	struct sockaddr_un a;
	mode_t mask;
	int sys;
	int f;

	HF_TRY(address_of(&a, path, ei));
	HF_TRY(remove_stale(path, ei));
	f = stream_socket();
	if (f < 0)
		return hf_sys_fail(ei, errno, "cannot make a socket");
	/* The name is made with all bits that the mask leaves: it is never wider open, and a
	 * sandbox need not let modes of files be changed. */
	mask = umask(~(mode_t)mode & 0777);
	sys = bind(f, (const struct sockaddr *)&a, sizeof(a)) != 0 ? errno : 0;
	(void)umask(mask);
	if (sys == 0 && listen(f, backlog > INT_MAX ? INT_MAX : (int)backlog) != 0)
		sys = errno;
	if (sys != 0) {
		(void)close(f);
		return hf_sys_fail(ei, sys, "cannot listen on %s", path);
	}
	*fd = f;
	return HF_OK;
}

hf_err hf_unixsock_accept(int *fd, int listener, struct hf_errinfo *ei)
{
	int f;

	do
		f = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	while (f < 0 && (errno == EINTR || errno == ECONNABORTED));
	if (f < 0)
		return hf_sys_fail(ei, errno, "cannot accept a connection");
	*fd = f;
	return HF_OK;
}

hf_err hf_unixsock_connect(int *fd, const char *path, struct hf_errinfo *ei)
{
	struct sockaddr_un a;
	int f;

	HF_TRY(address_of(&a, path, ei));
	f = stream_socket();
	if (f < 0)
		return hf_sys_fail(ei, errno, "cannot make a socket");
	if (connect(f, (const struct sockaddr *)&a, sizeof(a)) != 0) {
		hf_err e = hf_sys_fail(ei, errno, "cannot connect to %s", path);

		(void)close(f);
		return e;
	}
	*fd = f;
	return HF_OK;
}

hf_err hf_unixsock_timeout(int fd, unsigned timeout_ms)
{
	const struct timeval t = { .tv_sec = timeout_ms / 1000,
		.tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000 };

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)) != 0 ||
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)) != 0)
		return hf_sys_err(errno);
	return HF_OK;
}

hf_err hf_unixsock_peer(struct hf_unixsock_peer *peer, int fd, struct hf_errinfo *ei)
{
	struct ucred c = { 0 };
	socklen_t len = sizeof(c);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &len) != 0)
		return hf_sys_fail(ei, errno, "cannot tell who connected");
	*peer = (struct hf_unixsock_peer){ .uid = c.uid, .gid = c.gid, .pid = c.pid };
	return HF_OK;
}

/* Sends head and payload as one stream; the descriptors travel with the first piece. */
static hf_err send_all(int fd, struct msghdr *m, struct hf_errinfo *ei)
{
	while (m->msg_iovlen > 0) {
		ssize_t n = sendmsg(fd, m, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return hf_sys_fail(ei, errno, "cannot send a message");
		m->msg_control = NULL;
		m->msg_controllen = 0;
		while (m->msg_iovlen > 0 && (size_t)n >= m->msg_iov->iov_len) {
			n -= (ssize_t)m->msg_iov->iov_len;
			m->msg_iov++;
			m->msg_iovlen--;
		}
		if (m->msg_iovlen > 0) {
			m->msg_iov->iov_base = (uint8_t *)m->msg_iov->iov_base + n;
			m->msg_iov->iov_len -= (size_t)n;
		}
	}
	return HF_OK;
}

hf_err hf_msg_send(
	int fd, const void *bytes, size_t len, const int *fds, size_t n_fds, struct hf_errinfo *ei)
{
	uint8_t head[MSG_HEAD];
	struct iovec parts[2] = { { head, sizeof(head) }, { (void *)(uintptr_t)bytes, len } };
	struct msghdr m = { .msg_iov = parts, .msg_iovlen = 2 };
	union control c;
	struct cmsghdr *h;

	if (len > UINT32_MAX || n_fds > HF_MSG_FDS_MAX)
		return hf_fail(ei, HF_ERR_LIMIT, "message of %zu bytes is too long", len);
	hf_put_be32(head, (uint32_t)len);
	if (n_fds > 0) {
		memset(&c, 0, sizeof(c));
		m.msg_control = c.bytes;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(h), fds, sizeof(int) * n_fds);
	}
	return send_all(fd, &m, ei);
}

/* Descriptors of one message, as they come in. */
struct inbox {
	int fds[HF_MSG_FDS_MAX];
	size_t n;
	int is_over; /* more came than a message may have */
};

static void inbox_close(struct inbox *in)
{
	for (size_t i = 0; i < in->n; i++)
		(void)close(in->fds[i]);
	in->n = 0;
}

static void inbox_take(struct inbox *in, struct msghdr *m)
{
	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h != NULL; h = CMSG_NXTHDR(m, h)) {
		size_t n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof(fd));
			if (in->n < HF_MSG_FDS_MAX) {
				in->fds[in->n++] = fd;
			} else {
				(void)close(fd);
				in->is_over = 1;
			}
		}
	}
	if ((m->msg_flags & MSG_CTRUNC) != 0)
		in->is_over = 1;
}

/* len bytes; *done tells how many came before a failure. */
static hf_err receive_all(
	int fd, uint8_t *p, size_t len, size_t *done, struct inbox *in, struct hf_errinfo *ei)
{
	*done = 0;
	while (*done < len) {
		union control c;
		struct iovec part = { p + *done, len - *done };
		struct msghdr m = { .msg_iov = &part,
			.msg_iovlen = 1,
			.msg_control = c.bytes,
			.msg_controllen = sizeof(c) };
		ssize_t n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return hf_sys_fail(ei, errno, "cannot receive a message");
		if (n == 0)
			return HF_ERR_TRUNCATED;
		inbox_take(in, &m);
		*done += (size_t)n;
	}
	return HF_OK;
}

static hf_err receive_message(int fd, struct hf_buf *out, struct inbox *in, struct hf_errinfo *ei)
{
	uint8_t head[MSG_HEAD];
	uint8_t *room = NULL;
	size_t done = 0;
	uint32_t len;
	hf_err e;

	e = receive_all(fd, head, sizeof(head), &done, in, ei);
	if (e == HF_ERR_TRUNCATED && done == 0)
		return HF_ERR_CLOSED;
	HF_TRY(e);
	len = hf_get_be32(head);
	e = hf_buf_room(out, &room, len);
	if (e == HF_ERR_LIMIT)
		return hf_fail(ei, e, "message of %u bytes is longer than allowed", (unsigned)len);
	HF_TRY(e);
	return receive_all(fd, room, len, &done, in, ei);
}

hf_err hf_msg_receive(
	int fd, struct hf_buf *out, int *fds, size_t cap, size_t *n_fds, struct hf_errinfo *ei)
{
	struct inbox in = { .n = 0 };
	size_t before = out->len;
	hf_err e;

	e = receive_message(fd, out, &in, ei);
	if (e == HF_OK && (in.is_over || in.n > cap))
		e = hf_fail(ei, HF_ERR_LIMIT, "message brings more descriptors than allowed");
	if (e != HF_OK) {
		inbox_close(&in);
		if (out->len > before)
			hf_wipe(out->p + before, out->len - before);
		out->len = before;
		return e;
	}
	for (size_t i = 0; i < in.n; i++)
		fds[i] = in.fds[i];
	*n_fds = in.n;
	return HF_OK;
}
