/* SPDX-License-Identifier: Apache-2.0 */
/* What bench programs share. */
#ifndef HF_BENCH_H
#define HF_BENCH_H

#include <stdbool.h>
#include <stdint.h>

/* Ends the program with a message. */
_Noreturn void bench_fail(const char *what);

static inline void bench_need(bool ok, const char *what)
{
	if (!ok)
		bench_fail(what);
}

/*
 * The processor's features, less what the environment variable HUFU_CPU takes away. Starts nothing.
 */
uint32_t bench_cpu(void);

/* Starts the crypto module with these features and prints them and the kernels chosen. */
void bench_start(uint32_t cpu);

#endif
