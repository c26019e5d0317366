// SPDX-License-Identifier: Apache-2.0
//
// The syntax tree of one source file. The parser makes it, the checker fills in what names mean, the compiler, the formatter and the editor
// server read it. Everything lies in the arena that parse_file was given; nothing is freed on its own. Views point into the source or that
// arena.
//
// Depth: brackets, blocks and unary signs nest at most SOURCE_NESTING_MAX levels (the parser refuses more). What can be long without
// nesting is flat: `a + b - c …` is one EXPR_BINARY with many operands, `x.f().g()…` one EXPR_CHAIN with many links, else-if one STMT_IF
// with many arms, a block is a linked list. So a recursive walk goes at most AST_DEPTH_MAX calls deep, whatever the length of the text.
#pragma once

#include "lang/lang.h"

// A bracket level holds at most: or, and, equality, relation, sum, product, chain, and the bracketed node itself.
enum { AST_DEPTH_MAX = (SOURCE_NESTING_MAX + 1) * 8 };

// Where something stands: byte offsets [start, end) in the source, and line and column of the start (from 1; columns in UTF-16 units).
struct place {
    uint32_t start, end;
    uint32_t line, column;
};

enum expr_kind {
    EXPR_NULL,
    EXPR_BOOL, // boolean
    EXPR_NUMBER, // number
    EXPR_DECIMAL, // decimal (also integers beyond int64)
    EXPR_TEXT, // text, escapes already replaced; bare words of task attributes (GET, FILE) too
    EXPR_DATE, // text of a single-quoted date literal: the compiler reads it with calendar_read
    EXPR_NAME, // name: `a`, or `a.b.c` without parentheses
    EXPR_CALL, // call: `f(x)`, `a.f(x)`, `zoho.crm.f(x)`: every part before the parenthesis is an identifier
    EXPR_CHAIN, // chain: some other expression followed by .method(…) and .field
    EXPR_UNARY, // unary
    EXPR_BINARY, // binary: operands of one precedence level, left to right
    EXPR_IF, // conditional: if(c, a, b), only the chosen arm is evaluated
    EXPR_FRESH, // the literal {}
    EXPR_LIST, // list: {a, b} and [a, b]; [] is an EXPR_LIST of count 0
    EXPR_MAP, // map: {k: v, …}
    EXPR_CONSTRUCT, // construct: Map(), List(…), List:Int(…), Collection(…), Collection(k: v)
    EXPR_TASK, // task: invokeurl [ … ] and the like
    EXPR_ERROR, // what the parser could not read or what it refused by name; an error was reported
};

enum op {
    OP_OR, // short-circuit
    OP_AND, // short-circuit
    OP_EQUAL, // == , `is`, and = in a condition
    OP_NOT_EQUAL, // != , `is not`
    OP_LESS,
    OP_LESS_EQUAL,
    OP_GREATER,
    OP_GREATER_EQUAL,
    OP_IN, // x in list
    OP_NOT_IN,
    OP_ADD,
    OP_SUBTRACT,
    OP_MULTIPLY,
    OP_DIVIDE,
    OP_REMAINDER,
    OP_NOT, // unary
    OP_MINUS, // unary
    OP_PLUS, // unary
    OP_NONE, // plain `=` of an assignment
};
const char *op_text(enum op op); // "+", "==", …

// What a dotted name means. The parser leaves MEANING_NONE, the checker decides (check.h), the compiler only reads.
// `known` parts of the path are covered by the meaning. Those that follow are fields, except that the last part of a call is a method name:
//   zoho.currentdate.getDay()  MEANING_NATIVE, known 2, then method getDay
//   input.requestMap.get("a")  MEANING_INPUT, known 2 (parts[1] is the parameter's name), then method get
//   lead.get("x")              MEANING_VARIABLE, known 1, then method get; lead alone: known 1
//   length(x)                  MEANING_NATIVE, known 1 = all: a call of the native
//   ns.fn(x)                   MEANING_LOCAL or MEANING_STORED, known 2 = all
enum meaning {
    MEANING_NONE,
    MEANING_VARIABLE, // parts[0] is a variable or parameter of the function (also crmAPIRequest, requestMap)
    MEANING_INPUT, // `input` (known 1) or `input.name` (known 2)
    MEANING_NATIVE, // `native`: called when the whole path is known and it is a call, else read as a variable (NATIVE_VARIABLE)
    MEANING_LOCAL, // function number `function` of this file
    MEANING_STORED, // a function outside the file, found at run time by `function_name`
    MEANING_SERVICE, // a task of another Zoho service (zoho.desk.…): compiles, fails when it runs
};

struct path {
    struct view name; // parts joined by '.', blanks removed, case as written
    struct view *parts;
    uint32_t count;
    // set by the checker:
    uint8_t meaning; // enum meaning
    uint32_t known;
    const struct native *native; // any row of its group
    int function;
    struct view function_name; // without a leading `thisapp.`
};

struct expr;

struct link {
    struct view name; // method or field
    bool has_parentheses; // .name(…) or .name
    struct expr **args;
    uint32_t count;
    struct place place; // of the name
};

struct attribute {
    struct view name; // lower-case, blanks single: "url", "reply to", "content-type"
    struct expr *value; // several values after one name (a, b or file:a, file:b) are an EXPR_LIST
    struct place place; // of the name
};

enum construct { CONSTRUCT_LIST, CONSTRUCT_MAP, CONSTRUCT_COLLECTION };

struct expr {
    uint8_t kind; // enum expr_kind
    uint16_t parens; // pairs of parentheses written around it
    struct place place; // without those parentheses
    union {
        bool boolean;
        int64_t number;
        double decimal;
        struct view text;
        struct path *name;
        struct {
            struct path *path;
            struct expr **args;
            uint32_t count;
        } call;
        struct {
            struct expr *base;
            struct link *links; // count ≥ 1, applied left to right
            uint32_t count;
        } chain;
        struct {
            struct expr *operand;
            uint8_t op; // enum op
        } unary;
        struct {
            struct expr **operands; // count ≥ 2
            uint8_t *ops; // count - 1 enum op; ops[i] stands between operands[i] and operands[i + 1]; all of one level
            uint32_t count;
        } binary;
        struct {
            struct expr *condition, *yes, *no;
        } conditional;
        struct {
            struct expr **items;
            uint32_t count;
        } list;
        struct {
            struct expr **keys, **values;
            uint32_t count;
        } map;
        struct {
            struct view item_type; // of List:Int(), as written; else empty
            struct expr **keys; // NULL unless written k: v
            struct expr **items;
            uint32_t count;
            uint8_t what; // enum construct
        } construct;
        struct {
            struct view word; // lower-case: "invokeurl", "invokeapi", "sendmail", "sendsms", …, or any other word before a bracket block
            struct attribute *attributes;
            uint32_t count;
            const struct native *native; // set by the checker; NULL = no such task: fails when it runs
        } task;
    };
};

enum stmt_kind {
    STMT_EMPTY,
    STMT_BLOCK, // block
    STMT_INFO, // value
    STMT_IF, // branch
    STMT_EACH, // each
    STMT_EACH_INDEX, // each: the variable counts from 0
    STMT_WHILE, // loop
    STMT_TRY, // attempt
    STMT_THROW, // value, or NULL
    STMT_RETURN, // value, or NULL
    STMT_BREAK,
    STMT_CONTINUE,
    STMT_ASSIGN, // assign
    STMT_EXPR, // value
    STMT_ERROR, // unreadable or refused (Creator); an error was reported
};

struct stmt;

struct block {
    struct stmt *first;
    struct place place;
    bool braces; // false: a single statement without { }
};

struct arm {
    struct expr *condition;
    struct block body;
    struct place place; // of its `if`
};

struct stmt {
    uint8_t kind; // enum stmt_kind
    struct place place;
    struct stmt *next; // in the same block
    union {
        struct block block;
        struct expr *value;
        struct {
            struct arm *arms; // if, else if, …: count ≥ 1
            uint32_t count;
            struct block *otherwise; // NULL without else
        } branch;
        struct {
            struct view variable;
            struct expr *list;
            struct block body;
            struct place variable_place;
        } each;
        struct {
            struct expr *condition;
            struct block body;
        } loop;
        struct {
            struct block body;
            struct block *handler; // NULL without catch
            struct block *finally; // NULL without finally; one of the two is there
            struct view variable; // of catch(e); may be empty
            struct place variable_place;
        } attempt;
        struct {
            struct path *target; // one part: a variable; `input.x`: two parts (anything else was refused)
            struct place target_place;
            struct expr *value;
            uint8_t op; // OP_NONE for =, OP_ADD for += …
        } assign;
    };
};

struct parameter {
    struct view name, type; // type as written
    struct place place;
};

struct function {
    struct view name; // "standalone.f", blanks removed; empty for a body without header
    struct view return_type; // as written; empty for a body without header
    struct parameter *parameters;
    uint32_t parameter_count;
    struct block body;
    struct place place; // of the header's name, or of the body
    bool has_header;
    // set by the checker:
    struct view
        *implied; // headerless and no arguments declared: names read and never assigned, in order of appearance; they are the parameters
    uint32_t implied_count;
    bool returns_value; // some `return expr;` stands in it
    bool reads_request_v2, reads_request_v1; // mentions crmAPIRequest / requestMap
};

struct comment {
    struct view text; // with its // or /* */
    struct place place;
};

struct ast {
    struct view source; // without BOM
    struct function *functions; // count ≥ 1: a body without header is one function, and comes first
    uint32_t function_count;
    struct comment *comments; // in source order
    uint32_t comment_count;
};
