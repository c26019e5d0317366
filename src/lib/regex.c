// SPDX-License-Identifier: Apache-2.0
//
// Text: matches and the replace family. Patterns are Java's (spec/deluge-builtins.md R11), translated (translate.h) and run by PCRE2 under
// limits of steps, depth and memory, so that no pattern can hold a loop for long. Compiling needs more stack than a fiber has and runs on
// the loop's own. Compiled patterns are kept in a small cache of the thread: no lock, and nothing here gives way between look-up and last
// use. A search without any special character never meets PCRE2.
#define PCRE2_CODE_UNIT_WIDTH 8
#include "lib/inside.h"
#include "lib/translate.h"
#include "loop/loop.h"

#include <pcre2.h>
#include <pthread.h>
#include <stdlib.h>

enum {
    CACHE_PATTERNS = 64,
    MATCH_STEPS = 1000000, // some 30 ms; and two more for each byte of the text, so that linear patterns fit long texts
    MATCH_STEPS_PER_BYTE = 2,
    MATCH_DEPTH_MAX = 100000,
    MATCH_HEAP_KB_MAX = 16 * 1024,
    COST_MATCH = 20,
    TRANSLATED_BYTES_MAX = TRANSLATE_PATTERN_BYTES_MAX * 32,
};

// ---- cache --------------------------------------------------------------------------------------

struct cached {
    pcre2_code *code;
    char *pattern;
    size_t len;
    uint32_t options;
    uint64_t used; // tick of the last use: the oldest makes room
};
struct cache {
    struct cached patterns[CACHE_PATTERNS];
    uint64_t tick;
};

static pthread_key_t cache_key;
static pthread_once_t cache_key_made = PTHREAD_ONCE_INIT;

// An empty slot is dropped without harm.
static void drop_pattern(struct cached *cached)
{
    pcre2_code_free(cached->code);
    free(cached->pattern);
    *cached = (struct cached){0};
}

static void drop_cache(void *arg)
{
    struct cache *cache = arg;
    for (size_t i = 0; i < CACHE_PATTERNS; i++) {
        drop_pattern(&cache->patterns[i]);
    }
    free(cache);
}

static void make_cache_key(void)
{
    pthread_key_create(&cache_key, drop_cache);
}

// Made at the thread's first pattern, freed when the thread ends.
static struct cache *thread_cache(void)
{
    pthread_once(&cache_key_made, make_cache_key);
    struct cache *cache = pthread_getspecific(cache_key);
    if (cache == NULL) {
        cache = calloc(1, sizeof(*cache));
        if (cache != NULL && pthread_setspecific(cache_key, cache) != 0) {
            free(cache);
            cache = NULL;
        }
    }
    return cache;
}

// ---- compiling ----------------------------------------------------------------------------------

struct compile {
    struct view pattern; // Java's, or literal
    uint32_t options;
    pcre2_code *code;
    struct fail *fail;
};

// Runs on the big stack: translation recurses for nested classes, PCRE2 for groups.
static void compile_pattern(void *arg)
{
    struct compile *compile = arg;
    struct buffer translated;
    buffer_init(&translated, TRANSLATED_BYTES_MAX);
    if (compile->options & PCRE2_LITERAL) {
        buffer_add(&translated, compile->pattern);
    } else if (!translate_pattern(compile->pattern, &translated, compile->fail)) {
        buffer_free(&translated);
        return;
    }
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    int error = PCRE2_ERROR_NOMEMORY;
    PCRE2_SIZE at = 0;
    if (context != NULL && !translated.failed) {
        pcre2_set_newline(context, PCRE2_NEWLINE_ANY); // Java's line terminators, and two more
        compile->code = pcre2_compile((PCRE2_SPTR)buffer_text(&translated), translated.len,
                                      compile->options | PCRE2_UTF | PCRE2_NO_UTF_CHECK, &error, &at, context);
    }
    if (compile->code == NULL) {
        PCRE2_UCHAR message[128] = "out of memory";
        pcre2_get_error_message(error, message, sizeof(message));
        fail_set(compile->fail, FAIL_SCRIPT, "Invalid regular expression: %s", (char *)message);
    }
    pcre2_compile_context_free(context);
    buffer_free(&translated);
}

static pcre2_code *new_code(struct native_call *call, struct view pattern, uint32_t options)
{
    struct compile compile = {.pattern = pattern, .options = options, .fail = call->fail};
    if (loop_fiber() != NULL) {
        loop_on_thread_stack(compile_pattern, &compile);
    } else {
        compile_pattern(&compile);
    }
    call->cost += (int64_t)pattern.len + COST_MATCH;
    return compile.code;
}

// The compiled pattern; it belongs to the cache.
static pcre2_code *find_code(struct native_call *call, struct view pattern, uint32_t options)
{
    struct cache *cache = thread_cache();
    if (cache == NULL) {
        lib_memory_fail(call);
        return NULL;
    }
    struct cached *oldest = &cache->patterns[0];
    for (size_t i = 0; i < CACHE_PATTERNS; i++) {
        struct cached *cached = &cache->patterns[i];
        if (cached->code != NULL && cached->options == options && view_eq(pattern, (struct view){cached->pattern, cached->len})) {
            cached->used = ++cache->tick;
            return cached->code;
        }
        oldest = cached->used < oldest->used ? cached : oldest;
    }
    pcre2_code *code = new_code(call, pattern, options);
    char *copy = code == NULL ? NULL : malloc(pattern.len + 1);
    if (copy == NULL) {
        if (code != NULL) {
            pcre2_code_free(code);
            lib_memory_fail(call);
        }
        return NULL;
    }
    memcpy(copy, pattern.data, pattern.len);
    drop_pattern(oldest);
    *oldest = (struct cached){code, copy, pattern.len, options, ++cache->tick};
    return code;
}

// ---- matching -----------------------------------------------------------------------------------

struct matcher {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *context;
    struct view subject;
};

static bool open_matcher(struct native_call *call, struct view subject, struct view pattern, uint32_t options, struct matcher *ret_matcher)
{
    struct matcher matcher = {.subject = subject, .code = find_code(call, pattern, options)};
    if (matcher.code == NULL) {
        return false;
    }
    matcher.data = pcre2_match_data_create_from_pattern(matcher.code, NULL);
    matcher.context = pcre2_match_context_create(NULL);
    *ret_matcher = matcher;
    if (matcher.data == NULL || matcher.context == NULL) {
        pcre2_match_data_free(matcher.data);
        pcre2_match_context_free(matcher.context);
        return lib_memory_fail(call);
    }
    pcre2_set_match_limit(matcher.context,
                          MATCH_STEPS + MATCH_STEPS_PER_BYTE * (uint32_t)(subject.len < UINT32_MAX / 4 ? subject.len : UINT32_MAX / 4));
    pcre2_set_depth_limit(matcher.context, MATCH_DEPTH_MAX);
    pcre2_set_heap_limit(matcher.context, MATCH_HEAP_KB_MAX);
    return true;
}

static void close_matcher(struct matcher *matcher)
{
    pcre2_match_data_free(matcher->data);
    pcre2_match_context_free(matcher->context);
}

// Looks for the pattern from a byte offset on; *ret_found tells the outcome.
static bool match_at(struct native_call *call, struct matcher *matcher, size_t offset, uint32_t options, bool *ret_found)
{
    int rc = pcre2_match(matcher->code, (PCRE2_SPTR)(matcher->subject.len > 0 ? matcher->subject.data : ""), matcher->subject.len, offset,
                         options | PCRE2_NO_UTF_CHECK, matcher->data, matcher->context);
    call->cost += COST_MATCH;
    *ret_found = rc >= 0;
    if (rc >= 0 || rc == PCRE2_ERROR_NOMATCH) {
        return true;
    }
    return native_fail(call, "The regular expression takes too long on this text");
}

static bool regex_matches(struct native_call *call)
{
    struct view subject, pattern;
    struct matcher matcher;
    bool found;
    if (!arg_text(call, 0, &subject) || !arg_text(call, 1, &pattern) || !open_matcher(call, subject, pattern, 0, &matcher)) {
        return false;
    }
    lib_cost_bytes(call, subject.len);
    bool ok = match_at(call, &matcher, 0, PCRE2_ANCHORED | PCRE2_ENDANCHORED, &found);
    close_matcher(&matcher);
    return ok && lib_return_bool(call, found);
}

bool lib_text_finds(struct heap *heap, struct view text, struct view pattern, bool *ret_found, struct fail *fail)
{
    struct native_call call = {.heap = heap, .fail = fail};
    struct matcher matcher;
    if (!open_matcher(&call, text, pattern, 0, &matcher)) {
        return false;
    }
    bool ok = match_at(&call, &matcher, 0, 0, ret_found);
    close_matcher(&matcher);
    return ok;
}

// ---- replacement text ---------------------------------------------------------------------------

// A group that took no part in the match gives nothing, as in Java.
static void add_group(struct buffer *out, const struct matcher *matcher, uint32_t group)
{
    const PCRE2_SIZE *places = pcre2_get_ovector_pointer(matcher->data);
    if (places[2 * group] != PCRE2_UNSET && places[2 * group + 1] >= places[2 * group]) {
        buffer_add(out, view_slice(matcher->subject, places[2 * group], places[2 * group + 1] - places[2 * group]));
    }
}

// ${name}, the place being at `{`.
static bool add_named_group(struct native_call *call, struct buffer *out, const struct matcher *matcher, struct view replacement,
                            size_t *at)
{
    enum { NAME_MAX_BYTES = 32 };
    char name[NAME_MAX_BYTES + 1];
    ptrdiff_t end = view_find_char(view_from(replacement, *at), '}');
    if (end < 2 || end - 1 > NAME_MAX_BYTES) {
        return native_fail(call, "Illegal group reference in the replacement");
    }
    memcpy(name, replacement.data + *at + 1, (size_t)end - 1);
    name[end - 1] = '\0';
    int group = pcre2_substring_number_from_name(matcher->code, (PCRE2_SPTR)name);
    if (group < 0) {
        return native_fail(call, "No group with name {%s}", name);
    }
    add_group(out, matcher, (uint32_t)group);
    *at += (size_t)end + 1;
    return true;
}

// $12 is group 12 if there is one, else group 1 and a 2; the place is at the first digit.
static bool add_numbered_group(struct native_call *call, struct buffer *out, const struct matcher *matcher, struct view replacement,
                               size_t *at)
{
    uint32_t groups = pcre2_get_ovector_count(matcher->data), group = 0;
    for (size_t digits = 0; *at < replacement.len && replacement.data[*at] >= '0' && replacement.data[*at] <= '9'; digits++, ++*at) {
        uint32_t longer = group * 10 + (uint32_t)(replacement.data[*at] - '0');
        if (longer >= groups) {
            if (digits == 0) {
                return native_fail(call, "No group %u", longer);
            }
            break;
        }
        group = longer;
    }
    add_group(out, matcher, group);
    return true;
}

static bool add_replacement(struct native_call *call, struct buffer *out, const struct matcher *matcher, struct view replacement)
{
    for (size_t at = 0; at < replacement.len;) {
        char c = replacement.data[at++];
        if (c != '\\' && c != '$') {
            buffer_add_char(out, c);
            continue;
        }
        int next = at < replacement.len ? (unsigned char)replacement.data[at] : -1;
        if (c == '\\' && next >= 0) {
            buffer_add_char(out, (char)next);
            at++;
        } else if (c == '$' && next == '{') {
            if (!add_named_group(call, out, matcher, replacement, &at)) {
                return false;
            }
        } else if (c == '$' && next >= '0' && next <= '9') {
            if (!add_numbered_group(call, out, matcher, replacement, &at)) {
                return false;
            }
        } else {
            return native_fail(call, "Illegal group reference in the replacement: write \\\\$ for a dollar");
        }
    }
    return true;
}

// ---- replacing ----------------------------------------------------------------------------------

static bool has_any(struct view text, const char *characters)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != '\0' && strchr(characters, text.data[i]) != NULL) {
            return true;
        }
    }
    return false;
}

// Without special characters in search and replacement: piece by piece.
static bool replace_literally(struct native_call *call, struct view subject, struct view search, struct view replacement, bool all,
                              struct buffer *out)
{
    for (size_t step = 0;; step++) {
        ptrdiff_t at = view_find(subject, search);
        if (at < 0 || (step > 0 && !all)) {
            buffer_add(out, subject);
            return true;
        }
        if (lib_interrupted(call)) {
            return false;
        }
        buffer_add(out, view_slice(subject, 0, (size_t)at));
        buffer_add(out, replacement);
        subject = view_from(subject, (size_t)at + search.len);
        if (out->failed) {
            return true;
        }
    }
}

static bool replace_matches(struct native_call *call, struct matcher *matcher, struct view replacement, bool literal, bool all,
                            struct buffer *out)
{
    struct view subject = matcher->subject;
    size_t copied = 0, offset = 0;
    for (size_t step = 0; offset <= subject.len && (all || step == 0) && !out->failed; step++) {
        bool found;
        if (lib_interrupted(call)) {
            return false;
        }
        if (!match_at(call, matcher, offset, 0, &found)) {
            return false;
        }
        if (!found) {
            break;
        }
        const PCRE2_SIZE *places = pcre2_get_ovector_pointer(matcher->data);
        size_t start = places[0], end = places[1];
        buffer_add(out, view_slice(subject, copied, start - copied));
        if (literal) {
            buffer_add(out, replacement);
        } else if (!add_replacement(call, out, matcher, replacement)) {
            return false;
        }
        copied = end;
        offset = end;
        if (end == start) { // an empty match: go on behind the next character, which stays
            size_t next = end;
            if (next < subject.len) {
                utf8_next(subject, &next);
            }
            offset = next > end ? next : end + 1;
        }
    }
    buffer_add(out, view_from(subject, copied));
    return true;
}

// The four replace natives. `literal` is Zoho's third argument: search and replacement stand for themselves.
static bool replace(struct native_call *call, bool all, bool nocase)
{
    struct view subject, search, replacement;
    bool literal = false;
    if (!arg_text(call, 0, &subject) || !arg_text(call, 1, &search) || !arg_text(call, 2, &replacement) ||
        (call->count > 3 && !arg_bool(call, 3, &literal))) {
        return false;
    }
    lib_cost_bytes(call, subject.len);
    struct buffer out;
    lib_buffer(call, &out);
    bool ok, plain = !nocase && search.len > 0 && (literal || (!has_any(search, "\\^$.|?*+()[]{}") && !has_any(replacement, "\\$")));
    if (plain) {
        ok = replace_literally(call, subject, search, replacement, all, &out);
    } else {
        struct matcher matcher;
        ok = open_matcher(call, subject, search, (nocase ? PCRE2_CASELESS : 0) | (literal ? PCRE2_LITERAL : 0), &matcher);
        if (ok) {
            ok = replace_matches(call, &matcher, replacement, literal, all, &out);
            close_matcher(&matcher);
        }
    }
    if (!ok) {
        buffer_free(&out);
        return false;
    }
    return lib_buffer_return(call, &out);
}

static bool regex_replace_all(struct native_call *call)
{
    return replace(call, true, false);
}

static bool regex_replace_first(struct native_call *call)
{
    return replace(call, false, false);
}

static bool regex_replace_all_nocase(struct native_call *call)
{
    return replace(call, true, true);
}

static bool regex_replace_first_nocase(struct native_call *call)
{
    return replace(call, false, true);
}

// ---- the table ----------------------------------------------------------------------------------

static const struct native rows[] = {
    {"matches", LIB_PRINTS, 2, 2, 0, 10, regex_matches, "text.matches(TEXT regex) → BOOLEAN",
     "Does the whole text fit the regular expression (as in Java)?", "info matches(\"ID004500F\",\"[A-Z]{2}[0-9]{6}[A-Z]\"); => true",
     "SURE builtins §2"},
    {"replaceAll", LIB_PRINTS, 3, 4, 0, 10, regex_replace_all, "text.replaceAll(TEXT regex, TEXT replacement, BOOLEAN literal?) → TEXT",
     "Replaces every match of the regular expression; $1 in the replacement is the first group. With `literal` true both texts stand for "
     "themselves.",
     "info \"a1b22\".replaceAll(\"[0-9]+\",\"#\");\ninfo \"a.b\".replaceAll(\".\",\"-\",true); => a#b#\na-b", "SURE builtins §2"},
    {"replaceFirst", LIB_PRINTS, 3, 4, 0, 10, regex_replace_first, "text.replaceFirst(TEXT regex, TEXT replacement) → TEXT",
     "As replaceAll, for the first match alone.", "info \"a1b2\".replaceFirst(\"[0-9]\",\"#\"); => a#b2", "SURE builtins §2"},
    {"replaceAllIgnoreCase", LIB_PRINTS, 3, 4, 0, 10, regex_replace_all_nocase,
     "text.replaceAllIgnoreCase(TEXT regex, TEXT replacement) → TEXT", "As replaceAll, without regard to case.",
     "info \"Zoho Creator, Zoho Desk\".replaceAllIgnoreCase(\"ZOHO \",\"Z\"); => ZCreator, ZDesk", "SURE builtins §2"},
    {"replaceFirstIgnoreCase", LIB_PRINTS, 3, 4, 0, 10, regex_replace_first_nocase,
     "text.replaceFirstIgnoreCase(TEXT regex, TEXT replacement) → TEXT", "As replaceFirst, without regard to case.",
     "info \"Zoho Zoho\".replaceFirstIgnoreCase(\"ZOHO \",\"Z\"); => ZZoho", "SURE builtins §2"},
};

const struct lib_table lib_regex_table = LIB_TABLE(rows);
