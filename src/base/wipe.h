/* SPDX-License-Identifier: Apache-2.0 */
/* Erasing memory in a way that the compiler cannot drop. */
#ifndef HF_BASE_WIPE_H
#define HF_BASE_WIPE_H

#include <stddef.h>

/* Sets len bytes at p to zero, for good. p may be NULL when len is 0. */
void hf_wipe(void *p, size_t len);

/*
 * Sets the 4 KiB of the stack below the caller to zero: what functions that it called have left
 * there, of registers that the compiler had to put aside. For the end of services that had a
 * secret.
 */
void hf_wipe_stack(void);

#endif
