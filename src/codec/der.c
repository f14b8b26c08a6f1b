/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strict DER. Invariants of the reader: p .. p + left lies inside the input it was opened over;
 * once err is set nothing is taken any more. Writer: a mark is the offset of the first content
 * byte, and one length byte stands before it until close knows how many it takes.
 */
#include "codec/der.h"

#include <string.h>

#include "codec/utf8.h"

/* Time: the longest form is GeneralizedTime, YYYYMMDDHHMMSSZ. */
enum { UTC_TIME_LEN = 13, GTIME_LEN = 15, DAY_S = 86400 };

#define YEAR_2050_S  UINT64_C(2524608000)
#define YEAR_10000_S UINT64_C(253402300800)

void hf_der_fail(struct hf_der *d, hf_err e)
{
	if (d->err == HF_OK)
		d->err = e;
}

static uint8_t take_byte(struct hf_der *d)
{
	if (d->left == 0) {
		hf_der_fail(d, HF_ERR_TRUNCATED);
		return 0;
	}
	d->left--;
	return *d->p++;
}

/* X.690 10.1: definite form in the fewest bytes. Four bytes of length are enough for us. */
static size_t take_length(struct hf_der *d)
{
	uint8_t first = take_byte(d);
	unsigned n = first & 0x7f;
	size_t len = 0;

	if (first < 0x80)
		return first;
	if (n == 0 || n > 4) {
		hf_der_fail(d, HF_ERR_FORMAT);
		return 0;
	}
	for (unsigned i = 0; i < n; i++)
		len = len << 8 | take_byte(d);
	if (d->err == HF_OK && (len < 0x80 || len >> (8 * (n - 1)) == 0))
		hf_der_fail(d, HF_ERR_FORMAT);
	return len;
}

struct hf_bytes hf_der_any(struct hf_der *d, uint8_t *tag)
{
	struct hf_bytes content = { 0 };
	size_t len;

	*tag = 0;
	if (d->err != HF_OK)
		return content;
	*tag = take_byte(d);
	if ((*tag & 0x1f) == 0x1f) /* tag numbers from 31 on: nothing we read has them */
		hf_der_fail(d, HF_ERR_FORMAT);
	len = take_length(d);
	if (d->err == HF_OK && len > d->left)
		hf_der_fail(d, HF_ERR_TRUNCATED);
	if (d->err != HF_OK) {
		*tag = 0;
		return content;
	}
	content = (struct hf_bytes){ d->p, len };
	d->p += len;
	d->left -= len;
	return content;
}

bool hf_der_more(const struct hf_der *d)
{
	return d->err == HF_OK && d->left > 0;
}

bool hf_der_is(const struct hf_der *d, uint8_t tag)
{
	return hf_der_more(d) && d->p[0] == tag;
}

struct hf_bytes hf_der_take(struct hf_der *d, uint8_t tag)
{
	uint8_t found = 0;

	if (hf_der_more(d) && d->p[0] != tag)
		hf_der_fail(d, HF_ERR_FORMAT);
	return hf_der_any(d, &found);
}

struct hf_bytes hf_der_raw(struct hf_der *d)
{
	const uint8_t *start = d->p;
	uint8_t tag = 0;
	struct hf_bytes content = hf_der_any(d, &tag);

	if (d->err != HF_OK)
		return content;
	return (struct hf_bytes){ start, (size_t)(d->p - start) };
}

struct hf_der hf_der_enter(struct hf_der *d, uint8_t tag)
{
	struct hf_bytes content = hf_der_take(d, tag);

	return (struct hf_der){ content.p, content.len, d->err };
}

void hf_der_leave(struct hf_der *outer, const struct hf_der *inner)
{
	hf_der_fail(outer, hf_der_done(inner));
}

hf_err hf_der_done(const struct hf_der *d)
{
	if (d->err != HF_OK)
		return d->err;
	return d->left == 0 ? HF_OK : HF_ERR_FORMAT;
}

struct hf_bytes hf_der_uint(struct hf_der *d, size_t max)
{
	struct hf_bytes v = hf_der_take(d, HF_DER_INTEGER);
	bool is_padded = v.len > 1 && v.p[0] == 0;

	if (d->err != HF_OK)
		return v;
	/* X.690 8.3.2: no empty content, no needless leading byte; and nothing negative here. */
	if (v.len == 0 || (v.p[0] & 0x80) != 0 || (is_padded && (v.p[1] & 0x80) == 0)) {
		hf_der_fail(d, HF_ERR_FORMAT);
		return (struct hf_bytes){ 0 };
	}
	if (v.p[0] == 0) {
		v.p++;
		v.len--;
	}
	if (v.len > max) {
		hf_der_fail(d, HF_ERR_FORMAT);
		return (struct hf_bytes){ 0 };
	}
	return v;
}

uint64_t hf_der_u64(struct hf_der *d)
{
	struct hf_bytes v = hf_der_uint(d, 8);
	uint64_t n = 0;

	for (size_t i = 0; i < v.len; i++)
		n = n << 8 | v.p[i];
	return n;
}

bool hf_der_bool(struct hf_der *d)
{
	struct hf_bytes v = hf_der_take(d, HF_DER_BOOLEAN);

	/* X.690 11.1: TRUE is all ones. */
	if (d->err == HF_OK && (v.len != 1 || (v.p[0] != 0 && v.p[0] != 0xff)))
		hf_der_fail(d, HF_ERR_FORMAT);
	return d->err == HF_OK && v.p[0] != 0;
}

void hf_der_null(struct hf_der *d)
{
	if (hf_der_take(d, HF_DER_NULL).len != 0)
		hf_der_fail(d, HF_ERR_FORMAT);
}

struct hf_bytes hf_der_oid(struct hf_der *d)
{
	struct hf_bytes v = hf_der_take(d, HF_DER_OID);
	bool starts = true;

	if (d->err != HF_OK)
		return v;
	/* X.690 8.19.2: each arc in the fewest bytes, the last one complete. */
	for (size_t i = 0; i < v.len; i++) {
		if (starts && v.p[i] == 0x80)
			hf_der_fail(d, HF_ERR_FORMAT);
		starts = (v.p[i] & 0x80) == 0;
	}
	if (v.len == 0 || !starts)
		hf_der_fail(d, HF_ERR_FORMAT);
	return d->err == HF_OK ? v : (struct hf_bytes){ 0 };
}

struct hf_bytes hf_der_bits(struct hf_der *d)
{
	struct hf_bytes v = hf_der_take(d, HF_DER_BITS);

	if (d->err == HF_OK && (v.len == 0 || v.p[0] != 0))
		hf_der_fail(d, HF_ERR_FORMAT);
	if (d->err != HF_OK)
		return (struct hf_bytes){ 0 };
	return (struct hf_bytes){ v.p + 1, v.len - 1 };
}

uint32_t hf_der_named_bits(struct hf_der *d)
{
	struct hf_bytes v = hf_der_take(d, HF_DER_BITS);
	uint32_t bits = 0;
	unsigned unused;

	if (d->err != HF_OK)
		return 0;
	unused = v.len > 0 ? v.p[0] : 8;
	/* X.690 11.2.2: trailing zero bits are dropped, so the last bit that is there is a one. */
	if (unused > 7 || v.len > 5 || (v.len == 1 && unused != 0) ||
		(v.len > 1 && (v.p[v.len - 1] & ((2u << unused) - 1)) != 1u << unused)) {
		hf_der_fail(d, HF_ERR_FORMAT);
		return 0;
	}
	for (size_t i = 0; i < 8 * (v.len - 1); i++)
		bits |= (uint32_t)(v.p[1 + i / 8] >> (7 - i % 8) & 1) << i;
	return bits;
}

struct hf_bytes hf_der_octets(struct hf_der *d)
{
	return hf_der_take(d, HF_DER_OCTETS);
}

struct hf_bytes hf_der_utf8(struct hf_der *d)
{
	struct hf_bytes v = hf_der_take(d, HF_DER_UTF8);

	if (d->err == HF_OK &&
		(!hf_utf8_is_valid(v.p, v.len) || (v.len > 0 && memchr(v.p, 0, v.len) != NULL)))
		hf_der_fail(d, HF_ERR_FORMAT);
	return d->err == HF_OK ? v : (struct hf_bytes){ 0 };
}

static bool is_leap(unsigned year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned month_days(unsigned year, unsigned month)
{
	static const uint8_t days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year) ? 1u : 0u);
}

/* Days from 1970-01-01 to the first day of a year from 1970 on. */
static uint64_t year_days(unsigned year)
{
	unsigned y = year - 1;

	return 365u * (uint64_t)(year - 1970) + (y / 4 - y / 100 + y / 400) -
	       (1969 / 4 - 1969 / 100 + 1969 / 400);
}

static unsigned two_digits(const uint8_t *p)
{
	return (p[0] - '0') * 10u + (p[1] - '0');
}

/* Digits of YYYYMMDDHHMMSS, all known to be digits. False: no such moment, or before 1970. */
static bool time_of_digits(uint64_t *out, const uint8_t p[14])
{
	unsigned year = two_digits(p) * 100 + two_digits(p + 2);
	unsigned month = two_digits(p + 4);
	unsigned day = two_digits(p + 6);
	unsigned hour = two_digits(p + 8);
	unsigned minute = two_digits(p + 10);
	unsigned second = two_digits(p + 12);
	uint64_t days;

	if (year < 1970 || month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59)
		return false;
	if (day < 1 || day > month_days(year, month))
		return false;
	days = year_days(year) + day - 1;
	for (unsigned m = 1; m < month; m++)
		days += month_days(year, m);
	*out = days * DAY_S + hour * 3600u + minute * 60u + second;
	return true;
}

uint64_t hf_der_time(struct hf_der *d)
{
	bool is_utc = hf_der_is(d, HF_DER_UTC_TIME);
	struct hf_bytes v = hf_der_take(d, is_utc ? HF_DER_UTC_TIME : HF_DER_TIME);
	size_t len = is_utc ? UTC_TIME_LEN : GTIME_LEN;
	uint8_t digits[14] = { '1', '9' };
	uint64_t t = 0;

	if (d->err != HF_OK)
		return 0;
	if (v.len != len || v.p[len - 1] != 'Z') {
		hf_der_fail(d, HF_ERR_FORMAT);
		return 0;
	}
	for (size_t i = 0; i < len - 1; i++) {
		if (v.p[i] < '0' || v.p[i] > '9') {
			hf_der_fail(d, HF_ERR_FORMAT);
			return 0;
		}
	}
	/* RFC 5280 4.1.2.5.1: two-digit years 50..99 are 19xx, 00..49 are 20xx. */
	if (is_utc && v.p[0] < '5') {
		digits[0] = '2';
		digits[1] = '0';
	}
	memcpy(digits + (is_utc ? 2 : 0), v.p, len - 1);
	if (!time_of_digits(&t, digits))
		hf_der_fail(d, HF_ERR_FORMAT);
	return t;
}

size_t hf_der_open(struct hf_writer *w, uint8_t tag)
{
	hf_wr_u8(w, tag);
	hf_wr_u8(w, 0);
	return w->len;
}

void hf_der_close(struct hf_writer *w, size_t mark)
{
	size_t n = w->len - mark;
	unsigned extra = 0;

	if (w->is_over)
		return;
	if (n < 0x80) {
		w->p[mark - 1] = (uint8_t)n;
		return;
	}
	for (size_t v = n; v > 0; v >>= 8)
		extra++;
	if (extra > 4) {
		w->is_over = true;
		return;
	}
	if (hf_wr_room(w, extra) == NULL)
		return;
	memmove(w->p + mark + extra, w->p + mark, n);
	w->p[mark - 1] = (uint8_t)(0x80 | extra);
	for (unsigned i = 0; i < extra; i++)
		w->p[mark + i] = (uint8_t)(n >> (8 * (extra - 1 - i)));
}

static void reverse(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len / 2; i++) {
		uint8_t t = p[i];

		p[i] = p[len - 1 - i];
		p[len - 1 - i] = t;
	}
}

/* Brings the len bytes at p + before to p and moves the before bytes behind them. */
static void move_to_front(uint8_t *p, size_t before, size_t len)
{
	reverse(p, before);
	reverse(p + before, len);
	reverse(p, before + len);
}

/* X.690 11.6 order; no encoding is the start of another, so the shorter length decides nothing. */
static bool is_before(struct hf_bytes a, struct hf_bytes b)
{
	return memcmp(a.p, b.p, a.len < b.len ? a.len : b.len) < 0;
}

void hf_der_close_set_of(struct hf_writer *w, size_t mark)
{
	if (w->is_over)
		return;
	/* Selection sort in place: sets are short, and there is no memory to ask for. */
	for (size_t at = mark; at < w->len;) {
		struct hf_der d = hf_der_over(w->p + at, w->len - at);
		struct hf_bytes least = hf_der_raw(&d);

		while (hf_der_more(&d)) {
			struct hf_bytes next = hf_der_raw(&d);

			if (d.err == HF_OK && is_before(next, least))
				least = next;
		}
		if (d.err != HF_OK) { /* what was put is no DER: the caller broke the contract */
			w->is_over = true;
			return;
		}
		move_to_front(w->p + at, (size_t)(least.p - (w->p + at)), least.len);
		at += least.len;
	}
	hf_der_close(w, mark);
}

void hf_der_put(struct hf_writer *w, uint8_t tag, const void *content, size_t len)
{
	size_t mark = hf_der_open(w, tag);

	hf_wr_put(w, content, len);
	hf_der_close(w, mark);
}

void hf_der_put_raw(struct hf_writer *w, struct hf_bytes der)
{
	hf_wr_put(w, der.p, der.len);
}

void hf_der_put_uint(struct hf_writer *w, const uint8_t *be, size_t len)
{
	size_t mark = hf_der_open(w, HF_DER_INTEGER);

	while (len > 0 && be[0] == 0) {
		be++;
		len--;
	}
	if (len == 0 || (be[0] & 0x80) != 0)
		hf_wr_u8(w, 0);
	hf_wr_put(w, be, len);
	hf_der_close(w, mark);
}

void hf_der_put_u64(struct hf_writer *w, uint64_t v)
{
	uint8_t be[8];

	for (int i = 0; i < 8; i++)
		be[i] = (uint8_t)(v >> (56 - 8 * i));
	hf_der_put_uint(w, be, sizeof(be));
}

void hf_der_put_bool(struct hf_writer *w, bool v)
{
	uint8_t b = v ? 0xff : 0;

	hf_der_put(w, HF_DER_BOOLEAN, &b, 1);
}

void hf_der_put_null(struct hf_writer *w)
{
	hf_der_put(w, HF_DER_NULL, NULL, 0);
}

void hf_der_put_oid(struct hf_writer *w, struct hf_bytes content)
{
	hf_der_put(w, HF_DER_OID, content.p, content.len);
}

void hf_der_put_bits(struct hf_writer *w, const void *bytes, size_t len)
{
	size_t mark = hf_der_open(w, HF_DER_BITS);

	hf_wr_u8(w, 0);
	hf_wr_put(w, bytes, len);
	hf_der_close(w, mark);
}

void hf_der_put_named_bits(struct hf_writer *w, uint32_t bits)
{
	uint8_t content[5] = { 0 };
	unsigned n = 0;

	for (unsigned i = 0; i < 32; i++) {
		if ((bits >> i & 1) == 0)
			continue;
		content[1 + i / 8] |= (uint8_t)(0x80 >> i % 8);
		n = i + 1;
	}
	content[0] = (uint8_t)((8 - n % 8) % 8);
	hf_der_put(w, HF_DER_BITS, content, 1 + (n + 7) / 8);
}

void hf_der_put_octets(struct hf_writer *w, const void *bytes, size_t len)
{
	hf_der_put(w, HF_DER_OCTETS, bytes, len);
}

void hf_der_put_utf8(struct hf_writer *w, const char *s)
{
	hf_der_put(w, HF_DER_UTF8, s, strlen(s));
}

static void put_two_digits(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)('0' + v / 10);
	p[1] = (uint8_t)('0' + v % 10);
}

static void digits_of_time(uint8_t p[14], uint64_t t_s)
{
	uint64_t days = t_s / DAY_S;
	unsigned second = (unsigned)(t_s % DAY_S);
	unsigned year = 1970 + (unsigned)(days / 366);
	unsigned month = 1;

	while (year_days(year + 1) <= days)
		year++;
	days -= year_days(year);
	while (days >= month_days(year, month))
		days -= month_days(year, month++);
	put_two_digits(p, year / 100);
	put_two_digits(p + 2, year % 100);
	put_two_digits(p + 4, month);
	put_two_digits(p + 6, (unsigned)days + 1);
	put_two_digits(p + 8, second / 3600);
	put_two_digits(p + 10, second / 60 % 60);
	put_two_digits(p + 12, second % 60);
}

void hf_der_put_gtime(struct hf_writer *w, uint64_t t_s)
{
	uint8_t text[GTIME_LEN];

	if (t_s >= YEAR_10000_S) {
		w->is_over = true;
		return;
	}
	digits_of_time(text, t_s);
	text[GTIME_LEN - 1] = 'Z';
	hf_der_put(w, HF_DER_TIME, text, sizeof(text));
}

void hf_der_put_time(struct hf_writer *w, uint64_t t_s)
{
	uint8_t text[GTIME_LEN];

	if (t_s >= YEAR_2050_S) {
		hf_der_put_gtime(w, t_s);
		return;
	}
	digits_of_time(text, t_s);
	text[GTIME_LEN - 1] = 'Z';
	hf_der_put(w, HF_DER_UTC_TIME, text + 2, UTC_TIME_LEN);
}
