/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: bench_tunnel
 *
 * What a pair of tunnels adds to a request, and how much goes through it over one connection and
 * over many: a client on one side, a service on the other, both plain, and between them nothing, a
 * pair of ours (TLS 1.3-SM and TLCP), a pair of stunnel and a pair of nginx (both TLS 1.3 with
 * AES-128-GCM and P-256). The pairs take turns, so that a change of the machine's pace meets all,
 * and each figure is that of its best round.
 * HUFU_BIN is the folder of our programs, HUFU_TONGSUO_NGINX an nginx built with Tongsuo and
 * "stream"; pairs whose programs are missing are left out.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attr.h"
#include "bench.h"
#include "programs.h"
#include "tunnel.h"

enum {
	ROUNDS = 10,
	PAIRS_MAX = 8,
	MANY = 64,
	BULK_ROUNDS = 5,
	BULK = 384 * 1000 * 1000, /* bytes of a sample, over all connections */
};

static const struct size {
	const char *name;
	uint32_t len;
	unsigned n; /* requests a round */
} sizes[] = {
	{ "1 KB", 1000, 400 },
	{ "600 KB", 600 * 1000, 60 },
	{ "6 MB", 6 * 1000 * 1000, 12 },
};

static const unsigned connections[] = { 1, MANY };

/* What was measured of a pair. */
static struct {
	double *ms[HF_COUNT(sizes)];        /* of every request */
	double rate[HF_COUNT(connections)]; /* the best */
} found[PAIRS_MAX];

static double ask(int fd, const struct size *s)
{
	static uint8_t request[sizeof(uint32_t) + 6 * 1000 * 1000];
	uint8_t answer[TUNNEL_ANSWER];
	double begun = prog_now_ms();

	memcpy(request, &s->len, sizeof(s->len));
	prog_write_all(fd, request, sizeof(s->len) + s->len);
	bench_need(prog_read_all(fd, answer, sizeof(answer)), "receiving an answer");
	return prog_now_ms() - begun;
}

static void delays(size_t k, unsigned round)
{
	int fd = prog_dial(tunnel_pairs[k].port);

	for (size_t i = 0; i < HF_COUNT(sizes); i++)
		for (unsigned n = 0; n < sizes[i].n; n++)
			found[k].ms[i][round * sizes[i].n + n] = ask(fd, &sizes[i]);
	(void)close(fd);
}

static void bulk(size_t k)
{
	for (size_t i = 0; i < HF_COUNT(connections); i++) {
		unsigned n = connections[i];
		double rate = tunnel_bulk_rate(tunnel_pairs[k].port, n, BULK / n);

		if (rate > found[k].rate[i])
			found[k].rate[i] = rate;
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of the round in which it was least: others' work on this machine only adds. */
static double percentile(size_t k, size_t i, double q)
{
	size_t at = (size_t)((double)(sizes[i].n - 1) * q);
	double least = found[k].ms[i][at];

	for (size_t round = 1; round < ROUNDS; round++)
		if (found[k].ms[i][round * sizes[i].n + at] < least)
			least = found[k].ms[i][round * sizes[i].n + at];
	return least;
}

static double added(size_t k, size_t i, double q)
{
	return percentile(k, i, q) - percentile(0, i, q);
}

static void show_delays(void)
{
	printf("\n%-8s %-18s %12s %12s %12s %12s\n", "request", "between", "p50 ms", "p99 ms",
		"added p50", "added p99");
	for (size_t i = 0; i < HF_COUNT(sizes); i++)
		for (size_t k = 0; k < tunnel_n_pairs; k++) {
			if (tunnel_pairs[k].port == 0)
				continue;
			printf("%-8s %-18s %12.3f %12.3f", sizes[i].name, tunnel_pairs[k].name,
				percentile(k, i, 0.5), percentile(k, i, 0.99));
			if (k > 0)
				printf(" %12.3f %12.3f", added(k, i, 0.5), added(k, i, 0.99));
			printf("\n");
		}
}

/* Which pair has that name; 0: it is not there. */
static size_t find(const char *name)
{
	for (size_t k = 0; k < tunnel_n_pairs; k++)
		if (strcmp(tunnel_pairs[k].name, name) == 0 && tunnel_pairs[k].port != 0)
			return k;
	return 0;
}

static void show_bulk(size_t ours)
{
	printf("\n%-27s %14s %14s %20s\n", "bulk, GB/s", "1 connection", "64 connections",
		"ours : it, 1 and 64");
	for (size_t k = 0; k < tunnel_n_pairs; k++) {
		if (tunnel_pairs[k].port == 0)
			continue;
		printf("%-27s %14.3f %14.3f", tunnel_pairs[k].name, found[k].rate[0] / 1e9,
			found[k].rate[1] / 1e9);
		if (ours > 0)
			printf(" %12.2f %7.2f", found[ours].rate[0] / found[k].rate[0],
				found[ours].rate[1] / found[k].rate[1]);
		printf("\n");
	}
}

static bool goal(const char *what, double is, double want, bool is_met)
{
	printf("goal  %-50s %10.3f  to be %8.3f  %s\n", what, is, want, is_met ? "ok" : "FAIL");
	return is_met;
}

/* The design's, as far as their peers are here. */
static bool show_goals(size_t ours)
{
	size_t stunnel = find("stunnel, AES");
	size_t tongsuo = find("nginx of Tongsuo");
	bool ok = true;

	printf("\n");
	if (ours > 0 && stunnel > 0)
		ok &= goal("added p99 at 1 KB, ms: not above stunnel's", added(ours, 0, 0.99),
			added(stunnel, 0, 0.99), added(ours, 0, 0.99) <= added(stunnel, 0, 0.99));
	for (size_t i = 0; ours > 0 && tongsuo > 0 && i < HF_COUNT(connections); i++)
		ok &= goal(i == 0 ? "bulk, 1 connection, GB/s: above Tongsuo's nginx"
				  : "bulk, 64 connections, GB/s: above Tongsuo's nginx",
			found[ours].rate[i] / 1e9, found[tongsuo].rate[i] / 1e9,
			found[ours].rate[i] > found[tongsuo].rate[i]);
	return ok;
}

static void start_all(uint16_t service)
{
	bench_need(tunnel_n_pairs <= PAIRS_MAX, "room for all pairs");
	tunnel_certs();
	for (size_t k = 0; k < tunnel_n_pairs; k++) {
		for (size_t i = 0; i < HF_COUNT(sizes); i++) {
			found[k].ms[i] = calloc((size_t)ROUNDS * sizes[i].n, sizeof(double));
			bench_need(found[k].ms[i] != NULL, "memory");
		}
		if (!tunnel_pairs[k].start(&tunnel_pairs[k], service))
			printf("%s: not on this machine\n", tunnel_pairs[k].name);
	}
}

static void stop_all(void)
{
	for (size_t k = 0; k < tunnel_n_pairs; k++)
		for (size_t i = 0; i < HF_COUNT(tunnel_pairs[k].pid); i++)
			if (tunnel_pairs[k].pid[i] > 0)
				(void)prog_stop(tunnel_pairs[k].pid[i]);
}

int main(void)
{
	uint16_t port;
	int listener = prog_listen(&port);
	pid_t service;
	size_t ours;
	bool ok;

	(void)signal(SIGPIPE, SIG_IGN);
	service = prog_fork();
	if (service == 0)
		tunnel_serve(listener);
	(void)close(listener);
	start_all(port);
	for (unsigned round = 0; round < ROUNDS; round++)
		for (size_t k = 0; k < tunnel_n_pairs; k++)
			if (tunnel_pairs[k].port != 0)
				delays(k, round);
	for (unsigned round = 0; round < BULK_ROUNDS; round++)
		for (size_t k = 0; k < tunnel_n_pairs; k++)
			if (tunnel_pairs[k].port != 0)
				bulk(k);
	for (size_t k = 0; k < tunnel_n_pairs; k++)
		for (size_t i = 0; i < HF_COUNT(sizes); i++)
			for (size_t round = 0; round < ROUNDS; round++)
				qsort(found[k].ms[i] + round * sizes[i].n, sizes[i].n,
					sizeof(double), by_value);
	ours = find("hufu, TLS 1.3-SM");
	show_delays();
	show_bulk(ours);
	ok = show_goals(ours);
	stop_all();
	(void)prog_stop(service);
	prog_end();
	return ok ? 0 : 1;
}
