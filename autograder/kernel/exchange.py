"""Asking and answering over a channel, alike in both directions and nested to any reasonable depth.

Either side may ask the other to perform an operation; while it waits for the answer it answers what the other side
asks meanwhile. A question carries operands by value; its answer carries the result, or the exception, and what the
operation did besides: in-place changes of operands, the global random states, what was printed.
"""

from __future__ import annotations

import abc
import time
from collections.abc import Mapping
from typing import Any, Final

from autograder.course.errors import KernelError, WireError
from autograder.kernel.arguments import Given, make_changes
from autograder.kernel.arrays import CannotCross
from autograder.kernel.channel import Channel
from autograder.kernel.decoder import Decoder
from autograder.kernel.encoder import Encoder
from autograder.kernel.randomness import GlobalRandom

ASK, RETURNED, RAISED, REFUSED = range(4)
MAX_NESTING: Final = 32
MAX_SENTENCE: Final = 1000


class CannotReturn(CannotCross):
    """The result of an operation has no form on the wire."""


class Exchange(abc.ABC):
    """One side of a conversation; its two subclasses are the worker in the jail and the kernel outside.

    Parameters
    ----------
    channel : Channel
        The connection, which belongs to this object from now on.

    Attributes
    ----------
    answers_with : type
        Exceptions that are an answer when an operation raises them; any other ends the conversation.
    """

    answers_with: type[BaseException] = Exception

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.random = GlobalRandom()
        self._serial = 0
        self._nesting = 0

    @abc.abstractmethod
    def refer(self, value: object) -> list[Any]:
        """Return the node of a reference to a value that does not cross by value, or raise CannotCross."""

    @abc.abstractmethod
    def resolve(self, tag: int, fields: list[Any]) -> object:
        """Follow a reference made by the other side, or raise WireError."""

    @abc.abstractmethod
    def perform(self, operation: str, operands: tuple[Any, ...], kwargs: dict[str, Any], seconds: float) -> Any:
        """Do what the other side asks."""

    @abc.abstractmethod
    def describe(self, error: BaseException) -> list[Any]:
        """Return an exception in plain values."""

    @abc.abstractmethod
    def remake(self, description: object) -> BaseException:
        """Return the exception that a description of the other side describes."""

    def outputs(self) -> list[Any]:
        """Return what the operation just performed printed and displayed."""
        return []

    @abc.abstractmethod
    def hear(self, outputs: object) -> None:
        """Take what the operation just answered printed and displayed on the other side."""

    def released(self) -> list[int]:
        """Return the numbers of references of the other side that are not needed here any more."""
        return []

    @abc.abstractmethod
    def release(self, numbers: list[int]) -> None:
        """Let go of references that the other side does not need any more."""

    def ask(
        self,
        operation: str,
        operands: tuple[Any, ...],
        kwargs: Mapping[str, Any] | None = None,
        *,
        seconds: float = 0.0,
        deadline: float | None = None,
    ) -> Any:
        """Have the other side perform an operation; return its result.

        Raises
        ------
        CannotCross
            If an operand, or the result (CannotReturn), has no form on the wire.
        Exception
            What the operation raised.
        KernelError
            If the conversation broke.
        """
        if self._nesting >= MAX_NESTING:
            raise RecursionError("calls between the test and the student's functions are nested too deeply")
        encoder = Encoder(self.refer)
        self._serial += 1
        serial = self._serial
        question = [ASK, serial, operation, operands, dict(kwargs or {}), seconds, self.released(), self.random.news()]
        try:
            encoded = encoder.encode(question)
        except CannotCross:
            self.random.doubt()  # the other side did not get the news
            raise
        self.channel.send(*encoded, deadline)
        while True:
            decoder = Decoder(self.resolve, encoder.objects)
            message = decoder.decode(*self.channel.receive(deadline))
            if type(message) is list and message and message[0] == ASK:
                began = time.monotonic()
                self.answer(message, decoder.objects, deadline)
                if deadline is not None:  # the other side did not use this time
                    deadline = self.later(deadline, time.monotonic() - began)
                continue
            return self._conclude(message, serial, encoder.objects)

    def later(self, deadline: float, seconds: float) -> float:
        """Return a deadline put off by the time this side needed itself."""
        return deadline + seconds

    def _conclude(self, message: object, serial: int, objects: list[object]) -> Any:
        if type(message) is not list or [type(field) for field in message[:2]] != [int, int] or len(message) != 6:
            raise WireError("malformed message (an answer)")
        verdict, number, payload, changes, news, outputs = message
        if number != serial:
            raise WireError("an answer to something that was not asked")
        self.hear(outputs)
        self.random.agree(news)
        make_changes(objects, changes)
        if verdict == RETURNED:
            return payload
        if verdict == RAISED:
            raise self.remake(payload)
        if verdict == REFUSED and type(payload) is str:
            raise CannotReturn(payload[:MAX_SENTENCE])
        raise WireError("malformed message (a verdict)")

    def answer(self, message: list[Any], objects: list[object], deadline: float | None = None) -> None:
        """Perform what a message asks, and send the answer.

        Raises
        ------
        WireError
            If the message asks nothing that can be asked.
        """
        fields = [int, int, str, tuple, dict, float, list]
        if [type(field) for field in message[:7]] != fields or len(message) != 8:
            raise WireError("malformed message (a question)")
        _, serial, operation, operands, kwargs, seconds, released, news = message
        if self._nesting > MAX_NESTING:
            raise WireError("questions that are nested too deeply")
        self.release(released)
        self.random.agree(news)
        given = Given(objects)
        self._nesting += 1
        try:
            result = [RETURNED, serial, self.perform(operation, operands, kwargs, seconds)]
        except KernelError:
            raise
        except self.answers_with as error:
            result = [RAISED, serial, self.describe(error)]
        finally:
            self._nesting -= 1
        self._reply(result, objects, given.changes(), deadline)

    def _reply(self, result: list[Any], objects: list[object], changes: list[Any], deadline: float | None) -> None:
        outputs = self.outputs()
        effects = [self.random.news(), outputs]
        try:
            encoded = Encoder(self.refer, objects).encode([*result, changes, *effects])
        except CannotCross as error:
            encoded = Encoder(self.refer, objects).encode([REFUSED, result[1], str(error), [], *effects])
        self.channel.send(*encoded, deadline)
