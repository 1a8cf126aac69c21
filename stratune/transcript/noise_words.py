"""The English words of stage notes: (Applause.), [music playing], [Operator Instructions]."""

from __future__ import annotations

NOISE = frozenset(
    ["applauding", "applause", "audio", "background", "bell", "boo", "booing", "boos", "chanting"]
    + ["chants", "cheering", "cheers", "chuckle", "chuckles", "clapping", "claps", "cough", "coughing"]
    + ["coughs", "crosstalk", "gasps", "gavel", "giggles", "groans", "inaudible", "jeers", "indiscernible"]
    + ["laugh", "laughing", "laughs", "laughter", "music", "noise", "overlapping", "pause", "pauses"]
    + ["sighs", "silence", "singing", "sniffs", "sobs", "static", "unclear", "unintelligible", "whistles"]
)

# What may stand beside a word of noise: (loud applause), [music playing], (audience laughs). In a note with
# any other word somebody speaks: "(the pause clause)".
BESIDE = frozenset(
    ["again", "all", "and", "audible", "audience", "background", "begins", "big", "brief", "briefly"]
    + ["burst", "continue", "continued", "continues", "continuing", "crowd", "door", "dramatic", "ends"]
    + ["everyone", "fades", "foreign", "from", "general", "heavy", "in", "inaudible", "indistinct"]
    + ["intro", "light", "long", "loud", "loudly", "man", "men", "mic", "mild", "more", "multiple"]
    + ["nervous", "nervously", "of", "off", "out", "outro", "over", "panel", "people", "phone", "playing"]
    + ["plays", "quiet", "quietly", "rings", "scattered", "several", "short", "simultaneous", "slight"]
    + ["soft", "softly", "some", "sound", "speaker", "speakers", "starts", "stops", "sustained"]
    + ["talking", "theme", "upbeat", "voices", "wild", "with", "woman", "women"]
)

# Notes without a word of noise.
PHRASES = frozenset(
    ["audio cuts out", "audio gap", "background conversation", "foreign language", "indistinct chatter"]
    + ["multiple speakers", "no audible response", "no response", "off mic", "off microphone", "off mike"]
    + ["operator instruction", "operator instructions", "ph", "phonetic", "sic", "simultaneous speech"]
    + ["speaking foreign language", "speaking off mic", "speaks foreign language"]
    + ["technical difficulties", "technical difficulty"]
)
