/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hufu selftest: everything the cryptographic module can test about itself, on demand, and what it
 * is: version, state, kernels, services. The module tells of each test; the clock is ours.
 */
#include <string.h>

#include "base/attr.h"
#include "base/wipe.h"
#include "cmd.h"
#include "crypto/drbg.h"
#include "crypto/integrity.h"
#include "crypto/module.h"
#include "crypto/service.h"
#include "crypto/sm2.h"
#include "os/clock.h"
#include "os/cpu.h"
#include "os/entropy.h"
#include "os/heap.h"
#include "view.h"

enum {
	ROWS_MAX = 64,         /* tests; kernels */
	ENTROPY_LEN = 1 << 20, /* bytes of the source that are tested */
	ENTROPY_PIECE = 4096,
	CPU_TEXT = 256,
};

/* One line of the report. */
struct outcome {
	const char *name;
	unsigned n_tests;
	bool passed;
	uint64_t us;
};

struct run {
	struct outcome tests[ROWS_MAX]; /* power-up tests, with the chosen kernels */
	size_t n_tests;
	struct hf_kernel_info kernels[ROWS_MAX];
	struct outcome with[ROWS_MAX]; /* known answers with each of them */
	size_t n_kernels;
	struct outcome more[2]; /* entropy, pair */
	size_t n_more;
	uint64_t last_ns;
};

static uint64_t lap_us(struct run *r)
{
	uint64_t now = hf_clock_mono_ns();
	uint64_t us = (now - r->last_ns) / 1000;

	r->last_ns = now;
	return us;
}

static void note(struct outcome *o, const char *name, bool passed, uint64_t us)
{
	o->passed = passed && (o->n_tests == 0 || o->passed);
	o->name = name;
	o->n_tests++;
	o->us += us;
}

/* The kernel's place in the list; a module has fewer kernels than the list has room. */
static size_t find(const struct run *r, const struct hf_kernel_info *k)
{
	size_t i = 0;

	while (i + 1 < r->n_kernels && (strcmp(r->kernels[i].primitive, k->primitive) != 0 ||
					       strcmp(r->kernels[i].name, k->name) != 0))
		i++;
	return i;
}

static void on_done(void *ctx, const char *test, const struct hf_kernel_info *kernel, bool passed)
{
	struct run *r = ctx;
	uint64_t us = lap_us(r);

	if (kernel != NULL)
		note(&r->with[find(r, kernel)], kernel->name, passed, us);
	else if (r->n_tests < ROWS_MAX)
		note(&r->tests[r->n_tests++], test, passed, us);
}

/* The source itself, and a generator that is seeded by it. */
static hf_err test_entropy(struct hf_drbg *d)
{
	const struct hf_rng source = hf_os_rng();
	struct hf_health health = { .n_run = 0 };
	uint8_t piece[ENTROPY_PIECE];
	hf_err e = HF_OK;

	for (size_t n = 0; e == HF_OK && n < ENTROPY_LEN; n += sizeof(piece)) {
		e = hf_entropy_fill(piece, sizeof(piece));
		if (e == HF_OK)
			e = hf_health_feed(&health, piece, sizeof(piece));
	}
	hf_wipe(piece, sizeof(piece));
	hf_wipe(&health, sizeof(health));
	return e == HF_OK ? hf_drbg_init(d, &source, NULL, NULL, NULL, 0) : e;
}

static hf_err test_pair(struct hf_drbg *d)
{
	const struct hf_rng rng = hf_drbg_rng(d);
	struct hf_sm2_key key;
	hf_err e = hf_sm2_key_new(&key, &rng);

	hf_sm2_key_clear(&key);
	return e;
}

static hf_err run_all(struct run *r)
{
	const struct hf_selftest_watch watch = { on_done, r };
	struct hf_drbg d = { .n_requests = 0 };
	hf_err e;

	while (r->n_kernels < ROWS_MAX &&
		hf_module_kernel_at(&r->kernels[r->n_kernels], r->n_kernels))
		r->n_kernels++;
	r->last_ns = hf_clock_mono_ns();
	HF_TRY(hf_module_selftest(&watch));
	e = test_entropy(&d);
	note(&r->more[r->n_more++], "entropy", e == HF_OK, lap_us(r));
	if (e == HF_OK) {
		e = test_pair(&d);
		note(&r->more[r->n_more++], "sm2 pair", e == HF_OK, lap_us(r));
	}
	hf_drbg_clear(&d);
	return e;
}

static const char *integrity_text(void)
{
	if (!hf_integrity_is_tested())
		return "not tested in this build";
	return strcmp(hf_module()->failed, "integrity") == 0 ? "failed" : "passed";
}

static void show_module(struct hufu_view *v)
{
	const struct hf_module *m = hf_module();
	char cpu[CPU_TEXT];

	hf_os_cpu_text(cpu, sizeof(cpu), m->cpu);
	hufu_view_str(v, "module", HF_MODULE_NAME);
	hufu_view_str(v, "version", HUFU_VERSION);
	hufu_view_str(v, "state", hf_module_state_name(m->state));
	hufu_view_bool(v, "approved", m->state == HF_MODULE_READY && m->is_approved);
	hufu_view_str(v, "integrity", integrity_text());
	if (m->failed[0] != '\0') {
		hufu_view_str(v, "failed", m->failed);
		hufu_view_str(v, "advice", hf_module_advice());
	}
	hufu_view_str(v, "processor", cpu);
}

static void show_outcome(struct hufu_view *v, const struct outcome *o)
{
	hufu_view_str(v, "result", o->n_tests == 0 ? "not run" : o->passed ? "passed" : "failed");
	if (o->n_tests > 0)
		hufu_view_u64(v, "us", o->us);
}

static void show_kernels(struct hufu_view *v, const struct run *r)
{
	hufu_view_list(v, "kernels");
	for (size_t i = 0; i < r->n_kernels; i++) {
		const struct hf_kernel_info *k = &r->kernels[i];
		char needs[CPU_TEXT];

		hf_os_cpu_text(needs, sizeof(needs), k->needs);
		hufu_view_row(v);
		hufu_view_str(v, "primitive", k->primitive);
		hufu_view_str(v, "name", k->name);
		hufu_view_str(v, "needs", needs);
		hufu_view_bool(v, "chosen", k->is_chosen);
		if ((k->needs & ~hf_module()->cpu) != 0)
			hufu_view_str(v, "result", "not for this processor");
		else if (k->is_chosen) /* the tests above ran with it */
			hufu_view_str(
				v, "result", hf_module_check() == HF_OK ? "passed" : "see tests");
		else
			show_outcome(v, &r->with[i]);
		hufu_view_end(v);
	}
	hufu_view_end(v);
}

static void show_tests(struct hufu_view *v, const char *key, const struct outcome *rows, size_t n)
{
	hufu_view_list(v, key);
	for (size_t i = 0; i < n; i++) {
		hufu_view_row(v);
		hufu_view_str(v, "name", rows[i].name);
		show_outcome(v, &rows[i]);
		hufu_view_end(v);
	}
	hufu_view_end(v);
}

/* What stands in docs/module/security-policy.md, too: for programs that compare. */
static void show_model(struct hufu_view *v)
{
	const struct hf_service *s;

	hufu_view_list(v, "services");
	for (size_t i = 0; (s = hf_service_at(i)) != NULL; i++) {
		hufu_view_row(v);
		hufu_view_str(v, "name", s->name);
		hufu_view_str(v, "role", hf_service_role(s));
		hufu_view_bool(v, "approved", hf_service_is_approved(s));
		hufu_view_bool(v, "has_standard", s->has_standard);
		hufu_view_str(v, "standard", s->standard);
		hufu_view_str(v, "test", s->test == NULL ? "" : s->test);
		hufu_view_str(v, "functions", s->functions);
		hufu_view_end(v);
	}
	hufu_view_end(v);
	hufu_view_list(v, "transitions");
	for (int from = 0; from < HF_MODULE_STATES; from++)
		for (int ev = 0; ev < HF_MODULE_EVENTS; ev++) {
			int to = hf_module_next(
				(enum hf_module_state)from, (enum hf_module_event)ev);

			if (to < 0)
				continue;
			hufu_view_row(v);
			hufu_view_str(v, "from", hf_module_state_name((enum hf_module_state)from));
			hufu_view_str(v, "event", hf_module_event_name((enum hf_module_event)ev));
			hufu_view_str(v, "to", hf_module_state_name((enum hf_module_state)to));
			hufu_view_end(v);
		}
	hufu_view_end(v);
}

int hufu_run_selftest(const struct hufu_args *a, struct hf_errinfo *ei)
{
	struct run *r = hf_mem_new(hf_os_mem(), sizeof(*r));
	struct hufu_view v;
	hf_err e;

	if (r == NULL)
		return hf_err_exit(hf_fail(ei, HF_ERR_NO_MEMORY, "no memory for the report"));
	e = hf_module_check();
	if (e == HF_OK)
		e = run_all(r);
	hufu_view_begin(&v, hufu_has(a, "json"));
	show_module(&v);
	show_tests(&v, "tests", r->tests, r->n_tests);
	show_kernels(&v, r);
	show_tests(&v, "conditional", r->more, r->n_more);
	if (hufu_has(a, "json"))
		show_model(&v);
	if (e != HF_OK)
		(void)hf_fail(ei, e, "the module failed its self-test '%s'; %s",
			hf_module()->failed, hf_module_advice());
	if (hufu_view_done(&v, ei) != HF_OK && e == HF_OK)
		e = HF_ERR_IO;
	hf_mem_free(hf_os_mem(), r);
	return hufu_exit(e, ei);
}
