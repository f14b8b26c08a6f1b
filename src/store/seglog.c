/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segments of frames.
 *
 *   file    <16 hexadecimal digits: sequence>.seg
 *   head    magic (8) | version (u32) | sequence (u64) | first record (u64) | crc32c of these (u32)
 *   frame   length (u32, > 0) | crc32c over length and record (u32) | record
 *
 * Invariants:
 *   1. Sequences of the segments present are consecutive; each segment's first record is the number
 *      after the last record of the one before.
 *   2. A segment comes into being with its head whole and durable, after the one before it was
 * synced.
 *   3. Only the last segment can be torn, and only behind the last synced frame.
 *   4. Bytes that are cut off are kept, durably, in torn-<sequence>-<offset> first.
 *   5. After a failed sync nothing is written any more: which pages are lost is unknown.
 */
#include "store/seglog.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/endian.h"
#include "os/dir.h"
#include "os/file.h"
#include "store/crc32c.h"

enum {
	SEGLOG_VERSION = 1,
	SEGLOG_DIR_MAX = 1024,
	SEGLOG_PATH_MAX = SEGLOG_DIR_MAX + 64,
	SEGLOG_COPY_LEN = 16384,
	/* Segments may have been written under another limit: read what any could hold. */
	SEGLOG_RECORD_MAX = HF_SEGLOG_SEGMENT_MAX - HF_SEGLOG_HEAD_LEN - HF_SEGLOG_FRAME_LEN,
};

static const uint8_t seglog_magic[8] = { 'H', 'F', 'S', 'E', 'G', 'L', 'G', '1' };

struct hf_seglog {
	const struct hf_mem *mem;
	size_t segment_len;
	bool is_read_only;
	int lock;
	int fd;            /* last segment, -1 if there is none */
	uint64_t end;      /* offset behind its last whole frame */
	uint64_t next;     /* record */
	uint64_t synced;   /* records below are durable */
	uint64_t sequence; /* of the oldest segment */
	size_t n_segments;
	size_t cap;
	uint64_t *firsts; /* first record of each segment */
	struct hf_buf frame;
	hf_err failed; /* sticky */
	char dir[SEGLOG_DIR_MAX];
};

static void segment_path(char path[SEGLOG_PATH_MAX], const struct hf_seglog *log, uint64_t seq)
{
	(void)snprintf(path, SEGLOG_PATH_MAX, "%s/%016" PRIx64 ".seg", log->dir, seq);
}

static void head_make(uint8_t head[HF_SEGLOG_HEAD_LEN], uint64_t seq, uint64_t first)
{
	memcpy(head, seglog_magic, sizeof(seglog_magic));
	hf_put_be32(head + 8, SEGLOG_VERSION);
	hf_put_be64(head + 12, seq);
	hf_put_be64(head + 20, first);
	hf_put_be32(head + 28, hf_crc32c(0, head, 28));
}

/* The head of a segment of this sequence; anything else is HF_ERR_FORMAT. */
static hf_err head_read(int fd, uint64_t seq, uint64_t *first, struct hf_errinfo *ei)
{
	uint8_t head[HF_SEGLOG_HEAD_LEN];
	uint8_t should[HF_SEGLOG_HEAD_LEN];
	hf_err e = hf_file_pread(fd, head, sizeof(head), 0, ei);

	if (e != HF_OK && e != HF_ERR_TRUNCATED)
		return e;
	if (e == HF_OK) {
		head_make(should, seq, hf_get_be64(head + 20));
		if (memcmp(head, should, sizeof(head)) == 0) {
			*first = hf_get_be64(head + 20);
			return HF_OK;
		}
	}
	return hf_fail(ei, HF_ERR_FORMAT, "head of segment %016" PRIx64 " is altered", seq);
}

/* Remembers one more segment. */
static hf_err add_segment(struct hf_seglog *log, uint64_t first, struct hf_errinfo *ei)
{
	uint64_t *more;
	size_t cap;

	if (log->n_segments >= HF_SEGLOG_SEGMENTS_MAX)
		return hf_fail(ei, HF_ERR_LIMIT, "%s has too many segments", log->dir);
	if (log->n_segments == log->cap) {
		cap = log->cap == 0 ? 16 : log->cap * 2;
		more = hf_mem_array(log->mem, cap, sizeof(*more));
		if (more == NULL)
			return HF_ERR_NO_MEMORY;
		if (log->cap > 0)
			memcpy(more, log->firsts, log->n_segments * sizeof(*more));
		hf_mem_free(log->mem, log->firsts);
		log->firsts = more;
		log->cap = cap;
	}
	log->firsts[log->n_segments++] = first;
	return HF_OK;
}

static bool name_parse(const char *name, uint64_t *seq)
{
	*seq = 0;
	if (strspn(name, "0123456789abcdef") != 16 || strcmp(name + 16, ".seg") != 0)
		return false;
	for (int i = 0; i < 16; i++)
		*seq = *seq << 4 | (uint64_t)(name[i] <= '9' ? name[i] - '0' : name[i] - 'a' + 10);
	return true;
}

struct lister {
	struct hf_seglog *log;
	struct hf_errinfo *ei;
};

/* Names come in byte order, which is the order of sequences. */
static hf_err list_one(void *ctx, const char *name)
{
	struct lister *l = ctx;
	struct hf_seglog *log = l->log;
	char path[SEGLOG_PATH_MAX];
	uint64_t first = 0;
	uint64_t seq;
	int fd = -1;
	hf_err e;

	if (!name_parse(name, &seq))
		return HF_OK;
	if (log->n_segments == 0)
		log->sequence = seq;
	if (seq != log->sequence + log->n_segments)
		return hf_fail(l->ei, HF_ERR_FORMAT, "segment %016" PRIx64 " of %s is missing",
			log->sequence + log->n_segments, log->dir);
	segment_path(path, log, seq);
	HF_TRY(hf_file_open(&fd, path, HF_FILE_READ, 0, l->ei));
	e = head_read(fd, seq, &first, l->ei);
	hf_file_close(&fd);
	HF_TRY(e);
	if (log->n_segments > 0 && first < log->firsts[log->n_segments - 1])
		return hf_fail(
			l->ei, HF_ERR_FORMAT, "records of segment %016" PRIx64 " go back", seq);
	return add_segment(log, first, l->ei);
}

/*
 * The frame at offset; its record is appended to out. HF_ERR_TRUNCATED: the file ends within it or
 * before it. HF_ERR_FORMAT: its check sum or length is wrong.
 */
static hf_err frame_read(
	int fd, uint64_t offset, size_t max, struct hf_buf *out, size_t *len, struct hf_errinfo *ei)
{
	uint8_t head[HF_SEGLOG_FRAME_LEN];
	struct hf_file_stat st;
	uint8_t *room = NULL;
	size_t before = out->len;
	uint32_t crc;
	hf_err e;

	HF_TRY(hf_file_pread(fd, head, sizeof(head), offset, ei));
	*len = hf_get_be32(head);
	if (*len == 0 || *len > max)
		return HF_ERR_FORMAT;
	HF_TRY(hf_file_fstat(&st, fd, ei));
	if (*len > st.size || offset + sizeof(head) > st.size - *len)
		return HF_ERR_TRUNCATED; /* before any memory is taken for it */
	HF_TRY(hf_buf_room(out, &room, *len));
	e = hf_file_pread(fd, room, *len, offset + sizeof(head), ei);
	if (e == HF_OK) {
		crc = hf_crc32c(hf_crc32c(0, head, 4), room, *len);
		e = crc == hf_get_be32(head + 4) ? HF_OK : HF_ERR_FORMAT;
	}
	if (e != HF_OK)
		out->len = before;
	return e;
}

/* Walks the last segment to the first frame that is not whole. */
static hf_err scan_tail(struct hf_seglog *log, uint64_t size, struct hf_errinfo *ei)
{
	log->end = HF_SEGLOG_HEAD_LEN;
	log->next = log->firsts[log->n_segments - 1];
	while (log->end < size) {
		size_t len = 0;
		hf_err e;

		hf_buf_reset(&log->frame);
		e = frame_read(log->fd, log->end, SEGLOG_RECORD_MAX, &log->frame, &len, ei);
		if (e == HF_ERR_TRUNCATED || e == HF_ERR_FORMAT)
			break;
		HF_TRY(e);
		log->end += HF_SEGLOG_FRAME_LEN + len;
		log->next++;
	}
	return HF_OK;
}

/* Copies what stands behind the last whole frame to a file of its own, durably. */
static hf_err keep_tail(
	struct hf_seglog *log, uint64_t size, const char *name, struct hf_errinfo *ei)
{
	uint8_t block[SEGLOG_COPY_LEN];
	char path[SEGLOG_PATH_MAX];
	uint64_t from = log->end;
	int fd = -1;
	hf_err e;

	(void)snprintf(path, sizeof(path), "%s/%s", log->dir, name);
	HF_TRY(hf_file_open(&fd, path, HF_FILE_WRITE | HF_FILE_CREATE, 0600, ei));
	e = hf_file_resize(fd, 0, ei);
	while (e == HF_OK && from < size) {
		size_t n = size - from < sizeof(block) ? (size_t)(size - from) : sizeof(block);

		e = hf_file_pread(log->fd, block, n, from, ei);
		if (e == HF_OK)
			e = hf_file_write(fd, block, n, ei);
		from += n;
	}
	if (e == HF_OK)
		e = hf_file_sync(fd, ei);
	hf_file_close(&fd);
	HF_TRY(e);
	return hf_dir_sync(log->dir, ei);
}

static hf_err open_last(struct hf_seglog *log, struct hf_seglog_torn *torn, struct hf_errinfo *ei)
{
	uint64_t seq = log->sequence + log->n_segments - 1;
	char path[SEGLOG_PATH_MAX];
	struct hf_file_stat st;

	segment_path(path, log, seq);
	HF_TRY(hf_file_open(
		&log->fd, path, log->is_read_only ? HF_FILE_READ : HF_FILE_WRITE, 0, ei));
	HF_TRY(hf_file_fstat(&st, log->fd, ei));
	HF_TRY(scan_tail(log, st.size, ei));
	torn->n_bytes = st.size - log->end;
	torn->record = log->next;
	if (log->is_read_only)
		return HF_OK;
	if (torn->n_bytes > 0) {
		(void)snprintf(torn->kept, sizeof(torn->kept), "torn-%016" PRIx64 "-%08" PRIx64,
			seq, log->end);
		HF_TRY(keep_tail(log, st.size, torn->kept, ei));
		HF_TRY(hf_file_resize(log->fd, log->end, ei));
	}
	/* What the scan found may still be in the page cache only. */
	HF_TRY(hf_file_sync(log->fd, ei));
	log->synced = log->next;
	return HF_OK;
}

/* Makes the next segment, whole and durable, and goes on there. */
static hf_err next_segment(struct hf_seglog *log, struct hf_errinfo *ei)
{
	uint8_t head[HF_SEGLOG_HEAD_LEN];
	char path[SEGLOG_PATH_MAX];
	uint64_t seq = log->sequence + log->n_segments;
	int fd = -1;

	if (log->n_segments >= HF_SEGLOG_SEGMENTS_MAX)
		return hf_fail(ei, HF_ERR_LIMIT, "%s has too many segments", log->dir);
	segment_path(path, log, seq);
	head_make(head, seq, log->next);
	HF_TRY(hf_file_replace(path, 0600, head, sizeof(head), ei));
	HF_TRY(hf_file_open(&fd, path, HF_FILE_WRITE, 0, ei));
	hf_file_close(&log->fd);
	log->fd = fd;
	log->end = HF_SEGLOG_HEAD_LEN;
	return add_segment(log, log->next, ei);
}

static hf_err seglog_open(struct hf_seglog *log, struct hf_seglog_torn *torn, struct hf_errinfo *ei)
{
	struct lister l = { log, ei };
	char path[SEGLOG_PATH_MAX];

	if (!log->is_read_only) {
		HF_TRY(hf_dir_make(log->dir, 0700, ei));
		(void)snprintf(path, sizeof(path), "%s/lock", log->dir);
		HF_TRY(hf_file_lock(&log->lock, path, ei));
	}
	HF_TRY(hf_dir_list(log->mem, log->dir, 4 * HF_SEGLOG_SEGMENTS_MAX, list_one, &l, ei));
	if (log->n_segments > 0)
		return open_last(log, torn, ei);
	return log->is_read_only ? HF_OK : next_segment(log, ei);
}

hf_err hf_seglog_new(struct hf_seglog **out, const struct hf_mem *mem,
	const struct hf_seglog_config *config, struct hf_seglog_torn *torn, struct hf_errinfo *ei)
{
	struct hf_seglog *log;
	hf_err e;

	*torn = (struct hf_seglog_torn){ 0 };
	if (strlen(config->dir) >= SEGLOG_DIR_MAX || config->segment_len < HF_SEGLOG_SEGMENT_MIN ||
		config->segment_len > HF_SEGLOG_SEGMENT_MAX)
		return hf_fail(ei, HF_ERR_ARG, "a log cannot have segments of %zu bytes",
			config->segment_len);
	log = hf_mem_new(mem, sizeof(*log));
	if (log == NULL)
		return HF_ERR_NO_MEMORY;
	log->mem = mem;
	log->segment_len = config->segment_len;
	log->is_read_only = config->is_read_only;
	log->lock = -1;
	log->fd = -1;
	hf_buf_init(&log->frame, mem, HF_SEGLOG_SEGMENT_MAX);
	(void)snprintf(log->dir, sizeof(log->dir), "%s", config->dir);
	e = seglog_open(log, torn, ei);
	if (e != HF_OK) {
		hf_seglog_free(log);
		return e;
	}
	*out = log;
	return HF_OK;
}

void hf_seglog_free(struct hf_seglog *log)
{
	if (log == NULL)
		return;
	hf_buf_clear(&log->frame);
	hf_file_close(&log->fd);
	hf_file_close(&log->lock);
	hf_mem_free(log->mem, log->firsts);
	hf_mem_free(log->mem, log);
}

uint64_t hf_seglog_first(const struct hf_seglog *log)
{
	return log->n_segments == 0 ? log->next : log->firsts[0];
}

uint64_t hf_seglog_next(const struct hf_seglog *log)
{
	return log->next;
}

uint64_t hf_seglog_synced(const struct hf_seglog *log)
{
	return log->synced;
}

static hf_err frame_build(struct hf_seglog *log, const void *bytes, size_t len)
{
	uint8_t head[HF_SEGLOG_FRAME_LEN];

	hf_put_be32(head, (uint32_t)len);
	hf_put_be32(head + 4, hf_crc32c(hf_crc32c(0, head, 4), bytes, len));
	hf_buf_reset(&log->frame);
	HF_TRY(hf_buf_put(&log->frame, head, sizeof(head)));
	return hf_buf_put(&log->frame, bytes, len);
}

/* Closes the segment if the frame does not fit any more. The one before is synced first. */
static hf_err make_room(struct hf_seglog *log, size_t frame_len, struct hf_errinfo *ei)
{
	if (log->end == HF_SEGLOG_HEAD_LEN || log->end + frame_len <= log->segment_len)
		return HF_OK;
	HF_TRY(hf_seglog_sync(log, ei));
	return next_segment(log, ei);
}

hf_err hf_seglog_append(struct hf_seglog *log, uint64_t *record, const void *bytes, size_t len,
	struct hf_errinfo *ei)
{
	hf_err e;

	if (log->failed != HF_OK)
		return log->failed;
	if (log->is_read_only || len == 0)
		return HF_ERR_ARG;
	if (len > log->segment_len - HF_SEGLOG_HEAD_LEN - HF_SEGLOG_FRAME_LEN)
		return hf_fail(ei, HF_ERR_LIMIT, "a record of %zu bytes is too long", len);
	HF_TRY(frame_build(log, bytes, len));
	e = make_room(log, log->frame.len, ei);
	if (e == HF_OK)
		e = hf_file_pwrite(log->fd, log->frame.p, log->frame.len, log->end, ei);
	if (e == HF_ERR_FULL) {
		/* Half a frame may stand there; the next append overwrites it, so may a cut. */
		if (hf_file_resize(log->fd, log->end, NULL) != HF_OK)
			return e;
		return e;
	}
	if (e != HF_OK) {
		if (e != HF_ERR_LIMIT && e != HF_ERR_NO_MEMORY)
			log->failed = e;
		return e;
	}
	log->end += log->frame.len;
	*record = log->next++;
	return HF_OK;
}

hf_err hf_seglog_sync(struct hf_seglog *log, struct hf_errinfo *ei)
{
	hf_err e;

	if (log->failed != HF_OK)
		return log->failed;
	if (log->synced == log->next)
		return HF_OK;
	e = hf_file_sync(log->fd, ei);
	if (e != HF_OK) {
		log->failed = e;
		return e;
	}
	log->synced = log->next;
	return HF_OK;
}

hf_err hf_seglog_drop(struct hf_seglog *log, uint64_t before, struct hf_errinfo *ei)
{
	size_t n = 0;
	hf_err e = HF_OK;

	if (log->is_read_only)
		return HF_ERR_ARG;
	while (n + 1 < log->n_segments && log->firsts[n + 1] <= before) {
		char path[SEGLOG_PATH_MAX];

		segment_path(path, log, log->sequence + n);
		e = hf_file_delete(path, ei);
		if (e != HF_OK)
			break;
		n++;
	}
	if (n == 0)
		return e;
	log->sequence += n;
	log->n_segments -= n;
	memmove(log->firsts, log->firsts + n, log->n_segments * sizeof(*log->firsts));
	HF_TRY(e);
	return hf_dir_sync(log->dir, ei);
}

static uint64_t last_sequence(const struct hf_seglog *log)
{
	return log->sequence + log->n_segments - 1;
}

static hf_err reader_open(struct hf_seglog_reader *r, uint64_t seq, struct hf_errinfo *ei)
{
	char path[SEGLOG_PATH_MAX];

	hf_file_close(&r->fd);
	segment_path(path, r->log, seq);
	HF_TRY(hf_file_open(&r->fd, path, HF_FILE_READ, 0, ei));
	r->segment = seq;
	r->offset = HF_SEGLOG_HEAD_LEN;
	return HF_OK;
}

hf_err hf_seglog_seek(
	struct hf_seglog_reader *r, struct hf_seglog *log, uint64_t record, struct hf_errinfo *ei)
{
	size_t low = 0;
	size_t high = log->n_segments;
	struct hf_buf skip;
	hf_err e;

	*r = (struct hf_seglog_reader){ .log = log, .fd = -1 };
	if (record < hf_seglog_first(log) || record > log->next)
		return hf_fail(ei, HF_ERR_NOT_FOUND, "%s has no record %" PRIu64, log->dir, record);
	if (log->n_segments == 0)
		return HF_OK;
	while (high - low > 1) { /* firsts[low] <= record, firsts[high] > record */
		size_t middle = low + (high - low) / 2;

		if (log->firsts[middle] <= record)
			low = middle;
		else
			high = middle;
	}
	HF_TRY(reader_open(r, log->sequence + low, ei));
	r->record = log->firsts[low];
	hf_buf_init(&skip, log->mem, HF_SEGLOG_SEGMENT_MAX);
	for (e = HF_OK; e == HF_OK && r->record < record; hf_buf_reset(&skip))
		e = hf_seglog_read(r, &skip, ei);
	hf_buf_clear(&skip);
	if (e != HF_OK)
		hf_seglog_reader_clear(r);
	return e;
}

hf_err hf_seglog_read(struct hf_seglog_reader *r, struct hf_buf *out, struct hf_errinfo *ei)
{
	struct hf_seglog *log = r->log;
	size_t len = 0;
	size_t i;
	hf_err e;

	if (r->record >= log->next || log->n_segments == 0)
		return HF_ERR_AGAIN;
	if (r->segment < log->sequence)
		return hf_fail(ei, HF_ERR_NOT_FOUND, "record %" PRIu64 " was dropped", r->record);
	i = (size_t)(r->segment - log->sequence);
	if (r->segment < last_sequence(log) && r->record >= log->firsts[i + 1]) {
		HF_TRY(reader_open(r, r->segment + 1, ei));
		if (r->record != log->firsts[i + 1])
			return hf_fail(
				ei, HF_ERR_FORMAT, "numbers of records overlap in %s", log->dir);
	}
	e = frame_read(r->fd, r->offset, SEGLOG_RECORD_MAX, out, &len, ei);
	if (e == HF_ERR_TRUNCATED || e == HF_ERR_FORMAT)
		return hf_fail(ei, HF_ERR_FORMAT,
			"record %" PRIu64 " is altered: segment %016" PRIx64 ", offset %" PRIu64,
			r->record, r->segment, r->offset);
	HF_TRY(e);
	r->offset += HF_SEGLOG_FRAME_LEN + len;
	r->record++;
	return HF_OK;
}

void hf_seglog_reader_clear(struct hf_seglog_reader *r)
{
	hf_file_close(&r->fd);
}
