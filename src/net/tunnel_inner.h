/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tunnel from the inside: tunnel.c accepts and ends, tunnel_link.c is the life of a connection,
 * tunnel_face.c a socket of it, tunnel_pump.c moves its bytes, tunnel_dial.c connects,
 * tunnel_gate.c counts, tunnel_proxy.c says where a connection comes from, tunnel_session.c keeps
 * what the next link to the same target can take up.
 */
#ifndef HF_NET_TUNNEL_INNER_H
#define HF_NET_TUNNEL_INNER_H

#include "base/buf.h"
#include "codec/proxy2.h"
#include "net/loop_inner.h"
#include "net/tunnel.h"
#include "tls/tlcp.h"

enum {
	TUNNEL_FLUSH_MS = 2000, /* for last words, and for the peer to hear them */
	TUNNEL_TRIM_MS = 1000,  /* without a byte: buffers are given back */
	TUNNEL_ADDRESS_LEN = 16,
};

enum tunnel_state {
	TUNNEL_HEADER, /* a front says first where the connection came from */
	TUNNEL_WAIT,   /* all targets failed a moment ago */
	TUNNEL_DIAL,
	TUNNEL_SHAKE,
	TUNNEL_OPEN,
	TUNNEL_FLUSH, /* failed; last words go out */
	TUNNEL_DEAD,
};

/* One socket of a connection. */
struct tunnel_face {
	struct hf_tunnel_link *link;
	uv_poll_t *poll; /* NULL: there is no socket */
	int fd;
	int events; /* waited for */
	bool can_read;
	bool can_write;
	bool is_broken; /* the poll ended with an error: reading tells which */
	bool is_eof;    /* nothing more comes */
	bool is_shut;   /* nothing more goes */
};

/* A name is being looked up; outlives a link that ends meanwhile. */
struct tunnel_lookup {
	uv_getaddrinfo_t req;
	struct hf_tunnel_link *link; /* NULL: it has ended */
	const struct hf_mem *mem;
};

struct tunnel_origin; /* of a gate */

struct hf_tunnel_link {
	struct hf_tunnel *t;
	struct hf_tunnel_link *prev; /* of all, the youngest first */
	struct hf_tunnel_link *next;
	struct hf_tunnel_link *older; /* of those that are not open */
	struct hf_tunnel_link *younger;
	bool is_opening; /* is among them */
	struct tunnel_origin *origin;
	enum tunnel_state state;
	struct tunnel_face sm;
	struct tunnel_face plain;
	uv_timer_t timer;
	struct hf_tls tls;
	struct loop_waiter waiter;
	bool has_tls;
	bool is_trimmed;
	bool said_close;  /* close_notify is in TLS's out */
	bool heard_close; /* and the peer's was read, with all before it */
	bool was_open;
	bool offers;           /* client: a session, in this handshake */
	struct hf_buf to_sm;   /* plain bytes that TLS would not take */
	struct hf_buf from_sm; /* bytes of the SM link likewise */
	struct hf_buf header;  /* PROXY header that comes or goes */
	size_t header_at;
	struct hf_sock_addr from;
	struct hf_sock_addr to; /* of the accepted socket */
	/* Dialling. */
	uint32_t tried; /* set of targets */
	size_t target;
	struct tunnel_lookup *lookup;
	struct addrinfo *found;
	struct addrinfo *trying;
	uint64_t dial_ms; /* when it began; 0: not yet */
	uint64_t end_ms;  /* of the state; UINT64_MAX: none */
	uint64_t moved_ms;
	uint64_t begin_ms;
	uint64_t id;
	uint64_t sealed;
	uint64_t opened;
	char peer[HF_TUNNEL_PEER];
	void *face; /* what on_face gave */
	bool is_finishing;
	size_t n_ignored; /* bytes since its last words */
	hf_err err;
	struct hf_errinfo why;
};

/* What is known of a target: when it may be tried again. */
struct tunnel_upstream {
	unsigned n_failed; /* in a row */
	uint64_t not_before_ms;
	/* Client: the newest session with it, offered to it the next time. */
	struct hf_tls_session *session;
	struct hf_tlcp_session tlcp_session;
};

struct hf_tunnel {
	struct hf_tunnel_config config;
	bool is_server;
	uv_poll_t accept;
	uv_timer_t pause; /* no descriptor or memory for a connection: tried again */
	unsigned n_handles;
	bool is_stopped;
	struct hf_tunnel_link *links;
	struct hf_tunnel_link *oldest; /* of those that are not open */
	struct hf_tunnel_link *youngest;
	uint32_t n_opening;
	size_t n_links; /* with those whose handles are being closed */
	uint64_t next_id;
	struct tunnel_upstream upstream[HF_TUNNEL_TARGETS_MAX];
};

static inline uint64_t tunnel_now(const struct hf_tunnel_link *l)
{
	return hf_loop_now_ms(l->t->config.loop);
}

static inline void tunnel_count(struct hf_tunnel *t, enum hf_tunnel_number which, uint64_t n)
{
	_Atomic uint64_t *at = &t->config.numbers->n[which];

	/* One writer: no locked instruction is needed. */
	atomic_store_explicit(
		at, atomic_load_explicit(at, memory_order_relaxed) + n, memory_order_relaxed);
}

static inline struct tunnel_face *tunnel_accepted(struct hf_tunnel_link *l)
{
	return l->t->is_server ? &l->sm : &l->plain;
}

/* Handshake or bytes. */
static inline bool tunnel_is_moving(const struct hf_tunnel_link *l)
{
	return l->state == TUNNEL_SHAKE || l->state == TUNNEL_OPEN;
}

/* tunnel_face.c */
HF_MUST_USE hf_err hf_tunnel_face_open(struct tunnel_face *f, int fd);
void hf_tunnel_face_wait(struct tunnel_face *f, int events);
void hf_tunnel_face_close(struct tunnel_face *f, bool is_reset);

/* tunnel_pump.c */
void hf_tunnel_pump(struct hf_tunnel_link *l);      /* until nothing moves */
void hf_tunnel_jobs_done(void *link);               /* SM2 operations of its handshake are */
size_t hf_tunnel_push_sm(struct hf_tunnel_link *l); /* what TLS has to say; how many bytes went */

/* tunnel_link.c */
void hf_tunnel_link_begin(struct hf_tunnel_link *l);     /* a connection was accepted */
void hf_tunnel_link_connected(struct hf_tunnel_link *l); /* the target is there */
/* The first cause wins. number: what it counts as; HF_TUNNEL_NUMBERS: nothing. */
void hf_tunnel_link_fail(
	struct hf_tunnel_link *l, hf_err e, enum hf_tunnel_number number, const char *text);
void hf_tunnel_tls_failed(struct hf_tunnel_link *l, hf_err e);
void hf_tunnel_sm_broke(struct hf_tunnel_link *l, int sys);
void hf_tunnel_plain_broke(struct hf_tunnel_link *l, int sys);
void hf_tunnel_link_shaken(struct hf_tunnel_link *l); /* the handshake is over */
void hf_tunnel_link_flush(struct hf_tunnel_link *l);  /* last words */
void hf_tunnel_link_die(struct hf_tunnel_link *l);
void hf_tunnel_link_arm(struct hf_tunnel_link *l);

void hf_tunnel_link_go(struct hf_tunnel_link *l); /* where it comes from is known */

/* tunnel_proxy.c */
bool hf_tunnel_is_front(const struct hf_tunnel *t, const struct hf_sock_addr *from);
void hf_tunnel_header_ready(struct hf_tunnel_link *l); /* the front has something to say */
HF_MUST_USE hf_err hf_tunnel_header_put(struct hf_tunnel_link *l);

/* tunnel_session.c */
void hf_tunnel_session_offer(struct hf_tunnel_link *l, struct hf_tls_start *start);
void hf_tunnel_session_opened(struct hf_tunnel_link *l);
void hf_tunnel_session_keep(struct hf_tunnel_link *l);   /* a ticket, if one came */
void hf_tunnel_session_failed(struct hf_tunnel_link *l); /* its handshake did */
void hf_tunnel_session_clear(struct tunnel_upstream *u);

/* tunnel_dial.c */
void hf_tunnel_dial(struct hf_tunnel_link *l); /* the next target, or failure */
void hf_tunnel_dial_ready(
	struct hf_tunnel_link *l); /* the socket that connects has something to say */
void hf_tunnel_dial_failed(struct hf_tunnel_link *l, const char *why); /* this target is no good */
void hf_tunnel_dial_good(struct hf_tunnel_link *l);
void hf_tunnel_dial_clear(struct hf_tunnel_link *l);

/* tunnel.c */
/* A front has said where the connection comes from: HF_ERR_LIMIT, HF_ERR_NO_MEMORY. */
HF_MUST_USE hf_err hf_tunnel_place_move(struct hf_tunnel_link *l);
void hf_tunnel_opening_begin(struct hf_tunnel_link *l); /* its place is for who needs it more */
void hf_tunnel_opening_end(struct hf_tunnel_link *l);   /* it is open, or over */
void hf_tunnel_forget(struct hf_tunnel_link *l);        /* its handles are closed: frees it */
void hf_tunnel_tell(struct hf_tunnel_link *l, int kind);

/*
 * tunnel_gate.c: HF_ERR_LIMIT, HF_ERR_NO_MEMORY. A place is given back by hf_tunnel_gate_leave().
 * Where the address has all that it may have, *out says so: it is there, to be compared only. from
 * NULL: of a front, which has not said yet for whom it speaks; no address has that place.
 */
HF_MUST_USE hf_err hf_tunnel_gate_enter(struct hf_tunnel_gate *g, struct tunnel_origin **out,
	const struct hf_sock_addr *from, const struct hf_tunnel_limits *limits);
/* The place at o becomes one of from's; after a failure it is still at o. */
HF_MUST_USE hf_err hf_tunnel_gate_move(struct hf_tunnel_gate *g, struct tunnel_origin **out,
	struct tunnel_origin *o, const struct hf_sock_addr *from,
	const struct hf_tunnel_limits *limits);
void hf_tunnel_gate_leave(struct hf_tunnel_gate *g, struct tunnel_origin *o);
void hf_tunnel_gate_opening(struct hf_tunnel_gate *g, struct tunnel_origin *o, bool begins);
uint32_t hf_tunnel_gate_n_opening(struct hf_tunnel_gate *g, const struct tunnel_origin *o);

#endif
