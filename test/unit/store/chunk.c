// SPDX-License-Identifier: Apache-2.0
//
// How runs lie in a chunk: what was added comes back as it was, and damaged bytes are refused or read as something else, never out of
// bounds (the sanitizers watch).
#include "store/chunk.h"
#include "store_test.h"

#include <stdlib.h>

static const struct runlog_entry odd_entry = {
    .id = {"a\0b", 3}, .time_ms = INT64_MIN, .status = -1, .duration_ms = -0.0, .statements = INT64_MIN};

static struct runlog_entry usual_entry(int64_t time_ms)
{
    return (struct runlog_entry){.id = VIEW("0123456789abcdef"),
                                 .org = VIEW("acme"),
                                 .environment = VIEW("production"),
                                 .function = VIEW("ns__fn"),
                                 .version = VIEW("1.0"),
                                 .trigger = VIEW("rest"),
                                 .method = VIEW("POST"),
                                 .outcome = VIEW("ok"),
                                 .time_ms = time_ms,
                                 .status = 200,
                                 .duration_ms = 0.125,
                                 .statements = 300};
}

static struct chunk *filled_chunk(void)
{
    struct runlog_entry entries[] = {usual_entry(1000), usual_entry(990), odd_entry, usual_entry(INT64_MAX)};
    entries[1].error = VIEW("{\"message\":\"no\"}");
    struct chunk *chunk = chunk_new(0);
    assert_non_null(chunk);
    for (size_t i = 0; i < BASE_COUNT(entries); i++) {
        assert_true(chunk_add(chunk, &entries[i], chunk_entry_bytes(&entries[i])));
    }
    return chunk;
}

static void expect_entry(struct chunk_reader *reader, const struct runlog_entry *entry)
{
    struct fail fail = {0};
    assert_true(chunk_next(reader, &fail));
    const struct runlog_entry *got = &reader->entry;
    assert_true(view_eq(got->id, entry->id) && view_eq(got->org, entry->org) && view_eq(got->environment, entry->environment));
    assert_true(view_eq(got->function, entry->function) && view_eq(got->version, entry->version) && view_eq(got->trigger, entry->trigger));
    assert_true(view_eq(got->method, entry->method) && view_eq(got->outcome, entry->outcome) && view_eq(got->error, entry->error));
    assert_true(view_eq(got->lines, entry->lines) && got->time_ms == entry->time_ms && got->status == entry->status);
    assert_true(got->statements == entry->statements && memcmp(&got->duration_ms, &entry->duration_ms, sizeof got->duration_ms) == 0);
}

static void test_entries_come_back_as_they_were(void **state)
{
    (void)state;
    struct fail fail = {0};
    struct chunk *chunk = filled_chunk();
    struct chunk_reader reader;
    struct runlog_entry second = usual_entry(990), first = usual_entry(1000), last = usual_entry(INT64_MAX);
    second.error = VIEW("{\"message\":\"no\"}");
    assert_true(chunk_open(&reader, chunk_view(chunk), &fail));
    expect_entry(&reader, &first);
    expect_entry(&reader, &second);
    expect_entry(&reader, &odd_entry);
    expect_entry(&reader, &last);
    assert_false(chunk_next(&reader, &fail));
    assert_int_equal(fail.code, FAIL_NONE);
    assert_true(chunk->count == 4 && chunk->newest_ms == INT64_MAX);
    free(chunk);
}

static void test_a_full_chunk_takes_no_more(void **state)
{
    (void)state;
    struct runlog_entry entry = usual_entry(1);
    struct chunk *chunk = chunk_new(0);
    assert_non_null(chunk);
    int added = 0;
    while (chunk_add(chunk, &entry, chunk_entry_bytes(&entry))) {
        added++;
    }
    assert_true(added == chunk->count && added > 1000 && chunk->used <= chunk->cap);
    free(chunk);
}

// Reads to the end or the first failure; how many entries there were.
static int read_all(struct view bytes, struct fail *fail)
{
    struct chunk_reader reader;
    int count = 0;
    if (chunk_open(&reader, bytes, fail)) {
        while (chunk_next(&reader, fail)) {
            count++;
        }
    }
    return count;
}

static void test_a_cut_chunk_is_refused(void **state)
{
    (void)state;
    struct chunk *chunk = filled_chunk();
    int whole = 0;
    for (size_t len = 1; len <= chunk->used; len++) {
        struct fail fail = {0};
        char *copy = malloc(len); // of its own size, so that a read behind it is seen
        memcpy(copy, chunk->bytes, len);
        int count = read_all((struct view){copy, len}, &fail);
        whole += fail.code == FAIL_NONE;
        assert_true(count <= 4 && (fail.code == FAIL_NONE || fail.code == FAIL_STORE));
        free(copy);
    }
    assert_int_equal(whole, 5); // cut behind the version and each entry
    free(chunk);
}

static void test_changed_bytes_stay_in_bounds(void **state)
{
    (void)state;
    struct chunk *chunk = filled_chunk();
    for (size_t at = 1; at < chunk->used; at++) {
        for (int bit = 0; bit < 8; bit++) {
            struct fail fail = {0};
            chunk->bytes[at] = (char)(chunk->bytes[at] ^ 1 << bit);
            read_all(chunk_view(chunk), &fail);
            assert_true(fail.code == FAIL_NONE || fail.code == FAIL_STORE);
            chunk->bytes[at] = (char)(chunk->bytes[at] ^ 1 << bit);
        }
    }
    free(chunk);
}

static void test_another_format_is_refused(void **state)
{
    (void)state;
    struct fail fail = {0};
    assert_true(read_all(VIEW("\x7fxyz"), &fail) == 0 && fail.code == FAIL_STORE);
    fail_clear(&fail);
    assert_true(read_all(VIEW_NONE, &fail) == 0 && fail.code == FAIL_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entries_come_back_as_they_were), cmocka_unit_test(test_a_full_chunk_takes_no_more),
        cmocka_unit_test(test_a_cut_chunk_is_refused),         cmocka_unit_test(test_changed_bytes_stay_in_bounds),
        cmocka_unit_test(test_another_format_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
