// SPDX-License-Identifier: Apache-2.0
//
// zoho.encryption.*, URLs and files: the verified vectors of spec/deluge-builtins.md §9 and §8, and the edges.
#include "deluge.h"

static void verified(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info zoho.encryption.sha256(\"hello\");", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"},
        {"info zoho.encryption.hmacsha256(\"Use me to generate hash\",\"My#New#Password\");",
         "edYCyxkU4jL2dEjEDO8aUy8WZrpKRvQquNpgKUqe5vA="},
        {"info zoho.encryption.hmacsha1(\"Use me to generate hash\",\"My#New#Password\");", "VK9VMxdsbxZBLHKgSEZYMEUlURs="},
        {"info zoho.encryption.hmacsha256(\"sk_5Ow7B_4eC39H\",\"{Order ID: 0932, Currency: USD, Amount: 2500}\");",
         "E3IZY+esQ59aLmPCYYVjk2R/P1G0k77r9ZGa9Lw94Zw="},
        {"info zoho.encryption.aesDecode(\"passkey\",\"F0JOCSWN0Eb2Y//llSoROcsQxHihYnMwCuJSywFaaigEJzQdjnznq7+rSUXy6JlG\");",
         "Confidential details"},
        {"info zoho.encryption.aesDecode(\"passkey\",\"yf/u6N0HjKWXFFHIEKzG23+CM+BoL4RBPNb4mc0G3hw5q6xPe9KSpUd62Z5sjjSE\");",
         "This is a secret"},
        {"info zoho.encryption.aesDecode(\"passkey\",\"AR+ygx+et18UNeIltGh82NBgPQx6Y0hWbEcgN3NVbJA=\",\"0000000000000000\");",
         "This is a secret"},
        {"info zoho.encryption.aesEncode(\"passkey\",\"This is a secret\",\"0000000000000000\");",
         "AR+ygx+et18UNeIltGh82NBgPQx6Y0hWbEcgN3NVbJA="},
        {"info zoho.encryption.aesDecode128(\"passkey\",\"pWBt7NM4llIu0n9gES91lR5fXNaAG/mx5UNPtJY0Bv8=\",\"a00000000000000b\",201);",
         "This is a secret"},
        {"info zoho.encryption.aesEncode128(\"passkey\",\"This is a secret\",\"a00000000000000b\");",
         "pWBt7NM4llIu0n9gES91lR5fXNaAG/mx5UNPtJY0Bv8="},
    };
    CHECK(NULL, vectors);
}

static void forms(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info zoho.encryption.hmacsha256(\"key\",\"The quick brown fox jumps over the lazy dog\",\"hex\");",
         "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"},
        {"info zoho.encryption.sha256(\"hello\",\"base64\");", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="},
        {"info zoho.encryption.base64Encode(zoho.encryption.sha256(\"hello\",\"binary\"));",
         "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="},
        {"info zoho.encryption.sha256(\"hello\",\"rot13\");", "ERR: 'rot13' is no output form: hex, base64 or binary"},
        {"info zoho.encryption.hmacSHA256(\"\",\"\",\"hex\");", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
        {"info zoho.encryption.md5(\"\");", "d41d8cd98f00b204e9800998ecf8427e"},
        {"info zoho.encryption.base64Encode(\"é\") + \",\" + zoho.encryption.base64Encode(\"é😀\",\"UTF-16LE\");", "w6k=,6QA92ADe"},
        {"info zoho.encryption.base64Decode(\"6QA92ADe\",\"UTF-16LE\");", "é😀"},
        {"info zoho.encryption.base64Decode(\"???\");", "ERR: the text is not base64"},
        {"info zoho.encryption.base64Encode(\"\") + \"|\" + zoho.encryption.base64Decode(\"\");", "|"},
        {"info zoho.encryption.base32Decode(zoho.encryption.base32Encode(\"hello\"));", "hello"},
        {"info zoho.encryption.base32Encode(\"\") + \"|\" + zoho.encryption.base32Encode(\"f\");", "|MY======"},
    };
    CHECK(NULL, vectors);
}

static void aes_edges(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info zoho.encryption.aesDecode(\"k\",zoho.encryption.aesEncode(\"k\",\"\"));", ""},
        {"a = zoho.encryption.aesEncode(\"k\",\"x\");\nb = zoho.encryption.aesEncode(\"k\",\"x\");\ninfo a == b;", "false"},
        {"info zoho.encryption.aesDecode(\"wrong\",\"F0JOCSWN0Eb2Y//llSoROcsQxHihYnMwCuJSywFaaigEJzQdjnznq7+rSUXy6JlG\");",
         "ERR: the text cannot be decrypted with this key"},
        {"info zoho.encryption.aesDecode(\"k\",\"YWJj\");", "ERR: the text cannot be decrypted with this key"},
        {"info zoho.encryption.aesEncode(\"k\",\"x\",\"short\");", "ERR: the initialisation vector must have 16 characters"},
        {"k = \"k\".repeat(40);\ninfo zoho.encryption.aesDecode(k.left(32),zoho.encryption.aesEncode(k,\"long\"));", "long"},
    };
    CHECK(NULL, vectors);
}

static void urls(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"info encodeUrl(\"http://www.zoho.com/zohotest?name=John&x=a b*-._~\");",
         "http%3A%2F%2Fwww.zoho.com%2Fzohotest%3Fname%3DJohn%26x%3Da+b*-._%7E"},
        {"info zoho.encryption.urlEncode(\"https://www.zoho.com/creator\");", "https%3A%2F%2Fwww.zoho.com%2Fcreator"},
        {"info zoho.encryption.urlEncode(\"a b\") + \",\" + zoho.encryption.urlEncode(5);", "a%20b,null"},
        {"info zoho.encryption.urlDecode(\"https%3A%2F%2Fwww.zoho.com%20x+y%zz\");", "https://www.zoho.com x y%zz"},
        {"info zoho.encryption.htmlDecode(zoho.encryption.htmlEncode(\"<a href='x'>\\\"é&\"));", "<a href='x'>\"é&"},
        {"info zoho.encryption.htmlDecode(\"&auml;&#228;&#xE4;&#xFFFFFFFFF;&nope;&\");", "äää&#xFFFFFFFFF;&nope;&"},
    };
    CHECK(NULL, vectors);
}

static void files(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"f = \"a,b\".toFile(\"x.csv\");\ninfo f.getFileName() + \",\" + f.getFileType() + \",\" + f.getFileSize() + \",\" + f.isFile();",
         "x.csv,text/csv,3,true"},
        {"f = "
         "\"é\".toFile(\"x.txt\");\nf.setFileName(\"y.txt\");\nf.setFileType(\"pdf\");\nf.setCharset(\"UTF-8\");\nf.setParamName(\"p\");"
         "\ninfo f.getFileName() + "
         "f.getFileType() + f.getFileContent();",
         "y.txtpdfé"},
        {"info \"x\".getFileName();", "ERR: 'getFileName' function cannot be applied to TEXT"},
        {"info zoho.encryption.base64DecodeToFile(\"//4=\",\"b.bin\").getFileSize();", "2"},
        {"info zoho.encryption.md5(zoho.encryption.base64DecodeToFile(\"aGVsbG8=\",\"b.bin\"));", "5d41402abc4b2a76b9719d911017c592"},
    };
    CHECK(NULL, vectors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(verified), cmocka_unit_test(forms), cmocka_unit_test(aes_edges),
                                       cmocka_unit_test(urls), cmocka_unit_test(files)};
    return cmocka_run_group_tests(tests, NULL, deluge_teardown);
}
