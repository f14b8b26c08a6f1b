/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The batch: what one group commit writes. 120 bytes of header, the records back to back, the batch
 * hash, and the forward-secure tag (docs/formats/audit-log.md). The header carries the Merkle root
 * of its records and the hash of the batch before, so batches form a chain. Length and checksum of
 * the frame around it belong to the file (store/seglog.h).
 */
#ifndef HF_AUDIT_BATCH_H
#define HF_AUDIT_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/sm3.h"

enum {
	HF_BATCH_HEADER_LEN = 120,
	HF_BATCH_TAIL_LEN = 2 * HF_SM3_LEN, /* batch hash, forward-secure tag */
	HF_BATCH_RECORDS_MAX = 4096,
	HF_BATCH_PAYLOAD_MAX = 1 << 20, /* bytes of records */
	HF_AUDIT_LOG_ID_MAX = 96,       /* bytes of a log's name, with its terminator */
};

enum hf_batch_flag {
	HF_BATCH_HEARTBEAT = 1 << 0,
	HF_BATCH_RECOVERED = 1 << 1, /* the first one after a torn end was cut off */
	HF_BATCH_GAP = 1 << 2,
	HF_BATCH_LAST = 1 << 3, /* orderly end of the log */
};

struct hf_audit_batch {
	uint16_t flags; /* enum hf_batch_flag */
	uint64_t first_seq;
	uint32_t n_records;
	uint64_t epoch; /* of the forward-secure tag; 0: there is none */
	uint64_t opened_ns;
	uint64_t committed_ns;
	uint32_t clock_error_us;
	uint32_t time_state;
	uint8_t prev[HF_SM3_LEN]; /* hash of the batch before; of the first: hf_audit_genesis() */
	uint8_t root[HF_SM3_LEN]; /* of the Merkle tree over this batch's records alone */
	const uint8_t *payload;   /* the records; borrowed */
	size_t payload_len;
	uint8_t hash[HF_SM3_LEN];   /* SM3(0x02 || header) */
	uint8_t fs_tag[HF_SM3_LEN]; /* zero where epoch is 0 */
};

/* What the first batch of a log is chained to: the log's name. */
void hf_audit_genesis(uint8_t out[HF_SM3_LEN], const char *log_id);

/* Computes hash and writes the header to out. payload and root are the caller's to have right. */
void hf_audit_batch_header(uint8_t out[HF_BATCH_HEADER_LEN], struct hf_audit_batch *b);

/*
 * Reads one batch and checks its hash, but neither chain nor records.
 * HF_ERR_AUTH: the hash is not that of the header.
 */
HF_MUST_USE hf_err hf_audit_batch_parse(struct hf_audit_batch *b, const uint8_t *in, size_t in_len);

#endif
