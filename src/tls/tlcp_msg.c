/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of TLCP after the hellos, as bytes (GB/T 38636-2020 6.4.5.3 to 6.4.5.9). */
#include "tls/tlcp_msg.h"

#include <string.h>

#include "base/rd.h"

/* ECParameters of a named curve: curveSM2, and the length of the point that follows. */
static const uint8_t curve[] = { 3, 0, HF_TLS_CURVE_SM2, HF_SM2_POINT_LEN };

static struct hf_bytes take(struct hf_reader *r, size_t len)
{
	const uint8_t *p = hf_rd_take(r, len);

	return (struct hf_bytes){ p, p == NULL ? 0 : len };
}

hf_err hf_tlcp_cert_list_parse(struct hf_tlcp_cert_list *out, const uint8_t *in, size_t len)
{
	struct hf_tlcp_cert_list c = { 0 };
	struct hf_reader r = { .p = in, .left = len };
	struct hf_reader list = hf_rd_sub(&r, hf_rd_u24(&r));

	HF_TRY(hf_rd_done(&r));
	while (list.left > 0) {
		struct hf_bytes der = take(&list, hf_rd_u24(&list));

		if (list.is_short)
			return HF_ERR_TRUNCATED;
		if (der.len == 0)
			return HF_ERR_FORMAT;
		if (c.n == HF_CHAIN_MAX)
			return HF_ERR_LIMIT;
		c.der[c.n++] = der;
	}

	*out = c;
	return HF_OK;
}

size_t hf_tlcp_cert_list_len(const struct hf_bytes *der, size_t n)
{
	size_t len = HF_TLS_MSG_HEAD_LEN + 3;

	for (size_t i = 0; i < n; i++)
		len += 3 + der[i].len;
	return len;
}

void hf_tlcp_cert_list_emit(struct hf_writer *w, const struct hf_bytes *der, size_t n)
{
	size_t body, list;

	hf_wr_u8(w, HF_TLS_MSG_CERTIFICATE);
	body = hf_wr_open(w, 3);
	list = hf_wr_open(w, 3);
	for (size_t i = 0; i < n; i++) {
		hf_wr_u24(w, (uint32_t)der[i].len);
		hf_wr_put(w, der[i].p, der[i].len);
	}
	hf_wr_close(w, list, 3);
	hf_wr_close(w, body, 3);
}

hf_err hf_tlcp_cert_request_parse(bool *has_sign, const uint8_t *in, size_t len)
{
	struct hf_reader r = { .p = in, .left = len };
	struct hf_bytes types = take(&r, hf_rd_u8(&r));
	struct hf_reader names = hf_rd_sub(&r, hf_rd_u16(&r));
	bool has = false;

	HF_TRY(hf_rd_done(&r));
	if (types.len == 0)
		return HF_ERR_FORMAT;
	for (size_t i = 0; i < types.len; i++)
		has |= types.p[i] == HF_TLCP_ECDSA_SIGN;
	while (names.left >
		0) /* whom the server believes; we have one certificate to show anyway */
		(void)take(&names, hf_rd_u16(&names));
	HF_TRY(hf_rd_done(&names));

	*has_sign = has;
	return HF_OK;
}

void hf_tlcp_cert_request_emit(struct hf_writer *w, const struct hf_cert *roots, size_t n_roots)
{
	size_t body, names;

	hf_wr_u8(w, HF_TLS_MSG_CERT_REQUEST);
	body = hf_wr_open(w, 3);
	hf_wr_u8(w, 1);
	hf_wr_u8(w, HF_TLCP_ECDSA_SIGN);
	names = hf_wr_open(w, 2);
	for (size_t i = 0; i < n_roots; i++) {
		if (w->cap - w->len < 2 + roots[i].subject.len)
			break; /* a hint to the client, not a rule */
		hf_wr_u16(w, (uint16_t)roots[i].subject.len);
		hf_wr_put(w, roots[i].subject.p, roots[i].subject.len);
	}
	hf_wr_close(w, names, 2);
	hf_wr_close(w, body, 3);
}

hf_err hf_tlcp_point_parse(struct hf_sm2_pub *out, struct hf_reader *r)
{
	struct hf_bytes head = take(r, sizeof(curve));
	struct hf_bytes point = take(r, HF_SM2_POINT_LEN);

	if (r->is_short)
		return HF_ERR_TRUNCATED;
	if (memcmp(head.p, curve, sizeof(curve)) != 0 || point.p[0] != 4)
		return HF_ERR_UNSUPPORTED;
	if (hf_sm2_pub_parse(out, point.p, point.len) != HF_OK)
		return HF_ERR_UNSUPPORTED;
	return HF_OK;
}

void hf_tlcp_point_emit(uint8_t out[HF_TLCP_POINT_LEN], const struct hf_sm2_pub *pub)
{
	memcpy(out, curve, sizeof(curve));
	hf_sm2_pub_emit(out + sizeof(curve), pub);
}

hf_err hf_tlcp_sig_parse(struct hf_bytes *sig, struct hf_reader *r)
{
	struct hf_bytes s = take(r, hf_rd_u16(r));

	HF_TRY(hf_rd_done(r));
	*sig = s;
	return HF_OK;
}

void hf_tlcp_sig_emit(struct hf_writer *w, const struct hf_sm2_sig *sig)
{
	uint8_t der[HF_SM2_SIG_DER_MAX];
	size_t len = hf_sm2_sig_emit_der(der, sig);

	hf_wr_u16(w, (uint16_t)len);
	hf_wr_put(w, der, len);
}

hf_err hf_tlcp_ticket_parse(const uint8_t *in, size_t len)
{
	struct hf_reader r = { .p = in, .left = len };

	(void)hf_rd_u32(&r); /* lifetime */
	(void)take(&r, hf_rd_u16(&r));
	return hf_rd_done(&r);
}
