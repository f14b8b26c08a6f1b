/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one error type. Codes have stable numbers; the high byte is the class, and the class alone
 * decides the exit code of a program (hf_err_exit). Add a code only when a caller would act
 * differently on it.
 */
#ifndef HF_BASE_ERR_H
#define HF_BASE_ERR_H

#include <stdarg.h>

#include "base/attr.h"

/* clang-format off */
#define HF_ERR_LIST(X) /* name, number, name in logs, text */ \
	X(OK,          0x000, "ok",          "ok") \
	X(ARG,         0x101, "arg",         "caller broke the contract") \
	X(NO_MEMORY,   0x201, "no_memory",   "out of memory") \
	X(LIMIT,       0x202, "limit",       "a configured limit was reached") \
	X(FULL,        0x203, "full",        "no space left") \
	X(TRUNCATED,   0x301, "truncated",   "input ends too early") \
	X(FORMAT,      0x302, "format",      "input is malformed") \
	X(UNSUPPORTED, 0x303, "unsupported", "input asks for something this version does not have") \
	X(AUTH,        0x401, "auth",        "authentication failed") \
	X(DENIED,      0x402, "denied",      "refused by policy") \
	X(ROLLBACK,    0x403, "rollback",    "older than what was already accepted") \
	X(EXPIRED,     0x404, "expired",     "outside its period of validity") \
	X(STALE,       0x405, "stale",       "not fresh enough") \
	X(REVOKED,     0x406, "revoked",     "revoked") \
	X(PURPOSE,     0x407, "purpose",     "not made for this use") \
	X(STATE,       0x501, "state",       "not allowed in this state") \
	X(AGAIN,       0x502, "again",       "nothing to do yet, call again later") \
	X(EXISTS,      0x503, "exists",      "already there") \
	X(NOT_FOUND,   0x504, "not_found",   "not found") \
	X(CLOSED,      0x505, "closed",      "the peer closed in an orderly way") \
	X(IO,          0x601, "io",          "input or output failed") \
	X(NET,         0x602, "net",         "the network or the peer failed") \
	X(TIMEOUT,     0x603, "timeout",     "took too long") \
	X(PERMISSION,  0x604, "permission",  "the system refused permission") \
	X(INTERNAL,    0x701, "internal",    "internal error") \
	X(SELF_TEST,   0x702, "self_test",   "the cryptographic module is in its error state") \
	X(ENTROPY,     0x703, "entropy",     "the entropy source failed")
/* clang-format on */

/*
 * HF_OK is 0; every other code is HF_ERR_<name>. Written out so that a search finds each of them;
 * a static assertion in err.c keeps both lists equal.
 */
typedef enum {
	HF_OK = 0x000,
	HF_ERR_ARG = 0x101,
	HF_ERR_NO_MEMORY = 0x201,
	HF_ERR_LIMIT = 0x202,
	HF_ERR_FULL = 0x203,
	HF_ERR_TRUNCATED = 0x301,
	HF_ERR_FORMAT = 0x302,
	HF_ERR_UNSUPPORTED = 0x303,
	HF_ERR_AUTH = 0x401,
	HF_ERR_DENIED = 0x402,
	HF_ERR_ROLLBACK = 0x403,
	HF_ERR_EXPIRED = 0x404,
	HF_ERR_STALE = 0x405,
	HF_ERR_REVOKED = 0x406,
	HF_ERR_PURPOSE = 0x407,
	HF_ERR_STATE = 0x501,
	HF_ERR_AGAIN = 0x502,
	HF_ERR_EXISTS = 0x503,
	HF_ERR_NOT_FOUND = 0x504,
	HF_ERR_CLOSED = 0x505,
	HF_ERR_IO = 0x601,
	HF_ERR_NET = 0x602,
	HF_ERR_TIMEOUT = 0x603,
	HF_ERR_PERMISSION = 0x604,
	HF_ERR_INTERNAL = 0x701,
	HF_ERR_SELF_TEST = 0x702,
	HF_ERR_ENTROPY = 0x703,
} hf_err;

enum {
	HF_ERRINFO_TEXT = 256, /* bytes of an explanation, with its terminator */
};

/* The first cause of a failure, in words an operator can act on. Start it with { 0 }. */
struct hf_errinfo {
	hf_err code;                /* HF_OK: nothing recorded yet */
	int sys;                    /* errno of the system call that failed, or 0 */
	char text[HF_ERRINFO_TEXT]; /* object, what is wrong, what to do; no trailing newline */
};

/* Short English text of a code; "unknown error" for a number that is none. Never NULL. */
const char *hf_err_text(hf_err e);

/* Lower-case name of a code ("auth", "no_memory"), for logs and JSON. Never NULL. */
const char *hf_err_name(hf_err e);

/*
 * Exit code of a program that ends with e: 0 ok, 2 usage, 3 resources, 4 bad input, 5 refused,
 * 6 state, 7 system, 8 internal. (1 is left for "the check ran and found something".)
 */
int hf_err_exit(hf_err e);

/*
 * Records why something failed and returns code, so that it can stand in a return statement.
 * ei may be NULL. An earlier record is kept: the first cause is the cause.
 */
hf_err hf_fail(struct hf_errinfo *ei, hf_err code, const char *fmt, ...) HF_PRINTF(3, 4);

/* As hf_fail, with the errno of the system call that failed. */
hf_err hf_fail_sys(struct hf_errinfo *ei, hf_err code, int sys, const char *fmt, ...)
	HF_PRINTF(4, 5);

/* Returns from the calling function on failure. Only where the function owns nothing. */
#define HF_TRY(call) \
	do { \
		hf_err hf_try_err_ = (call); \
		if (hf_try_err_ != HF_OK) \
			return hf_try_err_; \
	} while (0)

#endif
