/* SPDX-License-Identifier: Apache-2.0 */
/* The table of the handshake. Cells hold the next state plus one, so that unwritten ones are NO. */
#include "tls/states.h"

#define TO(state) ((int8_t)(HF_TLS_##state + 1))

/* clang-format off */
static const int8_t next[HF_TLS_STATE_COUNT][HF_TLS_EVENT_COUNT] = {
	/* client, RFC 8446 A.1 */
	[HF_TLS_C_START]   = { [HF_TLS_DO_HELLO]  = TO(C_SH) },
	[HF_TLS_C_SH]      = { [HF_TLS_EV_SH]     = TO(C_EE),
	                       [HF_TLS_EV_HRR]    = TO(C_SH2) },
	/* RFC 8446 4.1.4: a second HelloRetryRequest ends the handshake. */
	[HF_TLS_C_SH2]     = { [HF_TLS_EV_SH]     = TO(C_EE) },
	[HF_TLS_C_EE]      = { [HF_TLS_EV_EE]     = TO(C_CERT_CR),
	                       [HF_TLS_DO_PSK]    = TO(C_EE_PSK) },
	/* RFC 8446 4.3.2, 4.4.2: with a pre-shared key there are no certificates. */
	[HF_TLS_C_EE_PSK]  = { [HF_TLS_EV_EE]     = TO(C_FIN) },
	[HF_TLS_C_CERT_CR] = { [HF_TLS_EV_CR]     = TO(C_CERT),
	                       [HF_TLS_EV_CERT]   = TO(C_CV) },
	[HF_TLS_C_CERT]    = { [HF_TLS_EV_CERT]   = TO(C_CV) },
	[HF_TLS_C_CV]      = { [HF_TLS_EV_CV]     = TO(C_FIN) },
	[HF_TLS_C_FIN]     = { [HF_TLS_EV_FIN]    = TO(C_FLIGHT) },
	[HF_TLS_C_FLIGHT]  = { [HF_TLS_DO_SIGN]   = TO(C_SIGN),
	                       [HF_TLS_DO_FINISH] = TO(C_OPEN) },
	[HF_TLS_C_SIGN]    = { [HF_TLS_DO_FINISH] = TO(C_OPEN) },
	[HF_TLS_C_OPEN]    = { [HF_TLS_EV_TICKET] = TO(C_OPEN),
	                       [HF_TLS_EV_UPDATE] = TO(C_OPEN) },

	/* server, RFC 8446 A.2 */
	[HF_TLS_S_CH]      = { [HF_TLS_EV_CH]         = TO(S_HELLO) },
	[HF_TLS_S_HELLO]   = { [HF_TLS_DO_RETRY]      = TO(S_CH2),
	                       [HF_TLS_DO_FINISH_PSK] = TO(S_FIN),
	                       [HF_TLS_DO_SIGN]       = TO(S_SIGN) },
	[HF_TLS_S_CH2]     = { [HF_TLS_EV_CH]         = TO(S_HELLO2) },
	[HF_TLS_S_HELLO2]  = { [HF_TLS_DO_FINISH_PSK] = TO(S_FIN),
	                       [HF_TLS_DO_SIGN]       = TO(S_SIGN) },
	[HF_TLS_S_SIGN]    = { [HF_TLS_DO_FINISH]     = TO(S_FIN),
	                       [HF_TLS_DO_FINISH_ASK] = TO(S_CERT) },
	[HF_TLS_S_CERT]    = { [HF_TLS_EV_CERT]       = TO(S_CV),
	                       [HF_TLS_EV_NO_CERT]    = TO(S_FIN) },
	[HF_TLS_S_CV]      = { [HF_TLS_EV_CV]         = TO(S_FIN) },
	[HF_TLS_S_FIN]     = { [HF_TLS_EV_FIN]        = TO(S_OPEN) },
	[HF_TLS_S_OPEN]    = { [HF_TLS_EV_UPDATE]     = TO(S_OPEN) },
};

static const char *const names[HF_TLS_STATE_COUNT] = {
	[HF_TLS_C_START]   = "START",
	[HF_TLS_C_SH]      = "WAIT_SH",
	[HF_TLS_C_SH2]     = "WAIT_SH2",
	[HF_TLS_C_EE]      = "WAIT_EE",
	[HF_TLS_C_EE_PSK]  = "WAIT_EE_PSK",
	[HF_TLS_C_CERT_CR] = "WAIT_CERT_CR",
	[HF_TLS_C_CERT]    = "WAIT_CERT",
	[HF_TLS_C_CV]      = "WAIT_CV",
	[HF_TLS_C_FIN]     = "WAIT_FINISHED",
	[HF_TLS_C_FLIGHT]  = "FLIGHT",
	[HF_TLS_C_SIGN]    = "SIGN",
	[HF_TLS_C_OPEN]    = "CONNECTED",
	[HF_TLS_S_CH]      = "WAIT_CH",
	[HF_TLS_S_HELLO]   = "HELLO",
	[HF_TLS_S_CH2]     = "WAIT_CH2",
	[HF_TLS_S_HELLO2]  = "HELLO2",
	[HF_TLS_S_SIGN]    = "SIGN",
	[HF_TLS_S_CERT]    = "WAIT_CERT",
	[HF_TLS_S_CV]      = "WAIT_CV",
	[HF_TLS_S_FIN]     = "WAIT_FINISHED",
	[HF_TLS_S_OPEN]    = "CONNECTED",
};
/* clang-format on */

int hf_tls_next(uint8_t state, enum hf_tls_event ev)
{
	if (state >= HF_TLS_STATE_COUNT || (unsigned)ev >= HF_TLS_EVENT_COUNT)
		return -1;
	return next[state][ev] - 1;
}

const char *hf_tls_state_name(uint8_t state)
{
	return state < HF_TLS_STATE_COUNT ? names[state] : "?";
}
