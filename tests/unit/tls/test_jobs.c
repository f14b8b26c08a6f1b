/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links that leave their SM2 operations to others: what crosses the wire, whom they turn away and
 * how they end is what it is without that.
 */
#include "tlcp_fixture.h"

#include "tls/jobs.h"
#include "tls/resume.h"

enum { PAIRS = 5, BAD = 2 /* the pair that goes wrong */ };

static const uint8_t secret[HF_TLS_TICKET_SECRET_LEN] = "the secret of the ticket keys..";
static struct hf_tls_tickets tickets;

static int start(void **state)
{
	(void)state;
	tlcp_domain_init();
	hf_tls_tickets_init(&tickets, secret, HF_L1);
	return 0;
}

/* --- driving --- */

/* At most step bytes, and only what is taken; what is on its way may be altered, once. */
struct wire {
	size_t step;
	void (*alter)(uint8_t *bytes, size_t len);
	struct hf_sm3 *heard; /* all that crosses, or NULL */
};

static bool pass(struct end *from, struct end *to, struct wire *w, uint64_t now_ms)
{
	const uint8_t *out;
	size_t len = hf_tls_out(&from->t, &out);
	size_t used = 0;
	uint8_t *copy;

	if (len == 0 || (hf_tls_wants(&to->t) & HF_WANT_SM2) != 0)
		return false;
	if (len > w->step)
		len = w->step;
	copy = malloc(len);
	memcpy(copy, out, len);
	if (w->alter != NULL)
		w->alter(copy, len);
	to->err = hf_tls_feed(&to->t, &used, copy, len, now_ms);
	if (to->err != HF_OK)
		used = len; /* nobody listens any more */
	if (w->heard != NULL)
		hf_sm3_feed(w->heard, copy, used);
	free(copy);
	hf_tls_sent(&from->t, used);
	return used > 0;
}

/* What the links of these pairs wait for, in one go. */
static bool run_jobs(struct pair *p, size_t n)
{
	struct hf_tls *all[2 * PAIRS];
	bool any = false;
	size_t used;

	for (size_t i = 0; i < n; i++) {
		all[2 * i] = &p[i].c.t;
		all[2 * i + 1] = &p[i].s.t;
	}
	hf_tls_jobs_run(all, 2 * n);
	for (size_t i = 0; i < 2 * n; i++) {
		if ((hf_tls_wants(all[i]) & HF_WANT_SM2) == 0)
			continue;
		any = true;
		(void)!hf_tls_feed(all[i], &used, NULL, 0, p->now_ms);
	}
	return any;
}

static void talk(struct pair *p, size_t n, struct wire *w)
{
	struct wire clean = { .step = w->step, .heard = w->heard };
	bool any = true;

	while (any) {
		any = false;
		for (size_t i = 0; i < n; i++) {
			struct wire *of = i == BAD || n == 1 ? w : &clean;

			any |= pass(&p[i].c, &p[i].s, of, p->now_ms);
			any |= pass(&p[i].s, &p[i].c, of, p->now_ms);
		}
		any |= run_jobs(p, n);
	}
}

static void assert_open(struct pair *p)
{
	if (!hf_tls_is_open(&p->c.t) || !hf_tls_is_open(&p->s.t))
		fail_msg("client: %s; server: %s", hf_tls_why(&p->c.t)->text,
			hf_tls_why(&p->s.t)->text);
}

/* --- the same as ever --- */

enum way {
	FULL,
	RETRY,
	ANONYMOUS,
	INTERMEDIATE,
	RESUMED,
	KEY_ELSEWHERE,
	TLCP_ECC,
	TLCP_ECDHE,
	WAYS,
};

static void pair_way(struct tlcp_pair *t, enum way way, struct hf_tls_session *session)
{
	struct pair *p = &t->p;

	if (way >= TLCP_ECC) {
		tlcp_init(t);
		t->c.suites = t->s.suites =
			way == TLCP_ECC ? HF_TLCP_ECC_SM4_GCM_SM3 : HF_TLCP_ECDHE_SM4_GCM_SM3;
		return;
	}
	pair_init(p);
	p->s.cfg.tickets = &tickets;
	p->c.cfg.keep_session = true;
	p->c.cfg.defer_share = way == RETRY;
	if (way == ANONYMOUS) {
		p->s.cfg.ask_client_cert = p->s.cfg.require_client_cert = false;
		p->c.cfg.n_chain = 0;
	}
	if (way == INTERMEDIATE)
		p->c.cfg.n_chain = p->s.cfg.n_chain = 2;
	if (way == RESUMED) {
		session->is_used = false;
		p->c.start.session = session;
	}
	if (way == KEY_ELSEWHERE)
		p->s.cfg.signer = NULL;
}

static struct hf_tls_session *get_session(void)
{
	struct hf_tls_session *s;
	struct tlcp_pair t;

	pair_way(&t, FULL, NULL);
	pair_open(&t.p);
	s = hf_tls_session_take(&t.p.c.t);
	assert_non_null(s);
	pair_clear(&t.p);
	return s;
}

/* Gives the same bytes whatever comes first: a deferred key pair is drawn before a random. */
static hf_err same_fill(void *ctx, uint8_t *out, size_t len)
{
	memset(out, *(const uint8_t *)ctx, len);
	return HF_OK;
}

/* A key process answers. */
static bool sign_elsewhere(struct end *e)
{
	uint8_t digest[HF_SM3_LEN];
	struct hf_tls_cv cv;
	struct hf_sm2_sig sig;

	if ((hf_tls_wants(&e->t) & HF_WANT_SIGN) == 0)
		return false;
	assert_ok(hf_tls_sign_get(&e->t, &cv));
	assert_ok(hf_tls_cv_digest(digest, &cv, &dom.server.signer.pub));
	assert_ok(dom.server.signer.sign_digest(dom.server.signer.ctx, digest, &sig));
	assert_ok(hf_tls_sign_done(&e->t, &sig));
	return true;
}

static void shake_hands(uint8_t digest[HF_SM3_LEN], enum way way, unsigned who, size_t step,
	struct hf_tls_session *session)
{
	static uint8_t same[2] = { 0x11, 0x22 };
	struct hf_sm3 heard;
	struct wire w = { .step = step, .heard = &heard };
	struct tlcp_pair t;
	struct pair *p = &t.p;

	hf_sm3_init(&heard);
	pair_way(&t, way, session);
	p->c.rng = (struct hf_rng){ same_fill, &same[0] };
	p->s.rng = (struct hf_rng){ same_fill, &same[1] };
	p->c.start.defer_sm2 = (who & 1) != 0;
	p->s.start.defer_sm2 = (who & 2) != 0;
	pair_start(p);
	do
		talk(p, 1, &w);
	while (sign_elsewhere(&p->s));
	assert_open(p);
	assert_null(p->c.t.jobs);
	assert_null(p->s.t.jobs);
	assert_int_equal(hf_tls_is_resumed(&p->s.t), way == RESUMED);
	say(&p->c, "ping");
	talk(p, 1, &w);
	hears(&p->s, "ping");
	hf_sm3_done(&heard, digest);
	pair_clear(p);
}

static void all_bytes_are_those_of_links_that_do_it_themselves(void **state)
{
	static const size_t steps[] = { 1, 700, SIZE_MAX };
	struct hf_tls_session *session = get_session();

	(void)state;
	for (int way = 0; way < WAYS; way++) {
		uint8_t want[HF_SM3_LEN];
		uint8_t got[HF_SM3_LEN];

		for (size_t i = 0; i < HF_COUNT(steps); i++) {
			shake_hands(want, (enum way)way, 0, steps[i], session);
			for (unsigned who = 1; who < 4; who++) {
				shake_hands(got, (enum way)way, who, steps[i], session);
				if (memcmp(got, want, sizeof(got)) != 0)
					fail_msg("way %d, deferred by %u, %zu bytes at a time", way,
						who, steps[i]);
			}
		}
	}
	hf_tls_session_free(session);
}

/* --- one bad among good ones --- */

static uint8_t bad_der[HF_CERT_DER_MAX];
static struct hf_bytes bad_chain[1];

static hf_err sign_wrong(void *ctx, const uint8_t e[HF_SM3_LEN], struct hf_sm2_sig *sig)
{
	const struct party *p = ctx;
	uint8_t other[HF_SM3_LEN];

	memcpy(other, e, sizeof(other));
	other[31] ^= 1;
	return p->signer.sign_digest(p->signer.ctx, other, sig);
}

static hf_err sign_zero(void *ctx, const uint8_t e[HF_SM3_LEN], struct hf_sm2_sig *sig)
{
	hf_err err = sign_wrong(ctx, e, sig);

	memset(sig->s, 0, sizeof(sig->s));
	return err;
}

static struct hf_signer bad_signer;

static void spoil_signer(struct end *e, struct party *p,
	hf_err (*how)(void *ctx, const uint8_t e[HF_SM3_LEN], struct hf_sm2_sig *sig))
{
	bad_signer = (struct hf_signer){ .sign_digest = how, .ctx = p, .pub = p->signer.pub };
	e->cfg.signer = &bad_signer;
}

static void spoil_chain(struct end *e, const struct party *p)
{
	assert_true(p->cert.der.len <= sizeof(bad_der));
	memcpy(bad_der, p->cert.der.p, p->cert.der.len);
	bad_der[p->cert.der.len - 1] ^= 1; /* of the CA's signature */
	bad_chain[0] = (struct hf_bytes){ bad_der, p->cert.der.len };
	e->cfg.chain = bad_chain;
}

static void server_chain_is_bad(struct pair *p)
{
	spoil_chain(&p->s, &dom.server);
}

static void client_chain_is_bad(struct pair *p)
{
	spoil_chain(&p->c, &dom.device);
}

static void server_signature_is_bad(struct pair *p)
{
	spoil_signer(&p->s, &dom.server, sign_wrong);
}

static void client_signature_is_bad(struct pair *p)
{
	spoil_signer(&p->c, &dom.device, sign_wrong);
}

static void client_signature_is_none(struct pair *p)
{
	spoil_signer(&p->c, &dom.device, sign_zero);
}

static void server_is_of_another_ca(struct pair *p)
{
	p->s.cfg.chain = dom.stranger_chain;
	p->s.cfg.signer = &dom.stranger.signer;
}

static void client_is_another(struct pair *p)
{
	p->c.cfg.signer = &dom.stranger.signer;
}

/* The point of a key share of whichever hello: its last byte changes. */
static void alter_share(uint8_t *bytes, size_t len)
{
	static const uint8_t before[] = { 0x00, 0x29, 0x00, 0x41, 0x04 };

	for (size_t i = 0; i + sizeof(before) + 64 <= len; i++) {
		if (memcmp(bytes + i, before, sizeof(before)) == 0)
			bytes[i + sizeof(before) + 63] ^= 1;
	}
}

/* Only that of the server: a client's hello has a type of its own. */
static void alter_server_share(uint8_t *bytes, size_t len)
{
	if (len > HF_TLS_HEAD_LEN && bytes[HF_TLS_HEAD_LEN] == HF_TLS_MSG_SERVER_HELLO)
		alter_share(bytes, len);
}

static const struct {
	void (*spoil)(struct pair *p);
	void (*alter)(uint8_t *bytes, size_t len);
	bool by_client; /* refuses */
	hf_err err;
	unsigned alert;
} bad[] = {
	{ server_chain_is_bad, NULL, true, HF_ERR_AUTH, HF_ALERT_UNKNOWN_CA },
	{ client_chain_is_bad, NULL, false, HF_ERR_AUTH, HF_ALERT_UNKNOWN_CA },
	{ server_signature_is_bad, NULL, true, HF_ERR_AUTH, HF_ALERT_DECRYPT_ERROR },
	{ client_signature_is_bad, NULL, false, HF_ERR_AUTH, HF_ALERT_DECRYPT_ERROR },
	{ client_signature_is_none, NULL, false, HF_ERR_AUTH, HF_ALERT_DECRYPT_ERROR },
	{ server_is_of_another_ca, NULL, true, HF_ERR_AUTH, HF_ALERT_UNKNOWN_CA },
	{ client_is_another, NULL, true, HF_ERR_ARG, HF_ALERT_INTERNAL_ERROR },
	{ NULL, alter_share, false, HF_ERR_FORMAT, HF_ALERT_ILLEGAL_PARAMETER },
	{ NULL, alter_server_share, true, HF_ERR_FORMAT, HF_ALERT_ILLEGAL_PARAMETER },
};

struct outcome {
	hf_err err;
	unsigned sent;
	unsigned got;
	char why[sizeof(((struct hf_errinfo *)0)->text)];
};

static struct outcome outcome_of(const struct hf_tls *t)
{
	struct outcome o = {
		.err = hf_tls_error(t),
		.sent = hf_tls_alert_sent(t),
		.got = hf_tls_alert_got(t),
	};

	memcpy(o.why, hf_tls_why(t)->text, sizeof(o.why));
	return o;
}

static void run_bad(struct outcome out[2], size_t which, bool defers)
{
	struct pair p[PAIRS];
	struct wire w = { .step = SIZE_MAX, .alter = bad[which].alter };

	for (size_t i = 0; i < PAIRS; i++) {
		pair_init(&p[i]);
		p[i].c.start.defer_sm2 = p[i].s.start.defer_sm2 = defers;
		if (i == BAD && bad[which].spoil != NULL)
			bad[which].spoil(&p[i]);
		pair_start(&p[i]);
	}
	talk(p, PAIRS, &w);
	for (size_t i = 0; i < PAIRS; i++) {
		if (i != BAD)
			assert_open(&p[i]);
		assert_null(p[i].c.t.jobs);
		assert_null(p[i].s.t.jobs);
	}
	out[0] = outcome_of(&p[BAD].c.t);
	out[1] = outcome_of(&p[BAD].s.t);
	for (size_t i = 0; i < PAIRS; i++)
		pair_clear(&p[i]);
}

static void a_bad_one_fails_alone_and_as_ever(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_COUNT(bad); i++) {
		struct outcome alone[2];
		struct outcome batch[2];
		const struct outcome *by = &batch[bad[i].by_client ? 0 : 1];

		run_bad(alone, i, false);
		run_bad(batch, i, true);
		if (by->err != bad[i].err || by->sent != bad[i].alert)
			fail_msg("%zu: error 0x%x, alert %u: %s", i, by->err, by->sent, by->why);
		for (size_t k = 0; k < 2; k++) {
			assert_int_equal(batch[k].err, alone[k].err);
			assert_int_equal(batch[k].sent, alone[k].sent);
			assert_int_equal(batch[k].got, alone[k].got);
			assert_string_equal(batch[k].why, alone[k].why);
		}
	}
}

/* --- waiting --- */

/* Until the server waits for what the client's hello needs. */
static void pair_waits(struct pair *p)
{
	struct wire w = { .step = SIZE_MAX };

	pair_init(p);
	p->s.start.defer_sm2 = true;
	pair_start(p);
	assert_true(pass(&p->c, &p->s, &w, p->now_ms));
	assert_int_equal(hf_tls_wants(&p->s.t), HF_WANT_SM2);
}

static void nothing_is_taken_while_it_waits(void **state)
{
	struct hf_tls_cv cv;
	struct pair p;
	uint8_t byte = 22;
	size_t used = 9;
	const uint8_t *out;

	(void)state;
	pair_waits(&p);
	assert_ok(hf_tls_feed(&p.s.t, &used, &byte, 1, p.now_ms));
	assert_int_equal(used, 0);
	assert_int_equal(hf_tls_out(&p.s.t, &out), 0);
	assert_false(hf_tls_is_open(&p.s.t));
	assert_err(hf_tls_sign_get(&p.s.t, &cv), HF_ERR_STATE);
	assert_err(hf_tls_write(&p.s.t, &used, &byte, 1), HF_ERR_AGAIN);
	hf_tls_trim(&p.s.t);
	assert_int_equal(hf_tls_wants(&p.s.t), HF_WANT_SM2);
	assert_true(run_jobs(&p, 1));
	talk(&p, 1, &(struct wire){ .step = SIZE_MAX });
	assert_open(&p);
	pair_clear(&p);
}

static void a_client_waits_before_its_first_message(void **state)
{
	struct pair p;
	const uint8_t *out;

	(void)state;
	pair_init(&p);
	p.c.start.defer_sm2 = true;
	pair_start(&p);
	assert_ok(p.c.err);
	assert_int_equal(hf_tls_wants(&p.c.t), HF_WANT_SM2);
	assert_int_equal(hf_tls_out(&p.c.t, &out), 0);
	talk(&p, 1, &(struct wire){ .step = SIZE_MAX });
	assert_open(&p);
	pair_clear(&p);
}

static void jobs_run_only_where_there_are_any(void **state)
{
	struct hf_tls none = { 0 };
	struct hf_tls *all[3] = { &none };
	struct pair p;

	(void)state;
	pair_waits(&p);
	all[1] = &p.c.t;
	all[2] = &p.s.t;
	hf_tls_jobs_run(all, 0);
	assert_false(hf_tls_jobs_is_done(&p.s.t));
	hf_tls_jobs_run(all, 3);
	assert_true(hf_tls_jobs_is_done(&p.s.t));
	hf_tls_jobs_run(all, 3); /* twice is once */
	talk(&p, 1, &(struct wire){ .step = SIZE_MAX });
	assert_open(&p);
	pair_clear(&p);
}

/* Spoils what was done: if the link dies of it, the result was used, not made again. */
static unsigned spoil_jobs(struct hf_tls *t, enum hf_tls_job_kind kind, unsigned skip)
{
	unsigned n = 0;

	for (size_t i = 0; hf_tls_jobs_is_done(t) && i < t->jobs->n; i++) {
		if (t->jobs->job[i].kind == kind && n++ >= skip)
			t->jobs->job[i].result = HF_ERR_ENTROPY;
	}
	return n;
}

static void what_was_done_is_what_counts(void **state)
{
	/* Of one end: the signature of a certificate and that of the handshake are two. */
	static const enum hf_tls_job_kind kinds[] = { HF_TLS_JOB_KEY, HF_TLS_JOB_ECDH,
		HF_TLS_JOB_VERIFY, HF_TLS_JOB_VERIFY, HF_TLS_JOB_SIGN };

	(void)state;
	for (unsigned i = 0; i < 2 * HF_COUNT(kinds); i++) {
		enum hf_tls_job_kind kind = kinds[i / 2];
		unsigned skip = i / 2 == 3 ? 1 : 0;
		unsigned seen = 0;
		struct pair p;
		struct end *e = i % 2 == 0 ? &p.c : &p.s;
		struct hf_tls *links[1];
		bool any = true;

		pair_init(&p);
		e->start.defer_sm2 = true;
		pair_start(&p);
		links[0] = &e->t;
		while (any) {
			size_t used;

			any = pass(&p.c, &p.s, &(struct wire){ .step = SIZE_MAX }, p.now_ms);
			any |= pass(&p.s, &p.c, &(struct wire){ .step = SIZE_MAX }, p.now_ms);
			if ((hf_tls_wants(&e->t) & HF_WANT_SM2) == 0)
				continue;
			any = true;
			hf_tls_jobs_run(links, 1);
			seen += spoil_jobs(&e->t, kind, skip > seen ? skip - seen : 0);
			(void)!hf_tls_feed(&e->t, &used, NULL, 0, p.now_ms);
		}
		assert_int_equal(seen, skip + 1);
		assert_int_not_equal(hf_tls_error(&e->t), HF_OK);
		pair_clear(&p);
	}
}

/* --- ends --- */

/* An allocator that looks whether the memory of jobs is wiped when it comes back. */
static struct {
	void *jobs;
	unsigned n_back;
} watch;

static void *watch_get(void *ctx, size_t len)
{
	void *p = test_mem.get(ctx, len);

	if (len == sizeof(struct hf_tls_jobs))
		watch.jobs = p;
	return p;
}

static void watch_put(void *ctx, void *p)
{
	const uint8_t *b = p;

	for (size_t i = 0; p != NULL && p == watch.jobs && i < sizeof(struct hf_tls_jobs); i++)
		assert_int_equal(b[i], 0);
	if (p != NULL && p == watch.jobs) {
		watch.jobs = NULL;
		watch.n_back++;
	}
	test_mem.put(ctx, p);
}

static void end_clear(struct pair *p)
{
	hf_tls_clear(&p->s.t);
}

static void end_eof(struct pair *p)
{
	assert_err(hf_tls_eof(&p->s.t), HF_ERR_TRUNCATED);
}

static void end_time(struct pair *p)
{
	size_t used;

	assert_int_equal(hf_tls_deadline(&p->s.t), 1000 + p->s.cfg.limits.handshake_ms);
	assert_err(hf_tls_feed(&p->s.t, &used, NULL, 0, hf_tls_deadline(&p->s.t)), HF_ERR_TIMEOUT);
}

static void end_refused(struct pair *p)
{
	assert_err(
		hf_tls_refuse(&p->s.t, HF_ALERT_ACCESS_DENIED, HF_ERR_DENIED, "no"), HF_ERR_DENIED);
}

static void end_open(struct pair *p)
{
	talk(p, 1, &(struct wire){ .step = SIZE_MAX });
	assert_open(p);
}

static void it_may_end_while_it_waits_and_leaves_nothing(void **state)
{
	static void (*const ends[])(
		struct pair * p) = { end_clear, end_eof, end_time, end_refused, end_open };
	const struct hf_mem mem = { watch_get, watch_put, test_mem.ctx };

	(void)state;
	for (size_t i = 0; i < 2 * HF_COUNT(ends); i++) {
		struct pair p;
		struct hf_tls *links[1] = { &p.s.t };

		pair_init(&p);
		p.s.start.defer_sm2 = true;
		p.s.cfg.mem = &mem;
		watch.jobs = NULL;
		watch.n_back = 0;
		pair_start(&p);
		assert_non_null(watch.jobs);
		assert_true(pass(&p.c, &p.s, &(struct wire){ .step = SIZE_MAX }, p.now_ms));
		if (i % 2 != 0) /* the work is done, and nobody takes it up */
			hf_tls_jobs_run(links, 1);
		ends[i / 2](&p);
		assert_int_equal(watch.n_back, 1);
		hf_tls_jobs_run(links, 1); /* there is nothing left */
		pair_clear(&p);
	}
}

static void without_memory_for_it_there_is_no_link(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	p.s.start.defer_sm2 = true;
	test_mem_fail_at(1);
	assert_err(hf_tls_init(&p.s.t, &p.s.cfg, &p.s.start), HF_ERR_NO_MEMORY);
	test_mem_fail_at(0);
	hf_tls_clear(&p.s.t);
}

static void a_link_with_its_handshake_and_jobs_is_small(void **state)
{
	(void)state;
	assert_true(sizeof(struct hf_tls) + sizeof(struct hf_tls_hs) + sizeof(struct hf_tls_jobs) <=
		    8192);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_bytes_are_those_of_links_that_do_it_themselves),
		cmocka_unit_test(a_bad_one_fails_alone_and_as_ever),
		cmocka_unit_test(nothing_is_taken_while_it_waits),
		cmocka_unit_test(a_client_waits_before_its_first_message),
		cmocka_unit_test(jobs_run_only_where_there_are_any),
		cmocka_unit_test(what_was_done_is_what_counts),
		cmocka_unit_test(it_may_end_while_it_waits_and_leaves_nothing),
		cmocka_unit_test(without_memory_for_it_there_is_no_link),
		cmocka_unit_test(a_link_with_its_handshake_and_jobs_is_small),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
