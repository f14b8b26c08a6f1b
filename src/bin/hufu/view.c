/* SPDX-License-Identifier: Apache-2.0 */
#include "view.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/hex.h"
#include "codec/utf8.h"
#include "os/heap.h"
#include "progress.h"

enum {
	BUF_MAX = 1 << 20,
	FLUSH_AT = 64 << 10,
	KEY_WIDTH = 14,
	TIME_TEXT = 32,
};

static void flush(struct hufu_view *v)
{
	if (v->buf.len > 0)
		(void)fwrite(v->buf.p, 1, v->buf.len, stdout);
	hf_buf_reset(&v->buf);
}

/* What came before a value in text: indentation and key, or a blank within a row. */
static void put_key(struct hufu_view *v, const char *key)
{
	if (v->in_row) {
		printf("%s%s=", v->has_field ? " " : "", key);
		v->has_field = true;
	} else if (key == NULL) {
		printf("%*s", (int)(2 * v->depth), "");
	} else {
		printf("%*s%-*s ", (int)(2 * v->depth), "", KEY_WIDTH, key);
	}
}

static void end_value(const struct hufu_view *v)
{
	if (!v->in_row)
		printf("\n");
}

/* The key in JSON; in text everything that stands before the value. */
static void begin(struct hufu_view *v, const char *key)
{
	if (!v->is_json) {
		put_key(v, key);
		return;
	}
	if (v->buf.len >= FLUSH_AT)
		flush(v);
	if (key != NULL)
		hf_json_wr_key(&v->json, key);
}

/* Control characters, C1 ones in UTF-8 too, and what turns the direction of writing. */
static bool is_unsafe(const uint8_t *p, size_t n)
{
	if (n < 2)
		return n == 0 || p[0] < 0x20 || p[0] == 0x7f;
	if (n == 2)
		return p[0] == 0xc2 && p[1] < 0xa0;
	return n == 3 && p[0] == 0xe2 &&
	       ((p[1] == 0x80 &&
			(p[2] == 0x8e || p[2] == 0x8f || (p[2] >= 0xaa && p[2] <= 0xae))) ||
		       (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9));
}

/* Terminals obey such characters: they are shown as \xNN. */
static void put_safe(FILE *out, struct hf_bytes s)
{
	for (size_t at = 0; at < s.len;) {
		size_t n = hf_utf8_len(s.p + at, s.len - at);

		if (is_unsafe(s.p + at, n)) {
			n = n == 0 ? 1 : n;
			for (size_t i = 0; i < n; i++)
				fprintf(out, "\\x%02x", s.p[at + i]);
		} else {
			(void)fwrite(s.p + at, 1, n, out);
		}
		at += n;
	}
}

void hufu_line(FILE *out, const char *fmt, ...)
{
	char line[HUFU_LINE_MAX];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	put_safe(out, (struct hf_bytes){ (const uint8_t *)line,
			      n < HUFU_LINE_MAX ? (size_t)n : HUFU_LINE_MAX - 1 });
	(void)fputc('\n', out);
}

void hufu_view_begin(struct hufu_view *v, bool is_json)
{
	memset(v, 0, sizeof(*v));
	v->is_json = is_json;
	hf_buf_init(&v->buf, hf_os_mem(), BUF_MAX);
	v->json = hf_json_wr(&v->buf);
	if (is_json)
		hf_json_wr_object(&v->json);
}

void hufu_view_drop(struct hufu_view *v)
{
	hf_buf_clear(&v->buf);
}

hf_err hufu_view_done(struct hufu_view *v, struct hf_errinfo *ei)
{
	hf_err e = HF_OK;

	if (v->is_json) {
		hf_json_wr_end(&v->json);
		e = hf_json_wr_done(&v->json);
		flush(v);
		printf("\n");
	}
	hf_buf_clear(&v->buf);
	if (e != HF_OK)
		return hf_fail(ei, e, "output: %s", hf_err_text(e));
	if (fflush(stdout) != 0 || ferror(stdout) != 0)
		return hf_fail(ei, HF_ERR_IO, "standard output: write failed");
	return HF_OK;
}

/* A line of its own in text, with what follows deeper. */
static void begin_group(struct hufu_view *v, const char *key)
{
	printf("%*s%s\n", (int)(2 * v->depth), "", key == NULL ? "-" : key);
	v->depth++;
}

void hufu_view_object(struct hufu_view *v, const char *key)
{
	if (!v->is_json) {
		begin_group(v, key);
		return;
	}
	begin(v, key);
	hf_json_wr_object(&v->json);
}

void hufu_view_list(struct hufu_view *v, const char *key)
{
	if (!v->is_json) {
		begin_group(v, key);
		return;
	}
	begin(v, key);
	hf_json_wr_array(&v->json);
}

void hufu_view_row(struct hufu_view *v)
{
	begin(v, NULL);
	if (v->is_json) {
		hf_json_wr_object(&v->json);
		return;
	}
	v->in_row = true;
	v->has_field = false;
}

void hufu_view_end(struct hufu_view *v)
{
	if (v->is_json) {
		hf_json_wr_end(&v->json);
	} else if (v->in_row) {
		v->in_row = false;
		printf("\n");
	} else {
		v->depth--;
	}
}

void hufu_view_text(struct hufu_view *v, const char *key, struct hf_bytes s)
{
	bool is_quoted;

	begin(v, key);
	if (v->is_json) {
		hf_json_wr_text(&v->json, s);
		return;
	}
	/* In a row blanks separate. */
	is_quoted = v->in_row && (s.len == 0 || memchr(s.p, ' ', s.len) != NULL);
	printf("%s", is_quoted ? "\"" : "");
	put_safe(stdout, s);
	printf("%s", is_quoted ? "\"" : "");
	end_value(v);
}

void hufu_view_str(struct hufu_view *v, const char *key, const char *s)
{
	hufu_view_text(v, key, hf_bytes_str(s));
}

void hufu_view_u64(struct hufu_view *v, const char *key, uint64_t n)
{
	begin(v, key);
	if (v->is_json) {
		hf_json_wr_u64(&v->json, n);
		return;
	}
	printf("%" PRIu64, n);
	end_value(v);
}

void hufu_view_bool(struct hufu_view *v, const char *key, bool is)
{
	begin(v, key);
	if (v->is_json) {
		hf_json_wr_bool(&v->json, is);
		return;
	}
	printf("%s", is ? "yes" : "no");
	end_value(v);
}

void hufu_view_hex(struct hufu_view *v, const char *key, const uint8_t *bytes, size_t len)
{
	begin(v, key);
	if (v->is_json) {
		hf_json_wr_hex(&v->json, bytes, len);
		return;
	}
	for (size_t i = 0; i < len; i++)
		printf("%02x", bytes[i]);
	end_value(v);
}

void hufu_view_len(struct hufu_view *v, const char *key, uint64_t len)
{
	char text[16];

	begin(v, key);
	if (v->is_json) {
		hf_json_wr_u64(&v->json, len);
		return;
	}
	hufu_bytes_text(text, len);
	if (v->in_row || len < 1024)
		printf("%" PRIu64, len);
	else
		printf("%" PRIu64 " (%s)", len, text);
	end_value(v);
}

void hufu_view_time(struct hufu_view *v, const char *key, uint64_t time_s)
{
	time_t t = (time_t)time_s;
	char text[TIME_TEXT] = "";
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		(void)snprintf(text, sizeof(text), "%" PRIu64, time_s);
	hufu_view_str(v, key, text);
}
