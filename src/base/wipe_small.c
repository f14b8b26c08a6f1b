/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wiping for small ends: stands in for wipe.c, which says why it is done this way, where HUFU_SMALL
 * is set. No service takes more than 2 KiB of stack there, and neither may wiping.
 */
#include "base/wipe.h"

#include <stdint.h>
#include <string.h>

#include "base/attr.h"

enum { STACK_LEN = 1280 }; /* bytes; kernels need less for what they keep */

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
