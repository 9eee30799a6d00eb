// A TCP proxy that delivers every byte a fixed time after it came: distance without loss.
//
//   delay PORT DELAY_US   forwards connections to 127.0.0.1:PORT
//
// What is on its way is held without a bound, as a long link holds it. What has arrived and is not
// taken is: then the proxy stops reading, and the sender sees its socket fill as it would at a
// receiver's closed window.

#include <fcntl.h>
#include <poll.h>

#include <cerrno>
#include <chrono>
#include <deque>
#include <memory>
#include <vector>

#include "loopback.h"

namespace yardstick {

namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kChunkBytes = 256 * 1024;

/// Bytes that have arrived and wait for the receiver; beyond, nothing is read. A receiver's window.
constexpr size_t kArrivedBytesMax = 1024 * 1024;

struct Chunk {
  Clock::time_point due;
  std::vector<char> bytes = std::vector<char>(kChunkBytes);
  size_t begin = 0;
  size_t end = 0;
};

/// One direction of one connection, on a thread of its own.
class Direction {
 public:
  Direction(int from, int to, Clock::duration delay) : from_(from), to_(to), delay_(delay) {}

  void Run() {
    while (!(is_ended_ && chunks_.empty())) {
      const bool is_blocked = !WriteDue();
      if (is_ended_ && chunks_.empty()) break;
      Await(is_blocked);
      if (!Read()) break;
    }
    shutdown(to_, SHUT_WR);
  }

 private:
  /// Writes what has arrived; false when the receiver takes no more for now.
  bool WriteDue() {
    const auto now = Clock::now();
    while (!chunks_.empty() && chunks_.front()->due <= now) {
      Chunk& chunk = *chunks_.front();
      const ssize_t put = send(to_, &chunk.bytes[chunk.begin], chunk.end - chunk.begin,
                               MSG_DONTWAIT | MSG_NOSIGNAL);
      if (put < 0) {
        if (errno == EAGAIN) return false;
        is_ended_ = true;  // The receiver is gone, and with it what was on its way.
        chunks_.clear();
        return true;
      }
      chunk.begin += static_cast<size_t>(put);
      if (chunk.begin < chunk.end) return false;
      free_.push_back(std::move(chunks_.front()));
      chunks_.pop_front();
    }
    return true;
  }

  size_t ArrivedBytes() const {
    const auto now = Clock::now();
    size_t bytes = 0;
    for (const auto& chunk : chunks_) {
      if (chunk->due > now || bytes > kArrivedBytesMax) break;
      bytes += chunk->end - chunk->begin;
    }
    return bytes;
  }

  /// Sleeps until there is something to read, to write, or due.
  void Await(bool is_blocked) {
    is_reading_ = !is_ended_ && !(is_blocked && ArrivedBytes() > kArrivedBytesMax);
    pollfd fds[2] = {{is_reading_ ? from_ : -1, POLLIN, 0}, {is_blocked ? to_ : -1, POLLOUT, 0}};
    timespec timeout{};
    timespec* until = nullptr;
    if (!is_blocked && !chunks_.empty()) {
      const auto left = std::max(Clock::duration::zero(), chunks_.front()->due - Clock::now());
      const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(left).count();
      timeout = {ns / 1'000'000'000, ns % 1'000'000'000};
      until = &timeout;
    }
    ppoll(fds, 2, until, nullptr);
  }

  /// Takes what is there into a chunk that is due later; false when the sender broke off.
  bool Read() {
    if (!is_reading_) return true;
    if (free_.empty()) free_.push_back(std::make_unique<Chunk>());
    Chunk& chunk = *free_.back();
    const ssize_t got = recv(from_, chunk.bytes.data(), kChunkBytes, MSG_DONTWAIT);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0) {
      is_ended_ = true;
      return true;
    }
    chunk.due = Clock::now() + delay_;
    chunk.begin = 0;
    chunk.end = static_cast<size_t>(got);
    chunks_.push_back(std::move(free_.back()));
    free_.pop_back();
    return true;
  }

  int from_;
  int to_;
  Clock::duration delay_;
  bool is_ended_ = false;
  bool is_reading_ = true;
  std::deque<std::unique_ptr<Chunk>> chunks_;
  std::vector<std::unique_ptr<Chunk>> free_;
};

void Forward(int from, int to, Clock::duration delay) {
  std::thread([=] { Direction(from, to, delay).Run(); }).detach();
}

int Main(int count, char** words) {
  YARDSTICK_CHECK(count == 3);
  EndWithRunner();
  const auto target = static_cast<uint16_t>(std::strtol(words[1], nullptr, 10));
  const auto delay = std::chrono::microseconds(std::strtol(words[2], nullptr, 10));
  uint16_t port = 0;
  const int listener = Listen(&port);
  ReportListening(port);
  for (;;) {
    const int near = Accept(listener);
    const int far = Connect(target);
    if (far < 0) {
      close(near);
      continue;
    }
    Forward(near, far, delay);
    Forward(far, near, delay);
  }
}

}  // namespace

}  // namespace yardstick

int main(int count, char** words) { return yardstick::Main(count, words); }
