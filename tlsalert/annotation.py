"""Writes a capture again with comments for Wireshark: on packets, and on the whole. Nothing else about it changes."""

from __future__ import annotations

from collections.abc import Iterator

from tlsalert.model import Connection, Summary
from tlsalert.private_file import PrivateFile
from tlsalert.render.comments import MOST_VERDICTS, packet_comments, section_comment, verdict_comment
from tlsalert.render.story import is_quiet
from tlsalert.sources.blocks import SECTION, Block, Blocks, commented, unmeasured
from tlsalert.sources.files import ByteSource
from tlsalert.spool import Spool


class Annotation:
    """Takes connections with their verdicts; :meth:`write` writes the capture that they came from to ``path``.

    Those that went well get no comments: there is nothing to say of them.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._spool = Spool()
        self._verdicts: list[str] = []
        self._unplaced = 0

    def take(self, connection: Connection) -> None:
        """Take a connection's comments."""
        if is_quiet(connection):
            return
        for frame, text in packet_comments(connection):
            self._spool.add(frame, text)
        if len(self._verdicts) <= MOST_VERDICTS:
            self._verdicts.append(verdict_comment(connection))

    def write(self, summary: Summary) -> Iterator[str]:
        """Write the capture; yield what is to be said about it.

        Raises :class:`tlsalert.errors.CaptureError` where it cannot be read again, or ``path`` not be written.
        """
        many = len(self._spool)
        with ByteSource(summary.source) as source, PrivateFile(self._path) as out:
            blocks = Blocks(source.chunks())
            for block in self._annotated(blocks, section_comment(summary, self._verdicts)):
                out.write(block.data)
        told = many - self._unplaced
        yield f"{self._path}: {told} comment{'' if told == 1 else 's'} on packets, and one on the whole capture"
        if self._unplaced:
            why = "simple packet blocks cannot hold any, and damaged ones or those that are gone have none"
            yield f"{self._path}: no place for {self._unplaced} of the comments: {why}"
        if blocks.left:
            yield f"{self._path}: the last {blocks.left} bytes are damaged or cut short, and left out"
        if source.damage is not None:
            yield f"{self._path}: ends where the original is damaged: {source.damage}"

    def _annotated(self, blocks: Blocks, about: str) -> Iterator[Block]:
        """Go through the blocks, the commented ones in the place of those that they were."""
        comments = self._spool.sorted()
        frame, texts = next(comments, (-1, []))
        for block in blocks:
            changed: Block | None = unmeasured(block)
            if block.kind == SECTION and about:
                changed, about = commented(block, [about]), ""
            while -1 < frame < block.frame:  # a frame that is none of the file's: nothing was told of it
                self._unplaced += len(texts)
                frame, texts = next(comments, (-1, []))
            if block.frame and block.frame == frame:
                changed = commented(block, texts)
                self._unplaced += len(texts) if changed is None else 0
                frame, texts = next(comments, (-1, []))
            yield changed or block
        while frame > -1:  # behind the last block: the file was cut since it was read
            self._unplaced += len(texts)
            frame, texts = next(comments, (-1, []))
