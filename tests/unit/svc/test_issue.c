/* SPDX-License-Identifier: Apache-2.0 */
/* What the certificates of a domain say, and how long they live (row device.cert-life). */
#include "test.h"

#include "crypto/module.h"
#include "os/cpu.h"
#include "policy/policy.h"
#include "svc/issue.h"

enum { NOW_S = 1800000000 };

static struct hf_env env;
static struct hf_sm2_key ca_key;
static struct hf_sm2_key key;

static int start(void **state)
{
	(void)state;
	assert_ok(hf_module_start(hf_os_cpu()));
	assert_ok(hf_env_init(&env, 0, NULL));
	assert_ok(hf_sm2_key_new(&ca_key, &env.rng));
	assert_ok(hf_sm2_key_new(&key, &env.rng));
	return 0;
}

static int end(void **state)
{
	(void)state;
	hf_sm2_key_clear(&ca_key);
	hf_sm2_key_clear(&key);
	hf_env_clear(&env);
	return 0;
}

/* A certificate of that kind for dev-1; clear the buffer. */
static void issue(
	struct hf_buf *der, struct hf_cert *cert, enum hf_issue_kind kind, enum hf_level level)
{
	struct hf_local_key ca = { .key = &ca_key, .rng = &env.rng };
	struct hf_signer signer = hf_signer_local(&ca);
	struct hf_issue what = { .kind = kind,
		.identity = { HF_ROLE_DEVICE, level, "plant-7", "dev-1" },
		.key = key.pub,
		.now_s = NOW_S };

	hf_buf_init(der, env.mem, HF_CERT_DER_MAX);
	assert_ok(hf_issue_cert(&env, der, &what, &signer, NULL));
	assert_ok(hf_cert_parse(cert, der->p, der->len, NULL));
	assert_ok(hf_cert_verify_sig(cert, &ca_key.pub, NULL));
}

static void device_cert_life(void **state)
{
	struct hf_buf der;
	struct hf_cert cert;

	(void)state;
	for (int level = HF_L1; level <= HF_L3; level++) {
		uint64_t life_s = hf_policy(HF_ROW_DEVICE_CERT_LIFE, (enum hf_level)level);

		issue(&der, &cert, HF_ISSUE_SIGN, (enum hf_level)level);
		assert_int_equal(cert.not_after_s, NOW_S + life_s);
		assert_true(cert.not_before_s <= NOW_S && cert.not_before_s > NOW_S - 86400);
		assert_int_equal(cert.identity.level, level);
		hf_buf_clear(&der);
	}
}

/* GM/T 0015: one key signs, another one decrypts; neither does the other's work. */
static void signing_and_encryption_certificates_do_not_overlap(void **state)
{
	struct hf_buf der;
	struct hf_cert cert;

	(void)state;
	issue(&der, &cert, HF_ISSUE_SIGN, HF_L1);
	assert_true(cert.has_key_usage && (cert.key_usage & HF_KU_ENCRYPT) == 0);
	assert_true((cert.key_usage & HF_KU_DIGITAL_SIGNATURE) != 0 && !cert.is_ca);
	hf_buf_clear(&der);
	issue(&der, &cert, HF_ISSUE_ENC, HF_L1);
	assert_true(cert.has_key_usage && (cert.key_usage & HF_KU_SIGN) == 0);
	assert_true((cert.key_usage & HF_KU_ENCRYPT) != 0 && !cert.is_ca);
	hf_buf_clear(&der);
}

static void authorities_are_authorities_and_no_members(void **state)
{
	struct hf_buf der;
	struct hf_cert cert;

	(void)state;
	issue(&der, &cert, HF_ISSUE_CA, HF_L1);
	assert_true(cert.is_ca && cert.has_path_len && cert.path_len == 0);
	assert_int_equal(cert.key_usage, HF_KU_CA);
	assert_false(cert.has_identity);
	hf_buf_clear(&der);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(device_cert_life),
		cmocka_unit_test(signing_and_encryption_certificates_do_not_overlap),
		cmocka_unit_test(authorities_are_authorities_and_no_members),
	};

	return cmocka_run_group_tests(tests, start, end);
}
