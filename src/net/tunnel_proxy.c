/* SPDX-License-Identifier: Apache-2.0 */
/* PROXY headers of a tunnel: the one a front sends us, and the one that we send to a target. */
#include <string.h>

#include "net/tunnel_inner.h"

static void put_ip(uint8_t out[16], uint16_t *port, const struct hf_sock_addr *a)
{
	const void *any = &a->addr;
	const struct sockaddr_in *v4 = any;
	const struct sockaddr_in6 *v6 = any;

	if (a->addr.ss_family == AF_INET) {
		memcpy(out, &v4->sin_addr, 4);
		*port = ntohs(v4->sin_port);
	} else {
		memcpy(out, &v6->sin6_addr, 16);
		*port = ntohs(v6->sin6_port);
	}
}

/* The header that tells the target who is behind the connection. */
hf_err hf_tunnel_header_put(struct hf_tunnel_link *l)
{
	struct hf_proxy2 p = { .family = HF_PROXY2_UNKNOWN };
	uint8_t bytes[HF_PROXY2_MAX];
	struct hf_writer w = { .p = bytes, .cap = sizeof(bytes) };

	if (l->from.addr.ss_family == l->to.addr.ss_family && l->from.addr.ss_family != AF_UNIX) {
		p.family = l->from.addr.ss_family == AF_INET ? HF_PROXY2_TCP4 : HF_PROXY2_TCP6;
		put_ip(p.from, &p.from_port, &l->from);
		put_ip(p.to, &p.to_port, &l->to);
	}
	if (strlen(l->peer) <= HF_PROXY2_NAME_MAX)
		memcpy(p.name, l->peer, strlen(l->peer) + 1);
	hf_proxy2_emit(&w, &p);
	HF_TRY(hf_wr_done(&w));
	return hf_buf_put(&l->header, bytes, w.len);
}

bool hf_tunnel_is_front(const struct hf_tunnel *t, const struct hf_sock_addr *from)
{
	for (size_t i = 0; i < t->config.n_fronts; i++) {
		uint8_t a[16] = { 0 };
		uint8_t b[16] = { 0 };
		uint16_t port;

		if (t->config.fronts[i].addr.ss_family != from->addr.ss_family)
			continue;
		if (from->addr.ss_family == AF_UNIX)
			return true;
		put_ip(a, &port, &t->config.fronts[i]);
		put_ip(b, &port, from);
		if (memcmp(a, b, sizeof(a)) == 0)
			return true;
	}
	return false;
}

static void take_header(struct hf_tunnel_link *l)
{
	struct hf_proxy2 p;
	hf_err e = hf_proxy2_parse(&p, l->header.p, l->header.len);
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (e != HF_OK) {
		hf_tunnel_link_fail(l, e, HF_TUNNEL_BAD_HANDSHAKE, "its PROXY header is malformed");
		return;
	}
	if (p.family == HF_PROXY2_TCP4) {
		memcpy(&v4.sin_addr, p.from, 4);
		v4.sin_port = htons(p.from_port);
		memcpy(&l->from.addr, &v4, sizeof(v4));
		memcpy(&v4.sin_addr, p.to, 4);
		v4.sin_port = htons(p.to_port);
		memcpy(&l->to.addr, &v4, sizeof(v4));
	} else if (p.family == HF_PROXY2_TCP6) {
		memcpy(&v6.sin6_addr, p.from, 16);
		v6.sin6_port = htons(p.from_port);
		memcpy(&l->from.addr, &v6, sizeof(v6));
		memcpy(&v6.sin6_addr, p.to, 16);
		v6.sin6_port = htons(p.to_port);
		memcpy(&l->to.addr, &v6, sizeof(v6));
	}
	hf_buf_clear(&l->header);
	hf_tunnel_face_wait(tunnel_accepted(l), 0);
	/* Whom a front does not name (its own looks after us), it vouches for. */
	e = p.family != HF_PROXY2_UNKNOWN ? hf_tunnel_place_move(l) : HF_OK;
	if (e == HF_OK)
		hf_tunnel_link_go(l);
	else
		hf_tunnel_link_fail(
			l, e, HF_TUNNEL_REFUSED_LIMIT, "too many connections of its address");
}

/* Reads exactly the header: not a byte of what follows. */
void hf_tunnel_header_ready(struct hf_tunnel_link *l)
{
	uint8_t bytes[HF_PROXY2_MAX];
	size_t len = HF_PROXY2_HEAD_LEN;
	size_t n = 0;
	hf_err e = HF_OK;

	while (e == HF_OK) {
		if (l->header.len >= HF_PROXY2_HEAD_LEN)
			e = hf_proxy2_len(&len, l->header.p);
		if (e == HF_OK && l->header.len == len) {
			take_header(l);
			return;
		}
		if (e == HF_OK)
			e = hf_sock_read(
				tunnel_accepted(l)->fd, bytes, len - l->header.len, &n, NULL);
		if (e == HF_OK)
			e = hf_buf_put(&l->header, bytes, n);
	}
	if (e != HF_ERR_AGAIN)
		hf_tunnel_link_fail(l, e, HF_TUNNEL_BAD_HANDSHAKE, "it sent no PROXY header");
}
