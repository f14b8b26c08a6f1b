/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP/2 session over a stream socket of this machine, in the plain: the inner end of a link
 * whose TLS is somebody else's (net/tunnel.h with on_face). As a link (net/link.h) without TLS:
 *
 *	new -> attach -> open -> (close) closing -> on_close, once, after which it is gone
 */
#ifndef HF_NET_INLET_H
#define HF_NET_INLET_H

#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "http/h2.h"
#include "net/link.h"
#include "net/loop.h"

struct hf_inlet;

struct hf_inlet_config {
	struct hf_loop *loop;
	const struct hf_mem *mem;
	struct hf_link_limits limits; /* connect_ms and out_max do not matter */
	/*
	 * It is gone when this returns; its session has been freed before. HF_ERR_CLOSED: the other
	 * end closed, or we did, in an orderly way.
	 */
	void (*on_close)(void *ctx, hf_err e, const struct hf_errinfo *why);
	void *ctx;
};

/* fd, which does not wait, is the inlet's from here on, whatever is returned. */
HF_MUST_USE hf_err hf_inlet_new(
	struct hf_inlet **out, const struct hf_inlet_config *config, int fd, struct hf_errinfo *ei);

/* The session, which the inlet owns from here on; bytes begin to move. */
void hf_inlet_attach(struct hf_inlet *i, struct hf_h2 *h);

/* As hf_link_pump(), hf_link_close() and hf_link_abort(). */
void hf_inlet_pump(struct hf_inlet *i);
void hf_inlet_close(struct hf_inlet *i);
void hf_inlet_abort(struct hf_inlet *i, hf_err e);

#endif
