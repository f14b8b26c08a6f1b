/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Block n of the file is in one of the slots of set n mod HF_WINDOW_SETS, or nowhere; the ways of a
 * set take turns. A reader that looks at as many places at a time as there are ways keeps them all.
 */
#include <string.h>

#include "base/endian.h"
#include "model/formats.h"

/*
 * Loads that a file may cost: each block eight times, and some for small files. Files of honest
 * writers need two or three; what needs more has been made to keep its reader busy.
 */
enum { LOADS_PER_BLOCK = 8, LOADS_FREE = 1 << 14 };

hf_err hf_window_init(
	struct hf_window *w, const struct hf_model_source *src, const struct hf_mem *mem)
{
	*w = (struct hf_window){ .src = src, .mem = mem };
	w->loads_left = src->file_len / HF_WINDOW_BLOCK * LOADS_PER_BLOCK + LOADS_FREE;
	w->room = hf_mem_room(mem, (size_t)HF_WINDOW_BLOCK * HF_WINDOW_SLOTS);
	return w->room == NULL ? HF_ERR_NO_MEMORY : HF_OK;
}

void hf_window_clear(struct hf_window *w)
{
	if (w->src != NULL)
		hf_mem_free(w->mem, w->room);
	*w = (struct hf_window){ .src = NULL };
}

/* The block with this number; NULL after a failure. */
static const uint8_t *block(struct hf_window *w, uint64_t number)
{
	size_t set = (size_t)(number % HF_WINDOW_SETS);
	size_t slot = set * HF_WINDOW_WAYS;
	uint64_t start = number * HF_WINDOW_BLOCK;
	uint64_t left = w->src->file_len - start;
	uint8_t *room;

	for (size_t way = 0; way < HF_WINDOW_WAYS; way++)
		if (w->tag[slot + way] == number + 1)
			return w->room + (slot + way) * HF_WINDOW_BLOCK;
	slot += w->next[set];
	room = w->room + slot * HF_WINDOW_BLOCK;
	if (w->loads_left == 0) {
		w->e = HF_ERR_LIMIT;
		return NULL;
	}
	w->loads_left--;
	w->next[set] = (uint8_t)((w->next[set] + 1) % HF_WINDOW_WAYS);
	w->tag[slot] = 0;
	w->e = w->src->read(
		w->src->ctx, room, left < HF_WINDOW_BLOCK ? (size_t)left : HF_WINDOW_BLOCK, start);
	if (w->e != HF_OK)
		return NULL;
	w->tag[slot] = number + 1;
	return room;
}

bool hf_window_get(struct hf_window *w, void *out, size_t len, uint64_t at)
{
	uint8_t *to = out;
	size_t done = 0;

	if (w->e == HF_OK && (at > w->src->file_len || len > w->src->file_len - at))
		w->e = HF_ERR_TRUNCATED;
	while (w->e == HF_OK && done < len) {
		size_t skip = (size_t)((at + done) % HF_WINDOW_BLOCK);
		size_t n =
			len - done < HF_WINDOW_BLOCK - skip ? len - done : HF_WINDOW_BLOCK - skip;
		const uint8_t *from = block(w, (at + done) / HF_WINDOW_BLOCK);

		if (from != NULL)
			memcpy(to + done, from + skip, n);
		done += n;
	}
	if (w->e != HF_OK && len > 0)
		memset(out, 0, len);
	return w->e == HF_OK;
}

uint8_t hf_window_u8(struct hf_window *w, uint64_t at)
{
	uint8_t b = 0;

	(void)hf_window_get(w, &b, 1, at);
	return b;
}

uint16_t hf_window_le16(struct hf_window *w, uint64_t at)
{
	uint8_t b[2] = { 0 };

	(void)hf_window_get(w, b, sizeof(b), at);
	return (uint16_t)(b[0] | b[1] << 8);
}

uint32_t hf_window_le32(struct hf_window *w, uint64_t at)
{
	uint8_t b[4] = { 0 };

	(void)hf_window_get(w, b, sizeof(b), at);
	return hf_get_le32(b);
}

uint64_t hf_window_le64(struct hf_window *w, uint64_t at)
{
	uint8_t b[8] = { 0 };

	(void)hf_window_get(w, b, sizeof(b), at);
	return hf_get_le64(b);
}
