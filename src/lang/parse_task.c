// SPDX-License-Identifier: Apache-2.0
//
// Bracket blocks: `invokeurl [ url: … type: GET ]` and its like (spec/deluge-language.md §5, §6; deluge-builtins.md §11), and what is Zoho
// Creator's: records fetched and written with brackets, form statements. Creator's are read to their end and refused by name, so that the
// rest of the file is still checked.
//
// Hard thing: attributes have no separators. A value ends where no operator goes on, which is where the next `name :` starts; names hold
// blanks and dashes (reply to, content-type); some values are bare words (GET, FILE) that look like variables.
#include "lang/parse.h"

static const char *const tasks[] = {"invokeurl", "invokeapi", "sendmail", "sendsms", "pushnotification", "pushnotify", "ftp", "sftp"};

bool task_word_known(struct view word)
{
    for (size_t i = 0; i < BASE_COUNT(tasks); i++) {
        if (view_eq_nocase(word, view_of(tasks[i]))) {
            return true;
        }
    }
    return false;
}

// ---- attributes ---------------------------------------------------------------------------------

enum { ATTRIBUTE_WORDS_MAX = 4 };

// The number of tokens of an attribute's name from token `from` on, its colon included; 0 = no attribute starts there. In insert blocks and
// known tasks `=` stands for the colon.
static int attribute_tokens(const struct parser *parser, int from, bool equals)
{
    bool dash = true; // a word may follow
    for (int i = 0; i <= ATTRIBUTE_WORDS_MAX * 2; i++) {
        struct token token = parser_peek(parser, from + i);
        if (i > 0 && token.newline_before && token.kind == TOKEN_NAME) { // `to :a, b` before a line with the next attribute
            return 0;
        }
        if (token.kind == TOKEN_NAME) {
            dash = false;
        } else if (token.kind == TOKEN_SUBTRACT && !dash) {
            dash = true;
        } else {
            bool ends = token.kind == TOKEN_COLON || (equals && token.kind == TOKEN_ASSIGN);
            return ends && i > 0 && !dash ? i + 1 : 0;
        }
    }
    return 0;
}

bool parser_at_task(const struct parser *parser)
{
    if (!parser_at(parser, TOKEN_NAME) || parser->ahead.kind != TOKEN_BRACKET_OPEN) {
        return false;
    }
    return task_word_known(parser->token.text) || attribute_tokens(parser, 2, false) > 0;
}

// Lower case, words joined by one blank or dash: "reply to", "content-type".
static struct view parse_attribute_name(struct parser *parser, int tokens)
{
    struct buffer name;
    buffer_init(&name, FAIL_TEXT_MAX);
    bool blank = false;
    for (int i = 1; i < tokens; i++) { // the last one is the colon
        bool word = parser_at(parser, TOKEN_NAME);
        if (word && blank) {
            buffer_add_char(&name, ' ');
        }
        buffer_add(&name, parser->token.text);
        blank = word;
        parser_advance(parser);
    }
    parser_advance(parser);
    struct view lower = parser_lower(parser, buffer_view(&name)); // a copy
    buffer_free(&name);
    return lower;
}

// Attributes whose value may be a bare word; NULL = any word.
static const struct {
    const char *name, *words;
} bare[] = {
    {"type", " GET POST PUT PATCH DELETE OPTIONS HEAD "},
    {"response-format", " FILE STRING NONE JSON XML TEXT "},
    {"content type", " HTML TEXT PLAIN JSON "},
    {"content-type", " HTML TEXT PLAIN JSON "},
    {"service", NULL},
    {"action", NULL},
};

static void take_bare_word(struct parser *parser, struct view name, struct expr *value)
{
    if (value->kind != EXPR_NAME || value->name->count != 1 || value->parens) {
        return;
    }
    struct view word = value->name->name;
    for (size_t i = 0; i < BASE_COUNT(bare); i++) {
        if (!view_eq(name, view_of(bare[i].name))) {
            continue;
        }
        struct buffer padded;
        buffer_init(&padded, FAIL_TEXT_MAX);
        buffer_printf(&padded, " %.*s ", VIEW_ARGS(view_slice(word, 0, FAIL_TEXT_MAX / 2)));
        for (char *c = padded.data; c && c < padded.data + padded.len; c++) {
            *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
        }
        if (!bare[i].words) {
            value->kind = EXPR_TEXT;
            value->text = word;
        } else if (view_find(view_of(bare[i].words), buffer_view(&padded)) >= 0) {
            value->kind = EXPR_TEXT;
            value->text = arena_copy(parser->arena, view_trim(buffer_view(&padded)));
        }
        buffer_free(&padded);
    }
}

// One value; `file:` may stand before it.
static struct expr *parse_value(struct parser *parser)
{
    if (parser_at_word(parser, "file") && parser->ahead.kind == TOKEN_COLON) {
        parser_advance(parser);
        parser_advance(parser);
    }
    return parse_expression(parser);
}

static bool at_file(const struct parser *parser)
{
    return parser_at_word(parser, "file") && parser->ahead.kind == TOKEN_COLON;
}

// a, b, file:c as a list; a comma before the next attribute only separates.
static struct expr *parse_values(struct parser *parser, bool equals)
{
    struct expr *first = parse_value(parser);
    struct pointers items = {0};
    while (!parser->panic && parser_at(parser, TOKEN_COMMA)) {
        if (parser->ahead.kind == TOKEN_BRACKET_CLOSE || parser->ahead.kind == TOKEN_COMMA) {
            break;
        }
        bool file = token_is_word(&parser->ahead, "file");
        if (!file && attribute_tokens(parser, 1, equals) > 0) {
            break;
        }
        parser_advance(parser);
        if (items.count == 0) {
            pointers_add(parser, &items, first);
        }
        pointers_add(parser, &items, parse_value(parser));
    }
    while (at_file(parser) && !parser->panic) { // attachments :file:a file:b
        if (items.count == 0) {
            pointers_add(parser, &items, first);
        }
        pointers_add(parser, &items, parse_value(parser));
    }
    if (items.count == 0) {
        return first;
    }
    struct expr *list = expr_new(parser, EXPR_LIST, first->place);
    list->list.items = (struct expr **)items.items;
    list->list.count = items.count;
    list->place.end = parser->before.place.end;
    return list;
}

static bool has_attribute(const struct pointers *attributes, struct view name)
{
    for (uint32_t i = 0; i < attributes->count; i++) {
        if (view_eq(((const struct attribute *)attributes->items[i])->name, name)) {
            return true;
        }
    }
    return false;
}

enum { ATTRIBUTES_MAX = 200 };

// From [ to ].
static void parse_attributes(struct parser *parser, bool equals, struct pointers *attributes)
{
    bool condition = parser->condition;
    parser->condition = false;
    parser_advance(parser); // [
    while (!parser_at(parser, TOKEN_BRACKET_CLOSE) && !parser->panic) {
        if (parser_take(parser, TOKEN_COMMA) || parser_take(parser, TOKEN_SEMICOLON)) {
            continue;
        }
        int tokens = attribute_tokens(parser, 0, equals);
        if (tokens == 0 || attributes->count == ATTRIBUTES_MAX) {
            parser_fail(parser, parser_at(parser, TOKEN_END) ? SYNTAX_EXPECTED : SYNTAX_UNEXPECTED,
                        parser_at(parser, TOKEN_END) ? VIEW("]") : parser->token.text, parser->token.text);
            break;
        }
        struct attribute *attribute = parser_alloc(parser, sizeof *attribute);
        attribute->place = parser->token.place;
        attribute->name = parse_attribute_name(parser, tokens);
        if (has_attribute(attributes, attribute->name)) {
            REPORT(parser->reporter, SYNTAX_ATTRIBUTE_TWICE, attribute->place, attribute->name);
        }
        attribute->value = parse_values(parser, equals);
        take_bare_word(parser, attribute->name, attribute->value);
        pointers_add(parser, attributes, attribute);
    }
    parser->condition = condition;
    if (parser_take(parser, TOKEN_BRACKET_CLOSE)) {
        parser->task_end = parser->before.place.end;
    }
}

struct expr *parse_task(struct parser *parser)
{
    struct expr *expr = expr_new(parser, EXPR_TASK, parser->token.place);
    struct pointers attributes = {0};
    bool known = task_word_known(parser->token.text);
    expr->task.word = parser_lower(parser, parser->token.text);
    if (!parser_enter(parser)) {
        return expr;
    }
    parser_advance(parser);
    parse_attributes(parser, known, &attributes);
    parser_leave(parser);
    expr->task.attributes = arena_alloc(parser->arena, (attributes.count + 1) * sizeof *expr->task.attributes);
    if (!expr->task.attributes) {
        parser_fail(parser, SOURCE_MEMORY, VIEW_NONE, VIEW_NONE);
        return expr;
    }
    for (uint32_t i = 0; i < attributes.count; i++) {
        expr->task.attributes[i] = *(struct attribute *)attributes.items[i];
    }
    expr->task.count = attributes.count;
    expr->place.end = parser->before.place.end;
    return expr;
}

// ---- Zoho Creator -------------------------------------------------------------------------------

void parse_creator_insert(struct parser *parser)
{
    struct pointers attributes = {0};
    struct place place;
    REPORT(parser->reporter, CREATOR_ONLY, parser->token.place, VIEW("insert into"));
    parser_advance(parser);
    parser_advance(parser);
    parse_path(parser, &place);
    if (!parser_at(parser, TOKEN_BRACKET_OPEN)) {
        parser_fail(parser, SYNTAX_EXPECTED, VIEW("["), parser->token.text);
    } else if (parser_enter(parser)) {
        parse_attributes(parser, true, &attributes);
        parser_leave(parser);
    }
}

// sort by F, G desc · range from a to b, in either order, behind a fetch.
void parse_creator_range(struct parser *parser)
{
    while (!parser->panic) {
        if (parser_at_word(parser, "sort") && token_is_word(&parser->ahead, "by")) {
            REPORT(parser->reporter, CREATOR_ONLY, parser->token.place, VIEW("sort by"));
            parser_advance(parser);
            do {
                struct place place;
                parser_advance(parser);
                parse_path(parser, &place);
                if (parser_at_word(parser, "asc") || parser_at_word(parser, "desc")) {
                    parser_advance(parser);
                }
            } while (parser_at(parser, TOKEN_COMMA) && !parser->panic);
        } else if (parser_at_word(parser, "range") && token_is_word(&parser->ahead, "from")) {
            REPORT(parser->reporter, CREATOR_ONLY, parser->token.place, VIEW("range from"));
            parser_advance(parser);
            parser_advance(parser);
            parse_expression(parser);
            if (parser_at_word(parser, "to")) {
                parser_advance(parser);
                parse_expression(parser);
            }
        } else {
            return;
        }
    }
}

void parse_creator_criteria(struct parser *parser, struct view form, struct place place)
{
    struct buffer name;
    buffer_init(&name, FAIL_TEXT_MAX);
    buffer_add(&name, view_slice(form, 0, utf8_clamp(form, FAIL_TEXT_MAX / 2)));
    buffer_add(&name, VIEW("[…]"));
    bool index = parser->ahead.kind == TOKEN_NUMBER || parser->ahead.kind == TOKEN_TEXT;
    reporter_add(parser->reporter, CREATOR_ONLY, place, (struct view[REPORT_VIEWS_MAX]){buffer_view(&name)},
                 index ? VIEW("Elements of lists and maps are read with get().") : VIEW_NONE);
    buffer_free(&name);
    if (!parser_enter(parser)) {
        return;
    }
    parser_advance(parser); // [
    if (!parser_at(parser, TOKEN_BRACKET_CLOSE)) {
        parse_condition(parser);
    }
    parser_leave(parser);
    parser_expect(parser, TOKEN_BRACKET_CLOSE, "]");
    parse_creator_range(parser);
}

// Statements of a word and what it acts on. Not in the list: words that only Creator gives a meaning but that are called like functions.
static const char *const creator_words[] = {"alert",  "cancel", "show",   "hide",   "enable", "disable", "focus",
                                            "reload", "clear",  "update", "delete", "insert", "submit"};

bool parser_at_creator_statement(const struct parser *parser)
{
    if (!parser_at(parser, TOKEN_NAME) || parser->ahead.newline_before) {
        return false;
    }
    bool word = parser->ahead.kind == TOKEN_NAME && !token_is_word(&parser->ahead, "in") && !token_is_word(&parser->ahead, "is");
    bool call = parser_at_word(parser, "alert") && (parser->ahead.kind == TOKEN_PAREN_OPEN || parser->ahead.kind == TOKEN_TEXT);
    for (size_t i = 0; (word || call) && i < BASE_COUNT(creator_words); i++) {
        if (parser_at_word(parser, creator_words[i])) {
            return true;
        }
    }
    return false;
}

void parse_creator_statement(struct parser *parser)
{
    if (parser_at_word(parser, "insert") && token_is_word(&parser->ahead, "into")) {
        parse_creator_insert(parser);
        parser_take(parser, TOKEN_SEMICOLON);
        return;
    }
    REPORT(parser->reporter, CREATOR_ONLY, parser->token.place, parser->token.text);
    parser_skip_statement(parser);
}
