/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Byte ranges of RFC 9110 14, in the one form the node API uses: a single closed range of bytes.
 * Everything else is refused, not ignored: whoever sends it is not one of ours.
 */
#ifndef HF_HTTP_RANGE_H
#define HF_HTTP_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { HF_RANGE_TEXT = 80 }; /* bytes that hold either text, with its terminator */

/* first .. last, both included; last >= first. */
struct hf_range {
	uint64_t first;
	uint64_t last;
	uint64_t total; /* length of the whole object; only in an answer */
};

/*
 * Reads the value of "range": bytes=FIRST-LAST. HF_ERR_UNSUPPORTED: open ended, from the end, or
 * several. HF_ERR_FORMAT: no range. total is 0. On failure *out is unchanged.
 */
HF_MUST_USE hf_err hf_range_parse(struct hf_range *out, const char *text, size_t text_len);

/* Reads the value of "content-range": bytes FIRST-LAST/TOTAL, with LAST below TOTAL. */
HF_MUST_USE hf_err hf_range_answer_parse(struct hf_range *out, const char *text, size_t text_len);

/* Write the two values. first and last must be in order; total above last. */
void hf_range_emit(char text[HF_RANGE_TEXT], const struct hf_range *r);
void hf_range_answer_emit(char text[HF_RANGE_TEXT], const struct hf_range *r);

#endif
