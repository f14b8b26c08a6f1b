/* SPDX-License-Identifier: Apache-2.0 */
/* Sending data up (hufu/upload.h). */
#include <hufu/upload.h>

#include "base/attr.h"
#include "sdk/sdk_err.h"
#include "svc/env.h"
#include "svc/local.h"
#include "svc/local_client.h"
#include "svc/push_seal.h"

_Static_assert((int)HUFU_UPLOAD_INCREMENT == (int)HF_UPLOAD_INCREMENT, "kinds are the same");
_Static_assert((int)HUFU_UPLOAD_RECORDS == (int)HF_UPLOAD_RECORDS, "kinds are the same");
_Static_assert((int)HUFU_UPLOAD_OTHER == (int)HF_UPLOAD_OTHER, "kinds are the same");

/* Has the node look into its outbox now. One that does not listen will find it there later. */
static void nudge(const struct hf_env *env, const char *dir)
{
	struct hf_local_question q = { .what = "push" };
	struct hf_buf answer;

	hf_buf_init(&answer, env->mem, HF_LOCAL_MESSAGE_MAX);
	(void)!hf_local_ask(&answer, env->mem, dir, &q, NULL);
	hf_buf_clear(&answer);
}

static hf_err push(const struct hufu_upload *upload, uint64_t *counter, struct hf_errinfo *ei)
{
	struct hf_push_spec spec = { .dir = hf_local_dir(upload->node_dir),
		.files = upload->files,
		.n_files = upload->n_files,
		.kind = (enum hf_upload_kind)upload->kind,
		.lineage = upload->lineage == NULL ? "" : upload->lineage,
		.release = upload->release };
	struct hf_push_result result;
	struct hf_env env;
	hf_err e;

	HF_TRY(hf_sdk_start(ei));
	e = hf_env_init(&env, hf_sdk_workers(), ei);
	if (e == HF_OK)
		e = hf_push_seal(&env, &spec, &result, ei);
	if (e == HF_OK) {
		nudge(&env, spec.dir);
		if (counter != NULL)
			*counter = result.counter;
	}
	hf_env_clear(&env);
	return e;
}

HF_EXPORT int hufu_push(
	const struct hufu_upload *upload, uint64_t *counter, struct hufu_error *error)
{
	struct hf_errinfo ei = { .code = HF_OK };

	return hf_sdk_result(push(upload, counter, &ei), &ei, error);
}
