/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DistributionPoint ::= SEQUENCE { [0] EXPLICIT DistributionPointName, [1] ReasonFlags, [2]
 * cRLIssuer }, all of them optional (RFC 5280 4.2.1.13).
 */
#include "pki/dist_point.h"

enum { NAME_URI = 6 }; /* GeneralName: uniformResourceIdentifier */

/* One point. names: content of its fullName; empty where it has none that is of use here. */
static struct hf_bytes take_point(struct hf_der *points)
{
	struct hf_der point = hf_der_enter(points, HF_DER_SEQUENCE);
	struct hf_bytes names = { 0 };
	bool is_partial = false;

	if (hf_der_is(&point, HF_DER_CTX_SEQ(0))) {
		struct hf_der name = hf_der_enter(&point, HF_DER_CTX_SEQ(0));

		if (hf_der_is(&name, HF_DER_CTX_SEQ(0)))
			names = hf_der_take(&name, HF_DER_CTX_SEQ(0));
		else /* nameRelativeToCRLIssuer: a place in a directory */
			(void)hf_der_take(&name, HF_DER_CTX_SEQ(1));
		hf_der_leave(&point, &name);
	}
	if (hf_der_is(&point, HF_DER_CTX(1))) {
		(void)hf_der_take(&point, HF_DER_CTX(1));
		is_partial = true;
	}
	if (hf_der_is(&point, HF_DER_CTX_SEQ(2))) {
		(void)hf_der_take(&point, HF_DER_CTX_SEQ(2));
		is_partial = true;
	}
	hf_der_leave(points, &point);
	if (is_partial)
		names.len = 0;
	return names;
}

struct hf_bytes hf_dist_points_take(struct hf_der *value)
{
	struct hf_der points = hf_der_enter(value, HF_DER_SEQUENCE);
	struct hf_bytes content = { points.p, points.left };

	do {
		struct hf_bytes names = take_point(&points);
		struct hf_der d = hf_der_over(names.p, names.len);
		uint8_t tag = 0;

		while (hf_der_more(&d))
			(void)hf_der_any(&d, &tag);
		hf_der_fail(&points, d.err);
	} while (hf_der_more(&points));
	hf_der_leave(value, &points);
	return content;
}

bool hf_dist_points_uri(struct hf_bytes *uri, struct hf_bytes points, size_t i)
{
	struct hf_der d = hf_der_over(points.p, points.len);

	while (hf_der_more(&d)) {
		struct hf_bytes names = take_point(&d);
		struct hf_der n = hf_der_over(names.p, names.len);

		while (hf_der_more(&n)) {
			uint8_t tag = 0;
			struct hf_bytes name = hf_der_any(&n, &tag);

			if (tag != HF_DER_CTX(NAME_URI) || i-- > 0)
				continue;
			*uri = name;
			return true;
		}
	}
	return false;
}
