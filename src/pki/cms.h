/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CMS of GM/T 0010-2012: SignedData (1.2.156.10197.6.1.4.2.2) and EnvelopedData (.3), with data
 * (.1) inside.
 *
 * Signatures are made over SM3(Z || content) itself. Signed attributes (optional there, 8.1) are
 * neither written nor accepted: if both forms were, a signature over attributes could be presented
 * as one over content that happens to be those attributes' bytes. So content must name its own kind
 * and purpose; ours all do.
 *
 * Envelopes are SM2 for the key and SM4-GCM for the content, tag behind the ciphertext (parameters
 * as RFC 5084 3.2): altered bytes are refused by the envelope itself. It says nothing about the
 * sender: sign it, or what is in it.
 */
#ifndef HF_PKI_CMS_H
#define HF_PKI_CMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/rng.h"
#include "pki/cert.h"
#include "pki/signer.h"

enum {
	HF_CMS_SIGNERS_MAX = 16,       /* SignerInfos of one message */
	HF_CMS_KEYS_MAX = 64,          /* keys to verify against */
	HF_CMS_CONTENT_MAX = 64 << 20, /* bytes of content */
	HF_CMS_OVERHEAD = 1024,        /* what an envelope adds, at most */
};

/*
 * A signer or a recipient. With a certificate it is named by issuer and serial number, as GM/T 0010
 * knows it; without, by the key identifier of pub (RFC 5652 5.3, 6.2.1: versions 3 and 2).
 */
struct hf_cms_party {
	struct hf_sm2_pub pub;
	const struct hf_cert *cert; /* may be NULL; else of the same key */
};

struct hf_cms_signer {
	const struct hf_signer *signer;
	const struct hf_cert *cert; /* may be NULL */
};

struct hf_cms_sign_spec {
	struct hf_bytes content;
	bool is_detached; /* the content is not carried */
	const struct hf_cms_signer *signers;
	size_t n_signers;
	bool has_certs; /* carry the signers' certificates */
};

/*
 * Appends a SignedData to out. HF_ERR_ARG: no signer, or a certificate of another key.
 * HF_ERR_LIMIT: too many signers, too long. Errors of the signers.
 */
HF_MUST_USE hf_err hf_cms_sign(
	struct hf_buf *out, const struct hf_cms_sign_spec *spec, struct hf_errinfo *ei);

/* A SignedData as read; nothing in it is believed yet. Bytes point into the input. */
struct hf_cms_signed {
	struct hf_bytes content; /* empty when detached */
	bool is_detached;
	struct hf_bytes certs;   /* certificates, one behind the other; may be empty */
	struct hf_bytes signers; /* SignerInfos, one behind the other, checked */
	size_t n_signers;
};

HF_MUST_USE hf_err hf_cms_parse(
	struct hf_cms_signed *out, const uint8_t *in, size_t in_len, struct hf_errinfo *ei);

/* The i-th certificate carried along (parsed, borrowed). HF_ERR_NOT_FOUND: there are fewer. */
HF_MUST_USE hf_err hf_cms_cert(struct hf_cert *out, const struct hf_cms_signed *m, size_t i);

/* Which of the given keys have signed. */
struct hf_cms_result {
	uint64_t signed_by; /* bit i: keys[i] has a valid signature; equal keys: the first one only
			     */
	unsigned n_keys;    /* distinct keys that signed: compare it with the threshold */
};

/*
 * Checks the SignerInfos against keys. A signer named by issuer and serial is matched with a key's
 * certificate, or with a certificate carried along that holds one of the keys; certificates carried
 * along are not trusted for anything else. Signatures of other keys do not count and do not harm.
 * content: of a detached message (p not NULL); of any other message { 0 }.
 * HF_ERR_AUTH: fewer than threshold distinct keys have signed; *res is unchanged. HF_ERR_ARG:
 * threshold 0, more than HF_CMS_KEYS_MAX keys, or content given twice or not at all.
 */
HF_MUST_USE hf_err hf_cms_verify(struct hf_cms_result *res, const struct hf_cms_signed *m,
	struct hf_bytes content, const struct hf_cms_party *keys, size_t n_keys, unsigned threshold,
	struct hf_errinfo *ei);

/*
 * Appends an envelope for one recipient to out. context is authenticated, not carried: who opens it
 * must know it (it may be empty). HF_ERR_LIMIT: too long. HF_ERR_ENTROPY.
 */
HF_MUST_USE hf_err hf_cms_envelope_seal(struct hf_buf *out, const struct hf_cms_party *to,
	struct hf_bytes context, struct hf_bytes content, const struct hf_rng *rng,
	struct hf_errinfo *ei);

/*
 * Appends the content to out, whose bytes are secret. self names the recipient as seal did.
 * HF_ERR_NOT_FOUND: for somebody else. HF_ERR_AUTH: altered, other context, other key.
 * HF_ERR_FORMAT, HF_ERR_TRUNCATED, HF_ERR_UNSUPPORTED: no such envelope. On failure out is
 * unchanged.
 */
HF_MUST_USE hf_err hf_cms_envelope_open(struct hf_buf *out, struct hf_bytes in,
	struct hf_bytes context, const struct hf_cms_party *self, const struct hf_decrypter *key,
	struct hf_errinfo *ei);

#endif
