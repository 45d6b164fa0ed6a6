// SPDX-License-Identifier: Apache-2.0
#include "tools/quantize/quantize.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>

#include "tools/common/new_file.h"
#include "tools/ir/writer.h"
#include "tools/quantize/accuracy.h"
#include "tools/quantize/equalize.h"
#include "tools/quantize/integer_model.h"
#include "tools/quantize/narrow.h"
#include "tools/quantize/precision.h"
#include "tools/quantize/samples.h"
#include "tools/quantize/search.h"

namespace medulla::tools {
namespace {

constexpr const char* kMethodNames[] = {"search", "min-max", "percentile", "mse", "entropy"};
// More tell little about one layer, and take their time for each.
constexpr size_t kSamplesALayer = 16;
// dB: what an output keeps where nothing else is asked for. With a tenth of its power in noise it
// is of no use to anybody.
constexpr double kLeastSqnr = 10;

// As many of the samples as asked for, spread over all.
std::vector<Sample> spread(const std::vector<Sample>& samples, size_t most) {
  if (samples.size() <= most) return samples;
  std::vector<Sample> few;
  for (size_t i = 0; i < most; ++i) few.push_back(samples[i * samples.size() / most]);
  return few;
}

void require_float(const Model& model) {
  for (const Node& node : model.main().nodes) {
    if (node.op != "QuantizeLinear" && node.op != "DequantizeLinear") continue;
    throw std::runtime_error("the model is quantized already: node '" + node.name + "' is " +
                             node.op + "; convert takes it as it is, quantize wants float32");
  }
}

// A few of the layers that --keep may name.
std::string layer_names(const Graph& graph) {
  constexpr size_t kMost = 8;
  std::string names;
  size_t count = 0;
  for (const Node& node : graph.nodes) {
    if (!is_layer(graph, node) || ++count > kMost) continue;
    names += (names.empty() ? "'" : ", '") + node.name + "'";
  }
  if (count > kMost) names += " and " + std::to_string(count - kMost) + " more";
  return names.empty() ? "no layers" : names;
}

class Quantizer {
 public:
  Quantizer(const QuantizeOptions& options, QuantizeReport& report)
      : options_(options), report_(report) {}

  void run() {
    Model model = import_and_optimize(options_.convert, report_.convert);
    if (!report_.convert.refusals.empty()) return;
    require_float(model);
    if (options_.weights_alone) {
      store_weights(model);
    } else {
      quantize(model);
    }
  }

 private:
  void quantize(const Model& model) {
    if (!options_.budget && has_float_outputs(model.main())) least_sqnr_ = kLeastSqnr;
    if (options_.sqnr) least_sqnr_ = *options_.sqnr;
    ModelRun float32(model, ModelRun::Keep::outputs, true);
    const std::vector<Sample> samples = read_samples(float32.model(), options_.calibration);
    const std::vector<Sample> evaluation =
        options_.evaluation.empty() ? samples : read_samples(float32.model(), options_.evaluation);
    const Judge judge(float32, evaluation, options_.labels);
    report_.samples = samples.size();
    report_.evaluated = evaluation.size();
    report_.method = kMethodNames[static_cast<size_t>(options_.method)];
    report_.float32 = judge.float32();
    report_.bytes_float = float32.bytes();

    const std::vector<Sample> few = spread(samples, kSamplesALayer);
    const Judge few_judge(float32, few, "");
    const std::set<std::string> asked = asked_for(model);
    const auto plain = candidate(model, samples, few_judge, asked);
    auto chosen = plain;
    if (options_.equalize) {
      size_t tensors = 0;
      Model equal = equalized(model, plain->statistics, &tensors);
      const auto other = tensors == 0 ? nullptr : candidate(equal, samples, few_judge, asked);
      if (other != nullptr && other->sqnr > plain->sqnr) {
        chosen = other;
        report_.equalized = tensors;
      }
    }
    IntegerModel& integers = chosen->integers;
    if (options_.method == RangeMethod::search) {
      search_ranges(
          integers, chosen->statistics, asked,
          [&](const Model& tried) { return worth(tried, few_judge); },
          [&](size_t done, size_t of) { tell("searching ranges", done, of); });
    }
    const Model all = integers.make(asked);
    list_layers(chosen->model, chosen->statistics, integers);
    ModelRun integer_run(all, ModelRun::Keep::outputs, true);
    report_.int8 = judge.judge(integer_run);
    report_.result = report_.int8;
    measure_costs(float32, integer_run, evaluation[0]);
    measure_layers(few_judge, integers);
    write(integers.make(meet_bound(judge, integers, asked)), asked, judge);
  }

  // Without samples there are no ranges: every layer computes in float32.
  void store_weights(const Model& model) {
    const Model made = narrowed(model, options_.weights, asked_for(model), &report_.stored);
    report_.method = "none";
    report_.bytes_float = model_bytes(model).size();
    if (!options_.evaluation.empty()) {
      ModelRun float32(model);
      const std::vector<Sample> samples = read_samples(float32.model(), options_.evaluation);
      const Judge judge(float32, samples, options_.labels);
      report_.evaluated = samples.size();
      report_.float32 = judge.float32();
      ModelRun run(made);
      report_.result = judge.judge(run);
    }
    write(made);
  }

  // A model with ranges for its tensors, and what it is then worth.
  struct Candidate {
    Candidate(Model of, std::vector<Statistics> like, bool correct_bias)
        : model(std::move(of)),
          statistics(std::move(like)),
          integers(model, statistics, correct_bias) {}

    const Model model;
    const std::vector<Statistics> statistics;
    IntegerModel integers;
    double sqnr = 0;
  };

  static double worth(const Model& model, const Judge& judge) {
    ModelRun run(model);
    return judge.judge(run).sqnr;
  }

  std::shared_ptr<Candidate> candidate(const Model& model, const std::vector<Sample>& samples,
                                       const Judge& judge, const std::set<std::string>& kept) {
    const auto observed = [this](size_t done, size_t of) { tell("observing", done, of); };
    auto made = std::make_shared<Candidate>(model, observe(model, samples, observed),
                                            options_.correct_bias);
    IntegerModel& integers = made->integers;
    const bool later = options_.method == RangeMethod::search;
    integers.set_ranges(
        choose_ranges(made->statistics, later ? RangeMethod::mse : options_.method));
    made->sqnr = worth(integers.make(kept), judge);
    return made;
  }

  void tell(const std::string& stage, size_t done, size_t of) const {
    if (options_.progress) options_.progress(stage, done, of);
  }

  // The layers that are to stay in float32.
  std::set<std::string> asked_for(const Model& model) const {
    std::set<std::string> kept;
    for (const std::string& name : options_.float_layers) {
      const auto& nodes = model.main().nodes;
      if (std::none_of(nodes.begin(), nodes.end(), [&](const Node& n) { return n.name == name; })) {
        throw std::runtime_error("--keep " + name + ": no node has this name; there are " +
                                 layer_names(model.main()));
      }
      kept.insert(name);
    }
    return kept;
  }

  void list_layers(const Model& model, const std::vector<Statistics>& statistics,
                   const IntegerModel& integers) {
    const Graph& graph = model.main();
    for (const Node& node : graph.nodes) {
      if (!is_layer(graph, node)) continue;
      LayerReport layer;
      layer.name = node.name;
      layer.op = node.op;
      const auto formless = integers.formless().find(node.name);
      if (formless != integers.formless().end()) layer.reason = formless->second;
      const auto& asked = options_.float_layers;
      if (std::find(asked.begin(), asked.end(), node.name) != asked.end()) {
        layer.reason = "asked for";
      }
      describe_range(graph, node, statistics, integers, layer);
      const WeightLayout layout(graph, node);
      const size_t channels = layout.channels();
      layer.weights = graph.tensors[static_cast<size_t>(node.inputs[1])].elements();
      layer.bytes_float = 4 * (layer.weights + channels);
      layer.bytes_int8 = layer.weights + channels * (4 + 4 + 4 + 4 + 16);
      report_.layers.push_back(std::move(layer));
    }
  }

  // Of what the layer makes, an activation behind it included.
  void describe_range(const Graph& graph, const Node& node,
                      const std::vector<Statistics>& statistics, const IntegerModel& integers,
                      LayerReport& layer) {
    int32_t y = node.outputs[0];
    while (!integers.quantization(y)) {
      const std::vector<int32_t> readers = graph.consumers(y);
      if (readers.size() != 1) break;
      const Node& next = graph.nodes[static_cast<size_t>(readers[0])];
      if (next.op != "Relu" && next.op != "Clip") break;
      y = next.outputs[0];
    }
    const Statistics& s = statistics[static_cast<size_t>(y)];
    layer.low = s.low;
    layer.high = s.high;
    if (const auto& q = integers.quantization(y)) {
      const Range held = held_by(*q);
      layer.cut_low = held.low;
      layer.cut_high = held.high;
      layer.clipped = clipped_share(s, held);
    }
    constexpr size_t kShown = 64;
    layer.histogram.assign(kShown, 0);
    for (size_t b = 0; b < s.bins.size(); ++b) {
      layer.histogram[b * kShown / s.bins.size()] +=
          static_cast<double>(s.bins[b]) / static_cast<double>(std::max<uint64_t>(s.count, 1));
    }
  }

  // The least of some runs: what else the machine does only adds.
  void measure_costs(ModelRun& float32, ModelRun& integers, const Sample& sample) {
    constexpr int kRuns = 5;
    const auto least = [&](ModelRun& run) {
      std::map<std::string, ModelRun::Cost> costs;
      for (int i = 0; i < kRuns; ++i) {
        run.run(sample);
        for (const auto& [name, cost] : run.costs()) {
          const auto [found, added] = costs.emplace(name, cost);
          uint64_t& time = found->second.nanoseconds;
          time = std::min(time, cost.nanoseconds);
        }
      }
      return costs;
    };
    const auto before = least(float32), after = least(integers);
    for (LayerReport& layer : report_.layers) {
      const auto was = before.find(layer.name), is = after.find(layer.name);
      if (was != before.end()) {
        layer.macs = was->second.macs;
        layer.microseconds_float = static_cast<double>(was->second.nanoseconds) / 1000;
      }
      if (is != after.end()) {
        layer.microseconds_int8 = static_cast<double>(is->second.nanoseconds) / 1000;
      }
    }
  }

  // What each layer costs when all others stay in float32.
  void measure_layers(const Judge& judge, IntegerModel& integers) {
    std::set<std::string> all;
    for (const LayerReport& layer : report_.layers) all.insert(layer.name);
    for (size_t l = 0; l < report_.layers.size(); ++l) {
      LayerReport& layer = report_.layers[l];
      tell("measuring layers", l + 1, report_.layers.size());
      if (!layer.reason.empty()) continue;
      std::set<std::string> others = all;
      others.erase(layer.name);
      ModelRun alone(integers.make(others));
      layer.sqnr = judge.judge(alone).sqnr;
      layer.measured = true;
    }
  }

  bool meets(const Accuracy& accuracy) const {
    if (accuracy.sqnr < least_sqnr_) return false;
    return !options_.budget || *accuracy.top_1 >= *report_.float32.top_1 - *options_.budget - 1e-9;
  }

  std::set<std::string> meet_bound(const Judge& judge, IntegerModel& integers,
                                   const std::set<std::string>& asked) {
    std::vector<const LayerReport*> layers;
    for (const LayerReport& layer : report_.layers) {
      if (layer.measured) layers.push_back(&layer);
    }
    std::stable_sort(layers.begin(), layers.end(),
                     [](const auto* a, const auto* b) { return a->sqnr < b->sqnr; });
    std::vector<std::string> ranked;
    for (const LayerReport* layer : layers) ranked.push_back(layer->name);
    size_t tried = 0;
    const std::set<std::string> kept = fewest_kept(ranked, [&](const std::set<std::string>& some) {
      tell("choosing layers", ++tried, 0);
      if (some.empty()) return meets(report_.int8);
      std::set<std::string> whole = some;
      whole.insert(asked.begin(), asked.end());
      ModelRun run(integers.make(whole));
      return meets(judge.judge(run));
    });
    for (LayerReport& layer : report_.layers) {
      if (kept.count(layer.name) > 0) layer.reason = "needed for the bound";
    }
    std::set<std::string> whole = kept;
    whole.insert(asked.begin(), asked.end());
    return whole;
  }

  void write(const Model& model, const std::set<std::string>& asked, const Judge& judge) {
    for (const WeightForm form : {options_.weights, WeightForm::float32}) {
      const Model made = narrowed(model, form, asked, &report_.stored);
      ModelRun run(made);
      report_.result = judge.judge(run);
      report_.budget_met = meets(report_.result);
      if (report_.budget_met || form == WeightForm::float32) return write(made);
    }
  }

  void write(const Model& model) {
    const Bytes bytes = model_bytes(model);
    report_.bytes_result = bytes.size();
    report_.convert.nodes_after.clear();
    for (const Graph& graph : model.graphs) {
      for (const Node& node : graph.nodes) ++report_.convert.nodes_after[node.op];
    }
    write_model(bytes, options_.convert.output);
  }

  // An index or a class that comes out as another one may be as good, whatever its distance.
  static bool has_float_outputs(const Graph& graph) {
    return std::all_of(graph.outputs.begin(), graph.outputs.end(), [&](int32_t t) {
      return graph.tensors[static_cast<size_t>(t)].dtype == MDL_FLOAT32;
    });
  }

  const QuantizeOptions& options_;
  QuantizeReport& report_;
  double least_sqnr_ = -INFINITY;
};

}  // namespace

QuantizeReport quantize(const QuantizeOptions& options) {
  QuantizeReport report;
  try {
    Quantizer(options, report).run();
  } catch (const std::exception& why) {
    report.error = why.what();
  }
  return report;
}

extern "C" MDL_API void medulla_quantize(const QuantizeOptions* options, QuantizeReport* report) {
  *report = quantize(*options);
}

}  // namespace medulla::tools
