// SPDX-License-Identifier: Apache-2.0
//
// From the checked tree to instructions: registers, constants, jumps and the finished function. compile_statement.c and
// compile_expression.c walk the tree and call what stands here.
//
// All variables of a function are known before its first instruction (a walk over its statements collects what is assigned), so that they
// take the lowest registers and temporaries stack up above them. Working arrays are malloc'ed and end in the unit's arena once their size
// is known.

#include "lang/compiler.h"

#include <stdlib.h>

enum {
    POOL_ENTRIES_MAX = 1 << 20, // a source has at most SOURCE_BYTES_MAX bytes, so never more constants
    ARRAY_FIRST = 64,
};

bool compiler_fail(struct compiler *c)
{
    if (!c->failed && !c->pool->failed) {
        struct place place = {.line = c->line, .column = 1};
        REPORT(c->pool->reporter, FUNCTION_TOO_LARGE, place, c->source->name);
    }
    c->failed = c->pool->failed = true;
    return false;
}

// Room for one more of `bytes` each; NULL (and c->failed) when there is none.
static void *array_room(struct compiler *c, void *array, uint32_t count, uint32_t *cap, size_t bytes)
{
    if (count < *cap) {
        return array;
    }
    uint32_t more = *cap == 0 ? ARRAY_FIRST : *cap * 2;
    void *grown = realloc(array, more * bytes);
    if (grown == NULL) {
        compiler_fail(c);
        return NULL;
    }
    *cap = more;
    return grown;
}

// ---- instructions -------------------------------------------------------------------------------

// Each instruction remembers its line: 4 bytes more, but the line of a call is one load away when a native asks.
static uint32_t emit(struct compiler *c, struct instruction instruction)
{
    if (c->count >= INSTRUCTIONS_MAX) {
        compiler_fail(c);
        return 0;
    }
    if (c->count == c->cap) {
        uint32_t cap = c->cap == 0 ? ARRAY_FIRST : c->cap * 2;
        struct instruction *code = realloc(c->code, cap * sizeof(*code));
        c->code = code != NULL ? code : c->code;
        uint32_t *lines = realloc(c->lines, cap * sizeof(*lines));
        c->lines = lines != NULL ? lines : c->lines;
        if (code == NULL || lines == NULL) {
            compiler_fail(c);
            return 0;
        }
        c->cap = cap;
    }
    c->code[c->count] = instruction;
    c->lines[c->count] = c->line;
    return c->count++;
}

uint32_t compiler_emit(struct compiler *c, enum opcode op, uint32_t flags, uint32_t a, uint32_t b, uint32_t cc)
{
    return emit(c, (struct instruction){(uint8_t)op, (uint8_t)flags, (uint16_t)a, (uint16_t)b, (uint16_t)cc});
}

uint32_t compiler_emit_wide(struct compiler *c, enum opcode op, uint32_t a, uint32_t wide)
{
    return emit(c, (struct instruction){(uint8_t)op, 0, (uint16_t)a, (uint16_t)wide, (uint16_t)(wide >> 16)});
}

uint32_t compiler_emit_jump(struct compiler *c)
{
    return compiler_emit_wide(c, CODE_JUMP, 0, 0);
}

// Distances count from the instruction behind the jump.
void compiler_bind(struct compiler *c, uint32_t jump, uint32_t target)
{
    if (c->failed) {
        return;
    }
    uint32_t distance = target - (jump + 1);
    c->code[jump].b = (uint16_t)distance;
    c->code[jump].c = (uint16_t)(distance >> 16);
}

void compiler_bind_all(struct compiler *c, struct jumps *jumps, uint32_t target)
{
    for (uint32_t i = 0; i < jumps->count; i++) {
        compiler_bind(c, jumps->at[i], target);
    }
    free(jumps->at);
    *jumps = (struct jumps){0};
}

// Remembers a jump whose target is not known yet.
void compiler_collect(struct compiler *c, struct jumps *jumps, uint32_t index)
{
    uint32_t *at = array_room(c, jumps->at, jumps->count, &jumps->cap, sizeof(*at));
    if (at != NULL) {
        jumps->at = at;
        jumps->at[jumps->count++] = index;
    }
}

void compiler_loop_back(struct compiler *c, uint32_t target)
{
    uint32_t loop = compiler_emit_wide(c, CODE_LOOP, 0, 0);
    compiler_bind(c, loop, target);
}

// Temporaries are a stack: an expression takes some and its caller sets c->next back.
uint32_t compiler_temporary(struct compiler *c)
{
    if (c->next >= REGISTERS_MAX) {
        compiler_fail(c);
        return 0;
    }
    uint32_t reg = c->next++;
    c->most = c->next > c->most ? c->next : c->most;
    return reg;
}

bool compiler_add_handler(struct compiler *c, struct handler handler)
{
    struct handler *handlers = array_room(c, c->handlers, c->handler_count, &c->handler_cap, sizeof(*handlers));
    if (handlers == NULL) {
        return false;
    }
    c->handlers = handlers;
    c->handlers[c->handler_count++] = handler;
    return true;
}

// Guards [start, end) except the gaps, which lie in order and apart.
bool compiler_add_handlers(struct compiler *c, uint32_t start, uint32_t end, const struct jumps *gaps, uint32_t target, uint32_t variable)
{
    for (uint32_t i = 0; i <= gaps->count; i += 2) {
        uint32_t stop = i < gaps->count ? gaps->at[i] : end;
        struct handler handler = {.start = start, .end = stop, .target = target, .variable = (uint16_t)variable};
        if (start < stop && !compiler_add_handler(c, handler)) {
            return false;
        }
        start = i < gaps->count ? gaps->at[i + 1] : end;
    }
    return true;
}

// ---- constants, names, groups -------------------------------------------------------------------

// Indexes are kept + 1, because 0 is the table's "absent".
static uint32_t table_index(const struct table *table, struct view key)
{
    return (uint32_t)(uintptr_t)table_get(table, key);
}

static bool table_remember(struct compiler *c, struct table *table, struct view key, uint32_t index_plus_1)
{
    return table_put(table, key, (void *)(uintptr_t)index_plus_1) || compiler_fail(c);
}

// Equal constants are one: `key` is the type's letter and the bytes.
static uint32_t constant_of(struct compiler *c, struct view key, struct value v)
{
    struct unit *unit = c->pool->unit;
    struct value *constants = array_room(c, unit->constants, unit->constant_count, &c->pool->constant_cap, sizeof(v));
    if (constants == NULL || unit->heap.failed || !table_remember(c, &c->pool->constants, key, unit->constant_count + 1)) {
        compiler_fail(c);
        return 0;
    }
    unit->constants = constants;
    unit->constants[unit->constant_count] = v;
    return unit->constant_count++;
}

// A text that several threads will read: nobody may append to it, and its hash is there before they do.
static struct value fixed_text(struct compiler *c, struct view text)
{
    struct value v = value_text(&c->pool->unit->heap, text);
    if (v.type == VALUE_TEXT && v.len > 0) {
        v.text->hash = value_hash(v);
        v.text->fixed = 1;
    }
    return v;
}

uint32_t compiler_constant_text(struct compiler *c, struct view text)
{
    struct buffer key;
    buffer_init(&key, SOURCE_BYTES_MAX * 2);
    buffer_add_char(&key, 't');
    buffer_add(&key, text);
    uint32_t index = key.failed ? 0 : table_index(&c->pool->constants, buffer_view(&key));
    if (key.failed) {
        compiler_fail(c);
    } else if (index == 0) {
        index = constant_of(c, buffer_view(&key), fixed_text(c, text)) + 1;
    }
    buffer_free(&key);
    return index == 0 ? 0 : index - 1;
}

// Numbers, decimals and booleans by their bits: -0.0 and 0.0 are two constants.
static uint32_t constant_word(struct compiler *c, char kind, struct value v)
{
    char bytes[1 + sizeof(v.number)] = {kind};
    memcpy(bytes + 1, &v.number, sizeof(v.number));
    struct view key = {bytes, sizeof(bytes)};
    uint32_t index = table_index(&c->pool->constants, key);
    return index != 0 ? index - 1 : constant_of(c, key, v);
}

uint32_t compiler_constant_number(struct compiler *c, int64_t number)
{
    return constant_word(c, 'n', value_number(number));
}

uint32_t compiler_constant_decimal(struct compiler *c, double number)
{
    return constant_word(c, 'd', value_decimal(number));
}

uint32_t compiler_constant_bool(struct compiler *c, bool boolean)
{
    struct value v = value_number(0);
    v.type = VALUE_BOOL;
    v.boolean = boolean;
    return constant_word(c, 'b', v);
}

// Names of fields and stored functions have 16-bit indexes of their own, so that many constants cannot crowd them out.
uint32_t compiler_name(struct compiler *c, struct view name)
{
    struct unit *unit = c->pool->unit;
    uint32_t index = table_index(&c->pool->names, name);
    if (index != 0) {
        return index - 1;
    }
    struct value v = fixed_text(c, name);
    struct value *names = array_room(c, unit->names, unit->name_count, &c->pool->name_cap, sizeof(v));
    if (names == NULL || v.type != VALUE_TEXT || unit->name_count >= GROUPS_MAX ||
        !table_remember(c, &c->pool->names, name, unit->name_count + 1)) {
        compiler_fail(c);
        return 0;
    }
    unit->names = names;
    unit->names[unit->name_count] = v;
    return unit->name_count++;
}

// Natives are referred to by group; the pointer itself is the key.
uint32_t compiler_group(struct compiler *c, const struct native_group *group)
{
    struct unit *unit = c->pool->unit;
    struct view key = {(const char *)&group, sizeof(group)};
    uint32_t index = table_index(&c->pool->groups, key);
    if (index != 0) {
        return index - 1;
    }
    const struct native_group **groups = array_room(c, unit->groups, unit->group_count, &c->pool->group_cap, sizeof(group));
    if (groups == NULL || unit->group_count >= GROUPS_MAX || !table_remember(c, &c->pool->groups, key, unit->group_count + 1)) {
        compiler_fail(c);
        return 0;
    }
    unit->groups = groups;
    unit->groups[unit->group_count] = group;
    return unit->group_count++;
}

// ---- variables ----------------------------------------------------------------------------------

uint32_t compiler_variable(struct compiler *c, struct view name)
{
    uint32_t index = table_index(&c->variables, name);
    return index == 0 ? NO_REGISTER : index - 1;
}

// A variable's register is for the whole function: there is one flat scope (§9.4).
static void declare(struct compiler *c, struct view name)
{
    if (name.len > 0 && compiler_variable(c, name) == NO_REGISTER) {
        uint32_t reg = compiler_temporary(c);
        table_remember(c, &c->variables, name, reg + 1);
    }
}

static void declare_block(struct compiler *c, const struct block *block);

// What a statement assigns. Names that are only read are parameters, bound names or errors, and known otherwise.
static void declare_statement(struct compiler *c, const struct stmt *s)
{
    switch (s->kind) {
    case STMT_BLOCK:
        declare_block(c, &s->block);
        break;
    case STMT_IF:
        for (uint32_t i = 0; i < s->branch.count; i++) {
            declare_block(c, &s->branch.arms[i].body);
        }
        declare_block(c, s->branch.otherwise);
        break;
    case STMT_EACH:
    case STMT_EACH_INDEX:
        declare(c, s->each.variable);
        declare_block(c, &s->each.body);
        break;
    case STMT_WHILE:
        declare_block(c, &s->loop.body);
        break;
    case STMT_TRY:
        declare(c, s->attempt.variable);
        declare_block(c, &s->attempt.body);
        declare_block(c, s->attempt.handler);
        declare_block(c, s->attempt.finally);
        break;
    case STMT_ASSIGN: {
        const struct path *target = s->assign.target;
        bool of_parameter = target->count == 2 && compiler_variable(c, target->parts[1]) != NO_REGISTER;
        if (!of_parameter) {
            declare(c, target->name); // `x`, or `input.x` of a name that is no parameter
        }
        break;
    }
    default:
        break;
    }
}

static void declare_block(struct compiler *c, const struct block *block)
{
    for (const struct stmt *s = block == NULL ? NULL : block->first; s != NULL; s = s->next) {
        declare_statement(c, s);
    }
}

// Registers for each `for each`, behind the variables.
static void reserve_loops(struct compiler *c, const struct block *block)
{
    for (const struct stmt *s = block == NULL ? NULL : block->first; s != NULL; s = s->next) {
        switch (s->kind) {
        case STMT_BLOCK:
            reserve_loops(c, &s->block);
            break;
        case STMT_IF:
            for (uint32_t i = 0; i < s->branch.count; i++) {
                reserve_loops(c, &s->branch.arms[i].body);
            }
            reserve_loops(c, s->branch.otherwise);
            break;
        case STMT_EACH:
        case STMT_EACH_INDEX: {
            uint32_t first = compiler_temporary(c);
            compiler_temporary(c);
            compiler_temporary(c);
            table_remember(c, &c->loops, (struct view){(const char *)&s, sizeof(s)}, first + 1);
            reserve_loops(c, &s->each.body);
            break;
        }
        case STMT_WHILE:
            reserve_loops(c, &s->loop.body);
            break;
        case STMT_TRY:
            reserve_loops(c, &s->attempt.body);
            reserve_loops(c, s->attempt.handler);
            reserve_loops(c, s->attempt.finally);
            break;
        default:
            break;
        }
    }
}

// ---- one function -------------------------------------------------------------------------------

// The names that vm_bind serves (PRODUCT.md "What a function gets").
static bool is_bound_name(struct view name)
{
    return view_eq(name, VIEW("crmAPIRequest")) || view_eq(name, VIEW("requestMap")) || view_eq(name, VIEW("input"));
}

static void add_parameter(struct compiler *c, struct lang_parameter *parameters, struct view name, struct view type)
{
    struct lang_function *f = c->function;
    struct arena *arena = &c->pool->unit->arena;
    int i = f->info.parameter_count++;
    parameters[i] = (struct lang_parameter){.name = arena_copy(arena, name), .type = arena_copy(arena, type)};
    f->converts[i] = convert_of(type);
    f->bound[i] = is_bound_name(name);
    uint32_t reg = compiler_temporary(c);
    if (compiler_variable(c, name) == NO_REGISTER) { // options may name one twice: the first counts
        table_remember(c, &c->variables, name, reg + 1);
    }
}

// From the header; for a body from whoever declared them, else what the checker found to be read and never assigned.
static bool take_parameters(struct compiler *c)
{
    const struct function *source = c->source;
    const struct lang_options *options = c->pool->options;
    struct lang_function *f = c->function;
    bool declared = !source->has_header && options->parameters != NULL;
    size_t count = source->has_header ? source->parameter_count : declared ? (size_t)options->parameter_count : source->implied_count;
    struct arena *arena = &c->pool->unit->arena;
    struct lang_parameter *parameters = arena_alloc(arena, (count + 1) * sizeof(*parameters));
    f->converts = arena_alloc(arena, (count + 1) * sizeof(*f->converts));
    f->bound = arena_alloc(arena, count + 1);
    if (parameters == NULL || f->converts == NULL || f->bound == NULL || count > ARGUMENTS_MAX) {
        return compiler_fail(c);
    }
    f->info.parameters = parameters;
    for (size_t i = 0; i < count; i++) {
        if (source->has_header) {
            add_parameter(c, parameters, source->parameters[i].name, source->parameters[i].type);
        } else if (declared) {
            add_parameter(c, parameters, options->parameters[i].name, options->parameters[i].type);
        } else {
            add_parameter(c, parameters, source->implied[i], VIEW_NONE);
        }
    }
    return true;
}

static struct view lower_copy(struct arena *arena, struct view text)
{
    struct view copy = arena_copy(arena, text);
    char *at = (char *)copy.data; // our own copy, not yet shared
    for (size_t i = 0; i < copy.len; i++) {
        at[i] = at[i] >= 'A' && at[i] <= 'Z' ? (char)(at[i] - 'A' + 'a') : at[i];
    }
    return copy;
}

// What callers ask of a function (struct lang_function_info), copied out of the tree.
static void describe(struct compiler *c)
{
    const struct function *source = c->source;
    const struct lang_options *options = c->pool->options;
    struct lang_function *f = c->function;
    struct arena *arena = &c->pool->unit->arena;
    struct view type = source->return_type;
    if (!source->has_header) {
        type = options->return_type;
        if (type.len == 0) {
            type = source->returns_value ? VIEW("string") : VIEW("void");
        }
    }
    f->unit = c->pool->unit;
    f->info.unit = c->pool->unit;
    f->info.name = arena_copy(arena, source->name.len > 0 ? source->name : options->name);
    f->info.return_type = lower_copy(arena, view_trim(type));
    f->info.has_header = source->has_header;
    f->info.line = (int)source->place.line;
    f->info.reads_request_v2 = source->reads_request_v2;
    f->info.reads_request_v1 = source->reads_request_v1;
    f->returns = convert_of(type);
}

// Copies the finished arrays into the unit.
static bool finish(struct compiler *c)
{
    struct lang_function *f = c->function;
    struct arena *arena = &c->pool->unit->arena;
    struct instruction *code = arena_alloc(arena, c->count * sizeof(*code));
    uint32_t *lines = arena_alloc(arena, c->count * sizeof(*lines));
    struct handler *handlers = arena_alloc(arena, (c->handler_count + 1) * sizeof(*handlers));
    if (code == NULL || lines == NULL || handlers == NULL) {
        return compiler_fail(c);
    }
    memcpy(code, c->code, c->count * sizeof(*code));
    memcpy(lines, c->lines, c->count * sizeof(*lines));
    if (c->handler_count > 0) {
        memcpy(handlers, c->handlers, c->handler_count * sizeof(*handlers));
    }
    f->code = code;
    f->lines = lines;
    f->count = c->count;
    f->handlers = handlers;
    f->handler_count = c->handler_count;
    f->registers = c->most + 1;
    return true;
}

// The last instruction returns null: a function may end without a return, and a jump may have its end as target.
static bool compile_function(struct pool *pool, const struct function *source, struct lang_function *function)
{
    struct compiler c = {.pool = pool, .function = function, .source = source, .line = source->place.line, .caught = NO_REGISTER};
    table_init(&c.variables, POOL_ENTRIES_MAX, false);
    table_init(&c.loops, POOL_ENTRIES_MAX, false);
    describe(&c);
    if (take_parameters(&c)) {
        declare_block(&c, &source->body);
        reserve_loops(&c, &source->body);
        compile_block(&c, &source->body);
        compiler_emit(&c, CODE_RETURN_NULL, 0, 0, 0, 0);
    }
    bool done = !c.failed && finish(&c);
    table_free(&c.variables);
    table_free(&c.loops);
    free(c.code);
    free(c.lines);
    free(c.handlers);
    return done;
}

bool compiler_run(struct unit *unit, const struct ast *ast, const struct lang_options *options, struct reporter *reporter)
{
    struct pool pool = {.unit = unit, .ast = ast, .options = options, .reporter = reporter};
    table_init(&pool.constants, POOL_ENTRIES_MAX, false);
    table_init(&pool.names, POOL_ENTRIES_MAX, false);
    table_init(&pool.groups, POOL_ENTRIES_MAX, false);
    unit->functions = arena_alloc(&unit->arena, ast->function_count * sizeof(*unit->functions));
    bool done = unit->functions != NULL;
    if (!done) {
        REPORT(reporter, SOURCE_MEMORY, ast->functions[0].place);
    }
    for (uint32_t i = 0; done && i < ast->function_count; i++) {
        done = compile_function(&pool, &ast->functions[i], &unit->functions[i]);
        unit->function_count += done;
    }
    table_free(&pool.constants);
    table_free(&pool.names);
    table_free(&pool.groups);
    return done;
}
