// SPDX-License-Identifier: Apache-2.0
//
// text: UTF-8 texts of a heap. A text value is a pointer to a block and a length; the block may hold more than the value shows. The hard
// thing is appending: `s = s + x` in a loop must not copy s each time, yet an older value that shares the block must keep showing what it
// showed. A value whose length is all that was written owns the block's end and appends behind it; any other one forks into a block of its
// own.
//
// Every text is valid UTF-8. VALUE_ASCII says that bytes and UTF-16 units agree, which most texts of scripts are.
#include "value/inside.h"

enum { TEXT_BYTES_MAX = UINT32_MAX - 64, TEXT_PRINTF_FEW = 256 };

// All empty texts are this one; being fixed, nobody appends to it.
static const struct text TEXT_EMPTY = {.fixed = 1};

// A block with room for `cap` bytes, of which the caller fills the first `len`.
static struct text *new_text(struct heap *heap, size_t len, size_t cap)
{
    if (cap > TEXT_BYTES_MAX) {
        heap_refuse(heap);
        return NULL;
    }
    struct text *text = heap_alloc(heap, sizeof *text + cap);
    if (text) {
        *text = (struct text){.used = (uint32_t)len, .cap = (uint32_t)cap};
    }
    return text;
}

// The value that shows the first `len` bytes of a block.
static struct value value_of(struct text *text, size_t len, bool ascii)
{
    return (struct value){.type = VALUE_TEXT, .flags = ascii ? VALUE_ASCII : 0, .len = (uint32_t)len, .text = text};
}

static struct value empty_text(void)
{
    return value_of((struct text *)&TEXT_EMPTY, 0, true);
}

static size_t round_up(size_t bytes)
{
    return (bytes + 7) & ~(size_t)7; // the block ends there anyway: let the text have it
}

// Copies bytes of which some are not UTF-8; each bad byte becomes U+FFFD.
static BASE_COLD struct value text_repaired(struct heap *heap, struct view bytes)
{
    if (bytes.len > TEXT_BYTES_MAX / 3) {
        heap_refuse(heap);
        return value_null();
    }
    struct text *text = new_text(heap, 0, bytes.len * 3);
    if (!text) {
        return value_null();
    }
    for (size_t at = 0; at < bytes.len;) {
        text->used += (uint32_t)utf8_encode(text->bytes + text->used, utf8_next(bytes, &at));
    }
    return value_of(text, text->used, false);
}

struct value value_text(struct heap *heap, struct view bytes)
{
    if (bytes.len == 0) {
        return empty_text();
    }
    bool ascii = utf8_ascii(bytes);
    if (!ascii && !utf8_valid(bytes)) {
        return text_repaired(heap, bytes);
    }
    struct text *text = new_text(heap, bytes.len, round_up(bytes.len));
    if (!text) {
        return value_null();
    }
    memcpy(text->bytes, bytes.data, bytes.len);
    return value_of(text, bytes.len, ascii);
}

// Short texts, nearly all, are formatted once on the stack and copied; longer ones are measured there and formatted in place.
struct value value_text_printf(struct heap *heap, const char *format, ...)
{
    char few[TEXT_PRINTF_FEW];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(few, sizeof few, format, args);
    va_end(args);
    if (len < 0) {
        heap_refuse(heap);
        return value_null();
    }
    if ((size_t)len < sizeof few) {
        return value_text(heap, (struct view){few, (size_t)len});
    }
    struct text *text = new_text(heap, (size_t)len, (size_t)len + 1);
    if (!text) {
        return value_null();
    }
    va_start(args, format);
    vsnprintf(text->bytes, (size_t)len + 1, format, args);
    va_end(args);
    struct view bytes = {text->bytes, (size_t)len};
    return utf8_valid(bytes) ? value_of(text, bytes.len, utf8_ascii(bytes)) : text_repaired(heap, bytes);
}

// The whole space counts as used until value_text_done, so that nobody appends into what is being filled.
struct value value_text_space(struct heap *heap, size_t bytes, char **ret_bytes)
{
    struct text *text = new_text(heap, bytes, bytes);
    if (!text) {
        return value_null();
    }
    *ret_bytes = text->bytes;
    return value_of(text, bytes, false);
}

struct value value_text_done(struct value text, size_t len)
{
    assert(text.type == VALUE_TEXT && len <= text.text->cap);
    text.len = text.text->used = (uint32_t)len;
    text.flags = utf8_ascii(value_view(text)) ? VALUE_ASCII : 0;
    return text;
}

// Room for `more` bytes behind a text that owns its end: in the block, or by making the block longer where it lies.
static bool room_behind(struct heap *heap, struct text *text, size_t more)
{
    if (text->cap - text->used >= more) {
        return true;
    }
    size_t cap = round_up(text->used + more);
    cap = cap < 2 * (size_t)text->cap ? 2 * (size_t)text->cap : cap;
    if (cap > TEXT_BYTES_MAX || !heap_extend(heap, text, sizeof *text + text->cap, sizeof *text + cap)) {
        return false;
    }
    text->cap = (uint32_t)cap;
    return true;
}

// spec/deluge-language.md §4.2. Nobody sees that blocks are shared: an older value is a shorter prefix of the same bytes.
struct value value_text_concat(struct heap *heap, struct value left, struct value right)
{
    size_t len = (size_t)left.len + right.len;
    bool ascii = left.flags & right.flags & VALUE_ASCII, owner = !left.text->fixed && left.len == left.text->used;
    if (right.len == 0) {
        return left;
    }
    if (left.len == 0) {
        return right;
    }
    if (len > TEXT_BYTES_MAX) {
        heap_refuse(heap);
        return value_null();
    }
    if (owner && room_behind(heap, left.text, right.len)) {
        memcpy(left.text->bytes + left.len, right.text->bytes, right.len);
        left.text->used = (uint32_t)len;
        left.text->hash = 0;
        return value_of(left.text, len, ascii);
    }
    // An owner without room is a text that grows: double it. A first join gets what it needs.
    size_t cap = owner && len <= TEXT_BYTES_MAX / 2 ? len * 2 : round_up(len);
    struct text *text = new_text(heap, len, cap);
    if (!text) {
        return value_null();
    }
    memcpy(text->bytes, left.text->bytes, left.len);
    memcpy(text->bytes + left.len, right.text->bytes, right.len);
    return value_of(text, len, ascii);
}

struct view value_view_or(struct value v, struct view otherwise)
{
    return v.type == VALUE_TEXT ? value_view(v) : otherwise;
}

// As Java counts (spec/deluge-builtins.md R13): an emoji has two units.
size_t value_text_units(struct value text)
{
    return text.flags & VALUE_ASCII ? text.len : utf8_units(value_view(text));
}

// Half a surrogate pair cannot be a text here; the pair then counts to the left side, see utf8_offset.
struct value value_text_slice(struct heap *heap, struct value text, size_t start_units, size_t end_units)
{
    struct view all = value_view(text);
    if (end_units <= start_units) {
        return empty_text();
    }
    size_t start = start_units, end = end_units;
    if (start == 0 && end < text.len && (text.flags & VALUE_ASCII)) {
        return value_of(text.text, end, true); // a value is a prefix of its block anyway
    }
    if (!(text.flags & VALUE_ASCII)) {
        start = utf8_offset(all, start_units); // an index inside a surrogate pair stands behind the pair
        end = utf8_offset(all, end_units);
    }
    struct view slice = end > start ? view_slice(all, start, end - start) : VIEW_NONE;
    if (slice.len == all.len) {
        return text;
    }
    return value_text(heap, slice);
}
