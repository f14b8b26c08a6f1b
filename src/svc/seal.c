/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Order: everything that can be refused is refused before the first byte is sealed; the bundle is
 * written beside its name and renamed when it is whole.
 */
#include "svc/seal.h"

#include <stdio.h>
#include <string.h>

#include "base/wipe.h"
#include "os/clock.h"
#include "os/dir.h"
#include "pkg/chunk.h"
#include "pkg/grant.h"
#include "pkg/manifest.h"
#include "pkg/pkg_writer.h"
#include "svc/base.h"
#include "svc/bundle_file.h"
#include "svc/inputs.h"
#include "svc/keyfile.h"
#include "svc/party.h"

enum { BASE_STEPS_LEN = 4096 };

/* A release in the making. */
struct sealing {
	const struct hf_env *env;
	const struct hf_seal_spec *spec;
	struct hf_errinfo *ei;
	uint64_t now_s;
	struct hf_party party[HF_SEAL_PARTIES_MAX];
	struct hf_sm2_key key[HF_SEAL_PARTIES_MAX];
	uint8_t seed[HF_KEY_SEED_LEN]; /* of the first party */
	struct hf_base *base;
	struct hf_base_spec base_spec;
	struct hf_buf base_pages;
	struct hf_buf base_steps;
	struct hf_inputs *inputs;
	struct hf_pkg_scope scope;
	struct hf_deposit_keys keys;
	struct hf_chunk_keys chunk_keys;
	struct hf_pkg_writer *writer;
	struct hf_bundle_out out;
};

static hf_err check_spec(const struct hf_seal_spec *spec, struct hf_errinfo *ei)
{
	uint64_t expiry = hf_policy(HF_ROW_PACKAGE_EXPIRY, spec->level);

	if (!hf_id_is_valid(spec->lineage))
		return hf_fail(ei, HF_ERR_ARG, "lineage '%s': letters, digits, '.', '_' and '-'",
			spec->lineage);
	if (spec->n_parties == 0 || spec->n_parties > HF_SEAL_PARTIES_MAX)
		return hf_fail(ei, HF_ERR_ARG, "publishers: 1 to %d", HF_SEAL_PARTIES_MAX);
	if (spec->epoch == 0 || spec->release == 0 || spec->floor > spec->release)
		return hf_fail(ei, HF_ERR_ARG,
			"epoch and release count from 1, and the floor is not above the release");
	if (spec->life_s == 0)
		return hf_fail(ei, HF_ERR_ARG, "a release must be valid for some time");
	if (spec->n_parties < hf_policy(HF_ROW_PACKAGE_SIGNATURES, spec->level))
		return hf_policy_refuse(ei, HF_ROW_PACKAGE_SIGNATURES, spec->level,
			"%zu given; add another publisher", spec->n_parties);
	if (spec->life_s > expiry)
		return hf_policy_refuse(ei, HF_ROW_PACKAGE_EXPIRY, spec->level,
			"this one would be valid for %llu days",
			(unsigned long long)(spec->life_s / 86400));
	if (hf_policy(HF_ROW_PACKAGE_MARKS, spec->level) != 0)
		return hf_policy_refuse(ei, HF_ROW_PACKAGE_MARKS, spec->level,
			"this version makes none, so it cannot seal at this level");
	return HF_OK;
}

static bool key_eq(const struct hf_sm2_pub *a, const struct hf_sm2_pub *b)
{
	return memcmp(a->x, b->x, sizeof(a->x)) == 0 && memcmp(a->y, b->y, sizeof(a->y)) == 0;
}

/* May party i sign this release: a publisher of the trust root of the first one, and only once? */
static hf_err check_party(const struct sealing *s, size_t i)
{
	const struct hf_party *p = &s->party[i];
	const struct hf_key_set *set = &s->party[0].root.roles[HF_ROOT_PUBLISHER];
	bool is_known = false;

	if (p->identity.role != HF_ROLE_PUBLISHER)
		return hf_fail(s->ei, HF_ERR_DENIED, "%s: is a %s, not a publisher", p->dir,
			hf_role_name(p->identity.role));
	if (p->identity.level < s->spec->level)
		return hf_fail(s->ei, HF_ERR_DENIED, "%s: may publish up to level %d, not %d",
			p->dir, (int)p->identity.level, (int)s->spec->level);
	for (size_t k = 0; k < i; k++)
		if (key_eq(&s->party[k].sign.key, &p->sign.key))
			return hf_fail(s->ei, HF_ERR_ARG, "%s: the same publisher twice", p->dir);
	for (unsigned k = 0; k < set->n; k++)
		is_known = is_known || key_eq(&set->keys[k], &p->sign.key);
	if (!is_known)
		return hf_fail(s->ei, HF_ERR_DENIED,
			"%s: no publisher of domain %s by the trust root of %s", p->dir,
			s->party[0].root.domain, s->party[0].dir);
	return HF_OK;
}

/* The publishers, their keys, and the hub that the deposit is for. */
static hf_err load_parties(struct sealing *s)
{
	uint8_t seed[HF_KEY_SEED_LEN];
	hf_err e = HF_OK;

	for (size_t i = 0; e == HF_OK && i < s->spec->n_parties; i++) {
		e = hf_party_open(&s->party[i], s->env, s->spec->parties[i], s->ei);
		if (e == HF_OK)
			e = check_party(s, i);
		if (e == HF_OK)
			e = hf_party_seed(s->env, s->spec->parties[i], false, seed, s->ei);
		if (e == HF_OK)
			e = hf_party_key(s->env, &s->party[i], "sign", seed, &s->key[i], s->ei);
		if (i == 0)
			memcpy(s->seed, seed, sizeof(seed));
	}
	hf_wipe(seed, sizeof(seed));
	return e;
}

/* K_dom of the lineage and epoch: read, or made with the first release. */
static hf_err load_kdom(struct sealing *s)
{
	char dir[HF_PATH_MAX];
	char path[HF_PATH_MAX];
	char name[HF_ID_MAX + 32];
	char owner[HF_ID_MAX + 32];
	struct hf_keyfile f = { .path = path,
		.purpose = "kdom",
		.owner = owner,
		.seed = s->seed,
		.usage = HF_KEY_DERIVE,
		.tier = 3 };
	hf_err e;

	(void)snprintf(owner, sizeof(owner), "%s epoch %llu", s->spec->lineage,
		(unsigned long long)s->spec->epoch);
	(void)snprintf(name, sizeof(name), "%s.%llu.kdom", s->spec->lineage,
		(unsigned long long)s->spec->epoch);
	HF_TRY(hf_path_join(dir, s->spec->parties[0], "lineages", s->ei));
	HF_TRY(hf_path_join(path, dir, name, s->ei));
	e = hf_keyfile_read(s->env, &f, s->keys.k_dom, HF_KDOM_LEN, NULL);
	if (e != HF_ERR_NOT_FOUND)
		return e == HF_OK ? HF_OK
				  : hf_keyfile_read(s->env, &f, s->keys.k_dom, HF_KDOM_LEN, s->ei);
	HF_TRY(hf_dir_make(dir, 0700, s->ei));
	HF_TRY(hf_rng_fill(&s->env->rng, s->keys.k_dom, HF_KDOM_LEN));
	return hf_keyfile_write(s->env, &f, s->keys.k_dom, HF_KDOM_LEN, s->ei);
}

/* Signs with every publisher and puts the object into the bundle. */
static hf_err put_signed(
	struct sealing *s, enum hf_object kind, struct hf_bytes content, uint8_t name[HF_SM3_LEN])
{
	struct hf_local_key local[HF_SEAL_PARTIES_MAX];
	struct hf_signer signer[HF_SEAL_PARTIES_MAX];
	const struct hf_signer *signers[HF_SEAL_PARTIES_MAX];
	struct hf_buf object;
	hf_err e;

	for (size_t i = 0; i < s->spec->n_parties; i++) {
		local[i] = (struct hf_local_key){ .key = &s->key[i], .rng = &s->env->rng };
		signer[i] = hf_signer_local(&local[i]);
		signers[i] = &signer[i];
	}
	hf_buf_init(&object, s->env->mem, hf_object_max(kind));
	e = hf_object_sign(&object, kind, content, signers, s->spec->n_parties, s->ei);
	if (e == HF_OK) {
		hf_object_name(name, object.p, object.len);
		e = hf_bundle_out_put(&s->out, kind, (struct hf_bytes){ object.p, object.len });
	}
	hf_buf_clear(&object);
	return e;
}

static hf_err put_manifest(
	struct sealing *s, const struct hf_pkg_body *body, uint8_t name[HF_SM3_LEN])
{
	const struct hf_seal_spec *spec = s->spec;
	struct hf_manifest m = {
		.epoch = spec->epoch,
		.release = spec->release,
		.floor = spec->floor,
		.level = spec->level,
		.created_s = s->now_s,
		.expires_s = s->now_s + spec->life_s,
		.body = *body,
	};
	struct hf_buf content;
	hf_err e;

	(void)snprintf(m.domain, sizeof(m.domain), "%s", s->party[0].identity.domain);
	(void)snprintf(m.lineage, sizeof(m.lineage), "%s", spec->lineage);
	(void)snprintf(m.version, sizeof(m.version), "%s", spec->version);
	hf_buf_init(&content, s->env->mem, hf_object_max(HF_OBJECT_MANIFEST));
	e = hf_manifest_emit(&content, &m, s->ei);
	if (e == HF_OK)
		e = put_signed(
			s, HF_OBJECT_MANIFEST, (struct hf_bytes){ content.p, content.len }, name);
	hf_buf_clear(&content);
	return e;
}

/* The deposit goes to the hub whose encryption certificate came with the domain. */
static hf_err put_deposit(struct sealing *s, const uint8_t manifest[HF_SM3_LEN])
{
	struct hf_grant_context c = { .epoch = s->spec->epoch,
		.release = s->spec->release,
		.issued_s = s->now_s,
		.not_after_s = s->now_s + s->spec->life_s,
		.level = s->spec->level };
	struct hf_cert hub = { .is_ca = false };
	struct hf_cms_party to = { .cert = &hub };
	struct hf_buf content;
	uint8_t name[HF_SM3_LEN];
	char path[HF_PATH_MAX];
	hf_err e;

	HF_TRY(hf_path_join(path, s->spec->parties[0], "certs/hub-enc.crt", s->ei));
	HF_TRY(hf_cert_load(&hub, s->env, path, s->ei));
	to.pub = hub.key;
	(void)snprintf(c.domain, sizeof(c.domain), "%s", s->party[0].identity.domain);
	(void)snprintf(c.lineage, sizeof(c.lineage), "%s", s->spec->lineage);
	(void)snprintf(c.recipient, sizeof(c.recipient), "%s", hub.identity.id);
	memcpy(c.manifest, manifest, sizeof(c.manifest));
	hf_cert_fingerprint(c.cert, &hub);
	hf_buf_init(&content, s->env->mem, hf_object_max(HF_OBJECT_DEPOSIT));
	e = hf_deposit_emit(&content, &c, &s->keys, &to, &s->env->rng, s->ei);
	if (e == HF_OK)
		e = put_signed(
			s, HF_OBJECT_DEPOSIT, (struct hf_bytes){ content.p, content.len }, name);
	hf_buf_clear(&content);
	hf_cert_clear(&hub);
	return e;
}

static hf_err make_keys(struct sealing *s, struct hf_pkg_writer_config *config)
{
	const struct hf_seal_spec *spec = s->spec;

	s->scope.suite = HF_SUITE_SM4_GCM;
	s->scope.release = spec->release;
	hf_pkg_domain_id(
		s->scope.domain_id, s->party[0].identity.domain, spec->lineage, spec->epoch);
	HF_TRY(load_kdom(s));
	HF_TRY(hf_rng_fill(&s->env->rng, s->keys.cek, sizeof(s->keys.cek)));
	s->keys.has_salt = spec->no_dedupe;
	if (spec->no_dedupe)
		HF_TRY(hf_rng_fill(&s->env->rng, s->keys.salt, sizeof(s->keys.salt)));
	HF_TRY(hf_chunk_keys_init(
		&s->chunk_keys, s->keys.k_dom, &s->scope, spec->no_dedupe ? s->keys.salt : NULL));
	config->mem = s->env->mem;
	config->scope = s->scope;
	memcpy(config->cek, s->keys.cek, sizeof(config->cek));
	return hf_rng_fill(&s->env->rng, config->salt, sizeof(config->salt));
}

/* What the manifest says about earlier releases. */
static hf_err say_base(struct sealing *s, struct hf_seal_result *result)
{
	uint64_t used = 0;

	result->has_base = s->base != NULL;
	if (s->base == NULL) {
		result->packs_len = result->totals.new_len;
		return HF_OK;
	}
	HF_TRY(hf_base_say(
		s->base, &s->base_pages, &s->base_steps, result->totals.new_len, &used, s->ei));
	result->packs_len = result->totals.new_len + used;
	return hf_pkg_writer_lean(s->writer,
		(struct hf_bytes){ s->base_pages.p, s->base_pages.len },
		(struct hf_bytes){ s->base_steps.p, s->base_steps.len },
		hf_base_chunk_max(s->base));
}

/* The content key is kept before the bundle is there: a release without it could never be a base.
 */
static hf_err finish_bundle(struct sealing *s, const uint8_t manifest[HF_SM3_LEN])
{
	const char *dir = s->spec->parties[0];
	hf_err e;

	HF_TRY(hf_base_key_put(s->env, dir, s->seed, manifest, s->keys.cek, s->ei));
	e = hf_bundle_out_finish(&s->out);
	if (e != HF_OK)
		hf_base_key_drop(dir, manifest);
	return e;
}

static hf_err write_bundle(struct sealing *s, struct hf_seal_result *result)
{
	struct hf_pkg_writer_config config = { .pack_max = 0 };
	struct hf_pkg_body body;
	hf_err e;

	HF_TRY(hf_bundle_out_begin(&s->out, s->env, s->spec->out, s->ei));
	config.sink = hf_bundle_out_sink(&s->out);
	e = make_keys(s, &config);
	if (e == HF_OK)
		e = hf_pkg_writer_new(&s->writer, &config);
	hf_wipe(&config, sizeof(config));
	if (e != HF_OK)
		return e;
	HF_TRY(hf_inputs_seal(s->inputs, &s->chunk_keys, s->writer, s->ei));
	hf_inputs_totals(&result->totals, s->inputs);
	HF_TRY(say_base(s, result));
	HF_TRY(hf_pkg_writer_finish(s->writer, &body));
	HF_TRY(put_manifest(s, &body, result->manifest));
	HF_TRY(put_deposit(s, result->manifest));
	HF_TRY(hf_bundle_out_put(&s->out, HF_OBJECT_ROOT,
		(struct hf_bytes){ s->party[0].root_object.p, s->party[0].root_object.len }));
	HF_TRY(finish_bundle(s, result->manifest));
	hf_inputs_notes(&result->notes, s->inputs);
	result->expires_s = s->now_s + s->spec->life_s;
	result->n_chunks = body.n_chunks;
	result->plain_len = body.plain_len;
	result->sealed_len = body.sealed_len;
	return HF_OK;
}

static void sealing_clear(struct sealing *s)
{
	for (size_t i = 0; i < s->spec->n_parties; i++) {
		hf_party_clear(&s->party[i]);
		hf_sm2_key_clear(&s->key[i]);
	}
	hf_inputs_free(s->inputs);
	hf_base_free(s->base);
	hf_buf_clear(&s->base_pages);
	hf_buf_clear(&s->base_steps);
	hf_deposit_keys_clear(&s->keys);
	hf_chunk_keys_clear(&s->chunk_keys);
	hf_pkg_writer_free(s->writer);
	hf_bundle_out_clear(&s->out);
	hf_wipe(s->seed, sizeof(s->seed));
}

/* Packs of a base with more dead bytes than live ones are left behind: one starts anew. */
static bool is_worn(const struct hf_base *b)
{
	uint64_t packs_len;
	uint64_t chunks_len;

	hf_base_sizes(b, &packs_len, &chunks_len);
	return packs_len / 2 > chunks_len;
}

static hf_err load_base(struct sealing *s)
{
	const struct hf_seal_spec *spec = s->spec;
	hf_err e;

	s->base_spec = (struct hf_base_spec){ .bundles = spec->bases,
		.n_bundles = spec->n_bases,
		.publisher = &s->party[0],
		.seed = s->seed,
		.lineage = spec->lineage,
		.epoch = spec->epoch,
		.release = spec->release };
	if (spec->no_dedupe && !spec->may_go_without)
		return hf_fail(s->ei, HF_ERR_ARG,
			"a release that shares no chunk with any other has no base");
	if (spec->no_dedupe)
		return HF_OK;
	e = hf_base_open(&s->base, s->env, &s->base_spec, spec->may_go_without ? NULL : s->ei);
	if (!spec->may_go_without || e == HF_ERR_NO_MEMORY)
		return e;
	if (e == HF_OK && is_worn(s->base)) {
		hf_base_free(s->base);
		s->base = NULL;
	}
	return HF_OK;
}

hf_err hf_seal(const struct hf_env *env, const struct hf_seal_spec *spec,
	struct hf_seal_result *result, struct hf_errinfo *ei)
{
	struct hf_inputs_spec inputs = { .files = spec->files,
		.n_files = spec->n_files,
		.keys = spec->parties,
		.n_keys = spec->n_parties,
		.no_compress = spec->no_compress,
		.cut = spec->cut,
		.progress = spec->progress };
	struct sealing *s;
	hf_err e;

	HF_TRY(check_spec(spec, ei));
	s = hf_mem_new(env->mem, sizeof(*s));
	if (s == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "out of memory");
	s->env = env;
	s->spec = spec;
	s->ei = ei;
	s->now_s = hf_clock_wall_s();
	s->out = HF_BUNDLE_OUT_EMPTY;
	hf_deposit_keys_init(&s->keys, env->mem);
	hf_buf_init(&s->base_pages, env->mem, HF_PKG_PAGES_MAX * HF_SM3_LEN);
	hf_buf_init(&s->base_steps, env->mem, BASE_STEPS_LEN);
	e = load_parties(s);
	if (e == HF_OK && spec->n_bases > 0)
		e = load_base(s);
	inputs.base = s->base;
	if (e == HF_OK)
		e = hf_inputs_new(&s->inputs, env, &inputs, ei);
	if (e == HF_OK)
		e = write_bundle(s, result);
	if (e != HF_OK)
		(void)hf_fail(ei, e, "%s: sealing failed: %s", spec->out, hf_err_text(e));
	sealing_clear(s);
	hf_wipe(s, sizeof(*s));
	hf_mem_free(env->mem, s);
	return e;
}
