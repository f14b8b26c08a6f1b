/* SPDX-License-Identifier: Apache-2.0 */
/* layer: model */
/* TFLite files: the corpus tells the formats apart, what must hold is the same (model_input.h). */
#include "model_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	return model_input_try(data, len);
}
