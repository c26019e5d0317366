// SPDX-License-Identifier: Apache-2.0
#include "common.h"

static void blocks_are_aligned_and_apart(void **state)
{
    (void)state;
    char *before = heap_alloc(&heap, 1);
    for (size_t bytes = 1; bytes < 100; bytes++) {
        char *block = heap_alloc(&heap, bytes);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % 8, 0);
        memset(block, (int)bytes, bytes);
        assert_true(block != before);
        before = block;
    }
}

static void a_big_block_leaves_the_bump_space_alone(void **state)
{
    (void)state;
    char *small = heap_alloc(&heap, 16);
    char *big = heap_alloc(&heap, 1000000);
    char *next = heap_alloc(&heap, 16);
    assert_non_null(big);
    memset(big, 1, 1000000);
    assert_true(next > small && next - small < 64);
}

static void first_run_takes_little(void **state)
{
    (void)state;
    heap_alloc(&heap, 100);
    assert_true(heap.bytes <= 8192);
}

static void over_the_limit_gives_null_and_failed(void **state)
{
    (void)state;
    struct heap tiny;
    heap_init(&tiny, 1000, NULL);
    assert_non_null(heap_alloc(&tiny, 500));
    assert_null(heap_alloc(&tiny, 600));
    assert_true(tiny.failed);
    assert_true(tiny.bytes <= 1000);
    assert_null(heap_alloc(&tiny, SIZE_MAX));
    assert_null(heap_alloc(&tiny, SIZE_MAX - 40));
    heap_free(&tiny);
}

static void charge_counts_against_the_limit(void **state)
{
    (void)state;
    struct heap tiny;
    heap_init(&tiny, 1000, NULL);
    assert_true(heap_charge(&tiny, 1000));
    assert_false(tiny.failed);
    assert_false(heap_charge(&tiny, 1));
    assert_true(tiny.failed);
    heap_free(&tiny);
}

static char closed[8];

static void note_close(void *arg)
{
    strncat(closed, arg, sizeof closed - strlen(closed) - 1);
}

static void closers_run_last_first_and_once(void **state)
{
    (void)state;
    struct heap own;
    heap_init(&own, 100000, NULL);
    closed[0] = '\0';
    assert_true(heap_on_close(&own, note_close, "a"));
    assert_true(heap_on_close(&own, note_close, "b"));
    heap_reset(&own);
    assert_string_equal(closed, "ba");
    heap_free(&own);
    assert_string_equal(closed, "ba");
}

static void reset_keeps_one_chunk_for_the_next_run(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        heap_alloc(&heap, 100);
    }
    heap_alloc(&heap, 1000000);
    heap.failed = true;
    heap_reset(&heap);
    assert_false(heap.failed);
    size_t kept = heap.bytes;
    assert_true(kept > 0 && kept <= 256 * 1024);
    heap_alloc(&heap, 1000);
    assert_int_equal(heap.bytes, kept);
}

static void reset_of_an_unused_heap_is_harmless(void **state)
{
    (void)state;
    heap_reset(&heap);
    heap_alloc(&heap, 40000); // only a block of its own: nothing to keep
    heap_reset(&heap);
    assert_int_equal(heap.bytes, 0);
    assert_non_null(heap_alloc(&heap, 8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HEAP_TEST(blocks_are_aligned_and_apart),
        HEAP_TEST(a_big_block_leaves_the_bump_space_alone),
        HEAP_TEST(first_run_takes_little),
        HEAP_TEST(over_the_limit_gives_null_and_failed),
        HEAP_TEST(charge_counts_against_the_limit),
        HEAP_TEST(closers_run_last_first_and_once),
        HEAP_TEST(reset_keeps_one_chunk_for_the_next_run),
        HEAP_TEST(reset_of_an_unused_heap_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
