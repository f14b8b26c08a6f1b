/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places of connections, for all loops of a service. Asked only when a connection comes, opens or
 * goes; the lock is held for a look into one bucket.
 */
#include <string.h>

#include "net/link.h"
#include "net/tunnel_inner.h"

enum { BUCKETS = 1024 };

/* An address, an IPv4 one as IPv6 maps it, an IPv6 one cut to its /64. */
struct tunnel_origin {
	struct tunnel_origin *next;
	uint8_t address[TUNNEL_ADDRESS_LEN];
	uint32_t n_links;
	atomic_uint n_opening;
};

struct hf_tunnel_gate {
	const struct hf_mem *mem;
	uv_mutex_t lock;
	uint32_t n_links;
	struct tunnel_origin *bucket[BUCKETS];
};

hf_err hf_tunnel_gate_new(struct hf_tunnel_gate **out, const struct hf_mem *mem)
{
	struct hf_tunnel_gate *g = hf_mem_new(mem, sizeof(*g));

	if (g == NULL)
		return HF_ERR_NO_MEMORY;
	g->mem = mem;
	if (uv_mutex_init(&g->lock) != 0) {
		hf_mem_free(mem, g);
		return HF_ERR_NO_MEMORY;
	}
	*out = g;
	return HF_OK;
}

void hf_tunnel_gate_free(struct hf_tunnel_gate *g)
{
	if (g == NULL)
		return;
	uv_mutex_destroy(&g->lock);
	hf_mem_free(g->mem, g);
}

/* All of a unix socket are one; so are fronts which have not spoken, and no address is like them.
 */
static void address_of(uint8_t out[TUNNEL_ADDRESS_LEN], const struct hf_sock_addr *from)
{
	_Static_assert((int)TUNNEL_ADDRESS_LEN == (int)HF_LINK_SITE_LEN, "one is the other");
	hf_link_site_of(out, &from->addr);
	if (from->addr.ss_family == AF_UNSPEC)
		memset(out, 0xff, TUNNEL_ADDRESS_LEN);
}

static struct tunnel_origin **bucket_of(
	struct hf_tunnel_gate *g, const uint8_t address[TUNNEL_ADDRESS_LEN])
{
	uint32_t h = 2166136261U; /* FNV-1a: a bucket that is made long on purpose costs a walk */

	for (size_t i = 0; i < TUNNEL_ADDRESS_LEN; i++)
		h = (h ^ address[i]) * 16777619U;
	return &g->bucket[h % BUCKETS];
}

/* A place of that address, max_from of them at most (0: as many as there are). */
static hf_err origin_hold(struct hf_tunnel_gate *g, struct tunnel_origin **out,
	const uint8_t address[TUNNEL_ADDRESS_LEN], uint32_t max_from)
{
	struct tunnel_origin **at = bucket_of(g, address);
	struct tunnel_origin *o = *at;

	while (o != NULL && memcmp(o->address, address, TUNNEL_ADDRESS_LEN) != 0)
		o = o->next;
	if (o != NULL && max_from > 0 && o->n_links >= max_from) {
		*out = o;
		return HF_ERR_LIMIT;
	}
	if (o == NULL) {
		o = hf_mem_new(g->mem, sizeof(*o));
		if (o == NULL)
			return HF_ERR_NO_MEMORY;
		memcpy(o->address, address, TUNNEL_ADDRESS_LEN);
		o->next = *at;
		*at = o;
	}
	o->n_links++;
	*out = o;
	return HF_OK;
}

static void origin_unhold(struct hf_tunnel_gate *g, struct tunnel_origin *o)
{
	struct tunnel_origin **at;

	if (--o->n_links > 0)
		return;
	at = bucket_of(g, o->address);
	while (*at != o)
		at = &(*at)->next;
	*at = o->next;
	hf_mem_free(g->mem, o);
}

hf_err hf_tunnel_gate_enter(struct hf_tunnel_gate *g, struct tunnel_origin **out,
	const struct hf_sock_addr *from, const struct hf_tunnel_limits *limits)
{
	static const struct hf_sock_addr somebody = { .addr = { .ss_family = AF_UNSPEC } };
	uint8_t address[TUNNEL_ADDRESS_LEN];
	hf_err e = HF_ERR_LIMIT;

	address_of(address, from != NULL ? from : &somebody);
	uv_mutex_lock(&g->lock);
	if (g->n_links < limits->max_links)
		e = origin_hold(g, out, address, from != NULL ? limits->max_from : 0);
	if (e == HF_OK)
		g->n_links++;
	uv_mutex_unlock(&g->lock);
	return e;
}

hf_err hf_tunnel_gate_move(struct hf_tunnel_gate *g, struct tunnel_origin **out,
	struct tunnel_origin *o, const struct hf_sock_addr *from,
	const struct hf_tunnel_limits *limits)
{
	uint8_t address[TUNNEL_ADDRESS_LEN];
	hf_err e;

	address_of(address, from);
	uv_mutex_lock(&g->lock);
	e = origin_hold(g, out, address, limits->max_from);
	if (e == HF_OK)
		origin_unhold(g, o);
	uv_mutex_unlock(&g->lock);
	return e;
}

void hf_tunnel_gate_leave(struct hf_tunnel_gate *g, struct tunnel_origin *o)
{
	if (o == NULL)
		return;
	uv_mutex_lock(&g->lock);
	g->n_links--;
	origin_unhold(g, o);
	uv_mutex_unlock(&g->lock);
}

void hf_tunnel_gate_opening(struct hf_tunnel_gate *g, struct tunnel_origin *o, bool begins)
{
	(void)g;
	if (begins)
		(void)atomic_fetch_add_explicit(&o->n_opening, 1, memory_order_relaxed);
	else
		(void)atomic_fetch_sub_explicit(&o->n_opening, 1, memory_order_relaxed);
}

uint32_t hf_tunnel_gate_n_opening(struct hf_tunnel_gate *g, const struct tunnel_origin *o)
{
	(void)g;
	return atomic_load_explicit(&o->n_opening, memory_order_relaxed);
}
