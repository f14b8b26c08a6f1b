/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON reader. State says what may stand at the next place:
 *
 *	VALUE      a value                        after ':' and at the start
 *	ITEM       a value, or ']'                behind '['
 *	NEXT_ITEM  a value                        behind ',' of an array
 *	MEMBER     a key, or '}'                  behind '{'
 *	NEXT_KEY   a key                          behind ',' of an object
 *	AFTER      ',' or the container's end; at depth 0 the end of the input
 */
#include "codec/json.h"

#include <string.h>

#include "codec/utf8.h"

enum state { VALUE, ITEM, NEXT_ITEM, MEMBER, NEXT_KEY, AFTER };

void hf_json_init(struct hf_json *j, const void *in, size_t len, unsigned depth_max)
{
	*j = (struct hf_json){ .p = in, .len = len, .depth_max = depth_max };
	if (j->depth_max > HF_JSON_DEPTH_MAX)
		j->depth_max = HF_JSON_DEPTH_MAX;
}

static hf_err fail(struct hf_json *j, hf_err e)
{
	j->err = e;
	return e;
}

/* What is wrong at the present place: the end of the input, or what stands there. */
static hf_err fail_here(struct hf_json *j)
{
	return fail(j, j->at == j->len ? HF_ERR_TRUNCATED : HF_ERR_FORMAT);
}

/* The next byte, or 0 at the end: no byte of JSON outside a string is 0. */
static uint8_t peek(const struct hf_json *j)
{
	return j->at < j->len ? j->p[j->at] : 0;
}

static void skip_space(struct hf_json *j)
{
	while (peek(j) == ' ' || peek(j) == '\t' || peek(j) == '\n' || peek(j) == '\r')
		j->at++;
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* Value of four hexadecimal digits, or -1. */
static int32_t hex4(const uint8_t *p, size_t left)
{
	int32_t v = 0;

	if (left < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		uint8_t c = p[i] | 0x20;

		if (is_digit(p[i]))
			v = v << 4 | (p[i] - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (c - 'a' + 10);
		else
			return -1;
	}
	return v;
}

/* One \u escape, or two that make a pair; p is behind the first 'u'. Returns bytes used, 0: bad. */
static size_t unicode_escape(uint32_t *code, const uint8_t *p, size_t left)
{
	int32_t high = hex4(p, left);
	int32_t low;

	if (high < 0 || (high >= 0xdc00 && high <= 0xdfff))
		return 0;
	*code = (uint32_t)high;
	if (high < 0xd800 || high > 0xdbff)
		return 4;
	if (left < 10 || p[4] != '\\' || p[5] != 'u')
		return 0;
	low = hex4(p + 6, left - 6);
	if (low < 0xdc00 || low > 0xdfff)
		return 0;
	*code = 0x10000 + ((uint32_t)(high - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
	return 10;
}

/*
 * One character of a string as it is written: its UTF-8 goes to out, *n says how many bytes.
 * Returns the bytes it takes in the input, 0 if it is not allowed.
 */
static size_t one_char(uint8_t out[4], size_t *n, const uint8_t *p, size_t left)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char meaning[] = "\"\\/\b\f\n\r\t";
	const char *found;
	uint32_t code = 0;
	size_t used;

	if (left == 0 || p[0] < 0x20)
		return 0;
	if (p[0] != '\\') {
		*n = hf_utf8_len(p, left);
		memcpy(out, p, *n);
		return *n;
	}
	if (left < 2 || p[1] == 0)
		return 0;
	if (p[1] == 'u') {
		used = unicode_escape(&code, p + 2, left - 2);
		if (used == 0)
			return 0;
		*n = hf_utf8_emit(out, code);
		return 2 + used;
	}
	found = strchr(letters, p[1]);
	if (found == NULL)
		return 0;
	out[0] = (uint8_t)meaning[found - letters];
	*n = 1;
	return 2;
}

/* A string; at is on its opening quote and ends behind the closing one. */
static hf_err scan_string(struct hf_json *j, struct hf_bytes *text)
{
	size_t start = ++j->at;
	uint8_t out[4];
	size_t n = 0;

	while (j->at < j->len && j->p[j->at] != '"') {
		size_t used = one_char(out, &n, j->p + j->at, j->len - j->at);

		if (used == 0)
			return fail(j, HF_ERR_FORMAT);
		j->at += used;
	}
	if (j->at == j->len)
		return fail(j, HF_ERR_TRUNCATED);
	*text = (struct hf_bytes){ j->p + start, j->at - start };
	j->at++;
	return HF_OK;
}

static hf_err scan_digits(struct hf_json *j)
{
	if (!is_digit(peek(j)))
		return fail_here(j);
	while (is_digit(peek(j)))
		j->at++;
	return HF_OK;
}

static hf_err scan_number(struct hf_json *j, struct hf_bytes *text)
{
	size_t start = j->at;

	if (peek(j) == '-')
		j->at++;
	if (peek(j) == '0')
		j->at++;
	else
		HF_TRY(scan_digits(j));
	if (peek(j) == '.') {
		j->at++;
		HF_TRY(scan_digits(j));
	}
	if (peek(j) == 'e' || peek(j) == 'E') {
		j->at++;
		if (peek(j) == '+' || peek(j) == '-')
			j->at++;
		HF_TRY(scan_digits(j));
	}
	*text = (struct hf_bytes){ j->p + start, j->at - start };
	return HF_OK;
}

static hf_err scan_word(struct hf_json *j, const char *word)
{
	for (; *word != '\0'; word++, j->at++)
		if (peek(j) != (uint8_t)*word)
			return fail_here(j);
	return HF_OK;
}

static hf_err open_container(struct hf_json *j, bool is_object)
{
	if (j->depth == j->depth_max)
		return fail(j, HF_ERR_LIMIT);
	j->is_object &= ~(UINT64_C(1) << j->depth);
	j->is_object |= (uint64_t)is_object << j->depth;
	j->depth++;
	j->at++;
	j->state = is_object ? MEMBER : ITEM;
	return HF_OK;
}

static void close_container(struct hf_json *j)
{
	j->depth--;
	j->at++;
	j->state = AFTER;
}

static bool in_object(const struct hf_json *j)
{
	return j->depth > 0 && (j->is_object >> (j->depth - 1) & 1) != 0;
}

static hf_err scan_value(struct hf_json *j, struct hf_json_token *t)
{
	j->state = AFTER;
	switch (peek(j)) {
	case '{': t->kind = HF_JSON_OBJECT; return open_container(j, true);
	case '[': t->kind = HF_JSON_ARRAY; return open_container(j, false);
	case '"': t->kind = HF_JSON_STRING; return scan_string(j, &t->text);
	case 't': t->kind = HF_JSON_TRUE; return scan_word(j, "true");
	case 'f': t->kind = HF_JSON_FALSE; return scan_word(j, "false");
	case 'n': t->kind = HF_JSON_NULL; return scan_word(j, "null");
	default: t->kind = HF_JSON_NUMBER; return scan_number(j, &t->text);
	}
}

static hf_err scan_key(struct hf_json *j, struct hf_json_token *t)
{
	if (peek(j) != '"')
		return fail_here(j);
	t->kind = HF_JSON_KEY;
	HF_TRY(scan_string(j, &t->text));
	skip_space(j);
	if (peek(j) != ':')
		return fail_here(j);
	j->at++;
	j->state = VALUE;
	return HF_OK;
}

/* Steps over a comma, so that the state is one that expects a key or a value, or a closing one. */
static hf_err step_after(struct hf_json *j)
{
	if (peek(j) != ',')
		return HF_OK;
	if (j->depth == 0)
		return fail(j, HF_ERR_FORMAT);
	j->at++;
	j->state = in_object(j) ? NEXT_KEY : NEXT_ITEM;
	skip_space(j);
	return HF_OK;
}

static hf_err scan_token(struct hf_json *j, struct hf_json_token *t)
{
	bool may_close = j->state == ITEM || j->state == MEMBER || j->state == AFTER;

	if (j->state == AFTER && j->depth == 0) {
		t->kind = HF_JSON_END;
		return j->at == j->len ? HF_OK : fail(j, HF_ERR_FORMAT);
	}
	if (may_close && peek(j) == (in_object(j) ? '}' : ']')) {
		t->kind = in_object(j) ? HF_JSON_OBJECT_END : HF_JSON_ARRAY_END;
		close_container(j);
		return HF_OK;
	}
	switch (j->state) {
	case MEMBER:
	case NEXT_KEY: return scan_key(j, t);
	case AFTER: return fail_here(j);
	default: return scan_value(j, t);
	}
}

hf_err hf_json_next(struct hf_json *j, struct hf_json_token *t)
{
	struct hf_json_token next = { 0 };

	if (j->err != HF_OK)
		return j->err;
	skip_space(j);
	if (j->state == AFTER)
		HF_TRY(step_after(j));
	next.at = j->at;
	HF_TRY(scan_token(j, &next));
	*t = next;
	return HF_OK;
}

hf_err hf_json_want(struct hf_json *j, struct hf_json_token *t, enum hf_json_kind kind)
{
	struct hf_json_token next;

	HF_TRY(hf_json_next(j, &next));
	if (next.kind != kind) {
		j->at = next.at;
		return fail(j, HF_ERR_FORMAT);
	}
	*t = next;
	return HF_OK;
}

hf_err hf_json_skip(struct hf_json *j, const struct hf_json_token *t)
{
	struct hf_json_token next;
	unsigned outside = j->depth;

	if (t->kind != HF_JSON_OBJECT && t->kind != HF_JSON_ARRAY)
		return j->err;
	if (outside == 0)
		return HF_ERR_ARG;
	do {
		HF_TRY(hf_json_next(j, &next));
	} while (j->depth >= outside);
	return HF_OK;
}

static bool is_text(const struct hf_json_token *t)
{
	return t->kind == HF_JSON_KEY || t->kind == HF_JSON_STRING;
}

bool hf_json_is(const struct hf_json_token *t, const char *s)
{
	size_t s_left = strlen(s);
	size_t at = 0;

	if (!is_text(t))
		return false;
	while (at < t->text.len) {
		uint8_t c[4];
		size_t n = 0;
		size_t used = one_char(c, &n, t->text.p + at, t->text.len - at);

		if (used == 0 || n > s_left || memcmp(c, s, n) != 0)
			return false;
		at += used;
		s += n;
		s_left -= n;
	}
	return s_left == 0;
}

hf_err hf_json_text(char *out, size_t cap, size_t *len, const struct hf_json_token *t)
{
	size_t at = 0;
	size_t done = 0;
	hf_err e = is_text(t) ? HF_OK : HF_ERR_FORMAT;

	if (cap == 0)
		return HF_ERR_LIMIT;
	while (e == HF_OK && at < t->text.len) {
		uint8_t c[4] = { 0 };
		size_t n = 0;
		size_t used = one_char(c, &n, t->text.p + at, t->text.len - at);

		if (used == 0 || c[0] == 0)
			e = HF_ERR_FORMAT;
		else if (n >= cap - done)
			e = HF_ERR_LIMIT;
		else
			memcpy(out + done, c, n);
		at += used;
		done += n;
	}
	if (e != HF_OK) {
		out[0] = '\0';
		return e;
	}
	out[done] = '\0';
	if (len != NULL)
		*len = done;
	return HF_OK;
}

/* The digits of a whole number. */
static hf_err whole(uint64_t *out, struct hf_bytes digits)
{
	uint64_t v = 0;

	for (size_t i = 0; i < digits.len; i++) {
		unsigned x = digits.p[i] - (unsigned)'0';

		if (!is_digit(digits.p[i]))
			return HF_ERR_FORMAT;
		if (v > (UINT64_MAX - x) / 10)
			return HF_ERR_LIMIT;
		v = v * 10 + x;
	}
	*out = v;
	return digits.len > 0 ? HF_OK : HF_ERR_FORMAT;
}

static bool is_negative(const struct hf_json_token *t)
{
	return t->text.len > 0 && t->text.p[0] == '-';
}

hf_err hf_json_u64(uint64_t *out, const struct hf_json_token *t)
{
	if (t->kind != HF_JSON_NUMBER)
		return HF_ERR_FORMAT;
	if (is_negative(t))
		return HF_ERR_LIMIT;
	return whole(out, t->text);
}

hf_err hf_json_i64(int64_t *out, const struct hf_json_token *t)
{
	struct hf_bytes digits = t->text;
	uint64_t v = 0;

	if (t->kind != HF_JSON_NUMBER)
		return HF_ERR_FORMAT;
	if (is_negative(t)) {
		digits.p++;
		digits.len--;
	}
	HF_TRY(whole(&v, digits));
	if (v > (uint64_t)INT64_MAX + (is_negative(t) ? 1 : 0))
		return HF_ERR_LIMIT;
	if (!is_negative(t))
		*out = (int64_t)v;
	else
		*out = v == 0 ? 0 : -(int64_t)(v - 1) - 1;
	return HF_OK;
}
