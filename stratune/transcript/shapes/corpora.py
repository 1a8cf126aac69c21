"""Corpora and chats: messages, QMSum, MediaSum, SAMSum, earnings calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stratune.transcript.label import split_label
from stratune.transcript.plain import parse_plain
from stratune.transcript.records import speaker_name, word
from stratune.transcript.shapes.said import Said, any_has, at, first_of, rows, since_first, texts, time

SECTIONS = {"prepared_remarks": "Prepared Remarks", "q_and_a": "Questions and Answers"}
SECTIONS |= {"questions_and_answers": SECTIONS["q_and_a"], "qa": SECTIONS["q_and_a"]}


def is_messages(value: Any) -> bool:
    alone = any_has(value, "role", "content")
    return alone or any_has(at(value, "messages"), "content") or any_has(at(value, "conversations"), "value")


def messages(value: Any) -> Iterator[Said]:
    """Chats of language models: {"messages": [{"role", "content"}]}, {"conversations": [{"from", ...}]}."""
    for one in rows(value if isinstance(value, list) else first_of(value, "messages", "conversations")):
        role = word(first_of(one, "role", "from"))
        text = "\n".join(texts(first_of(one, "content", "value")))
        yield Said(text, word(one.get("name")) or role, time(one.get("timestamp")), role=role)


def is_slack(value: Any) -> bool:
    return any_has(value, "ts", "text", "user")


def slack(value: Any) -> list[Said]:
    """Messages of a channel: seconds since 1970."""
    return since_first(_slack(value))


def _slack(value: Any) -> Iterator[Said]:
    for one in rows(value):
        profile = at(one, "user_profile")
        name = first_of(profile, "display_name", "real_name", "name") if isinstance(profile, dict) else None
        yield Said(word(one.get("text")), word(name) or word(one.get("user")), time(one.get("ts")))


def is_qmsum(value: Any) -> bool:
    return any_has(at(value, "meeting_transcripts"), "content")


def qmsum(value: Any) -> Iterator[Said]:
    for one in rows(value["meeting_transcripts"]):
        yield Said(word(one.get("content")), speaker_name(one.get("speaker")))


def is_mediasum(value: Any) -> bool:
    """Two lists side by side."""
    utterances, speakers = at(value, "utt"), at(value, "speaker")
    both = isinstance(utterances, list) and isinstance(speakers, list)
    return both and len(utterances) == len(speakers) > 0


def mediasum(value: Any) -> Iterator[Said]:
    for text, speaker in zip(value["utt"], value["speaker"], strict=True):
        yield Said(word(text), speaker_name(speaker))


def is_earnings_call(value: Any) -> bool:
    return any(any_has(at(value, key), "speech") for key in SECTIONS)


def earnings_call(value: Any) -> Iterator[Said]:
    """Sections of remarks and of questions. Titles are those of the participants ("Dana Reed--CEO")."""
    titles = dict(_titles(at(value, "participants")))
    for key, section in SECTIONS.items():
        for one in rows(at(value, key)):
            who = speaker_name(one.get("speaker"))
            text = one.get("speech")
            said = " ".join(word(part) for part in text) if isinstance(text, list) else word(text)
            yield Said(said, who, role=titles.get(who, ""), section=section)


def _titles(value: Any) -> Iterator[tuple[str, str]]:
    for one in value if isinstance(value, list) else []:
        name, mark, title = word(one).partition("--")
        if mark:
            yield name.strip(), title.rpartition("--")[2].strip()


def is_dialogue(value: Any) -> bool:
    """SAMSum, DialogSum: one text with `Name: ` in two lines or more."""
    text = first_of(value, "dialogue", "dialog", "conversation") if isinstance(value, dict) else None
    if not isinstance(text, str) or "text" in value:
        return False
    return sum(split_label(line) is not None for line in text.splitlines()[:200]) > 1


def dialogue(value: Any) -> Iterator[Said]:
    text = word(first_of(value, "dialogue", "dialog", "conversation"))
    for turn in parse_plain(text.splitlines(), "").turns:
        yield Said(turn.text, turn.speaker, turn.start)


def is_pairs(value: Any) -> bool:
    """[["Ann", "Hello."], ...], alone or as the value of a conversation."""
    return bool(_pairs(value))


def _pairs(value: Any) -> list[Any]:
    held = value
    if isinstance(value, dict):
        held = first_of(value, "original", "transcript", "dialogue", "conversation", "turns")
    if not isinstance(held, list) or not held:
        return []
    fits = all(isinstance(one, list) and len(one) == 2 and isinstance(one[1], str) for one in held[:50])
    return held if fits and all(isinstance(one[0], str) for one in held[:50]) else []


def pairs(value: Any) -> Iterator[Said]:
    for one in _pairs(value):
        if isinstance(one, list) and len(one) == 2:
            yield Said(word(one[1]), word(one[0]))
