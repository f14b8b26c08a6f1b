/* SPDX-License-Identifier: Apache-2.0 */
/* layer: net */
/*
 * Our end of the links of interop.py, over sockets that it inherits:
 *
 *	interop_peer client|server FD[,FD] DIR [OPTION]
 *
 * It says --bytes of text, hears --hear bytes of whatever the other side says, and closes. For each
 * FD, one link after the other, it prints a line of JSON about how it went; a later link resumes
 *the session of the one before. Exit code 0: all were open and closed in order.
 *
 * DIR holds ca.pem, and of each role NAME.pem and NAME.key; for TLCP NAME_enc.pem and NAME_enc.key,
 * too.
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
#include "tls/tickets.h"
#include "tls/tlcp.h"
#include "tls/tls.h"

enum {
	PATH_LEN = 512,
	FILE_LEN = 16384,
	PIECE = 16384,    /* bytes of one read from the socket */
	WAIT_MS = 30000,  /* without any byte from the other side */
	TEXT_LINE = 64,   /* bytes of a line of text */
	HEARD_MAX = 1024, /* bytes of the other side's words that are told */
	N_SESSIONS = 8,   /* that a server of TLCP keeps */
};

struct options {
	size_t step;    /* bytes of one feed; 0: as they come */
	size_t n_bytes; /* that we say */
	size_t hear;    /* that the other side says */
	const char *suite;
	bool tlcp;
	bool defer_share;
	bool new_keys;   /* before the first word, and the other side shall change its own */
	bool anonymous;  /* client: no certificate */
	bool ask_nobody; /* server: asks for no certificate */
	bool tlcp_cv_raw;
	bool tlcp_cke_prefix;
	bool tlcp_sign_only; /* client: no certificate for encryption */
};

/* Keys and certificates for encryption, and who remembers sessions. */
struct tlcp {
	struct hf_tlcp_config cfg;
	struct hf_buf files[2]; /* certificate and key as DER */
	struct hf_sm2_key key;
	struct hf_local_key local;
	struct hf_tlcp_enc_key enc;
	struct hf_tlcp_store *store;
	struct hf_tlcp_cache cache;
	struct hf_tlcp_session session;
};

struct peer {
	struct options o;
	int fd;
	bool is_client;
	struct hf_drbg drbg;
	struct hf_rng rng;
	struct hf_buf files[3]; /* ca, certificate, key as DER */
	struct hf_cert ca;
	struct hf_bytes chain[1];
	struct hf_sm2_key key;
	struct hf_local_key local;
	struct hf_signer signer;
	struct hf_tls_tickets tickets;
	struct hf_tls_session *session;
	struct tlcp tlcp;
	struct hf_tls_config cfg;
	struct hf_tls t;
	size_t n_sent; /* plaintext */
	size_t n_got;
	bool has_new_keys;
	uint8_t heard[HEARD_MAX];
};

static void die(const char *what, hf_err e)
{
	fprintf(stderr, "interop_peer: %s: %s\n", what, hf_err_text(e));
	exit(2);
}

static void need(const char *what, hf_err e)
{
	if (e != HF_OK)
		die(what, e);
}

/* --- configuration -----------------------------------------------------------------------------
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

static void load_key(struct hf_sm2_key *key, struct hf_buf *file, const char *dir, const char *name)
{
	load(file, dir, name, "PRIVATE KEY");
	need(name, hf_pkcs8_parse(key, file->p, file->len, NULL));
}

/* A set of one, of the suites with these names from bit 0 on. */
static unsigned suite_set(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(names[i], name) == 0)
			return 1u << i;
	}
	die(name, HF_ERR_ARG);
	return 0;
}

static void configure_tlcp(struct peer *p, const char *dir)
{
	static const char *const suites[] = { /* in the order of HF_TLCP_* */
		"ECDHE_SM4_GCM_SM3", "ECC_SM4_GCM_SM3", "ECDHE_SM4_CBC_SM3", "ECC_SM4_CBC_SM3"
	};
	struct tlcp *l = &p->tlcp;
	struct hf_tlcp_config *c = &l->cfg;

	p->cfg.protocols = HF_TLS_TLCP;
	p->cfg.tlcp = c;
	c->suites = suite_set(suites, HF_COUNT(suites), p->o.suite);
	c->allow_cbc = true;
	c->cv_raw = p->o.tlcp_cv_raw;
	c->cke_prefix = p->o.tlcp_cke_prefix;
	if (!p->is_client) {
		l->store = hf_tlcp_store_new(hf_os_mem(), N_SESSIONS);
		l->cache = hf_tlcp_store_cache(l->store);
		c->cache = &l->cache;
	} else if (p->o.anonymous || p->o.tlcp_sign_only) {
		return;
	}
	load(&l->files[0], dir, p->is_client ? "client_enc.pem" : "server_enc.pem", "CERTIFICATE");
	load_key(&l->key, &l->files[1], dir, p->is_client ? "client_enc.key" : "server_enc.key");
	l->local = (struct hf_local_key){ &l->key, &p->rng };
	l->enc = hf_tlcp_enc_key_local(&l->local);
	c->enc_cert = (struct hf_bytes){ l->files[0].p, l->files[0].len };
	c->enc_key = &l->enc;
}

static void configure_13(struct peer *p)
{
	static const char *const suites[] = { /* in the order of HF_TLS_SUITE_* */
		"TLS_SM4_GCM_SM3", "TLS_SM4_CCM_SM3"
	};
	struct hf_tls_config *c = &p->cfg;
	uint8_t secret[HF_TLS_TICKET_SECRET_LEN];

	c->suites = suite_set(suites, HF_COUNT(suites), p->o.suite);
	c->defer_share = p->o.defer_share;
	c->keep_session = p->is_client;
	if (p->is_client)
		return;
	need("tickets", hf_rng_fill(&p->rng, secret, sizeof(secret)));
	hf_tls_tickets_init(&p->tickets, secret, HF_L1);
	c->tickets = &p->tickets;
	c->n_tickets = 1;
}

static void configure(struct peer *p, const char *dir)
{
	struct hf_tls_config *c = &p->cfg;

	load(&p->files[0], dir, "ca.pem", "CERTIFICATE");
	load(&p->files[1], dir, p->is_client ? "client.pem" : "server.pem", "CERTIFICATE");
	load_key(&p->key, &p->files[2], dir, p->is_client ? "client.key" : "server.key");
	need("ca", hf_cert_parse(&p->ca, p->files[0].p, p->files[0].len, NULL));
	p->chain[0] = (struct hf_bytes){ p->files[1].p, p->files[1].len };
	p->local = (struct hf_local_key){ &p->key, &p->rng };
	p->signer = hf_signer_local(&p->local);

	hf_tls_config_init(c, p->is_client ? HF_TLS_CLIENT : HF_TLS_SERVER, HF_L1);
	c->mem = hf_os_mem();
	c->rng = &p->rng;
	c->roots = &p->ca;
	c->n_roots = 1;
	c->ask_client_cert = !p->is_client && !p->o.ask_nobody;
	c->require_client_cert = c->ask_client_cert;
	if (!p->is_client || !p->o.anonymous) {
		c->chain = p->chain;
		c->n_chain = 1;
		c->signer = &p->signer;
	}
	if (p->o.tlcp)
		configure_tlcp(p, dir);
	else
		configure_13(p);
}

/* --- the link ----------------------------------------------------------------------------------
 */

/* The i-th byte of what we say: lines that no tool takes for a command. */
static uint8_t text(size_t i)
{
	if (i % TEXT_LINE == TEXT_LINE - 1)
		return '\n';
	return (uint8_t)(i % TEXT_LINE == 0 ? 'x' : 'a' + (i * 7 + i / TEXT_LINE) % 26);
}

static hf_err say(struct peer *p)
{
	uint8_t piece[PIECE];
	size_t len = p->o.n_bytes - p->n_sent;
	size_t used = 0;

	if (p->o.new_keys && !p->has_new_keys) {
		p->has_new_keys = true;
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

static void hear(struct peer *p)
{
	const uint8_t *in;
	size_t len = hf_tls_plain(&p->t, &in);

	for (size_t i = 0; i < len && p->n_got + i < HEARD_MAX; i++)
		p->heard[p->n_got + i] = in[i];
	p->n_got += len;
	hf_tls_took(&p->t, len);
}

/* What is done when the link is open. HF_ERR_CLOSED: all is done. */
static hf_err act(struct peer *p)
{
	uint8_t none[1];
	size_t len = 0;
	hf_err e;

	hear(p);
	HF_TRY(say(p));
	if (p->n_sent == p->o.n_bytes && p->n_got >= p->o.hear)
		need("close", hf_tls_close(&p->t));
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

	return hf_tls_is_open(&p->t) && hf_tls_out(&p->t, &bytes) == 0 && p->n_sent < p->o.n_bytes;
}

static hf_err feed(struct peer *p, const uint8_t *in, size_t len)
{
	const uint8_t *plain;

	for (size_t at = 0; at < len;) {
		size_t n = p->o.step > 0 && len - at > p->o.step ? p->o.step : len - at;
		size_t used = 0;

		HF_TRY(hf_tls_feed(&p->t, &used, in + at, n, hf_clock_mono_ms()));
		at += used;
		if (used == 0 && hf_tls_plain(&p->t, &plain) == 0)
			return HF_ERR_STATE; /* it waits for something that nobody will do */
		hear(p);
	}
	return HF_OK;
}

/* Waits until something can be done, and takes what came. */
static hf_err wait_and_feed(struct peer *p)
{
	const uint8_t *out;
	uint8_t in[PIECE];
	bool can_write = hf_tls_out(&p->t, &out) > 0;
	struct pollfd f = { .fd = p->fd, .events = (short)(POLLIN | (can_write ? POLLOUT : 0)) };
	ssize_t n;

	if (poll(&f, 1, has_more(p) ? 0 : WAIT_MS) == 0)
		return has_more(p) ? HF_OK : HF_ERR_TIMEOUT;
	if ((f.revents & (POLLIN | POLLHUP | POLLERR)) == 0)
		return HF_OK;
	n = recv(p->fd, in, sizeof(in), MSG_DONTWAIT);
	if (n > 0)
		return feed(p, in, (size_t)n);
	return n < 0 && errno == EAGAIN ? HF_OK : hf_tls_eof(&p->t);
}

static hf_err run(struct peer *p)
{
	const uint8_t *out;
	hf_err e = HF_OK;

	while (e == HF_OK) {
		flush(p);
		e = wait_and_feed(p);
		if (e == HF_OK && hf_tls_is_open(&p->t))
			e = act(p);
	}
	for (int i = 0; i < 100 && hf_tls_out(&p->t, &out) > 0; i++) {
		flush(p);
		(void)poll(&(struct pollfd){ .fd = p->fd, .events = POLLOUT }, 1, 100);
	}
	return e;
}

/* --- what is told ------------------------------------------------------------------------------
 */

static void tell_text(const char *name, const char *value)
{
	printf("\"%s\": \"%s\", ", name, value == NULL ? "" : value);
}

static void tell_bool(const char *name, bool value)
{
	printf("\"%s\": %s, ", name, value ? "true" : "false");
}

static void tell_number(const char *name, size_t value)
{
	printf("\"%s\": %zu, ", name, value);
}

static void print_report(struct peer *p, hf_err e)
{
	char heard[2 * HEARD_MAX + 1];
	bool is_resumed = p->o.tlcp ? hf_tlcp_is_resumed(&p->t) : hf_tls_is_resumed(&p->t);
	const char *suite = p->o.tlcp ? hf_tlcp_suite_name(&p->t) : p->o.suite;

	hf_hex_emit(heard, p->heard, p->n_got < HEARD_MAX ? p->n_got : HEARD_MAX);
	printf("{");
	tell_text("suite", hf_tls_is_open(&p->t) ? suite : "");
	tell_bool("resumed", is_resumed);
	tell_bool("open", hf_tls_is_open(&p->t));
	tell_text("end", hf_err_name(e));
	tell_text("why", hf_tls_why(&p->t)->text);
	tell_bool("has_peer", hf_tls_peer(&p->t) != NULL);
	tell_number("alert_sent", hf_tls_alert_sent(&p->t));
	tell_number("alert_got", hf_tls_alert_got(&p->t));
	tell_number("sent", p->n_sent);
	tell_number("got", p->n_got);
	printf("\"heard\": \"%s\"}\n", heard);
	(void)fflush(stdout);
}

/* The session that the next link takes up. */
static void keep_session(struct peer *p)
{
	struct hf_tlcp_session *s = &p->tlcp.session;

	hf_tls_session_free(p->session);
	p->session = hf_tls_session_take(&p->t);
	hf_tlcp_session_clear(s);
	if (p->is_client && p->o.tlcp && hf_tlcp_session_get(&p->t, s) != HF_OK)
		hf_tlcp_session_clear(s);
}

static bool link_once(struct peer *p, int fd)
{
	struct hf_tls_start start = { .now_s = hf_clock_wall_s(),
		.now_ms = hf_clock_mono_ms(),
		.server_name = p->is_client ? "server.example" : NULL,
		.session = p->session,
		.tlcp_session = p->tlcp.session.id_len > 0 ? &p->tlcp.session : NULL };
	hf_err e;

	p->fd = fd;
	p->n_sent = 0;
	p->n_got = 0;
	p->has_new_keys = false;
	e = hf_tls_init(&p->t, &p->cfg, &start);
	if (e == HF_OK)
		e = run(p);
	print_report(p, e);
	keep_session(p);
	hf_tls_clear(&p->t);
	(void)shutdown(fd, SHUT_RDWR);
	return e == HF_ERR_CLOSED;
}

static void parse_options(struct options *o, int argc, char **argv)
{
	enum kind { FLAG, NUMBER, WORD };
	static const struct {
		const char *name;
		size_t at;
		enum kind kind;
	} names[] = {
		{ "--step", offsetof(struct options, step), NUMBER },
		{ "--bytes", offsetof(struct options, n_bytes), NUMBER },
		{ "--hear", offsetof(struct options, hear), NUMBER },
		{ "--new-keys", offsetof(struct options, new_keys), FLAG },
		{ "--suite", offsetof(struct options, suite), WORD },
		{ "--tlcp", offsetof(struct options, tlcp), FLAG },
		{ "--defer-share", offsetof(struct options, defer_share), FLAG },
		{ "--anonymous", offsetof(struct options, anonymous), FLAG },
		{ "--ask-nobody", offsetof(struct options, ask_nobody), FLAG },
		{ "--tlcp-cv-raw", offsetof(struct options, tlcp_cv_raw), FLAG },
		{ "--tlcp-cke-prefix", offsetof(struct options, tlcp_cke_prefix), FLAG },
		{ "--tlcp-sign-only", offsetof(struct options, tlcp_sign_only), FLAG },
	};

	for (int i = 0; i < argc; i++) {
		size_t k = 0;

		while (k < HF_COUNT(names) && strcmp(names[k].name, argv[i]) != 0)
			k++;
		if (k == HF_COUNT(names) || (names[k].kind != FLAG && i + 1 == argc))
			die(argv[i], HF_ERR_ARG);
		if (names[k].kind == NUMBER)
			*(size_t *)((char *)o + names[k].at) = strtoul(argv[++i], NULL, 10);
		else if (names[k].kind == WORD)
			*(const char **)((char *)o + names[k].at) = argv[++i];
		else
			*(bool *)((char *)o + names[k].at) = true;
	}
}

static void clear(struct peer *p)
{
	hf_tls_session_free(p->session);
	hf_tls_tickets_clear(&p->tickets);
	hf_tlcp_session_clear(&p->tlcp.session);
	hf_tlcp_store_free(p->tlcp.store);
	hf_sm2_key_clear(&p->tlcp.key);
	hf_sm2_key_clear(&p->key);
	hf_drbg_clear(&p->drbg);
	for (size_t i = 0; i < HF_COUNT(p->files); i++)
		hf_buf_clear(&p->files[i]);
	for (size_t i = 0; i < HF_COUNT(p->tlcp.files); i++)
		hf_buf_clear(&p->tlcp.files[i]);
}

int main(int argc, char **argv)
{
	static struct peer p = { .o = { .suite = "TLS_SM4_GCM_SM3" } };
	struct hf_rng os = hf_os_rng();
	bool is_good = true;

	if (argc < 4)
		die("usage: interop_peer client|server FD[,FD] DIR [OPTION]", HF_ERR_ARG);
	need("module", hf_module_start(hf_os_cpu()));
	need("generator", hf_drbg_init(&p.drbg, &os, NULL, NULL, NULL, 0));
	p.rng = hf_drbg_rng(&p.drbg);
	p.is_client = strcmp(argv[1], "client") == 0;
	parse_options(&p.o, argc - 4, argv + 4);
	configure(&p, argv[3]);
	for (char *at = argv[2]; *at != '\0'; at += *at == ',')
		is_good &= link_once(&p, (int)strtol(at, &at, 10));
	clear(&p);
	return is_good ? 0 : 1;
}
