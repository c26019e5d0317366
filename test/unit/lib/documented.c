// SPDX-License-Identifier: Apache-2.0
//
// Every input and output that Zoho's pages print for a built-in function (spec/deluge-builtins.md, the column of examples), one table a
// section. Where a page prints a value that no computer gives (1.atan2(2) with two digits wrong), the true one stands here.
#include "deluge.h"

// §0/§1
static const struct vector common[] = {
    {"info isNull(null);", "true"},
    {"info \" \".isNull();", "false"},
    {"info {\"a\"}.isEmpty();", "false"},
    {"info Collection().isEmpty();", "true"},
    {"info {}.isEmpty();", "true"},
    {"info isBlank(\" \");", "true"},
    {"info isBlank(\"\");", "true"},
    {"info isBlank(null);", "false"},
    {"info isBlank({\"\"});", "false"},
    {"info isNull(\"\");", "true"},
    {"info isEmpty({\" \"});", "false"},
    {"info ifnull(null,0);", "0"},
    {"info '01/01/2017'.equals('01-Jan-2017');", "true"},
    {"info \"Zoho\".equals(\"zoho\");", "false"},
    {"info isNumber(\"12.3\");", "true"},
    {"info \"1\".isNumber();", "true"},
    {"info (24/2*10).isNumber();", "true"},
    {"info \"24/2*10\".isNumber();", "false"},
    {"info isNumber({1});", "null"},
    {"info isText(\"Hello\");", "true"},
    {"info isText(\"123\");", "false"},
    {"info isText(\" \");", "true"},
    {"info isText(\"\");", "true"},
    {"info isDate(\"01-Jan-2019\");", "true"},
    {"info isDate(100);", "false"},
    {"info \"Zoho\".isValidObject();", "true"},
    {"info ''.isValidObject();", "false"},
    {"info 1234.isEven();", "true"},
    {"info isOdd(111);", "true"},
    {"info toLong(99.9);", "99"},
    {"info \"100\".toLong();", "100"},
    {"info \"100\".toDecimal();", "100"},
    {"info \"ZohoCreator/ZohoCRM\".toList(\"/\");", "ZohoCreator,ZohoCRM"},
    {"info \"1,2,3\".toListString().size();", "3"},
    {"info \"\".leftpad(4).toList(\"\").size();", "4"},
    {"info \"{company:Zoho, product:Creator}\".toMap();", "{\"company\":\"Zoho\",\"product\":\"Creator\"}"},
    {"info \"{'response':{'employee':{'id':'EMP-001'}}}\".getJSON(\"response\").getJSON(\"employee\").getJSON(\"id\");", "EMP-001"},
    {"info \"123,456,120\".getasstring(2);", "120"},
    {"info {1:\"a\"}.toString(\",\");", "null"},
};

// §2
static const struct vector text[] = {
    {"info \"Hello World\".contains(\"\");", "true"},
    {"info startsWith(\"Zoho Creator\",\"zoho\");", "false"},
    {"info startsWithIgnoreCase(\"Zoho Creator\",\"zoho\");", "true"},
    {"info endsWithIgnoreCase(\"Zoho Creator\",\"creator\");", "true"},
    {"info \"hello\".equalsIgnoreCase(\"HELLO\");", "true"},
    {"info matches(\"ID004500F\",\"[A-Z]{2}[0-9]{6}[A-Z]\");", "true"},
    {"info matches(\"$345.78\",\"\\\\$[0-9]+\\\\.[0-9]{2}\");", "true"},
    {"info \"Hello world, welcome to the universe\".find(\"e\");", "1"},
    {"info \"Hello world, welcome to the universe\".lastIndexOf(\"e\");", "35"},
    {"info \"a database is a database\".getOccurenceCount(\"database\");", "2"},
    {"info \"Create database applications with Zoho Creator\".length();", "46"},
    {"info \"Welcome to Zoho Deluge\".subString(11,22);", "Zoho Deluge"},
    {"info \"Welcome to Zoho Deluge\".mid(11,22);", "Zoho Deluge"},
    {"info \"Zoho Deluge\".subText(0,4);", "Zoho"},
    {"info \"Zoho Deluge\".subText(5,-12);", "Deluge"},
    {"info \"abc\".subString(1,1);", ""},
    {"info \"Zoho Creator\".left(4);", "Zoho"},
    {"info \"Zoho Creator\".right(7);", "Creator"},
    {"info \"a,b\".getPrefix(\",\");", "a"},
    {"info \"x and y\".getPrefixIgnoreCase(\"AND\");", "x "},
    {"info \"ab\".getPrefix(\",\");", "null"},
    {"info \"Create custom apps with Zoho Creator\".getSuffix(\"with\");", " Zoho Creator"},
    {"info \"x/d/ID/edit\".getSuffix(\"/d/\").getPrefix(\"/\");", "ID"},
    {"info \"abc123!\".getAlpha();", "abc"},
    {"info \"abc123!\".getAlphaNumeric();", "abc123"},
    {"info \"Order#1234\".getAlphaNumeric();", "Order1234"},
    {"info \"abc123!\".removeAllAlpha();", "123!"},
    {"info \"abc123!\".removeAllAlphaNumeric() + \"?\";", "!?"},
    {"info \"Zoho Creator\".remove(\"Creator\");", "Zoho "},
    {"info \"Zoho Creator 5\".removeFirstOccurence(\"5\");", "Zoho Creator "},
    {"info \"an app Zoho Creator app builder\".removeLastOccurence(\"app\");", "an app Zoho Creator  builder"},
    {"info replaceAll(\"Create online online\",\"online\",\"custom\");", "Create custom custom"},
    {"info \"nancy@zylker.com\".replaceFirst(\"\\\\@[a-z]{6}\\\\.[a-z]{3}\",\"@zylkertech.com\");", "nancy@zylkertech.com"},
    {"info \"Zoho Creator, Zoho Desk, Zoho CRM\".replaceAllIgnoreCase(\"ZOHO \",\"Z\");", "ZCreator, ZDesk, ZCRM"},
    {"info \"Zoho Creator, Zoho Desk\".replaceFirstIgnoreCase(\"ZOHO \",\"Z\");", "ZCreator, Zoho Desk"},
    {"info \"hello world\".proper();", "Hello World"},
    {"info \"Zoho\".concat(\" \").concat(\"Deluge\");", "Zoho Deluge"},
    {"info \"Zoho Creator\".reverse();", "rotaerC ohoZ"},
    {"l = {1,2,13};\ninfo l.reverse();", "31,2,1"},
    {"info \"Zoho\".repeat(3);", "ZohoZohoZoho"},
    {"info \"Left\".leftpad(6);", "  Left"},
    {"info \"R\".rightpad(3) + \"|\";", "R  |"},
    {"info \"x\" + hexToText(\"0A\") + \"y\";", "x\ny"},
    {"info hexToText(\"48656c6c6f\");", "Hello"},
    {"info \"Hello\".textToHex();", "48656c6c6f"},
    {"info \"\".isAscii();", "true"},
    {"info \"ß\".isAscii();", "false"},
    {"info encodeUrl(\"http://www.zoho.com/zohotest?name=John&x\");", "http%3A%2F%2Fwww.zoho.com%2Fzohotest%3Fname%3DJohn%26x"},
};

// §3
static const struct vector number[] = {
    {"info abs(-25.7);", "25.7"},
    {"info 10.1.floor();", "10"},
    {"info ceil(25.3);", "26"},
    {"info ceil(-1.5);", "-1"},
    {"info round(-218.4,0);", "-218"},
    {"info round(218.5,0);", "219"},
    {"info round(218.49,1);", "218.5"},
    {"info round(218.44,1);", "218.4"},
    {"info round(214.2,-1);", "210"},
    {"info round(218.2,-1);", "220"},
    {"info round(218.2,-2);", "200"},
    {"info round(294.2,-2);", "300"},
    {"info round(218.222,-3);", "0"},
    {"info round(-150.55,-2);", "-200"},
    {"info round(-192.66,-1);", "-190"},
    {"info 1.4+3.6.round(0);", "5.4"},
    {"info (1.4+3.6).round(0);", "5"},
    {"info 25.125432.truncate(2);", "25.12"},
    {"info 9789.852.truncate(0);", "9789"},
    {"info 9789.852.truncate(-2);", "9700"},
    {"info 24.6.frac();", "0.6"},
    {"info frac(-25.1);", "-0.1"},
    {"info signum(-12);", "-1.0"},
    {"info power(3,2);", "9"},
    {"info 3.power(2);", "9"},
    {"info sqrt(25);", "5"},
    {"info 81.log10();", "1.9084850188786497"},
    {"info log10(0);", "null"},
    {"info cosh(0);", "1.0"},
    {"info 1.atan2(2);", "0.4636476090008061"},
    {"info 100.max(200);", "200"},
    {"info randomnumber(1,3) < 3;", "true"},
    {"info 255.toHex();", "ff"},
    {"info 2434.text(\"000000000\");", "000002434"},
    {"info 2434.text(\"0000\");", "2434"},
    {"info \"123123456\".text(\"##,###\");", "123,123,456"},
    {"info \"12345654.1234\".text(\"$#,##0.00\");", "$12,345,654.12"},
    {"info \"02/04/2020\".text(\"DDD\");", "035"},
    {"info \"02/04/2020\".text(\"MM\");", "02"},
    {"info \"02/04/2020\".text(\"EEEE\");", "Tuesday"},
    {"info '04-Feb-2020'.text(\"MMM dd, yy 'at' hh:mm:ss, E\");", "Feb 04, 20 at 12:00:00, Tue"},
    {"info {1,5,2,3}.largest();", "5"},
    {"info {1,5,2,3}.smallest();", "1"},
    {"info {300,455,124,926,780}.nthLargest(5);", "124"},
    {"info {300,455,124,926,780}.nthSmallest(2);", "300"},
    {"info {300,455,124,926,780}.percentile(50);", "455"},
    {"info {300,455,124,926,780}.rank(300);", "4"},
    {"info {300,455,124,926,780}.median();", "455"},
    {"info {300,455,124,926,780}.average();", "517"},
    {"info {120.12,65,300.46,600.25,80.5}.rank(80.5,\"asc\");", "2"},
};

// §4
static const struct vector date[] = {
    {"info '01-Jan-2019 15:00:00'.addDay(40);", "10-Feb-2019 15:00:00"},
    {"info '01-Jan-2019 15:00:00'.addMonth(13);", "01-Feb-2020 15:00:00"},
    {"info '01-Jan-2019'.subMonth(1);", "01-Dec-2018"},
    {"info '01-Jan-2019 23:59:10'.addMinutes(2);", "02-Jan-2019 00:01:10"},
    {"info '01-Jan-2019'.addSeconds(70);", "01-Jan-2019 00:01:10"},
    {"info '01-Jan-2019'.addHour(1);", "01-Jan-2019 01:00:00"},
    {"info '15-Mar-2019'.addBusinessDay(1);", "18-Mar-2019"},
    {"info '23-May-2020'.addBusinessDay(5,{\"Sunday\"},{'25-May-2020'});", "30-May-2020"},
    {"info '21-Jul-2021'.subBusinessDay(5);", "14-Jul-2021"},
    {"info '21-Jul-2021'.subBusinessDay(5,{\"Sunday\"},{'20-Jul-2021','19-Jul-2021'});", "13-Jul-2021"},
    {"info \"1-Jan-2020 "
     "16:00:00\".addBusinessHour(2,{\"Saturday\",\"Sunday\"},{'2-Jan-2020','3-Jan-2020'},{\"start\":\"10\",\"end\":\"17\"});",
     "06-Jan-2020 11:00:00"},
    {"info '08-Jan-2019'.getMonth();", "1"},
    {"info '01-Jan-2019 23:15:10'.hour();", "23"},
    {"info '15-Mar-2019'.weekday();", "6"},
    {"info '15-Mar-2019'.getDayOfWeek();", "6"},
    {"info '7-Feb-2021'.getWeekOfYear();", "7"},
    {"info '7-Feb-2021'.getWeekOfYear(\"Monday\");", "6"},
    {"info '15-Mar-2019 15:00:00'.toStartOfWeek();", "10-Mar-2019 00:00:00"},
    {"info '15-Mar-2019 15:00:00'.toStartOfMonth();", "01-Mar-2019 00:00:00"},
    {"info '01-Jan-2019'.eomonth(1);", "28-Feb-2019"},
    {"info edate('20-May-2013',3);", "20-Aug-2013"},
    {"info '20-Jul-2021'.nextWeekDay(\"Tuesday\");", "27-Jul-2021"},
    {"info '21-Jul-2021'.previousWeekDay(\"Wednesday\");", "14-Jul-2021"},
    {"info daysBetween('1-Jan-2019','31-Dec-2019');", "364"},
    {"info days360('31-Dec-1989','01-Jan-1990');", "1"},
    {"info hoursBetween('1-Jan-2019 07:00:00','1-Jan-2019 08:59:59');", "1"},
    {"info hoursBetween('18-Dec-2019 09:00:00','19-Dec-2019 10:00:00');", "25"},
    {"info monthsBetween('01-Feb-2020','01-Mar-2020');", "0"},
    {"info monthsDiff('01-Feb-2020','01-Mar-2020');", "1"},
    {"info totalMonth('31-Dec-1989','01-Jan-1990');", "0"},
    {"info totalMonths('31-Dec-1989','01-Feb-1990');", "1"},
    {"info yearsBetween('1-Jan-2020','31-Dec-2020');", "1"},
    {"info yearsBetween('1-Jan-2019','31-Dec-2019');", "0"},
    {"info yearsDiff('1-Jan-2019','31-Dec-2019');", "0"},
    {"info totalYear('1-Jan-2019','1-Jan-2020');", "1"},
    {"info yearFraction('17-Jan-2019','29-Jan-2019');", "0.03287671232876712"},
    {"info \"03-Feb-2020 03:48:12\".unixEpoch(\"Asia/Calcutta\");", "1580681892000"},
    {"info \"03-Feb-2020 03:48:12\".unixEpoch(\"GMT-8\");", "1580730492000"},
    {"info \"03-Feb-2020 03:48:12\".unixEpoch(\"EST\");", "1580719692000"},
    {"info \"03-Feb-2020 03:48:12\".unixEpoch(\"SST\");", "1580662092000"},
    {"info \"03-Feb-2020 03:48:12\".unixEpoch(\"UTC+8\");", "1580701692000"},
    {"info \"03-Feb-2020 03:48:12\".unixEpoch(\"Hello\");", "1580701692000"},
    {"info toDate(\"01,11,2019 1:30:00 pm\",\"MM,d,yyyy\");", "11-Jan-2019"},
    {"info toDateTime(\"01-11-2019 13:30:00\",\"MM-d-yy\");", "11-Jan-2019 13:30:00"},
    {"info '1-Jan-2019 10:00:00'.timeBetween('2-Jan-2019 11:10:00');", "25:10:0"},
};

// §5
static const struct vector list[] = {
    {"info {\"Creator\"}.size();", "1"},
    {"l = {\"Creator\"};\nl.add({\"CRM\",\"Projects\"});\ninfo l.size();", "2"},
    {"l = {\"Creator\",\"CRM\",{\"P\",\"R\"}};\ninfo l.get(2);", "P,R"},
    {"info {\"Creator\",\"CRM\",\"Projects\"}.remove(1);", "CRM"},
    {"info {\"Creator\",\"CRM\",\"Projects\"}.indexOf(\"Creator\");", "0"},
    {"info {\"Creator\",\"crm\",\"Zoho Creator\"}.sort(true);", "Creator,Zoho Creator,crm"},
    {"info {1,\"a\"}.sort();", "null"},
    {"info {1,2,3,4}.subList(0,3);", "1,2,3"},
    {"info {\"1\",1,1,2,2,3}.distinct();", "1,1,2,3"},
};

// §6
static const struct vector map[] = {
    {"m = {\"Creator\":1};\ninfo m.get(\"creator\");", "null"},
    {"info {1:\"Number\",\"a\":\"Alphabet\"}.keys();", "1,a"},
    {"m = {\"Product\":1};\ninfo m.containKey(\"product\");", "false"},
    {"info {\"a\":1,\"b\":2}.size();", "2"},
};

// §7
static const struct vector collection[] = {
    {"info Collection(\"Creator\",\"CRM\",\"Mail\").getKey(\"CRM\");", "1"},
    {"info Collection(\"Creator\":5,\"CRM\":2,\"Mail\":8).getKey(5);", "Creator"},
    {"info Collection(\"Creator\",\"CRM\").getLastKey(\"x\");", "-1"},
    {"info Collection(\"Creator\":5).getLastKey(\"x\");", "null"},
    {"info Collection(\"Creator\":5,\"CRM\":2,\"Mail\":8).values();", "5,2,8"},
    {"c = Collection(\"Creator\",\"CRM\",\"Mail\");\nc.deleteKeys({1,2});\ninfo c;", "Creator"},
    {"c = Collection(\"a\");\nc.clear();\ninfo c;", "{}"},
    {"info Collection(\"Creator\",\"CRM\",\"Books\").intersect(Collection(\"Creator\",\"CRM\",\"Mail\"));", "Creator,CRM"},
    {"info Collection(\"Creator\",\"CRM\").duplicate(0,1);", "Creator"},
    {"c = Collection();\nc.insert(\"k\":1);\nc.insert(\"k\":2);\ninfo c.get(\"k\");", "2"},
};

// §9
static const struct vector encryption[] = {
    {"info zoho.encryption.urlEncode(\"https://www.zoho.com/creator\");", "https%3A%2F%2Fwww.zoho.com%2Fcreator"},
    {"info zoho.encryption.urlDecode(\"https%3A%2F%2Fwww.zoho.com\");", "https://www.zoho.com"},
    {"info zoho.encryption.sha256(\"hello\");", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"},
    {"info zoho.encryption.hmacsha256(\"sk_5Ow7B_4eC39H\",\"{Order ID: 0932, Currency: USD, Amount: 2500}\");",
     "E3IZY+esQ59aLmPCYYVjk2R/P1G0k77r9ZGa9Lw94Zw="},
    {"info zoho.encryption.hmacsha1(\"Use me to generate hash\",\"My#New#Password\");", "VK9VMxdsbxZBLHKgSEZYMEUlURs="},
    {"info zoho.encryption.aesDecode(\"passkey\",\"F0JOCSWN0Eb2Y//llSoROcsQxHihYnMwCuJSywFaaigEJzQdjnznq7+rSUXy6JlG\");",
     "Confidential details"},
    {"info zoho.encryption.aesDecode(\"passkey\",\"yf/u6N0HjKWXFFHIEKzG23+CM+BoL4RBPNb4mc0G3hw5q6xPe9KSpUd62Z5sjjSE\");",
     "This is a secret"},
    {"info zoho.encryption.aesDecode(\"passkey\",\"AR+ygx+et18UNeIltGh82NBgPQx6Y0hWbEcgN3NVbJA=\",\"0000000000000000\");",
     "This is a secret"},
    {"info zoho.encryption.aesDecode128(\"passkey\",\"pWBt7NM4llIu0n9gES91lR5fXNaAG/mx5UNPtJY0Bv8=\",\"a00000000000000b\",201);",
     "This is a secret"},
};

// The page of yearFraction and of toLong counts in Pacific time.
static const struct vector pacific[] = {
    {"info yearFraction('24-Jun-1997','24-Mar-2001 10:10:37');", "3.7519608384069003"},
    {"info '31-Dec-1969 16:00:01'.toLong();", "1000"},
};

// Pages whose application is in India.
static const struct vector india[] = {
    {"info toTime(\"01,11,19 1:30:00 pm\",\"MM,d,yyyy hh:mm:ss a\",\"Europe/Moscow\");", "11-Jan-0019 16:00:00"},
    {"info toString('01-Jan-2019 10:15:30',\"MMM dd, yy 'at' hh:mm:ss, E\",\"Europe/Moscow\");", "Jan 01, 19 at 07:45:30, Tue"},
};

// Documented as run-time errors; the second text is a part of the message.
static const struct vector errors[] = {
    {"info isDate(\"abc\");", ""},
    {"info \"134A123B\".toLong();", ""},
    {"info \"1000abc\".toNumber();", ""},
    {"info \"\".toNumber();", ""},
    {"info \"\".toDecimal();", ""},
    {"info \"Zoho Deluge\".subText(6,4);", ""},
    {"info \"abc\".subString(9);", ""},
    {"info {1,2}.rank(9);", ""},
    {"info {1}.get(4);", "Given index 4 is greater than the list size"},
    {"info Collection(1,2,3,4).get(4);", "Given index 4 is greater than the list size"},
};

static void common_examples_hold(void **state)
{
    (void)state;
    CHECK(NULL, common);
}

static void text_examples_hold(void **state)
{
    (void)state;
    CHECK(NULL, text);
}

static void number_examples_hold(void **state)
{
    (void)state;
    CHECK(NULL, number);
}

static void date_examples_hold(void **state)
{
    (void)state;
    CHECK(NULL, date);
}

static void list_examples_hold(void **state)
{
    (void)state;
    CHECK(NULL, list);
}

static void map_examples_hold(void **state)
{
    (void)state;
    CHECK(NULL, map);
}

static void collection_examples_hold(void **state)
{
    (void)state;
    CHECK(NULL, collection);
}

static void encryption_examples_hold(void **state)
{
    (void)state;
    CHECK(NULL, encryption);
}

static void zoned_examples_hold(void **state)
{
    (void)state;
    CHECK("America/Los_Angeles", pacific);
    CHECK("Asia/Kolkata", india);
}

static void errors_are_errors(void **state)
{
    (void)state;
    struct deluge deluge = {0};
    for (size_t i = 0; i < BASE_COUNT(errors); i++) {
        const char *got = deluge_run(&deluge, errors[i].script);
        if (strncmp(got, "ERR: ", 5) != 0 || strstr(got, errors[i].expected) == NULL) {
            fail_msg("%s gives %s", errors[i].script, got);
        }
    }
    buffer_free(&deluge.log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(common_examples_hold),     cmocka_unit_test(text_examples_hold),       cmocka_unit_test(number_examples_hold),
        cmocka_unit_test(date_examples_hold),       cmocka_unit_test(list_examples_hold),       cmocka_unit_test(map_examples_hold),
        cmocka_unit_test(collection_examples_hold), cmocka_unit_test(encryption_examples_hold), cmocka_unit_test(zoned_examples_hold),
        cmocka_unit_test(errors_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, deluge_teardown);
}
