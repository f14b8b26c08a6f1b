/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every link leaves two records: that it opened, with whom, and that it closed; or one, that it was
 * refused, by whom as far as an address tells, and why (C1, G1). The same goes to diagnostics. Of a
 * flood of links most leave their number only.
 */
#include <stdio.h>
#include <string.h>

#include "base/endian.h"
#include "crypto/sm3.h"
#include "front.h"
#include "store/crc32c.h"

enum {
	ATTRS_MAX = 512,
	/* Links recorded one by one in that time; the rest is a number in the next record. */
	BUDGET_SPAN_MS = 60 * 1000,
	REFUSED_MAX = 256,
	NEWCOMERS_MAX = 128,
	MEMBER_MAX = 128,
	MEMBERS_MAX = 2048,
};

static const char newcomer[] = "newcomer";

struct attrs {
	uint8_t bytes[ATTRS_MAX];
	size_t len;
};

/* Room is for all that a link may say: a failure to add is one of this file. */
static void attr_put(struct attrs *a, uint16_t type, const void *value, size_t len)
{
	const struct hf_audit_attr attr = { type, value, len };

	(void)!hf_audit_attr_put(a->bytes, sizeof(a->bytes), &a->len, &attr);
}

static void attr_address(struct attrs *a, const struct front_link *k)
{
	attr_put(a, k->is_ours ? HF_ATTR_DESTINATION : HF_ATTR_SOURCE, k->address,
		strlen(k->address));
}

void front_link_init(struct front_link *k, struct front *f, const char *address)
{
	memset(k, 0, sizeof(*k));
	k->f = f;
	k->address = address;
	k->session = f->next_session++;
}

struct front_peer front_peer_of(const struct hf_link *l)
{
	const struct hf_tls *tls = hf_link_tls(l);

	return (struct front_peer){ hf_tls_peer(tls), hf_tls_is_self_signed(tls),
		hf_tls_is_resumed(tls) };
}

/* "device:dev-1"; "newcomer" without a certificate of the domain. */
static void name_peer(struct front_link *k, const struct front_peer *peer)
{
	const struct hf_cert *cert = peer->cert;

	if (cert == NULL || peer->is_self_signed || !cert->has_identity)
		(void)snprintf(k->peer, sizeof(k->peer), "%s", newcomer);
	else
		(void)snprintf(k->peer, sizeof(k->peer), "%s:%s", hf_role_name(cert->identity.role),
			cert->identity.id);
}

static const char *own_name(const struct front *f, char name[HF_AUDIT_NAME_MAX])
{
	(void)snprintf(name, HF_AUDIT_NAME_MAX, "%s:%s", hf_role_name(f->child.config.role),
		f->child.config.node);
	return name;
}

/* peer: of a link that opens; NULL: of another. */
static void log_link(struct front_link *k, const char *event, const struct front_peer *peer,
	const struct hf_errinfo *why)
{
	struct hufud_line line;

	hufud_line_begin(&line, &k->f->child.log, event);
	hufud_line_str(&line, "peer", k->peer[0] != '\0' ? k->peer : NULL);
	hufud_line_str(&line, "address", k->address);
	hufud_line_num(&line, "session", k->session);
	if (peer != NULL)
		hufud_line_str(&line, "handshake", peer->is_resumed ? "resumed" : "full");
	if (why != NULL)
		hufud_line_err(&line, why);
	hufud_line_end(&line);
}

/* Anybody can knock: a flood of links must fill neither log. */
static bool may_spend(struct front_budget *b, uint64_t now_ms, uint32_t max)
{
	if (now_ms - b->since_ms >= BUDGET_SPAN_MS)
		*b = (struct front_budget){ .since_ms = now_ms };
	if (b->n >= max)
		return false;
	b->n++;
	return true;
}

/*
 * Whoever makes a key is a newcomer, so they share one budget; a member has one of its own, and all
 * members together, whose keys somebody may have, another one.
 */
static bool may_record_open(struct front_link *k)
{
	struct front *f = k->f;
	uint64_t now_ms = front_now(f);
	uint32_t hash = 0;

	if (strcmp(k->peer, newcomer) == 0)
		return may_spend(&f->open_newcomers, now_ms, NEWCOMERS_MAX);
	hash = hf_crc32c(0, k->peer, strlen(k->peer));
	return may_spend(&f->open_member[hash % FRONT_BUDGETS], now_ms, MEMBER_MAX) &&
	       may_spend(&f->open_members, now_ms, MEMBERS_MAX);
}

static void attr_unrecorded(struct attrs *a, uint64_t *n_unrecorded)
{
	uint8_t n[8];

	hf_put_be64(n, *n_unrecorded);
	if (*n_unrecorded > 0)
		attr_put(a, HF_ATTR_COUNT_FAIL, n, sizeof(n));
	*n_unrecorded = 0;
}

hf_err front_record_open(struct front_link *k, const struct front_peer *peer)
{
	struct hf_errinfo ei = { 0 };
	struct attrs a = { .len = 0 };
	char name[HF_AUDIT_NAME_MAX];
	uint8_t digest[HF_SM3_LEN];
	struct hf_audit_event_in in = {
		.event = HF_EV_HANDSHAKE,
		.result = HF_RESULT_OK,
		.level = (uint8_t)k->f->child.config.level,
		.actor = k->peer,
		.subject = own_name(k->f, name),
		.session_id = k->session,
	};
	hf_err e;

	name_peer(k, peer);
	k->opened_ms = front_now(k->f);
	if (!k->is_ours && !may_record_open(k)) {
		k->f->n_open_unrecorded++;
		k->is_unrecorded = true;
		k->is_open = true;
		return HF_OK;
	}
	attr_address(&a, k);
	if (!k->is_ours)
		attr_unrecorded(&a, &k->f->n_open_unrecorded);
	if (peer->cert != NULL) {
		hf_sm3(digest, peer->cert->der.p, peer->cert->der.len);
		attr_put(&a, HF_ATTR_PEER_CERT, digest, sizeof(digest));
	}
	in.attrs = a.bytes;
	in.attrs_len = a.len;
	e = hf_node_audit(&k->f->node, &in, &ei);
	k->is_open = e == HF_OK;
	log_link(k, e == HF_OK ? "link-open" : "link-not-recorded", e == HF_OK ? peer : NULL,
		e == HF_OK ? NULL : &ei);
	return e;
}

void front_record_close(struct front_link *k, hf_err e, const struct hf_errinfo *why)
{
	struct hf_errinfo ei = { 0 };
	struct attrs a = { .len = 0 };
	char name[HF_AUDIT_NAME_MAX];
	bool is_orderly = k->is_open && e == HF_ERR_CLOSED;
	uint8_t us[8];
	struct hf_audit_event_in in = {
		.event = k->is_open ? HF_EV_LINK_CLOSED : HF_EV_HANDSHAKE_REFUSED,
		.result = is_orderly   ? HF_RESULT_OK
			  : k->is_open ? HF_RESULT_FAIL
				       : HF_RESULT_DENIED,
		.level = (uint8_t)k->f->child.config.level,
		.actor = k->peer[0] != '\0' ? k->peer : NULL,
		.subject = own_name(k->f, name),
		.session_id = k->session,
		.reason = is_orderly ? HF_OK : e,
	};

	if (k->is_unrecorded)
		return;
	if (!k->is_open && !k->is_ours &&
		!may_spend(&k->f->refused_links, front_now(k->f), REFUSED_MAX)) {
		k->f->n_refused_unrecorded++;
		return;
	}
	attr_address(&a, k);
	if (!k->is_open && !k->is_ours)
		attr_unrecorded(&a, &k->f->n_refused_unrecorded);
	if (k->is_open) {
		hf_put_be64(us, (front_now(k->f) - k->opened_ms) * 1000);
		attr_put(&a, HF_ATTR_DURATION_US, us, sizeof(us));
	}
	in.attrs = a.bytes;
	in.attrs_len = a.len;
	log_link(k, k->is_open ? "link-closed" : "link-refused", NULL, why);
	if (hf_node_audit(&k->f->node, &in, &ei) != HF_OK)
		hufud_log_err(&k->f->child.log, "not-recorded", &ei);
}
