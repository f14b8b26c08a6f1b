/* SPDX-License-Identifier: Apache-2.0 */
/* layer: net */
/*
 * One end of a link over a socket that it inherits, for tests against other implementations:
 *
 *	tls_peer certs DIR               makes ca, server and client certificates and keys
 *	tls_peer client FD DIR [OPTION]  sends a pattern, wants it back, closes
 *	tls_peer server FD DIR [OPTION]  sends back what it gets, until the other side closes
 *
 * and prints one line of JSON about how it went. Exit code 0: open, all data right, closed in
 * order. Options are below and in link_peer.h.
 */
#include "link_peer.h"

#include "base/hex.h"

enum { VALID_S = 30 * 86400 }; /* of the certificates */

static const char *const alpn[] = { "h2", "hufu/1" };

struct end {
	struct peer p;

	/* Options. */
	size_t n_bytes; /* client: length of the pattern */
	size_t update;  /* new keys after so many bytes; 0: never */
	size_t pad_to;
	bool middlebox;
	bool defer_share;
	bool cookie;
	bool ask_client; /* server: ask for a certificate, but do not insist */
	bool both;       /* either suite of TLS 1.3 */
	bool resume;     /* server: tickets; client: a session from the file, and one into it */
	size_t limit;    /* record_size_limit */

	size_t n_since; /* bytes since the last new keys */
	unsigned n_updates;
	bool has_wrong_data;
	uint8_t exported[32];           /* taken when the link opened */
	struct hf_tls_session *session; /* client: the one that is offered */
	char session_path[PATH_LEN];
	bool has_kept; /* and the one that came is in the file */
};

/* --- certificates ------------------------------------------------------------------------------
 */

struct party {
	struct hf_sm2_key key;
	struct hf_local_key local;
	struct hf_signer signer;
	uint8_t name[HF_NAME_DER_MAX];
	struct hf_bytes subject;
};

static void party_init(struct party *p, const char *cn, const struct hf_rng *rng)
{
	struct hf_writer w = { .p = p->name, .cap = sizeof(p->name) };

	need("key", hf_sm2_key_new(&p->key, rng));
	p->local = (struct hf_local_key){ &p->key, rng };
	p->signer = hf_signer_local(&p->local);
	hf_name_emit(&w, NULL, "Example", cn);
	need("name", hf_wr_done(&w));
	p->subject = (struct hf_bytes){ p->name, w.len };
}

static void put_pem(
	const char *dir, const char *name, const char *label, const uint8_t *der, size_t len)
{
	uint8_t text[FILE_LEN];
	struct hf_writer w = { .p = text, .cap = sizeof(text) };
	char path[PATH_LEN];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	hf_pem_emit(&w, label, der, len);
	need(name, hf_wr_done(&w));
	need(path, hf_file_replace(path, 0600, text, w.len, NULL));
}

static void put_party(const char *dir, const char *cn, const struct party *p,
	const struct party *ca, unsigned usage, const struct hf_identity *identity)
{
	static uint8_t serial[] = { 0x61, 0x07 };
	static const char *const dns[] = { "server.example" };
	bool is_ca = p == ca;
	struct hf_cert_spec spec = { .serial = serial,
		.serial_len = sizeof(serial),
		.issuer = ca->subject,
		.subject = p->subject,
		.not_before_s = hf_clock_wall_s() - 3600,
		.not_after_s = hf_clock_wall_s() + VALID_S,
		.key = p->key.pub,
		.is_ca = is_ca,
		.key_usage = usage,
		.eku = is_ca ? 0 : HF_EKU_SERVER | HF_EKU_CLIENT,
		.identity = identity,
		.dns = dns,
		.n_dns = is_ca ? 0 : 1 };
	uint8_t key[HF_PKCS8_EMIT_MAX];
	struct hf_writer w = { .p = key, .cap = sizeof(key) };
	char name[64];
	struct hf_buf der;

	serial[1]++;
	hf_buf_init(&der, hf_os_mem(), HF_CERT_DER_MAX);
	need(cn, hf_cert_build(&der, &spec, &ca->signer, NULL));
	(void)snprintf(name, sizeof(name), "%s.pem", cn);
	put_pem(dir, name, "CERTIFICATE", der.p, der.len);
	hf_buf_clear(&der);
	hf_pkcs8_emit(&w, &p->key);
	need(cn, hf_wr_done(&w));
	(void)snprintf(name, sizeof(name), "%s.key", cn);
	put_pem(dir, name, "PRIVATE KEY", key, w.len);
}

/* What a party shows in TLS 1.3, and the second pair that it needs in TLCP. */
static void put_two(const char *dir, const char *cn, const struct party *ca,
	const struct hf_identity *identity, const struct hf_rng *rng)
{
	static struct party sign;
	static struct party enc;
	char name[64];

	party_init(&sign, cn, rng);
	put_party(dir, cn, &sign, ca, HF_KU_SIGN, identity);
	party_init(&enc, cn, rng);
	(void)snprintf(name, sizeof(name), "%s_enc", cn);
	put_party(dir, name, &enc, ca, HF_KU_ENCRYPT, identity);
}

static void make_certs(const char *dir, const struct hf_rng *rng)
{
	static const struct hf_identity hub = { HF_ROLE_HUB, HF_L3, "plant", "hub-1" };
	static const struct hf_identity device = { HF_ROLE_DEVICE, HF_L3, "plant", "dev-7" };
	static struct party ca;
	uint8_t number[4];
	char cn[16];

	need("name", hf_rng_fill(rng, number, sizeof(number)));
	(void)snprintf(
		cn, sizeof(cn), "ca-%02x%02x%02x%02x", number[0], number[1], number[2], number[3]);
	party_init(&ca, cn, rng);
	put_party(dir, "ca", &ca, &ca, HF_KU_CA, NULL);
	put_two(dir, "server", &ca, &hub, rng);
	put_two(dir, "client", &ca, &device, rng);
}

/* --- the link ----------------------------------------------------------------------------------
 */

/* Servers of one folder have one secret: its key's file gives that. */
static void configure_resume(struct end *x, const char *dir)
{
	struct peer *p = &x->p;
	uint8_t secret[HF_TLS_TICKET_SECRET_LEN];
	struct hf_buf b;

	hf_sm3(secret, p->files[2].p, p->files[2].len);
	hf_tls_tickets_init(&p->tickets, secret, HF_L1);
	p->cfg.tickets = p->is_client ? NULL : &p->tickets;
	p->cfg.keep_session = p->is_client;
	if (!p->is_client)
		return;
	(void)snprintf(x->session_path, sizeof(x->session_path), "%s/session", dir);
	hf_buf_init(&b, hf_os_mem(), HF_TLS_SESSION_EMIT_MAX);
	if (hf_file_load(&b, x->session_path, NULL) == HF_OK)
		need("session", hf_tls_session_parse(&x->session, hf_os_mem(), b.p, b.len));
	hf_buf_clear(&b);
}

/* Client: the newest ticket goes into the file. */
static void keep_session(struct end *x)
{
	struct hf_tls_session *s = hf_tls_session_take(&x->p.t);
	struct hf_buf b;

	if (s == NULL)
		return;
	hf_buf_init(&b, hf_os_mem(), HF_TLS_SESSION_EMIT_MAX);
	need("session", hf_tls_session_emit(&b, s));
	need("session", hf_file_replace(x->session_path, 0600, b.p, b.len, NULL));
	hf_buf_clear(&b);
	hf_tls_session_free(s);
	x->has_kept = true;
}

static void configure(struct end *x, const char *dir)
{
	struct peer *p = &x->p;
	struct hf_tls_config *c = &p->cfg;

	peer_configure(p, dir, p->tlcp ? 1 : 2);
	c->alpn = alpn;
	c->n_alpn = HF_COUNT(alpn);
	c->middlebox = x->middlebox;
	c->defer_share = x->defer_share;
	c->retry_cookie = x->cookie;
	c->pad_to = (uint16_t)x->pad_to;
	c->ask_client_cert = !p->is_client;
	c->require_client_cert = !p->is_client && !x->ask_client;
	if (x->both)
		c->suites = HF_TLS_SUITES;
	c->record_limit = (uint16_t)x->limit;
	if (x->resume)
		configure_resume(x, dir);
}

/* The i-th byte of the pattern. */
static uint8_t pattern(size_t i)
{
	return (uint8_t)(i * 131 + (i >> 8));
}

static hf_err count_updates(struct end *x, size_t n)
{
	x->n_since += n;
	if (x->update == 0 || x->n_since < x->update)
		return HF_OK;
	x->n_since = 0;
	x->n_updates++;
	return hf_tls_key_update(&x->p.t, true);
}

/* Writes what there is to say: the pattern, or what came in. */
static hf_err say(struct end *x)
{
	struct peer *p = &x->p;
	uint8_t piece[PIECE];
	const uint8_t *in = piece;
	size_t len = x->n_bytes - p->n_sent;
	size_t used = 0;

	if (!p->is_client)
		len = hf_tls_plain(&p->t, &in);
	if (len > PIECE)
		len = PIECE;
	for (size_t i = 0; p->is_client && i < len; i++)
		piece[i] = pattern(p->n_sent + i);
	if (len == 0)
		return HF_OK;
	HF_TRY(hf_tls_write(&p->t, &used, in, len));
	if (!p->is_client) {
		p->n_got += used;
		hf_tls_took(&p->t, used);
	}
	p->n_sent += used;
	return used == 0 ? HF_OK : count_updates(x, used);
}

/* Client: takes the echo. */
static void hear(struct end *x)
{
	struct peer *p = &x->p;
	const uint8_t *in;
	size_t len = hf_tls_plain(&p->t, &in);

	for (size_t i = 0; i < len; i++)
		x->has_wrong_data |= in[i] != pattern(p->n_got + i);
	p->n_got += len;
	hf_tls_took(&p->t, len);
}

/* What the application does when the link is open. HF_ERR_CLOSED: all is done. */
static hf_err act(void *ctx)
{
	struct end *x = ctx;
	struct peer *p = &x->p;
	uint8_t none[1];
	size_t len = 0;
	hf_err e;

	if (!p->tlcp)
		HF_TRY(hf_tls_export(
			&p->t, x->exported, sizeof(x->exported), "EXPORTER-test", "ctx", 3));
	if (p->is_client)
		hear(x);
	if (x->session_path[0] != '\0')
		keep_session(x);
	e = say(x);
	if (e != HF_OK)
		return e;
	if (p->is_client && p->n_got == x->n_bytes)
		need("close", hf_tls_close(&p->t));
	if (hf_tls_plain(&p->t, &(const uint8_t *){ NULL }) > 0)
		return HF_OK;
	e = hf_tls_read(&p->t, &len, none, sizeof(none));
	if (e == HF_ERR_CLOSED)
		need("close", hf_tls_close(&p->t));
	return e == HF_ERR_AGAIN ? HF_OK : e;
}

static bool has_more(const void *ctx)
{
	const struct end *x = ctx;

	return x->p.is_client ? x->p.n_sent < x->n_bytes
			      : hf_tls_plain(&x->p.t, &(const uint8_t *){ NULL }) > 0;
}

static void print_report(struct end *x, hf_err e)
{
	struct peer *p = &x->p;
	const struct hf_cert *cert = hf_tls_peer(&p->t);
	char hex[2 * sizeof(x->exported) + 1];

	hf_hex_emit(hex, x->exported, sizeof(x->exported));
	printf("{");
	peer_tell(p, e);
	tell_text("alpn", hf_tls_alpn(&p->t));
	tell_text("peer", cert == NULL || !cert->has_identity ? "" : cert->identity.id);
	tell_text("server_name", hf_tls_server_name(&p->t));
	tell_text("exported", hex);
	tell_bool("kept", x->has_kept);
	tell_number("updates", x->n_updates);
	printf("\"wrong_data\": %s}\n", x->has_wrong_data ? "true" : "false");
	(void)fflush(stdout);
}

int main(int argc, char **argv)
{
	static const struct peer_option options[] = {
		{ "--bytes", offsetof(struct end, n_bytes), PEER_NUMBER },
		{ "--update", offsetof(struct end, update), PEER_NUMBER },
		{ "--pad", offsetof(struct end, pad_to), PEER_NUMBER },
		{ "--middlebox", offsetof(struct end, middlebox), PEER_FLAG },
		{ "--defer-share", offsetof(struct end, defer_share), PEER_FLAG },
		{ "--cookie", offsetof(struct end, cookie), PEER_FLAG },
		{ "--ask-client", offsetof(struct end, ask_client), PEER_FLAG },
		{ "--both", offsetof(struct end, both), PEER_FLAG },
		{ "--resume", offsetof(struct end, resume), PEER_FLAG },
		{ "--limit", offsetof(struct end, limit), PEER_NUMBER },
	};
	static struct end x = { .n_bytes = 1000 };
	struct peer *p = &x.p;
	struct hf_tls_start start = { .now_s = hf_clock_wall_s(), .now_ms = hf_clock_mono_ms() };
	hf_err e;

	peer_start(p, "tls_peer");
	if (argc < 3)
		die("usage: tls_peer certs DIR | client|server FD DIR [OPTION]", HF_ERR_ARG);
	if (strcmp(argv[1], "certs") == 0) {
		make_certs(argv[2], &p->rng);
		return 0;
	}
	if (argc < 4)
		die("no DIR", HF_ERR_ARG);
	p->is_client = strcmp(argv[1], "client") == 0;
	p->fd = (int)strtol(argv[2], NULL, 10);
	peer_parse(&x, options, HF_COUNT(options), argc - 4, argv + 4);
	configure(&x, argv[3]);
	start.server_name = p->is_client ? "server.example" : NULL;
	start.session = x.session;
	e = peer_run(p, &start, &x, act, has_more);
	print_report(&x, e);
	hf_tls_clear(&p->t);
	hf_tls_session_free(x.session);
	peer_clear(p);
	return e == HF_ERR_CLOSED && !x.has_wrong_data ? 0 : 1;
}
