/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 by the table of RFC 3629 4. */
#include "codec/utf8.h"

static bool in_range(uint8_t b, uint8_t low, uint8_t high)
{
	return b >= low && b <= high;
}

static size_t three_len(const uint8_t *p, size_t left)
{
	uint8_t low = p[0] == 0xe0 ? 0xa0 : 0x80;  /* no overlong form */
	uint8_t high = p[0] == 0xed ? 0x9f : 0xbf; /* no surrogate */

	if (left < 3 || !in_range(p[1], low, high) || !in_range(p[2], 0x80, 0xbf))
		return 0;
	return 3;
}

static size_t four_len(const uint8_t *p, size_t left)
{
	uint8_t low = p[0] == 0xf0 ? 0x90 : 0x80;  /* no overlong form */
	uint8_t high = p[0] == 0xf4 ? 0x8f : 0xbf; /* not above U+10FFFF */

	if (left < 4 || !in_range(p[1], low, high))
		return 0;
	return in_range(p[2], 0x80, 0xbf) && in_range(p[3], 0x80, 0xbf) ? 4 : 0;
}

size_t hf_utf8_len(const uint8_t *p, size_t left)
{
	if (left == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (in_range(p[0], 0xc2, 0xdf))
		return left >= 2 && in_range(p[1], 0x80, 0xbf) ? 2 : 0;
	if (in_range(p[0], 0xe0, 0xef))
		return three_len(p, left);
	if (in_range(p[0], 0xf0, 0xf4))
		return four_len(p, left);
	return 0;
}

bool hf_utf8_is_valid(const uint8_t *p, size_t len)
{
	while (len > 0) {
		size_t n = hf_utf8_len(p, len);

		if (n == 0)
			return false;
		p += n;
		len -= n;
	}
	return true;
}

size_t hf_utf8_emit(uint8_t out[4], uint32_t code)
{
	if (code < 0x80) {
		out[0] = (uint8_t)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (uint8_t)(0xc0 | code >> 6);
		out[1] = (uint8_t)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (uint8_t)(0xe0 | code >> 12);
		out[1] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
		out[2] = (uint8_t)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (uint8_t)(0xf0 | code >> 18);
	out[1] = (uint8_t)(0x80 | (code >> 12 & 0x3f));
	out[2] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
	out[3] = (uint8_t)(0x80 | (code & 0x3f));
	return 4;
}
