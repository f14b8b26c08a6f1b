/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handshake of TLCP as a constant table (GB/T 38636-2020 6.4): in which state which message may
 * come, and what state follows. What is not written is unexpected_message, renegotiation above all.
 */
#ifndef HF_TLS_TLCP_STATES_H
#define HF_TLS_TLCP_STATES_H

#include <stdint.h>

enum hf_tlcp_state {
	HF_TLCP_C_START, /* client: nothing sent */
	HF_TLCP_C_SH,    /* ClientHello sent */
	HF_TLCP_C_CERT,
	HF_TLCP_C_SKE,
	HF_TLCP_C_CR,  /* CertificateRequest or ServerHelloDone */
	HF_TLCP_C_SHD, /* ServerHelloDone alone */
	HF_TLCP_C_FLIGHT,
	HF_TLCP_C_SIGN, /* waits for our signature */
	HF_TLCP_C_CCS,  /* our Finished is sent */
	HF_TLCP_C_CCS2, /* and a ticket came that nobody wanted */
	HF_TLCP_C_FIN,
	HF_TLCP_C_RCCS, /* the same three of a resumed session: our Finished is still to be sent */
	HF_TLCP_C_RCCS2,
	HF_TLCP_C_RFIN,
	HF_TLCP_C_RFLIGHT,
	HF_TLCP_C_OPEN,

	HF_TLCP_S_CH,
	HF_TLCP_S_HELLO, /* our turn, after the ClientHello */
	HF_TLCP_S_SIGN,  /* waits for our signature */
	HF_TLCP_S_CERT,  /* our flight is sent, the client's certificate comes */
	HF_TLCP_S_CKE,   /* of a client that showed none */
	HF_TLCP_S_CKE_CV,
	HF_TLCP_S_CV,
	HF_TLCP_S_CCS,
	HF_TLCP_S_FIN,
	HF_TLCP_S_FLIGHT, /* our Finished is still to be sent */
	HF_TLCP_S_RCCS,   /* resumed: our Finished is sent */
	HF_TLCP_S_RFIN,
	HF_TLCP_S_OPEN,
	HF_TLCP_STATE_COUNT,
};

/* Messages from the peer, and our own steps. */
enum hf_tlcp_event {
	HF_TLCP_EV_CH,
	HF_TLCP_EV_SH,
	HF_TLCP_EV_CERT,
	HF_TLCP_EV_SKE,
	HF_TLCP_EV_CR,
	HF_TLCP_EV_SHD,
	HF_TLCP_EV_CKE,
	HF_TLCP_EV_CV,
	HF_TLCP_EV_TICKET,
	HF_TLCP_EV_CCS,
	HF_TLCP_EV_FIN,

	HF_TLCP_EV_SH_RESUMED, /* a ServerHello that takes the session we offered */
	HF_TLCP_EV_NO_CERT,    /* a Certificate message without certificate */
	HF_TLCP_DO_HELLO,
	HF_TLCP_DO_SIGN,       /* our messages up to the signature are sent */
	HF_TLCP_DO_RESUME,     /* server: ServerHello and Finished of a resumed session are sent */
	HF_TLCP_DO_FINISH,     /* our flight is sent; server: the client shows no certificate */
	HF_TLCP_DO_FINISH_ASK, /* server: and the client's certificate is awaited */
	HF_TLCP_EVENT_COUNT,
};

/* The next state, or -1: not allowed. */
int hf_tlcp_next(uint8_t state, enum hf_tlcp_event ev);

/* "WAIT_SKE" and so on, for messages. Never NULL. */
const char *hf_tlcp_state_name(uint8_t state);

#endif
