/* SPDX-License-Identifier: Apache-2.0 */
/* hufu seal: files in, one signed and sealed bundle out. */
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "pkg/manifest.h"
#include "progress.h"
#include "svc/seal.h"
#include "view.h"

enum { DAY_S = 86400, DAYS_DEFAULT = 365, DAYS_MAX = 36500 };

/* Longest life that the level allows, in days, at most the usual one. */
static uint64_t days_default(enum hf_level level)
{
	uint64_t most = hf_policy(HF_ROW_PACKAGE_EXPIRY, level) / DAY_S;

	return most < DAYS_DEFAULT ? most : DAYS_DEFAULT;
}

static hf_err read_spec(struct hf_seal_spec *spec, const char *parties[HF_SEAL_PARTIES_MAX],
	const struct hufu_args *a, struct hf_errinfo *ei)
{
	const char *version = hufu_arg(a, "version");
	uint64_t level = HF_L1;
	uint64_t days = 0;
	const char *dir;
	size_t at = 0;

	spec->parties = parties;
	while ((dir = hufu_arg_next(a, "as", &at)) != NULL) {
		if (spec->n_parties == HF_SEAL_PARTIES_MAX)
			return hf_fail(
				ei, HF_ERR_ARG, "more than %d publishers", HF_SEAL_PARTIES_MAX);
		parties[spec->n_parties++] = dir;
	}
	spec->files = a->arg;
	spec->n_files = a->n_args;
	spec->out = hufu_arg(a, "out");
	spec->lineage = hufu_arg(a, "lineage");
	spec->version = version == NULL ? "" : version;
	if (spec->n_parties == 0)
		return hf_fail(ei, HF_ERR_ARG, "--as is missing: the folder of a publisher");
	if (spec->lineage == NULL)
		return hf_fail(ei, HF_ERR_ARG, "--lineage is missing: which model is this?");
	if (!hufu_has(a, "release"))
		return hf_fail(ei, HF_ERR_ARG, "--release is missing: a counter, from 1");
	if (spec->out == NULL || spec->out[0] == '\0')
		return hf_fail(ei, HF_ERR_ARG, "--out is missing: the bundle to be written");
	if (strlen(spec->version) > HF_MANIFEST_NAME_MAX)
		return hf_fail(ei, HF_ERR_ARG, "--version: at most %d bytes", HF_MANIFEST_NAME_MAX);
	HF_TRY(hufu_arg_u64(a, "release", 0, 1, UINT64_MAX, &spec->release, ei));
	HF_TRY(hufu_arg_u64(a, "floor", 0, 0, spec->release, &spec->floor, ei));
	HF_TRY(hufu_arg_u64(a, "epoch", 1, 1, UINT64_MAX, &spec->epoch, ei));
	HF_TRY(hufu_arg_u64(a, "level", HF_L1, HF_L1, HF_L3, &level, ei));
	spec->level = (enum hf_level)level;
	HF_TRY(hufu_arg_u64(a, "expires", days_default(spec->level), 1, DAYS_MAX, &days, ei));
	spec->life_s = days * DAY_S;
	spec->no_dedupe = hufu_has(a, "no-dedupe");
	spec->no_compress = hufu_has(a, "no-compress");
	return HF_OK;
}

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
	hufu_view_u64(&v, "files", spec->n_files);
	hufu_view_u64(&v, "chunks", r->n_chunks);
	hufu_view_len(&v, "plain_len", r->plain_len);
	hufu_view_len(&v, "sealed_len", r->sealed_len);
	return hufu_view_done(&v, ei);
}

int hufu_run_seal(const struct hufu_args *a, struct hf_errinfo *ei)
{
	const char *parties[HF_SEAL_PARTIES_MAX];
	struct hf_seal_spec spec = { .n_parties = 0 };
	struct hf_seal_result result = { .n_chunks = 0 };
	struct hufu_progress progress;
	struct hf_env env;
	hf_err e = read_spec(&spec, parties, a, ei);

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
