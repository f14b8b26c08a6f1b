/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The call goes through a volatile function pointer: the compiler must assume that it can point
 * anywhere and cannot prove the store dead. (C17 has no memset_explicit; asm would be no C.)
 */
#include "base/wipe.h"

#include <string.h>

static void *(*const volatile wipe_memset)(void *, int, size_t) = memset;

void hf_wipe(void *p, size_t len)
{
	if (len > 0)
		(void)wipe_memset(p, 0, len);
}
