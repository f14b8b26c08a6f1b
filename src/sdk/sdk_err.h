/* SPDX-License-Identifier: Apache-2.0 */
/* What all of the library needs: a started module, and our errors as those of the headers. */
#ifndef HF_SDK_SDK_ERR_H
#define HF_SDK_SDK_ERR_H

#include <hufu/err.h>

#include "base/err.h"

/* Starts the module if it is not, and says why it cannot be used. */
HF_MUST_USE hf_err hf_sdk_start(struct hf_errinfo *ei);

/* Threads that are worth having for chunks on this machine. */
unsigned hf_sdk_workers(void);

/* Copies the cause of e into *error, which may be NULL, unless e is HF_OK; gives e's number. */
int hf_sdk_result(hf_err e, const struct hf_errinfo *ei, struct hufu_error *error);

#endif
