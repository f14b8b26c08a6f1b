/* SPDX-License-Identifier: Apache-2.0 */
/* The table of the tests, the plans of the standards, and the judgement over many samples. */
#include "random/random.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "random/fft.h"
#include "random/igamc.h"
#include "random/random_tests.h"

enum {
	COUNTS = 1 << 16, /* patterns of the longest kind */
	BITS_MIN = 20000, /* A.1: the shortest samples that the standard has parameters for */
	SINGLE_MIN = 128,
	SINGLE_DEFAULT = 1024,
	SAMPLES_MAX = 1000000,
};

/* clang-format off */
static const struct test {
	const char *name;
	const char *param; /* what m is called, or NULL: there is none */
	uint32_t m_min;
	uint32_t m_max;
	const char *part[HF_RANDOM_VALUES_MAX]; /* NULL: no such value */
	hf_random_fn *run;
} tests[HF_RANDOM_TESTS] = {
	[HF_RANDOM_MONOBIT] = { "monobit frequency", NULL, 0, 0, { "" }, hf_random_monobit },
	[HF_RANDOM_BLOCK_FREQUENCY] =
		{ "block frequency", "m", 1, HF_RANDOM_BITS_MAX, { "" }, hf_random_block_frequency },
	[HF_RANDOM_POKER] = { "poker", "m", 1, 16, { "" }, hf_random_poker },
	[HF_RANDOM_SERIAL] = { "serial", "m", 2, 16, { "P1", "P2" }, hf_random_serial },
	[HF_RANDOM_RUNS] = { "runs total", NULL, 0, 0, { "" }, hf_random_runs },
	[HF_RANDOM_RUN_LENGTHS] = { "runs distribution", NULL, 0, 0, { "" }, hf_random_run_lengths },
	[HF_RANDOM_LONGEST_RUN] =
		{ "longest run", "m", 8, 10000, { "ones", "zeros" }, hf_random_longest_run },
	[HF_RANDOM_DERIVATIVE] = { "binary derivative", "k", 1, 63, { "" }, hf_random_derivative },
	[HF_RANDOM_AUTOCORRELATION] =
		{ "autocorrelation", "d", 1, HF_RANDOM_BITS_MAX, { "" }, hf_random_autocorrelation },
	[HF_RANDOM_RANK] = { "matrix rank", NULL, 0, 0, { "" }, hf_random_rank },
	[HF_RANDOM_CUSUM] = { "cumulative sums", NULL, 0, 0, { "forward", "backward" }, hf_random_cusum },
	[HF_RANDOM_ENTROPY] = { "approximate entropy", "m", 1, 15, { "" }, hf_random_entropy },
	[HF_RANDOM_COMPLEXITY] = { "linear complexity", "m", 2, 1 << 16, { "" }, hf_random_complexity },
	[HF_RANDOM_UNIVERSAL] = { "maurer universal", "L", 6, 16, { "" }, hf_random_universal },
	[HF_RANDOM_FOURIER] = { "discrete fourier", NULL, 0, 0, { "" }, hf_random_fourier },
};

/* Annex A and B of GM/T 0005-2021: which items samples from this length on get. */
static const struct row {
	size_t n_bits;
	size_t n_items;
	struct hf_random_item item[HF_RANDOM_ITEMS_MAX];
} rows[] = {
	{ 100000000, 27, {
		{ HF_RANDOM_MONOBIT, 0, 0 },
		{ HF_RANDOM_BLOCK_FREQUENCY, 100000, 0 },
		{ HF_RANDOM_POKER, 4, 0 }, { HF_RANDOM_POKER, 8, 0 },
		{ HF_RANDOM_SERIAL, 3, 0 }, { HF_RANDOM_SERIAL, 5, 0 }, { HF_RANDOM_SERIAL, 7, 0 },
		{ HF_RANDOM_RUNS, 0, 0 },
		{ HF_RANDOM_RUN_LENGTHS, 0, 0 },
		{ HF_RANDOM_LONGEST_RUN, 10000, 0 },
		{ HF_RANDOM_DERIVATIVE, 3, 0 }, { HF_RANDOM_DERIVATIVE, 7, 0 }, { HF_RANDOM_DERIVATIVE, 15, 0 },
		{ HF_RANDOM_AUTOCORRELATION, 1, 0 }, { HF_RANDOM_AUTOCORRELATION, 2, 0 },
		{ HF_RANDOM_AUTOCORRELATION, 8, 0 }, { HF_RANDOM_AUTOCORRELATION, 16, 0 },
		{ HF_RANDOM_AUTOCORRELATION, 32, 0 },
		{ HF_RANDOM_RANK, 0, 0 },
		{ HF_RANDOM_CUSUM, 0, 0 },
		{ HF_RANDOM_ENTROPY, 2, 0 }, { HF_RANDOM_ENTROPY, 5, 0 }, { HF_RANDOM_ENTROPY, 7, 0 },
		{ HF_RANDOM_COMPLEXITY, 1000, 0 }, { HF_RANDOM_COMPLEXITY, 5000, 0 },
		{ HF_RANDOM_UNIVERSAL, 7, 1280 },
		{ HF_RANDOM_FOURIER, 0, 0 },
	} },
	{ 1000000, 23, {
		{ HF_RANDOM_MONOBIT, 0, 0 },
		{ HF_RANDOM_BLOCK_FREQUENCY, 10000, 0 },
		{ HF_RANDOM_POKER, 4, 0 }, { HF_RANDOM_POKER, 8, 0 },
		{ HF_RANDOM_SERIAL, 3, 0 }, { HF_RANDOM_SERIAL, 5, 0 },
		{ HF_RANDOM_RUNS, 0, 0 },
		{ HF_RANDOM_RUN_LENGTHS, 0, 0 },
		{ HF_RANDOM_LONGEST_RUN, 10000, 0 },
		{ HF_RANDOM_DERIVATIVE, 3, 0 }, { HF_RANDOM_DERIVATIVE, 7, 0 },
		{ HF_RANDOM_AUTOCORRELATION, 1, 0 }, { HF_RANDOM_AUTOCORRELATION, 2, 0 },
		{ HF_RANDOM_AUTOCORRELATION, 8, 0 }, { HF_RANDOM_AUTOCORRELATION, 16, 0 },
		{ HF_RANDOM_RANK, 0, 0 },
		{ HF_RANDOM_CUSUM, 0, 0 },
		{ HF_RANDOM_ENTROPY, 2, 0 }, { HF_RANDOM_ENTROPY, 5, 0 },
		{ HF_RANDOM_COMPLEXITY, 500, 0 }, { HF_RANDOM_COMPLEXITY, 1000, 0 },
		{ HF_RANDOM_UNIVERSAL, 7, 1280 },
		{ HF_RANDOM_FOURIER, 0, 0 },
	} },
	{ BITS_MIN, 18, {
		{ HF_RANDOM_MONOBIT, 0, 0 },
		{ HF_RANDOM_BLOCK_FREQUENCY, 1000, 0 },
		{ HF_RANDOM_POKER, 4, 0 }, { HF_RANDOM_POKER, 8, 0 },
		{ HF_RANDOM_SERIAL, 3, 0 }, { HF_RANDOM_SERIAL, 5, 0 },
		{ HF_RANDOM_RUNS, 0, 0 },
		{ HF_RANDOM_RUN_LENGTHS, 0, 0 },
		{ HF_RANDOM_LONGEST_RUN, 128, 0 },
		{ HF_RANDOM_DERIVATIVE, 3, 0 }, { HF_RANDOM_DERIVATIVE, 7, 0 },
		{ HF_RANDOM_AUTOCORRELATION, 2, 0 }, { HF_RANDOM_AUTOCORRELATION, 8, 0 },
		{ HF_RANDOM_AUTOCORRELATION, 16, 0 },
		{ HF_RANDOM_CUSUM, 0, 0 },
		{ HF_RANDOM_ENTROPY, 2, 0 }, { HF_RANDOM_ENTROPY, 5, 0 },
		{ HF_RANDOM_FOURIER, 0, 0 },
	} },
};

/* GM/T 0005-2021 clause 6 and Annex A; GM/T 0062-2018 clause 9. */
static const struct {
	const char *name;
	size_t n_bits;
	uint32_t n_samples;
	size_t n_bits_min;
} sets[HF_RANDOM_SETS] = {
	[HF_RANDOM_FULL]     = { "full",     1000000,        1000, BITS_MIN },
	[HF_RANDOM_FACTORY]  = { "factory",  1000000,        50,   BITS_MIN },
	[HF_RANDOM_POWER_ON] = { "power-on", 1000000,        20,   BITS_MIN },
	[HF_RANDOM_PERIODIC] = { "periodic", BITS_MIN,       20,   BITS_MIN },
	[HF_RANDOM_SINGLE]   = { "single",   SINGLE_DEFAULT, 1,    SINGLE_MIN },
};
/* clang-format on */

const char *hf_random_name(enum hf_random_test test)
{
	return tests[test].name;
}

unsigned hf_random_n_values(enum hf_random_test test)
{
	return tests[test].part[1] == NULL ? 1 : 2;
}

const char *hf_random_part(enum hf_random_test test, unsigned i)
{
	return tests[test].part[i];
}

void hf_random_params(char text[32], const struct hf_random_item *item)
{
	const struct test *t = &tests[item->test];

	text[0] = '\0';
	if (t->param != NULL && item->q == 0)
		(void)snprintf(text, 32, "%s=%" PRIu32, t->param, item->m);
	else if (t->param != NULL)
		(void)snprintf(text, 32, "%s=%" PRIu32 " Q=%" PRIu32, t->param, item->m, item->q);
}

hf_err hf_random_init(struct hf_random *r, const struct hf_mem *mem)
{
	memset(r, 0, sizeof(*r));
	r->mem = mem;
	r->counts = hf_mem_array(mem, COUNTS, sizeof(*r->counts));
	return r->counts == NULL ? HF_ERR_NO_MEMORY : HF_OK;
}

void hf_random_clear(struct hf_random *r)
{
	if (r->mem != NULL)
		hf_mem_free(r->mem, r->counts);
	hf_fft_free(r->fft);
	memset(r, 0, sizeof(*r));
}

/* Two arrays of the transform; with other factors than 2, 3 and 5 the worst is five times that. */
uint64_t hf_random_memory(size_t n)
{
	size_t rest = n;
	uint64_t points;

	while (rest % 2 == 0)
		rest /= 2;
	while (rest % 3 == 0)
		rest /= 3;
	while (rest % 5 == 0)
		rest /= 5;
	points = rest == 1 ? n : (uint64_t)n * 7;
	return n / 4 + (n % 2 == 0 ? points / 2 : points) * 2 * sizeof(struct hf_complex) +
	       COUNTS * sizeof(uint32_t);
}

hf_err hf_random_run(struct hf_random *r, const struct hf_random_item *item,
	const struct hf_bits *b, struct hf_random_value values[HF_RANDOM_VALUES_MAX])
{
	const struct test *t = &tests[item->test];

	if (item->m < t->m_min || item->m > t->m_max || b->n == 0 || b->n > HF_RANDOM_BITS_MAX)
		return HF_ERR_ARG;
	return t->run(r, item, b, values);
}

struct hf_random_value hf_random_normal(double v)
{
	return (struct hf_random_value){ erfc(fabs(v) / sqrt(2)), erfc(v / sqrt(2)) / 2 };
}

struct hf_random_value hf_random_chi(double a, double v)
{
	double p = hf_igamc(a, v / 2);

	return (struct hf_random_value){ p, p };
}

double hf_random_off(double got, double expected)
{
	return (got - expected) * (got - expected) / expected;
}

const char *hf_random_set_name(enum hf_random_set set)
{
	return sets[set].name;
}

/* Poker of the widest hand that comes five times for each of its values. */
static void plan_single(struct hf_random_plan *p)
{
	uint32_t m = p->n_bits >= 10240 ? 8 : p->n_bits >= 320 ? 4 : 2;

	p->item[p->n_items++] = (struct hf_random_item){ HF_RANDOM_POKER, m, 0 };
}

/* GM/T 0062-2018: the periodic check takes short samples, and leaves out what needs long ones. */
static bool is_in(enum hf_random_set set, enum hf_random_test test)
{
	return set != HF_RANDOM_PERIODIC ||
	       (test != HF_RANDOM_FOURIER && test != HF_RANDOM_COMPLEXITY &&
		       test != HF_RANDOM_UNIVERSAL);
}

hf_err hf_random_plan(
	struct hf_random_plan *p, enum hf_random_set set, size_t n_bits, uint32_t n_samples)
{
	const struct row *row = rows;

	memset(p, 0, sizeof(*p));
	p->n_bits = n_bits == 0 ? sets[set].n_bits : n_bits;
	p->n_samples = n_samples == 0 ? sets[set].n_samples : n_samples;
	if (p->n_bits < sets[set].n_bits_min || p->n_bits > HF_RANDOM_BITS_MAX ||
		p->n_samples > SAMPLES_MAX)
		return HF_ERR_ARG;
	if (set == HF_RANDOM_SINGLE) {
		plan_single(p);
		return HF_OK;
	}
	while (row->n_bits > p->n_bits)
		row++;
	for (size_t i = 0; i < row->n_items; i++)
		if (is_in(set, row->item[i].test))
			p->item[p->n_items++] = row->item[i];
	if (set == HF_RANDOM_PERIODIC && row->n_bits == BITS_MIN)
		p->item[p->n_items++] = (struct hf_random_item){ HF_RANDOM_RANK, 0, 0 };
	return HF_OK;
}

void hf_random_count(struct hf_random_tally *t, struct hf_random_value v)
{
	size_t bin = v.q >= 1 ? HF_RANDOM_BINS - 1 : (size_t)(fmax(0, v.q) * HF_RANDOM_BINS);

	t->p_min = t->n == 0 || v.p < t->p_min ? v.p : t->p_min;
	t->n++;
	t->passed += v.p >= HF_RANDOM_ALPHA;
	t->bin[bin]++;
}

uint64_t hf_random_need(uint64_t n)
{
	double a = HF_RANDOM_ALPHA;

	if (n == 0)
		return 0;
	return (uint64_t)ceil((double)n * (1 - a - 3 * sqrt(a * (1 - a) / (double)n)));
}

double hf_random_uniformity(const struct hf_random_tally *t)
{
	double expected = (double)t->n / HF_RANDOM_BINS;
	double v = 0;

	if (t->n == 0)
		return 1;
	for (size_t i = 0; i < HF_RANDOM_BINS; i++)
		v += hf_random_off((double)t->bin[i], expected);
	return hf_igamc((HF_RANDOM_BINS - 1) / 2.0, v / 2);
}

bool hf_random_is_passed(const struct hf_random_tally *t)
{
	return t->passed >= hf_random_need(t->n) && hf_random_uniformity(t) >= HF_RANDOM_ALPHA_T;
}
