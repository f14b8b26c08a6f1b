/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 by arithmetic: characters and values are mapped with masks, not with tables. */
#include "codec/base64.h"

#include "base/ct.h"
#include "base/wipe.h"

enum { BAD = 0x80 }; /* no value: or-ed over all characters, it survives */

static char char_plus(enum hf_base64 a)
{
	return a == HF_BASE64_URL ? '-' : '+';
}

static char char_slash(enum hf_base64 a)
{
	return a == HF_BASE64_URL ? '_' : '/';
}

static char char_of(unsigned v, enum hf_base64 a)
{
	uint64_t c = 'A' + (uint64_t)v;

	c = hf_ct_pick(hf_ct_less(25, v), 'a' + (uint64_t)v - 26, c);
	c = hf_ct_pick(hf_ct_less(51, v), '0' + (uint64_t)v - 52, c);
	c = hf_ct_pick(hf_ct_same(v, 62), (uint64_t)char_plus(a), c);
	c = hf_ct_pick(hf_ct_same(v, 63), (uint64_t)char_slash(a), c);
	return (char)c;
}

/* All ones if low <= c <= high. */
static hf_ct_mask in_range(uint64_t c, uint64_t low, uint64_t high)
{
	return ~hf_ct_less(c, low) & ~hf_ct_less(high, c);
}

static unsigned value_of(char text, enum hf_base64 a)
{
	uint64_t c = (uint8_t)text;
	uint64_t v = BAD;

	v = hf_ct_pick(in_range(c, 'A', 'Z'), c - 'A', v);
	v = hf_ct_pick(in_range(c, 'a', 'z'), c - 'a' + 26, v);
	v = hf_ct_pick(in_range(c, '0', '9'), c - '0' + 52, v);
	v = hf_ct_pick(hf_ct_same(c, (uint64_t)char_plus(a)), 62, v);
	v = hf_ct_pick(hf_ct_same(c, (uint64_t)char_slash(a)), 63, v);
	return (unsigned)v;
}

size_t hf_base64_emit(char *text, const uint8_t *in, size_t len, enum hf_base64 alphabet)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i += 3) {
		size_t have = len - i < 3 ? len - i : 3;
		uint32_t v = (uint32_t)in[i] << 16;

		if (have > 1)
			v |= (uint32_t)in[i + 1] << 8;
		if (have > 2)
			v |= in[i + 2];
		for (size_t k = 0; k <= have; k++)
			text[n++] = char_of(v >> (18 - 6 * k) & 0x3f, alphabet);
		for (size_t k = have; k < 3 && alphabet == HF_BASE64_STD; k++)
			text[n++] = '=';
	}
	return n;
}

/* Characters without the padding; SIZE_MAX when the padding is not the one form. */
static size_t unpadded_len(const char *text, size_t len, enum hf_base64 alphabet)
{
	if (alphabet == HF_BASE64_STD) {
		if (len % 4 != 0)
			return SIZE_MAX;
		if (len > 0 && text[len - 1] == '=')
			len -= text[len - 2] == '=' ? 2 : 1;
	}
	return len % 4 == 1 ? SIZE_MAX : len;
}

hf_err hf_base64_parse(uint8_t *out, size_t cap, size_t *len, const char *text, size_t text_len,
	enum hf_base64 alphabet)
{
	size_t n_chars = unpadded_len(text, text_len, alphabet);
	unsigned bad = 0;
	uint32_t v = 0;
	size_t n = 0;

	if (n_chars == SIZE_MAX)
		return HF_ERR_FORMAT;
	if (n_chars / 4 * 3 + n_chars % 4 * 3 / 4 > cap)
		return HF_ERR_LIMIT;
	for (size_t i = 0; i < n_chars; i++) {
		unsigned x = value_of(text[i], alphabet);

		bad |= x & BAD;
		v = v << 6 | (x & 0x3f);
		if (i % 4 != 0)
			out[n++] = (uint8_t)(v >> (6 - 2 * (i % 4)));
		/* RFC 4648 3.5: bits behind the last byte are zero. */
		if (i + 1 == n_chars && i % 4 != 3)
			bad |= v & ((1u << (6 - 2 * (i % 4))) - 1);
	}
	if (bad != 0) {
		hf_wipe(out, n);
		return HF_ERR_FORMAT;
	}
	*len = n;
	return HF_OK;
}
