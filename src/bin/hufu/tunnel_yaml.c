/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a tunnel's configuration, hufu-tunnel(1), and what may stand at them. */
#include "tunnel_yaml.h"

#include "base/attr.h"
#include "pki/name.h"
#include "policy/policy.h"
#include "tunnel_config.h"

enum { STRING_MAX = 1000 };

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
#define NEEDED_LIST(key, struct_, member, entry, max) \
	CYAML_FIELD_SEQUENCE_COUNT( \
		key, CYAML_FLAG_POINTER, struct_, member, n_##member, entry, 1, max)
#define ENUM(key, struct_, member, names) \
	CYAML_FIELD_ENUM(key, CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, struct_, member, names, \
		HF_COUNT(names))
#define UINT(key, struct_, member) \
	CYAML_FIELD_UINT_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct_, member)

static const cyaml_strval_t levels[] = { { "1", HF_L1 }, { "2", HF_L2 }, { "3", HF_L3 } };

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

static const cyaml_schema_value_t string_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, STRING_MAX),
};

static const cyaml_schema_field_t identity_fields[] = {
	STR("party", struct raw_identity, party, STRING_MAX),
	STR("certificate", struct raw_identity, certificate, STRING_MAX),
	STR("key", struct raw_identity, key, STRING_MAX),
	STR("passphrase-file", struct raw_identity, passphrase_file, STRING_MAX),
	STR("enc-certificate", struct raw_identity, enc_certificate, STRING_MAX),
	STR("enc-key", struct raw_identity, enc_key, STRING_MAX),
	LIST("staples", struct raw_identity, staples, &string_entry, TUNNEL_STAPLES_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t trust_fields[] = {
	LIST("roots", struct raw_trust, roots, &string_entry, TUNNEL_ROOTS_MAX),
	LIST("crls", struct raw_trust, crls, &string_entry, TUNNEL_CRLS_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t allow_fields[] = {
	STR("name", struct raw_allow, name, 127),
	STR("domain", struct raw_allow, domain, 64),
	ENUM("role", struct raw_allow, role, roles),
	ENUM("level", struct raw_allow, level, levels),
	STR("digest", struct raw_allow, digest, 64),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t allow_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_allow, allow_fields),
};

static const cyaml_schema_field_t proxy_fields[] = {
	CYAML_FIELD_BOOL_PTR(
		"send", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct raw_proxy, send),
	LIST("from", struct raw_proxy, from, &string_entry, HF_TUNNEL_FRONTS_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t limit_fields[] = {
	UINT("connections", struct raw_tunnel_limits, connections),
	UINT("per-address", struct raw_tunnel_limits, per_address),
	UINT("opening", struct raw_tunnel_limits, opening),
	STR("connect", struct raw_tunnel_limits, connect, 32),
	STR("handshake", struct raw_tunnel_limits, handshake, 32),
	STR("idle", struct raw_tunnel_limits, idle, 32),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t service_fields[] = {
	NEEDED_STR("name", struct raw_service, name, 63),
	CYAML_FIELD_ENUM(
		"side", CYAML_FLAG_STRICT, struct raw_service, side, sides, HF_COUNT(sides)),
	ENUM("level", struct raw_service, level, levels),
	NEEDED_STR("accept", struct raw_service, accept, 280),
	STR("mode", struct raw_service, mode, 4),
	NEEDED_LIST("connect", struct raw_service, connect, &string_entry, HF_TUNNEL_TARGETS_MAX),
	STR("server-name", struct raw_service, server_name, 253),
	LIST("protocols", struct raw_service, protocols, &string_entry, 2),
	CYAML_FIELD_BOOL_PTR("allow-cbc", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct raw_service, allow_cbc),
	MAP("identity", struct raw_service, identity, identity_fields),
	MAP("trust", struct raw_service, trust, trust_fields),
	LIST("allow", struct raw_service, allow, &allow_entry, TUNNEL_RULES_MAX),
	MAP("proxy", struct raw_service, proxy, proxy_fields),
	MAP("limits", struct raw_service, limits, limit_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t service_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_service, service_fields),
};

static const cyaml_schema_field_t top_fields[] = {
	ENUM("level", struct raw_tunnel, level, levels),
	STR("user", struct raw_tunnel, user, 64),
	STR("group", struct raw_tunnel, group, 64),
	UINT("threads", struct raw_tunnel, threads),
	STR("control", struct raw_tunnel, control, STRING_MAX),
	STR("drain", struct raw_tunnel, drain, 32),
	ENUM("log", struct raw_tunnel, log, logs),
	MAP("identity", struct raw_tunnel, identity, identity_fields),
	MAP("trust", struct raw_tunnel, trust, trust_fields),
	MAP("revocation", struct raw_tunnel, revocation, revocation_fields),
	NEEDED_LIST("services", struct raw_tunnel, services, &service_entry, TUNNEL_SERVICES_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t top_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw_tunnel, top_fields),
};

static const struct yaml_allowed allowed[] = {
	{ "level", "1, 2 or 3" },
	{ "user", "a user of this machine, by name or number" },
	{ "group", "a group of this machine, by name or number" },
	{ "threads", "1 to 256; 0 or left out: one for each processor" },
	{ "control", "the path of a socket" },
	{ "drain", "0 s to 1 h, with a unit: ms, s, min, h" },
	{ "log", "faults or all" },
	{ "identity", "party, or certificate and key" },
	{ "trust", "roots, and crls where the level needs them" },
	REVOCATION_ALLOWED,
	{ "services", "1 to 64 entries" },
	{ "services.name", "letters, digits, '.', '_' and '-', at most 63, each name once" },
	{ "services.side", "client or server" },
	{ "services.level", "1, 2 or 3" },
	{ "services.accept",
		"ADDRESS:PORT, [ADDRESS]:PORT, unix:PATH, systemd, systemd:NAME; each once" },
	{ "services.mode", "permission bits of the unix socket, octal: 0600" },
	{ "services.connect", "1 to 16 of HOST:PORT, [ADDRESS]:PORT, unix:PATH" },
	{ "services.server-name", "client: the name that the server's certificate must carry" },
	{ "services.protocols", "tls13, tlcp or both; client: one" },
	{ "services.allow-cbc", "true or false; for tlcp, at level 1" },
	{ "services.identity",
		"party, or certificate and key; for tlcp enc-certificate and enc-key, too" },
	{ "services.trust", "roots, and crls where the level needs them" },
	{ "services.allow", "who may use it: at most 1024 entries, '- name: \"*\"' for everybody "
			    "that the roots vouch for" },
	{ "services.allow.role", "hub, edge, device, publisher, director, audit or operator" },
	{ "services.allow.level", "1, 2 or 3" },
	{ "services.allow.digest", "SM3 of the certificate, 64 hexadecimal digits" },
	{ "services.proxy.send", "true or false; server only" },
	{ "services.proxy.from", "addresses that send a PROXY header, version 2; or unix" },
	{ "services.limits.connections", "1 to 1000000" },
	{ "services.limits.per-address", "1 to 1000000" },
	{ "services.limits.opening", "1 to 1000000" },
	{ "services.limits.connect", "100 ms to 1 h, with a unit: ms, s, min, h" },
	{ "services.limits.handshake", "100 ms to 1 h, with a unit: ms, s, min, h" },
	{ "services.limits.idle", "100 ms to 30 d, with a unit: ms, s, min, h, d; or none" },
};

const struct yaml_schema hufu_tunnel_schema = {
	.top = &top_schema,
	.allowed = allowed,
	.n_allowed = HF_COUNT(allowed),
	.manual = "hufu-tunnel(1)",
};
