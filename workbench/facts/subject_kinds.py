"""What kind of thing a fact is about, and other things of that kind.

The kind is guessed from the words around the subject: each has words that stand beside such
subjects, and the longest that is found decides. How often that is right stands in bench/README.md.
Knows nothing about models.
"""

import hashlib
import random
import re
from functools import cache
from typing import Literal, get_args

from workbench.facts.fact import Fact
from workbench.paths import assets_dir

__all__ = ["SubjectKind", "listed_digest", "listed_subjects", "subject_kind"]

SubjectKind = Literal[
    "people", "works", "products", "species", "bodies", "countries", "organizations", "places"
]

OF_EACH = 3  # where nobody knows the kind

# How words, or several, begin. Of two as long the kind that comes first is taken.
CUES: dict[SubjectKind, str] = {
    "people": "born, birth, died, dying, death, profession, occupation, career, speak, spoke, "
    "speaking, native speaker, native to, native language, mother tongue, mother, sister, "
    "brother, father, parent of, child, spouse, wife, husband, married, citizen, nationality, "
    "ethnic, religio, faith, position, role, plays, playing for, play for, performs, male or "
    "female, gender, sex of, educated, attended, studied, alma mater, university where, pass "
    "away, passed away, buried, burial, who he, advisor, student of, instrument, voice type, "
    "sings, award, works as, worked as, worked, works for, work for, employed, employer, "
    "killed, murder, given name, surname, first name, rank, served in, succeed, follower of, "
    "expert, domain of activity, expertise, field, works in the area, writes in, perform, "
    "playing, disease, the war that, title that, team does, team is, sports team, lived, life "
    "ended, expired at, lost their, took up, originally from, politician, specializ, hold, "
    "war was, convicted",
    "works": "film, movie, novel, book, album, song, series, show, episode, director, directed, "
    "author, writer, wrote, written, publish, released, release date, record label, original "
    "language, language of, genre, premier, debut, aired, original channel, cast of, starred, "
    "starring, the star of, actor in, screenplay, script, edited by, cast members, stars of, "
    "label, production company, compos, lyric, network, broadcast, journal, magazine, "
    "newspaper, character, fiction, narrative, performer, storyline, painting, artwork, set "
    "in",
    "products": "produced by, produced, produce, manufactur, product of, product, model of, "
    "brand, developed by, developed, develop, created by, service entry, entered service, "
    "engine, wing, armament, vessel, ship, submarine, launch, aircraft, airplane, car, "
    "vehicle, motorcycle, weapon, software, programming language, operating system, platform, "
    "license, game, designed, designer, range, built by",
    "species": "species, genus, taxon, family, order, phylum, plant, animal, conservation status, "
    "endemic, habitat",
    "bodies": "astronomical, astronom, constellation, galaxy, planet, orbit, asteroid, comet, "
    "crater, celestial, satellite of",
    "countries": "capital of, president of, prime minister, king of, queen of, currency, official "
    "lang, anthem, flag of",
    "organizations": "headquarter, founded, founder, formed, establish, dissol, defunct, company, "
    "compan, corporation, industry, subsidiary, parent organi, owned by, owner, ceo, chief "
    "executive, chairman, based in, airline, hub, started in, originated in, originates, "
    "created in, league, stadium, home ground, coach of, sponsor, membership, organization, "
    "political party, employees",
    "places": "located, location, lies, situated, found in, within, border, county, district, "
    "province, state, region, territor, municipality, village, town, city, parish, river, "
    "tributary, mountain, mouth of, lake, island, continent, twin, sister city, mayor, "
    "inhabitants, population, station, architect, building, church, heritage, airport, "
    "neighborhood, locality, type of area, country is, in which country",
}


def subject_kind(fact: Fact) -> SubjectKind | None:
    """What kind of thing a fact is about; None where nothing speaks for any.

    Args:
        fact: with a subject that stands in its prompt.
    """
    around = fact.prompt.replace(fact.subject, " ") if fact.subject else fact.prompt
    words = " " + " ".join(re.findall(r"\w+", around.lower()))
    found = [
        (len(cue), kind)
        for kind, cues in CUES.items()
        for cue in cues.split(", ")
        if f" {cue}" in words
    ]
    return max(found, key=lambda one: one[0])[1] if found else None


def listed_subjects(fact: Fact, chance: random.Random) -> list[str]:
    """Subjects of a fact's kind that everybody knows, shuffled; a few of each where none is known.

    Args:
        fact: with a subject that stands in its prompt.
        chance: shuffles them.
    """
    kind = subject_kind(fact)
    if kind is not None:
        return chance.sample(_listed(kind), len(_listed(kind)))
    found = [one for kind in get_args(SubjectKind) for one in chance.sample(_listed(kind), OF_EACH)]
    return chance.sample(found, len(found))


def listed_digest() -> str:
    """Tells the lists from those of other versions."""
    every = [one for kind in get_args(SubjectKind) for one in _listed(kind)]
    return hashlib.sha256("\n".join(every).encode()).hexdigest()[:12]


@cache
def _listed(kind: SubjectKind) -> tuple[str, ...]:
    path = assets_dir() / "subjects" / f"{kind}.txt"
    return tuple(path.read_text(encoding="utf-8").splitlines())
