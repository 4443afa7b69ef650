/* The derivative program of a plain graph, in reverse mode: `derivative` in adlab/autodiff/programs.py. It is the sweep of
   adlab/autodiff/sweeps.py on the nodes of adlab/arithmetic/nodes.py, which write down each rule as adlab/arithmetic/writers.py
   does: only what the wanted operands need. */

#include "core.h"
#include <string.h>

enum { LONGEST_RULE = 128, MOST_OPERANDS = 14 };  /* lines of a rule, and operands of a line; larger ones are left to Python */

static int is_zero(const Line *line) {
    return line->operation == OP_CONSTANT && number_is(line->parameter, 0) == 1;
}

/* Writes what a line with adjoint `bar` passes to each operand: -1 for nothing. 1, 0 where Python must, -1 for an exception. */
static int pulled(Nodes *nodes, const Tape *tape, int i, int bar, int *passed) {
    const Line *line = &tape->lines[i];
    const int *operands = &tape->pool[line->first];
    const Tape *rule = rule_of(line->operation, line->parameter, WRITTEN);
    if (rule == NULL) return -1;
    if (!rule->plain || rule->count > LONGEST_RULE || rule->inputs != line->count + 2 || rule->results != line->count) return 0;
    char needed[LONGEST_RULE] = {0};
    int place[LONGEST_RULE], given[MOST_OPERANDS + 1];
    for (int k = 0; k < line->count; k++) {
        int output = rule->outputs[k];
        passed[k] = tape->active[operands[k]] && !is_zero(&rule->lines[output]) ? output : -1;
        if (passed[k] >= 0) needed[output] = 1;
        place[k] = operands[k];
    }
    for (int at = rule->count - 1; at >= rule->inputs; at--) {
        const Line *step = &rule->lines[at];
        for (int k = 0; needed[at] && k < step->count; k++) needed[rule->pool[step->first + k]] = 1;
    }
    place[line->count] = i;
    place[line->count + 1] = bar;
    for (int at = rule->inputs; at < rule->count; at++) {
        const Line *step = &rule->lines[at];
        if (!needed[at]) continue;
        if (step->count > MOST_OPERANDS) return 0;
        for (int k = 0; k < step->count; k++) given[k] = place[rule->pool[step->first + k]];
        place[at] = step->count == 0 ? nodes_constant(nodes, step->parameter)
                                     : law(nodes, step->operation, given, step->count, step->parameter);
        if (place[at] < 0) return -1;
    }
    for (int k = 0; k < line->count; k++) {
        if (passed[k] >= 0) passed[k] = place[passed[k]];
        if (passed[k] == nodes->zero) passed[k] = -1;
    }
    return 1;
}

/* The adjoints of one output, as nodes; -1 where none arrives. */
static int swept(Nodes *nodes, const Tape *tape, int output, const int *among, int visits, int *adjoint) {
    int passed[MOST_OPERANDS];
    adjoint[output] = nodes->one;
    for (int turn = visits - 1; turn >= 0; turn--) {
        int i = among == NULL ? tape->inputs + turn : among[turn];
        const Line *line = &tape->lines[i];
        if (line->count == 0 || adjoint[i] < 0 || !tape->active[i]) continue;
        if (line->count > MOST_OPERANDS) return 0;
        int done = pulled(nodes, tape, i, adjoint[i], passed);
        if (done != 1) return done;
        for (int k = 0; k < line->count; k++) {
            int operand = tape->pool[line->first + k], both[2] = {adjoint[operand], passed[k]};
            if (passed[k] < 0 || !tape->active[operand]) continue;
            adjoint[operand] = both[0] < 0 ? passed[k] : law(nodes, OP_ADD, both, 2, NULL);
            if (adjoint[operand] < 0) return -1;
        }
    }
    return 1;
}

/* All partials, row by row, into `found`; an output that occurs twice has one sweep. */
static int rows(Nodes *nodes, const Tape *tape, int *found) {
    size_t count = (size_t)tape->count + 1;
    int several = tape->results > 1, done = 1;
    int *adjoint = PyMem_Malloc(count * sizeof *adjoint), *among = several ? PyMem_Malloc(count * sizeof *among) : NULL;
    unsigned char *seen = several ? PyMem_Calloc(count, 1) : NULL;
    if (adjoint == NULL || (several && (among == NULL || seen == NULL))) {
        PyErr_NoMemory();
        done = -1;
    } else {
        memset(adjoint, 0xff, count * sizeof *adjoint);
    }
    for (int row = 0; done == 1 && row < tape->results; row++) {
        int output = tape->outputs[row], visits = tape->count - tape->inputs, *mine = found + (size_t)row * (size_t)tape->inputs;
        if (several) visits = ancestors(tape, output, among, seen);
        done = swept(nodes, tape, output, among, visits, adjoint);
        for (int i = 0; done == 1 && i < tape->inputs; i++) mine[i] = adjoint[i] < 0 ? nodes->zero : adjoint[i];
        memset(adjoint, 0xff, (size_t)tape->inputs * sizeof *adjoint);
        adjoint[output] = -1;
        for (int turn = 0; several && turn < visits; turn++) {
            const Line *line = &tape->lines[among[turn]];
            for (int k = 0; k < line->count; k++) adjoint[tape->pool[line->first + k]] = -1;
        }
    }
    PyMem_Free(adjoint);
    PyMem_Free(among);
    PyMem_Free(seen);
    return done;
}

/* derivative(value): the program as a tape, the values first if they are wanted; None where Python must write it. */
PyObject *tape_derivative(PyObject *self, PyObject *value) {
    Tape *tape = (Tape *)self;
    int values = PyObject_IsTrue(value) ? tape->results : 0, done = -1;
    if (!tape->plain) Py_RETURN_NONE;
    size_t entries = (size_t)tape->results * (size_t)tape->inputs;
    if (entries + (size_t)values > (size_t)INT32_MAX) Py_RETURN_NONE;
    Nodes nodes = {0};
    int *outputs = PyMem_Malloc((entries + (size_t)values + 1) * sizeof *outputs);
    PyObject *names = PyTuple_New(tape->inputs);
    Tape *made = NULL;
    int collects = PyGC_Disable();
    if (outputs != NULL && names != NULL && nodes_on(&nodes, tape) == 0) {
        for (int i = 0; i < tape->inputs; i++) PyTuple_SET_ITEM(names, i, Py_NewRef(tape->lines[i].parameter));
        if (values) memcpy(outputs, tape->outputs, (size_t)values * sizeof *outputs);
        done = rows(&nodes, tape, outputs + values);
        if (done == 1) made = nodes_finish(&nodes, names, outputs, (int)(entries + (size_t)values));
    }
    nodes_free(&nodes);
    if (collects) PyGC_Enable();
    PyMem_Free(outputs);
    Py_XDECREF(names);
    return done == 0 ? Py_NewRef(Py_None) : (PyObject *)made;
}
