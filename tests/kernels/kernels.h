/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel tests share: the processor's features, and a stop-watch. */
#ifndef HF_TEST_KERNELS_H
#define HF_TEST_KERNELS_H

#include <stdint.h>
#include <time.h>

#include "os/cpu.h"

static inline uint32_t test_cpu(void)
{
	return hf_os_cpu();
}

static inline double test_seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
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
