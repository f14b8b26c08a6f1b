/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a tunnel's configuration, hufu-tunnel(1), and what may stand at them. */
#include "tunnel_yaml.h"

#include "base/attr.h"
#include "bin/common/settings.h"
#include "bin/common/yaml_schema.h"
#include "pki/name.h"
#include "policy/policy.h"
#include "tunnel_config.h"

static const cyaml_strval_t sides[] = {
	{ "client", TUNNEL_SIDE_CLIENT },
	{ "server", TUNNEL_SIDE_SERVER },
};

static const cyaml_strval_t logs[] = { { "faults", TUNNEL_LOG_FAULTS }, { "all", TUNNEL_LOG_ALL } };

static const cyaml_strval_t roles[] = {
	{ "hub", HF_ROLE_HUB },
	{ "edge", HF_ROLE_EDGE },
	{ "device", HF_ROLE_DEVICE },
	{ "publisher", HF_ROLE_PUBLISHER },
	{ "director", HF_ROLE_DIRECTOR },
	{ "audit", HF_ROLE_AUDIT },
	{ "operator", HF_ROLE_OPERATOR },
};

static const cyaml_schema_field_t identity_fields[] = {
	YAML_STR("party", struct raw_identity, party, YAML_STRING_MAX),
	YAML_STR("certificate", struct raw_identity, certificate, YAML_STRING_MAX),
	YAML_STR("key", struct raw_identity, key, YAML_STRING_MAX),
	YAML_STR("passphrase-file", struct raw_identity, passphrase_file, YAML_STRING_MAX),
	YAML_STR("enc-certificate", struct raw_identity, enc_certificate, YAML_STRING_MAX),
	YAML_STR("enc-key", struct raw_identity, enc_key, YAML_STRING_MAX),
	YAML_LIST("staples", struct raw_identity, staples, &yaml_string_entry, TUNNEL_STAPLES_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t trust_fields[] = {
	YAML_LIST("roots", struct raw_trust, roots, &yaml_string_entry, TUNNEL_ROOTS_MAX),
	YAML_LIST("crls", struct raw_trust, crls, &yaml_string_entry, TUNNEL_CRLS_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t allow_fields[] = {
	YAML_STR("name", struct raw_allow, name, 127),
	YAML_STR("domain", struct raw_allow, domain, 64),
	YAML_ENUM("role", struct raw_allow, role, roles),
	YAML_LEVEL("level", struct raw_allow, level),
	YAML_STR("digest", struct raw_allow, digest, 64),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t allow_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_allow, allow_fields),
};

static const cyaml_schema_field_t proxy_fields[] = {
	YAML_BOOL("send", struct raw_proxy, send),
	YAML_LIST("from", struct raw_proxy, from, &yaml_string_entry, HF_TUNNEL_FRONTS_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t limit_fields[] = {
	YAML_QUANTITY("connections", struct raw_tunnel_limits, connections),
	YAML_QUANTITY("per-address", struct raw_tunnel_limits, per_address),
	YAML_QUANTITY("opening", struct raw_tunnel_limits, opening),
	YAML_QUANTITY("connect", struct raw_tunnel_limits, connect),
	YAML_QUANTITY("handshake", struct raw_tunnel_limits, handshake),
	YAML_QUANTITY("idle", struct raw_tunnel_limits, idle),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t service_fields[] = {
	YAML_NEEDED_STR("name", struct raw_service, name, 63),
	YAML_NEEDED_ENUM("side", struct raw_service, side, sides),
	YAML_LEVEL("level", struct raw_service, level),
	YAML_NEEDED_STR("accept", struct raw_service, accept, 280),
	YAML_STR("mode", struct raw_service, mode, 4),
	YAML_NEEDED_LIST(
		"connect", struct raw_service, connect, &yaml_string_entry, HF_TUNNEL_TARGETS_MAX),
	YAML_STR("server-name", struct raw_service, server_name, 253),
	YAML_LIST("protocols", struct raw_service, protocols, &yaml_string_entry, 2),
	YAML_BOOL("allow-cbc", struct raw_service, allow_cbc),
	YAML_MAP("identity", struct raw_service, identity, identity_fields),
	YAML_MAP("trust", struct raw_service, trust, trust_fields),
	YAML_LIST("allow", struct raw_service, allow, &allow_entry, TUNNEL_RULES_MAX),
	YAML_MAP("proxy", struct raw_service, proxy, proxy_fields),
	YAML_MAP("limits", struct raw_service, limits, limit_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t service_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_service, service_fields),
};

static const cyaml_schema_field_t top_fields[] = {
	YAML_LEVEL("level", struct raw_tunnel, level),
	YAML_STR("user", struct raw_tunnel, user, 64),
	YAML_STR("group", struct raw_tunnel, group, 64),
	YAML_QUANTITY("threads", struct raw_tunnel, threads),
	YAML_STR("control", struct raw_tunnel, control, YAML_STRING_MAX),
	YAML_QUANTITY("drain", struct raw_tunnel, drain),
	YAML_ENUM("log", struct raw_tunnel, log, logs),
	YAML_MAP("identity", struct raw_tunnel, identity, identity_fields),
	YAML_MAP("trust", struct raw_tunnel, trust, trust_fields),
	YAML_MAP("revocation", struct raw_tunnel, revocation, revocation_fields),
	YAML_NEEDED_LIST(
		"services", struct raw_tunnel, services, &service_entry, TUNNEL_SERVICES_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t top_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw_tunnel, top_fields),
};

static const struct yaml_setting settings[] = {
	YAML_SAYS("level", "1, 2 or 3"),
	YAML_SAYS("user", "a user of this machine, by name or number"),
	YAML_SAYS("group", "a group of this machine, by name or number"),
	YAML_FROM_TO("threads", YAML_NUMBER, 0, TUNNEL_THREADS_MAX,
		"1 to 256; 0 or left out: one for each processor"),
	YAML_SAYS("control", "the path of a socket"),
	YAML_FROM_TO("drain", YAML_TIME, 0, HOUR_MS, "0 s to 1 h, with a unit: ms, s, min, h"),
	YAML_SAYS("log", "faults or all"),
	YAML_SAYS("identity", "party, or certificate and key"),
	YAML_SAYS("trust", "roots, and crls where the level needs them"),
	REVOCATION_SETTINGS,
	YAML_SAYS("services", "1 to 64 entries"),
	YAML_SAYS("services.name", "letters, digits, '.', '_' and '-', at most 63, each name once"),
	YAML_SAYS("services.side", "client or server"),
	YAML_SAYS("services.level", "1, 2 or 3"),
	YAML_SAYS("services.accept",
		"ADDRESS:PORT, [ADDRESS]:PORT, unix:PATH, systemd, systemd:NAME; each once"),
	YAML_SAYS("services.mode", "permission bits of the unix socket, octal: 0600"),
	YAML_SAYS("services.connect", "1 to 16 of HOST:PORT, [ADDRESS]:PORT, unix:PATH"),
	YAML_SAYS("services.server-name",
		"client: the name that the server's certificate must carry"),
	YAML_SAYS("services.protocols", "tls13, tlcp or both; client: one"),
	YAML_SAYS("services.allow-cbc", "true or false; for tlcp, at level 1"),
	YAML_SAYS("services.identity",
		"party, or certificate and key; for tlcp enc-certificate and enc-key, too"),
	YAML_SAYS("services.trust", "roots, and crls where the level needs them"),
	YAML_SAYS("services.allow",
		"who may use it: at most 1024 entries, '- name: \"*\"' for everybody "
		"that the roots vouch for"),
	YAML_SAYS(
		"services.allow.role", "hub, edge, device, publisher, director, audit or operator"),
	YAML_SAYS("services.allow.level", "1, 2 or 3"),
	YAML_SAYS("services.allow.digest", "SM3 of the certificate, 64 hexadecimal digits"),
	YAML_SAYS("services.proxy", "send, from"),
	YAML_SAYS("services.proxy.send", "true or false; server only"),
	YAML_SAYS("services.proxy.from", "addresses that send a PROXY header, version 2; or unix"),
	YAML_SAYS("services.limits", "connections, per-address, opening, connect, handshake and "
				     "idle, each may be left out"),
	YAML_FROM_TO("services.limits.connections", YAML_NUMBER, 1, 1000000, "1 to 1000000"),
	YAML_FROM_TO("services.limits.per-address", YAML_NUMBER, 1, 1000000, "1 to 1000000"),
	YAML_FROM_TO("services.limits.opening", YAML_NUMBER, 1, 1000000, "1 to 1000000"),
	YAML_FROM_TO("services.limits.connect", YAML_TIME, 100, HOUR_MS,
		"100 ms to 1 h, with a unit: ms, s, min, h"),
	YAML_FROM_TO("services.limits.handshake", YAML_TIME, 100, HOUR_MS,
		"100 ms to 1 h, with a unit: ms, s, min, h"),
	YAML_OR("services.limits.idle", YAML_TIME, 100, UINT64_C(30) * DAY_MS, "none", 0,
		"100 ms to 30 d, with a unit: ms, s, min, h, d; or none"),
};

const struct yaml_schema hufu_tunnel_schema = {
	.top = &top_schema,
	.settings = settings,
	.n_settings = HF_COUNT(settings),
	.manual = "hufu-tunnel(1)",
};
