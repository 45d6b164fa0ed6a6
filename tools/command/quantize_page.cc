// SPDX-License-Identifier: Apache-2.0
// The page of `medulla quantize --html`: no script, no font, nothing from elsewhere.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <sstream>

#include "tools/command/html.h"
#include "tools/command/quantize_report.h"

namespace medulla::tools {
namespace {

constexpr const char* kStyle = R"css(
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(34rem,1fr));gap:1rem}
figure{margin:0;background:var(--panel);border:1px solid var(--line);border-radius:8px;
padding:.6rem .9rem}
figcaption{color:var(--muted);margin-bottom:.3rem}
figure svg{width:100%;height:auto}
figure text{font:10px system-ui,sans-serif;fill:var(--muted)}
.int8{--c:var(--conv)}.float32{--c:var(--pointwise)}
rect.bar-of{fill:var(--c)}line.grid{stroke:var(--line)}
.layers td,.layers th{padding:.25rem .8rem .25rem 0;border-bottom:1px solid var(--line)}
.layers .number{text-align:right;font-variant-numeric:tabular-nums}
.wide{overflow-x:auto}
.shape{width:132px;height:26px;vertical-align:middle}
.shape path{fill:var(--conv);fill-opacity:.5}.shape rect{fill:var(--quantize);fill-opacity:.16}
)css";

const char* precision_of(const LayerReport& layer) {
  return layer.reason.empty() ? "int8" : "float32";
}

// One bar a layer, in the order of execution. A value below 0 has no bar.
template <class Value>
void write_bars(std::ostream& out, const std::string& caption, const QuantizeReport& report,
                const std::string& unit, Value value) {
  constexpr double kWidth = 640, kHeight = 170, kLeft = 46, kFoot = 150;
  double most = 0;
  for (const LayerReport& layer : report.layers) most = std::max(most, value(layer));
  if (!(most > 0)) return;
  out << "<figure><figcaption>" << caption << "</figcaption><svg viewBox=\"0 0 " << kWidth << " "
      << kHeight << "\">";
  for (int line = 0; line <= 4; ++line) {
    const double y = kFoot - (kFoot - 8) * line / 4;
    out << "<line class=\"grid\" x1=\"" << kLeft << "\" x2=\"" << kWidth << "\" y1=\"" << y
        << "\" y2=\"" << y << "\"/><text x=\"" << kLeft - 6 << "\" y=\"" << y + 3
        << "\" text-anchor=\"end\">" << number(most * line / 4, most < 10 ? 1 : 0) << "</text>";
  }
  const double step = (kWidth - kLeft) / static_cast<double>(report.layers.size());
  for (size_t l = 0; l < report.layers.size(); ++l) {
    const LayerReport& layer = report.layers[l];
    if (!(value(layer) >= 0)) continue;
    const double height = (kFoot - 8) * value(layer) / most;
    out << "<rect class=\"bar-of " << precision_of(layer) << "\" x=\""
        << number(kLeft + step * (static_cast<double>(l) + 0.12), 2) << "\" width=\""
        << number(step * 0.76, 2) << "\" y=\"" << number(kFoot - height, 2) << "\" height=\""
        << number(height, 2) << "\"><title>" << escape_html(layer.name) << ": "
        << number(value(layer), 3) << " " << unit << "</title></rect>";
  }
  out << "<text x=\"" << kLeft << "\" y=\"" << kHeight - 4 << "\">first layer</text><text x=\""
      << kWidth << "\" y=\"" << kHeight - 4 << "\" text-anchor=\"end\">last layer</text></svg>"
      << "</figure>\n";
}

// How often a layer makes which value, by the logarithm of the count, over what int8 holds.
void write_shape(std::ostream& out, const LayerReport& layer) {
  constexpr double kWidth = 132, kHeight = 26, kDecades = 6;
  const double low = std::min(layer.low, layer.cut_low);
  const double width = std::max(layer.high, layer.cut_high) - low;
  if (!(width > 0) || layer.histogram.empty()) return;
  const auto x = [&](double value) { return kWidth * (value - low) / width; };
  out << "<svg class=\"shape\" viewBox=\"0 0 " << kWidth << " " << kHeight << "\"><rect x=\""
      << number(x(layer.cut_low), 1) << "\" y=\"0\" width=\""
      << number(x(layer.cut_high) - x(layer.cut_low), 1) << "\" height=\"" << kHeight
      << "\"/><path d=\"M" << number(x(layer.low), 1) << " " << kHeight;
  const double bin = (layer.high - layer.low) / static_cast<double>(layer.histogram.size());
  for (size_t b = 0; b < layer.histogram.size(); ++b) {
    const double share = layer.histogram[b];
    const double tall = share > 0 ? std::clamp(1 + std::log10(share) / kDecades, 0.02, 1.0) : 0;
    const double left = layer.low + bin * static_cast<double>(b);
    out << "V" << number(kHeight * (1 - tall), 1) << "H" << number(x(left + bin), 1);
  }
  out << "V" << kHeight << "Z\"/></svg>";
}

void write_tiles(std::ostream& out, const QuantizeReport& report) {
  const auto tile = [&](const std::string& value, const std::string& says) {
    out << "<div><b>" << value << "</b><span>" << says << "</span></div>";
  };
  size_t kept = 0;
  for (const LayerReport& layer : report.layers) kept += layer.reason.empty() ? 0 : 1;
  out << "<div class=\"tiles\">";
  tile(decibels(report.result.sqnr, " dB"), "SQNR of the worst output");
  if (report.result.top_1) {
    tile(number(*report.result.top_1, 2) + " %",
         "top-1 (float32 " + number(*report.float32.top_1, 2) + " %)");
  }
  tile(std::to_string(report.layers.size() - kept), "layers in INT8");
  tile(std::to_string(kept), "layers in float32");
  tile(with_unit(static_cast<double>(report.bytes_result), "B"),
       "file (float32 " + with_unit(static_cast<double>(report.bytes_float), "B") + ")");
  tile(std::to_string(report.samples), "samples, ranges by " + report.method);
  out << "</div>\n";
}

void write_layers(std::ostream& out, const QuantizeReport& report) {
  out << "<h2>Layers</h2>\n<p>Values that the layer makes, by the logarithm of how often, over "
         "what INT8 holds (shaded). The SQNR is the model's when this layer alone is INT8.</p>\n"
         "<div class=\"wide\"><table class=\"layers\"><tr><th>layer</th><th></th><th>values</th>"
         "<th>range</th><th class=\"number\">clipped</th><th class=\"number\">SQNR alone</th>"
         "<th class=\"number\">bytes float32</th><th class=\"number\">INT8</th>"
         "<th class=\"number\">MACs</th><th class=\"number\">&micro;s float32</th>"
         "<th class=\"number\">INT8</th><th>why</th></tr>\n";
  for (const LayerReport& layer : report.layers) {
    out << "<tr><td>" << escape_html(layer.op + " " + layer.name) << "</td><td><span class=\"chip "
        << precision_of(layer) << "\">" << precision_of(layer) << "</span></td><td>";
    write_shape(out, layer);
    out << "</td><td class=\"number\">" << number(layer.low, 3) << " to " << number(layer.high, 3)
        << "</td><td class=\"number\">" << number(100 * layer.clipped, 3)
        << " %</td><td class=\"number\">"
        << (layer.measured && std::isfinite(layer.sqnr) ? number(layer.sqnr, 1) + " dB" : "")
        << "</td><td class=\"number\">" << layer.bytes_float << "</td><td class=\"number\">"
        << layer.bytes_int8 << "</td><td class=\"number\">"
        << with_unit(static_cast<double>(layer.macs), "") << "</td><td class=\"number\">"
        << number(layer.microseconds_float, 1) << "</td><td class=\"number\">"
        << number(layer.microseconds_int8, 1) << "</td><td>" << escape_html(layer.reason)
        << "</td></tr>\n";
  }
  out << "</table></div>\n";
}

}  // namespace

std::string html_of(const QuantizeOptions& options, const QuantizeReport& report) {
  const std::string file = options.convert.output;
  const std::string title = escape_html(std::filesystem::path(file).filename().string());
  std::ostringstream out;
  write_head(out, title, kStyle);
  out << "<h1>" << title << "</h1>\n<div class=\"path\">" << escape_html(file)
      << ", quantized from " << escape_html(options.convert.input) << "</div>\n";
  write_tiles(out, report);
  out << "<h2>What a layer costs</h2>\n<div class=\"legend\"><span class=\"chip int8\">INT8</span>"
         "<span class=\"chip float32\">stays in float32</span></div>\n<div class=\"charts\">\n";
  write_bars(out, "SQNR of the outputs when it alone is INT8, dB", report, "dB",
             [](const LayerReport& layer) {
               return layer.measured && std::isfinite(layer.sqnr) ? layer.sqnr : -1;
             });
  write_bars(out, "of what it makes, clipped, per cent", report, "%",
             [](const LayerReport& layer) { return 100 * layer.clipped; });
  write_bars(out, "bytes of its constants as written, kB", report, "kB",
             [](const LayerReport& layer) {
               const size_t bytes = layer.reason.empty() ? layer.bytes_int8 : layer.bytes_float;
               return static_cast<double>(bytes) / 1000;
             });
  write_bars(out, "time of one run as written, &micro;s", report, "&micro;s",
             [](const LayerReport& layer) {
               return layer.reason.empty() ? layer.microseconds_int8 : layer.microseconds_float;
             });
  out << "</div>\n";
  write_layers(out, report);
  out << "</body></html>\n";
  return out.str();
}

}  // namespace medulla::tools
