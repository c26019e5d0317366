// SPDX-License-Identifier: Apache-2.0
// base: text, numbers, memory limits, the failure record, secrets.
#include "base/base.h"

#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void views_cut_and_compare(void **state)
{
    (void)state;
    struct view rest = VIEW("a=b=c");
    assert_true(view_eq(view_cut(&rest, '='), VIEW("a")));
    assert_true(view_eq(rest, VIEW("b=c")));
    assert_true(view_eq(view_cut(&rest, '&'), VIEW("b=c")));
    assert_int_equal(rest.len, 0);
    assert_true(view_eq_nocase(VIEW("LeadS"), VIEW("leads")));
    assert_false(view_eq_nocase(VIEW("[eads"), VIEW("{eads"))); // differ in bit 5 but are no letters
    assert_true(view_compare(VIEW("ab"), VIEW("abc")) < 0);
    assert_int_equal(view_find(VIEW("hay needle"), VIEW("needle")), 4);
    assert_int_equal(view_find(VIEW("hay"), VIEW("needle")), -1);
    assert_true(view_eq(view_trim(VIEW(" \t x \r\n")), VIEW("x")));
    assert_int_equal(view_slice(VIEW("abc"), 2, 100).len, 1);
    assert_int_equal(view_from(VIEW("abc"), 100).len, 0);
}

static void numbers_are_read_exactly_or_refused(void **state)
{
    (void)state;
    int64_t n = 0;
    assert_true(view_to_int64(VIEW("9223372036854775807"), &n) && n == INT64_MAX);
    assert_true(view_to_int64(VIEW("-9223372036854775808"), &n) && n == INT64_MIN);
    const char *bad[] = {"9223372036854775808", "-9223372036854775809", "", "-", "+", " 1", "1 ", "1.0", "0x1", "1e3"};
    for (size_t i = 0; i < BASE_COUNT(bad); i++) {
        assert_false(view_to_int64(view_of(bad[i]), &n));
    }
    double d = 0;
    assert_true(view_to_decimal(VIEW("-.5e1"), &d) && d == -5);
    const char *worse[] = {"", ".", "e5", "1e", "inf", "nan", "0x10", "1 ", "--1"};
    for (size_t i = 0; i < BASE_COUNT(worse); i++) {
        assert_false(view_to_decimal(view_of(worse[i]), &d));
    }
}

static void decimals_print_shortest_and_plain(void **state)
{
    (void)state;
    static const struct {
        double number;
        const char *text;
    } rows[] = {
        {0.1, "0.1"},
        {0.1 + 0.2, "0.30000000000000004"},
        {12345678901234.56, "12345678901234.56"},
        {1.0 / 3, "0.3333333333333333"},
        {100, "100"},
        {-0.5, "-0.5"},
        {1e21, "1000000000000000000000"},
        {5e-7, "0.0000005"},
        {2.5, "2.5"},
        {-1e-10, "-0.0000000001"},
        {0.07, "0.07"},
        {1234567.891, "1234567.891"},
        {9007199254740993.0, "9007199254740992"},
        {3.7519608384069003, "3.7519608384069003"},
        {0, "0"},
    };
    for (size_t i = 0; i < BASE_COUNT(rows); i++) {
        char out[DECIMAL_TEXT_MAX + 1];
        out[decimal_print(out, rows[i].number)] = 0;
        assert_string_equal(out, rows[i].text);
    }
    for (int i = 0; i < 20000; i++) { // any double reads back
        uint64_t bits = random_fast();
        double number, back = 0;
        memcpy(&number, &bits, sizeof number);
        char out[DECIMAL_TEXT_MAX + 1];
        size_t len = decimal_print(out, number);
        assert_true(len <= DECIMAL_TEXT_MAX);
        if (isfinite(number)) {
            assert_true(view_to_decimal((struct view){out, len}, &back));
            assert_true(back == number);
        }
    }
}

static void utf8_counts_as_java_does(void **state)
{
    (void)state;
    struct view text = VIEW("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z"); // a é € 😀 z
    assert_true(utf8_valid(text));
    assert_int_equal(utf8_units(text), 6);
    assert_int_equal(utf8_offset(text, 2), 3);
    assert_int_equal(utf8_offset(text, 4), 10); // inside the pair: behind it
    assert_int_equal(utf8_offset(text, 99), text.len);
    assert_int_equal(utf8_clamp(text, 8), 6);
    assert_int_equal(utf8_clamp(text, 10), 10);
    const char *bad[] = {"\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80", "\xE2\x82", "\xFF"};
    for (size_t i = 0; i < BASE_COUNT(bad); i++) {
        assert_false(utf8_valid(view_of(bad[i])));
    }
    size_t offset = 6;
    assert_int_equal(utf8_next(text, &offset), 0x1F600);
    assert_int_equal(offset, 10);
}

static void base64_and_hex_round_trip(void **state)
{
    (void)state;
    char bytes[70], text[100];
    for (size_t len = 0; len < sizeof bytes; len++) {
        random_bytes(bytes, sizeof bytes);
        struct buffer out;
        buffer_init(&out, 1000);
        size_t size = base64_print(text, (struct view){bytes, len});
        assert_int_equal(size, base64_size(len));
        assert_true(base64_read((struct view){text, size}, &out));
        assert_true(view_eq(buffer_view(&out), (struct view){bytes, len}));
        buffer_free(&out);
    }
    struct buffer out;
    buffer_init(&out, 1000);
    const char *bad[] = {"A",
                         "A=",
                         "AB=C",
                         "AB===",
                         "A$==",
                         "QQ=="
                         "x"};
    for (size_t i = 0; i < BASE_COUNT(bad); i++) {
        assert_false(base64_read(view_of(bad[i]), &out));
    }
    buffer_free(&out);
    assert_false(hex_read(VIEW("0g"), bytes, 1));
    assert_false(hex_read(VIEW("000"), bytes, 1));
}

static void memory_stops_at_its_maximum(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 20000);
    assert_non_null(arena_alloc(&arena, 9000));
    assert_null(arena_alloc(&arena, 15000));
    assert_non_null(arena_alloc(&arena, 100));
    assert_null(arena_alloc(&arena, SIZE_MAX));
    arena_reset(&arena);
    assert_non_null(arena_alloc(&arena, 9000));
    arena_free(&arena);

    struct buffer buffer;
    buffer_init(&buffer, 10);
    buffer_add(&buffer, VIEW("0123456789"));
    assert_false(buffer.failed);
    buffer_add_char(&buffer, 'x');
    assert_true(buffer.failed);
    assert_string_equal(buffer_text(&buffer), "");
    buffer_reset(&buffer);
    buffer_printf(&buffer, "%d", 12345);
    assert_string_equal(buffer_text(&buffer), "12345");
    buffer_free(&buffer);
}

static void tables_hold_what_was_put(void **state)
{
    (void)state;
    struct table table;
    table_init(&table, 5000, true);
    char key[20];
    for (intptr_t i = 1; i <= 5000; i++) {
        snprintf(key, sizeof key, "Key%d", (int)i);
        assert_true(table_put(&table, view_of(key), (void *)i));
    }
    assert_false(table_put(&table, VIEW("one more"), key));
    for (intptr_t i = 1; i <= 5000; i += 2) {
        snprintf(key, sizeof key, "kEY%d", (int)i);
        assert_ptr_equal(table_remove(&table, view_of(key)), (void *)i);
    }
    for (intptr_t i = 1; i <= 5000; i++) {
        snprintf(key, sizeof key, "key%d", (int)i);
        assert_ptr_equal(table_get(&table, view_of(key)), i % 2 ? NULL : (void *)i);
    }
    size_t cursor = 0, seen = 0;
    struct view name;
    void *value;
    while (table_next(&table, &cursor, &name, &value)) {
        seen++;
    }
    assert_int_equal(seen, table.count);
    table_free(&table);
}

static void failures_are_cut_at_a_character(void **state)
{
    (void)state;
    char longer[FAIL_TEXT_MAX * 2];
    memset(longer, 'x', sizeof longer);
    memcpy(longer + FAIL_TEXT_MAX - 2, "\xE2\x82\xAC", 3);
    longer[sizeof longer - 1] = 0;
    struct fail fail;
    assert_false(fail_set(&fail, FAIL_SCRIPT, "%s", longer));
    assert_int_equal(strlen(fail.text), FAIL_TEXT_MAX - 2);
    fail_set(&fail, FAIL_URL_PATTERN, NULL);
    assert_string_equal(fail.text, "Please check if the URL trying to access is a correct one");
    assert_int_equal(fail_status(FAIL_URL_PATTERN), 404);
}

static void secrets_open_only_where_they_belong(void **state)
{
    (void)state;
    char folder[] = "/tmp/sluice-seal-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/master.key", folder);
    struct seal *seal, *again;
    struct fail fail;
    assert_true(seal_open(folder, &seal, &fail));
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_true(seal_open(folder, &again, &fail));

    struct buffer sealed, plain;
    buffer_init(&sealed, 1000);
    buffer_init(&plain, 1000);
    assert_true(seal_lock(seal, VIEW("zapikey/default/production/ns"), VIEW("secret"), &sealed, &fail));
    assert_int_equal(sealed.len, 6 + SEAL_OVERHEAD);
    assert_int_equal(view_find(buffer_view(&sealed), VIEW("secret")), -1);
    assert_true(seal_unlock(again, VIEW("zapikey/default/production/ns"), buffer_view(&sealed), &plain, &fail));
    assert_true(view_eq(buffer_view(&plain), VIEW("secret")));
    assert_false(seal_unlock(seal, VIEW("zapikey/default/sandbox/ns"), buffer_view(&sealed), &plain, &fail));
    sealed.data[20] ^= 1;
    assert_false(seal_unlock(seal, VIEW("zapikey/default/production/ns"), buffer_view(&sealed), &plain, &fail));
    assert_false(seal_unlock(seal, VIEW("x"), VIEW("short"), &plain, &fail));

    uint8_t one[SEAL_HMAC_BYTES], two[SEAL_HMAC_BYTES];
    seal_hmac(seal, VIEW("key"), one);
    seal_hmac(again, VIEW("key"), two);
    assert_true(seal_equal(one, two, sizeof one));
    seal_hmac(again, VIEW("kez"), two);
    assert_false(seal_equal(one, two, sizeof one));

    assert_int_equal(chmod(path, 0644), 0);
    struct seal *refused = NULL;
    assert_false(seal_open(folder, &refused, &fail));
    assert_non_null(strstr(fail.text, "chmod 600"));
    buffer_free(&sealed);
    buffer_free(&plain);
    seal_close(seal);
    seal_close(again);
    unlink(path);
    rmdir(folder);
}

static bool in_list(const char *list, const char *address)
{
    struct address_range ranges[4];
    struct address who;
    struct fail fail;
    int count = 0;
    assert_true(address_list_read(view_of(list), ranges, 4, &count, &fail));
    assert_true(address_read(view_of(address), &who));
    return address_in_any(&who, ranges, count);
}

static void addresses_lie_in_ranges(void **state)
{
    (void)state;
    assert_true(in_list("10.0.0.0/8", "10.255.0.1"));
    assert_false(in_list("10.0.0.0/8", "11.0.0.1"));
    assert_true(in_list(" 192.0.2.1 ,, 2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(in_list("192.0.2.1,2001:db8::/33", "2001:db8:8000::1"));
    assert_true(in_list("192.0.2.1", "::ffff:192.0.2.1")); // one address in two clothes
    assert_true(in_list("::ffff:192.0.2.0/120", "192.0.2.7"));
    assert_false(in_list("::ffff:192.0.2.0/120", "192.0.3.7"));
    assert_false(in_list("0.0.0.0/0", "2001:db8::1"));
    assert_true(in_list("::/0,0.0.0.0/0", "2001:db8::1"));
    static const char *const wrong[] = {"10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0", "example.com", "::/129", "[::1]", "1.2.3.4:80",
                                        "::ffff:192.0.2.0/95", "1.1.1.1,2.2.2.2,3.3.3.3,4.4.4.4,5.5.5.5"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct address_range ranges[4];
        struct fail fail;
        int count = 7;
        assert_false(address_list_read(view_of(wrong[i]), ranges, 4, &count, &fail));
        assert_int_equal(fail.code, FAIL_INVALID_DATA);
        assert_int_equal(count, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_cut_and_compare),
        cmocka_unit_test(numbers_are_read_exactly_or_refused),
        cmocka_unit_test(decimals_print_shortest_and_plain),
        cmocka_unit_test(utf8_counts_as_java_does),
        cmocka_unit_test(base64_and_hex_round_trip),
        cmocka_unit_test(memory_stops_at_its_maximum),
        cmocka_unit_test(tables_hold_what_was_put),
        cmocka_unit_test(failures_are_cut_at_a_character),
        cmocka_unit_test(addresses_lie_in_ranges),
        cmocka_unit_test(secrets_open_only_where_they_belong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
