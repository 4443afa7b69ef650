/* What a derivative program leaves out: adlab/graph/simplify.py, law by law. */

#include "core.h"

static int negation(Nodes *nodes, int i);
static int difference(Nodes *nodes, int i, int j);
static int quotient(Nodes *nodes, int i, int j);

static int is_constant(const Nodes *nodes, int i) {
    return nodes->lines[i].operation == OP_CONSTANT;
}

/* `PECULIAR`: whether a law may apply to this node. */
static int peculiar(const Nodes *nodes, int i) {
    const Operation *operation = nodes->lines[i].operation;
    return operation == OP_CONSTANT || operation == OP_NEG || operation == OP_DIV;
}

/* The node whose negative this is, or -1. */
static int negated_node(const Nodes *nodes, int i) {
    return nodes->lines[i].operation == OP_NEG ? nodes->pool[nodes->lines[i].first] : -1;
}

/* `_folded`: the constant that an operation makes of two; the operation itself unless both are rational. */
static int folded(Nodes *nodes, Operation *operation, int i, int j) {
    if (!is_constant(nodes, i) || !is_constant(nodes, j)) return cons2(nodes, operation, i, j);
    PyObject *fold = helper("fold");
    PyObject *made = fold == NULL ? NULL : PyObject_CallFunctionObjArgs(fold, operation->primitive, nodes->lines[i].parameter,
                                                                      nodes->lines[j].parameter, NULL);
    if (made == NULL) return -1;
    int position = made == Py_None ? cons2(nodes, operation, i, j) : nodes_constant(nodes, made);
    Py_DECREF(made);
    return position;
}

/* `_commutative`: in one order, a constant last, so that a*b and b*a are one node. */
static int commutative(Nodes *nodes, Operation *operation, int i, int j) {
    int i_last = is_constant(nodes, i), j_last = is_constant(nodes, j);
    if (i_last && j_last) return folded(nodes, operation, i, j);
    int kept = i_last != j_last ? j_last : i < j;
    return kept ? cons2(nodes, operation, i, j) : cons2(nodes, operation, j, i);
}

static int sum(Nodes *nodes, int i, int j) {
    int negative;
    if (i < 0 || j < 0) return -1;
    if (!peculiar(nodes, i) && !peculiar(nodes, j)) return i < j ? cons2(nodes, OP_ADD, i, j) : cons2(nodes, OP_ADD, j, i);
    if (i == nodes->zero) return j;
    if (j == nodes->zero) return i;
    if ((negative = negated_node(nodes, j)) >= 0) return difference(nodes, i, negative);
    if ((negative = negated_node(nodes, i)) >= 0) return difference(nodes, j, negative);
    return commutative(nodes, OP_ADD, i, j);
}

static int difference(Nodes *nodes, int i, int j) {
    int negative;
    if (i < 0 || j < 0) return -1;
    if (!peculiar(nodes, i) && !peculiar(nodes, j)) return cons2(nodes, OP_SUB, i, j);
    if (j == nodes->zero) return i;
    if (i == nodes->zero) return negation(nodes, j);
    if ((negative = negated_node(nodes, j)) >= 0) return sum(nodes, i, negative);
    return folded(nodes, OP_SUB, i, j);
}

static int negation(Nodes *nodes, int i) {
    if (i < 0) return -1;
    const Line *line = &nodes->lines[i];
    if (line->operation == OP_NEG) return nodes->pool[line->first];
    if (line->operation == OP_SUB) return difference(nodes, nodes->pool[line->first + 1], nodes->pool[line->first]);
    PyObject *value = line->operation == OP_CONSTANT ? line->parameter : NULL;
    if (value != NULL && (PyFloat_Check(value) || is_ratio(value) || (PyLong_Check(value) && !PyBool_Check(value)))) {
        PyObject *opposite = PyNumber_Negative(value);
        int position = opposite == NULL ? -1 : nodes_constant(nodes, opposite);
        Py_XDECREF(opposite);
        return position;
    }
    return cons1(nodes, OP_NEG, i);
}

/* A factor 0, 1 or -1: the product with the other one; -2 where it is none of them. */
static int by_unit(Nodes *nodes, int factor, int other) {
    if (factor == nodes->zero) return factor;
    if (factor == nodes->one) return other;
    return factor == nodes->minus ? negation(nodes, other) : -2;
}

static int product(Nodes *nodes, int i, int j) {
    int found;
    if (i < 0 || j < 0) return -1;
    if (!peculiar(nodes, i) && !peculiar(nodes, j)) return i < j ? cons2(nodes, OP_MUL, i, j) : cons2(nodes, OP_MUL, j, i);
    if ((found = by_unit(nodes, i, j)) != -2 || (found = by_unit(nodes, j, i)) != -2) return found;
    if ((found = negated_node(nodes, i)) >= 0) return negation(nodes, product(nodes, found, j));
    if ((found = negated_node(nodes, j)) >= 0) return negation(nodes, product(nodes, i, found));
    for (int turn = 0; turn < 2; turn++) {  /* `_reciprocal_product`: x * (1/y) becomes x/y */
        const Line *line = &nodes->lines[turn ? i : j];
        if (line->operation != OP_DIV) continue;
        int top = nodes->pool[line->first], below = nodes->pool[line->first + 1];
        if (top != nodes->one && top != nodes->minus) continue;
        found = quotient(nodes, turn ? j : i, below);
        return top == nodes->one ? found : negation(nodes, found);
    }
    return commutative(nodes, OP_MUL, i, j);
}

static int quotient(Nodes *nodes, int i, int j) {
    int negative;
    if (i < 0 || j < 0) return -1;
    if (!peculiar(nodes, i) && !peculiar(nodes, j)) return cons2(nodes, OP_DIV, i, j);
    if (j == nodes->one) return i;
    if (j == nodes->minus) return negation(nodes, i);
    if (j != nodes->zero && is_constant(nodes, j)) return i == nodes->zero ? i : folded(nodes, OP_DIV, i, j);
    if ((negative = negated_node(nodes, i)) >= 0) return negation(nodes, quotient(nodes, negative, j));
    if ((negative = negated_node(nodes, j)) >= 0) return negation(nodes, quotient(nodes, i, negative));
    return cons2(nodes, OP_DIV, i, j);
}

/* `Builder.apply` of a simplifying builder: the node for an operation, or a shorter equal one. The laws of `select` and `ne` are
   not here: what has branches is left to Python. */
int law(Nodes *nodes, Operation *operation, const int *operands, int count, PyObject *parameter) {
    if (operation == OP_ADD) return sum(nodes, operands[0], operands[1]);
    if (operation == OP_SUB) return difference(nodes, operands[0], operands[1]);
    if (operation == OP_MUL) return product(nodes, operands[0], operands[1]);
    if (operation == OP_DIV) return quotient(nodes, operands[0], operands[1]);
    if (operation == OP_NEG) return negation(nodes, operands[0]);
    if (operation == OP_POWI && parameter != NULL) {
        int one = number_is(parameter, 1);
        if (one) return one < 0 ? -1 : operands[0];
    }
    return nodes_cons(nodes, operation, operands, count, parameter);
}
