/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel tests share: the processor's features, and a stop-watch of processor time. */
#ifndef HF_TEST_KERNELS_H
#define HF_TEST_KERNELS_H

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

/* Repeats call for about 30 ms and sets rate to GB/s, bytes being what one call works on. */
#define TEST_RATE(rate, bytes, call) \
	do { \
		double test_from_ = test_seconds(); \
		double test_took_; \
		double test_done_ = 0; \
		do { \
			for (int test_i_ = 0; test_i_ < 4; test_i_++) \
				call; \
			test_done_ += 4.0 * (double)(bytes); \
			test_took_ = test_seconds() - test_from_; \
		} while (test_took_ < 0.03); \
		(rate) = test_done_ / test_took_ / 1e9; \
	} while (0)

#endif
