"""Use cases: one module per feature, a frozen bundle of the ports it needs. They share the domain, not each other."""

from dataclasses import dataclass

from core.services.accounts import Accounts
from core.services.captionings import Captionings
from core.services.captions import Captions
from core.services.censuses import Censuses
from core.services.characters import Characters
from core.services.communities import Communities
from core.services.connections import Connections
from core.services.consents import Consents
from core.services.conversations import Conversations
from core.services.costs import Costs
from core.services.datasets import Datasets
from core.services.deliveries import Deliveries
from core.services.disputes import Disputes
from core.services.downloads import Downloads
from core.services.drafts import Drafts
from core.services.earnings import Earnings
from core.services.exports import Exports
from core.services.forgettings import Forgettings
from core.services.generations import Generations
from core.services.inboxes import Inboxes
from core.services.intakes import Intakes
from core.services.items import Items
from core.services.jobs import Jobs
from core.services.lineages import Lineages
from core.services.links import Links
from core.services.mendings import Mendings
from core.services.models import Models
from core.services.moderation import Moderation
from core.services.notices import Notices
from core.services.operations import Operations
from core.services.payouts import Payouts
from core.services.publications import Publications
from core.services.purges import Purges
from core.services.replays import Replays
from core.services.reports import Reports
from core.services.retries import Retries
from core.services.reviews import Reviews
from core.services.runs import Runs
from core.services.sessions import Sessions
from core.services.sharings import Sharings
from core.services.steerings import Steerings
from core.services.tokens import Tokens
from core.services.trainings import Trainings
from core.services.uploads import Uploads
from core.services.vouchers import Vouchers
from core.services.wallets import Wallets
from core.services.watches import Watches
from core.services.webhooks import Webhooks


@dataclass(frozen=True, kw_only=True)
class Services:
    """All use cases: what faces and workers are given."""

    accounts: Accounts
    captionings: Captionings
    captions: Captions
    censuses: Censuses
    characters: Characters
    communities: Communities
    connections: Connections
    consents: Consents
    conversations: Conversations
    costs: Costs
    datasets: Datasets
    deliveries: Deliveries
    disputes: Disputes
    downloads: Downloads
    drafts: Drafts
    earnings: Earnings
    exports: Exports
    forgettings: Forgettings
    generations: Generations
    inboxes: Inboxes
    intakes: Intakes
    items: Items
    jobs: Jobs
    lineages: Lineages
    links: Links
    mendings: Mendings
    models: Models
    moderation: Moderation
    notices: Notices
    operations: Operations
    payouts: Payouts
    publications: Publications
    purges: Purges
    replays: Replays
    reports: Reports
    retries: Retries
    reviews: Reviews
    runs: Runs
    sessions: Sessions
    sharings: Sharings
    steerings: Steerings
    tokens: Tokens
    trainings: Trainings
    uploads: Uploads
    vouchers: Vouchers
    wallets: Wallets
    watches: Watches
    webhooks: Webhooks
