/* SPDX-License-Identifier: Apache-2.0 */
/* What a link of TLCP turns away: false peers, altered messages and records, what policy forbids.
 */
#include "tlcp_fixture.h"

static int start(void **state)
{
	(void)state;
	tlcp_domain_init();
	return 0;
}

static void flip_last(uint8_t *b, size_t *len)
{
	b[*len - 1] ^= 1;
}

static void flip_point(uint8_t *b, size_t *len)
{
	(void)len;
	b[4 + 40] ^= 1;
}

static void other_curve(uint8_t *b, size_t *len)
{
	(void)len;
	b[2] = 23;
}

static void compressed_point(uint8_t *b, size_t *len)
{
	(void)len;
	b[4] = 2;
}

static void cut_last(uint8_t *b, size_t *len)
{
	(void)b;
	*len -= 1;
}

static void a_wrong_signature_is_refused(void **state)
{
	struct tlcp_pair t;

	(void)state;
	tlcp_init(&t);
	altered_is_refused(
		&t, HF_TLCP_MSG_SKE, flip_last, &t.p.c, HF_ALERT_DECRYPT_ERROR, "signature");
	t.c.suites = HF_TLCP_ECC_SM4_GCM_SM3;
	altered_is_refused(
		&t, HF_TLCP_MSG_SKE, flip_last, &t.p.c, HF_ALERT_DECRYPT_ERROR, "signature");
	altered_is_refused(
		&t, HF_TLS_MSG_CERT_VERIFY, flip_last, &t.p.s, HF_ALERT_DECRYPT_ERROR, "signature");
	altered_is_refused(&t, HF_TLS_MSG_CERT_VERIFY, cut_last, &t.p.s, HF_ALERT_DECODE_ERROR,
		"malformed CertificateVerify");
}

/* TLS 1.3 signs with an ID of its own, which TLCP does not know. */
static void a_signature_with_another_id_is_refused(void **state)
{
	struct tlcp_pair t;
	struct hf_tlcp_tbs tbs;
	struct hf_sm2_sig sig;
	uint8_t m[512];
	size_t len;

	(void)state;
	tlcp_init(&t);
	t.p.s.cfg.signer = NULL;
	pair_start(&t.p);
	pair_run(&t.p, SIZE_MAX);
	assert_ok(hf_tlcp_sign_get(&t.p.s.t, &tbs));
	memcpy(m, tbs.randoms, sizeof(tbs.randoms));
	memcpy(m + 64, tbs.content.p, tbs.content.len);
	len = 64 + tbs.content.len;
	assert_ok(hf_sm2_sign(&sig, &dom.server.key, HF_SM2_ID_TLS13, sizeof(HF_SM2_ID_TLS13) - 1,
		m, len, &t.p.s.rng));
	assert_ok(hf_tls_sign_done(&t.p.s.t, &sig));
	pair_run(&t.p, SIZE_MAX);
	assert_err(hf_tls_error(&t.p.c.t), HF_ERR_AUTH);
	assert_int_equal(hf_tls_alert_sent(&t.p.c.t), HF_ALERT_DECRYPT_ERROR);
	pair_clear(&t.p);

	/* The same bytes with the right one pass. */
	pair_start(&t.p);
	pair_run(&t.p, SIZE_MAX);
	assert_ok(hf_tlcp_sign_get(&t.p.s.t, &tbs));
	memcpy(m, tbs.randoms, sizeof(tbs.randoms));
	memcpy(m + 64, tbs.content.p, tbs.content.len);
	assert_ok(hf_sm2_sign(&sig, &dom.server.key, HF_SM2_ID_DEFAULT,
		sizeof(HF_SM2_ID_DEFAULT) - 1, m, len, &t.p.s.rng));
	assert_ok(hf_tls_sign_done(&t.p.s.t, &sig));
	pair_run(&t.p, SIZE_MAX);
	assert_true(hf_tls_is_open(&t.p.c.t));
	pair_clear(&t.p);
}

static void points_off_the_curve_are_refused(void **state)
{
	static const alter_fn wrong[] = { flip_point, other_curve, compressed_point };
	struct tlcp_pair t;

	(void)state;
	tlcp_init(&t);
	for (size_t i = 0; i < HF_COUNT(wrong); i++) {
		altered_is_refused(&t, HF_TLCP_MSG_SKE, wrong[i], &t.p.c,
			HF_ALERT_ILLEGAL_PARAMETER, "malformed ServerKeyExchange");
		altered_is_refused(&t, HF_TLCP_MSG_CKE, wrong[i], &t.p.s,
			HF_ALERT_ILLEGAL_PARAMETER, "malformed ClientKeyExchange");
	}
	altered_is_refused(&t, HF_TLCP_MSG_CKE, cut_last, &t.p.s, HF_ALERT_DECODE_ERROR,
		"malformed ClientKeyExchange");
}

static void suite_of_rsa(uint8_t *b, size_t *len)
{
	hf_put_be16(b + *len - 3, 0xe059);
}

static void suite_of_cbc(uint8_t *b, size_t *len)
{
	hf_put_be16(b + *len - 3, 0xe011);
}

static void version_12(uint8_t *b, size_t *len)
{
	(void)len;
	hf_put_be16(b, 0x0303);
}

static void compression_only(uint8_t *b, size_t *len)
{
	b[*len - 1] = 1;
}

static void other_random(uint8_t *b, size_t *len)
{
	(void)len;
	b[10] ^= 1;
}

static void a_hello_that_chooses_what_was_not_offered_is_refused(void **state)
{
	struct tlcp_pair t;

	(void)state;
	tlcp_init(&t);
	altered_is_refused(&t, HF_TLS_MSG_SERVER_HELLO, suite_of_rsa, &t.p.c,
		HF_ALERT_ILLEGAL_PARAMETER, "not offered");
	t.c.allow_cbc = false;
	altered_is_refused(&t, HF_TLS_MSG_SERVER_HELLO, suite_of_cbc, &t.p.c,
		HF_ALERT_ILLEGAL_PARAMETER, "not offered");
	altered_is_refused(&t, HF_TLS_MSG_SERVER_HELLO, version_12, &t.p.c,
		HF_ALERT_PROTOCOL_VERSION, "TLCP 1.1");
	altered_is_refused(&t, HF_TLS_MSG_CLIENT_HELLO, version_12, &t.p.s,
		HF_ALERT_PROTOCOL_VERSION, "TLCP 1.1");
	altered_is_refused(&t, HF_TLS_MSG_CLIENT_HELLO, compression_only, &t.p.s,
		HF_ALERT_ILLEGAL_PARAMETER, "compression");
	altered_is_refused(&t, HF_TLS_MSG_CLIENT_HELLO, other_random, &t.p.c,
		HF_ALERT_DECRYPT_ERROR, "signature");
}

/* Whoever takes the better suites out of a hello is found out before any data. */
static void better_suites_removed(uint8_t *b, size_t *len)
{
	(void)len;
	hf_put_be16(b + 2 + 32 + 1 + 2, 0xe0ff); /* the first suite, ECDHE with GCM */
}

static void a_downgrade_of_the_suite_is_refused(void **state)
{
	struct tlcp_pair t;

	(void)state;
	tlcp_init(&t);
	altered_is_refused(&t, HF_TLS_MSG_CLIENT_HELLO, better_suites_removed, &t.p.s,
		HF_ALERT_DECRYPT_ERROR, "signature");
	/* Without a client's signature, Finished says so. */
	t.p.s.cfg.require_client_cert = t.p.s.cfg.ask_client_cert = false;
	altered_is_refused(&t, HF_TLS_MSG_CLIENT_HELLO, better_suites_removed, &t.p.s,
		HF_ALERT_DECRYPT_ERROR, "Finished");
}

static void no_common_suite_is_a_failure(void **state)
{
	struct tlcp_pair t;

	(void)state;
	tlcp_init(&t);
	t.c.suites = HF_TLCP_ECC_SM4_GCM_SM3;
	t.s.suites = HF_TLCP_ECDHE_SM4_GCM_SM3;
	tlcp_refusal(
		&t, &t.p.s, HF_ERR_UNSUPPORTED, HF_ALERT_HANDSHAKE_FAILURE, "no suite in common");
}

/* --- certificates --- */

static void signing_certificate_only(uint8_t *b, size_t *len)
{
	size_t n = 3 + dom.server.cert.der.len;

	b[0] = 0;
	b[1] = (uint8_t)(n >> 8);
	b[2] = (uint8_t)n;
	*len = 3 + n;
}

static void a_server_without_encryption_certificate_is_refused(void **state)
{
	struct tlcp_pair t;

	(void)state;
	tlcp_init(&t);
	altered_is_refused(&t, HF_TLS_MSG_CERTIFICATE, signing_certificate_only, &t.p.c,
		HF_ALERT_BAD_CERTIFICATE, "no encryption certificate");
	t.c.suites = HF_TLCP_ECC_SM4_GCM_SM3;
	altered_is_refused(&t, HF_TLS_MSG_CERTIFICATE, signing_certificate_only, &t.p.c,
		HF_ALERT_BAD_CERTIFICATE, "no encryption certificate");
}

static void certificates_that_changed_their_places_are_refused(void **state)
{
	struct tlcp_pair t;
	struct hf_bytes chain[1] = { two.server.cert.der };
	struct hf_tlcp_enc_key key = hf_tlcp_enc_key_local(&dom.server.local);

	(void)state;
	tlcp_init(&t);
	t.p.s.cfg.chain = chain;
	t.p.s.cfg.signer = &two.server.signer;
	t.s.enc_cert = dom.server.cert.der;
	t.s.enc_key = &key;
	tlcp_refusal(&t, &t.p.c, HF_ERR_PURPOSE, HF_ALERT_UNSUPPORTED_CERTIFICATE, "server");
}

/* Gives the server another encryption certificate, and expects the client to say no. */
static void enc_is_refused(const struct hf_cert_spec *spec, const struct party *issuer, hf_err e,
	unsigned alert, const char *says)
{
	struct tlcp_pair t;
	struct party enc = two.server;

	enc.cert = (struct hf_cert){ 0 };
	party_issue(&enc, spec, issuer);
	tlcp_init(&t);
	t.s.enc_cert = enc.cert.der;
	tlcp_refusal(&t, &t.p.c, e, alert, says);
	hf_cert_clear(&enc.cert);
}

static void encryption_certificates_are_held_to_their_purpose(void **state)
{
	struct hf_cert_spec spec = party_spec(&two.server, &dom.ca);

	(void)state;
	spec.key_usage = HF_KU_SIGN;
	enc_is_refused(&spec, &dom.ca, HF_ERR_DENIED, HF_ALERT_BAD_CERTIFICATE,
		"no encryption certificate");
	spec.key_usage = HF_KU_SIGN | HF_KU_ENCRYPT; /* for both means for neither */
	enc_is_refused(&spec, &dom.ca, HF_ERR_DENIED, HF_ALERT_BAD_CERTIFICATE,
		"no encryption certificate");
	spec.key_usage = 0;
	enc_is_refused(&spec, &dom.ca, HF_ERR_DENIED, HF_ALERT_BAD_CERTIFICATE,
		"no encryption certificate");
	spec.key_usage = HF_KU_ENCRYPT;
	spec.not_after_s = NOW_S - 1;
	enc_is_refused(&spec, &dom.ca, HF_ERR_EXPIRED, HF_ALERT_CERTIFICATE_EXPIRED, "");
	spec = party_spec(&two.server, &dom.other_ca);
	spec.key_usage = HF_KU_ENCRYPT;
	enc_is_refused(&spec, &dom.other_ca, HF_ERR_AUTH, HF_ALERT_UNKNOWN_CA, "");
	spec = party_spec(&two.server, &dom.ca);
	spec.key_usage = HF_KU_ENCRYPT;
	spec.subject = dom.stranger.subject;
	enc_is_refused(&spec, &dom.ca, HF_ERR_DENIED, HF_ALERT_BAD_CERTIFICATE, "another subject");
}

static void another_subject_is_taken_where_that_is_tolerated(void **state)
{
	struct hf_cert_spec spec = party_spec(&two.server, &dom.ca);
	struct tlcp_pair t;
	struct party enc = two.server;

	(void)state;
	enc.cert = (struct hf_cert){ 0 };
	spec.key_usage = HF_KU_ENCRYPT;
	spec.subject = dom.stranger.subject;
	party_issue(&enc, &spec, &dom.ca);
	tlcp_init(&t);
	t.s.enc_cert = enc.cert.der;
	t.c.any_subject = true;
	pair_open(&t.p);
	pair_clear(&t.p);
	hf_cert_clear(&enc.cert);
}

static void one_key_for_both_uses_is_refused(void **state)
{
	struct hf_cert_spec spec = party_spec(&dom.server, &dom.ca);
	struct hf_tlcp_enc_key key = hf_tlcp_enc_key_local(&dom.server.local);
	struct party enc = dom.server;
	struct tlcp_pair t;

	(void)state;
	enc.cert = (struct hf_cert){ 0 };
	spec.key_usage = HF_KU_ENCRYPT;
	party_issue(&enc, &spec, &dom.ca);
	tlcp_init(&t);
	t.s.enc_cert = enc.cert.der;
	t.s.enc_key = &key;
	tlcp_refusal(&t, &t.p.c, HF_ERR_DENIED, HF_ALERT_BAD_CERTIFICATE, "same key");
	hf_cert_clear(&enc.cert);
}

static void strangers_are_refused_on_both_sides(void **state)
{
	struct hf_identity_want want = { .id = "hub-2" };
	struct tlcp_pair t;

	(void)state;
	tlcp_init(&t);
	t.p.c.cfg.chain = dom.stranger_chain;
	t.p.c.cfg.signer = &dom.stranger.signer;
	tlcp_refusal(&t, &t.p.s, HF_ERR_AUTH, HF_ALERT_UNKNOWN_CA, NULL);
	tlcp_init(&t);
	t.p.s.cfg.chain = dom.stranger_chain;
	t.p.s.cfg.signer = &dom.stranger.signer;
	tlcp_refusal(&t, &t.p.c, HF_ERR_AUTH, HF_ALERT_UNKNOWN_CA, NULL);
	tlcp_init(&t);
	t.p.c.start.want = &want;
	tlcp_refusal(&t, &t.p.c, HF_ERR_DENIED, HF_ALERT_BAD_CERTIFICATE, NULL);
	tlcp_init(&t);
	t.p.c.start.server_name = "other.example";
	tlcp_refusal(&t, &t.p.c, HF_ERR_DENIED, HF_ALERT_BAD_CERTIFICATE, NULL);
}

static void ecdhe_needs_both_certificates_of_the_client(void **state)
{
	struct hf_cert_spec spec = party_spec(&two.device, &dom.ca);
	struct party enc = two.device;
	struct tlcp_pair t;

	(void)state;
	enc.cert = (struct hf_cert){ 0 };
	spec.key_usage = HF_KU_SIGN;
	party_issue(&enc, &spec, &dom.ca);
	tlcp_init(&t);
	t.c.enc_cert = enc.cert.der;
	tlcp_refusal(
		&t, &t.p.s, HF_ERR_DENIED, HF_ALERT_BAD_CERTIFICATE, "no encryption certificate");
	hf_cert_clear(&enc.cert);
}

/* --- the static key exchange --- */

static void ciphertext_altered(uint8_t *b, size_t *len)
{
	b[*len - 1] ^= 1;
}

static void hash_altered(uint8_t *b, size_t *len)
{
	b[*len - 60] ^= 1;
}

static void no_der(uint8_t *b, size_t *len)
{
	(void)len;
	b[2] = 0x31;
}

static void off_curve(uint8_t *b, size_t *len)
{
	(void)len;
	b[20] ^= 1;
}

static void something_short(uint8_t *b, size_t *len)
{
	b[0] = 0;
	b[1] = 5;
	*len = 7;
}

/* Encrypts to the server a pre-master secret that is not what the standard says. */
static void encrypt_to_server(uint8_t *b, size_t *len, const uint8_t *pms, size_t pms_len)
{
	uint8_t raw[HF_SM2_CIPHER_OVERHEAD + 64];
	struct test_rng state;
	struct hf_rng rng = test_rng(&state, 77);
	size_t der_len = 250;

	assert_ok(hf_sm2_encrypt(raw, &two.server.key.pub, pms, pms_len, &rng));
	assert_ok(hf_sm2_cipher_emit_der(b + 2, &der_len, raw, HF_SM2_CIPHER_OVERHEAD + pms_len));
	hf_put_be16(b, (uint16_t)der_len);
	*len = 2 + der_len;
}

static void version_of_another(uint8_t *b, size_t *len)
{
	static const uint8_t pms[HF_TLCP_MASTER_LEN] = { 3, 3 };

	encrypt_to_server(b, len, pms, sizeof(pms));
}

static void one_byte_less(uint8_t *b, size_t *len)
{
	static const uint8_t pms[HF_TLCP_MASTER_LEN - 1] = { 1, 1 };

	encrypt_to_server(b, len, pms, sizeof(pms));
}

/* Right in all ways, but not the client's: what a stranger can do, and all others should look like.
 */
static void right_but_unknown(uint8_t *b, size_t *len)
{
	static const uint8_t pms[HF_TLCP_MASTER_LEN] = { 1, 1, 7 };

	encrypt_to_server(b, len, pms, sizeof(pms));
}

static void nobody_learns_why_a_pre_master_secret_is_refused(void **state)
{
	static const alter_fn wrong[] = { right_but_unknown, ciphertext_altered, hash_altered,
		no_der, off_curve, something_short, version_of_another, one_byte_less };
	char first[sizeof(((struct hf_errinfo *)0)->text)] = "";

	(void)state;
	for (size_t i = 0; i < HF_COUNT(wrong); i++) {
		struct tlcp_pair t;

		tlcp_init(&t);
		t.c.suites = HF_TLCP_ECC_SM4_GCM_SM3;
		t.p.s.cfg.require_client_cert = t.p.s.cfg.ask_client_cert = false;
		run_altered(&t.p, HF_TLCP_MSG_CKE, wrong[i]);
		assert_err(hf_tls_error(&t.p.s.t), HF_ERR_AUTH);
		assert_int_equal(t.p.s.t.state, HF_TLCP_S_FIN);
		assert_int_equal(hf_tls_alert_sent(&t.p.s.t), HF_ALERT_BAD_RECORD_MAC);
		if (i == 0)
			(void)snprintf(first, sizeof(first), "%s", hf_tls_why(&t.p.s.t)->text);
		assert_string_equal(first, hf_tls_why(&t.p.s.t)->text);
		pair_clear(&t.p);
	}
}

static hf_err broken_decrypt(void *ctx, uint8_t *out, const uint8_t *raw, size_t raw_len)
{
	(void)ctx;
	(void)out;
	(void)raw;
	(void)raw_len;
	return HF_ERR_TIMEOUT;
}

static void a_key_that_does_not_answer_ends_the_link(void **state)
{
	struct tlcp_pair t;
	struct hf_tlcp_enc_key key = two.server_key;

	(void)state;
	key.decrypt = broken_decrypt;
	tlcp_init(&t);
	t.c.suites = HF_TLCP_ECC_SM4_GCM_SM3;
	t.s.enc_key = &key;
	tlcp_refusal(&t, &t.p.s, HF_ERR_TIMEOUT, HF_ALERT_INTERNAL_ERROR, "encryption key");
}

/* --- records --- */

static void a_wrong_finished_is_refused(void **state)
{
	static const uint8_t wrong[] = { HF_TLS_MSG_FINISHED, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0 };

	(void)state;
	for (int side = 0; side < 2; side++) {
		struct tlcp_pair t;
		struct end *e = side == 0 ? &t.p.s : &t.p.c;
		size_t len;
		uint8_t *b;

		tlcp_init(&t);
		pair_start(&t.p);
		(void)move(&t.p, &t.p.c, &t.p.s, SIZE_MAX);
		(void)move(&t.p, &t.p.s, &t.p.c, SIZE_MAX);
		if (side == 1)
			(void)move(&t.p, &t.p.c, &t.p.s, SIZE_MAX);
		b = end_out(side == 0 ? &t.p.c : &t.p.s, &len);
		len -= TLCP_HEAD + 8 + sizeof(wrong) + 16; /* all but Finished */
		end_feed(e, b, len, SIZE_MAX, 1000);
		free(b);
		inject(e, HF_TLS_HANDSHAKE, wrong, sizeof(wrong));
		must_fail(e, HF_ERR_AUTH, HF_ALERT_DECRYPT_ERROR, "Finished");
		pair_clear(&t.p);
	}
}

static void renegotiation_is_refused(void **state)
{
	static const uint8_t hello_request[] = { 0, 0, 0, 0 };
	struct tlcp_pair t;
	struct tlcp_pair other;
	uint8_t *b;
	size_t len;

	(void)state;
	tlcp_init(&t);
	pair_open(&t.p);
	tlcp_init(&other);
	pair_start(&other.p);
	b = end_out(&other.p.c, &len);
	inject(&t.p.s, HF_TLS_HANDSHAKE, b + TLCP_HEAD, len - TLCP_HEAD);
	must_fail(&t.p.s, HF_ERR_STATE, HF_ALERT_UNEXPECTED_MESSAGE, "no renegotiation");
	inject(&t.p.c, HF_TLS_HANDSHAKE, hello_request, sizeof(hello_request));
	must_fail(&t.p.c, HF_ERR_STATE, HF_ALERT_UNEXPECTED_MESSAGE, "no renegotiation");
	free(b);
	pair_clear(&other.p);
	pair_clear(&t.p);
}

/* Two records of data from the client, which the caller feeds as it likes. */
static uint8_t *two_records(struct tlcp_pair *t, unsigned suite, size_t *first, size_t *len)
{
	uint8_t *b;

	tlcp_init(t);
	t->c.suites = suite;
	pair_open(&t->p);
	say(&t->p.c, "one");
	say(&t->p.c, "two");
	b = end_out(&t->p.c, len);
	*first = TLCP_HEAD + hf_tls_head_get(b).len;
	return b;
}

static void records_out_of_order_or_twice_are_refused(void **state)
{
	static const unsigned suites[] = { HF_TLCP_ECC_SM4_GCM_SM3, HF_TLCP_ECC_SM4_CBC_SM3 };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(suites); i++) {
		struct tlcp_pair t;
		size_t first, len;
		uint8_t *b = two_records(&t, suites[i], &first, &len);

		end_feed(&t.p.s, b + first, len - first, SIZE_MAX, 1000);
		must_fail(&t.p.s, HF_ERR_AUTH, HF_ALERT_BAD_RECORD_MAC, "not authentic");
		free(b);
		pair_clear(&t.p);
		b = two_records(&t, suites[i], &first, &len);
		end_feed(&t.p.s, b, first, SIZE_MAX, 1000);
		assert_ok(hf_tls_error(&t.p.s.t));
		end_feed(&t.p.s, b, first, SIZE_MAX, 1000);
		must_fail(&t.p.s, HF_ERR_AUTH, HF_ALERT_BAD_RECORD_MAC, "not authentic");
		free(b);
		pair_clear(&t.p);
	}
}

static void any_altered_byte_of_a_record_is_the_same_failure(void **state)
{
	static const unsigned suites[] = { HF_TLCP_ECC_SM4_GCM_SM3, HF_TLCP_ECC_SM4_CBC_SM3 };
	size_t len = TLCP_HEAD + 1;

	(void)state;
	for (size_t i = 0; i < HF_COUNT(suites); i++) {
		for (size_t at = TLCP_HEAD; at < len; at++) {
			struct tlcp_pair t;
			size_t all;
			uint8_t *b = two_records(&t, suites[i], &len, &all);

			b[at] ^= 0x10;
			end_feed(&t.p.s, b, len, SIZE_MAX, 1000);
			must_fail(&t.p.s, HF_ERR_AUTH, HF_ALERT_BAD_RECORD_MAC,
				"record of the peer is not authentic");
			free(b);
			pair_clear(&t.p);
		}
	}
}

static void long_records_are_refused(void **state)
{
	static uint8_t content[HF_TLS_PLAIN_MAX + 1];
	static const uint8_t clear[] = { HF_TLS_HANDSHAKE, 1, 1, 0x40, 0x01 };
	static const uint8_t cipher[] = { HF_TLS_DATA, 1, 1, 0x48, 0x01 };
	static const uint8_t version[] = { HF_TLS_DATA, 3, 3, 0, 30 };
	struct tlcp_pair t;

	(void)state;
	tlcp_init(&t);
	pair_start(&t.p);
	end_feed(&t.p.s, clear, sizeof(clear), SIZE_MAX, 1000);
	must_fail(&t.p.s, HF_ERR_LIMIT, HF_ALERT_RECORD_OVERFLOW, "too long");
	pair_clear(&t.p);
	pair_open(&t.p);
	inject(&t.p.s, HF_TLS_DATA, content, sizeof(content));
	must_fail(&t.p.s, HF_ERR_LIMIT, HF_ALERT_RECORD_OVERFLOW, "too long");
	end_feed(&t.p.c, cipher, sizeof(cipher), 1, 1000);
	must_fail(&t.p.c, HF_ERR_LIMIT, HF_ALERT_RECORD_OVERFLOW, "too long");
	pair_clear(&t.p);
	pair_open(&t.p);
	end_feed(&t.p.c, version, sizeof(version), 1, 1000);
	must_fail(&t.p.c, HF_ERR_FORMAT, HF_ALERT_PROTOCOL_VERSION, "version");
	pair_clear(&t.p);
}

static void a_stream_cut_short_is_told_from_a_closed_one(void **state)
{
	struct tlcp_pair t;

	(void)state;
	tlcp_init(&t);
	pair_open(&t.p);
	say(&t.p.c, "one");
	pair_run(&t.p, SIZE_MAX);
	assert_err(hf_tls_eof(&t.p.s.t), HF_ERR_TRUNCATED);
	hears(&t.p.s, "one");
	pair_clear(&t.p);
}

static void floods_end_the_link(void **state)
{
	static const uint8_t warning[] = { 1, 100 };
	static const uint8_t odd[] = { 3, 0 };
	struct tlcp_pair t;

	(void)state;
	tlcp_init(&t);
	pair_open(&t.p);
	for (int i = 0; i < 8; i++) {
		struct hf_tlcp_dir *rx = &t.p.s.t.tlcp->rx;
		uint64_t n = rx->n;

		inject(&t.p.s, HF_TLS_ALERT, warning, sizeof(warning));
		assert_ok(hf_tls_error(&t.p.s.t));
		assert_int_equal(rx->n, n + 1);
	}
	inject(&t.p.s, HF_TLS_ALERT, warning, sizeof(warning));
	must_fail(&t.p.s, HF_ERR_LIMIT, HF_ALERT_UNEXPECTED_MESSAGE, "warnings");
	for (int i = 0; i < 16; i++)
		inject(&t.p.c, HF_TLS_DATA, NULL, 0);
	assert_ok(hf_tls_error(&t.p.c.t));
	inject(&t.p.c, HF_TLS_DATA, NULL, 0);
	must_fail(&t.p.c, HF_ERR_LIMIT, HF_ALERT_UNEXPECTED_MESSAGE, "empty records");
	pair_clear(&t.p);
	pair_open(&t.p);
	inject(&t.p.c, HF_TLS_ALERT, odd, sizeof(odd));
	must_fail(&t.p.c, HF_ERR_FORMAT, HF_ALERT_DECODE_ERROR, "malformed alert");
	inject(&t.p.s, HF_TLS_HANDSHAKE, NULL, 0);
	must_fail(&t.p.s, HF_ERR_STATE, HF_ALERT_UNEXPECTED_MESSAGE, "empty handshake record");
	pair_clear(&t.p);
}

static void keys_do_not_change_in_the_middle_of_a_message(void **state)
{
	static const uint8_t half[] = { HF_TLS_MSG_FINISHED, 0, 0 };
	static const uint8_t change[] = { 1 };
	struct tlcp_pair t;
	size_t len;
	uint8_t *b;

	(void)state;
	tlcp_init(&t);
	pair_start(&t.p);
	(void)move(&t.p, &t.p.c, &t.p.s, SIZE_MAX);
	(void)move(&t.p, &t.p.s, &t.p.c, SIZE_MAX);
	b = end_out(&t.p.c, &len);
	len -= TLCP_HEAD + 8 + 16 + 16 + TLCP_HEAD + 1; /* before change_cipher_spec */
	end_feed(&t.p.s, b, len, SIZE_MAX, 1000);
	assert_int_equal(t.p.s.t.state, HF_TLCP_S_CCS);
	inject(&t.p.s, HF_TLS_HANDSHAKE, half, sizeof(half));
	assert_ok(hf_tls_error(&t.p.s.t));
	inject(&t.p.s, HF_TLS_CCS, change, sizeof(change));
	must_fail(&t.p.s, HF_ERR_STATE, HF_ALERT_UNEXPECTED_MESSAGE, "change_cipher_spec");
	free(b);
	pair_clear(&t.p);
}

/* --- policy --- */

static void set_level(struct end *e, enum hf_level level)
{
	e->cfg.level = level;
	e->cfg.need_crl = false; /* another test's business */
}

static void config_is_refused(enum hf_level level, unsigned suites, bool allow_cbc, const char *row)
{
	struct tlcp_pair t;

	for (int side = 0; side < 2; side++) {
		struct end *e = side == 0 ? &t.p.c : &t.p.s;

		tlcp_init(&t);
		t.c.suites = t.s.suites = suites;
		t.c.allow_cbc = t.s.allow_cbc = allow_cbc;
		set_level(e, level);
		assert_err(hf_tls_init(&e->t, &e->cfg, &e->start), HF_ERR_DENIED);
		if (strstr(hf_tls_why(&e->t)->text, row) == NULL)
			fail_msg("\"%s\" does not say \"%s\"", hf_tls_why(&e->t)->text, row);
		hf_tls_clear(&e->t);
	}
}

static void what_the_level_forbids_cannot_be_configured(void **state)
{
	(void)state;
	config_is_refused(HF_L3, 0, true, "link.tlcp-ecdhe");
	config_is_refused(HF_L3, HF_TLCP_ECDHE_SM4_GCM_SM3, true, "link.tlcp-ecdhe");
	config_is_refused(HF_L2, HF_TLCP_ECC_SM4_GCM_SM3, true, "link.tlcp-ecc");
	config_is_refused(
		HF_L2, HF_TLCP_ECDHE_SM4_GCM_SM3 | HF_TLCP_ECC_SM4_GCM_SM3, true, "link.tlcp-ecc");
	config_is_refused(HF_L2, HF_TLCP_ECDHE_SM4_CBC_SM3, true, "link.tlcp-cbc");
	config_is_refused(HF_L1, HF_TLCP_ECDHE_SM4_CBC_SM3, false, "link.tlcp-cbc");
	config_is_refused(HF_L1, HF_TLCP_ECC_SM4_CBC_SM3, false, "link.tlcp-cbc");
}

static void the_enhanced_level_speaks_ecdhe_alone(void **state)
{
	struct tlcp_pair t;

	(void)state;
	tlcp_init(&t);
	set_level(&t.p.c, HF_L2);
	set_level(&t.p.s, HF_L2);
	pair_open(&t.p);
	assert_string_equal(hf_tlcp_suite_name(&t.p.c.t), "ECDHE_SM4_GCM_SM3");
	pair_clear(&t.p);
	set_level(&t.p.c, HF_L1);
	t.c.suites = HF_TLCP_ECC_SM4_GCM_SM3;
	tlcp_refusal(&t, &t.p.s, HF_ERR_DENIED, HF_ALERT_HANDSHAKE_FAILURE, "link.tlcp-ecc");
}

static void cbc_is_spoken_by_the_named_switch_alone(void **state)
{
	struct tlcp_pair t;

	(void)state;
	tlcp_init(&t);
	t.c.suites = HF_TLCP_ECDHE_SM4_CBC_SM3;
	t.s.allow_cbc = false;
	tlcp_refusal(&t, &t.p.s, HF_ERR_DENIED, HF_ALERT_HANDSHAKE_FAILURE, "link.tlcp-cbc");
}

static void contradicting_configurations_are_refused(void **state)
{
	struct tlcp_pair t;

	(void)state;
	tlcp_init(&t);
	t.p.s.cfg.tlcp = NULL;
	pair_start(&t.p);
	assert_err(t.p.s.err, HF_ERR_ARG);
	pair_clear(&t.p);
	tlcp_init(&t);
	t.s.enc_key = NULL;
	t.c.enc_key = NULL;
	pair_start(&t.p);
	assert_err(t.p.s.err, HF_ERR_ARG);
	assert_err(t.p.c.err, HF_ERR_ARG);
	pair_clear(&t.p);
	tlcp_init(&t);
	t.c.suites = 1 << 9;
	t.p.s.cfg.protocols = 0;
	pair_start(&t.p);
	assert_err(t.p.s.err, HF_ERR_ARG);
	assert_err(t.p.c.err, HF_ERR_ARG);
	pair_clear(&t.p);
	tlcp_init(&t);
	t.p.c.cfg.protocols = HF_TLS_13 | HF_TLS_TLCP;
	pair_start(&t.p);
	assert_err(t.p.c.err, HF_ERR_ARG);
	pair_clear(&t.p);
	tlcp_init(&t);
	t.c.enc_cert = two.server.cert.der; /* not that of the key */
	pair_start(&t.p);
	pair_run(&t.p, SIZE_MAX);
	assert_err(hf_tls_error(&t.p.c.t), HF_ERR_ARG);
	pair_clear(&t.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wrong_signature_is_refused),
		cmocka_unit_test(a_signature_with_another_id_is_refused),
		cmocka_unit_test(points_off_the_curve_are_refused),
		cmocka_unit_test(a_hello_that_chooses_what_was_not_offered_is_refused),
		cmocka_unit_test(a_downgrade_of_the_suite_is_refused),
		cmocka_unit_test(no_common_suite_is_a_failure),
		cmocka_unit_test(a_server_without_encryption_certificate_is_refused),
		cmocka_unit_test(certificates_that_changed_their_places_are_refused),
		cmocka_unit_test(encryption_certificates_are_held_to_their_purpose),
		cmocka_unit_test(another_subject_is_taken_where_that_is_tolerated),
		cmocka_unit_test(one_key_for_both_uses_is_refused),
		cmocka_unit_test(strangers_are_refused_on_both_sides),
		cmocka_unit_test(ecdhe_needs_both_certificates_of_the_client),
		cmocka_unit_test(nobody_learns_why_a_pre_master_secret_is_refused),
		cmocka_unit_test(a_key_that_does_not_answer_ends_the_link),
		cmocka_unit_test(a_wrong_finished_is_refused),
		cmocka_unit_test(renegotiation_is_refused),
		cmocka_unit_test(records_out_of_order_or_twice_are_refused),
		cmocka_unit_test(any_altered_byte_of_a_record_is_the_same_failure),
		cmocka_unit_test(long_records_are_refused),
		cmocka_unit_test(a_stream_cut_short_is_told_from_a_closed_one),
		cmocka_unit_test(floods_end_the_link),
		cmocka_unit_test(keys_do_not_change_in_the_middle_of_a_message),
		cmocka_unit_test(what_the_level_forbids_cannot_be_configured),
		cmocka_unit_test(the_enhanced_level_speaks_ecdhe_alone),
		cmocka_unit_test(cbc_is_spoken_by_the_named_switch_alone),
		cmocka_unit_test(contradicting_configurations_are_refused),
	};

	return run_both_ways(tests, start);
}
