// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "tests/catch.h"
#include "tests/ops/harness.h"

namespace medulla::test {
namespace {

using Doubles = std::vector<double>;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// ONNX's activations, by their formulas.
double activate(const std::string& name, double x, double alpha, double beta) {
  if (name == "Relu") return std::max(0.0, x);
  if (name == "Tanh") return std::tanh(x);
  if (name == "Sigmoid") return sigmoid(x);
  if (name == "Affine") return alpha * x + beta;
  if (name == "LeakyRelu") return x >= 0 ? x : alpha * x;
  if (name == "ThresholdedRelu") return x > alpha ? x : 0;
  if (name == "ScaledTanh") return alpha * std::tanh(beta * x);
  if (name == "HardSigmoid") return std::min(std::max(alpha * x + beta, 0.0), 1.0);
  if (name == "Elu") return x >= 0 ? x : alpha * (std::exp(x) - 1);
  if (name == "Softsign") return x / (1 + std::fabs(x));
  if (name == "Softplus") return std::log(1 + std::exp(x));
  throw std::invalid_argument(name);
}

struct Setup {
  bool lstm = true;
  int64_t time = 3, batch = 2, input = 3, hidden = 4;
  std::string direction = "forward";
  int64_t layout = 0;
  bool bias = true, lens = false, initial = false, peepholes = false;
  bool linear = false, input_forget = false;
  double clip = 0, cell_clip = 0;  // 0: none
  std::vector<const char*> activations;
  Doubles alphas, betas;

  int64_t directions() const { return direction == "bidirectional" ? 2 : 1; }
  int64_t gates() const { return lstm ? 4 : 3; }
};

struct Tensors {
  Value x, w, r, b, lens, h, c, p;
};

Tensors make(const Setup& s, Random& random) {
  const int64_t d = s.directions(), n = s.hidden;
  const auto dims = [&](std::vector<int64_t> time_major, size_t batch_at) {
    if (s.layout != 0) {
      const int64_t batch = time_major[batch_at];
      time_major.erase(time_major.begin() + static_cast<std::ptrdiff_t>(batch_at));
      time_major.insert(time_major.begin(), batch);
    }
    return time_major;
  };
  Tensors t;
  t.x = random_floats(random, dims({s.time, s.batch, s.input}, 1), -2, 2);
  t.w = random_floats(random, {d, s.gates() * n, s.input});
  t.r = random_floats(random, {d, s.gates() * n, n});
  if (s.bias) t.b = random_floats(random, {d, 2 * s.gates() * n});
  if (s.lens) {
    std::vector<int32_t> lens;
    for (int64_t b = 0; b < s.batch; ++b) {
      lens.push_back(random.integer(0, static_cast<int32_t>(s.time)));
    }
    t.lens = tensor({s.batch}, lens);
  }
  if (s.initial) t.h = random_floats(random, dims({d, s.batch, n}, 1));
  if (s.initial && s.lstm) t.c = random_floats(random, dims({d, s.batch, n}, 1));
  if (s.peepholes) t.p = random_floats(random, {d, 3 * n});
  return t;
}

Result run(const Setup& s, const Tensors& t) {
  Case c(s.lstm ? "LSTM" : "GRU");
  c.input(t.x).input(t.w).input(t.r).input(t.b).input(t.lens).input(t.h);
  if (s.lstm) c.input(t.c).input(t.p);
  c.set("hidden_size", s.hidden).set("direction", s.direction.c_str()).set("layout", s.layout);
  if (s.clip > 0) c.set("clip", s.clip);
  if (s.cell_clip > 0) c.set("cell_clip", s.cell_clip);
  if (s.lstm) c.set("input_forget", int{s.input_forget});
  if (!s.lstm) c.set("linear_before_reset", int{s.linear});
  if (!s.activations.empty()) c.set("activations", s.activations);
  if (!s.alphas.empty()) c.set("activation_alpha", s.alphas);
  if (!s.betas.empty()) c.set("activation_beta", s.betas);
  c.output().output();
  if (s.lstm) c.output();
  return c.run();
}

// The formulas of ONNX in binary64, on time-major copies of everything.
struct Naive {
  const Setup& s;
  std::vector<std::string> names;
  Doubles alphas, betas;   // one each activation
  std::vector<Doubles> y;  // [t * D + d][b * H + j], then h and c: [d][...]
  std::vector<Doubles> h, c;

  Naive(const Setup& setup, const Tensors& t) : s(setup) {
    const size_t per = s.lstm ? 3 : 2;
    size_t a = 0, b = 0;
    for (size_t i = 0; i < per * static_cast<size_t>(s.directions()); ++i) {
      names.push_back(!s.activations.empty() ? s.activations[i]
                      : i % per == 0         ? "Sigmoid"
                                             : "Tanh");
      static const std::map<std::string, std::pair<std::optional<double>, std::optional<double>>>
          kDefaults = {{"Affine", {1.0, 0.0}},      {"LeakyRelu", {0.01, {}}},
                       {"ScaledTanh", {1.0, 1.0}},  {"ThresholdedRelu", {1.0, {}}},
                       {"HardSigmoid", {0.2, 0.5}}, {"Elu", {1.0, {}}}};
      const auto found = kDefaults.find(names.back());
      double alpha = 0, beta = 0;
      if (found != kDefaults.end()) {
        alpha = a < s.alphas.size() ? s.alphas[a++] : *found->second.first;
        if (found->second.second) beta = b < s.betas.size() ? s.betas[b++] : *found->second.second;
      }
      alphas.push_back(alpha);
      betas.push_back(beta);
    }
    for (int64_t d = 0; d < s.directions(); ++d) walk(t, d);
  }

  double act(int64_t d, size_t i, double x) const {
    if (s.clip > 0) x = std::min(std::max(x, -s.clip), s.clip);
    return plain(d, i, x);
  }
  double plain(int64_t d, size_t i, double x) const {
    i += static_cast<size_t>(d) * (s.lstm ? 3 : 2);
    return activate(names[i], x, alphas[i], betas[i]);
  }

  void walk(const Tensors& t, int64_t d) {
    const int64_t n = s.hidden, m = s.input, g = s.gates();
    const auto x = t.x.as<float>(), w = t.w.as<float>(), r = t.r.as<float>(), b = t.b.as<float>(),
               h0 = t.h.as<float>(), c0 = t.c.as<float>(), p = t.p.as<float>();
    const auto lens = t.lens.as<int32_t>();
    const auto at = [](const std::vector<float>& v, int64_t i) -> double {
      return v.empty() ? 0 : static_cast<double>(v[static_cast<size_t>(i)]);
    };
    y.resize(static_cast<size_t>(s.time * s.directions()),
             Doubles(static_cast<size_t>(s.batch * n)));
    h.emplace_back(static_cast<size_t>(s.batch * n));
    c.emplace_back(static_cast<size_t>(s.batch * n));
    for (int64_t e = 0; e < s.batch; ++e) {
      Doubles hs, cs;
      for (int64_t j = 0; j < n; ++j) {
        const int64_t i = (s.layout ? e * s.directions() + d : d * s.batch + e) * n + j;
        hs.push_back(at(h0, i));
        cs.push_back(at(c0, i));
      }
      const int64_t length = lens.empty() ? s.time : lens[static_cast<size_t>(e)];
      const bool back = s.direction == "reverse" || d == 1;
      for (int64_t i = 0; i < length; ++i) {
        const int64_t step = back ? length - 1 - i : i;
        const auto product = [&](int64_t gate, int64_t j, const Doubles* state, bool with_x) {
          const int64_t row = d * g * n + gate * n + j;
          double sum = 0;
          for (int64_t k = 0; with_x && k < m; ++k) {
            sum += at(x, (s.layout ? e * s.time + step : step * s.batch + e) * m + k) *
                   at(w, row * m + k);
          }
          if (with_x) sum += at(b, d * 2 * g * n + gate * n + j);
          for (int64_t k = 0; state != nullptr && k < n; ++k) {
            sum += (*state)[static_cast<size_t>(k)] * at(r, row * n + k);
          }
          if (state != nullptr) sum += at(b, d * 2 * g * n + (g + gate) * n + j);
          return sum;
        };
        Doubles next_h, next_c, reset;
        for (int64_t j = 0; !s.lstm && j < n; ++j) {
          reset.push_back(act(d, 0, product(1, j, &hs, true)) * hs[static_cast<size_t>(j)]);
        }
        for (int64_t j = 0; j < n; ++j) {
          const auto u = static_cast<size_t>(j);
          if (s.lstm) {
            const auto peep = [&](int64_t q, double cell) {
              return at(p, d * 3 * n + q * n + j) * cell;
            };
            const double in = act(d, 0, product(0, j, &hs, true) + peep(0, cs[u]));
            const double forget =
                s.input_forget ? 1 - in : act(d, 0, product(2, j, &hs, true) + peep(2, cs[u]));
            const double limit = s.cell_clip > 0 ? s.cell_clip : HUGE_VAL;
            next_c.push_back(std::clamp(forget * cs[u] + in * act(d, 1, product(3, j, &hs, true)),
                                        -limit, limit));
            const double out = act(d, 0, product(1, j, &hs, true) + peep(1, next_c[u]));
            next_h.push_back(out * plain(d, 2, next_c[u]));
          } else {
            const double z = act(d, 0, product(0, j, &hs, true));
            const double rt = act(d, 0, product(1, j, &hs, true));
            const double hidden =
                act(d, 1,
                    s.linear ? product(2, j, nullptr, true) + rt * product(2, j, &hs, false)
                             : product(2, j, &reset, true));
            next_h.push_back((1 - z) * hidden + z * hs[u]);
          }
        }
        hs = next_h;
        if (s.lstm) cs = next_c;
        std::copy(hs.begin(), hs.end(),
                  y[static_cast<size_t>(step * s.directions() + d)].begin() + e * n);
      }
      std::copy(hs.begin(), hs.end(), h.back().begin() + e * n);
      std::copy(cs.begin(), cs.end(), c.back().begin() + e * n);
    }
  }
};

void compare(const Setup& s, const Tensors& t) {
  const Result result = run(s, t);
  INFO(result.text);
  REQUIRE(result.status == MDL_OK);
  const Naive naive(s, t);
  const int64_t n = s.hidden;
  const auto close = [](float actual, double expected) {
    INFO("is " << actual << ", should be " << expected);
    REQUIRE(std::fabs(static_cast<double>(actual) - expected) <= 1e-5 * (1 + std::fabs(expected)));
  };
  for (int64_t d = 0; d < s.directions(); ++d) {
    for (int64_t e = 0; e < s.batch; ++e) {
      for (int64_t j = 0; j < n; ++j) {
        const auto from = static_cast<size_t>(e * n + j);
        for (int64_t i = 0; i < s.time; ++i) {
          const int64_t at = s.layout ? ((e * s.time + i) * s.directions() + d) * n + j
                                      : ((i * s.directions() + d) * s.batch + e) * n + j;
          close(result.values(0)[static_cast<size_t>(at)],
                naive.y[static_cast<size_t>(i * s.directions() + d)][from]);
        }
        const int64_t at = (s.layout ? e * s.directions() + d : d * s.batch + e) * n + j;
        close(result.values(1)[static_cast<size_t>(at)], naive.h[static_cast<size_t>(d)][from]);
        if (s.lstm) {
          close(result.values(2)[static_cast<size_t>(at)], naive.c[static_cast<size_t>(d)][from]);
        }
      }
    }
  }
}

TEST_CASE("LSTM and GRU agree with ONNX's formulas in binary64, under all options") {
  const uint64_t seed = 10;
  Random random(seed);
  constexpr const char* kDirections[] = {"forward", "reverse", "bidirectional"};
  for (int round = 0; round < 300; ++round) {
    Setup s;
    s.lstm = round % 2 == 0;
    s.time = random.integer(1, 5);
    s.batch = random.integer(1, 3);
    s.input = random.integer(1, 5);
    s.hidden = random.integer(1, 6);
    s.direction = kDirections[random.integer(0, 2)];
    s.layout = random.integer(0, 1);
    s.bias = !random.one_in(4);
    s.lens = random.one_in(2);
    s.initial = random.one_in(2);
    s.peepholes = s.lstm && random.one_in(2);
    s.linear = random.one_in(2);
    s.input_forget = random.one_in(3);
    s.clip = random.one_in(3) ? 0.5 : 0;
    s.cell_clip = s.lstm && random.one_in(3) ? 0.25 : 0;
    CAPTURE(seed, round, s.lstm, s.time, s.batch, s.input, s.hidden, s.direction, s.layout, s.bias,
            s.lens, s.initial, s.peepholes, s.linear, s.input_forget, s.clip, s.cell_clip);
    compare(s, make(s, random));
  }
}

TEST_CASE("LSTM and GRU with every activation") {
  const uint64_t seed = 11;
  Random random(seed);
  constexpr const char* kNames[] = {
      "Relu",       "Tanh",        "Sigmoid", "Affine",   "LeakyRelu", "ThresholdedRelu",
      "ScaledTanh", "HardSigmoid", "Elu",     "Softsign", "Softplus"};
  for (int round = 0; round < 200; ++round) {
    Setup s;
    s.lstm = round % 2 == 0;
    s.time = 2;
    s.direction = random.one_in(2) ? "bidirectional" : "forward";
    for (int64_t i = 0; i < (s.lstm ? 3 : 2) * s.directions(); ++i) {
      s.activations.push_back(kNames[random.integer(0, 10)]);
    }
    for (int i = random.integer(0, 6); i > 0; --i) s.alphas.push_back(random.integer(1, 8) / 8.0);
    for (int i = random.integer(0, 6); i > 0; --i) s.betas.push_back(random.integer(1, 8) / 8.0);
    CAPTURE(seed, round, s.lstm, s.activations, s.alphas, s.betas);
    compare(s, make(s, random));
  }
}

TEST_CASE("A GRU of one unit by hand") {
  // z = sigmoid(0) = 1/2, r = 1/2; h~ = tanh(1 * 2 + ...): with R = 0 only x counts.
  const Result r = Case("GRU")
                       .input(tensor<float>({1, 1, 1}, {2}))
                       .input(tensor<float>({1, 3, 1}, {0, 0, 1}))
                       .input(tensor<float>({1, 3, 1}, {0, 0, 0}))
                       .no_input()
                       .no_input()
                       .input(tensor<float>({1, 1, 1}, {4}))
                       .run();
  REQUIRE(r.status == MDL_OK);
  CHECK(r.dims() == std::vector<int64_t>{1, 1, 1, 1});
  CHECK(r.values()[0] == Approx(0.5 * std::tanh(2.0) + 0.5 * 4));
}

TEST_CASE("Outputs of LSTM may be left out, and MACs are counted") {
  Setup s;
  Random random(12);
  const Tensors t = make(s, random);
  const Result all = run(s, t);
  Case c("LSTM");
  c.input(t.x).input(t.w).input(t.r).input(t.b).no_output().no_output().output();
  const Result last = c.run();
  REQUIRE(last.status == MDL_OK);
  CHECK(last.values(2) == all.values(2));
  CHECK(c.macs() == 3 * 2 * 16 * (3 + 4));
}

TEST_CASE("A state may be carried from one call to the next") {
  Setup s;
  s.batch = 1;
  s.lstm = false;
  s.initial = true;
  Random random(13);
  const Tensors t = make(s, random);
  const Result whole = run(s, t);
  Tensors part = t;
  Setup one = s;
  one.time = 1;
  for (int64_t i = 0; i < s.time; ++i) {
    const std::vector<float> x = t.x.as<float>();
    part.x = tensor<float>({1, 1, 3}, {x.begin() + i * 3, x.begin() + (i + 1) * 3});
    part.h = run(one, part).outputs[1];
  }
  CHECK(part.h.bytes == whole.outputs[1].bytes);
}

TEST_CASE("LSTM and GRU say what they refuse") {
  Setup s;
  Random random(14);
  const Tensors good = make(s, random);
  const auto with = [&](auto change) {
    Setup setup = s;
    Tensors t = good;
    change(setup, t);
    return run(setup, t);
  };
  CHECK(with([](Setup& u, Tensors&) { u.direction = "sideways"; }).says("direction is 'sideways'"));
  CHECK(with([](Setup& u, Tensors&) { u.layout = 2; }).says("layout is 2, should be 0 or 1"));
  CHECK(with([](Setup& u, Tensors&) {
          u.hidden = 5;
        }).says("hidden_size is 5, input 2 [1,16,4] has 4"));
  CHECK(with([](Setup& u, Tensors&) { u.activations = {"Tanh"}; }).says("should have 3"));
  const Result unknown = with([](Setup& u, Tensors&) { u.activations = {"Tanh", "Tanh", "tanh"}; });
  CHECK(unknown.status == MDL_ERROR_UNSUPPORTED);
  CHECK(unknown.says("activation 'tanh'"));
  CHECK(with([](Setup& u, Tensors&) { u.alphas = {0.1}; }).says("activation_alpha[0] is 0.1"));
  CHECK(with([](Setup&, Tensors& t) {
          t.w = counted<float>({1, 16, 2});
        }).says("input 1 is [1,16,2], should be [1,16,3]"));
  CHECK(with([](Setup&, Tensors& t) { t.x = counted<float>({3, 2}); }).says("should have rank 3"));
  CHECK(with([](Setup&, Tensors& t) { t.b = counted<float>({1, 16}); }).says("input 3 is [1,16]"));
  CHECK(with([](Setup&, Tensors& t) {
          t.lens = counted<int64_t>({2});
        }).says("input 4 is int64, should be int32"));
  CHECK(with([](Setup&, Tensors& t) { t.p = counted<float>({1, 4}); }).says("input 7 is [1,4]"));
  const Result length = with([](Setup&, Tensors& t) { t.lens = tensor<int32_t>({2}, {3, 4}); });
  CHECK(length.status == MDL_ERROR_INVALID_ARGUMENT);
  CHECK(length.says("sequence_lens[1] is 4, should be from 0 to 3"));
  CHECK(Case("LSTM")
            .input(good.x)
            .input(good.w)
            .input(good.r)
            .set("clip", -1.0)
            .run()
            .says("clip is -1, should not be negative"));
  CHECK(Case("LSTM")
            .input(good.x)
            .input(good.w)
            .input(good.r)
            .set("cell_clip", -1.0)
            .run()
            .says("cell_clip is -1, should not be negative"));
}

}  // namespace
}  // namespace medulla::test
