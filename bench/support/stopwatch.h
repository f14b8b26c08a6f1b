/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What work costs: milliseconds of processor time or, under qemu-user with tools/qemu-count.c,
 * millions of instructions. The environment variable HUFU_COUNT names the file in which the plugin
 * counts.
 */
#ifndef HF_BENCH_STOPWATCH_H
#define HF_BENCH_STOPWATCH_H

#include <stdbool.h>

/* Opens the count, if there is one. Ends the program if it cannot. */
void stopwatch_start(void);

/* Instructions are counted, and no time is measured. */
bool stopwatch_counts(void);

/* Milliseconds, or millions of instructions, so far. */
double stopwatch(void);

/* "ms" or "M instructions" */
const char *stopwatch_unit(void);

#endif
