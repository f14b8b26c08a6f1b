/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The common form of what is signed: SEQUENCE { UTF8String kind, INTEGER version, fields ... }, and
 * the fields that return in many of them. For the files of this folder.
 */
#ifndef HF_PKG_STATEMENT_H
#define HF_PKG_STATEMENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/wr.h"
#include "codec/der.h"
#include "pkg/object.h"
#include "policy/policy.h"

enum {
	HF_STATEMENT_VERSION = 1,
	HF_STATEMENT_ROOM = 1024, /* enough for all fields of a statement that are not lists */
};

/* A statement that is being written at the end of a buffer. */
struct hf_statement {
	struct hf_buf *out;
	size_t start; /* length of out before */
	struct hf_writer w;
	size_t mark;
};

/* Begins one that takes at most room bytes. On failure out is unchanged. */
HF_MUST_USE hf_err hf_statement_begin(
	struct hf_statement *s, struct hf_buf *out, enum hf_object kind, size_t room);

/* Ends it. HF_ERR_LIMIT: it did not fit; out is as it was before. */
HF_MUST_USE hf_err hf_statement_end(struct hf_statement *s);

/* A reader over the fields behind kind and version. */
struct hf_der hf_statement_enter(struct hf_der *d, enum hf_object kind);

/* One list element at the end of a buffer: SEQUENCE { ... } of at most room bytes. */
HF_MUST_USE hf_err hf_element_begin(struct hf_statement *s, struct hf_buf *out, size_t room);

/*
 * The next element of a list; the caller reads its fields from *inner and ends with
 * hf_element_left(). HF_ERR_NOT_FOUND: the list is at its end.
 */
HF_MUST_USE hf_err hf_element_take(
	struct hf_der *list, struct hf_der *inner, const struct hf_bytes *rest);
HF_MUST_USE hf_err hf_element_left(
	struct hf_der *list, const struct hf_der *inner, struct hf_bytes *rest);

/* Fields. The takers make the reader fail on a value that is out of its range. */
void hf_field_put_sm3(struct hf_writer *w, const uint8_t digest[HF_SM3_LEN]);
void hf_field_take_sm3(struct hf_der *d, uint8_t digest[HF_SM3_LEN]);
void hf_field_take_bytes(struct hf_der *d, uint8_t *out, size_t len); /* OCTET STRING, exactly */
void hf_field_take_id(struct hf_der *d, char id[HF_ID_MAX + 1]);
void hf_field_take_text(struct hf_der *d, char *text, size_t cap); /* may be empty */
void hf_field_take_level(struct hf_der *d, enum hf_level *level);
void hf_field_take_time(struct hf_der *d, uint64_t *time_s); /* GeneralizedTime */
uint64_t hf_field_take_max(struct hf_der *d, uint64_t max);  /* INTEGER 0 .. max */

/* OPTIONAL digest with context tag [n]. */
void hf_field_put_opt_sm3(
	struct hf_writer *w, unsigned n, bool has, const uint8_t digest[HF_SM3_LEN]);
void hf_field_take_opt_sm3(struct hf_der *d, unsigned n, bool *has, uint8_t digest[HF_SM3_LEN]);

/* SEQUENCE OF: ready elements. */
void hf_field_put_list(struct hf_writer *w, struct hf_bytes list);

/* Says in ei what the object is; returns e. */
hf_err hf_statement_fail(struct hf_errinfo *ei, enum hf_object kind, hf_err e);

#endif
