/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A link to another node: a TCP connection, the TLS engine on it, and an HTTP/2 session on that.
 * This is the pump between them; it decides nothing about who may do what.
 *
 *	socket -> tls_feed -> plain -> h2_feed      reading stops while too much waits to be sent
 *	socket <- tls_out  <- tls_write <- h2_out   h2 is asked only while TLS has room
 *
 * Life: connecting -> handshake -> open (on_open, the user attaches a session) -> closing ->
 * on_ending, on_close, once each, after which the link is gone. One timer serves the deadlines of
 * both engines, the connect time and the idle time.
 */
#ifndef HF_NET_LINK_H
#define HF_NET_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "http/h2.h"
#include "net/loop.h"
#include "tls/tls.h"

struct hf_link;

enum {
	HF_LINK_ADDRESS_TEXT = 64, /* bytes of "[address]:port" with its terminator */
	HF_LINK_SITE_LEN = 16,
};

struct hf_link_limits {
	uint32_t
		connect_ms; /* name to connection; the handshake's own limit is in the TLS config */
	uint32_t idle_ms;   /* an open link without a stream and without a byte; 0: for ever */
	uint32_t close_ms;  /* an orderly close may take this long */
	uint32_t stall_ms; /* bytes wait to be sent and the peer takes none: the link ends; not 0 */
	size_t out_max;    /* bytes waiting to be sent above which reading stops */
};

extern const struct hf_link_limits hf_link_limits_default;

/* What the pump tells its user. ctx is the link's own. */
struct hf_link_calls {
	/* The handshake is over and the peer is who it should be. Attach a session here. */
	void (*on_open)(void *ctx, struct hf_link *l);
	/*
	 * Sign cv with the key of our certificate and answer with hf_link_signed(), now or later.
	 * NULL: the TLS config has a signer of its own.
	 */
	void (*on_sign)(void *ctx, struct hf_link *l, const struct hf_tls_cv *cv);
	/*
	 * The link is over and its session about to be freed: the last moment to look at either.
	 * May be NULL.
	 */
	void (*on_ending)(void *ctx, struct hf_link *l);
	/*
	 * The link is gone when this returns; its session has been freed before.
	 * HF_ERR_CLOSED: in an orderly way. why->text says what an operator should know.
	 */
	void (*on_close)(void *ctx, struct hf_link *l, hf_err e, const struct hf_errinfo *why);
};

struct hf_link_config {
	struct hf_loop *loop;
	const struct hf_mem *mem;
	const struct hf_tls_config *tls; /* outlives the link */
	struct hf_link_limits limits;
	struct hf_link_calls calls;
	void *ctx;
	struct hf_tls_session *session; /* of a link that we begin: offered; NULL: none. Borrowed
					   until the link is open or gone */
};

/*
 * Begins a link to host (a name or an address) and port. *out is valid until on_close. The server's
 * certificate must be want (see hf_tls_start); what want points to must outlive the link.
 */
HF_MUST_USE hf_err hf_link_connect(struct hf_link **out, const struct hf_link_config *config,
	const char *host, uint16_t port, const struct hf_identity_want *want,
	struct hf_errinfo *ei);

/* From on_open on: the session that talks over the link. The link owns and frees it. */
void hf_link_attach(struct hf_link *l, struct hf_h2 *h);

/* NULL before hf_link_attach(). */
struct hf_h2 *hf_link_h2(struct hf_link *l);

/* Call after anything was begun, answered, resumed or credited on the session outside its
 * callbacks: there may be bytes to send or a new deadline. */
void hf_link_pump(struct hf_link *l);

/* The answer to on_sign. sig NULL: there will be none, because of why (not HF_OK). */
void hf_link_signed(struct hf_link *l, const struct hf_sm2_sig *sig, hf_err why);

/* Orderly: open streams finish, then the peer is told. At most close_ms. Twice is once. */
void hf_link_close(struct hf_link *l);

/* At once. on_close still comes, with e (not HF_OK). */
void hf_link_abort(struct hf_link *l, hf_err e);

/* Who the peer is, its protocol: see tls.h. Valid as long as the link. */
const struct hf_tls *hf_link_tls(const struct hf_link *l);

/*
 * The newest session that the server gave since the last call, for the next link to it; the caller
 * owns it. NULL: none. At any time up to on_ending.
 */
struct hf_tls_session *hf_link_session_take(struct hf_link *l);

/* The peer's address as text, for diagnostics and audit. */
const char *hf_link_address(const struct hf_link *l);

/* Where a link comes from that a listener took, as shares are counted. */
void hf_link_site(uint8_t out[HF_LINK_SITE_LEN], const struct hf_link *l);

/*
 * The same of an address: an IPv6 one cut to its /64, an IPv4 one as IPv6 maps it; zeros for any
 * other.
 */
void hf_link_site_of(uint8_t out[HF_LINK_SITE_LEN], const struct sockaddr_storage *addr);

/* "[address]:port" of an IPv4 or IPv6 address. */
void hf_link_address_of(char out[HF_LINK_ADDRESS_TEXT], const struct sockaddr *addr);

void *hf_link_ctx(const struct hf_link *l);
void hf_link_ctx_set(struct hf_link *l, void *ctx);

/* Listening for links. */
struct hf_listener;

struct hf_listener_config {
	struct hf_link_config link; /* of every link that comes in; ctx may be changed in on_open */
	const char *address;        /* IPv4 or IPv6; "::" for all */
	uint16_t port;              /* 0: any free one */
	uint32_t max_links;         /* at a time; beyond, a connection is closed at once */
	/*
	 * Links that have no session: not open yet, or ending without one. Of one address half of
	 * them (IPv6: of one /64). Where there is no place the oldest of the address that has most
	 * ends with HF_ERR_LIMIT, not who comes. They count as links, too, and go first. 0:
	 * max_links.
	 */
	uint32_t max_opening;
	/* A connection was closed at once, because of max_links or memory. May be NULL. */
	void (*on_refused)(void *ctx, hf_err e);
};

/* HF_ERR_ARG: no address. HF_ERR_EXISTS: in use. HF_ERR_PERMISSION. HF_ERR_IO. ei says which. */
HF_MUST_USE hf_err hf_listener_new(
	struct hf_listener **out, const struct hf_listener_config *config, struct hf_errinfo *ei);

/* The port it listens on. */
uint16_t hf_listener_port(const struct hf_listener *s);

/* Links that are there, and those refused so far for want of a place. */
uint32_t hf_listener_n_links(const struct hf_listener *s);
uint64_t hf_listener_n_refused(const struct hf_listener *s);

/*
 * Takes no more links and closes those that are there in an orderly way; the listener is gone when
 * the last of them is.
 */
void hf_listener_close(struct hf_listener *s);

#endif
