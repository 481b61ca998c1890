"""linpack.py N: prints LINPACK's residual for a system of N equations, by the same
operations as the LINPACK Users' Guide in IEEE double precision."""
import sys

n = int(sys.argv[1])


def fill():
    state, columns, sums = 1325, [], [0.0] * n
    for _ in range(n):
        column = []
        for i in range(n):
            state = 3125 * state % 65536
            column.append((state - 32768.0) / 16384.0)
            sums[i] += column[i]
        columns.append(column)
    return columns, sums


a, x = fill()
norm_a = max(abs(value) for column in a for value in column)
pivots = []
for k in range(n - 1):  # dgefa
    column = a[k]
    pivot = max(range(k, n), key=lambda i: abs(column[i]))
    pivots.append(pivot)
    column[pivot], column[k] = column[k], column[pivot]
    factor = -1.0 / column[k]
    for i in range(k + 1, n):
        column[i] *= factor
    for other in a[k + 1:]:
        other[pivot], other[k] = other[k], other[pivot]
        for i in range(k + 1, n):
            other[i] += other[k] * column[i]
for k in range(n - 1):  # dgesl
    x[pivots[k]], x[k] = x[k], x[pivots[k]]
    for i in range(k + 1, n):
        x[i] += x[k] * a[k][i]
for k in reversed(range(n)):
    x[k] /= a[k][k]
    for i in range(k):
        x[i] += -x[k] * a[k][i]
a, b = fill()
for j in range(n):
    for i in range(n):
        b[i] += -x[j] * a[j][i]
residual = max(map(abs, b)) / (n * norm_a * max(map(abs, x)) * sys.float_info.epsilon)
print("%.6g" % residual)
