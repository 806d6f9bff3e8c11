#pragma once

#include <string_view>

// What a real Docker Engine 26.1.5 (API 1.45) with the containerd image store answered, recorded on
// Debian. Only the host name of the registry was put in place, and parts that say nothing here were
// left out. The tag shop/web:stable was moved from an index to another manifest while "web" ran.

namespace tallyman::test {

inline constexpr std::string_view k_containerd26_containers =
    R"json([{"Id":"2ebb2379f7b0511497fc4b4345417da5cfed18e74d2a933de670d7465338af96",)json"
    R"json("Names":["/new"],"Image":"harbor.lan/shop/web:stable",)json"
    R"json("ImageID":"sha256:cc5d72b444d7c809504c829c789789865729b4b7be9230773faad646d25a0910)json"
    R"json(","Command":"/bin/httpd -f -p 80 -h /www","Created":1795377930,"Ports":[],)json"
    R"json("Labels":{"org.opencontainers.image.version":"v2.0.0"},"State":"running",)json"
    R"json("Status":"Up Less than a second (health: starting)",)json"
    R"json("HostConfig":{"NetworkMode":"none"},)json"
    R"json("NetworkSettings":{"Networks":{"none":{"IPAMConfig":null,"Links":null}}},)json"
    R"json("Mounts":[]},{"Id":"21c6cef64c05b2ca2fa10595d005087815e0a153ff2834fd5ea4db9d03fba2)json"
    R"json(ca","Names":["/gone"],)json"
    R"json("Image":"sha256:38cdf0d6b09acc5b2e2bdb010fc38cac261fd2f3d50dfd27f70c61ab74e73ec6",)json"
    R"json("ImageID":"sha256:38cdf0d6b09acc5b2e2bdb010fc38cac261fd2f3d50dfd27f70c61ab74e73ec6)json"
    R"json(","Command":"/bin/false","Created":1795377928,"Ports":[],)json"
    R"json("Labels":{"org.opencontainers.image.version":"v1.0.0"},"State":"exited",)json"
    R"json("Status":"Exited (1) 1 second ago","HostConfig":{"NetworkMode":"none"},)json"
    R"json("NetworkSettings":{"Networks":{"none":{"IPAMConfig":null,"Links":null}}},)json"
    R"json("Mounts":[]},{"Id":"afcc7316f655f9bfcbcf7e1abe33d173efa75305d10c8ea5261e716ac5a7fc)json"
    R"json(71","Names":["/neverstarted"],)json"
    R"json("Image":"sha256:38cdf0d6b09acc5b2e2bdb010fc38cac261fd2f3d50dfd27f70c61ab74e73ec6",)json"
    R"json("ImageID":"sha256:38cdf0d6b09acc5b2e2bdb010fc38cac261fd2f3d50dfd27f70c61ab74e73ec6)json"
    R"json(","Command":"/bin/httpd -f -p 80 -h /www","Created":1795377928,"Ports":[],)json"
    R"json("Labels":{"org.opencontainers.image.version":"v1.0.0"},"State":"created",)json"
    R"json("Status":"Created","HostConfig":{"NetworkMode":"none"},)json"
    R"json("NetworkSettings":{"Networks":{"none":{"IPAMConfig":null,"Links":null}}},)json"
    R"json("Mounts":[]},{"Id":"e3d74e0805c5619583d2f5db6a332270f374fa155b1141286c09480d08689f)json"
    R"json(1c","Names":["/web"],)json"
    R"json("Image":"sha256:38cdf0d6b09acc5b2e2bdb010fc38cac261fd2f3d50dfd27f70c61ab74e73ec6",)json"
    R"json("ImageID":"sha256:38cdf0d6b09acc5b2e2bdb010fc38cac261fd2f3d50dfd27f70c61ab74e73ec6)json"
    R"json(","Command":"/bin/httpd -f -p 80 -h /www","Created":1795377927,"Ports":[],)json"
    R"json("Labels":{"com.docker.compose.project":"shop",)json"
    R"json("org.opencontainers.image.version":"v1.0.0"},"State":"running",)json"
    R"json("Status":"Up 3 seconds (healthy)","HostConfig":{"NetworkMode":"none"},)json"
    R"json("NetworkSettings":{"Networks":{"none":{"IPAMConfig":null,"Links":null}}},)json"
    R"json("Mounts":[]}])json";

inline constexpr std::string_view k_containerd26_images =
    R"json([{"Containers":-1,"Created":1704067200,)json"
    R"json("Id":"sha256:cc5d72b444d7c809504c829c789789865729b4b7be9230773faad646d25a0910",)json"
    R"json("Labels":{"org.opencontainers.image.version":"v2.0.0"},"ParentId":"",)json"
    R"json("RepoDigests":["harbor.lan/shop/web@sha256:cc5d72b444d7c809504c829c789789865729b4b)json"
    R"json(7be9230773faad646d25a0910"],"RepoTags":["harbor.lan/shop/web:stable",)json"
    R"json("harbor.lan/shop/web@sha256:cc5d72b444d7c809504c829c789789865729b4b7be9230773faad6)json"
    R"json(46d25a0910"],"SharedSize":-1,"Size":9105644},{"Containers":-1,)json"
    R"json("Created":1704067200,)json"
    R"json("Id":"sha256:38cdf0d6b09acc5b2e2bdb010fc38cac261fd2f3d50dfd27f70c61ab74e73ec6",)json"
    R"json("Labels":{"org.opencontainers.image.version":"v1.0.0"},"ParentId":"",)json"
    R"json("RepoDigests":["harbor.lan/shop/web@sha256:38cdf0d6b09acc5b2e2bdb010fc38cac261fd2f)json"
    R"json(3d50dfd27f70c61ab74e73ec6"],)json"
    R"json("RepoTags":["harbor.lan/shop/web@sha256:38cdf0d6b09acc5b2e2bdb010fc38cac261fd2f3d5)json"
    R"json(0dfd27f70c61ab74e73ec6"],"SharedSize":-1,"Size":9105639}])json";

inline constexpr std::string_view k_containerd26_web =
    R"json({"Id":"e3d74e0805c5619583d2f5db6a332270f374fa155b1141286c09480d08689f1c",)json"
    R"json("Created":"2026-11-22T20:05:27.493333276Z","State":{"Status":"running",)json"
    R"json("Running":true,"Paused":false,"Restarting":false,"OOMKilled":false,"Dead":false,)json"
    R"json("Pid":22950,"ExitCode":0,"Error":"","StartedAt":"2026-11-22T20:05:28.23047813Z",)json"
    R"json("FinishedAt":"0001-01-01T00:00:00Z","Health":{"Status":"healthy",)json"
    R"json("FailingStreak":0,"Log":[{"Start":"2026-11-22T20:05:29.239338499Z",)json"
    R"json("End":"2026-11-22T20:05:29.610142235Z","ExitCode":0,"Output":""}]}},)json"
    R"json("Image":"sha256:38cdf0d6b09acc5b2e2bdb010fc38cac261fd2f3d50dfd27f70c61ab74e73ec6",)json"
    R"json("Name":"/web","RestartCount":0,"Driver":"overlayfs","Platform":"linux",)json"
    R"json("ExecIDs":null,"Mounts":[],"Config":{"Env":["PATH=/bin"],"Cmd":["/bin/httpd","-f",)json"
    R"json("-p","80","-h","/www"],"Healthcheck":{"Test":["CMD-SHELL","true"],)json"
    R"json("Interval":1000000000,"Timeout":5000000000,"Retries":2},)json"
    R"json("Image":"harbor.lan/shop/web:stable","Volumes":null,"WorkingDir":"",)json"
    R"json("Entrypoint":null,"OnBuild":null,"Labels":{"com.docker.compose.project":"shop",)json"
    R"json("org.opencontainers.image.version":"v1.0.0"},"StopSignal":"SIGKILL"}})json";

inline constexpr std::string_view k_containerd26_image =
    R"json({"Id":"sha256:cc5d72b444d7c809504c829c789789865729b4b7be9230773faad646d25a0910",)json"
    R"json("RepoTags":["harbor.lan/shop/web:stable"],)json"
    R"json("RepoDigests":["harbor.lan/shop/web@sha256:cc5d72b444d7c809504c829c789789865729b4b)json"
    R"json(7be9230773faad646d25a0910",)json"
    R"json("harbor.lan/shop/web@sha256:cc5d72b444d7c809504c829c789789865729b4b7be9230773faad6)json"
    R"json(46d25a0910"],"Parent":"","Comment":"","Created":"2024-01-01T00:00:00Z",)json"
    R"json("DockerVersion":"26.1.5+dfsg1","Author":"","Config":{"Env":["PATH=/bin"],)json"
    R"json("Cmd":["/bin/httpd","-f","-p","80","-h","/www"],)json"
    R"json("Healthcheck":{"Test":["CMD-SHELL","true"],"Interval":1000000000,)json"
    R"json("Timeout":5000000000,"Retries":2},"Volumes":null,"WorkingDir":"",)json"
    R"json("Entrypoint":null,"OnBuild":null,)json"
    R"json("Labels":{"org.opencontainers.image.version":"v2.0.0"},"StopSignal":"SIGKILL"},)json"
    R"json("Architecture":"amd64","Os":"linux","Size":4096236,"GraphDriver":{"Data":null,)json"
    R"json("Name":"overlayfs"},"RootFS":{"Type":"layers",)json"
    R"json("Layers":["sha256:57893c9573ed00149540d0d1270ae63b39a0c4f181086088ab4e1dfff4b48a85)json"
    R"json(","sha256:11b48efd4debe382e8179dbeb5fb1f4b3fcd0ff91d4e7b96d43cf6487cec2a16"]},)json"
    R"json("Metadata":{"LastTagTime":"2026-11-22T20:05:30.25424461Z"}})json";

inline constexpr std::string_view k_containerd26_info =
    R"json({"ID":"35e9faa1-27a9-42e8-8089-2fe323c727b3","Containers":4,"Driver":"overlayfs",)json"
    R"json("DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]],)json"
    R"json("RegistryConfig":{"AllowNondistributableArtifactsCIDRs":null,)json"
    R"json("AllowNondistributableArtifactsHostnames":null,)json"
    R"json("InsecureRegistryCIDRs":["127.0.0.0/8"],)json"
    R"json("IndexConfigs":{"docker.io":{"Name":"docker.io","Mirrors":[],"Secure":true,)json"
    R"json("Official":true},"harbor.test":{"Name":"harbor.test","Mirrors":[],"Secure":false,)json"
    R"json("Official":false}},"Mirrors":null},"OSType":"linux","Architecture":"x86_64",)json"
    R"json("Name":"vm","ServerVersion":"26.1.5+dfsg1","Labels":[],"ExperimentalBuild":false})json";

inline constexpr std::string_view k_containerd26_version =
    R"json({"Platform":{"Name":""},"Version":"26.1.5+dfsg1","ApiVersion":"1.45",)json"
    R"json("MinAPIVersion":"1.24","GitCommit":"411e817","GoVersion":"go1.24.4","Os":"linux",)json"
    R"json("Arch":"amd64","KernelVersion":"6.18.44-fc-v769",)json"
    R"json("BuildTime":"2026-08-13T05:35:47.000000000+00:00"})json";

inline constexpr std::string_view k_containerd26_pull =
    R"json({"status":"Pulling from shop/web",)json"
    R"json("id":"harbor.lan/shop/web@sha256:38cdf0d6b09acc5b2e2bdb010fc38cac261fd2f3d50dfd27f)json"
    R"json(70c61ab74e73ec6"})json"
    "\r\n"
    R"json({"status":"Pulling fs layer","progressDetail":{},"id":"48a080c3bc0d"})json"
    "\r\n"
    R"json({"status":"Pulling fs layer","progressDetail":{},"id":"a9f843f5bedd"})json"
    "\r\n"
    R"json({"status":"Downloading","progressDetail":{"current":2097152,"total":3001272},)json"
    R"json("progress":"[==================================\u003e                ]  2.097MB/3.)json"
    R"json(001MB","id":"a9f843f5bedd"})json"
    "\r\n"
    R"json({"status":"Download complete","progressDetail":{"hidecounts":true},)json"
    R"json("id":"a9f843f5bedd"})json"
    "\r\n"
    R"json({"status":"Download complete","progressDetail":{"hidecounts":true},)json"
    R"json("id":"48a080c3bc0d"})json"
    "\r\n"
    R"json({"status":"Digest: sha256:38cdf0d6b09acc5b2e2bdb010fc38cac261fd2f3d50dfd27f70c61ab)json"
    R"json(74e73ec6"})json"
    "\r\n"
    R"json({"status":"Status: Downloaded newer image for harbor.lan/shop/web@sha256:38cdf0d6b)json"
    R"json(09acc5b2e2bdb010fc38cac261fd2f3d50dfd27f70c61ab74e73ec6"})json"
    "\r\n";

}  // namespace tallyman::test
