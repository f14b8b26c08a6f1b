/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of which this version has no answer. */
#include "svc/keyd_inner.h"

static hf_err refuse(struct hf_key_ask *a)
{
	return hf_fail(a->ei, HF_ERR_UNSUPPORTED, "key process: not in this version");
}

hf_err hf_keyd_check_channel(struct hf_keyd *k, struct hf_key_ask *a)
{
	(void)k;
	return refuse(a);
}

hf_err hf_keyd_check_release(struct hf_keyd *k, struct hf_key_ask *a)
{
	(void)k;
	return refuse(a);
}

hf_err hf_keyd_check_grant(struct hf_keyd *k, struct hf_key_ask *a)
{
	(void)k;
	return refuse(a);
}

hf_err hf_keyd_activate(struct hf_keyd *k, struct hf_key_ask *a)
{
	(void)k;
	return refuse(a);
}

hf_err hf_keyd_open(struct hf_keyd *k, struct hf_key_ask *a)
{
	(void)k;
	return refuse(a);
}

hf_err hf_keyd_enrol(struct hf_keyd *k, struct hf_key_ask *a)
{
	(void)k;
	return refuse(a);
}

hf_err hf_keyd_make_channel(struct hf_keyd *k, struct hf_key_ask *a)
{
	(void)k;
	return refuse(a);
}

hf_err hf_keyd_make_grant(struct hf_keyd *k, struct hf_key_ask *a)
{
	(void)k;
	return refuse(a);
}

hf_err hf_keyd_make_token(struct hf_keyd *k, struct hf_key_ask *a)
{
	(void)k;
	return refuse(a);
}

hf_err hf_keyd_active_tidy(struct hf_keyd *k, struct hf_errinfo *ei)
{
	(void)k;
	(void)ei;
	return HF_OK;
}
