// SPDX-License-Identifier: Apache-2.0
// TensorFlow Lite Micro's keyword example with the spectrogram it is fed: 49 slices of 40 mel
// channels, after noise suppression, gain control and a logarithm, here in binary64.
#include <cmath>
#include <numbers>

#include "tests/convert/runner.h"
#include "tools/common/array.h"

using namespace medulla::tools;

namespace {

constexpr size_t kSlices = 49, kChannels = 40, kWindow = 480, kStep = 320, kBins = 512;
constexpr double kRate = 16000;

double mel(double hertz) { return 1127 * std::log(1 + hertz / 700); }

// 16-bit samples behind a header of 44 bytes.
std::vector<double> read_wav(const std::string& path) {
  constexpr size_t kHeader = 44;
  const std::vector<std::byte> bytes = read_bytes(path);
  std::vector<int16_t> samples((bytes.size() - kHeader) / sizeof(int16_t));
  std::memcpy(samples.data(), bytes.data() + kHeader, samples.size() * sizeof(int16_t));
  return {samples.begin(), samples.end()};
}

// Root of the energy that each triangle of the mel scale holds, of one windowed slice.
std::vector<double> filterbank(const double* samples) {
  const double low = mel(125), step = (mel(7500) - low) / (kChannels + 1);
  std::vector<double> energy(kChannels + 2);
  for (size_t k = 1; k <= kBins / 2; ++k) {
    const double place = (mel(static_cast<double>(k) * kRate / kBins) - low) / step;
    if (place < 0 || place >= kChannels + 1) continue;
    double re = 0, im = 0;
    for (size_t i = 0; i < kWindow; ++i) {
      const double at = static_cast<double>(i);
      const double hann = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * (at + 0.5) / kWindow);
      const double angle = 2 * std::numbers::pi * static_cast<double>(i * k % kBins) / kBins;
      re += samples[i] * hann * std::cos(angle);
      im -= samples[i] * hann * std::sin(angle);
    }
    const double share = place - std::floor(place);
    const auto channel = static_cast<size_t>(place);
    const double power = (re * re + im * im) / (double{kBins} * kBins);
    energy[channel] += (1 - share) * power;
    energy[channel + 1] += share * power;
  }
  std::vector<double> roots;
  for (size_t c = 1; c <= kChannels; ++c) roots.push_back(64 * std::sqrt(energy[c]));
  return roots;
}

std::vector<int8_t> features(const std::vector<double>& samples) {
  std::vector<double> noise(kChannels);
  std::vector<int8_t> result;
  for (size_t t = 0; t < kSlices; ++t) {
    const std::vector<double> signal = filterbank(&samples[t * kStep]);
    for (size_t c = 0; c < kChannels; ++c) {
      const double share = c % 2 == 0 ? 0.025 : 0.06;
      noise[c] += share * (signal[c] - noise[c]);
      const double clean = std::max(signal[c] - std::min(noise[c], signal[c]), 0.05 * signal[c]);
      const double ratio = 8 * clean * std::pow(8 * noise[c] + 80, -0.95);
      const double loud = 8 * std::floor(ratio < 2 ? 16 * ratio * ratio : 64 * (ratio - 1));
      const double level = loud > 1 ? std::round(64 * std::log(loud)) : 0;
      result.push_back(static_cast<int8_t>(
          std::clamp(std::floor((256 * level + 333) / 666) - 128, -128.0, 127.0)));
    }
  }
  return result;
}

}  // namespace

TEST_CASE("yes and no are told apart", "[slow]") {
  if (absent("data/tflm")) return;
  Runner runner(from(shared("data/tflm/micro_speech_quantized.tflite")));
  enum : size_t { kSilence, kUnknown, kYes, kNo };
  const std::pair<const char*, size_t> words[] = {
      {"silence", kSilence}, {"yes", kYes}, {"no", kNo}};
  for (const auto& [word, label] : words) {
    CAPTURE(word);
    const auto x = features(read_wav(shared("data/tflm/" + std::string(word) + "_1000ms.wav")));
    runner.set_bytes(0, x.data(), x.size());
    runner.run();
    const auto y = runner.get(0);
    std::printf("micro speech: %s %.2f\n", word, static_cast<double>(y[label]));
    CHECK(*std::max_element(y.begin(), y.end()) == y[label]);
    if (label != kSilence) CHECK(y[label] >= 0.9f);
  }
}
