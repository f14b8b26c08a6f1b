/* SPDX-License-Identifier: Apache-2.0 */
/* JSON writer. Invariant: what is in the buffer is the start of a valid text until err is set. */
#include "codec/json_wr.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "codec/utf8.h"

enum { DEPTH_MAX = 64 };

static void put(struct hf_json_wr *j, const void *bytes, size_t len)
{
	if (j->err == HF_OK)
		j->err = hf_buf_put(j->out, bytes, len);
}

static void put_str(struct hf_json_wr *j, const char *s)
{
	put(j, s, strlen(s));
}

static void fail(struct hf_json_wr *j, hf_err e)
{
	if (j->err == HF_OK)
		j->err = e;
}

static bool in_object(const struct hf_json_wr *j)
{
	return j->depth > 0 && (j->is_object >> (j->depth - 1) & 1) != 0;
}

/* Before a value: a comma where one is due, and the order of calls is checked. */
static void begin_value(struct hf_json_wr *j)
{
	if (in_object(j) != j->has_key || (j->depth == 0 && j->has_before)) {
		fail(j, HF_ERR_STATE);
		return;
	}
	if (!j->has_key && j->has_before)
		put_str(j, ",");
	j->has_key = false;
	j->has_before = true;
}

static void put_char(struct hf_json_wr *j, const uint8_t *p, size_t len)
{
	char escape[7];

	if (len == 0) {
		put_str(j, "\xef\xbf\xbd"); /* U+FFFD for what is no UTF-8 */
	} else if (p[0] == '"' || p[0] == '\\') {
		put_str(j, "\\");
		put(j, p, 1);
	} else if (p[0] < 0x20) {
		(void)snprintf(escape, sizeof(escape), "\\u%04x", p[0]);
		put_str(j, escape);
	} else {
		put(j, p, len);
	}
}

static void put_quoted(struct hf_json_wr *j, struct hf_bytes s)
{
	put_str(j, "\"");
	for (size_t at = 0; at < s.len && j->err == HF_OK;) {
		size_t n = hf_utf8_len(s.p + at, s.len - at);

		put_char(j, s.p + at, n);
		at += n == 0 ? 1 : n;
	}
	put_str(j, "\"");
}

static void open_container(struct hf_json_wr *j, bool is_object)
{
	begin_value(j);
	if (j->depth == DEPTH_MAX) {
		fail(j, HF_ERR_LIMIT);
		return;
	}
	put_str(j, is_object ? "{" : "[");
	j->is_object &= ~(UINT64_C(1) << j->depth);
	j->is_object |= (uint64_t)is_object << j->depth;
	j->depth++;
	j->has_before = false;
}

void hf_json_wr_object(struct hf_json_wr *j)
{
	open_container(j, true);
}

void hf_json_wr_array(struct hf_json_wr *j)
{
	open_container(j, false);
}

void hf_json_wr_end(struct hf_json_wr *j)
{
	if (j->depth == 0 || j->has_key) {
		fail(j, HF_ERR_STATE);
		return;
	}
	put_str(j, in_object(j) ? "}" : "]");
	j->depth--;
	j->has_before = true;
}

void hf_json_wr_key(struct hf_json_wr *j, const char *key)
{
	if (!in_object(j) || j->has_key) {
		fail(j, HF_ERR_STATE);
		return;
	}
	if (j->has_before)
		put_str(j, ",");
	put_quoted(j, hf_bytes_str(key));
	put_str(j, ":");
	j->has_key = true;
}

void hf_json_wr_text(struct hf_json_wr *j, struct hf_bytes s)
{
	begin_value(j);
	put_quoted(j, s);
}

void hf_json_wr_str(struct hf_json_wr *j, const char *s)
{
	if (s == NULL)
		hf_json_wr_null(j);
	else
		hf_json_wr_text(j, hf_bytes_str(s));
}

void hf_json_wr_hex(struct hf_json_wr *j, const uint8_t *bytes, size_t len)
{
	begin_value(j);
	put_str(j, "\"");
	for (size_t i = 0; i < len; i++) {
		char two[3];

		hf_hex_emit(two, bytes + i, 1);
		put(j, two, 2);
	}
	put_str(j, "\"");
}

void hf_json_wr_u64(struct hf_json_wr *j, uint64_t v)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, v);
	begin_value(j);
	put_str(j, text);
}

void hf_json_wr_fixed(struct hf_json_wr *j, uint64_t v, unsigned decimals)
{
	uint64_t unit = 1;
	char text[48];

	if (decimals == 0) {
		hf_json_wr_u64(j, v);
		return;
	}
	for (unsigned i = 0; i < decimals; i++)
		unit *= 10;
	(void)snprintf(
		text, sizeof(text), "%" PRIu64 ".%0*" PRIu64, v / unit, (int)decimals, v % unit);
	begin_value(j);
	put_str(j, text);
}

void hf_json_wr_i64(struct hf_json_wr *j, int64_t v)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRId64, v);
	begin_value(j);
	put_str(j, text);
}

void hf_json_wr_bool(struct hf_json_wr *j, bool v)
{
	begin_value(j);
	put_str(j, v ? "true" : "false");
}

void hf_json_wr_null(struct hf_json_wr *j)
{
	begin_value(j);
	put_str(j, "null");
}

hf_err hf_json_wr_done(const struct hf_json_wr *j)
{
	if (j->err != HF_OK)
		return j->err;
	return j->depth == 0 && j->has_before ? HF_OK : HF_ERR_STATE;
}
