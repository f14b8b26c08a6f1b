/* SPDX-License-Identifier: Apache-2.0 */
/* Access lists over certificates. */
#include "svc/access.h"

#include <stdio.h>
#include <string.h>

#include "codec/der.h"
#include "pki/oid.h"

/* Exactly, or the beginning before a '*' at the end. Names of hosts know no case: fold. */
static bool matches(const char *pattern, const void *name, size_t len, bool fold)
{
	const char *s = name;
	size_t n = strlen(pattern);
	bool is_open = n > 0 && pattern[n - 1] == '*';

	n -= is_open;
	if (is_open ? len < n : len != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		char a = pattern[i];
		char b = s[i];

		if (fold && a >= 'A' && a <= 'Z')
			a = (char)(a - 'A' + 'a');
		if (fold && b >= 'A' && b <= 'Z')
			b = (char)(b - 'A' + 'a');
		if (a != b)
			return false;
	}
	return true;
}

/* The last common name of the subject: the most specific one. Empty: there is none. */
static struct hf_bytes common_name(const struct hf_cert *c)
{
	struct hf_der d = hf_der_over(c->subject.p, c->subject.len);
	struct hf_der rdns = hf_der_enter(&d, HF_DER_SEQUENCE);
	struct hf_bytes found = { 0 };

	while (hf_der_more(&rdns)) {
		struct hf_der set = hf_der_enter(&rdns, HF_DER_SET);

		while (hf_der_more(&set)) {
			struct hf_der seq = hf_der_enter(&set, HF_DER_SEQUENCE);
			struct hf_bytes type = hf_der_oid(&seq);
			uint8_t tag = 0;
			struct hf_bytes value = hf_der_any(&seq, &tag);

			hf_der_leave(&set, &seq);
			if (hf_oid_find(type) == HF_OID_CN && tag != HF_DER_BMP)
				found = value;
		}
		hf_der_leave(&rdns, &set);
	}
	return found.len > 0 && memchr(found.p, '\0', found.len) == NULL ? found
									 : (struct hf_bytes){ 0 };
}

static bool has_dns(const struct hf_cert *c, const char *pattern)
{
	struct hf_der names = hf_der_over(c->san.p, c->san.len);

	while (hf_der_more(&names)) {
		uint8_t tag = 0;
		struct hf_bytes v = hf_der_any(&names, &tag);

		if (names.err == HF_OK && tag == HF_DER_CTX(2) &&
			matches(pattern, v.p, v.len, true))
			return true;
	}
	return false;
}

static bool has_name(const struct hf_cert *c, const char *pattern)
{
	struct hf_bytes cn;

	if (strcmp(pattern, "*") == 0)
		return true;
	if (c->has_identity && matches(pattern, c->identity.id, strlen(c->identity.id), false))
		return true;
	cn = common_name(c);
	return (cn.len > 0 && matches(pattern, cn.p, cn.len, false)) || has_dns(c, pattern);
}

static bool holds(const struct hf_access_rule *r, const struct hf_cert *c)
{
	uint8_t digest[HF_SM3_LEN];
	const struct hf_identity *id = &c->identity;

	if ((r->domain != NULL || r->roles != 0 || r->level != 0) && !c->has_identity)
		return false;
	if (r->domain != NULL && !matches(r->domain, id->domain, strlen(id->domain), false))
		return false;
	if (r->roles != 0 && (r->roles & (unsigned)id->role) == 0)
		return false;
	if (r->level != 0 && id->level < r->level)
		return false;
	if (r->has_digest) {
		hf_cert_fingerprint(digest, c);
		if (memcmp(digest, r->digest, sizeof(digest)) != 0)
			return false;
	}
	return r->name == NULL || has_name(c, r->name);
}

hf_err hf_access_check(const struct hf_access_rule *rules, size_t n, const struct hf_cert *peer,
	struct hf_errinfo *ei)
{
	char name[HF_ACCESS_NAME];

	for (size_t i = 0; i < n; i++)
		if (hf_access_rule_is_valid(&rules[i]) && holds(&rules[i], peer))
			return HF_OK;
	hf_access_name(name, peer);
	return hf_fail(ei, HF_ERR_DENIED, "%s is not on the access list", name);
}

void hf_access_name(char out[HF_ACCESS_NAME], const struct hf_cert *peer)
{
	struct hf_bytes cn = common_name(peer);

	if (peer->has_identity) {
		(void)snprintf(out, HF_ACCESS_NAME, "%s", peer->identity.id);
	} else if (cn.len > 0 && cn.len < HF_ACCESS_NAME) {
		memcpy(out, cn.p, cn.len);
		out[cn.len] = '\0';
	} else {
		hf_name_text(out, peer->subject);
	}
}

static bool is_pattern(const char *s)
{
	const char *star = strchr(s, '*');

	return s[0] != '\0' && (star == NULL || star[1] == '\0');
}

bool hf_access_rule_is_valid(const struct hf_access_rule *r)
{
	if (r->name == NULL && r->domain == NULL && r->roles == 0 && r->level == 0 &&
		!r->has_digest)
		return false;
	return (r->name == NULL || is_pattern(r->name)) &&
	       (r->domain == NULL || is_pattern(r->domain));
}
