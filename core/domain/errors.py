"""Everything that can go wrong by somebody's wish, in words: the tree of errors, each with a stable code.

DomainError
├── Invalid       what was given cannot be understood           (REST 400)
├── Missing       there is no such thing, or not for this actor (REST 404)
├── Forbidden     the actor may not do this at all              (REST 403)
├── Refused       understood and allowed, but not now           (REST 422)
├── Conflict      somebody else was faster                      (REST 409)
└── Unavailable   a part of the house is down                   (REST 503)

A leaf's fields are its typed details; its template puts them into words that say what to do next.
"""

from dataclasses import dataclass
from typing import ClassVar, dataclass_transform


@dataclass_transform(kw_only_default=True)
class DomainError(Exception):
    """The root: a stable code, a message template and the details that fill it.

    The words of a personal one are nobody else's business, wherever it happened.
    """

    code: ClassVar[str]
    template: ClassVar[str]
    personal: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        """Make every class of the tree a keyword-only dataclass of its details."""
        dataclass(kw_only=True, eq=False, repr=False)(cls)

    def __str__(self) -> str:
        return self.template.format(**vars(self))


class Invalid(DomainError):
    """What was given cannot be understood."""


class Missing(DomainError):
    """There is no such thing, or not for this actor: the two are never told apart."""


class Forbidden(DomainError):
    """The actor's role does not allow this."""


class Refused(DomainError):
    """Understood and allowed, but not in this state."""


class Conflict(DomainError):
    """Another request was faster, or the same key came with other content."""


class Unavailable(DomainError):
    """A part of the house does not answer."""


class BadValue(Invalid):
    """A single value does not fit."""

    code = "bad_value"
    template = "«{value:.100}» is not a valid {what}: {why}."
    what: str
    value: str
    why: str


class BadTrigger(Invalid):
    """A trigger word that could not be told from ordinary words."""

    code = "bad_trigger"
    template = "«{word:.100}» cannot be a trigger word: {why}. Try something like «{suggestion}»."
    word: str
    why: str
    suggestion: str


class OutOfBounds(Invalid):
    """A hyper-parameter outside what the offering allows."""

    code = "out_of_bounds"
    template = "{name}={value} is out of bounds: {offering} takes {low} to {high}."
    name: str
    value: str
    offering: str
    low: str
    high: str


class UnknownParameter(Invalid):
    """An override that the offering does not let anyone set."""

    code = "unknown_parameter"
    template = "{offering} has no setting «{name}». It has: {known}."
    name: str
    offering: str
    known: str


class NotFound(Missing):
    """Nothing of that name that this actor may see."""

    code = "not_found"
    template = "There is no {noun} «{name:.100}». {hint}"
    noun: str
    name: str
    hint: str


class Ambiguous(Invalid):
    """A prefix that several things share."""

    code = "ambiguous"
    template = "«{name:.100}» could be {candidates}. Say which {noun} you mean."
    noun: str
    name: str
    candidates: str


class NotAllowed(Forbidden):
    """A command above the actor's role."""

    code = "not_allowed"
    template = "Only {role}s can do this."
    role: str


class Banned(Forbidden):
    """Somebody who may do nothing here any more."""

    code = "banned"
    template = "You cannot use this bot: {why}. Ask an admin if you think that this is wrong."
    why: str


class NotSignedIn(Forbidden):
    """A request of nobody in particular."""

    code = "not_signed_in"
    template = "Sign in first: say `login` to the bot. Programs show a token: `Authorization: Bearer lg_…`."


class TokenTooNarrow(Forbidden):
    """Something that a token was not issued for."""

    code = "token_too_narrow"
    template = "This token was not issued for that: it needs the scope «{scope}». Issue one that has it."
    scope: str


class SessionNeeded(Forbidden):
    """Something that opens more than a token does: only a person who is signed in may have it."""

    code = "session_needed"
    template = "A token cannot do this. Sign in with a browser, and do it there."


class CsrfExpired(Forbidden):
    """A form or a click whose proof that it comes from our own page is missing or too old."""

    code = "csrf_expired"
    template = "This page was open for too long. Nothing is lost: send it again."


class CrossSite(Forbidden):
    """A request that another site has made somebody's browser send."""

    code = "cross_site"
    template = "Another site has sent this, so it was not done. Do it on our own page."


class NotThem(Forbidden):
    """Something that even an admin may not do to this person."""

    code = "not_them"
    template = "This cannot be done to {name}: {why}."
    name: str
    why: str


class BadLink(Forbidden):
    """A signed link that this house has not made."""

    code = "bad_link"
    template = "This link is not valid. Ask the bot for a new one."


class NotHere(Forbidden):
    """Something that this chat does not let anyone do."""

    code = "not_here"
    template = "{what} is not possible here: {why}"
    what: str
    why: str


class TooOften(Refused):
    """More than one account may do in so short a time."""

    code = "too_often"
    template = "That was often enough for now. Try again in {seconds} s."
    seconds: int


class TooManyStreams(Refused):
    """More live views than one person may have open."""

    code = "too_many_streams"
    template = "You have {most} live views open. Close one that you do not look at."
    most: int


class CodeGone(Refused):
    """A link code that nobody issued, or that was used, or whose time is over."""

    code = "code_gone"
    template = "This code is not valid (any more). Get a new one with `link` on the other side; it lasts 10 minutes."


class SignInGone(Refused):
    """A code or link to sign in that nobody issued, or that was used, or whose time is over."""

    code = "sign_in_gone"
    template = "This is not valid (any more): each code and link works once, for 10 minutes. Say `login` to the bot."


class SignInFailed(Refused):
    """A sign-in through another platform that came to nothing."""

    code = "sign_in_failed"
    template = "{platform} did not let you in here: {why}. Try again, or say `login` to the bot."
    platform: str
    why: str


class SignInDown(Unavailable):
    """A platform that people sign in with, and that does not answer."""

    code = "sign_in_down"
    template = "{platform} does not answer now. Try again later, or say `login` to the bot."
    platform: str


class SignInOff(Missing):
    """A way to sign in that this house does not have."""

    code = "sign_in_off"
    template = "Nobody signs in with {platform} here. Say `login` to the bot."
    platform: str


class TooManyTokens(Refused):
    """More tokens than one person may have."""

    code = "too_many_tokens"
    template = "You have {most} tokens. Revoke one that you do not use."
    most: int


class TooManyWebhooks(Refused):
    """More webhooks than one person may have."""

    code = "too_many_webhooks"
    template = "You have {most} webhooks. Delete one that you do not need."
    most: int


class CannotMerge(Refused):
    """Two accounts that cannot become one as they are."""

    code = "cannot_merge"
    template = "These two accounts cannot be joined yet: {why}"
    why: str


class UploadClosed(Refused):
    """An upload session after its end."""

    code = "upload_closed"
    template = "This upload is over. Ask the bot for a new link: `dataset upload NAME`."


class TooManyUploads(Refused):
    """More upload sessions than one person may have open."""

    code = "too_many_uploads"
    template = (
        "You have {most} upload links open already. Finish one of them, or wait: a link that nobody uses is over "
        "after an hour."
    )
    most: int


class UploadFull(Invalid):
    """A file that would fit, but not together with those that came before."""

    code = "upload_full"
    template = "With «{name}» this link would hold more than {limit} MB. Finish here, and ask the bot for another link."
    name: str
    limit: int


class UploadChanged(Conflict):
    """Files that came or went while an upload was being finished."""

    code = "upload_changed"
    template = "The files of this upload were changing meanwhile. Finish it once more."


class UploadsBusy(Unavailable):
    """More uploads at a time than the house carries, or one person's share of it."""

    code = "uploads_busy"
    template = "{most} uploads of {whose} are under way, the most at a time. Nothing is lost; go on in a few seconds."
    most: int
    whose: str


class WrongOffset(Conflict):
    """A piece that does not start where the file ends so far."""

    code = "wrong_offset"
    template = "The file has {offset} bytes here. Go on from there."
    offset: int


class WrongHash(Invalid):
    """A file that was changed on its way."""

    code = "wrong_hash"
    template = "«{name}» did not arrive as it was sent (its sha256 differs). Send it again."
    name: str


class LinkExpired(Refused):
    """A signed link after its time, or to a file that is gone."""

    code = "link_expired"
    template = "This link is over. Ask the bot for the file again: it gives you a new one."


class ConsoleNotTrusted(Forbidden):
    """The console would let anyone be anyone on a shared database."""

    code = "console_not_trusted"
    template = (
        "The console can speak as any console user, so on a shared MongoDB it is off. "
        "Set CONSOLE_TRUSTED=true if everyone with this configuration may do that."
    )


class NotEnoughPoints(Refused):
    """The wallet does not cover the price."""

    code = "not_enough_points"
    personal = True
    template = (
        "This costs {price} and you have {balance}: {missing} missing. "
        "Points refill every day (see `wallet`); for qoints ask an admin, or `redeem` a code."
    )
    price: int
    balance: int
    missing: int


class QueueFull(Refused):
    """More jobs than one person may have waiting."""

    code = "queue_full"
    template = "You have {most} jobs waiting already. Wait until some are done, or cancel one: see `train list`."
    most: int


class Overdrawn(Conflict):
    """A posting would have taken a person's balance below zero."""

    code = "overdrawn"
    template = "The balance of {account} changed meanwhile. Try again."
    account: str


class KeyReused(Conflict):
    """The same idempotency key with other content."""

    code = "key_reused"
    template = "The key «{key}» was already used for something else. Start again with a new request."
    key: str


class KeyInUse(Conflict):
    """An idempotency key whose first request has not been answered yet."""

    code = "key_in_use"
    template = "A request with the key «{key}» is still under way. Ask again in a moment."
    key: str


class KeyMissing(Invalid):
    """A request that must not happen twice by accident, and says nothing that would prevent it."""

    code = "key_missing"
    template = "This needs the header Idempotency-Key: 1 to {most} printable characters, new for every new wish."
    most: int


class Malformed(Invalid):
    """A request whose parts do not fit; `faults` are where and why, the first of them in words."""

    code = "malformed"
    template = "{where}: {why}."
    where: str
    why: str
    faults: tuple[tuple[str, str], ...] = ()


class NameTaken(Conflict):
    """One owner, one name, one thing."""

    code = "name_taken"
    template = "You already have a {noun} «{name}». Choose another name, or delete that one first."
    noun: str
    name: str


class DatasetEmpty(Refused):
    """Nothing to train on."""

    code = "dataset_empty"
    template = "Dataset «{name}» has no pictures yet. Add some: `dataset add {name} FILES…`."
    name: str


class DatasetNotReady(Refused):
    """The doctor has not passed the dataset, or has found something that blocks."""

    code = "dataset_not_ready"
    template = "Dataset «{name}» is {status}. {todo}"
    name: str
    status: str
    todo: str


class DatasetUnfit(Refused):
    """The dataset does not meet the needs of the offering."""

    code = "dataset_unfit"
    template = "{offering} needs {need}; «{name}» has {has}."
    offering: str
    name: str
    need: str
    has: str


class QuoteExpired(Refused):
    """A price that is no longer promised."""

    code = "quote_expired"
    template = "This quote has expired. Ask for a new one with `train order`."


class ConsentWithdrawn(Refused):
    """A dataset whose consent was taken back."""

    code = "consent_withdrawn"
    template = "The consent for «{name}» was withdrawn. It cannot be used until that is given again."
    name: str


class NotAttested(Refused):
    """A first training without a word on rights and consent."""

    code = "not_attested"
    template = "Before «{name}» is trained on, attest with `dataset consent`: «{words}»"
    name: str
    words: str


class Suspended(Refused):
    """Something that was reported: it waits for a moderator, or one has decided against it."""

    code = "suspended"
    template = "{what} was reported and is suspended. Only a moderator can free it."
    what: str


class NotAdult(Refused):
    """Adult pictures asked for by somebody whom no moderator has verified."""

    code = "not_adult"
    template = "Anything for adults takes a verified account. Ask a moderator to verify yours: `moderation adult`."


class MinorsGuarded(Refused):
    """Words of young age where adult pictures are concerned."""

    code = "minors_guarded"
    template = "«{word}» cannot stand here: nothing for adults is made of anybody who may be a minor."
    word: str


class CannotForget(Refused):
    """Somebody whom the house cannot let go of yet."""

    code = "cannot_forget"
    template = "You cannot be forgotten yet: {why}"
    why: str


class QuotaFull(Refused):
    """More than one person may store."""

    code = "quota_full"
    template = (
        "That does not fit: of {megabytes} MB and {items} items that you may store, {used_megabytes} MB and "
        "{used_items} items are used or on their way. Make room (`dataset delete`, then `dataset purge`), or send less."
    )
    megabytes: int
    items: int
    used_megabytes: int
    used_items: int


class KindsMixed(Refused):
    """Pictures for a dataset of conversations, or the other way round."""

    code = "kinds_mixed"
    template = "Dataset «{name}» holds {kind}: {other} need a dataset of their own. Make one with `dataset new`."
    name: str
    kind: str
    other: str


class CharacterInactive(Refused):
    """A new dataset of a character that its owner has put aside."""

    code = "character_inactive"
    template = "The character «{name}» is not active. Take it up again first: `character edit {name} active=yes`."
    name: str


class CharacterNotAdult(Refused):
    """Adult pictures of a character whom nobody has attested to be of age."""

    code = "character_not_adult"
    template = "Before anything for adults is made of «{name}», attest with `character adult '{name}'`: «{words}»"
    name: str
    words: str


class ProviderNotAllowed(Refused):
    """Pictures that would go to a third party without their owner's word."""

    code = "provider_not_allowed"
    template = "The pictures of «{name}» would be sent to {provider}: {why}"
    name: str
    provider: str
    why: str


class ConnectingOver(Refused):
    """A connection to a cloud that was not made, and cannot be made by this link any more."""

    code = "connecting_over"
    template = (
        "Nothing was connected. A link to connect is good for 10 minutes and one use: `connect dropbox` gives another."
    )


class AlreadyConnected(Refused):
    """A second connection to the same cloud."""

    code = "already_connected"
    template = "You are connected with the Dropbox of {name} already. `connect forget` ends that."
    name: str


class NotConnected(Refused):
    """A folder that nobody has opened to us."""

    code = "not_connected"
    template = "You have not connected your Dropbox. `connect dropbox` does."


class CloudRevoked(Refused):
    """A token that is no longer good."""

    code = "cloud_revoked"
    template = "Dropbox does not let us in any more: the permission was taken back. `connect dropbox` gives it again."


class CloudFull(Refused):
    """A cloud folder without room."""

    code = "cloud_full"
    template = "Your Dropbox has no room for it. Make some, and export again."


class CloudNotSetUp(Refused):
    """A house whose operator has set up no app for exports to a cloud, or none that works."""

    code = "cloud_not_set_up"
    template = "Exports to Dropbox are not set up here: {why}. An operator has to look at DROPBOX_APP_KEY."
    why: str


class CloudUnavailable(Unavailable):
    """A cloud that does not answer, or takes no more for now."""

    code = "cloud_unavailable"
    template = "Dropbox does not take it now ({why}). Try again later."
    why: str


class RatingKept(Refused):
    """Pictures for adults that would become pictures for everyone."""

    code = "rating_kept"
    template = (
        "«{name}» holds pictures for adults, so it stays nsfw. "
        "What is for everyone goes into a dataset of its own: make one with `dataset new`."
    )
    name: str


class NotReviewed(Refused):
    """Adult pictures that no moderator has approved yet, or that one has rejected."""

    code = "not_reviewed"
    template = "Dataset «{name}» is for adults, and {why}."
    name: str
    why: str


class QueuePaused(Refused):
    """Something that operators have turned off for a while."""

    code = "paused"
    template = "{what} is paused. Nothing is lost; try again later."
    what: str


class Outdated(Conflict):
    """A decision about something that is no longer as it was seen."""

    code = "outdated"
    template = "{what} has changed since you saw it. Look again before you decide."
    what: str


class NotAsSeen(Conflict):
    """An edit of something that has changed since it was fetched."""

    code = "not_as_seen"
    template = "It has changed since you fetched it. Fetch it again, and decide anew."


class EditedMeanwhile(Conflict):
    """An edit of something that was edited elsewhere since its form was shown."""

    code = "edited_meanwhile"
    template = (
        "This was edited elsewhere meanwhile, and nothing is saved yet: {changes}. "
        "What you typed is still here; save once more to have it so nevertheless."
    )
    changes: str


class JobEnded(Refused):
    """Terminal is terminal."""

    code = "job_ended"
    template = "Job {job} has already {state}."
    job: str
    state: str


class NotSteerable(Refused):
    """A job that cannot be told anything, or not this."""

    code = "not_steerable"
    template = "This cannot be done: {why}."
    why: str


class LeaseLost(Conflict):
    """The report of a stale attempt: another worker has the job, or it ended."""

    code = "lease_lost"
    template = "The lease on job {job} is lost; discard this attempt."
    job: str


class NoTrigger(Refused):
    """A prompt that calls no model."""

    code = "no_trigger"
    template = "No trigger word in this prompt calls a model that you can use. {hint}"
    hint: str


class PromptUnclear(Refused):
    """A word that several models answer to with equal right; `faults` are their names with the words for each."""

    code = "prompt_unclear"
    template = "«{said:.100}» calls several models: {candidates}. Put one of these names in its place."
    said: str
    candidates: str
    faults: tuple[tuple[str, str], ...] = ()


class NotPublished(Refused):
    """A state that the wished change does not start from."""

    code = "model_state"
    template = "Model «{name}» is already {state}."
    name: str
    state: str


class WrongFamily(Refused):
    """A model that does not fit the base model of the others."""

    code = "wrong_family"
    template = "{name} is made for {family}, and this picture is drawn with {wanted}. Use one kind at a time."
    name: str
    family: str
    wanted: str


class ModelUnfit(Refused):
    """A model that a training cannot go on from."""

    code = "model_unfit"
    template = "{offering} cannot continue from {name}: {why}."
    offering: str
    name: str
    why: str


class VoucherGone(Refused):
    """A code that nobody issued, or that was redeemed, or whose time is over."""

    code = "voucher_gone"
    template = "This code is not valid (any more). Check each letter; it can be redeemed once, until its date."


class NotEnoughEarned(Refused):
    """More than somebody has earned and may take."""

    code = "not_enough_earned"
    personal = True
    template = "You have {available} earned that you can use now, and {wished} is {why}. See `earnings`."
    available: int
    wished: int
    why: str


class PayoutFrozen(Refused):
    """Money that stays where it is for a while, since the account has just taken over another."""

    code = "payout_frozen"
    template = "Payouts of this account are frozen until {until}, since it was just linked with another."
    until: str


class PayoutMoved(Refused):
    """A payout that is not in the state which the wished step starts from."""

    code = "payout_state"
    template = "Payout {payout} is {state}; this takes one that is {needed}."
    payout: str
    state: str
    needed: str


class FourEyes(Refused):
    """A step that takes a second admin."""

    code = "four_eyes"
    template = "Somebody else has to do this: {why}."
    why: str


class DisputeClosed(Refused):
    """A complaint that was answered, or that there is nothing to pay back for."""

    code = "dispute_closed"
    template = "There is nothing to dispute: {why}."
    why: str


class OfferingClosed(Refused):
    """An offering that names a base model which no setting provides."""

    code = "offering_closed"
    template = "{offering} is not on offer here: {why}."
    offering: str
    why: str


class NothingToDo(Refused):
    """A job that would find no work."""

    code = "nothing_to_do"
    template = "{why}"
    why: str


class FileUnreadable(Invalid):
    """A local file that cannot be opened."""

    code = "file_unreadable"
    template = "Cannot read «{name}»: {why}."
    name: str
    why: str


class LinkRefused(Invalid):
    """A link that nothing is fetched from."""

    code = "link_refused"
    template = "Nothing was fetched from {link}: {why}."
    link: str
    why: str


class FileTooLarge(Invalid):
    """More bytes than one upload may have."""

    code = "file_too_large"
    template = "«{name}» is larger than {limit} MB. Split it into several files."
    name: str
    limit: int


class EpochGone(Refused):
    """An epoch that nobody chose in time."""

    code = "epoch_gone"
    template = "The file of epoch {name} is gone: it was not chosen in time. Choose one that is kept, or train again."
    name: str


class BlobGone(Conflict):
    """A stored file was being swept while somebody wanted to refer to it."""

    code = "blob_gone"
    template = "The stored file {sha256} was just removed. Upload it again."
    sha256: str


class ActionGone(Refused):
    """A button after its time."""

    code = "action_gone"
    template = "This button has expired. Run the command again."


class FormGone(Refused):
    """A form after its time."""

    code = "form_gone"
    template = "This form has expired, and what was in it was not taken. Run the command again."


class MenuChanged(Refused):
    """A command that a chat still shows, but that is not there any more."""

    code = "menu_changed"
    template = "The commands have changed. Restart your chat program, and it shows the new ones."


class NotYours(Forbidden):
    """A button bound to somebody else."""

    code = "not_yours"
    template = "This button belongs to somebody else."


class NoWorker(Unavailable):
    """Nobody there to do the work that somebody waits for."""

    code = "no_worker"
    template = (
        "Job {job} is queued, but no live worker takes {kind} jobs. Start one with `loraguild worker` "
        "(or everything with `loraguild up`)."
    )
    job: str
    kind: str


class BaseUnavailable(Unavailable):
    """A base model that no worker there is can load."""

    code = "base_unavailable"
    template = "{offering} cannot be trained for now: {why} Tell an admin; nothing was set aside for it."
    offering: str
    why: str


class DatabaseUnavailable(Unavailable):
    """The database does not answer."""

    code = "database_unavailable"
    template = "The database does not answer ({why}). Nothing was changed; try again in a moment."
    why: str


class SecretMissing(Invalid):
    """A shared house without a key to sign links with."""

    code = "secret_missing"
    template = "SECRET_KEY is not set. With MONGODB_URI every process needs the same: `openssl rand -hex 32` makes one."


class SecretUnfit(Invalid):
    """A key that nobody should sign links with, or that could not be told from another."""

    code = "secret_unfit"
    template = "SECRET_KEY does not fit: {why}. `openssl rand -hex 32` makes a good key."
    why: str


class TokenMissing(Invalid):
    """A bot without a token."""

    code = "token_missing"
    template = "{setting} is not set. README says how to get one: «Your bot in ten minutes»."
    setting: str


class ExtraMissing(Invalid):
    """A part of the house that is not installed."""

    code = "extra_missing"
    template = "This part is not installed. Install it with `pip install 'loraguild[{extra}]'`."
    extra: str


class TokenRefused(Invalid):
    """A platform that does not know the token, or does not let the bot in as it is."""

    code = "token_refused"
    template = "{platform} does not let the bot in: {why}"
    platform: str
    why: str


class StandaloneDatabase(Unavailable):
    """A MongoDB without transactions."""

    code = "standalone_database"
    template = (
        "The MongoDB at MONGODB_URI is a stand-alone server, which has no transactions. "
        "Start it as a replica set (one node suffices: mongod --replSet rs0, then rs.initiate())."
    )


class PortTaken(Unavailable):
    """Where something should listen, something else does, or nothing can."""

    code = "port_taken"
    template = (
        "Cannot listen on {host}:{port}: something else does, or this machine has no such address. "
        "Set {setting} to a free one."
    )
    host: str
    port: int
    setting: str


class EmbeddedDatabaseMissing(Unavailable):
    """The program is not installed."""

    code = "embedded_database_missing"
    template = (
        "The embedded database is not installed. Install it with `pip install 'loraguild[embedded]'`, "
        "or set MONGODB_URI to a MongoDB replica set."
    )


class EmbeddedDatabaseFailed(Unavailable):
    """The program is there but does not come up."""

    code = "embedded_database_failed"
    template = (
        "The embedded database in {folder} did not start. Check the disk's space and the folder's rights, "
        "or set MONGODB_URI to a MongoDB replica set. Its last words: {last_words}"
    )
    folder: str
    last_words: str
