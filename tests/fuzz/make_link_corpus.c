/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the seeds of the fuzz targets of links: whole handshakes of both protocols between two
 *ends of the fixture, with what follows, as link_input.h reads them; a session; a few records.
 *
 *	make_link_corpus tests/fuzz/corpus
 */
#include "tlcp_input.h"
#include "tls_input.h"

/* A seed that is being written down: what one end hears. */
struct seed {
	uint8_t b[1 << 17];
	size_t len;
};

/* What is special to a protocol. */
struct maker {
	const char *folder; /* of a client, with "client" behind it; of a server likewise */
	const struct fuzz_wire *wire;
	struct pair *(*begin)(unsigned options);
	void (*end)(void);
	bool (*is_resumed)(const struct hf_tls *t);
	unsigned resumes; /* the option that says so */
	bool has_new_keys;
};

static struct pair *tls_begin(unsigned options)
{
	return tls_fuzz_options(options);
}

static void tls_end(void)
{
}

static struct fuzz_session tlcp_session;

static struct pair *tlcp_begin(unsigned options)
{
	return &tlcp_fuzz_pair(&tlcp_session, options)->p;
}

static void tlcp_end(void)
{
	fuzz_session_clear(&tlcp_session);
}

static const struct maker tls = { "tls_", &tls_fuzz_wire, tls_begin, tls_end, hf_tls_is_resumed,
	TLS_OPT_RESUME, true };
static const struct maker tlcp = { "tlcp_", &tlcp_fuzz_wire, tlcp_begin, tlcp_end,
	hf_tlcp_is_resumed, TLCP_OPT_RESUME, false };

static const struct {
	const struct maker *maker;
	const char *name;
	unsigned options;
} seeds[] = {
	{ &tls, "full", 0 },
	{ &tls, "retry", TLS_OPT_RETRY },
	{ &tls, "middlebox", TLS_OPT_MIDDLEBOX },
	{ &tls, "resumed", TLS_OPT_RESUME },
	{ &tls, "resumed-retry", TLS_OPT_RESUME | TLS_OPT_RETRY },
	{ &tlcp, "ecdhe_gcm", TLCP_OPT_MUTUAL },
	{ &tlcp, "ecc_gcm", 1 },
	{ &tlcp, "ecc_gcm_mutual", 1 | TLCP_OPT_MUTUAL | TLCP_OPT_NAMES },
	{ &tlcp, "ecdhe_cbc_tolerant", 2 | TLCP_OPT_MUTUAL | TLCP_OPT_TOLERANT },
	{ &tlcp, "ecc_cbc", 3 },
	{ &tlcp, "resumed", TLCP_OPT_MUTUAL | TLCP_OPT_RESUME | TLCP_OPT_NAMES },
};

static void put(const uint8_t *b, size_t len, const char *dir, const char *folder, const char *of,
	const char *name)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s%s/%s", dir, folder, of, name);
	f = fopen(path, "wb");
	must(f != NULL && fwrite(b, 1, len, f) == len);
	must(fclose(f) == 0);
}

/* Writes down one record in the clear, and feeds it. */
static void hear(
	const struct maker *m, struct seed *s, struct end *to, const uint8_t *record, size_t len)
{
	static uint8_t content[WIRE_ROOM];
	size_t n = 0;
	unsigned type = m->wire->take(to, content, &n, record);

	must(s->len + RECORD_HEAD + n <= sizeof(s->b) && n <= UINT16_MAX);
	s->b[s->len] = (uint8_t)type;
	hf_put_be16(s->b + s->len + 1, (uint16_t)n);
	memcpy(s->b + s->len + RECORD_HEAD, content, n);
	s->len += RECORD_HEAD + n;
	end_feed(to, record, len, SIZE_MAX, 1000);
}

/* Moves everything from one end to the other, record by record. */
static bool pass(const struct maker *m, struct seed *s, struct end *from, struct end *to)
{
	size_t len;
	uint8_t *bytes = end_out(from, &len);

	for (size_t at = 0; at < len;) {
		size_t n = HF_TLS_HEAD_LEN + hf_tls_head_get(bytes + at).len;

		hear(m, s, to, bytes + at, n);
		at += n;
	}
	free(bytes);
	return len > 0;
}

static void run(const struct maker *m, struct pair *p, struct seed *c, struct seed *s)
{
	bool any = true;

	while (any) {
		any = pass(m, s, &p->c, &p->s);
		any |= pass(m, c, &p->s, &p->c);
	}
	must(hf_tls_error(&p->c.t) == HF_OK && hf_tls_error(&p->s.t) == HF_OK);
}

/* What was written down is heard again to its end, by an end that is alone with it. */
static void replay(const struct maker *m, const struct seed *s, bool is_client, unsigned options)
{
	struct pair *p = m->begin(options);
	struct end *e = is_client ? &p->c : &p->s;

	pair_start(p);
	play(e, m->wire, s->b, s->len);
	must(hf_tls_error(&e->t) == HF_OK && hf_tls_is_open(&e->t));
	must(m->is_resumed(&e->t) == ((options & m->resumes) != 0));
	must(hf_tls_eof(&e->t) == HF_ERR_CLOSED);
	pair_clear(p);
	m->end();
}

static void make(const struct maker *m, const char *dir, const char *name, unsigned options)
{
	static struct seed c;
	static struct seed s;
	struct pair *p = m->begin(options);

	c.b[0] = s.b[0] = (uint8_t)options;
	c.b[1] = s.b[1] = 0;
	c.len = s.len = OPTIONS;
	pair_start(p);
	run(m, p, &c, &s);
	must(hf_tls_is_open(&p->c.t) && hf_tls_is_open(&p->s.t));
	say(&p->c, "a question");
	run(m, p, &c, &s);
	say(&p->s, "an answer");
	run(m, p, &c, &s);
	if (m->has_new_keys)
		must(hf_tls_key_update(&p->c.t, true) == HF_OK &&
			hf_tls_key_update(&p->s.t, true) == HF_OK);
	run(m, p, &c, &s);
	say(&p->c, "more");
	say(&p->s, "more");
	run(m, p, &c, &s);
	must(hf_tls_close(&p->c.t) == HF_OK && hf_tls_close(&p->s.t) == HF_OK);
	run(m, p, &c, &s);
	pair_clear(p);
	m->end();
	replay(m, &c, true, options);
	replay(m, &s, false, options);
	put(c.b, c.len, dir, m->folder, "client", name);
	put(s.b, s.len, dir, m->folder, "server", name);
}

static void make_session(const char *dir)
{
	struct hf_buf b;

	hf_buf_init(&b, &test_mem, HF_TLS_SESSION_EMIT_MAX);
	must(hf_tls_session_emit(&b, tls_fuzz_resume(tls_fuzz_pair())) == HF_OK);
	put(b.p, b.len, dir, "tls_", "session", "session");
	hf_buf_clear(&b);
}

/* The first byte says what the rest is; see fuzz_tlcp_records.c. */
static void make_records(const char *dir)
{
	static const char *const names[] = { "gcm", "cbc", "gcm_wire", "cbc_wire", "cbc_text" };
	uint8_t b[1 + 96];

	memset(b, 15, sizeof(b)); /* the right padding of a block that has nothing else */
	for (size_t i = 0; i < HF_COUNT(names); i++) {
		b[0] = (uint8_t)i;
		put(b, sizeof(b), dir, "tlcp_", "records", names[i]);
	}
}

int main(int argc, char **argv)
{
	must(argc == 2);
	make_session(argv[1]); /* first: the parties of TLCP take the place of these */
	for (size_t i = 0; i < HF_COUNT(seeds); i++)
		make(seeds[i].maker, argv[1], seeds[i].name, seeds[i].options);
	make_records(argv[1]);
	return 0;
}
