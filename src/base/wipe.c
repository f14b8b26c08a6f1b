/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The call goes through a volatile function pointer: the compiler must assume that it can point
 * anywhere and cannot prove the store dead. The pointer is a local, so that none lies writable in
 * memory. (C17 has no memset_explicit; asm would be no C.)
 */
#include "base/wipe.h"

#include <stdint.h>
#include <string.h>

#include "base/attr.h"

enum { STACK_LEN = 4096 }; /* bytes; kernels need less for what they keep */

void hf_wipe(void *p, size_t len)
{
	void *(*const volatile set)(void *, int, size_t) = memset;

	if (len > 0)
		(void)set(p, 0, len);
}

/* The array lies where the frames of the calls before it lay. */
HF_NOINLINE void hf_wipe_stack(void)
{
	uint8_t area[STACK_LEN];

	hf_wipe(area, sizeof(area));
}
