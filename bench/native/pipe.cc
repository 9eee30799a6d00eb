#include "pipe.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "yardstick.h"

namespace yardstick {

namespace {

constexpr std::memory_order kCount = std::memory_order_relaxed;

/// The most one system call moves. Unit: bytes. Smaller pays calls, larger leaves the cache.
constexpr uint32_t kTransferBytesMax = 64 * 1024;

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int NewSocket() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  YARDSTICK_CHECK(fd >= 0);
  const int on = 1;
  YARDSTICK_CHECK(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
  return fd;
}

void CloseSocket(std::atomic<int>& slot) {
  const int fd = slot.exchange(-1);
  if (fd >= 0) close(fd);
}

void InterruptSocket(const std::atomic<int>& slot) {
  const int fd = slot.load();
  if (fd >= 0) shutdown(fd, SHUT_RDWR);
}

}  // namespace

uint16_t Pipe::StartReceiving() {
  const int fd = NewSocket();
  sockaddr_in address = Loopback(0);
  socklen_t length = sizeof(address);
  YARDSTICK_CHECK(bind(fd, reinterpret_cast<sockaddr*>(&address), length) == 0);
  YARDSTICK_CHECK(listen(fd, 1) == 0);
  YARDSTICK_CHECK(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0);
  listener_.store(fd);
  thread_ = std::thread([this, fd] { Receive(fd); });
  return ntohs(address.sin_port);
}

void Pipe::StartSending(uint16_t port) {
  const int fd = NewSocket();
  const sockaddr_in address = Loopback(port);
  YARDSTICK_CHECK(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  connection_.store(fd);
  thread_ = std::thread([this] { Send(); });
}

void Pipe::Wake() {
  wakes_.fetch_add(1, std::memory_order_release);
  wakes_.notify_one();
}

void Pipe::Stop() {
  if (!thread_.joinable()) return;
  is_stopping_.store(true);
  InterruptSocket(listener_);
  InterruptSocket(connection_);
  Wake();
  thread_.join();
  CloseSocket(listener_);
  CloseSocket(connection_);
}

void Pipe::Receive(int listener) {
  const int fd = accept(listener, nullptr, nullptr);
  if (fd < 0) return;
  connection_.store(fd);
  const auto tail = ring_.Word(RingLayout::kTail);
  const auto head = ring_.Word(RingLayout::kHead);
  uint32_t position = tail.load(std::memory_order_relaxed);
  // Stop sets the flag before it looks for the connection: one of the two sees the other.
  while (!is_stopping_.load()) {
    const uint32_t used = position - head.load(std::memory_order_acquire);
    if (used == ring_.capacity()) {
      SleepUnless(RingLayout::kWriterAsleep, [&] {
        return position - head.load(std::memory_order_acquire) < ring_.capacity();
      });
      continue;
    }
    const uint32_t room = std::min(ring_.capacity() - used, ring_.UntilWrap(position));
    const ssize_t got = recv(fd, ring_.At(position), std::min(room, kTransferBytesMax), 0);
    if (got <= 0) return;
    position += static_cast<uint32_t>(got);
    tail.store(position, std::memory_order_release);
    figures_.bytes.fetch_add(static_cast<uint64_t>(got), kCount);
    figures_.system_calls.fetch_add(1, kCount);
    RingIfAsleep(RingLayout::kReaderAsleep);
  }
}

void Pipe::Send() {
  const int fd = connection_.load();
  const auto tail = ring_.Word(RingLayout::kTail);
  const auto head = ring_.Word(RingLayout::kHead);
  uint32_t position = head.load(std::memory_order_relaxed);
  while (!is_stopping_.load()) {
    const uint32_t used = tail.load(std::memory_order_acquire) - position;
    if (used == 0) {
      SleepUnless(RingLayout::kReaderAsleep,
                  [&] { return tail.load(std::memory_order_acquire) != position; });
      continue;
    }
    const uint32_t ready = std::min(used, ring_.UntilWrap(position));
    const size_t bytes = std::min(ready, kTransferBytesMax);
    const ssize_t put = send(fd, ring_.At(position), bytes, MSG_NOSIGNAL);
    if (put <= 0) return;
    position += static_cast<uint32_t>(put);
    head.store(position, std::memory_order_release);
    figures_.bytes.fetch_add(static_cast<uint64_t>(put), kCount);
    figures_.system_calls.fetch_add(1, kCount);
    RingIfAsleep(RingLayout::kWriterAsleep);
  }
}

template <typename IsReady>
void Pipe::SleepUnless(uint32_t flag_offset, IsReady is_ready) {
  const uint32_t seen = wakes_.load(std::memory_order_acquire);
  // Read-modify-write on both sides: either the other end sees the flag, or this one its position.
  ring_.Word(flag_offset).exchange(1, std::memory_order_acq_rel);
  if (is_ready() || is_stopping_.load()) return;
  figures_.sleeps.fetch_add(1, kCount);
  wakes_.wait(seen, std::memory_order_acquire);
}

void Pipe::RingIfAsleep(uint32_t flag_offset) {
  if (ring_.Word(flag_offset).exchange(0, std::memory_order_acq_rel) != 1) return;
  figures_.doorbells.fetch_add(1, kCount);
  doorbell_();
}

}  // namespace yardstick
