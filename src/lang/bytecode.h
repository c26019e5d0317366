// SPDX-License-Identifier: Apache-2.0
//
// Inside header: a compiled unit. Everything in it is immutable once lang_compile returned and is shared by all threads that run it; texts
// of constants are `fixed` and carry their hash, so that nobody writes to them.
//
// A function's registers: its parameters, then its other variables, then three for each `for each` (what is iterated, the position, a
// snapshot that is used again), then temporaries. An instruction is 8 bytes; operands are 16 bits, so that a function may have thousands of
// variables.
#pragma once

#include "lang/natives.h"
#include "lang/operate.h"

enum opcode {
#define CODE(name) CODE_##name,
#include "lang/opcodes.h"
#undef CODE
    CODES
};

struct instruction {
    uint8_t op, flags;
    uint16_t a, b, c;
};

static inline uint32_t instruction_wide(struct instruction i)
{
    return (uint32_t)i.b | (uint32_t)i.c << 16;
}

enum {
    REGISTERS_MAX = 60000,
    GROUPS_MAX = 65535, // natives and names that one unit mentions: 16-bit operands
    ARGUMENTS_MAX = 255,
    INSTRUCTIONS_MAX = 4000000, // of one function; `finally` copies its body to each way out
    UNIT_BYTES_MAX = 256 << 20,
    CALL_COST = 10, // instructions that a call of a script function is charged
    VALUE_CAUGHT = 0x80, // flag of the text in a catch variable: it also answers .message and .lineNo (caught.c)
    NO_REGISTER = 0xffff,
};

// Where an error between two instructions goes. Inner handlers stand before outer ones.
struct handler {
    uint32_t start, end; // instructions [start, end)
    uint32_t target;
    uint16_t variable; // register of the caught error
    bool index_only; // of ifnull(list.get(i), x): takes only an index out of range, and the register becomes null
};

struct lang_function {
    struct unit *unit;
    struct lang_function_info info;
    enum convert *converts; // of the parameters
    uint8_t *bound; // 1: the parameter's name is one that vm_bind serves
    enum convert returns;
    const struct instruction *code;
    const uint32_t *lines; // of each instruction
    uint32_t count;
    const struct handler *handlers;
    uint32_t handler_count;
    uint32_t registers;
};

struct unit {
    struct arena arena; // everything but the constants
    struct heap heap; // the constants
    struct value *constants;
    uint32_t constant_count;
    struct value *names; // texts: fields and stored functions
    uint32_t name_count;
    const struct native_group **groups;
    uint32_t group_count;
    struct lang_function *functions;
    int function_count;
    char file[FAIL_FILE_MAX];
};

bool function_name_equal(struct view a, struct view b); // without case, and "ns.fn" = "ns__fn"

// compiler.c: fills unit->functions from the checked tree.
struct ast;
struct reporter;
bool compiler_run(struct unit *unit, const struct ast *ast, const struct lang_options *options, struct reporter *reporter);
