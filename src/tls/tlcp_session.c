/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions of TLCP, and a store of them in memory. The store is an array of sets; an id, which is
 * random and of our own making, belongs to one of them, and there the oldest gives way to the
 * newest. So nothing takes longer because the store is large.
 */
#include "tls/tlcp_session.h"

#include <string.h>

#include "base/ct.h"
#include "base/endian.h"
#include "base/wipe.h"

enum { WAYS = 8 }; /* places of a set */

struct place {
	struct hf_tlcp_session s; /* id_len 0: empty */
	uint64_t age;             /* when it was filled: the lower, the older */
};

struct hf_tlcp_store {
	const struct hf_mem *mem;
	size_t n_sets;
	size_t ways;
	uint64_t now; /* puts so far */
	struct place *at;
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
	s->mem = mem;
	s->ways = max < WAYS ? max : WAYS;
	s->n_sets = max / s->ways;
	s->at = hf_mem_array(mem, s->n_sets * s->ways, sizeof(*s->at));
	if (s->at != NULL)
		return s;
	hf_mem_free(mem, s);
	return NULL;
}

void hf_tlcp_store_free(struct hf_tlcp_store *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n_sets * s->ways; i++)
		hf_tlcp_session_clear(&s->at[i].s);
	hf_mem_free(s->mem, s->at);
	hf_mem_free(s->mem, s);
}

static struct place *set_of(struct hf_tlcp_store *s, struct hf_bytes id)
{
	return &s->at[hf_get_be32(id.p) % s->n_sets * s->ways];
}

/* NULL: none by that id. */
static struct place *find(struct hf_tlcp_store *s, struct hf_bytes id)
{
	if (id.len != HF_TLCP_ID_LEN)
		return NULL;
	for (size_t i = 0; i < s->ways; i++) {
		struct place *p = set_of(s, id) + i;

		if (p->s.id_len == id.len && hf_ct_eq(p->s.id, id.p, id.len))
			return p;
	}
	return NULL;
}

static struct place *oldest(struct hf_tlcp_store *s, struct hf_bytes id)
{
	struct place *p = set_of(s, id);

	for (size_t i = 1; i < s->ways; i++) {
		if (set_of(s, id)[i].age < p->age)
			p = set_of(s, id) + i;
	}
	return p;
}

static hf_err store_put(void *ctx, const struct hf_tlcp_session *session)
{
	struct hf_tlcp_store *s = ctx;
	struct hf_bytes id = { session->id, session->id_len };
	struct hf_tlcp_session copy;
	struct place *p = find(s, id);

	if (id.len != HF_TLCP_ID_LEN)
		return HF_ERR_ARG;
	HF_TRY(hf_tlcp_session_copy(&copy, session, s->mem));
	if (p == NULL)
		p = oldest(s, id);
	hf_tlcp_session_clear(&p->s);
	*p = (struct place){ copy, ++s->now };
	hf_wipe(&copy, sizeof(copy));
	return HF_OK;
}

static bool store_get(void *ctx, struct hf_tlcp_session *out, struct hf_bytes id)
{
	struct hf_tlcp_store *s = ctx;
	const struct place *p = find(s, id);

	return p != NULL && hf_tlcp_session_copy(out, &p->s, s->mem) == HF_OK;
}

static void store_drop(void *ctx, struct hf_bytes id)
{
	struct place *p = find(ctx, id);

	if (p == NULL)
		return;
	hf_tlcp_session_clear(&p->s);
	p->age = 0;
}

struct hf_tlcp_cache hf_tlcp_store_cache(struct hf_tlcp_store *s)
{
	return (struct hf_tlcp_cache){ store_put, store_get, store_drop, s };
}
