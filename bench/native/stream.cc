// One TCP stream with nothing on top: what a socket carries when its ends do only that.
//
//   stream receive WARM_MS MEASURE_MS [CONGESTION]   counts what comes, one connection
//   stream send PORT WRITE_BYTES [CONGESTION]        writes as fast as the system takes it
//
// CONGESTION names the algorithm of the socket; without it, it is the machine's own.

#include <chrono>
#include <cinttypes>
#include <cstring>
#include <string_view>
#include <vector>

#include "loopback.h"

namespace yardstick {

namespace {

using Clock = std::chrono::steady_clock;

/// As much as a receiver of ours asks for at once.
constexpr size_t kReadBytes = 256 * 1024;

void SetCongestion(int fd, const char* name) {
  if (name == nullptr) return;
  const socklen_t length = static_cast<socklen_t>(std::strlen(name));
  YARDSTICK_CHECK(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, length) == 0);
}

void Send(uint16_t port, size_t write_bytes, const char* congestion) {
  const int fd = Connect(port);
  YARDSTICK_CHECK(fd >= 0);
  SetCongestion(fd, congestion);
  const std::vector<char> bytes(write_bytes, 7);
  while (send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0) {
  }
}

void Receive(int warm_ms, int measure_ms, const char* congestion) {
  uint16_t port = 0;
  const int listener = Listen(&port);
  ReportListening(port);
  const int fd = Accept(listener);
  SetCongestion(fd, congestion);
  std::vector<char> bytes(kReadBytes);
  const auto warm_until = Clock::now() + std::chrono::milliseconds(warm_ms);
  const auto until = warm_until + std::chrono::milliseconds(measure_ms);
  uint64_t count = 0;
  Clock::time_point begin{};
  for (;;) {
    const ssize_t got = recv(fd, bytes.data(), bytes.size(), 0);
    YARDSTICK_CHECK(got > 0);
    const auto now = Clock::now();
    if (now < warm_until) continue;
    if (begin == Clock::time_point{}) {
      begin = now;
      continue;
    }
    count += static_cast<uint64_t>(got);
    if (now < until) continue;
    const double seconds = std::chrono::duration<double>(now - begin).count();
    std::printf("@bench {\"event\":\"result\",\"bytes\":%" PRIu64 ",\"seconds\":%f}\n", count,
                seconds);
    std::fflush(stdout);
    return;
  }
}

}  // namespace

}  // namespace yardstick

int main(int count, char** words) {
  using yardstick::EndWithRunner;
  YARDSTICK_CHECK(count == 4 || count == 5);
  EndWithRunner();
  const char* congestion = count == 5 ? words[4] : nullptr;
  const std::string_view role = words[1];
  if (role == "receive") {
    yardstick::Receive(std::atoi(words[2]), std::atoi(words[3]), congestion);
  } else {
    YARDSTICK_CHECK(role == "send");
    const auto port = static_cast<uint16_t>(std::atoi(words[2]));
    yardstick::Send(port, static_cast<size_t>(std::atoll(words[3])), congestion);
  }
  pause();
}
