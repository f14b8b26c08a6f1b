/* SPDX-License-Identifier: Apache-2.0 */
/* layer: http */
/* Any body of an answer that failed: a code of ours comes out, and words that can be printed. */
#include <stdlib.h>
#include <string.h>

#include "http/api.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_errinfo ei = { .code = HF_OK };
	hf_err e = hf_api_answer(409, data, len, &ei);

	if (e == HF_OK || ei.code != e || ei.text[0] == '\0' ||
		strcmp(hf_err_name(e), "unknown") == 0)
		abort();
	for (const char *c = ei.text; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			abort();
	return 0;
}
