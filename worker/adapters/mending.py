"""What the limited child that mends does: scale stored pictures down, put roles of stored conversations in order."""

import warnings
from pathlib import Path

from PIL import Image

from core.domain.value import Value
from worker.adapters import conversations, media
from worker.adapters.conversations import Mended
from worker.adapters.media import CleanPicture, PictureRefused
from worker.channel import Channel


class Shrinking(Value):
    """Write the picture at a path with no side longer than `longest` pixels into the folder `out`."""

    path: Path
    longest: int
    out: Path


class Shrunk(Value):
    """What became of it; None where it can no longer be read."""

    picture: CleanPicture | None


class Ordering(Value):
    """Write the part at a path with its roles in order to `out`."""

    path: Path
    out: Path


class Mending:
    """The object that such a child holds."""

    def shrink(self, task: Shrinking, _channel: Channel) -> Shrunk:
        """Scale a picture down; JPEG stays JPEG, anything else becomes PNG."""
        with warnings.catch_warnings(action="ignore"):  # of what decoders forgive
            try:
                return Shrunk(picture=shrunk(task))
            except (PictureRefused, MemoryError):
                return Shrunk(picture=None)

    def order(self, task: Ordering, _channel: Channel) -> Mended:
        """Put roles in order."""
        return conversations.mend(task.path, task.out)


def shrunk(task: Shrinking) -> CleanPicture:
    """Scale a picture down.

    Raises:
        PictureRefused: It can no longer be read.
        MemoryError: The limit of this process is reached.
    """
    small, file_format, *_ = media.decoded(task.path)
    small.thumbnail((task.longest, task.longest), Image.Resampling.LANCZOS, reducing_gap=None)
    written = task.out / "small"
    written.write_bytes(media.encoded(small, is_jpeg=file_format in media.JPEGS))
    return media.clean(written, task.out)
