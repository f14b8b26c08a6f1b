/* SPDX-License-Identifier: Apache-2.0 */
/* layer: pkg */
/* Receipts: fields in their ranges, and one encoding. */
#include "object.h"

#include "pkg/receipt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_bytes content = content_of(HF_OBJECT_RECEIPT, data, len);
	struct hf_receipt r;
	struct hf_buf again;

	if (hf_receipt_parse(&r, content, NULL) != HF_OK)
		return 0;
	must(r.action >= HF_RECEIPT_VERIFIED && r.action <= HF_RECEIPT_OPENED);
	must(hf_id_is_valid(r.domain) && hf_id_is_valid(r.device) && hf_id_is_valid(r.lineage));
	hf_buf_init(&again, &test_mem, 1 << 20);
	must(hf_receipt_emit(&again, &r, NULL) == HF_OK);
	must_equal(&again, content);
	return 0;
}
