/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel tests share: the processor's features, and a stop-watch of processor time. */
#ifndef HF_TEST_KERNELS_H
#define HF_TEST_KERNELS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "base/attr.h"
#include "os/cpu.h"
#include "test.h"

/* Less what the environment variable HUFU_CPU takes away. */
static inline uint32_t test_cpu(void)
{
	uint32_t cpu;

	assert_ok(hf_os_cpu_limit(&cpu, getenv("HUFU_CPU"), NULL));
	return cpu;
}

static inline double test_seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The pace of the core at this moment in cycles a nanosecond: additions that wait for each other.
 */
static inline double test_ghz(void)
{
	volatile uint64_t sink;
	double best = 0;

	for (int run = 0; run < 5; run++) {
		uint64_t x = 1;
		double from = test_seconds();
		double rate;

		for (int i = 0; i < 100000; i++) {
			HF_UNROLL
			for (int k = 0; k < 20; k++) {
				x += 1;
				HF_FORGET(x);
			}
		}
		sink = x;
		(void)sink;
		rate = 2e6 / (test_seconds() - from) / 1e9;
		if (rate > best)
			best = rate;
	}
	return best;
}

/* How many runs count; the environment variable HUFU_TEST_QUICK makes it one. */
static inline int test_runs(void)
{
	return getenv("HUFU_TEST_QUICK") != NULL ? 1 : 50;
}

/* A stop-watch over runs of so many calls that each takes 0.2 ms or more. */
struct test_watch {
	double bytes; /* of one call */
	double from;
	int calls;
	int runs; /* that counted */
	double best;
};

/* Ends a run; false when enough have counted. rate is the best of them, since others compute too.
 */
static inline bool test_watch_more(struct test_watch *w, double *rate)
{
	double took = test_seconds() - w->from;

	if (w->from != 0 && took < 2e-4 && w->calls < 1 << 24) {
		w->calls *= 2;
	} else if (w->from != 0) {
		double now = w->bytes * w->calls / took / 1e9;

		w->best = now > w->best ? now : w->best;
		w->runs++;
	}
	*rate = w->best;
	w->from = test_seconds();
	return w->runs < test_runs();
}

/* Sets rate to GB/s, bytes being what one call works on. */
#define TEST_RATE(rate, n_bytes, call) \
	for (struct test_watch test_w_ = { .bytes = (double)(n_bytes), .calls = 1 }; \
		test_watch_more(&test_w_, &(rate));) \
		for (int test_i_ = 0; test_i_ < test_w_.calls; test_i_++) \
	(call)

#endif
