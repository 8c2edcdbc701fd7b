"""A sweep within a budget: successive halving over places and rates (Jamieson and Talwalkar 2016).

Many candidates, each a place with a rate, get a short trial on few facts; the better half goes on
with twice as much, on more facts or with more passes, and so on. How many begin follows from what
the trials so far took and from the time that is left, so that all halvings still fit; where time
is left over, more begin. It may be stopped after any trial.

Pure functions of a sweep's rows and the seconds left. Knows nothing about clocks, or about running
a trial.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workbench.methods.locft_settings import automatic_batch_size, automatic_epochs
from workbench.model.location import Location
from workbench.search.score import ScoreWeights, mean_scores
from workbench.search.stages import standing_at
from workbench.search.sweep_events import LocationDone
from workbench.search.trials import Trial

__all__ = ["Halving", "Rung", "rungs_of"]

FEWEST_FACTS = 16
"""A score of fewer facts tells little."""

LEAST_SHARE = 0.25
"""Of the passes of a full run; with fewer, hardly a fact is learned at any place."""

FEWEST_COMPARED = 2
ALONE = 3
"""After so many candidates, every other one is a neighbour of the best so far."""

MOST_OF_LEFT = 0.125
"""A first trial that takes more than this of the time left is much; cheaper ones come first."""

Candidate = tuple[Location, float]
Place = tuple[str, float]


@dataclass(frozen=True, slots=True)
class Rung:
    """A length of trials.

    Args:
        facts: on how many they are.
        limit: most passes over them.
        batch_size: facts per update.
    """

    facts: int
    limit: int
    batch_size: int

    @property
    def size(self) -> tuple[int, int]:
        """As `LocationDone.size`."""
        return self.facts, self.limit


def rungs_of(sample: int, batch_size: int, epochs: int | None = None) -> tuple[Rung, ...]:
    """The lengths of trials, each about twice the one before, the last a run of full length.

    Args:
        sample: how many facts there are to try.
        batch_size: facts per update in a full run; in shorter ones fewer, as runs on as many facts
            have by themselves.
        epochs: most passes of a full run; None for as many as a run has by itself.
    """
    facts, share = sample, 1.0
    found: list[Rung] = []
    while True:
        batch = batch_size if facts == sample else min(batch_size, automatic_batch_size(facts))
        full = epochs or automatic_epochs(facts, batch)
        rung = Rung(facts, max(1, round(full * share)), batch)
        if not found or rung.size != found[-1].size:
            found.append(rung)
        fewer, shorter = facts // 2 >= FEWEST_FACTS, share > LEAST_SHARE
        if shorter and (not fewer or len(found) % 2):
            share /= 2
        elif fewer:
            facts //= 2
        else:
            return tuple(reversed(found))


class Halving:
    """Which trial of a sweep is next.

    Args:
        places: where trials may be made, layer by layer.
        rates: the rates to try, the likeliest first.
        rungs: see `rungs_of`.
        start: where to begin; the nearest of the places is taken.
        layers: of the model.
        weights: of the score.
        further: places that begin when they are near the best so far, or after all others.
    """

    def __init__(
        self,
        places: Sequence[Location],
        rates: Sequence[float],
        rungs: Sequence[Rung],
        *,
        start: Location,
        layers: int,
        weights: ScoreWeights | None = None,
        further: Sequence[Location] = (),
    ) -> None:
        self.rungs = tuple(rungs)
        self._layers = layers
        self._weights = weights
        self._rates = sorted(rates)
        self._depths = sorted({place.layer for place in places})
        self.candidates = [
            candidate
            for some in (places, further)
            for candidate in _ordered(_spread(some, start), rates)
        ]
        """Places with their rates, in the order in which they begin."""

    def rows(self, known: Iterable[LocationDone]) -> list[LocationDone]:
        """Those of the rows that belong to this sweep, the shortest first.

        Args:
            known: any rows.
        """
        order = {_place(candidate): number for number, candidate in enumerate(self.candidates)}
        sizes = [rung.size for rung in self.rungs]
        mine = [row for row in known if row.place in order and row.size in sizes]
        return sorted(mine, key=lambda row: (sizes.index(row.size), order[row.place]))

    def next(self, known: Iterable[LocationDone], left: float) -> Trial | None:
        """The next trial; None when all has been compared, or nothing more fits.

        Args:
            known: what was found so far.
            left: the seconds that are left.
        """
        rows = self.rows(known)
        if not rows:
            return self._trial(self.candidates[0], 0)
        stand = [standing_at(rows, rung.size) for rung in self.rungs]
        fresh = self._fresh(stand[0], rows, left)
        wanted = self._wanted(rows, stand, fresh, left)
        pending = fresh[:] if len(stand[0]) < wanted[0] else []
        for rung in range(1, len(self.rungs)):
            best = self._ranked(stand[rung - 1])[: wanted[rung]]
            there = {row.place for row in stand[rung]}
            pending += [self._again(row, rung) for row in best if row.place not in there]
        if not any(stand[1:]):
            pending += fresh  # where nothing can go on yet, more may still begin
        pending += [] if pending else self._alone(stand)
        return next((trial for trial in pending if self._seconds(trial, rows) <= left), None)

    def promising(self, known: Iterable[LocationDone]) -> set[int]:
        """Layers that may be looked at again, as far as these rows tell.

        Args:
            known: what was found so far.
        """
        rows = self.rows(known)
        if not rows:
            return set()
        first = [row for row in rows if row.size == self.rungs[0].size]
        better = self._ranked(first)[: max(FEWEST_COMPARED, (len(first) + 1) // 2)]
        longer = [row for row in rows if row.size != self.rungs[0].size]
        return {Location.parse(row.at).layer for row in (*better, *longer)}

    def _fresh(
        self, tried: Sequence[LocationDone], rows: Sequence[LocationDone], left: float
    ) -> list[Trial]:
        """Those that have not begun: by turns far from all others, and near the best.

        One that would take much of the time that is left comes after those that do not.
        """
        there = {row.place for row in tried}
        begin = [candidate for candidate in self.candidates if _place(candidate) not in there]
        if len(tried) >= ALONE and len(tried) % 2:
            best = self._ranked(tried)[0]
            begin.sort(key=lambda candidate: not self._is_near(candidate, best))
        trials = [self._trial(candidate, 0) for candidate in begin]
        first, unit = self.rungs[0], self._unit(0, rows)
        passes, much = unit * first.facts * first.limit, left * MOST_OF_LEFT
        return sorted(trials, key=lambda trial: max(passes * self._above(trial.at), much))

    def _is_near(self, candidate: Candidate, row: LocationDone) -> bool:
        """Whether it is the next rate, or the next layer, or another matrix, and else the same."""
        where, rate = candidate
        found = Location.parse(row.at)
        rates = abs(self._rates.index(rate) - self._rates.index(row.learning_rate))
        depth = abs(self._depths.index(where.layer) - self._depths.index(found.layer))
        return rates + depth + (where.module != found.module) == 1

    def _wanted(
        self,
        rows: Sequence[LocationDone],
        stand: Sequence[Sequence[LocationDone]],
        fresh: Sequence[Trial],
        left: float,
    ) -> list[int]:
        """How many should be tried at each length: as many as still fit with all halvings."""
        tried = stand[0] or rows
        depth = sum(self._above(Location.parse(row.at)) for row in tried) / len(tried)
        costs = [
            self._unit(number, rows) * rung.facts * rung.limit * depth
            for number, rung in enumerate(self.rungs)
        ]
        first, first_unit = self.rungs[0], self._unit(0, rows)
        begun, beginning = len(stand[0]), 0.0
        for trial in fresh:
            beginning += first_unit * first.facts * first.limit * self._above(trial.at)
            missing = zip(self._counts(begun + 1)[1:], stand[1:], costs[1:], strict=True)
            halvings = sum(max(0, count - len(there)) * cost for count, there, cost in missing)
            if beginning + halvings > left:
                break
            begun += 1
        return self._counts(begun)

    def _counts(self, begun: int) -> list[int]:
        """So many at each length; none where too few are left to be compared."""
        halved = [begun >> number for number in range(len(self.rungs))]
        return [begun, *(count if count >= FEWEST_COMPARED else 0 for count in halved[1:])]

    def _alone(self, stand: Sequence[Sequence[LocationDone]]) -> list[Trial]:
        """The best of those that went furthest goes on, to see how far it carries."""
        furthest = max(number for number, rows in enumerate(stand) if rows)
        if furthest == len(self.rungs) - 1:
            return []
        return [self._again(self._ranked(stand[furthest])[0], furthest + 1)]

    def _seconds(self, trial: Trial, rows: Sequence[LocationDone]) -> float:
        """What a trial will take, as far as those before it tell."""
        sizes = [rung.size for rung in self.rungs]
        unit = self._unit(sizes.index((trial.facts, trial.limit)), rows)
        return unit * trial.facts * trial.limit * self._above(trial.at)

    def _unit(self, number: int, rows: Sequence[LocationDone]) -> float:
        """Seconds for a pass of a fact through a layer, by trials of this or the next length."""
        for rung in (*reversed(self.rungs[: number + 1]), *self.rungs[number + 1 :]):
            there = [row for row in rows if row.size == rung.size]
            if there:
                layers = sum(self._above(Location.parse(row.at)) for row in there)
                return sum(row.seconds for row in there) / (rung.facts * rung.limit * layers)
        return 0.0

    def _above(self, where: Location) -> int:
        """The layers that a step at a place passes through, with the head."""
        return self._layers - where.layer + 1

    def _ranked(self, rows: Sequence[LocationDone]) -> list[LocationDone]:
        """Best first; of equal ones the latest, which cost least."""
        pairs = zip(rows, mean_scores(rows, self._weights), strict=True)
        best = sorted(pairs, key=lambda pair: (-pair[1], -Location.parse(pair[0].at).layer))
        return [row for row, _ in best]

    def _again(self, row: LocationDone, rung: int) -> Trial:
        return self._trial((Location.parse(row.at), row.learning_rate), rung)

    def _trial(self, candidate: Candidate, rung: int) -> Trial:
        length = self.rungs[rung]
        return Trial(*candidate, length.facts, length.limit, length.batch_size)


def _place(candidate: Candidate) -> Place:
    where, rate = candidate
    return str(where), rate


def _spread(places: Sequence[Location], start: Location) -> list[Location]:
    """The place to begin at, then always the one furthest from all before, so that any few do."""
    numbers = range(len(places))
    if not numbers:
        return []
    first = min(
        numbers,
        key=lambda n: (places[n] != start, abs(places[n].layer - start.layer), -places[n].layer),
    )
    order = [first]
    distance = [abs(n - first) for n in numbers]
    while len(order) < len(places):
        furthest = max(numbers, key=lambda n: (distance[n], n))
        order.append(furthest)
        distance = [min(d, abs(n - furthest)) for n, d in zip(numbers, distance, strict=True)]
    return [places[n] for n in order]


def _ordered(places: Sequence[Location], rates: Sequence[float]) -> list[Candidate]:
    """Places by rates: a place's next rate comes when twice as many places have come."""
    numbers = [(p, r) for p in range(len(places)) for r in range(len(rates))]
    numbers.sort(key=lambda pair: (math.log2(pair[0] + 1) + pair[1], pair[1]))
    return [(places[p], rates[r]) for p, r in numbers]
