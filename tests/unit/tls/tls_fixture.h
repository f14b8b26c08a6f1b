/* SPDX-License-Identifier: Apache-2.0 */
/* Two ends of a link in one test, a wire between them that can be altered, and recorded traces. */
#ifndef HF_TEST_TLS_FIXTURE_H
#define HF_TEST_TLS_FIXTURE_H

#include "../pki/pki_fixture.h"

#include "tls/hs.h"
#include "tls/jobs.h"
#include "tls/tls.h"

enum { WIRE_MAX = 1 << 20, FLIGHTS_MAX = 40 };

/* A time at which the recorded certificates are valid. */
#define TRACE_NOW_S UINT64_C(1800000000)

/* --- traces --- */

static inline uint8_t *trace(const char *file, const char *name, size_t *len)
{
	static char line[FILE_ROOM];
	char path[512];
	char want[64];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/vectors/%s", TEST_DATA, file);
	(void)snprintf(want, sizeof(want), "%s = ", name);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, want, strlen(want)) != 0)
			continue;
		(void)fclose(f);
		return test_hex(line + strlen(want), len);
	}
	(void)fclose(f);
	fail_msg("%s has no %s", file, name);
	return NULL;
}

static inline void assert_bytes(
	const uint8_t *got, size_t got_len, const char *file, const char *name)
{
	size_t len;
	uint8_t *want = trace(file, name, &len);

	if (got_len != len || memcmp(got, want, len) != 0)
		fail_msg("%s: not the %s of the trace (%zu bytes, want %zu)", file, name, got_len,
			len);
	free(want);
}

/* A generator that gives what was put in, and fails when that is used up. */
struct script {
	uint8_t b[256];
	size_t len;
	size_t at;
};

static inline hf_err script_fill(void *ctx, uint8_t *out, size_t len)
{
	struct script *s = ctx;

	if (s->len - s->at < len) {
		memset(out, 0, len);
		return HF_ERR_ENTROPY;
	}
	memcpy(out, s->b + s->at, len);
	s->at += len;
	return HF_OK;
}

static inline void script_put(struct script *s, const uint8_t *b, size_t len)
{
	assert_true(sizeof(s->b) - s->len >= len);
	memcpy(s->b + s->len, b, len);
	s->len += len;
}

/* --- a pair --- */

static const char *const fixture_alpn[] = { "h2", "hufu/1" };

/* Parties of the test domain: a CA, a server and a device with identities. */
struct domain {
	struct party ca, other_ca, server, device, stranger, lonely;
	struct hf_bytes server_chain[2];
	struct hf_bytes device_chain[2];
	struct hf_bytes stranger_chain[1];
	struct hf_bytes lonely_chain[1];
};

static struct domain dom;

static inline void domain_init(void)
{
	static const char *const dns[] = { "hub.example" };
	static const struct hf_identity hub = { HF_ROLE_HUB, HF_L2, "plant", "hub-1" };
	static const struct hf_identity dev = { HF_ROLE_DEVICE, HF_L1, "plant", "dev-7" };
	struct hf_cert_spec spec;

	party_init(&dom.ca, "CA");
	party_init(&dom.other_ca, "other CA");
	party_init(&dom.server, "hub-1");
	party_init(&dom.device, "dev-7");
	party_init(&dom.stranger, "stranger");
	party_init(&dom.lonely, "lonely");

	spec = ca_spec(&dom.ca, &dom.ca);
	party_issue(&dom.ca, &spec, &dom.ca);
	spec = ca_spec(&dom.other_ca, &dom.other_ca);
	party_issue(&dom.other_ca, &spec, &dom.other_ca);

	spec = party_spec(&dom.server, &dom.ca);
	spec.identity = &hub;
	spec.dns = dns;
	spec.n_dns = 1;
	party_issue(&dom.server, &spec, &dom.ca);
	spec = party_spec(&dom.device, &dom.ca);
	spec.identity = &dev;
	party_issue(&dom.device, &spec, &dom.ca);
	spec = party_spec(&dom.stranger, &dom.other_ca);
	party_issue(&dom.stranger, &spec, &dom.other_ca);
	spec = party_spec(&dom.lonely, &dom.lonely);
	party_issue(&dom.lonely, &spec, &dom.lonely);

	dom.server_chain[0] = dom.server.cert.der;
	dom.server_chain[1] = dom.ca.cert.der;
	dom.device_chain[0] = dom.device.cert.der;
	dom.device_chain[1] = dom.ca.cert.der;
	dom.stranger_chain[0] = dom.stranger.cert.der;
	dom.lonely_chain[0] = dom.lonely.cert.der;
}

/*
 * A list of the domain's CA, made so long ago, on which one serial number stands (empty: none). The
 * caller clears der, which it lies in.
 */
static inline void list_make(
	struct hf_crl *out, struct hf_buf *der, struct hf_bytes serial, uint64_t age_s)
{
	const struct hf_crl_entry entry = { serial.p, serial.len, NOW_S - 10, 1 };
	struct hf_crl_spec spec = { .issuer = dom.ca.subject,
		.this_update_s = NOW_S - age_s,
		.next_update_s = NOW_S + DAY_S,
		.number = 1,
		.entries = &entry,
		.n_entries = serial.len > 0 };

	hf_buf_init(der, &test_mem, 4096);
	assert_ok(hf_crl_build(der, &spec, &dom.ca.signer, NULL));
	assert_ok(hf_crl_parse(out, der->p, der->len, NULL));
}

struct end {
	struct hf_tls_config cfg;
	struct hf_tls_start start;
	struct test_rng state;
	struct hf_rng rng;
	struct hf_tls t;
	hf_err err; /* what the last call said */
};

struct pair {
	struct end c;
	struct end s;
	uint64_t now_ms;
};

/* Both ends leave their SM2 operations to the test, which does them at once. */
static bool fixture_defers;

/* What an end and its peer show must be the same whoever does the work: every test runs twice. */
#define run_both_ways(tests, start) \
	(cmocka_run_group_tests(tests, start, NULL) + \
		(fixture_defers = true, cmocka_run_group_tests(tests, NULL, NULL)))

/* Goes on as long as somebody's work is what it waits for. */
static inline hf_err end_go_on(struct end *e, uint64_t now_ms)
{
	struct hf_tls *links[] = { &e->t };
	size_t used;

	while (e->err == HF_OK && (hf_tls_wants(&e->t) & HF_WANT_SM2) != 0) {
		hf_tls_jobs_run(links, 1);
		e->err = hf_tls_feed(&e->t, &used, NULL, 0, now_ms);
	}
	return e->err;
}

/* Fills in both configurations; change them, then pair_start(). */
static inline void pair_init(struct pair *p)
{
	memset(p, 0, sizeof(*p));
	p->now_ms = 1000;
	hf_tls_config_init(&p->c.cfg, HF_TLS_CLIENT, HF_L1);
	hf_tls_config_init(&p->s.cfg, HF_TLS_SERVER, HF_L1);
	p->c.rng = test_rng(&p->c.state, 1);
	p->s.rng = test_rng(&p->s.state, 2);
	p->c.cfg.mem = p->s.cfg.mem = &test_mem;
	p->c.cfg.rng = &p->c.rng;
	p->s.cfg.rng = &p->s.rng;
	p->c.cfg.roots = p->s.cfg.roots = &dom.ca.cert;
	p->c.cfg.n_roots = p->s.cfg.n_roots = 1;
	p->c.cfg.chain = dom.device_chain;
	p->c.cfg.n_chain = 1;
	p->c.cfg.signer = &dom.device.signer;
	p->s.cfg.chain = dom.server_chain;
	p->s.cfg.n_chain = 1;
	p->s.cfg.signer = &dom.server.signer;
	p->c.cfg.alpn = p->s.cfg.alpn = fixture_alpn;
	p->c.cfg.n_alpn = 2;
	p->s.cfg.n_alpn = 1;
	p->c.start.server_name = "hub.example";
	p->c.start.now_s = p->s.start.now_s = NOW_S;
	p->c.start.defer_sm2 = p->s.start.defer_sm2 = fixture_defers;
}

static inline void pair_start(struct pair *p)
{
	p->c.start.now_ms = p->s.start.now_ms = p->now_ms;
	/* The same bytes in every run, so that signatures are too. */
	fixture_state.state = 99;
	p->c.err = hf_tls_init(&p->c.t, &p->c.cfg, &p->c.start);
	if (fixture_defers)
		(void)end_go_on(&p->c, p->now_ms);
	p->s.err = hf_tls_init(&p->s.t, &p->s.cfg, &p->s.start);
}

static inline void pair_clear(struct pair *p)
{
	hf_tls_clear(&p->c.t);
	hf_tls_clear(&p->s.t);
}

/* Feeds everything, in pieces of step bytes, in memory of exactly that length. */
static inline void end_feed(
	struct end *e, const uint8_t *in, size_t len, size_t step, uint64_t now_ms)
{
	while (len > 0) {
		size_t n = len < step ? len : step;
		uint8_t *copy = malloc(n);
		size_t used;

		memcpy(copy, in, n);
		e->err = hf_tls_feed(&e->t, &used, copy, n, now_ms);
		free(copy);
		if (fixture_defers)
			(void)end_go_on(e, now_ms);
		if (e->err != HF_OK || used == 0)
			return;
		in += used;
		len -= used;
	}
}

/* Takes what waits to be sent; the caller frees it. */
static inline uint8_t *end_out(struct end *e, size_t *len)
{
	const uint8_t *bytes;
	uint8_t *copy;

	*len = hf_tls_out(&e->t, &bytes);
	copy = malloc(*len + (*len == 0));
	if (*len > 0)
		memcpy(copy, bytes, *len);
	hf_tls_sent(&e->t, *len);
	return copy;
}

/* Moves what waits at from to the other end; false if there was nothing. */
static inline bool move(struct pair *p, struct end *from, struct end *to, size_t step)
{
	size_t len;
	uint8_t *bytes = end_out(from, &len);

	if (len > 0)
		end_feed(to, bytes, len, step, p->now_ms);
	free(bytes);
	return len > 0;
}

/* Until nobody has anything to say. */
static inline void pair_run(struct pair *p, size_t step)
{
	bool any = true;

	while (any) {
		any = move(p, &p->c, &p->s, step);
		any |= move(p, &p->s, &p->c, step);
	}
}

static inline void pair_open(struct pair *p)
{
	pair_start(p);
	pair_run(p, SIZE_MAX);
	if (hf_tls_error(&p->c.t) != HF_OK)
		fail_msg("client: %s", hf_tls_why(&p->c.t)->text);
	if (hf_tls_error(&p->s.t) != HF_OK)
		fail_msg("server: %s", hf_tls_why(&p->s.t)->text);
	assert_true(hf_tls_is_open(&p->c.t));
	assert_true(hf_tls_is_open(&p->s.t));
}

/* Runs a handshake and expects one side to refuse with this error and alert, the other to hear it.
 */
static inline void expect_refusal(
	struct pair *p, struct end *by, hf_err e, unsigned alert, const char *says)
{
	struct end *peer = by == &p->c ? &p->s : &p->c;

	pair_start(p);
	pair_run(p, SIZE_MAX);
	if (hf_tls_error(&by->t) != e || hf_tls_alert_sent(&by->t) != alert)
		fail_msg("error 0x%x, alert %u, peer 0x%x (%s): %s", hf_tls_error(&by->t),
			hf_tls_alert_sent(&by->t), hf_tls_error(&peer->t),
			hf_tls_why(&peer->t)->text, hf_tls_why(&by->t)->text);
	assert_int_equal(hf_tls_alert_got(&peer->t), alert);
	assert_int_not_equal(hf_tls_error(&peer->t), HF_OK);
	if (says != NULL && strstr(hf_tls_why(&by->t)->text, says) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", hf_tls_why(&by->t)->text, says);
	pair_clear(p);
}

static inline void say(struct end *e, const char *text)
{
	size_t used;

	assert_ok(hf_tls_write(&e->t, &used, (const uint8_t *)text, strlen(text)));
	assert_int_equal(used, strlen(text));
}

static inline void hears(struct end *e, const char *text)
{
	uint8_t b[256];
	size_t len = 0;

	assert_ok(hf_tls_read(&e->t, &len, b, sizeof(b)));
	assert_int_equal(len, strlen(text));
	assert_memory_equal(b, text, len);
}

#endif
