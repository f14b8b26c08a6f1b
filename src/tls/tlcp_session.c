/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions of TLCP, and a store of them in memory: a ring in which the newest takes the place of
 * the oldest. An id is looked for from the first place to the last, so a store should not be larger
 * than what a walk of that length is worth next to a handshake: a few thousand.
 */
#include "tls/tlcp_session.h"

#include <string.h>

#include "base/ct.h"
#include "base/wipe.h"

struct hf_tlcp_store {
	const struct hf_mem *mem;
	size_t max;
	size_t next; /* the place of the next one */
	struct hf_tlcp_session *at;
};

hf_err hf_tlcp_session_copy(
	struct hf_tlcp_session *out, const struct hf_tlcp_session *s, const struct hf_mem *mem)
{
	uint8_t *der = NULL;

	*out = (struct hf_tlcp_session){ 0 };
	if (s->der_len > 0) {
		der = hf_mem_new(mem, s->der_len);
		if (der == NULL)
			return HF_ERR_NO_MEMORY;
		memcpy(der, s->der, s->der_len);
	}
	*out = *s;
	out->der = der;
	out->mem = mem;
	return HF_OK;
}

void hf_tlcp_session_clear(struct hf_tlcp_session *s)
{
	if (s->mem != NULL)
		hf_mem_free(s->mem, s->der);
	hf_wipe(s, sizeof(*s));
}

struct hf_bytes hf_tlcp_session_cert(const struct hf_tlcp_session *s, size_t i)
{
	size_t at = 0;

	if (i >= s->n_certs)
		return (struct hf_bytes){ 0 };
	for (size_t k = 0; k < i; k++)
		at += s->cert_len[k];
	return (struct hf_bytes){ s->der + at, s->cert_len[i] };
}

struct hf_tlcp_store *hf_tlcp_store_new(const struct hf_mem *mem, size_t max)
{
	struct hf_tlcp_store *s;

	if (max == 0 || max > HF_TLCP_SESSIONS_MAX)
		return NULL;
	s = hf_mem_new(mem, sizeof(*s));
	if (s == NULL)
		return NULL;
	*s = (struct hf_tlcp_store){ .mem = mem, .max = max };
	s->at = hf_mem_array(mem, max, sizeof(*s->at));
	if (s->at != NULL)
		return s;
	hf_mem_free(mem, s);
	return NULL;
}

void hf_tlcp_store_free(struct hf_tlcp_store *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->max; i++)
		hf_tlcp_session_clear(&s->at[i]);
	hf_mem_free(s->mem, s->at);
	hf_mem_free(s->mem, s);
}

static hf_err store_put(void *ctx, const struct hf_tlcp_session *session)
{
	struct hf_tlcp_store *s = ctx;
	struct hf_tlcp_session copy;

	HF_TRY(hf_tlcp_session_copy(&copy, session, s->mem));
	hf_tlcp_session_clear(&s->at[s->next]);
	s->at[s->next] = copy;
	s->next = (s->next + 1) % s->max;
	hf_wipe(&copy, sizeof(copy));
	return HF_OK;
}

static struct hf_tlcp_session *find(struct hf_tlcp_store *s, struct hf_bytes id)
{
	for (size_t i = 0; i < s->max; i++) {
		struct hf_tlcp_session *c = &s->at[i];

		if (id.len > 0 && c->id_len == id.len && hf_ct_eq(c->id, id.p, id.len))
			return c;
	}
	return NULL;
}

static bool store_get(void *ctx, struct hf_tlcp_session *out, struct hf_bytes id)
{
	struct hf_tlcp_store *s = ctx;
	const struct hf_tlcp_session *found = find(s, id);

	return found != NULL && hf_tlcp_session_copy(out, found, s->mem) == HF_OK;
}

static void store_drop(void *ctx, struct hf_bytes id)
{
	struct hf_tlcp_session *found = find(ctx, id);

	if (found != NULL)
		hf_tlcp_session_clear(found);
}

struct hf_tlcp_cache hf_tlcp_store_cache(struct hf_tlcp_store *s)
{
	return (struct hf_tlcp_cache){ store_put, store_get, store_drop, s };
}
