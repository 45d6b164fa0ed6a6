// SPDX-License-Identifier: Apache-2.0
#ifndef MEDULLA_BENCH_LAYERS_H_
#define MEDULLA_BENCH_LAYERS_H_

#include "kernels/conv.h"

// Layers of ResNet-50, MobileNetV2 and V3, a U-Net, an X-ray and an ECG network.
namespace medulla::bench {

struct Layer {
  const char* name;
  size_t h, w, in, out, kernel_h, kernel_w, stride;
};

inline constexpr Layer kConvolutions[] = {
    {"resnet_conv1", 224, 224, 3, 64, 7, 7, 2}, {"resnet_2b", 56, 56, 64, 64, 3, 3, 1},
    {"resnet_3b", 28, 28, 128, 128, 3, 3, 1},   {"resnet_4b", 14, 14, 256, 256, 3, 3, 1},
    {"resnet_5b", 7, 7, 512, 512, 3, 3, 1},     {"mobilenet_conv1", 224, 224, 3, 32, 3, 3, 2},
    {"xray_conv1", 128, 128, 1, 16, 3, 3, 1},   {"unet_16", 128, 128, 16, 16, 3, 3, 1},
    {"unet_32", 64, 64, 32, 32, 3, 3, 1},       {"ecg_conv1", 1, 256, 1, 16, 1, 7, 1},
    {"ecg_conv2", 1, 128, 16, 32, 1, 5, 1}};

// Of pruned networks, each beside the next multiple of 16 channels.
inline constexpr Layer kPruned[] = {
    {"pruned_45", 28, 28, 45, 45, 3, 3, 1},    {"pruned_48", 28, 28, 48, 48, 3, 3, 1},
    {"pruned_90", 28, 28, 90, 90, 3, 3, 1},    {"pruned_96", 28, 28, 96, 96, 3, 3, 1},
    {"pruned_179", 14, 14, 179, 179, 3, 3, 1}, {"pruned_192", 14, 14, 192, 192, 3, 3, 1}};

inline constexpr Layer kDepthwise[] = {
    {"112x32", 112, 112, 32, 32, 3, 3, 1},   {"112x96_s2", 112, 112, 96, 96, 3, 3, 2},
    {"56x144", 56, 56, 144, 144, 3, 3, 1},   {"28x192", 28, 28, 192, 192, 3, 3, 1},
    {"14x576", 14, 14, 576, 576, 3, 3, 1},   {"7x960", 7, 7, 960, 960, 3, 3, 1},
    {"5_28x120", 28, 28, 120, 120, 5, 5, 1}, {"7_14x384", 14, 14, 384, 384, 7, 7, 1},
    {"1d_64", 1, 256, 64, 64, 1, 9, 1}};

// With the padding that keeps the size, but for the stride.
inline ConvGeometry geometry(const Layer& l, size_t groups) {
  ConvGeometry c;
  c.in_h = l.h;
  c.in_w = l.w;
  c.out_h = (l.h - 1) / l.stride + 1;
  c.out_w = (l.w - 1) / l.stride + 1;
  c.kernel_h = l.kernel_h;
  c.kernel_w = l.kernel_w;
  c.stride_h = l.stride;
  c.stride_w = l.stride;
  c.pad_top = l.kernel_h / 2;
  c.pad_left = l.kernel_w / 2;
  c.groups = groups;
  c.in_channels = l.in;
  c.out_channels = l.out;
  return c;
}

// 1x1 convolutions of ResNet-50 as products, and products of one row.
struct Product {
  size_t m, k, n;
};
inline constexpr Product kProducts[] = {{3136, 64, 256}, {784, 512, 128}, {196, 1024, 256},
                                        {49, 2048, 512}, {3136, 64, 64},  {196, 256, 1024},
                                        {1, 2048, 1000}, {1, 128, 128}};
// As kPruned.
inline constexpr Product kPrunedProducts[] = {{784, 45, 45}, {784, 48, 48},   {784, 90, 90},
                                              {784, 96, 96}, {784, 179, 179}, {784, 192, 192}};

}  // namespace medulla::bench

#endif  // MEDULLA_BENCH_LAYERS_H_
