// SPDX-License-Identifier: Apache-2.0
#include <nanobind/stl/string.h>

#include "native.h"

namespace nb = nanobind;

namespace medulla::python {

void check(const mdl::Error& error) {
  if (error) throw Failure{error.text(), mdl_status_name(error.status())};
}

}  // namespace medulla::python

NB_MODULE(_medulla, module) {
  static PyObject* error = PyErr_NewException("medulla.Error", PyExc_RuntimeError, nullptr);
  module.attr("Error") = nb::borrow(error);
  nb::register_exception_translator([](const std::exception_ptr& thrown, void*) {
    try {
      std::rethrow_exception(thrown);
    } catch (const medulla::python::Failure& failure) {
      const nb::object instance = nb::borrow(error)(failure.text);
      instance.attr("status") = failure.status;
      PyErr_SetObject(error, instance.ptr());
    }
  });
  module.attr("version") = mdl_version();
  module.attr("build_info") = mdl_build_info();
  medulla::python::define_runtime(module);
  medulla::python::define_converter(module);
}
