// What Prometheus gets to see, by the textfile collector of its node exporter.
#pragma once

#include <filesystem>
#include <string>

#include "certmgr/engine/views.h"

namespace certmgr::engine {

// The text format, version 0.0.4. Equal views give equal texts.
std::string metricsText(const Views& views, bool clockTrusted);

// Replaces the file whole: a reader sees the one before or this one. Not durable, since it can be made again.
// Errors of deploy::Directory.
void replaceMetricsFile(const std::filesystem::path& file, const std::string& text);

}  // namespace certmgr::engine
