"""Consent: what an uploader attests, in which words, and when."""

from datetime import datetime

from core.domain.value import Value

WORDS = {
    "rights-1": (
        "I may use these files for training, I have the consent of everyone depicted in them, "
        "and nobody depicted is a minor."
    ),
    "adult-1": "Whoever is depicted as this character is of age and has consented to adult pictures.",
    "grown-1": "I have verified that this person is of age.",
}
"""The words that somebody may attest to, by version: never changed, only added to."""
RIGHTS, ADULT, GROWN = "rights-1", "adult-1", "grown-1"  # the versions that are asked for now


class Attestation(Value):
    """Somebody has attested to words of `WORDS`, by their version."""

    by: str
    at: datetime
    words: str
