/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Canonical decomposition of the case-folded name (Unicode, "canonical caseless matching"). Marks
 * that follow each other are put in order of their numbers, which takes a few orders for equal that
 * are not: a name too many is refused, none is missed.
 */
#include "codec/fold.h"

#include <stdbool.h>

#include "base/attr.h"
#include "codec/fold_table.h"
#include "codec/utf8.h"

enum {
	HANGUL = 0xac00,
	HANGUL_END = 0xd7a4,
	LEAD = 0x1100, /* of the three parts of a syllable */
	VOWEL = 0x1161,
	TAIL = 0x11a7,
	N_TAILS = 28,
	N_BLOCK = 588, /* syllables with one lead */
	ROWS = HF_COUNT(fold_code),
};

struct key {
	uint32_t *p;
	size_t cap;
	size_t n;
};

static uint32_t decode(const uint8_t *p, size_t len)
{
	static const uint8_t first[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t code = p[0] & first[len];

	for (size_t i = 1; i < len; i++)
		code = code << 6 | (p[i] & 0x3f);
	return code;
}

static bool is_mark(uint32_t code)
{
	size_t low = 0;
	size_t high = HF_COUNT(fold_mark) / 2;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (code < fold_mark[2 * mid])
			high = mid;
		else if (code > fold_mark[2 * mid + 1])
			low = mid + 1;
		else
			return true;
	}
	return false;
}

static hf_err put(struct key *k, uint32_t code)
{
	size_t at = k->n;

	if (k->n == k->cap)
		return HF_ERR_LIMIT;
	while (at > 0 && is_mark(code) && is_mark(k->p[at - 1]) && k->p[at - 1] > code) {
		k->p[at] = k->p[at - 1];
		at--;
	}
	k->p[at] = code;
	k->n++;
	return HF_OK;
}

static hf_err put_hangul(struct key *k, uint32_t s)
{
	HF_TRY(put(k, LEAD + s / N_BLOCK));
	HF_TRY(put(k, VOWEL + s % N_BLOCK / N_TAILS));
	return s % N_TAILS == 0 ? HF_OK : put(k, TAIL + s % N_TAILS);
}

static hf_err put_folded(struct key *k, uint32_t code)
{
	size_t low = 0;
	size_t high = ROWS;

	if (code >= HANGUL && code < HANGUL_END)
		return put_hangul(k, code - HANGUL);
	while (low < high) {
		size_t mid = (low + high) / 2;

		if (fold_code[mid] < code)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == ROWS || fold_code[low] != code)
		return put(k, code);
	for (size_t i = fold_at[low]; i < fold_at[low + 1]; i++)
		HF_TRY(put(k, fold_to[i]));
	return HF_OK;
}

hf_err hf_fold(uint32_t *out, size_t cap, size_t *n, const uint8_t *name, size_t name_len)
{
	struct key k = { out, cap, 0 };
	size_t at = 0;

	while (at < name_len) {
		size_t len = hf_utf8_len(name + at, name_len - at);

		if (len == 0)
			return HF_ERR_FORMAT;
		HF_TRY(put_folded(&k, decode(name + at, len)));
		at += len;
	}
	*n = k.n;
	return HF_OK;
}
