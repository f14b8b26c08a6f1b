/* SPDX-License-Identifier: Apache-2.0 */
/* The allocators of programs: the heap of the C library, whole or with a limit. */
#ifndef HF_OS_HEAP_H
#define HF_OS_HEAP_H

#include <stdatomic.h>
#include <stddef.h>

#include "base/mem.h"

/* malloc and free. Never NULL; may be used by any thread. */
const struct hf_mem *hf_os_mem(void);

/*
 * From now on large pieces go back to the system as soon as they are freed, instead of staying with
 * the process: for those that live long and should be small. Costs a few system calls a megabyte.
 */
void hf_os_mem_thrifty(void);

/* A heap that never has more than limit bytes out. May be used by several threads. */
struct hf_heap {
	struct hf_mem mem; /* hand this out */
	size_t limit;      /* bytes */
	atomic_size_t used;
	atomic_size_t peak; /* most bytes that were ever out at once */
};

/* The heap must not move and must outlive what it gave. Bookkeeping is not counted. */
void hf_heap_init(struct hf_heap *h, size_t limit);

size_t hf_heap_used(const struct hf_heap *h);
size_t hf_heap_peak(const struct hf_heap *h);

#endif
