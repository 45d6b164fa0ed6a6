// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/table.h"

#include <fstream>
#include <iterator>
#include <sstream>

#include "tests/paths.h"
#include "tools/import/onnx.h"

namespace medulla::conformance {
namespace {

// A case that is the definition of a function, written out.
bool is_expanded(const Case& c) { return c.name.find("_expanded") != std::string::npos; }

// The first operator that is not a constant.
std::string first_operator(const onnx::ModelProto& model) {
  for (const onnx::NodeProto& node : model.graph().node()) {
    if (node.op_type() != "Constant" || model.graph().node_size() == 1) return node.op_type();
  }
  return "(no node)";
}

// The operator that a case of the suite "node" is about, of an expanded case the function.
std::string subject(const Case& c, const onnx::ModelProto& model) {
  if (!is_expanded(c)) return first_operator(model);
  const std::string folder = c.folder.substr(0, c.folder.rfind("_expanded"));
  try {
    return first_operator(read_model(folder + "/model.onnx"));
  } catch (const std::exception&) {
    return first_operator(model);
  }
}

std::string opsets_of(const std::string& op) {
  for (const tools::OnnxRow& row : tools::onnx_table()) {
    if (op != row.op) continue;
    const bool open = row.last_opset > 1000;
    return std::to_string(row.first_opset) + (open ? "+" : " to " + std::to_string(row.last_opset));
  }
  return "";
}

std::string join(const std::set<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

// Whether the backend cpu has kernels for one of Medulla's operators.
bool has_kernel(const std::string& op) {
  static const std::set<std::string> served = [] {
    std::istringstream names(
#define MDL_LOWERING(stem, operators) #operators " "
#include "backends/cpu/lowerings.inc"
#undef MDL_LOWERING
    );
    return std::set<std::string>(std::istream_iterator<std::string>(names), {});
  }();
  return served.count(op) > 0;
}

std::string ratio(int passed, int cases) {
  return std::to_string(passed) + " / " + std::to_string(cases);
}

// A cell of a table: one line, without its mark.
std::string cell(std::string text) {
  for (char& c : text) {
    if (c == '|' || c == '\n') c = ' ';
  }
  return text;
}

}  // namespace

void Table::add(const Case& c, const onnx::ModelProto& model, const std::string& why,
                const Result& result, bool integer) {
  const bool passed = result.outcome == Outcome::passed;
  if (result.outcome == Outcome::failed) {
    failures_.push_back(c.suite + "/" + c.name + ": " + result.reason);
  }
  if (!why.empty()) {
    ++excluded_[why];
    return;
  }
  Count& suite = suites_[c.suite];
  ++suite.cases;
  suite.passed += passed;
  if (c.suite != "node") return;
  Row& row = rows_[subject(c, model)];
  ++row.count.cases;
  row.count.passed += passed;
  row.fixed |= !result.fixed.empty();
  row.integer |= integer;
  if (!passed) {
    ++row.reasons[result.reason];
    return;
  }
  for (const std::string& op : result.operators) {
    if (!is_expanded(c) && has_kernel(op)) row.on_cpu.insert(op);
  }
  if (model.graph().input_size() > 0) {
    const int type = model.graph().input(0).type().tensor_type().elem_type();
    row.dtypes.insert(mdl_dtype_name(tools::onnx_dtype(type)));
  }
}

int Table::passed() const {
  int passed = 0;
  for (const auto& [suite, count] : suites_) passed += count.passed;
  return passed;
}

std::string Table::summary() const {
  std::ostringstream text;
  int excluded = 0;
  for (const auto& [why, count] : excluded_) excluded += count;
  for (const auto& [suite, count] : suites_) {
    text << suite << ": " << ratio(count.passed, count.cases) << " passed\n";
  }
  text << "excluded: " << excluded << "; wrong: " << failures_.size() << "\n";
  return text.str();
}

std::string Table::markdown() const {
  std::ostringstream text;
  text
      << "# Operators\n\n"
         "What Medulla takes of ONNX, as its conformance suite (Debian's `libonnx-testdata`) shows "
         "it.\nThis page is written by `tests/conformance`, which fails when it is not true: every "
         "case is converted,\nrun on the backends `reference` and `cpu`, and compared with the "
         "suite's answer. A case counts as passed\nwhen it passes on both. A case that does not "
         "pass is refused with a reason; none gives a wrong answer.\n\n"
         "| suite | passed / cases |\n|---|---|\n";
  for (const auto& [suite, count] : suites_) {
    text << "| " << suite << " | " << ratio(count.passed, count.cases) << " |\n";
  }
  std::ifstream newest(std::string(medulla::test::kSourceDir) + "/tests/conformance/newest.txt");
  std::string line;
  std::getline(newest, line);
  text << "\nThe newest suite, as PyPI's `onnx` carries it, by `python -m medulla.backend.onnx`: "
       << line << ".\n\nNot counted, for they are not Medulla's: ";
  const char* comma = "";
  for (const auto& [why, count] : excluded_) {
    text << comma << why << " (" << count << ")";
    comma = ", ";
  }
  text << ".\n\n"
          "Columns, by the cases of the suite `node`: opset versions that are taken (opsets 1 to 6 "
          "as "
          "what 7 says), or\n*function* where the operator is replaced by its definition in other "
          "operators; dtypes of the first input in\nthe cases that passed; whether they passed on "
          "the "
          "backend `reference`; which of Medulla's operators that it\nbecomes have kernels in the "
          "backend `cpu` (some for constant weights alone; all else runs on `reference`); whether\n"
          "the operator is computed in INT8 when QuantizeLinear and DequantizeLinear stand around "
          "it; "
          "*fixed*: some\nparameter, fed at run time in the suite, has to be known at conversion "
          "(`--fix`). An operator without cases\nis newer than this suite; PyPI's has them.\n\n"
          "| operator | opset | dtypes | reference | cpu | INT8 | passed / cases | why not the "
          "rest |\n"
          "|---|---|---|---|---|---|---|---|\n";
  std::map<std::string, Row> rows = rows_;
  for (const tools::OnnxRow& row : tools::onnx_table()) rows.try_emplace(row.op);
  for (auto& [op, row] : rows) {
    if (row.count.cases == 0 && has_kernel(op)) row.on_cpu.insert(op);
    std::string why;
    for (const auto& [reason, count] : row.reasons) {
      why += (why.empty() ? "" : "<br>") + std::to_string(count) + ": " + cell(reason);
    }
    const std::string opsets = opsets_of(op);
    text << "| " << op << " | " << (opsets.empty() ? "function" : opsets) << " | "
         << join(row.dtypes) << " | " << (row.count.passed > 0 ? "yes" : "") << " | "
         << join(row.on_cpu) << " | " << (row.integer ? "yes" : "") << " | "
         << ratio(row.count.passed, row.count.cases) << (row.fixed ? " *fixed*" : "") << " | "
         << why << " |\n";
  }
  return text.str();
}

}  // namespace medulla::conformance
