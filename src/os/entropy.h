/* SPDX-License-Identifier: Apache-2.0 */
/* The operating system's source of entropy. It seeds the module's generator (crypto/drbg.h). */
#ifndef HF_OS_ENTROPY_H
#define HF_OS_ENTROPY_H

#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"

/*
 * Fills len bytes from getrandom(2); waits until the kernel's pool is ready after boot.
 * HF_ERR_ENTROPY: the kernel refused; out is all zero and must not be used.
 */
HF_MUST_USE hf_err hf_entropy_fill(uint8_t *out, size_t len);

/* The same source as struct hf_rng; its errors are those of hf_entropy_fill. */
struct hf_rng hf_os_rng(void);

#endif
