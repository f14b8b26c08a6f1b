/* SPDX-License-Identifier: Apache-2.0 */
/* layer: svc */
/*
 * Any bytes as a request to the key process of a hub or of a newcomer, from any asker. The first
 * byte says which and who: bit 0 hub, bit 1 local, bit 2 root. Whatever comes, there is one
 * well-formed reply, and a newcomer stays one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/endian.h"
#include "crypto/module.h"
#include "os/cpu.h"
#include "os/dir.h"
#include "svc/domain.h"
#include "svc/key_proto.h"
#include "svc/keyd.h"
#include "test.h"
#include "tmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct hf_env env;
static char dir[TEST_PATH_MAX];
static struct hf_keyd *nodes[2]; /* newcomer, hub */

static void must(hf_err e)
{
	if (e != HF_OK)
		abort();
}

static void end(void)
{
	hf_keyd_free(nodes[0]);
	hf_keyd_free(nodes[1]);
	hf_env_clear(&env);
	test_tmp_delete(dir);
}

static void begin(void)
{
	static char path[3][TEST_PATH_MAX + 16];
	static uint8_t seed[HF_KEY_SEED_LEN];
	static const char *const names[] = { "domain", "domain/hub", "device" };
	struct hf_share shares[2];
	struct hf_slots slots;
	struct hf_domain_spec spec = { .dir = path[0],
		.name = "plant-7",
		.hub = "hub-1",
		.n_publishers = 1,
		.threshold = 2,
		.n_shares = 2,
		.level = HF_L1 };
	struct hf_keyd_config config = {
		.dir = path[2], .id = "dev-1", .role = HF_ROLE_DEVICE, .level = HF_L1
	};

	must(hf_module_start(hf_os_cpu()));
	must(hf_env_init(&env, 0, NULL));
	test_tmp_make(dir);
	for (int i = 0; i < 3; i++)
		(void)snprintf(path[i], sizeof(path[i]), "%s/%s", dir, names[i]);
	must(hf_domain_init(&env, &spec, shares, NULL));
	must(hf_domain_slots(&slots, &env, path[0], NULL));
	must(hf_slots_open_shares(seed, &slots, shares, 2, NULL));
	must(hf_keyd_new(&nodes[0], &env, &config, NULL));
	config.dir = path[1];
	config.id = "hub-1";
	config.role = HF_ROLE_HUB;
	config.root_seed = seed;
	must(hf_keyd_new(&nodes[1], &env, &config, NULL));
	(void)atexit(end);
}

/* Head and text of the reply; a refusal has nothing behind them. */
static void check_reply(const struct hf_buf *reply)
{
	hf_err e;
	size_t text;

	if (reply->len < 6 || reply->len > HF_KEY_MESSAGE_MAX)
		abort();
	e = (hf_err)hf_get_be32(reply->p);
	text = hf_get_be16(reply->p + 4);
	if (strcmp(hf_err_name(e), "unknown") == 0 || text > reply->len - 6)
		abort();
	if (e != HF_OK && (text == 0 || reply->len != 6 + text))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_buf reply;

	if (len < 1)
		return 0;
	if (nodes[0] == NULL)
		begin();
	hf_buf_init(&reply, env.mem, HF_KEY_MESSAGE_MAX);
	must(hf_keyd_handle(nodes[data[0] & 1], &reply,
		(data[0] & 2) != 0 ? HF_ASKER_LOCAL : HF_ASKER_FRONT,
		(data[0] & 4) != 0 ? 0 : 12345, data + 1, len - 1));
	check_reply(&reply);
	hf_buf_clear(&reply);
	if (hf_keyd_state(nodes[0]) != HF_KEY_STATE_NEWCOMER)
		abort();
	(void)!hf_keyd_tick(nodes[data[0] & 1], NULL);
	return 0;
}
