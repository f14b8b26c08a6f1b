/* SPDX-License-Identifier: Apache-2.0 */
/* The hub's revocation list: who comes onto it, and that it is never older than it was. */
#include "test.h"

#include "keyd_world.h"
#include "pki/crl.h"

enum { HOUR_S = 3600, COMPROMISE = 1, SUPERSEDED = 4 };

static int make(void **state)
{
	(void)state;
	world_make();
	return 0;
}

static int delete_all(void **state)
{
	(void)state;
	world_delete();
	return 0;
}

static hf_err revoke_as(uint32_t uid, const char *what, unsigned reason, uint64_t *number)
{
	struct node admin = as_user(&hub, uid);

	return hf_key_revoke(client(&admin), what, reason, number, fresh());
}

/* The list, if it is another one than number have; *crl borrows from der. */
static bool list_since(uint64_t have, struct hf_buf *der, struct hf_crl *crl)
{
	hf_buf_reset(der);
	assert_ok(hf_key_revocations(client(&hub), have, der, fresh()));
	if (der->len == 0)
		return false;
	assert_ok(hf_crl_parse(crl, der->p, der->len, NULL));
	assert_ok(hf_crl_verify_sig(crl, &world_hub.issuing_ca.key, NULL));
	return true;
}

static void a_list_is_there_from_the_start(void **state)
{
	struct hf_buf der = buf_new();
	struct hf_crl crl;
	uint64_t number;

	(void)state;
	assert_true(list_since(0, &der, &crl));
	number = crl.number;
	assert_true(crl.this_update_s == world_now && crl.next_update_s == world_now + 72 * HOUR_S);
	assert_false(list_since(number, &der, &crl));
	node_restart(&hub); /* the same one: it is kept */
	assert_false(list_since(number, &der, &crl));
	assert_true(list_since(0, &der, &crl));
	assert_int_equal(crl.number, number);
	hf_buf_clear(&der);
}

static void lists_are_made_anew_in_time(void **state)
{
	struct hf_buf der = buf_new();
	struct hf_crl crl;
	uint64_t number;
	uint64_t made_s;

	(void)state;
	assert_true(list_since(0, &der, &crl));
	number = crl.number;
	made_s = crl.this_update_s;
	world_now += 12 * HOUR_S - 1;
	assert_false(list_since(number, &der, &crl));
	world_now += 1;
	assert_true(list_since(number, &der, &crl));
	assert_true(crl.number > number && crl.this_update_s == made_s + 12 * HOUR_S);
	/* A clock that went back makes no list that goes back. */
	number = crl.number;
	made_s = crl.this_update_s;
	world_now -= 12 * HOUR_S;
	assert_int_equal(hf_key_revocations(client(&hub), number, &der, fresh()), HF_OK);
	assert_ok(revoke_as(0, "0102030405060708090a0b0c0d0e0f10", SUPERSEDED, &number));
	assert_true(list_since(0, &der, &crl));
	assert_true(crl.number == number && crl.this_update_s == made_s);
	hf_buf_clear(&der);
}

static void both_certificates_of_a_device_come_onto_the_list(void **state)
{
	struct hf_buf der = buf_new();
	struct hf_buf enc = buf_new();
	struct hf_crl_entry x;
	struct hf_cert cert;
	struct counting c;
	struct hf_crl crl;
	struct node dev;
	uint64_t number = 0;

	(void)state;
	world_join(&dev, "dev-1", HF_ROLE_DEVICE, &enc);
	assert_ok(hf_cert_parse(&cert, enc.p, enc.len, NULL));
	assert_true(list_since(0, &der, &crl));
	assert_false(hf_crl_has(&crl, cert.serial, NULL));
	assert_ok(revoke_as(0, "dev-1", COMPROMISE, &number));
	assert_true(list_since(crl.number, &der, &crl));
	assert_int_equal(crl.number, number);
	assert_true(hf_crl_has(&crl, cert.serial, &x));
	assert_true(x.reason == COMPROMISE && x.revoked_s == world_now);
	assert_true(crl.n_entries >= 2); /* the one for signing, too */
	assert_err(revoke_as(0, "dev-1", COMPROMISE, &number), HF_ERR_EXISTS);
	/* Once on it, always on it: over a start, and with others. */
	node_restart(&hub);
	assert_ok(revoke_as(0, "00a1b2c3", SUPERSEDED, &number));
	assert_true(list_since(0, &der, &crl));
	assert_true(hf_crl_has(&crl, cert.serial, NULL));
	assert_true(hf_crl_has(&crl, (struct hf_bytes){ (const uint8_t *)"\xa1\xb2\xc3", 3 }, &x));
	assert_int_equal(x.reason, SUPERSEDED);
	node_stop(&dev);
	node_stop(&hub);
	c = log_count(&hub, HF_EV_REVOKE);
	assert_true(c.n >= 2);
	assert_ok(node_start(&hub));
	hf_buf_clear(&enc);
	hf_buf_clear(&der);
}

static void a_revoked_device_gets_no_grant(void **state)
{
	struct hf_buf enc = buf_new();
	struct hf_buf grant = buf_new();
	struct release r;
	struct node dev;
	uint64_t number;

	(void)state;
	world_join(&dev, "dev-2", HF_ROLE_DEVICE, &enc);
	world_seal(&r, "digits", 1, 1);
	assert_ok(hf_key_make_grant(client(&hub), bytes_of(&r.manifest), bytes_of(&r.deposit),
		bytes_of(&enc), 60, &grant, fresh()));
	assert_ok(revoke_as(0, "dev-2", COMPROMISE, &number));
	assert_err(hf_key_make_grant(client(&hub), bytes_of(&r.manifest), bytes_of(&r.deposit),
			   bytes_of(&enc), 60, &grant, fresh()),
		HF_ERR_REVOKED);
	node_stop(&dev);
	release_clear(&r);
	hf_buf_clear(&grant);
	hf_buf_clear(&enc);
}

static void who_may_not_revokes_nothing(void **state)
{
	uint64_t number = 0;

	(void)state;
	assert_err(revoke_as(4711, "a1b2c4", COMPROMISE, &number), HF_ERR_DENIED);
	assert_err(hf_key_revoke(client(&hub), "a1b2c4", COMPROMISE, &number, fresh()),
		HF_ERR_DENIED); /* the network process */
	assert_err(revoke_as(0, "nobody", COMPROMISE, &number), HF_ERR_NOT_FOUND);
	assert_err(revoke_as(0, "00", COMPROMISE, &number), HF_ERR_NOT_FOUND);
	assert_err(revoke_as(0, "", COMPROMISE, &number), HF_ERR_NOT_FOUND);
	assert_err(revoke_as(0, "a1b2c4", HF_CRL_REASON_HOLD, &number), HF_ERR_ARG);
	assert_err(revoke_as(0, "a1b2c4", HF_CRL_REASON_REMOVE, &number), HF_ERR_ARG);
	assert_err(revoke_as(0, "a1b2c4", 7, &number), HF_ERR_ARG);
	assert_err(revoke_as(0, "a1b2c4", HF_CRL_REASON_LAST + 1, &number), HF_ERR_ARG);
	assert_int_equal(number, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_is_there_from_the_start),
		cmocka_unit_test(lists_are_made_anew_in_time),
		cmocka_unit_test(both_certificates_of_a_device_come_onto_the_list),
		cmocka_unit_test(a_revoked_device_gets_no_grant),
		cmocka_unit_test(who_may_not_revokes_nothing),
	};

	return cmocka_run_group_tests(tests, make, delete_all);
}
