// SPDX-License-Identifier: Apache-2.0
// Spectra. A discrete Fourier transform of an extent that is known is a product with a constant
// matrix, and one of frames that slide over a signal is a convolution.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "tools/import/onnx_ops.h"

namespace medulla::tools {
namespace {

// What sample n of `length` adds to bin k: (cos, sin) of -+2 pi k n / length. Quarters of a turn
// are exact.
std::pair<double, double> twiddle(int64_t n, int64_t k, int64_t length, bool inverse) {
  const int64_t step = n * k % length;
  const double sign = inverse ? 1 : -1;
  if (4 * step % length == 0) {
    constexpr double kCos[] = {1, 0, -1, 0}, kSin[] = {0, 1, 0, -1};
    const int64_t quarter = 4 * step / length;
    return {kCos[quarter], sign * kSin[quarter]};
  }
  const double turn = static_cast<double>(step) / static_cast<double>(length);
  const double angle = 2 * std::numbers::pi * turn;
  return {std::cos(angle), sign * std::sin(angle)};
}

// Calls set(real or imaginary part of the input, bin, part of the output, factor) for one sample of
// 1 or 2 parts.
template <class Set>
void for_each_factor(int64_t n, int64_t bins, int64_t length, bool inverse, int64_t parts,
                     Set set) {
  for (int64_t k = 0; k < bins; ++k) {
    const auto [c, s] = twiddle(n, k, length, inverse);
    set(0, k, 0, c);
    set(0, k, 1, s);
    if (parts < 2) continue;
    set(1, k, 0, -s);
    set(1, k, 1, c);
  }
}

int64_t length_of(const OnnxNode& node, size_t input, int64_t otherwise, const char* what) {
  const int64_t length = node.input(input) < 0 ? otherwise : node.constant_ints(input, what).at(0);
  if (length < 1 || length > (1 << 20)) {
    refuse(std::string(what) + " is " + std::to_string(length) + ", should be from 1 to 2^20");
  }
  return length;
}

int64_t parts_of(const OnnxNode& node, int32_t x) {
  const int64_t parts = node.build.dims(x).empty() ? 0 : node.build.dims(x).back();
  if (node.build.rank(x) < 2 || parts < 1 || parts > 2) {
    refuse("the last dimension of the input should be 1, real, or 2, complex");
  }
  return parts;
}

// The last dimensions of x in another shape; those before them are kept, whatever they are.
int32_t reshape_tail(Builder& build, int32_t x, int64_t kept, const Dims& tail) {
  Dims shape(static_cast<size_t>(kept), 0);
  shape.insert(shape.end(), tail.begin(), tail.end());
  return build.add("Reshape", {x}, {{"shape", shape}, {"allowzero", int64_t{0}}});
}

// Exchanges a dimension with the last but one.
int32_t with_axis_last(Builder& build, int32_t x, int64_t axis) {
  Dims perm(build.dims(x).size());
  for (size_t d = 0; d < perm.size(); ++d) perm[d] = static_cast<int64_t>(d);
  std::swap(perm[static_cast<size_t>(axis)], perm[perm.size() - 2]);
  return build.transpose(x, perm);
}

}  // namespace

std::vector<int32_t> convert_dft(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t x = node.input(0);
  const int64_t parts = parts_of(node, x), rank = build.rank(x);
  const bool inverse = node.int_or("inverse", 0) != 0, onesided = node.int_or("onesided", 0) != 0;
  int64_t axis = node.int_or("axis", node.opset < 20 ? 1 : -2);
  if (node.opset >= 20 && node.input(2) >= 0) axis = node.constant_ints(2, "axis").at(0);
  axis = node.axis(axis, rank);
  if (axis == rank - 1) refuse("axis is that of the real and imaginary parts");
  const Tensor& tensor = build.tensor(x);
  if (!tensor.symbols.empty() && !tensor.symbols[static_cast<size_t>(axis)].empty()) {
    node.require_static(x, "the axis");
  }
  const int64_t samples = tensor.dims[static_cast<size_t>(axis)];
  // The inverse of one side: the other side is its mirror, so that the signal is real.
  const bool mirrored = inverse && onesided;
  const int64_t length = length_of(node, 1, mirrored ? 2 * (samples - 1) : samples, "dft_length");
  const int64_t half = length / 2 + 1;
  const int64_t bins = onesided && !inverse ? half : length;
  const int64_t results = mirrored ? 1 : 2;
  // Samples beyond the length are cut off; those it lacks are zeros.
  std::vector<float> matrix(require_small({samples * parts, bins * results}), 0.0f);
  const double scale = inverse ? 1 / static_cast<double>(length) : 1;
  for (int64_t n = 0; n < std::min(samples, mirrored ? half : length); ++n) {
    const double twice = mirrored && n > 0 && 2 * n != length ? 2 * scale : scale;
    for_each_factor(n, bins, length, inverse, parts,
                    [&](int64_t in, int64_t k, int64_t out, double factor) {
                      if (out >= results) return;
                      const int64_t at = ((n * parts + in) * bins + k) * results + out;
                      matrix[static_cast<size_t>(at)] = static_cast<float>(factor * twice);
                    });
  }
  const int32_t flat =
      reshape_tail(build, with_axis_last(build, x, axis), rank - 2, {samples * parts});
  const int32_t factors = build.constant(MDL_FLOAT32, {samples * parts, bins * results}, matrix);
  const int32_t y =
      reshape_tail(build, build.add("MatMul", {flat, factors}), rank - 2, {bins, results});
  return {with_axis_last(build, y, axis)};
}

std::vector<int32_t> convert_stft(OnnxNode& node) {
  Builder& build = node.build;
  const int32_t x = node.input(0);
  const int64_t parts = parts_of(node, x);
  if (build.rank(x) != 3) refuse("the signal has rank " + std::to_string(build.rank(x)));
  const int64_t step = length_of(node, 1, 0, "frame_step");
  std::vector<double> window;
  if (node.input(2) >= 0) window = node.constant_floats(2, "window");
  const auto shape = static_cast<int64_t>(window.size());
  const int64_t length = length_of(node, 3, shape, "frame_length");
  if (window.empty()) window.assign(static_cast<size_t>(length), 1);
  if (static_cast<int64_t>(window.size()) != length) {
    refuse("the window has " + std::to_string(window.size()) + " values, should have " +
           std::to_string(length));
  }
  const int64_t bins = node.int_or("onesided", 1) != 0 ? length / 2 + 1 : length;
  std::vector<float> weights(require_small({bins * 2, length, parts}));
  for (int64_t n = 0; n < length; ++n) {
    for_each_factor(n, bins, length, false, parts,
                    [&](int64_t in, int64_t k, int64_t out, double factor) {
                      const int64_t at = ((k * 2 + out) * length + n) * parts + in;
                      weights[static_cast<size_t>(at)] =
                          static_cast<float>(factor * window[static_cast<size_t>(n)]);
                    });
  }
  const int32_t w = build.constant(MDL_FLOAT32, {bins * 2, length, parts}, weights);
  const int32_t y = build.add("Conv", {x, w}, {{"strides", Dims{step}}});
  return {reshape_tail(build, y, 2, {bins, 2})};
}

// Triangles whose corners are equally far apart on the mel scale, in whole bins of the spectrum.
std::vector<int32_t> convert_mel_weight_matrix(OnnxNode& node) {
  const int64_t mels = length_of(node, 0, 0, "num_mel_bins");
  const int64_t length = length_of(node, 1, 0, "dft_length");
  const double rate = node.constant_floats(2, "sample_rate").at(0);
  const auto mel_of = [](double hertz) { return 2595 * std::log10(1 + hertz / 700); };
  const double low = mel_of(node.constant_floats(3, "lower_edge_hertz").at(0));
  const double high = mel_of(node.constant_floats(4, "upper_edge_hertz").at(0));
  const int64_t bins = length / 2 + 1;
  std::vector<int64_t> corners;
  for (int64_t i = 0; i < mels + 2; ++i) {
    const double part = static_cast<double>(i) / static_cast<double>(mels + 2);
    const double hertz = 700 * (std::pow(10, (low + part * (high - low)) / 2595) - 1);
    const double bin = std::floor(static_cast<double>(length + 1) * hertz / rate);
    if (!(bin >= 0 && bin < static_cast<double>(bins))) {
      refuse("a mel bin reaches bin " + std::to_string(bin) + " of a spectrum of " +
             std::to_string(bins));
    }
    corners.push_back(static_cast<int64_t>(bin));
  }
  std::vector<float> weights(require_small({bins, mels}), 0.0f);
  for (int64_t m = 0; m < mels; ++m) {
    const int64_t* corner = &corners[static_cast<size_t>(m)];
    const auto ratio = [](int64_t a, int64_t b) {
      return static_cast<float>(static_cast<double>(a) / static_cast<double>(b));
    };
    for (int64_t k = corner[0]; k <= std::max(corner[1], corner[2] - 1); ++k) {
      float& weight = weights[static_cast<size_t>(k * mels + m)];
      if (k < corner[1]) weight = ratio(k - corner[0], corner[1] - corner[0]);
      if (k == corner[1]) weight = 1;
      if (k > corner[1]) weight = ratio(corner[2] - k, corner[2] - corner[1]);
    }
  }
  const int32_t matrix = node.build.constant(MDL_FLOAT32, {bins, mels}, weights);
  const mdl_dtype dtype =
      onnx_dtype(static_cast<int32_t>(node.int_or("output_datatype", onnx::TensorProto::FLOAT)));
  if (dtype == MDL_FLOAT32) return {matrix};
  return {node.build.add_typed("Cast", {matrix}, {{"to", static_cast<int64_t>(dtype)}}, dtype)};
}

}  // namespace medulla::tools
