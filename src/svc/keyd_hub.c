/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only a hub does, but for grants: tokens, certificates, channels. Serials of channels are a
 * counter in keys.db, raised durably before a channel is signed: one may be skipped, none is given
 * twice.
 */
#include "svc/keyd_inner.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/wipe.h"
#include "keys/token.h"
#include "pki/csr.h"
#include "svc/issue.h"

enum {
	TOKEN_LIFE_MAX_S = 30 * 86400,
	CHANNEL_LIFE_MAX_S = 30 * 86400, /* as long as the longest life without the hub */
};

static const char serial_counter[] = "channel";

static enum hf_role role_of(const char *name)
{
	if (strcmp(name, "edge") == 0)
		return HF_ROLE_EDGE;
	return strcmp(name, "device") == 0 ? HF_ROLE_DEVICE : (enum hf_role)0;
}

static void token_id(char id[2 * HF_TOKEN_ID_LEN + 1], const struct hf_token *t)
{
	hf_hex_emit(id, t->id, sizeof(t->id));
}

/* For records: "device:dev-1". */
static void name_subject(struct hf_key_ask *a, const struct hf_token *t)
{
	(void)snprintf(a->subject, sizeof(a->subject), "%.60s:%.64s", t->role, t->device);
}

static hf_err check_token_ask(
	const struct hf_token *t, uint64_t life_s, uint8_t level, struct hf_errinfo *ei)
{
	if (!hf_device_name_is_valid(t->device) || strlen(t->device) > HF_ID_MAX)
		return hf_fail(ei, HF_ERR_ARG,
			"device '%s': 1 to %d of a-z, 0-9, '-' and '.', a letter or digit first",
			t->device, HF_ID_MAX);
	if (role_of(t->role) == 0)
		return hf_fail(ei, HF_ERR_ARG, "role '%s': edge or device", t->role);
	if (!hf_level_is(level))
		return hf_fail(ei, HF_ERR_ARG, "level: 1, 2 or 3");
	if (life_s == 0 || life_s > TOKEN_LIFE_MAX_S)
		return hf_fail(ei, HF_ERR_ARG, "life of a token: 1 s to %d days",
			TOKEN_LIFE_MAX_S / 86400);
	return HF_OK;
}

hf_err hf_keyd_make_token(struct hf_keyd *k, struct hf_key_ask *a)
{
	struct hf_keyd_note note = { .event = HF_EV_TOKEN_ISSUE, .subject = a->subject };
	struct hf_token t = { .level = 0 };
	char id[2 * HF_TOKEN_ID_LEN + 1];
	char text[HF_TOKEN_TEXT_MAX] = { 0 };
	uint64_t life_s;
	hf_err e;

	hf_key_take_text(&a->in, t.device, sizeof(t.device));
	hf_key_take_text(&a->in, t.role, sizeof(t.role));
	t.level = hf_rd_u8(&a->in);
	life_s = hf_rd_u64(&a->in);
	HF_TRY(hf_key_ask_done(a));
	HF_TRY(hf_keyd_allow_uid(k, a, false));
	HF_TRY(check_token_ask(&t, life_s, t.level, a->ei));
	name_subject(a, &t);
	t.not_after = a->now_s + life_s;
	hf_cert_fingerprint(t.root_ca, &k->party.root_ca);
	e = hf_rng_fill(&k->env->rng, t.id, sizeof(t.id));
	if (e == HF_OK)
		e = hf_token_emit(text, &t, k->secrets->token_key);
	if (e != HF_OK)
		return hf_fail(a->ei, e, "token: %s", hf_err_text(e));
	token_id(id, &t);
	note.level = t.level;
	e = hf_keyd_note(k, a, &note, a->ei);
	if (e == HF_OK)
		e = hf_meta_token_put(k->meta, id, t.not_after, 1, a->ei);
	if (e == HF_OK)
		hf_key_put_text(&a->out, text);
	hf_wipe(text, sizeof(text));
	return e;
}

/* An enrolment that is being looked at. */
struct enrolment {
	struct hf_token token;
	struct hf_csr sign;
	struct hf_csr enc;
	struct hf_identity identity; /* what both certificates will say */
};

/* The request must ask for what the token allows, no more and no less. */
static hf_err check_csr(const struct enrolment *n, const struct hf_csr *csr, struct hf_errinfo *ei)
{
	const struct hf_token *t = &n->token;

	HF_TRY(hf_csr_verify(csr, ei));
	if (!csr->has_identity || strcmp(csr->identity.id, t->device) != 0 ||
		csr->identity.role != role_of(t->role) || (uint8_t)csr->identity.level != t->level)
		return hf_fail(ei, HF_ERR_DENIED,
			"enrolment: the request is not for %s %s at L%u, for which the token is",
			t->role, t->device, (unsigned)t->level);
	return HF_OK;
}

static hf_err read_enrolment(struct enrolment *n, const struct hf_keyd *k, struct hf_key_ask *a)
{
	char token[HF_TOKEN_TEXT_MAX];
	struct hf_bytes sign;
	struct hf_bytes enc;
	hf_err e;

	hf_key_take_text(&a->in, token, sizeof(token));
	sign = hf_key_take_object(&a->in);
	enc = hf_key_take_object(&a->in);
	HF_TRY(hf_key_ask_done(a));
	e = hf_token_check(&n->token, token, strlen(token), k->secrets->token_key, a->now_s);
	hf_wipe(token, sizeof(token));
	if (e == HF_ERR_EXPIRED)
		return hf_fail(a->ei, e, "enrolment: the token has expired; ask for a new one");
	if (e != HF_OK) /* misspelt or forged: nobody is told which */
		return hf_fail(a->ei, HF_ERR_AUTH, "enrolment: not a token of this hub");
	name_subject(a, &n->token);
	HF_TRY(hf_csr_parse(&n->sign, sign.p, sign.len, a->ei));
	return hf_csr_parse(&n->enc, enc.p, enc.len, a->ei);
}

static hf_err check_enrolment(struct enrolment *n, const struct hf_keyd *k, struct hf_key_ask *a)
{
	uint8_t root_ca[HF_SM3_LEN];

	hf_cert_fingerprint(root_ca, &k->party.root_ca);
	if (memcmp(root_ca, n->token.root_ca, sizeof(root_ca)) != 0)
		return hf_fail(a->ei, HF_ERR_AUTH, "enrolment: the token names another root CA");
	HF_TRY(check_csr(n, &n->sign, a->ei));
	HF_TRY(check_csr(n, &n->enc, a->ei));
	if (memcmp(&n->sign.key, &n->enc.key, sizeof(n->sign.key)) == 0)
		return hf_fail(
			a->ei, HF_ERR_DENIED, "enrolment: one key cannot both sign and decrypt");
	if (strcmp(n->token.device, k->identity.id) == 0)
		return hf_fail(
			a->ei, HF_ERR_DENIED, "enrolment: %s is the hub itself", n->token.device);
	n->identity = (struct hf_identity){ .role = role_of(n->token.role),
		.level = (enum hf_level)n->token.level };
	memcpy(n->identity.domain, k->identity.domain, sizeof(n->identity.domain));
	(void)snprintf(n->identity.id, sizeof(n->identity.id), "%.63s", n->token.device);
	return HF_OK;
}

/*
 * Only who proved possession of both keys gets this far; the first pair has the token. Both count:
 * requests can be seen by an edge that passes them on, and who could put an encryption key of its
 * own next to somebody else's request would get what is meant for that device.
 */
static hf_err bind_token(const struct enrolment *n, struct hf_keyd *k, struct hf_key_ask *a)
{
	struct hf_errinfo why = { 0 };
	char id[2 * HF_TOKEN_ID_LEN + 1];
	uint8_t points[2 * HF_SM2_POINT_LEN];
	uint8_t digest[HF_SM3_LEN];
	hf_err e;

	token_id(id, &n->token);
	hf_sm2_pub_emit(points, &n->sign.key);
	hf_sm2_pub_emit(points + HF_SM2_POINT_LEN, &n->enc.key);
	hf_sm3(digest, points, sizeof(points));
	e = hf_meta_token_use(
		k->meta, id, (struct hf_bytes){ digest, sizeof(digest) }, a->now_s, &why);
	if (e == HF_ERR_DENIED) {
		a->step = "token-second-key";
		return hf_fail(
			a->ei, HF_ERR_AUTH, "enrolment: the token was used by another key before");
	}
	if (e == HF_ERR_NOT_FOUND)
		return hf_fail(a->ei, HF_ERR_AUTH, "enrolment: not a token of this hub");
	if (e != HF_OK)
		return hf_fail_sys(a->ei, e, why.sys, "enrolment: %s",
			why.code != HF_OK ? why.text : hf_err_text(e));
	return HF_OK;
}

static hf_err issue(struct hf_buf *out, const struct enrolment *n, struct hf_keyd *k,
	struct hf_key_ask *a, enum hf_issue_kind kind)
{
	struct hf_issue what = { .kind = kind,
		.identity = n->identity,
		.key = kind == HF_ISSUE_SIGN ? n->sign.key : n->enc.key,
		.issuer = k->party.issuing_ca.subject,
		.now_s = a->now_s };
	const struct hf_keyd_note note = {
		.event = HF_EV_SIGN, .tier = 1, .subject = "key:issuing-ca", .code = "certificate"
	};

	HF_TRY(hf_issue_cert(k->env, out, &what, &k->ca, a->ei));
	return hf_keyd_note(k, a, &note, a->ei);
}

/* The record and the row come before the reply; a row of an older enrolment is replaced. */
static hf_err keep_device(const struct enrolment *n, struct hf_keyd *k, struct hf_key_ask *a,
	struct hf_bytes sign_cert, struct hf_bytes enc_cert)
{
	const struct hf_meta_device row = { .id = n->identity.id,
		.level = (uint64_t)n->identity.level,
		.state = HF_KEYD_DEVICE_GOOD,
		.enrolled_s = a->now_s,
		.sign_cert = sign_cert,
		.enc_cert = enc_cert };
	uint8_t fingerprint[HF_SM3_LEN];
	const struct hf_keyd_note note = { .event = HF_EV_ENROL,
		.tier = 2,
		.level = n->token.level,
		.subject = a->subject,
		.cert = fingerprint };

	hf_sm3(fingerprint, sign_cert.p, sign_cert.len);
	HF_TRY(hf_keyd_note(k, a, &note, a->ei));
	return hf_meta_device_put(k->meta, &row, a->ei);
}

hf_err hf_keyd_enrol(struct hf_keyd *k, struct hf_key_ask *a)
{
	struct enrolment n = { .identity = { .level = HF_L1 } };
	struct hf_buf sign_cert;
	struct hf_buf enc_cert;
	hf_err e;

	HF_TRY(read_enrolment(&n, k, a));
	HF_TRY(check_enrolment(&n, k, a));
	HF_TRY(bind_token(&n, k, a));
	hf_buf_init(&sign_cert, k->env->mem, HF_CERT_DER_MAX);
	hf_buf_init(&enc_cert, k->env->mem, HF_CERT_DER_MAX);
	e = issue(&sign_cert, &n, k, a, HF_ISSUE_SIGN);
	if (e == HF_OK)
		e = issue(&enc_cert, &n, k, a, HF_ISSUE_ENC);
	if (e == HF_OK)
		e = keep_device(&n, k, a, (struct hf_bytes){ sign_cert.p, sign_cert.len },
			(struct hf_bytes){ enc_cert.p, enc_cert.len });
	if (e == HF_OK) {
		hf_key_put_object(&a->out, (struct hf_bytes){ sign_cert.p, sign_cert.len });
		hf_key_put_object(&a->out, (struct hf_bytes){ enc_cert.p, enc_cert.len });
	}
	hf_buf_clear(&enc_cert);
	hf_buf_clear(&sign_cert);
	return e;
}

/* Emitting has checked form and order; the number is what the asker believes it sent. */
static hf_err check_number(
	const struct hf_channel *c, struct hf_bytes content, struct hf_errinfo *ei)
{
	struct hf_channel check;

	HF_TRY(hf_channel_parse(&check, content, ei));
	if (check.n_releases != c->n_releases)
		return hf_fail(ei, HF_ERR_ARG, "channel: has %zu releases, not %zu",
			check.n_releases, c->n_releases);
	return HF_OK;
}

static hf_err sign_channel(struct hf_keyd *k, struct hf_key_ask *a, const struct hf_channel *c,
	struct hf_buf *content, struct hf_buf *object)
{
	const struct hf_keyd_note note = {
		.event = HF_EV_MODEL_CHANNEL, .subject = "channel", .release = c->serial
	};

	HF_TRY(hf_channel_emit(content, c, a->ei));
	HF_TRY(check_number(c, (struct hf_bytes){ content->p, content->len }, a->ei));
	HF_TRY(hf_keyd_sign_object(k, a, HF_OBJECT_CHANNEL, &k->director,
		(struct hf_bytes){ content->p, content->len }, object));
	HF_TRY(hf_keyd_note(k, a, &note, a->ei));
	hf_key_put_object(&a->out, (struct hf_bytes){ object->p, object->len });
	return HF_OK;
}

hf_err hf_keyd_make_channel(struct hf_keyd *k, struct hf_key_ask *a)
{
	struct hf_channel c = { .root_version = k->party.root.version, .issued_s = a->now_s };
	struct hf_buf content;
	struct hf_buf object;
	uint64_t life_s;
	hf_err e;

	c.releases = hf_key_take_object(&a->in);
	c.n_releases = hf_rd_u32(&a->in);
	life_s = hf_rd_u64(&a->in);
	HF_TRY(hf_key_ask_done(a));
	if (life_s == 0 || life_s > CHANNEL_LIFE_MAX_S)
		return hf_fail(a->ei, HF_ERR_ARG, "life of a channel: 1 s to %d days",
			CHANNEL_LIFE_MAX_S / 86400);
	c.expires_s = a->now_s + life_s;
	memcpy(c.domain, k->identity.domain, sizeof(c.domain));
	HF_TRY(hf_meta_counter_next(k->meta, &c.serial, serial_counter, a->ei));
	hf_buf_init(&content, k->env->mem, hf_object_max(HF_OBJECT_CHANNEL));
	hf_buf_init(&object, k->env->mem, hf_object_max(HF_OBJECT_CHANNEL));
	e = sign_channel(k, a, &c, &content, &object);
	hf_buf_clear(&object);
	hf_buf_clear(&content);
	return e;
}
