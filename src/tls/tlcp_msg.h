/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handshake messages of TLCP (GB/T 38636-2020 6.4.5) as bytes. As in msg.h, parsers take the body
 * and borrow from it, emitters write whole messages.
 */
#ifndef HF_TLS_TLCP_MSG_H
#define HF_TLS_TLCP_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/rd.h"
#include "base/wr.h"
#include "crypto/sm2.h"
#include "pki/chain.h"
#include "tls/msg.h"

enum {
	HF_TLCP_MSG_HELLO_REQUEST = 0,
	HF_TLCP_MSG_SKE = 12,
	HF_TLCP_MSG_SHD = 14,
	HF_TLCP_MSG_CKE = 16,
};

enum {
	HF_TLCP_POINT_LEN = 4 + HF_SM2_POINT_LEN, /* curve and point of ECDHE */
	HF_TLCP_VERIFY_LEN = 12,                  /* verify_data */
	HF_TLCP_SIG_MAX = 2 + HF_SM2_SIG_DER_MAX,
	HF_TLCP_ECDSA_SIGN = 64, /* type of a client's certificate */
};

struct hf_tlcp_client_hello {
	uint16_t version;
	const uint8_t *random;
	struct hf_bytes session;
	struct hf_bytes suites; /* u16 each */
	bool has_null;          /* no compression is among the methods */
	struct hf_bytes name;   /* host name; empty: none */
	bool has_alpn;
	struct hf_bytes alpn; /* checked list of u8-prefixed names */
};

HF_MUST_USE hf_err hf_tlcp_client_hello_parse(
	struct hf_tlcp_client_hello *out, const uint8_t *in, size_t len);

struct hf_tlcp_hello_spec {
	const uint8_t *random;
	struct hf_bytes session;
	const uint16_t *suites;
	size_t n_suites;
	struct hf_bytes name; /* empty, and n_alpn 0: no extensions at all */
	const char *const *alpn;
	size_t n_alpn;
};

void hf_tlcp_client_hello_emit(struct hf_writer *w, const struct hf_tlcp_hello_spec *spec);

struct hf_tlcp_server_hello {
	uint16_t version;
	const uint8_t *random;
	struct hf_bytes session;
	uint16_t suite;
	uint8_t compression;
	bool has_alpn;
	struct hf_bytes alpn; /* the one name */
};

HF_MUST_USE hf_err hf_tlcp_server_hello_parse(
	struct hf_tlcp_server_hello *out, const uint8_t *in, size_t len);

/* alpn NULL: no extensions. */
void hf_tlcp_server_hello_emit(struct hf_writer *w, const uint8_t random[HF_TLS_RANDOM_LEN],
	struct hf_bytes session, uint16_t suite, const char *alpn);

struct hf_tlcp_cert_list {
	struct hf_bytes der[HF_CHAIN_MAX];
	size_t n;
};

/* HF_ERR_LIMIT: more than HF_CHAIN_MAX certificates. */
HF_MUST_USE hf_err hf_tlcp_cert_list_parse(
	struct hf_tlcp_cert_list *out, const uint8_t *in, size_t len);

/* Bytes that the message takes, and the message. n 0: "I have none". */
size_t hf_tlcp_cert_list_len(const struct hf_bytes *der, size_t n);
void hf_tlcp_cert_list_emit(struct hf_writer *w, const struct hf_bytes *der, size_t n);

/* *has_sign: a certificate for signing is among the wanted types. */
HF_MUST_USE hf_err hf_tlcp_cert_request_parse(bool *has_sign, const uint8_t *in, size_t len);

/* names: subjects of CAs; as many as there is room for. */
void hf_tlcp_cert_request_emit(struct hf_writer *w, const struct hf_cert *roots, size_t n_roots);

/* The curve and the point of ECDHE, at the front of r. HF_ERR_FORMAT: no point of the curve. */
HF_MUST_USE hf_err hf_tlcp_point_parse(struct hf_sm2_pub *out, struct hf_reader *r);
void hf_tlcp_point_emit(uint8_t out[HF_TLCP_POINT_LEN], const struct hf_sm2_pub *pub);

/* A message of nothing but a signature, or of something and a signature. */
HF_MUST_USE hf_err hf_tlcp_sig_parse(struct hf_bytes *sig, struct hf_reader *r);
void hf_tlcp_sig_emit(struct hf_writer *w, const struct hf_sm2_sig *sig);

/* Checks a NewSessionTicket (RFC 5077 3.3), of which nothing is kept. */
HF_MUST_USE hf_err hf_tlcp_ticket_parse(const uint8_t *in, size_t len);

#endif
