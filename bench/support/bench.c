/* SPDX-License-Identifier: Apache-2.0 */
/* Samples of processor time and their median. */
#include "bench.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "crypto/modes/ghash_kernel.h"
#include "crypto/module.h"
#include "crypto/sm3/sm3_kernel.h"
#include "crypto/sm4/sm4_kernel.h"
#include "os/cpu.h"

enum {
	SAMPLES = 9,
	SAMPLE_NS = 10 * 1000 * 1000,
	CALLS = 16, /* between two looks at the clock */
};

void bench_need(bool ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "bench: %s failed\n", what);
	exit(1);
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Calls a second. */
static double sample(const struct bench_row *r, size_t side, struct bench *b)
{
	uint64_t from = cpu_ns();
	uint64_t took;
	uint64_t n = 0;

	do {
		for (int i = 0; i < CALLS; i++)
			bench_need(r->sides[side](b, r->len), r->name);
		n += CALLS;
		took = cpu_ns() - from;
	} while (took < SAMPLE_NS);
	return (double)n * 1e9 / (double)took;
}

static int by_rate(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static void show(const struct bench_row *r, const double rates[BENCH_SIDES])
{
	double best = rates[1] > rates[2] ? rates[1] : rates[2];
	char size[24] = "";

	if (r->len > 0)
		(void)snprintf(size, sizeof(size), "%zu B", r->len);
	printf("%-14s %9s %s", r->name, size, r->len > 0 ? "GB/s" : "k/s ");
	for (size_t i = 0; i < BENCH_SIDES; i++) {
		double v = r->len > 0 ? rates[i] * (double)r->len / 1e9 : rates[i] / 1e3;

		if (r->sides[i] == NULL)
			printf(" %17s", "-");
		else
			printf(" %17.3f", v);
	}
	if (best > 0)
		printf(" %7.2f", rates[0] / best);
	printf("\n");
}

void bench_start(void)
{
	uint32_t cpu = hf_os_cpu();
	const struct hf_module *m = hf_module();
	char text[256];

	bench_need(hf_os_cpu_limit(&cpu, getenv("HUFU_CPU"), NULL) == HF_OK, "reading HUFU_CPU");
	bench_need(hf_module_start(cpu) == HF_OK, "the module's self-test");
	hf_os_cpu_text(text, sizeof(text), cpu);
	printf("processor: %s\nkernels: sm3 %s, sm4 %s, ghash %s\n", text, m->sm3->name,
		m->sm4->name, m->ghash->name);
}

void bench_head(const char *const names[BENCH_SIDES])
{
	printf("%-29s", "one core");
	for (size_t i = 0; i < BENCH_SIDES; i++)
		printf(" %17s", names[i]);
	printf(" %7s\n", "ratio");
}

void bench_run(const struct bench_row *r, struct bench *b)
{
	double samples[BENCH_SIDES][SAMPLES];
	double rates[BENCH_SIDES] = { 0 };

	for (size_t n = 0; n < SAMPLES; n++)
		for (size_t i = 0; i < BENCH_SIDES; i++)
			if (r->sides[i] != NULL)
				samples[i][n] = sample(r, i, b);
	for (size_t i = 0; i < BENCH_SIDES; i++) {
		if (r->sides[i] == NULL)
			continue;
		qsort(samples[i], SAMPLES, sizeof(samples[i][0]), by_rate);
		rates[i] = samples[i][SAMPLES / 2];
	}
	show(r, rates);
}
