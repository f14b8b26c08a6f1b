/* SPDX-License-Identifier: Apache-2.0 */
/* Access lists: whom a rule means, and whom it does not. */
#include "../pki/pki_fixture.h"

#include "svc/access.h"

static struct party ca, plain, device, edge, host;

static int begin(void **state)
{
	static const struct hf_identity dev = { HF_ROLE_DEVICE, HF_L2, "plant-7", "dev-1" };
	static const struct hf_identity gw = { HF_ROLE_EDGE, HF_L1, "plant-8", "gw-1" };
	static const char *const dns[] = { "Cam.Example", "*.wild.example" };
	struct hf_cert_spec spec;

	(void)state;
	party_init(&ca, "CA");
	party_init(&plain, "cam-1");
	party_init(&device, "somebody");
	party_init(&edge, "edge");
	party_init(&host, "host");
	spec = party_spec(&plain, &ca);
	party_issue(&plain, &spec, &ca);
	spec = party_spec(&device, &ca);
	spec.identity = &dev;
	party_issue(&device, &spec, &ca);
	spec = party_spec(&edge, &ca);
	spec.identity = &gw;
	party_issue(&edge, &spec, &ca);
	spec = party_spec(&host, &ca);
	spec.dns = dns;
	spec.n_dns = HF_COUNT(dns);
	party_issue(&host, &spec, &ca);
	return 0;
}

static bool lets_in(struct hf_access_rule rule, const struct party *p)
{
	struct hf_errinfo ei = { 0 };
	hf_err e = hf_access_check(&rule, 1, &p->cert, &ei);

	assert_true(e == HF_OK || e == HF_ERR_DENIED);
	assert_int_equal(ei.code, e);
	return e == HF_OK;
}

static bool by_name(const char *name, const struct party *p)
{
	return lets_in((struct hf_access_rule){ .name = name }, p);
}

static void an_empty_list_lets_nobody_in(void **state)
{
	struct hf_errinfo ei = { 0 };

	(void)state;
	assert_err(hf_access_check(NULL, 0, &plain.cert, &ei), HF_ERR_DENIED);
	assert_non_null(strstr(ei.text, "cam-1"));
}

static void a_rule_without_condition_means_nobody(void **state)
{
	(void)state;
	assert_false(lets_in((struct hf_access_rule){ 0 }, &plain));
	assert_false(lets_in((struct hf_access_rule){ 0 }, &device));
}

static void a_name_is_id_common_name_or_dns_name(void **state)
{
	(void)state;
	assert_true(by_name("cam-1", &plain));
	assert_true(by_name("cam-*", &plain));
	assert_true(by_name("*", &plain));
	assert_true(by_name("dev-1", &device));
	assert_true(by_name("somebody", &device));
	assert_true(by_name("cam.example", &host));
	assert_true(by_name("CAM.*", &host));
	assert_false(by_name("cam-", &plain));
	assert_false(by_name("cam-11", &plain));
	assert_false(by_name("cam-1", &device));
	assert_false(by_name("Cam-1", &plain)); /* hosts know no case, others do */
	assert_false(by_name("", &plain));
	assert_false(by_name("cam-1*x", &plain));
}

/* A certificate says "*.wild.example" of itself; that makes it nobody else's name. */
static void a_pattern_in_a_certificate_is_no_pattern(void **state)
{
	(void)state;
	assert_false(by_name("a.wild.example", &host));
	assert_true(by_name("*", &host));
}

static void role_level_and_domain_need_an_identity(void **state)
{
	(void)state;
	assert_true(lets_in((struct hf_access_rule){ .roles = HF_ROLE_DEVICE }, &device));
	assert_true(
		lets_in((struct hf_access_rule){ .roles = HF_ROLE_DEVICE | HF_ROLE_EDGE }, &edge));
	assert_true(lets_in((struct hf_access_rule){ .level = HF_L2 }, &device));
	assert_true(lets_in((struct hf_access_rule){ .domain = "plant-*" }, &edge));
	assert_false(lets_in((struct hf_access_rule){ .roles = HF_ROLE_DEVICE }, &edge));
	assert_false(lets_in((struct hf_access_rule){ .roles = HF_ROLE_DEVICE }, &plain));
	assert_false(lets_in((struct hf_access_rule){ .level = HF_L2 }, &edge));
	assert_false(lets_in((struct hf_access_rule){ .level = HF_L1 }, &plain));
	assert_false(lets_in((struct hf_access_rule){ .domain = "plant-7" }, &edge));
	assert_false(lets_in((struct hf_access_rule){ .domain = "*" }, &plain));
}

static void all_conditions_of_a_rule_must_hold(void **state)
{
	struct hf_access_rule r = { .name = "dev-*",
		.domain = "plant-7",
		.roles = HF_ROLE_DEVICE,
		.level = HF_L2,
		.has_digest = true };

	(void)state;
	hf_cert_fingerprint(r.digest, &device.cert);
	assert_true(lets_in(r, &device));
	for (int i = 0; i < 5; i++) {
		struct hf_access_rule other = r;

		other.name = i == 0 ? "gw-*" : r.name;
		other.domain = i == 1 ? "plant-8" : r.domain;
		other.roles = i == 2 ? HF_ROLE_EDGE : r.roles;
		other.level = i == 3 ? HF_L3 : r.level;
		other.digest[31] ^= i == 4;
		assert_false(lets_in(other, &device));
	}
}

static void one_rule_of_a_list_is_enough(void **state)
{
	const struct hf_access_rule rules[] = { { .name = "nobody" }, { .name = "gw-1" } };

	(void)state;
	assert_ok(hf_access_check(rules, 2, &edge.cert, NULL));
	assert_err(hf_access_check(rules, 1, &edge.cert, NULL), HF_ERR_DENIED);
}

static void everybody_is_called_something(void **state)
{
	char name[HF_ACCESS_NAME];

	(void)state;
	hf_access_name(name, &device.cert);
	assert_string_equal(name, "dev-1");
	hf_access_name(name, &plain.cert);
	assert_string_equal(name, "cam-1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_list_lets_nobody_in),
		cmocka_unit_test(a_rule_without_condition_means_nobody),
		cmocka_unit_test(a_name_is_id_common_name_or_dns_name),
		cmocka_unit_test(a_pattern_in_a_certificate_is_no_pattern),
		cmocka_unit_test(role_level_and_domain_need_an_identity),
		cmocka_unit_test(all_conditions_of_a_rule_must_hold),
		cmocka_unit_test(one_rule_of_a_list_is_enough),
		cmocka_unit_test(everybody_is_called_something),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
