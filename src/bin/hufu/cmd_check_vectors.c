/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hufu check vectors: runs files of test vectors against what is built in, and tells per file and
 * algorithm how many cases passed, failed or were skipped, and why. The findings are the output; a
 * file that cannot be read is an error, and the other files are still run.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "codec/json_wr.h"
#include "os/heap.h"
#include "vec_run.h"
#include "view.h"

enum {
	ALGS_MAX = 64,    /* rows of the table, at most */
	REASONS_MAX = 32, /* different reasons of one file; further ones are counted as one */
	JSON_MAX = 64 * 1024 * 1024 /* bytes of the report */
};

struct counts {
	uint64_t passed;
	uint64_t failed;
	uint64_t skipped;
};

struct reason {
	const struct vec_alg *alg;
	char why[VEC_WHY_MAX];
	uint64_t n;
};

/* What a run has found so far; the file's part starts over with each file. */
struct report {
	bool is_json;
	struct hf_buf buf;
	struct hf_json_wr j;
	struct counts all;
	size_t n_unreadable;
	size_t n_left_out;

	struct vec_file file;
	struct counts sum;
	struct counts alg[ALGS_MAX]; /* by the first row of that name */
	struct reason reason[REASONS_MAX];
	size_t n_reasons;
};

static void count(struct counts *c, enum vec_outcome outcome)
{
	if (outcome == VEC_PASSED)
		c->passed++;
	else if (outcome == VEC_FAILED)
		c->failed++;
	else
		c->skipped++;
}

/* The first row of the table that has this name. */
static size_t row_of(const struct vec_alg *alg)
{
	size_t n = 0;
	size_t i = 0;
	const struct vec_alg *table = vec_alg_table(&n);

	while (i + 1 < ALGS_MAX && strcmp(table[i].name, alg->name) != 0)
		i++;
	return i;
}

static void add_reason(struct report *p, const struct vec_alg *alg, const char *why)
{
	struct reason *at = p->reason;

	while (at < p->reason + p->n_reasons && (at->alg != alg || strcmp(at->why, why) != 0))
		at++;
	if (at == p->reason + REASONS_MAX) {
		at--;
		(void)snprintf(at->why, sizeof(at->why), "this and other reasons");
	} else if (at == p->reason + p->n_reasons) {
		p->n_reasons++;
		at->alg = alg;
		at->n = 0;
		(void)snprintf(at->why, sizeof(at->why), "%s", why);
	}
	at->n++;
}

/* What a case calls itself; its line is told besides. */
static const char *case_name(const struct vec_run *r)
{
	static const char *const names[] = { "Id", "TcId", "CurveText" };

	for (size_t i = 0; i < HF_COUNT(names); i++)
		if (vec_text(r, names[i]) != NULL)
			return vec_text(r, names[i]);
	return "case";
}

static void tell_failure(struct report *p, const struct vec_alg *alg, const struct vec_run *r)
{
	struct hf_json_wr *j = &p->j;

	if (!p->is_json) {
		hufu_line(stdout, "%s:%u: %s %s: FAILED: %s", p->file.path, r->c->line, alg->name,
			case_name(r), r->why);
		return;
	}
	hf_json_wr_object(j);
	hf_json_wr_key(j, "line");
	hf_json_wr_u64(j, r->c->line);
	hf_json_wr_key(j, "algorithm");
	hf_json_wr_str(j, alg->name);
	hf_json_wr_key(j, "case");
	hf_json_wr_str(j, case_name(r));
	hf_json_wr_key(j, "why");
	hf_json_wr_str(j, r->why);
	hf_json_wr_end(j);
}

static void run_case(struct report *p)
{
	const struct vec_alg *alg = vec_alg_of(&p->file);
	struct vec_run r;

	vec_run_init(&r, &p->file, alg);
	if (alg->run == NULL)
		vec_skip(&r, "%s", alg->why);
	else if (vec_alg_lacks(alg, r.c))
		vec_fail(&r, "is called so and has not all of %s", alg->fields);
	else
		alg->run(&r);
	vec_run_end(&r);
	count(&p->sum, r.outcome);
	count(&p->alg[row_of(alg)], r.outcome);
	if (r.outcome == VEC_SKIPPED)
		add_reason(p, alg, r.why);
	if (r.outcome == VEC_FAILED)
		tell_failure(p, alg, &r);
}

/* Runs every case of a file. An error of the file itself is in ei. */
static hf_err run_file(struct report *p, const char *path, struct hf_errinfo *ei)
{
	hf_err e = vec_file_open(&p->file, path, ei);

	while (e == HF_OK) {
		e = vec_file_next(&p->file, ei);
		if (e == HF_OK)
			run_case(p);
	}
	if (e == HF_ERR_NOT_FOUND && ei->code == HF_OK)
		e = HF_OK;
	if (e == HF_OK && p->sum.passed + p->sum.failed + p->sum.skipped == 0)
		e = hf_fail(ei, HF_ERR_FORMAT, "%s: holds no case", path);
	return e;
}

static void json_counts(struct hf_json_wr *j, const struct counts *c)
{
	hf_json_wr_key(j, "passed");
	hf_json_wr_u64(j, c->passed);
	hf_json_wr_key(j, "failed");
	hf_json_wr_u64(j, c->failed);
	hf_json_wr_key(j, "skipped");
	hf_json_wr_u64(j, c->skipped);
}

static bool is_named(const struct counts *c)
{
	return c->passed + c->failed + c->skipped > 0;
}

static void json_algs(struct report *p)
{
	size_t n = 0;
	const struct vec_alg *table = vec_alg_table(&n);
	struct hf_json_wr *j = &p->j;

	hf_json_wr_key(j, "algorithms");
	hf_json_wr_array(j);
	for (size_t i = 0; i < n; i++) {
		if (!is_named(&p->alg[i]))
			continue;
		hf_json_wr_object(j);
		hf_json_wr_key(j, "name");
		hf_json_wr_str(j, table[i].name);
		json_counts(j, &p->alg[i]);
		hf_json_wr_key(j, "reasons");
		hf_json_wr_array(j);
		for (size_t k = 0; k < p->n_reasons; k++) {
			if (row_of(p->reason[k].alg) != i)
				continue;
			hf_json_wr_object(j);
			hf_json_wr_key(j, "why");
			hf_json_wr_str(j, p->reason[k].why);
			hf_json_wr_key(j, "cases");
			hf_json_wr_u64(j, p->reason[k].n);
			hf_json_wr_end(j);
		}
		hf_json_wr_end(j);
		hf_json_wr_end(j);
	}
	hf_json_wr_end(j);
}

static void print_algs(const struct report *p)
{
	size_t n = 0;
	const struct vec_alg *table = vec_alg_table(&n);

	for (size_t i = 0; i < n; i++) {
		const struct counts *c = &p->alg[i];

		if (!is_named(c))
			continue;
		printf("%-32s %-18s %5" PRIu64 " passed %4" PRIu64 " failed %4" PRIu64 " skipped\n",
			vec_file_base(&p->file), table[i].name, c->passed, c->failed, c->skipped);
		for (size_t k = 0; k < p->n_reasons; k++)
			if (row_of(p->reason[k].alg) == i)
				printf("%-32s   skipped %" PRIu64 ": %s\n", "", p->reason[k].n,
					p->reason[k].why);
	}
}

/* One file: run it, tell what it gave, add it to the sum. */
static void report_file(struct report *p, const char *path)
{
	struct hf_errinfo ei = { .code = HF_OK };
	struct hf_json_wr *j = &p->j;
	hf_err e;

	memset(&p->sum, 0, sizeof(p->sum));
	memset(p->alg, 0, sizeof(p->alg));
	p->n_reasons = 0;
	if (p->is_json) {
		hf_json_wr_object(j);
		hf_json_wr_key(j, "file");
		hf_json_wr_str(j, path);
		hf_json_wr_key(j, "failures");
		hf_json_wr_array(j);
	}
	e = run_file(p, path, &ei);
	if (p->is_json) {
		hf_json_wr_end(j);
		json_algs(p);
		json_counts(j, &p->sum);
		hf_json_wr_key(j, "error");
		hf_json_wr_str(j, e == HF_OK ? NULL : ei.text);
		hf_json_wr_end(j);
	} else {
		print_algs(p);
	}
	if (e != HF_OK) {
		hufu_line(stderr, "hufu check vectors: %s", ei.text);
		p->n_unreadable++;
	}
	p->all.passed += p->sum.passed;
	p->all.failed += p->sum.failed;
	p->all.skipped += p->sum.skipped;
	vec_file_close(&p->file);
}

static hf_err finish_json(struct report *p, struct hf_errinfo *ei)
{
	hf_json_wr_end(&p->j);
	json_counts(&p->j, &p->all);
	hf_json_wr_key(&p->j, "left_out");
	hf_json_wr_u64(&p->j, p->n_left_out);
	hf_json_wr_end(&p->j);
	if (hf_json_wr_done(&p->j) != HF_OK)
		return hf_fail(ei, HF_ERR_LIMIT,
			"the report is longer than %d bytes; check fewer files", JSON_MAX);
	(void)fwrite(p->buf.p, 1, p->buf.len, stdout);
	(void)putchar('\n');
	return HF_OK;
}

/* Folders of vectors have one, and "*.txt" means it too. */
static bool is_readme(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;

	return strcmp(name, "README") == 0 || strcmp(name, "README.md") == 0 ||
	       strcmp(name, "README.txt") == 0;
}

/* Says so: nothing of what was given is passed over in silence. */
static void leave_out(struct report *p, const char *path)
{
	p->n_left_out++;
	hufu_line(stderr, "hufu check vectors: %s: left out: it tells about files", path);
}

static int verdict(const struct report *p, struct hf_errinfo *ei)
{
	if (p->all.failed > 0)
		return HUFU_EXIT_FOUND;
	if (p->n_unreadable > 0)
		return hf_err_exit(HF_ERR_FORMAT);
	if (p->all.passed > 0)
		return 0;
	(void)hf_fail(ei, HF_ERR_FORMAT,
		"nothing was checked: %" PRIu64 " cases were skipped, %zu files left out",
		p->all.skipped, p->n_left_out);
	return HUFU_EXIT_FOUND;
}

static int run_all(struct report *p, const struct hufu_args *a, struct hf_errinfo *ei)
{
	if (p->is_json) {
		p->j = hf_json_wr(&p->buf);
		hf_json_wr_object(&p->j);
		hf_json_wr_key(&p->j, "files");
		hf_json_wr_array(&p->j);
	}
	for (size_t i = 0; i < a->n_args; i++)
		if (is_readme(a->arg[i]))
			leave_out(p, a->arg[i]);
		else
			report_file(p, a->arg[i]);
	if (!p->is_json)
		printf("%-32s %-18s %5" PRIu64 " passed %4" PRIu64 " failed %4" PRIu64 " skipped\n",
			"all", "", p->all.passed, p->all.failed, p->all.skipped);
	else if (finish_json(p, ei) != HF_OK)
		return hf_err_exit(ei->code);
	return verdict(p, ei);
}

int hufu_run_check_vectors(const struct hufu_args *a, struct hf_errinfo *ei)
{
	struct report *p = hf_mem_new(hf_os_mem(), sizeof(*p));
	int status;

	if (p == NULL)
		return hf_err_exit(hf_fail(ei, HF_ERR_NO_MEMORY, "no memory for the report"));
	p->is_json = hufu_has(a, "json");
	hf_buf_init(&p->buf, hf_os_mem(), JSON_MAX);
	status = run_all(p, a, ei);
	hf_buf_clear(&p->buf);
	hf_mem_free(hf_os_mem(), p);
	return status;
}
