"""Use cases: one module per feature, a frozen bundle of the ports it needs. They share the domain, not each other."""

from dataclasses import dataclass

from core.services.accounts import Accounts
from core.services.captions import Captions
from core.services.conversations import Conversations
from core.services.datasets import Datasets
from core.services.generations import Generations
from core.services.jobs import Jobs
from core.services.models import Models
from core.services.trainings import Trainings
from core.services.wallets import Wallets


@dataclass(frozen=True, kw_only=True)
class Services:
    """All use cases: what faces and workers are given."""

    accounts: Accounts
    captions: Captions
    conversations: Conversations
    datasets: Datasets
    generations: Generations
    jobs: Jobs
    models: Models
    trainings: Trainings
    wallets: Wallets
