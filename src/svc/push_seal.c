/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chunks are sealed and made durable first, side by side with other pushes. Then, under the lock,
 * the next counter is taken and written down, the statement signed, and the bundle gets its name:
 * uploads get their names in the order of their counters. A counter whose upload was never named is
 * lost, which does no harm.
 */
#include "svc/push_seal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/endian.h"
#include "base/hex.h"
#include "base/wipe.h"
#include "os/clock.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/unixsock.h"
#include "pkg/chunk.h"
#include "pkg/pkg_writer.h"
#include "pki/cert.h"
#include "svc/bundle_file.h"
#include "svc/inputs.h"
#include "svc/key_client.h"
#include "svc/local.h"
#include "svc/local_client.h"
#include "svc/party.h"

enum {
	LOCK_WAIT_MS = 60 * 1000, /* for other pushes */
	LOCK_POLL_MS = 20,
	LEFT_OVER_S = 24 * 3600, /* what was not named for so long has no process any more */
	OUTBOX_FILES_MAX = 1 << 16,
	COUNTER_LEN = 8,
};

struct pushing {
	const struct hf_env *env;
	const struct hf_push_spec *spec;
	struct hf_errinfo *ei;
	char outbox[HF_PATH_MAX];
	char sealed[HF_PATH_MAX]; /* name of the bundle while it has no counter */
	struct hf_identity identity;
	struct hf_cert hub;
	struct hf_inputs *inputs;
	struct hf_upload upload;
	uint8_t k_dom[HF_KDOM_LEN];
	uint8_t cek[HF_CEK_LEN];
	struct hf_chunk_keys chunk_keys;
	struct hf_pkg_writer *writer;
	struct hf_bundle_out out;
	int lock;
};

static hf_err check_spec(const struct hf_push_spec *spec, struct hf_errinfo *ei)
{
	bool has_lineage = spec->lineage[0] != '\0';

	if (spec->kind < HF_UPLOAD_INCREMENT || spec->kind > HF_UPLOAD_OTHER)
		return hf_fail(ei, HF_ERR_ARG, "kind of an upload: increment, records or other");
	if (has_lineage && !hf_id_is_valid(spec->lineage))
		return hf_fail(ei, HF_ERR_ARG, "lineage '%s': letters, digits, '.', '_' and '-'",
			spec->lineage);
	if (has_lineage != (spec->release != 0))
		return hf_fail(
			ei, HF_ERR_ARG, "an upload names lineage and release, or neither of them");
	return HF_OK;
}

static hf_err connect_keyd(struct pushing *p, struct hf_key_client *c)
{
	*c = (struct hf_key_client){ .mem = p->env->mem, .fd = -1 };
	HF_TRY(hf_local_connect(&c->fd, p->spec->dir, HF_LOCAL_KEYD, p->ei));
	return hf_unixsock_timeout(c->fd, HF_LOCAL_QUICK_MS);
}

/* Who this node is. */
static hf_err ask_identity(struct pushing *p)
{
	struct hf_key_client c;
	struct hf_key_status s;
	hf_err e;

	e = connect_keyd(p, &c);
	if (e == HF_OK)
		e = hf_key_status(&c, &s, p->ei);
	hf_file_close(&c.fd);
	HF_TRY(e);
	if (s.identity.domain[0] == '\0')
		return hf_fail(p->ei, HF_ERR_STATE,
			"%s: this node is no member of a domain yet; it has to enrol first",
			p->spec->dir);
	if (s.identity.role == HF_ROLE_HUB)
		return hf_fail(p->ei, HF_ERR_STATE,
			"%s: a hub sends nothing up; push from a device or an edge", p->spec->dir);
	p->identity = s.identity;
	return HF_OK;
}

/* To whom it is sealed. */
static hf_err load_hub(struct pushing *p)
{
	char path[HF_PATH_MAX];
	uint64_t now_s = hf_clock_wall_s();

	HF_TRY(hf_path_join(path, p->spec->dir, "certs/hub-enc.crt", p->ei));
	HF_TRY(hf_cert_load(&p->hub, p->env, path, p->ei));
	if (!p->hub.has_identity || p->hub.identity.role != HF_ROLE_HUB ||
		strcmp(p->hub.identity.domain, p->identity.domain) != 0)
		return hf_fail(p->ei, HF_ERR_AUTH, "%s: is not of the hub of %s", path,
			p->identity.domain);
	if (now_s < p->hub.not_before_s || now_s > p->hub.not_after_s)
		return hf_fail(
			p->ei, HF_ERR_EXPIRED, "%s: has expired; get the hub's new one", path);
	return HF_OK;
}

static hf_err delete_left_over(void *ctx, const char *name)
{
	const struct pushing *p = ctx;
	char path[HF_PATH_MAX];
	struct hf_file_stat st;

	if (strstr(name, ".part") == NULL || hf_path_join(path, p->outbox, name, NULL) != HF_OK ||
		hf_file_stat(&st, path, NULL) != HF_OK)
		return HF_OK;
	if (st.is_file && st.mtime_s + LEFT_OVER_S < hf_clock_wall_s())
		(void)!hf_file_delete(path, NULL); /* tried again next time */
	return HF_OK;
}

/* The outbox, and a name in it that nobody else has. */
static hf_err open_outbox(struct pushing *p)
{
	char hex[2 * HF_UPLOAD_ID_LEN + 1];
	char name[sizeof(hex) + 8];

	HF_TRY(hf_path_join(p->outbox, p->spec->dir, "outbox", p->ei));
	HF_TRY(hf_dir_make(p->outbox, 0700, p->ei));
	HF_TRY(hf_dir_list(p->env->mem, p->outbox, OUTBOX_FILES_MAX, delete_left_over, p, p->ei));
	hf_hex_emit(hex, p->upload.id, sizeof(p->upload.id));
	(void)snprintf(name, sizeof(name), "%s.part", hex);
	HF_TRY(hf_path_join(p->sealed, p->outbox, name, p->ei));
	return hf_bundle_out_begin(&p->out, p->env, p->sealed, p->ei);
}

/* Everything of the statement but counter and body. */
static hf_err begin_upload(struct pushing *p)
{
	struct hf_upload *u = &p->upload;

	u->kind = p->spec->kind;
	u->level = p->identity.level;
	u->created_s = hf_clock_wall_s();
	u->release = p->spec->release;
	(void)snprintf(u->domain, sizeof(u->domain), "%s", p->identity.domain);
	(void)snprintf(u->device, sizeof(u->device), "%s", p->identity.id);
	(void)snprintf(u->lineage, sizeof(u->lineage), "%s", p->spec->lineage);
	(void)snprintf(u->recipient, sizeof(u->recipient), "%s", p->hub.identity.id);
	hf_cert_fingerprint(u->cert, &p->hub);
	return hf_rng_fill(&p->env->rng, u->id, sizeof(u->id));
}

static hf_err make_keys(struct pushing *p, struct hf_pkg_writer_config *config)
{
	const struct hf_rng *rng = &p->env->rng;

	hf_upload_scope(&config->scope, &p->upload);
	HF_TRY(hf_rng_fill(rng, p->k_dom, sizeof(p->k_dom)));
	HF_TRY(hf_rng_fill(rng, p->cek, sizeof(p->cek)));
	HF_TRY(hf_chunk_keys_init(&p->chunk_keys, p->k_dom, &config->scope, NULL));
	config->mem = p->env->mem;
	memcpy(config->cek, p->cek, sizeof(config->cek));
	return hf_rng_fill(rng, config->salt, sizeof(config->salt));
}

/* The files as packs and pages in the bundle, durable. */
static hf_err seal_files(struct pushing *p)
{
	struct hf_pkg_writer_config config = { .pack_max = 0 };
	hf_err e;

	config.sink = hf_bundle_out_sink(&p->out);
	e = make_keys(p, &config);
	if (e == HF_OK)
		e = hf_pkg_writer_new(&p->writer, &config);
	hf_wipe(&config, sizeof(config));
	HF_TRY(e);
	HF_TRY(hf_inputs_seal(p->inputs, &p->chunk_keys, p->writer, p->ei));
	HF_TRY(hf_pkg_writer_finish(p->writer, &p->upload.body));
	return hf_file_sync(p->out.fd, p->ei);
}

static hf_err take_lock(struct pushing *p)
{
	uint64_t until = hf_clock_mono_ms() + LOCK_WAIT_MS;
	struct hf_errinfo why = { .code = HF_OK };
	char path[HF_PATH_MAX];
	hf_err e;

	HF_TRY(hf_path_join(path, p->outbox, ".lock", p->ei));
	for (;;) {
		why.code = HF_OK;
		e = hf_file_lock(&p->lock, path, &why);
		if (e != HF_ERR_AGAIN || hf_clock_mono_ms() >= until)
			break;
		hf_clock_sleep_ms(LOCK_POLL_MS);
	}
	return e == HF_OK ? HF_OK : hf_fail_sys(p->ei, e, why.sys, "%s", why.text);
}

/*
 * The next counter, written down before it is used: above the last one, and above the time, so that
 * it rises even where the file was lost.
 */
static hf_err next_counter(struct pushing *p)
{
	uint8_t bytes[COUNTER_LEN];
	uint64_t counter = hf_clock_wall_ms();
	char path[HF_PATH_MAX];
	struct hf_buf in;
	hf_err e;

	HF_TRY(hf_path_join(path, p->outbox, "counter", p->ei));
	hf_buf_init(&in, p->env->mem, COUNTER_LEN);
	e = hf_file_load(&in, path, NULL);
	if (e == HF_OK && in.len == COUNTER_LEN && hf_get_be64(in.p) >= counter)
		counter = hf_get_be64(in.p) + 1;
	hf_buf_clear(&in);
	if (e != HF_OK && e != HF_ERR_NOT_FOUND)
		return hf_fail(p->ei, e, "%s: cannot be read: %s", path, hf_err_text(e));
	if (counter == 0)
		return hf_fail(p->ei, HF_ERR_LIMIT, "%s: no counter is left", path);
	hf_put_be64(bytes, counter);
	HF_TRY(hf_file_replace(path, 0644, bytes, sizeof(bytes), p->ei));
	p->upload.counter = counter;
	return HF_OK;
}

/* Signs the statement and puts it into the bundle. */
static hf_err put_statement(struct pushing *p, uint8_t name[HF_SM3_LEN])
{
	struct hf_cms_party to = { .pub = p->hub.key, .cert = &p->hub };
	struct hf_key_client c = { .fd = -1 };
	struct hf_buf content;
	struct hf_buf object;
	hf_err e;

	hf_buf_init(&content, p->env->mem, hf_object_max(HF_OBJECT_UPLOAD));
	hf_buf_init(&object, p->env->mem, hf_object_max(HF_OBJECT_UPLOAD));
	e = hf_upload_emit(&content, &p->upload, p->cek, &to, &p->env->rng, p->ei);
	if (e == HF_OK)
		e = connect_keyd(p, &c);
	if (e == HF_OK)
		e = hf_key_sign_upload(
			&c, (struct hf_bytes){ content.p, content.len }, &object, p->ei);
	if (e == HF_OK)
		e = hf_bundle_out_put(
			&p->out, HF_OBJECT_UPLOAD, (struct hf_bytes){ object.p, object.len });
	if (e == HF_OK)
		hf_object_name(name, object.p, object.len);
	hf_file_close(&c.fd);
	hf_buf_clear(&object);
	hf_buf_clear(&content);
	return e;
}

/* Gives the bundle its name among those that wait. */
static hf_err enter_outbox(struct pushing *p)
{
	char name[32];
	char path[HF_PATH_MAX];
	hf_err e;

	(void)snprintf(name, sizeof(name), "%020" PRIu64 ".hufu", p->upload.counter);
	HF_TRY(hf_path_join(path, p->outbox, name, p->ei));
	HF_TRY(hf_bundle_out_finish(&p->out));
	e = hf_file_rename(p->sealed, path, p->ei);
	if (e == HF_OK)
		e = hf_dir_sync(p->outbox, p->ei);
	if (e != HF_OK) {
		(void)!hf_file_delete(p->sealed, NULL);
		(void)!hf_file_delete(path, NULL);
	}
	return e;
}

static hf_err push(struct pushing *p, struct hf_push_result *result)
{
	HF_TRY(ask_identity(p));
	HF_TRY(load_hub(p));
	HF_TRY(begin_upload(p));
	HF_TRY(open_outbox(p));
	HF_TRY(seal_files(p));
	HF_TRY(take_lock(p));
	HF_TRY(next_counter(p));
	HF_TRY(put_statement(p, result->upload));
	HF_TRY(enter_outbox(p));
	result->counter = p->upload.counter;
	result->plain_len = p->upload.body.plain_len;
	result->sealed_len = p->upload.body.sealed_len;
	hf_inputs_notes(&result->notes, p->inputs);
	return HF_OK;
}

static void pushing_clear(struct pushing *p)
{
	hf_bundle_out_clear(&p->out);
	hf_file_close(&p->lock);
	hf_pkg_writer_free(p->writer);
	hf_inputs_free(p->inputs);
	hf_cert_clear(&p->hub);
	hf_chunk_keys_clear(&p->chunk_keys);
	hf_wipe(p, sizeof(*p));
}

hf_err hf_push_seal(const struct hf_env *env, const struct hf_push_spec *spec,
	struct hf_push_result *result, struct hf_errinfo *ei)
{
	const struct hf_inputs_spec inputs = { .files = spec->files,
		.n_files = spec->n_files,
		.keys = &spec->dir,
		.n_keys = 1,
		.progress = spec->progress };
	struct hf_push_result r = { .counter = 0 };
	struct pushing *p;
	hf_err e;

	HF_TRY(check_spec(spec, ei));
	p = hf_mem_new(env->mem, sizeof(*p));
	if (p == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "out of memory");
	p->env = env;
	p->spec = spec;
	p->ei = ei;
	p->lock = -1;
	p->out = HF_BUNDLE_OUT_EMPTY;
	e = hf_inputs_new(&p->inputs, env, &inputs, ei);
	if (e == HF_OK)
		e = push(p, &r);
	if (e == HF_OK)
		*result = r;
	else
		(void)hf_fail(ei, e, "%s: the upload was not made: %s", spec->dir, hf_err_text(e));
	pushing_clear(p);
	hf_mem_free(env->mem, p);
	return e;
}
