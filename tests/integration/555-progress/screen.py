"""screen.py WIDTH FILE: prints the rows that a terminal of that width shows after these
bytes; fails if a byte is not UTF-8, or if a rewritten line reached a second row, from
which \\r does not return."""
import sys
import unicodedata

width, data = int(sys.argv[1]), open(sys.argv[2], "rb").read()
rows, row, column, drawn = [[" "] * width], 0, 0, 0


def down():
    global row, column
    row, column = row + 1, 0
    if row == len(rows):
        rows.append([" "] * width)


text, at = data.decode(), 0
while at < len(text):
    c = text[at]
    at += 1
    if c == "\r":
        if text[at : at + 1] not in ("\n", "\r") and row > drawn:
            sys.exit(f"a rewritten line takes {row - drawn + 1} rows")
        column = 0
    elif c == "\n":
        down()
        drawn = row
    elif text[at - 1 : at + 2] == "\033[K":
        at += 2
        # In the last column, with a pending wrap, a terminal erases the last character.
        from_column = min(column, width - 1)
        rows[row][from_column:] = [" "] * (width - from_column)
    elif unicodedata.category(c)[0] == "C":
        sys.exit(f"a control character, {c!r}")
    elif unicodedata.combining(c):
        rows[row][max(column - 1, 0)] += c
    else:
        cells = 2 if unicodedata.east_asian_width(c) in "WF" else 1
        if column + cells > width:
            down()
        rows[row][column : column + cells] = [c] + [""] * (cells - 1)
        column += cells
for line in rows:
    print("".join(line).rstrip())
