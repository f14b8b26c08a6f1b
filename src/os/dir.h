/* SPDX-License-Identifier: Apache-2.0 */
/* Directories. Codes as in os/file.h; ei may be NULL everywhere. */
#ifndef HF_OS_DIR_H
#define HF_OS_DIR_H

#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

/*
 * Makes path and what is missing above it, all with mode (the umask does not matter), durable. A
 * directory that is there already is HF_OK and keeps its mode. HF_ERR_NOT_FOUND: leads through a
 * file.
 */
HF_MUST_USE hf_err hf_dir_make(const char *path, unsigned mode, struct hf_errinfo *ei);

/*
 * HF_ERR_PERMISSION, with what to do: path is no directory of root or of the user that this process
 * acts as, or others may write to it, who could then put a file of theirs in the place of ours.
 */
HF_MUST_USE hf_err hf_dir_check_own(const char *path, struct hf_errinfo *ei);

/* Deletes an empty directory. HF_ERR_EXISTS: it is not empty. */
HF_MUST_USE hf_err hf_dir_delete(const char *path, struct hf_errinfo *ei);

/*
 * Deletes a directory with everything in it, at most 8 folders deep; symbolic links are not
 * followed. After a failure part of it may be gone.
 */
HF_MUST_USE hf_err hf_dir_delete_all(
	const struct hf_mem *mem, const char *path, struct hf_errinfo *ei);

/* Makes renames, new names and deletions in the directory durable. */
HF_MUST_USE hf_err hf_dir_sync(const char *path, struct hf_errinfo *ei);

/* The same for the directory that holds path. */
HF_MUST_USE hf_err hf_dir_sync_above(const char *path, struct hf_errinfo *ei);

/*
 * Calls each for every name except . and .., in byte order, with at most max names (more are
 * HF_ERR_LIMIT before the first call). What each returns other than HF_OK ends the walk and is
 * returned. each may delete what it is shown.
 */
HF_MUST_USE hf_err hf_dir_list(const struct hf_mem *mem, const char *path, size_t max,
	hf_err (*each)(void *ctx, const char *name), void *ctx, struct hf_errinfo *ei);

/* Bytes that an ordinary process may still write to the file system of path. */
HF_MUST_USE hf_err hf_dir_free_bytes(uint64_t *bytes, const char *path, struct hf_errinfo *ei);

#endif
