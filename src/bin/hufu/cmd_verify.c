/* SPDX-License-Identifier: Apache-2.0 */
/* hufu verify: everything about a bundle that can be checked without a key. */
#include <string.h>

#include "bundles.h"
#include "cmd.h"
#include "os/clock.h"
#include "os/file.h"
#include "progress.h"
#include "svc/party.h"
#include "svc/release.h"
#include "view.h"

static const char not_who[] =
	"the bundle's own: proves that nothing was altered, but not who signed it; give "
	"--root to know that";

struct verifying {
	const struct hf_env *env;
	const char *root_path; /* NULL: the root in the bundle */
	struct hufu_bundles bundles;
	struct hf_buf root_object;
	struct hf_root root;
	struct hf_release release;
	struct hf_pkg_totals totals;
	bool has_deposit;
	char recipient[HF_ID_MAX + 1]; /* of the deposit */
};

/* From a file, the folder of a party, or the bundle. */
static hf_err load_root(struct verifying *v, struct hf_errinfo *ei)
{
	struct hf_errinfo why = { .code = HF_OK };
	struct hf_file_stat st;
	uint8_t name[HF_SM3_LEN];
	char path[HF_PATH_MAX];
	hf_err e;

	hf_buf_init(&v->root_object, v->env->mem, hf_object_max(HF_OBJECT_ROOT));
	if (v->root_path == NULL) {
		HF_TRY(hf_objects_only(name, &v->bundles.part[0], HF_OBJECT_ROOT, ei));
		HF_TRY(hf_objects_load(
			&v->root_object, &v->bundles.part[0], HF_OBJECT_ROOT, name, ei));
	} else if (hf_file_stat(&st, v->root_path, NULL) == HF_OK && st.is_dir) {
		HF_TRY(hf_path_join(path, v->root_path, "trust/root.der", ei));
		HF_TRY(hf_file_load_input(&v->root_object, path, ei));
	} else {
		HF_TRY(hf_file_load_input(&v->root_object, v->root_path, ei));
	}
	e = hf_root_open_first(
		&v->root, (struct hf_bytes){ v->root_object.p, v->root_object.len }, &why);
	return e == HF_OK
		       ? HF_OK
		       : hf_fail(ei, e, "trust root %s: %s",
				 v->root_path == NULL ? "in the bundle" : v->root_path, why.text);
}

/* A bundle may be without a deposit; one that is there must be right. */
static hf_err check_deposit(struct verifying *v, struct hf_errinfo *ei)
{
	struct hf_errinfo why = { .code = HF_OK };
	struct hf_grant deposit;
	struct hf_buf object;
	hf_err e;

	hf_buf_init(&object, v->env->mem, hf_object_max(HF_OBJECT_DEPOSIT));
	e = hf_release_deposit(&v->release, &v->root, &object, &deposit, &why);
	if (e == HF_OK) {
		v->has_deposit = true;
		memcpy(v->recipient, deposit.context.recipient, sizeof(v->recipient));
	}
	hf_buf_clear(&object);
	return e == HF_OK || e == HF_ERR_NOT_FOUND ? HF_OK : hf_fail(ei, e, "%s", why.text);
}

static hf_err verify(struct verifying *v, const struct hufu_args *a, struct hf_errinfo *ei)
{
	struct hufu_progress bar;
	struct hf_work_progress progress = { .show = hufu_progress_show, .ctx = &bar };
	hf_err e;

	HF_TRY(hufu_bundles_open(&v->bundles, v->env, a->arg[0], a, ei));
	HF_TRY(load_root(v, ei));
	HF_TRY(hf_objects_check(&v->bundles.all, v->env->mem, ei));
	HF_TRY(hf_release_load(
		&v->release, v->env, &v->bundles.all, v->bundles.manifest, &v->root, ei));
	HF_TRY(check_deposit(v, ei));
	hufu_progress_init(&bar, "verifying", hufu_has(a, "quiet"));
	e = hf_release_verify(v->env, &v->release, &progress, &v->totals, ei);
	hufu_progress_end(&bar);
	return hufu_bundles_hint(&v->bundles, e, ei);
}

static hf_err print(const struct verifying *v, bool is_json, struct hf_errinfo *ei)
{
	const struct hf_manifest *m = &v->release.manifest;
	char path[HF_OBJECT_PATH_MAX];
	struct hufu_view out;

	hf_object_path(path, HF_OBJECT_MANIFEST, v->release.name);
	hufu_view_begin(&out, is_json);
	hufu_view_str(&out, "bundle", v->bundles.file[0].path);
	hufu_view_bool(&out, "intact", true);
	hufu_view_str(&out, "root",
		v->root_path != NULL ? v->root_path
		: is_json            ? "bundle"
				     : not_who);
	hufu_view_bool(&out, "proves_origin", v->root_path != NULL);
	hufu_view_u64(&out, "root_version", v->root.version);
	hufu_view_str(&out, "manifest", path);
	hufu_view_str(&out, "domain", m->domain);
	hufu_view_str(&out, "lineage", m->lineage);
	hufu_view_str(&out, "version", m->version);
	hufu_view_u64(&out, "release", m->release);
	hufu_view_u64(&out, "level", (uint64_t)m->level);
	hufu_view_u64(&out, "signatures", v->release.n_signed);
	hufu_view_time(&out, "created", m->created_s);
	hufu_view_time(&out, "expires", m->expires_s);
	hufu_view_str(&out, "deposit", v->has_deposit ? v->recipient : "none");
	hufu_view_u64(&out, "files", m->body.n_files);
	hufu_view_u64(&out, "packs", v->totals.n_packs);
	hufu_view_u64(&out, "chunks", v->totals.n_chunks);
	hufu_view_len(&out, "plain_len", m->body.plain_len);
	hufu_view_len(&out, "sealed_len", v->totals.sealed_len);
	return hufu_view_done(&out, ei);
}

int hufu_run_verify(const struct hufu_args *a, struct hf_errinfo *ei)
{
	struct verifying v = { .root_path = hufu_arg(a, "root") };
	struct hf_env env;
	hf_err e = hufu_start(&env, ei);

	if (e != HF_OK)
		return hufu_exit(e, ei);
	v.env = &env;
	e = verify(&v, a, ei);
	if (e == HF_OK)
		e = print(&v, hufu_has(a, "json"), ei);
	/* Intact, but not to be used: told last, and by the exit code. */
	if (e == HF_OK)
		e = hf_release_rows(&v.release, hf_clock_wall_s(), ei);
	hf_release_clear(&v.release);
	hf_buf_clear(&v.root_object);
	hufu_bundles_close(&v.bundles);
	hf_env_clear(&env);
	return hufu_exit(e, ei);
}
