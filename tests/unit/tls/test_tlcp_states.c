/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handshake of TLCP as a table: against the flights of the standard, and every message in every
 * state of a running link, both roles.
 */
#include "tlcp_fixture.h"

enum { TYPES = 30, STEPS_MAX = 64 };

static int start(void **state)
{
	(void)state;
	tlcp_domain_init();
	return 0;
}

/* --- the table --- */

static const struct row {
	uint8_t from;
	enum hf_tlcp_event ev;
	uint8_t to;
} figure[] = {
	{ HF_TLCP_C_START, HF_TLCP_DO_HELLO, HF_TLCP_C_SH },
	{ HF_TLCP_C_SH, HF_TLCP_EV_SH, HF_TLCP_C_CERT },
	{ HF_TLCP_C_SH, HF_TLCP_EV_SH_RESUMED, HF_TLCP_C_RCCS },
	{ HF_TLCP_C_CERT, HF_TLCP_EV_CERT, HF_TLCP_C_SKE },
	{ HF_TLCP_C_SKE, HF_TLCP_EV_SKE, HF_TLCP_C_CR },
	{ HF_TLCP_C_CR, HF_TLCP_EV_CR, HF_TLCP_C_SHD },
	{ HF_TLCP_C_CR, HF_TLCP_EV_SHD, HF_TLCP_C_FLIGHT },
	{ HF_TLCP_C_SHD, HF_TLCP_EV_SHD, HF_TLCP_C_FLIGHT },
	{ HF_TLCP_C_FLIGHT, HF_TLCP_DO_SIGN, HF_TLCP_C_SIGN },
	{ HF_TLCP_C_FLIGHT, HF_TLCP_DO_FINISH, HF_TLCP_C_CCS },
	{ HF_TLCP_C_SIGN, HF_TLCP_DO_FINISH, HF_TLCP_C_CCS },
	{ HF_TLCP_C_CCS, HF_TLCP_EV_TICKET, HF_TLCP_C_CCS2 },
	{ HF_TLCP_C_CCS, HF_TLCP_EV_CCS, HF_TLCP_C_FIN },
	{ HF_TLCP_C_CCS2, HF_TLCP_EV_CCS, HF_TLCP_C_FIN },
	{ HF_TLCP_C_FIN, HF_TLCP_EV_FIN, HF_TLCP_C_OPEN },
	{ HF_TLCP_C_RCCS, HF_TLCP_EV_TICKET, HF_TLCP_C_RCCS2 },
	{ HF_TLCP_C_RCCS, HF_TLCP_EV_CCS, HF_TLCP_C_RFIN },
	{ HF_TLCP_C_RCCS2, HF_TLCP_EV_CCS, HF_TLCP_C_RFIN },
	{ HF_TLCP_C_RFIN, HF_TLCP_EV_FIN, HF_TLCP_C_RFLIGHT },
	{ HF_TLCP_C_RFLIGHT, HF_TLCP_DO_FINISH, HF_TLCP_C_OPEN },
	{ HF_TLCP_S_CH, HF_TLCP_EV_CH, HF_TLCP_S_HELLO },
	{ HF_TLCP_S_HELLO, HF_TLCP_DO_SIGN, HF_TLCP_S_SIGN },
	{ HF_TLCP_S_HELLO, HF_TLCP_DO_RESUME, HF_TLCP_S_RCCS },
	{ HF_TLCP_S_SIGN, HF_TLCP_DO_FINISH, HF_TLCP_S_CKE },
	{ HF_TLCP_S_SIGN, HF_TLCP_DO_FINISH_ASK, HF_TLCP_S_CERT },
	{ HF_TLCP_S_CERT, HF_TLCP_EV_CERT, HF_TLCP_S_CKE_CV },
	{ HF_TLCP_S_CERT, HF_TLCP_EV_NO_CERT, HF_TLCP_S_CKE },
	{ HF_TLCP_S_CKE, HF_TLCP_EV_CKE, HF_TLCP_S_CCS },
	{ HF_TLCP_S_CKE_CV, HF_TLCP_EV_CKE, HF_TLCP_S_CV },
	{ HF_TLCP_S_CV, HF_TLCP_EV_CV, HF_TLCP_S_CCS },
	{ HF_TLCP_S_CCS, HF_TLCP_EV_CCS, HF_TLCP_S_FIN },
	{ HF_TLCP_S_FIN, HF_TLCP_EV_FIN, HF_TLCP_S_FLIGHT },
	{ HF_TLCP_S_FLIGHT, HF_TLCP_DO_FINISH, HF_TLCP_S_OPEN },
	{ HF_TLCP_S_RCCS, HF_TLCP_EV_CCS, HF_TLCP_S_RFIN },
	{ HF_TLCP_S_RFIN, HF_TLCP_EV_FIN, HF_TLCP_S_OPEN },
};

static int figure_says(uint8_t state, unsigned ev)
{
	for (size_t i = 0; i < HF_COUNT(figure); i++) {
		if (figure[i].from == state && figure[i].ev == ev)
			return figure[i].to;
	}
	return -1;
}

static void the_table_is_the_figure_and_nothing_else(void **state)
{
	(void)state;
	for (unsigned s = 0; s <= HF_TLCP_STATE_COUNT; s++) {
		for (unsigned ev = 0; ev <= HF_TLCP_EVENT_COUNT; ev++)
			assert_int_equal(hf_tlcp_next((uint8_t)s, (enum hf_tlcp_event)ev),
				figure_says((uint8_t)s, ev));
		assert_non_null(hf_tlcp_state_name((uint8_t)s));
	}
}

/* --- the engine --- */

/* What may be run before the message under test. */
struct course {
	bool is_mutual;
	bool is_ecdhe;
	bool is_resumed;
	bool has_ticket; /* a NewSessionTicket before change_cipher_spec */
};

static struct hf_tlcp_store *sessions;
static struct hf_tlcp_session known;

static void set_up(struct tlcp_pair *t, const struct course *c)
{
	tlcp_init(t);
	t->c.suites = c->is_ecdhe ? HF_TLCP_ECDHE_SM4_GCM_SM3 : HF_TLCP_ECC_SM4_GCM_SM3;
	t->p.s.cfg.ask_client_cert = t->p.s.cfg.require_client_cert = c->is_mutual;
	t->cache = hf_tlcp_store_cache(sessions);
	t->s.cache = &t->cache;
	t->p.c.start.tlcp_session = c->is_resumed ? &known : NULL;
}

/* Moves one record of the wire; false: nothing is on it. */
static bool pass_record(struct pair *p)
{
	for (int side = 0; side < 2; side++) {
		struct end *from = side == 0 ? &p->c : &p->s;
		struct end *to = side == 0 ? &p->s : &p->c;
		const uint8_t *out;
		size_t n = hf_tls_out(&from->t, &out);

		if (n == 0)
			continue;
		n = HF_TLS_HEAD_LEN + hf_tls_head_get(out).len;
		end_feed(to, out, n, SIZE_MAX, p->now_ms);
		hf_tls_sent(&from->t, n);
		return true;
	}
	return false;
}

static void inject_ticket(struct end *e)
{
	static const uint8_t ticket[] = { HF_TLS_MSG_TICKET, 0, 0, 7, 0, 0, 0, 0, 0, 1, 9 };

	if (hf_tlcp_next(e->t.state, HF_TLCP_EV_TICKET) >= 0)
		inject(e, HF_TLS_HANDSHAKE, ticket, sizeof(ticket));
}

/* The events that a message of a type can be; -1: none. */
static void events_of(unsigned type, int ev[2])
{
	static const struct {
		unsigned type;
		int ev[2];
	} rows[] = {
		{ 1, { HF_TLCP_EV_CH, -1 } },
		{ 2, { HF_TLCP_EV_SH, HF_TLCP_EV_SH_RESUMED } },
		{ 4, { HF_TLCP_EV_TICKET, -1 } },
		{ 11, { HF_TLCP_EV_CERT, HF_TLCP_EV_NO_CERT } },
		{ 12, { HF_TLCP_EV_SKE, -1 } },
		{ 13, { HF_TLCP_EV_CR, -1 } },
		{ 14, { HF_TLCP_EV_SHD, -1 } },
		{ 15, { HF_TLCP_EV_CV, -1 } },
		{ 16, { HF_TLCP_EV_CKE, -1 } },
		{ 20, { HF_TLCP_EV_FIN, -1 } },
	};

	ev[0] = ev[1] = -1;
	for (size_t i = 0; i < HF_COUNT(rows); i++) {
		if (rows[i].type == type)
			memcpy(ev, rows[i].ev, sizeof(rows[i].ev));
	}
}

static bool may_come(uint8_t state, unsigned type)
{
	int ev[2];

	events_of(type, ev);
	for (size_t i = 0; i < 2; i++) {
		if (ev[i] >= 0 && figure_says(state, (unsigned)ev[i]) >= 0)
			return true;
	}
	return false;
}

static void must_refuse(const struct end *e, uint8_t state, unsigned what)
{
	if (hf_tls_error(&e->t) != HF_ERR_STATE ||
		hf_tls_alert_sent(&e->t) != HF_ALERT_UNEXPECTED_MESSAGE)
		fail_msg("%u in state %s: error 0x%x, alert %u", what, hf_tlcp_state_name(state),
			hf_tls_error(&e->t), hf_tls_alert_sent(&e->t));
}

/* Up to the n-th record, then one message of a type; true if this end was still in that state. */
static void try_message(const struct course *c, enum hf_tls_role role, size_t n, unsigned type)
{
	struct tlcp_pair t;
	struct end *e = role == HF_TLS_CLIENT ? &t.p.c : &t.p.s;
	uint8_t msg[HF_TLS_MSG_HEAD_LEN] = { (uint8_t)type };
	uint8_t state;

	set_up(&t, c);
	pair_start(&t.p);
	for (size_t i = 0; i < n; i++)
		assert_true(pass_record(&t.p));
	if (c->has_ticket)
		inject_ticket(e);
	state = e->t.state;
	inject(e, HF_TLS_HANDSHAKE, msg, sizeof(msg));
	if (!may_come(state, type))
		must_refuse(e, state, type);
	else /* it is read, and is too short or well */
		assert_int_not_equal(hf_tls_error(&e->t), HF_ERR_STATE);
	pair_clear(&t.p);
}

/* The other kinds of records: change_cipher_spec, data, and those that nobody knows. */
static void try_record(const struct course *c, enum hf_tls_role role, size_t n, unsigned type)
{
	struct tlcp_pair t;
	struct end *e = role == HF_TLS_CLIENT ? &t.p.c : &t.p.s;
	uint8_t body[] = { 1 };
	uint8_t state;
	bool may;

	set_up(&t, c);
	pair_start(&t.p);
	for (size_t i = 0; i < n; i++)
		assert_true(pass_record(&t.p));
	if (c->has_ticket)
		inject_ticket(e);
	state = e->t.state;
	may = type == HF_TLS_CCS ? figure_says(state, HF_TLCP_EV_CCS) >= 0
				 : type == HF_TLS_DATA && hf_tls_is_open(&e->t);
	inject(e, (enum hf_tls_type)type, body, sizeof(body));
	if (may)
		assert_ok(hf_tls_error(&e->t));
	else if (e->t.seen_record)
		must_refuse(e, state, type);
	pair_clear(&t.p);
}

static bool seen[HF_TLCP_STATE_COUNT];

static void walk(const struct course *c, enum hf_tls_role role)
{
	static const unsigned records[] = { HF_TLS_CCS, HF_TLS_DATA, 80 };
	uint8_t states[STEPS_MAX];
	struct tlcp_pair t;
	struct end *e = role == HF_TLS_CLIENT ? &t.p.c : &t.p.s;
	size_t n = 0;

	set_up(&t, c);
	pair_start(&t.p);
	do {
		assert_true(n < STEPS_MAX);
		states[n++] = e->t.state;
	} while (pass_record(&t.p));
	assert_true(hf_tls_is_open(&t.p.c.t) && hf_tls_is_open(&t.p.s.t));
	assert_int_equal(hf_tlcp_is_resumed(&e->t), c->is_resumed);
	pair_clear(&t.p);

	for (size_t i = 0; i < n; i++) {
		seen[states[i]] = true;
		if (i > 0 && states[i] == states[i - 1])
			continue;
		if (c->has_ticket && hf_tlcp_next(states[i], HF_TLCP_EV_TICKET) < 0)
			continue;
		if (c->has_ticket)
			seen[hf_tlcp_next(states[i], HF_TLCP_EV_TICKET)] = true;
		for (unsigned type = 0; type < TYPES; type++)
			try_message(c, role, i, type);
		for (size_t k = 0; k < HF_COUNT(records); k++)
			try_record(c, role, i, records[k]);
	}
}

static void every_message_in_every_state(void **state)
{
	static const struct course courses[] = {
		{ .is_mutual = false },
		{ .is_mutual = true },
		{ .is_mutual = true, .is_ecdhe = true },
		{ .is_mutual = true, .has_ticket = true },
		{ .is_mutual = true, .is_resumed = true },
		{ .is_mutual = true, .is_resumed = true, .has_ticket = true },
	};
	static const uint8_t passing[] = { HF_TLCP_C_START, HF_TLCP_C_FLIGHT, HF_TLCP_C_SIGN,
		HF_TLCP_C_RFLIGHT, HF_TLCP_S_HELLO, HF_TLCP_S_SIGN, HF_TLCP_S_FLIGHT };
	struct tlcp_pair t;

	(void)state;
	sessions = hf_tlcp_store_new(&test_mem, 8);
	assert_non_null(sessions);
	set_up(&t, &courses[1]);
	pair_open(&t.p);
	assert_ok(hf_tlcp_session_get(&t.p.c.t, &known));
	pair_clear(&t.p);
	for (size_t i = 0; i < HF_COUNT(courses); i++) {
		/* A session that some message spoiled is forgotten: made anew, and not pushed out.
		 */
		hf_tlcp_store_free(sessions);
		hf_tlcp_session_clear(&known);
		sessions = hf_tlcp_store_new(&test_mem, 1000);
		set_up(&t, &courses[1]);
		pair_open(&t.p);
		assert_ok(hf_tlcp_session_get(&t.p.c.t, &known));
		pair_clear(&t.p);
		walk(&courses[i], HF_TLS_CLIENT);
		if (!courses[i].has_ticket)
			walk(&courses[i], HF_TLS_SERVER);
	}
	for (size_t i = 0; i < HF_COUNT(passing); i++)
		seen[passing[i]] = true; /* no record is read in these */
	for (unsigned s = 0; s < HF_TLCP_STATE_COUNT; s++) {
		if (!seen[s])
			fail_msg("no link was ever in state %s (%u)",
				hf_tlcp_state_name((uint8_t)s), s);
	}
	hf_tlcp_store_free(sessions);
	hf_tlcp_session_clear(&known);
}

static void nothing_is_read_while_a_signature_is_awaited(void **state)
{
	struct tlcp_pair t;
	uint8_t b[] = { HF_TLS_HANDSHAKE, 1, 1, 0, 4, 1, 0, 0, 0 };
	size_t used = 9;

	(void)state;
	tlcp_init(&t);
	t.p.s.cfg.signer = NULL;
	pair_start(&t.p);
	pair_run(&t.p, SIZE_MAX);
	assert_ok(hf_tls_feed(&t.p.s.t, &used, b, sizeof(b), 1000));
	assert_int_equal(used, 0);
	pair_clear(&t.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_the_figure_and_nothing_else),
		cmocka_unit_test(every_message_in_every_state),
		cmocka_unit_test(nothing_is_read_while_a_signature_is_awaited),
	};

	return run_both_ways(tests, start);
}
