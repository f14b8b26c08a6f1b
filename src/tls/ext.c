/* SPDX-License-Identifier: Apache-2.0 */
/* Walking over extensions. */
#include "tls/ext.h"

static struct hf_bytes take(struct hf_reader *r, size_t len)
{
	const uint8_t *p = hf_rd_take(r, len);

	return (struct hf_bytes){ p, p == NULL ? 0 : len };
}

static hf_err refuse_twice(struct hf_tls_ext_walk *w)
{
	for (size_t i = 0; i < w->n_seen; i++) {
		if (w->seen[i] == w->type)
			return HF_ERR_FORMAT; /* RFC 8446 4.2: not more than one of a type */
	}
	if (w->n_seen == HF_TLS_EXTENSIONS_MAX)
		return HF_ERR_LIMIT;
	w->seen[w->n_seen++] = w->type;
	return HF_OK;
}

bool hf_tls_ext_next(struct hf_tls_ext_walk *w)
{
	if (w->err != HF_OK)
		return false;
	if (w->list.is_short) {
		w->err = HF_ERR_TRUNCATED;
		return false;
	}
	if (w->list.left == 0)
		return false;

	w->type = hf_rd_u16(&w->list);
	w->data = hf_rd_sub(&w->list, hf_rd_u16(&w->list));
	w->err = w->list.is_short ? HF_ERR_TRUNCATED : refuse_twice(w);
	return w->err == HF_OK;
}

hf_err hf_tls_list16_has(bool *has, struct hf_reader *r, uint16_t value)
{
	struct hf_reader list = hf_rd_sub(r, hf_rd_u16(r));
	bool found = false;

	HF_TRY(hf_rd_done(r));
	if (list.left == 0 || list.left % 2 != 0)
		return HF_ERR_FORMAT;
	while (list.left > 0)
		found |= hf_rd_u16(&list) == value;
	*has = found;
	return HF_OK;
}

/* RFC 6066 3: a list of names, of which only one host name is defined. */
hf_err hf_tls_server_name_parse(struct hf_bytes *out, struct hf_reader *r)
{
	struct hf_reader list = hf_rd_sub(r, hf_rd_u16(r));
	uint8_t type = hf_rd_u8(&list);
	struct hf_bytes name = take(&list, hf_rd_u16(&list));

	HF_TRY(hf_rd_done(r));
	HF_TRY(hf_rd_done(&list));
	if (type != 0 || name.len == 0 || name.len > 255)
		return HF_ERR_FORMAT;
	for (size_t i = 0; i < name.len; i++) {
		if (name.p[i] <= ' ' || name.p[i] >= 0x7f)
			return HF_ERR_FORMAT;
	}
	*out = name;
	return HF_OK;
}

/* RFC 7301 3.1: names of 1..255 bytes, at least one. */
hf_err hf_tls_alpn_parse(struct hf_bytes *out, struct hf_reader *r)
{
	struct hf_bytes all = take(r, hf_rd_u16(r));
	struct hf_reader list = { .p = all.p, .left = all.len };

	HF_TRY(hf_rd_done(r));
	if (all.len == 0)
		return HF_ERR_FORMAT;
	while (list.left > 0) {
		uint8_t len = hf_rd_u8(&list);

		if (len == 0 || hf_rd_take(&list, len) == NULL)
			return HF_ERR_FORMAT;
	}
	*out = all;
	return HF_OK;
}

bool hf_tls_alpn_has(struct hf_bytes list, struct hf_bytes name)
{
	struct hf_reader r = { .p = list.p, .left = list.len };

	while (r.left > 0) {
		if (hf_bytes_eq(take(&r, hf_rd_u8(&r)), name))
			return true;
	}
	return false;
}
