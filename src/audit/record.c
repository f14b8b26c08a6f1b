/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Record layout, big-endian: u16 length  u8 version 1  u8 class  u16 event  u8 result  u8 severity
 * u64 seq  u64 time  u64 boot time  u32 clock error  u16 boot number  u8 level  u8 tier  u64 hlc
 * trace id (16)  span id (8)  u64 session  u32 actor  u32 subject  u32 alg  u32 reason  attributes
 */
#include "audit/record.h"

#include <string.h>

#include "base/rd.h"
#include "base/wr.h"

enum { RECORD_VERSION = 1 };

hf_err hf_audit_record_emit(uint8_t *out, size_t cap, size_t *len, const struct hf_audit_record *r)
{
	struct hf_writer w = { .p = out, .cap = cap < HF_RECORD_MAX ? cap : HF_RECORD_MAX };
	size_t total = HF_RECORD_FIXED_LEN + r->attrs_len;

	if (r->attrs_len > HF_RECORD_MAX - HF_RECORD_FIXED_LEN)
		return HF_ERR_LIMIT;
	hf_wr_u16(&w, (uint16_t)total);
	hf_wr_u8(&w, RECORD_VERSION);
	hf_wr_u8(&w, (uint8_t)r->class_id);
	hf_wr_u16(&w, r->event);
	hf_wr_u8(&w, r->result);
	hf_wr_u8(&w, r->severity);
	hf_wr_u64(&w, r->seq);
	hf_wr_u64(&w, r->time_ns);
	hf_wr_u64(&w, r->boot_ns);
	hf_wr_u32(&w, r->clock_error_us);
	hf_wr_u16(&w, r->boot_no);
	hf_wr_u8(&w, r->level);
	hf_wr_u8(&w, r->tier);
	hf_wr_u64(&w, r->hlc);
	hf_wr_put(&w, r->trace_id, sizeof(r->trace_id));
	hf_wr_put(&w, r->span_id, sizeof(r->span_id));
	hf_wr_u64(&w, r->session_id);
	hf_wr_u32(&w, r->actor);
	hf_wr_u32(&w, r->subject);
	hf_wr_u32(&w, r->alg);
	hf_wr_u32(&w, r->reason);
	hf_wr_put(&w, r->attrs, r->attrs_len);
	HF_TRY(hf_wr_done(&w));
	*len = w.len;
	return HF_OK;
}

static hf_err check_attrs(const struct hf_audit_record *r)
{
	struct hf_audit_attr a = { 0 };
	size_t at = 0;
	unsigned n = 0;
	hf_err e;

	for (;;) {
		e = hf_audit_attr_next(&a, r, &at);
		if (e != HF_OK)
			break;
		if (++n > HF_RECORD_ATTRS_MAX)
			return HF_ERR_LIMIT;
	}
	return e == HF_ERR_NOT_FOUND ? HF_OK : e;
}

hf_err hf_audit_record_parse(struct hf_audit_record *r, const uint8_t *in, size_t in_len)
{
	struct hf_reader rd = { .p = in, .left = in_len };
	struct hf_audit_record out = { 0 };
	size_t total = hf_rd_u16(&rd);
	uint8_t version = hf_rd_u8(&rd);

	out.class_id = (char)hf_rd_u8(&rd);
	out.event = hf_rd_u16(&rd);
	out.result = hf_rd_u8(&rd);
	out.severity = hf_rd_u8(&rd);
	out.seq = hf_rd_u64(&rd);
	out.time_ns = hf_rd_u64(&rd);
	out.boot_ns = hf_rd_u64(&rd);
	out.clock_error_us = hf_rd_u32(&rd);
	out.boot_no = hf_rd_u16(&rd);
	out.level = hf_rd_u8(&rd);
	out.tier = hf_rd_u8(&rd);
	out.hlc = hf_rd_u64(&rd);
	hf_rd_copy(&rd, out.trace_id, sizeof(out.trace_id));
	hf_rd_copy(&rd, out.span_id, sizeof(out.span_id));
	out.session_id = hf_rd_u64(&rd);
	out.actor = hf_rd_u32(&rd);
	out.subject = hf_rd_u32(&rd);
	out.alg = hf_rd_u32(&rd);
	out.reason = hf_rd_u32(&rd);
	out.attrs_len = rd.left;
	out.attrs = hf_rd_take(&rd, rd.left);
	HF_TRY(hf_rd_done(&rd));
	if (total != in_len)
		return HF_ERR_FORMAT;
	if (version != RECORD_VERSION)
		return HF_ERR_UNSUPPORTED;
	if (total > HF_RECORD_MAX)
		return HF_ERR_LIMIT;
	HF_TRY(check_attrs(&out));
	*r = out;
	return HF_OK;
}

hf_err hf_audit_attr_next(struct hf_audit_attr *a, const struct hf_audit_record *r, size_t *at)
{
	struct hf_reader rd = { .p = r->attrs, .left = r->attrs_len };
	struct hf_audit_attr out = { 0 };

	if (*at >= r->attrs_len)
		return HF_ERR_NOT_FOUND;
	(void)hf_rd_take(&rd, *at);
	out.type = hf_rd_u16(&rd);
	out.value_len = hf_rd_u16(&rd);
	out.value = hf_rd_take(&rd, out.value_len);
	if (rd.is_short)
		return HF_ERR_TRUNCATED;
	*at = r->attrs_len - rd.left;
	*a = out;
	return HF_OK;
}

hf_err hf_audit_attr_put(uint8_t *attrs, size_t cap, size_t *len, const struct hf_audit_attr *a)
{
	struct hf_writer w = { .p = attrs + *len, .cap = cap - *len };

	if (a->value_len > UINT16_MAX)
		return HF_ERR_LIMIT;
	hf_wr_u16(&w, a->type);
	hf_wr_u16(&w, (uint16_t)a->value_len);
	hf_wr_put(&w, a->value, a->value_len);
	HF_TRY(hf_wr_done(&w));
	*len += w.len;
	return HF_OK;
}
