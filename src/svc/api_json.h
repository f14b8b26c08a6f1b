/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON bodies of the node API as both ends read and write them (docs/formats/node-api.md).
 * All members named there must be there, once; others are passed over. HF_ERR_FORMAT,
 * HF_ERR_TRUNCATED: no such body. HF_ERR_LIMIT: a value longer than it can be. On failure *out is
 * undefined.
 */
#ifndef HF_SVC_API_JSON_H
#define HF_SVC_API_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/mem.h"
#include "codec/json_wr.h"
#include "crypto/sm3.h"
#include "keys/token.h"
#include "pki/cert.h"
#include "pki/csr.h"

/* Bytes of a body that are read at most. */
enum {
	HF_API_ENROLL_MAX = 16 << 10,
	HF_API_GRANT_MAX = 16 << 10,
	HF_API_NAME_MAX = 1 << 10,
	HF_API_ENROLLED_MAX = 256 << 10, /* certificates and trust root in base64 */
	HF_API_NONCE_LEN = 16,
};

struct hf_api_enroll {
	char token[HF_TOKEN_TEXT_MAX];
	uint8_t sign_csr[HF_CSR_DER_MAX];
	size_t sign_csr_len;
	uint8_t enc_csr[HF_CSR_DER_MAX];
	size_t enc_csr_len;
};

HF_MUST_USE hf_err hf_api_enroll_parse(
	struct hf_api_enroll *out, struct hf_bytes body, struct hf_errinfo *ei);

struct hf_api_grant {
	uint8_t manifest[HF_SM3_LEN];
	uint8_t enc_cert[HF_CERT_DER_MAX];
	size_t enc_cert_len;
};

HF_MUST_USE hf_err hf_api_grant_parse(
	struct hf_api_grant *out, struct hf_bytes body, struct hf_errinfo *ei);

/* {"manifest":DIGEST} or {"upload":DIGEST}: member says which. */
HF_MUST_USE hf_err hf_api_name_parse(
	uint8_t out[HF_SM3_LEN], const char *member, struct hf_bytes body, struct hf_errinfo *ei);

/* What a newcomer gets. Start it with hf_api_enrolled_init(), end it with hf_api_enrolled_clear().
 */
struct hf_api_enrolled {
	struct hf_buf sign_cert;
	struct hf_buf enc_cert;
	struct hf_buf issuing_ca;
	struct hf_buf root_ca;
	struct hf_buf hub_enc;
	struct hf_buf root;
};

void hf_api_enrolled_init(struct hf_api_enrolled *out, const struct hf_mem *mem);
void hf_api_enrolled_clear(struct hf_api_enrolled *out);
HF_MUST_USE hf_err hf_api_enrolled_parse(
	struct hf_api_enrolled *out, struct hf_bytes body, struct hf_errinfo *ei);

/* {"nonce":HEX} */
HF_MUST_USE hf_err hf_api_nonce_parse(
	uint8_t out[HF_API_NONCE_LEN], struct hf_bytes body, struct hf_errinfo *ei);

/* Append what hf_api_enroll_parse() and hf_api_grant_parse() read. */
HF_MUST_USE hf_err hf_api_enroll_emit(
	struct hf_buf *out, const char *token, struct hf_bytes sign_csr, struct hf_bytes enc_csr);
HF_MUST_USE hf_err hf_api_grant_emit(
	struct hf_buf *out, const uint8_t manifest[HF_SM3_LEN], struct hf_bytes enc_cert);

/* Writes DER as base64. HF_ERR_NO_MEMORY sticks in *j. */
void hf_api_der_put(
	struct hf_json_wr *j, const char *key, struct hf_bytes der, const struct hf_mem *mem);

#endif
