/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads files of test vectors. Invariant: every line ends with a newline in the buffer (one is
 * added at the end of the file), and a value is decoded over its own digits, so nothing is ever
 * written behind the line that is being read.
 */
#include "vec_file.h"

#include <string.h>

#include "base/attr.h"
#include "base/hex.h"
#include "os/file.h"
#include "os/heap.h"

hf_err vec_file_open(struct vec_file *f, const char *path, struct hf_errinfo *ei)
{
	memset(f, 0, sizeof(*f));
	f->path = path;
	hf_buf_init(&f->buf, hf_os_mem(), VEC_FILE_MAX);
	HF_TRY(hf_file_load_input(&f->buf, path, ei));
	f->buf.max = (size_t)VEC_FILE_MAX + 1; /* the last line may be without its end */
	HF_TRY(hf_buf_put(&f->buf, "\n", 1));
	f->at = f->buf.p;
	f->left = f->buf.len;
	return HF_OK;
}

void vec_file_close(struct vec_file *f)
{
	hf_buf_clear(&f->buf);
}

const char *vec_file_base(const struct vec_file *f)
{
	const char *slash = strrchr(f->path, '/');

	return slash == NULL ? f->path : slash + 1;
}

const struct vec_field *vec_find(const struct vec_case *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->f[i].name, name) == 0)
			return &c->f[i];
	return NULL;
}

const char *vec_remark(const struct vec_file *f, size_t i)
{
	if (i >= f->n_remarks || i >= VEC_REMARKS_MAX)
		return NULL;
	return f->remark[(f->n_remarks - 1 - i) % VEC_REMARKS_MAX];
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next line, blanks at both ends taken off and a terminator put behind it; NULL at the end. */
static char *next_line(struct vec_file *f, size_t *len)
{
	uint8_t *end;
	char *line;

	if (f->left == 0)
		return NULL;
	line = (char *)f->at;
	end = memchr(f->at, '\n', f->left);
	*len = (size_t)(end - f->at);
	f->left -= *len + 1;
	f->at = end + 1;
	f->line++;
	while (*len > 0 && is_blank(line[*len - 1]))
		(*len)--;
	line[*len] = '\0';
	while (*len > 0 && is_blank(*line)) {
		line++;
		(*len)--;
	}
	return line;
}

static bool ends_with(const char *name, size_t len, const char *tail)
{
	size_t tail_len = strlen(tail);

	return len >= tail_len && memcmp(name + len - tail_len, tail, tail_len) == 0;
}

static enum vec_kind kind_of(const char *name)
{
	size_t len = strcspn(name, "[");

	if (strcmp(name, "Id") == 0 || strcmp(name, "TcId") == 0 || ends_with(name, len, "Text"))
		return VEC_TEXT;
	if (ends_with(name, len, "Count") || ends_with(name, len, "Bits"))
		return VEC_NUMBER;
	return VEC_HEX;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_in_name(char c)
{
	return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '.';
}

/* Name: a letter, then letters, digits, '-', '_' and '.', then perhaps [number]. */
static bool is_name(const char *s, size_t len)
{
	size_t i = 1;

	if (len == 0 || len > VEC_NAME_MAX || !is_letter(s[0]))
		return false;
	while (i < len && is_in_name(s[i]))
		i++;
	if (i == len)
		return true;
	if (s[i++] != '[' || i + 1 >= len || s[len - 1] != ']')
		return false;
	while (i < len - 1 && is_digit(s[i]))
		i++;
	return i == len - 1;
}

static bool parse_number(uint64_t *out, const char *s, size_t len)
{
	uint64_t v = 0;

	if (len == 0 || len > 19)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_digit(s[i]))
			return false;
		v = v * 10 + (uint64_t)(s[i] - '0');
	}
	*out = v;
	return true;
}

/* Decodes the value, which has a terminator behind it, where it stands. */
static hf_err decode(const struct vec_file *f, struct vec_field *field, char *value, size_t len,
	struct hf_errinfo *ei)
{
	size_t n = len;

	if (strlen(value) != len)
		return hf_fail(ei, HF_ERR_FORMAT, "%s:%u: %s holds a zero byte", f->path, f->line,
			field->name);
	if (field->kind == VEC_NUMBER && !parse_number(&field->number, value, len))
		return hf_fail(ei, HF_ERR_FORMAT, "%s:%u: %s is no decimal number", f->path,
			f->line, field->name);
	if (field->kind == VEC_HEX &&
		hf_hex_parse((uint8_t *)value, len / 2, &n, value, len) != HF_OK)
		return hf_fail(ei, HF_ERR_FORMAT, "%s:%u: %s is not in whole hexadecimal bytes",
			f->path, f->line, field->name);
	field->value = (struct hf_bytes){ (const uint8_t *)value, n };
	return HF_OK;
}

static hf_err add_field(struct vec_file *f, char *line, size_t len, struct hf_errinfo *ei)
{
	struct vec_case *c = &f->c;
	char *equals = memchr(line, '=', len);
	size_t name_len = equals == NULL ? 0 : (size_t)(equals - line);
	struct vec_field field = { .name = line };
	char *value;

	while (name_len > 0 && is_blank(line[name_len - 1]))
		name_len--;
	if (equals == NULL || !is_name(line, name_len))
		return hf_fail(ei, HF_ERR_FORMAT,
			"%s:%u: neither 'Name = value' nor a comment nor blank", f->path, f->line);
	value = equals + 1;
	len -= (size_t)(value - line);
	while (len > 0 && is_blank(*value)) {
		value++;
		len--;
	}
	line[name_len] = '\0';
	if (vec_find(c, line) != NULL)
		return hf_fail(ei, HF_ERR_FORMAT, "%s:%u: a second %s in one case", f->path,
			f->line, line);
	if (c->n == VEC_FIELDS_MAX)
		return hf_fail(ei, HF_ERR_LIMIT, "%s:%u: more than %d fields in one case", f->path,
			f->line, VEC_FIELDS_MAX);
	field.kind = kind_of(line);
	HF_TRY(decode(f, &field, value, len, ei));
	if (c->n == 0)
		c->line = f->line;
	c->f[c->n++] = field;
	return HF_OK;
}

hf_err vec_file_next(struct vec_file *f, struct hf_errinfo *ei)
{
	size_t len = 0;
	char *line;

	f->c.n = 0;
	while ((line = next_line(f, &len)) != NULL) {
		if (len == 0 && f->c.n > 0)
			return HF_OK;
		if (len == 0)
			continue;
		if (line[0] == '#') {
			f->remark[f->n_remarks++ % VEC_REMARKS_MAX] = line + 1;
			continue;
		}
		HF_TRY(add_field(f, line, len, ei));
	}
	return f->c.n > 0 ? HF_OK : HF_ERR_NOT_FOUND;
}
