/*
 * Preloaded into a process: leaves it few ports to connect from, so that each is
 * soon used again. (A network namespace would do, but needs privileges.) With
 * RESET in its environment, closing a connection resets it.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

#ifndef IP_LOCAL_PORT_RANGE /* Linux 6.3 */
#define IP_LOCAL_PORT_RANGE 51
#endif

#define FIRST_PORT 40000u
#define LAST_PORT 40049u

int connect(int fd, const struct sockaddr *to, socklen_t length) {
  static int (*next)(int, const struct sockaddr *, socklen_t);
  const uint32_t range = LAST_PORT << 16 | FIRST_PORT;
  if (!next) next = (int (*)(int, const struct sockaddr *, socklen_t))dlsym(
      RTLD_NEXT, "connect");
  if (to->sa_family == AF_INET)
    setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range, sizeof range);
  if (getenv("RESET")) {
    const struct linger at_once = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  return next(fd, to, length);
}
