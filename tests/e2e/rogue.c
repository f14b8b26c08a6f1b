/* SPDX-License-Identifier: Apache-2.0 */
/* layer: net svc */
/*
 * A peer that does not keep the rules, for tests of attacks:
 *
 *	rogue ask PORT CERT PATH… [OPTION]   asks a node; one line of JSON about how it went
 *	rogue serve CERT [OPTION]            is a node; "port N", then a line for each request
 *	rogue channel IN OUT [OPTION]        has the director say something else
 *	rogue papers CERT FOLDER [OPTION]    peer.pem, peer.key and ca.pem for another TLS program
 *
 * CERT is what it shows: "none", "self" (signed by itself), or ROLE:ID of the domain, with
 * --unknown (a CA of its own), --usage (a certificate for encryption) or --expired. With these it
 * has the keys of the domain, as whoever has stolen a hub with its passphrase: what it cannot do is
 * sign as a publisher.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/hex.h"
#include "codec/pem.h"
#include "crypto/module.h"
#include "http/api.h"
#include "net/link.h"
#include "os/clock.h"
#include "os/cpu.h"
#include "os/file.h"
#include "os/heap.h"
#include "pkg/body.h"
#include "pkg/channel.h"
#include "pki/pkcs8.h"
#include "svc/domain.h"
#include "svc/env.h"
#include "svc/party.h"

enum {
	ASKS_MAX = 16,
	STREAMS_MAX = 64,
	ANSWER_MAX = 1 << 20,
	TICK_MS = 20,
	DRIP = 64, /* bytes of a slow body in one tick */
	HOUR_S = 3600,
	DAY_S = 24 * HOUR_S,
};

struct options {
	const char *domain; /* folder of hufu domain init */
	const char *passphrase_file;
	const char *out;     /* ask: file for the body of the last answer */
	const char *objects; /* serve: folder with KIND/ID */
	const char *channel; /* serve: file of the channel */
	const char *wrong;   /* serve: kind of which a byte is altered */
	const char *slow;    /* serve: kind that drips; "channel" too */
	const char *endless; /* serve: kind without end; "channel" too */
	const char *lineage; /* channel: whose release is another one */
	const char *manifest;
	const char *release;
	const char *serial;
	const char *life; /* channel: seconds from now on; may be negative */
	bool is_unknown;
	bool is_encryption;
	bool is_expired;
};

struct rogue {
	struct options o;
	struct hf_env env;
	struct hf_party hub;
	struct hf_sm2_key ca_key;
	struct hf_sm2_key director_key;
	struct hf_sm2_key key; /* of the certificate */
	struct hf_local_key local;
	struct hf_signer signer;
	struct hf_buf der[2];
	struct hf_bytes chain[2];
	size_t n_chain;
	struct hf_tls_config tls;
	struct hf_loop *loop;
	uv_timer_t timer;
	/* ask */
	char *const *paths;
	size_t n_paths;
	size_t n_answers;
	unsigned status[ASKS_MAX];
	unsigned alert;
	bool is_open;
	/* serve */
	struct body *bodies[STREAMS_MAX];
};

static void die(const char *what, hf_err e, const struct hf_errinfo *ei)
{
	fprintf(stderr, "rogue: %s: %s\n", what,
		ei != NULL && ei->code != HF_OK ? ei->text : hf_err_text(e));
	exit(2);
}

static void need(const char *what, hf_err e, const struct hf_errinfo *ei)
{
	if (e != HF_OK)
		die(what, e, ei);
}

/* --- keys and certificates --- */

/* What is public about the domain. */
static void open_domain(struct rogue *r)
{
	struct hf_errinfo ei = { .code = HF_OK };
	char dir[HF_PATH_MAX];

	if (r->o.domain == NULL)
		die("--domain is needed", HF_ERR_ARG, NULL);
	need("hub", hf_path_join(dir, r->o.domain, "hub", &ei), &ei);
	need("hub", hf_party_open(&r->hub, &r->env, dir, &ei), &ei);
}

static void open_keys(struct rogue *r)
{
	struct hf_errinfo ei = { .code = HF_OK };
	uint8_t seed[HF_KEY_SEED_LEN];
	uint8_t wrap[HF_KEY_SEED_LEN];
	struct hf_slots slots;
	struct hf_buf text;

	if (r->o.passphrase_file == NULL)
		die("--passphrase-file is needed", HF_ERR_ARG, NULL);
	hf_buf_init(&text, hf_os_mem(), 256);
	need("slots", hf_domain_slots(&slots, &r->env, r->hub.dir, &ei), &ei);
	need("passphrase", hf_file_load(&text, r->o.passphrase_file, &ei), &ei);
	need("seed", hf_slots_open_passphrase(seed, &slots, text.p, text.len - 1, &ei), &ei);
	need("seed", hf_root_derive(wrap, seed, "wrap"), NULL);
	need("CA", hf_party_key(&r->env, &r->hub, "issuing-ca", wrap, &r->ca_key, &ei), &ei);
	need("director", hf_party_key(&r->env, &r->hub, "director", wrap, &r->director_key, &ei),
		&ei);
	hf_buf_clear(&text);
}

static void take_identity(struct hf_identity *id, const struct rogue *r, const char *cert)
{
	static const struct {
		const char *name;
		enum hf_role role;
	} roles[] = { { "hub", HF_ROLE_HUB }, { "edge", HF_ROLE_EDGE },
		{ "device", HF_ROLE_DEVICE }, { "publisher", HF_ROLE_PUBLISHER } };
	const char *colon = strchr(cert, ':');
	size_t len = colon == NULL ? 0 : (size_t)(colon - cert);

	*id = r->hub.identity;
	for (size_t i = 0; i < HF_COUNT(roles); i++) {
		if (strlen(roles[i].name) != len || strncmp(roles[i].name, cert, len) != 0)
			continue;
		id->role = roles[i].role;
		(void)snprintf(id->id, sizeof(id->id), "%s", colon + 1);
		return;
	}
	die(cert, HF_ERR_ARG, NULL);
}

/* A certificate for key by ca, whose Name is issuer. */
static void build(struct rogue *r, struct hf_buf *out, const char *cn,
	const struct hf_identity *identity, struct hf_bytes issuer, const struct hf_sm2_pub *key,
	const struct hf_signer *ca)
{
	static const uint8_t serial[] = { 0x52, 0x6f, 0x67 };
	struct hf_errinfo ei = { .code = HF_OK };
	uint64_t now_s = hf_clock_wall_s();
	uint8_t name[HF_NAME_DER_MAX];
	struct hf_writer w = { .p = name, .cap = sizeof(name) };
	bool is_ca = identity == NULL && issuer.len == 0 && r->o.is_unknown;
	struct hf_cert_spec spec = {
		.serial = serial,
		.serial_len = sizeof(serial),
		.issuer = issuer,
		.not_before_s = now_s - 2 * DAY_S,
		.not_after_s = r->o.is_expired ? now_s - DAY_S : now_s + DAY_S,
		.key = *key,
		.is_ca = is_ca,
		.key_usage = is_ca                ? HF_KU_CA
			     : r->o.is_encryption ? HF_KU_ENCRYPT
						  : HF_KU_DIGITAL_SIGNATURE,
		.eku = is_ca || r->o.is_encryption ? 0 : HF_EKU_SERVER | HF_EKU_CLIENT,
		.identity = identity,
	};

	hf_name_emit(&w, NULL, r->hub.identity.domain, cn);
	need(cn, hf_wr_done(&w), NULL);
	spec.subject = (struct hf_bytes){ name, w.len };
	if (issuer.len == 0)
		spec.issuer = spec.subject;
	hf_buf_init(out, hf_os_mem(), HF_CERT_DER_MAX);
	need(cn, hf_cert_build(out, &spec, ca, &ei), &ei);
}

/* Leaf and CA of the chain that is shown. */
static void make_chain(struct rogue *r, const char *cert)
{
	static struct hf_sm2_key ca_key;
	static struct hf_local_key ca_local;
	struct hf_signer ca;
	struct hf_identity identity;
	struct hf_bytes issuer = r->hub.issuing_ca.subject;
	struct hf_cert own = { .own = NULL };

	if (strcmp(cert, "none") == 0)
		return;
	need("key", hf_sm2_key_new(&r->key, &r->env.rng), NULL);
	r->local = (struct hf_local_key){ &r->key, &r->env.rng };
	r->signer = hf_signer_local(&r->local);
	if (strcmp(cert, "self") == 0) {
		build(r, &r->der[0], "nobody", NULL, (struct hf_bytes){ NULL, 0 }, &r->key.pub,
			&r->signer);
		r->n_chain = 1;
	} else {
		take_identity(&identity, r, cert);
		if (!r->o.is_unknown)
			open_keys(r);
		ca_local = (struct hf_local_key){ &r->ca_key, &r->env.rng };
		if (r->o.is_unknown) {
			need("key", hf_sm2_key_new(&ca_key, &r->env.rng), NULL);
			ca_local.key = &ca_key;
		}
		ca = hf_signer_local(&ca_local);
		hf_buf_init(&r->der[1], hf_os_mem(), HF_CERT_DER_MAX);
		if (r->o.is_unknown) {
			build(r, &r->der[1], "rogue CA", NULL, (struct hf_bytes){ NULL, 0 },
				&ca_key.pub, &ca);
			need("CA", hf_cert_parse(&own, r->der[1].p, r->der[1].len, NULL), NULL);
			issuer = own.subject;
		} else {
			need("CA",
				hf_buf_put(&r->der[1], r->hub.issuing_ca.der.p,
					r->hub.issuing_ca.der.len),
				NULL);
		}
		build(r, &r->der[0], identity.id, &identity, issuer, &r->key.pub, &ca);
		r->n_chain = 2;
	}
	for (size_t i = 0; i < r->n_chain; i++)
		r->chain[i] = (struct hf_bytes){ r->der[i].p, r->der[i].len };
}

static void tls_init(struct rogue *r, enum hf_tls_role role, const char *cert)
{
	static const char *const alpn[] = { HF_ALPN_H2 };
	struct hf_tls_config *c = &r->tls;

	make_chain(r, cert);
	hf_tls_config_init(c, role, HF_L1);
	c->mem = hf_os_mem();
	c->rng = &r->env.rng;
	c->roots = &r->hub.root_ca;
	c->n_roots = 1;
	c->alpn = alpn;
	c->n_alpn = 1;
	c->ask_client_cert = role == HF_TLS_SERVER;
	if (r->n_chain > 0) {
		c->chain = r->chain;
		c->n_chain = r->n_chain;
		c->signer = &r->signer;
	}
}

/* --- ask --- */

static void answer_done(void *ctx, int32_t stream, hf_err e, const struct hf_http_head *head,
	const uint8_t *body, size_t body_len)
{
	struct hf_link *l = ctx;
	struct rogue *r = hf_link_ctx(l);

	(void)stream;
	if (e == HF_OK)
		r->status[r->n_answers] = head->status;
	if (e == HF_OK && r->o.out != NULL)
		need(r->o.out, hf_file_replace(r->o.out, 0644, body, body_len, NULL), NULL);
	if (++r->n_answers == r->n_paths)
		hf_link_close(l);
}

static void ask_on_open(void *ctx, struct hf_link *l)
{
	const struct hf_h2_client client = {
		.mem = hf_os_mem(), .limits = hf_h2_limits_default, .authority = "hub.example"
	};
	struct rogue *r = ctx;
	struct hf_h2 *h = NULL;
	int32_t stream;

	r->is_open = true;
	need("session", hf_h2_client_new(&h, &client, hf_loop_now_ms(r->loop)), NULL);
	hf_link_attach(l, h);
	for (size_t i = 0; i < r->n_paths; i++) {
		bool is_post = strncmp(r->paths[i], "POST:", 5) == 0;
		const struct hf_http_call call = {
			.method = is_post ? HF_HTTP_POST : HF_HTTP_GET,
			.path = is_post ? r->paths[i] + 5 : r->paths[i],
			.content_type = is_post ? HF_TYPE_JSON : NULL,
			.body = (const uint8_t *)"{}",
			.body_len = is_post ? 2 : 0,
			.body_max = ANSWER_MAX,
			.on_done = answer_done,
			.ctx = l,
		};

		need("call", hf_h2_call(h, &stream, &call, hf_loop_now_ms(r->loop)), NULL);
	}
}

static void ask_on_ending(void *ctx, struct hf_link *l)
{
	struct rogue *r = ctx;

	r->alert = hf_tls_alert_got(hf_link_tls(l));
}

static void ask_on_close(void *ctx, struct hf_link *l, hf_err e, const struct hf_errinfo *why)
{
	struct rogue *r = ctx;

	(void)l;
	printf("{\"open\": %s, \"end\": \"%s\", \"why\": \"%s\", \"alert\": %u, \"status\": [",
		r->is_open ? "true" : "false", hf_err_name(e), why->text, r->alert);
	for (size_t i = 0; i < r->n_paths; i++)
		printf("%s%u", i > 0 ? ", " : "", r->status[i]);
	printf("]}\n");
}

static void ask(struct rogue *r, uint16_t port)
{
	struct hf_link_config c = { .loop = r->loop,
		.mem = hf_os_mem(),
		.tls = &r->tls,
		.limits = hf_link_limits_default,
		.calls = { ask_on_open, NULL, ask_on_ending, ask_on_close },
		.ctx = r };
	const struct hf_identity_want want = { .roles = HF_ROLE_HUB | HF_ROLE_EDGE };
	struct hf_errinfo ei = { .code = HF_OK };
	struct hf_link *l = NULL;

	need("connect", hf_link_connect(&l, &c, "127.0.0.1", port, &want, &ei), &ei);
	hf_loop_run(r->loop);
}

/* --- serve --- */

/* A link that came in. */
struct guest {
	struct rogue *r;
	struct hf_link *l;
};

/* A body on its way. */
struct body {
	struct rogue *r;
	struct hf_link *l;
	int32_t stream;
	struct hf_buf bytes;
	uint64_t at;
	bool is_slow;
	bool is_endless;
	bool has_dripped; /* in this tick */
};

static hf_err body_read(void *ctx, uint8_t *out, size_t cap, size_t *len, bool *is_end)
{
	struct body *b = ctx;
	size_t left = b->at < b->bytes.len ? b->bytes.len - (size_t)b->at : 0;

	if (b->is_slow && b->has_dripped)
		return HF_ERR_AGAIN;
	if (b->is_slow && cap > DRIP)
		cap = DRIP;
	b->has_dripped = true;
	memset(out, 0, cap);
	*len = b->is_endless || left > cap ? cap : left;
	if (left > 0)
		memcpy(out, b->bytes.p + b->at, left < *len ? left : *len);
	b->at += *len;
	*is_end = !b->is_endless && b->at == b->bytes.len;
	return HF_OK;
}

static void body_close(void *ctx)
{
	struct body *b = ctx;

	for (size_t i = 0; i < STREAMS_MAX; i++)
		if (b->r->bodies[i] == b)
			b->r->bodies[i] = NULL;
	hf_buf_clear(&b->bytes);
	free(b);
}

static void on_tick(uv_timer_t *timer)
{
	struct rogue *r = timer->data;

	for (size_t i = 0; i < STREAMS_MAX; i++) {
		struct body *b = r->bodies[i];

		if (b == NULL || !b->is_slow)
			continue;
		b->has_dripped = false;
		hf_h2_resume(hf_link_h2(b->l), b->stream);
		hf_link_pump(b->l);
	}
}

static bool is_kind(const char *option, const char *kind)
{
	return option != NULL && strcmp(option, kind) == 0;
}

static void reply(
	struct guest *g, const struct hf_http_request *q, const char *kind, const char *path)
{
	struct rogue *r = g->r;
	const struct hf_http_head *head = q->head;
	struct body *b = calloc(1, sizeof(*b));
	struct hf_http_source source = { body_read, body_close, b, UINT64_MAX };
	struct hf_range range = head->range;
	struct hf_http_reply answer = {
		.status = 200, .content_type = HF_TYPE_BYTES, .source = &source
	};

	if (b == NULL)
		die("body", HF_ERR_NO_MEMORY, NULL);
	hf_buf_init(&b->bytes, hf_os_mem(), HF_PACK_MAX);
	if (hf_file_load(&b->bytes, path, NULL) != HF_OK) {
		free(b);
		hf_h2_reply_error(q->h, q->stream, HF_ERR_NOT_FOUND, "not here");
		return;
	}
	range.total = b->bytes.len;
	if (head->has_range && range.last < range.total) {
		answer.status = 206;
		answer.range = &range;
		hf_buf_drop(&b->bytes, (size_t)range.first);
		b->bytes.len = (size_t)(range.last - range.first + 1);
	}
	if (is_kind(r->o.wrong, kind))
		b->bytes.p[b->bytes.len / 2] ^= 1;
	b->r = r;
	b->l = g->l;
	b->stream = q->stream;
	b->is_slow = is_kind(r->o.slow, kind);
	b->is_endless = is_kind(r->o.endless, kind);
	for (size_t i = 0; i < STREAMS_MAX; i++) {
		if (r->bodies[i] != NULL)
			continue;
		r->bodies[i] = b;
		break;
	}
	(void)!hf_h2_reply(q->h, q->stream, &answer);
}

static void tell(const struct hf_http_head *head)
{
	printf("%s\n", head->path);
	(void)fflush(stdout);
}

static void on_channel(void *ctx, const struct hf_http_request *q)
{
	struct guest *g = ctx;

	tell(q->head);
	if (g->r->o.channel == NULL)
		hf_h2_reply_error(q->h, q->stream, HF_ERR_NOT_FOUND, "no channel");
	else
		reply(g, q, "channel", g->r->o.channel);
}

static void on_object(void *ctx, const struct hf_http_request *q)
{
	struct guest *g = ctx;
	char path[HF_PATH_MAX];

	tell(q->head);
	(void)snprintf(path, sizeof(path), "%s/%s/%s",
		g->r->o.objects == NULL ? "/nonexistent" : g->r->o.objects, q->head->segments[2],
		q->head->segments[3]);
	reply(g, q, q->head->segments[2], path);
}

static const struct hf_http_route routes[] = {
	{ HF_HTTP_GET, HF_API_CHANNEL, HF_PEER_MEMBER, 0, on_channel, NULL },
	{ HF_HTTP_GET, HF_API_OBJECT, HF_PEER_MEMBER, 0, on_object, NULL },
};

static void serve_on_open(void *ctx, struct hf_link *l)
{
	struct guest *g = calloc(1, sizeof(*g));
	struct hf_h2_server server = {
		.mem = hf_os_mem(),
		.limits = hf_h2_limits_default,
		.routes = routes,
		.n_routes = HF_COUNT(routes),
		.peer = HF_PEER_DEVICE,
		.ctx = g,
	};
	struct hf_h2 *h = NULL;

	if (g == NULL)
		die("link", HF_ERR_NO_MEMORY, NULL);
	*g = (struct guest){ ctx, l };
	hf_link_ctx_set(l, g);
	need("session", hf_h2_server_new(&h, &server, hf_loop_now_ms(g->r->loop)), NULL);
	hf_link_attach(l, h);
	printf("open\n");
	(void)fflush(stdout);
}

static void serve_on_close(void *ctx, struct hf_link *l, hf_err e, const struct hf_errinfo *why)
{
	printf("closed %s: %s\n", hf_err_name(e), why->text);
	(void)fflush(stdout);
	if (hf_tls_is_open(hf_link_tls(l)))
		free(ctx);
}

static void serve(struct rogue *r)
{
	const struct hf_listener_config c = {
		.link = { .loop = r->loop,
			.mem = hf_os_mem(),
			.tls = &r->tls,
			.limits = hf_link_limits_default,
			.calls = { .on_open = serve_on_open, .on_close = serve_on_close },
			.ctx = r },
		.address = "127.0.0.1",
		.max_links = 16,
	};
	struct hf_errinfo ei = { .code = HF_OK };
	struct hf_listener *s = NULL;

	need("listen", hf_listener_new(&s, &c, &ei), &ei);
	r->timer.data = r;
	(void)uv_timer_init(hf_loop_uv(r->loop), &r->timer);
	(void)uv_timer_start(&r->timer, on_tick, TICK_MS, TICK_MS);
	printf("port %u\n", (unsigned)hf_listener_port(s));
	(void)fflush(stdout);
	hf_loop_run(r->loop); /* until it is killed */
}

/* --- channel --- */

static uint64_t number(const char *text, uint64_t otherwise)
{
	return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

/* The releases of a channel, with the one that the options speak of. */
static void make_releases(struct rogue *r, struct hf_buf *list, const struct hf_channel *c)
{
	struct hf_channel_release entry;
	struct hf_bytes rest = c->releases;
	size_t len = 0;

	hf_buf_init(list, hf_os_mem(), ANSWER_MAX);
	while (hf_channel_release_take(&entry, &rest) == HF_OK) {
		if (r->o.lineage != NULL && strcmp(entry.lineage, r->o.lineage) == 0) {
			entry.release = number(r->o.release, entry.release);
			entry.floor = entry.floor < entry.release ? entry.floor : entry.release;
			if (r->o.manifest != NULL)
				need("manifest",
					hf_hex_parse(entry.manifest, HF_SM3_LEN, &len,
						r->o.manifest, strlen(r->o.manifest)),
					NULL);
		}
		need("release", hf_channel_release_put(list, &entry), NULL);
	}
}

static void make_channel(struct rogue *r, const char *in, const char *out)
{
	struct hf_local_key local = { &r->director_key, &r->env.rng };
	struct hf_signer director;
	const struct hf_signer *signers[] = { &director };
	struct hf_errinfo ei = { .code = HF_OK };
	struct hf_bytes content;
	struct hf_channel c;
	struct hf_buf object;
	struct hf_buf list;
	struct hf_buf text;

	open_keys(r);
	director = hf_signer_local(&local);
	hf_buf_init(&object, hf_os_mem(), ANSWER_MAX);
	hf_buf_init(&text, hf_os_mem(), ANSWER_MAX);
	need(in, hf_file_load(&object, in, &ei), &ei);
	need(in,
		hf_object_peek(&content, HF_OBJECT_CHANNEL,
			(struct hf_bytes){ object.p, object.len }, &ei),
		&ei);
	need(in, hf_channel_parse(&c, content, &ei), &ei);
	make_releases(r, &list, &c);
	c.releases = (struct hf_bytes){ list.p, list.len };
	c.serial = number(r->o.serial, c.serial);
	if (r->o.life != NULL) {
		c.expires_s = hf_clock_wall_s() + (uint64_t)strtoll(r->o.life, NULL, 10);
		c.issued_s = c.expires_s - HOUR_S;
	}
	need("channel", hf_channel_emit(&text, &c, &ei), &ei);
	hf_buf_clear(&object);
	hf_buf_init(&object, hf_os_mem(), ANSWER_MAX);
	need("channel",
		hf_object_sign(&object, HF_OBJECT_CHANNEL, (struct hf_bytes){ text.p, text.len },
			signers, 1, &ei),
		&ei);
	need(out, hf_file_replace(out, 0644, object.p, object.len, &ei), &ei);
	hf_buf_clear(&object);
	hf_buf_clear(&list);
	hf_buf_clear(&text);
}

/* --- papers --- */

static void save_pem(const char *folder, const char *name, const char *label,
	const struct hf_bytes *list, size_t n)
{
	static uint8_t text[4 * HF_CERT_DER_MAX];
	struct hf_writer w = { .p = text, .cap = sizeof(text) };
	struct hf_errinfo ei = { .code = HF_OK };
	char path[HF_PATH_MAX];

	for (size_t i = 0; i < n; i++)
		hf_pem_emit(&w, label, list[i].p, list[i].len);
	need(name, hf_wr_done(&w), NULL);
	need(name, hf_path_join(path, folder, name, &ei), &ei);
	need(name, hf_file_replace(path, 0600, text, w.len, &ei), &ei);
}

static void save_papers(struct rogue *r, const char *cert, const char *folder)
{
	uint8_t der[HF_PKCS8_EMIT_MAX];
	struct hf_writer w = { .p = der, .cap = sizeof(der) };
	struct hf_bytes key;

	make_chain(r, cert);
	hf_pkcs8_emit(&w, &r->key);
	need("key", hf_wr_done(&w), NULL);
	key = (struct hf_bytes){ der, w.len };
	save_pem(folder, "peer.pem", "CERTIFICATE", r->chain, r->n_chain);
	save_pem(folder, "peer.key", "PRIVATE KEY", &key, 1);
	save_pem(folder, "ca.pem", "CERTIFICATE", &r->hub.root_ca.der, 1);
}

/* --- the program --- */

/* Takes options out of the words; what is left, and how many. */
static int take_options(struct options *o, int argc, char **argv)
{
	const struct {
		const char *name;
		const char **value;
		bool *is_set;
	} names[] = {
		{ "--domain", &o->domain, NULL },
		{ "--passphrase-file", &o->passphrase_file, NULL },
		{ "--out", &o->out, NULL },
		{ "--objects", &o->objects, NULL },
		{ "--channel", &o->channel, NULL },
		{ "--wrong", &o->wrong, NULL },
		{ "--slow", &o->slow, NULL },
		{ "--endless", &o->endless, NULL },
		{ "--lineage", &o->lineage, NULL },
		{ "--manifest", &o->manifest, NULL },
		{ "--release", &o->release, NULL },
		{ "--serial", &o->serial, NULL },
		{ "--life", &o->life, NULL },
		{ "--unknown", NULL, &o->is_unknown },
		{ "--usage", NULL, &o->is_encryption },
		{ "--expired", NULL, &o->is_expired },
	};
	int n = 0;

	for (int i = 0; i < argc; i++) {
		size_t k = 0;

		while (k < HF_COUNT(names) && strcmp(names[k].name, argv[i]) != 0)
			k++;
		if (k == HF_COUNT(names))
			argv[n++] = argv[i];
		else if (names[k].is_set != NULL)
			*names[k].is_set = true;
		else if (++i < argc)
			*names[k].value = argv[i];
		else
			die(argv[i - 1], HF_ERR_ARG, NULL);
	}
	return n;
}

int main(int argc, char **argv)
{
	static struct rogue r;
	struct hf_errinfo ei = { .code = HF_OK };

	argc = take_options(&r.o, argc, argv);
	(void)signal(SIGPIPE, SIG_IGN);
	need("module", hf_module_start(hf_os_cpu()), NULL);
	need("environment", hf_env_init(&r.env, 0, &ei), &ei);
	need("loop", hf_loop_new(&r.loop, hf_os_mem(), &ei), &ei);
	open_domain(&r);
	if (argc > 4 && argc - 4 <= ASKS_MAX && strcmp(argv[1], "ask") == 0) {
		r.paths = argv + 4;
		r.n_paths = (size_t)(argc - 4);
		tls_init(&r, HF_TLS_CLIENT, argv[3]);
		ask(&r, (uint16_t)strtoul(argv[2], NULL, 10));
	} else if (argc == 3 && strcmp(argv[1], "serve") == 0) {
		tls_init(&r, HF_TLS_SERVER, argv[2]);
		serve(&r);
	} else if (argc == 4 && strcmp(argv[1], "channel") == 0) {
		make_channel(&r, argv[2], argv[3]);
	} else if (argc == 4 && strcmp(argv[1], "papers") == 0) {
		save_papers(&r, argv[2], argv[3]);
	} else {
		die("usage: see the head of its source", HF_ERR_ARG, NULL);
	}
	hf_loop_free(r.loop);
	for (size_t i = 0; i < HF_COUNT(r.der); i++)
		hf_buf_clear(&r.der[i]);
	hf_sm2_key_clear(&r.key);
	hf_sm2_key_clear(&r.ca_key);
	hf_sm2_key_clear(&r.director_key);
	hf_party_clear(&r.hub);
	hf_env_clear(&r.env);
	return 0;
}
