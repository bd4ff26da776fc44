"""Whatever goes wrong, never do two lead; and when nothing goes wrong any more, one does."""

from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.unit.town import Candidate, Fate, Town

NAMES = ("a", "b", "c")
DELAYS = st.sampled_from([0.0, 0.01, 0.3, 2.4, 4.8, 9.0, 16.0])
FATES = st.builds(
    Fate, DELAYS, DELAYS, st.sampled_from(["answered", "answered", "unanswered", "broken", "lost", "refused"])
)
RATES = st.sampled_from([0.95, 0.99, 1.0, 1.01, 1.05])
OFFSETS = st.sampled_from([0.0, -3000.0, 60.0, 4000.0])
DEEDS = st.tuples(
    st.sampled_from([0.0, 0.5, 1.9, 2.1, 5.0, 9.9, 10.1, 15.1, 40.0]),
    st.sampled_from(range(len(NAMES))),
    st.one_of(
        st.tuples(st.just("stop"), st.sampled_from([0.1, 3.0, 9.0, 11.0, 14.5, 30.0, 90.0])),
        st.tuples(st.just("next"), st.lists(FATES, min_size=1, max_size=6)),
        st.tuples(st.just("always"), FATES),
        st.tuples(st.just("heal"), st.none()),
        st.tuples(st.just("quit"), st.none()),
        st.tuples(st.just("restart"), st.none()),
    ),
)


def do(town: Town, candidates: list[Candidate], place: int, deed: tuple[str, object]) -> None:
    candidate = candidates[place]
    match deed:
        case ("stop", float(seconds)):
            candidate.process.stop_for(seconds)
        case ("next", list(fates)):
            candidate.fates.extend(fates)
        case ("always", Fate() as fate):
            candidate.fate = fate
        case ("heal", _):
            candidate.heal()
        case ("quit", _):
            candidate.quit()
        case ("restart", _):
            candidates[place] = candidate.restarted()


@settings(max_examples=200)
@given(
    st.lists(st.tuples(RATES, OFFSETS, st.sampled_from([0.0, 1.0, 3.0])), min_size=3, max_size=3),
    st.lists(DEEDS, min_size=5, max_size=40),
)
def test_never_do_two_lead_and_in_the_end_one_does(
    clocks: list[tuple[float, float, float]], deeds: list[tuple[float, int, tuple[str, object]]]
) -> None:
    town = Town()
    try:
        candidates = [
            town.candidate(name, rate=rate, offset=offset, ends_in=ends_in)
            for name, (rate, offset, ends_in) in zip(NAMES, clocks, strict=True)
        ]
        for seconds, place, deed in deeds:
            do(town, candidates, place, deed)
            town.pass_(seconds)
        event(f"{min(town.server.spec['leaseTransitions'], 5) if town.server.lease else 'no'} transitions")
        for candidate in candidates:
            candidate.heal()
        town.pass_(200)
        alive = [candidate for candidate in candidates if not candidate.running.done()]
        assert [candidate.leads for candidate in alive].count(True) == bool(alive)
        assert [candidate.acting for candidate in alive] == [candidate.leads for candidate in alive]
    finally:
        town.close()
