/* Sums and products as their author wrote them: adlab/graph/written.py, function by function. */

#include "core.h"

typedef struct {          /* `_Chain`: an exact number, or the position of the result so far; NULL and -1 before the first operand */
    PyObject *number;
    int position;
} Chain;

static void begin(Chain *chain, PyObject *number, int position) {
    Py_XINCREF(number);
    Py_XSETREF(chain->number, number);
    chain->position = position;
}

static int chain_place(Lowering *self, Chain *chain) {
    if (chain->position < 0 && chain->number != NULL) chain->position = nodes_constant(&self->nodes, chain->number);
    return chain->position;
}

/* a*b, or b*a if that is known already. */
static int commuting(Lowering *self, Operation *operation, int i, int j) {
    if (i < 0 || j < 0) return -1;
    if (operation == OP_ADD || operation == OP_MUL) {
        int turned[2] = {j, i}, known = nodes_find(&self->nodes, operation, turned, 2, NULL);
        if (known != -1) return known < 0 ? -1 : known;
    }
    return cons2(&self->nodes, operation, i, j);
}

/* The exact result for two numbers that Python holds, a new reference to it or to None. */
static PyObject *folded(Operation *operation, PyObject *a, PyObject *b) {
    int first, second;
    long x = PyLong_CheckExact(a) ? PyLong_AsLongAndOverflow(a, &first) : (first = 1, 0);
    long y = PyLong_CheckExact(b) ? PyLong_AsLongAndOverflow(b, &second) : (second = 1, 0);
    const long small = 1 << 30;
    if (!first && !second && -small < x && x < small && -small < y && y < small && operation != OP_DIV) {
        long long done = operation == OP_ADD ? (long long)x + y : operation == OP_SUB ? (long long)x - y : (long long)x * y;
        return PyLong_FromLongLong(done);
    }
    PyObject *function = helper("folded");
    return function == NULL ? NULL : PyObject_CallFunctionObjArgs(function, operation->primitive, a, b, NULL);
}

/* Applies the operation to the result so far and one more operand. */
static int step(Lowering *self, Chain *chain, Operation *operation, PyObject *number, int position) {
    int idle = operation == OP_MUL || operation == OP_DIV;  /* `_IDLE`: the right operand that changes nothing */
    if (number != NULL) {
        PyObject *made = chain->number == NULL ? Py_NewRef(Py_None) : folded(operation, chain->number, number);
        if (made == NULL) return -1;
        if (made != Py_None) {
            Py_XSETREF(chain->number, made);
            return 0;
        }
        Py_DECREF(made);
        int nothing = chain->number == NULL ? number_is(number, idle) : 0;
        if (nothing) return nothing < 0 ? -1 : 0;
        if ((position = nodes_constant(&self->nodes, number)) < 0) return -1;
    } else if (chain->number != NULL && (operation == OP_ADD || operation == OP_MUL)) {
        int nothing = number_is(chain->number, idle);
        if (nothing < 0) return -1;
        if (nothing) {
            begin(chain, NULL, position);
            return 0;
        }
    }
    chain->position = commuting(self, operation, chain_place(self, chain), position);
    Py_CLEAR(chain->number);
    return chain->position < 0 ? -1 : 0;
}

/* Stores the chain's result. A constant whose parts are rounded on the way keeps its exact value as well. */
static int finish(Lowering *self, PyObject *node, PyObject *operands, Chain *chain, const char *combine, PyObject *start) {
    int place = entry_of(self, node);
    if (place < 0) return -1;
    if (chain->number != NULL) {
        set_number(&self->entries[place], Py_NewRef(chain->number));
        return 0;
    }
    int position = self->entries[place].position = chain_place(self, chain);
    if (position < 0) return -1;
    for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(operands); k++) {
        int operand = entry_of(self, PyTuple_GET_ITEM(operands, k));
        if (operand < 0 || self->entries[operand].number == NULL) return operand < 0 ? -1 : 0;
    }
    PyObject *value = Py_NewRef(start), *function = helper(combine);
    for (Py_ssize_t k = 0; value != NULL && value != Py_None && k < PyTuple_GET_SIZE(operands); k++) {
        Entry *operand = &self->entries[entry_of(self, PyTuple_GET_ITEM(operands, k))];
        Py_SETREF(value, function == NULL ? NULL : PyObject_CallFunctionObjArgs(function, value, operand->number, NULL));
    }
    if (value == NULL) return -1;
    if (value == Py_None) {
        Py_DECREF(value);
        return 0;
    }
    set_number(&self->entries[place], value);
    self->entries[place].rounded = 1;
    return 0;
}

/* `add`: the sum from left to right. A term with a minus sign is subtracted. */
int written_sum(Lowering *self, PyObject *node, PyObject *terms) {
    Chain chain = {NULL, -1};
    int waiting = -1, failed = 0;  /* `waiting`: the first term, if it is negative: -a + b becomes b - a */
    for (Py_ssize_t k = 0; !failed && k < PyTuple_GET_SIZE(terms); k++) {
        int place = entry_of(self, PyTuple_GET_ITEM(terms, k));
        if (place < 0) {
            failed = -1;
            break;
        }
        PyObject *number = self->entries[place].rounded ? NULL : self->entries[place].number;
        int minus = number == NULL && self->entries[place].negative >= 0, position = -1;
        if (minus) position = self->entries[place].negative;
        else if (number == NULL && (position = position_of(self, place)) < 0) failed = -1;
        if (failed) break;
        Py_XINCREF(number);
        if (k == 0) {
            if (minus) waiting = position;
            else begin(&chain, number, position);
        } else if (waiting >= 0) {
            if (minus) {
                begin(&chain, NULL, cons1(&self->nodes, OP_NEG, waiting));
                failed = chain.position < 0 ? -1 : step(self, &chain, OP_SUB, NULL, position);
            } else {
                begin(&chain, number, position);
                failed = step(self, &chain, OP_SUB, NULL, waiting);
            }
            waiting = -1;
        } else if (minus) {
            failed = step(self, &chain, OP_SUB, NULL, position);
        } else {
            int sign = number == NULL ? 1 : sign_of(number);
            PyObject *size = sign == -1 ? PyNumber_Negative(number) : NULL;
            if (sign == -2 || (sign == -1 && size == NULL)) failed = -1;
            else failed = size ? step(self, &chain, OP_SUB, size, -1) : step(self, &chain, OP_ADD, number, position);
            Py_XDECREF(size);
        }
        Py_XDECREF(number);
    }
    if (!failed && waiting >= 0) {  /* a sum of one term */
        begin(&chain, NULL, cons1(&self->nodes, OP_NEG, waiting));
        failed = chain.position < 0 ? -1 : 0;
    }
    if (!failed) failed = finish(self, node, terms, &chain, "total", ZERO);
    Py_XDECREF(chain.number);
    return failed;
}

static int divides(PyObject *factor) {
    return Py_IS_TYPE(factor, POW_TYPE) ? is_divisor(factor) : 0;
}

/* `Lowering.divisor`: the d of a factor 1/d, a number (a new reference) or its position. -1 for an exception, else 0. */
static int divisor(Lowering *self, PyObject *factor, PyObject **number, int *position) {
    PyObject *operands = operands_of(factor);
    *number = NULL, *position = -1;
    if (operands == NULL) return -1;
    PyObject *base = PyTuple_GET_ITEM(operands, 0), *positive = NULL;
    int below = entry_of(self, base), above = entry_of(self, PyTuple_GET_ITEM(operands, 1)), failed = -1;
    PyObject *constant = below < 0 || above < 0 ? NULL : self->entries[above].number, *its = NULL;
    long value;
    if (constant != NULL && !self->entries[below].rounded) its = self->entries[below].number;
    if (below < 0 || above < 0) {
    } else if (its != NULL && is_small(its, &value) && value != 0 && number_is(constant, -1) == 1) {
        *number = Py_NewRef(its);  /* exact.power(its, 1) */
        failed = 0;
    } else if (constant == NULL || its != NULL) {
        PyObject *said = ask_python(self, "divisor", factor, NULL, NULL), *where;
        if (said != NULL && PyArg_ParseTuple(said, "OO", number, &where)) {
            if (where != Py_None) *position = (int)PyLong_AsLong(where);
            *number = *number == Py_None ? NULL : Py_NewRef(*number);
            failed = 0;
        }
        Py_XDECREF(said);
    } else if ((positive = negated(constant)) != NULL) {
        *position = lower_power(self, base, positive);
        failed = *position < 0 ? -1 : 0;
    }
    Py_XDECREF(positive);
    Py_DECREF(operands);
    return failed;
}

/* `_pair`: u*v, u/v, -u and a positive number times u, as most products are. 1 if it was one, -1 for an exception. */
static int pair(Lowering *self, PyObject *node, PyObject *a, PyObject *b) {
    int first = entry_of(self, a), second = entry_of(self, b), place = entry_of(self, node), by = divides(b), done = -1;
    if (first < 0 || second < 0 || place < 0 || by < 0) return -1;
    PyObject *number = self->entries[first].number, *quotient = NULL;
    int position = self->entries[second].position;
    if (number == NULL) {
        int above = divides(a), before = self->entries[first].position;
        if (above || before < 0) return above < 0 ? -1 : 0;
        if (by) {
            if (divisor(self, b, &quotient, &position) < 0) return -1;
            int one = position < 0 && quotient != NULL ? number_is(quotient, 1) : 0;
            if (position < 0 && (quotient == NULL || one)) {
                Py_XDECREF(quotient);
                return one < 0 ? -1 : 0;
            }
            if (position < 0) position = nodes_constant(&self->nodes, quotient);
            Py_XDECREF(quotient);
            done = cons2(&self->nodes, OP_DIV, before, position);
        } else if (position < 0 || self->entries[second].number != NULL) {
            return 0;
        } else {
            done = commuting(self, OP_MUL, before, position);
        }
    } else if (position < 0 || self->entries[second].number != NULL || self->entries[first].rounded || by) {
        return 0;
    } else {
        int sign = sign_of(number), one = number_is(number, 1), minus = number_is(number, -1);
        if (sign == -2 || one < 0 || minus < 0) return -1;
        if (sign > 0 && !one) {
            done = commuting(self, OP_MUL, nodes_constant(&self->nodes, number), position);
        } else if (!PyLong_CheckExact(number) || !minus) {
            return 0;
        } else if (self->entries[place].subtracted) {
            self->entries[place].negative = position;
            return 1;
        } else {
            done = cons1(&self->nodes, OP_NEG, position);
        }
    }
    self->entries[place].position = done;
    return done < 0 ? -1 : 1;
}

/* The factors after the leading sign, one by one. */
static int multiplied(Lowering *self, PyObject *factors, Py_ssize_t from, int begun, Chain *chain) {
    for (Py_ssize_t k = from; k < PyTuple_GET_SIZE(factors); k++) {
        PyObject *factor = PyTuple_GET_ITEM(factors, k), *number = NULL;
        int by = divides(factor), position = -1, place = entry_of(self, factor), failed = 0;
        if (by < 0 || place < 0) return -1;
        if (by) {
            if (divisor(self, factor, &number, &position) < 0) return -1;
            if (!begun && chain->number == NULL) begin(chain, ONE, -1);
            failed = step(self, chain, OP_DIV, number, position);
        } else {
            number = self->entries[place].rounded ? NULL : Py_XNewRef(self->entries[place].number);
            if (number == NULL && (position = position_of(self, place)) < 0) return -1;
            if (begun) failed = step(self, chain, OP_MUL, number, position);
            else begin(chain, number, position);
        }
        Py_XDECREF(number);
        if (failed) return -1;
        begun = 1;
    }
    return 0;
}

/* A leading number < 0: whether its sign is left to the end (`turned`), whether it begins the chain. */
static int leading(Lowering *self, PyObject *factors, int subtracted, Chain *chain, int *turned, int *begun) {
    int place = entry_of(self, PyTuple_GET_ITEM(factors, 0));
    if (place < 0) return -1;
    PyObject *first = self->entries[place].rounded ? NULL : self->entries[place].number;
    int sign = first == NULL ? 0 : sign_of(first), minus = first == NULL ? 0 : number_is(first, -1);
    if (sign == -2 || minus < 0) return -1;
    *turned = sign == -1 && (minus || subtracted);
    if (!*turned) return 0;
    *begun = !minus || !PyLong_CheckExact(first);  /* 1.0 times a long whole number rounds it */
    PyObject *size = *begun ? PyNumber_Negative(first) : Py_NewRef(ONE);
    if (size == NULL) return -1;
    begin(chain, size, -1);
    Py_DECREF(size);
    int by = *begun || subtracted ? 0 : divides(PyTuple_GET_ITEM(factors, 1));
    if (by < 0) return -1;
    if (by) {  /* -1/x is one division */
        *turned = 0, *begun = 1;
        begin(chain, MINUS_ONE, -1);
    }
    return 1;
}

/* `mul`: the product from left to right, each divisor as a division. A leading sign is left to the sum that subtracts it. */
int written_product(Lowering *self, PyObject *node, PyObject *factors) {
    Chain chain = {NULL, -1};
    int turned = 0, begun = 0, place = entry_of(self, node), failed = -1;
    if (PyTuple_GET_SIZE(factors) == 2) {
        int done = pair(self, node, PyTuple_GET_ITEM(factors, 0), PyTuple_GET_ITEM(factors, 1));
        if (done) return done < 0 ? -1 : 0;
    }
    if (place < 0) return -1;
    int subtracted = self->entries[place].subtracted, from = leading(self, factors, subtracted, &chain, &turned, &begun);
    if (from < 0 || multiplied(self, factors, from, begun, &chain) < 0) goto done;
    if (turned && chain.number != NULL) {
        PyObject *negative = PyNumber_Negative(chain.number);
        if (negative == NULL) goto done;
        begin(&chain, negative, -1);
        Py_DECREF(negative);
    } else if (turned && subtracted) {
        failed = (self->entries[place].negative = chain_place(self, &chain)) < 0 ? -1 : 0;
        goto done;
    } else if (turned) {
        begin(&chain, NULL, cons1(&self->nodes, OP_NEG, chain_place(self, &chain)));
        if (chain.position < 0) goto done;
    }
    failed = finish(self, node, factors, &chain, "product", ONE);
done:
    Py_XDECREF(chain.number);
    return failed;
}
