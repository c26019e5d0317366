// SPDX-License-Identifier: Apache-2.0
//
// Mails as text: what a reader gets, and what hostile texts cannot do.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "out/out.h"

static const char *write_letter(struct out_letter letter, struct buffer *out)
{
    struct fail fail = {0};
    letter.from = letter.from.address.len ? letter.from : (struct out_address){VIEW(""), VIEW("me@x.example")};
    letter.id = VIEW("0123456789abcdef");
    letter.date_ms = 1721122767000;
    buffer_init(out, OUT_MAIL_BYTES_MAX);
    assert_true(out_letter_write(&letter, out, &fail));
    return buffer_text(out);
}

static void test_a_letter_as_text(void **state)
{
    (void)state;
    struct buffer out;
    struct out_address to[] = {{VIEW("Ada \"A\" Doe"), VIEW("ada@x.example")}, {VIEW(""), VIEW("b@x.example")}};
    const char *text =
        write_letter((struct out_letter){.to = to, .to_count = 2, .subject = VIEW("Hello"), .text = VIEW("<b>hi</b>")}, &out);
    assert_string_equal(text,
                        "Date: Tue, 16 Jul 2024 09:39:27 +0000\r\nFrom: me@x.example\r\nTo: \"Ada \\\"A\\\" Doe\" <ada@x.example>,\r\n"
                        " b@x.example\r\nSubject: Hello\r\nMessage-ID: <0123456789abcdef@x.example>\r\nMIME-Version: 1.0\r\n"
                        "Content-Type: text/html; charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+aGk8L2I+\r\n");
    buffer_free(&out);
}

static void test_a_subject_cannot_become_a_header(void **state)
{
    (void)state;
    struct buffer out;
    const char *text = write_letter((struct out_letter){.subject = VIEW("a\r\nBcc: evil@x.example\r\n\r\nbody")}, &out);
    assert_null(strstr(text, "evil"));
    assert_non_null(strstr(text, "Subject: =?UTF-8?B?"));
    buffer_free(&out);
}

static void test_names_of_people_and_files_cannot_become_headers(void **state)
{
    (void)state;
    struct buffer out;
    struct out_address to = {VIEW("x\r\nBcc: evil"), VIEW("a@x.example")};
    struct out_file file = {VIEW("a\"\r\nX: evil \xc3\xa9.txt"), VIEW("text/plain\r\nX: evil"), VIEW("f")};
    const char *text = write_letter((struct out_letter){.to = &to, .to_count = 1, .files = &file, .file_count = 1}, &out);
    assert_null(strstr(text, "\nBcc"));
    assert_null(strstr(text, "\nX:"));
    assert_non_null(strstr(text, "Content-Type: application/octet-stream\r\n"));
    assert_non_null(strstr(text, "filename*=UTF-8''a%22%0D%0AX%3A%20evil%20%C3%A9.txt\r\n"));
    buffer_free(&out);
}

static void test_long_subjects_are_cut_into_words_at_characters(void **state)
{
    (void)state;
    struct buffer out;
    struct view subject = VIEW("ééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé");
    const char *text = strstr(write_letter((struct out_letter){.subject = subject}, &out), "Subject: ") + 9;
    size_t bytes = 0;
    for (; strncmp(text, "=?UTF-8?B?", 10) == 0; text += strspn(text, "\r\n ")) {
        struct buffer decoded;
        const char *end = strstr(text + 10, "?=");
        buffer_init(&decoded, 1000);
        assert_true(base64_read((struct view){text + 10, (size_t)(end - text - 10)}, &decoded));
        assert_true(utf8_valid(buffer_view(&decoded)));
        assert_true(end - text < 74);
        bytes += decoded.len;
        buffer_free(&decoded);
        text = end + 2;
    }
    assert_int_equal(bytes, subject.len);
    buffer_free(&out);
}

static void test_addresses_of_a_list(void **state)
{
    (void)state;
    struct view rest = VIEW(" a@x.example , \"Doe, Ada\" <ada@x.example>,,Bob <b@x.example> ");
    const char *const names[] = {"", "Doe, Ada", "Bob"}, *const addresses[] = {"a@x.example", "ada@x.example", "b@x.example"};
    struct out_address address;
    struct fail fail = {0};
    for (size_t i = 0; i < 3; i++) {
        assert_true(out_address_next(&rest, &address, &fail));
        assert_true(view_eq(address.name, view_of(names[i])) && view_eq(address.address, view_of(addresses[i])));
    }
    assert_false(out_address_next(&rest, &address, &fail));
    assert_int_equal(fail.code, FAIL_NONE);
}

static void test_what_is_no_address_is_refused(void **state)
{
    (void)state;
    const char *const wrong[] = {"a",          "@x",   "a@",   "a b@x", "a@x\r\nRCPT TO:b@x", "<a@x", "a@x>", "a@b@c",
                                 "\xc3\xa9@x", "a@x.", "x <>", "\"a@x"};
    for (size_t i = 0; i < BASE_COUNT(wrong); i++) {
        struct view rest = view_of(wrong[i]);
        struct out_address address;
        struct fail fail = {0};
        assert_false(out_address_next(&rest, &address, &fail));
        assert_int_equal(fail.code, FAIL_OUTBOUND);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_letter_as_text),
        cmocka_unit_test(test_a_subject_cannot_become_a_header),
        cmocka_unit_test(test_names_of_people_and_files_cannot_become_headers),
        cmocka_unit_test(test_long_subjects_are_cut_into_words_at_characters),
        cmocka_unit_test(test_addresses_of_a_list),
        cmocka_unit_test(test_what_is_no_address_is_refused),
    };
    return cmocka_run_group_tests_name("letter", tests, NULL, NULL);
}
