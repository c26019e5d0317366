// SPDX-License-Identifier: Apache-2.0
//
// compress and extract: what goes in comes out, and archives that mean harm. The archives below were made with other programs.
#include "deluge.h"
#include "loop/loop.h"

// a.txt, dir/, dir/b.csv
#define PLAIN                                                                                                                              \
    "UEsDBBQAAAAIAAAAIViGphA2BwAAAAUAAAAFAAAAYS50eHTLSM3JyQcAUEsDBBQAAAAIAAAAIVgAAAAAAgAAAAAAAAAEAAAAZGlyLwMAUEsDBB"                       \
    "QAAAAIAAAAIViFe+JpCQAAAAcAAAAJAAAAZGlyL2IuY3N2M9Qx4jLWMQEAUEsBAhQDFAAAAAgAAAAhWIamEDYHAAAABQAAAAUAAAAAAAAAAAAA"                       \
    "AIABAAAAAGEudHh0UEsBAhQDFAAAAAgAAAAhWAAAAAACAAAAAAAAAAQAAAAAAAAAAAAAAIABKgAAAGRpci9QSwECFAMUAAAACAAAACFYhXviaQ"                       \
    "kAAAAHAAAACQAAAAAAAAAAAAAAgAFOAAAAZGlyL2IuY3N2UEsFBgAAAAADAAMAnAAAAH4AAAAAAA=="
// a.txt, not compressed
#define STORED                                                                                                                             \
    "UEsDBBQAAAAAAAAAIViGphA2BQAAAAUAAAAFAAAAYS50eHRoZWxsb1BLAQIUAxQAAAAAAAAAIViGphA2BQAAAAUAAAAFAAAAAAAAAAAAAACAAQ"                       \
    "AAAABhLnR4dFBLBQYAAAAAAQABADMAAAAoAAAAAAA="
// ../a.txt
#define TRAVERSAL                                                                                                                          \
    "UEsDBBQAAAAIAAAAIViDFtyMAwAAAAEAAAAIAAAALi4vYS50eHSrAABQSwECFAMUAAAACAAAACFYgxbcjAMAAAABAAAACAAAAAAAAAAAAAAAgA"                       \
    "EAAAAALi4vYS50eHRQSwUGAAAAAAEAAQA2AAAAKQAAAAAA"
// a/../../b.txt
#define INNER_TRAVERSAL                                                                                                                    \
    "UEsDBBQAAAAIAAAAIViDFtyMAwAAAAEAAAANAAAAYS8uLi8uLi9iLnR4dKsAAFBLAQIUAxQAAAAIAAAAIViDFtyMAwAAAAEAAAANAAAAAAAAAA"                       \
    "AAAACAAQAAAABhLy4uLy4uL2IudHh0UEsFBgAAAAABAAEAOwAAAC4AAAAAAA=="
// /etc/passwd
#define ABSOLUTE                                                                                                                           \
    "UEsDBBQAAAAIAAAAIViDFtyMAwAAAAEAAAALAAAAL2V0Yy9wYXNzd2SrAABQSwECFAMUAAAACAAAACFYgxbcjAMAAAABAAAACwAAAAAAAAAAAA"                       \
    "AAgAEAAAAAL2V0Yy9wYXNzd2RQSwUGAAAAAAEAAQA5AAAALAAAAAAA"
// a\..\..\b.txt
#define BACKSLASH                                                                                                                          \
    "UEsDBBQAAAAIAAAAIViDFtyMAwAAAAEAAAANAAAAYVwuLlwuLlxiLnR4dKsAAFBLAQIUAxQAAAAIAAAAIViDFtyMAwAAAAEAAAANAAAAAAAAAA"                       \
    "AAAACAAQAAAABhXC4uXC4uXGIudHh0UEsFBgAAAAABAAEAOwAAAC4AAAAAAA=="
// C:evil.txt
#define DRIVE                                                                                                                              \
    "UEsDBBQAAAAIAAAAIViDFtyMAwAAAAEAAAAKAAAAQzpldmlsLnR4dKsAAFBLAQIUAxQAAAAIAAAAIViDFtyMAwAAAAEAAAAKAAAAAAAAAAAAAA"                       \
    "CAAQAAAABDOmV2aWwudHh0UEsFBgAAAAABAAEAOAAAACsAAAAAAA=="
// a.txt and a.txt
#define TWICE                                                                                                                              \
    "UEsDBBQAAAAIAAAAIVjxhmx6BQAAAAMAAAAFAAAAYS50eHTLz0sFAFBLAwQUAAAACAAAACFYZorKEQUAAAADAAAABQAAAGEudHh0KynPBwBQSw"                       \
    "ECFAMUAAAACAAAACFY8YZsegUAAAADAAAABQAAAAAAAAAAAAAAgAEAAAAAYS50eHRQSwECFAMUAAAACAAAACFYZorKEQUAAAADAAAABQAAAAAA"                       \
    "AAAAAAAAgAEoAAAAYS50eHRQSwUGAAAAAAIAAgBmAAAAUAAAAAAA"
// 1,100,000 NULs
#define BOMB                                                                                                                               \
    "UEsDBBQAAAAIAAAAIVgS/e0sOwQAAODIEAAFAAAAYS50eHTtwTEBAAAAwqD1T20ND6AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"                       \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"                       \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"                       \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"                       \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"                       \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"                       \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"                       \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"                       \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"                       \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"                       \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"                       \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"                       \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"                       \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACANwNQSwECFAMUAAAACAAAACFYEv3tLDsEAADgyBAABQAAAAAAAAAA"                       \
    "AAAAgAEAAAAAYS50eHRQSwUGAAAAAAEAAQAzAAAAXgQAAAAA"
// another method
#define BZIP2                                                                                                                              \
    "UEsDBC4AAAAMAAAAIVgDimKsJwAAADIAAAAFAAAAYS50eHRCWmg5MUFZJlNZkAJFogAAAhCAAAEAQCAAIQCCCxdyRThQkJACRaJQSwECLgMuAA"                       \
    "AADAAAACFYA4pirCcAAAAyAAAABQAAAAAAAAAAAAAAgAEAAAAAYS50eHRQSwUGAAAAAAEAAQAzAAAASgAAAAAA"
// no entries
#define EMPTY "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="
// the first half of PLAIN
#define TRUNCATED                                                                                                                          \
    "UEsDBBQAAAAIAAAAIViGphA2BwAAAAUAAAAFAAAAYS50eHTLSM3JyQcAUEsDBBQAAAAIAAAAIVgAAAAAAgAAAAAAAAAEAAAAZGlyLwMAUEsDBB"                       \
    "QAAAAIAAAAIViFe+JpCQAAAAcAAAAJAAAAZGlyL2IuY3N2M9Qx"
// grün/✓.txt
#define UNICODE                                                                                                                            \
    "UEsDBBQAAAgIAAAAIVjVadljBAAAAAIAAAANAAAAZ3LDvG4v4pyTLnR4dDu8BwBQSwECFAMUAAAICAAAACFY1WnZYwQAAAACAAAADQAAAAAAAA"                       \
    "AAAAAAgAEAAAAAZ3LDvG4v4pyTLnR4dFBLBQYAAAAAAQABADsAAAAvAAAAAAA="
// 17 bytes that say they are 9
#define LYING_SHORT                                                                                                                        \
    "UEsDBBQAAAAIAAAAIViAiPnlCgAAABEAAAAFAAAAYS50eHTLSM3JyVfIQJAAUEsBAhQDFAAAAAgAAAAhWICI+eUKAAAACQAAAAUAAAAAAAAAAA"                       \
    "AAAIABAAAAAGEudHh0UEsFBgAAAAABAAEAMwAAAC0AAAAAAA=="
// 17 bytes that say they are 900
#define LYING_LONG                                                                                                                         \
    "UEsDBBQAAAAIAAAAIViAiPnlCgAAABEAAAAFAAAAYS50eHTLSM3JyVfIQJAAUEsBAhQDFAAAAAgAAAAhWICI+eUKAAAAhAMAAAUAAAAAAAAAAA"                       \
    "AAAIABAAAAAGEudHh0UEsFBgAAAAABAAEAMwAAAC0AAAAAAA=="
// one bit is wrong
#define CRC                                                                                                                                \
    "UEsDBBQAAAAAAAAAIViGphA2BQAAAAUAAAAFAAAAYS50eHRoZGxsb1BLAQIUAxQAAAAAAAAAIViGphA2BQAAAAUAAAAFAAAAAAAAAAAAAACAAQ"                       \
    "AAAABhLnR4dFBLBQYAAAAAAQABADMAAAAoAAAAAAA="
// STORED with a comment that begins like the end of an archive
#define COMMENT                                                                                                                            \
    "UEsDBBQAAAAAAAAAIViGphA2BQAAAAUAAAAFAAAAYS50eHRoZWxsb1BLAQIUAxQAAAAAAAAAIViGphA2BQAAAAUAAAAFAAAAAAAAAAAAAACAAQ"                       \
    "AAAABhLnR4dFBLBQYAAAAAAQABADMAAAAoAAAABABQSwUG"
// says that it has 1001 entries
#define MANY "UEsFBgAAAADpA+kDAAAAAAAAAAAAAA=="
// the locator of a zip64 archive
#define ZIP64 "UEsGBwAAAAAAAAAAAAAAAAEAAABQSwUGAAAAAAEAAQAAAAAAAAAAAAAA"
// a.txt under the password "pass", AES-256
#define AES                                                                                                                                \
    "UEsDBDMAAQBjAIk+eF0AAAAAJwAAAAsAAAAFAAsAYS50eHQBmQcAAgBBRQMAAEsqgIP/FFUdC/zTKey6NYnEWs80HyRqWFJI5Ko4pUmlxI+VHr"                       \
    "GasVBLAQI/AzMAAQBjAIk+eF0AAAAAJwAAAAsAAAAFAAsAAAAAAAAAAAC2gQAAAABhLnR4dAGZBwACAEFFAwAAUEsFBgAAAAABAAEAPgAAAFUA"                       \
    "AAAAAA=="
// the same, the old way
#define PKWARE                                                                                                                             \
    "UEsDBBQACQAAAIk+eF3sGiEiFwAAAAsAAAAFAAAAYS50eHTlkbhIQb7CbZisM90ymcM+RvJkQJeMV1BLBwjsGiEiFwAAAAsAAABQSwECPwMUAA"                       \
    "kAAACJPnhd7BohIhcAAAALAAAABQAAAAAAAAAAAAAAtoEAAAAAYS50eHRQSwUGAAAAAAEAAQAzAAAASgAAAAAA"

#define FILE_OF(base64) "f = zoho.encryption.base64DecodeToFile(\"" base64 "\",\"a.zip\");\n"
#define EXTRACT(base64) FILE_OF(base64) "info f.extract().size();"

static const struct vector good[] = {
    {FILE_OF(PLAIN) "c = f.extract();\ninfo c.keys();\ninfo c.get(\"a.txt\").getFileContent();\nb = c.get(\"dir/b.csv\");\n"
                    "info b.getFileName() + \" \" + b.getFileType() + \" \" + b.getFileSize();",
     "a.txt,dir/b.csv\nhello\nb.csv text/csv 7"},
    {FILE_OF(STORED) "info f.extract().get(\"a.txt\").getFileContent();", "hello"},
    {FILE_OF(UNICODE) "info f.extract().get(\"grün/✓.txt\").getFileContent();", "ü"},
    {FILE_OF(TWICE) "info f.extract().get(\"a.txt\").getFileContent();", "two"},
    {FILE_OF(COMMENT) "info f.extract().size();", "1"},
    {FILE_OF(AES) "f.setFilePassword(\"pass\");\ninfo f.extract().get(\"a.txt\").getFileContent();", "secret text"},
    {FILE_OF(PKWARE) "f.setFilePassword(\"pass\");\ninfo f.extract().get(\"a.txt\").getFileContent();", "secret text"},
    // Documented: what is no zip, or has no entries, gives an empty collection.
    {EXTRACT(EMPTY), "0"},
    {EXTRACT(TRUNCATED), "0"},
    {EXTRACT("YWJj"), "0"},
    {EXTRACT(""), "0"},
};

static void archives_are_extracted(void **state)
{
    (void)state;
    CHECK(NULL, good);
}

#define NAME_ERROR(name) "ERR: the archive holds a file with the name '" name "', which is not allowed"
#define RATIO_ERROR "ERR: the contents of the archive are more than 100 times as large as the archive"

static const struct vector bad[] = {
    {EXTRACT(TRAVERSAL), NAME_ERROR("../a.txt")},
    {EXTRACT(INNER_TRAVERSAL), NAME_ERROR("a/../../b.txt")},
    {EXTRACT(ABSOLUTE), NAME_ERROR("/etc/passwd")},
    {EXTRACT(BACKSLASH), NAME_ERROR("a\\..\\..\\b.txt")},
    {EXTRACT(DRIVE), NAME_ERROR("C:evil.txt")},
    {EXTRACT(BOMB), RATIO_ERROR},
    {EXTRACT(BZIP2), "ERR: 'a.txt' is compressed in a way that cannot be read"},
    {EXTRACT(LYING_SHORT), "ERR: 'a.txt' in the archive is damaged"},
    {EXTRACT(LYING_LONG), "ERR: 'a.txt' in the archive is damaged"},
    {EXTRACT(CRC), "ERR: 'a.txt' in the archive is damaged"},
    {EXTRACT(MANY), "ERR: the archive has more than 1000 entries"},
    {EXTRACT(ZIP64), "ERR: zip64 archives cannot be extracted"},
    {EXTRACT(AES), "ERR: the archive is protected with a password: setFilePassword comes first"},
    {FILE_OF(AES) "f.setFilePassword(\"word\");\ninfo f.extract();", "ERR: the password of 'a.txt' is another one"},
};

static void bad_archives_are_refused(void **state)
{
    (void)state;
    CHECK(NULL, bad);
}

static const struct vector made[] = {
    {"info \"abc\".toFile(\"a.txt\").compress(\"z\").getFileName();", "z.zip"},
    {"info \"abc\".toFile(\"a.txt\").compress(\"z.ZIP\").getFileName();", "z.ZIP"},
    {"info \"abc\".toFile(\"a.txt\").compress().getFileName();", "a.txt.zip"},
    {"info \"abc\".toFile(\"a.txt\").compress(\"z\").getFileType();", "application/zip"},
    {"l = List();\nl.add(\"1\".toFile(\"a.txt\"));\nl.add(\"2\".toFile(\"b.txt\"));\nc = l.compress(\"z\").extract();\n"
     "info c.get(\"a.txt\").getFileContent() + c.get(\"b.txt\").getFileContent();",
     "12"},
    {"m = Map();\nm.put(\"x\",{\"y\":{\"c.txt\":\"deep\".toFile(\"c.txt\")}});\nm.put(\"e\",Map());\ninfo "
     "m.compress(\"z\").extract().keys();",
     "x/y/c.txt"},
    {"f = \"\".toFile(\"empty.txt\").compress(\"z\");\ninfo f.extract().get(\"empty.txt\").getFileSize();", "0"},
    {"s = \"All work and no play. \".repeat(20000);\nf = s.toFile(\"a.txt\").compress(\"z\");\ninfo f.getFileSize() < 5000;", "true"},
};

static void archives_are_made(void **state)
{
    (void)state;
    CHECK(NULL, made);
}

static const struct vector unmade[] = {
    {"\"1\".toFile(\"../a.txt\").compress(\"z\");", "ERR: '../a.txt' cannot be the name of a file in an archive"},
    {"\"1\".toFile(\"\").compress(\"z\");", "ERR: '' cannot be the name of a file in an archive"},
    {"l = List();\nl.add(\"1\".toFile(\"a.txt\"));\nl.add(\"2\".toFile(\"a.txt\"));\nl.compress(\"z\");",
     "ERR: two files of the archive have the name 'a.txt'"},
    {"l = {1,2};\nl.compress(\"z\");", "ERR: an archive is made of files, not of NUMBER"},
    {"l = List();\nl.compress(\"z\");", "ERR: there is no file to compress"},
    {"l = List();\nf = \"x\".toFile(\"a\");\nfor each index i in \"\".leftpad(1001).toList(\"\") { l.add(f); }\nl.compress(\"z\");",
     "ERR: an archive can have no more than 1000 files"},
    {"m = Map();\nm.put(\"a\",m);\nm.compress(\"z\");", "ERR: the folders of an archive are nested deeper than 32 levels"},
};

static void bad_contents_are_refused(void **state)
{
    (void)state;
    CHECK(NULL, unmade);
}

static void contents_count_as_memory(void **state)
{
    (void)state;
    deluge_check_memory("f = \"abcdefgh\".repeat(400000).toFile(\"a.txt\");\nl = List();\nl.add(f);\ng = f.toFile();\nl.compress(\"z\");\n"
                        "info f.compress(\"z\").extract().size();");
}

struct outcome {
    char text[256];
};

static void run_on_fiber(void *arg)
{
    struct outcome *outcome = arg;
    struct deluge deluge = {0};
    static const char script[] = "info \"abc\".toFile(\"a.txt\").compress(\"z\").extract().get(\"a.txt\").getFileContent();\n"
                                 "s = zoho.encryption.sha256(\"\");\n"
                                 "for each index i in \"\".leftpad(10).toList(\"\") { s = s + s; }\n"
                                 "f = (s + s).toFile(\"a.txt\").compress(\"z\");\n"
                                 "info f.extract().get(\"a.txt\").getFileSize();\n";
    snprintf(outcome->text, sizeof(outcome->text), "%s", deluge_run(&deluge, script));
    buffer_free(&deluge.log);
    loop_stop();
}

static void archives_fit_a_fiber(void **state)
{
    (void)state;
    struct fail fail = {0};
    struct outcome outcome = {{0}};
    assert_true(loop_start(1, &fail));
    assert_true(loop_run(run_on_fiber, &outcome, &fail));
    assert_string_equal(outcome.text, "abc\n131072");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(archives_are_extracted),   cmocka_unit_test(bad_archives_are_refused), cmocka_unit_test(archives_are_made),
        cmocka_unit_test(bad_contents_are_refused), cmocka_unit_test(contents_count_as_memory), cmocka_unit_test(archives_fit_a_fiber),
    };
    return cmocka_run_group_tests(tests, NULL, deluge_teardown);
}
