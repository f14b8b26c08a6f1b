/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a model: ask the key process, read what the manifest says, open files into memory
 * files. Not a byte is decrypted before the content key was found to be the one that the manifest
 * commits to, and every chunk is checked on its way (svc/release.c).
 */
#include "sdk/sdk_model.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/wipe.h"
#include "os/file.h"
#include "os/heap.h"
#include "os/thread.h"
#include "os/unixsock.h"
#include "pkg/manifest.h"
#include "policy/policy.h"
#include "sdk/sdk_err.h"
#include "svc/key_client.h"
#include "svc/local.h"
#include "svc/local_client.h"
#include "svc/node.h"

enum { POOL_QUEUE = 64 };

#define ALL_FILES SIZE_MAX

/* Asks the key process: the level of this device, the signed manifest and the content key. */
static hf_err ask_keyd(struct hufu_model *m, const char *dir, const char *name,
	uint8_t cek[HF_CEK_LEN], struct hf_errinfo *ei)
{
	struct hf_key_client c = { .mem = m->env.mem, .fd = -1 };
	struct hf_key_status status;
	hf_err e;

	HF_TRY(hf_local_connect(&c.fd, dir, HF_LOCAL_KEYD, ei));
	e = hf_unixsock_timeout(c.fd, HF_LOCAL_QUICK_MS);
	if (e == HF_OK)
		e = hf_key_status(&c, &status, ei);
	if (e == HF_OK)
		e = hf_key_open(&c, name, &m->release.object, cek, ei);
	if (e == HF_OK && !hf_level_is((uint64_t)status.identity.level))
		e = hf_fail(ei, HF_ERR_FORMAT, "the node says no level of its own");
	if (e == HF_OK)
		m->level = status.identity.level;
	else
		(void)hf_fail(ei, e, "%s/%s: %s", dir, HF_LOCAL_KEYD, hf_err_text(e));
	hf_file_close(&c.fd);
	return e;
}

/* The manifest is the key process's word; here it is only read. */
static hf_err read_manifest(struct hufu_model *m, const char *name, struct hf_errinfo *ei)
{
	struct hf_release *r = &m->release;
	struct hf_bytes content;

	HF_TRY(hf_object_peek(
		&content, HF_OBJECT_MANIFEST, (struct hf_bytes){ r->object.p, r->object.len }, ei));
	HF_TRY(hf_manifest_parse(&r->manifest, content, ei));
	if (strcmp(r->manifest.lineage, name) != 0)
		return hf_fail(ei, HF_ERR_FORMAT, "asked for %s, the node gave %s", name,
			r->manifest.lineage);
	hf_object_name(r->name, r->object.p, r->object.len);
	hf_manifest_scope(&r->scope, &r->manifest);
	m->level = hf_level_max(m->level, r->manifest.level);
	return HF_OK;
}

hf_err hf_sdk_no_memory(const struct hufu_model *m, struct hf_errinfo *ei)
{
	const struct hf_errinfo *locked = &m->locked.why;

	if (locked->code == HF_OK)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "out of memory");
	return hf_policy_refuse(ei, HF_ROW_PACKAGE_MEMORY_ONLY, m->level,
		"%s (ulimit -l, LimitMEMLOCK=)", locked->text);
}

/* From here on memory is that of the level. */
static hf_err take_key(struct hufu_model *m, const uint8_t cek[HF_CEK_LEN], struct hf_errinfo *ei)
{
	if (hf_policy(HF_ROW_PACKAGE_MEMORY_ONLY, m->level) != 0)
		m->env.mem = &m->locked.mem;
	m->keys = hf_mem_new(m->env.mem, sizeof(*m->keys));
	if (m->keys == NULL)
		return hf_sdk_no_memory(m, ei);
	if (hf_index_keys_open(m->keys, &m->release.manifest.body, cek, &m->release.scope) != HF_OK)
		return hf_fail(ei, HF_ERR_AUTH,
			"%s: the content key is not the one that the manifest commits to",
			m->release.manifest.lineage);
	return HF_OK;
}

static void forget_keys(struct hufu_model *m)
{
	if (m->keys == NULL)
		return;
	hf_index_keys_clear(m->keys);
	hf_mem_free(m->env.mem, m->keys);
	m->keys = NULL;
}

static hf_err list_files(struct hufu_model *m)
{
	const struct hf_pkg_body *body = &m->release.manifest.body;
	struct hf_bytes rest = body->files;

	m->files = hf_mem_array(hf_os_mem(), body->n_files, sizeof(*m->files));
	if (m->files == NULL)
		return HF_ERR_NO_MEMORY;
	for (size_t i = 0; i < body->n_files; i++)
		m->files[i].memory = HF_MEMFD_EMPTY;
	for (m->n_files = 0; m->n_files < body->n_files; m->n_files++)
		HF_TRY(hf_pkg_file_take(&m->files[m->n_files].f, &rest));
	return HF_OK;
}

/* A load of one or all files. */
struct load {
	struct hufu_model *m;
	size_t number;
	struct hf_errinfo why; /* of the target's own failures */
};

static bool is_open(const struct hf_sdk_file *f)
{
	return f->memory.map != NULL || f->f.len == 0;
}

/* Where the level wants plaintext locked, memory that is not is none. */
static hf_err lock_memory(
	const struct hufu_model *m, struct hf_memfd *memory, struct hf_errinfo *ei)
{
	hf_err e = hf_memfd_lock(memory, NULL);

	if (e == HF_OK || hf_policy(HF_ROW_PACKAGE_MEMORY_ONLY, m->level) == 0)
		return HF_OK;
	return hf_policy_refuse(ei, HF_ROW_PACKAGE_MEMORY_ONLY, m->level,
		"cannot lock %zu bytes of %s; raise RLIMIT_MEMLOCK (ulimit -l, LimitMEMLOCK=)",
		memory->len, m->release.manifest.lineage);
}

static hf_err begin_file(void *ctx, size_t number, const struct hf_pkg_file *f)
{
	struct load *l = ctx;
	struct hf_memfd *memory = &l->m->files[number].memory;

	if ((l->number != ALL_FILES && l->number != number) || is_open(&l->m->files[number]))
		return HF_ERR_AGAIN;
	HF_TRY(hf_memfd_init(memory, "hufu-model", f->len, &l->why));
	return lock_memory(l->m, memory, &l->why);
}

static hf_err write_file(
	void *ctx, size_t number, const uint8_t *bytes, size_t len, uint64_t offset)
{
	const struct load *l = ctx;
	const struct hf_memfd *memory = &l->m->files[number].memory;

	if (offset > memory->len || len > memory->len - offset)
		return HF_ERR_FORMAT;
	memcpy(memory->map + offset, bytes, len);
	return HF_OK;
}

/* Sealing maps the bytes anew, so they are locked anew too. */
static hf_err end_files(struct load *l)
{
	struct hufu_model *m = l->m;

	for (size_t i = 0; i < m->n_files; i++) {
		struct hf_memfd *memory = &m->files[i].memory;

		if (memory->map == NULL || (l->number != ALL_FILES && l->number != i))
			continue;
		HF_TRY(hf_memfd_seal(memory, &l->why));
		HF_TRY(lock_memory(m, memory, &l->why));
	}
	return HF_OK;
}

static void report(const struct hufu_model *m, hf_err why)
{
	struct hf_key_client c = { .mem = hf_os_mem(), .fd = -1 };

	/* A node that has ended meanwhile cannot record it; the caller is refused all the same. */
	if (hf_local_connect(&c.fd, m->node_dir, HF_LOCAL_KEYD, NULL) == HF_OK &&
		hf_unixsock_timeout(c.fd, HF_LOCAL_QUICK_MS) == HF_OK)
		(void)!hf_key_report(&c, m->release.manifest.lineage, why, NULL);
	hf_file_close(&c.fd);
}

hf_err hf_sdk_refuse(
	const struct hufu_model *m, hf_err e, const struct hf_errinfo *why, struct hf_errinfo *ei)
{
	bool is_damaged = e == HF_ERR_AUTH || e == HF_ERR_FORMAT || e == HF_ERR_TRUNCATED ||
			  e == HF_ERR_NOT_FOUND;

	if (is_damaged)
		report(m, e);
	return hf_fail_sys(ei, e, why->sys, "%s%s", why->code != HF_OK ? why->text : hf_err_text(e),
		is_damaged ? "; pull the model again" : "");
}

/* Why it failed, in the order of who knows best. */
static hf_err explain(
	const struct load *l, hf_err e, const struct hf_errinfo *why, struct hf_errinfo *ei)
{
	if (l->why.code != HF_OK)
		return hf_fail_sys(ei, l->why.code, l->why.sys, "%s", l->why.text);
	if (e == HF_ERR_NO_MEMORY)
		return hf_sdk_no_memory(l->m, ei);
	return hf_sdk_refuse(l->m, e, why, ei);
}

hf_err hf_sdk_model_load(struct hufu_model *m, size_t number, struct hf_errinfo *ei)
{
	struct load l = { .m = m, .number = number };
	struct hf_release_target target = { .file = begin_file, .write = write_file, .ctx = &l };
	struct hf_errinfo why = { .code = HF_OK };
	struct hf_env env = m->env;
	bool was_open[HF_PKG_FILES_MAX] = { false };
	hf_err e;

	if (m->keys == NULL || (number != ALL_FILES && is_open(&m->files[number])))
		return HF_OK;
	for (size_t i = 0; i < m->n_files; i++)
		was_open[i] = is_open(&m->files[i]);
	e = hf_pool_new(&env.pool, hf_os_mem(), hf_sdk_workers(), POOL_QUEUE, &why);
	if (e == HF_OK)
		e = hf_release_open(&env, &m->release, m->keys, &target, &m->progress, &why);
	hf_pool_free(env.pool);
	if (e == HF_OK)
		e = end_files(&l);
	for (size_t i = 0; e != HF_OK && i < m->n_files; i++)
		if (!was_open[i])
			hf_memfd_clear(&m->files[i].memory);
	return e == HF_OK ? HF_OK : explain(&l, e, &why, ei);
}

static hf_err open_model(
	struct hufu_model *m, const struct hf_sdk_open *how, const char *dir, struct hf_errinfo *ei)
{
	uint8_t cek[HF_CEK_LEN];
	hf_err e;

	HF_TRY(hf_path_join(m->objects_dir, dir, "objects", ei));
	(void)snprintf(m->node_dir, sizeof(m->node_dir), "%s", dir); /* shorter than the above */
	m->objects = hf_folder_objects(m->objects_dir);
	m->release.objects = &m->objects;
	hf_buf_init(&m->release.object, hf_os_mem(), hf_object_max(HF_OBJECT_MANIFEST));
	e = ask_keyd(m, dir, how->name, cek, ei);
	if (e == HF_OK)
		e = read_manifest(m, how->name, ei);
	if (e == HF_OK)
		e = take_key(m, cek, ei);
	hf_wipe(cek, sizeof(cek));
	if (e == HF_OK)
		e = list_files(m);
	if (e != HF_OK || (how->flags & HUFU_MODEL_LAZY) != 0)
		return e;
	e = hf_sdk_model_load(m, ALL_FILES, ei);
	forget_keys(m);
	return e;
}

hf_err hf_sdk_model_open(
	struct hufu_model **out, const struct hf_sdk_open *how, struct hf_errinfo *ei)
{
	struct hufu_model *m;
	hf_err e;

	HF_TRY(hf_sdk_start(ei));
	if (how->name == NULL || !hf_id_is_valid(how->name))
		return hf_fail(ei, HF_ERR_ARG,
			"the name of a model is of letters, digits, '.', '_' and '-'");
	if ((how->flags & ~HUFU_MODEL_LAZY) != 0)
		return hf_fail(ei, HF_ERR_ARG, "flags 0x%x: unknown to this version", how->flags);
	m = hf_mem_new(hf_os_mem(), sizeof(*m));
	if (m == NULL || pthread_mutex_init(&m->lock, NULL) != 0) {
		hf_mem_free(hf_os_mem(), m);
		return hf_fail(ei, HF_ERR_NO_MEMORY, "out of memory");
	}
	hf_lockheap_init(&m->locked);
	m->env.mem = hf_os_mem();
	m->progress = how->progress;
	e = open_model(m, how, hf_local_dir(how->node_dir), ei);
	if (e != HF_OK) {
		(void)hf_fail(ei, e, "%s: %s", how->name, hf_err_text(e));
		hufu_model_close(m);
		return e;
	}
	*out = m;
	return HF_OK;
}

HF_EXPORT void hufu_model_close(struct hufu_model *model)
{
	if (model == NULL)
		return;
	hf_sdk_reader_clear(model);
	for (size_t i = 0; i < model->n_files; i++)
		hf_memfd_clear(&model->files[i].memory);
	hf_mem_free(hf_os_mem(), model->files);
	forget_keys(model);
	hf_release_clear(&model->release);
	(void)pthread_mutex_destroy(&model->lock);
	hf_wipe(model, sizeof(*model));
	hf_mem_free(hf_os_mem(), model);
}

hf_err hf_sdk_model_find(
	const struct hufu_model *m, size_t *number, const char *name, struct hf_errinfo *ei)
{
	char names[128] = "";
	size_t len = 0;

	if (name == NULL && m->n_files == 1) {
		*number = 0;
		return HF_OK;
	}
	for (size_t i = 0; i < m->n_files; i++) {
		const char *path = m->files[i].f.path;

		if (name != NULL && strcmp(path, name) == 0) {
			*number = i;
			return HF_OK;
		}
		if (len < sizeof(names))
			len += (size_t)snprintf(
				names + len, sizeof(names) - len, "%s%s", i == 0 ? "" : ", ", path);
	}
	if (name != NULL)
		return hf_fail(ei, HF_ERR_NOT_FOUND, "%s has no file '%.64s'; it has: %s%s",
			m->release.manifest.lineage, name, names, len < sizeof(names) ? "" : "...");
	return hf_fail(ei, HF_ERR_ARG, "%s has %zu files, name one: %s%s",
		m->release.manifest.lineage, m->n_files, names, len < sizeof(names) ? "" : "...");
}
