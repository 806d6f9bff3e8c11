#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>

namespace tallyman {

struct CurlUrlDeleter {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using CurlUrl = std::unique_ptr<CURLU, CurlUrlDeleter>;

struct CurlStringDeleter {
  void operator()(char* text) const { curl_free(text); }
};

/// Nothing if curl takes it for no URL.
inline CurlUrl parse_url(const std::string& text, unsigned flags = 0) {
  CurlUrl url(curl_url());
  const bool good =
      url != nullptr && curl_url_set(url.get(), CURLUPART_URL, text.c_str(), flags) == CURLUE_OK;
  return good ? std::move(url) : CurlUrl();
}

/// "" for a part that is not there.
inline std::string url_part(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) {
    return {};
  }
  return std::unique_ptr<char, CurlStringDeleter>(text).get();
}

}  // namespace tallyman
