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
	else if (l->state == LINK_CONNECTING && l->trying->ai_next == NULL)
		hf_link_die(l, HF_ERR_NET, uv_strerror(status));
	else if (l->state == LINK_CONNECTING)
		try_next(l);
	hf_link_unbusy(l);
}

static void on_old_closed(uv_handle_t *handle)
{
	struct hf_link *l = handle->data;

	if (l->state == LINK_CONNECTING) {
		(void)uv_tcp_init(hf_loop_uv(l->config.loop), &l->tcp);
		l->tcp.data = l;
		l->n_busy++;
		l->is_swapping = false;
		l->connect.data = l;
		if (uv_tcp_connect(&l->connect, &l->tcp, l->trying->ai_addr, on_connect) == 0)
			l->n_busy++;
		else
			hf_link_die(l, HF_ERR_NET, "cannot connect");
	}
	hf_link_unbusy(l);
}

/* A socket that failed to connect is of no more use: the next address gets a new one. */
static void try_next(struct hf_link *l)
{
	l->trying = l->trying->ai_next;
	l->is_swapping = true;
	uv_close((uv_handle_t *)&l->tcp, on_old_closed);
}

static void name_address(struct hf_link *l)
{
	char text[HF_LINK_ADDRESS_TEXT - 10] = "";
	unsigned port = 0;

	if (l->trying->ai_family == AF_INET6)
		port = ((const struct sockaddr_in6 *)(const void *)l->trying->ai_addr)->sin6_port;
	else
		port = ((const struct sockaddr_in *)(const void *)l->trying->ai_addr)->sin_port;
	(void)uv_ip_name(l->trying->ai_addr, text, sizeof(text));
	(void)snprintf(
		l->address, sizeof(l->address), "[%s]:%u", text, (unsigned)ntohs((uint16_t)port));
}

static void on_found(uv_getaddrinfo_t *req, int status, struct addrinfo *found)
{
	struct hf_link *l = req->data;

	l->found = found;
	l->trying = found;
	if (l->state == LINK_CONNECTING && status != 0) {
		hf_link_die(l, HF_ERR_NET, uv_strerror(status));
	} else if (l->state == LINK_CONNECTING) {
		name_address(l);
		l->connect.data = l;
		if (uv_tcp_connect(&l->connect, &l->tcp, found->ai_addr, on_connect) == 0)
			l->n_busy++;
		else
			hf_link_die(l, HF_ERR_NET, "cannot connect");
	}
	hf_link_unbusy(l);
}

hf_err hf_link_connect(struct hf_link **out, const struct hf_link_config *config, const char *host,
	uint16_t port, const struct hf_identity_want *want, struct hf_errinfo *ei)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct hf_link *l = NULL;
	char service[8];
	int rc;

	if (strlen(host) >= sizeof(l->host) || host[0] == '\0')
		return hf_fail(ei, HF_ERR_ARG, "link: no host, or a name that is too long");
	HF_TRY(hf_link_new(&l, config, ei));
	memcpy(l->host, host, strlen(host) + 1);
	if (want != NULL)
		l->want = *want;
	l->has_want = want != NULL;
	l->end_ms = hf_loop_now_ms(config->loop) + config->limits.connect_ms;
	l->lookup.data = l;
	(void)snprintf(service, sizeof(service), "%u", (unsigned)port);
	rc = uv_getaddrinfo(hf_loop_uv(config->loop), &l->lookup, on_found, host, service, &hints);
	if (rc == 0)
		l->n_busy++;
	else
		hf_link_die(l, HF_ERR_NET, uv_strerror(rc)); /* told by on_close, as any failure */
	hf_link_arm(l);
	*out = l;
	return HF_OK;
}
