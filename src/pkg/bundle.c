/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bundles: POSIX ustar, written so that two bundles of the same objects are equal, read so that
 * nothing but objects gets in.
 *
 *	offset  0 name 100 | 100 mode 8 | 108 uid 8 | 116 gid 8 | 124 size 12 | 136 mtime 12
 *	148 checksum 8 | 156 type 1 | 157 link 100 | 257 magic 6 | 263 version 2 | 265 ...
 *	345 prefix 155
 */
#include "pkg/bundle.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"

enum {
	NAME_AT = 0,
	NAME_LEN = 100,
	MODE_AT = 100,
	UID_AT = 108,
	GID_AT = 116,
	SIZE_AT = 124,
	MTIME_AT = 136,
	SUM_AT = 148,
	SUM_LEN = 8,
	TYPE_AT = 156,
	MAGIC_AT = 257,
	PREFIX_AT = 345,
	PREFIX_LEN = 155,
	LONG_FIELD = 12,
	PAX_MAX = 4096, /* bytes of a pax header that is read */
};

#define SIZE_OCTAL_MAX UINT64_C(077777777777) /* 8 GiB - 1: 11 octal digits */

size_t hf_bundle_padding(uint64_t len)
{
	return (size_t)((HF_TAR_BLOCK_LEN - len % HF_TAR_BLOCK_LEN) % HF_TAR_BLOCK_LEN);
}

/* digits octal digits and a NUL. */
static void put_octal(uint8_t *p, unsigned digits, uint64_t v)
{
	for (unsigned i = digits; i > 0; i--, v >>= 3)
		p[i - 1] = (uint8_t)('0' + (v & 7));
	p[digits] = 0;
}

/* The sum of all bytes with the checksum field as blanks (POSIX 1003.1, ustar). */
static uint64_t checksum(const uint8_t block[HF_TAR_BLOCK_LEN])
{
	uint64_t sum = (uint64_t)SUM_LEN * ' ';

	for (size_t i = 0; i < HF_TAR_BLOCK_LEN; i++)
		if (i < SUM_AT || i >= SUM_AT + SUM_LEN)
			sum += block[i];
	return sum;
}

static void put_header(uint8_t block[HF_TAR_BLOCK_LEN], const char *name, char type, uint64_t size)
{
	memset(block, 0, HF_TAR_BLOCK_LEN);
	memcpy(block + NAME_AT, name, strlen(name));
	put_octal(block + MODE_AT, 7, 0644);
	put_octal(block + UID_AT, 7, 0);
	put_octal(block + GID_AT, 7, 0);
	put_octal(block + SIZE_AT, 11, size > SIZE_OCTAL_MAX ? SIZE_OCTAL_MAX : size);
	put_octal(block + MTIME_AT, 11, 0);
	block[TYPE_AT] = (uint8_t)type;
	memcpy(block + MAGIC_AT, "ustar\00000", 8);
	put_octal(block + SUM_AT, 6, checksum(block));
	block[SUM_AT + 7] = ' ';
}

void hf_bundle_start_emit(uint8_t out[HF_BUNDLE_START_LEN])
{
	put_header(out, HF_BUNDLE_MARK, '0', strlen(HF_BUNDLE_TEXT));
	memset(out + HF_TAR_BLOCK_LEN, 0, HF_TAR_BLOCK_LEN);
	memcpy(out + HF_TAR_BLOCK_LEN, HF_BUNDLE_TEXT, strlen(HF_BUNDLE_TEXT));
}

/* "31 size=8589934592\n": the length counts itself (POSIX 1003.1, pax). */
static size_t emit_pax(uint8_t out[2 * HF_TAR_BLOCK_LEN], uint64_t size)
{
	char record[64];
	int len = 0;
	int guess = 0;

	do {
		guess = len;
		len = snprintf(record, sizeof(record), "%d size=%" PRIu64 "\n", guess, size);
	} while (len != guess);
	put_header(out, "hufu-pax", 'x', (uint64_t)len);
	memset(out + HF_TAR_BLOCK_LEN, 0, HF_TAR_BLOCK_LEN);
	memcpy(out + HF_TAR_BLOCK_LEN, record, (size_t)len);
	return (size_t)2 * HF_TAR_BLOCK_LEN;
}

size_t hf_bundle_head_emit(uint8_t out[HF_BUNDLE_HEAD_MAX], enum hf_object kind,
	const uint8_t name[HF_SM3_LEN], uint64_t len)
{
	char path[HF_OBJECT_PATH_MAX];
	size_t n = 0;

	hf_object_path(path, kind, name);
	if (len > SIZE_OCTAL_MAX)
		n = emit_pax(out, len);
	put_header(out + n, path, '0', len);
	return n + HF_TAR_BLOCK_LEN;
}

void hf_bundle_init(struct hf_bundle *b, const struct hf_bundle_source *source)
{
	*b = (struct hf_bundle){ .source = *source };
}

/* What a header says. */
struct header {
	char name[NAME_LEN + 1];
	uint64_t size;
	char type;
	bool is_end;
};

/* Octal digits ended by NUL or blank; both may fill up. */
static hf_err take_octal(uint64_t *out, const uint8_t *p, size_t len)
{
	uint64_t v = 0;
	size_t i = 0;

	while (i < len && p[i] >= '0' && p[i] <= '7')
		v = v << 3 | (uint64_t)(p[i++] - '0');
	if (i == 0 || i == len)
		return HF_ERR_FORMAT;
	for (; i < len; i++)
		if (p[i] != 0 && p[i] != ' ')
			return HF_ERR_FORMAT;
	*out = v;
	return HF_OK;
}

static hf_err parse_header(struct header *h, const uint8_t block[HF_TAR_BLOCK_LEN])
{
	static const uint8_t zero[HF_TAR_BLOCK_LEN] = { 0 };
	uint64_t sum = 0;

	memset(h, 0, sizeof(*h));
	if (memcmp(block, zero, sizeof(zero)) == 0) {
		h->is_end = true;
		return HF_OK;
	}
	HF_TRY(take_octal(&sum, block + SUM_AT, SUM_LEN));
	if (sum != checksum(block) || memcmp(block + MAGIC_AT, "ustar\00000", 8) != 0)
		return HF_ERR_FORMAT;
	if (memcmp(block + PREFIX_AT, zero, PREFIX_LEN) != 0)
		return HF_ERR_FORMAT; /* for tar, the name would be another */
	HF_TRY(take_octal(&h->size, block + SIZE_AT, LONG_FIELD));
	memcpy(h->name, block + NAME_AT, NAME_LEN);
	h->type = (char)block[TYPE_AT];
	return HF_OK;
}

/* One record "<length> <key>=<value>\n" at p; gives its length, and the size if that is its key. */
static hf_err parse_record(const char *p, size_t left, size_t *len, uint64_t *size)
{
	static const char key[] = "size=";
	uint64_t v = 0;
	size_t n = 0;
	size_t at = 0;

	while (at < left && at < 5 && p[at] >= '0' && p[at] <= '9')
		n = n * 10 + (size_t)(p[at++] - '0');
	if (at == 0 || at == left || p[at] != ' ' || n > left || n < at + 3 || p[n - 1] != '\n')
		return HF_ERR_FORMAT;
	at++;
	*len = n;
	if (n - at < sizeof(key) || memcmp(p + at, key, sizeof(key) - 1) != 0)
		return HF_OK;
	for (at += sizeof(key) - 1; at < n - 1; at++) {
		if (p[at] < '0' || p[at] > '9')
			return HF_ERR_FORMAT;
		HF_TRY(hf_mul_u64(&v, v, 10));
		HF_TRY(hf_add_u64(&v, v, (uint64_t)(p[at] - '0')));
	}
	*size = v;
	return HF_OK;
}

static hf_err read_block(struct hf_bundle *b, uint8_t *out, size_t len)
{
	if (b->at > b->source.len || len > b->source.len - b->at)
		return HF_ERR_TRUNCATED;
	return b->source.read_at(b->source.ctx, out, len, b->at);
}

/* Moves behind len bytes that start at `at`, and their padding, which is of zeros. */
static hf_err skip(struct hf_bundle *b, uint64_t at, uint64_t len)
{
	static const uint8_t zero[HF_TAR_BLOCK_LEN] = { 0 };
	uint8_t padding[HF_TAR_BLOCK_LEN];
	size_t n = hf_bundle_padding(len);

	if (len > b->source.len || at > b->source.len - len)
		return HF_ERR_TRUNCATED;
	b->at = at + len;
	HF_TRY(read_block(b, padding, n));
	if (memcmp(padding, zero, n) != 0)
		return HF_ERR_FORMAT;
	b->at += n;
	return HF_OK;
}

/* A pax header: only the size counts, the rest (times, owners) says nothing about objects. */
static hf_err read_pax(struct hf_bundle *b, uint64_t len, uint64_t *size)
{
	char text[PAX_MAX];
	size_t at = 0;

	if (len > sizeof(text))
		return HF_ERR_LIMIT;
	HF_TRY(read_block(b, (uint8_t *)text, (size_t)len));
	while (at < len) {
		size_t n = 0;

		HF_TRY(parse_record(text + at, (size_t)len - at, &n, size));
		at += n;
	}
	return skip(b, b->at, len);
}

/* The next header that is not a pax one; b->at is behind it, that is at the member's bytes. */
static hf_err next_header(struct hf_bundle *b, struct header *h)
{
	uint8_t block[HF_TAR_BLOCK_LEN];
	uint64_t size = UINT64_MAX;

	HF_TRY(read_block(b, block, sizeof(block)));
	HF_TRY(parse_header(h, block));
	b->at += HF_TAR_BLOCK_LEN;
	if (h->type == 'x') {
		HF_TRY(read_pax(b, h->size, &size));
		HF_TRY(read_block(b, block, sizeof(block)));
		HF_TRY(parse_header(h, block));
		b->at += HF_TAR_BLOCK_LEN;
		if (h->is_end || h->type == 'x')
			return HF_ERR_FORMAT;
		if (size != UINT64_MAX)
			h->size = size;
	}
	if (h->is_end) {
		HF_TRY(read_block(b, block, sizeof(block)));
		HF_TRY(parse_header(h, block));
		/* Two blocks of zeros, and nothing behind them. */
		return h->is_end && b->source.len - b->at == HF_TAR_BLOCK_LEN ? HF_ERR_NOT_FOUND
									      : HF_ERR_FORMAT;
	}
	return h->type == '0' ? HF_OK : HF_ERR_FORMAT;
}

static hf_err read_mark(struct hf_bundle *b)
{
	char text[sizeof(HF_BUNDLE_TEXT)] = "";
	struct header h;
	hf_err e = next_header(b, &h);

	if (e == HF_ERR_NOT_FOUND)
		return HF_ERR_FORMAT;
	HF_TRY(e);
	if (strcmp(h.name, HF_BUNDLE_MARK) != 0 || h.size != strlen(HF_BUNDLE_TEXT))
		return HF_ERR_FORMAT;
	HF_TRY(read_block(b, (uint8_t *)text, (size_t)h.size));
	if (memcmp(text, HF_BUNDLE_TEXT, (size_t)h.size) != 0)
		return HF_ERR_UNSUPPORTED;
	return skip(b, b->at, h.size);
}

static hf_err next_member(struct hf_bundle *b, struct hf_bundle_member *out)
{
	struct hf_bundle_member m = { 0 };
	struct header h;

	if (!b->is_begun)
		HF_TRY(read_mark(b));
	b->is_begun = true;
	HF_TRY(next_header(b, &h));
	HF_TRY(hf_object_path_parse(&m.kind, m.name, h.name, strlen(h.name)));
	if (h.size > hf_object_max(m.kind))
		return HF_ERR_LIMIT;
	m.offset = b->at;
	m.len = h.size;
	HF_TRY(skip(b, b->at, h.size));
	*out = m;
	return HF_OK;
}

hf_err hf_bundle_next(struct hf_bundle *b, struct hf_bundle_member *out, struct hf_errinfo *ei)
{
	struct hf_bundle at = *b;
	hf_err e = next_member(&at, out);

	if (e == HF_OK) {
		*b = at;
		return HF_OK;
	}
	if (e == HF_ERR_NOT_FOUND)
		return e;
	return hf_fail(ei, e, "bundle: %s (at byte %" PRIu64 ")", hf_err_text(e), b->at);
}
