/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recorded handshakes with OpenSSL 4.0, byte for byte: with the client's random value and private
 * keys of the trace, the engine sends exactly the records of the trace and reads the server's.
 */
#include "tls_fixture.h"

#include "base/wr.h"
#include "tls/resume.h"

#define CCM    "tls13_sm4ccm_full.txt"
#define RESUME "tls13_sm4gcm_resume.txt"
#define FULL   "tls13_sm4gcm_full.txt"
#define MUTUAL "tls13_sm4gcm_mutual.txt"
#define HRR    "tls13_sm4gcm_hrr.txt"
#define KEYS   "tls13_testkeys.txt"

struct replay {
	const char *file;
	size_t step;
	struct end e;
	struct script script;
	struct hf_cert ca;
	uint8_t *ca_der;
	uint8_t *own_der;
	struct hf_bytes chain[1];
	struct hf_sm2_key key;
	struct script nonce;
	struct hf_rng nonce_rng;
	struct hf_local_key local;
	struct hf_signer signer;
};

static int start(void **state)
{
	(void)state;
	return hf_module_start(0) == HF_OK ? 0 : -1;
}

static void put_trace(struct script *s, const char *file, const char *name, size_t at, size_t n)
{
	size_t len;
	uint8_t *b = trace(file, name, &len);

	assert_true(at + n <= len);
	script_put(s, b + at, n);
	free(b);
}

static void replay_init(struct replay *r, const char *file, size_t step)
{
	size_t len;

	memset(r, 0, sizeof(*r));
	r->file = file;
	r->step = step;
	r->ca_der = vector_field(KEYS, "ca", "Cert", &len);
	assert_ok(hf_cert_parse(&r->ca, r->ca_der, len, NULL));
	r->e.rng = (struct hf_rng){ script_fill, &r->script };
	hf_tls_config_init(&r->e.cfg, HF_TLS_CLIENT, HF_L1);
	r->e.cfg.mem = &test_mem;
	r->e.cfg.rng = &r->e.rng;
	r->e.cfg.roots = &r->ca;
	r->e.cfg.n_roots = 1;
	r->e.start.now_s = TRACE_NOW_S;
}

/* The client certificate of the trace, and the nonce its signature was made with. */
static void replay_own(struct replay *r)
{
	static const char seed[] = "client nonce 1";
	uint8_t k[HF_SM3_LEN];
	size_t len;
	uint8_t *d = vector_field(KEYS, "client-sign", "PrivateKey", &len);

	assert_ok(hf_sm2_key_from_private(&r->key, d));
	free(d);
	r->own_der = vector_field(KEYS, "client-sign", "Cert", &len);
	r->chain[0] = (struct hf_bytes){ r->own_der, len };
	hf_sm3(k, seed, sizeof(seed) - 1);
	script_put(&r->nonce, k, sizeof(k));
	r->nonce_rng = (struct hf_rng){ script_fill, &r->nonce };
	r->local = (struct hf_local_key){ &r->key, &r->nonce_rng };
	r->signer = hf_signer_local(&r->local);
	r->e.cfg.chain = r->chain;
	r->e.cfg.n_chain = 1;
	r->e.cfg.signer = &r->signer;
}

static void replay_clear(struct replay *r)
{
	hf_tls_clear(&r->e.t);
	free(r->ca_der);
	free(r->own_der);
}

static void receive(struct replay *r, const char *name)
{
	size_t len;
	uint8_t *b = trace(r->file, name, &len);

	end_feed(&r->e, b, len, r->step, 0);
	if (r->e.err != HF_OK)
		fail_msg("%s: %s", name, hf_tls_why(&r->e.t)->text);
	free(b);
}

static void sends(struct replay *r, const char *name)
{
	const uint8_t *out;
	size_t len = hf_tls_out(&r->e.t, &out);
	size_t want_len;
	uint8_t *want = trace(r->file, name, &want_len);

	assert_true(len >= want_len);
	assert_bytes(out, want_len, r->file, name);
	hf_tls_sent(&r->e.t, want_len);
	free(want);
}

static void sends_nothing_more(struct replay *r)
{
	const uint8_t *out;

	assert_int_equal(hf_tls_out(&r->e.t, &out), 0);
}

static void hears_trace(struct replay *r, const char *name)
{
	uint8_t b[256];
	size_t len;

	assert_ok(hf_tls_read(&r->e.t, &len, b, sizeof(b)));
	assert_bytes(b, len, r->file, name);
}

static void says_trace(struct replay *r, const char *plain, const char *record)
{
	size_t len, used;
	uint8_t *b = trace(r->file, plain, &len);

	assert_ok(hf_tls_write(&r->e.t, &used, b, len));
	assert_int_equal(used, len);
	sends(r, record);
	free(b);
}

static const uint8_t *iv_of(const struct hf_tls_dir *d)
{
	return d->suite->bit == HF_TLS_SUITE_GCM ? d->gcm.count.iv : d->ccm.count.iv;
}

/* Everything after the client's flight is the same in all full handshakes. */
static void replay_data(struct replay *r)
{
	uint8_t exported[32];

	assert_bytes(r->e.t.exporter, 32, r->file, "ExporterMasterSecret");
	assert_bytes(r->e.t.tx.secret, 32, r->file, "ClientApplicationTrafficSecret0");
	assert_bytes(r->e.t.rx.secret, 32, r->file, "ServerApplicationTrafficSecret0");
	assert_bytes(iv_of(&r->e.t.tx), 12, r->file, "ClientApplicationIv");

	receive(r, "ServerPostHandshakeRecords[0]"); /* two tickets */
	receive(r, "ServerPostHandshakeRecords[1]");
	says_trace(r, "ClientAppPlaintext1", "ClientAppRecord1");
	receive(r, "ServerAppRecord1");
	hears_trace(r, "ServerAppPlaintext1");

	assert_ok(hf_tls_key_update(&r->e.t, true));
	sends(r, "ClientKeyUpdateRecord");
	assert_bytes(r->e.t.tx.secret, 32, r->file, "ClientApplicationTrafficSecret1");
	says_trace(r, "ClientAppPlaintext2", "ClientAppRecord2");
	receive(r, "ServerKeyUpdateRecord");
	assert_bytes(r->e.t.rx.secret, 32, r->file, "ServerApplicationTrafficSecret1");
	receive(r, "ServerAppRecord2");
	hears_trace(r, "ServerAppPlaintext2");
	sends_nothing_more(r);

	assert_ok(hf_tls_export(
		&r->e.t, exported, sizeof(exported), "EXPORTER-test", "ctx", strlen("ctx")));
	assert_bytes(exported, 32, r->file, "ExporterLabelExporter-testContextCtx32");
}

static void replay_full(const char *file, unsigned suites, size_t step)
{
	struct replay r;

	replay_init(&r, file, step);
	r.e.cfg.suites = suites;
	put_trace(&r.script, file, "ClientHello", 6, 32);
	put_trace(&r.script, file, "ClientEphemeralPrivate", 0, 32);
	r.e.start.server_name = "server.example";
	assert_ok(hf_tls_init(&r.e.t, &r.e.cfg, &r.e.start));
	sends(&r, "ClientHelloRecord");
	sends_nothing_more(&r);

	receive(&r, "ServerHelloRecord");
	assert_bytes(r.e.t.hs->c_hs, 32, file, "ClientHandshakeTrafficSecret");
	assert_bytes(r.e.t.hs->s_hs, 32, file, "ServerHandshakeTrafficSecret");
	assert_bytes(r.e.t.hs->secret, 32, file, "HandshakeSecret");
	assert_bytes(iv_of(&r.e.t.rx), 12, file, "ServerHandshakeIv");
	receive(&r, "ServerCcs");
	receive(&r, "ServerFlightRecords[0]");
	receive(&r, "ServerFlightRecords[1]");
	receive(&r, "ServerFlightRecords[2]");
	assert_false(hf_tls_is_open(&r.e.t));
	sends_nothing_more(&r);
	receive(&r, "ServerFlightRecords[3]");
	assert_true(hf_tls_is_open(&r.e.t));
	assert_true(hf_cert_has_dns(hf_tls_peer(&r.e.t), "server.example"));
	sends(&r, "ClientFlightRecords[0]");
	sends_nothing_more(&r);
	replay_data(&r);
	replay_clear(&r);
}

static void full_handshake_is_the_recorded_one(void **state)
{
	(void)state;
	replay_full(FULL, HF_TLS_SUITE_GCM, SIZE_MAX);
}

static void ccm_handshake_is_the_recorded_one(void **state)
{
	(void)state;
	replay_full(CCM, HF_TLS_SUITE_CCM, SIZE_MAX);
	replay_full(CCM, HF_TLS_SUITE_CCM, 1);
}

/* The session that the full handshake left behind, as the trace has its parts. */
static struct hf_tls_session *recorded_session(void)
{
	struct hf_tls_resume x = {
		.suite = 0x00c6,
		.level = HF_L1,
		.made_s = TRACE_NOW_S,
		.first_s = TRACE_NOW_S,
		.name = hf_bytes_str("server.example"),
		.n_certs = 1,
	};
	struct hf_tls_session *s = NULL;
	struct hf_tls_ticket t;
	size_t psk_len, cert_len, ticket_len;
	uint8_t *psk = trace(RESUME, "Psk", &psk_len);
	uint8_t *cert = vector_field(KEYS, "server-sign", "Cert", &cert_len);
	uint8_t *ticket = trace(FULL, "NewSessionTickets[0]", &ticket_len);

	assert_int_equal(psk_len, sizeof(x.psk));
	memcpy(x.psk, psk, sizeof(x.psk));
	assert_ok(hf_tls_ticket_parse(&t, ticket + 4, ticket_len - 4));
	x.life_s = t.life_s;
	x.age_add = t.age_add;
	x.ticket = t.ticket;
	x.cert[0] = (struct hf_bytes){ cert, cert_len };
	assert_ok(hf_tls_session_make(&s, &test_mem, &x));
	free(psk);
	free(cert);
	free(ticket);
	return s;
}

static void resumed_handshake_is_the_recorded_one(void **state)
{
	struct hf_tls_session *s = recorded_session();
	struct replay r;

	(void)state;
	replay_init(&r, RESUME, 1);
	put_trace(&r.script, RESUME, "ClientHello", 6, 32);
	put_trace(&r.script, RESUME, "ClientEphemeralPrivate", 0, 32);
	r.e.start.server_name = "server.example";
	r.e.start.session = s;
	assert_ok(hf_tls_init(&r.e.t, &r.e.cfg, &r.e.start));
	hf_tls_session_free(s);
	assert_bytes(r.e.t.hs->early, 32, RESUME, "EarlySecret");
	sends(&r, "ClientHelloRecord");
	receive(&r, "ServerHelloRecord");
	receive(&r, "ServerCcs");
	receive(&r, "ServerFlightRecords[0]");
	receive(&r, "ServerFlightRecords[1]");
	assert_true(hf_tls_is_open(&r.e.t) && hf_tls_is_resumed(&r.e.t));
	assert_true(hf_cert_has_dns(hf_tls_peer(&r.e.t), "server.example"));
	sends(&r, "ClientFlightRecords[0]");
	assert_bytes(r.e.t.exporter, 32, RESUME, "ExporterMasterSecret");
	receive(&r, "ServerPostHandshakeRecords[0]");
	says_trace(&r, "ClientAppPlaintext1", "ClientAppRecord1");
	receive(&r, "ServerAppRecord1");
	hears_trace(&r, "ServerAppPlaintext1");
	replay_clear(&r);
}

static void full_handshake_is_the_same_byte_by_byte(void **state)
{
	(void)state;
	replay_full(FULL, HF_TLS_SUITE_GCM, 1);
	replay_full(FULL, HF_TLS_SUITE_GCM, 7);
}

static void replay_mutual(bool async)
{
	struct replay r;

	replay_init(&r, MUTUAL, SIZE_MAX);
	replay_own(&r);
	if (async)
		r.e.cfg.signer = NULL;
	put_trace(&r.script, MUTUAL, "ClientHello", 6, 32);
	put_trace(&r.script, MUTUAL, "ClientEphemeralPrivate", 0, 32);
	r.e.start.server_name = "server.example";
	assert_ok(hf_tls_init(&r.e.t, &r.e.cfg, &r.e.start));
	sends(&r, "ClientHelloRecord");
	receive(&r, "ServerHelloRecord");
	receive(&r, "ServerCcs");
	receive(&r, "ServerFlightRecords[0]");
	receive(&r, "ServerFlightRecords[1]");
	receive(&r, "ServerFlightRecords[2]");
	receive(&r, "ServerFlightRecords[3]");
	receive(&r, "ServerFlightRecords[4]");
	if (async) {
		struct hf_tls_cv cv;
		uint8_t digest[HF_SM3_LEN];
		struct hf_sm2_sig sig;

		assert_true(hf_tls_wants(&r.e.t) & HF_WANT_SIGN);
		assert_false(hf_tls_wants(&r.e.t) & HF_WANT_READ);
		assert_false(hf_tls_is_open(&r.e.t));
		assert_ok(hf_tls_sign_get(&r.e.t, &cv));
		assert_ok(hf_tls_cv_digest(digest, &cv, &r.signer.pub));
		assert_ok(r.signer.sign_digest(r.signer.ctx, digest, &sig));
		assert_ok(hf_tls_sign_done(&r.e.t, &sig));
		assert_err(hf_tls_sign_done(&r.e.t, &sig), HF_ERR_STATE);
	}
	assert_true(hf_tls_is_open(&r.e.t));
	assert_int_equal(hf_tls_peer_der(&r.e.t, 0).len > 0, 1);
	assert_int_equal(hf_tls_peer_der(&r.e.t, 1).len, r.ca.der.len);
	assert_int_equal(hf_tls_peer_der(&r.e.t, 2).len, 0);
	sends(&r, "ClientFlightRecords[0]");
	sends(&r, "ClientFlightRecords[1]");
	sends(&r, "ClientFlightRecords[2]");
	sends_nothing_more(&r);
	replay_data(&r);
	replay_clear(&r);
}

static void mutual_handshake_is_the_recorded_one(void **state)
{
	(void)state;
	replay_mutual(false);
}

static void mutual_handshake_is_the_same_with_the_key_elsewhere(void **state)
{
	(void)state;
	replay_mutual(true);
}

static void retried_handshake_is_the_recorded_one(void **state)
{
	struct replay r;
	const uint8_t *out;
	size_t len, record_len;
	uint8_t *hello;
	uint8_t record[5 + 256] = { HF_TLS_HANDSHAKE, 3, 3, 0, 0 };

	(void)state;
	replay_init(&r, HRR, SIZE_MAX);
	r.e.cfg.defer_share = true;
	put_trace(&r.script, HRR, "ClientHello1", 6, 32);
	put_trace(&r.script, HRR, "ClientEphemeralPrivate", 0, 32);
	assert_ok(hf_tls_init(&r.e.t, &r.e.cfg, &r.e.start));
	len = hf_tls_out(&r.e.t, &out);
	assert_memory_equal(out, "\x16\x03\x01\x00\x4c", 5);
	assert_bytes(out + 5, len - 5, HRR, "ClientHello1");
	hf_tls_sent(&r.e.t, len);

	receive(&r, "RecordsAfterHrr[0]");
	receive(&r, "RecordsAfterHrr[1]");
	len = hf_tls_out(&r.e.t, &out);
	assert_memory_equal(out, "\x16\x03\x03\x00\x91", 5);
	assert_bytes(out + 5, len - 5, HRR, "ClientHello2");
	hf_tls_sent(&r.e.t, len);

	hello = trace(HRR, "ServerHello", &record_len);
	memcpy(record + 5, hello, record_len);
	record[4] = (uint8_t)record_len;
	end_feed(&r.e, record, record_len + 5, SIZE_MAX, 0);
	assert_ok(r.e.err);
	assert_bytes(r.e.t.hs->secret, 32, HRR, "HandshakeSecret");
	assert_bytes(r.e.t.hs->c_hs, 32, HRR, "ClientHandshakeTrafficSecret");
	assert_bytes(r.e.t.hs->s_hs, 32, HRR, "ServerHandshakeTrafficSecret");
	free(hello);
	replay_clear(&r);
}

/* The server of the trace, played by ours: the same HelloRetryRequest for the same first hello. */
static void our_server_retries_like_the_recorded_one(void **state)
{
	struct replay r;
	struct hf_tls_config *cfg = &r.e.cfg;
	size_t len;
	uint8_t *hello;
	uint8_t record[5 + 256] = { HF_TLS_HANDSHAKE, 3, 1, 0, 0 };

	(void)state;
	replay_init(&r, HRR, SIZE_MAX);
	replay_own(&r);
	cfg->role = HF_TLS_SERVER;
	assert_ok(hf_tls_init(&r.e.t, cfg, &r.e.start));
	hello = trace(HRR, "ClientHello1", &len);
	memcpy(record + 5, hello, len);
	record[4] = (uint8_t)len;
	end_feed(&r.e, record, len + 5, SIZE_MAX, 0);
	assert_ok(r.e.err);
	sends(&r, "RecordsAfterHrr[0]");
	sends_nothing_more(&r); /* no CCS: the client's session id is empty */
	free(hello);
	replay_clear(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_handshake_is_the_recorded_one),
		cmocka_unit_test(full_handshake_is_the_same_byte_by_byte),
		cmocka_unit_test(ccm_handshake_is_the_recorded_one),
		cmocka_unit_test(resumed_handshake_is_the_recorded_one),
		cmocka_unit_test(mutual_handshake_is_the_recorded_one),
		cmocka_unit_test(mutual_handshake_is_the_same_with_the_key_elsewhere),
		cmocka_unit_test(retried_handshake_is_the_recorded_one),
		cmocka_unit_test(our_server_retries_like_the_recorded_one),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
