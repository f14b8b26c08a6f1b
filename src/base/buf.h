/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer with a maximum, born with it. It is wiped when it grows, is cleared or is
 * freed, so it may hold secrets for a short time.
 */
#ifndef HF_BASE_BUF_H
#define HF_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

struct hf_buf {
	uint8_t *p;               /* owned; NULL while empty */
	size_t len;               /* bytes in use */
	size_t cap;               /* bytes allocated */
	size_t max;               /* len never passes this */
	const struct hf_mem *mem; /* borrowed; must outlive the buffer */
};

/* An empty buffer that never holds more than max bytes. Nothing is allocated yet. */
void hf_buf_init(struct hf_buf *b, const struct hf_mem *mem, size_t max);

/* Wipes and frees. The buffer may be used again. Accepts { 0 }. */
void hf_buf_clear(struct hf_buf *b);

/* Keeps the memory, wipes the content, len becomes 0. */
void hf_buf_reset(struct hf_buf *b);

/*
 * Makes room for len more bytes and gives where they go; len of the buffer grows by it.
 * HF_ERR_LIMIT: more than max. HF_ERR_NO_MEMORY. On failure the buffer is unchanged.
 */
HF_MUST_USE hf_err hf_buf_room(struct hf_buf *b, uint8_t **room, size_t len);

/* Appends a copy of len bytes. Errors as hf_buf_room. */
HF_MUST_USE hf_err hf_buf_put(struct hf_buf *b, const void *bytes, size_t len);

/* Drops the first len bytes (all of them if there are fewer). */
void hf_buf_drop(struct hf_buf *b, size_t len);

#endif
