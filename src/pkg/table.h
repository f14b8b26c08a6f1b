/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Table pages, public: which chunk lies where. A page names the packs it uses and numbers them on
 * from first_pack, so that pack numbers are unique in a package and a page can be read alone.
 *
 *	"HFTABLE1" | u32 page | u32 first_pack | u32 n_packs | u32 n_entries
 *	n_packs   x ( id 32 | u32 length )
 *	n_entries x ( cid 32 | u32 pack | u32 offset | u32 length )
 */
#ifndef HF_PKG_TABLE_H
#define HF_PKG_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/wr.h"
#include "crypto/sm3.h"
#include "pkg/body.h"
#include "pkg/chunk.h"

#define HF_TABLE_MAGIC "HFTABLE1"

enum {
	HF_TABLE_MAGIC_LEN = 8,
	HF_TABLE_HEAD_LEN = 24,
	HF_TABLE_PACK_LEN = 36,
	HF_TABLE_ENTRY_LEN = 44,
	HF_TABLE_PACKS_MAX = 1024, /* of one page */
	HF_TABLE_PAGE_MAX = HF_TABLE_HEAD_LEN + HF_TABLE_PACKS_MAX * HF_TABLE_PACK_LEN +
			    HF_PAGE_ENTRIES * HF_TABLE_ENTRY_LEN,
};

/* The id of a pack: SM3(label "hufu-pack-v1" || n x (cid || u32 length)), fed chunk by chunk. */
struct hf_pack_id {
	struct hf_sm3 sm3;
};

void hf_pack_id_init(struct hf_pack_id *p);
void hf_pack_id_add(struct hf_pack_id *p, const uint8_t cid[HF_SM3_LEN], uint32_t len);
void hf_pack_id_done(struct hf_pack_id *p, uint8_t id[HF_SM3_LEN]);

/* A page as read; borrowed from its bytes. */
struct hf_table_page {
	uint32_t page;
	uint32_t first_pack;
	uint32_t n_packs;
	uint32_t n_entries;
	const uint8_t *packs;
	const uint8_t *entries;
};

/*
 * Reads a page whose digest has been compared. HF_ERR_FORMAT, HF_ERR_TRUNCATED: malformed, a pack
 * number that the page does not name, an entry outside its pack or longer than a chunk can be.
 */
HF_MUST_USE hf_err hf_table_page_parse(struct hf_table_page *t, const uint8_t *in, size_t in_len);

/* Does the page list all chunks of its pack number pack < n_packs, in order, so that they make its
 * id? */
bool hf_table_pack_is_whole(const struct hf_table_page *t, uint32_t pack);

/* Entry i < n_entries. */
void hf_table_page_get(const struct hf_table_page *t, uint32_t i, struct hf_place *out);

#endif
