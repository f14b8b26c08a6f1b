/* SPDX-License-Identifier: Apache-2.0 */
/* layer: pkg */
/* Table pages: every entry lies inside a pack that the page names and is as long as a chunk can be.
 */
#include "object.h"

#include "pkg/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_table_page t;
	struct hf_place p;

	if (hf_table_page_parse(&t, data, len) != HF_OK)
		return 0;
	must(t.n_entries <= HF_PAGE_ENTRIES && t.n_packs <= HF_TABLE_PACKS_MAX);
	must(len == HF_TABLE_HEAD_LEN + (size_t)t.n_packs * HF_TABLE_PACK_LEN +
			    (size_t)t.n_entries * HF_TABLE_ENTRY_LEN);
	for (uint32_t i = 0; i < t.n_entries; i++) {
		hf_table_page_get(&t, i, &p);
		must(p.pack_len <= HF_PACK_MAX && p.len <= p.pack_len &&
			p.offset <= p.pack_len - p.len);
		must(p.len > HF_CHUNK_TAG_LEN && p.len <= HF_CHUNK_SEALED_MAX);
		must(p.pack - t.first_pack < t.n_packs);
	}
	return 0;
}
