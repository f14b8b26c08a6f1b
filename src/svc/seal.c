/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Order: everything that can be refused is refused before the first byte is sealed; the bundle is
 * written beside its name and renamed when it is whole. Each round reads and seals as many chunks
 * as there are slots, on all workers, and then hands them to the writer in order.
 */
#include "svc/seal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wipe.h"
#include "model/model_map.h"
#include "os/clock.h"
#include "os/dir.h"
#include "os/file.h"
#include "pkg/chunk.h"
#include "pkg/grant.h"
#include "pkg/manifest.h"
#include "pkg/pkg_writer.h"
#include "pkg/planner.h"
#include "svc/bundle_file.h"
#include "svc/keyfile.h"
#include "svc/party.h"

enum { HEAD_MAX = 32 << 20 }; /* bytes of a model's header that are read into memory */

/* One input file. */
struct input {
	int fd;
	const char *path;
	struct hf_pkg_file file;
	struct hf_model_map map;
};

/* A release in the making. */
struct sealing {
	const struct hf_env *env;
	const struct hf_seal_spec *spec;
	struct hf_errinfo *ei;
	uint64_t now_s;
	struct hf_party party[HF_SEAL_PARTIES_MAX];
	struct hf_sm2_key key[HF_SEAL_PARTIES_MAX];
	uint8_t seed[HF_KEY_SEED_LEN]; /* of the first party */
	struct input *inputs;
	uint64_t total; /* plaintext bytes */
	uint64_t done;
	uint32_t cut;
	struct hf_pkg_scope scope;
	struct hf_deposit_keys keys;
	struct hf_chunk_keys chunk_keys;
	struct hf_work work;
	struct hf_pkg_writer *writer;
	struct hf_bundle_out out;
	/* the round that is being worked on */
	const struct input *input;
	struct hf_cut cuts[HF_WORK_SLOTS_MAX];
	struct hf_sealed sealed[HF_WORK_SLOTS_MAX];
};

static hf_err check_spec(const struct hf_seal_spec *spec, struct hf_errinfo *ei)
{
	uint64_t expiry = hf_policy(HF_ROW_PACKAGE_EXPIRY, spec->level);

	if (!hf_id_is_valid(spec->lineage))
		return hf_fail(ei, HF_ERR_ARG, "lineage '%s': letters, digits, '.', '_' and '-'",
			spec->lineage);
	if (spec->n_parties == 0 || spec->n_parties > HF_SEAL_PARTIES_MAX)
		return hf_fail(ei, HF_ERR_ARG, "publishers: 1 to %d", HF_SEAL_PARTIES_MAX);
	if (spec->n_files == 0 || spec->n_files > HF_SEAL_FILES_MAX)
		return hf_fail(ei, HF_ERR_ARG, "files: 1 to %d", HF_SEAL_FILES_MAX);
	if (spec->epoch == 0 || spec->release == 0 || spec->floor > spec->release)
		return hf_fail(ei, HF_ERR_ARG,
			"epoch and release count from 1, and the floor is not above the release");
	if (spec->cut != 0 && (spec->cut < HF_CUT_MIN || spec->cut > HF_CUT_MAX))
		return hf_fail(ei, HF_ERR_ARG, "chunks: %d to %d bytes", HF_CUT_MIN, HF_CUT_MAX);
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

static const char *last_component(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

static int input_order(const void *a, const void *b)
{
	const struct input *x = a;
	const struct input *y = b;

	return strcmp(x->file.path, y->file.path);
}

/* Opens one file and reads where its tensors lie. */
static hf_err load_input(struct sealing *s, struct input *in)
{
	uint8_t first[HF_MODEL_SNIFF_LEN];
	struct hf_file_stat st;
	struct hf_buf head;
	uint8_t *room = NULL;
	uint64_t head_len = 0;
	enum hf_model_format format;
	size_t n;
	hf_err e;

	HF_TRY(hf_file_open(&in->fd, in->path, HF_FILE_READ | HF_FILE_FOLLOW, 0, s->ei));
	HF_TRY(hf_file_fstat(&st, in->fd, s->ei));
	if (!st.is_file)
		return hf_fail(s->ei, HF_ERR_ARG, "%s: not a regular file", in->path);
	if (snprintf(in->file.path, sizeof(in->file.path), "%s", last_component(in->path)) >=
			(int)sizeof(in->file.path) ||
		!hf_pkg_path_is_valid(hf_bytes_str(in->file.path)))
		return hf_fail(s->ei, HF_ERR_ARG, "%s: no name for a file of a package", in->path);
	in->file.len = st.size;
	in->file.is_executable = (st.mode & 0111) != 0;

	n = st.size < sizeof(first) ? (size_t)st.size : sizeof(first);
	HF_TRY(hf_file_pread(in->fd, first, n, 0, s->ei));
	format = hf_model_sniff(&head_len, first, n, st.size);
	in->file.format = (uint16_t)format;
	if (head_len > HEAD_MAX)
		return hf_fail(s->ei, HF_ERR_LIMIT,
			"%s: a header of %llu bytes, at most %d are read", in->path,
			(unsigned long long)head_len, HEAD_MAX);
	hf_buf_init(&head, s->env->mem, HEAD_MAX);
	e = hf_buf_room(&head, &room, (size_t)head_len);
	if (e == HF_OK && head_len > 0)
		e = hf_file_pread(in->fd, room, (size_t)head_len, 0, s->ei);
	if (e == HF_OK)
		e = hf_model_map_parse(&in->map, format, room, (size_t)head_len, HEAD_MAX, st.size,
			s->env->mem, s->ei);
	if (e != HF_OK)
		(void)hf_fail(s->ei, e, "%s: %s", in->path, hf_err_text(e));
	hf_buf_clear(&head);
	return e;
}

static hf_err load_inputs(struct sealing *s)
{
	s->inputs = hf_mem_array(s->env->mem, s->spec->n_files, sizeof(*s->inputs));
	if (s->inputs == NULL)
		return HF_ERR_NO_MEMORY;
	for (size_t i = 0; i < s->spec->n_files; i++)
		s->inputs[i].fd = -1;
	for (size_t i = 0; i < s->spec->n_files; i++) {
		s->inputs[i].path = s->spec->files[i];
		HF_TRY(load_input(s, &s->inputs[i]));
		s->total += s->inputs[i].file.len;
	}
	qsort(s->inputs, s->spec->n_files, sizeof(*s->inputs), input_order);
	for (size_t i = 1; i < s->spec->n_files; i++)
		if (strcmp(s->inputs[i - 1].file.path, s->inputs[i].file.path) == 0)
			return hf_fail(s->ei, HF_ERR_ARG, "two files are called '%s'",
				s->inputs[i].file.path);
	return HF_OK;
}

static hf_err seal_job(void *ctx, size_t i)
{
	struct sealing *s = ctx;
	struct hf_work_slot *slot = &s->work.slot[i];
	struct hf_sealed *out = &s->sealed[i];
	const struct hf_cut *cut = &s->cuts[i];

	memset(out, 0, sizeof(*out));
	out->ct = slot->sealed;
	out->ct_cap = s->work.plain_cap + HF_CHUNK_TAG_LEN;
	out->chunk.tensor = cut->tensor;
	out->chunk.offset = cut->offset;
	out->chunk.file = (uint32_t)(s->input - s->inputs);
	HF_TRY(hf_file_pread(s->input->fd, slot->plain, cut->len, cut->offset, NULL));
	return hf_chunk_seal(out, &s->chunk_keys, &slot->codec, slot->plain, cut->len);
}

static hf_err seal_file(struct sealing *s, const struct input *in)
{
	struct hf_planner planner;
	hf_err e;

	s->input = in;
	HF_TRY(hf_planner_init(&planner, &in->map, in->file.len, s->cut));
	HF_TRY(hf_pkg_writer_file(s->writer, &in->file));
	for (;;) {
		size_t n = 0;

		while (n < s->work.n_slots && hf_planner_next(&planner, &s->cuts[n]))
			n++;
		if (n == 0)
			return HF_OK;
		e = hf_work_run(&s->work, n, seal_job, s);
		for (size_t i = 0; e == HF_OK && i < n; i++) {
			e = hf_pkg_writer_chunk(s->writer, &s->sealed[i]);
			s->done += s->cuts[i].len;
		}
		hf_wipe(s->sealed, sizeof(s->sealed));
		if (e != HF_OK)
			return hf_fail(s->ei, e, "%s: sealing failed: %s", in->path,
				e == HF_ERR_TRUNCATED ? "the file shrank meanwhile"
						      : hf_err_text(e));
		if (s->spec->progress.show != NULL)
			s->spec->progress.show(s->spec->progress.ctx, s->done, s->total);
	}
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
	for (size_t i = 0; i < s->spec->n_files; i++)
		HF_TRY(seal_file(s, &s->inputs[i]));
	HF_TRY(hf_pkg_writer_finish(s->writer, &body));
	HF_TRY(put_manifest(s, &body, result->manifest));
	HF_TRY(put_deposit(s, result->manifest));
	HF_TRY(hf_bundle_out_put(&s->out, HF_OBJECT_ROOT,
		(struct hf_bytes){ s->party[0].root_object.p, s->party[0].root_object.len }));
	HF_TRY(hf_bundle_out_finish(&s->out));
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
	for (size_t i = 0; s->inputs != NULL && i < s->spec->n_files; i++) {
		hf_file_close(&s->inputs[i].fd);
		hf_model_map_clear(&s->inputs[i].map);
	}
	hf_mem_free(s->env->mem, s->inputs);
	hf_deposit_keys_clear(&s->keys);
	hf_chunk_keys_clear(&s->chunk_keys);
	hf_work_clear(&s->work);
	hf_pkg_writer_free(s->writer);
	hf_bundle_out_clear(&s->out);
	hf_wipe(s->seed, sizeof(s->seed));
}

hf_err hf_seal(const struct hf_env *env, const struct hf_seal_spec *spec,
	struct hf_seal_result *result, struct hf_errinfo *ei)
{
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
	s->cut = spec->cut == 0 ? HF_CUT_DEFAULT : spec->cut;
	s->out = HF_BUNDLE_OUT_EMPTY;
	hf_deposit_keys_init(&s->keys, env->mem);
	e = load_parties(s);
	if (e == HF_OK)
		e = load_inputs(s);
	if (e == HF_OK)
		e = hf_work_init(&s->work, env, hf_planner_chunk_max(s->cut),
			spec->no_compress ? HF_CODEC_ENCODE_NONE : HF_CODEC_ENCODE, ei);
	if (e == HF_OK)
		e = write_bundle(s, result);
	if (e != HF_OK)
		(void)hf_fail(ei, e, "%s: sealing failed: %s", spec->out, hf_err_text(e));
	sealing_clear(s);
	hf_wipe(s, sizeof(*s));
	hf_mem_free(env->mem, s);
	return e;
}
