/* SPDX-License-Identifier: Apache-2.0 */
/* What an errno means to a caller: the one place where it becomes an hf_err. */
#ifndef HF_OS_SYS_H
#define HF_OS_SYS_H

#include "base/err.h"

/*
 * The code of an errno. Full disk, quota or file-size limit: HF_ERR_FULL. No right, read-only, or a
 * symbolic link where none may be: HF_ERR_PERMISSION. Missing, or a path through a file:
 * HF_ERR_NOT_FOUND. Everything without a meaning of its own: HF_ERR_IO. 0 is HF_ERR_INTERNAL.
 */
hf_err hf_sys_err(int sys);

/*
 * Records "<what>: <text of the errno>" with its code and errno, and returns the code. ei may be
 * NULL.
 */
hf_err hf_sys_fail(struct hf_errinfo *ei, int sys, const char *fmt, ...) HF_PRINTF(3, 4);

#endif
