/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what the YAML says to what it means: units, users, paths, defaults, and what a role needs or
 * has no use for. Everything is checked before the first process starts.
 */
#include "config.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "bin/common/settings.h"
#include "bin/common/yaml_schema.h"
#include "config_yaml.h"
#include "os/heap.h"

/* A configuration in the making. */
struct making {
	struct hufud_config *c;
	const struct raw_config *raw;
	struct settings s;
};

/* "*", an id, or the beginning of one with a '*' behind it. */
static bool is_pattern(const char *s)
{
	char id[HF_ID_MAX + 1];
	size_t len = strlen(s);

	if (len == 0 || len > HF_ID_MAX + 1)
		return false;
	if (strcmp(s, "*") == 0)
		return true;
	if (s[len - 1] == '*')
		len--;
	if (len > HF_ID_MAX)
		return false;
	memcpy(id, s, len);
	id[len] = '\0';
	return hf_id_is_valid(id);
}

static hf_err take_listen(struct making *m)
{
	if (m->raw->listen == NULL)
		return HF_OK;
	m->c->address = m->raw->listen->address;
	return settings_u16(&m->s, &m->c->port, "listen.port", m->raw->listen->port);
}

static hf_err take_unlock(struct making *m)
{
	const struct raw_unlock *u = m->raw->unlock;
	struct hufud_config *c = m->c;

	if (u == NULL)
		return HF_OK;
	if ((u->passphrase_file != NULL) == (u->n_share_files > 0))
		return settings_refuse(&m->s, "unlock", "needs one of its keys, and only one");
	if (u->passphrase_file != NULL)
		return settings_path(
			&m->s, c->passphrase_file, "unlock.passphrase-file", u->passphrase_file);
	if (u->n_share_files < 2)
		return settings_refuse(&m->s, "unlock.share-files", "one share opens nothing");
	c->share_files = hf_mem_array(hf_os_mem(), u->n_share_files, sizeof(*c->share_files));
	if (c->share_files == NULL)
		return settings_no_memory(&m->s);
	for (size_t i = 0; i < u->n_share_files; i++) {
		settings_enter(&m->s, "unlock.share-files", i);
		HF_TRY(settings_path(&m->s, c->share_files[i], "", u->share_files[i]));
	}
	settings_enter(&m->s, NULL, 0);
	c->n_share_files = u->n_share_files;
	return HF_OK;
}

static hf_err take_upstream(struct making *m, size_t i)
{
	const struct raw_upstream *raw = &m->raw->upstreams[i];
	struct hufud_upstream *u = &m->c->upstreams[i];

	settings_enter(&m->s, "upstreams", i);
	*u = (struct hufud_upstream){ .host = raw->host,
		.kind = (enum hf_source_kind)raw->kind,
		.is_control = raw->control != YAML_UNSAID ? raw->control == YAML_TRUE
							  : raw->kind != (int)HF_SOURCE_LAN };
	HF_TRY(settings_u16(&m->s, &u->port, "port", raw->port));
	HF_TRY(settings_u16(&m->s, &u->cost, "cost", raw->cost));
	if (u->is_control && u->kind == HF_SOURCE_LAN)
		return settings_refuse(
			&m->s, "control", "a neighbour on the LAN is asked for objects only");
	(void)snprintf(u->name, sizeof(u->name), "%s:%u", u->host, (unsigned)u->port);
	for (size_t k = 0; k < i; k++)
		if (strcmp(m->c->upstreams[k].name, u->name) == 0)
			return settings_refuse(&m->s, "host", "this upstream is there already");
	return HF_OK;
}

static hf_err take_upstreams(struct making *m)
{
	bool any_control = false;

	for (size_t i = 0; i < m->raw->n_upstreams; i++) {
		HF_TRY(take_upstream(m, i));
		any_control |= m->c->upstreams[i].is_control;
	}
	settings_enter(&m->s, NULL, 0);
	m->c->n_upstreams = m->raw->n_upstreams;
	if (m->c->n_upstreams > 0 && !any_control)
		return settings_refuse(
			&m->s, "upstreams", "none of them may be asked for channel and grants");
	return HF_OK;
}

static hf_err take_follow(struct making *m)
{
	for (size_t i = 0; i < m->raw->n_follow; i++) {
		settings_enter(&m->s, "follow", i);
		if (!hf_id_is_valid(m->raw->follow[i]))
			return settings_refuse_value(&m->s, "", m->raw->follow[i]);
	}
	settings_enter(&m->s, NULL, 0);
	m->c->follow = (const char *const *)m->raw->follow;
	m->c->n_follow = m->raw->n_follow;
	return HF_OK;
}

static hf_err take_grants(struct making *m)
{
	struct hf_grant_rule *rules;

	if (m->raw->n_grants == 0)
		return HF_OK;
	rules = hf_mem_array(hf_os_mem(), m->raw->n_grants, sizeof(*rules));
	if (rules == NULL)
		return settings_no_memory(&m->s);
	m->c->grants = rules;
	m->c->n_grants = m->raw->n_grants;
	for (size_t i = 0; i < m->raw->n_grants; i++) {
		const struct raw_grant *g = &m->raw->grants[i];

		settings_enter(&m->s, "grants", i);
		if (!is_pattern(g->lineage))
			return settings_refuse_value(&m->s, "lineage", g->lineage);
		if (!is_pattern(g->device))
			return settings_refuse_value(&m->s, "device", g->device);
		rules[i] = (struct hf_grant_rule){ .lineage = g->lineage, .device = g->device };
	}
	settings_enter(&m->s, NULL, 0);
	return HF_OK;
}

static hf_err take_user(struct making *m, size_t i)
{
	const char *name = m->raw->open_users[i];
	const struct passwd *user;
	uint64_t uid = 0;

	if (settings_number_parse(&uid, name, UINT32_MAX - 1)) {
		m->c->open_uids[i] = (uint32_t)uid;
		return HF_OK;
	}
	/* Only the one thread that reads the configuration is there yet. */
	user = getpwnam(name); /* NOLINT(concurrency-mt-unsafe) */
	settings_enter(&m->s, "open-users", i);
	if (user == NULL)
		return settings_refuse_value(&m->s, "", name);
	m->c->open_uids[i] = (uint32_t)user->pw_uid;
	return HF_OK;
}

static hf_err take_users(struct making *m)
{
	for (size_t i = 0; i < m->raw->n_open_users; i++)
		HF_TRY(take_user(m, i));
	settings_enter(&m->s, NULL, 0);
	m->c->n_open_uids = m->raw->n_open_users;
	return HF_OK;
}

/* One thread for all, unless it is said: an idle link then takes less memory. */
static hf_err take_workers(struct making *m)
{
	if (m->c->address == NULL)
		return HF_OK;
	m->c->workers = 1;
	return settings_u32(&m->s, &m->c->workers, "workers", m->raw->workers);
}

static hf_err take_limits(struct making *m)
{
	const struct raw_limits *l = m->raw->limits;
	struct hufud_config *c = m->c;

	if (l == NULL)
		return HF_OK;
	HF_TRY(settings_u32(&m->s, &c->max_links, "limits.links", l->links));
	HF_TRY(settings_u32(&m->s, &c->max_streams, "limits.streams", l->streams));
	HF_TRY(settings_u32(&m->s, &c->max_intakes, "limits.intakes", l->intakes));
	return settings_u32(&m->s, &c->idle_ms, "limits.idle", l->idle);
}

static hf_err take_quantities(struct making *m)
{
	const struct raw_config *raw = m->raw;
	struct hufud_config *c = m->c;
	uint64_t life_ms = c->channel_life_s * SECOND_MS;

	HF_TRY(settings_u64(&m->s, &c->poll_ms, "poll", raw->poll));
	HF_TRY(settings_u64(&m->s, &life_ms, "channel-life", raw->channel_life));
	c->channel_life_s = life_ms / SECOND_MS;
	HF_TRY(settings_u64(&m->s, &c->quota, "quota", raw->quota));
	return settings_u64(&m->s, &c->rate, "rate", raw->rate);
}

static hf_err take_revocation(struct making *m)
{
	const struct raw_revocation *raw = m->raw->revocation;

	HF_TRY(revocation_take(&m->c->plan, raw, &m->s));
	if (raw != NULL && raw->cache != NULL)
		return settings_refuse(
			&m->s, "revocation.cache", "lists of a node lie in its data folder");
	return HF_OK;
}

static hf_err take_staples(struct making *m)
{
	for (size_t i = 0; i < m->raw->n_staples; i++) {
		settings_enter(&m->s, "staples", i);
		HF_TRY(settings_path(&m->s, m->c->staples[i], "", m->raw->staples[i]));
	}
	settings_enter(&m->s, NULL, 0);
	m->c->n_staples = m->raw->n_staples;
	return HF_OK;
}

/* What a role must say, and what it has no use for: better told than ignored. */
static hf_err check_role(struct making *m)
{
	enum { NO, MAY, MUST };
	const struct raw_config *raw = m->raw;
	const struct {
		const char *key;
		bool is_there;
		uint8_t hub;
		uint8_t edge;
		uint8_t device;
	} rows[] = {
		{ "listen", raw->listen != NULL, MUST, MUST, NO },
		{ "unlock", raw->unlock != NULL, MUST, NO, NO },
		{ "enrol", raw->enrol != NULL, NO, MAY, MAY },
		{ "upstreams", raw->n_upstreams > 0, NO, MUST, MUST },
		{ "follow", raw->n_follow > 0, NO, MAY, MAY },
		{ "poll", raw->poll != NULL, NO, MAY, MAY },
		{ "rate", raw->rate != NULL, NO, MAY, MAY },
		{ "grants", raw->n_grants > 0, MAY, NO, NO },
		{ "workers", raw->workers != NULL, MAY, MAY, NO },
		{ "channel-life", raw->channel_life != NULL, MAY, NO, NO },
	};
	const char *role = hf_role_name((enum hf_role)raw->role);
	char what[64];

	for (size_t i = 0; i < HF_COUNT(rows); i++) {
		uint8_t want = raw->role == HF_ROLE_HUB    ? rows[i].hub
			       : raw->role == HF_ROLE_EDGE ? rows[i].edge
							   : rows[i].device;

		if (rows[i].is_there ? want != NO : want != MUST)
			continue;
		(void)snprintf(what, sizeof(what),
			rows[i].is_there ? "not for the role %s" : "the role %s needs it", role);
		return settings_refuse(&m->s, rows[i].key, what);
	}
	return HF_OK;
}

static void set_defaults(struct hufud_config *c)
{
	*c = (struct hufud_config){
		.poll_ms = MINUTE_MS,
		.quota = UINT64_MAX,
		.channel_life_s = DAY_MS / SECOND_MS,
		.max_links = 1024,
		.max_streams = 64,
		.max_intakes = 16,
		.idle_ms = 10 * MINUTE_MS,
	};
}

static hf_err take_all(struct making *m)
{
	const struct raw_config *raw = m->raw;
	struct hufud_config *c = m->c;

	if (!hf_id_is_valid(raw->node))
		return settings_refuse_value(&m->s, "node", raw->node);
	c->node = raw->node;
	c->role = (enum hf_role)raw->role;
	c->level = raw->level == 0 ? HF_L1 : (enum hf_level)raw->level;
	HF_TRY(check_role(m));
	HF_TRY(settings_path(&m->s, c->data, "data", raw->data));
	HF_TRY(take_listen(m));
	HF_TRY(take_unlock(m));
	if (raw->enrol != NULL)
		HF_TRY(settings_path(
			&m->s, c->token_file, "enrol.token-file", raw->enrol->token_file));
	HF_TRY(take_upstreams(m));
	HF_TRY(take_follow(m));
	HF_TRY(take_quantities(m));
	HF_TRY(take_grants(m));
	HF_TRY(take_users(m));
	HF_TRY(take_revocation(m));
	HF_TRY(take_staples(m));
	HF_TRY(take_workers(m));
	return take_limits(m);
}

hf_err hufud_config_parse(struct hufud_config *c, const char *path, const char *text,
	size_t text_len, struct hf_errinfo *ei)
{
	struct making m = { .c = c };
	void *raw = NULL;
	hf_err e;

	set_defaults(c);
	settings_init(&m.s, &hufud_yaml_schema, path, text, text_len, ei);
	HF_TRY(yaml_load(&raw, &m.s.text, ei));
	c->raw = raw;
	m.raw = raw;
	e = take_all(&m);
	if (e != HF_OK)
		hufud_config_clear(c);
	return e;
}

void hufud_config_clear(struct hufud_config *c)
{
	union {
		const struct hf_grant_rule *in;
		void *out;
	} rules = { .in = c->grants };

	hf_mem_free(hf_os_mem(), rules.out);
	hf_mem_free(hf_os_mem(), c->share_files);
	yaml_free(&hufud_yaml_schema, c->raw);
	memset(c, 0, sizeof(*c));
}
