/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of hufud.yaml(5), and what may stand at them. */
#include "config_yaml.h"

#include "base/attr.h"
#include "bin/common/settings.h"
#include "bin/common/yaml_schema.h"
#include "config.h"
#include "http/h2.h"

static const cyaml_strval_t roles[] = {
	{ "hub", HF_ROLE_HUB },
	{ "edge", HF_ROLE_EDGE },
	{ "device", HF_ROLE_DEVICE },
};

static const cyaml_strval_t kinds[] = {
	{ "hub", HF_SOURCE_HUB },
	{ "edge", HF_SOURCE_EDGE },
	{ "lan", HF_SOURCE_LAN },
};

static const cyaml_schema_field_t listen_fields[] = {
	YAML_NEEDED_STR("address", struct raw_listen, address, 64),
	YAML_NEEDED_QUANTITY("port", struct raw_listen, port),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t unlock_fields[] = {
	YAML_STR("passphrase-file", struct raw_unlock, passphrase_file, YAML_STRING_MAX),
	YAML_LIST("share-files", struct raw_unlock, share_files, &yaml_string_entry,
		HUFUD_SHARES_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t enrol_fields[] = {
	YAML_NEEDED_STR("token-file", struct raw_enrol, token_file, YAML_STRING_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t upstream_fields[] = {
	YAML_NEEDED_STR("host", struct raw_upstream, host, 253),
	YAML_NEEDED_QUANTITY("port", struct raw_upstream, port),
	YAML_NEEDED_ENUM("kind", struct raw_upstream, kind, kinds),
	YAML_QUANTITY("cost", struct raw_upstream, cost),
	YAML_BOOL("control", struct raw_upstream, control),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t upstream_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_upstream, upstream_fields),
};

static const cyaml_schema_field_t grant_fields[] = {
	YAML_NEEDED_STR("lineage", struct raw_grant, lineage, 64),
	YAML_NEEDED_STR("device", struct raw_grant, device, 64),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t grant_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_grant, grant_fields),
};

static const cyaml_schema_field_t limit_fields[] = {
	YAML_QUANTITY("links", struct raw_limits, links),
	YAML_QUANTITY("streams", struct raw_limits, streams),
	YAML_QUANTITY("intakes", struct raw_limits, intakes),
	YAML_QUANTITY("idle", struct raw_limits, idle),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t top_fields[] = {
	YAML_NEEDED_STR("node", struct raw_config, node, 64),
	YAML_NEEDED_ENUM("role", struct raw_config, role, roles),
	YAML_LEVEL("level", struct raw_config, level),
	YAML_NEEDED_STR("data", struct raw_config, data, YAML_STRING_MAX),
	YAML_MAP("listen", struct raw_config, listen, listen_fields),
	YAML_MAP("unlock", struct raw_config, unlock, unlock_fields),
	YAML_MAP("enrol", struct raw_config, enrol, enrol_fields),
	YAML_LIST("upstreams", struct raw_config, upstreams, &upstream_entry, HUFUD_UPSTREAMS_MAX),
	YAML_LIST("follow", struct raw_config, follow, &yaml_string_entry, HUFUD_FOLLOW_MAX),
	YAML_QUANTITY("poll", struct raw_config, poll),
	YAML_QUANTITY("quota", struct raw_config, quota),
	YAML_QUANTITY("rate", struct raw_config, rate),
	YAML_LIST("grants", struct raw_config, grants, &grant_entry, HUFUD_GRANTS_MAX),
	YAML_QUANTITY("channel-life", struct raw_config, channel_life),
	YAML_LIST("open-users", struct raw_config, open_users, &yaml_string_entry, HUFUD_USERS_MAX),
	YAML_QUANTITY("workers", struct raw_config, workers),
	YAML_MAP("limits", struct raw_config, limits, limit_fields),
	YAML_MAP("revocation", struct raw_config, revocation, revocation_fields),
	YAML_LIST("staples", struct raw_config, staples, &yaml_string_entry, HUFUD_STAPLES_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t top_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw_config, top_fields),
};

#define QUOTA_MIN (UINT64_C(64) << 20) /* one pack */

static const struct yaml_setting settings[] = {
	YAML_SAYS("node", "letters, digits, '.', '_' and '-', at most 63"),
	YAML_SAYS("role", "hub, edge or device"),
	YAML_SAYS("level", "1, 2 or 3"),
	YAML_SAYS("data", "the path of a folder"),
	YAML_SAYS("listen", "address and port"),
	YAML_SAYS("listen.address", "an IPv4 or IPv6 address; '::' for all"),
	YAML_FROM_TO("listen.port", YAML_NUMBER, 0, 65535, "0 (any free one) to 65535"),
	YAML_SAYS("unlock", "either passphrase-file or share-files"),
	YAML_SAYS("unlock.share-files", "2 to 15 paths"),
	YAML_SAYS("enrol", "token-file, the path of a file"),
	YAML_SAYS("upstreams", "1 to 16 entries, one of them with control"),
	YAML_SAYS("upstreams.host", "a name or an address"),
	YAML_FROM_TO("upstreams.port", YAML_NUMBER, 1, 65535, "1 to 65535"),
	YAML_SAYS("upstreams.kind", "hub, edge or lan"),
	YAML_FROM_TO("upstreams.cost", YAML_NUMBER, 0, 65535, "0 to 65535"),
	YAML_SAYS("upstreams.control", "true or false"),
	YAML_SAYS("follow", "at most 64 lineages: letters, digits, '.', '_' and '-', at most 63"),
	YAML_FROM_TO(
		"poll", YAML_TIME, SECOND_MS, DAY_MS, "1 s to 24 h, with a unit: ms, s, min, h, d"),
	YAML_OR("quota", YAML_SIZE, QUOTA_MIN, UINT64_MAX - 1, "none", UINT64_MAX,
		"at least 64 MiB, with a unit: KiB, MiB, GiB, TiB; or none"),
	YAML_OR("rate", YAML_SIZE, 1024, UINT64_MAX, "0", 0,
		"bytes a second, with a unit: KiB, MiB, GiB; or 0 for no limit"),
	YAML_SAYS("grants", "at most 1024 entries"),
	YAML_SAYS("grants.lineage", "a lineage, '*' for all, or a beginning like 'line-*'"),
	YAML_SAYS("grants.device", "the id of a device, '*' for all, or a beginning like 'dev-*'"),
	YAML_FROM_TO("channel-life", YAML_TIME, MINUTE_MS, UINT64_C(30) * DAY_MS,
		"1 min to 30 d, with a unit: s, min, h, d"),
	YAML_SAYS("open-users", "at most 64 users of this machine, by name or number"),
	YAML_FROM_TO("workers", YAML_NUMBER, 1, HUFUD_WORKERS_MAX, "1 to 64"),
	REVOCATION_SETTINGS,
	YAML_SAYS("staples", "at most 3 paths"),
	YAML_SAYS("limits", "links, streams, intakes and idle, each may be left out"),
	YAML_FROM_TO("limits.links", YAML_NUMBER, 1, 65536, "1 to 65536"),
	YAML_FROM_TO("limits.streams", YAML_NUMBER, 1, HF_H2_STREAMS_MAX, "1 to 256"),
	YAML_FROM_TO("limits.intakes", YAML_NUMBER, 1, 1024, "1 to 1024"),
	YAML_FROM_TO("limits.idle", YAML_TIME, SECOND_MS, DAY_MS,
		"1 s to 24 h, with a unit: ms, s, min, h, d"),
};

const struct yaml_schema hufud_yaml_schema = {
	.top = &top_schema,
	.settings = settings,
	.n_settings = HF_COUNT(settings),
	.manual = "hufud.yaml(5)",
};
