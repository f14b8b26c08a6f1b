/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DER forms of GM/T 0009-2012: signature (7.3) and ciphertext (7.2). One encoding only is
 * accepted for each value: definite, shortest lengths; shortest, not negative integers.
 */
#include <string.h>

#include "base/rd.h"
#include "base/wr.h"
#include "crypto/sm2.h"

enum {
	TAG_INTEGER = 0x02,
	TAG_OCTETS = 0x04,
	TAG_SEQUENCE = 0x30,
};

/* The content of the next element, which must have this tag. Anything else leaves it short. */
static struct hf_reader element(struct hf_reader *r, uint8_t tag)
{
	struct hf_reader bad = { .is_short = true };
	bool is_tag = hf_rd_u8(r) == tag;
	size_t len = hf_rd_u8(r);
	bool is_shortest = true;

	if (len == 0x81) {
		len = hf_rd_u8(r);
		is_shortest = len >= 0x80;
	} else if (len == 0x82) {
		len = hf_rd_u16(r);
		is_shortest = len >= 0x100;
	} else if (len == 0x83) {
		len = hf_rd_u24(r);
		is_shortest = len >= 0x10000;
	} else if (len >= 0x80) {
		is_shortest = false;
	}
	if (!is_tag || !is_shortest) {
		r->is_short = true;
		return bad;
	}
	return hf_rd_sub(r, len);
}

/* An INTEGER of 0 .. 2^256 - 1 into 32 bytes. */
static void integer(uint8_t out[HF_SM2_LEN], struct hf_reader *r)
{
	struct hf_reader c = element(r, TAG_INTEGER);
	bool is_ok = c.left > 0 && (c.p[0] & 0x80) == 0;

	/* X.690 8.3.2: no leading zero byte, unless the next byte's top bit needs it. */
	if (is_ok && c.left > 1 && c.p[0] == 0) {
		is_ok = (c.p[1] & 0x80) != 0;
		(void)hf_rd_u8(&c);
	}
	if (!is_ok || c.left > HF_SM2_LEN) {
		r->is_short = true;
		return;
	}
	memset(out, 0, HF_SM2_LEN);
	memcpy(out + HF_SM2_LEN - c.left, c.p, c.left);
}

static void put_length(struct hf_writer *w, size_t len)
{
	if (len >= 0x10000) {
		hf_wr_u8(w, 0x83);
		hf_wr_u24(w, (uint32_t)len);
	} else if (len >= 0x100) {
		hf_wr_u8(w, 0x82);
		hf_wr_u16(w, (uint16_t)len);
	} else {
		if (len >= 0x80)
			hf_wr_u8(w, 0x81);
		hf_wr_u8(w, (uint8_t)len);
	}
}

static void put_integer(struct hf_writer *w, const uint8_t in[HF_SM2_LEN])
{
	size_t skip = 0;
	bool needs_zero;

	while (skip < HF_SM2_LEN - 1 && in[skip] == 0)
		skip++;
	needs_zero = (in[skip] & 0x80) != 0;
	hf_wr_u8(w, TAG_INTEGER);
	put_length(w, HF_SM2_LEN - skip + needs_zero);
	if (needs_zero)
		hf_wr_u8(w, 0);
	hf_wr_put(w, in + skip, HF_SM2_LEN - skip);
}

hf_err hf_sm2_sig_parse_der(struct hf_sm2_sig *sig, const uint8_t *in, size_t in_len)
{
	struct hf_reader r = { .p = in, .left = in_len };
	struct hf_sm2_sig t = { 0 };
	struct hf_reader seq = element(&r, TAG_SEQUENCE);

	integer(t.r, &seq);
	integer(t.s, &seq);
	if (hf_rd_done(&seq) != HF_OK || hf_rd_done(&r) != HF_OK)
		return HF_ERR_FORMAT;
	*sig = t;
	return HF_OK;
}

size_t hf_sm2_sig_emit_der(uint8_t out[HF_SM2_SIG_DER_MAX], const struct hf_sm2_sig *sig)
{
	struct hf_writer w = { .p = out, .cap = HF_SM2_SIG_DER_MAX };
	size_t mark;

	hf_wr_u8(&w, TAG_SEQUENCE);
	mark = hf_wr_open(&w, 1);
	put_integer(&w, sig->r);
	put_integer(&w, sig->s);
	hf_wr_close(&w, mark, 1);
	return w.len;
}

hf_err hf_sm2_cipher_emit_der(uint8_t *out, size_t *out_len, const uint8_t *raw, size_t raw_len)
{
	uint8_t head[2 * (2 + 1 + HF_SM2_LEN) + 2 + HF_SM3_LEN];
	struct hf_writer h = { .p = head, .cap = sizeof(head) };
	struct hf_writer w = { .p = out, .cap = *out_len };
	size_t text_len;
	uint8_t octets[5];
	struct hf_writer o = { .p = octets, .cap = sizeof(octets) };

	if (raw_len <= HF_SM2_CIPHER_OVERHEAD)
		return HF_ERR_FORMAT;
	text_len = raw_len - HF_SM2_CIPHER_OVERHEAD;
	if (text_len > HF_SM2_PLAIN_MAX)
		return HF_ERR_LIMIT;

	put_integer(&h, raw);
	put_integer(&h, raw + HF_SM2_LEN);
	hf_wr_u8(&h, TAG_OCTETS);
	put_length(&h, HF_SM3_LEN);
	hf_wr_put(&h, raw + 2 * HF_SM2_LEN, HF_SM3_LEN);
	hf_wr_u8(&o, TAG_OCTETS);
	put_length(&o, text_len);

	hf_wr_u8(&w, TAG_SEQUENCE);
	put_length(&w, h.len + o.len + text_len);
	hf_wr_put(&w, head, h.len);
	hf_wr_put(&w, octets, o.len);
	hf_wr_put(&w, raw + HF_SM2_CIPHER_OVERHEAD, text_len);
	HF_TRY(hf_wr_done(&w));
	*out_len = w.len;
	return HF_OK;
}

hf_err hf_sm2_cipher_parse_der(uint8_t *raw, size_t *raw_len, const uint8_t *in, size_t in_len)
{
	struct hf_reader r = { .p = in, .left = in_len };
	struct hf_reader seq = element(&r, TAG_SEQUENCE);
	uint8_t c1[2 * HF_SM2_LEN] = { 0 };
	struct hf_reader c3;
	struct hf_reader c2;

	integer(c1, &seq);
	integer(c1 + HF_SM2_LEN, &seq);
	c3 = element(&seq, TAG_OCTETS);
	c2 = element(&seq, TAG_OCTETS);
	if (hf_rd_done(&seq) != HF_OK || hf_rd_done(&r) != HF_OK)
		return HF_ERR_FORMAT;
	if (c3.left != HF_SM3_LEN || c2.left == 0 || c2.left > HF_SM2_PLAIN_MAX)
		return HF_ERR_FORMAT;
	if (*raw_len < HF_SM2_CIPHER_OVERHEAD + c2.left)
		return HF_ERR_LIMIT;

	memcpy(raw, c1, sizeof(c1));
	memcpy(raw + sizeof(c1), c3.p, HF_SM3_LEN);
	memcpy(raw + HF_SM2_CIPHER_OVERHEAD, c2.p, c2.left);
	*raw_len = HF_SM2_CIPHER_OVERHEAD + c2.left;
	return HF_OK;
}
