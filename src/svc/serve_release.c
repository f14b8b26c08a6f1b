/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A release becomes current, and the channel that says so.
 *
 *  1. The row of a release and the channel that names it become durable together.
 *  2. A release is on the record before anybody can see it.
 *  3. Per lineage, release counters rise strictly and floors never fall.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "os/clock.h"
#include "pkg/trust.h"
#include "svc/api_json.h"
#include "svc/release.h"
#include "svc/serve_inner.h"

enum {
	RENEW_LOOK_MS = 3600 * 1000, /* the wall clock may jump: look at it this often */
	RENEW_RETRY_MS = 60 * 1000,
};

static const char channel_name[] = "current";

void hf_serve_channel_unhold(struct serve_channel *c, const struct hf_mem *mem)
{
	if (c == NULL || --c->n_holders > 0)
		return;
	hf_buf_clear(&c->der);
	hf_mem_free(mem, c);
}

static struct serve_channel *channel_new(struct hf_serve *s)
{
	struct serve_channel *c = hf_mem_new(s->mem, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->n_holders = 1;
	hf_buf_init(&c->der, s->mem, hf_object_max(HF_OBJECT_CHANNEL));
	return c;
}

/* Reads what the key process, or the database, gave. */
static hf_err channel_read(struct serve_channel *c, const struct hf_serve *s, struct hf_errinfo *ei)
{
	const struct hf_key_set *director = &s->node->party.root.roles[HF_ROOT_DIRECTOR];
	struct hf_bytes content;
	struct hf_channel channel;

	HF_TRY(hf_object_open(&content, NULL, HF_OBJECT_CHANNEL,
		(struct hf_bytes){ c->der.p, c->der.len }, director, ei));
	HF_TRY(hf_channel_parse(&channel, content, ei));
	c->serial = channel.serial;
	c->renew_s = channel.issued_s + (channel.expires_s - channel.issued_s) / 3;
	return HF_OK;
}

/* When to look whether the channel is to be renewed. */
static uint64_t renew_at(const struct serve_channel *c, uint64_t now_ms)
{
	uint64_t now_s = hf_clock_wall_s();
	uint64_t left_ms = c->renew_s > now_s ? (c->renew_s - now_s) * 1000 : 0;

	return now_ms + (left_ms < RENEW_LOOK_MS ? left_ms : RENEW_LOOK_MS);
}

static void adopt(struct hf_serve *s, struct serve_channel *c)
{
	hf_serve_channel_unhold(s->channel, s->mem);
	s->channel = c;
	s->renew_ms = renew_at(c, hf_clock_mono_ms());
}

/* A new one: who watches hears of it. */
static void announce(struct hf_serve *s, struct serve_channel *c)
{
	adopt(s, c);
	if (s->config.on_channel != NULL)
		s->config.on_channel(s->config.ctx, c->serial);
}

/* The releases as channel elements; one of them replaced by or inserted with entry. */
static hf_err put_releases(struct hf_buf *list, size_t *n, const struct hf_serve *s,
	const struct hf_channel_release *entry)
{
	bool is_put = entry == NULL;

	*n = 0;
	for (size_t i = 0; i < s->n_releases; i++) {
		const struct hf_channel_release *old = &s->releases[i];
		int order = entry == NULL ? -1 : strcmp(old->lineage, entry->lineage);

		if (order >= 0 && !is_put) {
			HF_TRY(hf_channel_release_put(list, entry));
			is_put = true;
			*n += 1;
		}
		if (order != 0) {
			HF_TRY(hf_channel_release_put(list, old));
			*n += 1;
		}
	}
	if (!is_put) {
		HF_TRY(hf_channel_release_put(list, entry));
		*n += 1;
	}
	return HF_OK;
}

/* The next channel, kept in the database (in the transaction that is open, if one is). */
static hf_err channel_make(struct serve_channel **out, struct hf_serve *s,
	const struct hf_channel_release *entry, struct hf_errinfo *ei)
{
	struct serve_channel *c = channel_new(s);
	struct hf_meta_serial row = { .name = channel_name };
	struct hf_buf list;
	size_t n = 0;
	hf_err e;

	if (c == NULL)
		return HF_ERR_NO_MEMORY;
	hf_buf_init(&list, s->mem, hf_object_max(HF_OBJECT_CHANNEL));
	e = put_releases(&list, &n, s, entry);
	if (e == HF_OK)
		e = hf_key_make_channel(s->node->keys, (struct hf_bytes){ list.p, list.len }, n,
			s->node->config.channel_life_s, &c->der, ei);
	if (e == HF_OK)
		e = channel_read(c, s, ei);
	row.serial = c->serial;
	row.der = (struct hf_bytes){ c->der.p, c->der.len };
	if (e == HF_OK)
		e = hf_meta_channel_put(s->node->meta, &row, NULL);
	hf_buf_clear(&list);
	if (e != HF_OK) {
		hf_serve_channel_unhold(c, s->mem);
		(void)hf_fail(ei, e, "the channel cannot be renewed: %s", hf_err_text(e));
		return e;
	}
	*out = c;
	return HF_OK;
}

/* Room for one more lineage. */
static hf_err grow(struct hf_serve *s)
{
	size_t cap = s->releases_cap == 0 ? 16 : 2 * s->releases_cap;
	struct hf_channel_release *more;

	if (s->n_releases < s->releases_cap)
		return HF_OK;
	if (s->n_releases == HF_CHANNEL_RELEASES_MAX)
		return HF_ERR_LIMIT;
	more = hf_mem_array(s->mem, cap, sizeof(*more));
	if (more == NULL)
		return HF_ERR_NO_MEMORY;
	if (s->n_releases > 0)
		memcpy(more, s->releases, s->n_releases * sizeof(*more));
	hf_mem_free(s->mem, s->releases);
	s->releases = more;
	s->releases_cap = cap;
	return HF_OK;
}

static struct hf_channel_release *newest(const struct hf_serve *s, const char *lineage)
{
	for (size_t i = 0; i < s->n_releases; i++)
		if (strcmp(s->releases[i].lineage, lineage) == 0)
			return &s->releases[i];
	return NULL;
}

/* Replaces or inserts; there is room (grow). */
static void put_newest(struct hf_serve *s, const struct hf_channel_release *entry)
{
	struct hf_channel_release *old = newest(s, entry->lineage);
	size_t at = 0;

	if (old != NULL) {
		*old = *entry;
		return;
	}
	while (at < s->n_releases && strcmp(s->releases[at].lineage, entry->lineage) < 0)
		at++;
	memmove(&s->releases[at + 1], &s->releases[at],
		(s->n_releases - at) * sizeof(*s->releases));
	s->releases[at] = *entry;
	s->n_releases++;
}

/* Rows come by lineage, the newest one first. */
static hf_err load_row(void *ctx, const struct hf_meta_release *row)
{
	struct hf_serve *s = ctx;
	struct hf_channel_release r = { .release = row->release, .floor = row->floor };
	size_t len = 0;

	if (s->n_releases > 0 && strcmp(s->releases[s->n_releases - 1].lineage, row->lineage) == 0)
		return HF_OK;
	if (!hf_level_is(row->level) || strlen(row->lineage) > HF_ID_MAX)
		return HF_ERR_FORMAT;
	r.level = (enum hf_level)row->level;
	memcpy(r.lineage, row->lineage, strlen(row->lineage) + 1);
	HF_TRY(hf_hex_parse(
		r.manifest, sizeof(r.manifest), &len, row->manifest, strlen(row->manifest)));
	HF_TRY(grow(s));
	s->releases[s->n_releases++] = r;
	return HF_OK;
}

static hf_err load_channel(void *ctx, const struct hf_meta_serial *row)
{
	struct serve_channel *c = ctx;

	return hf_buf_put(&c->der, row->der.p, row->der.len);
}

hf_err hf_serve_channel_load(struct hf_serve *s, struct hf_errinfo *ei)
{
	struct hf_meta *meta = s->node->meta;
	struct serve_channel *c = NULL;
	hf_err e;

	HF_TRY(hf_meta_release_list(meta, NULL, SIZE_MAX, load_row, s, ei));
	if (s->n_releases == 0)
		return HF_OK;
	c = channel_new(s);
	if (c == NULL)
		return HF_ERR_NO_MEMORY;
	e = hf_meta_channel_get(meta, channel_name, load_channel, c, ei);
	if (e == HF_OK)
		e = channel_read(c, s, ei);
	if (e != HF_OK) {
		hf_serve_channel_unhold(c, s->mem);
		return hf_fail(
			ei, e, "%s: the channel that was kept: %s", s->node->dir, hf_err_text(e));
	}
	adopt(s, c);
	return HF_OK;
}

void hf_serve_channel_tick(struct hf_serve *s, uint64_t now_ms)
{
	struct serve_channel *c = NULL;

	if (s->channel == NULL || now_ms < s->renew_ms)
		return;
	s->renew_ms = renew_at(s->channel, now_ms);
	if (s->renew_ms > now_ms)
		return;
	if (channel_make(&c, s, NULL, NULL) == HF_OK)
		announce(s, c);
	else
		s->renew_ms = now_ms + RENEW_RETRY_MS; /* two thirds of its life are left */
}

/* A channel on its way to somebody. */
struct channel_source {
	struct hf_serve *serve;
	struct serve_channel *channel;
	size_t at;
};

static hf_err channel_source_read(void *ctx, uint8_t *out, size_t cap, size_t *len, bool *is_end)
{
	struct channel_source *c = ctx;
	size_t left = c->channel->der.len - c->at;

	*len = left < cap ? left : cap;
	memcpy(out, c->channel->der.p + c->at, *len);
	c->at += *len;
	*is_end = c->at == c->channel->der.len;
	return HF_OK;
}

static void channel_source_close(void *ctx)
{
	struct channel_source *c = ctx;
	struct hf_serve *s = c->serve;

	hf_serve_channel_unhold(c->channel, s->mem);
	hf_mem_free(s->mem, c);
}

static hf_err send_channel(const struct serve_req *r, struct hf_serve *s)
{
	struct channel_source *c = hf_mem_new(s->mem, sizeof(*c));
	struct hf_http_source source = { .read = channel_source_read,
		.close = channel_source_close,
		.ctx = c,
		.len = s->channel->der.len };
	const struct hf_http_reply reply = {
		.status = 200, .content_type = HF_TYPE_DER, .source = &source
	};

	if (c == NULL)
		return HF_ERR_NO_MEMORY;
	c->serve = s;
	c->channel = s->channel;
	s->channel->n_holders++;
	return hf_h2_reply(r->session->h, r->stream, &reply);
}

void hf_serve_on_channel(void *ctx, const struct hf_http_request *q)
{
	struct hf_serve_session *session = ctx;
	struct hf_serve *s = session->serve;
	struct hf_errinfo ei = { .code = HF_OK };
	struct serve_req r;
	hf_err e = HF_OK;

	hf_serve_req_init(&r, session, q);
	if (strcmp(q->head->segments[2], channel_name) != 0)
		e = hf_fail(&ei, HF_ERR_NOT_FOUND, "there is no channel of that name");
	else if (s->channel == NULL)
		e = hf_fail(&ei, HF_ERR_NOT_FOUND, "nothing has been released yet");
	else
		e = send_channel(&r, s);
	if (e != HF_OK)
		hf_serve_refuse(&r, HF_EV_REQUEST_REFUSED, e, &ei);
}

/* Looks for one release among the rows of its lineage. */
struct row_look {
	uint64_t release;
	const char *manifest;
	char *deposit; /* may be NULL */
	bool is_known;
};

static hf_err look_at_row(void *ctx, const struct hf_meta_release *row)
{
	struct row_look *l = ctx;

	if (row->release > l->release)
		return HF_OK;
	l->is_known = row->release == l->release && strcmp(row->manifest, l->manifest) == 0;
	if (l->is_known && l->deposit != NULL)
		(void)snprintf(l->deposit, SERVE_ID_TEXT, "%s", row->deposit);
	return HF_ERR_EXISTS; /* ends the walk */
}

hf_err hf_serve_release_known(struct hf_serve *s, const char *lineage, uint64_t release,
	const uint8_t manifest[HF_SM3_LEN], char deposit[SERVE_ID_TEXT], struct hf_errinfo *ei)
{
	char id[SERVE_ID_TEXT];
	struct row_look l = { .release = release, .manifest = id, .deposit = deposit };
	hf_err e;

	hf_hex_emit(id, manifest, HF_SM3_LEN);
	e = hf_meta_release_list(s->node->meta, lineage, SIZE_MAX, look_at_row, &l, NULL);
	if (e != HF_OK && e != HF_ERR_EXISTS)
		return e;
	if (!l.is_known)
		return hf_fail(ei, HF_ERR_NOT_FOUND, "release %" PRIu64 " of %s is not known here",
			release, lineage);
	return HF_OK;
}

/* A3: what the package must meet before anybody is told of it. */
static hf_err check_level(const struct hf_serve_session *session, const struct serve_intake *in,
	struct hf_errinfo *ei)
{
	const struct hf_release release = { .manifest = in->manifest, .n_signed = in->n_signed };
	const struct hf_manifest *m = &in->manifest;
	enum hf_level hub = session->serve->node->party.identity.level;
	enum hf_level publisher = session->identity.level;
	uint64_t now_s = hf_clock_wall_s();

	if (hub < m->level)
		return hf_fail(ei, HF_ERR_DENIED, "policy: %s is of L%d, this hub of L%d",
			m->lineage, (int)m->level, (int)hub);
	if (publisher < m->level)
		return hf_fail(ei, HF_ERR_DENIED, "policy: %s is of L%d, its publisher of L%d",
			m->lineage, (int)m->level, (int)publisher);
	if (m->created_s > now_s + HF_TRUST_SKEW_S)
		return hf_fail(ei, HF_ERR_STALE, "release %" PRIu64 " of %s was made in the future",
			m->release, m->lineage);
	return hf_release_rows(&release, now_s, ei);
}

/* E5: forwards only. */
static hf_err check_counters(
	const struct hf_serve *s, const struct hf_manifest *m, struct hf_errinfo *ei)
{
	const struct hf_channel_release *now = newest(s, m->lineage);

	if (now == NULL)
		return s->n_releases < HF_CHANNEL_RELEASES_MAX
			       ? HF_OK
			       : hf_fail(ei, HF_ERR_LIMIT, "a channel has no room for %s",
					 m->lineage);
	if (m->release <= now->release)
		return hf_fail(ei, HF_ERR_ROLLBACK,
			"release %" PRIu64 " of %s: the channel is at %" PRIu64
			"; give it a higher number",
			m->release, m->lineage, now->release);
	if (m->floor < now->floor)
		return hf_fail(ei, HF_ERR_ROLLBACK,
			"release %" PRIu64 " of %s: its floor %" PRIu64
			" is below the present one, %" PRIu64,
			m->release, m->lineage, m->floor, now->floor);
	return HF_OK;
}

static hf_err check_dependencies(
	struct hf_serve *s, const struct hf_manifest *m, struct hf_errinfo *ei)
{
	struct hf_bytes rest = m->dependencies;
	struct hf_dependency dep;
	hf_err e;

	while ((e = hf_dependency_take(&dep, &rest)) == HF_OK)
		HF_TRY(hf_serve_release_known(s, dep.lineage, dep.release, dep.manifest, NULL, ei));
	return e == HF_ERR_NOT_FOUND ? HF_OK : e;
}

static hf_err check_release(const struct hf_serve_session *session, const struct serve_intake *in,
	struct hf_errinfo *ei)
{
	struct hf_serve *s = session->serve;

	HF_TRY(check_level(session, in, ei));
	HF_TRY(check_counters(s, &in->manifest, ei));
	HF_TRY(check_dependencies(s, &in->manifest, ei));
	if (in->deposit[0] == '\0')
		return hf_fail(ei, HF_ERR_STATE, "the deposit of the release has not come in");
	return hf_serve_intake_whole(in, s, ei);
}

/* Row and channel, in one transaction that is open; the record last. */
static hf_err write_release(const struct serve_req *r, const struct serve_intake *in,
	const struct hf_channel_release *entry, struct serve_channel **channel,
	struct hf_errinfo *ei)
{
	struct hf_serve *s = r->session->serve;
	char id[SERVE_ID_TEXT];
	const struct hf_meta_release row = { .lineage = entry->lineage,
		.release = entry->release,
		.manifest = id,
		.level = (uint64_t)entry->level,
		.created_s = hf_clock_wall_s(),
		.floor = entry->floor,
		.deposit = in->deposit };
	const struct serve_note note = { .event = HF_EV_MODEL_PUBLISH,
		.level = entry->level,
		.lineage = entry->lineage,
		.release = entry->release,
		.manifest = entry->manifest,
		.bytes = in->body->sealed_len };

	hf_hex_emit(id, entry->manifest, HF_SM3_LEN);
	HF_TRY(hf_meta_release_put(s->node->meta, &row, NULL));
	HF_TRY(channel_make(channel, s, entry, ei));
	return hf_serve_record(r, &note, ei);
}

static hf_err publish(
	const struct serve_req *r, const struct serve_intake *in, struct hf_errinfo *ei)
{
	struct hf_serve *s = r->session->serve;
	const struct hf_manifest *m = &in->manifest;
	struct hf_channel_release entry = {
		.release = m->release, .floor = m->floor, .level = m->level
	};
	struct serve_channel *channel = NULL;
	hf_err e;

	memcpy(entry.lineage, m->lineage, sizeof(entry.lineage));
	memcpy(entry.manifest, in->name, sizeof(entry.manifest));
	if (newest(s, m->lineage) == NULL)
		HF_TRY(grow(s));
	HF_TRY(hf_meta_begin(s->node->meta, NULL));
	e = write_release(r, in, &entry, &channel, ei);
	if (e == HF_OK)
		e = hf_meta_commit(s->node->meta, NULL);
	if (e != HF_OK) {
		hf_meta_rollback(s->node->meta);
		hf_serve_channel_unhold(channel, s->mem);
		return e;
	}
	put_newest(s, &entry);
	announce(s, channel);
	return HF_OK;
}

static void answer_release(const struct serve_req *r, const struct hf_manifest *m)
{
	struct hf_buf body;
	struct hf_json_wr j;

	hf_buf_init(&body, r->session->serve->mem, 1024);
	j = hf_json_wr(&body);
	hf_json_wr_object(&j);
	hf_json_wr_key(&j, "lineage");
	hf_json_wr_str(&j, m->lineage);
	hf_json_wr_key(&j, "release");
	hf_json_wr_u64(&j, m->release);
	hf_json_wr_key(&j, "serial");
	hf_json_wr_u64(&j, r->session->serve->channel->serial);
	hf_json_wr_end(&j);
	hf_serve_reply_json(r, &body, hf_json_wr_done(&j));
	hf_buf_clear(&body);
}

void hf_serve_on_release(void *ctx, const struct hf_http_request *q)
{
	struct hf_serve_session *session = ctx;
	struct hf_serve *s = session->serve;
	struct hf_errinfo ei = { .code = HF_OK };
	struct serve_intake *in = NULL;
	uint8_t name[HF_SM3_LEN];
	struct serve_req r;
	hf_err e;

	hf_serve_req_init(&r, session, q);
	e = hf_api_name_parse(name, "manifest", (struct hf_bytes){ q->body, q->body_len }, &ei);
	if (e == HF_OK)
		e = hf_serve_intake_get(&in, s, HF_OBJECT_MANIFEST, name, &ei);
	/* The same one again gets the same answer. */
	if (e == HF_OK && hf_serve_release_known(s, in->manifest.lineage, in->manifest.release,
				  name, NULL, NULL) != HF_OK) {
		e = check_release(session, in, &ei);
		if (e == HF_OK)
			e = publish(&r, in, &ei);
	}
	if (e != HF_OK) {
		hf_serve_refuse(&r, HF_EV_MODEL_REFUSED, e, &ei);
		return;
	}
	answer_release(&r, &in->manifest);
	hf_serve_intake_drop(in);
}
