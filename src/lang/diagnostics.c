// SPDX-License-Identifier: Apache-2.0
//
// Collecting findings. Parser, checker and compiler report through here; lang_compile hands the list to its caller. The texts stand in
// diagnostics.def alone. One rule needs care: the list is bounded, and an error must not be lost because a hundred warnings came before it.
#include "lang/diagnostics.h"

enum level { ERROR, WARNING, STRICT };
static const struct {
    uint8_t level;
    struct view text, hint;
} table[DIAGNOSTIC_CODES] = {
#define DIAGNOSTIC(code, level, text, hint) {level, {text, sizeof(text) - 1}, {hint, sizeof(hint) - 1}},
#include "lang/diagnostics.def"
#undef DIAGNOSTIC
};

// What a message quotes of the source is cut: a hostile script can hold a name of a megabyte.
enum { QUOTE_BYTES_MAX = 100, MESSAGE_BYTES_MAX = 1024 };

void reporter_init(struct reporter *reporter, struct diagnostics *list, bool strict)
{
    *reporter = (struct reporter){.list = list, .strict = strict};
}

// A message is one line whatever it quotes.
static void add_quoted(struct buffer *out, struct view text)
{
    size_t len = utf8_clamp(text, QUOTE_BYTES_MAX);
    for (size_t i = 0; i < len; i++) {
        buffer_add_char(out, (uint8_t)text.data[i] < 0x20 ? ' ' : text.data[i]);
    }
}

static void compose(struct buffer *out, struct view text, const struct view views[REPORT_VIEWS_MAX])
{
    int used = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '{' && i + 1 < text.len && text.data[i + 1] == '}' && used < REPORT_VIEWS_MAX) {
            add_quoted(out, views[used++]);
            i++;
        } else {
            buffer_add_char(out, text.data[i]);
        }
    }
}

// The slot for a new finding, or NULL when the list is full of things at least as important.
static struct diagnostic *take_slot(struct diagnostics *list, enum diagnostic_level level)
{
    if (list->count < DIAGNOSTICS_MAX) {
        return &list->items[list->count++];
    }
    for (int i = DIAGNOSTICS_MAX - 1; level == DIAGNOSTIC_ERROR && i >= 0; i--) {
        if (list->items[i].level == DIAGNOSTIC_WARNING) {
            size_t behind = (size_t)(DIAGNOSTICS_MAX - 1 - i);
            memmove(&list->items[i], &list->items[i + 1], behind * sizeof list->items[0]);
            return &list->items[DIAGNOSTICS_MAX - 1];
        }
    }
    return NULL;
}

static void keep(struct diagnostics *list, struct diagnostic found)
{
    struct diagnostic *slot = take_slot(list, found.level);
    if (!slot) {
        return;
    }
    found.text = arena_copy(list->arena, found.text);
    found.hint = found.hint.len ? arena_copy(list->arena, found.hint) : VIEW_NONE;
    *slot = found;
}

void reporter_add(struct reporter *reporter, enum diagnostic_code code, struct place place, const struct view views[REPORT_VIEWS_MAX],
                  struct view hint)
{
    bool error = table[code].level == ERROR || (table[code].level == STRICT && reporter->strict);
    struct buffer message;
    buffer_init(&message, MESSAGE_BYTES_MAX);
    compose(&message, table[code].text, views);
    struct diagnostic found = {
        .level = error ? DIAGNOSTIC_ERROR : DIAGNOSTIC_WARNING,
        .line = (int)place.line,
        .column = (int)place.column,
        .text = buffer_view(&message),
        .hint = hint.len ? hint : table[code].hint,
    };
    if (error && reporter->errors++ == 0) {
        fail_set(&reporter->first, FAIL_COMPILE, "%.*s", VIEW_ARGS(found.text));
        reporter->first.line = found.line;
        reporter->first.column = found.column;
    }
    if (reporter->list) {
        reporter->list->errors += error;
        keep(reporter->list, found);
    }
    buffer_free(&message);
}
