#define _GNU_SOURCE
#include "CEdit.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

// The functions with which libedit itself reads terminal data; <term.h> defines macros with common
// names.
int tgetent(char *buffer, const char *name);
char *tgetstr(const char *capability, char **area);

/// Writes `count` bytes to the screen.
static int send_all(const char *bytes, size_t count) {
  while (count > 0) {
    ssize_t part = write(STDOUT_FILENO, bytes, count);
    if (part > 0) {
      bytes += part;
      count -= (size_t)part;
    } else if (errno == EAGAIN) {
      struct pollfd screen = {.fd = STDOUT_FILENO, .events = POLLOUT};
      poll(&screen, 1, -1);
    } else if (errno != EINTR) {
      return -1;
    }
  }
  return 0;
}

/// Writes libedit's output to the screen, with a dotted circle under each combining mark.
///
/// The buffer may end within a character, whose beginning then waits for the next call.
static ssize_t write_screen(void *cookie, const char *bytes, size_t size) {
  (void)cookie;
  static const char circle[] = "\342\227\214";
  static mbstate_t state;
  static char character[MB_LEN_MAX];
  static size_t length;
  char text[1024];
  size_t count = 0;
  for (size_t i = 0; i < size; i++) {
    if (count + sizeof circle + sizeof character > sizeof text) {
      if (send_all(text, count) != 0) return -1;
      count = 0;
    }
    character[length++] = bytes[i];
    wchar_t scalar = 0;
    size_t read = mbrtowc(&scalar, bytes + i, 1, &state);
    if (read == (size_t)-2 && length < sizeof character) continue;
    if (read == (size_t)-1) memset(&state, 0, sizeof state);
    if (read == 1 && scalar != 0 && wcwidth(scalar) == 0) {
      memcpy(text + count, circle, sizeof circle - 1);
      count += sizeof circle - 1;
    }
    memcpy(text + count, character, length);
    count += length;
    length = 0;
  }
  return send_all(text, count) == 0 ? (ssize_t)size : -1;
}

EditLine *cedit_init(const char *program) {
  cookie_io_functions_t functions = {.write = write_screen};
  FILE *screen = fopencookie(NULL, "w", functions);
  if (screen == NULL) return NULL;
  return el_init_fd(program, stdin, screen, stderr, STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO);
}

int cedit_columns(unsigned scalar) {
  int columns = wcwidth((wchar_t)scalar);
  return columns > 0 ? columns : 1;
}

int cedit_knows_terminal(const char *name) {
  // The buffer may be NULL, since ncurses does not need it.
  if (tgetent(NULL, name) != 1) return 0;
  const char *erase = tgetstr("ce", NULL);
  return erase != NULL && strstr(erase, "\033[K") != NULL;
}
