/* SPDX-License-Identifier: Apache-2.0 */
/* Walking over extensions. */
#include "tls/ext.h"

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
