/* SPDX-License-Identifier: Apache-2.0 */
/* Where lists can be fetched: every URI of every point that is of use, and no malformed point. */
#include "test.h"

#include "pki/dist_point.h"

/* Two points with three URIs, one by a relative name, one for some reasons, one of another issuer.
 */
static const char points_hex[] = "304b" /* CRLDistributionPoints */
				 "3012a010a00e8605687474703a86056c6461703a" /* http: and ldap: */
				 "3009a007a1053103060155"               /* relative to the issuer */
				 "300da007a0058603613a2f81020560"       /* reasons */
				 "3010a007a0058603623a2fa205a403300000" /* another issuer */
				 "3009a007a0058603633a2f";              /* c:/ */

static hf_err take(struct hf_bytes *content, const uint8_t *der, size_t len)
{
	struct hf_der d = hf_der_over(der, len);

	*content = hf_dist_points_take(&d);
	return hf_der_done(&d);
}

static void every_uri_of_use_is_found(void **state)
{
	static const char *const want[] = { "http:", "ldap:", "c:/" };
	struct hf_bytes content;
	struct hf_bytes uri;
	size_t len;
	uint8_t *der = test_hex(points_hex, &len);

	(void)state;
	der[1] = (uint8_t)(len - 2);
	assert_ok(take(&content, der, len));
	for (size_t i = 0; i < HF_COUNT(want); i++) {
		assert_true(hf_dist_points_uri(&uri, content, i));
		assert_true(hf_bytes_eq(uri, hf_bytes_str(want[i])));
	}
	assert_false(hf_dist_points_uri(&uri, content, HF_COUNT(want)));
	assert_false(hf_dist_points_uri(&uri, (struct hf_bytes){ 0 }, 0));
	free(der);
}

static void refuses_what_is_cut_or_altered(void **state)
{
	static const char *const bad[] = { "3000", "30023000ff", "3006a004a0028601", "300431020500",
		"3006300481020560", "300b3009a007a1053103060155ff", "3004a302a200" };
	struct hf_bytes content;
	size_t len;
	uint8_t *der = test_hex(points_hex, &len);

	(void)state;
	der[1] = (uint8_t)(len - 2);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_not_equal(take(&content, der, cut), HF_OK);
	free(der);
	for (size_t i = 0; i < HF_COUNT(bad); i++) {
		der = test_hex(bad[i], &len);
		if (i == 4) { /* only reasons: well formed, and of no use */
			assert_ok(take(&content, der, len));
			assert_false(hf_dist_points_uri(&content, content, 0));
		} else {
			assert_int_not_equal(take(&content, der, len), HF_OK);
		}
		free(der);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_uri_of_use_is_found),
		cmocka_unit_test(refuses_what_is_cut_or_altered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
