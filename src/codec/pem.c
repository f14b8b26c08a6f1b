/* SPDX-License-Identifier: Apache-2.0 */
/* PEM text. Lines end with LF or CRLF; the last one may end with the text. */
#include "codec/pem.h"

#include <stdbool.h>
#include <string.h>

#include "base/wipe.h"
#include "codec/base64.h"

enum { LINE_CHARS = 64, LINE_BYTES = 48 };

static const char begin_mark[] = "-----BEGIN ";
static const char end_mark[] = "-----END ";
static const char dashes[] = "-----";

/* Takes one line, without its end, off the text. */
static struct hf_bytes take_line(struct hf_bytes *text)
{
	const uint8_t *end = memchr(text->p, '\n', text->len);
	size_t len = end == NULL ? text->len : (size_t)(end - text->p);
	struct hf_bytes line = { text->p, len };

	text->p += len + (end != NULL);
	text->len -= len + (end != NULL);
	if (line.len > 0 && line.p[line.len - 1] == '\r')
		line.len--;
	return line;
}

static bool starts_with(struct hf_bytes line, const char *mark)
{
	return line.len >= strlen(mark) && memcmp(line.p, mark, strlen(mark)) == 0;
}

/* The label of a line mark || label || "-----"; false if the line is none. */
static bool label_of(char label[HF_PEM_LABEL_MAX + 1], struct hf_bytes line, const char *mark)
{
	size_t around = strlen(mark) + strlen(dashes);
	size_t len;

	if (!starts_with(line, mark) || line.len <= around || line.len - around > HF_PEM_LABEL_MAX)
		return false;
	len = line.len - around;
	if (memcmp(line.p + line.len - strlen(dashes), dashes, strlen(dashes)) != 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		uint8_t c = line.p[strlen(mark) + i];

		if (c < ' ' || c > '~' || c == '-')
			return false;
		label[i] = (char)c;
	}
	label[len] = '\0';
	return true;
}

hf_err hf_pem_next(struct hf_pem_block *b, struct hf_bytes *text)
{
	struct hf_bytes rest = *text;
	struct hf_pem_block found = { 0 };
	struct hf_bytes line = { 0 };
	char end_label[HF_PEM_LABEL_MAX + 1];

	do {
		if (rest.len == 0)
			return HF_ERR_NOT_FOUND;
		line = take_line(&rest);
	} while (!starts_with(line, begin_mark));
	if (!label_of(found.label, line, begin_mark))
		return HF_ERR_FORMAT;

	found.body.p = rest.p;
	do {
		if (rest.len == 0)
			return HF_ERR_TRUNCATED;
		found.body.len = (size_t)(rest.p - found.body.p);
		line = take_line(&rest);
	} while (!starts_with(line, dashes));
	if (!label_of(end_label, line, end_mark) || strcmp(end_label, found.label) != 0)
		return HF_ERR_FORMAT;

	*b = found;
	*text = rest;
	return HF_OK;
}

/* Fills line with up to 64 characters of the body, over line ends; returns how many. */
static size_t take_chars(char line[LINE_CHARS], struct hf_bytes *body)
{
	size_t n = 0;

	while (n < LINE_CHARS && body->len > 0) {
		uint8_t c = *body->p++;

		body->len--;
		if (c == '\n' || (c == '\r' && body->len > 0 && body->p[0] == '\n'))
			continue;
		line[n++] = (char)c;
	}
	return n;
}

hf_err hf_pem_decode(uint8_t *out, size_t cap, size_t *len, const struct hf_pem_block *b)
{
	struct hf_bytes body = b->body;
	char line[LINE_CHARS];
	bool is_last = false;
	hf_err e = HF_OK;
	size_t done = 0;

	for (;;) {
		size_t n_chars = take_chars(line, &body);
		size_t n = 0;

		if (n_chars == 0)
			break;
		e = is_last ? HF_ERR_FORMAT : HF_OK; /* padding can only be at the very end */
		if (e == HF_OK)
			e = hf_base64_parse(
				out + done, cap - done, &n, line, n_chars, HF_BASE64_STD);
		if (e != HF_OK)
			break;
		done += n;
		is_last = n < LINE_BYTES;
	}
	if (e == HF_OK && done == 0)
		e = HF_ERR_FORMAT;
	hf_wipe(line, sizeof(line));
	if (e != HF_OK) {
		hf_wipe(out, done);
		return e;
	}
	*len = done;
	return HF_OK;
}

hf_err hf_pem_parse(uint8_t *out, size_t cap, size_t *len, const char *label, struct hf_bytes text)
{
	struct hf_pem_block b;

	do {
		HF_TRY(hf_pem_next(&b, &text));
	} while (strcmp(b.label, label) != 0);
	return hf_pem_decode(out, cap, len, &b);
}

size_t hf_pem_len(const char *label, size_t len)
{
	size_t chars = HF_BASE64_LEN(len);

	return 2 * (strlen(label) + strlen(dashes) + 1) + strlen(begin_mark) + strlen(end_mark) +
	       chars + (chars + LINE_CHARS - 1) / LINE_CHARS;
}

void hf_pem_emit(struct hf_writer *w, const char *label, const uint8_t *in, size_t len)
{
	hf_wr_str(w, begin_mark);
	hf_wr_str(w, label);
	hf_wr_str(w, "-----\n");
	while (len > 0) {
		size_t n = len < LINE_BYTES ? len : LINE_BYTES;
		char line[LINE_CHARS];

		hf_wr_put(w, line, hf_base64_emit(line, in, n, HF_BASE64_STD));
		hf_wr_u8(w, '\n');
		hf_wipe(line, sizeof(line));
		in += n;
		len -= n;
	}
	hf_wr_str(w, end_mark);
	hf_wr_str(w, label);
	hf_wr_str(w, "-----\n");
}
