/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory comes from an allocator that is handed in, so that a test can fail each allocation in
 * turn and a device can give a fixed arena. Programs use hf_os_mem() (os/heap.h).
 */
#ifndef HF_BASE_MEM_H
#define HF_BASE_MEM_H

#include <stddef.h>

struct hf_mem {
	void *(*get)(void *ctx, size_t len); /* aligned for any object; NULL when there is none */
	void (*put)(void *ctx, void *p);     /* p may be NULL */
	void *ctx;
};

/* len bytes set to zero, or NULL. len 0 gives a pointer that may be NULL. */
void *hf_mem_new(const struct hf_mem *m, size_t len);

/*
 * As hf_mem_new, with anything in it. Not touched: of a large piece, what is never written takes no
 * memory.
 */
void *hf_mem_room(const struct hf_mem *m, size_t len);

/* Zeroed array of n elements of size bytes, or NULL, also when n * size overflows. */
void *hf_mem_array(const struct hf_mem *m, size_t n, size_t size);

/* Gives p back. NULL is accepted. */
void hf_mem_free(const struct hf_mem *m, void *p);

#endif
