/* SPDX-License-Identifier: Apache-2.0 */
/* Hexadecimal text. */
#include "base/hex.h"

void hf_hex_emit(char *text, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * len] = '\0';
}

/* Value of a digit, or 16. */
static unsigned hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return 16;
}

hf_err hf_hex_parse(uint8_t *out, size_t cap, size_t *len, const char *text, size_t text_len)
{
	if (text_len % 2 != 0)
		return HF_ERR_FORMAT;
	if (text_len / 2 > cap)
		return HF_ERR_LIMIT;
	for (size_t i = 0; i < text_len; i += 2) {
		unsigned high = hex_value(text[i]);
		unsigned low = hex_value(text[i + 1]);

		if ((high | low) > 15)
			return HF_ERR_FORMAT;
		out[i / 2] = (uint8_t)(high << 4 | low);
	}
	*len = text_len / 2;
	return HF_OK;
}
