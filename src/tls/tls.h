/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One end of a TLS 1.3 link with the national ciphers (RFC 8446, RFC 8998): TLS_SM4_GCM_SM3 or
 * TLS_SM4_CCM_SM3, curveSM2, sm2sig_sm3. It does no I/O: bytes from the peer go in with
 *hf_tls_feed(), bytes for the peer come out of hf_tls_out(), and any split of the input gives the
 *same result.
 *
 *	feed -> [ records -> handshake | data ] -> plain/took, read
 *	write -> [ records ] -> out/sent
 *
 * Failures stick: after the first one every call returns it; what hf_tls_out() still has (an alert)
 * should be sent before the connection is closed. One thread at a time per object.
 */
#ifndef HF_TLS_TLS_H
#define HF_TLS_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "crypto/sm2.h"
#include "pki/cert.h"
#include "pki/chain.h"
#include "pki/crl.h"
#include "pki/signer.h"
#include "policy/policy.h"
#include "tls/alert.h"
#include "tls/record.h"
#include "tls/session.h"
#include "tls/tickets.h"

enum {
	HF_TLS_ALPN_MAX = 32,       /* longest protocol name, bytes */
	HF_TLS_N_ALPN_MAX = 8,      /* protocol names of a configuration */
	HF_TLS_NAME_MAX = 255,      /* longest server name, bytes */
	HF_TLS_MESSAGE_MAX = 32768, /* longest handshake message that any limit allows */
	HF_TLS_N_TICKETS_MAX = 4,   /* tickets that a server sends at once */
	HF_TLS_PSK_MIN = 16,        /* bytes of a key that both ends were given */
	HF_TLS_PSK_MAX = 64,
	HF_TLS_IDENTITY_MAX = 255,
};

/* Protocols of a configuration; a set. */
enum {
	HF_TLS_13 = 1 << 0,   /* TLS 1.3 with the national ciphers */
	HF_TLS_TLCP = 1 << 1, /* TLCP 1.1, GB/T 38636-2020 */
};

enum hf_tls_role { HF_TLS_CLIENT, HF_TLS_SERVER };

/* What the engine can go on with; a set, see hf_tls_wants(). */
enum {
	HF_WANT_READ = 1 << 0,  /* bytes from the peer */
	HF_WANT_WRITE = 1 << 1, /* hf_tls_out() has bytes to send */
	HF_WANT_SIGN = 1 << 2,  /* a signature, see hf_tls_sign_get() */
	HF_WANT_TAKE = 1 << 3,  /* plaintext lies ready */
	HF_WANT_SM2 = 1 << 4,   /* operations of SM2, see hf_tls_jobs_run() */
};

/* Never this deadline. */
#define HF_TLS_NEVER UINT64_MAX

/* Everything that can grow. hf_tls_config_init() fills in the usual values. */
struct hf_tls_limits {
	size_t message_max;     /* handshake message, <= HF_TLS_MESSAGE_MAX */
	size_t out_max;         /* bytes waiting in hf_tls_out() before hf_tls_write() takes none */
	size_t plain_max;       /* plaintext waiting to be read; at least one record */
	uint64_t handshake_ms;  /* the handshake is over by then */
	uint64_t rekey_records; /* a traffic key protects at most this much */
	uint64_t rekey_bytes;
	uint64_t rekey_ms;
};

struct hf_tlcp_config;
struct hf_tlcp_session;

/* A key that both ends were given, and what it is called on the wire, which is no secret. */
struct hf_tls_psk {
	struct hf_bytes identity; /* 1 .. HF_TLS_IDENTITY_MAX bytes */
	struct hf_bytes key;      /* HF_TLS_PSK_MIN .. HF_TLS_PSK_MAX bytes, as good as random */
};

/* Shared by many links, never written by them, and must outlive them, with all it points to. */
struct hf_tls_config {
	enum hf_tls_role role;
	enum hf_level level; /* whose rows stand in what is refused */
	unsigned protocols;  /* set of HF_TLS_13, HF_TLS_TLCP; a client has one */
	const struct hf_mem *mem;
	const struct hf_rng *rng;

	/* Who we are. No chain: a client without certificate. */
	const struct hf_bytes *chain; /* DER, leaf first, each signed by the next */
	size_t n_chain;
	const struct hf_bytes *staples; /* OCSP response for each of chain, or empty; NULL: none */
	const struct hf_signer
		*signer; /* key of the leaf; NULL: the engine stops at HF_WANT_SIGN */

	/* Whom we believe. */
	const struct hf_cert *roots;
	size_t n_roots;
	const uint8_t *root_pin; /* SM3 of a root that the peer itself may present; or NULL */
	const struct hf_crl *crls;
	size_t n_crls;
	bool need_crl;
	uint64_t crl_age_max_s;
	bool ask_staple; /* ask the peer for the status of its certificates: it counts like a list
			  */
	bool ask_client_cert;     /* server: request a certificate */
	bool require_client_cert; /* server: and end the handshake without one */
	bool enrol; /* server: a self-signed client is let in, marked (hf_tls_is_self_signed) */

	const struct hf_tlcp_config *tlcp; /* what TLCP needs besides (tls/tlcp.h), or NULL */

	const char *const *alpn; /* best first; the server's order decides */
	size_t n_alpn;

	unsigned suites; /* set of HF_TLS_SUITE_*: those of TLS 1.3 that are offered or taken */

	/*
	 * Resumption. Tickets are sent after a handshake with certificates, to a client that says
	 * it can use them; a resumed link has the peer's certificates, checked again.
	 */
	const struct hf_tls_tickets *tickets; /* server: sends and takes tickets; NULL: neither */
	uint8_t n_tickets;                    /* server: so many; <= HF_TLS_N_TICKETS_MAX */
	bool keep_session;                    /* client: keeps tickets, see hf_tls_session_take() */

	/*
	 * For the smallest ends: keys that stand in for certificates; hf_tls_peer() is NULL then,
	 * and hf_tls_psk_identity() says who it is, also where a certificate is required of others.
	 * A client offers the first; a server takes any of them, and without a chain of its own
	 * nothing else.
	 */
	const struct hf_tls_psk *psks;
	size_t n_psks;
	bool psk_ke; /* a key of either kind may do without a fresh key exchange: no forward secrecy
		      */

	uint16_t record_limit; /* record_size_limit that we ask for, 64..16385; 0: none */

	bool middlebox;    /* client: look like TLS 1.2 to boxes in between (RFC 8446 D.4) */
	bool defer_share;  /* client: let the server ask for the group; costs one round trip */
	bool retry_cookie; /* server: a HelloRetryRequest carries a cookie */
	uint16_t pad_to;   /* records of data are padded to a multiple of this; 0: not */
	struct hf_tls_limits limits;
};

/* What is special to one link. Copied by hf_tls_init(), except what want points to. */
struct hf_tls_start {
	const char *server_name;             /* client: SNI; NULL or an address: none is sent */
	const struct hf_identity_want *want; /* what the peer's leaf must be; NULL: anybody */
	uint64_t now_s;                      /* seconds since 1970, for certificates */
	uint64_t now_ms;                     /* any steady clock, the one of hf_tls_feed() */
	const struct hf_tlcp_session *tlcp_session; /* client: a session to resume, or NULL */
	struct hf_tls_session *session; /* client: offered if it fits, and marked; NULL: none */
	/*
	 * The link stops where its handshake needs SM2 (HF_WANT_SM2), so that what many links need
	 * can be done at once (tls/jobs.h); a client does so before its first message.
	 */
	bool defer_sm2;
};

struct hf_tls_proto; /* tls/proto.h */
struct hf_tlcp;      /* TLCP's own state, while that is the protocol */
struct hf_tls_jobs;  /* what is done for it (tls/jobs.h), during the handshake */
struct hf_tls_hs;    /* what only the handshake needs (tls/hs.h); freed when it is over */

/* Storage for one link. The fields are the engine's own. */
struct hf_tls {
	const struct hf_tls_config *cfg;
	const struct hf_tls_proto *proto;
	const struct hf_identity_want *want;
	const struct hf_tls_start *start; /* during hf_tls_init() only */
	struct hf_tls_hs *hs;
	struct hf_tlcp *tlcp;
	struct hf_tls_jobs *jobs; /* NULL: it does everything itself */
	uint8_t state;            /* of the protocol: enum hf_tls_state and its kin */
	hf_err err;               /* first failure; HF_OK: none */
	struct hf_errinfo why;
	uint16_t alert_sent; /* enum hf_alert */
	uint16_t alert_got;
	bool is_closing; /* close_notify sent: nothing more is written */
	bool is_closed;  /* close_notify received: nothing more is read */
	bool is_self_signed;
	bool is_resumed;
	bool has_rx_limit; /* the peer knows our record_limit */
	bool has_alpn;
	bool asked_update; /* the peer was asked for new keys and has not answered */
	bool seen_record;  /* the first record was one of TLS */
	uint8_t n_ccs;     /* change_cipher_spec records received */
	uint8_t n_empty;   /* records without content in a row */
	uint8_t n_updates; /* KeyUpdates in a row */
	uint8_t n_tickets;
	uint8_t n_peer;
	uint8_t alpn;    /* index into cfg->alpn */
	uint16_t psk;    /* one more than the index into cfg->psks; 0: none of them */
	uint16_t tx_max; /* bytes of content that the peer takes in one record */
	uint64_t start_ms;
	uint64_t now_ms;
	uint64_t end_ms;     /* deadline of the handshake */
	uint64_t updates_ms; /* when n_updates last became 0 */
	uint64_t now_s;
	struct hf_tls_dir tx;
	struct hf_tls_dir rx;
	uint8_t exporter[HF_SM3_LEN];   /* exporter_master_secret */
	uint8_t res[HF_SM3_LEN];        /* client that keeps tickets: resumption_master_secret */
	uint64_t first_s;               /* when the peer last showed its certificates */
	struct hf_tls_session *session; /* made of the newest ticket */
	struct hf_buf rec;              /* a record that is not complete yet */
	struct hf_buf msg;              /* a handshake message that is not complete yet */
	struct hf_buf plain;
	size_t plain_at; /* bytes of plain already taken */
	struct hf_buf out;
	size_t out_at;          /* bytes of out already sent */
	struct hf_buf peer_der; /* the peer's certificates, one behind the other */
	uint16_t peer_len[HF_CHAIN_MAX];
	struct hf_cert peer; /* the leaf, pointing into peer_der */
	struct hf_buf sni;   /* the name that the client asked for, with terminator */
};

/*
 * Usual limits, rekeying and revocation as the level's row of the policy table says; everything
 * else empty, to be filled in.
 */
void hf_tls_config_init(struct hf_tls_config *cfg, enum hf_tls_role role, enum hf_level level);

/*
 * Begins a link; a client's first message is in hf_tls_out() at once. End it with hf_tls_clear()
 * whatever was returned. HF_ERR_ARG: the configuration contradicts itself (why->text says how).
 */
HF_MUST_USE hf_err hf_tls_init(
	struct hf_tls *t, const struct hf_tls_config *cfg, const struct hf_tls_start *start);

/* Wipes and frees. Says nothing to the peer: see hf_tls_close(). Accepts { 0 }. */
void hf_tls_clear(struct hf_tls *t);

/*
 * Takes bytes from the peer; *used says how many. Fewer than in_len: plaintext must be taken, a
 * signature given, or hf_tls_jobs_run() called, before more is accepted. in_len 0 only tells the
 * time (hf_tls_deadline), or goes on with what hf_tls_jobs_run() did.
 * HF_ERR_AUTH: record altered, or the peer is not who it should be. HF_ERR_EXPIRED, _DENIED,
 * _REVOKED, _STALE: its certificate (also _DENIED: the peer refused ours). HF_ERR_FORMAT,
 * _TRUNCATED, _UNSUPPORTED: not what the protocol says. HF_ERR_STATE: at the wrong moment.
 * HF_ERR_LIMIT: a limit or a flood. HF_ERR_NET: another alert. HF_ERR_TIMEOUT: handshake too slow.
 */
HF_MUST_USE hf_err hf_tls_feed(
	struct hf_tls *t, size_t *used, const uint8_t *in, size_t in_len, uint64_t now_ms);

/*
 * The peer's stream ended. HF_ERR_CLOSED: it had said so (close_notify). HF_ERR_TRUNCATED: it had
 * not; what was read may be cut short.
 */
HF_MUST_USE hf_err hf_tls_eof(struct hf_tls *t);

/* How many bytes wait for the peer, and where; also after a failure. Valid until the next call. */
size_t hf_tls_out(const struct hf_tls *t, const uint8_t **bytes);

/* The first n of them are on their way. */
void hf_tls_sent(struct hf_tls *t, size_t n);

/* A set of HF_WANT_*; 0: the link is over. */
unsigned hf_tls_wants(const struct hf_tls *t);

/* Call hf_tls_feed() no later than this, with or without bytes; HF_TLS_NEVER: no need. */
uint64_t hf_tls_deadline(const struct hf_tls *t);

/*
 * Gives back the memory of empty buffers. Call it before waiting for a quiet peer: an idle link
 * then holds its keys and the peer's certificates, nothing else.
 */
void hf_tls_trim(struct hf_tls *t);

/*
 * Protects data for the peer; *used says how much was taken, less than len (also 0) when limits'
 * out_max is reached: send and call again. HF_ERR_STATE: closed by us. HF_ERR_AGAIN: the handshake
 * is not over yet; neither of the two sticks.
 */
HF_MUST_USE hf_err hf_tls_write(struct hf_tls *t, size_t *used, const uint8_t *in, size_t len);

/* How much plaintext lies ready, and where. Valid until the next call that takes a non-const t. */
size_t hf_tls_plain(const struct hf_tls *t, const uint8_t **bytes);

/* The first n bytes of it are dealt with. */
void hf_tls_took(struct hf_tls *t, size_t n);

/*
 * Copies and takes at most cap bytes. HF_ERR_AGAIN: nothing yet. HF_ERR_CLOSED: everything was
 * read and the peer closed in an orderly way. Plaintext that came before a failure is still given.
 */
HF_MUST_USE hf_err hf_tls_read(struct hf_tls *t, size_t *len, uint8_t *out, size_t cap);

/* Says close_notify: nothing can be written any more, reading goes on. Twice is once. */
HF_MUST_USE hf_err hf_tls_close(struct hf_tls *t);

/*
 * Ends the link because of what is not the protocol's affair: who the peer is, or what lies behind
 * us. alert (not HF_ALERT_CLOSE_NOTIFY, HF_ALERT_NONE: none) goes to the peer, e (not HF_OK) with
 * text becomes the failure of the link, which it returns.
 */
hf_err hf_tls_refuse(struct hf_tls *t, unsigned alert, hf_err e, const char *text);

/*
 * New keys for what we send; ask: the peer shall do the same. HF_ERR_STATE: not now;
 * HF_ERR_UNSUPPORTED: the protocol has none (TLCP). Neither sticks.
 */
HF_MUST_USE hf_err hf_tls_key_update(struct hf_tls *t, bool ask);

/*
 * What a CertificateVerify says: who signs, over which handshake (RFC 8446 4.4.3). A key in another
 * process makes the digest itself from it, so whoever asks can have nothing else signed.
 */
struct hf_tls_cv {
	enum hf_tls_role role; /* of who signs */
	uint8_t transcript[HF_SM3_LEN];
};

/* The digest e to be signed by the key pub. */
HF_MUST_USE hf_err hf_tls_cv_digest(
	uint8_t e[HF_SM3_LEN], const struct hf_tls_cv *cv, const struct hf_sm2_pub *pub);

/*
 * With HF_WANT_SIGN: what to sign with the key of our leaf. HF_ERR_STATE: none wanted.
 * HF_ERR_UNSUPPORTED: a link of TLCP, see hf_tlcp_sign_get().
 */
HF_MUST_USE hf_err hf_tls_sign_get(const struct hf_tls *t, struct hf_tls_cv *cv);

/* The signature of its digest. HF_ERR_STATE: none wanted (does not stick). */
HF_MUST_USE hf_err hf_tls_sign_done(struct hf_tls *t, const struct hf_sm2_sig *sig);

/* There will be no signature; why (not HF_OK) becomes the failure of the link, which it returns. */
hf_err hf_tls_sign_failed(struct hf_tls *t, hf_err why);

/* True once both Finished are checked and the link carries data. Stays true after a failure. */
bool hf_tls_is_open(const struct hf_tls *t);

/* The first failure (HF_OK: none), why, and the alerts (HF_ALERT_NONE: none). */
hf_err hf_tls_error(const struct hf_tls *t);
const struct hf_errinfo *hf_tls_why(const struct hf_tls *t);
unsigned hf_tls_alert_sent(const struct hf_tls *t);
unsigned hf_tls_alert_got(const struct hf_tls *t);

/*
 * The peer's leaf certificate, checked; NULL while it is not, or where a client showed none.
 * Its .identity is who the peer is. Valid as long as the link.
 */
const struct hf_cert *hf_tls_peer(const struct hf_tls *t);

/* The i-th certificate the peer sent, leaf first; empty when there are no more. */
struct hf_bytes hf_tls_peer_der(const struct hf_tls *t, size_t i);

/*
 * Have these lists revoked the peer, or a certificate that it came with? For links that were open
 * before the lists were there; age is not asked. HF_ERR_REVOKED: yes, and ei says which; end the
 * link with hf_tls_refuse(). HF_OK: no, or no peer is known.
 */
HF_MUST_USE hf_err hf_tls_recheck(const struct hf_tls *t, const struct hf_crl *crls, size_t n_crls,
	uint64_t now_s, struct hf_errinfo *ei);

/* True if the link took up an earlier one: no certificate was shown, the earlier ones hold. */
bool hf_tls_is_resumed(const struct hf_tls *t);

/*
 * Client: the newest ticket that came, as a session that the caller ends with
 * hf_tls_session_free(); NULL: none since the last call. A server may send some at any time.
 */
struct hf_tls_session *hf_tls_session_take(struct hf_tls *t);

/* The identity of the key of cfg->psks that opened the link; empty: none did. */
struct hf_bytes hf_tls_psk_identity(const struct hf_tls *t);

/* True if enrol let in a client by a certificate that only itself vouches for. */
bool hf_tls_is_self_signed(const struct hf_tls *t);

/* The protocol agreed on by ALPN; NULL: none. */
const char *hf_tls_alpn(const struct hf_tls *t);

/* Server: the host name the client asked for; NULL: none. Unchecked words of the peer. */
const char *hf_tls_server_name(const struct hf_tls *t);

/*
 * Bytes that only both ends of this link know (RFC 8446 7.5). HF_ERR_STATE: not open yet.
 * HF_ERR_UNSUPPORTED: TLCP, whose master secret is not bound to the certificates of both ends.
 * HF_ERR_ARG: label over 249 bytes or out_len over 255 * 32.
 */
HF_MUST_USE hf_err hf_tls_export(const struct hf_tls *t, uint8_t *out, size_t out_len,
	const char *label, const void *context, size_t context_len);

#endif
