/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything is written into <dir>.new-<random> and renamed at the end. Keys of root CA and root
 * role and those of the hub are wrapped under a seed derived from the root seed; a publisher's
 * under a secret of its own folder.
 */
#include "svc/domain.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/hex.h"
#include "base/wipe.h"
#include "os/clock.h"
#include "os/dir.h"
#include "os/file.h"
#include "pkg/root.h"
#include "svc/issue.h"
#include "svc/keyfile.h"
#include "svc/party.h"

enum {
	ROOT_LIFE_S = 2 * 365 * 86400, /* of the trust root; to be signed again before that */
	PARTY_LIFE_S = 365 * 86400,    /* certificates of hub and publishers */
};

/* A domain in the making. */
struct making {
	const struct hf_env *env;
	const struct hf_domain_spec *spec;
	struct hf_errinfo *ei;
	char dir[HF_PATH_MAX]; /* the temporary one */
	uint64_t now_s;
	uint8_t seed[HF_KEY_SEED_LEN]; /* root seed */
	uint8_t wrap[HF_KEY_SEED_LEN]; /* derived from it */
	struct hf_sm2_key root_ca;
	struct hf_sm2_key issuing_ca;
	struct hf_sm2_key root_role;
	struct hf_sm2_key director;
	struct hf_buf root_ca_der;
	struct hf_buf issuing_ca_der;
	struct hf_key_set publishers;
	struct hf_buf root_object;
};

static hf_err check_spec(const struct hf_domain_spec *spec, struct hf_errinfo *ei)
{
	struct hf_file_stat st;

	if (!hf_id_is_valid(spec->name))
		return hf_fail(ei, HF_ERR_ARG,
			"domain name '%s': letters, digits, '.', '_' and '-', at most %d",
			spec->name, HF_ID_MAX);
	if (!hf_id_is_valid(spec->hub))
		return hf_fail(ei, HF_ERR_ARG,
			"hub id '%s': letters, digits, '.', '_' and '-', at most %d", spec->hub,
			HF_ID_MAX);
	if (spec->n_publishers < 1 || spec->n_publishers > HF_DOMAIN_PUBLISHERS_MAX)
		return hf_fail(ei, HF_ERR_ARG, "publishers: 1 to %d", HF_DOMAIN_PUBLISHERS_MAX);
	if (spec->threshold < 2 || spec->threshold > spec->n_shares ||
		spec->n_shares > HF_SHARES_MAX)
		return hf_fail(
			ei, HF_ERR_ARG, "shares: 2 <= threshold <= shares <= %d", HF_SHARES_MAX);
	if (spec->passphrase != NULL && spec->passphrase_len < HF_PASSPHRASE_MIN)
		return hf_fail(ei, HF_ERR_ARG, "passphrase: at least %d bytes", HF_PASSPHRASE_MIN);
	if (hf_file_stat(&st, spec->dir, NULL) == HF_OK)
		return hf_fail(
			ei, HF_ERR_EXISTS, "%s: already there; a domain is made once", spec->dir);
	return HF_OK;
}

/* The root seed, its slots and the shares of the first slot. */
static hf_err make_slots(struct making *m, struct hf_share *shares)
{
	const struct hf_domain_spec *spec = m->spec;
	struct hf_slots slots = { .n_slots = 0 };
	uint8_t file[HF_SLOTS_FILE_MAX];
	size_t len = sizeof(file);
	char path[HF_PATH_MAX];

	HF_TRY(hf_rng_fill(&m->env->rng, m->seed, sizeof(m->seed)));
	HF_TRY(hf_root_derive(m->wrap, m->seed, "wrap"));
	HF_TRY(hf_slots_init(&slots, m->seed, &m->env->rng));
	HF_TRY(hf_slots_add_shamir(
		&slots, shares, spec->threshold, spec->n_shares, m->seed, &m->env->rng));
	if (spec->passphrase != NULL)
		HF_TRY(hf_slots_add_passphrase(
			&slots, spec->passphrase, spec->passphrase_len, m->seed, &m->env->rng));
	HF_TRY(hf_slots_emit(file, &len, &slots));
	HF_TRY(hf_path_join(path, m->dir, "root.slots", m->ei));
	HF_TRY(hf_file_replace(path, 0600, file, len, m->ei));
	/* The hub opens the same slots when it starts. */
	HF_TRY(hf_path_join(path, m->dir, "hub/root.slots", m->ei));
	return hf_file_replace(path, 0600, file, len, m->ei);
}

/* Makes a key pair and leaves it in a file; key stays with the caller. */
static hf_err make_key(struct making *m, struct hf_sm2_key *key, const char *file,
	const char *purpose, const char *owner, uint16_t usage)
{
	char path[HF_PATH_MAX];
	struct hf_keyfile f = { .path = path,
		.purpose = purpose,
		.owner = owner,
		.seed = m->wrap,
		.usage = usage,
		.tier = 1 };

	HF_TRY(hf_sm2_key_new(key, &m->env->rng));
	HF_TRY(hf_path_join(path, m->dir, file, m->ei));
	return hf_keyfile_write_sm2(m->env, &f, key, m->ei);
}

static hf_err make_cas(struct making *m)
{
	const struct hf_env *env = m->env;
	struct hf_local_key root = { .key = &m->root_ca, .rng = &env->rng };
	struct hf_signer signer;
	struct hf_issue what = { .kind = HF_ISSUE_ROOT_CA, .now_s = m->now_s };
	struct hf_cert root_cert = { .is_ca = false };

	HF_TRY(make_key(m, &m->root_ca, "root-ca.key", "root-ca", m->spec->name, HF_KEY_ISSUE));
	HF_TRY(make_key(m, &m->issuing_ca, "hub/keys/issuing-ca.key", "issuing-ca", m->spec->hub,
		HF_KEY_ISSUE));
	signer = hf_signer_local(&root);
	memcpy(what.identity.domain, m->spec->name, strlen(m->spec->name));
	what.key = m->root_ca.pub;
	HF_TRY(hf_issue_cert(env, &m->root_ca_der, &what, &signer, m->ei));
	HF_TRY(hf_cert_parse(&root_cert, m->root_ca_der.p, m->root_ca_der.len, m->ei));

	what.kind = HF_ISSUE_CA;
	what.key = m->issuing_ca.pub;
	what.issuer = root_cert.subject;
	return hf_issue_cert(env, &m->issuing_ca_der, &what, &signer, m->ei);
}

/* One certificate by the issuing CA, put into the folder of its party. */
static hf_err put_cert(struct making *m, const char *dir, const char *file, enum hf_issue_kind kind,
	const struct hf_identity *id, const struct hf_sm2_pub *pub)
{
	struct hf_local_key ca = { .key = &m->issuing_ca, .rng = &m->env->rng };
	struct hf_signer signer = hf_signer_local(&ca);
	struct hf_cert ca_cert = { .is_ca = false };
	struct hf_issue what = { .kind = kind,
		.identity = *id,
		.key = *pub,
		.now_s = m->now_s,
		.life_s = PARTY_LIFE_S };
	struct hf_buf der;
	hf_err e;

	HF_TRY(hf_cert_parse(&ca_cert, m->issuing_ca_der.p, m->issuing_ca_der.len, m->ei));
	what.issuer = ca_cert.subject;
	hf_buf_init(&der, m->env->mem, HF_CERT_DER_MAX);
	e = hf_issue_cert(m->env, &der, &what, &signer, m->ei);
	if (e == HF_OK)
		e = hf_party_put_cert(
			m->env, dir, file, (struct hf_bytes){ der.p, der.len }, m->ei);
	hf_buf_clear(&der);
	return e;
}

/* Keys and certificates of one party. *pub is its signing key. */
static hf_err make_party(struct making *m, const char *folder, const struct hf_identity *id,
	const uint8_t *seed, struct hf_sm2_pub *pub)
{
	static const struct {
		const char *name;
		enum hf_issue_kind kind;
	} pairs[] = { { "sign", HF_ISSUE_SIGN }, { "enc", HF_ISSUE_ENC } };
	struct hf_sm2_key key = { .d = { 0 } };
	char dir[HF_PATH_MAX];
	hf_err e = HF_OK;

	HF_TRY(hf_path_join(dir, m->dir, folder, m->ei));
	for (size_t i = 0; e == HF_OK && i < HF_COUNT(pairs); i++) {
		e = hf_sm2_key_new(&key, &m->env->rng);
		if (e == HF_OK)
			e = hf_party_put_key(m->env, dir, id->id, pairs[i].name, seed, &key, m->ei);
		if (e == HF_OK)
			e = put_cert(m, dir, pairs[i].name, pairs[i].kind, id, &key.pub);
		if (i == 0)
			*pub = key.pub;
		hf_sm2_key_clear(&key);
	}
	if (e == HF_OK)
		e = hf_party_put_cert(m->env, dir, "root-ca",
			(struct hf_bytes){ m->root_ca_der.p, m->root_ca_der.len }, m->ei);
	if (e == HF_OK)
		e = hf_party_put_cert(m->env, dir, "issuing-ca",
			(struct hf_bytes){ m->issuing_ca_der.p, m->issuing_ca_der.len }, m->ei);
	return e;
}

/* Publishers seal their deposits to the hub. */
static hf_err give_hub_cert(struct making *m, const char *dir)
{
	char path[HF_PATH_MAX];
	struct hf_cert hub = { .is_ca = false };
	hf_err e;

	HF_TRY(hf_path_join(path, m->dir, "hub/certs/enc.crt", m->ei));
	HF_TRY(hf_cert_load(&hub, m->env, path, m->ei));
	e = hf_party_put_cert(m->env, dir, "hub-enc", hub.der, m->ei);
	hf_cert_clear(&hub);
	return e;
}

static void identity_of(
	struct hf_identity *id, const struct making *m, enum hf_role role, const char *name)
{
	memset(id, 0, sizeof(*id));
	id->role = role;
	id->level = m->spec->level;
	(void)snprintf(id->domain, sizeof(id->domain), "%s", m->spec->name);
	(void)snprintf(id->id, sizeof(id->id), "%s", name);
}

static hf_err make_hub(struct making *m)
{
	struct hf_identity id;
	struct hf_sm2_pub pub;
	struct hf_sm2_key audit = { .d = { 0 } };
	char dir[HF_PATH_MAX];
	hf_err e;

	identity_of(&id, m, HF_ROLE_HUB, m->spec->hub);
	HF_TRY(make_party(m, "hub", &id, m->wrap, &pub));
	HF_TRY(make_key(
		m, &m->director, "hub/keys/director.key", "director", m->spec->hub, HF_KEY_SIGN));
	HF_TRY(hf_path_join(dir, m->dir, "hub", m->ei));
	e = make_key(m, &audit, "hub/keys/audit.key", "audit", m->spec->hub, HF_KEY_SIGN);
	id.role = HF_ROLE_AUDIT;
	if (e == HF_OK)
		e = put_cert(m, dir, "audit", HF_ISSUE_SIGN, &id, &audit.pub);
	hf_sm2_key_clear(&audit);
	return e;
}

static void publisher_name(char name[32], unsigned i)
{
	if (i == 0)
		(void)snprintf(name, 32, "publisher");
	else
		(void)snprintf(name, 32, "publisher-%u", i + 1);
}

static hf_err make_publishers(struct making *m)
{
	uint8_t seed[HF_KEY_SEED_LEN];
	char name[32];
	char dir[HF_PATH_MAX];
	struct hf_identity id;
	hf_err e = HF_OK;

	for (unsigned i = 0; e == HF_OK && i < m->spec->n_publishers; i++) {
		publisher_name(name, i);
		identity_of(&id, m, HF_ROLE_PUBLISHER, name);
		e = hf_path_join(dir, m->dir, name, m->ei);
		if (e == HF_OK)
			e = hf_party_make(dir, m->ei);
		if (e == HF_OK)
			e = hf_party_seed(m->env, dir, true, seed, m->ei);
		if (e == HF_OK)
			e = make_party(m, name, &id, seed, &m->publishers.keys[i]);
		if (e == HF_OK)
			e = give_hub_cert(m, dir);
		m->publishers.n++;
	}
	m->publishers.threshold = 1;
	hf_wipe(seed, sizeof(seed));
	return e;
}

/* The trust root, version 1, and a copy for each party. */
static hf_err make_root(struct making *m)
{
	struct hf_local_key role = { .key = &m->root_role, .rng = &m->env->rng };
	struct hf_signer signer;
	const struct hf_signer *signers[1] = { &signer };
	struct hf_root root = { .version = 1, .issued_s = m->now_s };
	struct hf_buf content;
	char name[64];
	char path[HF_PATH_MAX];
	hf_err e;

	HF_TRY(make_key(
		m, &m->root_role, "root-role.key", "root-role", m->spec->name, HF_KEY_SIGN));
	signer = hf_signer_local(&role);
	(void)snprintf(root.domain, sizeof(root.domain), "%s", m->spec->name);
	root.expires_s = m->now_s + ROOT_LIFE_S;
	root.roles[HF_ROOT_ROOT] = hf_key_set_one(&m->root_role.pub);
	root.roles[HF_ROOT_PUBLISHER] = m->publishers;
	root.roles[HF_ROOT_DIRECTOR] = hf_key_set_one(&m->director.pub);
	root.roles[HF_ROOT_POLICY] = hf_key_set_one(&m->root_role.pub);
	hf_buf_init(&content, m->env->mem, hf_object_max(HF_OBJECT_ROOT));
	e = hf_root_emit(&content, &root, m->ei);
	if (e == HF_OK)
		e = hf_object_sign(&m->root_object, HF_OBJECT_ROOT,
			(struct hf_bytes){ content.p, content.len }, signers, 1, m->ei);
	hf_buf_clear(&content);
	for (unsigned i = 0; e == HF_OK && i <= m->spec->n_publishers; i++) {
		char folder[32] = "hub";

		if (i > 0)
			publisher_name(folder, i - 1);
		(void)snprintf(name, sizeof(name), "%s/trust/root.der", folder);
		e = hf_path_join(path, m->dir, name, m->ei);
		if (e == HF_OK)
			e = hf_file_replace(
				path, 0644, m->root_object.p, m->root_object.len, m->ei);
	}
	return e;
}

static hf_err make_all(struct making *m, struct hf_share *shares)
{
	char hub[HF_PATH_MAX];
	hf_err e;

	HF_TRY(hf_path_join(hub, m->dir, "hub", m->ei));
	HF_TRY(hf_dir_make(m->dir, 0700, m->ei));
	HF_TRY(hf_dir_make(hub, 0700, m->ei));
	HF_TRY(hf_party_make(hub, m->ei));
	HF_TRY(make_slots(m, shares));
	HF_TRY(make_cas(m));
	HF_TRY(make_hub(m));
	HF_TRY(make_publishers(m));
	HF_TRY(make_root(m));
	HF_TRY(hf_file_rename(m->dir, m->spec->dir, m->ei));
	e = hf_dir_sync_above(m->spec->dir, m->ei);
	/* A domain whose shares are not handed out must not stay. */
	if (e != HF_OK)
		(void)!hf_file_rename(m->spec->dir, m->dir, NULL);
	return e;
}

/* <dir>.new-<random>, beside the folder to be, so that a rename finishes the work. */
static hf_err temporary_name(struct making *m)
{
	uint8_t random[4];
	char hex[2 * sizeof(random) + 1];
	size_t len = strlen(m->spec->dir);

	HF_TRY(hf_rng_fill(&m->env->rng, random, sizeof(random)));
	hf_hex_emit(hex, random, sizeof(random));
	while (len > 1 && m->spec->dir[len - 1] == '/')
		len--;
	if (len >= sizeof(m->dir) || snprintf(m->dir, sizeof(m->dir), "%.*s.new-%s", (int)len,
					     m->spec->dir, hex) >= (int)sizeof(m->dir))
		return hf_fail(m->ei, HF_ERR_LIMIT, "%s: the path is too long", m->spec->dir);
	return HF_OK;
}

hf_err hf_domain_init(const struct hf_env *env, const struct hf_domain_spec *spec,
	struct hf_share *shares, struct hf_errinfo *ei)
{
	struct making m = { .env = env, .spec = spec, .ei = ei, .now_s = hf_clock_wall_s() };
	hf_err e;

	HF_TRY(check_spec(spec, ei));
	HF_TRY(temporary_name(&m));
	hf_buf_init(&m.root_ca_der, env->mem, HF_CERT_DER_MAX);
	hf_buf_init(&m.issuing_ca_der, env->mem, HF_CERT_DER_MAX);
	hf_buf_init(&m.root_object, env->mem, hf_object_max(HF_OBJECT_ROOT));

	e = make_all(&m, shares);
	if (e != HF_OK) {
		(void)hf_fail(ei, e, "%s: making the domain failed: %s", spec->dir, hf_err_text(e));
		(void)!hf_dir_delete_all(env->mem, m.dir, NULL);
		hf_wipe(shares, sizeof(*shares) * spec->n_shares);
	}
	hf_buf_clear(&m.root_ca_der);
	hf_buf_clear(&m.issuing_ca_der);
	hf_buf_clear(&m.root_object);
	hf_wipe(&m, sizeof(m));
	return e;
}

hf_err hf_domain_slots(
	struct hf_slots *s, const struct hf_env *env, const char *dir, struct hf_errinfo *ei)
{
	struct hf_errinfo why = { .code = HF_OK };
	char path[HF_PATH_MAX];
	struct hf_buf file;
	hf_err e;

	HF_TRY(hf_path_join(path, dir, "root.slots", ei));
	hf_buf_init(&file, env->mem, HF_SLOTS_FILE_MAX);
	e = hf_file_load(&file, path, &why);
	if (e == HF_ERR_NOT_FOUND)
		(void)hf_fail(ei, e, "%s: there is none; `hufu domain init` makes it", path);
	else if (e != HF_OK)
		(void)hf_fail(ei, e, "%s", why.text);
	if (e == HF_OK) {
		e = hf_slots_parse(s, file.p, file.len);
		if (e != HF_OK)
			(void)hf_fail(ei, e, "%s: not a file of key slots", path);
	}
	hf_buf_clear(&file);
	return e;
}
