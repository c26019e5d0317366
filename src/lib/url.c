// SPDX-License-Identifier: Apache-2.0
//
// Text in URLs and in HTML: percent-encoding in Java's form spelling (encodeUrl: a blank is +) and in the RFC's (zoho.encryption.urlEncode:
// %20), and HTML entities. Zoho answers null where the argument is not a text.
#include "lib/inside.h"

static bool encode(struct native_call *call, bool space_as_plus)
{
    struct view text;
    if (!arg_text(call, 0, &text)) {
        return false;
    }
    struct buffer out;
    lib_buffer(call, &out);
    form_encode(&out, text, space_as_plus);
    lib_cost_bytes(call, text.len * 4);
    return lib_buffer_return(call, &out);
}

static bool url_encode_form(struct native_call *call)
{
    return encode(call, true);
}

static bool url_encode(struct native_call *call)
{
    return call->args[0].type == VALUE_TEXT ? encode(call, false) : lib_return(call, value_null());
}

static bool url_decode(struct native_call *call)
{
    if (call->args[0].type != VALUE_TEXT) {
        return lib_return(call, value_null());
    }
    lib_cost_bytes(call, call->args[0].len * (size_t)4);
    struct value text = form_decode(call->heap, value_view(call->args[0]), true);
    return text.type == VALUE_TEXT ? lib_return(call, text) : lib_memory_fail(call);
}

// ---- HTML ---------------------------------------------------------------------------------------

static const struct {
    struct view name; // with & and ;
    uint32_t code_point;
} entities[] = {
    {{"&amp;", 5}, '&'},       {{"&lt;", 4}, '<'},       {{"&gt;", 4}, '>'},       {{"&quot;", 6}, '"'},     {{"&#39;", 5}, '\''},
    {{"&apos;", 6}, '\''},     {{"&nbsp;", 6}, 0xA0},    {{"&copy;", 6}, 0xA9},    {{"&reg;", 5}, 0xAE},     {{"&euro;", 6}, 0x20AC},
    {{"&pound;", 7}, 0xA3},    {{"&yen;", 5}, 0xA5},     {{"&cent;", 6}, 0xA2},    {{"&sect;", 6}, 0xA7},    {{"&deg;", 5}, 0xB0},
    {{"&hellip;", 8}, 0x2026}, {{"&ndash;", 7}, 0x2013}, {{"&mdash;", 7}, 0x2014}, {{"&lsquo;", 7}, 0x2018}, {{"&rsquo;", 7}, 0x2019},
    {{"&ldquo;", 7}, 0x201C},  {{"&rdquo;", 7}, 0x201D}, {{"&bull;", 6}, 0x2022},  {{"&trade;", 7}, 0x2122}, {{"&auml;", 6}, 0xE4},
    {{"&ouml;", 6}, 0xF6},     {{"&uuml;", 6}, 0xFC},    {{"&Auml;", 6}, 0xC4},    {{"&Ouml;", 6}, 0xD6},    {{"&Uuml;", 6}, 0xDC},
    {{"&szlig;", 7}, 0xDF},    {{"&eacute;", 8}, 0xE9},  {{"&egrave;", 8}, 0xE8},  {{"&agrave;", 8}, 0xE0},  {{"&ccedil;", 8}, 0xE7},
};
enum { ENTITIES_ENCODED = 5 }; // the first ones are what encoding writes

// The five characters that mean something in HTML; all others stand for themselves in UTF-8.
static bool html_encode(struct native_call *call)
{
    struct view text;
    if (!arg_text(call, 0, &text)) {
        return false;
    }
    struct buffer out;
    lib_buffer(call, &out);
    for (size_t i = 0; i < text.len; i++) {
        size_t e = 0;
        while (e < ENTITIES_ENCODED && entities[e].code_point != (unsigned char)text.data[i]) {
            e++;
        }
        if (e < ENTITIES_ENCODED) {
            buffer_add(&out, entities[e].name);
        } else {
            buffer_add_char(&out, text.data[i]);
        }
    }
    lib_cost_bytes(call, text.len * 4);
    return lib_buffer_return(call, &out);
}

// "&#233;" or "&#xE9;" at the start of `text`: its length, 0 if there is none.
static size_t read_numeric(struct view text, uint32_t *ret_code_point)
{
    enum { DIGITS_MAX = 8 };
    size_t i = 2;
    bool hex = text.len > 3 && (text.data[2] == 'x' || text.data[2] == 'X');
    uint32_t code = 0, digits = 0;
    if (!view_starts(text, VIEW("&#"))) {
        return 0;
    }
    for (i += hex; i < text.len && digits <= DIGITS_MAX; i++, digits++) {
        char c = text.data[i], low = (char)(c | 32);
        if (c >= '0' && c <= '9') {
            code = code * (hex ? 16 : 10) + (uint32_t)(c - '0');
        } else if (hex && low >= 'a' && low <= 'f') {
            code = code * 16 + (uint32_t)(low - 'a') + 10;
        } else {
            break;
        }
    }
    bool valid = digits > 0 && digits <= DIGITS_MAX && i < text.len && text.data[i] == ';' && code > 0 && code < 0x110000 &&
                 (code < 0xD800 || code > 0xDFFF);
    *ret_code_point = code;
    return valid ? i + 1 : 0;
}

// Bytes of the entity at the start of `text`, 0 if there is none: an unknown one stays as it is.
static size_t read_entity(struct view text, uint32_t *ret_code_point)
{
    for (size_t e = 0; e < BASE_COUNT(entities); e++) {
        if (view_starts(text, entities[e].name)) {
            *ret_code_point = entities[e].code_point;
            return entities[e].name.len;
        }
    }
    return read_numeric(text, ret_code_point);
}

static bool html_decode(struct native_call *call)
{
    struct view text;
    if (!arg_text(call, 0, &text)) {
        return false;
    }
    struct buffer out;
    lib_buffer(call, &out);
    for (size_t i = 0; i < text.len;) {
        uint32_t code_point;
        size_t len = text.data[i] == '&' ? read_entity(view_from(text, i), &code_point) : 0;
        if (len > 0) {
            char bytes[4];
            buffer_add(&out, (struct view){bytes, utf8_encode(bytes, code_point)});
            i += len;
        } else {
            buffer_add_char(&out, text.data[i++]);
        }
    }
    lib_cost_bytes(call, text.len * 4);
    return lib_buffer_return(call, &out);
}

// ---- openUrl ------------------------------------------------------------------------------------

// An action of the client, valid in functions of buttons (spec/deluge-builtins.md §11.2). A run has no browser: the checker says so, and
// the call does what Zoho's does for a caller without one.
static bool url_open(struct native_call *call)
{
    struct view url;
    return arg_text(call, 0, &url) && lib_return(call, value_null());
}

// ---- the table ----------------------------------------------------------------------------------

static const struct native rows[] = {
    {"openUrl", 0, 1, 3, 0, 1, url_open, "openUrl(TEXT url, TEXT window?, TEXT features?)",
     "Opens a page for whoever pressed the button. A function called over HTTP has no browser: nothing happens.",
     "openUrl(\"https://www.zoho.com\",\"new window\");\ninfo \"on\"; => on", "SURE builtins §11.2"},
    {"encodeUrl", LIB_PRINTS, 1, 1, 0, 4, url_encode_form, "text.encodeUrl() → TEXT",
     "Percent-encoded as a form field is: a blank becomes +.", "info encodeUrl(\"http://a/b?n=J D\"); => http%3A%2F%2Fa%2Fb%3Fn%3DJ+D",
     "SURE builtins §2"},
    {"zoho.encryption.urlEncode", 0, 1, 1, 0, 4, url_encode, "zoho.encryption.urlEncode(TEXT text) → TEXT",
     "Percent-encoded; a blank becomes %20. Null for anything but text.",
     "info zoho.encryption.urlEncode(\"https://www.zoho.com/a b\"); => https%3A%2F%2Fwww.zoho.com%2Fa%20b", "SURE builtins §9"},
    {"zoho.encryption.urlDecode", 0, 1, 1, 0, 4, url_decode, "zoho.encryption.urlDecode(TEXT text) → TEXT",
     "The text that was percent-encoded.", "info zoho.encryption.urlDecode(\"https%3A%2F%2Fwww.zoho.com\"); => https://www.zoho.com",
     "SURE builtins §9"},
    {"zoho.encryption.htmlEncode", 0, 1, 1, 0, 4, html_encode, "zoho.encryption.htmlEncode(TEXT text) → TEXT",
     "With HTML entities for & < > \" and '.", "info zoho.encryption.htmlEncode(\"<a&b>\"); => &lt;a&amp;b&gt;", "LIKELY builtins §9"},
    {"zoho.encryption.htmlDecode", 0, 1, 1, 0, 4, html_decode, "zoho.encryption.htmlDecode(TEXT text) → TEXT",
     "With characters for HTML entities.", "info zoho.encryption.htmlDecode(\"&lt;a&#33;&gt;\"); => <a!>", "LIKELY builtins §9"},
};

const struct lib_table lib_url_table = LIB_TABLE(rows);
