// SPDX-License-Identifier: Apache-2.0
#include <medulla/backend.h>
#include <medulla/medulla.h>
#include <stdio.h>
#include <string.h>

int main(void) {
  const uint32_t version =
      MDL_VERSION_MAJOR * 1000000 + MDL_VERSION_MINOR * 1000 + MDL_VERSION_PATCH;
  mdl_error error = MDL_ERROR_INIT;
  mdl_model* model = NULL;
  if (mdl_version() != version) return 1;
  if (mdl_model_open("no such file", NULL, &model, &error) != MDL_ERROR_IO) return 2;
  if (strstr(error.text, "no such file") == NULL) return 3;
  printf("%s", mdl_build_info());
  return 0;
}
