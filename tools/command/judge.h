// SPDX-License-Identifier: Apache-2.0
// Which layer is at fault where roundings add up from layer to layer.
#ifndef MEDULLA_TOOLS_COMMAND_JUDGE_H_
#define MEDULLA_TOOLS_COMMAND_JUDGE_H_

#include <vector>

#include "src/model/model.h"
#include "tools/command/difference.h"

namespace medulla::tools {

// By how many dB the SQNR of a layer's result may be below the lowest of its inputs. 17 is the most
// that right conversions of published networks showed.
constexpr double kFall = 20;

// Integers that a tie puts one unit apart are several units apart a few layers on. A tensor that is
// over its bound is handed on, and not its layer's fault, where the noise of the inputs explains
// it. Only what quantised tensors add counts as such noise, for floats do not round so.
void judge(const mdl_graph& graph, std::vector<Difference>& compared);

}  // namespace medulla::tools

#endif  // MEDULLA_TOOLS_COMMAND_JUDGE_H_
