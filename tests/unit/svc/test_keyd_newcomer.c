/* SPDX-License-Identifier: Apache-2.0 */
/* A node that is in no domain yet: it has keys, says who it is, and refuses everything else. */
#include "test.h"

#include <sys/resource.h>

#include "keyd_world.h"
#include "os/lockmem.h"
#include "pki/csr.h"

static struct node dev;

static int make(void **state)
{
	(void)state;
	world_make();
	node_init(&dev, "dev-1", "dev-1", HF_ROLE_DEVICE);
	assert_ok(node_start(&dev));
	return 0;
}

static int delete_all(void **state)
{
	(void)state;
	node_stop(&dev);
	world_delete();
	return 0;
}

static void a_newcomer_makes_its_keys_once(void **state)
{
	struct hf_key_status s;
	struct joining first;
	struct joining again;
	struct hf_csr csr;
	struct hf_csr same;

	(void)state;
	joining_init(&first);
	joining_init(&again);
	assert_ok(hf_key_status(client(&dev), &s, NULL));
	assert_int_equal(s.state, HF_KEY_STATE_NEWCOMER);
	assert_string_equal(s.identity.id, "dev-1");
	assert_string_equal(s.identity.domain, "");
	assert_true(s.n_records > 0);
	join_ask(&first, &dev);
	node_restart(&dev);
	join_ask(&again, &dev);
	assert_ok(hf_csr_parse(&csr, first.sign_csr.p, first.sign_csr.len, NULL));
	assert_ok(hf_csr_verify(&csr, NULL));
	assert_int_equal(csr.identity.role, HF_ROLE_DEVICE);
	assert_ok(hf_csr_parse(&same, again.sign_csr.p, again.sign_csr.len, NULL));
	assert_memory_equal(&csr.key, &same.key, sizeof(csr.key));
	assert_ok(hf_csr_parse(&same, again.enc_csr.p, again.enc_csr.len, NULL));
	assert_memory_not_equal(&csr.key, &same.key, sizeof(csr.key));
	joining_clear(&first);
	joining_clear(&again);
}

static void a_self_signed_certificate_claims_nothing(void **state)
{
	struct joining j;
	struct hf_cert cert;

	(void)state;
	joining_init(&j);
	join_ask(&j, &dev);
	assert_ok(hf_cert_parse(&cert, j.self_signed.p, j.self_signed.len, NULL));
	assert_ok(hf_cert_verify_sig(&cert, &cert.key, NULL));
	assert_false(cert.has_identity);
	assert_false(cert.is_ca);
	assert_true(cert.not_before_s < world_now && world_now < cert.not_after_s);
	joining_clear(&j);
}

static void a_link_is_signed_by_the_key_of_the_request(void **state)
{
	struct hf_tls_cv cv = { HF_TLS_CLIENT, { 7 } };
	uint8_t e[HF_SM3_LEN];
	struct hf_sm2_sig sig;
	struct hf_cert cert;
	struct joining j;

	(void)state;
	joining_init(&j);
	join_ask(&j, &dev);
	assert_ok(hf_cert_parse(&cert, j.self_signed.p, j.self_signed.len, NULL));
	assert_ok(hf_key_sign_link(client(&dev), &cv, &sig, NULL));
	assert_ok(hf_tls_cv_digest(e, &cv, &cert.key));
	assert_ok(hf_sm2_verify_digest(&cert.key, e, &sig));
	cv.role = HF_TLS_SERVER;
	assert_ok(hf_tls_cv_digest(e, &cv, &cert.key));
	assert_err(hf_sm2_verify_digest(&cert.key, e, &sig), HF_ERR_AUTH);
	/* A digest of something else, such as a signed object, cannot be had. */
	assert_err(hf_sm2_verify_digest(&cert.key, cv.transcript, &sig), HF_ERR_AUTH);
	joining_clear(&j);
}

static void what_only_members_may_is_refused(void **state)
{
	static const uint8_t object[4] = { 0x30, 0x02, 0x05, 0x00 };
	struct hf_bytes any = { object, sizeof(object) };
	struct hf_buf out = buf_new();
	uint8_t nonce[16] = { 0 };
	char token[HF_TOKEN_TEXT_MAX];
	struct node user = as_user(&dev, 0);

	(void)state;
	assert_err(hf_key_check_channel(client(&dev), any, fresh()), HF_ERR_STATE);
	assert_non_null(strstr(world_ei.text, "not enrolled"));
	assert_err(hf_key_sign_inventory(client(&dev), nonce, &out, NULL), HF_ERR_STATE);
	assert_err(hf_key_make_channel(client(&dev), any, 1, 60, &out, NULL), HF_ERR_STATE);
	assert_err(hf_key_sign_upload(client(&user), any, &out, NULL), HF_ERR_STATE);
	assert_err(hf_key_make_token(client(&user), "dev-2", "device", HF_L1, 60, token, NULL),
		HF_ERR_STATE);
	assert_int_equal(out.len, 0);
}

static void wrong_askers_are_refused(void **state)
{
	struct joining j;
	const struct hf_tls_cv cv = { HF_TLS_CLIENT, { 0 } };
	struct hf_sm2_sig sig;
	struct node user = as_user(&dev, 0);

	(void)state;
	joining_init(&j);
	assert_err(hf_key_sign_link(client(&user), &cv, &sig, fresh()), HF_ERR_DENIED);
	assert_non_null(strstr(world_ei.text, "not for this asker"));
	assert_err(hf_key_newcomer(client(&user), &j.sign_csr, &j.enc_csr, &j.self_signed, NULL),
		HF_ERR_DENIED);
	assert_int_equal(j.sign_csr.len, 0);
	joining_clear(&j);
}

static hf_err raw(struct hf_buf *reply, const void *in, size_t len)
{
	hf_buf_reset(reply);
	return hf_keyd_handle(dev.k, reply, HF_ASKER_FRONT, 0, in, len);
}

static void what_is_not_in_the_table_is_refused_and_recorded(void **state)
{
	struct hf_buf reply = buf_new();
	struct hf_key_status before;
	struct hf_key_status after;
	uint8_t request[2] = { 0, 0 };

	(void)state;
	assert_ok(hf_key_status(client(&dev), &before, NULL));
	assert_ok(raw(&reply, request, 0));
	assert_int_equal(hf_get_be32(reply.p), HF_ERR_UNSUPPORTED);
	assert_ok(raw(&reply, request, 1));
	assert_int_equal(hf_get_be32(reply.p), HF_ERR_UNSUPPORTED);
	request[0] = HF_KEYREQ_REVOCATIONS + 1;
	assert_ok(raw(&reply, request, 1));
	assert_int_equal(hf_get_be32(reply.p), HF_ERR_UNSUPPORTED);
	request[0] = HF_KEYREQ_STATUS; /* a byte too many */
	assert_ok(raw(&reply, request, 2));
	assert_int_equal(hf_get_be32(reply.p), HF_ERR_FORMAT);
	request[0] = HF_KEYREQ_SIGN_LINK; /* too few */
	assert_ok(raw(&reply, request, 2));
	assert_int_equal(hf_get_be32(reply.p), HF_ERR_TRUNCATED);
	assert_ok(hf_key_status(client(&dev), &after, NULL));
	assert_true(after.n_records >= before.n_records + 5);
	hf_buf_clear(&reply);
}

static void a_flood_of_refusals_does_not_fill_the_log(void **state)
{
	struct hf_buf reply = buf_new();
	struct hf_key_status before;
	struct hf_key_status after;

	(void)state;
	assert_ok(hf_key_status(client(&dev), &before, NULL));
	for (int i = 0; i < 1000; i++)
		assert_ok(raw(&reply, "", 1));
	assert_ok(hf_key_status(client(&dev), &after, NULL));
	assert_true(after.n_records - before.n_records <= 401); /* two spans at most */
	hf_buf_clear(&reply);
}

static void the_network_process_records_its_own_events_only(void **state)
{
	static const enum hf_audit_event denied[] = { HF_EV_KEY_UNWRAP, HF_EV_SIGN,
		HF_EV_AUDIT_CLOSE, HF_EV_TOKEN_ISSUE, HF_EV_ENROL, HF_EV_MODEL_OPEN,
		HF_EV_MODEL_ACTIVATE, HF_EV_MODEL_GRANT };
	uint8_t attrs[64];
	struct hf_audit_attr peer = { HF_ATTR_PEER, (const uint8_t *)"gw", 2 };
	struct hf_audit_event_in in = { .event = HF_EV_HANDSHAKE,
		.actor = "device:\x1b[31m dev\xff",
		.subject = NULL,
		.attrs = attrs };

	(void)state;
	assert_ok(hf_audit_attr_put(attrs, sizeof(attrs), &in.attrs_len, &peer));
	assert_ok(hf_key_audit(client(&dev), &in, fresh()));
	in.attrs_len--;
	assert_err(hf_key_audit(client(&dev), &in, NULL), HF_ERR_TRUNCATED);
	in.attrs_len = 0;
	in.level = 4;
	assert_err(hf_key_audit(client(&dev), &in, NULL), HF_ERR_FORMAT);
	in.level = 0;
	for (size_t i = 0; i < HF_COUNT(denied); i++) {
		in.event = denied[i];
		assert_err(hf_key_audit(client(&dev), &in, fresh()), HF_ERR_DENIED);
	}
	in.event = (enum hf_audit_event)0x7777;
	assert_err(hf_key_audit(client(&dev), &in, NULL), HF_ERR_DENIED);
}

/* Everything of a start and of a request, with each allocation failed in turn. */
static void every_failed_allocation_is_an_error(void **state)
{
	const struct hf_mem *heap = world_env.mem;
	hf_err e = HF_ERR_NO_MEMORY;
	struct node n;

	(void)state;
	node_init(&n, "short", "short", HF_ROLE_DEVICE);
	assert_ok(node_start(&n)); /* so that every further start is the same */
	node_stop(&n);
	world_env.mem = &test_mem;
	for (unsigned i = 1; e != HF_OK; i++) {
		struct joining j;

		assert_true(i < 500);
		joining_init(&j);
		test_mem_fail_at(i);
		e = node_start(&n);
		if (e == HF_OK)
			e = hf_key_newcomer(
				client(&n), &j.sign_csr, &j.enc_csr, &j.self_signed, fresh());
		test_mem_fail_at(0);
		if (e != HF_OK)
			assert_err(e, HF_ERR_NO_MEMORY);
		node_stop(&n);
		joining_clear(&j);
	}
	world_env.mem = heap;
}

/* A user without any right to lock memory. */
static int without_locked_pages(void *ctx)
{
	const struct rlimit none = { 0, 0 };
	struct counting c = { .event = HF_EV_MODULE_START };
	struct hf_journal_report report;
	struct hf_lockmem page;
	struct hf_sm2_pub pub;
	struct hf_cert cert;
	struct joining j;
	struct node n;

	(void)ctx;
	if (!test_drop_root() || setrlimit(RLIMIT_MEMLOCK, &none) != 0 ||
		hf_lockmem_init(&page, 1, NULL) == HF_OK) /* a sanitizer locks nothing */
		return 77;
	test_tmp_make(world_dir);
	node_init(&n, "bare", "bare", HF_ROLE_DEVICE);
	if (node_start(&n) != HF_OK)
		return 1;
	joining_init(&j);
	join_ask(&j, &n);
	if (hf_cert_parse(&cert, j.self_signed.p, j.self_signed.len, NULL) != HF_OK)
		return 2;
	pub = cert.key;
	node_stop(&n);
	if (hf_journal_verify(&world_env, test_path(n.dir, "audit-new"), "new/bare", &pub,
		    count_event, &c, &report, NULL) != HF_OK)
		return 3;
	test_tmp_delete(world_dir);
	return c.n == 1 && strcmp(c.code, "keys-not-locked") == 0 ? 0 : 4;
}

static void a_node_that_cannot_lock_memory_says_so(void **state)
{
	int end;

	(void)state;
	if (!TEST_HAS_MLOCK)
		skip();
	end = test_child(without_locked_pages, NULL);
	if (end == 77)
		skip();
	assert_int_equal(end, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_newcomer_makes_its_keys_once),
		cmocka_unit_test(a_self_signed_certificate_claims_nothing),
		cmocka_unit_test(a_link_is_signed_by_the_key_of_the_request),
		cmocka_unit_test(what_only_members_may_is_refused),
		cmocka_unit_test(wrong_askers_are_refused),
		cmocka_unit_test(what_is_not_in_the_table_is_refused_and_recorded),
		cmocka_unit_test(a_flood_of_refusals_does_not_fill_the_log),
		cmocka_unit_test(the_network_process_records_its_own_events_only),
		cmocka_unit_test(every_failed_allocation_is_an_error),
		cmocka_unit_test(a_node_that_cannot_lock_memory_says_so),
	};

	return cmocka_run_group_tests(tests, make, delete_all);
}
