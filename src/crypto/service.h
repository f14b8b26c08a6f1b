/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the module does for whom (GB/T 37092-2018 7.4): one row a service. A service is approved if
 * a national or industry standard of cryptography has it; it may then be called approved as long
 * as the module itself is (hf_service_is_approved). docs/module/security-policy.md has the same
 * table with more words, and a test compares both with the headers.
 */
#ifndef HF_CRYPTO_SERVICE_H
#define HF_CRYPTO_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

/* Who may ask for it. Level 1 asks for no proof: a role is taken by calling its services. */
enum hf_role {
	HF_ROLE_OFFICER, /* starts, tests and zeroizes the module */
	HF_ROLE_USER,    /* uses keys */
	HF_ROLE_ANY,
};

struct hf_service {
	const char *name;
	const char
		*functions; /* of the headers: names or beginnings ("hf_gcm_*"), a space between */
	const char *standard;
	const char *test; /* power-up self-test that stands for it, or NULL */
	enum hf_role role;
	bool has_standard; /* of GB/T or GM/T */
};

/* The services; NULL from the count on. */
const struct hf_service *hf_service_at(size_t i);

/* The indicator of 7.2.4: the service is of a standard, and the module is ready and was tested. */
bool hf_service_is_approved(const struct hf_service *s);

const char *hf_service_role(const struct hf_service *s);

#endif
