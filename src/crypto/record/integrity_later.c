/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of libhufu.a; the build links it with that.
 */
#include "base/attr.h"
#include "crypto/integrity.h"

HF_SECTION(HF_INTEGRITY_SECTION)
const struct hf_integrity hf_integrity_record = HF_INTEGRITY_RECORD(HF_INTEGRITY_LATER);
