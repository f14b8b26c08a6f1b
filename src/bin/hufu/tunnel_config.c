/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what the YAML of a tunnel says to what it means: addresses, units, paths, defaults, and what
 * a side needs or has no use for. Everything is checked before the first socket is made.
 */
#include "tunnel_config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/hex.h"
#include "bin/common/settings.h"
#include "bin/common/yaml_schema.h"
#include "os/heap.h"
#include "tunnel_yaml.h"

enum { KEY_MAX = 48, HOST_MAX = 256 };

/* A configuration in the making, and the service that is looked at. */
struct making {
	struct tunnel_config *c;
	const struct raw_tunnel *raw;
	const struct raw_service *rs;
	struct tunnel_service *s;
	size_t i;
	struct settings set;
};

/* "host:port", "[::1]:port". */
static bool split_port(char host[HOST_MAX], uint16_t *port, const char *text, bool zero)
{
	const char *colon = strrchr(text, ':');
	const char *first = text;
	uint64_t n = 0;
	size_t len;

	if (colon == NULL)
		return false;
	len = (size_t)(colon - text);
	if (text[0] == '[') {
		if (len < 3 || text[len - 1] != ']')
			return false;
		first++;
		len -= 2;
	} else if (memchr(text, ':', len) != NULL) {
		return false;
	}
	if (len == 0 || len >= HOST_MAX || !settings_number_parse(&n, colon + 1, UINT16_MAX) ||
		(n == 0 && !zero))
		return false;
	memcpy(host, first, len);
	host[len] = '\0';
	*port = (uint16_t)n;
	return true;
}

static hf_err take_accept(struct making *m)
{
	struct tunnel_service *s = m->s;
	const char *text = m->rs->accept;
	char host[HOST_MAX];
	uint16_t port = 0;

	s->accept = text;
	if (strcmp(text, "systemd") == 0 || strncmp(text, "systemd:", 8) == 0) {
		s->is_systemd = true;
		s->systemd_name = text[7] == ':' ? text + 8 : "";
	} else if (strncmp(text, "unix:", 5) == 0) {
		HF_TRY(settings_path(&m->set, s->path, "accept", text + 5));
		if (hf_sock_addr_unix(&s->address, s->path) != HF_OK)
			return settings_refuse(
				&m->set, "accept", "the path of a socket has at most 107 bytes");
	} else if (!split_port(host, &port, text, true) ||
		   hf_sock_addr_ip(&s->address, host, port) != HF_OK) {
		return settings_refuse_value(&m->set, "accept", text);
	}
	for (size_t k = 0; k < m->i; k++)
		if (strcmp(m->c->services[k].accept, text) == 0)
			return settings_refuse(&m->set, "accept", "another service accepts there");
	s->mode = 0600;
	if (m->rs->mode != NULL) {
		if (s->path[0] == '\0')
			return settings_refuse(&m->set, "mode", "only a unix socket has one");
		s->mode = (unsigned)strtoul(m->rs->mode, NULL, 8);
		if (m->rs->mode[strspn(m->rs->mode, "01234567")] != '\0' || s->mode > 0777 ||
			s->mode == 0)
			return settings_refuse_value(&m->set, "mode", m->rs->mode);
	}
	return HF_OK;
}

/* Who must answer there: the name that was dialled, unless another one is given. */
static void take_want(struct making *m, size_t i, const char *host)
{
	struct tunnel_service *s = m->s;
	struct hf_tunnel_target *t = &s->targets[i];
	struct hf_identity_want *want = &s->want[i];
	const char *name = m->rs->server_name != NULL ? m->rs->server_name : host;

	t->want = want;
	if (name == NULL)
		return;
	if (inet_pton(AF_INET, name, s->want_ip[i]) == 1) {
		want->ip_len = 4;
	} else if (inet_pton(AF_INET6, name, s->want_ip[i]) == 1) {
		want->ip_len = 16;
	} else {
		t->server_name = name;
		/* With an access list that one says who may answer. */
		if (s->n_rules == 0 || m->rs->server_name != NULL)
			want->dns = name;
	}
	if (want->ip_len > 0) {
		want->ip = s->want_ip[i];
		if (s->n_rules > 0 && m->rs->server_name == NULL)
			want->ip_len = 0;
	}
}

static hf_err take_target(struct making *m, size_t i)
{
	struct tunnel_service *s = m->s;
	struct hf_tunnel_target *t = &s->targets[i];
	const char *text = m->rs->connect[i];
	char key[KEY_MAX];

	(void)snprintf(key, sizeof(key), "connect[%zu]", i + 1);
	t->text = text;
	if (strncmp(text, "unix:", 5) == 0) {
		struct hf_sock_addr a;

		HF_TRY(settings_path(&m->set, s->target_paths[i], key, text + 5));
		if (hf_sock_addr_unix(&a, s->target_paths[i]) != HF_OK)
			return settings_refuse(
				&m->set, key, "the path of a socket has at most 107 bytes");
		t->path = s->target_paths[i];
		if (!s->is_server && s->n_rules == 0 && m->rs->server_name == NULL)
			return settings_refuse(&m->set, key,
				"a socket has no name that a certificate could carry: give "
				"server-name or allow");
	} else if (!split_port(s->hosts[i], &t->port, text, false)) {
		return settings_refuse(&m->set, key, "not HOST:PORT, [ADDRESS]:PORT or unix:PATH");
	} else {
		t->host = s->hosts[i];
	}
	if (!s->is_server)
		take_want(m, i, t->host);
	return HF_OK;
}

static hf_err take_targets(struct making *m)
{
	struct tunnel_service *s = m->s;

	if (s->is_server && m->rs->server_name != NULL)
		return settings_refuse(&m->set, "server-name", "only a client asks for one");
	s->n_targets = m->rs->n_connect;
	s->target_paths = hf_mem_array(hf_os_mem(), s->n_targets, sizeof(*s->target_paths));
	s->hosts = hf_mem_array(hf_os_mem(), s->n_targets, sizeof(*s->hosts));
	if (s->target_paths == NULL || s->hosts == NULL)
		return settings_no_memory(&m->set);
	for (size_t i = 0; i < s->n_targets; i++)
		HF_TRY(take_target(m, i));
	return HF_OK;
}

static hf_err take_rule(struct making *m, size_t i)
{
	const struct raw_allow *raw = &m->rs->allow[i];
	struct hf_access_rule *r = &m->s->rules[i];
	char key[KEY_MAX];
	size_t len = 0;

	*r = (struct hf_access_rule){ .name = raw->name,
		.domain = raw->domain,
		.roles = (unsigned)raw->role,
		.level = (enum hf_level)raw->level };
	(void)snprintf(key, sizeof(key), "allow[%zu].digest", i + 1);
	if (raw->digest != NULL) {
		if (hf_hex_parse(r->digest, sizeof(r->digest), &len, raw->digest,
			    strlen(raw->digest)) != HF_OK ||
			len != sizeof(r->digest))
			return settings_refuse_value(&m->set, key, raw->digest);
		r->has_digest = true;
	}
	(void)snprintf(key, sizeof(key), "allow[%zu]", i + 1);
	if (!hf_access_rule_is_valid(r))
		return settings_refuse(&m->set, key,
			"needs a condition; '*' may stand at the end of a name or domain only");
	return HF_OK;
}

static hf_err take_rules(struct making *m)
{
	struct tunnel_service *s = m->s;

	if (m->rs->n_allow == 0 && s->is_server)
		return settings_refuse(&m->set, "allow", "a server needs an access list");
	if (m->rs->n_allow == 0)
		return HF_OK;
	s->rules = hf_mem_array(hf_os_mem(), m->rs->n_allow, sizeof(*s->rules));
	if (s->rules == NULL)
		return settings_no_memory(&m->set);
	s->n_rules = m->rs->n_allow;
	for (size_t i = 0; i < s->n_rules; i++)
		HF_TRY(take_rule(m, i));
	return HF_OK;
}

static hf_err refuse_row(
	struct making *m, const char *key, enum hf_policy_row row, const char *what)
{
	struct hf_errinfo why = { 0 };

	(void)hf_policy_refuse(&why, row, m->s->level, "%s", what);
	return settings_refuse(&m->set, key, why.text);
}

/* What the level does not have is refused here, where its key can be named. */
static hf_err check_tlcp(struct making *m)
{
	const struct tunnel_service *s = m->s;

	if (m->rs->allow_cbc != YAML_UNSAID && (s->protocols & HF_TLS_TLCP) == 0)
		return settings_refuse(&m->set, "allow-cbc", "is for tlcp only");
	if ((s->protocols & HF_TLS_TLCP) == 0)
		return HF_OK;
	if (hf_policy(HF_ROW_LINK_TLCP_ECDHE, s->level) == 0)
		return refuse_row(m, "protocols", HF_ROW_LINK_TLCP_ECDHE, "tlcp");
	if (s->allow_cbc && hf_policy(HF_ROW_LINK_TLCP_CBC, s->level) == 0)
		return refuse_row(m, "allow-cbc", HF_ROW_LINK_TLCP_CBC, "allow-cbc");
	return HF_OK;
}

/* The one place where protocols are told apart: the engine does the rest. */
static hf_err take_protocols(struct making *m)
{
	struct tunnel_service *s = m->s;

	for (size_t i = 0; i < m->rs->n_protocols; i++) {
		const char *text = m->rs->protocols[i];

		if (strcmp(text, "tls13") == 0)
			s->protocols |= HF_TLS_13;
		else if (strcmp(text, "tlcp") == 0)
			s->protocols |= HF_TLS_TLCP;
		else
			return settings_refuse_value(&m->set, "protocols", text);
	}
	if (s->protocols == 0)
		s->protocols = HF_TLS_13;
	if (!s->is_server && s->protocols == (HF_TLS_13 | HF_TLS_TLCP))
		return settings_refuse(&m->set, "protocols", "a client speaks one of them");
	s->allow_cbc = m->rs->allow_cbc == YAML_TRUE;
	return check_tlcp(m);
}

/* The second pair is for services with TLCP; one identity may serve others, too. */
static hf_err take_enc(struct making *m, const struct raw_identity *raw)
{
	struct tunnel_identity *id = &m->s->identity;
	const struct tunnel_service *s = m->s;

	if ((raw->enc_certificate != NULL) != (raw->enc_key != NULL))
		return settings_refuse(
			&m->set, "identity", "enc-certificate and enc-key go together, for tlcp");
	if (raw->enc_key != NULL && raw->party != NULL)
		return settings_refuse(&m->set, "identity", "a party has a pair for encryption");
	if ((s->protocols & HF_TLS_TLCP) == 0 || raw->party != NULL)
		return HF_OK;
	if (raw->enc_key == NULL && s->is_server)
		return settings_refuse(&m->set, "identity",
			"a server of tlcp needs enc-certificate and enc-key, too");
	if (raw->enc_key == NULL && hf_policy(HF_ROW_LINK_TLCP_ECC, s->level) == 0)
		return refuse_row(m, "identity", HF_ROW_LINK_TLCP_ECC,
			"tlcp without enc-certificate and enc-key");
	if (raw->enc_key == NULL)
		return HF_OK;
	HF_TRY(settings_path(
		&m->set, id->enc_certificate, "identity.enc-certificate", raw->enc_certificate));
	return settings_path(&m->set, id->enc_key, "identity.enc-key", raw->enc_key);
}

static hf_err take_staples(struct making *m, const struct raw_identity *raw)
{
	struct tunnel_identity *id = &m->s->identity;

	for (unsigned i = 0; i < raw->n_staples; i++)
		HF_TRY(settings_path(&m->set, id->staples[i], "identity.staples", raw->staples[i]));
	id->n_staples = raw->n_staples;
	return HF_OK;
}

static hf_err take_identity(struct making *m)
{
	const struct raw_identity *raw =
		m->rs->identity != NULL ? m->rs->identity : m->raw->identity;
	struct tunnel_identity *id = &m->s->identity;

	if (raw == NULL)
		return settings_refuse(
			&m->set, "identity", "is missing here, and at the top of the file, too");
	HF_TRY(take_enc(m, raw));
	HF_TRY(take_staples(m, raw));
	if ((raw->party != NULL) == (raw->certificate != NULL) ||
		(raw->certificate != NULL) != (raw->key != NULL))
		return settings_refuse(&m->set, "identity", "needs party, or certificate and key");
	if (raw->party != NULL && raw->passphrase_file != NULL)
		return settings_refuse(&m->set, "identity", "passphrase-file is for key only");
	if (raw->party != NULL)
		return settings_path(&m->set, id->party, "identity.party", raw->party);
	HF_TRY(settings_path(&m->set, id->certificate, "identity.certificate", raw->certificate));
	HF_TRY(settings_path(&m->set, id->key, "identity.key", raw->key));
	if (raw->passphrase_file == NULL)
		return HF_OK;
	return settings_path(
		&m->set, id->passphrase_file, "identity.passphrase-file", raw->passphrase_file);
}

static hf_err take_trust(struct making *m)
{
	const struct raw_trust *raw = m->rs->trust != NULL ? m->rs->trust : m->raw->trust;
	struct tunnel_trust *t = &m->s->trust;
	unsigned n_roots = raw != NULL ? raw->n_roots : 0;
	unsigned n_crls = raw != NULL ? raw->n_crls : 0;

	if (n_roots == 0 && m->s->identity.party[0] == '\0')
		return settings_refuse(
			&m->set, "trust", "no roots: whom are certificates to come from?");
	if (n_crls == 0 && m->c->crl_cache[0] == '\0' &&
		hf_policy(HF_ROW_REVOCATION_AGE, m->s->level) != HF_POLICY_NONE)
		return settings_refuse(&m->set, "trust",
			"its level needs lists of what is revoked: crls, or revocation");
	for (unsigned i = 0; i < n_roots; i++)
		HF_TRY(settings_path(&m->set, t->roots[i], "trust.roots", raw->roots[i]));
	for (unsigned i = 0; i < n_crls; i++)
		HF_TRY(settings_path(&m->set, t->crls[i], "trust.crls", raw->crls[i]));
	t->n_roots = n_roots;
	t->n_crls = n_crls;
	return HF_OK;
}

static hf_err take_proxy(struct making *m)
{
	const struct raw_proxy *raw = m->rs->proxy;
	struct tunnel_service *s = m->s;

	if (raw == NULL)
		return HF_OK;
	s->sends_proxy = raw->send == YAML_TRUE;
	if (s->sends_proxy && !s->is_server)
		return settings_refuse(
			&m->set, "proxy.send", "a client's target speaks SM, not PROXY");
	for (unsigned i = 0; i < raw->n_from; i++) {
		hf_err e = strcmp(raw->from[i], "unix") == 0
				   ? hf_sock_addr_unix(&s->fronts[i], "/")
				   : hf_sock_addr_ip(&s->fronts[i], raw->from[i], 0);

		if (e != HF_OK)
			return settings_refuse_value(&m->set, "proxy.from", raw->from[i]);
	}
	s->n_fronts = raw->n_from;
	return HF_OK;
}

static hf_err take_limits(struct making *m)
{
	const struct raw_tunnel_limits *raw = m->rs->limits;
	struct tunnel_service *s = m->s;
	struct hf_tunnel_limits *l = &s->limits;
	const struct settings *set = &m->set;

	*l = (struct hf_tunnel_limits){ .connect_ms = 10 * SECOND_MS,
		.idle_ms = 10 * MINUTE_MS,
		.max_links = 10000,
		.max_opening = 1000 };
	s->handshake_ms = 10 * SECOND_MS;
	if (raw == NULL)
		return HF_OK;
	HF_TRY(settings_u32(set, &l->max_links, "limits.connections", raw->connections));
	HF_TRY(settings_u32(set, &l->max_from, "limits.per-address", raw->per_address));
	HF_TRY(settings_u32(set, &l->max_opening, "limits.opening", raw->opening));
	HF_TRY(settings_u32(set, &l->connect_ms, "limits.connect", raw->connect));
	HF_TRY(settings_u32(set, &s->handshake_ms, "limits.handshake", raw->handshake));
	return settings_u32(set, &l->idle_ms, "limits.idle", raw->idle);
}

static hf_err take_service(struct making *m, size_t i)
{
	struct tunnel_service *s = &m->c->services[i];
	const struct raw_service *raw = &m->raw->services[i];

	settings_enter(&m->set, "services", i);
	m->i = i;
	m->s = s;
	m->rs = raw;
	s->name = raw->name;
	s->is_server = raw->side == TUNNEL_SIDE_SERVER;
	s->level = raw->level != 0      ? (enum hf_level)raw->level
		   : m->raw->level != 0 ? (enum hf_level)m->raw->level
					: HF_L1;
	m->c->n_services = i + 1;
	if (!hf_id_is_valid(raw->name))
		return settings_refuse_value(&m->set, "name", raw->name);
	for (size_t k = 0; k < i; k++)
		if (strcmp(m->c->services[k].name, raw->name) == 0)
			return settings_refuse(&m->set, "name", "another service has this name");
	HF_TRY(take_accept(m));
	HF_TRY(take_protocols(m));
	HF_TRY(take_rules(m));
	HF_TRY(take_targets(m));
	HF_TRY(take_identity(m));
	HF_TRY(take_trust(m));
	HF_TRY(take_proxy(m));
	return take_limits(m);
}

/* Where lists are fetched from; what was fetched has to lie somewhere. */
static hf_err take_revocation(struct making *m)
{
	const struct raw_revocation *raw = m->raw->revocation;

	HF_TRY(revocation_take(&m->c->plan, raw, &m->set));
	if (raw == NULL)
		return HF_OK;
	if (raw->cache == NULL)
		return settings_refuse(
			&m->set, "revocation", "needs a folder for what was fetched: cache");
	return settings_path(&m->set, m->c->crl_cache, "revocation.cache", raw->cache);
}

static hf_err take_all(struct making *m)
{
	const struct raw_tunnel *raw = m->raw;
	struct tunnel_config *c = m->c;

	c->user = raw->user;
	c->group = raw->group;
	if (c->group != NULL && c->user == NULL)
		return settings_refuse(&m->set, "group", "needs user");
	c->drain_ms = 30 * SECOND_MS;
	HF_TRY(settings_u32(&m->set, &c->threads, "threads", raw->threads));
	HF_TRY(settings_u32(&m->set, &c->drain_ms, "drain", raw->drain));
	if (raw->control != NULL)
		HF_TRY(settings_path(&m->set, c->control, "control", raw->control));
	c->logs_all = raw->log == TUNNEL_LOG_ALL;
	HF_TRY(take_revocation(m));
	c->services = hf_mem_array(hf_os_mem(), raw->n_services, sizeof(*c->services));
	if (c->services == NULL)
		return settings_no_memory(&m->set);
	for (size_t i = 0; i < raw->n_services; i++)
		HF_TRY(take_service(m, i));
	return HF_OK;
}

hf_err tunnel_config_parse(struct tunnel_config *c, const char *path, const char *text,
	size_t text_len, struct hf_errinfo *ei)
{
	struct making m = { .c = c };
	void *raw = NULL;
	hf_err e;

	*c = (struct tunnel_config){ 0 };
	settings_init(&m.set, &hufu_tunnel_schema, path, text, text_len, ei);
	HF_TRY(yaml_load(&raw, &m.set.text, ei));
	c->raw = raw;
	m.raw = raw;
	e = take_all(&m);
	if (e != HF_OK)
		tunnel_config_clear(c);
	return e;
}

void tunnel_config_clear(struct tunnel_config *c)
{
	for (size_t i = 0; i < c->n_services; i++) {
		hf_mem_free(hf_os_mem(), c->services[i].target_paths);
		hf_mem_free(hf_os_mem(), c->services[i].hosts);
		hf_mem_free(hf_os_mem(), c->services[i].rules);
	}
	hf_mem_free(hf_os_mem(), c->services);
	yaml_free(&hufu_tunnel_schema, c->raw);
	memset(c, 0, sizeof(*c));
}
