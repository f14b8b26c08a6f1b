/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can go wrong. Functions of libhufu that can fail return HUFU_OK or one of the other codes;
 * the numbers never change. The high byte is the class: 1 the caller, 2 resources, 3 input, 4
 * refused (do not try again with the same things), 5 state, 6 system, 7 internal.
 */
#ifndef HUFU_ERR_H
#define HUFU_ERR_H

#ifdef __cplusplus
extern "C" {
#endif

enum hufu_err {
	HUFU_OK = 0x000,
	HUFU_ERR_ARG = 0x101,         /* caller broke the contract */
	HUFU_ERR_NO_MEMORY = 0x201,   /* out of memory */
	HUFU_ERR_LIMIT = 0x202,       /* a configured limit was reached */
	HUFU_ERR_FULL = 0x203,        /* no space left */
	HUFU_ERR_TRUNCATED = 0x301,   /* input ends too early */
	HUFU_ERR_FORMAT = 0x302,      /* input is malformed */
	HUFU_ERR_UNSUPPORTED = 0x303, /* input asks for something this version does not have */
	HUFU_ERR_AUTH = 0x401,        /* altered, or not from whom it should be */
	HUFU_ERR_DENIED = 0x402,      /* refused by policy; the text names the row */
	HUFU_ERR_ROLLBACK = 0x403,    /* older than what was already accepted */
	HUFU_ERR_EXPIRED = 0x404,     /* outside its period of validity */
	HUFU_ERR_STALE = 0x405,       /* not fresh enough */
	HUFU_ERR_REVOKED = 0x406,     /* revoked */
	HUFU_ERR_PURPOSE = 0x407,     /* not made for this use */
	HUFU_ERR_STATE = 0x501,       /* not allowed in this state */
	HUFU_ERR_AGAIN = 0x502,       /* busy, call again later */
	HUFU_ERR_EXISTS = 0x503,      /* already there */
	HUFU_ERR_NOT_FOUND = 0x504,   /* not found */
	HUFU_ERR_CLOSED = 0x505,      /* the peer closed in an orderly way */
	HUFU_ERR_IO = 0x601,          /* input or output failed */
	HUFU_ERR_NET = 0x602,         /* the network or the peer failed; no node runs */
	HUFU_ERR_TIMEOUT = 0x603,     /* took too long */
	HUFU_ERR_PERMISSION = 0x604,  /* the system refused permission */
	HUFU_ERR_INTERNAL = 0x701,    /* internal error */
	HUFU_ERR_SELF_TEST = 0x702,   /* the cryptographic module is in its error state */
	HUFU_ERR_ENTROPY = 0x703      /* the entropy source failed */
};

enum { HUFU_ERROR_TEXT = 256 }; /* bytes of an explanation, with its terminator */

/*
 * The cause of a failure in words: the object, what is wrong with it, what to do. Functions fill it
 * in when they fail and leave it alone otherwise; a NULL pointer is accepted in its place.
 */
struct hufu_error {
	int code; /* enum hufu_err */
	int sys;  /* errno of the system call that failed, or 0 */
	char text[HUFU_ERROR_TEXT];
};

/* Lower-case name of a code ("auth", "no_memory"), for logs. Never NULL. */
const char *hufu_err_name(int code);

/* Short English text of a code; "unknown error" for a number that is none. Never NULL. */
const char *hufu_err_text(int code);

#ifdef __cplusplus
}
#endif

#endif
