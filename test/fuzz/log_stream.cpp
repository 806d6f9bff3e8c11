#include "engine/log_stream.hpp"

#include <algorithm>

#include "fuzz/fuzz.hpp"

namespace tallyman {
namespace {

/// Frames of growing size.
std::string framed(std::string_view bytes) {
  std::string stream;
  for (std::size_t size = 1; !bytes.empty(); ++size) {
    const std::string_view piece = bytes.substr(0, size);
    stream += {
        static_cast<char>(1 + size % 2),       0, 0, 0, 0, 0, static_cast<char>(piece.size() >> 8U),
        static_cast<char>(piece.size() & 255U)};
    stream += piece;
    bytes.remove_prefix(piece.size());
  }
  return stream;
}

}  // namespace

FUZZ_TARGET(log_stream) {
  for (const std::size_t limit : {std::size_t{16}, std::size_t{64}, std::size_t{1} << 20U}) {
    LogFrames whole(limit);
    whole.add(input);
    HOLDS(whole.text().size() <= limit);
    LogFrames pieces(limit);
    for (std::size_t i = 0; i < input.size(); ++i) {
      pieces.add(input.substr(i, 1));
    }
    HOLDS(whole.text() == pieces.text());

    TextTail tail(limit);
    tail.add(input);
    const std::string kept = tail.text();
    HOLDS(kept.size() <= limit && input.ends_with(kept));
    HOLDS(input.size() > limit || kept == input);
    LogFrames back(limit);
    back.add(framed(input));
    HOLDS(back.text() == kept);
  }
}

}  // namespace tallyman
