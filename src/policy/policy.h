/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The level table (A3): what each protection level demands, as constant data. Every engine asks
 * here; `hufu policy show` prints the same rows. A peer, a package and a device each carry a level,
 * and an operation runs at the highest of those involved. What falls short is refused with the
 * row's name in the message.
 */
#ifndef HF_POLICY_POLICY_H
#define HF_POLICY_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum hf_level {
	HF_L1 = 1, /* basic, 基础级 */
	HF_L2 = 2, /* enhanced, 增强级 */
	HF_L3 = 3, /* high, 高安全级 */
};

/* A limit that the level does not have. Larger than any real value, so comparisons just work. */
#define HF_POLICY_NONE UINT64_MAX

enum hf_policy_unit {
	HF_UNIT_BOOL, /* 1: yes; 0: no */
	HF_UNIT_COUNT,
	HF_UNIT_SECONDS,
	HF_UNIT_BYTES,
	HF_UNIT_CLASS, /* hardware class: 1 = A .. 4 = D; at most this */
};

/* clang-format off */
#define HF_POLICY_ROWS(X) \
	/* row                  name                      unit     L1              L2            L3            what it says */ \
	X(LINK_TLS13,           "link.tls13",             BOOL,    1,              1,            1,            "TLS 1.3 with the SM suites is allowed") \
	X(LINK_TLCP_ECC,        "link.tlcp-ecc",          BOOL,    1,              0,            0,            "TLCP with static key exchange is allowed") \
	X(LINK_TLCP_ECDHE,      "link.tlcp-ecdhe",        BOOL,    1,              1,            0,            "TLCP with ephemeral key exchange is allowed") \
	X(LINK_TLCP_CBC,        "link.tlcp-cbc",          BOOL,    1,              0,            0,            "TLCP CBC suites are allowed, by a named switch only") \
	X(LINK_PSK,             "link.external-psk",      BOOL,    1,              0,            0,            "a key given to both ends may stand in for certificates, by a named switch only") \
	X(SUITE_GCM,            "suite.sm4-gcm",          BOOL,    1,              1,            1,            "SM4-GCM is allowed") \
	X(SUITE_CCM,            "suite.sm4-ccm",          BOOL,    1,              1,            0,            "SM4-CCM is allowed") \
	X(FORWARD_SECRECY,      "link.forward-secrecy",   BOOL,    0,              1,            1,            "every session needs forward secrecy") \
	X(MUTUAL,               "link.mutual",            BOOL,    1,              1,            1,            "both ends show a certificate") \
	X(REVOCATION_AGE,       "link.revocation-age",    SECONDS, HF_POLICY_NONE, 72 * 3600,    24 * 3600,    "revocation data is at most this old") \
	X(HARDWARE_CLASS,       "device.hardware-class",  CLASS,   4,              4,            3,            "key protection of a device, without a signed exception") \
	X(TICKET_LIFE,          "resume.ticket-life",     SECONDS, 24 * 3600,      12 * 3600,    3600,         "life of a session ticket") \
	X(TICKET_SINGLE_USE,    "resume.single-use",      BOOL,    0,              0,            1,            "a ticket is taken once") \
	X(PSK_KE,               "resume.psk-ke",          BOOL,    1,              0,            0,            "resumption without a fresh key exchange is allowed") \
	X(REKEY_TIME,           "rekey.time",             SECONDS, 24 * 3600,      3600,         900,          "life of a traffic key") \
	X(REKEY_RECORDS,        "rekey.records",          COUNT,   1u << 24,       1u << 24,     1u << 22,     "records under one traffic key") \
	X(REKEY_BYTES,          "rekey.bytes",            BYTES,   HF_POLICY_NONE, 64ull << 30,  16ull << 30,  "bytes under one traffic key") \
	X(PACKAGE_EXPIRY,       "package.expiry",         SECONDS, HF_POLICY_NONE, 90 * 86400,   30 * 86400,   "longest life of a release") \
	X(PACKAGE_FRESHNESS,    "package.freshness",      SECONDS, HF_POLICY_NONE, 72 * 3600,    24 * 3600,    "a channel statement is at most this old") \
	X(PACKAGE_SIGNATURES,   "package.signatures",     COUNT,   1,              1,            2,            "publisher keys that must have signed") \
	X(PACKAGE_MARKS,        "package.marks",          BOOL,    0,              0,            1,            "forensic marks are required") \
	X(PACKAGE_MEMORY_ONLY,  "package.memory-only",    BOOL,    0,              0,            1,            "plaintext stays in memory") \
	X(GRANT_TRAVELS,        "grant.travels",          BOOL,    1,              0,            0,            "a grant may travel with the package") \
	X(GRANT_CACHE,          "grant.cache",            SECONDS, HF_POLICY_NONE, 72 * 3600,    24 * 3600,    "a grant fetched online is used this long") \
	X(FLOOR_HUB,            "floor.hub-check",        BOOL,    0,              1,            1,            "the rollback floor is compared with the hub") \
	X(FLOOR_TPM,            "floor.tpm-counter",      BOOL,    0,              0,            1,            "a TPM NV counter backs the floor where there is one") \
	X(TIME_SIGNED,          "time.signed-answer",     BOOL,    0,              1,            1,            "after a boot, time comes from a signed answer over a nonce") \
	X(DEVICE_CERT_LIFE,     "device.cert-life",       SECONDS, 365 * 86400,    90 * 86400,   30 * 86400,   "life of a device certificate") \
	X(AUDIT_WITNESS,        "audit.witness",          SECONDS, 3600,           300,          60,           "an audit head is witnessed within this time") \
	X(AUDIT_STOP,           "audit.stop",             SECONDS, HF_POLICY_NONE, HF_POLICY_NONE, 24 * 3600,  "without any witness for this long: stop") \
	X(OFFLINE,              "offline.life",           SECONDS, 30 * 86400,     72 * 3600,    24 * 3600,    "works this long without the hub")
/* clang-format on */

enum hf_policy_row {
#define HF_POLICY_ENUM(row, name, unit, l1, l2, l3, text) HF_ROW_##row,
	HF_POLICY_ROWS(HF_POLICY_ENUM)
#undef HF_POLICY_ENUM
		HF_ROW_COUNT,
};

struct hf_policy_entry {
	const char *name; /* as it stands in messages */
	const char *text; /* one line, English */
	enum hf_policy_unit unit;
	uint64_t value[3]; /* L1, L2, L3 */
};

/* The entry of a row, for printing. row must be below HF_ROW_COUNT. */
const struct hf_policy_entry *hf_policy_entry(enum hf_policy_row row);

/* The value of a row at a level. level must be HF_L1 .. HF_L3. */
uint64_t hf_policy(enum hf_policy_row row, enum hf_level level);

/* True for 1, 2 and 3. Ask before a number from outside becomes an enum hf_level. */
bool hf_level_is(uint64_t number);

/* The higher of two levels. */
enum hf_level hf_level_max(enum hf_level a, enum hf_level b);

/*
 * Refuses an operation that falls short of a row, and returns HF_ERR_DENIED. The text starts with
 * the row's name, the level and what it demands, followed by the caller's words.
 */
hf_err hf_policy_refuse(struct hf_errinfo *ei, enum hf_policy_row row, enum hf_level level,
	const char *fmt, ...) HF_PRINTF(4, 5);

/* The demand of a row at a level in words: "yes", "72 h", "2", "no limit". Needs 24 bytes. */
void hf_policy_text(char *text, size_t cap, enum hf_policy_row row, enum hf_level level);

#endif
