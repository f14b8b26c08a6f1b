/* SPDX-License-Identifier: Apache-2.0 */
/* Object identifiers that certificates, key files and CMS name, as the content bytes of their DER.
 */
#ifndef HF_PKI_OID_H
#define HF_PKI_OID_H

#include "base/bytes.h"
#include "codec/der.h"

/* clang-format off */
#define HF_OID_LIST(X) /* name, content bytes */ \
	X(EC_PUBLIC_KEY, "\x2a\x86\x48\xce\x3d\x02\x01")                 /* 1.2.840.10045.2.1 */ \
	X(SM2_CURVE,     "\x2a\x81\x1c\xcf\x55\x01\x82\x2d")             /* 1.2.156.10197.1.301 */ \
	X(SM2_SIGN,      "\x2a\x81\x1c\xcf\x55\x01\x82\x2d\x01")         /* .301.1, GM/T 0006 */ \
	X(SM2_EXCHANGE,  "\x2a\x81\x1c\xcf\x55\x01\x82\x2d\x02")         /* .301.2 */ \
	X(SM2_ENCRYPT,   "\x2a\x81\x1c\xcf\x55\x01\x82\x2d\x03")         /* .301.3 */ \
	X(SM2_SM3,       "\x2a\x81\x1c\xcf\x55\x01\x83\x75")             /* .501, signature */ \
	X(SM3,           "\x2a\x81\x1c\xcf\x55\x01\x83\x11")             /* .401 */ \
	X(HMAC_SM3_GM,   "\x2a\x81\x1c\xcf\x55\x01\x83\x11\x02")         /* .401.2, GmSSL */ \
	X(HMAC_SM3,      "\x2a\x81\x1c\xcf\x55\x01\x83\x11\x03\x01")     /* .401.3.1, OpenSSL, Tongsuo */ \
	X(SM4_CBC,       "\x2a\x81\x1c\xcf\x55\x01\x68\x02")             /* .104.2 */ \
	X(SM4_GCM,       "\x2a\x81\x1c\xcf\x55\x01\x68\x08")             /* .104.8 */ \
	X(GM_DATA,       "\x2a\x81\x1c\xcf\x55\x06\x01\x04\x02\x01")     /* 1.2.156.10197.6.1.4.2.1 */ \
	X(GM_SIGNED,     "\x2a\x81\x1c\xcf\x55\x06\x01\x04\x02\x02")     /* .2 */ \
	X(GM_ENVELOPED,  "\x2a\x81\x1c\xcf\x55\x06\x01\x04\x02\x03")     /* .3 */ \
	X(PBES2,         "\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d")         /* 1.2.840.113549.1.5.13 */ \
	X(PBKDF2,        "\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c")         /* .12 */ \
	X(HMAC_SHA256,   "\x2a\x86\x48\x86\xf7\x0d\x02\x09")             /* 1.2.840.113549.2.9 */ \
	X(AES128_CBC,    "\x60\x86\x48\x01\x65\x03\x04\x01\x02")         /* 2.16.840.1.101.3.4.1.2 */ \
	X(AES256_CBC,    "\x60\x86\x48\x01\x65\x03\x04\x01\x2a")         /* .42 */ \
	X(EXT_REQUEST,   "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e")         /* PKCS#9 extensionRequest */ \
	X(CN,            "\x55\x04\x03")                                 /* 2.5.4.3 */ \
	X(C,             "\x55\x04\x06") \
	X(L,             "\x55\x04\x07") \
	X(ST,            "\x55\x04\x08") \
	X(O,             "\x55\x04\x0a") \
	X(OU,            "\x55\x04\x0b") \
	X(SKI,           "\x55\x1d\x0e")                                 /* 2.5.29.14 */ \
	X(KEY_USAGE,     "\x55\x1d\x0f") \
	X(SAN,           "\x55\x1d\x11") \
	X(BASIC,         "\x55\x1d\x13") \
	X(CRL_NUMBER,    "\x55\x1d\x14") \
	X(CRL_REASON,    "\x55\x1d\x15") \
	X(CRL_DELTA,     "\x55\x1d\x1b")                                 /* deltaCRLIndicator */ \
	X(CRL_POINTS,    "\x55\x1d\x1f")                                 /* 2.5.29.31, cRLDistributionPoints */ \
	X(CRL_FRESH,     "\x55\x1d\x2e")                                 /* 2.5.29.46, freshestCRL */ \
	X(AKI,           "\x55\x1d\x23") \
	X(EKU,           "\x55\x1d\x25") \
	X(SERVER_AUTH,   "\x2b\x06\x01\x05\x05\x07\x03\x01")             /* 1.3.6.1.5.5.7.3.1 */ \
	X(CLIENT_AUTH,   "\x2b\x06\x01\x05\x05\x07\x03\x02") \
	X(OCSP_SIGNING,  "\x2b\x06\x01\x05\x05\x07\x03\x09") \
	X(OCSP_BASIC,    "\x2b\x06\x01\x05\x05\x07\x30\x01\x01")     /* 1.3.6.1.5.5.7.48.1.1 */
/* clang-format on */

enum hf_oid {
#define HF_OID_ENUM(name, bytes) HF_OID_##name,
	HF_OID_LIST(HF_OID_ENUM)
#undef HF_OID_ENUM
		HF_OID_COUNT
};

/* Content bytes of an identifier. */
struct hf_bytes hf_oid(enum hf_oid id);

/* Which one these content bytes are; HF_OID_COUNT if it is none of the list. */
enum hf_oid hf_oid_find(struct hf_bytes content);

/* AlgorithmIdentifier { id } without parameters, as SM2-with-SM3 is written (GM/T 0015). */
void hf_oid_put_algorithm(struct hf_writer *w, enum hf_oid id);

/*
 * Reads AlgorithmIdentifier whose parameters are absent or NULL (CAs write both) and returns the
 * identifier; HF_OID_COUNT when unknown. Other parameters make the reader fail.
 */
enum hf_oid hf_oid_take_algorithm(struct hf_der *d);

#endif
