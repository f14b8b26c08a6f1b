/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writing end of an audit log: numbers records, gives names numbers, gathers records into
 * batches and keeps the tree. It writes no file: when a batch is due, hf_audit_log_cut() gives its
 * bytes, the caller makes them durable, and only then tells who waited that their record is.
 * Not thread-safe: one owner.
 */
#ifndef HF_AUDIT_LOG_H
#define HF_AUDIT_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/batch.h"
#include "audit/event.h"
#include "audit/merkle.h"
#include "audit/record.h"
#include "base/buf.h"
#include "base/mem.h"

enum {
	HF_AUDIT_NAME_MAX = 128,  /* bytes of an actor's or subject's name, with its terminator */
	HF_AUDIT_NAMES_MAX = 256, /* names numbered at a time; one more starts over */
	HF_AUDIT_COMMIT_MS = 20,  /* a class A record waits at most this long for its batch */
};

/* The clocks at one moment. */
struct hf_audit_now {
	uint64_t time_ns; /* UTC since 1970 */
	uint64_t boot_ns; /* since boot, monotonic */
	uint32_t clock_error_us;
};

/* What is to be recorded. Zero means "none" everywhere. Strings are borrowed during the call. */
struct hf_audit_event_in {
	enum hf_audit_event event;
	enum hf_record_result result;
	uint8_t level;
	uint8_t tier;
	const char *actor;   /* who did it, as "device:dev-01" */
	const char *subject; /* what it was done to */
	uint8_t trace_id[16];
	uint64_t session_id;
	uint32_t alg;
	hf_err reason;
	const uint8_t *attrs; /* from hf_audit_attr_put() */
	size_t attrs_len;
};

struct hf_audit_log {
	char id[HF_AUDIT_LOG_ID_MAX];
	uint64_t next_seq; /* number of the next record, from 0 */
	uint64_t hlc;      /* last one given */
	uint16_t boot_no;
	uint8_t prev[HF_SM3_LEN];    /* hash of the last batch */
	struct hf_merkle tree;       /* over all records of cut batches and of the open one */
	struct hf_merkle batch_tree; /* over the records of the open batch */
	struct hf_buf names;         /* (u16 length, bytes) each, number = place + 1 */
	uint32_t n_names;
	struct hf_buf frame; /* header room, the open batch's records, tail once cut */
	struct hf_audit_batch batch;
	bool has_open;  /* there are records to cut */
	bool is_cut;    /* frame holds a batch that was given out */
	bool is_urgent; /* a class S record waits */
};

/*
 * An empty log of that name; the caller ends it with hf_audit_log_clear(). HF_ERR_LIMIT: the name
 * is too long.
 */
HF_MUST_USE hf_err hf_audit_log_init(
	struct hf_audit_log *l, const struct hf_mem *mem, const char *id, uint16_t boot_no);
void hf_audit_log_clear(struct hf_audit_log *l);

/* Goes on where a verified log ended: its size, tree and last batch hash. Before any record. */
void hf_audit_log_resume(struct hf_audit_log *l, const struct hf_merkle *tree,
	const uint8_t last_hash[HF_SM3_LEN], uint64_t last_hlc);

/*
 * Adds one record, and records that define its names where they are new. *seq (may be NULL) is its
 * number. HF_ERR_LIMIT: the batch is full: cut it and call again; or a name or the attributes are
 * too long. On failure the record was not added (a definition of its names may have been).
 */
HF_MUST_USE hf_err hf_audit_log_add(struct hf_audit_log *l, const struct hf_audit_now *now,
	const struct hf_audit_event_in *in, uint64_t *seq);

/*
 * When the open batch is to be cut, on the boot clock in ns: at once with a class S record in it,
 * UINT64_MAX with none at all.
 */
uint64_t hf_audit_log_deadline(const struct hf_audit_log *l);

/*
 * Closes the open batch and gives its bytes, borrowed until the next call on the log. flags: enum
 * hf_batch_flag. HF_ERR_STATE: there is no record to cut.
 */
HF_MUST_USE hf_err hf_audit_log_cut(struct hf_audit_log *l, const struct hf_audit_now *now,
	uint16_t flags, const uint8_t **bytes, size_t *len);

/* Forgets which names were defined: the next file of the log defines them again. */
void hf_audit_log_forget_names(struct hf_audit_log *l);

#endif
