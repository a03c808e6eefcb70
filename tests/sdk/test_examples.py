"""The examples run word for word, in both languages, with the clients as they are published."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
import subprocess
from threading import Thread
import time
import uuid

from tests.live import PASSWORD, Live
from tests.sdk.conftest import Examples

SECONDS = 30


class Output:
    """Reads what an example says, with a bound."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._lines: SimpleQueue[str] = SimpleQueue()
        self.said: list[str] = []
        self._reader = Thread(target=self._read, args=(process,), daemon=True)
        self._reader.start()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                self._lines.put(line)

    def until(self, text: str) -> None:
        """Return once a line holds the text. Fails the test when none does."""
        ends = time.monotonic() + SECONDS
        while True:
            try:
                line = self._lines.get(timeout=max(0, ends - time.monotonic()))
            except Empty:
                raise AssertionError(f"no {text!r} in {self.said}") from None
            self.said.append(line)
            if text in line:
                return

    def close(self) -> None:
        self._reader.join(SECONDS)


@contextmanager
def started(
    examples: Examples, name: str, *arguments: str, **environment: str
) -> Iterator[tuple[subprocess.Popen[str], Output]]:
    process = examples.start(name, *arguments, **environment)
    output = Output(process)
    try:
        yield process, output
    finally:
        process.kill()
        process.wait(SECONDS)
        output.close()


def test_two_people_talk(live: Live, examples: Examples) -> None:
    done = examples.start("talk", live.url)
    said, _ = done.communicate(timeout=SECONDS)
    assert done.returncode == 0, said
    assert said.splitlines() == ["Good.", "I am.", "Is anybody there?"]


def test_a_bot_answers_until_it_is_sent_away(live: Live, examples: Examples) -> None:
    ada = live.sign_up("ada")
    community = ada.found()["id"]
    channel = ada.open_channel(community)["id"]
    with started(examples, "bot", live.url, ada.invite(community)) as (process, output):
        output.until("listening")
        with ada.listening() as events:
            ada.send(channel, "!echo Is anybody there?")
            while events.until("message_created")["message"]["author_id"] == ada.id:
                pass
        assert ada.messages(channel)[-1]["content"] == "Is anybody there?"
        ada.send(channel, "!bye")
        assert process.wait(SECONDS) == 0, output.said


def test_a_follower_goes_on_where_it_was(live: Live, examples: Examples, tmp_path: Path) -> None:
    ada = live.sign_up("ada")
    name = f"table {uuid.uuid4().hex}"
    channel = ada.open_channel(ada.found(name)["id"])["id"]
    arguments = ("follow", live.url, ada.handle, str(tmp_path / "token.txt"))
    with started(examples, *arguments, CREAVIO_PASSWORD=PASSWORD) as (_, output):
        output.until(f"in {name}")
        output.until("ready")
        ada.send(channel, "Told at once.")
        output.until("Told at once.")
        ada.send(channel, "And this.")
        output.until("And this.")
    ada.send(channel, "Said meanwhile.")
    with started(examples, *arguments, CREAVIO_PASSWORD=PASSWORD) as (_, output):
        output.until("Said meanwhile.")
        assert not any(line.startswith("in ") for line in output.said), "nothing is fetched anew"
        assert not any("Told at once." in line for line in output.said)
