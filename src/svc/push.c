/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stages in order; within one of them a few objects travel at a time, and the next one begins
 * when all of them have arrived:
 *
 *	statement -> deposit (of a manifest) -> pages -> packs -> the POST that ends it
 *
 * A page or a pack is asked for first (HEAD) and sent only if it is not there (PUT); a statement is
 * sent in any case: that is what a hub may show to nobody. The first failure ends the push. A call
 * that is under way has a struct call, which outlives it: hf_push_free() cancels what is left.
 */
#include "svc/push.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "codec/json_wr.h"
#include "http/api.h"
#include "pkg/grant.h"
#include "pkg/manifest.h"
#include "pkg/pkg_reader.h"
#include "pkg/upload.h"

enum {
	CALLS_MAX = 4,         /* pages under way at a time */
	PACKS_MAX = 2,         /* packs: one is sent, the other asked for meanwhile */
	ANSWER_MAX = 64 << 10, /* bytes of an answer */
	REQUEST_ID_LEN = 16,
};

enum stage {
	STAGE_STATEMENT,
	STAGE_DEPOSIT,
	STAGE_PAGES,
	STAGE_PACKS,
	STAGE_END,
	STAGE_OVER,
};

/* What one object is. */
struct item {
	enum hf_object kind;
	uint8_t name[HF_SM3_LEN];
	uint64_t chunk; /* of a pack: number of its first chunk */
	uint32_t len;   /* of a pack */
};

struct call {
	struct hf_push *push;
	bool is_used;
	bool is_head;
	bool is_waiting; /* a pack that is not there, until the one before has been sent */
	int32_t stream;
	struct item item;
	uint32_t sent;         /* bytes of the pack so far */
	struct hf_errinfo why; /* the pack could not be read */
};

struct hf_push {
	struct hf_push_config config;
	uint64_t now_ms;
	enum stage stage;
	char request[2 * REQUEST_ID_LEN + 1];
	char statement[HF_OBJECT_PATH_MAX]; /* "manifest/<hex>" */
	struct hf_buf object;               /* the statement */
	struct hf_buf deposit;
	struct hf_pkg_body body; /* borrows from object */
	struct hf_pkg_reader *reader;
	uint64_t next;  /* page, table and index in turn, or chunk */
	uint64_t bytes; /* of packs that are there */
	struct call calls[CALLS_MAX];
	size_t n_calls;
};

static const char *end_path(const struct hf_push *p)
{
	return p->config.kind == HF_OBJECT_MANIFEST ? HF_API_RELEASES : HF_API_UPLOADS;
}

static void cancel_all(struct hf_push *p)
{
	for (size_t i = 0; i < CALLS_MAX; i++) {
		if (p->calls[i].is_used && p->config.h != NULL)
			hf_h2_cancel(p->config.h, p->calls[i].stream);
		p->calls[i].is_used = false;
	}
	p->n_calls = 0;
}

/* The one place from where on_end is called. */
static void finish(struct hf_push *p, hf_err e, const struct hf_errinfo *why, const uint8_t *body,
	size_t body_len)
{
	if (p->stage == STAGE_OVER)
		return;
	cancel_all(p);
	p->stage = STAGE_OVER;
	p->config.h = NULL;
	p->config.on_end(p->config.ctx, e, why, body, body_len);
}

static void show(struct hf_push *p)
{
	uint64_t done = p->bytes;

	if (p->config.on_progress == NULL)
		return;
	for (size_t i = 0; i < CALLS_MAX; i++)
		if (p->calls[i].is_used)
			done += p->calls[i].sent;
	if (done > p->body.sealed_len)
		done = p->body.sealed_len;
	p->config.on_progress(p->config.ctx, done, p->body.sealed_len);
}

/* Reads a pack while it is sent. */
static hf_err pack_read(void *ctx, uint8_t *out, size_t cap, size_t *len, bool *is_end)
{
	struct call *c = ctx;
	const struct hf_objects *o = c->push->config.objects;
	size_t n = c->item.len - c->sent < cap ? c->item.len - c->sent : cap;

	HF_TRY(o->read_at(o->ctx, c->item.name, out, n, c->sent, &c->why));
	c->sent += (uint32_t)n;
	*len = n;
	*is_end = c->sent == c->item.len;
	show(c->push);
	return HF_OK;
}

static void on_done(void *ctx, int32_t stream, hf_err e, const struct hf_http_head *head,
	const uint8_t *body, size_t body_len);

/* Fields of every call: what it belongs to, and the name that both audit logs will show. */
static size_t make_fields(const struct call *c, struct hf_http_field f[3])
{
	const struct hf_push *p = c->push;
	size_t n = 0;

	(void)snprintf(f[n].name, sizeof(f[n].name), "%s", HF_FIELD_REQUEST);
	(void)snprintf(f[n].value, sizeof(f[n].value), "%s", p->request);
	n++;
	if (c->is_head || p->stage < STAGE_PAGES || p->stage > STAGE_PACKS)
		return n;
	(void)snprintf(f[n].name, sizeof(f[n].name), "%s", HF_FIELD_FOR);
	(void)snprintf(f[n].value, sizeof(f[n].value), "%s", p->statement);
	n++;
	if (c->item.kind != HF_OBJECT_PACK)
		return n;
	(void)snprintf(f[n].name, sizeof(f[n].name), "%s", HF_FIELD_CHUNK);
	(void)snprintf(f[n].value, sizeof(f[n].value), "%" PRIu64, c->item.chunk);
	return n + 1;
}

/* Begins what c describes; a body is borrowed for the call only. */
static hf_err begin_call(struct call *c, const char *path, enum hf_http_method method,
	const char *type, struct hf_bytes body)
{
	struct hf_push *p = c->push;
	struct hf_http_field fields[3];
	struct hf_http_source source = { .read = pack_read, .ctx = c, .len = c->item.len };
	struct hf_http_call call = { .method = method,
		.path = path,
		.content_type = method == HF_HTTP_HEAD ? NULL : type,
		.fields = fields,
		.body = body.p,
		.body_len = body.len,
		.body_max = ANSWER_MAX,
		.on_done = on_done,
		.ctx = c };

	call.n_fields = make_fields(c, fields);
	if (method == HF_HTTP_PUT && c->item.kind == HF_OBJECT_PACK)
		call.source = &source;
	c->sent = 0;
	c->why = (struct hf_errinfo){ .code = HF_OK };
	HF_TRY(hf_h2_call(p->config.h, &c->stream, &call, p->now_ms));
	if (!c->is_used)
		p->n_calls++;
	c->is_used = true;
	return HF_OK;
}

static hf_err send_item(struct call *c, struct hf_bytes body)
{
	char object[HF_OBJECT_PATH_MAX];
	char path[HF_OBJECT_PATH_MAX + 16];
	const char *type = HF_TYPE_DER;

	hf_object_path(object, c->item.kind, c->item.name);
	(void)snprintf(path, sizeof(path), "/v1/objects/%s", object);
	if (c->item.kind == HF_OBJECT_PACK || c->item.kind == HF_OBJECT_TABLE ||
		c->item.kind == HF_OBJECT_INDEX)
		type = HF_TYPE_BYTES;
	return begin_call(c, path, c->is_head ? HF_HTTP_HEAD : HF_HTTP_PUT, type, body);
}

/* The PUT of what is not there. */
static hf_err put_item(struct call *c, struct hf_errinfo *ei)
{
	const struct hf_push *p = c->push;
	struct hf_buf page;
	hf_err e;

	c->is_head = false;
	if (c->item.kind == HF_OBJECT_PACK)
		return send_item(c, (struct hf_bytes){ NULL, 0 });
	hf_buf_init(&page, p->config.env->mem, hf_object_max(c->item.kind));
	e = hf_objects_load(&page, p->config.objects, c->item.kind, c->item.name, ei);
	if (e == HF_OK)
		e = send_item(c, (struct hf_bytes){ page.p, page.len });
	hf_buf_clear(&page);
	return e;
}

/*
 * Packs go one after the other: a connection that is lost takes no more than the one that was on
 * its way.
 */
static bool is_sending_pack(const struct hf_push *p)
{
	for (size_t i = 0; i < CALLS_MAX; i++) {
		const struct call *c = &p->calls[i];

		if (c->is_used && !c->is_head && !c->is_waiting && c->item.kind == HF_OBJECT_PACK)
			return true;
	}
	return false;
}

/* The pack that waited until this moment, if there is one. */
static hf_err put_waiting(struct hf_push *p, struct hf_errinfo *ei)
{
	for (size_t i = 0; i < CALLS_MAX; i++) {
		if (!p->calls[i].is_used || !p->calls[i].is_waiting || is_sending_pack(p))
			continue;
		p->calls[i].is_waiting = false;
		return put_item(&p->calls[i], ei);
	}
	return HF_OK;
}

/* The statement itself, or the deposit. */
static hf_err put_statement(struct call *c, enum hf_object kind, const struct hf_buf *object)
{
	c->item = (struct item){ .kind = kind };
	c->is_head = false;
	hf_object_name(c->item.name, object->p, object->len);
	return send_item(c, (struct hf_bytes){ object->p, object->len });
}

static hf_err post_end(struct call *c)
{
	const struct hf_push *p = c->push;
	struct hf_json_wr j;
	struct hf_buf body;
	hf_err e;

	hf_buf_init(&body, p->config.env->mem, 256);
	j = hf_json_wr(&body);
	hf_json_wr_object(&j);
	hf_json_wr_key(&j, hf_object_kind(p->config.kind));
	hf_json_wr_hex(&j, p->config.name, HF_SM3_LEN);
	hf_json_wr_end(&j);
	e = hf_json_wr_done(&j);
	c->item = (struct item){ .kind = p->config.kind };
	c->is_head = false;
	if (e == HF_OK)
		e = begin_call(c, end_path(p), HF_HTTP_POST, HF_TYPE_JSON,
			(struct hf_bytes){ body.p, body.len });
	hf_buf_clear(&body);
	return e;
}

/* The next page; HF_ERR_NOT_FOUND: there is none. */
static hf_err next_page(struct hf_push *p, struct item *it)
{
	uint64_t no = p->next / 2;
	bool is_table = p->next % 2 == 0;
	const uint8_t *digests = is_table ? p->body.table_pages.p : p->body.index_pages.p;

	if (no == p->body.n_pages)
		return HF_ERR_NOT_FOUND;
	*it = (struct item){ .kind = is_table ? HF_OBJECT_TABLE : HF_OBJECT_INDEX };
	memcpy(it->name, digests + no * HF_SM3_LEN, HF_SM3_LEN);
	p->next++;
	return HF_OK;
}

static bool is_under_way(const struct hf_push *p, const uint8_t name[HF_SM3_LEN])
{
	for (size_t i = 0; i < CALLS_MAX; i++)
		if (p->calls[i].is_used && memcmp(p->calls[i].item.name, name, HF_SM3_LEN) == 0)
			return true;
	return false;
}

/*
 * The next pack: one begins wherever a chunk stands at its offset 0. HF_ERR_AGAIN: it is under way
 * already (two packs of equal chunks are the same one); HF_ERR_NOT_FOUND: no more.
 */
static hf_err next_pack(struct hf_push *p, struct item *it, struct hf_errinfo *ei)
{
	struct hf_place place;

	for (; p->next < p->body.n_chunks; p->next++) {
		HF_TRY(hf_pkg_reader_place(p->reader, p->next, &place, ei));
		if (place.offset != 0)
			continue;
		if (is_under_way(p, place.pack_id))
			return HF_ERR_AGAIN;
		*it = (struct item){
			.kind = HF_OBJECT_PACK, .chunk = p->next, .len = place.pack_len
		};
		memcpy(it->name, place.pack_id, HF_SM3_LEN);
		p->next++;
		return HF_OK;
	}
	return HF_ERR_NOT_FOUND;
}

static struct call *free_call(struct hf_push *p)
{
	for (size_t i = 0; i < CALLS_MAX; i++)
		if (!p->calls[i].is_used)
			return &p->calls[i];
	return NULL;
}

/* Begins as many pages or packs as may travel. HF_ERR_NOT_FOUND: all are there. */
static hf_err fill(struct hf_push *p, struct hf_errinfo *ei)
{
	size_t max = p->stage == STAGE_PACKS ? PACKS_MAX : CALLS_MAX;
	struct item it;
	struct call *c;
	hf_err e;

	while (p->n_calls < max && (c = free_call(p)) != NULL) {
		e = p->stage == STAGE_PACKS ? next_pack(p, &it, ei) : next_page(p, &it);
		if (e == HF_ERR_AGAIN)
			return HF_OK;
		if (e == HF_ERR_NOT_FOUND)
			return p->n_calls > 0 ? HF_OK : HF_ERR_NOT_FOUND;
		if (e != HF_OK)
			return e;
		c->item = it;
		c->is_head = true;
		HF_TRY(send_item(c, (struct hf_bytes){ NULL, 0 }));
	}
	return HF_OK;
}

/* Begins the calls of a stage, or of the next one if there is nothing to do in it. */
static hf_err advance(struct hf_push *p, struct hf_errinfo *ei)
{
	hf_err e;

	for (;;) {
		if (p->stage == STAGE_END)
			return post_end(&p->calls[0]);
		if (p->stage == STAGE_DEPOSIT && p->config.kind == HF_OBJECT_MANIFEST)
			return put_statement(&p->calls[0], HF_OBJECT_DEPOSIT, &p->deposit);
		if (p->stage == STAGE_PAGES || p->stage == STAGE_PACKS) {
			e = fill(p, ei);
			if (e != HF_ERR_NOT_FOUND)
				return e;
			p->next = 0;
		}
		p->stage++;
	}
}

/* An answer is whole: what it says about the object. */
static hf_err take_answer(struct call *c, unsigned status, const uint8_t *body, size_t body_len,
	struct hf_errinfo *ei)
{
	struct hf_push *p = c->push;
	struct hf_errinfo said = { .code = HF_OK };
	char object[HF_OBJECT_PATH_MAX];
	hf_err e = hf_api_answer(status, body, body_len, &said);

	if (c->is_head && e == HF_ERR_NOT_FOUND) {
		c->is_waiting = c->item.kind == HF_OBJECT_PACK && is_sending_pack(p);
		return c->is_waiting ? HF_OK : put_item(c, ei);
	}
	if (e != HF_OK) {
		if (p->stage == STAGE_END)
			return hf_fail(ei, e, "%s: refused: %s", p->statement, said.text);
		hf_object_path(object, c->item.kind, c->item.name);
		return hf_fail(ei, e, "%s: refused: %s", object, said.text);
	}
	c->is_used = false;
	c->sent = 0;
	p->n_calls--;
	if (c->item.kind == HF_OBJECT_PACK) {
		p->bytes += c->item.len;
		show(p);
		HF_TRY(put_waiting(p, ei));
	}
	if (p->stage == STAGE_END) {
		finish(p, HF_OK, &said, body, body_len);
		return HF_OK;
	}
	if (p->stage < STAGE_PAGES)
		p->stage++;
	return advance(p, ei);
}

static void on_done(void *ctx, int32_t stream, hf_err e, const struct hf_http_head *head,
	const uint8_t *body, size_t body_len)
{
	struct call *c = ctx;
	struct hf_push *p = c->push;
	struct hf_errinfo why = { .code = HF_OK };

	(void)stream;
	if (p->stage == STAGE_OVER)
		return;
	if (c->why.code != HF_OK) {
		why = c->why;
		e = why.code;
	} else if (e == HF_OK) {
		e = take_answer(c, head->status, body, body_len, &why);
	}
	if (e == HF_OK)
		return;
	(void)hf_fail(&why, e, "%s: %s", p->statement,
		e == HF_ERR_CLOSED ? "the connection ended" : hf_err_text(e));
	c->is_used = false; /* its stream has ended by itself */
	finish(p, e, &why, NULL, 0);
}

/* Reads the statement as far as it says what belongs to it. Who signed it the hub will ask. */
static hf_err read_statement(struct hf_push *p, struct hf_errinfo *ei)
{
	struct hf_manifest manifest;
	struct hf_upload upload;
	struct hf_bytes content;

	HF_TRY(hf_objects_load(&p->object, p->config.objects, p->config.kind, p->config.name, ei));
	HF_TRY(hf_object_peek(
		&content, p->config.kind, (struct hf_bytes){ p->object.p, p->object.len }, ei));
	if (p->config.kind == HF_OBJECT_MANIFEST) {
		HF_TRY(hf_manifest_parse(&manifest, content, ei));
		p->body = manifest.body;
	} else {
		HF_TRY(hf_upload_parse(&upload, content, ei));
		p->body = upload.body;
	}
	return HF_OK;
}

struct search {
	struct hf_push *p;
	bool is_found;
};

static hf_err look_at_deposit(void *ctx, const uint8_t name[HF_SM3_LEN], uint64_t len)
{
	struct search *s = ctx;
	struct hf_push *p = s->p;
	struct hf_bytes content;
	struct hf_grant g;

	(void)len;
	if (s->is_found)
		return HF_OK;
	hf_buf_reset(&p->deposit);
	HF_TRY(hf_objects_load(&p->deposit, p->config.objects, HF_OBJECT_DEPOSIT, name, NULL));
	s->is_found = hf_object_peek(&content, HF_OBJECT_DEPOSIT,
			      (struct hf_bytes){ p->deposit.p, p->deposit.len }, NULL) == HF_OK &&
		      hf_grant_parse(&g, HF_OBJECT_DEPOSIT, content, NULL) == HF_OK &&
		      memcmp(g.context.manifest, p->config.name, HF_SM3_LEN) == 0;
	return HF_OK;
}

static hf_err find_deposit(struct hf_push *p, struct hf_errinfo *ei)
{
	const struct hf_objects *o = p->config.objects;
	struct search s = { .p = p };

	if (p->config.kind != HF_OBJECT_MANIFEST)
		return HF_OK;
	HF_TRY(o->each(o->ctx, HF_OBJECT_DEPOSIT, look_at_deposit, &s, ei));
	if (!s.is_found)
		return hf_fail(ei, HF_ERR_NOT_FOUND,
			"there is no deposit for %s in it; without one the hub can grant nothing",
			p->statement);
	return HF_OK;
}

static hf_err begin(struct hf_push *p, struct hf_errinfo *ei)
{
	const struct hf_env *env = p->config.env;
	struct hf_pkg_source pages = hf_objects_pages(p->config.objects);
	uint8_t id[REQUEST_ID_LEN];

	HF_TRY(hf_rng_fill(&env->rng, id, sizeof(id)));
	hf_hex_emit(p->request, id, sizeof(id));
	hf_object_path(p->statement, p->config.kind, p->config.name);
	HF_TRY(read_statement(p, ei));
	HF_TRY(find_deposit(p, ei));
	HF_TRY(hf_pkg_reader_new(&p->reader, &p->body, NULL, &pages, env->mem));
	return put_statement(&p->calls[0], p->config.kind, &p->object);
}

hf_err hf_push_new(struct hf_push **out, const struct hf_push_config *config, uint64_t now_ms,
	struct hf_errinfo *ei)
{
	struct hf_push *p;
	hf_err e;

	if (config->kind != HF_OBJECT_MANIFEST && config->kind != HF_OBJECT_UPLOAD)
		return hf_fail(ei, HF_ERR_ARG, "only manifests and uploads are pushed");
	p = hf_mem_new(config->env->mem, sizeof(*p));
	if (p == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "out of memory");
	p->config = *config;
	p->now_ms = now_ms;
	for (size_t i = 0; i < CALLS_MAX; i++)
		p->calls[i].push = p;
	hf_buf_init(&p->object, config->env->mem, hf_object_max(config->kind));
	hf_buf_init(&p->deposit, config->env->mem, hf_object_max(HF_OBJECT_DEPOSIT));
	e = begin(p, ei);
	if (e != HF_OK) {
		(void)hf_fail(ei, e, "%s: %s", p->statement, hf_err_text(e));
		hf_push_free(p);
		return e;
	}
	*out = p;
	if (config->pump != NULL)
		config->pump(config->ctx);
	return HF_OK;
}

void hf_push_lost(struct hf_push *p)
{
	p->stage = STAGE_OVER;
	p->config.h = NULL;
}

void hf_push_free(struct hf_push *p)
{
	const struct hf_mem *mem;

	if (p == NULL)
		return;
	cancel_all(p);
	hf_pkg_reader_free(p->reader);
	hf_buf_clear(&p->object);
	hf_buf_clear(&p->deposit);
	mem = p->config.env->mem;
	hf_mem_free(mem, p);
}
