/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record as one line of JSON. Names follow OpenTelemetry where it has one. Everything a peer may
 * have chosen is escaped; bytes outside ASCII are written as \u00XX.
 */
#include "audit/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/event.h"
#include "base/attr.h"
#include "base/endian.h"
#include "base/err.h"

enum attr_form { FORM_HEX, FORM_TEXT, FORM_U64 };

static const struct attr_name {
	uint16_t type;
	enum attr_form form;
	const char *name;
} attr_names[] = {
	{ HF_ATTR_KEY, FORM_HEX, "key" },
	{ HF_ATTR_PEER, FORM_TEXT, "peer" },
	{ HF_ATTR_PEER_CERT, FORM_HEX, "peer_cert_sm3" },
	{ HF_ATTR_SOURCE, FORM_TEXT, "source" },
	{ HF_ATTR_DESTINATION, FORM_TEXT, "destination" },
	{ HF_ATTR_COUNT_OK, FORM_U64, "count_ok" },
	{ HF_ATTR_COUNT_FAIL, FORM_U64, "count_fail" },
	{ HF_ATTR_BYTES, FORM_U64, "bytes" },
	{ HF_ATTR_MODEL, FORM_TEXT, "model" },
	{ HF_ATTR_RELEASE, FORM_U64, "release" },
	{ HF_ATTR_MANIFEST, FORM_HEX, "manifest_sm3" },
	{ HF_ATTR_BUSINESS_REF, FORM_TEXT, "biz_ref" },
	{ HF_ATTR_RULE, FORM_TEXT, "rule" },
	{ HF_ATTR_CODE, FORM_TEXT, "code" },
	{ HF_ATTR_DURATION_US, FORM_U64, "duration_us" },
	{ HF_ATTR_CONTEXT, FORM_HEX, "context_sm3" },
	{ HF_ATTR_NAME, FORM_TEXT, "name" },
};

static const char *const result_names[] = { "ok", "fail", "denied", "error", "partial" };

/* A line being written; the first failure stays. */
struct line {
	struct hf_buf *out;
	hf_err e;
};

static void put(struct line *l, const char *s, size_t len)
{
	if (l->e == HF_OK)
		l->e = hf_buf_put(l->out, s, len);
}

static void put_str(struct line *l, const char *s)
{
	put(l, s, strlen(s));
}

static void put_fmt(struct line *l, const char *fmt, ...) HF_PRINTF(2, 3);

static void put_fmt(struct line *l, const char *fmt, ...)
{
	char text[160];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put_str(l, text);
}

static void put_text(struct line *l, const uint8_t *s, size_t len)
{
	put(l, "\"", 1);
	for (size_t i = 0; i < len; i++) {
		char c = (char)s[i];

		if (s[i] < 0x20 || s[i] > 0x7e || c == '"' || c == '\\')
			put_fmt(l, "\\u%04x", s[i]);
		else
			put(l, &c, 1);
	}
	put(l, "\"", 1);
}

static void put_hex(struct line *l, const uint8_t *s, size_t len)
{
	put(l, "\"", 1);
	for (size_t i = 0; i < len; i++)
		put_fmt(l, "%02x", s[i]);
	put(l, "\"", 1);
}

static void put_attr(struct line *l, const struct hf_audit_attr *a)
{
	enum attr_form form = FORM_HEX;
	const char *name = NULL;

	for (size_t i = 0; i < HF_COUNT(attr_names); i++) {
		if (attr_names[i].type == a->type) {
			name = attr_names[i].name;
			form = attr_names[i].form;
		}
	}
	if (name != NULL)
		put_fmt(l, "\"%s\":", name);
	else
		put_fmt(l, "\"attr_%u\":", (unsigned)a->type);
	if (form == FORM_U64 && a->value_len == 8)
		put_fmt(l, "%" PRIu64, hf_get_be64(a->value));
	else if (form == FORM_TEXT)
		put_text(l, a->value, a->value_len);
	else
		put_hex(l, a->value, a->value_len);
}

/* Days since 1970-01-01 to a civil date, proleptic Gregorian. */
static void put_time(struct line *l, uint64_t ns)
{
	uint64_t s = ns / 1000000000u;
	uint64_t z = s / 86400 + 719468;
	uint64_t era = z / 146097;
	uint64_t doe = z % 146097;
	uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	uint64_t mp = (5 * doy + 2) / 153;
	uint64_t day = doy - (153 * mp + 2) / 5 + 1;
	uint64_t month = mp < 10 ? mp + 3 : mp - 9;
	uint64_t year = yoe + era * 400 + (month <= 2);

	put_fmt(l,
		"\"time\":\"%04" PRIu64 "-%02" PRIu64 "-%02" PRIu64 "T%02" PRIu64 ":%02" PRIu64
		":%02" PRIu64 ".%09" PRIu64 "Z\"",
		year, month, day, s / 3600 % 24, s / 60 % 60, s % 60, ns % 1000000000u);
}

static void put_name(struct line *l, const char *key, uint32_t number, const char *name)
{
	if (number == 0)
		return;
	put_fmt(l, ",\"%s\":", key);
	if (name != NULL)
		put_text(l, (const uint8_t *)name, strlen(name));
	else
		put_fmt(l, "%" PRIu32, number);
}

static void put_attrs(struct line *l, const struct hf_audit_record *r)
{
	struct hf_audit_attr a = { 0 };
	size_t at = 0;
	const char *before = ",\"attr\":{";

	while (hf_audit_attr_next(&a, r, &at) == HF_OK) {
		put_str(l, before);
		put_attr(l, &a);
		before = ",";
	}
	if (before[1] == '\0')
		put_str(l, "}");
}

hf_err hf_audit_record_json(struct hf_buf *out, const struct hf_audit_record *r, const char *log_id,
	const char *actor, const char *subject)
{
	const struct hf_audit_event_entry *event = hf_audit_event(r->event);
	struct line l = { .out = out };

	put_str(&l, "{\"v\":1,\"log\":");
	put_text(&l, (const uint8_t *)log_id, strlen(log_id));
	put_fmt(&l, ",\"seq\":%" PRIu64 ",", r->seq);
	put_time(&l, r->time_ns);
	if (r->clock_error_us != HF_RECORD_CLOCK_UNKNOWN)
		put_fmt(&l, ",\"clk_err_us\":%" PRIu32, r->clock_error_us);
	put_fmt(&l, ",\"observed_boot_ns\":%" PRIu64 ",\"hlc\":\"%016" PRIx64 "\"", r->boot_ns,
		r->hlc);
	put_fmt(&l, ",\"event\":\"%s\",\"event_id\":%u,\"class\":\"%c\"",
		event == NULL ? "unknown" : event->name, (unsigned)r->event,
		r->class_id >= 'A' && r->class_id <= 'Z' ? r->class_id : '?');
	put_fmt(&l, ",\"result\":\"%s\",\"severity\":%u,\"level\":%u,\"tier\":%u",
		r->result < HF_COUNT(result_names) ? result_names[r->result] : "unknown",
		(unsigned)r->severity, (unsigned)r->level, (unsigned)r->tier);
	put_str(&l, ",\"trace_id\":");
	put_hex(&l, r->trace_id, sizeof(r->trace_id));
	if (r->session_id != 0)
		put_fmt(&l, ",\"session\":\"%016" PRIx64 "\"", r->session_id);
	put_name(&l, "actor", r->actor, actor);
	put_name(&l, "subject", r->subject, subject);
	if (r->reason != 0)
		put_fmt(&l, ",\"reason\":\"%s\"", hf_err_name((hf_err)r->reason));
	put_attrs(&l, r);
	put_str(&l, "}\n");
	return l.e;
}
