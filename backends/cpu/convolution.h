// SPDX-License-Identifier: Apache-2.0
// What a convolution node (Conv, QConv) says, as a kernel's geometry.
#ifndef MEDULLA_BACKENDS_CPU_CONVOLUTION_H_
#define MEDULLA_BACKENDS_CPU_CONVOLUTION_H_

#include "backends/cpu/lowering.h"
#include "kernels/conv.h"

namespace medulla::cpu {

// Kernel 1, stride 1, no padding, one group: a product of matrices.
bool is_pointwise(const NodeView& conv);

// One group a channel, one output channel each.
bool is_depthwise(const NodeView& conv);

// What does not depend on the shapes of activations: kernel, strides, dilations, padding, groups,
// channels. `pad` is a Pad node before the convolution, or null. UNSUPPORTED with the reason when
// the kernels cannot do it.
mdl_status read_convolution(const mdl_graph& graph, const mdl_node& conv, const mdl_node* pad,
                            ConvGeometry* geometry, mdl_error* error);

// Batch and pictures, from the shapes of the group's input and output, [N, L, C] or [N, H, W, C].
void set_pictures(const mdl_shape& input, const mdl_shape& output, ConvGeometry* geometry);

uint64_t convolution_macs(const ConvGeometry& geometry);

}  // namespace medulla::cpu

#endif  // MEDULLA_BACKENDS_CPU_CONVOLUTION_H_
