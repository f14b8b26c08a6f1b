/* SPDX-License-Identifier: Apache-2.0 */
#include "bin/common/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "os/clock.h"

enum { VALUE_MAX = 255 };

static void put(struct hufud_line *l, const char *fmt, ...) HF_PRINTF(2, 3);

static void put(struct hufud_line *l, const char *fmt, ...)
{
	size_t room = sizeof(l->text) - l->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->text + l->len, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		l->len += (size_t)n < room ? (size_t)n : room - 1;
}

void hufud_line_begin(struct hufud_line *l, const struct hufud_log *log, const char *event)
{
	uint64_t now_ms = hf_clock_wall_ms();
	time_t now_s = (time_t)(now_ms / 1000);
	struct tm tm = { .tm_mday = 1 };

	(void)gmtime_r(&now_s, &tm);
	l->len = 0;
	put(l, "time=%04d-%02d-%02dT%02d:%02d:%02d.%03uZ", tm.tm_year + 1900, tm.tm_mon + 1,
		tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (unsigned)(now_ms % 1000));
	hufud_line_str(l, "node", log->node);
	hufud_line_str(l, "process", log->process);
	hufud_line_str(l, "event", event);
}

static bool is_plain(const char *value)
{
	for (const char *p = value; *p != '\0'; p++)
		if (*p <= ' ' || *p >= 0x7f || *p == '"' || *p == '=' || *p == '\\')
			return false;
	return value[0] != '\0';
}

void hufud_line_str(struct hufud_line *l, const char *key, const char *value)
{
	size_t n = 0;

	if (value == NULL)
		return;
	if (is_plain(value)) {
		put(l, "%s%s=%.*s", l->len > 0 ? " " : "", key, VALUE_MAX, value);
		return;
	}
	put(l, "%s%s=\"", l->len > 0 ? " " : "", key);
	for (const char *p = value; *p != '\0' && n < VALUE_MAX; p++, n++) {
		if (*p < ' ' || *p >= 0x7f)
			put(l, "\\x%02x", (unsigned char)*p);
		else
			put(l, "%s%c", *p == '"' || *p == '\\' ? "\\" : "", *p);
	}
	put(l, "\"");
}

void hufud_line_num(struct hufud_line *l, const char *key, uint64_t value)
{
	put(l, " %s=%" PRIu64, key, value);
}

void hufud_line_err(struct hufud_line *l, const struct hf_errinfo *ei)
{
	hufud_line_str(l, "error", hf_err_name(ei->code));
	hufud_line_str(l, "text", ei->text);
}

void hufud_line_end(struct hufud_line *l)
{
	if (l->len == sizeof(l->text) - 1)
		l->len--;
	l->text[l->len++] = '\n';
	(void)fwrite(l->text, 1, l->len, stderr);
}

void hufud_log_err(const struct hufud_log *log, const char *event, const struct hf_errinfo *ei)
{
	struct hufud_line l;

	hufud_line_begin(&l, log, event);
	hufud_line_err(&l, ei);
	hufud_line_end(&l);
}

void hufud_log_event(
	const struct hufud_log *log, const char *event, const char *key, const char *value)
{
	struct hufud_line l;

	hufud_line_begin(&l, log, event);
	if (key != NULL)
		hufud_line_str(&l, key, value);
	hufud_line_end(&l);
}
