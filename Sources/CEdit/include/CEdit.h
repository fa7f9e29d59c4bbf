// The line editor libedit.
//
// Why a shim: Swift imports neither functions with `...` nor the standard streams as constants, so
// each of their uses has a function here; and libedit's output passes through a stream of our own.
#pragma once

#include <histedit.h>
#include <langinfo.h>

/// Makes an editor between standard input and output.
///
/// libedit counts a column for every character. A combining mark takes none on the screen, so it is
/// written on a dotted circle there, and the screen is as libedit expects.
EditLine *cedit_init(const char *program);

/// The number of columns that libedit gives a character.
int cedit_columns(unsigned scalar);

/// Whether the terminal `name` is known and supports the codes of ECMA-48 that the prompt writes:
/// one of them erases the rest of a line.
int cedit_knows_terminal(const char *name);

/// Sets the function that returns the prompt.
static inline int cedit_set_prompt(EditLine *editor, char *(*prompt)(EditLine *)) {
  return el_set(editor, EL_PROMPT, prompt);
}

/// Chooses the keys of "emacs" or "vi".
static inline int cedit_set_keys(EditLine *editor, const char *name) {
  return el_set(editor, EL_EDITOR, name);
}

/// Stores a pointer for the callbacks.
static inline int cedit_set_client(EditLine *editor, void *client) {
  return el_set(editor, EL_CLIENTDATA, client);
}

/// Returns the stored pointer.
static inline void *cedit_client(EditLine *editor) {
  void *client = NULL;
  el_get(editor, EL_CLIENTDATA, &client);
  return client;
}

/// Reads keys through `read` in place of libedit's own reader.
static inline int cedit_set_reader(EditLine *editor, el_rfunc_t read) {
  return el_set(editor, EL_GETCFN, read);
}

/// Defines an editing function under a name to which keys can be bound.
static inline int cedit_add_function(
    EditLine *editor, const char *name, const char *help,
    unsigned char (*function)(EditLine *, int)) {
  return el_set(editor, EL_ADDFN, name, help, function);
}

/// Binds a key in the main map.
static inline int cedit_bind(EditLine *editor, const char *key, const char *function) {
  return el_set(editor, EL_BIND, key, function, NULL);
}

/// Binds a key in the second map, that of vi's command mode.
static inline int cedit_bind_alternative(EditLine *editor, const char *key, const char *function) {
  return el_set(editor, EL_BIND, "-a", key, function, NULL);
}

/// Lets libedit's history keys select among `lines`.
static inline int cedit_set_history(EditLine *editor, History *lines) {
  return el_set(editor, EL_HIST, history, lines);
}

/// Redraws the prompt and the line at the cursor.
static inline int cedit_redraw(EditLine *editor) { return el_set(editor, EL_REFRESH); }

/// Sets the number of lines that a history keeps.
static inline int cedit_history_size(History *lines, int count) {
  HistEvent event;
  return history(lines, &event, H_SETSIZE, count);
}

/// Adds a line to a history.
static inline int cedit_history_enter(History *lines, const char *line) {
  HistEvent event;
  return history(lines, &event, H_ENTER, line);
}

/// Changes a flag of the terminal, such as "-ixon", while a line is edited ("-d") or between lines
/// ("-x").
static inline void cedit_set_terminal(EditLine *editor, const char *when, const char *flag) {
  (void)el_set(editor, EL_SETTY, when, flag, NULL);
}

/// The name of the locale's character encoding; CODESET is a macro, which Swift cannot import.
static inline const char *cedit_codeset(void) { return nl_langinfo(CODESET); }

/// The name of the keys in use: "emacs" or "vi".
static inline const char *cedit_keys(EditLine *editor) {
  const char *name = "";
  el_get(editor, EL_EDITOR, &name);
  return name;
}
