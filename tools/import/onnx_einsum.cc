// SPDX-License-Identifier: Apache-2.0
// Einsum, written by diagonals, sums and products of matrices.
#include <algorithm>
#include <cctype>

#include "tools/import/onnx_ops.h"

namespace medulla::tools {
namespace {

// A letter, or one of the dimensions of an ellipsis: -1 for the last, -2 for the one before.
using Label = int;
using Labels = std::vector<Label>;

bool has(const Labels& labels, Label label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

struct Operand {
  int32_t tensor;
  Labels labels;

  int64_t axis(Label label) const {
    return std::find(labels.begin(), labels.end(), label) - labels.begin();
  }
};

// The labels of one term; its ellipsis stands for `hidden` dimensions.
Labels read_term(const std::string& term, int64_t hidden) {
  const size_t dots = term.find("...");
  Labels labels;
  for (size_t i = 0; i < term.size(); ++i) {
    if (i == dots) {
      for (int64_t h = hidden; h > 0; --h) labels.push_back(static_cast<Label>(-h));
      i += 2;
    } else if (std::isalpha(static_cast<unsigned char>(term[i])) != 0) {
      labels.push_back(term[i]);
    } else {
      refuse("'" + term + "' holds '" + term.substr(i, 1) + "', should be letters and one ellipsis",
             "", "equation");
    }
  }
  return labels;
}

class Einsum {
 public:
  explicit Einsum(OnnxNode& node) : node_(node), build_(node.build) {}

  int32_t run() {
    read_equation();
    Operand result = summed(diagonal(operands_[0]), 1);
    for (size_t i = 1; i < operands_.size(); ++i) {
      result = product(result, summed(diagonal(operands_[i]), i + 1, &result), i + 1);
    }
    result = summed(result, operands_.size());
    return build_.transpose(result.tensor, order(result, output_));
  }

 private:
  void read_equation() {
    std::string text = node_.string_or("equation", "");
    std::erase(text, ' ');
    const size_t arrow = text.find("->");
    const std::string left = text.substr(0, arrow);
    int64_t most_hidden = 0;
    std::map<Label, int> counts;
    for (size_t begin = 0; begin <= left.size();) {
      const size_t end = std::min(left.find(',', begin), left.size());
      add_operand(left.substr(begin, end - begin), &most_hidden);
      for (const Label label : operands_.back().labels) ++counts[label];
      begin = end + 1;
    }
    if (operands_.size() != node_.inputs.size()) {
      refuse("has " + std::to_string(operands_.size()) + " terms for " +
                 std::to_string(node_.inputs.size()) + " inputs",
             "", "equation");
    }
    if (arrow != std::string::npos) {
      output_ = read_term(text.substr(arrow + 2), most_hidden);
    } else {  // the hidden dimensions, then what stands once, by the alphabet
      output_ = read_term("...", most_hidden);
      for (const auto& [label, count] : counts) {
        if (label > 0 && count == 1) output_.push_back(label);
      }
    }
    for (const Label label : output_) {
      if (counts.count(label) > 0 && std::count(output_.begin(), output_.end(), label) == 1)
        continue;
      refuse("the output's labels should each stand in an input, and once", "", "equation");
    }
  }

  void add_operand(const std::string& term, int64_t* most_hidden) {
    if (operands_.size() == node_.inputs.size())
      refuse("has more terms than inputs", "", "equation");
    const int32_t tensor = node_.input(operands_.size());
    const bool ellipsis = term.find("...") != std::string::npos;
    const int64_t named = static_cast<int64_t>(term.size()) - (ellipsis ? 3 : 0);
    const int64_t hidden = build_.rank(tensor) - named;
    if (hidden < 0 || (hidden > 0 && !ellipsis)) {
      refuse("term '" + term + "' does not fit an input of rank " +
                 std::to_string(build_.rank(tensor)),
             "", "equation");
    }
    *most_hidden = std::max(*most_hidden, hidden);
    operands_.push_back({tensor, read_term(term, hidden)});
  }

  int64_t extent(const Operand& x, Label label) const {
    return build_.dims(x.tensor)[static_cast<size_t>(x.axis(label))];
  }

  // Of a label that stands twice only the equal indices: what is off the diagonal becomes 0, and
  // one of the axes is summed.
  Operand diagonal(Operand x) {
    for (size_t second = 1; second < x.labels.size(); ++second) {
      const auto first = static_cast<size_t>(x.axis(x.labels[second]));
      if (first == second) continue;
      node_.require_static(x.tensor, "a diagonal");
      const Dims& dims = build_.dims(x.tensor);
      const int64_t n = dims[first];
      if (dims[second] != n) refuse("a label stands for two extents", "", "equation");
      std::vector<uint8_t> mask;
      for (int64_t i = 0; i < n * n; ++i) mask.push_back(i / n == i % n);
      Dims mask_dims(dims.size(), 1);
      mask_dims[first] = mask_dims[second] = n;
      const int32_t on = build_.constant(MDL_BOOL, mask_dims, mask);
      x.tensor = build_.add("Where", {on, x.tensor, number_like(node_, x.tensor, 0)});
      x.tensor =
          build_.add("ReduceSum", {x.tensor},
                     {{"axes", Dims{static_cast<int64_t>(second)}}, {"keepdims", int64_t{0}}});
      x.labels.erase(x.labels.begin() + static_cast<std::ptrdiff_t>(second));
      --second;
    }
    return x;
  }

  // Whether the output, or an operand from `next` on, has the label.
  bool is_needed(Label label, size_t next) const {
    bool needed = has(output_, label);
    for (size_t i = next; i < operands_.size(); ++i) needed |= has(operands_[i].labels, label);
    return needed;
  }

  // Summed over what nothing else has.
  Operand summed(Operand x, size_t next, const Operand* other = nullptr) {
    Dims axes;
    Labels kept;
    for (size_t d = 0; d < x.labels.size(); ++d) {
      const bool needed =
          is_needed(x.labels[d], next) || (other != nullptr && has(other->labels, x.labels[d]));
      if (needed) {
        kept.push_back(x.labels[d]);
      } else {
        axes.push_back(static_cast<int64_t>(d));
      }
    }
    if (axes.empty()) return x;
    return {build_.add("ReduceSum", {x.tensor}, {{"axes", axes}, {"keepdims", int64_t{0}}}), kept};
  }

  static Dims order(const Operand& x, const Labels& labels) {
    Dims perm;
    for (const Label label : labels) perm.push_back(x.axis(label));
    return perm;
  }

  // x as [stack..., rows, columns], each of the last two several labels taken as one.
  int32_t matrix(const Operand& x, const Labels& stack, const Labels& rows, const Labels& columns) {
    Labels all = stack;
    all.insert(all.end(), rows.begin(), rows.end());
    all.insert(all.end(), columns.begin(), columns.end());
    int32_t y = build_.transpose(x.tensor, order(x, all));
    if (rows.size() == 1 && columns.size() == 1) return y;
    node_.require_static(y, "Einsum over several dimensions at once");
    Dims shape;
    for (const Label label : stack) shape.push_back(extent(x, label));
    for (const Labels* group : {&rows, &columns}) {
      int64_t count = 1;
      for (const Label label : *group) count *= extent(x, label);
      shape.push_back(count);
    }
    return build_.reshape(y, shape);
  }

  // A dimension of 1 stands for any other of its label.
  Operand widened(Operand x, const Operand& by, const Labels& labels) {
    Dims shape = build_.dims(x.tensor);
    for (const Label label : labels) shape[static_cast<size_t>(x.axis(label))] = extent(by, label);
    bool same = true;
    for (const Label label : labels) same &= extent(x, label) != 1 || extent(by, label) == 1;
    if (!same) {
      for (const Label label : labels) {
        if (extent(x, label) != 1) shape[static_cast<size_t>(x.axis(label))] = extent(x, label);
      }
      x.tensor = build_.add("Expand", {x.tensor}, {{"shape", shape}});
    }
    return x;
  }

  Operand product(Operand a, Operand b, size_t next) {
    Labels stack, sum, rows, columns;
    for (const Label label : a.labels) {
      if (!has(b.labels, label)) {
        rows.push_back(label);
      } else if (is_needed(label, next)) {
        stack.push_back(label);
      } else {
        sum.push_back(label);
      }
    }
    for (const Label label : b.labels) {
      if (!has(a.labels, label)) columns.push_back(label);
    }
    a = widened(a, b, sum);
    b = widened(b, a, sum);
    const int32_t y =
        build_.add("MatMul", {matrix(a, stack, rows, sum), matrix(b, stack, sum, columns)});
    Operand result = {y, stack};
    result.labels.insert(result.labels.end(), rows.begin(), rows.end());
    result.labels.insert(result.labels.end(), columns.begin(), columns.end());
    if (rows.size() == 1 && columns.size() == 1) return result;
    node_.require_static(y, "Einsum over several dimensions at once");
    Dims shape(build_.dims(y).begin(), build_.dims(y).end() - 2);
    for (const Label label : rows) shape.push_back(extent(a, label));
    for (const Label label : columns) shape.push_back(extent(b, label));
    result.tensor = build_.reshape(y, shape);
    return result;
  }

  OnnxNode& node_;
  Builder& build_;
  std::vector<Operand> operands_;
  Labels output_;
};

}  // namespace

std::vector<int32_t> convert_einsum(OnnxNode& node) { return {Einsum(node).run()}; }

}  // namespace medulla::tools
