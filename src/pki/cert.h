/* SPDX-License-Identifier: Apache-2.0 */
/*
 * X.509 v3 certificates with SM2 keys and SM2-with-SM3 signatures (GM/T 0015-2012, GB/T 20518-2018,
 * RFC 5280), ID 1234567812345678. Parsing says what is written; whether to believe it is
 * pki/chain.h's question. An unknown critical extension is refused while parsing.
 */
#ifndef HF_PKI_CERT_H
#define HF_PKI_CERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "crypto/sm2.h"
#include "pki/name.h"
#include "pki/signer.h"

enum {
	HF_CERT_DER_MAX = 8192, /* longest certificate that is read */
	HF_CERT_SERIAL_MAX = 20,
	HF_CERT_IP_MAX = 16,
};

/* keyUsage: bit i is bit i of RFC 5280 4.2.1.3. */
enum {
	HF_KU_DIGITAL_SIGNATURE = 1 << 0,
	HF_KU_NON_REPUDIATION = 1 << 1,
	HF_KU_KEY_ENCIPHERMENT = 1 << 2,
	HF_KU_DATA_ENCIPHERMENT = 1 << 3,
	HF_KU_KEY_AGREEMENT = 1 << 4,
	HF_KU_CERT_SIGN = 1 << 5,
	HF_KU_CRL_SIGN = 1 << 6,
};

/* Usual sets: a signing, an encryption and a CA certificate (GM/T 0015). */
enum {
	HF_KU_SIGN = HF_KU_DIGITAL_SIGNATURE | HF_KU_NON_REPUDIATION,
	HF_KU_ENCRYPT = HF_KU_KEY_ENCIPHERMENT | HF_KU_DATA_ENCIPHERMENT | HF_KU_KEY_AGREEMENT,
	HF_KU_CA = HF_KU_CERT_SIGN | HF_KU_CRL_SIGN,
};

enum {
	HF_EKU_SERVER = 1 << 0,
	HF_EKU_CLIENT = 1 << 1,
	HF_EKU_OTHER = 1 << 2, /* names purposes that we do not know */
	HF_EKU_OCSP = 1 << 3,  /* signs answers about the certificates of its issuer */
};

/* What a certificate says. All bytes point into der. */
struct hf_cert {
	struct hf_bytes der;    /* the whole certificate */
	struct hf_bytes tbs;    /* what is signed */
	struct hf_bytes serial; /* without leading zero */
	struct hf_bytes issuer; /* Name, whole element */
	struct hf_bytes subject;
	uint64_t not_before_s; /* seconds since 1970, inclusive */
	uint64_t not_after_s;  /* inclusive */
	struct hf_sm2_pub key;
	struct hf_sm2_sig sig;
	bool is_ca;
	bool has_path_len;
	unsigned path_len;
	bool has_key_usage;
	unsigned key_usage; /* HF_KU_* */
	bool has_eku;
	unsigned eku;        /* HF_EKU_* */
	struct hf_bytes ski; /* empty: not there */
	struct hf_bytes aki;
	struct hf_bytes san;          /* GeneralNames, content */
	struct hf_bytes crl_points;   /* of its issuer's list: pki/dist_point.h; empty: none */
	struct hf_bytes fresh_points; /* of a delta to it, likewise */
	bool has_identity;
	struct hf_identity identity;
	uint8_t *own;             /* what der is in, when it is an owned copy */
	const struct hf_mem *mem; /* where own came from */
};

/*
 * Reads one certificate; *out borrows from in. HF_ERR_FORMAT, HF_ERR_TRUNCATED: no strict DER
 * certificate. HF_ERR_UNSUPPORTED: not SM2, or a critical extension that we do not know.
 * HF_ERR_LIMIT: longer than HF_CERT_DER_MAX. On failure *out is unchanged.
 */
HF_MUST_USE hf_err hf_cert_parse(
	struct hf_cert *out, const uint8_t *in, size_t in_len, struct hf_errinfo *ei);

/* As hf_cert_parse, of a copy that the certificate owns; end it with hf_cert_clear(). */
HF_MUST_USE hf_err hf_cert_copy(struct hf_cert *out, const struct hf_mem *mem, const uint8_t *in,
	size_t in_len, struct hf_errinfo *ei);

/* Accepts { 0 } and borrowed ones. */
void hf_cert_clear(struct hf_cert *cert);

/* The signature is that of issuer_key. HF_ERR_AUTH: it is not. */
HF_MUST_USE hf_err hf_cert_verify_sig(
	const struct hf_cert *cert, const struct hf_sm2_pub *issuer_key, struct hf_errinfo *ei);

/* SM3 over the whole DER: the name of a certificate in records and tokens. */
void hf_cert_fingerprint(uint8_t out[HF_SM3_LEN], const struct hf_cert *cert);

/* True if a dNSName names the host (RFC 6125 6.4; "*." stands for exactly one label). */
bool hf_cert_has_dns(const struct hf_cert *cert, const char *host);

/* True if an iPAddress is exactly these 4 or 16 bytes. */
bool hf_cert_has_ip(const struct hf_cert *cert, const uint8_t *ip, size_t ip_len);

/* What a new certificate shall say. */
struct hf_cert_spec {
	const uint8_t *serial; /* 1..20 bytes, not all zero; random ones of 16 bytes are usual */
	size_t serial_len;
	struct hf_bytes issuer;  /* Name (hf_name_emit, or .subject of the issuer) */
	struct hf_bytes subject; /* Name */
	uint64_t not_before_s;
	uint64_t not_after_s;
	struct hf_sm2_pub key;
	bool is_ca;
	bool has_path_len;
	unsigned path_len;
	unsigned key_usage;                 /* HF_KU_*; 0: extension left out */
	unsigned eku;                       /* HF_EKU_*, but OTHER; 0: left out */
	const struct hf_identity *identity; /* may be NULL */
	const char *const *dns;             /* n_dns names */
	size_t n_dns;
	const char *const *uris; /* further URIs besides the identity */
	size_t n_uris;
	const uint8_t *ip; /* 4 or 16 bytes, or NULL */
	size_t ip_len;
	struct hf_bytes aki; /* empty: made from the signer's key */
};

/*
 * Appends the DER of a new certificate to out. PEM label "CERTIFICATE". HF_ERR_ARG: the spec
 * contradicts itself. HF_ERR_LIMIT: does not fit into HF_CERT_DER_MAX. Errors of the signer.
 */
HF_MUST_USE hf_err hf_cert_build(struct hf_buf *out, const struct hf_cert_spec *spec,
	const struct hf_signer *signer, struct hf_errinfo *ei);

#endif
