/* SPDX-License-Identifier: Apache-2.0 */
/* Erasing memory in a way that the compiler cannot drop. */
#ifndef HF_BASE_WIPE_H
#define HF_BASE_WIPE_H

#include <stddef.h>

/* Sets len bytes at p to zero, for good. p may be NULL when len is 0. */
void hf_wipe(void *p, size_t len);

#endif
