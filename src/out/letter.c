// SPDX-License-Identifier: Apache-2.0
//
// A mail as text: headers, body and attachments in MIME (RFC 5322, 2045–2047, 2231). Pure: no network, no clock, no randomness of its own.
//
// What scripts put into headers cannot become a header: every text there is made of printable ASCII, quoted, or an encoded word, and line
// ends become blanks. Bodies and files are base64, so no line of theirs is too long, begins with a dot, or holds a byte a server might
// change.
#include "out/out.h"

enum { LINE_BYTES = 57, WORD_BYTES = 39, PLAIN_BYTES_MAX = 60, TYPE_BYTES_MAX = 100, NAME_BYTES_MAX = 255 };

// ---- addresses ----------------------------------------------------------------------------------

// The next one of a comma-separated list: what stands up to the next comma outside quotes and brackets.
static struct view cut_address(struct view *rest)
{
    bool quoted = false, bracket = false;
    size_t i = 0;
    for (; i < rest->len; i++) {
        char c = rest->data[i];
        if (c == '\\' && quoted) {
            i++;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && (c == '<' || c == '>')) {
            bracket = c == '<';
        } else if (c == ',' && !quoted && !bracket) {
            break;
        }
    }
    i = i < rest->len ? i : rest->len;
    struct view address = view_trim(view_slice(*rest, 0, i));
    *rest = view_from(*rest, i + 1);
    return address;
}

bool out_address_next(struct view *rest, struct out_address *ret_address, struct fail *fail)
{
    struct view text = VIEW("");
    fail_clear(fail);
    while (rest->len && !text.len) {
        text = cut_address(rest);
    }
    if (!text.len) {
        return false;
    }
    struct out_address address = {.address = text};
    if (text.data[text.len - 1] == '>') {
        size_t open = text.len;
        while (open > 0 && text.data[open - 1] != '<') {
            open--;
        }
        address.name = view_trim(view_slice(text, 0, open ? open - 1 : 0));
        address.address = open ? view_trim(view_slice(text, open, text.len - open - 1)) : text; // without a `<` it is no address
        if (address.name.len >= 2 && address.name.data[0] == '"' && address.name.data[address.name.len - 1] == '"') {
            address.name = view_slice(address.name, 1, address.name.len - 2);
        }
    }
    if (!out_mail_address_valid(address.address)) {
        struct view shown = view_slice(text, 0, utf8_clamp(text, 100));
        return fail_set(fail, FAIL_OUTBOUND, "\"%.*s\" is not a mail address", VIEW_ARGS(shown));
    }
    *ret_address = address;
    return true;
}

// ---- header texts -------------------------------------------------------------------------------

static bool is_plain(struct view text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < ' ' || text.data[i] > '~') {
            return false;
        }
    }
    return text.len <= PLAIN_BYTES_MAX && view_find(text, VIEW("=?")) < 0;
}

// =?UTF-8?B?…?= as often as needed, each on a line of its own and cut at a character. Control bytes become blanks.
static void add_words(struct buffer *out, struct view text)
{
    for (size_t at = 0; at < text.len;) {
        char chunk[WORD_BYTES], encoded[WORD_BYTES * 2];
        struct view rest = view_from(text, at);
        size_t len = utf8_clamp(rest, WORD_BYTES);
        len = len ? len : 1;
        for (size_t i = 0; i < len; i++) {
            unsigned char c = (unsigned char)rest.data[i];
            chunk[i] = c < ' ' || c == 127 ? ' ' : (char)c;
        }
        size_t written = base64_print(encoded, (struct view){chunk, len});
        buffer_add(out, at ? VIEW("\r\n =?UTF-8?B?") : VIEW("=?UTF-8?B?"));
        buffer_add(out, (struct view){encoded, written});
        buffer_add(out, VIEW("?="));
        at += len;
    }
}

static void add_text(struct buffer *out, struct view text)
{
    if (is_plain(text)) {
        buffer_add(out, text);
    } else {
        add_words(out, text);
    }
}

static void add_quoted(struct buffer *out, struct view text)
{
    buffer_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\') {
            buffer_add_char(out, '\\');
        }
        buffer_add_char(out, text.data[i]);
    }
    buffer_add_char(out, '"');
}

static void add_address(struct buffer *out, const struct out_address *address)
{
    if (!address->name.len) {
        buffer_add(out, address->address);
        return;
    }
    if (is_plain(address->name)) {
        add_quoted(out, address->name);
    } else {
        add_words(out, address->name);
    }
    buffer_printf(out, " <%.*s>", VIEW_ARGS(address->address));
}

// One address a line: no line is too long however many there are.
static void add_addresses(struct buffer *out, const char *header, const struct out_address *addresses, int count)
{
    for (int i = 0; i < count; i++) {
        buffer_add(out, i ? VIEW(",\r\n ") : view_of(header));
        add_address(out, &addresses[i]);
    }
    buffer_add(out, count ? VIEW("\r\n") : VIEW(""));
}

// ---- parts --------------------------------------------------------------------------------------

static void add_base64(struct buffer *out, struct view bytes)
{
    buffer_add(out, VIEW("Content-Transfer-Encoding: base64\r\n\r\n"));
    for (size_t at = 0; at < bytes.len; at += LINE_BYTES) {
        struct view line = view_slice(bytes, at, LINE_BYTES);
        char *space = buffer_space(out, base64_size(LINE_BYTES) + 2);
        if (!space) {
            return;
        }
        size_t written = base64_print(space, line);
        memcpy(space + written, "\r\n", 2);
        out->len += written + 2;
    }
}

static void add_body(struct buffer *out, const struct out_letter *letter)
{
    buffer_printf(out, "Content-Type: text/%s; charset=UTF-8\r\n", letter->plain ? "plain" : "html");
    add_base64(out, letter->text);
}

static bool is_type(struct view type)
{
    int slashes = 0;
    for (size_t i = 0; i < type.len; i++) {
        unsigned char c = (unsigned char)type.data[i];
        bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c && strchr("!#$&^_.+-", c));
        slashes += c == '/';
        if (!word && c != '/') {
            return false;
        }
    }
    return slashes == 1 && type.len >= 3 && type.len <= TYPE_BYTES_MAX && type.data[0] != '/' && type.data[type.len - 1] != '/';
}

// The name in the form that knows UTF-8 (RFC 2231); percent signs keep everything else out.
static void add_file(struct buffer *out, const struct out_file *file)
{
    struct view type = view_cut(&(struct view){file->type.data, file->type.len}, ';');
    struct view name = view_slice(file->name, 0, utf8_clamp(file->name, NAME_BYTES_MAX));
    type = view_trim(type);
    buffer_printf(out, "Content-Type: %.*s\r\nContent-Disposition: attachment; filename*=UTF-8''",
                  VIEW_ARGS(is_type(type) ? type : VIEW("application/octet-stream")));
    form_encode(out, name.len ? name : VIEW("file"), false);
    buffer_add(out, VIEW("\r\n"));
    add_base64(out, file->bytes);
}

// ---- the whole ----------------------------------------------------------------------------------

static void add_date(struct buffer *out, int64_t millis)
{
    static const char *const DAYS[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const MONTHS[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct civil c = calendar_civil(millis, NULL);
    buffer_printf(out, "Date: %s, %02d %s %04d %02d:%02d:%02d +0000\r\n", DAYS[c.weekday - 1], c.day, MONTHS[c.month - 1], c.year, c.hour,
                  c.minute, c.second);
}

bool out_letter_write(const struct out_letter *letter, struct buffer *out, struct fail *fail)
{
    ptrdiff_t at = view_find_char(letter->from.address, '@');
    add_date(out, letter->date_ms);
    add_addresses(out, "From: ", &letter->from, 1);
    add_addresses(out, "To: ", letter->to, letter->to_count);
    add_addresses(out, "Cc: ", letter->cc, letter->cc_count);
    add_addresses(out, "Reply-To: ", letter->reply_to, letter->reply_to_count);
    buffer_add(out, VIEW("Subject: "));
    add_text(out, letter->subject);
    buffer_printf(out, "\r\nMessage-ID: <%.*s@%.*s>\r\nMIME-Version: 1.0\r\n", VIEW_ARGS(letter->id),
                  VIEW_ARGS(view_from(letter->from.address, (size_t)at + 1)));
    if (letter->file_count == 0) {
        add_body(out, letter);
    } else {
        buffer_printf(out, "Content-Type: multipart/mixed; boundary=\"=_%.*s\"\r\n\r\n--=_%.*s\r\n", VIEW_ARGS(letter->id),
                      VIEW_ARGS(letter->id));
        add_body(out, letter);
        for (int i = 0; i < letter->file_count; i++) {
            buffer_printf(out, "--=_%.*s\r\n", VIEW_ARGS(letter->id));
            add_file(out, &letter->files[i]);
        }
        buffer_printf(out, "--=_%.*s--\r\n", VIEW_ARGS(letter->id));
    }
    return !out->failed || fail_set(fail, FAIL_OUTBOUND, "the mail is larger than allowed");
}
