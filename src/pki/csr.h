/* SPDX-License-Identifier: Apache-2.0 */
/* Certification requests, PKCS#10 (RFC 2986) with SM2-with-SM3, ID 1234567812345678. */
#ifndef HF_PKI_CSR_H
#define HF_PKI_CSR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "crypto/sm2.h"
#include "pki/name.h"
#include "pki/signer.h"

enum { HF_CSR_DER_MAX = 4096 };

/* What a request says; the CA decides what of it becomes true. Bytes point into der. */
struct hf_csr {
	struct hf_bytes der;
	struct hf_bytes info; /* what is signed */
	struct hf_bytes subject;
	struct hf_sm2_pub key;
	struct hf_sm2_sig sig;
	bool has_identity; /* an extensionRequest names a hufu: URI */
	struct hf_identity identity;
	struct hf_bytes san; /* GeneralNames asked for, content; empty: none */
};

/* *out borrows from in. Errors as hf_cert_parse. The signature is not yet checked. */
HF_MUST_USE hf_err hf_csr_parse(
	struct hf_csr *out, const uint8_t *in, size_t in_len, struct hf_errinfo *ei);

/* Proof of possession: signed by the key it names. HF_ERR_AUTH: it is not. */
HF_MUST_USE hf_err hf_csr_verify(const struct hf_csr *csr, struct hf_errinfo *ei);

struct hf_csr_spec {
	struct hf_bytes subject;            /* Name */
	const struct hf_identity *identity; /* may be NULL */
	const char *const *dns;
	size_t n_dns;
};

/* Appends a request for the signer's key to out. PEM label "CERTIFICATE REQUEST". */
HF_MUST_USE hf_err hf_csr_build(struct hf_buf *out, const struct hf_csr_spec *spec,
	const struct hf_signer *signer, struct hf_errinfo *ei);

#endif
