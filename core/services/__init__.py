"""Use cases: one module per feature, a frozen bundle of the ports it needs. They share the domain, not each other."""

from dataclasses import dataclass

from core.services.accounts import Accounts
from core.services.captions import Captions
from core.services.communities import Communities
from core.services.conversations import Conversations
from core.services.datasets import Datasets
from core.services.deliveries import Deliveries
from core.services.disputes import Disputes
from core.services.downloads import Downloads
from core.services.drafts import Drafts
from core.services.earnings import Earnings
from core.services.generations import Generations
from core.services.inboxes import Inboxes
from core.services.jobs import Jobs
from core.services.links import Links
from core.services.models import Models
from core.services.moderation import Moderation
from core.services.operations import Operations
from core.services.payouts import Payouts
from core.services.trainings import Trainings
from core.services.uploads import Uploads
from core.services.vouchers import Vouchers
from core.services.wallets import Wallets


@dataclass(frozen=True, kw_only=True)
class Services:
    """All use cases: what faces and workers are given."""

    accounts: Accounts
    captions: Captions
    communities: Communities
    conversations: Conversations
    datasets: Datasets
    deliveries: Deliveries
    disputes: Disputes
    downloads: Downloads
    drafts: Drafts
    earnings: Earnings
    generations: Generations
    inboxes: Inboxes
    jobs: Jobs
    links: Links
    models: Models
    moderation: Moderation
    operations: Operations
    payouts: Payouts
    trainings: Trainings
    uploads: Uploads
    vouchers: Vouchers
    wallets: Wallets
