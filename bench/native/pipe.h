#ifndef FOUNDATION_BENCH_PIPE_H_
#define FOUNDATION_BENCH_PIPE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>

namespace yardstick {

/// Offsets of the ring's words, each on cache lines of its own; ring.mjs has the same.
struct RingLayout {
  static constexpr uint32_t kTail = 0;
  static constexpr uint32_t kHead = 128;
  static constexpr uint32_t kReaderAsleep = 256;
  static constexpr uint32_t kWriterAsleep = 384;
  static constexpr uint32_t kData = 512;
};

/// A byte ring in memory shared with JavaScript: one writer, one reader, positions that run free
/// modulo 2^32 over a power-of-two capacity. It has no framing: the limit is measured without.
class Ring {
 public:
  Ring(uint8_t* memory, uint32_t capacity_bytes) : memory_(memory), capacity_(capacity_bytes) {}

  std::atomic_ref<uint32_t> Word(uint32_t offset) const {
    return std::atomic_ref<uint32_t>(*reinterpret_cast<uint32_t*>(memory_ + offset));
  }
  uint8_t* At(uint32_t position) const {
    return memory_ + RingLayout::kData + (position & (capacity_ - 1));
  }
  /// Bytes from `position` to the end of the memory: what one system call can take.
  uint32_t UntilWrap(uint32_t position) const { return capacity_ - (position & (capacity_ - 1)); }
  uint32_t capacity() const { return capacity_; }

 private:
  uint8_t* memory_;
  uint32_t capacity_;
};

/// What a pipe did. Read by JavaScript while the thread runs; plain counts.
struct PipeFigures {
  std::atomic<uint64_t> bytes{0};
  std::atomic<uint64_t> system_calls{0};
  std::atomic<uint64_t> sleeps{0};
  std::atomic<uint64_t> doorbells{0};
};

/// A thread between one ring and one loopback TCP socket.
///
/// The sleep protocol of both ends: publish the position, then exchange the other side's flag and
/// wake it if it was set; before sleeping set the own flag by exchange, then look once more.
class Pipe {
 public:
  /// Rings JavaScript; called from the thread.
  using Doorbell = std::function<void()>;

  Pipe(Ring ring, Doorbell doorbell) : ring_(ring), doorbell_(std::move(doorbell)) {}
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() { Stop(); }

  /// Listens on a port of the system's choice, returns it, and fills the ring from the first peer.
  uint16_t StartReceiving();
  /// Drains the ring into a connection to `port`.
  void StartSending(uint16_t port);
  /// Wakes the thread: JavaScript has published a position and found its flag set.
  void Wake();
  /// Ends and joins the thread. Idempotent; JavaScript's thread only.
  void Stop();

  const PipeFigures& figures() const { return figures_; }

 private:
  void Receive(int listener);
  void Send();
  /// Sleeps unless `is_ready` holds after the flag was set.
  template <typename IsReady>
  void SleepUnless(uint32_t flag_offset, IsReady is_ready);
  void RingIfAsleep(uint32_t flag_offset);

  Ring ring_;
  Doorbell doorbell_;
  std::thread thread_;
  std::atomic<int> listener_{-1};
  std::atomic<int> connection_{-1};
  std::atomic<bool> is_stopping_{false};
  std::atomic<uint32_t> wakes_{0};
  PipeFigures figures_;
};

}  // namespace yardstick

#endif  // FOUNDATION_BENCH_PIPE_H_
