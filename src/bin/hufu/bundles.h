/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle, and beside it those of earlier releases that it takes chunks from (--base). */
#ifndef HF_BIN_HUFU_BUNDLES_H
#define HF_BIN_HUFU_BUNDLES_H

#include "base/err.h"
#include "cmd.h"
#include "svc/base.h"
#include "svc/bundle_file.h"

struct hufu_bundles {
	struct hf_bundle_file file[1 + HF_BASE_BUNDLES_MAX]; /* the bundle, then its bases */
	struct hf_objects part[1 + HF_BASE_BUNDLES_MAX];
	struct hf_objects_set set;
	struct hf_objects all;
	uint8_t manifest[HF_SM3_LEN]; /* of the bundle */
};

/* Opens path and every --base. End it with hufu_bundles_close(), also after a failure. */
HF_MUST_USE hf_err hufu_bundles_open(struct hufu_bundles *b, const struct hf_env *env,
	const char *path, const struct hufu_args *a, struct hf_errinfo *ei);
void hufu_bundles_close(struct hufu_bundles *b);

/* What to do where a part of a release was found nowhere; e is why opening it failed. */
hf_err hufu_bundles_hint(const struct hufu_bundles *b, hf_err e, struct hf_errinfo *ei);

#endif
