/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the seeds of fuzz_tls_client, fuzz_tls_server and fuzz_tls_session: whole handshakes
 *between two ends of the fixture, with what follows, as tls_input.h reads them.
 *
 *	make_tls_corpus tests/fuzz/corpus
 */
#include "tls_input.h"

/* A seed that is being written down: what one end hears. */
struct seed {
	uint8_t b[1 << 17];
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
	static uint8_t plain[HF_TLS_RECORD_MAX];
	struct hf_tls_dir dir = to->t.rx;
	struct hf_tls_inner inner = { record[0], len - HF_TLS_HEAD_LEN };
	const uint8_t *content = record + HF_TLS_HEAD_LEN;

	if (dir.is_on && record[0] == HF_TLS_DATA) {
		must(hf_tls_open(&dir, plain, &inner, record) == HF_OK);
		content = plain;
	}
	if (record[0] == HF_TLS_CCS)
		seed_add(s, RAW, record, len);
	else
		seed_add(s, inner.type, content, inner.len);
	end_feed(to, record, len, SIZE_MAX, 1000);
}

/* Moves everything from one end to the other, record by record. */
static bool pass(struct seed *s, struct end *from, struct end *to)
{
	size_t len;
	uint8_t *bytes = end_out(from, &len);
	size_t at = 0;

	while (at < len) {
		size_t n = HF_TLS_HEAD_LEN + hf_tls_head_get(bytes + at).len;

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

static void seed_put(const struct seed *s, const char *dir, const char *entry, const char *name)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s/%s", dir, entry, name);
	f = fopen(path, "wb");
	must(f != NULL && fwrite(s->b, 1, s->len, f) == s->len);
	must(fclose(f) == 0);
}

/* What was written down is heard again to its end, by an end that is alone with it. */
static void replay(const struct seed *s, bool is_client, unsigned options)
{
	struct pair *p = fuzz_pair();
	struct end *e = is_client ? &p->c : &p->s;

	fuzz_options(p, options);
	pair_start(p);
	play(e, s->b, s->len);
	must(hf_tls_error(&e->t) == HF_OK && hf_tls_is_open(&e->t));
	must(hf_tls_is_resumed(&e->t) == ((options & OPT_RESUME) != 0));
	must(hf_tls_eof(&e->t) == HF_ERR_CLOSED);
	pair_clear(p);
}

static void make(const char *dir, const char *name, unsigned options)
{
	static struct seed c;
	static struct seed s;
	struct pair *p = fuzz_pair();

	c.len = s.len = 0;
	fuzz_options(p, options);
	c.b[c.len++] = (uint8_t)options;
	s.b[s.len++] = (uint8_t)options;
	pair_start(p);
	run(p, &c, &s);
	must(hf_tls_is_open(&p->c.t) && hf_tls_is_open(&p->s.t));
	say(&p->c, "a question");
	run(p, &c, &s);
	say(&p->s, "an answer");
	run(p, &c, &s);
	must(hf_tls_key_update(&p->c.t, true) == HF_OK &&
		hf_tls_key_update(&p->s.t, true) == HF_OK);
	run(p, &c, &s);
	say(&p->c, "more");
	say(&p->s, "more");
	run(p, &c, &s);
	must(hf_tls_close(&p->c.t) == HF_OK && hf_tls_close(&p->s.t) == HF_OK);
	run(p, &c, &s);
	pair_clear(p);
	replay(&c, true, options);
	replay(&s, false, options);
	seed_put(&c, dir, "tls_client", name);
	seed_put(&s, dir, "tls_server", name);
}

static void make_session(const char *dir)
{
	static struct seed s;
	struct hf_buf b;

	hf_buf_init(&b, &test_mem, HF_TLS_SESSION_EMIT_MAX);
	must(hf_tls_session_emit(&b, fuzz_resume(fuzz_pair())) == HF_OK);
	must(b.len <= sizeof(s.b));
	memcpy(s.b, b.p, b.len);
	s.len = b.len;
	hf_buf_clear(&b);
	seed_put(&s, dir, "tls_session", "session");
}

int main(int argc, char **argv)
{
	must(argc == 2);
	make(argv[1], "full", 0);
	make(argv[1], "retry", OPT_RETRY);
	make(argv[1], "middlebox", OPT_MIDDLEBOX);
	make(argv[1], "resumed", OPT_RESUME);
	make(argv[1], "resumed-retry", OPT_RESUME | OPT_RETRY);
	make_session(argv[1]);
	return 0;
}
