// SPDX-License-Identifier: Apache-2.0
//
// toWords: whole numbers in English, and in Portuguese, which Zoho added in 2026. How Zoho writes either is not known (GUESS); this is what
// a person would write: "one thousand two hundred thirty four", "mil duzentos e trinta e quatro". Portuguese is Brazil's, where a bilhão is
// a thousand milhões; it joins with "e" inside a group, and before a last group that is round or below a hundred.
#include "lib/inside.h"

enum { GROUPS = 7 }; // of three digits in 64 bits

static const char *const small_words[] = {"zero",     "one",     "two",     "three",     "four",     "five",    "six",
                                          "seven",    "eight",   "nine",    "ten",       "eleven",   "twelve",  "thirteen",
                                          "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
static const char *const ten_words[] = {"", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"};
static const char *const group_words[GROUPS] = {"", "thousand", "million", "billion", "trillion", "quadrillion", "quintillion"};

static const char *const pt_small_words[] = {"zero",    "um",     "dois",      "três",      "quatro",  "cinco",   "seis",
                                             "sete",    "oito",   "nove",      "dez",       "onze",    "doze",    "treze",
                                             "catorze", "quinze", "dezesseis", "dezessete", "dezoito", "dezenove"};
static const char *const pt_ten_words[] = {"", "", "vinte", "trinta", "quarenta", "cinquenta", "sessenta", "setenta", "oitenta", "noventa"};
static const char *const pt_hundred_words[] = {"",           "cento",      "duzentos",   "trezentos",  "quatrocentos",
                                               "quinhentos", "seiscentos", "setecentos", "oitocentos", "novecentos"};
static const char *const pt_group_words[GROUPS] = {"", "mil", "milhão", "bilhão", "trilhão", "quatrilhão", "quintilhão"};
static const char *const pt_group_plurals[GROUPS] = {"", "mil", "milhões", "bilhões", "trilhões", "quatrilhões", "quintilhões"};

static void add_word(struct buffer *out, const char *word)
{
    if (out->len > 0) {
        buffer_add_char(out, ' ');
    }
    buffer_add(out, view_of(word));
}

static void add_english(struct buffer *out, unsigned n, int group)
{
    if (n >= 100) {
        add_word(out, small_words[n / 100]);
        add_word(out, "hundred");
        n %= 100;
    }
    if (n >= 20) {
        add_word(out, ten_words[n / 10]);
        n %= 10;
    }
    if (n > 0) {
        add_word(out, small_words[n]);
    }
    if (group > 0) {
        add_word(out, group_words[group]);
    }
}

static void add_joined(struct buffer *out, const char *word, bool joined)
{
    if (joined) {
        add_word(out, "e");
    }
    add_word(out, word);
}

static void add_portuguese_group(struct buffer *out, unsigned n)
{
    bool joined = false;
    if (n == 100) {
        add_word(out, "cem");
        return;
    }
    if (n > 100) {
        add_word(out, pt_hundred_words[n / 100]);
        n %= 100;
        joined = true;
    }
    if (n >= 20) {
        add_joined(out, pt_ten_words[n / 10], joined);
        n %= 10;
        joined = true;
    }
    if (n > 0) {
        add_joined(out, pt_small_words[n], joined);
    }
}

// `last`: nothing but zeros follows; `first`: nothing stands before.
static void add_portuguese(struct buffer *out, unsigned n, int group, bool first, bool last)
{
    if (!first && last && (n < 100 || n % 100 == 0)) {
        add_word(out, "e");
    }
    if (group != 1 || n > 1) { // 1,000 is mil, not um mil
        add_portuguese_group(out, n);
    }
    if (group > 0) {
        add_word(out, n == 1 ? pt_group_words[group] : pt_group_plurals[group]);
    }
}

static void add_number(struct buffer *out, uint64_t rest, bool portuguese)
{
    uint64_t unit = 1000000000000000000u;
    bool first = true;
    for (int group = GROUPS - 1; group >= 0; group--, unit /= 1000) {
        unsigned n = (unsigned)(rest / unit);
        rest %= unit;
        if (n == 0) {
            continue;
        }
        if (portuguese) {
            add_portuguese(out, n, group, first, rest == 0);
        } else {
            add_english(out, n, group);
        }
        first = false;
    }
}

static bool number_to_words(struct native_call *call)
{
    int64_t number;
    struct view language = VIEW("en");
    if (!arg_number(call, 0, &number) || (call->count > 1 && !arg_text(call, 1, &language))) {
        return false;
    }
    bool portuguese = view_eq_nocase(language, VIEW("pt"));
    if (!portuguese && !view_eq_nocase(language, VIEW("en"))) {
        return native_fail(call, "'%.*s' is no language of toWords: en or pt", VIEW_ARGS(view_slice(language, 0, 40)));
    }
    struct buffer out, words;
    lib_buffer(call, &out);
    lib_buffer(call, &words);
    if (number == 0) {
        add_word(&words, "zero");
    }
    add_number(&words, number < 0 ? 0 - (uint64_t)number : (uint64_t)number, portuguese);
    if (number < 0) {
        buffer_add(&out, portuguese ? VIEW("menos ") : VIEW("minus "));
    }
    buffer_add(&out, buffer_view(&words));
    buffer_free(&words);
    return lib_buffer_return(call, &out);
}

static const struct native rows[] = {
    {"toWords", NATIVE_NUMBERS | NATIVE_TEXT, 1, 2, 0, 6, number_to_words, "number.toWords(TEXT language?) → TEXT",
     "The whole number in words, English or (\"pt\") Portuguese.",
     "info 1234.toWords();\ninfo 1234.toWords(\"pt\"); => one thousand two hundred thirty four\nmil duzentos e trinta e quatro",
     "GUESS builtins §3"},
};

const struct lib_table lib_number_words_table = LIB_TABLE(rows);
