/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What bench programs share: rows that set up to three ways of the same work side by side. The
 * sides take turns, so that a change of the machine's pace meets all of them; the median of their
 * samples of processor time is printed.
 */
#ifndef HF_BENCH_H
#define HF_BENCH_H

#include <stdbool.h>
#include <stddef.h>

enum {
	BENCH_SIDES = 3, /* ours first */
};

/* What the rows of a program work on; each program defines it. */
struct bench;

/* Does the work once on len bytes. */
typedef bool bench_fn(struct bench *b, size_t len);

struct bench_row {
	const char *name;
	size_t len;                   /* bytes that one call works on; 0: calls are counted */
	bench_fn *sides[BENCH_SIDES]; /* NULL: this side cannot do it */
};

/*
 * Starts the crypto module and prints the processor's features and the kernels chosen. The
 * environment variable HUFU_CPU takes features away from ours, as everywhere.
 */
void bench_start(void);

/* The line above the rows: who the sides are. */
void bench_head(const char *const names[BENCH_SIDES]);

/* Measures a row and prints it: GB/s or thousands of calls a second, and ours to the best other. */
void bench_run(const struct bench_row *r, struct bench *b);

/* Ends the program with a message unless ok. */
void bench_need(bool ok, const char *what);

#endif
