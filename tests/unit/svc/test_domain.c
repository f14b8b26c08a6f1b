/* SPDX-License-Identifier: Apache-2.0 */
/* Domains: what is in one, who can open its keys, and that a failure leaves nothing behind. */
#include "svc_fixture.h"

#include "base/attr.h"
#include "svc/keyfile.h"

static void a_new_domain_has_a_hub_and_its_publishers(void **state)
{
	static const char *const folders[] = { "hub", "publisher", "publisher-2" };
	static const char *const ids[] = { "hub-1", "publisher", "publisher-2" };
	struct fix *f = *state;
	struct hf_party p;

	for (size_t i = 0; i < HF_COUNT(folders); i++) {
		assert_ok(hf_party_open(&p, &f->env, test_path(f->domain, folders[i]), NULL));
		assert_string_equal(p.identity.id, ids[i]);
		assert_string_equal(p.identity.domain, "plant-7");
		assert_int_equal(p.identity.role, i == 0 ? HF_ROLE_HUB : HF_ROLE_PUBLISHER);
		assert_int_equal(p.identity.level, HF_L3);
		assert_int_equal(p.root.version, 1);
		assert_int_equal(p.root.roles[HF_ROOT_PUBLISHER].n, 2);
		assert_ok(hf_cert_verify_sig(&p.root_ca, &p.root_ca.key, NULL));
		assert_ok(hf_cert_verify_sig(&p.issuing_ca, &p.root_ca.key, NULL));
		assert_ok(hf_cert_verify_sig(&p.sign, &p.issuing_ca.key, NULL));
		assert_ok(hf_cert_verify_sig(&p.enc, &p.issuing_ca.key, NULL));
		assert_true(p.root_ca.is_ca && p.issuing_ca.is_ca && !p.sign.is_ca);
		assert_int_equal(p.enc.key_usage, HF_KU_ENCRYPT);
		hf_party_clear(&p);
	}
}

static void every_key_opens_as_the_one_of_its_certificate(void **state)
{
	static const char *const names[] = { "hub", "publisher", "publisher-2" };
	struct fix *f = *state;
	struct hf_sm2_key key;
	struct hf_party p;

	for (size_t i = 0; i < HF_COUNT(names); i++) {
		const char *dir = test_path(f->domain, names[i]);
		uint8_t seed[HF_KEY_SEED_LEN];

		assert_ok(hf_party_open(&p, &f->env, dir, NULL));
		if (i == 0)
			memcpy(seed, f->wrap, sizeof(seed));
		else
			assert_ok(hf_party_seed(&f->env, dir, false, seed, NULL));
		assert_ok(hf_party_key(&f->env, &p, "sign", seed, &key, NULL));
		assert_memory_equal(&key.pub, &p.sign.key, sizeof(key.pub));
		assert_ok(hf_party_key(&f->env, &p, "enc", seed, &key, NULL));
		assert_memory_equal(&key.pub, &p.enc.key, sizeof(key.pub));
		hf_sm2_key_clear(&key);
		hf_party_clear(&p);
	}
}

static void nobody_else_can_read_the_secrets(void **state)
{
	static const char *const files[] = { "root.slots", "root-ca.key", "root-role.key",
		"hub/root.slots", "hub/keys/sign.key", "hub/keys/enc.key", "hub/keys/director.key",
		"hub/keys/issuing-ca.key", "hub/keys/audit.key", "publisher/keys/sign.key",
		"publisher/keys/storage.secret" };
	struct fix *f = *state;
	struct stat st;

	for (size_t i = 0; i < HF_COUNT(files); i++) {
		assert_int_equal(stat(test_path(f->domain, files[i]), &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
	assert_int_equal(stat(f->domain, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void any_three_of_five_shares_open_the_root_seed(void **state)
{
	struct fix *f = *state;
	struct hf_slots slots;
	uint8_t first[HF_KEY_SEED_LEN];
	uint8_t seed[HF_KEY_SEED_LEN];

	assert_ok(hf_domain_slots(&slots, &f->env, f->domain, NULL));
	assert_ok(hf_slots_open_shares(first, &slots, f->shares, 3, NULL));
	for (unsigned i = 1; i + 3 <= FIX_SHARES; i++) {
		assert_ok(hf_slots_open_shares(seed, &slots, f->shares + i, 3, NULL));
		assert_memory_equal(seed, first, sizeof(seed));
	}
	assert_err(hf_slots_open_shares(seed, &slots, f->shares, 2, NULL), HF_ERR_STATE);
}

static void shares_of_another_domain_open_nothing(void **state)
{
	struct fix *f = *state;
	struct fix *other = fix_new(7);
	struct hf_slots slots;
	uint8_t seed[HF_KEY_SEED_LEN];

	assert_ok(hf_domain_slots(&slots, &f->env, f->domain, NULL));
	assert_err(hf_slots_open_shares(seed, &slots, other->shares, 3, NULL), HF_ERR_AUTH);
	fix_free(other);
}

static void a_key_opens_under_its_own_seed_and_in_its_own_place_only(void **state)
{
	struct fix *f = *state;
	struct hf_party hub;
	struct hf_sm2_key key;
	uint8_t seed[HF_KEY_SEED_LEN];
	char copy[TEST_PATH_MAX];
	size_t len = 0;
	uint8_t *bytes = fix_load(test_path(f->hub, "keys/sign.key"), &len);

	assert_ok(hf_party_open(&hub, &f->env, f->hub, NULL));
	memcpy(seed, f->wrap, sizeof(seed));
	seed[0] ^= 1;
	assert_err(hf_party_key(&f->env, &hub, "sign", seed, &key, NULL), HF_ERR_AUTH);
	fix_path(copy, f->hub, "keys/copied.key");
	test_file_put(copy, bytes, len);
	assert_err(hf_party_key(&f->env, &hub, "copied", f->wrap, &key, NULL), HF_ERR_AUTH);
	for (size_t at = 0; at < len; at += 7) {
		struct hf_keyfile k = {
			.path = copy, .purpose = "sign", .owner = "hub-1", .seed = f->wrap
		};

		bytes[at] ^= 1;
		test_file_put(copy, bytes, len);
		assert_int_not_equal(hf_keyfile_read_sm2(&f->env, &k, &key, NULL), HF_OK);
		bytes[at] ^= 1;
	}
	assert_int_equal(unlink(copy), 0);
	free(bytes);
	hf_party_clear(&hub);
}

static void a_passphrase_opens_its_slot_and_another_one_does_not(void **state)
{
	static const char passphrase[] = "correct horse";
	struct fix *f = *state;
	struct hf_domain_spec spec = fix_domain_spec(f);
	struct hf_share shares[FIX_SHARES];
	struct hf_slots slots;
	uint8_t by_share[HF_KEY_SEED_LEN];
	uint8_t seed[HF_KEY_SEED_LEN];

	spec.dir = test_path(f->tmp, "with-passphrase");
	spec.passphrase = passphrase;
	spec.passphrase_len = strlen(passphrase);
	spec.n_publishers = 1;
	assert_ok(hf_domain_init(&f->env, &spec, shares, NULL));
	assert_ok(hf_domain_slots(&slots, &f->env, spec.dir, NULL));
	assert_ok(hf_slots_open_passphrase(seed, &slots, passphrase, strlen(passphrase), NULL));
	assert_ok(hf_slots_open_shares(by_share, &slots, shares, 3, NULL));
	assert_memory_equal(seed, by_share, sizeof(seed));
	assert_err(hf_slots_open_passphrase(seed, &slots, "correct hors", 12, NULL), HF_ERR_AUTH);
	assert_ok(hf_domain_slots(&slots, &f->env, f->domain, NULL));
	assert_err(hf_slots_open_passphrase(seed, &slots, passphrase, strlen(passphrase), NULL),
		HF_ERR_AUTH);
	test_tmp_delete(spec.dir);
}

static void a_domain_is_never_made_over_another(void **state)
{
	struct fix *f = *state;
	struct hf_domain_spec spec = fix_domain_spec(f);
	struct hf_share shares[FIX_SHARES];
	struct hf_errinfo ei = { .code = HF_OK };
	size_t before = 0;
	size_t after = 0;
	uint8_t *a = fix_load(test_path(f->domain, "root.slots"), &before);
	uint8_t *b;

	assert_err(hf_domain_init(&f->env, &spec, shares, &ei), HF_ERR_EXISTS);
	assert_non_null(strstr(ei.text, f->domain));
	b = fix_load(test_path(f->domain, "root.slots"), &after);
	assert_int_equal(before, after);
	assert_memory_equal(a, b, after);
	free(a);
	free(b);
}

static void a_slash_at_the_end_of_the_folder_does_not_matter(void **state)
{
	struct fix *f = *state;
	struct hf_domain_spec spec = fix_domain_spec(f);
	struct hf_share shares[FIX_SHARES];
	struct hf_party hub;

	spec.dir = test_path(f->tmp, "slash//");
	assert_ok(hf_domain_init(&f->env, &spec, shares, NULL));
	assert_ok(hf_party_open(&hub, &f->env, test_path(f->tmp, "slash/hub"), NULL));
	hf_party_clear(&hub);
	test_tmp_delete(test_path(f->tmp, "slash"));
}

/* One wrong field; nothing is made. */
static void assert_no_domain(struct fix *f, const struct hf_domain_spec *spec)
{
	struct hf_share shares[HF_SHARES_MAX];
	struct hf_errinfo ei = { .code = HF_OK };
	size_t before = test_dir_count(f->tmp);

	assert_err(hf_domain_init(&f->env, spec, shares, &ei), HF_ERR_ARG);
	assert_int_equal(ei.code, HF_ERR_ARG);
	assert_int_equal(test_dir_count(f->tmp), before);
}

static void refuses_names_and_numbers_that_cannot_be(void **state)
{
	static const char *const names[] = { "", "a b", "a/b", "a;b", "a=b", "\xe8\x99\x8e",
		"0123456789012345678901234567890123456789012345678901234567890123" };
	struct fix *f = *state;
	struct hf_domain_spec good = fix_domain_spec(f);
	struct hf_domain_spec spec;

	good.dir = test_path(f->tmp, "never");
	for (size_t i = 0; i < HF_COUNT(names); i++) {
		spec = good;
		spec.name = names[i];
		assert_no_domain(f, &spec);
		spec = good;
		spec.hub = names[i];
		assert_no_domain(f, &spec);
	}
	for (unsigned n = 0; n <= HF_DOMAIN_PUBLISHERS_MAX + 1; n += HF_DOMAIN_PUBLISHERS_MAX + 1) {
		spec = good;
		spec.n_publishers = n;
		assert_no_domain(f, &spec);
	}
	spec = good;
	spec.threshold = 1;
	assert_no_domain(f, &spec);
	spec.threshold = FIX_SHARES + 1;
	assert_no_domain(f, &spec);
	spec = good;
	spec.n_shares = HF_SHARES_MAX + 1;
	assert_no_domain(f, &spec);
	spec = good;
	spec.passphrase = "1234567";
	spec.passphrase_len = 7;
	assert_no_domain(f, &spec);
}

/* In a child: the code of making a domain in the folder "disk" of the fixture. */
static int make_on_disk(struct fix *f)
{
	struct hf_domain_spec spec = fix_domain_spec(f);
	struct hf_share shares[FIX_SHARES];
	hf_err e;

	spec.dir = test_path(f->tmp, "disk/domain");
	memset(shares, 1, sizeof(shares));
	e = hf_domain_init(&f->env, &spec, shares, NULL);
	if (test_dir_count(test_path(f->tmp, "disk")) != 0)
		return 1;
	for (size_t i = 0; i < sizeof(shares); i++)
		if (((uint8_t *)shares)[i] != 0)
			return 2; /* shares of a domain that is not there are wiped */
	return e == HF_ERR_FULL ? 10 : e == HF_ERR_PERMISSION ? 11 : 3;
}

static int on_a_full_disk(void *ctx)
{
	struct fix *f = ctx;

	return test_small_disk(test_path(f->tmp, "disk"), 40) ? make_on_disk(f) : 77;
}

static int without_permission(void *ctx)
{
	struct fix *f = ctx;

	return test_drop_root() ? make_on_disk(f) : 77;
}

static void a_full_disk_leaves_no_half_of_a_domain(void **state)
{
	struct fix *f = *state;
	int code;

	assert_int_equal(mkdir(test_path(f->tmp, "disk"), 0700), 0);
	code = test_child(on_a_full_disk, f);
	(void)rmdir(test_path(f->tmp, "disk"));
	if (code == 77)
		skip();
	assert_int_equal(code, 10);
}

static void a_folder_that_may_not_be_written_is_named(void **state)
{
	struct fix *f = *state;
	int code;

	assert_int_equal(mkdir(test_path(f->tmp, "disk"), 0555), 0);
	assert_int_equal(chmod(f->tmp, 0755), 0);
	code = test_child(without_permission, f);
	(void)rmdir(test_path(f->tmp, "disk"));
	if (code == 77)
		skip();
	assert_int_equal(code, 11);
}

static void each_failed_allocation_leaves_nothing(void **state)
{
	struct fix *f = *state;
	struct hf_domain_spec spec = fix_domain_spec(f);
	struct hf_share shares[FIX_SHARES];
	size_t before = test_dir_count(f->tmp);
	unsigned n = 0;
	hf_err e;

	spec.dir = test_path(f->tmp, "memory");
	spec.n_publishers = 1;
	do {
		test_mem_fail_at(++n);
		e = hf_domain_init(&f->env, &spec, shares, NULL);
		test_mem_fail_at(0);
		if (e == HF_OK)
			break;
		assert_int_equal(e, HF_ERR_NO_MEMORY);
		assert_int_equal(test_dir_count(f->tmp), before);
	} while (n < 1000);
	assert_int_equal(e, HF_OK);
	assert_true(n > 10);
	test_tmp_delete(spec.dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_domain_has_a_hub_and_its_publishers),
		cmocka_unit_test(every_key_opens_as_the_one_of_its_certificate),
		cmocka_unit_test(nobody_else_can_read_the_secrets),
		cmocka_unit_test(any_three_of_five_shares_open_the_root_seed),
		cmocka_unit_test(shares_of_another_domain_open_nothing),
		cmocka_unit_test(a_key_opens_under_its_own_seed_and_in_its_own_place_only),
		cmocka_unit_test(a_passphrase_opens_its_slot_and_another_one_does_not),
		cmocka_unit_test(a_domain_is_never_made_over_another),
		cmocka_unit_test(a_slash_at_the_end_of_the_folder_does_not_matter),
		cmocka_unit_test(refuses_names_and_numbers_that_cannot_be),
		cmocka_unit_test(a_full_disk_leaves_no_half_of_a_domain),
		cmocka_unit_test(a_folder_that_may_not_be_written_is_named),
		cmocka_unit_test(each_failed_allocation_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, fix_group_setup, fix_group_teardown);
}
