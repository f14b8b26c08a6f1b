/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A peer, or somebody in between, that does not keep to the protocol: every message in every state
 * of both roles, floods, downgrades, records that are too long, late, repeated or early.
 */
#include "tls_fixture.h"

#include "tls/keysched.h"
#include "tls/resume.h"

static const uint8_t secret[HF_TLS_TICKET_SECRET_LEN] = "the secret of the ticket keys..";
static struct hf_tls_tickets keys;

static int start(void **state)
{
	(void)state;
	domain_init();
	hf_tls_tickets_init(&keys, secret, HF_L1);
	return 0;
}

/* One record to e, protected with the keys that e reads with at this moment. */
static void inject(struct end *e, enum hf_tls_type type, const uint8_t *content, size_t len)
{
	static uint8_t record[HF_TLS_RECORD_MAX + 64];
	struct hf_tls_dir dir = e->t.rx;
	size_t over = dir.is_on ? HF_TLS_OVERHEAD : HF_TLS_HEAD_LEN;

	assert_ok(hf_tls_seal(&dir, record, type, content, len, 0));
	end_feed(e, record, len + over, SIZE_MAX, 1000);
}

static void expect_dead(struct end *e, hf_err err, unsigned alert)
{
	if (hf_tls_error(&e->t) != err || hf_tls_alert_sent(&e->t) != alert)
		fail_msg("error 0x%x, alert %u: %s", hf_tls_error(&e->t), hf_tls_alert_sent(&e->t),
			hf_tls_why(&e->t)->text);
}

/* --- every message in every state --- */

/* RFC 8446 A.1, A.2 as arrows: what is not here is refused. */
static const struct {
	enum hf_tls_state from;
	enum hf_tls_event ev;
	enum hf_tls_state to;
} arrows[] = {
	{ HF_TLS_C_START, HF_TLS_DO_HELLO, HF_TLS_C_SH },
	{ HF_TLS_C_SH, HF_TLS_EV_SH, HF_TLS_C_EE },
	{ HF_TLS_C_SH, HF_TLS_EV_HRR, HF_TLS_C_SH2 },
	{ HF_TLS_C_SH2, HF_TLS_EV_SH, HF_TLS_C_EE },
	{ HF_TLS_C_EE, HF_TLS_EV_EE, HF_TLS_C_CERT_CR },
	{ HF_TLS_C_EE, HF_TLS_DO_PSK, HF_TLS_C_EE_PSK },
	{ HF_TLS_C_EE_PSK, HF_TLS_EV_EE, HF_TLS_C_FIN },
	{ HF_TLS_C_CERT_CR, HF_TLS_EV_CR, HF_TLS_C_CERT },
	{ HF_TLS_C_CERT_CR, HF_TLS_EV_CERT, HF_TLS_C_CV },
	{ HF_TLS_C_CERT, HF_TLS_EV_CERT, HF_TLS_C_CV },
	{ HF_TLS_C_CV, HF_TLS_EV_CV, HF_TLS_C_FIN },
	{ HF_TLS_C_FIN, HF_TLS_EV_FIN, HF_TLS_C_FLIGHT },
	{ HF_TLS_C_FLIGHT, HF_TLS_DO_SIGN, HF_TLS_C_SIGN },
	{ HF_TLS_C_FLIGHT, HF_TLS_DO_FINISH, HF_TLS_C_OPEN },
	{ HF_TLS_C_SIGN, HF_TLS_DO_FINISH, HF_TLS_C_OPEN },
	{ HF_TLS_C_OPEN, HF_TLS_EV_TICKET, HF_TLS_C_OPEN },
	{ HF_TLS_C_OPEN, HF_TLS_EV_UPDATE, HF_TLS_C_OPEN },
	{ HF_TLS_S_CH, HF_TLS_EV_CH, HF_TLS_S_HELLO },
	{ HF_TLS_S_HELLO, HF_TLS_DO_RETRY, HF_TLS_S_CH2 },
	{ HF_TLS_S_HELLO, HF_TLS_DO_FINISH_PSK, HF_TLS_S_FIN },
	{ HF_TLS_S_HELLO, HF_TLS_DO_SIGN, HF_TLS_S_SIGN },
	{ HF_TLS_S_CH2, HF_TLS_EV_CH, HF_TLS_S_HELLO2 },
	{ HF_TLS_S_HELLO2, HF_TLS_DO_FINISH_PSK, HF_TLS_S_FIN },
	{ HF_TLS_S_HELLO2, HF_TLS_DO_SIGN, HF_TLS_S_SIGN },
	{ HF_TLS_S_SIGN, HF_TLS_DO_FINISH, HF_TLS_S_FIN },
	{ HF_TLS_S_SIGN, HF_TLS_DO_FINISH_ASK, HF_TLS_S_CERT },
	{ HF_TLS_S_CERT, HF_TLS_EV_CERT, HF_TLS_S_CV },
	{ HF_TLS_S_CERT, HF_TLS_EV_NO_CERT, HF_TLS_S_FIN },
	{ HF_TLS_S_CV, HF_TLS_EV_CV, HF_TLS_S_FIN },
	{ HF_TLS_S_FIN, HF_TLS_EV_FIN, HF_TLS_S_OPEN },
	{ HF_TLS_S_OPEN, HF_TLS_EV_UPDATE, HF_TLS_S_OPEN },
};

static int arrow(int from, int ev)
{
	for (size_t i = 0; i < HF_COUNT(arrows); i++) {
		if ((int)arrows[i].from == from && (int)arrows[i].ev == ev)
			return (int)arrows[i].to;
	}
	return -1;
}

static void the_table_has_the_arrows_of_the_standard_and_no_others(void **state)
{
	(void)state;
	for (int from = 0; from <= HF_TLS_STATE_COUNT; from++) {
		for (int ev = 0; ev <= HF_TLS_EVENT_COUNT; ev++)
			assert_int_equal(
				hf_tls_next((uint8_t)from, (enum hf_tls_event)ev), arrow(from, ev));
	}
	assert_string_equal(hf_tls_state_name(HF_TLS_STATE_COUNT), "?");
}

/* Ways through a handshake, which together come by every state. */
enum way { FULL, RETRY, RESUMED, ANONYMOUS, WAYS };

static void pair_way(struct pair *p, enum way way, struct hf_tls_session *s)
{
	pair_init(p);
	p->s.cfg.tickets = &keys;
	p->c.cfg.keep_session = true;
	p->c.cfg.defer_share = way == RETRY;
	if (way == RESUMED) {
		s->is_used = false;
		p->c.start.session = s;
	}
	if (way == ANONYMOUS) {
		p->s.cfg.ask_client_cert = p->s.cfg.require_client_cert = false;
		p->c.cfg.n_chain = 0;
	}
	pair_start(p);
}

/* Moves one record from one end to the other; false: there was none. */
static bool move_one(struct pair *p, struct end *from, struct end *to)
{
	const uint8_t *out;
	size_t len = hf_tls_out(&from->t, &out);
	size_t n;

	if (len == 0)
		return false;
	n = HF_TLS_HEAD_LEN + hf_tls_head_get(out).len;
	end_feed(to, out, n, SIZE_MAX, p->now_ms);
	hf_tls_sent(&from->t, n);
	return true;
}

/* Takes so many records of a handshake, in turns; false: it is over before. */
static bool advance(struct pair *p, int n)
{
	for (int i = 0; i < n; i++) {
		if (!move_one(p, &p->s, &p->c) && !move_one(p, &p->c, &p->s))
			return false;
	}
	return true;
}

static const uint8_t types[] = { 0, HF_TLS_MSG_CLIENT_HELLO, HF_TLS_MSG_SERVER_HELLO,
	HF_TLS_MSG_TICKET, 5, HF_TLS_MSG_EE, HF_TLS_MSG_CERTIFICATE, HF_TLS_MSG_CERT_REQUEST,
	HF_TLS_MSG_CERT_VERIFY, HF_TLS_MSG_FINISHED, HF_TLS_MSG_KEY_UPDATE, HF_TLS_MSG_HASH };

/* Is there a message of this type that the state takes? */
static bool may_come(uint8_t state, unsigned type)
{
	static const struct {
		unsigned type;
		enum hf_tls_event ev;
	} events[] = {
		{ HF_TLS_MSG_CLIENT_HELLO, HF_TLS_EV_CH },
		{ HF_TLS_MSG_SERVER_HELLO, HF_TLS_EV_SH },
		{ HF_TLS_MSG_TICKET, HF_TLS_EV_TICKET },
		{ HF_TLS_MSG_EE, HF_TLS_EV_EE },
		{ HF_TLS_MSG_CERTIFICATE, HF_TLS_EV_CERT },
		{ HF_TLS_MSG_CERT_REQUEST, HF_TLS_EV_CR },
		{ HF_TLS_MSG_CERT_VERIFY, HF_TLS_EV_CV },
		{ HF_TLS_MSG_FINISHED, HF_TLS_EV_FIN },
		{ HF_TLS_MSG_KEY_UPDATE, HF_TLS_EV_UPDATE },
	};

	for (size_t i = 0; i < HF_COUNT(events); i++) {
		if (events[i].type == type)
			return arrow(state, events[i].ev) >= 0;
	}
	return false;
}

/* One message of a type, at this place of the handshake, to one end. */
static void try_type(struct end *e, unsigned type)
{
	uint8_t msg[HF_TLS_MSG_HEAD_LEN + 7] = { (uint8_t)type, 0, 0, 7 };
	uint8_t state = e->t.state;

	inject(e, HF_TLS_HANDSHAKE, msg, sizeof(msg));
	assert_int_not_equal(hf_tls_error(&e->t), HF_OK); /* the body is none of any type */
	if (may_come(state, type)) {
		assert_int_not_equal(hf_tls_alert_sent(&e->t), HF_ALERT_UNEXPECTED_MESSAGE);
		return;
	}
	expect_dead(e, HF_ERR_STATE, HF_ALERT_UNEXPECTED_MESSAGE);
}

static struct hf_tls_session *some_session(void)
{
	struct hf_tls_session *s;
	struct pair p;

	pair_way(&p, FULL, NULL);
	pair_run(&p, SIZE_MAX);
	s = hf_tls_session_take(&p.c.t);
	assert_non_null(s);
	pair_clear(&p);
	return s;
}

static void every_message_in_every_state_is_taken_or_unexpected(void **state)
{
	struct hf_tls_session *s = some_session();
	bool seen[HF_TLS_STATE_COUNT] = { false };
	unsigned n_seen = 0;
	bool is_over;

	(void)state;
	for (int way = 0; way < WAYS; way++) {
		is_over = false;
		for (int at = 0; !is_over; at++) {
			for (size_t k = 0; k < 2 * HF_COUNT(types) && !is_over; k++) {
				struct pair p;
				struct end *e = k % 2 == 0 ? &p.c : &p.s;

				pair_way(&p, (enum way)way, s);
				is_over = !advance(&p, at);
				if (is_over)
					assert_int_equal(hf_tls_is_resumed(&p.s.t), way == RESUMED);
				seen[p.c.t.state] = seen[p.s.t.state] = true;
				try_type(e, types[k / 2]);
				pair_clear(&p);
			}
		}
	}
	for (int i = 0; i < HF_TLS_STATE_COUNT; i++)
		n_seen += seen[i];
	/* All but those in which an end works by itself: START, FLIGHT, SIGN, HELLO, HELLO2, SIGN.
	 */
	assert_int_equal(n_seen, HF_TLS_STATE_COUNT - 6);
	hf_tls_session_free(s);
}

/* RFC 8446 5: no data before the end of the handshake, no record of unknown type at any time. */
static void every_other_record_in_every_state_is_refused(void **state)
{
	static const uint8_t kinds[] = { 0, 19, HF_TLS_DATA, 24, 255 };
	bool is_over = false;

	(void)state;
	for (int at = 0; !is_over; at++) {
		for (size_t k = 0; k < 2 * HF_COUNT(kinds) && !is_over; k++) {
			struct pair p;
			struct end *e = k % 2 == 0 ? &p.c : &p.s;
			uint8_t kind = kinds[k / 2];

			pair_way(&p, FULL, NULL);
			is_over = !advance(&p, at);
			if (kind != HF_TLS_DATA || !hf_tls_is_open(&e->t)) {
				inject(e, (enum hf_tls_type)kind, (const uint8_t *)"data", 4);
				assert_int_not_equal(hf_tls_error(&e->t), HF_OK);
				assert_int_equal(
					hf_tls_plain(&e->t, &(const uint8_t *){ NULL }), 0);
			}
			pair_clear(&p);
		}
	}
}

/* --- floods --- */

static void flood_of_key_updates_ends_the_link(void **state)
{
	static const uint8_t update[] = { HF_TLS_MSG_KEY_UPDATE, 0, 0, 1, 1 };

	(void)state;
	for (int side = 0; side < 2; side++) {
		struct pair p;
		struct end *e = side == 0 ? &p.c : &p.s;
		int n = 0;

		pair_init(&p);
		pair_open(&p);
		while (hf_tls_error(&e->t) == HF_OK && n < 100) {
			inject(e, HF_TLS_HANDSHAKE, update, sizeof(update));
			n++;
		}
		assert_in_range(n, 2, 20);
		expect_dead(e, HF_ERR_LIMIT, HF_ALERT_UNEXPECTED_MESSAGE);
		assert_true(p.c.t.out.len < 10000 && p.s.t.out.len < 10000);
		pair_clear(&p);
	}
}

static void flood_of_tickets_ends_the_link(void **state)
{
	static const uint8_t ticket[] = { HF_TLS_MSG_TICKET, 0, 0, 14, 0, 0, 1, 0, 1, 2, 3, 4, 0, 0,
		1, 9, 0, 0 };
	struct hf_tls_session *s;
	struct pair p;
	int n = 0;

	(void)state;
	pair_init(&p);
	p.c.cfg.keep_session = true;
	pair_open(&p);
	inject(&p.c, HF_TLS_HANDSHAKE, ticket, sizeof(ticket));
	s = hf_tls_session_take(&p.c.t);
	assert_non_null(s);
	assert_int_equal(s->r.life_s, 256);
	hf_tls_session_free(s);
	while (hf_tls_error(&p.c.t) == HF_OK && n < 100) {
		inject(&p.c, HF_TLS_HANDSHAKE, ticket, sizeof(ticket));
		n++;
	}
	assert_in_range(n, 2, 40);
	expect_dead(&p.c, HF_ERR_LIMIT, HF_ALERT_UNEXPECTED_MESSAGE);
	pair_clear(&p);
}

static void tickets_that_mean_nothing_are_dropped_or_refused(void **state)
{
	uint8_t ticket[] = { HF_TLS_MSG_TICKET, 0, 0, 14, 0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 1, 9, 0,
		0 };
	struct pair p;

	(void)state;
	pair_init(&p);
	p.c.cfg.keep_session = true;
	pair_open(&p);
	inject(&p.c, HF_TLS_HANDSHAKE, ticket, sizeof(ticket)); /* a life of 0 */
	assert_ok(p.c.err);
	assert_null(hf_tls_session_take(&p.c.t));
	ticket[5] = 0x0a; /* more than seven days */
	inject(&p.c, HF_TLS_HANDSHAKE, ticket, sizeof(ticket));
	expect_dead(&p.c, HF_ERR_LIMIT, HF_ALERT_ILLEGAL_PARAMETER);
	pair_clear(&p);

	pair_init(&p); /* no ticket in it */
	pair_open(&p);
	memcpy(ticket, "\4\0\0\15\0\0\1\0\1\2\3\4\0\0\0\0\0", 17);
	inject(&p.c, HF_TLS_HANDSHAKE, ticket, 17);
	expect_dead(&p.c, HF_ERR_FORMAT, HF_ALERT_DECODE_ERROR);
	pair_clear(&p);
}

static void flood_of_empty_records_ends_the_link(void **state)
{
	struct pair p;
	int n = 0;

	(void)state;
	pair_init(&p);
	pair_open(&p);
	while (hf_tls_error(&p.s.t) == HF_OK && n < 100) {
		inject(&p.s, HF_TLS_DATA, NULL, 0);
		n++;
	}
	assert_in_range(n, 2, 40);
	expect_dead(&p.s, HF_ERR_LIMIT, HF_ALERT_UNEXPECTED_MESSAGE);
	pair_clear(&p);
}

/* --- records --- */

static void reordered_repeated_and_lost_records_end_the_link(void **state)
{
	(void)state;
	for (int how = 0; how < 3; how++) {
		struct pair p;
		uint8_t *one;
		uint8_t *two;
		size_t len;

		pair_init(&p);
		pair_open(&p);
		say(&p.c, "first");
		one = end_out(&p.c, &len);
		say(&p.c, "later");
		two = end_out(&p.c, &len);
		if (how > 0)
			end_feed(&p.s, one, len, SIZE_MAX, 1000);
		assert_ok(p.s.err);
		if (how == 2) {
			hears(&p.s, "first");
			end_feed(&p.s, two, len, SIZE_MAX, 1000);
			hears(&p.s, "later");
		}
		end_feed(&p.s, how == 0 ? two : one, len, SIZE_MAX, 1000);
		expect_dead(&p.s, HF_ERR_AUTH, HF_ALERT_BAD_RECORD_MAC);
		free(one);
		free(two);
		pair_clear(&p);
	}
}

static void oversize_records_are_refused_by_their_head(void **state)
{
	static const uint8_t plain[] = { HF_TLS_HANDSHAKE, 3, 3, 0x40, 1 };
	static const uint8_t cipher[] = { HF_TLS_DATA, 3, 3, 0x41, 1 };
	struct pair p;

	(void)state;
	pair_init(&p);
	pair_start(&p);
	end_feed(&p.s, plain, sizeof(plain), SIZE_MAX, 1000);
	expect_dead(&p.s, HF_ERR_LIMIT, HF_ALERT_RECORD_OVERFLOW);
	pair_clear(&p);
	pair_init(&p);
	pair_open(&p);
	end_feed(&p.s, cipher, sizeof(cipher), SIZE_MAX, 1000);
	expect_dead(&p.s, HF_ERR_LIMIT, HF_ALERT_RECORD_OVERFLOW);
	pair_clear(&p);
}

static void record_size_limits_are_kept_both_ways(void **state)
{
	static uint8_t data[5000];
	struct pair p;

	(void)state;
	for (int how = 0; how < 3; how++) {
		const uint8_t *out;
		size_t used, n, at = 0;

		pair_init(&p);
		p.c.cfg.record_limit = 100;
		p.s.cfg.record_limit = how == 0 ? 0 : 64;
		p.s.cfg.pad_to = how == 2 ? 90 : 0;
		pair_open(&p);
		assert_int_equal(p.c.t.tx_max, how == 0 ? HF_TLS_PLAIN_MAX : 63);
		assert_int_equal(p.s.t.tx_max, 99);
		assert_ok(hf_tls_write(&p.s.t, &used, data, sizeof(data)));
		assert_int_equal(used, sizeof(data));
		n = hf_tls_out(&p.s.t, &out);
		while (at < n) {
			assert_true(hf_tls_head_get(out + at).len <= 100 + HF_GCM_TAG_LEN);
			at += HF_TLS_HEAD_LEN + hf_tls_head_get(out + at).len;
		}
		pair_run(&p, SIZE_MAX);
		assert_int_equal(hf_tls_plain(&p.c.t, &out), sizeof(data));
		inject(&p.c, HF_TLS_DATA, data, 100); /* one byte too many */
		expect_dead(&p.c, HF_ERR_LIMIT, HF_ALERT_RECORD_OVERFLOW);
		pair_clear(&p);
	}
	pair_init(&p); /* a server does not begin with it */
	p.s.cfg.record_limit = 64;
	pair_open(&p);
	assert_int_equal(p.c.t.tx_max, HF_TLS_PLAIN_MAX);
	pair_clear(&p);
	pair_init(&p);
	p.c.cfg.record_limit = 63;
	pair_start(&p);
	assert_err(p.c.err, HF_ERR_ARG);
	pair_clear(&p);
}

/* --- hellos --- */

/* A client's hello that is altered on its way to the server. */
static void server_hears(struct pair *p, const char *old, const char *new, size_t len)
{
	size_t n;
	uint8_t *hello;
	uint8_t *at = NULL;

	pair_start(p);
	hello = end_out(&p->c, &n);
	for (size_t i = 0; i + len <= n && at == NULL; i++)
		at = memcmp(hello + i, old, len) == 0 ? hello + i : NULL;
	assert_non_null(at);
	memcpy(at, new, len);
	end_feed(&p->s, hello, n, SIZE_MAX, 1000);
	free(hello);
}

static void downgrades_are_refused(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p); /* the only version becomes TLS 1.2 */
	server_hears(&p, "\0\x2b\0\3\2\3\4", "\0\x2b\0\3\2\3\3", 7);
	expect_dead(&p.s, HF_ERR_UNSUPPORTED, HF_ALERT_PROTOCOL_VERSION);
	pair_clear(&p);
	pair_init(&p); /* the extension becomes another one */
	server_hears(&p, "\0\x2b\0\3\2\3\4", "\0\x99\0\3\2\3\4", 7);
	expect_dead(&p.s, HF_ERR_UNSUPPORTED, HF_ALERT_PROTOCOL_VERSION);
	pair_clear(&p);

	pair_init(&p); /* the better suite is taken away: the Finished of the server covers that */
	p.c.cfg.suites = p.s.cfg.suites = HF_TLS_SUITES;
	server_hears(&p, "\0\4\0\xc6\0\xc7", "\0\4\0\xaa\0\xc7", 6);
	assert_ok(p.s.err);
	assert_int_equal(p.s.t.hs->suite->bit, HF_TLS_SUITE_CCM);
	pair_run(&p, SIZE_MAX);
	assert_int_not_equal(hf_tls_error(&p.c.t), HF_OK);
	assert_false(hf_tls_is_open(&p.c.t) || hf_tls_is_open(&p.s.t));
	pair_clear(&p);
}

static void unknown_suites_alone_are_refused(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	server_hears(&p, "\0\2\0\xc6", "\0\2\x13\1", 4);
	expect_dead(&p.s, HF_ERR_UNSUPPORTED, HF_ALERT_HANDSHAKE_FAILURE);
	pair_clear(&p);
	pair_init(&p); /* each has one, and not the same */
	p.c.cfg.suites = HF_TLS_SUITE_CCM;
	expect_refusal(&p, &p.s, HF_ERR_UNSUPPORTED, HF_ALERT_HANDSHAKE_FAILURE, "SM4_GCM");
}

static void points_and_curves_that_are_wrong_are_refused(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p); /* a point off the curve */
	pair_start(&p);
	p.c.t.out.p[p.c.t.out.len - 1] ^= 1;
	(void)move(&p, &p.c, &p.s, SIZE_MAX);
	expect_dead(&p.s, HF_ERR_FORMAT, HF_ALERT_ILLEGAL_PARAMETER);
	pair_clear(&p);
	pair_init(&p); /* the group of the share becomes P-256: then there is none on curveSM2 */
	server_hears(&p, "\0\x29\0\x41\4", "\0\x17\0\x41\4", 5);
	assert_int_equal(p.s.t.state, HF_TLS_S_CH2);
	pair_clear(&p);
	pair_init(&p); /* supported_groups without it */
	server_hears(&p, "\0\x0a\0\4\0\2\0\x29", "\0\x0a\0\4\0\2\0\x17", 8);
	expect_dead(&p.s, HF_ERR_UNSUPPORTED, HF_ALERT_HANDSHAKE_FAILURE);
	pair_clear(&p);
	pair_init(&p); /* a compressed point */
	server_hears(&p, "\0\x29\0\x41\4", "\0\x29\0\x41\2", 5);
	expect_dead(&p.s, HF_ERR_FORMAT, HF_ALERT_ILLEGAL_PARAMETER);
	pair_clear(&p);
}

/* The share of a hello in what an end sent: the coordinates of its point. */
static uint8_t *point_of(struct end *e)
{
	static const uint8_t head[] = { 0, 0x29, 0, 0x41, 4 };
	uint8_t *p = e->t.out.p;

	for (size_t at = 0; at + sizeof(head) + 2 * HF_SM2_LEN <= e->t.out.len; at++) {
		if (memcmp(p + at, head, sizeof(head)) == 0)
			return p + at + sizeof(head);
	}
	fail_msg("no share");
	return NULL;
}

/* The curve has no small subgroups; the point at infinity, in whatever dress, would be one. */
static void points_that_give_the_secret_away_are_refused(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++) {
		struct pair p;
		struct end *from = i % 2 == 0 ? &p.c : &p.s;
		struct end *to = i % 2 == 0 ? &p.s : &p.c;
		uint8_t *point;

		pair_init(&p);
		pair_start(&p);
		if (from == &p.s)
			(void)move(&p, &p.c, &p.s, SIZE_MAX);
		point = point_of(from);
		switch (i / 2) {
		case 0: memset(point, 0, 2 * HF_SM2_LEN); break;    /* infinity, as some write it */
		case 1: memset(point, 0xff, 2 * HF_SM2_LEN); break; /* beyond the field */
		case 2: point[-1] = 0; break;                       /* infinity, as X9.62 does */
		default: point[-1] = 6 | (point[2 * HF_SM2_LEN - 1] & 1); break; /* hybrid */
		}
		(void)move(&p, from, to, SIZE_MAX);
		expect_dead(to, HF_ERR_FORMAT, HF_ALERT_ILLEGAL_PARAMETER);
		pair_clear(&p);
	}
}

/* What a CertificateVerify signs, as bytes (RFC 8446 4.4.3). */
static size_t signed_bytes(uint8_t out[256], const struct hf_tls_cv *cv)
{
	const char *who = cv->role == HF_TLS_SERVER ? "TLS 1.3, server CertificateVerify"
						    : "TLS 1.3, client CertificateVerify";
	size_t len = strlen(who) + 1; /* its zero counts */

	memset(out, ' ', 64);
	memcpy(out + 64, who, len);
	memcpy(out + 64 + len, cv->transcript, HF_SM3_LEN);
	return 64 + len + HF_SM3_LEN;
}

/* RFC 8998 3.2.1: the ID of TLS 1.3 is none of those that certificates and TLCP have. */
static void a_signature_with_another_id_is_refused(void **state)
{
	static const char *const ids[] = { HF_SM2_ID_TLS13, HF_SM2_ID_DEFAULT, "" };

	(void)state;
	for (size_t i = 0; i < 2 * HF_COUNT(ids); i++) {
		const char *id = ids[i / 2];
		struct pair p;
		struct end *from = i % 2 == 0 ? &p.s : &p.c;
		struct end *to = i % 2 == 0 ? &p.c : &p.s;
		struct party *party = i % 2 == 0 ? &dom.server : &dom.device;
		struct hf_tls_cv cv;
		struct hf_sm2_sig sig;
		uint8_t m[256];
		size_t len;

		pair_init(&p);
		from->cfg.signer = NULL;
		p.s.cfg.require_client_cert = true;
		pair_start(&p);
		pair_run(&p, SIZE_MAX);
		assert_ok(hf_tls_sign_get(&from->t, &cv));
		len = signed_bytes(m, &cv);
		assert_ok(hf_sm2_sign(&sig, &party->key, id, strlen(id), m, len, &from->rng));
		assert_ok(hf_tls_sign_done(&from->t, &sig));
		pair_run(&p, SIZE_MAX);
		if (i / 2 == 0)
			assert_true(hf_tls_is_open(&to->t));
		else
			expect_dead(to, HF_ERR_AUTH, HF_ALERT_DECRYPT_ERROR);
		pair_clear(&p);
	}
}

static void suites_survive_a_retry(void **state)
{
	(void)state;
	for (unsigned how = 0; how < 4; how++) {
		struct pair p;

		pair_init(&p);
		p.c.cfg.suites = how == 0 ? HF_TLS_SUITES : HF_TLS_SUITE_CCM;
		p.s.cfg.suites = how == 1 ? HF_TLS_SUITES : HF_TLS_SUITE_CCM;
		p.c.cfg.defer_share = how != 3;
		pair_open(&p);
		assert_int_equal(p.c.t.tx.suite->bit, HF_TLS_SUITE_CCM);
		assert_int_equal(p.s.t.tx.suite->bit, HF_TLS_SUITE_CCM);
		assert_ok(hf_tls_key_update(&p.c.t, true));
		say(&p.c, "ping");
		pair_run(&p, 1);
		hears(&p.s, "ping");
		pair_clear(&p);
	}
}

/* RFC 8446 4.1.4: what a retry named stays. */
static void a_suite_that_changes_after_a_retry_is_refused(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	p.c.cfg.suites = p.s.cfg.suites = HF_TLS_SUITES;
	p.c.cfg.defer_share = true;
	pair_start(&p);
	(void)move(&p, &p.c, &p.s, SIZE_MAX);
	(void)move(&p, &p.s, &p.c, SIZE_MAX);
	p.s.t.hs->suite = hf_tls_suite_best(HF_TLS_SUITE_CCM);
	(void)move(&p, &p.c, &p.s, SIZE_MAX);
	(void)move(&p, &p.s, &p.c, SIZE_MAX);
	expect_dead(&p.c, HF_ERR_FORMAT, HF_ALERT_ILLEGAL_PARAMETER);
	pair_clear(&p);
}

/* --- the end of the handshake --- */

static void altered_finished_ends_the_link(void **state)
{
	static const size_t at[] = { 4, 20, 35 };

	(void)state;
	for (size_t i = 0; i < 2 * HF_COUNT(at); i++) {
		uint8_t msg[HF_TLS_MSG_HEAD_LEN + HF_SM3_LEN] = { HF_TLS_MSG_FINISHED, 0, 0,
			HF_SM3_LEN };
		struct pair p;
		struct end *e = i % 2 == 0 ? &p.c : &p.s;
		uint8_t want = e == &p.c ? HF_TLS_C_FIN : HF_TLS_S_FIN;
		uint8_t hash[HF_SM3_LEN];

		pair_init(&p);
		pair_start(&p);
		while (e->t.state != want)
			assert_true(advance(&p, 1));
		hf_tls_hash(&e->t, hash);
		assert_ok(
			hf_tls_finished(msg + 4, e == &p.c ? e->t.hs->s_hs : e->t.hs->c_hs, hash));
		msg[at[i / 2]] ^= 0x10;
		inject(e, HF_TLS_HANDSHAKE, msg, sizeof(msg));
		expect_dead(e, HF_ERR_AUTH, HF_ALERT_DECRYPT_ERROR);
		assert_false(hf_tls_is_open(&e->t));
		pair_clear(&p);
	}
}

static void renegotiation_is_refused(void **state)
{
	struct pair p;
	struct pair other;
	uint8_t *hello;
	size_t len;

	(void)state;
	pair_init(&other);
	pair_start(&other);
	hello = end_out(&other.c, &len);
	pair_init(&p);
	pair_open(&p);
	inject(&p.s, HF_TLS_HANDSHAKE, hello + HF_TLS_HEAD_LEN, len - HF_TLS_HEAD_LEN);
	expect_dead(&p.s, HF_ERR_STATE, HF_ALERT_UNEXPECTED_MESSAGE);
	free(hello);
	pair_clear(&p);
	pair_clear(&other);
}

/* --- early data --- */

/* A hello that says that early data follows: an ALPN of eight bytes becomes the extension. */
static void early_pair(struct pair *p, bool is_retried)
{
	static const char *const alpn[] = { "hufu" };

	pair_init(p);
	p->c.cfg.alpn = alpn;
	p->c.cfg.n_alpn = 1;
	p->s.cfg.n_alpn = 0;
	p->c.cfg.defer_share = is_retried;
	/* 11 bytes: type, length, list; now an empty early_data and an unknown one of 3 bytes */
	server_hears(p, "\0\x10\0\7\0\5\4hufu", "\0\x2a\0\0\x99\x99\0\3ufu", 11);
	assert_ok(p->s.err);
	assert_true(p->s.t.hs->early_left > 0);
}

static void early_data(struct end *e, size_t len)
{
	static uint8_t record[HF_TLS_RECORD_MAX];

	memset(record, 0x5a, sizeof(record));
	record[0] = HF_TLS_DATA;
	record[1] = record[2] = 3;
	record[3] = (uint8_t)(len >> 8);
	record[4] = (uint8_t)len;
	end_feed(e, record, HF_TLS_HEAD_LEN + len, SIZE_MAX, 1000);
}

static void early_data_is_passed_over_within_a_bound(void **state)
{
	(void)state;
	for (int retried = 0; retried < 2; retried++) {
		struct pair p;
		int n = 0;

		early_pair(&p, retried == 1);
		while (hf_tls_error(&p.s.t) == HF_OK && n < 100) {
			assert_int_equal(hf_tls_plain(&p.s.t, &(const uint8_t *){ NULL }), 0);
			early_data(&p.s, HF_TLS_CIPHER_MAX);
			n++;
		}
		assert_int_equal(n, 4); /* 64 KiB, then no more */
		assert_false(hf_tls_is_open(&p.s.t));
		pair_clear(&p);
	}
}

static void early_data_that_was_not_announced_ends_the_link(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p);
	pair_start(&p);
	(void)move(&p, &p.c, &p.s, SIZE_MAX);
	early_data(&p.s, 100);
	expect_dead(&p.s, HF_ERR_AUTH, HF_ALERT_BAD_RECORD_MAC);
	pair_clear(&p);
	pair_init(&p);
	p.c.cfg.defer_share = true;
	pair_start(&p);
	(void)move(&p, &p.c, &p.s, SIZE_MAX);
	early_data(&p.s, 100);
	expect_dead(&p.s, HF_ERR_STATE, HF_ALERT_UNEXPECTED_MESSAGE);
	pair_clear(&p);
}

/* After a record that opened, one that does not is an attack again. */
static void early_data_ends_with_the_first_record_that_opens(void **state)
{
	uint8_t msg[HF_TLS_MSG_HEAD_LEN + 4] = { HF_TLS_MSG_CERTIFICATE, 0, 0, 4, 0, 0, 0, 0 };
	struct pair p;

	(void)state;
	early_pair(&p, false);
	p.s.cfg.require_client_cert = false;
	early_data(&p.s, 100);
	assert_ok(p.s.err);
	inject(&p.s, HF_TLS_HANDSHAKE, msg, sizeof(msg));
	assert_ok(p.s.err);
	assert_int_equal(p.s.t.state, HF_TLS_S_FIN);
	early_data(&p.s, 100);
	expect_dead(&p.s, HF_ERR_AUTH, HF_ALERT_BAD_RECORD_MAC);
	pair_clear(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_has_the_arrows_of_the_standard_and_no_others),
		cmocka_unit_test(every_message_in_every_state_is_taken_or_unexpected),
		cmocka_unit_test(every_other_record_in_every_state_is_refused),
		cmocka_unit_test(flood_of_key_updates_ends_the_link),
		cmocka_unit_test(flood_of_tickets_ends_the_link),
		cmocka_unit_test(tickets_that_mean_nothing_are_dropped_or_refused),
		cmocka_unit_test(flood_of_empty_records_ends_the_link),
		cmocka_unit_test(reordered_repeated_and_lost_records_end_the_link),
		cmocka_unit_test(oversize_records_are_refused_by_their_head),
		cmocka_unit_test(record_size_limits_are_kept_both_ways),
		cmocka_unit_test(downgrades_are_refused),
		cmocka_unit_test(unknown_suites_alone_are_refused),
		cmocka_unit_test(points_and_curves_that_are_wrong_are_refused),
		cmocka_unit_test(points_that_give_the_secret_away_are_refused),
		cmocka_unit_test(a_signature_with_another_id_is_refused),
		cmocka_unit_test(suites_survive_a_retry),
		cmocka_unit_test(a_suite_that_changes_after_a_retry_is_refused),
		cmocka_unit_test(altered_finished_ends_the_link),
		cmocka_unit_test(renegotiation_is_refused),
		cmocka_unit_test(early_data_is_passed_over_within_a_bound),
		cmocka_unit_test(early_data_that_was_not_announced_ends_the_link),
		cmocka_unit_test(early_data_ends_with_the_first_record_that_opens),
	};

	return run_both_ways(tests, start);
}
