/* The other side of the benches: clients of a server under test, and the end
 * server behind a relay, in one thread of one process, so that on two cores
 * the server under test has the other one. Payload is sent from pages of the
 * kernel and thrown away there: the load costs less than what it measures.
 *
 * Prints the port of the end server; then, for each line of its input, how much
 * was done and how much that was per second:
 *   echo PORT PEERS SECONDS   connections: v2 header and 64 bytes, which come
 *                             back, then the end
 *   http PORT PEERS SECONDS   connections: v2 header, a request, its answer
 *   pure PORT PEERS SECONDS   the same without a header, the request that longer
 *   bulk PORT PEERS SECONDS   bytes: v2 header and payload, until its end is
 *                             answered by an end
 *   hold PORT PEERS SECONDS   peers that send the first 20 bytes of a header and
 *                             stay; "drop 0 PEERS 0" closes them but for PEERS
 *   stay PORT PEERS SECONDS   the same of peers that send a header and 64 bytes,
 *                             and have them back
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE 64
#define PAGES (1 << 20)
#define HTTP "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"

static const char V2[28] =
    "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\1\xdc\4\1\xbb";

/* Both ends of a connection: a client, or what the end server has accepted. */
struct end {
  int fd;
  enum { ANSWERED, FLOOD, FLOODED, STAYING, GREETING, SINK } state;
  uint64_t got;
  char bytes[256];
};

static int poll_fd, listen_fd, pages_fd, is_echo, is_stay, served_count;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static struct sockaddr_in loopback(int port) {
  return (struct sockaddr_in){.sin_family = AF_INET,
                              .sin_port = htons(port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static struct end *watch(int fd, int state, uint32_t events) {
  struct end *end = calloc(1, sizeof *end);
  end->fd = fd;
  end->state = state;
  struct epoll_event event = {.events = events, .data.ptr = end};
  if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event)) die("epoll_ctl");
  return end;
}

static void finish(struct end *end) {
  if (end->state >= GREETING) served_count--;
  close(end->fd);
  free(end);
}

static void send_all(int fd, const void *bytes, size_t length) {
  if (send(fd, bytes, length, MSG_NOSIGNAL) != (ssize_t)length) die("send");
}

static int dial(int port, const char *bytes, size_t length) {
  struct sockaddr_in address = loopback(port);
  int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) die("socket");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(fd, (void *)&address, sizeof address)) die("connect");
  send_all(fd, bytes, length);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

/* Length of the header of either version; 0 while it is not complete. */
static size_t header_length(const char *bytes, size_t length) {
  if (length > 0 && bytes[0] == 'P') {
    const char *line_end = memchr(bytes, '\n', length);
    return line_end ? line_end - bytes + 1 : 0;
  }
  return length < 16 ? 0 : 16 + (uint8_t)bytes[14] * 256 + (uint8_t)bytes[15];
}

/* Reads without copying to here; whether the end has come. */
static int sink(const struct end *end) {
  return recv(end->fd, NULL, 4 * PAGES, MSG_TRUNC | MSG_DONTWAIT) == 0;
}

/* The end server: takes the header off, echoes a message or sinks all. */
static void serve(struct end *end) {
  if (end->state == SINK) {
    if (sink(end)) finish(end);
    return;
  }
  ssize_t count = recv(end->fd, end->bytes + end->got,
                       sizeof end->bytes - end->got, MSG_DONTWAIT);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) return finish(end); // a probe
  end->got += count;
  size_t header = header_length(end->bytes, end->got);
  if (header == 0 || end->got <= header) return;
  if (!is_echo) {
    end->state = SINK;
  } else if (end->got >= header + MESSAGE) {
    send_all(end->fd, end->bytes + header, MESSAGE);
    if (!is_stay) return finish(end);
    end->got = 0; // the peer sends no more
  }
}

static void accept_all(void) {
  int on = 1, fd;
  while ((fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(fd, GREETING, EPOLLIN);
    served_count++;
  }
}

/* Runs both sides until all clients are through: how many were, or what they sent. */
static uint64_t run(int port, int peers, double end, const char *bytes,
                    size_t length, size_t expected, int flood) {
  uint64_t total = 0;
  struct epoll_event events[256];
  for (int i = 0; i < peers; i++) {
    watch(dial(port, bytes, length), flood ? FLOOD : ANSWERED,
          flood ? EPOLLOUT : EPOLLIN);
  }
  double last = now();
  while (peers > 0) {
    /* Without sleep: to wake it would be part of the server's time. */
    int count = epoll_wait(poll_fd, events, 256, 0);
    if (count > 0) last = now();
    else if (now() - last > 5) die("stalled");
    for (int i = 0; i < count; i++) {
      struct end *client = events[i].data.ptr;
      if (client == NULL) {
        accept_all();
      } else if (client->state >= GREETING) {
        serve(client);
      } else if (client->state == FLOOD) {
        off_t at = 0;
        if (now() < end) {
          ssize_t sent = sendfile(client->fd, pages_fd, &at, PAGES);
          if (sent > 0) total += sent;
          else if (errno != EAGAIN) die("sendfile");
        } else {
          struct epoll_event in = {.events = EPOLLIN, .data.ptr = client};
          shutdown(client->fd, SHUT_WR);
          epoll_ctl(poll_fd, EPOLL_CTL_MOD, client->fd, &in);
          client->state = FLOODED;
        }
      } else {
        ssize_t got = recv(client->fd, client->bytes, sizeof client->bytes, 0);
        if (got > 0) client->got += got;
        if (got > 0 || (got < 0 && errno == EAGAIN)) continue;
        if (got < 0 || client->got < expected) die("answer");
        finish(client);
        if (!flood) total++;
        if (!flood && now() < end) {
          watch(dial(port, bytes, length), ANSWERED, EPOLLIN);
        } else {
          peers--;
        }
      }
    }
  }
  return total;
}

static struct end *held[1 << 15];
static int held_count;

static void hold(int port, int peers) {
  for (; held_count < peers; held_count++) {
    held[held_count] = watch(dial(port, V2, 20), STAYING, 0);
    if (held_count % 64 == 63) usleep(10000); // less than a queue of listen()
  }
}

/* Handles what has happened: how many peers have their bytes back since. */
static int look(void) {
  struct epoll_event events[256];
  int answered = 0, count = epoll_wait(poll_fd, events, 256, 0);
  for (int i = 0; i < count; i++) {
    struct end *end = events[i].data.ptr;
    if (end == NULL) {
      accept_all();
    } else if (end->state >= GREETING) {
      serve(end);
    } else {
      ssize_t got = recv(end->fd, end->bytes, sizeof end->bytes, 0);
      if (got <= 0) die("lost");
      end->got += got;
      if (end->got == MESSAGE) answered++;
    }
  }
  return answered;
}

static void stay(int port, int peers, const char *bytes, size_t length) {
  while (held_count < peers) {
    double start = now();
    int waiting = 0;
    for (; waiting < 64 && held_count < peers; waiting++)
      held[held_count++] = watch(dial(port, bytes, length), STAYING, EPOLLIN);
    while (waiting > 0) {
      waiting -= look();
      if (now() - start > 5) die("stalled");
    }
  }
}

static void drop(int peers) {
  double start = now();
  while (held_count > peers) finish(held[--held_count]);
  while (peers == 0 && served_count > 0) {
    look();
    if (now() - start > 20) die("not closed");
  }
}

int main(void) {
  char line[256], kind[8], message[256];
  int port, peers;
  double seconds;
  struct sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  pages_fd = memfd_create("pages", 0);
  if (ftruncate(pages_fd, PAGES)) die("memfd");
  poll_fd = epoll_create1(0);
  listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (bind(listen_fd, (void *)&address, size) || listen(listen_fd, 1024) ||
      getsockname(listen_fd, (void *)&address, &size))
    die("listen");
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(poll_fd, EPOLL_CTL_ADD, listen_fd, &event);
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("%d\n", ntohs(address.sin_port));
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "%7s %d %d %lf", kind, &port, &peers, &seconds) != 4)
      die("line");
    double start = now();
    if (!strcmp(kind, "hold")) {
      hold(port, peers);
      printf("%d\n", held_count);
      continue;
    }
    if (!strcmp(kind, "drop")) {
      printf("%d\n", held_count);
      drop(peers);
      continue;
    }
    size_t length = 0;
    is_stay = !strcmp(kind, "stay");
    is_echo = is_stay || !strcmp(kind, "echo");
    if (strcmp(kind, "pure")) {
      memcpy(message, V2, sizeof V2);
      length = sizeof V2;
    }
    if (is_echo) {
      memset(message + length, 'E', MESSAGE);
      length += MESSAGE;
    } else if (!strcmp(kind, "http")) {
      length += sprintf(message + length, HTTP "\r\n");
    } else if (!strcmp(kind, "pure")) {
      length += sprintf(message, HTTP "A: %023d\r\n\r\n", 0); // 28 bytes more
    }
    if (is_stay) {
      stay(port, peers, message, length);
      printf("%d %.0f\n", held_count, held_count / (now() - start));
      continue;
    }
    uint64_t total = run(port, peers, start + seconds, message, length,
                         is_echo ? MESSAGE : 0, !strcmp(kind, "bulk"));
    printf("%ju %.0f\n", (uintmax_t)total, total / (now() - start));
  }
  return 0;
}
