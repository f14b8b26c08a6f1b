/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that gets its name when it is complete. Where the file system can do it, it has none
 * before: whatever ends the process, nothing is left. Elsewhere it is a temporary file beside the
 * name (hf_file_temp), which a killed process leaves behind. Codes as in os/file.h; ei may be NULL.
 */
#ifndef HF_OS_DRAFT_H
#define HF_OS_DRAFT_H

#include <stdbool.h>

#include "base/err.h"
#include "os/file.h"

struct hf_draft {
	int fd;                      /* to write to; -1 when empty */
	char temp[HF_FILE_PATH_MAX]; /* the name it has until then; "": none */
};

#define HF_DRAFT_EMPTY ((struct hf_draft){ .fd = -1 })

/* Makes one in the directory of path; mode is set exactly. */
HF_MUST_USE hf_err hf_draft_open(
	struct hf_draft *d, const char *path, unsigned mode, struct hf_errinfo *ei);

/* The same where no file can be without a name. */
HF_MUST_USE hf_err hf_draft_open_named(
	struct hf_draft *d, const char *path, unsigned mode, struct hf_errinfo *ei);

/*
 * Makes it durable and gives it the name, which was given to hf_draft_open(). HF_ERR_EXISTS: there
 * is a file of this name, and may_replace is false. The draft is then still one.
 */
HF_MUST_USE hf_err hf_draft_commit(
	struct hf_draft *d, const char *path, bool may_replace, struct hf_errinfo *ei);

/* Ends it. What was not committed is gone; HF_OK unless the temporary file cannot be deleted. */
HF_MUST_USE hf_err hf_draft_close(struct hf_draft *d, struct hf_errinfo *ei);

#endif
