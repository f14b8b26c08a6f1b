/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of hufud.yaml(5), and what may stand at them. */
#include "config_yaml.h"

#include <cyaml/cyaml.h>

#include "base/attr.h"
#include "config.h"

enum {
	STRING_MAX = 1000,
};

#define STR(key, struct_, member, max) \
	CYAML_FIELD_STRING_PTR( \
		key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct_, member, 1, max)
#define NEEDED_STR(key, struct_, member, max) \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, struct_, member, 1, max)
#define MAP(key, struct_, member, fields) \
	CYAML_FIELD_MAPPING_PTR( \
		key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct_, member, fields)
#define LIST(key, struct_, member, entry, max) \
	CYAML_FIELD_SEQUENCE_COUNT(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct_, member, \
		n_##member, entry, 0, max)

static const cyaml_strval_t roles[] = {
	{ "hub", HF_ROLE_HUB },
	{ "edge", HF_ROLE_EDGE },
	{ "device", HF_ROLE_DEVICE },
};

static const cyaml_strval_t levels[] = { { "1", HF_L1 }, { "2", HF_L2 }, { "3", HF_L3 } };

static const cyaml_strval_t kinds[] = {
	{ "hub", HF_SOURCE_HUB },
	{ "edge", HF_SOURCE_EDGE },
	{ "lan", HF_SOURCE_LAN },
};

static const cyaml_schema_value_t string_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, STRING_MAX),
};

static const cyaml_schema_field_t listen_fields[] = {
	NEEDED_STR("address", struct raw_listen, address, 64),
	CYAML_FIELD_UINT("port", CYAML_FLAG_DEFAULT, struct raw_listen, port),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t unlock_fields[] = {
	STR("passphrase-file", struct raw_unlock, passphrase_file, STRING_MAX),
	LIST("share-files", struct raw_unlock, share_files, &string_entry, HUFUD_SHARES_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t enrol_fields[] = {
	NEEDED_STR("token-file", struct raw_enrol, token_file, STRING_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t upstream_fields[] = {
	NEEDED_STR("host", struct raw_upstream, host, 253),
	CYAML_FIELD_UINT("port", CYAML_FLAG_DEFAULT, struct raw_upstream, port),
	CYAML_FIELD_ENUM(
		"kind", CYAML_FLAG_STRICT, struct raw_upstream, kind, kinds, HF_COUNT(kinds)),
	CYAML_FIELD_UINT("cost", CYAML_FLAG_OPTIONAL, struct raw_upstream, cost),
	CYAML_FIELD_BOOL_PTR(
		"control", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct raw_upstream, control),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t upstream_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_upstream, upstream_fields),
};

static const cyaml_schema_field_t grant_fields[] = {
	NEEDED_STR("lineage", struct raw_grant, lineage, 64),
	NEEDED_STR("device", struct raw_grant, device, 64),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t grant_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_grant, grant_fields),
};

static const cyaml_schema_field_t limit_fields[] = {
	CYAML_FIELD_UINT_PTR(
		"links", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct raw_limits, links),
	CYAML_FIELD_UINT_PTR(
		"streams", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct raw_limits, streams),
	CYAML_FIELD_UINT_PTR(
		"intakes", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct raw_limits, intakes),
	STR("idle", struct raw_limits, idle, 32),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t top_fields[] = {
	NEEDED_STR("node", struct raw_config, node, 64),
	CYAML_FIELD_ENUM(
		"role", CYAML_FLAG_STRICT, struct raw_config, role, roles, HF_COUNT(roles)),
	CYAML_FIELD_ENUM("level", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, struct raw_config, level,
		levels, HF_COUNT(levels)),
	NEEDED_STR("data", struct raw_config, data, STRING_MAX),
	MAP("listen", struct raw_config, listen, listen_fields),
	MAP("unlock", struct raw_config, unlock, unlock_fields),
	MAP("enrol", struct raw_config, enrol, enrol_fields),
	LIST("upstreams", struct raw_config, upstreams, &upstream_entry, HUFUD_UPSTREAMS_MAX),
	LIST("follow", struct raw_config, follow, &string_entry, HUFUD_FOLLOW_MAX),
	STR("poll", struct raw_config, poll, 32),
	STR("quota", struct raw_config, quota, 32),
	STR("rate", struct raw_config, rate, 32),
	LIST("grants", struct raw_config, grants, &grant_entry, HUFUD_GRANTS_MAX),
	STR("channel-life", struct raw_config, channel_life, 32),
	LIST("open-users", struct raw_config, open_users, &string_entry, HUFUD_USERS_MAX),
	MAP("limits", struct raw_config, limits, limit_fields),
	MAP("revocation", struct raw_config, revocation, revocation_fields),
	LIST("staples", struct raw_config, staples, &string_entry, HUFUD_STAPLES_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t top_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw_config, top_fields),
};

/* What may stand at a key, for messages; places without their entry numbers. */
static const struct yaml_allowed allowed[] = {
	{ "node", "letters, digits, '.', '_' and '-', at most 63" },
	{ "role", "hub, edge or device" },
	{ "level", "1, 2 or 3" },
	{ "data", "the path of a folder" },
	{ "listen.address", "an IPv4 or IPv6 address; '::' for all" },
	{ "listen.port", "0 (any free one) to 65535" },
	{ "unlock", "either passphrase-file or share-files" },
	{ "unlock.share-files", "2 to 15 paths" },
	{ "upstreams", "1 to 16 entries, one of them with control" },
	{ "upstreams.host", "a name or an address" },
	{ "upstreams.port", "1 to 65535" },
	{ "upstreams.kind", "hub, edge or lan" },
	{ "upstreams.cost", "0 to 65535" },
	{ "upstreams.control", "true or false" },
	{ "follow", "at most 64 lineages: letters, digits, '.', '_' and '-', at most 63" },
	{ "poll", "1 s to 24 h, with a unit: ms, s, min, h, d" },
	{ "quota", "at least 64 MiB, with a unit: KiB, MiB, GiB, TiB; or none" },
	{ "rate", "bytes a second, with a unit: KiB, MiB, GiB; or 0 for no limit" },
	{ "grants", "at most 1024 entries" },
	{ "grants.lineage", "a lineage, '*' for all, or a beginning like 'line-*'" },
	{ "grants.device", "the id of a device, '*' for all, or a beginning like 'dev-*'" },
	{ "channel-life", "1 min to 30 d, with a unit: s, min, h, d" },
	{ "open-users", "at most 64 users of this machine, by name or number" },
	REVOCATION_ALLOWED,
	{ "staples", "at most 3 paths" },
	{ "limits.links", "1 to 65536" },
	{ "limits.streams", "1 to 256" },
	{ "limits.intakes", "1 to 1024" },
	{ "limits.idle", "1 s to 24 h, with a unit: ms, s, min, h, d" },
};

const struct yaml_schema hufud_yaml_schema = {
	.top = &top_schema,
	.allowed = allowed,
	.n_allowed = HF_COUNT(allowed),
	.manual = "hufud.yaml(5)",
};
