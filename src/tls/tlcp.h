/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLCP 1.1 (GB/T 38636-2020) behind the surface of tls.h: what it needs besides the configuration
 * of a link. A party has two key pairs: chain[0] and signer sign; the certificate and the key here
 * are for encryption, and are never asked for a signature.
 */
#ifndef HF_TLS_TLCP_H
#define HF_TLS_TLCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "crypto/sm2.h"
#include "pki/signer.h"
#include "tls/tlcp_session.h"
#include "tls/tls.h"

/* Suites; a set. */
enum {
	HF_TLCP_ECDHE_SM4_GCM_SM3 = 1 << 0,
	HF_TLCP_ECC_SM4_GCM_SM3 = 1 << 1,
	HF_TLCP_ECDHE_SM4_CBC_SM3 = 1 << 2,
	HF_TLCP_ECC_SM4_CBC_SM3 = 1 << 3,
};

/* The far side of a key exchange, and our passing pair in it (GB/T 32918.3-2016). */
struct hf_tlcp_agreement {
	bool is_initiator; /* A of the standard: the server */
	const struct hf_sm2_key *self_r;
	const struct hf_sm2_pub *peer;
	const struct hf_sm2_pub *peer_r;
};

/* What is done with an encryption key, which may live in another process or in a card. */
struct hf_tlcp_enc_key {
	/* Raw C1C3C2 (hf_sm2_decrypt): out is raw_len - 96 bytes. HF_ERR_AUTH: does not decrypt. */
	hf_err (*decrypt)(void *ctx, uint8_t *out, const uint8_t *raw, size_t raw_len);
	/* The pre-master secret of 48 bytes, default IDs. Errors as hf_sm2_kex_key(). */
	hf_err (*agree)(void *ctx, uint8_t *out, const struct hf_tlcp_agreement *a);
	void *ctx;
	struct hf_sm2_pub pub;
};

/* A key in this process's memory; as hf_decrypter_local(). */
struct hf_tlcp_enc_key hf_tlcp_enc_key_local(struct hf_local_key *local);

/* Shared by many links as hf_tls_config, which points to it. */
struct hf_tlcp_config {
	unsigned suites;          /* set of HF_TLCP_*; 0: all that the level allows, without CBC */
	bool allow_cbc;           /* CBC suites too, where the level allows them */
	struct hf_bytes enc_cert; /* DER; a client without it cannot do ECDHE */
	const struct hf_tlcp_enc_key *enc_key;
	const struct hf_tlcp_cache *cache; /* server: sessions to resume; NULL: none */
	bool extensions; /* client: server_name and ALPN (GM/T 0024-2023); old servers choke */

	/* Tolerances; each is off unless it is asked for. */
	bool cv_raw;      /* CertificateVerify signs the messages themselves, not their hash */
	bool cke_prefix;  /* ECDHE: our ClientKeyExchange has a length before its point */
	bool any_subject; /* the peer's two certificates may be of different subjects */
};

/* What a link of TLCP has signed: who asks can have nothing else signed. */
struct hf_tlcp_tbs {
	enum hf_tlcp_tbs_kind {
		HF_TLCP_TBS_ECC,    /* content: our encryption certificate */
		HF_TLCP_TBS_ECDHE,  /* content: curve and point */
		HF_TLCP_TBS_VERIFY, /* content: hash of the handshake, or with cv_raw its bytes */
	} kind;
	uint8_t randoms[64]; /* of the client, of the server; not for VERIFY */
	struct hf_bytes content;
};

/* The digest e to be signed by the key pub. */
HF_MUST_USE hf_err hf_tlcp_tbs_digest(
	uint8_t e[HF_SM3_LEN], const struct hf_tlcp_tbs *tbs, const struct hf_sm2_pub *pub);

/*
 * With HF_WANT_SIGN on a link of TLCP: what to sign; hf_tls_sign_done() takes the signature. Valid
 * until the next call. HF_ERR_STATE: none wanted, or not of TLCP.
 */
HF_MUST_USE hf_err hf_tlcp_sign_get(const struct hf_tls *t, struct hf_tlcp_tbs *tbs);

/* True if the link is open, speaks TLCP, and took its keys from an earlier session. */
bool hf_tlcp_is_resumed(const struct hf_tls *t);

/*
 * Client: the session that an open link may be resumed by, as a copy for hf_tls_start. The caller
 * ends it. HF_ERR_STATE: the server gave none, or the level does not allow resumption.
 */
HF_MUST_USE hf_err hf_tlcp_session_get(const struct hf_tls *t, struct hf_tlcp_session *out);

/* "ECC_SM4_GCM_SM3" and so on, of an open link; NULL: not one of TLCP. */
const char *hf_tlcp_suite_name(const struct hf_tls *t);

#endif
