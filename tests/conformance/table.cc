// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/table.h"

#include <fstream>
#include <sstream>

#include "tests/paths.h"
#include "tools/import/onnx.h"

namespace medulla::conformance {
namespace {

// The operator that a case is about: its first node's, of an expanded case the function's, by name.
std::string subject(const Case& c, const onnx::ModelProto& model) {
  if (model.graph().node_size() == 0) return "(no node)";
  if (c.suite != "node") return model.graph().node(0).op_type();
  const size_t expanded = c.name.find("_expanded");
  if (expanded == std::string::npos) return model.graph().node(0).op_type();
  const std::string folder = c.folder.substr(0, c.folder.rfind("_expanded"));
  try {
    return read_model(folder + "/model.onnx").graph().node(0).op_type();
  } catch (const std::exception&) {
    return model.graph().node(0).op_type();
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
  Row& row = rows_[subject(c, model)];
  ++row.count.cases;
  row.count.passed += passed;
  row.fixed |= !result.fixed.empty();
  row.integer |= integer;
  if (!passed) {
    ++row.reasons[result.reason];
    return;
  }
  row.on_cpu.insert(result.cpu_operators.begin(), result.cpu_operators.end());
  if (c.suite == "node" && model.graph().input_size() > 0) {
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
          "Columns: opset versions that are taken, or *function* where the operator is replaced by "
          "its definition\nin other operators; dtypes of the first input in the cases that passed; "
          "whether they passed on the backend\n`reference`; what of them has a kernel in the "
          "backend "
          "`cpu` (the rest runs on `reference`); whether the\noperator is computed in INT8 when "
          "QuantizeLinear and DequantizeLinear stand around it; *fixed*: some\nparameter, fed at "
          "run "
          "time in the suite, has to be known at conversion (`--fix`). An operator without "
          "cases\nis "
          "newer than this suite; PyPI's has them.\n\n"
          "| operator | opset | dtypes | reference | cpu | INT8 | passed / cases | why not the "
          "rest |\n"
          "|---|---|---|---|---|---|---|---|\n";
  std::map<std::string, Row> rows = rows_;
  for (const tools::OnnxRow& row : tools::onnx_table()) rows.try_emplace(row.op);
  for (const auto& [op, row] : rows) {
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
