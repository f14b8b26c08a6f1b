/* SPDX-License-Identifier: Apache-2.0 */
/* Asked once a handshake; the lock is held for a look into a table, or the copy of a session. */
#include "tunnel_memory.h"

#include <uv.h>

#include "base/wipe.h"

struct tunnel_memory {
	const struct hf_mem *mem;
	uv_mutex_t lock;
	uint8_t secret[HF_TLS_TICKET_SECRET_LEN];
	struct hf_tls_once_mem *once; /* NULL: no service demanded a single use so far */
	struct hf_tlcp_store *sessions;
};

hf_err tunnel_memory_new(
	struct tunnel_memory **out, const struct hf_mem *mem, const struct hf_rng *rng)
{
	struct tunnel_memory *m = hf_mem_new(mem, sizeof(*m));
	hf_err e;

	if (m == NULL)
		return HF_ERR_NO_MEMORY;
	m->mem = mem;
	e = hf_rng_fill(rng, m->secret, sizeof(m->secret));
	if (e == HF_OK && uv_mutex_init(&m->lock) != 0)
		e = HF_ERR_NO_MEMORY;
	if (e != HF_OK) {
		hf_wipe(m->secret, sizeof(m->secret));
		hf_mem_free(mem, m);
		return e;
	}
	*out = m;
	return HF_OK;
}

void tunnel_memory_free(struct tunnel_memory *m)
{
	if (m == NULL)
		return;
	uv_mutex_destroy(&m->lock);
	hf_tls_once_mem_free(m->once);
	hf_tlcp_store_free(m->sessions);
	hf_wipe(m->secret, sizeof(m->secret));
	hf_mem_free(m->mem, m);
}

hf_err tunnel_memory_grow(struct tunnel_memory *m, enum hf_level level, bool has_tlcp)
{
	if (hf_policy(HF_ROW_TICKET_SINGLE_USE, level) != 0 && m->once == NULL) {
		m->once = hf_tls_once_mem_new(m->mem, TUNNEL_ONCE_MAX);
		if (m->once == NULL)
			return HF_ERR_NO_MEMORY;
	}
	if (has_tlcp && m->sessions == NULL) {
		m->sessions = hf_tlcp_store_new(m->mem, TUNNEL_SESSIONS_MAX);
		if (m->sessions == NULL)
			return HF_ERR_NO_MEMORY;
	}
	return HF_OK;
}

static hf_err take_once(
	void *ctx, const uint8_t id[HF_TLS_TICKET_ID_LEN], uint64_t until_s, uint64_t now_s)
{
	struct tunnel_memory *m = ctx;
	struct hf_tls_once once = hf_tls_once_mem_get(m->once);
	hf_err e;

	uv_mutex_lock(&m->lock);
	e = once.take_once(once.ctx, id, until_s, now_s);
	uv_mutex_unlock(&m->lock);
	return e;
}

void tunnel_memory_tickets(struct hf_tls_tickets *out, struct tunnel_memory *m, enum hf_level level)
{
	hf_tls_tickets_init(out, m->secret, level);
	out->once = (struct hf_tls_once){ 0 };
	if (hf_policy(HF_ROW_TICKET_SINGLE_USE, level) != 0)
		out->once = (struct hf_tls_once){ take_once, m };
}

static hf_err put(void *ctx, const struct hf_tlcp_session *s)
{
	struct tunnel_memory *m = ctx;
	struct hf_tlcp_cache cache = hf_tlcp_store_cache(m->sessions);
	hf_err e;

	uv_mutex_lock(&m->lock);
	e = cache.put(cache.ctx, s);
	uv_mutex_unlock(&m->lock);
	return e;
}

static bool get(void *ctx, struct hf_tlcp_session *out, struct hf_bytes id)
{
	struct tunnel_memory *m = ctx;
	struct hf_tlcp_cache cache = hf_tlcp_store_cache(m->sessions);
	bool has;

	uv_mutex_lock(&m->lock);
	has = cache.get(cache.ctx, out, id);
	uv_mutex_unlock(&m->lock);
	return has;
}

static void drop(void *ctx, struct hf_bytes id)
{
	struct tunnel_memory *m = ctx;
	struct hf_tlcp_cache cache = hf_tlcp_store_cache(m->sessions);

	uv_mutex_lock(&m->lock);
	cache.drop(cache.ctx, id);
	uv_mutex_unlock(&m->lock);
}

struct hf_tlcp_cache tunnel_memory_cache(struct tunnel_memory *m)
{
	return (struct hf_tlcp_cache){ put, get, drop, m };
}
