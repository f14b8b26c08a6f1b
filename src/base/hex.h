/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as lower-case hexadecimal text. For public values: the look-ups are not constant-time. */
#ifndef HF_BASE_HEX_H
#define HF_BASE_HEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Writes 2 * len characters and a terminator to text. */
void hf_hex_emit(char *text, const uint8_t *bytes, size_t len);

/*
 * Reads text_len hexadecimal characters (either case) into out and gives the number of bytes.
 * HF_ERR_FORMAT: odd length or another character. HF_ERR_LIMIT: more than cap bytes.
 * On failure *len is unchanged.
 */
HF_MUST_USE hf_err hf_hex_parse(
	uint8_t *out, size_t cap, size_t *len, const char *text, size_t text_len);

#endif
