/* SPDX-License-Identifier: Apache-2.0 */
/* layer: audit */
/* What parses is written again byte for byte, and has a line of JSON. */
#include <stdint.h>

#include "test.h"

#include "audit/record.h"
#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t again[HF_RECORD_MAX];
	struct hf_audit_record r = { 0 };
	struct hf_buf line;
	size_t len = 0;

	if (hf_audit_record_parse(&r, data, size) != HF_OK)
		return 0;
	if (hf_audit_record_emit(again, sizeof(again), &len, &r) != HF_OK || len != size ||
		memcmp(again, data, size) != 0)
		abort();
	hf_buf_init(&line, &test_mem, 1 << 20);
	if (hf_audit_record_json(&line, &r, "log", NULL, "subject") != HF_OK)
		abort();
	hf_buf_clear(&line);
	return 0;
}
