"""Cleaning: each step by example, and what is counted."""

from __future__ import annotations

import pytest

from stratune.errors import ConfigError, DataError
from stratune.transcript import Transcript, Turn, clean
from stratune.transcript.fillers import without_fillers
from stratune.transcript.names import one_form
from stratune.transcript.near_names import near_names, note
from stratune.transcript.repeats import without_repeats
from stratune.transcript.stage import without_noise, without_timestamps
from stratune.transcript.steps import STEPS


def transcript(*said, document="m"):
    turns = [Turn(document, i, who, "", None, None, "", text) for i, (who, text) in enumerate(said)]
    return Transcript(document, tuple(turns))


@pytest.mark.parametrize(
    ("before", "after", "count"),
    [
        ("So, um, I think", "So, I think", 1),
        ("I um went", "I went", 1),
        ("Um, I", "I", 1),
        ("Um, we", "We", 1),
        ("um, we", "we", 1),
        ("I went, um.", "I went.", 1),
        ("Um...", "", 1),
        ("I -- uh -- went", "I -- went", 1),
        ("um, uh, erm I", "I", 3),
        ("Yes. Um. No.", "Yes. No.", 1),
        ("Really? Uh, no", "Really? No", 1),
        ("uh-huh, the umbrella", "uh-huh, the umbrella", 0),
        ("in the ER, er, now", "in the ER, now", 1),
        ("UH, NO", "NO", 1),
        ("Well, uh... I", "Well ... I", 1),
        ("it's, you know, hard", "it's, hard", 1),
        ("do you know him? I mean it.", "do you know him? I mean it.", 0),
        ("You know, I mean, it's", "It's", 2),
        ("He left, you know.", "He left.", 1),
    ],
)  # fmt: skip
def test_fillers(before, after, count):
    assert without_fillers(before) == (after, count)


def test_fillers_of_the_users_own(tmp_path):
    assert without_fillers("Also, ähm, like, no um", ("ähm", "like")) == ("Also, no um", 2)
    path = tmp_path / "list.txt"
    path.write_text("# mine\nlike\n\nor so  # two words\n")
    spec = {"step": "fillers", "file": path}
    (found,), _ = clean([transcript(("A", "I like, um, cake, or so."))], [spec])
    assert found.turns[0].text == "I um, cake."
    with pytest.raises(DataError, match="nowhere.txt: no such file"):
        clean([], [{"step": "fillers", "file": "nowhere.txt"}])


@pytest.mark.parametrize(
    ("before", "after", "count"),
    [
        ("the the cat", "the cat", 1),
        ("The the the cat", "The cat", 1),
        ("I- I went", "I went", 1),
        ("Why would -- why would the", "Why would the", 1),
        ("th- the and w- we", "the and we", 2),
        ("I- I'm", "I'm", 1),
        ("I -- I -- I", "I", 2),
        ("I- I- I went", "I went", 2),
        ("I- I- I- I", "I", 3),
        ("the- the dog- dogs", "the dogs", 2),
        ("time and time again", "time and time again", 0),
        ("no, no; had had; that that; 20 20; Right. Right. the then the the-ory", "no, no; had had; that that; 20 20; Right. Right. the then the the-ory", 0),
    ],
)  # fmt: skip
def test_repeats(before, after, count):
    assert without_repeats(before) == (after, count)


@pytest.mark.parametrize(
    ("before", "after", "count"),
    [
        ("[00:12:31] hi (12:31) you", "hi you", 2),
        ("00:12:31.200 --> 00:12:33.000 x", "x", 1),
        ("00:12:31.200 -->", "", 1),
        ("00:12:31 go", "go", 1),
        ("(00:08): Good. [0:01 - 0:05]: yes", "Good. yes", 2),
        ("meet at 12:31", "meet at 12:31", 0),
    ],
)  # fmt: skip
def test_timestamps(before, after, count):
    assert without_timestamps(before) == (after, count)


@pytest.mark.parametrize(
    ("before", "after", "count"),
    [
        ("(Applause.)", "", 1),
        ("Yes [crosstalk] no (Laughter), *laughs*", "Yes no,", 3),
        ("Go — (cheers, applause) — on.", "Go — on.", 1),
        ("[unintelligible 00:06:04]?", "", 1),
        ("[crosstalk 00:12:31.200] yes", "yes", 1),
        ("Welcome. [Operator Instructions] Go.", "Welcome. Go.", 1),
        ("<laughter> So ((laughs)) it {coughs} is", "So it is", 3),
        ("♪ (upbeat music) ♪", "", 1),
        ("♪ la la la ♪ Hello ♪", "Hello", 2),
        (">> Good. >> No.", "Good. No.", 2),
        ("(Ann Lee laughs) (loud applause) [music playing]", "", 3),
        ("(the pause clause) (a silence period) (the music industry) <b> x > y", "(the pause clause) (a silence period) (the music industry) <b> x > y", 0),
        ("so (the second one) [the applause was for him]", "so (the second one) [the applause was for him]", 0),
    ],
)  # fmt: skip
def test_noise(before, after, count):
    assert without_noise(before) == (after, count)


def test_speakers_get_one_form():
    john = ["MR. SMITH:", "Mr Smith", "JOHN SMITH (Counsel)", "John  Smith"]
    assert set(one_form(john).values()) == {"JOHN SMITH"}
    assert one_form(["MR. JONES", "Mrs. Jones"]) == {"MR. JONES": "MR JONES", "Mrs. Jones": "MRS JONES"}
    two = one_form(["ANN SMITH", "JOHN SMITH", "Smith"])
    assert two["Smith"] == "SMITH"  # which of them, nobody knows
    roberts = one_form(["CHIEF JUSTICE ROBERTS", "John G. Roberts, Jr."])
    assert set(roberts.values()) == {"JOHN G ROBERTS JR"}
    same = ["MR", "SPEAKER 1", "AUDIENCE MEMBER", "MEMBER", "MTURK_AGENT_1", "Ελένη"]
    assert list(one_form(same).values()) == [*same[:-1], "ΕΛΈΝΗ"]


def test_speakers_of_a_document_and_their_roles():
    before = transcript(("JOHN SMITH (Counsel)", "a"), ("Mr Smith", "b"), ("", "c"))
    other = transcript(("Smith", "a"), document="n")
    (found, apart), counted = clean([before, other], ["speakers"])
    assert [(turn.speaker, turn.role) for turn in found.turns] == [
        ("JOHN SMITH", "Counsel"),
        ("JOHN SMITH", ""),
        ("", ""),
    ]
    assert apart.turns[0].speaker == "SMITH"
    assert counted.counts == {"m": {"speakers": 2}, "n": {"speakers": 1}}


def test_no_speakers():
    (found,), counted = clean([transcript(("A", "x"), ("", "y"))], ["no_speakers"])
    assert found.speakers == [] and counted.total("no_speakers") == 1


def test_boilerplate_is_what_half_of_the_documents_share():
    notice = "This call may be recorded."
    documents = [
        transcript(
            ("", notice.upper() if i else notice), ("A", "Yes."), ("B", f"{i} of the others"), document=str(i)
        )
        for i in range(2)
    ]
    documents += [transcript(("A", "Yes."), document=str(i)) for i in (2, 3)]
    found, counted = clean(documents, ["boilerplate"])
    assert counted.total("boilerplate") == 2 and counted.dropped == {"0": 1, "1": 1, "2": 0, "3": 0}
    assert [turn.index for turn in found[0].turns] == [1, 2]
    alone, counted = clean(documents[:1], ["boilerplate"])
    assert alone == documents[:1] and counted.turns == 0


def test_boilerplate_that_the_user_gives():
    before = [transcript(("A", "one\nRecorded by X\ntwo"), ("B", "thank  YOU all"))]
    spec = {"step": "boilerplate", "texts": ["Thank you all"], "patterns": ["recorded by .*"]}
    (found,), counted = clean(before, [spec])
    assert [turn.text for turn in found.turns] == ["one\ntwo"] and counted.total("boilerplate") == 2


def test_steps_are_done_in_their_order_and_changes_are_told():
    before = transcript(("A", "(Applause.)"), ("B", "Um, the the cat."), ("C", "Fine."))
    done = []
    (after,), counted = clean([before], ["noise", "fillers", "repeats"], examples=1, watch=done.append)
    assert [(turn.index, turn.text) for turn in after.turns] == [(1, "The cat."), (2, "Fine.")]
    assert counted.counts == {"m": {"noise": 1, "fillers": 1, "repeats": 1}} and counted.dropped == {"m": 1}
    assert counted.turns == 2 and done == [3, 3, 3]
    (example,) = counted.examples
    assert (example.before, example.after, example.steps) == (before.turns[0], None, ("noise",))
    assert counted.to_dict()["total"] == {"noise": 1, "fillers": 1, "repeats": 1}


def test_nothing_is_cleaned_unless_asked():
    before = [transcript(("A", "Um, (Applause.) the the  cat"))]
    assert clean(before, [])[0] == before


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("filers", "steps: 'filers' is not one of fillers, repeats, timestamps, noise, speakers, no_speakers, boilerplate (did you mean 'fillers'?)"),
        ({"step": "fillers", "word": []}, "steps.fillers: 'word' is not one of words, file (did you mean 'words'?)"),
        ({"step": "repeats", "x": 1}, "steps.repeats: 'x': this step has no options"),
        ({"step": "fillers", "words": "um"}, "steps.fillers.words: expected a list of texts, found 'um'"),
        ({"step": "boilerplate", "share": 2}, "steps.boilerplate.share: expected a share of the documents"),
        ({"step": "boilerplate", "patterns": ["("]}, "steps.boilerplate: '(' is no regular expression: "),
    ],
)  # fmt: skip
def test_wrong_steps(spec, message):
    with pytest.raises(ConfigError) as caught:
        clean([], [spec])
    assert str(caught.value).startswith(message)


def test_every_step_is_explained():
    assert all(step.__doc__ for step in STEPS.values())


CALL = [("Tim Cook - CEO", "Welcome."), ("Audience Question", "How much?"), ("Cook", "Ten."), ("Unidentified Analyst", "Why?"), ("Operator", "Next."), ("Kim Poe, CFO", "Yes."), ("Lee Moss -- Acme Bank -- Analyst", "So?")]  # fmt: skip


def speakers_of(spec, *said, document="m"):
    (found,), _ = clean([transcript(*said, document=document)], [spec])
    return [(turn.speaker, turn.role) for turn in found.turns]


def test_titles_after_a_name_become_the_role():
    assert speakers_of("speakers", *CALL) == [
        ("TIM COOK", "CEO"),
        ("AUDIENCE QUESTION", ""),
        ("TIM COOK", ""),
        ("UNIDENTIFIED ANALYST", ""),
        ("OPERATOR", ""),
        ("KIM POE", "CFO"),
        ("LEE MOSS", "Analyst"),
    ]
    powell = one_form(["Chairman Powell", "Jerome Powell", "CHAIRMAN", "Jean-Luc Picard", "Anne - Marie"])
    assert powell["Chairman Powell"] == powell["Jerome Powell"] == "JEROME POWELL"
    assert powell["CHAIRMAN"] == "CHAIRMAN" and powell["Jean-Luc Picard"] == "JEAN-LUC PICARD"


def test_speakers_by_their_role():
    named = [name for name, _ in speakers_of({"step": "speakers", "by": "role"}, *CALL)]
    assert named == ["CEO", "Audience Q", "CEO", "Audience Q", "Operator", "CFO", "Audience Q"]
    assert [name for name, _ in speakers_of({"step": "speakers", "by": "role"}, ("Ann", "x"))] == ["ANN"]


def test_speakers_by_a_map_and_a_sheet(tmp_path):
    spec = {"step": "speakers", "map": {"tim cook": "CEO", "Audience Question": "Audience Q"}}
    assert [name for name, _ in speakers_of(spec, *CALL[:3])] == ["CEO", "Audience Q", "CEO"]
    sheet = tmp_path / "who.csv"
    sheet.write_text(
        "speaker,name,role,document\nann,Ann Lee,Chief Financial Officer,m\nBo,,guest,\nCy,Cy Roe,,other\n"
    )
    spec = {"step": "speakers", "file": sheet}
    said = [("Ann", "x"), ("Bo", "y"), ("Cy", "z")]
    assert speakers_of(spec, *said) == [("Ann Lee", "Chief Financial Officer"), ("BO", "guest"), ("CY", "")]
    assert speakers_of(spec, ("Cy", "z"), document="other") == [("Cy Roe", "")]
    sheet.write_text("speaker,role\nann,Chief Financial Officer\n")
    assert speakers_of({**spec, "by": "role"}, ("Ann", "x")) == [("CFO", "Chief Financial Officer")]
    lines = tmp_path / "who.txt"
    lines.write_text("# mine\nAnn = Ann Lee\n\nMr. Bo = Bo Tan  # him\n")
    assert speakers_of({"step": "speakers", "file": lines}, *said[:2]) == [("Ann Lee", ""), ("Bo Tan", "")]
    lines.write_text("Ann Lee\n")
    with pytest.raises(DataError, match=r"who\.txt:1: 'Ann Lee' should be <label> = <name>"):
        speakers_of({"step": "speakers", "file": lines}, *said)
    sheet.write_text("speaker,age\nann,3\n")
    with pytest.raises(DataError, match="has neither a column name nor role among speaker, age"):
        speakers_of(spec, *said)


def test_near_names_are_proposed_and_never_joined():
    before = transcript(("Jon Smith", "a"), ("John Smith", "b"), ("Ann De la Cruz", "c"), ("Ann Delacruz", "d"), ("J. Smith", "e"), ("Speaker 1", "f"), ("Speaker 2", "g"), ("Bo", "h"), ("Bob", "i"))  # fmt: skip
    pairs = near_names([before])
    assert ("Jon Smith", "John Smith") in pairs and ("Ann De la Cruz", "Ann Delacruz") in pairs
    assert ("John Smith", "J. Smith") in pairs and len(pairs) == 4
    (found,), _ = clean([before], ["speakers"])
    assert {"JON SMITH", "JOHN SMITH", "J SMITH"} <= set(found.speakers)
    assert note(pairs).startswith(
        "perhaps one speaker each: 'Jon Smith' and 'John Smith', "
    ) and "1 more" in note(pairs)
    assert note([]) == "" and near_names([transcript(("Ann", "x"), ("Bo", "y"))]) == []
