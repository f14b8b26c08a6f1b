/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory from malloc. The limited heap keeps the length of each piece in front of it, so that it
 * knows what comes back. Pieces are not wiped here: who holds a secret wipes it (base/buf.h does).
 */
#include "os/heap.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>

enum {
	HEAP_HEAD = _Alignof(max_align_t),
	HEAP_LARGE = 128 * 1024, /* bytes */
};

_Static_assert(HEAP_HEAD >= sizeof(size_t), "the length must fit in front of a piece");

static void *libc_get(void *ctx, size_t len)
{
	(void)ctx;
	return malloc(len == 0 ? 1 : len);
}

static void libc_put(void *ctx, void *p)
{
	(void)ctx;
	free(p);
}

static const struct hf_mem libc_mem = { libc_get, libc_put, NULL };

const struct hf_mem *hf_os_mem(void)
{
	return &libc_mem;
}

void hf_os_mem_thrifty(void)
{
#if defined(__GLIBC__)
	/* Left alone, glibc raises both with every large piece that is freed. */
	(void)mallopt(M_MMAP_THRESHOLD, HEAP_LARGE);
	(void)mallopt(M_TRIM_THRESHOLD, HEAP_LARGE);
#endif
}

/* Takes len bytes from what is left; false if there are fewer. */
static int heap_charge(struct hf_heap *h, size_t len)
{
	size_t used = atomic_load(&h->used);
	size_t peak;

	do {
		if (len > h->limit - used)
			return 0;
	} while (!atomic_compare_exchange_weak(&h->used, &used, used + len));

	used += len;
	peak = atomic_load(&h->peak);
	while (used > peak && !atomic_compare_exchange_weak(&h->peak, &peak, used))
		;
	return 1;
}

static void *heap_get(void *ctx, size_t len)
{
	struct hf_heap *h = ctx;
	uint8_t *p;

	if (len > PTRDIFF_MAX - HEAP_HEAD || !heap_charge(h, len))
		return NULL;
	p = malloc(HEAP_HEAD + len);
	if (p == NULL) {
		atomic_fetch_sub(&h->used, len);
		return NULL;
	}
	*(size_t *)(void *)p = len;
	return p + HEAP_HEAD;
}

static void heap_put(void *ctx, void *p)
{
	struct hf_heap *h = ctx;
	uint8_t *start;

	if (p == NULL)
		return;
	start = (uint8_t *)p - HEAP_HEAD;
	atomic_fetch_sub(&h->used, *(size_t *)(void *)start);
	free(start);
}

void hf_heap_init(struct hf_heap *h, size_t limit)
{
	h->mem = (struct hf_mem){ heap_get, heap_put, h };
	h->limit = limit;
	atomic_init(&h->used, 0);
	atomic_init(&h->peak, 0);
}

size_t hf_heap_used(const struct hf_heap *h)
{
	return atomic_load(&h->used);
}

size_t hf_heap_peak(const struct hf_heap *h)
{
	return atomic_load(&h->peak);
}
