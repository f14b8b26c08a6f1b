/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One end of a link over a socket that it inherits: what the programs of these tests share. A
 * program says what its end does when the link is open (act), and whether it could go on without
 * another byte from the other side (has_more).
 *
 * DIR holds ca.pem, and of each role NAME.pem and NAME.key; for TLCP NAME_enc.pem and NAME_enc.key,
 * too.
 */
#ifndef HF_TEST_LINK_PEER_H
#define HF_TEST_LINK_PEER_H

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/attr.h"
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

#include "recut.h"

enum {
	PATH_LEN = 512,
	FILE_LEN = 16384,
	PIECE = 16384,   /* bytes of one read from the socket */
	WAIT_MS = 30000, /* without any byte from the other side */
	N_SESSIONS = 8,  /* that a server of TLCP keeps */
};

/* Keys and certificates for encryption, and who remembers sessions. */
struct peer_tlcp {
	struct hf_tlcp_config cfg;
	struct hf_buf files[2]; /* certificate and key as DER */
	struct hf_sm2_key key;
	struct hf_local_key local;
	struct hf_tlcp_enc_key enc;
	struct hf_tlcp_store *store;
	struct hf_tlcp_cache cache;
};

/* Bytes that were read from the socket and that the engine has not taken yet. */
struct peer_inbox {
	uint8_t b[PIECE];
	size_t at;
	size_t len;
	bool is_eof;
};

struct peer {
	/* Options. */
	size_t step; /* bytes of one feed; 0: as they come */
	const char *suite;
	bool tlcp;
	bool tlcp_sign_only; /* client: no certificate for encryption */
	bool anonymous;      /* client: no certificate */
	bool joins;          /* our messages of the handshake: recut.h */
	size_t piece;

	int fd;
	bool is_client;
	struct hf_drbg drbg;
	struct hf_rng rng;
	struct hf_buf files[3]; /* ca, certificate, key as DER */
	struct hf_cert ca;
	struct hf_bytes chain[2]; /* ours, and the CA's */
	struct hf_sm2_key key;
	struct hf_local_key local;
	struct hf_signer signer;
	struct hf_tls_tickets tickets;
	struct peer_tlcp two;
	struct hf_tls_config cfg;
	struct hf_tls t;
	struct peer_inbox in;
	size_t n_sent; /* plaintext */
	size_t n_got;
};

static const char *peer_program = "";

static inline void die(const char *what, hf_err e)
{
	fprintf(stderr, "%s: %s: %s\n", peer_program, what, hf_err_text(e));
	exit(2);
}

static inline void need(const char *what, hf_err e)
{
	if (e != HF_OK)
		die(what, e);
}

/* --- configuration -----------------------------------------------------------------------------
 */

static inline void peer_load(
	struct hf_buf *out, const char *dir, const char *name, const char *label)
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

static inline void peer_load_key(
	struct hf_sm2_key *key, struct hf_buf *file, const char *dir, const char *name)
{
	peer_load(file, dir, name, "PRIVATE KEY");
	need(name, hf_pkcs8_parse(key, file->p, file->len, NULL));
}

/* A set of one, of the suites with these names from bit 0 on. */
static inline unsigned peer_suite(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(names[i], name) == 0)
			return 1u << i;
	}
	die(name, HF_ERR_ARG);
	return 0;
}

static inline void peer_configure_tlcp(struct peer *p, const char *dir)
{
	static const char *const suites[] = { /* in the order of HF_TLCP_* */
		"ECDHE_SM4_GCM_SM3", "ECC_SM4_GCM_SM3", "ECDHE_SM4_CBC_SM3", "ECC_SM4_CBC_SM3"
	};
	struct peer_tlcp *l = &p->two;
	struct hf_tlcp_config *c = &l->cfg;

	p->cfg.protocols = HF_TLS_TLCP;
	p->cfg.tlcp = c;
	c->suites = peer_suite(suites, HF_COUNT(suites), p->suite);
	c->allow_cbc = true;
	if (!p->is_client) {
		l->store = hf_tlcp_store_new(hf_os_mem(), N_SESSIONS);
		l->cache = hf_tlcp_store_cache(l->store);
		c->cache = &l->cache;
	} else if (p->anonymous || p->tlcp_sign_only) {
		return;
	}
	peer_load(&l->files[0], dir, p->is_client ? "client_enc.pem" : "server_enc.pem",
		"CERTIFICATE");
	peer_load_key(
		&l->key, &l->files[1], dir, p->is_client ? "client_enc.key" : "server_enc.key");
	l->local = (struct hf_local_key){ &l->key, &p->rng };
	l->enc = hf_tlcp_enc_key_local(&l->local);
	c->enc_cert = (struct hf_bytes){ l->files[0].p, l->files[0].len };
	c->enc_key = &l->enc;
}

/* Everything but what is special to a program. n_chain: certificates that we show. */
static inline void peer_configure(struct peer *p, const char *dir, size_t n_chain)
{
	static const char *const suites[] = { /* in the order of HF_TLS_SUITE_* */
		"TLS_SM4_GCM_SM3", "TLS_SM4_CCM_SM3"
	};
	struct hf_tls_config *c = &p->cfg;

	peer_load(&p->files[0], dir, "ca.pem", "CERTIFICATE");
	peer_load(&p->files[1], dir, p->is_client ? "client.pem" : "server.pem", "CERTIFICATE");
	peer_load_key(&p->key, &p->files[2], dir, p->is_client ? "client.key" : "server.key");
	need("ca", hf_cert_parse(&p->ca, p->files[0].p, p->files[0].len, NULL));
	p->chain[0] = (struct hf_bytes){ p->files[1].p, p->files[1].len };
	p->chain[1] = (struct hf_bytes){ p->files[0].p, p->files[0].len };
	p->local = (struct hf_local_key){ &p->key, &p->rng };
	p->signer = hf_signer_local(&p->local);

	hf_tls_config_init(c, p->is_client ? HF_TLS_CLIENT : HF_TLS_SERVER, HF_L1);
	c->mem = hf_os_mem();
	c->rng = &p->rng;
	c->roots = &p->ca;
	c->n_roots = 1;
	if (!p->is_client || !p->anonymous) {
		c->chain = p->chain;
		c->n_chain = n_chain;
		c->signer = &p->signer;
	}
	if (p->tlcp)
		peer_configure_tlcp(p, dir);
	else
		c->suites = peer_suite(suites, HF_COUNT(suites), p->suite);
}

/* --- the link ----------------------------------------------------------------------------------
 */

/* Sends what waits. */
static inline void peer_flush(struct peer *p)
{
	const uint8_t *out;
	size_t len;
	ssize_t n;

	need("records", recut_flush(&p->t));
	len = hf_tls_out(&p->t, &out);
	if (len == 0)
		return;
	n = send(p->fd, out, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0)
		hf_tls_sent(&p->t, (size_t)n);
	else if (errno != EAGAIN)
		hf_tls_sent(&p->t, len); /* nobody is there to read it */
}

static inline hf_err peer_feed(struct peer *p)
{
	struct peer_inbox *in = &p->in;

	while (in->at < in->len) {
		size_t n = in->len - in->at;
		size_t used = 0;
		hf_err e;

		recut_begin(&p->t);
		if (p->step > 0 && n > p->step)
			n = p->step;
		if (recut.real == NULL && n > HF_TLS_HEAD_LEN && !p->t.seen_record)
			n = HF_TLS_HEAD_LEN;
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
static inline hf_err peer_read(struct peer *p, bool has_more)
{
	struct peer_inbox *in = &p->in;
	const uint8_t *out;
	bool can_read = in->at == in->len && !in->is_eof;
	bool can_write = hf_tls_out(&p->t, &out) > 0;
	struct pollfd f = { .fd = p->fd,
		.events = (short)((can_read ? POLLIN : 0) | (can_write ? POLLOUT : 0)) };
	ssize_t n;

	if (f.events == 0)
		return HF_OK;
	n = poll(&f, 1, has_more ? 0 : WAIT_MS);
	if (n == 0 && !has_more)
		return HF_ERR_TIMEOUT;
	if (!can_read || (f.revents & (POLLIN | POLLHUP | POLLERR)) == 0)
		return HF_OK;
	n = recv(p->fd, in->b, sizeof(in->b), MSG_DONTWAIT);
	in->at = 0;
	in->len = n > 0 ? (size_t)n : 0;
	in->is_eof = n == 0 || (n < 0 && errno != EAGAIN);
	return HF_OK;
}

/* One link from start to end. ctx: of act and has_more. */
static inline hf_err peer_run(struct peer *p, const struct hf_tls_start *start, void *ctx,
	hf_err (*act)(void *ctx), bool (*has_more)(const void *ctx))
{
	const uint8_t *out;
	hf_err e = hf_tls_init(&p->t, &p->cfg, start);

	recut = (struct recut){ .joins = p->joins, .piece = p->piece };
	p->in = (struct peer_inbox){ 0 };
	p->n_sent = p->n_got = 0;
	if (e == HF_OK && p->is_client)
		e = recut_hello(&p->t);
	while (e == HF_OK) {
		peer_flush(p);
		e = peer_read(
			p, hf_tls_is_open(&p->t) && hf_tls_out(&p->t, &out) == 0 && has_more(ctx));
		if (e == HF_OK)
			e = peer_feed(p);
		if (e == HF_OK && hf_tls_is_open(&p->t))
			e = act(ctx);
	}
	for (int i = 0; i < 100; i++) {
		peer_flush(p);
		if (hf_tls_out(&p->t, &out) == 0)
			break;
		(void)poll(&(struct pollfd){ .fd = p->fd, .events = POLLOUT }, 1, 100);
	}
	return e;
}

/* --- options, start and end --------------------------------------------------------------------
 */

enum peer_kind { PEER_FLAG, PEER_NUMBER, PEER_WORD };

struct peer_option {
	const char *name;
	size_t at; /* of a bool, a size_t, a const char * */
	enum peer_kind kind;
};

/* Options that every program has, whose end begins with a struct peer. */
static const struct peer_option peer_options[] = {
	{ "--step", offsetof(struct peer, step), PEER_NUMBER },
	{ "--suite", offsetof(struct peer, suite), PEER_WORD },
	{ "--tlcp", offsetof(struct peer, tlcp), PEER_FLAG },
	{ "--tlcp-cv-raw", offsetof(struct peer, two.cfg.cv_raw), PEER_FLAG },
	{ "--tlcp-cke-prefix", offsetof(struct peer, two.cfg.cke_prefix), PEER_FLAG },
	{ "--tlcp-sign-only", offsetof(struct peer, tlcp_sign_only), PEER_FLAG },
	{ "--anonymous", offsetof(struct peer, anonymous), PEER_FLAG },
	{ "--join", offsetof(struct peer, joins), PEER_FLAG },
	{ "--cut", offsetof(struct peer, piece), PEER_NUMBER },
};

static inline const struct peer_option *peer_find(
	const struct peer_option *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(names[i].name, name) == 0)
			return &names[i];
	}
	return NULL;
}

static inline void peer_parse(
	void *end, const struct peer_option *own, size_t n_own, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		const struct peer_option *o = peer_find(own, n_own, argv[i]);
		char *at = end;

		if (o == NULL)
			o = peer_find(peer_options, HF_COUNT(peer_options), argv[i]);
		if (o == NULL || (o->kind != PEER_FLAG && i + 1 == argc))
			die(argv[i], HF_ERR_ARG);
		else if (o->kind == PEER_NUMBER)
			*(size_t *)(void *)(at + o->at) = strtoul(argv[++i], NULL, 10);
		else if (o->kind == PEER_WORD)
			*(const char **)(void *)(at + o->at) = argv[++i];
		else
			*(bool *)(at + o->at) = true;
	}
}

static inline void peer_start(struct peer *p, const char *program)
{
	struct hf_rng os = hf_os_rng();

	peer_program = program;
	need("module", hf_module_start(hf_os_cpu()));
	need("generator", hf_drbg_init(&p->drbg, &os, NULL, NULL, NULL, 0));
	p->rng = hf_drbg_rng(&p->drbg);
	p->suite = "TLS_SM4_GCM_SM3";
}

static inline void peer_clear(struct peer *p)
{
	hf_tls_tickets_clear(&p->tickets);
	hf_tlcp_store_free(p->two.store);
	hf_sm2_key_clear(&p->two.key);
	hf_sm2_key_clear(&p->key);
	hf_drbg_clear(&p->drbg);
	for (size_t i = 0; i < HF_COUNT(p->files); i++)
		hf_buf_clear(&p->files[i]);
	for (size_t i = 0; i < HF_COUNT(p->two.files); i++)
		hf_buf_clear(&p->two.files[i]);
}

/* --- what is told ------------------------------------------------------------------------------
 */

static inline void tell_text(const char *name, const char *value)
{
	printf("\"%s\": \"%s\", ", name, value == NULL ? "" : value);
}

static inline void tell_bool(const char *name, bool value)
{
	printf("\"%s\": %s, ", name, value ? "true" : "false");
}

static inline void tell_number(const char *name, size_t value)
{
	printf("\"%s\": %zu, ", name, value);
}

/* The words of a report that every program says; its own follow. */
static inline void peer_tell(const struct peer *p, hf_err e)
{
	bool is_open = hf_tls_is_open(&p->t);

	tell_bool("open", is_open);
	tell_text("suite", !is_open ? "" : p->tlcp ? hf_tlcp_suite_name(&p->t) : p->suite);
	tell_bool("resumed", p->tlcp ? hf_tlcp_is_resumed(&p->t) : hf_tls_is_resumed(&p->t));
	tell_text("end", hf_err_name(e));
	tell_text("why", hf_tls_why(&p->t)->text);
	tell_number("alert_sent", hf_tls_alert_sent(&p->t));
	tell_number("alert_got", hf_tls_alert_got(&p->t));
	tell_number("sent", p->n_sent);
	tell_number("got", p->n_got);
	tell_number("joined", recut.n_joined);
	tell_number("pieces", recut.n_pieces);
}

#endif
