// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <medulla/medulla.hpp>

int main() {
  mdl_error error = MDL_ERROR_INIT;
  mdl_model* model = nullptr;
  if (mdl_model_open("no such file", nullptr, &model, &error) != MDL_ERROR_IO) return 1;
  return std::strstr(error.text, "no such file") == nullptr;
}
