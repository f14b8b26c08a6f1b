/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what the YAML says to what it means: units, users, paths, defaults, and what a role needs or
 * has no use for. Everything is checked before the first process starts.
 */
#include "config.h"

#include <ctype.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/checked.h"
#include "config_yaml.h"
#include "http/h2.h"
#include "os/heap.h"

enum {
	SECOND_MS = 1000,
	MINUTE_MS = 60 * SECOND_MS,
	HOUR_MS = 60 * MINUTE_MS,
	DAY_MS = 24 * HOUR_MS,
	KEY_MAX = 64,
	UNIT_MAX = 8,
};

#define QUOTA_MIN  (UINT64_C(64) << 20) /* one pack */
#define QUOTA_NONE UINT64_MAX

/* A configuration in the making. */
struct making {
	struct hufud_config *c;
	const struct raw_config *raw;
	struct yaml_text text;
	struct hf_errinfo *ei;
	size_t dir_len; /* of the file's path, with the slash; 0: the working folder */
};

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit times[] = { { "ms", 1 }, { "s", SECOND_MS }, { "min", MINUTE_MS },
	{ "h", HOUR_MS }, { "d", DAY_MS }, { NULL, 0 } };

static const struct unit sizes[] = { { "B", 1 }, { "KiB", 1 << 10 }, { "MiB", 1 << 20 },
	{ "GiB", UINT64_C(1) << 30 }, { "TiB", UINT64_C(1) << 40 }, { NULL, 0 } };

/* A number that a value must lie in. */
struct range {
	uint64_t min;
	uint64_t max;
};

static hf_err refuse(struct making *m, const char *key, const char *what)
{
	return yaml_refuse(&m->text, key, what, m->ei);
}

static hf_err refuse_value(struct making *m, const char *key, const char *value)
{
	char what[96];

	(void)snprintf(what, sizeof(what), "'%.64s' is not allowed here", value);
	return refuse(m, key, what);
}

/* "10 GiB", "72 h": a number, blanks or none, a unit. */
static bool quantity_parse(uint64_t *out, const char *text, const struct unit *units)
{
	char *unit = NULL;
	uint64_t n;

	if (!isdigit((unsigned char)text[0]) || strlen(text) > 24)
		return false;
	n = strtoull(text, &unit, 10);
	unit += strspn(unit, " ");
	for (; units->name != NULL; units++)
		if (strcmp(units->name, unit) == 0)
			return n != UINT64_MAX && hf_mul_u64(out, n, units->factor) == HF_OK;
	return false;
}

static hf_err quantity(struct making *m, uint64_t *out, const char *key, const char *text,
	const struct unit *units, struct range range)
{
	uint64_t n = 0;

	if (text == NULL)
		return HF_OK; /* the default stays */
	if (!quantity_parse(&n, text, units) || n < range.min || n > range.max)
		return refuse_value(m, key, text);
	*out = n;
	return HF_OK;
}

/* A path as it is, or below the folder of the configuration file. */
static hf_err path(struct making *m, char out[HF_PATH_MAX], const char *key, const char *text)
{
	char dir[HF_PATH_MAX] = "";
	int n;

	if (text[0] == '/') {
		n = snprintf(out, HF_PATH_MAX, "%s", text);
	} else {
		if (m->text.path[0] != '/' && getcwd(dir, sizeof(dir)) == NULL)
			return refuse(m, key, "relative, and there is no working folder");
		n = snprintf(out, HF_PATH_MAX, "%s%s%.*s%s", dir, dir[0] != '\0' ? "/" : "",
			(int)m->dir_len, m->text.path, text);
	}
	return n < 0 || n >= HF_PATH_MAX ? refuse(m, key, "the path is too long") : HF_OK;
}

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

static const char *entry_key(char key[KEY_MAX], const char *list, size_t i, const char *field)
{
	(void)snprintf(
		key, KEY_MAX, "%s[%zu]%s%s", list, i + 1, field[0] != '\0' ? "." : "", field);
	return key;
}

static hf_err take_listen(struct making *m)
{
	if (m->raw->listen == NULL)
		return HF_OK;
	m->c->address = m->raw->listen->address;
	m->c->port = m->raw->listen->port;
	return HF_OK;
}

static hf_err take_unlock(struct making *m)
{
	const struct raw_unlock *u = m->raw->unlock;
	struct hufud_config *c = m->c;
	char key[KEY_MAX];

	if (u == NULL)
		return HF_OK;
	if ((u->passphrase_file != NULL) == (u->n_share_files > 0))
		return refuse(m, "unlock", "needs one of its keys, and only one");
	if (u->passphrase_file != NULL)
		return path(m, c->passphrase_file, "unlock.passphrase-file", u->passphrase_file);
	if (u->n_share_files < 2)
		return refuse(m, "unlock.share-files", "one share opens nothing");
	c->share_files = hf_mem_array(hf_os_mem(), u->n_share_files, sizeof(*c->share_files));
	if (c->share_files == NULL)
		return hf_fail(m->ei, HF_ERR_NO_MEMORY, "%s: out of memory", m->text.path);
	for (size_t i = 0; i < u->n_share_files; i++)
		HF_TRY(path(m, c->share_files[i], entry_key(key, "unlock.share-files", i, ""),
			u->share_files[i]));
	c->n_share_files = u->n_share_files;
	return HF_OK;
}

static hf_err take_upstream(struct making *m, size_t i)
{
	const struct raw_upstream *raw = &m->raw->upstreams[i];
	struct hufud_upstream *u = &m->c->upstreams[i];
	char key[KEY_MAX];

	*u = (struct hufud_upstream){ .host = raw->host,
		.port = raw->port,
		.kind = (enum hf_source_kind)raw->kind,
		.cost = raw->cost,
		.is_control =
			raw->control != NULL ? *raw->control : raw->kind != (int)HF_SOURCE_LAN };
	if (raw->port == 0)
		return refuse_value(m, entry_key(key, "upstreams", i, "port"), "0");
	if (u->is_control && u->kind == HF_SOURCE_LAN)
		return refuse(m, entry_key(key, "upstreams", i, "control"),
			"a neighbour on the LAN is asked for objects only");
	(void)snprintf(u->name, sizeof(u->name), "%s:%u", u->host, (unsigned)u->port);
	for (size_t k = 0; k < i; k++)
		if (strcmp(m->c->upstreams[k].name, u->name) == 0)
			return refuse(m, entry_key(key, "upstreams", i, "host"),
				"this upstream is there already");
	return HF_OK;
}

static hf_err take_upstreams(struct making *m)
{
	bool any_control = false;

	for (size_t i = 0; i < m->raw->n_upstreams; i++) {
		HF_TRY(take_upstream(m, i));
		any_control |= m->c->upstreams[i].is_control;
	}
	m->c->n_upstreams = m->raw->n_upstreams;
	if (m->c->n_upstreams > 0 && !any_control)
		return refuse(m, "upstreams", "none of them may be asked for channel and grants");
	return HF_OK;
}

static hf_err take_follow(struct making *m)
{
	char key[KEY_MAX];

	for (size_t i = 0; i < m->raw->n_follow; i++)
		if (!hf_id_is_valid(m->raw->follow[i]))
			return refuse_value(m, entry_key(key, "follow", i, ""), m->raw->follow[i]);
	m->c->follow = (const char *const *)m->raw->follow;
	m->c->n_follow = m->raw->n_follow;
	return HF_OK;
}

static hf_err take_grants(struct making *m)
{
	struct hf_grant_rule *rules;
	char key[KEY_MAX];

	if (m->raw->n_grants == 0)
		return HF_OK;
	rules = hf_mem_array(hf_os_mem(), m->raw->n_grants, sizeof(*rules));
	if (rules == NULL)
		return hf_fail(m->ei, HF_ERR_NO_MEMORY, "%s: out of memory", m->text.path);
	m->c->grants = rules;
	m->c->n_grants = m->raw->n_grants;
	for (size_t i = 0; i < m->raw->n_grants; i++) {
		const struct raw_grant *g = &m->raw->grants[i];

		if (!is_pattern(g->lineage))
			return refuse_value(m, entry_key(key, "grants", i, "lineage"), g->lineage);
		if (!is_pattern(g->device))
			return refuse_value(m, entry_key(key, "grants", i, "device"), g->device);
		rules[i] = (struct hf_grant_rule){ .lineage = g->lineage, .device = g->device };
	}
	return HF_OK;
}

static hf_err take_user(struct making *m, size_t i)
{
	const char *name = m->raw->open_users[i];
	size_t len = strlen(name);
	const struct passwd *user;
	char key[KEY_MAX];

	if (strspn(name, "0123456789") == len && len < 10) {
		m->c->open_uids[i] = (uint32_t)strtoul(name, NULL, 10);
		return HF_OK;
	}
	/* Only the one thread that reads the configuration is there yet. */
	user = getpwnam(name); /* NOLINT(concurrency-mt-unsafe) */
	if (user == NULL)
		return refuse_value(m, entry_key(key, "open-users", i, ""), name);
	m->c->open_uids[i] = (uint32_t)user->pw_uid;
	return HF_OK;
}

static hf_err take_users(struct making *m)
{
	for (size_t i = 0; i < m->raw->n_open_users; i++)
		HF_TRY(take_user(m, i));
	m->c->n_open_uids = m->raw->n_open_users;
	return HF_OK;
}

static hf_err take_limit(
	struct making *m, uint32_t *out, const char *key, const uint32_t *value, uint32_t max)
{
	char text[16];

	if (value == NULL)
		return HF_OK;
	if (*value < 1 || *value > max) {
		(void)snprintf(text, sizeof(text), "%u", (unsigned)*value);
		return refuse_value(m, key, text);
	}
	*out = *value;
	return HF_OK;
}

static hf_err take_limits(struct making *m)
{
	const struct raw_limits *l = m->raw->limits;
	uint64_t idle_ms = m->c->idle_ms;

	if (l == NULL)
		return HF_OK;
	HF_TRY(take_limit(m, &m->c->max_links, "limits.links", l->links, 65536));
	HF_TRY(take_limit(m, &m->c->max_streams, "limits.streams", l->streams, HF_H2_STREAMS_MAX));
	HF_TRY(take_limit(m, &m->c->max_intakes, "limits.intakes", l->intakes, 1024));
	HF_TRY(quantity(
		m, &idle_ms, "limits.idle", l->idle, times, (struct range){ SECOND_MS, DAY_MS }));
	m->c->idle_ms = (uint32_t)idle_ms;
	return HF_OK;
}

static hf_err take_quantities(struct making *m)
{
	const struct raw_config *raw = m->raw;
	struct hufud_config *c = m->c;
	uint64_t life_ms = c->channel_life_s * SECOND_MS;

	HF_TRY(quantity(
		m, &c->poll_ms, "poll", raw->poll, times, (struct range){ SECOND_MS, DAY_MS }));
	HF_TRY(quantity(m, &life_ms, "channel-life", raw->channel_life, times,
		(struct range){ MINUTE_MS, UINT64_C(30) * DAY_MS }));
	c->channel_life_s = life_ms / SECOND_MS;
	if (raw->quota != NULL && strcmp(raw->quota, "none") != 0)
		HF_TRY(quantity(m, &c->quota, "quota", raw->quota, sizes,
			(struct range){ QUOTA_MIN, QUOTA_NONE - 1 }));
	if (raw->rate != NULL && strcmp(raw->rate, "0") != 0)
		HF_TRY(quantity(
			m, &c->rate, "rate", raw->rate, sizes, (struct range){ 1024, UINT64_MAX }));
	return HF_OK;
}

static hf_err take_revocation(struct making *m)
{
	const struct raw_revocation *raw = m->raw->revocation;
	struct crl_fetch_plan *plan = &m->c->plan;
	uint64_t every_ms;
	uint64_t timeout_ms;

	HF_TRY(revocation_take(plan, raw, &m->text, m->ei));
	if (raw == NULL)
		return HF_OK;
	if (raw->cache != NULL)
		return refuse(m, "revocation.cache", "lists of a node lie in its data folder");
	every_ms = plan->every_ms;
	timeout_ms = plan->timeout_ms;
	HF_TRY(quantity(m, &every_ms, "revocation.every", raw->every, times,
		(struct range){ REVOCATION_MIN_MS, REVOCATION_EVERY_MAX_MS }));
	HF_TRY(quantity(m, &timeout_ms, "revocation.timeout", raw->timeout, times,
		(struct range){ REVOCATION_MIN_MS, REVOCATION_TIMEOUT_MAX_MS }));
	plan->every_ms = (uint32_t)every_ms;
	plan->timeout_ms = (uint32_t)timeout_ms;
	return HF_OK;
}

static hf_err take_staples(struct making *m)
{
	char key[KEY_MAX];

	for (size_t i = 0; i < m->raw->n_staples; i++)
		HF_TRY(path(
			m, m->c->staples[i], entry_key(key, "staples", i, ""), m->raw->staples[i]));
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
		return refuse(m, rows[i].key, what);
	}
	return HF_OK;
}

static void set_defaults(struct hufud_config *c)
{
	*c = (struct hufud_config){
		.poll_ms = MINUTE_MS,
		.quota = QUOTA_NONE,
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
		return refuse_value(m, "node", raw->node);
	c->node = raw->node;
	c->role = (enum hf_role)raw->role;
	c->level = raw->level == 0 ? HF_L1 : (enum hf_level)raw->level;
	HF_TRY(check_role(m));
	HF_TRY(path(m, c->data, "data", raw->data));
	HF_TRY(take_listen(m));
	HF_TRY(take_unlock(m));
	if (raw->enrol != NULL)
		HF_TRY(path(m, c->token_file, "enrol.token-file", raw->enrol->token_file));
	HF_TRY(take_upstreams(m));
	HF_TRY(take_follow(m));
	HF_TRY(take_quantities(m));
	HF_TRY(take_grants(m));
	HF_TRY(take_users(m));
	HF_TRY(take_revocation(m));
	HF_TRY(take_staples(m));
	return take_limits(m);
}

hf_err hufud_config_parse(struct hufud_config *c, const char *path_, const char *text,
	size_t text_len, struct hf_errinfo *ei)
{
	struct making m = {
		.c = c, .text = { &hufud_yaml_schema, path_, text, text_len }, .ei = ei
	};
	const char *slash = strrchr(path_, '/');
	void *raw = NULL;
	hf_err e;

	set_defaults(c);
	m.dir_len = slash == NULL ? 0 : (size_t)(slash - path_) + 1;
	HF_TRY(yaml_load(&raw, &m.text, ei));
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
