/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A link from the inside: link.c is its life, link_pump.c moves its bytes, connect.c and listener.c
 * make the connection.
 */
#ifndef HF_NET_LINK_INNER_H
#define HF_NET_LINK_INNER_H

#include "net/crowd.h"
#include "net/link.h"
#include "net/loop_inner.h"

enum link_state {
	LINK_CONNECTING,
	LINK_HANDSHAKE,
	LINK_OPEN,
	LINK_CLOSING, /* nothing new; what is open and what waits goes out */
	LINK_DEAD,    /* handles are being closed */
};

/* What only a link has that we began. */
struct hf_link_dial {
	uv_getaddrinfo_t lookup;
	uv_connect_t connect;
	struct addrinfo *found; /* addresses of the peer, and the one being tried */
	struct addrinfo *trying;
	struct hf_identity_want want;
	bool has_want;
	bool is_swapping; /* the socket of one address is closing for that of the next */
	char host[256];
};

struct hf_link {
	struct hf_link_config config;
	enum link_state state;
	uv_tcp_t tcp;
	uv_timer_t timer;
	unsigned n_busy; /* handles and requests libuv still holds; the link lives as long */
	struct hf_link_dial *dial; /* NULL: it came in */
	char address[HF_LINK_ADDRESS_TEXT];
	struct hf_tls tls;
	struct loop_waiter waiter;
	struct hf_h2 *h2;
	struct hf_buf in; /* bytes that TLS would not take yet */
	uv_write_t write;
	uint8_t *writing; /* copy of what libuv is sending; NULL: nothing */
	size_t writing_len;
	bool is_reading;
	bool is_signing; /* on_sign was called and is not answered */
	bool is_pumping;
	bool pump_again;
	bool has_more; /* the pump stopped to let others have their turn */
	bool is_eof;
	bool is_lingering; /* all is sent; waiting for the peer's end */
	uv_shutdown_t shutdown;
	bool said_close;   /* close_notify is in TLS's out */
	uint64_t end_ms;   /* of the state; UINT64_MAX: none */
	uint64_t moved_ms; /* when a byte moved */
	uint64_t
		stuck_ms; /* since when the peer takes nothing of what waits; UINT64_MAX: it does */
	hf_err err;       /* first cause */
	struct hf_errinfo why;
	struct hf_listener *listener; /* it came from; NULL: ours */
	struct hf_link *prev;         /* of the same listener, younger */
	struct hf_link *next;         /* likewise, older */
	/* Its place in the listener's crowd. */
	struct crowd_origin *origin; /* the address it came from; NULL: ours */
	struct hf_link *older;       /* of the same address, without a session */
	struct hf_link *younger;
	bool is_counted;
	bool is_opening;
};

/* A link with its handles in the loop; give it up with hf_link_die(). */
HF_MUST_USE hf_err hf_link_new(
	struct hf_link **out, const struct hf_link_config *config, struct hf_errinfo *ei);

/* The connection stands: begins TLS. */
void hf_link_begin(struct hf_link *l);

static inline uint64_t hf_link_now(const struct hf_link *l)
{
	return hf_loop_now_ms(l->config.loop);
}

/* Why it ends: the first cause wins. */
void hf_link_note(struct hf_link *l, hf_err e, const char *text);

/* A failure that the peer should still hear of: what the engines have to say goes out first. */
void hf_link_fail(struct hf_link *l, hf_err e, const char *text);
void hf_link_tls_failed(struct hf_link *l, hf_err e);

/* Ends it now; on_close comes when libuv has let go. The first cause wins. */
void hf_link_die(struct hf_link *l, hf_err e, const char *text);

/* Something libuv held is gone. */
void hf_link_unbusy(struct hf_link *l);

/* SM2 operations of its handshake are done. */
void hf_link_jobs_done(void *link);

/* The timer is set to the soonest deadline. */
void hf_link_arm(struct hf_link *l);

/* The listener's view of a link of its own: it has a session, is dead, is gone. */
void hf_listener_opened(struct hf_listener *s, struct hf_link *l);
void hf_listener_left(struct hf_listener *s, struct hf_link *l);
void hf_listener_forget(struct hf_listener *s, struct hf_link *l);

#endif
