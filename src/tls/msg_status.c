/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The status of certificates, stapled to them: status_request in ClientHello and
 * CertificateRequest, and CertificateStatus in the entries of Certificate (RFC 8446 4.4.2.1, RFC
 * 6066 8).
 */
#include "base/rd.h"
#include "tls/msg.h"

enum { TYPE_OCSP = 1 };

void hf_tls_status_ask_emit(struct hf_writer *w, bool is_client)
{
	hf_wr_u16(w, HF_TLS_EXT_STATUS);
	if (!is_client) { /* a server's is empty */
		hf_wr_u16(w, 0);
		return;
	}
	hf_wr_u16(w, 5);
	hf_wr_u8(w, TYPE_OCSP);
	hf_wr_u16(w, 0); /* any responder */
	hf_wr_u16(w, 0); /* no extensions of the request: a staple has no nonce */
}

hf_err hf_tls_status_ask_parse(bool *asks, struct hf_reader *data)
{
	bool is_ocsp = hf_rd_u8(data) == TYPE_OCSP;

	if (!is_ocsp) { /* another kind of status: not ours to understand */
		*asks = false;
		return data->is_short ? HF_ERR_TRUNCATED : HF_OK;
	}
	(void)hf_rd_sub(data, hf_rd_u16(data)); /* responders and request extensions: not heeded */
	(void)hf_rd_sub(data, hf_rd_u16(data));
	HF_TRY(hf_rd_done(data));
	*asks = true;
	return HF_OK;
}

hf_err hf_tls_status_parse(struct hf_bytes *out, struct hf_reader *data)
{
	uint8_t type = hf_rd_u8(data);
	size_t len = hf_rd_u24(data);
	const uint8_t *p = hf_rd_take(data, len);

	HF_TRY(hf_rd_done(data));
	if (type != TYPE_OCSP || len == 0)
		return HF_ERR_FORMAT;
	*out = (struct hf_bytes){ p, len };
	return HF_OK;
}

size_t hf_tls_status_len(struct hf_bytes response)
{
	return response.len == 0 ? 0 : 2 + 2 + 1 + 3 + response.len;
}

void hf_tls_status_emit(struct hf_writer *w, struct hf_bytes response)
{
	size_t ext;

	if (response.len == 0)
		return;
	hf_wr_u16(w, HF_TLS_EXT_STATUS);
	ext = hf_wr_open(w, 2);
	hf_wr_u8(w, TYPE_OCSP);
	hf_wr_u24(w, (uint32_t)response.len);
	hf_wr_put(w, response.p, response.len);
	hf_wr_close(w, ext, 2);
}
