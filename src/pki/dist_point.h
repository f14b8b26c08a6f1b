/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where lists of what is revoked can be fetched, as certificates and lists name it: CRL
 * distribution points and "freshest CRL" (RFC 5280 4.2.1.13, 4.2.1.15, 5.2.6). Words of whoever
 * signed them: what comes from there still has to be signed by the issuer.
 */
#ifndef HF_PKI_DIST_POINT_H
#define HF_PKI_DIST_POINT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "codec/der.h"

/* Checks an extension's value and gives the content of its CRLDistributionPoints. */
struct hf_bytes hf_dist_points_take(struct hf_der *value);

/*
 * The i-th URI of hf_cert.crl_points, .fresh_points or hf_crl.fresh_points. Points that are not for
 * all reasons, or of another issuer, are passed over. False: there are not so many.
 */
bool hf_dist_points_uri(struct hf_bytes *uri, struct hf_bytes points, size_t i);

#endif
