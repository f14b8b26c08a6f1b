/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header that a proxy puts before the bytes of a connection: PROXY protocol, version 2
 *(binary). It says where the connection came from, and here also by which certificate.
 *
 *	12 bytes of signature | 0x20 local, 0x21 proxied | family | u16 length | addresses | TLVs
 */
#ifndef HF_CODEC_PROXY2_H
#define HF_CODEC_PROXY2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/wr.h"

enum {
	HF_PROXY2_HEAD_LEN = 16, /* with the length of what follows */
	HF_PROXY2_MAX = 536,     /* longest header that is read or written, head included */
	HF_PROXY2_NAME_MAX = 127,
};

enum hf_proxy2_family {
	HF_PROXY2_UNKNOWN, /* no addresses: local, or of a unix socket */
	HF_PROXY2_TCP4,
	HF_PROXY2_TCP6,
};

struct hf_proxy2 {
	enum hf_proxy2_family family;
	uint8_t from[16]; /* 4 or 16 bytes */
	uint8_t to[16];
	uint16_t from_port;
	uint16_t to_port;
	/* Name of the client's certificate (PP2_TYPE_SSL with PP2_SUBTYPE_SSL_CN); "": none. */
	char name[HF_PROXY2_NAME_MAX + 1];
};

/* Writes one whole header. Needs at most HF_PROXY2_MAX bytes. */
void hf_proxy2_emit(struct hf_writer *w, const struct hf_proxy2 *p);

/*
 * From the first HF_PROXY2_HEAD_LEN bytes, how long the whole header is. HF_ERR_FORMAT: it is none.
 * HF_ERR_LIMIT: longer than HF_PROXY2_MAX.
 */
HF_MUST_USE hf_err hf_proxy2_len(size_t *len, const uint8_t head[HF_PROXY2_HEAD_LEN]);

/*
 * Exactly one header. HF_ERR_FORMAT, HF_ERR_TRUNCATED, HF_ERR_LIMIT; *out is then unchanged. TLVs
 * that we do not know are passed over.
 */
HF_MUST_USE hf_err hf_proxy2_parse(struct hf_proxy2 *out, const uint8_t *in, size_t in_len);

#endif
