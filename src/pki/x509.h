/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What certificates, requests and revocation lists have in common: the signed wrapper around a
 * body, and the extensions. Used inside pki.
 */
#ifndef HF_PKI_X509_H
#define HF_PKI_X509_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "codec/der.h"
#include "crypto/sm2.h"
#include "pki/name.h"
#include "pki/oid.h"
#include "pki/signer.h"

/* SEQUENCE { body, AlgorithmIdentifier sm2-with-sm3, BIT STRING signature }. */
struct hf_x509_signed {
	struct hf_bytes body; /* whole element */
	struct hf_sm2_sig sig;
};

HF_MUST_USE hf_err hf_x509_open(struct hf_x509_signed *out, const uint8_t *in, size_t in_len);

/* What is signed of a body, with ID 1234567812345678. */
HF_MUST_USE hf_err hf_x509_digest(
	uint8_t e[HF_SM3_LEN], struct hf_bytes body, const struct hf_sm2_pub *pub);

/* Verifies with ID 1234567812345678. HF_ERR_AUTH: not signed by this key. */
HF_MUST_USE hf_err hf_x509_verify(
	struct hf_bytes body, const struct hf_sm2_sig *sig, const struct hf_sm2_pub *pub);

/* Appends the wrapper around body, signed with ID 1234567812345678. */
HF_MUST_USE hf_err hf_x509_sign(
	struct hf_buf *out, struct hf_bytes body, const struct hf_signer *signer);

/* The algorithm field inside a body must be the one that signed it. */
void hf_x509_take_sm2_sm3(struct hf_der *d);

/* A Name as the next element, checked. */
struct hf_bytes hf_x509_take_name(struct hf_der *d);

/* One Extension. */
struct hf_x509_ext {
	struct hf_bytes oid;
	enum hf_oid id; /* HF_OID_COUNT: unknown */
	bool is_critical;
	struct hf_bytes value; /* content of the OCTET STRING */
};

struct hf_x509_ext hf_x509_take_ext(struct hf_der *exts);

/* Opens one Extension up to its value; close with hf_x509_ext_end(). */
struct hf_x509_ext_mark {
	size_t seq;
	size_t octets;
};
struct hf_x509_ext_mark hf_x509_ext_begin(struct hf_writer *w, enum hf_oid id, bool is_critical);
void hf_x509_ext_end(struct hf_writer *w, struct hf_x509_ext_mark m);

void hf_x509_put_ski(struct hf_writer *w, const struct hf_sm2_pub *pub);
void hf_x509_put_aki(struct hf_writer *w, struct hf_bytes key_id);

/* KeyIdentifier of an AuthorityKeyIdentifier value; empty if it only names issuer and serial. */
struct hf_bytes hf_x509_aki(struct hf_der *value);

/* GeneralNames: checks the form of all and finds our identity. */
struct hf_x509_san {
	struct hf_bytes names; /* content */
	bool has_identity;
	struct hf_identity identity;
};
void hf_x509_take_san(struct hf_der *value, struct hf_x509_san *out);

/* subjectAltName extension; nothing is written when there is no name. */
struct hf_x509_san_spec {
	const struct hf_identity *identity;
	const char *const *dns;
	size_t n_dns;
	const char *const *uris;
	size_t n_uris;
	const uint8_t *ip;
	size_t ip_len;
};
HF_MUST_USE hf_err hf_x509_put_san(
	struct hf_writer *w, const struct hf_x509_san_spec *spec, bool is_critical);

#endif
