/* SPDX-License-Identifier: Apache-2.0 */
/* Many connections at once through a pair of tunnels of bench_tunnel.c, all from this process. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "programs.h"
#include "tunnel.h"

enum { PIECE = 128 * 1024, EVENTS = 64 };

struct sender {
	int fd;
	uint64_t left; /* bytes to send */
};

/* As much as the socket takes; then, when all is said, the answer. True: it is over. */
static bool step(struct sender *s, int epoll)
{
	static const uint8_t piece[PIECE];
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = s };
	uint8_t answer[TUNNEL_ANSWER];

	if (s->left == 0) {
		bench_need(prog_read_all(s->fd, answer, sizeof(answer)), "receiving an answer");
		(void)close(s->fd);
		return true;
	}
	while (s->left > 0) {
		ssize_t n = send(s->fd, piece, s->left < PIECE ? s->left : PIECE, MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN)
			return false;
		bench_need(n > 0, "sending");
		s->left -= (uint64_t)n;
	}
	bench_need(epoll_ctl(epoll, EPOLL_CTL_MOD, s->fd, &ev) == 0, "waiting");
	return false;
}

double tunnel_bulk_rate(uint16_t port, unsigned n, uint32_t len)
{
	struct sender *senders = calloc(n, sizeof(*senders));
	struct epoll_event ev[EVENTS];
	int epoll = epoll_create1(0);
	unsigned n_over = 0;
	double begun;

	bench_need(senders != NULL && epoll >= 0, "memory");
	for (unsigned i = 0; i < n; i++) {
		struct sender *s = &senders[i];
		uint32_t one = 1;
		uint8_t answer[TUNNEL_ANSWER];

		s->fd = prog_dial(port);
		/* A first request, so that all links are open before time counts. */
		prog_write_all(s->fd, &one, sizeof(one));
		prog_write_all(s->fd, "", 1);
		bench_need(prog_read_all(s->fd, answer, sizeof(answer)), "receiving an answer");
	}
	begun = prog_now_ms();
	for (unsigned i = 0; i < n; i++) {
		struct sender *s = &senders[i];

		ev[0] = (struct epoll_event){ .events = EPOLLOUT, .data.ptr = s };
		prog_write_all(s->fd, &len, sizeof(len));
		s->left = len;
		bench_need(epoll_ctl(epoll, EPOLL_CTL_ADD, s->fd, &ev[0]) == 0, "waiting");
	}
	while (n_over < n) {
		int got = epoll_wait(epoll, ev, EVENTS, -1);

		bench_need(got >= 0 || errno == EINTR, "waiting");
		for (int i = 0; i < got; i++)
			n_over += step(ev[i].data.ptr, epoll);
	}
	begun = prog_now_ms() - begun;
	(void)close(epoll);
	free(senders);
	return (double)n * len / begun * 1000;
}
