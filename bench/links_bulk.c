/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bulk over one link: a child process writes, this one reads, over a TCP connection on loopback.
 * Both talk in full records; the wall clock counts, since both work at a time.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "links.h"

enum { BULK = 1 << 29, ROOM = 4 * 16640 };

static void connect_pair(int fd[2])
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	bench_need(listener >= 0 && fd[0] >= 0 &&
			   bind(listener, (struct sockaddr *)&addr, sizeof(addr)) == 0 &&
			   listen(listener, 1) == 0 &&
			   getsockname(listener, (struct sockaddr *)&addr, &len) == 0 &&
			   connect(fd[0], (struct sockaddr *)&addr, sizeof(addr)) == 0,
		"a connection");
	fd[1] = accept(listener, NULL, NULL);
	bench_need(fd[1] >= 0, "a connection");
	(void)close(listener);
}

static void flush(const struct links_stack *s, struct links_end *e, int fd)
{
	const uint8_t *bytes;
	size_t n;

	while ((n = s->out(e, &bytes)) > 0) {
		ssize_t done = write(fd, bytes, n);

		bench_need(done > 0, "sending");
		s->sent(e, (size_t)done);
	}
}

static size_t take(const struct links_stack *s, struct links_end *e, int fd)
{
	static uint8_t in[ROOM];
	ssize_t n = read(fd, in, sizeof(in));

	bench_need(n > 0, "receiving");
	return s->feed(e, in, (size_t)n);
}

static void open_over(const struct links_stack *s, struct links_end *e, int fd)
{
	flush(s, e, fd);
	while (!s->is_open(e)) {
		(void)take(s, e, fd);
		flush(s, e, fd);
	}
}

static void serve(const struct links_stack *s, int fd)
{
	static const uint8_t record[2 * LINKS_RECORD];
	struct links_end *e = s->open(true, LINKS_FULL);

	open_over(s, e, fd);
	for (size_t n = 0; n < BULK; n += sizeof(record)) {
		s->write(e, record, sizeof(record));
		flush(s, e, fd);
	}
	s->close(e);
}

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double links_bulk_rate(const struct links_stack *s)
{
	struct links_end *e;
	size_t got = 0;
	double begun;
	int fd[2];
	pid_t pid;

	connect_pair(fd);
	(void)fflush(stdout); /* once is enough */
	pid = fork();
	bench_need(pid >= 0, "fork");
	if (pid == 0) {
		(void)close(fd[0]);
		serve(s, fd[1]);
		_exit(0);
	}
	(void)close(fd[1]);
	e = s->open(false, LINKS_FULL);
	open_over(s, e, fd[0]);
	begun = now();
	while (got < BULK)
		got += take(s, e, fd[0]);
	begun = now() - begun;
	s->close(e);
	(void)close(fd[0]);
	bench_need(waitpid(pid, NULL, 0) == pid, "waiting");
	return BULK / begun;
}
