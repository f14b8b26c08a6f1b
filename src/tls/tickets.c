/* SPDX-License-Identifier: Apache-2.0 */
/* Tickets: their keys, their seal, and the store that lets each be used once. */
#include "tls/tickets.h"

#include <string.h>

#include "base/endian.h"
#include "base/wipe.h"
#include "crypto/gcm.h"
#include "crypto/kdf.h"

enum {
	EPOCH_LEN = 4,
	HEAD_LEN = EPOCH_LEN + HF_GCM_NONCE_LEN,
	AAD_LEN = EPOCH_LEN + HF_SM3_LEN,
};

static const char label[] = "hufu tls ticket";

void hf_tls_tickets_init(struct hf_tls_tickets *k, const uint8_t secret[HF_TLS_TICKET_SECRET_LEN],
	enum hf_level level)
{
	*k = (struct hf_tls_tickets){
		.life_s = (uint32_t)hf_policy(HF_ROW_TICKET_LIFE, level),
	};
	memcpy(k->secret, secret, sizeof(k->secret));
}

void hf_tls_tickets_clear(struct hf_tls_tickets *k)
{
	hf_wipe(k, sizeof(*k));
}

static uint32_t epoch_of(const struct hf_tls_tickets *k, uint64_t now_s)
{
	return (uint32_t)(now_s / (k->life_s == 0 ? 1 : k->life_s));
}

static hf_err key_of(struct hf_gcm_key *key, const struct hf_tls_tickets *k, uint32_t epoch)
{
	uint8_t info[sizeof(label) - 1 + EPOCH_LEN];
	uint8_t b[HF_SM4_KEY_LEN];
	hf_err e;

	memcpy(info, label, sizeof(label) - 1);
	hf_put_be32(info + sizeof(label) - 1, epoch);
	e = hf_hkdf(b, sizeof(b), NULL, 0, k->secret, sizeof(k->secret), info, sizeof(info));
	if (e == HF_OK)
		e = hf_gcm_init(key, b);
	hf_wipe(b, sizeof(b));
	return e;
}

static void make_aad(uint8_t aad[AAD_LEN], uint32_t epoch, const uint8_t bound[HF_SM3_LEN])
{
	hf_put_be32(aad, epoch);
	memcpy(aad + EPOCH_LEN, bound, HF_SM3_LEN);
}

/*
 * Nonces are drawn: at most HF_DRAWN_NONCES_MAX tickets in the life of one key, which is an hour or
 * a day, whatever a server does.
 */
hf_err hf_tls_tickets_seal(const struct hf_tls_tickets *k, const struct hf_rng *rng,
	struct hf_buf *out, const uint8_t bound[HF_SM3_LEN], struct hf_bytes plain, uint64_t now_s)
{
	uint32_t epoch = epoch_of(k, now_s);
	size_t before = out->len;
	uint8_t aad[AAD_LEN];
	struct hf_gcm_key key = { 0 };
	uint8_t *p = NULL;
	hf_err e;

	HF_TRY(hf_buf_room(out, &p, HEAD_LEN + plain.len + HF_GCM_TAG_LEN));
	hf_put_be32(p, epoch);
	make_aad(aad, epoch, bound);
	e = hf_rng_fill(rng, p + EPOCH_LEN, HF_GCM_NONCE_LEN);
	if (e == HF_OK)
		e = key_of(&key, k, epoch);
	if (e == HF_OK)
		e = hf_gcm_seal(&key, &(struct hf_aead){
					      .nonce = p + EPOCH_LEN,
					      .nonce_len = HF_GCM_NONCE_LEN,
					      .aad = aad,
					      .aad_len = sizeof(aad),
					      .in = plain.p,
					      .in_len = plain.len,
					      .out = p + HEAD_LEN,
					      .tag = p + HEAD_LEN + plain.len,
					      .tag_len = HF_GCM_TAG_LEN,
				      });
	if (e != HF_OK)
		out->len = before;
	hf_gcm_clear(&key);
	return e;
}

hf_err hf_tls_tickets_open(const struct hf_tls_tickets *k, struct hf_buf *out,
	const uint8_t bound[HF_SM3_LEN], struct hf_bytes ticket, uint64_t now_s)
{
	uint32_t now = epoch_of(k, now_s);
	uint8_t aad[AAD_LEN];
	struct hf_gcm_key key = { 0 };
	uint8_t *p = NULL;
	size_t before = out->len;
	uint32_t epoch;
	size_t len;
	hf_err e;

	if (ticket.len < HEAD_LEN + HF_GCM_TAG_LEN)
		return HF_ERR_AUTH;
	epoch = hf_get_be32(ticket.p);
	if (epoch != now && epoch != now - 1)
		return HF_ERR_AUTH;
	len = ticket.len - HEAD_LEN - HF_GCM_TAG_LEN;
	HF_TRY(hf_buf_room(out, &p, len));
	make_aad(aad, epoch, bound);
	e = key_of(&key, k, epoch);
	if (e == HF_OK) {
		uint8_t tag[HF_GCM_TAG_LEN];

		memcpy(tag, ticket.p + HEAD_LEN + len, sizeof(tag));
		e = hf_gcm_open(&key, &(struct hf_aead){
					      .nonce = ticket.p + EPOCH_LEN,
					      .nonce_len = HF_GCM_NONCE_LEN,
					      .aad = aad,
					      .aad_len = sizeof(aad),
					      .in = ticket.p + HEAD_LEN,
					      .in_len = len,
					      .out = p,
					      .tag = tag,
					      .tag_len = sizeof(tag),
				      });
	}
	if (e != HF_OK)
		out->len = before;
	hf_gcm_clear(&key);
	return e;
}

/* The tag: nobody but us can make another ticket with it that opens. */
void hf_tls_tickets_id(uint8_t id[HF_TLS_TICKET_ID_LEN], struct hf_bytes ticket)
{
	memcpy(id, ticket.p + ticket.len - HF_TLS_TICKET_ID_LEN, HF_TLS_TICKET_ID_LEN);
}

/*
 * A table of open addressing: an id, which is as good as random, lies in the first free place of
 * WAYS behind the one that it names. So a look costs WAYS comparisons and nothing is ever moved.
 */
enum { WAYS = 16 };

struct once {
	uint8_t id[HF_TLS_TICKET_ID_LEN];
	uint64_t until_s; /* 0: free */
};

struct hf_tls_once_mem {
	const struct hf_mem *mem;
	size_t max;
	struct once *at;
};

struct hf_tls_once_mem *hf_tls_once_mem_new(const struct hf_mem *mem, size_t max)
{
	struct hf_tls_once_mem *m;

	if (max == 0 || max > HF_TLS_ONCE_MAX)
		return NULL;
	m = hf_mem_new(mem, sizeof(*m));
	if (m == NULL)
		return NULL;
	m->mem = mem;
	m->max = max;
	m->at = hf_mem_array(mem, max, sizeof(m->at[0]));
	if (m->at == NULL) {
		hf_mem_free(mem, m);
		return NULL;
	}
	return m;
}

void hf_tls_once_mem_free(struct hf_tls_once_mem *m)
{
	if (m == NULL)
		return;
	hf_mem_free(m->mem, m->at);
	hf_mem_free(m->mem, m);
}

static hf_err take_once(
	void *ctx, const uint8_t id[HF_TLS_TICKET_ID_LEN], uint64_t until_s, uint64_t now_s)
{
	struct hf_tls_once_mem *m = ctx;
	size_t first = hf_get_be32(id) % m->max;
	struct once *free_one = NULL;

	for (size_t i = 0; i < WAYS && i < m->max; i++) {
		struct once *o = &m->at[(first + i) % m->max];

		/* Ids of tickets are no secret: they have been on the wire. */
		if (o->until_s >= now_s && o->until_s != 0) {
			if (memcmp(o->id, id, sizeof(o->id)) == 0)
				return HF_ERR_EXISTS;
		} else if (free_one == NULL) {
			free_one = o;
		}
	}
	if (free_one == NULL)
		return HF_ERR_LIMIT;
	memcpy(free_one->id, id, sizeof(free_one->id));
	free_one->until_s = until_s;
	return HF_OK;
}

struct hf_tls_once hf_tls_once_mem_get(struct hf_tls_once_mem *m)
{
	return (struct hf_tls_once){ take_once, m };
}
