/* Values and adjoints of a tape in binary64: `evaluate` in adlab/arithmetic/numbers.py, `reverse` in adlab/autodiff/sweeps.py,
   `jacobian` in adlab/autodiff/jacobian.py. The rules are the table's own, as tapes. */

#include "core.h"
#include <fenv.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_RULE = 128, MOST_OPERANDS = 14 };  /* lines of a rule, and operands of a line; larger ones are left to Python */

static int evaluated(const Tape *tape, const double *inputs, double *values) {
    memcpy(values, inputs, (size_t)tape->inputs * sizeof *values);
    for (int i = tape->inputs; i < tape->count; i++) {
        int done = tape_line(tape, i, values);
        if (done != 1) return done;
    }
    return 1;
}

/* What a line with adjoint `bar` passes to each operand: `Floats.pullback`. Products and sums need no tape; all else has one. */
static int pulled(const Tape *tape, int i, const double *values, double bar, double *passed) {
    const Line *line = &tape->lines[i];
    const int *operands = &tape->pool[line->first];
    switch (line->operation->code) {  /* the rules of the table, `rules.pullback`, in short; a test holds the two together */
        case ADD: passed[0] = passed[1] = bar; return 1;
        case SUB: passed[0] = bar; passed[1] = -bar; return 1;
        case NEG: passed[0] = -bar; return 1;
        case MUL: passed[0] = bar * values[operands[1]]; passed[1] = bar * values[operands[0]]; return 1;
        default: break;
    }
    const Tape *rule = rule_of(line->operation, line->parameter, PULLED);
    if (rule == NULL) return -1;
    if (!rule->plain || rule->count > LONGEST_RULE || rule->inputs != line->count + 2 || rule->results != line->count) return 0;
    double work[LONGEST_RULE];
    for (int k = 0; k < line->count; k++) work[k] = values[operands[k]];
    work[line->count] = values[i];
    work[line->count + 1] = bar;
    for (int at = rule->inputs; at < rule->count; at++) {
        int done = tape_line(rule, at, work);
        if (done != 1) return done;
    }
    for (int k = 0; k < line->count; k++) passed[k] = work[rule->outputs[k]];
    return 1;
}

/* The adjoints of one output; `among` are the lines to visit, in order, or NULL for all. */
static int swept(const Tape *tape, const double *values, int output, const int *among, int visits, double *adjoint,
                 unsigned char *reached) {
    double passed[MOST_OPERANDS];
    adjoint[output] = 1.0;
    reached[output] = 1;
    for (int turn = visits - 1; turn >= 0; turn--) {
        int i = among == NULL ? tape->inputs + turn : among[turn];
        const Line *line = &tape->lines[i];
        if (line->count == 0 || !reached[i] || !tape->active[i]) continue;
        if (line->count > MOST_OPERANDS) return 0;
        int done = pulled(tape, i, values, adjoint[i], passed);
        if (done != 1) return done;
        for (int k = 0; k < line->count; k++) {
            int operand = tape->pool[line->first + k];
            if (!tape->active[operand]) continue;
            adjoint[operand] = reached[operand] ? adjoint[operand] + passed[k] : passed[k];
            reached[operand] = 1;
        }
    }
    return 1;
}

static int in_order(const void *a, const void *b) {
    return *(const int *)a < *(const int *)b ? -1 : *(const int *)a > *(const int *)b;
}

/* `ancestors` in adlab/graph/liveness.py: the operations that an output needs, in order, and how many they are. */
int ancestors(const Tape *tape, int output, int *found, unsigned char *seen) {
    int count = 0;
    if (tape->lines[output].count == 0) return 0;
    found[count++] = output;
    seen[output] = 1;
    for (int next = 0; next < count; next++) {
        const Line *line = &tape->lines[found[next]];
        for (int k = 0; k < line->count; k++) {
            int operand = tape->pool[line->first + k];
            if (seen[operand] || tape->lines[operand].count == 0) continue;
            seen[operand] = 1;
            found[count++] = operand;
        }
    }
    for (int next = 0; next < count; next++) seen[found[next]] = 0;
    qsort(found, (size_t)count, sizeof *found, in_order);
    return count;
}

/* All rows. The marks of a row are taken back one by one, so that its cost is that of the lines that it needs. */
static int rows(const Tape *tape, const double *values, double *out) {
    size_t count = (size_t)tape->count + 1;
    double *adjoint = PyMem_Malloc(count * sizeof *adjoint);
    unsigned char *reached = PyMem_Calloc(count, 1), *seen = tape->results > 1 ? PyMem_Calloc(count, 1) : NULL;
    int *among = tape->results > 1 ? PyMem_Malloc(count * sizeof *among) : NULL, done = 1;
    if (adjoint == NULL || reached == NULL || (tape->results > 1 && (seen == NULL || among == NULL))) {
        PyErr_NoMemory();
        done = -1;
    }
    for (int row = 0; done == 1 && row < tape->results; row++) {
        int output = tape->outputs[row], visits = tape->count - tape->inputs;
        if (!isfinite(values[output])) done = 0;
        if (among != NULL) visits = ancestors(tape, output, among, seen);
        if (done == 1) done = swept(tape, values, output, among, visits, adjoint, reached);
        for (int i = 0; done == 1 && i < tape->inputs; i++) {
            double found = reached[i] ? adjoint[i] : 0.0;
            if (!isfinite(found)) done = 0;
            out[(size_t)row * (size_t)tape->inputs + (size_t)i] = found;
        }
        if (row + 1 == tape->results) break;
        memset(reached, 0, (size_t)tape->inputs);
        reached[output] = 0;
        for (int turn = 0; among != NULL && turn < visits; turn++) {
            const Line *line = &tape->lines[among[turn]];
            for (int k = 0; k < line->count; k++) reached[tape->pool[line->first + k]] = 0;
        }
    }
    PyMem_Free(adjoint);
    PyMem_Free(reached);
    PyMem_Free(seen);
    PyMem_Free(among);
    return done;
}

int doubles(PyObject *given, Py_buffer *view, int writable) {
    if (PyObject_GetBuffer(given, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (writable ? PyBUF_WRITABLE : 0)) < 0) {
        PyErr_Clear();
        return 0;
    }
    if (view->format != NULL && strcmp(view->format, "d") == 0) return 1;
    PyBuffer_Release(view);
    return 0;
}

/* jacobian(point, out): True where every number on the way was in binary64's range, and every partial is finite. */
PyObject *tape_jacobian(PyObject *self, PyObject *const *given, Py_ssize_t count) {
    Tape *tape = (Tape *)self;
    Py_buffer point, out;
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "jacobian(point, out)");
        return NULL;
    }
    if (!tape->plain) Py_RETURN_FALSE;
    if (tape->steady < 0) {
        PyObject *steady = PyObject_CallMethod(self, "steady", NULL);
        if (steady == NULL) return NULL;
        Py_DECREF(steady);
    }
    if (!tape->steady) Py_RETURN_FALSE;
    if (!doubles(given[0], &point, 0)) Py_RETURN_FALSE;
    if (!doubles(given[1], &out, 1)) {
        PyBuffer_Release(&point);
        Py_RETURN_FALSE;
    }
    int done = -1;
    double *values = NULL;
    if (point.len != (Py_ssize_t)((size_t)tape->inputs * sizeof(double))
        || out.len != (Py_ssize_t)((size_t)tape->inputs * (size_t)tape->results * sizeof(double))) {
        PyErr_SetString(PyExc_ValueError, "a buffer of another length than the graph's");
    } else if ((values = PyMem_Malloc(((size_t)tape->count + 1) * sizeof *values)) == NULL) {
        PyErr_NoMemory();
    } else {  /* `watched` in adlab/autodiff/watching.py */
        feclearexcept(FE_ALL_EXCEPT);
        done = evaluated(tape, point.buf, values);
        if (done == 1) done = rows(tape, values, out.buf);
        if (done == 1 && fetestexcept(FE_OVERFLOW | FE_UNDERFLOW)) done = 0;
    }
    PyMem_Free(values);
    PyBuffer_Release(&point);
    PyBuffer_Release(&out);
    return done < 0 ? NULL : PyBool_FromLong(done);
}
