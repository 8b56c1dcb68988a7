/* Clients of an HTTP server under test, in one thread of one process, so that on
 * two cores the server has the other one. Each asks, and asks again when the
 * answer has come, whose last bytes are the body "hello\n", or the last chunk.
 *
 * Reads lines "PORT PEERS REQUESTS HEADER SECONDS" and answers each with a line:
 * answers per second. REQUESTS are those on one connection, 0 for no end; with
 * HEADER 1 a v2 header comes before the first, else that request is as much
 * longer. The busy loop excludes the time to wake up.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REQUEST "GET / HTTP/1.1\r\nHost: a\r\n"
#define BODY "hello\n"
#define LAST_CHUNK "0\r\n\r\n"

static const char V2[28] =
    "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\1\xdc\4\1\xbb";

struct client {
  int fd;
  int left;     /* requests, this one included; 0 for no end */
  int is_chunked; /* of this answer; -1 before it has begun */
  char tail[8]; /* the last bytes that have come, as many as the body has */
};

static int poll_fd, port, requests, has_header;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void ask(struct client *client, const char *bytes, size_t length) {
  memset(client->tail, 0, sizeof client->tail);
  client->is_chunked = -1;
  if (send(client->fd, bytes, length, MSG_NOSIGNAL) != (ssize_t)length)
    die("send");
}

static void dial(struct client *client) {
  char first[256];
  int on = 1;
  size_t length = 0;
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons(port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
  client->fd = socket(AF_INET, SOCK_STREAM, 0);
  client->left = requests;
  setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(client->fd, (void *)&address, sizeof address)) die("connect");
  if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, client->fd, &event)) die("epoll_ctl");
  if (has_header) {
    memcpy(first, V2, sizeof V2);
    length = sizeof V2;
    length += sprintf(first + length, REQUEST "\r\n");
  } else {
    length = sprintf(first, REQUEST "A: %023d\r\n\r\n", 0);
  }
  ask(client, first, length);
}

/* Whether the answer is complete. */
static int take(struct client *client) {
  char bytes[4096];
  size_t keep = strlen(BODY);
  ssize_t got = recv(client->fd, bytes, sizeof bytes, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return 0;
  if (got <= 0) die("answer");
  if (client->is_chunked < 0)
    client->is_chunked = memmem(bytes, got, "chunked", 7) != NULL;
  if ((size_t)got >= keep) {
    memcpy(client->tail, bytes + got - keep, keep);
  } else {
    memmove(client->tail, client->tail + got, keep - got);
    memcpy(client->tail + keep - got, bytes, got);
  }
  return client->is_chunked ? !memcmp(client->tail + 1, LAST_CHUNK, keep - 1)
                            : !memcmp(client->tail, BODY, keep);
}

static uint64_t run(struct client *clients, int peers, double end) {
  struct epoll_event events[256];
  uint64_t total = 0;
  double last = now();
  for (int i = 0; i < peers; i++) dial(&clients[i]);
  while (now() < end) {
    int count = epoll_wait(poll_fd, events, 256, 0);
    if (count > 0) last = now();
    else if (now() - last > 5) die("stalled");
    for (int i = 0; i < count; i++) {
      struct client *client = events[i].data.ptr;
      if (!take(client)) continue;
      total++;
      if (client->left == 1) {
        close(client->fd);
        dial(client);
      } else {
        if (client->left > 1) client->left--;
        ask(client, REQUEST "\r\n", strlen(REQUEST "\r\n"));
      }
    }
  }
  for (int i = 0; i < peers; i++) close(clients[i].fd);
  return total;
}

int main(void) {
  char line[256];
  int peers;
  double seconds;
  poll_fd = epoll_create1(0);
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("ready\n");
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "%d %d %d %d %lf", &port, &peers, &requests, &has_header,
               &seconds) != 5)
      die("line");
    struct client *clients = calloc(peers, sizeof *clients);
    double start = now();
    uint64_t total = run(clients, peers, start + seconds);
    printf("%.0f\n", total / (now() - start));
    free(clients);
  }
  return 0;
}
