/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32C (Castagnoli, RFC 3720 12.1): finds torn writes and bad media. It proves nothing. */
#ifndef HF_STORE_CRC32C_H
#define HF_STORE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The check sum of len bytes that follow those with the check sum crc (0: there are none). */
uint32_t hf_crc32c(uint32_t crc, const void *bytes, size_t len);

#endif
