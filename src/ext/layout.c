// SPDX-License-Identifier: Apache-2.0
//
// How the file of a module or a connector is written, when it is not a person who writes it: such files lie in git and are read there. A
// line for each member, in its lists a line for each item; what lies deeper stands in that line.
#include "ext/inside.h"

static void line(struct buffer *out, int depth)
{
    buffer_add_char(out, '\n');
    for (int i = 0; i < depth; i++) {
        buffer_add(out, VIEW("  "));
    }
}

void ext_object_lay_out(struct view json, struct buffer *out)
{
    int depth = 0;
    bool list = false; // the second level's
    for (size_t i = 0; i < json.len; i++) {
        char c = json.data[i];
        if (c == '"') {
            size_t from = i;
            for (i++; json.data[i] != '"'; i++) {
                i += json.data[i] == '\\';
            }
            buffer_add(out, view_slice(json, from, i + 1 - from));
            continue;
        }
        bool opens = c == '{' || c == '[', closes = c == '}' || c == ']',
             empty = opens && (json.data[i + 1] == '}' || json.data[i + 1] == ']');
        if (empty) {
            buffer_add(out, view_slice(json, i++, 2));
            continue;
        }
        depth += opens;
        list = opens && depth == 2 ? c == '[' : list;
        bool breaks = (opens || closes || c == ',') && (depth == 1 || (depth == 2 && list));
        depth -= closes;
        if (closes && breaks) {
            line(out, depth);
        } else if (c == '}') {
            buffer_add_char(out, ' ');
        }
        buffer_add_char(out, c);
        if (!closes && breaks) {
            line(out, depth);
        } else if (c == '{' || c == ',' || c == ':') {
            buffer_add_char(out, ' ');
        }
    }
    buffer_add_char(out, '\n');
}
