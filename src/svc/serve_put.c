/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PUT of objects (docs/formats/node-api.md, "Bringing objects in"). Statements, deposits and pages
 * are collected, bounded, and checked as a whole; a pack goes through chunk by chunk:
 *
 *	bytes -> tree hash and temporary file -> at the end of each chunk its id is compared
 *	      -> at the end of the pack its id is compared -> it gets its name
 *
 * The first byte that is wrong is noticed no later than the chunk it is in; the file goes then.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "crypto/tree.h"
#include "os/clock.h"
#include "pkg/table.h"
#include "svc/serve_inner.h"

/* Chunks of other packs that may lie between two chunks of one: a search must end. */
enum { SKIP_MAX = 1 << 20 };

/* A pack on its way in. */
struct pack_in {
	struct hf_blob_put file;
	struct hf_pkg_reader *reader;
	uint64_t n_chunks;     /* of the statement */
	uint64_t next;         /* number of the chunk to look at next */
	struct hf_place place; /* of the chunk that is coming */
	uint32_t chunk_at;     /* bytes of it so far */
	uint64_t at;           /* bytes of the pack so far */
	struct hf_pack_id sum;
	struct hf_tree tree;
};

struct serve_put {
	struct serve_task task;
	struct hf_serve *serve;
	enum hf_object kind;
	uint8_t name[HF_SM3_LEN];
	char id[SERVE_ID_TEXT];
	struct serve_intake *intake; /* of pages and packs */
	struct hf_buf body;          /* of all but packs */
	struct pack_in *pack;
	bool is_over; /* answered: what still comes is not looked at */
};

static void pack_free(struct hf_serve *s, struct pack_in *p)
{
	if (p == NULL)
		return;
	hf_blob_drop(&p->file);
	hf_pkg_reader_free(p->reader);
	hf_mem_free(s->mem, p);
}

/* Gives back all that it holds; only its place among the tasks stays. */
static void put_release(struct serve_put *p)
{
	p->is_over = true;
	pack_free(p->serve, p->pack);
	p->pack = NULL;
	hf_buf_clear(&p->body);
	hf_serve_task_unkeep(&p->task);
	if (p->intake != NULL)
		p->intake->n_puts--;
	p->intake = NULL;
}

static void put_over(struct serve_task *t)
{
	struct serve_put *p = (struct serve_put *)t;

	put_release(p);
	p->serve->n_puts--;
	hf_mem_free(p->serve->mem, p);
}

void hf_serve_object_row(struct hf_serve *s, enum hf_object kind, const char *id, uint64_t size)
{
	const struct hf_meta_object row = {
		.kind = hf_object_kind(kind), .id = id, .size = size, .created_s = hf_clock_wall_s()
	};

	/* A row serves tidying up only; the object is there without it. */
	(void)!hf_meta_object_put(s->node->meta, &row, NULL);
}

hf_err hf_serve_store(struct hf_serve *s, enum hf_object kind, const uint8_t name[HF_SM3_LEN],
	struct hf_bytes object, bool *is_new)
{
	struct hf_blob_put put = { .fd = -1 };
	char id[SERVE_ID_TEXT];
	hf_err e;

	hf_hex_emit(id, name, HF_SM3_LEN);
	e = hf_serve_open_err(
		s, hf_blob_begin(&put, &s->node->blobs, hf_object_kind(kind), id, NULL));
	if (e == HF_ERR_EXISTS) {
		*is_new = false;
		return HF_OK;
	}
	if (e == HF_OK)
		e = hf_blob_write(&put, object.p, object.len, NULL);
	if (e == HF_OK)
		e = hf_blob_commit(&put, NULL);
	hf_blob_drop(&put);
	if (e != HF_OK)
		return e;
	hf_serve_object_row(s, kind, id, object.len);
	*is_new = true;
	return HF_OK;
}

/* Who may bring what; what is not here nobody may. Pages and packs go with their statement. */
static uint32_t who_may(enum hf_object kind)
{
	if (kind == HF_OBJECT_MANIFEST || kind == HF_OBJECT_DEPOSIT)
		return HF_PEER_PUBLISHER;
	return kind == HF_OBJECT_UPLOAD ? HF_PEER_DEVICE | HF_PEER_EDGE : 0;
}

static bool is_part(enum hf_object kind)
{
	return kind == HF_OBJECT_TABLE || kind == HF_OBJECT_INDEX || kind == HF_OBJECT_PACK;
}

/* The statement that a page or a pack says it belongs to. */
static hf_err statement_of(enum hf_object *kind, uint8_t name[HF_SM3_LEN],
	const struct hf_http_head *head, struct hf_errinfo *ei)
{
	const char *text = hf_serve_field(head, HF_FIELD_FOR);

	if (text == NULL || hf_object_path_parse(kind, name, text, strlen(text)) != HF_OK ||
		(*kind != HF_OBJECT_MANIFEST && *kind != HF_OBJECT_UPLOAD))
		return hf_fail(ei, HF_ERR_FORMAT, "%s: names no statement", HF_FIELD_FOR);
	return HF_OK;
}

static hf_err check_right(
	const struct hf_serve_session *session, enum hf_object kind, struct hf_errinfo *ei)
{
	if ((who_may(kind) & session->who) == 0)
		return hf_fail(ei, HF_ERR_DENIED, "a %s is not taken from a %s",
			hf_object_kind(kind), hf_role_name(session->identity.role));
	return HF_OK;
}

/*
 * Finds the next chunk of the pack: the one that lies where the bytes so far end. Chunks in between
 * that lie in other packs, or in this one before, are passed over.
 */
static hf_err next_chunk(struct serve_put *p, struct hf_errinfo *ei)
{
	struct pack_in *in = p->pack;

	for (unsigned n = 0; n < SKIP_MAX && in->next < in->n_chunks; n++, in->next++) {
		HF_TRY(hf_pkg_reader_place(in->reader, in->next, &in->place, ei));
		if (memcmp(in->place.pack_id, p->name, HF_SM3_LEN) != 0 ||
			in->place.offset != in->at)
			continue;
		in->next++;
		in->chunk_at = 0;
		hf_tree_init(&in->tree);
		return HF_OK;
	}
	return hf_fail(ei, HF_ERR_FORMAT, "pack/%s: the table does not say what lies at %" PRIu64,
		p->id, in->at);
}

static hf_err parse_chunk_no(uint64_t *out, const char *text)
{
	uint64_t n = 0;

	if (text == NULL || text[0] == '\0' || strlen(text) > 10 ||
		strspn(text, "0123456789") != strlen(text))
		return HF_ERR_FORMAT;
	for (; *text != '\0'; text++)
		n = n * 10 + (uint64_t)(*text - '0');
	*out = n;
	return HF_OK;
}

/* The first chunk must be the one that was named, at the beginning of this pack. */
static hf_err find_first(struct serve_put *p, struct hf_errinfo *ei)
{
	struct pack_in *in = p->pack;
	hf_err e;

	if (in->next >= in->n_chunks)
		return hf_fail(ei, HF_ERR_DENIED, "pack/%s: the statement has no chunk %" PRIu64,
			p->id, in->next);
	e = hf_pkg_reader_place(in->reader, in->next, &in->place, NULL);
	if (e == HF_ERR_NOT_FOUND)
		return hf_fail(ei, HF_ERR_STATE, "pack/%s: its table page comes first", p->id);
	if (e != HF_OK)
		return hf_fail(ei, e, "pack/%s: its table page: %s", p->id, hf_err_text(e));
	if (memcmp(in->place.pack_id, p->name, HF_SM3_LEN) != 0 || in->place.offset != 0)
		return hf_fail(ei, HF_ERR_DENIED,
			"pack/%s: does not begin with chunk %" PRIu64 " of the statement", p->id,
			in->next);
	return next_chunk(p, ei);
}

static hf_err pack_begin(
	struct serve_put *p, const struct hf_http_head *head, struct hf_errinfo *ei)
{
	struct hf_serve *s = p->serve;
	struct hf_pkg_source pages = hf_objects_pages(&s->objects);
	struct pack_in *in = hf_mem_new(s->mem, sizeof(*in));
	hf_err e;

	if (in == NULL)
		return HF_ERR_NO_MEMORY;
	p->pack = in;
	in->file.fd = -1;
	hf_pack_id_init(&in->sum);
	in->n_chunks = p->intake->body->n_chunks;
	if (parse_chunk_no(&in->next, hf_serve_field(head, HF_FIELD_CHUNK)) != HF_OK)
		return hf_fail(ei, HF_ERR_FORMAT, "%s: no number of a chunk", HF_FIELD_CHUNK);
	HF_TRY(hf_pkg_reader_new(&in->reader, p->intake->body, NULL, &pages, s->mem));
	HF_TRY(find_first(p, ei));
	e = hf_blob_begin(&in->file, &s->node->blobs, hf_object_kind(p->kind), p->id, NULL);
	if (e == HF_ERR_EXISTS) /* and has no name yet: somebody else is at it */
		return hf_fail(ei, HF_ERR_AGAIN, "pack/%s: is coming in already", p->id);
	return hf_serve_open_err(s, e);
}

/* A chunk is whole: is it the one that was signed? */
static hf_err chunk_done(struct serve_put *p, struct hf_errinfo *ei)
{
	struct pack_in *in = p->pack;
	uint8_t cid[HF_SM3_LEN];

	hf_tree_done(&in->tree, cid);
	if (memcmp(cid, in->place.cid, sizeof(cid)) != 0)
		return hf_fail(ei, HF_ERR_AUTH, "pack/%s: chunk %" PRIu64 " is not as signed",
			p->id, in->next - 1);
	hf_pack_id_add(&in->sum, cid, in->place.len);
	in->at += in->place.len;
	return in->at < in->place.pack_len ? next_chunk(p, ei) : HF_OK;
}

static hf_err pack_take(
	struct serve_put *p, const uint8_t *bytes, size_t len, struct hf_errinfo *ei)
{
	struct pack_in *in = p->pack;

	while (len > 0) {
		size_t n = in->place.len - in->chunk_at < len ? in->place.len - in->chunk_at : len;

		if (in->at == in->place.pack_len)
			return hf_fail(
				ei, HF_ERR_LIMIT, "pack/%s: longer than its table says", p->id);
		HF_TRY(hf_blob_write(&in->file, bytes, n, NULL));
		hf_tree_feed(&in->tree, bytes, n);
		in->chunk_at += (uint32_t)n;
		bytes += n;
		len -= n;
		if (in->chunk_at == in->place.len)
			HF_TRY(chunk_done(p, ei));
	}
	return HF_OK;
}

static hf_err pack_finish(struct serve_put *p, bool *is_new, struct hf_errinfo *ei)
{
	struct pack_in *in = p->pack;
	uint64_t size = in->at;
	uint8_t id[HF_SM3_LEN];

	if (in->at != in->place.pack_len)
		return hf_fail(ei, HF_ERR_TRUNCATED,
			"pack/%s: ends after %" PRIu64 " of %" PRIu32 " bytes", p->id,
			in->at + in->chunk_at, in->place.pack_len);
	hf_pack_id_done(&in->sum, id);
	if (memcmp(id, p->name, sizeof(id)) != 0)
		return hf_fail(
			ei, HF_ERR_AUTH, "pack/%s: its chunks are not those of its name", p->id);
	HF_TRY(hf_blob_commit(&in->file, NULL));
	hf_serve_object_row(p->serve, p->kind, p->id, size);
	*is_new = true;
	return HF_OK;
}

static struct hf_bytes body_of(const struct serve_put *p)
{
	return (struct hf_bytes){ p->body.p, p->body.len };
}

static hf_err check_name(const struct serve_put *p, struct hf_errinfo *ei)
{
	uint8_t name[HF_SM3_LEN];

	hf_object_name(name, p->body.p, p->body.len);
	if (memcmp(name, p->name, sizeof(name)) != 0)
		return hf_fail(ei, HF_ERR_AUTH, "%s/%s: its bytes are not those of its name",
			hf_object_kind(p->kind), p->id);
	return HF_OK;
}

static hf_err statement_finish(struct serve_put *p, bool *is_new, struct hf_errinfo *ei)
{
	struct serve_intake *in = NULL;
	hf_err e;

	HF_TRY(check_name(p, ei));
	HF_TRY(hf_serve_intake_begin(&in, p->serve, p->kind, p->name, body_of(p), ei));
	e = HF_OK;
	if (p->kind == HF_OBJECT_UPLOAD)
		e = hf_serve_speaks_for(p->task.req.session, in->upload.device, ei);
	if (e == HF_OK)
		e = hf_serve_store(p->serve, p->kind, p->name, body_of(p), is_new);
	if (e != HF_OK)
		hf_serve_intake_drop(in);
	return e;
}

/* A deposit is from publishers of the root, and to this hub. */
static hf_err open_deposit(struct hf_grant *g, const struct serve_put *p, struct hf_errinfo *ei)
{
	const struct hf_party *hub = &p->serve->node->party;
	struct hf_bytes content;
	uint8_t cert[HF_SM3_LEN];

	HF_TRY(hf_object_open(
		&content, NULL, p->kind, body_of(p), &hub->root.roles[HF_ROOT_PUBLISHER], ei));
	HF_TRY(hf_grant_parse(g, p->kind, content, ei));
	hf_cert_fingerprint(cert, &hub->enc);
	if (strcmp(g->context.recipient, hub->identity.id) != 0 ||
		memcmp(g->context.cert, cert, sizeof(cert)) != 0)
		return hf_fail(ei, HF_ERR_DENIED, "deposit: sealed to %s, not to this hub",
			g->context.recipient);
	return HF_OK;
}

static hf_err check_deposit(
	const struct hf_grant_context *c, const struct hf_manifest *m, struct hf_errinfo *ei)
{
	if (strcmp(c->lineage, m->lineage) != 0 || c->release != m->release || c->epoch != m->epoch)
		return hf_fail(ei, HF_ERR_DENIED,
			"deposit: for release %" PRIu64 " of %s, not of %s", c->release, c->lineage,
			m->lineage);
	return HF_OK;
}

static hf_err deposit_finish(struct serve_put *p, bool *is_new, struct hf_errinfo *ei)
{
	struct serve_intake *in = NULL;
	struct hf_grant g;

	HF_TRY(check_name(p, ei));
	HF_TRY(open_deposit(&g, p, ei));
	HF_TRY(hf_serve_intake_get(&in, p->serve, HF_OBJECT_MANIFEST, g.context.manifest, ei));
	HF_TRY(check_deposit(&g.context, &in->manifest, ei));
	HF_TRY(hf_serve_store(p->serve, p->kind, p->name, body_of(p), is_new));
	memcpy(in->deposit, p->id, sizeof(in->deposit));
	return HF_OK;
}

static hf_err page_finish(struct serve_put *p, bool *is_new, struct hf_errinfo *ei)
{
	HF_TRY(check_name(p, ei));
	return hf_serve_store(p->serve, p->kind, p->name, body_of(p), is_new);
}

/* The last byte is there. */
static hf_err put_finish(struct serve_put *p, bool *is_new, struct hf_errinfo *ei)
{
	switch (p->kind) {
	case HF_OBJECT_PACK: return pack_finish(p, is_new, ei);
	case HF_OBJECT_TABLE:
	case HF_OBJECT_INDEX: return page_finish(p, is_new, ei);
	case HF_OBJECT_DEPOSIT: return deposit_finish(p, is_new, ei);
	default: return statement_finish(p, is_new, ei);
	}
}

static hf_err put_take(struct serve_put *p, const uint8_t *bytes, size_t len, struct hf_errinfo *ei)
{
	hf_err e;

	p->serve->stats.bytes_in += len;
	if (p->intake != NULL)
		p->intake->used_ms = hf_clock_mono_ms();
	if (p->kind == HF_OBJECT_PACK)
		return pack_take(p, bytes, len, ei);
	e = hf_buf_put(&p->body, bytes, len);
	if (e == HF_ERR_LIMIT)
		return hf_fail(ei, e, "%s/%s: longer than such an object may be",
			hf_object_kind(p->kind), p->id);
	return e == HF_OK ? hf_serve_task_keep(&p->task, p->body.cap, ei) : e;
}

/* Whether the object has its name already; a deposit is looked at again, for its intake. */
static bool is_there(const struct serve_put *p)
{
	uint64_t size = 0;

	return p->kind != HF_OBJECT_DEPOSIT &&
	       hf_blob_size(&p->serve->node->blobs, &size, hf_object_kind(p->kind), p->id, NULL) ==
		       HF_OK;
}

/* What a page or a pack needs before its first byte. */
static hf_err part_begin(
	struct serve_put *p, const struct hf_http_head *head, struct hf_errinfo *ei)
{
	uint8_t name[HF_SM3_LEN];
	enum hf_object kind = HF_OBJECT_MANIFEST;

	HF_TRY(statement_of(&kind, name, head, ei));
	HF_TRY(check_right(p->task.req.session, kind, ei));
	HF_TRY(hf_serve_intake_get(&p->intake, p->serve, kind, name, ei));
	p->intake->n_puts++;
	if (kind == HF_OBJECT_UPLOAD)
		HF_TRY(hf_serve_speaks_for(p->task.req.session, p->intake->upload.device, ei));
	if (p->kind == HF_OBJECT_PACK)
		return is_there(p) ? HF_OK : pack_begin(p, head, ei);
	if (!hf_serve_intake_lists(p->intake, p->kind, p->name))
		return hf_fail(ei, HF_ERR_DENIED, "%s/%s: the statement does not list it",
			hf_object_kind(p->kind), p->id);
	return HF_OK;
}

static hf_err put_begin(struct serve_put *p, const struct hf_http_head *head, struct hf_errinfo *ei)
{
	hf_buf_init(&p->body, p->serve->mem, hf_object_max(p->kind));
	if (is_part(p->kind))
		return part_begin(p, head, ei);
	return check_right(p->task.req.session, p->kind, ei);
}

static struct serve_put *put_new(
	const struct serve_req *r, enum hf_object kind, const uint8_t name[HF_SM3_LEN])
{
	struct hf_serve *s = r->session->serve;
	struct serve_put *p = hf_mem_new(s->mem, sizeof(*p));

	if (p == NULL)
		return NULL;
	s->n_puts++;
	p->serve = s;
	p->task.over = put_over;
	p->kind = kind;
	memcpy(p->name, name, sizeof(p->name));
	hf_hex_emit(p->id, name, HF_SM3_LEN);
	hf_serve_task_add(&p->task, r);
	return p;
}

static void refuse(struct serve_put *p, hf_err e, const struct hf_errinfo *ei)
{
	bool is_model = e == HF_ERR_AUTH || e == HF_ERR_ROLLBACK || e == HF_ERR_FORMAT ||
			e == HF_ERR_TRUNCATED;

	put_release(p);
	hf_serve_refuse(
		&p->task.req, is_model ? HF_EV_MODEL_REFUSED : HF_EV_REQUEST_REFUSED, e, ei);
}

void hf_serve_on_put(void *ctx, const struct hf_http_request *q)
{
	struct hf_serve_session *session = ctx;
	struct hf_errinfo ei = { .code = HF_OK };
	enum hf_object kind = HF_OBJECT_PACK;
	uint8_t name[HF_SM3_LEN] = { 0 };
	struct serve_put *p = NULL;
	struct serve_req r;
	hf_err e;

	hf_serve_req_init(&r, session, q);
	e = hf_serve_object_of(&kind, name, q->head, &ei);
	if (e == HF_OK && session->serve->n_puts >= session->serve->max_puts)
		e = hf_fail(&ei, hf_serve_open_err(session->serve, HF_ERR_LIMIT),
			"too many objects are coming in, try again");
	if (e == HF_OK)
		e = hf_serve_task_room(session, put_over, session->serve->max_puts, &ei);
	if (e == HF_OK)
		p = put_new(&r, kind, name);
	if (p == NULL) {
		e = e == HF_OK ? HF_ERR_NO_MEMORY : e;
		hf_serve_refuse(&r, HF_EV_REQUEST_REFUSED, e, &ei);
		return;
	}
	e = put_begin(p, q->head, &ei);
	if (e != HF_OK) {
		refuse(p, e, &ei);
	} else if (is_there(p)) {
		put_release(p);
		hf_serve_reply(&r, 200, NULL, (struct hf_bytes){ NULL, 0 });
	}
}

hf_err hf_serve_on_put_body(
	void *ctx, int32_t stream, const uint8_t *bytes, size_t len, bool is_end)
{
	struct serve_put *p = (struct serve_put *)hf_serve_task_find(ctx, stream);
	struct hf_errinfo ei = { .code = HF_OK };
	bool is_new = false;
	hf_err e;

	if (p == NULL || p->is_over)
		return HF_OK;
	e = put_take(p, bytes, len, &ei);
	if (e == HF_OK && is_end)
		e = put_finish(p, &is_new, &ei);
	if (e != HF_OK) {
		refuse(p, e, &ei);
	} else if (is_end) {
		put_release(p);
		hf_serve_reply(
			&p->task.req, is_new ? 201 : 200, NULL, (struct hf_bytes){ NULL, 0 });
	}
	return HF_OK;
}
