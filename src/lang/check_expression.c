// SPDX-License-Identifier: Apache-2.0
//
// The walk over expressions: every name is given its meaning (check_name.c), every operation its types (check_type.c). Also what bracket
// blocks must hold (spec/deluge-language.md §5, §6, §8.1). Recursive to AST_DEPTH_MAX.
#include "lang/check.h"

static void check_all(struct checker *c, struct expr **items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        check_value(c, items[i]);
    }
}

static void expect_boolean(struct checker *c, const struct expr *expr, int type)
{
    static const char *const shown[] = {
        [VALUE_NUMBER] = "BIGINT", [VALUE_DECIMAL] = "DECIMAL", [VALUE_TEXT] = "STRING",       [VALUE_LIST] = "LIST",
        [VALUE_MAP] = "KEY-VALUE", [VALUE_DATE] = "DATE",       [VALUE_DATETIME] = "TIMESTAMP"};
    if (type >= 0 && (size_t)type < BASE_COUNT(shown) && shown[type]) {
        REPORT(c->reporter, TYPE_CONDITION, expr->place, view_of(shown[type]));
    }
}

void check_condition(struct checker *c, struct expr *expr)
{
    expect_boolean(c, expr, check_value(c, expr));
}

static int check_binary(struct checker *c, struct expr *expr)
{
    bool logical = expr->binary.ops[0] == OP_AND || expr->binary.ops[0] == OP_OR;
    int type = check_value(c, expr->binary.operands[0]);
    if (logical) {
        expect_boolean(c, expr->binary.operands[0], type);
    }
    for (uint32_t i = 1; i < expr->binary.count; i++) {
        int right = check_value(c, expr->binary.operands[i]);
        if (logical) {
            expect_boolean(c, expr->binary.operands[i], right);
        }
        type = type_of_operation(c, (enum op)expr->binary.ops[i - 1], type, right, expr->binary.operands[i - 1]->place);
    }
    return type;
}

static int check_unary(struct checker *c, struct expr *expr)
{
    int type = check_value(c, expr->unary.operand);
    if (expr->unary.op == OP_NOT) {
        expect_boolean(c, expr->unary.operand, type);
        return VALUE_BOOL;
    }
    return type == VALUE_NUMBER || type == VALUE_DECIMAL ? type : TYPE_UNKNOWN;
}

static int check_chain(struct checker *c, struct expr *expr)
{
    int type = check_value(c, expr->chain.base);
    for (uint32_t i = 0; i < expr->chain.count; i++) {
        struct link *link = &expr->chain.links[i];
        check_all(c, link->args, link->count);
        type = link->has_parentheses ? check_method(c, type, link->name, link->count, link->place) : TYPE_UNKNOWN;
    }
    return type;
}

// ---- bracket blocks -----------------------------------------------------------------------------

static const struct {
    const char *word;
    const char *required; // separated by blanks
    const char *others; // between commas
} tasks[] = {
    {"invokeurl", "url", ",type,headers,parameters,body,files,connection,detailed,content-type,response-format,response-decoding,timeout,"},
    {"invokeapi", "service path", ",type,headers,parameters,body,files,connection,detailed,response-format,response-decoding,"},
    {"sendmail", "from to subject message", ",cc,bcc,reply to,content type,attachments,"},
    {"sendsms", "to message", ",connection,from,"},
};

static bool has_attribute(const struct expr *task, struct view name)
{
    for (uint32_t i = 0; i < task->task.count; i++) {
        if (view_eq(task->task.attributes[i].name, name)) {
            return true;
        }
    }
    return false;
}

static void report_missing(struct checker *c, const struct expr *task, struct view name)
{
    char upper[32]; // Zoho writes 'FROM' message is missing …
    size_t len = name.len < sizeof upper ? name.len : sizeof upper;
    for (size_t i = 0; i < len; i++) {
        upper[i] = name.data[i] >= 'a' && name.data[i] <= 'z' ? (char)(name.data[i] - 'a' + 'A') : name.data[i];
    }
    REPORT(c->reporter, TASK_ATTRIBUTE_MISSING, task->place, {upper, len}, task->task.word);
}

static void check_attributes(struct checker *c, const struct expr *task, struct view required, const char *others)
{
    struct view rest = required;
    while (rest.len) {
        struct view name = view_cut(&rest, ' ');
        if (!has_attribute(task, name)) {
            report_missing(c, task, name);
        }
    }
    for (uint32_t i = 0; i < task->task.count; i++) {
        const struct attribute *attribute = &task->task.attributes[i];
        bool known = false;
        for (rest = required; rest.len && !known;) {
            known = view_eq(view_cut(&rest, ' '), attribute->name);
        }
        char padded[40];
        int len =
            snprintf(padded, sizeof padded, ",%.*s,", (int)(attribute->name.len < 36 ? attribute->name.len : 36), attribute->name.data);
        if (!known && view_find(view_of(others), (struct view){padded, (size_t)len}) < 0) {
            REPORT(c->reporter, TASK_ATTRIBUTE_UNKNOWN, attribute->place, attribute->name, task->task.word);
        }
    }
}

static int check_task(struct checker *c, struct expr *expr)
{
    for (uint32_t i = 0; i < expr->task.count; i++) {
        check_value(c, expr->task.attributes[i].value);
    }
    for (size_t i = 0; i < BASE_COUNT(tasks); i++) {
        if (view_eq(expr->task.word, view_of(tasks[i].word))) {
            check_attributes(c, expr, view_of(tasks[i].required), tasks[i].others);
        }
    }
    const struct native *native = native_set_find(c->options->natives, expr->task.word);
    if (native && (native->flags & NATIVE_TASK)) {
        expr->task.native = native;
    } else {
        REPORT(c->reporter, NAME_TASK, expr->place, expr->task.word);
    }
    if (view_eq(expr->task.word, VIEW("invokeurl")) && has_attribute(expr, VIEW("body")) && has_attribute(expr, VIEW("parameters"))) {
        REPORT(c->reporter, TASK_BODY_AND_PARAMETERS, expr->place, expr->task.word);
    }
    return TYPE_UNKNOWN;
}

// ---- all kinds ----------------------------------------------------------------------------------

static int check_conditional(struct checker *c, struct expr *expr)
{
    check_condition(c, expr->conditional.condition);
    int yes = check_value(c, expr->conditional.yes);
    return type_join(yes, check_value(c, expr->conditional.no));
}

static int check_construct(struct checker *c, struct expr *expr)
{
    static const uint8_t types[] = {[CONSTRUCT_LIST] = VALUE_LIST, [CONSTRUCT_MAP] = VALUE_MAP, [CONSTRUCT_COLLECTION] = VALUE_COLLECTION};
    for (uint32_t i = 0; i < expr->construct.count; i++) {
        if (expr->construct.keys) {
            check_value(c, expr->construct.keys[i]);
        }
        check_value(c, expr->construct.items[i]);
    }
    return types[expr->construct.what];
}

static int check_map(struct checker *c, struct expr *expr)
{
    for (uint32_t i = 0; i < expr->map.count; i++) {
        check_value(c, expr->map.keys[i]);
        check_value(c, expr->map.values[i]);
    }
    return VALUE_MAP;
}

int check_value(struct checker *c, struct expr *expr)
{
    if (c->failed || c->reporter->errors > DIAGNOSTICS_MAX) {
        return TYPE_UNKNOWN; // nobody reads more, and looking for near names is slow
    }
    switch ((enum expr_kind)expr->kind) {
    case EXPR_NULL:
        return VALUE_NULL;
    case EXPR_BOOL:
        return VALUE_BOOL;
    case EXPR_NUMBER:
        return VALUE_NUMBER;
    case EXPR_DECIMAL:
        return VALUE_DECIMAL;
    case EXPR_TEXT:
        return VALUE_TEXT;
    case EXPR_DATE:
        return VALUE_DATETIME;
    case EXPR_NAME:
        return check_name(c, expr);
    case EXPR_CALL:
        return check_call(c, expr, true);
    case EXPR_CHAIN:
        return check_chain(c, expr);
    case EXPR_UNARY:
        return check_unary(c, expr);
    case EXPR_BINARY:
        return check_binary(c, expr);
    case EXPR_IF:
        return check_conditional(c, expr);
    case EXPR_FRESH:
        return VALUE_FRESH;
    case EXPR_LIST:
        check_all(c, expr->list.items, expr->list.count);
        return VALUE_LIST;
    case EXPR_MAP:
        return check_map(c, expr);
    case EXPR_CONSTRUCT:
        return check_construct(c, expr);
    case EXPR_TASK:
        return check_task(c, expr);
    case EXPR_ERROR:
        break;
    }
    return TYPE_UNKNOWN;
}
