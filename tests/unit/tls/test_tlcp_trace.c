/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recorded links of TLCP between foreign programs: each of our ends takes one side of them. What
 * our end says differs from what was said (its random values, its extensions), so the test puts
 * the recorded messages into the transcript in place of ours; everything the peer said is read as
 * it crossed the wire: its certificates, signatures, Finished, data and close_notify.
 */
#include "tlcp_fixture.h"

enum { RECORDS_MAX = 16, NAME_MAX_LEN = 64 };

static const char *const live[] = {
	"tlcp_live_1_ecc_sm4gcm.txt",
	"tlcp_live_2_ecc_sm4gcm_mutual.txt",
	"tlcp_live_3_ecc_sm4cbc.txt",
	"tlcp_live_4_ecdhe_sm4gcm_mutual.txt",
	"tlcp_live_5_ecc_sm4gcm_openhitls.txt",
};

struct record {
	uint8_t *p;
	size_t len;
};

/* One side of a link: our end, and what of the trace it needs. */
struct replay {
	const char *file;
	size_t step;
	struct end e;
	struct hf_tlcp_config tlcp;
	struct record to_client[RECORDS_MAX], to_server[RECORDS_MAX];
	size_t n_to_client, n_to_server;
	bool is_mutual;
	struct hf_cert ca;
	struct record ca_der, sign_der, enc_der;
	struct hf_bytes chain[1];
	struct hf_sm2_key sign, enc;
	struct hf_local_key sign_local, enc_local;
	struct hf_signer signer;
	struct hf_tlcp_enc_key enc_key;
};

static int start(void **state)
{
	(void)state;
	return hf_module_start(0) == HF_OK ? 0 : -1;
}

/* As trace(), but a name that is not there gives nothing. */
static bool find(struct record *r, const char *file, const char *name)
{
	static char line[FILE_ROOM];
	char path[512];
	char want[NAME_MAX_LEN + 4];
	bool found = false;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/vectors/%s", TEST_DATA, file);
	(void)snprintf(want, sizeof(want), "%s =", name);
	f = fopen(path, "r");
	assert_non_null(f);
	while (!found && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		found = strncmp(line, want, strlen(want)) == 0;
	}
	(void)fclose(f);
	if (found)
		r->p = test_hex(line + strlen(want) + (line[strlen(want)] == ' '), &r->len);
	return found;
}

static void need(struct record *r, const char *file, const char *name)
{
	if (!find(r, file, name))
		fail_msg("%s has no %s", file, name);
}

static void read_key(struct hf_sm2_key *key, const char *file, const char *name)
{
	struct record d;

	need(&d, file, name);
	assert_ok(hf_sm2_key_from_private(key, d.p));
	free(d.p);
}

static size_t read_records(struct record *out, const char *file, const char *name)
{
	char full[NAME_MAX_LEN];
	size_t n = 0;
	bool more = true;

	while (more && n < RECORDS_MAX) {
		(void)snprintf(full, sizeof(full), "%s[%zu]", name, n);
		more = find(&out[n], file, full);
		n += more;
	}
	return n;
}

/* Our own certificates and keys are those of the side that we take. */
static void read_own(struct replay *r, const char *side)
{
	char name[NAME_MAX_LEN];

	(void)snprintf(name, sizeof(name), "%sSignCert", side);
	need(&r->sign_der, r->file, name);
	(void)snprintf(name, sizeof(name), "%sEncCert", side);
	need(&r->enc_der, r->file, name);
	(void)snprintf(name, sizeof(name), "%sSignKey", side);
	read_key(&r->sign, r->file, name);
	(void)snprintf(name, sizeof(name), "%sEncKey", side);
	read_key(&r->enc, r->file, name);
	r->chain[0] = (struct hf_bytes){ r->sign_der.p, r->sign_der.len };
	r->sign_local = (struct hf_local_key){ &r->sign, &r->e.rng };
	r->enc_local = (struct hf_local_key){ &r->enc, &r->e.rng };
	r->signer = hf_signer_local(&r->sign_local);
	r->enc_key = hf_tlcp_enc_key_local(&r->enc_local);
	r->e.cfg.chain = r->chain;
	r->e.cfg.n_chain = 1;
	r->e.cfg.signer = &r->signer;
	r->tlcp.enc_cert = (struct hf_bytes){ r->enc_der.p, r->enc_der.len };
	r->tlcp.enc_key = &r->enc_key;
}

static void replay_init(struct replay *r, const char *file, enum hf_tls_role role, size_t step)
{
	struct record client;

	memset(r, 0, sizeof(*r));
	r->file = file;
	r->step = step;
	r->n_to_client = read_records(r->to_client, file, "ServerToClient");
	r->n_to_server = read_records(r->to_server, file, "ClientToServer");
	need(&r->ca_der, file, "CaCert");
	assert_ok(hf_cert_parse(&r->ca, r->ca_der.p, r->ca_der.len, NULL));
	r->is_mutual = find(&client, file, "ClientSignCert");
	if (r->is_mutual)
		free(client.p);
	hf_tls_config_init(&r->e.cfg, role, HF_L1);
	r->e.rng = test_rng(&r->e.state, 5);
	r->e.cfg.protocols = HF_TLS_TLCP;
	r->e.cfg.tlcp = &r->tlcp;
	r->e.cfg.mem = &test_mem;
	r->e.cfg.rng = &r->e.rng;
	r->e.cfg.roots = &r->ca;
	r->e.cfg.n_roots = 1;
	r->e.cfg.limits.plain_max = 2 * HF_TLCP_CIPHER_MAX;
	r->e.cfg.ask_client_cert = r->e.cfg.require_client_cert =
		role == HF_TLS_SERVER && r->is_mutual;
	r->e.start.now_s = TRACE_NOW_S;
	r->tlcp.allow_cbc = true;
	if (role == HF_TLS_SERVER)
		read_own(r, "Server");
	else if (r->is_mutual)
		read_own(r, "Client");
	assert_ok(hf_tls_init(&r->e.t, &r->e.cfg, &r->e.start));
}

static void replay_clear(struct replay *r)
{
	hf_tls_clear(&r->e.t);
	for (size_t i = 0; i < r->n_to_client; i++)
		free(r->to_client[i].p);
	for (size_t i = 0; i < r->n_to_server; i++)
		free(r->to_server[i].p);
	free(r->ca_der.p);
	free(r->sign_der.p);
	free(r->enc_der.p);
}

static void drop_out(struct replay *r)
{
	const uint8_t *out;

	hf_tls_sent(&r->e.t, hf_tls_out(&r->e.t, &out));
}

static void receive(struct replay *r, const struct record *rec)
{
	end_feed(&r->e, rec->p, rec->len, r->step, 0);
	if (r->e.err != HF_OK)
		fail_msg("%s: %s", r->file, hf_tls_why(&r->e.t)->text);
}

static size_t find_ccs(const struct record *rec, size_t n)
{
	size_t i = 0;

	while (i < n && rec[i].p[0] != HF_TLS_CCS)
		i++;
	assert_true(i < n);
	return i;
}

/* The handshake messages in the clear records from..to enter the transcript. */
static void absorb(struct hf_sm3 *h, const struct record *rec, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		if (rec[i].p[0] == HF_TLS_HANDSHAKE)
			hf_sm3_feed(h, rec[i].p + TLCP_HEAD, rec[i].len - TLCP_HEAD);
	}
}

static void put_randoms(struct replay *r)
{
	struct record c, s;

	need(&c, r->file, "ClientRandom");
	need(&s, r->file, "ServerRandom");
	memcpy(r->e.t.tlcp->hs->randoms, c.p, 32);
	memcpy(r->e.t.tlcp->hs->randoms + 32, s.p, 32);
	free(c.p);
	free(s.p);
}

/* What the peer sent as data, to its close_notify. */
static void hears_all(struct replay *r, const char *side)
{
	uint8_t got[256];
	size_t have = 0, n, at = 0;

	while (hf_tls_read(&r->e.t, &n, got + have, sizeof(got) - have) == HF_OK)
		have += n;
	for (size_t i = 0; i < 2; i++) {
		char name[NAME_MAX_LEN];
		struct record want = { 0 };

		(void)snprintf(name, sizeof(name), "%sAppPlaintext[%zu]", side, i);
		if (!find(&want, r->file, name))
			continue;
		assert_true(have - at >= want.len);
		assert_memory_equal(got + at, want.p, want.len);
		at += want.len;
		free(want.p);
	}
	assert_int_equal(at, have);
	assert_true(have > 0);
	assert_err(hf_tls_eof(&r->e.t), HF_ERR_CLOSED);
}

static void serves(const char *file, size_t step)
{
	struct replay r;
	struct hf_tlcp_hs *hs;
	size_t ccs;

	replay_init(&r, file, HF_TLS_SERVER, step);
	receive(&r, &r.to_server[0]);
	drop_out(&r);
	hs = r.e.t.tlcp->hs;
	put_randoms(&r);
	hf_sm3_init(&hs->transcript);
	absorb(&hs->transcript, r.to_server, 0, 1);
	for (size_t i = 0; i < r.n_to_client; i++) { /* its flight, that is: not its ticket */
		absorb(&hs->transcript, r.to_client, i, i + 1);
		if (r.to_client[i].p[TLCP_HEAD] == HF_TLCP_MSG_SHD)
			break;
	}
	if (hs->params_len > 0)
		read_key(&hs->eph, file, "ServerEphemeralPrivate");

	ccs = find_ccs(r.to_server, r.n_to_server);
	for (size_t i = 1; i < ccs; i++)
		receive(&r, &r.to_server[i]);
	assert_bytes(r.e.t.tlcp->session.master, HF_TLCP_MASTER_LEN, file, "MasterSecret");
	for (size_t i = ccs; i < r.n_to_server; i++)
		receive(&r, &r.to_server[i]);
	assert_true(hf_tls_is_open(&r.e.t));
	assert_int_equal(hf_tls_peer(&r.e.t) != NULL, r.is_mutual);
	hears_all(&r, "Client");
	replay_clear(&r);
}

static void asks(const char *file, size_t step)
{
	struct replay r;
	struct record b;
	struct hf_tlcp_hs *hs;
	size_t i = 0, ccs;

	replay_init(&r, file, HF_TLS_CLIENT, step);
	drop_out(&r);
	hs = r.e.t.tlcp->hs;
	put_randoms(&r);
	hf_sm3_init(&hs->transcript);
	absorb(&hs->transcript, r.to_server, 0, 1);
	while (r.e.t.state < HF_TLCP_C_CCS) {
		assert_true(i < r.n_to_client);
		receive(&r, &r.to_client[i++]);
	}
	drop_out(&r);

	/* What the client of the trace said, in place of what ours did. */
	hf_sm3_init(&hs->transcript);
	absorb(&hs->transcript, r.to_server, 0, 1);
	absorb(&hs->transcript, r.to_client, 0, i);
	ccs = find_ccs(r.to_server, r.n_to_server);
	absorb(&hs->transcript, r.to_server, 1, ccs);
	need(&b, file, "ClientFinished");
	hf_sm3_feed(&hs->transcript, b.p, b.len);
	free(b.p);
	need(&b, file, "MasterSecret");
	memcpy(r.e.t.tlcp->session.master, b.p, HF_TLCP_MASTER_LEN);
	free(b.p);
	hf_tlcp_make_block(&r.e.t);
	for (; i < r.n_to_client; i++)
		receive(&r, &r.to_client[i]);
	assert_true(hf_tls_is_open(&r.e.t));
	assert_non_null(hf_tls_peer(&r.e.t));
	hears_all(&r, "Server");
	replay_clear(&r);
}

static void our_server_takes_the_server_s_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_COUNT(live); i++) {
		serves(live[i], SIZE_MAX);
		serves(live[i], 1);
	}
}

static void our_client_takes_the_client_s_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_COUNT(live); i++) {
		asks(live[i], SIZE_MAX);
		asks(live[i], 1);
	}
}

/* The hello of our client is that of the computed traces, byte for byte. */
static void our_hello_is_the_standard_s(void **state)
{
	static const struct {
		const char *file;
		unsigned suite;
	} traces[] = {
		{ "tlcp_ecc_sm4gcm.txt", HF_TLCP_ECC_SM4_GCM_SM3 },
		{ "tlcp_ecc_sm4cbc.txt", HF_TLCP_ECC_SM4_CBC_SM3 },
		{ "tlcp_ecc_sm4gcm_mutual.txt", HF_TLCP_ECC_SM4_GCM_SM3 },
	};

	(void)state;
	for (size_t i = 0; i < HF_COUNT(traces); i++) {
		struct script s = { .len = 0 };
		struct end e;
		struct hf_tlcp_config tlcp = { .suites = traces[i].suite, .allow_cbc = true };
		struct record random;
		const uint8_t *out;
		size_t len;

		memset(&e, 0, sizeof(e));
		need(&random, traces[i].file, "ClientRandom");
		script_put(&s, random.p, random.len);
		free(random.p);
		e.rng = (struct hf_rng){ script_fill, &s };
		hf_tls_config_init(&e.cfg, HF_TLS_CLIENT, HF_L1);
		e.cfg.protocols = HF_TLS_TLCP;
		e.cfg.tlcp = &tlcp;
		e.cfg.mem = &test_mem;
		e.cfg.rng = &e.rng;
		e.cfg.limits.plain_max = 2 * HF_TLCP_CIPHER_MAX;
		assert_ok(hf_tls_init(&e.t, &e.cfg, &e.start));
		len = hf_tls_out(&e.t, &out);
		assert_bytes(out, len, traces[i].file, "ClientHelloRecord");
		hf_tls_clear(&e.t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_server_takes_the_server_s_place),
		cmocka_unit_test(our_client_takes_the_client_s_place),
		cmocka_unit_test(our_hello_is_the_standard_s),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
