#pragma once

#include "engine/json_splitter.hpp"
#include "tallyman/engine/engine.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tallyman {

class Fields;

/// What went wrong with a pull, as the engine told it.
struct PullFailure {
  std::string text;
  long code = 0;  ///< HTTP status or errorDetail.code; 0: none
};

/// Reads the answer to POST /images/create: concatenated JSON objects of moby's
/// pkg/jsonmessage.JSONMessage. Errors come within the stream, after HTTP status 200.
class PullStream {
 public:
  explicit PullStream(const std::function<void(const PullProgress&)>& progress)
      : m_progress(progress) {}

  /// False: this is not such a stream; see broken().
  bool feed(std::string_view bytes);

  /// What is wrong with the stream itself; empty: nothing.
  [[nodiscard]] const std::string& broken() const { return m_broken; }
  [[nodiscard]] const std::optional<PullFailure>& failure() const { return m_failure; }
  /// Every object is whole, and the engine said that the pull is done. Podman has no last word: its
  /// last object is that of a layer or of the image, "Download complete".
  [[nodiscard]] bool complete(bool podman) const;
  [[nodiscard]] const std::string& digest() const { return m_digest; }  ///< "sha256:…", or empty
  [[nodiscard]] std::int64_t transferred() const { return m_reported.current; }

 private:
  bool read_object(std::string_view text);
  void read_status(const Fields& message);
  void read_layer(const Fields& message, const std::string& status);
  void report();

  const std::function<void(const PullProgress&)>& m_progress;
  JsonSplitter m_splitter;
  std::map<std::string, PullProgress> m_layers;  ///< by id
  PullProgress m_reported;
  std::string m_broken;
  std::optional<PullFailure> m_failure;
  std::string m_digest;
  bool m_done = false;         ///< "Status: …" was there
  bool m_layer_ended = false;  ///< by the last object
};

}  // namespace tallyman
