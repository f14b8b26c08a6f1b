/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a device becomes a member, and how it gets the content keys it may have. Certificates and
 * grants are made by the key process; here is who may ask for them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "os/clock.h"
#include "pkg/grant.h"
#include "pkg/trust.h"
#include "svc/api_json.h"
#include "svc/serve_inner.h"

enum {
	CERT_ROOM = HF_CERT_DER_MAX,
};

/* The key of the link must be the one that is to be certified: no token for somebody else's. */
static hf_err check_link_key(const struct hf_serve_session *session, const struct hf_api_enroll *in,
	struct hf_errinfo *ei)
{
	struct hf_csr csr;

	HF_TRY(hf_csr_parse(&csr, in->sign_csr, in->sign_csr_len, ei));
	if (session->who != HF_PEER_NEWCOMER)
		return HF_OK; /* an edge has compared them on its own link */
	if (memcmp(&csr.key, &session->peer.cert->key, sizeof(csr.key)) != 0)
		return hf_fail(ei, HF_ERR_AUTH, "the request is for another key than the link's");
	return HF_OK;
}

hf_err hf_serve_enroll_read(struct hf_api_enroll *out, const struct hf_serve_session *session,
	const struct hf_http_request *q, struct hf_errinfo *ei)
{
	HF_TRY(hf_api_enroll_parse(out, (struct hf_bytes){ q->body, q->body_len }, ei));
	return check_link_key(session, out, ei);
}

/* What the hub gives to a new member. */
struct certs {
	struct hf_buf sign;
	struct hf_buf enc;
};

static hf_err put_device(struct hf_serve *s, const struct certs *certs, struct hf_errinfo *ei)
{
	struct hf_cert cert;
	struct hf_meta_device row = {
		.state = SERVE_DEVICE_ENROLLED,
		.enrolled_s = hf_clock_wall_s(),
		.sign_cert = { certs->sign.p, certs->sign.len },
		.enc_cert = { certs->enc.p, certs->enc.len },
	};

	HF_TRY(hf_cert_parse(&cert, certs->sign.p, certs->sign.len, ei));
	if (!cert.has_identity)
		return hf_fail(ei, HF_ERR_INTERNAL, "a certificate of ours names nobody");
	row.id = cert.identity.id;
	row.level = (uint64_t)cert.identity.level;
	return hf_meta_device_put(s->node->meta, &row, NULL);
}

static void answer_enroll(const struct serve_req *r, const struct certs *certs)
{
	const struct hf_serve *s = r->session->serve;
	const struct hf_party *hub = &s->node->party;
	struct hf_buf body;
	struct hf_json_wr j;

	hf_buf_init(&body, s->mem, HF_API_ENROLLED_MAX);
	j = hf_json_wr(&body);
	hf_json_wr_object(&j);
	hf_api_der_put(
		&j, "sign_cert", (struct hf_bytes){ certs->sign.p, certs->sign.len }, s->mem);
	hf_api_der_put(&j, "enc_cert", (struct hf_bytes){ certs->enc.p, certs->enc.len }, s->mem);
	hf_api_der_put(&j, "issuing_ca", hub->issuing_ca.der, s->mem);
	hf_api_der_put(&j, "root_ca", hub->root_ca.der, s->mem);
	hf_api_der_put(&j, "hub_enc", hub->enc.der, s->mem);
	hf_api_der_put(
		&j, "root", (struct hf_bytes){ hub->root_object.p, hub->root_object.len }, s->mem);
	hf_json_wr_end(&j);
	hf_serve_reply_json(r, &body, hf_json_wr_done(&j));
	hf_buf_clear(&body);
}

void hf_serve_on_enroll(void *ctx, const struct hf_http_request *q)
{
	struct hf_serve_session *session = ctx;
	struct hf_serve *s = session->serve;
	struct hf_errinfo ei = { .code = HF_OK };
	struct hf_api_enroll in;
	struct certs certs;
	struct serve_req r;
	/* What the key process refuses, it records as such. */
	enum hf_audit_event event = HF_EV_REQUEST_REFUSED;
	hf_err e;

	hf_serve_req_init(&r, session, q);
	hf_buf_init(&certs.sign, s->mem, CERT_ROOM);
	hf_buf_init(&certs.enc, s->mem, CERT_ROOM);
	e = hf_serve_enroll_read(&in, session, q, &ei);
	if (e == HF_ERR_AUTH)
		event = HF_EV_ENROL_REFUSED;
	if (e == HF_OK)
		e = hf_key_enrol(s->node->keys, in.token,
			(struct hf_bytes){ in.sign_csr, in.sign_csr_len },
			(struct hf_bytes){ in.enc_csr, in.enc_csr_len }, &certs.sign, &certs.enc,
			&ei);
	if (e == HF_OK)
		e = put_device(s, &certs, &ei);
	if (e == HF_OK)
		answer_enroll(&r, &certs);
	else
		hf_serve_refuse(&r, event, e, NULL); /* no reason, also not through an edge */
	hf_buf_clear(&certs.sign);
	hf_buf_clear(&certs.enc);
}

/* "*" stands for any, "dev-*" for a beginning. */
static bool matches(const char *pattern, const char *text)
{
	size_t len = strlen(pattern);

	if (len > 0 && pattern[len - 1] == '*')
		return strncmp(pattern, text, len - 1) == 0;
	return strcmp(pattern, text) == 0;
}

static hf_err check_rules(const struct hf_node_config *config, const char *lineage,
	const char *device, struct hf_errinfo *ei)
{
	for (size_t i = 0; i < config->n_rules; i++)
		if (matches(config->rules[i].lineage, lineage) &&
			matches(config->rules[i].device, device))
			return HF_OK;
	return hf_fail(ei, HF_ERR_DENIED, "no rule grants %s to %s; add one to grants: of the hub",
		lineage, device);
}

/* A grant that is asked for. */
struct asked {
	struct hf_api_grant in;
	struct hf_cert cert; /* borrows from in */
	uint8_t cert_print[HF_SM3_LEN];
	char manifest_id[SERVE_ID_TEXT];
	char deposit_id[SERVE_ID_TEXT];
	struct hf_buf object; /* the manifest */
	struct hf_manifest manifest;
	uint64_t now_s;
	uint64_t life_s;
};

hf_err hf_serve_grant_read(struct hf_api_grant *out, struct hf_cert *cert,
	const struct hf_serve_session *session, const struct hf_http_request *q,
	struct hf_errinfo *ei)
{
	HF_TRY(hf_api_grant_parse(out, (struct hf_bytes){ q->body, q->body_len }, ei));
	HF_TRY(hf_cert_parse(cert, out->enc_cert, out->enc_cert_len, ei));
	if (!cert->has_identity)
		return hf_fail(ei, HF_ERR_DENIED, "the certificate names no device");
	return hf_serve_speaks_for(session, cert->identity.id, ei);
}

/* The certificate is the one that this hub gave to that device last. */
struct cert_look {
	struct hf_bytes cert;
	hf_err found;
};

static hf_err look_at_cert(void *ctx, const struct hf_meta_device *row)
{
	struct cert_look *l = ctx;

	if (row->state != SERVE_DEVICE_ENROLLED)
		l->found = HF_ERR_REVOKED;
	else
		l->found = hf_bytes_eq(row->enc_cert, l->cert) ? HF_OK : HF_ERR_DENIED;
	return HF_OK;
}

static hf_err check_device(const struct asked *a, struct hf_serve *s, struct hf_errinfo *ei)
{
	struct cert_look l = { .cert = a->cert.der };
	hf_err e;

	HF_TRY(hf_serve_check_revoked(s, &a->cert, ei));
	e = hf_meta_device_get(s->node->meta, a->cert.identity.id, look_at_cert, &l, NULL);
	if (e == HF_OK)
		e = l.found;
	if (e == HF_ERR_NOT_FOUND)
		e = HF_ERR_DENIED;
	if (e != HF_OK)
		return hf_fail(ei, e, "%s: not a device with this certificate: %s",
			a->cert.identity.id, hf_err_text(e));
	return HF_OK;
}

/* Below the floor nothing runs, so nothing is granted. */
static hf_err check_floor(
	const struct hf_serve *s, const struct hf_manifest *m, struct hf_errinfo *ei)
{
	for (size_t i = 0; i < s->n_releases; i++) {
		const struct hf_channel_release *r = &s->releases[i];

		if (strcmp(r->lineage, m->lineage) == 0 && m->release < r->floor)
			return hf_fail(ei, HF_ERR_ROLLBACK,
				"release %" PRIu64 " of %s is below the floor %" PRIu64, m->release,
				m->lineage, r->floor);
	}
	return HF_OK;
}

/* The manifest is or was current, and has not expired. */
static hf_err load_release(struct asked *a, struct hf_serve *s, struct hf_errinfo *ei)
{
	unsigned n_signed = 0;
	hf_err e;

	e = hf_objects_load(&a->object, &s->objects, HF_OBJECT_MANIFEST, a->in.manifest, NULL);
	if (e == HF_ERR_NOT_FOUND)
		return hf_fail(ei, e, "manifest/%s is not known here", a->manifest_id);
	if (e == HF_OK)
		e = hf_trust_manifest(&a->manifest, &n_signed, &s->node->party.root,
			(struct hf_bytes){ a->object.p, a->object.len }, ei);
	if (e != HF_OK)
		return e;
	HF_TRY(hf_serve_release_known(
		s, a->manifest.lineage, a->manifest.release, a->in.manifest, a->deposit_id, ei));
	HF_TRY(check_floor(s, &a->manifest, ei));
	if (a->now_s >= a->manifest.expires_s)
		return hf_fail(ei, HF_ERR_EXPIRED, "release %" PRIu64 " of %s has expired",
			a->manifest.release, a->manifest.lineage);
	return HF_OK;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* As long as the level lets a device keep one, and work without us; never beyond the release. */
static uint64_t life_of(const struct asked *a)
{
	enum hf_level level = hf_level_max(a->manifest.level, a->cert.identity.level);
	uint64_t life =
		least(hf_policy(HF_ROW_GRANT_CACHE, level), hf_policy(HF_ROW_OFFLINE, level));

	return least(life, a->manifest.expires_s - a->now_s);
}

/* A grant that was given before: good if more than half of its life is left. */
struct kept {
	const struct asked *asked;
	struct hf_buf *grant;
	bool is_good;
};

static hf_err look_at_grant(void *ctx, const struct hf_meta_signed *row)
{
	struct kept *k = ctx;
	const struct asked *a = k->asked;
	struct hf_bytes content;
	struct hf_grant g;

	if (hf_object_peek(&content, HF_OBJECT_GRANT, row->der, NULL) != HF_OK ||
		hf_grant_parse(&g, HF_OBJECT_GRANT, content, NULL) != HF_OK)
		return HF_OK; /* then a new one is made */
	if (memcmp(g.context.cert, a->cert_print, HF_SM3_LEN) != 0 ||
		g.context.not_after_s <= a->now_s ||
		g.context.not_after_s - a->now_s <=
			(g.context.not_after_s - g.context.issued_s) / 2)
		return HF_OK;
	k->is_good = true;
	return hf_buf_put(k->grant, row->der.p, row->der.len);
}

static hf_err keep_grant(const struct asked *a, struct hf_serve *s, const struct hf_buf *grant)
{
	uint8_t name[HF_SM3_LEN];
	char id[SERVE_ID_TEXT];
	const struct hf_meta_signed row = { .id = id,
		.device = a->cert.identity.id,
		.manifest = a->manifest_id,
		.time_s = a->now_s + a->life_s,
		.der = { grant->p, grant->len } };

	hf_object_name(name, grant->p, grant->len);
	hf_hex_emit(id, name, sizeof(name));
	return hf_meta_grant_put(s->node->meta, &row, NULL);
}

static hf_err make_grant(
	const struct asked *a, struct hf_serve *s, struct hf_buf *grant, struct hf_errinfo *ei)
{
	struct hf_buf deposit;
	uint8_t name[HF_SM3_LEN];
	size_t len = 0;
	hf_err e;

	hf_buf_init(&deposit, s->mem, hf_object_max(HF_OBJECT_DEPOSIT));
	e = hf_hex_parse(name, sizeof(name), &len, a->deposit_id, strlen(a->deposit_id));
	if (e == HF_OK)
		e = hf_objects_load(&deposit, &s->objects, HF_OBJECT_DEPOSIT, name, NULL);
	if (e != HF_OK)
		(void)hf_fail(ei, e, "the deposit of release %" PRIu64 " of %s is gone",
			a->manifest.release, a->manifest.lineage);
	if (e == HF_OK)
		e = hf_key_make_grant(s->node->keys,
			(struct hf_bytes){ a->object.p, a->object.len },
			(struct hf_bytes){ deposit.p, deposit.len }, a->cert.der, a->life_s, grant,
			ei);
	if (e == HF_OK)
		e = keep_grant(a, s, grant);
	hf_buf_clear(&deposit);
	return e;
}

static hf_err record_grant(const struct serve_req *r, const struct asked *a, struct hf_errinfo *ei)
{
	char subject[HF_AUDIT_NAME_MAX];
	const struct serve_note note = { .event = HF_EV_MODEL_FETCH,
		.level = hf_level_max(a->manifest.level, a->cert.identity.level),
		.subject = subject,
		.lineage = a->manifest.lineage,
		.release = a->manifest.release,
		.manifest = a->in.manifest };

	(void)snprintf(subject, sizeof(subject), "%s:%s", hf_role_name(a->cert.identity.role),
		a->cert.identity.id);
	return hf_serve_record(r, &note, ei);
}

static hf_err grant_for(
	const struct serve_req *r, struct asked *a, struct hf_buf *grant, struct hf_errinfo *ei)
{
	struct hf_serve *s = r->session->serve;
	struct kept k = { .asked = a, .grant = grant };
	hf_err e;

	HF_TRY(check_device(a, s, ei));
	HF_TRY(load_release(a, s, ei));
	HF_TRY(check_rules(&s->node->config, a->manifest.lineage, a->cert.identity.id, ei));
	a->life_s = life_of(a);
	e = hf_meta_grant_get(
		s->node->meta, a->cert.identity.id, a->manifest_id, look_at_grant, &k, NULL);
	if (e == HF_ERR_NOT_FOUND || (e == HF_OK && !k.is_good))
		e = make_grant(a, s, grant, ei);
	if (e == HF_OK)
		e = record_grant(r, a, ei);
	return e;
}

void hf_serve_on_grant(void *ctx, const struct hf_http_request *q)
{
	struct hf_serve_session *session = ctx;
	struct hf_serve *s = session->serve;
	struct hf_errinfo ei = { .code = HF_OK };
	struct asked a = { .now_s = hf_clock_wall_s() };
	struct hf_buf grant;
	struct serve_req r;
	hf_err e;

	hf_serve_req_init(&r, session, q);
	hf_buf_init(&a.object, s->mem, hf_object_max(HF_OBJECT_MANIFEST));
	hf_buf_init(&grant, s->mem, hf_object_max(HF_OBJECT_GRANT));
	e = hf_serve_grant_read(&a.in, &a.cert, session, q, &ei);
	if (e == HF_OK) {
		hf_hex_emit(a.manifest_id, a.in.manifest, sizeof(a.in.manifest));
		hf_cert_fingerprint(a.cert_print, &a.cert);
		e = grant_for(&r, &a, &grant, &ei);
	}
	if (e == HF_OK)
		hf_serve_reply(&r, 200, HF_TYPE_DER, (struct hf_bytes){ grant.p, grant.len });
	else
		hf_serve_refuse(&r, e == HF_ERR_DENIED ? HF_EV_POLICY_REFUSED : HF_EV_MODEL_REFUSED,
			e, &ei);
	hf_buf_clear(&grant);
	hf_buf_clear(&a.object);
}
