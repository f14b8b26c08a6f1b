/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of the engine: what exists only during the handshake, and what its files share. Every
 * function here that fails through hf_tls_die() has already recorded why and which alert goes out.
 */
#ifndef HF_TLS_HS_H
#define HF_TLS_HS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "crypto/sm2.h"
#include "crypto/sm3.h"
#include "tls/msg.h"
#include "tls/states.h"
#include "tls/tls.h"

struct hf_tls_hs {
	const struct hf_tls_suite *suite; /* chosen; a client's after a hello of the server */
	struct hf_sm3 transcript;
	uint8_t secret[HF_SM3_LEN]; /* early, handshake or master secret: the present stage */
	uint8_t c_hs[HF_SM3_LEN];   /* handshake traffic secrets, for Finished */
	uint8_t s_hs[HF_SM3_LEN];
	uint8_t c_ap[HF_SM3_LEN]; /* first application traffic secrets */
	uint8_t s_ap[HF_SM3_LEN];
	struct hf_sm2_key eph; /* our part of the key exchange */
	uint8_t random[HF_TLS_RANDOM_LEN];
	uint8_t session[HF_TLS_SESSION_MAX]; /* ours (client) or the client's (server) */
	size_t session_len;
	uint8_t fixed[HF_SM3_LEN]; /* server: digest of the first ClientHello's unchanging part */
	uint8_t cookie[HF_SM3_LEN];
	bool sent_share;              /* client: the ClientHello had our share */
	bool is_retried;              /* a HelloRetryRequest was sent or received */
	bool is_asked;                /* client: the server wants a certificate */
	bool wants_status;            /* the peer wants the status of our certificates with them */
	bool is_psk;                  /* a pre-shared key takes the place of certificates */
	bool is_psk_ke;               /* and there is no fresh key exchange */
	uint16_t psk;                 /* server: its index in the client's hello */
	unsigned modes;               /* server: the client's psk_key_exchange_modes */
	bool has_limit;               /* server: the client said how long records may be */
	size_t early_left;            /* server: bytes of early data that may still be skipped */
	uint8_t early[HF_SM3_LEN];    /* client: early secret of the key that is offered */
	struct hf_tls_session *offer; /* client: a copy of the session that is offered */
	struct hf_tls_cv cv;          /* our CertificateVerify */
	uint8_t digest[HF_SM3_LEN];   /* e of it */
	struct hf_buf name;           /* client: server_name with terminator */
};

/* One handshake message. whole is its header and body. */
struct hf_tls_msg {
	const uint8_t *whole;
	size_t whole_len;
	const uint8_t *body;
	size_t len;
};

/* Makes e the link's failure (unless there is one), queues the alert and returns the failure. */
hf_err hf_tls_die(struct hf_tls *t, unsigned alert, hf_err e);

/* Refuses a body: decode_error, or illegal_parameter where a value is out of range. */
hf_err hf_tls_bad_body(struct hf_tls *t, hf_err e, const char *message);

/* Goes on to the next state; unexpected_message where the table says no. */
HF_MUST_USE hf_err hf_tls_step(struct hf_tls *t, enum hf_tls_event ev);

/* Queues one record. */
HF_MUST_USE hf_err hf_tls_put_record(
	struct hf_tls *t, enum hf_tls_type type, const uint8_t *in, size_t len, size_t pad);

/* Queues a whole message, in as few records as it fits in. */
HF_MUST_USE hf_err hf_tls_put_msg(struct hf_tls *t, const uint8_t *msg, size_t len);

/* Adds a whole message to the transcript and queues it. */
HF_MUST_USE hf_err hf_tls_send_msg(struct hf_tls *t, const uint8_t *msg, size_t len);

/* Queues a change_cipher_spec for boxes in between (RFC 8446 D.4). */
HF_MUST_USE hf_err hf_tls_send_ccs(struct hf_tls *t);

/* The transcript hash up to now; and adding a message to it. */
void hf_tls_hash(const struct hf_tls *t, uint8_t out[HF_SM3_LEN]);
void hf_tls_absorb(struct hf_tls *t, const struct hf_tls_msg *m);

/* RFC 8446 4.4.1: the first ClientHello becomes a message of its hash. */
void hf_tls_absorb_retry(struct hf_tls *t);

/* New keys for reading. No byte may lie behind the message that brought them (RFC 8446 5.1). */
HF_MUST_USE hf_err hf_tls_set_rx(
	struct hf_tls *t, const uint8_t secret[HF_SM3_LEN], const struct hf_tls_msg *m);

/* New keys for writing. */
HF_MUST_USE hf_err hf_tls_set_tx(struct hf_tls *t, const uint8_t secret[HF_SM3_LEN]);

/*
 * From the early secret in hs->secret: ECDH with the peer's point (empty: a pre-shared key alone),
 * then the handshake traffic secrets; the transcript ends with SH.
 */
HF_MUST_USE hf_err hf_tls_agree(struct hf_tls *t, struct hf_bytes share);

/* The application secrets and the exporter; the transcript ends with the server's Finished. */
HF_MUST_USE hf_err hf_tls_make_master(struct hf_tls *t);

/* The resumption secret; the transcript ends with the client's Finished. */
HF_MUST_USE hf_err hf_tls_make_res(const struct hf_tls *t, uint8_t out[HF_SM3_LEN]);

/* The peer's record_size_limit, which is checked. */
HF_MUST_USE hf_err hf_tls_take_limit(struct hf_tls *t, uint16_t limit);

/* Bytes of content in a record that we agreed to take. */
size_t hf_tls_rx_max(const struct hf_tls *t);

/* The time of day, by the clock of hf_tls_feed(). */
uint64_t hf_tls_wall_s(const struct hf_tls *t);

/* psk.c: pre-shared keys, what both ends do with them. */
struct hf_tls_resume;

/* The binder of a hello whose bytes up to the binders are given; early: the key's early secret. */
HF_MUST_USE hf_err hf_tls_binder(const struct hf_tls *t, uint8_t out[HF_SM3_LEN],
	const uint8_t early[HF_SM3_LEN], bool is_external, struct hf_bytes hello);

/* The link as it may be resumed, without key and ticket. False: it may not. */
bool hf_tls_describe(const struct hf_tls *t, struct hf_tls_resume *r);

/* Are these certificates, checked once, good today? Says nothing to the peer. */
bool hf_tls_peer_is_still_good(struct hf_tls *t, const struct hf_tls_resume *r);

/* They are the peer's. */
HF_MUST_USE hf_err hf_tls_peer_take_again(struct hf_tls *t, const struct hf_tls_resume *r);

/* psk_client.c: chooses what is offered; the server took it; a ticket came. */
HF_MUST_USE hf_err hf_tls_client_offer(struct hf_tls *t, struct hf_tls_session *session);
HF_MUST_USE hf_err hf_tls_client_psk(struct hf_tls *t, const struct hf_tls_server_hello *h);
HF_MUST_USE hf_err hf_tls_client_ticket(struct hf_tls *t, const struct hf_tls_ticket *ticket);

/* psk_server.c: takes a key of the hello if one fits; sends tickets. */
HF_MUST_USE hf_err hf_tls_server_psk(
	struct hf_tls *t, const struct hf_tls_client_hello *h, const struct hf_tls_msg *m);
HF_MUST_USE hf_err hf_tls_server_tickets(struct hf_tls *t);

/* names.c: the host name a client asks for; the server's choice by ALPN; the client's check of it.
 */
HF_MUST_USE hf_err hf_tls_keep_sni(struct hf_tls *t, struct hf_bytes name);
HF_MUST_USE hf_err hf_tls_choose_alpn(struct hf_tls *t, struct hf_bytes list);
HF_MUST_USE hf_err hf_tls_accept_alpn(struct hf_tls *t, struct hf_bytes name);

/* auth.c: certificates and signatures, the same for both roles. */
HF_MUST_USE hf_err hf_tls_send_chain(struct hf_tls *t);
HF_MUST_USE hf_err hf_tls_make_digest(struct hf_tls *t);
HF_MUST_USE hf_err hf_tls_sign_now(struct hf_tls *t, struct hf_sm2_sig *sig);
HF_MUST_USE hf_err hf_tls_send_verify(struct hf_tls *t, const struct hf_sm2_sig *sig);
HF_MUST_USE hf_err hf_tls_send_finished(struct hf_tls *t, const uint8_t traffic[HF_SM3_LEN]);
HF_MUST_USE hf_err hf_tls_take_chain(struct hf_tls *t, const struct hf_tls_cert_list *list);
HF_MUST_USE hf_err hf_tls_take_verify(struct hf_tls *t, const struct hf_tls_msg *m);
void hf_tls_ask_chain(struct hf_tls *t, const struct hf_tls_msg *m); /* as tls/jobs.h has it */
void hf_tls_ask_cv(struct hf_tls *t, const struct hf_tls_msg *m);
HF_MUST_USE hf_err hf_tls_take_finished(
	struct hf_tls *t, const struct hf_tls_msg *m, const uint8_t traffic[HF_SM3_LEN]);

/* hs_client.c, hs_server.c */
HF_MUST_USE hf_err hf_tls_client_start(struct hf_tls *t);
HF_MUST_USE hf_err hf_tls_client_msg(
	struct hf_tls *t, enum hf_tls_event ev, const struct hf_tls_msg *m);
HF_MUST_USE hf_err hf_tls_client_signed(struct hf_tls *t, const struct hf_sm2_sig *sig);
HF_MUST_USE hf_err hf_tls_server_msg(
	struct hf_tls *t, enum hf_tls_event ev, const struct hf_tls_msg *m);
HF_MUST_USE hf_err hf_tls_server_signed(struct hf_tls *t, const struct hf_sm2_sig *sig);

void hf_tls_client_ask(struct hf_tls *t, const struct hf_tls_msg *m); /* for a ServerHello */
void hf_tls_server_ask(struct hf_tls *t, const struct hf_tls_msg *m); /* for a ClientHello */

/* post.c: after the handshake */
HF_MUST_USE hf_err hf_tls_post_msg(
	struct hf_tls *t, enum hf_tls_event ev, const struct hf_tls_msg *m);
HF_MUST_USE hf_err hf_tls_send_update(struct hf_tls *t, bool ask);
HF_MUST_USE hf_err hf_tls_rekey_if_due(struct hf_tls *t);

/* True if our own keys are due before the next record. */
bool hf_tls_tx_is_due(const struct hf_tls *t);
uint64_t hf_tls_rekey_deadline(const struct hf_tls *t);

/* heard.c: what is at the wrong moment, and ends the link. */
hf_err hf_tls_unexpected(struct hf_tls *t, const char *what);

/* Content of a handshake record: adds it and takes every message that is complete. */
HF_MUST_USE hf_err hf_tls_take_handshake(struct hf_tls *t, const uint8_t *in, size_t len);

/* Takes the complete messages that there are, until one has to wait. */
HF_MUST_USE hf_err hf_tls_take_msgs(struct hf_tls *t);

/* The peer ends the link with an alert; returns the failure. */
hf_err hf_tls_take_end(struct hf_tls *t, uint8_t alert);

/* Counts records in a row that bring nothing; too many are a flood. */
HF_MUST_USE hf_err hf_tls_count_empty(struct hf_tls *t, bool is_empty);

/* recv.c: the five bytes of a record's head, then the whole record. */
HF_MUST_USE hf_err hf_tls_check_head(struct hf_tls *t, const uint8_t *in);
HF_MUST_USE hf_err hf_tls_take_record(struct hf_tls *t, const uint8_t *record);
HF_MUST_USE hf_err hf_tls_take_msg(struct hf_tls *t, const struct hf_tls_msg *m);

#endif
