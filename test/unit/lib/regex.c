// SPDX-License-Identifier: Apache-2.0
//
// Regular expressions as Java reads them: documented vectors, what differs from PCRE2, and patterns that want to run for ever.
#include "deluge.h"

static void documented(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info matches(\"ID004500F\",\"[A-Z]{2}[0-9]{6}[A-Z]\");", "true"},
        {"info matches(\"$345.78\",\"\\\\$[0-9]+\\\\.[0-9]{2}\");", "true"},
        {"info \"nancy@zylker.com\".replaceFirst(\"\\\\@[a-z]{6}\\\\.[a-z]{3}\",\"@zylkertech.com\");", "nancy@zylkertech.com"},
        {"info \"Create online apps\".replaceAll(\"online\",\"custom\");", "Create custom apps"},
        {"info \"Zoho Creator, Zoho Desk, Zoho CRM\".replaceAllIgnoreCase(\"ZOHO \",\"Z\");", "ZCreator, ZDesk, ZCRM"},
        {"info \"Zoho Creator, Zoho Desk\".replaceFirstIgnoreCase(\"ZOHO \",\"Z\");", "ZCreator, Zoho Desk"},
    };
    CHECK(NULL, vectors);
}

static void whole_text_must_match(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info \"abcd\".matches(\"abc\");", "false"},
        {"info \"ab\".matches(\"a|ab\");", "true"},
        {"info \"\".matches(\"a*\");", "true"},
        {"info \"a\\n\".matches(\"a\");", "false"},
    };
    CHECK(NULL, vectors);
}

static void java_classes(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info \"banana\".replaceAll(\"[a-z&&[^a]]\",\"-\");", "-a-a-a"},
        {"info \"banana1\".replaceAll(\"[^a-z&&[^a]]\",\"-\");", "b-n-n--"},
        {"info \"a1x[]\".replaceAll(\"[a-c[x-z]]\",\"-\");", "-1-[]"},
        {"info \"a1x\".replaceAll(\"[^a-c[x-z]]\",\"-\");", "a-x"},
        {"info \"abc123\".replaceAll(\"[a-z0-9&&[b-z]&&[^c]]\",\"-\");", "a-c123"},
        {"info \"a]b\".replaceAll(\"[]]\",\"-\");", "a-b"},
        {"info \"a-b^c\".replaceAll(\"[\\\\-^]\",\".\");", "a.b.c"},
        {"info \"alpha:\".replaceAll(\"[[:al]]\",\"-\");", "--ph--"},
        {"info \"aBc1 \".replaceAll(\"\\\\p{Alpha}\",\"-\");", "---1 "},
        {"info \"aBc1 \".replaceAll(\"[\\\\p{Upper}\\\\d]\",\"-\");", "a-c- "},
        {"info \"aß1\".replaceAll(\"\\\\P{L}\",\"-\");", "aß-"},
        {"info \"aλ\".replaceAll(\"\\\\p{IsGreek}\",\"-\");", "a-"},
        {"info \"aé\".replaceAll(\"\\\\u00e9\",\"-\");", "a-"},
        {"info \"x😀\".replaceAll(\"\\\\uD83D\\\\uDE00\",\"-\");", "x-"},
        {"info \"a.b\".replaceAll(\"\\\\Q.\\\\E\",\"-\");", "a-b"},
        {"info \"aXbX\".replaceAll(\"(?iu)x\",\"-\");", "a-b-"},
    };
    CHECK(NULL, vectors);
}

static void replacements(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info \"john smith\".replaceAll(\"(\\\\w+) (\\\\w+)\",\"$2, $1\");", "smith, john"},
        {"info \"ab\".replaceAll(\"(?<x>a)\",\"[${x}]\");", "[a]b"},
        {"info \"ab\".replaceAll(\"(a)\",\"$12\");", "a2b"},
        {"info \"5\".replaceAll(\"5\",\"\\\\$5\");", "$5"},
        {"info \"a\".replaceAll(\"a\",\"$9\");", "ERR: No group 9"},
        {"info \"a\".replaceAll(\"(a)\",\"$\");", "ERR: Illegal group reference in the replacement: write \\\\$ for a dollar"},
        {"info \"abc\".replaceAll(\"\",\"-\");", "-a-b-c-"},
        {"info \"ä😀\".replaceAll(\"x*\",\"-\");", "-ä-😀-"},
        {"info \"a.b.c\".replaceAll(\".\",\"$\",true);", "a$b$c"},
        {"info \"1 1\".replaceAll(\" \",\"1,\");", "11,1"},
        {"info \"x\".replaceAll(\"x\",\"\");", ""},
    };
    CHECK(NULL, vectors);
}

static void bad_patterns_fail(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"try { info \"a\".matches(\"[a\"); } catch (e) { info e.message.startsWith(\"Invalid regular expression\"); }", "true"},
        {"try { info \"a\".matches(\"(a\"); } catch (e) { info e.message.startsWith(\"Invalid regular expression\"); }", "true"},
        {"try { info \"a\".matches(\"(*UTF)a\"); } catch (e) { info e.message.startsWith(\"Invalid regular expression\"); }", "true"},
        {"try { info \"a\".matches(\"(?R)\"); } catch (e) { info e.message.startsWith(\"Invalid regular expression\"); }", "true"},
        {"try { info \"a\".matches(\"(?1)(a)\"); } catch (e) { info e.message.startsWith(\"Invalid regular expression\"); }", "true"},
        {"try { info \"a\".matches(\"a\\\\K\"); } catch (e) { info e.message.startsWith(\"Invalid regular expression\"); }", "true"},
        {"try { info \"a\".matches(\"[\".repeat(100)); } catch (e) { info e.message.startsWith(\"Invalid regular expression\"); }", "true"},
        {"try { info \"a\".matches(\"\\\\p{Nonsense}\"); } catch (e) { info e.message.startsWith(\"Invalid regular expression\"); }",
         "true"},
    };
    CHECK(NULL, vectors);
}

static void endless_patterns_are_stopped(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info (\"a\".repeat(40) + \"!b\").matches(\"(a+)+b\");", "ERR: The regular expression takes too long on this text"},
        {"info (\"x \".repeat(600000) + \"</b>\").replaceAll(\"(?s)^.*?</b>\",\"y\");", "y"}, // long, but linear
        {"info \"a\".repeat(200000).matches(\"(a|aa)+?c\");", "ERR: The regular expression takes too long on this text"},
    };
    CHECK(NULL, vectors);
}

static void many_patterns_turn_over_the_cache(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"n = 0;\nfor each index i in \"\".leftpad(200).toList(\"\") { if((\"x\" + i).matches(\"x[\" + i + \"]+\")) { n = n + 1; } }\ninfo "
         "n;",
         "200"},
    };
    CHECK(NULL, vectors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documented),
        cmocka_unit_test(whole_text_must_match),
        cmocka_unit_test(java_classes),
        cmocka_unit_test(replacements),
        cmocka_unit_test(bad_patterns_fail),
        cmocka_unit_test(endless_patterns_are_stopped),
        cmocka_unit_test(many_patterns_turn_over_the_cache),
    };
    return cmocka_run_group_tests(tests, NULL, deluge_teardown);
}
