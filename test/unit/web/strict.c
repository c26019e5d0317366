// SPDX-License-Identifier: Apache-2.0
//
// The table test/http/strict/cases.txt against the parser: every odd request gets its verdict, and gets the same one however its bytes were
// cut. The table's format stands at its top; test/http/strict/run.py sends the same table to a running server.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>

#include "web/http.h"

enum { CASE_BYTES_MAX = 64 * 1024, LINE_BYTES_MAX = 4096, BODY_BYTES_MAX = 10 << 20, WORDS_MAX = 64 };

// ---- reading the table --------------------------------------------------------------------------

struct strict_case {
    char name[128], want[WORDS_MAX];
    char bytes[CASE_BYTES_MAX];
    size_t len;
};

static void add_byte(struct strict_case *item, int c)
{
    assert_true(item->len < CASE_BYTES_MAX);
    item->bytes[item->len++] = (char)c;
}

static int hex_at(const char *text)
{
    return (int)strtol((char[]){text[0], text[1], 0}, NULL, 16);
}

// One escape or byte at *at; repetitions are not nested.
static void add_escaped(struct strict_case *item, const char **at, const char *end)
{
    const char *p = *at;
    if (*p != '\\') {
        add_byte(item, *p);
        *at = p + 1;
        return;
    }
    *at = p + 2;
    switch (p[1]) {
    case 'r':
        add_byte(item, '\r');
        break;
    case 'n':
        add_byte(item, '\n');
        break;
    case 't':
        add_byte(item, '\t');
        break;
    case '\\':
        add_byte(item, '\\');
        break;
    case 'x':
        add_byte(item, hex_at(p + 2));
        *at = p + 4;
        break;
    case '{': {
        const char *text = strchr(p, '*') + 1, *close = strchr(text, '}');
        assert_true(close && close < end);
        for (long times = strtol(p + 2, NULL, 10); times > 0; times--) {
            for (const char *inner = text; inner < close;) {
                add_escaped(item, &inner, close);
            }
        }
        *at = close + 1;
        break;
    }
    default:
        fail_msg("unknown escape in %s", item->name);
    }
}

// False for comments and empty lines.
static bool read_case(char *line, struct strict_case *ret_case)
{
    char *bytes = strstr(line, " | "), *want = bytes ? strstr(bytes + 3, " | ") : NULL, *nginx = want ? strstr(want + 3, " | ") : NULL;
    if (line[0] == '#' || !nginx) {
        return false;
    }
    *bytes = *want = *nginx = 0;
    snprintf(ret_case->name, sizeof ret_case->name, "%s", line);
    snprintf(ret_case->want, sizeof ret_case->want, "%s", want + 3);
    ret_case->len = 0;
    for (const char *at = bytes + 3; at < want;) {
        add_escaped(ret_case, &at, want);
    }
    return true;
}

// ---- the verdict --------------------------------------------------------------------------------

// Reads the body behind a head; the chunks are fed in pieces of `piece` bytes.
static enum http_result read_body(const struct http_head *head, struct view *input, size_t piece, struct fail *fail)
{
    if (!head->chunked) {
        if (head->length > BODY_BYTES_MAX) {
            fail_set(fail, FAIL_TOO_LARGE, NULL);
            return HTTP_BAD;
        }
        if (input->len < (size_t)head->length) {
            return HTTP_MORE;
        }
        *input = view_from(*input, (size_t)head->length);
        return HTTP_DONE;
    }
    struct http_chunks chunks;
    http_chunks_init(&chunks, BODY_BYTES_MAX);
    for (;;) {
        struct view part = view_slice(*input, 0, piece), data;
        size_t before = part.len;
        enum http_result result = http_chunks_read(&chunks, &part, &data, fail);
        *input = view_from(*input, before - part.len);
        if (result == HTTP_BAD || result == HTTP_DONE || (result == HTTP_MORE && input->len == 0)) {
            return result;
        }
    }
}

// The head when it arrives in pieces of `piece` bytes, each looked at as soon as it is there, in a buffer of exactly its size.
static enum http_result read_head(struct view input, size_t piece, struct http_head *head, struct fail *fail)
{
    for (size_t len = piece < input.len ? piece : input.len;; len = len + piece < input.len ? len + piece : input.len) {
        char *exact = malloc(len + 1); // one byte over would be seen by the sanitizer but for len 0
        memcpy(exact + 1, input.data, len);
        enum http_result result = http_head_read((struct view){exact + 1, len}, head, fail);
        free(exact);
        if (result != HTTP_MORE || len == input.len) {
            return result == HTTP_DONE ? http_head_read(view_slice(input, 0, len), head, fail) : result;
        }
    }
}

static void add_word(char *words, const char *word)
{
    size_t len = strlen(words);
    snprintf(words + len, WORDS_MAX - len, "%s%s", len ? " " : "", word);
}

static void verdict_of(const struct strict_case *item, size_t piece, char words[WORDS_MAX])
{
    struct view input = {item->bytes, item->len};
    words[0] = 0;
    while (input.len > 0) {
        struct http_head head;
        struct fail fail = {0};
        enum http_result result = read_head(input, piece, &head, &fail);
        if (result == HTTP_DONE) {
            input = view_from(input, head.bytes);
            result = read_body(&head, &input, piece, &fail);
        }
        char status[12];
        snprintf(status, sizeof status, "%d", fail_status(fail.code));
        add_word(words, result == HTTP_DONE ? "ok" : result == HTTP_MORE ? "more" : status);
        if (result != HTTP_DONE || !head.keep_alive) {
            return;
        }
    }
}

// ---- tests --------------------------------------------------------------------------------------

static void each_case(void (*check)(struct strict_case *item))
{
    FILE *file = fopen(STRICT_CASES, "r");
    assert_non_null(file);
    static struct strict_case item;
    static char line[LINE_BYTES_MAX];
    int count = 0;
    while (fgets(line, sizeof line, file)) {
        if (read_case(line, &item)) {
            check(&item);
            count++;
        }
    }
    fclose(file);
    assert_true(count > 100);
}

static void check_pieces(struct strict_case *item, size_t piece)
{
    char words[WORDS_MAX];
    verdict_of(item, piece, words);
    if (strcmp(words, item->want) != 0) {
        fail_msg("%s, in pieces of %zu: %s, not %s", item->name, piece, words, item->want);
    }
}

static void check_whole(struct strict_case *item)
{
    check_pieces(item, CASE_BYTES_MAX);
}

static void whole_requests_get_their_verdict(void **state)
{
    (void)state;
    each_case(check_whole);
}

static void check_cut(struct strict_case *item)
{
    size_t step = item->len > 2000 ? 997 : 1; // every byte, but for the long ones
    for (size_t piece = step; piece < item->len; piece += step) {
        check_pieces(item, piece);
    }
}

static void cut_requests_get_the_same_verdict(void **state)
{
    (void)state;
    each_case(check_cut);
}

// The predicate must not let an accepted head wait, nor call for a read when nothing can be said; however the bytes came.
static void check_ready(struct strict_case *item)
{
    struct view input = {item->bytes, item->len};
    struct http_head head;
    struct fail fail;
    size_t step = item->len > 2000 ? 997 : 1, seen = 0;
    bool ready = false;
    for (size_t len = step; len < item->len && !ready; len += step) {
        struct view part = view_slice(input, 0, len);
        ready = http_head_ready(part, seen);
        enum http_result result = http_head_read(part, &head, &fail);
        if (ready != (result != HTTP_MORE) && (ready || result == HTTP_DONE)) {
            fail_msg("%s at %zu bytes: ready is %d, the parser says %d", item->name, len, ready, result);
        }
        if (ready != http_head_ready(part, 0)) {
            fail_msg("%s at %zu bytes: what was seen before changes the answer", item->name, len);
        }
        seen = len;
    }
}

static void readiness_agrees_with_the_parser(void **state)
{
    (void)state;
    each_case(check_ready);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_requests_get_their_verdict),
        cmocka_unit_test(cut_requests_get_the_same_verdict),
        cmocka_unit_test(readiness_agrees_with_the_parser),
    };
    return cmocka_run_group_tests_name("web/strict", tests, NULL, NULL);
}
