/* SPDX-License-Identifier: Apache-2.0 */
/* layer: net */
/*
 * Our end of the links of interop.py, over sockets that it inherits:
 *
 *	interop_peer client|server FD[,FD] DIR [OPTION]
 *
 * It says --bytes of text, hears --hear bytes of whatever the other side says, and closes. For each
 * FD, one link after the other, it prints a line of JSON about how it went; a later link resumes
 * the session of the one before. Exit code 0: all were open and closed in order. Options are below
 * and in link_peer.h.
 */
#include "link_peer.h"

#include "base/hex.h"

enum {
	TEXT_LINE = 64,   /* bytes of a line of text */
	HEARD_MAX = 1024, /* bytes of the other side's words that are told */
};

struct end {
	struct peer p;

	/* Options. */
	size_t n_bytes; /* that we say */
	size_t hear;    /* that the other side says */
	bool defer_share;
	bool new_keys;   /* before the first word, and the other side shall change its own */
	bool ask_nobody; /* server: asks for no certificate */

	bool has_new_keys;
	uint8_t heard[HEARD_MAX];
	struct hf_tls_session *session; /* client: of the link before */
	struct hf_tlcp_session tlcp_session;
};

static void configure(struct end *x, const char *dir)
{
	struct peer *p = &x->p;
	struct hf_tls_config *c = &p->cfg;
	uint8_t secret[HF_TLS_TICKET_SECRET_LEN];

	peer_configure(p, dir, 1);
	c->ask_client_cert = !p->is_client && !x->ask_nobody;
	c->require_client_cert = c->ask_client_cert;
	if (p->tlcp)
		return;
	c->defer_share = x->defer_share;
	c->keep_session = p->is_client;
	if (p->is_client)
		return;
	need("tickets", hf_rng_fill(&p->rng, secret, sizeof(secret)));
	hf_tls_tickets_init(&p->tickets, secret, HF_L1);
	c->tickets = &p->tickets;
	c->n_tickets = 1;
}

/* The i-th byte of what we say: lines that no tool takes for a command. */
static uint8_t text(size_t i)
{
	if (i % TEXT_LINE == TEXT_LINE - 1)
		return '\n';
	return (uint8_t)(i % TEXT_LINE == 0 ? 'x' : 'a' + (i * 7 + i / TEXT_LINE) % 26);
}

static hf_err say(struct end *x)
{
	struct peer *p = &x->p;
	uint8_t piece[PIECE];
	size_t len = x->n_bytes - p->n_sent;
	size_t used = 0;

	if (x->new_keys && !x->has_new_keys) {
		x->has_new_keys = true;
		HF_TRY(hf_tls_key_update(&p->t, true));
	}
	if (len > PIECE)
		len = PIECE;
	if (len == 0)
		return HF_OK;
	for (size_t i = 0; i < len; i++)
		piece[i] = text(p->n_sent + i);
	HF_TRY(hf_tls_write(&p->t, &used, piece, len));
	p->n_sent += used;
	return HF_OK;
}

static void hear(struct end *x)
{
	struct peer *p = &x->p;
	const uint8_t *in;
	size_t len = hf_tls_plain(&p->t, &in);

	for (size_t i = 0; i < len && p->n_got + i < HEARD_MAX; i++)
		x->heard[p->n_got + i] = in[i];
	p->n_got += len;
	hf_tls_took(&p->t, len);
}

/* What is done when the link is open. HF_ERR_CLOSED: all is done. */
static hf_err act(void *ctx)
{
	struct end *x = ctx;
	struct peer *p = &x->p;
	uint8_t none[1];
	size_t len = 0;
	hf_err e;

	hear(x);
	HF_TRY(say(x));
	if (p->n_sent == x->n_bytes && p->n_got >= x->hear)
		need("close", hf_tls_close(&p->t));
	e = hf_tls_read(&p->t, &len, none, sizeof(none));
	if (e == HF_ERR_CLOSED)
		need("close", hf_tls_close(&p->t));
	return e == HF_ERR_AGAIN ? HF_OK : e;
}

static bool has_more(const void *ctx)
{
	const struct end *x = ctx;

	return x->p.n_sent < x->n_bytes;
}

static void print_report(struct end *x, hf_err e)
{
	struct peer *p = &x->p;
	char heard[2 * HEARD_MAX + 1];

	hf_hex_emit(heard, x->heard, p->n_got < HEARD_MAX ? p->n_got : HEARD_MAX);
	printf("{");
	peer_tell(p, e);
	tell_bool("has_peer", hf_tls_peer(&p->t) != NULL);
	printf("\"heard\": \"%s\"}\n", heard);
	(void)fflush(stdout);
}

/* The session that the next link takes up. */
static void keep_session(struct end *x)
{
	struct hf_tlcp_session *s = &x->tlcp_session;

	hf_tls_session_free(x->session);
	x->session = hf_tls_session_take(&x->p.t);
	hf_tlcp_session_clear(s);
	if (x->p.is_client && x->p.tlcp && hf_tlcp_session_get(&x->p.t, s) != HF_OK)
		hf_tlcp_session_clear(s);
}

static bool link_once(struct end *x, int fd)
{
	struct hf_tls_start start = { .now_s = hf_clock_wall_s(),
		.now_ms = hf_clock_mono_ms(),
		.server_name = x->p.is_client ? "server.example" : NULL,
		.session = x->session,
		.tlcp_session = x->tlcp_session.id_len > 0 ? &x->tlcp_session : NULL };
	hf_err e;

	x->p.fd = fd;
	x->has_new_keys = false;
	e = peer_run(&x->p, &start, x, act, has_more);
	print_report(x, e);
	keep_session(x);
	hf_tls_clear(&x->p.t);
	(void)shutdown(fd, SHUT_RDWR);
	return e == HF_ERR_CLOSED;
}

int main(int argc, char **argv)
{
	static const struct peer_option options[] = {
		{ "--bytes", offsetof(struct end, n_bytes), PEER_NUMBER },
		{ "--hear", offsetof(struct end, hear), PEER_NUMBER },
		{ "--new-keys", offsetof(struct end, new_keys), PEER_FLAG },
		{ "--defer-share", offsetof(struct end, defer_share), PEER_FLAG },
		{ "--ask-nobody", offsetof(struct end, ask_nobody), PEER_FLAG },
	};
	static struct end x;
	bool is_good = true;

	peer_start(&x.p, "interop_peer");
	if (argc < 4)
		die("usage: interop_peer client|server FD[,FD] DIR [OPTION]", HF_ERR_ARG);
	x.p.is_client = strcmp(argv[1], "client") == 0;
	peer_parse(&x, options, HF_COUNT(options), argc - 4, argv + 4);
	configure(&x, argv[3]);
	for (char *at = argv[2]; *at != '\0'; at += *at == ',')
		is_good &= link_once(&x, (int)strtol(at, &at, 10));
	hf_tls_session_free(x.session);
	hf_tlcp_session_clear(&x.tlcp_session);
	peer_clear(&x.p);
	return is_good ? 0 : 1;
}
