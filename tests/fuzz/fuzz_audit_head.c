/* SPDX-License-Identifier: Apache-2.0 */
/* layer: audit */
#include <stdint.h>

#include "test.h"

#include "audit/head.h"
#include "crypto/module.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hf_sm2_pub no_key;
	struct hf_audit_head head;

	if (hf_module_start(0) != HF_OK)
		abort();
	if (hf_audit_head_parse(&head, data, size, &no_key) == HF_OK)
		abort();
	return 0;
}
