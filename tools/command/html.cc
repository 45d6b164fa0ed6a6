// SPDX-License-Identifier: Apache-2.0
// The page of `medulla inspect --html`: no script, no font, nothing from elsewhere.
#include "tools/command/html.h"

#include <cstdio>
#include <filesystem>
#include <sstream>

#include "tools/command/bodies.h"
#include "tools/command/inspect.h"

namespace medulla::tools {
namespace {

constexpr const char* kStyle = R"css(
:root{--ink:#1b2330;--muted:#68758a;--line:#e3e7ee;--panel:#f6f8fb;--paper:#fff;--hover:#eef3fb;
--conv:#3d78c2;--dense:#7a5fc0;--recurrent:#b3509c;--pool:#2f9c8c;--pointwise:#d08a1e;
--move:#8592a6;--quantize:#cc5577;--edge:#5f9a3c}
@media(prefers-color-scheme:dark){:root{--ink:#e4e8ef;--muted:#93a0b4;--line:#2b333f;
--panel:#1a2029;--paper:#12161c;--hover:#202935}}
*{box-sizing:border-box}
body{font:14px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);
max-width:1280px;margin:0 auto;padding:2rem 1.5rem 4rem}
h1{font-size:1.6rem;margin:0}h2{font-size:1.1rem;margin:2.6rem 0 .3rem}
p{margin:.2rem 0 .9rem;color:var(--muted);max-width:60rem}
code,.path{font:12px ui-monospace,monospace}.path{color:var(--muted);margin:0 0 1.4rem}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.4rem,1fr));gap:.7rem}
.tiles div{background:var(--panel);border:1px solid var(--line);border-radius:8px;
padding:.6rem .9rem}
.tiles b{display:block;white-space:nowrap;font-size:1.15rem;font-weight:600}.tiles span{color:var(--muted)}
table{border-collapse:collapse;width:100%}
th{font-weight:500;color:var(--muted);text-align:left}
td,th{padding:0 .7rem 0 0;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
.facts td,.facts th{padding:.2rem 1.2rem .2rem 0;border-bottom:1px solid var(--line);
white-space:normal}
.facts{width:auto}
.flow{position:relative;overflow-x:auto;border:1px solid var(--line);border-radius:8px}
.flow table{table-layout:fixed;min-width:1080px}
.flow tr{height:28px}.flow td{border-top:1px solid var(--line);max-width:0}
.flow tbody tr:hover{background:var(--hover)}
.flow .rails{position:absolute;left:0;top:28px;pointer-events:none}
.flow .number{text-align:right;font-variant-numeric:tabular-nums}
.rails path{fill:none;stroke:var(--muted);stroke-width:1.6}
.chip{display:inline-block;border-radius:4px;padding:0 .5em;line-height:20px;color:#fff;
background:var(--c);max-width:100%;overflow:hidden;text-overflow:ellipsis;vertical-align:middle}
.muted{color:var(--muted)}.tail{direction:rtl;text-align:left}
.bar{display:inline-block;width:43%;vertical-align:middle}
.bar i{display:block;height:10px;border-radius:2px;background:var(--c)}
.value{display:inline-block;width:55%;text-align:right;padding-right:.7em;
font-variant-numeric:tabular-nums}
.memory{width:100%;height:auto;background:var(--panel);border:1px solid var(--line);
border-radius:8px}
.memory text{font:11px system-ui,sans-serif;fill:var(--ink)}.memory .axis{fill:var(--muted)}
.memory rect.piece{fill:var(--c);fill-opacity:.32;stroke:var(--c)}
.memory rect.piece:hover{fill-opacity:.6}
.memory line{stroke:var(--line)}.memory .bound{stroke:var(--quantize);stroke-dasharray:5 4}
.memory .peak{fill:var(--quantize);fill-opacity:.1}
.legend{display:flex;flex-wrap:wrap;gap:.4rem .8rem;margin:.6rem 0}
.conv{--c:var(--conv)}.dense{--c:var(--dense)}.recurrent{--c:var(--recurrent)}
.pool{--c:var(--pool)}.pointwise{--c:var(--pointwise)}.move{--c:var(--move)}
.quantize{--c:var(--quantize)}.edge{--c:var(--edge)}
)css";

struct Kind {
  const char* name;
  const char* says;
  std::initializer_list<const char*> parts;  // of an operator's name
};
const Kind kKinds[] = {
    {"quantize", "quantize, cast", {"uantizeLinear", "Cast"}},
    {"conv", "convolution", {"Conv"}},
    {"dense", "matrix product", {"Gemm", "MatMul"}},
    {"recurrent", "recurrent", {"LSTM", "GRU", "RNN"}},
    {"pool", "pool, reduce", {"Pool", "Reduce"}},
    {"move",
     "moves data",
     {"Concat", "Slice", "Split", "Pad", "Reshape", "Flatten", "queeze", "Transpose", "Resize",
      "Gather", "Expand", "Tile", "Identity"}},
    {"pointwise", "pointwise", {}},
};

void write_legend(std::ostream& out) {
  out << "<div class=\"legend\">";
  for (const Kind& kind : kKinds) {
    out << "<span class=\"chip " << kind.name << "\">" << kind.says << "</span>";
  }
  out << "<span class=\"chip edge\">input, output, state</span></div>\n";
}

size_t count_steps(const nlohmann::json& steps) {
  size_t count = steps.size();
  for (const nlohmann::json& step : steps) {
    for (const nlohmann::json& body : step.value("bodies", nlohmann::json::array())) {
      count += count_steps(body["steps"]);
    }
  }
  return count;
}

void write_tiles(std::ostream& out, const mdl_graph& graph, const nlohmann::json& report) {
  const auto tile = [&](const std::string& value, const std::string& says) {
    out << "<div><b>" << value << "</b><span>" << says << "</span></div>";
  };
  const nlohmann::json& memory = report["memory"];
  const nlohmann::json& steps = report["plan"]["steps"];
  double macs = 0;
  for (const nlohmann::json& step : steps) macs += step["macs"].get<double>();
  double weights = 0;
  size_t nodes = 0;
  for (const auto& [each, path] : all_graphs(graph)) {
    for (size_t t = 0; t < each->tensor_count; ++t) {
      if (each->tensors[t].data != nullptr) weights += static_cast<double>(each->tensors[t].bytes);
    }
    nodes += each->node_count;
  }
  out << "<div class=\"tiles\">";
  tile(with_unit(macs, "MAC"), "a run");
  tile(with_unit(weights, "B"), "of constants");
  tile(std::to_string(count_steps(steps)), "steps for " + std::to_string(nodes) + " nodes");
  tile(with_unit(memory["arena_bytes"], "B"),
       "arena (least possible " + with_unit(memory["arena_bound_bytes"], "B") + ")");
  tile(with_unit(memory["program_bytes"], "B"), "program block");
  tile(with_unit(memory["session_bytes"], "B"), "session block");
  tile(with_unit(memory["stack_bytes"], "B"), "stack of a run, at most");
  out << "</div>\n";
}

void write_facts(std::ostream& out, const nlohmann::json& report) {
  out << "<h2>What goes in and out</h2>\n<table class=\"facts\"><tr><th></th><th>name</th>"
         "<th>type</th><th>shape</th><th>quantization</th></tr>\n";
  for (const char* kinds : {"inputs", "outputs", "states"}) {
    const std::string kind = std::string(kinds).substr(0, std::string(kinds).size() - 1);
    for (const nlohmann::json& tensor : report[kinds]) {
      out << "<tr><td><span class=\"chip edge\">" << kind << "</span></td><td>"
          << escape_html(tensor["name"]) << "</td><td>" << tensor["dtype"].get<std::string>()
          << "</td><td><code>" << tensor["shape"].dump() << "</code></td><td>";
      const size_t scales = tensor.contains("scales") ? tensor["scales"].size() : 0;
      if (scales == 1) {
        out << "scale " << tensor["scales"][0].dump() << ", zero point "
            << tensor["zero_points"][0].dump();
      } else if (scales > 1) {
        out << scales << " scales along axis " << tensor["axis"].dump();
      }
      out << "</td></tr>\n";
    }
  }
  out << "</table>\n";
  if (report["metadata"].empty()) return;
  out << "<h2>Metadata</h2>\n<table class=\"facts\">";
  for (const auto& [key, value] : report["metadata"].items()) {
    out << "<tr><td class=\"muted\">" << escape_html(key) << "</td><td>" << escape_html(value)
        << "</td></tr>\n";
  }
  out << "</table>\n";
}

}  // namespace

std::string escape_html(const std::string& text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

void write_head(std::ostream& out, const std::string& title, const char* style) {
  out << "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta "
         "name=\"viewport\" content=\"width=device-width\"><title>"
      << title << "</title><style>" << kStyle << style << "</style></head><body>\n";
}

std::string with_unit(double value, const std::string& unit) {
  const char* const kPrefixes[] = {"", "k", "M", "G", "T"};
  size_t p = 0;
  while (value >= 1000 && p < 4) {
    value /= 1000;
    ++p;
  }
  char text[32];
  std::snprintf(text, sizeof(text), p == 0 ? "%.0f" : "%.1f", value);
  return std::string(text) + " " + kPrefixes[p] + unit;
}

const char* kind_of(const std::string& op) {
  const std::string first = op.substr(0, op.find('+'));
  for (const Kind& kind : kKinds) {
    for (const char* part : kind.parts) {
      if (first.find(part) != std::string::npos) return kind.name;
    }
  }
  return "pointwise";
}

std::string html_of(const mdl_graph& graph, const nlohmann::json& report) {
  const std::string file = report["file"];
  const std::string title = escape_html(std::filesystem::path(file).filename().string());
  std::ostringstream out;
  write_head(out, title, "");
  out << "<h1>" << title << "</h1>\n<div class=\"path\">" << escape_html(file) << ", planned for "
      << escape_html(report["plan"]["isa"]) << ", numerics "
      << report["plan"]["numerics"].get<std::string>() << "</div>\n";
  write_tiles(out, graph, report);
  write_facts(out, report);
  write_memory(out, report);
  write_legend(out);
  write_steps(out, graph, report);
  out << "</body></html>\n";
  return out.str();
}

}  // namespace medulla::tools
