/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log of a node on its disk: <dir>/seg holds framed batches, <dir>/heads the signed heads
 * one after the other (docs/formats/audit-log.md). One owner: the process that holds the keys.
 */
#ifndef HF_SVC_JOURNAL_H
#define HF_SVC_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/head.h"
#include "audit/log.h"
#include "audit/verify.h"
#include "base/err.h"
#include "store/seglog.h"
#include "svc/env.h"

enum {
	HF_JOURNAL_SEGMENT_LEN = 16 << 20, /* bytes of a segment file */
	HF_JOURNAL_HEADS_MAX = 1 << 20,    /* bytes of the file of heads; then it is thinned out */
	HF_JOURNAL_HEAD_MS = 10 * 1000,    /* a grown log gets a head this often */
	HF_JOURNAL_RESERVE = 256 << 10,    /* bytes of disk that stay free of new records */
};

struct hf_journal {
	const struct hf_env *env;
	const struct hf_signer *signer; /* of heads; borrowed */
	char dir[1024];
	struct hf_seglog *log;
	struct hf_audit_log writer;
	uint64_t found_size;           /* records that were there when it was opened */
	uint64_t durable_size;         /* records that are on the disk */
	uint64_t head_size;            /* records covered by the last head */
	uint8_t head_root[HF_SM3_LEN]; /* that it names; of no use while head_size is 0 */
	uint64_t head_ms;              /* when it was signed, or last tried, monotonic */
	const uint8_t *pending; /* a batch that is cut and not on the disk yet; the writer's */
	size_t pending_len;
	bool is_finished;
	uint64_t retry_ms; /* when it is tried again */
	hf_err failed;     /* sticky: a log that could not be written is not written any more */
};

/*
 * What the owner of a log remembers of it in a place that who can write the log cannot write. The
 * head was on the disk before it was remembered.
 */
struct hf_journal_known {
	uint64_t size;      /* records that it has at least */
	uint64_t head_size; /* records that its last head covers at least; 0: none is known */
	uint8_t head_root[HF_SM3_LEN]; /* over the first head_size records */
};

/*
 * Opens the log in dir, making it if it is missing; everything in it is verified against its heads
 * first. HF_ERR_AUTH: something before the last head is wrong: leave the folder as it is and have a
 * person look. A torn end after the last head is cut off and recorded.
 */
HF_MUST_USE hf_err hf_journal_open(struct hf_journal *j, const struct hf_env *env, const char *dir,
	const char *log_id, const struct hf_signer *signer, struct hf_errinfo *ei);

/*
 * As hf_journal_open, of a log that is known (may be NULL). HF_ERR_AUTH also: it is shorter, its
 * heads end earlier, or its records are others than those of the head that is known. Nothing is
 * signed then.
 */
HF_MUST_USE hf_err hf_journal_reopen(struct hf_journal *j, const struct hf_env *env,
	const char *dir, const char *log_id, const struct hf_signer *signer,
	const struct hf_journal_known *known, struct hf_errinfo *ei);

/*
 * Records that the log is closed and signs a last head; then only hf_journal_close() may follow.
 * For who wants to know that head; the close does it too.
 */
void hf_journal_finish(struct hf_journal *j);

/* Commits, signs a last head, closes. Accepts one that never opened ({ 0 }). */
void hf_journal_close(struct hf_journal *j);

/*
 * Records one event now. A class S event is durable when this returns; a class A event is durable
 * within HF_AUDIT_COMMIT_MS if hf_journal_tick() is called in time. seq may be NULL.
 * HF_ERR_FULL: no space; nothing was recorded, and what was to be recorded must not happen.
 */
HF_MUST_USE hf_err hf_journal_add(struct hf_journal *j, const struct hf_audit_event_in *in,
	uint64_t *seq, struct hf_errinfo *ei);

/*
 * Commits what is due and signs a head when it is time. Call it no later than the deadline.
 * HF_ERR_AGAIN: there is no space for it; the next tick tries again, call it at the new deadline.
 */
HF_MUST_USE hf_err hf_journal_tick(struct hf_journal *j, struct hf_errinfo *ei);

/* Monotonic ms of the next tick; UINT64_MAX: nothing is due. */
uint64_t hf_journal_deadline(const struct hf_journal *j);

/* Commits and signs a head at once. */
HF_MUST_USE hf_err hf_journal_seal(struct hf_journal *j, struct hf_errinfo *ei);

/* What hf_journal_verify() found. */
struct hf_journal_report {
	uint64_t n_records;
	uint64_t n_batches;
	uint64_t n_heads;
	uint64_t head_size;       /* records that the last head covers */
	uint64_t unsigned_ns;     /* UTC of the first record after it; 0: none */
	uint8_t root[HF_SM3_LEN]; /* over all records */
};

/*
 * Reads a log, of a running node too, and checks it against its heads; changes nothing. visit (may
 * be NULL) sees each record. HF_ERR_AUTH: altered, removed, reordered or cut; ei names the record.
 * HF_ERR_NOT_FOUND: no log there.
 */
HF_MUST_USE hf_err hf_journal_verify(const struct hf_env *env, const char *dir, const char *log_id,
	const struct hf_sm2_pub *pub, hf_audit_visit visit, void *ctx,
	struct hf_journal_report *report, struct hf_errinfo *ei);

/* As hf_journal_verify, of a log that is known; refuses what hf_journal_reopen does. */
HF_MUST_USE hf_err hf_journal_verify_known(const struct hf_env *env, const char *dir,
	const char *log_id, const struct hf_sm2_pub *pub, const struct hf_journal_known *known,
	struct hf_journal_report *report, struct hf_errinfo *ei);

#endif
