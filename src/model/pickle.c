/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pickles are programs for Python's loader; nothing in them is followed here. They are known by
 * their first bytes: opcode PROTO with 2 to 5 and an opcode that writers put next, or a zip file
 * whose first member is called data.pkl.
 */
#include <string.h>

#include "base/endian.h"
#include "model/formats.h"

enum { ZIP_HEAD_LEN = 30, ZIP_NAME_MAX = 512 };

static bool is_torch_zip(struct hf_window *w, const uint8_t head[ZIP_HEAD_LEN])
{
	static const char last[] = "data.pkl";
	char name[ZIP_NAME_MAX];
	size_t len = (size_t)(head[26] | head[27] << 8);
	size_t n = sizeof(last) - 1;

	if (memcmp(head, "PK\3\4", 4) != 0 || len > sizeof(name) || len < n ||
		len > w->src->file_len - ZIP_HEAD_LEN)
		return false;
	return hf_window_get(w, name, len, ZIP_HEAD_LEN) && memcmp(name + len - n, last, n) == 0 &&
	       (len == n || name[len - n - 1] == '/');
}

bool hf_pickle_is(struct hf_window *w)
{
	/* FRAME, LONG1, EMPTY_DICT, EMPTY_LIST, EMPTY_TUPLE, MARK, GLOBAL, strings */
	static const char next[] = "\x95\x8a}])(cXU\x8c";
	uint8_t head[ZIP_HEAD_LEN];

	if (w->src->file_len < 4 || !hf_window_get(w, head, 4, 0))
		return false;
	if (head[0] == 0x80 && head[1] >= 2 && head[1] <= 5)
		return head[2] != 0 && strchr(next, head[2]) != NULL;
	if (w->src->file_len < sizeof(head) || !hf_window_get(w, head, sizeof(head), 0))
		return false;
	return is_torch_zip(w, head);
}
