/* SPDX-License-Identifier: Apache-2.0 */
/* layer: pkg */
/* Inventories: items in ascending order, as many as were counted, and one encoding. */
#include "object.h"

#include "pkg/receipt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_bytes content = content_of(HF_OBJECT_INVENTORY, data, len);
	struct hf_inventory_item last = { .release = 0 };
	struct hf_inventory_item item;
	struct hf_inventory inv;
	struct hf_bytes rest;
	struct hf_buf again;
	size_t n = 0;

	if (hf_inventory_parse(&inv, content, NULL) != HF_OK)
		return 0;
	rest = inv.items;
	for (; hf_inventory_item_take(&item, &rest) == HF_OK; n++) {
		int order = strcmp(last.lineage, item.lineage);

		must(order < 0 || (order == 0 && last.release < item.release));
		last = item;
	}
	must(n == inv.n_items && n <= HF_INVENTORY_ITEMS_MAX && rest.len == 0);
	hf_buf_init(&again, &test_mem, 8 << 20);
	must(hf_inventory_emit(&again, &inv, NULL) == HF_OK);
	must_equal(&again, content);
	return 0;
}
