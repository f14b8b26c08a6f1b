/* SPDX-License-Identifier: Apache-2.0 */
/* The PROXY protocol, version 2. */
#include "codec/proxy2.h"

#include <string.h>

#include "base/rd.h"

static const uint8_t signature[12] = { 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49,
	0x54, 0x0a };

enum {
	VERSION_LOCAL = 0x20,
	VERSION_PROXY = 0x21,
	FAMILY_UNSPEC = 0x00,
	FAMILY_TCP4 = 0x11,
	FAMILY_TCP6 = 0x21,
	FAMILY_UNIX = 0x31,
	UNIX_LEN = 2 * 108,
	TLV_SSL = 0x20,
	TLV_SSL_CN = 0x22,
	CLIENT_SSL = 0x01,
	CLIENT_CERT_CONN = 0x02,
};

static size_t address_len(enum hf_proxy2_family family)
{
	return family == HF_PROXY2_TCP4 ? 4 : family == HF_PROXY2_TCP6 ? 16 : 0;
}

static void put_addresses(struct hf_writer *w, const struct hf_proxy2 *p)
{
	size_t len = address_len(p->family);

	if (len == 0)
		return;
	hf_wr_put(w, p->from, len);
	hf_wr_put(w, p->to, len);
	hf_wr_u16(w, p->from_port);
	hf_wr_u16(w, p->to_port);
}

static void put_name(struct hf_writer *w, const char *name)
{
	size_t ssl;
	size_t cn;

	if (name[0] == '\0')
		return;
	hf_wr_u8(w, TLV_SSL);
	ssl = hf_wr_open(w, 2);
	hf_wr_u8(w, CLIENT_SSL | CLIENT_CERT_CONN);
	hf_wr_u32(w, 0); /* the certificate was verified */
	hf_wr_u8(w, TLV_SSL_CN);
	cn = hf_wr_open(w, 2);
	hf_wr_str(w, name);
	hf_wr_close(w, cn, 2);
	hf_wr_close(w, ssl, 2);
}

void hf_proxy2_emit(struct hf_writer *w, const struct hf_proxy2 *p)
{
	size_t mark;

	hf_wr_put(w, signature, sizeof(signature));
	hf_wr_u8(w, VERSION_PROXY);
	hf_wr_u8(w, p->family == HF_PROXY2_TCP4   ? FAMILY_TCP4
		    : p->family == HF_PROXY2_TCP6 ? FAMILY_TCP6
						  : FAMILY_UNSPEC);
	mark = hf_wr_open(w, 2);
	put_addresses(w, p);
	put_name(w, p->name);
	hf_wr_close(w, mark, 2);
}

hf_err hf_proxy2_len(size_t *len, const uint8_t head[HF_PROXY2_HEAD_LEN])
{
	size_t n = HF_PROXY2_HEAD_LEN + ((size_t)head[14] << 8 | head[15]);

	if (memcmp(head, signature, sizeof(signature)) != 0)
		return HF_ERR_FORMAT;
	if (head[12] != VERSION_LOCAL && head[12] != VERSION_PROXY)
		return HF_ERR_FORMAT;
	if (n > HF_PROXY2_MAX)
		return HF_ERR_LIMIT;
	*len = n;
	return HF_OK;
}

static hf_err take_addresses(struct hf_reader *r, struct hf_proxy2 *p, uint8_t family)
{
	size_t len;

	if (family == FAMILY_UNIX)
		(void)hf_rd_take(r, UNIX_LEN);
	if (family == FAMILY_TCP4)
		p->family = HF_PROXY2_TCP4;
	else if (family == FAMILY_TCP6)
		p->family = HF_PROXY2_TCP6;
	else if (family != FAMILY_UNIX && family != FAMILY_UNSPEC)
		return HF_ERR_FORMAT;
	len = address_len(p->family);
	if (len == 0)
		return HF_OK;
	hf_rd_copy(r, p->from, len);
	hf_rd_copy(r, p->to, len);
	p->from_port = hf_rd_u16(r);
	p->to_port = hf_rd_u16(r);
	return HF_OK;
}

static hf_err take_name(struct hf_proxy2 *p, struct hf_reader tlv)
{
	uint8_t client = hf_rd_u8(&tlv);
	uint32_t verify = hf_rd_u32(&tlv);

	while (tlv.left > 0 && !tlv.is_short) {
		uint8_t type = hf_rd_u8(&tlv);
		uint16_t len = hf_rd_u16(&tlv);
		const uint8_t *value = hf_rd_take(&tlv, len);

		if (value == NULL || type != TLV_SSL_CN || verify != 0 ||
			(client & CLIENT_CERT_CONN) == 0)
			continue;
		/* Two names: whoever reads the other one sees somebody else. */
		if (p->name[0] != '\0' || len > HF_PROXY2_NAME_MAX ||
			memchr(value, '\0', len) != NULL)
			return HF_ERR_FORMAT;
		memcpy(p->name, value, len);
		p->name[len] = '\0';
	}
	return hf_rd_done(&tlv);
}

hf_err hf_proxy2_parse(struct hf_proxy2 *out, const uint8_t *in, size_t in_len)
{
	struct hf_reader r = { .p = in, .left = in_len };
	struct hf_proxy2 p = { .family = HF_PROXY2_UNKNOWN };
	size_t len = 0;
	uint8_t family;

	if (in_len < HF_PROXY2_HEAD_LEN)
		return HF_ERR_TRUNCATED;
	HF_TRY(hf_proxy2_len(&len, in));
	if (len != in_len)
		return in_len < len ? HF_ERR_TRUNCATED : HF_ERR_FORMAT;
	(void)hf_rd_take(&r, HF_PROXY2_HEAD_LEN);
	family = in[13];
	if (in[12] == VERSION_LOCAL) { /* what follows is to be ignored */
		*out = p;
		return HF_OK;
	}
	HF_TRY(take_addresses(&r, &p, family));
	while (r.left > 0 && !r.is_short) {
		uint8_t type = hf_rd_u8(&r);
		uint16_t value_len = hf_rd_u16(&r);
		struct hf_reader value = hf_rd_sub(&r, value_len);

		if (type == TLV_SSL && !value.is_short)
			HF_TRY(take_name(&p, value));
	}
	HF_TRY(hf_rd_done(&r));
	*out = p;
	return HF_OK;
}
