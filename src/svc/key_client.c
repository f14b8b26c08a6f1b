/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call: build the request, exchange it for a reply, read the head of the reply, then its
 * fields. Outputs change after everything was read. Both messages are wiped: one may hold a key.
 */
#include "svc/key_client.h"

#include <string.h>

#include "base/wipe.h"
#include "keys/token.h"
#include "os/unixsock.h"
#include "svc/key_wire.h"

/* A request and its reply. */
struct call {
	struct hf_key_client *c;
	struct hf_errinfo *ei;
	struct hf_buf request;
	struct hf_buf reply;
	struct hf_key_out out;
	struct hf_reader in;
};

static void call_begin(
	struct call *k, struct hf_key_client *c, enum hf_key_request request, struct hf_errinfo *ei)
{
	*k = (struct call){ .c = c, .ei = ei };
	hf_buf_init(&k->request, c->mem, HF_KEY_MESSAGE_MAX);
	hf_buf_init(&k->reply, c->mem, HF_KEY_MESSAGE_MAX);
	k->out.buf = &k->request;
	hf_key_put_u8(&k->out, (uint8_t)request);
}

static void call_end(struct call *k)
{
	hf_buf_clear(&k->request);
	hf_buf_clear(&k->reply);
}

static hf_err exchange(struct call *k)
{
	struct hf_key_client *c = k->c;
	size_t n_fds = 0;
	hf_err e;

	if (c->exchange != NULL)
		return c->exchange(c->ctx, &k->reply, k->request.p, k->request.len);
	e = hf_msg_send(c->fd, k->request.p, k->request.len, NULL, 0, NULL);
	if (e != HF_OK && e != HF_ERR_CLOSED) /* it may have said before why it does not listen */
		return hf_fail(k->ei, e, "key process: cannot be asked: %s", hf_err_text(e));
	return hf_msg_receive(c->fd, &k->reply, NULL, 0, &n_fds, k->ei);
}

/* Code and text of the reply. Its own failures are told apart by their code. */
static hf_err read_head(struct call *k)
{
	uint32_t code;
	const uint8_t *text;
	size_t len;

	k->in = (struct hf_reader){ .p = k->reply.p, .left = k->reply.len };
	code = hf_rd_u32(&k->in);
	len = hf_rd_u16(&k->in);
	text = hf_rd_take(&k->in, len);
	if (k->in.is_short || len >= HF_ERRINFO_TEXT)
		return hf_fail(k->ei, HF_ERR_FORMAT, "key process: malformed reply");
	if (code == HF_OK)
		return HF_OK;
	if (strcmp(hf_err_name((hf_err)code), "unknown") == 0)
		return hf_fail(k->ei, HF_ERR_FORMAT, "key process: unknown code in a reply");
	return hf_fail(k->ei, (hf_err)code, "%.*s", (int)len, (const char *)text);
}

/* Sends the request and gives its result, ready to be read from k->in. */
static hf_err call_run(struct call *k)
{
	hf_err e = k->out.e;

	if (e != HF_OK)
		return hf_fail(k->ei, e, "key process: the request is too long");
	e = exchange(k);
	if (e != HF_OK)
		return hf_fail(k->ei, e, "key process: no answer: %s", hf_err_text(e));
	return read_head(k);
}

static hf_err call_done(struct call *k)
{
	if (hf_rd_done(&k->in) != HF_OK)
		return hf_fail(k->ei, HF_ERR_FORMAT, "key process: malformed reply");
	return HF_OK;
}

/* For requests whose answer is yes or no. */
static hf_err run_plain(struct call *k)
{
	hf_err e = call_run(k);

	if (e == HF_OK)
		e = call_done(k);
	call_end(k);
	return e;
}

/* For requests whose answer is n objects, each appended to a buffer of its own: all or none. */
static hf_err run_objects(struct call *k, struct hf_buf *const *bufs, size_t n)
{
	struct hf_bytes objects[3];
	size_t done = 0;
	hf_err e = call_run(k);

	for (size_t i = 0; e == HF_OK && i < n; i++)
		objects[i] = hf_key_take_object(&k->in);
	if (e == HF_OK)
		e = call_done(k);
	while (e == HF_OK && done < n) {
		e = hf_buf_put(bufs[done], objects[done].p, objects[done].len);
		if (e == HF_OK)
			done++;
		else
			(void)hf_fail(k->ei, e, "key process: no room for the result");
	}
	while (e != HF_OK && done > 0) {
		done--;
		bufs[done]->len -= objects[done].len;
	}
	call_end(k);
	return e;
}

hf_err hf_key_sign_link(struct hf_key_client *c, const struct hf_tls_cv *cv, struct hf_sm2_sig *sig,
	struct hf_errinfo *ei)
{
	struct hf_sm2_sig out = { { 0 }, { 0 } };
	struct call k;
	hf_err e;

	call_begin(&k, c, HF_KEYREQ_SIGN_LINK, ei);
	hf_key_put_u8(&k.out, cv->role == HF_TLS_SERVER);
	hf_key_put_raw(&k.out, cv->transcript, HF_SM3_LEN);
	e = call_run(&k);
	if (e == HF_OK) {
		hf_rd_copy(&k.in, out.r, sizeof(out.r));
		hf_rd_copy(&k.in, out.s, sizeof(out.s));
		e = call_done(&k);
	}
	if (e == HF_OK)
		*sig = out;
	call_end(&k);
	return e;
}

hf_err hf_key_audit(
	struct hf_key_client *c, const struct hf_audit_event_in *in, struct hf_errinfo *ei)
{
	struct call k;

	call_begin(&k, c, HF_KEYREQ_AUDIT, ei);
	hf_key_put_u16(&k.out, (uint16_t)in->event);
	hf_key_put_u8(&k.out, (uint8_t)in->result);
	hf_key_put_u8(&k.out, in->level);
	hf_key_put_u8(&k.out, in->tier);
	hf_key_put_text(&k.out, in->actor);
	hf_key_put_text(&k.out, in->subject);
	hf_key_put_raw(&k.out, in->trace_id, sizeof(in->trace_id));
	hf_key_put_u64(&k.out, in->session_id);
	hf_key_put_u32(&k.out, in->alg);
	hf_key_put_u32(&k.out, (uint32_t)in->reason);
	hf_key_put_object(&k.out, (struct hf_bytes){ in->attrs, in->attrs_len });
	return run_plain(&k);
}

hf_err hf_key_status(struct hf_key_client *c, struct hf_key_status *out, struct hf_errinfo *ei)
{
	struct hf_key_status s = { 0 };
	struct call k;
	hf_err e;

	call_begin(&k, c, HF_KEYREQ_STATUS, ei);
	e = call_run(&k);
	if (e == HF_OK) {
		s.state = hf_rd_u32(&k.in);
		s.identity.role = (enum hf_role)hf_rd_u32(&k.in);
		s.identity.level = (enum hf_level)hf_rd_u8(&k.in);
		hf_key_take_text(&k.in, s.identity.domain, sizeof(s.identity.domain));
		hf_key_take_text(&k.in, s.identity.id, sizeof(s.identity.id));
		s.root_version = hf_rd_u64(&k.in);
		s.channel_serial = hf_rd_u64(&k.in);
		s.n_records = hf_rd_u64(&k.in);
		s.head_size = hf_rd_u64(&k.in);
		e = call_done(&k);
	}
	if (e == HF_OK)
		*out = s;
	call_end(&k);
	return e;
}

hf_err hf_key_newcomer(struct hf_key_client *c, struct hf_buf *sign_csr, struct hf_buf *enc_csr,
	struct hf_buf *self_signed, struct hf_errinfo *ei)
{
	struct hf_buf *const bufs[] = { sign_csr, enc_csr, self_signed };
	struct call k;

	call_begin(&k, c, HF_KEYREQ_NEWCOMER, ei);
	return run_objects(&k, bufs, HF_COUNT(bufs));
}

hf_err hf_key_enrolled(struct hf_key_client *c, const struct hf_enrolled *e,
	const uint8_t root_ca_sm3[HF_SM3_LEN], struct hf_errinfo *ei)
{
	struct call k;

	call_begin(&k, c, HF_KEYREQ_ENROLLED, ei);
	hf_key_put_object(&k.out, e->sign_cert);
	hf_key_put_object(&k.out, e->enc_cert);
	hf_key_put_object(&k.out, e->issuing_ca);
	hf_key_put_object(&k.out, e->root_ca);
	hf_key_put_object(&k.out, e->hub_enc);
	hf_key_put_object(&k.out, e->root);
	hf_key_put_raw(&k.out, root_ca_sm3, HF_SM3_LEN);
	return run_plain(&k);
}

hf_err hf_key_check_channel(struct hf_key_client *c, struct hf_bytes channel, struct hf_errinfo *ei)
{
	struct call k;

	call_begin(&k, c, HF_KEYREQ_CHECK_CHANNEL, ei);
	hf_key_put_object(&k.out, channel);
	return run_plain(&k);
}

hf_err hf_key_check_release(struct hf_key_client *c, const char *lineage, struct hf_bytes channel,
	struct hf_bytes manifest, struct hf_errinfo *ei)
{
	struct call k;

	call_begin(&k, c, HF_KEYREQ_CHECK_RELEASE, ei);
	hf_key_put_text(&k.out, lineage);
	hf_key_put_object(&k.out, channel);
	hf_key_put_object(&k.out, manifest);
	return run_plain(&k);
}

static void begin_grant(struct call *k, struct hf_key_client *c, enum hf_key_request request,
	const char *lineage, struct hf_bytes channel, struct hf_bytes manifest,
	struct hf_bytes grant, struct hf_errinfo *ei)
{
	call_begin(k, c, request, ei);
	hf_key_put_text(&k->out, lineage);
	hf_key_put_object(&k->out, channel);
	hf_key_put_object(&k->out, manifest);
	hf_key_put_object(&k->out, grant);
}

hf_err hf_key_check_grant(struct hf_key_client *c, const char *lineage, struct hf_bytes channel,
	struct hf_bytes manifest, struct hf_bytes grant, struct hf_errinfo *ei)
{
	struct call k;

	begin_grant(&k, c, HF_KEYREQ_CHECK_GRANT, lineage, channel, manifest, grant, ei);
	return run_plain(&k);
}

hf_err hf_key_activate(struct hf_key_client *c, const char *lineage, struct hf_bytes channel,
	struct hf_bytes manifest, struct hf_bytes grant, struct hf_buf *receipt,
	struct hf_errinfo *ei)
{
	struct call k;

	begin_grant(&k, c, HF_KEYREQ_ACTIVATE, lineage, channel, manifest, grant, ei);
	return run_objects(&k, &receipt, 1);
}

hf_err hf_key_open(struct hf_key_client *c, const char *lineage, struct hf_buf *manifest,
	uint8_t cek[HF_CEK_LEN], struct hf_errinfo *ei)
{
	struct hf_bytes object = { 0 };
	const uint8_t *key = NULL;
	struct call k;
	hf_err e;

	call_begin(&k, c, HF_KEYREQ_OPEN, ei);
	hf_key_put_text(&k.out, lineage);
	e = call_run(&k);
	if (e == HF_OK) {
		object = hf_key_take_object(&k.in);
		key = hf_rd_take(&k.in, HF_CEK_LEN);
		e = call_done(&k);
	}
	if (e == HF_OK) {
		e = hf_buf_put(manifest, object.p, object.len);
		if (e != HF_OK)
			(void)hf_fail(ei, e, "key process: no room for the result");
	}
	if (e == HF_OK)
		memcpy(cek, key, HF_CEK_LEN);
	call_end(&k);
	return e;
}

hf_err hf_key_report(
	struct hf_key_client *c, const char *lineage, hf_err why, struct hf_errinfo *ei)
{
	struct hf_errinfo reply = { 0 };
	struct call k;
	hf_err e;

	call_begin(&k, c, HF_KEYREQ_REPORT, &reply);
	hf_key_put_text(&k.out, lineage);
	hf_key_put_u32(&k.out, (uint32_t)why);
	e = call_run(&k);
	call_end(&k);
	/* What was reported comes back as what was refused. */
	if (e == why)
		return HF_OK;
	return hf_fail(ei, e == HF_OK ? HF_ERR_FORMAT : e, "report: %s",
		reply.code != HF_OK ? reply.text : hf_err_text(e));
}

hf_err hf_key_check_active(struct hf_key_client *c, const char *lineage, struct hf_errinfo *ei)
{
	struct call k;
	hf_err e;

	call_begin(&k, c, HF_KEYREQ_CHECK_ACTIVE, ei);
	hf_key_put_text(&k.out, lineage);
	e = call_run(&k);
	call_end(&k);
	return e;
}

hf_err hf_key_sign_inventory(struct hf_key_client *c, const uint8_t nonce[16],
	struct hf_buf *inventory, struct hf_errinfo *ei)
{
	struct call k;

	call_begin(&k, c, HF_KEYREQ_SIGN_INVENTORY, ei);
	hf_key_put_raw(&k.out, nonce, 16);
	return run_objects(&k, &inventory, 1);
}

hf_err hf_key_sign_upload(struct hf_key_client *c, struct hf_bytes content, struct hf_buf *upload,
	struct hf_errinfo *ei)
{
	struct call k;

	call_begin(&k, c, HF_KEYREQ_SIGN_UPLOAD, ei);
	hf_key_put_object(&k.out, content);
	return run_objects(&k, &upload, 1);
}

hf_err hf_key_enrol(struct hf_key_client *c, const char *token, struct hf_bytes sign_csr,
	struct hf_bytes enc_csr, struct hf_buf *sign_cert, struct hf_buf *enc_cert,
	struct hf_errinfo *ei)
{
	struct hf_buf *const bufs[] = { sign_cert, enc_cert };
	struct call k;

	call_begin(&k, c, HF_KEYREQ_ENROL, ei);
	hf_key_put_text(&k.out, token);
	hf_key_put_object(&k.out, sign_csr);
	hf_key_put_object(&k.out, enc_csr);
	return run_objects(&k, bufs, HF_COUNT(bufs));
}

hf_err hf_key_make_channel(struct hf_key_client *c, struct hf_bytes releases, size_t n_releases,
	uint64_t life_s, struct hf_buf *channel, struct hf_errinfo *ei)
{
	struct call k;

	call_begin(&k, c, HF_KEYREQ_MAKE_CHANNEL, ei);
	hf_key_put_object(&k.out, releases);
	hf_key_put_u32(&k.out, n_releases > UINT32_MAX ? UINT32_MAX : (uint32_t)n_releases);
	hf_key_put_u64(&k.out, life_s);
	return run_objects(&k, &channel, 1);
}

hf_err hf_key_make_grant(struct hf_key_client *c, struct hf_bytes manifest, struct hf_bytes deposit,
	struct hf_bytes enc_cert, uint64_t life_s, struct hf_buf *grant, struct hf_errinfo *ei)
{
	struct call k;

	call_begin(&k, c, HF_KEYREQ_MAKE_GRANT, ei);
	hf_key_put_object(&k.out, manifest);
	hf_key_put_object(&k.out, deposit);
	hf_key_put_object(&k.out, enc_cert);
	hf_key_put_u64(&k.out, life_s);
	return run_objects(&k, &grant, 1);
}

hf_err hf_key_make_token(struct hf_key_client *c, const char *device, const char *role,
	enum hf_level level, uint64_t life_s, char *text, struct hf_errinfo *ei)
{
	char token[HF_TOKEN_TEXT_MAX] = { 0 };
	struct call k;
	hf_err e;

	call_begin(&k, c, HF_KEYREQ_MAKE_TOKEN, ei);
	hf_key_put_text(&k.out, device);
	hf_key_put_text(&k.out, role);
	hf_key_put_u8(&k.out, (uint8_t)level);
	hf_key_put_u64(&k.out, life_s);
	e = call_run(&k);
	if (e == HF_OK) {
		hf_key_take_text(&k.in, token, sizeof(token));
		e = call_done(&k);
	}
	if (e == HF_OK)
		memcpy(text, token, sizeof(token));
	hf_wipe(token, sizeof(token));
	call_end(&k);
	return e;
}

hf_err hf_key_revoke(struct hf_key_client *c, const char *what, unsigned reason, uint64_t *number,
	struct hf_errinfo *ei)
{
	uint64_t n = 0;
	struct call k;
	hf_err e;

	call_begin(&k, c, HF_KEYREQ_REVOKE, ei);
	hf_key_put_text(&k.out, what);
	hf_key_put_u8(&k.out, (uint8_t)reason);
	e = call_run(&k);
	if (e == HF_OK) {
		n = hf_rd_u64(&k.in);
		e = call_done(&k);
	}
	if (e == HF_OK)
		*number = n;
	call_end(&k);
	return e;
}

hf_err hf_key_revocations(
	struct hf_key_client *c, uint64_t have, struct hf_buf *crl, struct hf_errinfo *ei)
{
	struct call k;

	call_begin(&k, c, HF_KEYREQ_REVOCATIONS, ei);
	hf_key_put_u64(&k.out, have);
	return run_objects(&k, &crl, 1);
}
