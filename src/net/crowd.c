/* SPDX-License-Identifier: Apache-2.0 */
/* Links come and go one at a time, so an origin's rank changes by one: lists, and nothing sorted.
 */
#include "net/crowd.h"

#include <assert.h>
#include <string.h>

#include "net/link_inner.h"

void hf_link_site_of(uint8_t out[HF_LINK_SITE_LEN], const struct sockaddr_storage *addr)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const void *any = addr;

	memset(out, 0, HF_LINK_SITE_LEN);
	if (addr->ss_family == AF_INET) {
		memcpy(out, mapped, sizeof(mapped));
		memcpy(out + sizeof(mapped), &((const struct sockaddr_in *)any)->sin_addr, 4);
	} else if (addr->ss_family == AF_INET6) {
		memcpy(out, &((const struct sockaddr_in6 *)any)->sin6_addr, HF_LINK_SITE_LEN);
		if (memcmp(out, mapped, sizeof(mapped)) != 0) /* one site has a /64 */
			memset(out + HF_LINK_SITE_LEN / 2, 0, HF_LINK_SITE_LEN / 2);
	}
}

static struct crowd_origin **bucket_of(struct hf_crowd *c, const uint8_t address[HF_LINK_SITE_LEN])
{
	uint32_t h = 2166136261U; /* FNV-1a: a bucket that is made long on purpose costs a walk */

	for (size_t i = 0; i < HF_LINK_SITE_LEN; i++)
		h = (h ^ address[i]) * 16777619U;
	return &c->bucket[h % HF_CROWD_BUCKETS];
}

hf_err hf_crowd_init(struct hf_crowd *c, const struct hf_mem *mem, uint32_t share)
{
	memset(c, 0, sizeof(*c));
	c->ranks = hf_mem_array(mem, (size_t)share + 1, sizeof(*c->ranks));
	if (c->ranks == NULL)
		return HF_ERR_NO_MEMORY;
	c->mem = mem;
	c->share = share;
	return HF_OK;
}

void hf_crowd_clear(struct hf_crowd *c)
{
	if (c->mem != NULL)
		hf_mem_free(c->mem, c->ranks);
	memset(c, 0, sizeof(*c));
}

hf_err hf_crowd_meet(struct hf_crowd *c, struct hf_link *l, const struct sockaddr_storage *addr)
{
	uint8_t address[HF_LINK_SITE_LEN];
	struct crowd_origin **at;
	struct crowd_origin *o;

	hf_link_site_of(address, addr);
	at = bucket_of(c, address);
	o = *at;
	while (o != NULL && memcmp(o->address, address, sizeof(address)) != 0)
		o = o->next;
	if (o == NULL) {
		o = hf_mem_new(c->mem, sizeof(*o));
		if (o == NULL)
			return HF_ERR_NO_MEMORY;
		memcpy(o->address, address, sizeof(address));
		o->next = *at;
		*at = o;
	}
	o->n_links++;
	l->origin = o;
	return HF_OK;
}

static void rank_leave(struct hf_crowd *c, struct crowd_origin *o)
{
	struct crowd_rank *r = &c->ranks[o->n_opening];

	if (o->n_opening == 0)
		return;
	*(o->before != NULL ? &o->before->after : &r->first) = o->after;
	*(o->after != NULL ? &o->after->before : &r->last) = o->before;
	o->before = o->after = NULL;
}

static void rank_join(struct hf_crowd *c, struct crowd_origin *o)
{
	struct crowd_rank *r = &c->ranks[o->n_opening];

	if (o->n_opening == 0)
		return;
	o->before = r->last;
	*(r->last != NULL ? &r->last->after : &r->first) = o;
	r->last = o;
}

void hf_crowd_enter(struct hf_crowd *c, struct hf_link *l)
{
	struct crowd_origin *o = l->origin;

	assert(o->n_opening < c->share);
	c->n_alive++;
	c->n_opening++;
	l->is_counted = true;
	l->is_opening = true;
	l->older = o->youngest;
	*(o->youngest != NULL ? &o->youngest->younger : &o->oldest) = l;
	o->youngest = l;
	rank_leave(c, o);
	o->n_opening++;
	rank_join(c, o);
	if (c->most < o->n_opening)
		c->most = o->n_opening;
}

void hf_crowd_opened(struct hf_crowd *c, struct hf_link *l)
{
	struct crowd_origin *o = l->origin;

	if (!l->is_opening)
		return;
	l->is_opening = false;
	c->n_opening--;
	*(l->older != NULL ? &l->older->younger : &o->oldest) = l->younger;
	*(l->younger != NULL ? &l->younger->older : &o->youngest) = l->older;
	l->older = l->younger = NULL;
	rank_leave(c, o);
	o->n_opening--;
	rank_join(c, o);
	while (c->most > 0 && c->ranks[c->most].first == NULL) /* one step: it had most */
		c->most--;
}

void hf_crowd_left(struct hf_crowd *c, struct hf_link *l)
{
	hf_crowd_opened(c, l);
	c->n_alive -= l->is_counted ? 1 : 0;
	l->is_counted = false;
}

void hf_crowd_forget(struct hf_crowd *c, struct hf_link *l)
{
	struct crowd_origin *o = l->origin;
	struct crowd_origin **at;

	hf_crowd_left(c, l);
	l->origin = NULL;
	if (o == NULL || --o->n_links > 0)
		return;
	at = bucket_of(c, o->address);
	while (*at != o)
		at = &(*at)->next;
	*at = o->next;
	hf_mem_free(c->mem, o);
}

struct hf_link *hf_crowd_oldest(const struct hf_crowd *c, const struct crowd_origin *of)
{
	if (of == NULL)
		of = c->ranks[c->most].first;
	return of == NULL ? NULL : of->oldest;
}
