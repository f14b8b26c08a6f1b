/* SPDX-License-Identifier: Apache-2.0 */
/* One trace of a TLCP handshake while it is being checked; see vec_tlcp.c. */
#ifndef HF_BIN_HUFU_VEC_TLCP_H
#define HF_BIN_HUFU_VEC_TLCP_H

#include "crypto/sm2.h"
#include "vec_run.h"

enum {
	TLCP_MASTER_LEN = 48,
	TLCP_RANDOM_LEN = 32,
	TLCP_RECORD_HEAD = 5,
	TLCP_HANDSHAKE = 22, /* content types */
	TLCP_CHANGE_CIPHER = 20,
	TLCP_ALERT = 21,
	TLCP_DATA = 23,
};

/* The messages before Finished, in the order in which they are hashed. */
enum tlcp_message {
	TLCP_CLIENT_HELLO,
	TLCP_SERVER_HELLO,
	TLCP_SERVER_CERT,
	TLCP_SERVER_KEY,
	TLCP_CERT_REQUEST,
	TLCP_SERVER_DONE,
	TLCP_CLIENT_CERT,
	TLCP_CLIENT_KEY,
	TLCP_CERT_VERIFY,
	TLCP_N_MESSAGES,
};

struct tlcp_trace {
	struct vec_run *r;
	bool is_live;                       /* told as records, not as messages */
	struct hf_bytes m[TLCP_N_MESSAGES]; /* with their heads; empty: not sent */
	struct hf_bytes ticket;             /* NewSessionTicket, or empty */
	size_t first[2];                    /* live: first protected record of server, client */
	struct hf_bytes cert[2][2];         /* of server and client: signing, encryption */
	struct hf_sm2_pub pub[2][2];        /* their keys */
};

/* "Server" and "Client"; the index of everything that both sides have. */
extern const char *const tlcp_side[2];

/* A field whose name begins with the side's. */
struct hf_bytes tlcp_field(const struct tlcp_trace *t, unsigned side, const char *rest);

/* vec_expect() for such a field. */
void tlcp_expect(const struct tlcp_trace *t, unsigned side, const char *rest, const uint8_t *got,
	size_t len);

/* Name of a record of a live trace, "ClientToServer[3]"; its bytes, or none. */
struct hf_bytes tlcp_record(const struct tlcp_trace *t, unsigned side, size_t i);

/* Opens every protected record and compares what it holds. */
void tlcp_check_records(const struct tlcp_trace *t);

#endif
