/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fifteen randomness tests of GM/T 0005-2021 (GB/T 32915): each gives, for a sample of bits,
 * one or two P-values, the chance that a random sequence looks no better, and as many Q-values,
 * whose distribution over many samples is judged. Nothing here is for secrets: time depends on the
 * bits.
 */
#ifndef HF_RANDOM_RANDOM_H
#define HF_RANDOM_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "random/bits.h"

/* In the order of clause 5. */
enum hf_random_test {
	HF_RANDOM_MONOBIT,
	HF_RANDOM_BLOCK_FREQUENCY, /* m: bits of a block */
	HF_RANDOM_POKER,           /* m: bits of a hand, 1 to 16 */
	HF_RANDOM_SERIAL,          /* m: bits of a pattern, 2 to 16; two values */
	HF_RANDOM_RUNS,
	HF_RANDOM_RUN_LENGTHS,
	HF_RANDOM_LONGEST_RUN, /* m: bits of a block, 8, 128 or 10000; two values, of ones and zeros
				*/
	HF_RANDOM_DERIVATIVE,  /* m: how often, 1 to 63 */
	HF_RANDOM_AUTOCORRELATION, /* m: distance */
	HF_RANDOM_RANK,            /* of 32 x 32 matrices */
	HF_RANDOM_CUSUM,           /* two values, forward and backward */
	HF_RANDOM_ENTROPY,         /* m: bits of a pattern, 1 to 15 */
	HF_RANDOM_COMPLEXITY,      /* m: bits of a block, 2 to 2^16 */
	HF_RANDOM_UNIVERSAL,       /* m: bits of a block, 6 to 16; q: blocks that only prepare */
	HF_RANDOM_FOURIER,
	HF_RANDOM_TESTS,
};

enum {
	HF_RANDOM_VALUES_MAX = 2,       /* of one item */
	HF_RANDOM_ITEMS_MAX = 32,       /* of a plan */
	HF_RANDOM_BITS_MAX = 134217728, /* of a sample */
	HF_RANDOM_BINS = 10,            /* for the distribution of Q */
};

#define HF_RANDOM_ALPHA   0.01   /* a sample passes a test if P is no less; 6.2 */
#define HF_RANDOM_ALPHA_T 0.0001 /* and the distribution of Q if P_T is no less; 6.3 */

/* A test with its parameters; those it does not have are 0. */
struct hf_random_item {
	enum hf_random_test test;
	uint32_t m;
	uint32_t q;
};

struct hf_random_value {
	double p;
	double q;
};

/* Name as in "poker", for people and JSON. Never NULL. */
const char *hf_random_name(enum hf_random_test test);

/* How many values its items have, and what distinguishes the i-th ("P1", "ones"; "" if it is
 * alone). */
unsigned hf_random_n_values(enum hf_random_test test);
const char *hf_random_part(enum hf_random_test test, unsigned i);

/* "m=4", "L=7 Q=1280", or empty, for what the item has; text of at least 32 bytes. */
void hf_random_params(char text[32], const struct hf_random_item *item);

/* What one thread works with: memory that is kept from sample to sample. */
struct hf_random {
	const struct hf_mem *mem;
	struct hf_fft *fft; /* for samples of n_fft bits, or NULL */
	size_t n_fft;
	uint32_t *counts; /* for patterns of 16 bits */
};

HF_MUST_USE hf_err hf_random_init(struct hf_random *r, const struct hf_mem *mem);

/* Accepts { 0 }. */
void hf_random_clear(struct hf_random *r);

/* Bytes that one thread takes at most for samples of n bits, the sample in. */
uint64_t hf_random_memory(size_t n);

/*
 * Runs one test on a sample. Writes hf_random_n_values() values. HF_ERR_ARG: a parameter that the
 * test does not have, or a sample too short to give a value.
 */
HF_MUST_USE hf_err hf_random_run(struct hf_random *r, const struct hf_random_item *item,
	const struct hf_bits *b, struct hf_random_value values[HF_RANDOM_VALUES_MAX]);

/*
 * Which samples and items make a check. FULL is GM/T 0005-2021; the others are what GM/T 0062-2018
 * asks of servers (class E) at these times.
 */
enum hf_random_set {
	HF_RANDOM_FULL,
	HF_RANDOM_FACTORY,
	HF_RANDOM_POWER_ON,
	HF_RANDOM_PERIODIC,
	HF_RANDOM_SINGLE,
	HF_RANDOM_SETS,
};

const char *hf_random_set_name(enum hf_random_set set); /* "power-on" */

struct hf_random_plan {
	size_t n_bits;      /* of a sample */
	uint32_t n_samples; /* as the standard asks */
	struct hf_random_item item[HF_RANDOM_ITEMS_MAX];
	size_t n_items;
};

/*
 * The plan of a set, with the standard's own numbers where n_bits and n_samples are 0. HF_ERR_ARG:
 * samples shorter than the set allows (20000 bits; 128 for SINGLE) or than HF_RANDOM_BITS_MAX.
 */
HF_MUST_USE hf_err hf_random_plan(
	struct hf_random_plan *p, enum hf_random_set set, size_t n_bits, uint32_t n_samples);

/* What the samples so far gave for one value of one item. Start it with { 0 }. */
struct hf_random_tally {
	uint64_t n;
	uint64_t passed;
	uint64_t bin[HF_RANDOM_BINS]; /* how many Q lay in each tenth */
	double p_min;                 /* the least P so far */
};

void hf_random_count(struct hf_random_tally *t, struct hf_random_value v);

/* How many of n samples must pass: n (1 - alpha - 3 sqrt(alpha (1 - alpha) / n)), rounded up; 6.2.
 */
uint64_t hf_random_need(uint64_t n);

/* P_T of the distribution of Q; 6.3. 1 for no sample. */
double hf_random_uniformity(const struct hf_random_tally *t);

bool hf_random_is_passed(const struct hf_random_tally *t);

#endif
