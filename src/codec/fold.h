/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names as a file system sees them that tells neither upper from lower case nor composed from
 * decomposed characters: two names with equal keys are one file there. Not covered: characters that
 * only look alike, and those younger than the table.
 */
#ifndef HF_CODEC_FOLD_H
#define HF_CODEC_FOLD_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { HF_FOLD_MAX = 4 }; /* code points of a key for one of a name, at most */

/*
 * The key of a name in valid UTF-8, as code points; *n is how many of cap are used.
 * HF_ERR_FORMAT: no UTF-8. HF_ERR_LIMIT: more than cap.
 */
HF_MUST_USE hf_err hf_fold(
	uint32_t *out, size_t cap, size_t *n, const uint8_t *name, size_t name_len);

#endif
