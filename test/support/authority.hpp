#pragma once

#include <doctest/doctest.h>

#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "support/temp_folder.hpp"
#include "tallyman/io/process.hpp"

namespace tallyman::test {

/// A certificate authority, made by openssl: NAME.pem and NAME.key of all that it issued, and its
/// own ca.pem, are files of its folder.
class Authority {
 public:
  explicit Authority(const std::string& name = "Acme Root") {
    run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "30", "-subj", "/O=Acme/CN=" + name, "-keyout", "ca.key", "-out",
         "ca.pem"});
  }

  /// `since`: for one day from then; empty: for 30 days from now.
  void issue(const std::string& name, const std::string& subject_alt_name = "IP:127.0.0.1",
             const std::string& since = "") const {
    m_folder.write(name + ".ext", "subjectAltName=" + subject_alt_name);
    run({"openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-subj", "/CN=" + name, "-keyout", name + ".key", "-out", name + ".csr"});
    std::vector<std::string> sign = {
        "openssl",     "x509",        "-req",   "-in",    name + ".csr",
        "-CA",         "ca.pem",      "-CAkey", "ca.key", "-extfile",
        name + ".ext", "-set_serial", serial(), "-days",  since.empty() ? "30" : "1",
        "-out",        name + ".pem"};
    if (!since.empty()) {
      sign.insert(sign.begin(), {"faketime", since});
    }
    run(sign);
  }

  [[nodiscard]] std::string file(const std::string& name) const { return m_folder / name; }
  [[nodiscard]] std::string pem(const std::string& name) const { return m_folder.read(name); }
  [[nodiscard]] const TempFolder& folder() const { return m_folder; }

 private:
  void run(const std::vector<std::string>& words) const {
    const Result<Exit> made =
        PosixProcess().run({.argv = words,
                            .directory = m_folder.path(),
                            .environment = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}}});
    REQUIRE_MESSAGE((made && made->ok()), "apt-get install openssl faketime");
  }
  std::string serial() const { return std::to_string(++m_serial); }

  TempFolder m_folder;
  mutable int m_serial = 0;
};

/// test/support/tls_server.py, for as long as this lives.
class TlsServer {
 public:
  /// `client_ca`: a client certificate is wanted; `optional`: it need not be there.
  TlsServer(const Authority& authority, const std::string& name, const std::string& client_ca = "",
            bool optional = false) {
    const std::string port_file = m_folder / "port";
    const std::string command =
        std::string("exec " TALLYMAN_SOURCE_DIR "/test/support/tls_server.py ") +
        authority.file(name + ".pem") + " " + authority.file(name + ".key") + " " + client_ca +
        (optional ? " optional" : "") + " >" + port_file;
    m_process = ::popen(command.c_str(), "w");
    REQUIRE(m_process != nullptr);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!m_folder.read("port").ends_with('\n') && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    m_port = m_folder.read("port");
    REQUIRE_MESSAGE(m_port.ends_with('\n'), "apt-get install python3");
    m_port.pop_back();
  }
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  ~TlsServer() { ::pclose(m_process); }

  [[nodiscard]] std::string host() const { return "127.0.0.1:" + m_port; }
  [[nodiscard]] std::string url() const { return "https://" + host() + "/"; }

 private:
  TempFolder m_folder;
  std::FILE* m_process = nullptr;
  std::string m_port;
};

}  // namespace tallyman::test
