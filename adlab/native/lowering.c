/* SymPy's sums, products, powers and functions as nodes: `Lowering` in adlab/graph/lowering.py, method by method.

   What is rare is not mirrored: `ask_python` has the method itself do it, on the same numbers and positions. */

#include "core.h"

void set_number(Entry *entry, PyObject *number) {
    Py_XSETREF(entry->number, number);
}

int entry_of(Lowering *self, PyObject *node) {
    int known = map_get(&self->map, node);
    if (known >= 0) return known;
    if (grown((void **)&self->entries, &self->room, self->count + 1, sizeof(Entry)) < 0) return -1;
    if (map_put(&self->map, node, self->count) < 0) return -1;
    self->entries[self->count] = (Entry){node, NULL, -1, -1, 0, 0};
    return self->count++;
}

int position_of(Lowering *self, int place) {
    if (place < 0) return -1;
    Entry *entry = &self->entries[place];
    if (entry->position < 0) {
        if (entry->number != NULL) {
            entry->position = nodes_constant(&self->nodes, entry->number);
        } else if (entry->negative >= 0) {
            entry->position = cons1(&self->nodes, OP_NEG, entry->negative);
        } else {
            PyObject *key = PyLong_FromVoidPtr(entry->node);
            PyErr_SetObject(PyExc_KeyError, key);
            Py_XDECREF(key);
        }
    }
    return entry->position;
}

/* Calls a method of the readable Lowering, which is made on first use and shares everything with this one. */
PyObject *ask_python(Lowering *self, const char *method, PyObject *a, PyObject *b, PyObject *c) {
    if (self->python == NULL && (self->python = PyObject_CallOneArg(self->make, (PyObject *)self)) == NULL) return NULL;
    PyObject *name = PyUnicode_FromString(method);
    PyObject *found = name == NULL ? NULL : PyObject_CallMethodObjArgs(self->python, name, a, b, c, NULL);
    Py_XDECREF(name);
    return found;
}

static int left_to_python(Lowering *self, PyObject *node) {
    PyObject *nothing = ask_python(self, "lowered", node, NULL, NULL);
    Py_XDECREF(nothing);
    return nothing == NULL ? -1 : 0;
}

/* --- sums ----------------------------------------------------------------------------------------------------------------- */

typedef struct { int *items; int count, room; } List;

static int push(List *list, int item) {
    if (item < 0 || grown((void **)&list->items, &list->room, list->count + 1, sizeof(int)) < 0) return -1;
    list->items[list->count++] = item;
    return 0;
}

static int by_position(const void *a, const void *b) {
    return *(const int *)a < *(const int *)b ? -1 : *(const int *)a > *(const int *)b;
}

static void sorted(List *list) {
    for (int k = 1; k < list->count; k++) {
        if (list->items[k - 1] > list->items[k]) {
            qsort(list->items, (size_t)list->count, sizeof(int), by_position);
            return;
        }
    }
}

static int sum(Nodes *nodes, const List *plus, const List *minus, PyObject *constant) {
    int i = 0, j = 0, first, sign = sign_of(constant);
    if (sign == -2) return -1;
    if (plus->count) {
        first = plus->items[i++];
    } else if (sign > 0) {
        first = nodes_constant(nodes, constant);
        sign = 0;
    } else {
        first = cons1(nodes, OP_NEG, minus->items[j++]);
    }
    while (first >= 0 && (i < plus->count || j < minus->count)) {  /* the operand computed first comes first */
        int adds = j == minus->count || (i < plus->count && plus->items[i] <= minus->items[j]);
        first = adds ? cons2(nodes, OP_ADD, first, plus->items[i++]) : cons2(nodes, OP_SUB, first, minus->items[j++]);
    }
    if (sign == 0 || first < 0) return first;
    PyObject *size = PyNumber_Absolute(constant);
    int position = size == NULL ? -1 : nodes_constant(nodes, size);
    Py_XDECREF(size);
    return cons2(nodes, sign > 0 ? OP_ADD : OP_SUB, first, position);
}

static int addition(Lowering *self, PyObject *node, PyObject *terms) {
    int written = is_written(node), failed = 0;
    if (written) return written < 0 ? -1 : written_sum(self, node, terms);
    PyObject *constant = Py_NewRef(ZERO);
    List plus = {NULL, 0, 0}, minus = {NULL, 0, 0};
    for (Py_ssize_t k = 0; !failed && k < PyTuple_GET_SIZE(terms); k++) {
        int place = entry_of(self, PyTuple_GET_ITEM(terms, k));
        Entry *entry = place < 0 ? NULL : &self->entries[place];
        if (entry != NULL && entry->number != NULL) {
            PyObject *total = combined("total", constant, entry->number);
            failed = total == NULL;
            if (!failed && total != Py_None) {
                Py_SETREF(constant, total);
                continue;
            }
            Py_XDECREF(total);
        }
        if (entry == NULL || failed) failed = 1;
        else if (entry->negative >= 0) failed = push(&minus, entry->negative);
        else failed = push(&plus, position_of(self, place));
    }
    int place = failed ? -1 : entry_of(self, node);
    if (place >= 0 && plus.count + minus.count == 0) {
        set_number(&self->entries[place], Py_NewRef(constant));
    } else if (place >= 0) {
        sorted(&plus);
        sorted(&minus);
        int position = sum(&self->nodes, &plus, &minus, constant);
        self->entries[place].position = position;
        failed = position < 0;
    }
    Py_DECREF(constant);
    PyMem_Free(plus.items);
    PyMem_Free(minus.items);
    return failed || place < 0 ? -1 : 0;
}

/* --- products and quotients ----------------------------------------------------------------------------------------------- */

static int chain(Nodes *nodes, List *factors) {
    sorted(factors);
    int result = factors->items[0];
    for (int k = 1; result >= 0 && k < factors->count; k++) result = cons2(nodes, OP_MUL, result, factors->items[k]);
    return result;
}

static PyObject *as_list(const List *list) {
    PyObject *made = PyList_New(list->count);
    for (int k = 0; made != NULL && k < list->count; k++) {
        PyObject *item = PyLong_FromLong(list->items[k]);
        if (item == NULL) Py_CLEAR(made);
        else PyList_SET_ITEM(made, k, item);
    }
    return made;
}

static int product(Lowering *self, List *top, List *bottom, PyObject *coefficient) {
    Nodes *nodes = &self->nodes;
    long value = 0;
    int whole = is_small(coefficient, &value), above = -1, below = -1;
    if (!whole && !(top->count && PyFloat_Check(coefficient))) {
        goto rare;  /* a ratio, a long number, or a decimal divided */
    }
    if (top->count && (above = chain(nodes, top)) < 0) return -1;
    if (bottom->count) {
        if ((below = chain(nodes, bottom)) < 0) return -1;
        if (above >= 0) {
            above = cons2(nodes, OP_DIV, above, below);
        } else {
            int constant = nodes_constant(nodes, coefficient);
            return cons2(nodes, OP_DIV, constant, below);
        }
    }
    int one = number_is(coefficient, 1), minus = one ? 0 : number_is(coefficient, -1);
    if (one || minus) return one < 0 || minus < 0 ? -1 : one ? above : cons1(nodes, OP_NEG, above);
    int constant = above < 0 ? -1 : nodes_constant(nodes, coefficient);
    return cons2(nodes, OP_MUL, above, constant);
rare:;
    PyObject *factors = as_list(top), *divisors = as_list(bottom), *found = NULL;
    if (factors != NULL && divisors != NULL) found = ask_python(self, "product", factors, divisors, coefficient);
    int position = found == NULL ? -1 : (int)PyLong_AsLong(found);
    Py_XDECREF(found);
    Py_XDECREF(factors);
    Py_XDECREF(divisors);
    return position;
}

/* The position of d where this power is 1/d; -2 where it is no such power, -1 for an exception. */
static int denominator(Lowering *self, PyObject *factor) {
    PyObject *operands = operands_of(factor);
    if (operands == NULL) return -1;
    int power = entry_of(self, PyTuple_GET_ITEM(operands, 1)), found = power < 0 ? -1 : -2;
    PyObject *exponent = power < 0 ? NULL : self->entries[power].number;
    int sign = exponent == NULL ? 0 : sign_of(exponent);
    if (sign == -2) found = -1;
    if (sign == -1) {
        PyObject *positive = negated(exponent);
        found = positive == NULL ? -1 : lower_power(self, PyTuple_GET_ITEM(operands, 0), positive);
        Py_XDECREF(positive);
    }
    Py_DECREF(operands);
    return found;
}

static int multiplication(Lowering *self, PyObject *node, PyObject *factors) {
    int written = is_written(node), failed = 0;
    if (written) return written < 0 ? -1 : written_product(self, node, factors);
    PyObject *coefficient = Py_NewRef(ONE);
    List top = {NULL, 0, 0}, bottom = {NULL, 0, 0};
    for (Py_ssize_t k = 0; !failed && k < PyTuple_GET_SIZE(factors); k++) {
        PyObject *factor = PyTuple_GET_ITEM(factors, k);
        int place = entry_of(self, factor), below = -2;
        if (place < 0) failed = 1;
        if (!failed && self->entries[place].number != NULL) {
            PyObject *made = number_is(coefficient, 1) == 1 ? Py_NewRef(self->entries[place].number)
                                                            : combined("product", coefficient, self->entries[place].number);
            failed = made == NULL;
            if (!failed && made != Py_None) {
                Py_SETREF(coefficient, made);
                continue;
            }
            Py_XDECREF(made);
        }
        if (!failed && Py_IS_TYPE(factor, POW_TYPE)) failed = (below = denominator(self, factor)) == -1;
        if (!failed) failed = below >= 0 ? push(&bottom, below) : push(&top, position_of(self, place));
    }
    int place = failed ? -1 : entry_of(self, node), sign = place < 0 ? 0 : sign_of(coefficient);
    if (place < 0 || sign == -2) {
        failed = 1;
    } else if (top.count + bottom.count == 0) {
        set_number(&self->entries[place], Py_NewRef(coefficient));
    } else {
        int negative = sign < 0 && self->entries[place].subtracted;
        PyObject *size = negative ? PyNumber_Negative(coefficient) : Py_NewRef(coefficient);
        int position = size == NULL ? -1 : product(self, &top, &bottom, size);
        Py_XDECREF(size);
        *(negative ? &self->entries[place].negative : &self->entries[place].position) = position;
        failed = position < 0;
    }
    Py_DECREF(coefficient);
    PyMem_Free(top.items);
    PyMem_Free(bottom.items);
    return failed ? -1 : 0;
}

/* --- powers and functions ------------------------------------------------------------------------------------------------- */

/* `Lowering._power`: base**exponent for a constant exponent > 0. */
int lower_power(Lowering *self, PyObject *base, PyObject *exponent) {
    int operand = position_of(self, entry_of(self, base));
    long value;
    if (operand < 0) return -1;
    if (is_small(exponent, &value) && value > 0) {
        return value == 1 ? operand : nodes_cons(&self->nodes, OP_POWI, &operand, 1, exponent);
    }
    if (exponent == HALF) return cons1(&self->nodes, OP_SQRT, operand);
    PyObject *place = PyLong_FromLong(operand);
    PyObject *found = place == NULL ? NULL : ask_python(self, "raised", place, exponent, NULL);
    int position = found == NULL ? -1 : (int)PyLong_AsLong(found);
    Py_XDECREF(place);
    Py_XDECREF(found);
    return position;
}

static int power(Lowering *self, PyObject *node, PyObject *operands) {
    PyObject *base = PyTuple_GET_ITEM(operands, 0), *exponent = PyTuple_GET_ITEM(operands, 1);
    int below = entry_of(self, base), above = entry_of(self, exponent), place = entry_of(self, node), position;
    if (below < 0 || above < 0 || place < 0) return -1;
    PyObject *constant = self->entries[above].number;
    int root = constant == HALF || constant == MINUS_HALF;  /* no such power of a number is exact to `exact.power` */
    if (constant != NULL && !root && self->entries[below].number != NULL && !self->entries[below].rounded) {
        PyObject *found = number_is(constant, -1) == 1 ? reciprocal(self->entries[below].number) : Py_NewRef(Py_None);
        if (found == NULL) return -1;
        if (found != Py_None) {
            set_number(&self->entries[place], found);
            return 0;
        }
        Py_DECREF(found);
        return left_to_python(self, node);
    }
    int sign = constant == NULL ? 0 : sign_of(constant);
    if (Py_IS_TYPE(base, EXP1_TYPE)) {
        position = cons1(&self->nodes, OP_EXP, position_of(self, above));
    } else if (constant == NULL) {
        int both[2] = {position_of(self, below), -1};
        if (both[0] < 0 || (both[1] = position_of(self, above)) < 0) return -1;
        position = nodes_cons(&self->nodes, OP_POW, both, 2, ZERO);
    } else if (sign == 0) {
        set_number(&self->entries[place], Py_NewRef(ONE));
        return 0;
    } else if (sign > 0) {
        position = lower_power(self, base, constant);
    } else {
        PyObject *positive = sign == -1 ? negated(constant) : NULL;
        int one = positive == NULL ? -1 : nodes_constant(&self->nodes, ONE);
        position = one < 0 ? -1 : cons2(&self->nodes, OP_DIV, one, lower_power(self, base, positive));
        Py_XDECREF(positive);
    }
    self->entries[place].position = position;
    return position < 0 ? -1 : 0;
}

static int whole_number(Lowering *self, PyObject *node) {
    PyObject *value = PyObject_GetAttrString(node, "p");
    int place = entry_of(self, node);
    if (value != NULL && !PyLong_CheckExact(value)) Py_SETREF(value, PyNumber_Long(value));
    if (value == NULL || place < 0) {
        Py_XDECREF(value);
        return -1;
    }
    set_number(&self->entries[place], value);
    return 0;
}

/* A ratio or a decimal; what Python must look at more closely is left to it. */
static int number(Lowering *self, PyObject *node, int kind) {
    PyObject *value = kind == RATIO ? ratio_of(node) : decimal_of(node);
    int place = value == NULL || value == Py_None ? -1 : entry_of(self, node);
    if (place >= 0) {
        set_number(&self->entries[place], value);
        return 0;
    }
    int asked = value == Py_None;
    Py_XDECREF(value);
    return asked ? left_to_python(self, node) : -1;
}

/* One object of the order: `known(lowering, node)` or `lowering.visit(node)` in `lower`. */
int lower_one(Lowering *self, PyObject *node) {
    Known known = known_class(Py_TYPE(node));
    if (known.kind == INTEGER) return whole_number(self, node);
    if (known.kind == RATIO || known.kind == DECIMAL) return number(self, node, known.kind);
    if (known.kind == NOTHING) return 0;
    if (known.kind == OTHER) {
        int place = entry_of(self, node);
        if (place < 0) return -1;
        return self->entries[place].position >= 0 ? 0 : left_to_python(self, node);  /* a variable has its position already */
    }
    PyObject *operands = operands_of(node);
    if (operands == NULL) return -1;
    Py_ssize_t count = PyTuple_GET_SIZE(operands);
    int done = -1;
    if (known.kind == POWER ? count != 2 : known.kind == UNARY ? count != 1 : count < 2) {
        done = left_to_python(self, node);
    } else if (known.kind == ADDITION) {
        done = addition(self, node, operands);
    } else if (known.kind == PRODUCT) {
        done = multiplication(self, node, operands);
    } else if (known.kind == POWER) {
        done = power(self, node, operands);
    } else {
        int place = entry_of(self, node);
        int position = place < 0 ? -1 : position_of(self, entry_of(self, PyTuple_GET_ITEM(operands, 0)));
        if (position >= 0) done = (self->entries[place].position = cons1(&self->nodes, known.operation, position)) < 0 ? -1 : 0;
    }
    Py_DECREF(operands);
    return done;
}
