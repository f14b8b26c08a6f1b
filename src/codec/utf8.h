/* SPDX-License-Identifier: Apache-2.0 */
/* Strict UTF-8 (RFC 3629): no overlong form, no surrogate, nothing above U+10FFFF. */
#ifndef HF_CODEC_UTF8_H
#define HF_CODEC_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the valid character at the start of p (1 to 4), or 0 if there is none. */
size_t hf_utf8_len(const uint8_t *p, size_t left);

/* True if all of it is valid. */
bool hf_utf8_is_valid(const uint8_t *p, size_t len);

/* Writes one code point (not a surrogate, at most 0x10ffff); returns the number of bytes. */
size_t hf_utf8_emit(uint8_t out[4], uint32_t code);

#endif
