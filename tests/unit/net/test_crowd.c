/* SPDX-License-Identifier: Apache-2.0 */
/* Who is at a listener, against a count that walks all links. */
#include "net/crowd.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/attr.h"
#include "net/link_inner.h"
#include "os/heap.h"
#include "test.h"

enum { LINKS = 200, SHARE = 8, STEPS = 20000 };

/* One that is there, as the walk sees it. */
struct one {
	struct hf_link link;
	uint64_t came; /* 0: it is not there */
	bool is_opening;
	bool is_alive;
};

struct world {
	struct hf_crowd crowd;
	struct one one[LINKS];
	uint64_t clock;
	uint32_t random;
};

static uint32_t next(struct world *w, uint32_t below)
{
	w->random = w->random * 1664525U + 1013904223U;
	return (w->random >> 8) % below;
}

static struct sockaddr_storage address(const char *text)
{
	struct sockaddr_storage out = { 0 };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = 7 };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = 7 };

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		memcpy(&out, &v4, sizeof(v4));
	else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
		memcpy(&out, &v6, sizeof(v6));
	else
		fail();
	return out;
}

static void come(struct world *w, struct one *o, const char *from)
{
	struct sockaddr_storage addr = address(from);

	memset(o, 0, sizeof(*o));
	assert_ok(hf_crowd_meet(&w->crowd, &o->link, &addr));
	if (o->link.origin->n_opening == SHARE) {
		hf_crowd_forget(&w->crowd, &o->link);
		return;
	}
	hf_crowd_enter(&w->crowd, &o->link);
	o->came = ++w->clock;
	o->is_opening = o->is_alive = true;
}

static void go(struct world *w, struct one *o)
{
	hf_crowd_forget(&w->crowd, &o->link);
	memset(o, 0, sizeof(*o));
}

static uint32_t n_opening_of(const struct world *w, const struct crowd_origin *of)
{
	uint32_t n = 0;

	for (size_t i = 0; i < LINKS; i++)
		n += w->one[i].is_opening && w->one[i].link.origin == of;
	return n;
}

static void check_oldest(const struct world *w, const struct crowd_origin *of)
{
	const struct hf_link *found = NULL;
	uint64_t came = UINT64_MAX;

	for (size_t i = 0; i < LINKS; i++) {
		const struct one *o = &w->one[i];

		if (!o->is_opening || o->link.origin != of || o->came > came)
			continue;
		came = o->came;
		found = &o->link;
	}
	assert_ptr_equal(hf_crowd_oldest(&w->crowd, of), found);
}

static void check(const struct world *w)
{
	const struct hf_link *greedy = hf_crowd_oldest(&w->crowd, NULL);
	uint32_t n_alive = 0;
	uint32_t n_opening = 0;
	uint32_t most = 0;

	for (size_t i = 0; i < LINKS; i++) {
		const struct one *o = &w->one[i];

		n_alive += o->is_alive;
		n_opening += o->is_opening;
		if (o->came == 0)
			continue;
		assert_int_equal(o->link.origin->n_opening, n_opening_of(w, o->link.origin));
		if (o->link.origin->n_opening > most)
			most = o->link.origin->n_opening;
		check_oldest(w, o->link.origin);
	}
	assert_int_equal(w->crowd.n_alive, n_alive);
	assert_int_equal(w->crowd.n_opening, n_opening);
	assert_int_equal(w->crowd.most, most);
	assert_true((greedy == NULL) == (n_opening == 0));
	if (greedy != NULL) {
		assert_int_equal(greedy->origin->n_opening, most);
		check_oldest(w, greedy->origin);
	}
}

static void the_counts_are_those_of_a_walk(void **state)
{
	static struct world w; /* large */
	char from[32];

	(void)state;
	memset(&w, 0, sizeof(w));
	assert_ok(hf_crowd_init(&w.crowd, hf_os_mem(), SHARE));
	for (unsigned step = 0; step < STEPS; step++) {
		struct one *o = &w.one[next(&w, LINKS)];

		(void)snprintf(from, sizeof(from), "10.0.%u.1", (unsigned)next(&w, 25));
		if (o->came == 0) {
			come(&w, o, from);
		} else if (o->is_opening && next(&w, 2) == 0) {
			hf_crowd_opened(&w.crowd, &o->link);
			o->is_opening = false;
		} else if (o->is_alive && next(&w, 2) == 0) {
			hf_crowd_left(&w.crowd, &o->link);
			o->is_opening = o->is_alive = false;
		} else {
			go(&w, o);
		}
		if (step % 50 == 0)
			check(&w);
	}
	for (size_t i = 0; i < LINKS; i++)
		if (w.one[i].came != 0)
			go(&w, &w.one[i]);
	check(&w);
	for (size_t i = 0; i < HF_CROWD_BUCKETS; i++)
		assert_null(w.crowd.bucket[i]);
	hf_crowd_clear(&w.crowd);
}

static void a_site_is_one_address(void **state)
{
	static const struct {
		const char *a;
		const char *b;
		bool are_one;
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.2", false },
		{ "192.0.2.1", "::ffff:192.0.2.1", true },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.2", false },
		{ "2001:db8::1", "2001:db8::ffff:1", true },
		{ "2001:db8::1", "2001:db8:0:1::1", false },
	};

	(void)state;
	for (size_t i = 0; i < HF_COUNT(rows); i++) {
		struct sockaddr_storage a = address(rows[i].a);
		struct sockaddr_storage b = address(rows[i].b);
		struct hf_link la = { 0 };
		struct hf_link lb = { 0 };
		struct hf_crowd c;

		assert_ok(hf_crowd_init(&c, hf_os_mem(), 1));
		assert_ok(hf_crowd_meet(&c, &la, &a));
		assert_ok(hf_crowd_meet(&c, &lb, &b));
		assert_int_equal(la.origin == lb.origin, rows[i].are_one);
		hf_crowd_forget(&c, &la);
		hf_crowd_forget(&c, &lb);
		hf_crowd_clear(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_counts_are_those_of_a_walk),
		cmocka_unit_test(a_site_is_one_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
