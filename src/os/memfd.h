/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that exists in memory only, filled once and then sealed: nobody, its maker included, can
 * change or resize it. How an opened model is handed to a runtime without touching a disk.
 */
#ifndef HF_OS_MEMFD_H
#define HF_OS_MEMFD_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { HF_MEMFD_PATH_MAX = 32 }; /* bytes of a /proc/self/fd path with its terminator */

struct hf_memfd {
	int fd;       /* -1 when empty */
	uint8_t *map; /* the bytes: writable until sealed, then readable; NULL when empty */
	size_t len;
};

#define HF_MEMFD_EMPTY ((struct hf_memfd){ .fd = -1 })

/*
 * Makes one of len zero bytes (len > 0) and maps it for filling in. All of its memory is taken
 * here, so that filling cannot fail. HF_ERR_NO_MEMORY: more than the system can give and keep 64
 * MiB for everybody else; nothing was taken. name shows in /proc only.
 */
HF_MUST_USE hf_err hf_memfd_init(
	struct hf_memfd *m, const char *name, uint64_t len, struct hf_errinfo *ei);

/* Ends the filling: no write, no change of size, no new seal from now on. map stays readable. */
HF_MUST_USE hf_err hf_memfd_seal(struct hf_memfd *m, struct hf_errinfo *ei);

/*
 * Keeps the bytes out of swap for as long as m is not cleared. HF_ERR_LIMIT: more than the system
 * lets this process lock (RLIMIT_MEMLOCK).
 */
HF_MUST_USE hf_err hf_memfd_lock(struct hf_memfd *m, struct hf_errinfo *ei);

/* Gives the descriptor to the caller, who closes it; the mapping ends. */
int hf_memfd_take(struct hf_memfd *m);

/* Wipes what is not sealed yet, unmaps, closes. Accepts HF_MEMFD_EMPTY. */
void hf_memfd_clear(struct hf_memfd *m);

/* The path by which a child that inherited descriptor fd opens it. */
void hf_memfd_path(char path[HF_MEMFD_PATH_MAX], int fd);

/*
 * All in one: makes, lets fill write the len bytes at room, seals, and gives the descriptor. What
 * fill returns other than HF_OK is returned, and nothing remains.
 */
HF_MUST_USE hf_err hf_memfd_make(int *fd, const char *name, uint64_t len,
	hf_err (*fill)(void *ctx, uint8_t *room, size_t len), void *ctx, struct hf_errinfo *ei);

#endif
