/* SPDX-License-Identifier: Apache-2.0 */
/* layer: svc */
/* Any bytes as a node's progress: read within their bounds, or refused without a change. */
#include <stdlib.h>
#include <string.h>

#include "svc/local_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_local_progress p = { .release = 77 };
	struct hf_local_progress before = p;

	if (hf_local_progress_parse(&p, (struct hf_bytes){ data, len }, NULL) != HF_OK) {
		if (memcmp(&p, &before, sizeof(p)) != 0)
			abort();
	} else if (strlen(p.step) >= sizeof(p.step) || strlen(p.why) >= sizeof(p.why)) {
		abort();
	}
	return 0;
}
