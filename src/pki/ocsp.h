/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signed answers about single certificates (OCSP, RFC 6960 4.2) with SM2-with-SM3, as a peer
 * staples them to its certificate. Certificates are named by SM3 digests only: the digests of older
 * ciphers are not computed here, so an answer that uses them is about nobody.
 */
#ifndef HF_PKI_OCSP_H
#define HF_PKI_OCSP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "crypto/sm2.h"
#include "pki/cert.h"
#include "pki/signer.h"

enum {
	HF_OCSP_DER_MAX = 16384, /* longest response that is read */
	HF_OCSP_SINGLES_MAX = 16,
	HF_OCSP_CERTS_MAX = 2, /* certificates that come with it */
	HF_OCSP_VERIFIES_MAX = 1 + 2 * HF_OCSP_CERTS_MAX,
};

enum hf_ocsp_status { HF_OCSP_GOOD, HF_OCSP_REVOKED, HF_OCSP_UNKNOWN };

/* What a successful response says. All bytes point into der, which the caller keeps. */
struct hf_ocsp {
	struct hf_bytes der;
	struct hf_bytes tbs;
	struct hf_sm2_sig sig;
	struct hf_bytes by_name; /* responder: its Name; empty: by_key */
	struct hf_bytes by_key;
	uint64_t produced_s;
	struct hf_bytes singles; /* content, checked */
	size_t n_singles;
	struct hf_bytes certs[HF_OCSP_CERTS_MAX];
	size_t n_certs;
};

/* What it says of one certificate. */
struct hf_ocsp_single {
	enum hf_ocsp_status status;
	uint64_t revoked_s;
	unsigned reason; /* RFC 5280 5.3.1; 0: not written */
	uint64_t this_update_s;
	uint64_t next_update_s; /* 0: not written */
};

/*
 * Reads one response; *out borrows from in. HF_ERR_FORMAT, HF_ERR_TRUNCATED: no strict DER.
 * HF_ERR_UNSUPPORTED: not basic, not SM2-SM3, or a critical extension that is not known.
 * HF_ERR_LIMIT. HF_ERR_NOT_FOUND: well formed, and says that the responder has no answer. On
 * failure *out is unchanged.
 */
HF_MUST_USE hf_err hf_ocsp_parse(
	struct hf_ocsp *out, const uint8_t *in, size_t in_len, struct hf_errinfo *ei);

/*
 * Signed by the issuer, or by somebody with id-kp-OCSPSigning whose certificate came along, is
 * valid at now_s and was signed by the issuer (RFC 6960 4.2.2.2); *delegate is that somebody,
 * borrowing from the response, or { 0 }. Computes at most HF_OCSP_VERIFIES_MAX signatures.
 * HF_ERR_AUTH: by neither. HF_ERR_EXPIRED, HF_ERR_PURPOSE: by a delegate who may not.
 */
HF_MUST_USE hf_err hf_ocsp_verify_sig(const struct hf_ocsp *ocsp, const struct hf_cert *issuer,
	uint64_t now_s, struct hf_cert *delegate, struct hf_errinfo *ei);

/* True if the response is about cert, issued by issuer; *out then says what. */
bool hf_ocsp_has(const struct hf_ocsp *ocsp, const struct hf_cert *cert,
	const struct hf_cert *issuer, struct hf_ocsp_single *out);

/* What a new response shall say: of one certificate. */
struct hf_ocsp_spec {
	const struct hf_cert *cert;
	const struct hf_cert *issuer;
	const struct hf_cert *delegate; /* who signs; NULL: the issuer */
	uint64_t produced_s;
	struct hf_ocsp_single single;
};

/* Appends the DER of a new response to out. HF_ERR_ARG; errors of the signer. */
HF_MUST_USE hf_err hf_ocsp_build(struct hf_buf *out, const struct hf_ocsp_spec *spec,
	const struct hf_signer *signer, struct hf_errinfo *ei);

#endif
