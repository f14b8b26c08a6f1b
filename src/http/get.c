/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An answer of HTTP/1.1, line by line, then its body. Whatever could be read in two ways is
 * refused: two lengths, a length beside a coding, a folded field. A line may end in a bare LF (RFC
 * 9112 2.2), a bare CR ends none.
 */
#include "http/get.h"

#include <stdio.h>
#include <string.h>

enum {
	AT_STATUS,
	AT_FIELDS,
	AT_BODY,       /* with a length, or up to the end */
	AT_CHUNK_LINE, /* "1a2b;extension" */
	AT_CHUNK,
	AT_CHUNK_END, /* the empty rest of a line behind it */
	AT_TRAILER,
	AT_END,
};

size_t hf_get_request(char out[HF_GET_REQUEST_MAX], const struct hf_url *url, const char *accept)
{
	bool is_v6 = strchr(url->host, ':') != NULL;
	char port[8] = "";
	int n;

	if (url->port != 80)
		(void)snprintf(port, sizeof(port), ":%u", (unsigned)url->port);
	n = snprintf(out, HF_GET_REQUEST_MAX,
		"GET %s HTTP/1.1\r\nHost: %s%s%s%s\r\nAccept: %s\r\nUser-Agent: hufu\r\n"
		"Connection: close\r\n\r\n",
		url->path, is_v6 ? "[" : "", url->host, is_v6 ? "]" : "", port, accept);
	return (size_t)n;
}

void hf_get_init(struct hf_get *g, const struct hf_mem *mem, size_t body_max)
{
	*g = (struct hf_get){ .left = UINT64_MAX };
	hf_buf_init(&g->body, mem, body_max);
}

void hf_get_clear(struct hf_get *g)
{
	hf_buf_clear(&g->body);
	*g = (struct hf_get){ 0 };
}

/* --- lines --- */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool same_word(const char *a, const char *b)
{
	while (*a != '\0' && lower(*a) == lower(*b)) {
		a++;
		b++;
	}
	return *a == *b;
}

/* RFC 9110 5.6.2 */
static bool is_token_char(char c)
{
	return c > ' ' && c < 0x7f && strchr("\"(),/:;<=>?@[\\]{}", c) == NULL;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static hf_err take_status(struct hf_get *g, struct hf_errinfo *ei)
{
	const char *s = g->line;

	if (g->line_len < 12 || strncmp(s, "HTTP/1.", 7) != 0 || !is_digit(s[7]) || s[8] != ' ' ||
		!is_digit(s[9]) || !is_digit(s[10]) || !is_digit(s[11]) ||
		(s[12] != ' ' && s[12] != '\0'))
		return hf_fail(ei, HF_ERR_FORMAT, "the answer is not HTTP/1.1");
	g->status = (unsigned)(s[9] - '0') * 100 + (unsigned)(s[10] - '0') * 10 +
		    (unsigned)(s[11] - '0');
	if (g->status / 100 == 3)
		return hf_fail(ei, HF_ERR_NOT_FOUND,
			"the server says %u: it is elsewhere, and redirects are not followed; "
			"name the place itself",
			g->status);
	if (g->status / 100 != 1 && g->status != 200)
		return hf_fail(ei, HF_ERR_NOT_FOUND, "the server says %u, not 200", g->status);
	if (g->status == 101)
		return hf_fail(ei, HF_ERR_FORMAT, "the server changes the protocol");
	g->state = AT_FIELDS;
	return HF_OK;
}

static hf_err take_length(struct hf_get *g, const char *value, struct hf_errinfo *ei)
{
	uint64_t n = 0;

	if (g->has_length || g->is_chunked || value[0] == '\0' || strlen(value) > 18)
		return hf_fail(ei, HF_ERR_FORMAT, "the answer has a length that is none, or two");
	for (; *value != '\0'; value++) {
		if (!is_digit(*value))
			return hf_fail(ei, HF_ERR_FORMAT, "the answer has a length that is none");
		n = 10 * n + (uint64_t)(*value - '0');
	}
	if (n > g->body.max)
		return hf_fail(
			ei, HF_ERR_LIMIT, "the answer is longer than %zu bytes", g->body.max);
	g->has_length = true;
	g->left = n;
	return HF_OK;
}

static hf_err take_field(struct hf_get *g, struct hf_errinfo *ei)
{
	char *name = g->line;
	char *value;
	char *end = g->line + g->line_len;
	size_t n = 0;

	while (is_token_char(name[n]))
		n++;
	if (n == 0 || name[n] != ':')
		return hf_fail(ei, HF_ERR_FORMAT, "the head of the answer is malformed");
	name[n] = '\0';
	value = name + n + 1;
	while (is_blank(*value))
		value++;
	while (end > value && is_blank(end[-1]))
		*--end = '\0';
	if (same_word(name, "content-length"))
		return take_length(g, value, ei);
	if (same_word(name, "transfer-encoding")) {
		if (!same_word(value, "chunked") || g->has_length || g->is_chunked)
			return hf_fail(ei, HF_ERR_UNSUPPORTED,
				"the answer is coded in a way that is not read here");
		g->is_chunked = true;
	}
	if (same_word(name, "content-encoding") && !same_word(value, "identity"))
		return hf_fail(
			ei, HF_ERR_UNSUPPORTED, "the answer is compressed, which nobody asked for");
	return HF_OK;
}

static void end_head(struct hf_get *g)
{
	if (g->status != 200) { /* 1xx: another head follows */
		g->state = AT_STATUS;
		g->has_length = g->is_chunked = false;
		g->left = UINT64_MAX;
	} else if (g->is_chunked) {
		g->state = AT_CHUNK_LINE;
	} else {
		g->state = g->left == 0 ? AT_END : AT_BODY;
	}
}

static hf_err take_chunk_line(struct hf_get *g, struct hf_errinfo *ei)
{
	const char *s = g->line;
	uint64_t n = 0;
	size_t i = 0;

	for (; i < g->line_len; i++) {
		char c = lower(s[i]);

		if (is_digit(c))
			n = 16 * n + (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			n = 16 * n + (uint64_t)(c - 'a' + 10);
		else
			break;
		if (n > g->body.max - g->body.len)
			return hf_fail(ei, HF_ERR_LIMIT, "the answer is longer than %zu bytes",
				g->body.max);
	}
	if (i == 0 || (s[i] != '\0' && s[i] != ';' && !is_blank(s[i])))
		return hf_fail(ei, HF_ERR_FORMAT, "the answer has a malformed chunk");
	g->left = n;
	g->state = n == 0 ? AT_TRAILER : AT_CHUNK;
	return HF_OK;
}

static hf_err take_line(struct hf_get *g, struct hf_errinfo *ei)
{
	switch (g->state) {
	case AT_STATUS: return take_status(g, ei);
	case AT_FIELDS:
		if (g->line_len > 0)
			return take_field(g, ei);
		end_head(g);
		return HF_OK;
	case AT_CHUNK_LINE: return take_chunk_line(g, ei);
	case AT_CHUNK_END:
		if (g->line_len > 0)
			return hf_fail(ei, HF_ERR_FORMAT, "the answer has a malformed chunk");
		g->state = AT_CHUNK_LINE;
		return HF_OK;
	default: /* AT_TRAILER: of no meaning here */
		if (g->line_len == 0)
			g->state = AT_END;
		return HF_OK;
	}
}

/* One byte of a line. */
static hf_err take_line_byte(struct hf_get *g, char c, struct hf_errinfo *ei)
{
	hf_err e;

	if (++g->n_head > HF_GET_HEAD_MAX || g->line_len + 1 >= HF_GET_LINE_MAX)
		return hf_fail(ei, HF_ERR_LIMIT, "the head of the answer is too long");
	if (c != '\n') {
		/* Control characters are for nobody's eyes; a CR is the last of its line. */
		if ((c != '\r' && c != '\t' && (unsigned char)c < ' ') || c == 0x7f ||
			(g->line_len > 0 && g->line[g->line_len - 1] == '\r'))
			return hf_fail(ei, HF_ERR_FORMAT, "the head of the answer is malformed");
		g->line[g->line_len++] = c;
		return HF_OK;
	}
	if (g->line_len > 0 && g->line[g->line_len - 1] == '\r')
		g->line_len--;
	g->line[g->line_len] = '\0';
	e = take_line(g, ei);
	g->line_len = 0;
	return e;
}

/* --- the body --- */

static hf_err take_body(struct hf_get *g, const uint8_t **in, size_t *len, struct hf_errinfo *ei)
{
	size_t n = *len < g->left ? *len : (size_t)g->left;
	hf_err e = hf_buf_put(&g->body, *in, n);

	if (e == HF_ERR_LIMIT)
		return hf_fail(ei, e, "the answer is longer than %zu bytes", g->body.max);
	if (e != HF_OK)
		return hf_fail(ei, e, "out of memory");
	*in += n;
	*len -= n;
	if (g->left != UINT64_MAX)
		g->left -= n;
	if (g->left == 0)
		g->state = g->state == AT_BODY ? AT_END : AT_CHUNK_END;
	return HF_OK;
}

hf_err hf_get_feed(struct hf_get *g, const uint8_t *in, size_t in_len, struct hf_errinfo *ei)
{
	while (g->err == HF_OK && in_len > 0 && g->state != AT_END) {
		if (g->state == AT_BODY || g->state == AT_CHUNK) {
			g->err = take_body(g, &in, &in_len, ei);
		} else {
			g->err = take_line_byte(g, (char)*in, ei);
			in++;
			in_len--;
		}
	}
	return g->err;
}

hf_err hf_get_eof(struct hf_get *g, struct hf_errinfo *ei)
{
	if (g->err == HF_OK && g->state == AT_BODY && g->left == UINT64_MAX)
		g->state = AT_END;
	if (g->err == HF_OK && g->state != AT_END)
		g->err = hf_fail(ei, HF_ERR_TRUNCATED, "the answer ends too early");
	return g->err;
}

bool hf_get_is_over(const struct hf_get *g)
{
	return g->err == HF_OK && g->state == AT_END;
}
