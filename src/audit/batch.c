/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layout, big-endian: 'BTCH'  u16 version 1  u16 flags  u64 first seq  u32 n  u32 payload length
 * u64 epoch  u64 opened  u64 committed  u32 clock error  u32 time state  previous hash (32)
 * root (32)  payload  hash (32)  forward-secure tag (32)
 */
#include "audit/batch.h"

#include <string.h>

#include "base/ct.h"
#include "base/rd.h"
#include "base/wr.h"

enum { BATCH_VERSION = 1 };

static const uint8_t batch_magic[4] = { 'B', 'T', 'C', 'H' };
static const uint8_t no_tag[HF_SM3_LEN];
static const char genesis_label[] = "hufu/audit/log/v1";

void hf_audit_genesis(uint8_t out[HF_SM3_LEN], const char *log_id)
{
	struct hf_sm3 h;

	hf_sm3_init(&h);
	hf_sm3_feed(&h, genesis_label, sizeof(genesis_label));
	hf_sm3_feed(&h, log_id, strlen(log_id));
	hf_sm3_done(&h, out);
}

static void batch_hash(uint8_t out[HF_SM3_LEN], const uint8_t *header)
{
	static const uint8_t label = 0x02;
	struct hf_sm3 h;

	hf_sm3_init(&h);
	hf_sm3_feed(&h, &label, 1);
	hf_sm3_feed(&h, header, HF_BATCH_HEADER_LEN);
	hf_sm3_done(&h, out);
}

void hf_audit_batch_header(uint8_t out[HF_BATCH_HEADER_LEN], struct hf_audit_batch *b)
{
	struct hf_writer w = { .p = out, .cap = HF_BATCH_HEADER_LEN };

	hf_wr_put(&w, batch_magic, sizeof(batch_magic));
	hf_wr_u16(&w, BATCH_VERSION);
	hf_wr_u16(&w, b->flags);
	hf_wr_u64(&w, b->first_seq);
	hf_wr_u32(&w, b->n_records);
	hf_wr_u32(&w, (uint32_t)b->payload_len);
	hf_wr_u64(&w, b->epoch);
	hf_wr_u64(&w, b->opened_ns);
	hf_wr_u64(&w, b->committed_ns);
	hf_wr_u32(&w, b->clock_error_us);
	hf_wr_u32(&w, b->time_state);
	hf_wr_put(&w, b->prev, sizeof(b->prev));
	hf_wr_put(&w, b->root, sizeof(b->root));
	batch_hash(b->hash, out);
}

hf_err hf_audit_batch_parse(struct hf_audit_batch *b, const uint8_t *in, size_t in_len)
{
	struct hf_reader r = { .p = in, .left = in_len };
	struct hf_audit_batch out = { 0 };
	const uint8_t *magic = hf_rd_take(&r, sizeof(batch_magic));
	uint16_t version = hf_rd_u16(&r);
	uint8_t hash[HF_SM3_LEN];

	out.flags = hf_rd_u16(&r);
	out.first_seq = hf_rd_u64(&r);
	out.n_records = hf_rd_u32(&r);
	out.payload_len = hf_rd_u32(&r);
	out.epoch = hf_rd_u64(&r);
	out.opened_ns = hf_rd_u64(&r);
	out.committed_ns = hf_rd_u64(&r);
	out.clock_error_us = hf_rd_u32(&r);
	out.time_state = hf_rd_u32(&r);
	hf_rd_copy(&r, out.prev, sizeof(out.prev));
	hf_rd_copy(&r, out.root, sizeof(out.root));
	out.payload = hf_rd_take(&r, out.payload_len);
	hf_rd_copy(&r, out.hash, sizeof(out.hash));
	hf_rd_copy(&r, out.fs_tag, sizeof(out.fs_tag));
	HF_TRY(hf_rd_done(&r));
	if (memcmp(magic, batch_magic, sizeof(batch_magic)) != 0)
		return HF_ERR_FORMAT;
	if (version != BATCH_VERSION)
		return HF_ERR_UNSUPPORTED;
	if (out.payload_len > HF_BATCH_PAYLOAD_MAX || out.n_records > HF_BATCH_RECORDS_MAX)
		return HF_ERR_LIMIT;
	/* Epoch 0 means no tag yet: bytes there could be anything, so nothing is the only good
	 * value. */
	if (out.epoch == 0 && !hf_ct_eq(out.fs_tag, no_tag, sizeof(no_tag)))
		return HF_ERR_FORMAT;
	batch_hash(hash, in);
	if (!hf_ct_eq(hash, out.hash, sizeof(hash)))
		return HF_ERR_AUTH;
	*b = out;
	return HF_OK;
}
