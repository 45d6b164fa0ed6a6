// SPDX-License-Identifier: Apache-2.0
// The extension module `_medulla`: thin classes over the C API and the converter, which the Python
// files of the package dress.
#ifndef MEDULLA_PYTHON_SRC_NATIVE_H_
#define MEDULLA_PYTHON_SRC_NATIVE_H_

#include <nanobind/nanobind.h>

#include <string>

#include "medulla/medulla.hpp"

namespace medulla::python {

// Becomes medulla.Error: the library's text, and the status's name.
struct Failure {
  std::string text;
  std::string status;
};

template <class T>
T take(mdl::Result<T> result) {
  if (!result) throw Failure{result.error().text(), mdl_status_name(result.error().status())};
  return std::move(*result);
}
void check(const mdl::Error& error);

void define_runtime(nanobind::module_& module);
void define_converter(nanobind::module_& module);

}  // namespace medulla::python

#endif  // MEDULLA_PYTHON_SRC_NATIVE_H_
