#include "readable_memory.h"

#ifndef _WIN32
#include <fcntl.h>
#include <unistd.h>
#endif

namespace foundation {

#ifdef _WIN32

bool IsReadable(const void* address, size_t) { return address != nullptr; }

#else

bool IsReadable(const void* address, size_t bytes) {
  int ends[2];
  if (pipe(ends) != 0) return false;
  fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  fcntl(ends[1], F_SETFD, FD_CLOEXEC);
  // The kernel copies from the address into the pipe and answers EFAULT where a load would fault.
  const ssize_t written = write(ends[1], address, bytes);
  close(ends[0]);
  close(ends[1]);
  return written == static_cast<ssize_t>(bytes);
}

#endif

}  // namespace foundation
