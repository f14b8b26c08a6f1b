/* SPDX-License-Identifier: Apache-2.0 */
/* Reading an audit log with its heads, for the files of the journal alone. */
#ifndef HF_SVC_JOURNAL_READ_H
#define HF_SVC_JOURNAL_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "svc/journal.h"

enum { HF_JOURNAL_PATH_ROOM = 1024 + 16 };

void hf_journal_path(char path[HF_JOURNAL_PATH_ROOM], const char *dir, const char *name);

/* The heads of a log as they lie in their file. */
struct hf_journal_heads {
	const struct hf_mem *mem;
	struct hf_buf file;
	struct hf_audit_head *list;
	size_t n;
	size_t good_len; /* bytes of whole notes; what follows is torn */
};

/* Bytes of the note at p: five lines. 0: they are not there. */
size_t hf_journal_note_len(const uint8_t *p, size_t left);

/* What reading a whole log gives. End it with hf_journal_reading_clear(). */
struct hf_journal_reading {
	struct hf_journal_heads heads;
	struct hf_audit_verify verify;
	struct hf_seglog *log;
	struct hf_seglog_torn torn;
	uint64_t n_batches;
	const struct hf_journal_known *known; /* set by the caller; NULL: nothing is */
};

/*
 * Reads and verifies everything; *r started as { 0 } but for known, and is ended by the caller in
 * any case. Errors as hf_journal_verify.
 */
HF_MUST_USE hf_err hf_journal_read(struct hf_journal_reading *r, const struct hf_env *env,
	const char *dir, const char *log_id, const struct hf_sm2_pub *pub, hf_audit_visit visit,
	void *ctx, struct hf_errinfo *ei);
void hf_journal_reading_clear(struct hf_journal_reading *r);

/* Opens <dir>/seg. HF_ERR_AUTH: a segment is missing or its head is altered. */
HF_MUST_USE hf_err hf_journal_segments(struct hf_seglog **log, struct hf_seglog_torn *torn,
	const struct hf_env *env, const char *dir, bool is_read_only, struct hf_errinfo *ei);

#endif
