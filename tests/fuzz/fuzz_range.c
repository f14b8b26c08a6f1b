/* SPDX-License-Identifier: Apache-2.0 */
/* layer: http */
/* Any text as a range and as an answer's range; what is accepted is written back as it was. */
#include <stdlib.h>
#include <string.h>

#include "http/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;
	char back[HF_RANGE_TEXT];
	struct hf_range r;

	if (hf_range_parse(&r, text, len) == HF_OK) {
		hf_range_emit(back, &r);
		if (strlen(back) != len || memcmp(back, text, len) != 0)
			abort();
	}
	if (hf_range_answer_parse(&r, text, len) == HF_OK) {
		hf_range_answer_emit(back, &r);
		if (strlen(back) != len || memcmp(back, text, len) != 0 || r.total <= r.last)
			abort();
	}
	return 0;
}
