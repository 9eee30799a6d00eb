// The floor under a round trip: the threads and wake-ups of a node without anything on top.
//
//   ping echo THREADS WAIT                          answers, one connection
//   ping call THREADS WAIT PORT WARM_MS MEASURE_MS  calls it and reports percentiles
//   ping pair WAIT WARM_MS MEASURE_MS               two threads of one process, no socket
//
// THREADS: `relayed` is a caller's thread and an I/O thread in each process, joined by eventfds as
// an event loop and a kernel thread are; `inline` has the socket on the caller's own thread.
// WAIT: `block` sleeps in epoll_wait, `spin` looks again after giving way to others.

#include <fcntl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string_view>
#include <vector>

#include "loopback.h"

namespace yardstick {

namespace {

using Clock = std::chrono::steady_clock;

/// A small message with its header, as it would lie on the wire. Unit: bytes.
constexpr size_t kFrameBytes = 64;

/// A turn lasts until it has this many round trips, however busy the machine is.
constexpr size_t kPingsMin = 16;

struct Frame {
  uint64_t number = 0;
  char filler[kFrameBytes - sizeof(uint64_t)] = {};
};

/// Sleeps until one of a few descriptors is readable.
class Poller {
 public:
  void Add(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    YARDSTICK_CHECK(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0);
  }

  void Wait() {
    epoll_event events[2];
    const int ready = epoll_wait(epoll_, events, 2, -1);
    YARDSTICK_CHECK(ready > 0 || errno == EINTR);
  }

 private:
  int epoll_ = epoll_create1(0);
};

/// One slot from one thread to another, with the eventfd that wakes the reader.
class Mailbox {
 public:
  explicit Mailbox(bool is_blocking) : is_blocking_(is_blocking) {}

  int fd() const { return fd_; }

  void Put(const Frame& frame) {
    frame_ = frame;
    is_full_.store(true, std::memory_order_release);
    const uint64_t one = 1;
    if (is_blocking_) YARDSTICK_CHECK(write(fd_, &one, sizeof(one)) == sizeof(one));
  }

  bool Take(Frame* frame) {
    if (!is_full_.load(std::memory_order_acquire)) return false;
    uint64_t wakes = 0;
    if (is_blocking_) YARDSTICK_CHECK(read(fd_, &wakes, sizeof(wakes)) == sizeof(wakes));
    *frame = frame_;
    is_full_.store(false, std::memory_order_release);
    return true;
  }

 private:
  bool is_blocking_;
  int fd_ = eventfd(0, 0);
  std::atomic<bool> is_full_{false};
  Frame frame_;
};

/// A socket of frames; a frame is small enough to come whole.
class Wire {
 public:
  explicit Wire(int fd) : fd_(fd) {
    YARDSTICK_CHECK(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0);
  }

  int fd() const { return fd_; }

  void Put(const Frame& frame) {
    YARDSTICK_CHECK(send(fd_, &frame, kFrameBytes, MSG_NOSIGNAL) == kFrameBytes);
  }

  bool Take(Frame* frame) {
    const ssize_t got = recv(fd_, frame, kFrameBytes, 0);
    if (got == 0) _exit(0);  // The other end is done.
    YARDSTICK_CHECK(got == kFrameBytes || errno == EAGAIN);
    return got == kFrameBytes;
  }

 private:
  int fd_;
};

/// A two-way line of frames as a caller's thread sees it, whatever carries it.
template <typename In, typename Out>
class Line {
 public:
  Line(In* in, Out* out, bool is_blocking) : in_(in), out_(out), is_blocking_(is_blocking) {
    poller_.Add(in->fd());
  }

  void Put(const Frame& frame) { out_->Put(frame); }

  void Take(Frame* frame) {
    while (!in_->Take(frame)) {
      if (is_blocking_) poller_.Wait();
      else sched_yield();
    }
  }

 private:
  In* in_;
  Out* out_;
  bool is_blocking_;
  Poller poller_;
};

/// Moves frames between the caller's thread and the socket, as a kernel thread does.
void Relay(Wire* wire, Mailbox* outward, Mailbox* inward, bool is_blocking) {
  Poller poller;
  poller.Add(wire->fd());
  poller.Add(outward->fd());
  Frame frame;
  for (;;) {
    bool has_moved = false;
    if (outward->Take(&frame)) {
      wire->Put(frame);
      has_moved = true;
    }
    if (wire->Take(&frame)) {
      inward->Put(frame);
      has_moved = true;
    }
    if (has_moved) continue;
    if (is_blocking) poller.Wait();
    else sched_yield();
  }
}

template <typename AnyLine>
void Echo(AnyLine& line) {
  Frame frame;
  for (;;) {
    line.Take(&frame);
    line.Put(frame);
  }
}

double MicrosecondsAt(const std::vector<double>& sorted, double share) {
  const auto count = static_cast<double>(sorted.size());
  const auto rank = static_cast<size_t>(std::max(1.0, share * count + 0.999999));
  return sorted[std::min(rank, sorted.size()) - 1];
}

template <typename AnyLine>
void Call(AnyLine& line, long warm_ms, long measure_ms) {
  const auto warm_until = Clock::now() + std::chrono::milliseconds(warm_ms);
  const auto until = warm_until + std::chrono::milliseconds(measure_ms);
  std::vector<double> round_trips_us;
  Frame frame;
  for (auto sent = Clock::now(); sent < until || round_trips_us.size() < kPingsMin;) {
    const uint64_t number = ++frame.number;
    line.Put(frame);
    line.Take(&frame);
    YARDSTICK_CHECK(frame.number == number);
    const auto answered = Clock::now();
    const std::chrono::duration<double, std::micro> took = answered - sent;
    if (sent >= warm_until) round_trips_us.push_back(took.count());
    sent = answered;
  }
  std::sort(round_trips_us.begin(), round_trips_us.end());
  std::printf("@bench {\"event\":\"pings\",\"p50\":%.3f,\"p99\":%.3f,\"count\":%zu}\n",
              MicrosecondsAt(round_trips_us, 0.5), MicrosecondsAt(round_trips_us, 0.99),
              round_trips_us.size());
  std::fflush(stdout);
}

/// Runs `use` on a line over the connected socket.
template <typename Use>
void WithLine(int fd, bool is_relayed, bool is_blocking, Use use) {
  Wire wire(fd);
  if (!is_relayed) {
    Line<Wire, Wire> line(&wire, &wire, is_blocking);
    use(line);
    return;
  }
  Mailbox outward(is_blocking);
  Mailbox inward(is_blocking);
  std::thread(Relay, &wire, &outward, &inward, is_blocking).detach();
  Line<Mailbox, Mailbox> line(&inward, &outward, is_blocking);
  use(line);
}

void Pair(bool is_blocking, long warm_ms, long measure_ms) {
  Mailbox there(is_blocking);
  Mailbox back(is_blocking);
  std::thread([&] {
    Line<Mailbox, Mailbox> line(&there, &back, is_blocking);
    Echo(line);
  }).detach();
  Line<Mailbox, Mailbox> line(&back, &there, is_blocking);
  Call(line, warm_ms, measure_ms);
}

int Main(int count, char** words) {
  YARDSTICK_CHECK(count >= 4);
  EndWithRunner();
  const std::string_view role = words[1];
  const auto number = [&](int place) { return std::strtol(words[place], nullptr, 10); };
  if (role == "pair") {
    YARDSTICK_CHECK(count == 5);
    Pair(std::string_view(words[2]) == "block", number(3), number(4));
    return 0;
  }
  const bool is_relayed = std::string_view(words[2]) == "relayed";
  const bool is_blocking = std::string_view(words[3]) == "block";
  if (role == "echo") {
    uint16_t port = 0;
    const int listener = Listen(&port);
    ReportListening(port);
    WithLine(Accept(listener), is_relayed, is_blocking, [](auto& line) { Echo(line); });
    return 0;
  }
  YARDSTICK_CHECK(count == 7);
  const int fd = Connect(static_cast<uint16_t>(number(4)));
  YARDSTICK_CHECK(fd >= 0);
  WithLine(fd, is_relayed, is_blocking,
           [&](auto& line) { Call(line, number(5), number(6)); });
  return 0;
}

}  // namespace

}  // namespace yardstick

int main(int count, char** words) {
  const int code = yardstick::Main(count, words);
  std::fflush(stdout);
  _exit(code);  // The other threads are in the middle of their loops.
}
