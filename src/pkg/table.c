/* SPDX-License-Identifier: Apache-2.0 */
/* Reading table pages, and ids of packs. Pages are written by pkg_writer.c. */
#include "pkg/table.h"

#include <string.h>

#include "base/endian.h"
#include "base/rd.h"
#include "pkg/label.h"

void hf_pack_id_init(struct hf_pack_id *p)
{
	hf_sm3_init(&p->sm3);
	hf_sm3_feed(&p->sm3, HF_LABEL_PACK, HF_LABEL_LEN);
}

void hf_pack_id_add(struct hf_pack_id *p, const uint8_t cid[HF_SM3_LEN], uint32_t len)
{
	uint8_t be[4];

	hf_put_be32(be, len);
	hf_sm3_feed(&p->sm3, cid, HF_SM3_LEN);
	hf_sm3_feed(&p->sm3, be, sizeof(be));
}

void hf_pack_id_done(struct hf_pack_id *p, uint8_t id[HF_SM3_LEN])
{
	hf_sm3_done(&p->sm3, id);
}

static uint32_t pack_len(const struct hf_table_page *t, uint32_t pack)
{
	return hf_get_be32(t->packs + (size_t)pack * HF_TABLE_PACK_LEN + HF_SM3_LEN);
}

static hf_err check_entries(const struct hf_table_page *t)
{
	for (uint32_t i = 0; i < t->n_packs; i++)
		if (pack_len(t, i) == 0 || pack_len(t, i) > HF_PACK_MAX)
			return HF_ERR_FORMAT;
	for (uint32_t i = 0; i < t->n_entries; i++) {
		const uint8_t *p = t->entries + (size_t)i * HF_TABLE_ENTRY_LEN + HF_SM3_LEN;
		uint32_t pack = hf_get_be32(p);
		uint64_t offset = hf_get_be32(p + 4);
		uint32_t len = hf_get_be32(p + 8);

		if (pack < t->first_pack || pack - t->first_pack >= t->n_packs)
			return HF_ERR_FORMAT;
		if (len <= HF_CHUNK_TAG_LEN || len > HF_CHUNK_SEALED_MAX ||
			offset + len > pack_len(t, pack - t->first_pack))
			return HF_ERR_FORMAT;
	}
	return HF_OK;
}

hf_err hf_table_page_parse(struct hf_table_page *t, const uint8_t *in, size_t in_len)
{
	struct hf_reader r = { .p = in, .left = in_len };
	struct hf_table_page v = { 0 };
	const uint8_t *magic = hf_rd_take(&r, HF_TABLE_MAGIC_LEN);

	v.page = hf_rd_u32(&r);
	v.first_pack = hf_rd_u32(&r);
	v.n_packs = hf_rd_u32(&r);
	v.n_entries = hf_rd_u32(&r);
	if (magic != NULL && memcmp(magic, HF_TABLE_MAGIC, HF_TABLE_MAGIC_LEN) != 0)
		return HF_ERR_FORMAT;
	if (v.n_packs > HF_TABLE_PACKS_MAX || v.n_entries > HF_PAGE_ENTRIES ||
		v.first_pack > UINT32_MAX - v.n_packs)
		return HF_ERR_FORMAT;
	v.packs = hf_rd_take(&r, (size_t)v.n_packs * HF_TABLE_PACK_LEN);
	v.entries = hf_rd_take(&r, (size_t)v.n_entries * HF_TABLE_ENTRY_LEN);
	HF_TRY(hf_rd_done(&r));
	if (v.n_packs == 0 || v.n_entries == 0)
		return HF_ERR_FORMAT;
	HF_TRY(check_entries(&v));
	*t = v;
	return HF_OK;
}

void hf_table_page_get(const struct hf_table_page *t, uint32_t i, struct hf_place *out)
{
	const uint8_t *p = t->entries + (size_t)i * HF_TABLE_ENTRY_LEN;
	const uint8_t *pack;

	memcpy(out->cid, p, HF_SM3_LEN);
	out->pack = hf_get_be32(p + HF_SM3_LEN);
	out->offset = hf_get_be32(p + HF_SM3_LEN + 4);
	out->len = hf_get_be32(p + HF_SM3_LEN + 8);
	pack = t->packs + (size_t)(out->pack - t->first_pack) * HF_TABLE_PACK_LEN;
	memcpy(out->pack_id, pack, HF_SM3_LEN);
	out->pack_len = hf_get_be32(pack + HF_SM3_LEN);
}

bool hf_table_pack_is_whole(const struct hf_table_page *t, uint32_t pack)
{
	const uint8_t *p = t->packs + (size_t)pack * HF_TABLE_PACK_LEN;
	struct hf_pack_id sum;
	struct hf_place place;
	uint8_t id[HF_SM3_LEN];
	uint64_t at = 0;

	hf_pack_id_init(&sum);
	for (uint32_t i = 0; i < t->n_entries; i++) {
		hf_table_page_get(t, i, &place);
		if (place.pack != t->first_pack + pack)
			continue;
		if (place.offset != at)
			return false;
		hf_pack_id_add(&sum, place.cid, place.len);
		at += place.len;
	}
	hf_pack_id_done(&sum, id);
	return at == hf_get_be32(p + HF_SM3_LEN) && memcmp(id, p, HF_SM3_LEN) == 0;
}
