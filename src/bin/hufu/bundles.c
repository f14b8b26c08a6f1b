/* SPDX-License-Identifier: Apache-2.0 */
#include "bundles.h"

#include <stdio.h>
#include <string.h>

hf_err hufu_bundles_open(struct hufu_bundles *b, const struct hf_env *env, const char *path,
	const struct hufu_args *a, struct hf_errinfo *ei)
{
	size_t at = 0;

	for (size_t i = 0; i <= HF_BASE_BUNDLES_MAX; i++)
		b->file[i] = HF_BUNDLE_FILE_EMPTY;
	b->set = (struct hf_objects_set){ .of = b->part };
	b->all = hf_objects_joined(&b->set);
	for (const char *one = path; one != NULL; one = hufu_arg_next(a, "base", &at)) {
		if (b->set.n > HF_BASE_BUNDLES_MAX)
			return hf_fail(ei, HF_ERR_ARG, "--base: at most %d", HF_BASE_BUNDLES_MAX);
		HF_TRY(hf_bundle_file_open(&b->file[b->set.n], env, one, ei));
		b->part[b->set.n] = hf_bundle_file_objects(&b->file[b->set.n]);
		b->set.n++;
	}
	return hf_objects_only(b->manifest, &b->part[0], HF_OBJECT_MANIFEST, ei);
}

void hufu_bundles_close(struct hufu_bundles *b)
{
	for (size_t i = 0; i < b->set.n; i++)
		hf_bundle_file_close(&b->file[i]);
	b->set.n = 0;
}

hf_err hufu_bundles_hint(const struct hufu_bundles *b, hf_err e, struct hf_errinfo *ei)
{
	size_t len = strlen(ei->text);

	if (e == HF_ERR_NOT_FOUND && b->set.n > 0 && len < sizeof(ei->text))
		(void)snprintf(ei->text + len, sizeof(ei->text) - len,
			"; an increment needs the bundles of the releases before it (--base)");
	return e;
}
