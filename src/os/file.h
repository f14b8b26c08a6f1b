/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files. A descriptor is a plain int, -1 when empty; all of them close on exec. Failures carry a
 * text that names the path (for a descriptor: the path it was opened by, as the kernel knows it).
 * Codes common to all: HF_ERR_FULL (free space, then try again), HF_ERR_PERMISSION,
 * HF_ERR_NOT_FOUND, HF_ERR_IO (the medium; do not trust what was written since the last sync).
 * ei may be NULL everywhere.
 */
#ifndef HF_OS_FILE_H
#define HF_OS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum hf_file_how {
	HF_FILE_READ = 0,            /* read only */
	HF_FILE_WRITE = 1 << 0,      /* read and write */
	HF_FILE_CREATE = 1 << 1,     /* make it if it is missing */
	HF_FILE_NEW = 1 << 2,        /* make it; HF_ERR_EXISTS if it is there */
	HF_FILE_APPEND = 1 << 3,     /* hf_file_write goes to the end, whatever else happens */
	HF_FILE_SEQUENTIAL = 1 << 4, /* will be read once, front to back */
	HF_FILE_FOLLOW = 1 << 5,     /* the last part may be a symbolic link (paths of the user) */
	HF_FILE_WAIT = 1 << 6,       /* a fifo waits for its other end (paths of the user) */
	HF_FILE_PUT = 1 << 7,        /* write only: a fifo that is read, too, has no other end */
};

/*
 * Opens path. Without HF_FILE_FOLLOW a symbolic link as its last part is HF_ERR_PERMISSION. mode
 * counts when a file is made, and is set exactly (the umask does not matter). A directory is
 * HF_ERR_ARG; opening does not wait without HF_FILE_WAIT and never takes over the terminal.
 */
HF_MUST_USE hf_err hf_file_open(
	int *fd, const char *path, unsigned how, unsigned mode, struct hf_errinfo *ei);

/*
 * Opens the regular file `path` below the folder dir for reading. No part of path is followed if it
 * is a symbolic link, whoever puts one there meanwhile, and nothing but a file is opened.
 * HF_ERR_PERMISSION: a link. HF_ERR_ARG: absolute, with "..", or no regular file.
 */
HF_MUST_USE hf_err hf_file_open_below(
	int *fd, const char *dir, const char *path, struct hf_errinfo *ei);

/* Closes and sets *fd to -1; accepts -1. Errors of close say nothing that sync did not say. */
void hf_file_close(int *fd);

/*
 * Appends the whole file to out, which may start out empty. The last part may be a symbolic link.
 * HF_ERR_LIMIT: longer than out->max leaves room for. On failure out is as before.
 */
HF_MUST_USE hf_err hf_file_load(struct hf_buf *out, const char *path, struct hf_errinfo *ei);

/* The same for a path that a user names for one command: a fifo is waited for and read. */
HF_MUST_USE hf_err hf_file_load_input(struct hf_buf *out, const char *path, struct hf_errinfo *ei);

/*
 * Replaces the file at path, or makes it, in one step: after a crash there is the old or the new
 * content, whole. When it returns HF_OK the new one is durable. On failure the old one is there
 * and no temporary file is left, unless the process died (then one named .<name>.tmp-<pid>-<n>).
 */
HF_MUST_USE hf_err hf_file_replace(
	const char *path, unsigned mode, const void *bytes, size_t len, struct hf_errinfo *ei);

/* Up to cap bytes from the current position into out; *got 0 at the end of the file. */
HF_MUST_USE hf_err hf_file_read(
	int fd, uint8_t *out, size_t cap, size_t *got, struct hf_errinfo *ei);

/* Waits until fd can be read (or has ended). HF_ERR_AGAIN: stop_fd can, and goes first. */
HF_MUST_USE hf_err hf_file_await(int fd, int stop_fd);

/* All len bytes at the current position. */
HF_MUST_USE hf_err hf_file_write(int fd, const void *bytes, size_t len, struct hf_errinfo *ei);

/* Exactly len bytes at offset. HF_ERR_TRUNCATED: the file ends earlier; out is then undefined. */
HF_MUST_USE hf_err hf_file_pread(
	int fd, uint8_t *out, size_t len, uint64_t offset, struct hf_errinfo *ei);

/* All len bytes at offset. After a failure any part of them may have been written. */
HF_MUST_USE hf_err hf_file_pwrite(
	int fd, const void *bytes, size_t len, uint64_t offset, struct hf_errinfo *ei);

/* Sets the size; what is added reads as zeros and takes no space (a sparse file). */
HF_MUST_USE hf_err hf_file_resize(int fd, uint64_t size, struct hf_errinfo *ei);

/* Takes the space of the first size bytes now, so that later writes cannot be HF_ERR_FULL. */
HF_MUST_USE hf_err hf_file_reserve(int fd, uint64_t size, struct hf_errinfo *ei);

/* Sets the permission bits. When they become durable is the file system's affair. */
HF_MUST_USE hf_err hf_file_set_mode(int fd, unsigned mode, struct hf_errinfo *ei);

/*
 * Makes the content and the size durable. After HF_ERR_IO the pages are lost: a second call may
 * succeed without having written them, so give the file up (never retry on this descriptor).
 */
HF_MUST_USE hf_err hf_file_sync(int fd, struct hf_errinfo *ei);

struct hf_file_stat {
	uint64_t size;      /* bytes a reader sees */
	uint64_t disk_size; /* bytes it takes; less than size where the file is sparse */
	uint64_t mtime_s;   /* last change, seconds since 1970 */
	uint64_t inode;
	uint32_t uid;
	unsigned mode; /* permission bits */
	unsigned n_links;
	bool is_file;
	bool is_dir;
	bool is_link; /* symbolic */
};

/* Tells about the file itself: a symbolic link is neither file nor directory. */
HF_MUST_USE hf_err hf_file_stat(struct hf_file_stat *out, const char *path, struct hf_errinfo *ei);
HF_MUST_USE hf_err hf_file_fstat(struct hf_file_stat *out, int fd, struct hf_errinfo *ei);

/*
 * Whether two paths lead to one file, by whatever names and links; for what is not there yet,
 * whether making it would. What cannot be looked at is no file.
 */
bool hf_file_is_same(const char *a, const char *b);

/*
 * Where a symbolic link below the folder dir leads, as a path below dir; out has room for
 * HF_FILE_PATH_MAX bytes. HF_ERR_PERMISSION: out of dir. HF_ERR_NOT_FOUND: nowhere.
 */
HF_MUST_USE hf_err hf_file_link_below(
	char *out, const char *dir, const char *path, struct hf_errinfo *ei);

/* A new file beside path, named so that no other process or thread has it. */
enum { HF_FILE_PATH_MAX = 4096 };
HF_MUST_USE hf_err hf_file_temp(int *fd, char temp[HF_FILE_PATH_MAX], const char *path,
	unsigned mode, struct hf_errinfo *ei);

/* Mode bits that this process does not give to its files. Not while other threads make files. */
unsigned hf_file_umask(void);

/* Renames within one file system, replacing what is there. Durable after hf_dir_sync. */
HF_MUST_USE hf_err hf_file_rename(const char *from, const char *to, struct hf_errinfo *ei);

/* Deletes a file (not a directory). Durable after hf_dir_sync. */
HF_MUST_USE hf_err hf_file_delete(const char *path, struct hf_errinfo *ei);

/*
 * Opens (or makes, mode 0600) a lock file and takes it for this process; it is held until *fd is
 * closed or the process ends. HF_ERR_AGAIN: somebody holds it; the text names the process if known.
 */
HF_MUST_USE hf_err hf_file_lock(int *fd, const char *path, struct hf_errinfo *ei);

#endif
