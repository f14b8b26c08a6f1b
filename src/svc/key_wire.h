/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields of messages to and from the key process (svc/key_proto.h), for both ends: integers
 * big-endian, texts with u16 length, objects with u32 length. A writer and a reader remember the
 * first failure, so that fields are put and taken one after another without checks in between.
 */
#ifndef HF_SVC_KEY_WIRE_H
#define HF_SVC_KEY_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/rd.h"

/* A message at the end of a buffer. Start it with { .buf = b }. */
struct hf_key_out {
	struct hf_buf *buf;
	hf_err e; /* sticky */
};

void hf_key_put_u8(struct hf_key_out *o, uint8_t v);
void hf_key_put_u16(struct hf_key_out *o, uint16_t v);
void hf_key_put_u32(struct hf_key_out *o, uint32_t v);
void hf_key_put_u64(struct hf_key_out *o, uint64_t v);
void hf_key_put_raw(struct hf_key_out *o, const void *bytes, size_t len);
void hf_key_put_text(struct hf_key_out *o, const char *text); /* NULL is empty */
void hf_key_put_object(struct hf_key_out *o, struct hf_bytes object);

/* An object, borrowed. */
struct hf_bytes hf_key_take_object(struct hf_reader *r);

/* A text into out, with terminator; one that is too long or holds a NUL makes the reader short. */
void hf_key_take_text(struct hf_reader *r, char *out, size_t cap);

#endif
