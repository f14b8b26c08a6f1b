/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listening. The listener lives until it is closed and its last link is gone; a connection beyond
 * max_links is accepted and closed, so that the peer knows and the queue does not fill. Who
 * connects and says nothing takes no place that others need: see struct hf_listener_config.
 */
#include <string.h>

#include "net/link_inner.h"

enum {
	BACKLOG = 4096, /* as many as the system allows: thousands of nodes come back at once */
	SHARE = 2,      /* one of so many parts of the links that are not open is for one address */
};

struct hf_listener {
	struct hf_listener_config config;
	uv_tcp_t tcp;
	uint16_t port;
	struct hf_link *links; /* the youngest first */
	struct hf_crowd crowd;
	uint32_t n_links;
	uint64_t n_refused;
	bool is_closing;
	bool is_closed; /* libuv has let go */
};

static void free_if_over(struct hf_listener *s)
{
	if (!s->is_closed || s->n_links > 0)
		return;
	hf_crowd_clear(&s->crowd);
	hf_mem_free(s->config.link.mem, s);
}

void hf_listener_opened(struct hf_listener *s, struct hf_link *l)
{
	hf_crowd_opened(&s->crowd, l);
}

void hf_listener_left(struct hf_listener *s, struct hf_link *l)
{
	hf_crowd_left(&s->crowd, l);
}

void hf_listener_forget(struct hf_listener *s, struct hf_link *l)
{
	*(l->prev != NULL ? &l->prev->next : &s->links) = l->next;
	if (l->next != NULL)
		l->next->prev = l->prev;
	hf_crowd_forget(&s->crowd, l);
	s->n_links--;
	free_if_over(s);
}

static void on_refused(uv_handle_t *handle)
{
	struct hf_listener *s = handle->data;
	const struct hf_mem *mem = s->config.link.mem;

	s->n_links--;
	hf_mem_free(mem, handle);
	free_if_over(s);
}

static void refuse(struct hf_listener *s, hf_err e)
{
	uv_tcp_t *tcp = hf_mem_new(s->config.link.mem, sizeof(*tcp));

	s->n_refused++;
	if (s->config.on_refused != NULL)
		s->config.on_refused(s->config.link.ctx, e);
	if (tcp == NULL)
		return;
	(void)uv_tcp_init(hf_loop_uv(s->config.link.loop), tcp);
	tcp->data = s;
	(void)uv_accept((uv_stream_t *)&s->tcp, (uv_stream_t *)tcp);
	s->n_links++; /* until libuv has let go of it */
	uv_close((uv_handle_t *)tcp, on_refused);
}

static hf_err name_peer(struct hf_listener *s, struct hf_link *l)
{
	struct sockaddr_storage addr = { 0 };
	int len = sizeof(addr);

	if (uv_tcp_getpeername(&l->tcp, (struct sockaddr *)&addr, &len) == 0)
		hf_link_address_of(l->address, (const struct sockaddr *)&addr);
	else
		memset(&addr, 0, sizeof(addr));
	return hf_crowd_meet(&s->crowd, l, &addr);
}

/* Before l counts. */
static void make_place(struct hf_listener *s, const struct hf_link *l)
{
	const struct hf_crowd *c = &s->crowd;
	struct hf_link *goes = NULL;

	if (l->origin->n_opening >= c->share)
		goes = hf_crowd_oldest(c, l->origin);
	else if (c->n_opening >= s->config.max_opening || c->n_alive >= s->config.max_links)
		goes = hf_crowd_oldest(c, NULL);
	if (goes == NULL)
		return;
	s->n_refused++;
	hf_link_die(goes, HF_ERR_LIMIT, "its place was needed: too many links do not open");
}

static void add(struct hf_listener *s, struct hf_link *l)
{
	l->listener = s;
	l->next = s->links;
	if (s->links != NULL)
		s->links->prev = l;
	s->links = l;
	s->n_links++;
}

static void on_connection(uv_stream_t *server, int status)
{
	struct hf_listener *s = server->data;
	struct hf_link *l = NULL;
	hf_err e = HF_OK;

	if (status != 0 || s->is_closing)
		return;
	if (s->crowd.n_alive >= s->config.max_links && s->crowd.n_opening == 0)
		e = HF_ERR_LIMIT;
	if (e == HF_OK)
		e = hf_link_new(&l, &s->config.link, NULL);
	if (e != HF_OK) {
		refuse(s, e);
		return;
	}
	add(s, l);
	e = uv_accept(server, (uv_stream_t *)&l->tcp) == 0 ? name_peer(s, l) : HF_ERR_NET;
	if (e != HF_OK) {
		hf_link_die(l, e, "cannot accept");
		return;
	}
	make_place(s, l);
	hf_crowd_enter(&s->crowd, l);
	hf_link_begin(l);
}

static hf_err address_parse(
	struct sockaddr_storage *out, const char *address, uint16_t port, struct hf_errinfo *ei)
{
	if (uv_ip4_addr(address, port, (struct sockaddr_in *)out) == 0 ||
		uv_ip6_addr(address, port, (struct sockaddr_in6 *)out) == 0)
		return HF_OK;
	return hf_fail(ei, HF_ERR_ARG, "listen %s: not an IPv4 or IPv6 address", address);
}

static hf_err listen_err(int rc)
{
	if (rc == UV_EADDRINUSE)
		return HF_ERR_EXISTS;
	return rc == UV_EACCES ? HF_ERR_PERMISSION : HF_ERR_IO;
}

static void on_closed(uv_handle_t *handle)
{
	struct hf_listener *s = handle->data;

	s->is_closed = true;
	free_if_over(s);
}

static uint16_t port_of(const struct hf_listener *s)
{
	struct sockaddr_storage addr = { 0 };
	int len = sizeof(addr);

	if (uv_tcp_getsockname(&s->tcp, (struct sockaddr *)&addr, &len) != 0)
		return 0;
	return ntohs(addr.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&addr)->sin6_port
						: ((struct sockaddr_in *)&addr)->sin_port);
}

hf_err hf_listener_new(
	struct hf_listener **out, const struct hf_listener_config *config, struct hf_errinfo *ei)
{
	struct sockaddr_storage addr = { 0 };
	struct hf_listener *s;
	int rc;

	HF_TRY(address_parse(&addr, config->address, config->port, ei));
	s = hf_mem_new(config->link.mem, sizeof(*s));
	if (s == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "listen %s: out of memory", config->address);
	s->config = *config;
	s->config.address = NULL;
	if (s->config.max_opening == 0)
		s->config.max_opening = config->max_links;
	if (hf_crowd_init(&s->crowd, config->link.mem,
		    s->config.max_opening < SHARE ? 1 : s->config.max_opening / SHARE) != HF_OK) {
		hf_mem_free(config->link.mem, s);
		return hf_fail(ei, HF_ERR_NO_MEMORY, "listen %s: out of memory", config->address);
	}
	(void)uv_tcp_init(hf_loop_uv(config->link.loop), &s->tcp);
	s->tcp.data = s;
	rc = uv_tcp_bind(&s->tcp, (struct sockaddr *)&addr, 0);
	if (rc == 0)
		rc = uv_listen((uv_stream_t *)&s->tcp, BACKLOG, on_connection);
	if (rc != 0) {
		s->is_closing = true;
		uv_close((uv_handle_t *)&s->tcp, on_closed);
		return hf_fail_sys(ei, listen_err(rc), -rc, "listen [%s]:%u: %s", config->address,
			(unsigned)config->port, uv_strerror(rc));
	}
	s->port = port_of(s);
	*out = s;
	return HF_OK;
}

uint16_t hf_listener_port(const struct hf_listener *s)
{
	return s->port;
}

uint32_t hf_listener_n_links(const struct hf_listener *s)
{
	return s->n_links;
}

uint64_t hf_listener_n_refused(const struct hf_listener *s)
{
	return s->n_refused;
}

void hf_listener_close(struct hf_listener *s)
{
	struct hf_link *next;

	if (s->is_closing)
		return;
	s->is_closing = true;
	for (struct hf_link *l = s->links; l != NULL; l = next) {
		next = l->next; /* links go away in their own events, not here */
		hf_link_close(l);
	}
	uv_close((uv_handle_t *)&s->tcp, on_closed);
}
