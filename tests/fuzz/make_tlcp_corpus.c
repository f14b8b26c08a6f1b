/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the seeds of the TLCP fuzz targets: whole handshakes between two ends of the fixture, with
 * what follows, as tlcp_input.h reads them, and a few records.
 *
 *	make_tlcp_corpus tests/fuzz/corpus
 */
#include "tlcp_input.h"

/* A seed that is being written down: what one end hears. */
struct seed {
	uint8_t b[1 << 16];
	size_t len;
};

static void seed_add(struct seed *s, unsigned type, const uint8_t *content, size_t len)
{
	must(s->len + RECORD_HEAD + len <= sizeof(s->b) && len <= UINT16_MAX);
	s->b[s->len] = (uint8_t)type;
	s->b[s->len + 1] = (uint8_t)(len >> 8);
	s->b[s->len + 2] = (uint8_t)len;
	memcpy(s->b + s->len + RECORD_HEAD, content, len);
	s->len += RECORD_HEAD + len;
}

/* Writes down one record in the clear, and feeds it. */
static void hear(struct seed *s, struct end *to, const uint8_t *record, size_t len)
{
	static uint8_t plain[HF_TLCP_CIPHER_MAX];
	struct hf_tlcp_dir dir = { 0 };
	const uint8_t *content = record + TLCP_HEAD;
	size_t n = len - TLCP_HEAD;

	if (to->t.tlcp != NULL)
		dir = to->t.tlcp->rx;
	if (dir.cipher != NULL) {
		must(hf_tlcp_open(&dir, plain, &n, record) == HF_OK);
		content = plain;
	}
	/* A server of both protocols knows from the record itself which one it is. */
	if (to->t.tlcp == NULL)
		seed_add(s, RAW, record, len);
	else
		seed_add(s, record[0], content, n);
	end_feed(to, record, len, SIZE_MAX, 1000);
}

/* Moves everything from one end to the other, record by record. */
static bool pass(struct seed *s, struct end *from, struct end *to)
{
	size_t len;
	uint8_t *bytes = end_out(from, &len);
	size_t at = 0;

	while (at < len) {
		size_t n = TLCP_HEAD + hf_tls_head_get(bytes + at).len;

		hear(s, to, bytes + at, n);
		at += n;
	}
	free(bytes);
	return len > 0;
}

static void run(struct pair *p, struct seed *c, struct seed *s)
{
	bool any = true;

	while (any) {
		any = pass(s, &p->c, &p->s);
		any |= pass(c, &p->s, &p->c);
	}
	must(hf_tls_error(&p->c.t) == HF_OK && hf_tls_error(&p->s.t) == HF_OK);
}

static void put(const uint8_t *b, size_t len, const char *dir, const char *entry, const char *name)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s/%s", dir, entry, name);
	f = fopen(path, "wb");
	must(f != NULL && fwrite(b, 1, len, f) == len);
	must(fclose(f) == 0);
}

/* What was written down is heard again to its end, by an end that is alone with it. */
static void replay(const struct seed *s, bool is_client, unsigned options)
{
	struct fuzz_session session = { 0 };
	struct tlcp_pair *t = fuzz_pair(&session, options);
	struct end *e = is_client ? &t->p.c : &t->p.s;

	t->p.s.cfg.protocols = HF_TLS_13 | HF_TLS_TLCP;
	pair_start(&t->p);
	play(e, s->b, s->len);
	must(hf_tls_error(&e->t) == HF_OK && hf_tls_is_open(&e->t));
	must(hf_tlcp_is_resumed(&e->t) == ((options & OPT_RESUME) != 0));
	must(hf_tls_eof(&e->t) == HF_ERR_CLOSED);
	pair_clear(&t->p);
	fuzz_session_clear(&session);
}

static void make(const char *dir, const char *name, unsigned options)
{
	static struct seed c;
	static struct seed s;
	struct fuzz_session session = { 0 };
	struct tlcp_pair *t = fuzz_pair(&session, options);

	t->p.s.cfg.protocols = HF_TLS_13 | HF_TLS_TLCP;
	c.b[0] = s.b[0] = (uint8_t)options;
	c.b[1] = s.b[1] = 0;
	c.len = s.len = OPTIONS;
	pair_start(&t->p);
	run(&t->p, &c, &s);
	must(hf_tls_is_open(&t->p.c.t) && hf_tls_is_open(&t->p.s.t));
	say(&t->p.c, "a question");
	run(&t->p, &c, &s);
	say(&t->p.s, "an answer");
	run(&t->p, &c, &s);
	must(hf_tls_close(&t->p.c.t) == HF_OK && hf_tls_close(&t->p.s.t) == HF_OK);
	run(&t->p, &c, &s);
	pair_clear(&t->p);
	fuzz_session_clear(&session);
	replay(&c, true, options);
	replay(&s, false, options);
	put(c.b, c.len, dir, "tlcp_client", name);
	put(s.b, s.len, dir, "tlcp_server", name);
}

/* The first byte says what the rest is; see fuzz_tlcp_records.c. */
static void make_records(const char *dir)
{
	static const char *const names[] = { "gcm", "cbc", "gcm_wire", "cbc_wire", "cbc_text" };
	uint8_t b[1 + 96];

	memset(b, 15, sizeof(b)); /* the right padding of a block that has nothing else */
	for (size_t i = 0; i < HF_COUNT(names); i++) {
		b[0] = (uint8_t)i;
		put(b, sizeof(b), dir, "tlcp_records", names[i]);
	}
}

int main(int argc, char **argv)
{
	must(argc == 2);
	make(argv[1], "ecdhe_gcm", OPT_MUTUAL);
	make(argv[1], "ecc_gcm", 1);
	make(argv[1], "ecc_gcm_mutual", 1 | OPT_MUTUAL | OPT_NAMES);
	make(argv[1], "ecdhe_cbc_tolerant", 2 | OPT_MUTUAL | OPT_TOLERANT);
	make(argv[1], "ecc_cbc", 3);
	make(argv[1], "resumed", OPT_MUTUAL | OPT_RESUME | OPT_NAMES);
	make_records(argv[1]);
	return 0;
}
