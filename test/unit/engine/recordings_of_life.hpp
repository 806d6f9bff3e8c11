#pragma once

#include <string_view>

// What real Docker Engines 20.10.24 (API 1.41) and 26.1.5 (API 1.45) answered on Debian about what
// containers of a project do: the events of two of them, one without its program, and one whose
// health check fails. Parts that say nothing here were left out.

namespace tallyman::test {

inline constexpr std::string_view k_engine20_events =
    R"json({"status":"start","id":"01eaf6f1cfe5c5a4068273c1202099a3a3c5b01ee2d58ac9259d2e7e)json"
    R"json(c86f1e2e","from":"web:1","Type":"container","Action":"start","Actor":{"ID":"01ea)json"
    R"json(f6f1cfe5c5a4068273c1202099a3a3c5b01ee2d58ac9259d2e7ec86f1e2e","Attributes":{"com)json"
    R"json(.docker.compose.project":"shop","com.docker.compose.service":"web","image":"web:)json"
    R"json(1","name":"web"}},"scope":"local","time":1795389873,"timeNano":17953898737556812)json"
    R"json(29})json"
    "\n"
    R"json({"status":"start","id":"77a70aa8b2a8e30062563d0cbd8ff3fd326acc01b78372168ede94e5)json"
    R"json(11c40a6d","from":"web:1","Type":"container","Action":"start","Actor":{"ID":"77a7)json"
    R"json(0aa8b2a8e30062563d0cbd8ff3fd326acc01b78372168ede94e511c40a6d","Attributes":{"com)json"
    R"json(.docker.compose.project":"shop","com.docker.compose.service":"web","image":"web:)json"
    R"json(1","name":"dies"}},"scope":"local","time":1795389875,"timeNano":1795389875443477)json"
    R"json(575})json"
    "\n"
    R"json({"status":"die","id":"77a70aa8b2a8e30062563d0cbd8ff3fd326acc01b78372168ede94e511)json"
    R"json(c40a6d","from":"web:1","Type":"container","Action":"die","Actor":{"ID":"77a70aa8)json"
    R"json(b2a8e30062563d0cbd8ff3fd326acc01b78372168ede94e511c40a6d","Attributes":{"com.doc)json"
    R"json(ker.compose.project":"shop","com.docker.compose.service":"web","exitCode":"3","i)json"
    R"json(mage":"web:1","name":"dies"}},"scope":"local","time":1795389875,"timeNano":17953)json"
    R"json(89875537163320})json"
    "\n";

inline constexpr std::string_view k_engine20_sick =
    R"json({"Id":"ba562b29b13997f1fd90c307dd99ac95aa1235a0f51104ddbf9c5cf9fe6bc157","Name":)json"
    R"json("/sick","State":{"Status":"running","Running":true,"Paused":false,"Restarting":f)json"
    R"json(alse,"OOMKilled":false,"Dead":false,"Pid":27205,"ExitCode":0,"Error":"","Started)json"
    R"json(At":"2026-11-22T23:24:37.207988358Z","FinishedAt":"0001-01-01T00:00:00Z","Health)json"
    R"json(":{"Status":"unhealthy","FailingStreak":4,"Log":[{"Start":"2026-11-22T23:24:40.5)json"
    R"json(0243225Z","End":"2026-11-22T23:24:40.63770614Z","ExitCode":1,"Output":"connectio)json"
    R"json(n refused\n"},{"Start":"2026-11-22T23:24:41.643562899Z","End":"2026-11-22T23:24:)json"
    R"json(41.821553253Z","ExitCode":1,"Output":"connection refused\n"}]}},"Config":{"Tty":)json"
    R"json(false,"Image":"web:1"}})json";

inline constexpr std::string_view k_engine20_unstartable =
    R"json({"Id":"b7795e37df53e2dbe66fcb28c3befd20b1dc697f206c86842213f0de42a6c191","Name":)json"
    R"json("/bad","State":{"Status":"created","Running":false,"Paused":false,"Restarting":f)json"
    R"json(alse,"OOMKilled":false,"Dead":false,"Pid":0,"ExitCode":127,"Error":"failed to cr)json"
    R"json(eate shim task: OCI runtime create failed: runc create failed: unable to start c)json"
    R"json(ontainer process: exec: \"/no/such/program\": stat /no/such/program: no such fil)json"
    R"json(e or directory: unknown","StartedAt":"0001-01-01T00:00:00Z","FinishedAt":"0001-0)json"
    R"json(1-01T00:00:00Z"}})json";

inline constexpr std::string_view k_engine26_events =
    R"json({"status":"start","id":"08821e3901d3df7c0af6c79507e98b3a39f07d617d7242e9b7ac8e37)json"
    R"json(8ab5a2e8","from":"web:1","Type":"container","Action":"start","Actor":{"ID":"0882)json"
    R"json(1e3901d3df7c0af6c79507e98b3a39f07d617d7242e9b7ac8e378ab5a2e8","Attributes":{"com)json"
    R"json(.docker.compose.project":"shop","com.docker.compose.service":"web","image":"web:)json"
    R"json(1","name":"web"}},"scope":"local","time":1795389892,"timeNano":17953898926237582)json"
    R"json(77})json"
    "\n"
    R"json({"status":"start","id":"3674fb5e2227bcf7b5ba410f5555ea05273b808d6cd5e49a917738a0)json"
    R"json(2dbb5e7a","from":"web:1","Type":"container","Action":"start","Actor":{"ID":"3674)json"
    R"json(fb5e2227bcf7b5ba410f5555ea05273b808d6cd5e49a917738a02dbb5e7a","Attributes":{"com)json"
    R"json(.docker.compose.project":"shop","com.docker.compose.service":"web","image":"web:)json"
    R"json(1","name":"dies"}},"scope":"local","time":1795389894,"timeNano":1795389894575155)json"
    R"json(394})json"
    "\n"
    R"json({"status":"die","id":"3674fb5e2227bcf7b5ba410f5555ea05273b808d6cd5e49a917738a02d)json"
    R"json(bb5e7a","from":"web:1","Type":"container","Action":"die","Actor":{"ID":"3674fb5e)json"
    R"json(2227bcf7b5ba410f5555ea05273b808d6cd5e49a917738a02dbb5e7a","Attributes":{"com.doc)json"
    R"json(ker.compose.project":"shop","com.docker.compose.service":"web","execDuration":"0)json"
    R"json(","exitCode":"3","image":"web:1","name":"dies"}},"scope":"local","time":17953898)json"
    R"json(94,"timeNano":1795389894845635616})json"
    "\n";

inline constexpr std::string_view k_engine26_sick =
    R"json({"Id":"59c9351694221d5f2243d02005e18ad0d8f1fa1dea45894ef37a4e51957f4ee2","Name":)json"
    R"json("/sick","State":{"Status":"running","Running":true,"Paused":false,"Restarting":f)json"
    R"json(alse,"OOMKilled":false,"Dead":false,"Pid":28540,"ExitCode":0,"Error":"","Started)json"
    R"json(At":"2026-11-22T23:24:56.992137458Z","FinishedAt":"0001-01-01T00:00:00Z","Health)json"
    R"json(":{"Status":"unhealthy","FailingStreak":5,"Log":[{"Start":"2026-11-22T23:25:01.4)json"
    R"json(75852432Z","End":"2026-11-22T23:25:01.67616746Z","ExitCode":1,"Output":"connecti)json"
    R"json(on refused\n"},{"Start":"2026-11-22T23:25:02.677150698Z","End":"2026-11-22T23:25)json"
    R"json(:02.964746292Z","ExitCode":1,"Output":"connection refused\n"}]}},"Config":{"Tty")json"
    R"json(:false,"Image":"web:1"}})json";

inline constexpr std::string_view k_engine26_unstartable =
    R"json({"Id":"692d8ef48f6e3aa78d0026e3faad816ce10edcab9a380085223087d5025be0f3","Name":)json"
    R"json("/bad","State":{"Status":"created","Running":false,"Paused":false,"Restarting":f)json"
    R"json(alse,"OOMKilled":false,"Dead":false,"Pid":0,"ExitCode":127,"Error":"failed to cr)json"
    R"json(eate task for container: failed to create shim task: OCI runtime create failed: )json"
    R"json(runc create failed: unable to start container process: exec: \"/no/such/program\)json"
    R"json(": stat /no/such/program: no such file or directory: unknown","StartedAt":"0001-)json"
    R"json(01-01T00:00:00Z","FinishedAt":"0001-01-01T00:00:00Z"}})json";

}  // namespace tallyman::test
