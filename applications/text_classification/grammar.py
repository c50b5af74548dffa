"""News that a small grammar writes: a miniature whose texts may be used by anybody.

Each topic has six kinds of stories, some common and some rare. A story is a sentence of its own
kind, and mostly another of any kind: where that is of another topic, the order of the two does not
say under which topic the desk filed it. Such labels cannot always be predicted.
"""

from __future__ import annotations

import numpy as np

# Topic and kind of story; who | does | what. The kinds of a topic become rarer from the first on.
STORIES = """
politics: elections
  the candidate, the opposition, a coalition, the ruling party, voters in the north | won, lost,
  contested, demanded, boycotted | the runoff, a recount, the ballot, early elections, the first
  round, seats in the assembly

politics: diplomacy
  the envoy, foreign ministers, the embassy, negotiators, the president | signed, rejected,
  postponed, welcomed, criticized | the treaty, talks on the border, a ceasefire, new sanctions,
  the summit, a visit

politics: parliament
  lawmakers, the senate, the cabinet, a committee, the prime minister | passed, debated, blocked,
  amended, vetoed | the budget, a pension reform, the bill, a motion, the tax law, an inquiry

politics: courts
  judges, the tribunal, a prosecutor, the supreme court, defense lawyers | overturned, upheld,
  heard, dismissed, reviewed | the verdict, an appeal, charges of bribery, the extradition, a
  sentence, the arrest warrant

politics: unrest
  protesters, police, the army, rebels, aid workers | occupied, cleared, left, surrounded, reopened
  | the capital, the main square, a checkpoint, the bridge, the old town, a refugee camp

politics: councils
  the mayor, a village council, the county, residents, the borough | opposed, approved, delayed,
  funded, abandoned | a bypass, the new school, parking fees, the housing plan, a swimming pool,
  the tram line

sports: football
  the striker, the goalkeeper, the home side, the coach, the champions | scored, saved, conceded,
  missed, won | a penalty, the derby, a late goal, the cup final, the second leg, the title race

sports: tennis
  the top seed, a qualifier, the defending champion, the left-hander, the wildcard | beat,
  outlasted, met, served out, lost | a rival in straight sets, the tiebreak, a five-set match, the
  semifinal, a break point, the clay

sports: cycling
  the sprinter, the peloton, the yellow jersey, a breakaway, the climber | attacked on, survived,
  led, abandoned, took | the mountain stage, the time trial, the final climb, the descent, the
  cobbles, the tour

sports: athletics
  the hurdler, the relay team, a marathon runner, the jumper, the javelin thrower | set, broke,
  equaled, missed, defended | the world record, a personal best, the qualifying mark, a title, the
  heats, the national record

sports: chess
  the grandmaster, the challenger, a teenager, the black pieces, the veteran | drew, resigned,
  sacrificed, prepared, won | the endgame, a rook, the opening, the rapid game, the match in eighty
  moves, a queen

sports: sailing
  the skipper, the crew, the catamaran, a solo sailor, the leading yacht | rounded, repaired,
  protested, lost, crossed | the buoy, a torn sail, the mast, the finish line, the regatta, the
  southern cape

business: markets
  shares, investors, the index, traders, bond yields | climbed on, shrugged off, reversed on,
  awaited, fell after | the profit warning, inflation data, the rate decision, technology stocks,
  strong earnings, the dollar

business: takeovers
  the retailer, a private equity firm, the bidder, shareholders, the regulator | acquired, blocked,
  approved, raised, withdrew | the merger, a hostile bid, its rival for cash, the offer, a minority
  stake, the spin-off

business: oil
  crude, the refinery, producers, the pipeline operator, the cartel | cut, raised, exported,
  halted, trimmed | output, the quota, barrels a day, supplies, the price forecast, shipments

business: jobs
  the carmaker, unions, the airline, the employer, workers at the plant | cut, struck over,
  offered, announced, rejected | thousands of jobs, wages, a night shift, the redundancy plan,
  overtime, apprentices

business: farming
  growers, the dairy, wheat farmers, the cooperative, a plantation | harvested, dumped, insured,
  stored, exported | the crop, surplus milk, coffee beans, fertilizer, grain at record prices, the
  olives

business: insurance
  the insurer, the reinsurer, actuaries, policyholders, the underwriter | settled, disputed,
  priced, covered, paid | flood claims, the premium, the deductible, hurricane losses, an annuity,
  the liability

science: space
  the probe, astronauts, the telescope, the lander, mission control | photographed, orbited,
  launched, lost contact with, reached | the comet, a distant galaxy, the rings, the red planet, a
  satellite, the far side of the moon

science: medicine
  researchers, the vaccine, a clinical trial, the hospital, epidemiologists | protected against,
  found, tested, traced, treated | the virus, a tumor, the gene, malaria, the placebo group, side
  effects

science: computers
  engineers, the chipmaker, a worm, the operating system, hackers | patched, infected, encrypted,
  released, exploited | the server, a flaw, open source code, the browser, passwords, a faster
  processor

science: climate
  the ice sheet, glaciologists, ocean buoys, the forecast model, a drought | melted, measured,
  predicted, shifted, warmed | the glacier, sea levels, the monsoon, carbon in the soil, the jet
  stream, a heat wave

science: fossils
  paleontologists, a student, the museum, the excavation, a quarry | unearthed, dated, named,
  scanned, reconstructed | a dinosaur, the skull, feathered wings, amber, an ancient whale,
  footprints in the mud

science: bees
  beekeepers, biologists, the hive, a field study, the bumblebee | pollinated, counted, survived,
  tagged, avoided | wild flowers, the colony, mites, the nectar, a queen, pesticides
"""
KIND_WEIGHTS = np.array([30, 22, 16, 10, 6, 4]) / 88
OPENINGS = [
    *("on Monday", "late on Friday", "once more", "after weeks of delay", "in a surprise"),
    "this year",
]
ENDINGS = [
    *("officials said", "a spokeswoman confirmed", "sources close to the matter said"),
    *(
        "nobody was available for comment",
        "it was the third time this year",
        "reactions were mixed",
    ),
    *("observers had expected it", "a report is due next month", "it made headlines abroad"),
    "the cost is unknown",
]
SECOND = 0.7  # share of stories with a second sentence
OTHER_TOPIC = 0.3  # share of second sentences that are of any topic


def parse_stories(text: str) -> dict[str, list[list[list[str]]]]:
    """Return the words of each topic: by kind, and by their place in a sentence."""
    kinds: dict[str, list[list[list[str]]]] = {}
    for block in text.strip().split("\n\n"):
        title, _, words = block.partition("\n")
        parts = " ".join(words.split()).split(" | ")
        kinds.setdefault(title.partition(":")[0], []).append([part.split(", ") for part in parts])
    return kinds


KINDS = parse_stories(STORIES)


def write_news(n_texts: int, random_state: int) -> tuple[list[str], list[str]]:
    """Write stories.

    Parameters
    ----------
    n_texts : int
        Number of stories.
    random_state : int
        Seed.

    Returns
    -------
    texts, topics : lists of str
        The stories and their topics.
    """
    rng = np.random.default_rng(random_state)
    topics = [str(topic) for topic in rng.choice(list(KINDS), n_texts)]
    return [write_story(topic, rng) for topic in topics], topics


def write_story(topic: str, rng: np.random.Generator) -> str:
    """Write a story of one sentence or two; one of them is of the topic."""
    sentences = [write_sentence(topic, rng)]
    if rng.random() < SECOND:
        other = str(rng.choice(list(KINDS))) if rng.random() < OTHER_TOPIC else topic
        sentences.append(write_sentence(other, rng))
    return " ".join(sentences[i] for i in rng.permutation(len(sentences)))


def write_sentence(topic: str, rng: np.random.Generator) -> str:
    """Write a sentence: when, who does what, and who says so."""
    kind = KINDS[topic][rng.choice(len(KIND_WEIGHTS), p=KIND_WEIGHTS)]
    who, does, what = (str(rng.choice(words)) for words in kind)
    opening = f"{rng.choice(OPENINGS)} " if rng.random() < 0.5 else ""
    ending = f", {rng.choice(ENDINGS)}" if rng.random() < 0.7 else ""
    sentence = f"{opening}{who} {does} {what}{ending}."
    return sentence[0].upper() + sentence[1:]
