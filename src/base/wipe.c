/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The call goes through a volatile function pointer: the compiler must assume that it can point
 * anywhere and cannot prove the store dead. The pointer is a local, so that none lies writable in
 * memory. (C17 has no memset_explicit; asm would be no C.)
 */
#include "base/wipe.h"

#include <string.h>

void hf_wipe(void *p, size_t len)
{
	void *(*const volatile set)(void *, int, size_t) = memset;

	if (len > 0)
		(void)set(p, 0, len);
}
