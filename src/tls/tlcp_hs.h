/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of TLCP: what a link of it holds besides struct hf_tls, what exists only during the
 * handshake, and what its files share. As in hs.h, a function that fails through hf_tls_die() has
 * recorded why and which alert goes out.
 */
#ifndef HF_TLS_TLCP_HS_H
#define HF_TLS_TLCP_HS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "crypto/sm2.h"
#include "crypto/sm3.h"
#include "tls/hs.h"
#include "tls/peer.h"
#include "tls/tlcp.h"
#include "tls/tlcp_msg.h"
#include "tls/tlcp_record.h"
#include "tls/tlcp_states.h"
#include "tls/tls.h"

enum {
	HF_TLCP_BLOCK_MAX = 2 * (HF_SM3_LEN + HF_SM4_KEY_LEN + HF_SM4_BLOCK_LEN),
	HF_TLCP_SUITES = 4,
};

/* A key exchange: what its ServerKeyExchange and ClientKeyExchange carry, and what comes of them.
 */
struct hf_tlcp_kx {
	bool is_ephemeral; /* forward secrecy; needs the encryption certificates of both sides */

	/* Server: makes what ServerKeyExchange carries, and says what is signed. */
	hf_err (*make)(struct hf_tls *t, struct hf_tlcp_tbs *tbs);

	/* Client: reads a ServerKeyExchange. */
	hf_err (*take)(struct hf_tls *t, const struct hf_tls_msg *m, struct hf_tlcp_tbs *tbs,
		struct hf_bytes *sig);

	/* Client: sends ClientKeyExchange; server: takes it. Both know the pre-master secret then.
	 */
	hf_err (*send)(struct hf_tls *t);
	hf_err (*receive)(struct hf_tls *t, const struct hf_tls_msg *m);
};

extern const struct hf_tlcp_kx hf_tlcp_kx_ecc;
extern const struct hf_tlcp_kx hf_tlcp_kx_ecdhe;

struct hf_tlcp_suite {
	uint16_t code;
	unsigned bit; /* HF_TLCP_ECC_SM4_GCM_SM3 and so on */
	const char *name;
	const struct hf_tlcp_kx *kx;
	const struct hf_tlcp_cipher *cipher;
	bool is_cbc;
	enum hf_policy_row row; /* that allows its key exchange */
};

/* Best first. */
extern const struct hf_tlcp_suite hf_tlcp_suites[HF_TLCP_SUITES];

/* The row of the suite that this configuration may not use; HF_ROW_COUNT: it may. */
enum hf_policy_row hf_tlcp_suite_row(
	const struct hf_tls_config *cfg, const struct hf_tlcp_suite *suite);

/* True if the configuration uses the suite; what it needs is there. */
bool hf_tlcp_suite_is_on(const struct hf_tls_config *cfg, const struct hf_tlcp_suite *suite);

/* NULL: none of ours. */
const struct hf_tlcp_suite *hf_tlcp_suite_find(uint16_t code);

/* What only the handshake needs. */
struct hf_tlcp_hs {
	struct hf_sm3 transcript;
	struct hf_buf raw;   /* with cv_raw: the messages themselves */
	uint8_t randoms[64]; /* of the client, of the server */
	uint8_t pms[HF_TLCP_MASTER_LEN];
	uint8_t block[HF_TLCP_BLOCK_MAX]; /* key block */
	struct hf_sm2_key eph;            /* ECDHE: our passing pair */
	struct hf_sm2_pub peer_r;         /* and the peer's */
	struct hf_cert peer_enc;          /* the peer's encryption certificate, in peer_der */
	bool has_peer_enc;
	bool is_asked;                     /* client: the server wants a certificate */
	uint8_t params[HF_TLCP_POINT_LEN]; /* ECDHE: curve and point of ServerKeyExchange */
	size_t params_len;                 /* 0: none */
	struct hf_tlcp_tbs tbs;            /* what we sign */
	uint8_t hash[HF_SM3_LEN];          /* content of a CertificateVerify's */
	uint8_t digest[HF_SM3_LEN];        /* e of it */
	struct hf_tlcp_session offer;      /* client: what it would resume; server: what it does */
	struct hf_buf name;                /* client: server_name with terminator */
};

/* What lives as long as the link. */
struct hf_tlcp {
	struct hf_tlcp_hs *hs; /* NULL: the handshake is over */
	const struct hf_tlcp_suite *suite;
	struct hf_tlcp_dir tx;
	struct hf_tlcp_dir rx;
	struct hf_tlcp_session session; /* without certificates, which t has */
	bool is_resumed;
	uint8_t n_warnings;
};

/* Goes on to the next state; unexpected_message where the table says no. */
HF_MUST_USE hf_err hf_tlcp_step(struct hf_tls *t, enum hf_tlcp_event ev);

/* Adds to the transcript. */
HF_MUST_USE hf_err hf_tlcp_absorb(struct hf_tls *t, const uint8_t *msg, size_t len);

/* Adds a whole message to the transcript and queues it. */
HF_MUST_USE hf_err hf_tlcp_send_msg(struct hf_tls *t, const uint8_t *msg, size_t len);
void hf_tlcp_hash(const struct hf_tls *t, uint8_t out[HF_SM3_LEN]);

/* tlcp_keys.c: from the pre-master secret; from the master secret; the keys of a direction. */
void hf_tlcp_make_master(struct hf_tls *t);
void hf_tlcp_make_block(struct hf_tls *t);
HF_MUST_USE hf_err hf_tlcp_start_tx(struct hf_tls *t);
HF_MUST_USE hf_err hf_tlcp_start_rx(struct hf_tls *t);

/* tlcp_cert.c */
HF_MUST_USE hf_err hf_tlcp_send_chain(struct hf_tls *t);
HF_MUST_USE hf_err hf_tlcp_send_request(struct hf_tls *t);
HF_MUST_USE hf_err hf_tlcp_take_chain(struct hf_tls *t, const struct hf_tlcp_cert_list *list);
void hf_tlcp_ask_chain(struct hf_tls *t, const struct hf_tls_msg *m); /* as tls/jobs.h has it */

/* Are these certificates of the peer, checked once, good today? Says nothing to the peer. */
bool hf_tlcp_peer_is_still_good(
	struct hf_tls *t, const struct hf_tlcp_suite *suite, const struct hf_tlcp_cert_list *list);

/* They are the peer's. */
HF_MUST_USE hf_err hf_tlcp_peer_take_again(struct hf_tls *t, const struct hf_tlcp_cert_list *list);

/* tlcp_verify.c */
HF_MUST_USE hf_err hf_tlcp_make_digest(struct hf_tls *t);
HF_MUST_USE hf_err hf_tlcp_sign_now(struct hf_tls *t, struct hf_sm2_sig *sig);
HF_MUST_USE hf_err hf_tlcp_check_sig(
	struct hf_tls *t, const struct hf_tlcp_tbs *tbs, struct hf_bytes sig);
void hf_tlcp_ask_sig(struct hf_tls *t, const struct hf_tlcp_tbs *tbs, struct hf_bytes sig);
void hf_tlcp_ask_cv(struct hf_tls *t, const struct hf_tls_msg *m);
HF_MUST_USE hf_err hf_tlcp_verify_tbs(struct hf_tls *t, struct hf_tlcp_tbs *tbs);
HF_MUST_USE hf_err hf_tlcp_take_verify(struct hf_tls *t, const struct hf_tls_msg *m);
HF_MUST_USE hf_err hf_tlcp_send_verify(struct hf_tls *t, const struct hf_sm2_sig *sig);

/* tlcp_finished.c: change_cipher_spec and Finished. */
HF_MUST_USE hf_err hf_tlcp_send_finished(struct hf_tls *t);
HF_MUST_USE hf_err hf_tlcp_take_finished(struct hf_tls *t, const struct hf_tls_msg *m);

/* tlcp_resume.c: what a session of this link is bound to. */
void hf_tlcp_bound(
	const struct hf_tls *t, const struct hf_tlcp_suite *suite, uint8_t out[HF_SM3_LEN]);

/* True if the session may be offered, or taken up, by this link. */
bool hf_tlcp_session_fits(struct hf_tls *t, const struct hf_tlcp_session *s);

/* This link is one of the session, which fits. */
HF_MUST_USE hf_err hf_tlcp_session_take_up(struct hf_tls *t, const struct hf_tlcp_session *from);

/* The link as a session, which borrows its certificates; it holds a secret. False: it makes none.
 */
bool hf_tlcp_session_describe(const struct hf_tls *t, struct hf_tlcp_session *out);

/* tlcp_client.c, tlcp_server.c */
HF_MUST_USE hf_err hf_tlcp_client_start(struct hf_tls *t);
HF_MUST_USE hf_err hf_tlcp_client_msg(
	struct hf_tls *t, enum hf_tlcp_event ev, const struct hf_tls_msg *m);
void hf_tlcp_client_ask(struct hf_tls *t, const struct hf_tls_msg *m); /* ServerKeyExchange */
HF_MUST_USE hf_err hf_tlcp_client_signed(struct hf_tls *t, const struct hf_sm2_sig *sig);
HF_MUST_USE hf_err hf_tlcp_server_msg(
	struct hf_tls *t, enum hf_tlcp_event ev, const struct hf_tls_msg *m);
HF_MUST_USE hf_err hf_tlcp_server_signed(struct hf_tls *t, const struct hf_sm2_sig *sig);

/* tlcp_recv.c */
HF_MUST_USE hf_err hf_tlcp_take_msg(struct hf_tls *t, const struct hf_tls_msg *m);
HF_MUST_USE hf_err hf_tlcp_check_head(struct hf_tls *t, const uint8_t *in);
HF_MUST_USE hf_err hf_tlcp_take_record(struct hf_tls *t, const uint8_t *record);

/* True if sessions may be resumed at this level: their keys have no exchange of their own. */
static inline bool hf_tlcp_can_resume(const struct hf_tls *t)
{
	return hf_policy(HF_ROW_PSK_KE, t->cfg->level) != 0;
}

#endif
