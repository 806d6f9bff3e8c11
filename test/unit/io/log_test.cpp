#include "tallyman/io/log.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "support/temp_folder.hpp"
#include "tallyman/io/fd.hpp"
#include "tallyman/model/time.hpp"

namespace tallyman {

using test::TempFolder;
using std::string_literals::operator""s;

namespace {

/// What comes out on stderr meanwhile.
std::string stderr_of(const std::function<void()>& work) {
  const TempFolder folder;
  const std::string path = folder.write("stderr", "");
  std::fflush(stderr);
  const Fd saved(::dup(STDERR_FILENO));
  const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  ::dup2(file.get(), STDERR_FILENO);
  work();
  std::fflush(stderr);
  ::dup2(saved.get(), STDERR_FILENO);
  return folder.read("stderr");
}

std::string logged(const Log::Options& options, const std::function<void(Log&)>& work) {
  return stderr_of([&] {
    Log log(options);
    work(log);
  });
}

void one_of_each(Log& log) {
  log.debug("d {}", 1);
  log.info("i {}", 2);
  log.warning("w {}", 3);
  log.error("e {}", 4);
}

}  // namespace

TEST_CASE("Log writes plain lines") {
  CHECK(logged({.level = LogLevel::debug}, one_of_each) ==
        "debug: d 1\ni 2\nwarning: w 3\nerror: e 4\n");
}

TEST_CASE("Log leaves out what is below its level") {
  CHECK(logged({.level = LogLevel::info}, one_of_each) == "i 2\nwarning: w 3\nerror: e 4\n");
  CHECK(logged({.level = LogLevel::error}, one_of_each) == "error: e 4\n");
  CHECK(logged({.level = LogLevel::off}, one_of_each) == "");
  CHECK(logged({.level = LogLevel::debug}, [](Log& log) { log.write(LogLevel::off, "x"); }) == "");
}

TEST_CASE("Log writes priorities for journald") {
  CHECK(logged({.level = LogLevel::debug, .journald = true}, one_of_each) ==
        "<7>d 1\n<6>i 2\n<4>w 3\n<3>e 4\n");
}

TEST_CASE("Log colours the level and nothing else") {
  CHECK(logged({.colour = true}, one_of_each) ==
        "i 2\n\x1b[1;33mwarning:\x1b[0m w 3\n\x1b[1;31merror:\x1b[0m e 4\n");
}

TEST_CASE("Log writes an Error with its remedy") {
  const auto both = [](Log& log) {
    log.error(Error{ErrorKind::io, "cannot read /x"});
    log.error(Error{ErrorKind::io, "cannot read /x", "chmod 644 /x"});
  };
  CHECK(logged({}, both) == "error: cannot read /x\nerror: cannot read /x: chmod 644 /x\n");
}

TEST_CASE("Log keeps a forged record within its line") {
  const auto forge = [](Log& log) { log.info("{}", "x\n<0>forged\r\x1b[2J"); };
  CHECK(logged({}, forge) == "x\\x0a<0>forged\\x0d\\x1b[2J\n");
  CHECK(logged({.journald = true}, forge) == "<6>x\\x0a<0>forged\\x0d\\x1b[2J\n");
}

TEST_CASE("Log writes JSON that holds whatever a message holds") {
  const std::string message = "say \"no\"\n\x1b[2J\x7f \xc3\xa4\xff"s;
  const std::string text =
      logged({.format = LogFormat::json}, [&](Log& log) { log.warning("{}", message); });
  REQUIRE(text.ends_with("}\n"));
  CHECK(text.find('\n') == text.size() - 1);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\x7f') == std::string::npos);
  const nlohmann::json record = nlohmann::json::parse(text, nullptr, false);
  REQUIRE(record.is_object());
  CHECK(record.size() == 3);
  CHECK(record.at("level") == "warning");
  CHECK(record.at("message") == "say \"no\"\n\x1b[2J\x7f \xc3\xa4\xef\xbf\xbd");
  CHECK(parse_rfc3339(record.at("time").get<std::string>()).has_value());
}

TEST_CASE("Log stays silent when stderr cannot be written") {
  const Fd saved(::dup(STDERR_FILENO));
  const Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  ::dup2(full.get(), STDERR_FILENO);
  Log log({});
  log.info("lost");
  ::dup2(saved.get(), STDERR_FILENO);
  std::clearerr(stderr);
  CHECK(logged({}, [](Log& other) { other.info("not lost"); }) == "not lost\n");
}

TEST_CASE("is_journal_stream compares device and inode") {
  const TempFolder folder;
  const Fd file(::open(folder.write("file", "").c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status{};
  REQUIRE(::fstat(file.get(), &status) == 0);
  const std::string right = fmt::format("{}:{}", status.st_dev, status.st_ino);
  CHECK(is_journal_stream(file.get(), right));
  CHECK_FALSE(
      is_journal_stream(file.get(), fmt::format("{}:{}", status.st_dev, status.st_ino + 1)));
  CHECK_FALSE(
      is_journal_stream(file.get(), fmt::format("{}:{}", status.st_dev + 1, status.st_ino)));
  for (const std::string& wrong :
       {""s, ":"s, "1"s, "a:b"s, right + "x", right + ":1", "-" + right}) {
    CAPTURE(wrong);
    CHECK_FALSE(is_journal_stream(file.get(), wrong));
  }
  CHECK_FALSE(is_journal_stream(-1, right));
}

TEST_CASE("a version is cut between characters") {
  CHECK(printable_version("") == "");
  CHECK(printable_version("v1.2.0-rc.1+build.4711.9") == "v1.2.0-rc.1+build.4711.9");
  CHECK(printable_version("v1.2.0-rc.1+build.4711.98") == "v1.2.0-rc.1+build.4711.9");
  const std::string many(21, 'a');
  CHECK(printable_version(many + "\xe2\x82\xac!") == many + "\xe2\x82\xac");
  CHECK(printable_version(many + "a\xe2\x82\xac") == many + "a");
  CHECK(printable_version("\x1b[31m") == "\\x1b[31m");
}

TEST_CASE("printable escapes control characters and what is not UTF-8") {
  CHECK(printable("") == "");
  CHECK(printable("caf\xc3\xa9 \xe2\x82\xac\t!") == "caf\xc3\xa9 \xe2\x82\xac\t!");
  CHECK(printable("a\nb\r\x1b[31m\x7f"s + "\0"s) == "a\\x0ab\\x0d\\x1b[31m\\x7f\\x00");
  CHECK(printable("\xc2\x9b"
                  "31m \xc2\xa0") == "\\xc2\\x9b31m \xc2\xa0");
  CHECK(printable("\xff\xc3(\xe2\x82") == "\\xff\\xc3(\\xe2\\x82");
}

}  // namespace tallyman
