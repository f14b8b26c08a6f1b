/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pickles are programs for Python's loader; nothing in them is followed here. They are known by
 * their first bytes: opcode PROTO with 2 to 5 and an opcode that writers put next, or a zip file
 * with a member that is called data.pkl.
 */
#include <string.h>

#include "base/endian.h"
#include "model/formats.h"

enum {
	ZIP_HEAD_LEN = 30, /* before a member */
	ZIP_ROW_LEN = 46,  /* of the directory behind all members */
	ZIP_END_LEN = 22,
	ZIP_COMMENT_MAX = 65535,
	ZIP64_LOCATOR_LEN = 20,
	ZIP64_END_LEN = 56,
	ZIP_NAME_MAX = 512,
	ZIP_ROWS_MAX = 1 << 20,
};

static bool is_pickle_name(struct hf_window *w, uint64_t at, size_t len)
{
	static const char last[] = "data.pkl";
	char name[ZIP_NAME_MAX];
	size_t n = sizeof(last) - 1;

	if (len > sizeof(name) || len < n || at > w->src->file_len || len > w->src->file_len - at)
		return false;
	return hf_window_get(w, name, len, at) && memcmp(name + len - n, last, n) == 0 &&
	       (len == n || name[len - n - 1] == '/');
}

/* len bytes at `at` that begin with a mark. */
static bool get_marked(struct hf_window *w, uint8_t *out, size_t len, uint64_t at, const char *mark)
{
	return at <= w->src->file_len && len <= w->src->file_len - at &&
	       hf_window_get(w, out, len, at) && memcmp(out, mark, 4) == 0;
}

/* Where the directory begins; false: there is none. */
static bool find_directory(struct hf_window *w, uint64_t *out)
{
	uint64_t len = w->src->file_len;
	uint8_t b[ZIP64_END_LEN];

	for (uint64_t skip = ZIP_END_LEN; skip <= len && skip <= ZIP_END_LEN + ZIP_COMMENT_MAX;
		skip++) {
		if (hf_window_u8(w, len - skip) != 'P' ||
			!get_marked(w, b, ZIP_END_LEN, len - skip, "PK\5\6"))
			continue;
		*out = hf_get_le32(b + 16);
		if (*out == UINT32_MAX && len - skip >= ZIP64_LOCATOR_LEN &&
			get_marked(w, b, ZIP64_LOCATOR_LEN, len - skip - ZIP64_LOCATOR_LEN,
				"PK\6\7") &&
			get_marked(w, b, ZIP64_END_LEN, hf_get_le64(b + 8), "PK\6\6"))
			*out = hf_get_le64(b + 48);
		return true;
	}
	return false;
}

/* Loaders go by the directory, whatever stands first. */
static bool is_torch_zip(struct hf_window *w)
{
	uint8_t b[ZIP_ROW_LEN];
	uint64_t at = 0;

	if (!get_marked(w, b, ZIP_HEAD_LEN, 0, "PK\3\4"))
		return false;
	if (is_pickle_name(w, ZIP_HEAD_LEN, (size_t)(b[26] | b[27] << 8)))
		return true;
	if (!find_directory(w, &at))
		return false;
	for (unsigned i = 0; i < ZIP_ROWS_MAX && get_marked(w, b, ZIP_ROW_LEN, at, "PK\1\2"); i++) {
		size_t name_len = (size_t)(b[28] | b[29] << 8);

		if (is_pickle_name(w, at + ZIP_ROW_LEN, name_len))
			return true;
		at += ZIP_ROW_LEN + name_len + (size_t)(b[30] | b[31] << 8) +
		      (size_t)(b[32] | b[33] << 8);
	}
	return false;
}

bool hf_pickle_is(struct hf_window *w)
{
	/* FRAME, LONG1, EMPTY_DICT, EMPTY_LIST, EMPTY_TUPLE, MARK, GLOBAL, strings */
	static const char next[] = "\x95\x8a}])(cXU\x8c";
	uint8_t head[4];

	if (w->src->file_len < 4 || !hf_window_get(w, head, 4, 0))
		return false;
	if (head[0] == 0x80 && head[1] >= 2 && head[1] <= 5)
		return head[2] != 0 && strchr(next, head[2]) != NULL;
	return is_torch_zip(w);
}
