// SPDX-License-Identifier: Apache-2.0
// The lazy transposes of to_channels_last: a tensor of the old graph is a tensor of the new one and
// a permutation still to be done, old = Transpose(raw, perm). Operators that can work on raw do,
// and the permutation goes on to what reads them; permutations meet, and most of them cancel.
#ifndef MEDULLA_TOOLS_PASSES_LAYOUT_H_
#define MEDULLA_TOOLS_PASSES_LAYOUT_H_

#include <map>

#include "tools/passes/rewriter.h"

namespace medulla::tools {

using Symbols = std::vector<std::string>;

class Layout {
 public:
  explicit Layout(Rewriter& rewrite);

  int32_t raw(int32_t old) { return rewrite_.at(old); }
  const Dims& perm(int32_t old) const { return perms_[static_cast<size_t>(old)]; }
  bool pending(int32_t old) const { return old >= 0 && !is_identity(perm(old)); }
  void set(int32_t old, int32_t raw, Dims perm);
  void set_pending(int32_t old, Dims perm) { perms_[static_cast<size_t>(old)] = std::move(perm); }

  // A tensor of the new graph that holds `old` itself.
  int32_t plain(int32_t old) { return transposed(raw(old), perm(old)); }
  // One that `old` is the transpose of by `perm`.
  int32_t in_layout(int32_t old, const Dims& perm);

  // The node as it is, on plain inputs.
  void keep(const Node& node);
  // The node on given inputs, with other attributes; output o is the old one transposed so that
  // perms[o] is pending.
  void emit(const Node& node, std::vector<int32_t> inputs, Attributes attributes,
            const std::vector<Dims>& perms);

  // An old node that only gives its input another shape. Works on raw where runs of dimensions that
  // it splits or joins are whole in raw.
  void reshape(const Node& node);

  // How many transposes were asked for so far, of what is no constant; those that move only extents
  // of 1 count too.
  size_t transposes() const;

 private:
  // Transpose(tensor, perm) in the new graph: made once, above a DequantizeLinear, as a Reshape
  // where only extents of 1 move.
  int32_t transposed(int32_t tensor, const Dims& perm);
  // The same elements under another shape, taken from where they were first made. -1: more
  // extents vary than a Reshape can say.
  int32_t view(int32_t tensor, const Dims& dims, const Symbols& symbols);

  Rewriter& rewrite_;
  std::vector<Dims> perms_;
  std::map<std::pair<int32_t, Dims>, int32_t> made_;
  std::map<int32_t, int32_t> integers_;  // DequantizeLinear's output -> its input
  std::map<int32_t, int32_t> sources_;   // view -> what it shows
};

// A Reshape to these extents, with a symbol each or none at all. -1: more of them vary than an
// attribute can say.
int32_t reshaped(Builder& build, int32_t tensor, const Dims& wanted, const Symbols& symbols);

// compose(p, q): a transpose by p, then one by q.
Dims compose(const Dims& first, const Dims& second);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_PASSES_LAYOUT_H_
