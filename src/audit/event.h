/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry of audit events: number, class, severity and name of everything that is recorded.
 * Class S is durable before its effect is visible; class A within 50 ms, by group commit. Numbers
 * are stable; the high byte is the group (docs/formats/audit-log.md).
 */
#ifndef HF_AUDIT_EVENT_H
#define HF_AUDIT_EVENT_H

#include <stddef.h>
#include <stdint.h>

/* clang-format off */
#define HF_AUDIT_EVENTS(X) \
	/* name                 number  class sev name in exports */ \
	X(KEY_GENERATE,         0x0101, 'S',  9,  "key.generate") \
	X(KEY_WRAP,             0x0102, 'A',  9,  "key.wrap") \
	X(KEY_UNWRAP,           0x0103, 'A',  9,  "key.unwrap") \
	X(ROOT_OPEN,            0x0104, 'S',  10, "key.root-open") \
	X(ROOT_REFUSED,         0x0105, 'S',  17, "key.root-refused") \
	X(SIGN,                 0x0201, 'A',  9,  "crypto.sign") \
	X(MODULE_START,         0x0202, 'S',  9,  "crypto.module-start") \
	X(HANDSHAKE,            0x0301, 'A',  9,  "link.handshake") \
	X(HANDSHAKE_REFUSED,    0x0302, 'A',  13, "link.refused") \
	X(LINK_CLOSED,          0x0303, 'A',  9,  "link.closed") \
	X(REQUEST_REFUSED,      0x0304, 'A',  13, "link.request-refused") \
	X(TOKEN_ISSUE,          0x0401, 'S',  9,  "identity.token") \
	X(ENROL,                0x0402, 'S',  9,  "identity.enrol") \
	X(ENROL_REFUSED,        0x0403, 'S',  17, "identity.enrol-refused") \
	X(REVOKE,               0x0404, 'S',  13, "identity.revoke") \
	X(DOMAIN_INIT,          0x0501, 'S',  9,  "policy.domain-init") \
	X(POLICY_REFUSED,       0x0502, 'A',  13, "policy.refused") \
	X(AUDIT_OPEN,           0x0601, 'S',  9,  "audit.open") \
	X(AUDIT_RECOVERED,      0x0602, 'S',  13, "audit.recovered") \
	X(AUDIT_CLOSE,          0x0603, 'S',  9,  "audit.close") \
	X(MODEL_SEAL,           0x0901, 'A',  9,  "model.seal") \
	X(MODEL_PUBLISH,        0x0902, 'S',  9,  "model.publish") \
	X(MODEL_CHANNEL,        0x0903, 'S',  9,  "model.channel") \
	X(MODEL_GRANT,          0x0904, 'A',  9,  "model.grant") \
	X(MODEL_FETCH,          0x0905, 'A',  9,  "model.fetch") \
	X(MODEL_VERIFY,         0x0906, 'A',  9,  "model.verify") \
	X(MODEL_ACTIVATE,       0x0907, 'S',  9,  "model.activate") \
	X(MODEL_OPEN,           0x0908, 'A',  9,  "model.open") \
	X(MODEL_REFUSED,        0x0909, 'A',  17, "model.refused") \
	X(MODEL_UPLOAD,         0x090a, 'A',  9,  "model.upload") \
	X(MODEL_RECEIPT,        0x090b, 'A',  9,  "model.receipt") \
	X(SOURCE_FAILED,        0x090c, 'A',  13, "model.source-failed") \
	X(SOURCE_QUARANTINED,   0x090d, 'A',  17, "model.source-quarantined") \
	X(MODEL_INVENTORY,      0x090e, 'A',  9,  "model.inventory") \
	X(BUSINESS,             0x0a01, 'A',  9,  "business.event")
/* clang-format on */

enum hf_audit_event {
#define HF_AUDIT_ENUM(name, number, class_, severity, text) HF_EV_##name = (number),
	HF_AUDIT_EVENTS(HF_AUDIT_ENUM)
#undef HF_AUDIT_ENUM
};

struct hf_audit_event_entry {
	uint16_t number;
	char class_id;    /* 'S' or 'A' */
	uint8_t severity; /* OpenTelemetry severity number, 1..24 */
	const char *name;
};

/* The entry of an event number, or NULL if there is none. */
const struct hf_audit_event_entry *hf_audit_event(uint16_t number);

#endif
