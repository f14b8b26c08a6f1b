/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing the common form of signed statements. */
#include "pkg/statement.h"

#include <stdio.h>
#include <string.h>

#include "base/wipe.h"

enum { KIND_TEXT = 24 };

/* "hufu-manifest": the first field of every statement says what it is. */
static void kind_text(char text[KIND_TEXT], enum hf_object kind)
{
	(void)snprintf(text, KIND_TEXT, "hufu-%s", hf_object_kind(kind));
}

hf_err hf_element_begin(struct hf_statement *s, struct hf_buf *out, size_t room)
{
	uint8_t *p = NULL;

	*s = (struct hf_statement){ .out = out, .start = out->len };
	HF_TRY(hf_buf_room(out, &p, room));
	s->w = (struct hf_writer){ .p = p, .cap = room };
	s->mark = hf_der_open(&s->w, HF_DER_SEQUENCE);
	return HF_OK;
}

hf_err hf_statement_begin(
	struct hf_statement *s, struct hf_buf *out, enum hf_object kind, size_t room)
{
	char text[KIND_TEXT];

	HF_TRY(hf_element_begin(s, out, room));
	kind_text(text, kind);
	hf_der_put_utf8(&s->w, text);
	hf_der_put_u64(&s->w, HF_STATEMENT_VERSION);
	return HF_OK;
}

hf_err hf_statement_end(struct hf_statement *s)
{
	hf_err e;

	hf_der_close(&s->w, s->mark);
	e = hf_wr_done(&s->w);
	if (e != HF_OK)
		s->w.len = 0;
	hf_wipe(s->w.p + s->w.len, s->w.cap - s->w.len);
	s->out->len = s->start + s->w.len;
	return e;
}

struct hf_der hf_statement_enter(struct hf_der *d, enum hf_object kind)
{
	struct hf_der s = hf_der_enter(d, HF_DER_SEQUENCE);
	char text[KIND_TEXT];
	struct hf_bytes found;

	kind_text(text, kind);
	found = hf_der_utf8(&s);
	if (s.err == HF_OK && !hf_bytes_eq(found, hf_bytes_str(text)))
		hf_der_fail(&s, HF_ERR_FORMAT);
	if (hf_der_u64(&s) != HF_STATEMENT_VERSION)
		hf_der_fail(&s, HF_ERR_UNSUPPORTED);
	return s;
}

hf_err hf_element_take(struct hf_der *list, struct hf_der *inner, const struct hf_bytes *rest)
{
	if (rest->len == 0)
		return HF_ERR_NOT_FOUND;
	*list = hf_der_over(rest->p, rest->len);
	*inner = hf_der_enter(list, HF_DER_SEQUENCE);
	return HF_OK;
}

hf_err hf_element_left(struct hf_der *list, const struct hf_der *inner, struct hf_bytes *rest)
{
	hf_der_leave(list, inner);
	if (list->err != HF_OK)
		return list->err;
	*rest = (struct hf_bytes){ list->p, list->left };
	return HF_OK;
}

void hf_field_put_sm3(struct hf_writer *w, const uint8_t digest[HF_SM3_LEN])
{
	hf_der_put_octets(w, digest, HF_SM3_LEN);
}

void hf_field_take_bytes(struct hf_der *d, uint8_t *out, size_t len)
{
	struct hf_bytes b = hf_der_octets(d);

	if (d->err == HF_OK && b.len != len)
		hf_der_fail(d, HF_ERR_FORMAT);
	if (d->err == HF_OK)
		memcpy(out, b.p, len);
	else
		memset(out, 0, len);
}

void hf_field_take_sm3(struct hf_der *d, uint8_t digest[HF_SM3_LEN])
{
	hf_field_take_bytes(d, digest, HF_SM3_LEN);
}

void hf_field_take_text(struct hf_der *d, char *text, size_t cap)
{
	struct hf_bytes b = hf_der_utf8(d);

	text[0] = '\0';
	if (d->err == HF_OK && b.len >= cap)
		hf_der_fail(d, HF_ERR_FORMAT);
	if (d->err != HF_OK || b.len == 0)
		return;
	memcpy(text, b.p, b.len);
	text[b.len] = '\0';
}

void hf_field_take_id(struct hf_der *d, char id[HF_ID_MAX + 1])
{
	hf_field_take_text(d, id, HF_ID_MAX + 1);
	if (d->err == HF_OK && !hf_id_is_valid(id))
		hf_der_fail(d, HF_ERR_FORMAT);
}

void hf_field_take_level(struct hf_der *d, enum hf_level *level)
{
	uint64_t v = hf_der_u64(d);

	if (d->err == HF_OK && !hf_level_is(v))
		hf_der_fail(d, HF_ERR_FORMAT);
	*level = hf_level_is(v) ? (enum hf_level)v : HF_L3;
}

void hf_field_take_time(struct hf_der *d, uint64_t *time_s)
{
	if (d->err == HF_OK && d->left > 0 && !hf_der_is(d, HF_DER_TIME))
		hf_der_fail(d, HF_ERR_FORMAT);
	*time_s = hf_der_time(d);
}

uint64_t hf_field_take_max(struct hf_der *d, uint64_t max)
{
	uint64_t v = hf_der_u64(d);

	if (v > max)
		hf_der_fail(d, HF_ERR_FORMAT);
	return v;
}

void hf_field_put_opt_sm3(
	struct hf_writer *w, unsigned n, bool has, const uint8_t digest[HF_SM3_LEN])
{
	if (has)
		hf_der_put(w, (uint8_t)HF_DER_CTX(n), digest, HF_SM3_LEN);
}

void hf_field_take_opt_sm3(struct hf_der *d, unsigned n, bool *has, uint8_t digest[HF_SM3_LEN])
{
	struct hf_bytes b;

	memset(digest, 0, HF_SM3_LEN);
	*has = hf_der_is(d, (uint8_t)HF_DER_CTX(n));
	if (!*has)
		return;
	b = hf_der_take(d, (uint8_t)HF_DER_CTX(n));
	if (d->err == HF_OK && b.len != HF_SM3_LEN)
		hf_der_fail(d, HF_ERR_FORMAT);
	if (d->err == HF_OK)
		memcpy(digest, b.p, HF_SM3_LEN);
}

void hf_field_put_list(struct hf_writer *w, struct hf_bytes list)
{
	hf_der_put(w, HF_DER_SEQUENCE, list.p, list.len);
}

hf_err hf_statement_fail(struct hf_errinfo *ei, enum hf_object kind, hf_err e)
{
	if (e == HF_OK)
		return HF_OK;
	return hf_fail(ei, e, "%s: %s", hf_object_kind(kind), hf_err_text(e));
}
