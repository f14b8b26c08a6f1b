/* SPDX-License-Identifier: Apache-2.0 */
/* Whom we believe: the certificates that a peer presents. */
#ifndef HF_TLS_PEER_H
#define HF_TLS_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/err.h"
#include "pki/cert.h"
#include "pki/chain.h"
#include "tls/hs.h"

/* What the peer presented, parsed: the leaf first. */
struct hf_tls_presented {
	struct hf_cert cert[HF_CHAIN_MAX];
	size_t n;
	struct hf_ocsp staple[HF_CHAIN_MAX]; /* what came with them, of whichever */
	size_t n_staples;
};

/* n <= HF_CHAIN_MAX certificates, which p borrows from. A failure is the link's. */
HF_MUST_USE hf_err hf_tls_peer_parse(
	struct hf_tls *t, struct hf_tls_presented *p, const struct hf_bytes *der, size_t n);

/*
 * The OCSP responses that came with the certificates, empty for none. One that is none ends the
 * link; one that says nothing, or is signed otherwise than here, counts as not sent.
 */
HF_MUST_USE hf_err hf_tls_peer_staples(
	struct hf_tls *t, struct hf_tls_presented *p, const struct hf_bytes *der, size_t n);

/* The same, and nobody is to blame: false if one of them is none. */
bool hf_tls_peer_read(struct hf_tls_presented *p, const struct hf_bytes *der, size_t n);

/*
 * Asks for the signatures that believing the certificate at a place will need, if all of them hold
 * (tls/jobs.h): the leaf, or one for encryption.
 */
void hf_tls_peer_ask(struct hf_tls *t, const struct hf_tls_presented *p, size_t at);

/*
 * Believes the leaf, or ends the link. name: the host that the link was for, which the leaf must
 * carry where the link does not want somebody in particular; NULL: any.
 */
HF_MUST_USE hf_err hf_tls_peer_check(
	struct hf_tls *t, const struct hf_tls_presented *p, const char *name);

/* The same for the certificate at a place, which is for encryption. */
HF_MUST_USE hf_err hf_tls_peer_check_enc(
	struct hf_tls *t, const struct hf_tls_presented *p, size_t at);

/*
 * The same of certificates that were believed before: a refusal ends nothing, and enrolment lets
 * nobody in. False of what does not parse, or is none.
 */
bool hf_tls_peer_reparse(struct hf_tls_presented *p, const struct hf_bytes *der, size_t n);
bool hf_tls_peer_is_good(struct hf_tls *t, const struct hf_tls_presented *p, const char *name);
bool hf_tls_peer_enc_is_good(struct hf_tls *t, const struct hf_tls_presented *p, size_t at);

/* Ends the link over the peer's certificate, with the alert for e; returns the failure. */
hf_err hf_tls_peer_refuse(struct hf_tls *t, hf_err e, const struct hf_errinfo *ei);

/* Keeps what was presented as long as the link lives. */
HF_MUST_USE hf_err hf_tls_peer_keep(struct hf_tls *t, const struct hf_tls_presented *p);

#endif
