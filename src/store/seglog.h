/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An append-only log of opaque records in segment files. Records are numbered from 0 without a gap.
 * Appended is not durable: hf_seglog_sync makes it so, for many records at once. Check sums find
 * torn writes and bad media; proof against people is the business of what is inside the records.
 * One writer (it holds a lock), any number of readers in the same thread.
 */
#ifndef HF_STORE_SEGLOG_H
#define HF_STORE_SEGLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

enum {
	HF_SEGLOG_SEGMENT_MIN = 4096,     /* bytes; the least limit of a segment */
	HF_SEGLOG_SEGMENT_MAX = 1 << 30,  /* bytes; the largest */
	HF_SEGLOG_SEGMENTS_MAX = 1 << 16, /* files in one log */
	HF_SEGLOG_HEAD_LEN = 32,          /* bytes before the first frame of a segment */
	HF_SEGLOG_FRAME_LEN = 8,          /* bytes before a record */
};

struct hf_seglog;

/* What opening found behind the last whole record. */
struct hf_seglog_torn {
	uint64_t n_bytes; /* cut off; 0: the log was whole */
	uint64_t record;  /* number of the record that was torn, and that the next one gets */
	char kept[48];    /* name of the file in the log's directory that holds the bytes now */
};

struct hf_seglog_config {
	const char *dir;
	size_t segment_len; /* bytes; a segment that would grow beyond is closed */
	bool is_read_only;  /* cuts nothing, needs no lock, reads up to the torn frame */
};

/*
 * Opens the log, making it if it is missing (not read only). A torn tail is moved to a file of its
 * own and cut off; *torn tells, and the caller decides whether it may have been torn there.
 * HF_ERR_FORMAT: a segment is missing or its head is altered. HF_ERR_AGAIN: another process writes.
 */
HF_MUST_USE hf_err hf_seglog_new(struct hf_seglog **log, const struct hf_mem *mem,
	const struct hf_seglog_config *config, struct hf_seglog_torn *torn, struct hf_errinfo *ei);

/* Closes without a sync. Accepts NULL. */
void hf_seglog_free(struct hf_seglog *log);

/* Number of the oldest record still there, and of the next one to be appended. */
uint64_t hf_seglog_first(const struct hf_seglog *log);
uint64_t hf_seglog_next(const struct hf_seglog *log);

/* Records below this number are durable. */
uint64_t hf_seglog_synced(const struct hf_seglog *log);

/*
 * Appends one record (len > 0) and gives its number. HF_ERR_FULL: nothing was appended; the log
 * goes on once there is space. HF_ERR_LIMIT: longer than a segment can hold, or too many segments.
 * Any other failure is final for this object.
 */
HF_MUST_USE hf_err hf_seglog_append(struct hf_seglog *log, uint64_t *record, const void *bytes,
	size_t len, struct hf_errinfo *ei);

/* Makes everything appended durable. A failure is final: what was appended may be lost. */
HF_MUST_USE hf_err hf_seglog_sync(struct hf_seglog *log, struct hf_errinfo *ei);

/* Deletes the segments whose records are all below the given one; never the last segment. */
HF_MUST_USE hf_err hf_seglog_drop(struct hf_seglog *log, uint64_t before, struct hf_errinfo *ei);

/* A place in the log. */
struct hf_seglog_reader {
	struct hf_seglog *log;
	uint64_t record; /* the one that comes next */
	uint64_t segment;
	uint64_t offset;
	int fd; /* -1 between segments */
};

/* Places the reader before a record. HF_ERR_NOT_FOUND: dropped already, or beyond the end. */
HF_MUST_USE hf_err hf_seglog_seek(
	struct hf_seglog_reader *r, struct hf_seglog *log, uint64_t record, struct hf_errinfo *ei);

/*
 * Appends the next record to out. HF_ERR_AGAIN: nothing yet. HF_ERR_FORMAT: a frame is
 * altered; the text names file and offset. HF_ERR_LIMIT: longer than out->max leaves room for.
 */
HF_MUST_USE hf_err hf_seglog_read(
	struct hf_seglog_reader *r, struct hf_buf *out, struct hf_errinfo *ei);

/* Accepts a reader that was never placed, if it started as { .fd = -1 }. */
void hf_seglog_reader_clear(struct hf_seglog_reader *r);

#endif
