/* SPDX-License-Identifier: Apache-2.0 */
/* layer: codec */
/* Any bytes as a PROXY header; what is accepted is written and read again as it was. */
#include <stdlib.h>
#include <string.h>

#include "codec/proxy2.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t bytes[HF_PROXY2_MAX];
	struct hf_writer w = { .p = bytes, .cap = sizeof(bytes) };
	struct hf_proxy2 p;
	struct hf_proxy2 again;

	if (hf_proxy2_parse(&p, data, len) != HF_OK)
		return 0;
	hf_proxy2_emit(&w, &p);
	if (hf_wr_done(&w) != HF_OK || hf_proxy2_parse(&again, bytes, w.len) != HF_OK ||
		memcmp(&p, &again, sizeof(p)) != 0)
		abort();
	return 0;
}
