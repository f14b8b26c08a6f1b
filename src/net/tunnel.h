/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tunnel: connections in the plain on one face, SM links on the other, bytes in between as they
 * are. One object is one service in one loop; several loops may run the same service, each with a
 * listening socket of its own, and share the places of its connections (hf_tunnel_gate).
 *
 *	server: SM link accepted -> handshake -> who is it? -> plain connection made -> open
 *	client: plain connection accepted -> connection made -> handshake -> who is it? -> open
 *
 * An end on one face (close_notify, or the end of the plain stream) ends that direction on the
 * other, and the other direction goes on. What breaks off on one face never looks like an end on
 *the other: the plain connection is reset, the SM link ends without close_notify.
 *
 * A connection reads only what it can pass on: at most one read of 64 KiB waits in each direction.
 * Nothing is allocated while bytes flow, and what held them is given back when they do not.
 */
#ifndef HF_NET_TUNNEL_H
#define HF_NET_TUNNEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/loop.h"
#include "os/sock.h"
#include "tls/tls.h"

enum {
	HF_TUNNEL_TARGETS_MAX = 16,
	HF_TUNNEL_FRONTS_MAX = 16,
	HF_TUNNEL_PEER = 128, /* room of a peer's name, with its terminator */
};

/* --- places --- */

/* Who has a place: shared by the loops of a service, and asked when connections come and go. */
struct hf_tunnel_gate;

HF_MUST_USE hf_err hf_tunnel_gate_new(struct hf_tunnel_gate **out, const struct hf_mem *mem);
void hf_tunnel_gate_free(struct hf_tunnel_gate *g); /* nobody has a place any more */

/* --- numbers --- */

enum hf_tunnel_number {
	HF_TUNNEL_ACCEPTED,       /* connections that came */
	HF_TUNNEL_OPENED,         /* and carried bytes from end to end */
	HF_TUNNEL_RESUMED,        /* of these: took up an earlier one, without certificates */
	HF_TUNNEL_REFUSED_LIMIT,  /* no place */
	HF_TUNNEL_REFUSED_ACCESS, /* not on the access list */
	HF_TUNNEL_BAD_HANDSHAKE,  /* failed for any other reason */
	HF_TUNNEL_BAD_TARGET,     /* the other face could not be connected */
	HF_TUNNEL_TRUNCATED,      /* an open SM link ended without close_notify */
	HF_TUNNEL_BAD_LINK,       /* it failed otherwise: an alert, an altered record */
	HF_TUNNEL_RESET,          /* the plain connection broke */
	HF_TUNNEL_TIMED_OUT,
	HF_TUNNEL_REVOKED,      /* its peer's certificate was revoked meanwhile */
	HF_TUNNEL_BYTES_SEALED, /* plain -> SM */
	HF_TUNNEL_BYTES_OPENED, /* SM -> plain */
	HF_TUNNEL_NUMBERS,
};

/* Written by one loop, read by any thread. */
struct hf_tunnel_numbers {
	_Atomic uint64_t n[HF_TUNNEL_NUMBERS];
	_Atomic uint64_t links; /* that are there now */
};

/* --- a service --- */

/* Where connections are made to. Strings outlive the tunnel. */
struct hf_tunnel_target {
	const char *host; /* name or address; NULL: path */
	uint16_t port;
	const char *path;                    /* of a unix socket */
	const char *text;                    /* for messages */
	const char *server_name;             /* client: SNI; NULL: none */
	const struct hf_identity_want *want; /* client: what the peer's certificate must be */
};

struct hf_tunnel_limits {
	uint32_t connect_ms;  /* to a target, its name looked up and all its addresses tried */
	uint32_t idle_ms;     /* open, and no byte moved; 0: for ever */
	uint32_t max_links;   /* of the gate */
	uint32_t max_from;    /* of one address (IPv6: one /64); 0: max_links */
	uint32_t max_opening; /* of this loop: not open yet. Beyond, the oldest of the address that
				 has most of them has to go; 0: max_links */
};

/* A server's link whose peer may come in. */
struct hf_tunnel_link;
struct hf_tunnel_who {
	struct hf_tunnel_link *link; /* good until it is told that it is over */
	const struct hf_tls *tls;
	const struct hf_sock_addr *from;
};

/* What an operator may want to know of one connection. */
struct hf_tunnel_event {
	enum {
		HF_TUNNEL_IS_OPEN,
		HF_TUNNEL_IS_OVER,
		HF_TUNNEL_IS_REFUSED, /* for want of a place: from, err, why only */
	} kind;
	uint64_t id;
	const char *from;   /* address */
	const char *peer;   /* name of the certificate; "": not known */
	const char *target; /* "": none */
	bool was_open;
	hf_err err; /* HF_OK: ended in an orderly way */
	const struct hf_errinfo *why;
	const struct hf_sock_addr *addr; /* what from is the text of */
	void *face;                      /* what on_face gave; NULL: was not asked */
	uint64_t sealed;                 /* bytes */
	uint64_t opened;
	uint64_t ms; /* since it came */
};

struct hf_tunnel_calls {
	/*
	 * May this peer (NULL: it showed no certificate) use the service? Writes its name. HF_OK,
	 * or why not, and ei.
	 */
	hf_err (*on_peer)(void *ctx, const struct hf_cert *peer, char name[HF_TUNNEL_PEER],
		struct hf_errinfo *ei);
	/*
	 * Server without targets: the plain face of a link whose peer may come in, a socket that
	 * does not wait, from here on the link's. *face is handed on to events. May be NULL.
	 */
	hf_err (*on_face)(void *ctx, const struct hf_tunnel_who *who, int *fd, void **face);
	/* The signature, now. NULL: the TLS config has a signer of its own. */
	hf_err (*on_sign)(void *ctx, const struct hf_tls_cv *cv, struct hf_sm2_sig *sig);
	void (*on_event)(void *ctx, const struct hf_tunnel_event *ev); /* may be NULL */
	void (*on_gone)(void *ctx); /* after hf_tunnel_stop(): the last connection is over */
};

struct hf_tunnel_config {
	struct hf_loop *loop;
	const struct hf_mem *mem;
	const struct hf_tls_config *tls; /* its role says which face is accepted */
	int listen_fd;                   /* the caller's; stays open until hf_tunnel_stop() */
	const struct hf_tunnel_target *targets; /* the best first; none with on_face */
	size_t n_targets;
	bool sends_proxy; /* server: PROXY protocol v2 goes before the bytes to the target */
	/* Who must send it to us, before anything else; others must not. */
	const struct hf_sock_addr *fronts;
	size_t n_fronts;
	struct hf_tunnel_limits limits;
	struct hf_tunnel_gate *gate;
	struct hf_tunnel_numbers *numbers;
	struct hf_tunnel_calls calls;
	void *ctx;
};

struct hf_tunnel;

/* Begins to accept. All that config points to stays until on_gone. */
HF_MUST_USE hf_err hf_tunnel_new(
	struct hf_tunnel **out, const struct hf_tunnel_config *config, struct hf_errinfo *ei);

/*
 * There are new lists of what is revoked: links whose peers are on one of these are ended. Not
 * within a call of the tunnel.
 */
void hf_tunnel_sweep(struct hf_tunnel *t, const struct hf_crl *crls, size_t n_crls);

/*
 * Accepts no more; what is there lives on. The tunnel is gone when on_gone is called, which may be
 * before this returns.
 */
void hf_tunnel_stop(struct hf_tunnel *t);

/*
 * Nobody is behind a link with a given face any more. HF_OK: in an orderly way, and what is under
 * way still goes out, within two seconds. Otherwise it is cut, which never looks like an end. Until
 * this is called the end of the face says nothing. Not within a call of the tunnel.
 */
void hf_tunnel_finish(struct hf_tunnel_link *l, hf_err e);

/* After hf_tunnel_stop(): ends what is left at once, as if it had broken off. */
void hf_tunnel_abort(struct hf_tunnel *t);

#endif
