#pragma once

#include "tallyman/model/error.hpp"
#include "tallyman/model/host.hpp"
#include "tallyman/model/watch.hpp"

namespace tallyman {

/// The drop-in's [compose], completed from the labels of a container of the project: absolute
/// directory, files and env files. ErrorKind::config where a label or a file is missing.
[[nodiscard]] Result<ComposeSettings> project_settings(const Watch& watch,
                                                       const Container& container);

}  // namespace tallyman
