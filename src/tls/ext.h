/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of extensions (RFC 8446 4.2): one after the other, none twice. */
#ifndef HF_TLS_EXT_H
#define HF_TLS_EXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/rd.h"
#include "tls/msg.h"

/* A walk over a list. Start it with { .list = reader over the list }. */
struct hf_tls_ext_walk {
	struct hf_reader list;
	uint16_t type;         /* the extension that the last call found */
	struct hf_reader data; /* its content */
	uint16_t seen[HF_TLS_EXTENSIONS_MAX];
	size_t n_seen;
	hf_err err;
};

/* True while there is another one. After false, .err says whether the list was in order. */
bool hf_tls_ext_next(struct hf_tls_ext_walk *w);

/* Reads a whole u16 list of u16 and looks for one value. Empty or odd: HF_ERR_FORMAT. */
HF_MUST_USE hf_err hf_tls_list16_has(bool *has, struct hf_reader *r, uint16_t value);

/* The content of a client's server_name (a host name of printable bytes) and ALPN extension. */
HF_MUST_USE hf_err hf_tls_server_name_parse(struct hf_bytes *out, struct hf_reader *r);
HF_MUST_USE hf_err hf_tls_alpn_parse(struct hf_bytes *out, struct hf_reader *r);

/* True if a list that hf_tls_alpn_parse() gave has this name. */
bool hf_tls_alpn_has(struct hf_bytes list, struct hf_bytes name);

#endif
