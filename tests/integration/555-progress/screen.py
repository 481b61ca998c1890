"""screen.py WIDTH FILE: what a terminal of that width shows after these bytes, a line
each; fails where a byte isn't UTF-8, or where a renewed line reached a second row, which
\\r doesn't go back to."""
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
            sys.exit(f"a renewed line takes {row - drawn + 1} rows")
        column = 0
    elif c == "\n":
        down()
        drawn = row
    elif text[at - 1 : at + 2] == "\033[K":
        at += 2
        # In the last column a terminal that waits to wrap erases what is there.
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
