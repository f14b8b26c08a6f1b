/* SPDX-License-Identifier: Apache-2.0 */
/* What idle links cost a server: its resident memory before and after many have opened. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "links.h"

/* "VmRSS:	1234 kB" */
static double resident(pid_t pid)
{
	char path[64];
	char line[256];
	double kb = -1;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	bench_need(f != NULL, "reading /proc");
	while (kb < 0 && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "VmRSS:", 6) == 0)
			kb = strtod(line + 6, NULL);
	(void)fclose(f);
	bench_need(kb >= 0, "reading /proc");
	return kb * 1024;
}

static int open_one(const struct links_stack *s, uint16_t port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int on = 1;

	bench_need(fd >= 0 && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 &&
			   connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0,
		"a connection");
	s->idle_client(fd);
	return fd;
}

double links_idle_bytes(const struct links_stack *s, unsigned n)
{
	struct rlimit files = { n + 200, n + 200 }; /* in each of the two processes */
	int *fds = calloc(n, sizeof(*fds));
	double before;
	uint16_t port;
	int pipes[2];
	pid_t pid;

	bench_need(fds != NULL && setrlimit(RLIMIT_NOFILE, &files) == 0 && pipe(pipes) == 0,
		"room for so many links (ulimit -n)");
	(void)fflush(stdout); /* once is enough */
	pid = fork();
	bench_need(pid >= 0, "fork");
	if (pid == 0) {
		s->idle_serve(pipes[1]);
		_exit(1);
	}
	bench_need(read(pipes[0], &port, sizeof(port)) == (ssize_t)sizeof(port), "the server");
	for (unsigned i = 0; i < 16; i++) /* what the first ones need is not theirs alone */
		(void)close(open_one(s, port));
	(void)usleep(100000);
	before = resident(pid);
	for (unsigned i = 0; i < n; i++)
		fds[i] = open_one(s, port);
	(void)usleep(1000000); /* what is given back while idle is given back */
	before = (resident(pid) - before) / n;
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	for (unsigned i = 0; i < n; i++)
		(void)close(fds[i]);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
	free(fds);
	return before;
}
