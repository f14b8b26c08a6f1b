/* SPDX-License-Identifier: Apache-2.0 */
/* hufu open: a bundle's files, opened by the deposit with the hub's key. */
#include "base/wipe.h"
#include "bundles.h"
#include "cmd.h"
#include "keyring.h"
#include "os/clock.h"
#include "progress.h"
#include "svc/release.h"
#include "svc/unpack.h"
#include "view.h"

struct opening {
	const struct hf_env *env;
	const char *out;
	struct hufu_bundles bundles;
	struct hf_party hub;
	struct hf_sm2_key key;
	struct hf_release release;
	struct hf_index_keys keys;
};

/* The cheap refusals come before the root seed is asked for. */
static hf_err load(struct opening *o, const struct hufu_args *a, struct hf_errinfo *ei)
{
	struct hf_local_key local = { .key = &o->key };
	struct hf_decrypter decrypter;

	HF_TRY(hufu_bundles_open(&o->bundles, o->env, a->arg[0], a, ei));
	HF_TRY(hufu_hub_open(&o->hub, &o->key, o->env, hufu_arg(a, "as"), a, ei));
	HF_TRY(hf_release_load(
		&o->release, o->env, &o->bundles.all, o->bundles.manifest, &o->hub.root, ei));
	HF_TRY(hf_release_rows(&o->release, hf_clock_wall_s(), ei));
	decrypter = hf_decrypter_local(&local);
	return hf_release_deposit_keys(o->env, &o->release, &o->hub, &decrypter, &o->keys, ei);
}

static hf_err unpack(struct opening *o, bool is_quiet, struct hf_errinfo *ei)
{
	struct hufu_progress bar;
	struct hf_work_progress progress = {
		.show = hufu_progress_show, .is_stopped = hufu_progress_is_stopped, .ctx = &bar
	};
	hf_err e;

	hufu_progress_init(&bar, "opening", is_quiet);
	e = hufu_progress_can_stop(&bar, ei);
	if (e == HF_OK)
		e = hf_unpack(o->env, &o->release, &o->keys, o->out, &progress, ei);
	hufu_progress_end(&bar);
	return hufu_bundles_hint(&o->bundles, e, ei);
}

static hf_err print(const struct opening *o, bool is_json, struct hf_errinfo *ei)
{
	const struct hf_manifest *m = &o->release.manifest;
	struct hf_bytes rest = m->body.files;
	struct hf_pkg_file f;
	struct hufu_view v;

	hufu_view_begin(&v, is_json);
	hufu_view_str(&v, "folder", o->out);
	hufu_view_str(&v, "lineage", m->lineage);
	hufu_view_u64(&v, "release", m->release);
	hufu_view_len(&v, "plain_len", m->body.plain_len);
	hufu_view_list(&v, "files");
	while (hf_pkg_file_take(&f, &rest) == HF_OK) {
		hufu_view_row(&v);
		hufu_view_str(&v, "path", f.path);
		hufu_view_len(&v, "len", f.len);
		hufu_view_end(&v);
	}
	hufu_view_end(&v);
	return hufu_view_done(&v, ei);
}

int hufu_run_open(const struct hufu_args *a, struct hf_errinfo *ei)
{
	struct opening o = { .out = hufu_arg(a, "out") };
	struct hf_env env;
	hf_err e;

	if (!hufu_has(a, "as"))
		return hufu_exit(hf_fail(ei, HF_ERR_ARG,
					 "--as is missing: the hub's folder, or the domain's"),
			ei);
	if (o.out == NULL || o.out[0] == '\0')
		return hufu_exit(hf_fail(ei, HF_ERR_ARG, "--out is missing: a folder"), ei);
	e = hufu_start(&env, ei);
	if (e != HF_OK)
		return hufu_exit(e, ei);
	o.env = &env;
	e = load(&o, a, ei);
	if (e == HF_OK)
		e = unpack(&o, hufu_has(a, "quiet"), ei);
	if (e == HF_OK)
		e = print(&o, hufu_has(a, "json"), ei);
	hf_index_keys_clear(&o.keys);
	hf_sm2_key_clear(&o.key);
	hf_release_clear(&o.release);
	hf_party_clear(&o.hub);
	hufu_bundles_close(&o.bundles);
	hf_env_clear(&env);
	return hufu_exit(e, ei);
}
