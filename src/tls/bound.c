/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a ticket or a session of ours is good for, as a digest. Every part has its length before it,
 * so that no two configurations have the same bytes.
 */
#include "base/endian.h"
#include "tls/resume.h"
#include "tls/tlcp.h"

void hf_tls_bind(struct hf_sm3 *s, struct hf_bytes part)
{
	uint8_t len[4];

	hf_put_be32(len, (uint32_t)part.len);
	hf_sm3_feed(s, len, sizeof(len));
	if (part.len > 0)
		hf_sm3_feed(s, part.p, part.len);
}

void hf_tls_bind_config(struct hf_sm3 *s, const struct hf_tls_config *cfg)
{
	uint8_t head[3] = { (uint8_t)cfg->level, (uint8_t)cfg->n_chain, (uint8_t)cfg->n_roots };
	struct hf_bytes enc = { 0 };
	struct hf_bytes pin = { cfg->root_pin, cfg->root_pin == NULL ? 0 : HF_SM3_LEN };

	hf_tls_bind(s, (struct hf_bytes){ head, sizeof(head) });
	for (size_t i = 0; i < cfg->n_chain; i++)
		hf_tls_bind(s, cfg->chain[i]);
	if (cfg->tlcp != NULL)
		enc = cfg->tlcp->enc_cert;
	hf_tls_bind(s, enc);
	for (size_t i = 0; i < cfg->n_roots; i++)
		hf_tls_bind(s, cfg->roots[i].der);
	hf_tls_bind(s, pin);
}
