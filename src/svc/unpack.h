/* SPDX-License-Identifier: Apache-2.0 */
/* An opened release as files in a folder: all of them, whole, or none. */
#ifndef HF_SVC_UNPACK_H
#define HF_SVC_UNPACK_H

#include "base/err.h"
#include "pkg/index.h"
#include "svc/env.h"
#include "svc/release.h"
#include "svc/work.h"

/*
 * Opens all files of a release into dir, which is made if it is missing. Files are readable by
 * their owner only; stretches of zeros take no space. keys: as hf_release_open().
 * HF_ERR_DENIED: the level forbids plaintext on a disk (row package.memory-only). HF_ERR_EXISTS: a
 * file is there already; nothing is ever overwritten. Errors of hf_release_open and of writing. On
 * failure no file of it is left in dir, nor dir itself if it was made here.
 */
HF_MUST_USE hf_err hf_unpack(const struct hf_env *env, const struct hf_release *r,
	const struct hf_index_keys *keys, const char *dir, const struct hf_work_progress *progress,
	struct hf_errinfo *ei);

#endif
