#pragma once

#include "tallyman/model/drift.hpp"
#include "tallyman/model/error.hpp"
#include "tallyman/model/host.hpp"
#include "tallyman/model/watch.hpp"

namespace tallyman {

/// The drop-in's [compose], completed from the labels of a container of the project: absolute
/// directory, files and env files. ErrorKind::config where a label or a file is missing.
[[nodiscard]] Result<ComposeSettings> project_settings(const Watch& watch,
                                                       const Container& container);

/// What compose works on with these settings, which are complete: a hash of them, and its files as
/// they are on the disk. Of files that are not named those are looked at that compose finds by
/// itself; files that it includes are not known here.
[[nodiscard]] ModelInputs inputs_of(const ComposeSettings& compose);

}  // namespace tallyman
