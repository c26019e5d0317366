// SPDX-License-Identifier: Apache-2.0
//
// XML: the documented examples, the shapes of results, and texts that mean harm.
#include "deluge.h"
#include "loop/loop.h"

static const struct vector documented[] = {
    {"info \"<CATALOG><CD><TITLE>A</TITLE></CD><CD><TITLE>B</TITLE></CD></CATALOG>\".executexpath(\"/CATALOG/CD/TITLE\");",
     "<TITLE>A</TITLE>-|-<TITLE>B</TITLE>"},
    {"info \"{\\\"name\\\":\\\"x\\\",\\\"address\\\":{\\\"city\\\":\\\"Surat\\\"}}\".executexpath(\"/root/address/city\");",
     "<city>Surat</city>"},
    {"text = \"<a href=\\\"https://eg4/HarryPotter.pdf\\\" target=\\\"_blank\\\">Harry Potter</a>\";\n"
     "info text.executeXPath(\"/a/@href\").executeXpath(\"/href/text()\");",
     "https://eg4/HarryPotter.pdf"},
    {"info \"{Name:'Lia Shelton', OrderNo:[343,443,577]}\".toXML();",
     "<root><Name>Lia Shelton</Name><OrderNo>343</OrderNo><OrderNo>443</OrderNo><OrderNo>577</OrderNo></root>"},
    {"x = \"<C><CD><T>A</T></CD><CD><T>B</T></CD></C>\";\nfor each cd in x.executexpath(\"/C/CD\").toXmlList()\n{\n"
     " info cd.executeXPath(\"/CD/T/text()\");\n}",
     "A\nB"},
};

static void documented_examples_hold(void **state)
{
    (void)state;
    CHECK(NULL, documented);
}

static const struct vector shapes[] = {
    {"info \"<a><b/></a>\".executeXPath(\"/a/c\").length();", "0"},
    {"info \"<a><b/><b/></a>\".executeXPath(\"count(/a/b)\") + 1;", "21"},
    {"info \"<a><b/><b/></a>\".executeXPath(\"count(/a/b) = 2\");", "true"},
    {"info \"<a>x &amp; y</a>\".executeXPath(\"/a/text()\");", "x & y"},
    {"info \"<a>x &amp; y</a>\".executeXPath(\"/a\");", "<a>x &amp; y</a>"},
    {"info \"<a><![CDATA[1 < 2]]></a>\".executeXPath(\"/a/text()\");", "1 < 2"},
    {"info \"<a n='x&lt;y'/>\".executeXPath(\"/a/@n\");", "<n>x&lt;y</n>"},
    {"info \"<a>grün ✓ 😀</a>\".executeXPath(\"/a\");", "<a>grün ✓ 😀</a>"},
    {"info \"<?xml version='1.0' encoding='ISO-8859-1'?><a>ü</a>\".executeXPath(\"/a/text()\");", "ü"},
    {"info \"<!DOCTYPE a SYSTEM '[a.dtd'><a>1</a>\".executeXPath(\"/a/text()\");", "1"},
    {"info \"<s:E xmlns:s='urn:s'><s:B>1</s:B></s:E>\".executeXPath(\"/s:E/s:B/text()\");", "1"},
    {"info \"<s:E xmlns:s='urn:s'><s:B>1</s:B></s:E>\".executeXPath(\"/s:E/s:B\").executeXPath(\"/s:B/text()\");", "1"},
    {"info \"<a><b>1</b></a>\".executeXPath(\"/\");", "<a><b>1</b></a>"},
    {"m = Map();\nm.put(\"a\",{1,2});\ninfo m.executeXPath(\"/root/a/text()\");", "1-|-2"},
    {"info \"1-|-2-|-\".toXmlList().size();", "3"},
    {"info \"\".toXmlList().size();", "0"},
    {"info \"<a/>\".toXmlList().size();", "1"},
    {"info \"<a/><b>2</b> <c/>\".toXmlList().toString(\"|\");", "<a/>|<b>2</b>|<c/>"},
    {"info \"<a/>-|-x-|-<b/>\".toXmlList().toString(\"|\");", "<a/>|x|<b/>"},
    {"m = Map();\nm.put(\"a b\",null);\nm.put(\"1\",\"<&>\");\nm.put(\"c\",{{1,2},{3}});\ninfo m.toXml();",
     "<root><a_b>null</a_b><_1>&lt;&amp;&gt;</_1><c><array>1</array><array>2</array></c><c><array>3</array></c></root>"},
    {"info {1,2}.toXml();", "<root><array>1</array><array>2</array></root>"},
};

static void results_have_their_shapes(void **state)
{
    (void)state;
    CHECK(NULL, shapes);
}

static const struct vector wrong[] = {
    {"\"<a>\".executeXPath(\"/a\");", "ERR: Invalid XML: line 1: Premature end of data in tag a line 1"},
    {"\"\".executeXPath(\"/a\");", "ERR: Invalid XML: line 1: Document is empty"},
    {"\"<a/>\".executeXPath(\"/a[\");", "ERR: Invalid XPath '/a[': it is no XPath 1.0"},
    {"\"<a/>\".executeXPath(\"/x:a\");", "ERR: Invalid XPath '/x:a': the text does not declare this prefix"},
    {"\"<a/>\".executeXPath(\"document('/etc/passwd')\");", "ERR: Invalid XPath 'document('/etc/passwd')': no such function"},
    {"\"abc\".toXml();", "ERR: Invalid JSON Format String"},
    {"\"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>\".executeXPath(\"/a\");",
     "ERR: Invalid XML: declarations and entities in a DOCTYPE are not read"},
    {"\"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a>&x;</a>\".executeXPath(\"/a/text()\");", ""},
    {"\"<a>&nbsp;</a>\".executeXPath(\"/a\");", "ERR: Invalid XML: line 1: Entity 'nbsp' not defined"},
    {"l = List();\nl.add(l);\nl.toXml();", "ERR: the value is nested deeper than 200 levels"},
};

static void wrong_texts_say_why(void **state)
{
    (void)state;
    CHECK(NULL, wrong);
}

// Each of these ends with its error, soon.
static const struct vector hostile[] = {
    {"(\"<a>\".repeat(300) + \"</a>\".repeat(300)).executeXPath(\"/a\");",
     "ERR: Invalid XML: line 1: Excessive depth in document: 256 use XML_PARSE_HUGE option"},
    {"(\"<a\" + \" b=''\".repeat(600) + \"/>\").executeXPath(\"/a\");", "ERR: Invalid XML: an element has more than 500 attributes"},
    {"(\"<a>\" + \"<b/>\".repeat(110000) + \"</a>\").executeXPath(\"/a\");", "ERR: Invalid XML: the text has more than 200000 nodes"},
    {"(\"<a>\" + \"x\".repeat(5300000) + \"</a>\").executeXPath(\"/a\");", "ERR: Invalid XML: the text is larger than 5 MB"},
    {"(\"<a>\" + \"00\".hexToText() + \"</a>\").executeXPath(\"/a\");", "ERR: Invalid XML: the text holds a NUL"},
    {"(\"<a>\" + \"<b/>\".repeat(3000) + \"</a>\").executeXPath(\"//*[//*[//*[//*]]]\");", "ERR: The XPath takes too long on this text"},
    {"(\"<a>\" + \"<b/>\".repeat(2000) + \"x\".repeat(2000000) + \"</a>\").executeXPath(\"//b[contains(/,'y')]\");",
     "ERR: The XPath takes too long on this text"},
    {"\"<a/>\".executeXPath(\"(\".repeat(5000) + \"1\" + \")\".repeat(5000));",
     "ERR: Invalid XPath: it is longer than 4096 bytes or holds a NUL"},
};

static void hostile_texts_end_soon(void **state)
{
    (void)state;
    CHECK(NULL, hostile);
}

static void trees_count_as_memory(void **state)
{
    (void)state;
    deluge_check_memory("(\"<a>\" + \"<b/>\".repeat(90000) + \"</a>\").executeXPath(\"/a\");");
}

// Results that together are larger than the run may be.
static void results_count_as_memory(void **state)
{
    (void)state;
    deluge_check_memory("(\"<a>\".repeat(200) + \"x\".repeat(200000) + \"</a>\".repeat(200)).executeXPath(\"//a\");");
}

// What a tree took is given back: many small documents fit a small run.
static void trees_are_given_back(void **state)
{
    (void)state;
    struct deluge deluge = {.heap_bytes = 1 << 20};
    const char *got =
        deluge_run(&deluge, "x = \"<a>\" + \"<b/>\".repeat(200) + \"</a>\";\nn = 0;\n"
                            "for each index i in \"\".leftpad(300).toList(\"\") { n = n + x.executeXPath(\"count(/a/b)\").toLong(); }\n"
                            "info n;");
    assert_string_equal(got, "60000");
    buffer_free(&deluge.log);
}

struct outcome {
    char text[256];
};

static void run_on_fiber(void *arg)
{
    struct outcome *outcome = arg;
    struct deluge deluge = {0};
    static const char script[] = "info \"<a><b>1</b></a>\".executeXPath(\"/a/b/text()\");\n"
                                 "info \"<a/>\".executeXPath(\"(\".repeat(400) + \"1\" + \")\".repeat(400));\n"
                                 "x = \"<a>\" + \"<b>text</b>\".repeat(9000) + \"</a>\";\ninfo x.executeXPath(\"count(//b)\");\n"
                                 "info x.executeXPath(\"/a/b\").toXmlList().size();\n"
                                 "m = 1;\nfor each index i in \"\".leftpad(190).toList(\"\") { n = Map(); n.put(\"k\",m); m = n; }\n"
                                 "info m.toXml().executeXPath(\"count(//k)\");\n"
                                 "try { x.executeXPath(\"//b[//b = //c]\"); info \"done\"; } catch (e) { info e.message; }\n";
    snprintf(outcome->text, sizeof(outcome->text), "%s", deluge_run(&deluge, script));
    buffer_free(&deluge.log);
    loop_stop();
}

static void xml_fits_a_fiber(void **state)
{
    (void)state;
    struct fail fail = {0};
    struct outcome outcome = {{0}};
    assert_true(loop_start(1, &fail));
    assert_true(loop_run(run_on_fiber, &outcome, &fail));
    assert_string_equal(outcome.text, "1\n1\n9000\n9000\n190\nThe XPath takes too long on this text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documented_examples_hold), cmocka_unit_test(results_have_their_shapes), cmocka_unit_test(wrong_texts_say_why),
        cmocka_unit_test(hostile_texts_end_soon),   cmocka_unit_test(trees_count_as_memory),     cmocka_unit_test(results_count_as_memory),
        cmocka_unit_test(trees_are_given_back),     cmocka_unit_test(xml_fits_a_fiber),
    };
    return cmocka_run_group_tests(tests, NULL, deluge_teardown);
}
