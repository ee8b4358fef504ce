// SPDX-License-Identifier: Apache-2.0
#include "disa/features/FeatureVolume.h"

#include "core/Checksum.h"
#include "disa/core/Error.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#ifdef _WIN32
#  include <process.h>
#else
#  include <unistd.h>
#endif

namespace disa
{
namespace
{

/** The file: this header, the descriptors, the weights, the checksum of these; little-endian, nothing compressed. */
struct Header
{
  char          magic[8];
  std::uint32_t channels;
  std::uint32_t bytesPerChannel; ///< 1: int8, 4: float
  std::uint64_t size[3];
  double        origin[3];
  double        spacing[3];
  double        direction[9];
  float         scale;
  std::uint32_t network; ///< 0: not known
};
static_assert(sizeof(Header) == 168, "the header is written as it lies in memory");

constexpr char Magic[8] = { 'D', 'I', 'S', 'A', 'F', 'V', '0', '2' };
constexpr char MagicWithoutChecksum[8] = { 'D', 'I', 'S', 'A', 'F', 'V', '0', '1' };

/** Beyond this many cells along an axis the header is damage, not data. */
constexpr std::uint64_t MaximumSize = 1u << 16;

template <typename T, typename U>
void
CopyArray(const T & from, U & to)
{
  std::copy(std::begin(from), std::end(from), std::begin(to));
}

template <typename T>
std::uint32_t
ChecksumOf(const std::vector<T> & values, std::uint32_t sofar)
{
  return Checksum(values.data(), values.size() * sizeof(T), sofar);
}

/** Of all that a file has before it. */
std::uint32_t
ChecksumOf(const Header & header, const FeatureVolume::Descriptors & descriptors, const std::vector<float> & weights)
{
  const std::uint32_t first = Checksum(&header, sizeof(header));
  return ChecksumOf(weights,
                    std::visit([first](const auto & values) { return ChecksumOf(values, first); }, descriptors));
}

/** Where to write: a link leads to its end, and what is no regular file is not replaced. */
std::filesystem::path
Target(const std::string & fileName)
{
  std::error_code             none;
  const std::filesystem::path path = std::filesystem::weakly_canonical(fileName, none);
  if (std::filesystem::exists(path, none) && !std::filesystem::is_regular_file(path, none))
  {
    throw ImageError(fileName + ": is no regular file; give the name of one to write");
  }
  return path.empty() ? std::filesystem::path(fileName) : path;
}

template <typename T>
void
Write(std::ofstream & file, const std::vector<T> & values)
{
  file.write(reinterpret_cast<const char *>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(T)));
}

template <typename T>
std::vector<T>
Read(std::ifstream & file, std::size_t count)
{
  std::vector<T> values(count);
  file.read(reinterpret_cast<char *>(values.data()), static_cast<std::streamsize>(count * sizeof(T)));
  return values;
}

template <typename TValues>
bool
AllFinite(const TValues & values)
{
  return std::all_of(
    values.begin(), values.end(), [](auto value) { return std::isfinite(static_cast<double>(value)); });
}

void
CheckFrame(const Frame & frame)
{
  if (frame.NumberOfCells() == 0)
  {
    throw ImageError("feature volume: 1 cell or more is needed along every axis");
  }
  if (!AllFinite(frame.origin) || !AllFinite(frame.spacing) || !AllFinite(frame.direction))
  {
    throw ImageError("feature volume: origin, spacing and direction must be finite numbers");
  }
  if (!(frame.spacing[0] > 0 && frame.spacing[1] > 0 && frame.spacing[2] > 0))
  {
    throw ImageError("feature volume: spacing must be more than 0 mm along every axis");
  }
  const Matrix3 gram = Multiply(Transpose(frame.direction), frame.direction);
  for (int i = 0; i < 9; ++i)
  {
    if (std::abs(gram[i] - (i % 4 == 0 ? 1.0 : 0.0)) > 1e-3)
    {
      throw ImageError("feature volume: direction must be an orthonormal matrix (three unit axes at right angles)");
    }
  }
}

} // namespace

void
CheckComparable(const FeatureKind & fixed, const FeatureKind & moving)
{
  if (fixed.isQuantized != moving.isQuantized)
  {
    throw RegistrationError("fixed and moving features: one is int8 and the other float; quantise both or neither");
  }
  if (fixed.network != 0 && moving.network != 0 && fixed.network != moving.network)
  {
    char line[128];
    std::snprintf(line,
                  sizeof(line),
                  "fixed and moving features are of two networks (%08x and %08x); extract both with the same model",
                  static_cast<unsigned int>(fixed.network),
                  static_cast<unsigned int>(moving.network));
    throw RegistrationError(line);
  }
}

FeatureVolume::FeatureVolume(Frame              frame,
                             Descriptors        descriptors,
                             float              scale,
                             std::vector<float> weights,
                             std::uint32_t      network)
  : m_Frame(frame)
  , m_Descriptors(std::move(descriptors))
  , m_Scale(scale)
  , m_Weights(std::move(weights))
  , m_Network(network)
{
  CheckFrame(m_Frame);
  const std::size_t cells = m_Frame.NumberOfCells();
  const std::size_t values = std::visit([](const auto & v) { return v.size(); }, m_Descriptors);
  if (values != cells * Channels || m_Weights.size() != cells)
  {
    throw ImageError("feature volume: " + std::to_string(cells) + " cells need 16 channels and one weight each, got " +
                     std::to_string(values) + " channel values and " + std::to_string(m_Weights.size()) + " weights");
  }
  if (!(m_Scale > 0.0f) || !std::isfinite(m_Scale))
  {
    throw ImageError("feature volume: scale must be a finite number above 0");
  }
  const auto * floats = std::get_if<std::vector<float>>(&m_Descriptors);
  if (floats != nullptr && !AllFinite(*floats))
  {
    throw ImageError("feature volume: descriptors must be finite, found NaN or infinity");
  }
  const auto * steps = std::get_if<std::vector<std::int8_t>>(&m_Descriptors);
  if (steps != nullptr && std::find(steps->begin(), steps->end(), std::int8_t(-128)) != steps->end())
  {
    throw ImageError("feature volume: int8 descriptors must lie within -127 .. 127, found -128");
  }
  for (const float weight : m_Weights)
  {
    if (!(weight >= 0.0f) || !std::isfinite(weight))
    {
      throw ImageError("feature volume: weights must be finite and 0 or more");
    }
  }
}

FeatureVolume
FeatureVolume::Quantized() const
{
  const auto * values = std::get_if<std::vector<float>>(&m_Descriptors);
  if (values == nullptr)
  {
    return *this;
  }
  double largest = 1e-6;
  for (const float value : *values)
  {
    largest = std::max(largest, std::abs(double(value)));
  }
  const auto               step = static_cast<float>(largest / 127.0);
  std::vector<std::int8_t> quantized(values->size());
  std::transform(values->begin(),
                 values->end(),
                 quantized.begin(),
                 [step](float value) { return static_cast<std::int8_t>(std::lrint(value / step)); });
  return { m_Frame, std::move(quantized), m_Scale * step, m_Weights, m_Network };
}

void
FeatureVolume::Save(const std::string & fileName) const
{
  Header header{};
  std::memcpy(header.magic, Magic, sizeof(Magic));
  header.channels = Channels;
  header.bytesPerChannel = IsQuantized() ? 1 : 4;
  CopyArray(m_Frame.size, header.size);
  CopyArray(m_Frame.origin, header.origin);
  CopyArray(m_Frame.spacing, header.spacing);
  CopyArray(m_Frame.direction, header.direction);
  header.scale = m_Scale;
  header.network = m_Network;

  const std::uint32_t         checksum = ChecksumOf(header, m_Descriptors, m_Weights);
  const std::filesystem::path target = Target(fileName);
  const std::string           partial = target.string() + "." + std::to_string(getpid()) + ".part";
  {
    std::ofstream file(partial, std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char *>(&header), sizeof(header));
    std::visit([&file](const auto & values) { Write(file, values); }, m_Descriptors);
    Write(file, m_Weights);
    file.write(reinterpret_cast<const char *>(&checksum), sizeof(checksum));
    file.close();
    if (!file)
    {
      std::remove(partial.c_str());
      throw ImageError(fileName +
                       ": the feature volume could not be written; check that the folder exists and has room");
    }
  }
  std::error_code failure;
  std::filesystem::rename(partial, target, failure);
  if (failure)
  {
    std::remove(partial.c_str());
    throw ImageError(fileName + ": the feature volume could not be written under that name");
  }
}

FeatureVolume
FeatureVolume::Load(const std::string & fileName)
{
  std::error_code none;
  std::ifstream   file;
  if (std::filesystem::is_regular_file(fileName, none))
  {
    file.open(fileName, std::ios::binary);
  }
  if (!file.is_open())
  {
    throw ImageError(fileName + ": no such feature volume; give a file that FeatureVolume.save wrote");
  }
  Header header{};
  file.read(reinterpret_cast<char *>(&header), sizeof(header));
  if (file && std::memcmp(header.magic, MagicWithoutChecksum, sizeof(Magic)) == 0)
  {
    throw ImageError(fileName + ": a feature volume of an earlier version, without a checksum; extract it again");
  }
  const bool known = file && std::memcmp(header.magic, Magic, sizeof(Magic)) == 0 && header.channels == Channels &&
                     (header.bytesPerChannel == 1 || header.bytesPerChannel == 4);
  if (!known || header.size[0] > MaximumSize || header.size[1] > MaximumSize || header.size[2] > MaximumSize)
  {
    throw ImageError(fileName + ": not a DISA feature volume; give a file that FeatureVolume.save wrote");
  }
  Frame frame;
  CopyArray(header.size, frame.size);
  CopyArray(header.origin, frame.origin);
  CopyArray(header.spacing, frame.spacing);
  CopyArray(header.direction, frame.direction);

  const std::size_t    cells = frame.NumberOfCells();
  const std::size_t    bytes = cells * (Channels * header.bytesPerChannel + sizeof(float));
  const std::streamoff start = file.tellg();
  file.seekg(0, std::ios::end);
  if (static_cast<std::size_t>(file.tellg() - start) != bytes + sizeof(std::uint32_t))
  {
    throw ImageError(fileName + ": the feature volume is cut short or damaged; write it again");
  }
  file.seekg(start);
  Descriptors descriptors;
  if (header.bytesPerChannel == 1)
  {
    descriptors = Read<std::int8_t>(file, cells * Channels);
  }
  else
  {
    descriptors = Read<float>(file, cells * Channels);
  }
  std::vector<float> weights = Read<float>(file, cells);
  std::uint32_t      checksum = 0;
  file.read(reinterpret_cast<char *>(&checksum), sizeof(checksum));
  if (!file)
  {
    throw ImageError(fileName + ": the feature volume could not be read to its end");
  }
  if (checksum != ChecksumOf(header, descriptors, weights))
  {
    throw ImageError(fileName + ": the feature volume is damaged, its checksum is wrong; copy or write it again");
  }
  try
  {
    return { frame, std::move(descriptors), header.scale, std::move(weights), header.network };
  }
  catch (const ImageError & error)
  {
    throw ImageError(fileName + ": " + error.what());
  }
}

} // namespace disa
