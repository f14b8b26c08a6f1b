/* SPDX-License-Identifier: Apache-2.0 */
/* Byte ranges, strict: no white space, no sign, no leading zero, no number above 2^64 - 1. */
#include "http/range.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What is left of a text; is_bad is sticky. */
struct text {
	const char *p;
	size_t left;
	bool is_bad;
};

static bool text_has(const struct text *t, const char *s)
{
	size_t len = strlen(s);

	return !t->is_bad && t->left >= len && memcmp(t->p, s, len) == 0;
}

static void text_skip(struct text *t, const char *s)
{
	size_t len = strlen(s);

	if (!text_has(t, s)) {
		t->is_bad = true;
		return;
	}
	t->p += len;
	t->left -= len;
}

static uint64_t text_number(struct text *t)
{
	size_t n_digits = 0;
	uint64_t v = 0;

	while (t->left > 0 && *t->p >= '0' && *t->p <= '9') {
		uint64_t digit = (uint64_t)(*t->p - '0');

		if (v > (UINT64_MAX - digit) / 10 || (n_digits > 0 && v == 0))
			t->is_bad = true; /* too large, or a leading zero */
		v = v * 10 + digit;
		n_digits++;
		t->p++;
		t->left--;
	}
	if (n_digits == 0)
		t->is_bad = true;
	return v;
}

hf_err hf_range_parse(struct hf_range *out, const char *text, size_t text_len)
{
	struct text t = { .p = text, .left = text_len };
	struct hf_range r = { 0 };

	text_skip(&t, "bytes=");
	if (text_has(&t, "-"))
		return HF_ERR_UNSUPPORTED;
	r.first = text_number(&t);
	text_skip(&t, "-");
	if (!t.is_bad && t.left == 0)
		return HF_ERR_UNSUPPORTED;
	r.last = text_number(&t);
	if (text_has(&t, ","))
		return HF_ERR_UNSUPPORTED;
	if (t.is_bad || t.left > 0 || r.last < r.first)
		return HF_ERR_FORMAT;
	*out = r;
	return HF_OK;
}

hf_err hf_range_answer_parse(struct hf_range *out, const char *text, size_t text_len)
{
	struct text t = { .p = text, .left = text_len };
	struct hf_range r = { 0 };

	text_skip(&t, "bytes ");
	r.first = text_number(&t);
	text_skip(&t, "-");
	r.last = text_number(&t);
	text_skip(&t, "/");
	r.total = text_number(&t);
	if (t.is_bad || t.left > 0 || r.last < r.first || r.total <= r.last)
		return HF_ERR_FORMAT;
	*out = r;
	return HF_OK;
}

void hf_range_emit(char text[HF_RANGE_TEXT], const struct hf_range *r)
{
	(void)snprintf(text, HF_RANGE_TEXT, "bytes=%" PRIu64 "-%" PRIu64, r->first, r->last);
}

void hf_range_answer_emit(char text[HF_RANGE_TEXT], const struct hf_range *r)
{
	(void)snprintf(text, HF_RANGE_TEXT, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, r->first,
		r->last, r->total);
}
