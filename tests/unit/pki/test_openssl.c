/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both ways with the openssl command of the machine: what we make it accepts, what it makes we
 * accept, and each refuses what the other's key did not sign. Skipped where there is no openssl 3.
 */
#include "pki_fixture.h"

#include <sys/wait.h>

#include "codec/pem.h"
#include "pki/chain.h"
#include "pki/ocsp.h"
#include "pki/pkcs8.h"
#include "pki/spki.h"
#include "tmp.h"

#define DISTID "distid:1234567812345678"

static char dir[TEST_PATH_MAX];
static struct party root;
static struct party sub;
static struct party leaf;
static const struct hf_bytes pass = { (const uint8_t *)"pass1234", 8 };

/* Exit code of a shell command run in the test's directory; its words go to a file there. */
static int run(const char *command)
{
	char line[1024];
	int status;

	(void)snprintf(line, sizeof(line), "cd '%s' && { %s; } >out.txt 2>&1", dir, command);
	status = system(line);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void expect_run(const char *command)
{
	char show[TEST_PATH_MAX + 32];

	if (run(command) == 0)
		return;
	(void)snprintf(show, sizeof(show), "cat '%s/out.txt' >&2", dir);
	(void)!system(show);
	fail_msg("failed: %s", command);
}

static void write_pem(const char *name, const char *label, struct hf_bytes der)
{
	static uint8_t text[16384];
	struct hf_writer w = { .p = text, .cap = sizeof(text) };

	hf_pem_emit(&w, label, der.p, der.len);
	assert_ok(hf_wr_done(&w));
	test_file_put(test_path(dir, name), w.p, w.len);
}

static struct hf_bytes read_file(const char *name)
{
	static uint8_t text[16384];
	FILE *f = fopen(test_path(dir, name), "rb");
	size_t len;

	assert_non_null(f);
	len = fread(text, 1, sizeof(text), f);
	(void)fclose(f);
	return (struct hf_bytes){ text, len };
}

static struct hf_bytes read_pem(const char *name, const char *label)
{
	static uint8_t der[8192];
	size_t len = 0;

	assert_ok(hf_pem_parse(der, sizeof(der), &len, label, read_file(name)));
	return (struct hf_bytes){ der, len };
}

#define SKIP_WITHOUT_OPENSSL() \
	do { \
		if (run("openssl version | grep '^OpenSSL 3'") != 0) { \
			print_message("skipped: no openssl 3 command\n"); \
			skip(); \
		} \
	} while (0)

static void openssl_accepts_our_path(void **state)
{
	static const char *const dns[] = { "hub.example" };
	const struct hf_identity identity = { HF_ROLE_HUB, HF_L3, "plant-7", "hub-01" };
	struct hf_cert_spec spec = ca_spec(&root, &root);

	(void)state;
	SKIP_WITHOUT_OPENSSL();
	party_issue(&root, &spec, &root);
	spec = ca_spec(&sub, &root);
	spec.has_path_len = true;
	party_issue(&sub, &spec, &root);
	spec = party_spec(&leaf, &sub);
	spec.eku = HF_EKU_SERVER;
	spec.dns = dns;
	spec.n_dns = 1;
	spec.identity = &identity;
	party_issue(&leaf, &spec, &sub);
	write_pem("root.pem", "CERTIFICATE", root.cert.der);
	write_pem("sub.pem", "CERTIFICATE", sub.cert.der);
	write_pem("leaf.pem", "CERTIFICATE", leaf.cert.der);
	/* openssl 3.0 takes the ID for the first certificate of a path only: one step at a time. */
	expect_run("openssl verify -x509_strict -attime 1790000000 -vfyopt " DISTID
		   " -CAfile root.pem sub.pem");
	expect_run("openssl verify -x509_strict -partial_chain -attime 1790000000 -vfyopt " DISTID
		   " -purpose sslserver -verify_hostname hub.example -trusted sub.pem leaf.pem");
	assert_int_not_equal(run("openssl verify -partial_chain -attime 1790000000 -vfyopt "
				 "distid:other -trusted sub.pem leaf.pem"),
		0);
	assert_int_not_equal(run("openssl verify -partial_chain -attime 1790000000 -vfyopt " DISTID
				 " -trusted root.pem leaf.pem"),
		0);
	expect_run("openssl x509 -in leaf.pem -noout -text | grep 'URI:hufu:role=hub;level=3;domain"
		   "=plant-7;id=hub-01'");
}

static void openssl_accepts_our_request(void **state)
{
	const struct hf_identity identity = { HF_ROLE_DEVICE, HF_L1, "d", "x" };
	struct hf_csr_spec spec = { .subject = leaf.subject, .identity = &identity };
	struct hf_buf der;

	(void)state;
	SKIP_WITHOUT_OPENSSL();
	hf_buf_init(&der, &test_mem, HF_CSR_DER_MAX);
	assert_ok(hf_csr_build(&der, &spec, &leaf.signer, NULL));
	write_pem("csr.pem", "CERTIFICATE REQUEST", (struct hf_bytes){ der.p, der.len });
	expect_run("openssl req -in csr.pem -noout -verify -vfyopt " DISTID);
	expect_run("openssl req -in csr.pem -noout -text | grep 'URI:hufu:role=device'");
	hf_buf_clear(&der);
}

static void openssl_accepts_our_list(void **state)
{
	static const uint8_t serial[] = { 0x91, 2, 3, 4 };
	const struct hf_crl_entry entry = { serial, 4, NOW_S - 10, 1 };
	struct hf_crl_spec spec = { root.subject, NOW_S, NOW_S + DAY_S, 9, &entry, 1, 0 };
	uint8_t sig[HF_SM2_SIG_DER_MAX];
	struct hf_crl crl;
	struct hf_buf der;

	(void)state;
	SKIP_WITHOUT_OPENSSL();
	hf_buf_init(&der, &test_mem, HF_CRL_DER_MAX);
	assert_ok(hf_crl_build(&der, &spec, &root.signer, NULL));
	assert_ok(hf_crl_parse(&crl, der.p, der.len, NULL));
	write_pem("crl.pem", "X509 CRL", (struct hf_bytes){ der.p, der.len });
	expect_run("openssl crl -in crl.pem -noout -text | grep 'Serial Number: 91020304'");
	expect_run("openssl crl -in crl.pem -noout -text | grep 'Key Compromise'");
	/* openssl crl cannot be told the ID, so the signature is checked over its bytes. */
	test_file_put(test_path(dir, "tbs"), crl.tbs.p, crl.tbs.len);
	test_file_put(test_path(dir, "sig"), sig, hf_sm2_sig_emit_der(sig, &crl.sig));
	expect_run("openssl x509 -in root.pem -noout -pubkey >root.pub && openssl pkeyutl -verify "
		   "-rawin -digest sm3 -pkeyopt " DISTID
		   " -pubin -inkey root.pub -sigfile sig -in tbs");
	hf_buf_clear(&der);
}

static void openssl_reads_our_plain_key(void **state)
{
	uint8_t out[HF_PKCS8_EMIT_MAX];
	struct hf_writer w = { .p = out, .cap = sizeof(out) };
	struct hf_bytes spki;
	struct hf_sm2_pub pub;

	(void)state;
	SKIP_WITHOUT_OPENSSL();
	hf_pkcs8_emit(&w, &leaf.key);
	write_pem("key.pem", "PRIVATE KEY", (struct hf_bytes){ out, w.len });
	expect_run("openssl pkey -in key.pem -check -pubout -out pub.pem");
	spki = read_pem("pub.pem", "PUBLIC KEY");
	assert_ok(hf_spki_parse(&pub, spki.p, spki.len));
	assert_memory_equal(&pub, &leaf.key.pub, sizeof(pub));
}

/* A key and a self-signed CA made by openssl, in o.key and o.pem. */
static void make_foreign_ca(void)
{
	expect_run("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:SM2 -out o.key");
	expect_run("openssl req -x509 -new -key o.key -sm3 -sigopt " DISTID
		   " -subj '/O=Example/CN=foreign CA' -days 30 -addext keyUsage=critical,"
		   "keyCertSign,cRLSign -out o.pem");
}

static void we_read_keys_of_openssl(void **state)
{
	static const char *const commands[] = {
		"cp o.key f.key",
		"openssl ec -in o.key -out f.key",
		"openssl pkcs8 -topk8 -in o.key -passout pass:pass1234 -out f.key",
		"openssl pkcs8 -topk8 -v2 sm4-cbc -in o.key -passout pass:pass1234 -out f.key",
		"openssl pkcs8 -topk8 -v2 aes-128-cbc -in o.key -passout pass:pass1234 -out f.key",
		"openssl pkey -in o.key -outform DER -out f.key",
	};
	const struct hf_bytes wrong = { (const uint8_t *)"pass12345", 9 };
	struct hf_sm2_key key;
	struct hf_bytes spki;
	struct hf_sm2_pub pub;

	(void)state;
	SKIP_WITHOUT_OPENSSL();
	make_foreign_ca();
	expect_run("openssl pkey -in o.key -pubout -out o.pub");
	spki = read_pem("o.pub", "PUBLIC KEY");
	assert_ok(hf_spki_parse(&pub, spki.p, spki.len));
	for (size_t i = 0; i < HF_COUNT(commands); i++) {
		expect_run(commands[i]);
		assert_ok(hf_pkcs8_read(&key, read_file("f.key"), pass, NULL));
		assert_memory_equal(&key.pub, &pub, sizeof(pub));
		if (i >= 2 && i <= 4)
			assert_err(
				hf_pkcs8_read(&key, read_file("f.key"), wrong, NULL), HF_ERR_AUTH);
	}
	expect_run("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out f.key");
	assert_err(hf_pkcs8_read(&key, read_file("f.key"), pass, NULL), HF_ERR_UNSUPPORTED);
}

static void we_accept_certificates_and_requests_of_openssl(void **state)
{
	struct hf_chain_query q = { .purpose = HF_PURPOSE_SERVER, .n_roots = 1 };
	struct hf_errinfo ei = { 0 };
	struct hf_cert ca = { 0 };
	struct hf_cert c = { 0 };
	struct hf_bytes der;
	struct hf_csr csr;

	(void)state;
	SKIP_WITHOUT_OPENSSL();
	make_foreign_ca();
	expect_run("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:SM2 -out s.key");
	expect_run("openssl req -new -key s.key -sm3 -sigopt " DISTID
		   " -subj /CN=server -addext subjectAltName=DNS:x.example,IP:10.0.0.1 -out s.csr");
	expect_run("printf 'keyUsage=critical,digitalSignature\\nextendedKeyUsage=serverAuth\\n"
		   "subjectAltName=DNS:x.example\\n' >ext && openssl x509 -req -in s.csr -CA o.pem "
		   "-CAkey o.key -sm3 -sigopt " DISTID " -vfyopt " DISTID
		   " -days 5 -extfile ext -out s.pem");
	der = read_pem("s.csr", "CERTIFICATE REQUEST");
	assert_ok(hf_csr_parse(&csr, der.p, der.len, NULL));
	assert_ok(hf_csr_verify(&csr, NULL));
	assert_true(csr.san.len > 0 && !csr.has_identity);

	der = read_pem("o.pem", "CERTIFICATE");
	assert_ok(hf_cert_copy(&ca, &test_mem, der.p, der.len, NULL));
	der = read_pem("s.pem", "CERTIFICATE");
	assert_ok(hf_cert_copy(&c, &test_mem, der.p, der.len, NULL));
	assert_memory_equal(&c.key, &csr.key, sizeof(c.key));
	q.leaf = &c;
	q.roots = &ca;
	q.now_s = c.not_before_s + 60;
	q.want.dns = "x.example";
	if (hf_chain_check(NULL, &q, &ei) != HF_OK)
		fail_msg("%s", ei.text);
	q.purpose = HF_PURPOSE_CLIENT;
	assert_err(hf_chain_check(NULL, &q, NULL), HF_ERR_PURPOSE);
	hf_cert_clear(&ca);
	hf_cert_clear(&c);
}

static void we_accept_lists_of_openssl(void **state)
{
	static const uint8_t serial[] = { 0x10, 2 };
	struct hf_cert ca = { 0 };
	struct hf_crl_entry entry = { 0 };
	struct hf_bytes der;
	struct hf_crl crl;

	(void)state;
	SKIP_WITHOUT_OPENSSL();
	make_foreign_ca();
	expect_run(
		"printf '[ca]\\ndefault_ca=d\\n[d]\\ndatabase=i\\ncrlnumber=n\\ndefault_md=sm3\\n"
		"default_crl_days=1\\ncrl_extensions=e\\n[e]\\nauthorityKeyIdentifier=keyid\\n'"
		" >cnf && printf 'R\\t271124000000Z\\t261120000000Z,keyCompromise\\t1002\\t"
		"unknown\\t/CN=x\\n' >i && echo 11 >n && openssl ca -gencrl -config cnf -keyfile "
		"o.key -cert o.pem -sigopt " DISTID " -out o.crl");
	der = read_pem("o.pem", "CERTIFICATE");
	assert_ok(hf_cert_copy(&ca, &test_mem, der.p, der.len, NULL));
	der = read_pem("o.crl", "X509 CRL");
	assert_ok(hf_crl_parse(&crl, der.p, der.len, NULL));
	assert_ok(hf_crl_verify_sig(&crl, &ca.key, NULL));
	assert_err(hf_crl_verify_sig(&crl, &root.key.pub, NULL), HF_ERR_AUTH);
	assert_true(crl.number == 0x11 && hf_bytes_eq(crl.aki, ca.ski));
	assert_true(hf_crl_has(&crl, (struct hf_bytes){ serial, 2 }, &entry));
	assert_int_equal(entry.reason, 1);
	hf_cert_clear(&ca);
}

static void we_accept_status_responses_of_openssl(void **state)
{
	struct hf_cert ca = { 0 };
	struct hf_cert c = { 0 };
	struct hf_ocsp_single single;
	struct hf_cert delegate;
	struct hf_bytes der;
	struct hf_ocsp o;

	(void)state;
	SKIP_WITHOUT_OPENSSL();
	make_foreign_ca();
	expect_run("echo keyUsage=digitalSignature >re && "
		   "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:SM2 -out r.key && "
		   "openssl req -new -key r.key -sm3 -sigopt " DISTID " -subj /CN=r -out r.csr && "
		   "openssl x509 -req -in r.csr -CA o.pem -CAkey o.key -set_serial 0x1002 -days 30 "
		   "-sm3 -vfyopt " DISTID " -sigopt " DISTID " -extfile re -out r.pem");
	expect_run("printf 'R\\t271124000000Z\\t261120000000Z,keyCompromise\\t1002\\tunknown\\t"
		   "/CN=r\\n' >i && openssl ocsp -sm3 -issuer o.pem -cert r.pem -reqout q.der "
		   "-no_nonce && openssl ocsp -index i -rsigner o.pem -rkey o.key -CA o.pem "
		   "-rmd sm3 -rsigopt " DISTID " -ndays 1 -reqin q.der -respout a.der");
	der = read_pem("o.pem", "CERTIFICATE");
	assert_ok(hf_cert_copy(&ca, &test_mem, der.p, der.len, NULL));
	der = read_pem("r.pem", "CERTIFICATE");
	assert_ok(hf_cert_copy(&c, &test_mem, der.p, der.len, NULL));
	der = read_file("a.der");
	assert_ok(hf_ocsp_parse(&o, der.p, der.len, NULL));
	assert_ok(hf_ocsp_verify_sig(&o, &ca, NOW_S, &delegate, NULL));
	assert_int_equal(
		delegate.serial.len, 0); /* the issuer itself, though it sent itself along */
	assert_true(hf_ocsp_has(&o, &c, &ca, &single));
	assert_true(single.status == HF_OCSP_REVOKED && single.reason == 1);
	assert_false(hf_ocsp_has(&o, &ca, &ca, &single));
	hf_cert_clear(&ca);
	hf_cert_clear(&c);
}

static void openssl_reads_our_status_response(void **state)
{
	struct hf_ocsp_spec spec = { .single = { HF_OCSP_REVOKED, NOW_S - 10, 1, NOW_S - 5,
					     NOW_S + DAY_S } };
	struct hf_cert_spec cert = ca_spec(&root, &root);
	struct hf_buf der;

	(void)state;
	SKIP_WITHOUT_OPENSSL();
	party_issue(&root, &cert, &root);
	cert = party_spec(&leaf, &root);
	party_issue(&leaf, &cert, &root);
	spec.cert = &leaf.cert;
	spec.issuer = &root.cert;
	spec.produced_s = NOW_S;
	hf_buf_init(&der, &test_mem, HF_OCSP_DER_MAX);
	assert_ok(hf_ocsp_build(&der, &spec, &root.signer, NULL));
	test_file_put(test_path(dir, "r.der"), der.p, der.len);
	expect_run(
		"openssl ocsp -respin r.der -noverify -text >t && grep 'Hash Algorithm: sm3' t && "
		"grep 'Cert Status: revoked' t && grep 'Revocation Reason: keyCompromise' t && "
		"grep 'Serial Number: 91020304' t");
	hf_buf_clear(&der);
}

static int start(void **state)
{
	(void)state;
	test_tmp_make(dir);
	party_init(&root, "root CA");
	party_init(&sub, "sub CA");
	party_init(&leaf, "leaf");
	return 0;
}

static int stop(void **state)
{
	(void)state;
	hf_cert_clear(&root.cert);
	hf_cert_clear(&sub.cert);
	hf_cert_clear(&leaf.cert);
	test_tmp_delete(dir);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openssl_accepts_our_path),
		cmocka_unit_test(openssl_accepts_our_request),
		cmocka_unit_test(openssl_accepts_our_list),
		cmocka_unit_test(openssl_reads_our_plain_key),
		cmocka_unit_test(we_read_keys_of_openssl),
		cmocka_unit_test(we_accept_certificates_and_requests_of_openssl),
		cmocka_unit_test(we_accept_lists_of_openssl),
		cmocka_unit_test(we_accept_status_responses_of_openssl),
		cmocka_unit_test(openssl_reads_our_status_response),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
