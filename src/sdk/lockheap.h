/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An allocator whose memory is never swapped and never in a core dump: each allocation has locked
 * pages of its own between guards (os/lockmem.h), wiped when it is given back. For the few and
 * large buffers that plaintext passes through where the level wants that.
 */
#ifndef HF_SDK_LOCKHEAP_H
#define HF_SDK_LOCKHEAP_H

#include "base/err.h"
#include "base/mem.h"

struct hf_lockheap {
	struct hf_mem mem;     /* hand this out; one thread at a time */
	struct hf_errinfo why; /* why the first allocation that failed did */
};

/* The heap must not move and must outlive what it gave. */
void hf_lockheap_init(struct hf_lockheap *h);

#endif
