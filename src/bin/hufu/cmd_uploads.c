/* SPDX-License-Identifier: Apache-2.0 */
/* hufu uploads: what devices have sent to the hub of this machine, and opening it. */
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "keyring.h"
#include "os/file.h"
#include "pkg/bundle.h"
#include "progress.h"
#include "store/meta.h"
#include "svc/bundle_file.h"
#include "svc/local_client.h"
#include "svc/node.h"
#include "svc/received.h"
#include "svc/unpack.h"
#include "view.h"

enum { LIST_MAX = 1 << 20 };

/* The hub's database, which is not made if it is missing. */
static hf_err open_meta(
	struct hf_meta **meta, const struct hf_mem *mem, const char *dir, struct hf_errinfo *ei)
{
	struct hf_file_stat st;
	char path[HF_PATH_MAX];

	HF_TRY(hf_path_join(path, dir, "meta.db", ei));
	if (hf_file_stat(&st, path, NULL) != HF_OK)
		return hf_fail(ei, HF_ERR_NOT_FOUND,
			"%s: there is none; is this the data folder of a hub (--node)?", path);
	return hf_meta_new(meta, mem, path, ei);
}

/* Only a hub is sent uploads; elsewhere an empty list would be misleading. */
static hf_err check_hub(const struct hf_env *env, const char *dir, struct hf_errinfo *ei)
{
	struct hf_party p;
	hf_err e = HF_OK;

	HF_TRY(hf_party_open(&p, env, dir, ei));
	if (p.identity.role != HF_ROLE_HUB)
		e = hf_fail(ei, HF_ERR_STATE, "%s: is a %s; uploads come to the hub", dir,
			hf_role_name(p.identity.role));
	hf_party_clear(&p);
	return e;
}

struct listing {
	struct hufu_view view;
	const struct hf_env *env;
	const struct hf_objects *objects;
};

static void show_upload(struct hufu_view *v, const struct hf_upload *u)
{
	hufu_view_str(v, "kind", hf_upload_kind_name(u->kind));
	if (u->lineage[0] != '\0') {
		hufu_view_str(v, "lineage", u->lineage);
		hufu_view_u64(v, "release", u->release);
	}
	hufu_view_u64(v, "counter", u->counter);
	hufu_view_time(v, "created", u->created_s);
	hufu_view_len(v, "plain_len", u->body.plain_len);
}

static hf_err list_one(void *ctx, const struct hf_meta_upload *row)
{
	struct listing *l = ctx;
	uint8_t name[HF_SM3_LEN];
	struct hf_received r;

	hufu_view_row(&l->view);
	hufu_view_str(&l->view, "upload", row->id);
	hufu_view_str(&l->view, "device", row->device);
	hufu_view_time(&l->view, "received", row->received_s);
	hufu_view_len(&l->view, "sealed_len", row->size);
	/* What it says of itself; that the object is whole is for opening it to find out. */
	if (hf_release_name_parse(name, row->id, NULL) == HF_OK &&
		hf_received_load(&r, l->env, l->objects, name, NULL) == HF_OK) {
		show_upload(&l->view, &r.upload);
		hf_received_clear(&r);
	}
	hufu_view_end(&l->view);
	return HF_OK;
}

static hf_err list(const struct hf_env *env, const struct hufu_args *a, struct hf_errinfo *ei)
{
	const char *dir = hf_local_dir(hufu_arg(a, "node"));
	struct listing l = { .env = env };
	struct hf_objects objects;
	struct hf_meta *meta = NULL;
	char store[HF_PATH_MAX];
	hf_err e;

	HF_TRY(hf_path_join(store, dir, "objects", ei));
	HF_TRY(check_hub(env, dir, ei));
	HF_TRY(open_meta(&meta, env->mem, dir, ei));
	objects = hf_folder_objects(store);
	l.objects = &objects;
	hufu_view_begin(&l.view, hufu_has(a, "json"));
	hufu_view_list(&l.view, "uploads");
	e = hf_meta_upload_list(meta, hufu_arg(a, "device"), LIST_MAX, list_one, &l, ei);
	hufu_view_end(&l.view);
	hf_meta_free(meta);
	if (e == HF_OK)
		return hufu_view_done(&l.view, ei);
	hufu_view_drop(&l.view);
	return e;
}

int hufu_run_uploads_list(const struct hufu_args *a, struct hf_errinfo *ei)
{
	struct hf_env env;
	hf_err e = hufu_start(&env, ei);

	if (e != HF_OK)
		return hufu_exit(e, ei);
	e = list(&env, a, ei);
	hf_env_clear(&env);
	return hufu_exit(e, ei);
}

struct opening {
	const struct hf_env *env;
	const char *dir; /* of the hub */
	char store[HF_PATH_MAX];
	struct hf_bundle_file bundle;
	struct hf_objects objects;
	struct hf_received received;
	struct hf_cert device;
	struct hf_party hub;
	struct hf_sm2_key key;
	struct hf_index_keys keys;
};

/* The operand: an upload that the hub has, or the bundle of one. */
static hf_err load_upload(struct opening *o, const char *what, struct hf_errinfo *ei)
{
	static const char prefix[] = "upload/";
	const char *digits =
		strncmp(what, prefix, sizeof(prefix) - 1) == 0 ? what + sizeof(prefix) - 1 : what;
	struct hf_file_stat st;
	uint8_t name[HF_SM3_LEN];

	if (hf_release_name_parse(name, digits, NULL) == HF_OK) {
		HF_TRY(hf_path_join(o->store, o->dir, "objects", ei));
		o->objects = hf_folder_objects(o->store);
		return hf_received_load(&o->received, o->env, &o->objects, name, ei);
	}
	if (hf_file_stat(&st, what, NULL) == HF_ERR_NOT_FOUND)
		return hf_fail(ei, HF_ERR_NOT_FOUND,
			"%s: neither the name of an upload (64 digits, see hufu uploads list) nor "
			"a "
			"bundle",
			what);
	HF_TRY(hf_bundle_file_open(&o->bundle, o->env, what, ei));
	o->objects = hf_bundle_file_objects(&o->bundle);
	return hf_received_load(&o->received, o->env, &o->objects, NULL, ei);
}

struct finding {
	const struct hf_env *env;
	struct hf_cert *cert;
	struct hf_errinfo *ei;
};

static hf_err take_device(void *ctx, const struct hf_meta_device *row)
{
	const struct finding *f = ctx;

	return hf_cert_copy(f->cert, f->env->mem, row->sign_cert.p, row->sign_cert.len, f->ei);
}

/* The certificate that the hub gave the device that the upload names. */
static hf_err load_device(struct opening *o, struct hf_errinfo *ei)
{
	const char *id = o->received.upload.device;
	struct finding f = { .env = o->env, .cert = &o->device, .ei = ei };
	struct hf_meta *meta = NULL;
	hf_err e;

	HF_TRY(open_meta(&meta, o->env->mem, o->dir, ei));
	e = hf_meta_device_get(meta, id, take_device, &f, NULL);
	hf_meta_free(meta);
	if (e == HF_ERR_NOT_FOUND)
		return hf_fail(ei, HF_ERR_DENIED, "upload: of %s, which never enrolled here", id);
	return e;
}

static hf_err load(struct opening *o, const struct hufu_args *a, struct hf_errinfo *ei)
{
	struct hf_local_key local = { .key = &o->key };
	struct hf_decrypter decrypter;

	HF_TRY(load_upload(o, a->arg[0], ei));
	HF_TRY(load_device(o, ei));
	HF_TRY(hufu_hub_open(&o->hub, &o->key, o->env, o->dir, a, ei));
	HF_TRY(hf_received_check(&o->received, &o->hub, &o->device, ei));
	decrypter = hf_decrypter_local(&local);
	return hf_received_keys(o->env, &o->received, &o->hub, &decrypter, &o->keys, ei);
}

static hf_err unpack(const struct opening *o, const char *out, bool is_quiet, struct hf_errinfo *ei)
{
	struct hufu_progress bar;
	struct hf_work_progress progress = {
		.show = hufu_progress_show, .is_stopped = hufu_progress_is_stopped, .ctx = &bar
	};
	hf_err e;

	hufu_progress_init(&bar, "opening", is_quiet);
	e = hufu_progress_can_stop(&bar, ei);
	if (e == HF_OK)
		e = hf_unpack(o->env, &o->received.release, &o->keys, out, &progress, ei);
	hufu_progress_end(&bar);
	return e;
}

static hf_err print(const struct opening *o, const char *out, bool is_json, struct hf_errinfo *ei)
{
	struct hf_bytes rest = o->received.upload.body.files;
	struct hf_pkg_file f;
	struct hufu_view v;

	hufu_view_begin(&v, is_json);
	hufu_view_str(&v, "folder", out);
	hufu_view_str(&v, "device", o->received.upload.device);
	show_upload(&v, &o->received.upload);
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

int hufu_run_uploads_open(const struct hufu_args *a, struct hf_errinfo *ei)
{
	struct opening o = { .dir = hf_local_dir(hufu_arg(a, "node")),
		.bundle = HF_BUNDLE_FILE_EMPTY };
	const char *out = hufu_arg(a, "out");
	struct hf_env env;
	hf_err e;

	if (out == NULL || out[0] == '\0')
		return hufu_exit(hf_fail(ei, HF_ERR_ARG, "--out is missing: a folder"), ei);
	e = hufu_start(&env, ei);
	if (e != HF_OK)
		return hufu_exit(e, ei);
	o.env = &env;
	e = load(&o, a, ei);
	if (e == HF_OK)
		e = unpack(&o, out, hufu_has(a, "quiet"), ei);
	if (e == HF_OK)
		e = print(&o, out, hufu_has(a, "json"), ei);
	hf_index_keys_clear(&o.keys);
	hf_sm2_key_clear(&o.key);
	hf_party_clear(&o.hub);
	hf_cert_clear(&o.device);
	hf_received_clear(&o.received);
	hf_bundle_file_close(&o.bundle);
	hf_env_clear(&env);
	return hufu_exit(e, ei);
}
