"""How one part is kept running."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path
import signal

from local.keeper import Backoff, Keeper, StartError
from local.logs import follow, last_line, rotate, tail
from local.process import Process, describe_exit


class FakeProcess:
    """A process that ends when told to."""

    def __init__(self) -> None:
        self.pid = 1
        self.exited: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def wait(self) -> int:
        return await asyncio.shield(self.exited)

    def signal(self, number: signal.Signals) -> None:
        if not self.exited.done():
            self.exited.set_result(-int(number))


class FakePart:
    """A part whose processes end as scripted: after how many seconds, or never."""

    name = "fake"
    patience = 0.2

    def __init__(self, log: Path, *lives: float | Exception | None) -> None:
        self.log = log
        self.lives = list(lives)
        self.stopped = 0
        self.answers = asyncio.Event()
        self.answers.set()

    async def spawn(self) -> FakeProcess:
        life = self.lives.pop(0) if self.lives else None
        if isinstance(life, Exception):
            raise life
        process = FakeProcess()
        if life is not None:
            with self.log.open("a") as file:
                file.write(f"life of {life}\n")
            asyncio.get_running_loop().call_later(life, process.exited.set_result, 3)
        return process

    async def ready(self, process: Process) -> None:
        await self.answers.wait()

    async def stop(self, process: Process) -> None:
        self.stopped += 1
        process.signal(signal.SIGTERM)


def test_pauses_double_from_a_fifth_of_a_second_to_ten() -> None:
    backoff = Backoff()
    pauses = [round(backoff.pause(0), 1) for _ in range(9)]
    assert pauses == [0, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10]
    assert backoff.pause(healthy_for=31) == 0


async def test_a_part_that_ends_is_started_again_at_once(tmp_path: Path) -> None:
    keeper = Keeper(FakePart(tmp_path / "log", 0.05))
    keeper.start()
    assert await keeper.settled()
    await asyncio.sleep(0.15)
    assert (keeper.health, keeper.restarts) == ("ok", 1)
    await keeper.stop()
    assert keeper.state == "stopped"


async def test_a_part_that_ends_before_it_answers_says_why(tmp_path: Path) -> None:
    keeper = Keeper(FakePart(tmp_path / "log", 0.0, 0.0, 0.0))
    keeper.start()
    assert not await keeper.settled()
    assert keeper.health == "down: exited with status 3"
    assert keeper.story == "down: exited with status 3: life of 0.0"
    assert await keeper.settled(attempts=9)
    await keeper.stop()


async def test_a_part_that_cannot_be_started_says_why(tmp_path: Path) -> None:
    keeper = Keeper(FakePart(tmp_path / "log", StartError("no disk")))
    keeper.start()
    assert not await keeper.settled()
    assert keeper.health == "down: no disk"
    await keeper.stop()


async def test_a_part_whose_start_finds_no_room_is_started_again(tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "/home/run/chat/env")
    keeper = Keeper(FakePart(tmp_path / "log", full, full, None))
    keeper.start()
    assert not await keeper.settled()
    assert keeper.health == "down: No space left on device: /home/run/chat/env"
    async with asyncio.timeout(5):
        assert await keeper.settled(attempts=3)
    await keeper.stop()


async def test_a_part_that_never_answers_is_ended_and_tried_again(tmp_path: Path) -> None:
    part = FakePart(tmp_path / "log")
    part.answers.clear()
    keeper = Keeper(part)
    keeper.start()
    assert not await keeper.settled()
    assert keeper.detail == "did not answer within 0 s"
    part.answers.set()
    assert await keeper.settled(attempts=9)
    await keeper.stop()
    assert part.stopped == 2


async def test_a_restart_is_in_good_order_and_counts_as_no_failure(tmp_path: Path) -> None:
    part = FakePart(tmp_path / "log")
    keeper = Keeper(part)
    keeper.start()
    assert await keeper.settled()
    first = keeper.process
    assert await keeper.restart()
    assert keeper.process is not first
    assert part.stopped == 1
    await keeper.stop()


async def test_a_held_part_stays_down_until_it_is_released(tmp_path: Path) -> None:
    keeper = Keeper(FakePart(tmp_path / "log"))
    keeper.start()
    await keeper.settled()
    await keeper.hold()
    await asyncio.sleep(0.05)
    assert (keeper.process, keeper.state) == (None, "stopped")
    keeper.release()
    assert await keeper.settled()
    await keeper.stop()


def test_exits_are_told_in_words() -> None:
    assert describe_exit(2) == "exited with status 2"
    assert describe_exit(-9) == "killed by SIGKILL"


def test_the_last_words_of_a_json_log_are_its_message(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text('old\n{"message": "database is full", "log.level": "error"}\n\n')
    assert last_line(log) == "database is full"
    assert last_line(log, since=log.stat().st_size) == ""


def test_a_log_that_grew_is_set_aside_while_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "chat.log"
    with log.open("a") as writer:
        for number in range(5):
            writer.write(f"{number}\n" * 100)
            writer.flush()
            assert rotate(log, limit=150, keep=2)
        writer.write("last\n")
    assert log.read_text() == "last\n"
    assert (tmp_path / "chat.log.1").read_text() == "4\n" * 100
    assert (tmp_path / "chat.log.2").read_text() == "3\n" * 100
    assert not (tmp_path / "chat.log.3").exists()
    assert not rotate(log, limit=150)


def test_following_a_log_shows_what_is_added_also_after_rotation(tmp_path: Path) -> None:
    log = tmp_path / "chat.log"
    log.write_text("a\nb\nc\n")
    lines = follow({"chat": log}, 2)
    assert [next(lines), next(lines)] == [("chat", "b"), ("chat", "c")]
    with log.open("a") as writer:
        writer.write("d\n")
        writer.flush()
        assert next(lines) == ("chat", "d")
        rotate(log, limit=1)
        writer.write("e\n")
    assert next(lines) == ("chat", "e")
    assert tail(log, 5)[0] == ["e"]
