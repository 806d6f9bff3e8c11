#include "../src/registry/address.hpp"

#include <doctest/doctest.h>

#include <string>

namespace tallyman {
namespace {

TEST_CASE("hosts are put into the class of their address") {
  struct Row {
    std::string host;
    bool loopback, link_local, private_range;
  };
  const Row rows[] = {
      {"127.0.0.1", true, false, false},
      {"127.255.0.9", true, false, false},
      {"0.0.0.0", true, false, false},
      {"[::1]", true, false, false},
      {"[::]", true, false, false},
      {"[::ffff:127.0.0.1]", true, false, false},
      {"localhost", true, false, false},
      {"x.localhost", true, false, false},
      {"notlocalhost", false, false, false},
      {"localhost.lan", false, false, false},
      {"169.254.169.254", false, true, false},
      {"[fe80::1]", false, true, false},
      {"10.1.2.3", false, false, true},
      {"172.16.0.1", false, false, true},
      {"172.31.255.255", false, false, true},
      {"172.32.0.1", false, false, false},
      {"192.168.0.1", false, false, true},
      {"192.169.0.1", false, false, false},
      {"100.64.0.1", false, false, true},
      {"[fd00::1]", false, false, true},
      {"[::ffff:10.0.0.1]", false, false, true},
      {"8.8.8.8", false, false, false},
      {"[2001:db8::1]", false, false, false},
      {"ghcr.io", false, false, false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.host);
    CHECK(is_loopback(row.host) == row.loopback);
    CHECK(is_link_local(row.host) == row.link_local);
    CHECK(is_private(row.host) == row.private_range);
  }
}

TEST_CASE("a CIDR holds the addresses that share its prefix") {
  struct Row {
    std::string cidr, address;
    bool inside;
  };
  const Row rows[] = {
      {"10.0.0.0/8", "10.255.0.1", true},
      {"10.0.0.0/8", "11.0.0.1", false},
      {"172.16.0.0/12", "172.31.0.1", true},
      {"172.16.0.0/12", "172.32.0.1", false},
      {"192.168.1.7/32", "192.168.1.7", true},
      {"192.168.1.7/32", "192.168.1.6", false},
      {"0.0.0.0/0", "1.2.3.4", true},
      {"0.0.0.0/0", "::1", false},
      {"::/0", "1.2.3.4", true},
      {"fd00::/8", "fdff::1", true},
      {"fd00::/8", "fe00::1", false},
      {"10.0.0.0/33", "10.0.0.0", false},
      {"10.0.0.0/-1", "10.0.0.0", false},
      {"10.0.0.0", "10.0.0.0", false},
      {"10.0.0.0/", "10.0.0.0", false},
      {"10.0.0.0/8x", "10.0.0.0", false},
      {"x/8", "10.0.0.0", false},
      {"::1/129", "::1", false},
      {"::1/128", "::1", true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.cidr);
    CAPTURE(row.address);
    CHECK(cidr_contains(row.cidr, *parse_address(row.address)) == row.inside);
  }
}

TEST_CASE("the engine's list holds a registry by name and port, or by its address") {
  const InsecureRegistries insecure{{"127.0.0.0/8", "172.21.0.0/16", "nonsense"},
                                    {"harbor.lan", "zot.lan:8080", "[fd00::7]:5000"}};
  struct Row {
    std::string domain;
    bool listed;
  };
  const Row rows[] = {
      {"harbor.lan", true},  {"harbor.lan:8080", false}, {"zot.lan:8080", true},
      {"zot.lan", false},    {"127.0.0.1:5000", true},   {"localhost:5000", true},
      {"localhost", true},   {"172.21.138.103", true},   {"172.21.138.103:80", true},
      {"172.22.0.1", false}, {"[fd00::7]:5000", true},   {"[fd00::7]", false},
      {"[::1]:5000", false}, {"ghcr.io", false},         {"harbor.lan.evil.io", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.domain);
    CHECK(is_listed(insecure, row.domain) == row.listed);
  }
  CHECK(is_listed({{"::1/128"}, {}}, "[::1]:5000"));
  CHECK(is_listed({{"::1/128"}, {}}, "[::1]"));
  CHECK(is_listed({{"::1/128"}, {}}, "localhost:1"));
  CHECK_FALSE(is_listed({}, "localhost:1"));
}

}  // namespace
}  // namespace tallyman
