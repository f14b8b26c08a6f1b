/* SPDX-License-Identifier: Apache-2.0 */
/* From a name to a connection: every address of the name is tried, one after the other. */
#include <stdio.h>
#include <string.h>

#include "net/link_inner.h"

static void try_next(struct hf_link *l);

static void on_connect(uv_connect_t *req, int status)
{
	struct hf_link *l = req->data;

	if (l->state == LINK_CONNECTING && status == 0)
		hf_link_begin(l);
	else if (l->state == LINK_CONNECTING &&
		 (l->dial->trying == NULL || l->dial->trying->ai_next == NULL))
		hf_link_die(l, HF_ERR_NET, uv_strerror(status));
	else if (l->state == LINK_CONNECTING)
		try_next(l);
	hf_link_unbusy(l);
}

static void try_address(struct hf_link *l, const struct sockaddr *addr)
{
	int rc;

	hf_link_address_of(l->address, addr);
	l->dial->connect.data = l;
	rc = uv_tcp_connect(&l->dial->connect, &l->tcp, addr, on_connect);
	if (rc == 0)
		l->n_busy++;
	else
		hf_link_die(l, HF_ERR_NET, uv_strerror(rc));
}

static void on_old_closed(uv_handle_t *handle)
{
	struct hf_link *l = handle->data;

	if (l->state == LINK_CONNECTING) {
		(void)uv_tcp_init(hf_loop_uv(l->config.loop), &l->tcp);
		l->tcp.data = l;
		l->n_busy++;
		l->dial->is_swapping = false;
		try_address(l, l->dial->trying->ai_addr);
	}
	hf_link_unbusy(l);
}

/* A socket that failed to connect is of no more use: the next address gets a new one. */
static void try_next(struct hf_link *l)
{
	l->dial->trying = l->dial->trying->ai_next;
	l->dial->is_swapping = true;
	uv_close((uv_handle_t *)&l->tcp, on_old_closed);
}

static void on_found(uv_getaddrinfo_t *req, int status, struct addrinfo *found)
{
	struct hf_link *l = req->data;

	l->dial->found = found;
	l->dial->trying = found;
	if (l->state == LINK_CONNECTING && status != 0)
		hf_link_die(l, HF_ERR_NET, uv_strerror(status));
	else if (l->state == LINK_CONNECTING)
		try_address(l, found->ai_addr);
	hf_link_unbusy(l);
}

/* Names are looked up by a thread of libuv; an address needs none. Failures come by on_close. */
static void look_up(struct hf_link *l, uint16_t port)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct sockaddr_storage addr = { 0 };
	char service[8];
	int rc;

	if (uv_ip4_addr(l->dial->host, port, (struct sockaddr_in *)&addr) == 0 ||
		uv_ip6_addr(l->dial->host, port, (struct sockaddr_in6 *)&addr) == 0) {
		try_address(l, (const struct sockaddr *)&addr);
		return;
	}
	l->dial->lookup.data = l;
	(void)snprintf(service, sizeof(service), "%u", (unsigned)port);
	rc = uv_getaddrinfo(hf_loop_uv(l->config.loop), &l->dial->lookup, on_found, l->dial->host,
		service, &hints);
	if (rc == 0)
		l->n_busy++;
	else
		hf_link_die(l, HF_ERR_NET, uv_strerror(rc));
}

hf_err hf_link_connect(struct hf_link **out, const struct hf_link_config *config, const char *host,
	uint16_t port, const struct hf_identity_want *want, struct hf_errinfo *ei)
{
	struct hf_link *l = NULL;
	struct hf_link_dial *d;
	hf_err e;

	if (strlen(host) >= sizeof(d->host) || host[0] == '\0')
		return hf_fail(ei, HF_ERR_ARG, "link: no host, or a name that is too long");
	d = hf_mem_new(config->mem, sizeof(*d));
	if (d == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "link: out of memory");
	memcpy(d->host, host, strlen(host) + 1);
	if (want != NULL)
		d->want = *want;
	d->has_want = want != NULL;
	e = hf_link_new(&l, config, ei);
	if (e != HF_OK) {
		hf_mem_free(config->mem, d);
		return e;
	}
	l->dial = d;
	l->end_ms = hf_loop_now_ms(config->loop) + config->limits.connect_ms;
	*out = l;
	look_up(l, port);
	hf_link_arm(l);
	return HF_OK;
}
