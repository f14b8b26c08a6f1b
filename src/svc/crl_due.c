/* SPDX-License-Identifier: Apache-2.0 */
/* When lists are fetched. */
#include "svc/crl_due.h"

#include <string.h>

hf_err hf_crl_due_add(struct hf_crl_due *d, const char *url, size_t url_len)
{
	struct hf_crl_place *p = &d->place[d->n];
	struct hf_url u;

	HF_TRY(hf_url_parse(&u, url, url_len));
	for (size_t i = 0; i < d->n; i++)
		if (strlen(d->place[i].text) == url_len &&
			memcmp(d->place[i].text, url, url_len) == 0)
			return HF_ERR_EXISTS;
	if (d->n == HF_CRL_PLACES_MAX)
		return HF_ERR_LIMIT;
	*p = (struct hf_crl_place){ .url = u };
	memcpy(p->text, url, url_len);
	d->n++;
	return HF_OK;
}

bool hf_crl_due_next(const struct hf_crl_due *d, uint64_t now_ms, size_t *at)
{
	uint64_t first = UINT64_MAX;

	for (size_t i = 0; i < d->n; i++)
		if (d->place[i].next_ms <= now_ms && d->place[i].next_ms < first) {
			first = d->place[i].next_ms;
			*at = i;
		}
	return first != UINT64_MAX;
}

uint64_t hf_crl_due_deadline(const struct hf_crl_due *d)
{
	uint64_t first = UINT64_MAX;

	for (size_t i = 0; i < d->n; i++)
		if (d->place[i].next_ms < first)
			first = d->place[i].next_ms;
	return first;
}

/* Three quarters for certain, the rest by chance. */
static uint64_t jitter(const struct hf_crl_due *d, uint64_t ms)
{
	uint16_t r = 0;

	if (hf_rng_fill(d->rng, (uint8_t *)&r, sizeof(r)) != HF_OK)
		r = 0;
	return ms - ms / 4 + ms / 4 * r / UINT16_MAX;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void hf_crl_due_good(struct hf_crl_due *d, size_t at, uint64_t end_ms, uint64_t now_ms)
{
	uint64_t wait_ms = d->every_ms;
	uint64_t left_ms = end_ms > now_ms ? end_ms - now_ms : 0;

	/* A list that ends sooner is looked for then; one that has ended, now and then. */
	if (left_ms < wait_ms)
		wait_ms = left_ms > HF_CRL_DUE_SOON_MS ? left_ms
						       : lesser(HF_CRL_DUE_SOON_MS, d->every_ms);
	d->place[at].n_fails = 0;
	d->place[at].next_ms = now_ms + jitter(d, wait_ms);
}

void hf_crl_due_failed(struct hf_crl_due *d, size_t at, uint64_t now_ms)
{
	struct hf_crl_place *p = &d->place[at];
	uint64_t wait_ms = lesser(HF_CRL_DUE_RETRY_MS, d->every_ms);

	for (unsigned i = 0; i < p->n_fails && wait_ms < HF_CRL_DUE_RETRY_MAX_MS; i++)
		wait_ms *= 2;
	p->n_fails++;
	p->next_ms = now_ms + jitter(d, lesser(wait_ms, HF_CRL_DUE_RETRY_MAX_MS));
}
