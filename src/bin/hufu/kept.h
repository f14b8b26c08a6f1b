/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a publisher keeps of the releases that it published, for the next one to take from:
 * <publisher>/bases/<lineage>.<manifest, 16 digits>.hufu. Bundles go when the newest release needs
 * no pack of theirs.
 */
#ifndef HF_BIN_HUFU_KEPT_H
#define HF_BIN_HUFU_KEPT_H

#include "base/err.h"
#include "svc/base.h"
#include "svc/release.h"

struct hufu_kept {
	char path[HF_BASE_BUNDLES_MAX][HF_PATH_MAX];
	const char *list[HF_BASE_BUNDLES_MAX];
	size_t n;
	bool is_full; /* there are more */
};

/* The bundles of a lineage; none is no failure. */
HF_MUST_USE hf_err hufu_kept_list(struct hufu_kept *k, const struct hf_env *env,
	const char *publisher, const char *lineage, struct hf_errinfo *ei);

/*
 * Keeps the bundle at path, which holds this release, under its name, and deletes those that it
 * does not need.
 */
HF_MUST_USE hf_err hufu_kept_put(const struct hf_env *env, const char *publisher, const char *path,
	const struct hf_release *r, struct hf_errinfo *ei);

#endif
