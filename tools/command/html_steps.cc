// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <ostream>
#include <vector>

#include "tools/command/bodies.h"
#include "tools/command/engine.h"
#include "tools/command/html.h"
#include "tools/command/inspect.h"

namespace medulla::tools {
namespace {

constexpr int kRowHeight = 28;
constexpr int kLaneWidth = 16;

// A line of the table: an input of the graph, a step, or an output.
struct Row {
  const nlohmann::json* step = nullptr;  // null: an input, an output or a state
  const mdl_tensor* tensor = nullptr;    // what it makes, or what it is
  std::string what;
  std::vector<size_t> from;  // rows whose values it reads
  size_t last_use = 0;       // the last row that reads its value
  size_t lane = 0;
};

class Flow {
 public:
  Flow(const mdl_graph& graph, const nlohmann::json& steps) : graph_(graph) {
    add_sources();
    for (const nlohmann::json& step : steps) {
      for (const nlohmann::json& node : step["nodes"]) row_of_node_[node] = rows_.size();
      Row& row = rows_.emplace_back();
      row.step = &step;
    }
    for (Row& row : rows_) {
      if (row.step != nullptr) connect_step(row);
    }
    add_sinks();
    for (size_t r = 0; r < rows_.size(); ++r) {
      for (const size_t from : rows_[r].from) {
        rows_[from].last_use = std::max(rows_[from].last_use, r);
      }
    }
    assign_lanes();
  }

  const std::vector<Row>& rows() const { return rows_; }
  size_t lanes() const { return lanes_.size(); }

 private:
  void add_sources() {
    const auto add = [&](int32_t t, const char* what) {
      row_of_source_[t] = rows_.size();
      Row& row = rows_.emplace_back();
      row.tensor = &graph_.tensors[t];
      row.what = what;
    };
    for (size_t i = 0; i < graph_.input_count; ++i) add(graph_.inputs[i], "input");
    for (size_t s = 0; s < graph_.state_count; ++s) add(graph_.states[s].tensor, "state");
  }

  void add_sinks() {
    const auto add = [&](int32_t t, const char* what) {
      Row row;
      row.tensor = &graph_.tensors[t];
      row.what = what;
      trace(t, row.from);
      rows_.push_back(std::move(row));
    };
    for (size_t o = 0; o < graph_.output_count; ++o) add(graph_.outputs[o], "output");
    for (size_t s = 0; s < graph_.state_count; ++s) add(graph_.states[s].written, "new state");
  }

  void connect_step(Row& row) {
    std::map<std::string, int32_t> made;
    for (const nlohmann::json& n : (*row.step)["nodes"]) {
      const mdl_node& node = graph_.nodes[n.get<size_t>()];
      for (uint32_t o = 0; o < node.output_count; ++o) {
        if (node.outputs[o] >= 0) made[graph_.tensors[node.outputs[o]].name] = node.outputs[o];
      }
    }
    const nlohmann::json& outputs = (*row.step)["outputs"];
    if (!outputs.empty()) {
      row.tensor = &graph_.tensors[made.at(outputs[0]["name"].get<std::string>())];
    }
    for (const nlohmann::json& n : (*row.step)["nodes"]) {
      const mdl_node& node = graph_.nodes[n.get<size_t>()];
      for (uint32_t i = 0; i < node.input_count; ++i) {
        if (node.inputs[i] >= 0 && made.count(graph_.tensors[node.inputs[i]].name) == 0) {
          trace(node.inputs[i], row.from);
        }
      }
    }
  }

  // The rows that a tensor comes from, through nodes that take no step.
  void trace(int32_t t, std::vector<size_t>& from) const {
    const mdl_tensor& tensor = graph_.tensors[t];
    const auto source = row_of_source_.find(t);
    if (source != row_of_source_.end()) return add_once(source->second, from);
    if (tensor.producer < 0) return;
    const auto step = row_of_node_.find(static_cast<size_t>(tensor.producer));
    if (step != row_of_node_.end()) return add_once(step->second, from);
    const mdl_node& node = graph_.nodes[tensor.producer];
    for (uint32_t i = 0; i < node.input_count; ++i) {
      if (node.inputs[i] >= 0) trace(node.inputs[i], from);
    }
  }

  static void add_once(size_t row, std::vector<size_t>& from) {
    if (std::find(from.begin(), from.end(), row) == from.end()) from.push_back(row);
  }

  // A value holds its lane until it was last read. A row goes on in the lane of a value that ends
  // with it, its first input's before others, else in the first that is free.
  void assign_lanes() {
    for (size_t r = 0; r < rows_.size(); ++r) {
      Row& row = rows_[r];
      size_t lane = lanes_.size();
      for (const size_t from : row.from) {
        if (rows_[from].last_use != r) continue;
        lanes_[rows_[from].lane] = false;
        if (lane == lanes_.size()) lane = rows_[from].lane;
      }
      if (lane == lanes_.size()) {
        lane = static_cast<size_t>(std::find(lanes_.begin(), lanes_.end(), false) - lanes_.begin());
      }
      if (lane == lanes_.size()) lanes_.push_back(false);
      lanes_[lane] = row.last_use > r;
      row.lane = lane;
    }
  }

  const mdl_graph& graph_;
  std::vector<Row> rows_;
  std::map<int32_t, size_t> row_of_source_;
  std::map<size_t, size_t> row_of_node_;
  std::vector<bool> lanes_;  // whether a value holds it
};

const char* class_of(const Row& row) {
  return row.step != nullptr ? kind_of((*row.step)["op"].get<std::string>()) : "edge";
}

void write_rails(std::ostream& out, const Flow& flow, size_t width) {
  const std::vector<Row>& rows = flow.rows();
  const auto x = [](size_t lane) { return kLaneWidth * static_cast<int>(lane) + 18; };
  const auto y = [](size_t row) { return kRowHeight * static_cast<int>(row) + kRowHeight / 2; };
  out << "<svg class=\"rails\" width=\"" << width << "\" height=\""
      << kRowHeight * static_cast<int>(rows.size()) << "\">\n";
  for (size_t r = 0; r < rows.size(); ++r) {
    for (const size_t from : rows[r].from) {
      const int x0 = x(rows[from].lane);
      const int x1 = x(rows[r].lane);
      out << "<path d=\"M" << x0 << " " << y(from) << " V" << y(r - 1) << " C" << x0 << " "
          << y(r) - 8 << " " << x1 << " " << y(r - 1) + 8 << " " << x1 << " " << y(r) << "\"/>\n";
    }
  }
  for (size_t r = 0; r < rows.size(); ++r) {
    out << "<circle class=\"" << class_of(rows[r]) << "\" cx=\"" << x(rows[r].lane) << "\" cy=\""
        << y(r)
        << "\" r=\"5\" style=\"fill:" << (rows[r].step != nullptr ? "var(--c)" : "var(--paper)")
        << ";stroke:var(--c);stroke-width:2\"/>\n";
  }
  out << "</svg>\n";
}

void write_cost(std::ostream& out, double value, double most, const char* unit) {
  out << "<td><span class=\"value\">" << (value > 0 ? with_unit(value, unit) : "")
      << "</span><span class=\"bar\">";
  if (value > 0) out << "<i style=\"width:" << std::max(1.0, 100 * value / most) << "%\"></i>";
  out << "</span></td>";
}

// A name tells itself apart by its end: what does not fit is cut in front.
void write_name(std::ostream& out, const std::string& name) {
  out << "<td class=\"tail\" title=\"" << escape_html(name) << "\"><bdi dir=\"ltr\">"
      << escape_html(name) << "</bdi></td>";
}

void write_row(std::ostream& out, const Row& row, size_t number, double most_macs,
               double most_bytes) {
  out << "<tr class=\"" << class_of(row) << "\"><td></td><td class=\"number muted\">";
  if (row.step != nullptr) out << number;
  const std::string op = row.step != nullptr ? (*row.step)["op"].get<std::string>() : row.what;
  out << "</td><td title=\"" << escape_html(op) << "\"><span class=\"chip\">" << escape_html(op)
      << "</span></td>";
  write_name(out, row.step != nullptr ? (*row.step)["name"].get<std::string>() : row.tensor->name);
  const std::string made = row.tensor == nullptr ? ""
                                                 : std::string(mdl_dtype_name(row.tensor->dtype)) +
                                                       " " + shape_text(*row.tensor);
  out << "<td title=\"" << escape_html(made) << "\"><code>" << escape_html(made) << "</code></td>";
  if (row.step == nullptr) {
    out << "<td></td><td></td><td></td></tr>\n";
    return;
  }
  const nlohmann::json& step = *row.step;
  const std::string refusals = step["refusals"];
  const std::string backend = step["backend"];
  const std::string row_name = step["kernel"];
  const std::string kernel = backend == row_name ? backend : backend + " " + row_name;
  out << "<td title=\"" << escape_html(kernel + (refusals.empty() ? "" : "; not on " + refusals))
      << "\"><code>" << escape_html(kernel) << "</code></td>";
  write_cost(out, step["macs"], most_macs, "");
  write_cost(out, step["bytes"], most_bytes, "B");
  out << "</tr>\n";
}

// The rows of one graph.
void write_flow(std::ostream& out, const mdl_graph& graph, const nlohmann::json& steps) {
  const Flow flow(graph, steps);
  double most_macs = 1;
  double most_bytes = 1;
  for (const nlohmann::json& step : steps) {
    most_macs = std::max(most_macs, step["macs"].get<double>());
    most_bytes = std::max(most_bytes, step["bytes"].get<double>());
  }
  const size_t rails = flow.lanes() * kLaneWidth + 24;
  out << "<div class=\"flow\"><table><colgroup><col style=\"width:" << rails
      << "px\"><col style=\"width:44px\"><col style=\"width:14%\"><col><col style=\"width:18%\">"
         "<col style=\"width:19%\"><col style=\"width:12%\"><col style=\"width:12%\"></colgroup>\n"
         "<thead><tr><th></th><th class=\"number\">step</th><th>operators</th><th>first node</th>"
         "<th>makes</th><th>backend, kernel</th><th>MACs</th><th>bytes</th></tr></thead><tbody>\n";
  size_t number = 0;
  for (const Row& row : flow.rows()) {
    write_row(out, row, number, most_macs, most_bytes);
    if (row.step != nullptr) ++number;
  }
  out << "</tbody></table>\n";
  write_rails(out, flow, rails);
  out << "</div>\n";
}

void write_bodies(std::ostream& out, const mdl_graph& graph, const nlohmann::json& steps,
                  const std::string& path) {
  for (const nlohmann::json& step : steps) {
    const mdl_node& node = graph.nodes[step["nodes"][0].get<size_t>()];
    const std::vector<const mdl_graph*> bodies = bodies_of(node);
    for (size_t b = 0; step.contains("bodies") && b < bodies.size(); ++b) {
      const std::string name = path + body_name(node, *bodies[b]);
      const nlohmann::json& inside = step["bodies"][b]["steps"];
      out << "<h2>Inside: " << escape_html(name) << "</h2>\n";
      write_flow(out, *bodies[b], inside);
      write_bodies(out, *bodies[b], inside, name + "/");
    }
  }
}

}  // namespace

void write_steps(std::ostream& out, const mdl_graph& graph, const nlohmann::json& report) {
  const nlohmann::json& steps = report["plan"]["steps"];
  out << "<h2>Graph and cost</h2>\n<p>Every row is a step, in the order of a run. The rails lead "
         "from each step to those that read what it makes. Bars are relative to the greatest; "
         "bytes are read and written, constants too.</p>\n";
  write_flow(out, graph, steps);
  write_bodies(out, graph, steps, "");

  const nlohmann::json& without = report["plan"]["no_step"];
  if (without.empty()) return;
  out << "<h2>Nodes that take no step</h2>\n<table class=\"facts\"><tr><th>operator</th>"
         "<th>node</th><th>why</th></tr>\n";
  for (const nlohmann::json& node : without) {
    out << "<tr><td><span class=\"chip " << kind_of(node["op"].get<std::string>()) << "\">"
        << escape_html(node["op"]) << "</span></td><td>" << escape_html(node["name"]) << "</td><td>"
        << escape_html(node["why"]) << "</td></tr>\n";
  }
  out << "</table>\n";
}

}  // namespace medulla::tools
