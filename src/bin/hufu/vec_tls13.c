/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces of TLS 1.3 handshakes with the national ciphers. A trace is one long case; everything in
 * it that follows from other fields of it is computed again: public values, transcript hashes, the
 * key schedule, Finished, signatures, and what the protected records hold. The tables below are the
 * key schedule of RFC 8446 7.1 and the record protection of 5.2 in the names of the traces.
 */
#include <stdio.h>
#include <string.h>

#include "base/endian.h"
#include "base/rd.h"
#include "crypto/ccm.h"
#include "crypto/gcm.h"
#include "crypto/hmac.h"
#include "crypto/kdf.h"
#include "crypto/sm2.h"
#include "crypto/sm3.h"
#include "tls/keysched.h"
#include "vec_run.h"

enum {
	LIST_MAX = 64, /* records or messages of one list */
	CONTENT_MAX = 1 << 20,
	HEAD_LEN = 5, /* of a record */
	TAG_LEN = 16,
	IV_LEN = 12,
	EXT_KEY_SHARE = 51,
	SUITE_CCM = 0x00c7,
	SUITE_GCM = 0x00c6,
};

/* SM3 over messages in their order; those that a trace need not have are in round brackets. */
struct hash_rule {
	const char *out;
	const char *messages;
};

#define FLIGHT "ClientHello ServerHello EncryptedExtensions (CertificateRequest)"
#define SERVER FLIGHT " (Certificate) (CertificateVerify)"
#define CLIENT SERVER " ServerFinished (ClientCertificate) (ClientCertificateVerify)"

static const struct hash_rule hash_rules[] = {
	{ "TranscriptHashChSh", "ClientHello ServerHello" },
	{ "TranscriptHashToServerHello",
		"MessageHashMessage HelloRetryRequest ClientHello2 ServerHello" },
	{ "TranscriptHashChToServerCertificate", FLIGHT " Certificate" },
	{ "TranscriptHashBeforeServerFinished", SERVER },
	{ "TranscriptHashChToServerFinished", SERVER " ServerFinished" },
	{ "TranscriptHashChToClientFinished", CLIENT " ClientFinished" },
};

/* out = Expand-Label(secret, label, context, as long as out); context is a field or empty. */
struct label_rule {
	const char *out;
	const char *secret;
	const char *label;
	const char *context; /* NULL: none; "": the hash of nothing */
};

/* clang-format off */
static const struct label_rule label_rules[] = {
	{ "DerivedSecretEarly", "EarlySecret", "derived", "" },
	{ "BinderKey", "EarlySecret", "res binder", "" },
	{ "BinderFinishedKey", "BinderKey", "finished", NULL },
	{ "ClientHandshakeTrafficSecret", "HandshakeSecret", "c hs traffic", "TranscriptHashChSh" },
	{ "ServerHandshakeTrafficSecret", "HandshakeSecret", "s hs traffic", "TranscriptHashChSh" },
	{ "ClientHandshakeTrafficSecret", "HandshakeSecret", "c hs traffic",
		"TranscriptHashToServerHello" },
	{ "ServerHandshakeTrafficSecret", "HandshakeSecret", "s hs traffic",
		"TranscriptHashToServerHello" },
	{ "DerivedSecretHandshake", "HandshakeSecret", "derived", "" },
	{ "ServerHandshakeKey", "ServerHandshakeTrafficSecret", "key", NULL },
	{ "ServerHandshakeIv", "ServerHandshakeTrafficSecret", "iv", NULL },
	{ "ClientHandshakeKey", "ClientHandshakeTrafficSecret", "key", NULL },
	{ "ClientHandshakeIv", "ClientHandshakeTrafficSecret", "iv", NULL },
	{ "ServerFinishedKey", "ServerHandshakeTrafficSecret", "finished", NULL },
	{ "ClientFinishedKey", "ClientHandshakeTrafficSecret", "finished", NULL },
	{ "ClientApplicationTrafficSecret0", "MasterSecret", "c ap traffic",
		"TranscriptHashChToServerFinished" },
	{ "ServerApplicationTrafficSecret0", "MasterSecret", "s ap traffic",
		"TranscriptHashChToServerFinished" },
	{ "ExporterMasterSecret", "MasterSecret", "exp master",
		"TranscriptHashChToServerFinished" },
	{ "ResumptionMasterSecret", "MasterSecret", "res master",
		"TranscriptHashChToClientFinished" },
	{ "ClientApplicationKey", "ClientApplicationTrafficSecret0", "key", NULL },
	{ "ClientApplicationIv", "ClientApplicationTrafficSecret0", "iv", NULL },
	{ "ServerApplicationKey", "ServerApplicationTrafficSecret0", "key", NULL },
	{ "ServerApplicationIv", "ServerApplicationTrafficSecret0", "iv", NULL },
	{ "ClientApplicationTrafficSecret1", "ClientApplicationTrafficSecret0", "traffic upd", NULL },
	{ "ServerApplicationTrafficSecret1", "ServerApplicationTrafficSecret0", "traffic upd", NULL },
};
/* clang-format on */

/* Records under one traffic secret, from number 0 on, and what their contents are in a row. */
struct stream_rule {
	const char *secret;
	const char *records;  /* "X[*]" stands for the whole list */
	const char *contents; /* fields, as above */
};

static const struct stream_rule stream_rules[] = {
	{ "ServerHandshakeTrafficSecret", "ServerFlightRecords[*]",
		"EncryptedExtensions (CertificateRequest) (Certificate) (CertificateVerify) "
		"ServerFinished" },
	{ "ClientHandshakeTrafficSecret", "ClientFlightRecords[*]",
		"(ClientCertificate) (ClientCertificateVerify) ClientFinished" },
	{ "ServerApplicationTrafficSecret0", "ServerPostHandshakeRecords[*] ServerAppRecord1",
		"NewSessionTickets[*] ServerAppPlaintext1" },
	{ "ClientApplicationTrafficSecret0", "ClientAppRecord1", "ClientAppPlaintext1" },
	{ "ClientApplicationTrafficSecret1", "ClientAppRecord2", "ClientAppPlaintext2" },
	{ "ServerApplicationTrafficSecret1", "ServerAppRecord2", "ServerAppPlaintext2" },
};

/* Records that carry one message in the clear. */
struct plain_rule {
	const char *record;
	const char *message;
};

static const struct plain_rule plain_rules[] = {
	{ "ClientHelloRecord", "ClientHello" },
	{ "ServerHelloRecord", "ServerHello" },
	{ "RecordsAfterHrr[0]", "HelloRetryRequest" },
};

struct list {
	struct hf_bytes b[LIST_MAX];
	size_t n;
};

static void list_add(struct vec_run *r, struct list *l, struct hf_bytes b)
{
	if (l->n == LIST_MAX)
		vec_skip(r, "a list of more than %d", LIST_MAX);
	else
		l->b[l->n++] = b;
}

/* Adds X[0], X[1] and so on. */
static bool list_all(struct vec_run *r, struct list *l, const char *name, size_t name_len)
{
	char item[VEC_NAME_MAX + 1];
	size_t i = 0;

	for (;; i++) {
		(void)snprintf(item, sizeof(item), "%.*s[%zu]", (int)name_len, name, i);
		if (!vec_has(r, item) || !vec_is_open(r))
			return i > 0;
		list_add(r, l, vec_want(r, item));
	}
}

/* The fields that a rule names. False: one that must be there is not. */
static bool list_get(struct vec_run *r, struct list *l, const char *names)
{
	l->n = 0;
	while (*names != '\0') {
		char name[VEC_NAME_MAX + 1];
		size_t len = strcspn(names, " ");
		bool optional = names[0] == '(';
		size_t at = optional ? 1 : 0;
		bool found;

		(void)snprintf(name, sizeof(name), "%.*s", (int)(len - 2 * at), names + at);
		if (strstr(name, "[*]") != NULL) {
			found = list_all(r, l, name, strlen(name) - 3);
		} else {
			found = vec_has(r, name);
			if (found)
				list_add(r, l, vec_want(r, name));
		}
		if (!found && !optional)
			return false;
		names += len + (names[len] == ' ');
	}
	return true;
}

static bool list_hash(struct vec_run *r, uint8_t out[HF_SM3_LEN], const char *names)
{
	struct list l;
	struct hf_sm3 s;

	if (!list_get(r, &l, names))
		return false;
	hf_sm3_init(&s);
	for (size_t i = 0; i < l.n; i++)
		hf_sm3_feed(&s, l.b[i].p, l.b[i].len);
	hf_sm3_done(&s, out);
	return true;
}

/* A field of exactly len bytes; NULL: not there. */
static const uint8_t *fixed(const struct vec_run *r, const char *name, size_t len)
{
	struct hf_bytes b = vec_want(r, name);

	return b.len == len ? b.p : NULL;
}

static void check_hashes(struct vec_run *r)
{
	uint8_t hash[HF_SM3_LEN];

	for (size_t i = 0; i < HF_COUNT(hash_rules); i++)
		if (vec_has(r, hash_rules[i].out) && list_hash(r, hash, hash_rules[i].messages))
			vec_expect(r, hash_rules[i].out, hash, sizeof(hash));
	if (list_hash(r, hash, "ClientHello1")) {
		uint8_t message[4 + HF_SM3_LEN] = { 254, 0, 0, HF_SM3_LEN };

		memcpy(message + 4, hash, sizeof(hash));
		vec_expect(r, "MessageHashMessage", message, sizeof(message));
	}
}

/* ServerHello up to its extensions; what is wrong with it shows as a short reader. */
static struct hf_reader read_hello(const struct vec_run *r, unsigned *suite)
{
	struct hf_bytes sh = vec_want(r, "ServerHello");
	struct hf_reader in = { .p = sh.p, .left = sh.len };

	(void)hf_rd_take(&in, 4 + 2 + 32); /* head, version, random value */
	(void)hf_rd_take(&in, hf_rd_u8(&in));
	*suite = hf_rd_u16(&in);
	(void)hf_rd_u8(&in);
	return hf_rd_sub(&in, hf_rd_u16(&in));
}

/* The suite that the server chose; 0: there is no ServerHello. */
static unsigned suite_of(const struct vec_run *r)
{
	unsigned suite = 0;
	struct hf_reader in = read_hello(r, &suite);

	return in.is_short ? 0 : suite;
}

/* The server's point: the field, or the key_share of its ServerHello. */
static struct hf_bytes server_share(const struct vec_run *r)
{
	unsigned suite;
	struct hf_reader in = read_hello(r, &suite);

	if (vec_has(r, "ServerKeyShare"))
		return vec_want(r, "ServerKeyShare");
	while (in.left > 0 && !in.is_short) {
		unsigned type = hf_rd_u16(&in);
		struct hf_reader ext = hf_rd_sub(&in, hf_rd_u16(&in));

		if (type != EXT_KEY_SHARE)
			continue;
		(void)hf_rd_take(&ext, 4); /* group, length */
		return (struct hf_bytes){ ext.p, ext.left };
	}
	return (struct hf_bytes){ NULL, 0 };
}

static void check_shares(struct vec_run *r)
{
	const uint8_t *d = fixed(r, "ClientEphemeralPrivate", HF_SM2_LEN);
	struct hf_bytes share = server_share(r);
	uint8_t point[HF_SM2_POINT_LEN];
	uint8_t x[HF_SM2_LEN];
	struct hf_sm2_key key;
	struct hf_sm2_pub pub;

	if (d == NULL || !vec_ok(r, "ClientEphemeralPrivate", hf_sm2_key_from_private(&key, d)))
		return;
	hf_sm2_pub_emit(point, &key.pub);
	vec_expect(r, "ClientKeyShare", point, sizeof(point));
	if (share.len > 0 && vec_ok(r, "key share", hf_sm2_pub_parse(&pub, share.p, share.len)) &&
		vec_ok(r, "EcdheSharedSecret", hf_sm2_ecdh(x, &key, &pub)))
		vec_expect(r, "EcdheSharedSecret", x, sizeof(x));
	hf_sm2_key_clear(&key);
}

/* The three secrets that the schedule goes through. */
static void check_secrets(struct vec_run *r)
{
	const uint8_t *psk = fixed(r, "Psk", HF_SM3_LEN);
	const uint8_t *early = fixed(r, "EarlySecret", HF_SM3_LEN);
	const uint8_t *shared = fixed(r, "EcdheSharedSecret", HF_SM2_LEN);
	uint8_t s[HF_SM3_LEN];

	if (psk != NULL)
		hf_hkdf_extract(s, NULL, 0, psk, HF_SM3_LEN);
	else
		hf_tls_early(s);
	vec_expect(r, "EarlySecret", s, sizeof(s));
	if (early != NULL)
		memcpy(s, early, sizeof(s));
	if (shared == NULL || !vec_ok(r, "HandshakeSecret", hf_tls_advance(s, shared, HF_SM2_LEN)))
		return;
	vec_expect(r, "HandshakeSecret", s, sizeof(s));
	if (vec_ok(r, "MasterSecret", hf_tls_advance(s, NULL, 0)))
		vec_expect(r, "MasterSecret", s, sizeof(s));
}

static void check_label(struct vec_run *r, const struct label_rule *rule)
{
	const uint8_t *secret = fixed(r, rule->secret, HF_SM3_LEN);
	size_t len = vec_want(r, rule->out).len;
	uint8_t nothing[HF_SM3_LEN];
	struct hf_bytes context = { NULL, 0 };
	uint8_t out[HF_SM3_LEN];

	if (secret == NULL || !vec_has(r, rule->out) || len > sizeof(out))
		return;
	if (rule->context != NULL && rule->context[0] == '\0') {
		hf_sm3(nothing, NULL, 0);
		context = (struct hf_bytes){ nothing, sizeof(nothing) };
	} else if (rule->context != NULL) {
		if (!vec_has(r, rule->context))
			return;
		context = vec_want(r, rule->context);
	}
	if (vec_ok(r, rule->out,
		    hf_tls_label(out, len, secret, rule->label, context.p, context.len)))
		vec_expect(r, rule->out, out, len);
}

/* Finished of one side over the transcript before it. */
static void check_finished(struct vec_run *r, const char *secret, const char *before,
	const char *message, const char *verify_data)
{
	const uint8_t *traffic = fixed(r, secret, HF_SM3_LEN);
	uint8_t out[4 + HF_SM3_LEN] = { 20, 0, 0, HF_SM3_LEN };
	uint8_t hash[HF_SM3_LEN];

	if (traffic == NULL || !list_hash(r, hash, before) ||
		!vec_ok(r, message, hf_tls_finished(out + 4, traffic, hash)))
		return;
	vec_expect(r, message, out, sizeof(out));
	if (verify_data != NULL)
		vec_expect(r, verify_data, out + 4, HF_SM3_LEN);
}

static void check_binder(struct vec_run *r)
{
	const uint8_t *key = fixed(r, "BinderFinishedKey", HF_SM3_LEN);
	uint8_t hash[HF_SM3_LEN];
	uint8_t out[HF_SM3_LEN];

	if (key == NULL || !list_hash(r, hash, "TruncatedClientHello"))
		return;
	hf_hmac_sm3(out, key, HF_SM3_LEN, hash, sizeof(hash));
	vec_expect(r, "Binder", out, sizeof(out));
}

static void check_signature(struct vec_run *r)
{
	struct hf_bytes key = vec_want(r, "ServerPublicKey");
	struct hf_bytes tbs = vec_want(r, "ServerCertificateVerifyTbs");
	struct hf_bytes der = vec_want(r, "ServerCertificateVerifySignatureDer");
	const size_t id_len = strlen(HF_SM2_ID_TLS13);
	uint8_t z[HF_SM3_LEN];
	struct hf_sm2_pub pub;
	struct hf_sm2_sig sig;

	if (key.len == 0 || !vec_ok(r, "ServerPublicKey", hf_sm2_pub_parse(&pub, key.p, key.len)))
		return;
	if (vec_ok(r, "ServerZa", hf_sm2_z(z, &pub, HF_SM2_ID_TLS13, id_len)))
		vec_expect(r, "ServerZa", z, sizeof(z));
	if (tbs.len == 0 || der.len == 0)
		return;
	vec_check(r,
		hf_sm2_sig_parse_der(&sig, der.p, der.len) == HF_OK &&
			hf_sm2_verify(&pub, HF_SM2_ID_TLS13, id_len, tbs.p, tbs.len, &sig) == HF_OK,
		"ServerCertificateVerifySignatureDer does not verify");
}

/* Opens one record; content without type and padding goes to out. False: it does not open. */
static bool open_record(struct vec_run *r, const uint8_t key[HF_SM4_KEY_LEN],
	const uint8_t nonce[IV_LEN], struct hf_bytes record, uint8_t *out, size_t *out_len)
{
	size_t len = record.len - HEAD_LEN - TAG_LEN;
	uint8_t tag[TAG_LEN];
	struct hf_aead a = { nonce, IV_LEN, record.p, HEAD_LEN, record.p + HEAD_LEN, len, out, tag,
		TAG_LEN };
	struct hf_sm4_key sm4;
	struct hf_gcm_key gcm;
	hf_err e;

	memcpy(tag, record.p + HEAD_LEN + len, TAG_LEN);
	if (suite_of(r) == SUITE_CCM) {
		hf_sm4_init(&sm4, key);
		e = hf_ccm_open(&sm4, &a);
		hf_sm4_clear(&sm4);
	} else {
		e = hf_gcm_init(&gcm, key);
		if (e == HF_OK)
			e = hf_gcm_open(&gcm, &a);
		hf_gcm_clear(&gcm);
	}
	while (len > 0 && out[len - 1] == 0)
		len--;
	*out_len = len == 0 ? 0 : len - 1;
	return e == HF_OK;
}

/* Opens all records of a rule in their order. False: the case is settled. */
static bool open_all(struct vec_run *r, const struct stream_rule *rule, const struct list *records,
	uint8_t *out, size_t *out_len)
{
	const uint8_t *secret = fixed(r, rule->secret, HF_SM3_LEN);
	uint8_t key[HF_SM4_KEY_LEN];
	uint8_t iv[IV_LEN];

	*out_len = 0;
	if (!vec_ok(r, rule->secret, hf_tls_label(key, sizeof(key), secret, "key", NULL, 0)) ||
		!vec_ok(r, rule->secret, hf_tls_label(iv, sizeof(iv), secret, "iv", NULL, 0)))
		return false;
	for (size_t i = 0; i < records->n; i++) {
		struct hf_bytes record = records->b[i];
		uint8_t nonce[IV_LEN];
		size_t len = 0;

		memcpy(nonce, iv, sizeof(nonce));
		nonce[IV_LEN - 1] ^= (uint8_t)i;
		if (record.len < HEAD_LEN + TAG_LEN + 1 ||
			!open_record(r, key, nonce, record, out + *out_len, &len)) {
			vec_fail(r, "record %zu of %s does not open", i, rule->records);
			return false;
		}
		*out_len += len;
	}
	return true;
}

static void check_stream(struct vec_run *r, const struct stream_rule *rule)
{
	struct list records;
	struct list contents;
	size_t room = 0;
	size_t len;
	size_t at = 0;
	uint8_t *out;

	if (fixed(r, rule->secret, HF_SM3_LEN) == NULL || !list_get(r, &records, rule->records) ||
		!list_get(r, &contents, rule->contents) || !vec_is_open(r))
		return;
	for (size_t i = 0; i < records.n; i++)
		room += records.b[i].len;
	if (room > CONTENT_MAX)
		vec_skip(r, "%s: more than %d bytes", rule->records, CONTENT_MAX);
	out = vec_is_open(r) ? vec_room(r, room) : NULL;
	if (out == NULL || !open_all(r, rule, &records, out, &len))
		return;
	for (size_t i = 0; i < contents.n; i++) {
		struct hf_bytes c = contents.b[i];

		if (c.len > len - at || memcmp(out + at, c.p, c.len) != 0) {
			vec_fail(r, "%s: other content than %s", rule->records, rule->contents);
			return;
		}
		at += c.len;
	}
	vec_check(r, at == len, "records hold more than the trace says");
}

static void check_plain(struct vec_run *r, const struct plain_rule *rule)
{
	struct hf_bytes record = vec_want(r, rule->record);

	if (!vec_has(r, rule->record))
		return;
	vec_check(r,
		record.len >= HEAD_LEN && record.p[0] == 22 && record.p[1] == 3 &&
			hf_get_be16(record.p + 3) == record.len - HEAD_LEN,
		rule->record);
	if (vec_is_open(r))
		vec_expect(r, rule->message, record.p + HEAD_LEN, record.len - HEAD_LEN);
}

/* The exporter value that the traces have, its label and context spelled out in its name. */
static void check_exporter(struct vec_run *r)
{
	static const char name[] = "ExporterLabelExporter-testContextCtx32";
	const uint8_t *master = fixed(r, "ExporterMasterSecret", HF_SM3_LEN);
	uint8_t hash[HF_SM3_LEN];
	uint8_t s[HF_SM3_LEN];

	if (master == NULL)
		return;
	hf_sm3(hash, NULL, 0);
	if (!vec_ok(r, name, hf_tls_derive(s, master, "EXPORTER-test", hash)))
		return;
	hf_sm3(hash, "ctx", 3);
	if (vec_ok(r, name, hf_tls_derive(s, s, "exporter", hash)))
		vec_expect(r, name, s, sizeof(s));
}

void vec_run_tls13(struct vec_run *r)
{
	unsigned suite = suite_of(r);

	if (suite != SUITE_CCM && suite != SUITE_GCM) {
		vec_skip(r, "no ServerHello with an SM4 suite");
		return;
	}
	for (size_t i = 0; i < HF_COUNT(plain_rules); i++)
		check_plain(r, &plain_rules[i]);
	check_shares(r);
	check_hashes(r);
	check_secrets(r);
	for (size_t i = 0; i < HF_COUNT(label_rules); i++)
		check_label(r, &label_rules[i]);
	check_finished(
		r, "ServerHandshakeTrafficSecret", SERVER, "ServerFinished", "ServerVerifyData");
	check_finished(r, "ClientHandshakeTrafficSecret", CLIENT, "ClientFinished", NULL);
	check_binder(r);
	check_exporter(r);
	check_signature(r);
	for (size_t i = 0; i < HF_COUNT(stream_rules); i++)
		check_stream(r, &stream_rules[i]);
}
