/* SPDX-License-Identifier: Apache-2.0 */
/* Debian's openssl in bench_links.c: TLS 1.3 with AES-128-GCM, ECDSA and ECDH on P-256. */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "links.h"
#include "programs.h"

struct links_end {
	SSL *ssl;
	bool keeps; /* its session is for the next one */
	BIO *in;
	BIO *out;
};

static struct {
	EVP_PKEY *ca_key;
	X509 *ca;
	SSL_CTX *ctx[2];      /* client, server */
	SSL_SESSION *session; /* of the last link that kept one */
} theirs;

static X509 *issue(EVP_PKEY *key, const char *cn, bool is_ca)
{
	X509 *c = X509_new();
	X509_NAME *name = X509_NAME_new();
	X509_EXTENSION *ext;
	BASIC_CONSTRAINTS *basic = BASIC_CONSTRAINTS_new();

	bench_need(c != NULL && name != NULL && basic != NULL &&
			   X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
				   (const unsigned char *)cn, -1, -1, 0) == 1 &&
			   X509_set_version(c, 2) == 1 &&
			   ASN1_INTEGER_set(X509_get_serialNumber(c), is_ca ? 1 : 2) == 1 &&
			   X509_gmtime_adj(X509_getm_notBefore(c), -60) != NULL &&
			   X509_gmtime_adj(X509_getm_notAfter(c), 86400) != NULL &&
			   X509_set_subject_name(c, name) == 1 &&
			   X509_set_issuer_name(
				   c, is_ca ? name : X509_get_subject_name(theirs.ca)) == 1 &&
			   X509_set_pubkey(c, key) == 1,
		"a certificate of openssl");
	basic->ca = is_ca ? 0xff : 0;
	ext = X509V3_EXT_i2d(NID_basic_constraints, 1, basic);
	bench_need(ext != NULL && X509_add_ext(c, ext, -1) == 1 &&
			   X509_sign(c, theirs.ca_key, EVP_sha256()) > 0,
		"a certificate of openssl");
	X509_EXTENSION_free(ext);
	BASIC_CONSTRAINTS_free(basic);
	X509_NAME_free(name);
	return c;
}

static SSL_CTX *make_ctx(bool is_server)
{
	SSL_CTX *ctx = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = issue(key, is_server ? "server" : "client", false);

	bench_need(
		ctx != NULL && SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1 &&
			SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256") == 1 &&
			SSL_CTX_set1_groups_list(ctx, "P-256") == 1 &&
			SSL_CTX_use_certificate(ctx, cert) == 1 &&
			SSL_CTX_use_PrivateKey(ctx, key) == 1 &&
			X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), theirs.ca) == 1 &&
			SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"b", 1) == 1 &&
			SSL_CTX_set_num_tickets(ctx, 0) == 1,
		"a context of openssl");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	X509_free(cert);
	EVP_PKEY_free(key);
	return ctx;
}

static void start(void)
{
	theirs.ca_key = EVP_EC_gen("P-256");
	bench_need(theirs.ca_key != NULL, "a key of openssl");
	theirs.ca = issue(theirs.ca_key, "CA", true);
	theirs.ctx[0] = make_ctx(false);
	theirs.ctx[1] = make_ctx(true);
}

static SSL *new_ssl(bool is_server)
{
	SSL *ssl = SSL_new(theirs.ctx[is_server]);

	bench_need(ssl != NULL, "a link of openssl");
	if (is_server)
		SSL_set_accept_state(ssl);
	else
		SSL_set_connect_state(ssl);
	return ssl;
}

/* One step of the handshake: it wants more bytes, or it is over. */
static bool is_fine(SSL *ssl, int rc)
{
	return rc > 0 || SSL_get_error(ssl, rc) == SSL_ERROR_WANT_READ;
}

static struct links_end *open_end(bool is_server, enum links_way way)
{
	struct links_end *e = malloc(sizeof(*e));

	bench_need(e != NULL, "memory");
	*e = (struct links_end){ .ssl = new_ssl(is_server),
		.keeps = way == LINKS_RESUMED && !is_server,
		.in = BIO_new(BIO_s_mem()),
		.out = BIO_new(BIO_s_mem()) };
	SSL_set_bio(e->ssl, e->in, e->out);
	if (way == LINKS_RESUMED && is_server)
		bench_need(SSL_set_num_tickets(e->ssl, 1) == 1, "a ticket of openssl");
	if (e->keeps && theirs.session != NULL)
		bench_need(SSL_set_session(e->ssl, theirs.session) == 1, "a session of openssl");
	if (!is_server)
		bench_need(is_fine(e->ssl, SSL_do_handshake(e->ssl)), "openssl's first message");
	return e;
}

static void close_end(struct links_end *e)
{
	if (e->keeps) {
		bench_need(theirs.session == NULL || SSL_session_reused(e->ssl) == 1,
			"resuming with openssl");
		SSL_SESSION_free(theirs.session);
		theirs.session = SSL_get1_session(e->ssl);
		/* Else the session of a link that was not closed is never taken again. */
		SSL_set_shutdown(e->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	}
	SSL_free(e->ssl);
	free(e);
}

static bool is_open(const struct links_end *e)
{
	return SSL_is_init_finished(e->ssl) == 1;
}

static size_t out(struct links_end *e, const uint8_t **bytes)
{
	char *p = NULL;
	long n = BIO_get_mem_data(e->out, &p);

	*bytes = (const uint8_t *)p;
	return n > 0 ? (size_t)n : 0;
}

static void sent(struct links_end *e, size_t len)
{
	static uint8_t sink[LINKS_RECORD];
	const uint8_t *p;

	if (len == out(e, &p)) {
		(void)BIO_reset(e->out);
		return;
	}
	while (len > 0) {
		int n = BIO_read(e->out, sink, len < sizeof(sink) ? (int)len : (int)sizeof(sink));

		bench_need(n > 0, "openssl's memory");
		len -= (size_t)n;
	}
}

static size_t feed(struct links_end *e, const uint8_t *in, size_t len)
{
	static uint8_t plain[LINKS_RECORD];
	size_t got = 0;
	int n;

	bench_need(BIO_write(e->in, in, (int)len) == (int)len, "openssl's memory");
	if (!is_open(e)) {
		bench_need(is_fine(e->ssl, SSL_do_handshake(e->ssl)), "openssl's handshake");
		return 0;
	}
	while ((n = SSL_read(e->ssl, plain, sizeof(plain))) > 0)
		got += (size_t)n;
	bench_need(is_fine(e->ssl, n), "reading from openssl");
	return got;
}

static void write_all(struct links_end *e, const uint8_t *in, size_t len)
{
	bench_need(SSL_write(e->ssl, in, (int)len) == (int)len, "writing to openssl");
}

/* --- idle: an event loop of the least that will do --- */

static void idle_accept(int epoll, int listener)
{
	int fd = accept(listener, NULL, NULL);
	SSL *ssl = new_ssl(true);
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = ssl };

	bench_need(fd >= 0 && SSL_set_fd(ssl, fd) == 1 &&
			   epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev) == 0,
		"accepting");
}

/* Blocks until this client has said all, or is gone. */
static void idle_talk(SSL *ssl)
{
	int fd = SSL_get_fd(ssl);
	char byte;

	if (SSL_do_handshake(ssl) == 1 && SSL_read(ssl, &byte, 1) == 1 &&
		SSL_write(ssl, &byte, 1) == 1)
		return;
	SSL_free(ssl);
	(void)close(fd);
}

static void idle_serve(int listener)
{
	int epoll = epoll_create1(0);
	struct epoll_event ev = { .events = EPOLLIN };

	bench_need(epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &ev) == 0, "listening");
	while (epoll_wait(epoll, &ev, 1, -1) >= 0) {
		if (ev.data.ptr == NULL)
			idle_accept(epoll, listener);
		else
			idle_talk(ev.data.ptr);
	}
}

static bool idle_start(struct links_server *v)
{
	int listener = prog_listen(&v->port);

	v->pid = prog_fork();
	if (v->pid == 0) {
		idle_serve(listener);
		_exit(1);
	}
	(void)close(listener);
	return true;
}

static void idle_client(int fd, unsigned no)
{
	SSL *ssl = new_ssl(false);
	char byte = 1;

	(void)no;
	bench_need(SSL_set_fd(ssl, fd) == 1 && SSL_do_handshake(ssl) == 1 &&
			   SSL_write(ssl, &byte, 1) == 1 && SSL_read(ssl, &byte, 1) == 1,
		"openssl's client");
	SSL_free(ssl);
}

const struct links_stack links_openssl = {
	.name = "openssl, P-256 and AES-128-GCM",
	.start = start,
	.open = open_end,
	.close = close_end,
	.is_open = is_open,
	.out = out,
	.sent = sent,
	.feed = feed,
	.write = write_all,
	.idle_start = idle_start,
	.idle_client = idle_client,
};
