/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base64 (RFC 4648), strict: no white space, no missing or needless padding, unused bits zero. The
 * value of a character decides neither branch nor address, since private keys pass through here.
 */
#ifndef HF_CODEC_BASE64_H
#define HF_CODEC_BASE64_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum hf_base64 {
	HF_BASE64_STD, /* + and /, padded */
	HF_BASE64_URL, /* - and _, not padded */
};

/* Characters that len bytes become, at most, without terminator. */
#define HF_BASE64_LEN(len) (((len) + 2) / 3 * 4)

/* Writes the characters, without terminator, and returns how many. */
size_t hf_base64_emit(char *text, const uint8_t *in, size_t len, enum hf_base64 alphabet);

/*
 * HF_ERR_FORMAT: another character, or not the one form that these bytes have. HF_ERR_LIMIT: more
 * than cap bytes. On failure *len is unchanged and out has been zeroed.
 */
HF_MUST_USE hf_err hf_base64_parse(uint8_t *out, size_t cap, size_t *len, const char *text,
	size_t text_len, enum hf_base64 alphabet);

#endif
