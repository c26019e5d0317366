// SPDX-License-Identifier: Apache-2.0
//
// The error in a catch variable. Scripts print it (`info e`, "" + e, e.toString(): message and line, PRODUCT.md "Language decisions") far
// more often than they ask for e.message or e.lineNo, so it is a text, `MESSAGE at line N`, whose flag says that it also has those two
// fields. Copies keep the flag, texts made from it do not.

#include "lang/vm.h"

static const struct view AT_LINE = {" at line ", 9};

struct value caught_make(struct heap *heap, const struct fail *fail)
{
    struct value v = value_text_printf(heap, "%s%.*s%d", fail->text, VIEW_ARGS(AT_LINE), fail->line);
    if (v.type == VALUE_TEXT) {
        v.flags |= VALUE_CAUGHT;
    }
    return v;
}

// The flag alone decides: a script's own text that ends in " at line 5" has no fields.
bool caught_is(struct value v)
{
    return v.type == VALUE_TEXT && (v.flags & VALUE_CAUGHT) != 0;
}

// Where " at line N" begins; the text's length if it does not end so.
static size_t find_suffix(struct view text)
{
    size_t at = text.len;
    while (at > 0 && text.data[at - 1] >= '0' && text.data[at - 1] <= '9') {
        at--;
    }
    if (at < AT_LINE.len || !view_eq(view_slice(text, at - AT_LINE.len, AT_LINE.len), AT_LINE)) {
        return text.len;
    }
    return at - AT_LINE.len;
}

struct view caught_message(struct value caught)
{
    struct view text = value_view(caught);
    return view_slice(text, 0, find_suffix(text));
}

// Also the way back: an error that is thrown on keeps the line in which it happened.
int caught_line(struct value caught)
{
    struct view text = value_view(caught);
    int64_t line = 0;
    view_to_int64(view_from(text, find_suffix(text) + AT_LINE.len), &line);
    return (int)line;
}

// Names without case: e.lineNo and e.lineno are both met.
bool caught_field(struct heap *heap, struct value caught, struct view name, struct value *ret_value)
{
    if (view_eq_nocase(name, VIEW("message"))) {
        *ret_value = value_text(heap, caught_message(caught));
        return true;
    }
    if (view_eq_nocase(name, VIEW("lineNo"))) {
        *ret_value = value_number(caught_line(caught));
        return true;
    }
    return false;
}
