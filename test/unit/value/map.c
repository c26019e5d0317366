// SPDX-License-Identifier: Apache-2.0
#include "common.h"

enum { MANY = 100000 };

static void list_grows_inserts_and_removes(void **state)
{
    (void)state;
    struct value l = value_list(&heap, 0);
    for (int i = 0; i < 1000; i++) {
        assert_true(list_add(&heap, l.list, value_number(i)));
    }
    list_insert(&heap, l.list, 0, value_number(-1));
    list_insert(&heap, l.list, l.list->count, value_number(1000));
    list_remove(l.list, 1);
    assert_int_equal(l.list->count, 1001);
    assert_int_equal(l.list->items[0].number, -1);
    assert_int_equal(l.list->items[1].number, 1);
    assert_int_equal(l.list->items[1000].number, 1000);
    while (l.list->count) {
        list_remove(l.list, l.list->count - 1);
    }
    assert_prints(l, "");
}

static void a_long_list_leaves_little_garbage(void **state)
{
    (void)state;
    struct value l = value_list(&heap, 0);
    for (int i = 0; i < 1000000; i++) {
        list_add(&heap, l.list, value_number(i));
    }
    assert_true(heap.bytes < 20 * 1000000); // 16 MB of items
    assert_int_equal(l.list->items[999999].number, 999999);
}

static void put_replaces_in_place(void **state)
{
    (void)state;
    struct value m = value_map(&heap, 0);
    map_put_text(&heap, m.map, VIEW("C"), value_number(4));
    map_put_text(&heap, m.map, VIEW("R"), value_number(3));
    map_put_text(&heap, m.map, VIEW("C"), value_number(5));
    assert_prints(m, "{\"C\":5,\"R\":3}");
}

static void absent_keys_and_null_values_differ(void **state)
{
    (void)state;
    bool found;
    struct value m = JSON("{\"a\":null}");
    assert_true(value_is_null(map_get(m.map, text_of("a"), &found)));
    assert_true(found);
    assert_true(value_is_null(map_get(m.map, text_of("b"), &found)));
    assert_false(found);
    assert_true(value_is_null(map_get_text(m.map, VIEW("b"))));
}

static void keys_are_case_sensitive(void **state)
{
    (void)state;
    struct value m = JSON("{\"Product\":1}");
    assert_true(value_is_null(map_get_text(m.map, VIEW("product"))));
}

static void keys_of_all_types(void **state)
{
    (void)state;
    struct value m = value_map(&heap, 0), list = value_list(&heap, 0);
    list_add(&heap, list.list, value_number(0));
    map_put(&heap, m.map, value_number(1), text_of("number"));
    map_put(&heap, m.map, text_of("1"), text_of("text"));
    map_put(&heap, m.map, value_bool(true), text_of("bool"));
    map_put(&heap, m.map, value_null(), text_of("null"));
    map_put(&heap, m.map, list, text_of("list"));
    map_put(&heap, m.map, value_decimal(1.0), text_of("whole decimal")); // equals the number 1
    assert_int_equal(m.map->count, 5);
    assert_view(value_view(map_get(m.map, value_number(1), NULL)), "whole decimal");
    assert_view(value_view(map_get(m.map, text_of("1"), NULL)), "text");
    assert_view(value_view(map_get(m.map, list, NULL)), "list");
    assert_view(value_view(map_get(m.map, value_null(), NULL)), "null");
}

// spec/deluge-language.md §11 case 46
static void a_list_that_changes_stays_a_key(void **state)
{
    (void)state;
    struct value m = value_map(&heap, 0), key = value_list(&heap, 0);
    list_add(&heap, key.list, value_number(0));
    map_put(&heap, m.map, key, text_of("ITEM1"));
    assert_prints(m, "{[0]:\"ITEM1\"}");
    list_add(&heap, key.list, value_number(1));
    assert_int_equal(m.map->count, 1);
    assert_prints(m, "{[0,1]:\"ITEM1\"}");
}

static void the_empty_key(void **state)
{
    (void)state;
    struct value m = JSON("{\"\":1,\"a\":2,\"\":3}");
    assert_int_equal(m.map->count, 2);
    assert_int_equal(map_get_text(m.map, VIEW("")).number, 3);
    assert_int_equal(map_get_text(m.map, VIEW_NONE).number, 3);
    assert_true(map_remove(m.map, text_of("")));
    assert_prints(m, "{\"a\":2}");
}

static struct value many_entries(void)
{
    struct value m = value_map(&heap, 0);
    char key[16];
    for (int i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "key%d", i);
        assert_true(map_put_text(&heap, m.map, view_of(key), value_number(i)));
    }
    return m;
}

static void many_keys_are_found(void **state)
{
    (void)state;
    struct value m = many_entries();
    char key[16];
    assert_int_equal(m.map->count, MANY);
    for (int i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "key%d", i);
        assert_int_equal(map_get_text(m.map, view_of(key)).number, i);
    }
}

static void removals_keep_order_and_make_room(void **state)
{
    (void)state;
    struct value m = many_entries();
    char key[16];
    for (int i = 0; i < MANY; i += 2) {
        snprintf(key, sizeof key, "key%d", i);
        assert_true(map_remove(m.map, text_of(key)));
        assert_false(map_remove(m.map, text_of(key)));
    }
    uint32_t cap = m.map->cap;
    for (int i = 0; i < MANY / 2; i++) {
        snprintf(key, sizeof key, "new%d", i);
        assert_true(map_put_text(&heap, m.map, view_of(key), value_number(MANY + i)));
    }
    assert_int_equal(m.map->count, MANY);
    assert_int_equal(m.map->cap, cap); // holes were used, nothing grew
    int64_t before = -1;
    uint32_t cursor = 0, seen = 0;
    for (struct map_entry *entry; (entry = map_next(m.map, &cursor)); seen++) {
        assert_true(entry->value.number > before);
        before = entry->value.number;
    }
    assert_int_equal(seen, MANY);
}

static void a_queue_of_keys_does_not_grow(void **state)
{
    (void)state;
    struct value m = value_map(&heap, 0);
    for (int i = 0; i < MANY; i++) {
        map_put(&heap, m.map, value_number(i), value_null());
        if (i >= 20) {
            assert_true(map_remove(m.map, value_number(i - 20)));
        }
    }
    assert_int_equal(m.map->count, 20);
    assert_true(m.map->cap <= 64);
}

static void clear_empties_and_can_be_filled_again(void **state)
{
    (void)state;
    struct value m = many_entries();
    map_clear(m.map);
    assert_int_equal(m.map->count, 0);
    assert_true(value_is_null(map_get_text(m.map, VIEW("key1"))));
    map_put_text(&heap, m.map, VIEW("key1"), value_number(9));
    assert_prints(m, "{\"key1\":9}");
}

static void a_removed_key_comes_back_at_the_end(void **state)
{
    (void)state;
    struct value m = JSON("{\"a\":1,\"b\":2}");
    map_remove(m.map, text_of("a"));
    map_put_text(&heap, m.map, VIEW("a"), value_number(3));
    assert_prints(m, "{\"b\":2,\"a\":3}");
}

static void a_refused_growth_leaves_the_map_whole(void **state)
{
    (void)state;
    struct heap tiny;
    heap_init(&tiny, 4096, NULL);
    struct value m = value_map(&tiny, 0);
    int64_t count = 0;
    while (map_put(&tiny, m.map, value_number(count), value_number(count))) {
        count++;
    }
    assert_true(tiny.failed);
    assert_int_equal(m.map->count, count);
    for (int64_t i = 0; i < count; i++) {
        assert_int_equal(map_get(m.map, value_number(i), NULL).number, i);
    }
    heap_free(&tiny);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HEAP_TEST(list_grows_inserts_and_removes),
        HEAP_TEST(a_long_list_leaves_little_garbage),
        HEAP_TEST(put_replaces_in_place),
        HEAP_TEST(absent_keys_and_null_values_differ),
        HEAP_TEST(keys_are_case_sensitive),
        HEAP_TEST(keys_of_all_types),
        HEAP_TEST(a_list_that_changes_stays_a_key),
        HEAP_TEST(the_empty_key),
        HEAP_TEST(many_keys_are_found),
        HEAP_TEST(removals_keep_order_and_make_room),
        HEAP_TEST(a_queue_of_keys_does_not_grow),
        HEAP_TEST(clear_empties_and_can_be_filled_again),
        HEAP_TEST(a_removed_key_comes_back_at_the_end),
        HEAP_TEST(a_refused_growth_leaves_the_map_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
