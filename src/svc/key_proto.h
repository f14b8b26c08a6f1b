/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the key process is asked for (design 7): one table of requests, each allowed to named askers
 * in named states. A message is u8 request, then its fields; lists and objects have u32 lengths.
 * A reply is u32 hf_err, u16 length and text of the cause, then the result's fields.
 */
#ifndef HF_SVC_KEY_PROTO_H
#define HF_SVC_KEY_PROTO_H

/* clang-format off */
#define HF_KEY_REQUESTS(X) \
	/* name           number  who may ask                when */ \
	X(SIGN_LINK,      1,      FRONT,                     ANY)      /* a CertificateVerify, by role and transcript */ \
	X(AUDIT,          2,      FRONT,                     ANY)      /* record an event */ \
	X(STATUS,         3,      FRONT | LOCAL,             ANY)      /* state, identity, floors, log size */ \
	X(NEWCOMER,       4,      FRONT,                     NEWCOMER) /* requests and self-signed certificate */ \
	X(ENROLLED,       5,      FRONT,                     NEWCOMER) /* the certificates that came back */ \
	X(CHECK_CHANNEL,  6,      FRONT,                     MEMBER)   /* trust order up to persist */ \
	X(CHECK_RELEASE,  7,      FRONT,                     MEMBER)   /* … up to level */ \
	X(CHECK_GRANT,    8,      FRONT,                     MEMBER)   /* … up to commitment; no key leaves */ \
	X(ACTIVATE,       9,      FRONT,                     MEMBER)   /* raise the floor, sign the receipt */ \
	X(OPEN,           10,     LOCAL,                     MEMBER)   /* content key of the active release */ \
	X(SIGN_INVENTORY, 11,     FRONT,                     MEMBER)   /* what runs here, signed */ \
	X(SIGN_UPLOAD,    12,     LOCAL,                     MEMBER)   /* an upload of this device */ \
	X(ENROL,          13,     FRONT,                     HUB)      /* token and requests to certificates */ \
	X(MAKE_CHANNEL,   14,     FRONT,                     HUB)      /* the next channel */ \
	X(MAKE_GRANT,     15,     FRONT,                     HUB)      /* a device's grant from a deposit */ \
	X(MAKE_TOKEN,     16,     LOCAL,                     HUB)      /* an enrolment token */ \
	X(REPORT,         17,     LOCAL,                     MEMBER)   /* an opened release is not whole */ \
	X(CHECK_ACTIVE,   18,     FRONT,                     MEMBER)   /* the active release as it is kept, up to grant */ \
	X(REVOKE,         19,     LOCAL,                     HUB)      /* certificates onto the revocation list */ \
	X(REVOCATIONS,    20,     FRONT,                     HUB)      /* the revocation list, made anew when it is due */
/* clang-format on */

enum hf_key_request {
#define HF_KEY_REQUEST_ENUM(name, number, who, when) HF_KEYREQ_##name = (number),
	HF_KEY_REQUESTS(HF_KEY_REQUEST_ENUM)
#undef HF_KEY_REQUEST_ENUM
};

enum {
	HF_KEY_MESSAGE_MAX = 16 << 20, /* bytes of a request or a reply */
};

#endif
