/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hufu check random: the tests of GM/T 0005-2021 on a file, or on a generator of this machine, and
 * the verdict over all samples. The findings are the output.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "codec/json_wr.h"
#include "os/entropy.h"
#include "os/file.h"
#include "os/heap.h"
#include "random_check.h"
#include "view.h"

enum {
	STDIN = 0,
	JSON_MAX = 1 << 20, /* bytes of the report */
	DECIMALS = 6,       /* of P and Q, as the standard prints them */
	VALUES_MODE = 0666, /* less the umask */
};

/* What was asked for. */
struct asked {
	const char *source; /* file, or which generator */
	enum hf_random_set set;
	uint32_t n_standard; /* samples that the set asks for */
	bool is_live;
	bool is_json;
};

static hf_err parse_set(enum hf_random_set *set, const char *name, struct hf_errinfo *ei)
{
	*set = HF_RANDOM_FULL;
	if (name == NULL)
		return HF_OK;
	for (unsigned i = 0; i < HF_RANDOM_SETS; i++) {
		*set = (enum hf_random_set)i;
		if (strcmp(hf_random_set_name(*set), name) == 0)
			return HF_OK;
	}
	return hf_fail(ei, HF_ERR_ARG,
		"--set %s: there are full, factory, power-on, periodic and single", name);
}

static hf_err make_plan(
	struct hufu_random *c, struct asked *q, const struct hufu_args *a, struct hf_errinfo *ei)
{
	uint64_t bits = 0;
	uint64_t samples = 0;

	HF_TRY(parse_set(&q->set, hufu_arg(a, "set"), ei));
	HF_TRY(hufu_arg_u64(a, "sample-bits", 0, 1, UINT32_MAX, &bits, ei));
	HF_TRY(hufu_arg_u64(a, "samples", 0, 1, UINT32_MAX, &samples, ei));
	if (hf_random_plan(&c->plan, q->set, (size_t)bits, (uint32_t)samples) != HF_OK)
		return hf_fail(ei, HF_ERR_ARG,
			"set %s takes samples of %d to %d bits, at most 1000000 of them",
			hf_random_set_name(q->set), q->set == HF_RANDOM_SINGLE ? 128 : 20000,
			HF_RANDOM_BITS_MAX);
	c->n_samples = c->plan.n_samples;
	c->is_short_ok = samples == 0;
	q->n_standard = samples == 0 ? c->n_samples : 0;
	return HF_OK;
}

/* Where samples come from. A file of known length tells at once how many it has. */
static hf_err open_source(
	struct hufu_random *c, struct asked *q, const struct hufu_args *a, struct hf_errinfo *ei)
{
	const char *which = hufu_arg(a, "source");
	struct hf_file_stat st;
	uint64_t n;

	if (q->is_live == (a->n_args == 1))
		return hf_fail(ei, HF_ERR_ARG, "either a file or --live");
	if (q->is_live) {
		bool is_system = which != NULL && strcmp(which, "system") == 0;

		if (which != NULL && !is_system && strcmp(which, "module") != 0)
			return hf_fail(
				ei, HF_ERR_ARG, "--source %s: there are module and system", which);
		q->source = is_system ? "system" : "module";
		c->rng = is_system ? hf_os_rng() : c->env->rng;
		return HF_OK;
	}
	if (which != NULL)
		return hf_fail(ei, HF_ERR_ARG, "--source goes with --live");
	q->source = a->arg[0];
	if (strcmp(q->source, "-") == 0) {
		q->source = "standard input";
		c->fd = STDIN;
		return HF_OK;
	}
	HF_TRY(hf_file_open(&c->fd, q->source,
		HF_FILE_READ | HF_FILE_FOLLOW | HF_FILE_SEQUENTIAL | HF_FILE_WAIT, 0, ei));
	HF_TRY(hf_file_fstat(&st, c->fd, ei));
	n = st.size / ((c->plan.n_bits + 7) / 8);
	if (st.is_file && n < c->n_samples && (n == 0 || !c->is_short_ok))
		return hf_fail(ei, HF_ERR_TRUNCATED,
			"%s: %" PRIu64 " bytes are %" PRIu64 " samples of %zu bits, %" PRIu32
			" are needed; see --samples",
			q->source, st.size, n, c->plan.n_bits, c->is_short_ok ? 1 : c->n_samples);
	if (st.is_file && n < c->n_samples)
		c->n_samples = (uint32_t)n;
	return HF_OK;
}

static hf_err open_values(struct hufu_random *c, const struct hufu_args *a, struct hf_errinfo *ei)
{
	static const char head[] = "sample,test,parameters,part,p,q\n";
	const char *path = hufu_arg(a, "values");

	if (path == NULL)
		return HF_OK;
	HF_TRY(hf_file_open(&c->values_fd, path, HF_FILE_WRITE | HF_FILE_NEW | HF_FILE_FOLLOW,
		VALUES_MODE & ~hf_file_umask(), ei));
	return hf_file_write(c->values_fd, head, sizeof(head) - 1, ei);
}

static void json_decimal(struct hf_json_wr *j, const char *key, double v)
{
	hf_json_wr_key(j, key);
	hf_json_wr_fixed(j, (uint64_t)llround(v * 1e6), DECIMALS);
}

static void json_u64(struct hf_json_wr *j, const char *key, uint64_t v)
{
	hf_json_wr_key(j, key);
	hf_json_wr_u64(j, v);
}

static void json_str(struct hf_json_wr *j, const char *key, const char *s)
{
	hf_json_wr_key(j, key);
	hf_json_wr_str(j, s);
}

static bool is_planned(const struct hufu_random *c, unsigned test)
{
	for (size_t k = 0; k < c->plan.n_items; k++)
		if (c->plan.item[k].test == test)
			return true;
	return false;
}

/* Why the plan has not all tests. */
static const char *why_left_out(const struct asked *q)
{
	return q->set == HF_RANDOM_SINGLE
		       ? "the set single asks for one test"
		       : "the standard has no parameters for samples of fewer than 1000000 bits";
}

static void json_left_out(struct hf_json_wr *j, const struct hufu_random *c, const struct asked *q)
{
	hf_json_wr_key(j, "left_out");
	hf_json_wr_array(j);
	for (unsigned test = 0; test < HF_RANDOM_TESTS; test++) {
		if (is_planned(c, test))
			continue;
		hf_json_wr_object(j);
		json_str(j, "test", hf_random_name((enum hf_random_test)test));
		json_str(j, "why", why_left_out(q));
		hf_json_wr_end(j);
	}
	hf_json_wr_end(j);
}

static void print_left_out(const struct hufu_random *c, const struct asked *q)
{
	const char *before = "left out: ";

	for (unsigned test = 0; test < HF_RANDOM_TESTS; test++) {
		if (is_planned(c, test))
			continue;
		printf("%s%s", before, hf_random_name((enum hf_random_test)test));
		before = ", ";
	}
	if (before[0] == ',')
		printf(": %s\n", why_left_out(q));
}

static void json_row(struct hf_json_wr *j, const struct hufu_random *c, size_t k, unsigned part)
{
	const struct hf_random_item *item = &c->plan.item[k];
	const struct hufu_random_row *row = &c->row[k][part];
	char params[32];

	hf_random_params(params, item);
	hf_json_wr_object(j);
	json_u64(j, "number", item->test + 1u);
	json_str(j, "test", hf_random_name(item->test));
	json_str(j, "parameters", params);
	json_str(j, "part", hf_random_part(item->test, part));
	json_u64(j, "samples", row->tally.n);
	json_u64(j, "passed", row->tally.passed);
	json_u64(j, "needed", hf_random_need(row->tally.n));
	json_decimal(j, "least_p", row->tally.p_min);
	json_decimal(j, "last_p", row->last.p);
	json_decimal(j, "last_q", row->last.q);
	hf_json_wr_key(j, "q_tenths");
	hf_json_wr_array(j);
	for (size_t i = 0; i < HF_RANDOM_BINS; i++)
		hf_json_wr_u64(j, row->tally.bin[i]);
	hf_json_wr_end(j);
	json_decimal(j, "uniformity", hf_random_uniformity(&row->tally));
	hf_json_wr_key(j, "repeated");
	hf_json_wr_bool(j, c->is_repeated[k]);
	hf_json_wr_key(j, "pass");
	hf_json_wr_bool(j, hf_random_is_passed(&row->tally));
	hf_json_wr_end(j);
}

static hf_err print_json(const struct hufu_random *c, const struct asked *q, struct hf_errinfo *ei)
{
	struct hf_buf buf;
	struct hf_json_wr j;
	hf_err e;

	hf_buf_init(&buf, hf_os_mem(), JSON_MAX);
	j = hf_json_wr(&buf);
	hf_json_wr_object(&j);
	json_str(&j, "source", q->source);
	json_str(&j, "set", hf_random_set_name(q->set));
	json_u64(&j, "bits", c->plan.n_bits);
	json_u64(&j, "samples", c->n_done);
	hf_json_wr_key(&j, "tests");
	hf_json_wr_array(&j);
	for (size_t k = 0; k < c->plan.n_items; k++)
		for (unsigned i = 0; i < hf_random_n_values(c->plan.item[k].test); i++)
			json_row(&j, c, k, i);
	hf_json_wr_end(&j);
	json_left_out(&j, c, q);
	json_u64(&j, "failed", hufu_random_n_failed(c));
	hf_json_wr_key(&j, "pass");
	hf_json_wr_bool(&j, hufu_random_n_failed(c) == 0);
	hf_json_wr_end(&j);
	e = hf_json_wr_done(&j);
	if (e == HF_OK) {
		(void)fwrite(buf.p, 1, buf.len, stdout);
		(void)putchar('\n');
	}
	hf_buf_clear(&buf);
	return e == HF_OK ? e : hf_fail(ei, e, "the report: %s", hf_err_text(e));
}

/* Many samples are told by their sums, a single one by its values. */
static void print_row(const struct hufu_random *c, size_t k, unsigned part)
{
	const struct hf_random_item *item = &c->plan.item[k];
	const struct hf_random_tally *t = &c->row[k][part].tally;
	bool is_passed = hf_random_is_passed(t);
	char params[32];

	hf_random_params(params, item);
	printf("%2d %-20s %-14s %-9s", (int)item->test + 1, hf_random_name(item->test), params,
		hf_random_part(item->test, part));
	if (t->n == 1)
		printf(" %9.6f %9.6f", c->row[k][part].last.p, c->row[k][part].last.q);
	else
		printf(" %7" PRIu64 " of %-7" PRIu64 " %9.6f %9.6f", t->passed, t->n, t->p_min,
			hf_random_uniformity(t));
	printf("  %s", is_passed ? "pass" : "FAIL");
	if (!is_passed && t->passed >= hf_random_need(t->n))
		printf(" (Q is not uniform)");
	printf("%s\n", c->is_repeated[k] ? ", tested twice" : "");
}

static void print_text(const struct hufu_random *c, const struct asked *q)
{
	unsigned n_failed = hufu_random_n_failed(c);

	char needed[64] = "";

	if (c->n_done > 1)
		(void)snprintf(needed, sizeof(needed), ", %" PRIu64 " must pass each test",
			hf_random_need(c->n_done));
	hufu_line(stdout, "%s, set %s: %" PRIu32 " sample%s of %zu bits%s", q->source,
		hf_random_set_name(q->set), c->n_done, c->n_done == 1 ? "" : "s", c->plan.n_bits,
		needed);
	printf("%-47s", "");
	printf(c->n_done == 1 ? " %9s %9s\n" : " %18s %9s %9s\n", c->n_done == 1 ? "P" : "passed",
		c->n_done == 1 ? "Q" : "least P", "P_T of Q");
	for (size_t k = 0; k < c->plan.n_items; k++)
		for (unsigned i = 0; i < hf_random_n_values(c->plan.item[k].test); i++)
			print_row(c, k, i);
	print_left_out(c, q);
	if (c->n_done < q->n_standard)
		printf("fewer samples than the %" PRIu32 " of the standard: a weaker check\n",
			q->n_standard);
	if (n_failed == 0)
		printf("passed\n");
	else
		printf("failed: %u of %zu tests\n", n_failed, c->plan.n_items);
}

static hf_err run(
	struct hufu_random *c, struct asked *q, const struct hufu_args *a, struct hf_errinfo *ei)
{
	HF_TRY(make_plan(c, q, a, ei));
	HF_TRY(open_source(c, q, a, ei));
	HF_TRY(open_values(c, a, ei));
	HF_TRY(hufu_random_run(c, ei));
	/* GM/T 0062-2018: what failed may be tested once more, on bits that were not seen before.
	 */
	if (q->is_live && hufu_random_n_failed(c) > 0)
		HF_TRY(hufu_random_repeat(c, ei));
	if (q->is_json)
		return print_json(c, q, ei);
	print_text(c, q);
	return HF_OK;
}

int hufu_run_check_random(const struct hufu_args *a, struct hf_errinfo *ei)
{
	struct asked q = { .is_live = hufu_has(a, "live"), .is_json = hufu_has(a, "json") };
	struct hf_env env = { .mem = NULL };
	struct hufu_random *c = hf_mem_new(hf_os_mem(), sizeof(*c));
	int status;
	hf_err e;

	if (c == NULL)
		return hufu_exit(HF_ERR_NO_MEMORY, ei);
	c->fd = -1;
	c->values_fd = -1;
	c->is_quiet = hufu_has(a, "quiet");
	c->env = &env;
	e = hufu_start(&env, ei);
	if (e == HF_OK)
		e = run(c, &q, a, ei);
	hufu_random_end(c);
	hf_file_close(&c->fd);
	hf_file_close(&c->values_fd);
	status = e == HF_OK && hufu_random_n_failed(c) > 0 ? HUFU_EXIT_FOUND : hufu_exit(e, ei);
	hf_mem_free(hf_os_mem(), c);
	hf_env_clear(&env);
	return status;
}
