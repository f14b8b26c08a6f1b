/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bounded reader. Take field after field without checks in between; the reader remembers the first
 * shortage, gives zeros from then on, and hf_rd_done() refuses short and trailing input alike.
 */
#ifndef HF_BASE_RD_H
#define HF_BASE_RD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct hf_reader {
	const uint8_t *p; /* next byte; borrowed */
	size_t left;      /* bytes not yet taken */
	bool is_short;    /* something was asked for that was not there */
};

uint8_t hf_rd_u8(struct hf_reader *r);
uint16_t hf_rd_u16(struct hf_reader *r);
uint32_t hf_rd_u24(struct hf_reader *r);
uint32_t hf_rd_u32(struct hf_reader *r);
uint64_t hf_rd_u64(struct hf_reader *r);

/* The next len bytes, borrowed from the input; NULL if there are fewer (then nothing is taken). */
const uint8_t *hf_rd_take(struct hf_reader *r, size_t len);

/* Copies the next len bytes into out; zeros if there are fewer. */
void hf_rd_copy(struct hf_reader *r, uint8_t *out, size_t len);

/*
 * A reader over the next len bytes, which leave the outer one. If there are fewer, the inner one
 * is short from the start, and so is the outer one.
 */
struct hf_reader hf_rd_sub(struct hf_reader *r, size_t len);

/* HF_ERR_TRUNCATED: something was missing. HF_ERR_FORMAT: bytes are left over. */
HF_MUST_USE hf_err hf_rd_done(const struct hf_reader *r);

#endif
