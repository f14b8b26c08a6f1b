/* SPDX-License-Identifier: Apache-2.0 */
/* The service behind the tunnels of bench_tunnel.c: one process, however many connections. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "programs.h"
#include "tunnel.h"

enum { ROOM = 256 * 1024, EVENTS = 64 };

struct connection {
	int fd;
	uint8_t head[4];
	size_t head_len;
	uint32_t left; /* of the request, after its head */
};

static void accept_one(int epoll, int listener)
{
	struct connection *c = calloc(1, sizeof(*c));
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
	int on = 1;

	bench_need(c != NULL, "memory");
	c->fd = accept(listener, NULL, NULL);
	bench_need(c->fd >= 0 &&
			   setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 &&
			   epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &ev) == 0,
		"accepting");
}

static void take(struct connection *c, const uint8_t *in, size_t len)
{
	static const uint8_t answer[TUNNEL_ANSWER];

	while (len > 0) {
		size_t n;

		if (c->head_len < sizeof(c->head)) {
			c->head[c->head_len++] = *in++;
			len--;
			if (c->head_len == sizeof(c->head))
				memcpy(&c->left, c->head, sizeof(c->left));
			continue;
		}
		n = len < c->left ? len : c->left;
		in += n;
		len -= n;
		c->left -= (uint32_t)n;
		if (c->left == 0) {
			prog_write_all(c->fd, answer, sizeof(answer));
			c->head_len = 0;
		}
	}
}

static void talk(struct connection *c)
{
	static uint8_t in[ROOM];
	ssize_t n = read(c->fd, in, sizeof(in));

	if (n > 0) {
		take(c, in, (size_t)n);
		return;
	}
	(void)close(c->fd);
	free(c);
}

void tunnel_serve(int listener)
{
	int epoll = epoll_create1(0);
	struct epoll_event ev[EVENTS] = { { .events = EPOLLIN } };

	bench_need(
		epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &ev[0]) == 0, "listening");
	for (;;) {
		int n = epoll_wait(epoll, ev, EVENTS, -1);

		bench_need(n >= 0 || errno == EINTR, "waiting");
		for (int i = 0; i < n; i++) {
			if (ev[i].data.ptr == NULL)
				accept_one(epoll, listener);
			else
				talk(ev[i].data.ptr);
		}
	}
}
