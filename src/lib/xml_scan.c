// SPDX-License-Identifier: Apache-2.0
//
// A look over an XML text before libxml2 gets it. Some of what libxml2 does takes the square of the input (attributes of one element, XPath
// over node sets), and its tree is up to forty times as large as the text, so marks are counted first. Declarations in a DOCTYPE are
// refused altogether: entities are what makes small texts large, and no answer of a web service needs them. In well-formed text the marks
// stand where this finds them; at the first error libxml2 stops, and what was counted behind it does not matter.
#include "lib/xml.h"

struct scan {
    struct view text;
    size_t at, nodes;
    struct fail *fail;
};

// Moves behind `end`, or to the end of the text.
static void skip_to(struct scan *scan, struct view end)
{
    ptrdiff_t found = view_find(view_from(scan->text, scan->at), end);
    scan->at = found < 0 ? scan->text.len : scan->at + (size_t)found + end.len;
}

// <!DOCTYPE …>: without an internal subset it declares nothing, and what it names is never loaded.
static bool skip_doctype(struct scan *scan)
{
    char quote = '\0';
    for (; scan->at < scan->text.len; scan->at++) {
        char c = scan->text.data[scan->at];
        if (quote != '\0') {
            quote = c == quote ? '\0' : quote;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '[') {
            return fail_set(scan->fail, FAIL_SCRIPT, "Invalid XML: declarations and entities in a DOCTYPE are not read");
        } else if (c == '>') {
            break;
        }
    }
    return true;
}

// An element's tag: it and the text behind it are two nodes, an attribute and its text two more.
static bool skip_tag(struct scan *scan)
{
    char quote = '\0';
    size_t attributes = 0;
    for (; scan->at < scan->text.len; scan->at++) {
        char c = scan->text.data[scan->at];
        if (quote != '\0') {
            quote = c == quote ? '\0' : quote;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '=' && ++attributes > XML_ATTRIBUTES_MAX) {
            return fail_set(scan->fail, FAIL_SCRIPT, "Invalid XML: an element has more than %d attributes", XML_ATTRIBUTES_MAX);
        } else if (c == '>') {
            break;
        }
    }
    scan->nodes += 2 + 2 * attributes;
    return true;
}

static bool skip_mark(struct scan *scan)
{
    struct view rest = view_from(scan->text, scan->at);
    scan->nodes += 2;
    if (view_starts(rest, VIEW("<!--"))) {
        scan->at += 4;
        skip_to(scan, VIEW("-->"));
    } else if (view_starts(rest, VIEW("<![CDATA["))) {
        scan->at += 9;
        skip_to(scan, VIEW("]]>"));
    } else if (view_starts(rest, VIEW("<?"))) {
        skip_to(scan, VIEW("?>"));
    } else if (view_starts(rest, VIEW("<!"))) {
        return skip_doctype(scan);
    } else if (view_starts(rest, VIEW("</"))) {
        skip_to(scan, VIEW(">")); // its text is counted with the 2 above
    } else {
        scan->nodes -= 2;
        return skip_tag(scan);
    }
    return true;
}

bool xml_scan(struct view text, size_t *ret_nodes, struct fail *fail)
{
    struct scan scan = {.text = text, .fail = fail};
    if (text.len > XML_BYTES_MAX) {
        return fail_set(fail, FAIL_SCRIPT, "Invalid XML: the text is larger than 5 MB");
    }
    if (view_find_char(text, '\0') >= 0) {
        return fail_set(fail, FAIL_SCRIPT, "Invalid XML: the text holds a NUL");
    }
    for (;;) {
        ptrdiff_t mark = view_find_char(view_from(text, scan.at), '<');
        if (mark < 0) {
            break;
        }
        scan.at += (size_t)mark;
        if (!skip_mark(&scan)) {
            return false;
        }
        if (scan.nodes > XML_NODES_MAX) {
            return fail_set(fail, FAIL_SCRIPT, "Invalid XML: the text has more than %d nodes", XML_NODES_MAX);
        }
    }
    *ret_nodes = scan.nodes;
    return true;
}
