/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON (RFC 8259), read token by token, without allocation. Depth is bounded, UTF-8 is strict, lone
 * surrogates are refused. Not guaranteed: that keys of an object differ; the caller who cares keeps
 * a "seen" mark per key.
 *
 *	{ "a": [1] }  gives  OBJECT KEY(a) ARRAY NUMBER(1) ARRAY_END OBJECT_END END
 */
#ifndef HF_CODEC_JSON_H
#define HF_CODEC_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

enum { HF_JSON_DEPTH_MAX = 64 }; /* most that init may ask for */

enum hf_json_kind {
	HF_JSON_END, /* after the one top-level value, and only white space behind it */
	HF_JSON_OBJECT,
	HF_JSON_OBJECT_END,
	HF_JSON_ARRAY,
	HF_JSON_ARRAY_END,
	HF_JSON_KEY,
	HF_JSON_STRING,
	HF_JSON_NUMBER,
	HF_JSON_TRUE,
	HF_JSON_FALSE,
	HF_JSON_NULL,
};

struct hf_json_token {
	enum hf_json_kind kind;
	struct hf_bytes
		text; /* KEY, STRING: between the quotes, still escaped; NUMBER: as written */
	size_t at;    /* offset of the token in the input, for messages */
};

struct hf_json {
	const uint8_t *p; /* input; borrowed */
	size_t len;
	size_t at; /* offset of the next byte */
	unsigned depth;
	unsigned depth_max;
	uint64_t is_object; /* bit d: the container at depth d + 1 is an object */
	int state;
	hf_err err; /* sticky */
};

/* depth_max: containers inside each other, 1 .. HF_JSON_DEPTH_MAX. */
void hf_json_init(struct hf_json *j, const void *in, size_t len, unsigned depth_max);

/*
 * The next token. HF_ERR_FORMAT, HF_ERR_TRUNCATED: no JSON (j->at says where). HF_ERR_LIMIT: too
 * deep. Every later call gives the same failure; on failure *t is unchanged.
 */
HF_MUST_USE hf_err hf_json_next(struct hf_json *j, struct hf_json_token *t);

/* As hf_json_next; HF_ERR_FORMAT also if the token is of another kind. */
HF_MUST_USE hf_err hf_json_want(struct hf_json *j, struct hf_json_token *t, enum hf_json_kind kind);

/* Skips the rest of the value that began with t: to its end if it is a container, else nothing. */
HF_MUST_USE hf_err hf_json_skip(struct hf_json *j, const struct hf_json_token *t);

/* A KEY or STRING equals s once its escapes are resolved. */
bool hf_json_is(const struct hf_json_token *t, const char *s);

/*
 * A KEY or STRING with its escapes resolved and a terminator, cap bytes in all. *len (may be NULL)
 * counts without terminator. HF_ERR_LIMIT: does not fit. HF_ERR_FORMAT: no string, or it holds
 * U+0000. On failure out is empty.
 */
HF_MUST_USE hf_err hf_json_text(char *out, size_t cap, size_t *len, const struct hf_json_token *t);

/* A NUMBER without fraction and exponent. HF_ERR_FORMAT: another token. HF_ERR_LIMIT: range. */
HF_MUST_USE hf_err hf_json_u64(uint64_t *out, const struct hf_json_token *t);
HF_MUST_USE hf_err hf_json_i64(int64_t *out, const struct hf_json_token *t);

#endif
