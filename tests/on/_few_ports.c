/*
 * Preloaded into a process: leaves it few ports to connect from, so that each is
 * soon used again. (A network namespace would do, but needs privileges.) PORTS in
 * its environment says how many, 50 if it is missing. With RESET in it, closing a
 * connection resets it.
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

int connect(int fd, const struct sockaddr *to, socklen_t length) {
  static int (*next)(int, const struct sockaddr *, socklen_t);
  const char *ports = getenv("PORTS");
  const uint32_t last = FIRST_PORT - 1 + (ports ? atoi(ports) : 50);
  const uint32_t range = last << 16 | FIRST_PORT;
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
