// SPDX-License-Identifier: Apache-2.0
//
// Whether the body of a `for each` may take elements out of a list or reorder them. A loop runs over what its list held when it began
// (spec/deluge-language.md §9.3): where nothing but appending can happen, remembering the count is enough; else the elements are copied
// first. Calls of script functions may do anything; of natives only those whose name says so.

#include "lang/compiler.h"

static bool statements_change(const struct block *block);

// Beginnings of the names of natives that remove, replace or move elements. add(x) and addAll(l) append.
static bool name_changes(struct view name, uint32_t args)
{
    static const char *const starts[] = {"remove", "clear", "sort", "insert", "update", "delete", "set"};
    for (size_t i = 0; i < BASE_COUNT(starts); i++) {
        if (view_starts_nocase(name, view_of(starts[i]))) {
            return true;
        }
    }
    return args > 1 && view_starts_nocase(name, VIEW("add")); // add(x, index)
}

static bool expression_changes(const struct expr *e);

// Any of a list of expressions.
static bool any_changes(struct expr *const *list, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (expression_changes(list[i])) {
            return true;
        }
    }
    return false;
}

// A script function gets lists by reference: it may do anything with them.
static bool call_changes(const struct expr *e)
{
    const struct path *path = e->call.path;
    if (path->meaning == MEANING_LOCAL || path->meaning == MEANING_STORED) {
        return true;
    }
    return name_changes(path->parts[path->count - 1], e->call.count) || any_changes(e->call.args, e->call.count);
}

static bool chain_changes(const struct expr *e)
{
    for (uint32_t i = 0; i < e->chain.count; i++) {
        const struct link *link = &e->chain.links[i];
        if (name_changes(link->name, link->count) || any_changes(link->args, link->count)) {
            return true;
        }
    }
    return expression_changes(e->chain.base);
}

// NULL is an expression that is absent.
static bool expression_changes(const struct expr *e)
{
    if (e == NULL) {
        return false;
    }
    switch ((enum expr_kind)e->kind) {
    case EXPR_CALL:
        return call_changes(e);
    case EXPR_CHAIN:
        return chain_changes(e);
    case EXPR_UNARY:
        return expression_changes(e->unary.operand);
    case EXPR_BINARY:
        return any_changes(e->binary.operands, e->binary.count);
    case EXPR_IF:
        return expression_changes(e->conditional.condition) || expression_changes(e->conditional.yes) ||
               expression_changes(e->conditional.no);
    case EXPR_LIST:
        return any_changes(e->list.items, e->list.count);
    case EXPR_MAP:
        return any_changes(e->map.keys, e->map.count) || any_changes(e->map.values, e->map.count);
    case EXPR_CONSTRUCT:
        return (e->construct.keys != NULL && any_changes(e->construct.keys, e->construct.count)) ||
               any_changes(e->construct.items, e->construct.count);
    case EXPR_TASK:
        for (uint32_t i = 0; i < e->task.count; i++) {
            if (expression_changes(e->task.attributes[i].value)) {
                return true;
            }
        }
        return false;
    default:
        return false;
    }
}

static bool statement_changes(const struct stmt *s)
{
    switch ((enum stmt_kind)s->kind) {
    case STMT_BLOCK:
        return statements_change(&s->block);
    case STMT_INFO:
    case STMT_THROW:
    case STMT_RETURN:
    case STMT_EXPR:
        return expression_changes(s->value);
    case STMT_ASSIGN:
        return expression_changes(s->assign.value);
    case STMT_IF:
        for (uint32_t i = 0; i < s->branch.count; i++) {
            if (expression_changes(s->branch.arms[i].condition) || statements_change(&s->branch.arms[i].body)) {
                return true;
            }
        }
        return statements_change(s->branch.otherwise);
    case STMT_EACH:
    case STMT_EACH_INDEX:
        return expression_changes(s->each.list) || statements_change(&s->each.body);
    case STMT_WHILE:
        return expression_changes(s->loop.condition) || statements_change(&s->loop.body);
    case STMT_TRY:
        return statements_change(&s->attempt.body) || statements_change(s->attempt.handler) || statements_change(s->attempt.finally);
    default:
        return false;
    }
}

static bool statements_change(const struct block *block)
{
    for (const struct stmt *s = block == NULL ? NULL : block->first; s != NULL; s = s->next) {
        if (statement_changes(s)) {
            return true;
        }
    }
    return false;
}

bool compile_body_changes_lists(const struct block *body)
{
    return statements_change(body);
}
