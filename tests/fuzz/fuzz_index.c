/* SPDX-License-Identifier: Apache-2.0 */
/* layer: pkg */
/*
 * Index pages: entries that are accepted have one encoding; no bytes are a page unless they were
 * sealed as that page; what was sealed comes back.
 */
#include "object.h"

#include "pkg/index.h"

enum { PAGE = 3, N_MAX = 8 };

static void init_keys(struct hf_index_keys *keys)
{
	static const uint8_t cek[HF_CEK_LEN] = { 1 };
	static const uint8_t salt[HF_PKG_SALT_LEN] = { 2 };
	struct hf_pkg_scope scope = { .suite = HF_SUITE_SM4_GCM, .release = 7 };
	uint8_t commitment[HF_SM3_LEN];

	must(hf_module_start(0) == HF_OK);
	must(hf_index_keys_init(keys, commitment, cek, salt, &scope) == HF_OK);
}

static void try_entries(const uint8_t *data, size_t n)
{
	uint8_t again[HF_INDEX_ENTRY_LEN];
	struct hf_chunk c;

	for (size_t i = 0; i < n; i++, data += HF_INDEX_ENTRY_LEN) {
		if (hf_index_entry_get(&c, data) != HF_OK)
			continue;
		must(c.plain_len > 0 && c.plain_len <= HF_CHUNK_PLAIN_MAX &&
			c.encoded_len <= HF_CHUNK_PLAIN_MAX);
		hf_index_entry_put(again, &c);
		must(memcmp(again, data, sizeof(again)) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct hf_index_keys keys;
	static bool has_keys;
	static uint8_t entries[HF_PAGE_ENTRIES * HF_INDEX_ENTRY_LEN];
	uint8_t page[HF_INDEX_HEAD_LEN + N_MAX * HF_INDEX_ENTRY_LEN + HF_GCM_TAG_LEN];
	size_t n = len / HF_INDEX_ENTRY_LEN;
	size_t page_len;
	uint32_t got;

	if (!has_keys)
		init_keys(&keys);
	has_keys = true;
	must(hf_index_page_open(entries, &got, &keys, PAGE, data, len) != HF_OK);
	try_entries(data, n);
	n = n > N_MAX ? N_MAX : n;
	if (n == 0)
		return 0;
	page_len = HF_INDEX_HEAD_LEN + n * HF_INDEX_ENTRY_LEN + HF_GCM_TAG_LEN;
	must(hf_index_page_seal(page, &keys, PAGE, data, (uint32_t)n) == HF_OK);
	must(hf_index_page_open(entries, &got, &keys, PAGE, page, page_len) == HF_OK);
	must(got == n && memcmp(entries, data, n * HF_INDEX_ENTRY_LEN) == 0);
	must(hf_index_page_open(entries, &got, &keys, PAGE + 1, page, page_len) != HF_OK);
	page[data[0] % page_len] ^= 1;
	must(hf_index_page_open(entries, &got, &keys, PAGE, page, page_len) != HF_OK);
	return 0;
}
