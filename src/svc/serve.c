/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions, who may use which route, answers, refusals and their records. */
#include "svc/serve.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/endian.h"
#include "base/hex.h"
#include "os/clock.h"
#include "store/crc32c.h"
#include "svc/api_json.h"
#include "svc/serve_inner.h"

enum { ATTRS_ROOM = 1024 };

static const char newcomer[] = "newcomer"; /* who has no name yet */

/* clang-format off */
static const struct hf_http_route hub_routes[] = {
	{ HF_HTTP_POST, HF_API_ENROLL,    HF_PEER_NEWCOMER | HF_PEER_EDGE,  HF_API_ENROLL_MAX, hf_serve_on_enroll,    NULL },
	{ HF_HTTP_GET,  HF_API_CHANNEL,   SERVE_MEMBER,                     0,                 hf_serve_on_channel,   NULL },
	{ HF_HTTP_GET,  HF_API_CRL,       SERVE_MEMBER,                     0,                 hf_serve_on_crl,       NULL },
	{ HF_HTTP_GET,  HF_API_OBJECT,    SERVE_MEMBER,                     0,                 hf_serve_on_get,       NULL },
	{ HF_HTTP_HEAD, HF_API_OBJECT,    SERVE_MEMBER,                     0,                 hf_serve_on_head,      NULL },
	{ HF_HTTP_PUT,  HF_API_OBJECT,    SERVE_MEMBER,                     HF_PACK_MAX,       hf_serve_on_put,       hf_serve_on_put_body },
	{ HF_HTTP_POST, HF_API_RELEASES,  HF_PEER_PUBLISHER,                HF_API_NAME_MAX,   hf_serve_on_release,   NULL },
	{ HF_HTTP_POST, HF_API_GRANTS,    HF_PEER_DEVICE | HF_PEER_EDGE,    HF_API_GRANT_MAX,  hf_serve_on_grant,     NULL },
	{ HF_HTTP_POST, HF_API_RECEIPTS,  HF_PEER_DEVICE | HF_PEER_EDGE,    16 << 10,          hf_serve_on_receipt,   NULL },
	{ HF_HTTP_GET,  HF_API_INVENTORY, HF_PEER_DEVICE | HF_PEER_EDGE,    0,                 hf_serve_on_nonce,     NULL },
	{ HF_HTTP_POST, HF_API_INVENTORY, HF_PEER_DEVICE | HF_PEER_EDGE,    256 << 10,         hf_serve_on_inventory, NULL },
	{ HF_HTTP_POST, HF_API_UPLOADS,   HF_PEER_DEVICE | HF_PEER_EDGE,    HF_API_NAME_MAX,   hf_serve_on_upload,    NULL },
};

static const struct hf_http_route edge_routes[] = {
	{ HF_HTTP_POST, HF_API_ENROLL,    HF_PEER_NEWCOMER | HF_PEER_EDGE,  HF_API_ENROLL_MAX, hf_serve_on_relay_enroll, NULL },
	{ HF_HTTP_GET,  HF_API_CHANNEL,   SERVE_MEMBER,                     0,                 hf_serve_on_relay,        NULL },
	{ HF_HTTP_GET,  HF_API_CRL,       SERVE_MEMBER,                     0,                 hf_serve_on_crl,          NULL },
	{ HF_HTTP_GET,  HF_API_OBJECT,    SERVE_MEMBER,                     0,                 hf_serve_on_get,          NULL },
	{ HF_HTTP_HEAD, HF_API_OBJECT,    SERVE_MEMBER,                     0,                 hf_serve_on_head,         NULL },
	{ HF_HTTP_PUT,  HF_API_OBJECT,    HF_PEER_DEVICE | HF_PEER_EDGE,    HF_PACK_MAX,       hf_serve_on_relay_put,    hf_serve_on_relay_body },
	{ HF_HTTP_POST, HF_API_GRANTS,    HF_PEER_DEVICE | HF_PEER_EDGE,    HF_API_GRANT_MAX,  hf_serve_on_relay_grant,  NULL },
	{ HF_HTTP_POST, HF_API_RECEIPTS,  HF_PEER_DEVICE | HF_PEER_EDGE,    16 << 10,          hf_serve_on_relay,        NULL },
	{ HF_HTTP_GET,  HF_API_INVENTORY, HF_PEER_DEVICE | HF_PEER_EDGE,    0,                 hf_serve_on_relay,        NULL },
	{ HF_HTTP_POST, HF_API_INVENTORY, HF_PEER_DEVICE | HF_PEER_EDGE,    256 << 10,         hf_serve_on_relay,        NULL },
	{ HF_HTTP_POST, HF_API_UPLOADS,   HF_PEER_DEVICE | HF_PEER_EDGE,    HF_API_NAME_MAX,   hf_serve_on_relay,        NULL },
};
/* clang-format on */

static const char *const method_names[] = {
	[HF_HTTP_GET] = "GET",
	[HF_HTTP_HEAD] = "HEAD",
	[HF_HTTP_PUT] = "PUT",
	[HF_HTTP_POST] = "POST",
	[HF_HTTP_DELETE] = "DELETE",
};

static hf_err tables_new(struct hf_serve *s)
{
	const struct hf_mem *mem = s->mem;

	s->intakes = hf_mem_array(mem, s->config.max_intakes, sizeof(*s->intakes));
	s->nonces = hf_mem_array(mem, SERVE_NONCES_MAX, sizeof(*s->nonces));
	if (s->intakes == NULL || s->nonces == NULL)
		return HF_ERR_NO_MEMORY;
	return HF_OK;
}

/* Bodies that go out and come in hold a descriptor each, for as long as the peer likes. */
static void share_files(struct hf_serve *s)
{
	uint32_t files = s->config.max_files;

	s->max_gets = SERVE_GETS_MAX;
	s->max_puts = SERVE_PUTS_MAX;
	if (files == 0 || files >= HF_SERVE_FILES_MAX)
		return;
	if (s->max_puts > files / SERVE_PUTS_PART)
		s->max_puts = files < SERVE_PUTS_PART ? 1 : files / SERVE_PUTS_PART;
	s->max_gets = files > s->max_puts ? files - s->max_puts : 1;
	if (s->max_gets > SERVE_GETS_MAX)
		s->max_gets = SERVE_GETS_MAX;
}

/* The trust root is an object like any other, for who walks on from an older one. */
static hf_err store_root(struct hf_serve *s, struct hf_errinfo *ei)
{
	const struct hf_buf *root = &s->node->party.root_object;
	uint8_t name[HF_SM3_LEN];
	bool is_new = false;
	hf_err e;

	hf_object_name(name, root->p, root->len);
	e = hf_serve_store(
		s, HF_OBJECT_ROOT, name, (struct hf_bytes){ root->p, root->len }, &is_new);
	if (e == HF_OK || e == HF_ERR_FULL)
		return HF_OK; /* a hub with a full disk still answers */
	return hf_fail(ei, e, "%s: the trust root cannot be put among the objects", s->dir);
}

hf_err hf_serve_new(
	struct hf_serve **out, const struct hf_serve_config *config, struct hf_errinfo *ei)
{
	const struct hf_mem *mem = config->node->env->mem;
	struct hf_serve *s;
	hf_err e;

	if (config->max_sessions == 0 || config->max_intakes == 0)
		return hf_fail(ei, HF_ERR_ARG, "a server needs room for sessions and intakes");
	s = hf_mem_new(mem, sizeof(*s));
	if (s == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "out of memory");
	s->mem = mem;
	s->config = *config;
	s->node = config->node;
	share_files(s);
	s->renew_ms = UINT64_MAX;
	e = hf_path_join(s->dir, s->node->dir, "objects", ei);
	s->objects = hf_folder_objects(s->dir);
	if (e == HF_OK)
		e = tables_new(s);
	if (e == HF_OK && config->up == NULL)
		e = store_root(s, ei);
	if (e == HF_OK && config->up == NULL)
		e = hf_serve_channel_load(s, ei);
	if (e != HF_OK) {
		hf_serve_free(s);
		return hf_fail(ei, e, "the server cannot start: %s", hf_err_text(e));
	}
	*out = s;
	return HF_OK;
}

void hf_serve_free(struct hf_serve *s)
{
	const struct hf_mem *mem;

	if (s == NULL)
		return;
	mem = s->mem;
	hf_serve_relays_orphan(s);
	for (uint32_t i = 0; s->intakes != NULL && i < s->config.max_intakes; i++)
		hf_buf_clear(&s->intakes[i].object);
	hf_mem_free(mem, s->intakes);
	hf_mem_free(mem, s->nonces);
	hf_mem_free(mem, s->releases);
	hf_serve_channel_unhold(s->channel, mem);
	hf_mem_free(mem, s);
}

void hf_serve_req_init(
	struct serve_req *r, struct hf_serve_session *session, const struct hf_http_request *q)
{
	const char *id = hf_serve_field(q->head, HF_FIELD_REQUEST);
	size_t len = 0;

	memset(r, 0, sizeof(*r));
	r->session = session;
	r->stream = q->stream;
	session->serve->stats.n_requests++;
	(void)snprintf(r->what, sizeof(r->what), "%s %.100s", method_names[q->head->method],
		q->head->path);
	/* Who sent none, or none of ours, gets one: every record has its request. */
	if (id == NULL || hf_hex_parse(r->trace, sizeof(r->trace), &len, id, strlen(id)) != HF_OK ||
		len != sizeof(r->trace))
		(void)!hf_rng_fill(&session->serve->node->env->rng, r->trace, sizeof(r->trace));
}

const char *hf_serve_field(const struct hf_http_head *head, const char *name)
{
	for (size_t i = 0; i < head->n_fields; i++)
		if (strcmp(head->fields[i].name, name) == 0)
			return head->fields[i].value;
	return NULL;
}

void hf_serve_task_add(struct serve_task *t, const struct serve_req *r)
{
	t->req = *r;
	t->next = r->session->tasks;
	r->session->tasks = t;
}

struct serve_task *hf_serve_task_find(const struct hf_serve_session *session, int32_t stream)
{
	struct serve_task *t = session->tasks;

	while (t != NULL && t->req.stream != stream)
		t = t->next;
	return t;
}

/* The part of max that one peer may have. */
static uint32_t share_of(uint32_t who, uint32_t max)
{
	uint32_t share = max / (who == HF_PEER_EDGE ? SERVE_SHARE_EDGE : SERVE_SHARE);

	return share > 0 ? share : 1;
}

/* Where sessions of that name are, among few others. */
static size_t bucket_of(const char *actor)
{
	return hf_crc32c(0, actor, strlen(actor)) % SERVE_BUCKETS;
}

/* What the peer of a session has over all of its sessions. */
struct holding {
	uint64_t all;
	uint64_t at_site; /* of a newcomer: all from the same address */
};

static struct holding holding_of(const struct hf_serve_session *session,
	uint64_t (*count)(const struct hf_serve_session *of, const void *ctx), const void *ctx)
{
	struct holding h = { 0, 0 };
	const struct hf_serve_session *s = session->serve->sessions[bucket_of(session->actor)];

	for (; s != NULL; s = s->next) {
		uint64_t n = strcmp(s->actor, session->actor) == 0 ? count(s, ctx) : 0;

		h.all += n;
		if (memcmp(s->peer.site, session->peer.site, HF_SERVE_SITE_LEN) == 0)
			h.at_site += n;
	}
	return h;
}

/* So much more stays within share; nobody knows a newcomer, but where it comes from. */
static bool has_share(const struct hf_serve_session *session, const struct holding *h,
	uint64_t more, uint64_t share)
{
	uint64_t of_site = share / SERVE_SHARE_SITE > 0 ? share / SERVE_SHARE_SITE : 1;

	return h->all + more <= share &&
	       (session->who != HF_PEER_NEWCOMER || h->at_site + more <= of_site);
}

/* Tasks of one kind. */
struct task_kind {
	void (*over)(struct serve_task *t);
};

static uint64_t count_tasks(const struct hf_serve_session *of, const void *ctx)
{
	const struct task_kind *kind = ctx;
	uint64_t n = 0;

	for (const struct serve_task *t = of->tasks; t != NULL; t = t->next)
		n += t->over == kind->over;
	return n;
}

hf_err hf_serve_task_room(const struct hf_serve_session *session,
	void (*over)(struct serve_task *t), uint32_t max, struct hf_errinfo *ei)
{
	const struct task_kind kind = { over };
	struct holding h = holding_of(session, count_tasks, &kind);

	if (has_share(session, &h, 1, share_of(session->who, max)))
		return HF_OK;
	return hf_fail(ei, HF_ERR_AGAIN, "%" PRIu64 " such requests of %s are under way, try again",
		h.all, session->actor);
}

hf_err hf_serve_open_err(struct hf_serve *s, hf_err e)
{
	if (e != HF_ERR_LIMIT)
		return e;
	if (s->config.on_busy != NULL)
		s->config.on_busy(s->config.ctx);
	return HF_ERR_AGAIN;
}

static uint64_t kept_share(uint32_t who)
{
	switch (who) {
	case HF_PEER_NEWCOMER: return SERVE_KEPT_MAX / SERVE_KEPT_SHARE_NEW;
	case HF_PEER_EDGE: return SERVE_KEPT_MAX / SERVE_KEPT_SHARE_EDGE;
	default: return SERVE_KEPT_MAX / SERVE_KEPT_SHARE;
	}
}

static uint64_t count_kept(const struct hf_serve_session *of, const void *ctx)
{
	(void)ctx;
	return of->kept;
}

static bool has_room(const struct hf_serve_session *session, uint64_t more)
{
	struct holding h = holding_of(session, count_kept, NULL);

	return session->serve->kept + more <= SERVE_KEPT_MAX &&
	       has_share(session, &h, more, kept_share(session->who));
}

static hf_err keep(struct hf_serve_session *session, size_t before, size_t after)
{
	if (after > before && !has_room(session, after - before))
		return HF_ERR_AGAIN;
	session->kept = session->kept - before + after;
	session->serve->kept = session->serve->kept - before + after;
	return HF_OK;
}

static hf_err on_keep(void *ctx, size_t before, size_t after)
{
	return keep(ctx, before, after);
}

hf_err hf_serve_task_keep(struct serve_task *t, size_t len, struct hf_errinfo *ei)
{
	if (keep(t->req.session, t->kept, len) != HF_OK)
		return hf_fail(ei, HF_ERR_AGAIN, "too much is coming in, try again");
	t->kept = len;
	return HF_OK;
}

void hf_serve_task_unkeep(struct serve_task *t)
{
	(void)!keep(t->req.session, t->kept, 0); /* less always goes */
	t->kept = 0;
}

/* The stream of a request is over. */
static void on_close(void *ctx, int32_t stream, hf_err why)
{
	struct hf_serve_session *session = ctx;
	struct serve_task **at = &session->tasks;
	struct serve_task *t;

	(void)why;
	while (*at != NULL && (*at)->req.stream != stream)
		at = &(*at)->next;
	t = *at;
	if (t == NULL)
		return;
	*at = t->next;
	hf_serve_task_unkeep(t);
	t->over(t);
}

void hf_serve_reply(
	const struct serve_req *r, unsigned status, const char *type, struct hf_bytes body)
{
	const struct hf_http_reply reply = {
		.status = status, .content_type = type, .body = body.p, .body_len = body.len
	};
	hf_err e = hf_h2_reply(r->session->h, r->stream, &reply);

	if (e == HF_ERR_NO_MEMORY)
		hf_h2_reply_error(r->session->h, r->stream, e, NULL);
}

void hf_serve_reply_json(const struct serve_req *r, const struct hf_buf *json, hf_err e)
{
	if (e == HF_OK)
		hf_serve_reply(r, 200, HF_TYPE_JSON, (struct hf_bytes){ json->p, json->len });
	else
		hf_h2_reply_error(r->session->h, r->stream, e, NULL);
}

/* Attributes of a record, one after another. */
struct attrs {
	uint8_t bytes[ATTRS_ROOM];
	size_t len;
	hf_err e;
};

static void put(struct attrs *a, uint16_t type, const void *value, size_t len)
{
	const struct hf_audit_attr attr = { type, value, len };

	if (a->e == HF_OK)
		a->e = hf_audit_attr_put(a->bytes, sizeof(a->bytes), &a->len, &attr);
}

static void put_text(struct attrs *a, uint16_t type, const char *text)
{
	if (text != NULL && text[0] != '\0')
		put(a, type, text, strlen(text));
}

static void put_number(struct attrs *a, uint16_t type, uint64_t v)
{
	uint8_t b[8];

	hf_put_be64(b, v);
	if (v != 0)
		put(a, type, b, sizeof(b));
}

hf_err hf_serve_record(
	const struct serve_req *r, const struct serve_note *note, struct hf_errinfo *ei)
{
	const struct hf_serve_session *session = r->session;
	struct attrs a = { .len = 0 };
	struct hf_audit_event_in in = {
		.event = note->event,
		.result = note->result,
		.level = (uint8_t)note->level,
		.actor = session->actor,
		.subject = note->subject,
		.reason = note->reason,
	};

	memcpy(in.trace_id, r->trace, sizeof(in.trace_id));
	put_text(&a, HF_ATTR_SOURCE, session->peer.address);
	put_text(&a, HF_ATTR_MODEL, note->lineage);
	put_number(&a, HF_ATTR_RELEASE, note->release);
	if (note->manifest != NULL)
		put(&a, HF_ATTR_MANIFEST, note->manifest, HF_SM3_LEN);
	put_number(&a, HF_ATTR_BYTES, note->bytes);
	put_number(&a, HF_ATTR_COUNT_FAIL, note->n_failed);
	put_text(&a, HF_ATTR_RULE, note->rule);
	put_text(&a, HF_ATTR_CODE, note->code != NULL ? note->code : r->what);
	if (a.e != HF_OK)
		return hf_fail(ei, a.e, "audit: a record is too long");
	in.attrs = a.bytes;
	in.attrs_len = a.len;
	return hf_node_audit(session->serve->node, &in, ei);
}

static bool spend(struct serve_budget *b, uint32_t max)
{
	uint64_t now_ms = hf_clock_mono_ms();

	if (now_ms - b->since_ms >= SERVE_REFUSALS_MS)
		*b = (struct serve_budget){ .since_ms = now_ms };
	if (b->n == max)
		return false;
	b->n++;
	return true;
}

/* What is left of the server's part; who comes back on a new link does not begin anew. */
static bool spend_all(struct hf_serve *s, uint32_t who)
{
	if (who == HF_PEER_NEWCOMER)
		return spend(&s->newcomers, SERVE_REFUSALS_NEW_MAX);
	return spend(&s->members, SERVE_REFUSALS_ALL_MAX);
}

/* A flood of refused requests must not fill the log: the rest of a minute is one number. */
static bool may_record(struct hf_serve_session *session)
{
	if (spend(&session->refusals, SERVE_REFUSALS_MAX) &&
		spend_all(session->serve, session->who))
		return true;
	session->n_unrecorded++;
	return false;
}

/* The row of the level table that a text of hf_policy_refuse() names ("policy <row> at L2"). */
static const char *row_of(const struct hf_errinfo *ei)
{
	static const char prefix[] = "policy ";
	const char *text;

	if (ei == NULL || strncmp(ei->text, prefix, sizeof(prefix) - 1) != 0)
		return NULL;
	text = ei->text + sizeof(prefix) - 1;
	for (unsigned i = 0; i < HF_ROW_COUNT; i++) {
		const char *name = hf_policy_entry((enum hf_policy_row)i)->name;

		if (strncmp(text, name, strlen(name)) == 0 && text[strlen(name)] == ' ')
			return name;
	}
	return NULL;
}

static bool is_refusal(hf_err e)
{
	return hf_err_exit(e) == hf_err_exit(HF_ERR_AUTH);
}

static void record_refusal(
	const struct serve_req *r, enum hf_audit_event event, hf_err e, const struct hf_errinfo *ei)
{
	struct hf_serve_session *session = r->session;
	struct serve_note note = {
		.event = event,
		.result = is_refusal(e) ? HF_RESULT_DENIED : HF_RESULT_FAIL,
		.reason = e,
		.rule = row_of(ei),
		.n_failed = session->n_unrecorded + session->serve->n_unrecorded,
	};

	session->serve->stats.n_refused++;
	if (note.rule != NULL)
		note.event = HF_EV_POLICY_REFUSED;
	/* It is refused whether or not that can be recorded. */
	if (may_record(session) && hf_serve_record(r, &note, NULL) == HF_OK) {
		session->n_unrecorded = 0;
		session->serve->n_unrecorded = 0;
	}
}

/* Failures of our machine, and of authentication, are nobody's business but ours. */
static bool is_for_peer(hf_err e)
{
	switch ((unsigned)e >> 8) {
	case 0x3: /* bad input */
	case 0x4: /* refused */
	case 0x5: /* state */ return e != HF_ERR_AUTH;
	default: return e == HF_ERR_LIMIT || e == HF_ERR_NET || e == HF_ERR_TIMEOUT;
	}
}

/* What the peer may read about a failure; NULL: no more than its code. */
static const char *words_for(
	const struct hf_serve_session *session, hf_err e, const struct hf_errinfo *ei)
{
	if (ei == NULL || ei->text[0] == '\0' || session->who == HF_PEER_NEWCOMER)
		return NULL;
	return is_for_peer(e) ? ei->text : NULL;
}

/* "Not there", "later" and "no way to the hub" are answers, not refusals. */
static bool is_on_record(hf_err e)
{
	return e != HF_ERR_NOT_FOUND && e != HF_ERR_AGAIN && e != HF_ERR_NET && e != HF_ERR_TIMEOUT;
}

void hf_serve_refuse(
	const struct serve_req *r, enum hf_audit_event event, hf_err e, const struct hf_errinfo *ei)
{
	hf_h2_reply_error(r->session->h, r->stream, e, words_for(r->session, e, ei));
	if (is_on_record(e))
		record_refusal(r, event, e, ei);
}

/* Refused by the session itself: no route, not for this peer, a wrong head, too long. */
static void on_refused(void *ctx, const struct hf_http_head *head, hf_err why)
{
	struct hf_serve_session *session = ctx;
	const struct hf_http_request q = { .head = head };
	struct serve_req r;

	hf_serve_req_init(&r, session, &q);
	if (is_on_record(why))
		record_refusal(&r, HF_EV_REQUEST_REFUSED, why, NULL);
}

/* What a peer is to the routes; 0: nothing here. */
static uint32_t who_is(const struct hf_serve_peer *peer)
{
	if (peer->is_self_signed)
		return HF_PEER_NEWCOMER;
	if (!peer->cert->has_identity)
		return 0;
	switch (peer->cert->identity.role) {
	case HF_ROLE_DEVICE: return HF_PEER_DEVICE;
	case HF_ROLE_EDGE: return HF_PEER_EDGE;
	case HF_ROLE_PUBLISHER: return HF_PEER_PUBLISHER;
	case HF_ROLE_HUB:
	case HF_ROLE_DIRECTOR:
	case HF_ROLE_AUDIT:
	case HF_ROLE_OPERATOR: return 0;
	}
	return 0;
}

static hf_err check_peer(
	const struct hf_serve *s, const struct hf_serve_peer *peer, struct hf_errinfo *ei)
{
	uint32_t who = who_is(peer);

	if (!s->node->is_member)
		return hf_fail(ei, HF_ERR_STATE, "this node is not a member of a domain yet");
	if (who == 0)
		return hf_fail(ei, HF_ERR_DENIED, "%s: its role has no business here",
			peer->cert->has_identity ? peer->cert->identity.id : "the peer");
	if (who != HF_PEER_NEWCOMER &&
		strcmp(peer->cert->identity.domain, s->node->party.identity.domain) != 0)
		return hf_fail(ei, HF_ERR_DENIED, "%s: of domain %s, not of %s",
			peer->cert->identity.id, peer->cert->identity.domain,
			s->node->party.identity.domain);
	/* The link has asked before, maybe by an older list, or by none. */
	if (who != HF_PEER_NEWCOMER)
		HF_TRY(hf_serve_check_revoked(s, peer->cert, ei));
	if (s->stats.n_sessions >= s->config.max_sessions)
		return hf_fail(ei, HF_ERR_LIMIT, "%" PRIu32 " sessions are as many as may be",
			s->config.max_sessions);
	return HF_OK;
}

static uint64_t count_one(const struct hf_serve_session *of, const void *ctx)
{
	(void)of;
	(void)ctx;
	return 1;
}

/* One peer, and all newcomers together, leave room for others; so does one address for them. */
static hf_err check_share(const struct hf_serve_session *session, struct hf_errinfo *ei)
{
	struct holding h = holding_of(session, count_one, NULL);

	if (has_share(session, &h, 1, share_of(session->who, session->serve->config.max_sessions)))
		return HF_OK;
	return hf_fail(ei, HF_ERR_LIMIT,
		"%s: has %" PRIu64 " sessions already, %" PRIu64 " of them from its address",
		session->actor, h.all, h.at_site);
}

static void name_peer(struct hf_serve_session *session)
{
	if (session->who == HF_PEER_NEWCOMER) {
		(void)snprintf(session->actor, sizeof(session->actor), "%s", newcomer);
		return;
	}
	session->identity = session->peer.cert->identity;
	(void)snprintf(session->actor, sizeof(session->actor), "%s:%s",
		hf_role_name(session->identity.role), session->identity.id);
}

hf_err hf_serve_begin(struct hf_serve_session **out, struct hf_h2 **h, struct hf_serve *s,
	const struct hf_serve_peer *peer, uint64_t now_ms, struct hf_errinfo *ei)
{
	struct hf_h2_server config = {
		.mem = s->mem,
		.limits = s->config.limits,
		.routes = s->config.up == NULL ? hub_routes : edge_routes,
		.n_routes = s->config.up == NULL ? HF_COUNT(hub_routes) : HF_COUNT(edge_routes),
		.on_close = on_close,
		.on_refused = on_refused,
		.on_keep = on_keep,
		.max_large = SERVE_LARGE_MAX,
	};
	struct hf_serve_session *session;
	struct hf_serve_session **at;
	hf_err e;

	HF_TRY(check_peer(s, peer, ei));
	session = hf_mem_new(s->mem, sizeof(*session));
	if (session == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "out of memory");
	session->serve = s;
	session->peer = *peer;
	session->who = who_is(peer);
	name_peer(session);
	session->end_ms =
		session->who == HF_PEER_NEWCOMER ? now_ms + SERVE_NEWCOMER_MS : UINT64_MAX;
	config.peer = session->who;
	if (session->who == HF_PEER_EDGE)
		config.max_large = SERVE_LARGE_EDGE_MAX;
	if (session->who == HF_PEER_NEWCOMER && config.limits.max_streams > SERVE_STREAMS_NEW_MAX)
		config.limits.max_streams = SERVE_STREAMS_NEW_MAX;
	config.ctx = session;
	e = check_share(session, ei);
	if (e == HF_OK)
		e = hf_h2_server_new(&session->h, &config, now_ms);
	if (e != HF_OK) {
		hf_mem_free(s->mem, session);
		return hf_fail(ei, e, "no session: %s", hf_err_text(e));
	}
	at = &s->sessions[bucket_of(session->actor)];
	session->next = *at;
	*at = session;
	s->stats.n_sessions++;
	*h = session->h;
	*out = session;
	return HF_OK;
}

void hf_serve_session_end(struct hf_serve_session *session)
{
	struct hf_serve *s = session->serve;
	struct hf_serve_session **at = &s->sessions[bucket_of(session->actor)];
	const struct serve_req r = { .session = session };
	const struct serve_note rest = {
		.event = HF_EV_REQUEST_REFUSED,
		.result = HF_RESULT_PARTIAL,
		.n_failed = session->n_unrecorded,
		.code = "not recorded one by one",
	};

	if (session->n_unrecorded > 0 &&
		(!spend_all(s, session->who) || hf_serve_record(&r, &rest, NULL) != HF_OK))
		s->n_unrecorded += session->n_unrecorded;
	while (*at != session)
		at = &(*at)->next;
	*at = session->next;
	if (session->is_touched) {
		for (at = &s->touched; *at != session;)
			at = &(*at)->next_touched;
		*at = session->next_touched;
	}
	s->stats.n_sessions--;
	hf_mem_free(s->mem, session);
}

void hf_serve_touch(struct hf_serve_session *session)
{
	if (session->is_touched)
		return;
	session->is_touched = true;
	session->next_touched = session->serve->touched;
	session->serve->touched = session;
}

void hf_serve_pump(struct hf_serve *s)
{
	struct hf_serve_session *session;

	/* A pump may end streams, end sessions and touch others. */
	while ((session = s->touched) != NULL) {
		s->touched = session->next_touched;
		session->is_touched = false;
		if (session->peer.pump != NULL)
			session->peer.pump(session->peer.ctx);
	}
}

static void newcomers_tick(struct hf_serve *s, uint64_t now_ms)
{
	for (struct hf_serve_session *session = s->sessions[bucket_of(newcomer)]; session != NULL;
		session = session->next) {
		if (now_ms < session->end_ms)
			continue;
		session->end_ms = UINT64_MAX;
		hf_h2_shutdown(session->h);
		hf_serve_touch(session);
	}
}

static uint64_t newcomers_deadline(const struct hf_serve *s)
{
	uint64_t at = UINT64_MAX;

	for (const struct hf_serve_session *session = s->sessions[bucket_of(newcomer)];
		session != NULL; session = session->next)
		if (session->end_ms < at)
			at = session->end_ms;
	return at;
}

void hf_serve_tick(struct hf_serve *s, uint64_t now_ms)
{
	newcomers_tick(s, now_ms);
	hf_serve_waits_tick(s, now_ms);
	hf_serve_intakes_tick(s, now_ms);
	if (s->config.up == NULL)
		hf_serve_channel_tick(s, now_ms);
	hf_serve_pump(s);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t hf_serve_deadline(const struct hf_serve *s)
{
	return earlier(earlier(s->renew_ms, newcomers_deadline(s)),
		earlier(hf_serve_waits_deadline(s), hf_serve_intakes_deadline(s)));
}

void hf_serve_stats_get(const struct hf_serve *s, struct hf_serve_stats *out)
{
	*out = s->stats;
}
