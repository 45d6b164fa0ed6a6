// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <ostream>
#include <vector>

#include "tools/command/html.h"

namespace medulla::tools {
namespace {

// The picture, in units of its view box.
constexpr double kWidth = 1200;
constexpr double kLeft = 76;
constexpr double kTop = 18;
constexpr double kHeight = 380;
constexpr double kBottom = kTop + kHeight;

// A piece of the arena while it is in use.
struct Piece {
  std::string tensors;  // that lie in it, one after the other
  std::string label;    // the step that first writes it; an input's name
  const char* kind = "edge";
  double offset = 0;
  double bytes = 0;
  size_t first = 0;
  size_t last = 0;  // the last step that needs it
};

std::vector<Piece> pieces_of(const nlohmann::json& plan) {
  const size_t steps = plan["steps"].size();
  std::vector<Piece> pieces;
  std::vector<bool> in_arena;
  for (const nlohmann::json& storage : plan["storages"]) {
    const std::string kind = storage["kind"];
    const int64_t first = storage["first"];
    const int64_t last = storage["last"];
    in_arena.push_back(kind != "constant" && kind != "state" && first <= last && steps > 0);
    Piece& piece = pieces.emplace_back();
    piece.offset = storage["offset"];
    piece.bytes = storage["bytes"];
    if (!in_arena.back()) continue;
    piece.first = static_cast<size_t>(std::max<int64_t>(first, 0));
    piece.last = std::min(static_cast<size_t>(last), steps - 1);
  }
  const auto name = [&](const nlohmann::json& operand, const char* kind, std::string label) {
    const int64_t storage = operand["storage"];
    if (storage < 0) return;
    Piece& piece = pieces[static_cast<size_t>(storage)];
    const std::string tensor = operand["name"];
    if (piece.tensors.empty()) {
      piece.kind = kind;
      piece.label = label.empty() ? tensor : std::move(label);
    }
    if ((", " + piece.tensors + ", ").find(", " + tensor + ", ") != std::string::npos) return;
    piece.tensors += (piece.tensors.empty() ? "" : ", ") + tensor;
  };
  size_t number = 0;
  for (const nlohmann::json& step : plan["steps"]) {
    const std::string op = step["op"];
    const std::string label = std::to_string(number++) + " " + op;
    for (const nlohmann::json& operand : step["inputs"]) name(operand, "edge", "");
    for (const nlohmann::json& operand : step["outputs"]) name(operand, kind_of(op), label);
  }
  std::vector<Piece> kept;
  for (size_t p = 0; p < pieces.size(); ++p) {
    if (in_arena[p] && !pieces[p].tensors.empty()) kept.push_back(std::move(pieces[p]));
  }
  return kept;
}

// The step at which most bytes are in use.
size_t peak_of(const std::vector<Piece>& pieces, size_t steps) {
  std::vector<double> live(steps, 0);
  for (const Piece& piece : pieces) {
    for (size_t s = piece.first; s <= piece.last; ++s) live[s] += piece.bytes;
  }
  return static_cast<size_t>(std::max_element(live.begin(), live.end()) - live.begin());
}

void write_axes(std::ostream& out, double arena, size_t steps, double x_step) {
  for (int line = 0; line <= 4; ++line) {
    const double y = kBottom - kHeight * line / 4;
    out << "<line x1=\"" << kLeft << "\" x2=\"" << kWidth - 10 << "\" y1=\"" << y << "\" y2=\"" << y
        << "\"/><text class=\"axis\" text-anchor=\"end\" x=\"" << kLeft - 6 << "\" y=\"" << y + 4
        << "\">" << with_unit(arena * line / 4, "B") << "</text>\n";
  }
  const size_t every = (steps + 29) / 30;
  for (size_t s = 0; s < steps; s += every) {
    out << "<text class=\"axis\" text-anchor=\"middle\" x=\""
        << kLeft + (static_cast<double>(s) + 0.5) * x_step << "\" y=\"" << kBottom + 15 << "\">"
        << s << "</text>";
  }
}

void write_piece(std::ostream& out, const Piece& piece, double arena, double x_step) {
  const double left = kLeft + static_cast<double>(piece.first) * x_step;
  const double width = static_cast<double>(piece.last - piece.first + 1) * x_step;
  const double height = std::max(0.5, piece.bytes / arena * kHeight);
  const double top = kBottom - piece.offset / arena * kHeight - height;
  out << "<g><title>" << escape_html(piece.tensors) << ": " << with_unit(piece.bytes, "B")
      << " at offset " << piece.offset << ", steps " << piece.first << " to " << piece.last
      << "</title><rect class=\"piece " << piece.kind << "\" x=\"" << left << "\" y=\"" << top
      << "\" width=\"" << width << "\" height=\"" << height << "\"/>";
  const size_t room = static_cast<size_t>(width / 7);
  if (height > 14 && room > 5) {
    const bool whole = piece.label.size() <= room;
    const std::string label = whole ? piece.label : piece.label.substr(0, room - 1) + "…";
    out << "<text x=\"" << left + 4 << "\" y=\"" << top + 12 << "\">" << escape_html(label)
        << "</text>";
  }
  out << "</g>\n";
}

}  // namespace

void write_memory(std::ostream& out, const nlohmann::json& report) {
  const nlohmann::json& plan = report["plan"];
  const size_t steps = plan["steps"].size();
  const double arena = report["memory"]["arena_bytes"];
  const double bound = report["memory"]["arena_bound_bytes"];
  if (steps == 0 || arena <= 0) return;
  const std::vector<Piece> pieces = pieces_of(plan);
  const double x_step = (kWidth - kLeft - 10) / static_cast<double>(steps);
  const size_t peak = peak_of(pieces, steps);
  out << "<h2>Memory over time</h2>\n<p>Steps from left to right, the arena from bottom to top. A "
         "box is a piece of memory while it is in use, with the step that first writes it; rest "
         "the "
         "pointer on it for the tensors that lie in it. Step "
      << peak << " ("
      << escape_html(plan["steps"][peak]["op"].get<std::string>() + " " +
                     plan["steps"][peak]["name"].get<std::string>())
      << ") needs most: no plan can do with less than the dashed line, " << with_unit(bound, "B")
      << ".</p>\n<svg class=\"memory\" viewBox=\"0 0 " << kWidth << " " << kBottom + 24 << "\">\n";
  write_axes(out, arena, steps, x_step);
  out << "<rect class=\"peak\" x=\"" << kLeft + static_cast<double>(peak) * x_step << "\" y=\""
      << kTop << "\" width=\"" << x_step << "\" height=\"" << kHeight << "\"/>\n";
  for (const Piece& piece : pieces) write_piece(out, piece, arena, x_step);
  const double y = kBottom - bound / arena * kHeight;
  out << "<line class=\"bound\" x1=\"" << kLeft << "\" x2=\"" << kWidth - 10 << "\" y1=\"" << y
      << "\" y2=\"" << y << "\"/>\n</svg>\n";
}

}  // namespace medulla::tools
