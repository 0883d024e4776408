"""Where the records of a delimited file begin and end, and how many fields each has; found in one compiled pass over the bytes.

A quote opens only at the start of a field; within quotes, a doubled quote stands for one. One stray quote must not swallow the file. So a quote that is
not closed within `MAX_RECORD_BYTES` is a fault of its own line only, and the next line is read as if that quote had not been there.
"""

from __future__ import annotations

from typing import Any

from numba import njit

MAX_RECORD_BYTES = 1 << 20
SOUND, OPEN_QUOTE, ODD_QUOTE = range(3)
"""States of a record. `OPEN_QUOTE`: a quote is not closed. `ODD_QUOTE`: there is a quote inside an unquoted field, or text behind a closing one."""


@njit(cache=True, nogil=True)
def _newline(buffer: Any, at: int) -> int:
    """Return the place of the next line feed, or the end of the buffer."""
    size = buffer.shape[0]
    while at < size and buffer[at] != 10:
        at += 1
    return at


@njit(cache=True, nogil=True)
def scan(
    buffer: Any, separator: int, quoted: bool, last: bool, starts: Any, ends: Any, fields: Any, states: Any, lines: Any
) -> tuple[int, int, int]:
    """Find the records of a block.

    Parameters
    ----------
    buffer : uint8 (size,)
        The block; it begins at the beginning of a record.
    separator : int
        The byte between two fields.
    quoted : bool
        Whether quotes have a meaning.
    last : bool
        Whether the file ends with the block. If not, a record that reaches the end of the block is left for the next one.
    starts, ends, fields, states, lines : int64 (n,)
        Filled for each record that is not an empty line; `lines` gets the record's first line, counted from 0 within the block.

    Returns
    -------
    records, consumed, lines : int
        How many records were found, how many bytes they and the empty lines take, and how many lines.
    """
    size, at, count, line = buffer.shape[0], 0, 0, 0
    most = starts.shape[0]
    while at < size and count < most:
        start, first_line = at, line
        number, state = 1, SOUND
        field_start, closed, done = True, False, False
        while at < size:
            byte = buffer[at]
            if byte == 10:
                done = True
                break
            if byte == separator:
                number += 1
                field_start = True
                at += 1
                continue
            if byte == 34 and quoted:
                if not field_start:
                    state = ODD_QUOTE
                    at += 1
                    continue
                limit = min(size, start + MAX_RECORD_BYTES)
                begins, inside_lines, closed = at, 0, False
                at += 1
                while at < limit:
                    if buffer[at] == 34:
                        if at + 1 < size and buffer[at + 1] == 34:
                            at += 2
                            continue
                        closed = True
                        break
                    if buffer[at] == 10:
                        inside_lines += 1
                    at += 1
                if not closed and at >= size and not last and size - start < MAX_RECORD_BYTES:
                    return count, start, first_line
                if not closed:
                    state = OPEN_QUOTE
                    at = _newline(buffer, begins)
                    continue
                line += inside_lines
                at += 1
                if at < size and buffer[at] != separator and buffer[at] != 10 and buffer[at] != 13:
                    state = ODD_QUOTE
                field_start = False
                continue
            field_start = False
            at += 1
        if not done and not last:
            return count, start, first_line
        end = at
        if end > start and buffer[end - 1] == 13:
            end -= 1
        at += 1
        line += 1
        if end > start:
            starts[count], ends[count], fields[count], states[count], lines[count] = start, end, number, state, first_line
            count += 1
    return count, min(at, size), line


@njit(cache=True, nogil=True)
def scan_values(buffer: Any, last: bool, starts: Any, ends: Any, lines: Any) -> tuple[int, int, int]:
    """Find the JSON objects of a block in which they do not stand one a line, but in an array or over several lines.

    Brackets of arrays around the objects, and commas and blanks between them, are skipped. Anything else is a record up to the end of its line.

    Parameters and results are those of `scan`.
    """
    size, at, count, line = buffer.shape[0], 0, 0, 0
    most = starts.shape[0]
    while at < size and count < most:
        byte = buffer[at]
        if byte == 10:
            line += 1
        if byte <= 32 or byte == 44 or byte == 91 or byte == 93:
            at += 1
            continue
        start, first_line = at, line
        if byte == 123:
            depth, inside, done = 0, False, False
            while at < size:
                byte = buffer[at]
                if byte == 10:
                    line += 1
                if inside:
                    if byte == 92:
                        at += 1
                    elif byte == 34:
                        inside = False
                elif byte == 34:
                    inside = True
                elif byte == 123 or byte == 91:
                    depth += 1
                elif byte == 125 or byte == 93:
                    depth -= 1
                    if depth == 0:
                        at += 1
                        done = True
                        break
                if at - start >= MAX_RECORD_BYTES:  # never closed: it is a fault of its first line
                    at, line, done = _newline(buffer, start), first_line, True
                    break
                at += 1
            at = min(at, size)
            if not done and not last:
                return count, start, first_line
        else:
            at = _newline(buffer, at)
            if at == size and not last:
                return count, start, first_line
        starts[count], ends[count], lines[count] = start, at, first_line
        count += 1
    return count, at, line
