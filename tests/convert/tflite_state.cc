// SPDX-License-Identifier: Apache-2.0
// What a TensorFlow Lite model keeps from run to run becomes a state.
#include <cmath>

#include "tests/convert/run_graph.h"
#include "tests/convert/runner.h"
#include "tests/convert/tflite_model.h"

using namespace medulla;
using namespace medulla::tools;

namespace {

// An LSTM in binary64, gates in the file's order: input, forget, cell, output.
struct NaiveLstm {
  static constexpr size_t kUnits = 3, kInputs = 2;
  std::vector<Floats> w, r, b;
  double clip;
  std::vector<double> h = std::vector<double>(kUnits), c = std::vector<double>(kUnits);

  std::vector<double> step(const float* x) {
    std::vector<double> a[4];
    for (size_t g = 0; g < 4; ++g) {
      for (size_t j = 0; j < kUnits; ++j) {
        auto sum = static_cast<double>(b[g][j]);
        for (size_t k = 0; k < kInputs; ++k) {
          sum += static_cast<double>(x[k]) * static_cast<double>(w[g][j * kInputs + k]);
        }
        for (size_t k = 0; k < kUnits; ++k) sum += h[k] * static_cast<double>(r[g][j * kUnits + k]);
        a[g].push_back(sum);
      }
    }
    const auto sigmoid = [](double v) { return 1 / (1 + std::exp(-v)); };
    for (size_t j = 0; j < kUnits; ++j) {
      const double kept = sigmoid(a[1][j]) * c[j] + sigmoid(a[0][j]) * std::tanh(a[2][j]);
      c[j] = std::clamp(kept, -clip, clip);
      h[j] = sigmoid(a[3][j]) * std::tanh(c[j]);
    }
    return h;
  }
};

void near(const Floats& found, const std::vector<double>& expected) {
  REQUIRE(found.size() == expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    CHECK(std::abs(static_cast<double>(found[i]) - expected[i]) <= 1e-5);
  }
}

}  // namespace

TEST_CASE("an LSTM goes on where the last run ended") {
  NaiveLstm naive{{}, {}, {}, 0.4};
  TfliteModel m;
  const int32_t steps = 2, inputs = NaiveLstm::kInputs, units = NaiveLstm::kUnits;
  std::vector<int32_t> ids = {m.input("x", {1, steps, inputs})};
  uint32_t seed = 1;
  for (int g = 0; g < 4; ++g) {
    naive.w.push_back(random_floats(static_cast<size_t>(units * inputs), seed++));
    ids.push_back(m.floats({units, inputs}, naive.w.back()));
  }
  for (int g = 0; g < 4; ++g) {
    naive.r.push_back(random_floats(static_cast<size_t>(units * units), seed++));
    ids.push_back(m.floats({units, units}, naive.r.back()));
  }
  ids.insert(ids.end(), {-1, -1, -1});
  for (int g = 0; g < 4; ++g) {
    naive.b.push_back(random_floats(static_cast<size_t>(units), seed++));
    ids.push_back(m.floats({units}, naive.b.back()));
  }
  ids.insert(ids.end(), {-1, -1});
  for (const char* name : {"h", "c"}) {
    ids.push_back(m.add(name, {1, units}));
    m.tensor(ids.back()).is_variable = true;
  }
  ids.insert(ids.end(), {-1, -1, -1, -1});
  const int32_t y = m.output("y", {1, steps, units});
  tflite::UnidirectionalSequenceLSTMOptionsT options;
  options.activation = tflite::Activation::TANH;
  options.cell_clip = 0.4f;
  m.node(TfliteOp::UNIDIRECTIONAL_SEQUENCE_LSTM, ids, {y}, options);

  const Folder folder;
  Runner runner(m.write(folder));
  CHECK(runner.inputs() == 1);
  for (uint32_t run = 0; run < 3; ++run) {
    const Floats x = random_floats(static_cast<size_t>(steps * inputs), 70 + run);
    std::vector<double> expected = naive.step(&x[0]);
    const std::vector<double> second = naive.step(&x[2]);
    expected.insert(expected.end(), second.begin(), second.end());
    runner.set(0, x);
    runner.run();
    near(runner.get(0), expected);
  }
}

// As exporters write an LSTM's last output, which the operator does not give.
TEST_CASE("a variable tensor is read before an LSTM and behind it") {
  for (const bool quantized : {false, true}) {
    CAPTURE(quantized);
    constexpr int32_t kInputs = 2, kUnits = 3;
    TfliteModel m;
    std::vector<int32_t> ids = {m.input("x", {1, 1, kInputs})};
    for (uint32_t i = 0; i < 8; ++i) {
      const int32_t width = i < 4 ? kInputs : kUnits;
      ids.push_back(
          m.floats({kUnits, width}, random_floats(static_cast<size_t>(kUnits * width), 1 + i)));
    }
    ids.insert(ids.end(), {-1, -1, -1});
    for (int g = 0; g < 4; ++g) ids.push_back(m.floats({kUnits}, Floats(kUnits, 0.5f)));
    const auto type = quantized ? TfliteType::INT8 : TfliteType::FLOAT32;
    const int32_t h = m.add("h", {1, kUnits}, type), c = m.add("c", {1, kUnits});
    m.tensor(h).is_variable = m.tensor(c).is_variable = true;
    const int32_t before = m.output("before", {kUnits}, type), y = m.output("y", {1, 1, kUnits}),
                  after = m.output("after", {kUnits}, type), shape = m.ints({kUnits});
    if (quantized) {
      for (const int32_t t : {h, before, after}) m.quantize(t, {0.0078125f}, {3});
    }
    ids.insert(ids.end(), {-1, -1, h, c, -1, -1, -1, -1});
    tflite::UnidirectionalSequenceLSTMOptionsT options;
    options.activation = tflite::Activation::TANH;
    m.node(TfliteOp::RESHAPE, {h, shape}, {before});
    m.node(TfliteOp::UNIDIRECTIONAL_SEQUENCE_LSTM, ids, {y}, options);
    m.node(TfliteOp::RESHAPE, {h, shape}, {after});

    const Folder folder;
    Runner runner(m.write(folder));
    Floats last(kUnits);
    for (uint32_t run = 0; run < 3; ++run) {
      CAPTURE(run);
      runner.set(0, random_floats(kInputs, 70 + run));
      runner.run();
      CHECK(runner.get(0) == last);
      last = runner.get(2);
      const Floats made = runner.get(1);
      for (size_t i = 0; i < kUnits; ++i) {
        CHECK(std::abs(last[i] - made[i]) <= (quantized ? 0.00390625f : 0.0f));
      }
    }
  }
}

// As exporters write a GRU's first state.
TEST_CASE("a variable tensor that nothing writes is zero, and no state") {
  TfliteModel m;
  const int32_t x = m.input("x", {2}), zero = m.add("zero", {2}), y = m.output("y", {2});
  m.tensor(zero).is_variable = true;
  m.node(TfliteOp::ADD, {x, zero}, {y}, tflite::AddOptionsT());
  const Folder folder;
  const ConvertOptions options = m.write(folder);
  ConvertReport report;
  const Model model = import_and_optimize(options, report);
  REQUIRE(report.refusals.empty());
  CHECK(model.graphs[0].states.empty());
  Runner runner(options);
  runner.set(0, {1, 2});
  runner.run();
  CHECK(runner.get(0) == Floats{1, 2});
}

TEST_CASE("SVDF remembers what its filters gave") {
  constexpr int32_t kFilters = 4, kRank = 2, kMemory = 3, kInputs = 2;
  const Floats feature = random_floats(kFilters * kInputs, 1);
  const Floats time = random_floats(kFilters * kMemory, 2);
  const Floats bias = random_floats(kFilters / kRank, 3);
  TfliteModel m;
  std::vector<int32_t> ids = {m.input("x", {1, kInputs}), m.floats({kFilters, kInputs}, feature),
                              m.floats({kFilters, kMemory}, time),
                              m.floats({kFilters / kRank}, bias),
                              m.add("s", {1, kFilters * kMemory})};
  m.tensor(ids.back()).is_variable = true;
  const int32_t y = m.output("y", {1, kFilters / kRank});
  tflite::SVDFOptionsT options;
  options.rank = kRank;
  options.activation = tflite::Activation::RELU;
  m.node(TfliteOp::SVDF, ids, {y}, options);

  const Folder folder;
  Runner runner(m.write(folder));
  std::vector<double> memory(kFilters * kMemory);
  for (uint32_t run = 0; run < 5; ++run) {
    const Floats x = random_floats(kInputs, 70 + run);
    std::vector<double> expected(kFilters / kRank);
    for (size_t f = 0; f < kFilters; ++f) {
      double* row = &memory[f * kMemory];
      std::rotate(row, row + 1, row + kMemory);
      row[kMemory - 1] = 0;
      for (size_t k = 0; k < kInputs; ++k) {
        row[kMemory - 1] +=
            static_cast<double>(x[k]) * static_cast<double>(feature[f * kInputs + k]);
      }
      for (size_t t = 0; t < kMemory; ++t) {
        expected[f / kRank] += row[t] * static_cast<double>(time[f * kMemory + t]);
      }
    }
    for (size_t u = 0; u < expected.size(); ++u) {
      expected[u] = std::max(expected[u] + static_cast<double>(bias[u]), 0.0);
    }
    runner.set(0, x);
    runner.run();
    near(runner.get(0), expected);
  }
}

TEST_CASE("a variable begins with what CALL_ONCE assigns") {
  for (const bool once : {false, true}) {
    TfliteModel m;
    const int32_t x = m.input("x", {2});
    const int32_t handle = m.add("handle", {}, TfliteType::RESOURCE);
    const int32_t before = m.add("before", {2});
    const int32_t y = m.output("y", {2});
    tflite::VarHandleOptionsT variable;
    variable.shared_name = "total";
    if (once) {
      tflite::CallOnceOptionsT call;
      call.init_subgraph = 1;
      m.node(TfliteOp::CALL_ONCE, {}, {}, call);
    }
    m.node(TfliteOp::VAR_HANDLE, {}, {handle}, variable);
    m.node(TfliteOp::READ_VARIABLE, {handle}, {before});
    m.node(TfliteOp::ADD, {before, x}, {y}, tflite::AddOptionsT());
    m.node(TfliteOp::ASSIGN_VARIABLE, {handle, y}, {});
    if (once) {
      m.add_graph();
      const int32_t same = m.add("handle", {}, TfliteType::RESOURCE);
      const int32_t initial = m.floats({2}, {10, 20});
      m.node(TfliteOp::VAR_HANDLE, {}, {same}, variable);
      m.node(TfliteOp::ASSIGN_VARIABLE, {same, initial}, {});
    }
    const Folder folder;
    Runner runner(m.write(folder));
    for (int round = 0; round < 2; ++round) {
      const float a = once ? 10 : 0, b = once ? 20 : 0;
      for (int i = 1; i <= 3; ++i) {
        const auto n = static_cast<float>(i);
        runner.set(0, {1, 2});
        runner.run();
        CHECK(runner.get(0) == Floats{a + n, b + 2 * n});
      }
      runner.reset();
    }
  }
}

TEST_CASE("a memory that is none is refused") {
  TfliteModel m;
  std::vector<int32_t> ids = {m.input("x", {1, 2}), m.floats({2, 2}, {1, 2, 3, 4}),
                              m.floats({2, 2}, {1, 2, 3, 4}), -1, m.add("s", {1, 4})};
  const int32_t y = m.output("y", {1, 2});
  tflite::SVDFOptionsT options;
  options.rank = 1;
  m.node(TfliteOp::SVDF, ids, {y}, options);
  const auto refusals = [&] {
    const Folder folder;
    return convert(m.write(folder)).refusals;
  };
  CHECK(refusals().at(0).text().find("nothing before makes it") != std::string::npos);
  m.tensor(ids.back()).is_variable = true;
  CHECK(refusals().empty());
  m.tensor(ids.back()).shape = {1, 5};
  CHECK(refusals().size() == 1);
}
