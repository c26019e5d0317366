// SPDX-License-Identifier: Apache-2.0
//
// The checker: what Zoho's save would say (spec/deluge-language.md §8.1), found before anything runs. This file walks functions and
// statements; names, types and expressions have files of their own.
//
// Zoho knows one flat scope a function: a name assigned anywhere is a variable everywhere (§9.4). So a first walk over the statements
// collects what is assigned, a second, in the order of the text, gives every name its meaning. In a body without header whose arguments are
// not declared either, what is read and never assigned is an argument. Recursive to AST_DEPTH_MAX.
#include "lang/check.h"

enum { VARIABLES_MAX = 1 << 20 }; // more than a source of SOURCE_BYTES_MAX can name

void check_memory(struct checker *c)
{
    if (!c->failed) {
        c->failed = true;
        REPORT(c->reporter, SOURCE_MEMORY, c->function->place);
    }
}

struct variable *check_variable(const struct checker *c, struct view name)
{
    return table_get(&c->variables, name);
}

struct variable *check_variable_add(struct checker *c, struct view name)
{
    struct variable *variable = check_variable(c, name);
    if (variable) {
        return variable;
    }
    variable = arena_alloc(c->arena, sizeof *variable);
    if (!variable || !table_put(&c->variables, name, variable)) {
        check_memory(c);
        return NULL;
    }
    variable->name = name;
    variable->type = TYPE_UNKNOWN;
    return variable;
}

// ---- first walk: what is assigned ---------------------------------------------------------------

static void collect_name(struct checker *c, struct view name)
{
    struct variable *variable = check_variable_add(c, name);
    if (variable) {
        variable->assigned = true;
    }
}

static void collect_block(struct checker *c, const struct block *block);

static void collect_try(struct checker *c, const struct stmt *stmt)
{
    collect_block(c, &stmt->attempt.body);
    if (stmt->attempt.handler) {
        if (stmt->attempt.variable.len) {
            collect_name(c, stmt->attempt.variable);
        }
        collect_block(c, stmt->attempt.handler);
    }
    if (stmt->attempt.finally) {
        collect_block(c, stmt->attempt.finally);
    }
}

static void collect_block(struct checker *c, const struct block *block)
{
    for (const struct stmt *stmt = block->first; stmt && !c->failed; stmt = stmt->next) {
        switch (stmt->kind) {
        case STMT_BLOCK:
            collect_block(c, &stmt->block);
            break;
        case STMT_IF:
            for (uint32_t i = 0; i < stmt->branch.count; i++) {
                collect_block(c, &stmt->branch.arms[i].body);
            }
            if (stmt->branch.otherwise) {
                collect_block(c, stmt->branch.otherwise);
            }
            break;
        case STMT_EACH:
        case STMT_EACH_INDEX:
            collect_name(c, stmt->each.variable);
            collect_block(c, &stmt->each.body);
            break;
        case STMT_WHILE:
            collect_block(c, &stmt->loop.body);
            break;
        case STMT_TRY:
            collect_try(c, stmt);
            break;
        case STMT_ASSIGN:
            if (stmt->assign.target->count == 1) {
                collect_name(c, stmt->assign.target->name);
            }
            break;
        default:
            break;
        }
    }
}

// ---- what a block leaves open -------------------------------------------------------------------

static bool block_ends(const struct block *block);

static bool always_true(const struct expr *expr)
{
    return expr->kind == EXPR_BOOL && expr->boolean;
}

// A `break` that leaves the loop whose body this is.
static bool has_break(const struct block *block)
{
    for (const struct stmt *stmt = block->first; stmt; stmt = stmt->next) {
        bool found = stmt->kind == STMT_BREAK || (stmt->kind == STMT_BLOCK && has_break(&stmt->block));
        for (uint32_t i = 0; stmt->kind == STMT_IF && i < stmt->branch.count && !found; i++) {
            found = has_break(&stmt->branch.arms[i].body);
        }
        if (stmt->kind == STMT_IF && stmt->branch.otherwise) {
            found = found || has_break(stmt->branch.otherwise);
        }
        if (stmt->kind == STMT_TRY) {
            found = has_break(&stmt->attempt.body) || (stmt->attempt.handler && has_break(stmt->attempt.handler)) ||
                    (stmt->attempt.finally && has_break(stmt->attempt.finally));
        }
        if (found) {
            return true;
        }
    }
    return false;
}

static bool branch_ends(const struct stmt *stmt)
{
    for (uint32_t i = 0; i < stmt->branch.count; i++) {
        if (!block_ends(&stmt->branch.arms[i].body)) {
            return false;
        }
    }
    return stmt->branch.otherwise && block_ends(stmt->branch.otherwise);
}

static bool try_ends(const struct stmt *stmt)
{
    if (stmt->attempt.finally && block_ends(stmt->attempt.finally)) {
        return true;
    }
    return block_ends(&stmt->attempt.body) && (!stmt->attempt.handler || block_ends(stmt->attempt.handler));
}

// Nothing behind the statement is reached by falling through.
static bool stmt_ends(const struct stmt *stmt)
{
    switch (stmt->kind) {
    case STMT_RETURN:
    case STMT_THROW:
    case STMT_BREAK:
    case STMT_CONTINUE:
        return true;
    case STMT_BLOCK:
        return block_ends(&stmt->block);
    case STMT_IF:
        return branch_ends(stmt);
    case STMT_TRY:
        return try_ends(stmt);
    case STMT_WHILE:
        return always_true(stmt->loop.condition) && !has_break(&stmt->loop.body);
    default:
        return false;
    }
}

static bool block_ends(const struct block *block)
{
    for (const struct stmt *stmt = block->first; stmt; stmt = stmt->next) {
        if (stmt_ends(stmt)) {
            return true;
        }
    }
    return false;
}

// ---- second walk: statements in the order of the text -------------------------------------------

static void check_block(struct checker *c, struct block *block);

static void assign(struct checker *c, struct view name, int type)
{
    struct variable *variable = check_variable_add(c, name);
    if (variable) {
        variable->seen = true;
        type_assign(variable, type);
    }
}

static void check_assign(struct checker *c, struct stmt *stmt)
{
    struct path *target = stmt->assign.target;
    c->target = target->count == 1 ? target->name : VIEW_NONE;
    int type = check_value(c, stmt->assign.value);
    c->target = VIEW_NONE;
    check_target_path(c, target, stmt->assign.target_place);
    if (target->count != 1) {
        return;
    }
    if (stmt->assign.op != OP_NONE) { // reads it too
        struct expr read = {.kind = EXPR_NAME, .place = stmt->assign.target_place, .name = target};
        int left = check_name(c, &read);
        type = type_of_operation(c, (enum op)stmt->assign.op, left, type, stmt->assign.target_place);
    }
    assign(c, target->name, type);
}

static void check_each(struct checker *c, struct stmt *stmt)
{
    check_value(c, stmt->each.list);
    assign(c, stmt->each.variable, stmt->kind == STMT_EACH_INDEX ? VALUE_NUMBER : TYPE_UNKNOWN);
    check_block(c, &stmt->each.body);
}

static void check_if(struct checker *c, struct stmt *stmt)
{
    for (uint32_t i = 0; i < stmt->branch.count; i++) {
        check_condition(c, stmt->branch.arms[i].condition);
        check_block(c, &stmt->branch.arms[i].body);
    }
    if (stmt->branch.otherwise) {
        check_block(c, stmt->branch.otherwise);
    }
}

static void check_try(struct checker *c, struct stmt *stmt)
{
    check_block(c, &stmt->attempt.body);
    if (stmt->attempt.handler) {
        if (stmt->attempt.variable.len) {
            assign(c, stmt->attempt.variable, TYPE_UNKNOWN);
        }
        check_block(c, stmt->attempt.handler);
    }
    if (stmt->attempt.finally) {
        check_block(c, stmt->attempt.finally);
    }
}

// The declared return type: of the header, or of the manifest for a body; empty = decided by the statements.
static struct view declared_type(const struct checker *c)
{
    return c->function->has_header ? c->function->return_type : c->options->return_type;
}

static void check_return(struct checker *c, struct stmt *stmt)
{
    struct view type = declared_type(c);
    if (stmt->value) {
        check_value(c, stmt->value);
        c->function->returns_value = true;
        if (type_of_word(type) == TYPE_VOID) {
            REPORT(c->reporter, RETURN_VALUE_IN_VOID, stmt->place);
        }
    } else if (type.len && type_of_word(type) != TYPE_VOID) {
        REPORT(c->reporter, RETURN_EMPTY, stmt->place, type_shown(type));
    }
}

static void check_stmt(struct checker *c, struct stmt *stmt)
{
    switch ((enum stmt_kind)stmt->kind) {
    case STMT_BLOCK:
        check_block(c, &stmt->block);
        break;
    case STMT_INFO:
        check_value(c, stmt->value);
        break;
    case STMT_IF:
        check_if(c, stmt);
        break;
    case STMT_EACH:
    case STMT_EACH_INDEX:
        check_each(c, stmt);
        break;
    case STMT_WHILE:
        check_condition(c, stmt->loop.condition);
        check_block(c, &stmt->loop.body);
        break;
    case STMT_TRY:
        check_try(c, stmt);
        break;
    case STMT_THROW:
        if (stmt->value) {
            check_value(c, stmt->value);
        }
        break;
    case STMT_RETURN:
        check_return(c, stmt);
        break;
    case STMT_ASSIGN:
        check_assign(c, stmt);
        break;
    case STMT_EXPR:
        if (stmt->value->kind == EXPR_CALL) {
            check_call(c, stmt->value, false);
        } else {
            check_value(c, stmt->value);
        }
        break;
    case STMT_EMPTY:
    case STMT_BREAK:
    case STMT_CONTINUE:
    case STMT_ERROR:
        break;
    }
}

static void check_block(struct checker *c, struct block *block)
{
    bool ended = false, reported = false;
    for (struct stmt *stmt = block->first; stmt && !c->failed; stmt = stmt->next) {
        if (ended && !reported && stmt->kind != STMT_EMPTY) {
            reported = true;
            REPORT(c->reporter, CODE_UNREACHABLE, stmt->place);
        }
        check_stmt(c, stmt);
        // Only plain jumps are looked at here: after if/else or try that both return, authors add a last return that Zoho may have asked
        // for.
        ended = ended || stmt->kind == STMT_RETURN || stmt->kind == STMT_THROW || stmt->kind == STMT_BREAK || stmt->kind == STMT_CONTINUE;
    }
}

// ---- functions ----------------------------------------------------------------------------------

static void declare(struct checker *c, struct view name, struct view type_word)
{
    struct variable *variable = check_variable_add(c, name);
    if (!variable) {
        return;
    }
    int type = type_of_word(type_word);
    variable->assigned = variable->seen = true;
    if (type < TYPE_UNKNOWN && type != VALUE_TEXT && type != VALUE_MAP) { // text may hold JSON, maps come as text: both convert (spec §1.3)
        type_assign(variable, type);
    } else if (type_word.len) {
        variable->typed = true; // unknown for good
    }
}

static void declare_parameters(struct checker *c)
{
    const struct function *function = c->function;
    for (uint32_t i = 0; i < function->parameter_count; i++) {
        declare(c, function->parameters[i].name, function->parameters[i].type);
    }
    for (int i = 0; !function->has_header && i < c->options->parameter_count; i++) {
        declare(c, c->options->parameters[i].name, c->options->parameters[i].type);
    }
}

static void check_function(struct checker *c, struct function *function)
{
    c->function = function;
    c->infers = !function->has_header && !c->options->parameters;
    c->implied_cap = 0;
    table_init(&c->variables, VARIABLES_MAX, false);
    declare_parameters(c);
    collect_block(c, &function->body);
    struct view type = declared_type(c);
    if (function->has_header && type.len && !type_word_known(type)) {
        REPORT(c->reporter, FUNCTION_RETURN_TYPE, function->place);
    }
    check_block(c, &function->body);
    if (type.len && type_of_word(type) != TYPE_VOID && !block_ends(&function->body)) {
        REPORT(c->reporter, RETURN_MISSING, function->place, type_shown(type));
    }
    table_free(&c->variables);
}

bool check_ast(struct ast *ast, const struct lang_options *options, struct arena *arena, struct reporter *reporter)
{
    struct checker c = {.ast = ast, .options = options, .arena = arena, .reporter = reporter};
    for (uint32_t i = 0; i < ast->function_count && !c.failed; i++) {
        check_function(&c, &ast->functions[i]);
    }
    return !c.failed;
}
