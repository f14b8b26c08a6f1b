/* SPDX-License-Identifier: Apache-2.0 */
/* hufu push: seals files to the hub into the outbox of the node of this machine. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "cmd.h"
#include "progress.h"
#include "seal_args.h"
#include "svc/local.h"
#include "svc/local_client.h"
#include "svc/push_seal.h"
#include "view.h"

static hf_err read_kind(enum hf_upload_kind *kind, const char *text, struct hf_errinfo *ei)
{
	static const struct {
		const char *name;
		enum hf_upload_kind kind;
	} kinds[] = {
		{ "increment", HF_UPLOAD_INCREMENT },
		{ "records", HF_UPLOAD_RECORDS },
		{ "other", HF_UPLOAD_OTHER },
	};

	for (size_t i = 0; i < HF_COUNT(kinds); i++) {
		if (text == NULL || strcmp(text, kinds[i].name) == 0) {
			*kind = kinds[i].kind;
			return HF_OK;
		}
	}
	return hf_fail(ei, HF_ERR_ARG, "--kind: increment, records or other, not '%s'", text);
}

/* The release of a lineage that is active here, out of the node's status; 0: none. */
static uint64_t find_active(const struct hf_buf *status, const char *lineage)
{
	json_t *root = json_loadb((const char *)status->p, status->len, 0, NULL);
	json_t *list = json_object_get(root, "lineages");
	uint64_t release = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *row = json_array_get(list, i);
		const char *name = json_string_value(json_object_get(row, "name"));
		const char *step = json_string_value(json_object_get(row, "step"));
		json_int_t n = json_integer_value(json_object_get(row, "release"));

		if (name != NULL && step != NULL && strcmp(name, lineage) == 0 &&
			strcmp(step, "active") == 0 && n > 0)
			release = (uint64_t)n;
	}
	json_decref(root);
	return release;
}

/* Which release it belongs to: what was said, else the one that is active here. */
static hf_err read_release(struct hf_push_spec *spec, const struct hf_env *env,
	const struct hufu_args *a, struct hf_errinfo *ei)
{
	struct hf_local_question q = { .what = "status" };
	struct hf_buf answer;
	hf_err e;

	HF_TRY(hufu_arg_u64(a, "release", 0, 1, UINT64_MAX, &spec->release, ei));
	if (spec->release != 0 || spec->lineage[0] == '\0')
		return HF_OK;
	hf_buf_init(&answer, env->mem, HF_LOCAL_MESSAGE_MAX);
	e = hf_local_ask(&answer, env->mem, spec->dir, &q, ei);
	if (e == HF_OK)
		spec->release = find_active(&answer, spec->lineage);
	hf_buf_clear(&answer);
	if (e == HF_OK && spec->release == 0)
		e = hf_fail(ei, HF_ERR_NOT_FOUND,
			"no release of %s is active here; --release says which one is meant",
			spec->lineage);
	return e;
}

/* Has the node look now; it will find the upload anyway. */
static void nudge(const struct hf_env *env, const char *dir, bool is_quiet)
{
	struct hf_local_question q = { .what = "push" };
	struct hf_errinfo why = { .code = HF_OK };
	struct hf_buf answer;

	hf_buf_init(&answer, env->mem, HF_LOCAL_MESSAGE_MAX);
	if (hf_local_ask(&answer, env->mem, dir, &q, &why) != HF_OK && !is_quiet)
		fprintf(stderr, "hufu push: it waits in the outbox until the node sends it: %s\n",
			why.text);
	hf_buf_clear(&answer);
}

static hf_err print(const struct hf_push_spec *spec, const struct hf_push_result *r, bool is_json,
	struct hf_errinfo *ei)
{
	char path[HF_OBJECT_PATH_MAX];
	struct hufu_view v;

	hf_object_path(path, HF_OBJECT_UPLOAD, r->upload);
	hufu_view_begin(&v, is_json);
	hufu_view_str(&v, "upload", path);
	hufu_view_u64(&v, "counter", r->counter);
	if (spec->lineage[0] != '\0') {
		hufu_view_str(&v, "lineage", spec->lineage);
		hufu_view_u64(&v, "release", spec->release);
	}
	hufu_view_u64(&v, "files", r->notes.n_files);
	hufu_view_len(&v, "plain_len", r->plain_len);
	hufu_view_len(&v, "sealed_len", r->sealed_len);
	hufu_show_notes(&v, &r->notes);
	return hufu_view_done(&v, ei);
}

static hf_err push(struct hf_env *env, const struct hufu_args *a, struct hf_errinfo *ei)
{
	const char *lineage = hufu_arg(a, "lineage");
	struct hf_push_result result;
	struct hufu_progress bar;
	struct hf_push_spec spec = { .dir = hf_local_dir(hufu_arg(a, "node")),
		.files = a->arg,
		.n_files = a->n_args,
		.lineage = lineage == NULL ? "" : lineage,
		.progress = { .show = hufu_progress_show,
			.is_stopped = hufu_progress_is_stopped,
			.ctx = &bar } };
	hf_err e;

	HF_TRY(read_kind(&spec.kind, hufu_arg(a, "kind"), ei));
	if (lineage == NULL && hufu_has(a, "release"))
		return hf_fail(ei, HF_ERR_ARG, "--release of which --lineage?");
	HF_TRY(read_release(&spec, env, a, ei));
	hufu_progress_init(&bar, "sealing", hufu_has(a, "quiet"));
	e = hufu_progress_can_stop(&bar, ei);
	if (e == HF_OK)
		e = hf_push_seal(env, &spec, &result, ei);
	hufu_progress_end(&bar);
	HF_TRY(e);
	nudge(env, spec.dir, hufu_has(a, "quiet"));
	return print(&spec, &result, hufu_has(a, "json"), ei);
}

int hufu_run_push(const struct hufu_args *a, struct hf_errinfo *ei)
{
	struct hf_env env;
	hf_err e = hufu_start(&env, ei);

	if (e != HF_OK)
		return hufu_exit(e, ei);
	e = push(&env, a, ei);
	hf_env_clear(&env);
	return hufu_exit(e, ei);
}
