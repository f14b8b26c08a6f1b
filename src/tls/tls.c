/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The surface of the engine: life and death of a link, bytes in and out. Invariants:
 *
 * 1. t->err, once set, is what every call returns; keys are gone then, only out and plain remain.
 * 2. rec holds the beginning of one record, or nothing.
 * 3. What only the handshake needs exists exactly from init until the link is open or has failed.
 * 4. proto is set by init and changes at most once: a server's, at the head of the first record.
 */
#include "tls/tls.h"

#include <string.h>

#include "base/attr.h"
#include "base/wipe.h"
#include "tls/hs.h"
#include "tls/jobs.h"
#include "tls/proto.h"

enum {
	CONTROL_MAX = 4 * HF_TLS_MESSAGE_MAX, /* out may hold this beyond out_max */
	OUT_MAX_MAX = 1 << 24,
	NAMES_MAX = HF_TLS_NAME_MAX + 1,
	RECORD_MAX = HF_TLS_HEAD_LEN + UINT16_MAX, /* check_head() of the protocol allows less */
};

/* Best first: a server begins with the first that it may speak. */
static const struct hf_tls_proto *const protos[] = { &hf_tls_proto_13, &hf_tls_proto_tlcp };

void hf_tls_config_init(struct hf_tls_config *cfg, enum hf_tls_role role, enum hf_level level)
{
	uint64_t life_s = hf_policy(HF_ROW_REKEY_TIME, level);
	uint64_t age_s = hf_policy(HF_ROW_REVOCATION_AGE, level);

	*cfg = (struct hf_tls_config){
		.role = role,
		.level = level,
		.protocols = HF_TLS_13,
		.suites = HF_TLS_SUITE_GCM,
		.n_tickets = 1,
		.need_crl = age_s != HF_POLICY_NONE,
		.ask_staple = age_s != HF_POLICY_NONE,
		.crl_age_max_s = age_s == HF_POLICY_NONE ? HF_CHAIN_ANY_AGE : age_s,
		.ask_client_cert = role == HF_TLS_SERVER,
		.require_client_cert =
			role == HF_TLS_SERVER && hf_policy(HF_ROW_MUTUAL, level) != 0,
		.limits = {
			.message_max = 16384,
			.out_max = 65536,
			.plain_max = 2 * HF_TLS_CIPHER_MAX,
			.handshake_ms = 15000,
			.rekey_records = hf_policy(HF_ROW_REKEY_RECORDS, level),
			.rekey_bytes = hf_policy(HF_ROW_REKEY_BYTES, level),
			.rekey_ms = life_s > HF_TLS_NEVER / 1000 ? HF_TLS_NEVER : life_s * 1000,
		},
	};
}

static const char *config_fault(const struct hf_tls_config *cfg)
{
	const struct hf_tls_limits *l = &cfg->limits;
	unsigned known = 0;
	size_t cipher_max = 0;

	for (size_t i = 0; i < HF_COUNT(protos); i++) {
		known |= protos[i]->id;
		if ((cfg->protocols & protos[i]->id) != 0 && protos[i]->cipher_max > cipher_max)
			cipher_max = protos[i]->cipher_max;
	}
	if (cfg->protocols == 0 || (cfg->protocols & ~known) != 0)
		return "no protocol, or one that is not there";
	if (cfg->role == HF_TLS_CLIENT && (cfg->protocols & (cfg->protocols - 1)) != 0)
		return "a client speaks one protocol";
	if (cfg->mem == NULL || cfg->rng == NULL)
		return "no allocator or no generator";
	if (cfg->role == HF_TLS_SERVER && cfg->n_chain == 0 && cfg->n_psks == 0)
		return "a server needs a certificate";
	if (cfg->n_chain > HF_CHAIN_MAX)
		return "too many certificates";
	for (size_t i = 0; cfg->staples != NULL && i < cfg->n_chain; i++) {
		if (cfg->staples[i].len > HF_OCSP_DER_MAX)
			return "a status response is too long";
	}
	if (cfg->n_alpn > HF_TLS_N_ALPN_MAX)
		return "too many application protocols";
	if (l->message_max > HF_TLS_MESSAGE_MAX || l->message_max < 1024)
		return "message_max is out of range";
	if (l->plain_max < cipher_max || l->plain_max > OUT_MAX_MAX || l->out_max == 0 ||
		l->out_max > OUT_MAX_MAX)
		return "plain_max or out_max is out of range";
	if (l->rekey_records == 0 || l->rekey_bytes == 0 || l->rekey_ms == 0)
		return "a rekey limit is 0";
	for (size_t i = 0; i < cfg->n_alpn; i++) {
		if (cfg->alpn[i][0] == 0 || strlen(cfg->alpn[i]) > HF_TLS_ALPN_MAX)
			return "an application protocol's name is empty or too long";
	}
	return NULL;
}

static hf_err check_config(const struct hf_tls_config *cfg, struct hf_errinfo *ei)
{
	const char *fault = config_fault(cfg);

	if (fault != NULL)
		return hf_fail(ei, HF_ERR_ARG, "link configuration: %s", fault);
	for (size_t i = 0; i < HF_COUNT(protos); i++) {
		if ((cfg->protocols & protos[i]->id) != 0 && protos[i]->check_config != NULL)
			HF_TRY(protos[i]->check_config(cfg, ei));
	}
	return HF_OK;
}

static enum hf_tls_phase phase(const struct hf_tls *t)
{
	if (hf_tls_jobs_has(t))
		return HF_TLS_PHASE_SM2;
	return t->proto == NULL ? HF_TLS_PHASE_SHAKING : t->proto->phase(t->state);
}

static const struct hf_tls_proto *first_proto(const struct hf_tls_config *cfg)
{
	for (size_t i = 0; i < HF_COUNT(protos); i++) {
		if ((protos[i]->id & cfg->protocols) != 0)
			return protos[i];
	}
	return NULL;
}

/*
 * A server of several protocols learns from the first record which one it is; anything that is none
 * of them stays with the present one, which knows what to say.
 */
static hf_err pick_proto(struct hf_tls *t, const uint8_t *head)
{
	struct hf_tls_head h = hf_tls_head_get(head);

	if (t->seen_record || t->cfg->role == HF_TLS_CLIENT)
		return HF_OK;
	for (size_t i = 0; i < HF_COUNT(protos); i++) {
		const struct hf_tls_proto *p = protos[i];

		if (p == t->proto || (p->id & t->cfg->protocols) == 0 || p->version != h.version)
			continue;
		(void)t->proto->drop(t);
		t->proto->wipe(t);
		t->proto = p;
		return p->start(t, NULL);
	}
	return HF_OK;
}

static hf_err check_head(struct hf_tls *t, const uint8_t *head)
{
	HF_TRY(pick_proto(t, head));
	return t->proto->check_head(t, head);
}

/*
 * The end of every call that can fail: a failure that nobody explained yet is ours, keys of a dead
 * link are wiped, the handshake's memory goes when it is over.
 */
static hf_err settle(struct hf_tls *t, hf_err e)
{
	if (e != HF_OK && t->err == HF_OK)
		(void)hf_tls_die(t, HF_ALERT_INTERNAL_ERROR, e);
	if (t->err != HF_OK) {
		hf_buf_clear(&t->rec);
		hf_buf_clear(&t->msg);
		hf_tls_jobs_free(t);
		(void)t->proto->drop(t);
		t->proto->wipe(t);
	}
	if (hf_tls_is_open(t) && t->proto->drop(t)) {
		hf_buf_clear(&t->msg);
		hf_tls_jobs_free(t);
	}
	return t->err;
}

static hf_err begin(struct hf_tls *t, const struct hf_tls_start *start)
{
	const char *name = t->cfg->role == HF_TLS_CLIENT ? start->server_name : NULL;

	if (name != NULL && (name[0] == '\0' || strlen(name) > HF_TLS_NAME_MAX))
		return hf_tls_die(t, HF_ALERT_NONE,
			hf_fail(&t->why, HF_ERR_ARG, "server name is empty or too long"));
	HF_TRY(hf_tls_jobs_new(t));
	return t->proto->start(t, name);
}

hf_err hf_tls_init(
	struct hf_tls *t, const struct hf_tls_config *cfg, const struct hf_tls_start *start)
{
	const struct hf_tls_limits *l = &cfg->limits;
	hf_err e;

	*t = (struct hf_tls){
		.cfg = cfg,
		.want = start->want,
		.alert_sent = HF_ALERT_NONE,
		.alert_got = HF_ALERT_NONE,
		.now_ms = start->now_ms,
		.updates_ms = start->now_ms,
		.start_ms = start->now_ms,
		.now_s = start->now_s,
		.end_ms = HF_TLS_NEVER,
		.tx_max = HF_TLS_PLAIN_MAX,
		.proto = first_proto(cfg),
		.start = start,
	};
	t->err = check_config(cfg, &t->why);
	if (t->err != HF_OK)
		return t->err;
	if (l->handshake_ms < HF_TLS_NEVER - t->now_ms)
		t->end_ms = t->now_ms + l->handshake_ms;
	hf_buf_init(&t->rec, cfg->mem, RECORD_MAX);
	hf_buf_init(&t->msg, cfg->mem, l->message_max + HF_TLS_CIPHER_MAX);
	hf_buf_init(&t->plain, cfg->mem, l->plain_max);
	hf_buf_init(&t->out, cfg->mem, l->out_max + CONTROL_MAX);
	hf_buf_init(&t->peer_der, cfg->mem, l->message_max);
	hf_buf_init(&t->sni, cfg->mem, NAMES_MAX);
	e = settle(t, begin(t, start));
	t->start = NULL;
	return e;
}

void hf_tls_clear(struct hf_tls *t)
{
	hf_tls_jobs_free(t);
	if (t->proto != NULL) {
		(void)t->proto->drop(t);
		t->proto->wipe(t);
	}
	hf_buf_clear(&t->rec);
	hf_buf_clear(&t->msg);
	hf_buf_clear(&t->plain);
	hf_buf_clear(&t->out);
	hf_buf_clear(&t->peer_der);
	hf_buf_clear(&t->sni);
	hf_tls_session_free(t->session);
	hf_wipe(t, sizeof(*t));
}

/* Room for what one more record may hold, or false: something must be read first. */
static bool has_room(struct hf_tls *t)
{
	size_t held = t->plain.len - t->plain_at;

	if (phase(t) == HF_TLS_PHASE_SIGN || phase(t) == HF_TLS_PHASE_SM2 ||
		t->plain.max - held < t->proto->cipher_max)
		return false;
	if (t->plain.max - t->plain.len < t->proto->cipher_max) {
		hf_buf_drop(&t->plain, t->plain_at);
		t->plain_at = 0;
	}
	return true;
}

/*
 * The next whole record: in the caller's bytes if it lies there in one piece, else collected in
 * rec. *record is NULL if it is not complete yet.
 */
static hf_err next_record(
	struct hf_tls *t, const uint8_t **record, const uint8_t *in, size_t len, size_t *used)
{
	size_t need = HF_TLS_HEAD_LEN;

	*record = NULL;
	*used = 0;
	if (t->rec.len == 0 && len >= need) {
		HF_TRY(check_head(t, in));
		need += hf_tls_head_get(in).len;
		if (len >= need) {
			*record = in;
			*used = need;
			return HF_OK;
		}
	} else if (t->rec.len >= need) {
		need += hf_tls_head_get(t->rec.p).len;
	}

	if (len > need - t->rec.len)
		len = need - t->rec.len;
	HF_TRY(hf_buf_put(&t->rec, in, len));
	*used = len;
	if (t->rec.len != need)
		return HF_OK;
	if (need == HF_TLS_HEAD_LEN) { /* the head alone: look at it before waiting for more */
		HF_TRY(check_head(t, t->rec.p));
		if (hf_tls_head_get(t->rec.p).len > 0)
			return HF_OK;
	}
	*record = t->rec.p;
	return HF_OK;
}

static hf_err feed_records(struct hf_tls *t, size_t *used, const uint8_t *in, size_t in_len)
{
	while (*used < in_len && !t->is_closed && has_room(t)) {
		const uint8_t *record;
		size_t n;

		HF_TRY(next_record(t, &record, in + *used, in_len - *used, &n));
		*used += n;
		if (record == NULL)
			continue;
		HF_TRY(t->proto->take_record(t, record));
		if (record == t->rec.p)
			t->rec.len = 0;
		/* Between two records: the handshake is over, its memory can go. */
		(void)settle(t, HF_OK);
	}
	return HF_OK;
}

hf_err hf_tls_feed(
	struct hf_tls *t, size_t *used, const uint8_t *in, size_t in_len, uint64_t now_ms)
{
	hf_err e;

	*used = 0;
	if (t->err != HF_OK)
		return t->err;
	if (now_ms > t->now_ms)
		t->now_ms = now_ms;
	if (!hf_tls_is_open(t) && t->now_ms >= t->end_ms)
		return settle(t, hf_tls_die(t, HF_ALERT_USER_CANCELED,
					 hf_fail(&t->why, HF_ERR_TIMEOUT,
						 "handshake not over in time (state %s)",
						 t->proto->state_name(t->state))));
	e = hf_tls_jobs_is_done(t) ? t->proto->go_on(t) : HF_OK;
	if (e == HF_OK)
		e = feed_records(t, used, in, in_len);
	if (e == HF_OK && t->is_closed)
		*used = in_len; /* RFC 8446 6.1: what comes after close_notify is ignored */
	if (e == HF_OK && hf_tls_is_open(t))
		e = t->proto->rekey_if_due(t);
	return settle(t, e);
}

hf_err hf_tls_eof(struct hf_tls *t)
{
	if (t->err != HF_OK)
		return t->err;
	if (t->is_closed)
		return HF_ERR_CLOSED;
	return settle(t, hf_tls_die(t, HF_ALERT_NONE,
				 hf_fail(&t->why, HF_ERR_TRUNCATED,
					 "peer's stream ended without close_notify (state %s)",
					 t->proto->state_name(t->state))));
}

size_t hf_tls_out(const struct hf_tls *t, const uint8_t **bytes)
{
	*bytes = t->out.p == NULL ? NULL : t->out.p + t->out_at;
	return t->out.len - t->out_at;
}

void hf_tls_sent(struct hf_tls *t, size_t n)
{
	size_t left = t->out.len - t->out_at;

	t->out_at += n < left ? n : left;
	if (t->out_at == t->out.len) {
		t->out_at = 0;
		t->out.len = 0; /* ciphertext needs no wiping */
	}
}

unsigned hf_tls_wants(const struct hf_tls *t)
{
	unsigned wants = 0;

	if (t->out.len > t->out_at)
		wants |= HF_WANT_WRITE;
	if (t->plain.len > t->plain_at)
		wants |= HF_WANT_TAKE;
	if (t->err != HF_OK)
		return wants;
	if (phase(t) == HF_TLS_PHASE_SIGN)
		return wants | HF_WANT_SIGN;
	if (phase(t) == HF_TLS_PHASE_SM2)
		return wants | HF_WANT_SM2;
	if (!t->is_closed && t->plain.max - (t->plain.len - t->plain_at) >= t->proto->cipher_max)
		wants |= HF_WANT_READ;
	return wants;
}

uint64_t hf_tls_deadline(const struct hf_tls *t)
{
	if (t->err != HF_OK)
		return HF_TLS_NEVER;
	return hf_tls_is_open(t) ? t->proto->rekey_deadline(t) : t->end_ms;
}

void hf_tls_trim(struct hf_tls *t)
{
	if (t->rec.len == 0)
		hf_buf_clear(&t->rec);
	if (t->msg.len == 0)
		hf_buf_clear(&t->msg);
	if (t->plain.len == t->plain_at) {
		hf_buf_clear(&t->plain);
		t->plain_at = 0;
	}
	if (t->out.len == t->out_at) {
		hf_buf_clear(&t->out);
		t->out_at = 0;
	}
}

static size_t padding(const struct hf_tls *t, size_t len)
{
	size_t unit = t->cfg->pad_to;
	size_t pad = unit == 0 ? 0 : (unit - len % unit) % unit;

	return len + pad > t->tx_max ? t->tx_max - len : pad;
}

hf_err hf_tls_write(struct hf_tls *t, size_t *used, const uint8_t *in, size_t len)
{
	hf_err e = HF_OK;

	*used = 0;
	if (t->err != HF_OK)
		return t->err;
	if (t->is_closing)
		return HF_ERR_STATE;
	if (!hf_tls_is_open(t))
		return HF_ERR_AGAIN;
	while (e == HF_OK && *used < len && t->out.len - t->out_at < t->cfg->limits.out_max) {
		size_t n = len - *used < t->tx_max ? len - *used : t->tx_max;

		if (t->proto->tx_is_due(t))
			e = t->proto->rekey_if_due(t);
		if (e == HF_OK)
			e = hf_tls_put_record(t, HF_TLS_DATA, in + *used, n, padding(t, n));
		if (e == HF_OK)
			*used += n;
	}
	return settle(t, e);
}

size_t hf_tls_plain(const struct hf_tls *t, const uint8_t **bytes)
{
	*bytes = t->plain.p == NULL ? NULL : t->plain.p + t->plain_at;
	return t->plain.len - t->plain_at;
}

void hf_tls_took(struct hf_tls *t, size_t n)
{
	size_t left = t->plain.len - t->plain_at;

	t->plain_at += n < left ? n : left;
	if (t->plain_at == t->plain.len) {
		t->plain_at = 0;
		hf_buf_reset(&t->plain);
	}
}

hf_err hf_tls_read(struct hf_tls *t, size_t *len, uint8_t *out, size_t cap)
{
	const uint8_t *bytes;
	size_t n = hf_tls_plain(t, &bytes);

	*len = 0;
	if (bytes == NULL || n == 0) {
		if (t->err != HF_OK)
			return t->err;
		return t->is_closed ? HF_ERR_CLOSED : HF_ERR_AGAIN;
	}
	if (n > cap)
		n = cap;
	memcpy(out, bytes, n);
	hf_tls_took(t, n);
	*len = n;
	return HF_OK;
}

hf_err hf_tls_close(struct hf_tls *t)
{
	static const uint8_t body[2] = { 1, HF_ALERT_CLOSE_NOTIFY };
	hf_err e;

	if (t->err != HF_OK)
		return t->err;
	if (t->is_closing)
		return HF_OK;
	e = hf_tls_put_record(t, HF_TLS_ALERT, body, sizeof(body), 0);
	if (e == HF_OK) {
		t->is_closing = true;
		t->alert_sent = HF_ALERT_CLOSE_NOTIFY;
	}
	return settle(t, e);
}

hf_err hf_tls_refuse(struct hf_tls *t, unsigned alert, hf_err e, const char *text)
{
	if (t->err != HF_OK)
		return t->err;
	if (e == HF_OK)
		e = HF_ERR_INTERNAL;
	return settle(t, hf_tls_die(t, alert, hf_fail(&t->why, e, "%s", text)));
}

hf_err hf_tls_key_update(struct hf_tls *t, bool ask)
{
	if (t->err != HF_OK)
		return t->err;
	if (!hf_tls_is_open(t) || t->is_closing)
		return HF_ERR_STATE;
	if (t->proto->key_update == NULL)
		return HF_ERR_UNSUPPORTED;
	return settle(t, t->proto->key_update(t, ask));
}

hf_err hf_tls_sign_get(const struct hf_tls *t, struct hf_tls_cv *cv)
{
	if (t->err != HF_OK)
		return t->err;
	if (phase(t) != HF_TLS_PHASE_SIGN)
		return HF_ERR_STATE;
	return t->proto->sign_get == NULL ? HF_ERR_UNSUPPORTED : t->proto->sign_get(t, cv);
}

hf_err hf_tls_sign_done(struct hf_tls *t, const struct hf_sm2_sig *sig)
{
	if (t->err != HF_OK)
		return t->err;
	if (phase(t) != HF_TLS_PHASE_SIGN)
		return HF_ERR_STATE;
	return settle(t, t->proto->has_signed(t, sig));
}

hf_err hf_tls_sign_failed(struct hf_tls *t, hf_err why)
{
	if (t->err != HF_OK)
		return t->err;
	if (why == HF_OK)
		why = HF_ERR_INTERNAL;
	return settle(t, hf_tls_die(t, HF_ALERT_INTERNAL_ERROR,
				 hf_fail(&t->why, why, "signing the handshake failed: %s",
					 hf_err_text(why))));
}

bool hf_tls_is_open(const struct hf_tls *t)
{
	return phase(t) == HF_TLS_PHASE_OPEN;
}

hf_err hf_tls_error(const struct hf_tls *t)
{
	return t->err;
}

const struct hf_errinfo *hf_tls_why(const struct hf_tls *t)
{
	return &t->why;
}

unsigned hf_tls_alert_sent(const struct hf_tls *t)
{
	return t->alert_sent;
}

unsigned hf_tls_alert_got(const struct hf_tls *t)
{
	return t->alert_got;
}

const struct hf_cert *hf_tls_peer(const struct hf_tls *t)
{
	/* Only after the peer has proved that it has the key: the Finished covers that. */
	return t->n_peer > 0 && hf_tls_is_open(t) ? &t->peer : NULL;
}

struct hf_bytes hf_tls_peer_der(const struct hf_tls *t, size_t i)
{
	size_t at = 0;

	if (i >= t->n_peer)
		return (struct hf_bytes){ 0 };
	for (size_t k = 0; k < i; k++)
		at += t->peer_len[k];
	return (struct hf_bytes){ t->peer_der.p + at, t->peer_len[i] };
}

bool hf_tls_is_resumed(const struct hf_tls *t)
{
	return t->is_resumed;
}

struct hf_tls_session *hf_tls_session_take(struct hf_tls *t)
{
	struct hf_tls_session *s = t->session;

	t->session = NULL;
	return s;
}

struct hf_bytes hf_tls_psk_identity(const struct hf_tls *t)
{
	if (t->psk == 0 || !hf_tls_is_open(t))
		return (struct hf_bytes){ 0 };
	return t->cfg->psks[t->psk - 1].identity;
}

bool hf_tls_is_self_signed(const struct hf_tls *t)
{
	return t->is_self_signed;
}

const char *hf_tls_alpn(const struct hf_tls *t)
{
	return t->has_alpn ? t->cfg->alpn[t->alpn] : NULL;
}

const char *hf_tls_server_name(const struct hf_tls *t)
{
	/* A client keeps the name that it asked for there, for its sessions. */
	return t->sni.len > 0 && t->cfg->role == HF_TLS_SERVER ? (const char *)t->sni.p : NULL;
}

hf_err hf_tls_export(const struct hf_tls *t, uint8_t *out, size_t out_len, const char *label,
	const void *context, size_t context_len)
{
	if (!hf_tls_is_open(t) || t->err != HF_OK)
		return HF_ERR_STATE;
	if (t->proto->export == NULL)
		return HF_ERR_UNSUPPORTED;
	return t->proto->export(t, out, out_len, label, context, context_len);
}
