/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DER (ITU-T X.690 10 and 11), strict and bounded. Reading: take field after field without checks
 *in between; the reader remembers the first failure, gives zeros and empty bytes from then on, and
 * hf_der_done() tells. Nesting is an explicit enter and leave, so depth is what the caller writes
 * down and never what the input asks for. Writing: into a struct hf_writer, open and close.
 *
 *	struct hf_der d = hf_der_over(in, in_len);
 *	struct hf_der seq = hf_der_enter(&d, HF_DER_SEQUENCE);
 *
 *	version = hf_der_u64(&seq);
 *	name = hf_der_take(&seq, HF_DER_UTF8);
 *	hf_der_leave(&d, &seq);
 *	HF_TRY(hf_der_done(&d));
 */
#ifndef HF_CODEC_DER_H
#define HF_CODEC_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/wr.h"

/* Tags: one byte each; multi-byte tag numbers are refused. */
enum {
	HF_DER_BOOLEAN = 0x01,
	HF_DER_INTEGER = 0x02,
	HF_DER_BITS = 0x03,
	HF_DER_OCTETS = 0x04,
	HF_DER_NULL = 0x05,
	HF_DER_OID = 0x06,
	HF_DER_ENUM = 0x0a,
	HF_DER_UTF8 = 0x0c,
	HF_DER_PRINTABLE = 0x13,
	HF_DER_TELETEX = 0x14,
	HF_DER_IA5 = 0x16,
	HF_DER_UTC_TIME = 0x17,
	HF_DER_TIME = 0x18, /* GeneralizedTime */
	HF_DER_BMP = 0x1e,
	HF_DER_SEQUENCE = 0x30,
	HF_DER_SET = 0x31,
};

/* Context-specific tag [n], primitive and constructed; n < 31. */
#define HF_DER_CTX(n)     (0x80 | (n))
#define HF_DER_CTX_SEQ(n) (0xa0 | (n))

struct hf_der {
	const uint8_t *p; /* next byte; borrowed */
	size_t left;      /* bytes not yet taken */
	hf_err err;       /* first failure: HF_ERR_TRUNCATED or HF_ERR_FORMAT */
};

static inline struct hf_der hf_der_over(const uint8_t *in, size_t len)
{
	return (struct hf_der){ in, len, HF_OK };
}

/* True while there are elements left and nothing has failed: the condition of a loop. */
bool hf_der_more(const struct hf_der *d);

/* True if the next element has this tag: the condition of an OPTIONAL field. */
bool hf_der_is(const struct hf_der *d, uint8_t tag);

/* A reader over the content of the next element, which must have this tag, and leaves the outer. */
struct hf_der hf_der_enter(struct hf_der *d, uint8_t tag);

/* Ends an inner reader: its failure becomes the outer one's; what it has left over is one. */
void hf_der_leave(struct hf_der *outer, const struct hf_der *inner);

/* Records a failure that the caller found in a value (the first one stays). */
void hf_der_fail(struct hf_der *d, hf_err e);

/* HF_OK if everything was there, well formed, and nothing is left over (HF_ERR_FORMAT). */
HF_MUST_USE hf_err hf_der_done(const struct hf_der *d);

/* Content of the next element, which must have this tag. */
struct hf_bytes hf_der_take(struct hf_der *d, uint8_t tag);

/* Tag and content of the next element, whatever it is. */
struct hf_bytes hf_der_any(struct hf_der *d, uint8_t *tag);

/* The next element with its tag and length bytes, whatever it is. */
struct hf_bytes hf_der_raw(struct hf_der *d);

/* INTEGER 0 .. 2^64 - 1. */
uint64_t hf_der_u64(struct hf_der *d);

/* Non-negative INTEGER of any length, without its leading zero; at most max bytes. */
struct hf_bytes hf_der_uint(struct hf_der *d, size_t max);

bool hf_der_bool(struct hf_der *d);
void hf_der_null(struct hf_der *d);

/* Content of an OBJECT IDENTIFIER, checked to be minimal. Compare it with hf_bytes_eq(). */
struct hf_bytes hf_der_oid(struct hf_der *d);

/* BIT STRING of whole bytes. */
struct hf_bytes hf_der_bits(struct hf_der *d);

/* Named bits (a BIT STRING without trailing zero bits): bit i of the result is bit i; at most 32.
 */
uint32_t hf_der_named_bits(struct hf_der *d);

struct hf_bytes hf_der_octets(struct hf_der *d);

/* UTF8String, checked to be strict UTF-8 without NUL. */
struct hf_bytes hf_der_utf8(struct hf_der *d);

/* UTCTime or GeneralizedTime of RFC 5280 4.1.2.5 ("Z", seconds, no fraction), in seconds since
 * 1970. */
uint64_t hf_der_time(struct hf_der *d);

/* Writing. Everything goes into the hf_writer; hf_wr_done() tells whether it fitted. */
size_t hf_der_open(struct hf_writer *w, uint8_t tag); /* returns the mark for close */
void hf_der_close(struct hf_writer *w, size_t mark);

/* As hf_der_close, for a SET OF: brings the elements into DER's order (X.690 11.6). */
void hf_der_close_set_of(struct hf_writer *w, size_t mark);

void hf_der_put(struct hf_writer *w, uint8_t tag, const void *content, size_t len);
void hf_der_put_raw(struct hf_writer *w, struct hf_bytes der); /* ready-made elements */
void hf_der_put_u64(struct hf_writer *w, uint64_t v);
void hf_der_put_uint(
	struct hf_writer *w, const uint8_t *be, size_t len); /* leading zeros dropped */
void hf_der_put_bool(struct hf_writer *w, bool v);
void hf_der_put_null(struct hf_writer *w);
void hf_der_put_oid(struct hf_writer *w, struct hf_bytes content);
void hf_der_put_bits(struct hf_writer *w, const void *bytes, size_t len);
void hf_der_put_named_bits(struct hf_writer *w, uint32_t bits);
void hf_der_put_octets(struct hf_writer *w, const void *bytes, size_t len);
void hf_der_put_utf8(struct hf_writer *w, const char *s);

/* UTCTime until 2049, GeneralizedTime from 2050 on (RFC 5280 4.1.2.5). At most year 9999. */
void hf_der_put_time(struct hf_writer *w, uint64_t t_s);

/* GeneralizedTime always: for formats of our own. */
void hf_der_put_gtime(struct hf_writer *w, uint64_t t_s);

#endif
