/* A forward sweep of floats whose tangents are rows: `forward` in adlab/autodiff/sweeps.py with the arithmetic `Watching`, as
   `Evaluator._product` calls it. */

#include "core.h"
#include <fenv.h>
#include <math.h>
#include <string.h>

enum { LONGEST_RULE = 128, MOST_OPERANDS = 14, LARGEST = 1 << 25 };  /* LARGEST: doubles of all tangents; beyond, Python does it */

/* The partials of a line: `Floats.partials`. */
static int partials(const Tape *tape, int i, const double *values, double *found) {
    const Line *line = &tape->lines[i];
    const Tape *rule = rule_of(line->operation, line->parameter, PUSHED);
    if (rule == NULL) return -1;
    if (!rule->plain || rule->count > LONGEST_RULE || rule->inputs != line->count + 1 || rule->results != line->count) return 0;
    double work[LONGEST_RULE];
    for (int k = 0; k < line->count; k++) work[k] = values[tape->pool[line->first + k]];
    work[line->count] = values[i];
    for (int at = rule->inputs; at < rule->count; at++) {
        int done = tape_line(rule, at, work);
        if (done != 1) return done;
    }
    for (int k = 0; k < line->count; k++) found[k] = work[rule->outputs[k]];
    return 1;
}

/* The tangents of all lines, `width` columns each. Inputs are seeded, so a line moves where it is active. */
static int pushed(const Tape *tape, const double *values, double *tangents, size_t width) {
    double partial[MOST_OPERANDS];
    for (int i = tape->inputs; i < tape->count; i++) {
        const Line *line = &tape->lines[i];
        if (!tape->active[i]) continue;
        if (line->count > MOST_OPERANDS) return 0;
        int done = partials(tape, i, values, partial), first = 1;
        if (done != 1) return done;
        double *mine = tangents + (size_t)i * width;
        for (int k = 0; k < line->count; k++) {
            int operand = tape->pool[line->first + k];
            const double *theirs = tangents + (size_t)operand * width, by = partial[k];
            if (!tape->active[operand]) continue;
            if (!isfinite(by)) return 0;
            for (size_t j = 0; j < width; j++) mine[j] = first ? by * theirs[j] : mine[j] + by * theirs[j];
            first = 0;
        }
    }
    return 1;
}

static int product(Tape *tape, const double *point, const double *seeds, double *out, size_t width) {
    size_t count = (size_t)tape->count + 1, inputs = (size_t)tape->inputs;
    double *values = PyMem_Malloc(count * sizeof *values), *tangents = PyMem_Malloc((count * width + 1) * sizeof *tangents);
    int done = 1;
    if (values == NULL || tangents == NULL) {
        PyErr_NoMemory();
        done = -1;
    } else {
        memcpy(values, point, inputs * sizeof *values);
        memcpy(tangents, seeds, inputs * width * sizeof *tangents);
        feclearexcept(FE_ALL_EXCEPT);
        for (int i = tape->inputs; done == 1 && i < tape->count; i++) done = tape_line(tape, i, values);
        if (done == 1) done = pushed(tape, values, tangents, width);
        if (done == 1 && fetestexcept(FE_OVERFLOW | FE_UNDERFLOW)) done = 0;
    }
    for (int row = 0; done == 1 && row < tape->results; row++) {
        int output = tape->outputs[row];
        if (!isfinite(values[output])) done = 0;
        for (size_t j = 0; done == 1 && j < width; j++) {
            double found = tape->active[output] ? tangents[(size_t)output * width + j] : 0.0;
            if (!isfinite(found)) done = 0;
            out[(size_t)row * width + j] = found;
        }
    }
    PyMem_Free(values);
    PyMem_Free(tangents);
    return done;
}

/* product(point, directions, out): the Jacobian times each column; False where Python must look closer. */
PyObject *tape_product(PyObject *self, PyObject *given) {
    Tape *tape = (Tape *)self;
    PyObject *objects[3];
    Py_buffer views[3];
    if (!PyArg_ParseTuple(given, "OOO", &objects[0], &objects[1], &objects[2])) return NULL;
    for (int k = 0; k < 3; k++) {
        if (doubles(objects[k], &views[k], k == 2)) continue;
        while (k > 0) PyBuffer_Release(&views[--k]);
        Py_RETURN_FALSE;
    }
    const Py_buffer point = views[0], directions = views[1], out = views[2];
    size_t inputs = (size_t)tape->inputs, width = inputs ? (size_t)directions.len / sizeof(double) / inputs : 0;
    int done = tape->plain;
    if (done && tape->steady < 0) {
        PyObject *steady = PyObject_CallMethod(self, "steady", NULL);
        if (steady == NULL) done = -1;
        Py_XDECREF(steady);
    }
    if (done == 1) done = tape->steady && ((size_t)tape->count + 1) * (width + 1) <= LARGEST;
    if ((size_t)point.len != inputs * sizeof(double) || (size_t)directions.len != inputs * width * sizeof(double)
        || (size_t)out.len != (size_t)tape->results * width * sizeof(double)) {
        if (done >= 0) PyErr_SetString(PyExc_ValueError, "a buffer of another length than the graph's");
        done = -1;
    }
    if (done == 1) done = product(tape, point.buf, directions.buf, out.buf, width);
    for (int k = 0; k < 3; k++) PyBuffer_Release(&views[k]);
    return done < 0 ? NULL : PyBool_FromLong(done);
}
