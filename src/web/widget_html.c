// SPDX-License-Identifier: Apache-2.0
//
// The scanner that finds the SDK's script tags in a widget's page. It knows of HTML what is needed to tell a start tag from everything that
// only looks like one: comments, end tags, quoted values, and the elements whose content is text (a script that writes script tags is not
// touched). It reads as browsers tokenise (HTML standard §13.2.5), and where it would have to guess it leaves the page alone: a tag that
// does not end, or has more attributes than anybody writes, is copied as it is.
#include "web/widget_html.h"

struct scanner {
    struct view html;
    size_t at; // next byte to look at
    size_t copied; // bytes before it are in `out`, or were replaced there
    struct buffer *out;
    bool changed;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// ---- addresses ----------------------------------------------------------------------------------

bool widget_sdk_version(struct view text)
{
    bool good = text.len > 0 && text.len <= WIDGET_SDK_VERSION_MAX && is_digit(text.data[text.len - 1]);
    for (size_t i = 0; good && i < text.len; i++) {
        good = is_digit(text.data[i]) || (text.data[i] == '.' && i > 0 && is_digit(text.data[i - 1]));
    }
    return good;
}

// live.zwidgets.com and its like; the static hosts that Zoho's pages load the same file from.
static bool is_zoho_host(struct view host)
{
    static const char *const domains[] = {"zwidgets.com", "zohocdn.com", "zohostatic.com"};
    for (size_t i = 0; i < BASE_COUNT(domains); i++) {
        struct view domain = view_of(domains[i]);
        if (host.len < domain.len || !view_eq_nocase(view_from(host, host.len - domain.len), domain)) {
            continue;
        }
        struct view front = view_slice(host, 0, host.len - domain.len);
        bool good = front.len == 0 || view_ends(front, VIEW("."));
        for (size_t k = 0; good && k < front.len; k++) { // a name, nothing that a browser would read otherwise
            good = is_letter(front.data[k]) || is_digit(front.data[k]) || front.data[k] == '-' || front.data[k] == '.';
        }
        return good;
    }
    return false;
}

static struct view last_segment(struct view *path)
{
    size_t slash = path->len;
    while (slash > 0 && path->data[slash - 1] != '/') {
        slash--;
    }
    struct view last = view_from(*path, slash);
    *path = view_slice(*path, 0, slash ? slash - 1 : 0);
    return last;
}

bool widget_sdk_address(struct view address, struct view *ret_version)
{
    struct view rest = view_trim(address);
    rest = view_starts_nocase(rest, VIEW("https:"))  ? view_from(rest, 6)
           : view_starts_nocase(rest, VIEW("http:")) ? view_from(rest, 5)
                                                     : rest;
    if (!view_starts(rest, VIEW("//"))) {
        return false;
    }
    struct view path = view_from(rest, 2);
    path = view_cut(&path, '#');
    path = view_cut(&path, '?');
    struct view host = view_cut(&path, '/');
    if (!is_zoho_host(host)) {
        return false;
    }
    struct view file = last_segment(&path), version = last_segment(&path);
    *ret_version = widget_sdk_version(version) ? version : VIEW(WIDGET_SDK_NEWEST);
    return view_eq_nocase(file, VIEW(WIDGET_SDK_FILE)) || view_eq_nocase(file, VIEW("ZohoEmbededAppSDK.js"));
}

// ---- tags ---------------------------------------------------------------------------------------

struct span {
    size_t start, end;
};
struct tag {
    struct view name;
    struct span src, integrity; // the values without quotes; end 0: there is none
};

static char byte_at(const struct scanner *scanner, size_t at)
{
    return at < scanner->html.len ? scanner->html.data[at] : 0;
}

static void skip_blanks(struct scanner *scanner)
{
    while (scanner->at < scanner->html.len && is_blank(scanner->html.data[scanner->at])) {
        scanner->at++;
    }
}

// Behind "=": quoted, or up to a blank or ">". False: the page ends in it.
static bool read_value(struct scanner *scanner, struct span *ret_value)
{
    char quote = byte_at(scanner, scanner->at);
    bool quoted = quote == '"' || quote == '\'';
    size_t end = scanner->at + quoted;
    ret_value->start = end;
    while (end < scanner->html.len &&
           (quoted ? scanner->html.data[end] != quote : !is_blank(scanner->html.data[end]) && scanner->html.data[end] != '>')) {
        end++;
    }
    ret_value->end = end;
    scanner->at = end + quoted;
    return end < scanner->html.len;
}

// Of two the first counts.
static void keep_attribute(struct tag *tag, struct view name, struct span value)
{
    struct span *kept = view_eq_nocase(name, VIEW("src")) ? &tag->src : view_eq_nocase(name, VIEW("integrity")) ? &tag->integrity : NULL;
    if (kept && !kept->end) {
        *kept = value;
    }
}

// False: the page ends in it.
static bool read_attribute(struct scanner *scanner, struct tag *tag)
{
    size_t start = scanner->at;
    do { // a "=" in front belongs to the name
        scanner->at++;
    } while (scanner->at < scanner->html.len && !is_blank(scanner->html.data[scanner->at]) && scanner->html.data[scanner->at] != '/' &&
             scanner->html.data[scanner->at] != '>' && scanner->html.data[scanner->at] != '=');
    struct view name = view_slice(scanner->html, start, scanner->at - start);
    struct span value = {0, 0};
    skip_blanks(scanner);
    if (byte_at(scanner, scanner->at) != '=') {
        return scanner->at < scanner->html.len;
    }
    scanner->at++;
    skip_blanks(scanner);
    if (byte_at(scanner, scanner->at) == '>') {
        return true; // an empty value
    }
    if (!read_value(scanner, &value)) {
        return false;
    }
    keep_attribute(tag, name, value);
    return true;
}

// At the first letter of a tag's name; leaves `at` behind its ">". False: it does not end, or is none that anybody would write.
static bool read_tag(struct scanner *scanner, struct tag *tag)
{
    size_t start = scanner->at;
    *tag = (struct tag){.name = VIEW_NONE};
    while (scanner->at < scanner->html.len && !is_blank(scanner->html.data[scanner->at]) && scanner->html.data[scanner->at] != '/' &&
           scanner->html.data[scanner->at] != '>') {
        scanner->at++;
    }
    tag->name = view_slice(scanner->html, start, scanner->at - start);
    for (int count = 0; count <= WIDGET_ATTRIBUTES_MAX; count++) {
        while (scanner->at < scanner->html.len && (is_blank(scanner->html.data[scanner->at]) || scanner->html.data[scanner->at] == '/')) {
            scanner->at++;
        }
        if (byte_at(scanner, scanner->at) == '>') {
            scanner->at++;
            return true;
        }
        if (scanner->at >= scanner->html.len || !read_attribute(scanner, tag)) {
            break;
        }
    }
    scanner->at = scanner->html.len;
    return false;
}

// ---- what is no tag -----------------------------------------------------------------------------

// Behind the next `ending`, or at the end of the page.
static void skip_past(struct scanner *scanner, struct view ending)
{
    ptrdiff_t at = view_find(view_from(scanner->html, scanner->at), ending);
    scanner->at = at < 0 ? scanner->html.len : scanner->at + (size_t)at + ending.len;
}

// The content of an element that is text: up to its end tag, which is left to be read.
static void skip_text(struct scanner *scanner, struct view name)
{
    for (; scanner->at < scanner->html.len; scanner->at++) {
        ptrdiff_t found = view_find(view_from(scanner->html, scanner->at), VIEW("</"));
        if (found < 0) {
            break;
        }
        scanner->at += (size_t)found;
        struct view rest = view_from(scanner->html, scanner->at + 2);
        char after = byte_at(scanner, scanner->at + 2 + name.len);
        if (view_starts_nocase(rest, name) && (is_blank(after) || after == '/' || after == '>')) {
            return;
        }
    }
    scanner->at = scanner->html.len;
}

static bool holds_text(struct view name)
{
    static const char *const names[] = {"script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes", "noscript"};
    for (size_t i = 0; i < BASE_COUNT(names); i++) {
        if (view_eq_nocase(name, view_of(names[i]))) {
            return true;
        }
    }
    return false;
}

// ---- replacing ----------------------------------------------------------------------------------

static void replace(struct scanner *scanner, struct span span, struct view text)
{
    buffer_add(scanner->out, view_slice(scanner->html, scanner->copied, span.start - scanner->copied));
    buffer_add(scanner->out, text);
    scanner->copied = span.end;
}

static void replace_source(struct scanner *scanner, struct span src, struct view version)
{
    replace(scanner, src, VIEW(WIDGET_SDK_FOLDER));
    buffer_add(scanner->out, version);
    buffer_add(scanner->out, VIEW("/" WIDGET_SDK_FILE));
}

// A digest of Zoho's file would not let ours run; an empty one lets everything run.
static void empty_digest(struct scanner *scanner, struct span digest)
{
    char before = digest.end ? scanner->html.data[digest.start - 1] : 0;
    if (digest.end) {
        replace(scanner, digest, before == '"' || before == '\'' ? VIEW("") : VIEW("\"\""));
    }
}

static void lead_home(struct scanner *scanner, const struct tag *tag)
{
    struct view version;
    if (!view_eq_nocase(tag->name, VIEW("script")) || !tag->src.end ||
        !widget_sdk_address(view_slice(scanner->html, tag->src.start, tag->src.end - tag->src.start), &version)) {
        return;
    }
    bool digest_first = tag->integrity.start < tag->src.start;
    if (digest_first) {
        empty_digest(scanner, tag->integrity);
    }
    replace_source(scanner, tag->src, version);
    if (!digest_first) {
        empty_digest(scanner, tag->integrity);
    }
    scanner->changed = true;
}

static void read_markup(struct scanner *scanner)
{
    struct tag tag;
    char next = byte_at(scanner, scanner->at + 1);
    if (view_starts(view_from(scanner->html, scanner->at), VIEW("<!--"))) {
        scanner->at += 2; // "<!-->" is a whole comment
        skip_past(scanner, VIEW("-->"));
    } else if (next == '!' || next == '?') {
        skip_past(scanner, VIEW(">"));
    } else if (next == '/' && is_letter(byte_at(scanner, scanner->at + 2))) {
        scanner->at += 2;
        read_tag(scanner, &tag);
    } else if (next == '/') {
        skip_past(scanner, VIEW(">"));
    } else if (is_letter(next)) {
        scanner->at++;
        if (read_tag(scanner, &tag)) {
            lead_home(scanner, &tag);
            if (view_eq_nocase(tag.name, VIEW("plaintext"))) {
                scanner->at = scanner->html.len;
            } else if (holds_text(tag.name)) {
                skip_text(scanner, tag.name);
            }
        }
    } else {
        scanner->at++;
    }
}

bool widget_html_rewrite(struct view html, struct buffer *out)
{
    struct scanner scanner = {.html = html, .out = out};
    ptrdiff_t next;
    while (scanner.at < html.len && (next = view_find_char(view_from(html, scanner.at), '<')) >= 0) {
        scanner.at += (size_t)next;
        read_markup(&scanner);
    }
    if (scanner.changed) {
        buffer_add(out, view_from(html, scanner.copied));
    }
    return scanner.changed;
}
