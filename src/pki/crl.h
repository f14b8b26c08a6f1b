/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificate revocation lists v2 with SM2-with-SM3 (GM/T 0015-2012, RFC 5280 5). Only complete
 * lists of their own issuer: delta and indirect lists carry critical extensions and are refused.
 */
#ifndef HF_PKI_CRL_H
#define HF_PKI_CRL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "crypto/sm2.h"
#include "pki/signer.h"

enum { HF_CRL_DER_MAX = 4 << 20 }; /* longest list that is read: about 100,000 entries */

/* What a list says. All bytes point into der, which the caller keeps. */
struct hf_crl {
	struct hf_bytes der;
	struct hf_bytes tbs;
	struct hf_bytes issuer; /* Name, whole element */
	uint64_t this_update_s;
	uint64_t next_update_s;
	uint64_t number;         /* 0: none */
	struct hf_bytes aki;     /* empty: none */
	struct hf_bytes entries; /* content of revokedCertificates, checked */
	size_t n_entries;
	struct hf_sm2_sig sig;
};

struct hf_crl_entry {
	const uint8_t *serial;
	size_t serial_len;
	uint64_t revoked_s;
	unsigned reason; /* RFC 5280 5.3.1; 0: not written */
};

/*
 * Reads one list; *out borrows from in. HF_ERR_FORMAT, HF_ERR_TRUNCATED, HF_ERR_UNSUPPORTED,
 * HF_ERR_LIMIT as hf_cert_parse. On failure *out is unchanged.
 */
HF_MUST_USE hf_err hf_crl_parse(
	struct hf_crl *out, const uint8_t *in, size_t in_len, struct hf_errinfo *ei);

/* HF_ERR_AUTH: not signed by this key. */
HF_MUST_USE hf_err hf_crl_verify_sig(
	const struct hf_crl *crl, const struct hf_sm2_pub *issuer_key, struct hf_errinfo *ei);

/* True if the serial is on the list; *entry (may be NULL) then says when and why. */
bool hf_crl_has(const struct hf_crl *crl, struct hf_bytes serial, struct hf_crl_entry *entry);

struct hf_crl_spec {
	struct hf_bytes issuer; /* Name */
	uint64_t this_update_s;
	uint64_t next_update_s;
	uint64_t number; /* 1.. ; strictly rising */
	const struct hf_crl_entry *entries;
	size_t n_entries;
};

/* Appends the DER of a new list to out. PEM label "X509 CRL". Errors as hf_cert_build. */
HF_MUST_USE hf_err hf_crl_build(struct hf_buf *out, const struct hf_crl_spec *spec,
	const struct hf_signer *signer, struct hf_errinfo *ei);

#endif
