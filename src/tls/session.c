/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions as bytes:
 *
 *	u8 version | u16 suite | u8 level | u32 life | u32 age_add | u64 made | u64 first
 *	| psk (32) | own (32) | u8 name | u8 alpn | u16 ticket | u8 n | n certificates, u16 each
 *
 * A client's session that is put away has one byte more in front: whether it was offered.
 */
#include "tls/session.h"

#include <string.h>

#include "base/rd.h"
#include "base/wipe.h"
#include "tls/msg.h"
#include "tls/record.h"
#include "tls/resume.h"

enum {
	VERSION = 1,
	FIXED_LEN = 1 + 2 + 1 + 4 + 4 + 8 + 8 + 2 * HF_SM3_LEN + 1 + 1 + 2 + 1,
};

size_t hf_tls_resume_len(const struct hf_tls_resume *r)
{
	size_t len = FIXED_LEN + r->name.len + r->alpn.len + r->ticket.len;

	for (size_t i = 0; i < r->n_certs; i++)
		len += 2 + r->cert[i].len;
	return len;
}

void hf_tls_resume_emit(struct hf_writer *w, const struct hf_tls_resume *r)
{
	hf_wr_u8(w, VERSION);
	hf_wr_u16(w, r->suite);
	hf_wr_u8(w, (uint8_t)r->level);
	hf_wr_u32(w, r->life_s);
	hf_wr_u32(w, r->age_add);
	hf_wr_u64(w, r->made_s);
	hf_wr_u64(w, r->first_s);
	hf_wr_put(w, r->psk, sizeof(r->psk));
	hf_wr_put(w, r->own, sizeof(r->own));
	hf_wr_u8(w, (uint8_t)r->name.len);
	hf_wr_put(w, r->name.p, r->name.len);
	hf_wr_u8(w, (uint8_t)r->alpn.len);
	hf_wr_put(w, r->alpn.p, r->alpn.len);
	hf_wr_u16(w, (uint16_t)r->ticket.len);
	hf_wr_put(w, r->ticket.p, r->ticket.len);
	hf_wr_u8(w, (uint8_t)r->n_certs);
	for (size_t i = 0; i < r->n_certs; i++) {
		hf_wr_u16(w, (uint16_t)r->cert[i].len);
		hf_wr_put(w, r->cert[i].p, r->cert[i].len);
	}
}

static struct hf_bytes take(struct hf_reader *r, size_t len)
{
	const uint8_t *p = hf_rd_take(r, len);

	return (struct hf_bytes){ p, p == NULL ? 0 : len };
}

hf_err hf_tls_resume_parse(struct hf_tls_resume *out, const uint8_t *in, size_t len)
{
	struct hf_reader r = { .p = in, .left = len };
	struct hf_tls_resume x = { 0 };
	unsigned version = hf_rd_u8(&r);
	unsigned level;
	hf_err e;

	x.suite = hf_rd_u16(&r);
	level = hf_rd_u8(&r);
	x.life_s = hf_rd_u32(&r);
	x.age_add = hf_rd_u32(&r);
	x.made_s = hf_rd_u64(&r);
	x.first_s = hf_rd_u64(&r);
	hf_rd_copy(&r, x.psk, sizeof(x.psk));
	hf_rd_copy(&r, x.own, sizeof(x.own));
	x.name = take(&r, hf_rd_u8(&r));
	x.alpn = take(&r, hf_rd_u8(&r));
	x.ticket = take(&r, hf_rd_u16(&r));
	x.n_certs = hf_rd_u8(&r);
	for (size_t i = 0; i < x.n_certs && i < HF_CHAIN_MAX; i++)
		x.cert[i] = take(&r, hf_rd_u16(&r));
	e = hf_rd_done(&r);
	if (e == HF_OK && version != VERSION)
		e = HF_ERR_UNSUPPORTED;
	if (e == HF_OK && (!hf_level_is(level) || hf_tls_suite_of(x.suite) == NULL))
		e = HF_ERR_FORMAT;
	if (e == HF_OK && (x.n_certs > HF_CHAIN_MAX || x.ticket.len > HF_TLS_TICKET_MAX))
		e = HF_ERR_LIMIT;
	if (e == HF_OK) {
		x.level = (enum hf_level)level;
		*out = x;
	}
	hf_wipe(&x, sizeof(x));
	return e;
}

bool hf_tls_resume_is_young(const struct hf_tls_resume *r, uint64_t now_s)
{
	return now_s >= r->made_s && now_s - r->made_s <= r->life_s && now_s >= r->first_s &&
	       now_s - r->first_s <= HF_TLS_RESUME_MAX_S;
}

hf_err hf_tls_session_make(
	struct hf_tls_session **out, const struct hf_mem *mem, const struct hf_tls_resume *r)
{
	struct hf_tls_session *s = hf_mem_new(mem, sizeof(*s));
	struct hf_writer w = { .cap = hf_tls_resume_len(r) };
	hf_err e;

	if (s == NULL)
		return HF_ERR_NO_MEMORY;
	s->mem = mem;
	hf_buf_init(&s->b, mem, HF_TLS_SESSION_EMIT_MAX - 1);
	e = hf_buf_room(&s->b, &w.p, w.cap);
	if (e == HF_OK) {
		hf_tls_resume_emit(&w, r);
		e = hf_wr_done(&w);
	}
	if (e == HF_OK)
		e = hf_tls_resume_parse(&s->r, s->b.p, s->b.len);
	if (e != HF_OK) {
		hf_tls_session_free(s);
		return e;
	}
	*out = s;
	return HF_OK;
}

void hf_tls_session_free(struct hf_tls_session *s)
{
	const struct hf_mem *mem;

	if (s == NULL)
		return;
	mem = s->mem;
	hf_buf_clear(&s->b);
	hf_wipe(s, sizeof(*s));
	hf_mem_free(mem, s);
}

bool hf_tls_session_is_fit(const struct hf_tls_session *s, uint64_t now_s)
{
	if (s->is_used && hf_policy(HF_ROW_TICKET_SINGLE_USE, s->r.level) != 0)
		return false;
	return hf_tls_resume_is_young(&s->r, now_s);
}

hf_err hf_tls_session_emit(struct hf_buf *out, const struct hf_tls_session *s)
{
	uint8_t *room = NULL;

	HF_TRY(hf_buf_room(out, &room, 1 + s->b.len));
	room[0] = s->is_used ? 1 : 0;
	memcpy(room + 1, s->b.p, s->b.len);
	return HF_OK;
}

hf_err hf_tls_session_parse(
	struct hf_tls_session **out, const struct hf_mem *mem, const uint8_t *in, size_t len)
{
	struct hf_tls_session *s = NULL;
	struct hf_tls_resume r = { 0 };
	hf_err e;

	if (len == 0)
		return HF_ERR_TRUNCATED;
	if (in[0] > 1)
		return HF_ERR_FORMAT;
	e = hf_tls_resume_parse(&r, in + 1, len - 1);
	if (e == HF_OK && r.ticket.len == 0)
		e = HF_ERR_FORMAT;
	if (e == HF_OK)
		e = hf_tls_session_make(&s, mem, &r);
	hf_wipe(&r, sizeof(r));
	if (e != HF_OK)
		return e;
	s->is_used = in[0] == 1;
	*out = s;
	return HF_OK;
}
