// SPDX-License-Identifier: Apache-2.0
//
// CODE(name): every instruction of the VM, in one list that the VM's jump table and the listing for tests are made from. r[x] is a register,
// k[x] a constant, A B C the operands, BC the 32 bits of B and C together (jumps: signed, relative to the following instruction).

// ---- loading ------------------------------------------------------------------------------------
CODE(CONSTANT)      // r[A] = k[BC]
CODE(NULL)          // r[A] = null
CODE(MOVE)          // r[A] = r[B]
CODE(DATE)          // r[A] = date literal whose text is k[BC], read in the heap's zone
CODE(BOUND)         // r[A] = what vm_bind gave the name k[BC], or null
CODE(INPUT)         // r[A] = `input`: what was bound, else a map of the function's parameters
CODE(FIELD)         // r[A] = r[B].name[C]
CODE(FRESH)         // r[A] = {}
CODE(LIST)          // r[A] = list of r[B] … r[B+C-1]
CODE(LIST_ADD)      // r[A].add of each of r[B] … r[B+C-1]; r[A] was made by LIST
CODE(MAP)           // r[A] = map of C pairs r[B]: r[B+1], …
CODE(MAP_PUT)       // the same into the map r[A]
CODE(CONSTRUCT)     // r[A] = the list r[B], or its one element if that is a list, with item type FLAGS (0 = any); texts of elements are converted
CODE(COLLECTION)    // r[A] = collection of the list, map or {} r[B]

// ---- operators; the _K forms have a constant on the right: k[C] ---------------------------------
CODE(ADD)           // r[A] = r[B] + r[C]
CODE(SUBTRACT)
CODE(MULTIPLY)
CODE(DIVIDE)
CODE(REMAINDER)
CODE(ADD_K)
CODE(SUBTRACT_K)
CODE(MULTIPLY_K)
CODE(DIVIDE_K)
CODE(REMAINDER_K)
CODE(EQUAL)         // r[A] = r[B] == r[C], a boolean
CODE(NOT_EQUAL)
CODE(LESS)
CODE(LESS_EQUAL)
CODE(GREATER)
CODE(GREATER_EQUAL)
CODE(IN)
CODE(NEGATE)        // r[A] = -r[B]
CODE(PLUS)          // r[A] = +r[B]
CODE(NOT)           // r[A] = !r[B], a boolean

// ---- control. A test is followed by a JUMP, which is taken when the test's outcome equals FLAGS ----
CODE(JUMP)          // pc += BC
CODE(LOOP)          // the same backwards: gives way when the slice is used up
CODE(TEST)          // r[A] as a condition
CODE(TEST_EQUAL)    // r[B] == r[C]
CODE(TEST_NOT_EQUAL)
CODE(TEST_LESS)
CODE(TEST_LESS_EQUAL)
CODE(TEST_GREATER)
CODE(TEST_GREATER_EQUAL)
CODE(TEST_EQUAL_K)
CODE(TEST_NOT_EQUAL_K)
CODE(TEST_LESS_K)
CODE(TEST_LESS_EQUAL_K)
CODE(TEST_GREATER_K)
CODE(TEST_GREATER_EQUAL_K)
CODE(EACH)          // start iterating r[B] with the three registers from A; FLAGS 1: the body may change the list
CODE(EACH_NEXT)     // r[B] = next element and skip the JUMP that follows, or go on to it
CODE(EACH_INDEX)    // r[B] = next index …
CODE(STATEMENT)     // counts one executed statement

// ---- calls: FLAGS arguments in r[C] …, result to r[A] -------------------------------------------
CODE(CALL)          // function number B of this unit
CODE(CALL_STORED)   // function of the name names[B], found by the host
CODE(NATIVE)        // f(x): group B
CODE(METHOD)        // x.f(): group B, receiver r[C]
CODE(GET)           // METHOD of a name that has a short way for plain lists and maps: get …
CODE(PUT)           // … put …
CODE(ADD_ITEM)      // … add
CODE(GET_K)         // looks k[C] up in the map r[A], and skips the FLAGS instructions that follow: a whole GET, whose result it sets …
CODE(PUT_K)         // … puts r[B] under k[C] likewise; goes on to the PUT when r[A] is no map
CODE(REFUSE)        // a task of a Zoho service that nothing answers: fails, naming names[B]
CODE(INFO)          // logs r[A]
CODE(RETURN)        // r[A]
CODE(RETURN_NULL)
CODE(THROW)         // r[A]; FLAGS 1: an error that was caught to run a `finally`, with its own line
