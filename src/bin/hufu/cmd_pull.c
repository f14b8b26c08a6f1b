/* SPDX-License-Identifier: Apache-2.0 */
/* hufu pull: has the node of this machine bring a model, and waits for it if asked. */
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "os/heap.h"
#include "pki/name.h"
#include "progress.h"
#include "svc/local.h"
#include "svc/local_client.h"
#include "view.h"

struct pulling {
	struct hufu_progress bar;
	bool is_quiet;
	struct hf_local_progress last;
};

static void on_progress(void *ctx, const struct hf_local_progress *p)
{
	struct pulling *pull = ctx;

	/* What the node is stuck at is worth a line of its own, once. */
	if (!pull->is_quiet && p->why[0] != '\0' && strcmp(p->why, pull->last.why) != 0) {
		hufu_progress_end(&pull->bar);
		hufu_line(stderr, "hufu pull: %s, retrying", p->why);
	}
	pull->last = *p;
	hufu_progress_show(&pull->bar, p->bytes_done, p->bytes);
}

static hf_err print(const char *name, const struct hf_local_progress *p, bool has_waited,
	bool is_json, struct hf_errinfo *ei)
{
	struct hufu_view v;

	hufu_view_begin(&v, is_json);
	hufu_view_str(&v, "lineage", name);
	if (has_waited) {
		hufu_view_str(&v, "step", p->step);
		hufu_view_u64(&v, "release", p->release);
		hufu_view_u64(&v, "chunks", p->chunks_done);
		hufu_view_len(&v, "bytes", p->bytes_done);
		hufu_view_len(&v, "bytes_twice", p->bytes_twice);
	} else {
		hufu_view_str(&v, "step", "asked");
	}
	return hufu_view_done(&v, ei);
}

static hf_err pull(const struct hufu_args *a, struct hf_errinfo *ei)
{
	struct pulling p = { .is_quiet = hufu_has(a, "quiet") };
	struct hf_local_question q = { .what = "pull",
		.lineage = a->arg[0],
		.wait = hufu_has(a, "wait"),
		.on_progress = on_progress,
		.ctx = &p };
	struct hf_local_progress done = { .release = 0 };
	struct hf_buf answer;
	hf_err e;

	if (!hf_id_is_valid(q.lineage))
		return hf_fail(ei, HF_ERR_ARG,
			"'%s': the name of a model is of letters, digits, '.', '_' and '-'",
			q.lineage);
	hf_buf_init(&answer, hf_os_mem(), HF_LOCAL_MESSAGE_MAX);
	hufu_progress_init(&p.bar, "pulling", p.is_quiet);
	e = hf_local_ask(&answer, hf_os_mem(), hf_local_dir(hufu_arg(a, "node")), &q, ei);
	hufu_progress_end(&p.bar);
	if (e == HF_OK)
		e = hf_local_progress_parse(&done, (struct hf_bytes){ answer.p, answer.len }, ei);
	if (e == HF_OK)
		e = print(q.lineage, &done, q.wait, hufu_has(a, "json"), ei);
	hf_buf_clear(&answer);
	return e;
}

int hufu_run_pull(const struct hufu_args *a, struct hf_errinfo *ei)
{
	return hufu_exit(pull(a, ei), ei);
}
