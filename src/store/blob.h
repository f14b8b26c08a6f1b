/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory of immutable objects, each named by its kind and its digest. The store keeps names
 * and bytes together; that the bytes have that digest is checked by who puts them in, before
 * commit. One thread, one process (it holds a lock). Codes of os/file.h apply; HF_ERR_FULL also
 * means that the quota is reached: delete something, then try again. Symbolic links are never
 * followed.
 */
#ifndef HF_STORE_BLOB_H
#define HF_STORE_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

enum {
	HF_BLOB_KIND_MAX = 16,     /* characters a-z of a kind */
	HF_BLOB_ID_LEN = 64,       /* lower-case hexadecimal characters of an id */
	HF_BLOB_DIR_MAX = 1024,    /* bytes of the directory's path */
	HF_BLOB_LIST_MAX = 1 << 20 /* objects of one kind */
};

struct hf_blobs {
	const struct hf_mem *mem;
	uint64_t quota; /* bytes */
	uint64_t used;  /* bytes of committed objects and of what is being put */
	int lock;
	char dir[HF_BLOB_DIR_MAX];
};

/*
 * Opens the store in dir and makes it if it is missing. What an interrupted hf_blob_begin left is
 * deleted; what hf_blob_fill left stays and counts. HF_ERR_AGAIN: another process has it open.
 */
HF_MUST_USE hf_err hf_blobs_init(struct hf_blobs *b, const struct hf_mem *mem, const char *dir,
	uint64_t quota, struct hf_errinfo *ei);

/* Accepts one that was never opened, if it started as { .lock = -1 }. */
void hf_blobs_clear(struct hf_blobs *b);

/* True for names that a store accepts: nothing else ever becomes part of a path. */
bool hf_blob_is_kind(const char *kind);
bool hf_blob_is_id(const char *id);

/* HF_ERR_NOT_FOUND: not there, or not committed yet. HF_ERR_ARG: no name of an object. */
HF_MUST_USE hf_err hf_blob_size(struct hf_blobs *b, uint64_t *size, const char *kind,
	const char *id, struct hf_errinfo *ei);

/* Opens for reading (hf_file_pread); the caller closes *fd. */
HF_MUST_USE hf_err hf_blob_open(struct hf_blobs *b, int *fd, uint64_t *size, const char *kind,
	const char *id, struct hf_errinfo *ei);

/* HF_ERR_NOT_FOUND: it was not there. Descriptors that are open go on working. */
HF_MUST_USE hf_err hf_blob_delete(
	struct hf_blobs *b, const char *kind, const char *id, struct hf_errinfo *ei);

/* Shows every committed object of a kind in the order of ids; each may delete it. */
HF_MUST_USE hf_err hf_blob_list(struct hf_blobs *b, const char *kind,
	hf_err (*each)(void *ctx, const char *id, uint64_t size), void *ctx, struct hf_errinfo *ei);

/* An object on its way in. Begin or fill it, then commit, drop or (a filled one) pause it. */
struct hf_blob_put {
	struct hf_blobs *blobs; /* NULL when empty */
	int fd;                 /* for hf_file_pwrite and hf_resume_commit of a filled one */
	uint64_t size;          /* bytes written, or the size it is filled up to */
	bool is_fill;
	char kind[HF_BLOB_KIND_MAX + 1];
	char id[HF_BLOB_ID_LEN + 1];
};

/* Starts an object that comes front to back. HF_ERR_EXISTS: it is there already, committed. */
HF_MUST_USE hf_err hf_blob_begin(struct hf_blob_put *put, struct hf_blobs *b, const char *kind,
	const char *id, struct hf_errinfo *ei);
HF_MUST_USE hf_err hf_blob_write(
	struct hf_blob_put *put, const void *bytes, size_t len, struct hf_errinfo *ei);

/*
 * Starts, or goes on with, an object of a known size whose pieces come in any order, by
 * hf_file_pwrite to put->fd. The whole size counts for the quota at once. *is_resumed: a file of
 * this size was there; which of its bytes are good is what store/resume.h remembers.
 */
HF_MUST_USE hf_err hf_blob_fill(struct hf_blob_put *put, struct hf_blobs *b, const char *kind,
	const char *id, uint64_t size, bool *is_resumed, struct hf_errinfo *ei);

/*
 * What hf_blob_fill left of an object that is not whole: its size, and the space it takes.
 * HF_ERR_NOT_FOUND: nothing.
 */
HF_MUST_USE hf_err hf_blob_part_size(struct hf_blobs *b, uint64_t *size, uint64_t *disk_size,
	const char *kind, const char *id, struct hf_errinfo *ei);

/* Deletes that; nobody is filling it. HF_ERR_NOT_FOUND: there was nothing. */
HF_MUST_USE hf_err hf_blob_part_delete(
	struct hf_blobs *b, const char *kind, const char *id, struct hf_errinfo *ei);

/* Makes it durable and visible under its name; *put is empty afterwards, also on failure. */
HF_MUST_USE hf_err hf_blob_commit(struct hf_blob_put *put, struct hf_errinfo *ei);

/* Leaves a filled one for later. */
void hf_blob_pause(struct hf_blob_put *put);

/* Deletes what has come in. Accepts an empty one. */
void hf_blob_drop(struct hf_blob_put *put);

#endif
