/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Distinguished names, kept as the DER they came in and compared byte for byte, and the identity of
 * a party of a Hufu domain, which stands in its certificate as a URI subject alternative name:
 *
 *	hufu:role=edge;level=2;domain=plant-7;id=gw-01
 */
#ifndef HF_PKI_NAME_H
#define HF_PKI_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/wr.h"
#include "policy/policy.h"

enum {
	HF_NAME_TEXT = 128,    /* room of a printable name, with its terminator */
	HF_NAME_DER_MAX = 512, /* longest name that is read or written */
	HF_ID_MAX = 63,        /* longest domain and id */
	HF_URI_MAX = 192,      /* room of an identity as URI, with its terminator */
};

/* "CN=gw-01, O=Example" for messages: what is not printable ASCII becomes '?', cut to fit. */
void hf_name_text(char out[HF_NAME_TEXT], struct hf_bytes name);

/*
 * Name { C, O, CN }: any may be NULL, but not all. Strings are UTF8String, the country
 * PrintableString. Used by hf_cert_spec and others as ready DER.
 */
void hf_name_emit(struct hf_writer *w, const char *country, const char *org, const char *cn);

/* True if it is a well-formed Name (RFC 5280 4.1.2.4) and nothing else. */
bool hf_name_is_valid(struct hf_bytes name);

enum hf_role {
	HF_ROLE_HUB = 1 << 0,
	HF_ROLE_EDGE = 1 << 1,
	HF_ROLE_DEVICE = 1 << 2,
	HF_ROLE_PUBLISHER = 1 << 3,
	HF_ROLE_DIRECTOR = 1 << 4,
	HF_ROLE_AUDIT = 1 << 5,
	HF_ROLE_OPERATOR = 1 << 6,
};

struct hf_identity {
	enum hf_role role;          /* exactly one bit */
	enum hf_level level;        /* the highest level this party may work at */
	char domain[HF_ID_MAX + 1]; /* letters, digits, '.', '_', '-'; not empty */
	char id[HF_ID_MAX + 1];     /* the same characters */
};

/* "hub" .. "operator"; NULL for no role. */
const char *hf_role_name(enum hf_role role);

/* True if s can be a domain or an id. */
bool hf_id_is_valid(const char *s);

/* HF_ERR_FORMAT: not exactly the form above, in that order. *out unchanged then. */
HF_MUST_USE hf_err hf_identity_parse(struct hf_identity *out, struct hf_bytes uri);

/* The URI with terminator. HF_ERR_ARG: not a valid identity. */
HF_MUST_USE hf_err hf_identity_emit(char out[HF_URI_MAX], const struct hf_identity *id);

#endif
