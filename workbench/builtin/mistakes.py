"""Makes the sample file with deliberate mistakes out of good rows.

Every kind of mistake that people make in fact files occurs once, between good rows, so that
a reader can be seen to report the bad ones and to keep the good ones.
"""

__all__ = ["mistaken_rows"]

Row = list[str]


def mistaken_rows(good: list[Row]) -> list[Row]:
    """A few of the good rows as they are, and one row for each kind of mistake.

    The seven cells of a row are prompt, target_new, subject, ground_truth, rephrases, locality
    prompts and their answers; at least 15 good rows are needed.
    """
    prompt, answer, subject, old, rephrases, localities, truths = range(7)

    def changed(row: Row, cell: int, value: str) -> Row:
        return [*row[:cell], value, *row[cell + 1 :]]

    return [
        good[0],
        changed(good[1], prompt, ""),
        changed(good[2], answer, ""),
        [*good[3], "one cell too many"],
        good[4][:2],
        good[5],
        good[0],
        changed(good[0], answer, "Sydney"),
        changed(good[6], answer, good[6][old]),
        good[7],
        changed(good[8], answer, good[8][subject]),
        changed(good[9], rephrases, good[9][prompt]),
        changed(good[10], localities, good[10][prompt]),
        changed(good[11], truths, good[11][truths].partition(" | ")[0]),
        changed(good[12], subject, "someone else"),
        ["" for _ in good[13]],
        good[14],
    ]
