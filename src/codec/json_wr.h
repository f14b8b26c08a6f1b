/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes JSON into a struct hf_buf: commas, quotes and escapes by itself. Sticky: after the first
 * failure nothing is written, and hf_json_wr_done() tells. Bytes that are no UTF-8 become U+FFFD.
 *
 *	struct hf_json_wr j = hf_json_wr(&buf);
 *
 *	hf_json_wr_object(&j);
 *	hf_json_wr_key(&j, "size");
 *	hf_json_wr_u64(&j, size);
 *	hf_json_wr_end(&j);
 *	e = hf_json_wr_done(&j);
 */
#ifndef HF_CODEC_JSON_WR_H
#define HF_CODEC_JSON_WR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

struct hf_json_wr {
	struct hf_buf *out; /* borrowed */
	unsigned depth;     /* open containers, at most 64 */
	uint64_t is_object; /* bit d: the container at depth d + 1 is an object */
	bool has_before;    /* the open container already has a member */
	bool has_key;       /* a key was written, its value is due */
	hf_err err;
};

static inline struct hf_json_wr hf_json_wr(struct hf_buf *out)
{
	return (struct hf_json_wr){ .out = out };
}

void hf_json_wr_object(struct hf_json_wr *j);
void hf_json_wr_array(struct hf_json_wr *j);
void hf_json_wr_end(struct hf_json_wr *j); /* of the innermost object or array */
void hf_json_wr_key(struct hf_json_wr *j, const char *key);
void hf_json_wr_str(struct hf_json_wr *j, const char *s); /* NULL writes null */
void hf_json_wr_text(struct hf_json_wr *j, struct hf_bytes s);
void hf_json_wr_hex(struct hf_json_wr *j, const uint8_t *bytes, size_t len);
void hf_json_wr_u64(struct hf_json_wr *j, uint64_t v);
void hf_json_wr_i64(struct hf_json_wr *j, int64_t v);
void hf_json_wr_fixed(
	struct hf_json_wr *j, uint64_t v, unsigned decimals); /* v / 10^decimals, at most 18 */
void hf_json_wr_bool(struct hf_json_wr *j, bool v);
void hf_json_wr_null(struct hf_json_wr *j);

/* HF_OK if everything was written and every container is closed. HF_ERR_STATE: calls in no order.
 */
HF_MUST_USE hf_err hf_json_wr_done(const struct hf_json_wr *j);

#endif
