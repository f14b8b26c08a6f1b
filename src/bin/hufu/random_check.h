/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The work of hufu check random: takes samples from a file or a generator, runs the tests of a plan
 * on them, one sample a thread, and counts what came out.
 */
#ifndef HF_BIN_HUFU_RANDOM_CHECK_H
#define HF_BIN_HUFU_RANDOM_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "progress.h"
#include "random/random.h"
#include "svc/env.h"

enum {
	HUFU_RANDOM_SLOTS_MAX = 128, /* samples in memory at once */
};

/* What a sample is worked on with, by one thread at a time. */
struct hufu_random_slot {
	uint8_t *bytes;
	uint64_t *words;
	struct hf_random work;
	struct hf_random_value values[HF_RANDOM_ITEMS_MAX][HF_RANDOM_VALUES_MAX];
};

/* One value of one test: what it gave. */
struct hufu_random_row {
	struct hf_random_tally tally;
	struct hf_random_value last; /* of the last sample */
};

struct hufu_random {
	/* Set by the caller before hufu_random_run(). */
	struct hf_env *env;
	struct hf_random_plan plan;
	int fd;             /* samples come from here, one behind the other; or -1 and */
	struct hf_rng rng;  /* from here */
	uint32_t n_samples; /* how many */
	bool is_short_ok;   /* fewer will do, if the file ends; at least one */
	int values_fd;      /* gets every P and Q as lines of CSV, or -1 */
	bool is_quiet;

	/* Written. */
	uint32_t n_done; /* samples */
	struct hufu_random_row row[HF_RANDOM_ITEMS_MAX][HF_RANDOM_VALUES_MAX];
	bool is_repeated[HF_RANDOM_ITEMS_MAX]; /* row is of the second round */

	/* Private. */
	bool is_off[HF_RANDOM_ITEMS_MAX]; /* not in this round */
	struct hufu_random_slot slot[HUFU_RANDOM_SLOTS_MAX];
	size_t n_slots;
	struct hufu_progress progress;
};

/*
 * Takes the samples and runs the tests. HF_ERR_TRUNCATED: the file has fewer samples than asked
 * for. Errors of the file, of the generator, of memory; ei says which.
 */
HF_MUST_USE hf_err hufu_random_run(struct hufu_random *c, struct hf_errinfo *ei);

/* The same on fresh samples, for the tests that did not pass alone; what they give now counts. */
HF_MUST_USE hf_err hufu_random_repeat(struct hufu_random *c, struct hf_errinfo *ei);

/* Whether all values of an item passed. */
bool hufu_random_item_passed(const struct hufu_random *c, size_t item);

/* Items that did not pass. */
unsigned hufu_random_n_failed(const struct hufu_random *c);

/* Frees what the runs needed; the findings stay. */
void hufu_random_end(struct hufu_random *c);

#endif
