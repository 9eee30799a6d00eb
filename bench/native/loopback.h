#ifndef FOUNDATION_BENCH_LOOPBACK_H_
#define FOUNDATION_BENCH_LOOPBACK_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <thread>

#include "check.h"

/// What the stand-alone programs share: loopback sockets and the line protocol of processes.mjs.
namespace yardstick {

inline sockaddr_in LoopbackAddress(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

/// Small writes go out at once.
inline void DisableNagle(int fd) {
  const int on = 1;
  YARDSTICK_CHECK(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0);
}

/// Listens on a port of the system's choice.
inline int Listen(uint16_t* port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  YARDSTICK_CHECK(fd >= 0);
  sockaddr_in address = LoopbackAddress(0);
  socklen_t length = sizeof(address);
  YARDSTICK_CHECK(bind(fd, reinterpret_cast<sockaddr*>(&address), length) == 0);
  YARDSTICK_CHECK(listen(fd, 64) == 0);
  YARDSTICK_CHECK(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0);
  *port = ntohs(address.sin_port);
  return fd;
}

/// Accepts one connection.
inline int Accept(int listener) {
  const int fd = accept(listener, nullptr, nullptr);
  YARDSTICK_CHECK(fd >= 0);
  DisableNagle(fd);
  return fd;
}

/// Connects; -1 when nobody listens there.
inline int Connect(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  YARDSTICK_CHECK(fd >= 0);
  const sockaddr_in address = LoopbackAddress(port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    close(fd);
    return -1;
  }
  DisableNagle(fd);
  return fd;
}

/// Tells the runner where this program listens.
inline void ReportListening(uint16_t port) {
  std::printf("@bench {\"event\":\"listening\",\"address\":\"127.0.0.1:%u\"}\n", port);
  std::fflush(stdout);
}

/// Ends the program with its runner, whose end closes standard input.
inline void EndWithRunner() {
  std::thread([] {
    char byte = 0;
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    _exit(1);
  }).detach();
}

}  // namespace yardstick

#endif  // FOUNDATION_BENCH_LOOPBACK_H_
