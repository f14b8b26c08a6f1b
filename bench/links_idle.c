/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What idle links cost a server: the resident memory of its processes before and after many have
 * opened, each from an address of its own, and the processor time of opening the first of them and
 * the last.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attr.h"
#include "bench.h"
#include "links.h"
#include "programs.h"

enum {
	WARM = 16,               /* what the first ones need is not theirs alone */
	FILES_MORE = 3000,       /* that a server has open besides */
	SETTLE_MS = 500,         /* its memory stays the same for so long */
	FIRST_HOST = 0x7f010001, /* 127.1.0.1 */
	PIDS_MAX = 8,
};

/* Of one process: "VmRSS:	1234 kB". */
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

/* Of one process: fields 14 and 15 of its line, in ticks; the name before may hold blanks. */
static double processor_s(pid_t pid)
{
	char path[64];
	char line[1024];
	unsigned long user = 0;
	unsigned long system = 0;
	const char *rest;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "r");
	bench_need(f != NULL && fgets(line, sizeof(line), f) != NULL, "reading /proc");
	(void)fclose(f);
	rest = strrchr(line, ')');
	bench_need(rest != NULL &&
			   sscanf(rest, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
				   &user, &system) == 2,
		"reading /proc");
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* A process and its children. */
static size_t family(pid_t out[PIDS_MAX], pid_t pid)
{
	char path[64];
	size_t n = 1;
	int child;
	FILE *f;

	out[0] = pid;
	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	f = fopen(path, "r");
	bench_need(f != NULL, "reading /proc");
	while (n < PIDS_MAX && fscanf(f, "%d", &child) == 1)
		out[n++] = child;
	(void)fclose(f);
	return n;
}

static double sum(const struct links_server *v, double (*of)(pid_t pid))
{
	pid_t pids[PIDS_MAX];
	size_t n = family(pids, v->pid);
	double all = 0;

	for (size_t i = 0; i < n; i++)
		all += of(pids[i]);
	return all;
}

/* What is given back while idle is given back when this returns. */
static double settled(const struct links_server *v)
{
	double is = sum(v, resident);
	double was;

	do {
		was = is;
		(void)usleep(SETTLE_MS * 1000);
		is = sum(v, resident);
	} while (is != was);
	return is;
}

static int open_one(const struct links_stack *s, uint16_t port, unsigned no)
{
	struct sockaddr_in from = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(FIRST_HOST + no) };
	struct sockaddr_in to = prog_local(port);
	int fd = prog_tcp();

	bench_need(bind(fd, (struct sockaddr *)&from, sizeof(from)) == 0 &&
			   connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0,
		"a connection");
	s->idle_client(fd, no);
	return fd;
}

/* Opens links first .. end - 1; the processor time that each took of the server. */
static double open_some(int *fds, const struct links_stack *s, const struct links_server *v,
	unsigned first, unsigned end)
{
	double before = sum(v, processor_s);

	for (unsigned i = first; i < end; i++)
		fds[i] = open_one(s, v->port, i);
	return (sum(v, processor_s) - before) / (end - first);
}

/* In every process: a link may take several, and a hub wants more for objects. */
static void raise_files(unsigned n)
{
	struct rlimit files = { 4 * n + FILES_MORE, 4 * n + FILES_MORE };

	if (setrlimit(RLIMIT_NOFILE, &files) == 0)
		return;
	bench_need(getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_max >= n + FILES_MORE,
		"room for so many links (ulimit -n)");
	files.rlim_cur = files.rlim_max;
	bench_need(setrlimit(RLIMIT_NOFILE, &files) == 0, "room for so many links");
}

bool links_idle_measure(struct links_idle *out, const struct links_stack *s, unsigned n)
{
	int *fds = calloc(n, sizeof(*fds));
	struct links_server v;
	double before;

	bench_need(fds != NULL, "memory");
	raise_files(n);
	if (!s->idle_start(&v)) {
		free(fds);
		return false;
	}
	for (unsigned i = 0; i < WARM; i++)
		(void)close(open_one(s, v.port, n + i));
	before = settled(&v);
	out->cpu_s[0] = open_some(fds, s, &v, 0, n / 10);
	(void)open_some(fds, s, &v, n / 10, n - n / 10);
	out->cpu_s[1] = open_some(fds, s, &v, n - n / 10, n);
	out->bytes = (settled(&v) - before) / n;
	(void)kill(v.pid, SIGKILL);
	(void)waitpid(v.pid, NULL, 0);
	for (unsigned i = 0; i < n; i++)
		(void)close(fds[i]);
	free(fds);
	return true;
}
