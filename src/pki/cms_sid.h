/* SPDX-License-Identifier: Apache-2.0 */
/* What signed messages and envelopes have in common: the outer wrapper and how parties are named.
 */
#ifndef HF_PKI_CMS_SID_H
#define HF_PKI_CMS_SID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/wr.h"
#include "codec/der.h"
#include "pki/cms.h"
#include "pki/oid.h"

/* ContentInfo { type, [0] { SEQUENCE body } }; body is read between enter and leave. */
struct hf_cms_wrap {
	struct hf_der info;
	struct hf_der content;
	struct hf_der body;
};
struct hf_cms_wrap hf_cms_enter(struct hf_der *d, enum hf_oid type);
void hf_cms_leave(struct hf_der *d, struct hf_cms_wrap *wrap);

struct hf_cms_mark {
	size_t info;
	size_t content;
	size_t body;
};
struct hf_cms_mark hf_cms_begin(struct hf_writer *w, enum hf_oid type);
void hf_cms_end(struct hf_writer *w, struct hf_cms_mark mark);

/* IssuerAndSerialNumber, or [0] SubjectKeyIdentifier: then issuer is empty. */
struct hf_cms_sid {
	struct hf_bytes issuer;
	struct hf_bytes serial;
	struct hf_bytes ski;
};
struct hf_cms_sid hf_cms_take_sid(struct hf_der *d);
void hf_cms_put_sid(struct hf_writer *w, const struct hf_cms_party *party);

/* True if it names this party. */
bool hf_cms_sid_is(const struct hf_cms_sid *sid, const struct hf_cms_party *party);

#endif
