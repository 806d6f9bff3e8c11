#include "config/checks.hpp"
#include "config/compose_section.hpp"
#include "config/health_section.hpp"
#include "config/script_sections.hpp"
#include "config/table_reader.hpp"
#include "tallyman/config/config.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tallyman {

namespace config {

namespace {

constexpr std::string_view k_smallest_forms =
    "it says nothing to watch: write image = \"HOST/NAME:TAG\", for every running container of "
    "that reference, or [compose] with directory = \"/srv/web\" and services = [\"web\"]; "
    "services = [\"*\"] takes all of the project, and never by default, because a project often "
    "holds its database too";

void read_image(TableReader& reader, Watch& watch) {
  const auto text = reader.text("image", "HOST/NAME:TAG");
  if (!text) {
    return;
  }
  auto reference = ImageReference::parse(text->text);
  if (reference) {
    watch.image = std::move(*reference);
  } else {
    reader.report(text->at, "image", message_of(reference.error()));
  }
}

void read_mode(TableReader& reader, Watch& watch) {
  const auto text = reader.text("mode", "auto");
  if (!text || text->text == "auto") {
    return;
  }
  if (text->text == "notify") {
    watch.mode = Mode::notify;
    return;
  }
  const auto near = nearest(text->text, {"auto", "notify"});
  reader.report(text->at, "mode",
                near.empty()
                    ? fmt::format("{} is no mode: \"auto\" deploys, \"notify\" only reports",
                                  quoted(text->text))
                    : fmt::format("{} is no mode; did you mean \"{}\"?", quoted(text->text), near));
}

void read_after(TableReader& reader, Watch& watch) {
  for (TextValue& name : without_duplicates(reader, "after", reader.texts("after"))) {
    if (!is_drop_in_name(name.text)) {
      reader.report(name.at, "after",
                    fmt::format("{} is no service's name: that is a file of conf.d, without .toml",
                                quoted(name.text)));
    } else if (name.text == watch.name) {
      reader.report(name.at, "after", fmt::format("{} cannot wait for itself", watch.name));
    }
    watch.after.push_back(std::move(name.text));
  }
}

/// Whether somebody tried to say what to watch: a slip of the pen is reported as such, and not as
/// nothing at all.
bool tries_to_watch(const TomlNode& root) {
  return std::ranges::any_of(root.children, [](const TomlNode& node) {
    if (node.key == "compose" && node.type == TomlType::table) {
      return std::ranges::any_of(node.children, [](const TomlNode& child) {
        return !nearest(child.key, {"image", "services"}).empty();
      });
    }
    return !nearest(node.key, {"image", "services", "compose", "redeploy"}).empty();
  });
}

void read_drop_in(const TomlNode& root, Watch& watch, ProblemList& problems) {
  const TomlSection section{ConfigFile::drop_in, "", ""};
  TableReader reader(root, section, problems);
  read_image(reader, watch);
  read_mode(reader, watch);
  watch.stable_checks =
      reader.integer("stable_checks", "2", 1, k_most_stable_checks).value_or(watch.stable_checks);
  read_after(reader, watch);
  if (const TomlNode* compose = reader.table("compose")) {
    watch.compose = read_compose(*compose, reader.has("image"), problems);
  }
  if (const TomlNode* health = reader.table("health")) {
    watch.health = read_health(*health, problems);
  }
  if (const TomlNode* rollback = reader.table("rollback")) {
    watch.rollback = read_rollback(*rollback, problems);
  }
  if (const TomlNode* redeploy = reader.table("redeploy")) {
    watch.redeploy = read_redeploy(*redeploy, reader.has("image"), reader.has("compose"), problems);
  }
  if (const TomlNode* hooks = reader.table("hooks")) {
    watch.hooks = read_hooks(*hooks, problems);
  }
  reader.finish();
  if (!tries_to_watch(root)) {
    problems.add({}, "", k_smallest_forms);
  }
}

}  // namespace

}  // namespace config

std::expected<Watch, std::vector<Problem>> parse_drop_in(std::string_view text,
                                                         const std::string& file) {
  config::ProblemList problems(file);
  Watch watch;
  const std::string_view stem = config::stem_of(file);
  watch.name = config::printable(stem);
  watch.file = file;
  if (!config::is_drop_in_name(stem)) {
    problems.add({}, "",
                 fmt::format("the file's name is the service's name, and {} is none: up to 63 "
                             "letters, digits, . _ and -, with a letter or digit first",
                             config::quoted(stem)));
  }
  if (const auto document = config::parse_toml(text)) {
    config::read_drop_in(*document, watch, problems);
  } else {
    problems.add(document.error().at, "", document.error().message);
  }
  if (!problems.empty()) {
    return std::unexpected(problems.take());
  }
  return watch;
}

}  // namespace tallyman
