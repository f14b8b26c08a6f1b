/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heads of messages. nghttp2 has already checked them against RFC 9113 8.2 and 8.3 (pseudo fields,
 * lower case, content-length); here is what the node API allows beyond that.
 */
#include <string.h>

#include "http/h2_session.h"

static const char *const methods[] = {
	[HF_HTTP_GET] = "GET",
	[HF_HTTP_HEAD] = "HEAD",
	[HF_HTTP_PUT] = "PUT",
	[HF_HTTP_POST] = "POST",
	[HF_HTTP_DELETE] = "DELETE",
};

static const char field_prefix[] = "x-hufu-";

const char *hf_h2_method_name(enum hf_http_method m)
{
	return methods[m];
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Unreserved characters of RFC 3986; nothing is ever escaped, so '%' is not among them. */
static bool is_segment_char(char c)
{
	return is_alnum(c) || c == '-' || c == '_' || c == '.' || c == '~';
}

static bool is_query_char(char c)
{
	return is_segment_char(c) || c == '=' || c == '&';
}

/* "." and ".." walk, and an empty one hides: none of them names anything. */
static bool is_segment(const char *s)
{
	if (s[0] == '\0' || strcmp(s, ".") == 0 || strcmp(s, "..") == 0)
		return false;
	for (; *s != '\0'; s++)
		if (!is_segment_char(*s))
			return false;
	return true;
}

static hf_err cut_segments(struct hf_http_head *head)
{
	char *at = head->segments_text;

	if (at[0] != '/')
		return HF_ERR_FORMAT;
	while (at != NULL) {
		char *end = strchr(at + 1, '/');

		*at++ = '\0';
		if (end != NULL)
			*end = '\0';
		if (!is_segment(at) || head->n_segments == HF_HTTP_SEGMENTS_MAX)
			return HF_ERR_FORMAT;
		head->segments[head->n_segments++] = at;
		at = end;
	}
	return HF_OK;
}

hf_err hf_h2_head_path(struct hf_http_head *head, const char *path, size_t path_len)
{
	const char *mark;
	size_t len = path_len;

	if (path_len >= HF_HTTP_PATH_MAX || memchr(path, '\0', path_len) != NULL)
		return HF_ERR_FORMAT;
	mark = memchr(path, '?', path_len);
	if (mark != NULL) {
		len = (size_t)(mark - path);
		memcpy(head->query, mark + 1, path_len - len - 1);
		head->query[path_len - len - 1] = '\0';
	}
	for (const char *q = head->query; *q != '\0'; q++)
		if (!is_query_char(*q))
			return HF_ERR_FORMAT;
	memcpy(head->path, path, len);
	head->path[len] = '\0';
	memcpy(head->segments_text, head->path, len + 1);
	return cut_segments(head);
}

static bool name_is(struct hf_bytes name, const char *s)
{
	return hf_bytes_eq(name, hf_bytes_str(s));
}

static bool is_printable(struct hf_bytes v)
{
	for (size_t i = 0; i < v.len; i++)
		if (v.p[i] < 0x20 || v.p[i] > 0x7e)
			return false;
	return true;
}

static hf_err copy_text(char *out, size_t cap, struct hf_bytes v)
{
	if (v.len >= cap)
		return HF_ERR_LIMIT;
	if (!is_printable(v))
		return HF_ERR_FORMAT;
	if (v.len > 0)
		memcpy(out, v.p, v.len);
	out[v.len] = '\0';
	return HF_OK;
}

static hf_err take_method(struct hf_http_head *head, struct hf_bytes v)
{
	for (size_t i = 0; i < HF_COUNT(methods); i++) {
		if (!name_is(v, methods[i]))
			continue;
		head->method = (enum hf_http_method)i;
		return HF_OK;
	}
	return HF_ERR_UNSUPPORTED;
}

static hf_err take_status(struct hf_http_head *head, struct hf_bytes v)
{
	if (v.len != 3)
		return HF_ERR_FORMAT;
	head->status = 0;
	for (size_t i = 0; i < 3; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return HF_ERR_FORMAT;
		head->status = head->status * 10 + (unsigned)(v.p[i] - '0');
	}
	return HF_OK;
}

static hf_err take_ours(struct hf_http_head *head, struct hf_bytes name, struct hf_bytes v)
{
	struct hf_http_field f = { 0 };

	if (head->n_fields == HF_HTTP_FIELDS_MAX)
		return HF_ERR_LIMIT;
	HF_TRY(copy_text(f.name, sizeof(f.name), name));
	HF_TRY(copy_text(f.value, sizeof(f.value), v));
	head->fields[head->n_fields++] = f;
	return HF_OK;
}

static hf_err take_range(const struct hf_h2 *h, struct hf_http_head *head, struct hf_bytes v)
{
	const char *text = (const char *)v.p;

	if (head->has_range)
		return HF_ERR_FORMAT;
	if (h->is_server)
		HF_TRY(hf_range_parse(&head->range, text, v.len));
	else
		HF_TRY(hf_range_answer_parse(&head->range, text, v.len));
	head->has_range = true;
	return HF_OK;
}

static hf_err take(const struct hf_h2 *h, struct stream *s, struct hf_bytes name, struct hf_bytes v)
{
	struct hf_http_head *head = &s->head;

	if (name_is(name, ":method"))
		return take_method(head, v);
	if (name_is(name, ":path"))
		return hf_h2_head_path(head, (const char *)v.p, v.len);
	if (name_is(name, ":status"))
		return take_status(head, v);
	if (name_is(name, "content-type"))
		return copy_text(head->content_type, sizeof(head->content_type), v);
	if (name_is(name, h->is_server ? "range" : "content-range"))
		return take_range(h, head, v);
	if (name.len > sizeof(field_prefix) - 1 &&
		memcmp(name.p, field_prefix, sizeof(field_prefix) - 1) == 0)
		return take_ours(head, name, v);
	return HF_OK; /* of no meaning to us */
}

void hf_h2_head_field(
	struct hf_h2 *h, struct stream *s, struct hf_bytes name, struct hf_bytes value)
{
	s->head_len += name.len + value.len + 32; /* RFC 9113 6.5.2 counts like this */
	if (s->head_len > h->limits.header_max)
		s->head_err = HF_ERR_LIMIT;
	else if (s->head_err == HF_OK && !s->has_head) /* trailers only count */
		s->head_err = take(h, s, name, value);
}

/* nghttp2 copies names and values, and writes to neither. */
static uint8_t *plain(const char *s)
{
	union {
		const char *in;
		uint8_t *out;
	} u = { .in = s };

	return u.out;
}

void hf_h2_fields_add(struct fields *f, const char *name, const char *value)
{
	if (f->n == H2_FIELDS_MAX || !is_printable(hf_bytes_str(value))) {
		f->is_bad = true;
		return;
	}
	f->nv[f->n++] = (nghttp2_nv){ plain(name), plain(value), strlen(name), strlen(value),
		NGHTTP2_NV_FLAG_NONE };
}

static bool is_our_name(const char *name)
{
	if (strncmp(name, field_prefix, sizeof(field_prefix) - 1) != 0)
		return false;
	for (; *name != '\0'; name++)
		if (*name != '-' && (!is_alnum(*name) || (*name >= 'A' && *name <= 'Z')))
			return false;
	return true;
}

void hf_h2_fields_add_ours(struct fields *f, const struct hf_http_field *fields, size_t n_fields)
{
	for (size_t i = 0; i < n_fields; i++) {
		if (!is_our_name(fields[i].name))
			f->is_bad = true;
		hf_h2_fields_add(f, fields[i].name, fields[i].value);
	}
}
