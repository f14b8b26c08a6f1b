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
 *order.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "base/hex.h"
#include "codec/pem.h"
#include "crypto/drbg.h"
#include "crypto/module.h"
#include "os/clock.h"
#include "os/cpu.h"
#include "os/entropy.h"
#include "os/file.h"
#include "os/heap.h"
#include "pki/pkcs8.h"
#include "tls/tls.h"

enum {
	PATH_LEN = 512,
	FILE_LEN = 16384,
	PIECE = 16384,        /* bytes of one read from the socket */
	WAIT_MS = 30000,      /* without any byte from the other side */
	VALID_S = 30 * 86400, /* of the certificates */
};

static const char *const alpn[] = { "h2", "hufu/1" };

struct options {
	size_t step;    /* bytes of one feed */
	size_t n_bytes; /* client: length of the pattern */
	size_t update;  /* new keys after so many bytes; 0: never */
	size_t pad_to;
	bool middlebox;
	bool defer_share;
	bool cookie;
	bool anonymous;  /* client: no certificate */
	bool ask_client; /* server: ask for a certificate, but do not insist */
	bool ccm;        /* TLS_SM4_CCM_SM3 alone */
	bool both;       /* either suite */
	bool resume;     /* server: tickets; client: a session from the file, and one into it */
	size_t limit;    /* record_size_limit */
};

struct peer {
	struct options o;
	int fd;
	bool is_client;
	struct hf_drbg drbg;
	struct hf_rng rng;
	struct hf_buf files[3]; /* ca, chain, key as DER */
	struct hf_cert ca;
	struct hf_bytes chain[2];
	struct hf_sm2_key key;
	struct hf_local_key local;
	struct hf_signer signer;
	struct hf_tls_config cfg;
	struct hf_tls t;
	size_t n_sent; /* plaintext */
	size_t n_got;
	size_t n_since; /* since the last new keys */
	unsigned n_updates;
	bool has_wrong_data;
	uint8_t exported[32]; /* taken when the link opened */
	struct hf_tls_tickets tickets;
	struct hf_tls_session *session; /* client: the one that is offered */
	char session_path[PATH_LEN];
	bool has_kept; /* and the one that came is in the file */
};

static void die(const char *what, hf_err e)
{
	fprintf(stderr, "tls_peer: %s: %s\n", what, hf_err_text(e));
	exit(2);
}

static void need(const char *what, hf_err e)
{
	if (e != HF_OK)
		die(what, e);
}

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
	const struct party *ca, const struct hf_identity *identity)
{
	static const uint8_t serial[] = { 0x61, 0x07 };
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
		.key_usage = is_ca ? HF_KU_CA : HF_KU_SIGN,
		.eku = is_ca ? 0 : HF_EKU_SERVER | HF_EKU_CLIENT,
		.identity = identity,
		.dns = dns,
		.n_dns = is_ca ? 0 : 1 };
	uint8_t key[HF_PKCS8_EMIT_MAX];
	struct hf_writer w = { .p = key, .cap = sizeof(key) };
	char name[64];
	struct hf_buf der;

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

static void make_certs(const char *dir, const struct hf_rng *rng)
{
	static const struct hf_identity hub = { HF_ROLE_HUB, HF_L3, "plant", "hub-1" };
	static const struct hf_identity device = { HF_ROLE_DEVICE, HF_L3, "plant", "dev-7" };
	static struct party ca;
	static struct party server;
	static struct party client;
	uint8_t number[4];
	char cn[16];

	need("name", hf_rng_fill(rng, number, sizeof(number)));
	(void)snprintf(
		cn, sizeof(cn), "ca-%02x%02x%02x%02x", number[0], number[1], number[2], number[3]);
	party_init(&ca, cn, rng);
	party_init(&server, "server", rng);
	party_init(&client, "client", rng);
	put_party(dir, "ca", &ca, &ca, NULL);
	put_party(dir, "server", &server, &ca, &hub);
	put_party(dir, "client", &client, &ca, &device);
}

/* --- the link ----------------------------------------------------------------------------------
 */

static void load(struct hf_buf *out, const char *dir, const char *name, const char *label)
{
	char path[PATH_LEN];
	struct hf_buf text;
	uint8_t der[HF_CERT_DER_MAX];
	size_t len = 0;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	hf_buf_init(&text, hf_os_mem(), FILE_LEN);
	hf_buf_init(out, hf_os_mem(), FILE_LEN);
	need(path, hf_file_load(&text, path, NULL));
	need(path,
		hf_pem_parse(der, sizeof(der), &len, label, (struct hf_bytes){ text.p, text.len }));
	need(path, hf_buf_put(out, der, len));
	hf_buf_clear(&text);
}

/* Servers of one folder have one secret: its key's file gives that. */
static void configure_resume(struct peer *p, const char *dir)
{
	uint8_t secret[HF_TLS_TICKET_SECRET_LEN];
	struct hf_buf b;

	hf_sm3(secret, p->files[2].p, p->files[2].len);
	hf_tls_tickets_init(&p->tickets, secret, HF_L1);
	p->cfg.tickets = p->is_client ? NULL : &p->tickets;
	p->cfg.keep_session = p->is_client;
	if (!p->is_client)
		return;
	(void)snprintf(p->session_path, sizeof(p->session_path), "%s/session", dir);
	hf_buf_init(&b, hf_os_mem(), HF_TLS_SESSION_EMIT_MAX);
	if (hf_file_load(&b, p->session_path, NULL) == HF_OK)
		need("session", hf_tls_session_parse(&p->session, hf_os_mem(), b.p, b.len));
	hf_buf_clear(&b);
}

/* Client: the newest ticket goes into the file. */
static void keep_session(struct peer *p)
{
	struct hf_tls_session *s = hf_tls_session_take(&p->t);
	struct hf_buf b;

	if (s == NULL)
		return;
	hf_buf_init(&b, hf_os_mem(), HF_TLS_SESSION_EMIT_MAX);
	need("session", hf_tls_session_emit(&b, s));
	need("session", hf_file_replace(p->session_path, 0600, b.p, b.len, NULL));
	hf_buf_clear(&b);
	hf_tls_session_free(s);
	p->has_kept = true;
}

static void configure(struct peer *p, const char *dir)
{
	struct hf_tls_config *c = &p->cfg;

	load(&p->files[0], dir, "ca.pem", "CERTIFICATE");
	load(&p->files[1], dir, p->is_client ? "client.pem" : "server.pem", "CERTIFICATE");
	load(&p->files[2], dir, p->is_client ? "client.key" : "server.key", "PRIVATE KEY");
	need("ca", hf_cert_parse(&p->ca, p->files[0].p, p->files[0].len, NULL));
	need("key", hf_pkcs8_parse(&p->key, p->files[2].p, p->files[2].len, NULL));
	p->chain[0] = (struct hf_bytes){ p->files[1].p, p->files[1].len };
	p->chain[1] = (struct hf_bytes){ p->files[0].p, p->files[0].len };
	p->local = (struct hf_local_key){ &p->key, &p->rng };
	p->signer = hf_signer_local(&p->local);

	hf_tls_config_init(c, p->is_client ? HF_TLS_CLIENT : HF_TLS_SERVER, HF_L1);
	c->mem = hf_os_mem();
	c->rng = &p->rng;
	c->roots = &p->ca;
	c->n_roots = 1;
	c->alpn = alpn;
	c->n_alpn = HF_COUNT(alpn);
	c->middlebox = p->o.middlebox;
	c->defer_share = p->o.defer_share;
	c->retry_cookie = p->o.cookie;
	c->pad_to = (uint16_t)p->o.pad_to;
	c->ask_client_cert = !p->is_client;
	c->require_client_cert = !p->is_client && !p->o.ask_client;
	c->suites = p->o.ccm ? HF_TLS_SUITE_CCM : HF_TLS_SUITE_GCM;
	if (p->o.both)
		c->suites = HF_TLS_SUITES;
	c->record_limit = (uint16_t)p->o.limit;
	if (p->o.resume)
		configure_resume(p, dir);
	if (!p->is_client || !p->o.anonymous) {
		c->chain = p->chain;
		c->n_chain = 2;
		c->signer = &p->signer;
	}
}

/* The i-th byte of the pattern. */
static uint8_t pattern(size_t i)
{
	return (uint8_t)(i * 131 + (i >> 8));
}

static hf_err count_updates(struct peer *p, size_t n)
{
	p->n_since += n;
	if (p->o.update == 0 || p->n_since < p->o.update)
		return HF_OK;
	p->n_since = 0;
	p->n_updates++;
	return hf_tls_key_update(&p->t, true);
}

/* Writes what there is to say: the pattern, or what came in. */
static hf_err say(struct peer *p)
{
	uint8_t piece[PIECE];
	const uint8_t *in = piece;
	size_t len = p->o.n_bytes - p->n_sent;
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
	return used == 0 ? HF_OK : count_updates(p, used);
}

/* Client: takes the echo. */
static void hear(struct peer *p)
{
	const uint8_t *in;
	size_t len = hf_tls_plain(&p->t, &in);

	for (size_t i = 0; i < len; i++)
		p->has_wrong_data |= in[i] != pattern(p->n_got + i);
	p->n_got += len;
	hf_tls_took(&p->t, len);
}

/* What the application does when the link is open. HF_ERR_CLOSED: all is done. */
static hf_err act(struct peer *p)
{
	uint8_t none[1];
	size_t len = 0;
	hf_err e;

	HF_TRY(hf_tls_export(&p->t, p->exported, sizeof(p->exported), "EXPORTER-test", "ctx", 3));
	if (p->is_client)
		hear(p);
	if (p->session_path[0] != '\0')
		keep_session(p);
	e = say(p);
	if (e != HF_OK)
		return e;
	if (p->is_client && p->n_got == p->o.n_bytes)
		need("close", hf_tls_close(&p->t));
	if (hf_tls_plain(&p->t, &(const uint8_t *){ NULL }) > 0)
		return HF_OK;
	e = hf_tls_read(&p->t, &len, none, sizeof(none));
	if (e == HF_ERR_CLOSED)
		need("close", hf_tls_close(&p->t));
	return e == HF_ERR_AGAIN ? HF_OK : e;
}

/* Sends what waits. */
static void flush(struct peer *p)
{
	const uint8_t *out;
	size_t len = hf_tls_out(&p->t, &out);
	ssize_t n;

	if (len == 0)
		return;
	n = send(p->fd, out, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0)
		hf_tls_sent(&p->t, (size_t)n);
	else if (errno != EAGAIN)
		hf_tls_sent(&p->t, len); /* nobody is there to read it */
}

/* There is something to say that needs no further byte from the other side. */
static bool has_more(const struct peer *p)
{
	const uint8_t *bytes;

	if (!hf_tls_is_open(&p->t) || hf_tls_out(&p->t, &bytes) > 0)
		return false;
	return p->is_client ? p->n_sent < p->o.n_bytes : hf_tls_plain(&p->t, &bytes) > 0;
}

/* Bytes that were read from the socket and that the engine has not taken yet. */
struct inbox {
	uint8_t b[PIECE];
	size_t at;
	size_t len;
	bool is_eof;
};

static hf_err feed(struct peer *p, struct inbox *in)
{
	while (in->at < in->len) {
		size_t n = in->len - in->at;
		size_t used = 0;
		hf_err e;

		if (p->o.step > 0 && n > p->o.step)
			n = p->o.step;
		e = hf_tls_feed(&p->t, &used, in->b + in->at, n, hf_clock_mono_ms());
		in->at += used;
		if (e != HF_OK)
			return e;
		if (used == 0)
			return HF_OK;
	}
	return in->is_eof ? hf_tls_eof(&p->t) : HF_OK;
}

/* Waits for the socket and reads from it, if the engine has taken what was read before. */
static hf_err wait_and_read(struct peer *p, struct inbox *in)
{
	const uint8_t *out;
	bool can_read = in->at == in->len && !in->is_eof;
	bool can_write = hf_tls_out(&p->t, &out) > 0;
	struct pollfd f = { .fd = p->fd,
		.events = (short)((can_read ? POLLIN : 0) | (can_write ? POLLOUT : 0)) };
	ssize_t n;

	if (f.events == 0)
		return HF_OK;
	n = poll(&f, 1, has_more(p) ? 0 : WAIT_MS);
	if (n == 0 && !has_more(p))
		return HF_ERR_TIMEOUT;
	if (!can_read || (f.revents & (POLLIN | POLLHUP | POLLERR)) == 0)
		return HF_OK;
	n = recv(p->fd, in->b, sizeof(in->b), MSG_DONTWAIT);
	in->at = 0;
	in->len = n > 0 ? (size_t)n : 0;
	in->is_eof = n == 0 || (n < 0 && errno != EAGAIN);
	return HF_OK;
}

static hf_err run(struct peer *p)
{
	static struct inbox in;
	hf_err e = HF_OK;

	while (e == HF_OK) {
		flush(p);
		e = wait_and_read(p, &in);
		if (e == HF_OK)
			e = feed(p, &in);
		if (e == HF_OK && hf_tls_is_open(&p->t))
			e = act(p);
	}
	for (int i = 0; i < 100 && hf_tls_out(&p->t, &(const uint8_t *){ NULL }) > 0; i++) {
		flush(p);
		(void)poll(&(struct pollfd){ .fd = p->fd, .events = POLLOUT }, 1, 100);
	}
	return e;
}

static void print_report(struct peer *p, hf_err e)
{
	const struct hf_cert *cert = hf_tls_peer(&p->t);
	const char *name = hf_tls_server_name(&p->t);
	char hex[2 * sizeof(p->exported) + 1];

	hf_hex_emit(hex, p->exported, sizeof(p->exported));
	printf("{\"open\": %s, \"end\": \"%s\", \"why\": \"%s\", \"alpn\": \"%s\", \"peer\": "
	       "\"%s\", "
	       "\"server_name\": \"%s\", \"exported\": \"%s\", \"alert_sent\": %u, \"alert_got\": "
	       "%u, \"resumed\": %s, \"kept\": %s, "
	       "\"sent\": %zu, \"got\": %zu, \"updates\": %u, \"wrong_data\": %s}\n",
		hf_tls_is_open(&p->t) ? "true" : "false", hf_err_name(e), hf_tls_why(&p->t)->text,
		hf_tls_alpn(&p->t) == NULL ? "" : hf_tls_alpn(&p->t),
		cert == NULL || !cert->has_identity ? "" : cert->identity.id,
		name == NULL ? "" : name, hex, hf_tls_alert_sent(&p->t), hf_tls_alert_got(&p->t),
		hf_tls_is_resumed(&p->t) ? "true" : "false", p->has_kept ? "true" : "false",
		p->n_sent, p->n_got, p->n_updates, p->has_wrong_data ? "true" : "false");
	(void)fflush(stdout);
}

static void parse_options(struct options *o, int argc, char **argv)
{
	static const struct {
		const char *name;
		size_t at;
		bool has_value;
	} names[] = {
		{ "--step", offsetof(struct options, step), true },
		{ "--bytes", offsetof(struct options, n_bytes), true },
		{ "--update", offsetof(struct options, update), true },
		{ "--pad", offsetof(struct options, pad_to), true },
		{ "--middlebox", offsetof(struct options, middlebox), false },
		{ "--defer-share", offsetof(struct options, defer_share), false },
		{ "--cookie", offsetof(struct options, cookie), false },
		{ "--anonymous", offsetof(struct options, anonymous), false },
		{ "--ask-client", offsetof(struct options, ask_client), false },
		{ "--ccm", offsetof(struct options, ccm), false },
		{ "--both", offsetof(struct options, both), false },
		{ "--resume", offsetof(struct options, resume), false },
		{ "--limit", offsetof(struct options, limit), true },
	};

	for (int i = 0; i < argc; i++) {
		size_t k = 0;

		while (k < HF_COUNT(names) && strcmp(names[k].name, argv[i]) != 0)
			k++;
		if (k == HF_COUNT(names) || (names[k].has_value && i + 1 == argc))
			die(argv[i], HF_ERR_ARG);
		if (names[k].has_value)
			*(size_t *)((char *)o + names[k].at) = strtoul(argv[++i], NULL, 10);
		else
			*(bool *)((char *)o + names[k].at) = true;
	}
}

int main(int argc, char **argv)
{
	static struct peer p = { .o = { .n_bytes = 1000 } };
	struct hf_tls_start start = { .now_s = hf_clock_wall_s(), .now_ms = hf_clock_mono_ms() };
	struct hf_rng os = hf_os_rng();
	hf_err e;

	if (argc < 3)
		die("usage: tls_peer certs DIR | client|server FD DIR [OPTION]", HF_ERR_ARG);
	need("module", hf_module_start(hf_os_cpu()));
	need("generator", hf_drbg_init(&p.drbg, &os, NULL, NULL, NULL, 0));
	p.rng = hf_drbg_rng(&p.drbg);
	if (strcmp(argv[1], "certs") == 0) {
		make_certs(argv[2], &p.rng);
		return 0;
	}
	if (argc < 4)
		die("no DIR", HF_ERR_ARG);
	p.is_client = strcmp(argv[1], "client") == 0;
	p.fd = (int)strtol(argv[2], NULL, 10);
	parse_options(&p.o, argc - 4, argv + 4);
	configure(&p, argv[3]);
	start.server_name = p.is_client ? "server.example" : NULL;
	start.session = p.session;
	e = hf_tls_init(&p.t, &p.cfg, &start);
	if (e == HF_OK)
		e = run(&p);
	print_report(&p, e);
	hf_tls_clear(&p.t);
	hf_tls_session_free(p.session);
	hf_tls_tickets_clear(&p.tickets);
	hf_sm2_key_clear(&p.key);
	hf_drbg_clear(&p.drbg);
	for (size_t i = 0; i < HF_COUNT(p.files); i++)
		hf_buf_clear(&p.files[i]);
	return e == HF_ERR_CLOSED && !p.has_wrong_data ? 0 : 1;
}
