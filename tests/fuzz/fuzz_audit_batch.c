/* SPDX-License-Identifier: Apache-2.0 */
/* layer: audit */
/* Any bytes as one batch: first the form alone, then through the verifier. */
#include <stdint.h>

#include "test.h"

#include "audit/verify.h"
#include "crypto/module.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hf_audit_verify v = { 0 };
	struct hf_audit_batch b = { 0 };
	struct hf_errinfo ei = { 0 };

	if (hf_module_start(0) != HF_OK)
		abort();
	if (hf_audit_batch_parse(&b, data, size) == HF_OK && b.payload_len > size)
		abort();
	if (hf_audit_verify_init(&v, &test_mem, "edge-07", NULL, 0) == HF_OK)
		(void)!hf_audit_verify_batch(&v, data, size, &ei);
	hf_audit_verify_clear(&v);
	return 0;
}
