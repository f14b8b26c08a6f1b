/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hufu publish: brings a release to the hub, which makes it the current one of its lineage. Files
 * are sealed first, into a bundle in the publisher's folder: against those that were published from
 * there before, and kept for the next one once the hub has it.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/hex.h"
#include "base/wipe.h"
#include "cmd.h"
#include "hub_link.h"
#include "kept.h"
#include "os/clock.h"
#include "os/dir.h"
#include "os/file.h"
#include "progress.h"
#include "seal_args.h"
#include "svc/bundle_file.h"
#include "svc/release.h"
#include "svc/seal.h"
#include "view.h"

enum {
	ANSWER_MAX = 64 << 10,
	FILES_MAX = 1 << 16,     /* in the publisher's folder */
	LEFT_OVER_S = 24 * 3600, /* what was not written to for so long has no process any more */
};

static const char prefix[] = "publish-"; /* of bundles on their way */

struct publishing {
	const struct hf_env *env;
	const struct hufu_args *a;
	const char *dir; /* of the publisher that speaks to the hub: the first --as */
	struct hf_party party;
	struct hf_sm2_key key;
	char path[HF_PATH_MAX]; /* of the bundle that was made of files; "": none */
	struct hf_seal_result sealed;
	struct hufu_kept kept;
	struct hf_bundle_file bundle;
	struct hf_objects objects;
	struct hf_release release;
	struct hf_inputs_notes notes;
	struct hufu_progress bar;
};

static hf_err load_party(struct publishing *p, struct hf_errinfo *ei)
{
	uint8_t seed[HF_KEY_SEED_LEN];
	hf_err e;

	HF_TRY(hf_party_open(&p->party, p->env, p->dir, ei));
	if (p->party.identity.role != HF_ROLE_PUBLISHER)
		return hf_fail(ei, HF_ERR_DENIED, "%s: is a %s, not a publisher", p->dir,
			hf_role_name(p->party.identity.role));
	e = hf_party_seed(p->env, p->dir, false, seed, ei);
	if (e == HF_OK)
		e = hf_party_key(p->env, &p->party, "sign", seed, &p->key, ei);
	hf_wipe(seed, sizeof(seed));
	return e;
}

/* What a publish left that was killed; one that goes on has written to it lately. */
static hf_err delete_left_over(void *ctx, const char *name)
{
	const struct publishing *p = ctx;
	char path[HF_PATH_MAX];
	struct hf_file_stat st;

	if (strncmp(name, prefix, sizeof(prefix) - 1) != 0 ||
		hf_path_join(path, p->dir, name, NULL) != HF_OK ||
		hf_file_stat(&st, path, NULL) != HF_OK)
		return HF_OK;
	if (st.is_file && st.mtime_s + LEFT_OVER_S < hf_clock_wall_s())
		(void)!hf_file_delete(path, NULL); /* tried again next time */
	return HF_OK;
}

/* What was published from here before. Where that cannot be a base the release stands alone. */
static hf_err choose_base(struct publishing *p, struct hf_seal_spec *spec, struct hf_errinfo *ei)
{
	if (spec->n_bases > 0 || hufu_has(p->a, "no-base"))
		return HF_OK;
	HF_TRY(hufu_kept_list(&p->kept, p->env, p->dir, spec->lineage, ei));
	if (p->kept.is_full)
		return HF_OK;
	spec->bases = p->kept.list;
	spec->n_bases = p->kept.n;
	spec->may_go_without = true;
	return HF_OK;
}

/* Seals the files into <publisher>/publish-<random>.hufu. */
static hf_err seal(struct publishing *p, struct hf_errinfo *ei)
{
	struct hufu_seal_lists lists;
	struct hf_seal_spec spec = { .n_parties = 0 };
	uint8_t random[8];
	char hex[2 * sizeof(random) + 1];
	char name[sizeof(hex) + 16];
	hf_err e;

	HF_TRY(hufu_seal_args(&spec, &lists, p->a, ei));
	if (spec.n_bases > 0 && hufu_has(p->a, "no-base"))
		return hf_fail(ei, HF_ERR_ARG, "--base and --no-base exclude each other");
	HF_TRY(choose_base(p, &spec, ei));
	HF_TRY(hf_dir_list(p->env->mem, p->dir, FILES_MAX, delete_left_over, p, ei));
	HF_TRY(hf_rng_fill(&p->env->rng, random, sizeof(random)));
	hf_hex_emit(hex, random, sizeof(random));
	(void)snprintf(name, sizeof(name), "%s%s.hufu", prefix, hex);
	HF_TRY(hf_path_join(p->path, p->dir, name, ei));
	spec.out = p->path;
	p->bar.what = "sealing";
	spec.progress = (struct hf_work_progress){
		.show = hufu_progress_show, .is_stopped = hufu_progress_is_stopped, .ctx = &p->bar
	};
	e = hf_seal(p->env, &spec, &p->sealed, ei);
	hufu_progress_end(&p->bar);
	p->notes = p->sealed.notes;
	if (e != HF_OK)
		p->path[0] = '\0';
	return e;
}

/* What a bundle that was sealed before has of what whoever publishes it should be told. */
static void note_pickles(struct publishing *p)
{
	struct hf_bytes rest = p->release.manifest.body.files;
	struct hf_pkg_file f;

	p->notes.n_pickles = 0;
	while (hf_pkg_file_take(&f, &rest) == HF_OK)
		if (f.format == HF_MODEL_PICKLE && p->notes.n_pickles++ == 0)
			memcpy(p->notes.pickle, f.path, sizeof(p->notes.pickle));
}

/* Options that say how to seal mean nothing for a bundle, so that whoever gives them erred. */
static hf_err check_bundle_args(const struct hufu_args *a, struct hf_errinfo *ei)
{
	static const char *const sealing[] = { "lineage", "release", "version", "floor", "level",
		"expires", "epoch", "base", "no-base", "no-dedupe", "no-compress" };

	for (size_t i = 0; i < HF_COUNT(sealing); i++)
		if (hufu_has(a, sealing[i]))
			return hf_fail(ei, HF_ERR_ARG, "--%s: %s is a bundle, it is sealed already",
				sealing[i], a->arg[0]);
	return HF_OK;
}

/* The operand is a bundle if it begins like one. */
static hf_err is_bundle(bool *is, const char *path, struct hf_errinfo *ei)
{
	uint8_t want[HF_BUNDLE_START_LEN];
	uint8_t got[HF_BUNDLE_START_LEN];
	size_t len = 0;
	int fd = -1;
	hf_err e;

	hf_bundle_start_emit(want);
	*is = false;
	if (hf_input_is_folder(path))
		return HF_OK;
	HF_TRY(hf_file_open(&fd, path, HF_FILE_READ | HF_FILE_FOLLOW, 0, ei));
	e = hf_file_read(fd, got, sizeof(got), &len, ei);
	hf_file_close(&fd);
	*is = e == HF_OK && len == sizeof(got) && memcmp(got, want, sizeof(got)) == 0;
	return e;
}

/* The bundle, open, whatever it was made of; and its release, checked as far as it can be here. */
static hf_err load_release(struct publishing *p, struct hf_errinfo *ei)
{
	const struct hufu_args *a = p->a;
	bool is = false;

	if (a->n_args == 1)
		HF_TRY(is_bundle(&is, a->arg[0], ei));
	if (is) {
		HF_TRY(check_bundle_args(a, ei));
		HF_TRY(hf_bundle_file_open(&p->bundle, p->env, a->arg[0], ei));
	} else {
		HF_TRY(seal(p, ei));
		HF_TRY(hf_bundle_file_open(&p->bundle, p->env, p->path, ei));
	}
	p->objects = hf_bundle_file_objects(&p->bundle);
	HF_TRY(hf_release_load(&p->release, p->env, &p->objects, NULL, &p->party.root, ei));
	note_pickles(p);
	return hf_release_rows(&p->release, hf_clock_wall_s(), ei);
}

static hf_err print(const struct publishing *p, const struct hf_buf *answer, struct hf_errinfo *ei)
{
	const struct hf_manifest *m = &p->release.manifest;
	json_t *root = json_loadb((const char *)answer->p, answer->len, 0, NULL);
	json_int_t serial = json_integer_value(json_object_get(root, "serial"));
	char path[HF_OBJECT_PATH_MAX];
	struct hufu_view v;

	json_decref(root);
	if (serial <= 0)
		return hf_fail(ei, HF_ERR_FORMAT,
			"the hub took the release, but its answer is not readable");
	hf_object_path(path, HF_OBJECT_MANIFEST, p->release.name);
	hufu_view_begin(&v, hufu_has(p->a, "json"));
	hufu_view_str(&v, "lineage", m->lineage);
	hufu_view_u64(&v, "release", m->release);
	hufu_view_u64(&v, "serial", (uint64_t)serial);
	hufu_view_str(&v, "manifest", path);
	hufu_view_u64(&v, "chunks", m->body.n_chunks);
	hufu_view_len(&v, "sealed_len", m->body.sealed_len);
	if (p->sealed.n_chunks > 0)
		hufu_view_savings(&v, &p->sealed);
	hufu_show_notes(&v, &p->notes);
	return hufu_view_done(&v, ei);
}

/* The release is out, whether or not the next one can take from it. */
static void keep(struct publishing *p)
{
	if (hufu_kept_put(p->env, p->dir, p->path, &p->release, NULL) == HF_OK)
		p->path[0] = '\0';
}

/* A hub that never had the earlier release cannot take what is only its difference. */
static void hint(hf_err e, struct hf_errinfo *ei)
{
	size_t len = strlen(ei->text);

	if ((e == HF_ERR_NOT_FOUND || e == HF_ERR_STATE) && len < sizeof(ei->text))
		(void)snprintf(ei->text + len, sizeof(ei->text) - len,
			"; a hub without the earlier releases needs --no-base");
}

static hf_err publish(struct publishing *p, struct hf_errinfo *ei)
{
	struct hufu_hub_push push = { .env = p->env,
		.party = &p->party,
		.key = &p->key,
		.hub = hufu_arg(p->a, "hub"),
		.release = &p->release,
		.bar = &p->bar };
	char host[HUFU_HOST_MAX];
	struct hf_buf answer;
	uint16_t port = 0;
	size_t at = 0;
	hf_err e;

	p->dir = hufu_arg_next(p->a, "as", &at);
	if (p->dir == NULL)
		return hf_fail(ei, HF_ERR_ARG, "--as is missing: the folder of a publisher");
	if (push.hub == NULL)
		return hf_fail(ei, HF_ERR_ARG, "--hub is missing: HOST:PORT");
	HF_TRY(hufu_host_port(host, &port, push.hub, ei));
	HF_TRY(load_party(p, ei));
	hufu_progress_init(&p->bar, "publishing", hufu_has(p->a, "quiet"));
	HF_TRY(hufu_progress_can_stop(&p->bar, ei));
	HF_TRY(load_release(p, ei));
	hf_buf_init(&answer, p->env->mem, ANSWER_MAX);
	p->bar.what = "publishing";
	p->bar.started_ms = hf_clock_mono_ms();
	e = hufu_hub_push(&answer, &push, ei);
	hufu_progress_end(&p->bar);
	if (e == HF_OK && p->path[0] != '\0' && !hufu_has(p->a, "no-base"))
		keep(p);
	if (e != HF_OK && p->sealed.has_base)
		hint(e, ei);
	if (e == HF_OK)
		e = print(p, &answer, ei);
	hf_buf_clear(&answer);
	return e;
}

int hufu_run_publish(const struct hufu_args *a, struct hf_errinfo *ei)
{
	struct publishing p = { .a = a, .bundle = HF_BUNDLE_FILE_EMPTY };
	struct hf_env env;
	hf_err e = hufu_start(&env, ei);

	if (e != HF_OK)
		return hufu_exit(e, ei);
	p.env = &env;
	e = publish(&p, ei);
	hf_release_clear(&p.release);
	hf_bundle_file_close(&p.bundle);
	if (p.path[0] != '\0')
		(void)!hf_file_delete(p.path, NULL);
	hf_sm2_key_clear(&p.key);
	hf_party_clear(&p.party);
	hf_env_clear(&env);
	return hufu_exit(e, ei);
}
