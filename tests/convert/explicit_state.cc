// SPDX-License-Identifier: Apache-2.0
// Models that hand their state on through inputs and outputs, as exporters write them: with --state
// a session keeps it, and gives the bytes of a caller who carries it himself.
#include <map>

#include "tests/catch.h"
#include "tests/convert/onnx_model.h"
#include "tests/convert/run_graph.h"
#include "tests/convert/runner.h"
#include "tests/convert/stream.h"

using namespace medulla;
using namespace medulla::tools;

namespace {

using States = std::vector<std::pair<std::string, std::string>>;

Floats small(size_t count, uint32_t seed) {
  Floats values = random_floats(count, seed);
  for (float& v : values) v *= 0.25f;
  return values;
}

// One layer of the stacked state: s[layer:layer + 1].
std::string layer_of(OnnxModel& m, const std::string& s, int64_t layer) {
  const std::string name = s + std::to_string(layer);
  m.ints(name + "b", {layer});
  m.ints(name + "e", {layer + 1});
  m.ints(name + "a", {0});
  m.node("Slice", {s, name + "b", name + "e", name + "a"}, {name});
  return name;
}

constexpr int64_t kSamples = 64, kHidden = 6;

// A voice detector: spectrum by a convolution, encoder, two LSTMs whose h and c come and go
// stacked, a probability.
OnnxModel voice_detector() {
  OnnxModel m(16);
  m.input("input", {1, kSamples});
  m.input("h", {2, 1, kHidden});
  m.input("c", {2, 1, kHidden});
  m.ints("one", {1});
  m.node("Unsqueeze", {"input", "one"}, {"wave"});
  m.floats("basis", {18, 1, 16}, small(18 * 16, 1));
  auto* spectrum = m.node("Conv", {"wave", "basis"}, {"spectrum"});
  set_ints(spectrum, "strides", {8});
  m.ints("parts", {9, 9});
  set_int(m.node("Split", {"spectrum", "parts"}, {"real", "imaginary"}), "axis", 1);
  m.node("Mul", {"real", "real"}, {"real2"});
  m.node("Mul", {"imaginary", "imaginary"}, {"imaginary2"});
  m.node("Add", {"real2", "imaginary2"}, {"power"});
  m.node("Sqrt", {"power"}, {"magnitude"});
  m.floats("encode", {8, 9, 3}, small(8 * 9 * 3, 2));
  m.floats("bias", {8}, small(8, 3));
  auto* encoder = m.node("Conv", {"magnitude", "encode", "bias"}, {"encoded"});
  set_ints(encoder, "pads", {1, 1});
  set_ints(encoder, "strides", {2});
  m.node("Relu", {"encoded"}, {"features"});
  std::string x = "sequence";
  set_ints(m.node("Transpose", {"features"}, {x}), "perm", {2, 0, 1});
  std::vector<std::string> hs, cs;
  for (int64_t layer = 0; layer < 2; ++layer) {
    const std::string n = "lstm" + std::to_string(layer);
    const int64_t in = layer == 0 ? 8 : kHidden;
    m.floats(n + "w", {1, 4 * kHidden, in}, small(static_cast<size_t>(4 * kHidden * in), 4));
    m.floats(n + "r", {1, 4 * kHidden, kHidden}, small(4 * kHidden * kHidden, 5));
    m.floats(n + "b", {1, 8 * kHidden}, small(8 * kHidden, 6));
    const std::string h = layer_of(m, "h", layer), c = layer_of(m, "c", layer);
    auto* lstm =
        m.node("LSTM", {x, n + "w", n + "r", n + "b", "", h, c}, {n + "y", h + "out", c + "out"});
    set_int(lstm, "hidden_size", kHidden);
    x = n + "s";
    m.node("Squeeze", {n + "y", "one"}, {x});
    hs.push_back(h + "out");
    cs.push_back(c + "out");
  }
  set_int(m.node("Concat", hs, {"hn"}), "axis", 0);
  set_int(m.node("Concat", cs, {"cn"}), "axis", 0);
  m.node("Relu", {x}, {"positive"});
  m.floats("dense", {kHidden, 1}, small(kHidden, 7));
  m.node("MatMul", {"positive", "dense"}, {"logits"});
  m.node("Sigmoid", {"logits"}, {"probabilities"});
  auto* mean = m.node("ReduceMean", {"probabilities"}, {"output"});
  set_ints(mean, "axes", {0});
  set_int(mean, "keepdims", 0);
  m.output("output", {1, 1});
  m.output("hn", {2, 1, kHidden});
  m.output("cn", {2, 1, kHidden});
  return m;
}

// [T, 1, 3] -> GRU of 5 -> [T, 1, 5], T open where `length` is below 0.
OnnxModel gru(int64_t length) {
  OnnxModel m(14);
  m.input("x", {length, 1, 3});
  m.input("h_in", {1, 1, 5});
  m.floats("w", {1, 15, 3}, small(45, 1));
  m.floats("r", {1, 15, 5}, small(75, 2));
  auto* node = m.node("GRU", {"x", "w", "r", "", "", "h_in"}, {"all", "h_out"});
  set_int(node, "hidden_size", 5);
  set_int(node, "linear_before_reset", 1);
  m.ints("one", {1});
  m.node("Squeeze", {"all", "one"}, {"y"});
  m.output("y", {length, 1, 5});
  m.output("h_out", {1, 1, 5});
  return m;
}

// Convolutions over what a cache holds and the new frames behind it; the last frames are the next
// cache.
OnnxModel cached_convolution(int64_t length) {
  OnnxModel m(13);
  m.input("x", {1, 2, length});
  m.input("cache", {1, 2, 4});
  m.floats("w", {3, 2, 3}, small(18, 1));
  set_int(m.node("Concat", {"cache", "x"}, {"seen"}), "axis", 2);
  set_ints(m.node("Conv", {"seen", "w"}, {"conv"}), "dilations", {2});
  m.node("Relu", {"conv"}, {"y"});
  m.ints("begin", {-4});
  m.ints("end", {INT64_MAX});
  m.ints("axis", {2});
  m.node("Slice", {"seen", "begin", "end", "axis"}, {"next"});
  m.output("y", {1, 3, length});
  m.output("next", {1, 2, 4});
  return m;
}

// Chunks of `count` numbers to a session that keeps the states and to one that gets them.
void check_kept(const OnnxModel& m, const States& states, size_t count) {
  const Folder folder;
  const ConvertOptions plain = m.write(folder);
  ConvertOptions kept = plain;
  kept.states = states;
  for (const char* backends : {"reference", "cpu,reference"}) {
    INFO(backends);
    Runner carrier(plain, backends), keeper(kept, backends);
    CHECK(carrier.inputs() == 1 + states.size());
    CHECK(keeper.inputs() == 1);
    CHECK(keeper.outputs() == 1);
    for (uint32_t round = 0; round < 2; ++round) {
      std::vector<Floats> carried;
      for (size_t s = 0; s < states.size(); ++s) {
        const mdl_tensor_info info = carrier.input(1 + s);
        CHECK(std::string(info.name) == states[s].first);
        int64_t elements = 1;
        for (uint32_t d = 0; d < info.rank; ++d) elements *= info.dims[d];
        carried.emplace_back(static_cast<size_t>(elements), 0.0f);
      }
      for (uint32_t step = 0; step < 6; ++step) {
        INFO("round " << round << ", step " << step);
        const Floats x = random_floats(count, 10 * round + step);
        carrier.set(0, x);
        for (size_t s = 0; s < states.size(); ++s) carrier.set(1 + s, carried[s]);
        carrier.run();
        for (size_t s = 0; s < states.size(); ++s) carried[s] = carrier.get(1 + s);
        keeper.set(0, x);
        keeper.run();
        CHECK(keeper.get_bytes(0) == carrier.get_bytes(0));
      }
      keeper.reset();
    }
  }
}

}  // namespace

TEST_CASE("a voice detector keeps the h and c of its LSTMs") {
  check_kept(voice_detector(), {{"h", "hn"}, {"c", "cn"}}, kSamples);
}

TEST_CASE("a GRU keeps the h that it is given and gives") {
  check_kept(gru(4), {{"h_in", "h_out"}}, 12);
}

TEST_CASE("a causal convolution keeps its cache") {
  check_kept(cached_convolution(6), {{"cache", "next"}}, 12);
}

// Beside a state of the model's own, --stream may add others. A cache is all that a convolution
// needs.
TEST_CASE("a model with a state of its own is fed in chunks of any length") {
  constexpr int64_t kMost = 24;
  const bool recurrent = GENERATE(true, false);
  INFO((recurrent ? "GRU" : "convolution"));
  const OnnxModel m = recurrent ? gru(-1) : cached_convolution(-1);
  const auto shape = [&](int64_t n) { return recurrent ? Dims{n, 1, 3} : Dims{1, 2, n}; };
  const size_t width = recurrent ? 3 : 2;
  const Folder folder;
  ConvertOptions options = m.write(folder);
  options.maxima = {{"N", kMost}};
  options.states = {recurrent ? std::pair("h_in", "h_out") : std::pair("cache", "next")};
  if (recurrent) options.stream = GENERATE("", "N");
  INFO("--stream " << options.stream);
  const ConvertReport report = convert(options);
  for (const Refusal& refusal : report.refusals) UNSCOPED_INFO(refusal.text());
  REQUIRE(report.refusals.empty());
  const Floats x = random_floats(width * kMost, 3);
  // Frame f of the sequence, whichever dimension frames lie along.
  const auto frames = [&](int64_t begin, int64_t end) {
    Floats part;
    if (recurrent) {
      part.assign(x.begin() + 3 * begin, x.begin() + 3 * end);
    } else {
      for (const int64_t row : {0, 1}) {
        part.insert(part.end(), x.begin() + row * kMost + begin, x.begin() + row * kMost + end);
      }
    }
    return part;
  };
  Stream all(options.output, "reference"), chunked(options.output, "reference");
  const Floats expected = all.feed(x, shape(kMost));
  const size_t rows = recurrent ? 1 : 3;
  const size_t depth = expected.size() / static_cast<size_t>(kMost) / rows;
  int64_t at = 0;
  for (const int64_t n : {1, 5, 2, 9, 7}) {
    INFO("frames " << at << " to " << at + n);
    const Floats found = chunked.feed(frames(at, at + n), shape(n));
    Floats wanted;
    for (size_t row = 0; row < rows; ++row) {
      const auto first = expected.begin() + static_cast<std::ptrdiff_t>(
                                                (row * kMost + static_cast<size_t>(at)) * depth);
      wanted.insert(wanted.end(), first,
                    first + static_cast<std::ptrdiff_t>(static_cast<size_t>(n) * depth));
    }
    CHECK(found == wanted);
    at += n;
  }
  CHECK(at == kMost);
}

TEST_CASE("--stream takes the states that each frame steps") {
  const Folder folder;
  const auto refusals = [&](const OnnxModel& m, const States& states) {
    ConvertOptions options = m.write(folder);
    options.maxima = {{"N", 8}};
    options.states = states;
    options.stream = "N";
    std::string text;
    for (const Refusal& refusal : convert(options).refusals) text += refusal.text() + "\n";
    return text;
  };
  CHECK(refusals(gru(-1), {{"h_in", "h_out"}}).empty());
  const std::string ours = refusals(cached_convolution(-1), {{"cache", "next"}});
  CHECK(ours.find("state 'cache' steps once with each chunk") != std::string::npos);
  CHECK(ours.find("without --stream") != std::string::npos);

  OnnxModel counter(13);
  counter.input("x", {1, -1, 4});
  counter.input("count", {1});
  counter.floats("one", {1}, {1});
  counter.node("Add", {"x", "count"}, {"y"});
  counter.node("Add", {"count", "one"}, {"more"});
  counter.output("y", {1, -1, 4});
  counter.output("more", {1});
  const std::string counted = refusals(counter, {{"count", "more"}});
  CHECK(counted.find("state 'count' steps once with each chunk") != std::string::npos);

  OnnxModel read_twice = gru(-1);
  read_twice.node("Add", {"y", "h_in"}, {"sum"});
  read_twice.output("sum", {-1, 1, 5});
  CHECK(refusals(read_twice, {{"h_in", "h_out"}}).find("state 'h_in'") != std::string::npos);

  OnnxModel other = gru(-1);
  other.node("Neg", {"h_out"}, {"other"});
  other.output("other", {1, 1, 5});
  CHECK(refusals(other, {{"h_in", "other"}}).find("state 'h_in'") != std::string::npos);
}

TEST_CASE("what is made of the last h alone is that of the frames so far") {
  OnnxModel m(14);
  m.input("x", {-1, 1, 3});
  m.floats("w", {1, 15, 3}, small(45, 1));
  m.floats("r", {1, 15, 5}, small(75, 2));
  set_int(m.node("GRU", {"x", "w", "r"}, {"all", "h"}), "hidden_size", 5);
  m.node("Sigmoid", {"h"}, {"y"});
  m.output("y", {1, 1, 5});
  const Folder folder;
  ConvertOptions options = m.write(folder);
  options.maxima = {{"N", 8}};
  options.stream = "N";
  const ConvertReport report = convert(options);
  for (const Refusal& refusal : report.refusals) UNSCOPED_INFO(refusal.text());
  REQUIRE(report.refusals.empty());
  const Floats x = random_floats(24, 5);
  Stream all(options.output, "reference"), chunked(options.output, "reference");
  const Floats expected = all.feed(x, {8, 1, 3});
  chunked.feed({x.begin(), x.begin() + 9}, {3, 1, 3});
  CHECK(chunked.feed({x.begin() + 9, x.end()}, {5, 1, 3}) == expected);
}
