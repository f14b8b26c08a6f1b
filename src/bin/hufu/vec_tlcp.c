/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces of TLCP handshakes (GB/T 38636-2020). As with TLS 1.3 a trace is one long case, and what
 * follows from other fields of it is computed again. Two kinds: computed ones name each message;
 * live ones have the records as they were sent, and the private keys of both sides besides.
 */
#include "vec_tlcp.h"

#include <stdio.h>
#include <string.h>

#include "base/endian.h"
#include "base/rd.h"
#include "crypto/kdf.h"
#include "crypto/sm3.h"
#include "pki/cert.h"

enum {
	HEAD = 4, /* of a handshake message */
	FINISHED_LEN = 12,
	NEW_TICKET = 4, /* handshake types */
	FINISHED = 20,
	NAMED_CURVE = 3,
	PARAMS_LEN = 4 + HF_SM2_POINT_LEN, /* of ECDHE: curve type, curve, point */
	KEY_BLOCK_MAX = 256,
	CIPHER_MAX = 512, /* bytes of an encrypted pre-master secret */
	SERVER = 0,
	CLIENT = 1,
	SIGN = 0,
	ENC = 1,
};

const char *const tlcp_side[2] = { "Server", "Client" };

static const struct {
	const char *field;
	uint8_t type;
	unsigned side;
} messages[TLCP_N_MESSAGES] = {
	[TLCP_CLIENT_HELLO] = { "ClientHello", 1, CLIENT },
	[TLCP_SERVER_HELLO] = { "ServerHello", 2, SERVER },
	[TLCP_SERVER_CERT] = { "ServerCertificate", 11, SERVER },
	[TLCP_SERVER_KEY] = { "ServerKeyExchange", 12, SERVER },
	[TLCP_CERT_REQUEST] = { "CertificateRequest", 13, SERVER },
	[TLCP_SERVER_DONE] = { "ServerHelloDone", 14, SERVER },
	[TLCP_CLIENT_CERT] = { "ClientCertificate", 11, CLIENT },
	[TLCP_CLIENT_KEY] = { "ClientKeyExchange", 16, CLIENT },
	[TLCP_CERT_VERIFY] = { "CertificateVerify", 15, CLIENT },
};

struct hf_bytes tlcp_field(const struct tlcp_trace *t, unsigned side, const char *rest)
{
	char name[VEC_NAME_MAX + 1];

	(void)snprintf(name, sizeof(name), "%s%s", tlcp_side[side], rest);
	return vec_want(t->r, name);
}

void tlcp_expect(
	const struct tlcp_trace *t, unsigned side, const char *rest, const uint8_t *got, size_t len)
{
	char name[VEC_NAME_MAX + 1];

	(void)snprintf(name, sizeof(name), "%s%s", tlcp_side[side], rest);
	vec_expect(t->r, name, got, len);
}

struct hf_bytes tlcp_record(const struct tlcp_trace *t, unsigned side, size_t i)
{
	char name[VEC_NAME_MAX + 1];

	(void)snprintf(name, sizeof(name), "%sTo%s[%zu]", tlcp_side[side], tlcp_side[1 - side], i);
	return vec_want(t->r, name);
}

/* --- where the messages are ------------------------------------------------------------------ */

static void put_message(struct tlcp_trace *t, unsigned side, struct hf_bytes m)
{
	if (side == SERVER && m.p[0] == NEW_TICKET)
		t->ticket = m;
	for (size_t i = 0; i < TLCP_N_MESSAGES; i++)
		if (messages[i].type == m.p[0] && messages[i].side == side)
			t->m[i] = m;
}

/* The messages of one record in the clear. */
static void split_record(struct tlcp_trace *t, unsigned side, struct hf_bytes record)
{
	struct hf_reader in = { .p = record.p + TLCP_RECORD_HEAD,
		.left = record.len - TLCP_RECORD_HEAD };

	while (in.left > 0 && !in.is_short) {
		const uint8_t *from = in.p;
		size_t len;

		(void)hf_rd_u8(&in);
		len = hf_rd_u24(&in);
		if (hf_rd_take(&in, len) != NULL || len == 0)
			put_message(t, side, (struct hf_bytes){ from, HEAD + len });
	}
	vec_check(t->r, !in.is_short, "a record ends within a message");
}

/* All records of one side up to its ChangeCipherSpec. */
static void read_records(struct tlcp_trace *t, unsigned side)
{
	static const uint8_t change[] = { TLCP_CHANGE_CIPHER, 1, 1, 0, 1, 1 };
	struct hf_bytes b;
	size_t i = 0;

	for (; (b = tlcp_record(t, side, i)).len > TLCP_RECORD_HEAD; i++) {
		if (b.p[0] != TLCP_HANDSHAKE)
			break;
		vec_check(t->r, hf_get_be16(b.p + 1) == 0x0101, "a record of another version");
		vec_check(t->r, hf_get_be16(b.p + 3) == b.len - TLCP_RECORD_HEAD,
			"a record of another length than it says");
		split_record(t, side, b);
	}
	vec_check(t->r, hf_bytes_eq(b, (struct hf_bytes){ change, sizeof(change) }),
		"no ChangeCipherSpec where it belongs");
	t->first[side] = i + 1;
}

static void read_messages(struct tlcp_trace *t)
{
	t->is_live = vec_has(t->r, "ClientToServer[0]");
	if (t->is_live) {
		read_records(t, CLIENT);
		read_records(t, SERVER);
		vec_expect(t->r, "NewSessionTicket", t->ticket.p, t->ticket.len);
		return;
	}
	for (size_t i = 0; i < TLCP_N_MESSAGES; i++)
		t->m[i] = vec_want(t->r, messages[i].field);
}

/* The hellos hold what the trace says about them. */
static void check_hellos(const struct tlcp_trace *t)
{
	struct hf_bytes ch = t->m[TLCP_CLIENT_HELLO];
	struct hf_reader in = { .p = t->m[TLCP_SERVER_HELLO].p,
		.left = t->m[TLCP_SERVER_HELLO].len };
	uint8_t record[1024] = { TLCP_HANDSHAKE, 1, 1 };
	const uint8_t *p;
	size_t n;

	if (ch.len >= HEAD + 2 + TLCP_RANDOM_LEN)
		vec_expect(t->r, "ClientRandom", ch.p + HEAD + 2, TLCP_RANDOM_LEN);
	if (ch.len > 0 && ch.len < sizeof(record) - TLCP_RECORD_HEAD) {
		hf_put_be16(record + 3, (uint16_t)ch.len);
		memcpy(record + TLCP_RECORD_HEAD, ch.p, ch.len);
		vec_expect(t->r, "ClientHelloRecord", record, TLCP_RECORD_HEAD + ch.len);
	}
	(void)hf_rd_take(&in, HEAD + 2);
	p = hf_rd_take(&in, TLCP_RANDOM_LEN);
	if (p != NULL)
		vec_expect(t->r, "ServerRandom", p, TLCP_RANDOM_LEN);
	n = hf_rd_u8(&in);
	p = hf_rd_take(&in, n);
	vec_expect(t->r, "SessionId", p, p == NULL ? 0 : n);
	p = hf_rd_take(&in, 2);
	vec_check(t->r, p != NULL, "ServerHello: ends too early");
	if (p != NULL)
		vec_expect(t->r, "CipherSuite", p, 2);
}

/* --- certificates and keys ------------------------------------------------------------------- */

/* The private key of a certificate, if the trace has it. */
static bool private_of(
	const struct tlcp_trace *t, unsigned side, const char *rest, struct hf_sm2_key *key)
{
	struct hf_bytes d = tlcp_field(t, side, rest);

	return d.len == HF_SM2_LEN && hf_sm2_key_from_private(key, d.p) == HF_OK;
}

static void check_cert(struct tlcp_trace *t, unsigned side, unsigned use)
{
	static const char *const cert_names[] = { "SignCert", "EncCert" };
	static const char *const key_names[] = { "SignKey", "EncKey" };
	struct hf_bytes der = t->cert[side][use];
	struct hf_bytes ca_der = vec_want(t->r, "CaCert");
	struct hf_sm2_key key;
	struct hf_cert cert;
	struct hf_cert ca;

	tlcp_expect(t, side, cert_names[use], der.p, der.len);
	if (!vec_ok(t->r, cert_names[use], hf_cert_parse(&cert, der.p, der.len, NULL)))
		return;
	t->pub[side][use] = cert.key;
	if (private_of(t, side, key_names[use], &key))
		vec_check(t->r, memcmp(&key.pub, &cert.key, sizeof(cert.key)) == 0,
			"a private key is not that of the certificate");
	if (ca_der.len > 0 &&
		vec_ok(t->r, "CaCert", hf_cert_parse(&ca, ca_der.p, ca_der.len, NULL)))
		vec_check(t->r,
			hf_cert_verify_sig(&cert, &ca.key, NULL) == HF_OK &&
				hf_cert_verify_sig(&ca, &ca.key, NULL) == HF_OK,
			"a certificate is not signed by CaCert");
}

/* The first two certificates of a Certificate message: for signing, for encryption. */
static void check_certs(struct tlcp_trace *t, unsigned side)
{
	struct hf_bytes m = t->m[side == SERVER ? TLCP_SERVER_CERT : TLCP_CLIENT_CERT];
	struct hf_reader in = { .p = m.p, .left = m.len };

	if (m.len == 0)
		return;
	(void)hf_rd_take(&in, HEAD + 3);
	for (unsigned use = SIGN; use <= ENC; use++) {
		size_t len = hf_rd_u24(&in);

		t->cert[side][use] = (struct hf_bytes){ hf_rd_take(&in, len), len };
		if (in.is_short) {
			vec_fail(t->r, "%sCertificate: fewer than two", tlcp_side[side]);
			return;
		}
		check_cert(t, side, use);
	}
}

/* A signature of u16 length and DER, over a message under the usual ID. */
static bool is_signed(struct hf_reader in, const struct hf_sm2_pub *pub, struct hf_bytes message)
{
	size_t len = hf_rd_u16(&in);
	const uint8_t *der = hf_rd_take(&in, len);
	struct hf_sm2_sig sig;

	return hf_rd_done(&in) == HF_OK && hf_sm2_sig_parse_der(&sig, der, len) == HF_OK &&
	       hf_sm2_verify(pub, HF_SM2_ID_DEFAULT, strlen(HF_SM2_ID_DEFAULT), message.p,
		       message.len, &sig) == HF_OK;
}

static bool is_ecdhe(const struct tlcp_trace *t)
{
	struct hf_bytes m = t->m[TLCP_SERVER_KEY];

	return m.len > HEAD + PARAMS_LEN && m.p[HEAD] == NAMED_CURVE;
}

/* 6.4.5.4: signed are both random values and the encryption certificate, or the ECDHE point. */
static void check_server_key(const struct tlcp_trace *t)
{
	struct hf_bytes m = t->m[TLCP_SERVER_KEY];
	struct hf_bytes cert = t->cert[SERVER][ENC];
	struct hf_reader in = { .p = m.p, .left = m.len };
	uint8_t *tbs = vec_room(t->r, 2 * TLCP_RANDOM_LEN + 3 + cert.len + PARAMS_LEN);
	size_t n = 2 * TLCP_RANDOM_LEN;

	if (tbs == NULL || m.len < HEAD || cert.len == 0)
		return;
	(void)hf_rd_take(&in, HEAD);
	memcpy(tbs, vec_want(t->r, "ClientRandom").p, TLCP_RANDOM_LEN);
	memcpy(tbs + TLCP_RANDOM_LEN, vec_want(t->r, "ServerRandom").p, TLCP_RANDOM_LEN);
	if (is_ecdhe(t)) {
		hf_rd_copy(&in, tbs + n, PARAMS_LEN);
		vec_expect(t->r, "ServerEcdheParams", tbs + n, PARAMS_LEN);
		n += PARAMS_LEN;
	} else {
		hf_put_be24(tbs + n, (uint32_t)cert.len);
		memcpy(tbs + n + 3, cert.p, cert.len);
		n += 3 + cert.len;
	}
	vec_expect(t->r, "ServerKeyExchangeTbs", tbs, n);
	vec_check(t->r, is_signed(in, &t->pub[SERVER][SIGN], (struct hf_bytes){ tbs, n }),
		"ServerKeyExchange: the signature does not hold");
}

/* --- the pre-master secret ------------------------------------------------------------------- */

/* ECC: the client's secret, encrypted to the server. */
static void check_encrypted(const struct tlcp_trace *t)
{
	struct hf_bytes m = t->m[TLCP_CLIENT_KEY];
	uint8_t raw[CIPHER_MAX];
	uint8_t out[CIPHER_MAX];
	size_t raw_len = sizeof(raw);
	struct hf_sm2_key key;

	if (!private_of(t, SERVER, "EncKey", &key) || m.len < HEAD + 2)
		return;
	if (vec_ok(t->r, "ClientKeyExchange",
		    hf_sm2_cipher_parse_der(raw, &raw_len, m.p + HEAD + 2, m.len - HEAD - 2)) &&
		vec_ok(t->r, "ClientKeyExchange", hf_sm2_decrypt(out, &key, raw, raw_len)))
		vec_expect(t->r, "PreMasterSecret", out, raw_len - HF_SM2_CIPHER_OVERHEAD);
}

/* The point a side sent, which must be that of its private value if the trace has that. */
static bool ephemeral(const struct tlcp_trace *t, unsigned side, struct hf_sm2_key *key)
{
	struct hf_bytes m = t->m[side == SERVER ? TLCP_SERVER_KEY : TLCP_CLIENT_KEY];
	struct hf_sm2_pub sent;

	memset(key, 0, sizeof(*key));
	if (m.len < HEAD + PARAMS_LEN ||
		!vec_ok(t->r, "ECDHE point",
			hf_sm2_pub_parse(&sent, m.p + HEAD + 4, HF_SM2_POINT_LEN)))
		return false;
	if (private_of(t, side, "EphemeralPrivate", key))
		vec_check(t->r, memcmp(&key->pub, &sent, sizeof(sent)) == 0,
			"an ephemeral private key is not that of the point");
	key->pub = sent;
	return true;
}

/* ECDHE: the key exchange of GB/T 32918.3; A is the server, B the client. */
static void check_exchanged(const struct tlcp_trace *t)
{
	static const char id[] = HF_SM2_ID_DEFAULT;
	struct hf_bytes shared = vec_want(t->r, "Sm2SharedPoint");
	struct hf_sm2_key r[2];
	uint8_t out[TLCP_MASTER_LEN];
	uint8_t in[4 * HF_SM2_LEN];

	if (!ephemeral(t, SERVER, &r[SERVER]) || !ephemeral(t, CLIENT, &r[CLIENT]))
		return;
	for (unsigned side = SERVER; side <= CLIENT; side++) {
		unsigned peer = 1 - side;
		struct hf_sm2_key key;
		struct hf_sm2_kex x = { side == SERVER, &key, &r[side], id, sizeof(id) - 1,
			&t->pub[peer][ENC], &r[peer].pub, id, sizeof(id) - 1 };

		if (private_of(t, side, "EncKey", &key) &&
			vec_ok(t->r, "PreMasterSecret",
				hf_sm2_kex_key(out, sizeof(out), NULL, NULL, &x)))
			vec_expect(t->r, "PreMasterSecret", out, sizeof(out));
		if (vec_ok(t->r, "Z",
			    hf_sm2_z(in + (2 + side) * HF_SM2_LEN, &t->pub[side][ENC], id,
				    sizeof(id) - 1)))
			tlcp_expect(t, side, side == SERVER ? "EncZa" : "EncZb",
				in + (2 + side) * HF_SM2_LEN, HF_SM3_LEN);
	}
	if (shared.len != 2 * HF_SM2_LEN)
		return;
	memcpy(in, shared.p, shared.len);
	if (vec_ok(t->r, "PreMasterSecret", hf_sm2_kdf(out, sizeof(out), in, sizeof(in))))
		vec_expect(t->r, "PreMasterSecret", out, sizeof(out));
}

/* GmSSL puts a length in front of the client's point. */
static void check_prefixed(const struct tlcp_trace *t)
{
	struct hf_bytes m = t->m[TLCP_CLIENT_KEY];
	uint8_t other[HEAD + 2 + PARAMS_LEN] = { 16, 0, 0, 2 + PARAMS_LEN, 0, PARAMS_LEN };

	if (m.len != HEAD + PARAMS_LEN)
		return;
	memcpy(other + HEAD + 2, m.p + HEAD, PARAMS_LEN);
	vec_expect(t->r, "ClientKeyExchangeNoteAltWithU16Prefix", other, sizeof(other));
}

/* --- the key schedule, 6.5, and what is made with it ----------------------------------------- */

/* Cut from the key block, in this order. */
static void check_key_block(const struct tlcp_trace *t, const uint8_t *block, size_t len)
{
	static const char *const parts[] = { "MacKey", "WriteKey", "WriteIv" };
	size_t at = 0;

	for (size_t i = 0; i < HF_COUNT(parts); i++)
		for (unsigned n = 0; n < 2; n++) {
			unsigned side = 1 - n; /* the client's first */
			size_t part_len = tlcp_field(t, side, parts[i]).len;

			if (part_len > len - at)
				return;
			tlcp_expect(t, side, parts[i], block + at, part_len);
			at += part_len;
		}
}

static void check_secrets(const struct tlcp_trace *t, const uint8_t randoms[2 * TLCP_RANDOM_LEN])
{
	struct hf_bytes pre = vec_want(t->r, "PreMasterSecret");
	struct hf_bytes master = vec_want(t->r, "MasterSecret");
	size_t len = vec_want(t->r, "KeyBlock").len;
	uint8_t swapped[2 * TLCP_RANDOM_LEN];
	uint8_t out[KEY_BLOCK_MAX];

	hf_tlcp_prf(out, TLCP_MASTER_LEN, pre.p, pre.len, "master secret", randoms,
		2 * TLCP_RANDOM_LEN);
	vec_expect(t->r, "MasterSecret", out, TLCP_MASTER_LEN);
	memcpy(swapped, randoms + TLCP_RANDOM_LEN, TLCP_RANDOM_LEN);
	memcpy(swapped + TLCP_RANDOM_LEN, randoms, TLCP_RANDOM_LEN);
	if (len > sizeof(out))
		return;
	hf_tlcp_prf(out, len, master.p, master.len, "key expansion", swapped, sizeof(swapped));
	vec_expect(t->r, "KeyBlock", out, len);
	check_key_block(t, out, len);
}

static void check_finished(const struct tlcp_trace *t, unsigned side, const uint8_t *hash)
{
	static const char *const labels[] = { "server finished", "client finished" };
	struct hf_bytes master = vec_want(t->r, "MasterSecret");
	uint8_t out[HEAD + FINISHED_LEN] = { FINISHED, 0, 0, FINISHED_LEN };

	hf_tlcp_prf(out + HEAD, FINISHED_LEN, master.p, master.len, labels[side], hash, HF_SM3_LEN);
	tlcp_expect(t, side, "Finished", out, sizeof(out));
}

/* The client signs the hash of all before it; GmSSL lets it sign the messages themselves. */
static void check_verify(const struct tlcp_trace *t, const uint8_t hash[HF_SM3_LEN])
{
	struct hf_bytes m = t->m[TLCP_CERT_VERIFY];

	vec_expect(t->r, "CertificateVerifyHash", hash, HF_SM3_LEN);
	if (m.len < HEAD)
		return;
	vec_check(t->r,
		is_signed((struct hf_reader){ .p = m.p + HEAD, .left = m.len - HEAD },
			&t->pub[CLIENT][SIGN], (struct hf_bytes){ hash, HF_SM3_LEN }),
		"CertificateVerify: the signature does not hold");
}

static void check_transcript(const struct tlcp_trace *t)
{
	struct hf_bytes finished = vec_want(t->r, "ClientFinished");
	uint8_t hash[HF_SM3_LEN];
	struct hf_sm3 s;
	struct hf_sm3 fork;

	hf_sm3_init(&s);
	for (size_t i = 0; i < TLCP_N_MESSAGES; i++) {
		if (i == TLCP_CERT_VERIFY) {
			fork = s;
			hf_sm3_done(&fork, hash);
			check_verify(t, hash);
		}
		hf_sm3_feed(&s, t->m[i].p, t->m[i].len);
	}
	fork = s;
	hf_sm3_done(&fork, hash);
	vec_expect(t->r, "TranscriptHashBeforeClientFinished", hash, sizeof(hash));
	check_finished(t, CLIENT, hash);
	hf_sm3_feed(&s, finished.p, finished.len);
	hf_sm3_feed(&s, t->ticket.p, t->ticket.len);
	hf_sm3_done(&s, hash);
	vec_expect(t->r, "TranscriptHashBeforeServerFinished", hash, sizeof(hash));
	check_finished(t, SERVER, hash);
}

void vec_run_tlcp(struct vec_run *r)
{
	struct tlcp_trace t = { .r = r };
	struct hf_bytes client = vec_need(r, "ClientRandom");
	struct hf_bytes server = vec_need(r, "ServerRandom");
	struct hf_bytes master = vec_need(r, "MasterSecret");
	uint8_t randoms[2 * TLCP_RANDOM_LEN];

	(void)vec_need(r, "PreMasterSecret");
	if (!vec_is_open(r) || !vec_has_len(r, "ClientRandom", client, TLCP_RANDOM_LEN) ||
		!vec_has_len(r, "ServerRandom", server, TLCP_RANDOM_LEN) ||
		!vec_has_len(r, "MasterSecret", master, TLCP_MASTER_LEN))
		return;
	memcpy(randoms, client.p, TLCP_RANDOM_LEN);
	memcpy(randoms + TLCP_RANDOM_LEN, server.p, TLCP_RANDOM_LEN);
	read_messages(&t);
	check_hellos(&t);
	check_certs(&t, SERVER);
	check_certs(&t, CLIENT);
	if (vec_is_open(r))
		check_server_key(&t);
	if (vec_is_open(r) && is_ecdhe(&t)) {
		check_exchanged(&t);
		check_prefixed(&t);
	} else if (vec_is_open(r)) {
		check_encrypted(&t);
	}
	check_secrets(&t, randoms);
	check_transcript(&t);
	tlcp_check_records(&t);
}
