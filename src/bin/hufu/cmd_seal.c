/* SPDX-License-Identifier: Apache-2.0 */
/* hufu seal: files in, one signed and sealed bundle out. */
#include "cmd.h"
#include "progress.h"
#include "seal_args.h"
#include "svc/seal.h"
#include "view.h"

static hf_err print(const struct hf_seal_spec *spec, const struct hf_seal_result *r, bool is_json,
	struct hf_errinfo *ei)
{
	char path[HF_OBJECT_PATH_MAX];
	struct hufu_view v;

	hf_object_path(path, HF_OBJECT_MANIFEST, r->manifest);
	hufu_view_begin(&v, is_json);
	hufu_view_str(&v, "bundle", spec->out);
	hufu_view_str(&v, "manifest", path);
	hufu_view_str(&v, "lineage", spec->lineage);
	hufu_view_u64(&v, "release", spec->release);
	hufu_view_u64(&v, "level", (uint64_t)spec->level);
	hufu_view_u64(&v, "signatures", spec->n_parties);
	hufu_view_time(&v, "expires", r->expires_s);
	hufu_view_u64(&v, "files", r->notes.n_files);
	hufu_view_u64(&v, "chunks", r->n_chunks);
	hufu_view_len(&v, "plain_len", r->plain_len);
	hufu_view_len(&v, "sealed_len", r->sealed_len);
	hufu_view_savings(&v, r);
	hufu_show_notes(&v, &r->notes);
	return hufu_view_done(&v, ei);
}

int hufu_run_seal(const struct hufu_args *a, struct hf_errinfo *ei)
{
	struct hufu_seal_lists lists;
	struct hf_seal_spec spec = { .n_parties = 0 };
	struct hf_seal_result result = { .n_chunks = 0 };
	struct hufu_progress progress;
	struct hf_env env;
	hf_err e = hufu_seal_args(&spec, &lists, a, ei);

	spec.out = hufu_arg(a, "out");
	if (e == HF_OK && (spec.out == NULL || spec.out[0] == '\0'))
		e = hf_fail(ei, HF_ERR_ARG, "--out is missing: the bundle to be written");
	if (e != HF_OK)
		return hufu_exit(e, ei);
	e = hufu_start(&env, ei);
	if (e != HF_OK)
		return hufu_exit(e, ei);
	hufu_progress_init(&progress, "sealing", hufu_has(a, "quiet"));
	spec.progress.show = hufu_progress_show;
	spec.progress.is_stopped = hufu_progress_is_stopped;
	spec.progress.ctx = &progress;
	e = hufu_progress_can_stop(&progress, ei);
	if (e == HF_OK)
		e = hf_seal(&env, &spec, &result, ei);
	hufu_progress_end(&progress);
	if (e == HF_OK)
		e = print(&spec, &result, hufu_has(a, "json"), ei);
	hf_env_clear(&env);
	return hufu_exit(e, ei);
}
