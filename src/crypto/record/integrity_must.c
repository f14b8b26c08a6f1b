/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The record of programs and libraries that are installed; the build links it with them.
 */
#include "base/attr.h"
#include "crypto/integrity.h"

HF_SECTION(HF_INTEGRITY_SECTION)
const struct hf_integrity hf_integrity_record = HF_INTEGRITY_RECORD(HF_INTEGRITY_MUST);
