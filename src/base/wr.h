/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bounded writer into the caller's storage. Put field after field; the writer remembers the first
 * overflow and writes nothing from then on; hf_wr_done() tells. Start it with
 * struct hf_writer w = { .p = out, .cap = sizeof(out) };
 */
#ifndef HF_BASE_WR_H
#define HF_BASE_WR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct hf_writer {
	uint8_t *p;   /* start of the storage; borrowed */
	size_t cap;   /* its size in bytes */
	size_t len;   /* bytes written so far */
	bool is_over; /* something did not fit */
};

void hf_wr_u8(struct hf_writer *w, uint8_t v);
void hf_wr_u16(struct hf_writer *w, uint16_t v);
void hf_wr_u24(struct hf_writer *w, uint32_t v);
void hf_wr_u32(struct hf_writer *w, uint32_t v);
void hf_wr_u64(struct hf_writer *w, uint64_t v);
void hf_wr_put(struct hf_writer *w, const void *bytes, size_t len);

/* The characters of s without its terminator. */
void hf_wr_str(struct hf_writer *w, const char *s);

/* Room for len bytes to be filled in by the caller; NULL if they do not fit. */
uint8_t *hf_wr_room(struct hf_writer *w, size_t len);

/*
 * Length prefixes: _open leaves room for a prefix of 1, 2 or 3 bytes and returns a mark; _close
 * fills it with the number of bytes written since. Too many for the prefix counts as overflow.
 */
size_t hf_wr_open(struct hf_writer *w, unsigned prefix_len);
void hf_wr_close(struct hf_writer *w, size_t mark, unsigned prefix_len);

/* HF_ERR_LIMIT: it did not fit. */
HF_MUST_USE hf_err hf_wr_done(const struct hf_writer *w);

#endif
