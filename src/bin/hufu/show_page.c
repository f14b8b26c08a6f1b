/* SPDX-License-Identifier: Apache-2.0 */
/* Objects that are no statements: pages of a package, wrapped keys. Only what is public. */
#include <string.h>

#include "base/rd.h"
#include "keys/blob.h"
#include "keys/slots.h"
#include "pkg/index.h"
#include "pkg/table.h"
#include "show.h"

static void show_name(struct hufu_view *v, enum hf_object kind, struct hf_bytes page)
{
	uint8_t name[HF_SM3_LEN];
	char path[HF_OBJECT_PATH_MAX];

	hf_object_name(name, page.p, page.len);
	hf_object_path(path, kind, name);
	hufu_view_str(v, "object", path);
}

hf_err hufu_show_table(
	struct hufu_view *v, struct hf_bytes page, bool with_chunks, struct hf_errinfo *ei)
{
	struct hf_table_page t;
	struct hf_place place;
	hf_err e = hf_table_page_parse(&t, page.p, page.len);

	if (e != HF_OK)
		return hf_fail(ei, e, "table page: %s", hf_err_text(e));
	hufu_view_str(v, "kind", "table");
	show_name(v, HF_OBJECT_TABLE, page);
	hufu_view_u64(v, "page", t.page);
	hufu_view_u64(v, "first_pack", t.first_pack);
	hufu_view_u64(v, "packs", t.n_packs);
	hufu_view_u64(v, "entries", t.n_entries);
	if (!with_chunks)
		return HF_OK;
	hufu_view_list(v, "chunks");
	for (uint32_t i = 0; i < t.n_entries; i++) {
		hf_table_page_get(&t, i, &place);
		hufu_view_row(v);
		hufu_view_u64(v, "chunk", (uint64_t)t.page * HF_PAGE_ENTRIES + i);
		hufu_view_u64(v, "pack", place.pack);
		hufu_view_u64(v, "offset", place.offset);
		hufu_view_u64(v, "len", place.len);
		hufu_view_hex(v, "cid", place.cid, HF_SM3_LEN);
		hufu_view_end(v);
	}
	hufu_view_end(v);
	return HF_OK;
}

hf_err hufu_show_index(struct hufu_view *v, struct hf_bytes page, struct hf_errinfo *ei)
{
	struct hf_reader r = { .p = page.p, .left = page.len };
	uint32_t no;
	uint32_t n;

	(void)hf_rd_take(&r, HF_INDEX_MAGIC_LEN);
	no = hf_rd_u32(&r);
	n = hf_rd_u32(&r);
	if (r.is_short || n > HF_PAGE_ENTRIES ||
		r.left != (size_t)n * HF_INDEX_ENTRY_LEN + HF_GCM_TAG_LEN)
		return hf_fail(ei, HF_ERR_FORMAT, "index page: its length is not that of its head");
	hufu_view_str(v, "kind", "index");
	show_name(v, HF_OBJECT_INDEX, page);
	hufu_view_u64(v, "page", no);
	hufu_view_u64(v, "entries", n);
	hufu_view_bool(v, "sealed", true);
	return HF_OK;
}

hf_err hufu_show_blob(struct hufu_view *v, struct hf_bytes blob, struct hf_errinfo *ei)
{
	static const struct {
		unsigned bit;
		const char *name;
	} usages[] = { { HF_KEY_SIGN, "sign" }, { HF_KEY_DECRYPT, "decrypt" },
		{ HF_KEY_WRAP, "wrap" }, { HF_KEY_DERIVE, "derive" }, { HF_KEY_ISSUE, "issue" } };
	struct hf_blob_info info;
	hf_err e = hf_blob_parse(&info, blob.p, blob.len);

	if (e != HF_OK)
		return hf_fail(ei, e, "key blob: %s", hf_err_text(e));
	hufu_view_str(v, "kind", "wrapped key");
	hufu_view_hex(v, "key_id", info.key_id, sizeof(info.key_id));
	hufu_view_u64(v, "key_version", info.key_version);
	hufu_view_u64(v, "tier", info.tier);
	hufu_view_u64(v, "level", info.level);
	hufu_view_list(v, "usage");
	for (size_t i = 0; i < sizeof(usages) / sizeof(usages[0]); i++)
		if ((info.usage & usages[i].bit) != 0)
			hufu_view_str(v, NULL, usages[i].name);
	hufu_view_end(v);
	hufu_view_time(v, "not_before", info.not_before);
	if (info.not_after != UINT64_MAX)
		hufu_view_time(v, "not_after", info.not_after);
	hufu_view_text(
		v, "context", (struct hf_bytes){ (const uint8_t *)info.context, info.context_len });
	return HF_OK;
}

hf_err hufu_show_slots(struct hufu_view *v, struct hf_bytes slots, struct hf_errinfo *ei)
{
	struct hf_slots s;
	hf_err e = hf_slots_parse(&s, slots.p, slots.len);

	if (e != HF_OK)
		return hf_fail(ei, e, "key slots: %s", hf_err_text(e));
	hufu_view_str(v, "kind", "key slots of a root seed");
	hufu_view_hex(v, "key_id", s.key_id, sizeof(s.key_id));
	hufu_view_u64(v, "key_version", s.version);
	hufu_view_hex(v, "check_value", s.kcv, sizeof(s.kcv));
	hufu_view_list(v, "slots");
	for (size_t i = 0; i < s.n_slots; i++) {
		hufu_view_row(v);
		if (s.slot[i].kind == HF_SLOT_SHAMIR) {
			hufu_view_str(v, "kind", "shares");
			hufu_view_hex(v, "set", s.slot[i].set, sizeof(s.slot[i].set));
		} else {
			hufu_view_str(v, "kind", "passphrase");
			hufu_view_u64(v, "iterations", s.slot[i].iterations);
		}
		hufu_view_end(v);
	}
	hufu_view_end(v);
	return HF_OK;
}
