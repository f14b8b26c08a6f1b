/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking the key process. Every call sends one message and waits for its reply, which takes a few
 * milliseconds at most; errors and their texts are the key process's own. One thread.
 */
#ifndef HF_SVC_KEY_CLIENT_H
#define HF_SVC_KEY_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audit/log.h"
#include "base/buf.h"
#include "base/err.h"
#include "pkg/grant.h"
#include "pkg/trust.h"
#include "pki/signer.h"
#include "svc/key_proto.h"
#include "tls/tls.h"

struct hf_key_client {
	const struct hf_mem *mem;
	int fd; /* the pair or a connection to the unix socket; borrowed */
	/* If there: called instead of the socket. After a failure nothing more should be asked. */
	hf_err (*exchange)(void *ctx, struct hf_buf *reply, const uint8_t *in, size_t in_len);
	void *ctx;
};

/* A signature by the node's signing key over cv and nothing else, for hf_tls_sign_done(). */
HF_MUST_USE hf_err hf_key_sign_link(struct hf_key_client *c, const struct hf_tls_cv *cv,
	struct hf_sm2_sig *sig, struct hf_errinfo *ei);

/* Records an event; of class S it is durable on return. */
HF_MUST_USE hf_err hf_key_audit(
	struct hf_key_client *c, const struct hf_audit_event_in *in, struct hf_errinfo *ei);

struct hf_key_status {
	uint32_t state; /* enum hf_key_state */
	struct hf_identity identity;
	uint64_t root_version;
	uint64_t channel_serial;
	uint64_t n_records; /* in the audit log */
	uint64_t head_size;
};
HF_MUST_USE hf_err hf_key_status(
	struct hf_key_client *c, struct hf_key_status *out, struct hf_errinfo *ei);

/*
 * A newcomer's enrolment: two requests (PKCS#10) and a self-signed certificate for the link, all
 * DER, appended to the buffers.
 */
HF_MUST_USE hf_err hf_key_newcomer(struct hf_key_client *c, struct hf_buf *sign_csr,
	struct hf_buf *enc_csr, struct hf_buf *self_signed, struct hf_errinfo *ei);

/* What a hub answers to an enrolment, and a device keeps. All DER, borrowed. */
struct hf_enrolled {
	struct hf_bytes sign_cert;
	struct hf_bytes enc_cert;
	struct hf_bytes issuing_ca;
	struct hf_bytes root_ca;
	struct hf_bytes hub_enc; /* encryption certificate of the hub: uploads are sealed to it */
	struct hf_bytes root;    /* trust root object */
};

/*
 * Checks that the certificates are for our keys, and that the root CA is the one whose digest the
 * token carried; then keeps them: the node is a member. HF_ERR_AUTH: wrong root CA, other keys.
 */
HF_MUST_USE hf_err hf_key_enrolled(struct hf_key_client *c, const struct hf_enrolled *e,
	const uint8_t root_ca_sm3[HF_SM3_LEN], struct hf_errinfo *ei);

/* Trust steps up to persist for a channel (and the roots before it); serial is remembered. */
HF_MUST_USE hf_err hf_key_check_channel(
	struct hf_key_client *c, struct hf_bytes channel, struct hf_errinfo *ei);

/* Trust steps up to level for a lineage's release. */
HF_MUST_USE hf_err hf_key_check_release(struct hf_key_client *c, const char *lineage,
	struct hf_bytes channel, struct hf_bytes manifest, struct hf_errinfo *ei);

/* All steps; the content key is unwrapped, compared with the commitment and forgotten. */
HF_MUST_USE hf_err hf_key_check_grant(struct hf_key_client *c, const char *lineage,
	struct hf_bytes channel, struct hf_bytes manifest, struct hf_bytes grant,
	struct hf_errinfo *ei);

/*
 * All steps once more, then the release becomes the active one of its lineage: channel, manifest
 * and grant are kept, the floor rises, and a signed receipt is appended to receipt.
 */
HF_MUST_USE hf_err hf_key_activate(struct hf_key_client *c, const char *lineage,
	struct hf_bytes channel, struct hf_bytes manifest, struct hf_bytes grant,
	struct hf_buf *receipt, struct hf_errinfo *ei);

/*
 * A local user opens the active release of a lineage: all trust steps with the objects that were
 * kept, an audit record, then the signed manifest (appended) and the content key. End cek with
 * hf_wipe().
 */
HF_MUST_USE hf_err hf_key_open(struct hf_key_client *c, const char *lineage,
	struct hf_buf *manifest, uint8_t cek[HF_CEK_LEN], struct hf_errinfo *ei);

/*
 * A local user found, while opening the active release of a lineage, that an object of it is
 * altered or missing: why is HF_ERR_AUTH, _FORMAT, _TRUNCATED or _NOT_FOUND. It is recorded.
 */
HF_MUST_USE hf_err hf_key_report(
	struct hf_key_client *c, const char *lineage, hf_err why, struct hf_errinfo *ei);

/*
 * Trust steps up to grant for the active release, with the objects that were kept: what is refused
 * here could not be opened. HF_ERR_AUTH: altered or gone; activate it again. HF_ERR_NOT_FOUND: no
 * release of this lineage is active.
 */
HF_MUST_USE hf_err hf_key_check_active(
	struct hf_key_client *c, const char *lineage, struct hf_errinfo *ei);

/* The signed inventory, appended; nonce is the hub's. */
HF_MUST_USE hf_err hf_key_sign_inventory(struct hf_key_client *c, const uint8_t nonce[16],
	struct hf_buf *inventory, struct hf_errinfo *ei);

/* Signs the DER content of an upload whose device is this one; the object is appended. */
HF_MUST_USE hf_err hf_key_sign_upload(struct hf_key_client *c, struct hf_bytes content,
	struct hf_buf *upload, struct hf_errinfo *ei);

/*
 * Hub: checks token and requests and issues both certificates (appended). The token is bound to
 * the key of the first signing request that came with it; the same key may ask again.
 * HF_ERR_AUTH: not our token, or used by another key. HF_ERR_EXPIRED.
 */
HF_MUST_USE hf_err hf_key_enrol(struct hf_key_client *c, const char *token,
	struct hf_bytes sign_csr, struct hf_bytes enc_csr, struct hf_buf *sign_cert,
	struct hf_buf *enc_cert, struct hf_errinfo *ei);

/*
 * Hub: the next channel over these releases (hf_channel_release_put elements in ascending order of
 * lineage), valid for life_s. The serial is the key process's own and always rises.
 */
HF_MUST_USE hf_err hf_key_make_channel(struct hf_key_client *c, struct hf_bytes releases,
	size_t n_releases, uint64_t life_s, struct hf_buf *channel, struct hf_errinfo *ei);

/*
 * Hub: a grant for the device that enc_cert names, from a release's deposit. Checked there: the
 * publishers' signatures on both, the device's chain, its level against the release's.
 */
HF_MUST_USE hf_err hf_key_make_grant(struct hf_key_client *c, struct hf_bytes manifest,
	struct hf_bytes deposit, struct hf_bytes enc_cert, uint64_t life_s, struct hf_buf *grant,
	struct hf_errinfo *ei);

/*
 * Hub, local: puts the certificates of a device (its id), or the one of a serial number in hex,
 * onto the revocation list. reason: RFC 5280 5.3.1, one that is an end. *number: of the new list.
 * HF_ERR_EXISTS: all of them are on it. HF_ERR_NOT_FOUND: no such device.
 */
HF_MUST_USE hf_err hf_key_revoke(struct hf_key_client *c, const char *what, unsigned reason,
	uint64_t *number, struct hf_errinfo *ei);

/* Hub: appends the revocation list, if it is another one than number `have`; else nothing. */
HF_MUST_USE hf_err hf_key_revocations(
	struct hf_key_client *c, uint64_t have, struct hf_buf *crl, struct hf_errinfo *ei);

/* Hub, local: a token for one device. text has room for HF_TOKEN_TEXT_MAX. */
HF_MUST_USE hf_err hf_key_make_token(struct hf_key_client *c, const char *device, const char *role,
	enum hf_level level, uint64_t life_s, char *text, struct hf_errinfo *ei);

#endif
