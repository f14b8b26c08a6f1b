/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handshake messages (RFC 8446 4) as bytes: what stands in them, not whether it pleases us. Parsers
 * take the body without its 4-byte header, borrow from it, and refuse with HF_ERR_TRUNCATED or
 * HF_ERR_FORMAT (decode_error) or HF_ERR_LIMIT; emitters write whole messages.
 */
#ifndef HF_TLS_MSG_H
#define HF_TLS_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/rd.h"
#include "base/wr.h"
#include "crypto/sm2.h"
#include "crypto/sm3.h"
#include "pki/chain.h"

enum {
	HF_TLS_RANDOM_LEN = 32,
	HF_TLS_SESSION_MAX = 32,
	HF_TLS_COOKIE_MAX = 1024, /* longest cookie that is carried back */
	HF_TLS_EXTENSIONS_MAX = 64,
	HF_TLS_MSG_HEAD_LEN = 4,
	HF_TLS_SMALL_MAX = 2560,  /* room for every message but Certificate, without a ticket */
	HF_TLS_TICKET_MAX = 8192, /* longest ticket that is kept */
	HF_TLS_BINDERS_LEN = 2 + 1 + HF_SM3_LEN, /* the list of one binder */
	HF_TLS_LIMIT_MIN = 64,                   /* record_size_limit, RFC 8449 4 */
	HF_TLS_LIMIT_MAX = 16385,                /* content and its type */
};

/* Ways to use a pre-shared key (RFC 8446 4.2.9); a set. */
enum {
	HF_TLS_PSK_KE = 1 << 0,     /* the key alone: no forward secrecy */
	HF_TLS_PSK_DHE_KE = 1 << 1, /* with a fresh key exchange */
};

/* Numbers of RFC 8446 and RFC 8998. */
enum {
	HF_TLS_VERSION_13 = 0x0304,
	HF_TLS_CURVE_SM2 = 41,
	HF_TLS_SM2SIG_SM3 = 0x0708,
};

enum hf_tls_msg_type {
	HF_TLS_MSG_CLIENT_HELLO = 1,
	HF_TLS_MSG_SERVER_HELLO = 2,
	HF_TLS_MSG_TICKET = 4,
	HF_TLS_MSG_EE = 8,
	HF_TLS_MSG_CERTIFICATE = 11,
	HF_TLS_MSG_CERT_REQUEST = 13,
	HF_TLS_MSG_CERT_VERIFY = 15,
	HF_TLS_MSG_FINISHED = 20,
	HF_TLS_MSG_KEY_UPDATE = 24,
	HF_TLS_MSG_HASH = 254,
};

enum hf_tls_ext {
	HF_TLS_EXT_SERVER_NAME = 0,
	HF_TLS_EXT_STATUS = 5,
	HF_TLS_EXT_GROUPS = 10,
	HF_TLS_EXT_SIG_ALGS = 13,
	HF_TLS_EXT_ALPN = 16,
	HF_TLS_EXT_RECORD_LIMIT = 28,
	HF_TLS_EXT_PSK = 41,
	HF_TLS_EXT_EARLY_DATA = 42,
	HF_TLS_EXT_VERSIONS = 43,
	HF_TLS_EXT_COOKIE = 44,
	HF_TLS_EXT_PSK_MODES = 45,
	HF_TLS_EXT_KEY_SHARE = 51,
};

/* A ServerHello with this random is a HelloRetryRequest (RFC 8446 4.1.3). */
extern const uint8_t hf_tls_retry_random[HF_TLS_RANDOM_LEN];

struct hf_tls_client_hello {
	struct hf_bytes fixed; /* everything before the extensions */
	const uint8_t *random;
	struct hf_bytes session;
	unsigned suites;          /* of them, those that we know: a set of HF_TLS_SUITE_* */
	bool has_null_only;       /* compression methods are exactly { null } */
	bool has_versions;        /* the extension is there */
	bool has_13;              /* and TLS 1.3 is in it */
	bool has_groups, has_sm2; /* extension; curveSM2 in it */
	bool has_sigs, has_sm2sig;
	bool has_shares;
	struct hf_bytes share; /* point on curveSM2; empty: none was sent */
	bool has_cookie;
	struct hf_bytes cookie;
	struct hf_bytes name; /* host name; empty: none */
	bool has_alpn;
	struct hf_bytes alpn;  /* checked list of u8-prefixed names */
	bool asks_status;      /* for a stapled OCSP response */
	bool is_psk_misplaced; /* pre_shared_key is there and not last */
	bool has_early;        /* early data may follow */
	bool has_limit;        /* record_size_limit */
	uint16_t limit;
	bool has_modes;
	unsigned modes; /* set of HF_TLS_PSK_* */
	bool has_psk;
	struct hf_bytes identities; /* checked lists of the same length */
	struct hf_bytes binders;
};

/* One of the keys that a hello offers. */
struct hf_tls_offered {
	struct hf_bytes identity;
	uint32_t age; /* obfuscated_ticket_age */
	struct hf_bytes binder;
};

/* The i-th of them; false: there are no more. */
bool hf_tls_offered_get(struct hf_tls_offered *out, const struct hf_tls_client_hello *h, size_t i);

HF_MUST_USE hf_err hf_tls_client_hello_parse(
	struct hf_tls_client_hello *out, const uint8_t *in, size_t len);

struct hf_tls_hello_spec {
	const uint8_t *random;
	unsigned suites; /* set of HF_TLS_SUITE_* */
	struct hf_bytes session;
	struct hf_bytes name;
	const char *const *alpn;
	size_t n_alpn;
	bool no_share_list;             /* key_share and supported_groups are left out */
	const struct hf_sm2_pub *share; /* NULL: an empty list of shares */
	struct hf_bytes cookie;
	bool ask_status;
	uint16_t limit;           /* record_size_limit; 0: none */
	unsigned modes;           /* set of HF_TLS_PSK_*; 0: no extension */
	struct hf_bytes identity; /* of a pre-shared key; empty: none */
	uint32_t age;
};

/* With a pre-shared key, the last HF_TLS_BINDERS_LEN bytes are its binder's list, to be filled. */
void hf_tls_client_hello_emit(struct hf_writer *w, const struct hf_tls_hello_spec *spec);

/* msg_psk.c: the extensions pre_shared_key and psk_key_exchange_modes of a client. */
HF_MUST_USE hf_err hf_tls_psk_parse(struct hf_tls_client_hello *h, struct hf_reader *r);
HF_MUST_USE hf_err hf_tls_modes_parse(struct hf_tls_client_hello *h, struct hf_reader *r);
void hf_tls_modes_emit(struct hf_writer *w, unsigned modes);
void hf_tls_psk_emit(struct hf_writer *w, struct hf_bytes identity, uint32_t age);

/* ServerHello and HelloRetryRequest. */
struct hf_tls_server_hello {
	uint16_t version; /* legacy_version */
	const uint8_t *random;
	bool is_retry;
	struct hf_bytes session;
	uint16_t suite;
	uint8_t compression;
	uint16_t selected; /* supported_versions; 0: not there */
	bool has_share;
	uint16_t group;        /* of key_share */
	struct hf_bytes share; /* not in a retry */
	bool has_cookie;
	struct hf_bytes cookie;
	bool has_psk;
	uint16_t psk;   /* index into what the client offered */
	bool has_other; /* an extension that does not belong here */
};

HF_MUST_USE hf_err hf_tls_server_hello_parse(
	struct hf_tls_server_hello *out, const uint8_t *in, size_t len);

/* share NULL: not in the message. A retry asks for a share and needs session, suite and cookie. */
struct hf_tls_server_spec {
	const uint8_t *random;
	struct hf_bytes session;
	uint16_t suite;
	const struct hf_sm2_pub *share;
	bool has_psk; /* the client's key of this index is taken */
	uint16_t psk;
	struct hf_bytes cookie; /* of a retry */
};

void hf_tls_server_hello_emit(struct hf_writer *w, const struct hf_tls_server_spec *spec);
void hf_tls_retry_emit(struct hf_writer *w, const struct hf_tls_server_spec *spec);

struct hf_tls_ee {
	bool has_alpn;
	struct hf_bytes alpn; /* the one name */
	bool has_name;        /* an empty server_name */
	bool has_limit;       /* record_size_limit */
	uint16_t limit;
	bool has_other;     /* an extension that we did not offer */
	bool has_misplaced; /* one that we offered, but that answers in another message */
};

HF_MUST_USE hf_err hf_tls_ee_parse(struct hf_tls_ee *out, const uint8_t *in, size_t len);

/* alpn NULL: none; limit 0: none. */
void hf_tls_ee_emit(struct hf_writer *w, const char *alpn, uint16_t limit);

struct hf_tls_cert_request {
	struct hf_bytes context;
	bool has_sigs, has_sm2sig;
	bool asks_status;
};

HF_MUST_USE hf_err hf_tls_cert_request_parse(
	struct hf_tls_cert_request *out, const uint8_t *in, size_t len);
void hf_tls_cert_request_emit(struct hf_writer *w, bool ask_status);

struct hf_tls_cert_list {
	struct hf_bytes context;
	struct hf_bytes der[HF_CHAIN_MAX];
	struct hf_bytes staple[HF_CHAIN_MAX]; /* OCSP response of each; empty: none */
	size_t n;
	bool has_staple;
	bool has_other; /* an extension that nobody can have asked for */
};

/* HF_ERR_LIMIT: more than HF_CHAIN_MAX certificates. */
HF_MUST_USE hf_err hf_tls_cert_list_parse(
	struct hf_tls_cert_list *out, const uint8_t *in, size_t len);

/*
 * Bytes that the message takes, and the message. n 0: "I have none". staples: an OCSP response for
 * each certificate, empty for none; NULL: for none of them.
 */
size_t hf_tls_cert_list_len(const struct hf_bytes *der, const struct hf_bytes *staples, size_t n);
void hf_tls_cert_list_emit(
	struct hf_writer *w, const struct hf_bytes *der, const struct hf_bytes *staples, size_t n);

/* msg_status.c: the extension status_request, whole where it is written, its content where read. */
void hf_tls_status_ask_emit(struct hf_writer *w, bool is_client);
HF_MUST_USE hf_err hf_tls_status_ask_parse(bool *asks, struct hf_reader *data);
HF_MUST_USE hf_err hf_tls_status_parse(struct hf_bytes *out, struct hf_reader *data);
size_t hf_tls_status_len(struct hf_bytes response); /* 0 where there is none */
void hf_tls_status_emit(struct hf_writer *w, struct hf_bytes response);

struct hf_tls_cert_verify {
	uint16_t scheme;
	struct hf_bytes sig;
};

HF_MUST_USE hf_err hf_tls_cert_verify_parse(
	struct hf_tls_cert_verify *out, const uint8_t *in, size_t len);
void hf_tls_cert_verify_emit(struct hf_writer *w, const struct hf_sm2_sig *sig);

/* NewSessionTicket (msg_psk.c). */
struct hf_tls_ticket {
	uint32_t life_s;
	uint32_t age_add;
	struct hf_bytes nonce;
	struct hf_bytes ticket;
};

HF_MUST_USE hf_err hf_tls_ticket_parse(struct hf_tls_ticket *out, const uint8_t *in, size_t len);
void hf_tls_ticket_emit(struct hf_writer *w, const struct hf_tls_ticket *t);

/* *ask: the peer wants new keys from us too. */
HF_MUST_USE hf_err hf_tls_key_update_parse(bool *ask, const uint8_t *in, size_t len);
void hf_tls_key_update_emit(struct hf_writer *w, bool ask);

#endif
